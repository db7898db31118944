//! Administrative divisions by their codes: the layers of the theme `divisions` that have areas and a field `code` (GB/T 2260 and GB/T
//! 10114: 6 digits of a district, 9 of a street, 12 of a community).

use std::collections::HashSet;

use futures_util::StreamExt;

use super::catalog::{Catalog, Published};
use super::model::{FieldType, State};
use super::select;
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::grant::{Grant, Read};
use crate::access::principal::Principal;
use crate::db::sql::{Bind, Sql};
use crate::error::{Error, Result};

const THEME: &str = "divisions";
const FIELD: &str = "code";

/// The area of divisions together, as GeoJSON in degrees: of those layers that `by` reads.
pub async fn area(
    store: &Datastore,
    gate: &Gate,
    catalog: &Catalog,
    by: &Principal,
    codes: &[String],
) -> Result<String> {
    let mut parts: Vec<serde_json::Value> = vec![];
    let mut missing: HashSet<&str> = codes.iter().map(String::as_str).collect();
    for (layer, _) in catalog.visible(gate, by).into_iter().filter(|(layer, _)| layer.theme.as_deref() == Some(THEME)) {
        let Ok(grant) = gate.open::<Read>(by, &layer.id) else { continue };
        let Ok(layer) = catalog.published(&grant) else { continue };
        let Some(sql) = divisions(&layer, &grant, codes) else { continue };
        let mut rows = store.read(&grant).await?.rows(&sql).await?;
        while let Some(row) = rows.next().await {
            let row = row?;
            let fresh = missing.remove(row.try_get::<_, &str>(0)?);
            if let (true, Some(shape)) = (fresh, row.try_get::<_, Option<&str>>(1)?) {
                let shape: serde_json::Value = serde_json::from_str(shape)?;
                parts.extend(shape["coordinates"].as_array().into_iter().flatten().cloned());
            }
        }
    }
    match missing.into_iter().min() {
        None => Ok(serde_json::json!({"type": "MultiPolygon", "coordinates": parts}).to_string()),
        Some(code) => Err(Error::invalid(
            "divisions",
            format!("没有代码为 {code} 的行政区划"),
            format!("there is no division of the code {code}"),
        )),
    }
}

/// Code and area of each of the divisions that a layer has.
fn divisions(layer: &Published, grant: &Grant<Read>, codes: &[String]) -> Option<Sql> {
    let state = layer.state();
    let column = state.source.geometry.as_deref()?;
    let code = state.field(FIELD).filter(|f| f.kind == FieldType::Text && grant.scope().sees_field(FIELD))?;
    if !has_areas(state) {
        return None;
    }
    let mut sql = Sql::new("select ");
    sql.ident(&code.name).push("::text, st_asgeojson(st_multi(st_union(st_transform(");
    select::cut_geometry(&mut sql, state, grant.scope(), column);
    sql.push(", 4490))), 9) from ").table(&state.source.schema, &state.source.table).push(" where ").ident(&code.name);
    sql.push("::text = any(").bind(Bind::TextArray(codes.to_vec())).push(")");
    select::scope_conditions(&mut sql, state, grant.scope());
    sql.push(" group by 1");
    Some(sql)
}

fn has_areas(state: &State) -> bool {
    state.geometry_type.as_deref().is_some_and(|kind| kind.contains("Polygon"))
}
