//! The only way to a layer's rows: a `Reader` is given for a `Grant<Read>` alone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::Stream;
use tokio_postgres::types::Type;
use tokio_postgres::{Column, Row};

use super::gate::Gate;
use super::grant::{Action, Amend, Edit, Grant, Mark, Read};
use super::trace::{self, MOST_FEATURES, Trace};
use crate::db::cancel::Lease;
use crate::db::pool::Database;
use crate::db::sql::Sql;
use crate::error::{Error, Result};

/// The longest statement that a connection keeps prepared: longer ones are hardly asked twice.
const LONGEST_KEPT: usize = 8 << 10;

/// Rows, and the time, between two looks at a grant whose rows are under way.
const ROWS: u32 = 256;
const EVERY: Duration = Duration::from_secs(1);

/// Rows as they arrive.
pub type RowStream = Pin<Box<dyn Stream<Item = Result<Row>> + Send>>;

#[derive(Clone)]
pub struct Datastore {
    database: Database,
    gate: Gate,
}

impl Datastore {
    pub fn new(database: Database, gate: Gate) -> Self {
        Datastore { database, gate }
    }

    pub async fn read(&self, grant: &Grant<Read>) -> Result<Reader> {
        let watch = self.watch(grant)?;
        Ok(Reader { lease: Lease::new(self.database.app().await?), watch: Some(watch), given: Given::of(grant) })
    }

    /// For looking again, while something is under way, whether a grant still holds. Refuses one that shows no rows.
    pub fn watch(&self, grant: &Grant<Read>) -> Result<Watch> {
        if grant.right().is_none() {
            return Err(Error::internal("rows were asked for under a grant for a description"));
        }
        Ok(Watch { gate: self.gate.clone(), grant: grant.clone(), looked: Instant::now() })
    }

    /// A connection for what the platform keeps beside the rows that the grant shows.
    pub async fn beside(&self, _grant: &Grant<Read>) -> Result<deadpool_postgres::Object> {
        self.database.app().await
    }

    /// For a selection that takes as long as its reader does: a connection of its own, which is closed afterwards, so that the requests
    /// keep theirs.
    pub async fn apart(&self, grant: &Grant<Read>, longest: Duration) -> Result<Reader> {
        let watch = self.watch(grant)?;
        let lease = Lease::apart(self.database.app().await?);
        if let Some(client) = lease.client() {
            client.batch_execute(&format!("set statement_timeout = {}", longest.as_millis())).await?;
        }
        Ok(Reader { lease, watch: Some(watch), given: Given::of(grant) })
    }

    /// For a publisher's look at a revision that is not published yet.
    pub async fn look(&self, grant: &Grant<Edit>) -> Result<Reader> {
        Ok(Reader { lease: Lease::new(self.database.app().await?), watch: None, given: Given::of(grant) })
    }

    /// For reading a layer whole, however long it takes: its tile index is built from that.
    pub async fn whole(&self, _grant: &Grant<Edit>) -> Result<Lease> {
        Ok(Lease::new(self.database.importer().await?))
    }

    /// A connection that changes features of the layer as far as the grant shows them.
    pub async fn amend(&self, _grant: &Grant<Amend>) -> Result<deadpool_postgres::Object> {
        self.database.importer().await
    }

    /// A connection that may write marks of the granted layer.
    pub async fn mark(&self, _grant: &Grant<Mark>) -> Result<deadpool_postgres::Object> {
        self.database.importer().await
    }

    /// A connection that may create and fill tables of the granted layer.
    pub async fn write(&self, _grant: &Grant<Edit>) -> Result<deadpool_postgres::Object> {
        self.database.importer().await
    }
}

/// Looks whether a grant still holds.
pub struct Watch {
    gate: Gate,
    grant: Grant<Read>,
    looked: Instant,
}

impl Watch {
    /// An error when the grant has ended, or shows something else by now.
    pub fn look(&mut self) -> Result<()> {
        self.looked = Instant::now();
        self.gate.holds(&self.grant)
    }

    /// The same, but not more often than every second: it costs nothing to ask.
    pub fn look_now_and_then(&mut self) -> Result<()> {
        if self.looked.elapsed() < EVERY { Ok(()) } else { self.look() }
    }
}

/// One connection for one reading. Dropped early, it stops its query.
pub struct Reader {
    lease: Lease,
    watch: Option<Watch>,
    given: Option<Given>,
}

impl Reader {
    /// Says how many of the rows are given at most: one more may be read to see whether there are more, or all to choose from.
    pub fn gives(mut self, most: i64) -> Reader {
        if let Some(given) = &mut self.given {
            given.most = most.max(0) as u64;
        }
        self
    }

    /// Runs a statement that `layer::select` built and streams its rows.
    pub async fn rows(self, sql: &Sql) -> Result<Rows> {
        let client = self.lease.client().ok_or_else(|| Error::internal("the connection is gone"))?;
        let statement = match sql.text().len() > LONGEST_KEPT {
            true => client.prepare_typed(sql.text(), &sql.types()).await?,
            false => client.prepare_typed_cached(sql.text(), &sql.types()).await?,
        };
        let stream = client.query_raw(&statement, sql.values()).await?;
        let given = self.given.filter(|_| gives_features(statement.columns()));
        Ok(Rows { stream: Box::pin(stream), lease: Some(self.lease), watch: self.watch, since_look: 0, given })
    }

    /// Runs a statement of one row and one column.
    pub async fn one<T>(self, sql: &Sql) -> Result<T>
    where
        T: for<'a> postgres_types::FromSql<'a>,
    {
        let mut rows = self.rows(sql).await?;
        let row = futures_util::StreamExt::next(&mut rows).await.ok_or_else(|| Error::internal("no row"))??;
        rows.finish();
        Ok(row.try_get(0)?)
    }
}

/// The rows of a reading.
pub struct Rows {
    stream: Pin<Box<tokio_postgres::RowStream>>,
    lease: Option<Lease>,
    watch: Option<Watch>,
    since_look: u32,
    given: Option<Given>,
}

/// Which rows were given, for the evidence of it.
struct Given {
    trace: Arc<Trace>,
    layer: Arc<str>,
    rows: u64,
    most: u64,
    features: Vec<i64>,
}

/// Whether rows are features: an id, then a geometry. Others are counts and the like.
fn gives_features(columns: &[Column]) -> bool {
    matches!(columns, [id, geometry, ..] if *id.type_() == Type::INT8 && geometry.type_().name() == "geometry")
}

impl Given {
    /// Of what a request or a job reads; what a node reads for itself is nobody's.
    fn of<A: Action>(grant: &Grant<A>) -> Option<Given> {
        Some(Given { trace: trace::current()?, layer: grant.layer().into(), rows: 0, most: u64::MAX, features: vec![] })
    }

    fn row(&mut self, row: &Row) {
        if self.rows == self.most {
            return;
        }
        self.rows += 1;
        if self.features.len() <= MOST_FEATURES {
            self.features.extend(row.try_get::<_, i64>(0));
        }
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        if self.rows > 0 {
            self.trace.with(|seen| seen.gave(&self.layer, self.rows, &self.features));
        }
    }
}

impl Rows {
    /// Says that nothing more is wanted because everything was read.
    fn finish(&mut self) {
        self.given = None;
        if let Some(lease) = self.lease.take() {
            lease.finish();
        }
    }

    /// A grant that ends while its rows go out ends them too: whoever takes them must find the transfer failed.
    fn look(&mut self) -> Result<()> {
        let Some(watch) = &mut self.watch else { return Ok(()) };
        self.since_look += 1;
        if self.since_look.is_multiple_of(ROWS) { watch.look() } else { watch.look_now_and_then() }
    }
}

impl Stream for Rows {
    type Item = Result<Row>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Asked again after its end, it has ended still: the connection below is given back by then.
        if self.lease.is_none() {
            return Poll::Ready(None);
        }
        match self.stream.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(row))) => {
                let looked = self.look();
                if let (Ok(()), Some(given)) = (&looked, &mut self.given) {
                    given.row(&row);
                }
                Poll::Ready(Some(looked.map(|()| row)))
            }
            Poll::Ready(Some(Err(e))) => {
                // The server has ended the query itself; there is nothing to cancel.
                self.finish();
                Poll::Ready(Some(Err(e.into())))
            }
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
