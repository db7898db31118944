//! Names in XML: what a layer's id and its fields are called as elements, and back.
//!
//! An XML name knows letters, Chinese ones too, digits, `_`, `-` and `.`, and begins with a letter or `_`. Whatever else a name holds is
//! written as SQL/XML writes it (ISO/IEC 9075-14, 9.1): `_x0020_` for a space. So every name has one element, and every element one name.

use std::borrow::Cow;

use crate::layer::model::State;

/// The namespace of the layers' elements. It names no machine: what was saved with one address is good at another.
pub const NAMESPACE: &str = "urn:x-onemap:layer";
pub const PREFIX: &str = "onemap";

/// A name as an element's local name.
pub fn encode(name: &str) -> Cow<'_, str> {
    if fits(name) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 8);
    for (at, character) in name.char_indices() {
        let plain = if at == 0 { begins(character) } else { continues(character) };
        // What looks like an escape already is none.
        if plain && !(character == '_' && escape(&name[at..]).is_some()) {
            out.push(character);
        } else {
            out.push_str(&format!("_x{:04X}_", u32::from(character)));
        }
    }
    Cow::Owned(out)
}

/// The name that an element stands for.
pub fn decode(element: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = element;
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match escape(from) {
            Some((character, length)) => {
                out.push(character);
                rest = &from[length..];
            }
            None => {
                out.push_str("_x");
                rest = &from[2..];
            }
        }
    }
    if rest.len() == element.len() {
        return Cow::Borrowed(element);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The geometry's element: `geometry`, as in GeoJSON, unless a field has that name.
pub fn geometry(state: &State) -> &'static str {
    ["geometry", "geom"].into_iter().find(|name| state.field(name).is_none()).unwrap_or("_geometry")
}

/// The name without its prefix, as callers write it in parameters.
pub fn local(name: &str) -> &str {
    name.trim().rsplit(':').next().unwrap_or_default()
}

/// The layer and the id of a `gml:id`.
pub fn of_gml_id(text: &str) -> Option<(Cow<'_, str>, i64)> {
    let (layer, id) = text.rsplit_once('.')?;
    let number: i64 = id.parse().ok().filter(|n: &i64| n.to_string() == id)?;
    Some((decode(layer), number))
}

/// An escape at the beginning of a text: its character and its length.
fn escape(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix("_x")?;
    let end = digits.find('_')?;
    let hex = &digits[..end];
    if !(4..=6).contains(&hex.len()) || !hex.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)) {
        return None;
    }
    Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, end + 3))
}

fn fits(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(begins) && characters.all(continues) && !name.contains("_x")
}

/// A name's first character, such as readers of every edition of XML 1.0 take: the fifth allows more, and not every program has heard of it.
fn begins(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{131}' | '\u{410}'..='\u{44f}'
        | '\u{3007}' | '\u{3041}'..='\u{3094}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fa5}' | '\u{ac00}'..='\u{d7a3}')
}

fn continues(c: char) -> bool {
    begins(c) || matches!(c, '-' | '.' | '0'..='9')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_every_kind() {
        for (name, element) in [
            ("buildings", "buildings"),
            ("学校名称", "学校名称"),
            ("3号线", "_x0033_号线"),
            ("a b", "a_x0020_b"),
            ("面积(㎡)", "面积_x0028__x33A1__x0029_"),
            ("_x0020_", "_x005F_x0020_"),
            ("_xy", "_xy"),
            ("max_x", "max_x"),
            ("a:b", "a_x003A_b"),
            ("-a", "_x002D_a"),
        ] {
            assert_eq!(encode(name), element);
            assert_eq!(decode(element), name);
        }
        assert_eq!(of_gml_id("_x0033_d.12"), Some(("3d".into(), 12)));
        assert_eq!(of_gml_id("a.b.1").map(|(l, n)| (l.into_owned(), n)), Some(("a.b".into(), 1)));
        for bad in ["a", "a.", "a.01", "a.+1", "a.x", ""] {
            assert_eq!(of_gml_id(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in "\\PC{1,12}|[_x0-9A-F]{1,14}") {
            let element = encode(&name);
            prop_assert!(element.chars().next().is_some_and(begins) && element.chars().all(continues), "{element}");
            prop_assert_eq!(decode(&element), name.as_str());
        }
    }
}
