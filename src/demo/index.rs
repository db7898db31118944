//! Finds the few areas that a point may lie in.

use super::area::Point;

/// A regular grid over the city; each cell lists the areas whose bounds touch it.
#[derive(Default)]
pub struct Index {
    west: f64,
    south: f64,
    columns: usize,
    rows: usize,
    starts: Vec<u32>,
    entries: Vec<u16>,
}

const CELL: f64 = 0.004;

impl Index {
    pub fn new(bounds: &[[f64; 4]]) -> Index {
        let all = bounds.iter().fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |a, b| {
            [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
        });
        let count = |from: f64, to: f64| ((to - from) / CELL).max(0.0) as usize + 1;
        let (columns, rows) = (count(all[0], all[2]), count(all[1], all[3]));
        let mut cells: Vec<Vec<u16>> = vec![Vec::new(); columns * rows];
        for (i, b) in bounds.iter().enumerate() {
            for row in count(all[1], b[1]) - 1..count(all[1], b[3]) {
                for column in count(all[0], b[0]) - 1..count(all[0], b[2]) {
                    cells[row * columns + column].push(i as u16);
                }
            }
        }
        let mut starts = vec![0];
        let mut entries = Vec::new();
        for cell in cells {
            entries.extend(cell);
            starts.push(entries.len() as u32);
        }
        Index { west: all[0], south: all[1], columns, rows, starts, entries }
    }

    pub fn near(&self, p: Point) -> &[u16] {
        let (x, y) = ((p[0] - self.west) / CELL, (p[1] - self.south) / CELL);
        if x < 0.0 || y < 0.0 || x as usize >= self.columns || y as usize >= self.rows {
            return &[];
        }
        let cell = y as usize * self.columns + x as usize;
        &self.entries[self.starts[cell] as usize..self.starts[cell + 1] as usize]
    }
}
