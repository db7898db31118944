//! From a place to the addresses around it.

use super::answer::{self, metres};
use super::fit::Prices;
use super::search::{Place, Scored};
use super::{Candidate, Level, Source};
use crate::segment::row::{DEGREE, Row};
use crate::segment::{CELL, View, cell, cell_number};

/// The nearest rows within `radius` metres: nearest first.
pub fn nearest(
    sources: &[Source<'_>],
    day: Option<i32>,
    at: (f64, f64),
    radius: f64,
    limit: usize,
) -> Vec<(Candidate, f64)> {
    let mut found: Vec<(f64, u8, usize, u32)> = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let Ok(view) = source.segment.view() else { continue };
        around(source, &view, day, at, radius, limit, |distance, row| {
            found.push((distance, source.priority, number, row))
        });
    }
    // Of several at one place the least specific comes first: the door before its rooms.
    found.sort_by(|a, b| (a.0.total_cmp(&b.0)).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)).then(a.3.cmp(&b.3)));
    found.truncate(limit);
    let made = found.into_iter().filter_map(|(distance, _, number, row)| {
        let view = sources[number].segment.view().ok()?;
        let level = level_of(&view.rows[row as usize]);
        let scored = Scored::plain(number, Place::Row(row), level, Prices::default());
        let mut c = answer::candidate(&view, sources[number].tag, &scored);
        c.score = 1.0;
        Some((c, distance))
    });
    made.collect()
}

/// Calls `each` with the shown rows within the radius, ring by ring, until enough are nearer than any further ring can be.
fn around(
    source: &Source<'_>,
    view: &View<'_>,
    day: Option<i32>,
    at: (f64, f64),
    radius: f64,
    limit: usize,
    mut each: impl FnMut(f64, u32),
) {
    let (cells, starts, rows) = view.cells;
    let (x, y) = cell(at.0, at.1);
    // The narrowest side of a cell here, in metres.
    let side = CELL * 111_195.0 * at.1.to_radians().cos().max(0.05);
    let rings = (radius / side).ceil() as u32 + 1;
    let mut distances: Vec<f64> = Vec::new();
    for ring in 0..=rings {
        let enough = distances.len() >= limit && {
            distances.sort_by(f64::total_cmp);
            distances[limit - 1] < f64::from(ring.saturating_sub(1)) * side
        };
        if enough {
            break;
        }
        for cy in y.saturating_sub(ring)..=y + ring {
            let edge = cy == y.saturating_sub(ring) || cy == y + ring;
            let step = if edge || ring == 0 { 1 } else { 2 * ring as usize };
            for cx in (x.saturating_sub(ring)..=x + ring).step_by(step) {
                let Ok(k) = cells.binary_search(&cell_number((cx, cy))) else { continue };
                for row in rows.get(starts[k] as usize..starts[k + 1] as usize).unwrap_or(&[]) {
                    let r = &view.rows[*row as usize];
                    let distance = metres(at, (f64::from(r.lon) / DEGREE, f64::from(r.lat) / DEGREE));
                    let holds = day.is_none_or(|day| view.validity(*row).holds(day));
                    if distance <= radius && holds && source.shows(u64::from(r.id)) {
                        distances.push(distance);
                        each(distance, *row);
                    }
                }
            }
        }
    }
}

/// How precise a row is by itself.
pub fn level_of(r: &Row) -> Level {
    match r {
        r if r.room != 0 => Level::Room,
        r if r.unit != 0 || r.floor != 0 => Level::Unit,
        r if r.building != 0 => Level::Building,
        r if r.poi != 0 => Level::Poi,
        r if r.compound != 0 => Level::Compound,
        r if r.door != 0 => Level::Number,
        r if r.street != 0 => Level::Road,
        _ => Level::Village,
    }
}
