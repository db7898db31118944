//! Whether coordinates called WGS 84 or CGCS2000 are in truth shifted: by the words around them, or held against known boundaries.

use super::geometry::Geometry;
use super::report::{Datum, DatumFound, Note};
use super::source::Cell;
use crate::geo::china;
use std::collections::HashMap;

const GCJ_WORDS: &[&str] =
    &["gcj02", "gcj-02", "gcj_02", "gcj", "火星坐标", "amap", "高德", "autonavi", "gaode", "腾讯地图", "qqmap"];
const BD_WORDS: &[&str] = &["bd09", "bd-09", "bd_09", "baidu", "百度"];

/// A suspicion from names: of the file, the layer, its fields, its metadata.
pub fn by_words<'a>(texts: impl Iterator<Item = &'a str>) -> DatumFound {
    for text in texts {
        let lower = text.to_lowercase();
        for (words, datum, name) in [(BD_WORDS, Datum::Bd09, "BD-09"), (GCJ_WORDS, Datum::Gcj02, "GCJ-02")] {
            if let Some(word) = words.iter().find(|w| lower.contains(**w)) {
                let shown: String = text.chars().take(60).collect();
                return DatumFound {
                    datum,
                    reason: Some(Note::new(
                        format!("“{shown}”中有“{word}”，坐标可能是 {name}"),
                        format!("\"{shown}\" mentions \"{word}\": the coordinates may be {name}"),
                    )),
                };
            }
        }
    }
    DatumFound::default()
}

/// Known divisions in CGCS2000, by name or code.
#[derive(Debug, Default)]
pub struct Reference {
    places: HashMap<String, Option<(f64, f64)>>,
}

impl Reference {
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
    /// A name that two divisions share tells nothing.
    pub fn add(&mut self, cells: &[Cell], geometry: &Geometry) {
        let Some(place) = centroid(geometry) else { return };
        for name in cells.iter().filter_map(key) {
            self.places.entry(name).and_modify(|p| *p = None).or_insert(Some(place));
        }
    }
}

fn key(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(t) if t.chars().count() >= 2 => Some(t.trim().to_owned()),
        Cell::Int(i) if *i >= 1000 => Some(i.to_string()),
        _ => None,
    }
}

/// The centroid of an area, weighted over its rings.
pub fn centroid(g: &Geometry) -> Option<(f64, f64)> {
    let (mut area, mut cx, mut cy) = (0.0, 0.0, 0.0);
    let mut start = 0usize;
    let (x0, y0) = (*g.x.first()?, *g.y.first()?);
    for &end in &g.parts {
        let end = end as usize;
        for i in start..end.saturating_sub(1) {
            let (ax, ay, bx, by) = (g.x[i] - x0, g.y[i] - y0, g.x[i + 1] - x0, g.y[i + 1] - y0);
            let cross = ax * by - bx * ay;
            area += cross;
            cx += (ax + bx) * cross;
            cy += (ay + by) * cross;
        }
        start = end;
    }
    (g.dimensions() == 0b100 && area.abs() > 1e-12).then(|| (x0 + cx / (3.0 * area), y0 + cy / (3.0 * area)))
}

const MAX_PAIRS: usize = 2000;

/// Features of the upload beside the known divisions of the same name.
#[derive(Debug, Default)]
pub struct Comparison {
    pairs: Vec<((f64, f64), (f64, f64))>,
}

impl Comparison {
    /// `geometry` in degrees.
    pub fn see(&mut self, reference: &Reference, cells: &[Cell], geometry: &Geometry) {
        if self.pairs.len() >= MAX_PAIRS {
            return;
        }
        let Some(here) = centroid(geometry) else { return };
        // A row names its city and province too: the division it is lies nearest.
        let distance = |place: &(f64, f64)| (place.0 - here.0).hypot(place.1 - here.1);
        let names = cells.iter().filter_map(key);
        let known = names.filter_map(|k| reference.places.get(&k).copied().flatten());
        if let Some(known) = known.min_by(|a, b| distance(a).total_cmp(&distance(b))) {
            self.pairs.push((here, known));
        }
    }

    /// The mean offset in metres after undoing a shift: outlines differ at random, a shift is the same for neighbours.
    fn offset(&self, undo: impl Fn(f64, f64) -> (f64, f64)) -> f64 {
        let (mut east, mut north, mut n) = (0.0, 0.0, 0.0);
        for &((x, y), (kx, ky)) in &self.pairs {
            let (x, y) = undo(x, y);
            let (dx, dy) = ((x - kx) * 111_320.0 * ky.to_radians().cos(), (y - ky) * 110_950.0);
            // Another division of the same name lies far away.
            if dx.hypot(dy) < 20_000.0 {
                east += dx;
                north += dy;
                n += 1.0;
            }
        }
        if n > 0.0 { (east / n).hypot(north / n) } else { 0.0 }
    }

    pub fn judge(&self) -> Option<DatumFound> {
        if self.pairs.len() < 3 {
            return None;
        }
        let plain = self.offset(|x, y| (x, y));
        let gcj = self.offset(china::gcj02_to_wgs84);
        let bd = self.offset(china::bd09_to_wgs84);
        let (datum, name, rest) = if gcj <= bd { (Datum::Gcj02, "GCJ-02", gcj) } else { (Datum::Bd09, "BD-09", bd) };
        let n = self.pairs.len();
        if plain > 150.0 && rest < plain * 0.5 {
            return Some(DatumFound {
                datum,
                reason: Some(Note::new(
                    format!("与 {n} 个已知区划相比平均偏移 {plain:.0} 米，按 {name} 还原后只剩 {rest:.0} 米"),
                    format!(
                        "held against {n} known divisions it is off by {plain:.0} m on average; undoing {name} leaves {rest:.0} m"
                    ),
                )),
            });
        }
        Some(DatumFound {
            datum: Datum::None,
            reason: Some(Note::new(
                format!("与 {n} 个已知区划相比平均偏移 {plain:.0} 米，没有加密偏移的迹象"),
                format!("held against {n} known divisions it is off by {plain:.0} m on average: no sign of a shift"),
            )),
        })
    }
}

/// Undoes the shift on whole columns.
pub fn undo(datum: Datum, x: &mut [f64], y: &mut [f64]) {
    let back = match datum {
        Datum::None => return,
        Datum::Gcj02 => china::gcj02_to_wgs84,
        Datum::Bd09 => china::bd09_to_wgs84,
    };
    for (x, y) in x.iter_mut().zip(y.iter_mut()) {
        (*x, *y) = back(*x, *y);
    }
}
