//! What the readers of all formats have in common: a source has layers, a layer gives rows.

use super::geometry::Geometry;
use super::report::{EncodingFound, Note};
use crate::error::Result;
use crate::layer::model::FieldType;

#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

/// What became of a row's geometry.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Shape {
    #[default]
    Null,
    /// In `Row::geometry`.
    Present,
    Empty,
    /// With its cause.
    Unreadable(String),
}

#[derive(Debug, Default)]
pub struct Row {
    /// From 1, in file order.
    pub number: u64,
    /// By the reader's fields; shorter when the last ones are missing.
    pub cells: Vec<Cell>,
    pub shape: Shape,
    pub geometry: Geometry,
    /// Its curves were replaced by chords.
    pub curved: bool,
    /// Texts with bytes that are no text in the layer's encoding.
    pub bad_texts: u32,
}

impl Row {
    pub fn clear(&mut self, number: u64) {
        self.number = number;
        self.cells.clear();
        self.shape = Shape::Null;
        self.curved = false;
        self.bad_texts = 0;
    }
}

/// What came of asking for the next row.
#[derive(Debug)]
pub enum Next {
    Row,
    /// This row cannot be read, for this cause; the ones after it may.
    Failed(String),
    End,
}

#[derive(Debug, Clone)]
pub struct SourceField {
    pub name: String,
    pub original_type: String,
    pub width: Option<u32>,
    /// The type that the source declares; none where it must be found from the values.
    pub declared: Option<FieldType>,
    /// Whether texts may be read as numbers or dates, as in a CSV.
    pub untyped: bool,
    pub is_geometry: bool,
    pub notes: Vec<Note>,
}

impl SourceField {
    pub fn new(name: impl Into<String>, original_type: impl Into<String>) -> Self {
        SourceField {
            name: name.into(),
            original_type: original_type.into(),
            width: None,
            declared: None,
            untyped: false,
            is_geometry: false,
            notes: Vec::new(),
        }
    }
}

/// What a source says of one layer before its rows are read.
#[derive(Debug, Clone)]
pub struct LayerHead {
    pub name: String,
    /// A CRS description or `EPSG:n`, if the source has one.
    pub crs: Option<String>,
    pub encoding: EncodingFound,
    /// The number of rows, where the source knows it without reading.
    pub rows: Option<u64>,
    pub notes: Vec<Note>,
    /// Texts that may name the datum: descriptions, metadata.
    pub hints: Vec<String>,
}

pub trait Source {
    fn format(&self) -> &str;
    fn layers(&self) -> &[LayerHead];
    fn rows(&mut self, layer: usize) -> Result<Box<dyn Rows + '_>>;
}

pub trait Rows {
    fn next(&mut self, row: &mut Row) -> Result<Next>;
    /// The fields seen so far; formats without a schema find more as they go.
    fn fields(&self) -> &[SourceField];
    /// How far along: done and total, in whatever unit is cheap.
    fn progress(&self) -> (u64, u64);
}
