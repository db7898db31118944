//! FlatGeobuf 3.0 as a stream: no index, and a number of features that is left unknown, because both would have to be known before
//! the first feature.

use flatbuffers::{FlatBufferBuilder, WIPOffset};
use flatgeobuf as fgb;

use crate::shape::{Kind, Shape};
use crate::table::{Crs, Table, Type};
use crate::{Error, Result, Row, Value, Writer};

const MAGIC: &[u8] = b"fgb\x03fgb\x00";

pub struct FlatGeobuf {
    table: Table,
    builder: FlatBufferBuilder<'static>,
    properties: Vec<u8>,
}

impl FlatGeobuf {
    pub fn new(table: Table) -> Self {
        FlatGeobuf { table, builder: FlatBufferBuilder::with_capacity(64 << 10), properties: vec![] }
    }
}

impl Writer for FlatGeobuf {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(MAGIC);
        let b = &mut self.builder;
        b.reset();
        let table = &self.table;
        let mut columns = vec![column(b, &table.id_column(), "", fgb::ColumnType::Long)];
        columns.extend(table.columns.iter().map(|c| column(b, &c.name, &c.title, kind_of(c.kind))));
        let columns = Some(b.create_vector(&columns));
        let crs = table.geometry.map(|_| crs(b, &table.crs));
        let geometry_type = table.geometry.and_then(|g| g.kind).map_or(fgb::GeometryType::Unknown, geometry_type);
        let args = fgb::HeaderArgs {
            name: Some(b.create_string(&table.id)),
            title: Some(b.create_string(&table.title)),
            description: Some(b.create_string(&table.description)),
            geometry_type,
            has_z: table.has_heights(),
            columns,
            crs,
            features_count: 0,
            index_node_size: 0,
            ..fgb::HeaderArgs::default()
        };
        let header = fgb::Header::create(b, &args);
        b.finish_size_prefixed(header, None);
        out.extend_from_slice(b.finished_data());
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) -> Result<()> {
        self.properties.clear();
        put(&mut self.properties, 0, &Value::Integer(row.id));
        for (value, i) in row.values.iter().zip(1u16..) {
            put(&mut self.properties, i, value);
        }
        let b = &mut self.builder;
        b.reset();
        let geometry = match row.shape() {
            Some(shape) if !self.table.admits(shape) => return Err(Error::Kind),
            // The header says for all features whether there are heights.
            Some(shape) => Some(geometry(b, shape, self.table.has_heights())),
            None => None,
        };
        let properties = Some(b.create_vector(&self.properties));
        let feature = fgb::Feature::create(b, &fgb::FeatureArgs { geometry, properties, columns: None });
        b.finish_size_prefixed(feature, None);
        out.extend_from_slice(b.finished_data());
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<bool> {
        Ok(false)
    }
}

type Builder = FlatBufferBuilder<'static>;

fn column(b: &mut Builder, name: &str, title: &str, type_: fgb::ColumnType) -> WIPOffset<fgb::Column<'static>> {
    let args = fgb::ColumnArgs {
        name: Some(b.create_string(name)),
        title: (!title.is_empty()).then(|| b.create_string(title)),
        type_,
        ..fgb::ColumnArgs::default()
    };
    fgb::Column::create(b, &args)
}

fn kind_of(kind: Type) -> fgb::ColumnType {
    match kind {
        Type::Text => fgb::ColumnType::String,
        Type::Integer => fgb::ColumnType::Long,
        Type::Float => fgb::ColumnType::Double,
        Type::Boolean => fgb::ColumnType::Bool,
        // The format has no dates without a time.
        Type::Date | Type::Timestamp => fgb::ColumnType::DateTime,
    }
}

fn crs(b: &mut Builder, crs: &Crs) -> WIPOffset<fgb::Crs<'static>> {
    let args = fgb::CrsArgs {
        org: crs.epsg.map(|_| b.create_string("EPSG")),
        code: crs.epsg.unwrap_or(0),
        name: Some(b.create_string(&crs.name)),
        wkt: Some(b.create_string(&crs.wkt)),
        ..fgb::CrsArgs::default()
    };
    fgb::Crs::create(b, &args)
}

fn geometry_type(kind: Kind) -> fgb::GeometryType {
    // The codes are those of well-known binary.
    fgb::GeometryType(kind.code() as u8)
}

fn geometry(b: &mut Builder, shape: &Shape, z: bool) -> WIPOffset<fgb::Geometry<'static>> {
    let parts = match shape.kind {
        Kind::MultiPolygon => shape.rings_of_polygons().map(|rings| polygon(b, shape, rings, z)).collect(),
        Kind::Collection => shape.members.iter().map(|member| geometry(b, member, z)).collect(),
        _ => vec![],
    };
    if matches!(shape.kind, Kind::MultiPolygon | Kind::Collection) {
        let parts = Some(b.create_vector(&parts));
        let args = fgb::GeometryArgs { type_: geometry_type(shape.kind), parts, ..fgb::GeometryArgs::default() };
        return fgb::Geometry::create(b, &args);
    }
    let ends: Vec<u32> = shape.ends.iter().map(|&end| end as u32).collect();
    simple(b, shape, shape.kind, 0..shape.positions.len(), &ends, z)
}

fn polygon(
    b: &mut Builder,
    shape: &Shape,
    rings: std::ops::Range<usize>,
    z: bool,
) -> WIPOffset<fgb::Geometry<'static>> {
    let begin = shape.line(rings.start).start;
    let ends: Vec<u32> = shape.ends[rings].iter().map(|&end| (end - begin) as u32).collect();
    let last = ends.last().map_or(begin, |&end| begin + end as usize);
    simple(b, shape, Kind::Polygon, begin..last, &ends, z)
}

/// A geometry of positions, and of marks where its lines or rings end.
fn simple(
    b: &mut Builder,
    shape: &Shape,
    kind: Kind,
    range: std::ops::Range<usize>,
    ends: &[u32],
    z: bool,
) -> WIPOffset<fgb::Geometry<'static>> {
    let xy = Some(b.create_vector(shape.positions[range.clone()].as_flattened()));
    let heights = z.then(|| match shape.heights.get(range.clone()) {
        Some(heights) if heights.len() == range.len() => b.create_vector(heights),
        // A flat one among others has no heights to give.
        _ => b.create_vector(&vec![0.0; range.len()]),
    });
    let ends = (!ends.is_empty()).then(|| b.create_vector(ends));
    let args = fgb::GeometryArgs { ends, xy, z: heights, type_: geometry_type(kind), ..fgb::GeometryArgs::default() };
    fgb::Geometry::create(b, &args)
}

/// A property: the column's number and the value. What is null is left out.
fn put(out: &mut Vec<u8>, column: u16, value: &Value<'_>) {
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend_from_slice(&column.to_le_bytes());
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    match value {
        Value::Null => {}
        Value::Text(v) => text(out, v),
        Value::Integer(v) => {
            out.extend_from_slice(&column.to_le_bytes());
            out.extend_from_slice(&v.to_le_bytes());
        }
        Value::Float(v) => {
            out.extend_from_slice(&column.to_le_bytes());
            out.extend_from_slice(&v.to_le_bytes());
        }
        Value::Boolean(v) => {
            out.extend_from_slice(&column.to_le_bytes());
            out.push(u8::from(*v));
        }
        Value::Date(_) | Value::Timestamp(_) => value.text().into_iter().for_each(|v| text(out, &v)),
    }
}
