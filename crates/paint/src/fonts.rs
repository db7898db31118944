//! The faces that labels are written in.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;
use rustc_hash::FxHashMap;

/// Faces by the names that styles give them. Without any there are pictures without labels.
#[derive(Default)]
pub struct Fonts {
    files: Vec<Mmap>,
    faces: FxHashMap<String, Place>,
    default: Option<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    file: usize,
    index: u32,
}

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
        let Some(index) = face_of(&map, family) else { return false };
        let place = Place { file: self.files.len(), index };
        self.files.push(map);
        self.faces.insert(name.to_owned(), place);
        self.default.get_or_insert(place);
        true
    }
}

/// The place of a family's face in a collection.
fn face_of(data: &[u8], family: &str) -> Option<u32> {
    let count = ttf_parser::fonts_in_collection(data).unwrap_or(1);
    (0..count.min(64)).find(|index| {
        ttf_parser::Face::parse(data, *index).is_ok_and(|face| {
            face.names().into_iter().any(|name| name.name_id == 1 && name.to_string().is_some_and(|n| n == family))
        })
    })
}

impl Fonts {
    /// The first face of a stack (names divided by commas) that is there, else the one for unknown names.
    fn place(&self, stack: &str) -> Option<Place> {
        stack.split(',').find_map(|name| self.faces.get(name.trim()).copied()).or(self.default)
    }

    /// Whether a stack's face can write a character.
    pub fn covers(&self, stack: &str, character: char) -> bool {
        let place = self.place(stack);
        let face = place.and_then(|p| ttf_parser::Face::parse(&self.files[p.file], p.index).ok());
        face.is_some_and(|face| face.glyph_index(character).is_some())
    }
}
