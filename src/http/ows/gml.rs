//! Features found at a point as GML 2 (02-069), which every desktop client reads; WFS has GML 3.2.

use serde_json::Value;

use super::found::Found;
use super::names::{NAMESPACE, PREFIX, encode, geometry as geometry_name};
use super::xml::Xml;

const NAMESPACES: [(&str, &str); 4] = [
    ("xmlns", "http://www.opengis.net/wfs"),
    ("xmlns:wfs", "http://www.opengis.net/wfs"),
    ("xmlns:gml", "http://www.opengis.net/gml"),
    ("xmlns:onemap", NAMESPACE),
];
/// Longitude first, as GML 2 has it.
const SRS: (&str, &str) = ("srsName", "http://www.opengis.net/gml/srs/epsg.xml#4326");

pub fn collection(found: &[Found<'_>]) -> String {
    let mut xml = Xml::document();
    xml.element("FeatureCollection", &NAMESPACES, |xml| {
        for f in found {
            for feature in &f.features {
                xml.element("gml:featureMember", &[], |xml| member(xml, f, feature));
            }
        }
    });
    xml.finish()
}

fn member(xml: &mut Xml, f: &Found<'_>, feature: &Value) {
    // Named as WFS names them.
    let layer = encode(&f.drawn.layer.id);
    let id = format!("{layer}.{}", feature["id"]);
    xml.element(&format!("{PREFIX}:{layer}"), &[("fid", &id)], |xml| {
        let value = &feature["geometry"];
        if value.is_object() {
            let name = format!("{PREFIX}:{}", geometry_name(f.drawn.layer.state()));
            xml.element(&name, &[], |xml| geometry(xml, value, true));
        }
        for field in &f.fields {
            let value = &feature["properties"][&field.name];
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            xml.text(&format!("{PREFIX}:{}", encode(&field.name)), &text);
        }
    });
}

fn geometry(xml: &mut Xml, value: &Value, outer: bool) {
    let srs: &[(&str, &str)] = if outer { &[SRS] } else { &[] };
    let coordinates = &value["coordinates"];
    let parts = || coordinates.as_array().map_or(&[][..], Vec::as_slice);
    let multiple = |xml: &mut Xml, name: &str, member: &str, single: &str| {
        xml.element(name, srs, |xml| {
            for part in parts() {
                let part = serde_json::json!({"type": single, "coordinates": part});
                xml.element(member, &[], |xml| geometry(xml, &part, false));
            }
        });
    };
    match value["type"].as_str().unwrap_or_default() {
        "Point" => {
            xml.element("gml:Point", srs, |xml| line(xml, std::slice::from_ref(coordinates)));
        }
        "LineString" => {
            xml.element("gml:LineString", srs, |xml| line(xml, parts()));
        }
        "Polygon" => {
            xml.element("gml:Polygon", srs, |xml| {
                for (i, ring) in parts().iter().enumerate() {
                    let name = if i == 0 { "gml:outerBoundaryIs" } else { "gml:innerBoundaryIs" };
                    xml.element(name, &[], |xml| {
                        xml.element("gml:LinearRing", &[], |xml| {
                            line(xml, ring.as_array().map_or(&[][..], Vec::as_slice))
                        });
                    });
                }
            });
        }
        "MultiPoint" => multiple(xml, "gml:MultiPoint", "gml:pointMember", "Point"),
        "MultiLineString" => multiple(xml, "gml:MultiLineString", "gml:lineStringMember", "LineString"),
        "MultiPolygon" => multiple(xml, "gml:MultiPolygon", "gml:polygonMember", "Polygon"),
        _ => {
            xml.element("gml:MultiGeometry", srs, |xml| {
                for part in value["geometries"].as_array().into_iter().flatten() {
                    xml.element("gml:geometryMember", &[], |xml| geometry(xml, part, false));
                }
            });
        }
    }
}

/// `x,y x,y`
fn line(xml: &mut Xml, points: &[Value]) {
    let pair = |point: &Value| format!("{},{}", point[0], point[1]);
    xml.text("gml:coordinates", &points.iter().map(pair).collect::<Vec<_>>().join(" "));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn geometries_keep_their_holes_and_parts() {
        let mut xml = Xml::default();
        let ring = json!([[0, 0], [1, 0], [1, 1], [0, 0]]);
        geometry(&mut xml, &json!({"type": "MultiPolygon", "coordinates": [[ring, ring]]}), true);
        let text = xml.finish();
        assert!(text.starts_with("<gml:MultiPolygon srsName=") && text.contains("innerBoundaryIs"));
        assert!(text.contains("<gml:coordinates>0,0 1,0 1,1 0,0</gml:coordinates>"));
    }
}
