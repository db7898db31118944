//! MapLibre's own tests of the expression language, where they are at hand. A test's file says an expression, what it compiles
//! to, and its values for some features.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::function;
use super::spec::{Is, Spec};
use crate::expr::{self, Context, Expr, Geometry, Object, Subject, Type, Value};

/// Those that fail, and why. The list may only shrink.
const FAILING: &[(&str, &str)] = &[
    ("collator/accent-equals-de", LOCALE),
    ("collator/variable-gt", LOCALE),
    ("collator/variable-lteq", LOCALE),
    ("feature-state/basic", "a picture has no state that a pointer gives to features"),
    ("feature-state/expression-arg", "a picture has no state that a pointer gives to features"),
    (
        "step/projection/step-array",
        "the same value, which the test wants written as an array here and as an object elsewhere",
    ),
    ("legacy/identity/enum-default", "what is none of a property's words is its default only when it is drawn"),
    ("zoom/invalid-nested-3", UNUSED),
    ("zoom/invalid-nested-5", UNUSED),
];

const LOCALE: &str = "letters are compared alike in all languages";
const UNUSED: &str = "what a variable stands for is not looked at where nobody asks for it";

struct Given<'a>(&'a Json);

impl Subject for Given<'_> {
    fn property(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0["properties"].get(name).map(|v| Cow::Owned(Value::of_json(v)))
    }
    fn properties(&self) -> Object {
        let all = self.0["properties"].as_object().into_iter().flatten();
        all.map(|(k, v)| (k.as_str().into(), Value::of_json(v))).collect()
    }
    fn id(&self) -> Value {
        Value::of_json(&self.0["id"])
    }
    fn geometry_type(&self) -> Option<&'static str> {
        let known = ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"];
        known.into_iter().find(|k| self.0["geometry"]["type"] == *k)
    }
    fn geometry(&self) -> Option<Geometry> {
        Geometry::of_json(&self.0["geometry"])
    }
}

fn cases(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => cases(&path, found),
            path if path.ends_with("test.json") => found.push(path),
            _ => {}
        }
    }
}

fn spec_of(json: &Json) -> Option<Spec> {
    let leaked = |s: &str| -> &'static str { Box::leak(s.to_owned().into_boxed_str()) };
    let default = &json["default"];
    let is = match json["type"].as_str()? {
        "number" => Is::Number(default.as_f64().unwrap_or(f64::NAN)),
        "boolean" => Is::Bool(default.as_bool().unwrap_or(false)),
        "color" => Is::Color(leaked(default.as_str().unwrap_or(""))),
        "string" | "enum" => Is::Word(Box::leak(Box::new([leaked(default.as_str().unwrap_or(""))]))),
        "formatted" => Is::Formatted,
        "resolvedImage" => Is::Image,
        "padding" => Is::Padding(0.0),
        "array" => Is::Numbers,
        _ => Is::AnchorOffsets,
    };
    Some(Spec { name: "", is, interpolated: json["expression"]["interpolated"] == true })
}

fn kind_of(spec: &Json) -> Option<Type> {
    Some(match spec["type"].as_str()? {
        "number" => Type::Number,
        "boolean" => Type::Boolean,
        "color" => Type::Color,
        "string" | "enum" => Type::String,
        "formatted" => Type::Formatted,
        "resolvedImage" => Type::Image,
        "padding" => Type::Padding,
        "numberArray" => Type::NumberArray,
        "colorArray" => Type::ColorArray,
        "variableAnchorOffsetCollection" => Type::AnchorOffsets,
        "projectionDefinition" => Type::ProjectionDefinition,
        "null" => Type::Null,
        "array" => {
            let item = kind_of(&json!({ "type": spec["value"] })).unwrap_or(Type::Value);
            Type::Array(Box::new(item), spec["length"].as_u64().map(|n| n as usize))
        }
        _ => return None,
    })
}

fn compiled(case: &Json) -> crate::Result<Expr> {
    let (expression, spec) = (&case["expression"], &case["propertySpec"]);
    let interpolated = spec["expression"]["interpolated"] != false;
    let read = |json: &Json| match kind_of(spec) {
        Some(kind) => {
            let expr = expr::parse_as(json, &kind)?;
            match interpolated || !expr.is_interpolated() {
                true => Ok(expr),
                false => Err(crate::Problem::expression("", "it cannot be interpolated")),
            }
        }
        None => expr::parse_of_any_type(json),
    };
    let spec_of = spec_of(spec).map(|s| if spec["tokens"] == true { Spec { is: Is::Formatted, ..s } } else { s });
    match (expression, spec_of) {
        (Json::Object(_), Some(spec)) => read(&function::to_expression(expression, &spec)?),
        (Json::String(text), Some(spec)) if case["propertySpec"]["tokens"] == true => {
            read(&function::tokens(text, &Spec { is: Is::Formatted, ..spec }))
        }
        _ => read(expression),
    }
}

fn shown(value: &Value) -> Json {
    // MapLibre's are multiplied with their opacity.
    let color = |c: &crate::Color| json!([c.r * c.a, c.g * c.a, c.b * c.a, c.a]);
    let named = |c: &crate::Color| json!({ "r": c.r * c.a, "g": c.g * c.a, "b": c.b * c.a, "a": c.a });
    match value {
        Value::Color(c) => color(c),
        Value::Array(items) => items.iter().map(shown).collect(),
        Value::Padding(p) => json!({ "values": p }),
        Value::Numbers(n) => json!({ "values": n.to_vec() }),
        Value::Colors(c) => json!({ "values": c.iter().map(named).collect::<Vec<_>>() }),
        Value::Image(i) => json!({ "name": &*i.name, "available": i.available }),
        Value::Projection(p) if p.from == p.to && p.transition == 1.0 => json!(&*p.from),
        Value::Projection(p) => json!({ "from": &*p.from, "to": &*p.to, "transition": p.transition }),
        Value::AnchorOffsets(all) => {
            all.iter().flat_map(|(anchor, offset)| [json!(&**anchor), json!(offset)]).collect()
        }
        Value::Formatted(f) => {
            let section = |s: &expr::Section| {
                json!({
                    "text": &*s.text,
                    "image": s.image.as_ref().map(|i| json!({ "name": &*i.name, "available": i.available })),
                    "scale": s.scale,
                    "fontStack": s.font_stack.as_deref(),
                    "textColor": s.color.map(|c| named(&c)),
                    "verticalAlign": s.vertical_align.as_deref(),
                })
            };
            json!({ "sections": f.sections.iter().map(section).collect::<Vec<_>>() })
        }
        other => other.to_json(),
    }
}

fn alike(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            // Distances are from a tile's grid there, from the place itself here: two millimetres, or 1 in 20,000.
            (a - b).abs() <= (5e-5 * a.abs().max(b.abs())).max(2e-6)
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| alike(v, w)))
        }
        _ => a == b,
    }
}

/// Fails with what differs.
fn check(name: &str, case: &Json) -> Result<(), String> {
    let expected = &case["expected"]["compiled"];
    let expr = match (compiled(case), expected["result"] == "success") {
        (Err(_), false) => return Ok(()),
        (Err(problem), true) => return Err(format!("refused: {problem}")),
        (Ok(expr), false) => return Err(format!("read as {}, should be refused: {}", expr.kind(), expected["errors"])),
        (Ok(expr), true) => expr,
    };
    if expr.kind().to_string() != expected["type"].as_str().unwrap_or_default() {
        return Err(format!("is of type {}, should be {}", expr.kind(), expected["type"]));
    }
    let uses = expr.uses();
    if expected["isFeatureConstant"] == uses.feature || expected["isZoomConstant"] == uses.zoom {
        return Err(format!("depends on {uses:?}"));
    }
    let outputs = case["expected"]["outputs"].as_array().cloned().unwrap_or_default();
    let state: Object = case["globalState"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (Arc::from(k.as_str()), Value::of_json(v)))
        .collect();
    for (input, output) in case["inputs"].as_array().into_iter().flatten().zip(&outputs) {
        let images: Vec<&str> =
            input[0]["availableImages"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let has = |name: &str| images.contains(&name);
        let given = Given(&input[1]);
        let context = Context {
            zoom: input[0]["zoom"].as_f64().unwrap_or(0.0),
            subject: Some(&given),
            heatmap_density: input[0]["heatmapDensity"].as_f64().unwrap_or(0.0),
            elevation: input[0]["elevation"].as_f64().unwrap_or(0.0),
            has_image: Some(&has),
            global_state: Some(&state),
            until: None,
        };
        match (expr.evaluate(&context), output.get("error")) {
            (Err(_), Some(_)) => {}
            (Ok(value), None) if alike(&shown(&value), output) => {}
            // What fails has its property's default.
            (Err(_), None) if alike(&case["propertySpec"]["default"], output) => {}
            (Ok(Value::Number(n)), None)
                if name.starts_with("distance") && output.as_f64().is_some_and(|o| (n - o).abs() < 0.01) => {}
            (value, _) => {
                let value = value.map(|v| shown(&v).to_string());
                return Err(format!("gives {value:?} for {}, should be {output}", input[1]));
            }
        }
    }
    Ok(())
}

#[test]
fn it_is_maplibres_language() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/fixtures/maplibre-expressions/tests");
    if !folder.is_dir() {
        println!("skipped: MapLibre's tests are not at hand");
        return;
    }
    let mut files = vec![];
    cases(&folder, &mut files);
    files.sort();
    let mut failed = BTreeMap::new();
    for file in &files {
        let case: Json = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let name = file.parent().unwrap().strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        if let Err(why) = check(&name, &case) {
            failed.insert(name, why);
        }
    }
    println!("{} of {} hold", files.len() - failed.len(), files.len());
    assert!(files.len() > 500, "only {} tests", files.len());
    for (name, _) in FAILING {
        assert!(failed.remove(*name).is_some(), "{name} holds now: take it off the list");
    }
    let told: Vec<String> = failed.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    assert!(told.is_empty(), "{} fail:\n{}", told.len(), told.join("\n"));
}
