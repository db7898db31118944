//! Whether a name is one of the country's 620,000 communities and villages.

/// A Bloom filter, made by scripts/make-division-data.
static FILTER: &[u8] = include_bytes!("../data/divisions/villages.bin");

/// How many bits a name sets.
const TIMES: u32 = 4;

/// A name taken character by character: each beginning can be asked for.
#[derive(Clone, Copy)]
pub(crate) struct Name(u64);

impl Name {
    pub(crate) fn new() -> Name {
        Name(0xcbf2_9ce4_8422_2325)
    }

    #[inline]
    pub(crate) fn push(&mut self, c: char) {
        self.0 = (self.0 ^ u64::from(u32::from(c))).wrapping_mul(0x0100_0000_01b3);
    }

    /// Whether such a village is known. Rarely (1 in 400) one that is not.
    #[inline]
    pub(crate) fn known(self) -> bool {
        let h = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (low, high) = (h as u32, ((h >> 32) | 1) as u32);
        let mask = (FILTER.len() as u32).wrapping_mul(8).wrapping_sub(1);
        (0..TIMES).all(|i| {
            let bit = low.wrapping_add(i.wrapping_mul(high)) & mask;
            FILTER.get((bit >> 3) as usize).is_some_and(|byte| byte & (1 << (bit & 7)) != 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> bool {
        let mut n = Name::new();
        name.chars().for_each(|c| n.push(c));
        n.known()
    }

    #[test]
    fn villages_are_known_and_nonsense_is_not() {
        for name in ["下湾", "五堡", "张庄", "和平"] {
            assert!(known(name), "{name}");
        }
        let nonsense = (0x5000u32..0x9000).filter_map(char::from_u32).map(|c| format!("丂{c}丂"));
        let passed = nonsense.filter(|n| known(n)).count();
        assert!(passed < 200, "{passed} of 16384 pass");
    }
}
