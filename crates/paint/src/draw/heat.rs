//! Heatmaps: each point adds a bell to a field, whose height is then coloured.

use tiny_skia::{FilterQuality, Pixmap, PixmapPaint, PremultipliedColorU8, Transform};

use super::frame::Point;
use super::{Canvas, Scene};
use crate::Color;
use crate::expr::{Context, Value};
use crate::problem::Result;

/// The field is this many times coarser than the picture, as in MapLibre: a bell is smooth.
const COARSE: usize = 4;
const LARGEST: f64 = 500.0;
/// The height of a bell at its middle: that of a normal distribution of three standard deviations to the radius.
const HEIGHT: f64 = 0.398_942_280_401_432_7;

struct Field {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

pub fn heatmap(scene: &Scene<'_>, canvas: &mut Canvas<'_>) -> Result<()> {
    let (layer, context) = (scene.layer, &scene.context);
    let radius = layer.property::<f64>("heatmap-radius", context);
    let weight = layer.property::<f64>("heatmap-weight", context);
    let intensity = layer.property::<f64>("heatmap-intensity", context).of(context).max(0.0);
    let opacity = layer.property::<f64>("heatmap-opacity", context).of(context);
    let side = |n: u32| (n as usize).div_ceil(COARSE) + 1;
    let (width, height) = (side(canvas.pixmap.width()), side(canvas.pixmap.height()));
    let mut field = Field { width, height, values: vec![0.0; width * height] };
    scene.each(canvas.clock, |tile, feature, context| {
        let extent = feature.layer.extent;
        let reach = (radius.of(context).clamp(0.0, LARGEST) * f64::from(canvas.ratio)) as f32;
        let mut height = None;
        for p in feature.parts()?.iter().flatten().filter(|p| tile.frame.is_own(**p, extent)) {
            let at = tile.frame.pixel(*p, extent);
            if reach > 0.0 && canvas.area.grown(reach).holds(at) {
                canvas.clock.check()?;
                let height = *height.get_or_insert_with(|| (weight.of(context).max(0.0) * intensity * HEIGHT) as f32);
                field.add(at, reach, height);
            }
        }
        Ok(())
    })?;
    let ramp = ramp(scene, context);
    let Some(picture) = field.colored(&ramp) else { return Ok(()) };
    let paint = PixmapPaint {
        opacity: opacity.clamp(0.0, 1.0) as f32,
        quality: FilterQuality::Bilinear,
        ..PixmapPaint::default()
    };
    // A value of the field stands for the middle of its square.
    let scale = COARSE as f32;
    canvas.pixmap.draw_pixmap(0, 0, picture.as_ref(), &paint, Transform::from_scale(scale, scale), None);
    Ok(())
}

impl Field {
    fn add(&mut self, at: Point, radius: f32, height: f32) {
        let coarse = COARSE as f32;
        let (middle, reach) = (at.map(|v| v / coarse - 0.5), radius / coarse);
        let range = |m: f32, most: usize| {
            let from = (m - reach).ceil().max(0.0) as usize;
            let to = ((m + reach).floor() + 1.0).clamp(0.0, most as f32) as usize;
            from..to.max(from)
        };
        for y in range(middle[1], self.height) {
            for x in range(middle[0], self.width) {
                let (dx, dy) = ((x as f32 - middle[0]) / reach, (y as f32 - middle[1]) / reach);
                let square = dx * dx + dy * dy;
                if square < 1.0 {
                    self.values[y * self.width + x] += height * (-0.5 * 9.0 * square).exp();
                }
            }
        }
    }

    fn colored(&self, ramp: &[PremultipliedColorU8; 256]) -> Option<Pixmap> {
        let mut picture = Pixmap::new(self.width as u32, self.height as u32)?;
        for (pixel, value) in picture.pixels_mut().iter_mut().zip(&self.values) {
            *pixel = ramp[(value.clamp(0.0, 1.0) * 255.0) as usize];
        }
        Some(picture)
    }
}

/// The colours from nothing to the densest.
fn ramp(scene: &Scene<'_>, context: &Context<'_>) -> [PremultipliedColorU8; 256] {
    let said = scene.layer.said("heatmap-color");
    std::array::from_fn(|i| {
        let density = i as f64 / 255.0;
        let color = match said {
            Some(expr) => match expr.evaluate(&Context { heatmap_density: density, ..*context }) {
                Ok(Value::Color(color)) => color,
                _ => Color::TRANSPARENT,
            },
            None => usual(density),
        };
        color.skia().premultiply().to_color_u8()
    })
}

/// What MapLibre takes where a style says nothing.
fn usual(density: f64) -> Color {
    const STOPS: [(f64, &str); 6] =
        [(0.0, "rgba(0, 0, 255, 0)"), (0.1, "royalblue"), (0.3, "cyan"), (0.5, "lime"), (0.7, "yellow"), (1.0, "red")];
    let color = |at: usize| Color::parse(STOPS[at].1).unwrap_or_default();
    let above = STOPS.iter().position(|(stop, _)| *stop >= density).unwrap_or(STOPS.len() - 1).max(1);
    let (from, to) = (STOPS[above - 1].0, STOPS[above].0);
    Color::mix(color(above - 1), color(above), (density - from) / (to - from))
}
