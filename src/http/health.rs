//! What those who run the server ask: is it alive, is it ready, how is it doing.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::PrometheusHandle;

use super::ask::{Answer, Ask};
use crate::app::App;

static METRICS: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();

/// Starts the recorder. Once per process.
pub fn install_metrics() {
    METRICS.get_or_init(|| {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new()
            .set_buckets(&[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0])
            .map(|b| b.build_recorder());
        match recorder {
            Ok(recorder) => {
                let handle = recorder.handle();
                let _ = metrics::set_global_recorder(recorder);
                handle
            }
            Err(_) => metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle(),
        }
    });
}

/// The process runs.
pub async fn alive(ask: Ask) -> Answer {
    ask.parameters.finish()?;
    Ok("ok\n".into_response())
}

/// The process can answer: the database is there.
pub async fn ready(ask: Ask) -> Answer {
    ask.parameters.finish()?;
    let client = ask.app.database.app().await?;
    client.query_one("select 1", &[]).await?;
    Ok("ready\n".into_response())
}

/// Prometheus' text format. No names of layers or people are in it.
pub async fn metrics(State(app): State<App>) -> Response {
    let Some(handle) = METRICS.get() else { return StatusCode::NOT_FOUND.into_response() };
    let status = app.database.status();
    metrics::gauge!("onemap_database_connections").set(status.size as f64);
    metrics::gauge!("onemap_database_connections_free").set(status.available as f64);
    metrics::gauge!("onemap_database_waiting").set(status.waiting as f64);
    let indexes = app.tiles.indexes().totals();
    for (state, count) in [("ready", indexes.ready), ("building", indexes.building), ("missing", indexes.missing)] {
        metrics::gauge!("onemap_tile_indexes", "state" => state).set(count as f64);
    }
    metrics::gauge!("onemap_tile_index_bytes").set(indexes.bytes as f64);
    let progress = indexes.progress.as_ref();
    metrics::gauge!("onemap_tile_index_rows_per_second").set(progress.map_or(0.0, |p| p.rows_per_second as f64));
    metrics::gauge!("onemap_tile_index_rows_left").set(progress.map_or(0.0, |p| p.total.saturating_sub(p.done) as f64));
    let addresses = app.addresses.indexes().totals();
    for (state, count) in [("ready", addresses.ready), ("building", addresses.building), ("missing", addresses.missing)]
    {
        metrics::gauge!("onemap_address_indexes", "state" => state).set(count as f64);
    }
    metrics::gauge!("onemap_address_index_bytes").set(addresses.bytes as f64);
    metrics::gauge!("onemap_address_index_rows").set(addresses.rows as f64);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response()
}
