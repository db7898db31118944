//! Migrations: numbered SQL files in `migrations/`, run by one node at a time under an advisory lock.

use super::pool::Database;
use crate::error::{Error, Result};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Held while migrating, so that nodes that start together take turns. The number is arbitrary but fixed.
const LOCK: i64 = 0x6f6e_656d_6170;

/// Brings the database to this binary's state.
pub async fn run(database: &Database) -> Result<()> {
    let (mut client, connection) = database.owner().await?;
    let driver = tokio::spawn(connection);
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    let version: String = client.query_one("select current_setting('server_version_num')", &[]).await?.get(0);
    if version.parse::<u32>().unwrap_or(0) < 140_000 {
        return Err(Error::unsupported("需要 PostgreSQL 14 或更新版本", "PostgreSQL 14 or newer is needed"));
    }
    let done = embedded::migrations::runner().run_async(&mut client).await.map_err(Error::internal);
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await?;
    drop(client);
    let _ = driver.await;
    for m in done?.applied_migrations() {
        tracing::info!(migration = %m, "migrated");
    }
    Ok(())
}
