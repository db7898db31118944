//! Pages of features: which rows, how many there are, and the stream of them.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::Row;

use super::output::{Frame, Numbers, Pages, Writer};
use super::query::Resolved;
use super::request::{Get, Version};
use crate::access::datastore::Rows;
use crate::app::App;
use crate::error::Result;
use crate::feature::cursor;
use crate::feature::geojson::Body;
use crate::feature::output::LONGEST;
use crate::feature::query::MOST_FEATURES;
use crate::layer::model::Field;
use crate::layer::select;

/// Features of an answer for which no `count` was given, in versions that know of pages.
pub const DEFAULT_COUNT: i64 = 10_000;
/// The most that one answer gives, whatever `count` says: exports are the way to more.
pub const MOST_COUNT: i64 = 1_000_000;
/// What is gathered before the beginning of an answer must be written, which names the number of its features.
const GATHERED: usize = 1024 * 1024;
const CHUNK: usize = 48 * 1024;
/// What counting may take. Answers are of use without it.
const COUNTING: Duration = Duration::from_secs(3);

/// A stretch of a query's rows.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub start: i64,
    pub count: i64,
}

impl Window {
    /// Version 1.1.0 has no pages: who names no number wants everything.
    pub fn of(version: Version, get: &Get) -> Window {
        let default = if version.is_two() { DEFAULT_COUNT } else { MOST_COUNT };
        Window { start: get.start, count: get.count.unwrap_or(default).min(MOST_COUNT) }
    }
}

/// How many rows there are; none when counting them takes too long.
pub async fn matched(app: &App, query: &Resolved) -> Result<Option<i64>> {
    let drawn = &query.described.drawn;
    let state = drawn.layer.state();
    let whole = drawn.grant.scope().is_all() && !query.filtered;
    if let (Some(count), true) = (state.feature_count, whole && query.edits == Some(state.edits)) {
        return Ok(Some(count));
    }
    let sql = select::count(&drawn.layer, &drawn.grant, &query.selection);
    let counting = async { app.store.read(&drawn.grant).await?.one::<i64>(&sql).await };
    match tokio::time::timeout(COUNTING, counting).await {
        Ok(count) => count.map(Some),
        Err(_) => Ok(None),
    }
}

/// How many rows there are, and how many of them the window holds.
async fn counted(app: &App, query: &Resolved, window: Window) -> Result<Numbers> {
    let matched = matched(app, query).await?;
    let returned = match matched {
        Some(all) => (all - window.start).clamp(0, window.count),
        None => held(app, query, window).await?,
    };
    Ok(Numbers { matched, returned })
}

/// How many rows a window holds, where their whole number is not known.
async fn held(app: &App, query: &Resolved, window: Window) -> Result<i64> {
    let drawn = &query.described.drawn;
    let mut wanted = query.selection.clone();
    (wanted.limit, wanted.offset) = (Some(window.count), Some(window.start));
    let sql = select::count_of_page(&drawn.layer, &drawn.grant, &wanted);
    app.store.read(&drawn.grant).await?.one::<i64>(&sql).await
}

/// A page under way.
pub struct Page {
    rows: Rows,
    writer: Writer,
    window: Window,
    written: i64,
    keys: usize,
    /// The row written last: its place is where the next page begins.
    last: Option<Row>,
    pub more: bool,
}

impl Page {
    /// Begins at a known place where one is, or else counts off. `long` takes as long as its reader does.
    pub async fn open(app: &App, query: &Resolved, writer: Writer, window: Window, long: bool) -> Result<Page> {
        let drawn = &query.described.drawn;
        let mut wanted = query.selection.clone();
        let known = query.rows().filter(|_| window.start > 0).and_then(|rows| app.bookmarks.get(rows, window.start));
        match known {
            Some(place) => wanted.after = Some(place),
            None if window.start > 0 => wanted.offset = Some(window.start),
            None => {}
        }
        wanted.limit = Some(window.count + 1);
        let fields: Vec<&Field> = query.fields.iter().collect();
        let sql = select::features(&drawn.layer, &drawn.grant, &fields, &wanted);
        let reader = match long {
            true => app.store.apart(&drawn.grant, LONGEST).await?,
            false => app.store.read(&drawn.grant).await?,
        };
        let rows = reader.gives(window.count).rows(&sql).await?;
        Ok(Page { rows, writer, window, written: 0, keys: wanted.sort.len(), last: None, more: false })
    }

    pub fn written(&self) -> i64 {
        self.written
    }

    /// Writes features until there are so many bytes; true when the page is complete.
    pub async fn fill(&mut self, out: &mut Vec<u8>, until: usize, first: bool) -> Result<bool> {
        while let Some(row) = self.rows.next().await {
            let row = row?;
            if self.written == self.window.count {
                self.more = true;
                continue;
            }
            self.writer.row(out, &row, first && self.written == 0)?;
            self.written += 1;
            self.last = Some(row);
            if out.len() >= until {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Remembers where the next page begins.
    fn remember(&mut self, app: &App, query: &Resolved) {
        let (Some(rows), Some(last)) = (query.rows(), self.last.take().filter(|_| self.more)) else { return };
        if let Ok(place) = cursor::place(&last, self.keys) {
            app.bookmarks.put(rows, self.window.start + self.written, place);
        }
    }
}

/// One query's answer. What fails before its first megabyte is an answer of its own, not a broken connection.
pub async fn single(
    app: App,
    query: Resolved,
    writer: Writer,
    frame: Frame,
    window: Window,
    pages: Links,
) -> Result<Body> {
    // Before the rows hold a connection: if all who have one waited for a second, nobody would get it.
    let counted = counted(&app, &query, window).await?;
    let place = match counted.returned > MOST_FEATURES {
        true => Some(app.downloads.place()?),
        false => None,
    };
    let mut page = Page::open(&app, &query, writer, window, place.is_some()).await?;
    let mut gathered = Vec::with_capacity(CHUNK);
    let ended = page.fill(&mut gathered, GATHERED, true).await?;
    let seen = ended && !page.more && (page.written > 0 || window.start == 0);
    let numbers = Numbers {
        matched: if seen { Some(window.start + page.written) } else { counted.matched },
        returned: if ended { page.written } else { counted.returned },
    };
    let more = match (ended, numbers.matched) {
        (true, _) => page.more,
        (false, Some(all)) => window.start + numbers.returned < all,
        (false, None) => numbers.returned == window.count,
    };
    let links = pages.of(window, numbers.returned, more);
    let mut head = frame.head(numbers, &links);
    head.append(&mut gathered);
    let state = Streaming { app, query, page, frame, links, numbers, ended, _place: place };
    let rest = futures_util::stream::try_unfold(Some(state), |state| async move {
        let Some(mut state) = state else { return Ok(None) };
        let mut out = Vec::with_capacity(CHUNK + 4096);
        let ended = state.fill(&mut out).await?;
        Ok(Some((Bytes::from(out), (!ended).then_some(state))))
    });
    Ok(Box::pin(futures_util::stream::iter([Ok(Bytes::from(head))]).chain(rest)))
}

struct Streaming {
    app: App,
    query: Resolved,
    page: Page,
    frame: Frame,
    links: Pages,
    numbers: Numbers,
    ended: bool,
    /// Among the downloads, until the last row is read.
    _place: Option<OwnedSemaphorePermit>,
}

impl Streaming {
    /// Fills a chunk; true when the document is complete.
    async fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        if !self.ended {
            self.ended = self.page.fill(out, CHUNK, true).await?;
        }
        if self.ended {
            self.page.remember(&self.app, &self.query);
            let numbers = Numbers { returned: self.page.written, ..self.numbers };
            out.extend_from_slice(&self.frame.tail(numbers, &self.links));
        }
        Ok(self.ended)
    }
}

/// Makes the addresses of the pages around one.
pub struct Links {
    /// The request without `startIndex` and `count`, ending in `&`; none when it is too long for an address.
    pub base: Option<String>,
    pub count: i64,
}

impl Links {
    pub fn of(&self, window: Window, returned: i64, more: bool) -> Pages {
        let Some(base) = &self.base else { return Pages::default() };
        let at = |start: i64, count: i64| format!("{base}startIndex={start}&count={count}");
        let before = (window.start - self.count).max(0);
        Pages {
            next: (more && returned > 0).then(|| at(window.start + returned, self.count)),
            previous: (window.start > 0).then(|| at(before, self.count.min(window.start))),
        }
    }
}
