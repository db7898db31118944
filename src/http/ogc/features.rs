//! OGC API Features: items and single features.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use onemap_cql2::Filter;
use serde_json::Value;

use super::files;
use super::html::{self, ItemsPage, page_below, word};
use super::paging::{GEOJSON, Pages};
use super::query::{ItemsQuery, Shown, crs};
use super::{Format, format, link};
use crate::access::datastore::RowStream;
use crate::access::rights::Right;
use crate::access::trace;
use crate::error::{Error, Kind, Result, Said};
use crate::feature::cursor;
use crate::feature::geojson::{Page, Writer, begun};
use crate::feature::query::DEFAULT_LIMIT;
use crate::feature::values;
use crate::geo::crs::{CRS84, Crs};
use crate::http::ask::{Answer, Ask, Language};
use crate::http::cache_policy::{Keep, digest, keep, not_modified, weak_etag};
use crate::layer::edit::{self, missing};
use crate::layer::model::Field;
use crate::layer::order::Direction;
use crate::layer::select::{self, Selection};
use crate::tile::render::Drawn;

pub async fn items(mut ask: Ask, Path(id): Path<String>) -> Answer {
    // Permission first: a wrong parameter must not tell that a hidden layer exists.
    let right = if files::are_wanted(&ask) { Right::Export } else { Right::Query };
    let drawn = ask.read_for(&id, right)?;
    drawn.layer.state().need_rows()?;
    let mut query = match ItemsQuery::read(&mut ask, &drawn) {
        Ok(query) => query,
        Err(e) => return mistake(&ask, &drawn, e),
    };
    // Before the rows are read: they may be newer than the validator says, never older.
    let edits = ask.app.edits.of(drawn.layer.state().revision).number;
    let file = query.file.map_or("", |file| file.format.name());
    // A filter that asks for the time finds others when nothing has changed.
    let lasts = !query.selection.filter.as_ref().is_some_and(Filter::depends_on_now);
    let etag = variant(&ask, &drawn, query.format)
        .filter(|_| lasts)
        .map(|v| weak_etag(&[v.as_bytes(), &edits.to_be_bytes(), file.as_bytes()]));
    if let Some(response) = etag.as_deref().and_then(|e| not_modified(&ask.headers, e, Keep::Private)) {
        return Ok(response);
    }
    if let Some(file) = query.file {
        let response = files::deliver(&ask, &drawn, query, file).await?;
        return Ok(keep(response, Keep::Private, etag.as_deref()));
    }
    go_back(&ask, &drawn, &mut query).await?;
    trace::at_most(query.limit);
    let pages = Pages::new(&ask, &id, &query);
    let rows = rows(&ask, &drawn, &query).await?;
    let mut response = match query.format {
        Format::Html => html_items(&ask, &drawn, rows, &query, &pages).await?,
        Format::Json => {
            let writer = Writer { fields: query.fields.into(), crs: query.crs };
            let exact = edits == drawn.layer.state().edits;
            let whole = drawn.grant.scope().is_all() && !query.filtered;
            let known = drawn.layer.state().feature_count.filter(|_| exact && whole);
            let finish = move |page: Page| pages.members(&page, known);
            let keys = query.selection.sort.len();
            let body = Body::from_stream(begun(writer.collection(rows, query.limit as usize, keys, finish)).await?);
            let mut response = Response::new(body);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(GEOJSON));
            response
        }
    };
    content_crs(&mut response, query.crs);
    Ok(keep(response, Keep::Private, etag.as_deref()))
}

/// A cursor that leads backwards says where the page ends: from there its beginning is found, and the page is read forwards.
async fn go_back(ask: &Ask, drawn: &Drawn, query: &mut ItemsQuery) -> Result<()> {
    let Some(place) = query.cursor.as_ref().filter(|c| c.direction == Direction::Backwards).map(|c| &c.place) else {
        return Ok(());
    };
    let sql = select::page_start(&drawn.layer, &drawn.grant, &query.selection, place, query.limit);
    let mut rows = ask.app.store.read(&drawn.grant).await?.rows(&sql).await?;
    while let Some(row) = rows.next().await {
        query.selection.after = Some(cursor::place(&row?, query.selection.sort.len())?);
    }
    Ok(())
}

async fn rows(ask: &Ask, drawn: &Drawn, query: &ItemsQuery) -> Result<RowStream> {
    if let Some(rows) = ask.app.tiles.rows_in_box(drawn, &query.fields, &query.selection).await? {
        return Ok(rows);
    }
    let fields: Vec<&Field> = query.fields.iter().collect();
    let sql = select::features(&drawn.layer, &drawn.grant, &fields, &query.selection);
    Ok(Box::pin(ask.app.store.read(&drawn.grant).await?.rows(&sql).await?))
}

async fn html_items(
    ask: &Ask,
    drawn: &Drawn,
    mut rows: RowStream,
    query: &ItemsQuery,
    pages: &Pages,
) -> Result<Response> {
    let (mut table, mut done) = (vec![], Page::default());
    let keys = query.selection.sort.len();
    let mut last = None;
    while let Some(row) = rows.next().await {
        let row = row?;
        if table.len() as i64 == query.limit {
            done.next = last.take();
            continue;
        }
        let place = cursor::place(&row, keys)?;
        table.push((place.id, cells(&row, &query.fields)?));
        done.first.get_or_insert_with(|| place.clone());
        last = Some(place);
    }
    done.returned = table.len();
    let shown = ItemsPage { layer: &drawn.layer.id, query, rows: &table, pages, done: &done };
    Ok(below(ask, drawn, word(ask, "要素", "Features"), &html::items(ask, &shown)))
}

/// What is wrong with a query: for people on the page where they typed it.
fn mistake(ask: &Ask, drawn: &Drawn, error: Error) -> Answer {
    let said = |s: &Said| if ask.language == Language::Chinese { s.zh.clone() } else { s.en.clone() };
    let from_page = ask.query.split('&').any(|pair| pair == "f=html");
    match &error.kind {
        Kind::Invalid { parameter } if from_page && parameter == "filter" => {
            let hint = error.hint.as_ref().map(said).unwrap_or_default();
            let form = html::form(ask, &drawn.layer.id, DEFAULT_LIMIT, Some((&said(&error.detail), &hint)));
            let mut response = below(ask, drawn, word(ask, "要素", "Features"), &form);
            *response.status_mut() = StatusCode::BAD_REQUEST;
            Ok(response)
        }
        _ => Err(error.into()),
    }
}

/// A page below that of its collection.
pub fn below(ask: &Ask, drawn: &Drawn, title: &str, body: &str) -> Response {
    let name = ask.language.pick(&drawn.layer.title);
    let collection = format!("/ogc/collections/{}", drawn.layer.id);
    let above = [("/ogc/collections", word(ask, "图层", "Collections")), (collection.as_str(), name)];
    page_below(ask, &above, &format!("{name} · {title}"), body)
}

/// A row's fields as a person reads them.
fn cells(row: &tokio_postgres::Row, fields: &[Field]) -> Result<Vec<String>> {
    let cell = |(i, f): (usize, &Field)| values::text(row, i + 2, f.kind).map(Option::unwrap_or_default);
    fields.iter().enumerate().map(cell).collect()
}

pub async fn item(mut ask: Ask, Path((id, feature)): Path<(String, String)>) -> Answer {
    let drawn = ask.read(&id)?;
    let state = drawn.layer.state();
    state.need_rows()?;
    let format = format(&mut ask)?;
    let offered = ask.offered(&drawn.layer, &drawn.grant);
    let crs = crs(&mut ask.parameters, "crs", &offered)?.unwrap_or(CRS84);
    let visible = select::visible_fields(state, drawn.grant.scope());
    let shown = Shown::read(&mut ask.parameters, &visible, crs)?;
    ask.parameters.clone().finish()?;
    let feature_id = feature_id(&feature)?;
    let (row, digest) = one(&ask, &drawn, feature_id, crs).await?;
    let etag = variant(&ask, &drawn, format).map(|variant| format!("\"{digest}-{variant}\""));
    if let Some(response) = etag.as_deref().and_then(|e| not_modified(&ask.headers, e, Keep::Private)) {
        return Ok(response);
    }
    let path = format!("/ogc/collections/{id}/items/{feature_id}");
    let mut response = match format {
        Format::Json => {
            let mut links = super::self_links(&ask, &path, format, GEOJSON);
            let collection = format!("{}/ogc/collections/{id}", ask.base);
            links.push(link(collection, "collection", "application/json", ask.language.pick(&drawn.layer.title)));
            let links = ask.carried.links(Value::Array(links));
            let mut body = Vec::with_capacity(4096);
            let writer = Writer { fields: visible.into_iter().cloned().collect(), crs };
            let shows = |name: &str| shown.fields.iter().any(|f| f.name == name);
            writer.part(&mut body, &row, shown.srid.is_some(), shows, Some(&links))?;
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(GEOJSON));
            response
        }
        Format::Html => {
            let fields: Arc<[Field]> = visible.into_iter().cloned().collect();
            let cells = cells(&row, &fields)?;
            below(&ask, &drawn, &feature_id.to_string(), &html::item(&ask, &id, feature_id, &fields, &cells))
        }
    };
    content_crs(&mut response, crs);
    Ok(keep(response, Keep::Private, etag.as_deref()))
}

/// A feature with all that the grant shows of it, and its state, which a writer may name in If-Match whatever was left out here.
async fn one(ask: &Ask, drawn: &Drawn, id: i64, crs: Crs) -> Result<(tokio_postgres::Row, String)> {
    let fields = select::visible_fields(drawn.layer.state(), drawn.grant.scope());
    let wanted = Selection { id: Some(id), srid: Some(crs.srid), ..Selection::default() };
    let sql = select::features(&drawn.layer, &drawn.grant, &fields, &wanted);
    let mut rows = ask.app.store.read(&drawn.grant).await?.rows(&sql).await?;
    let row = rows.next().await.ok_or_else(missing)??;
    // Read to the end, so that the connection goes back to its pool.
    while rows.next().await.is_some() {}
    let digest = edit::digest(&row)?;
    Ok((row, digest))
}

pub fn content_crs(response: &mut Response, crs: Crs) {
    if let Ok(value) = HeaderValue::from_str(&format!("<{}>", crs.uri())) {
        response.headers_mut().insert("content-crs", value);
    }
}

/// A feature's id as it stands in its address.
pub fn feature_id(text: &str) -> Result<i64> {
    // One address per feature: `+1` and `01` are none.
    text.parse().ok().filter(|id: &i64| id.to_string() == text).ok_or_else(missing)
}

/// What an answer depends on beside the rows: revision, scope, address, language. None for tables that change without telling.
fn variant(ask: &Ask, drawn: &Drawn, format: Format) -> Option<String> {
    let state = drawn.layer.state();
    if state.source.registered {
        return None;
    }
    let numbers = [state.revision as u64, drawn.grant.scope().fingerprint(), format as u64, ask.language as u64];
    let numbers: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
    let address = [&ask.base, &ask.path, &ask.query].map(|part| part.as_bytes());
    Some(digest(&[&numbers, address[0], address[1], address[2], ask.carried.pair().as_bytes()]))
}
