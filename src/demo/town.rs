//! Lays the grids of streets, towns and villages, and the roads between them.
//!
//! Each street (街道) and town has one grid around its centre, each village outside of it a small one. A grid is turned
//! and slightly bent, and keeps only the blocks that lie wholly in its street.

use std::collections::BTreeMap;

use super::area::{Point, distance, rounded};
use super::divisions::{Divisions, Street};
use super::grid::Line;
pub use super::grid::{Block, Grid, Road, RoadClass};
use super::names::{RoadNames, lane, village_road};
use super::rng::{Rng, mix};

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
        for (axis, lines) in stretches.iter().enumerate() {
            for (&line, along) in lines {
                let first = along.keys().next().copied().unwrap_or(0);
                grid.lines[axis].insert(line, Line { name: String::new(), first });
            }
            // With the line's rank, counted from the lowest.
            let mut order: Vec<(usize, i16)> = lines.keys().copied().enumerate().collect();
            order.sort_by_key(|(_, line)| (line.abs(), *line));
            for (rank, line) in order {
                if let Some(entry) = grid.lines[axis].get_mut(&line) {
                    entry.name = name(axis, rank);
                }
            }
        }
        for (axis, lines) in stretches.iter().enumerate() {
            for (&line, along) in lines {
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
