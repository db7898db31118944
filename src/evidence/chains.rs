//! How each chain stands: where it ends, until where it is sealed, and when all of it was verified.

use serde_json::{Value, json};
use tokio_postgres::Row;

use super::row;
use super::verify::{Report, Wanted};
use crate::db::pool::Database;
use crate::error::Result;

/// Every chain, and the last verification of all of them and of a part.
pub async fn read(database: &Database) -> Result<Value> {
    let client = database.app().await?;
    // A seal says how many records there were: only the blocks after it are counted.
    let sql = "select n.id, n.name, n.public_key, n.created_at, b.number, b.at, encode(b.digest, 'hex'), s.block, s.at, s.file,
                   coalesce(s.records, 0) + coalesce((select sum(count) from onemap.evidence_block
                       where node = n.id and number > coalesce(s.block, 0)), 0)::int8
               from onemap.evidence_node n
               left join lateral (select number, at, digest from onemap.evidence_block where node = n.id
                   order by number desc limit 1) b on true
               left join lateral (select block, at, file, records from onemap.evidence_seal where node = n.id
                   order by block desc limit 1) s on true
               order by n.id";
    let chains = client.query(sql, &[]).await?.iter().map(chain).collect::<Result<Vec<Value>>>()?;
    let sql = "select distinct on (whole) whole, at, by, chains, blocks, records, seals, faults from onemap.evidence_verification
               order by whole, at desc";
    let (mut whole, mut part) = (Value::Null, Value::Null);
    for row in client.query(sql, &[]).await? {
        let one = verification(&row)?;
        if row.try_get(0)? { whole = one } else { part = one }
    }
    Ok(json!({"chains": chains, "verified": whole, "verified_in_part": part}))
}

fn chain(row: &Row) -> Result<Value> {
    let moment = |column: usize| row.try_get::<_, Option<_>>(column).map(|at| at.map(|at| row::shown(row::micros(at))));
    let block: Option<i64> = row.try_get(4)?;
    let sealed: Option<i64> = row.try_get(7)?;
    Ok(json!({
        "chain": row.try_get::<_, i32>(0)?, "node": row.try_get::<_, &str>(1)?, "public_key": row.try_get::<_, &str>(2)?,
        "since": moment(3)?, "records": row.try_get::<_, i64>(10)?,
        "last": match block {
            None => Value::Null,
            Some(block) => json!({"block": block, "at": moment(5)?, "digest": row.try_get::<_, &str>(6)?}),
        },
        "sealed": match sealed {
            None => Value::Null,
            Some(block) => json!({"block": block, "at": moment(8)?, "file": row.try_get::<_, &str>(9)?}),
        },
        "not_sealed": block.unwrap_or(0) - sealed.unwrap_or(0),
    }))
}

fn verification(row: &Row) -> Result<Value> {
    let number = |column: usize| row.try_get::<_, i64>(column);
    Ok(json!({
        "at": row::shown(row::micros(row.try_get(1)?)), "by": row.try_get::<_, &str>(2)?, "chains": number(3)?,
        "blocks": number(4)?, "records": number(5)?, "seals": number(6)?, "faults": number(7)?,
    }))
}

/// Notes that chains were verified, and what came of it. It is a notice for people: proof is to verify them.
pub async fn note(database: &Database, by: &str, wanted: &Wanted<'_>, report: &Report) -> Result<()> {
    let client = database.app().await?;
    let whole = wanted.since.is_none() && wanted.until.is_none();
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (chains, blocks) = (count(report.chains), count(report.blocks));
    let (records, seals, faults) = (count(report.records), count(report.seals), count(report.faults.len() as u64));
    let sql = "insert into onemap.evidence_verification (by, whole, chains, blocks, records, seals, faults)
               values ($1, $2, $3, $4, $5, $6, $7)";
    client.execute(sql, &[&by, &whole, &chains, &blocks, &records, &seals, &faults]).await?;
    Ok(())
}
