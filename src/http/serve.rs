//! The server: the routes and what is around them, the listener, the orderly end.

use std::time::Duration;

use axum::Router;
use axum::middleware;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{around, connection, routes};
use crate::app::App;
use crate::error::{Error, Result};

/// Seconds that answers under way get at the end.
const GRACE: Duration = Duration::from_secs(8);

/// The whole service, ready for a listener or a test.
pub fn service(app: App) -> Router {
    routes::router().layer(middleware::from_fn_with_state(app.clone(), around::middleware)).with_state(app)
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
