//! Counts, sums and the like of a layer's features by zone and category.

use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;

use super::{body, ok};
use crate::error::Error;
use crate::http::ask::{Answer, Ask};
use crate::http::attachment;
use crate::http::ogc::json_response;
use crate::spatial::summary::Wanted;

/// `{layer, filter, zones, statistics, by, assign}`; `f` is `json`, `geojson` or `csv`.
pub async fn summary(mut ask: Ask, bytes: Bytes) -> Answer {
    let format = ask.parameters.take("f")?.unwrap_or_else(|| "json".into());
    ask.parameters.clone().finish()?;
    if !["json", "geojson", "csv"].contains(&format.as_str()) {
        let (zh, en) = ("应为 json、geojson 或 csv", "it must be json, geojson or csv");
        return Err(Error::invalid("f", zh, en).into());
    }
    let wanted: Wanted = body(&bytes)?;
    let summary = ask.app.spatial.summary(&ask.principal, wanted, &|_, _| ()).await?;
    Ok(match format.as_str() {
        "geojson" => json_response("application/geo+json", &summary.geojson()),
        "csv" => {
            let csv = HeaderValue::from_static("text/csv; charset=utf-8");
            let mut response = ([(header::CONTENT_TYPE, csv)], summary.csv()?).into_response();
            let name = format!("{}-summary", summary.opened.id());
            attachment::name(&mut response, (&name, &name), "csv");
            response
        }
        _ => ok(&summary.document()),
    })
}
