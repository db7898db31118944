//! Annotation layers as they come and go: made with their first and only revision, which is empty, and removed with all that hangs on
//! them. Each in one transaction, so that a layer to draw on is there whole or not at all.

use serde_json::json;
use tokio_postgres::Transaction;

use super::marks;
use super::model::{Field, Layer};
use super::registry::{self, NewLayer, Shape};
use super::removal;
use crate::access::audit::{self, Entry};
use crate::access::datastore::Datastore;
use crate::access::grant::{Edit, Grant};
use crate::access::principal::Principal;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::geo::crs::STORAGE_SRID;

/// Annotation layers of a department at most.
const MOST: i64 = 200;

/// Makes a layer to draw on, with these fields behind those that every mark has. The caller has asked `Gate::publisher`.
pub async fn create(
    database: &Database,
    by: &Principal,
    department: &str,
    new: &NewLayer,
    own: &[Field],
) -> Result<()> {
    let mut client = database.importer().await?;
    let mut transaction = client.transaction().await?;
    // Held, so that two at once cannot both be the last.
    transaction.execute("select 1 from onemap.department where id = $1 for update", &[&department]).await?;
    let count = "select count(*) from onemap.layer where department_id = $1 and annotation";
    if transaction.query_one(count, &[&department]).await?.get::<_, i64>(0) >= MOST {
        return Err(Error::too_large(
            "本单位的标注图层已达 200 个",
            "the department has 200 annotation layers already",
        )
        .hint("请删除不再需要的标注图层", "delete those that are no longer needed"));
    }
    registry::insert_layer(&transaction, by, department, new).await?;
    let fields = [marks::fields(), own.to_vec()].concat();
    let shape = Shape { fields, geometry: Some("Geometry".into()), key_field: None, note: String::new(), report: None };
    let revision = empty_revision(&mut transaction, by, &new.id, &shape).await?;
    let mark = "update onemap.layer set annotation = true, current_revision = $2 where id = $1";
    transaction.execute(mark, &[&new.id, &revision]).await?;
    Ok(transaction.commit().await?)
}

/// A published revision without rows, open to edits.
async fn empty_revision(
    transaction: &mut deadpool_postgres::Transaction<'_>,
    by: &Principal,
    layer: &str,
    shape: &Shape,
) -> Result<i64> {
    let next = "select nextval(pg_get_serial_sequence('onemap.revision', 'id'))";
    let id: i64 = transaction.query_one(next, &[]).await?.get(0);
    let table = format!("r{id}");
    transaction.batch_execute(&registry::create_table(&table, shape)?).await?;
    registry::finish_table(transaction, &table, shape).await?;
    let insert = "insert into onemap.revision (id, layer_id, number, state, table_name, feature_count, geometry_type, srid, fields,
             created_by, published_at)
         overriding system value values ($1, $2, 1, 'published', $3, 0, $4, $5, $6, $7, now())";
    let fields = serde_json::to_value(&shape.fields)?;
    transaction.execute(insert, &[&id, &layer, &table, &shape.geometry, &STORAGE_SRID, &fields, &by.name()]).await?;
    let columns = registry::view_columns(&shape.fields, true);
    registry::replace_view(transaction, layer, &table, &columns).await?;
    transaction.execute("select onemap.open_to_edits($1)", &[&id]).await?;
    transaction.execute("select onemap.open_to_marks($1)", &[&id]).await?;
    Ok(id)
}

/// Removes an annotation layer with its marks and photos.
pub async fn remove(store: &Datastore, grant: &Grant<Edit>, layer: &Layer) -> Result<()> {
    let mut client = store.write(grant).await?;
    let transaction = client.transaction().await?;
    let held = "select annotation from onemap.layer where id = $1 for update";
    if !transaction.query_opt(held, &[&grant.layer()]).await?.is_some_and(|row| row.get(0)) {
        return Err(not_drawn_on());
    }
    removal::remove(&transaction, grant.layer()).await?;
    let detail = json!({"title": layer.title, "marks": layer.state.as_ref().and_then(|s| s.feature_count)});
    let entry = Entry { action: "delete", object_kind: "layer", object_id: grant.layer(), detail };
    audit::write(&*transaction, grant.principal(), entry).await?;
    Ok(transaction.commit().await?)
}

/// Said of a layer of another kind.
pub fn not_drawn_on() -> Error {
    Error::conflict("该图层不是标注图层", "this layer is not an annotation layer")
        .hint("标注图层见 /api/v1/annotations", "annotation layers are listed at /api/v1/annotations")
}

/// Holds a layer for a new revision. Files are not loaded into one whose features are drawn: their authors would be lost.
pub(super) async fn hold_for_loading(transaction: &Transaction<'_>, layer: &str) -> Result<()> {
    let held = "select annotation from onemap.layer where id = $1 for update";
    match transaction.query_opt(held, &[&layer]).await?.is_some_and(|row| row.get(0)) {
        false => Ok(()),
        true => Err(Error::conflict("标注图层不能载入文件", "an annotation layer is drawn on, not loaded")
            .hint("请载入到另一个图层", "load the file into another layer")),
    }
}
