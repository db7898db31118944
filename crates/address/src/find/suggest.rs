//! Completions while somebody types: names that begin so (in characters, in pinyin, by initials), and the doors of a street that
//! is already whole.

use super::answer;
use super::fit::Prices;
use super::reverse::level_of;
use super::search::{Place, Scored};
use super::{Candidate, Finder, Level, Query, Source};
use crate::segment::View;
use crate::segment::forms::role;
use crate::text::{Text, Unit, character};

/// How many names with the same beginning are weighed, how many of one kind of beginning are looked at.
const LOOKED_AT: usize = 4000;

/// A name that completes what was typed.
struct Completion {
    source: usize,
    name: u32,
    /// How much of the text was taken up by divisions before it.
    weight: u64,
    exact: bool,
}

pub fn suggest(finder: &mut Finder, sources: &[Source<'_>], query: &Query<'_>) -> Vec<Candidate> {
    let limit = query.limit.max(1);
    let text = Text::of(query.text);
    if text.is_empty() || text.len() > 60 {
        return Vec::new();
    }
    // A whole address that goes on after its street is found by searching.
    let digits = text.kinds.iter().any(|k| k.is_digit());
    let mut out: Vec<Candidate> = Vec::new();
    if digits {
        let found = finder.search(sources, &Query { limit, ..*query });
        out.extend(found.candidates.into_iter().filter(|c| c.match_level > Level::Village && c.score > 0.2));
    }
    let mut found: Vec<Completion> = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let Ok(view) = source.segment.view() else { continue };
        let before = found.len();
        let mut from = 0;
        // What begins like a name counts from the first place on where one does: 青岛市市南区香港…
        while from < text.len() && found.len() == before && text.len() - from >= 1 {
            begins(&view, number, &text.units[from..], &mut found);
            from += 1;
        }
        let letters: String = text.units.iter().map(|u| character(*u).to_ascii_lowercase()).collect();
        if letters.len() >= 2 && letters.bytes().all(|b| b.is_ascii_alphanumeric()) {
            spoken(&view, number, &letters, &mut found);
        }
    }
    found.sort_by_key(|c| (!c.exact, u64::MAX - c.weight, c.source, c.name));
    found.dedup_by_key(|c| (c.source, c.name));
    for c in found {
        if out.len() >= limit {
            break;
        }
        let Ok(view) = sources[c.source].segment.view() else { continue };
        let Some(made) = place(&view, sources, finder.day, &c) else { continue };
        if !out.iter().any(|o| o.label == made.label) {
            out.push(made);
        }
    }
    out.truncate(limit);
    out
}

/// The names whose key begins with these units.
fn begins(view: &View<'_>, source: usize, units: &[Unit], found: &mut Vec<Completion>) {
    let first = view.first_name(units);
    for name in (first..view.names()).take(LOOKED_AT).take_while(|n| view.name_key(*n).starts_with(units)) {
        complete(view, source, name, view.name_key(name).len() == units.len(), found);
    }
}

fn spoken(view: &View<'_>, source: usize, letters: &str, found: &mut Vec<Completion>) {
    let hits: Vec<(bool, u32)> =
        view.spoken(letters).take(LOOKED_AT).map(|(t, n)| (t.len() == letters.len(), n)).collect();
    for (exact, name) in hits {
        complete(view, source, name, exact, found);
    }
}

fn complete(view: &View<'_>, source: usize, name: u32, exact: bool, found: &mut Vec<Completion>) {
    let roles = view.role(name);
    if roles & (role::STREET | role::COMPOUND | role::POI) == 0 {
        return;
    }
    let rows = view.groups(name).iter().map(|g| u64::from(g.to - g.from)).sum::<u64>();
    let spans = view.spans(name).iter().map(|s| u64::from(s.to - s.from)).sum::<u64>();
    found.push(Completion { source, name, weight: rows + spans, exact });
}

/// What a name completes to: the street, or the first row of the compound or place that the caller may see.
fn place(view: &View<'_>, sources: &[Source<'_>], day: Option<i32>, c: &Completion) -> Option<Candidate> {
    let source = &sources[c.source];
    let shown = |k: &u32| {
        source.shows(u64::from(view.rows[*k as usize].id)) && day.is_none_or(|day| view.validity(*k).holds(day))
    };
    let scored = |place, level| Scored::plain(c.source, place, level, Prices::default());
    let span = view.spans(c.name).iter().find_map(|s| (s.from..s.to).take(LOOKED_AT).find(&shown));
    let scored = match span {
        Some(k) => {
            let r = &view.rows[k as usize];
            let level = if r.compound == c.name { Level::Compound } else { level_of(r) };
            scored(Place::Row(k), level)
        }
        None => {
            let group = view.groups(c.name).iter().max_by_key(|g| g.to - g.from)?;
            let middle = group.from.midpoint(group.to);
            let row = (middle..group.to).chain(group.from..middle).take(LOOKED_AT).find(&shown)?;
            let r = &view.rows[row as usize];
            scored(Place::Near { row, lon: r.lon, lat: r.lat }, Level::Road)
        }
    };
    let mut made = answer::candidate(view, source.tag, &scored);
    made.score = if c.exact { 0.9 } else { 0.5 };
    Some(made)
}
