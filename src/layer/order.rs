//! The order of a selection's rows, and places in it: paging by key, which neither repeats nor skips a row under ties, nulls and edits.

use super::model::{Field, FieldType, State};
use super::select::field_column;
use crate::db::sql::{Bind, Sql};

/// One key of an order. Rows without a value come last, whichever way it goes; rows of equal keys follow their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    pub field: Field,
    pub descending: bool,
}

/// Where a row stands in an order: its values of the keys, as PostgreSQL writes them, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub values: Vec<Option<String>>,
    pub id: i64,
}

impl From<i64> for Place {
    /// A place in the order of ids.
    fn from(id: i64) -> Place {
        Place { values: vec![], id }
    }
}

/// Texts are ordered by their first characters: a place must stay short enough for an address.
const TEXT_LENGTH: i64 = 120;

/// The way from one row to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forwards,
    Backwards,
}

/// Appends the values of the keys as text, a column each.
pub(super) fn columns(sql: &mut Sql, state: &State, keys: &[SortKey]) {
    for key in keys {
        sql.push(", (");
        expression(sql, state, &key.field);
        // Under a name of its own: by one that is a field's, the order would take this text for it.
        sql.push(")::text as onemap_sort");
    }
}

/// Appends ` order by …`.
pub(super) fn order_by(sql: &mut Sql, state: &State, keys: &[SortKey], direction: Direction) {
    let backwards = direction == Direction::Backwards;
    sql.push(" order by ");
    for key in keys {
        expression(sql, state, &key.field);
        sql.push(match (key.descending, backwards) {
            (false, false) => " asc nulls last, ",
            (true, false) => " desc nulls last, ",
            (false, true) => " desc nulls first, ",
            (true, true) => " asc nulls first, ",
        });
    }
    // The column: by its name alone the order would take what is selected under that name, which no index serves.
    sql.ident(&state.source.table).push(".").ident(&state.source.key).push(if backwards { " desc" } else { "" });
}

/// Appends the condition that a row comes after the place, or before it.
pub(super) fn beyond(sql: &mut Sql, state: &State, keys: &[SortKey], place: &Place, direction: Direction) {
    let backwards = direction == Direction::Backwards;
    let keys: Vec<_> = keys.iter().zip(&place.values).collect();
    // k₁ beyond, or k₁ the same and (k₂ beyond, or …), at last the id.
    for (key, value) in &keys {
        sql.push("(");
        strictly(sql, state, key, value.as_deref(), backwards);
        sql.push(" or (");
        same(sql, state, &key.field, value.as_deref());
        sql.push(" and ");
    }
    sql.ident(&state.source.key).push(if backwards { " < " } else { " > " }).bind(Bind::Integer(place.id));
    for _ in &keys {
        sql.push("))");
    }
}

fn strictly(sql: &mut Sql, state: &State, key: &SortKey, value: Option<&str>, backwards: bool) {
    match (value, backwards) {
        // Nothing comes after the rows without a value, and before them come all that have one.
        (None, false) => {
            sql.push("false");
        }
        (None, true) => {
            expression(sql, state, &key.field);
            sql.push(" is not null");
        }
        (Some(value), _) => {
            sql.push("(");
            expression(sql, state, &key.field);
            sql.push(if key.descending == backwards { " > " } else { " < " });
            bound(sql, &key.field, value);
            if !backwards {
                sql.push(" or ");
                expression(sql, state, &key.field);
                sql.push(" is null");
            }
            sql.push(")");
        }
    }
}

fn same(sql: &mut Sql, state: &State, field: &Field, value: Option<&str>) {
    expression(sql, state, field);
    match value {
        None => {
            sql.push(" is null");
        }
        Some(value) => {
            sql.push(" = ");
            bound(sql, field, value);
        }
    }
}

/// What is compared. Texts by their bytes, as filters do, whatever the database's collation is.
fn expression(sql: &mut Sql, state: &State, field: &Field) {
    if field.kind != FieldType::Text {
        return field_column(sql, state, field);
    }
    sql.push("left(");
    field_column(sql, state, field);
    sql.push(", ").integer(TEXT_LENGTH).push(") collate \"C\"");
}

fn bound(sql: &mut Sql, field: &Field, value: &str) {
    sql.bind(Bind::Text(value.to_owned())).push(match field.kind {
        FieldType::Text => "",
        FieldType::Integer => "::int8",
        FieldType::Float => "::float8",
        FieldType::Boolean => "::bool",
        FieldType::Date => "::date",
        FieldType::Timestamp => "::timestamptz",
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_column_whatever_is_selected_under_its_name() {
        let mut sql = Sql::new("select \"gid\"::int8 from \"public\".\"plots\"");
        order_by(&mut sql, &State::plots(), &[], Direction::Backwards);
        assert!(sql.text().ends_with(" order by \"plots\".\"gid\" desc"), "{}", sql.text());
    }
}
