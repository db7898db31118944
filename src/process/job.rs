//! A process as a durable job: the same run, under the rights that hold then, its outputs kept with the job.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Call, Future, Outcome, Parts, Processes, Seen};
use crate::access::gate::Gate;
use crate::access::grant::{Grant, Read};
use crate::access::principal::Principal;
use crate::error::{Error, Result};
use crate::job::queue::JobInfo;
use crate::job::{Job, Task};

pub const KIND: &str = "process";
/// Bytes of outputs that are kept with a job.
const MOST_KEPT: usize = 32 << 20;
/// Such jobs of a department that wait or run at once.
const MOST_AT_ONCE: i64 = 10;

pub(super) async fn put(parts: &Parts, by: &Principal, process: &str, inputs: &Map<String, Value>) -> Result<Uuid> {
    parts.queue.put_at_most(by, KIND, MOST_AT_ONCE, &json!({"process": process, "inputs": inputs})).await
}

/// What was kept, for those who see now what was seen then.
pub(super) fn outputs(gate: &Gate, job: &JobInfo, by: &Principal) -> Result<Map<String, Value>> {
    let result = job.result.as_ref().unwrap_or(&Value::Null);
    let seen: Vec<Seen> = serde_json::from_value(result["seen"].clone())?;
    for one in &seen {
        let now: Option<Grant<Read>> = gate.open(by, &one.layer).ok();
        if now.is_none_or(|grant| Seen::of(&grant) != *one) {
            return Err(Error::forbidden(
                "授权已变更，不能再读取这个任务的结果",
                "what your department may read has changed; the outputs of this job are no longer for it",
            )
            .hint("请重新执行", "run the process again"));
        }
    }
    Ok(result["outputs"].as_object().cloned().unwrap_or_default())
}

/// Runs processes that were put as jobs.
pub struct ProcessJob {
    pub processes: Processes,
}

impl ProcessJob {
    async fn work(&self, task: &Task) -> Result<Value> {
        let id = task.input["process"].as_str().unwrap_or_default();
        let gone = || Error::not_found("没有这个处理", "there is no such process");
        let process = self.processes.get(id).ok_or_else(gone)?;
        let inputs = task.input["inputs"].as_object().cloned().unwrap_or_default();
        let parts = &self.processes.parts;
        parts.gate.reload(&parts.database).await?;
        task.progress().set(id, 0, None);
        let call = Call { parts, by: &task.principal, inputs: &inputs, progress: task.progress() };
        let Outcome::Done { outputs, seen } = process.run(call).await? else {
            return Err(Error::internal(format!("the process {id} put a job from within a job")));
        };
        let kept = json!({"outputs": outputs, "seen": seen});
        match kept.to_string().len() {
            n if n > MOST_KEPT => Err(Error::too_large("结果超过 32 MiB", "the outputs are larger than 32 MiB")
                .hint("请缩小范围或分批执行", "ask for less, or in parts")),
            _ => Ok(kept),
        }
    }
}

impl Job for ProcessJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run<'a>(&'a self, task: &'a Task) -> Future<'a, Value> {
        Box::pin(self.work(task))
    }

    fn gave_up<'a>(
        &'a self,
        _: &'a Task,
        _: &'a Error,
    ) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + Send + 'a>> {
        // It keeps nothing before its end.
        Box::pin(std::future::ready(()))
    }
}
