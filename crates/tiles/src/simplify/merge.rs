//! One zoom for all the places at which a junction occurs.

use super::Halt;
use super::junctions::{Bits, Table, hash, pass_of};
use crate::shape::Vertex;

/// How many junctions a table takes.
const TABLE: usize = 1 << 24;

/// Gives each junction the least of the zooms that it has.
pub fn least(vertices: &[Vertex], junctions: &Bits, zooms: &mut [u8], halt: &Halt) {
    let count = junctions.count();
    let passes = count.div_ceil(TABLE);
    let mut table = Table::new(count.min(TABLE));
    for pass in 0..passes {
        if halt.now() {
            return;
        }
        table.clear();
        let mine = || junctions.ones().map(|i| (i, hash(vertices[i]))).filter(|&(_, h)| pass_of(h, passes) == pass);
        for (i, hash) in mine() {
            // A state is a zoom and one.
            let own = zooms[i] as u64 + 1;
            table.update(hash, |state| if state == 0 { own } else { state.min(own) });
        }
        for (i, hash) in mine() {
            zooms[i] = (table.state(hash) - 1) as u8;
        }
    }
}
