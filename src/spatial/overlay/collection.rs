//! GeoJSON: a FeatureCollection, feature by feature as it comes, or a text sequence of features (RFC 8142, or one a line).

use std::io::{BufRead, BufReader, Read};

use csv::StringRecord;
use serde_json::{Map, Value};

use super::Problem;
use super::input::{Given, MOST_OF_ROW, Place, Row, Source};
use crate::error::{Error, Result};

fn row(bytes: &[u8]) -> Row {
    let Ok(Value::Object(feature)) = serde_json::from_slice::<Value>(bytes) else {
        return Row { given: Given::Feature(Map::new()), place: Err(no_feature()) };
    };
    let place = match feature.get("type").and_then(Value::as_str) {
        Some("Feature") => match feature.get("geometry") {
            None | Some(Value::Null) => Err(Problem::new("empty", "没有几何", "it has no geometry")),
            Some(geometry) => onemap_spatial::geojson::read(geometry)
                .map(Place::Geometry)
                .ok_or_else(|| Problem::new("not-a-geometry", "几何不是 GeoJSON", "the geometry is no GeoJSON")),
        },
        _ => Err(no_feature()),
    };
    Row { given: Given::Feature(feature), place }
}

fn no_feature() -> Problem {
    Problem::new("not-a-feature", "不是 GeoJSON 要素", "it is no GeoJSON feature")
}

fn broken(row: u64) -> Problem {
    Problem::new(
        "unreadable",
        format!("第 {row} 个要素起无法读取：JSON 不完整或有语法错误"),
        format!("from feature {row} on it cannot be read: the JSON is cut short or malformed"),
    )
}

/// A text sequence.
pub struct Sequence<R> {
    input: BufReader<R>,
    row: u64,
}

impl<R: Read> Sequence<R> {
    pub fn open(input: R) -> Sequence<R> {
        Sequence { input: BufReader::new(input), row: 0 }
    }
}

impl<R: Read> Source for Sequence<R> {
    fn header(&self) -> Option<&StringRecord> {
        None
    }

    fn next(&mut self) -> Result<Option<Row>, Problem> {
        loop {
            let mut line = vec![];
            let limit = MOST_OF_ROW as u64 + 1;
            let count = (&mut self.input).take(limit).read_until(b'\n', &mut line).map_err(|_| broken(self.row + 1))?;
            if count as u64 == limit {
                return Err(broken(self.row + 1));
            }
            if count == 0 {
                return Ok(None);
            }
            let text = line.trim_ascii();
            let text = text.strip_prefix(b"\x1e").unwrap_or(text).trim_ascii();
            if !text.is_empty() {
                self.row += 1;
                return Ok(Some(row(text)));
            }
        }
    }
}

/// A FeatureCollection.
pub struct Collection<R> {
    bytes: Bytes<R>,
    row: u64,
    over: bool,
}

/// Bytes one by one, with a look ahead.
struct Bytes<R> {
    input: BufReader<R>,
}

impl<R: Read> Bytes<R> {
    fn peek(&mut self) -> Option<u8> {
        self.input.fill_buf().ok()?.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.input.consume(1);
        Some(byte)
    }

    /// The next byte that is no white space.
    fn solid(&mut self) -> Option<u8> {
        loop {
            match self.next()? {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                byte => return Some(byte),
            }
        }
    }

    /// The rest of a value whose first byte was read, onto `out`, which is kept no longer than `most`.
    fn value(&mut self, first: u8, out: &mut Vec<u8>, most: usize) -> Option<()> {
        out.push(first);
        let mut depth = usize::from(matches!(first, b'{' | b'['));
        let mut in_text = first == b'"';
        let mut escaped = false;
        loop {
            if depth == 0 && !in_text {
                // A number or a word ends where something else begins; texts and brackets end by themselves.
                let plain = !matches!(first, b'{' | b'[' | b'"');
                if !plain || matches!(self.peek()?, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n') {
                    return Some(());
                }
            }
            let byte = self.next()?;
            if out.len() >= most {
                return None;
            }
            out.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'{' | b'[' if !in_text => depth += 1,
                b'}' | b']' if !in_text => depth -= 1,
                _ => {}
            }
        }
    }
}

impl<R: Read> Collection<R> {
    /// Reads up to the first feature.
    pub fn open(input: R) -> Result<Collection<R>> {
        let mut bytes = Bytes { input: BufReader::with_capacity(64 << 10, input) };
        let wrong = || {
            Error::invalid("body", "不是 GeoJSON FeatureCollection", "it is no GeoJSON FeatureCollection")
                .hint("单个要素也请放入 FeatureCollection", "put a single feature into a FeatureCollection too")
        };
        // A byte order mark is no JSON, and yet is written.
        if bytes.peek() == Some(0xef) {
            // Of a stream it may come in pieces.
            for _ in 0..3 {
                bytes.next();
            }
        }
        if bytes.solid() != Some(b'{') {
            return Err(wrong());
        }
        loop {
            let Some(b'"') = bytes.solid() else { return Err(wrong()) };
            let mut key = vec![];
            bytes.value(b'"', &mut key, 1 << 10).ok_or_else(wrong)?;
            if bytes.solid() != Some(b':') {
                return Err(wrong());
            }
            let first = bytes.solid().ok_or_else(wrong)?;
            if key == b"\"features\"" {
                return match first {
                    b'[' => Ok(Collection { bytes, row: 0, over: false }),
                    _ => Err(wrong()),
                };
            }
            let mut skipped = vec![];
            bytes.value(first, &mut skipped, 1 << 20).ok_or_else(wrong)?;
            if bytes.solid() != Some(b',') {
                return Err(wrong());
            }
        }
    }
}

impl<R: Read> Source for Collection<R> {
    fn header(&self) -> Option<&StringRecord> {
        None
    }

    fn next(&mut self) -> Result<Option<Row>, Problem> {
        if self.over {
            return Ok(None);
        }
        let fault = broken(self.row + 1);
        let first = match self.bytes.solid() {
            Some(b']') => {
                self.over = true;
                return Ok(None);
            }
            Some(b',') if self.row > 0 => self.bytes.solid(),
            first if self.row == 0 => first,
            _ => None,
        };
        let Some(first) = first.filter(|byte| !matches!(byte, b',' | b']' | b'}' | b':')) else { return Err(fault) };
        let mut text = vec![];
        self.bytes.value(first, &mut text, MOST_OF_ROW).ok_or(fault)?;
        self.row += 1;
        Ok(Some(row(&text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> (Vec<std::result::Result<(), &'static str>>, Option<&'static str>) {
        let mut source = match Collection::open(std::io::Cursor::new(text.to_owned())) {
            Ok(source) => source,
            Err(_) => return (vec![], Some("refused")),
        };
        let mut all = vec![];
        loop {
            match source.next() {
                Ok(Some(row)) => all.push(row.place.map(drop).map_err(|problem| problem.code)),
                Ok(None) => return (all, None),
                Err(problem) => return (all, Some(problem.code)),
            }
        }
    }

    #[test]
    fn features_come_one_by_one() {
        let point = r#"{"type": "Feature", "properties": {"a": "}]\"{"}, "geometry": {"type": "Point", "coordinates": [120, 36]}}"#;
        let whole = format!(
            r#"{{"name": "a]b", "n": 1, "type": "FeatureCollection", "features": [{point}, {point} ], "x": 1}}"#
        );
        assert_eq!(places(&whole), (vec![Ok(()), Ok(())], None));
        assert_eq!(places(r#"{"features":[]}"#), (vec![], None));
        let odd =
            format!(r#"{{"features": [{point}, 7, {{"type": "Feature", "geometry": null}}, {{"type": "Point"}}]}}"#);
        assert_eq!(places(&odd), (vec![Ok(()), Err("not-a-feature"), Err("empty"), Err("not-a-feature")], None));
        assert_eq!(places(&whole[..whole.len() / 2]).1, Some("unreadable"));
        assert_eq!(places(&format!(r#"{{"features": [{point} {point}]}}"#)), (vec![Ok(())], Some("unreadable")));
        for text in ["", "[]", "{}", r#"{"features": 1}"#, r#"{"type": "Feature"}"#] {
            assert_eq!(places(text).1, Some("refused"), "{text}");
        }
    }
}
