//! GetPropertyValue: the values of one property (09-025r2, 10).

use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use super::capabilities::XSI;
use super::get_feature::{MOST_BYTES, too_much};
use super::links;
use super::output::{DECLARATION, Frame, Numbers, Output, begin};
use super::page::{DEFAULT_COUNT, Links, Window, matched};
use super::query::{Resolved, resolve_all};
use super::request::{Get, Result, Version};
use super::schema::{Gml, address};
use crate::error::Said;
use crate::http::ask::Ask;
use crate::http::ows::exception::Fault;
use crate::http::ows::kvp::not;
use crate::http::ows::names::{NAMESPACE, local};
use crate::layer::model::Field;
use crate::layer::select;

/// The property that is asked for.
enum Wanted {
    Geometry,
    Field,
    Id,
}

pub async fn property_values(ask: &Ask, version: Version, get: &Get, reference: &str) -> Result<Response> {
    if Output::parse(get.format.as_deref(), version)? != Output::Gml {
        return Err(Fault::invalid("outputformat", not(get.format.as_deref().unwrap_or_default(), "GML", "GML")));
    }
    let name = local(reference.rsplit('/').next().unwrap_or_default()).to_owned();
    let mut asked = get.clone();
    let is_id = matches!(reference.trim(), "@gml:id" | "@id");
    for query in asked.queries.iter_mut() {
        query.properties = if is_id { vec![] } else { vec![name.clone()] };
    }
    let mut queries =
        resolve_all(ask, &asked.queries, Output::Gml).map_err(|fault| if is_id { fault } else { renamed(fault) })?;
    let [query] = &mut queries[..] else {
        let said = Said::new("GetPropertyValue 一次只查一个图层", "GetPropertyValue is for one type at a time");
        return Err(Fault::invalid("typenames", said));
    };
    let wanted = match is_id {
        true => Wanted::Id,
        false if query.geometry => Wanted::Geometry,
        false => Wanted::Field,
    };
    let window = Window { start: get.start, count: get.count.unwrap_or(DEFAULT_COUNT).min(DEFAULT_COUNT) };
    let (members, returned, more) = match get.hits {
        true => (vec![], 0, false),
        false => members(ask, version, query, &wanted, window).await?,
    };
    let numbers = Numbers { matched: matched(&ask.app, query).await?, returned };
    let base = links::base(ask, version, "GetPropertyValue", get, Some(reference));
    let pages = Links { base, count: window.count }.of(window, returned, more);
    let schema = address(ask, version, &[&query.described]);
    let frame = Frame { version, output: Output::Gml, schema, srs: query.srs.clone() };
    let mut attributes = vec![
        ("xmlns:wfs", "http://www.opengis.net/wfs/2.0".to_owned()),
        ("xmlns:gml", Gml::of(version).namespace.to_owned()),
        ("xmlns:onemap", NAMESPACE.to_owned()),
        ("xmlns:xsi", XSI.to_owned()),
        (
            "xsi:schemaLocation",
            format!(
                "http://www.opengis.net/wfs/2.0 http://schemas.opengis.net/wfs/2.0/wfs.xsd {NAMESPACE} {}",
                frame.schema
            ),
        ),
    ];
    attributes.extend(frame.numbers(numbers, &pages));
    let mut body = format!("{DECLARATION}{}\n", begin("wfs:ValueCollection", &attributes)).into_bytes();
    body.extend(members);
    body.extend_from_slice(b"</wfs:ValueCollection>\n");
    Ok(([(header::CONTENT_TYPE, Gml::of(version).media)], body).into_response())
}

fn renamed(fault: Fault) -> Fault {
    match fault.kind() {
        crate::error::Kind::Invalid { parameter } if parameter == "propertyname" => fault.at("valuereference"),
        _ => fault,
    }
}

/// The members, how many they are, and whether more rows follow. A row without a value has none.
async fn members(
    ask: &Ask,
    version: Version,
    query: &Resolved,
    wanted: &Wanted,
    window: Window,
) -> Result<(Vec<u8>, i64, bool)> {
    let drawn = &query.described.drawn;
    let mut selection = query.selection.clone();
    (selection.limit, selection.offset) = (Some(window.count + 1), Some(window.start));
    let fields: Vec<&Field> = query.fields.iter().collect();
    let sql = select::features(&drawn.layer, &drawn.grant, &fields, &selection);
    let mut rows = ask.app.store.read(&drawn.grant).await?.gives(window.count).rows(&sql).await?;
    let writer = query.gml(version);
    let (mut out, mut seen, mut returned) = (vec![], 0, 0);
    while let Some(row) = rows.next().await {
        let row = row?;
        seen += 1;
        if seen > window.count {
            continue;
        }
        if out.len() > MOST_BYTES {
            return Err(too_much());
        }
        let start = out.len();
        out.extend_from_slice(b"<wfs:member>");
        let id = writer.gml_id(&row)?;
        let written = match wanted {
            Wanted::Id => {
                out.extend_from_slice(id.as_bytes());
                true
            }
            Wanted::Geometry => writer.geometry(&mut out, &row, &id)?,
            Wanted::Field => writer.property(&mut out, &row, 0)?,
        };
        if written {
            out.extend_from_slice(b"</wfs:member>\n");
            returned += 1;
        } else {
            out.truncate(start);
        }
    }
    Ok((out, returned, seen > window.count))
}
