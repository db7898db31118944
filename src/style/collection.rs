//! Takes one small font out of a big collection.
//!
//! Debian's Noto Sans CJK is a collection of ten faces over 65,535 shared glyphs. The glyph renderer reads only a
//! collection's first face (Japanese forms), and prepares every glyph that the face's character map names: seconds
//! and hundreds of megabytes. So it is handed a font of the wanted face whose map names the wanted characters only.

use std::ops::RangeInclusive;

use ttf_parser::{Face, Tag, name_id};

use crate::error::{Error, Result};

/// What the renderer reads, in the order that the font format demands (by tag). `cmap` is written anew.
const TABLES: [&[u8; 4]; 8] = [b"CFF ", b"OS/2", b"cmap", b"head", b"hhea", b"hmtx", b"maxp", b"name"];

/// A font with the face of that family, in which only these characters exist.
pub fn extract(collection: &[u8], family: &str, characters: RangeInclusive<u32>) -> Result<Vec<u8>> {
    let face = face_named(collection, family)?;
    let cmap = character_map(&face, characters);
    let mut tables: Vec<(&[u8; 4], &[u8])> = Vec::with_capacity(TABLES.len());
    for tag in TABLES {
        let bytes = match tag {
            b"cmap" => Some(cmap.as_slice()),
            _ => face.raw_face().table(Tag::from_bytes(tag)),
        };
        tables.push((tag, bytes.ok_or_else(|| broken(&format!("the table {} is missing", tag.escape_ascii())))?));
    }
    assemble(&tables)
}

/// The face of that family among a collection's faces.
pub fn face_named<'a>(collection: &'a [u8], family: &str) -> Result<Face<'a>> {
    let faces = ttf_parser::fonts_in_collection(collection).unwrap_or(1);
    for index in 0..faces {
        let face = Face::parse(collection, index).map_err(|e| broken(&e.to_string()))?;
        let named = |id| face.names().into_iter().any(|n| n.name_id == id && n.to_string().as_deref() == Some(family));
        if named(name_id::TYPOGRAPHIC_FAMILY) || named(name_id::FAMILY) {
            return Ok(face);
        }
    }
    Err(broken(&format!("no face of the family {family}")))
}

/// A `cmap` table with one sub-table of format 12 (full Unicode), one group per character.
fn character_map(face: &Face, characters: RangeInclusive<u32>) -> Vec<u8> {
    let mapped: Vec<(u32, u16)> = characters
        .filter_map(|code| face.glyph_index(char::from_u32(code)?).map(|glyph| (code, glyph.0)))
        .filter(|(_, glyph)| *glyph != 0)
        .collect();
    let groups = mapped.len() as u32;
    let mut table = Vec::with_capacity(28 + mapped.len() * 12);
    // Version 0, one sub-table: Windows, UCS-4, twelve bytes from here.
    for half in [0u16, 1, 3, 10] {
        table.extend(half.to_be_bytes());
    }
    table.extend(12u32.to_be_bytes());
    table.extend(12u16.to_be_bytes());
    table.extend(0u16.to_be_bytes());
    for word in [16 + groups * 12, 0, groups] {
        table.extend(word.to_be_bytes());
    }
    for (code, glyph) in mapped {
        for word in [code, code, u32::from(glyph)] {
            table.extend(word.to_be_bytes());
        }
    }
    table
}

/// Writes the table directory and the tables. Checksums stay zero: no reader here looks at them.
fn assemble(tables: &[(&[u8; 4], &[u8])]) -> Result<Vec<u8>> {
    let count = u16::try_from(tables.len()).map_err(Error::internal)?;
    let directory = 12 + tables.len() * 16;
    let size = tables.iter().fold(directory, |sum, (_, bytes)| sum + bytes.len().next_multiple_of(4));
    let mut font = Vec::with_capacity(size);
    font.extend(b"OTTO");
    let powers = count.checked_ilog2().unwrap_or(0);
    let search_range = 16u16 << powers;
    for half in [count, search_range, powers as u16, count * 16 - search_range] {
        font.extend(half.to_be_bytes());
    }
    let mut offset = directory;
    for (tag, bytes) in tables {
        font.extend(*tag);
        font.extend([0; 4]);
        for word in [offset, bytes.len()] {
            font.extend(u32::try_from(word).map_err(Error::internal)?.to_be_bytes());
        }
        offset += bytes.len().next_multiple_of(4);
    }
    for (_, bytes) in tables {
        font.extend(*bytes);
        font.resize(font.len().next_multiple_of(4), 0);
    }
    Ok(font)
}

fn broken(why: &str) -> Error {
    Error::internal(format!("the font collection cannot be used: {why}"))
}
