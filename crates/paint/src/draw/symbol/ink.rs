//! Drawing symbols that have room.

use tiny_skia::{FillRule, FilterQuality, LineCap, LineJoin, PathBuilder, PixmapPaint, Stroke, Transform};

use super::{Icon, Stands, Symbol, Text};
use crate::Color;
use crate::draw::Canvas;
use crate::draw::area::plain;
use crate::draw::frame::Area;
use crate::problem::Result;

/// Draws the symbols of a layer.
pub fn draw(symbols: &[Symbol], layer: usize, canvas: &mut Canvas<'_>) -> Result<()> {
    for symbol in symbols.iter().filter(|s| s.layer == layer) {
        canvas.clock.check()?;
        if let Some(icon) = symbol.icon.as_ref().filter(|i| i.shown) {
            draw_icon(icon, canvas);
        }
        if let Some(text) = &symbol.text {
            draw_text(text, canvas);
        }
    }
    Ok(())
}

fn draw_icon(icon: &Icon, canvas: &mut Canvas<'_>) {
    let Some(sprite) = canvas.sprites.and_then(|s| s.get(&icon.name)) else { return };
    let [width, height] = [sprite.picture.width(), sprite.picture.height()].map(|v| v as f32);
    let stretch = [(icon.area.max[0] - icon.area.min[0]) / width, (icon.area.max[1] - icon.area.min[1]) / height];
    // Upright ones begin at a whole pixel and stay sharp.
    let mut corner = icon.area.min;
    if icon.angle == 0.0 {
        corner = [0, 1].map(|i| (icon.anchor[i] + corner[i]).round() - icon.anchor[i]);
    }
    let place = Transform::from_translate(icon.anchor[0], icon.anchor[1])
        .pre_concat(Transform::from_rotate(icon.angle.to_degrees()))
        .pre_translate(corner[0], corner[1])
        .pre_scale(stretch[0], stretch[1]);
    let even = icon.angle == 0.0 && stretch == [1.0, 1.0];
    let paint = PixmapPaint {
        opacity: icon.opacity,
        quality: if even { FilterQuality::Nearest } else { FilterQuality::Bilinear },
        ..PixmapPaint::default()
    };
    canvas.pixmap.draw_pixmap(0, 0, sprite.picture.as_ref(), &paint, place, None);
}

fn draw_text(text: &Text, canvas: &mut Canvas<'_>) {
    let Some(offset) = text.chosen else { return };
    let translate = Transform::from_translate(text.look.translate[0], text.look.translate[1]);
    let mut parts: Vec<(Option<Color>, PathBuilder)> = vec![];
    for (i, set) in text.block.glyphs.iter().enumerate() {
        let Some(outline) = &set.glyph.outline else { continue };
        let size = text.size * set.scale;
        let place = match &text.stands {
            Stands::Block { anchor, angle } => Transform::from_translate(anchor[0], anchor[1])
                .pre_concat(Transform::from_rotate(angle.to_degrees()))
                .pre_translate((offset[0] + set.at[0]) * text.size, (offset[1] + set.at[1]) * text.size),
            Stands::Along(stands) => {
                let Some(stand) = stands.get(i) else { continue };
                Transform::from_translate(stand.middle[0], stand.middle[1])
                    .pre_concat(Transform::from_rotate(stand.angle.to_degrees()))
                    .pre_translate(-set.glyph.advance * size / 2.0, set.glyph.baseline * size)
            }
        };
        let Some(path) = outline.clone().transform(translate.pre_concat(place).pre_scale(size, size)) else { continue };
        match parts.last_mut() {
            Some((color, all)) if *color == set.color => all.push_path(&path),
            _ => {
                let mut all = PathBuilder::new();
                all.push_path(&path);
                parts.push((set.color, all));
            }
        }
    }
    let paths: Vec<_> = parts.into_iter().filter_map(|(color, all)| Some((color, all.finish()?))).collect();
    let reach = text.look.halo_width + 1.0;
    for (own, path) in [true, false].into_iter().flat_map(|halo| paths.iter().map(move |(c, p)| ((halo, c), p))) {
        let bounds = path.bounds();
        let area = Area { min: [bounds.left(), bounds.top()], max: [bounds.right(), bounds.bottom()] };
        if !area.grown(reach).meets(&canvas.area) {
            continue;
        }
        match own {
            (true, _) if text.look.halo_width > 0.0 && text.look.halo.a > 0.0 => {
                let stroke = Stroke {
                    width: text.look.halo_width * 2.0,
                    line_join: LineJoin::Round,
                    line_cap: LineCap::Round,
                    ..Stroke::default()
                };
                canvas.pixmap.stroke_path(path, &plain(text.look.halo), &stroke, Transform::identity(), None);
            }
            (false, color) => {
                let color = color.map_or(text.look.color, |c| c.faded(text.look.color.a));
                if color.a > 0.0 {
                    canvas.pixmap.fill_path(path, &plain(color), FillRule::Winding, Transform::identity(), None);
                }
            }
            _ => {}
        }
    }
}
