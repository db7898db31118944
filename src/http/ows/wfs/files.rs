//! GetFeature in the formats of files: what an export of the collection gives, of these features.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::query::Resolved;
use super::request::{Get, Result};
use crate::error::Said;
use crate::feature::output::{Encoding, FileFormat, How, Order};
use crate::feature::query::MOST_FEATURES;
use crate::http::ask::Ask;
use crate::http::attachment;
use crate::http::ows::exception::{Code, Fault};
use crate::layer::model::Title;

pub async fn deliver(ask: &Ask, mut queries: Vec<Resolved>, format: FileFormat, get: &Get) -> Result<Response> {
    let (Some(query), true) = (queries.pop(), queries.is_empty()) else {
        let said = Said::new("此格式一次只含一个图层", "a file of this format has one type");
        return Err(Fault::invalid("typenames", said).code(Code::OptionNotSupported));
    };
    if get.hits {
        let said = Said::new("hits 只用于 GML 与 GeoJSON", "hits are told in GML and GeoJSON");
        return Err(Fault::invalid("resulttype", said).code(Code::OptionNotSupported));
    }
    let drawn = &query.described.drawn;
    let mut selection = query.selection;
    selection.limit = get.count;
    selection.offset = Some(get.start).filter(|start| *start > 0);
    let language = ask.language;
    let order = Order {
        layer: &drawn.layer,
        grant: &drawn.grant,
        format,
        fields: query.fields.to_vec(),
        selection,
        crs: query.srs.crs,
        datum: None,
        how: How { encoding: Encoding::Utf8, geometry: None },
        pick: &move |title: &Title| language.pick(title).to_owned(),
        page: MOST_FEATURES,
    };
    let body = ask.app.downloads.deliver(&ask.app.store, order).await?;
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media()[0]));
    let title = language.pick(&drawn.layer.title);
    attachment::name(&mut response, (&drawn.layer.id, title), format.extension());
    Ok(response)
}
