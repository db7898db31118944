//! The reading process: one job from stdin, events to stderr as lines of JSON, COPY bytes to stdout.

use super::flat::{self, Flat};
use super::open::{self, Options, Progress};
use super::report::{Inspection, Note, ReadPlan, ReadReport};
use super::sandbox::{self, Limits};
use super::tileset::{self, PackedTiles};
use super::{encoding, inspect, read};
use crate::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The subcommand under which the binary becomes a reader.
pub const SUBCOMMAND: &str = "read-child";

#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    pub path: PathBuf,
    pub options: Options,
    pub limits: Limits,
    /// Without a plan the file is inspected.
    pub plan: Option<ReadPlan>,
    /// The data set of finished tiles that is to be packed instead.
    #[serde(default)]
    pub pack: Option<String>,
    /// Whether the file is a table that is wanted as plain rows, whatever they hold.
    #[serde(default)]
    pub flatten: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Progress(Progress),
    Inspected { inspection: Box<Inspection> },
    Read { report: Box<ReadReport> },
    Packed { tiles: Box<PackedTiles> },
    Flattened { flat: Box<Flat> },
    Error { kind: String, parameter: Option<String>, detail: Note, hint: Option<Note>, log: String },
}

fn kind_name(kind: &Kind) -> (&'static str, Option<String>) {
    match kind {
        Kind::Invalid { parameter } => ("invalid", Some(parameter.clone())),
        Kind::TooLarge => ("too_large", None),
        Kind::Unsupported => ("unsupported", None),
        _ => ("internal", None),
    }
}

/// An error as the parent will raise it again.
pub fn kind_of(name: &str, parameter: Option<String>) -> Kind {
    match name {
        "invalid" => Kind::Invalid { parameter: parameter.unwrap_or_else(|| "file".to_owned()) },
        "too_large" => Kind::TooLarge,
        "unsupported" => Kind::Unsupported,
        _ => Kind::Internal,
    }
}

fn send(event: &Event) {
    if let Ok(mut line) = serde_json::to_vec(event) {
        line.push(b'\n');
        // If the parent is gone there is nobody left to tell.
        let _ = std::io::stderr().lock().write_all(&line);
    }
}

/// Events are for people to watch: a few a second are enough.
fn reporter() -> impl FnMut(Progress) {
    let mut last: Option<(Instant, String)> = None;
    move |progress| {
        let due = last
            .as_ref()
            .is_none_or(|(at, stage)| at.elapsed() > Duration::from_millis(200) || *stage != progress.stage);
        if due {
            last = Some((Instant::now(), progress.stage.clone()));
            send(&Event::Progress(progress));
        }
    }
}

/// Stdout for the rows alone: whatever else a library prints goes to stderr.
fn take_stdout() -> Result<File> {
    let rows = nix::unistd::dup(std::io::stdout()).map_err(Error::internal)?;
    nix::unistd::dup2_stdout(std::io::stderr()).map_err(Error::internal)?;
    Ok(File::from(rows))
}

fn run() -> Result<Event> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let job: Job = serde_json::from_slice(&text)?;
    let mut out = take_stdout()?;
    std::fs::create_dir_all(&job.options.work)?;
    sandbox::enter(&job.limits)?;
    let mut progress = reporter();
    if let Some(name) = &job.pack {
        return pack(&job, name, &mut progress);
    }
    if job.flatten {
        let encoding = job.options.encoding.as_deref().map(named).transpose()?;
        let flat = flat::flatten(&job.path, encoding, &mut out, &mut progress)?;
        return Ok(Event::Flattened { flat: Box::new(flat) });
    }
    match &job.plan {
        None => inspect::inspect(&job.path, &job.options, job.limits.archive, &mut progress)
            .map(|i| Event::Inspected { inspection: Box::new(i) }),
        Some(plan) => read::read(&job.path, plan, &job.options, job.limits.archive, &mut out, &mut progress)
            .map(|r| Event::Read { report: Box::new(r) }),
    }
}

fn named(name: &str) -> Result<&'static encoding_rs::Encoding> {
    encoding::by_name(name)
        .ok_or_else(|| Error::invalid("encoding", "没有这个编码", "there is no encoding of that name"))
}

fn pack(job: &Job, name: &str, progress: &mut dyn FnMut(Progress)) -> Result<Event> {
    let opened = open::survey(&job.path, &job.options, job.limits.archive)?;
    let dataset = opened.datasets.iter().find(|d| d.name == name).ok_or_else(|| Error::internal("no such data set"))?;
    let tiles = tileset::pack(dataset, &tileset::waiting(&job.options.work), progress)?;
    Ok(Event::Packed { tiles: Box::new(tiles) })
}

/// The reading process as a whole.
pub fn child_main() -> ExitCode {
    match run() {
        Ok(event) => {
            send(&event);
            ExitCode::SUCCESS
        }
        Err(e) => {
            let (kind, parameter) = kind_name(&e.kind);
            let hint = e.hint.clone().map(Note::from);
            let log = e.to_string();
            send(&Event::Error { kind: kind.to_owned(), parameter, detail: e.detail.clone().into(), hint, log });
            ExitCode::FAILURE
        }
    }
}
