//! Pieces of a file: read in turn, matched on as many threads as there are, encoded for COPY.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use onemap_address::element::Element;
use onemap_address::find::{Candidate, Finder, Query, Source, alias_key};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::super::file::{RowsFile, join};
use super::super::results::{Answered, Band, Outcome, Rows, Tally, fault_bits, level_number, text_number};
use super::super::{AddressJobs, Checkpoint, Job};
use crate::address::aliases::{Alias, Target};
use crate::address::answer::{Name, element};
use crate::address::{Readable, days};
use crate::error::{Error, Result};

/// Rows of a piece: small enough that a pause takes effect within a moment, large enough that a commit is little beside it.
const ROWS: usize = 4096;
/// Pieces under way at once, from being read to being written.
const UNDER_WAY: usize = 6;

/// The results of a piece of the file.
pub struct Piece {
    /// Counted from the checkpoint on.
    pub index: u64,
    pub rows: i64,
    /// Where the next piece begins.
    pub place: u64,
    pub tally: Tally,
    /// A binary COPY stream.
    pub bytes: Vec<u8>,
    _turn: OwnedSemaphorePermit,
}

/// A layer, and the fingerprint of the scope that it was searched under.
pub type Searched = (String, i64);

/// Names that results refer to by number: layers, and divisions by district, town and community. Both only grow.
#[derive(Default)]
pub struct Lists {
    pub sources: Vec<Searched>,
    divisions: HashMap<String, i32>,
    pub names: Vec<[String; 3]>,
}

impl Lists {
    pub fn new(sources: Vec<Searched>, names: Vec<[String; 3]>) -> Lists {
        let divisions = names.iter().enumerate().map(|(i, n)| (n.join("\n"), i as i32)).collect();
        Lists { sources, divisions, names }
    }

    fn source(&mut self, layer: &str, scope: u64) -> i16 {
        let scope = scope as i64;
        let place = self.sources.iter().position(|s| s.0 == layer && s.1 == scope).unwrap_or_else(|| {
            self.sources.push((layer.to_owned(), scope));
            self.sources.len() - 1
        });
        place as i16
    }

    fn division(&mut self, names: [&str; 3], key: &mut String) -> Option<i32> {
        if names.iter().all(|n| n.is_empty()) {
            return None;
        }
        key.clear();
        for (i, name) in names.iter().enumerate() {
            key.push_str(if i > 0 { "\n" } else { "" });
            key.push_str(name);
        }
        if let Some(id) = self.divisions.get(key.as_str()) {
            return Some(*id);
        }
        let id = self.names.len() as i32;
        self.names.push(names.map(str::to_owned));
        self.divisions.insert(key.clone(), id);
        Some(id)
    }
}

struct Feed {
    file: RowsFile,
    row: i64,
    index: u64,
}

/// Rows of a piece: all their texts in one, each with its place in the file and its end in the text.
#[derive(Default)]
struct Texts {
    text: String,
    rows: Vec<(u64, usize)>,
}

/// What the threads share.
pub struct Shared {
    feed: Mutex<Feed>,
    turns: Arc<Semaphore>,
    readable: ArcSwap<Readable>,
    aliases: HashMap<String, Arc<Alias>>,
    lists: Mutex<Lists>,
    columns: Vec<usize>,
    auto: f32,
    reject: f32,
    stopped: AtomicBool,
}

impl Shared {
    pub async fn new(
        jobs: &AddressJobs,
        job: &Job,
        from: &Checkpoint,
        readable: Readable,
        aliases: HashMap<String, Arc<Alias>>,
        lists: Lists,
    ) -> Result<Shared> {
        let (path, place) = (jobs.files.path(job.file), from.place);
        let open = tokio::task::spawn_blocking(move || RowsFile::open_at(&path, place));
        let file = open.await.map_err(Error::internal)??;
        Ok(Shared {
            feed: Mutex::new(Feed { file, row: from.row, index: 0 }),
            turns: Arc::new(Semaphore::new(UNDER_WAY)),
            readable: ArcSwap::from_pointee(readable),
            aliases,
            lists: Mutex::new(lists),
            columns: job.chosen()?,
            auto: job.auto,
            reject: job.reject,
            stopped: AtomicBool::new(false),
        })
    }

    /// From the next piece on these are searched.
    pub fn search(&self, readable: Readable) {
        self.readable.store(Arc::new(readable));
    }

    pub fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the threads when it is dropped.
    pub fn ending(self: &Arc<Self>) -> impl Drop + use<> {
        struct Ending(Arc<Shared>);
        impl Drop for Ending {
            fn drop(&mut self) {
                self.0.stopped.store(true, Ordering::Relaxed);
                self.0.turns.close();
            }
        }
        Ending(self.clone())
    }

    /// Matches piece after piece until the file ends or nobody takes them any more.
    pub fn work(&self, send: &mpsc::Sender<Result<Piece>>) {
        let (mut finder, mut texts) = (Finder::new(), Texts::default());
        finder.day = Some(days::today());
        // Closed when the job is over.
        while let Ok(turn) = Handle::current().block_on(self.turns.clone().acquire_owned()) {
            let piece = match self.read(&mut texts) {
                Ok(Some((index, first, place))) => self.matched(&mut finder, &texts, (index, first, place), turn),
                Ok(None) => return,
                Err(e) => Some(Err(e)),
            };
            let taken = piece.is_some_and(|piece| send.blocking_send(piece).is_ok());
            if !taken {
                return;
            }
        }
    }

    /// The next rows of the file: the piece's index, its first row, and the place behind it.
    fn read(&self, texts: &mut Texts) -> Result<Option<(u64, i64, u64)>> {
        texts.text.clear();
        texts.rows.clear();
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        while texts.rows.len() < ROWS {
            let place = feed.file.place();
            let Some(record) = feed.file.next()? else { break };
            join(record, &self.columns, &mut text)?;
            texts.text.push_str(&text);
            texts.rows.push((place, texts.text.len()));
        }
        if texts.rows.is_empty() {
            return Ok(None);
        }
        let (index, first) = (feed.index, feed.row + 1);
        feed.index += 1;
        feed.row += texts.rows.len() as i64;
        Ok(Some((index, first, feed.file.place())))
    }

    /// None when the job is over before the piece is.
    fn matched(
        &self,
        finder: &mut Finder,
        texts: &Texts,
        (index, first, place): (u64, i64, u64),
        turn: OwnedSemaphorePermit,
    ) -> Option<Result<Piece>> {
        let readable = self.readable.load_full();
        let sources = readable.sources();
        let mut piece = Encoding {
            shared: self,
            readable: &readable,
            rows: Rows::begin(),
            tally: Tally::default(),
            key: String::new(),
        };
        let mut from = 0;
        for (i, (at, end)) in texts.rows.iter().enumerate() {
            if i % 256 == 0 && self.stopped.load(Ordering::Relaxed) {
                return None;
            }
            piece.row(finder, &sources, &texts.text[from..*end], (first + i as i64, *at as i64));
            from = *end;
        }
        let (rows, tally) = (texts.rows.len() as i64, piece.tally);
        Some(Ok(Piece { index, rows, place, tally, bytes: piece.rows.end(), _turn: turn }))
    }
}

/// A piece on its way into bytes.
struct Encoding<'a> {
    shared: &'a Shared,
    readable: &'a Readable,
    rows: Rows,
    tally: Tally,
    key: String,
}

impl Encoding<'_> {
    fn row(&mut self, finder: &mut Finder, sources: &[Source<'_>], text: &str, (row, at): (i64, i64)) {
        let key = alias_key(text);
        let number = text_number(&key);
        if let Some(alias) = self.shared.aliases.get(&key) {
            return self.decided(&alias.clone(), (row, at), number);
        }
        let answer = finder.search(sources, &Query { text, limit: 1, ..Query::default() });
        let best = answer.candidates.first();
        let band = Band::of(best.map(|c| c.score), &answer.faults, self.shared.auto, self.shared.reject);
        let faults = fault_bits(&answer.faults);
        let answered = best.map(|c| self.found(c));
        self.tally.count(band, answered.as_ref().map_or(0, |a| a.level), faults);
        self.rows.push(&Outcome {
            row,
            at,
            band,
            faults,
            answer: answered,
            remainder: &answer.remainder,
            alias: false,
            text: number,
        });
    }

    fn found<'c>(&mut self, c: &'c Candidate) -> Answered<'c> {
        let division = |of: Element| element(c, of).unwrap_or_default();
        let names = [division(Element::District), division(Element::Town), division(Element::Community)];
        let layer = self.readable.layer(c.source);
        let scope = self.readable.scope(c.source);
        let mut lists = self.shared.lists();
        Answered {
            score: c.score,
            level: level_number(c.match_level),
            coordinate: level_number(c.coordinate_level),
            source: Some(lists.source(layer, scope)),
            feature: c.id.map(|id| id as i64),
            lon: c.lon,
            lat: c.lat,
            division: lists.division(names, &mut self.key),
            label: &c.label,
        }
    }

    /// Answered by what somebody decided: a rejection is one too.
    fn decided(&mut self, alias: &Alias, (row, at): (i64, i64), text: Option<i64>) {
        let answered = alias.target.as_ref().map(|t| self.target(t));
        let band = if answered.is_some() { Band::Auto } else { Band::Reject };
        self.tally.count(band, answered.as_ref().map_or(0, |a| a.level), 0);
        self.rows.push(&Outcome { row, at, band, faults: 0, answer: answered, remainder: "", alias: true, text });
    }

    fn target<'t>(&mut self, t: &'t Target) -> Answered<'t> {
        let level = |name: &str| Name::parse(name).map_or(0, level_number);
        let scope = t.layer.as_deref().and_then(|layer| self.readable.scope_of(layer)).unwrap_or_default();
        let mut lists = self.shared.lists();
        Answered {
            score: 1.0,
            level: level(&t.match_level),
            coordinate: level(&t.coordinate_level),
            source: t.layer.as_deref().map(|layer| lists.source(layer, scope)),
            feature: t.feature,
            lon: t.lon,
            lat: t.lat,
            division: lists.division([&t.district, &t.town, &t.community], &mut self.key),
            label: &t.label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_number_each_name_once_and_go_on_after_a_restart() {
        let mut lists = Lists::default();
        let mut key = String::new();
        assert_eq!((lists.source("doors", 0), lists.source("poi", 7), lists.source("doors", 0)), (0, 1, 0));
        assert_eq!(lists.source("poi", u64::MAX), 2, "another scope is another number");
        assert_eq!(lists.division(["", "", ""], &mut key), None);
        assert_eq!(lists.division(["市南区", "香港中路街道", "甲"], &mut key), Some(0));
        assert_eq!(lists.division(["市南区", "香港中路街道", "乙"], &mut key), Some(1));
        let mut again = Lists::new(lists.sources, lists.names);
        assert_eq!(again.division(["市南区", "香港中路街道", "乙"], &mut key), Some(1));
        assert_eq!(again.division(["市北区", "", ""], &mut key), Some(2));
        assert_eq!((again.source("poi", 7), again.source("poi", u64::MAX)), (1, 2));
    }
}
