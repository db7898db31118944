//! The audit trail: one row for each write, in the write's own transaction.

use std::sync::Arc;

use serde_json::Value;
use tokio_postgres::GenericClient;

use super::principal::Principal;
use crate::error::Result;

/// What was done, to what.
pub struct Entry<'a> {
    pub action: &'a str,
    pub object_kind: &'a str,
    pub object_id: &'a str,
    pub detail: Value,
}

/// Writes the row through `client`, which must be the transaction that does the deed.
pub async fn write(client: &impl GenericClient, principal: &Principal, entry: Entry<'_>) -> Result<()> {
    write_numbered(client, principal, entry).await.map(|_| ())
}

/// The same, for a record that names its row of the trail.
pub async fn write_numbered(client: &impl GenericClient, principal: &Principal, entry: Entry<'_>) -> Result<i64> {
    let request: Option<Arc<str>> = REQUEST_ID.try_with(Clone::clone).ok();
    let row = client
        .query_one(
            "insert into onemap.audit (principal, department_id, action, object_kind, object_id, detail, request_id)
             values ($1, $2, $3, $4, $5, $6, $7) returning id",
            &[
                &principal.name(),
                &principal.department.as_deref(),
                &entry.action,
                &entry.object_kind,
                &entry.object_id,
                &entry.detail,
                &request.as_deref(),
            ],
        )
        .await?;
    Ok(row.get(0))
}

tokio::task_local! {
    /// The request under which a write happens; set by `http`, absent in jobs and on the command line.
    pub static REQUEST_ID: Arc<str>;
}
