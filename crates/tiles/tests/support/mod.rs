//! What the tests share: EWKB writers, and a decoder of MVT that is written apart from the encoder.
#![allow(dead_code)]

use std::collections::BTreeMap;

use onemap_cql2::Value;
use onemap_tiles::build::{Builder, Options, Summary};
use onemap_tiles::draw::{Drawn, Request};
use onemap_tiles::index::Index;
use onemap_tiles::value::{Column, ColumnKind, decode, read_varint};
use onemap_tiles::window::Window;

pub type Place = (f64, f64);

pub fn point((x, y): Place) -> Vec<u8> {
    let mut bytes = vec![1, 1, 0, 0, 0];
    bytes.extend(x.to_le_bytes());
    bytes.extend(y.to_le_bytes());
    bytes
}

pub fn line(places: &[Place]) -> Vec<u8> {
    let mut bytes = vec![1, 2, 0, 0, 0];
    vertices(places, &mut bytes);
    bytes
}

pub fn polygon(rings: &[Vec<Place>]) -> Vec<u8> {
    let mut bytes = vec![1, 3, 0, 0, 0];
    bytes.extend((rings.len() as u32).to_le_bytes());
    rings.iter().for_each(|r| vertices(r, &mut bytes));
    bytes
}

fn vertices(places: &[Place], bytes: &mut Vec<u8>) {
    bytes.extend((places.len() as u32).to_le_bytes());
    for (x, y) in places {
        bytes.extend(x.to_le_bytes());
        bytes.extend(y.to_le_bytes());
    }
}

pub fn square((x, y): Place, side: f64) -> Vec<u8> {
    polygon(&[vec![(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]])
}

/// An index of geometries with a text and a number each: `kind` is one of five, `number` the id.
pub fn index_of(geometries: &[Vec<u8>], options: Options) -> (tempfile::TempDir, Index, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let columns = vec![
        Column { name: "kind".into(), kind: ColumnKind::Text },
        Column { name: "number".into(), kind: ColumnKind::Integer },
    ];
    let mut builder = Builder::create(folder.path(), columns, options).unwrap();
    for (id, geometry) in (1i64..).zip(geometries) {
        let kind = format!("kind {}", id % 5);
        builder.push(id, Some(geometry), &[Value::Text(&kind), Value::Integer(id)]).unwrap();
    }
    let path = folder.path().join("layer.tix");
    let summary = builder.finish(&path, &mut |_| true).unwrap();
    let index = Index::open(&path).unwrap();
    index.verify().unwrap();
    (folder, index, summary)
}

pub fn request(window: &Window) -> Request<'_> {
    Request {
        window,
        layer: "layer",
        columns: &[0, 1],
        filter: None,
        rows: &[],
        area: None,
        delta: None,
        limit: 500_000,
    }
}

pub fn draw(index: &Index, request: &Request<'_>) -> (Drawn, Vec<Feature>) {
    let mut bytes = vec![];
    let drawn = index.draw(request, &mut bytes);
    (drawn, tile(&bytes))
}

#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    pub id: u64,
    pub kind: u64,
    pub parts: Vec<Vec<[i64; 2]>>,
    pub properties: BTreeMap<String, String>,
}

impl Feature {
    /// Square tile units, holes off.
    pub fn area(&self) -> f64 {
        self.parts.iter().map(|r| ring_area(r)).sum()
    }
}

pub fn ring_area(ring: &[[i64; 2]]) -> f64 {
    let n = ring.len();
    (0..n).map(|i| ring[i][0] * ring[(i + 1) % n][1] - ring[(i + 1) % n][0] * ring[i][1]).sum::<i64>() as f64 / 2.0
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn message(bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let (mut at, mut fields) = (0, vec![]);
    while at < bytes.len() {
        let key = read_varint(bytes, &mut at).unwrap();
        let field = match key & 7 {
            0 => Field::Number(read_varint(bytes, &mut at).unwrap()),
            1 => {
                at += 8;
                Field::Bytes(&bytes[at - 8..at])
            }
            2 => {
                let len = read_varint(bytes, &mut at).unwrap() as usize;
                at += len;
                Field::Bytes(&bytes[at - len..at])
            }
            wire => panic!("wire type {wire}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn packed(bytes: &[u8]) -> Vec<u64> {
    let (mut at, mut numbers) = (0, vec![]);
    while at < bytes.len() {
        numbers.push(read_varint(bytes, &mut at).unwrap());
    }
    numbers
}

/// The features of a tile of at most one layer.
pub fn tile(bytes: &[u8]) -> Vec<Feature> {
    let layers = message(bytes);
    assert!(layers.len() <= 1);
    let Some((3, Field::Bytes(layer))) = layers.first() else { return vec![] };
    let (mut raw, mut keys, mut values) = (vec![], vec![], vec![]);
    for (number, field) in message(layer) {
        match (number, field) {
            (2, Field::Bytes(b)) => raw.push(b),
            (3, Field::Bytes(b)) => keys.push(String::from_utf8(b.to_vec()).unwrap()),
            (4, Field::Bytes(b)) => values.push(format!("{:?}", decode(b))),
            (5, Field::Number(n)) => assert_eq!(n, 4096),
            (15, Field::Number(n)) => assert_eq!(n, 2),
            (1, Field::Bytes(b)) => assert_eq!(b, b"layer"),
            (n, _) => panic!("field {n}"),
        }
    }
    raw.into_iter().map(|b| feature(b, &keys, &values)).collect()
}

fn feature(bytes: &[u8], keys: &[String], values: &[String]) -> Feature {
    let mut feature = Feature { id: 0, kind: 0, parts: vec![], properties: BTreeMap::new() };
    for (number, field) in message(bytes) {
        match (number, field) {
            (1, Field::Number(n)) => feature.id = n,
            (2, Field::Bytes(b)) => {
                for pair in packed(b).chunks(2) {
                    feature.properties.insert(keys[pair[0] as usize].clone(), values[pair[1] as usize].clone());
                }
            }
            (3, Field::Number(n)) => feature.kind = n,
            (4, Field::Bytes(b)) => feature.parts = geometry(&packed(b)),
            (n, _) => panic!("field {n}"),
        }
    }
    feature
}

fn geometry(numbers: &[u64]) -> Vec<Vec<[i64; 2]>> {
    let (mut parts, mut at, mut cursor) = (vec![], 0, [0i64; 2]);
    while at < numbers.len() {
        let (command, count) = (numbers[at] & 7, numbers[at] >> 3);
        at += 1;
        if command == 7 {
            continue;
        }
        for _ in 0..count {
            for axis in 0..2 {
                let n = numbers[at + axis] as i64;
                cursor[axis] += (n >> 1) ^ -(n & 1);
            }
            at += 2;
            if command == 1 {
                parts.push(vec![]);
            }
            parts.last_mut().unwrap().push(cursor);
        }
    }
    parts
}
