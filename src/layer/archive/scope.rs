//! What a grant shows of an archive's tile: rows are filtered first, then fields removed, geometries cut at the area's edge.

use std::collections::HashMap;

use super::area::Window;
use super::mvt::{self, Feature, Layer, Value};
use crate::access::policy::{RowFilter, Scope};
use crate::error::Result;
use crate::layer::model::{Field, State};
use crate::layer::scope::row_filter;

/// A tile of this state as the scope shows it; `fields` narrows it further. As it came when it shows everything.
pub fn apply(tile: Vec<u8>, state: &State, scope: &Scope, fields: Option<&[String]>, at: [u32; 3]) -> Result<Vec<u8>> {
    if scope.is_all() && fields.is_none() {
        return Ok(tile);
    }
    let rows = Rows { scope, names: &state.fields, filter: row_filter(state, scope) };
    if matches!(rows.filter, RowFilter::Closed) {
        return Ok(Vec::new());
    }
    let mut windows: HashMap<u32, Option<Window>> = HashMap::new();
    let mut out = Vec::new();
    for layer in mvt::read(&tile)? {
        let window = match &scope.area {
            None => None,
            Some(area) => {
                if let std::collections::hash_map::Entry::Vacant(slot) = windows.entry(layer.extent) {
                    slot.insert(Window::new(area, at, layer.extent)?);
                }
                match &windows[&layer.extent] {
                    Some(window) => Some(window),
                    None => continue,
                }
            }
        };
        shown(&mut out, &layer, &rows, fields, window.filter(|w| !w.covers))?;
    }
    Ok(out)
}

/// Tags and geometry of a feature that is shown.
struct Shown {
    feature: usize,
    tags: Vec<u8>,
    geometry: Option<Vec<u8>>,
}

fn shown(
    out: &mut Vec<u8>,
    layer: &Layer<'_>,
    rows: &Rows<'_>,
    fields: Option<&[String]>,
    window: Option<&Window>,
) -> Result<()> {
    let mut table = Table::new(layer, |key| {
        rows.scope.sees_field(key) && fields.is_none_or(|names| names.iter().any(|n| n == key))
    });
    let mut kept = Vec::new();
    for (i, feature) in layer.features.iter().enumerate() {
        let tags = layer.tags(feature)?;
        if !rows.hold(layer, &tags)? {
            continue;
        }
        let geometry = match window {
            None => None,
            Some(window) => {
                let parts = window.cut(feature.kind, mvt::geometry(feature)?);
                if parts.is_empty() {
                    continue;
                }
                let mut bytes = Vec::new();
                mvt::write_geometry(&mut bytes, feature.kind, &parts);
                Some(bytes)
            }
        };
        kept.push(Shown { feature: i, tags: table.renumber(&tags), geometry });
    }
    if kept.is_empty() {
        return Ok(());
    }
    let features = kept.iter().map(|s| {
        let stored = layer.features[s.feature];
        Feature { tags: &s.tags, geometry: s.geometry.as_deref().unwrap_or(stored.geometry), ..stored }
    });
    let shown = Layer {
        features: features.collect(),
        keys: table.keys.iter().map(|k| layer.keys[*k]).collect(),
        values: table.values.iter().map(|v| layer.values[*v]).collect(),
        ..layer.clone_head()
    };
    mvt::write(out, &shown);
    Ok(())
}

/// The keys and values that are still used: what is hidden must not be left in the layer's tables.
struct Table {
    visible: Vec<bool>,
    keys: Vec<usize>,
    values: Vec<usize>,
    key_numbers: HashMap<usize, u64>,
    value_numbers: HashMap<usize, u64>,
}

impl Table {
    fn new(layer: &Layer<'_>, visible: impl Fn(&str) -> bool) -> Table {
        Table {
            visible: layer.keys.iter().map(|k| visible(k)).collect(),
            keys: Vec::new(),
            values: Vec::new(),
            key_numbers: HashMap::new(),
            value_numbers: HashMap::new(),
        }
    }

    fn renumber(&mut self, tags: &[(usize, usize)]) -> Vec<u8> {
        let mut out = Vec::with_capacity(tags.len() * 2);
        for (key, value) in tags.iter().filter(|(key, _)| self.visible[*key]) {
            mvt::put_varint(&mut out, number(&mut self.key_numbers, &mut self.keys, *key));
            mvt::put_varint(&mut out, number(&mut self.value_numbers, &mut self.values, *value));
        }
        out
    }
}

fn number(numbers: &mut HashMap<usize, u64>, used: &mut Vec<usize>, old: usize) -> u64 {
    *numbers.entry(old).or_insert_with(|| {
        used.push(old);
        used.len() as u64 - 1
    })
}

/// Which rows of a tile are shown.
struct Rows<'a> {
    scope: &'a Scope,
    names: &'a [Field],
    filter: RowFilter,
}

impl Rows<'_> {
    /// Whether each field of the scope's rows holds one of its values, and its filter is true. A feature without the field does not.
    fn hold(&self, layer: &Layer<'_>, tags: &[(usize, usize)]) -> Result<bool> {
        for (field, wanted) in &self.scope.rows {
            let Some((_, value)) = tags.iter().find(|(key, _)| layer.keys[*key] == field) else { return Ok(false) };
            let Some(value) = mvt::value(layer.values[*value])? else { return Ok(false) };
            if !wanted.iter().any(|w| *w == text(value)) {
                return Ok(false);
            }
        }
        let RowFilter::Only(filter) = &self.filter else { return Ok(matches!(self.filter, RowFilter::All)) };
        let mut values = vec![onemap_cql2::Value::Null; self.names.len()];
        for (key, value) in tags {
            let Some(at) = self.names.iter().position(|f| f.name == layer.keys[*key]) else { continue };
            values[at] = match mvt::value(layer.values[*value])? {
                None => onemap_cql2::Value::Null,
                Some(Value::Text(text)) => onemap_cql2::Value::Text(text),
                Some(Value::Integer(n)) => {
                    i64::try_from(n).map_or(onemap_cql2::Value::Float(n as f64), onemap_cql2::Value::Integer)
                }
                Some(Value::Boolean(b)) => onemap_cql2::Value::Boolean(b),
                Some(Value::Float(f)) => onemap_cql2::Value::Float(f),
                Some(Value::Single(f)) => onemap_cql2::Value::Float(f64::from(f)),
            };
        }
        Ok(filter.matches(&Tagged(values)))
    }
}

/// The values of a feature of a tile, by the number of their field.
struct Tagged<'a>(Vec<onemap_cql2::Value<'a>>);

impl onemap_cql2::Row for Tagged<'_> {
    fn value(&self, field: usize) -> onemap_cql2::Value<'_> {
        self.0.get(field).copied().unwrap_or(onemap_cql2::Value::Null)
    }
}

/// A value as PostgreSQL writes it as text: a grant's rows mean the same for a table and for an archive.
fn text(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Boolean(b) => b.to_string(),
        Value::Float(f) => float(&format!("{f:e}"), f.to_string(), 15),
        Value::Single(f) => float(&format!("{f:e}"), f.to_string(), 6),
    }
}

/// Digits with an exponent where PostgreSQL uses one: below 1e-4, and from so many digits on.
fn float(scientific: &str, plain: String, digits: i32) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return plain.replace("inf", "Infinity");
    };
    match exponent.parse::<i32>() {
        Ok(e) if e < -4 || e >= digits => {
            format!("{mantissa}e{}{:02}", if e < 0 { '-' } else { '+' }, e.abs())
        }
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::model::FieldType;

    #[test]
    fn values_read_as_postgresql_writes_them() {
        // select 1.5::float8::text, 3::float8::text, 1e15::float8::text, 123456789012345::float8::text, 0.00001::float8::text, …
        for (value, expected) in [
            (Value::Float(1.5), "1.5"),
            (Value::Float(3.0), "3"),
            (Value::Float(1e15), "1e+15"),
            (Value::Float(123_456_789_012_345.0), "123456789012345"),
            (Value::Float(0.000_01), "1e-05"),
            (Value::Float(0.000_1), "0.0001"),
            (Value::Float(f64::NEG_INFINITY), "-Infinity"),
            (Value::Single(0.1), "0.1"),
            (Value::Single(1_234_567.0), "1.234567e+06"),
            (Value::Integer(-7), "-7"),
            (Value::Boolean(true), "true"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    fn tile() -> Vec<u8> {
        let at = [9, 0, 0];
        let tags = [[0u8, 0, 1, 1], [0, 2, 1, 3]];
        let features = tags.iter().map(|t| Feature { id: None, tags: t, kind: 1, geometry: &at }).collect();
        let values: Vec<&[u8]> = vec![b"\x0a\x01a", b"\x0a\x06secret", b"\x0a\x01b", b"\x0a\x06hidden"];
        let layer = Layer { name: "l", version: 2, extent: 4096, keys: vec!["kind", "owner"], values, features };
        let mut out = Vec::new();
        mvt::write(&mut out, &layer);
        out
    }

    fn state() -> State {
        let field = |name: &str| Field {
            name: name.into(),
            kind: FieldType::Text,
            title_zh: String::new(),
            title_en: String::new(),
        };
        State { fields: vec![field("kind"), field("owner")], ..State::plots() }
    }

    #[test]
    fn hidden_fields_and_rows_leave_no_trace() {
        let scope = Scope {
            fields: Some(vec!["owner".into()]),
            rows: vec![("kind".into(), vec!["a".into()])],
            ..Scope::default()
        };
        let state = state();
        let apply = |tile, scope: &Scope, fields, at| super::apply(tile, &state, scope, fields, at);
        let seen = apply(tile(), &scope, None, [0, 0, 0]).unwrap();
        let has = |text: &str| seen.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(has("secret") && has("owner") && !has("hidden") && !has("kind"));
        assert_eq!(mvt::read(&seen).unwrap()[0].features.len(), 1);
        let nothing = Scope { rows: vec![("kind".into(), vec!["c".into()])], ..Scope::default() };
        assert!(apply(tile(), &nothing, None, [0, 0, 0]).unwrap().is_empty());
        let absent = Scope { rows: vec![("no such field".into(), vec!["a".into()])], ..Scope::default() };
        assert!(apply(tile(), &absent, None, [0, 0, 0]).unwrap().is_empty());
        assert_eq!(apply(tile(), &Scope::default(), None, [0, 0, 0]).unwrap(), tile());
        let filtered =
            |text: &str| Scope { filter: Some(text.into()), fields: Some(vec!["owner".into()]), ..Scope::default() };
        assert_eq!(apply(tile(), &filtered("kind = 'a'"), None, [0, 0, 0]).unwrap(), seen);
        assert_eq!(apply(tile(), &filtered("kind IN ('a', 'c') AND NOT kind = 'b'"), None, [0, 0, 0]).unwrap(), seen);
        for closed in ["kind = 'c'", "kind > 3", "owners = 'a'", "kind IS NULL"] {
            assert!(apply(tile(), &filtered(closed), None, [0, 0, 0]).unwrap().is_empty(), "{closed}");
        }
    }
}
