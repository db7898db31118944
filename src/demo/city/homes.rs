//! Homes of housing estates: an estate is a block with its own name and the door of its gate, its buildings stand on the plots.

use super::{City, HOMES, Stream, scaled};
use crate::demo::names::{ESTATE_ENDINGS, ESTATES};
use crate::demo::rng::Rng;
use crate::demo::row::{Home, Shape};
use crate::demo::town::Block;
use crate::error::Result;

/// Of the blocks that have homes one in so many is an estate; the others have doors alone.
const ONE_IN: u32 = 3;
const ROOMS_A_FLOOR: usize = 2;

/// How an estate is built: the same for all its buildings.
struct Plan {
    units: usize,
    floors: usize,
}

impl Plan {
    fn of(block: &Block) -> Plan {
        let mut rng = Rng::new(u64::from(block.seed));
        Plan { units: 2 + rng.below(3), floors: [6, 6, 6, 11, 18][rng.below(5)] }
    }
    fn homes(&self) -> usize {
        self.units * self.floors * ROOMS_A_FLOOR
    }
}

impl City {
    fn estates(&self) -> impl Iterator<Item = &Block> {
        let estate = |b: &&Block| !self.grid(b).village && (b.seed / 7).is_multiple_of(ONE_IN);
        self.towns.blocks.iter().filter(estate).filter(|b| b.doors(self.grid(b)) > 0)
    }

    /// How many of `wanted` homes there are.
    pub(super) fn each_home(&self, wanted: u64) -> u64 {
        let all: u64 = self.estates().map(|b| (b.plots(self.grid(b)) * Plan::of(b).homes()) as u64).sum();
        wanted.min(all)
    }

    pub(super) fn homes(&self, mut stream: Stream<'_>) -> Result<()> {
        let mut left = scaled(HOMES, self.scale);
        for block in self.estates() {
            let (grid, plan) = (self.grid(block), Plan::of(block));
            let gate = self.spot(block, block.seed as usize % block.doors(grid));
            let mut rng = Rng::new(u64::from(block.seed) + 1);
            let estate =
                [rng.pick(ESTATES), rng.pick(ESTATE_ENDINGS)].into_iter().flatten().copied().collect::<String>();
            for building in 0..block.plots(grid) {
                let plot = block.plot(grid, building, &mut rng);
                let middle = grid.at((plot.west + plot.east) / 2.0, (plot.south + plot.north) / 2.0);
                let (at, community) = match self.divisions.locate(middle, gate.community) {
                    Some(community) => (middle, community),
                    None => (gate.at, gate.community),
                };
                for home in 0..plan.homes() {
                    if left == 0 {
                        return Ok(());
                    }
                    left -= 1;
                    let (unit, within) = (home / (plan.floors * ROOMS_A_FLOOR), home % (plan.floors * ROOMS_A_FLOOR));
                    let room = (within / ROOMS_A_FLOOR + 1) * 100 + within % ROOMS_A_FLOOR + 1;
                    let home = Home { estate: &estate, building: building + 1, unit: unit + 1, room };
                    stream.send(community, Shape::Point(at), |row| {
                        (row.road, row.number, row.home) = (gate.road, gate.number, Some(home));
                    })?;
                }
            }
        }
        Ok(())
    }
}
