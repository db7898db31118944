//! EWKB for the generator's shapes, written straight into a COPY row.

use super::area::{Area, Point};
use super::row::Shape;

const SRID_FLAG: u32 = 0x2000_0000;
const SRID: u32 = 4490;

/// Appends the value: its length, then little-endian EWKB.
pub fn put_shape(out: &mut Vec<u8>, shape: &Shape<'_>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match shape {
        Shape::Point(p) => {
            head(out, 1);
            point(out, *p);
        }
        Shape::Line(points) => {
            head(out, 2);
            count(out, points.len());
            points.iter().for_each(|&p| point(out, p));
        }
        Shape::Polygon(area) => {
            head(out, 3);
            polygon(out, area);
        }
        Shape::Ring(points) => {
            head(out, 3);
            count(out, 1);
            ring(out, points);
        }
        Shape::MultiPolygon(areas) => {
            head(out, 6);
            count(out, areas.len());
            for area in *areas {
                out.push(1);
                out.extend_from_slice(&3u32.to_le_bytes());
                polygon(out, area);
            }
        }
    }
    let length = (out.len() - start - 4) as i32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

fn head(out: &mut Vec<u8>, kind: u32) {
    out.push(1);
    out.extend_from_slice(&(kind | SRID_FLAG).to_le_bytes());
    out.extend_from_slice(&SRID.to_le_bytes());
}

fn count(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&(n as u32).to_le_bytes());
}

fn point(out: &mut Vec<u8>, p: Point) {
    out.extend_from_slice(&p[0].to_le_bytes());
    out.extend_from_slice(&p[1].to_le_bytes());
}

fn polygon(out: &mut Vec<u8>, area: &Area) {
    count(out, area.rings.len());
    area.rings.iter().for_each(|r| ring(out, r));
}

/// Closes the ring.
fn ring(out: &mut Vec<u8>, points: &[Point]) {
    count(out, points.len() + 1);
    points.iter().chain(points.first()).for_each(|&p| point(out, p));
}
