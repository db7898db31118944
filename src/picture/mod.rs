//! Pictures of layers: MapLibre styles drawn over our own vector tiles. What a grant shows of fields, rows and area is in the tiles
//! already, and so is the thinning of low zooms; a picture never looks at rows.

pub mod encode;
mod notice;
mod projection;
pub mod sheet;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use moka::future::Cache;
use onemap_paint::{Fonts, Grid, Placement, Problem, Sprites, Style};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use ttf_parser::Face;
use xxhash_rust::xxh3::Xxh3Default;

use crate::access::trace;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::geo::tms::{TileCoord, TileMatrixSet};
use crate::style::{glyphs, legend, sprites};
use crate::tile::encoding::Encoding;
use crate::tile::render::{Drawn, Picture, Tiles};
use projection::Projected;
use sheet::{Sheet, Source};
use view::View;

/// Bytes of vector tiles under one picture at most: what is denser belongs on a larger scale.
const MOST_BYTES: usize = 96 << 20;
/// Fetching the tiles stops after this long, and so does drawing.
const LIMIT: Duration = Duration::from_secs(20);
/// How good a JPEG is: labels must not blur.
const QUALITY: u8 = 88;
/// Tiles of one picture that are fetched at once.
const AT_ONCE: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Png,
    /// With a palette.
    Png8,
    Jpeg,
}

impl Format {
    pub fn media(self) -> &'static str {
        match self {
            Format::Png | Format::Png8 => "image/png",
            Format::Jpeg => "image/jpeg",
        }
    }
}

/// A picture as it is asked for.
pub struct Wanted {
    pub view: View,
    pub format: Format,
    /// Red, green, blue and opacity below everything; nothing is transparent.
    pub background: Option<[u8; 4]>,
    pub sheet: Sheet,
    /// Whether others lie beside it whose labels must go on in it.
    pub tiled: bool,
}

/// Draws pictures and keeps them. Cheap to clone.
#[derive(Clone)]
pub struct Pictures {
    tiles: Tiles,
    cache: Cache<u128, Bytes>,
    /// Pictures under way at a time: each holds its tiles in memory.
    turns: Arc<Semaphore>,
    tools: Arc<tokio::sync::OnceCell<Tools>>,
}

/// What every picture needs: read once.
struct Tools {
    fonts: Fonts,
    sprites: Option<Sprites>,
}

impl Pictures {
    pub fn new(tiles: Tiles, config: &Config) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, |n| n.get());
        let weigh = |_: &u128, picture: &Bytes| u32::try_from(picture.len() + 100).unwrap_or(u32::MAX);
        Pictures {
            tiles,
            cache: Cache::builder().max_capacity(config.picture_cache << 20).weigher(weigh).build(),
            turns: Arc::new(Semaphore::new(cores + 1)),
            tools: Arc::default(),
        }
    }

    /// What the picture's bytes depend on, as a digest: the same on every node. None when a layer changes without telling.
    pub fn key(&self, wanted: &Wanted) -> Option<u128> {
        let mut digest = Xxh3Default::new();
        digest.update(wanted.sheet.style().to_string().as_bytes());
        for source in &wanted.sheet.sources {
            trace::note(&source.drawn.layer.id, |opened| {
                wanted.view.degrees(0.0).inspect(|extent| opened.reach(*extent));
            });
            // Of one tile as of every other: revision, edits, index, scope, filter.
            let first = TileMatrixSet::WebMercatorQuad.tile(0, 0, 0)?;
            let key = self.tiles.key(std::slice::from_ref(&source.drawn), &of_tile(first, source))?;
            digest.update(key.etag(Encoding::Identity).as_bytes());
        }
        let view = &wanted.view;
        digest.update(format!("{:?}{:?}{:?}{:?}", view, wanted.format, wanted.background, wanted.tiled).as_bytes());
        Some(digest.digest128())
    }

    /// The picture as a file. `key` is the one that belongs to it: with none it is drawn each time.
    pub async fn render(&self, wanted: &Wanted, key: Option<u128>) -> Result<Bytes> {
        match key {
            None => self.make(wanted).await,
            Some(key) => self.cache.try_get_with(key, self.make(wanted)).await.map_err(|shared| shared.again()),
        }
    }

    async fn make(&self, wanted: &Wanted) -> Result<Bytes> {
        let style = Style::parse(&wanted.sheet.style()).map_err(refused)?;
        let turn = self.turn().await?;
        let fetched = tokio::time::timeout(LIMIT, self.fetch(wanted, &style)).await.map_err(|_| too_slow())??;
        let (view, format, background, tiled) = (wanted.view, wanted.format, wanted.background, wanted.tiled);
        let work = move |tools: &Tools| {
            draw(&style, &fetched, view, background, tiled, tools).and_then(|pixmap| encode::encode(&pixmap, format))
        };
        self.paint(turn, work).await
    }

    /// A picture of what the colours of a style mean.
    pub async fn legend(&self, entries: Vec<legend::Entry>, english: bool, double: bool) -> Result<Bytes> {
        let work = move |tools: &Tools| legend::picture(&entries, english, double, &tools.face()?);
        self.paint(self.turn().await?, work).await
    }

    /// A picture with a text on it, or with nothing, for clients that show nothing but pictures.
    pub async fn notice(
        &self,
        text: Option<String>,
        size: (u32, u32),
        background: Option<[u8; 4]>,
        format: Format,
    ) -> Result<Bytes> {
        let work = move |tools: &Tools| notice::draw(text.as_deref(), size, background, format, tools);
        self.paint(self.turn().await?, work).await
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        self.turns.clone().acquire_owned().await.map_err(Error::internal)
    }

    /// Paints on a thread for that. The turns stay with the work: it goes on when whoever waited for it has left.
    async fn paint(
        &self,
        turn: OwnedSemaphorePermit,
        work: impl FnOnce(&Tools) -> Result<Vec<u8>> + Send + 'static,
    ) -> Result<Bytes> {
        let tools = self.tools.clone();
        tools
            .get_or_try_init(|| async { tokio::task::spawn_blocking(Tools::read).await.map_err(Error::internal) })
            .await?;
        let core = self.tiles.cores().acquire_owned().await.map_err(Error::internal)?;
        let work = move || {
            let _turns = (turn, core);
            work(tools.get().ok_or_else(|| Error::internal("no fonts"))?)
        };
        Ok(tokio::task::spawn_blocking(work).await.map_err(Error::internal)??.into())
    }

    /// The vector tiles under the picture, of the sources that show at its zoom.
    async fn fetch(&self, wanted: &Wanted, style: &Style) -> Result<Vec<Fetched>> {
        let shown = style.sources_at(wanted.view.zoom());
        let sources = wanted.sheet.sources.iter().enumerate();
        let shown = sources.map(|(i, s)| (i.to_string(), s)).filter(|(name, _)| shown.contains(&name.as_str()));
        let margin = if wanted.tiled { view::NEIGHBOURHOOD } else { view::MARGIN };
        let mut fetches = vec![];
        for (name, source) in shown {
            let source = Arc::new(source.clone());
            for tile in wanted.view.tiles(deepest(&source.drawn), margin) {
                fetches.push(fetch(self.tiles.clone(), name.clone(), source.clone(), tile));
            }
        }
        let mut fetched = stream::iter(fetches).buffered(AT_ONCE);
        let (mut all, mut bytes) = (vec![], 0);
        while let Some(tile) = fetched.try_next().await? {
            bytes += tile.mvt.len();
            if bytes > MOST_BYTES {
                return Err(Error::too_large("图上要素过多", "there is too much on this map").hint(
                    "请缩小范围、放大比例尺或减少图层",
                    "ask for a smaller area, a larger scale or fewer layers",
                ));
            }
            if !tile.mvt.is_empty() {
                all.push(tile);
            }
        }
        Ok(all)
    }
}

async fn fetch(tiles: Tiles, name: String, source: Arc<Source>, tile: TileCoord) -> Result<Fetched> {
    let picture = of_tile(tile, &source);
    let drawn = std::slice::from_ref(&source.drawn);
    let key = tiles.key(drawn, &picture);
    let mvt = tiles.render(drawn, &picture, key.as_ref(), Encoding::Identity).await?;
    Ok(Fetched { source: name, bounds: tile.extent(), mvt })
}

struct Fetched {
    source: String,
    bounds: [f64; 4],
    mvt: Bytes,
}

impl Tools {
    fn read() -> Tools {
        let mut fonts = Fonts::none();
        for (name, file) in glyphs::STACKS {
            let path = std::path::Path::new(glyphs::DEBIAN_FONTS).join(file);
            if !fonts.add(name, &path, glyphs::FAMILY) {
                tracing::warn!(font = %path.display(), "the font for labels of pictures is not there: they are left out");
            }
        }
        let sprites = || -> Option<Sprites> {
            let (index, picture) = (sprites::file("onemap@2x.json").ok()?.1, sprites::file("onemap@2x.png").ok()?.1);
            Sprites::parse(&serde_json::from_slice(&index).ok()?, &picture).ok()
        };
        Tools { fonts, sprites: sprites() }
    }

    /// The face that texts of ours are written in.
    fn face(&self) -> Result<Face<'_>> {
        self.fonts.first().ok_or_else(|| glyphs::no_font("none was there when pictures were first drawn"))
    }
}

fn draw(
    style: &Style,
    fetched: &[Fetched],
    view: View,
    background: Option<[u8; 4]>,
    tiled: bool,
    tools: &Tools,
) -> Result<onemap_paint::Pixmap> {
    let tiles: Vec<onemap_paint::Tile<'_>> =
        fetched.iter().map(|f| onemap_paint::Tile { source: &f.source, mvt: &f.mvt, bounds: f.bounds }).collect();
    let picture = onemap_paint::Picture {
        width: view.width,
        height: view.height,
        zoom: view.zoom(),
        pixel_ratio: 1.0,
        background,
        grid: Grid::Mercator,
        placement: if tiled { Placement::Tiled } else { Placement::Whole },
        limit: Some(LIMIT),
    };
    let projection = Projected::of(view);
    onemap_paint::draw(style, &tiles, &projection, &picture, &tools.fonts, tools.sprites.as_ref()).map_err(failed)
}

fn of_tile(tile: TileCoord, source: &Source) -> Picture {
    Picture { filters: source.filter.iter().cloned().collect(), ..Picture::of(tile) }
}

/// The last zoom that a layer has tiles of.
fn deepest(drawn: &Drawn) -> u8 {
    let set = TileMatrixSet::WebMercatorQuad;
    drawn.layer.state().archive.as_ref().map_or(*set.zooms().end(), |archive| archive.maxzoom)
}

/// A style that is no style: its keeper has to know.
fn refused(problem: Problem) -> Error {
    Error::conflict(
        format!("图层样式有误：{} {}", problem.path, problem.zh),
        format!("the layer's style is wrong: {} {}", problem.path, problem.en),
    )
    .hint("请联系样式的维护单位", "tell whoever keeps the style")
}

fn too_slow() -> Error {
    Error::busy("成图耗时过长", "drawing this takes too long")
        .hint("请缩小范围、放大比例尺或减少图层", "ask for a smaller area, a larger scale or fewer layers")
}

fn failed(problem: Problem) -> Error {
    Error::busy(problem.zh, problem.en)
}
