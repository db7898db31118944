use std::collections::BTreeSet;

use super::*;

fn title() -> Said {
    Said::new("社区", "Communities")
}

fn drawn<'a>(id: &'a str, title: &'a Said, shape: Shape) -> Drawn<'a> {
    Drawn { id, title, shape, label_field: Some("name"), bounds: Some([120.0, 36.0, 121.0, 36.5]), marks: false }
}

/// What the style specification asks of any style, as far as it can be told without its schema.
fn hold_together(style: &Value) {
    assert_eq!(style["version"], 8);
    assert!(style["glyphs"].as_str().unwrap().ends_with("/fonts/{fontstack}/{range}.pbf"));
    assert!(style["sprite"].as_str().unwrap().ends_with("/sprites/onemap"));
    let layers = style["layers"].as_array().unwrap();
    let ids: BTreeSet<&str> = layers.iter().map(|l| l["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), layers.len(), "every layer has an id of its own");
    let signs: Value = serde_json::from_slice(&sprites::file("onemap.json").unwrap().1).unwrap();
    for layer in layers.iter().filter(|l| l["type"] != "background") {
        let source = layer["source"].as_str().unwrap();
        assert!(style["sources"][source].is_object(), "{layer} has its source");
        assert!(layer["source-layer"].is_string());
        if let Some(fonts) = layer["layout"]["text-font"].as_array() {
            assert!(fonts.iter().all(|f| super::super::glyphs::STACKS.iter().any(|(name, _)| f == name)), "{layer}");
        }
        if let Some(icon) = layer["layout"]["icon-image"].as_str() {
            assert!(signs.get(icon).is_some(), "{icon} is drawn");
        }
    }
}

#[test]
fn every_shape_gets_a_whole_style() {
    let title = title();
    for shape in [Shape::Point, Shape::Line, Shape::Polygon, Shape::Mixed] {
        let style = style_for(&drawn("health-clinics", &title, shape), "https://map.example");
        hold_together(&style);
        assert_eq!(style["sources"]["health-clinics"]["url"], "https://map.example/tiles/health-clinics.json");
        assert_eq!(style["name"], "社区");
        assert_eq!(style["center"], json!([120.5, 36.25]));
    }
}

#[test]
fn what_is_drawn_follows_the_shape() {
    let kinds = |shape| {
        let layers = default_layers("planning-parcels", shape, Some("name"));
        layers.iter().map(|l| l["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(Shape::Polygon), ["fill", "line", "symbol"]);
    assert_eq!(kinds(Shape::Line), ["line", "symbol"]);
    assert_eq!(kinds(Shape::Point), ["circle", "symbol"]);
    assert_eq!(kinds(Shape::Mixed), ["fill", "line", "line", "circle", "symbol"]);
    assert!(default_layers("planning-parcels", Shape::Polygon, None).iter().all(|l| l["type"] != "symbol"));
}

#[test]
fn layers_shown_together_differ_in_colour_and_stack_by_shape() {
    let title = title();
    let ids: Vec<String> = (1..=12).map(|n| format!("housing-theme-{n}")).collect();
    let layers: Vec<Drawn> = ids
        .iter()
        .zip([Shape::Point, Shape::Polygon, Shape::Line].into_iter().cycle())
        .map(|(id, shape)| drawn(id, &title, shape))
        .collect();
    let style = styles_for(&layers, "");
    hold_together(&style);
    let of = |kind: &'static str| style["layers"].as_array().unwrap().iter().filter(move |l| l["type"] == kind);
    let colours: Vec<&str> = of("circle")
        .map(|l| &l["paint"]["circle-color"])
        .chain(of("line").map(|l| &l["paint"]["line-color"]))
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(colours.len(), 12);
    assert_eq!(colours.iter().collect::<BTreeSet<_>>().len(), 12, "neighbours differ");
    let kinds: Vec<&str> = style["layers"].as_array().unwrap().iter().filter_map(|l| l["type"].as_str()).collect();
    let last = |kind| kinds.iter().rposition(|k| *k == kind).unwrap();
    let first = |kind| kinds.iter().position(|k| *k == kind).unwrap();
    assert!(last("fill") < first("circle") && last("line") < first("circle") && last("circle") < first("symbol"));
    assert_eq!(style["sources"]["housing-theme-1"]["url"], "/tiles/housing-theme-1.json");
}

#[test]
fn postgis_and_geojson_names_of_shapes_are_known() {
    for (name, shape) in [
        ("MULTIPOLYGON", Shape::Polygon),
        ("MultiPolygonZM", Shape::Polygon),
        ("ST_Point", Shape::Point),
        ("MultiPoint", Shape::Point),
        ("POINTZ", Shape::Point),
        ("LINESTRING", Shape::Line),
        ("MultiLineStringM", Shape::Line),
        ("GEOMETRY", Shape::Mixed),
        ("GeometryCollection", Shape::Mixed),
        ("", Shape::Mixed),
    ] {
        assert_eq!(Shape::of(Some(name)), shape, "{name}");
    }
    assert_eq!(Shape::of(None), Shape::Mixed);
}

#[test]
fn the_field_that_names_a_feature_is_found() {
    assert_eq!(label_field(["code", "name", "名称"]), Some("name"));
    assert_eq!(label_field(["编号", "名称"]), Some("名称"));
    assert_eq!(label_field(["id", "road_name"]), Some("road_name"));
    assert_eq!(label_field(["id", "学校名"]), Some("学校名"));
    assert_eq!(label_field(["id", "area"]), None);
}

#[test]
fn the_base_style_holds_together_with_any_choice_of_its_layers() {
    assert!(names().contains(&"base".to_owned()));
    let whole = embedded("base", "https://map.example", |_| true).unwrap();
    hold_together(&whole);
    let ids: BTreeSet<String> = whole["layers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|l| l["source-layer"].as_str().map(str::to_owned))
        .collect();
    assert!(ids.len() >= 5);
    for id in &ids {
        assert_eq!(whole["sources"][id]["url"], format!("https://map.example/tiles/{id}.json"));
    }
    for hidden in &ids {
        let style = embedded("base", "", |id| id != hidden).unwrap();
        hold_together(&style);
        assert!(!style.to_string().contains(&format!("\"{hidden}\"")), "{hidden} is not even named");
        assert_eq!(style["sources"].as_object().unwrap().len(), ids.len() - 1);
    }
    let bare = embedded("base", "", |_| false).unwrap();
    hold_together(&bare);
    assert_eq!(bare["sources"], json!({}));
    assert_eq!(bare["layers"].as_array().unwrap().len(), 1, "the background stays");
}

#[test]
fn other_names_are_not_found() {
    for name in ["", "nothing", "../base", "icons/school", "base.json"] {
        assert_eq!(embedded(name, "", |_| true).unwrap_err().kind, crate::error::Kind::NotFound, "{name}");
    }
}
