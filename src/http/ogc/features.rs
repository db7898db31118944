//! OGC API Features: items and single features.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::html::{self, page};
use super::{Format, format, link};
use crate::error::{Error, Result};
use crate::feature::geojson::{Writer, begun};
use crate::feature::query::{self, DEFAULT_LIMIT, MOST_FEATURES};
use crate::feature::values;
use crate::geo::bbox::Bbox;
use crate::geo::crs::{CRS84, Crs};
use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{Keep, digest, keep, not_modified, weak_etag};
use crate::http::parameters::unknown_parameter;
use crate::layer::edit::{self, missing};
use crate::layer::model::{Field, FieldType};
use crate::layer::select::{self, Selection};
use crate::tile::render::Drawn;

const GEOJSON: &str = "application/geo+json";

struct ItemsQuery {
    format: Format,
    crs: Crs,
    selection: Selection,
    limit: i64,
    filtered: bool,
}

pub async fn items(mut ask: Ask, Path(id): Path<String>) -> Answer {
    // Permission first: a wrong parameter must not tell that a hidden layer exists.
    let drawn = ask.read(&id)?;
    drawn.layer.state().need_rows()?;
    let query = parse(&mut ask, &drawn)?;
    // Before the rows are read: they may be newer than the validator says, never older.
    let edits = ask.app.edits.of(drawn.layer.state().revision).number;
    let etag = variant(&ask, &drawn, query.format).map(|v| weak_etag(&[v.as_bytes(), &edits.to_be_bytes()]));
    if let Some(response) = etag.as_deref().and_then(|e| not_modified(&ask.headers, e, Keep::Private)) {
        return Ok(response);
    }
    let fields: Vec<Field> =
        select::visible_fields(drawn.layer.state(), drawn.grant.scope()).into_iter().cloned().collect();
    let references: Vec<&Field> = fields.iter().collect();
    let sql = select::features(&drawn.layer, &drawn.grant, &references, &query.selection);
    let rows = ask.app.store.read(&drawn.grant).await?.rows(&sql).await?;
    let path = format!("/ogc/collections/{id}/items");
    let mut response = match query.format {
        Format::Html => html_items(&ask, &drawn, &references, rows, &query, &path).await?,
        Format::Json => {
            let writer = Writer { fields: fields.into(), crs: query.crs };
            let exact = edits == drawn.layer.state().edits;
            let whole = drawn.grant.scope().is_all() && !query.filtered;
            let known = drawn.layer.state().feature_count.filter(|_| exact && whole);
            let finish = closing_members(&ask, &path, &query, known);
            let body = Body::from_stream(begun(writer.collection(rows, query.limit as usize, finish)).await?);
            let mut response = Response::new(body);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(GEOJSON));
            response
        }
    };
    content_crs(&mut response, query.crs);
    Ok(keep(response, Keep::Private, etag.as_deref()))
}

fn parse(ask: &mut Ask, drawn: &Drawn) -> Result<ItemsQuery> {
    let state = drawn.layer.state();
    let format = format(ask)?;
    let parameters = &mut ask.parameters;
    let limit = parameters.take_integer("limit", 1..=MOST_FEATURES)?.unwrap_or(DEFAULT_LIMIT);
    let offered = Crs::offered(state.srid);
    let mut crs_of = |name: &str| -> Result<Option<Crs>> {
        let Some(text) = parameters.take(name)? else { return Ok(None) };
        match Crs::parse(&text).filter(|crs| offered.contains(crs)) {
            Some(crs) => Ok(Some(crs)),
            None => Err(Error::invalid(name, "不支持该坐标参考系", "this CRS is not offered for this collection")
                .hint("可用的坐标参考系见图层说明的 crs", "the collection's `crs` member lists those that are")),
        }
    };
    let crs = crs_of("crs")?.unwrap_or(CRS84);
    let bbox_crs = crs_of("bbox-crs")?;
    let mut selection = Selection { limit: Some(limit + 1), srid: Some(crs.srid), ..Selection::default() };
    if let Some(text) = parameters.take("bbox")? {
        let given = bbox_crs.unwrap_or(CRS84);
        selection.bbox = Some((Bbox::parse(&text, given.swapped, given.is_geographic())?, given.srid));
    }
    let scope = drawn.grant.scope();
    let visible = select::visible_fields(state, scope);
    if let Some(text) = parameters.take("datetime")? {
        let temporal = visible.iter().find(|f| matches!(f.kind, FieldType::Date | FieldType::Timestamp));
        selection.conditions = query::datetime(&text, temporal.copied())?;
    }
    if let Some(cursor) = parameters.take("cursor")? {
        let after = cursor.parse().map_err(|_| {
            Error::invalid("cursor", "cursor 无效", "the cursor is malformed")
                .hint("请沿用上一页的 next 链接", "follow the `next` link of the page before")
        })?;
        selection.after = Some(after);
    }
    // What is left must be fields one may see; a hidden field is as unknown as one that does not exist.
    for (name, value) in parameters.rest() {
        let field = visible.iter().find(|f| f.name == name).ok_or_else(|| unknown_parameter(&name))?;
        selection.conditions.push(query::equals(field, &value)?);
    }
    let filtered = selection.bbox.is_some() || !selection.conditions.is_empty();
    Ok(ItemsQuery { format, crs, selection, limit, filtered })
}

/// The members after the features: links, counts, time.
fn closing_members(
    ask: &Ask,
    path: &str,
    query: &ItemsQuery,
    known: Option<i64>,
) -> impl FnOnce(usize, Option<i64>) -> Value + Send + 'static {
    let url = format!("{}{path}", ask.base);
    let pairs: Vec<(String, String)> = form_urlencoded::parse(ask.query.as_bytes())
        .filter(|(n, _)| n != "cursor" && n != "f")
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect();
    let carried = ask.carried.clone();
    let first_page = query.selection.after.is_none();
    let current = query.selection.after;
    move |returned, next| {
        let address = |cursor: Option<i64>, f: &str| {
            let mut q = form_urlencoded::Serializer::new(String::new());
            q.extend_pairs(&pairs).append_pair("f", f);
            if let Some(cursor) = cursor {
                q.append_pair("cursor", &cursor.to_string());
            }
            format!("{url}?{}", q.finish())
        };
        let mut links = vec![
            link(address(current, "json"), "self", GEOJSON, "This page"),
            link(address(current, "html"), "alternate", "text/html", "This page as HTML"),
        ];
        if let Some(next) = next {
            links.push(link(address(Some(next), "json"), "next", GEOJSON, "Next page"));
        }
        let mut members = json!({
            "numberReturned": returned,
            "timeStamp": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "links": links,
        });
        // Exact or left out: known beforehand, or seen because the first page is the whole.
        let matched = known.or((first_page && next.is_none()).then_some(returned as i64));
        if let Some(matched) = matched {
            members["numberMatched"] = matched.into();
        }
        carried.links(members)
    }
}

async fn html_items(
    ask: &Ask,
    drawn: &Drawn,
    fields: &[&Field],
    mut rows: crate::access::datastore::Rows,
    query: &ItemsQuery,
    path: &str,
) -> Result<Response> {
    let mut table = vec![];
    let mut next = None;
    while let Some(row) = rows.next().await {
        let row = row?;
        if table.len() as i64 == query.limit {
            next = table.last().map(|(id, _): &(i64, _)| *id);
            continue;
        }
        let cells = fields
            .iter()
            .enumerate()
            .map(|(i, f)| values::text(&row, i + 2, f.kind).map(Option::unwrap_or_default))
            .collect::<Result<Vec<_>>>()?;
        table.push((row.try_get(0)?, cells));
    }
    let title = ask.language.pick(&drawn.layer.title).to_owned();
    Ok(page(ask, &title, &html::items(ask, path, fields, &table, next)))
}

pub async fn item(mut ask: Ask, Path((id, feature)): Path<(String, String)>) -> Answer {
    let drawn = ask.read(&id)?;
    drawn.layer.state().need_rows()?;
    let format = format(&mut ask)?;
    let crs = match ask.parameters.take("crs")? {
        None => CRS84,
        Some(text) => {
            Crs::parse(&text).filter(|crs| Crs::offered(drawn.layer.state().srid).contains(crs)).ok_or_else(|| {
                Error::invalid("crs", "不支持该坐标参考系", "this CRS is not offered for this collection")
            })?
        }
    };
    ask.parameters.clone().finish()?;
    let feature_id = feature_id(&feature)?;
    let fields: Arc<[Field]> =
        select::visible_fields(drawn.layer.state(), drawn.grant.scope()).into_iter().cloned().collect();
    let references: Vec<&Field> = fields.iter().collect();
    let wanted = Selection { id: Some(feature_id), srid: Some(crs.srid), ..Selection::default() };
    let sql = select::features(&drawn.layer, &drawn.grant, &references, &wanted);
    let mut rows = ask.app.store.read(&drawn.grant).await?.rows(&sql).await?;
    let row = rows.next().await.ok_or_else(missing)??;
    // Read to the end, so that the connection goes back to its pool.
    while rows.next().await.is_some() {}
    // The state of the feature, which a writer may name in If-Match, then the representation.
    let digest = edit::digest(&row)?;
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
            Writer { fields: fields.clone(), crs }.feature(&mut body, &row, Some(&links))?;
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(GEOJSON));
            response
        }
        Format::Html => {
            let cells = fields
                .iter()
                .enumerate()
                .map(|(i, f)| values::text(&row, i + 2, f.kind).map(Option::unwrap_or_default))
                .collect::<Result<Vec<_>>>()?;
            page(
                &ask,
                &format!("{} {feature_id}", ask.language.pick(&drawn.layer.title)),
                &html::item(&ask, &id, &references, &cells),
            )
        }
    };
    content_crs(&mut response, crs);
    Ok(keep(response, Keep::Private, etag.as_deref()))
}

fn content_crs(response: &mut Response, crs: Crs) {
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
