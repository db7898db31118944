//! A text as a picture, for clients that show nothing but pictures.

use onemap_paint::Pixmap;
use tiny_skia::Color;

use super::{Format, encode};
use crate::error::{Error, Result};
use crate::style::{glyphs, legend};

/// A picture of a size with a text on it, or with nothing. Blocks: it reads the font. Without a font the text is left out.
pub fn draw(
    text: Option<&str>,
    (width, height): (u32, u32),
    background: Option<[u8; 4]>,
    format: Format,
) -> Result<Vec<u8>> {
    let mut picture = Pixmap::new(width, height).ok_or_else(|| Error::internal("a picture of no size"))?;
    if let Some([r, g, b, a]) = background {
        picture.fill(Color::from_rgba8(r, g, b, a));
    }
    if let Some(text) = text {
        let fonts = std::path::Path::new(glyphs::DEBIAN_FONTS);
        match legend::lettered(text, width as f32, height as f32, fonts) {
            Ok(svg) => legend::render(&svg, &mut picture)?,
            Err(e) => tracing::warn!("an exception could not be written into a picture: {e}"),
        }
    }
    encode::encode(&picture, format)
}
