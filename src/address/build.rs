//! From a revision's table to its address index, and from the edits since to its delta. One COPY stream in one snapshot: memory
//! stays flat whatever the table's size.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use onemap_address::element::Element;
use onemap_address::segment::{self, Builder};
use onemap_formats::{Kind, Shape};
use roaring::RoaringTreemap;
use tokio::sync::mpsc;

use super::mapping::{Layout, Target};
use super::store::{Delta, Live, Wanted};
use crate::db::cancel::Lease;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::layer::points;
use crate::tile::build::{PIECES, begin, pour};
use crate::tile::copied::{Copied, Row};
use crate::tile::edits::log::{self, Changed};
use crate::tile::progress::Progress;

/// More changed rows than this are a matter for a new index; until there is one, they are searched all the same.
pub const WORN: usize = 5_000;

/// Why there is no index.
pub enum Failure {
    /// Nobody needs it any more.
    Stopped,
    DiskFull,
    /// The database is away, or will not answer now.
    Database(Error),
    Other(Error),
}

impl From<segment::Error> for Failure {
    fn from(e: segment::Error) -> Failure {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match e {
            segment::Error::Io(e) if matches!(e.kind(), StorageFull | QuotaExceeded | FileTooLarge) => {
                Failure::DiskFull
            }
            e => Failure::Other(Error::internal(e)),
        }
    }
}

impl From<Error> for Failure {
    fn from(e: Error) -> Failure {
        Failure::Other(e)
    }
}

/// Builds the index and puts it in its place in one step. When this ends early, nothing is left.
pub async fn build(lease: Lease, want: &Wanted, target: &Path, progress: &Arc<Progress>) -> Result<(), Failure> {
    let stamp = begin(&lease).await.map_err(Failure::Database)?;
    let fields = want.mapping.fields();
    // Where lines of roads meet, their crossings are.
    let lines = want.mapping.get(Target::Element(Element::Road)).is_some()
        && want.state.geometry_type.as_deref().is_some_and(|kind| kind.contains("LineString"));
    let sql = points::whole(&want.state, &fields, lines).ok_or_else(|| Error::internal("a layer without geometry"))?;
    let (send, receive) = mpsc::channel(PIECES);
    let work = Work {
        builder: Builder::new(),
        layout: want.mapping.layout(&fields),
        columns: fields.len(),
        lines,
        shape: Shape::default(),
        receive,
        progress: progress.clone(),
        target: target.to_owned(),
        stamp,
    };
    let building = tokio::task::spawn_blocking(move || work.run());
    let read = tokio::select! {
        read = pour(&lease, &sql, send) => read.map_err(Failure::Database),
        () = progress.until_stopped() => Err(Failure::Stopped),
    };
    match read {
        Ok(()) => lease.finish(),
        Err(_) => drop(lease),
    }
    let built = building.await.map_err(|e| Failure::Other(Error::internal(e)))?;
    match (read, built) {
        // The builder's own trouble is what broke the stream.
        (_, Err(e @ (Failure::DiskFull | Failure::Other(_)))) => Err(e),
        (Err(e), _) | (_, Err(e)) => Err(e),
        (Ok(()), Ok(())) => Ok(()),
    }
}

/// What the building thread does.
struct Work {
    builder: Builder,
    layout: Layout,
    columns: usize,
    /// The geometry stands behind the fields.
    lines: bool,
    shape: Shape,
    receive: mpsc::Receiver<Bytes>,
    progress: Arc<Progress>,
    target: PathBuf,
    stamp: u64,
}

impl Work {
    fn run(mut self) -> Result<(), Failure> {
        let mut copied = Copied::default();
        while let Some(piece) = self.receive.blocking_recv() {
            copied.feed(&piece);
            let mut rows = 0;
            while let Some(row) = copied.row()? {
                self.push(&row)?;
                rows += 1;
            }
            self.progress.rows(rows);
            if self.progress.is_stopped() {
                return Err(Failure::Stopped);
            }
        }
        // A stream that broke off must not become an index that lacks rows.
        if !copied.ended() {
            return Err(Failure::Stopped);
        }
        Ok(self.builder.write(&self.target, self.stamp)?)
    }

    fn push(&mut self, row: &Row<'_>) -> Result<(), Failure> {
        let id = row.integer(0)?.ok_or_else(|| Error::internal("a row without an id"))?;
        // Without a place there is nothing to answer.
        let (Some(lon), Some(lat)) = (float(row, 1), float(row, 2)) else { return Ok(()) };
        let mut values = Vec::with_capacity(self.columns);
        for column in 0..self.columns {
            let bytes = row.get(column + 3).unwrap_or_default();
            values.push(std::str::from_utf8(bytes).map_err(Error::internal)?);
        }
        let address = self.layout.address(id as u64, lon, lat, &values);
        match row.get(self.columns + 3).filter(|_| self.lines) {
            Some(ewkb) => {
                let shape = &mut self.shape;
                shape.read(ewkb).map_err(|_| Error::internal("a line that cannot be read"))?;
                let line = matches!(shape.kind, Kind::Line | Kind::MultiLine);
                let vertices = shape.positions.iter().filter(|_| line).map(|&[x, y]| (x, y));
                Ok(self.builder.push_line(&address, vertices)?)
            }
            None => Ok(self.builder.push(&address)?),
        }
    }
}

fn float(row: &Row<'_>, column: usize) -> Option<f64> {
    let value = f64::from_be_bytes(row.get(column)?.try_into().ok()?);
    value.is_finite().then_some(value)
}

/// The edits since the index was built, as the table has them now. `number` was asked for before. `None`: too many to tell.
pub async fn delta(database: &Database, live: &Live, number: u64) -> Result<Option<Delta>> {
    let want = &live.made_of;
    let client = database.app().await?;
    let ids = match log::after(&client, want.revision(), live.opened.segment.stamp()).await? {
        Changed::Features(ids) => ids,
        Changed::Many => return Ok(None),
    };
    if ids.is_empty() {
        return Ok(Some(Delta { number, ..Delta::default() }));
    }
    let fields = want.mapping.fields();
    let sql = points::rows(&want.state, &fields, &ids).ok_or_else(|| Error::internal("a layer without geometry"))?;
    let statement = client.prepare_typed(sql.text(), &sql.types()).await?;
    let mut rows = std::pin::pin!(client.query_raw(&statement, sql.values()).await?);
    let layout = want.mapping.layout(&fields);
    let mut builder = Builder::new();
    while let Some(row) = rows.try_next().await? {
        let (Some(lon), Some(lat)) = (row.try_get::<_, Option<f64>>(1)?, row.try_get::<_, Option<f64>>(2)?) else {
            continue;
        };
        let mut values = Vec::with_capacity(fields.len());
        for column in 0..fields.len() {
            values.push(row.try_get::<_, Option<&str>>(column + 3)?.unwrap_or_default());
        }
        let address = layout.address(row.try_get::<_, i64>(0)? as u64, lon, lat, &values);
        builder.push(&address).map_err(Error::internal)?;
    }
    let hidden: RoaringTreemap = ids.iter().map(|id| *id as u64).collect();
    let segment = if builder.rows() > 0 { Some(Arc::new(builder.finish().map_err(Error::internal)?)) } else { None };
    Ok(Some(Delta { number, touched: ids.into(), hidden: Some(Arc::new(hidden)), segment }))
}
