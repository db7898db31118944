use onemap_address::{element::Element::*, find::*, record::Address, segment::Builder};
use std::collections::HashMap;
fn cpu() -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap()
        / 1e9
}
fn main() {
    let dir = "../../../shared/data/address-dev";
    let only = std::env::args().nth(1);
    let mut bad = 0;
    let mut queries: Vec<Vec<String>> = vec![];
    let mut r = csv::Reader::from_path(format!("{dir}/queries.csv")).unwrap();
    for q in r.records() {
        queries.push(q.unwrap().iter().map(String::from).collect());
    }
    for base in ["base-qingdao-sim", "base-shanghai-poi", "base-taipei-2districts"] {
        let t = std::time::Instant::now();
        let out = std::process::Command::new("zcat").arg(format!("{dir}/{base}.csv.gz")).output().unwrap().stdout;
        let mut r = csv::Reader::from_reader(&out[..]);
        let mut b = Builder::new();
        let mut ids: Vec<String> = vec![];
        let mut pos: HashMap<String, (f64, f64, String)> = HashMap::new();
        for rec in r.records() {
            let x = rec.unwrap();
            let mut a = Address::new(ids.len() as u64, x[15].parse().unwrap(), x[16].parse().unwrap());
            for (k, e) in [
                (2, Province),
                (3, City),
                (4, District),
                (5, Town),
                (6, Community),
                (7, Road),
                (8, Lane),
                (9, Roadno),
                (10, Compound),
                (11, Houseno),
                (12, Cellno),
                (13, Roomno),
                (14, Poi),
            ] {
                a.elements[e as usize] = &x[k];
            }
            a.key = &x[0];
            ids.push(x[0].to_string());
            pos.insert(x[0].to_string(), (a.lon, a.lat, x[17].to_string()));
            b.push(&a).unwrap();
        }
        let seg = b.finish().unwrap();
        let built = t.elapsed();
        let srcs = [Source { segment: &seg, hidden: None, visible: None, priority: 0, tag: 0 }];
        let mut f = Finder::new();
        let (mut exact, mut near, mut nexact, mut rej, mut nrej) = (0, 0, 0, 0, 0);
        let qs: Vec<&Vec<String>> = queries.iter().filter(|q| q[1] == base).collect();
        for q in &qs {
            if only.as_ref().is_some_and(|o| !q[2].contains(o.as_str()) && &q[3] != o) {
                continue;
            }
            let a = f.search(&srcs, &Query { text: &q[2], limit: 3, ..Query::default() });
            let top = a.candidates.first();
            let key = top.and_then(|c| c.key.clone()).unwrap_or_default();
            let ok = match &q[8][..] {
                "exact" => {
                    nexact += 1;
                    let ok = q[5].split('|').any(|t| t == key);
                    let d = top.map_or(1e9, |c| {
                        let (x, y) = (q[6].parse::<f64>().unwrap(), q[7].parse::<f64>().unwrap());
                        (((c.lon - x) * 90000.).powi(2) + ((c.lat - y) * 111195.).powi(2)).sqrt()
                    });
                    exact += ok as i32;
                    near += (ok || d < 50.) as i32;
                    ok
                }
                "coarse" => {
                    nrej += 1;
                    let ok = top.is_none_or(|c| c.match_level <= Level::Interpolated || c.score < REJECT);
                    rej += ok as i32;
                    ok
                }
                _ => {
                    nrej += 1;
                    let ok = top.is_none_or(|c| c.score < REJECT);
                    rej += ok as i32;
                    ok
                }
            };
            if !ok || only.is_some() {
                bad += 1;
                println!("{} {} {} | {}", if ok { "ok " } else { "BAD" }, q[3], q[8], q[2]);
                for t in q[5].split('|').take(2) {
                    if let Some(p) = pos.get(t) {
                        println!("      want {t} {}", p.2)
                    }
                }
                for c in &a.candidates {
                    println!(
                        "      got  {:.2} {:?} {:?} {} {:?} {:?}",
                        c.score,
                        c.match_level,
                        c.key,
                        c.label,
                        c.parts
                            .iter()
                            .filter(|p| p.1 != 1.0)
                            .map(|p| format!("{}={:.2}", p.0, if p.0 == "margin" { p.1 } else { 1. / p.1 - 1. }))
                            .collect::<Vec<_>>()
                            .join(" "),
                        a.faults
                    );
                }
            }
        }
        let t = cpu();
        let mut n = 0;
        while cpu() - t < 0.4 {
            for q in &qs {
                f.search(&srcs, &Query { text: &q[2], limit: 1, ..Query::default() });
                n += 1;
            }
        }
        let hard = n as f64 / (cpu() - t);
        let t = cpu();
        let mut n = 0;
        let std: Vec<&&Vec<String>> =
            qs.iter().filter(|q| q[3] == "std" || q[3] == "spaces" || q[3] == "full" || q[3] == "fullwidth").collect();
        while cpu() - t < 0.4 {
            for q in &std {
                f.search(&srcs, &Query { text: &q[2], limit: 1, ..Query::default() });
                n += 1;
            }
        }
        let clean = n as f64 / (cpu() - t);
        println!(
            "== {base}: exact {exact}/{nexact} near {near} rejected {rej}/{nrej}; built {built:?} {} bytes/row; {hard:.0}/s all, {clean:.0}/s clean",
            seg.bytes() / seg.rows().max(1)
        );
    }
    println!("{bad} shown");
}
