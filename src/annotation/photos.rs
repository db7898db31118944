//! Photos of marks: taken in by whoever may change the mark, given out to whoever reads it.
//!
//! A photo is kept as the crate `onemap-photo` wrote it anew, in the database and under its department's quota. The mark's field
//! `photos` names its photos, so a list of features or a tile says which there are.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::layer::annotated::not_drawn_on;
use crate::layer::catalog::Published;
use crate::layer::edit::{Editing, Transaction, missing};
use crate::layer::marks::{self, PHOTOS};
use crate::layer::select::{self, Selection};

/// Bytes of a file that is taken.
pub const LARGEST: usize = 10 << 20;
/// Photos of a mark at most.
const MOST: i64 = 20;
/// Photos that are decoded at once: each may take 400 MB for a moment.
const AT_ONCE: usize = 2;

#[derive(Debug, Serialize)]
pub struct PhotoInfo {
    pub id: Uuid,
    pub width: i32,
    pub height: i32,
    pub bytes: i64,
    pub created_by: String,
    pub created: String,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Photos {
    store: Datastore,
    quota: i64,
    turns: Arc<Semaphore>,
}

impl Photos {
    pub fn new(store: Datastore, config: &Config) -> Photos {
        Photos { store, quota: config.department_quota as i64, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Adds a photo to a mark; its id.
    pub async fn add(&self, editing: &Editing<'_>, mark: i64, file: Vec<u8>) -> Result<Uuid> {
        if !editing.layer.annotation {
            return Err(not_drawn_on());
        }
        let photo = self.decoded(file).await?;
        let mut client = editing.pen.client(editing.store).await?;
        let transaction = editing.begin(&mut client).await?;
        editing.lock_feature(&transaction, mark, None).await?;
        self.check_room(&transaction, editing, mark, (photo.picture.len() + photo.thumbnail.len()) as i64).await?;
        let id = Uuid::now_v7();
        let insert = "insert into onemap.mark_photo (id, layer_id, mark, department_id, width, height, picture, thumbnail, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let (width, height) = (photo.width as i32, photo.height as i32);
        let (layer, department, by) = (&*editing.layer.id, &*editing.layer.department, editing.pen.principal().name());
        transaction
            .execute(insert, &[&id, &layer, &mark, &department, &width, &height, &photo.picture, &photo.thumbnail, &by])
            .await?;
        renamed(editing, transaction, "add_photo", mark).await?;
        Ok(id)
    }

    /// Decoding takes a core and memory: few at a time, on threads for that.
    async fn decoded(&self, file: Vec<u8>) -> Result<onemap_photo::Photo> {
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        let read = tokio::task::spawn_blocking(move || onemap_photo::read(&file)).await.map_err(Error::internal)?;
        read.map_err(|problem| match problem {
            onemap_photo::Problem::Format => {
                Error::unsupported("照片须为 JPEG、PNG 或 WebP", "a photo is a JPEG, a PNG or a WebP")
            }
            onemap_photo::Problem::Large => {
                Error::too_large("照片像素过多（上限 5000 万）", "the photo has more than 50 million pixels")
            }
            onemap_photo::Problem::Broken => {
                Error::invalid("body", "照片文件不完整或已损坏", "the photo is cut short or damaged")
            }
        })
    }

    /// Whether the mark and the department may have one more. The department's row is held, so that two at once cannot both fit.
    async fn check_room(
        &self,
        transaction: &Transaction<'_>,
        editing: &Editing<'_>,
        mark: i64,
        bytes: i64,
    ) -> Result<()> {
        let count = "select count(*) from onemap.mark_photo where layer_id = $1 and mark = $2";
        if transaction.query_one(count, &[&&*editing.layer.id, &mark]).await?.get::<_, i64>(0) >= MOST {
            return Err(Error::too_large("一个标注最多 20 张照片", "a mark has at most 20 photos"));
        }
        let room =
            "select coalesce(quota_bytes, $2) - onemap.kept_bytes(id) from onemap.department where id = $1 for update";
        let row = transaction.query_one(room, &[&&*editing.layer.department, &self.quota]).await?;
        match row.get::<_, i64>(0) >= bytes {
            true => Ok(()),
            false => Err(Error::too_large("本单位存储空间不足", "the department's quota is used up")
                .hint("请删除不再需要的上传文件或照片", "delete uploads or photos that are no longer needed")),
        }
    }

    /// Removes a photo of a mark.
    pub async fn remove(&self, editing: &Editing<'_>, mark: i64, photo: Uuid) -> Result<()> {
        let mut client = editing.pen.client(editing.store).await?;
        let transaction = editing.begin(&mut client).await?;
        editing.lock_feature(&transaction, mark, None).await?;
        let delete = "delete from onemap.mark_photo where id = $1 and layer_id = $2 and mark = $3";
        match transaction.execute(delete, &[&photo, &&*editing.layer.id, &mark]).await? {
            0 => Err(no_photo()),
            _ => renamed(editing, transaction, "remove_photo", mark).await,
        }
    }

    /// The photos of a mark, oldest first.
    pub async fn list(&self, layer: &Published, grant: &Grant<Read>, mark: i64) -> Result<Vec<PhotoInfo>> {
        self.check_seen(layer, grant, mark).await?;
        let sql = "select id, width, height, bytes, created_by,
                 to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
             from onemap.mark_photo where layer_id = $1 and mark = $2 order by id";
        let rows = self.store.beside(grant).await?.query(sql, &[&&*layer.id, &mark]).await?;
        let info = |row: &tokio_postgres::Row| PhotoInfo {
            id: row.get(0),
            width: row.get(1),
            height: row.get(2),
            bytes: row.get(3),
            created_by: row.get(4),
            created: row.get(5),
        };
        Ok(rows.iter().map(info).collect())
    }

    /// A photo's JPEG, or its thumbnail's.
    pub async fn picture(
        &self,
        layer: &Published,
        grant: &Grant<Read>,
        (mark, photo): (i64, Uuid),
        thumbnail: bool,
    ) -> Result<Vec<u8>> {
        self.check_seen(layer, grant, mark).await?;
        let sql = "select case when $4 then thumbnail else picture end from onemap.mark_photo
             where id = $1 and layer_id = $2 and mark = $3";
        let client = self.store.beside(grant).await?;
        let row = client.query_opt(sql, &[&photo, &&*layer.id, &mark, &thumbnail]).await?;
        Ok(row.ok_or_else(no_photo)?.get(0))
    }

    /// A photo is seen by whoever sees its mark, by rows and area, and the field that names it.
    async fn check_seen(&self, layer: &Published, grant: &Grant<Read>, mark: i64) -> Result<()> {
        if !layer.annotation {
            return Err(not_drawn_on());
        }
        if !grant.scope().sees_field(PHOTOS) {
            return Err(missing());
        }
        let sql = select::count(layer, grant, &Selection { id: Some(mark), ..Selection::default() });
        match self.store.read(grant).await?.one::<i64>(&sql).await? {
            0 => Err(missing()),
            _ => Ok(()),
        }
    }
}

/// Writes into the mark which photos it has now, and ends the transaction.
async fn renamed(editing: &Editing<'_>, transaction: Transaction<'_>, action: &str, mark: i64) -> Result<()> {
    let sql = "select id from onemap.mark_photo where layer_id = $1 and mark = $2 order by id";
    let rows = transaction.query(sql, &[&&*editing.layer.id, &mark]).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    let content = marks::with_photos(editing.layer.state(), editing.pen.principal(), &ids);
    editing.attach(transaction, action, mark, &content).await
}

fn no_photo() -> Error {
    Error::not_found("没有这张照片", "there is no such photo")
}
