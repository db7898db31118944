//! GetCapabilities of WMTS.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Offer;
use crate::access::rights::Right;
use crate::access::trace;
use crate::error::Said;
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::Ask;
use crate::http::cache_policy::{Keep, keep, not_modified, weak_etag};
use crate::http::negotiation::MVT;
use crate::http::ows::drawing::{BASE, DEFAULT, Named, base_title, drawable, has_base_map, styles};
use crate::http::ows::exception::Fault;
use crate::http::ows::found::FORMATS;
use crate::http::ows::service::{Service, endpoint, operation};
use crate::http::ows::xml::Xml;
use crate::http::ows::{Answer, extent};
use crate::layer::model::Title;
use crate::tile::render::Drawn;

const SECTIONS: [&str; 5] = ["ServiceIdentification", "ServiceProvider", "OperationsMetadata", "Contents", "Themes"];

/// A layer as it is listed.
struct Listed {
    id: String,
    title: Title,
    description: Title,
    theme: Option<String>,
    bbox: Option<[f64; 4]>,
    /// None of the base map.
    drawn: Option<Drawn>,
}

impl Listed {
    fn of(drawn: Drawn) -> Listed {
        let layer = &drawn.layer;
        Listed {
            id: layer.id.to_string(),
            title: layer.title.clone(),
            description: layer.description.clone(),
            theme: layer.theme.clone(),
            bbox: extent::told(&drawn),
            drawn: Some(drawn),
        }
    }

    fn base(id: &str) -> Listed {
        let (id, title) = (id.to_owned(), base_title());
        Listed { id, title, description: Title::default(), theme: None, bbox: None, drawn: None }
    }
}

pub fn answer(ask: &Ask, offer: &Offer, sections: Option<&[&str]>) -> Answer {
    let sections: Vec<&str> = sections.unwrap_or(&["All"]).to_vec();
    for section in &sections {
        if !SECTIONS.contains(section) && *section != "All" {
            let known = SECTIONS.join(", ");
            let said = Said::new(format!("章节为 {known}、All"), format!("sections are {known}, All"));
            return Err(Fault::invalid("Sections", said));
        }
    }
    trace::other(&ask.principal, "metadata", "WMTS GetCapabilities");
    let body = document(ask, offer, |name| sections.contains(&"All") || sections.contains(&name))?;
    let etag = weak_etag(&[body.as_bytes()]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    let response: Response = ([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], body).into_response();
    Ok(keep(response, Keep::Private, Some(&etag)))
}

fn layers(ask: &Ask, offer: &Offer) -> Result<Vec<Listed>, Fault> {
    if let Some(only) = &offer.only {
        return Ok(match Named::find(ask, &only.layer, Right::View, "Layer")? {
            Named::Layer(drawn) => vec![Listed::of(*drawn)],
            Named::Base(_) => vec![Listed::base(&only.layer)],
        });
    }
    let based = has_base_map(ask);
    let base = based.then(|| Listed::base(BASE));
    Ok(base.into_iter().chain(drawable(ask).into_iter().map(Listed::of)).collect())
}

fn document(ask: &Ask, offer: &Offer, has: impl Fn(&str) -> bool) -> Result<String, Fault> {
    let layers = layers(ask, offer)?;
    let service = Service::of(ask);
    let mut xml = Xml::document();
    let root = [
        ("version", "1.0.0"),
        ("xmlns", "http://www.opengis.net/wmts/1.0"),
        ("xmlns:ows", "http://www.opengis.net/ows/1.1"),
        ("xmlns:xlink", "http://www.w3.org/1999/xlink"),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        (
            "xsi:schemaLocation",
            "http://www.opengis.net/wmts/1.0 http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd",
        ),
    ];
    xml.element("Capabilities", &root, |xml| {
        if has("ServiceIdentification") {
            service.identification(xml, "OGC WMTS", &["1.0.0"]);
        }
        if has("ServiceProvider") {
            service.provided(xml);
        }
        if has("OperationsMetadata") {
            operations(ask, offer, xml);
        }
        if has("Contents") {
            xml.element("Contents", &[], |xml| {
                layers.iter().for_each(|layer| layer_element(ask, offer, xml, layer));
                match &offer.only {
                    Some(only) => matrix_set(xml, only.set, only.name),
                    None => TileMatrixSet::ALL.into_iter().for_each(|set| matrix_set(xml, set, set.id())),
                }
            });
        }
        if has("Themes") && offer.only.is_none() {
            themes(ask, xml, &layers);
        }
        if offer.only.is_none() {
            let url = ask.carried.url(&format!("{}/ogc/wmts/1.0.0/WMTSCapabilities.xml", ask.base));
            xml.empty("ServiceMetadataURL", &[("xlink:href", &url)]);
        }
    });
    Ok(xml.finish())
}

fn operations(ask: &Ask, offer: &Offer, xml: &mut Xml) {
    let url = endpoint(ask, &offer.path);
    xml.element("ows:OperationsMetadata", &[], |xml| {
        for name in super::OPERATIONS {
            operation(xml, name, &url, None, &[]);
        }
    });
}

fn layer_element(ask: &Ask, offer: &Offer, xml: &mut Xml, layer: &Listed) {
    let pick = |title: &Title| ask.language.pick(title).to_owned();
    let archive = layer.drawn.as_ref().and_then(|drawn| drawn.layer.state().archive.clone());
    xml.element("Layer", &[], |xml| {
        xml.text("ows:Title", &pick(&layer.title));
        xml.some("ows:Abstract", Some(&*pick(&layer.description)).filter(|text| !text.is_empty()));
        if let Some([west, south, east, north]) = layer.bbox.or(ask.app.config.area) {
            xml.element("ows:WGS84BoundingBox", &[], |xml| {
                xml.text("ows:LowerCorner", &format!("{west} {south}"))
                    .text("ows:UpperCorner", &format!("{east} {north}"));
            });
        }
        xml.text("ows:Identifier", &layer.id);
        let styles = layer.drawn.as_ref().map_or_else(
            || vec![(DEFAULT.to_owned(), pick(&layer.title))],
            |drawn| match &offer.only {
                Some(_) => styles(ask, drawn).into_iter().take(1).collect(),
                None => styles(ask, drawn),
            },
        );
        for (name, title) in &styles {
            style(ask, xml, layer, (name, title));
        }
        let formats: &[&str] = match (&offer.only, &layer.drawn) {
            (Some(_), _) => &["tiles", "image/png"],
            (None, Some(_)) => &["image/png", MVT],
            (None, None) => &["image/png"],
        };
        formats.iter().for_each(|format| {
            xml.text("Format", format);
        });
        if layer.drawn.is_some() && archive.is_none() {
            FORMATS.iter().for_each(|format| {
                xml.text("InfoFormat", format);
            });
        }
        match &offer.only {
            Some(only) => link(xml, only.name),
            None => TileMatrixSet::ALL.into_iter().for_each(|set| link(xml, set.id())),
        }
        if offer.only.is_none() {
            resources(ask, xml, layer);
        }
    });
}

fn style(ask: &Ask, xml: &mut Xml, layer: &Listed, (name, title): (&str, &str)) {
    let default = if name == DEFAULT { "true" } else { "false" };
    xml.element("Style", &[("isDefault", default)], |xml| {
        xml.text("ows:Title", title).text("ows:Identifier", name);
        if layer.drawn.is_some() {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("layer", layer.id.as_str()), ("style", name), ("version", "1.3.0")])
                .finish();
            let url = format!("{}/ogc/wms?service=WMS&request=GetLegendGraphic&format=image/png&{query}", ask.base);
            xml.empty("LegendURL", &[("format", "image/png"), ("xlink:href", &ask.carried.url(&url))]);
        }
    });
}

fn link(xml: &mut Xml, set: &str) {
    xml.element("TileMatrixSetLink", &[], |xml| {
        xml.text("TileMatrixSet", set);
    });
}

fn resources(ask: &Ask, xml: &mut Xml, layer: &Listed) {
    let mut template = |format: &str, end: &str| {
        let url = format!(
            "{}/ogc/wmts/1.0.0/{}/{{Style}}/{{TileMatrixSet}}/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.{end}",
            ask.base, layer.id
        );
        let url = ask.carried.url(&url);
        xml.empty("ResourceURL", &[("format", format), ("resourceType", "tile"), ("template", &url)]);
    };
    template("image/png", "png");
    if layer.drawn.is_some() {
        template(MVT, "mvt");
    }
}

/// A tile matrix set as its definition document says it, under the name that it has here.
fn matrix_set(xml: &mut Xml, set: TileMatrixSet, name: &str) {
    let definition = set.definition();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    xml.element("TileMatrixSet", &[], |xml| {
        xml.text("ows:Title", set.title()).text("ows:Identifier", name);
        let (crs, scales) = match set {
            TileMatrixSet::WebMercatorQuad => ("urn:ogc:def:crs:EPSG::3857", Some("GoogleMapsCompatible")),
            TileMatrixSet::WorldCRS84Quad => ("urn:ogc:def:crs:OGC:1.3:CRS84", Some("GoogleCRS84Quad")),
            TileMatrixSet::CGCS2000Quad => ("urn:ogc:def:crs:EPSG::4490", None),
        };
        xml.text("ows:SupportedCRS", crs);
        xml.some("WellKnownScaleSet", scales.map(|name| format!("urn:ogc:def:wkss:OGC:1.0:{name}")).as_deref());
        for matrix in definition["tileMatrices"].as_array().into_iter().flatten() {
            xml.element("TileMatrix", &[], |xml| {
                xml.text("ows:Identifier", &text(&matrix["id"]));
                xml.text("ScaleDenominator", &text(&matrix["scaleDenominator"]));
                let origin = &matrix["pointOfOrigin"];
                xml.text("TopLeftCorner", &format!("{} {}", origin[0], origin[1]));
                xml.text("TileWidth", "256").text("TileHeight", "256");
                xml.text("MatrixWidth", &text(&matrix["matrixWidth"]))
                    .text("MatrixHeight", &text(&matrix["matrixHeight"]));
            });
        }
    });
}

fn themes(ask: &Ask, xml: &mut Xml, layers: &[Listed]) {
    let snapshot = ask.app.catalog.snapshot();
    let of = |id: &str| layers.iter().filter(move |layer| layer.theme.as_deref() == Some(id)).collect::<Vec<_>>();
    let themes: Vec<_> =
        snapshot.themes.iter().map(|theme| (theme, of(&theme.id))).filter(|(_, l)| !l.is_empty()).collect();
    if themes.is_empty() {
        return;
    }
    xml.element("Themes", &[], |xml| {
        for (theme, members) in themes {
            xml.element("Theme", &[], |xml| {
                xml.text("ows:Title", ask.language.pick(&theme.title)).text("ows:Identifier", &theme.id);
                for layer in members {
                    xml.text("LayerRef", &layer.id);
                }
            });
        }
    });
}
