//! A text as lines of glyphs around its anchor.

use std::sync::Arc;

use crate::Color;
use crate::draw::frame::{Area, Point};
use crate::expr::Formatted;
use crate::fonts::{Fonts, Glyph};

/// A label that no one reads would only cost time.
const LONGEST: usize = 400;

/// How a text is to be set. Lengths in ems.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    pub stack: String,
    pub max_width: f32,
    pub line_height: f32,
    pub letter_spacing: f32,
    /// 0 left, 0.5 centre, 1 right.
    pub justify: f32,
}

/// One character in its place, in ems of the label.
pub struct Set {
    pub glyph: Arc<Glyph>,
    pub character: char,
    /// Its left end on the baseline.
    pub at: Point,
    pub scale: f32,
    pub color: Option<Color>,
}

/// A text that has been set, its upper left corner at the origin.
pub struct Block {
    pub glyphs: Vec<Set>,
    pub size: Point,
    pub text: String,
}

struct Character {
    glyph: Arc<Glyph>,
    character: char,
    scale: f32,
    color: Option<Color>,
}

impl Character {
    fn advance(&self, setting: &Setting) -> f32 {
        self.glyph.advance * self.scale + setting.letter_spacing
    }
}

/// Sets a text; None when there is nothing to see of it.
pub fn set(text: &Formatted, setting: &Setting, fonts: &Fonts, transform: fn(&str) -> String) -> Option<Block> {
    let mut characters = vec![];
    let mut whole = String::new();
    for section in &text.sections {
        let written = transform(&section.text);
        let stack = section.font_stack.as_deref().unwrap_or(&setting.stack);
        let left = LONGEST.saturating_sub(characters.len());
        let glyphs = fonts.glyphs(stack, written.chars().take(left));
        for (character, glyph) in written.chars().zip(glyphs) {
            let scale = section.scale.unwrap_or(1.0).clamp(0.0, 20.0) as f32;
            characters.push(Character { glyph: glyph?, character, scale, color: section.color });
        }
        whole.push_str(&written);
    }
    if !whole.chars().any(|c| !c.is_whitespace()) {
        return None;
    }
    let lines = lines(characters, setting);
    let width_of = |line: &[Character]| {
        let sum: f32 = line.iter().map(|c| c.advance(setting)).sum();
        (sum - setting.letter_spacing).max(0.0)
    };
    let widest = lines.iter().map(|l| width_of(l)).fold(0.0, f32::max);
    let mut block = Block { glyphs: vec![], size: [widest, 0.0], text: whole };
    for line in lines {
        let mut x = (widest - width_of(&line)) * setting.justify;
        let largest = line.iter().map(|c| c.scale).fold(0.0, f32::max);
        let height = setting.line_height * if largest > 0.0 { largest } else { 1.0 };
        let middle = block.size[1] + height / 2.0;
        for c in line {
            // Larger and smaller parts stand on one baseline.
            let baseline = middle + c.glyph.baseline * largest;
            let advance = c.advance(setting);
            block.glyphs.push(Set {
                at: [x, baseline],
                glyph: c.glyph,
                character: c.character,
                scale: c.scale,
                color: c.color,
            });
            x += advance;
        }
        block.size[1] += height;
    }
    Some(block)
}

/// Lines of about the same length, none much longer than the width allows.
fn lines(characters: Vec<Character>, setting: &Setting) -> Vec<Vec<Character>> {
    let mut lines = vec![];
    let mut paragraph = vec![];
    for c in characters {
        if c.character == '\n' {
            broken(std::mem::take(&mut paragraph), setting, &mut lines);
        } else if !c.character.is_control() {
            paragraph.push(c);
        }
    }
    broken(paragraph, setting, &mut lines);
    lines
}

fn broken(paragraph: Vec<Character>, setting: &Setting, lines: &mut Vec<Vec<Character>>) {
    let breaks = breaks(&paragraph, setting);
    let mut rest = paragraph.into_iter();
    let mut from = 0;
    for to in breaks {
        let mut line: Vec<Character> = rest.by_ref().take(to - from).collect();
        from = to;
        let first = line.iter().position(|c| !c.character.is_whitespace()).unwrap_or(line.len());
        line.drain(..first);
        while line.last().is_some_and(|c| c.character.is_whitespace()) {
            line.pop();
        }
        lines.push(line);
    }
}

/// After which characters a line ends, the last one included: of all ways the one whose lines differ least from the width that the
/// text would have if it were divided evenly.
fn breaks(text: &[Character], setting: &Setting) -> Vec<usize> {
    let whole: f32 = text.iter().map(|c| c.advance(setting)).sum();
    if text.is_empty() || setting.max_width <= 0.0 || whole <= setting.max_width {
        return vec![text.len()];
    }
    let target = whole / (whole / setting.max_width).ceil();
    struct Break {
        at: usize,
        x: f32,
        badness: f32,
        before: Option<usize>,
    }
    let mut found: Vec<Break> = vec![];
    let mut x = 0.0;
    for (i, c) in text.iter().enumerate() {
        if !c.character.is_whitespace() {
            x += c.advance(setting);
        }
        let last = i + 1 == text.len();
        let Some(penalty) = (if last { Some(0.0) } else { penalty(c.character, text[i + 1].character) }) else {
            continue;
        };
        let badness = |from: f32| {
            let off = x - from - target;
            // A last line may be short, and better not long.
            let ragged = off
                * off
                * if !last {
                    1.0
                } else if off < 0.0 {
                    0.5
                } else {
                    2.0
                };
            ragged + penalty
        };
        let mut best = Break { at: i + 1, x, badness: badness(0.0), before: None };
        for (n, earlier) in found.iter().enumerate() {
            let sum = badness(earlier.x) + earlier.badness;
            if sum <= best.badness {
                best = Break { badness: sum, before: Some(n), ..best };
            }
        }
        found.push(best);
    }
    let mut breaks = vec![];
    let mut at = found.len().checked_sub(1);
    while let Some(n) = at {
        breaks.push(found[n].at);
        at = found[n].before;
    }
    breaks.reverse();
    breaks
}

/// How bad it is to break between two characters; None where one must not.
fn penalty(before: char, after: char) -> Option<f32> {
    const CLOSING: &str = "，。、；：？！）》」』】〉”’％,.;:?!)]}>";
    const OPENING: &str = "（《「『【〈“‘([{<";
    if CLOSING.contains(after) || OPENING.contains(before) {
        return None;
    }
    if before.is_whitespace() || "-‐–/&+|·•—\u{200b}\u{ad}".contains(before) {
        return Some(0.0);
    }
    if OPENING.contains(after) {
        // Before a parenthesis is a good place.
        return Some(-0.1);
    }
    (is_ideographic(before) || is_ideographic(after) && !after.is_whitespace() && is_ideographic(before))
        .then_some(0.25)
}

/// Characters that stand upright and for themselves.
pub fn is_ideographic(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x11ff | 0x2e80..=0x312f | 0x3130..=0x318f | 0x31a0..=0x4dbf | 0x4e00..=0x9fff
        | 0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff | 0xfe30..=0xfe4f | 0xff00..=0xffef | 0x20000..=0x3ffff)
}

/// Where of itself a thing is held: 0 at its left or top, 1 at its right or bottom.
pub fn held_at(anchor: &str) -> Point {
    let x = if anchor.contains("left") {
        0.0
    } else if anchor.contains("right") {
        1.0
    } else {
        0.5
    };
    let y = if anchor.contains("top") {
        0.0
    } else if anchor.contains("bottom") {
        1.0
    } else {
        0.5
    };
    [x, y]
}

/// The offset that keeps a text as far from its point as `radial`, for an anchor.
pub fn radial(anchor: &str, radial: f32) -> Point {
    /// The white above and below a line's letters.
    const WHITE: f32 = 7.0 / 24.0;
    let radial = radial.max(0.0);
    let diagonal = radial / std::f32::consts::SQRT_2;
    let x = |by: f32| if anchor.ends_with("left") { by } else { -by };
    match anchor {
        "top" => [0.0, radial - WHITE],
        "bottom" => [0.0, WHITE - radial],
        "left" | "right" => [x(radial), 0.0],
        "top-left" | "top-right" => [x(diagonal), diagonal - WHITE],
        "bottom-left" | "bottom-right" => [x(diagonal), WHITE - diagonal],
        _ => [0.0, 0.0],
    }
}

/// The box of a thing held at its anchor.
pub fn held(size: Point, anchor: Point, offset: Point) -> Area {
    let min = [offset[0] - size[0] * anchor[0], offset[1] - size[1] * anchor[1]];
    Area { min, max: [min[0] + size[0], min[1] + size[1]] }
}
