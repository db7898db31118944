//! Which characters look alike. Neighbour lists: how many characters have one, the characters in order, where each list starts, the lists.

use super::simplify;
use super::table::words;

static SHAPES: [u16; include_bytes!("../../data/chars/shapes.bin").len() / 2] =
    words(include_bytes!("../../data/chars/shapes.bin"));

/// Neighbours are kept as a distance from here, so that a bit remains.
const BASE: u16 = 0x3000;
/// Marks a neighbour that is one only in traditional script; the lists are of simplified characters there too.
const TRADITIONAL: u16 = 0x8000;

fn neighbours(c: char) -> &'static [u16] {
    let count = SHAPES[0] as usize;
    let Ok(code) = u16::try_from(c as u32) else { return &[] };
    let Ok(at) = SHAPES[1..=count].binary_search(&code) else { return &[] };
    let starts = &SHAPES[1 + count..2 + 2 * count];
    let lists = &SHAPES[2 + 2 * count..];
    &lists[starts[at] as usize..starts[at + 1] as usize]
}

/// 0.85 for look-alikes, 0.8 for characters whose traditional forms are, else 0. Each may have the other in its list.
pub fn looks_like(a: char, b: char) -> f32 {
    one_way(a, b).max(one_way(b, a))
}

fn one_way(a: char, b: char) -> f32 {
    let Ok(code) = u16::try_from(b as u32) else { return 0.0 };
    let Some(distance) = code.checked_sub(BASE) else { return 0.0 };
    match neighbours(a).iter().find(|&&n| n & !TRADITIONAL == distance) {
        Some(n) if n & TRADITIONAL == 0 => 0.85,
        Some(_) => 0.8,
        None => 0.0,
    }
}

/// The characters that look like this one in its own script, the likest first.
pub fn look_alikes(c: char) -> impl Iterator<Item = char> {
    let traditional = simplify(c) != c;
    neighbours(c)
        .iter()
        .filter(|&&n| n & TRADITIONAL == 0)
        .filter_map(|&n| char::from_u32(u32::from(n + BASE)))
        // A simplified form among traditional text would be a slip of another kind.
        .filter(move |&other| {
            !traditional
                || simplify(other) != other
                || neighbours(other).contains(&((c as u32 as u16).wrapping_sub(BASE)))
        })
}
