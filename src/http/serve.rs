//! The server: the layers around the routes, the listener, the orderly end.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::{authenticate, cache_policy, connection, cors, evidence, negotiation, problem, routes};
use crate::app::App;
use crate::error::{Error, Result};
use crate::feature::output::FileFormat;

/// Seconds that answers under way get at the end.
const GRACE: Duration = Duration::from_secs(8);

/// A body may take its time, but not stand still for longer.
const STANDSTILL: Duration = Duration::from_secs(30);

/// The whole service, ready for a listener or a test.
pub fn service(app: App) -> Router {
    routes::router()
        .layer(middleware::from_fn(authenticate::same_site))
        .layer(middleware::from_fn_with_state(app.clone(), authenticate::authenticate))
        .layer(RequestBodyTimeoutLayer::new(STANDSTILL))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(app.clone(), evidence::middleware))
        .layer(middleware::from_fn(problem::middleware))
        .layer(middleware::from_fn(cache_policy::middleware))
        .layer(
            CompressionLayer::new().compress_when(
                // Events must not wait in a compressor; tiles and archives are compressed already. A GeoPackage's first bytes must not
                // wait either.
                SizeAbove::new(600)
                    .and(NotForContentType::SSE)
                    .and(NotForContentType::IMAGES)
                    .and(NotForContentType::const_new(negotiation::MVT))
                    .and(NotForContentType::const_new(FileFormat::Shapefile.media()[0]))
                    .and(NotForContentType::const_new(FileFormat::Workbook.media()[0]))
                    .and(NotForContentType::const_new(FileFormat::GeoPackage.media()[0]))
                    .and(NotForContentType::const_new(FileFormat::FlatGeobuf.media()[0])),
            ),
        )
        .layer(middleware::from_fn_with_state(app.clone(), cors::middleware))
        .layer(middleware::from_fn(measure))
        .with_state(app)
}

/// Counts and times by route, never by path: a path may name what one may not know of.
async fn measure(request: Request<Body>, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("other".to_owned(), |p| p.as_str().to_owned());
    let method = request.method().as_str().to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("onemap_requests_total", "route" => route.clone(), "method" => method, "status" => status)
        .increment(1);
    metrics::histogram!("onemap_request_seconds", "route" => route).record(begun.elapsed().as_secs_f64());
    response
}

pub async fn bind(app: &App) -> Result<TcpListener> {
    let address = app.config.listen;
    TcpListener::bind(address).await.map_err(|e| {
        Error::conflict(
            format!("无法监听 {address}：端口可能已被占用"),
            format!("cannot listen on {address}: the port may be taken"),
        )
        .hint("用 --listen 或 ONEMAP_LISTEN 换一个地址", "choose another address by --listen or ONEMAP_LISTEN")
        .because(e)
    })
}

/// Serves until told to stop, then lets answers under way finish.
pub async fn serve(app: App, listener: TcpListener, stop: watch::Receiver<bool>) -> Result<()> {
    connection::serve(service(app.clone()), listener, stop, GRACE).await;
    // No request puts a record any more: what waits is written, then the writer ends.
    app.recorder.close();
    Ok(())
}
