//! Reference systems as WFS clients name them, and the order of axes that each name means.

use crate::geo::crs::{CRS84, Crs, STORAGE_SRID};

/// A reference system under the name that a caller used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srs {
    pub name: String,
    /// `swapped` follows the name.
    pub crs: Crs,
}

impl Srs {
    /// What coordinates are in where nothing is said.
    pub fn default_of() -> Srs {
        Srs { name: urn(Crs::epsg(STORAGE_SRID)), crs: Crs::epsg(STORAGE_SRID) }
    }

    /// URNs and URIs mean the authority's order of axes. The older short names mean longitude (easting) first whatever the authority
    /// says: that is what clients which still use them expect.
    pub fn parse(name: &str) -> Option<Srs> {
        let name = name.trim();
        let crs = match Crs::parse(name).filter(|_| !name.starts_with("EPSG:")) {
            Some(crs) => crs,
            None => older(name)?,
        };
        Some(Srs { name: name.to_owned(), crs })
    }
}

fn older(name: &str) -> Option<Crs> {
    if matches!(name, "CRS:84" | "urn:ogc:def:crs:OGC::CRS84" | "urn:ogc:def:crs:CRS::84") {
        return Some(CRS84);
    }
    // With the version of the register that it was looked up in: `urn:ogc:def:crs:EPSG:6.9:4326`.
    let versioned = name.strip_prefix("urn:ogc:def:crs:EPSG:").or_else(|| name.strip_prefix("urn:x-ogc:def:crs:EPSG:"));
    if let Some(code) = versioned.and_then(|rest| rest.split_once(':')).map(|(_, code)| code) {
        return Crs::parse(&format!("EPSG:{code}"));
    }
    let short = name.strip_prefix("http://www.opengis.net/gml/srs/epsg.xml#");
    let code = short.or_else(|| name.get(..5).filter(|p| p.eq_ignore_ascii_case("EPSG:")).map(|_| &name[5..]))?;
    Crs::parse(&format!("EPSG:{code}")).map(|crs| Crs { swapped: false, ..crs })
}

/// As capabilities name it.
pub fn urn(crs: Crs) -> String {
    match crs == CRS84 {
        true => "urn:ogc:def:crs:OGC:1.3:CRS84".to_owned(),
        false => format!("urn:ogc:def:crs:EPSG::{}", crs.srid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_order_of_axes() {
        for (name, srid, swapped) in [
            ("urn:ogc:def:crs:EPSG::4490", 4490, true),
            ("urn:ogc:def:crs:EPSG:6.9:4326", 4326, true),
            ("urn:x-ogc:def:crs:EPSG:4326:", 0, false),
            ("http://www.opengis.net/def/crs/EPSG/0/4326", 4326, true),
            ("EPSG:4326", 4326, false),
            ("epsg:4490", 4490, false),
            ("http://www.opengis.net/gml/srs/epsg.xml#4326", 4326, false),
            ("urn:ogc:def:crs:OGC:1.3:CRS84", 4326, false),
            ("CRS:84", 4326, false),
            ("urn:ogc:def:crs:EPSG::3857", 3857, false),
            ("urn:ogc:def:crs:EPSG::4528", 4528, true),
            ("nonsense", 0, false),
            ("EPSG:1;drop", 0, false),
        ] {
            let read = Srs::parse(name).map(|srs| (srs.crs.srid, srs.crs.swapped));
            assert_eq!(read.unwrap_or((0, false)), (srid, swapped), "{name}");
        }
    }
}
