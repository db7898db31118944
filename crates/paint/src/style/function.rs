//! Functions as styles wrote them before there were expressions (`stops`), and `{field}` in texts, turned into expressions.

use serde_json::{Value as Json, json};

use super::spec::{Is, Spec};
use crate::problem::{Problem, Result};

pub fn is_function(value: &Json) -> bool {
    value.is_object()
}

/// The expression that gives what the function gives.
pub fn to_expression(function: &Json, spec: &Spec) -> Result<Json> {
    let wrong = |zh: &str, en: &str| Problem::new("", zh, en);
    let field = function["property"].as_str();
    let kind = function["type"].as_str().unwrap_or(if spec.interpolated { "exponential" } else { "interval" });
    if kind == "identity" {
        let field = field.ok_or_else(|| wrong("函数缺少 property", "the function lacks \"property\""))?;
        return Ok(otherwise(identity(field, spec), function, spec));
    }
    let stops: Vec<(&Json, &Json)> = function["stops"]
        .as_array()
        .ok_or_else(|| wrong("函数缺少 stops", "the function lacks \"stops\""))?
        .iter()
        .filter_map(|stop| Some((stop.get(0)?, stop.get(1)?)))
        .collect();
    if stops.is_empty() {
        return Err(wrong("stops 为空", "\"stops\" is empty"));
    }
    let base = function["base"].as_f64().unwrap_or(1.0);
    // Stops of zoom and value at once: a curve over the zoom, whose outputs are functions of the field.
    if stops[0].0.is_object() {
        let field = field.ok_or_else(|| wrong("函数缺少 property", "the function lacks \"property\""))?;
        return zoom_and_field(&stops, field, kind, base, function, spec);
    }
    let input = match field {
        Some(field) => json!(["get", field]),
        None => json!(["zoom"]),
    };
    // Texts with fields in them are known to functions of the zoom only.
    let said = |out: &Json| match field {
        Some(_) if out.is_string() => out.clone(),
        _ => output(out, spec),
    };
    let pairs: Vec<(Json, Json)> = stops.iter().map(|(at, out)| ((*at).clone(), said(out))).collect();
    let curve = of_pairs(input, &pairs, if field.is_some() { kind } else { by_zoom(kind, spec) }, base, function, spec);
    Ok(curve)
}

fn by_zoom<'a>(kind: &'a str, spec: &Spec) -> &'a str {
    if kind == "exponential" && !spec.interpolated { "interval" } else { kind }
}

fn zoom_and_field(
    stops: &[(&Json, &Json)],
    field: &str,
    kind: &str,
    base: f64,
    function: &Json,
    spec: &Spec,
) -> Result<Json> {
    let mut zooms: Vec<(f64, Vec<(Json, Json)>)> = vec![];
    for (at, out) in stops {
        let zoom =
            at["zoom"].as_f64().ok_or_else(|| Problem::new("", "stops 中缺少 zoom", "a stop lacks its \"zoom\""))?;
        let pair = (at["value"].clone(), output(out, spec));
        match zooms.iter_mut().find(|(z, _)| *z == zoom) {
            Some((_, pairs)) => pairs.push(pair),
            None => zooms.push((zoom, vec![pair])),
        }
    }
    let outputs: Vec<(Json, Json)> = zooms
        .into_iter()
        .map(|(zoom, pairs)| (json!(zoom), of_pairs(json!(["get", field]), &pairs, kind, base, function, spec)))
        .collect();
    let kind = if spec.interpolated { "exponential" } else { "interval" };
    Ok(of_pairs(json!(["zoom"]), &outputs, kind, 1.0, &Json::Null, spec))
}

fn of_pairs(input: Json, pairs: &[(Json, Json)], kind: &str, base: f64, function: &Json, spec: &Spec) -> Json {
    let by_field = input != json!(["zoom"]);
    // Of stops in one place the first counts.
    let pairs: Vec<&(Json, Json)> =
        pairs.iter().enumerate().filter(|(i, p)| *i == 0 || pairs[i - 1].0 != p.0).map(|(_, p)| p).collect();
    let flat = || pairs.iter().flat_map(|(at, out)| [at.clone(), out.clone()]);
    let expression: Json = match kind {
        "categorical" => {
            // Booleans are no labels of "match".
            let branches = pairs.iter().flat_map(|(at, out)| [json!(["==", input, at]), out.clone()]);
            let rest = fallback(function, spec);
            return std::iter::once(json!("case")).chain(branches).chain([rest]).collect();
        }
        "interval" => {
            let number = if by_field { json!(["number", input]) } else { input.clone() };
            [json!("step"), number, pairs[0].1.clone()].into_iter().chain(flat().skip(2)).collect()
        }
        _ => {
            let name = match function["colorSpace"].as_str() {
                Some("hcl") => "interpolate-hcl",
                Some("lab") => "interpolate-lab",
                _ => "interpolate",
            };
            let number = if by_field { json!(["number", input]) } else { input.clone() };
            let curve = if base == 1.0 { json!(["linear"]) } else { json!(["exponential", base]) };
            [json!(name), curve, number].into_iter().chain(flat()).collect()
        }
    };
    if !by_field {
        return expression;
    }
    // Whoever lacks the field gets the default.
    json!(["case", ["==", ["typeof", input], "number"], expression, fallback(function, spec)])
}

/// An assertion or conversion takes what to do when it fails as its last argument.
fn otherwise(mut expression: Json, function: &Json, spec: &Spec) -> Json {
    if let (Some(default), Json::Array(items)) = (function.get("default"), &mut expression)
        && items[0] != "get"
    {
        items.push(output(default, spec));
    }
    expression
}

fn fallback(function: &Json, spec: &Spec) -> Json {
    match function.get("default") {
        Some(default) => output(default, spec),
        None => {
            let value = spec.is.default().to_json();
            if value.is_null() || value == "" { json!(["error", "no value"]) } else { output(&value, spec) }
        }
    }
}

fn identity(field: &str, spec: &Spec) -> Json {
    let get = json!(["get", field]);
    match spec.is {
        Is::Color(_) | Is::Ramp => json!(["to-color", get]),
        Is::Number(_) => json!(["number", get]),
        Is::Bool(_) => json!(["boolean", get]),
        Is::Word(_) => json!(["string", get]),
        Is::Numbers => json!(["array", "number", null, get]),
        Is::Words => json!(["array", "string", null, get]),
        _ => get,
    }
}

/// A stop's output: texts may hold `{field}`, arrays are literal.
fn output(value: &Json, spec: &Spec) -> Json {
    match value {
        Json::Array(_) => json!(["literal", value]),
        Json::String(text) => tokens(text, spec),
        plain => plain.clone(),
    }
}

/// A text with `{field}` in it, where the property is one that has always allowed that.
pub fn tokens(text: &str, spec: &Spec) -> Json {
    if !matches!(spec.is, Is::Formatted | Is::Image) || !text.contains('{') {
        return json!(text);
    }
    let mut parts = vec![json!("concat")];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((field, after)) = after.split_once('}') else { break };
        if !before.is_empty() {
            parts.push(json!(before));
        }
        parts.push(json!(["to-string", ["get", field]]));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(json!(rest));
    }
    match spec.is {
        Is::Image => json!(["image", parts]),
        _ => Json::Array(parts),
    }
}
