//! Labelled parsing: which part of a text is which element, without looking anything up in a base.
//!
//! A text is folded character by character ([`fold`]), all its readings become a lattice of spans with costs ([`lattice`]: divisions by
//! the gazetteer, names by their endings, numbers by their units), the cheapest way through it under the order of elements is the
//! answer, and what stands in it twice is marked ([`repeats`]).

mod costs;
mod facts;
mod fields;
mod fold;
mod gather;
mod lattice;
mod lengths;
mod names;
mod numbers;
mod numeric;
mod repeats;
mod standard;
mod words;

use serde::{Deserialize, Serialize};

use crate::element::Element;
pub use fields::{Fields, fields};
use lattice::{Kind, Lattice, Span};

/// An element with its place in the given text, in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub element: Element,
    pub text: String,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// In the order of the text; they do not overlap.
    pub parts: Vec<Part>,
    /// The address as the standards write it: full present names of divisions, Arabic numerals, nothing twice.
    pub standard: String,
    /// What of the text is in no part.
    pub remainder: String,
}

/// Texts are looked at up to here, in characters; what is behind goes to the remainder.
const LONGEST: usize = crate::find::LONGEST;

/// Parses text after text; keeps its buffers between them.
pub struct Parser {
    lattice: Lattice,
    given: Vec<char>,
    folded: Vec<char>,
    spans: Vec<Span>,
    pieces: Vec<Piece>,
    bytes: Vec<usize>,
}

impl Default for Parser {
    fn default() -> Parser {
        Parser::new()
    }
}

impl Parser {
    pub fn new() -> Parser {
        Parser {
            lattice: Lattice::new(),
            given: Vec::new(),
            folded: Vec::new(),
            spans: Vec::new(),
            pieces: Vec::new(),
            bytes: Vec::new(),
        }
    }

    fn read(&mut self, text: &str) {
        self.given.clear();
        self.given.extend(text.chars().take(LONGEST));
        self.folded.clear();
        for (i, &c) in self.given.iter().enumerate() {
            let c = fold::fold(c);
            let counts = |c: char| fold::digit(c) || fold::letter(c);
            let behind = self.folded.last().is_some_and(|&c| counts(c));
            let before = self.given.get(i + 1).is_some_and(|&c| counts(fold::fold(c)));
            self.folded.push(match c {
                // 12# is 12号, 3一2 is 3-2.
                '#' if behind => '号',
                '一' | 'ー' | '丨' if behind && before => '-',
                _ => c,
            });
        }
        self.lattice.read(&self.folded, &mut self.spans);
    }

    /// The elements of a text, what stands in it twice marked.
    fn pieces_of(&mut self, text: &str, pieces: &mut Vec<Piece>) {
        self.read(text);
        pieces.clear();
        elements(&self.folded, &self.spans, pieces);
        repeats::mark(&self.folded, pieces);
        municipalities(&self.folded, pieces);
    }

    pub fn parse(&mut self, text: &str) -> Parsed {
        let mut pieces = std::mem::take(&mut self.pieces);
        self.pieces_of(text, &mut pieces);
        let mut remainder = String::new();
        let left = self.spans.iter().filter(|s| matches!(s.kind, Kind::Unknown));
        left.for_each(|s| remainder.extend(&self.given[s.start..s.end]));
        remainder.extend(text.chars().skip(LONGEST));
        let standard = standard::standard(&self.folded, &pieces);
        lanes(&self.folded, &mut pieces);
        let part = |p: &Piece| {
            let text = self.given[p.start..p.end].iter().collect();
            Part { element: p.element, text, start: p.start, end: p.end }
        };
        let parts = pieces.iter().map(part).collect();
        self.pieces = pieces;
        Parsed { parts, standard, remainder }
    }
}

thread_local!(static PARSER: std::cell::RefCell<Parser> = std::cell::RefCell::new(Parser::new()));

/// Splits a text into its elements. For many texts, keep a [`Parser`].
pub fn parse(text: &str) -> Parsed {
    PARSER.with_borrow_mut(|parser| parser.parse(text))
}

/// An element's place, before its text is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    element: Element,
    start: usize,
    end: usize,
}

/// What has parts.
const WHOLES: [Element; 4] = [Element::Poi, Element::Subpoi, Element::Community, Element::Devzone];

/// Makes elements of spans.
fn elements(chars: &[char], spans: &[Span], pieces: &mut Vec<Piece>) {
    let mut before = None;
    for span in spans {
        match span.kind {
            Kind::One(element) => {
                let named = matches!(before, Some(Element::Poi | Element::Subpoi));
                let element = match element {
                    Element::Poi if named => Element::Subpoi,
                    // 坑头黄 171号: behind a name that says nothing of its kind the number is a door's.
                    Element::Houseno if chars[span.end - 1] == '号' && before == Some(Element::Poi) => {
                        let place = pieces.last().is_some_and(|p| !names::kind_named(&chars[p.start..p.end]));
                        if place { Element::Roadno } else { element }
                    }
                    // A part of nothing is a name itself.
                    Element::Subpoi if !pieces.iter().any(|p| WHOLES.contains(&p.element)) => Element::Poi,
                    _ => element,
                };
                pieces.push(Piece { element, start: span.start, end: span.end });
                // What is on a floor of a named place is part of it.
                let inside = matches!(element, Element::Floorno | Element::Roomno) && named;
                before = if inside { before } else { Some(element) };
            }
            Kind::Section => match pieces.last_mut() {
                Some(road) if road.element == Element::Road && road.end == span.start => road.end = span.end,
                _ => pieces.push(Piece { element: Element::Road, start: span.start, end: span.end }),
            },
            Kind::HouseCellRoom => dashes(chars, span, &[Element::Houseno, Element::Cellno, Element::Roomno], pieces),
            Kind::HouseRoom => dashes(chars, span, &[Element::Houseno, Element::Roomno], pieces),
            Kind::CellRoom => dashes(chars, span, &[Element::Cellno, Element::Roomno], pieces),
            Kind::Separator if chars[span.start..span.end].iter().all(|c| c.is_whitespace()) => {}
            Kind::Separator | Kind::Note => {
                pieces.push(Piece { element: Element::Redundant, start: span.start, end: span.end })
            }
            Kind::Link | Kind::Unknown => {}
        }
        if !matches!(span.kind, Kind::One(_) | Kind::Separator) {
            before = None;
        }
    }
}

/// 3-2-401: its numbers, and the dashes between them.
fn dashes(chars: &[char], span: &Span, elements: &[Element], pieces: &mut Vec<Piece>) {
    let (ends, _) = numbers::dashed(chars, span.start);
    let mut start = span.start;
    for (i, (&element, end)) in elements.iter().zip(ends).enumerate() {
        // The last one has its unit with it: 5-301室.
        let end = if i + 1 == elements.len() { span.end } else { end };
        if let Some(number) = (start..end).find(|&i| chars[i] != '-' && chars[i] != '/' && chars[i] != '_') {
            if number > start {
                pieces.push(Piece { element: Element::Redundant, start, end: number });
            }
            pieces.push(Piece { element, start: number, end });
        }
        start = end;
    }
}

/// A municipality is a province and a city: it is the city, unless both are written.
fn municipalities(chars: &[char], pieces: &mut [Piece]) {
    for i in 0..pieces.len() {
        let named =
            matches!(chars[pieces[i].start..pieces[i].end], ['北' | '上' | '天' | '重', '京' | '海' | '津' | '庆', ..]);
        if pieces[i].element == Element::Province
            && named
            && !pieces[i + 1..].iter().any(|p| p.element == Element::City)
        {
            pieces[i].element = Element::City;
        }
    }
}

/// On output a numbered lane is the road's number and its door a house: 柳营路 669弄 14号; a 巷 is a road of its own.
fn lanes(chars: &[char], pieces: &mut [Piece]) {
    let mut lane = false;
    for piece in pieces {
        match piece.element {
            Element::Lane if chars[piece.end - 1] == '巷' => piece.element = Element::Road,
            Element::Lane => {
                piece.element = Element::Roadno;
                lane = true;
            }
            Element::Roadno if lane => {
                piece.element = Element::Houseno;
                lane = false;
            }
            Element::Redundant => {}
            _ => lane = false,
        }
    }
}

#[cfg(test)]
mod tests;
