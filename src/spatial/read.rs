//! Rows of a layer as shapes and values.

use std::time::Duration;

use futures_util::StreamExt;
use onemap_spatial::shape::Shape;
use serde_json::Value;
use tokio_postgres::Row;

use super::{Inner, Opened};
use crate::access::datastore::Rows;
use crate::error::Result;
use crate::feature::values::{self, Ewkb};
use crate::geo::bbox::Bbox;
use crate::geo::crs::STORAGE_SRID;
use crate::layer::model::{Field, FieldType};
use crate::layer::select::{Selection, features};

/// A whole layer is read within this time.
const LONGEST: Duration = Duration::from_secs(20 * 60);

impl Inner {
    /// Everything that the grant and the filter leave of a layer, in a box if one is given: column 0 the id, 1 the geometry in degrees,
    /// then these fields. On a connection of its own.
    pub(super) async fn rows(&self, opened: &Opened, fields: &[Field], bbox: Option<[f64; 4]>) -> Result<Rows> {
        let wanted = selection(opened, bbox, None);
        let sql = features(&opened.layer, &opened.grant, &fields.iter().collect::<Vec<_>>(), &wanted);
        self.store.apart(&opened.grant, LONGEST).await?.rows(&sql).await
    }

    /// The first rows in a box, with the opened fields, to choose from: what of them is given is for the caller to say.
    pub(super) async fn rows_near(&self, opened: &Opened, bbox: [f64; 4], most: usize) -> Result<Vec<Row>> {
        let wanted = selection(opened, Some(bbox), Some(most as i64));
        let fields: Vec<&Field> = opened.fields.iter().collect();
        let sql = features(&opened.layer, &opened.grant, &fields, &wanted);
        let mut rows = self.store.read(&opened.grant).await?.gives(0).rows(&sql).await?;
        let mut all = vec![];
        while let Some(row) = rows.next().await {
            all.push(row?);
        }
        Ok(all)
    }
}

fn selection(opened: &Opened, bbox: Option<[f64; 4]>, limit: Option<i64>) -> Selection {
    let bbox = bbox.map(|[west, south, east, north]| {
        let bbox =
            Bbox { west: west.max(-180.0), south: south.max(-90.0), east: east.min(180.0), north: north.min(90.0) };
        (bbox, STORAGE_SRID)
    });
    Selection { bbox, limit, filter: opened.filter.clone(), srid: Some(STORAGE_SRID), ..Selection::default() }
}

/// The geometry of a row; none when it has none that is made of points, lines and polygons.
pub fn shape(row: &Row) -> Result<Option<Shape>> {
    let ewkb = row.try_get::<_, Option<Ewkb<'_>>>(1)?;
    Ok(ewkb.and_then(|Ewkb(bytes)| onemap_spatial::ewkb::read(bytes)).and_then(Shape::new))
}

/// A field as JSON, as features show it.
pub fn value(row: &Row, column: usize, kind: FieldType) -> Result<Value> {
    Ok(match kind {
        FieldType::Integer => row.try_get::<_, Option<i64>>(column)?.map_or(Value::Null, Value::from),
        FieldType::Float => row.try_get::<_, Option<f64>>(column)?.map_or(Value::Null, Value::from),
        FieldType::Boolean => row.try_get::<_, Option<bool>>(column)?.map_or(Value::Null, Value::from),
        _ => values::text(row, column, kind)?.map_or(Value::Null, Value::from),
    })
}

/// A field as a number.
pub fn number(row: &Row, column: usize, kind: FieldType) -> Result<Option<f64>> {
    Ok(match kind {
        FieldType::Integer => row.try_get::<_, Option<i64>>(column)?.map(|v| v as f64),
        FieldType::Float => row.try_get(column)?,
        _ => None,
    })
}
