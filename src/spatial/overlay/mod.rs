//! Overlay: a department's own rows go through, and come out in the same order with what shared layers say of their places.
//!
//! The rows are worked through as they come, a few hundred at a time, on one thread. They are neither logged nor kept: what waits is in
//! memory, and of a bounded size on both sides, so that whoever sends faster than they are read has to wait.

pub mod collection;
pub mod delimited;
pub mod input;
pub mod job;
pub mod matching;
pub mod output;
pub mod sheet;
pub mod table;

use std::io::Read;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::{mpsc, oneshot};

use self::input::{Format, Incoming};
use self::matching::{Located, Matcher};
use self::output::Writer;
use super::{Named, Opened, Spatial};
use crate::access::datastore::Watch;
use crate::access::principal::Principal;
use crate::error::{Error, Result, Said};
use crate::geo::china;
use crate::geo::crs::Crs;

/// Rows worked through between two looks at the world.
const BATCH: usize = 256;
/// Pieces of output that may wait for their reader, of 64 KiB each: clients that send everything before they read anything come
/// through with as much as that.
const WAITING: usize = 256;
/// Rows of one overlay.
pub const MOST_ROWS: u64 = 20_000_000;

/// How a row's place has to lie to a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Predicate {
    Intersects,
    Within,
    /// The `k` nearest within so many metres.
    Nearest {
        k: usize,
        most: f64,
    },
}

/// The reference system of what is sent: x (easting, longitude) and y, whatever the order of its authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    Crs(Crs),
    Gcj02,
    Bd09,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub layers: Vec<Named>,
    pub predicate: Predicate,
    /// Whether every match makes a row of its own (tables); otherwise the first does.
    pub all_matches: bool,
    pub format: Format,
    pub output: output::Format,
    pub system: System,
    pub columns: Columns,
    /// Whether problems are said in English.
    pub english: bool,
}

/// The columns of a table that say where its rows are; found by their names where none are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    pub lon: Option<String>,
    pub lat: Option<String>,
    pub wkt: Option<String>,
    pub address: Option<String>,
}

/// What is wrong with one row, or with all that comes after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: &'static str,
    pub said: Said,
}

impl Problem {
    pub fn new(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
        Problem { code, said: Said::new(zh, en) }
    }
}

/// How it went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub rows: u64,
    /// Rows with at least one match.
    pub matched: u64,
    /// Rows with a problem.
    pub problems: u64,
}

/// Bytes on their way.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

impl System {
    pub fn parse(text: &str) -> Result<System> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "gcj02" => System::Gcj02,
            "bd09" => System::Bd09,
            "cgcs2000" => System::Crs(Crs::epsg(4490)),
            "wgs84" => System::Crs(Crs::epsg(4326)),
            _ => System::Crs(Crs::parse(text).ok_or_else(|| {
                let shown: String = text.chars().take(60).collect();
                Error::invalid("crs", format!("没有坐标系 {shown}"), format!("there is no reference system {shown}"))
                    .hint(
                        "例如 EPSG:4490、EPSG:4549、EPSG:3857、gcj02、bd09",
                        "such as EPSG:4490, EPSG:4549, EPSG:3857, gcj02, bd09",
                    )
            })?),
        })
    }

    /// Longitude and latitude of x and y.
    pub fn degrees(self, x: f64, y: f64) -> Result<(f64, f64), Problem> {
        match self {
            System::Gcj02 => Ok(china::gcj02_to_wgs84(x, y)),
            System::Bd09 => Ok(china::bd09_to_wgs84(x, y)),
            System::Crs(crs) if crs.is_geographic() => Ok((x, y)),
            // Nobody's land: a metre or two from where a zone begins.
            System::Crs(crs) if x.abs() <= 180.0 && y.abs() <= 90.0 => {
                let name = crs.name();
                Err(Problem::new(
                    "wrong-crs",
                    format!("坐标看起来是经纬度，而 crs 是 {name}"),
                    format!("the coordinates look like degrees, and crs says {name}"),
                ))
            }
            System::Crs(crs) => {
                let written = if crs.swapped { [y, x] } else { [x, y] };
                let at = crs.to_degrees(written).map(|[x, y]| (x, y));
                at.ok_or_else(|| {
                    let name = crs.name();
                    Problem::new("wrong-crs", format!("坐标不在 {name} 的范围内"), format!("{name} has no such place"))
                })
            }
        }
    }
}

/// Everything that is needed to work through rows.
pub struct Plan {
    wanted: Wanted,
    matcher: Matcher,
    opened: Vec<Opened>,
    /// A grant that ends meanwhile ends the work.
    watches: Vec<Watch>,
}

impl Plan {
    /// The layers that are asked.
    pub fn opened(&self) -> &[Opened] {
        &self.opened
    }
}

impl Spatial {
    /// Opens and prepares what a request asks for.
    pub async fn plan(&self, by: &Principal, wanted: Wanted) -> Result<Plan> {
        let opened = self.open_all(by, &wanted.layers)?;
        if let Some(i) = (1..opened.len()).find(|i| opened[..*i].iter().any(|other| other.id() == opened[*i].id())) {
            let id = opened[i].id();
            let (zh, en) = (format!("图层 {id} 重复出现"), format!("the layer {id} is given more than once"));
            return Err(Error::invalid("layers", zh, en));
        }
        if wanted.all_matches && (opened.len() != 1 || !wanted.output.is_table()) {
            let (zh, en) = (
                "matches=all 只用于单个图层的表格输出（CSV、XLSX）",
                "matches=all is for one layer and a table (csv, xlsx)",
            );
            return Err(Error::invalid("matches", zh, en)
                .hint("GeoJSON 输出总是含有全部匹配", "GeoJSON has all matches in any case"));
        }
        let mut references = Vec::with_capacity(opened.len());
        for layer in &opened {
            references.push(self.reference(layer).await?);
        }
        let readable = match &wanted.columns.address {
            Some(_) => Some(self.addresses.readable(by, None).await?),
            None => None,
        };
        if readable.as_ref().is_some_and(|readable| readable.sources().is_empty()) {
            return Err(Error::conflict("没有可用的地址源", "there is no address source that you may search"));
        }
        let matcher = Matcher {
            references,
            predicate: wanted.predicate,
            system: wanted.system,
            addresses: readable.map(|readable| (self.addresses.finders().clone(), readable)),
            runtime: tokio::runtime::Handle::current(),
        };
        let watches = opened.iter().map(|layer| self.store.watch(&layer.grant)).collect::<Result<_>>()?;
        Ok(Plan { wanted, matcher, opened, watches })
    }

    /// Works through a body as it comes. What is wrong with its beginning (columns, format) is an error; later the output says it.
    pub async fn overlay(&self, mut plan: Plan, body: Body) -> Result<Body> {
        let turn = self.turn().await?;
        let incoming = Incoming::of(body);
        let (send, receive) = mpsc::channel::<Result<Bytes>>(WAITING);
        let (begun, beginning) = oneshot::channel::<Result<()>>();
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut begun = Some(begun);
            let done = plan.through(
                incoming,
                || {
                    if let Some(begun) = begun.take() {
                        let _ = begun.send(Ok(()));
                    }
                },
                // Nobody reads any more: that ends the work.
                |piece| {
                    let sent = tokio::time::timeout(input::STALL, send.send(Ok(piece.into())));
                    runtime.block_on(sent).is_ok_and(|sent| sent.is_ok())
                },
                |_| true,
            );
            if let Err(e) = done {
                match begun.take() {
                    Some(begun) => drop(begun.send(Err(e))),
                    None => drop(send.blocking_send(Err(e))),
                }
            }
        });
        beginning.await.map_err(Error::internal)??;
        Ok(Box::pin(tokio_stream::wrappers::ReceiverStream::new(receive)))
    }
}

impl Plan {
    /// From the first row to the last. `begun` is called when the beginning is sound, `write` with pieces of output, `go_on` with the
    /// counts after each batch; either ends the work by `false`.
    pub fn through(
        &mut self,
        input: impl Read + Send + 'static,
        begun: impl FnOnce(),
        mut write: impl FnMut(Vec<u8>) -> bool,
        mut go_on: impl FnMut(&Counts) -> bool,
    ) -> Result<Counts> {
        let mut source = input::open(self.wanted.format, input, &self.wanted.columns)?;
        let names: Vec<(&str, Vec<&str>)> = self
            .opened
            .iter()
            .map(|layer| (layer.id(), layer.fields.iter().map(|field| field.name.as_str()).collect()))
            .collect();
        let mut writer = Writer::new(&self.wanted, &names, source.header())?;
        begun();
        let mut counts = Counts::default();
        let mut ended = None;
        let mut rows = Vec::with_capacity(BATCH);
        loop {
            rows.clear();
            while rows.len() < BATCH && ended.is_none() {
                match source.next() {
                    Ok(Some(row)) => rows.push(row),
                    Ok(None) => ended = Some(None),
                    Err(problem) => ended = Some(Some(problem)),
                }
            }
            for (row, located) in self.matcher.locate(std::mem::take(&mut rows))? {
                counts.rows += 1;
                counts.problems += u64::from(located.is_err());
                let found = located.map(|located| {
                    let matches = self.matcher.matches(&located);
                    counts.matched += u64::from(matches.iter().any(|of_layer| !of_layer.is_empty()));
                    (located, matches)
                });
                writer.row(&row, found.as_ref(), &self.matcher)?;
                if let Some(piece) = writer.piece()
                    && !write(piece)
                {
                    return Ok(counts);
                }
            }
            if ended.is_none() && self.watches.iter_mut().any(|watch| watch.look_now_and_then().is_err()) {
                ended = Some(Some(Problem::new(
                    "grant-ended",
                    "授权已变更，其余各行没有处理",
                    "what your department may read has changed; the rows after this one were not worked through",
                )));
            }
            if counts.rows > MOST_ROWS && ended.is_none() {
                ended = Some(Some(Problem::new(
                    "too-many-rows",
                    format!("超过 {MOST_ROWS} 行"),
                    format!("there are more than {MOST_ROWS} rows"),
                )));
            }
            if let Some(ended) = ended {
                writer.end(&counts, ended.as_ref())?;
                write(writer.rest());
                return Ok(counts);
            }
            if !go_on(&counts) {
                return Ok(counts);
            }
        }
    }
}

/// A row's matches, layer by layer.
pub type Found = (Located, Vec<Vec<matching::Match>>);
