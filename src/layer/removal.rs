//! A layer that goes for good, with all its revisions.

use serde_json::json;

use super::registry::drop_view;
use crate::access::audit::{self, Entry};
use crate::access::datastore::Datastore;
use crate::access::grant::{Edit, Grant};
use crate::db::sql::Ident;
use crate::error::{Error, Result};

/// Removes a layer of tables, its revisions, its stable view, and styles of its department that only show it. One transaction: readers see all
/// of it or nothing.
pub async fn remove(store: &Datastore, grant: &Grant<Edit>, styles: &[String]) -> Result<()> {
    let mut client = store.write(grant).await?;
    let transaction = client.transaction().await?;
    transaction.batch_execute("set local lock_timeout = '5s'").await?;
    let layer = grant.layer();
    let held = "select department_id, registered_table is not null from onemap.layer where id = $1 for update";
    let row = transaction.query_opt(held, &[&layer]).await?;
    let row = row.ok_or_else(|| Error::not_found("没有这个图层", "there is no such layer"))?;
    if row.get(1) {
        let en = "a table shared as it stands belongs to its database";
        return Err(Error::conflict("登记的数据库表不在此删除", en));
    }
    let department: &str = row.get(0);
    let revisions = "select table_name, archive is not null from onemap.revision where layer_id = $1 order by id";
    let revisions = transaction.query(revisions, &[&layer]).await?;
    if revisions.iter().any(|r| r.get(1)) {
        let en = "a layer with tile archives is not removed here";
        return Err(Error::conflict("含有瓦片归档的图层不在此删除", en));
    }
    drop_view(&transaction, layer).await?;
    transaction.execute("update onemap.layer set current_revision = null where id = $1", &[&layer]).await?;
    for revision in &revisions {
        transaction.batch_execute(&format!("drop table if exists data.{}", Ident(revision.get(0)))).await?;
    }
    transaction.execute("delete from onemap.revision where layer_id = $1", &[&layer]).await?;
    transaction.execute("delete from onemap.layer where id = $1", &[&layer]).await?;
    let unused = "delete from onemap.style where id = any($1) and department_id = $2 and layers <@ $3";
    transaction.execute(unused, &[&styles, &department, &vec![layer]]).await?;
    let detail = json!({"revisions": revisions.len()});
    let entry = Entry { action: "delete", object_kind: "layer", object_id: layer, detail };
    audit::write(&*transaction, grant.principal(), entry).await?;
    Ok(transaction.commit().await?)
}
