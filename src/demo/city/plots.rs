//! Rows that are areas: divisions, buildings, blocks, and round areas of the country.

use super::{BUILDINGS, City, Stream, scaled};
use crate::demo::area::{Area, METRES, Point, metres_east, rounded};
use crate::demo::grid::{Grid, Plot};
use crate::demo::row::Shape;
use crate::demo::spec::Level;
use crate::error::Result;

impl City {
    pub(super) fn units(&self, level: Level, mut stream: Stream<'_>) -> Result<()> {
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

    pub(super) fn buildings(&self, mut stream: Stream<'_>) -> Result<()> {
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
                let (ring, footprint) = outline(grid, &plot, rng.chance(0.25));
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

    pub(super) fn block_rows(&self, count: usize, mut stream: Stream<'_>) -> Result<()> {
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

    pub(super) fn rounds(&self, count: usize, low: f64, high: f64, mut stream: Stream<'_>) -> Result<()> {
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

/// A building's corners and its square metres: a rectangle, or an L whose north-eastern corner is missing.
fn outline(grid: &Grid, plot: &Plot, cut: bool) -> (Vec<Point>, f64) {
    let Plot { west, south, east, north } = *plot;
    let (width, depth) = (east - west, north - south);
    let mut corners = vec![[west, south], [east, south], [east, north], [west, north]];
    let mut full = 1.0;
    if cut {
        let (u, v) = (west + width * 0.55, south + depth * 0.5);
        corners.splice(2..3, [[east, v], [u, v], [u, north]]);
        full -= 0.45 * 0.5;
    }
    (corners.iter().map(|c| grid.at(c[0], c[1])).collect(), width * depth * full)
}

fn round(centre: Point, radius: f64, waves: f64, phase: f64) -> Vec<Point> {
    let east = metres_east(centre[1]);
    (0..36)
        .map(|k| {
            let angle = f64::from(k) * std::f64::consts::TAU / 36.0;
            let r = radius * (1.0 + waves * (3.0 * angle + phase).sin());
            rounded([centre[0] + r * angle.cos() / east, centre[1] + r * angle.sin() / METRES])
        })
        .collect()
}
