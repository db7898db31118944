use std::path::Path;

use onemap_paint::Fonts;

use super::*;
use crate::style::glyphs;
use crate::style::library::{self, Shape};

fn fonts() -> Fonts {
    let mut fonts = Fonts::none();
    let (name, file) = glyphs::STACKS[0];
    assert!(fonts.add(name, &Path::new(glyphs::DEBIAN_FONTS).join(file), glyphs::FAMILY));
    fonts
}

fn title() -> Said {
    Said::new("社区", "Communities")
}

fn layer(kind: &str, paint: Value) -> Value {
    json!({ "id": "a", "type": kind, "source": "s", "source-layer": "a", "paint": paint })
}

fn labels(entries: &[Entry]) -> Vec<(&str, &str)> {
    entries.iter().map(|e| (e.label.zh.as_str(), e.colour.as_str())).collect()
}

#[test]
fn a_default_style_has_one_entry_per_kind_of_geometry() {
    let of = |shape| entries(&library::default_layers("civil-affairs-communities", shape, Some("name")), &title());
    let kinds = |shape| of(shape).iter().map(|e| e.kind).collect::<Vec<_>>();
    assert_eq!(kinds(Shape::Polygon), [Kind::Fill]);
    assert_eq!(kinds(Shape::Line), [Kind::Line]);
    assert_eq!(kinds(Shape::Point), [Kind::Circle]);
    assert_eq!(kinds(Shape::Mixed), [Kind::Fill, Kind::Line, Kind::Circle]);
    let area = &of(Shape::Polygon)[0];
    assert_eq!(area.label, title());
    assert_eq!(area.outline.as_ref(), Some(&area.colour), "the line around it is its outline");
}

#[test]
fn classes_are_named_by_their_values() {
    let matched = layer(
        "circle",
        json!({ "circle-color": ["match", ["get", "kind"], "小学", "#f00", ["初中", "高中"], "#0f0", "#999"] }),
    );
    assert_eq!(labels(&entries(&[matched], &title())), [("小学", "#f00"), ("初中、高中", "#0f0"), ("其他", "#999")]);
    let steps = layer("fill", json!({ "fill-color": ["step", ["get", "n"], "#eee", 10, "#aaa", 20.5, "#000"] }));
    assert_eq!(labels(&entries(&[steps], &title())), [("< 10", "#eee"), ("10 – 20.5", "#aaa"), ("≥ 20.5", "#000")]);
    let ramp = layer("line", json!({ "line-color": ["interpolate", ["linear"], ["get", "n"], 0, "#fff", 9, "#00f"] }));
    assert_eq!(labels(&entries(&[ramp], &title())), [("0", "#fff"), ("9", "#00f")]);
}

#[test]
fn a_style_of_many_things_labels_each() {
    let mut water = layer("fill", json!({ "fill-color": "#00f" }));
    water["metadata"] = json!({ "onemap:label": { "zh": "水域", "en": "Water" } });
    let land = layer("circle", json!({ "circle-color": "#0f0" }));
    let mut edge = layer("line", json!({ "line-color": "#aaa" }));
    edge["source-layer"] = json!("b");
    edge["metadata"] = json!({ "onemap:legend": false });
    assert_eq!(labels(&entries(&[water, land, edge], &title())), [("水域", "#00f"), ("社区", "#0f0")]);
}

#[test]
fn odd_styles_give_fewer_entries_and_no_panic() {
    for colour in [
        json!(null),
        json!(7),
        json!([]),
        json!(["match"]),
        json!(["match", 1]),
        json!(["step"]),
        json!(["interpolate", 1]),
        json!(["get", "colour"]),
        json!({"stops": []}),
    ] {
        assert!(entries(&[layer("fill", json!({ "fill-color": colour }))], &title()).is_empty(), "{colour}");
    }
    assert!(entries(&[json!(null), json!("x"), json!({"type": "raster"})], &title()).is_empty());
}

#[test]
fn a_legend_ends() {
    let mut colour = vec![json!("match"), json!(["get", "code"])];
    (0..1000).for_each(|n| colour.extend([json!(n), json!("#123456")]));
    colour.push(json!("#999999"));
    let all = entries(&[layer("fill", json!({ "fill-color": colour }))], &title());
    assert_eq!(all.len(), MOST);
    assert_eq!(all[MOST - 1].label.zh, "……");
}

#[test]
fn the_json_has_the_words_of_the_interface() {
    let one = Entry { label: title(), kind: Kind::Circle, colour: "#112233".into(), outline: None };
    let expected = json!({ "entries": [{
        "label": { "zh": "社区", "en": "Communities" }, "kind": "circle", "color": "#112233", "outline": null,
    }] });
    assert_eq!(to_json(&[one]), expected);
}

#[test]
fn the_picture_shows_colours_and_writes_labels() {
    let entry =
        |zh: &str, kind, colour: &str| Entry { label: Said::new(zh, "x"), kind, colour: colour.into(), outline: None };
    let all = [
        entry("青岛市", Kind::Fill, "#ff0000"),
        entry("道路", Kind::Line, "#00ff00"),
        entry("点", Kind::Circle, "hsl(240, 100%, 50%)"),
    ];
    let fonts = fonts();
    let face = fonts.first().unwrap();
    let draw = |english, double| Pixmap::decode_png(&picture(&all, english, double, &face).unwrap()).unwrap();
    let chinese = draw(false, false);
    assert_eq!(chinese.height(), 3 * 24 + 16);
    let at = |p: &Pixmap, x, y| p.pixel(x, y).map(|c| (c.red(), c.green(), c.blue())).unwrap();
    assert_eq!(
        [at(&chinese, 22, 20), at(&chinese, 22, 44), at(&chinese, 22, 68)],
        [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    );
    let dark = |p: &Pixmap| {
        (0..24).flat_map(|y| (44..p.width()).map(move |x| (x, y + 8))).filter(|(x, y)| at(p, *x, *y).0 < 100).count()
    };
    assert!(dark(&chinese) > 100, "three characters are written beside the first swatch: {}", dark(&chinese));
    assert!(draw(true, false).width() < chinese.width(), "the English labels are shorter");
    assert_eq!(draw(false, true).height(), 2 * chinese.height());
}

#[test]
fn a_hostile_style_cannot_write_into_the_picture() {
    let colour = r##"red"/><image href="file:///etc/passwd"/><rect fill="&"##;
    let bad = Entry {
        label: Said::new("a".repeat(100_000), "\u{0}<&\">"),
        kind: Kind::Fill,
        colour: colour.into(),
        outline: Some(colour.into()),
    };
    let fonts = fonts();
    for english in [false, true] {
        let png = picture(std::slice::from_ref(&bad), english, true, &fonts.first().unwrap()).unwrap();
        assert!(Pixmap::decode_png(&png).unwrap().width() < 1500);
    }
    assert_eq!(
        attribute(colour),
        r##"red&quot;/>&lt;image href=&quot;file:///etc/passwd&quot;/>&lt;rect fill=&quot;&amp;"##
    );
}

#[test]
fn an_empty_legend_is_an_empty_picture() {
    let png = picture(&[], false, false, &fonts().first().unwrap()).unwrap();
    assert!(Pixmap::decode_png(&png).unwrap().height() > 0);
}
