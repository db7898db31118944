//! DescribeFeatureType: the XML schema of the layers' elements.

use std::collections::HashSet;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::feature_type::FeatureType;
use super::request::{Result, Version};
use crate::http::ask::Ask;
use crate::http::ows::exception::Fault;
use crate::http::ows::kvp::not;
use crate::http::ows::names::{NAMESPACE, PREFIX, encode};
use crate::http::ows::service::endpoint;
use crate::http::ows::xml::Xml;
use crate::layer::model::{Field, FieldType};

pub fn describe(ask: &Ask, version: Version, types: &[String], format: Option<&str>) -> Result<Response> {
    let gml = Gml::of(version);
    if let Some(given) = format.filter(|given| !is_schema(given)) {
        return Err(Fault::invalid("outputformat", not(given, gml.media, gml.media)));
    }
    let types = match types.is_empty() {
        true => FeatureType::all(ask, "WFS DescribeFeatureType"),
        false => types.iter().map(|name| FeatureType::of(ask, name, None)).collect::<Result<Vec<_>>>()?,
    };
    Ok(([(header::CONTENT_TYPE, gml.media)], document(&distinct(&types), gml)).into_response())
}

/// Each type once, however often it was named: a schema declares no element twice.
pub fn distinct<'a>(types: impl IntoIterator<Item = &'a FeatureType>) -> Vec<&'a FeatureType> {
    let mut seen = HashSet::new();
    types.into_iter().filter(|described| seen.insert(described.id())).collect()
}

fn is_schema(format: &str) -> bool {
    let format = format.to_ascii_lowercase().replace(' ', "");
    ["text/xml", "application/xml", "application/gml+xml", "xmlschema", "gml"]
        .iter()
        .any(|known| format.starts_with(known))
}

/// Where the schema of some types is to be had.
pub fn address(ask: &Ask, version: Version, types: &[&FeatureType]) -> String {
    let names: Vec<String> = types.iter().map(|t| format!("{PREFIX}:{}", t.element())).collect();
    let parameter = if version.is_two() { "typeNames" } else { "typeName" };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("service", "WFS")
        .append_pair("version", version.name())
        .append_pair("request", "DescribeFeatureType")
        .append_pair(parameter, &names.join(","))
        .finish();
    format!("{}{query}", endpoint(ask, "/ogc/wfs"))
}

/// What GML is called in a version.
#[derive(Clone, Copy)]
pub struct Gml {
    pub namespace: &'static str,
    schema: &'static str,
    pub media: &'static str,
    feature: &'static str,
    feature_type: &'static str,
}

impl Gml {
    pub fn of(version: Version) -> Gml {
        match version.is_two() {
            true => Gml {
                namespace: "http://www.opengis.net/gml/3.2",
                schema: "http://schemas.opengis.net/gml/3.2.1/gml.xsd",
                media: "application/gml+xml; version=3.2",
                feature: "gml:AbstractFeature",
                feature_type: "gml:AbstractFeatureType",
            },
            false => Gml {
                namespace: "http://www.opengis.net/gml",
                schema: "http://schemas.opengis.net/gml/3.1.1/base/gml.xsd",
                media: "text/xml; subtype=gml/3.1.1",
                feature: "gml:_Feature",
                feature_type: "gml:AbstractFeatureType",
            },
        }
    }
}

fn document(types: &[&FeatureType], gml: Gml) -> String {
    let mut xml = Xml::document();
    let attributes = [
        ("xmlns:xsd", "http://www.w3.org/2001/XMLSchema"),
        ("xmlns:gml", gml.namespace),
        ("xmlns:onemap", NAMESPACE),
        ("targetNamespace", NAMESPACE),
        ("elementFormDefault", "qualified"),
        ("version", "1.0"),
    ];
    xml.element("xsd:schema", &attributes, |xml| {
        xml.empty("xsd:import", &[("namespace", gml.namespace), ("schemaLocation", gml.schema)]);
        for described in types {
            complex_type(xml, described, gml);
        }
    });
    xml.finish()
}

fn complex_type(xml: &mut Xml, described: &FeatureType, gml: Gml) {
    let element = described.element();
    let name = format!("{element}Type");
    xml.element("xsd:complexType", &[("name", &name)], |xml| {
        xml.element("xsd:complexContent", &[], |xml| {
            xml.element("xsd:extension", &[("base", gml.feature_type)], |xml| {
                xml.element("xsd:sequence", &[], |xml| {
                    if let Some(geometry) = described.geometry {
                        let kind = geometry_type(described.drawn.layer.state().geometry_type.as_deref());
                        xml.empty("xsd:element", &[("name", geometry), ("type", kind), ("minOccurs", "0")]);
                    }
                    for field in described.fields.iter() {
                        property(xml, field);
                    }
                });
            });
        });
    });
    let layer = &described.drawn.layer;
    let (typed, titles) =
        (format!("{PREFIX}:{name}"), [("zh", layer.title.zh.as_str()), ("en", layer.title.en.as_str())]);
    let attributes = [("name", &*element), ("type", &typed), ("substitutionGroup", gml.feature)];
    xml.element("xsd:element", &attributes, |xml| annotation(xml, &titles));
}

fn property(xml: &mut Xml, field: &Field) {
    let attributes = [("name", &*encode(&field.name)), ("type", simple_type(field.kind)), ("minOccurs", "0")];
    xml.element("xsd:element", &attributes, |xml| {
        annotation(xml, &[("zh", &field.title_zh), ("en", &field.title_en)]);
    });
}

fn annotation(xml: &mut Xml, titles: &[(&str, &str)]) {
    if titles.iter().all(|(_, title)| title.is_empty()) {
        return;
    }
    xml.element("xsd:annotation", &[], |xml| {
        for (language, title) in titles.iter().filter(|(_, title)| !title.is_empty()) {
            xml.leaf("xsd:documentation", &[("xml:lang", language)], title);
        }
    });
}

fn simple_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text => "xsd:string",
        FieldType::Integer => "xsd:long",
        FieldType::Float => "xsd:double",
        FieldType::Boolean => "xsd:boolean",
        FieldType::Date => "xsd:date",
        FieldType::Timestamp => "xsd:dateTime",
    }
}

/// The property type that has the geometries which a layer may hold: its elements are written in `geo::gml`.
fn geometry_type(kind: Option<&str>) -> &'static str {
    match kind.unwrap_or_default().trim_end_matches(['Z', 'M']) {
        "Point" => "gml:PointPropertyType",
        "LineString" => "gml:CurvePropertyType",
        "Polygon" => "gml:SurfacePropertyType",
        "MultiPoint" => "gml:MultiPointPropertyType",
        "MultiLineString" => "gml:MultiCurvePropertyType",
        "MultiPolygon" => "gml:MultiSurfacePropertyType",
        _ => "gml:GeometryPropertyType",
    }
}
