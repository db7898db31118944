//! Numbers become the rows, the style and the figures of a layer.

use bytes::Bytes;
use geo::Coord;
use onemap_spatial::area::Area;
use onemap_spatial::within::{middle, places};
use onemap_statistics::palette::{Palette, SIDE};
use serde_json::{Value as Json, json};

use super::definition::{Definition, Indicator, Kind, class_of};
use super::drawing::{self, Drawing, Entry, Mark};
use super::tell::{Numbers, Told};
use super::zones::Zones;
use crate::error::Result;
use crate::geo::crs::STORAGE_SRID;
use crate::layer::copy::{HEADER, TRAILER, Value, begin_row, put};
use crate::layer::model::{Field, FieldType};
use crate::layer::registry::Shape;

/// Dots of a period, about and at most.
const DOTS: f64 = 4_000.0;
const MOST_DOTS: usize = 50_000;
/// Colours of a heat map, from little to much.
const RAMP: usize = 5;
/// Bytes of a piece of the stream.
const PIECE: usize = 64 << 10;

pub struct Made {
    pub shape: Shape,
    /// The rows as a COPY stream.
    pub pieces: Vec<Bytes>,
    pub style: Json,
}

/// How values are put into classes and drawn.
enum Scheme {
    /// Nothing is told, so there is nothing to draw.
    Nothing,
    One(Drawing),
    Two(Box<[Drawing; 2]>),
    Categories(Vec<String>),
}

pub fn make(layer: &str, title: &str, definition: &Definition, zones: &Zones, numbers: &Numbers) -> Result<Made> {
    let scheme = Scheme::of(definition, numbers)?;
    let per_dot = dots(definition, numbers);
    let only = numbers.periods.last().cloned().flatten().map(|p| json!(["==", ["get", "period"], p]));
    let (entries, mark) = entries(definition, &scheme, per_dot);
    let layers = map_layers(layer, definition, &scheme, (&entries, mark), only.as_ref());
    let mut figures = json!({
        "kind": definition.kind, "palette": definition.palette().name(),
        "periods": numbers.periods.iter().flatten().collect::<Vec<_>>(),
        "suppressed": numbers.cells.iter().filter(|told| told.suppressed).count(),
        "legend": drawing::legend(&entries, mark),
    });
    match &scheme {
        Scheme::Nothing => {}
        Scheme::One(drawing) => figures["classification"] = drawing.document(),
        Scheme::Two(both) => {
            figures["classification"] = both[0].document();
            figures["second"] = both[1].document();
        }
        Scheme::Categories(all) => figures["categories"] = json!(all),
    }
    if definition.kind == Kind::DotDensity {
        figures["per_dot"] = per_dot.into();
    }
    let fields = fields(definition);
    let pieces = Rows { definition, zones, numbers, scheme: &scheme, per_dot, columns: fields.len() + 2 }.pieces();
    let shape = Shape {
        geometry: Some(geometry(definition.kind).to_owned()),
        key_field: definition.zones.code.as_ref().filter(|_| definition.time.is_none()).map(|_| "code".to_owned()),
        note: "专题计算 computed".to_owned(),
        report: Some(json!({"figures": figures, "report": numbers.report})),
        fields,
    };
    Ok(Made { shape, pieces, style: drawing::style(title, layer, layers) })
}

fn geometry(kind: Kind) -> &'static str {
    match kind {
        Kind::Choropleth | Kind::Categories | Kind::Bivariate => "MultiPolygon",
        Kind::GraduatedSymbols | Kind::Heat => "Point",
        // The zones with their numbers, and the dots.
        Kind::DotDensity => "Geometry",
    }
}

impl Scheme {
    fn of(definition: &Definition, numbers: &Numbers) -> Result<Scheme> {
        let values = |at: usize| numbers.cells.iter().filter_map(|told| told.values[at]).collect::<Vec<f64>>();
        if definition.kind == Kind::Categories {
            return Ok(Scheme::Categories(categories(numbers, definition.palette())));
        }
        let first = values(0);
        if first.is_empty() {
            return Ok(Scheme::Nothing);
        }
        if definition.kind != Kind::Bivariate {
            let wanted = definition.wanted();
            return Ok(Scheme::One(Drawing::new(&first, &wanted, definition.palette(), definition.reverse)?));
        }
        let second = values(1);
        if second.is_empty() {
            return Ok(Scheme::Nothing);
        }
        // The colours are those of both together; one alone needs its classes only.
        let wanted = definition.wanted();
        let drawing = |values: &[f64]| Drawing::new(values, &wanted, Palette::Blues, false);
        Ok(Scheme::Two(Box::new([drawing(&first)?, drawing(&second)?])))
    }

    fn class(&self, told: &Told) -> Option<usize> {
        match self {
            Scheme::Nothing => None,
            Scheme::One(drawing) => class_of(&drawing.classes, told.values[0]),
            Scheme::Two(both) => {
                let of = |at: usize| class_of(&both[at].classes, told.values[at]);
                Some(of(1)? * SIDE + of(0)?)
            }
            Scheme::Categories(all) => {
                let own = told.category.as_ref()?;
                Some(all.iter().position(|c| c == own).unwrap_or(all.len()))
            }
        }
    }
}

/// The categories that have a colour, the most frequent first; when there are more than colours, the last colour is for all others.
fn categories(numbers: &Numbers, palette: Palette) -> Vec<String> {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for category in numbers.cells.iter().filter_map(|told| told.category.as_deref()) {
        *counts.entry(category).or_default() += 1;
    }
    let mut all: Vec<(&str, usize)> = counts.into_iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if all.len() > palette.most() {
        all.truncate(palette.most() - 1);
    }
    all.into_iter().map(|(category, _)| category.to_owned()).collect()
}

/// What a dot stands for: a round number that gives about [`DOTS`] dots in the fullest period.
fn dots(definition: &Definition, numbers: &Numbers) -> f64 {
    let periods = numbers.cells.chunks(numbers.cells.len().div_ceil(numbers.periods.len().max(1)).max(1));
    let sums = periods.map(|cells| cells.iter().filter_map(|t| t.values[0]).filter(|v| *v > 0.0).sum::<f64>());
    let most = sums.fold(0.0, f64::max);
    if definition.kind != Kind::DotDensity || most <= 0.0 {
        return 1.0;
    }
    let least = most / DOTS;
    let power = 10f64.powi(least.log10().floor() as i32);
    let round = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|r| *r >= least).unwrap_or(10.0 * power);
    // Of counts, a dot is one at least.
    if most >= DOTS { round } else { round.max(1.0) }
}

fn entries(definition: &Definition, scheme: &Scheme, per_dot: f64) -> (Vec<Entry>, Mark) {
    let palette = definition.palette();
    let of_class = |class: usize| json!(["==", ["get", "class"], class]);
    let mut entries = match scheme {
        Scheme::Nothing => vec![],
        Scheme::One(_) if definition.kind == Kind::DotDensity => {
            let colour = palette.colours(5).map(|c| c[3].clone()).unwrap_or_default();
            let filter = json!(["==", ["get", "dot"], true]);
            vec![Entry { zh: format!("每点代表 {per_dot}"), en: format!("a dot is {per_dot}"), colour, filter }]
        }
        Scheme::One(_) if definition.kind == Kind::Heat => {
            let colours = palette.colours(RAMP).unwrap_or_default();
            let ends = [("低", "low", colours.first()), ("高", "high", colours.last())];
            let entry = |(zh, en, colour): (&str, &str, Option<&String>)| {
                Some(Entry { zh: zh.into(), en: en.into(), colour: colour?.clone(), filter: json!(["has", "value"]) })
            };
            ends.into_iter().filter_map(entry).collect()
        }
        Scheme::One(drawing) => drawing.entries("class"),
        Scheme::Two(both) => {
            let colours = palette.colours(SIDE).unwrap_or_default();
            let (x, y) = (both[0].labels(), both[1].labels());
            let places = (0..y.len()).flat_map(|j| (0..x.len()).map(move |i| (i, j)));
            let entry = |(i, j): (usize, usize)| {
                let label = format!("{} / {}", x[i], y[j]);
                let colour = colours[j * SIDE + i].clone();
                Entry { zh: label.clone(), en: label, colour, filter: of_class(j * SIDE + i) }
            };
            places.map(entry).collect()
        }
        Scheme::Categories(all) => {
            let colours = palette.colours(palette.most()).unwrap_or_default();
            let named = all.iter().map(|c| (c.clone(), c.clone()));
            let others = (all.len() + 1 == palette.most()).then(|| ("其他".to_owned(), "other".to_owned()));
            let all = named.chain(others).zip(colours).enumerate();
            all.map(|(class, ((zh, en), colour))| Entry { zh, en, colour, filter: of_class(class) }).collect()
        }
    };
    let mark = match definition.kind {
        Kind::Choropleth | Kind::Categories | Kind::Bivariate => Mark::Fill,
        Kind::GraduatedSymbols => Mark::Growing,
        Kind::DotDensity | Kind::Heat => Mark::Circle,
    };
    if mark == Mark::Fill {
        entries.extend(drawing::without_value("class"));
    }
    (entries, mark)
}

fn map_layers(
    layer: &str,
    definition: &Definition,
    scheme: &Scheme,
    (entries, mark): (&[Entry], Mark),
    only: Option<&Json>,
) -> Vec<Json> {
    let mut layers = match (definition.kind, scheme) {
        (Kind::Heat, Scheme::One(drawing)) => vec![heat(layer, definition.palette(), drawing, only)],
        (Kind::Heat, _) => vec![],
        _ => drawing::layers(entries, mark, Some(layer), only),
    };
    let of_zones = json!(["!=", ["get", "dot"], true]);
    match definition.kind {
        Kind::Choropleth | Kind::Categories | Kind::Bivariate => layers.push(drawing::borders(layer, only)),
        Kind::DotDensity => {
            let mut borders = drawing::borders(layer, Some(&of_zones));
            borders["paint"]["line-color"] = "#9a9a9a".into();
            layers.insert(0, borders);
        }
        _ => {}
    }
    layers
}

fn heat(layer: &str, palette: Palette, drawing: &Drawing, only: Option<&Json>) -> Json {
    let most = drawing.classes.summary.max;
    let has = json!(["has", "value"]);
    let colours = palette.colours(RAMP).unwrap_or_default();
    let mut ramp =
        vec![json!("interpolate"), json!(["linear"]), json!(["heatmap-density"]), json!(0), json!("rgba(0,0,0,0)")];
    for (at, colour) in colours.iter().enumerate() {
        ramp.extend([json!(0.15 + 0.85 * at as f64 / (RAMP - 1) as f64), json!(colour)]);
    }
    let weight =
        if most > 0.0 { json!(["interpolate", ["linear"], ["get", "value"], 0, 0, most, 1]) } else { json!(0) };
    let mut map_layer = json!({
        "id": "heat", "type": "heatmap",
        "filter": only.map_or_else(|| has.clone(), |only| json!(["all", only, has])),
        "paint": {"heatmap-weight": weight, "heatmap-color": ramp,
                  "heatmap-radius": ["interpolate", ["linear"], ["zoom"], 7, 12, 13, 60], "heatmap-opacity": 0.85},
    });
    drawing::sourced(&mut map_layer, Some(layer));
    map_layer
}

fn fields(definition: &Definition) -> Vec<Field> {
    let field = |name: &str, kind, zh: &str, en: &str| Field {
        name: name.to_owned(),
        kind,
        title_zh: zh.to_owned(),
        title_en: en.to_owned(),
    };
    let figure = |name: &str, indicator: &Indicator, (zh, en): (&str, &str)| {
        let label = indicator.label.as_deref();
        field(name, FieldType::Float, label.unwrap_or(zh), label.unwrap_or(en))
    };
    let mut fields = vec![
        field("code", FieldType::Text, "分区代码", "Zone code"),
        field("name", FieldType::Text, "分区名称", "Zone name"),
        field("period", FieldType::Text, "时段", "Period"),
        figure("value", &definition.indicator, ("指标值", "Value")),
        field("count", FieldType::Integer, "数据行数", "Rows"),
        field("class", FieldType::Integer, "级别", "Class"),
        field("suppressed", FieldType::Boolean, "不予公布", "Withheld"),
    ];
    match definition.kind {
        Kind::Bivariate => fields
            .extend(definition.second.iter().map(|second| figure("second", second, ("第二指标值", "Second value")))),
        Kind::Categories => fields.push(field("category", FieldType::Text, "类别", "Category")),
        Kind::DotDensity => fields.push(field("dot", FieldType::Boolean, "散点", "Dot")),
        _ => {}
    }
    fields
}

struct Rows<'a> {
    definition: &'a Definition,
    zones: &'a Zones,
    numbers: &'a Numbers,
    scheme: &'a Scheme,
    per_dot: f64,
    columns: usize,
}

impl Rows<'_> {
    fn pieces(&self) -> Vec<Bytes> {
        let mut pieces = vec![];
        let mut out = HEADER.to_vec();
        let mut id = 0;
        let count = self.zones.shapes.len();
        for (period, cells) in self.numbers.periods.iter().zip(self.numbers.cells.chunks(count.max(1))) {
            let mut left = MOST_DOTS;
            for (zone, told) in cells.iter().enumerate() {
                id += 1;
                self.zone(&mut out, id, (zone, period.as_deref()), told);
                if self.definition.kind == Kind::DotDensity {
                    let wanted = told.values[0].map_or(0.0, |v| (v / self.per_dot).round().max(0.0)) as usize;
                    let wanted = wanted.min(left);
                    left -= wanted;
                    let area = self.zones.shapes[zone].as_ref();
                    for place in area.map_or(vec![], |area| places(area, wanted, zone as u64)) {
                        id += 1;
                        self.dot(&mut out, id, (zone, period.as_deref()), place);
                    }
                }
                if out.len() >= PIECE {
                    pieces.push(Bytes::from(std::mem::take(&mut out)));
                }
            }
        }
        out.extend_from_slice(TRAILER);
        pieces.push(Bytes::from(out));
        pieces
    }

    fn zone(&self, out: &mut Vec<u8>, id: i64, (zone, period): (usize, Option<&str>), told: &Told) {
        begin_row(out, self.columns);
        put(out, &Value::Integer(id));
        put(out, &text_or_null(self.zones.codes[zone].as_deref()));
        put(out, &text_or_null(self.zones.names[zone].as_deref()));
        put(out, &text_or_null(period));
        put(out, &told.values[0].map_or(Value::Null, Value::Float));
        put(out, &told.count.map_or(Value::Null, |n| Value::Integer(n as i64)));
        put(out, &self.scheme.class(told).map_or(Value::Null, |c| Value::Integer(c as i64)));
        put(out, &Value::Boolean(told.suppressed));
        match self.definition.kind {
            Kind::Bivariate => put(out, &told.values[1].map_or(Value::Null, Value::Float)),
            Kind::Categories => put(out, &text_or_null(told.category.as_deref())),
            Kind::DotDensity => put(out, &Value::Boolean(false)),
            _ => {}
        }
        let area = self.zones.shapes[zone].as_ref();
        let ewkb = match geometry(self.definition.kind) {
            "Point" => area.and_then(middle).map(point),
            _ => area.map(polygons),
        };
        put(out, &ewkb.as_deref().map_or(Value::Null, Value::Geometry));
    }

    fn dot(&self, out: &mut Vec<u8>, id: i64, (zone, period): (usize, Option<&str>), place: Coord) {
        begin_row(out, self.columns);
        put(out, &Value::Integer(id));
        put(out, &text_or_null(self.zones.codes[zone].as_deref()));
        put(out, &text_or_null(self.zones.names[zone].as_deref()));
        put(out, &text_or_null(period));
        for _ in 0..3 {
            put(out, &Value::Null);
        }
        put(out, &Value::Boolean(false));
        put(out, &Value::Boolean(true));
        put(out, &Value::Geometry(&point(place)));
    }
}

fn text_or_null(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, Value::Text)
}

const SRID_FOLLOWS: u32 = 0x2000_0000;

fn head(kind: u32) -> Vec<u8> {
    let mut out = vec![1];
    out.extend_from_slice(&(kind | SRID_FOLLOWS).to_le_bytes());
    out.extend_from_slice(&STORAGE_SRID.to_le_bytes());
    out
}

fn point(Coord { x, y }: Coord) -> Vec<u8> {
    let mut out = head(1);
    out.extend_from_slice(&x.to_le_bytes());
    out.extend_from_slice(&y.to_le_bytes());
    out
}

fn polygons(area: &Area) -> Vec<u8> {
    let mut out = head(6);
    let length = |n: usize| (n as u32).to_le_bytes();
    let polygons = area.polygons();
    out.extend_from_slice(&length(polygons.0.len()));
    for polygon in &polygons {
        out.push(1);
        out.extend_from_slice(&3u32.to_le_bytes());
        out.extend_from_slice(&length(polygon.interiors().len() + 1));
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            out.extend_from_slice(&length(ring.0.len()));
            for position in &ring.0 {
                out.extend_from_slice(&position.x.to_le_bytes());
                out.extend_from_slice(&position.y.to_le_bytes());
            }
        }
    }
    out
}
