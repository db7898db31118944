//! Parsing measured against two labelled sets: exact spans with their labels, micro F1 as conlleval counts it. The sets lie beside the
//! repository and are not part of it; without them the tests say so and pass.
//!
//! The floors may only rise. `cargo test -p onemap-address --release --test labels -- --nocapture` prints the figures; with `ERRORS=label` (or `ERRORS=all`) also
//! what went wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;

use onemap_address::element::Element;
use onemap_address::gazetteer::gazetteer;
use onemap_address::parse::{Parser, Part};

/// (start, end, label)
type Span = (usize, usize, String);

struct Labelled {
    text: String,
    spans: Vec<Span>,
}

fn folder(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {name} is not beside the repository");
    None
}

/// Spans of tags in BIO or BIOES. `widths`: characters of each token.
fn spans(tags: &[&str], widths: &[usize]) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    let (mut at, mut open) = (0, false);
    for (tag, width) in tags.iter().zip(widths) {
        let (mark, label) = tag.split_once('-').unwrap_or(("O", ""));
        let goes_on = open && matches!(mark, "I" | "E") && out.last().is_some_and(|s| s.2 == label);
        if goes_on {
            if let Some(last) = out.last_mut() {
                last.1 = at + width;
            }
        } else if mark != "O" {
            out.push((at, at + width, label.to_owned()));
        }
        open = !matches!(mark, "O" | "E" | "S");
        at += width;
    }
    out
}

fn ccks() -> Option<Vec<Labelled>> {
    let text = std::fs::read_to_string(folder("addr-parse-ccks2021")?.join("train.jsonl")).expect("readable");
    let read = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let tags: Vec<&str> = row["tags"].as_array().expect("tags").iter().filter_map(|t| t.as_str()).collect();
        Labelled { text: row["text"].as_str().expect("text").to_owned(), spans: spans(&tags, &vec![1; tags.len()]) }
    };
    Some(text.lines().map(read).collect())
}

fn naacl(file: &str) -> Option<Vec<Labelled>> {
    let text = std::fs::read_to_string(folder("addr-parse-naacl2019")?.join(file)).expect("readable");
    let mut out = Vec::new();
    for block in text.split("\n\n").filter(|b| !b.trim().is_empty()) {
        let tokens: Vec<(&str, &str)> = block.lines().filter_map(|l| l.rsplit_once(' ')).collect();
        let tags: Vec<&str> = tokens.iter().map(|t| t.1).collect();
        let widths: Vec<usize> = tokens.iter().map(|t| t.0.chars().count()).collect();
        out.push(Labelled { text: tokens.iter().map(|t| t.0).collect(), spans: spans(&tags, &widths) });
    }
    Some(out)
}

#[derive(Default, Clone, Copy)]
struct Count {
    right: usize,
    given: usize,
    wanted: usize,
}

impl Count {
    fn f1(self) -> f64 {
        if self.given + self.wanted == 0 { 1.0 } else { 2.0 * self.right as f64 / (self.given + self.wanted) as f64 }
    }
}

fn measure(name: &str, rows: &[Labelled], label: impl Fn(&[Part], usize) -> Option<String>, ignored: &[&str]) -> f64 {
    let shown = std::env::var("ERRORS").unwrap_or_default();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut parser = Parser::new();
    for row in rows {
        let parts = parser.parse(&row.text).parts;
        let given: Vec<Span> =
            parts.iter().enumerate().filter_map(|(i, p)| Some((p.start, p.end, label(&parts, i)?))).collect();
        let wanted: Vec<&Span> = row.spans.iter().filter(|s| !ignored.contains(&s.2.as_str())).collect();
        let mut wrong = false;
        for span in &given {
            let count = counts.entry(span.2.clone()).or_default();
            count.given += 1;
            let right = wanted.contains(&span);
            count.right += usize::from(right);
            wrong |= !right && (shown == "all" || shown == span.2);
        }
        for span in wanted {
            counts.entry(span.2.clone()).or_default().wanted += 1;
            wrong |= !given.contains(span) && (shown == "all" || shown == span.2);
        }
        if wrong {
            let chars: Vec<char> = row.text.chars().collect();
            let show = |spans: &[Span]| {
                let cut = |s: &Span| format!("{}/{}", chars[s.0..s.1].iter().collect::<String>(), s.2);
                spans.iter().map(cut).collect::<Vec<_>>().join(" ")
            };
            println!("{}\n   want {}\n   got  {}", row.text, show(&row.spans), show(&given));
        }
    }
    let mut all = Count::default();
    println!("{name}: {} texts", rows.len());
    for (label, c) in &counts {
        println!(
            "  {label:14} F1 {:.3}  precision {:.3}  recall {:.3}  ({} wanted)",
            c.f1(),
            ratio(c.right, c.given),
            ratio(c.right, c.wanted),
            c.wanted
        );
        all.right += c.right;
        all.given += c.given;
        all.wanted += c.wanted;
    }
    println!(
        "{name}: micro F1 {:.4}  precision {:.4}  recall {:.4}",
        all.f1(),
        ratio(all.right, all.given),
        ratio(all.right, all.wanted)
    );
    all.f1()
}

fn ratio(a: usize, b: usize) -> f64 {
    if b == 0 { 1.0 } else { a as f64 / b as f64 }
}

/// The element of the same name; what the set has no label for is left out.
fn plain_ccks(parts: &[Part], i: usize) -> Option<String> {
    match parts[i].element {
        Element::Province => Some("prov".into()),
        Element::Roomno | Element::Redundant | Element::Lane | Element::Compound => None,
        other => Some(other.name().into()),
    }
}

/// As the set's own guidelines see it: a repeated division is a division, a village's number a house's, a lane a road.
fn guided_ccks(parts: &[Part], i: usize) -> Option<String> {
    let part = &parts[i];
    let before = parts[..i].iter().rev().find(|p| p.element != Element::Redundant).map(|p| p.element);
    match part.element {
        Element::Redundant => repeated(&part.text).map(String::from),
        Element::Roadno if matches!(before, Some(Element::Community | Element::VillageGroup)) => Some("houseno".into()),
        Element::Roadno if part.text.ends_with('弄') => Some("road".into()),
        _ => plain_ccks(parts, i),
    }
}

fn repeated(text: &str) -> Option<&'static str> {
    let chars: Vec<char> = text.chars().collect();
    let hit = gazetteer().at(&chars).into_iter().find(|h| h.len == chars.len());
    match hit.map(|h| h.level).or_else(|| text.ends_with(['镇', '乡']).then_some(Element::Town))? {
        Element::Province => Some("prov"),
        other => Some(other.name()),
    }
}

fn plain_naacl(parts: &[Part], i: usize) -> Option<String> {
    match parts[i].element {
        Element::Province => Some("prov".into()),
        Element::Devzone => Some("devZone".into()),
        Element::VillageGroup | Element::Intersection | Element::Distance | Element::Lane | Element::Compound => None,
        other => Some(other.name().into()),
    }
}

/// As the set's own guidelines see it: a group is a road, a crossing an assistance, an industrial estate a point of interest, and a road
/// behind a road its branch.
fn guided_naacl(parts: &[Part], i: usize) -> Option<String> {
    let part = &parts[i];
    let before = i.checked_sub(1).map(|b| parts[b].element);
    match part.element {
        Element::VillageGroup => Some("road".into()),
        Element::Intersection => Some("assist".into()),
        Element::Devzone if !part.text.contains("开发区") => Some("poi".into()),
        Element::Road if before == Some(Element::Road) => Some("subRoad".into()),
        _ => plain_naacl(parts, i),
    }
}

#[test]
fn ccks_2021() {
    let Some(rows) = ccks() else { return };
    let plain = measure("CCKS 2021, labels of the same name", &rows, plain_ccks, &[]);
    let guided = if std::env::var("ERRORS").is_ok() {
        1.0
    } else {
        measure("CCKS 2021, after its guidelines", &rows, guided_ccks, &[])
    };
    assert!(plain >= 0.863, "fell to {plain}");
    assert!(guided >= 0.88, "fell to {guided}");
}

#[test]
fn naacl_2019() {
    let Some(mut rows) = naacl("dev.txt") else { return };
    rows.extend(naacl("train.txt").unwrap_or_default());
    let ignored = ["person", "otherinfo"];
    let plain = measure("NAACL 2019, labels of the same name", &rows, plain_naacl, &[]);
    let guided = if std::env::var("ERRORS").is_ok() {
        1.0
    } else {
        measure("NAACL 2019, after its guidelines", &rows, guided_naacl, &ignored)
    };
    assert!(plain >= 0.828, "fell to {plain}");
    assert!(guided >= 0.848, "fell to {guided}");
}
