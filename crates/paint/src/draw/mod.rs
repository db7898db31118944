//! Drawing: layer after layer, in each one tile after the other.

mod area;
mod circle;
mod frame;
mod heat;
mod line;
mod subject;
mod symbol;

use std::time::Instant;

use tiny_skia::{Color as SkiaColor, Pixmap, Shader};

use crate::Color;
use crate::expr::{Context, Image};
use crate::fonts::Fonts;
use crate::mvt;
use crate::picture::{Picture, Placement, Projection, Tile};
use crate::problem::{Problem, Result};
use crate::sprites::Sprites;
use crate::style::{Layer, LayerKind, Style};
use frame::{Area, Frame};
use subject::Subject;

/// Draws what the tiles hold as the style says. Tiles beside the picture lend it the labels that reach into it.
pub fn draw(
    style: &Style,
    tiles: &[Tile<'_>],
    projection: &dyn Projection,
    picture: &Picture,
    fonts: &Fonts,
    sprites: Option<&Sprites>,
) -> Result<Pixmap> {
    picture.check()?;
    let mut canvas = Canvas::new(picture, sprites)?;
    let mut placed = vec![];
    for tile in tiles {
        if let Some(frame) = Frame::new(tile, projection, picture) {
            placed.push(Placed { source: tile.source, frame, layers: mvt::layers(tile.mvt)? });
        }
    }
    let has_image = |name: &str| sprites.is_some_and(|s| s.has(name));
    let context =
        Context { zoom: picture.zoom, has_image: Some(&has_image), until: canvas.clock.0, ..Context::default() };
    let symbols = symbol::placed(style, &placed, &context, picture, fonts, &canvas)?;
    for (at, layer) in style.layers().iter().enumerate().filter(|(_, l)| l.is_seen(picture.zoom)) {
        canvas.clock.check()?;
        let scene = Scene { layer, tiles: &placed, context };
        match layer.kind {
            LayerKind::Background => area::background(&scene, &mut canvas),
            LayerKind::Fill | LayerKind::Extrusion => area::fill(&scene, &mut canvas)?,
            LayerKind::Line => line::stroke(&scene, &mut canvas)?,
            LayerKind::Circle => circle::circles(&scene, &mut canvas)?,
            LayerKind::Heatmap => heat::heatmap(&scene, &mut canvas)?,
            LayerKind::Symbol => symbol::draw(&symbols, at, &mut canvas)?,
        }
    }
    // What was given up for lack of time is missing in the picture.
    canvas.clock.check()?;
    Ok(canvas.pixmap)
}

struct Placed<'a> {
    source: &'a str,
    frame: Frame<'a>,
    layers: Vec<mvt::Layer<'a>>,
}

/// A style layer and what there is to draw in it.
struct Scene<'a> {
    layer: &'a Layer,
    tiles: &'a [Placed<'a>],
    context: Context<'a>,
}

impl<'a> Scene<'a> {
    /// Each feature that the layer shows, with its tile and the context to ask about it.
    fn each(
        &self,
        clock: Clock,
        mut see: impl FnMut(&Placed<'a>, &mvt::Feature<'a>, &Context<'_>) -> Result<()>,
    ) -> Result<()> {
        // The more a feature may cost, the fewer between two looks at the clock.
        let often = (100_000 / self.layer.cost().max(1)).clamp(1, 64) as usize;
        for tile in self.tiles.iter().filter(|t| t.source == self.layer.source) {
            for layer in tile.layers.iter().filter(|l| l.name == self.layer.source_layer) {
                for (n, feature) in layer.features().enumerate() {
                    if n.is_multiple_of(often) {
                        clock.check()?;
                    }
                    let feature = feature?;
                    let subject = Subject { feature: &feature, frame: &tile.frame };
                    let context = Context { subject: Some(&subject), ..self.context };
                    if self.layer.admits(&context) {
                        see(tile, &feature, &context)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The picture while it is drawn.
struct Canvas<'a> {
    pixmap: Pixmap,
    area: Area,
    ratio: f32,
    sprites: Option<&'a Sprites>,
    clock: Clock,
    /// Whether it lies beside others that have to agree with it.
    tiled: bool,
}

impl<'a> Canvas<'a> {
    fn new(picture: &Picture, sprites: Option<&'a Sprites>) -> Result<Canvas<'a>> {
        let (width, height) = (picture.width, picture.height);
        let mut pixmap =
            Pixmap::new(width, height).ok_or_else(|| Problem::new("", "图片过大", "the picture is too large"))?;
        if let Some([r, g, b, a]) = picture.background {
            pixmap.fill(SkiaColor::from_rgba8(r, g, b, a));
        }
        Ok(Canvas {
            pixmap,
            area: Area::of_size(width, height),
            ratio: picture.pixel_ratio,
            sprites,
            tiled: picture.placement == Placement::Tiled,
            clock: Clock(picture.limit.map(|limit| Instant::now() + limit)),
        })
    }

    /// What an area is filled with: a pattern where the sprite has it, else the colour.
    fn shader(&self, pattern: Option<&Image>, color: Color, opacity: f64) -> Option<Shader<'a>> {
        match pattern {
            None => (color.a > 0.0).then(|| Shader::SolidColor(color.skia())),
            // A pattern that is not there leaves the area empty, as in a browser.
            Some(pattern) => self.sprites?.pattern(&pattern.name, opacity as f32, self.ratio),
        }
    }
}

/// When drawing has to be over.
#[derive(Clone, Copy)]
struct Clock(Option<Instant>);

impl Clock {
    fn check(self) -> Result<()> {
        match self.0.is_some_and(|until| Instant::now() > until) {
            true => Err(Problem::new("", "绘制超时", "drawing took too long")),
            false => Ok(()),
        }
    }
}
