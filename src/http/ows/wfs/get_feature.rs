//! GetFeature.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::capabilities::XSI;
use super::output::{DECLARATION, Frame, Numbers, Output, Pages};
use super::page::{self, DEFAULT_COUNT, Links, Page, Window};
use super::query::{Resolved, no_feature, resolve_all};
use super::request::{Filter, Get, Query, Result, Version};
use super::schema::{Gml, address, distinct};
use super::{files, links, srs};
use crate::error::Error;
use crate::http::ask::Ask;
use crate::http::cache_policy::{Keep, keep, not_modified, weak_etag};
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::names::NAMESPACE;

/// What an answer that is gathered, as its numbers stand before its members, may have at most, bytes.
pub const MOST_BYTES: usize = 32 * 1024 * 1024;

pub async fn get_feature(ask: &Ask, version: Version, get: &Get) -> Result<Response> {
    let output = Output::parse(get.format.as_deref(), version)?;
    let mut queries = resolve_all(ask, &get.queries, output)?;
    if let Output::File(format) = output {
        return files::deliver(ask, queries, format, get).await;
    }
    let etag = etag(ask, &queries);
    if let Some(response) = etag.as_deref().and_then(|etag| not_modified(&ask.headers, etag, Keep::Private)) {
        return Ok(response);
    }
    let window = Window::of(version, get);
    let links = Links { base: links::base(ask, version, "GetFeature", get, None), count: window.count };
    let frame = frame(ask, version, output, &queries);
    let body = match (&get.queries[..], queries.len()) {
        ([Query { by_id: true, filter: Some(Filter::Ids(ids)), .. }], 1) if output == Output::Gml => {
            Body::from(by_id(ask, version, &queries.remove(0), &ids[0]).await?)
        }
        _ if get.hits => Body::from(hits(ask, &queries, &frame).await?),
        (_, 1) => {
            let query = queries.remove(0);
            let writer = query.writer(output, version);
            Body::from_stream(page::single(ask.app.clone(), query, writer, frame, window, links).await?)
        }
        _ => Body::from(several(ask, &queries, &frame, window, &links).await?),
    };
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(output.media(version)));
    Ok(keep(response, Keep::Private, etag.as_deref()))
}

/// What the answer to a GET depends on; none when it may change without telling.
fn etag(ask: &Ask, queries: &[Resolved]) -> Option<String> {
    let rows: Vec<u8> =
        queries.iter().map(|query| query.rows().map(u128::to_be_bytes)).collect::<Option<Vec<_>>>()?.concat();
    let address = [&ask.base, &ask.path, &ask.query].map(|part| part.as_bytes());
    // A request that came as a body has an address that says nothing of it.
    let whole = !ask.query.is_empty();
    whole.then(|| weak_etag(&[&rows, address[0], address[1], address[2], ask.carried.pair().as_bytes()]))
}

fn frame(ask: &Ask, version: Version, output: Output, queries: &[Resolved]) -> Frame {
    let types = distinct(queries.iter().map(|query| &query.described));
    let schema = match types.is_empty() {
        true => String::new(),
        false => address(ask, version, &types),
    };
    let srs = queries.first().map_or_else(srs::Srs::default_of, |query| query.srs.clone());
    Frame { version, output, schema, srs }
}

/// `resultType=hits`: how many there are, without them.
async fn hits(ask: &Ask, queries: &[Resolved], frame: &Frame) -> Result<Vec<u8>> {
    let mut matched = Some(0);
    for query in queries {
        let found = page::matched(&ask.app, query).await?;
        matched = matched.and_then(|sum: i64| Some(sum + found?));
    }
    // Version 1.1.0 has one number for both.
    let returned = if frame.version.is_two() { 0 } else { matched.unwrap_or(0) };
    let numbers = Numbers { matched, returned };
    let mut out = frame.head(numbers, &Pages::default());
    out.extend(frame.tail(numbers, &Pages::default()));
    Ok(out)
}

/// The feature itself, as GetFeatureById wants it.
async fn by_id(ask: &Ask, version: Version, query: &Resolved, id: &str) -> Result<Vec<u8>> {
    use futures_util::StreamExt;
    let drawn = &query.described.drawn;
    let fields: Vec<_> = query.fields.iter().collect();
    let sql = crate::layer::select::features(&drawn.layer, &drawn.grant, &fields, &query.selection);
    let mut rows = ask.app.store.read(&drawn.grant).await?.rows(&sql).await?;
    let row = rows.next().await.ok_or_else(|| no_feature(id))??;
    // Read to the end, so that the connection goes back to its pool.
    while rows.next().await.is_some() {}
    let gml = Gml::of(version).namespace;
    let mut schema = String::new();
    crate::http::ows::xml::escape(&address(ask, version, &[&query.described]), &mut schema);
    let attributes = format!(
        " xmlns:onemap=\"{NAMESPACE}\" xmlns:gml=\"{gml}\" xmlns:xsi=\"{XSI}\" xsi:schemaLocation=\"{NAMESPACE} {schema}\""
    );
    let mut out = DECLARATION.as_bytes().to_vec();
    query.gml(version).feature(&mut out, &row, &attributes)?;
    Ok(out)
}

/// Several queries: a collection within the collection for each, or one list where the format knows no more.
async fn several(ask: &Ask, queries: &[Resolved], frame: &Frame, window: Window, links: &Links) -> Result<Vec<u8>> {
    let (version, nested) = (frame.version, frame.output == Output::Gml && frame.version.is_two());
    let window = Window { count: window.count.min(DEFAULT_COUNT), ..window };
    let (mut inner, mut all, mut skip) = (vec![], Numbers { matched: Some(0), returned: 0 }, window.start);
    for query in queries {
        let matched = page::matched(&ask.app, query).await?.ok_or_else(too_slow)?;
        let part = Window { start: skip.min(matched), count: window.count - all.returned };
        let mut members = vec![];
        let mut page = Page::open(&ask.app, query, query.writer(frame.output, version), part, false).await?;
        if !page.fill(&mut members, MOST_BYTES, all.returned == 0).await? || inner.len() + members.len() > MOST_BYTES {
            return Err(too_much());
        }
        skip -= part.start;
        let numbers = Numbers { matched: Some(matched), returned: page.written() };
        all = Numbers { matched: all.matched.map(|sum| sum + matched), returned: all.returned + numbers.returned };
        if nested {
            inner.extend_from_slice(format!("<wfs:member>{}\n", frame.inner(numbers)).as_bytes());
        }
        inner.append(&mut members);
        if nested {
            inner.extend_from_slice(b"</wfs:FeatureCollection></wfs:member>\n");
        }
    }
    let more = all.matched.is_some_and(|matched| window.start + all.returned < matched);
    let pages = links.of(window, all.returned, more);
    let mut out = frame.head(all, &pages);
    out.append(&mut inner);
    out.extend(frame.tail(all, &pages));
    Ok(out)
}

fn too_slow() -> Fault {
    let (zh, en) = ("查询耗时过长，请逐个图层查询", "this takes too long at once: ask for one type at a time");
    Fault::new(Error::busy(zh, en)).code(Code::OperationProcessingFailed)
}

pub fn too_much() -> Fault {
    let (zh, en) = (
        "结果过大，请逐个图层查询或减小 count",
        "this is too much at once: ask for one type at a time, or for fewer features",
    );
    Fault::new(Error::too_large(zh, en)).code(Code::OperationProcessingFailed)
}
