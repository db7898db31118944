use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::*;
use crate::error::Result;
use crate::layer::model::FieldType;

/// Small enough for debug builds, large enough to touch every source. Shared: laying out a city takes seconds in them.
pub(super) fn city() -> &'static City {
    static CITY: OnceLock<City> = OnceLock::new();
    CITY.get_or_init(|| City::new(7, 0.05).unwrap())
}

fn bytes(city: &City, layer: &DemoLayer) -> (u64, Vec<u8>) {
    let mut all = Vec::new();
    let mut sink = |piece: &[u8]| -> Result<()> {
        all.extend_from_slice(piece);
        Ok(())
    };
    let rows = city.write(layer, &mut sink).unwrap();
    (rows, all)
}

/// The columns of each row, None for null.
fn rows(mut data: &[u8]) -> Vec<Vec<Option<&[u8]>>> {
    let mut out = Vec::new();
    while let Some((count, rest)) = data.split_first_chunk::<2>() {
        data = rest;
        let mut row = Vec::new();
        for _ in 0..i16::from_be_bytes(*count) {
            let (length, rest) = data.split_first_chunk::<4>().unwrap();
            let length = i32::from_be_bytes(*length);
            let (value, rest) = rest.split_at(length.max(0) as usize);
            row.push((length >= 0).then_some(value));
            data = rest;
        }
        out.push(row);
    }
    out
}

fn find(id: &str) -> DemoLayer {
    layers().into_iter().find(|l| l.id == id).unwrap()
}

fn column(layer: &DemoLayer, name: &str) -> usize {
    1 + layer.fields.iter().position(|f| f.name == name).unwrap()
}

fn text(value: Option<&[u8]>) -> &str {
    std::str::from_utf8(value.unwrap()).unwrap()
}

/// Longitude and latitude of an EWKB point.
fn point(value: Option<&[u8]>) -> [f64; 2] {
    let bytes = value.unwrap();
    assert_eq!(bytes[..9], [1, 1, 0, 0, 0x20, 0x8a, 0x11, 0, 0]);
    [9, 17].map(|at| f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()))
}

#[test]
fn there_are_82_layers_of_12_departments_in_three_classes() {
    let layers = layers();
    assert_eq!(layers.len(), 82);
    let mut classes = HashMap::new();
    let mut owners = HashSet::new();
    for layer in &layers {
        *classes.entry(layer.share_class).or_insert(0) += 1;
        owners.insert(layer.department);
        assert!(departments().iter().any(|d| d.id == layer.department));
        assert!(themes().iter().any(|t| t.id == layer.theme), "{}", layer.theme);
        assert!(!layer.anonymous || layer.share_class == ShareClass::Unconditional);
    }
    assert_eq!(owners.len(), 12);
    assert_eq!(departments().len(), 12);
    assert_eq!(classes[&ShareClass::Unconditional], 46);
    assert_eq!(classes[&ShareClass::Conditional], 26);
    assert_eq!(classes[&ShareClass::NotShared], 10);
    let planning: Vec<_> = layers.iter().filter(|l| l.theme == "family-planning").collect();
    assert_eq!(planning.len(), 9);
    assert!(planning.iter().all(|l| l.department == "health"));
}

#[test]
fn ids_and_field_names_keep_to_the_rules() {
    let mut ids = HashSet::new();
    let fits = |id: &str, dash: bool| {
        !id.is_empty()
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || (dash && b == b'-'))
    };
    let chinese = |s: &str| s.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for layer in layers() {
        assert!(ids.insert(layer.id) && fits(layer.id, true), "{}", layer.id);
        assert!(chinese(layer.title_zh) && layer.title_en.is_ascii());
        let mut names = HashSet::new();
        for field in &layer.fields {
            assert!(names.insert(field.name.clone()), "{} {}", layer.id, field.name);
            assert!(fits(&field.name, false) && field.name.as_bytes()[0].is_ascii_lowercase());
            assert!(field.name != "fid" && field.name != "geom");
            assert!(!field.title_zh.is_empty() && !field.title_en.is_empty() && !chinese(&field.title_en));
        }
        assert!(layer.key_field.is_some_and(|k| names.contains(k)));
    }
}

#[test]
fn grants_name_what_exists() {
    let layers = layers();
    for grant in grants() {
        let layer = layers.iter().find(|l| l.id == grant.layer).unwrap();
        assert_eq!(layer.share_class, ShareClass::Conditional, "{}", layer.id);
        assert!(layer.department != grant.grantee && departments().iter().any(|d| d.id == grant.grantee));
        let has = |name: &str| layer.fields.iter().any(|f| f.name == name);
        assert!(grant.fields.is_none_or(|all| all.iter().all(|f| has(f))), "{}", layer.id);
        assert!(grant.rows.is_none_or(|(field, _)| has(field)), "{}", layer.id);
        let known = |code: &&str| city().divisions().districts.iter().any(|d| d.code == *code);
        assert!(grant.area.is_none_or(|all| all.iter().all(known)));
    }
}

#[test]
fn every_value_fits_its_field_and_every_row_is_counted() {
    let city = city();
    for layer in layers() {
        let (count, data) = bytes(city, &layer);
        let rows = rows(&data);
        assert_eq!(count, rows.len() as u64, "{}", layer.id);
        assert_eq!(count, city.expected_rows(&layer), "{}", layer.id);
        assert!(count > 0);
        let mut keys = HashSet::new();
        for (n, row) in rows.iter().enumerate() {
            assert_eq!(row.len(), layer.fields.len() + 2);
            assert_eq!(row[0].unwrap(), (n as i64 + 1).to_be_bytes());
            assert!(keys.insert(row[1].unwrap()), "{} {}", layer.id, text(row[1]));
            for (value, field) in row[1..].iter().zip(&layer.fields) {
                let Some(value) = value else { continue };
                match field.kind {
                    FieldType::Text => assert!(!text(Some(value)).is_empty(), "{} {}", layer.id, field.name),
                    FieldType::Integer | FieldType::Timestamp => assert_eq!(value.len(), 8),
                    FieldType::Float => assert!(f64::from_be_bytes((*value).try_into().unwrap()).is_finite()),
                    FieldType::Boolean => assert!(matches!(value, [0 | 1])),
                    FieldType::Date => assert_eq!(value.len(), 4),
                }
            }
            let kind = row[row.len() - 1].unwrap()[1];
            let wanted = ["", "Point", "LineString", "Polygon", "", "", "MultiPolygon"][kind as usize];
            assert_eq!(wanted, layer.geometry, "{}", layer.id);
        }
    }
}

#[test]
fn points_lie_in_the_community_that_their_code_names() {
    let divisions = city().divisions();
    let by_code: HashMap<&str, &divisions::Community> =
        divisions.communities.iter().map(|c| (c.code.as_str(), c)).collect();
    let mut seen = 0;
    // One layer for each way of choosing places.
    for id in
        ["residents", "addresses", "poi", "manholes", "hospitals", "clinics", "control-points", "standard-addresses"]
    {
        let layer = &find(id);
        let at = column(layer, "community_code");
        let (_, data) = bytes(city(), layer);
        for row in &rows(&data) {
            let (code, p) = (text(row[at]), point(row[row.len() - 1]));
            assert!(by_code[code].area.contains(p), "{} {code} {p:?}", layer.id);
            seen += 1;
        }
    }
    assert!(seen > 10_000, "{seen}");
}

#[test]
fn the_same_seed_and_scale_give_the_same_bytes() {
    let again = City::new(7, 0.05).unwrap();
    for id in ["communities", "buildings", "addresses", "residents", "roads", "poi", "bus-routes"] {
        assert_eq!(bytes(city(), &find(id)), bytes(&again, &find(id)), "{id}");
    }
    let larger = again.with_scale(1.0).unwrap();
    let poi = find("poi");
    assert_ne!(bytes(city(), &poi), bytes(&larger, &poi));
    addresses_are_unique_and_odd_numbers_stand_opposite_to_even_ones(&larger);
}

#[test]
fn a_home_has_its_estate_building_unit_and_room_and_no_other_has_them() {
    let layer = find("standard-addresses");
    let (_, data) = bytes(city(), &layer);
    let at = ["compound", "building", "unit", "room", "full_address"].map(|name| column(&layer, name));
    let mut seen = HashSet::new();
    for row in &rows(&data) {
        let [estate, building, unit, room, full] = at.map(|i| text(row[i]));
        assert!(full.ends_with(&format!("号{estate}{building}{unit}{room}")), "{full}");
        assert!(building.ends_with("号楼") && unit.ends_with("单元") && room.ends_with("室"));
        assert!(seen.insert(full.to_owned()), "{full}");
    }
    assert_eq!(seen.len(), 1000);
}

fn addresses_are_unique_and_odd_numbers_stand_opposite_to_even_ones(city: &City) {
    let layer = find("addresses");
    let (_, data) = bytes(city, &layer);
    let (full, number, street) = (column(&layer, "full_address"), column(&layer, "number"), column(&layer, "street"));
    let mut seen = HashSet::new();
    let mut odd = 0;
    for row in &rows(&data) {
        assert!(seen.insert(text(row[full]).to_owned()), "{}", text(row[full]));
        let n = i64::from_be_bytes(row[number].unwrap().try_into().unwrap());
        assert!(n > 0);
        odd += n % 2;
        assert!(text(row[full]).starts_with("山东省青岛市") && text(row[full]).contains(text(row[street])));
    }
    assert!((0.45..0.55).contains(&(odd as f64 / seen.len() as f64)));
}

#[test]
fn another_seed_lays_another_city_out() {
    let other = divisions::Divisions::new(8).unwrap();
    let centres = |d: &divisions::Divisions| d.streets.iter().map(|s| s.centre).collect::<Vec<_>>();
    assert_ne!(centres(&other), centres(city().divisions()));
}

#[test]
fn a_scale_out_of_bounds_is_refused() {
    for scale in [0.0, -1.0, 26.0, f64::NAN] {
        let refused = City::new(1, scale).err().unwrap();
        assert_eq!(refused.kind, crate::error::Kind::Invalid { parameter: "scale".into() });
    }
}
