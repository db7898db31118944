//! Class breaks of values or of a layer's field; codes of divisions of earlier years, for whoever joins a table without sending it.

use std::collections::BTreeMap;

use axum::extract::Request;
use onemap_statistics::join;
use serde_json::json;

use super::{large_body, ok};
use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{self, Keep};
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

/// `{"former": {"370205": ["370203"], …}}`. The list is public and comes with the program.
pub async fn former_codes(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let etag = cache_policy::weak_etag(&[env!("CARGO_PKG_VERSION").as_bytes(), b"division-codes"]);
    if let Some(same) = cache_policy::not_modified(&ask.headers, &etag, Keep::Public) {
        return Ok(same);
    }
    let former: BTreeMap<&str, &[&str]> = join::former().collect();
    Ok(cache_policy::keep(ok(&json!({ "former": former })), Keep::Public, Some(&etag)))
}
