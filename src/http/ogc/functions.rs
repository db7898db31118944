//! The functions that a filter may call (OGC API Features, part 3).

use onemap_cql2::{Argument, FUNCTIONS, Signature};
use serde_json::{Value, json};

use super::html::{self, page};
use super::{Format, format, self_links};
use crate::http::ask::{Answer, Ask, Language};

pub async fn functions(mut ask: Ask) -> Answer {
    let format = format(&mut ask)?;
    ask.parameters.clone().finish()?;
    if format == Format::Html {
        let rows: String = FUNCTIONS.iter().map(|function| row(&ask, function)).collect();
        let title = html::word(&ask, "过滤条件可用的函数", "Functions for filters");
        return Ok(page(&ask, title, &format!("<dl>{rows}</dl>")));
    }
    let all: Vec<Value> = FUNCTIONS.iter().map(|function| described(function, ask.language)).collect();
    let links = self_links(&ask, "/ogc/functions", format, "application/json");
    Ok(ask.json("application/json", json!({ "functions": all, "links": links })))
}

fn said(function: &Signature, language: Language) -> &'static str {
    language.word(function.zh, function.en)
}

fn described(function: &Signature, language: Language) -> Value {
    let argument = |argument: &Argument| json!({"title": argument.title, "type": argument.types});
    json!({
        "name": function.name,
        "description": said(function, language),
        "args": function.arguments.iter().map(argument).collect::<Vec<_>>(),
        "returns": function.returns,
    })
}

fn row(ask: &Ask, function: &Signature) -> String {
    let titles: Vec<&str> = function.arguments.iter().map(|argument| argument.title).collect();
    let more = if function.repeats { ", …" } else { "" };
    let call = format!("{}({}{more}) → {}", function.name, titles.join(", "), function.returns.join(" | "));
    format!("<dt><code>{}</code><dd>{}", html::escape(&call), html::escape(said(function, ask.language)))
}
