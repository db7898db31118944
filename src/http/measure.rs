//! Requests counted and timed by route, never by path: a path may name what one may not know of.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use metrics::{Counter, Histogram};

thread_local! {
    /// To find a metric by its labels takes longer than to count.
    static ROUTES: RefCell<HashMap<Box<str>, Route>> = RefCell::default();
}

/// The metrics of one route.
struct Route {
    seconds: Histogram,
    requests: Vec<((&'static str, StatusCode), Counter)>,
}

pub async fn around(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = name(request.method());
    let response = next(request).await;
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    count(route, method, response.status(), begun.elapsed().as_secs_f64());
    response
}

/// A method's name as a label. Others that callers think of are one: there is no end of them.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn count(route: &str, method: &'static str, status: StatusCode, seconds: f64) {
    ROUTES.with_borrow_mut(|routes| {
        if !routes.contains_key(route) {
            let seconds = metrics::histogram!("onemap_request_seconds", "route" => route.to_owned());
            routes.insert(route.into(), Route { seconds, requests: vec![] });
        }
        let Some(known) = routes.get_mut(route) else { return };
        known.seconds.record(seconds);
        let at = known.requests.iter().position(|(labels, _)| *labels == (method, status)).unwrap_or_else(|| {
            let status_name = status.as_str().to_owned();
            let labels = [("route", route.to_owned()), ("method", method.to_owned()), ("status", status_name)];
            known.requests.push(((method, status), metrics::counter!("onemap_requests_total", &labels)));
            known.requests.len() - 1
        });
        known.requests[at].1.increment(1);
    });
}
