//! GetCapabilities of WMS, in both versions: the layers that the caller may read, by theme.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::request::{MOST_LAYERS, MOST_PIXELS, Version};
use crate::access::trace;
use crate::geo::crs::{CRS84, Crs};
use crate::geo::plane::Plane;
use crate::http::ask::Ask;
use crate::http::cache_policy::{Keep, keep, not_modified, weak_etag};
use crate::http::ows::choice::temporal_field;
use crate::http::ows::drawing::{BASE, DEFAULT, base_title, drawable, has_base_map, styles};
use crate::http::ows::exception::Fault;
use crate::http::ows::found::FORMATS;
use crate::http::ows::kvp::Kvp;
use crate::http::ows::service::{Service, endpoint};
use crate::http::ows::xml::Xml;
use crate::http::ows::{Answer, extent};
use crate::layer::model::Title;
use crate::tile::render::Drawn;

const XLINK: (&str, &str) = ("xmlns:xlink", "http://www.w3.org/1999/xlink");
const SIMPLE: (&str, &str) = ("xlink:type", "simple");
pub const MAP_FORMATS: [&str; 3] = ["image/png", "image/png; mode=8bit", "image/jpeg"];
/// 1 : this, at zoom 0 of MapLibre: a pixel is 0.28 mm.
const SCALE_AT_0: f64 = 279_541_132.014_358_76;

pub fn answer(ask: &Ask, kvp: &Kvp) -> Answer {
    let version = Version::negotiate(kvp)?;
    trace::other(&ask.principal, "metadata", "WMS GetCapabilities");
    let (body, media) = (document(ask, version)?, media(version));
    let etag = weak_etag(&[body.as_bytes()]);
    if let Some(response) = not_modified(&ask.headers, &etag, Keep::Private) {
        return Ok(response);
    }
    let response: Response = ([(header::CONTENT_TYPE, media)], body).into_response();
    Ok(keep(response, Keep::Private, Some(&etag)))
}

fn media(version: Version) -> &'static str {
    match version {
        Version::V130 => "text/xml; charset=utf-8",
        Version::V111 => "application/vnd.ogc.wms_xml; charset=utf-8",
    }
}

fn document(ask: &Ask, version: Version) -> Result<String, Fault> {
    let layers = drawable(ask);
    let whole = extent::of_all(ask, &layers);
    let writer = Writer { ask, version, offered: extent::offered(ask, whole) };
    let mut xml = Xml::document();
    let root = match version {
        Version::V130 => vec![
            ("version", "1.3.0"),
            ("xmlns", "http://www.opengis.net/wms"),
            ("xmlns:sld", "http://www.opengis.net/sld"),
            XLINK,
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            (
                "xsi:schemaLocation",
                "http://www.opengis.net/wms http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd",
            ),
        ],
        Version::V111 => vec![("version", "1.1.1"), XLINK],
    };
    let name = if version == Version::V130 { "WMS_Capabilities" } else { "WMT_MS_Capabilities" };
    let based = has_base_map(ask);
    xml.element(name, &root, |xml| {
        writer.service(xml);
        xml.element("Capability", &[], |xml| {
            writer.requests(xml);
            writer.exceptions(xml);
            writer.root_layer(xml, &layers, whole, based);
        });
    });
    Ok(xml.finish())
}

struct Writer<'a> {
    ask: &'a Ask,
    version: Version,
    offered: Vec<Crs>,
}

impl Writer<'_> {
    fn is_130(&self) -> bool {
        self.version == Version::V130
    }

    fn service(&self, xml: &mut Xml) {
        let service = Service::of(self.ask);
        xml.element("Service", &[], |xml| {
            xml.text("Name", if self.is_130() { "WMS" } else { "OGC:WMS" });
            xml.text("Title", service.title).text("Abstract", service.description);
            xml.element("KeywordList", &[], |xml| {
                service.keywords.iter().for_each(|word| {
                    xml.text("Keyword", word);
                });
            });
            xml.empty("OnlineResource", &[SIMPLE, ("xlink:href", &self.ask.base)]);
            self.contact(xml, &service);
            xml.text("Fees", "none").text("AccessConstraints", "none");
            if self.is_130() {
                xml.text("LayerLimit", &MOST_LAYERS.to_string());
                xml.text("MaxWidth", &MOST_PIXELS.to_string()).text("MaxHeight", &MOST_PIXELS.to_string());
            }
        });
    }

    fn contact(&self, xml: &mut Xml, service: &Service<'_>) {
        let p = service.provider;
        xml.element("ContactInformation", &[], |xml| {
            xml.element("ContactPersonPrimary", &[], |xml| {
                xml.text("ContactPerson", p.contact_name.as_deref().unwrap_or_default());
                xml.text("ContactOrganization", service.name());
            });
            xml.some("ContactVoiceTelephone", p.contact_phone.as_deref());
            xml.some("ContactElectronicMailAddress", p.contact_email.as_deref());
        });
    }

    fn requests(&self, xml: &mut Xml) {
        let capabilities = if self.is_130() { "text/xml" } else { "application/vnd.ogc.wms_xml" };
        xml.element("Request", &[], |xml| {
            self.operation(xml, "GetCapabilities", &[capabilities]);
            self.operation(xml, "GetMap", &MAP_FORMATS);
            self.operation(xml, "GetFeatureInfo", &FORMATS);
            // In 1.3.0 they are extensions, of the namespace of SLD.
            let extension = |name: &str| if self.is_130() { format!("sld:{name}") } else { name.to_owned() };
            self.operation(xml, &extension("DescribeLayer"), &["text/xml"]);
            self.operation(xml, &extension("GetLegendGraphic"), &["image/png", "application/json"]);
        });
    }

    fn operation(&self, xml: &mut Xml, name: &str, formats: &[&str]) {
        let url = endpoint(self.ask, "/ogc/wms");
        xml.element(name, &[], |xml| {
            formats.iter().for_each(|format| {
                xml.text("Format", format);
            });
            xml.element("DCPType", &[], |xml| {
                xml.element("HTTP", &[], |xml| {
                    for method in ["Get", "Post"] {
                        xml.element(method, &[], |xml| {
                            xml.empty("OnlineResource", &[SIMPLE, ("xlink:href", &url)]);
                        });
                    }
                });
            });
        });
    }

    fn exceptions(&self, xml: &mut Xml) {
        let formats = match self.version {
            Version::V130 => ["XML", "INIMAGE", "BLANK"],
            Version::V111 => {
                ["application/vnd.ogc.se_xml", "application/vnd.ogc.se_inimage", "application/vnd.ogc.se_blank"]
            }
        };
        xml.element("Exception", &[], |xml| {
            formats.iter().for_each(|format| {
                xml.text("Format", format);
            });
        });
        if !self.is_130() {
            let none = [("SupportSLD", "0"), ("UserLayer", "0"), ("UserStyle", "0"), ("RemoteWFS", "0")];
            xml.empty("UserDefinedSymbolization", &none);
        }
    }

    fn root_layer(&self, xml: &mut Xml, layers: &[Drawn], whole: [f64; 4], based: bool) {
        let service = Service::of(self.ask);
        xml.element("Layer", &[], |xml| {
            xml.text("Title", service.title);
            let name = if self.is_130() { "CRS" } else { "SRS" };
            for crs in self.offered.iter().filter(|crs| self.is_130() || **crs != CRS84) {
                xml.text(name, &code(*crs));
            }
            self.boxes(xml, whole);
            if based {
                self.base(xml);
            }
            for (title, members) in self.themes(layers) {
                xml.element("Layer", &[], |xml| {
                    xml.text("Title", &title);
                    for drawn in members {
                        self.layer(xml, drawn);
                    }
                });
            }
        });
    }

    /// The layers by theme in the themes' order; those without one last.
    fn themes<'a>(&self, layers: &'a [Drawn]) -> Vec<(String, Vec<&'a Drawn>)> {
        let snapshot = self.ask.app.catalog.snapshot();
        let mut groups: Vec<(Option<String>, Title)> =
            snapshot.themes.iter().map(|theme| (Some(theme.id.clone()), theme.title.clone())).collect();
        groups.push((None, Title { zh: "其他".into(), en: "Others".into() }));
        let known = |theme: &Option<String>| groups.iter().any(|(id, _)| id == theme);
        let of = |group: &Option<String>| -> Vec<&'a Drawn> {
            let belongs = |theme: &Option<String>| theme == group || (group.is_none() && !known(theme));
            layers.iter().filter(|drawn| belongs(&drawn.layer.theme)).collect()
        };
        let named = groups.iter().map(|(id, title)| (self.ask.language.pick(title).to_owned(), of(id)));
        named.filter(|(_, members)| !members.is_empty()).collect()
    }

    fn base(&self, xml: &mut Xml) {
        xml.element("Layer", &[("queryable", "0"), ("opaque", "1")], |xml| {
            let title = base_title();
            xml.text("Name", BASE).text("Title", self.ask.language.pick(&title));
            self.style(xml, BASE, (DEFAULT, self.ask.language.pick(&title)), false);
        });
    }

    fn layer(&self, xml: &mut Xml, drawn: &Drawn) {
        let (layer, state) = (&drawn.layer, drawn.layer.state());
        let title = self.ask.language.pick(&layer.title);
        let queryable = if state.archive.is_none() { "1" } else { "0" };
        xml.element("Layer", &[("queryable", queryable), ("opaque", "0")], |xml| {
            xml.text("Name", &layer.id).text("Title", title);
            let description = self.ask.language.pick(&layer.description);
            xml.some("Abstract", Some(description).filter(|text| !text.is_empty()));
            xml.element("KeywordList", &[], |xml| {
                xml.text("Keyword", &layer.department);
                xml.some("Keyword", layer.theme.as_deref());
            });
            // A grant on a part of the layer must not tell how far the whole reaches.
            if let Some(bbox) = extent::told(drawn) {
                self.boxes(xml, bbox);
            }
            self.dimension(xml, drawn);
            xml.element("Attribution", &[], |xml| {
                let department = crate::http::ogc::common::department_title(self.ask, &layer.department);
                xml.text("Title", self.ask.language.pick(&department));
            });
            if state.archive.is_none() {
                let items =
                    self.ask.carried.url(&format!("{}/ogc/collections/{}/items?f=json", self.ask.base, layer.id));
                xml.element("DataURL", &[], |xml| {
                    xml.text("Format", "application/geo+json");
                    xml.empty("OnlineResource", &[SIMPLE, ("xlink:href", &items)]);
                });
            }
            for (name, title) in styles(self.ask, drawn) {
                self.style(xml, &layer.id, (&name, &title), true);
            }
            self.scales(xml, drawn);
        });
    }

    /// From which scale on there is something: an archive's tiles begin somewhere.
    fn scales(&self, xml: &mut Xml, drawn: &Drawn) {
        let minzoom = drawn.layer.state().archive.as_ref().map_or(0, |archive| archive.minzoom);
        if minzoom == 0 {
            return;
        }
        let scale = SCALE_AT_0 / f64::from(1u32 << minzoom.min(30));
        match self.version {
            Version::V130 => {
                xml.text("MaxScaleDenominator", &scale.to_string());
            }
            // The diagonal of a pixel, in metres on the ground.
            Version::V111 => {
                let hint = scale * 0.000_28 * std::f64::consts::SQRT_2;
                xml.empty("ScaleHint", &[("min", "0"), ("max", &hint.to_string())]);
            }
        }
    }

    fn style(&self, xml: &mut Xml, layer: &str, (name, title): (&str, &str), legend: bool) {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("layer", layer), ("style", name), ("version", self.version.name())])
            .finish();
        let url = format!("{}/ogc/wms?service=WMS&request=GetLegendGraphic&format=image/png&{query}", self.ask.base);
        let url = self.ask.carried.url(&url);
        xml.element("Style", &[], |xml| {
            xml.text("Name", name).text("Title", title);
            if legend {
                // How large it is only drawing it tells: 1.3.0 leaves it out, the DTD of 1.1.1 wants numbers.
                let size: &[(&str, &str)] = if self.is_130() { &[] } else { &[("width", "200"), ("height", "40")] };
                xml.element("LegendURL", size, |xml| {
                    xml.text("Format", "image/png");
                    xml.empty("OnlineResource", &[SIMPLE, ("xlink:href", &url)]);
                });
            }
        });
    }

    fn dimension(&self, xml: &mut Xml, drawn: &Drawn) {
        let field = temporal_field(drawn);
        let Some((first, last)) = field.and_then(|field| self.ask.app.tiles.span(drawn, field)) else { return };
        let values = format!("{first}/{last}/P1D");
        let multiple = ("multipleValues", "1");
        match self.version {
            Version::V130 => {
                xml.leaf("Dimension", &[("name", "time"), ("units", "ISO8601"), multiple], &values);
            }
            Version::V111 => {
                xml.empty("Dimension", &[("name", "time"), ("units", "ISO8601")]);
                xml.leaf("Extent", &[("name", "time"), multiple], &values);
            }
        }
    }

    /// The box in degrees and in every CRS.
    fn boxes(&self, xml: &mut Xml, [west, south, east, north]: [f64; 4]) {
        let text = |v: f64| v.to_string();
        // An extent may end a rounding beyond the globe.
        let (west, east) = (west.max(-180.0), east.min(180.0));
        let (south, north) = (south.max(-90.0), north.min(90.0));
        match self.version {
            Version::V130 => {
                xml.element("EX_GeographicBoundingBox", &[], |xml| {
                    xml.text("westBoundLongitude", &text(west)).text("eastBoundLongitude", &text(east));
                    xml.text("southBoundLatitude", &text(south)).text("northBoundLatitude", &text(north));
                });
            }
            Version::V111 => {
                let corners = [("minx", west), ("miny", south), ("maxx", east), ("maxy", north)];
                let corners = corners.map(|(name, v)| (name, text(v)));
                let corners: Vec<(&str, &str)> = corners.iter().map(|(name, v)| (*name, v.as_str())).collect();
                xml.empty("LatLonBoundingBox", &corners);
            }
        }
        for crs in &self.offered {
            if !self.is_130() && *crs == CRS84 {
                continue;
            }
            let Some(bbox) = Plane::of(crs.srid).and_then(|plane| plane.bbox([west, south, east, north])) else {
                continue;
            };
            let [a, b, c, d] = if self.is_130() && crs.swapped { [bbox[1], bbox[0], bbox[3], bbox[2]] } else { bbox };
            let [a, b, c, d] = [a, b, c, d].map(text);
            let code = code(*crs);
            let name = if self.is_130() { "CRS" } else { "SRS" };
            xml.empty("BoundingBox", &[(name, &code), ("minx", &a), ("miny", &b), ("maxx", &c), ("maxy", &d)]);
        }
    }
}

/// As WMS names a CRS.
fn code(crs: Crs) -> String {
    if crs == CRS84 { "CRS:84".to_owned() } else { format!("EPSG:{}", crs.srid) }
}
