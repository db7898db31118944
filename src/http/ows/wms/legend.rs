//! GetLegendGraphic and DescribeLayer (05-078r4).

use axum::http::header;
use axum::response::IntoResponse;

use super::request::{Version, no_sld};
use crate::access::rights::Right;
use crate::error::Said;
use crate::http::ask::Ask;
use crate::http::map::legend_of;
use crate::http::ows::Answer;
use crate::http::ows::drawing::{Named, base_map, base_title, styled};
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::kvp::{Kvp, not};
use crate::http::ows::names::{PREFIX, encode};
use crate::http::ows::service::endpoint;
use crate::http::ows::xml::Xml;

/// A picture of what the colours of a layer mean; as JSON with `format=application/json`. 90 dots to the inch, twice as many from 180 on.
pub async fn answer(ask: &Ask, kvp: &Kvp) -> Answer {
    let named = Named::find(ask, kvp.required("layer")?, Right::View, "layer")?;
    no_sld(kvp)?;
    let format = kvp.get("format")?.unwrap_or("image/png");
    let double = kvp.parsed::<f64>("dpi", "数字", "a number")?.is_some_and(|dpi| dpi >= 180.0);
    let (style, title) = match &named {
        Named::Layer(drawn) => {
            let title = &drawn.layer.title;
            (styled(ask, drawn, kvp.get("style")?)?, Said::new(&title.zh, &title.en))
        }
        Named::Base(_) => {
            let title = base_title();
            (base_map(ask, Right::View)?.0, Said::new(title.zh, title.en))
        }
    };
    let picture = match format.to_ascii_lowercase().as_str() {
        "application/json" | "json" => None,
        "image/png" | "png" | "image/png8" | "image/png; mode=8bit" => Some(double),
        _ => {
            let known = "image/png, application/json";
            let said = not(format, known, &format!("one of {known}"));
            return Err(Fault::invalid("format", said).code(Code::InvalidFormat));
        }
    };
    Ok(legend_of(ask, &style, &title, picture).await?)
}

/// Where the features of layers are to be had: at the WFS.
pub fn describe(ask: &Ask, kvp: &Kvp) -> Answer {
    kvp.required("layers")?;
    let names = kvp.list("layers")?.unwrap_or_default();
    let found: Vec<Named> =
        names.iter().map(|name| Named::find(ask, name, Right::View, "layers")).collect::<Result<_, _>>()?;
    let version = Version::take(kvp)?;
    let url = endpoint(ask, "/ogc/wfs");
    // A tile archive and the base map have no features.
    let featured: Vec<(&str, bool)> = names
        .iter()
        .zip(&found)
        .map(|(name, named)| (*name, matches!(named, Named::Layer(d) if d.layer.state().archive.is_none())))
        .collect();
    let mut xml = Xml::document();
    match version {
        Version::V111 => {
            xml.element("WMS_DescribeLayerResponse", &[("version", "1.1.1")], |xml| {
                for (name, features) in featured {
                    match features {
                        false => xml.empty("LayerDescription", &[("name", name)]),
                        true => {
                            let attributes = [("name", name), ("wfs", &*url), ("owsType", "WFS"), ("owsURL", &*url)];
                            xml.element("LayerDescription", &attributes, |xml| {
                                xml.empty("Query", &[("typeName", &format!("{PREFIX}:{}", encode(name)))]);
                            })
                        }
                    };
                }
            });
        }
        Version::V130 => {
            let namespaces = [
                ("version", "1.1.0"),
                ("xmlns", "http://www.opengis.net/sld"),
                ("xmlns:se", "http://www.opengis.net/se"),
                ("xmlns:xlink", "http://www.w3.org/1999/xlink"),
            ];
            xml.element("DescribeLayerResponse", &namespaces, |xml| {
                xml.text("Version", "1.1.0");
                for (name, _) in featured.into_iter().filter(|(_, features)| *features) {
                    xml.element("LayerDescription", &[], |xml| {
                        xml.text("owsType", "wfs");
                        xml.empty("se:OnlineResource", &[("xlink:type", "simple"), ("xlink:href", &url)]);
                        xml.element("TypeName", &[], |xml| {
                            xml.text("se:FeatureTypeName", &format!("{PREFIX}:{}", encode(name)));
                        });
                    });
                }
            });
        }
    }
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], xml.finish()).into_response())
}
