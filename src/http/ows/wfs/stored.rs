//! The stored queries: the one that the standard requires.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::feature_type::FeatureType;
use super::request::{GET_FEATURE_BY_ID, GET_FEATURE_BY_ID_OLD, Result, no_stored_query};
use crate::http::ask::Ask;
use crate::http::ows::names::{NAMESPACE, PREFIX};
use crate::http::ows::xml::Xml;

const TITLE: &str = "GetFeatureById";
const NAMESPACES: [(&str, &str); 3] = [
    ("xmlns:wfs", "http://www.opengis.net/wfs/2.0"),
    ("xmlns:onemap", NAMESPACE),
    ("xmlns:xsd", "http://www.w3.org/2001/XMLSchema"),
];

pub fn list(ask: &Ask) -> Response {
    let mut xml = Xml::document();
    xml.element("wfs:ListStoredQueriesResponse", &NAMESPACES, |xml| {
        xml.element("wfs:StoredQuery", &[("id", GET_FEATURE_BY_ID)], |xml| {
            xml.text("wfs:Title", TITLE);
            let types = FeatureType::all(ask, "WFS ListStoredQueries");
            for described in &types {
                xml.text("wfs:ReturnFeatureType", &format!("{PREFIX}:{}", described.element()));
            }
            if types.is_empty() {
                xml.text("wfs:ReturnFeatureType", "");
            }
        });
    });
    answer(xml)
}

pub fn describe(ids: &[String]) -> Result<Response> {
    if let Some(id) = ids.iter().find(|id| *id != GET_FEATURE_BY_ID && *id != GET_FEATURE_BY_ID_OLD) {
        return Err(no_stored_query(id));
    }
    let mut xml = Xml::document();
    xml.element("wfs:DescribeStoredQueriesResponse", &NAMESPACES, |xml| {
        xml.element("wfs:StoredQueryDescription", &[("id", GET_FEATURE_BY_ID)], |xml| {
            xml.text("wfs:Title", TITLE);
            xml.text("wfs:Abstract", "The feature with this id. 按标识取一个要素。");
            xml.element("wfs:Parameter", &[("name", "id"), ("type", "xsd:string")], |xml| {
                xml.text("wfs:Title", "gml:id");
            });
            let text = [
                ("returnFeatureTypes", ""),
                ("language", "urn:ogc:def:queryLanguage:OGC-WFS::WFS_QueryExpression"),
                ("isPrivate", "true"),
            ];
            xml.empty("wfs:QueryExpressionText", &text);
        });
    });
    Ok(answer(xml))
}

fn answer(xml: Xml) -> Response {
    ([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], xml.finish()).into_response()
}
