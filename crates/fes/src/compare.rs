//! Comparisons.

use onemap_cql2::Kind;
use roxmltree::Node;
use serde_json::{Value, json};

use crate::Property;
use crate::expression::{Operand, expression, resolve, two};
use crate::fault::{Fault, Result};
use crate::filter::Reading;
use crate::xml::{child, children, text};

/// Reads a comparison; `None` when the element is none.
pub fn comparison(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Option<Value>> {
    let operator = match node.tag_name().name() {
        "PropertyIsEqualTo" => "=",
        "PropertyIsNotEqualTo" => "<>",
        "PropertyIsLessThan" => "<",
        "PropertyIsGreaterThan" => ">",
        "PropertyIsLessThanOrEqualTo" | "PropertyIsLessThanEqualTo" => "<=",
        "PropertyIsGreaterThanOrEqualTo" | "PropertyIsGreaterThanEqualTo" => ">=",
        "PropertyIsLike" => return like(node, reading).map(Some),
        "PropertyIsBetween" => return between(node, reading).map(Some),
        // What has no value is left out of an answer; there is no other way of not being there.
        "PropertyIsNull" | "PropertyIsNil" => return null(node, reading).map(Some),
        _ => return Ok(None),
    };
    let [first, second] = two(node)?;
    let (left, right) = (expression(first, reading)?, expression(second, reading)?);
    let kinds = (left.kind(), right.kind());
    let caseless = !match_case(node)? && [kinds.0, kinds.1].contains(&Some(Kind::Text));
    let (left, right) = (left.value(kinds.1, first)?, right.value(kinds.0, second)?);
    let folded = |value: Value| if caseless { json!({ "op": "casei", "args": [value] }) } else { value };
    Ok(Some(json!({ "op": operator, "args": [folded(left), folded(right)] })))
}

fn match_case(node: Node<'_, '_>) -> Result<bool> {
    match node.attribute("matchCase") {
        None | Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(_) => Err(Fault::at(node, "matchCase 应为 true 或 false", "matchCase is true or false")),
    }
}

fn like(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Value> {
    let [reference, literal] = two(node)?;
    let value = expression(reference, reading)?;
    if !matches!(value.kind(), Some(Kind::Text) | None) || matches!(value, Operand::Geometry(_) | Operand::Literal(_)) {
        return Err(Fault::at(reference, "PropertyIsLike 只用于文本属性", "PropertyIsLike is for properties of text"));
    }
    let value = value.value(None, reference)?;
    let one = |name: &str, other: Option<&str>| -> Result<char> {
        let text = node.attribute(name).or_else(|| node.attribute(other?)).unwrap_or_default();
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(Fault::at(node, format!("{name} 应为一个字符"), format!("{name} is a single character"))),
        }
    };
    let (wild, single) = (one("wildCard", None)?, one("singleChar", None)?);
    let escape = one("escapeChar", Some("escape"))?;
    let pattern = pattern(&text(literal), wild, single, escape);
    Ok(match match_case(node)? {
        true => json!({ "op": "like", "args": [value, pattern] }),
        false => json!({ "op": "like", "args": [
            { "op": "casei", "args": [value] },
            { "op": "casei", "args": [pattern] },
        ] }),
    })
}

/// The pattern in CQL2's own characters.
fn pattern(text: &str, wild: char, single: char, escape: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    let plain = |out: &mut String, character: char| {
        if matches!(character, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(character);
    };
    while let Some(character) = characters.next() {
        // The escape comes first: some clients name the same character for two of them.
        if character == escape {
            plain(&mut out, characters.next().unwrap_or(character));
        } else if character == wild {
            out.push('%');
        } else if character == single {
            out.push('_');
        } else {
            plain(&mut out, character);
        }
    }
    out
}

fn between(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Value> {
    let missing =
        || Fault::at(node, "PropertyIsBetween 缺少上下界", "PropertyIsBetween has a lower and an upper bound");
    let first = children(node).next().ok_or_else(missing)?;
    let bound = |name| child(node, name).and_then(|bound| children(bound).next()).ok_or_else(missing);
    let (lower, upper) = (bound("LowerBoundary")?, bound("UpperBoundary")?);
    let (value, low, high) = (expression(first, reading)?, expression(lower, reading)?, expression(upper, reading)?);
    let kind = value.kind().or(low.kind()).or(high.kind());
    let value = value.value(kind, first)?;
    let (low, high) = (low.value(kind, lower)?, high.value(kind, upper)?);
    // CQL2's BETWEEN is for numbers; this one is for dates and texts too.
    Ok(json!({ "op": "and", "args": [
        { "op": ">=", "args": [value.clone(), low] },
        { "op": "<=", "args": [value, high] },
    ] }))
}

fn null(node: Node<'_, '_>, reading: &Reading<'_>) -> Result<Value> {
    let reference =
        children(node).next().ok_or_else(|| Fault::at(node, "缺少 ValueReference", "a ValueReference is missing"))?;
    let (Property::Field(name, _) | Property::Geometry(name)) = resolve(reference, reading)?;
    Ok(json!({ "op": "isNull", "args": [{ "property": name }] }))
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn patterns_change_their_characters() {
        assert_eq!(pattern("青*区?", '*', '?', '!'), "青%区_");
        assert_eq!(pattern("50%!*_\\", '*', '?', '!'), "50\\%*\\_\\\\");
        assert_eq!(pattern("100\\%", '%', '_', '\\'), "100\\%");
        assert_eq!(pattern("a!", '*', '?', '!'), "a!");
        assert_eq!(pattern("", '*', '?', '!'), "");
    }
}
