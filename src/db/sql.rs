//! SQL text made of fixed fragments, checked identifiers and bound values. Nothing a caller sent ever becomes text of a statement.

use std::fmt::Write;

use postgres_types::{ToSql, Type};

/// A quoted identifier. Names come from the catalogue or from our own code, and are quoted all the same.
pub struct Ident<'a>(pub &'a str);

impl std::fmt::Display for Ident<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars().filter(|c| *c != '\0') {
            if c == '"' {
                f.write_char('"')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

/// A value for one placeholder.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    Text(String),
    TextArray(Vec<String>),
    Integer(i64),
    IntegerArray(Vec<i64>),
    Float(f64),
    Boolean(bool),
    Bytes(Vec<u8>),
}

impl Bind {
    pub fn as_sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Bind::Text(v) => v,
            Bind::TextArray(v) => v,
            Bind::Integer(v) => v,
            Bind::IntegerArray(v) => v,
            Bind::Float(v) => v,
            Bind::Boolean(v) => v,
            Bind::Bytes(v) => v,
        }
    }

    /// The cast beside the placeholder, so that a statement's types do not hang on what PostgreSQL infers.
    fn cast(&self) -> &'static str {
        match self {
            Bind::Text(_) => "text",
            Bind::TextArray(_) => "text[]",
            Bind::Integer(_) => "int8",
            Bind::IntegerArray(_) => "int8[]",
            Bind::Float(_) => "float8",
            Bind::Boolean(_) => "bool",
            Bind::Bytes(_) => "bytea",
        }
    }

    pub fn sql_type(&self) -> Type {
        match self {
            Bind::Text(_) => Type::TEXT,
            Bind::TextArray(_) => Type::TEXT_ARRAY,
            Bind::Integer(_) => Type::INT8,
            Bind::IntegerArray(_) => Type::INT8_ARRAY,
            Bind::Float(_) => Type::FLOAT8,
            Bind::Boolean(_) => Type::BOOL,
            Bind::Bytes(_) => Type::BYTEA,
        }
    }
}

/// A statement under construction: text and its values, always in step.
#[derive(Debug, Default, Clone)]
pub struct Sql {
    text: String,
    binds: Vec<Bind>,
}

impl Sql {
    pub fn new(fragment: &'static str) -> Self {
        Sql { text: fragment.to_owned(), binds: Vec::new() }
    }
    /// Appends our own text; `&'static` keeps callers' text out.
    pub fn push(&mut self, fragment: &'static str) -> &mut Self {
        self.text.push_str(fragment);
        self
    }
    pub fn ident(&mut self, name: &str) -> &mut Self {
        let _ = write!(self.text, "{}", Ident(name));
        self
    }
    pub fn table(&mut self, schema: &str, name: &str) -> &mut Self {
        let _ = write!(self.text, "{}.{}", Ident(schema), Ident(name));
        self
    }
    /// An integer of our own (a SRID, an extent), written out so that the planner sees it.
    pub fn integer(&mut self, value: i64) -> &mut Self {
        let _ = write!(self.text, "{value}");
        self
    }
    /// Appends `$n::type` and keeps the value.
    pub fn bind(&mut self, value: Bind) -> &mut Self {
        let _ = write!(self.text, "${}::{}", self.binds.len() + 1, value.cast());
        self.binds.push(value);
        self
    }
    pub fn text(&self) -> &str {
        &self.text
    }
    pub fn types(&self) -> Vec<Type> {
        self.binds.iter().map(Bind::sql_type).collect()
    }
    pub fn values(&self) -> impl ExactSizeIterator<Item = &(dyn ToSql + Sync)> + Clone {
        self.binds.iter().map(Bind::as_sql)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_cannot_break_out() {
        assert_eq!(Ident("a\"; drop table x; --\0").to_string(), "\"a\"\"; drop table x; --\"");
    }

    #[test]
    fn placeholders_follow_their_values() {
        let mut s = Sql::new("select * from ");
        s.table("data", "r1").push(" where ").ident("楼").push(" = ").bind(Bind::Text("x".into())).push(" and n > ");
        s.bind(Bind::Integer(3));
        assert_eq!(s.text(), "select * from \"data\".\"r1\" where \"楼\" = $1::text and n > $2::int8");
        assert_eq!(s.values().len(), 2);
    }
}
