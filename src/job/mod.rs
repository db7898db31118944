//! Durable jobs: a queue in the database, workers that take from it, progress that anybody allowed can watch.

pub mod queue;
pub mod search;
pub mod worker;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::principal::Principal;
use crate::error::{Error, Kind, Result, Said};

/// A kind of work. It must be safe to run again: a killed worker's job is started anew, from the beginning or, when it keeps a
/// checkpoint ([`queue::checkpoint`]), from there.
pub trait Job: Send + Sync {
    fn kind(&self) -> &'static str;
    /// Dropping the future cancels the work and must leave nothing half-done visible.
    fn run<'a>(&'a self, task: &'a Task) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>>;
    /// Called when the job will not run again: it failed for good or was cancelled.
    fn gave_up<'a>(&'a self, task: &'a Task, error: &'a Error) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// One job under way.
pub struct Task {
    pub id: Uuid,
    pub input: Value,
    /// Authorised anew when the job was taken, not when it was asked for.
    pub principal: Principal,
    /// Which start of the job this is: the proof of being the one who works on it.
    pub run: i32,
    progress: Progress,
}

/// Where a job stands; written by the job, saved by its worker.
#[derive(Clone, Default)]
pub struct Progress {
    stage: Arc<ArcSwap<String>>,
    done: Arc<AtomicI64>,
    /// -1 while unknown.
    total: Arc<AtomicI64>,
}

impl Task {
    pub fn progress(&self) -> &Progress {
        &self.progress
    }
}

impl Progress {
    pub fn set(&self, stage: &str, done: u64, total: Option<u64>) {
        if self.stage.load().as_str() != stage {
            self.stage.store(Arc::new(stage.to_owned()));
        }
        self.done.store(done as i64, Ordering::Relaxed);
        self.total.store(total.map_or(-1, |t| t as i64), Ordering::Relaxed);
    }
    pub fn get(&self) -> (String, i64, Option<i64>) {
        let total = self.total.load(Ordering::Relaxed);
        (self.stage.load().to_string(), self.done.load(Ordering::Relaxed), (total >= 0).then_some(total))
    }
}

/// The error that was kept with a job. A fault of ours is no fault of whoever reads of it: it is said as a conflict.
pub fn problem_from_json(problem: &Value) -> Error {
    let text = |part: &str, language: &str| problem[part][language].as_str().unwrap_or_default().to_owned();
    let kind = match problem["kind"].as_str().unwrap_or_default() {
        "not_found" => Kind::NotFound,
        "invalid" => Kind::Invalid { parameter: problem["parameter"].as_str().unwrap_or("inputs").to_owned() },
        "forbidden" => Kind::Forbidden,
        "too_large" => Kind::TooLarge,
        "unsupported" => Kind::Unsupported,
        _ => Kind::Conflict,
    };
    let error = Error::new(kind, text("detail", "zh"), text("detail", "en"));
    match problem["hint"].is_object() {
        true => error.hint(text("hint", "zh"), text("hint", "en")),
        false => error,
    }
}

/// An error as it is kept with a job: what the caller may see, in both languages.
pub fn problem_to_json(error: &Error) -> Value {
    let (kind, parameter) = match &error.kind {
        Kind::NotFound => ("not_found", None),
        Kind::Invalid { parameter } => ("invalid", Some(parameter.clone())),
        Kind::Unauthenticated => ("unauthenticated", None),
        Kind::Forbidden => ("forbidden", None),
        Kind::Conflict => ("conflict", None),
        Kind::Outdated => ("outdated", None),
        Kind::TooLarge => ("too_large", None),
        Kind::Unsupported => ("unsupported", None),
        Kind::Busy | Kind::TooMany { .. } => ("busy", None),
        Kind::NotAcceptable => ("not_acceptable", None),
        Kind::Unconditional => ("precondition_required", None),
        Kind::WrongMethod => ("wrong_method", None),
        Kind::Internal => ("internal", None),
    };
    let said = |s: &Said| json!({"zh": s.zh, "en": s.en});
    json!({"kind": kind, "parameter": parameter, "detail": said(&error.detail), "hint": error.hint.as_ref().map(said)})
}
