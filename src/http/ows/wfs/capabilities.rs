//! GetCapabilities: what there is, for whom asks.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::feature_type::FeatureType;
use super::filters;
use super::output::Output;
use super::page::DEFAULT_COUNT;
use super::request::{Result, Version};
use super::srs::{Srs, urn};
use crate::http::ask::Ask;
use crate::http::ows::extent;
use crate::http::ows::names::{NAMESPACE, PREFIX};
use crate::http::ows::service::{Service, allowed, endpoint, operation};
use crate::http::ows::xml::Xml;

pub const XLINK: &str = "http://www.w3.org/1999/xlink";
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The classes of the standard (09-025r2, table 13) and whether they hold.
const CLASSES: [(&str, bool); 17] = [
    ("ImplementsSimpleWFS", true),
    ("ImplementsBasicWFS", true),
    ("ImplementsTransactionalWFS", false),
    ("ImplementsLockingWFS", false),
    ("KVPEncoding", true),
    ("XMLEncoding", true),
    ("SOAPEncoding", false),
    ("ImplementsInheritance", false),
    ("ImplementsRemoteResolve", false),
    ("ImplementsResultPaging", true),
    ("ImplementsStandardJoins", false),
    ("ImplementsSpatialJoins", false),
    ("ImplementsTemporalJoins", false),
    ("ImplementsFeatureVersioning", false),
    ("ManageStoredQueries", false),
    // An edit between two pages shows in the second.
    ("PagingIsTransactionSafe", false),
    ("QueryExpressions", true),
];

pub fn capabilities(ask: &Ask, version: Version, sections: &[String]) -> Result<Response> {
    let wanted =
        |name: &str| sections.is_empty() || sections.iter().any(|s| s == "all" || s == &name.to_ascii_lowercase());
    let mut xml = Xml::document();
    let namespaces = namespaces(version);
    xml.element("wfs:WFS_Capabilities", &namespaces, |xml| {
        let service = Service::of(ask);
        if wanted("ServiceIdentification") {
            service.identification(xml, "WFS", &Version::ALL.map(Version::name));
        }
        if wanted("ServiceProvider") {
            service.provided(xml);
        }
        if wanted("OperationsMetadata") {
            operations(ask, version, xml);
        }
        if wanted("FeatureTypeList") {
            xml.element("wfs:FeatureTypeList", &[], |xml| {
                for described in FeatureType::all(ask, "WFS GetCapabilities") {
                    feature_type(ask, version, &described, xml);
                }
            });
        }
        if wanted("Filter_Capabilities") {
            match version.is_two() {
                true => filters::capabilities(xml),
                false => filters::older_capabilities(xml),
            }
        }
    });
    let media = if version.is_two() { "application/xml; charset=utf-8" } else { "text/xml; charset=utf-8" };
    Ok(([(header::CONTENT_TYPE, media)], xml.finish()).into_response())
}

fn namespaces(version: Version) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![
        ("version", version.name()),
        ("xmlns:onemap", NAMESPACE),
        ("xmlns:xlink", XLINK),
        ("xmlns:xsd", "http://www.w3.org/2001/XMLSchema"),
        ("xmlns:xsi", XSI),
    ];
    all.extend(match version.is_two() {
        true => [
            ("xmlns:wfs", "http://www.opengis.net/wfs/2.0"),
            ("xmlns:ows", "http://www.opengis.net/ows/1.1"),
            ("xmlns:fes", "http://www.opengis.net/fes/2.0"),
            ("xmlns:gml", "http://www.opengis.net/gml/3.2"),
            ("xsi:schemaLocation", "http://www.opengis.net/wfs/2.0 http://schemas.opengis.net/wfs/2.0/wfs.xsd"),
        ],
        false => [
            ("xmlns:wfs", "http://www.opengis.net/wfs"),
            ("xmlns:ows", "http://www.opengis.net/ows"),
            ("xmlns:ogc", "http://www.opengis.net/ogc"),
            ("xmlns:gml", "http://www.opengis.net/gml"),
            ("xsi:schemaLocation", "http://www.opengis.net/wfs http://schemas.opengis.net/wfs/1.1.0/wfs.xsd"),
        ],
    });
    all
}

fn operations(ask: &Ask, version: Version, xml: &mut Xml) {
    let (get, post) = (endpoint(ask, "/ogc/wfs"), ask.carried.url(&format!("{}/ogc/wfs", ask.base)));
    let formats = Output::names(version);
    let results: &[&str] = &["results", "hits"];
    let versions = Version::ALL.map(Version::name);
    let sections: &[&str] =
        &["ServiceIdentification", "ServiceProvider", "OperationsMetadata", "FeatureTypeList", "Filter_Capabilities"];
    let schema = [super::schema::Gml::of(version).media];
    xml.element("ows:OperationsMetadata", &[], |xml| {
        let mut offer =
            |name: &str, parameters: &[(&str, &[&str])]| operation(xml, name, &get, Some(&post), parameters);
        offer("GetCapabilities", &[("AcceptVersions", &versions), ("Sections", sections)]);
        offer("DescribeFeatureType", &[("outputFormat", &schema)]);
        offer("GetFeature", &[("outputFormat", &formats), ("resultType", results)]);
        if !version.is_two() {
            return;
        }
        offer("GetPropertyValue", &[("outputFormat", &formats[..2]), ("resultType", results)]);
        offer("ListStoredQueries", &[]);
        offer("DescribeStoredQueries", &[]);
        parameter(xml, "version", &versions);
        for (name, holds) in CLASSES {
            match name {
                "QueryExpressions" => {
                    xml.element("ows:Constraint", &[("name", name)], |xml| {
                        allowed(xml, &["wfs:Query", "wfs:StoredQuery"])
                    });
                }
                _ => default(xml, "ows", name, if holds { "TRUE" } else { "FALSE" }),
            }
        }
        default(xml, "ows", "CountDefault", &DEFAULT_COUNT.to_string());
    });
}

/// A constraint without a choice.
pub fn default(xml: &mut Xml, prefix: &str, name: &str, value: &str) {
    xml.element(&format!("{prefix}:Constraint"), &[("name", name)], |xml| {
        xml.empty("ows:NoValues", &[]).text("ows:DefaultValue", value);
    });
}

fn parameter(xml: &mut Xml, name: &str, values: &[&str]) {
    xml.element("ows:Parameter", &[("name", name)], |xml| allowed(xml, values));
}

fn feature_type(ask: &Ask, version: Version, described: &FeatureType, xml: &mut Xml) {
    let layer = &described.drawn.layer;
    xml.element("wfs:FeatureType", &[], |xml| {
        xml.text("wfs:Name", &format!("{PREFIX}:{}", described.element()));
        xml.text("wfs:Title", ask.language.pick(&layer.title));
        let description = ask.language.pick(&layer.description);
        xml.some("wfs:Abstract", Some(description).filter(|text| !text.is_empty()));
        xml.element("ows:Keywords", &[], |xml| {
            for word in [Some(&*layer.department), layer.theme.as_deref()].into_iter().flatten() {
                xml.text("ows:Keyword", word);
            }
        });
        reference_systems(version, described, xml);
        xml.element("wfs:OutputFormats", &[], |xml| {
            for name in Output::names(version) {
                xml.text("wfs:Format", name);
            }
        });
        if let Some([west, south, east, north]) = extent::told(&described.drawn) {
            xml.element("ows:WGS84BoundingBox", &[], |xml| {
                xml.text("ows:LowerCorner", &format!("{west} {south}"));
                xml.text("ows:UpperCorner", &format!("{east} {north}"));
            });
        }
        let about = ask.carried.url(&format!("{}/ogc/collections/{}", ask.base, layer.id));
        match version.is_two() {
            true => xml.empty("wfs:MetadataURL", &[("xlink:href", &about)]),
            false => xml.leaf("wfs:MetadataURL", &[("type", "19139"), ("format", "text/html")], &about),
        };
    });
}

fn reference_systems(version: Version, described: &FeatureType, xml: &mut Xml) {
    let (default, other, none) = match version.is_two() {
        true => ("wfs:DefaultCRS", "wfs:OtherCRS", "wfs:NoCRS"),
        false => ("wfs:DefaultSRS", "wfs:OtherSRS", "wfs:NoSRS"),
    };
    if described.geometry.is_none() {
        xml.empty(none, &[]);
        return;
    }
    let first = Srs::default_of();
    xml.text(default, &first.name);
    for crs in described.offered.iter().filter(|crs| **crs != first.crs) {
        xml.text(other, &urn(*crs));
    }
}
