//! Addresses of Tianditu, the national map service: `/{layer}_w/wmts`, `/{layer}_c/wmts` and `/DataServer`. A page that was made for
//! it changes its host, and where it says `vec` for the base map and `cva` for its labels it may name any layer. `w` is
//! WebMercatorQuad, `c` is CGCS2000Quad.

use axum::extract::Path;

use super::tile::Address;
use super::{Offer, Only, answer, tile};
use crate::error::Error;
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::Ask;
use crate::http::ows::Answer;
use crate::http::ows::exception::Fault;
use crate::http::ows::kvp::Kvp;

/// `GET /{grid}/wmts`, such as `/vec_w/wmts`
pub async fn wmts(mut ask: Ask, Path(grid): Path<String>) -> Answer {
    let kvp = Kvp::of(std::mem::take(&mut ask.parameters));
    let only = named(&grid).ok_or_else(|| {
        Fault::new(Error::not_found("没有这个地址", "there is nothing at this address")).hint(
            "地址形如 /图层_w/wmts（球面墨卡托）或 /图层_c/wmts（经纬度）；标准 WMTS 在 /ogc/wmts",
            "addresses are /layer_w/wmts (Web Mercator) or /layer_c/wmts (degrees); the standard's WMTS is at /ogc/wmts",
        )
    })?;
    let offer = Offer { path: format!("/{grid}/wmts"), only: Some(only) };
    answer(ask, &kvp, &offer).await
}

/// `GET /DataServer?T=vec_w&x=&y=&l=`
pub async fn data_server(mut ask: Ask) -> Answer {
    let kvp = Kvp::of(std::mem::take(&mut ask.parameters));
    let grid = kvp.required("t")?;
    let only = named(grid).ok_or_else(|| {
        Fault::new(Error::invalid(
            "T",
            "T 应为 图层_w 或 图层_c",
            "T is a layer with _w or _c at its end, such as vec_w",
        ))
    })?;
    let required = |name: &str| kvp.required(name).map(str::to_owned);
    let address = Address {
        layer: only.layer.clone(),
        style: String::new(),
        set: only.name.to_owned(),
        z: required("l")?,
        row: required("y")?,
        column: required("x")?,
        format: "tiles".into(),
    };
    let offer = Offer { path: "/DataServer".into(), only: Some(only) };
    tile::get(ask, &kvp, &address, &offer).await
}

/// A layer and its grid.
fn named(grid: &str) -> Option<Only> {
    let (layer, name) = grid.rsplit_once('_').filter(|(layer, _)| !layer.is_empty())?;
    let (set, name) = match name {
        "w" => (TileMatrixSet::WebMercatorQuad, "w"),
        "c" => (TileMatrixSet::CGCS2000Quad, "c"),
        _ => return None,
    };
    Some(Only { layer: layer.to_owned(), set, name })
}
