//! Clues: what a record can be searched by, as hashes that are noted once for all records of a stretch.

use std::collections::HashSet;

use onemap_evidence::{Record, TileList};
use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

use super::search::{Search, View};
use crate::geo::tms::TileMatrixSet;

/// Ids of features that share a clue: pages of features are rows that follow each other.
const BUNDLE: i64 = 64;
/// Cells of a grid of degrees, as powers of two of the globe's width: 5, 39 and 313 km of latitude. What is larger is everywhere.
const LEVELS: [u8; 3] = [13, 10, 7];
/// Cells of one level that a search asks for at most; a larger box is met by most of what reaches anywhere.
const MOST_CELLS: i64 = 64;
/// A tile shows a little beyond its edge: this part of its side.
pub const TILE_MARGIN: f64 = 64.0 / 4096.0;
/// What gives rows without naming them one by one has neither of these operations. The same stands in `search::ABOUT`.
const NO_ROWS: [&str; 4] = ["metadata", "legend", "manage", "edit"];
/// Operations that say how many rows they gave.
const COUNTED: [&str; 4] = ["features", "feature", "identify", "address"];

/// A cell: level, column, row. Level 0 is everywhere.
type Cell = (u8, i32, i32);
const EVERYWHERE: Cell = (0, 0, 0);

/// Something that records have.
#[derive(Debug, Clone, Copy)]
enum Clue<'a> {
    Any,
    Department(&'a str),
    Owner(&'a str),
    Who(&'a str),
    Operation(&'a str),
    Layer(&'a str),
    Refused,
    /// A request of a job, whose time its id does not tell.
    Job(&'a str),
    DepartmentAtLayer(&'a str, &'a str),
    WhoAtLayer(&'a str, &'a str),
    OperationAtLayer(&'a str, &'a str),
    RefusedAtLayer(&'a str),
    /// One of a bundle of features.
    Features(&'a str, i64),
    /// Gave what was not noted feature by feature: anywhere, in a cell.
    Unnamed(&'a str),
    UnnamedIn(&'a str, Cell),
    /// Other records of a layer that reach into a cell.
    OtherIn(&'a str, Cell),
    /// Records of whatever layer that reach into a cell.
    AnyIn(Cell),
}

impl Clue<'_> {
    fn key(self) -> i64 {
        match self {
            Clue::Any => hash(0, "", "", &[]),
            Clue::Department(one) => hash(1, one, "", &[]),
            Clue::Owner(one) => hash(2, one, "", &[]),
            Clue::Who(one) => hash(3, one, "", &[]),
            Clue::Operation(one) => hash(4, one, "", &[]),
            Clue::Layer(layer) => hash(5, layer, "", &[]),
            Clue::Refused => hash(6, "", "", &[]),
            Clue::Job(one) => hash(7, one, "", &[]),
            Clue::DepartmentAtLayer(one, layer) => hash(8, layer, one, &[]),
            Clue::WhoAtLayer(one, layer) => hash(9, layer, one, &[]),
            Clue::OperationAtLayer(one, layer) => hash(10, layer, one, &[]),
            Clue::RefusedAtLayer(layer) => hash(11, layer, "", &[]),
            Clue::Features(layer, bundle) => hash(12, layer, "", &[bundle]),
            Clue::Unnamed(layer) => hash(13, layer, "", &[]),
            Clue::UnnamedIn(layer, cell) => hash(14, layer, "", &numbers(cell)),
            Clue::OtherIn(layer, cell) => hash(15, layer, "", &numbers(cell)),
            Clue::AnyIn(cell) => hash(16, "", "", &numbers(cell)),
        }
    }
}

/// The same on every node and in every version: it is kept.
fn hash(kind: u8, one: &str, other: &str, numbers: &[i64]) -> i64 {
    let mut hash = Xxh3::new();
    hash.update(&[kind]);
    for text in [one, other] {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    numbers.iter().for_each(|number| hash.update(&number.to_be_bytes()));
    hash.digest() as i64
}

fn numbers((level, column, row): Cell) -> [i64; 3] {
    [level.into(), column.into(), row.into()]
}

/// Adds the clues of a record.
pub fn note(record: &Record, keys: &mut HashSet<i64>) {
    let r = record;
    let mut add = |clue: Clue| {
        keys.insert(clue.key());
    };
    let refused = r.status >= 400;
    add(Clue::Any);
    add(Clue::Who(&r.who));
    add(Clue::Operation(&r.operation));
    if refused {
        add(Clue::Refused);
    }
    r.department.iter().for_each(|one| add(Clue::Department(one)));
    r.owner.iter().for_each(|one| add(Clue::Owner(one)));
    r.request.iter().filter(|one| is_jobs(one)).for_each(|one| add(Clue::Job(one)));
    let cells = cells_of(r);
    cells.iter().for_each(|cell| add(Clue::AnyIn(*cell)));
    let Some(layer) = r.layer.as_deref() else { return };
    add(Clue::Layer(layer));
    add(Clue::WhoAtLayer(&r.who, layer));
    add(Clue::OperationAtLayer(&r.operation, layer));
    if refused {
        add(Clue::RefusedAtLayer(layer));
    }
    r.department.iter().for_each(|one| add(Clue::DepartmentAtLayer(one, layer)));
    let named = r.features.iter().flatten().copied().chain(written(r, layer));
    named
        .map(|id| id.div_euclid(BUNDLE))
        .collect::<HashSet<_>>()
        .into_iter()
        .for_each(|b| add(Clue::Features(layer, b)));
    let unnamed = is_unnamed(r);
    if unnamed {
        add(Clue::Unnamed(layer));
    }
    for cell in cells {
        add(if unnamed { Clue::UnnamedIn(layer, cell) } else { Clue::OtherIn(layer, cell) });
    }
}

/// The feature that a record of the trail of writes tells of.
fn written(record: &Record, layer: &str) -> Option<i64> {
    record.audit?;
    let detail: Value = serde_json::from_str(record.detail.as_deref()?).ok()?;
    detail["id"].as_str()?.strip_prefix(layer)?.strip_prefix('/')?.parse().ok()
}

/// Whether features were given that are not noted one by one.
fn is_unnamed(r: &Record) -> bool {
    r.features.is_none()
        && r.audit.is_none()
        && matches!(r.status, 200 | 206 | 304)
        && !NO_ROWS.contains(&&*r.operation)
        && (r.rows > 0 || r.tiles.is_some() || !COUNTED.contains(&&*r.operation))
}

/// Jobs' ids are written with hyphens, requests' without.
fn is_jobs(request: &str) -> bool {
    request.contains('-')
}

/// Where a record reaches.
fn cells_of(record: &Record) -> HashSet<Cell> {
    let set = record.detail.as_deref().and_then(TileMatrixSet::parse);
    if let (Some(tiles), Some(set)) = (&record.tiles, set) {
        let place = |tile: onemap_evidence::Tile| set.tile(tile.zoom.into(), tile.column, tile.row);
        let boxes = TileList::read(tiles).map(|tile| place(tile).map(|tile| tile.degrees(TILE_MARGIN)));
        return boxes.flat_map(|place| place.map_or(vec![EVERYWHERE], cells_of_box)).collect();
    }
    record.extent.map_or(vec![EVERYWHERE], cells_of_box).into_iter().collect()
}

/// At most four cells that hold a box.
fn cells_of_box(place: [f64; 4]) -> Vec<Cell> {
    // What is no box is everywhere.
    if !place.iter().all(|degrees| degrees.is_finite()) {
        return vec![EVERYWHERE];
    }
    let [west, south, east, north] = place;
    let reach = (east - west).max(north - south);
    let level = LEVELS.into_iter().find(|level| reach >= 0.0 && reach <= side(*level));
    level.and_then(|level| covering(level, place)).unwrap_or_else(|| vec![EVERYWHERE])
}

fn side(level: u8) -> f64 {
    360.0 / f64::from(1u32 << level)
}

/// The cells of a level that a box meets. None when there are too many.
fn covering(level: u8, [west, south, east, north]: [f64; 4]) -> Option<Vec<Cell>> {
    let at = |degrees: f64| (degrees / side(level)).floor() as i32;
    let (columns, rows) = (at(west)..=at(east), at(south)..=at(north));
    let length = |range: &std::ops::RangeInclusive<i32>| i64::from(*range.end()) - i64::from(*range.start()) + 1;
    let count = length(&columns).max(0).saturating_mul(length(&rows).max(0));
    if count > MOST_CELLS {
        return None;
    }
    Some(columns.flat_map(|column| rows.clone().map(move |row| (level, column, row))).collect())
}

/// The cells that records may be noted at which reach into a box. None when that is nearly every one.
fn cells_near(place: [f64; 4]) -> Option<Vec<Cell>> {
    let mut cells = vec![EVERYWHERE];
    for level in LEVELS {
        cells.extend(covering(level, place)?);
    }
    Some(cells)
}

/// Sets of clues: of each a stretch must have one to hold what is searched for. The rarest is the first, as far as can be told.
pub fn sought(view: &View, search: &Search, feature_box: Option<[f64; 4]>) -> Vec<Vec<i64>> {
    let refused = search.status.is_some_and(|status| status >= 400);
    let mut sets: Vec<Vec<Clue>> = vec![];
    let cells = search.bbox.and_then(cells_near);
    if let Some(layer) = search.layer.as_deref() {
        if let Some(feature) = search.feature {
            sets.push(of_feature(layer, feature, feature_box));
        }
        if let Some(cells) = &cells {
            let both = |cell: &Cell| [Clue::UnnamedIn(layer, *cell), Clue::OtherIn(layer, *cell)];
            sets.push(cells.iter().flat_map(both).collect());
        }
        sets.extend(search.who.as_deref().map(|one| vec![Clue::WhoAtLayer(one, layer)]));
        sets.extend(search.department.as_deref().map(|one| vec![Clue::DepartmentAtLayer(one, layer)]));
        sets.extend(search.operation.as_deref().map(|one| vec![Clue::OperationAtLayer(one, layer)]));
        sets.extend(refused.then(|| vec![Clue::RefusedAtLayer(layer)]));
        if sets.is_empty() {
            sets.push(vec![Clue::Layer(layer)]);
        }
    } else {
        sets.extend(search.who.as_deref().map(|one| vec![Clue::Who(one)]));
        sets.extend(cells.map(|cells| cells.into_iter().map(Clue::AnyIn).collect()));
        sets.extend(refused.then(|| vec![Clue::Refused]));
        sets.extend(search.operation.as_deref().map(|one| vec![Clue::Operation(one)]));
        sets.extend(search.department.as_deref().map(|one| vec![Clue::Department(one)]));
    }
    sets.extend(search.request.as_deref().filter(|one| is_jobs(one)).map(|one| vec![Clue::Job(one)]));
    if let View::Department(own) = view {
        sets.push(vec![Clue::Department(own), Clue::Owner(own)]);
    }
    if sets.is_empty() {
        sets.push(vec![Clue::Any]);
    }
    sets.into_iter().map(|set| set.into_iter().map(Clue::key).collect()).collect()
}

/// What named the feature, or gave something where it lies without naming it.
fn of_feature(layer: &str, feature: i64, feature_box: Option<[f64; 4]>) -> Vec<Clue<'_>> {
    let mut clues = vec![Clue::Features(layer, feature.div_euclid(BUNDLE))];
    match feature_box.and_then(cells_near) {
        Some(cells) => clues.extend(cells.into_iter().map(|cell| Clue::UnnamedIn(layer, cell))),
        None => clues.push(Clue::Unnamed(layer)),
    }
    clues
}

#[cfg(test)]
mod tests {
    use onemap_evidence::Tile;

    use super::*;

    fn record() -> Record {
        Record {
            who: "key:7".into(),
            department: Some("health".into()),
            owner: Some("housing".into()),
            layer: Some("roads".into()),
            operation: "features".into(),
            status: 200,
            ..Record::default()
        }
    }

    fn is_found(record: &Record, search: &Search, feature_box: Option<[f64; 4]>) -> bool {
        let mut keys = HashSet::new();
        note(record, &mut keys);
        let sets = sought(&View::All, search, feature_box);
        sets.iter().all(|set| set.iter().any(|key| keys.contains(key)))
    }

    fn layer() -> Search {
        Search { layer: Some("roads".into()), ..Search::default() }
    }

    #[test]
    fn a_record_is_found_by_what_it_has() {
        let text = |text: &str| Some(text.to_owned());
        for search in [
            Search::default(),
            layer(),
            Search { who: text("key:7"), ..Search::default() },
            Search { who: text("key:7"), department: text("health"), operation: text("features"), ..layer() },
        ] {
            assert!(is_found(&record(), &search, None), "{search:?}");
        }
        for search in [
            Search { layer: text("shops"), ..Search::default() },
            Search { who: text("key:8"), ..layer() },
            Search { status: Some(403), ..layer() },
        ] {
            assert!(!is_found(&record(), &search, None), "{search:?}");
        }
    }

    #[test]
    fn a_feature_is_found_by_its_id_by_its_change_and_by_tiles_about_it() {
        let search = Search { feature: Some(130), ..layer() };
        let place = Some([120.001, 36.001, 120.002, 36.002]);
        let listed = Record { features: Some(vec![5, 130]), rows: 2, ..record() };
        assert!(is_found(&listed, &search, place));
        assert!(!is_found(&Record { features: Some(vec![5, 9000]), ..listed }, &search, place));
        let detail = Some(r#"{"kind": "feature", "id": "roads/130"}"#.into());
        assert!(is_found(&Record { audit: Some(1), detail, ..record() }, &search, place));
        let tile = |zoom, column, row| {
            let mut list = TileList::default();
            list.push(Tile { after: 0, zoom, column, row, bytes: 1 });
            let (tiles, detail) = (Some(list.into_bytes()), Some("WorldCRS84Quad".into()));
            Record { tiles, detail, operation: "tile".into(), ..record() }
        };
        // 180 degrees are 2^z tiles: at 14 a tile is 0.011 degrees wide.
        let (column, row) = ((300.0 / 180.0 * 16384.0) as u32, (54.0 / 180.0 * 16384.0) as u32);
        assert!(is_found(&tile(14, column, row - 1), &search, place));
        assert!(!is_found(&tile(14, column + 200, row), &search, place));
        assert!(is_found(&tile(0, 1, 0), &search, place));
        assert!(is_found(&tile(14, column + 200, row), &search, None), "nobody knows where it lies");
    }

    #[test]
    fn what_meets_a_box_is_among_its_cells() {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut some = || {
            let (x, y, side) = (119.0 + 2.0 * random(), 35.0 + 2.0 * random(), 10f64.powf(-4.0 + 5.0 * random()));
            [x, y, x + side * random(), y + side * random()]
        };
        let mut met = 0;
        for _ in 0..20_000 {
            let (a, b) = (some(), some());
            let meet = a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
            let Some(near) = cells_near(b).filter(|_| meet) else { continue };
            assert!(cells_of_box(a).iter().any(|cell| near.contains(cell)), "{a:?} {b:?}");
            met += 1;
        }
        assert!(met > 300, "{met}");
        assert_eq!(cells_of_box([f64::NAN, 0.0, 1.0, 1.0]), [EVERYWHERE]);
    }
}
