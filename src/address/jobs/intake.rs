//! Files and layers as drafts: received onto disk, checked and rewritten as plain rows, within the department's quota.

use std::path::Path;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::results::Table;
use super::{AddressJobs, columns};
use crate::access::audit::{self, Entry};
use crate::access::grant::{Grant, Read};
use crate::access::principal::Principal;
use crate::error::{Error, Result};
use crate::feature::values;
use crate::layer::catalog::Published;
use crate::layer::model::Field;
use crate::layer::order::Place;
use crate::layer::select::{self, Selection, visible_fields};
use crate::upload::flat::{Flat, Flattener};
use crate::upload::open::Options;
use crate::upload::parent;
use crate::upload::receive::clean_filename;

/// Rows of a layer read at once: each reading must end within a request's time.
const PAGE: i64 = 50_000;
/// No upload takes longer than this.
const LEFT_BEHIND: std::time::Duration = std::time::Duration::from_secs(2 * 24 * 3600);

/// A layer of the own department whose rows are to be matched.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfLayer {
    pub layer: String,
    /// The fields that make the address.
    #[serde(default)]
    pub columns: Vec<String>,
}

struct Named<'a> {
    filename: &'a str,
    layer: Option<&'a str>,
}

impl AddressJobs {
    /// Takes a file and makes a draft of it.
    pub async fn receive<S, E>(
        &self,
        by: &Principal,
        department: &str,
        (filename, encoding): (&str, Option<String>),
        body: S,
    ) -> Result<Value>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
        E: std::error::Error + Send + Sync + 'static,
    {
        let filename = clean_filename(filename)?;
        let id = Uuid::now_v7();
        tokio::fs::create_dir_all(&self.files.folder).await?;
        sweep(&self.files.folder);
        let kept = self.files.path(id);
        let (_part, _rows) = (Partial(kept.with_extension("part")), Partial(kept.with_extension("rows")));
        let most = self.files.limit.min(self.room(department).await?);
        write(&_part.0, body, most).await?;
        let flat = self.flatten(&_part.0, &_rows.0, encoding).await?;
        tokio::fs::rename(&_rows.0, &kept).await?;
        self.draft(by, department, id, Named { filename: &filename, layer: None }, &flat, None).await
    }

    /// Bytes that the department may still keep.
    async fn room(&self, department: &str) -> Result<i64> {
        let client = self.database.app().await?;
        let sql = "select coalesce(quota_bytes, $2) - onemap.kept_bytes(id) from onemap.department where id = $1";
        let room: i64 = client.query_one(sql, &[&department, &self.files.quota]).await?.get(0);
        match room > 0 {
            true => Ok(room),
            false => Err(over_quota()),
        }
    }

    /// The file as plain rows, read in a child process with limits.
    async fn flatten(&self, from: &Path, to: &Path, encoding: Option<String>) -> Result<Flat> {
        let (send, mut rows) = mpsc::channel::<Bytes>(4);
        let options = Options { work: self.files.folder.clone(), encoding, ..Options::default() };
        let reading = parent::flatten(&self.files.reader, from, &options, &self.files.limits, send);
        let writing = async {
            let mut file = tokio::fs::File::create(to).await?;
            while let Some(piece) = rows.recv().await {
                file.write_all(&piece).await?;
            }
            // Its rows are found by their place: the file must be there when the draft is.
            file.sync_all().await
        };
        let (flat, written) = tokio::join!(reading, writing);
        written?;
        flat
    }

    /// Makes a draft of the rows at the file's place. On an error the file goes.
    async fn draft(
        &self,
        by: &Principal,
        department: &str,
        id: Uuid,
        named: Named<'_>,
        flat: &Flat,
        chosen: Option<&[String]>,
    ) -> Result<Value> {
        let made = self.record(by, department, id, &named, flat).await;
        if let Err(e) = made {
            let _ = tokio::fs::remove_file(self.files.path(id)).await;
            return Err(e);
        }
        let mut document = self.get(department, id).await?;
        if let Some(chosen) = chosen.filter(|c| !c.is_empty()) {
            document["guess"] = json!({ "address": chosen });
        }
        Ok(document)
    }

    async fn record(&self, by: &Principal, department: &str, id: Uuid, named: &Named<'_>, flat: &Flat) -> Result<()> {
        let bytes = tokio::fs::metadata(self.files.path(id)).await?.len() as i64;
        let mut client = self.database.importer().await?;
        let transaction = client.transaction().await?;
        transaction.execute("select 1 from onemap.department where id = $1 for update", &[&department]).await?;
        if self.room(department).await? < bytes {
            return Err(over_quota());
        }
        transaction
            .execute(
                "insert into onemap.address_file (id, department_id, filename, layer_id, format, encoding, bytes, rows, columns)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                &[
                    &id,
                    &department,
                    &named.filename,
                    &named.layer,
                    &flat.format,
                    &flat.encoding,
                    &bytes,
                    &(flat.rows as i64),
                    &Value::from(columns::guessed(&flat.columns)),
                ],
            )
            .await?;
        let sql = "insert into onemap.address_job (id, department_id, created_by, file_id) values ($1, $2, $3, $1)";
        transaction.execute(sql, &[&id, &department, &by.name()]).await?;
        transaction.batch_execute(&Table::of(id).create()).await?;
        let detail = json!({"filename": named.filename, "rows": flat.rows, "bytes": bytes});
        let entry = Entry { action: "create", object_kind: "address_job", object_id: &id.to_string(), detail };
        audit::write(&*transaction, by, entry).await?;
        Ok(transaction.commit().await?)
    }

    /// Reads a layer of the department, as far as the caller may, and makes a draft of it.
    pub async fn of_layer(&self, by: &Principal, department: &str, wanted: &OfLayer) -> Result<Value> {
        let grant = self.gate.open::<Read>(by, &wanted.layer)?;
        let layer = self.catalog.published(&grant)?;
        layer.state().need_rows()?;
        if &*layer.department != department {
            return Err(Error::forbidden(
                "只能匹配本单位图层中的地址",
                "only the rows of your own department's layers can be matched",
            ));
        }
        let fields = visible_fields(layer.state(), grant.scope());
        if let Some(column) = wanted.columns.iter().find(|c| !fields.iter().any(|f| f.name == **c)) {
            let shown: String = column.chars().take(60).collect();
            return Err(Error::invalid(
                "columns",
                format!("图层没有字段“{shown}”"),
                format!("the layer has no field “{shown}”"),
            ));
        }
        let id = Uuid::now_v7();
        tokio::fs::create_dir_all(&self.files.folder).await?;
        let kept = self.files.path(id);
        let part = Partial(kept.with_extension("part"));
        let flat = self.pour(&layer, &grant, &fields, &part.0).await?;
        tokio::fs::rename(&part.0, &kept).await?;
        let named = Named { filename: &wanted.layer, layer: Some(&wanted.layer) };
        self.draft(by, department, id, named, &flat, Some(&wanted.columns)).await
    }

    async fn pour(&self, layer: &Published, grant: &Grant<Read>, fields: &[&Field], to: &Path) -> Result<Flat> {
        let mut header: Vec<String> = fields.iter().map(|f| f.name.clone()).collect();
        header.insert(0, if header.iter().any(|n| n == "fid") { "feature".into() } else { "fid".into() });
        let (send, mut pages) = mpsc::channel::<Vec<Vec<String>>>(2);
        let to = to.to_owned();
        let writing = tokio::task::spawn_blocking(move || {
            let file = std::fs::File::create(&to)?;
            let mut rows = Flattener::new(std::io::BufWriter::new(&file));
            rows.header(&header)?;
            let mut line = 1;
            while let Some(page) = pages.blocking_recv() {
                for cells in page {
                    line += 1;
                    rows.row(&cells, line)?;
                }
            }
            let flat = rows.finish("layer", "UTF-8")?;
            file.sync_all()?;
            Ok::<_, Error>(flat)
        });
        let mut after = None;
        loop {
            let page = self.page(layer, grant, fields, after).await?;
            let (Some(last), full) = (page.last().and_then(|c| c[0].parse().ok()), page.len() as i64 == PAGE) else {
                break;
            };
            after = Some(last);
            if send.send(page).await.is_err() || !full {
                break;
            }
        }
        drop(send);
        writing.await.map_err(Error::internal)?
    }

    async fn page(
        &self,
        layer: &Published,
        grant: &Grant<Read>,
        fields: &[&Field],
        after: Option<i64>,
    ) -> Result<Vec<Vec<String>>> {
        let wanted = Selection { after: after.map(Place::from), limit: Some(PAGE), ..Selection::default() };
        let sql = select::features(layer, grant, fields, &wanted);
        let mut rows = self.store.read(grant).await?.rows(&sql).await?;
        let (mut page, mut json) = (vec![], vec![]);
        while let Some(row) = rows.next().await {
            let row = row?;
            let mut cells = vec![row.try_get::<_, i64>(0)?.to_string()];
            for (i, field) in fields.iter().enumerate() {
                json.clear();
                values::write_json(&mut json, &row, i + 2, field.kind)?;
                cells.push(match serde_json::from_slice(&json)? {
                    Value::Null => String::new(),
                    Value::String(text) => text,
                    other => other.to_string(),
                });
            }
            page.push(cells);
        }
        Ok(page)
    }
}

/// A file that goes unless it was moved to its place.
struct Partial(std::path::PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Removes what a killed process left half done.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let unfinished = entry.path().extension().is_some_and(|e| e == "part" || e == "rows" || e == "xlsx");
        let made = entry.metadata().and_then(|m| m.modified()).ok();
        let old = made.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > LEFT_BEHIND);
        if unfinished && old {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn over_quota() -> Error {
    Error::too_large("本单位存储空间不足", "the department's quota is used up")
        .hint("请删除不再需要的上传文件和地址匹配任务", "delete uploads and address jobs that are no longer needed")
}

async fn write<S, E>(path: &Path, mut body: S, most: i64) -> Result<()>
where
    S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut file = tokio::fs::File::create(path).await?;
    let mut arrived = 0;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|e| {
            Error::invalid("data", "上传中断，文件不完整", "the upload broke off; the file is not whole").because(e)
        })?;
        arrived += piece.len() as i64;
        if arrived > most {
            return Err(Error::too_large(
                format!("文件超过可用上限 {} MiB", most >> 20),
                format!("the file is larger than the {} MiB that it may have", most >> 20),
            ));
        }
        file.write_all(&piece).await?;
    }
    Ok(file.flush().await?)
}
