//! A grid of roads and the blocks between its lines, with their plots and doors.

use std::collections::BTreeMap;

use super::area::{METRES, Point, metres_east, rounded};
use super::rng::Rng;

/// A local frame in metres: `u` along the streets, `v` across.
pub struct Grid {
    pub(super) origin: Point,
    east: f64,
    turn: [f64; 2],
    bend: [f64; 4],
    pub pitch: [f64; 2],
    pub village: bool,
    /// Per axis and line: the road's name and the first block along it, from which numbers count.
    pub(super) lines: [BTreeMap<i16, Line>; 2],
}

pub(super) struct Line {
    pub name: String,
    pub first: i16,
}

/// A cell between two lines of each axis.
#[derive(Clone, Copy)]
pub struct Block {
    pub grid: u32,
    pub i: i16,
    pub j: i16,
    /// The community of its centre.
    pub community: u16,
    pub urban: f32,
    /// Decides what the block is like.
    pub seed: u32,
}

/// A stretch of a line of a grid, or a road between places.
pub struct Road {
    pub name: String,
    pub class: RoadClass,
    pub community: usize,
    pub points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoadClass {
    Trunk,
    Arterial,
    Collector,
    Local,
    Lane,
}

impl RoadClass {
    pub fn zh(self) -> &'static str {
        match self {
            RoadClass::Trunk => "公路",
            RoadClass::Arterial => "主干路",
            RoadClass::Collector => "次干路",
            RoadClass::Local => "支路",
            RoadClass::Lane => "村道",
        }
    }
}

/// A door: where its plate hangs, on which road and with which number.
pub struct Door<'a> {
    pub at: Point,
    pub road: &'a str,
    pub number: i64,
}

/// A plot for one building inside a block: bounds in metres of the grid.
pub struct Plot {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

/// Distance from a road's middle to a door, and to the plots behind it.
const DOOR: f64 = 8.0;
const FRONT: f64 = 10.0;

impl Grid {
    pub fn new(origin: Point, pitch: [f64; 2], bend: f64, village: bool, rng: &mut Rng) -> Grid {
        let angle = rng.between(-0.7, 0.7);
        Grid {
            origin,
            east: metres_east(origin[1]),
            turn: [angle.cos(), angle.sin()],
            bend: [bend, rng.between(150.0, 240.0), rng.between(0.0, 6.0), rng.between(0.0, 6.0)],
            pitch,
            village,
            lines: [BTreeMap::new(), BTreeMap::new()],
        }
    }

    /// From metres in the grid to degrees.
    pub fn at(&self, u: f64, v: f64) -> Point {
        let [size, wave, p, q] = self.bend;
        let (x, y) = (u + size * (v / wave + p).sin(), v + size * (u / wave + q).sin());
        let (x, y) = (x * self.turn[0] - y * self.turn[1], x * self.turn[1] + y * self.turn[0]);
        rounded([self.origin[0] + x / self.east, self.origin[1] + y / METRES])
    }

    /// The name of the road along a line.
    pub fn road(&self, axis: usize, line: i16) -> &str {
        self.lines.get(axis).and_then(|lines| lines.get(&line)).map_or("", |l| &l.name)
    }

    pub fn corner(&self, i: i16, j: i16) -> Point {
        self.at(f64::from(i) * self.pitch[0], f64::from(j) * self.pitch[1])
    }

    /// Corners and middles of a block's sides: if all are in a street, so is (nearly always) the block.
    pub(super) fn outline(&self, i: i16, j: i16) -> impl Iterator<Item = Point> + '_ {
        const ROUND: [[f64; 2]; 8] =
            [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.5, 0.0], [1.0, 0.5], [0.5, 1.0], [0.0, 0.5]];
        ROUND.iter().map(move |[a, b]| self.at((f64::from(i) + a) * self.pitch[0], (f64::from(j) + b) * self.pitch[1]))
    }

    fn door_counts(&self) -> [usize; 2] {
        let per = if self.village { [17.0, f64::MAX] } else { [21.0, 26.0] };
        [(self.pitch[0] / per[0]) as usize, (self.pitch[1] / per[1]) as usize]
    }
}

impl Block {
    /// Parks and squares: no building, no door.
    pub fn open(&self) -> bool {
        self.seed.is_multiple_of(29)
    }

    /// Plots along and across.
    fn lattice(&self, grid: &Grid) -> (usize, usize) {
        if self.open() {
            return (0, 0);
        }
        match (grid.village, self.seed / 29 % 8) {
            (true, _) => (4, 2),
            (_, 0) => (3, 2),
            (_, 1 | 2) => (5, 3),
            (_, 3) => (4, 2),
            (_, 4) => (7, 3),
            _ => (6, 4),
        }
    }

    pub fn plots(&self, grid: &Grid) -> usize {
        let (a, b) = self.lattice(grid);
        a * b
    }

    /// The plot with this number, with room left around it.
    pub fn plot(&self, grid: &Grid, number: usize, rng: &mut Rng) -> Plot {
        let (a, b) = self.lattice(grid);
        let cell = [(grid.pitch[0] - 2.0 * FRONT) / a.max(1) as f64, (grid.pitch[1] - 2.0 * FRONT) / b.max(1) as f64];
        let west = f64::from(self.i) * grid.pitch[0] + FRONT + (number % a.max(1)) as f64 * cell[0];
        let south = f64::from(self.j) * grid.pitch[1] + FRONT + (number / a.max(1)) as f64 * cell[1];
        let gaps = [0; 4].map(|_| rng.between(0.05, 0.19));
        Plot {
            west: west + cell[0] * gaps[0],
            south: south + cell[1] * gaps[1],
            east: west + cell[0] * (1.0 - gaps[2]),
            north: south + cell[1] * (1.0 - gaps[3]),
        }
    }

    pub fn doors(&self, grid: &Grid) -> usize {
        if self.open() {
            return 0;
        }
        let [along, across] = grid.door_counts();
        2 * (along + across)
    }

    /// The door with this number: along the south, north, west and east sides in turn. Odd numbers hang on the left.
    pub fn door<'a>(&self, grid: &'a Grid, number: usize) -> Option<Door<'a>> {
        let [along, across] = grid.door_counts();
        let (axis, far, slot, slots) = match number {
            n if n < along => (0, false, n, along),
            n if n < 2 * along => (0, true, n - along, along),
            n if n < 2 * along + across => (1, false, n - 2 * along, across),
            n => (1, true, n - 2 * along - across, across),
        };
        let (cell, line) = if axis == 0 { (self.i, self.j) } else { (self.j, self.i) };
        let road = grid.lines[axis].get(&(line + i16::from(far)))?;
        let step = grid.pitch[axis] / slots.max(1) as f64;
        let length = f64::from(cell) * grid.pitch[axis] + (slot as f64 + 0.5) * step;
        let depth = f64::from(line + i16::from(far)) * grid.pitch[1 - axis] + if far { -DOOR } else { DOOR };
        let at = if axis == 0 { grid.at(length, depth) } else { grid.at(depth, length) };
        // Blocks north of an eastward road, and west of a northward one, lie on its left.
        let left = (axis == 0) != far;
        let place = i64::from(cell - road.first) * slots as i64 + slot as i64;
        Some(Door { at, road: &road.name, number: 2 * place + if left { 1 } else { 2 } })
    }

    pub fn outline(&self, grid: &Grid, inset: f64) -> Vec<Point> {
        let (u, v) = (f64::from(self.i) * grid.pitch[0], f64::from(self.j) * grid.pitch[1]);
        let (w, h) = (grid.pitch[0], grid.pitch[1]);
        let ring = [(inset, inset), (w - inset, inset), (w - inset, h - inset), (inset, h - inset)];
        ring.iter().map(|(a, b)| grid.at(u + a, v + b)).collect()
    }
}
