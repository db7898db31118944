//! What is to be drawn, and where on it a place of the world lies.

use crate::problem::{Problem, Result};

/// The longest side of a picture in pixels.
pub const LARGEST: u32 = 4096;

/// A vector tile, not compressed.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// The style's name of the source it belongs to.
    pub source: &'a str,
    pub mvt: &'a [u8],
    /// West, south, east, north in the CRS of its tile matrix set. All tiles of a picture are of one set.
    pub bounds: [f64; 4],
}

/// The CRS of the tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grid {
    /// Metres of Web Mercator.
    #[default]
    Mercator,
    /// Degrees of longitude and latitude.
    Degrees,
}

impl Grid {
    pub(crate) fn degrees(self, [x, y]: [f64; 2]) -> [f64; 2] {
        const RADIUS: f64 = 6_378_137.0;
        match self {
            Grid::Degrees => [x, y],
            Grid::Mercator => [(x / RADIUS).to_degrees(), (y / RADIUS).sinh().atan().to_degrees()],
        }
    }
}

/// Where a place in the tiles' CRS lies on the picture.
pub trait Projection {
    /// Pixels from the picture's upper left corner; no numbers (NaN) for a place that the projection does not know.
    fn pixel(&self, x: f64, y: f64) -> [f64; 2];
}

/// A picture in the tiles' own CRS: pixels are proportional to coordinates.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// West, south, east, north.
    pub bounds: [f64; 4],
    pub width: u32,
    pub height: u32,
}

impl Projection for Window {
    fn pixel(&self, x: f64, y: f64) -> [f64; 2] {
        let [west, south, east, north] = self.bounds;
        [(x - west) / (east - west) * f64::from(self.width), (north - y) / (north - south) * f64::from(self.height)]
    }
}

/// How labels make room for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Placement {
    /// As many as fit into the picture.
    #[default]
    Whole,
    /// For one of several pictures that lie side by side: with the tiles around this one given too, neighbours agree on the labels
    /// that cross their common edge.
    Tiled,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    /// The zoom that expressions see, of tiles 512 pixels wide; [`zoom_of`] reckons it.
    pub zoom: f64,
    /// Pixels of the picture for each of the style's.
    pub pixel_ratio: f32,
    /// Red, green, blue and opacity below everything; the style's own background lies above it.
    pub background: Option<[u8; 4]>,
    pub grid: Grid,
    pub placement: Placement,
    /// Stop when this much time has passed.
    pub limit: Option<std::time::Duration>,
}

/// MapLibre's zoom for a scale on the equator, in metres of the ground for one of the style's pixels.
pub fn zoom_of(metres_per_pixel: f64) -> f64 {
    const WORLD: f64 = 2.0 * std::f64::consts::PI * 6_378_137.0;
    (WORLD / 512.0 / metres_per_pixel).log2().clamp(0.0, 30.0)
}

impl Picture {
    pub(crate) fn check(&self) -> Result<()> {
        let side = 1..=LARGEST;
        if !side.contains(&self.width) || !side.contains(&self.height) {
            return Err(Problem::new(
                "",
                format!("图片边长应在 1 至 {LARGEST} 像素之间"),
                format!("a picture's sides are from 1 to {LARGEST} pixels"),
            ));
        }
        if !(0.25..=8.0).contains(&self.pixel_ratio) {
            return Err(Problem::new("", "像素比应在 0.25 至 8 之间", "the pixel ratio is from 0.25 to 8"));
        }
        match self.zoom.is_finite() {
            true => Ok(()),
            false => Err(Problem::new("", "缩放级别应为有限数", "the zoom is a finite number")),
        }
    }
}
