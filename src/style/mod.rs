//! How a layer looks: MapLibre styles, and the glyphs, sprites and legends that go with them, all from our own origin.

pub mod document;
pub mod glyphs;
pub mod legend;
pub mod library;
mod marks;
pub mod sprites;
pub mod store;

mod collection;
mod palette;

/// What `styles/` holds: styles (`*.json`) and the signs of the sprite (`icons/*.svg`).
#[derive(rust_embed::RustEmbed)]
#[folder = "styles/"]
struct Files;
