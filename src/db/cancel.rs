//! Stops a query in the database when the one who asked for it is gone.
//!
//! Dropping a `tokio-postgres` future leaves the query running. A `Lease` that is dropped before `finish` sends a cancel
//! request and gives up the connection: handing it back could let the late cancel hit the next user's query.

use deadpool_postgres::{ClientWrapper, Object};
use tokio_postgres::NoTls;

/// A connection on which a query may be under way.
pub struct Lease {
    held: Option<Held>,
}

enum Held {
    Pooled(Object),
    /// Taken out of its pool: it does not go back.
    Apart(ClientWrapper),
}

impl Held {
    fn client(&self) -> &ClientWrapper {
        match self {
            Held::Pooled(object) => object,
            Held::Apart(client) => client,
        }
    }
}

impl Lease {
    pub fn new(object: Object) -> Self {
        Lease { held: Some(Held::Pooled(object)) }
    }

    /// Takes the connection out of its pool, which may make another in its place.
    pub fn apart(object: Object) -> Self {
        Lease { held: Some(Held::Apart(Object::take(object))) }
    }

    pub fn client(&self) -> Option<&ClientWrapper> {
        self.held.as_ref().map(Held::client)
    }

    /// The query is read to its end: the connection goes back to the pool.
    pub fn finish(mut self) {
        drop(self.held.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        let token = held.client().cancel_token();
        let connection = match held {
            Held::Pooled(object) => Object::take(object),
            Held::Apart(client) => client,
        };
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
