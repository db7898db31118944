//! The server's side of the reading process: starts it, follows it, ends it, and says what became of it.

use super::child::{Event, Job, SUBCOMMAND, kind_of};
use super::flat::Flat;
use super::open::{Options, Progress};
use super::report::{Inspection, ReadPlan, ReadReport};
use super::sandbox::Limits;
use super::tileset::PackedTiles;
use crate::error::{Error, Result};
use bytes::{Bytes, BytesMut};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;

/// Rows go on in pieces of this size.
const CHUNK: usize = 256 << 10;
/// A line of events may not be longer (an inspection of thousands of fields is far under it).
const MAX_EVENT: usize = 64 << 20;

/// Inspects an upload in a child process. Dropping the future ends the child.
pub async fn inspect(
    exe: &Path,
    path: &Path,
    options: &Options,
    limits: &Limits,
    progress: impl FnMut(Progress),
) -> Result<Inspection> {
    let job = job(path, options, limits);
    match run(exe, &job, None, progress).await? {
        Event::Inspected { inspection } => Ok(*inspection),
        _ => Err(Error::internal("the reader answered something else")),
    }
}

/// Reads one layer in a child process; its COPY stream goes to `rows` piece by piece. Only when this returns Ok is the
/// stream whole: on an error the receiver must abandon its COPY, since PostgreSQL takes a stream without trailer too.
/// Dropping the future, or the receiver, ends the child.
pub async fn read(
    exe: &Path,
    path: &Path,
    plan: &ReadPlan,
    options: &Options,
    limits: &Limits,
    rows: mpsc::Sender<Bytes>,
    progress: impl FnMut(Progress),
) -> Result<ReadReport> {
    let job = Job { plan: Some(plan.clone()), ..job(path, options, limits) };
    match run(exe, &job, Some(rows), progress).await? {
        Event::Read { report } => Ok(*report),
        _ => Err(Error::internal("the reader answered something else")),
    }
}

/// Packs a data set of finished tiles in a child process; the file lies in the options' work folder then.
pub async fn pack(
    exe: &Path,
    path: &Path,
    dataset: &str,
    options: &Options,
    limits: &Limits,
    progress: impl FnMut(Progress),
) -> Result<PackedTiles> {
    let job = Job { pack: Some(dataset.to_owned()), ..job(path, options, limits) };
    match run(exe, &job, None, progress).await? {
        Event::Packed { tiles } => Ok(*tiles),
        _ => Err(Error::internal("the reader answered something else")),
    }
}

/// Rewrites a table as UTF-8 CSV in a child process; the bytes go to `rows`, and are whole only when this returns Ok.
pub async fn flatten(
    exe: &Path,
    path: &Path,
    options: &Options,
    limits: &Limits,
    rows: mpsc::Sender<Bytes>,
) -> Result<Flat> {
    let job = Job { flatten: true, ..job(path, options, limits) };
    match run(exe, &job, Some(rows), |_| ()).await? {
        Event::Flattened { flat } => Ok(*flat),
        _ => Err(Error::internal("the reader answered something else")),
    }
}

/// An inspection, unless more is said.
fn job(path: &Path, options: &Options, limits: &Limits) -> Job {
    Job { path: path.to_owned(), options: options.clone(), limits: *limits, plan: None, pack: None, flatten: false }
}

fn start(exe: &Path) -> Result<Child> {
    let mut command = Command::new(exe);
    command.arg(SUBCOMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // Nothing of the server's environment: it may hold passwords.
    command.env_clear();
    for key in ["PATH", "LANG", "LC_ALL", "PROJ_DATA", "PROJ_LIB", "GDAL_DATA", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(key) {
            command.env(key, value);
        }
    }
    // Freed memory goes back at once, and one arena serves: the limit counts what is reserved.
    command.env("PROJ_NETWORK", "OFF").env("MALLOC_ARENA_MAX", "2").env("MALLOC_TRIM_THRESHOLD_", "1048576");
    command.spawn().map_err(|e| Error::internal(format!("the reader cannot be started: {e}")))
}

async fn run(
    exe: &Path,
    job: &Job,
    rows: Option<mpsc::Sender<Bytes>>,
    progress: impl FnMut(Progress),
) -> Result<Event> {
    let seconds = job.limits.seconds;
    match tokio::time::timeout(Duration::from_secs(seconds), follow(exe, job, rows, progress)).await {
        Ok(done) => done,
        Err(_) => Err(Error::too_large(
            format!("读取超过 {seconds} 秒的时限，已终止"),
            format!("reading took longer than the limit of {seconds} seconds and was ended"),
        )
        .hint("请拆分文件后分批上传", "split the file and upload it in parts")),
    }
}

async fn follow(
    exe: &Path,
    job: &Job,
    rows: Option<mpsc::Sender<Bytes>>,
    mut progress: impl FnMut(Progress),
) -> Result<Event> {
    let mut child = start(exe)?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Error::internal("the reader has no pipes"));
    };
    let text = serde_json::to_vec(job)?;
    let feed = async move {
        // A reader that dies at once is reported by its exit, not by the broken pipe.
        let _ = stdin.write_all(&text).await;
    };
    let listen = listen(BufReader::new(stderr), &mut progress);
    let ((), passed, heard) = tokio::join!(feed, pass_on(stdout, rows), listen);
    let (answer, stray) = heard?;
    if !passed? {
        return Err(Error::internal("the rows' receiver is gone"));
    }
    let status = child.wait().await?;
    match answer {
        Some(Event::Error { kind, parameter, detail, hint, log }) => {
            let mut e = Error::new(kind_of(&kind, parameter), detail.zh, detail.en).because(log);
            if let Some(hint) = hint {
                e = e.hint(hint.zh, hint.en);
            }
            Err(e)
        }
        Some(event) if status.success() => Ok(event),
        _ => Err(died(status, &stray, job.limits.memory_bytes)),
    }
}

/// Passes the rows on; false when nobody takes them any more. The pipe is then closed, which ends the child.
async fn pass_on(mut stdout: ChildStdout, rows: Option<mpsc::Sender<Bytes>>) -> Result<bool> {
    let mut buffer = BytesMut::with_capacity(CHUNK);
    loop {
        let n = stdout.read_buf(&mut buffer).await?;
        if (n == 0 || buffer.len() >= CHUNK / 2) && !buffer.is_empty() {
            let piece = buffer.split().freeze();
            let Some(rows) = &rows else { continue };
            if rows.send(piece).await.is_err() {
                return Ok(false);
            }
            buffer.reserve(CHUNK);
        }
        if n == 0 {
            return Ok(true);
        }
    }
}

/// Follows the events: the last one that is no progress is the answer; stray lines are kept for the log.
async fn listen(
    mut stderr: BufReader<impl tokio::io::AsyncRead + Unpin>,
    progress: &mut impl FnMut(Progress),
) -> Result<(Option<Event>, String)> {
    let (mut line, mut answer, mut stray) = (Vec::new(), None, String::new());
    loop {
        line.clear();
        let n = (&mut stderr).take(MAX_EVENT as u64).read_until(b'\n', &mut line).await?;
        if n == 0 {
            return Ok((answer, stray));
        }
        match serde_json::from_slice(&line) {
            Ok(Event::Progress(p)) => progress(p),
            Ok(event) => answer = Some(event),
            Err(_) if stray.len() < 4000 => stray.push_str(&String::from_utf8_lossy(&line)),
            Err(_) => {}
        }
    }
}

/// A reader that ended without an answer: what its end tells.
fn died(status: ExitStatus, stray: &str, memory: u64) -> Error {
    use std::os::unix::process::ExitStatusExt;
    let signal = status.signal();
    let starved =
        stray.contains("memory allocation of") || stray.contains("bad_alloc") || stray.contains("out of memory");
    let log = format!("the reader ended with {status}: {stray}");
    if starved || signal == Some(nix::libc::SIGKILL) {
        let mb = memory >> 20;
        return Error::too_large(
            format!("读取该文件所需内存超过 {mb} MB 的上限"),
            format!("reading this file needs more memory than the limit of {mb} MB"),
        )
        .hint(
            "请转换为 GeoPackage、CSV 或逐行 GeoJSON，或拆分后上传",
            "convert it to GeoPackage, CSV or GeoJSON lines, or split it",
        )
        .because(log);
    }
    if signal == Some(nix::libc::SIGXCPU) {
        return Error::too_large("读取该文件用尽了处理时间上限", "reading this file used up its processing time")
            .because(log);
    }
    if signal == Some(nix::libc::SIGXFSZ) {
        return Error::too_large("解压或转换时超过磁盘上限", "unpacking went over the disk limit").because(log);
    }
    let end = signal.map_or_else(|| status.to_string(), |s| format!("signal {s}"));
    Error::invalid(
        "file",
        format!("读取程序在处理该文件时崩溃（{end}），文件可能已损坏"),
        format!("the reader crashed on this file ({end}); the file may be damaged"),
    )
    .because(log)
}
