//! What is at a point, over many layers.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use crate::feature::identify::at;
use crate::http::ask::{Answer, Ask};

/// `lon`, `lat` in degrees; `tolerance` in metres (0–10,000); `layers` comma-separated.
pub async fn identify(mut ask: Ask) -> Answer {
    let lon = ask.parameters.take_degrees("lon", 180.0)?;
    let lat = ask.parameters.take_degrees("lat", 90.0)?;
    let tolerance = ask.parameters.take_integer("tolerance", 0..=10_000)?.unwrap_or(10);
    let layers = ask.parameters.take("layers")?.unwrap_or_default();
    ask.parameters.clone().finish()?;
    let drawn = if layers.is_empty() { vec![] } else { ask.read_many(&layers)? };
    let mut out = b"{\"results\":[".to_vec();
    for d in &drawn {
        at(&ask.app.store, &d.layer, &d.grant, ((lon, lat), tolerance as f64), &mut out).await?;
    }
    out.extend_from_slice(b"]}");
    let mut response = Response::new(Body::from(out));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
