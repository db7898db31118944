//! Reading the database's log of edits.

use futures_util::TryStreamExt;
use onemap_cql2::Value;
use onemap_tiles::delta::Delta;
use postgres_types::{FromSql, Type};
use tokio_postgres::{Client, Row};

use crate::error::{Error, Result};
use crate::layer::model::{FieldType, State};
use crate::layer::select;

/// What a reading of the log has seen: every transaction that had ended then. Those still under way may commit at any later time.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The first transaction that had not begun.
    next: i64,
    under_way: Vec<i64>,
}

impl Seen {
    /// As `pg_current_snapshot` writes it: xmin:xmax:under way.
    fn parse(text: &str) -> Result<Seen> {
        let number = |part: &str| part.parse().map_err(Error::internal);
        let mut parts = text.splitn(3, ':').skip(1);
        let (next, list) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let under_way = list.split(',').filter(|part| !part.is_empty()).map(number).collect::<Result<_>>()?;
        Ok(Seen { next: number(next)?, under_way })
    }
}

/// What a reading now would have seen.
pub async fn now(client: &Client) -> Result<Seen> {
    snapshot(&client.query("select pg_current_snapshot()::text", &[]).await?)
}

/// In a database that was restored into another cluster, the log speaks of transactions that are still to come there. They are over.
pub async fn mend(client: &Client) -> Result<()> {
    let sql = "update onemap.edit set transaction = 0
            where transaction >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
        update onemap.revision set edits_forgotten = 0
            where edits_forgotten >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
    Ok(client.batch_execute(sql).await?)
}

/// The features that were changed.
pub enum Changed {
    Features(Vec<i64>),
    /// More than are named, or more than the log remembers.
    Many,
}

/// What a reading found of one revision.
pub struct Changes {
    pub revision: i64,
    /// How many rows of the log are new.
    pub edits: u64,
    /// The number of the state that they lead to.
    pub number: u64,
    pub changed: Changed,
}

/// Of the CTE `fresh`, with the rows of the log that are asked for.
const BY_REVISION: &str = "select fresh.revision, count(distinct fresh.id), bool_or(fresh.fids is null), \
    array_agg(distinct fid) filter (where fid is not null) \
    from fresh left join lateral unnest(fresh.fids) fid on true group by fresh.revision";

/// What was committed since.
pub async fn since(client: &Client, seen: &Seen) -> Result<(Seen, Vec<Changes>)> {
    let sql = format!(
        "with fresh as (select * from onemap.edit where transaction >= $1 or transaction = any($2)),
              found (revision, edits, many, fids) as ({BY_REVISION})
         select pg_current_snapshot()::text, f.revision, f.edits, f.many, f.fids,
                r.edits + (select count(*) from onemap.edit e where e.revision = f.revision and not e.counted)
         from (select) one left join found f on true left join onemap.revision r on r.id = f.revision"
    );
    let rows = client.query_typed(&sql, &[(&seen.next, Type::INT8), (&seen.under_way, Type::INT8_ARRAY)]).await?;
    let found = rows.iter().filter(|row| row.get::<_, Option<i64>>(1).is_some());
    let changes = found.map(|row| Changes {
        revision: row.get(1),
        edits: row.get::<_, i64>(2) as u64,
        number: row.get::<_, i64>(5) as u64,
        changed: changed(row, 3),
    });
    Ok((snapshot(&rows)?, changes.collect()))
}

/// The number of every revision that was ever edited.
pub async fn numbers(client: &Client) -> Result<(Seen, Vec<(i64, u64)>)> {
    let sql =
        "with uncounted as (select revision, count(*) as edits from onemap.edit where not counted group by revision)
        select pg_current_snapshot()::text, r.id, r.edits + coalesce(u.edits, 0)
        from (select) one left join onemap.revision r on true left join uncounted u on u.revision = r.id";
    let rows = client.query(sql, &[]).await?;
    let numbers = rows.iter().filter_map(|row| Some((row.get::<_, Option<i64>>(1)?, row.get::<_, i64>(2) as u64)));
    Ok((snapshot(&rows)?, numbers.filter(|(_, number)| *number > 0).collect()))
}

fn snapshot(rows: &[Row]) -> Result<Seen> {
    Seen::parse(rows.first().ok_or_else(|| Error::internal("no snapshot"))?.get(0))
}

/// What changed in a revision in this transaction and later ones.
pub async fn after(client: &Client, revision: i64, transaction: u64) -> Result<Changed> {
    let transaction = transaction as i64;
    // A stamp of the future is one of another cluster.
    let forgotten = "select edits_forgotten >= $2 or $2 > pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        from onemap.revision where id = $1";
    match client.query_opt(forgotten, &[&revision, &transaction]).await? {
        Some(row) if !row.get::<_, bool>(0) => {}
        _ => return Ok(Changed::Many),
    }
    let sql =
        format!("with fresh as (select * from onemap.edit where revision = $1 and transaction >= $2) {BY_REVISION}");
    let row = client.query_opt(&sql, &[&revision, &transaction]).await?;
    Ok(row.map_or(Changed::Features(vec![]), |row| changed(&row, 2)))
}

fn changed(row: &Row, column: usize) -> Changed {
    match row.get(column) {
        true => Changed::Many,
        false => Changed::Features(row.get::<_, Option<_>>(column + 1).unwrap_or_default()),
    }
}

/// The delta with these features as the table has them now. A feature that is not in the table is gone.
pub async fn apply(client: &Client, state: &State, mut delta: Delta, ids: &[i64]) -> Result<Delta> {
    if ids.is_empty() {
        return Ok(delta);
    }
    ids.iter().for_each(|id| delta.remove(*id));
    let sql = select::rows(state, ids);
    let statement = client.prepare_typed(sql.text(), &sql.types()).await?;
    let rows = client.query_raw(&statement, sql.values()).await?;
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.try_next().await? {
        let values: Vec<Value<'_>> =
            state.fields.iter().enumerate().map(|(i, f)| value(&row, i + 2, f.kind)).collect::<Result<_>>()?;
        let geometry: Option<Ewkb<'_>> = row.try_get(1)?;
        let id = row.try_get(0)?;
        if delta.put(id, geometry.map(|g| g.0), &values).is_err() {
            // A curve or a surface: it is in the table, no map draws it. An index has it in the same way.
            delta.put(id, None, &values).map_err(Error::internal)?;
        }
    }
    Ok(delta)
}

/// A geometry as it travels.
struct Ewkb<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Ewkb<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Ewkb(raw))
    }
    fn accepts(ty: &Type) -> bool {
        ty.name() == "geometry"
    }
}

fn value(row: &Row, column: usize, kind: FieldType) -> Result<Value<'_>> {
    Ok(match kind {
        FieldType::Integer => row.try_get::<_, Option<i64>>(column)?.map_or(Value::Null, Value::Integer),
        FieldType::Float => row.try_get::<_, Option<f64>>(column)?.map_or(Value::Null, Value::Float),
        FieldType::Boolean => row.try_get::<_, Option<bool>>(column)?.map_or(Value::Null, Value::Boolean),
        FieldType::Text | FieldType::Date | FieldType::Timestamp => {
            row.try_get::<_, Option<&str>>(column)?.map_or(Value::Null, Value::Text)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_says_what_may_still_come() {
        let seen = |next, under_way: &[i64]| Seen { next, under_way: under_way.to_vec() };
        assert_eq!(Seen::parse("10:20:10,14,15").unwrap(), seen(20, &[10, 14, 15]));
        assert_eq!(Seen::parse("10:10:").unwrap(), seen(10, &[]));
        assert!(Seen::parse("nonsense").is_err());
    }
}
