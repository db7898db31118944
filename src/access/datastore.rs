//! The only way to a layer's rows: a `Reader` is given for a `Grant<Read>` alone.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use tokio_postgres::Row;

use super::grant::{Edit, Grant, Mark, Read};
use crate::db::cancel::Lease;
use crate::db::pool::Database;
use crate::db::sql::Sql;
use crate::error::{Error, Result};

/// The longest statement that a connection keeps prepared: longer ones are hardly asked twice.
const LONGEST_KEPT: usize = 8 << 10;

/// Rows as they arrive.
pub type RowStream = Pin<Box<dyn Stream<Item = Result<Row>> + Send>>;

#[derive(Clone)]
pub struct Datastore {
    database: Database,
}

impl Datastore {
    pub fn new(database: Database) -> Self {
        Datastore { database }
    }

    pub async fn read(&self, _grant: &Grant<Read>) -> Result<Reader> {
        Ok(Reader { lease: Lease::new(self.database.app().await?) })
    }

    /// A connection for what the platform keeps beside the rows that the grant shows.
    pub async fn beside(&self, _grant: &Grant<Read>) -> Result<deadpool_postgres::Object> {
        self.database.app().await
    }

    /// For a selection that takes as long as its reader does: a connection of its own, which is closed afterwards, so that the requests
    /// keep theirs.
    pub async fn apart(&self, _grant: &Grant<Read>, longest: Duration) -> Result<Reader> {
        let lease = Lease::apart(self.database.app().await?);
        if let Some(client) = lease.client() {
            client.batch_execute(&format!("set statement_timeout = {}", longest.as_millis())).await?;
        }
        Ok(Reader { lease })
    }

    /// For a publisher's look at a revision that is not published yet.
    pub async fn look(&self, _grant: &Grant<Edit>) -> Result<Reader> {
        Ok(Reader { lease: Lease::new(self.database.app().await?) })
    }

    /// For reading a layer whole, however long it takes: its tile index is built from that.
    pub async fn whole(&self, _grant: &Grant<Edit>) -> Result<Lease> {
        Ok(Lease::new(self.database.importer().await?))
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

/// One connection for one reading. Dropped early, it stops its query.
pub struct Reader {
    lease: Lease,
}

impl Reader {
    /// Runs a statement that `layer::select` built and streams its rows.
    pub async fn rows(self, sql: &Sql) -> Result<Rows> {
        let client = self.lease.client().ok_or_else(|| Error::internal("the connection is gone"))?;
        let statement = match sql.text().len() > LONGEST_KEPT {
            true => client.prepare_typed(sql.text(), &sql.types()).await?,
            false => client.prepare_typed_cached(sql.text(), &sql.types()).await?,
        };
        let stream = client.query_raw(&statement, sql.values()).await?;
        Ok(Rows { stream: Box::pin(stream), lease: Some(self.lease) })
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
}

impl Rows {
    /// Says that nothing more is wanted because everything was read.
    fn finish(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.finish();
        }
    }
}

impl Stream for Rows {
    type Item = Result<Row>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.stream.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(row))) => Poll::Ready(Some(Ok(row))),
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
