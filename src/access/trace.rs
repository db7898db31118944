//! What a request or a job is seen to open: filled by the gate and by the places that read rows, read by whoever keeps evidence.
//!
//! A handler does not take part: opening a layer is what leaves the trace, so that no endpoint can forget it.

use std::sync::{Arc, Mutex, PoisonError};

use onemap_evidence::Record;

use super::policy::Issued;
use super::principal::Principal;

/// Features that are noted one by one; of more only the conditions are.
pub const MOST_FEATURES: usize = 1000;
/// Bytes of the conditions that are noted.
const MOST_FILTER: usize = 4000;
/// Layers that are noted of one request: more are not opened by any.
const MOST_LAYERS: usize = 500;

tokio::task_local! {
    static CURRENT: Arc<Trace>;
}

/// What one request or job opened.
#[derive(Debug)]
pub struct Trace(Mutex<Seen>);

/// The parts of a trace.
#[derive(Debug, Default)]
pub struct Seen {
    pub who: Option<Arc<str>>,
    pub department: Option<Arc<str>>,
    pub opened: Vec<Opened>,
    /// The tile that was asked for: the matrix set's id, zoom, column, row.
    pub tile: Option<(&'static str, u8, u32, u32)>,
    /// Rows of an answer at most: one more is read to see whether there is a next page.
    pub most: Option<u64>,
}

/// A layer that was opened, or was not; or, without a layer, something else that is looked at.
#[derive(Debug, Default, Clone)]
pub struct Opened {
    pub layer: Option<Arc<str>>,
    pub owner: Option<Arc<str>>,
    pub grant: Option<i64>,
    pub purpose: Option<Arc<str>>,
    pub refused: bool,
    pub revision: Option<i32>,
    pub rows: u64,
    pub features: Vec<i64>,
    /// How it is called, where the route does not say it: what is looked at is not a layer's, or is for paper.
    pub operation: Option<&'static str>,
    pub extent: Option<[f64; 4]>,
    pub filter: Option<String>,
    pub fields: Option<Vec<String>>,
}

impl Default for Trace {
    fn default() -> Self {
        Trace(Mutex::new(Seen::default()))
    }
}

impl Trace {
    /// Looks at what was seen, or adds to it. No other lock is taken inside.
    pub fn with<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Seen {
    fn by(&mut self, principal: &Principal) {
        if self.who.is_none() {
            self.who = Some(principal.name().into());
            self.department = principal.department.clone();
        }
    }

    fn layer(&mut self, layer: &str) -> Option<&mut Opened> {
        self.opened.iter_mut().find(|opened| opened.layer.as_deref() == Some(layer))
    }

    /// Rows of a layer that were read to be given.
    pub fn gave(&mut self, layer: &str, rows: u64, ids: &[i64]) {
        let most = self.most;
        if let Some(opened) = self.layer(layer) {
            opened.gave(rows, ids);
            if let Some(most) = most {
                opened.rows = opened.rows.min(most);
                opened.features.truncate(most as usize);
            }
        }
    }

    fn push(&mut self, opened: Opened) {
        if self.opened.len() < MOST_LAYERS {
            self.opened.push(opened);
        }
    }
}

impl Opened {
    /// Adds a condition to those that were noted.
    pub fn condition(&mut self, text: &str) {
        // Rows and their count are asked for alike.
        if text.is_empty() || self.filter.as_ref().is_some_and(|filter| filter.contains(text)) {
            return;
        }
        let filter = self.filter.get_or_insert_default();
        if !filter.is_empty() {
            filter.push_str(" AND ");
        }
        filter.push_str(text);
        if filter.len() > MOST_FILTER {
            let end = (0..=MOST_FILTER).rev().find(|at| filter.is_char_boundary(*at)).unwrap_or(0);
            filter.truncate(end);
            filter.push('…');
        }
    }

    /// Widens what was asked for.
    pub fn reach(&mut self, [west, south, east, north]: [f64; 4]) {
        let all = self.extent.get_or_insert([west, south, east, north]);
        *all = [all[0].min(west), all[1].min(south), all[2].max(east), all[3].max(north)];
    }

    /// Rows that were given. One id beyond those that are noted says that there were more.
    fn gave(&mut self, rows: u64, ids: &[i64]) {
        self.rows += rows;
        let room = (MOST_FEATURES + 1).saturating_sub(self.features.len());
        self.features.extend(ids.iter().take(room));
    }
}

/// The part of a record that says what was opened.
impl From<Opened> for Record {
    fn from(opened: Opened) -> Record {
        let Opened { layer, owner, grant, purpose, revision, rows, mut features, extent, filter, fields, .. } = opened;
        features.sort_unstable();
        features.dedup();
        let known = !features.is_empty() && features.len() <= MOST_FEATURES;
        Record {
            layer,
            owner,
            grant,
            purpose,
            revision,
            rows: rows as i64,
            features: known.then_some(features),
            extent,
            filter: filter.map(Into::into),
            fields,
            complete: true,
            requests: 1,
            ..Record::default()
        }
    }
}

/// Runs `work` so that what it opens is noted in `trace`.
pub async fn within<F: Future>(trace: Arc<Trace>, work: F) -> F::Output {
    CURRENT.scope(trace, work).await
}

/// The same for what does not wait.
pub fn within_sync<T>(trace: Arc<Trace>, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(trace, work)
}

/// The trace of the request or job under way. None on the command line and in what a node does by itself.
pub fn current() -> Option<Arc<Trace>> {
    CURRENT.try_with(Clone::clone).ok()
}

fn noted(note: impl FnOnce(&mut Seen)) {
    let _ = CURRENT.try_with(|trace| trace.with(note));
}

/// Adds something to what was noted of a layer that is open.
pub fn note(layer: &str, note: impl FnOnce(&mut Opened)) {
    noted(|seen| {
        seen.layer(layer).map(note);
    });
}

/// Of the tile that the request asks for.
pub fn tile(set: &'static str, zoom: u8, column: u32, row: u32) {
    noted(|seen| seen.tile = Some((set, zoom, column, row)));
}

/// Of a page that gives so many rows at most.
pub fn at_most(rows: i64) {
    noted(|seen| seen.most = Some(rows.max(0) as u64));
}

/// Of features of a layer that were chosen among more that were read.
pub fn gave(layer: &str, ids: &[i64]) {
    noted(|seen| seen.gave(layer, ids.len() as u64, ids));
}

/// Of who asks, before anything is opened: rules may be tried out for somebody else.
pub fn by(principal: &Principal) {
    noted(|seen| seen.by(principal));
}

/// Of looking at something that is no layer.
pub fn other(principal: &Principal, operation: &'static str, filter: &str) {
    noted(|seen| {
        seen.by(principal);
        let mut opened = Opened { operation: Some(operation), ..Opened::default() };
        opened.condition(filter);
        seen.push(opened);
    });
}

/// The gate's notes: of what was opened, and under which grant, or of what was refused.
pub(super) fn asked(principal: &Principal, (layer, owner): (&Arc<str>, &Arc<str>), under: Option<Option<&Issued>>) {
    noted(|seen| {
        seen.by(principal);
        let refused = under.is_none();
        if seen.opened.iter().any(|opened| opened.layer.as_ref() == Some(layer) && opened.refused == refused) {
            return;
        }
        let issued = under.flatten();
        seen.push(Opened {
            layer: Some(layer.clone()),
            owner: Some(owner.clone()),
            grant: issued.map(|issued| issued.id),
            purpose: issued.map(|issued| issued.purpose.clone()),
            refused,
            ..Opened::default()
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_opened_is_noted_once_and_only_within() {
        let (layer, owner): (Arc<str>, Arc<str>) = ("a".into(), "housing".into());
        let by = Principal::operator("health");
        let issued = Issued { id: 7, purpose: "防疫".into() };
        asked(&by, (&layer, &owner), Some(None));
        let trace = Arc::new(Trace::default());
        within(trace.clone(), async {
            asked(&by, (&layer, &owner), Some(Some(&issued)));
            asked(&by, (&layer, &owner), Some(Some(&issued)));
            note("a", |opened| {
                opened.condition("x > 1");
                opened.condition("y = 2");
                opened.reach([1.0, 2.0, 3.0, 4.0]);
                opened.reach([0.0, 2.5, 2.0, 5.0]);
            });
            note("b", |opened| opened.rows = 9);
        })
        .await;
        trace.with(|seen| {
            assert_eq!(seen.who.as_deref(), Some("operator"));
            let [opened] = &seen.opened[..] else { panic!("{seen:?}") };
            assert_eq!((opened.grant, opened.filter.as_deref()), (Some(7), Some("x > 1 AND y = 2")));
            assert_eq!(opened.extent, Some([0.0, 2.0, 3.0, 5.0]));
        });
    }

    #[test]
    fn long_conditions_and_many_features_are_cut_off() {
        let mut opened = Opened::default();
        opened.condition(&"楼".repeat(3000));
        assert!(opened.filter.as_ref().is_some_and(|f| f.len() <= MOST_FILTER + 3 && f.ends_with('…')));
        opened.gave(5000, &(0..5000).collect::<Vec<_>>());
        assert_eq!((opened.rows, opened.features.len()), (5000, MOST_FEATURES + 1));
    }
}
