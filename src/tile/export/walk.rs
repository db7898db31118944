//! Which tiles there are: from the box of the layer downwards, and not below a tile under which there is nothing.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use pmtiles::{TileCoord as Place, TileId};

use super::sink::Sink;
use super::{Exported, Step};
use crate::access::datastore::Datastore;
use crate::error::{Error, Result};
use crate::geo::bbox::Bbox;
use crate::geo::tms::{TileCoord, TileMatrixSet, degrees};
use crate::layer::select::{self, Selection};
use crate::tile::render::{Drawn, Picture, Tiles};

/// Tiles of one zoom at most: their places are all that an export keeps in memory.
const MOST_TILES: usize = 1_000_000;
/// Tiles drawn at once: one is drawn while another waits for the database.
const AT_ONCE: usize = 2;
/// How far beyond its edge a tile is drawn, in tiles.
const MARGIN: f64 = 64.0 / 4096.0;

pub struct Walk<'a> {
    pub tiles: &'a Tiles,
    pub store: &'a Datastore,
    pub drawn: &'a Drawn,
    pub sink: &'a Sink,
}

/// What a walk came by.
#[derive(Default)]
pub struct Walked {
    pub exported: Exported,
    /// The deepest zoom with tiles, and their columns and rows: west, north, east, south.
    reach: Option<(u8, [u32; 4])>,
}

pub type Tell<'a> = &'a mut (dyn FnMut(Step) -> Result<()> + Send);

impl Walk<'_> {
    pub async fn zooms(&self, minzoom: u8, maxzoom: u8, tell: Tell<'_>) -> Result<Walked> {
        // Without a box (a table of somebody else) the way leads from the whole world down.
        let first = if self.drawn.layer.state().bbox.is_some() { minzoom } else { 0 };
        let mut walked = Walked::default();
        let mut here = self.within(first)?;
        for zoom in first..=maxzoom {
            here = self.zoom(zoom, here, (zoom >= minzoom, zoom == maxzoom), &mut walked, tell).await?;
        }
        Ok(walked)
    }

    /// Goes through the tiles `here` of a zoom; what comes back are those below.
    async fn zoom(
        &self,
        zoom: u8,
        here: Vec<u64>,
        (draw, last): (bool, bool),
        walked: &mut Walked,
        tell: Tell<'_>,
    ) -> Result<Vec<u64>> {
        let (mut below, total, mut done) = (Vec::new(), here.len() as u64, 0);
        let looks = stream::iter(here.into_iter().map(|id| self.look(id, draw, last)));
        let mut looks = std::pin::pin!(looks.buffered(AT_ONCE));
        while let Some((at, bytes, descend)) = looks.try_next().await? {
            if !bytes.is_empty() {
                walked.saw(at, bytes.len());
                self.sink.add(at, bytes).await?;
            }
            if descend {
                below.extend(self.children(at)?);
                if below.len() > MOST_TILES {
                    return Err(too_many(zoom));
                }
            }
            done += 1;
            tell(Step { zoom, done, total, bytes: walked.exported.bytes })?;
        }
        below.sort_unstable();
        Ok(below)
    }

    /// Draws a tile, and says whether there may be anything in those below it.
    async fn look(&self, id: u64, draw: bool, last: bool) -> Result<(Place, Bytes, bool)> {
        let at = Place::from(TileId::new(id).map_err(Error::internal)?);
        let tile = tile(at)?;
        let bytes = match draw {
            true => self.tiles.gzip(std::slice::from_ref(self.drawn), &Picture::of(tile)).await?,
            false => Bytes::new(),
        };
        let descend = !last && (!bytes.is_empty() || self.holds_anything(tile).await?);
        Ok((at, bytes, descend))
    }

    /// Whether any feature lies in the tile: one that is drawn empty may only be too coarse for what is in it.
    async fn holds_anything(&self, tile: TileCoord) -> Result<bool> {
        let layer = &self.drawn.layer;
        if layer.state().archive.is_some() {
            // Its zooms may have gaps; what is not there is found out at no cost.
            return Ok(true);
        }
        let [west, south, east, north] = tile.extent();
        let margin = (east - west) * MARGIN;
        let (w, s) = degrees(west - margin, south - margin);
        let (e, n) = degrees(east + margin, north + margin);
        let bbox = Bbox { west: w.max(-180.0), south: s, east: e.min(180.0), north: n };
        let wanted = Selection { bbox: Some((bbox, 4490)), ..Selection::default() };
        let sql = select::count(layer, &self.drawn.grant, &wanted);
        Ok(self.store.read(&self.drawn.grant).await?.one::<i64>(&sql).await? > 0)
    }

    fn children(&self, at: Place) -> Result<Vec<u64>> {
        let z = at.z() + 1;
        let range = self.range(z);
        let mut ids = Vec::with_capacity(4);
        for (dx, dy) in [(0, 0), (0, 1), (1, 1), (1, 0)] {
            let (x, y) = (at.x() * 2 + dx, at.y() * 2 + dy);
            if (range[0]..=range[2]).contains(&x) && (range[1]..=range[3]).contains(&y) {
                ids.push(TileId::from(Place::new(z, x, y).map_err(Error::internal)?).value());
            }
        }
        Ok(ids)
    }

    fn within(&self, z: u8) -> Result<Vec<u64>> {
        let [w, n, e, s] = self.range(z);
        if u64::from(e - w + 1) * u64::from(s - n + 1) > MOST_TILES as u64 {
            return Err(too_many(z));
        }
        let places = (n..=s).flat_map(|y| (w..=e).map(move |x| Place::new(z, x, y)));
        let mut ids: Vec<u64> =
            places.map(|p| p.map(|p| TileId::from(p).value())).collect::<Result<_, _>>().map_err(Error::internal)?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// The columns and rows that the layer's box reaches, with the margin that is drawn beyond a tile's edge.
    fn range(&self, z: u8) -> [u32; 4] {
        let last = (1u32 << z) - 1;
        let Some([west, south, east, north]) = self.drawn.layer.state().bbox else { return [0, 0, last, last] };
        let side = f64::from(1u32 << z);
        let column = |lon: f64| (lon / 360.0 + 0.5) * side;
        let row = |lat: f64| {
            let sine = lat.clamp(-85.06, 85.06).to_radians().sin();
            (0.5 - ((1.0 + sine) / (1.0 - sine)).ln() / (4.0 * std::f64::consts::PI)) * side
        };
        // A float beyond the range saturates.
        let whole = |v: f64| (v.floor() as u32).min(last);
        [
            whole(column(west) - MARGIN),
            whole(row(north) - MARGIN),
            whole(column(east) + MARGIN),
            whole(row(south) + MARGIN),
        ]
    }
}

impl Walked {
    fn saw(&mut self, at: Place, bytes: usize) {
        self.exported.tiles += 1;
        self.exported.bytes += bytes as u64;
        let (x, y) = (at.x(), at.y());
        self.reach = Some(match self.reach {
            Some((z, [w, n, e, s])) if z == at.z() => (z, [w.min(x), n.min(y), e.max(x), s.max(y)]),
            _ => (at.z(), [x, y, x, y]),
        });
    }

    /// The box of the deepest tiles.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let (z, [w, n, e, s]) = self.reach?;
        let extent = |x, y| TileMatrixSet::WebMercatorQuad.tile(z.into(), x, y).map(TileCoord::extent);
        let ([left, _, _, top], [_, bottom, right, _]) = (extent(w, n)?, extent(e, s)?);
        let ((west, north), (east, south)) = (degrees(left, top), degrees(right, bottom));
        Some([west, south, east, north])
    }
}

fn tile(at: Place) -> Result<TileCoord> {
    TileMatrixSet::WebMercatorQuad
        .tile(at.z().into(), at.x(), at.y())
        .ok_or_else(|| Error::internal("a tile outside of its matrix"))
}

fn too_many(zoom: u8) -> Error {
    Error::too_large(
        format!("第 {zoom} 级的瓦片超过 {MOST_TILES} 个"),
        format!("zoom {zoom} has more than {MOST_TILES} tiles"),
    )
    .hint("请降低最大级别", "lower the highest zoom")
}
