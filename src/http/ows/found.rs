//! What lies at a point of a map, and how it is written: GetFeatureInfo of WMS and of WMTS.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use onemap_cql2::Filter;
use serde_json::{Value, json};

use super::exception::{Code, Fault};
use super::kvp::{Kvp, not};
use super::xml::Xml;
use super::{Answer, gml};
use crate::error::Error;
use crate::feature::geojson::Writer;
use crate::geo::crs::CRS84;
use crate::http::ask::{Ask, Language};
use crate::layer::model::Field;
use crate::layer::select::{Near, near, visible_fields};
use crate::picture::view::View;
use crate::tile::render::Drawn;

pub const FORMATS: [&str; 5] =
    ["application/json", "application/geo+json", "text/html", "text/plain", "application/vnd.ogc.gml"];
/// Features per layer at most.
const MOST: i64 = 50;
/// Bytes of all of them at most.
pub const MOST_BYTES: usize = 8 << 20;
/// How far beside the point something may lie, in pixels; what `tolerance` may say; and in metres, whatever the scale.
const TOLERANCE: f64 = 5.0;
const WIDEST: i64 = 50;
const FARTHEST: f64 = 10_000.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json(&'static str),
    Html,
    Text,
    Gml,
}

impl Format {
    pub fn take(kvp: &Kvp, parameter: &str) -> Result<Format, Fault> {
        let given = kvp.get(parameter)?.unwrap_or("application/json");
        match given.to_ascii_lowercase().as_str() {
            "application/json" | "json" => Ok(Format::Json("application/json")),
            "application/geo+json" | "application/geojson" | "geojson" => Ok(Format::Json("application/geo+json")),
            "text/html" | "html" => Ok(Format::Html),
            "text/plain" | "text" => Ok(Format::Text),
            "application/vnd.ogc.gml" | "text/xml" | "application/xml" | "gml" => Ok(Format::Gml),
            _ => {
                let known = FORMATS.join(", ");
                let said = not(given, &known, &format!("one of {known}"));
                Err(Fault::invalid(parameter, said).code(Code::InvalidFormat))
            }
        }
    }
}

/// A point of a map, and how much around it is looked at.
pub struct Point {
    lon: f64,
    lat: f64,
    metres: f64,
    /// Features per layer.
    limit: i64,
}

impl Point {
    /// Of a pixel of a view, counted from its upper left one.
    pub fn take(kvp: &Kvp, view: &View, pixel: (u32, u32)) -> Result<Point, Fault> {
        let limit = kvp.integer("feature_count", 1..=i64::MAX)?.unwrap_or(1).min(MOST);
        let tolerance = match kvp.integer("tolerance", 0..=WIDEST)? {
            Some(pixels) => pixels as f64,
            // As GeoServer calls it.
            None => kvp.integer("buffer", 0..=WIDEST)?.map_or(TOLERANCE, |pixels| pixels as f64),
        };
        let (lon, lat) = view.place(f64::from(pixel.0) + 0.5, f64::from(pixel.1) + 0.5).unwrap_or((0.0, 95.0));
        // The pixel itself is half of one wide to each side.
        Ok(Point { lon, lat, metres: ((tolerance + 0.5) * view.metres()).min(FARTHEST), limit })
    }

    fn is_on_earth(&self) -> bool {
        self.lon.abs() <= 180.0 && self.lat.abs() <= 90.0
    }
}

/// The features of a layer at a point, nearest first.
pub struct Found<'a> {
    pub drawn: &'a Drawn,
    pub fields: Vec<Field>,
    pub features: Vec<Value>,
}

/// `left` are the bytes that the answer may still have.
pub async fn at<'a>(
    ask: &Ask,
    drawn: &'a Drawn,
    filter: Option<Filter>,
    point: &Point,
    left: &mut usize,
) -> Result<Found<'a>, Fault> {
    let fields: Vec<Field> = visible_fields(drawn.layer.state(), drawn.grant.scope()).into_iter().cloned().collect();
    let references: Vec<&Field> = fields.iter().collect();
    let mut features = vec![];
    let wanted = Near { point: (point.lon, point.lat), metres: point.metres, filter, limit: point.limit };
    let statement = near(&drawn.layer, &drawn.grant, &references, &wanted).filter(|_| point.is_on_earth());
    if let Some(sql) = statement {
        let mut rows = ask.app.store.read(&drawn.grant).await?.rows(&sql).await?;
        let writer = Writer { fields: fields.clone().into(), crs: CRS84 };
        while let Some(row) = rows.next().await {
            let mut text = vec![];
            writer.feature(&mut text, &row?, None)?;
            *left = left.checked_sub(text.len()).ok_or_else(too_much)?;
            features.push(serde_json::from_slice(&text).map_err(Error::internal)?);
        }
    }
    Ok(Found { drawn, fields, features })
}

fn too_much() -> Error {
    Error::too_large("此处的要素过大", "the features here are too large for one answer").hint(
        "请减小 feature_count 或减少图层，或用 WFS 取要素",
        "lower feature_count, ask for fewer layers, or take the features from WFS",
    )
}

pub fn answer(ask: &Ask, found: &[Found<'_>], format: Format) -> Answer {
    let (media, body) = match format {
        Format::Json(media) => (media, as_json(found)),
        Format::Html => ("text/html; charset=utf-8", as_html(ask, found)),
        Format::Text => ("text/plain; charset=utf-8", as_text(ask, found)),
        Format::Gml => ("application/vnd.ogc.gml; charset=utf-8", gml::collection(found)),
    };
    let mut response: Response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    Ok(response)
}

fn as_json(found: &[Found<'_>]) -> String {
    let features = found.iter().flat_map(|f| f.features.iter().map(move |feature| (f, feature)));
    let named = features.map(|(f, feature)| {
        let mut feature = feature.clone();
        // As other servers do: clients take what comes before the point for the layer.
        feature["id"] = json!(format!("{}.{}", f.drawn.layer.id, feature["id"]));
        feature["layer"] = json!(f.drawn.layer.id);
        feature
    });
    json!({"type": "FeatureCollection", "features": named.collect::<Vec<_>>()}).to_string()
}

/// A value as a person reads it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn heading<'a>(ask: &Ask, field: &'a Field) -> &'a str {
    let title = if ask.language == Language::English { &field.title_en } else { &field.title_zh };
    if title.is_empty() { &field.name } else { title }
}

fn as_text(ask: &Ask, found: &[Found<'_>]) -> String {
    let mut text = String::new();
    for f in found.iter().filter(|f| !f.features.is_empty()) {
        text += &format!("{} ({})\n", ask.language.pick(&f.drawn.layer.title), f.drawn.layer.id);
        for feature in &f.features {
            text += &format!("  {}\n", feature["id"]);
            for field in &f.fields {
                // A line of the answer is a line of this text.
                let value = shown(&feature["properties"][&field.name]).replace(['\n', '\r'], " ");
                text += &format!("    {} = {value}\n", field.name);
            }
        }
    }
    if text.is_empty() {
        let (zh, en) = ("此处没有要素\n", "nothing is here\n");
        text += if ask.language == Language::English { en } else { zh };
    }
    text
}

fn as_html(ask: &Ask, found: &[Found<'_>]) -> String {
    let mut xml = Xml::default();
    const LOOK: &str = "body{font:14px sans-serif;margin:8px}table{border-collapse:collapse;margin:4px 0 12px}\
        caption{text-align:left;font-weight:600;padding:4px 0}th,td{border:1px solid #d5dae0;padding:3px 8px;text-align:left}\
        th{background:#f3f5f7;font-weight:500}";
    let language = if ask.language == Language::English { "en" } else { "zh-CN" };
    xml.element("html", &[("lang", language)], |xml| {
        xml.element("head", &[], |xml| {
            xml.empty("meta", &[("charset", "utf-8")]);
            xml.text("title", if language == "en" { "What is here" } else { "此处的要素" }).text("style", LOOK);
        });
        xml.element("body", &[], |xml| {
            if found.iter().all(|f| f.features.is_empty()) {
                xml.text("p", if language == "en" { "Nothing is here." } else { "此处没有要素。" });
            }
            for f in found {
                for feature in &f.features {
                    html_feature(ask, xml, f, feature);
                }
            }
        });
    });
    format!("<!doctype html>\n{}", xml.finish())
}

fn html_feature(ask: &Ask, xml: &mut Xml, f: &Found<'_>, feature: &Value) {
    xml.element("table", &[], |xml| {
        xml.text("caption", &format!("{} · {}", ask.language.pick(&f.drawn.layer.title), feature["id"]));
        for field in &f.fields {
            xml.element("tr", &[], |xml| {
                xml.text("th", heading(ask, field)).text("td", &shown(&feature["properties"][&field.name]));
            });
        }
    });
}
