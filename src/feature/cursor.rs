//! A place in a collection as the links of a page carry it: opaque to clients, checked when it comes back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;

use crate::error::{Error, Result};
use crate::layer::model::FieldType;
use crate::layer::order::{Direction, Place, SortKey};

/// The longest that is read: keys of text are cut far below that.
const LONGEST: usize = 8 * 1024;

/// Where a page begins (or, going backwards, before which row it ends).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub direction: Direction,
    pub place: Place,
}

/// The place of a row of `layer::select::features`: its id stands first, the values of its keys stand last.
pub fn place(row: &Row, keys: usize) -> Result<Place> {
    let first = row.len().saturating_sub(keys);
    let values = (first..row.len()).map(|i| row.try_get(i)).collect::<std::result::Result<_, _>>()?;
    Ok(Place { values, id: row.try_get(0)? })
}

type Written = (String, bool, i64, Vec<Option<String>>);

impl Cursor {
    pub fn encode(&self, keys: &[SortKey]) -> String {
        let (backwards, place) = (self.direction == Direction::Backwards, &self.place);
        let mark = mark(keys, backwards, place);
        let written: Written = (mark, backwards, place.id, place.values.clone());
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&written).unwrap_or_default())
    }

    /// Reads a cursor of the same order. What was cut short, altered or made for another order is refused: it would silently lead to
    /// another page.
    pub fn decode(text: &str, keys: &[SortKey]) -> Result<Cursor> {
        let bytes = (text.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten().ok_or_else(bad)?;
        let (given, backwards, id, values): Written = serde_json::from_slice(&bytes).map_err(|_| bad())?;
        let place = Place { values, id };
        let fits = place.values.len() == keys.len()
            && keys.iter().zip(&place.values).all(|(k, v)| v.as_deref().is_none_or(|v| is_a(k.field.kind, v)));
        if !fits || given != mark(keys, backwards, &place) {
            return Err(bad());
        }
        let direction = if backwards { Direction::Backwards } else { Direction::Forwards };
        Ok(Cursor { direction, place })
    }
}

fn bad() -> Error {
    Error::invalid("cursor", "cursor 无效，或属于另一种排序", "the cursor is malformed, or belongs to another order")
        .hint("请原样沿用上一页的 next 或 prev 链接", "follow the `next` or `prev` link of the page before as it is")
}

/// Not a secret: a place says nothing that its reader may not see. It tells what is damaged or of another order.
fn mark(keys: &[SortKey], backwards: bool, place: &Place) -> String {
    let order: Vec<_> = keys.iter().map(|k| (&k.field.name, k.descending)).collect();
    let all = serde_json::to_vec(&(order, backwards, place.id, &place.values)).unwrap_or_default();
    hex::encode(&Sha256::digest(&all)[..4])
}

fn is_a(kind: FieldType, value: &str) -> bool {
    match kind {
        FieldType::Integer => value.parse::<i64>().is_ok(),
        FieldType::Float => value.parse::<f64>().is_ok(),
        FieldType::Boolean => matches!(value, "true" | "false"),
        FieldType::Text => !value.contains('\0'),
        // PostgreSQL's own forms; it refuses what is none, and that is said as a fault of the request.
        FieldType::Date | FieldType::Timestamp => value.is_ascii() && value.len() < 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::model::Field;

    fn key(name: &str, kind: FieldType, descending: bool) -> SortKey {
        let field = Field { name: name.into(), kind, title_zh: String::new(), title_en: String::new() };
        SortKey { field, descending }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let keys = [key("楼层", FieldType::Integer, true), key("name", FieldType::Text, false)];
        for values in [vec![Some("12".into()), Some("青岛, \"x\"".into())], vec![None, None]] {
            let cursor = Cursor { direction: Direction::Backwards, place: Place { values, id: -7 } };
            let text = cursor.encode(&keys);
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            assert_eq!(Cursor::decode(&text, &keys).unwrap(), cursor);
        }
    }

    #[test]
    fn what_is_altered_or_of_another_order_is_refused() {
        let keys = [key("n", FieldType::Integer, false)];
        let cursor = Cursor { direction: Direction::Forwards, place: Place { values: vec![Some("3".into())], id: 3 } };
        let text = cursor.encode(&keys);
        assert!(Cursor::decode(&text, &keys).is_ok());
        assert!(Cursor::decode(&text, &[key("n", FieldType::Integer, true)]).is_err());
        assert!(Cursor::decode(&text, &[]).is_err());
        for end in 0..text.len() {
            assert!(Cursor::decode(&text[..end], &keys).is_err());
        }
        let forged = URL_SAFE_NO_PAD.encode(r#"["00000000",false,3,["x"]]"#);
        for bad in ["", "7", "%%%", &forged] {
            assert!(Cursor::decode(bad, &keys).is_err(), "{bad}");
        }
    }
}
