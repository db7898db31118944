//! Evidence of requests: what the gate opened in a request, put together with where it came from and how it ended.
//!
//! It stands around all routes. No handler takes part in it, and a route that is new is recorded like the others.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use onemap_evidence::Record;

use super::ask::RequestId;
use super::peer::{self, Peer};
use super::problem::Problem;
use crate::access::recorder::{GivenTile, Recorder, TileGroup, now};
use crate::access::trace::{self, Opened, Trace};
use crate::app::App;
use crate::error::Result;

/// What is known of a request before it is answered.
struct Asked {
    at: i64,
    operation: &'static str,
    address: Option<Arc<str>>,
    origin: Option<Arc<str>>,
    request: Option<Arc<str>>,
}

pub async fn around(app: &App, request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let asked = Asked::of(app, &request);
    let trace = Arc::new(Trace::default());
    let response = trace::within(trace.clone(), next(request)).await;
    let recorder = &app.recorder;
    let status = response.status();
    let gives = status.is_success() || status == StatusCode::NOT_MODIFIED;
    if gives
        && trace.with(|seen| !seen.opened.is_empty())
        && let Err(e) = recorder.check()
    {
        return Problem(e).into_response();
    }
    let is_file = status.is_success() && response.headers().contains_key(header::CONTENT_DISPOSITION);
    let noted = Noted { recorder: recorder.clone(), trace, asked, status, is_file };
    match response.body().size_hint().exact() {
        Some(bytes) if !is_file => {
            noted.record(bytes, true);
            response
        }
        _ => begun(noted, response).await,
    }
}

/// An answer whose end is not there yet. Of a file a first record is written before anything of it is given: a process may be killed
/// in the middle of it.
async fn begun(noted: Noted, response: Response) -> Response {
    if noted.is_file
        && noted.begin()
        && let Err(e) = noted.recorder.durable().await
    {
        return Problem(e).into_response();
    }
    response
        .map(|body| Body::new(Recorded { inner: body, bytes: 0, held: None, state: Under::Way, noted: Some(noted) }))
}

impl Asked {
    fn of(app: &App, request: &Request) -> Asked {
        let (headers, extensions) = (request.headers(), request.extensions());
        let route = extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let peer = extensions.get::<Peer>();
        Asked {
            at: now(),
            operation: operation(request.method(), route),
            address: peer.map(|peer| peer::address(peer.0, headers, &app.proxies).to_string().into()),
            origin: peer::origin(headers).map(Into::into),
            request: extensions.get::<RequestId>().map(|id| id.0.clone()),
        }
    }
}

/// What a route does, in the words that records are searched by. One that is not named here is `data`: recorded all the same.
fn operation(method: &Method, route: &str) -> &'static str {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let parts: Vec<&str> = route.split('/').skip(1).collect();
    match parts[..] {
        ["tiles", _, _, _, _] | ["tiles", _, _, _, _, _] => "tile",
        ["ogc", "collections", _, "tiles", _, _, _, _] | ["ogc", "tiles", _, _, _, _] => "tile",
        ["ogc", "wmts", ..] | ["wmts"] | [_, "wmts"] | ["DataServer"] => "tile",
        ["ogc", "wms"] | ["wms"] => "map",
        ["ogc", "wfs"] | ["wfs"] => "features",
        ["ogc", "collections", _, "items"] if reads => "features",
        ["ogc", "collections", _, "items", _] if reads => "feature",
        ["ogc", "collections", _, "items", ..] => "edit",
        ["api", "v1", "identify"] => "identify",
        ["api", "v1", "print"] => "print",
        ["api", "v1", "layers", _, "legend"] => "legend",
        ["api", "v1", "layers", _, "export"] => "export",
        ["api", "v1", "layers", _, "revisions", _, "preview"] => "preview",
        ["api", "v1", "jobs", _, "tiles.pmtiles"] => "download",
        ["api", "v1", "annotations", _, "marks", _, "photos", ..] if reads => "photo",
        ["api", "v1", "annotations", _, "marks", ..] => "edit",
        ["api", "v1", "themes", _, "table"] | ["api", "v1", "classify" | "summary"] => "statistics",
        ["api", "v1", "themes", ..] if reads => "metadata",
        ["api", "v1", "themes", ..] => "manage",
        ["address", ..] => "address",
        ["ogc", "processes", ..] | ["ogc", "jobs", ..] => "process",
        ["ogc", "collections", ..] | ["ogc", "styles", ..] | ["styles", ..] | ["tiles", ..] if reads => "metadata",
        ["ogc", "tiles", ..] | ["ogc"] | ["ogc", ""] | ["ogc", "api"] => "metadata",
        ["api", "v1", "layers", ..] | ["api", "v1", "address-sources"] if reads => "metadata",
        ["api", "v1", "layers", ..] => "manage",
        _ => "data",
    }
}

/// A request on its way to its record.
struct Noted {
    recorder: Recorder,
    trace: Arc<Trace>,
    asked: Asked,
    status: StatusCode,
    is_file: bool,
}

impl Noted {
    /// The operation: a file is one whatever it was asked by.
    fn operation(&self) -> &'static str {
        match (self.is_file, self.asked.operation) {
            (true, "features" | "data") => "file",
            (_, operation) => operation,
        }
    }

    /// The record before a file's first bytes. False when it is nobody's data.
    fn begin(&self) -> bool {
        let mut any = false;
        self.each(|mut record| {
            any = true;
            (record.complete, record.requests, record.rows, record.bytes) = (false, 0, 0, 0);
            record.features = None;
            self.recorder.put(record);
        });
        any
    }

    /// The record of an answer that has ended, or was left.
    fn record(&self, bytes: u64, complete: bool) {
        let tile = self.trace.with(|seen| seen.tile).filter(|_| self.asked.operation == "tile" && complete);
        match tile {
            Some(tile) => self.tile(tile, bytes),
            None => self.each(|mut record| {
                (record.complete, record.bytes) = (complete, bytes as i64);
                self.recorder.put(record);
            }),
        }
    }

    fn tile(&self, (set, zoom, column, row): (&'static str, u8, u32, u32), bytes: u64) {
        let (who, department, opened) = self.seen();
        for opened in opened {
            let group = TileGroup {
                who: who.clone(),
                department: department.clone(),
                address: self.asked.address.clone(),
                origin: self.asked.origin.clone(),
                layer: opened.layer,
                owner: opened.owner,
                revision: opened.revision,
                grant: opened.grant,
                purpose: opened.purpose,
                set,
                status: self.status.as_u16() as i16,
                filter: opened.filter.map(Into::into),
                fields: opened.fields,
            };
            let (at, request) = (self.asked.at, self.asked.request.clone());
            self.recorder.put_tile(group, GivenTile { at, request, zoom, column, row, bytes });
        }
    }

    /// Who asked, and what was opened. A layer that was not opened counts when the answer is that refusal: otherwise it was one of many
    /// that were tried for the caller.
    fn seen(&self) -> (Arc<str>, Option<Arc<str>>, Vec<Opened>) {
        let refused = matches!(self.status.as_u16(), 401 | 403 | 404);
        self.trace.with(|seen| {
            let mut opened = seen.opened.clone();
            opened.retain(|opened| !opened.refused || refused);
            // Of many sources that were searched those count that had an answer, or the first.
            if matches!(self.asked.operation, "address" | "process") && opened.len() > 1 {
                let first = opened[0].clone();
                opened.retain(|opened| opened.rows > 0);
                if opened.is_empty() {
                    opened.push(first);
                }
            }
            (seen.who.clone().unwrap_or_else(|| "anonymous".into()), seen.department.clone(), opened)
        })
    }

    fn each(&self, mut put: impl FnMut(Record)) {
        let (who, department, opened) = self.seen();
        for opened in opened {
            let asked = &self.asked;
            put(Record {
                at: asked.at,
                department: department.clone(),
                who: who.clone(),
                address: asked.address.clone(),
                origin: asked.origin.clone(),
                operation: opened.operation.unwrap_or(self.operation()).into(),
                request: asked.request.clone(),
                status: self.status.as_u16() as i16,
                ..Record::from(opened)
            });
        }
    }
}

/// A body on its way. What it reads late is noted too; a file's last bytes wait for its record.
struct Recorded {
    inner: Body,
    bytes: u64,
    held: Option<Bytes>,
    state: Under,
    /// None when it is recorded.
    noted: Option<Noted>,
}

enum Under {
    Way,
    /// The record is being written.
    Writing(Pin<Box<dyn Future<Output = Result<()>> + Send>>),
    Done,
}

impl HttpBody for Recorded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            match &mut self.state {
                Under::Done => return Poll::Ready(self.held.take().map(|bytes| Ok(Frame::data(bytes)))),
                Under::Writing(written) => {
                    let written = ready!(written.as_mut().poll(cx));
                    self.state = Under::Done;
                    if let Err(e) = written {
                        self.held = None;
                        return Poll::Ready(Some(Err(axum::Error::new(e))));
                    }
                }
                Under::Way => {
                    let Some(noted) = &self.noted else { return Poll::Ready(None) };
                    let (trace, is_file) = (noted.trace.clone(), noted.is_file);
                    let inner = &mut self.inner;
                    let polled = trace::within_sync(trace, || Pin::new(inner).poll_frame(cx));
                    match ready!(polled) {
                        Some(Ok(frame)) => match frame.into_data() {
                            Ok(bytes) if is_file => {
                                self.bytes += bytes.len() as u64;
                                if let Some(ready) = self.hold(bytes) {
                                    return Poll::Ready(Some(Ok(Frame::data(ready))));
                                }
                            }
                            Ok(bytes) => {
                                self.bytes += bytes.len() as u64;
                                return Poll::Ready(Some(Ok(Frame::data(bytes))));
                            }
                            Err(other) => return Poll::Ready(Some(Ok(other))),
                        },
                        Some(Err(e)) => return Poll::Ready(Some(Err(e))),
                        None => self.end(),
                    }
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Recorded {
    /// Keeps the last byte back: it may be the file's. The rest goes on at once.
    fn hold(&mut self, mut bytes: Bytes) -> Option<Bytes> {
        let last = bytes.len().checked_sub(1)?;
        let held = self.held.replace(bytes.split_off(last));
        match held {
            None => Some(bytes),
            Some(before) if bytes.is_empty() => Some(before),
            Some(before) => Some([&before[..], &bytes[..]].concat().into()),
        }
        .filter(|ready| !ready.is_empty())
    }

    /// The inner body has no more.
    fn end(&mut self) {
        self.state = Under::Done;
        let Some(noted) = self.noted.take() else { return };
        noted.record(self.bytes, true);
        if noted.is_file {
            self.state = Under::Writing(Box::pin(async move { noted.recorder.durable().await }));
        }
    }
}

impl Drop for Recorded {
    /// Whoever asked has left, or the answer was broken off: what was given until then was given.
    fn drop(&mut self) {
        if let Some(noted) = self.noted.take() {
            // What it has read tells of its rows when it goes.
            self.inner = Body::empty();
            noted.record(self.bytes, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_have_the_words_that_records_are_searched_by() {
        for (method, route, expected) in [
            (Method::GET, "/tiles/{layer}/{z}/{x}/{y}", "tile"),
            (Method::GET, "/tiles/{layer}", "metadata"),
            (Method::GET, "/ogc/collections/{layer}/items", "features"),
            (Method::POST, "/ogc/collections/{layer}/items", "edit"),
            (Method::GET, "/ogc/collections/{layer}/items/{feature}", "feature"),
            (Method::GET, "/ogc/collections/{layer}/tiles/{set}/{z}/{row}/{column}", "tile"),
            (Method::GET, "/{grid}/wmts", "tile"),
            (Method::POST, "/address/search/csv", "address"),
            (Method::GET, "/api/v1/something/new", "data"),
        ] {
            assert_eq!(operation(&method, route), expected, "{method} {route}");
        }
    }
}
