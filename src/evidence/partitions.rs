//! Months of records: made ahead, dropped by their age when they are sealed. The owner does both; no request can.

use tokio_postgres::Client;

use crate::db::pool::Database;
use crate::error::Result;

/// Months that are made ahead, beside the present one.
const AHEAD: i32 = 3;

/// Makes the partitions from the present month on.
pub async fn make(database: &Database) -> Result<()> {
    let (client, connection) = database.owner().await?;
    let driver = tokio::spawn(connection);
    let made = make_by(&client).await;
    drop(client);
    let _ = driver.await;
    made
}

async fn make_by(owner: &Client) -> Result<()> {
    let sql = "select onemap.make_evidence_partition(
                   (date_trunc('month', now() at time zone 'Asia/Shanghai') + make_interval(months => m))::date)
               from generate_series(0, $1::int4) m";
    owner.execute("select pg_advisory_lock(hashtext('onemap evidence partitions'))", &[]).await?;
    owner.query(sql, &[&AHEAD]).await?;
    Ok(())
}

/// Drops months that ended so many months ago, as far as every chain is sealed beyond them. Their blocks stay. Gives back which.
pub async fn drop_old(database: &Database, months: u32) -> Result<Vec<String>> {
    let (mut client, connection) = database.owner().await?;
    let driver = tokio::spawn(connection);
    let dropped = drop_by(&mut client, i32::try_from(months).unwrap_or(i32::MAX / 64)).await;
    drop(client);
    let _ = driver.await;
    dropped
}

async fn drop_by(owner: &mut Client, months: i32) -> Result<Vec<String>> {
    let sql = "select to_char(first, 'YYYYMM'), first::text from (
                   select to_date(right(c.relname, 6), 'YYYYMM') as first from pg_inherits i
                   join pg_class c on c.oid = i.inhrelid where i.inhparent = 'onemap.evidence'::regclass
                       and c.relname ~ '^evidence_[0-9]{6}$') p
               where first + make_interval(months => $1 + 1) <= now() at time zone 'Asia/Shanghai' order by first";
    let mut dropped = vec![];
    for row in owner.query(sql, &[&months]).await? {
        let (name, first): (String, String) = (row.get(0), row.get(1));
        if drop_month(owner, &name, &first).await? {
            dropped.push(name);
        }
    }
    Ok(dropped)
}

/// Drops a month if it is sealed. Its name is made of digits.
async fn drop_month(client: &mut Client, name: &str, first: &str) -> Result<bool> {
    let transaction = client.transaction().await?;
    let sealed = "select not exists (select from onemap.evidence_block b where b.at < ($1::text::date + interval '1 month')
                      at time zone 'Asia/Shanghai' and b.at >= $1::text::date::timestamp at time zone 'Asia/Shanghai'
                      and b.number > coalesce((select max(s.block) from onemap.evidence_seal s where s.node = b.node), 0))";
    if !transaction.query_one(sealed, &[&first]).await?.get::<_, bool>(0) {
        return Ok(false);
    }
    let rows: i64 = transaction.query_one(&format!("select count(*) from onemap.evidence_{name}"), &[]).await?.get(0);
    let drop = format!("drop table onemap.evidence_{name}; drop table if exists onemap.evidence_clue_{name}");
    transaction.batch_execute(&drop).await?;
    transaction
        .execute("insert into onemap.evidence_dropped (month, rows) values ($1::text::date, $2)", &[&first, &rows])
        .await?;
    let note = "insert into onemap.audit (principal, action, object_kind, object_id, detail)
                values ('operator', 'drop', 'evidence', $1, jsonb_build_object('rows', $2::int8))";
    transaction.execute(note, &[&name, &rows]).await?;
    transaction.commit().await?;
    tracing::info!(month = name, rows, "records of accesses were dropped by their age");
    Ok(true)
}
