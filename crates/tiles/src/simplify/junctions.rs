//! Where features meet and part: a vertex whose two neighbours are not the same ones wherever it occurs, and the ends of lines.
//! Found with a table of bounded size, in as many passes as it takes; the vertices may be a file mapped to memory.

use super::Halt;
use crate::shape::{Kind, Shapes, Vertex};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many vertices a table takes, of which there are two at a time, of 16 bytes a vertex.
const TABLE: usize = 1 << 23;

/// A bit per vertex.
pub struct Bits(Vec<AtomicU64>);

impl Bits {
    fn new(len: usize) -> Bits {
        Bits((0..len.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    fn set(&self, i: usize) {
        self.0[i / 64].fetch_or(1 << (i % 64), Ordering::Relaxed);
    }

    pub fn clear(&mut self, i: usize) {
        *self.0[i / 64].get_mut() &= !(1 << (i % 64));
    }

    pub fn get(&self, i: usize) -> bool {
        self.0[i / 64].load(Ordering::Relaxed) >> (i % 64) & 1 == 1
    }

    /// The numbers of the bits that are set.
    pub fn ones(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(i, word)| {
            let mut rest = word.load(Ordering::Relaxed);
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(64 * i + bit)
            })
        })
    }

    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.load(Ordering::Relaxed).count_ones() as usize).sum()
    }
}

pub fn find(shapes: &Shapes<'_>, halt: &Halt) -> Bits {
    let found = Bits::new(shapes.vertices.len());
    let passes = shapes.vertices.len().div_ceil(TABLE).max(1).next_multiple_of(2);
    let work = |first: usize, stopped: &dyn Fn() -> bool| {
        let mut table = Table::new(shapes.vertices.len() / passes);
        for pass in (first..passes).step_by(2) {
            table.clear();
            each_vertex(shapes, pass, passes, stopped, |_, hash, pair| table.note(hash, pair));
            each_vertex(shapes, pass, passes, stopped, |i, hash, _| {
                if table.is_junction(hash) {
                    found.set(i);
                }
            });
        }
    };
    let stopped = &halt.stopped;
    std::thread::scope(|scope| {
        scope.spawn(|| work(1, &|| stopped.load(Ordering::Relaxed)));
        work(0, &|| halt.now());
    });
    found
}

/// Calls `look` with the vertices of a pass: number, hash, and a hash of the neighbours; none at the end of a line.
fn each_vertex(
    shapes: &Shapes<'_>,
    pass: usize,
    passes: usize,
    stopped: &dyn Fn() -> bool,
    mut look: impl FnMut(usize, u64, Option<u64>),
) {
    for part in shapes.features[0]..shapes.features[shapes.len()] {
        if part % 1024 == 0 && stopped() {
            return;
        }
        let range = shapes.part_range(part as usize);
        let part = &shapes.vertices[range.clone()];
        let last = part.len().saturating_sub(1);
        for (i, &vertex) in part.iter().enumerate() {
            let hash = hash(vertex);
            if pass_of(hash, passes) != pass {
                continue;
            }
            let is_end = shapes.kind == Kind::Line && (i == 0 || i == last);
            let pair = (!is_end).then(|| {
                let (a, b) = (part[if i == 0 { last } else { i - 1 }], part[if i == last { 0 } else { i + 1 }]);
                mix(mix(key(a.min(b))).wrapping_add(key(a.max(b))))
            });
            look(range.start + i, hash, pair);
        }
    }
}

fn key(vertex: Vertex) -> u64 {
    (vertex[0] as u64) << 32 | vertex[1] as u64
}

/// One hash per vertex: no two vertices have the same.
pub fn hash(vertex: Vertex) -> u64 {
    mix(key(vertex))
}

/// Stirs 64 bits, reversibly: multiplications by odd numbers and shifted sums.
fn mix(mut x: u64) -> u64 {
    x = (x ^ x >> 31).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x = (x ^ x >> 32).wrapping_mul(0xa076_1d64_78bd_642f);
    x ^ x >> 29
}

pub fn pass_of(hash: u64, passes: usize) -> usize {
    ((hash as u128 * passes as u128) >> 64) as usize
}

/// Open addressing by hash: 28 bits of the vertex's hash, taken where neither the pass nor the place comes from, and 36 bits of
/// state, not all of them zero. If two vertices fall together, which one in 10^8 does, both are taken for the same.
pub struct Table {
    slots: Vec<u64>,
}

const STATE_BITS: u32 = 36;
const STATE: u64 = (1 << STATE_BITS) - 1;
/// The state of a junction; of other vertices, it is their neighbours.
const JUNCTION: u64 = STATE;

impl Table {
    pub fn new(vertices: usize) -> Table {
        // A pass gets its share, give or take; the table is at most two thirds full even so.
        Table { slots: vec![0; (vertices + vertices / 2 + 1024).next_power_of_two()] }
    }

    pub fn clear(&mut self) {
        self.slots.fill(0);
    }

    /// The state of a vertex; zero if it has none yet.
    #[inline]
    pub fn state(&self, hash: u64) -> u64 {
        self.slots[self.place(hash)] & STATE
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 && self.slots[at] >> STATE_BITS != hash >> 28 & 0xfff_ffff {
            at = (at + 1) & mask;
        }
        at
    }

    /// Replaces the state of a vertex.
    #[inline]
    pub fn update(&mut self, hash: u64, next: impl FnOnce(u64) -> u64) {
        let at = self.place(hash);
        let state = next(self.slots[at] & STATE);
        self.slots[at] = (hash >> 28 & 0xfff_ffff) << STATE_BITS | state;
    }

    fn note(&mut self, hash: u64, pair: Option<u64>) {
        // Neither zero nor that of a junction.
        let own = pair.map_or(JUNCTION, |pair| ((pair & STATE) | 1) & !2);
        self.update(hash, |state| if state == 0 || state == own { own } else { JUNCTION });
    }

    fn is_junction(&self, hash: u64) -> bool {
        self.state(hash) == JUNCTION
    }
}
