//! The elements of a full address for an index: one text of each kind, as it was written.

use super::{Parser, Piece};
use crate::element::{ELEMENTS, Element};

/// What a text says of each element, empty where it says nothing.
pub type Fields<'a> = [&'a str; ELEMENTS];

impl Parser {
    /// The elements of one address. Unlike [`Parser::parse`] lanes stay lanes (279巷3弄), a name with buildings in it is a compound,
    /// crossing roads stand together, and what is there twice is given once.
    pub fn fields<'a>(&mut self, text: &'a str) -> Fields<'a> {
        let mut pieces = std::mem::take(&mut self.pieces);
        self.pieces_of(text, &mut pieces);
        compounds(&mut pieces);
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        bytes.extend(text.char_indices().map(|(at, _)| at).take(self.given.len()));
        let end = bytes.last().map_or(0, |&at| at + self.given.last().map_or(0, |c| c.len_utf8()));
        bytes.push(end);
        let mut fields = [""; ELEMENTS];
        let mut taken: [Option<(usize, usize)>; ELEMENTS] = [None; ELEMENTS];
        let mut numbered = pieces.iter().any(|p| p.element == Element::Intersection);
        for piece in &pieces {
            numbered |= matches!(piece.element, Element::Roadno | Element::Lane | Element::Poi | Element::Compound);
            let slot = &mut taken[piece.element as usize];
            match (*slot, piece.element) {
                // 279巷 3弄, 二期 A区: one after the other.
                (Some((from, to)), Element::Lane | Element::Subpoi) if to == piece.start => {
                    *slot = Some((from, piece.end))
                }
                (None, _) => *slot = Some((piece.start, piece.end)),
                // 蒙山北路 海汇街 599弄: the number is one of the last road's.
                (Some(_), Element::Road) if !numbered => *slot = Some((piece.start, piece.end)),
                _ => {}
            }
        }
        crossing(&pieces, &mut taken);
        for (field, (from, to)) in fields.iter_mut().zip(taken).filter_map(|(f, place)| Some((f, place?))) {
            *field = &text[bytes[from]..bytes[to]];
        }
        fields[Element::Redundant as usize] = "";
        self.pieces = pieces;
        self.bytes = bytes;
        fields
    }
}

/// For many texts, keep a [`Parser`].
pub fn fields(text: &str) -> Fields<'_> {
    super::PARSER.with_borrow_mut(|parser| parser.fields(text))
}

/// A name that a building or a unit follows is a compound.
fn compounds(pieces: &mut [Piece]) {
    let mut name = None;
    for i in 0..pieces.len() {
        match pieces[i].element {
            Element::Poi => name = Some(i),
            Element::Houseno | Element::Cellno => {
                if let Some(at) = name.take() {
                    pieces[at].element = Element::Compound;
                }
            }
            Element::Subpoi | Element::Redundant => {}
            _ => name = None,
        }
    }
}

/// 江苏路与延安路交叉口: from the first road to the end.
fn crossing(pieces: &[Piece], taken: &mut [Option<(usize, usize)>; ELEMENTS]) {
    let Some((from, to)) = taken[Element::Intersection as usize] else { return };
    let at = pieces.iter().position(|p| p.start == from).unwrap_or(0);
    let roads = pieces[..at].iter().rev().take_while(|p| p.element == Element::Road);
    if let Some(first) = roads.last() {
        taken[Element::Intersection as usize] = Some((first.start, to));
    }
}
