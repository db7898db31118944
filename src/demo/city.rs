//! The demo city: everything that is small is held, everything that grows with the scale is made row by row.

use super::DemoLayer;
use super::area::Point;
use super::divisions::Divisions;
use super::rng::{Rng, mix, text_seed};
use super::row::{Row, Shape};
use super::spec::{Level, Source};
use super::town::{Block, Grid, Road, Towns};
use crate::error::{Error, Result};

mod along;
mod homes;
mod places;
mod plots;

/// The scale at which the layers that grow reach their full size.
pub const TOP_SCALE: f64 = 25.0;

/// Rows at scale 1 and at `TOP_SCALE`; in between along a straight line, below 1 in proportion.
pub const BUILDINGS: (f64, f64) = (30_000.0, 750_000.0);
pub const DOORS: (f64, f64) = (30_000.0, 1_000_000.0);
pub const POI: (f64, f64) = (48_000.0, 1_200_000.0);
pub const HOMES: (f64, f64) = (20_000.0, 400_000.0);
pub const RESIDENTS: (f64, f64) = (50_000.0, 6_700_000.0);

/// Bytes handed on at a time.
const CHUNK: usize = 64 * 1024;

pub struct City {
    seed: u64,
    scale: f64,
    divisions: Divisions,
    towns: Towns,
    /// Blocks with buildings, by community: `starts[c]..starts[c + 1]` of `members`, most urban first.
    starts: Vec<u32>,
    members: Vec<u32>,
    residents: Vec<u64>,
    rails: Vec<(String, Vec<Point>)>,
}

/// A random door, or without one a random place of a community.
struct Spot<'a> {
    at: Point,
    community: usize,
    road: &'a str,
    number: i64,
}

impl City {
    /// `scale` 1 is the default size, `TOP_SCALE` the largest.
    pub fn new(seed: u64, scale: f64) -> Result<City> {
        check(scale)?;
        let divisions = Divisions::new(seed)?;
        let towns = Towns::new(&divisions, seed);
        let (starts, members) = by_community(&divisions, &towns);
        let rails = along::rails(&divisions, seed);
        City { seed, scale, divisions, towns, starts, members, residents: Vec::new(), rails }.with_scale(scale)
    }

    /// The same city with more or fewer buildings, doors, points of interest, homes and residents.
    pub fn with_scale(mut self, scale: f64) -> Result<City> {
        check(scale)?;
        self.residents = shares(&self.divisions, scaled(RESIDENTS, scale));
        self.scale = scale;
        Ok(self)
    }

    pub fn divisions(&self) -> &Divisions {
        &self.divisions
    }

    /// How many rows `write` will give.
    pub fn expected_rows(&self, layer: &DemoLayer) -> u64 {
        let all = &self.divisions;
        match layer.spec.source {
            Source::Units(Level::City) => 1,
            Source::Units(Level::District) => all.districts.len() as u64,
            Source::Units(Level::Street) => all.streets.len() as u64,
            Source::Units(Level::Community) => all.communities.len() as u64,
            Source::Roads(classes) => self.towns.roads.iter().filter(|r| classes.contains(&r.class)).count() as u64,
            Source::Pipes(count, _) => self.pipes().take(count).count() as u64,
            Source::Rails => self.rails.len() as u64,
            Source::Buildings => self.each_plot(scaled(BUILDINGS, self.scale)),
            Source::Doors => self.each_door(scaled(DOORS, self.scale)),
            Source::Poi => scaled(POI, self.scale),
            Source::Homes => self.each_home(scaled(HOMES, self.scale)),
            Source::Residents => self.residents.iter().sum(),
            Source::Villages(share) => self.villages(layer.spec.id, share).count() as u64,
            Source::Kerbs(count, step, _) => self.kerbs(count, step).count() as u64,
            Source::Blocks(count) => count.min(self.towns.blocks.len()) as u64,
            Source::Routes(count) | Source::Town(count) | Source::Country(count) | Source::Rounds(count, ..) => {
                count as u64
            }
        }
    }

    /// Writes all rows of a layer as PostgreSQL binary COPY without header and trailer, in pieces of about 64 KB:
    /// `fid`, the fields in order, the geometry as EWKB in EPSG:4490. Returns the number of rows.
    pub fn write(&self, layer: &DemoLayer, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<u64> {
        let mut out = Vec::with_capacity(CHUNK * 2);
        let mut text = String::new();
        let mut rows = 0;
        self.rows(layer, &mut |mut row| {
            rows += 1;
            row.encode(&self.divisions, layer.spec.columns, &mut text, &mut out);
            if out.len() >= CHUNK {
                sink(&out)?;
                out.clear();
            }
            Ok(())
        })?;
        if !out.is_empty() {
            sink(&out)?;
        }
        Ok(rows)
    }

    fn rows(&self, layer: &DemoLayer, each: Each<'_>) -> Result<()> {
        let stream = Stream { seed: mix(self.seed, text_seed(layer.spec.id)), serial: 0, each };
        match layer.spec.source {
            Source::Units(level) => self.units(level, stream),
            Source::Roads(classes) => self.roads(classes, stream),
            Source::Pipes(count, offset) => self.pipe_rows(count, offset, stream),
            Source::Routes(count) => self.routes(count, stream),
            Source::Rails => self.rail_rows(stream),
            Source::Buildings => self.buildings(stream),
            Source::Doors => self.doors(stream),
            Source::Poi => self.town(scaled(POI, self.scale), stream),
            Source::Homes => self.homes(stream),
            Source::Residents => self.residents(stream),
            Source::Town(count) => self.town(count as u64, stream),
            Source::Villages(share) => self.village_rows(layer.spec.id, share, stream),
            Source::Country(count) => self.country(count, stream),
            Source::Kerbs(count, step, offset) => self.kerb_rows(count, step, offset, stream),
            Source::Blocks(count) => self.block_rows(count, stream),
            Source::Rounds(count, low, high) => self.rounds(count, low, high, stream),
        }
    }

    fn grid(&self, block: &Block) -> &Grid {
        &self.towns.grids[block.grid as usize]
    }

    /// How many of `wanted` plots there are.
    fn each_plot(&self, wanted: u64) -> u64 {
        let all: u64 = self.towns.blocks.iter().map(|b| b.plots(self.grid(b)) as u64).sum();
        wanted.min(all)
    }

    fn each_door(&self, wanted: u64) -> u64 {
        let all: u64 = self.towns.blocks.iter().map(|b| b.doors(self.grid(b)) as u64).sum();
        wanted.min(all)
    }
}

type Each<'e> = &'e mut dyn FnMut(Row<'_>) -> Result<()>;

/// Numbers the rows and gives each its own random numbers.
struct Stream<'e> {
    seed: u64,
    serial: u64,
    each: Each<'e>,
}

impl Stream<'_> {
    /// For choosing the next row's place.
    fn rng(&self) -> Rng {
        Rng::new(mix(self.seed, self.serial.wrapping_add(1 << 40)))
    }

    fn send<'a>(&mut self, community: usize, shape: Shape<'a>, with: impl FnOnce(&mut Row<'a>)) -> Result<()> {
        self.serial += 1;
        let mut row = Row::at(self.serial, Rng::new(mix(self.seed, self.serial)), community, shape);
        with(&mut row);
        (self.each)(row)
    }

    fn send_spot(&mut self, spot: &Spot<'_>) -> Result<()> {
        self.send(spot.community, Shape::Point(spot.at), |row| (row.road, row.number) = (spot.road, spot.number))
    }

    fn send_line(&mut self, road: &Road, points: &[Point]) -> Result<()> {
        self.send(road.community, Shape::Line(points), |row| {
            row.road = &road.name;
            row.class = Some(road.class);
            row.length = along::length(points);
        })
    }
}

fn check(scale: f64) -> Result<()> {
    if !(scale > 0.0 && scale <= TOP_SCALE) {
        return Err(Error::invalid(
            "scale",
            format!("比例应大于 0 且不超过 {TOP_SCALE}"),
            format!("the scale must be above 0 and at most {TOP_SCALE}"),
        ));
    }
    Ok(())
}

fn scaled((base, top): (f64, f64), scale: f64) -> u64 {
    let count = if scale <= 1.0 { base * scale } else { base + (top - base) * (scale - 1.0) / (TOP_SCALE - 1.0) };
    count.round() as u64
}

/// The residents of each community, in proportion to its population.
fn shares(divisions: &Divisions, total: u64) -> Vec<u64> {
    let all: f64 = divisions.communities.iter().map(|c| c.population as f64).sum();
    let (mut sum, mut given) = (0.0, 0);
    let next = |c: &super::divisions::Community| {
        sum += c.population as f64;
        let until = (total as f64 * sum / all).round() as u64;
        std::mem::replace(&mut given, until).abs_diff(until)
    };
    divisions.communities.iter().map(next).collect()
}

fn by_community(divisions: &Divisions, towns: &Towns) -> (Vec<u32>, Vec<u32>) {
    let mut lists: Vec<Vec<u32>> = vec![Vec::new(); divisions.communities.len()];
    for (i, block) in towns.blocks.iter().enumerate() {
        if !block.open() {
            lists[usize::from(block.community)].push(i as u32);
        }
    }
    let mut starts = vec![0];
    let mut members = Vec::new();
    for list in lists {
        members.extend(list);
        starts.push(members.len() as u32);
    }
    (starts, members)
}
