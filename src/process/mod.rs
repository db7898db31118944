//! Processes as OGC API Processes knows them: what there is to run, with which inputs, at once or as a job.
//!
//! A process is a file here and a line in [`Processes::new`]: it says what it takes ([`About`]) and does it ([`Process::run`]).
//! Its inputs have been held against their schemas by then. One that is short runs at once or, if the caller prefers, as a job of the
//! kind [`job::KIND`]; one that has a durable job of its own puts that.

mod address_batch;
mod address_search;
mod classify;
mod identify;
pub mod job;
mod nearest;
mod overlay;
mod schema;
mod summary;
mod tiles_export;

use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::datastore::Datastore;
use crate::access::gate::{Gate, sign_in};
use crate::access::grant::{Grant, Read};
use crate::access::principal::Principal;
use crate::access::rights::Right;
use crate::address::Addresses;
use crate::address::jobs::AddressJobs;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::job::Progress;
use crate::job::queue::{JobInfo, Queue};
use crate::layer::catalog::{Catalog, Published};
use crate::spatial::Spatial;

/// A text in Chinese and English.
pub type Words = (&'static str, &'static str);

/// What is said of a process.
pub struct About {
    pub id: &'static str,
    pub version: &'static str,
    pub title: Words,
    pub description: Words,
    pub keywords: &'static [&'static str],
    pub mode: Mode,
    pub inputs: Vec<Input>,
    pub outputs: Vec<Output>,
}

/// How a process may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// At once, or as a job when that is preferred.
    Either,
    /// At once in any case: what is sent is not to be kept, and a job keeps its inputs.
    Sync,
    /// As a job in any case.
    Job,
}

pub struct Input {
    pub name: &'static str,
    pub title: Words,
    pub description: Words,
    pub required: bool,
    /// JSON Schema: `type`, `enum`, `minimum`, `maximum`, `minLength`, `maxLength`, `minItems`, `maxItems`, `items`, and what is
    /// only said (`default`, `format`, `contentMediaType`). An input of several values is an array.
    pub schema: Value,
}

pub struct Output {
    pub name: &'static str,
    pub title: Words,
    pub description: Words,
    pub schema: Value,
}

/// A run asked for.
pub struct Call<'a> {
    pub parts: &'a Parts,
    pub by: &'a Principal,
    /// Held against the schemas already.
    pub inputs: &'a Map<String, Value>,
    pub progress: &'a Progress,
}

/// What a run comes to.
pub enum Outcome {
    /// Done: the outputs by their names, and what was seen of which layers for them.
    Done { outputs: Map<String, Value>, seen: Vec<Seen> },
    /// Under way as this job of the queue.
    Job(Uuid),
}

/// A layer and the fingerprint of what was seen of it: a kept result is for those who still see just that.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Seen {
    pub layer: String,
    pub scope: u64,
}

type Future<'a, T> = Pin<Box<dyn std::future::Future<Output = Result<T>> + Send + 'a>>;

pub trait Process: Send + Sync {
    fn about(&self) -> &About;
    fn run<'a>(&'a self, call: Call<'a>) -> Future<'a, Outcome>;
    /// Refuses inputs that a job must not keep.
    fn keeps(&self, _inputs: &Map<String, Value>) -> Result<()> {
        Ok(())
    }
    /// The kind of durable job that it puts, if it puts one of its own.
    fn kind(&self) -> Option<&'static str> {
        None
    }
    /// The outputs of such a job when it has succeeded. An `href` that begins with `/` is an address of ours.
    fn outputs(&self, _job: &JobInfo) -> Map<String, Value> {
        Map::new()
    }
}

/// What processes stand on.
pub struct Parts {
    pub database: Database,
    pub store: Datastore,
    pub gate: Gate,
    pub catalog: Catalog,
    pub queue: Queue,
    pub addresses: Addresses,
    pub address_jobs: AddressJobs,
    pub spatial: Spatial,
}

/// The table of processes. Cheap to clone.
#[derive(Clone)]
pub struct Processes {
    parts: Arc<Parts>,
    all: Arc<[Box<dyn Process>]>,
}

impl Processes {
    pub fn new(parts: Parts) -> Processes {
        let all: Vec<Box<dyn Process>> = vec![
            Box::new(address_search::AddressSearch::new()),
            Box::new(address_batch::AddressBatch::new()),
            Box::new(classify::Classify::new()),
            Box::new(identify::Identify::new()),
            Box::new(nearest::Nearest::new()),
            Box::new(overlay::Overlay::new()),
            Box::new(summary::Summary::new()),
            Box::new(tiles_export::TilesExport::new()),
        ];
        Processes { parts: Arc::new(parts), all: all.into() }
    }

    pub fn all(&self) -> impl Iterator<Item = &dyn Process> {
        self.all.iter().map(Box::as_ref)
    }

    pub fn get(&self, id: &str) -> Option<&dyn Process> {
        self.all().find(|process| process.about().id == id)
    }

    /// The process that a job of the queue is a run of.
    pub fn of_job(&self, job: &JobInfo) -> Option<&dyn Process> {
        match job.kind.as_str() {
            job::KIND => self.get(job.input["process"].as_str().unwrap_or_default()),
            kind => self.all().find(|process| process.kind() == Some(kind)),
        }
    }

    /// The kinds of jobs that are runs of processes.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.all().filter_map(Process::kind).chain([job::KIND]).collect()
    }

    /// Runs a process: at once, or as a job where it is one or `as_job` asks for it.
    pub async fn execute(
        &self,
        process: &dyn Process,
        by: &Principal,
        inputs: &Map<String, Value>,
        as_job: bool,
    ) -> Result<Outcome> {
        let about = process.about();
        schema::check(&about.inputs, inputs)?;
        let is_job = about.mode == Mode::Job || (as_job && about.mode == Mode::Either);
        if is_job && by.is_anonymous() {
            return Err(sign_in());
        }
        if is_job && about.mode == Mode::Either {
            process.keeps(inputs)?;
            return Ok(Outcome::Job(job::put(&self.parts, by, about.id, inputs).await?));
        }
        let progress = Progress::default();
        process.run(Call { parts: &self.parts, by, inputs, progress: &progress }).await
    }

    /// The outputs of a job that has succeeded, for a principal of its department.
    pub fn outputs(&self, process: &dyn Process, job: &JobInfo, by: &Principal) -> Result<Map<String, Value>> {
        match job.kind == job::KIND {
            true => job::outputs(&self.parts.gate, job, by),
            false => Ok(process.outputs(job)),
        }
    }
}

impl Call<'_> {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.inputs.get(name).and_then(Value::as_str)
    }

    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let items = self.inputs.get(name)?.as_array()?;
        Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.inputs.get(name).and_then(Value::as_i64)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.inputs.get(name).and_then(Value::as_f64)
    }

    /// A layer that may be read, with its published state.
    pub fn read(&self, layer: &str) -> Result<(Published, Grant<Read>)> {
        self.read_for(layer, Right::Query)
    }

    pub fn read_for(&self, layer: &str, right: Right) -> Result<(Published, Grant<Read>)> {
        let grant = self.parts.gate.open_for(self.by, layer, right)?;
        Ok((self.parts.catalog.published(&grant)?, grant))
    }

    pub fn department(&self) -> Result<&str> {
        self.by.department.as_deref().ok_or_else(sign_in)
    }
}

impl Seen {
    pub fn of(grant: &Grant<Read>) -> Seen {
        Seen { layer: grant.layer().to_owned(), scope: grant.scope().fingerprint() }
    }
}

/// The inputs as a request of a type of its own.
fn parsed<T: serde::de::DeserializeOwned>(inputs: &Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(inputs.clone()))
        .map_err(|e| Error::invalid("inputs", format!("输入有误：{e}"), format!("the inputs are wrong: {e}")))
}

/// An input that is wrong beyond what its schema says.
fn wrong(input: &str, zh: impl Into<String>, en: impl Into<String>) -> Error {
    Error::invalid(&format!("inputs.{input}"), zh, en)
}
