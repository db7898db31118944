//! Stretches: some thousand records of a chain, block after block. What they can be found by is noted once for all of them, when they are
//! there; until then they are searched as they are.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use tokio::sync::watch;
use tokio_postgres::{GenericClient, Transaction};

use super::row::{self, COLUMNS};
use crate::db::pool::Database;
use crate::error::Result;

/// Records of a stretch, and a block's more.
const RECORDS: i64 = 1024;
/// Between looks at the chains.
const BEAT: Duration = Duration::from_secs(2);

/// Blocks that are searched together.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    pub id: i64,
    pub node: i32,
    pub first: i64,
    pub last: i64,
    pub kept_since: SystemTime,
    pub kept_until: SystemTime,
    /// No record of it is of a later time, in microseconds since 1970.
    pub until: i64,
}

/// Notes stretches of every chain as they become full, until the server stops. Nodes take turns; none waits for another.
pub async fn run(database: Database, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if let Err(e) = note_full(&database, &stop).await {
            // Searches read what is not noted as it is: slower, but no less.
            tracing::error!("stretches of evidence cannot be noted: {e}");
        }
    }
}

async fn note_full(database: &Database, stop: &watch::Receiver<bool>) -> Result<()> {
    for node in nodes(&**database.app().await?).await? {
        while !*stop.borrow() && note_next(database, node, false).await? {}
    }
    Ok(())
}

/// Notes all stretches that are full, or waits for whoever does.
pub async fn note_all(database: &Database) -> Result<()> {
    for node in nodes(&**database.app().await?).await? {
        while note_next(database, node, true).await? {}
    }
    Ok(())
}

async fn nodes(client: &impl GenericClient) -> Result<Vec<i32>> {
    let rows = client.query("select id from onemap.evidence_node order by id", &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Notes a chain's next stretch. False when it is not full, or when somebody else notes it and this one does not wait.
async fn note_next(database: &Database, node: i32, waits: bool) -> Result<bool> {
    let mut client = database.app().await?;
    let transaction = client.transaction().await?;
    let lock = match waits {
        true => "select pg_advisory_xact_lock(hashtext('onemap evidence stretches'), $1) is not null",
        false => "select pg_try_advisory_xact_lock(hashtext('onemap evidence stretches'), $1)",
    };
    if !transaction.query_one(lock, &[&node]).await?.get::<_, bool>(0) {
        return Ok(false);
    }
    let Some(stretch) = next(&transaction, node).await? else { return Ok(false) };
    note(&transaction, stretch).await?;
    transaction.commit().await?;
    Ok(true)
}

/// The blocks of the next stretch, when there are enough. A month's end ends a stretch too: its records are dropped together.
async fn next(transaction: &Transaction<'_>, node: i32) -> Result<Option<Stretch>> {
    let sql = "select b.number, b.at, b.count, date_trunc('month', b.at at time zone 'Asia/Shanghai')::text
               from onemap.evidence_block b where b.node = $1
                   and b.number > coalesce((select max(s.last) from onemap.evidence_stretch s where s.node = $1), 0)
               order by b.number limit $2";
    let (mut stretch, mut records, mut month) = (None::<Stretch>, 0, String::new());
    for block in transaction.query(sql, &[&node, &RECORDS]).await? {
        let (number, at, of): (i64, SystemTime, String) = (block.get(0), block.get(1), block.get(3));
        match &mut stretch {
            None => {
                let until = row::micros(at);
                stretch =
                    Some(Stretch { id: 0, node, first: number, last: number, kept_since: at, kept_until: at, until });
                month = of;
            }
            Some(_) if of != month => return Ok(stretch),
            // A clock that was set back.
            Some(stretch) => {
                stretch.last = number;
                stretch.kept_since = stretch.kept_since.min(at);
                stretch.kept_until = stretch.kept_until.max(at);
            }
        }
        records += i64::from(block.get::<_, i32>(2));
        if records >= RECORDS {
            return Ok(stretch);
        }
    }
    Ok(None)
}

/// Writes a stretch and the clues of its records.
async fn note(transaction: &Transaction<'_>, stretch: Stretch) -> Result<()> {
    let mut keys = HashSet::new();
    let (mut since, mut until) = (row::micros(stretch.kept_since), row::micros(stretch.kept_until));
    {
        let sql = format!(
            "select {COLUMNS} from onemap.evidence where node = $1 and block between $2 and $3 and kept_at between $4 and $5"
        );
        let Stretch { node, first, last, kept_since, kept_until, .. } = stretch;
        let values: [&(dyn postgres_types::ToSql + Sync); 5] = [&node, &first, &last, &kept_since, &kept_until];
        let mut rows = std::pin::pin!(transaction.query_raw(&sql, values).await?);
        while let Some(row) = rows.try_next().await? {
            let (_, record) = row::read(&row)?;
            (since, until) = (since.min(record.at), until.max(record.at));
            super::clues::note(&record, &mut keys);
        }
    }
    // In the order of the index.
    let mut keys: Vec<i64> = keys.into_iter().collect();
    keys.sort_unstable();
    let (since, until) = (row::time(since), row::time(until));
    let sql = "insert into onemap.evidence_stretch (node, first, last, kept_since, kept_until, since, until)
               values ($1, $2, $3, $4, $5, $6, $7) returning id";
    let Stretch { node, first, last, kept_since, kept_until, .. } = stretch;
    let id: i64 =
        transaction.query_one(sql, &[&node, &first, &last, &kept_since, &kept_until, &since, &until]).await?.get(0);
    let sql = "insert into onemap.evidence_clue (key, until, stretch) select key, $2, $3 from unnest($1::int8[]) key";
    transaction.execute(sql, &[&keys, &until, &id]).await?;
    Ok(())
}

/// What is not noted yet, of each chain.
pub async fn ends(client: &impl GenericClient) -> Result<Vec<Stretch>> {
    let sql = "select n.id, coalesce(s.last, 0) + 1, s.kept_until
               from onemap.evidence_node n left join lateral (
                   select last, kept_until from onemap.evidence_stretch where node = n.id order by last desc limit 1) s on true
               where exists (select from onemap.evidence_block b where b.node = n.id and b.number > coalesce(s.last, 0))";
    let end = |row: &tokio_postgres::Row| Stretch {
        id: 0,
        node: row.get(0),
        first: row.get(1),
        last: i64::MAX,
        kept_since: row.get::<_, Option<SystemTime>>(2).unwrap_or(SystemTime::UNIX_EPOCH),
        kept_until: row::time(i64::MAX / 4),
        until: i64::MAX,
    };
    Ok(client.query(sql, &[]).await?.iter().map(end).collect())
}

/// Which stretches may hold what is searched for: those with a clue of each set, with records between two times.
pub struct Candidates<'a> {
    pub sets: &'a [Vec<i64>],
    pub from: i64,
    pub to: i64,
}

/// A condition for each set, whose parameters begin with the given one: the stretch `c` has one of its clues.
fn others(sets: &[Vec<i64>], first: usize) -> String {
    let condition = |n: usize| {
        format!(
            " and exists (select from onemap.evidence_clue o where o.key = any(${n}::int8[]) and o.until = c.until and o.stretch = c.stretch)"
        )
    };
    (0..sets.len()).map(|set| condition(first + set)).collect()
}

const STRETCH: &str = "s.id, s.node, s.first, s.last, s.kept_since, s.kept_until, s.until";

fn read(row: &tokio_postgres::Row) -> Stretch {
    Stretch {
        id: row.get(0),
        node: row.get(1),
        first: row.get(2),
        last: row.get(3),
        kept_since: row.get(4),
        kept_until: row.get(5),
        until: row::micros(row.get(6)),
    }
}

impl Candidates<'_> {
    /// Those that begin before the end of the time and end after it.
    pub async fn across(&self, client: &impl GenericClient) -> Result<Vec<Stretch>> {
        let sql = format!(
            "select {STRETCH} from (select s.*, s.id as stretch from onemap.evidence_stretch s
                 where tstzrange(s.since, s.until, '[]') @> $1::timestamptz and s.until > $1) c
             join onemap.evidence_stretch s on s.id = c.id where true{}",
            others(self.sets, 2)
        );
        let to = row::time(self.to);
        let mut values: Vec<&(dyn postgres_types::ToSql + Sync)> = vec![&to];
        values.extend(self.sets.iter().map(|set| set as &(dyn postgres_types::ToSql + Sync)));
        Ok(client.query(&sql, &values).await?.iter().map(read).collect())
    }

    /// The next ones after a stretch, the latest first.
    pub async fn after(&self, client: &impl GenericClient, (until, id): (i64, i64), most: i64) -> Result<Vec<Stretch>> {
        let Some((first, rest)) = self.sets.split_first() else { return Ok(vec![]) };
        let sql = format!(
            "select {STRETCH} from (
                 select distinct c.until, c.stretch from unnest($1::int8[]) k cross join lateral (
                     select c.until, c.stretch from onemap.evidence_clue c
                     where c.key = k and c.until >= $2::timestamptz and c.until <= $3::timestamptz and (c.until, c.stretch) < ($3, $4::int8){}
                     order by c.until desc, c.stretch desc limit $5) c
                 order by c.until desc, c.stretch desc limit $5) c
             join onemap.evidence_stretch s on s.id = c.stretch order by s.until desc, s.id desc",
            others(rest, 6)
        );
        let (from, until) = (row::time(self.from), row::time(until));
        let mut values: Vec<&(dyn postgres_types::ToSql + Sync)> = vec![first, &from, &until, &id, &most];
        values.extend(rest.iter().map(|set| set as &(dyn postgres_types::ToSql + Sync)));
        Ok(client.query(&sql, &values).await?.iter().map(read).collect())
    }
}
