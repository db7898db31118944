//! Backgrounds and fills.

use std::sync::Arc;

use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Rect, Shader, Stroke, Transform};

use super::frame::{Area, Point, line_within, ring_within};
use super::{Canvas, Scene};
use crate::Color;
use crate::expr::Image;
use crate::mvt::Kind;
use crate::problem::Result;
use crate::style::LayerKind;

pub fn background(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let opacity = scene.layer.property::<f64>("background-opacity", &scene.context).of(&scene.context);
    let pattern = scene.layer.property::<Option<Arc<Image>>>("background-pattern", &scene.context).of(&scene.context);
    let color = scene.layer.property::<Color>("background-color", &scene.context).of(&scene.context);
    let Some(all) = Rect::from_xywh(0.0, 0.0, canvas.area.max[0], canvas.area.max[1]) else { return };
    if let Some(shader) = canvas.shader(pattern.as_deref(), color.faded(opacity), opacity) {
        let paint = Paint { shader, anti_alias: false, ..Paint::default() };
        canvas.pixmap.fill_rect(all, &paint, Transform::identity(), None);
    }
}

/// Rings of one look, gathered so that they are filled at once.
struct Gathered {
    look: Option<Look>,
    rings: PathBuilder,
    outlines: PathBuilder,
}

#[derive(Clone, PartialEq)]
struct Look {
    color: Color,
    opacity: f64,
    outline: Option<Color>,
    pattern: Option<Arc<Image>>,
}

pub fn fill(scene: &Scene<'_>, canvas: &mut Canvas<'_>) -> Result<()> {
    let names = match scene.layer.kind {
        LayerKind::Extrusion => {
            ["fill-extrusion-color", "fill-extrusion-opacity", "fill-extrusion-pattern", "fill-extrusion-translate"]
        }
        _ => ["fill-color", "fill-opacity", "fill-pattern", "fill-translate"],
    };
    let (layer, context) = (scene.layer, &scene.context);
    let color = layer.property::<Color>(names[0], context);
    let opacity = layer.property::<f64>(names[1], context);
    let pattern = layer.property::<Option<Arc<Image>>>(names[2], context);
    let translate = layer.property::<[f64; 2]>(names[3], context).of(context).map(|v| v as f32 * canvas.ratio);
    let flat = layer.kind == LayerKind::Fill;
    let outline = flat.then(|| layer.property::<Option<Color>>("fill-outline-color", context));
    let smooth = !flat || layer.property::<bool>("fill-antialias", context).of(context);
    let mut gathered = Gathered { look: None, rings: PathBuilder::new(), outlines: PathBuilder::new() };
    scene.each(canvas.clock, |tile, feature, context| {
        if feature.kind != Kind::Polygon {
            return Ok(());
        }
        let own = tile.frame.own.common(&canvas.area.grown(2.0));
        let parts = tile.frame.rings_own(feature.parts()?, feature.layer.extent);
        let mut shape = tile.frame.shape(&parts, feature.layer.extent);
        move_by(&mut shape, translate);
        if !Area::around(shape.iter().flatten().copied()).meets(&own) {
            return Ok(());
        }
        let opacity = opacity.of(context);
        let look = Look {
            color: color.of(context).faded(opacity),
            opacity,
            outline: outline.as_ref().and_then(|o| o.of(context)).map(|o| o.faded(opacity)),
            pattern: pattern.of(context),
        };
        // Polygons that are seen through are drawn one by one, as they may lie upon each other.
        if gathered.look.as_ref() != Some(&look) || look.color.a < 1.0 || look.outline.is_some() {
            gathered.finish(canvas, smooth);
            gathered.look = Some(look);
        }
        gathered.add(shape, &own);
        Ok(())
    })?;
    gathered.finish(canvas, smooth);
    Ok(())
}

pub fn move_by(shape: &mut [Vec<Point>], by: Point) {
    if by != [0.0, 0.0] {
        for p in shape.iter_mut().flatten() {
            *p = [p[0] + by[0], p[1] + by[1]];
        }
    }
}

impl Gathered {
    fn add(&mut self, shape: Vec<Vec<Point>>, own: &Area) {
        let outlined = self.look.as_ref().is_some_and(|l| l.outline.is_some());
        for ring in shape {
            if outlined {
                line_within(&ring, &own.grown(1.0), |piece| add_line(&mut self.outlines, piece));
            }
            let ring = ring_within(ring, own);
            if ring.len() > 2 {
                add_line(&mut self.rings, &ring);
                self.rings.close();
            }
        }
    }

    fn finish(&mut self, canvas: &mut Canvas<'_>, smooth: bool) {
        let rings = std::mem::take(&mut self.rings).finish();
        let outlines = std::mem::take(&mut self.outlines).finish();
        let Some(look) = self.look.take() else { return };
        if let Some(path) = rings.filter(has_area)
            && let Some(shader) = canvas.shader(look.pattern.as_deref(), look.color, look.opacity)
        {
            let paint = Paint { shader, anti_alias: smooth, ..Paint::default() };
            canvas.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
        }
        if let (Some(path), Some(color), true) = (outlines, look.outline, smooth) {
            let paint = plain(color);
            let stroke = Stroke {
                width: canvas.ratio,
                line_cap: LineCap::Butt,
                line_join: LineJoin::Bevel,
                ..Stroke::default()
            };
            canvas.pixmap.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
        }
    }
}

pub fn plain(color: Color) -> Paint<'static> {
    Paint { shader: Shader::SolidColor(color.skia()), anti_alias: true, ..Paint::default() }
}

pub fn has_area(path: &Path) -> bool {
    path.bounds().width() > 1e-4 && path.bounds().height() > 1e-4
}

pub fn add_line(path: &mut PathBuilder, line: &[Point]) {
    for (i, p) in line.iter().enumerate() {
        match i {
            0 => path.move_to(p[0], p[1]),
            _ => path.line_to(p[0], p[1]),
        }
    }
}
