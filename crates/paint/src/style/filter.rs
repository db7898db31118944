//! Filters as styles wrote them before there were expressions, turned into expressions.

use serde_json::{Value as Json, json};

use crate::problem::{Problem, Result};

/// Whether a filter is an expression already.
pub fn is_expression(filter: &Json) -> bool {
    if filter.is_boolean() {
        return true;
    }
    let Some(items) = filter.as_array() else { return false };
    let (first, rest) = match items.split_first() {
        Some((Json::String(first), rest)) => (first.as_str(), rest),
        _ => return false,
    };
    match first {
        "has" => !rest.is_empty() && !matches!(rest[0].as_str(), Some("$id" | "$type")),
        "in" => rest.len() >= 2 && (!rest[0].is_string() || rest[1].is_array()),
        "!in" | "!has" | "none" => false,
        "==" | "!=" | ">" | ">=" | "<" | "<=" => rest.len() != 2 || rest[0].is_array() || rest[1].is_array(),
        "any" | "all" => rest.iter().all(is_expression),
        _ => true,
    }
}

/// The expression that says the same.
pub fn to_expression(filter: &Json) -> Result<Json> {
    convert(filter, 0)
}

fn convert(filter: &Json, depth: usize) -> Result<Json> {
    if is_expression(filter) {
        return Ok(filter.clone());
    }
    let wrong = || Problem::new("", "过滤条件有误", "this is no filter");
    let items = filter.as_array().filter(|_| depth < 40).ok_or_else(wrong)?;
    let Some((Json::String(name), rest)) = items.split_first() else { return Err(wrong()) };
    let many = |op: &str| -> Result<Json> {
        let inner: Result<Vec<Json>> = rest
            .iter()
            .enumerate()
            .map(|(i, f)| convert(f, depth + 1).map_err(|p| p.within(&format!("[{}]", i + 1))))
            .collect();
        Ok(std::iter::once(json!(op)).chain(inner?).collect())
    };
    let key = || rest.first().and_then(Json::as_str).ok_or_else(wrong);
    Ok(match name.as_str() {
        "any" | "all" => many(name)?,
        "none" => json!(["!", many("any")?]),
        "has" => has(key()?),
        "!has" => json!(["!", has(key()?)]),
        "in" => one_of(key()?, &rest[1..]),
        "!in" => json!(["!", one_of(key()?, &rest[1..])]),
        "==" | "!=" | ">" | ">=" | "<" | "<=" if rest.len() == 2 => compare(name, key()?, &rest[1]),
        _ => return Err(wrong()),
    })
}

fn value_of(key: &str) -> Json {
    match key {
        "$type" => json!(["geometry-type"]),
        "$id" => json!(["id"]),
        name => json!(["get", name]),
    }
}

fn has(key: &str) -> Json {
    match key {
        "$type" => json!(true),
        "$id" => json!(["!=", ["id"], null]),
        name => json!(["has", name]),
    }
}

fn one_of(key: &str, values: &[Json]) -> Json {
    json!(["in", value_of(key), ["literal", values]])
}

/// A value of another type is simply not less or more; an absent one equals nothing, not even null.
fn compare(op: &str, key: &str, value: &Json) -> Json {
    let own = value_of(key);
    match (op, value) {
        ("==" | "!=", Json::Null) => {
            let known = json!(["all", has(key), ["==", own, null]]);
            if op == "==" { known } else { json!(["!", known]) }
        }
        ("==" | "!=", _) => json!([op, own, value]),
        (_, Json::String(_)) => json!(["all", ["==", ["typeof", own], "string"], [op, ["string", own], value]]),
        (_, Json::Number(_)) => json!(["all", ["==", ["typeof", own], "number"], [op, ["number", own], value]]),
        _ => json!(false),
    }
}
