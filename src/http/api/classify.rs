//! Class breaks of values or of a layer's field.

use axum::extract::Request;

use super::{large_body, ok};
use crate::http::ask::{Answer, Ask};
use crate::theme::classify::{self, Request as Wanted};

/// Bytes of a body: two hundred thousand numbers.
const MOST_BYTES: usize = 6 << 20;

pub async fn classify(ask: Ask, request: Request) -> Answer {
    ask.parameters.clone().finish()?;
    let wanted: Wanted = large_body(request, MOST_BYTES).await?;
    wanted.check()?;
    let source = match &wanted.layer {
        Some(id) => {
            let drawn = ask.read(id)?;
            Some((drawn.layer, drawn.grant))
        }
        None => None,
    };
    Ok(ok(&classify::classify(&ask.app.store, wanted, source.as_ref(), &ask.base).await?))
}
