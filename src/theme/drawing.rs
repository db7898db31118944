//! Classes with their colours: the legend, the layers of a map style and the figures that are shown, all of one classification.
//!
//! A style has a map layer for each class, which picks its features by the number of their class. So the map, the legend that the platform reads
//! from any style, and the counts cannot disagree about values on a bound.

use onemap_statistics::classify::{Classes, Wanted, classify};
use onemap_statistics::palette::{NO_DATA, Palette, WITHHELD};
use serde_json::{Value, json};

use crate::error::Result;

/// One kind of feature on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub zh: String,
    pub en: String,
    pub colour: String,
    /// Which features: an expression of the map style language.
    pub filter: Value,
}

/// Values in classes, each with its colour.
pub struct Drawing {
    pub classes: Classes,
    pub colours: Vec<String>,
}

impl Drawing {
    pub fn new(values: &[f64], wanted: &Wanted, palette: Palette, reverse: bool) -> Result<Drawing> {
        let classes = classify(values, wanted)?;
        let mut colours = palette.colours(classes.upper.len())?;
        if reverse {
            colours.reverse();
        }
        Ok(Drawing { classes, colours })
    }

    /// The classes as texts: `3.5 – 8`.
    pub fn labels(&self) -> Vec<String> {
        labels(&self.classes)
    }

    /// The entries of a legend, of features whose property holds the number of their class.
    pub fn entries(&self, property: &str) -> Vec<Entry> {
        let filter = |class: usize| json!(["==", ["get", property], class]);
        self.entries_by(|class, _| filter(class))
    }

    /// The same of features whose property holds the value itself.
    pub fn entries_of_values(&self, property: &str) -> Vec<Entry> {
        self.entries_by(|class, (from, to)| {
            let above = if class == 0 { ">=" } else { ">" };
            json!(["all", ["has", property], [above, ["get", property], from], ["<=", ["get", property], to]])
        })
    }

    fn entries_by(&self, filter: impl Fn(usize, (f64, f64)) -> Value) -> Vec<Entry> {
        let labels = self.labels();
        let parts = self.classes.bounds().zip(labels).zip(&self.colours).enumerate();
        parts
            .map(|(class, ((bounds, label), colour))| Entry {
                zh: label.clone(),
                en: label,
                colour: colour.clone(),
                filter: filter(class, bounds),
            })
            .collect()
    }

    /// The figures. Those of the whole (counts, summary, histogram) are left out for who sees a part.
    pub fn document(&self) -> Value {
        let classes: Vec<Value> = self
            .classes
            .bounds()
            .zip(&self.classes.counts)
            .zip(self.labels().iter().zip(&self.colours))
            .map(|(((from, to), count), (label, colour))| {
                json!({"from": from, "to": to, "count": count, "label": label, "color": colour})
            })
            .collect();
        json!({
            "method": self.classes.method.name(), "classes": classes, "fit": self.classes.fit,
            "summary": self.classes.summary, "histogram": self.classes.histogram,
        })
    }
}

/// With as many decimals as tell the bounds apart, and no more.
fn labels(classes: &Classes) -> Vec<String> {
    let bounds: Vec<f64> = std::iter::once(classes.least).chain(classes.upper.iter().copied()).collect();
    let written = |decimals: usize| bounds.iter().map(|b| number(*b, decimals)).collect::<Vec<_>>();
    let tells = |texts: &[String]| {
        texts[1..].windows(2).all(|pair| pair[0] != pair[1])
            // Rounded by less than a hundredth of the range, bounds still say what they say.
            && bounds.iter().zip(texts).all(|(b, t)| {
                t.parse::<f64>().is_ok_and(|t| (t - b).abs() <= 0.005 * (bounds[bounds.len() - 1] - bounds[0]).abs())
            })
    };
    let texts =
        (0..=9).map(written).find(|texts| tells(texts)).unwrap_or_else(|| bounds.iter().map(f64::to_string).collect());
    texts
        .windows(2)
        .map(|pair| if pair[0] == pair[1] { pair[1].clone() } else { format!("{} – {}", pair[0], pair[1]) })
        .collect()
}

fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// What is drawn of a zone without a value, and of one whose value is withheld.
pub fn without_value(of_class: &str) -> [Entry; 2] {
    let none = json!(["!", ["has", of_class]]);
    let withheld = json!(["==", ["get", "suppressed"], true]);
    [
        Entry {
            zh: "数目过小，不予公布".into(),
            en: "withheld: small numbers".into(),
            colour: WITHHELD.into(),
            filter: withheld.clone(),
        },
        Entry {
            zh: "无数据".into(),
            en: "no data".into(),
            colour: NO_DATA.into(),
            filter: json!(["all", none, ["!", withheld]]),
        },
    ]
}

/// How features are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Fill,
    Line,
    /// Circles of one size.
    Circle,
    /// Circles whose areas grow from entry to entry.
    Growing,
}

/// A map layer for each entry. `source` is the layer's id, if there is one; `only` picks features beside the entry's filter.
pub fn layers(entries: &[Entry], mark: Mark, source: Option<&str>, only: Option<&Value>) -> Vec<Value> {
    let drawn = entries.iter().enumerate().map(|(at, entry)| {
        let filter = match only {
            Some(only) => json!(["all", only, entry.filter]),
            None => entry.filter.clone(),
        };
        let share = (at + 1) as f64 / entries.len() as f64;
        let (kind, paint) = match mark {
            Mark::Fill => ("fill", json!({"fill-color": entry.colour, "fill-opacity": 0.85})),
            Mark::Line => ("line", json!({"line-color": entry.colour, "line-width": 2})),
            Mark::Circle => (
                "circle",
                json!({"circle-color": entry.colour, "circle-radius": 4,
                "circle-stroke-color": "#ffffff", "circle-stroke-width": 0.5}),
            ),
            Mark::Growing => (
                "circle",
                json!({"circle-color": entry.colour, "circle-opacity": 0.8,
                "circle-radius": (4.0 + 20.0 * share.sqrt()).round(),
                "circle-stroke-color": "#ffffff", "circle-stroke-width": 1}),
            ),
        };
        let mut layer = json!({
            "id": format!("class-{at}"), "type": kind, "filter": filter, "paint": paint,
            "metadata": {"onemap:label": {"zh": entry.zh, "en": entry.en}},
        });
        sourced(&mut layer, source);
        layer
    });
    drawn.collect()
}

/// The borders of zones, which stand in no legend.
pub fn borders(source: &str, only: Option<&Value>) -> Value {
    let mut layer = json!({
        "id": "borders", "type": "line", "metadata": {"onemap:legend": false},
        "paint": {"line-color": "#ffffff", "line-width": ["interpolate", ["linear"], ["zoom"], 8, 0.3, 14, 1.5]},
    });
    if let Some(only) = only {
        layer["filter"] = only.clone();
    }
    sourced(&mut layer, Some(source));
    layer
}

pub fn sourced(layer: &mut Value, source: Option<&str>) {
    if let Some(source) = source {
        layer["source"] = source.into();
        layer["source-layer"] = source.into();
    }
}

/// A style of these layers over one layer of the platform.
pub fn style(name: &str, source: &str, layers: Vec<Value>) -> Value {
    json!({
        "version": 8, "name": name,
        "sources": {source: {"type": "vector", "url": format!("/tiles/{source}.json")}},
        "layers": layers,
    })
}

pub fn legend(entries: &[Entry], mark: Mark) -> Value {
    let kind = match mark {
        Mark::Fill => "fill",
        Mark::Line => "line",
        _ => "circle",
    };
    let all: Vec<Value> =
        entries.iter().map(|e| json!({"label": {"zh": e.zh, "en": e.en}, "color": e.colour, "kind": kind})).collect();
    json!({ "entries": all })
}

#[cfg(test)]
mod tests {
    use onemap_statistics::classify::Method;

    use super::*;

    fn drawing(values: &[f64], classes: usize) -> Drawing {
        let wanted = Wanted { method: Method::EqualInterval, classes, breaks: vec![] };
        Drawing::new(values, &wanted, Palette::Blues, false).unwrap()
    }

    #[test]
    fn labels_have_as_many_decimals_as_they_need() {
        assert_eq!(drawing(&[0.0, 100.0], 4).labels(), ["0 – 25", "25 – 50", "50 – 75", "75 – 100"]);
        assert_eq!(drawing(&[0.0, 0.01], 2).labels(), ["0 – 0.005", "0.005 – 0.01"]);
        assert_eq!(drawing(&[7.0, 7.0], 3).labels(), ["7"]);
    }

    #[test]
    fn a_style_of_classes_may_be_kept_and_tells_its_legend() {
        let drawing = drawing(&[1.0, 2.0, 3.0, 9.0], 3);
        let layers = layers(&drawing.entries("class"), Mark::Fill, Some("x"), None);
        let checked = crate::style::document::check(style("x", "x", layers), "").unwrap();
        let layers = checked.document["layers"].as_array().unwrap().clone();
        let told = crate::style::legend::entries(&layers, &crate::error::Said::new("x", "x"));
        let labels: Vec<&str> = told.iter().map(|e| e.label.zh.as_str()).collect();
        assert_eq!(labels, drawing.labels());
    }
}
