//! Many areas at once: a grid of cells, each of which knows which areas cover it whole and whose edges run through it.
//!
//! Most points fall into cells without edges and are answered by looking there; the others are held against the few areas that are
//! left ([`Area::locate`]).

use geo::Coord;

use crate::area::{Area, Position};
use crate::{Bounds, overlap};

/// Cells at most.
const MOST_CELLS: usize = 1 << 20;
/// Entries of cells at most, all areas together: those that lie upon each other get a coarser grid.
const MOST_ENTRIES: f64 = 8e6;
/// Cells that a box is looked up in; of a larger one all areas are asked.
const MOST_OF_BOX: usize = 1024;

/// Prepared areas, by their numbers.
#[derive(Debug, Clone, Default)]
pub struct Zones {
    areas: Vec<Area>,
    grid: Grid,
    /// Where each cell begins in `entries`.
    cells: Vec<u32>,
    /// An area's number, shifted left; the lowest bit says that an edge of it runs through the cell.
    entries: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Grid {
    west: f64,
    south: f64,
    columns: usize,
    rows: usize,
    /// Cells per degree.
    across: f64,
    up: f64,
}

impl Grid {
    fn over([west, south, east, north]: Bounds, side: usize) -> Grid {
        let per = |low: f64, high: f64| if high > low { side as f64 / (high - low) } else { 0.0 };
        Grid { west, south, columns: side + 1, rows: side + 1, across: per(west, east), up: per(south, north) }
    }
    fn column(&self, x: f64) -> usize {
        (((x - self.west) * self.across).max(0.0) as usize).min(self.columns - 1)
    }
    fn row(&self, y: f64) -> usize {
        (((y - self.south) * self.up).max(0.0) as usize).min(self.rows - 1)
    }
    fn size(&self, b: &Bounds) -> f64 {
        let wide = self.column(b[2]) - self.column(b[0]) + 1;
        let high = self.row(b[3]) - self.row(b[1]) + 1;
        wide as f64 * high as f64
    }
}

impl Zones {
    pub fn new(areas: Vec<Area>) -> Zones {
        let bounds = areas
            .iter()
            .map(|a| *a.bounds())
            .reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]);
        let Some(bounds) = bounds else { return Zones::default() };
        let edges: usize = areas.iter().map(|a| a.coords().len()).sum();
        let mut side = (((edges * 4).clamp(16, MOST_CELLS)) as f64).sqrt() as usize;
        let mut grid = Grid::over(bounds, side);
        while side > 1 && areas.iter().map(|a| grid.size(a.bounds())).sum::<f64>() > MOST_ENTRIES {
            side /= 2;
            grid = Grid::over(bounds, side);
        }
        let mut all: Vec<(u32, u32)> = vec![];
        for (number, area) in areas.iter().enumerate() {
            rasterise(&grid, area, |cell, edge| all.push((cell, (number as u32) << 1 | u32::from(edge))));
        }
        let mut cells = vec![0u32; grid.columns * grid.rows + 1];
        for (cell, _) in &all {
            cells[*cell as usize + 1] += 1;
        }
        for i in 1..cells.len() {
            cells[i] += cells[i - 1];
        }
        let (mut next, mut entries) = (cells.clone(), vec![0u32; all.len()]);
        for (cell, entry) in all {
            entries[next[cell as usize] as usize] = entry;
            next[cell as usize] += 1;
        }
        Zones { areas, grid, cells, entries }
    }

    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    pub fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.areas.iter().map(Area::bytes).sum::<usize>() + (self.cells.len() + self.entries.len()) * 4
    }

    fn of_cell(&self, column: usize, row: usize) -> &[u32] {
        let cell = row * self.grid.columns + column;
        &self.entries[self.cells[cell] as usize..self.cells[cell + 1] as usize]
    }

    /// Calls `found` with every area that a position lies in, or on the edge of, by number from low to high.
    pub fn locate(&self, p: Coord, mut found: impl FnMut(u32, Position)) {
        if self.areas.is_empty() || !p.x.is_finite() || !p.y.is_finite() {
            return;
        }
        // What lies outside of the grid falls into a cell at its edge, whose edges' areas know better; a cell that is covered whole
        // there must not answer for it.
        let outside = p.x < self.grid.west || p.y < self.grid.south;
        let (column, row) = (self.grid.column(p.x), self.grid.row(p.y));
        for entry in self.of_cell(column, row) {
            let number = entry >> 1;
            let position = match entry & 1 == 0 && !outside {
                true => Position::Inside,
                false => self.areas[number as usize].locate(p),
            };
            if position != Position::Outside {
                found(number, position);
            }
        }
    }

    /// Calls `found` with every area whose box meets this one, from low to high, and whether it is known that the area covers the box.
    pub fn near(&self, bounds: &Bounds, mut found: impl FnMut(u32, bool)) {
        if self.areas.is_empty() {
            return;
        }
        let grid = &self.grid;
        let (west, east) = (grid.column(bounds[0]), grid.column(bounds[2]));
        let (south, north) = (grid.row(bounds[1]), grid.row(bounds[3]));
        let count = (east - west + 1) * (north - south + 1);
        if count > MOST_OF_BOX {
            let all = self.areas.iter().enumerate().filter(|(_, area)| overlap(area.bounds(), bounds));
            all.for_each(|(number, _)| found(number as u32, false));
            return;
        }
        let mut seen: Vec<u32> = vec![];
        for row in south..=north {
            (west..=east).for_each(|column| seen.extend_from_slice(self.of_cell(column, row)));
        }
        seen.sort_unstable();
        let outside = bounds[0] < grid.west || bounds[1] < grid.south;
        for group in seen.chunk_by(|a, b| a >> 1 == b >> 1) {
            let number = group[0] >> 1;
            let whole = group.len() == count && group.iter().all(|entry| entry & 1 == 0) && !outside;
            if whole || overlap(self.areas[number as usize].bounds(), bounds) {
                found(number, whole);
            }
        }
    }
}

/// Calls `mark` with each cell that an edge of the area may touch (true) and each that lies inside of it without being touched (false).
fn rasterise(grid: &Grid, area: &Area, mut mark: impl FnMut(u32, bool)) {
    let [_, south, _, north] = *area.bounds();
    let (low, high) = (grid.row(south), grid.row(north));
    let mut touched: Vec<Vec<u32>> = vec![vec![]; high - low + 1];
    // A millionth of a cell on either side: no rounding may leave out a cell that an edge touches.
    const MARGIN: f64 = 1e-6;
    let place = |v: f64, origin: f64, per: f64, count: usize| (((v - origin) * per).max(0.0)).min(count as f64 - 0.5);
    for [a, b] in area.edges() {
        let (a, b) = if a.y <= b.y { (a, b) } else { (b, a) };
        let (ax, bx) =
            (place(a.x, grid.west, grid.across, grid.columns), place(b.x, grid.west, grid.across, grid.columns));
        let (ay, by) = (place(a.y, grid.south, grid.up, grid.rows), place(b.y, grid.south, grid.up, grid.rows));
        for row in (ay - MARGIN).max(0.0) as usize..=((by + MARGIN) as usize).min(grid.rows - 1) {
            let at = |y: f64| if by > ay { ax + (bx - ax) * ((y - ay) / (by - ay)).clamp(0.0, 1.0) } else { ax };
            let (mut from, mut to) = (at(row as f64 - MARGIN), at(row as f64 + 1.0 + MARGIN));
            if by - ay < MARGIN {
                (from, to) = (ax, bx);
            }
            let first = (from.min(to) - MARGIN).max(0.0) as usize;
            let last = ((from.max(to) + MARGIN) as usize).min(grid.columns - 1);
            if let Some(row) = row.checked_sub(low).and_then(|row| touched.get_mut(row)) {
                row.extend(first as u32..=last as u32);
            }
        }
    }
    for (i, mut columns) in touched.into_iter().enumerate() {
        let row = low + i;
        columns.sort_unstable();
        columns.dedup();
        let cell = |column: u32| (row * grid.columns) as u32 + column;
        columns.iter().for_each(|column| mark(cell(*column), true));
        for pair in columns.windows(2).filter(|pair| pair[1] > pair[0] + 1) {
            // No edge runs through the cells between: all of them are inside, or none.
            let middle = Coord {
                x: grid.west + (f64::from(pair[0]) + 1.5) / grid.across,
                y: grid.south + (row as f64 + 0.5) / grid.up,
            };
            if area.locate(middle) == Position::Inside {
                (pair[0] + 1..pair[1]).for_each(|column| mark(cell(column), false));
            }
        }
    }
}
