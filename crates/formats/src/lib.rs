//! Features as files. A writer takes rows one by one and gives bytes as soon as they are settled; it knows neither a database nor
//! HTTP. What a format must know of all rows before its first byte (a count, an extent, an index) lies meanwhile in files without a
//! name. Memory does not grow with the rows, but for the leaves of a GeoPackage's R-tree: one for some fifty features.

mod csv;
mod error;
mod flatgeobuf;
mod geopackage;
mod shape;
mod shapefile;
mod table;
mod value;
mod wkt;
mod workbook;
mod zipped;

pub use csv::Csv;
pub use error::{Error, Result};
pub use flatgeobuf::FlatGeobuf;
pub use geopackage::GeoPackage;
pub use shape::{Kind, Shape};
pub use shapefile::{Encoding, Shapefile};
pub use table::{Column, Crs, Geometry, GeometryColumns, Table, Type};
pub use value::Value;
pub use workbook::{Sheets, Workbook};

/// One feature.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub id: i64,
    /// None without a geometry; an empty one is none.
    pub shape: Option<&'a Shape>,
    /// In the order of the table's columns.
    pub values: &'a [Value<'a>],
}

impl<'a> Row<'a> {
    /// The geometry, if there is anything of it.
    fn shape(&self) -> Option<&'a Shape> {
        self.shape.filter(|shape| !shape.is_empty())
    }
}

/// A file under way. `begin` comes once, `row` for each feature, then `end` until it says that nothing is left.
pub trait Writer: Send {
    /// What the file begins with, whatever its rows are.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()>;

    /// Takes a feature, and appends what is settled by it.
    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> Result<()>;

    /// Appends a piece of what follows the last row; false when the file is whole.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<bool>;

    /// Bytes that lie on disk meanwhile.
    fn spooled(&self) -> u64 {
        0
    }
}

/// Gives files that nobody else sees and that are gone when they are closed.
pub type Scratch = Box<dyn FnMut() -> std::io::Result<std::fs::File> + Send>;

/// Bytes that are passed on at once.
const PIECE: usize = 256 << 10;
