//! Receiving files: resumable (tus 1.0), under a department's quota, kept as they came.
//!
//! The length of the file on disk is the truth about how much has arrived, so that a kill -9 loses at most what was not yet
//! written, and the client goes on from there.

use std::path::PathBuf;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::open::Options;
use super::parent;
use super::sandbox::Limits;
use crate::access::audit::{self, Entry};
use crate::access::principal::Principal;
use crate::config::Config;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::job::queue::Queue;
use crate::job::{Job, Task, problem_to_json};

/// An upload as its department sees it.
#[derive(Debug, Clone, Serialize)]
pub struct UploadInfo {
    pub id: Uuid,
    pub filename: String,
    pub size: i64,
    pub offset: i64,
    pub state: String,
    pub job: Option<Uuid>,
    pub inspection: Option<Value>,
    pub problem: Option<Value>,
    pub layer: Option<String>,
    pub revision: Option<i32>,
    pub created: String,
}

#[derive(Clone)]
pub struct Uploads {
    database: Database,
    queue: Queue,
    folder: PathBuf,
    limit: i64,
    quota: i64,
    /// Where this deployment's data lie, in degrees.
    area: Option<[f64; 4]>,
    /// Known divisions, by which shifted coordinates are found.
    reference: PathBuf,
    /// Our own binary, which is also the reading child.
    pub reader: PathBuf,
    pub limits: Limits,
}

/// The districts of the demo city: small, and true to a few metres.
const DIVISIONS: &[u8] = include_bytes!("../../data/qingdao/district.geojson");

const COLUMNS: &str = "u.id, u.filename, u.size, u.state, u.inspection, u.problem, u.layer_id, u.revision, \
    to_char(u.created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
    (select j.id from onemap.job j where j.input->>'upload' = u.id::text order by j.created_at desc limit 1)";

impl Uploads {
    pub fn new(database: Database, queue: Queue, config: &Config) -> Self {
        Uploads {
            queue,
            database,
            folder: config.data.join("uploads"),
            limit: config.upload_limit as i64,
            quota: config.department_quota as i64,
            area: config.area,
            reference: config.data.join("reference.geojson"),
            reader: config.reader.clone(),
            limits: Limits { seconds: config.import_timeout, ..Limits::default() },
        }
    }

    /// What the reader is told beside the file.
    pub fn options(&self, id: Uuid) -> Options {
        if !self.reference.exists()
            && let Err(e) = std::fs::write(&self.reference, DIVISIONS)
        {
            tracing::warn!("the reference divisions cannot be written: {e}");
        }
        let reference = self.reference.exists().then(|| self.reference.clone());
        Options { work: self.folder_of(id).join("work"), encoding: None, reference, area: self.area }
    }

    pub fn limit(&self) -> i64 {
        self.limit
    }

    /// Begins an upload of `size` bytes for the department, if its quota allows.
    pub async fn create(&self, by: &Principal, department: &str, filename: &str, size: i64) -> Result<Uuid> {
        if size > self.limit {
            return Err(Error::too_large(
                format!("文件超过单个上传上限 {} MiB", self.limit >> 20),
                format!("the file is larger than the limit of {} MiB", self.limit >> 20),
            ));
        }
        let filename = clean_filename(filename)?;
        let id = Uuid::now_v7();
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let row = transaction
            .query_one(
                "select coalesce(quota_bytes, $2), onemap.kept_bytes(id) from onemap.department where id = $1 for update",
                &[&department, &self.quota],
            )
            .await?;
        let (quota, used): (i64, i64) = (row.get(0), row.get(1));
        if used.saturating_add(size) > quota {
            return Err(Error::too_large(
                format!("本单位上传空间不足：已用 {} MiB，共 {} MiB", used >> 20, quota >> 20),
                format!("the department's quota is used up: {} of {} MiB", used >> 20, quota >> 20),
            )
            .hint("请删除不再需要的上传文件", "delete uploads that are no longer needed"));
        }
        transaction
            .execute(
                "insert into onemap.upload (id, department_id, created_by, filename, size, state)
                 values ($1, $2, $3, $4, $5, 'receiving')",
                &[&id, &department, &by.name(), &filename, &size],
            )
            .await?;
        let detail = json!({"filename": filename, "size": size});
        audit::write(
            &*transaction,
            by,
            Entry { action: "create", object_kind: "upload", object_id: &id.to_string(), detail },
        )
        .await?;
        tokio::fs::create_dir_all(self.folder_of(id)).await?;
        tokio::fs::File::create(self.folder_of(id).join(&filename)).await?;
        transaction.commit().await?;
        Ok(id)
    }

    fn folder_of(&self, id: Uuid) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Where the kept original is.
    pub async fn path(&self, id: Uuid) -> Result<PathBuf> {
        let client = self.database.app().await?;
        let row = client.query_opt("select filename from onemap.upload where id = $1", &[&id]).await?;
        let filename: String = row.ok_or_else(no_upload)?.get(0);
        Ok(self.folder_of(id).join(filename))
    }

    pub async fn get(&self, department: &str, id: Uuid) -> Result<UploadInfo> {
        let client = self.database.app().await?;
        let sql = format!("select {COLUMNS} from onemap.upload u where u.id = $1 and u.department_id = $2");
        let row = client.query_opt(&sql, &[&id, &department]).await?.ok_or_else(no_upload)?;
        drop(client);
        self.info(&row).await
    }

    pub async fn list(&self, department: &str) -> Result<Vec<UploadInfo>> {
        let client = self.database.app().await?;
        let sql = format!(
            "select {COLUMNS} from onemap.upload u where u.department_id = $1 order by u.created_at desc limit 200"
        );
        let rows = client.query(&sql, &[&department]).await?;
        drop(client);
        let mut infos = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut info = self.info(row).await?;
            // The list shows that there is a report; the upload itself shows it.
            info.inspection = None;
            infos.push(info);
        }
        Ok(infos)
    }

    async fn info(&self, row: &tokio_postgres::Row) -> Result<UploadInfo> {
        let (id, filename): (Uuid, String) = (row.get(0), row.get(1));
        let offset = match tokio::fs::metadata(self.folder_of(id).join(&filename)).await {
            Ok(meta) => meta.len() as i64,
            Err(_) => 0,
        };
        Ok(UploadInfo {
            id,
            filename,
            size: row.get(2),
            offset,
            state: row.get(3),
            inspection: row.get(4),
            problem: row.get(5),
            layer: row.get(6),
            revision: row.get(7),
            created: row.get(8),
            job: row.get(9),
        })
    }

    /// Appends bytes at `offset`. Returns the new offset; the last byte starts the inspection.
    pub async fn append<S, E>(&self, by: &Principal, department: &str, id: Uuid, offset: i64, body: S) -> Result<i64>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
        E: std::error::Error + Send + Sync + 'static,
    {
        let info = self.get(department, id).await?;
        if info.state != "receiving" || info.offset != offset {
            return Err(Error::conflict(
                format!("已收到 {} 字节，请从该处继续", info.offset),
                format!("{} bytes have arrived; go on from there", info.offset),
            ));
        }
        let path = self.folder_of(id).join(&info.filename);
        let arrived = write_at_end(&path, info.offset, info.size, body).await?;
        if arrived == info.size {
            self.complete(by, id).await?;
        }
        Ok(arrived)
    }

    async fn complete(&self, by: &Principal, id: Uuid) -> Result<()> {
        let client = self.database.app().await?;
        let moved = client
            .execute(
                "update onemap.upload set state = 'received', updated_at = now() where id = $1 and state = 'receiving'",
                &[&id],
            )
            .await?;
        drop(client);
        if moved == 1 {
            self.queue.put(by, "upload.inspect", &json!({ "upload": id })).await?;
        }
        Ok(())
    }

    /// Takes a file that is already on this machine (`onemap import`): copied, then as if uploaded.
    pub async fn adopt(&self, by: &Principal, department: &str, source: &std::path::Path) -> Result<(Uuid, Uuid)> {
        let files = super::companions(source)?;
        let size = files.iter().filter_map(|f| f.metadata().ok()).map(|m| m.len() as i64).sum();
        let name = source.file_name().and_then(|n| n.to_str()).unwrap_or("upload");
        let id = self.create(by, department, name, size).await?;
        let folder = self.folder_of(id);
        for file in &files {
            let Some(name) = file.file_name() else { continue };
            let target = folder.join(name);
            let _ = tokio::fs::remove_file(&target).await;
            if file.is_dir() {
                super::copy_folder(file, &target)?;
            } else {
                // A copy, not a link: the original must stay as it was given, whatever happens to the source.
                tokio::fs::copy(file, &target).await?;
            }
        }
        let client = self.database.app().await?;
        client.execute("update onemap.upload set state = 'received' where id = $1", &[&id]).await?;
        drop(client);
        let job = self.queue.put(by, "upload.inspect", &json!({ "upload": id })).await?;
        Ok((id, job))
    }

    /// Removes an upload and its file. Revisions made from it stay.
    pub async fn remove(&self, by: &Principal, department: &str, id: Uuid) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let removed = transaction
            .execute(
                "delete from onemap.upload where id = $1 and department_id = $2 and state not in ('inspecting', 'loading')",
                &[&id, &department],
            )
            .await?;
        if removed == 0 {
            return Err(no_upload().hint("正在处理的上传请先取消其任务", "cancel its job first if one is running"));
        }
        let entry = Entry { action: "delete", object_kind: "upload", object_id: &id.to_string(), detail: json!({}) };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        // The row is gone; a folder that cannot be removed now is only lost space.
        if let Err(e) = tokio::fs::remove_dir_all(self.folder_of(id)).await {
            tracing::warn!(upload = %id, "the folder of a removed upload stays: {e}");
        }
        Ok(())
    }

    pub async fn set_state(&self, id: Uuid, state: &str, problem: Option<&Value>) -> Result<()> {
        let client = self.database.app().await?;
        client
            .execute(
                "update onemap.upload set state = $2, problem = $3, updated_at = now() where id = $1",
                &[&id, &state, &problem],
            )
            .await?;
        Ok(())
    }

    pub async fn set_loaded(&self, id: Uuid, layer: &str, revision: i32) -> Result<()> {
        let client = self.database.app().await?;
        client
            .execute(
                "update onemap.upload set state = 'loaded', layer_id = $2, revision = $3, problem = null,
                     updated_at = now() where id = $1",
                &[&id, &layer, &revision],
            )
            .await?;
        Ok(())
    }
}

fn no_upload() -> Error {
    Error::not_found("没有这个上传", "there is no such upload")
}

async fn write_at_end<S, E>(path: &std::path::Path, offset: i64, size: i64, mut body: S) -> Result<i64>
where
    S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut file = tokio::fs::OpenOptions::new().append(true).open(path).await?;
    let mut arrived = offset;
    while let Some(chunk) = body.next().await {
        // A broken connection keeps what came: the client asks for the offset and goes on.
        let Ok(chunk) = chunk else { break };
        if arrived + chunk.len() as i64 > size {
            file.flush().await?;
            return Err(Error::too_large("收到的数据多于声明的长度", "more bytes arrived than were announced"));
        }
        file.write_all(&chunk).await.map_err(disk)?;
        arrived += chunk.len() as i64;
    }
    file.flush().await.map_err(disk)?;
    file.sync_data().await.map_err(disk)?;
    Ok(arrived)
}

fn disk(e: std::io::Error) -> Error {
    match e.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::busy(
            "服务器存储空间不足，已收到的部分保留，可稍后续传",
            "the server is out of disk space; what arrived is kept and can be continued",
        )
        .because(e),
        _ => e.into(),
    }
}

/// The last part of a path, without anything a file system or a shell could take for more.
pub fn clean_filename(name: &str) -> Result<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).take(120).collect();
    let clean = clean.trim().trim_start_matches('.').to_owned();
    match clean.is_empty() || clean.len() > 240 {
        true => Err(Error::invalid("filename", "文件名不正确", "the file's name is missing or wrong")),
        false => Ok(clean),
    }
}

/// Looks a received file over.
pub struct InspectJob {
    pub uploads: Uploads,
}

impl Job for InspectJob {
    fn kind(&self) -> &'static str {
        "upload.inspect"
    }

    fn run<'a>(&'a self, task: &'a Task) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> {
        Box::pin(async move {
            let id = upload_id(&task.input)?;
            let path = self.uploads.path(id).await?;
            self.uploads.set_state(id, "inspecting", None).await?;
            let progress = task.progress().clone();
            let uploads = &self.uploads;
            let report = parent::inspect(&uploads.reader, &path, &uploads.options(id), &uploads.limits, move |p| {
                progress.set("inspect", p.done, Some(p.total));
            })
            .await?;
            let inspection = serde_json::to_value(&report)?;
            let client = self.uploads.database.app().await?;
            client
                .execute(
                    "update onemap.upload set state = 'inspected', inspection = $2, problem = null, updated_at = now()
                     where id = $1",
                    &[&id, &inspection],
                )
                .await?;
            Ok(json!({"upload": id, "layers": report.layers.len()}))
        })
    }

    fn gave_up<'a>(&'a self, task: &'a Task, error: &'a Error) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            if let Ok(id) = upload_id(&task.input) {
                let _ = self.uploads.set_state(id, "failed", Some(&problem_to_json(error))).await;
            }
        })
    }
}

pub fn upload_id(input: &Value) -> Result<Uuid> {
    input["upload"].as_str().and_then(|s| s.parse().ok()).ok_or_else(no_upload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filenames_cannot_leave_their_folder() {
        assert_eq!(clean_filename("../../etc/passwd").unwrap(), "passwd");
        assert_eq!(clean_filename("C:\\数据\\区县.zip").unwrap(), "区县.zip");
        assert_eq!(clean_filename(".hidden").unwrap(), "hidden");
        assert!(clean_filename("a/..").is_err() && clean_filename("\0").is_err());
    }
}
