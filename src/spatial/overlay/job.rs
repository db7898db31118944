//! Large overlays as durable jobs. The queue's row says which layers are asked and nothing of the data, which is held by this process
//! alone ([`crate::spatial::held`]): until the job has ended; the result until it is fetched, for an hour at most. After a restart there
//! is nothing left of either, and the job ends with that. Other nodes leave the job to this one, tell of its state, and say who has the
//! result.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::input::Incoming;
use super::output::Format;
use super::{Body, Counts, Wanted};
use crate::access::grant::Read as Reads;
use crate::access::principal::Principal;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::job::queue::Queue;
use crate::job::{Job, Task};
use crate::spatial::Spatial;
use crate::spatial::held::{Held, Writing};

pub const KIND: &str = "overlay";
/// Such jobs of a department at once.
const MOST_AT_ONCE: i64 = 4;
/// Bytes of one input; of its result.
const MOST_IN: u64 = 4 << 30;
const MOST_OUT: u64 = 16 << 30;
/// How long a result waits to be fetched.
const WAITS: Duration = Duration::from_secs(3600);
/// How often it is looked whether a job is over that nobody runs.
const LOOK: Duration = Duration::from_secs(2);

/// What this process holds for jobs. Cheap to clone.
#[derive(Clone)]
pub struct Overlays(Arc<Inner>);

struct Inner {
    spatial: Spatial,
    queue: Queue,
    folder: PathBuf,
    /// What this node is called where people read it.
    node: String,
    inputs: Mutex<HashMap<Uuid, Arc<Input>>>,
    results: Mutex<HashMap<Uuid, Arc<Outcome>>>,
}

struct Input {
    wanted: Wanted,
    data: Held,
}

/// A finished overlay.
pub struct Outcome {
    pub format: Format,
    data: Held,
    department: String,
    /// What was seen of which layers.
    seen: Vec<(String, u64)>,
}

impl Outcome {
    /// The result's bytes.
    pub fn body(self: &Arc<Self>) -> Result<Body> {
        let mut reading = self.data.read()?;
        let (send, receive) = tokio::sync::mpsc::channel(4);
        let held = self.clone();
        tokio::task::spawn_blocking(move || {
            let _held = held;
            loop {
                let mut piece = vec![0; 256 << 10];
                let read = reading.read(&mut piece);
                let piece = match read {
                    Ok(0) => return,
                    Ok(n) => {
                        piece.truncate(n);
                        Ok(Bytes::from(piece))
                    }
                    Err(e) => Err(Error::from(e)),
                };
                if send.blocking_send(piece).is_err() {
                    return;
                }
            }
        });
        Ok(Box::pin(tokio_stream::wrappers::ReceiverStream::new(receive)))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Overlays {
    pub fn new(spatial: Spatial, queue: Queue, config: &Config) -> Overlays {
        let (inputs, results) = (Mutex::default(), Mutex::default());
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let node = format!("{} ({})", host.trim(), config.listen);
        Overlays(Arc::new(Inner { spatial, queue, folder: config.data.join("overlay"), node, inputs, results }))
    }

    /// Takes a body and puts the job. The layers are opened now, so that what is refused is refused at once, and again when it runs.
    pub async fn put(&self, by: &Principal, wanted: Wanted, body: Body) -> Result<Uuid> {
        self.0.spatial.open_all(by, &wanted.layers)?;
        let mut writing = Writing::begin(&self.0.folder, MOST_IN)?;
        let mut incoming = Incoming::of(body);
        let copy = move || -> Result<Held> {
            std::io::copy(&mut incoming, &mut writing).map_err(|e| match e.kind() {
                std::io::ErrorKind::FileTooLarge => Error::too_large("数据超过 4 GiB", "the data are more than 4 GiB"),
                _ => super::input::unreadable(e),
            })?;
            Ok(writing.finish()?)
        };
        let data = tokio::task::spawn_blocking(copy).await.map_err(Error::internal)??;
        if data.is_empty() {
            return Err(Error::invalid("body", "请求内容是空的", "the body is empty"));
        }
        let layers: Vec<&str> = wanted.layers.iter().map(|named| named.parts().0).collect();
        // By a ticket, because a worker may take the job before its id is known here.
        let ticket = Uuid::now_v7();
        let said = json!({"ticket": ticket, "layers": layers, "bytes": data.len(), "node": self.0.node});
        locked(&self.0.inputs).insert(ticket, Arc::new(Input { wanted, data }));
        let put = self.0.queue.put_here(by, KIND, MOST_AT_ONCE, &said).await;
        match &put {
            Ok(job) => self.watch(by.department.as_deref().unwrap_or_default().to_owned(), *job, ticket),
            Err(_) => drop(locked(&self.0.inputs).remove(&ticket)),
        }
        put
    }

    /// Keeps the job here while it waits, and lets go of the input when it is over, whoever ended it.
    fn watch(&self, department: String, job: Uuid, ticket: Uuid) {
        let this = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                if !locked(&this.0.inputs).contains_key(&ticket) {
                    return;
                }
                let over = match this.0.queue.get(&department, job).await {
                    Ok(info) => info.is_over(),
                    Err(e) => e.kind == crate::error::Kind::NotFound,
                };
                if let Err(e) = this.0.queue.keep_here(job).await {
                    tracing::warn!(job = %job, "an overlay that waits could not be kept: {e}");
                }
                if over {
                    locked(&this.0.inputs).remove(&ticket);
                }
            }
        });
    }

    /// The result of a job of the principal's department, while its rights are what they were.
    pub async fn result(&self, by: &Principal, job: Uuid) -> Result<Arc<Outcome>> {
        let department = by.department.as_deref().unwrap_or_default();
        let info = self.0.queue.get(department, job).await?;
        if info.kind != KIND {
            return Err(Error::not_found("没有这个对象", "there is no such thing"));
        }
        let found = locked(&self.0.results).get(&job).cloned().filter(|outcome| outcome.department == department);
        let Some(outcome) = found else {
            let elsewhere = info.input["node"].as_str().filter(|node| *node != self.0.node);
            return Err(match (info.state.as_str(), elsewhere) {
                ("succeeded", Some(node)) => {
                    Error::conflict(format!("结果由节点 {node} 持有"), format!("the node {node} holds the result"))
                        .hint(
                            "请直接向该节点读取；结果不落盘，最多保留一小时",
                            "ask that node for it; it lies on no disk and is held for an hour",
                        )
                }
                ("succeeded", None) => Error::not_found("结果已不再保留", "the result is held no more").hint(
                    "结果最多保留一小时，服务重启后即清除；请重新提交",
                    "it is held for an hour, and gone after a restart: send it again",
                ),
                _ => Error::conflict("任务没有结果", "the job has no result")
                    .hint("任务状态见 /api/v1/jobs", "its state is at /api/v1/jobs"),
            });
        };
        for (layer, scope) in &outcome.seen {
            let now = self.0.spatial.gate.open::<Reads>(by, layer).ok();
            if now.is_none_or(|grant| grant.scope().fingerprint() != *scope) {
                return Err(Error::forbidden(
                    "授权已变更，不能再读取这个任务的结果",
                    "what your department may read has changed; the result of this job is no longer for it",
                )
                .hint("请重新提交", "send it again"));
            }
        }
        Ok(outcome)
    }

    /// How many inputs and results this process holds.
    pub fn held(&self) -> (usize, usize) {
        (locked(&self.0.inputs).len(), locked(&self.0.results).len())
    }

    /// Lets go of a result.
    pub fn forget(&self, job: Uuid) {
        locked(&self.0.results).remove(&job);
    }
}

/// Runs overlays that were put as jobs.
pub struct OverlayJob {
    pub overlays: Overlays,
}

/// Ends the thread when the job's future is dropped.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn ticket(task: &Task) -> Option<Uuid> {
    task.input["ticket"].as_str()?.parse().ok()
}

impl OverlayJob {
    async fn work(&self, task: &Task) -> Result<Value> {
        let inner = &self.overlays.0;
        let input = ticket(task).and_then(|ticket| locked(&inner.inputs).get(&ticket).cloned()).ok_or_else(|| {
            Error::conflict(
                "数据已不在：服务在任务完成前重启过，数据没有保留在磁盘上",
                "the data are gone: the service was restarted before the job ended, and nothing was left on disk",
            )
            .hint("请重新提交", "send it again")
        })?;
        task.progress().set("prepare", 0, None);
        let mut plan = inner.spatial.plan(&task.principal, input.wanted.clone()).await?;
        let seen = plan.opened().iter().map(|o| (o.id().to_owned(), o.grant.scope().fingerprint())).collect();
        let ended = Ended(Arc::default());
        let (stop, progress) = (ended.0.clone(), task.progress().clone());
        let mut writing = Writing::begin(&inner.folder, MOST_OUT)?;
        let format = input.wanted.output;
        let run = move || -> Result<(Counts, Held)> {
            let mut fault = None;
            let counts = plan.through(
                input.data.read()?,
                || (),
                |piece| match writing.write_all(&piece) {
                    Ok(()) => true,
                    Err(e) => {
                        fault = Some(e);
                        false
                    }
                },
                |counts| {
                    progress.set("overlay", counts.rows, None);
                    !stop.load(Ordering::Relaxed)
                },
            )?;
            match fault {
                None => Ok((counts, writing.finish()?)),
                Some(e) if e.kind() == std::io::ErrorKind::FileTooLarge => {
                    Err(Error::too_large("结果超过 16 GiB", "the result is more than 16 GiB"))
                }
                Some(e) => Err(e.into()),
            }
        };
        let (counts, data) = tokio::task::spawn_blocking(run).await.map_err(Error::internal)??;
        let department = task.principal.department.as_deref().unwrap_or_default().to_owned();
        let bytes = data.len();
        locked(&inner.results).insert(task.id, Arc::new(Outcome { format, data, department, seen }));
        self.drop_input(task);
        let (overlays, job) = (self.overlays.clone(), task.id);
        tokio::spawn(async move {
            tokio::time::sleep(WAITS).await;
            overlays.forget(job);
        });
        Ok(json!({"rows": counts.rows, "matched": counts.matched, "problems": counts.problems, "bytes": bytes,
                  "node": inner.node, "result": format!("/api/v1/jobs/{}/overlay", task.id)}))
    }

    fn drop_input(&self, task: &Task) {
        if let Some(ticket) = ticket(task) {
            locked(&self.overlays.0.inputs).remove(&ticket);
        }
    }
}

impl Job for OverlayJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run<'a>(&'a self, task: &'a Task) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> {
        Box::pin(self.work(task))
    }

    fn gave_up<'a>(&'a self, task: &'a Task, _: &'a Error) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.drop_input(task);
        self.overlays.forget(task.id);
        Box::pin(std::future::ready(()))
    }
}

/// The pieces of a body in memory, for what is asked by other ways than HTTP.
pub fn pieces(bytes: Bytes) -> Body {
    futures_util::stream::iter([Ok(bytes)]).boxed()
}
