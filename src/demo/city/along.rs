//! Rows along lines: roads, pipes, bus routes, rails, and points at kerbs.

use super::{City, Stream};
use crate::demo::area::{Point, distance, rounded};
use crate::demo::divisions::Divisions;
use crate::demo::rng::{Rng, mix};
use crate::demo::row::Shape;
use crate::demo::town::{Block, Road, RoadClass, wander};
use crate::error::Result;

impl City {
    pub(super) fn roads(&self, classes: &[RoadClass], mut stream: Stream<'_>) -> Result<()> {
        for road in self.towns.roads.iter().filter(|r| classes.contains(&r.class)) {
            stream.send_line(road, &road.points)?;
        }
        Ok(())
    }

    /// Roads of towns that carry pipes: the greater first.
    pub(super) fn pipes(&self) -> impl Iterator<Item = &Road> {
        let of = |class| self.towns.roads.iter().filter(move |r| r.class == class);
        of(RoadClass::Arterial).chain(of(RoadClass::Collector)).chain(of(RoadClass::Local))
    }

    pub(super) fn pipe_rows(&self, count: usize, offset: f64, mut stream: Stream<'_>) -> Result<()> {
        for road in self.pipes().take(count) {
            let points = beside(&road.points, offset);
            stream.send_line(road, &points)?;
        }
        Ok(())
    }

    /// Along one street of a grid, round a corner, along another.
    pub(super) fn routes(&self, count: usize, mut stream: Stream<'_>) -> Result<()> {
        let blocks = &self.towns.blocks;
        for _ in 0..count {
            let mut rng = stream.rng();
            let from = self.urban_block(&mut rng);
            let points = self.route(&blocks[from], &mut rng);
            let community = usize::from(blocks[from].community);
            stream.send(community, Shape::Line(&points), |row| row.length = length(&points))?;
        }
        Ok(())
    }

    /// To a block of the same grid, by a corner that is not out at sea; a single block's length where none is found.
    fn route(&self, a: &Block, rng: &mut Rng) -> Vec<Point> {
        let (blocks, grid, home) = (&self.towns.blocks, self.grid(a), usize::from(a.community));
        for _ in 0..4000 {
            let b = &blocks[rng.below(blocks.len())];
            if b.grid != a.grid || b.i.abs_diff(a.i) < 4 {
                continue;
            }
            let mut points: Vec<Point> = steps(a.i, b.i).map(|i| grid.corner(i, a.j)).collect();
            points.extend(steps(a.j, b.j).skip(1).map(|j| grid.corner(b.i, j)));
            let street = self.divisions.communities[home].street;
            let inside = |&p: &Point| {
                self.divisions.locate(p, home).is_some_and(|c| self.divisions.communities[c].street == street)
            };
            if points.iter().all(inside) {
                return points;
            }
        }
        vec![grid.corner(a.i, a.j), grid.corner(a.i + 1, a.j)]
    }

    pub(super) fn rail_rows(&self, mut stream: Stream<'_>) -> Result<()> {
        for (name, points) in &self.rails {
            let community = points.iter().find_map(|&p| self.divisions.locate(p, 0)).unwrap_or(0);
            stream.send(community, Shape::Line(points), |row| {
                row.road = name;
                row.length = length(points);
            })?;
        }
        Ok(())
    }

    /// Block, side (south, west) and place along it of points at kerbs.
    pub(super) fn kerbs(&self, count: usize, step: f64) -> impl Iterator<Item = (&Block, usize, f64)> {
        let sides = self.towns.blocks.iter().filter(|b| !self.grid(b).village).flat_map(|b| [(b, 0), (b, 1)]);
        let spots = sides.flat_map(move |(block, axis)| {
            let places = (self.grid(block).pitch[axis] / step) as usize;
            (0..places).map(move |k| (block, axis, (k as f64 + 0.5) * step))
        });
        spots.take(count)
    }

    pub(super) fn kerb_rows(&self, count: usize, step: f64, offset: f64, mut stream: Stream<'_>) -> Result<()> {
        for (block, axis, along) in self.kerbs(count, step) {
            let grid = self.grid(block);
            let (u, v) = (f64::from(block.i) * grid.pitch[0], f64::from(block.j) * grid.pitch[1]);
            let mut rng = stream.rng();
            let along = along + rng.between(-0.3, 0.3);
            let at = if axis == 0 { grid.at(u + along, v + offset) } else { grid.at(u + offset, v + along) };
            let home = usize::from(block.community);
            let (at, community) = match self.divisions.locate(at, home) {
                Some(community) => (at, community),
                None => (self.divisions.communities[home].centre, home),
            };
            let road = grid.road(axis, if axis == 0 { block.j } else { block.i });
            stream.send(community, Shape::Point(at), |row| row.road = road)?;
        }
        Ok(())
    }
}

/// Lines through the centres of districts, by their GB/T 2260 codes.
pub(super) fn rails(divisions: &Divisions, seed: u64) -> Vec<(String, Vec<Point>)> {
    const LINES: &[(&str, &[&str])] = &[
        ("1号线", &["370211", "370202", "370203", "370213", "370214"]),
        ("2号线", &["370202", "370203", "370212", "370213"]),
        ("4号线", &["370203", "370212"]),
        ("8号线", &["370202", "370213", "370214", "370281"]),
        ("11号线", &["370212", "370215"]),
        ("蓝烟铁路", &["370214", "370215", "370285"]),
        ("胶济铁路", &["370202", "370213", "370214", "370281"]),
        ("胶平线", &["370281", "370283"]),
    ];
    let hub = |code: &&str| divisions.districts.iter().find(|d| d.code == *code).map(|d| d.hub);
    let lines = LINES.iter().enumerate().map(|(i, (name, codes))| {
        let mut rng = Rng::new(mix(seed, 900 + i as u64));
        let stops: Vec<Point> = codes.iter().filter_map(hub).collect();
        let mut points: Vec<Point> = Vec::new();
        for pair in stops.windows(2) {
            let leg = wander(pair[0], pair[1], &mut rng);
            points.extend(leg.into_iter().skip(usize::from(!points.is_empty())));
        }
        ((*name).to_owned(), points)
    });
    lines.collect()
}

/// A line moved sideways by so many metres.
fn beside(points: &[Point], offset: f64) -> Vec<Point> {
    let (Some(&a), Some(&b)) = (points.first(), points.last()) else { return Vec::new() };
    let long = distance(a, b).max(1.0);
    let per_metre = [(b[1] - a[1]) / long * 1.243, -(b[0] - a[0]) / long * 0.805];
    let unit = [per_metre[0] * offset, per_metre[1] * offset];
    points.iter().map(|p| rounded([p[0] + unit[0], p[1] + unit[1]])).collect()
}

pub(super) fn length(points: &[Point]) -> f64 {
    points.windows(2).map(|w| distance(w[0], w[1])).sum()
}

/// From one number to another, whichever is greater.
fn steps(from: i16, to: i16) -> impl Iterator<Item = i16> {
    let step = (to - from).signum();
    (0..=(to - from).abs()).map(move |k| from + k * step)
}
