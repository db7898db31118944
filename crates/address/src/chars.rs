//! What is known of single characters: their simplified form, how they sound, and which others they are taken for.
//!
//! The tables are made by `scripts/make-character-data` and lie under `data/chars`; each answer is one or two look-ups by code point.

mod shape;
mod sound;
mod table;

pub use shape::{look_alikes, looks_like};
pub use sound::{
    Syllable, homophones, initial, near_homophones, near_sound, same_sound, sound_class, syllable_of, syllable_text,
    syllables,
};

use table::words;

static SIMPLE: [u16; include_bytes!("../data/chars/simplify.bin").len() / 2] =
    words(include_bytes!("../data/chars/simplify.bin"));
static BEYOND: [u16; include_bytes!("../data/chars/simplify-beyond.bin").len() / 2] =
    words(include_bytes!("../data/chars/simplify-beyond.bin"));

/// The form that text is compared in: traditional and variant characters become simplified ones, compatibility ideographs and radicals the
/// characters they stand for, full-width forms half-width. Case stays, and so does what has no simpler form.
pub fn simplify(c: char) -> char {
    let code = c as u32;
    if code < 0x80 {
        return c;
    }
    let to = match u16::try_from(code) {
        Ok(code) => {
            let page = SIMPLE[(code >> 8) as usize] as usize;
            SIMPLE[256 + page * 256 + (code & 255) as usize]
        }
        Err(_) => simplify_beyond(code),
    };
    if to == 0 { c } else { char::from_u32(u32::from(to)).unwrap_or(c) }
}

/// The planes beyond the first, where few characters have a simpler form: entries of the code's two halves and the form, in order.
fn simplify_beyond(code: u32) -> u16 {
    let key = |at: usize| u32::from(BEYOND[at * 3]) << 16 | u32::from(BEYOND[at * 3 + 1]);
    let (mut low, mut high) = (0, BEYOND.len() / 3);
    while low < high {
        let middle = (low + high) / 2;
        if key(middle) < code {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if low < BEYOND.len() / 3 && key(low) == code { BEYOND[low * 3 + 2] } else { 0 }
}

/// How easily one character is written for the other: 1 the same, 0.95 the same sound and a like shape, 0.9 the same sound,
/// 0.85 a like shape (0.8 if only their traditional forms are alike), 0.8 nearly the same sound (zh and z, n and l, in and ing), else 0.
pub fn similar(a: char, b: char) -> f32 {
    let (a, b) = (simplify(a), simplify(b));
    if a == b {
        return 1.0;
    }
    let shape = looks_like(a, b);
    if same_sound(a, b) {
        return if shape > 0.0 { 0.95 } else { 0.9 };
    }
    if shape == 0.0 && near_sound(a, b) { 0.8 } else { shape }
}

/// The characters that are written for this one by mistake: those that sound the same, then those that look alike.
pub fn confusable(c: char) -> impl Iterator<Item = char> {
    homophones(c).chain(look_alikes(c))
}

#[cfg(test)]
mod tests;
