//! A caller's filter (CQL2) over what a grant shows of a layer, and its place in a statement.

use onemap_cql2::{Filter, Kind, Schema};

use super::catalog::Published;
use super::model::{Field, State};
use super::select::{boxed, cut_geometry, field_column};
use crate::access::grant::{Grant, Read};
use crate::access::policy::Scope;
use crate::access::trace;
use crate::db::sql::{Bind, Sql};
use crate::error::{Error, Result};
use crate::geo::bbox::Bbox;
use crate::geo::crs::{CRS84, Crs, STORAGE_SRID, same_coordinates};

/// A filter as a caller gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub text: String,
    pub language: Language,
    /// Of the coordinates in it, in the authority's axis order.
    pub crs: Crs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    Text,
    Json,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::Text, Language::Json];

    /// As `filter-lang` calls it.
    pub fn id(self) -> &'static str {
        match self {
            Language::Text => "cql2-text",
            Language::Json => "cql2-json",
        }
    }

    fn example(self) -> (&'static str, &'static str) {
        match self {
            Language::Text => (
                "CQL2 文本，例如 floors >= 6 AND kind IN ('住宅', '商业')",
                "CQL2 text, such as floors >= 6 AND kind IN ('home', 'shop')",
            ),
            Language::Json => (
                r#"CQL2 JSON，例如 {"op": ">=", "args": [{"property": "floors"}, 6]}"#,
                r#"CQL2 JSON, such as {"op": ">=", "args": [{"property": "floors"}, 6]}"#,
            ),
        }
    }
}

impl Given {
    /// CQL2 text with longitudes and latitudes.
    pub fn text(text: impl Into<String>) -> Given {
        Given { text: text.into(), language: Language::Text, crs: CRS84 }
    }

    /// CQL2 JSON with longitudes and latitudes.
    pub fn json(text: impl Into<String>) -> Given {
        Given { text: text.into(), language: Language::Json, crs: CRS84 }
    }
}

/// Reads a filter over the fields that the grant shows: for others it is as if they did not exist, or one could find out by
/// filters what they hold. Fields are numbered as they stand in the layer's state.
pub fn parse(given: &Given, layer: &Published, grant: &Grant<Read>) -> Result<Filter> {
    let text = given.text.as_str();
    if layer.state().archive.is_some() {
        let (zh, en) = ("瓦片归档不支持过滤", "a tile archive cannot be filtered");
        return Err(Error::invalid("filter", format!("图层 {}：{zh}", layer.id), format!("layer {}: {en}", layer.id)));
    }
    let shown = Shown { state: layer.state(), scope: grant.scope(), crs: given.crs };
    let read = match given.language {
        Language::Text => onemap_cql2::parse(text, &shown),
        Language::Json => onemap_cql2::parse_json(text, &shown),
    };
    if let Ok(filter) = &read {
        trace::note(&layer.id, |opened| opened.condition(&filter.canonical()));
    }
    read.map_err(|problem| {
        let (zh, en) = match &problem.pointer {
            Some(pointer) => (format!("位置 \"{pointer}\""), format!("at \"{pointer}\"")),
            None => {
                let character = 1 + text.get(..problem.at).map_or(0, |before| before.chars().count());
                (format!("第 {character} 个字符"), format!("character {character}"))
            }
        };
        let (zh, en) =
            (format!("图层 {}，{zh}：{}", layer.id, problem.zh), format!("layer {}, {en}: {}", layer.id, problem.en));
        Error::invalid("filter", zh, en).hint(given.language.example().0, given.language.example().1)
    })
}

struct Shown<'a> {
    state: &'a State,
    scope: &'a Scope,
    crs: Crs,
}

impl Shown<'_> {
    fn fields(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.state.fields.iter().enumerate().filter(|(_, f)| self.scope.sees_field(&f.name))
    }
}

impl Schema for Shown<'_> {
    fn field(&self, name: &str) -> Option<(usize, Kind)> {
        let (index, field) = self.fields().find(|(_, f)| f.name == name)?;
        Some((index, field.kind.filtered()))
    }

    /// As GeoJSON calls it, whatever the column is called.
    fn is_geometry(&self, name: &str) -> bool {
        self.state.source.geometry.is_some() && matches!(name, "geometry" | "geom")
    }

    fn names(&self) -> Vec<&str> {
        self.fields().map(|(_, f)| f.name.as_str()).collect()
    }

    fn position(&self, written: [f64; 2]) -> Option<[f64; 2]> {
        self.crs.to_degrees(written)
    }

    fn keeps_boxes(&self) -> bool {
        self.crs.is_geographic() || self.crs.srid == 3857
    }
}

/// Appends the filter as a condition.
pub(super) fn condition(sql: &mut Sql, state: &State, scope: &Scope, filter: &Filter) {
    sql.push(" and ");
    filter.sql(&mut Statement { sql, state, scope });
}

struct Statement<'a> {
    sql: &'a mut Sql,
    state: &'a State,
    scope: &'a Scope,
}

impl onemap_cql2::Sql for Statement<'_> {
    fn text(&mut self, sql: &'static str) {
        self.sql.push(sql);
    }
    fn field(&mut self, index: usize) {
        field_column(self.sql, self.state, &self.state.fields[index]);
    }
    /// What the grant shows of it: what is cut off must not answer to a place either.
    fn geometry(&mut self) {
        let Some(column) = self.state.source.geometry.as_deref() else {
            self.sql.push("null::geometry");
            return;
        };
        if self.state.srid == STORAGE_SRID {
            return cut_geometry(self.sql, self.state, self.scope, column);
        }
        self.sql.push(if same_coordinates(self.state.srid, STORAGE_SRID) { "st_setsrid(" } else { "st_transform(" });
        cut_geometry(self.sql, self.state, self.scope, column);
        self.sql.push(", 4490)");
    }
    fn meets(&mut self, [west, south, east, north]: [f64; 4]) {
        match self.state.source.geometry.as_deref() {
            Some(column) => {
                boxed(self.sql, self.state, column, Bbox { west, south, east, north }, STORAGE_SRID, " && ")
            }
            None => {
                self.sql.push("null::bool");
            }
        }
    }
    fn bind_bytes(&mut self, value: &[u8]) {
        self.sql.bind(Bind::Bytes(value.to_vec()));
    }
    fn bind_text(&mut self, value: &str) {
        self.sql.bind(Bind::Text(value.to_owned()));
    }
    fn bind_int(&mut self, value: i64) {
        self.sql.bind(Bind::Integer(value));
    }
    fn bind_float(&mut self, value: f64) {
        self.sql.bind(Bind::Float(value));
    }
    fn bind_bool(&mut self, value: bool) {
        self.sql.bind(Bind::Boolean(value));
    }
}
