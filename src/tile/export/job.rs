//! Exports as durable jobs: asked for, made under the rights that hold when they run, fetched under those that hold then.

use std::collections::HashSet;
use std::path::PathBuf;
use std::pin::Pin;

use serde_json::{Value, json};
use uuid::Uuid;

use super::kept::{Exports, KEPT};
use super::{Exported, Step, write};
use crate::access::audit::{self, Entry};
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::grant::{Grant, Read};
use crate::access::principal::Principal;
use crate::access::rights::Right;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::job::queue::Queue;
use crate::job::{Job, Task};
use crate::layer::catalog::Catalog;
use crate::tile::render::{Drawn, Tiles};

pub const KIND: &str = "tiles.export";
/// Exports of a department that wait or run at once.
const MOST_AT_ONCE: i64 = 2;
/// How often the disk is looked at.
const LOOK_EVERY: u64 = 256;

/// Puts an export for a layer that may be read.
pub async fn request(queue: &Queue, by: &Principal, layer: &str, (minzoom, maxzoom): (u8, u8)) -> Result<Uuid> {
    let input = json!({"layer": layer, "minzoom": minzoom, "maxzoom": maxzoom});
    queue.put_at_most(by, KIND, MOST_AT_ONCE, &input).await
}

/// The file of a finished export for somebody whose rights to the layer are `grant`.
pub async fn fetch(
    (queue, database, exports): (&Queue, &Database, &Exports),
    department: &str,
    job: Uuid,
    open: impl FnOnce(&str) -> Result<Grant<Read>>,
) -> Result<(PathBuf, String)> {
    let info = queue.get(department, job).await?;
    let result = info.result.filter(|_| info.kind == KIND && info.state == "succeeded");
    let layer = result.as_ref().and_then(|r| r["layer"].as_str()).ok_or_else(gone)?;
    let grant = open(layer)?;
    let path = exports.find(job, grant.scope()).ok_or_else(gone)?;
    let mut client = database.app().await?;
    let transaction = client.transaction().await?;
    let entry = Entry { action: "download", object_kind: "layer", object_id: layer, detail: json!({ "job": job }) };
    audit::write(&*transaction, grant.principal(), entry).await?;
    transaction.commit().await?;
    Ok((path, layer.to_owned()))
}

fn gone() -> Error {
    Error::not_found(
        "没有这个导出文件，或已过期，或授权已变更",
        "there is no such export, or it has expired, or your grant has changed",
    )
    .hint("请重新导出", "export it again")
}

/// Makes exports.
pub struct ExportJob {
    pub database: Database,
    pub store: Datastore,
    pub gate: Gate,
    pub catalog: Catalog,
    pub tiles: Tiles,
    pub exports: Exports,
}

impl ExportJob {
    async fn export(&self, task: &Task) -> Result<Value> {
        let layer = task.input["layer"].as_str().unwrap_or_default();
        let zooms = super::zooms(task.input["minzoom"].as_i64(), task.input["maxzoom"].as_i64())?;
        self.gate.reload(&self.database).await?;
        let grant = self.gate.open_for(&task.principal, layer, Right::Export)?;
        let drawn = Drawn { layer: self.catalog.published(&grant)?, grant };
        self.exports.prepare()?;
        self.exports.sweep(&self.under_way().await?);
        let target = self.exports.path(task.id, drawn.grant.scope());
        let (exports, progress, job) = (&self.exports, task.progress().clone(), task.id);
        let mut count = 0u64;
        let mut tell = move |step: Step| {
            progress.set(&format!("z{}", step.zoom), step.done, Some(step.total));
            count += 1;
            if count.is_multiple_of(LOOK_EVERY) { exports.make_room(job, step.bytes) } else { Ok(()) }
        };
        let exported = write((&self.tiles, &self.store), &drawn, zooms, &target, &mut tell).await?;
        note(&self.database, &drawn, zooms, exported).await?;
        Ok(json!({
            "layer": layer, "revision": drawn.layer.state().number, "minzoom": zooms.0, "maxzoom": zooms.1,
            "tiles": exported.tiles, "bytes": exported.bytes, "kept_hours": KEPT.as_secs() / 3600,
            "file": format!("/api/v1/jobs/{job}/tiles.pmtiles"),
        }))
    }

    async fn under_way(&self) -> Result<HashSet<Uuid>> {
        let client = self.database.app().await?;
        let sql = "select id from onemap.job where kind = $1 and state in ('queued', 'running')";
        Ok(client.query(sql, &[&KIND]).await?.iter().map(|r| r.get(0)).collect())
    }
}

/// The audit row of an export: what of which layer went out to whom.
pub async fn note(database: &Database, drawn: &Drawn, zooms: (u8, u8), exported: Exported) -> Result<()> {
    let mut client = database.app().await?;
    let transaction = client.transaction().await?;
    let detail = json!({"revision": drawn.layer.state().number, "minzoom": zooms.0, "maxzoom": zooms.1,
                        "tiles": exported.tiles, "bytes": exported.bytes});
    let entry = Entry { action: "export", object_kind: "layer", object_id: drawn.grant.layer(), detail };
    audit::write(&*transaction, drawn.grant.principal(), entry).await?;
    transaction.commit().await?;
    Ok(())
}

impl Job for ExportJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run<'a>(&'a self, task: &'a Task) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> {
        Box::pin(self.export(task))
    }

    fn gave_up<'a>(&'a self, _: &'a Task, _: &'a Error) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        // The unfinished file goes with the thread that writes it.
        Box::pin(std::future::ready(()))
    }
}
