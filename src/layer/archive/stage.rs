//! A new revision from a finished archive: the file and the row come together or not at all.

use std::path::Path;

use serde_json::json;

use super::{Archives, TileArchive};
use crate::access::audit::{self, Entry};
use crate::access::datastore::Datastore;
use crate::access::grant::{Edit, Grant};
use crate::error::{Error, Result};
use crate::geo::crs::STORAGE_SRID;
use crate::layer::annotated;
use crate::layer::registry::{Shape, Staged};

/// Takes `packed` in as a new revision of the granted layer. The file moves into the data directory before the row is committed: a
/// process killed between the two leaves a file that nothing names, which is swept away later.
pub async fn stage(
    store: &Datastore,
    grant: &Grant<Edit>,
    shape: &Shape,
    archive: &TileArchive,
    bbox: Option<[f64; 4]>,
    (packed, archives): (&Path, &Archives),
) -> Result<Staged> {
    let mut client = store.write(grant).await?;
    let transaction = client.transaction().await?;
    sweep(&transaction, archives).await?;
    let id: i64 =
        transaction.query_one("select nextval(pg_get_serial_sequence('onemap.revision', 'id'))", &[]).await?.get(0);
    annotated::hold_for_loading(&transaction, grant.layer()).await?;
    let number: i32 = transaction
        .query_one("select coalesce(max(number), 0) + 1 from onemap.revision where layer_id = $1", &[&grant.layer()])
        .await?
        .get(0);
    transaction
        .execute(
            "insert into onemap.revision (id, layer_id, number, state, table_name, geometry_type, srid, bbox, fields, report,
                 note, created_by, archive)
             overriding system value values ($1, $2, $3, 'staged', $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            &[
                &id,
                &grant.layer(),
                &number,
                &format!("r{id}"),
                &shape.geometry,
                &STORAGE_SRID,
                &bbox.map(|b| b.to_vec()),
                &serde_json::to_value(&shape.fields)?,
                &shape.report,
                &shape.note,
                &grant.principal().name(),
                &serde_json::to_value(archive)?,
            ],
        )
        .await?;
    let detail = json!({"revision": number, "tiles": archive.tiles, "bytes": archive.bytes});
    let entry = Entry { action: "stage", object_kind: "layer", object_id: grant.layer(), detail };
    audit::write(&*transaction, grant.principal(), entry).await?;
    let (from, to) = (packed.to_owned(), archives.clone());
    tokio::task::spawn_blocking(move || to.take_in(&from, id)).await.map_err(Error::internal)??;
    if let Err(e) = transaction.commit().await {
        archives.remove(id);
        return Err(e.into());
    }
    Ok(Staged { id, number, rows: 0 })
}

async fn sweep(transaction: &deadpool_postgres::Transaction<'_>, archives: &Archives) -> Result<()> {
    let rows = transaction.query("select id from onemap.revision where archive is not null", &[]).await?;
    let known: std::collections::HashSet<i64> = rows.iter().map(|r| r.get(0)).collect();
    archives.sweep(|revision| known.contains(&revision));
    Ok(())
}
