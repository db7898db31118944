//! Evidence of accesses: searched, counted, exported. Looking at it is recorded like every other access.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{body, exports, ok, uuid};
use crate::access::gate::sign_in;
use crate::access::principal::Principal;
use crate::access::recorder::now;
use crate::access::trace;
use crate::error::{Error, Result};
use crate::evidence::search::{self, Cursor, Prepared, Search, View};
use crate::evidence::summary::{self, By, Wanted};
use crate::evidence::view_of;
use crate::evidence::{chains, export};
use crate::geo::bbox::Bbox;
use crate::http::ask::{Answer, Ask};
use crate::http::attachment;
use crate::layer::select;

/// Records of a page.
const LIMIT: i64 = 50;
const MOST: i64 = 1000;

/// `department`, `who`, `layer`, `operation`, `feature`, `from`, `to`, `bbox`, `status`, `request` narrow; `limit` and `after` page.
pub async fn records(mut ask: Ask) -> Answer {
    let view = view(&ask)?;
    let search = read_search(&mut ask)?;
    let limit = ask.parameters.take_integer("limit", 1..=MOST)?.unwrap_or(LIMIT);
    let after = ask.parameters.take("after")?;
    ask.parameters.clone().finish()?;
    let after = match after {
        None => None,
        Some(text) => Some(Cursor::parse(&text).ok_or_else(|| {
            Error::invalid("after", "after 应取自上一页的 next", "after is what the page before calls next")
        })?),
    };
    trace::other(&ask.principal, "audit.search", &search::told(&search, &view));
    let mut prepared = Prepared::new(view, search.clone(), now())?;
    // Not the auditor looks at the layer: what is read here is not shown.
    prepared.feature_box = trace::within(Arc::default(), feature_box(&ask, &search)).await?;
    let (page, next) = prepared.page(&ask.app.database, after, limit as usize).await?;
    let records: Vec<Value> = page.iter().map(|found| search::shown(found, &search)).collect();
    Ok(ok(&json!({"records": records, "next": next.map(|next| next.to_string())})))
}

/// `by` (day, layer, department, operation), `from`, `to` (days), `layer`, `department`, `operation`.
pub async fn totals(mut ask: Ask) -> Answer {
    let view = view(&ask)?;
    let p = &mut ask.parameters;
    let by = By::parse(p.take("by")?.as_deref().unwrap_or("day,layer,department"))?;
    let wanted = Wanted {
        by,
        from: p.take("from")?,
        to: p.take("to")?,
        layer: p.take("layer")?,
        department: p.take("department")?,
        operation: p.take("operation")?,
    };
    ask.parameters.clone().finish()?;
    trace::other(&ask.principal, "audit.summary", &ask.query);
    let figures = summary::read(&ask.app.database, &view, &wanted).await?;
    Ok(ok(&json!({ "figures": figures })))
}

/// How the chains of records stand.
pub async fn chains(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    trace::other(&ask.principal, "audit.chains", "");
    Ok(ok(&chains::read(&ask.app.database).await?))
}

/// Begins an export of what a search finds.
pub async fn begin_export(ask: Ask, bytes: Bytes) -> Answer {
    let view = view(&ask)?;
    ask.parameters.clone().finish()?;
    let search: Search = if bytes.is_empty() { Search::default() } else { body(&bytes)? };
    // What cannot be searched for is told now, not by the job.
    Prepared::new(view.clone(), search.clone(), now())?;
    trace::other(&ask.principal, "audit.export", &search::told(&search, &view));
    let job = export::request(&ask.app.queue, &ask.principal, &view, &search).await?;
    Ok((StatusCode::ACCEPTED, ok(&json!({ "job": job }))).into_response())
}

/// The archive of a finished export.
pub async fn fetch_export(ask: Ask, Path(id): Path<String>) -> Answer {
    let view = view(&ask)?;
    ask.parameters.clone().finish()?;
    let job = uuid(&id)?;
    let path = export::fetch(&ask.app.evidence, &ask.app.queue, ask.department()?, job, &view).await?;
    trace::other(&ask.principal, "audit.download", &format!("job = {job}"));
    let mut response: Response = exports::file(&ask.headers, &path, "application/zip", None).await?;
    attachment::name(&mut response, ("evidence", "访问存证"), "zip");
    Ok(response)
}

fn view(ask: &Ask) -> Result<View> {
    view_of(&ask.principal).ok_or_else(sign_in)
}

fn read_search(ask: &mut Ask) -> Result<Search> {
    let p = &mut ask.parameters;
    let mut text = |name: &str| p.take(name).map(search::given);
    let mut search = Search {
        department: text("department")?,
        who: text("who")?,
        layer: text("layer")?,
        operation: text("operation")?,
        from: text("from")?,
        to: text("to")?,
        request: text("request")?,
        ..Search::default()
    };
    search.feature = ask.parameters.take_parsed("feature", "要素编号", "a feature's id")?;
    search.status = ask.parameters.take_integer("status", 100..=599)?.map(|status| status as i16);
    if let Some(text) = ask.parameters.take("bbox")? {
        search.bbox = Some(Bbox::parse(&text, false, true)?.to_array());
    }
    Ok(search)
}

/// Where a feature lies now, read by the rights of its layer's owner: it decides which records are meant and is not shown itself.
async fn feature_box(ask: &Ask, search: &Search) -> Result<Option<[f64; 4]>> {
    let (Some(feature), Some(layer)) = (search.feature, &search.layer) else { return Ok(None) };
    let owner = ask.app.catalog.snapshot().layers.get(layer.as_str()).map(|layer| layer.department.clone());
    let Some(owner) = owner else { return Ok(None) };
    let Ok(grant) = ask.app.gate.open(&Principal::operator(&owner), layer) else { return Ok(None) };
    let Ok(published) = ask.app.catalog.published(&grant) else { return Ok(None) };
    if published.state().archive.is_some() {
        return Ok(None);
    }
    let Some(sql) = select::box_of(&published, &grant, feature) else { return Ok(None) };
    let corners: Vec<f64> = match ask.app.store.read(&grant).await?.one(&sql).await {
        Ok(corners) => corners,
        // It is gone, or has no place: whatever is not surely another may be it.
        Err(_) => return Ok(None),
    };
    Ok(corners.try_into().ok())
}
