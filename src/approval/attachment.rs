//! The paper that belongs to a request: one file, as it was sent, for its parties alone.

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use onemap_approval::{Action, Move, next};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::decide::refused;
use super::history::{Happening, happened};
use super::record::{Caller, load};
use super::{Approvals, Condition};
use crate::access::principal::Principal;
use crate::error::{Error, Result};

/// The largest file.
pub const MOST_BYTES: u64 = 20 << 20;

/// A file that is given out.
pub struct Attached {
    pub path: PathBuf,
    pub filename: String,
    pub media: String,
    pub size: i64,
}

/// A file under way; it goes unless it was moved to its place.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What a file is by its first bytes: neither its name nor what its sender says is believed.
fn media_of(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        _ => None,
    }
}

/// The extension that belongs to what the file is.
pub fn extension(media: &str) -> &'static str {
    match media {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        _ => "pdf",
    }
}

impl Approvals {
    /// Takes a file for a draft in the place of the one before.
    pub async fn attach<S, E>(
        &self,
        by: &Principal,
        id: Uuid,
        condition: Condition,
        filename: &str,
        bytes: S,
    ) -> Result<()>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    {
        let caller = Caller::of(by)?;
        let filename = filename.trim();
        if filename.is_empty() || filename.chars().count() > 200 || filename.chars().any(char::is_control) {
            return Err(Error::invalid("filename", "文件名为 1 到 200 个字", "a file's name has 1 to 200 characters"));
        }
        // Before any byte is kept: a stranger must not fill the disk.
        let client = self.database.app().await?;
        let request = load(&**client, caller, id, false).await?;
        condition.check(request.version)?;
        let wanted = Move { action: Action::Edit, steps_left: false };
        next(request.at, wanted, &request.parties(caller)).map_err(|r| refused(r, &request))?;
        drop(client);
        tokio::fs::create_dir_all(&self.folder).await?;
        let partial = Partial(self.folder.join(format!("{}.part", Uuid::now_v7())));
        let (size, sha256, media) = receive(&partial.0, bytes).await?;
        let path = self.path(id, &sha256);
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let request = load(&*transaction, caller, id, true).await?;
        condition.check(request.version)?;
        let to = next(request.at, wanted, &request.parties(caller)).map_err(|r| refused(r, &request))?;
        let sql = "select sha256 from onemap.request_attachment where request_id = $1";
        let before: Option<String> = transaction.query_opt(sql, &[&id]).await?.map(|r| r.get(0));
        transaction
            .execute(
                "insert into onemap.request_attachment (request_id, filename, media, size, sha256, added_by)
                 values ($1, $2, $3, $4, $5, $6) on conflict (request_id) do update set filename = excluded.filename,
                     media = excluded.media, size = excluded.size, sha256 = excluded.sha256, added_by = excluded.added_by, added_at = now()",
                &[&id, &filename, &media, &(size as i64), &sha256, &by.name()],
            )
            .await?;
        let version = request.version + 1;
        let sql = "update onemap.request set version = $2, updated_at = now() where id = $1";
        transaction.execute(sql, &[&id, &version]).await?;
        let detail = json!({"filename": filename, "media": media, "size": size, "sha256": sha256});
        let event = Happening { action: "attach", from: Some(request.state), to: to.name(), version, note: "", detail };
        happened(&*transaction, Some(by), id, event).await?;
        // The file first: a row without its file would be a promise that is not kept.
        tokio::fs::rename(&partial.0, &path).await?;
        transaction.commit().await?;
        if let Some(before) = before.filter(|b| *b != sha256) {
            self.remove_file(id, &before).await;
        }
        Ok(())
    }

    /// The file of a request that the caller knows of.
    pub async fn attached(&self, by: &Principal, id: Uuid) -> Result<Attached> {
        let client = self.database.app().await?;
        load(&**client, Caller::of(by)?, id, false).await?;
        let sql = "select filename, media, size, sha256 from onemap.request_attachment where request_id = $1";
        let row = client.query_opt(sql, &[&id]).await?.ok_or_else(none)?;
        let path = self.path(id, row.get(3));
        match tokio::fs::try_exists(&path).await {
            Ok(true) => Ok(Attached { path, filename: row.get(0), media: row.get(1), size: row.get(2) }),
            // On several nodes the folder must be one that all of them have.
            _ => Err(none()),
        }
    }

    /// Takes a file away that no row names any more. One that stays is found by nobody.
    pub(super) async fn remove_file(&self, id: Uuid, sha256: &str) {
        let _ = tokio::fs::remove_file(self.path(id, sha256)).await;
    }

    fn path(&self, id: Uuid, sha256: &str) -> PathBuf {
        self.folder.join(format!("{id}-{sha256}"))
    }
}

fn none() -> Error {
    Error::not_found("该申请没有附件", "the request has no attachment")
}

async fn receive<S, E>(path: &std::path::Path, mut bytes: S) -> Result<(u64, String, &'static str)>
where
    S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
{
    let mut file = tokio::fs::File::create(path).await?;
    let (mut size, mut hash, mut head) = (0u64, Sha256::new(), Vec::new());
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk.map_err(|_| Error::invalid("body", "上传中断", "the upload broke off"))?;
        size += chunk.len() as u64;
        if size > MOST_BYTES {
            return Err(Error::too_large("附件最大 20 MiB", "an attachment has 20 MiB at most"));
        }
        if head.len() < 8 {
            head.extend(chunk.iter().take(8 - head.len()));
            if head.len() == 8 && media_of(&head).is_none() {
                return Err(wrong_media());
            }
        }
        hash.update(&chunk);
        file.write_all(&chunk).await?;
    }
    let media = media_of(&head).ok_or_else(wrong_media)?;
    file.sync_all().await?;
    Ok((size, hex::encode(hash.finalize()), media))
}

fn wrong_media() -> Error {
    Error::unsupported("附件只接受 PDF、JPEG 和 PNG 文件", "an attachment is a PDF, JPEG or PNG file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        assert_eq!(media_of(b"%PDF-1.7"), Some("application/pdf"));
        assert_eq!(media_of(&[0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0]), Some("image/jpeg"));
        assert_eq!(media_of(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        for not in [&b"<svg xmln"[..], b"<html>..", b"PK\x03\x04....", b"%PD", b""] {
            assert_eq!(media_of(not), None);
        }
    }
}
