//! Vector tiles, Mapbox Vector Tile 2.1: one layer, written feature by feature. Values come encoded; equal ones are kept once.

use rustc_hash::FxHashMap;

use crate::column::ColumnView;
use crate::shape::Kind;
use crate::value::{varint, varint_len, zigzag};
use crate::window::EXTENT;

const MOVE_TO: u32 = 1;
const LINE_TO: u32 = 2;
const CLOSE_PATH: u32 = 15;

/// A layer of a tile while it is written.
pub struct Layer<'a> {
    features: Vec<u8>,
    count: usize,
    keys: Vec<&'a str>,
    /// Per column: the number in this tile of a dictionary's entry (plus one; 0: not yet here).
    small: Vec<Vec<u32>>,
    large: Vec<FxHashMap<u32, u32>>,
    plain: FxHashMap<&'a [u8], u32>,
    values: Vec<u8>,
    value_count: u32,
    tags: Vec<u8>,
    geometry: Vec<u8>,
    cursor: [i32; 2],
}

/// A dictionary of up to this many entries has a table of its own in each tile.
const SMALL: usize = 1024;

impl<'a> Layer<'a> {
    pub fn new(keys: Vec<&'a str>) -> Layer<'a> {
        Layer {
            features: Vec::with_capacity(1 << 16),
            count: 0,
            small: keys.iter().map(|_| vec![]).collect(),
            large: keys.iter().map(|_| FxHashMap::default()).collect(),
            keys,
            plain: FxHashMap::default(),
            values: Vec::with_capacity(1 << 14),
            value_count: 0,
            tags: vec![],
            geometry: vec![],
            cursor: [0, 0],
        }
    }

    /// The features so far.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The bytes so far, but for the layer's own few.
    pub fn len(&self) -> usize {
        self.features.len() + self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn value(&mut self, bytes: &[u8]) -> u32 {
        self.values.push(0x22);
        varint(bytes.len() as u64, &mut self.values);
        self.values.extend_from_slice(bytes);
        self.value_count += 1;
        self.value_count
    }

    /// Gives the feature being written a value from an index's column.
    #[inline]
    pub fn tag_from(&mut self, key: usize, column: &ColumnView<'a>, feature: usize) {
        let Some(entries) = column.entries() else {
            let bytes = column.bytes(feature);
            if !column.is_unique() {
                return self.tag(key, bytes);
            }
            if !bytes.is_empty() {
                let number = self.value(bytes);
                self.put_tag(key, number);
            }
            return;
        };
        let code = column.code(feature);
        if code == 0 {
            return;
        }
        let known = match entries <= SMALL {
            true => self.small[key].get(code as usize).copied().unwrap_or(0),
            false => self.large[key].get(&code).copied().unwrap_or(0),
        };
        let number = match known {
            0 => {
                let number = self.value(column.entry(code));
                if entries <= SMALL {
                    let table = &mut self.small[key];
                    if table.is_empty() {
                        table.resize(entries, 0);
                    }
                    table[code as usize] = number;
                } else {
                    self.large[key].insert(code, number);
                }
                number
            }
            known => known,
        };
        self.put_tag(key, number);
    }

    /// Gives the feature being written an encoded value; none when it is empty.
    pub fn tag(&mut self, key: usize, bytes: &'a [u8]) {
        if bytes.is_empty() {
            return;
        }
        let number = match self.plain.get(bytes) {
            Some(&number) => number,
            None => {
                let number = self.value(bytes);
                self.plain.insert(bytes, number);
                number
            }
        };
        self.put_tag(key, number);
    }

    fn put_tag(&mut self, key: usize, number: u32) {
        varint(key as u64, &mut self.tags);
        varint(u64::from(number - 1), &mut self.tags);
    }

    /// Adds points, lines or rings to the feature being written. Parts that a tile cannot show are left out.
    pub fn points(&mut self, points: &[[i32; 2]]) {
        if !points.is_empty() {
            self.command(MOVE_TO, points.len());
            points.iter().for_each(|p| self.step(p));
        }
    }

    pub fn line(&mut self, points: &[[i32; 2]]) {
        let [first, rest @ ..] = points else { return };
        if !rest.is_empty() {
            self.command(MOVE_TO, 1);
            self.step(first);
            self.command(LINE_TO, rest.len());
            rest.iter().for_each(|p| self.step(p));
        }
    }

    pub fn ring(&mut self, points: &[[i32; 2]]) {
        if points.len() >= 3 {
            self.line(points);
            self.geometry.push(CLOSE_PATH as u8);
        }
    }

    fn command(&mut self, command: u32, count: usize) {
        varint((count as u64) << 3 | u64::from(command), &mut self.geometry);
    }

    #[inline]
    fn step(&mut self, p: &[i32; 2]) {
        varint(u64::from(zigzag(p[0].wrapping_sub(self.cursor[0]))), &mut self.geometry);
        varint(u64::from(zigzag(p[1].wrapping_sub(self.cursor[1]))), &mut self.geometry);
        self.cursor = *p;
    }

    /// Whether the feature being written has come to anything yet.
    pub fn has_geometry(&self) -> bool {
        !self.geometry.is_empty()
    }

    /// Ends the feature being written; one without geometry leaves nothing.
    pub fn end_feature(&mut self, id: i64, kind: Kind) {
        if !self.geometry.is_empty() {
            let id = id as u64;
            let tags = match self.tags.len() {
                0 => 0,
                n => 1 + varint_len(n as u64) + n,
            };
            let geometry = 1 + varint_len(self.geometry.len() as u64) + self.geometry.len();
            self.features.push(0x12);
            varint((1 + varint_len(id) + tags + 2 + geometry) as u64, &mut self.features);
            self.features.push(0x08);
            varint(id, &mut self.features);
            if tags > 0 {
                self.features.push(0x12);
                varint(self.tags.len() as u64, &mut self.features);
                self.features.extend_from_slice(&self.tags);
            }
            self.features.extend_from_slice(&[0x18, kind as u8, 0x22]);
            varint(self.geometry.len() as u64, &mut self.features);
            self.features.extend_from_slice(&self.geometry);
            self.count += 1;
        }
        self.tags.clear();
        self.geometry.clear();
        self.cursor = [0, 0];
    }

    /// Appends the layer to a tile; nothing when it has no features.
    pub fn finish(&self, name: &str, out: &mut Vec<u8>) {
        if self.is_empty() {
            return;
        }
        let keys: usize = self.keys.iter().map(|k| 1 + varint_len(k.len() as u64) + k.len()).sum();
        let named = 1 + varint_len(name.len() as u64) + name.len();
        let length = 2 + named + self.features.len() + keys + self.values.len() + 1 + varint_len(EXTENT as u64);
        out.reserve(length + 8);
        out.push(0x1a);
        varint(length as u64, out);
        out.extend_from_slice(&[0x78, 2, 0x0a]);
        varint(name.len() as u64, out);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&self.features);
        for key in &self.keys {
            out.push(0x1a);
            varint(key.len() as u64, out);
            out.extend_from_slice(key.as_bytes());
        }
        out.extend_from_slice(&self.values);
        out.push(0x28);
        varint(EXTENT as u64, out);
    }
}
