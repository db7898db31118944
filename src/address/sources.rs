//! Which layers are address sources: a snapshot of the table, and its changes with their audit rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::json;

use super::mapping::Mapping;
use crate::access::audit::{self, Entry};
use crate::access::grant::{Edit, Grant};
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::layer::model::State;

/// Of two equally good answers the one of the smaller number comes first.
pub const PRIORITY: u8 = 100;

/// A layer that is searched for addresses.
#[derive(Debug, Clone, PartialEq)]
pub struct AddressSource {
    pub layer: Arc<str>,
    pub mapping: Arc<Mapping>,
    pub priority: u8,
    pub updated_by: String,
    /// RFC 3339, UTC.
    pub updated: String,
}

pub type Snapshot = BTreeMap<Arc<str>, AddressSource>;

#[derive(Default)]
pub struct Sources {
    snapshot: ArcSwap<Snapshot>,
    /// One reading at a time, as in the catalogue.
    turn: tokio::sync::Mutex<()>,
}

impl Sources {
    pub async fn reload(&self, database: &Database) -> Result<()> {
        let _turn = self.turn.lock().await;
        let sql = "select layer_id, mapping, priority, updated_by,
            to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from onemap.address_source";
        let mut snapshot = Snapshot::new();
        for row in database.app().await?.query(sql, &[]).await? {
            let layer: Arc<str> = row.get::<_, &str>(0).into();
            // One that a later version wrote is no reason to lose the others.
            let Ok(mapping) = serde_json::from_value(row.get(1)) else {
                tracing::warn!(%layer, "the mapping of an address source is not understood");
                continue;
            };
            let source = AddressSource {
                layer: layer.clone(),
                mapping: Arc::new(mapping),
                priority: row.get::<_, i32>(2).clamp(0, 255) as u8,
                updated_by: row.get(3),
                updated: row.get(4),
            };
            snapshot.insert(layer, source);
        }
        self.snapshot.store(Arc::new(snapshot));
        Ok(())
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }
}

/// Refuses layers that cannot be a source, whatever the mapping.
pub fn check(state: &State) -> Result<()> {
    state.need_rows()?;
    if state.source.registered {
        return Err(Error::conflict(
            "登记表不能作为地址源：它随时可能变化而不通知平台",
            "a registered table cannot be an address source: it changes without telling",
        )
        .hint("请将其导入为图层", "import it as a layer"));
    }
    if state.source.geometry.is_none() {
        return Err(Error::conflict(
            "该图层没有几何，地址没有位置",
            "the layer has no geometry: its addresses are nowhere",
        ));
    }
    Ok(())
}

/// Makes the layer a source, or changes how it is one.
pub async fn set(database: &Database, grant: &Grant<Edit>, mapping: &Mapping, priority: u8) -> Result<()> {
    let mut client = database.app().await?;
    let transaction = client.transaction().await?;
    let json = serde_json::to_value(mapping)?;
    transaction
        .execute(
            "insert into onemap.address_source (layer_id, mapping, priority, updated_by) values ($1, $2, $3, $4)
             on conflict (layer_id) do update set mapping = excluded.mapping, priority = excluded.priority,
                 updated_by = excluded.updated_by, updated_at = now()",
            &[&grant.layer(), &json, &i32::from(priority), &grant.principal().name()],
        )
        .await?;
    let detail = json!({"mapping": json, "priority": priority});
    let entry = Entry { action: "set", object_kind: "address_source", object_id: grant.layer(), detail };
    audit::write(&*transaction, grant.principal(), entry).await?;
    Ok(transaction.commit().await?)
}

/// Whether anybody has ever said whether the layer is a source: then it is not for us to say it again.
pub async fn was_ever_set(database: &Database, layer: &str) -> Result<bool> {
    let sql = "select exists (select from onemap.audit where object_kind = 'address_source' and object_id = $1)";
    Ok(database.app().await?.query_one(sql, &[&layer]).await?.get(0))
}

/// The layer is no longer a source. False when it was none.
pub async fn remove(database: &Database, grant: &Grant<Edit>) -> Result<bool> {
    let mut client = database.app().await?;
    let transaction = client.transaction().await?;
    let removed =
        transaction.execute("delete from onemap.address_source where layer_id = $1", &[&grant.layer()]).await?;
    if removed > 0 {
        let entry =
            Entry { action: "remove", object_kind: "address_source", object_id: grant.layer(), detail: json!({}) };
        audit::write(&*transaction, grant.principal(), entry).await?;
    }
    transaction.commit().await?;
    Ok(removed > 0)
}
