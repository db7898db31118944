//! The division alone, where nothing finer is found.

use super::{Place, Scored, Search};
use crate::element::Element;
use crate::find::Level;
use crate::find::fit::{self, Asked, Prices};
use crate::find::mention::Why;
use crate::segment::row::Zone;

/// A division alone, where more was asked for.
const COARSE: f32 = 2.4;
/// A door was asked for, and only its division is answered.
const UNANSWERED: f32 = 1.5;

impl Search<'_, '_> {
    /// The finest division that the text names.
    pub(super) fn named_divisions(&mut self, a: &Asked<'_>) {
        let view = self.view;
        let mut named: Vec<u32> = Vec::new();
        let (mut at, mut bare) = (a.t.len(), 0);
        while at > 0 && a.steps[at].cost < f32::MAX {
            let s = a.steps[at];
            match s.why {
                Why::Mention(k) => {
                    named.extend(a.mentions[k..].iter().take_while(|m| (m.from, m.to) == (s.from, at)).map(|m| m.name))
                }
                // Another province or city is not to be answered by a district of the same name.
                Why::Foreign(k) if a.divisions[k].level <= Element::City => return,
                Why::Bare => bare += 1,
                Why::Filler | Why::Foreign(_) => {}
            }
            at = s.from;
        }
        if named.is_empty() {
            return;
        }
        let asked_for_more = (0..a.t.len()).any(|i| a.t.kinds[i].is_digit() && !a.dull[i]) && bare > 0;
        let price = COARSE + (bare as f32 * 0.05).min(1.0) + if asked_for_more { UNANSWERED } else { 0.0 };
        let agreed = |z: &Zone| self.chain(z).map(|n| n != 0 && named.contains(&n));
        let count = |z: &Zone| agreed(z).iter().filter(|x| **x).count();
        let Some(most) = view.zones.iter().filter(|z| z.rows > 0).map(count).max().filter(|n| *n > 0) else { return };
        let mut best: Vec<(u32, Zone)> = view
            .zones
            .iter()
            .enumerate()
            .filter(|(_, z)| z.rows > 0 && count(z) == most)
            .map(|(k, z)| (k as u32, *z))
            .collect();
        best.sort_by_key(|(_, z)| (!agreed(z)[4], !agreed(z)[3], z.own == 0, u32::MAX - z.rows));
        let Some((k, z)) = best.into_iter().find(|(_, z)| self.zone_shown(z)) else { return };
        let levels = agreed(&z);
        let (level, place) = match (levels[4], levels[3]) {
            (true, _) => (Level::Village, z.own.checked_sub(1).map_or(Place::Zone(k), Place::Row)),
            (_, true) => (Level::Street, Place::Zone(k)),
            _ => (Level::District, Place::Area(z.area)),
        };
        let mut verdicts = Vec::new();
        let (division, _) = fit::prefix(a, &view, self.chain(&z), a.t.len(), false, &mut verdicts);
        let prices = Prices { division, before: price, ..Prices::default() };
        self.out.push(Scored {
            source: self.number,
            place,
            level,
            prices,
            verdicts,
            street: None,
            typo: false,
            stale: false,
            named_end: a.t.len(),
            end: a.t.len(),
        });
    }

    /// Whether a caller who sees only some rows may know of a zone: where a grant limits them no zone is answered, and none whose
    /// rows may all be gone.
    fn zone_shown(&self, zone: &Zone) -> bool {
        self.source.visible.is_none() && self.source.hidden.is_none_or(|h| h.len() < u64::from(zone.rows))
    }
}
