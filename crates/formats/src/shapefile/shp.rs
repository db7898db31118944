//! Records of the `.shp` file and the headers of `.shp` and `.shx`.

use super::Group;
use crate::shape::Shape;

/// The code of a shape type.
pub fn code(group: Group, z: bool) -> i32 {
    let flat = match group {
        Group::Point => 1,
        Group::Line => 3,
        Group::Polygon => 5,
        Group::MultiPoint => 8,
        Group::None => 0,
    };
    if z && flat > 0 { flat + 10 } else { flat }
}

/// What a header says of all records.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extent {
    pub xy: Option<[f64; 4]>,
    pub z: Option<[f64; 2]>,
}

impl Extent {
    pub fn add(&mut self, shape: &Shape) {
        if let Some(b) = shape.bounds() {
            self.xy = Some(self.xy.map_or(b, |all| crate::shape::joined(all, b)));
        }
        if let Some(z) = range(&shape.heights) {
            self.z = Some(self.z.map_or(z, |all| [all[0].min(z[0]), all[1].max(z[1])]));
        }
    }
}

fn range(values: &[f64]) -> Option<[f64; 2]> {
    values.iter().fold(None, |all: Option<[f64; 2]>, &v| Some(all.map_or([v, v], |a| [a[0].min(v), a[1].max(v)])))
}

/// The 100 bytes before the records; `length` is the whole file's, in bytes.
pub fn header(code: i32, length: u64, extent: &Extent) -> Vec<u8> {
    let mut out = Vec::with_capacity(100);
    out.extend_from_slice(&9994i32.to_be_bytes());
    out.extend_from_slice(&[0; 20]);
    out.extend_from_slice(&((length / 2) as i32).to_be_bytes());
    out.extend_from_slice(&1000i32.to_le_bytes());
    out.extend_from_slice(&code.to_le_bytes());
    for value in extent.xy.unwrap_or_default().into_iter().chain(extent.z.unwrap_or_default()).chain([0.0, 0.0]) {
        out.extend_from_slice(&value.to_le_bytes());
    }
    out
}

/// Appends a record: its number and length, then its contents.
pub fn record(out: &mut Vec<u8>, number: i32, group: Group, z: bool, shape: Option<&Shape>) {
    let start = out.len();
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    let code = code(group, z).to_le_bytes();
    match shape {
        None => out.extend_from_slice(&0i32.to_le_bytes()),
        Some(shape) => {
            out.extend_from_slice(&code);
            match group {
                Group::Point => point(out, shape, z),
                Group::MultiPoint => {
                    doubles(out, shape.bounds().unwrap_or_default());
                    out.extend_from_slice(&(shape.positions.len() as i32).to_le_bytes());
                    doubles(out, shape.positions.as_flattened().iter().copied());
                    heights(out, z, &shape.heights);
                }
                Group::Line => lines(out, shape, z),
                Group::Polygon => polygons(out, shape, z),
                Group::None => {}
            }
        }
    }
    let words = ((out.len() - start - 8) / 2) as i32;
    out[start + 4..start + 8].copy_from_slice(&words.to_be_bytes());
}

fn doubles(out: &mut Vec<u8>, values: impl IntoIterator<Item = f64>) {
    values.into_iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
}

fn point(out: &mut Vec<u8>, shape: &Shape, z: bool) {
    doubles(out, shape.positions.first().copied().unwrap_or_default());
    if z {
        doubles(out, [shape.heights.first().copied().unwrap_or_default(), 0.0]);
    }
}

/// Heights follow the positions, after their range. Measures may be left out.
fn heights(out: &mut Vec<u8>, z: bool, heights: &[f64]) {
    if z {
        doubles(out, range(heights).unwrap_or_default());
        doubles(out, heights.iter().copied());
    }
}

fn lines(out: &mut Vec<u8>, shape: &Shape, z: bool) {
    let whole = [shape.positions.len()];
    let ends = if shape.ends.is_empty() { &whole[..] } else { &shape.ends[..] };
    doubles(out, shape.bounds().unwrap_or_default());
    out.extend_from_slice(&(ends.len() as i32).to_le_bytes());
    out.extend_from_slice(&(shape.positions.len() as i32).to_le_bytes());
    let begins = std::iter::once(0).chain(ends.iter().copied()).take(ends.len());
    begins.for_each(|begin| out.extend_from_slice(&(begin as i32).to_le_bytes()));
    doubles(out, shape.positions.as_flattened().iter().copied());
    heights(out, z, &shape.heights);
}

/// Rings in one list: outer ones run clockwise, holes the other way.
fn polygons(out: &mut Vec<u8>, shape: &Shape, z: bool) {
    doubles(out, shape.bounds().unwrap_or_default());
    out.extend_from_slice(&(shape.ends.len() as i32).to_le_bytes());
    out.extend_from_slice(&(shape.positions.len() as i32).to_le_bytes());
    shape.lines().for_each(|ring| out.extend_from_slice(&(ring.start as i32).to_le_bytes()));
    let mut order = Vec::with_capacity(if z { shape.positions.len() } else { 0 });
    for rings in shape.rings_of_polygons() {
        let outer = rings.start;
        for ring in rings {
            let range = shape.line(ring);
            let positions = &shape.positions[range.clone()];
            let turned = is_clockwise(positions) != (ring == outer);
            let mut put = |i: usize| {
                doubles(out, shape.positions[i]);
                if z {
                    order.push(shape.heights.get(i).copied().unwrap_or_default());
                }
            };
            if turned { range.rev().for_each(&mut put) } else { range.for_each(&mut put) }
        }
    }
    heights(out, z, &order);
}

fn is_clockwise(ring: &[[f64; 2]]) -> bool {
    // Relative to the first position: far from the origin the products would lose the area's digits.
    let Some(&[ox, oy]) = ring.first() else { return true };
    let area: f64 = ring.windows(2).map(|w| (w[0][0] - ox) * (w[1][1] - oy) - (w[1][0] - ox) * (w[0][1] - oy)).sum();
    area <= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Kind;

    #[test]
    fn outer_rings_are_turned_clockwise_and_holes_the_other_way() {
        let ring = |low: f64, high: f64| [[low, low], [high, low], [high, high], [low, high], [low, low]];
        // Both as GeoJSON has them the wrong way round: counterclockwise.
        let positions = [ring(0.0, 10.0), ring(2.0, 4.0)].concat();
        let shape = Shape { kind: Kind::Polygon, positions, ends: vec![5, 10], ..Shape::default() };
        let mut out = vec![];
        record(&mut out, 1, Group::Polygon, false, Some(&shape));
        let at = |i: usize| f64::from_le_bytes(out[i..i + 8].try_into().unwrap());
        // Header 8, code 4, box 32, counts 8, two beginnings 8.
        let second = (at(60 + 16), at(60 + 24));
        assert_eq!(second, (0.0, 10.0), "the outer ring was turned");
        assert_eq!((at(60 + 96), at(60 + 104)), (4.0, 2.0), "the hole stays");
        assert_eq!(i32::from_be_bytes(out[4..8].try_into().unwrap()) as usize * 2 + 8, out.len());
    }
}
