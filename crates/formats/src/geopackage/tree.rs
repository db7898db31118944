//! The R-tree of a GeoPackage, packed. SQLite's own insertion costs more than all the rest of the file; its three tables are documented
//! (sqlite.org/rtree.html, 6), and `rtreecheck` holds what is written here against them.
//!
//! Boxes are gathered in runs. A run is sorted along the Hilbert curve and cut into leaves, so memory does not grow with the
//! layer; the leaves of all runs, a fiftieth of the boxes, are sorted and packed once more, level by level, at the end.

use rusqlite::{Connection, params};

use super::schema::quoted;
use crate::Result;
use crate::shape::joined;

/// Entries of a node, the most that SQLite takes for two dimensions and pages of 4096 bytes.
const ENTRIES: usize = 51;
/// Bytes of a node.
const NODE: usize = 4 + 24 * ENTRIES;
/// Boxes of a run.
const RUN: usize = 200_000;
const ROOT: i64 = 1;

#[derive(Clone, Copy)]
struct Entry {
    /// A feature, or a node of the level below.
    id: i64,
    bounds: [f64; 4],
}

/// A tree under way.
pub struct Tree {
    name: String,
    run: Vec<Entry>,
    leaves: Vec<Entry>,
    next: i64,
}

impl Tree {
    pub fn new(name: String) -> Self {
        Tree { name, run: vec![], leaves: vec![], next: ROOT + 1 }
    }

    pub fn add(&mut self, database: &Connection, id: i64, bounds: [f64; 4]) -> Result<()> {
        self.run.push(Entry { id, bounds });
        if self.run.len() == RUN { self.pack_run(database) } else { Ok(()) }
    }

    /// Writes what is left. The virtual table is there already, and empty.
    pub fn finish(mut self, database: &Connection) -> Result<()> {
        if self.leaves.is_empty() && self.run.len() <= ENTRIES {
            let entries = std::mem::take(&mut self.run);
            for entry in &entries {
                self.place(database, "rowid", entry.id, ROOT)?;
            }
            return self.node(database, ROOT, 0, &entries);
        }
        self.pack_run(database)?;
        let (mut level, mut depth) = (std::mem::take(&mut self.leaves), 1);
        while level.len() > ENTRIES {
            level = self.pack_level(database, level)?;
            depth += 1;
        }
        for entry in &level {
            self.place(database, "parent", entry.id, ROOT)?;
        }
        self.node(database, ROOT, depth, &level)
    }

    /// Cuts the run into leaves. Which leaf a feature is in is written in the features' order: so that table grows at its end.
    fn pack_run(&mut self, database: &Connection) -> Result<()> {
        let run = std::mem::take(&mut self.run);
        let order = along_the_curve(&run);
        let mut leaf_of = vec![0; run.len()];
        for chunk in order.chunks(ENTRIES) {
            let entries: Vec<Entry> = chunk.iter().map(|&i| run[i as usize]).collect();
            let leaf = self.fresh_node(database, &entries)?;
            chunk.iter().for_each(|&i| leaf_of[i as usize] = leaf.id);
            self.leaves.push(leaf);
        }
        for (entry, leaf) in run.iter().zip(leaf_of) {
            self.place(database, "rowid", entry.id, leaf)?;
        }
        Ok(())
    }

    fn pack_level(&mut self, database: &Connection, level: Vec<Entry>) -> Result<Vec<Entry>> {
        let mut above = Vec::with_capacity(level.len() / ENTRIES + 1);
        for chunk in along_the_curve(&level).chunks(ENTRIES) {
            let entries: Vec<Entry> = chunk.iter().map(|&i| level[i as usize]).collect();
            let node = self.fresh_node(database, &entries)?;
            for entry in &entries {
                self.place(database, "parent", entry.id, node.id)?;
            }
            above.push(node);
        }
        Ok(above)
    }

    fn fresh_node(&mut self, database: &Connection, entries: &[Entry]) -> Result<Entry> {
        let id = self.next;
        self.next += 1;
        self.node(database, id, 0, entries)?;
        let bounds = entries.iter().map(|e| e.bounds).reduce(joined).unwrap_or_default();
        Ok(Entry { id, bounds })
    }

    /// The depth stands in the root alone.
    fn node(&self, database: &Connection, id: i64, depth: u16, entries: &[Entry]) -> Result<()> {
        let mut data = Vec::with_capacity(NODE);
        data.extend_from_slice(&depth.to_be_bytes());
        data.extend_from_slice(&(entries.len() as u16).to_be_bytes());
        for Entry { id, bounds: [west, south, east, north] } in entries {
            data.extend_from_slice(&id.to_be_bytes());
            for value in [below(*west), above(*east), below(*south), above(*north)] {
                data.extend_from_slice(&value.to_be_bytes());
            }
        }
        data.resize(NODE, 0);
        let sql = format!("insert or replace into {} values (?1, ?2)", self.table("node"));
        database.prepare_cached(&sql)?.execute(params![id, data])?;
        Ok(())
    }

    fn place(&self, database: &Connection, table: &str, id: i64, node: i64) -> Result<()> {
        let sql = format!("insert into {} values (?1, ?2)", self.table(table));
        database.prepare_cached(&sql)?.execute([id, node])?;
        Ok(())
    }

    fn table(&self, part: &str) -> String {
        quoted(&format!("{}_{part}", self.name))
    }
}

/// The places of the entries, in the order in which the Hilbert curve meets their middles.
fn along_the_curve(entries: &[Entry]) -> Vec<u32> {
    let Some([west, south, east, north]) = entries.iter().map(|e| e.bounds).reduce(joined) else { return vec![] };
    let cell = |value: f64, low: f64, high: f64| {
        let part = if high > low { (value - low) / (high - low) } else { 0.0 };
        (part * f64::from(u16::MAX)) as u32
    };
    let key = |e: &Entry| {
        let [w, s, e, n] = e.bounds;
        fast_hilbert::xy2h(cell((w + e) / 2.0, west, east), cell((s + n) / 2.0, south, north), 16)
    };
    let mut keyed: Vec<(u64, u32)> = (0..).zip(entries).map(|(i, e)| (key(e), i)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, i)| i).collect()
}

/// The nearest single float that is not above.
fn below(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) > value { near.next_down() } else { near }
}

/// The nearest single float that is not below.
fn above(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < value { near.next_up() } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_of_every_height_are_sound_and_find_what_lies_in_a_box() {
        for count in [0, 1, 51, 52, 2_601, 2_602, 200_000] {
            let database = Connection::open_in_memory().unwrap();
            database.execute_batch("create virtual table t using rtree(id, minx, maxx, miny, maxy)").unwrap();
            let mut tree = Tree::new("t".into());
            // Scattered by a multiplicative lot, so that neighbours in number are none in place.
            let place = |i: i64| ((i * 7_919 % 1_009) as f64 * 0.1, (i * 104_729 % 997) as f64 * 0.1);
            for i in 0..count {
                let (x, y) = place(i);
                tree.add(&database, i, [x, y, x + 0.05, y + 0.05]).unwrap();
            }
            // Leaves of several runs lie side by side.
            if count == 200_000 {
                tree.pack_run(&database).unwrap();
                tree.add(&database, count, [50.0, 50.0, 50.0, 50.0]).unwrap();
            }
            tree.finish(&database).unwrap();
            let one = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
            assert_eq!(one("select rtreecheck('t')"), "ok", "{count}");
            let expected =
                (0..count).filter(|&i| (place(i).0 - 50.03).abs() < 3.0 && (place(i).1 - 50.03).abs() < 3.0).count();
            let expected = expected + usize::from(count == 200_000);
            let found = one(
                "select count(*) || '' from t where minx < 53.03 and maxx > 47.08 and miny < 53.03 and maxy > 47.08",
            );
            assert_eq!(found, expected.to_string(), "{count}");
        }
    }

    #[test]
    fn single_floats_never_shrink_a_box() {
        for value in [120.123_456_789, -36.000_000_1, 0.1, 40_500_000.123] {
            assert!(f64::from(below(value)) <= value && f64::from(above(value)) >= value);
        }
    }
}
