//! `/address/reverse`: what is here.

use serde_json::json;

use super::{Datum, GEOJSON, answered, collection, feature, readable, take_sources};
use crate::http::ask::{Answer, Ask};

/// Metres.
const RADIUS: i64 = 200;
const FARTHEST: i64 = 5000;
const MOST: i64 = 50;

/// The nearest addresses to a place, and the divisions it lies in.
pub async fn reverse(mut ask: Ask) -> Answer {
    let datum = Datum::take(&mut ask.parameters)?;
    let (lon, lat) = (ask.parameters.take_degrees("lon", 180.0)?, ask.parameters.take_degrees("lat", 90.0)?);
    let radius = ask.parameters.take_integer("radius", 1..=FARTHEST)?.unwrap_or(RADIUS);
    let limit = ask.parameters.take_integer("limit", 1..=MOST)?.unwrap_or(5) as usize;
    let sources = take_sources(&mut ask.parameters)?;
    std::mem::take(&mut ask.parameters).finish()?;
    let readable = readable(&ask, sources.as_deref()).await?;
    let at = datum.read(lon, lat);
    let addresses = &ask.app.addresses;
    let (found, divisions) = tokio::join!(
        addresses.reverse(&readable, at, radius as f64, limit),
        addresses.divisions(&ask.principal, sources.as_deref(), at)
    );
    let features = found?
        .iter()
        .map(|(candidate, distance)| {
            let mut feature = feature(candidate, &readable, datum);
            feature["properties"]["distance"] = json!((distance * 10.0).round() / 10.0);
            feature
        })
        .collect();
    let members = json!({"query": {"lon": lon, "lat": lat, "radius": radius}, "divisions": divisions?});
    answered(&ask, GEOJSON, &collection(features, &readable, members))
}
