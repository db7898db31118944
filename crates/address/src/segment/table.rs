//! From a hash to what was filed under it: buckets in one array. Several things may lie under one hash.

use bytemuck::{Pod, Zeroable};

use crate::text::Unit;

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Item {
    pub tag: u32,
    pub entry: u32,
}

/// The hash of units, extendable one by one.
#[derive(Debug, Clone, Copy)]
pub struct Hash(u64);

impl Hash {
    pub const EMPTY: Hash = Hash(0x9E37_79B9_7F4A_7C15);
    #[inline]
    pub fn with(self, u: Unit) -> Hash {
        Hash((self.0 ^ u64::from(u)).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(29))
    }
    #[inline]
    pub fn of(units: &[Unit]) -> Hash {
        units.iter().fold(Hash::EMPTY, |h, u| h.with(*u))
    }
    /// The same but for one unit.
    #[inline]
    pub fn without(units: &[Unit], left_out: usize) -> Hash {
        Hash::of(&units[..left_out]).over(&units[left_out + 1..])
    }
    #[inline]
    fn over(self, units: &[Unit]) -> Hash {
        units.iter().fold(self, |h, u| h.with(*u))
    }
    #[inline]
    pub fn value(self) -> u64 {
        let mut x = self.0;
        x ^= x >> 32;
        x = x.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        x ^ (x >> 32)
    }
}

/// Collects what goes into a table.
#[derive(Default)]
pub struct TableBuilder {
    pairs: Vec<(u64, u32)>,
}

impl TableBuilder {
    pub fn add(&mut self, hash: u64, entry: u32) {
        self.pairs.push((hash, entry));
    }

    /// The two arrays of the table. Under one hash the entries keep ascending order.
    pub fn finish(self) -> (Vec<u32>, Vec<Item>) {
        self.finish_without(usize::MAX)
    }

    /// The same without hashes that more than `most` entries lie under: they tell nothing apart.
    pub fn finish_without(mut self, most: usize) -> (Vec<u32>, Vec<Item>) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
        if self.pairs.len() > most {
            let mut kept = Vec::with_capacity(self.pairs.len());
            for run in self.pairs.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() <= most) {
                kept.extend_from_slice(run);
            }
            self.pairs = kept;
        }
        let bits = bits_for(self.pairs.len());
        let mut offsets = vec![0u32; (1 << bits) + 1];
        for (h, _) in &self.pairs {
            offsets[bucket(*h, bits) + 1] += 1;
        }
        for k in 1..offsets.len() {
            offsets[k] += offsets[k - 1];
        }
        // Buckets are the highest bits, so sorted by hash is sorted by bucket.
        let items = self.pairs.iter().map(|(h, e)| Item { tag: *h as u32, entry: *e }).collect();
        (offsets, items)
    }
}

fn bits_for(n: usize) -> u32 {
    n.max(2).next_power_of_two().trailing_zeros()
}

#[inline]
fn bucket(hash: u64, bits: u32) -> usize {
    (hash >> (64 - bits)) as usize
}

/// A table as it lies in a segment.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    offsets: &'a [u32],
    items: &'a [Item],
    bits: u32,
}

impl<'a> Table<'a> {
    /// None when the two arrays do not fit together.
    pub fn new(offsets: &'a [u32], items: &'a [Item]) -> Option<Table<'a>> {
        let buckets = offsets.len().checked_sub(1)?;
        let fits = buckets.is_power_of_two() && buckets >= 2 && offsets.last().copied()? as usize == items.len();
        fits.then_some(Table { offsets, items, bits: buckets.trailing_zeros() })
    }

    #[inline]
    pub fn get(self, hash: u64) -> impl Iterator<Item = u32> + 'a {
        let b = bucket(hash, self.bits);
        let (from, to) = (self.offsets[b] as usize, self.offsets[b + 1] as usize);
        let tag = hash as u32;
        self.items.get(from..to).unwrap_or(&[]).iter().filter(move |i| i.tag == tag).map(|i| i.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_filed_is_found_and_nothing_else() {
        let mut b = TableBuilder::default();
        for n in 0..5000u16 {
            b.add(Hash::of(&[n, n / 7]).value(), u32::from(n));
            b.add(Hash::of(&[n, n / 7]).value(), u32::from(n) + 100_000);
        }
        let (offsets, items) = b.finish();
        let t = Table::new(&offsets, &items).unwrap();
        for n in 0..5000u16 {
            let found: Vec<u32> = t.get(Hash::of(&[n, n / 7]).value()).collect();
            assert_eq!(found, [u32::from(n), u32::from(n) + 100_000]);
            assert_eq!(t.get(Hash::of(&[n, n, 3]).value()).count(), 0);
        }
        assert_eq!(Hash::without(&[1, 2, 3], 1).value(), Hash::of(&[1, 3]).value());
    }
}
