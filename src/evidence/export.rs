//! Exports of records: a durable job, a CSV file with a manifest that is signed, together in one ZIP archive.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use onemap_evidence::manifest::{ChainHead, Digesting, Exported, Manifest};
use onemap_evidence::{Record, TileList};
use serde_json::{Value, json};
use tokio_postgres::GenericClient;
use uuid::Uuid;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Evidence;
use super::row;
use super::search::{self, Found, Prepared, Search, View};
use crate::access::audit::{self, Entry};
use crate::access::principal::Principal;
use crate::access::trace;
use crate::error::{Error, Result};
use crate::job::queue::Queue;
use crate::job::{Job, Task};

pub const KIND: &str = "audit.export";
/// Names in the archive.
pub const TABLE: &str = "evidence.csv";
pub const MANIFEST: &str = "manifest.json";
/// Records of an export at most.
const MOST: u64 = 5_000_000;
/// Records read at a time.
const PAGE: usize = 2000;
/// Exports of a department that wait or run at once.
const AT_ONCE: i64 = 2;
/// How long an export can be fetched.
const KEPT: Duration = Duration::from_secs(24 * 3600);

const HEADER: [&str; 26] = [
    "id",
    "at",
    "department",
    "who",
    "address",
    "origin",
    "operation",
    "layer",
    "owner",
    "revision",
    "grant",
    "purpose",
    "request_id",
    "status",
    "complete",
    "requests",
    "rows",
    "bytes",
    "extent",
    "filter",
    "fields",
    "features",
    "tiles",
    "audit",
    "detail",
    "match",
];

/// Puts an export of what the principal may see.
pub async fn request(queue: &Queue, by: &Principal, view: &View, search: &Search) -> Result<Uuid> {
    queue.put_at_most(by, KIND, AT_ONCE, &json!({"view": view, "search": search})).await
}

/// The file of a finished export, for somebody whose view is still that of the export.
pub async fn fetch(evidence: &Evidence, queue: &Queue, department: &str, job: Uuid, view: &View) -> Result<PathBuf> {
    let info = queue.get(department, job).await?;
    let made = info.kind == KIND && info.state == "succeeded" && info.input["view"] == json!(view);
    let path = evidence.exports().join(format!("{job}.zip"));
    match made && is_kept(&path) {
        true => Ok(path),
        false => Err(Error::not_found("没有这个导出文件，或已过期", "there is no such export, or it has expired")
            .hint("请重新导出", "export it again")),
    }
}

fn is_kept(path: &Path) -> bool {
    let made = path.metadata().and_then(|meta| meta.modified());
    made.is_ok_and(|made| made.elapsed().unwrap_or_default() < KEPT)
}

/// Makes exports.
pub struct ExportJob {
    pub evidence: Evidence,
}

impl ExportJob {
    async fn export(&self, task: &Task) -> Result<Value> {
        let view: View = serde_json::from_value(task.input["view"].clone())?;
        let search: Search = serde_json::from_value(task.input["search"].clone())?;
        // A role may have been taken away since.
        if super::view_of(&task.principal).as_ref() != Some(&view) {
            return Err(Error::forbidden("当前身份无权导出访问存证", "your role does not allow to export evidence"));
        }
        trace::other(&task.principal, KIND, &search::told(&search, &view));
        let folder = self.evidence.exports().to_owned();
        sweep(&folder);
        std::fs::create_dir_all(&folder)?;
        let (part, path) = (folder.join(format!("{}.part", task.id)), folder.join(format!("{}.zip", task.id)));
        let prepared = Prepared::new(view, search.clone(), row::micros(std::time::SystemTime::now()))?;
        let heads = heads(&**self.evidence.database().app().await?).await?;
        let mut table = Table::create(&part)?;
        let mut pages = Box::pin(prepared.all(self.evidence.database(), PAGE));
        while let Some(page) = pages.next().await {
            let page = page?;
            table = tokio::task::spawn_blocking(move || table.add(&page)).await.map_err(Error::internal)??;
            task.progress().set("records", table.records, None);
            if table.records > MOST {
                return Err(Error::too_large(format!("超过 {MOST} 条"), format!("there are more than {MOST} records"))
                    .hint("请缩小时间范围分批导出", "export them in parts, by a shorter time each"));
            }
        }
        let exported = |bytes: u64, sm3: String, records: u64| Exported {
            onemap_evidence_export: 1,
            file: TABLE.into(),
            sm3,
            bytes,
            records,
            search: json!(search),
            by: task.principal.name(),
            at: row::shown(row::micros(std::time::SystemTime::now())),
            heads,
            public_key: self.evidence.node.key.public(),
        };
        let records = table.records;
        let (bytes, sm3) = table.finish(&part, &path, |bytes, sm3| {
            Manifest::sign(exported(bytes, sm3, records), &self.evidence.node.key).and_then(|m| m.to_json())
        })?;
        self.note(task, records).await?;
        Ok(json!({"records": records, "bytes": bytes, "sm3": sm3, "kept_hours": KEPT.as_secs() / 3600,
                  "file": format!("/api/v1/audit/exports/{}", task.id)}))
    }

    async fn note(&self, task: &Task, records: u64) -> Result<()> {
        let mut client = self.evidence.database().app().await?;
        let transaction = client.transaction().await?;
        let (id, detail) = (task.id.to_string(), json!({"search": task.input["search"], "records": records}));
        let entry = Entry { action: "export", object_kind: "evidence", object_id: &id, detail };
        audit::write(&*transaction, &task.principal, entry).await?;
        transaction.commit().await?;
        Ok(())
    }
}

impl Job for ExportJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run<'a>(&'a self, task: &'a Task) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> {
        Box::pin(self.export(task))
    }

    fn gave_up<'a>(&'a self, task: &'a Task, _: &'a Error) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let _ = std::fs::remove_file(self.evidence.exports().join(format!("{}.part", task.id)));
        Box::pin(std::future::ready(()))
    }
}

async fn heads(client: &impl GenericClient) -> Result<Vec<ChainHead>> {
    let sql = "select distinct on (node) node, number, digest from onemap.evidence_block order by node, number desc";
    let of = |row: &tokio_postgres::Row| ChainHead {
        chain: row.get(0),
        block: row.get(1),
        digest: hex::encode(row.get::<_, &[u8]>(2)),
    };
    Ok(client.query(sql, &[]).await?.iter().map(of).collect())
}

/// The archive while its table is written.
struct Table {
    csv: csv::Writer<Digesting<ZipWriter<File>>>,
    records: u64,
}

impl Table {
    fn create(path: &Path) -> Result<Table> {
        let mut zip = ZipWriter::new(File::create(path)?);
        zip.start_file(TABLE, SimpleFileOptions::default().large_file(true)).map_err(Error::internal)?;
        let mut csv = csv::Writer::from_writer(Digesting::new(zip));
        csv.write_record(HEADER).map_err(Error::internal)?;
        Ok(Table { csv, records: 0 })
    }

    fn add(mut self, page: &[Found]) -> Result<Table> {
        for found in page {
            self.csv.write_record(cells(found)).map_err(Error::internal)?;
        }
        self.records += page.len() as u64;
        Ok(self)
    }

    /// Adds the manifest and gives the archive its name.
    fn finish<E: std::error::Error + Send + Sync + 'static>(
        self,
        part: &Path,
        path: &Path,
        manifest: impl FnOnce(u64, String) -> Result<String, E>,
    ) -> Result<(u64, String)> {
        let digesting = self.csv.into_inner().map_err(|e| Error::internal(e.to_string()))?;
        let (mut zip, bytes, digest) = digesting.finish();
        let sm3 = hex::encode(digest);
        let text = manifest(bytes, sm3.clone()).map_err(Error::internal)?;
        zip.start_file(MANIFEST, SimpleFileOptions::default()).map_err(Error::internal)?;
        zip.write_all(text.as_bytes())?;
        zip.finish().map_err(Error::internal)?.sync_all()?;
        std::fs::rename(part, path)?;
        Ok((bytes, sm3))
    }
}

fn cells(found: &Found) -> Vec<String> {
    let (place, r): (_, &Record) = (&found.place, &found.record);
    let text = |value: &Option<std::sync::Arc<str>>| value.as_deref().unwrap_or_default().to_owned();
    let number = |value: Option<i64>| value.map(|n| n.to_string()).unwrap_or_default();
    let list = |parts: Vec<String>| parts.join(" ");
    vec![
        format!("{}.{}.{}", place.node, place.block, place.place),
        row::shown(r.at),
        text(&r.department),
        r.who.to_string(),
        text(&r.address),
        text(&r.origin),
        r.operation.to_string(),
        text(&r.layer),
        text(&r.owner),
        number(r.revision.map(i64::from)),
        number(r.grant),
        text(&r.purpose),
        text(&r.request),
        r.status.to_string(),
        r.complete.to_string(),
        r.requests.to_string(),
        r.rows.to_string(),
        r.bytes.to_string(),
        list(r.extent.iter().flatten().map(f64::to_string).collect()),
        text(&r.filter),
        r.fields.as_ref().map(|fields| fields.join(",")).unwrap_or_default(),
        list(r.features.iter().flatten().map(i64::to_string).collect()),
        list(TileList::read(r.tiles.as_deref().unwrap_or_default()).map(|tile| search::address(&tile)).collect()),
        number(r.audit),
        text(&r.detail),
        if found.matched == search::Match::Certain { "certain" } else { "possible" }.to_owned(),
    ]
}

/// Removes what was kept long enough.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if !is_kept(&entry.path()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
