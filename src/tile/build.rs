//! From a revision's table to its tile index: one COPY stream, read in one snapshot, put into the builder row by row. What waits in
//! between is bounded, so that memory stays flat whatever the table's size.

use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use onemap_cql2::Value;
use onemap_tiles::build::{Builder, Options, Stage};
use onemap_tiles::value::{Column, ColumnKind};
use tokio::sync::mpsc;

use super::copied::Copied;
use super::progress::Progress;
use super::store::Wanted;
use crate::db::cancel::Lease;
use crate::db::sql::{Ident, Sql};
use crate::error::{Error, Result};
use crate::layer::model::{Field, FieldType, State};
use crate::layer::select;

/// A message per row would cost more than the row.
const PIECE: usize = 256 << 10;
/// Pieces that may wait for the builder.
pub const PIECES: usize = 8;

/// Why there is no index.
pub enum Failure {
    /// Nobody needs it any more.
    Stopped,
    DiskFull,
    /// Others need the room that indexes have.
    OverBudget,
    /// The database is away, or will not answer now.
    Database(Error),
    /// The engine, or a file.
    Other(Error),
}

impl From<onemap_tiles::error::Error> for Failure {
    fn from(e: onemap_tiles::error::Error) -> Failure {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match e {
            onemap_tiles::error::Error::Stopped => Failure::Stopped,
            onemap_tiles::error::Error::Io(e) if matches!(e.kind(), StorageFull | QuotaExceeded | FileTooLarge) => {
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

/// Where the work goes on.
pub struct Places<'a> {
    pub scratch: &'a Path,
    pub target: &'a Path,
}

/// The bytes that the table takes in the database.
pub async fn table_bytes(lease: &Lease, state: &State) -> Result<u64> {
    let client = lease.client().ok_or_else(|| Error::internal("the connection is gone"))?;
    let table = format!("{}.{}", Ident(&state.source.schema), Ident(&state.source.table));
    let bytes: Option<i64> = client.query_one("select pg_table_size(to_regclass($1))", &[&table]).await?.get(0);
    Ok(bytes.unwrap_or(0).max(0) as u64)
}

/// Builds the index and puts it in its place in one step. When this ends early, nothing is left.
pub async fn build(
    lease: Lease,
    state: &State,
    want: &Wanted,
    places: Places<'_>,
    progress: &Arc<Progress>,
) -> Result<(), Failure> {
    let stamp = begin(&lease).await.map_err(Failure::Database)?;
    let columns = state.fields.iter().map(column).collect();
    let options = Options { rank: want.rank, tile_limit: want.limit, stamp };
    let builder = Builder::create(places.scratch, columns, options)?;
    let (send, receive) = mpsc::channel(PIECES);
    let work = Work {
        builder,
        receive,
        kinds: state.fields.iter().map(|f| f.kind).collect(),
        progress: progress.clone(),
        target: places.target.to_owned(),
    };
    let building = tokio::task::spawn_blocking(move || work.run());
    let read = tokio::select! {
        read = read(&lease, state, send) => read.map_err(Failure::Database),
        () = progress.until_stopped() => Err(Failure::Stopped),
    };
    // The snapshot is let go of before the long rest: it keeps the database from clearing up.
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

fn column(field: &Field) -> Column {
    let kind = match field.kind {
        FieldType::Integer => ColumnKind::Integer,
        FieldType::Float => ColumnKind::Float,
        FieldType::Boolean => ColumnKind::Boolean,
        FieldType::Text | FieldType::Date | FieldType::Timestamp => ColumnKind::Text,
    };
    Column { name: field.name.clone(), kind }
}

/// Opens the snapshot. Its number: what transactions from it on have changed is not, or not wholly, in the index.
pub async fn begin(lease: &Lease) -> Result<u64> {
    let client = lease.client().ok_or_else(|| Error::internal("the connection is gone"))?;
    client.batch_execute("begin isolation level repeatable read read only").await?;
    let row = client.query_one("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint", &[]).await?;
    Ok(row.get::<_, i64>(0) as u64)
}

async fn read(lease: &Lease, state: &State, send: mpsc::Sender<Bytes>) -> Result<()> {
    let sql = select::whole(state).ok_or_else(|| Error::internal("a layer without geometry"))?;
    pour(lease, &sql, send).await
}

/// Sends a COPY stream on, in pieces, and ends the snapshot after it.
pub async fn pour(lease: &Lease, sql: &Sql, send: mpsc::Sender<Bytes>) -> Result<()> {
    let client = lease.client().ok_or_else(|| Error::internal("the connection is gone"))?;
    let rows = client.copy_out(sql.text()).await?;
    tokio::pin!(rows);
    let mut piece = BytesMut::with_capacity(PIECE * 2);
    while let Some(row) = rows.next().await {
        piece.extend_from_slice(&row?);
        // A builder that has gone tells itself why.
        if piece.len() >= PIECE && send.send(piece.split().freeze()).await.is_err() {
            return Err(Error::internal("the builder has ended"));
        }
    }
    if send.send(piece.freeze()).await.is_err() {
        return Err(Error::internal("the builder has ended"));
    }
    Ok(client.batch_execute("commit").await?)
}

/// What the building thread does.
struct Work {
    builder: Builder,
    receive: mpsc::Receiver<Bytes>,
    kinds: Vec<FieldType>,
    progress: Arc<Progress>,
    target: std::path::PathBuf,
}

impl Work {
    fn run(mut self) -> Result<(), Failure> {
        let mut copied = Copied::default();
        let mut texts = vec![String::new(); self.kinds.len()];
        while let Some(piece) = self.receive.blocking_recv() {
            copied.feed(&piece);
            let rows = self.push(&mut copied, &mut texts)?;
            self.progress.rows(rows);
            if self.progress.is_stopped() {
                return Err(Failure::Stopped);
            }
        }
        // A stream that broke off must not become an index that lacks rows.
        if !copied.ended() {
            return Err(Failure::Stopped);
        }
        let progress = self.progress;
        self.builder.finish(&self.target, &mut |p| {
            progress.written(p.stage == Stage::Write, p.done, p.total);
            !progress.is_stopped()
        })?;
        Ok(())
    }

    /// Puts all whole rows into the builder.
    fn push(&mut self, copied: &mut Copied, texts: &mut [String]) -> Result<u64, Failure> {
        let mut rows = 0;
        while let Some(row) = copied.row()? {
            let id = row.integer(0)?.ok_or_else(|| Error::internal("a row without an id"))?;
            let mut values: Vec<Value<'_>> = Vec::with_capacity(self.kinds.len());
            for ((column, &kind), text) in self.kinds.iter().enumerate().zip(texts.iter_mut()) {
                values.push(row.value(column + 2, kind, text)?);
            }
            self.builder.push(id, row.get(1), &values)?;
            rows += 1;
        }
        Ok(rows)
    }
}
