//! From features to symbols: texts set, signs measured, the boxes that they need.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use super::along::{Way, joined};
use super::layout::{self, Block, Setting, held, held_at, radial};
use super::middle::middle;
use super::{Icon, Stands, Symbol, Text, TextLook};
use crate::Color;
use crate::draw::frame::{Area, Frame, Point, grouped};
use crate::draw::{Canvas, Scene};
use crate::expr::{Context, Formatted, Image};
use crate::fonts::Fonts;
use crate::mvt::{Feature, Kind, Parts};
use crate::picture::Picture;
use crate::problem::Result;
use crate::style::Property;

/// More symbols than this no picture has room for.
const MOST: usize = 60_000;
/// There are nine; a style may name them over and over.
const MOST_ANCHORS: usize = 16;

/// How far beyond the picture a symbol may be anchored, in pixels.
pub fn margin(picture: &Picture) -> f32 {
    256.0 * picture.pixel_ratio
}

/// Anchors by name, each with its offset in ems.
type AnchorOffsets = Vec<(Arc<str>, [f64; 2])>;

/// What the style says, looked up once.
struct Properties<'a> {
    symbol_sort_key: Property<'a, f64>,
    text_field: Property<'a, Option<Arc<Formatted>>>,
    text_size: Property<'a, f64>,
    text_opacity: Property<'a, f64>,
    text_color: Property<'a, Color>,
    text_halo_color: Property<'a, Color>,
    text_halo_width: Property<'a, f64>,
    text_translate: Property<'a, [f64; 2]>,
    text_font: Property<'a, Option<Vec<Arc<str>>>>,
    text_max_width: Property<'a, f64>,
    text_line_height: Property<'a, f64>,
    text_letter_spacing: Property<'a, f64>,
    text_justify: Property<'a, Arc<str>>,
    text_transform: Property<'a, Arc<str>>,
    text_offset: Property<'a, [f64; 2]>,
    text_radial_offset: Property<'a, f64>,
    text_anchor: Property<'a, Arc<str>>,
    text_variable_anchor: Property<'a, Option<Vec<Arc<str>>>>,
    text_variable_anchor_offset: Property<'a, Option<AnchorOffsets>>,
    text_padding: Property<'a, f64>,
    text_rotate: Property<'a, f64>,
    text_max_angle: Property<'a, f64>,
    text_keep_upright: Property<'a, bool>,
    text_overlap: Property<'a, Arc<str>>,
    text_allow_overlap: Property<'a, bool>,
    text_ignore_placement: Property<'a, bool>,
    text_optional: Property<'a, bool>,
    icon_image: Property<'a, Option<Arc<Image>>>,
    icon_size: Property<'a, f64>,
    icon_anchor: Property<'a, Arc<str>>,
    icon_offset: Property<'a, [f64; 2]>,
    icon_translate: Property<'a, [f64; 2]>,
    icon_padding: Property<'a, [f64; 4]>,
    icon_rotate: Property<'a, f64>,
    icon_opacity: Property<'a, f64>,
    icon_text_fit: Property<'a, Arc<str>>,
    icon_text_fit_padding: Property<'a, [f64; 4]>,
    icon_overlap: Property<'a, Arc<str>>,
    icon_allow_overlap: Property<'a, bool>,
    icon_ignore_placement: Property<'a, bool>,
    icon_optional: Property<'a, bool>,
}

impl<'a> Properties<'a> {
    fn of(scene: &Scene<'a>) -> Properties<'a> {
        let (layer, context) = (scene.layer, &scene.context);
        Properties {
            symbol_sort_key: layer.property("symbol-sort-key", context),
            text_field: layer.property("text-field", context),
            text_size: layer.property("text-size", context),
            text_opacity: layer.property("text-opacity", context),
            text_color: layer.property("text-color", context),
            text_halo_color: layer.property("text-halo-color", context),
            text_halo_width: layer.property("text-halo-width", context),
            text_translate: layer.property("text-translate", context),
            text_font: layer.property("text-font", context),
            text_max_width: layer.property("text-max-width", context),
            text_line_height: layer.property("text-line-height", context),
            text_letter_spacing: layer.property("text-letter-spacing", context),
            text_justify: layer.property("text-justify", context),
            text_transform: layer.property("text-transform", context),
            text_offset: layer.property("text-offset", context),
            text_radial_offset: layer.property("text-radial-offset", context),
            text_anchor: layer.property("text-anchor", context),
            text_variable_anchor: layer.property("text-variable-anchor", context),
            text_variable_anchor_offset: layer.property("text-variable-anchor-offset", context),
            text_padding: layer.property("text-padding", context),
            text_rotate: layer.property("text-rotate", context),
            text_max_angle: layer.property("text-max-angle", context),
            text_keep_upright: layer.property("text-keep-upright", context),
            text_overlap: layer.property("text-overlap", context),
            text_allow_overlap: layer.property("text-allow-overlap", context),
            text_ignore_placement: layer.property("text-ignore-placement", context),
            text_optional: layer.property("text-optional", context),
            icon_image: layer.property("icon-image", context),
            icon_size: layer.property("icon-size", context),
            icon_anchor: layer.property("icon-anchor", context),
            icon_offset: layer.property("icon-offset", context),
            icon_translate: layer.property("icon-translate", context),
            icon_padding: layer.property("icon-padding", context),
            icon_rotate: layer.property("icon-rotate", context),
            icon_opacity: layer.property("icon-opacity", context),
            icon_text_fit: layer.property("icon-text-fit", context),
            icon_text_fit_padding: layer.property("icon-text-fit-padding", context),
            icon_overlap: layer.property("icon-overlap", context),
            icon_allow_overlap: layer.property("icon-allow-overlap", context),
            icon_ignore_placement: layer.property("icon-ignore-placement", context),
            icon_optional: layer.property("icon-optional", context),
        }
    }
}

struct Gathering<'a, 'b> {
    fonts: &'b Fonts,
    canvas: &'b Canvas<'b>,
    layer: usize,
    near: Area,
    ratio: f32,
    placement: Arc<str>,
    spacing: f32,
    properties: Properties<'a>,
    /// Texts that have been set: a name stands on many pieces of road.
    blocks: FxHashMap<u64, Option<Arc<Block>>>,
    symbols: &'b mut Vec<Symbol>,
}

pub fn gather<'a>(
    scene: &Scene<'a>,
    layer: usize,
    picture: &Picture,
    fonts: &Fonts,
    canvas: &Canvas<'_>,
    symbols: &mut Vec<Symbol>,
) -> Result<()> {
    let context = &scene.context;
    let mut gathering = Gathering {
        fonts,
        canvas,
        layer,
        near: canvas.area.grown(margin(picture)),
        ratio: canvas.ratio,
        placement: scene.layer.property("symbol-placement", context).of(context),
        spacing: scene.layer.property::<f64>("symbol-spacing", context).of(context).clamp(1.0, 1e5) as f32
            * canvas.ratio,
        properties: Properties::of(scene),
        blocks: FxHashMap::default(),
        symbols,
    };
    let along = &*gathering.placement != "point";
    // Lines of one name are joined before they are labelled, tile by tile.
    let mut tile_before: Option<*const Frame<'a>> = None;
    let mut pending: Vec<(u64, Vec<Point>)> = vec![];
    let mut looks: FxHashMap<u64, LineOf> = FxHashMap::default();
    scene.each(canvas.clock, |tile, feature, context| {
        if gathering.symbols.len() > MOST {
            return Ok(());
        }
        let extent = feature.layer.extent;
        let parts = feature.parts()?;
        if !along {
            return gathering.points(&tile.frame, feature, parts, extent, context);
        }
        if feature.kind == Kind::Point {
            return Ok(());
        }
        if tile_before != Some(&raw const tile.frame) {
            gathering.lines(&mut pending, &mut looks);
            tile_before = Some(&raw const tile.frame);
        }
        gathering.line_of(&tile.frame, parts, extent, context, &mut pending, &mut looks);
        Ok(())
    })?;
    gathering.lines(&mut pending, &mut looks);
    Ok(())
}

/// What the labels along a line look like.
struct LineOf {
    text: Option<Lettered>,
    icon: Option<IconOf>,
    own: Area,
    identity: u64,
    sort_key: f64,
}

/// A text that has been set, and how it is to be drawn.
struct Lettered {
    block: Arc<Block>,
    size: f32,
    look: Arc<TextLook>,
    padding: f32,
    offset: Point,
    angle: f32,
    max_angle: f32,
    upright: bool,
    overlap: bool,
    ignored: bool,
    optional: bool,
    anchors: Vec<(Point, Point)>,
}

struct IconOf {
    image: Arc<Image>,
    area: Area,
    angle: f32,
    padding: [f32; 4],
    opacity: f32,
    overlap: bool,
    ignored: bool,
    optional: bool,
}

impl<'a> Gathering<'a, '_> {
    /// A symbol at each point, or in the middle of each polygon, or at each line's beginning.
    fn points(
        &mut self,
        frame: &Frame<'_>,
        feature: &Feature<'_>,
        parts: Parts,
        extent: f64,
        context: &Context<'_>,
    ) -> Result<()> {
        let anchors: Vec<[f64; 2]> = match feature.kind {
            Kind::Point => parts.concat(),
            Kind::Line => parts.iter().filter_map(|p| p.first().copied()).collect(),
            Kind::Polygon => {
                let seen = |rings: &Vec<Vec<[f64; 2]>>| {
                    let shape = frame.shape(rings, extent);
                    Area::around(shape.into_iter().flatten()).meets(&self.near)
                };
                grouped(parts).iter().filter(|p| seen(p)).filter_map(|rings| middle(rings, extent / 512.0)).collect()
            }
        };
        let own = anchors.into_iter().filter(|p| frame.is_own(*p, extent));
        let near: Vec<(Point, u64)> = own
            .map(|p| (frame.pixel(p, extent), hashed(&(frame.identity(), p.map(f64::to_bits)))))
            .filter(|(at, _)| self.near.holds(*at))
            .collect();
        if near.is_empty() {
            return Ok(());
        }
        let (text, icon) = (self.lettered(context, false), self.icon(context));
        let icon = self.fitted(icon, text.as_ref(), context);
        let sort_key = self.properties.symbol_sort_key.of(context);
        for (at, identity) in near {
            if self.symbols.len() > MOST {
                break;
            }
            self.canvas.clock.check()?;
            self.push(at, text.as_ref(), icon.as_ref(), (sort_key, identity));
        }
        Ok(())
    }

    /// Puts a feature's lines aside under what they are called.
    fn line_of(
        &mut self,
        frame: &Frame<'_>,
        parts: Parts,
        extent: f64,
        context: &Context<'_>,
        pending: &mut Vec<(u64, Vec<Point>)>,
        looks: &mut FxHashMap<u64, LineOf>,
    ) {
        let shape = frame.shape(&frame.lines_own(parts, extent), extent);
        if !Area::around(shape.iter().flatten().copied()).meets(&self.near) {
            return;
        }
        let (text, icon) = (self.lettered(context, true), self.icon(context));
        if text.is_none() && icon.is_none() {
            return;
        }
        let mut hasher = FxHasher::default();
        text.as_ref().map(|t| (&*t.block.text, t.size.to_bits())).hash(&mut hasher);
        icon.as_ref().map(|i| &*i.image.name).hash(&mut hasher);
        let key = hasher.finish();
        let of = LineOf {
            text,
            icon,
            own: frame.own,
            identity: hashed(&(key, frame.identity())),
            sort_key: self.properties.symbol_sort_key.of(context),
        };
        for line in shape {
            crate::draw::frame::line_within(&line, &frame.own, |piece| pending.push((key, piece.to_vec())));
        }
        looks.entry(key).or_insert(of);
    }

    /// Symbols along the lines that were put aside.
    fn lines(&mut self, pending: &mut Vec<(u64, Vec<Point>)>, looks: &mut FxHashMap<u64, LineOf>) {
        for (key, line) in joined(std::mem::take(pending)) {
            let Some(of) = looks.get(&key) else { continue };
            let way = Way::new(&line);
            let (label, em) = of.text.as_ref().map_or((0.0, 0.0), |t| (t.block.size[0] * t.size, t.size));
            let length = label.max(of.icon.as_ref().map_or(0.0, |i| i.area.max[0] - i.area.min[0]));
            let edge = |p: &Point| !of.own.grown(-1.0).holds(*p);
            let goes_on = line.first().is_some_and(edge) || line.last().is_some_and(edge);
            let places = match &*self.placement {
                "line-center" if length <= way.length() => vec![way.length() / 2.0],
                "line-center" => vec![],
                _ => way.places(length, em, self.spacing, goes_on),
            };
            for (n, place) in places.into_iter().enumerate() {
                let too_bent = of.text.as_ref().is_some_and(|t| way.is_too_bent(place, label, em * 1.5, t.max_angle));
                if too_bent || self.symbols.len() > MOST {
                    continue;
                }
                self.push_along(&way, place, of, hashed(&(of.identity, n, line.len())));
            }
        }
        looks.clear();
    }

    fn push_along(&mut self, way: &Way<'_>, place: f32, of: &LineOf, identity: u64) {
        let Some((middle, angle)) = way.at(place) else { return };
        if !self.near.holds(middle) {
            return;
        }
        let text = of.text.as_ref().and_then(|t| {
            // The block's middle lies on the line.
            let stands = way.stand(&t.block, place, t.size, t.offset[1] * t.size, t.upright)?;
            let boxes = stands
                .iter()
                .map(|s| {
                    let half = t.size * 0.5 + t.padding;
                    Area { min: s.middle.map(|v| v - half), max: s.middle.map(|v| v + half) }
                })
                .collect();
            Some(t.text(Stands::Along(stands), vec![([0.0, 0.0], boxes)]))
        });
        if of.text.is_some() && text.is_none() {
            return;
        }
        let icon = of.icon.as_ref().map(|i| i.icon(middle, angle));
        self.push_symbol(middle, (text, icon), (of.text.as_ref(), of.icon.as_ref()), (of.sort_key, identity));
    }

    fn push(&mut self, at: Point, text: Option<&Lettered>, icon: Option<&IconOf>, order: (f64, u64)) {
        let set = text.map(|t| {
            let ways = t.anchors.iter().map(|(anchor, offset)| {
                let area = held(t.block.size, *anchor, *offset);
                let pixels = Area { min: area.min.map(|v| v * t.size), max: area.max.map(|v| v * t.size) };
                (area.min, vec![turned(&pixels.grown(t.padding), at, t.angle)])
            });
            t.text(Stands::Block { anchor: at, angle: t.angle }, ways.collect())
        });
        let icon_set = icon.map(|i| i.icon(at, 0.0));
        self.push_symbol(at, (set, icon_set), (text, icon), order);
    }

    fn push_symbol(
        &mut self,
        middle: Point,
        (text, icon): (Option<Text>, Option<Icon>),
        (of_text, of_icon): (Option<&Lettered>, Option<&IconOf>),
        (sort_key, identity): (f64, u64),
    ) {
        if text.is_none() && icon.is_none() {
            return;
        }
        // Side by side the order must not depend on which tiles a picture has.
        let order = if self.canvas.tiled { identity } else { self.symbols.len() as u64 };
        self.symbols.push(Symbol {
            layer: self.layer,
            order: (sort_key, order),
            middle,
            text,
            icon,
            text_optional: of_text.is_none_or(|t| t.optional),
            icon_optional: of_icon.is_none_or(|i| i.optional),
        });
    }

    fn lettered(&mut self, context: &Context<'_>, along: bool) -> Option<Lettered> {
        if self.fonts.is_empty() {
            return None;
        }
        let text: Option<Arc<Formatted>> = self.properties.text_field.of(context);
        let text = text?;
        let size = self.properties.text_size.of(context).clamp(0.0, 500.0) as f32 * self.ratio;
        if size < 1.0 || text.sections.iter().all(|s| s.text.is_empty()) {
            return None;
        }
        let opacity = self.properties.text_opacity.of(context);
        let look = TextLook {
            color: self.properties.text_color.of(context).faded(opacity),
            halo: self.properties.text_halo_color.of(context).faded(opacity),
            // A distance field of 24 pixels an em reaches no farther.
            halo_width: (self.properties.text_halo_width.of(context).max(0.0) as f32 * self.ratio).min(size / 4.0),
            translate: self.properties.text_translate.of(context).map(|v| v as f32 * self.ratio),
        };
        let anchors = self.anchors(context);
        let stack: Option<Vec<Arc<str>>> = self.properties.text_font.of(context);
        let setting = Setting {
            stack: stack.unwrap_or_default().join(","),
            max_width: if along { f32::INFINITY } else { self.properties.text_max_width.of(context) as f32 },
            line_height: self.properties.text_line_height.of(context).clamp(0.1, 10.0) as f32,
            letter_spacing: self.properties.text_letter_spacing.of(context).clamp(-1.0, 10.0) as f32,
            justify: match &*self.properties.text_justify.of(context) {
                "left" => 0.0,
                "right" => 1.0,
                "auto" => anchors.first().map_or(0.5, |(held, _)| held[0]),
                _ => 0.5,
            },
        };
        let transform: Arc<str> = self.properties.text_transform.of(context);
        let block = self.block(&text, &setting, &transform)?;
        let offset = self.properties.text_offset.of(context).map(|v| v as f32);
        Some(Lettered {
            block,
            size,
            look: Arc::new(look),
            padding: self.properties.text_padding.of(context).clamp(0.0, 100.0) as f32 * self.ratio,
            offset,
            angle: (self.properties.text_rotate.of(context) as f32).to_radians(),
            max_angle: (self.properties.text_max_angle.of(context) as f32).to_radians(),
            upright: self.properties.text_keep_upright.of(context),
            overlap: overlaps(&self.properties.text_overlap, &self.properties.text_allow_overlap, context),
            ignored: self.properties.text_ignore_placement.of(context),
            optional: self.properties.text_optional.of(context),
            anchors,
        })
    }

    fn block(&mut self, text: &Formatted, setting: &Setting, transform: &str) -> Option<Arc<Block>> {
        let mut hasher = FxHasher::default();
        for s in &text.sections {
            (&*s.text, s.scale.map(f64::to_bits), s.font_stack.as_deref()).hash(&mut hasher);
            s.color.map(|c| [c.r, c.g, c.b, c.a].map(f64::to_bits)).hash(&mut hasher);
        }
        (&setting.stack, setting.max_width.to_bits(), setting.line_height.to_bits()).hash(&mut hasher);
        (setting.letter_spacing.to_bits(), setting.justify.to_bits(), transform).hash(&mut hasher);
        let transform: fn(&str) -> String = match transform {
            "uppercase" => str::to_uppercase,
            "lowercase" => str::to_lowercase,
            _ => str::to_owned,
        };
        let fonts = self.fonts;
        let set = || layout::set(text, setting, fonts, transform).map(Arc::new);
        self.blocks.entry(hasher.finish()).or_insert_with(set).clone()
    }

    /// Where the text may be held, with its offset then: the best first.
    fn anchors(&self, context: &Context<'_>) -> Vec<(Point, Point)> {
        let offset = self.properties.text_offset.of(context).map(|v| v as f32);
        let away = self.properties.text_radial_offset.of(context) as f32;
        let list: Option<AnchorOffsets> = self.properties.text_variable_anchor_offset.of(context);
        if let Some(list) = list.filter(|l| !l.is_empty()) {
            let held = |(anchor, by): &(Arc<str>, [f64; 2])| (held_at(anchor), by.map(|v| v as f32));
            return list.iter().take(MOST_ANCHORS).map(held).collect();
        }
        let names: Option<Vec<Arc<str>>> = self.properties.text_variable_anchor.of(context);
        if let Some(names) = names.filter(|n| !n.is_empty()) {
            let by = |anchor: &str| match away > 0.0 {
                true => radial(anchor, away),
                false => {
                    let away = held_at(anchor).map(|h| (0.5 - h).signum() * f32::from(u8::from(h != 0.5)));
                    [offset[0].abs() * away[0], offset[1].abs() * away[1]]
                }
            };
            return names.iter().take(MOST_ANCHORS).map(|n| (held_at(n), by(n))).collect();
        }
        let anchor: Arc<str> = self.properties.text_anchor.of(context);
        let offset = if away > 0.0 { radial(&anchor, away) } else { offset };
        vec![(held_at(&anchor), offset)]
    }

    fn icon(&self, context: &Context<'_>) -> Option<IconOf> {
        let image: Option<Arc<Image>> = self.properties.icon_image.of(context);
        let image = image?;
        let sprite = self.canvas.sprites?.get(&image.name)?;
        let scale = self.properties.icon_size.of(context).clamp(0.0, 100.0) as f32 * self.ratio;
        let size = [sprite.picture.width(), sprite.picture.height()].map(|v| v as f32 / sprite.ratio * scale);
        let anchor: Arc<str> = self.properties.icon_anchor.of(context);
        let offset = self.properties.icon_offset.of(context).map(|v| v as f32 * scale);
        let translate = self.properties.icon_translate.of(context).map(|v| v as f32 * self.ratio);
        let padding = self.properties.icon_padding.of(context).map(|v| v as f32 * self.ratio);
        (scale > 0.0).then(|| IconOf {
            image,
            area: held(size, held_at(&anchor), [offset[0] + translate[0], offset[1] + translate[1]]),
            angle: (self.properties.icon_rotate.of(context) as f32).to_radians(),
            padding,
            opacity: self.properties.icon_opacity.of(context).clamp(0.0, 1.0) as f32,
            overlap: overlaps(&self.properties.icon_overlap, &self.properties.icon_allow_overlap, context),
            ignored: self.properties.icon_ignore_placement.of(context),
            optional: self.properties.icon_optional.of(context),
        })
    }

    /// The sign stretched around its text, where the style wants that.
    fn fitted(&self, icon: Option<IconOf>, text: Option<&Lettered>, context: &Context<'_>) -> Option<IconOf> {
        let mut icon = icon?;
        let fit: Arc<str> = self.properties.icon_text_fit.of(context);
        let (Some(text), true) = (text, &*fit != "none") else { return Some(icon) };
        let [top, right, bottom, left] =
            self.properties.icon_text_fit_padding.of(context).map(|v| v as f32 * self.ratio);
        let (anchor, offset) = text.anchors.first().copied().unwrap_or(([0.5; 2], [0.0; 2]));
        let block = held(text.block.size, anchor, offset);
        let (min, max) = (block.min.map(|v| v * text.size), block.max.map(|v| v * text.size));
        if &*fit != "height" {
            (icon.area.min[0], icon.area.max[0]) = (min[0] - left, max[0] + right);
        }
        if &*fit != "width" {
            (icon.area.min[1], icon.area.max[1]) = (min[1] - top, max[1] + bottom);
        }
        Some(icon)
    }
}

impl Lettered {
    fn text(&self, stands: Stands, ways: Vec<(Point, Vec<Area>)>) -> Text {
        Text {
            block: self.block.clone(),
            stands,
            size: self.size,
            look: self.look.clone(),
            ways,
            chosen: None,
            overlap: self.overlap,
            ignored: self.ignored,
        }
    }
}

impl IconOf {
    fn icon(&self, anchor: Point, angle: f32) -> Icon {
        let angle = angle + self.angle;
        let [top, right, bottom, left] = self.padding;
        let padded = Area {
            min: [self.area.min[0] - left, self.area.min[1] - top],
            max: [self.area.max[0] + right, self.area.max[1] + bottom],
        };
        Icon {
            name: self.image.name.clone(),
            anchor,
            angle,
            area: self.area,
            opacity: self.opacity,
            shown: false,
            boxes: vec![turned(&padded, anchor, angle)],
            overlap: self.overlap,
            ignored: self.ignored,
        }
    }
}

/// Whether it may lie upon others: the newer word for it counts before the older flag.
fn overlaps(word: &Property<'_, Arc<str>>, flag: &Property<'_, bool>, context: &Context<'_>) -> bool {
    match &*word.of(context) {
        "" => flag.of(context),
        "always" => true,
        _ => false,
    }
}

/// The box around a box that is turned about the anchor.
fn turned(area: &Area, anchor: Point, angle: f32) -> Area {
    if angle == 0.0 {
        return Area { min: [0, 1].map(|i| area.min[i] + anchor[i]), max: [0, 1].map(|i| area.max[i] + anchor[i]) };
    }
    let (sin, cos) = angle.sin_cos();
    let corners = [[area.min[0], area.min[1]], [area.max[0], area.min[1]], area.max, [area.min[0], area.max[1]]];
    Area::around(corners.map(|[x, y]| [anchor[0] + x * cos - y * sin, anchor[1] + x * sin + y * cos]))
}

fn hashed(what: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    what.hash(&mut hasher);
    hasher.finish()
}
