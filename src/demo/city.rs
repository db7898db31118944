//! The demo city: everything that is small is held, everything that grows with the scale is made row by row.

use super::DemoLayer;
use super::area::{Area, Point, distance, rounded};
use super::divisions::Divisions;
use super::names::POI_KINDS;
use super::rng::{Rng, mix, text_seed};
use super::row::{Row, Shape};
use super::spec::{Level, Source};
use super::town::{Block, Grid, Road, RoadClass, Towns, wander};
use crate::error::{Error, Result};

/// The scale at which the layers that grow reach their full size.
pub const TOP_SCALE: f64 = 25.0;

/// Rows at scale 1 and at `TOP_SCALE`; in between along a straight line, below 1 in proportion.
pub const BUILDINGS: (f64, f64) = (30_000.0, 750_000.0);
pub const DOORS: (f64, f64) = (30_000.0, 1_000_000.0);
pub const POI: (f64, f64) = (48_000.0, 1_200_000.0);
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
        if !(scale > 0.0 && scale <= TOP_SCALE) {
            return Err(Error::invalid(
                "scale",
                format!("比例应大于 0 且不超过 {TOP_SCALE}"),
                format!("the scale must be above 0 and at most {TOP_SCALE}"),
            ));
        }
        let divisions = Divisions::new(seed)?;
        let towns = Towns::new(&divisions, seed);
        let (starts, members) = by_community(&divisions, &towns);
        let residents = shares(&divisions, scaled(RESIDENTS, scale));
        let rails = rails(&divisions, seed);
        Ok(City { seed, scale, divisions, towns, starts, members, residents, rails })
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

    fn units(&self, level: Level, mut stream: Stream<'_>) -> Result<()> {
        let all = &self.divisions;
        let row = |stream: &mut Stream<'_>, unit, range: std::ops::Range<usize>, shape| {
            stream.send(range.start, shape, |row| {
                row.unit = unit;
                row.population = all.communities[range.clone()].iter().map(|c| c.population).sum();
                row.square_metres = all.communities[range.clone()].iter().map(|c| c.square_metres).sum();
            })
        };
        match level {
            Level::City => {
                let unit = (all.city_code.as_str(), all.city_name.as_str());
                row(&mut stream, unit, 0..all.communities.len(), Shape::MultiPolygon(&all.city))?;
            }
            Level::District => {
                for d in &all.districts {
                    let streets = &all.streets[d.streets.clone()];
                    let first = streets.first().map_or(0, |s| s.communities.start);
                    let last = streets.last().map_or(first, |s| s.communities.end);
                    row(&mut stream, (&d.code, &d.name), first..last, Shape::MultiPolygon(&d.parts))?;
                }
            }
            Level::Street => {
                for s in &all.streets {
                    row(&mut stream, (&s.code, &s.name), s.communities.clone(), Shape::Polygon(&s.area))?;
                }
            }
            Level::Community => {
                for (i, c) in all.communities.iter().enumerate() {
                    row(&mut stream, (&c.code, &c.name), i..i + 1, Shape::Polygon(&c.area))?;
                }
            }
        }
        Ok(())
    }

    fn roads(&self, classes: &[RoadClass], mut stream: Stream<'_>) -> Result<()> {
        for road in self.towns.roads.iter().filter(|r| classes.contains(&r.class)) {
            stream.send_line(road, &road.points)?;
        }
        Ok(())
    }

    /// Roads of towns that carry pipes: the greater first.
    fn pipes(&self) -> impl Iterator<Item = &Road> {
        let of = |class| self.towns.roads.iter().filter(move |r| r.class == class);
        of(RoadClass::Arterial).chain(of(RoadClass::Collector)).chain(of(RoadClass::Local))
    }

    fn pipe_rows(&self, count: usize, offset: f64, mut stream: Stream<'_>) -> Result<()> {
        for road in self.pipes().take(count) {
            let points = beside(&road.points, offset);
            stream.send_line(road, &points)?;
        }
        Ok(())
    }

    /// Along one street of a grid, round a corner, along another.
    fn routes(&self, count: usize, mut stream: Stream<'_>) -> Result<()> {
        let blocks = &self.towns.blocks;
        for _ in 0..count {
            let mut rng = stream.rng();
            let from = self.urban_block(&mut rng);
            let same = |b: &Block| b.grid == blocks[from].grid;
            let to = (0..4000)
                .map(|_| rng.below(blocks.len()))
                .find(|&t| same(&blocks[t]) && blocks[t].i.abs_diff(blocks[from].i) > 3)
                .unwrap_or(from);
            let (a, b, grid) = (&blocks[from], &blocks[to], self.grid(&blocks[from]));
            let mut points: Vec<Point> = steps(a.i, b.i).map(|i| grid.corner(i, a.j)).collect();
            points.extend(steps(a.j, b.j).skip(1).map(|j| grid.corner(b.i, j)));
            if points.len() < 2 {
                points.push(grid.corner(a.i + 1, a.j));
            }
            let community = usize::from(a.community);
            stream.send(community, Shape::Line(&points), |row| row.length = length(&points))?;
        }
        Ok(())
    }

    fn rail_rows(&self, mut stream: Stream<'_>) -> Result<()> {
        for (name, points) in &self.rails {
            let community = points.iter().find_map(|&p| self.divisions.locate(p, 0)).unwrap_or(0);
            stream.send(community, Shape::Line(points), |row| {
                row.road = name;
                row.length = length(points);
            })?;
        }
        Ok(())
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

    fn buildings(&self, mut stream: Stream<'_>) -> Result<()> {
        let mut left = scaled(BUILDINGS, self.scale);
        for block in &self.towns.blocks {
            let grid = self.grid(block);
            for number in 0..block.plots(grid) {
                if left == 0 {
                    return Ok(());
                }
                left -= 1;
                let mut rng = stream.rng();
                let plot = block.plot(grid, number, &mut rng);
                let middle = grid.at((plot.west + plot.east) / 2.0, (plot.south + plot.north) / 2.0);
                let mut corners = vec![
                    [plot.west, plot.south],
                    [plot.east, plot.south],
                    [plot.east, plot.north],
                    [plot.west, plot.north],
                ];
                if rng.chance(0.25) {
                    // An L: the north-eastern corner is cut out.
                    let (u, v) =
                        (plot.west + (plot.east - plot.west) * 0.55, plot.south + (plot.north - plot.south) * 0.5);
                    corners.splice(2..3, [[plot.east, v], [u, v], [u, plot.north]]);
                }
                let ring: Vec<Point> = corners.iter().map(|c| grid.at(c[0], c[1])).collect();
                let footprint =
                    (plot.east - plot.west) * (plot.north - plot.south) * if ring.len() > 4 { 0.775 } else { 1.0 };
                let community = self.divisions.locate(middle, usize::from(block.community));
                let levels = if grid.village {
                    rng.whole(1, 2)
                } else {
                    rng.whole(3, 6) + (rng.unit().powi(2) * f64::from(block.urban) * 30.0) as i64
                };
                let road = block.door(grid, number % block.doors(grid).max(1));
                stream.send(community.unwrap_or(usize::from(block.community)), Shape::Ring(&ring), |row| {
                    row.square_metres = footprint;
                    row.levels = levels;
                    if let Some(door) = &road {
                        (row.road, row.number) = (door.road, door.number);
                    }
                })?;
            }
        }
        Ok(())
    }

    fn doors(&self, mut stream: Stream<'_>) -> Result<()> {
        let mut left = scaled(DOORS, self.scale);
        for block in &self.towns.blocks {
            let grid = self.grid(block);
            for number in 0..block.doors(grid) {
                if left == 0 {
                    return Ok(());
                }
                left -= 1;
                let spot = self.spot(block, number);
                stream.send_spot(&spot)?;
            }
        }
        Ok(())
    }

    /// A door of a block. Where the block's edge leaves the land for a few metres, the community's centre stands in.
    fn spot<'a>(&'a self, block: &Block, number: usize) -> Spot<'a> {
        let home = usize::from(block.community);
        let door = block.door(self.grid(block), number);
        let (road, number) = door.as_ref().map_or(("", 0), |d| (d.road, d.number));
        match door.as_ref().and_then(|d| Some((d.at, self.divisions.locate(d.at, home)?))) {
            Some((at, community)) => Spot { at, community, road, number },
            None => Spot { at: self.divisions.communities[home].centre, community: home, road, number },
        }
    }

    /// A block near the beginning of the list, more rarely further on.
    fn urban_block(&self, rng: &mut Rng) -> usize {
        let reach = (self.scale / 8.0).clamp(0.25, 1.0);
        (rng.unit().powf(1.7) * reach * self.towns.blocks.len() as f64) as usize
    }

    fn town(&self, count: u64, mut stream: Stream<'_>) -> Result<()> {
        let weights: u32 = POI_KINDS.iter().map(|k| k.weight).sum();
        for _ in 0..count {
            let mut rng = stream.rng();
            let (block, doors) = loop {
                let block = &self.towns.blocks[self.urban_block(&mut rng)];
                match block.doors(self.grid(block)) {
                    0 => {}
                    doors => break (block, doors),
                }
            };
            let mut spot = self.spot(block, rng.below(doors));
            let moved = rounded([spot.at[0] + rng.between(-6e-5, 6e-5), spot.at[1] + rng.between(-5e-5, 5e-5)]);
            if let Some(community) = self.divisions.locate(moved, spot.community) {
                (spot.at, spot.community) = (moved, community);
            }
            let mut pick = rng.below(weights as usize) as u32;
            let kind = POI_KINDS.iter().position(|k| match pick.checked_sub(k.weight) {
                Some(rest) => {
                    pick = rest;
                    false
                }
                None => true,
            });
            stream.send(spot.community, Shape::Point(spot.at), |row| {
                (row.road, row.number, row.kind) = (spot.road, spot.number, kind.unwrap_or(0));
            })?;
        }
        Ok(())
    }

    fn villages(&self, id: &str, share: f64) -> impl Iterator<Item = usize> + use<> {
        let seed = mix(self.seed, text_seed(id)).wrapping_add(77);
        (0..self.divisions.communities.len()).filter(move |&c| Rng::new(mix(seed, c as u64)).chance(share))
    }

    fn village_rows(&self, id: &str, share: f64, mut stream: Stream<'_>) -> Result<()> {
        for community in self.villages(id, share) {
            let spot = self.spot_in(community, &mut stream.rng());
            stream.send_spot(&spot)?;
        }
        Ok(())
    }

    /// A door of the community's blocks, else a place inside it.
    fn spot_in(&self, community: usize, rng: &mut Rng) -> Spot<'_> {
        let blocks = self.blocks_of(community);
        for _ in 0..4 {
            let Some(&block) = rng.pick(blocks) else { break };
            let block = &self.towns.blocks[block as usize];
            let spot = self.spot(block, rng.below(block.doors(self.grid(block))));
            if spot.community == community {
                return spot;
            }
        }
        Spot { at: self.place_in(community, rng), community, road: "", number: 0 }
    }

    fn place_in(&self, community: usize, rng: &mut Rng) -> Point {
        let c = &self.divisions.communities[community];
        c.area.random_point(rng).unwrap_or(c.centre)
    }

    fn blocks_of(&self, community: usize) -> &[u32] {
        &self.members[self.starts[community] as usize..self.starts[community + 1] as usize]
    }

    fn residents(&self, mut stream: Stream<'_>) -> Result<()> {
        for (community, &count) in self.residents.iter().enumerate() {
            let (mut left, mut household) = (count, 0);
            while left > 0 {
                let mut rng = stream.rng();
                let size = [1, 2, 2, 3, 3, 3, 4, 4, 5][rng.below(9)].min(left);
                let at = self.home(community, &mut rng);
                household += 1;
                for member in 0..size as usize {
                    stream.send(community, Shape::Point(at), |row| {
                        (row.household, row.member) = (household, member);
                    })?;
                }
                left -= size;
            }
        }
        Ok(())
    }

    /// Where a household lives: at a building of the community, else somewhere in it.
    fn home(&self, community: usize, rng: &mut Rng) -> Point {
        let blocks = self.blocks_of(community);
        for _ in 0..4 {
            let Some(&block) = rng.pick(blocks) else { break };
            let block = &self.towns.blocks[block as usize];
            let grid = self.grid(block);
            let plot = block.plot(grid, rng.below(block.plots(grid)), rng);
            let at = grid.at(rng.between(plot.west, plot.east), rng.between(plot.south, plot.north));
            if self.divisions.communities[community].area.contains(at) {
                return at;
            }
        }
        self.place_in(community, rng)
    }

    fn country(&self, count: usize, mut stream: Stream<'_>) -> Result<()> {
        for _ in 0..count {
            let mut rng = stream.rng();
            let community = self.rural(&mut rng);
            let spot = Spot { at: self.place_in(community, &mut rng), community, road: "", number: 0 };
            stream.send_spot(&spot)?;
        }
        Ok(())
    }

    /// A community of the country, the best of a few.
    fn rural(&self, rng: &mut Rng) -> usize {
        let all = &self.divisions.communities;
        let candidates = [0; 3].map(|_| rng.below(all.len()));
        candidates.into_iter().min_by(|&a, &b| all[a].urban.total_cmp(&all[b].urban)).unwrap_or(0)
    }

    /// Block, side (south, west) and place along it of points at kerbs.
    fn kerbs(&self, count: usize, step: f64) -> impl Iterator<Item = (&Block, usize, f64)> {
        let sides = self.towns.blocks.iter().filter(|b| !self.grid(b).village).flat_map(|b| [(b, 0), (b, 1)]);
        let spots = sides.flat_map(move |(block, axis)| {
            let places = (self.grid(block).pitch[axis] / step) as usize;
            (0..places).map(move |k| (block, axis, (k as f64 + 0.5) * step))
        });
        spots.take(count)
    }

    fn kerb_rows(&self, count: usize, step: f64, offset: f64, mut stream: Stream<'_>) -> Result<()> {
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

    fn block_rows(&self, count: usize, mut stream: Stream<'_>) -> Result<()> {
        let blocks = &self.towns.blocks;
        let count = count.min(blocks.len());
        for k in 0..count {
            // The more urban half of the list, each block once.
            let at = k * (blocks.len() / 2).max(count) / count;
            let block = &blocks[at];
            let ring = block.outline(self.grid(block), 7.0);
            let area = Area { rings: vec![ring] };
            stream.send(usize::from(block.community), Shape::Polygon(&area), |row| {
                row.square_metres = area.square_metres()
            })?;
        }
        Ok(())
    }

    fn rounds(&self, count: usize, low: f64, high: f64, mut stream: Stream<'_>) -> Result<()> {
        for _ in 0..count {
            let mut rng = stream.rng();
            let community = self.rural(&mut rng);
            let centre = self.place_in(community, &mut rng);
            let (waves, phase) = (rng.between(0.05, 0.25), rng.between(0.0, 6.0));
            let mut radius = rng.between(low, high);
            let ring = loop {
                let ring = round(centre, radius, waves, phase);
                // A round that would reach into the sea shrinks; at a metre it is taken as it is.
                if radius < 1.0 || ring.iter().all(|&p| self.divisions.locate(p, community).is_some()) {
                    break ring;
                }
                radius *= 0.7;
            };
            let area = Area { rings: vec![ring] };
            stream.send(community, Shape::Polygon(&area), |row| row.square_metres = area.square_metres())?;
        }
        Ok(())
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
            row.length = length(points);
        })
    }
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

/// Lines through the centres of districts, by their GB/T 2260 codes.
fn rails(divisions: &Divisions, seed: u64) -> Vec<(String, Vec<Point>)> {
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

fn length(points: &[Point]) -> f64 {
    points.windows(2).map(|w| distance(w[0], w[1])).sum()
}

/// From one number to another, whichever is greater.
fn steps(from: i16, to: i16) -> impl Iterator<Item = i16> {
    let step = (to - from).signum();
    (0..=(to - from).abs()).map(move |k| from + k * step)
}

fn round(centre: Point, radius: f64, waves: f64, phase: f64) -> Vec<Point> {
    let east = super::area::metres_east(centre[1]);
    (0..36)
        .map(|k| {
            let angle = f64::from(k) * std::f64::consts::TAU / 36.0;
            let r = radius * (1.0 + waves * (3.0 * angle + phase).sin());
            rounded([centre[0] + r * angle.cos() / east, centre[1] + r * angle.sin() / super::area::METRES])
        })
        .collect()
}
