//! Workers: take a job, authorise its owner anew, run it beside a heartbeat, end it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::queue::{Asked, MOST_ATTEMPTS, Queue, Taken};
use super::{Job, Task, problem_to_json};
use crate::access::login::Login;
use crate::access::recorder::Recorder;
use crate::access::trace::{self, Trace};
use crate::error::{Error, Kind, Result};

const BEAT: Duration = Duration::from_millis(700);
const LOOK: Duration = Duration::from_secs(1);

pub struct Worker {
    pub queue: Queue,
    pub login: Login,
    pub recorder: Recorder,
    pub jobs: Vec<Arc<dyn Job>>,
}

impl Worker {
    /// Takes jobs until told to stop. A job under way is left to the next start: it begins anew there.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let worked = tokio::select! {
                _ = stop.changed() => return,
                worked = self.turn() => worked,
            };
            if !worked {
                tokio::select! {
                    _ = stop.changed() => return,
                    () = self.queue.woken() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        }
    }

    /// Runs one job if there is one.
    pub async fn turn(&self) -> bool {
        let kinds: Vec<&str> = self.jobs.iter().map(|j| j.kind()).collect();
        match self.queue.take(&kinds).await {
            Ok(Some(taken)) => {
                if let Err(e) = self.work(taken).await {
                    tracing::error!("a job could not be ended: {e}");
                }
                true
            }
            Ok(None) => false,
            Err(e) => {
                tracing::warn!("the job queue cannot be read: {e}");
                false
            }
        }
    }

    async fn work(&self, taken: Taken) -> Result<()> {
        let Some(job) = self.jobs.iter().find(|j| j.kind() == taken.kind) else { return Ok(()) };
        tracing::info!(job = %taken.id, kind = taken.kind, attempt = taken.attempts, "job taken");
        let mine = (taken.id, taken.run);
        let principal = match self.login.principal_of_job(&taken.principal).await {
            Ok(principal) => principal,
            Err(e) => return self.queue.end(mine, "failed", None, Some(&problem_to_json(&e))).await,
        };
        let attempts = taken.attempts;
        let task = taken.task(principal);
        let trace = Arc::new(Trace::default());
        let outcome = if attempts > MOST_ATTEMPTS {
            Ok(Err(Error::busy(
                format!("任务已中断 {MOST_ATTEMPTS} 次，不再重试"),
                format!("the job was interrupted {MOST_ATTEMPTS} times and is not tried again"),
            )))
        } else {
            trace::within(trace.clone(), self.watched(job.as_ref(), &task)).await
        };
        // A result can be fetched when its evidence is kept, not before: else the job is taken again.
        if self.recorder.put_job(&trace, task.id, job.kind(), matches!(outcome, Ok(Ok(_)))) {
            self.recorder.durable().await?;
        }
        match outcome {
            Ok(Ok(result)) => self.queue.end(mine, "succeeded", Some(&result), None).await,
            Ok(Err(error)) => {
                if error.kind == Kind::Internal {
                    tracing::error!(job = %task.id, "job failed: {error}");
                }
                job.gave_up(&task, &error).await;
                self.queue.end(mine, "failed", None, Some(&problem_to_json(&error))).await
            }
            Err(Asked::Pause) => self.queue.rest(task.id, task.run).await,
            Err(_) => {
                let error = Error::conflict("任务已取消", "the job was cancelled");
                job.gave_up(&task, &error).await;
                self.queue.end(mine, "cancelled", None, Some(&problem_to_json(&error))).await
            }
        }
    }

    /// Runs the job beside its heartbeat. An error says what was asked for in the middle of it.
    async fn watched(&self, job: &dyn Job, task: &Task) -> Result<Result<Value>, Asked> {
        let beats = async {
            loop {
                tokio::time::sleep(BEAT).await;
                let (stage, done, total) = task.progress.get();
                match self.queue.beat(task.id, task.run, (&stage, done, total)).await {
                    Ok(Asked::Nothing) => {}
                    Ok(asked) => return asked,
                    Err(e) => tracing::warn!(job = %task.id, "a heartbeat failed: {e}"),
                }
            }
        };
        let outcome = tokio::select! {
            outcome = job.run(task) => outcome,
            asked = beats => return Err(asked),
        };
        let (stage, done, total) = task.progress.get();
        let _ = self.queue.beat(task.id, task.run, (&stage, done, total)).await;
        Ok(outcome)
    }
}
