//! `/address/parse`: a text's elements, without looking anything up.

use axum::body::Bytes;
use onemap_address::parse::Parsed;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::address::search::too_long;
use crate::error::{Error, Result};
use crate::http::api::{body, ok};
use crate::http::ask::{Answer, Ask};

const MOST: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    q: Texts,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

/// `{q: text}` or `{q: [text, …]}` → of each the elements with their places, the standard form, the remainder.
pub async fn parse(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let wanted: Wanted = body(&bytes)?;
    let texts = match wanted.q {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts,
    };
    check(&texts)?;
    let work = move || texts.iter().map(|text| document(text, &onemap_address::parse::parse(text))).collect();
    let results: Vec<Value> = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
    metrics::counter!("onemap_address_parsed_total").increment(results.len() as u64);
    Ok(ok(&json!({"results": results})))
}

fn check(texts: &[String]) -> Result<()> {
    if texts.len() > MOST {
        return Err(Error::too_large(format!("一次最多 {MOST} 条"), format!("at most {MOST} texts at once")));
    }
    match texts.iter().position(|text| too_long(text)) {
        None => Ok(()),
        Some(at) => Err(Error::invalid(
            "q",
            format!("第 {} 条超过 1000 个字符", at + 1),
            format!("text {} is longer than 1000 characters", at + 1),
        )),
    }
}

fn document(text: &str, parsed: &Parsed) -> Value {
    json!({"query": text, "elements": parsed.parts, "standard": parsed.standard, "remainder": parsed.remainder})
}
