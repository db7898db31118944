//! Counts, sums and the like of a layer's features by zone and category: at once, or as a job.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{body, ok, uuid};
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::http::attachment;
use crate::http::ogc::json_response;
use crate::process::Outcome;
use crate::process::job::KIND;
use crate::spatial::summary::{Statistic, Wanted, output};

/// The process that a summary is.
const PROCESS: &str = "summary";

/// `{layer, filter, zones, statistics, by, assign}`; `f` is `json`, `geojson` or `csv`.
pub async fn summary(mut ask: Ask, bytes: Bytes) -> Answer {
    let format = format(&mut ask, &["json", "geojson", "csv"])?;
    let wanted: Wanted = body(&bytes)?;
    let summary = ask.app.spatial.summary(&ask.principal, wanted, &|_, _| ()).await?;
    Ok(match format.as_str() {
        "geojson" => json_response("application/geo+json", &summary.geojson()),
        "csv" => table(summary.opened.id(), summary.csv()?),
        _ => ok(&summary.document()),
    })
}

/// The same as a job: a run of the process. What is refused is refused now, and again when it runs.
pub async fn create(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let wanted: Wanted = body(&bytes)?;
    ask.app.spatial.check(&ask.principal, &wanted)?;
    let inputs: Map<String, Value> = body(&bytes)?;
    let process = ask.app.processes.get(PROCESS).ok_or_else(no_summary)?;
    match ask.app.processes.execute(process, &ask.principal, &inputs, true).await? {
        Outcome::Job(job) => Ok((StatusCode::ACCEPTED, ok(&json!({ "job": job }))).into_response()),
        Outcome::Done { .. } => Err(Error::internal("a summary that was to be a job ran at once").into()),
    }
}

/// A finished job's summary, for those who see what was seen.
pub async fn fetch(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let format = format(&mut ask, &["json", "csv"])?;
    let job = ask.app.queue.get(ask.department()?, uuid(&id)?).await?;
    let process = ask.app.processes.of_job(&job).filter(|process| process.about().id == PROCESS && job.kind == KIND);
    let process = process.ok_or_else(no_summary)?;
    if job.state != "succeeded" {
        let state = format!("/api/v1/jobs/{id}");
        return Err(Error::conflict("任务没有结果", "the job has no result")
            .hint(format!("任务状态见 {state}"), format!("its state is at {state}"))
            .into());
    }
    let outputs = ask.app.processes.outputs(process, &job, &ask.principal)?;
    let document = outputs.get(PROCESS).ok_or_else(no_summary)?;
    if format == "json" {
        return Ok(ok(document));
    }
    let asked: Option<Vec<Statistic>> =
        serde_json::from_value(job.input["inputs"]["statistics"].clone()).map_err(Error::from)?;
    let names: Vec<String> = asked.unwrap_or_else(|| vec![Statistic::Count]).iter().map(Statistic::name).collect();
    Ok(table(document["layer"].as_str().unwrap_or_default(), output::csv(document, &names)?))
}

fn no_summary() -> Error {
    Error::not_found("没有这个统计任务", "there is no such summary")
}

fn format(ask: &mut Ask, known: &[&str]) -> Result<String> {
    let format = ask.parameters.take("f")?.unwrap_or_else(|| "json".into());
    ask.parameters.clone().finish()?;
    match known.contains(&format.as_str()) {
        true => Ok(format),
        false => Err(Error::invalid(
            "f",
            format!("应为 {} 之一", known.join("、")),
            format!("it is one of {}", known.join(", ")),
        )),
    }
}

fn table(layer: &str, csv: Vec<u8>) -> Response {
    let media = HeaderValue::from_static("text/csv; charset=utf-8");
    let mut response = ([(header::CONTENT_TYPE, media)], csv).into_response();
    let name = format!("{layer}-summary");
    attachment::name(&mut response, (&name, &name), "csv");
    response
}
