//! Pictures of vector tiles, as a MapLibre style says.

mod color;
mod draw;
mod encode;
pub mod expr;
mod fonts;
mod mvt;
mod picture;
mod problem;
mod sprites;
mod style;

pub use color::Color;
pub use draw::draw;
pub use encode::{jpeg, png};
pub use fonts::Fonts;
pub use picture::{Grid, LARGEST, Picture, Placement, Projection, Tile, Window, zoom_of};
pub use problem::{Problem, Result};
pub use sprites::Sprites;
pub use style::{Layer, LayerKind, Style};
pub use tiny_skia::Pixmap;
