//! Which columns of a table hold the place: longitude and latitude, x and y, WKT, GeoJSON, hexadecimal WKB, or "lon,lat" in one.

use super::files::looks_like_wkt;
use super::geojson::GeometrySeed;
use super::geometry::Kind;
use super::ogr;
use super::source::{Cell, Row, Shape};
use serde::de::DeserializeSeed;
use std::ffi::CString;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    Xy(usize, usize),
    /// "121.4,31.2" in one column.
    Pair(usize),
    Wkt(usize),
    Json(usize),
    Hex(usize),
}

impl Place {
    /// The column that only holds geometry, and need not become a field.
    pub fn text_column(self) -> Option<usize> {
        match self {
            Place::Wkt(c) | Place::Json(c) | Place::Hex(c) => Some(c),
            Place::Xy(..) | Place::Pair(_) => None,
        }
    }
}

const X_WORDS: &[&str] =
    &["longitude", "经度", "東經", "东经", "lng", "long", "lon", "easting", "x坐标", "横坐标", "jd", "x"];
const Y_WORDS: &[&str] =
    &["latitude", "纬度", "緯度", "北纬", "lat", "lat", "lat", "northing", "y坐标", "纵坐标", "wd", "y"];
const PAIR_WORDS: &[&str] = &["location", "lnglat", "lonlat", "经纬度", "坐标", "coordinates", "coordinate"];

fn plain(name: &str) -> String {
    name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'')).to_lowercase()
}

/// A header's role: the word it holds, how well, and what remains of it, so that `gcj_lng` goes with `gcj_lat`.
fn role(name: &str, words: &[&str]) -> Option<(usize, String)> {
    let name = plain(name);
    let pieces: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    for (rank, word) in words.iter().enumerate() {
        let short_ascii = word.is_ascii() && word.len() <= 4;
        let hit = if short_ascii {
            // `x` or `lon` must stand alone between separators, or before digits and a zone (`lon_84`).
            pieces.contains(word) || word.len() == 3 && (name.ends_with(word) || name.starts_with(word))
        } else {
            name.contains(word)
        };
        if hit {
            return Some((rank, name.replacen(word, "", 1)));
        }
    }
    None
}

/// Finds the columns by header and by a few sample rows.
pub fn find(header: &[String], samples: &[Vec<Cell>]) -> Option<Place> {
    by_text(header, samples).or_else(|| by_pair_of_columns(header, samples)).or_else(|| by_one_column(header, samples))
}

fn sample_texts(samples: &[Vec<Cell>], column: usize) -> impl Iterator<Item = &str> {
    samples.iter().filter_map(move |row| match row.get(column) {
        Some(Cell::Text(t)) if !t.trim().is_empty() => Some(t.trim()),
        _ => None,
    })
}

fn by_text(header: &[String], samples: &[Vec<Cell>]) -> Option<Place> {
    for column in 0..header.len() {
        let texts: Vec<&str> = sample_texts(samples, column).take(20).collect();
        let most = |test: &dyn Fn(&str) -> bool| {
            !texts.is_empty() && texts.iter().filter(|t| test(t)).count() * 2 > texts.len()
        };
        if most(&looks_like_wkt) {
            return Some(Place::Wkt(column));
        }
        if most(&|t| {
            t.starts_with('{')
                && t.contains("\"type\"")
                && (t.contains("\"coordinates\"") || t.contains("\"geometries\""))
        }) {
            return Some(Place::Json(column));
        }
        if most(&|t| {
            t.len() >= 42 && (t.starts_with("01") || t.starts_with("00")) && t.bytes().all(|b| b.is_ascii_hexdigit())
        }) {
            return Some(Place::Hex(column));
        }
    }
    None
}

fn by_pair_of_columns(header: &[String], samples: &[Vec<Cell>]) -> Option<Place> {
    let numeric = |column: usize| {
        let mut seen = false;
        let fits = samples.iter().take(100).filter(|r| !matches!(r.get(column), None | Some(Cell::Null))).all(|r| {
            let ok = r.get(column).is_some_and(|c| coordinate(c).is_some());
            seen |= ok;
            // One bad value among good ones is that row's fault.
            true
        });
        fits && (seen || samples.is_empty())
    };
    let mut best: Option<(usize, usize, usize)> = None;
    for (xi, x) in header.iter().enumerate() {
        let Some((x_rank, x_rest)) = role(x, X_WORDS) else { continue };
        for (yi, y) in header.iter().enumerate() {
            let Some((y_rank, y_rest)) = role(y, Y_WORDS) else { continue };
            if xi == yi || !numeric(xi) || !numeric(yi) {
                continue;
            }
            let penalty = x_rank + y_rank + if x_rest == y_rest { 0 } else { 100 };
            if best.is_none_or(|(p, _, _)| penalty < p) {
                best = Some((penalty, xi, yi));
            }
        }
    }
    best.map(|(_, x, y)| Place::Xy(x, y))
}

fn by_one_column(header: &[String], samples: &[Vec<Cell>]) -> Option<Place> {
    (0..header.len()).find_map(|column| {
        let name = plain(&header[column]);
        let named = PAIR_WORDS.iter().any(|w| name.contains(w));
        let fits = sample_texts(samples, column).next().is_some_and(|t| pair(t).is_some());
        (named && fits).then_some(Place::Pair(column))
    })
}

fn pair(text: &str) -> Option<(f64, f64)> {
    let text = text.trim().trim_start_matches(['[', '(', '（']).trim_end_matches([']', ')', '）']);
    let mut parts = text.split([',', '，', ' ', ';']).filter(|p| !p.is_empty());
    let (x, y) = (parts.next()?.trim().parse().ok()?, parts.next()?.trim().parse().ok()?);
    parts.next().is_none().then_some((x, y))
}

/// A coordinate as a number, or as degrees, minutes and seconds.
pub fn coordinate(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Float(v) => Some(*v),
        Cell::Int(v) => Some(*v as f64),
        Cell::Text(t) => {
            let t = t.trim();
            t.parse().ok().or_else(|| sexagesimal(t))
        }
        _ => None,
    }
}

fn sexagesimal(text: &str) -> Option<f64> {
    if !text.contains(['°', '度']) {
        return None;
    }
    let west = text.contains(['W', 'S', '西', '南']);
    let mut value = 0.0;
    let mut scale = 1.0;
    let mut parts = 0;
    for part in text.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|p| !p.is_empty()) {
        value += part.parse::<f64>().ok()? / scale;
        scale *= 60.0;
        parts += 1;
    }
    (1..=3).contains(&parts).then_some(if west { -value } else { value })
}

fn shown(cell: Option<&Cell>) -> String {
    cell.map(super::fields::show).unwrap_or_default().chars().take(40).collect()
}

/// Reads a row's geometry from its cells.
pub fn locate(place: Place, row: &mut Row, wkb: &mut Vec<u8>) {
    row.geometry.clear(Kind::Point);
    row.shape = Shape::Null;
    let empty = |cell: Option<&Cell>| match cell {
        None | Some(Cell::Null) => true,
        Some(Cell::Text(t)) => super::fields::is_null_word(t.trim()),
        _ => false,
    };
    match place {
        Place::Xy(x, y) => {
            let (cx, cy) = (row.cells.get(x), row.cells.get(y));
            if empty(cx) && empty(cy) {
                return;
            }
            match (cx.and_then(coordinate), cy.and_then(coordinate)) {
                (Some(x), Some(y)) => point(row, x, y),
                (None, _) => row.shape = Shape::Unreadable(format!("\"{}\" is no coordinate", shown(cx))),
                _ => row.shape = Shape::Unreadable(format!("\"{}\" is no coordinate", shown(cy))),
            }
        }
        Place::Pair(c) | Place::Wkt(c) | Place::Json(c) | Place::Hex(c) => {
            if empty(row.cells.get(c)) {
                return;
            }
            let Some(Cell::Text(text)) = row.cells.get_mut(c) else {
                row.shape = Shape::Unreadable(format!("\"{}\" is no geometry", shown(row.cells.get(c))));
                return;
            };
            let text = std::mem::take(text);
            from_text(place, text.trim(), row, wkb);
            // A pair stays a field; a geometry text was only carrying the geometry.
            row.cells[c] = Cell::Text(text);
        }
    }
}

fn point(row: &mut Row, x: f64, y: f64) {
    row.geometry.x.push(x);
    row.geometry.y.push(y);
    row.shape = Shape::Present;
}

fn from_text(place: Place, text: &str, row: &mut Row, wkb: &mut Vec<u8>) {
    let nonsense = || Shape::Unreadable(format!("\"{}\" is no geometry", text.chars().take(40).collect::<String>()));
    match place {
        Place::Pair(_) => match pair(text) {
            Some((x, y)) => point(row, x, y),
            None => row.shape = nonsense(),
        },
        Place::Json(_) => {
            let mut json = serde_json::Deserializer::from_str(text);
            let read = GeometrySeed { to: &mut row.geometry, depth: 0 }.deserialize(&mut json);
            row.shape = read.unwrap_or_else(|_| nonsense());
        }
        Place::Hex(_) => {
            row.shape = match hex::decode(text).ok().map(|bytes| row.geometry.read_wkb(&bytes)) {
                Some(Ok(())) if row.geometry.is_empty() => Shape::Empty,
                Some(Ok(())) => Shape::Present,
                _ => nonsense(),
            }
        }
        _ => from_wkt(text, row, wkb),
    }
}

/// Reads WKT, extended or not.
pub fn from_wkt(text: &str, row: &mut Row, wkb: &mut Vec<u8>) {
    let body = match text.get(..5) {
        Some(start) if start.eq_ignore_ascii_case("SRID=") => text.split_once(';').map_or(text, |(_, rest)| rest),
        _ => text,
    };
    ogr::prepare();
    let unreadable = || Shape::Unreadable(format!("\"{}\" is no WKT", text.chars().take(40).collect::<String>()));
    let Ok(c_text) = CString::new(body) else {
        row.shape = unreadable();
        return;
    };
    let mut geometry = std::ptr::null_mut();
    let mut cursor = c_text.as_ptr().cast_mut();
    // SAFETY: the text is NUL-terminated and only read; the geometry is destroyed after it was copied.
    unsafe {
        let code = gdal_sys::OGR_G_CreateFromWkt(&mut cursor, std::ptr::null_mut(), &mut geometry);
        ogr::take_message();
        if code != 0 || geometry.is_null() {
            row.shape = unreadable();
            return;
        }
        ogr::geometry(geometry, wkb, row);
        gdal_sys::OGR_G_DestroyGeometry(geometry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }
    fn texts(values: &[&str]) -> Vec<Vec<Cell>> {
        vec![values.iter().map(|v| Cell::Text((*v).to_owned())).collect()]
    }

    #[test]
    fn coordinate_columns_are_found_by_header_and_value() {
        let cases: &[(&[&str], &[&str], Option<Place>)] = &[
            (&["名称", "纬度", "经度"], &["a", "36", "120"], Some(Place::Xy(2, 1))),
            (&["id", "gcj_lng", "gcj_lat", "wgs_lng", "wgs_lat"], &["1", "1", "1", "1", "1"], Some(Place::Xy(1, 2))),
            (&["X", "Y"], &["1", "2"], Some(Place::Xy(0, 1))),
            (&["name", "location"], &["a", "116.48,39.99"], Some(Place::Pair(1))),
            (&["a", "anything"], &["1", "POINT (1 2)"], Some(Place::Wkt(1))),
            (&["a", "b"], &["1", "{\"type\":\"Point\",\"coordinates\":[1,2]}"], Some(Place::Json(1))),
            (&["a", "b", "c"], &["1", "2", "3"], None),
            (&["text", "flat"], &["1", "2"], None),
        ];
        for (names, values, wanted) in cases {
            assert_eq!(find(&header(names), &texts(values)), *wanted, "{names:?}");
        }
    }

    #[test]
    fn degrees_minutes_and_seconds_are_read() {
        let v = coordinate(&Cell::Text("120°30'36\"".into())).unwrap();
        assert!((v - 120.51).abs() < 1e-9);
        assert_eq!(coordinate(&Cell::Text("-122a".into())), None);
    }
}
