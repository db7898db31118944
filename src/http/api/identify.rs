//! What is at a point, over many layers.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::StreamExt;

use crate::feature::geojson::Writer;
use crate::feature::values::write_string;
use crate::geo::crs::CRS84;
use crate::http::ask::{Answer, Ask};
use crate::layer::model::Field;
use crate::layer::select::{near, visible_fields};

/// Features per layer at most.
const MOST: i64 = 20;

/// `lon`, `lat` in degrees; `tolerance` in metres (0–10,000); `layers` comma-separated.
pub async fn identify(mut ask: Ask) -> Answer {
    let lon = ask.parameters.take_degrees("lon", 180.0)?;
    let lat = ask.parameters.take_degrees("lat", 90.0)?;
    let tolerance = ask.parameters.take_integer("tolerance", 0..=10_000)?.unwrap_or(10);
    let layers = ask.parameters.take("layers")?.unwrap_or_default();
    ask.parameters.clone().finish()?;
    let drawn = if layers.is_empty() { vec![] } else { ask.read_many(&layers)? };
    let mut out = b"{\"results\":[".to_vec();
    let mut first = true;
    for d in &drawn {
        let fields: Vec<Field> = visible_fields(d.layer.state(), d.grant.scope()).into_iter().cloned().collect();
        let references: Vec<&Field> = fields.iter().collect();
        let metres = tolerance as f64 + 0.01;
        let Some(sql) = near(&d.layer, &d.grant, &references, (lon, lat), metres, MOST) else { continue };
        let mut rows = ask.app.store.read(&d.grant).await?.rows(&sql).await?;
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"layer\":");
        write_string(&mut out, &d.layer.id);
        out.extend_from_slice(b",\"title\":");
        out.extend_from_slice(&serde_json::to_vec(&d.layer.title)?);
        out.extend_from_slice(b",\"features\":[");
        let writer = Writer { fields: fields.clone().into(), crs: CRS84 };
        let mut comma = false;
        while let Some(row) = rows.next().await {
            if std::mem::replace(&mut comma, true) {
                out.push(b',');
            }
            writer.feature(&mut out, &row?, None)?;
        }
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b"]}");
    let mut response = Response::new(Body::from(out));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
