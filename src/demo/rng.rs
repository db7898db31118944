//! A small seeded generator of numbers (SplitMix64). Own code, because the demo's bytes must not change with a crate's version.

/// A stream of numbers that depends on its seed alone.
#[derive(Debug, Clone)]
pub struct Rng(u64);

/// Mixes two numbers into a seed, so that each row can have a stream of its own.
pub fn mix(a: u64, b: u64) -> u64 {
    scramble(a ^ scramble(b.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// A seed from a text (FNV-1a).
pub fn text_seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    pub fn new(seed: u64) -> Self {
        Rng(scramble(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// In `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// In `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// In `0..count`; 0 when there is nothing to choose from.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }

    /// In `low..=high`.
    pub fn whole(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as usize) as i64
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_within_bounds() {
        let (mut a, mut b) = (Rng::new(7), Rng::new(7));
        for _ in 0..1000 {
            let value = a.whole(-3, 3);
            assert!((-3..=3).contains(&value));
            assert_eq!(value, b.whole(-3, 3));
        }
        assert_ne!(Rng::new(7).next(), Rng::new(8).next());
        assert_eq!(Rng::new(1).below(0), 0);
    }
}
