//! A sprite: pictures of signs and patterns on one sheet.

use rustc_hash::FxHashMap;
use serde_json::Value as Json;
use tiny_skia::{FilterQuality, IntRect, Pattern, Pixmap, Shader, SpreadMode, Transform};

use crate::problem::{Problem, Result};

pub struct Sprites {
    images: FxHashMap<String, Sprite>,
}

pub(crate) struct Sprite {
    pub picture: Pixmap,
    /// Pixels of the sheet for each of the style's.
    pub ratio: f32,
}

impl Sprites {
    /// From a sprite's two files.
    pub fn parse(index: &Json, png: &[u8]) -> Result<Sprites> {
        let wrong = || Problem::new("sprite", "图标集无法读取", "the sprite cannot be read");
        let sheet = Pixmap::decode_png(png).map_err(|_| wrong())?;
        let mut images = FxHashMap::default();
        for (name, place) in index.as_object().ok_or_else(wrong)? {
            let number = |key: &str| place[key].as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(wrong);
            let (x, y) = (number("x")? as i32, number("y")? as i32);
            let area = IntRect::from_xywh(x, y, number("width")?, number("height")?).ok_or_else(wrong)?;
            let picture = sheet.clone_rect(area).ok_or_else(wrong)?;
            let ratio = place["pixelRatio"].as_f64().unwrap_or(1.0).clamp(0.1, 16.0) as f32;
            images.insert(name.clone(), Sprite { picture, ratio });
        }
        Ok(Sprites { images })
    }

    pub fn has(&self, name: &str) -> bool {
        self.images.contains_key(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Sprite> {
        self.images.get(name)
    }

    /// The picture side by side in all directions, from the canvas's corner on.
    pub(crate) fn pattern(&self, name: &str, opacity: f32, ratio: f32) -> Option<Shader<'_>> {
        let sprite = self.get(name)?;
        let scale = ratio / sprite.ratio;
        let quality = if scale == 1.0 { FilterQuality::Nearest } else { FilterQuality::Bilinear };
        let place = Transform::from_scale(scale, scale);
        Some(Pattern::new(sprite.picture.as_ref(), SpreadMode::Repeat, quality, opacity, place))
    }
}
