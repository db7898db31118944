//! The standard's own examples, as text and as JSON (`schemas/cql2/examples` of opengeospatial/ogcapi-features): each is read, each
//! pair says the same, and all are understood but those that call functions or fields of arrays that are not there.

use std::path::Path;

use onemap_cql2::{Kind, Schema, Syntax, parse, parse_json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/fixtures/cql2/examples");

/// Each field is of the kind that the examples want of it.
struct Loose;

impl Schema for Loose {
    fn field(&self, name: &str) -> Option<(usize, Kind)> {
        let kind = match name {
            "footprint" | "geometry" | "road" | "location" => return None,
            "swimming_pool" => Kind::Boolean,
            "built" | "updated" | "updated_at" | "starts_at" | "ends_at" | "touchdown" | "liftOff" | "event_time" => {
                Kind::Timestamp
            }
            "floors" | "taxes" | "depth" | "category" | "balance" | "foo" | "bar" | "x" | "vehicle_height"
            | "bridge_clearance" | "windSpeed" | "value" | "eo:cloud_cover" | "landsat:wrs_row" => Kind::Float,
            _ => Kind::Text,
        };
        Some((0, kind))
    }
    fn is_geometry(&self, name: &str) -> bool {
        self.field(name).is_none()
    }
}

/// What is refused, and why: the standard invents functions here, holds arrays in fields, or compares one field with
/// numbers here and texts there.
const REFUSED: [(&str, &str); 15] = [
    ("clause6_01", "no function avg"),
    ("clause6_02b", "no function avg"),
    ("clause7_15", "holds no array"),
    ("clause7_18", "no function Buffer"),
    ("example04", "types differ"),
    ("example06a", "types differ"),
    ("example06b", "types differ"),
    ("example40", "types differ"),
    ("example40-alt01", "types differ"),
    ("example68", "no function Foo"),
    ("example69", "no function Bar"),
    ("example79", "holds no array"),
    ("example80", "holds no array"),
    ("example81", "holds no array"),
    ("example82", "holds no array"),
];

fn examples(folder: &str) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(Path::new(FOLDER).join(folder)) else { return vec![] };
    let mut all: Vec<(String, String)> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn the_standards_examples_are_read_in_both_encodings() {
    let (texts, jsons) = (examples("text"), examples("json"));
    if texts.is_empty() {
        return println!("skipped: {FOLDER} is not there");
    }
    assert_eq!((texts.len(), jsons.len()), (120, 109));
    let mut refused = vec![];
    for (name, text) in &texts {
        let syntax = Syntax::read(text).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert_eq!(Syntax::read(&syntax.text()).unwrap().text(), syntax.text(), "{name}");
        match parse(text, &Loose) {
            Ok(filter) => {
                assert_eq!(parse(&filter.canonical(), &Loose).unwrap(), filter, "{name}");
                assert_eq!(parse_json(&filter.json().to_string(), &Loose).unwrap(), filter, "{name}");
                let twin = name.split("-alt").next().unwrap();
                let json = &jsons.iter().find(|(name, _)| name == twin).unwrap().1;
                assert_eq!(parse_json(json, &Loose).unwrap(), filter, "{name}");
            }
            Err(problem) => refused.push((name.as_str(), problem.en)),
        }
    }
    for (name, json) in &jsons {
        Syntax::read_json(json).unwrap_or_else(|problem| panic!("{name}: {problem}"));
    }
    assert_eq!(refused.len(), REFUSED.len(), "{refused:#?}");
    for ((name, said), (wanted, why)) in refused.iter().zip(REFUSED) {
        assert!(*name == wanted && said.contains(why), "{name}: {said}; {wanted}: {why}");
    }
}

/// Bytes changed, left out, doubled: whatever comes of it is a filter or a problem with a place.
#[test]
fn mutilated_examples_never_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let pieces = [
        "(", ")", ",", "'", "\"", "[", "]", "{", "}", "-", "^", "1e308", "\\", "NaN", "𠀀", " NOT ", " AND ", "..",
        "null",
    ];
    for (folder, read) in [("text", parse as fn(&str, &dyn Schema) -> _), ("json", parse_json)] {
        for (name, text) in examples(folder) {
            for _ in 0..60 {
                let mut chars: Vec<char> = text.chars().collect();
                for _ in 0..1 + random(4) {
                    let at = random(chars.len());
                    match random(4) {
                        0 => drop(chars.drain(at..(at + random(9)).min(chars.len()))),
                        1 => drop(chars.splice(at..at, pieces[random(pieces.len())].chars())),
                        2 => chars.truncate(at.max(1)),
                        _ => {
                            let copy: Vec<char> = chars[at..(at + random(20)).min(chars.len())].to_vec();
                            drop(chars.splice(at..at, copy));
                        }
                    }
                    if chars.is_empty() {
                        break;
                    }
                }
                let text: String = chars.into_iter().collect();
                match read(&text, &Loose) {
                    Ok(filter) => {
                        assert_eq!(parse(&filter.canonical(), &Loose).as_ref(), Ok(&filter), "{name}: {text}")
                    }
                    Err(problem) => {
                        assert!(text.is_char_boundary(problem.at) && !problem.zh.is_empty(), "{name}: {text}")
                    }
                }
            }
        }
    }
}
