//! Bodies of requests: they may not stand still, and what a handler leaves of one is read to its end.
//!
//! A server that answers and closes while its caller is still sending has the answer thrown away by the caller's own system, which
//! tells it of a broken connection instead (RFC 9112, 9.6). So whoever announces too much gets the refusal at once, and what comes
//! meanwhile is read and dropped, within bounds.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Version, header};
use axum::response::Response;
use futures_util::StreamExt;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::oneshot;
use tower_http::timeout::TimeoutBody;

/// A body may take its time, but not stand still for longer.
const STANDSTILL: Duration = Duration::from_secs(30);
/// Bytes of a body that was left which are read for the sake of the answer. A caller who announces more is cut off.
const MOST_LEFT: u64 = 256 << 20;
/// How long that may take, and how long nothing may come.
const LONGEST: Duration = Duration::from_secs(60);
const SILENCE: Duration = Duration::from_secs(3);

pub async fn around(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    if request.body().is_end_stream() {
        return next(request).await;
    }
    let lingers = request.version() <= Version::HTTP_11 && is_on_its_way(request.headers());
    let (told, left) = oneshot::channel();
    let response = next(request.map(|body| {
        let body = Body::new(TimeoutBody::new(STANDSTILL, body));
        Body::new(Lent { inner: Some(body), left: lingers.then_some(told) })
    }))
    .await;
    // Of an answer that goes on reading its request nothing is left yet, nor will it be.
    if let Some(body) = lingers.then_some(left).and_then(|mut left| left.try_recv().ok()) {
        tokio::spawn(tokio::time::timeout(LONGEST, drain(body)));
    }
    response
}

/// Whether the caller sends its body without being asked to, and not beyond measure.
fn is_on_its_way(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    !headers.contains_key(header::EXPECT) && length.is_none_or(|length: u64| length <= MOST_LEFT)
}

async fn drain(body: Body) {
    let (mut pieces, mut read) = (body.into_data_stream(), 0);
    while let Ok(Some(Ok(piece))) = tokio::time::timeout(SILENCE, pieces.next()).await {
        read += piece.len() as u64;
        if read > MOST_LEFT {
            return;
        }
    }
}

/// A body that comes back when it is dropped before its end.
struct Lent {
    /// None when it has ended or failed.
    inner: Option<Body>,
    left: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let polled = Pin::new(inner).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.inner = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(left)) = (self.inner.take().filter(|body| !body.is_end_stream()), self.left.take()) {
            // Nobody waits for it any more when the answer is under way.
            let _ = left.send(body);
        }
    }
}
