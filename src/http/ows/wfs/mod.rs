//! WFS 2.0 (09-025r2) with Filter Encoding 2.0 (09-026r2) and GML 3.2; 1.1.0 with GML 3.1 for older desktop programs. Features are read here;
//! they are written by OGC API Features, part 4.
//!
//! `pairs` and `body` read a request into `request`; `query` checks it against what the caller may see; `page` reads the rows.

mod body;
mod capabilities;
mod feature_type;
mod files;
mod filters;
mod get_feature;
mod links;
mod output;
mod page;
mod pairs;
mod query;
mod request;
mod schema;
mod srs;
mod stored;
mod values;

use axum::body::Bytes;
use axum::http::header;
use axum::response::Response;

use request::{Request, Result, Version};

use super::Answer;
use super::exception::{Code, Fault, Form};
use super::kvp::Kvp;
use crate::error::Said;
use crate::http::ask::Ask;

pub async fn get(ask: Ask) -> Answer {
    let (version, request) = pairs::read(&Kvp::of(ask.parameters.clone()))?;
    answer(&ask, version, request).await
}

/// XML, or a form's pairs.
pub async fn post(ask: Ask, body: Bytes) -> Answer {
    let media = ask.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = media.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
    let begun = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if form && begun != Some(&b'<') {
        let (version, request) = pairs::read(&Kvp::of(ask.parameters.clone()).with_form(&body)?)?;
        return answer(&ask, version, request).await;
    }
    let (version, request) = body::read(&body)?;
    answer(&ask, version, request).await
}

async fn answer(ask: &Ask, version: Version, request: Request) -> Answer {
    let form = if version.is_two() { Form::Ows11(version.name()) } else { Form::Ows10 };
    operate(ask, version, request).await.map_err(|fault| fault.told_as(form))
}

async fn operate(ask: &Ask, version: Version, request: Request) -> Result<Response> {
    match request {
        Request::GetCapabilities { sections } => capabilities::capabilities(ask, version, &sections),
        Request::DescribeFeatureType { types, format } => schema::describe(ask, version, &types, format.as_deref()),
        Request::GetFeature(get) => get_feature::get_feature(ask, version, &get).await,
        _ if !version.is_two() => {
            let said = Said::new("1.1.0 没有此操作", "version 1.1.0 does not have this operation");
            Err(Fault::invalid("request", said).code(Code::OperationNotSupported))
        }
        Request::GetPropertyValue(get, reference) => values::property_values(ask, version, &get, &reference).await,
        Request::ListStoredQueries => Ok(stored::list(ask)),
        Request::DescribeStoredQueries(ids) => stored::describe(&ids),
    }
}
