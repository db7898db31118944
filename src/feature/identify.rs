//! What of a layer is near a point.

use futures_util::StreamExt;

use super::geojson::Writer;
use super::values::write_string;
use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::error::Result;
use crate::geo::crs::CRS84;
use crate::layer::catalog::Published;
use crate::layer::model::Field;
use crate::layer::select::{Near, near, visible_fields};

/// Features per layer at most.
const MOST: i64 = 20;

/// Appends `{"layer": …, "title": …, "features": […]}`, behind a comma when something stands there already; nothing for a layer
/// without geometry. The point is longitude and latitude, the tolerance is in metres.
pub async fn at(
    store: &Datastore,
    layer: &Published,
    grant: &Grant<Read>,
    (point, tolerance): ((f64, f64), f64),
    out: &mut Vec<u8>,
) -> Result<()> {
    let fields: Vec<Field> = visible_fields(layer.state(), grant.scope()).into_iter().cloned().collect();
    let references: Vec<&Field> = fields.iter().collect();
    let wanted = Near { point, metres: tolerance + 0.01, filter: None, limit: MOST };
    let Some(sql) = near(layer, grant, &references, &wanted) else { return Ok(()) };
    let mut rows = store.read(grant).await?.rows(&sql).await?;
    if out.last() == Some(&b'}') {
        out.push(b',');
    }
    out.extend_from_slice(b"{\"layer\":");
    write_string(out, &layer.id);
    out.extend_from_slice(b",\"title\":");
    out.extend_from_slice(&serde_json::to_vec(&layer.title)?);
    out.extend_from_slice(b",\"features\":[");
    let writer = Writer { fields: fields.clone().into(), crs: CRS84 };
    let mut comma = false;
    while let Some(row) = rows.next().await {
        if std::mem::replace(&mut comma, true) {
            out.push(b',');
        }
        writer.feature(out, &row?, None)?;
    }
    out.extend_from_slice(b"]}");
    Ok(())
}
