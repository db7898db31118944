//! OGC API Processes: what there is to run, described and run.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::html::{self, page};
use super::jobs::status_of;
use super::{Format, format, json_response, link, self_links};
use crate::error::{Error, Result};
use crate::http::api::body;
use crate::http::ask::{Answer, Ask};
use crate::http::negotiation;
use crate::process::{About, Mode, Outcome, Process, Words};

const NO_SUCH: &str = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/no-such-process";
const EXECUTE: &str = "http://www.opengis.net/def/rel/ogc/1.0/execute";
const MOST: i64 = 1000;

fn pick(ask: &Ask, (zh, en): Words) -> &'static str {
    ask.language.word(zh, en)
}

pub async fn list(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    let limit = ask.parameters.take_integer("limit", 1..=i64::MAX)?.unwrap_or(MOST).min(MOST);
    ask.parameters.clone().finish()?;
    let all: Vec<&About> = ask.app.processes.all().take(limit as usize).map(|process| process.about()).collect();
    if format == Format::Html {
        let rows: String = all
            .iter()
            .map(|about| {
                let address = format!("/ogc/processes/{}", about.id);
                let text = html::link(&ask, &address, pick(&ask, about.title));
                format!("<tr><td>{text}<td><code>{}</code><td>{}", about.id, pick(&ask, about.description))
            })
            .collect();
        return Ok(page(&ask, html::word(&ask, "处理", "Processes"), &format!("<table>{rows}</table>")));
    }
    let summaries: Vec<Value> = all.iter().map(|about| summary(&ask, about)).collect();
    let links = self_links(&ask, "/ogc/processes", format, "application/json");
    Ok(ask.json("application/json", json!({"processes": summaries, "links": links})))
}

fn summary(ask: &Ask, about: &About) -> Value {
    let url = format!("{}/ogc/processes/{}", ask.base, about.id);
    let (options, transmission) = match about.mode {
        Mode::Either => (json!(["sync-execute", "async-execute", "dismiss"]), "value"),
        Mode::Sync => (json!(["sync-execute"]), "value"),
        Mode::Job => (json!(["async-execute", "dismiss"]), "reference"),
    };
    json!({
        "id": about.id, "version": about.version,
        "title": pick(ask, about.title), "description": pick(ask, about.description), "keywords": about.keywords,
        "jobControlOptions": options, "outputTransmission": [transmission],
        "links": [
            link(format!("{url}?f=json"), "self", "application/json", "The process"),
            link(format!("{url}?f=html"), "alternate", "text/html", "The process as HTML"),
            link(format!("{url}/execution"), EXECUTE, "application/json", "Run it (POST)"),
        ],
    })
}

fn named<'a>(ask: &'a Ask, id: &str) -> Result<&'a dyn Process> {
    ask.app.processes.get(id).ok_or_else(|| {
        Error::not_found("没有这个处理", "there is no such process")
            .named(NO_SUCH)
            .hint("处理的清单见 /ogc/processes", "they are listed at /ogc/processes")
    })
}

pub async fn get(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let about = named(&ask, &id)?.about();
    Ok(match format {
        Format::Json => ask.json("application/json", description(&ask, about)),
        Format::Html => described(&ask, about),
    })
}

fn description(ask: &Ask, about: &About) -> Value {
    let mut document = summary(ask, about);
    let inputs = about.inputs.iter().map(|input| {
        let said = json!({
            "title": pick(ask, input.title), "description": pick(ask, input.description), "schema": input.schema,
            "minOccurs": u8::from(input.required), "maxOccurs": 1,
        });
        (input.name.to_owned(), said)
    });
    document["inputs"] = Value::Object(inputs.collect());
    let outputs = about.outputs.iter().map(|output| {
        let said = json!({"title": pick(ask, output.title), "description": pick(ask, output.description), "schema": output.schema});
        (output.name.to_owned(), said)
    });
    document["outputs"] = Value::Object(outputs.collect());
    document
}

fn described(ask: &Ask, about: &About) -> Response {
    let word = |zh, en| html::word(ask, zh, en);
    let row = |name: &str, title: Words, said: Words, schema: &Value, required: bool| {
        let mark = if required { word("必填", "required") } else { "" };
        let schema = html::escape(&schema.to_string().replace(',', ", "));
        format!(
            "<tr><td><code>{name}</code><td>{}<td>{} {mark}<td><code>{schema}</code>",
            pick(ask, title),
            pick(ask, said)
        )
    };
    let inputs: String =
        about.inputs.iter().map(|i| row(i.name, i.title, i.description, &i.schema, i.required)).collect();
    let outputs: String = about.outputs.iter().map(|o| row(o.name, o.title, o.description, &o.schema, false)).collect();
    let body = format!(
        "<p>{}</p><p><code>POST /ogc/processes/{}/execution</code> {}</p><h2>{}</h2><div class=scroll><table>{inputs}</table></div>\
         <h2>{}</h2><div class=scroll><table>{outputs}</table></div>",
        pick(ask, about.description),
        about.id,
        if about.mode == Mode::Job { word("（作为任务执行）", "(as a job)") } else { "" },
        word("输入", "Inputs"),
        word("输出", "Outputs"),
    );
    page(ask, pick(ask, about.title), &body)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Execute {
    #[serde(default)]
    inputs: Map<String, Value>,
    #[serde(default)]
    outputs: Option<Map<String, Value>>,
    #[serde(default)]
    response: Reply,
    /// Named, so that the refusal can say why.
    subscriber: Option<Value>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Reply {
    #[default]
    Raw,
    Document,
}

/// Runs a process, at once or, by `Prefer: respond-async`, as a job.
pub async fn execute(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let process = named(&ask, &id)?;
    ask.parameters.clone().finish()?;
    let mut wanted: Execute = body(&bytes)?;
    if wanted.subscriber.is_some() {
        return Err(Error::invalid("subscriber", "不支持回调", "callbacks are not offered")
            .hint("请轮询任务状态", "ask for the job's state instead")
            .into());
    }
    let about = process.about();
    for (name, value) in &mut wanted.inputs {
        inline(name, value)?;
    }
    let chosen = outputs(about, wanted.outputs.as_ref())?;
    let prefers = negotiation::prefers(&ask.headers, "respond-async");
    match ask.app.processes.execute(process, &ask.principal, &wanted.inputs, prefers).await? {
        Outcome::Done { outputs, .. } => {
            let mut document = outputs;
            document.retain(|name, _| chosen.contains(&name.as_str()));
            let value = match (wanted.response, &chosen[..]) {
                (Reply::Raw, [one]) => document.remove(*one).unwrap_or_default(),
                _ => Value::Object(document),
            };
            Ok(json_response("application/json", &value))
        }
        Outcome::Job(job) => accepted(&ask, job, prefers).await,
    }
}

async fn accepted(ask: &Ask, job: uuid::Uuid, preferred: bool) -> Answer {
    let info = ask.app.queue.undismissed(ask.department()?, job).await?;
    let location = HeaderValue::from_str(&format!("{}/ogc/jobs/{job}", ask.base)).map_err(Error::internal)?;
    let status = ask.carried.links(status_of(ask, &info));
    let mut response = (StatusCode::CREATED, json_response("application/json", &status)).into_response();
    response.headers_mut().insert(header::LOCATION, location);
    if preferred {
        let name = HeaderName::from_static("preference-applied");
        response.headers_mut().insert(name, HeaderValue::from_static("respond-async"));
    }
    Ok(response)
}

/// A qualified value is its value. What lies elsewhere is not fetched: a request of ours could reach what the caller cannot.
fn inline(name: &str, value: &mut Value) -> Result<()> {
    let Value::Object(members) = value else { return Ok(()) };
    if members.contains_key("href") {
        let at = format!("inputs.{name}");
        return Err(Error::invalid(
            &at,
            format!("{at}：不支持引用外部地址"),
            format!("{at}: values by reference are not fetched"),
        )
        .hint("请在请求中直接给出值", "give the value within the request"));
    }
    if let Some(inner) = members.remove("value") {
        *value = inner;
    }
    Ok(())
}

/// The outputs that are wanted: all, unless some are named.
fn outputs(about: &About, named: Option<&Map<String, Value>>) -> Result<Vec<&'static str>> {
    let all: Vec<&'static str> = about.outputs.iter().map(|output| output.name).collect();
    let Some(named) = named.filter(|named| !named.is_empty()) else { return Ok(all) };
    if let Some(name) = named.keys().find(|name| !all.contains(&name.as_str())) {
        let shown: String = name.chars().take(60).collect();
        let at = format!("outputs.{shown}");
        return Err(Error::invalid(&at, format!("没有输出 {shown}"), format!("there is no output {shown}"))
            .hint(format!("可用：{}", all.join("、")), format!("choose from {}", all.join(", "))));
    }
    let offered = if about.mode == Mode::Job { "reference" } else { "value" };
    let other = named.iter().find(|(_, asked)| asked["transmissionMode"].as_str().is_some_and(|mode| mode != offered));
    if let Some((name, _)) = other {
        let at = format!("outputs.{name}.transmissionMode");
        return Err(Error::invalid(&at, format!("只能为 {offered}"), format!("it can only be {offered}")));
    }
    Ok(all.into_iter().filter(|name| named.contains_key(*name)).collect())
}
