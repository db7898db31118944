//! The runs of processes that are jobs: their list, their state, what they came to, their dismissal.

use axum::extract::Path;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::html::{self, page};
use super::{Format, format, link, self_links};
use crate::db::sql::Bind;
use crate::error::{Error, Kind, Result};
use crate::feature::query;
use crate::http::ask::{Answer, Ask};
use crate::http::parameters::Parameters;
use crate::job::problem_from_json;
use crate::job::queue::JobInfo;
use crate::job::search::Search;
use crate::layer::model::{Field, FieldType};
use crate::layer::select::Operator;

const NO_SUCH: &str = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/no-such-job";
const NOT_READY: &str = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/result-not-ready";
const RESULTS: &str = "http://www.opengis.net/def/rel/ogc/1.0/results";
const LIMIT: i64 = 20;
const MOST: i64 = 200;
/// The standard's states, and the queue's that each stands for.
const STATES: [(&str, &[&str]); 5] = [
    ("accepted", &["queued", "paused"]),
    ("running", &["running"]),
    ("successful", &["succeeded"]),
    ("failed", &["failed"]),
    ("dismissed", &["cancelled"]),
];

fn state_of(job: &JobInfo) -> &'static str {
    let found = STATES.iter().find(|(_, states)| states.contains(&job.state.as_str()));
    found.map_or("accepted", |(name, _)| *name)
}

/// The state of a job (OGC 18-062r2, 7.12).
pub fn status_of(ask: &Ask, job: &JobInfo) -> Value {
    let url = format!("{}/ogc/jobs/{}", ask.base, job.id);
    let state = state_of(job);
    let mut links = vec![
        link(format!("{url}?f=json"), "self", "application/json", "The state of this job"),
        link(format!("{url}?f=html"), "alternate", "text/html", "The state of this job as HTML"),
    ];
    if state == "successful" {
        links.push(link(format!("{url}/results"), RESULTS, "application/json", "Its results"));
    }
    let mut status = json!({
        "jobID": job.id, "type": "process", "status": state, "message": message(ask, job),
        "created": job.created, "links": links,
    });
    if let Some(process) = ask.app.processes.of_job(job) {
        status["processID"] = process.about().id.into();
    }
    for (name, time) in [("started", &job.started), ("finished", &job.finished), ("updated", &job.updated)] {
        if let Some(time) = time {
            status[name] = time.clone().into();
        }
    }
    let share = job.total.filter(|total| *total > 0).map(|total| (job.done * 100 / total).clamp(0, 100));
    match (state, share) {
        ("successful", _) => status["progress"] = 100.into(),
        (_, Some(share)) => status["progress"] = share.into(),
        _ => {}
    }
    status
}

fn message(ask: &Ask, job: &JobInfo) -> String {
    if let Some(problem) = &job.problem {
        return problem["detail"][ask.language.word("zh", "en")].as_str().unwrap_or_default().to_owned();
    }
    let (zh, en) = match job.state.as_str() {
        "queued" => ("排队中", "waiting"),
        "paused" => ("已暂停", "paused"),
        "running" => ("正在执行", "running"),
        "succeeded" => ("已完成", "done"),
        "cancelled" => ("已取消", "dismissed"),
        _ => ("失败", "failed"),
    };
    html::word(ask, zh, en).to_owned()
}

/// What is asked of the list.
fn wanted(ask: &mut Ask) -> Result<Search> {
    let processes = list_of(ask.parameters.take("processID")?);
    let kinds = kinds(ask, &processes)?;
    let parameters = &mut ask.parameters;
    if parameters.take("type")?.is_some_and(|kinds| kinds.split(',').any(|kind| kind != "process")) {
        return Err(Error::invalid("type", "任务类型只有 process", "jobs are of the type process only"));
    }
    let (from, to) = made_within(parameters.take("datetime")?)?;
    Ok(Search {
        kinds,
        processes,
        states: states(list_of(parameters.take("status")?))?,
        from,
        to,
        shortest: seconds(parameters, "minDuration")?,
        longest: seconds(parameters, "maxDuration")?,
        limit: parameters.take_integer("limit", 1..=i64::MAX)?.unwrap_or(LIMIT).min(MOST),
        offset: parameters.take_integer("offset", 0..=1_000_000)?.unwrap_or(0),
    })
}

fn seconds(parameters: &mut Parameters, name: &str) -> Result<Option<f64>> {
    let (zh, en) = ("不小于 0 的秒数", "a number of seconds from 0 on");
    match parameters.take_parsed::<f64>(name, zh, en)? {
        Some(given) if !given.is_finite() || given < 0.0 => {
            Err(Error::invalid(name, format!("{given} 不正确，应为 {zh}"), format!("{given} is not {en}")))
        }
        given => Ok(given),
    }
}

fn list_of(text: Option<String>) -> Vec<String> {
    text.iter().flat_map(|text| text.split(',')).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

/// The kinds of jobs that are runs of the named processes; of all when none is named.
fn kinds(ask: &Ask, processes: &[String]) -> Result<Vec<&'static str>> {
    if processes.is_empty() {
        return Ok(ask.app.processes.kinds());
    }
    let of = |id: &String| {
        let process = ask.app.processes.get(id).ok_or_else(|| {
            Error::invalid("processID", "没有这个处理", "there is no such process")
                .hint("处理的清单见 /ogc/processes", "they are listed at /ogc/processes")
        })?;
        Ok(process.kind().unwrap_or(crate::process::job::KIND))
    };
    processes.iter().map(of).collect()
}

fn states(named: Vec<String>) -> Result<Vec<&'static str>> {
    if named.is_empty() {
        return Ok(STATES.iter().flat_map(|(_, states)| *states).copied().collect());
    }
    let mut found = vec![];
    for name in &named {
        let states = STATES.iter().find(|(known, _)| known == name).map(|(_, states)| *states).ok_or_else(|| {
            let all = STATES.map(|(name, _)| name);
            Error::invalid("status", "没有这个状态", "there is no such state")
                .hint(format!("可用：{}", all.join("、")), format!("choose from {}", all.join(", ")))
        })?;
        found.extend(states);
    }
    Ok(found)
}

/// The ends of `datetime=`, both included.
fn made_within(text: Option<String>) -> Result<(Option<String>, Option<String>)> {
    let Some(text) = text else { return Ok((None, None)) };
    let created =
        Field { name: "created".into(), kind: FieldType::Timestamp, title_zh: String::new(), title_en: String::new() };
    let (mut from, mut to) = (None, None);
    for condition in query::datetime(&text, Some(&created))? {
        let Bind::Text(bound) = condition.value else { continue };
        match condition.operator {
            Operator::AtLeast => from = Some(bound),
            Operator::AtMost => to = Some(bound),
            // To the microsecond, as the database keeps time.
            Operator::Below => {
                let before = bound.parse::<Timestamp>().ok().and_then(|end| end.checked_sub(1.microsecond()).ok());
                to = before.map(|end| end.to_string());
            }
            Operator::Equal => (from, to) = (Some(bound.clone()), Some(bound)),
        }
    }
    Ok((from, to))
}

pub async fn list(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    let wanted = wanted(&mut ask)?;
    ask.parameters.clone().finish()?;
    let mut jobs = ask.app.queue.search(ask.department()?, &wanted).await?;
    let more = jobs.len() as i64 > wanted.limit;
    jobs.truncate(wanted.limit as usize);
    if format == Format::Html {
        return Ok(page(&ask, html::word(&ask, "任务", "Jobs"), &table(&ask, &jobs)));
    }
    let address = |offset: i64| {
        let kept = form_urlencoded::parse(ask.query.as_bytes()).filter(|(name, _)| name != "offset");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept.collect::<Vec<_>>()).append_pair("offset", &offset.to_string());
        format!("{}/ogc/jobs?{}", ask.base, query.finish())
    };
    let mut links = self_links(&ask, "/ogc/jobs", format, "application/json");
    if more {
        links.push(link(address(wanted.offset + wanted.limit), "next", "application/json", "Next page"));
    }
    if wanted.offset > 0 {
        links.push(link(address((wanted.offset - wanted.limit).max(0)), "prev", "application/json", "Previous page"));
    }
    let jobs: Vec<Value> = jobs.iter().map(|job| status_of(&ask, job)).collect();
    Ok(ask.json("application/json", json!({"jobs": jobs, "links": links})))
}

fn table(ask: &Ask, jobs: &[JobInfo]) -> String {
    let rows: String = jobs
        .iter()
        .map(|job| {
            let process = ask.app.processes.of_job(job).map_or("–", |process| process.about().id);
            let link = html::link(ask, &format!("/ogc/jobs/{}", job.id), &job.created);
            format!(
                "<tr><td>{link}<td><code>{process}</code><td>{}<td>{}",
                state_of(job),
                html::escape(&message(ask, job))
            )
        })
        .collect();
    format!("<div class=scroll><table>{rows}</table></div>")
}

/// A run of a process of the caller's department.
async fn found(ask: &Ask, id: &str) -> Result<JobInfo> {
    let id: Uuid = id.parse().map_err(|_| no_job())?;
    let job = ask.app.queue.undismissed(ask.department()?, id).await;
    let job = job.map_err(|e| if e.kind == Kind::NotFound { no_job() } else { e })?;
    // Uploads and the like are jobs of no process.
    match ask.app.processes.of_job(&job) {
        Some(_) => Ok(job),
        None => Err(no_job()),
    }
}

fn no_job() -> Error {
    Error::not_found("没有这个任务", "there is no such job")
        .named(NO_SUCH)
        .hint("本单位的任务见 /ogc/jobs", "the jobs of your department are listed at /ogc/jobs")
}

pub async fn get(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let job = found(&ask, &id).await?;
    Ok(match format {
        Format::Json => ask.json("application/json", status_of(&ask, &job)),
        Format::Html => {
            let results = html::link(&ask, &format!("/ogc/jobs/{id}/results"), html::word(&ask, "结果", "Results"));
            let results = if state_of(&job) == "successful" { results } else { String::new() };
            page(&ask, html::word(&ask, "任务", "Job"), &format!("{}<p>{results}</p>", table(&ask, &[job])))
        }
    })
}

/// Ends a run under way; takes one that is over off the list.
pub async fn dismiss(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let job = found(&ask, &id).await?;
    let mut before = ask.app.queue.dismiss(ask.department()?, job.id).await?;
    before.state = "cancelled".into();
    let mut status = status_of(&ask, &before);
    status["message"] = html::word(&ask, "已取消", "dismissed").into();
    Ok(ask.json("application/json", status))
}

pub async fn results(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let job = found(&ask, &id).await?;
    match state_of(&job) {
        "successful" => {}
        "failed" => return Err(problem_from_json(job.problem.as_ref().unwrap_or(&Value::Null)).into()),
        "dismissed" => return Err(no_job().into()),
        _ => {
            let not_ready = Error::not_found("任务尚未完成", "the job is not done yet").named(NOT_READY);
            let state = format!("{}/ogc/jobs/{id}", ask.base);
            return Err(not_ready.hint(format!("进度见 {state}"), format!("its progress is at {state}")).into());
        }
    }
    let process = ask.app.processes.of_job(&job).ok_or_else(no_job)?;
    let mut outputs = ask.app.processes.outputs(process, &job, &ask.principal)?;
    absolute(&mut outputs, &ask.base);
    let document = ask.carried.links(Value::Object(outputs));
    Ok(match format {
        Format::Json => ask.json("application/json", document),
        Format::Html => {
            let links: String = document
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(name, output)| Some((name, html::escape(output["href"].as_str()?))))
                .map(|(name, address)| format!("<li><a href=\"{address}\">{}</a>", html::escape(name)))
                .collect();
            let text = if links.is_empty() {
                format!("<pre>{}</pre>", html::escape(&format!("{document:#}")))
            } else {
                format!("<ul>{links}</ul>")
            };
            page(&ask, html::word(&ask, "结果", "Results"), &text)
        }
    })
}

/// Addresses of ours with their origin.
fn absolute(outputs: &mut Map<String, Value>, base: &str) {
    for output in outputs.values_mut() {
        if let Some(path) = output["href"].as_str().filter(|path| path.starts_with('/')) {
            output["href"] = format!("{base}{path}").into();
        }
    }
}
