//! Features as files: a selection, whole if so wished, in the format of whoever takes it.

mod download;
mod order;
mod reference;
mod sequence;
mod table;
mod tabular;

pub use download::{Downloads, LONGEST};
pub use order::Order;
pub use reference::Datum;
pub use tabular::How;

pub use onemap_formats::{Encoding, GeometryColumns};

use crate::error::Result;

/// The formats of files, besides GeoJSON and HTML, which are pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    Csv,
    FlatGeobuf,
    GeoPackage,
    Shapefile,
    Workbook,
    /// A GeoJSON text sequence (RFC 8142).
    Sequence,
}

impl FileFormat {
    pub const ALL: [FileFormat; 6] = [
        FileFormat::Csv,
        FileFormat::FlatGeobuf,
        FileFormat::GeoPackage,
        FileFormat::Shapefile,
        FileFormat::Workbook,
        FileFormat::Sequence,
    ];

    /// What `f=` calls it.
    pub fn name(self) -> &'static str {
        match self {
            FileFormat::Csv => "csv",
            FileFormat::FlatGeobuf => "fgb",
            FileFormat::GeoPackage => "gpkg",
            FileFormat::Shapefile => "shp",
            FileFormat::Workbook => "xlsx",
            FileFormat::Sequence => "geojsonseq",
        }
    }

    /// The media types by which it can be asked for; the first is what it goes by.
    pub fn media(self) -> &'static [&'static str] {
        match self {
            FileFormat::Csv => &["text/csv"],
            FileFormat::FlatGeobuf => &["application/flatgeobuf", "application/vnd.flatgeobuf"],
            FileFormat::GeoPackage => &["application/geopackage+sqlite3", "application/vnd.sqlite3"],
            FileFormat::Shapefile => &["application/zip", "application/x-shapefile"],
            FileFormat::Workbook => &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
            FileFormat::Sequence => &["application/geo+json-seq"],
        }
    }

    /// Whether it has to lie on disk before its first row can be given out.
    pub fn is_spooled(self) -> bool {
        matches!(self, FileFormat::GeoPackage | FileFormat::Shapefile)
    }

    pub fn extension(self) -> &'static str {
        match self {
            FileFormat::Shapefile => "zip",
            FileFormat::Sequence => "geojsons",
            other => other.name(),
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            FileFormat::Csv => "CSV",
            FileFormat::FlatGeobuf => "FlatGeobuf",
            FileFormat::GeoPackage => "GeoPackage",
            FileFormat::Shapefile => "Shapefile (zip)",
            FileFormat::Workbook => "Excel (xlsx)",
            FileFormat::Sequence => "GeoJSON text sequence",
        }
    }

    pub fn parse(name: &str) -> Option<FileFormat> {
        let named = |f: &FileFormat| f.name() == name || f.media().contains(&name);
        FileFormat::ALL.into_iter().find(named)
    }
}

/// Writes rows of `layer::select` as a file. `begin` comes once, `row` for each, then `end` until it says that nothing is left.
trait Output: Send {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()>;
    fn row(&mut self, row: &tokio_postgres::Row, out: &mut Vec<u8>) -> Result<()>;
    fn end(&mut self, out: &mut Vec<u8>) -> Result<bool>;
    /// Bytes that lie on disk meanwhile.
    fn spooled(&self) -> u64;
}
