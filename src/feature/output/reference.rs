//! The reference system of a file, by the texts that formats want of it.

use gdal::spatial_ref::SpatialRef;

use crate::error::{Error, Result};
use crate::geo::china;
use crate::geo::crs::Crs;

/// A system whose coordinates are shifted on purpose, for maps that are drawn in it. Never given out unless asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum {
    Gcj02,
    Bd09,
}

impl Datum {
    pub fn parse(name: &str) -> Option<Datum> {
        [Datum::Gcj02, Datum::Bd09].into_iter().find(|d| d.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Datum::Gcj02 => "gcj02",
            Datum::Bd09 => "bd09",
        }
    }

    /// From degrees of CGCS2000 or WGS 84.
    pub fn shift(self, lon: f64, lat: f64) -> (f64, f64) {
        match self {
            Datum::Gcj02 => china::wgs84_to_gcj02(lon, lat),
            Datum::Bd09 => china::wgs84_to_bd09(lon, lat),
        }
    }

    /// A text that a program takes for degrees of a system that it does not know, which is what they are.
    fn text(self) -> (String, String) {
        let name = match self {
            Datum::Gcj02 => "GCJ-02 (shifted, for display only)",
            Datum::Bd09 => "BD-09 (shifted, for display only)",
        };
        let datum = self.name().to_uppercase();
        let wkt = format!(
            "GEOGCS[\"{name}\",DATUM[\"D_{datum}_shifted\",SPHEROID[\"CGCS2000\",6378137.0,298.257222101]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]]"
        );
        (name.to_owned(), wkt)
    }
}

/// What files say of a reference system.
pub fn describe(crs: Crs, datum: Option<Datum>) -> Result<onemap_formats::Crs> {
    if let Some(datum) = datum {
        let (name, wkt) = datum.text();
        let (esri, shifted) = (wkt.clone(), Some(datum.name()));
        return Ok(onemap_formats::Crs { epsg: None, name, wkt, esri, geographic: true, shifted });
    }
    let known = SpatialRef::from_epsg(crs.srid as u32).map_err(Error::internal)?;
    let name = known.name().unwrap_or_else(|| format!("EPSG:{}", crs.srid));
    let wkt = known.to_wkt().map_err(Error::internal)?;
    known.morph_to_esri().map_err(Error::internal)?;
    let esri = known.to_wkt().map_err(Error::internal)?;
    Ok(onemap_formats::Crs { epsg: Some(crs.srid), name, wkt, esri, geographic: crs.is_geographic(), shifted: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_have_the_names_that_others_know_them_by() {
        let cgcs = describe(Crs::epsg(4490), None).unwrap();
        assert!(cgcs.esri.starts_with("GEOGCS[\"GCS_China_Geodetic_Coordinate_System_2000\",DATUM[\"D_China_2000\""));
        let zone = describe(Crs::epsg(4549), None).unwrap();
        assert_eq!(zone.name, "CGCS2000 / 3-degree Gauss-Kruger CM 120E");
        assert!(zone.esri.contains("CGCS2000_3_Degree_GK_CM_120E") && !zone.geographic, "{}", zone.esri);
        let shifted = describe(Crs::epsg(4490), Some(Datum::Bd09)).unwrap();
        assert!(shifted.epsg.is_none() && shifted.wkt.contains("BD-09 (shifted"));
    }
}
