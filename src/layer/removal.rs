//! A layer that goes for good, with all its revisions. Who may remove which layer, and what is said of it, is for the callers.

use tokio_postgres::error::SqlState;

use super::registry::drop_view;
use crate::db::sql::Ident;
use crate::error::{Error, Result};

/// Removes a layer of tables with its revisions and its stable view, in the caller's transaction: readers see all of it or nothing.
pub async fn remove(transaction: &deadpool_postgres::Transaction<'_>, layer: &str) -> Result<()> {
    transaction.batch_execute("set local lock_timeout = '5s'; set local statement_timeout = '60s'").await?;
    drop_view(transaction, layer).await?;
    transaction.execute("update onemap.layer set current_revision = null where id = $1", &[&layer]).await?;
    let gone = "delete from onemap.revision where layer_id = $1 returning table_name";
    for row in transaction.query(gone, &[&layer]).await? {
        transaction.batch_execute(&format!("drop table data.{}", Ident(row.get(0)))).await?;
    }
    transaction.execute("delete from onemap.layer where id = $1", &[&layer]).await.map_err(|e| match e.code() {
        Some(&SqlState::FOREIGN_KEY_VIOLATION) => Error::conflict(
            "还有申请、专题或其他对象用到该图层",
            "requests, themes or other things still stand on this layer",
        )
        .hint("请先处理用到它的对象，或改为不予共享", "settle these first, or share it with nobody")
        .because(e),
        _ => e.into(),
    })?;
    Ok(())
}
