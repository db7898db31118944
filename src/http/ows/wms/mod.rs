//! Web Map Service 1.3.0 (06-042) and 1.1.1 (01-068r3): maps as pictures.

mod capabilities;
mod exceptions;
mod info;
mod legend;
mod map;
mod paper;
mod request;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};

use super::Answer;
use super::exception::Fault;
use super::kvp::{Kvp, no_operation};
use crate::error::Error;
use crate::http::ask::Ask;
use exceptions::Wish;

const OPERATIONS: [&str; 5] = ["GetCapabilities", "GetMap", "GetFeatureInfo", "GetLegendGraphic", "DescribeLayer"];

/// `GET /ogc/wms`, `GET /wms`
pub async fn get(mut ask: Ask) -> Answer {
    let kvp = Kvp::of(std::mem::take(&mut ask.parameters));
    answer(ask, kvp).await
}

/// The same with its parameters in a form's body.
pub async fn post(mut ask: Ask, headers: HeaderMap, body: Bytes) -> Answer {
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if media.contains("xml") || body.trim_ascii_start().starts_with(b"<") {
        return Err(request::sld("request"));
    }
    if !(media.is_empty() || media.starts_with("application/x-www-form-urlencoded")) {
        let (zh, en) = ("请求内容应为表单", "the body is to be a form, application/x-www-form-urlencoded");
        return Err(Fault::new(Error::unsupported(zh, en)));
    }
    let kvp = Kvp::of(std::mem::take(&mut ask.parameters)).with_form(&body)?;
    answer(ask, kvp).await
}

async fn answer(ask: Ask, kvp: Kvp) -> Answer {
    kvp.service("WMS")?;
    let operation = kvp.request()?.to_ascii_lowercase();
    match operation.as_str() {
        "getcapabilities" | "capabilities" => capabilities::answer(&ask, &kvp),
        "getmap" | "map" => {
            let wish = Wish::take(&kvp)?;
            exceptions::answer(&ask, &kvp, wish, map::answer(&ask, &kvp).await).await
        }
        "getfeatureinfo" | "feature_info" => info::answer(&ask, &kvp).await,
        "getlegendgraphic" => legend::answer(&ask, &kvp).await,
        "describelayer" => legend::describe(&ask, &kvp),
        other => Err(no_operation(other, &OPERATIONS)),
    }
}
