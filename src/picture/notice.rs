//! A text as a picture, for clients that show nothing but pictures.

use onemap_paint::Pixmap;
use tiny_skia::Color;

use super::{Format, Tools, encode};
use crate::error::{Error, Result};
use crate::style::legend;

/// A picture of a size with a text on it, or with nothing. Without a font the text is left out.
pub(super) fn draw(
    text: Option<&str>,
    (width, height): (u32, u32),
    background: Option<[u8; 4]>,
    format: Format,
    tools: &Tools,
) -> Result<Vec<u8>> {
    let mut picture = Pixmap::new(width, height).ok_or_else(|| Error::internal("a picture of no size"))?;
    if let Some([r, g, b, a]) = background {
        picture.fill(Color::from_rgba8(r, g, b, a));
    }
    if let Some(text) = text {
        match tools.face() {
            Ok(face) => legend::render(&legend::lettered(text, width as f32, height as f32, &face), &mut picture)?,
            Err(e) => tracing::warn!("an exception could not be written into a picture: {e}"),
        }
    }
    encode::encode(&picture, format)
}
