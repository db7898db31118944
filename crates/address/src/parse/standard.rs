//! The standard form of what was parsed.

use super::Piece;
use super::fold;
use crate::element::Element;
use crate::gazetteer::{Id, gazetteer};

/// The address with the full present names of its divisions, Arabic numerals and units of one kind, and without what is no address.
pub(super) fn standard(chars: &[char], pieces: &[Piece]) -> String {
    let mut out = String::with_capacity(chars.len() * 4);
    divisions(chars, pieces, &mut out);
    for piece in pieces {
        let text = &chars[piece.start..piece.end];
        match piece.element {
            Element::Province | Element::City | Element::District | Element::Redundant => {}
            Element::Roadno
            | Element::Lane
            | Element::Houseno
            | Element::Cellno
            | Element::Floorno
            | Element::Roomno
            | Element::VillageGroup => {
                numbered(text, piece.element, &mut out);
            }
            _ => out.extend(text.iter().filter(|&&c| c != ' ')),
        }
    }
    out
}

/// The chain of the most precise known division; what is unknown stays as it was written.
fn divisions(chars: &[char], pieces: &[Piece], out: &mut String) {
    let g = gazetteer();
    let named: Vec<&Piece> =
        pieces.iter().filter(|p| matches!(p.element, Element::Province | Element::City | Element::District)).collect();
    let mut chain: Vec<Id> = Vec::new();
    let mut rest = 0;
    for (i, piece) in named.iter().enumerate() {
        let text = &chars[piece.start..piece.end];
        let hits = g.at(text);
        let mut hits = hits.iter().filter(|h| h.len == text.len() && h.level == piece.element);
        let fitting = match chain.first() {
            Some(&above) => hits.find(|h| g.within(h.id, above)),
            None => {
                let all: Vec<_> = hits.collect();
                all.iter()
                    .find(|h| !h.short && !h.old)
                    .or(all.first())
                    .copied()
                    .filter(|_| all.len() == 1 || piece.element != Element::District)
            }
        };
        match fitting {
            Some(hit) => {
                chain = g.chain(hit.id).collect();
                rest = i + 1;
            }
            None => break,
        }
    }
    chain.iter().rev().for_each(|&id| out.push_str(&g.name(id)));
    for piece in &named[rest..] {
        out.extend(&chars[piece.start..piece.end]);
    }
}

/// 二十三号 → 23号, 3栋 → 3号楼, 401 → 401室.
fn numbered(text: &[char], element: Element, out: &mut String) {
    let from = out.len();
    let mut i = 0;
    while i < text.len() {
        let c = text[i];
        if fold::numeral(c) {
            let end = i + text[i..].iter().take_while(|&&c| fold::numeral(c)).count();
            out.push_str(&arabic(&text[i..end]));
            i = end;
            continue;
        }
        match c {
            '之' => out.push('-'),
            '幢' | '栋' if element == Element::Houseno => out.push_str("号楼"),
            '楼' if element == Element::Floorno => out.push('层'),
            ' ' | '第' => {}
            _ => out.push(c),
        }
        i += 1;
    }
    let unit = match element {
        Element::Roadno => "号",
        Element::Houseno => "号楼",
        Element::Cellno => "单元",
        Element::Roomno => "室",
        _ => "",
    };
    if out.len() > from && out.ends_with(|c: char| c.is_ascii_digit()) && !out[from..].contains('号') {
        out.push_str(unit);
    }
}

/// The number that Chinese numerals say: 二十三 is 23, 一〇八 is 108.
fn arabic(numerals: &[char]) -> String {
    let value = |c: char| "零一二三四五六七八九".chars().position(|n| n == c).or((c == '两').then_some(2));
    if !numerals.iter().any(|c| matches!(c, '十' | '百' | '千' | '廿' | '卅')) {
        return numerals.iter().filter_map(|&c| value(c)).map(|v| char::from(b'0' + v as u8)).collect();
    }
    let (mut sum, mut digit) = (0u64, None);
    for &c in numerals {
        match c {
            '十' => sum += digit.take().unwrap_or(1) * 10,
            '百' => sum += digit.take().unwrap_or(1) * 100,
            '千' => sum += digit.take().unwrap_or(1) * 1000,
            '廿' => sum += 20,
            '卅' => sum += 30,
            _ => digit = value(c).map(|v| v as u64),
        }
    }
    (sum + digit.unwrap_or(0)).to_string()
}
