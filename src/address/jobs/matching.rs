//! Matching a job's rows: two threads read and match pieces of the file, one writer puts them into the results in the file's order.
//!
//! A piece's results and the checkpoint behind it are one transaction: whatever is killed at whatever moment, the job goes on behind
//! the last piece that is there, and nothing is lost or there twice. Memory is bounded by the pieces under way.

mod pieces;
mod writer;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use self::pieces::{Piece, Shared};
use self::writer::Writer;
use super::reading::still_readable;
use super::{AddressJobs, Checkpoint, Job};
use crate::access::gate::sign_in;
use crate::address::Readable;
use crate::error::{Error, Kind, Result};
use crate::job::{self, Task, queue};

pub const KIND: &str = "address.match";
/// Threads that match. A core each; the database's work comes on top.
const THREADS: usize = 2;
/// How long a job waits for a database that is away or an index that is being built, without getting on.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
const AGAIN: Duration = Duration::from_secs(1);
/// How often the rights are asked again while a job runs.
const RIGHTS: Duration = Duration::from_secs(30);

/// Matches the rows of address jobs.
pub struct MatchJob {
    pub jobs: AddressJobs,
}

impl job::Job for MatchJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run<'a>(&'a self, task: &'a Task) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> {
        Box::pin(self.patiently(task))
    }

    /// What was matched up to then stays: it is of use, and the job says how far it came.
    fn gave_up<'a>(&'a self, _: &'a Task, _: &'a Error) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(std::future::ready(()))
    }
}

impl MatchJob {
    /// Goes on from the checkpoint as often as the database comes back.
    async fn patiently(&self, task: &Task) -> Result<Value> {
        let (mut moved, mut last) = (Instant::now(), -1);
        loop {
            let e = match self.run_from_checkpoint(task).await {
                Err(e) if e.kind == Kind::Busy => e,
                done => return done,
            };
            let (_, done, _) = task.progress().get();
            if done != last {
                (moved, last) = (Instant::now(), done);
            }
            if moved.elapsed() > PATIENCE {
                return Err(e);
            }
            tracing::info!(job = %task.id, "address job waits: {e}");
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn run_from_checkpoint(&self, task: &Task) -> Result<Value> {
        let (id, department) = (job_id(&task.input)?, task.principal.department.clone().ok_or_else(sign_in)?);
        let job = self.jobs.job(&department, id).await?;
        let client = self.jobs.database.importer().await?;
        let kept = queue::checkpoint(&**client, task).await?;
        let checkpoint: Checkpoint = kept.map(serde_json::from_value).transpose()?.unwrap_or_default();
        drop(client);
        task.progress().set("match", checkpoint.row as u64, Some(job.rows as u64));
        self.jobs.gate.reload(&self.jobs.database).await?;
        let readable = self.readable(task, &job).await?;
        let aliases = self.jobs.aliases.standing(&task.principal).await?;
        let mut writer = Writer::open(&self.jobs, task, &job, checkpoint.clone()).await?;
        let shared = Arc::new(Shared::new(&self.jobs, &job, &checkpoint, readable, aliases, writer.lists()).await?);
        self.pour(task, &job, &shared, &mut writer).await?;
        writer.finish(&job).await?;
        Ok(json!({"address_job": id, "rows": job.rows}))
    }

    /// What may be searched now. An index that is being built is waited for: rows that it would have answered must not be rejected.
    async fn readable(&self, task: &Task, job: &Job) -> Result<Readable> {
        let readable = still_readable(&self.jobs.addresses, &task.principal, job.only.as_deref()).await?;
        if !readable.not_ready().is_empty() {
            return Err(Error::busy("地址索引正在建立", "the address index is being built"));
        }
        match readable.layers().is_empty() {
            false => Ok(readable),
            true => {
                Err(Error::conflict("没有可用的地址源", "there is no address source that the job's owner may search"))
            }
        }
    }

    /// Lets the threads match and writes what they found, in order.
    async fn pour(&self, task: &Task, job: &Job, shared: &Arc<Shared>, writer: &mut Writer<'_>) -> Result<()> {
        // Ends the threads however this future ends.
        let _end = shared.ending();
        let (send, mut pieces) = mpsc::channel::<Result<Piece>>(THREADS);
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (shared, send) = (shared.clone(), send.clone());
                tokio::task::spawn_blocking(move || shared.work(&send))
            })
            .collect();
        drop(send);
        let (mut waiting, mut next, mut asked) = (std::collections::BTreeMap::new(), 0, Instant::now());
        while let Some(piece) = pieces.recv().await {
            let piece = piece?;
            waiting.insert(piece.index, piece);
            while let Some(piece) = waiting.remove(&next) {
                next += 1;
                writer.write(piece, shared).await?;
                task.progress().set("match", writer.row() as u64, Some(job.rows as u64));
            }
            if asked.elapsed() > RIGHTS {
                asked = Instant::now();
                shared.search(self.readable(task, job).await?);
            }
        }
        for thread in threads {
            thread.await.map_err(Error::internal)?;
        }
        match waiting.is_empty() && writer.row() == job.rows {
            true => Ok(()),
            false => Err(Error::internal(format!(
                "the file of the address job ended after {} of {} rows",
                writer.row(),
                job.rows
            ))),
        }
    }
}

fn job_id(input: &Value) -> Result<Uuid> {
    let id = input["address_job"].as_str().and_then(|s| s.parse().ok());
    id.ok_or_else(|| Error::internal("an address job without a number"))
}
