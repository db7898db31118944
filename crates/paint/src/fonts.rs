//! The faces that labels are written in, and the outlines of their characters.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, RwLock};

use memmap2::Mmap;
use rustc_hash::FxHashMap;
use tiny_skia::PathBuilder;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Faces by the names that styles give them. Without any there are pictures without labels.
#[derive(Default)]
pub struct Fonts {
    files: Vec<Mmap>,
    faces: Vec<Found>,
    names: FxHashMap<String, usize>,
    glyphs: RwLock<FxHashMap<(usize, char), Arc<Glyph>>>,
}

struct Found {
    file: usize,
    index: u32,
    /// Ems for each of the font's units.
    scale: f32,
    /// From the middle of a line down to its baseline, in ems.
    baseline: f32,
}

/// A character's outline, in ems from its place on the baseline, y downwards.
pub(crate) struct Glyph {
    pub outline: Option<tiny_skia::Path>,
    pub advance: f32,
    pub baseline: f32,
}

/// Outlines kept at most: some 2 KB each.
const MOST_GLYPHS: usize = 12_000;

impl Fonts {
    /// No faces at all.
    pub fn none() -> Fonts {
        Fonts::default()
    }

    /// Adds a face: of a font file or collection the one of a family. The first that is added serves for unknown names.
    /// False when there is no such file, or no such face in it.
    pub fn add(&mut self, name: &str, file: &Path, family: &str) -> bool {
        let Ok(opened) = File::open(file) else { return false };
        // SAFETY: fonts are files of the system, which replaces them by renaming and does not write into them.
        let Ok(map) = (unsafe { Mmap::map(&opened) }) else { return false };
        let Some((index, units, ascender)) = face_of(&map, family) else { return false };
        self.names.insert(name.to_owned(), self.faces.len());
        self.faces.push(Found {
            file: self.files.len(),
            index,
            scale: 1.0 / units,
            // Where MapLibre puts it: glyphs of 24 pixels, the line's middle 17 pixels below their ascender.
            baseline: ((ascender / units * 24.0).round() - 17.0) / 24.0,
        });
        self.files.push(map);
        true
    }

    pub fn is_empty(&self) -> bool {
        self.faces.is_empty()
    }

    /// The faces of a stack (names divided by commas), the first one first; then all others.
    fn stack(&self, stack: &str) -> Vec<usize> {
        let mut order: Vec<usize> = stack.split(',').filter_map(|name| self.names.get(name.trim()).copied()).collect();
        for other in 0..self.faces.len() {
            if !order.contains(&other) {
                order.push(other);
            }
        }
        order
    }

    /// The face that serves for unknown names.
    pub fn first(&self) -> Option<Face<'_>> {
        if self.is_empty() { None } else { self.face(0) }
    }

    fn face(&self, at: usize) -> Option<Face<'_>> {
        Face::parse(&self.files[self.faces[at].file], self.faces[at].index).ok()
    }

    /// The outlines of a text's characters, each from the first face of the stack that has it.
    pub(crate) fn glyphs(&self, stack: &str, text: impl Iterator<Item = char>) -> Vec<Option<Arc<Glyph>>> {
        let order = self.stack(stack);
        text.map(|c| self.glyph(&order, c)).collect()
    }

    fn glyph(&self, order: &[usize], character: char) -> Option<Arc<Glyph>> {
        let first = *order.first()?;
        if let Ok(kept) = self.glyphs.read()
            && let Some(glyph) = kept.get(&(first, character))
        {
            return Some(glyph.clone());
        }
        let has = |at: &usize| Some((*at, self.face(*at)?.glyph_index(character)?));
        // The sign for "no such character" where no face has it.
        let (at, id) = order.iter().find_map(has).unwrap_or((first, GlyphId(0)));
        let glyph = Arc::new(self.outline(at, id)?);
        if let Ok(mut kept) = self.glyphs.write() {
            if kept.len() >= MOST_GLYPHS {
                kept.clear();
            }
            kept.insert((first, character), glyph.clone());
        }
        Some(glyph)
    }

    fn outline(&self, at: usize, id: GlyphId) -> Option<Glyph> {
        let (face, found) = (self.face(at)?, &self.faces[at]);
        let mut pen = Pen { path: PathBuilder::new(), scale: found.scale };
        face.outline_glyph(id, &mut pen);
        let advance = f32::from(face.glyph_hor_advance(id).unwrap_or_default()) * found.scale;
        Some(Glyph { outline: pen.path.finish(), advance, baseline: found.baseline })
    }
}

/// The place of a family's face in a collection, its units and its ascender.
fn face_of(data: &[u8], family: &str) -> Option<(u32, f32, f32)> {
    let count = ttf_parser::fonts_in_collection(data).unwrap_or(1);
    (0..count.min(64)).find_map(|index| {
        let face = Face::parse(data, index).ok()?;
        let named = |n: ttf_parser::name::Name<'_>| n.name_id == 1 && n.to_string().is_some_and(|n| n == family);
        let found = face.names().into_iter().any(named);
        found.then(|| (index, f32::from(face.units_per_em()), f32::from(face.ascender())))
    })
}

struct Pen {
    path: PathBuilder,
    scale: f32,
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(x * self.scale, -y * self.scale);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(x * self.scale, -y * self.scale);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.path.quad_to(x1 * self.scale, -y1 * self.scale, x * self.scale, -y * self.scale);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let s = self.scale;
        self.path.cubic_to(x1 * s, -y1 * s, x2 * s, -y2 * s, x * s, -y * s);
    }
    fn close(&mut self) {
        self.path.close();
    }
}
