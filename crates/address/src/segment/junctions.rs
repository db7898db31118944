//! Where streets meet: the vertices that lines of two streets have in common.

use super::row::{DEGREE, Junction, Row};

/// So many lines meet at one place at most.
const MOST: usize = 16;

/// The vertices of all lines, 12 bytes each until they have been compared.
#[derive(Default)]
pub struct Lines {
    /// Longitude, latitude, and the line's row in the order of coming.
    vertices: Vec<(i32, i32, u32)>,
}

impl Lines {
    pub fn add(&mut self, row: u32, vertices: impl Iterator<Item = (f64, f64)>) {
        let within = |v: &(f64, f64)| v.0.abs() <= 180.0 && v.1.abs() <= 90.0;
        let whole = |(lon, lat): (f64, f64)| ((lon * DEGREE).round() as i32, (lat * DEGREE).round() as i32, row);
        self.vertices.extend(vertices.filter(within).map(whole));
    }

    /// `rows` are the sorted ones, `order` says at which place of coming each of them came.
    pub fn junctions(&mut self, order: &[u32], rows: &[Row]) -> Vec<Junction> {
        if self.vertices.is_empty() {
            return Vec::new();
        }
        let mut places = vec![0u32; order.len()];
        order.iter().enumerate().for_each(|(new, old)| places[*old as usize] = new as u32);
        let mut vertices = std::mem::take(&mut self.vertices);
        vertices.sort_unstable();
        let mut out = Vec::new();
        for run in vertices.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let mut met: Vec<(u32, u32)> = Vec::new();
            for (_, _, row) in run {
                let row = places[*row as usize];
                let street = rows[row as usize].street;
                // A road is cut where others meet it: each of its rows is kept, for who does not see the other one.
                if met.len() < MOST && !met.contains(&(street, row)) {
                    met.push((street, row));
                }
            }
            met.sort_unstable();
            for (k, one) in met.iter().enumerate() {
                out.extend(met[k + 1..].iter().filter(|other| other.0 != one.0).map(|other| Junction {
                    streets: [one.0, other.0],
                    lon: run[0].0,
                    lat: run[0].1,
                    rows: [one.1, other.1],
                }));
            }
        }
        out.sort_unstable();
        out
    }
}
