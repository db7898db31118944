//! Rows that are points: doors, what stands at doors, residents, and places of the country.

use super::{City, DOORS, Spot, Stream, scaled};
use crate::demo::area::{Point, rounded};
use crate::demo::names::POI_KINDS;
use crate::demo::rng::{Rng, mix, text_seed};
use crate::demo::row::Shape;
use crate::demo::town::Block;
use crate::error::Result;

impl City {
    pub(super) fn doors(&self, mut stream: Stream<'_>) -> Result<()> {
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
    pub(super) fn spot<'a>(&'a self, block: &Block, number: usize) -> Spot<'a> {
        let home = usize::from(block.community);
        let door = block.door(self.grid(block), number);
        let (road, number) = door.as_ref().map_or(("", 0), |d| (d.road, d.number));
        match door.as_ref().and_then(|d| Some((d.at, self.divisions.locate(d.at, home)?))) {
            Some((at, community)) => Spot { at, community, road, number },
            None => Spot { at: self.divisions.communities[home].centre, community: home, road, number },
        }
    }

    /// A block near the beginning of the list, more rarely further on.
    pub(super) fn urban_block(&self, rng: &mut Rng) -> usize {
        let reach = (self.scale / 8.0).clamp(0.25, 1.0);
        // A power law that starts a little way off its peak, or the first block would get hundreds.
        const START: f64 = 0.06;
        let low = START.powf(1.7);
        let place = ((rng.unit() * (1.0 - START) + START).powf(1.7) - low) / (1.0 - low);
        let last = self.towns.blocks.len().saturating_sub(1);
        ((place * reach * last as f64) as usize).min(last)
    }

    pub(super) fn town(&self, count: u64, mut stream: Stream<'_>) -> Result<()> {
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

    pub(super) fn villages(&self, id: &str, share: f64) -> impl Iterator<Item = usize> + use<> {
        let seed = mix(self.seed, text_seed(id)).wrapping_add(77);
        (0..self.divisions.communities.len()).filter(move |&c| Rng::new(mix(seed, c as u64)).chance(share))
    }

    pub(super) fn village_rows(&self, id: &str, share: f64, mut stream: Stream<'_>) -> Result<()> {
        for community in self.villages(id, share) {
            let spot = self.spot_in(community, &mut stream.rng());
            stream.send_spot(&spot)?;
        }
        Ok(())
    }

    /// A door of the community's blocks, else a place inside it.
    pub(super) fn spot_in(&self, community: usize, rng: &mut Rng) -> Spot<'_> {
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

    pub(super) fn place_in(&self, community: usize, rng: &mut Rng) -> Point {
        let c = &self.divisions.communities[community];
        c.area.random_point(rng).unwrap_or(c.centre)
    }

    pub(super) fn blocks_of(&self, community: usize) -> &[u32] {
        &self.members[self.starts[community] as usize..self.starts[community + 1] as usize]
    }

    pub(super) fn residents(&self, mut stream: Stream<'_>) -> Result<()> {
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
    pub(super) fn home(&self, community: usize, rng: &mut Rng) -> Point {
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

    pub(super) fn country(&self, count: usize, mut stream: Stream<'_>) -> Result<()> {
        for _ in 0..count {
            let mut rng = stream.rng();
            let community = self.rural(&mut rng);
            let spot = Spot { at: self.place_in(community, &mut rng), community, road: "", number: 0 };
            stream.send_spot(&spot)?;
        }
        Ok(())
    }

    /// A community of the country, the best of a few.
    pub(super) fn rural(&self, rng: &mut Rng) -> usize {
        let all = &self.divisions.communities;
        let candidates = [0; 3].map(|_| rng.below(all.len()));
        candidates.into_iter().min_by(|&a, &b| all[a].urban.total_cmp(&all[b].urban)).unwrap_or(0)
    }
}
