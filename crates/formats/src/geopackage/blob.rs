//! A geometry as GeoPackage stores it (12-128r18, 2.1.3): a header with the extent, then well-known binary as ISO has it.

use std::ops::Range;

use crate::shape::{Kind, Shape};

pub fn write(out: &mut Vec<u8>, shape: &Shape, srs: i32, [west, south, east, north]: [f64; 4]) {
    // Version 1; little endian, with a box of x and y, unless it is a point: that is its own.
    let boxed = shape.kind != Kind::Point;
    out.extend_from_slice(&[b'G', b'P', 0, if boxed { 3 } else { 1 }]);
    out.extend_from_slice(&srs.to_le_bytes());
    if boxed {
        doubles(out, &[west, east, south, north]);
    }
    wkb(out, shape, shape.has_z());
}

fn wkb(out: &mut Vec<u8>, shape: &Shape, z: bool) {
    head(out, shape.kind, z);
    match shape.kind {
        Kind::Point => positions(out, shape, 0..1, z),
        Kind::Line => counted(out, shape, 0..shape.positions.len(), z),
        Kind::Polygon => rings(out, shape, 0..shape.ends.len(), z),
        Kind::MultiPoint => {
            count(out, shape.positions.len());
            for i in 0..shape.positions.len() {
                head(out, Kind::Point, z);
                positions(out, shape, i..i + 1, z);
            }
        }
        Kind::MultiLine => {
            count(out, shape.ends.len());
            for line in shape.lines() {
                head(out, Kind::Line, z);
                counted(out, shape, line, z);
            }
        }
        Kind::MultiPolygon => {
            count(out, shape.rings_of_polygons().count());
            for polygon in shape.rings_of_polygons() {
                head(out, Kind::Polygon, z);
                rings(out, shape, polygon, z);
            }
        }
        Kind::Collection => {
            count(out, shape.members.len());
            shape.members.iter().for_each(|member| wkb(out, member, member.has_z()));
        }
    }
}

fn head(out: &mut Vec<u8>, kind: Kind, z: bool) {
    out.push(1);
    out.extend_from_slice(&(kind.code() + if z { 1000 } else { 0 }).to_le_bytes());
}

fn count(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&(n as u32).to_le_bytes());
}

fn rings(out: &mut Vec<u8>, shape: &Shape, rings: Range<usize>, z: bool) {
    count(out, rings.len());
    rings.for_each(|ring| counted(out, shape, shape.line(ring), z));
}

fn counted(out: &mut Vec<u8>, shape: &Shape, range: Range<usize>, z: bool) {
    count(out, range.len());
    positions(out, shape, range, z);
}

fn positions(out: &mut Vec<u8>, shape: &Shape, range: Range<usize>, z: bool) {
    for i in range {
        // An empty point within a collection is the one of NaN.
        doubles(out, shape.positions.get(i).unwrap_or(&[f64::NAN; 2]));
        if z {
            doubles(out, &[shape.heights.get(i).copied().unwrap_or_default()]);
        }
    }
}

fn doubles(out: &mut Vec<u8>, values: &[f64]) {
    values.iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
}
