//! The standard's own text examples, as far as the language reaches: each field is of the kind that the example wants.
//! They lie in the folder that CQL2_EXAMPLES names (`schemas/cql2/examples/text` of opengeospatial/ogcapi-features).

use onemap_cql2::{Kind, Schema, parse};

struct Loose;

impl Schema for Loose {
    fn field(&self, name: &str) -> Option<(usize, Kind)> {
        let kind = match name {
            "footprint" | "geometry" | "road" | "location" => return None,
            "swimming_pool" => Kind::Boolean,
            "built" | "updated" | "updated_at" | "starts_at" | "ends_at" => Kind::Timestamp,
            "value" | "floors" | "taxes" | "depth" | "category" | "balance" | "foo" | "bar" | "x"
            | "vehicle_height" => Kind::Float,
            "eo:cloud_cover" | "landsat:wrs_row" => Kind::Float,
            _ => Kind::Text,
        };
        Some((0, kind))
    }
    fn is_geometry(&self, name: &str) -> bool {
        name == "footprint" || name == "geometry"
    }
}

#[test]
fn the_standards_examples_are_read_or_refused_by_name() {
    let Some(folder) = std::env::var_os("CQL2_EXAMPLES") else {
        return println!("skipped: CQL2_EXAMPLES names no folder with the standard's text examples");
    };
    let (mut read, mut unsupported) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        match parse(&text, &Loose) {
            Ok(filter) => {
                read += 1;
                assert_eq!(parse(&filter.canonical(), &Loose).unwrap(), filter, "{name}");
            }
            Err(problem) => unsupported.push((name, text, problem)),
        }
    }
    let by_name = ["not supported yet", "there is no function", "types differ", "is for text"];
    for (name, text, problem) in &unsupported {
        println!("{name}: {problem}");
        assert!(by_name.iter().any(|reason| problem.en.contains(reason)), "{name}: {text}: {problem}");
    }
    println!("{read} read, {} refused", unsupported.len());
    assert!(read >= 45, "{read} examples are read");
}
