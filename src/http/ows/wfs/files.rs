//! GetFeature in the formats of files: what an export of the collection gives, of these features.

use axum::response::Response;

use super::query::Resolved;
use super::request::{Get, Result};
use crate::error::Said;
use crate::feature::output::{Encoding, FileFormat, How, Order};
use crate::http::ask::Ask;
use crate::http::ogc::files;
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
    };
    Ok(files::respond(ask, order).await?)
}
