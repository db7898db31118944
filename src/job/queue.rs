//! The queue's table: put, take, watch, cancel.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::access::principal::{Principal, Who};
use crate::db::pool::Database;
use crate::error::{Error, Result};

/// A worker that has not been heard of for this long is dead, and its job is taken by another.
pub const DEAD_AFTER_SECONDS: f64 = 8.0;
/// How often a job is started before it is given up.
pub const MOST_ATTEMPTS: i32 = 3;

/// A job as its owner sees it.
#[derive(Debug, Clone, Serialize)]
pub struct JobInfo {
    pub id: Uuid,
    pub kind: String,
    pub state: String,
    pub stage: String,
    pub done: i64,
    pub total: Option<i64>,
    /// Units of `done` per second since the start.
    pub rate: Option<f64>,
    pub remaining_s: Option<f64>,
    pub result: Option<Value>,
    pub problem: Option<Value>,
    pub created: String,
}

impl JobInfo {
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed" | "cancelled")
    }
}

const COLUMNS: &str = "id, kind, state, stage, done, total, result, problem, \
    extract(epoch from coalesce(finished_at, now()) - started_at)::float8, \
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

fn info(row: &tokio_postgres::Row) -> JobInfo {
    let (done, total): (i64, Option<i64>) = (row.get(4), row.get(5));
    let seconds: Option<f64> = row.get(8);
    let rate = seconds.filter(|s| *s > 0.2 && done > 0).map(|s| done as f64 / s);
    let state: String = row.get(2);
    JobInfo {
        id: row.get(0),
        kind: row.get(1),
        stage: row.get(3),
        done,
        total,
        rate,
        remaining_s: match (rate, total) {
            (Some(rate), Some(total)) if state == "running" => Some((total - done).max(0) as f64 / rate),
            _ => None,
        },
        state,
        result: row.get(6),
        problem: row.get(7),
        created: row.get(9),
    }
}

#[derive(Clone)]
pub struct Queue {
    database: Database,
    /// Wakes this node's workers at once; those of other nodes look every second.
    wake: Arc<Notify>,
}

/// A job that a worker has taken.
pub struct Taken {
    pub id: Uuid,
    pub kind: String,
    pub input: Value,
    pub principal: Value,
    pub attempts: i32,
}

impl Queue {
    pub fn new(database: Database) -> Self {
        Queue { database, wake: Arc::default() }
    }

    /// Until somebody puts a job on this node.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Puts a job for the principal's department.
    pub async fn put(&self, by: &Principal, kind: &str, input: &Value) -> Result<Uuid> {
        let department = by.department.as_deref().unwrap_or_default();
        let principal = match &by.who {
            Who::Person { id, .. } => json!({"person": id}),
            Who::Operator => json!({"operator": department}),
            Who::Key { .. } | Who::Anonymous => {
                return Err(Error::forbidden("此操作需要以个人身份登录", "this needs a person's session"));
            }
        };
        let id = Uuid::now_v7();
        let client = self.database.app().await?;
        client
            .execute(
                "insert into onemap.job (id, kind, department_id, created_by, principal, input)
                 values ($1, $2, $3, $4, $5, $6)",
                &[&id, &kind, &department, &by.name(), &principal, input],
            )
            .await?;
        self.wake.notify_one();
        Ok(id)
    }

    /// Takes the oldest job that waits or whose worker died. SKIP LOCKED lets workers pass each other.
    pub async fn take(&self, kinds: &[&str]) -> Result<Option<Taken>> {
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "update onemap.job set state = 'running', attempts = attempts + 1, heartbeat_at = now(), done = 0,
                     started_at = now(), problem = null
                 where id = (select id from onemap.job where kind = any($1) and (state = 'queued'
                         or (state = 'running' and heartbeat_at < now() - make_interval(secs => $2)))
                     order by created_at limit 1 for update skip locked)
                 returning id, kind, input, principal, attempts",
                &[&kinds, &DEAD_AFTER_SECONDS],
            )
            .await?;
        Ok(row.map(|r| Taken {
            id: r.get(0),
            kind: r.get(1),
            input: r.get(2),
            principal: r.get(3),
            attempts: r.get(4),
        }))
    }

    /// Saves progress and says whether somebody asked to cancel.
    pub async fn beat(&self, id: Uuid, stage: &str, done: i64, total: Option<i64>) -> Result<bool> {
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "update onemap.job set heartbeat_at = now(), stage = $2, done = $3, total = $4
                 where id = $1 and state = 'running' returning cancel_requested",
                &[&id, &stage, &done, &total],
            )
            .await?;
        // A job that is no longer running in the table is not ours any more.
        Ok(row.is_none_or(|r| r.get(0)))
    }

    /// Ends a job.
    pub async fn end(&self, id: Uuid, state: &str, result: Option<&Value>, problem: Option<&Value>) -> Result<()> {
        let client = self.database.app().await?;
        client
            .execute(
                "update onemap.job set state = $2, result = $3, problem = $4, finished_at = now(),
                     done = case when $2 = 'succeeded' then coalesce(total, done) else done end
                 where id = $1 and state = 'running'",
                &[&id, &state, &result, &problem],
            )
            .await?;
        Ok(())
    }

    /// Asks for a job's end. A queued one ends at once.
    pub async fn cancel(&self, department: &str, id: Uuid) -> Result<JobInfo> {
        let client = self.database.app().await?;
        client
            .execute(
                "update onemap.job set cancel_requested = true,
                     finished_at = case when state = 'queued' then now() end,
                     state = case when state = 'queued' then 'cancelled' else state end
                 where id = $1 and department_id = $2 and state in ('queued', 'running')",
                &[&id, &department],
            )
            .await?;
        drop(client);
        self.get(department, id).await
    }

    /// A job of the department.
    pub async fn get(&self, department: &str, id: Uuid) -> Result<JobInfo> {
        let client = self.database.app().await?;
        let sql = format!("select {COLUMNS} from onemap.job where id = $1 and department_id = $2");
        let row = client.query_opt(&sql, &[&id, &department]).await?;
        row.as_ref().map(info).ok_or_else(|| Error::not_found("没有这个任务", "there is no such job"))
    }

    /// The department's newest jobs.
    pub async fn list(&self, department: &str, limit: i64) -> Result<Vec<JobInfo>> {
        let client = self.database.app().await?;
        let sql =
            format!("select {COLUMNS} from onemap.job where department_id = $1 order by created_at desc limit $2");
        Ok(client.query(&sql, &[&department, &limit]).await?.iter().map(info).collect())
    }
}
