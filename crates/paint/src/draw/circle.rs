//! Circles. Those of one look are drawn once and stamped.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use tiny_skia::{FillRule, Paint, PathBuilder, Pixmap, PixmapPaint, Shader, Stroke, Transform};

use super::frame::Point;
use super::{Canvas, Scene};
use crate::Color;
use crate::expr::Context;
use crate::problem::Result;
use crate::style::Property;

const LARGEST: f64 = 1_000.0;
/// Places within a pixel that a stamp is made for, each way.
const PHASES: f32 = 4.0;
/// Stamps of larger circles are not kept.
const LARGEST_STAMP: f32 = 64.0;
const MOST_STAMPS: usize = 2_000;

#[derive(Clone, Copy, PartialEq)]
struct Look {
    color: Color,
    radius: f32,
    blur: f32,
    stroke: f32,
    stroke_color: Color,
}

struct Properties<'a> {
    color: Property<'a, Color>,
    opacity: Property<'a, f64>,
    radius: Property<'a, f64>,
    blur: Property<'a, f64>,
    stroke: Property<'a, f64>,
    stroke_color: Property<'a, Color>,
    stroke_opacity: Property<'a, f64>,
    ratio: f32,
}

impl Properties<'_> {
    fn look(&self, context: &Context<'_>) -> Look {
        let pixels = |n: f64| n.clamp(0.0, LARGEST) as f32 * self.ratio;
        Look {
            color: self.color.of(context).faded(self.opacity.of(context)),
            radius: pixels(self.radius.of(context)),
            blur: self.blur.of(context).clamp(0.0, 1.0) as f32,
            stroke: pixels(self.stroke.of(context)),
            stroke_color: self.stroke_color.of(context).faded(self.stroke_opacity.of(context)),
        }
    }
}

impl Look {
    fn key(&self, phase: [u8; 2]) -> ([u64; 8], [u32; 3], [u8; 2]) {
        let color = |c: Color| [c.r, c.g, c.b, c.a].map(f64::to_bits);
        let (a, b) = (color(self.color), color(self.stroke_color));
        (
            [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]],
            [self.radius, self.blur, self.stroke].map(f32::to_bits),
            phase,
        )
    }

    fn draw(&self, pixmap: &mut Pixmap, at: Point) {
        if self.radius > 0.0
            && self.color.a > 0.0
            && let Some(disc) = PathBuilder::from_circle(at[0], at[1], self.radius)
        {
            let paint = Paint { shader: self.shader(at), anti_alias: true, ..Paint::default() };
            pixmap.fill_path(&disc, &paint, FillRule::Winding, Transform::identity(), None);
        }
        if self.stroke > 0.0
            && self.stroke_color.a > 0.0
            && let Some(ring) = PathBuilder::from_circle(at[0], at[1], self.radius + self.stroke / 2.0)
        {
            let stroke = Stroke { width: self.stroke, ..Stroke::default() };
            pixmap.stroke_path(&ring, &super::area::plain(self.stroke_color), &stroke, Transform::identity(), None);
        }
    }

    /// A blurred circle fades from its middle outwards.
    fn shader(&self, at: Point) -> Shader<'static> {
        use tiny_skia::{GradientStop, Point, RadialGradient, SpreadMode};
        let plain = Shader::SolidColor(self.color.skia());
        if self.blur <= 0.0 {
            return plain;
        }
        let middle = Point::from_xy(at[0], at[1]);
        let stops = vec![
            GradientStop::new(0.0, self.color.skia()),
            GradientStop::new(1.0 - self.blur, self.color.skia()),
            GradientStop::new(1.0, self.color.faded(0.0).skia()),
        ];
        RadialGradient::new(middle, 0.0, middle, self.radius, stops, SpreadMode::Pad, Transform::identity())
            .unwrap_or(plain)
    }
}

pub fn circles(scene: &Scene<'_>, canvas: &mut Canvas<'_>) -> Result<()> {
    let (layer, context) = (scene.layer, &scene.context);
    let properties = Properties {
        color: layer.property("circle-color", context),
        opacity: layer.property("circle-opacity", context),
        radius: layer.property("circle-radius", context),
        blur: layer.property("circle-blur", context),
        stroke: layer.property("circle-stroke-width", context),
        stroke_color: layer.property("circle-stroke-color", context),
        stroke_opacity: layer.property("circle-stroke-opacity", context),
        ratio: canvas.ratio,
    };
    let translate =
        layer.property::<[f64; 2]>("circle-translate", context).of(context).map(|v| v as f32 * canvas.ratio);
    let mut stamps = FxHashMap::default();
    scene.each(canvas.clock, |tile, feature, context| {
        let extent = feature.layer.extent;
        let parts = feature.parts()?;
        let own = parts.iter().flatten().filter(|p| tile.frame.is_own(**p, extent));
        let mut look = None;
        for p in own {
            let at = tile.frame.pixel(*p, extent);
            let at = [at[0] + translate[0], at[1] + translate[1]];
            let look = *look.get_or_insert_with(|| properties.look(context));
            let reach = look.radius + look.stroke + 1.0;
            if !canvas.area.grown(reach).holds(at) {
                continue;
            }
            canvas.clock.check()?;
            stamp(&look, at, reach, &mut stamps, &mut canvas.pixmap);
        }
        Ok(())
    })
}

type Stamps = FxHashMap<([u64; 8], [u32; 3], [u8; 2]), Pixmap>;

fn stamp(look: &Look, at: Point, reach: f32, stamps: &mut Stamps, pixmap: &mut Pixmap) {
    if reach > LARGEST_STAMP || stamps.len() > MOST_STAMPS {
        return look.draw(pixmap, at);
    }
    let at = at.map(|v| (v * PHASES).round() / PHASES);
    let corner = at.map(|v| (v - reach).floor());
    let phase = [0, 1].map(|i| ((at[i] - at[i].floor()) * PHASES) as u8);
    let side = (2.0 * reach).ceil() as u32 + 2;
    let made = match stamps.entry(look.key(phase)) {
        Entry::Occupied(made) => made.into_mut(),
        Entry::Vacant(place) => {
            let Some(mut stamp) = Pixmap::new(side, side) else { return };
            look.draw(&mut stamp, [at[0] - corner[0], at[1] - corner[1]]);
            place.insert(stamp)
        }
    };
    pixmap.draw_pixmap(
        corner[0] as i32,
        corner[1] as i32,
        made.as_ref(),
        &PixmapPaint::default(),
        Transform::identity(),
        None,
    );
}
