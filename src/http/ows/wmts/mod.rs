//! Web Map Tile Service 1.0.0 (07-057r7): by parameters and by paths; and the addresses of pages that were made for Tianditu.

mod capabilities;
pub mod tianditu;
mod tile;

use axum::extract::Path;

use super::Answer;
use super::exception::{Code, Fault};
use super::kvp::{Kvp, no_operation};
use crate::error::Said;
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::Ask;
use tile::Address;

const OPERATIONS: [&str; 3] = ["GetCapabilities", "GetTile", "GetFeatureInfo"];

/// Which layers a service has, and how it names their tile matrix sets: all of them as the standard does, or one as Tianditu does.
pub struct Offer {
    /// Where requests go.
    pub path: String,
    pub only: Option<Only>,
}

/// A service of one layer in one tile matrix set.
#[derive(Clone)]
pub struct Only {
    pub layer: String,
    pub set: TileMatrixSet,
    /// `w` or `c`.
    pub name: &'static str,
}

impl Offer {
    fn standard() -> Offer {
        Offer { path: "/ogc/wmts".into(), only: None }
    }

    /// A tile matrix set by its name here: its own, the scale set's that clients know it by, or Tianditu's.
    fn set(&self, name: &str) -> Option<TileMatrixSet> {
        let named = match name {
            "GoogleMapsCompatible" | "w" => Some(TileMatrixSet::WebMercatorQuad),
            "GoogleCRS84Quad" => Some(TileMatrixSet::WorldCRS84Quad),
            "c" => Some(TileMatrixSet::CGCS2000Quad),
            other => TileMatrixSet::parse(other),
        };
        named.filter(|set| self.only.as_ref().is_none_or(|only| only.set == *set))
    }
}

/// `GET /ogc/wmts`, `GET /wmts`
pub async fn kvp(mut ask: Ask) -> Answer {
    let kvp = Kvp::of(std::mem::take(&mut ask.parameters));
    answer(ask, &kvp, &Offer::standard()).await
}

async fn answer(ask: Ask, kvp: &Kvp, offer: &Offer) -> Answer {
    kvp.service("WMTS")?;
    let operation = kvp.request()?.to_ascii_lowercase();
    if operation != "getcapabilities" && !kvp.is_or_absent("version", "1.0.0")? {
        return Err(Fault::invalid("version", Said::new("WMTS 的版本为 1.0.0", "the version of this WMTS is 1.0.0")));
    }
    match operation.as_str() {
        "getcapabilities" => {
            negotiate(kvp)?;
            capabilities::answer(&ask, offer, kvp.list("sections")?.as_deref())
        }
        "gettile" => tile::get(ask, kvp, &Address::take(kvp, offer)?, offer).await,
        "getfeatureinfo" => tile::info(&ask, kvp, &Address::take(kvp, offer)?, offer).await,
        other => Err(no_operation(other, &OPERATIONS)),
    }
}

fn negotiate(kvp: &Kvp) -> Result<(), Fault> {
    match kvp.list("acceptversions")? {
        Some(versions) if !versions.contains(&"1.0.0") => {
            let said = Said::new("WMTS 的版本为 1.0.0", "the version of this WMTS is 1.0.0");
            Err(Fault::invalid("AcceptVersions", said).code(Code::VersionNegotiationFailed))
        }
        _ => Ok(()),
    }
}

/// `GET /ogc/wmts/1.0.0/WMTSCapabilities.xml`
pub async fn rest_capabilities(ask: Ask) -> Answer {
    capabilities::answer(&ask, &Offer::standard(), None)
}

/// `GET /ogc/wmts/1.0.0/{layer}/{style}/{set}/{z}/{row}/{column}`, the column with the format's ending.
pub async fn rest_tile(
    mut ask: Ask,
    Path((layer, style, set, z, row, column)): Path<(String, String, String, String, String, String)>,
) -> Answer {
    // What has no ending is looked at after the permission to know of the layer.
    let (column, format) = column.rsplit_once('.').unwrap_or((&column, ""));
    let offer = Offer::standard();
    let address = Address { layer, style, set, z, row, column: column.to_owned(), format: format.to_owned() };
    let kvp = Kvp::of(std::mem::take(&mut ask.parameters));
    tile::get(ask, &kvp, &address, &offer).await
}
