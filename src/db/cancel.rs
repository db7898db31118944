//! Stops a query in the database when the one who asked for it is gone.
//!
//! Dropping a `tokio-postgres` future leaves the query running. A `Lease` that is dropped before `finish` sends a cancel
//! request and gives up the connection: handing it back could let the late cancel hit the next user's query.

use deadpool_postgres::Object;
use tokio_postgres::NoTls;

/// A pooled connection on which a query may be under way.
pub struct Lease {
    object: Option<Object>,
}

impl Lease {
    pub fn new(object: Object) -> Self {
        Lease { object: Some(object) }
    }

    pub fn client(&self) -> Option<&deadpool_postgres::ClientWrapper> {
        self.object.as_deref()
    }

    /// The query is read to its end: the connection goes back to the pool.
    pub fn finish(mut self) {
        drop(self.object.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else { return };
        let token = object.cancel_token();
        let connection = Object::take(object);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            metrics::counter!("onemap_queries_cancelled_total").increment(1);
            runtime.spawn(async move {
                if let Err(e) = token.cancel_query(NoTls).await {
                    tracing::debug!("a cancel request failed: {e}");
                }
                drop(connection);
            });
        }
    }
}
