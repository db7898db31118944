//! What every request passes on its way to its route and back, in one middleware: each of axum's own would copy all that is inside of
//! it, for every request and once more at every step.

use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::problem::Problem;
use super::{authenticate, body, cache_policy, compress, cors, evidence, measure, problem};
use crate::app::App;
use crate::error::Error;

/// From the route outwards, as an answer passes it. Each step is boxed, because a future that holds another moves it when it begins,
/// and one of nine that hold each other would be moved nine times.
pub async fn middleware(State(app): State<App>, request: Request, next: Next) -> Response {
    let app = &app;
    let step = move |request| next.run(request);
    let step = move |request| Box::pin(authenticate::around(app, request, step));
    let step = move |request| Box::pin(body::around(request, step));
    let step = move |request| Box::pin(unharmed(request, step));
    let step = move |request| Box::pin(evidence::around(app, request, step));
    let step = move |request| Box::pin(problem::around(request, step));
    let step = move |request| Box::pin(cache_policy::around(request, step));
    let step = move |request| Box::pin(compress::around(request, step));
    let step = move |request| Box::pin(cors::around(app, request, step));
    measure::around(request, step).await
}

/// A panic in a handler is that request's error, and nobody else's.
async fn unharmed(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    match AssertUnwindSafe(next(request)).catch_unwind().await {
        Ok(response) => response,
        // What was said has been printed by the panic's hook.
        Err(_) => Problem(Error::internal("a handler panicked")).into_response(),
    }
}
