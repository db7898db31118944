// raw door plates: args: file(.zst) rows queries
use onemap_address::{
    find::*,
    record::Address,
    segment::{Builder, Segment},
};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
fn cpu() -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap()
        / 1e9
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let limit: usize = args[1].parse().unwrap();
    let nq: usize = args[2].parse().unwrap();
    let mut b = Builder::new();
    let mut qs: Vec<(String, f64, f64)> = vec![];
    let (t, c) = (std::time::Instant::now(), cpu());
    let mut id = 0u64;
    for f in &args[3..] {
        let mut ch = Command::new("zstd").args(["-dc", "--long=27", f]).stdout(Stdio::piped()).spawn().unwrap();
        let mut r = csv::Reader::from_reader(BufReader::new(ch.stdout.take().unwrap()));
        let mut n = 0;
        let mut batch: Vec<csv::StringRecord> = vec![];
        let mut flush = |batch: &mut Vec<csv::StringRecord>, b: &mut Builder, id: &mut u64| {
            let v: Vec<Address> = batch
                .iter()
                .enumerate()
                .filter_map(|(k, x)| {
                    let mut a =
                        Address::new(*id + k as u64, x[x.len() - 2].parse().ok()?, x[x.len() - 1].parse().ok()?);
                    a.full = batch[k].get(0)?;
                    Some(a)
                })
                .collect();
            b.push_all(&v).unwrap();
            *id += batch.len() as u64;
            batch.clear();
        };
        for x in r.records() {
            let Ok(x) = x else { continue };
            n += 1;
            if n % (1 + limit * (args.len() - 3) / nq).max(1) == 0 {
                qs.push((x[0].to_string(), x[x.len() - 2].parse().unwrap_or(0.), x[x.len() - 1].parse().unwrap_or(0.)));
            }
            batch.push(x);
            if batch.len() == 8192 {
                flush(&mut batch, &mut b, &mut id);
            }
            if n >= limit {
                break;
            }
        }
        flush(&mut batch, &mut b, &mut id);
        ch.kill().ok();
        ch.wait().ok();
    }
    println!("{} rows pushed, {} left out, {:?}, main cpu {:.1}", b.rows(), b.left_out(), t.elapsed(), cpu() - c);
    b.write(std::path::Path::new("/tmp/plates.idx"), 1).unwrap();
    let s = Segment::open(std::path::Path::new("/tmp/plates.idx")).unwrap();
    println!("written {:?}, {} MB, {} B/row", t.elapsed(), s.bytes() >> 20, s.bytes() / s.rows());
    let src = [Source { segment: &s, hidden: None, visible: None, priority: 0, tag: 0 }];
    let mut f = Finder::new();
    let c = cpu();
    let mut ok = 0;
    let mut shown = 0;
    for q in &qs {
        let a = f.search(&src, &Query { text: &q.0, limit: 1, ..Query::default() });
        let d = a
            .candidates
            .first()
            .map_or(1e9, |c| (((c.lon - q.1) * 100000.).powi(2) + ((c.lat - q.2) * 111195.).powi(2)).sqrt());
        if d < 50. {
            ok += 1
        } else if shown < 25 {
            shown += 1;
            println!(
                "{} -> {:?}",
                q.0,
                a.candidates.first().map(|c| (c.label.clone(), c.score, c.match_level, d as i64))
            );
        }
    }
    println!("{}/{} within 50 m; {:.0}/s per core", ok, qs.len(), qs.len() as f64 / (cpu() - c));
}
