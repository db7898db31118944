//! The queue's table: put, take, watch, cancel.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::Task;
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
    pub started: Option<String>,
    pub finished: Option<String>,
    /// When it was last heard of.
    pub updated: Option<String>,
    #[serde(skip)]
    pub input: Value,
}

impl JobInfo {
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed" | "cancelled")
    }
}

/// A whole job.
pub(super) fn columns() -> String {
    columns_with("result", "input")
}

/// A job of a list: of a process's run, whose inputs and outputs may be large, only which process it is.
pub(super) fn columns_listed() -> String {
    columns_with(
        "case when kind <> 'process' then result end",
        "case when kind = 'process' then jsonb_build_object('process', input -> 'process') else input end",
    )
}

fn columns_with(result: &'static str, input: &'static str) -> String {
    format!(
        "id, kind, state, stage, done, total, {result}, problem,
         extract(epoch from coalesce(finished_at, now()) - started_at)::float8,
         to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), done_before,
         to_char(started_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
         to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
         to_char(heartbeat_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), {input}"
    )
}

pub(super) fn info(row: &tokio_postgres::Row) -> JobInfo {
    let (done, total): (i64, Option<i64>) = (row.get(4), row.get(5));
    let seconds: Option<f64> = row.get(8);
    let lately = done - row.get::<_, i64>(10);
    let rate = seconds.filter(|s| *s > 0.2 && lately > 0).map(|s| lately as f64 / s);
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
        started: row.get(11),
        finished: row.get(12),
        updated: row.get(13),
        input: row.get(14),
    }
}

#[derive(Clone)]
pub struct Queue {
    database: Database,
    /// This process, as jobs name who holds their input.
    node: Uuid,
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
    pub run: i32,
}

impl Taken {
    /// The job in hand, for whoever it belongs to now.
    pub fn task(self, principal: Principal) -> Task {
        Task { id: self.id, input: self.input, principal, run: self.run, progress: Default::default() }
    }
}

/// What was asked of a job under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Nothing,
    Pause,
    /// Or it is somebody else's by now.
    End,
}

/// A job's checkpoint, if it is still this worker's job.
pub async fn checkpoint(client: &impl GenericClient, task: &Task) -> Result<Option<Value>> {
    let sql = "select checkpoint from onemap.job where id = $1 and state = 'running' and run = $2";
    Ok(client.query_opt(sql, &[&task.id, &task.run]).await?.ok_or_else(taken_over)?.get(0))
}

/// Moves a job's checkpoint. `client` must be the transaction that did the work up to there: both are kept, or neither. A job that
/// comes along may be interrupted as often as it likes, so this also counts as its first attempt again.
pub async fn move_checkpoint(client: &impl GenericClient, task: &Task, to: &Value, done: i64) -> Result<()> {
    let sql = "update onemap.job set checkpoint = $3, done = $4, attempts = 1, heartbeat_at = now()
               where id = $1 and state = 'running' and run = $2";
    match client.execute(sql, &[&task.id, &task.run, to, &done]).await? {
        1 => Ok(()),
        _ => Err(taken_over()),
    }
}

fn taken_over() -> Error {
    Error::conflict("任务已由其他进程接手", "another worker has taken the job over")
}

pub(super) fn no_job() -> Error {
    Error::not_found("没有这个任务", "there is no such job")
}

impl Queue {
    pub fn new(database: Database) -> Self {
        Queue { database, node: Uuid::new_v4(), wake: Arc::default() }
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// Until somebody puts a job on this node.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Puts a job for the principal's department.
    pub async fn put(&self, by: &Principal, kind: &str, input: &Value) -> Result<Uuid> {
        let client = self.database.app().await?;
        let id = Self::put_within(&**client, by, kind, input).await?;
        self.wake();
        Ok(id)
    }

    /// Puts a job unless `most` of its kind wait or run for the department already. Under a lock: two at once must not both be the last.
    pub async fn put_at_most(&self, by: &Principal, kind: &str, most: i64, input: &Value) -> Result<Uuid> {
        self.put_limited(by, kind, most, input, None).await
    }

    /// The same, of a job whose input this process alone holds. It must be [kept here](Queue::keep_here) until it is taken.
    pub async fn put_here(&self, by: &Principal, kind: &str, most: i64, input: &Value) -> Result<Uuid> {
        self.put_limited(by, kind, most, input, Some(self.node)).await
    }

    /// Says that this process is still there for a job that waits: one that is not heard of is taken by any, who ends it.
    pub async fn keep_here(&self, id: Uuid) -> Result<()> {
        let client = self.database.app().await?;
        let sql = "update onemap.job set heartbeat_at = now() where id = $1 and node = $2 and state = 'queued'";
        client.execute(sql, &[&id, &self.node]).await?;
        Ok(())
    }

    async fn put_limited(
        &self,
        by: &Principal,
        kind: &str,
        most: i64,
        input: &Value,
        node: Option<Uuid>,
    ) -> Result<Uuid> {
        let department = by.department.as_deref().unwrap_or_default();
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        transaction.execute("select pg_advisory_xact_lock(hashtext($1), hashtext($2))", &[&kind, &department]).await?;
        let sql = "select count(*) from onemap.job
                   where kind = $1 and department_id = $2 and state in ('queued', 'running')";
        let under_way: i64 = transaction.query_one(sql, &[&kind, &department]).await?.get(0);
        if under_way >= most {
            return Err(Error::conflict(
                format!("本单位已有 {under_way} 个此类任务在进行"),
                format!("{under_way} jobs of this kind are under way for your department"),
            )
            .hint("请等待其完成或取消后再试", "wait for them, or cancel one"));
        }
        let id = Self::put_within(&*transaction, by, kind, input).await?;
        if node.is_some() {
            let sql = "update onemap.job set node = $2, heartbeat_at = now() where id = $1";
            transaction.execute(sql, &[&id, &node]).await?;
        }
        transaction.commit().await?;
        drop(client);
        self.wake();
        Ok(id)
    }

    /// Lets this node's workers look for jobs now.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Puts a job as part of a transaction; whoever commits it calls [`Queue::wake`] then.
    pub async fn put_within(client: &impl GenericClient, by: &Principal, kind: &str, input: &Value) -> Result<Uuid> {
        let department = by.department.as_deref().unwrap_or_default();
        let principal = match &by.who {
            Who::Person { id, .. } => json!({"person": id}),
            Who::Operator => json!({"operator": department}),
            Who::Key { .. } | Who::Signed { .. } | Who::Anonymous => {
                return Err(Error::forbidden("此操作需要以个人身份登录", "this needs a person's session"));
            }
        };
        let id = Uuid::now_v7();
        client
            .execute(
                "insert into onemap.job (id, kind, department_id, created_by, principal, input)
                 values ($1, $2, $3, $4, $5, $6)",
                &[&id, &kind, &department, &by.name(), &principal, input],
            )
            .await?;
        Ok(id)
    }

    /// Takes the oldest job that waits or whose worker died. One that another node holds the input of waits for that node, while it is
    /// heard of. SKIP LOCKED lets workers pass each other.
    pub async fn take(&self, kinds: &[&str]) -> Result<Option<Taken>> {
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "update onemap.job set state = 'running', attempts = attempts + 1, run = run + 1, heartbeat_at = now(),
                     done = case when checkpoint is null then 0 else done end,
                     done_before = case when checkpoint is null then 0 else done end,
                     started_at = now(), problem = null
                 where id = (select id from onemap.job where kind = any($1)
                         and (state = 'queued' and (node is null or node = $3)
                              or state in ('queued', 'running') and heartbeat_at < now() - make_interval(secs => $2))
                     order by created_at limit 1 for update skip locked)
                 returning id, kind, input, principal, attempts, run",
                &[&kinds, &DEAD_AFTER_SECONDS, &self.node],
            )
            .await?;
        Ok(row.map(|r| Taken {
            id: r.get(0),
            kind: r.get(1),
            input: r.get(2),
            principal: r.get(3),
            attempts: r.get(4),
            run: r.get(5),
        }))
    }

    /// Saves progress and says what was asked of the job.
    pub async fn beat(&self, id: Uuid, run: i32, (stage, done, total): (&str, i64, Option<i64>)) -> Result<Asked> {
        let client = self.database.app().await?;
        // What a checkpoint says was done is what was done.
        let row = client
            .query_opt(
                "update onemap.job set heartbeat_at = now(), stage = $2, total = $4,
                     done = case when checkpoint is null then $3 else done end
                 where id = $1 and state = 'running' and run = $5 returning cancel_requested, pause_requested",
                &[&id, &stage, &done, &total, &run],
            )
            .await?;
        Ok(match row {
            // A job that is no longer running in the table is not ours any more.
            None => Asked::End,
            Some(row) if row.get(0) => Asked::End,
            Some(row) if row.get(1) => Asked::Pause,
            Some(_) => Asked::Nothing,
        })
    }

    /// Ends a job.
    pub async fn end(
        &self,
        (id, run): (Uuid, i32),
        state: &str,
        result: Option<&Value>,
        problem: Option<&Value>,
    ) -> Result<()> {
        let client = self.database.app().await?;
        client
            .execute(
                "update onemap.job set state = $2, result = $3, problem = $4, finished_at = now(), pause_requested = false,
                     done = case when $2 = 'succeeded' then coalesce(total, done) else done end
                 where id = $1 and state = 'running' and run = $5",
                &[&id, &state, &result, &problem, &run],
            )
            .await?;
        Ok(())
    }

    /// Lays a job that was asked to pause aside.
    pub async fn rest(&self, id: Uuid, run: i32) -> Result<()> {
        let client = self.database.app().await?;
        let sql = "update onemap.job set state = 'paused', pause_requested = false
                   where id = $1 and state = 'running' and run = $2";
        client.execute(sql, &[&id, &run]).await?;
        Ok(())
    }

    /// Asks a job to pause; a queued one does at once. For kinds that keep a checkpoint: another would lose its work.
    pub async fn pause(&self, department: &str, id: Uuid) -> Result<JobInfo> {
        let client = self.database.app().await?;
        let sql = "update onemap.job set pause_requested = state = 'running',
                       state = case when state = 'queued' then 'paused' else state end
                   where id = $1 and department_id = $2 and state in ('queued', 'running')";
        client.execute(sql, &[&id, &department]).await?;
        drop(client);
        self.get(department, id).await
    }

    /// Lets a paused job go on.
    pub async fn resume(&self, department: &str, id: Uuid) -> Result<JobInfo> {
        let client = self.database.app().await?;
        let sql = "update onemap.job set pause_requested = false, attempts = case state when 'paused' then 0 else attempts end,
                       state = case state when 'paused' then 'queued' else state end
                   where id = $1 and department_id = $2 and state in ('paused', 'running')";
        client.execute(sql, &[&id, &department]).await?;
        drop(client);
        self.wake();
        self.get(department, id).await
    }

    /// Asks for a job's end. One that is not running ends at once.
    pub async fn cancel(&self, department: &str, id: Uuid) -> Result<JobInfo> {
        let client = self.database.app().await?;
        client
            .execute(
                "update onemap.job set cancel_requested = true,
                     finished_at = case when state = 'running' then finished_at else now() end,
                     state = case when state = 'running' then state else 'cancelled' end
                 where id = $1 and department_id = $2 and state in ('queued', 'running', 'paused')",
                &[&id, &department],
            )
            .await?;
        drop(client);
        self.get(department, id).await
    }

    /// A job of the department.
    pub async fn get(&self, department: &str, id: Uuid) -> Result<JobInfo> {
        let client = self.database.app().await?;
        let sql = format!("select {} from onemap.job where id = $1 and department_id = $2", columns());
        let row = client.query_opt(&sql, &[&id, &department]).await?;
        row.as_ref().map(info).ok_or_else(no_job)
    }

    /// The department's newest jobs.
    pub async fn list(&self, department: &str, limit: i64) -> Result<Vec<JobInfo>> {
        let client = self.database.app().await?;
        let columns = columns_listed();
        let sql =
            format!("select {columns} from onemap.job where department_id = $1 order by created_at desc limit $2");
        Ok(client.query(&sql, &[&department, &limit]).await?.iter().map(info).collect())
    }
}
