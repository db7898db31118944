//! The formats of `onemap-formats`: rows are taken apart into values and shapes, and a writer of the crate does the rest.

use std::path::Path;

use onemap_formats::{
    Csv, Encoding, FlatGeobuf, GeoPackage, GeometryColumns, Row, Shape, Shapefile, Table, Value, Workbook, Writer,
};

use super::reference::Datum;
use super::{FileFormat, Output};
use crate::error::{Error, Result};
use crate::feature::values::{Ewkb, value};
use crate::layer::model::FieldType;

/// What a format leaves to whoever asks for it.
#[derive(Debug, Clone, Copy)]
pub struct How {
    pub encoding: Encoding,
    /// None: as suits the layer.
    pub geometry: Option<GeometryColumns>,
}

pub struct Tabular {
    writer: Box<dyn Writer>,
    kinds: Vec<FieldType>,
    geometry: Option<onemap_formats::Geometry>,
    datum: Option<Datum>,
    shape: Shape,
}

impl Tabular {
    /// A writer of this format. What it spools lies in `folder`, without a name.
    pub fn new(
        format: FileFormat,
        table: Table,
        how: How,
        (kinds, datum): (Vec<FieldType>, Option<Datum>),
        folder: &Path,
    ) -> Result<Tabular> {
        let geometry = table.geometry;
        let columns = how.geometry.unwrap_or_else(|| GeometryColumns::of(geometry));
        let writer: Box<dyn Writer> = match format {
            FileFormat::Csv => Box::new(Csv::new(table, columns)),
            FileFormat::Workbook => Box::new(Workbook::new(table, columns)),
            FileFormat::FlatGeobuf => Box::new(FlatGeobuf::new(table)),
            FileFormat::GeoPackage => Box::new(GeoPackage::create(table, &super::download::fresh(folder))?),
            FileFormat::Shapefile => {
                let folder = folder.to_owned();
                Box::new(Shapefile::new(table, how.encoding, Box::new(move || super::download::nameless(&folder)))?)
            }
            FileFormat::Sequence => return Err(Error::internal("a text sequence is no table")),
        };
        Ok(Tabular { writer, kinds, geometry, datum, shape: Shape::default() })
    }

    /// Reads the row's geometry into `self.shape`; false when there is none.
    fn read(&mut self, row: &tokio_postgres::Row, id: i64) -> Result<bool> {
        let (Some(geometry), Some(Ewkb(bytes))) = (self.geometry, row.try_get::<_, Option<Ewkb<'_>>>(1)?) else {
            return Ok(false);
        };
        // Triangles and surfaces of solids have no form in these formats, as in GeoJSON; one of them must not hide the whole layer.
        if self.shape.read(bytes).is_err() {
            tracing::warn!("feature {id} has a geometry that is no simple feature");
            return Ok(false);
        }
        if geometry.kind.is_some_and(|kind| kind != self.shape.kind && kind == self.shape.kind.multi()) {
            self.shape.promote();
        }
        if geometry.z == Some(false) {
            self.shape.drop_z();
        }
        if let Some(datum) = self.datum {
            self.shape.shift(|lon, lat| datum.shift(lon, lat));
        }
        Ok(!self.shape.is_empty())
    }
}

impl Output for Tabular {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        Ok(self.writer.begin(out)?)
    }

    fn row(&mut self, row: &tokio_postgres::Row, out: &mut Vec<u8>) -> Result<()> {
        let id: i64 = row.try_get(0)?;
        let has_shape = self.read(row, id)?;
        let values = self.kinds.iter().enumerate().map(|(i, kind)| value(row, i + 2, *kind));
        let values = values.collect::<Result<Vec<Value<'_>>>>()?;
        let shape = has_shape.then_some(&self.shape);
        Ok(self.writer.row(&Row { id, shape, values: &values }, out)?)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        Ok(self.writer.end(out)?)
    }

    fn spooled(&self) -> u64 {
        self.writer.spooled()
    }
}

impl From<onemap_formats::Error> for Error {
    fn from(e: onemap_formats::Error) -> Self {
        match e {
            onemap_formats::Error::Fields(most) => Error::invalid(
                "f",
                format!("该格式最多 {most} 个字段"),
                format!("the format has room for {most} fields at most"),
            )
            .hint("用 properties= 选择字段，或换用 GeoPackage", "choose fields by properties=, or ask for GeoPackage"),
            e => Error::internal(e),
        }
    }
}
