//! The ways in which addresses are spoilt. Each is a function that changes a [`Draft`], or refuses a row that it does not suit.

mod divisions;
mod mixed;
mod names;
mod notes;
mod numbers;
mod typos;
mod unanswerable;

use crate::draft::{Draft, Expect};
use crate::random::Random;
use crate::world::World;

/// What may be expected of a matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Set {
    /// The ordinary variety of correct writing.
    Ordinary,
    /// Slips, wrong and missing parts.
    Hard,
    /// No such address.
    Unanswerable,
}

impl Set {
    pub fn name(self) -> &'static str {
        match self {
            Set::Ordinary => "ordinary",
            Set::Hard => "hard",
            Set::Unanswerable => "unanswerable",
        }
    }
}

type Spoil = fn(&mut Draft, &mut Random, &World) -> bool;

#[derive(Clone, Copy)]
pub struct Noise {
    pub name: &'static str,
    pub set: Set,
    spoil: Spoil,
}

/// A text to be found, and what is right.
#[derive(Debug, Clone)]
pub struct Query {
    pub text: String,
    pub kind: String,
    pub set: Set,
    pub expect: Expect,
    /// Any of these rows is right.
    pub truth: Vec<u32>,
}

const fn list<const N: usize>(set: Set, of: [(&'static str, Spoil); N]) -> [Noise; N] {
    let mut out = [Noise { name: "", set, spoil: of[0].1 }; N];
    let mut at = 0;
    while at < N {
        out[at] = Noise { name: of[at].0, set, spoil: of[at].1 };
        at += 1;
    }
    out
}

/// All kinds, the ordinary ones first.
pub fn all() -> Vec<Noise> {
    let mut all = divisions::ORDINARY.to_vec();
    all.extend(numbers::ORDINARY);
    all.extend(notes::ORDINARY);
    all.extend(mixed::ORDINARY);
    all.extend(typos::HARD);
    all.extend(divisions::HARD);
    all.extend(names::HARD);
    all.extend(numbers::HARD);
    all.extend(mixed::HARD);
    all.extend(unanswerable::UNANSWERABLE);
    all
}

/// Rows that are tried before a kind is said not to suit a base.
const TRIES: usize = 3000;

/// One text of this kind about a row taken by chance; None if the base has no row that it suits.
pub fn make(world: &World, noise: &Noise, random: &mut Random) -> Option<Query> {
    for _ in 0..TRIES {
        let (_, rows) = random.pick_of(&world.kinds)?;
        let row = &world.base.rows[*random.pick_of(rows)? as usize];
        let mut draft = Draft::of(row);
        if !(noise.spoil)(&mut draft, random, world) {
            continue;
        }
        let truth = match draft.expect {
            Expect::Row => world.truth.rows(world.base, row, draft.said),
            _ => Vec::new(),
        };
        return Some(Query {
            text: draft.text(),
            kind: noise.name.to_owned(),
            set: noise.set,
            expect: draft.expect,
            truth,
        });
    }
    None
}

/// `each` texts of every kind that suits the base.
pub fn sample(world: &World, seed: u64, each: usize) -> Vec<Query> {
    let mut queries = Vec::new();
    for noise in &all() {
        // A stream of its own for each kind: another kind added leaves the texts of the others as they were.
        let own = noise.name.bytes().fold(seed, |mixed, b| Random::new(mixed ^ u64::from(b)).draw());
        let mut random = Random::new(own);
        queries.extend((0..each).map_while(|_| make(world, noise, &mut random)));
    }
    queries
}

#[cfg(test)]
mod tests;
