//! What the colours of a style mean: read from its layers, as JSON for the portal and as a picture for print and reports.

use std::fmt::Write;

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree},
};
use serde_json::{Value, json};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

use crate::error::{Error, Result, Said};

/// No legend is read beyond this; a style with more classes says so in its last entry.
pub const MOST: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Fill,
    Line,
    Circle,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub label: Said,
    pub kind: Kind,
    /// A CSS colour, as the style has it.
    pub colour: String,
    pub outline: Option<String>,
}

impl Kind {
    fn of(layer: &Value) -> Option<Self> {
        match layer["type"].as_str()? {
            "fill" | "fill-extrusion" => Some(Kind::Fill),
            "line" => Some(Kind::Line),
            "circle" => Some(Kind::Circle),
            _ => None,
        }
    }
    fn name(self) -> &'static str {
        match self {
            Kind::Fill => "fill",
            Kind::Line => "line",
            Kind::Circle => "circle",
        }
    }
}

/// The entries for a style's layers. What has one colour is labelled by the layer's metadata `onemap:label`
/// (`{"zh", "en"}`), else by `title`; the classes of an expression label themselves.
/// A layer with the metadata `onemap:legend: false` is decoration and left out.
/// A line around a fill of the same features is that fill's outline, not an entry of its own.
pub fn entries(layers: &[Value], title: &Said) -> Vec<Entry> {
    let told = |l: &&Value| l["metadata"]["onemap:legend"] != false;
    let drawn: Vec<(&Value, Kind)> = layers.iter().filter(told).filter_map(|l| Some((l, Kind::of(l)?))).collect();
    let mut entries: Vec<Entry> = Vec::new();
    for (layer, kind) in &drawn {
        if *kind == Kind::Line && drawn.iter().any(|(other, k)| *k == Kind::Fill && same_features(layer, other)) {
            continue;
        }
        let outline = outline(layer, *kind, &drawn);
        for (label, colour) in classes(colour(layer), &own_label(layer).unwrap_or_else(|| title.clone())) {
            let entry = Entry { label, kind: *kind, colour, outline: outline.clone() };
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    if entries.len() > MOST {
        entries.truncate(MOST);
        if let Some(last) = entries.last_mut() {
            last.label = Said::new("……", "…");
        }
    }
    entries
}

/// `{"entries": [{"label": {"zh", "en"}, "kind", "color", "outline"}]}`.
pub fn to_json(entries: &[Entry]) -> Value {
    let entry = |e: &Entry| {
        json!({
            "label": { "zh": e.label.zh, "en": e.label.en },
            "kind": e.kind.name(),
            "color": e.colour,
            "outline": e.outline,
        })
    };
    json!({ "entries": entries.iter().map(entry).collect::<Vec<_>>() })
}

fn own_label(layer: &Value) -> Option<Said> {
    let label = &layer["metadata"]["onemap:label"];
    Some(Said::new(label["zh"].as_str()?, label["en"].as_str()?))
}

fn same_features(a: &Value, b: &Value) -> bool {
    ["source", "source-layer", "filter"].iter().all(|k| a[k] == b[k])
}

fn colour(layer: &Value) -> &Value {
    let paint = &layer["paint"];
    ["fill-color", "fill-extrusion-color", "line-color", "circle-color"]
        .iter()
        .map(|name| &paint[name])
        .find(|v| !v.is_null())
        .unwrap_or(&Value::Null)
}

fn outline(layer: &Value, kind: Kind, drawn: &[(&Value, Kind)]) -> Option<String> {
    let own = match kind {
        Kind::Fill => &layer["paint"]["fill-outline-color"],
        Kind::Circle => &layer["paint"]["circle-stroke-color"],
        Kind::Line => return None,
    };
    let around = || {
        let (line, _) =
            drawn.iter().find(|(l, k)| *k == Kind::Line && kind == Kind::Fill && same_features(l, layer))?;
        colour(line).as_str()
    };
    own.as_str().or_else(around).map(str::to_owned)
}

/// What each colour of a paint value stands for. A colour that comes from the data itself cannot be listed.
fn classes(colour: &Value, title: &Said) -> Vec<(Said, String)> {
    if let Some(one) = colour.as_str() {
        return vec![(title.clone(), one.to_owned())];
    }
    let parts = colour.as_array().map_or(&[][..], Vec::as_slice);
    match parts.first().and_then(Value::as_str) {
        Some("match") => matched(&parts[2.min(parts.len())..]),
        Some("step") => steps(&parts[2.min(parts.len())..]),
        Some("interpolate" | "interpolate-hcl" | "interpolate-lab") => stops(&parts[3.min(parts.len())..]),
        _ => Vec::new(),
    }
}

/// `value, colour, value, colour, …, colour of all others`.
fn matched(rest: &[Value]) -> Vec<(Said, String)> {
    let (pairs, other) = rest.as_chunks::<2>();
    let one = |[value, colour]: &[Value; 2]| {
        let values =
            value.as_array().map_or_else(|| plain(value), |all| all.iter().map(plain).collect::<Vec<_>>().join("、"));
        Some((Said::new(values.clone(), values), colour.as_str()?.to_owned()))
    };
    let others = other.first().and_then(Value::as_str).map(|c| (Said::new("其他", "other"), c.to_owned()));
    pairs.iter().filter_map(one).chain(others).collect()
}

/// `colour, break, colour, break, colour`: each colour holds from its break to the next.
fn steps(rest: &[Value]) -> Vec<(Said, String)> {
    let breaks: Vec<String> = rest.iter().skip(1).step_by(2).map(plain).collect();
    let colours = rest.iter().step_by(2).enumerate();
    let range = |at: usize| match (at.checked_sub(1).and_then(|i| breaks.get(i)), breaks.get(at)) {
        (None, Some(to)) => format!("< {to}"),
        (Some(from), Some(to)) => format!("{from} – {to}"),
        (Some(from), None) => format!("≥ {from}"),
        (None, None) => String::new(),
    };
    colours.filter_map(|(at, c)| Some((Said::new(range(at), range(at)), c.as_str()?.to_owned()))).collect()
}

/// `stop, colour, stop, colour`.
fn stops(rest: &[Value]) -> Vec<(Said, String)> {
    let (pairs, _) = rest.as_chunks::<2>();
    pairs.iter().filter_map(|[at, c]| Some((Said::new(plain(at), plain(at)), c.as_str()?.to_owned()))).collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

// ---- the picture ----------------------------------------------------------------------------------------------

const ROW: f32 = 24.0;
const SWATCH: f32 = 28.0;
const TEXT: f32 = 14.0;
const MARGIN: f32 = 8.0;
/// A label is cut after this many ems, so that one long value does not make a picture of any size.
const LONGEST: f32 = 40.0;

/// The entries as a PNG, one row each: a swatch and its label.
pub fn picture(entries: &[Entry], english: bool, double: bool, face: &Face) -> Result<Vec<u8>> {
    let mut rows = String::new();
    let mut widest = 0.0_f32;
    for (row, entry) in entries.iter().take(MOST).enumerate() {
        let middle = MARGIN + ROW * (row as f32 + 0.5);
        swatch(&mut rows, entry, middle);
        let label = if english { &entry.label.en } else { &entry.label.zh };
        let (path, width) = written(face, label, (MARGIN + SWATCH + 8.0, middle + TEXT * 0.36));
        let _ = write!(rows, r##"<path fill="#22282f" d="{path}"/>"##);
        widest = widest.max(width);
    }
    let width = (MARGIN * 2.0 + SWATCH + 8.0 + widest).ceil();
    let height = MARGIN * 2.0 + ROW * entries.len().clamp(1, MOST) as f32;
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">
            <rect width="100%" height="100%" fill="#fff"/>{rows}</svg>"##
    );
    draw(&svg, width, height, if double { 2.0 } else { 1.0 })
}

fn draw(svg: &str, width: f32, height: f32, ratio: f32) -> Result<Vec<u8>> {
    let tree = Tree::from_str(svg, &Options::default()).map_err(Error::internal)?;
    let mut picture = Pixmap::new((width * ratio) as u32, (height * ratio) as u32)
        .ok_or_else(|| Error::internal("a legend of no size"))?;
    resvg::render(&tree, Transform::from_scale(ratio, ratio), &mut picture.as_mut());
    picture.encode_png().map_err(Error::internal)
}

/// Draws an SVG of ours over a picture.
pub fn render(svg: &str, on: &mut Pixmap) -> Result<()> {
    let tree = Tree::from_str(svg, &Options::default()).map_err(Error::internal)?;
    resvg::render(&tree, Transform::identity(), &mut on.as_mut());
    Ok(())
}

/// A text in lines that are no wider than the picture, as an SVG of its size.
pub fn lettered(text: &str, width: f32, height: f32, face: &Face) -> String {
    let scale = TEXT / f32::from(face.units_per_em());
    let advance = |c: char| {
        let glyph = face.glyph_index(c).unwrap_or(GlyphId(0));
        f32::from(face.glyph_hor_advance(glyph).unwrap_or_default()) * scale
    };
    let mut lines = vec![(String::new(), 0.0)];
    for word in words(text) {
        let long: f32 = word.chars().map(advance).sum();
        if let Some((line, reach)) = lines.last_mut()
            && (line.is_empty() || *reach + long <= width - 2.0 * MARGIN)
        {
            line.push_str(word);
            *reach += long;
        } else {
            lines.push((word.trim_start().to_owned(), long));
        }
    }
    let mut svg = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">"#);
    let fitting = ((height - MARGIN) / (TEXT * 1.5)).max(1.0) as usize;
    for (i, (line, _)) in lines.iter().take(fitting).enumerate() {
        let (path, _) = written(face, line, (MARGIN, MARGIN + TEXT * (1.0 + 1.5 * i as f32)));
        // A pale edge keeps it readable on whatever lies below.
        let _ = write!(
            svg,
            r##"<path fill="none" stroke="#ffffff" stroke-width="3" d="{path}"/><path fill="#b3261e" d="{path}"/>"##
        );
    }
    svg + "</svg>"
}

/// What a line may be broken between: words, and each sign of a script without spaces.
fn words(text: &str) -> Vec<&str> {
    let mut words = vec![];
    let mut from = 0;
    let mut last = ' ';
    for (at, c) in text.char_indices() {
        let wide = |c: char| c as u32 >= 0x2e80;
        if at > from && (c == ' ' || wide(c) || wide(last)) {
            words.push(&text[from..at]);
            from = at;
        }
        last = c;
    }
    words.push(&text[from..]);
    words
}

fn swatch(svg: &mut String, entry: &Entry, middle: f32) {
    let colour = attribute(&entry.colour);
    let outline = attribute(entry.outline.as_deref().unwrap_or("none"));
    let (left, centre) = (MARGIN, MARGIN + SWATCH / 2.0);
    let path = format!("M{left} {middle}h{SWATCH}");
    let _ = match entry.kind {
        Kind::Fill => write!(
            svg,
            r#"<rect x="{left}" y="{}" width="{SWATCH}" height="16" fill="{colour}" stroke="{outline}"/>"#,
            middle - 8.0
        ),
        Kind::Line => write!(
            svg,
            // The grey edge shows a white line on the white page.
            r##"<g fill="none" stroke-linecap="round"><path d="{path}" stroke="#c4c9cf" stroke-width="4.5"/>
                <path d="{path}" stroke="{colour}" stroke-width="3"/></g>"##
        ),
        Kind::Circle => {
            write!(svg, r#"<circle cx="{centre}" cy="{middle}" r="6" fill="{colour}" stroke="{outline}"/>"#)
        }
    };
}

/// A style is its author's text: nothing of it may end the attribute it stands in.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// The outlines of a text as an SVG path from that point of its baseline on, and its width.
fn written(face: &Face, text: &str, (x, y): (f32, f32)) -> (String, f32) {
    let scale = TEXT / f32::from(face.units_per_em());
    let mut pen = Pen { path: String::new(), x, y, scale };
    for character in text.chars().filter(|c| !c.is_control()) {
        if pen.x - x > LONGEST * TEXT {
            pen.character(face, '…');
            break;
        }
        pen.character(face, character);
    }
    let width = pen.x - x;
    (pen.path, width)
}

struct Pen {
    path: String,
    x: f32,
    y: f32,
    scale: f32,
}

impl Pen {
    fn character(&mut self, face: &Face, character: char) {
        // Glyph 0 is the font's own sign for "no such character".
        let glyph = face.glyph_index(character).unwrap_or(GlyphId(0));
        face.outline_glyph(glyph, self);
        self.x += f32::from(face.glyph_hor_advance(glyph).unwrap_or_default()) * self.scale;
    }
    fn draw(&mut self, command: char, points: &[(f32, f32)]) {
        self.path.push(command);
        for (x, y) in points {
            let _ = write!(self.path, "{:.2} {:.2} ", self.x + x * self.scale, self.y - y * self.scale);
        }
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.draw('M', &[(x, y)]);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.draw('L', &[(x, y)]);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.draw('Q', &[(x1, y1), (x, y)]);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.draw('C', &[(x1, y1), (x2, y2), (x, y)]);
    }
    fn close(&mut self) {
        self.path.push('Z');
    }
}

#[cfg(test)]
#[path = "legend_test.rs"]
mod tests;
