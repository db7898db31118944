//! Address matching of whole files: a durable job that matches every row, bands for what may be taken, what somebody should look at
//! and what was not found, people's decisions, runs held against each other, results as files.
//!
//! A job belongs to its department. Its file is received and checked (`intake`), its rows are matched under a checkpoint
//! (`matching`), its results stand in a table of its own (`results`). What a reader sees of an answer hangs on what the reader may
//! read now (`reading`).

mod columns;
pub mod comparison;
pub mod counts;
pub mod decision;
mod expiry;
pub mod export;
mod file;
mod following;
pub mod intake;
pub mod matching;
pub mod reading;
pub mod results;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

use self::results::{Band, Table, Tally};
use super::Addresses;
use super::aliases::Aliases;
use crate::access::audit::{self, Entry};
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::principal::Principal;
use crate::config::Config;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::job::queue::Queue;
use crate::layer::catalog::Catalog;
use crate::upload::sandbox::Limits;

/// Cheap to clone.
#[derive(Clone)]
pub struct AddressJobs {
    database: Database,
    store: Datastore,
    gate: Gate,
    catalog: Catalog,
    queue: Queue,
    addresses: Addresses,
    aliases: Aliases,
    files: Files,
}

/// Where files lie and what they may take.
#[derive(Clone)]
struct Files {
    folder: PathBuf,
    limit: i64,
    quota: i64,
    reader: PathBuf,
    limits: Limits,
}

impl Files {
    fn path(&self, file: Uuid) -> PathBuf {
        self.folder.join(format!("{file}.csv"))
    }
}

/// What jobs stand on.
pub struct Parts {
    pub database: Database,
    pub store: Datastore,
    pub gate: Gate,
    pub catalog: Catalog,
    pub queue: Queue,
    pub addresses: Addresses,
    pub aliases: Aliases,
}

/// How far a job is: kept as its checkpoint, in the transaction that wrote the rows up to there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Checkpoint {
    /// Where the next row begins in the file.
    place: u64,
    row: i64,
    tally: Tally,
    /// Rows per second lately.
    rate: f64,
}

/// How a job is to be run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    pub columns: Vec<String>,
    pub sources: Option<Vec<String>>,
    pub auto: Option<f32>,
    pub reject: Option<f32>,
}

/// A job as its department sees it.
#[derive(Debug, Clone)]
struct Job {
    id: Uuid,
    state: String,
    file: Uuid,
    columns: Vec<String>,
    only: Option<Vec<String>>,
    auto: f32,
    reject: f32,
    sources: Vec<String>,
    /// Beside the sources; none for those of a time when they were not kept.
    scopes: Vec<i64>,
    compare_to: Option<Uuid>,
    comparison: Option<Value>,
    queued: Option<Uuid>,
    checkpoint: Checkpoint,
    file_columns: Vec<Value>,
    rows: i64,
    rest: Shown,
}

/// What is only shown.
#[derive(Debug, Clone)]
struct Shown {
    filename: String,
    layer: Option<String>,
    format: String,
    encoding: String,
    problem: Option<Value>,
    created_by: String,
    created_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    decided: i64,
}

const JOBS: &str =
    "select a.id, coalesce(j.state, 'draft'), a.file_id, a.columns, a.only_layers, a.auto, a.reject, a.sources,
    a.compare_to, a.comparison, a.job_id, j.checkpoint, f.columns, f.rows, f.filename, f.layer_id, f.format, f.encoding,
    j.problem, a.created_by,
    to_char(a.created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
    to_char(j.started_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
    to_char(j.finished_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
    (select count(*) from onemap.address_decision d where d.job_id = a.id), a.scopes
    from onemap.address_job a join onemap.address_file f on f.id = a.file_id left join onemap.job j on j.id = a.job_id";

fn job(row: &Row) -> Result<Job> {
    Ok(Job {
        id: row.get(0),
        state: row.get(1),
        file: row.get(2),
        columns: row.get(3),
        only: row.get(4),
        auto: row.get(5),
        reject: row.get(6),
        sources: row.get(7),
        scopes: row.get(24),
        compare_to: row.get(8),
        comparison: row.get(9),
        queued: row.get(10),
        checkpoint: row.get::<_, Option<Value>>(11).map(serde_json::from_value).transpose()?.unwrap_or_default(),
        file_columns: serde_json::from_value(row.get(12))?,
        rows: row.get(13),
        rest: Shown {
            filename: row.get(14),
            layer: row.get(15),
            format: row.get(16),
            encoding: row.get(17),
            problem: row.get(18),
            created_by: row.get(19),
            created_at: row.get(20),
            started_at: row.get(21),
            finished_at: row.get(22),
            decided: row.get(23),
        },
    })
}

impl Job {
    fn table(&self) -> Table {
        Table::of(self.id)
    }

    /// The layers that answers came from, each with the scope it was searched under: -1, which is none, where that is not known.
    fn searched(&self) -> impl Iterator<Item = (String, i64)> {
        let scopes = self.scopes.iter().copied().chain(std::iter::repeat(-1));
        self.sources.iter().cloned().zip(scopes)
    }

    fn names(&self) -> Vec<&str> {
        self.file_columns.iter().filter_map(|c| c["name"].as_str()).collect()
    }

    /// The places of the chosen columns in the file.
    fn chosen(&self) -> Result<Vec<usize>> {
        let names = self.names();
        let place = |column: &String| {
            names.iter().position(|n| n == column).ok_or_else(|| {
                let shown: String = column.chars().take(60).collect();
                Error::invalid("columns", format!("文件中没有列“{shown}”"), format!("the file has no column “{shown}”"))
            })
        };
        self.columns.iter().map(place).collect()
    }

    fn document(&self) -> Value {
        let (c, s) = (&self.checkpoint, &self.rest);
        let bands: Map<String, Value> =
            Band::ALL.iter().map(|b| (b.name().to_owned(), c.tally.bands[*b as usize].into())).collect();
        let running = self.state == "running" && c.rate > 0.0;
        let mut document = json!({
            "id": self.id, "state": self.state, "filename": s.filename, "layer": s.layer, "format": s.format,
            "encoding": s.encoding, "rows": self.rows, "total": self.rows, "done": c.row,
            "rate": running.then(|| c.rate.round()),
            "remaining_seconds": running.then(|| ((self.rows - c.row) as f64 / c.rate).ceil()),
            "bands": bands, "decided": s.decided, "levels": c.tally.levels(), "faults": c.tally.faults(),
            "auto": shown(self.auto), "reject": shown(self.reject), "sources": self.only, "compare_to": self.compare_to,
            "created_by": s.created_by, "created_at": s.created_at, "started_at": s.started_at,
            "finished_at": s.finished_at, "problem": s.problem,
        });
        // A draft still asks which of them make the address.
        if self.queued.is_none() {
            document["columns"] = self.file_columns.clone().into();
            document["guess"] = json!({"address": columns::address(&self.file_columns)});
        } else {
            document["columns"] = json!(self.columns);
        }
        document
    }
}

/// A threshold as it was given: 0.9, not the 0.8999999761581421 of its four bytes.
fn shown(threshold: f32) -> f64 {
    (f64::from(threshold) * 1e6).round() / 1e6
}

fn no_job() -> Error {
    Error::not_found("没有这个地址匹配任务", "there is no such address job")
}

fn threshold(name: &str, value: Option<f32>, otherwise: f32) -> Result<f32> {
    let value = value.unwrap_or(otherwise);
    match (0.0..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(Error::invalid(name, "应为 0 到 1 之间的数", "it must be from 0 to 1")),
    }
}

impl AddressJobs {
    pub fn new(parts: Parts, config: &Config) -> AddressJobs {
        let Parts { database, store, gate, catalog, queue, addresses, aliases } = parts;
        let files = Files {
            folder: config.data.join("address-files"),
            limit: config.upload_limit as i64,
            quota: config.department_quota as i64,
            reader: config.reader.clone(),
            limits: Limits { seconds: config.import_timeout, ..Limits::default() },
        };
        AddressJobs { database, store, gate, catalog, queue, addresses, aliases, files }
    }

    async fn job(&self, department: &str, id: Uuid) -> Result<Job> {
        let client = self.database.app().await?;
        let sql = format!("{JOBS} where a.id = $1 and a.department_id = $2");
        job(&client.query_opt(&sql, &[&id, &department]).await?.ok_or_else(no_job)?)
    }

    pub async fn get(&self, department: &str, id: Uuid) -> Result<Value> {
        Ok(self.job(department, id).await?.document())
    }

    /// The job of the queue that a started job is.
    pub async fn queued(&self, department: &str, id: Uuid) -> Result<Uuid> {
        self.job(department, id).await?.queued.ok_or_else(no_job)
    }

    pub async fn list(&self, department: &str, limit: i64) -> Result<Vec<Value>> {
        let client = self.database.app().await?;
        let sql = format!("{JOBS} where a.department_id = $1 order by a.created_at desc limit $2");
        client.query(&sql, &[&department, &limit]).await?.iter().map(|r| Ok(job(r)?.document())).collect()
    }

    /// Starts a draft.
    pub async fn start(&self, by: &Principal, department: &str, id: Uuid, start: &Start) -> Result<Value> {
        let mut draft = self.job(department, id).await?;
        draft.columns = start.columns.clone();
        draft.chosen()?;
        let twice = (1..start.columns.len()).any(|i| start.columns[..i].contains(&start.columns[i]));
        if start.columns.is_empty() || twice {
            return Err(Error::invalid(
                "columns",
                "请选择组成地址的列，每列一次",
                "name the columns that make the address, each once",
            ));
        }
        let auto = threshold("auto", start.auto, onemap_address::find::AUTO)?;
        let reject = threshold("reject", start.reject, onemap_address::find::REJECT)?;
        if reject > auto {
            return Err(Error::invalid(
                "reject",
                "舍弃阈值不能高于自动采用阈值",
                "the threshold of rejection must not be above that of acceptance",
            ));
        }
        let sources = start.sources.as_deref().filter(|s| !s.is_empty());
        self.may_search(by, sources).await?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "update onemap.address_job set columns = $3, only_layers = $4, auto = $5, reject = $6
                   where id = $1 and department_id = $2 and job_id is null";
        if transaction.execute(sql, &[&id, &department, &start.columns, &sources, &auto, &reject]).await? == 0 {
            return Err(Error::conflict("任务已经开始", "the job was started already"));
        }
        self.enqueue(&*transaction, by, id, "start").await?;
        transaction.commit().await?;
        self.queue.wake();
        self.get(department, id).await
    }

    /// Refuses what could not be searched, before a job is made of it.
    async fn may_search(&self, by: &Principal, sources: Option<&[String]>) -> Result<()> {
        match self.addresses.readable(by, sources).await {
            Ok(readable) if readable.layers().is_empty() && readable.not_ready().is_empty() => {
                Err(Error::conflict("没有可用的地址源", "there is no address source that you may search")
                    .hint("请先由发布人员设置地址源", "a publisher has to make a layer an address source first"))
            }
            // The job waits for the index.
            Err(e) if e.kind == crate::error::Kind::Busy => Ok(()),
            other => other.map(|_| ()),
        }
    }

    async fn enqueue(
        &self,
        client: &impl tokio_postgres::GenericClient,
        by: &Principal,
        id: Uuid,
        action: &str,
    ) -> Result<()> {
        let queued = Queue::put_within(client, by, matching::KIND, &json!({ "address_job": id })).await?;
        client.execute("update onemap.address_job set job_id = $2 where id = $1", &[&id, &queued]).await?;
        let entry = Entry { action, object_kind: "address_job", object_id: &id.to_string(), detail: json!({}) };
        audit::write(client, by, entry).await
    }

    /// Pauses, resumes or cancels a job. What does not fit its state is refused.
    pub async fn steer(&self, by: &Principal, department: &str, id: Uuid, action: Action) -> Result<Value> {
        let job = self.job(department, id).await?;
        let fits = match action {
            Action::Pause => matches!(job.state.as_str(), "queued" | "running"),
            Action::Resume => matches!(job.state.as_str(), "paused" | "running"),
            Action::Cancel => matches!(job.state.as_str(), "queued" | "running" | "paused"),
        };
        let (Some(queued), true) = (job.queued, fits) else {
            return Err(Error::conflict(
                format!("任务当前状态为 {}，不能执行此操作", job.state),
                format!("the job is {}: this cannot be done now", job.state),
            ));
        };
        match action {
            Action::Pause => self.queue.pause(department, queued).await?,
            Action::Resume => self.queue.resume(department, queued).await?,
            Action::Cancel => self.queue.cancel(department, queued).await?,
        };
        tracing::info!(job = %id, by = by.name(), ?action, "address job steered");
        self.get(department, id).await
    }

    /// Matches the same rows again: another job, held against this one when it is done.
    pub async fn rerun(&self, by: &Principal, department: &str, id: Uuid) -> Result<Value> {
        let job = self.job(department, id).await?;
        if job.queued.is_none() {
            return Err(Error::conflict("任务尚未开始", "the job was not started yet"));
        }
        self.may_search(by, job.only.as_deref()).await?;
        let again = Uuid::now_v7();
        let mut client = self.database.importer().await?;
        let transaction = client.transaction().await?;
        transaction
            .execute(
                "insert into onemap.address_job (id, department_id, created_by, file_id, columns, only_layers, auto, reject, compare_to)
                 select $1, department_id, $3, file_id, columns, only_layers, auto, reject, id
                 from onemap.address_job where id = $2",
                &[&again, &id, &by.name()],
            )
            .await?;
        transaction.batch_execute(&Table::of(again).create()).await?;
        self.enqueue(&*transaction, by, again, "rerun").await?;
        transaction.commit().await?;
        self.queue.wake();
        self.get(department, again).await
    }

    /// Removes a job with its results and, if no other job uses it, its file. Aliases stay.
    pub async fn remove(&self, by: &Principal, department: &str, id: Uuid) -> Result<()> {
        let job = self.job(department, id).await?;
        let mut client = self.database.importer().await?;
        let transaction = client.transaction().await?;
        // Held so that no worker takes it meanwhile.
        let sql = "select state from onemap.job where id = $1 for update";
        let state: Option<String> = transaction.query_opt(sql, &[&job.queued]).await?.map(|r| r.get(0));
        if state.is_some_and(|s| matches!(s.as_str(), "queued" | "running" | "paused")) {
            return Err(Error::conflict("任务尚未结束", "the job is not over").hint("请先取消任务", "cancel it first"));
        }
        // A draft that was started since it was read is no draft.
        let sql = "delete from onemap.address_job where id = $1 and job_id is not distinct from $2";
        if transaction.execute(sql, &[&id, &job.queued]).await? == 0 {
            return Err(Error::conflict("任务已有变化", "the job has changed meanwhile"));
        }
        transaction.batch_execute(&job.table().drop()).await?;
        let sql = "delete from onemap.address_file f where id = $1
                   and not exists (select 1 from onemap.address_job a where a.file_id = f.id)";
        let last = transaction.execute(sql, &[&job.file]).await? == 1;
        let detail = json!({ "filename": job.rest.filename });
        let entry = Entry { action: "delete", object_kind: "address_job", object_id: &id.to_string(), detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        // The row is gone; a file that cannot be removed now is only lost space.
        if last && let Err(e) = tokio::fs::remove_file(self.files.path(job.file)).await {
            tracing::warn!(job = %id, "the file of a removed address job stays: {e}");
        }
        Ok(())
    }
}

/// What may be asked of a job under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Pause,
    Resume,
    Cancel,
}
