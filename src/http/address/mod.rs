//! The geocoder: `/address`.

pub mod csv;
pub mod jobs;
pub mod parse;
pub mod reverse;
pub mod search;

use axum::response::Response;
use onemap_address::find::Candidate;
use serde_json::{Value, json};

use super::ask::{Answer, Ask};
use super::cache_policy::{Keep, keep, not_modified, weak_etag};
use super::ogc::json_response;
use super::parameters::Parameters;
use crate::address::Readable;
use crate::address::answer::properties;
use crate::error::{Error, Result};
use crate::geo::china;

const GEOJSON: &str = "application/geo+json";
/// Sources that a request may name.
const MOST_SOURCES: usize = 50;

/// How coordinates are written and read. The shifted ones are for maps that are drawn in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum {
    Cgcs2000,
    Gcj02,
    Bd09,
}

impl Datum {
    fn take(parameters: &mut Parameters) -> Result<Datum> {
        match parameters.take("crs")?.as_deref() {
            None | Some("cgcs2000" | "wgs84" | "4490" | "4326") => Ok(Datum::Cgcs2000),
            Some("gcj02") => Ok(Datum::Gcj02),
            Some("bd09") => Ok(Datum::Bd09),
            Some(other) => {
                let shown: String = other.chars().take(40).collect();
                Err(Error::invalid("crs", format!("没有坐标系 {shown}"), format!("{shown} is not offered here"))
                    .hint("可用：cgcs2000（默认）、gcj02、bd09", "choose cgcs2000 (the default), gcj02 or bd09"))
            }
        }
    }

    /// Our degrees to the caller's, to a centimetre.
    fn out(self, lon: f64, lat: f64) -> (f64, f64) {
        let (lon, lat) = match self {
            Datum::Cgcs2000 => (lon, lat),
            Datum::Gcj02 => china::wgs84_to_gcj02(lon, lat),
            Datum::Bd09 => china::wgs84_to_bd09(lon, lat),
        };
        ((lon * 1e7).round() / 1e7, (lat * 1e7).round() / 1e7)
    }

    fn read(self, lon: f64, lat: f64) -> (f64, f64) {
        match self {
            Datum::Cgcs2000 => (lon, lat),
            Datum::Gcj02 => china::gcj02_to_wgs84(lon, lat),
            Datum::Bd09 => china::bd09_to_wgs84(lon, lat),
        }
    }
}

/// `source=a,b`: the layers to search; without it all that the caller reads.
fn take_sources(parameters: &mut Parameters) -> Result<Option<Vec<String>>> {
    let Some(list) = parameters.take("source")? else { return Ok(None) };
    let mut ids: Vec<String> = list.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    ids.sort();
    ids.dedup();
    match ids.len() {
        0 => Ok(None),
        n if n > MOST_SOURCES => Err(Error::invalid("source", "一次最多 50 个地址源", "at most 50 sources at once")),
        _ => Ok(Some(ids)),
    }
}

/// What the caller may search of the sources that it names.
async fn readable(ask: &Ask, sources: Option<&[String]>) -> Result<Readable> {
    ask.app.addresses.readable(&ask.principal, sources).await
}

fn feature(candidate: &Candidate, readable: &Readable, datum: Datum) -> Value {
    let (lon, lat) = datum.out(candidate.lon, candidate.lat);
    json!({
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": properties(candidate, readable.layer(candidate.source)),
    })
}

/// A collection of what was found, with members of its own beside the features.
fn collection(features: Vec<Value>, readable: &Readable, members: Value) -> Value {
    let mut document = json!({"type": "FeatureCollection", "features": features});
    if let (Some(all), Value::Object(more)) = (document.as_object_mut(), members) {
        all.extend(more);
    }
    // An honest answer says what it did not look at.
    if !readable.not_ready().is_empty() {
        document["not_ready"] = json!(readable.not_ready());
    }
    document
}

/// With a validator, for the one who asked: it shows what this caller may read.
fn answered(ask: &Ask, media: &'static str, document: &Value) -> Answer {
    let etag = weak_etag(&[document.to_string().as_bytes()]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    let response: Response = json_response(media, document);
    Ok(keep(response, Keep::Private, Some(&etag)))
}
