//! The one task that writes: every quarter of a second a block, in one transaction, over a connection of its own.

use std::collections::HashMap;
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};

use deadpool_postgres::{ClientWrapper, Object};
use onemap_evidence::{Block, Head, Record};
use tokio::sync::watch;
use tokio_postgres::Transaction;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::SqlState;

use super::row::{self, Place, Values};
use super::{Evidence, partitions, seal};
use crate::access::recorder::Batch;
use crate::error::{Error, Result};

/// From one block to the next.
const BEAT: Duration = Duration::from_millis(250);
/// After a block that could not be written.
const AGAIN: Duration = Duration::from_millis(150);
/// Rows of the trail of writes that one block takes.
const MOST_WRITES: i64 = 1000;
/// How often partitions are made and dropped.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);
/// After the stop, longer than answers under way get.
const LAST: Duration = Duration::from_secs(12);

pub struct Writer {
    evidence: Evidence,
    connection: Option<Connection>,
    kept_house: Instant,
    next_seal: i64,
}

struct Connection {
    client: ClientWrapper,
    head: Head,
}

impl Writer {
    pub fn new(evidence: Evidence) -> Writer {
        let next_seal = seal::next(unix_seconds(), evidence.settings.seal_minutes);
        Writer { evidence, connection: None, kept_house: Instant::now(), next_seal }
    }

    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut stopped: Option<Instant> = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(BEAT) => {}
                () = self.evidence.recorder.woken() => {}
                _ = stop.wait_for(|stop| *stop), if stopped.is_none() => stopped = Some(Instant::now()),
            }
            let over = stopped.is_some_and(|since| since.elapsed() > LAST) || self.evidence.recorder.is_closed();
            let batch = self.evidence.recorder.take();
            self.keep(&batch, over).await;
            if over {
                return;
            }
            self.beside().await;
        }
    }

    /// Writes a batch however long it takes, unless the server ends: as long as it waits no data is given.
    async fn keep(&mut self, batch: &Batch, last: bool) {
        let mut failures = 0u32;
        let mut tried = None;
        while let Err(e) = self.block(batch, &mut tried).await {
            // Its state is unknown, and so is where the chain ends.
            self.connection = None;
            failures += 1;
            if failures.is_power_of_two() {
                tracing::error!(records = batch.records.len(), failures, "evidence cannot be written: {e}");
            }
            metrics::counter!("onemap_evidence_failures_total").increment(1);
            if last && failures > 5 {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
        metrics::counter!("onemap_evidence_records_total").increment(batch.records.len() as u64);
        self.evidence.recorder.written(batch.number);
    }

    /// One block of the batch and of the writes that wait. `tried` is the block that may have been written although its transaction
    /// seemed to fail.
    async fn block(&mut self, batch: &Batch, tried: &mut Option<Block>) -> Result<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(connect(&self.evidence).await?),
        };
        if tried.as_ref().is_some_and(|block| block.head() == connection.head) {
            return Ok(());
        }
        let transaction = connection.client.transaction().await?;
        let mut records = writes(&transaction).await?;
        records.extend(batch.records.iter().cloned());
        if records.is_empty() {
            return Ok(());
        }
        let at = row::micros(SystemTime::now());
        let (block, checks) = Block::close(&connection.head, at, &records);
        *tried = Some(block.clone());
        insert_block(&transaction, &block).await?;
        copy(&transaction, &block, &records, &checks).await?;
        count(&transaction, block.node, &records).await?;
        transaction.commit().await?;
        connection.head = block.head();
        Ok(())
    }

    /// Seals and partitions, when their time has come. What fails is tried again later: the records are safe.
    async fn beside(&mut self) {
        let now = unix_seconds();
        if now >= self.next_seal {
            self.next_seal = seal::next(now, self.evidence.settings.seal_minutes);
            match self.evidence.seal().await {
                Ok(Some(file)) => tracing::info!(file = %file.display(), "the evidence is sealed"),
                Ok(None) => {}
                Err(e) => {
                    tracing::error!("the evidence cannot be sealed: {e}");
                    self.next_seal = now + 60;
                }
            }
        }
        if self.kept_house.elapsed() >= HOUSEKEEPING {
            self.kept_house = Instant::now();
            let (evidence, database) = (&self.evidence, self.evidence.database.clone());
            let done = async {
                partitions::make(&database).await?;
                partitions::drop_old(&database, evidence.settings.months).await
            };
            if let Err(e) = done.await {
                tracing::error!("partitions of evidence cannot be made or dropped: {e}");
            }
        }
    }
}

fn unix_seconds() -> i64 {
    row::micros(SystemTime::now()) / 1_000_000
}

/// A connection out of the pool, so that busy requests cannot keep evidence waiting.
async fn connect(evidence: &Evidence) -> Result<Connection> {
    let client = Object::take(evidence.database.app().await?);
    client.batch_execute("set statement_timeout = '10s'; set synchronous_commit = on").await?;
    let node = evidence.node.number(&*client).await?;
    let sql = "select number, digest from onemap.evidence_block where node = $1 order by number desc limit 1";
    let head = match client.query_opt(sql, &[&node]).await? {
        None => Head::start(node),
        Some(row) => Head { node, number: row.get(0), digest: digest(row.get(1))? },
    };
    Ok(Connection { client, head })
}

pub(super) fn digest(bytes: &[u8]) -> Result<onemap_evidence::Digest> {
    bytes.try_into().map_err(|_| Error::internal("a digest of another length"))
}

/// Rows of the trail of writes that no block has yet. Whoever takes one takes it for good: it is in this transaction's block, or waits on.
async fn writes(transaction: &Transaction<'_>) -> Result<Vec<Record>> {
    let waiting = "select exists (select from onemap.audit_pending)";
    if !transaction.query_one(waiting, &[]).await?.get::<_, bool>(0) {
        return Ok(vec![]);
    }
    let sql = format!(
        "with taken as (delete from onemap.audit_pending where audit_id in (select audit_id from onemap.audit_pending
             order by audit_id limit $1 for update skip locked) returning audit_id)
         select {WRITE} from taken join onemap.audit a on a.id = taken.audit_id {WRITE_LAYER} order by a.id"
    );
    transaction.query(&sql, &[&MOST_WRITES]).await?.iter().map(write).collect()
}

/// What of a row of the trail its record says.
pub(super) const WRITE: &str = "a.id, a.at, a.department_id, a.principal, a.action, a.request_id,
    jsonb_build_object('kind', a.object_kind, 'id', a.object_id, 'detail', a.detail)::text, l.id, l.department_id";
pub(super) const WRITE_LAYER: &str = "left join onemap.layer l on l.id = case a.object_kind
    when 'layer' then a.object_id when 'address_source' then a.object_id when 'feature' then split_part(a.object_id, '/', 1) end";

/// The record of a row of `WRITE`.
pub(super) fn write(row: &tokio_postgres::Row) -> Result<Record> {
    let text = |column: usize| row.try_get::<_, Option<&str>>(column).map(|text| text.map(Into::into));
    Ok(Record {
        at: row::micros(row.try_get(1)?),
        department: text(2)?,
        who: row.try_get::<_, &str>(3)?.into(),
        operation: format!("write.{}", row.try_get::<_, &str>(4)?).into(),
        request: text(5)?,
        detail: text(6)?,
        layer: text(7)?,
        owner: text(8)?,
        status: 200,
        complete: true,
        requests: 1,
        audit: Some(row.try_get(0)?),
        ..Record::default()
    })
}

async fn insert_block(transaction: &Transaction<'_>, block: &Block) -> Result<()> {
    let sql = "insert into onemap.evidence_block (node, number, at, count, records, previous, digest)
               values ($1, $2, $3, $4, $5, $6, $7)";
    let (records, previous, digest) = (&block.records[..], &block.previous[..], &block.digest[..]);
    let at = row::time(block.at);
    let values: [&(dyn postgres_types::ToSql + Sync); 7] =
        [&block.node, &block.number, &at, &block.count, &records, &previous, &digest];
    match transaction.execute(sql, &values).await {
        Ok(_) => Ok(()),
        // Another process writes with this installation's name, as after a start before the old one has ended: its block came first.
        Err(e) if e.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            Err(Error::conflict("另一进程在写同一条存证链", "another process writes the same chain").because(e))
        }
        Err(e) => Err(e.into()),
    }
}

async fn copy(transaction: &Transaction<'_>, block: &Block, records: &[Record], checks: &[i64]) -> Result<()> {
    let sql = format!("copy onemap.evidence ({}) from stdin (format binary)", row::COLUMNS);
    let sink = transaction.copy_in(&sql).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &row::types()));
    let kept_at = row::time(block.at);
    for (i, (record, check)) in records.iter().zip(checks).enumerate() {
        let place = Place { kept_at, node: block.node, block: block.number, place: i as i32, check: *check };
        let values = Values::new(place, record);
        writer.as_mut().write(&values.all()).await?;
    }
    writer.finish().await?;
    Ok(())
}

/// Figures of use by day, layer, department and operation.
#[derive(Default)]
struct Use {
    requests: i64,
    refused: i64,
    rows: i64,
    bytes: i64,
}

async fn count(transaction: &Transaction<'_>, node: i32, records: &[Record]) -> Result<()> {
    let mut uses: HashMap<(i64, &str, &str, &str, &str), Use> = HashMap::new();
    for record in records.iter().filter(|record| record.layer.is_some()) {
        let key = (
            day(record.at),
            record.layer.as_deref().unwrap_or_default(),
            record.department.as_deref().unwrap_or_default(),
            &*record.operation,
            record.owner.as_deref().unwrap_or_default(),
        );
        let one = uses.entry(key).or_default();
        one.requests += i64::from(record.requests);
        one.refused += if record.status >= 400 { i64::from(record.requests) } else { 0 };
        one.rows += record.rows;
        one.bytes += record.bytes;
    }
    if uses.is_empty() {
        return Ok(());
    }
    // Always in the same order: two nodes never wait for each other.
    let mut uses: Vec<_> = uses.into_iter().collect();
    uses.sort_by_key(|(key, _)| *key);
    let texts =
        |of: fn(&(i64, &str, &str, &str, &str)) -> String| uses.iter().map(|(key, _)| of(key)).collect::<Vec<_>>();
    let numbers = |of: fn(&Use) -> i64| uses.iter().map(|(_, one)| of(one)).collect::<Vec<_>>();
    let days: Vec<i64> = uses.iter().map(|(key, _)| key.0).collect();
    let sql = "insert into onemap.evidence_day as d (day, node, layer, department, operation, owner, requests, refused, rows, bytes)
               select date '1970-01-01' + u.day::int4, $1, u.layer, u.department, u.operation, u.owner, u.requests, u.refused, u.n, u.bytes
               from unnest($2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int8[], $8::int8[], $9::int8[], $10::int8[])
                   as u(day, layer, department, operation, owner, requests, refused, n, bytes)
               on conflict (day, layer, department, operation, owner, node) do update set
                   requests = d.requests + excluded.requests, refused = d.refused + excluded.refused,
                   rows = d.rows + excluded.rows, bytes = d.bytes + excluded.bytes";
    let (layers, departments) = (texts(|key| key.1.to_owned()), texts(|key| key.2.to_owned()));
    let (operations, owners) = (texts(|key| key.3.to_owned()), texts(|key| key.4.to_owned()));
    let (requests, refused) = (numbers(|one| one.requests), numbers(|one| one.refused));
    let (rows, bytes) = (numbers(|one| one.rows), numbers(|one| one.bytes));
    transaction
        .execute(sql, &[&node, &days, &layers, &departments, &operations, &owners, &requests, &refused, &rows, &bytes])
        .await?;
    Ok(())
}

/// The day of China's calendar, counted from 1970-01-01.
fn day(micros: i64) -> i64 {
    (micros / 1_000_000 + 8 * 3600).div_euclid(86_400)
}
