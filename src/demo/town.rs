//! Grids of roads with the blocks between them: what buildings, door plates and most other things stand on.
//!
//! Each street (街道) and town has one grid around its centre, each village outside of it a small one. A grid is turned
//! and slightly bent, and keeps only the blocks that lie wholly in its street.

use std::collections::BTreeMap;

use super::area::{METRES, Point, distance, metres_east, rounded};
use super::divisions::{Divisions, Street};
use super::names::{RoadNames, lane, village_road};
use super::rng::{Rng, mix};

/// A local frame in metres: `u` along the streets, `v` across.
pub struct Grid {
    origin: Point,
    east: f64,
    turn: [f64; 2],
    bend: [f64; 4],
    pub pitch: [f64; 2],
    pub village: bool,
    /// Per axis and line: the road's name and the first block along it, from which numbers count.
    lines: [BTreeMap<i16, Line>; 2],
}

struct Line {
    name: String,
    first: i16,
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
    seed: u32,
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
    fn new(origin: Point, pitch: [f64; 2], bend: f64, village: bool, rng: &mut Rng) -> Grid {
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
    fn outline(&self, i: i16, j: i16) -> impl Iterator<Item = Point> + '_ {
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
        self.seed % 29 == 0
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

/// All grids, their blocks (most urban first, villages mixed in), and the roads.
#[derive(Default)]
pub struct Towns {
    pub grids: Vec<Grid>,
    pub blocks: Vec<Block>,
    pub roads: Vec<Road>,
}

/// A place that roads lead to: its community, its centre, and how far its own grid reaches.
#[derive(Clone, Copy)]
struct Place {
    community: usize,
    at: Point,
    reach: f64,
}

impl Towns {
    pub fn new(divisions: &Divisions, seed: u64) -> Towns {
        let mut towns = Towns::default();
        for district in &divisions.districts {
            let mut rng = Rng::new(mix(seed, district.code.parse().unwrap_or(0)).wrapping_add(1));
            let mut names = RoadNames::new(&district.code, &mut rng);
            let mut centres = Vec::new();
            for street in district.streets.clone() {
                let places = towns.add_street(divisions, street, district.inner, &mut names, &mut rng);
                let village = |c: usize| village_road(&divisions.communities[c].short);
                towns.link(divisions, &places, RoadClass::Local, village, &mut rng);
                centres.extend(places.first());
            }
            if !district.inner {
                towns.link(divisions, &centres, RoadClass::Trunk, |_| names.next(), &mut rng);
            }
        }
        towns.order();
        towns
    }

    /// Adds a street's grids; its centre and its villages come back, the centre first.
    fn add_street(
        &mut self,
        all: &Divisions,
        number: usize,
        inner: bool,
        names: &mut RoadNames,
        rng: &mut Rng,
    ) -> Vec<Place> {
        let street = &all.streets[number];
        let hub = &all.districts[street.district];
        let reach = match (inner, street.town, distance(street.centre, hub.hub)) {
            (true, ..) => f64::MAX,
            (_, true, _) => rng.between(700.0, 1250.0),
            (_, _, away) if away < hub.reach => hub.reach * 0.6,
            _ => rng.between(1100.0, 1900.0),
        };
        let pitch = [rng.between(150.0, 190.0), rng.between(100.0, 130.0)];
        let grid = Grid::new(street.centre, pitch, 20.0, false, rng);
        self.add_grid(all, street, grid, reach, street.communities.start, rng);
        self.name_lines(|_, _| names.next());
        let mut places = vec![Place { community: street.communities.start, at: street.centre, reach: reach * 0.9 }];
        for (place, community) in all.communities[street.communities.clone()].iter().enumerate() {
            if distance(community.centre, street.centre) < reach * 1.15 + 150.0 {
                continue;
            }
            let pitch = [rng.between(66.0, 80.0), rng.between(46.0, 56.0)];
            let grid = Grid::new(community.centre, pitch, 3.0, true, rng);
            let size = rng.between(110.0, 290.0);
            self.add_grid(all, street, grid, size, street.communities.start + place, rng);
            self.name_lines(|axis, line| lane(&community.short, axis == 0, line));
            let community_number = street.communities.start + place;
            places.push(Place { community: community_number, at: community.centre, reach: size * 0.6 });
        }
        places
    }

    /// Keeps the blocks within `reach` that lie wholly in the street (a village's: in its community).
    fn add_grid(&mut self, all: &Divisions, street: &Street, grid: Grid, reach: f64, hint: usize, rng: &mut Rng) {
        let [west, south, east, north] = street.area.bounds();
        let extent = [[west, south], [east, south], [east, north], [west, north]]
            .iter()
            .map(|&corner| distance(corner, grid.origin))
            .fold(0.0, f64::max)
            .min(reach * 1.2);
        let count = [0, 1].map(|a| (extent / grid.pitch[a]).min(300.0) as i16 + 1);
        let (number, mut hint) = (self.grids.len() as u32, hint);
        let home = hint;
        let mut ragged = Rng::new(rng.next());
        let phase = rng.between(0.0, 6.0);
        for j in -count[1]..count[1] {
            for i in -count[0]..count[0] {
                let (u, v) = ((f64::from(i) + 0.5) * grid.pitch[0], (f64::from(j) + 0.5) * grid.pitch[1]);
                let edge = 0.9 + 0.2 * (3.0 * v.atan2(u) + phase).sin() + 0.05 * ragged.unit();
                if u.hypot(v) > reach * edge {
                    continue;
                }
                let Some(community) = all.locate(grid.at(u, v), hint) else { continue };
                hint = community;
                let ours = |p: Point| match all.locate(p, community) {
                    Some(c) if grid.village => c == home,
                    Some(c) => street.communities.contains(&c),
                    None => false,
                };
                if ours(grid.at(u, v)) && grid.outline(i, j).all(ours) {
                    let urban = urbanity(all, community, u.hypot(v), &mut ragged);
                    let seed = ragged.next() as u32;
                    self.blocks.push(Block { grid: number, i, j, community: community as u16, urban, seed });
                }
            }
        }
        self.grids.push(grid);
    }

    /// Finds the lines that the last grid's blocks lie along, names them from the centre outwards, and adds their roads.
    fn name_lines(&mut self, mut name: impl FnMut(usize, usize) -> String) {
        let number = self.grids.len() as u32 - 1;
        let own = self.blocks.iter().rev().take_while(|b| b.grid == number);
        // Per axis and line: the unit stretches of road, each with the community it passes.
        let mut stretches: [BTreeMap<i16, BTreeMap<i16, u16>>; 2] = Default::default();
        for b in own {
            for far in 0..2 {
                stretches[0].entry(b.j + far).or_default().insert(b.i, b.community);
                stretches[1].entry(b.i + far).or_default().insert(b.j, b.community);
            }
        }
        let grid = &mut self.grids[number as usize];
        for axis in 0..2 {
            for (&line, along) in &stretches[axis] {
                let first = along.keys().next().copied().unwrap_or(0);
                grid.lines[axis].insert(line, Line { name: String::new(), first });
            }
            // With the line's rank, counted from the lowest.
            let mut order: Vec<(usize, i16)> = stretches[axis].keys().copied().enumerate().collect();
            order.sort_by_key(|(_, line)| (line.abs(), *line));
            for (rank, line) in order {
                if let Some(entry) = grid.lines[axis].get_mut(&line) {
                    entry.name = name(axis, rank);
                }
            }
        }
        for axis in 0..2 {
            for (&line, along) in &stretches[axis] {
                add_roads(grid, axis, line, along, &mut self.roads);
            }
        }
    }

    /// Roads from each place to the nearest earlier one, outside of both grids.
    fn link(
        &mut self,
        all: &Divisions,
        places: &[Place],
        class: RoadClass,
        mut name: impl FnMut(usize) -> String,
        rng: &mut Rng,
    ) {
        for (rank, to) in places.iter().enumerate().skip(1) {
            let gap = |p: &Place| distance(p.at, to.at);
            let Some(from) = places[..rank].iter().min_by(|a, b| gap(a).total_cmp(&gap(b))) else { continue };
            let mut line = wander(from.at, to.at, rng);
            line.retain(|&p| distance(p, from.at) > from.reach && distance(p, to.at) > to.reach);
            let mut dry: Vec<Point> = Vec::new();
            let mut best: Vec<Point> = Vec::new();
            let community = to.community;
            let mut hint = community;
            for p in line {
                match all.locate(p, hint) {
                    Some(c) => {
                        hint = c;
                        dry.push(p);
                    }
                    None => dry.clear(),
                }
                if dry.len() > best.len() {
                    best.clone_from(&dry);
                }
            }
            if best.len() > 1 {
                self.roads.push(Road { name: name(community), class, community, points: best });
            }
        }
    }

    /// The most urban blocks first, one village block after every four: every beginning of the list is a likely city.
    fn order(&mut self) {
        let (mut villages, mut urban): (Vec<Block>, Vec<Block>) =
            self.blocks.drain(..).partition(|b| self.grids[b.grid as usize].village);
        urban.sort_by(|a, b| b.urban.total_cmp(&a.urban));
        villages.sort_by_key(|b| (mix(u64::from(b.grid), 5), b.j, b.i));
        let (mut urban, mut villages) = (urban.into_iter(), villages.into_iter());
        loop {
            let before = self.blocks.len();
            self.blocks.extend(urban.by_ref().take(4));
            self.blocks.extend(villages.next());
            if self.blocks.len() == before {
                break;
            }
        }
    }
}

/// Falls with the distance from the district's centre and from the grid's own.
fn urbanity(all: &Divisions, community: usize, from_centre: f64, rng: &mut Rng) -> f32 {
    let city = all.communities[community].urban;
    (0.6 * city + 0.3 * (-from_centre / 700.0).exp() + 0.1 * rng.unit()) as f32
}

/// Unbroken stretches of a line become one road each.
fn add_roads(grid: &Grid, axis: usize, line: i16, along: &BTreeMap<i16, u16>, roads: &mut Vec<Road>) {
    let Some(name) = grid.lines[axis].get(&line).map(|l| l.name.clone()) else { return };
    let class = match (grid.village, line.rem_euclid(4)) {
        (true, _) => RoadClass::Lane,
        (_, 0) => RoadClass::Arterial,
        (_, 2) => RoadClass::Collector,
        _ => RoadClass::Local,
    };
    let corner = |cell: i16| if axis == 0 { grid.corner(cell, line) } else { grid.corner(line, cell) };
    let mut run: Option<(i16, Road)> = None;
    for (&cell, &community) in along {
        match &mut run {
            Some((next, road)) if *next == cell => {
                road.points.push(corner(cell + 1));
                *next += 1;
            }
            _ => {
                roads.extend(run.take().map(|r| r.1));
                let points = vec![corner(cell), corner(cell + 1)];
                let road = Road { name: name.clone(), class, community: community as usize, points };
                run = Some((cell + 1, road));
            }
        }
    }
    roads.extend(run.map(|r| r.1));
}

/// A line between two places that swings to both sides, a vertex every 150 m or so.
pub fn wander(from: Point, to: Point, rng: &mut Rng) -> Vec<Point> {
    let steps = (distance(from, to) / 150.0).ceil().max(2.0);
    let swing = [rng.between(-0.07, 0.07), rng.between(-0.04, 0.04), rng.between(-0.02, 0.02)];
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    (0..=steps as usize)
        .map(|k| {
            let t = k as f64 / steps;
            let side: f64 =
                swing.iter().enumerate().map(|(n, s)| s * ((n + 1) as f64 * t * std::f64::consts::PI).sin()).sum();
            rounded([from[0] + dx * t - dy * side, from[1] + dy * t + dx * side])
        })
        .collect()
}
