use onemap_address::{element::Element::*, find::*, record::Address, segment::Builder};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let out = std::process::Command::new("zcat")
        .arg(format!("/work/shared/data/address-dev/{}.csv.gz", a[1]))
        .output()
        .unwrap()
        .stdout;
    let mut r = csv::Reader::from_reader(&out[..]);
    let mut b = Builder::new();
    for (n, rec) in r.records().enumerate() {
        let x = rec.unwrap();
        let mut a = Address::new(n as u64, x[15].parse().unwrap(), x[16].parse().unwrap());
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
        b.push(&a).unwrap();
    }
    let seg = b.finish().unwrap();
    let srcs = [Source { segment: &seg, hidden: None, visible: None, priority: 0, tag: 0 }];
    let mut f = Finder::new();
    for q in &a[2..] {
        let a = f.search(&srcs, &Query { text: q, limit: 6, ..Query::default() });
        println!("{q} faults {:?} rest {:?}", a.faults, a.remainder);
        for c in &a.candidates {
            println!(
                "  {:.2} {:?} {:?} {} {}",
                c.score,
                c.match_level,
                c.key,
                c.label,
                c.parts
                    .iter()
                    .filter(|p| p.1 != 1.0)
                    .map(|p| format!("{}={:.2}", p.0, if p.0 == "margin" { p.1 } else { 1. / p.1 - 1. }))
                    .collect::<Vec<_>>()
                    .join(" ")
            );
        }
        println!(
            "  suggest: {:?}",
            f.suggest(&srcs, &Query { text: q, limit: 4, ..Query::default() })
                .iter()
                .map(|c| c.label.clone())
                .collect::<Vec<_>>()
        );
    }
}
