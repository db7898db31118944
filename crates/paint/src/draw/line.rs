//! Lines: width, offset, gap, dashes, patterns.

use std::sync::Arc;

use tiny_skia::{
    BlendMode, FilterQuality, LineCap, LineJoin, Paint, PathBuilder, Pixmap, PixmapPaint, Stroke, StrokeDash, Transform,
};

use super::area::{add_line, move_by, plain};
use super::frame::{Area, Point, line_within};
use super::{Canvas, Scene};
use crate::Color;
use crate::expr::{Context, Image};
use crate::mvt::Kind;
use crate::problem::Result;
use crate::style::Property;

/// No line is wider than this many pixels, so that a slip of the style is no picture of one colour after a minute.
const WIDEST: f64 = 1_000.0;
/// Dashes shorter than this in all are drawn through: they would not be told apart and take for ever.
const SHORTEST_DASH: f32 = 1.0;

struct Properties<'a> {
    color: Property<'a, Color>,
    width: Property<'a, f64>,
    gap: Property<'a, f64>,
    offset: Property<'a, f64>,
    opacity: Property<'a, f64>,
    cap: Property<'a, Arc<str>>,
    join: Property<'a, Arc<str>>,
    dashes: Property<'a, Option<Vec<f64>>>,
    pattern: Property<'a, Option<Arc<Image>>>,
    miter_limit: f64,
    translate: Point,
    ratio: f32,
}

#[derive(Clone, PartialEq)]
struct Look {
    color: Color,
    opacity: f64,
    width: f32,
    gap: f32,
    offset: f32,
    cap: LineCap,
    join: LineJoin,
    dashes: Option<Vec<f32>>,
    pattern: Option<Arc<Image>>,
}

impl<'a> Properties<'a> {
    fn of(scene: &Scene<'a>, ratio: f32) -> Properties<'a> {
        let (layer, context) = (scene.layer, &scene.context);
        Properties {
            color: layer.property("line-color", context),
            width: layer.property("line-width", context),
            gap: layer.property("line-gap-width", context),
            offset: layer.property("line-offset", context),
            opacity: layer.property("line-opacity", context),
            cap: layer.property("line-cap", context),
            join: layer.property("line-join", context),
            dashes: layer.property("line-dasharray", context),
            pattern: layer.property("line-pattern", context),
            miter_limit: layer.property("line-miter-limit", context).of(context),
            translate: layer.property::<[f64; 2]>("line-translate", context).of(context).map(|v| v as f32 * ratio),
            ratio,
        }
    }

    fn look(&self, context: &Context<'_>, opacity: f64) -> Look {
        let pixels = |n: f64| n.clamp(-WIDEST, WIDEST) as f32 * self.ratio;
        let width = pixels(self.width.of(context)).max(0.0);
        Look {
            color: self.color.of(context).faded(opacity),
            opacity,
            width,
            gap: pixels(self.gap.of(context)).max(0.0),
            offset: pixels(self.offset.of(context)),
            cap: match &*self.cap.of(context) {
                "round" => LineCap::Round,
                "square" => LineCap::Square,
                _ => LineCap::Butt,
            },
            join: match &*self.join.of(context) {
                "round" => LineJoin::Round,
                "bevel" => LineJoin::Bevel,
                _ => LineJoin::Miter,
            },
            dashes: self.dashes.of(context).and_then(|d| dashes(&d, width)),
            pattern: self.pattern.of(context),
        }
    }
}

/// Lengths in line widths as lengths in pixels.
fn dashes(given: &[f64], width: f32) -> Option<Vec<f32>> {
    let mut lengths: Vec<f32> = given.iter().map(|d| (d.max(0.0) as f32) * width).collect();
    if lengths.len() % 2 == 1 {
        lengths.extend_from_within(..);
    }
    (lengths.len() >= 2 && lengths.len() <= 64 && lengths.iter().sum::<f32>() > SHORTEST_DASH).then_some(lengths)
}

pub fn stroke(scene: &Scene<'_>, canvas: &mut Canvas<'_>) -> Result<()> {
    let properties = Properties::of(scene, canvas.ratio);
    // A layer that is seen through as a whole is drawn opaque and laid upon the picture: where its lines cross it is no darker.
    let whole = properties.opacity.known().copied().filter(|o| *o < 1.0);
    if whole.is_some_and(|o| o <= 0.0) {
        return Ok(());
    }
    let below = match whole {
        Some(_) => Pixmap::new(canvas.pixmap.width(), canvas.pixmap.height())
            .map(|empty| std::mem::replace(&mut canvas.pixmap, empty)),
        None => None,
    };
    let drawn = lines(scene, &properties, below.is_some(), canvas);
    if let Some(below) = below {
        let above = std::mem::replace(&mut canvas.pixmap, below);
        let paint = PixmapPaint {
            opacity: whole.unwrap_or(1.0) as f32,
            blend_mode: BlendMode::SourceOver,
            quality: FilterQuality::Nearest,
        };
        canvas.pixmap.draw_pixmap(0, 0, above.as_ref(), &paint, Transform::identity(), None);
    }
    drawn
}

fn lines(scene: &Scene<'_>, properties: &Properties<'_>, opaque: bool, canvas: &mut Canvas<'_>) -> Result<()> {
    let mut look: Option<Look> = None;
    let mut path = PathBuilder::new();
    scene.each(canvas.clock, |tile, feature, context| {
        if feature.kind == Kind::Point {
            return Ok(());
        }
        let extent = feature.layer.extent;
        let mut shape = tile.frame.shape(&tile.frame.lines_own(feature.parts()?, extent), extent);
        move_by(&mut shape, properties.translate);
        let opacity = if opaque { 1.0 } else { properties.opacity.of(context) };
        let own_look = properties.look(context, opacity);
        let reach = own_look.width / 2.0 + own_look.gap / 2.0 + own_look.width + own_look.offset.abs() + 1.0;
        if !Area::around(shape.iter().flatten().copied()).grown(reach).meets(&canvas.area) {
            return Ok(());
        }
        if look.as_ref() != Some(&own_look) || own_look.color.a < 1.0 {
            if let Some(look) = look.take() {
                finish(&mut path, &look, properties.miter_limit, canvas);
            }
            look = Some(own_look.clone());
        }
        // A line may leave its tile by half its width, so that there is no notch where it crosses into the next.
        let area = tile.frame.own.grown(own_look.width / 2.0 + 1.0).common(&canvas.area.grown(reach));
        for line in &shape {
            line_within(line, &area, |piece| add_sides(&mut path, piece, &own_look));
        }
        Ok(())
    })?;
    if let Some(look) = look {
        finish(&mut path, &look, properties.miter_limit, canvas);
    }
    Ok(())
}

/// The line itself, or its two sides when there is a gap between them.
fn add_sides(path: &mut PathBuilder, line: &[Point], look: &Look) {
    match look.gap > 0.0 {
        false if look.offset == 0.0 => add_line(path, line),
        false => add_line(path, &beside(line, look.offset)),
        true => {
            let side = (look.gap + look.width) / 2.0;
            add_line(path, &beside(line, look.offset + side));
            add_line(path, &beside(line, look.offset - side));
        }
    }
}

/// The line at a distance to its right.
pub fn beside(line: &[Point], by: f32) -> Vec<Point> {
    let normal = |a: Point, b: Point| {
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = dx.hypot(dy);
        (length > 0.0).then(|| [-dy / length, dx / length])
    };
    let mut moved = Vec::with_capacity(line.len());
    for (i, p) in line.iter().enumerate() {
        let before = (0..i).rev().find_map(|j| normal(line[j], *p));
        let after = (i + 1..line.len()).find_map(|j| normal(*p, line[j]));
        let n = match (before, after) {
            (Some(a), Some(b)) => {
                // Along the bisector, longer the sharper the turn, within reason.
                let sum = [a[0] + b[0], a[1] + b[1]];
                let square = sum[0] * sum[0] + sum[1] * sum[1];
                let factor = if square > 0.25 { 2.0 / square } else { 1.0 };
                [sum[0] * factor, sum[1] * factor]
            }
            (Some(n), None) | (None, Some(n)) => n,
            (None, None) => [0.0, 0.0],
        };
        moved.push([p[0] + n[0] * by, p[1] + n[1] * by]);
    }
    moved
}

fn finish(path: &mut PathBuilder, look: &Look, miter_limit: f64, canvas: &mut Canvas<'_>) {
    let Some(path) = std::mem::take(path).finish() else { return };
    if look.width <= 0.0 || look.opacity <= 0.0 {
        return;
    }
    let stroke = Stroke {
        width: look.width,
        miter_limit: miter_limit.clamp(1.0, 100.0) as f32,
        line_cap: look.cap,
        line_join: look.join,
        dash: look.dashes.clone().and_then(|d| StrokeDash::new(d, 0.0)),
    };
    let paint = match &look.pattern {
        None => plain(look.color),
        Some(_) => match canvas.shader(look.pattern.as_deref(), look.color, look.opacity) {
            Some(shader) => Paint { shader, anti_alias: true, ..Paint::default() },
            None => return,
        },
    };
    if look.color.a > 0.0 || look.pattern.is_some() {
        canvas.pixmap.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    }
}
