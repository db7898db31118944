//! The formats of an answer, and the documents around the features.

use serde_json::{Value, json};
use tokio_postgres::Row;

use super::capabilities::XSI;
use super::request::{Result, Version};
use super::schema::Gml;
use super::srs::Srs;
use crate::error;
use crate::feature::output::FileFormat;
use crate::feature::{geojson, gml};
use crate::geo::crs::CRS84;
use crate::http::ows::exception::Fault;
use crate::http::ows::kvp::not;
use crate::http::ows::names::NAMESPACE;
use crate::http::ows::xml::Xml;

pub const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Gml,
    GeoJson,
    /// As exports of a collection have it.
    File(FileFormat),
}

impl Output {
    pub fn parse(text: Option<&str>, version: Version) -> Result<Output> {
        let Some(given) = text.filter(|text| !text.is_empty()) else { return Ok(Output::Gml) };
        let plain = given.to_ascii_lowercase().replace([' ', '"'], "");
        let gml: &[&str] = match version.is_two() {
            true => &[
                "application/gml+xml;version=3.2",
                "application/gml+xml",
                "text/xml;subtype=gml/3.2",
                "text/xml;subtype=gml/3.2.1",
                "text/xml",
                "gml32",
                "gml3.2",
                "gml3",
            ],
            false => &["text/xml;subtype=gml/3.1.1", "text/xml", "gml3"],
        };
        match plain.as_str() {
            "application/json" | "application/geo+json" | "json" | "geojson" => Ok(Output::GeoJson),
            other if gml.contains(&other) => Ok(Output::Gml),
            // As other servers call it.
            "shape-zip" => Ok(Output::File(FileFormat::Shapefile)),
            other => FileFormat::parse(other).map(Output::File).ok_or_else(|| {
                let names = Output::names(version).join(", ");
                Fault::invalid("outputformat", not(given, &names, &format!("one of {names}")))
            }),
        }
    }

    /// As capabilities name them, the default first.
    pub fn names(version: Version) -> Vec<&'static str> {
        let other = if version.is_two() { "text/xml; subtype=gml/3.2" } else { "GML3" };
        let mut names = vec![Gml::of(version).media, other, "application/json", "application/geo+json"];
        names.extend(FileFormat::ALL.map(|format| format.media()[0]));
        names
    }

    pub fn media(self, version: Version) -> &'static str {
        match self {
            Output::Gml => Gml::of(version).media,
            Output::GeoJson => "application/geo+json",
            Output::File(format) => format.media()[0],
        }
    }
}

/// How a query's features are written.
#[derive(Clone)]
pub enum Writer {
    Gml { writer: gml::Writer, member: &'static str },
    GeoJson(geojson::Writer),
}

impl Writer {
    pub fn row(&self, out: &mut Vec<u8>, row: &Row, first: bool) -> error::Result<()> {
        match self {
            Writer::Gml { writer, member } => {
                out.extend_from_slice(format!("<{member}>").as_bytes());
                writer.feature(out, row, "")?;
                out.extend_from_slice(format!("</{member}>\n").as_bytes());
                Ok(())
            }
            Writer::GeoJson(writer) => {
                if !first {
                    out.push(b',');
                }
                writer.feature(out, row, None)
            }
        }
    }
}

/// The counts that an answer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// None when counting took too long.
    pub matched: Option<i64>,
    pub returned: i64,
}

/// Addresses of neighbouring pages.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    pub next: Option<String>,
    pub previous: Option<String>,
}

/// What stands around the members of an answer.
pub struct Frame {
    pub version: Version,
    pub output: Output,
    /// Where the schema of what is in it is.
    pub schema: String,
    pub srs: Srs,
}

impl Frame {
    /// The beginning of a document.
    pub fn head(&self, numbers: Numbers, pages: &Pages) -> Vec<u8> {
        match self.output {
            Output::Gml | Output::File(_) => format!("{DECLARATION}{}\n", self.collection(numbers, pages)).into_bytes(),
            Output::GeoJson => b"{\"type\":\"FeatureCollection\",\"features\":[".to_vec(),
        }
    }

    /// The end of a document.
    pub fn tail(&self, numbers: Numbers, pages: &Pages) -> Vec<u8> {
        match self.output {
            Output::Gml | Output::File(_) => b"</wfs:FeatureCollection>\n".to_vec(),
            Output::GeoJson => format!("],{}", &self.members(numbers, pages).to_string()[1..]).into_bytes(),
        }
    }

    fn collection(&self, numbers: Numbers, pages: &Pages) -> String {
        let gml = Gml::of(self.version);
        let (wfs, schema) = match self.version.is_two() {
            true => ("http://www.opengis.net/wfs/2.0", "http://schemas.opengis.net/wfs/2.0/wfs.xsd"),
            false => ("http://www.opengis.net/wfs", "http://schemas.opengis.net/wfs/1.1.0/wfs.xsd"),
        };
        let location = match self.schema.is_empty() {
            true => format!("{wfs} {schema}"),
            false => format!("{wfs} {schema} {NAMESPACE} {}", self.schema),
        };
        let mut attributes = vec![
            ("xmlns:wfs", wfs.to_owned()),
            ("xmlns:gml", gml.namespace.to_owned()),
            ("xmlns:onemap", NAMESPACE.to_owned()),
            ("xmlns:xsi", XSI.to_owned()),
            ("xsi:schemaLocation", location),
        ];
        attributes.extend(self.numbers(numbers, pages));
        begin("wfs:FeatureCollection", &attributes)
    }

    /// A collection within the collection, for one of several queries.
    pub fn inner(&self, numbers: Numbers) -> String {
        begin("wfs:FeatureCollection", &self.numbers(numbers, &Pages::default()))
    }

    pub fn numbers(&self, numbers: Numbers, pages: &Pages) -> Vec<(&'static str, String)> {
        let mut attributes = vec![("timeStamp", now())];
        if !self.version.is_two() {
            attributes.push(("numberOfFeatures", numbers.returned.to_string()));
            return attributes;
        }
        let matched = numbers.matched.map_or("unknown".to_owned(), |n| n.to_string());
        attributes.extend([("numberMatched", matched), ("numberReturned", numbers.returned.to_string())]);
        attributes.extend(pages.previous.clone().map(|url| ("previous", url)));
        attributes.extend(pages.next.clone().map(|url| ("next", url)));
        attributes
    }

    fn members(&self, numbers: Numbers, pages: &Pages) -> Value {
        let mut members = json!({ "numberReturned": numbers.returned, "timeStamp": now() });
        if let Some(matched) = numbers.matched {
            members["numberMatched"] = matched.into();
        }
        let links = [("prev", &pages.previous), ("next", &pages.next)];
        let links: Vec<Value> = links
            .into_iter()
            .filter_map(|(rel, url)| Some(json!({"rel": rel, "type": "application/geo+json", "href": url.as_ref()?})))
            .collect();
        members["links"] = links.into();
        // GeoJSON has no other reference system than CRS84; clients that ask for one know this member of its first edition.
        if self.srs.crs != CRS84 {
            members["crs"] = json!({ "type": "name", "properties": { "name": self.srs.name } });
        }
        members
    }
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An element that is not closed yet.
pub fn begin(name: &str, attributes: &[(&str, String)]) -> String {
    let attributes: Vec<(&str, &str)> = attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut xml = Xml::default();
    xml.empty(name, &attributes);
    let text = xml.finish();
    format!("{}>", text.trim_end_matches("/>"))
}
