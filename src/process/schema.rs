//! Inputs held against their schemas, with errors in both languages that name the place: `inputs.texts[3]`.

use serde_json::{Map, Value};

use super::Input;
use crate::error::{Error, Result};

/// Refuses inputs that are missing, unknown or not as their schema says.
pub fn check(inputs: &[Input], given: &Map<String, Value>) -> Result<()> {
    if let Some(name) = given.keys().find(|name| !inputs.iter().any(|input| input.name == **name)) {
        let shown: String = name.chars().take(60).collect();
        let all: Vec<&str> = inputs.iter().map(|input| input.name).collect();
        return Err(wrong(&format!("inputs.{shown}"), "没有这个输入", "there is no such input")
            .hint(format!("可用：{}", all.join("、")), format!("choose from {}", all.join(", "))));
    }
    for input in inputs {
        let at = format!("inputs.{}", input.name);
        match given.get(input.name) {
            None if input.required => return Err(wrong(&at, "缺少此输入", "this input is missing")),
            None => {}
            Some(value) => value_fits(value, &input.schema, &at)?,
        }
    }
    Ok(())
}

fn value_fits(value: &Value, schema: &Value, at: &str) -> Result<()> {
    if let Some(options) = schema["enum"].as_array()
        && !options.contains(value)
    {
        let all: Vec<String> =
            options.iter().map(|o| o.as_str().map_or_else(|| o.to_string(), str::to_owned)).collect();
        return Err(wrong(
            at,
            format!("应为其中之一：{}", all.join("、")),
            format!("it must be one of {}", all.join(", ")),
        ));
    }
    match schema["type"].as_str() {
        Some("string") => match value {
            Value::String(text) => {
                length_fits(text.chars().count(), schema, ("minLength", "maxLength"), at, ("字符", "characters"))
            }
            _ => Err(wrong(at, "应为文本", "it must be a text")),
        },
        Some("integer") => match value.as_i64() {
            Some(number) => number_fits(number as f64, schema, at),
            None => Err(wrong(at, "应为整数", "it must be an integer")),
        },
        Some("number") => match value.as_f64() {
            Some(number) => number_fits(number, schema, at),
            None => Err(wrong(at, "应为数字", "it must be a number")),
        },
        Some("boolean") => match value {
            Value::Bool(_) => Ok(()),
            _ => Err(wrong(at, "应为 true 或 false", "it must be true or false")),
        },
        Some("array") => {
            let Value::Array(items) = value else { return Err(wrong(at, "应为数组", "it must be an array")) };
            length_fits(items.len(), schema, ("minItems", "maxItems"), at, ("项", "items"))?;
            items.iter().enumerate().try_for_each(|(i, item)| value_fits(item, &schema["items"], &format!("{at}[{i}]")))
        }
        _ => Ok(()),
    }
}

fn length_fits(
    length: usize,
    schema: &Value,
    (least, most): (&str, &str),
    at: &str,
    (zh, en): (&str, &str),
) -> Result<()> {
    let (least, most) = (schema[least].as_u64().unwrap_or(0), schema[most].as_u64().unwrap_or(u64::MAX));
    match length as u64 {
        n if n < least => Err(wrong(at, format!("至少 {least} {zh}"), format!("it has at least {least} {en}"))),
        n if n > most => Err(wrong(at, format!("最多 {most} {zh}"), format!("it has at most {most} {en}"))),
        _ => Ok(()),
    }
}

fn number_fits(number: f64, schema: &Value, at: &str) -> Result<()> {
    let bound = |name: &str| schema[name].as_f64();
    match (bound("minimum"), bound("maximum")) {
        (Some(least), _) if number < least => {
            Err(wrong(at, format!("不小于 {least}"), format!("it is at least {least}")))
        }
        (_, Some(most)) if number > most => Err(wrong(at, format!("不大于 {most}"), format!("it is at most {most}"))),
        _ => Ok(()),
    }
}

fn wrong(at: &str, zh: impl Into<String>, en: impl Into<String>) -> Error {
    let (zh, en) = (zh.into(), en.into());
    Error::invalid(at, format!("{at}：{zh}"), format!("{at}: {en}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Kind;

    #[test]
    fn an_error_names_its_place() {
        let input = |name, required, schema| Input { name, title: ("", ""), description: ("", ""), required, schema };
        let inputs = [
            input(
                "texts",
                true,
                json!({"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "maxLength": 3}}),
            ),
            input("limit", false, json!({"type": "integer", "minimum": 1, "maximum": 5})),
            input("kind", false, json!({"type": "string", "enum": ["a", "b"]})),
        ];
        let place = |given: Value| match check(&inputs, given.as_object().unwrap()) {
            Ok(()) => "fine".to_owned(),
            Err(e) => match &e.kind {
                Kind::Invalid { parameter } => parameter.clone(),
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(place(json!({"texts": ["路"]})), "fine");
        assert_eq!(place(json!({"texts": ["香港中"], "limit": 5, "kind": "b"})), "fine", "characters, not bytes");
        assert_eq!(place(json!({})), "inputs.texts");
        assert_eq!(place(json!({"texts": []})), "inputs.texts");
        assert_eq!(place(json!({"texts": ["a", "香港中路"]})), "inputs.texts[1]");
        assert_eq!(place(json!({"texts": ["a", 1]})), "inputs.texts[1]");
        assert_eq!(place(json!({"texts": ["a"], "limit": 1.5})), "inputs.limit");
        assert_eq!(place(json!({"texts": ["a"], "limit": 6})), "inputs.limit");
        assert_eq!(place(json!({"texts": ["a"], "kind": "c"})), "inputs.kind");
        assert_eq!(place(json!({"texts": ["a"], "x": 1})), "inputs.x");
    }
}
