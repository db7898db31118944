//! The filter of a grant over a state of its layer.

use std::hash::{Hash, Hasher};

use onemap_cql2::{Kind, Schema};

use super::model::{Field, State};
use crate::access::policy::{RowFilter, Scope};
use crate::error::{Error, Result};

/// All fields, also those that the grant does not show: an owner may choose the rows by what it keeps to itself. Places are chosen by
/// the grant's area, which cuts; a filter does not speak of them.
struct Whole<'a>(&'a [Field]);

impl Schema for Whole<'_> {
    fn field(&self, name: &str) -> Option<(usize, Kind)> {
        let at = self.0.iter().position(|f| f.name == name)?;
        Some((at, self.0[at].kind.filtered()))
    }
    fn is_geometry(&self, _: &str) -> bool {
        false
    }
    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|f| f.name.as_str()).collect()
    }
}

/// The rows that a scope's filter leaves of a state, its fields numbered as they stand there.
pub fn row_filter(state: &State, scope: &Scope) -> RowFilter {
    if scope.filter.is_none() {
        return RowFilter::All;
    }
    scope.row_filter(key(state), &Whole(&state.fields))
}

/// What a prepared filter belongs to. A revision's fields do not change; a table that is shared as it stands has no number.
fn key(state: &State) -> u64 {
    if state.revision != 0 {
        return state.revision as u64;
    }
    let mut hash = std::hash::DefaultHasher::new();
    for field in &state.fields {
        (&field.name, field.kind).hash(&mut hash);
    }
    // Revisions have the lower half.
    hash.finish() | 1 << 63
}

/// Whether a filter may stand in a grant on a layer with these fields: it types, and does not hang on the time.
pub fn check(fields: &[Field], filter: &str) -> Result<()> {
    let read = onemap_cql2::parse(filter, &Whole(fields)).map_err(|p| {
        let character = 1 + filter.get(..p.at).map_or(0, |before| before.chars().count());
        Error::invalid("filter", format!("第 {character} 个字符：{}", p.zh), format!("character {character}: {}", p.en))
            .hint(
                "CQL2 文本，只涉及该图层的字段，例如 district = '市南区'；空间范围请用 area",
                "CQL2 text over the layer's fields, such as district = 'Shinan'; places are said by `area`",
            )
    })?;
    match read.depends_on_now() {
        true => Err(Error::invalid(
            "filter",
            "授权的过滤条件不能使用 now()",
            "the filter of a grant cannot depend on the time",
        )
        .hint("请用 valid_from、valid_until 限定期限", "bound the term by valid_from and valid_until")),
        false => Ok(()),
    }
}

/// Whether the fields of a grant are the layer's.
pub fn check_fields(fields: &[Field], named: &[String]) -> Result<()> {
    match named.iter().find(|name| !fields.iter().any(|f| f.name == **name)) {
        Some(name) => {
            Err(Error::invalid("fields", format!("该图层没有字段 {name}"), format!("the layer has no field {name}")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::FieldType;
    use super::*;

    fn fields(kind: FieldType) -> Vec<Field> {
        vec![Field { name: "floors".into(), kind, title_zh: String::new(), title_en: String::new() }]
    }

    #[test]
    fn a_filter_that_no_longer_fits_closes_all_rows() {
        let scope = Scope { filter: Some("floors > 3".into()), ..Scope::default() };
        let mut state = State { fields: fields(FieldType::Integer), revision: 1, ..State::plots() };
        assert!(matches!(row_filter(&state, &scope), RowFilter::Only(_)));
        state = State { fields: fields(FieldType::Text), revision: 2, ..state };
        assert!(matches!(row_filter(&state, &scope), RowFilter::Closed));
        state = State { fields: vec![], revision: 0, ..state };
        assert!(matches!(row_filter(&state, &scope), RowFilter::Closed));
        state = State { fields: fields(FieldType::Integer), revision: 0, ..state };
        assert!(matches!(row_filter(&state, &scope), RowFilter::Only(_)));
        assert!(matches!(row_filter(&state, &Scope::default()), RowFilter::All));
    }

    #[test]
    fn what_hangs_on_the_time_or_on_places_is_refused() {
        let fields = fields(FieldType::Timestamp);
        assert!(check(&fields, "floors > TIMESTAMP('2024-01-01T00:00:00Z')").is_ok());
        for bad in ["floors > now()", "rooms = 1", "S_INTERSECTS(geometry, POINT(120 36))", "floors >"] {
            assert!(check(&fields, bad).is_err(), "{bad}");
            let scope = Scope { filter: Some(bad.into()), ..Scope::default() };
            let state = State { fields: fields.clone(), ..State::plots() };
            assert!(matches!(row_filter(&state, &scope), RowFilter::Closed), "{bad}");
        }
    }
}
