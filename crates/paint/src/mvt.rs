//! Reading Mapbox Vector Tiles in place: nothing is copied until a feature is asked for.
//!
//! The service has a reader of its own (`layer/archive/mvt.rs`), which judges whether a stranger's tile is sound and writes it anew, in
//! whole numbers. This one draws what can be drawn of a tile, in `f64`; both bound what they keep.

use std::cell::OnceCell;

use crate::expr::Value;
use crate::problem::{Problem, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Point,
    Line,
    Polygon,
}

/// One layer of a tile.
pub struct Layer<'a> {
    pub name: &'a str,
    pub extent: f64,
    features: Vec<&'a [u8]>,
    keys: Vec<&'a str>,
    values: Vec<(&'a [u8], OnceCell<Value>)>,
}

/// One feature, its geometry not yet decoded.
pub struct Feature<'a> {
    pub id: Option<u64>,
    pub kind: Kind,
    pub layer: &'a Layer<'a>,
    tags: &'a [u8],
    geometry: &'a [u8],
}

/// Rings, lines or, as one part each, points, in the tile's units.
pub type Parts = Vec<Vec<[f64; 2]>>;

/// Features of a tile at most, and keys and values together: each may be of two bytes there and costs forty here.
const MOST_FEATURES: usize = 500_000;
const MOST_WORDS: usize = 1_000_000;

/// How many more there may be.
struct Left {
    features: usize,
    words: usize,
}

fn less(left: &mut usize) -> Result<()> {
    *left = left
        .checked_sub(1)
        .ok_or_else(|| Problem::new("", "瓦片中的要素或属性过多", "the tile has too many features, keys or values"))?;
    Ok(())
}

fn broken() -> Problem {
    Problem::new("", "瓦片已损坏", "the tile is damaged")
}

/// The layers of a tile, in its order.
pub fn layers(tile: &[u8]) -> Result<Vec<Layer<'_>>> {
    let mut layers = vec![];
    let mut left = Left { features: MOST_FEATURES, words: MOST_WORDS };
    for field in Fields(tile) {
        if let (3, Data::Bytes(bytes)) = field? {
            layers.push(Layer::read(bytes, &mut left)?);
        }
    }
    Ok(layers)
}

impl<'a> Layer<'a> {
    fn read(bytes: &'a [u8], left: &mut Left) -> Result<Layer<'a>> {
        let mut layer = Layer { name: "", extent: 4096.0, features: vec![], keys: vec![], values: vec![] };
        for field in Fields(bytes) {
            match field? {
                (1, Data::Bytes(name)) => layer.name = text(name)?,
                (2, Data::Bytes(feature)) => {
                    less(&mut left.features)?;
                    layer.features.push(feature);
                }
                (3, Data::Bytes(key)) => {
                    less(&mut left.words)?;
                    layer.keys.push(text(key)?);
                }
                (4, Data::Bytes(value)) => {
                    less(&mut left.words)?;
                    layer.values.push((value, OnceCell::new()));
                }
                (5, Data::Number(extent)) if extent > 0 => layer.extent = extent as f64,
                _ => {}
            }
        }
        Ok(layer)
    }

    pub fn features(&'a self) -> impl Iterator<Item = Result<Feature<'a>>> {
        self.features.iter().filter_map(|bytes| self.feature(bytes).transpose())
    }

    /// None for a geometry of no known kind.
    fn feature(&'a self, bytes: &'a [u8]) -> Result<Option<Feature<'a>>> {
        let mut feature = Feature { id: None, kind: Kind::Point, layer: self, tags: &[], geometry: &[] };
        let mut kind = 0;
        for field in Fields(bytes) {
            match field? {
                (1, Data::Number(id)) => feature.id = Some(id),
                (2, Data::Bytes(tags)) => feature.tags = tags,
                (3, Data::Number(of)) => kind = of,
                (4, Data::Bytes(geometry)) => feature.geometry = geometry,
                _ => {}
            }
        }
        feature.kind = match kind {
            1 => Kind::Point,
            2 => Kind::Line,
            3 => Kind::Polygon,
            _ => return Ok(None),
        };
        Ok(Some(feature))
    }
}

impl<'a> Feature<'a> {
    /// The value of a property. What cannot be read counts as absent.
    pub fn property(&self, name: &str) -> Option<&'a Value> {
        self.properties().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    pub fn properties(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let layer = self.layer;
        let mut tags = self.tags;
        std::iter::from_fn(move || {
            let (key, value) = (varint(&mut tags)?, varint(&mut tags)?);
            let key = layer.keys.get(key as usize)?;
            let (bytes, value) = layer.values.get(value as usize)?;
            Some((*key, value.get_or_init(|| read_value(bytes).unwrap_or(Value::Null))))
        })
    }

    /// Decodes the geometry. Polygons' rings are as they come: outer ones turn one way, inner ones the other.
    pub fn parts(&self) -> Result<Parts> {
        let mut parts: Parts = vec![];
        let mut bytes = self.geometry;
        let (mut x, mut y) = (0i64, 0i64);
        while !bytes.is_empty() {
            let command = varint(&mut bytes).ok_or_else(broken)?;
            let (what, count) = (command & 7, command >> 3);
            match what {
                1 | 2 => {
                    // Each point takes two bytes at least: a count beyond that is a lie.
                    if count > bytes.len() as u64 / 2 {
                        return Err(broken());
                    }
                    for _ in 0..count {
                        x = x.wrapping_add(unzigzag(varint(&mut bytes).ok_or_else(broken)?));
                        y = y.wrapping_add(unzigzag(varint(&mut bytes).ok_or_else(broken)?));
                        let point = [x as f64, y as f64];
                        match (what, parts.last_mut()) {
                            (2, Some(part)) => part.push(point),
                            _ => parts.push(vec![point]),
                        }
                    }
                }
                7 => {
                    if let Some(part) = parts.last_mut()
                        && let [first, .., last] = part[..]
                        && first != last
                    {
                        part.push(first);
                    }
                }
                _ => return Err(broken()),
            }
        }
        Ok(parts)
    }
}

/// A field's content as protocol buffers carry it.
enum Data<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Four([u8; 4]),
    Eight([u8; 8]),
}

struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Data<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(broken))
    }
}

impl<'a> Fields<'a> {
    fn read(&mut self) -> Option<(u64, Data<'a>)> {
        let key = varint(&mut self.0)?;
        let data = match key & 7 {
            0 => Data::Number(varint(&mut self.0)?),
            1 => Data::Eight(self.take(8)?.try_into().ok()?),
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).ok()?;
                Data::Bytes(self.take(length)?)
            }
            5 => Data::Four(self.take(4)?.try_into().ok()?),
            _ => return None,
        };
        Some((key >> 3, data))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[inline]
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[inline]
fn unzigzag(n: u64) -> i64 {
    ((n >> 1) as i64) ^ -((n & 1) as i64)
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| broken())
}

fn read_value(bytes: &[u8]) -> Result<Value> {
    let mut value = Value::Null;
    for field in Fields(bytes) {
        value = match field? {
            (1, Data::Bytes(s)) => Value::from(text(s)?),
            (2, Data::Four(b)) => Value::Number(f64::from(f32::from_le_bytes(b))),
            (3, Data::Eight(b)) => Value::Number(f64::from_le_bytes(b)),
            (4, Data::Number(n)) => Value::Number(n as i64 as f64),
            (5, Data::Number(n)) => Value::Number(n as f64),
            (6, Data::Number(n)) => Value::Number(unzigzag(n) as f64),
            (7, Data::Number(n)) => Value::Bool(n != 0),
            _ => value,
        };
    }
    Ok(value)
}
