//! The expression language by examples: what each says for a feature, and what is refused.

use std::borrow::Cow;

use onemap_paint::expr::{Context, Geometry, Object, Subject, Type, Value, parse_as, parse_of_any_type};
use serde_json::{Value as Json, json};

struct Feature(Json);

impl Subject for Feature {
    fn property(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(|v| Cow::Owned(Value::of_json(v)))
    }
    fn properties(&self) -> Object {
        self.0.as_object().into_iter().flatten().map(|(k, v)| (k.as_str().into(), Value::of_json(v))).collect()
    }
    fn id(&self) -> Value {
        Value::Number(7.0)
    }
    fn geometry_type(&self) -> Option<&'static str> {
        Some("Point")
    }
    fn geometry(&self) -> Option<Geometry> {
        Geometry::of_json(&json!({ "type": "Point", "coordinates": [120.38, 36.07] }))
    }
}

fn value(expression: Json, zoom: f64) -> Option<Value> {
    let feature = Feature(json!({
        "name": "江西路", "class": "主干路", "n": 5, "text": "12", "list": [1, 2, 3], "yes": true, "nothing": null
    }));
    let expr = parse_of_any_type(&expression).unwrap_or_else(|p| panic!("{expression}: {p}"));
    expr.evaluate(&Context { zoom, subject: Some(&feature), ..Context::default() }).ok()
}

#[track_caller]
fn says(expression: Json, expected: Json) {
    let value = value(expression.clone(), 12.0).unwrap_or_else(|| panic!("{expression} fails"));
    let text = value.to_text();
    let expected_text = Value::of_json(&expected).to_text();
    assert_eq!(text, expected_text, "{expression}");
}

#[test]
fn values_and_lookup() {
    says(json!(["get", "name"]), json!("江西路"));
    says(json!(["has", "name"]), json!(true));
    says(json!(["has", "no"]), json!(false));
    says(json!(["get", "a", ["literal", { "a": 3 }]]), json!(3));
    says(json!(["at", 1, ["get", "list"]]), json!(2));
    says(json!(["in", 2, ["get", "list"]]), json!(true));
    says(json!(["in", "西", ["get", "name"]]), json!(true));
    says(json!(["index-of", "路", ["get", "name"]]), json!(2));
    says(json!(["slice", ["get", "name"], 0, 2]), json!("江西"));
    says(json!(["slice", ["get", "name"], -1]), json!("路"));
    says(json!(["length", ["get", "name"]]), json!(3));
    says(json!(["length", ["array", ["get", "list"]]]), json!(3));
    says(json!(["id"]), json!(7));
    says(json!(["geometry-type"]), json!("Point"));
    says(json!(["typeof", ["get", "list"]]), json!("array<number, 3>"));
}

#[test]
fn decisions() {
    says(json!(["match", ["get", "class"], "公路", 1, ["主干路", "次干路"], 2, 3]), json!(2));
    says(json!(["match", ["get", "n"], 5, "five", "other"]), json!("five"));
    says(json!(["match", ["get", "nothing"], 5, "five", "other"]), json!("other"));
    says(json!(["case", ["<", ["get", "n"], 5], "less", [">=", ["get", "n"], 5], "more", "none"]), json!("more"));
    says(json!(["coalesce", ["get", "no"], ["get", "nothing"], ["get", "n"]]), json!(5));
    says(json!(["all", true, ["get", "yes"]]), json!(true));
    says(json!(["any", false, ["!", ["get", "yes"]]]), json!(false));
    says(json!(["==", ["get", "text"], 12]), json!(false));
    says(json!(["==", "Ä", "a", ["collator", { "case-sensitive": false, "diacritic-sensitive": false }]]), json!(true));
    says(json!(["==", "Ä", "a", ["collator", { "case-sensitive": false, "diacritic-sensitive": true }]]), json!(false));
    // A value that should be a number and is none has no order: the property's default holds then.
    assert_eq!(value(json!(["<", ["get", "name"], 5]), 12.0), None);
}

#[test]
fn a_text_has_an_end() {
    let many = |inner: Json, n: usize| std::iter::once(json!("concat")).chain(vec![inner; n]).collect::<Json>();
    let twice = |n: usize| json!(["let", "t", many(json!(["get", "name"]), 1_000), many(json!(["var", "t"]), n)]);
    // Nine bytes each.
    assert_eq!(value(twice(7), 12.0).map(|v| v.to_text().len()), Some(63_000));
    assert_eq!(value(twice(8), 12.0), None);
}

#[test]
fn numbers_and_texts() {
    says(json!(["+", 1, 2, ["get", "n"]]), json!(8));
    says(json!(["-", ["get", "n"]]), json!(-5));
    says(json!(["/", 1, 4]), json!(0.25));
    says(json!(["%", 7, 4]), json!(3));
    says(json!(["^", 2, 10]), json!(1024));
    says(json!(["round", -2.5]), json!(-3));
    says(json!(["min", 3, 1, 2]), json!(1));
    says(json!(["to-number", ["get", "text"]]), json!(12));
    says(json!(["to-number", "no", ["get", "n"]]), json!(5));
    says(json!(["to-string", 1.5]), json!("1.5"));
    says(json!(["to-string", ["get", "nothing"]]), json!(""));
    says(json!(["to-boolean", ""]), json!(false));
    says(json!(["concat", ["get", "name"], " ", ["get", "n"], "号"]), json!("江西路 5号"));
    says(json!(["upcase", "abc"]), json!("ABC"));
    says(json!(["join", ["split", "a-b-c", "-"], "+"]), json!("a+b+c"));
    says(json!(["number-format", 1234567.891, { "max-fraction-digits": 1 }]), json!("1,234,567.9"));
    says(json!(["number-format", 5, { "locale": "zh-CN", "currency": "CNY" }]), json!("¥5.00"));
    says(json!(["let", "x", ["get", "n"], ["*", ["var", "x"], ["var", "x"]]]), json!(25));
}

#[test]
fn curves() {
    says(json!(["interpolate", ["linear"], ["zoom"], 10, 0, 14, 8]), json!(4));
    says(json!(["interpolate", ["exponential", 2], ["zoom"], 10, 0, 14, 15]), json!(3));
    says(json!(["interpolate", ["linear"], ["zoom"], 13, 1, 14, 2]), json!(1));
    says(json!(["step", ["get", "n"], "low", 5, "high"]), json!("high"));
    says(json!(["step", ["get", "n"], "low", 5.1, "high"]), json!("low"));
    says(
        json!(["interpolate", ["linear"], 0.5, 0, ["to-color", "black"], 1, ["to-color", "white"]]),
        json!("rgba(128,128,128,1)"),
    );
    says(json!(["interpolate-hcl", ["linear"], 0, 0, "red", 1, "blue"]), json!("rgba(255,0,0,1)"));
    says(json!(["interpolate-lab", ["linear"], 1, 0, "red", 1, "blue"]), json!("rgba(0,0,255,1)"));
    says(json!(["round", ["interpolate", ["cubic-bezier", 0, 0, 1, 1], 0.25, 0, 0, 1, 100]]), json!(25));
    let Some(Value::Number(eased)) =
        value(json!(["interpolate", ["cubic-bezier", 0.42, 0, 0.58, 1], 0.25, 0, 0, 1, 1]), 12.0)
    else {
        panic!("a number")
    };
    assert!((eased - 0.1292).abs() < 1e-3, "{eased}");
}

#[test]
fn colours() {
    for text in ["#f00", "#ff0000", "red", "rgb(255, 0, 0)", "rgba(255,0,0,1)", "hsl(0, 100%, 50%)", "RED"] {
        says(json!(["to-color", text]), json!("rgba(255,0,0,1)"));
    }
    for text in ["", "ff0000", "abc", "no colour", "12", "rgb(1,2)"] {
        assert!(parse_as(&json!(text), &Type::Color).is_err(), "{text}");
    }
    says(json!(["rgba", 1, 2, 3, 0.5]), json!("rgba(1,2,3,0.5)"));
}

#[test]
fn places() {
    let square = |x: f64| json!({ "type": "Polygon", "coordinates": [[[x, 36], [x + 1.0, 36], [x + 1.0, 37], [x, 37], [x, 36]]] });
    says(json!(["within", square(120.0)]), json!(true));
    says(json!(["within", square(122.0)]), json!(false));
    let Some(Value::Number(metres)) =
        value(json!(["distance", { "type": "Point", "coordinates": [120.39, 36.07] }]), 12.0)
    else {
        panic!("a number")
    };
    // A hundredth of a degree of longitude at this latitude.
    assert!((metres - 901.0).abs() < 2.0, "{metres}");
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    for (expression, path) in [
        (json!([]), ""),
        (json!(["nope"]), "[0]"),
        (json!([1, 2]), "[0]"),
        (json!({ "a": 1 }), ""),
        (json!(["get"]), ""),
        (json!(["+", 1, "a"]), "[2]"),
        (json!(["==", 1, "a"]), ""),
        (json!(["<", true, false]), "[1]"),
        (json!(["match", ["get", "a"], 1.5, 1, 2]), "[2]"),
        (json!(["match", ["get", "a"], 1, 1, 1, 2, 3]), "[4]"),
        (json!(["case", true, 1]), ""),
        (json!(["step", 1, 2, "x", 3]), "[3]"),
        (json!(["interpolate", ["bent"], 1, 0, 0, 1, 1]), "[1][0]"),
        (json!(["interpolate", ["linear"], 1, 0, "a", 1, "b"]), ""),
        (json!(["let", "a b", 1, 2]), "[1]"),
        (json!(["var", "unknown"]), "[1]"),
        (json!(["within", { "type": "Point", "coordinates": [1, 2] }]), ""),
        (json!(["at", 5, ["literal", [1]]]), ""),
    ] {
        let problem = parse_of_any_type(&expression).expect_err(&expression.to_string());
        assert_eq!(problem.path, path, "{expression}: {}", problem.en);
    }
}
