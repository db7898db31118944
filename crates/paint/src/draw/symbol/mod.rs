//! Labels and signs: gathered from the tiles, given room in the order of their importance, drawn with their layers.

mod along;
mod gather;
mod ink;
mod layout;
mod middle;
mod place;

use std::sync::Arc;

use super::frame::{Area, Point};
use super::{Canvas, Placed, Scene};
use crate::Color;
use crate::expr::Context;
use crate::fonts::Fonts;
use crate::picture::{Picture, Placement};
use crate::problem::Result;
use crate::style::{LayerKind, Style};
use along::Stand;
use layout::Block;
use place::{Room, Verdict};

pub use ink::draw;

/// A label or a sign, or both, that would like to be shown.
pub struct Symbol {
    /// The place of its layer in the style.
    pub layer: usize,
    order: (f64, u64),
    middle: Point,
    pub text: Option<Text>,
    pub icon: Option<Icon>,
    /// Each alone is better than none.
    text_optional: bool,
    icon_optional: bool,
}

pub struct Text {
    pub block: Arc<Block>,
    pub stands: Stands,
    pub size: f32,
    pub look: Arc<TextLook>,
    /// The ways it may stand, the best first: offset of the block and the boxes it then needs.
    ways: Vec<(Point, Vec<Area>)>,
    /// The one that was chosen.
    pub chosen: Option<Point>,
    overlap: bool,
    ignored: bool,
}

pub enum Stands {
    /// As a block, turned around the anchor.
    Block {
        anchor: Point,
        angle: f32,
    },
    Along(Vec<Stand>),
}

#[derive(Clone, PartialEq)]
pub struct TextLook {
    pub color: Color,
    pub halo: Color,
    pub halo_width: f32,
    pub translate: Point,
}

pub struct Icon {
    pub name: Arc<str>,
    pub anchor: Point,
    pub angle: f32,
    /// Left, top, right, bottom around the anchor, before turning.
    pub area: Area,
    pub opacity: f32,
    pub shown: bool,
    boxes: Vec<Area>,
    overlap: bool,
    ignored: bool,
}

/// Finds out which symbols there are and which of them have room.
pub fn placed(
    style: &Style,
    tiles: &[Placed<'_>],
    context: &Context<'_>,
    picture: &Picture,
    fonts: &Fonts,
    canvas: &Canvas<'_>,
) -> Result<Vec<Symbol>> {
    let mut symbols = vec![];
    for (at, layer) in style.layers().iter().enumerate() {
        if layer.kind == LayerKind::Symbol && layer.is_seen(picture.zoom) {
            let scene = Scene { layer, tiles, context: *context };
            gather::gather(&scene, at, picture, fonts, canvas, &mut symbols)?;
        }
    }
    // The uppermost layer is the most important one.
    symbols.sort_by(|a, b| b.layer.cmp(&a.layer).then(a.order.0.total_cmp(&b.order.0)).then(a.order.1.cmp(&b.order.1)));
    let reach = match picture.placement {
        Placement::Whole => None,
        Placement::Tiled => Some(gather::margin(picture) * 0.6),
    };
    let mut room = Room::new(reach, canvas.area.grown(gather::margin(picture)));
    for symbol in &mut symbols {
        canvas.clock.check()?;
        symbol.find_room(&mut room);
    }
    symbols.retain(Symbol::shows);
    // Drawn in the order of layers, the most important of a layer last, above the others.
    symbols.reverse();
    Ok(symbols)
}

impl Symbol {
    fn shows(&self) -> bool {
        self.text.as_ref().is_some_and(|t| t.chosen.is_some()) || self.icon.as_ref().is_some_and(|i| i.shown)
    }

    fn find_room(&mut self, room: &mut Room) {
        let middle = self.middle;
        let text = self.text.as_ref().map(|t| t.find_room(room, middle));
        let icon = self.icon.as_ref().map(|i| i.find_room(room, middle));
        let free = |v: Option<Verdict>| v.is_some_and(|v| v.free && !room.is_far(v));
        let (mut text_shows, mut icon_shows) = (text.is_some_and(|(_, v)| free(Some(v))), free(icon));
        if !text_shows && self.text.is_some() && !self.text_optional {
            icon_shows = false;
        }
        if !icon_shows && self.icon.is_some() && !self.icon_optional {
            text_shows = false;
            icon_shows &= self.text.is_none();
        }
        let reach = text.map(|(_, v)| v).into_iter().chain(icon).map(|v| v.reach).fold(0.0, f32::max);
        if let (Some(text), Some((way, _))) = (&mut self.text, text) {
            text.chosen = text_shows.then(|| text.ways[way].0);
            if !text.ignored {
                room.put(&text.ways[way].1, middle, text_shows, reach);
            }
        }
        if let Some(icon) = &mut self.icon {
            icon.shown = icon_shows;
            if !icon.ignored {
                room.put(&icon.boxes, middle, icon_shows, reach);
            }
        }
    }
}

impl Text {
    /// The first way that is free, else the first one.
    fn find_room(&self, room: &Room, middle: Point) -> (usize, Verdict) {
        if self.overlap {
            return (0, Verdict { free: true, reach: 0.0 });
        }
        let mut reach = 0.0f32;
        let mut first = None;
        for (n, (_, boxes)) in self.ways.iter().enumerate() {
            let verdict = room.ask(boxes, middle);
            reach = reach.max(verdict.reach);
            if verdict.free {
                return (n, Verdict { free: true, reach });
            }
            first.get_or_insert(verdict);
        }
        (0, Verdict { reach, ..first.unwrap_or(Verdict { free: false, reach }) })
    }
}

impl Icon {
    fn find_room(&self, room: &Room, middle: Point) -> Verdict {
        match self.overlap {
            true => Verdict { free: true, reach: 0.0 },
            false => room.ask(&self.boxes, middle),
        }
    }
}
