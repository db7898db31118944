//! Layers and revisions as they come and go: create, stage, publish, roll back, discard. Each change with its audit row in
//! one transaction; a staged revision appears whole or not at all.

use bytes::Bytes;
use deadpool_postgres::Object;
use futures_util::{SinkExt, Stream, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::Transaction;

use super::model::{Field, ShareClass, Title, tiles_only};
use super::{annotated, select};
use crate::access::audit::{self, Entry};
use crate::access::datastore::Datastore;
use crate::access::grant::{Edit, Grant};
use crate::access::principal::Principal;
use crate::db::pool::Database;
use crate::db::sql::Ident;
use crate::error::{Error, Result};
use crate::geo::crs::STORAGE_SRID;

/// A layer to be made.
#[derive(Debug, Clone)]
pub struct NewLayer {
    pub id: String,
    pub theme: Option<String>,
    pub title: Title,
    pub description: Title,
    pub class: ShareClass,
    pub anonymous: bool,
    pub style: Option<String>,
    pub source: String,
    pub synthetic: bool,
}

/// What a revision's table looks like.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shape {
    pub fields: Vec<Field>,
    /// PostGIS's type with its dimension, such as `MultiPolygonZ`; none for a table without geometry.
    pub geometry: Option<String>,
    pub key_field: Option<String>,
    pub note: String,
    /// The inspection or load report that belongs to the revision.
    pub report: Option<serde_json::Value>,
}

/// A complete revision that waits for its publication.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Staged {
    pub id: i64,
    pub number: i32,
    pub rows: i64,
}

const GEOMETRY_TYPES: [&str; 8] = [
    "Geometry",
    "Point",
    "LineString",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
];

/// Makes a layer for the department. The caller has asked `Gate::publisher`.
pub async fn create_layer(database: &Database, by: &Principal, department: &str, new: &NewLayer) -> Result<()> {
    let mut client = database.app().await?;
    let transaction = client.transaction().await?;
    insert_layer(&transaction, by, department, new).await?;
    transaction.commit().await?;
    Ok(())
}

/// The layer's row and its audit row, in the caller's transaction.
pub async fn insert_layer(
    transaction: &deadpool_postgres::Transaction<'_>,
    by: &Principal,
    department: &str,
    new: &NewLayer,
) -> Result<()> {
    if let Some(theme) = &new.theme
        && transaction.query_opt("select 1 from onemap.theme where id = $1", &[theme]).await?.is_none()
    {
        return Err(Error::invalid("theme", format!("没有主题 {theme}"), format!("there is no theme {theme}"))
            .hint("可用主题见 /api/v1/topics", "the topics are listed at /api/v1/topics"));
    }
    let inserted = transaction
        .execute(
            "insert into onemap.layer (id, department_id, theme_id, title_zh, title_en, abstract_zh, abstract_en,
                 share_class, anonymous, style, source, synthetic)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (id) do nothing",
            &[
                &new.id,
                &department,
                &new.theme,
                &new.title.zh,
                &new.title.en,
                &new.description.zh,
                &new.description.en,
                &new.class.name(),
                &new.anonymous,
                &new.style,
                &new.source,
                &new.synthetic,
            ],
        )
        .await?;
    if inserted == 0 {
        // Also said when the layer is one the caller may not know of: the id is taken, by whom is not told.
        return Err(Error::conflict(
            format!("图层标识 {} 已被占用", new.id),
            format!("the layer id {} is taken", new.id),
        )
        .hint("请换一个标识", "choose another id"));
    }
    let detail = json!({"title": new.title, "share_class": new.class.name(), "anonymous": new.anonymous});
    audit::write(&**transaction, by, Entry { action: "create", object_kind: "layer", object_id: &new.id, detail })
        .await?;
    Ok(())
}

/// Says which kept style shows the layer; none gives it back the one that is made for it.
pub async fn set_default_style(database: &Database, grant: &Grant<Edit>, style: Option<&str>) -> Result<()> {
    let mut client = database.app().await?;
    let transaction = client.transaction().await?;
    let sql = "update onemap.layer set default_style = $2, updated_at = now() where id = $1";
    transaction.execute(sql, &[&grant.layer(), &style]).await?;
    let detail = json!({ "default_style": style });
    let entry = Entry { action: "describe", object_kind: "layer", object_id: grant.layer(), detail };
    audit::write(&*transaction, grant.principal(), entry).await?;
    Ok(transaction.commit().await?)
}

/// A layer's id as it stands in URLs.
pub fn layer_id(id: &str) -> Result<String> {
    // The catalogue of layers stands among the collections under this name.
    if id == "catalogue" {
        return Err(Error::invalid("layer", "catalogue 是保留的标识", "the id catalogue is reserved"));
    }
    let fits = id.len() <= 63
        && id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    match fits {
        true => Ok(id.to_owned()),
        false => Err(Error::invalid(
            "layer",
            "图层标识只能用小写字母、数字、- 和 _，以字母或数字开头，最多 63 个字符",
            "a layer's id has lower-case letters, digits, - and _, starts with a letter or digit, and has at most 63 characters",
        )),
    }
}

/// Fills a new revision from a stream in PostgreSQL's binary COPY format, in one transaction.
pub async fn stage<S>(store: &Datastore, grant: &Grant<Edit>, shape: &Shape, rows: S) -> Result<Staged>
where
    S: Stream<Item = Result<Bytes>>,
{
    let mut client = store.write(grant).await?;
    let transaction = client.transaction().await?;
    let id: i64 =
        transaction.query_one("select nextval(pg_get_serial_sequence('onemap.revision', 'id'))", &[]).await?.get(0);
    let table = format!("r{id}");
    transaction.batch_execute(&create_table(&table, shape)?).await?;
    let copied = copy_in(&transaction, &table, shape, rows).await?;
    let bbox = finish_table(&transaction, &table, shape).await?;
    // The number is taken last and under the layer's lock, so that a long load does not keep others from publishing.
    annotated::hold_for_loading(&transaction, grant.layer()).await?;
    let number: i32 = transaction
        .query_one("select coalesce(max(number), 0) + 1 from onemap.revision where layer_id = $1", &[&grant.layer()])
        .await?
        .get(0);
    transaction
        .execute(
            "insert into onemap.revision (id, layer_id, number, state, table_name, feature_count, geometry_type, srid, bbox,
                 fields, key_field, report, note, created_by)
             overriding system value values ($1, $2, $3, 'staged', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            &[
                &id,
                &grant.layer(),
                &number,
                &table,
                &copied,
                &shape.geometry,
                &STORAGE_SRID,
                &bbox,
                &serde_json::to_value(&shape.fields)?,
                &shape.key_field,
                &shape.report,
                &shape.note,
                &grant.principal().name(),
            ],
        )
        .await?;
    let detail = json!({"revision": number, "rows": copied});
    let entry = Entry { action: "stage", object_kind: "layer", object_id: grant.layer(), detail };
    audit::write(&*transaction, grant.principal(), entry).await?;
    transaction.commit().await?;
    Ok(Staged { id, number, rows: copied })
}

pub(super) fn create_table(table: &str, shape: &Shape) -> Result<String> {
    let mut sql = format!("create table data.{} (fid bigint not null", Ident(table));
    for field in &shape.fields {
        sql.push_str(&format!(", {} {}", Ident(&field.name), field.kind.sql()));
    }
    if let Some(geometry) = &shape.geometry {
        let base = geometry.trim_end_matches(['Z', 'M']);
        if !GEOMETRY_TYPES.contains(&base) {
            return Err(Error::internal(format!("unknown geometry type {geometry}")));
        }
        sql.push_str(&format!(", geom geometry({geometry}, {STORAGE_SRID})"));
    }
    sql.push(')');
    Ok(sql)
}

async fn copy_in<S>(transaction: &Transaction<'_>, table: &str, shape: &Shape, rows: S) -> Result<i64>
where
    S: Stream<Item = Result<Bytes>>,
{
    let mut columns = String::from("fid");
    for field in &shape.fields {
        columns.push_str(&format!(", {}", Ident(&field.name)));
    }
    if shape.geometry.is_some() {
        columns.push_str(", geom");
    }
    // FREEZE: the table was made in this transaction, so its rows need no later vacuum.
    let statement = format!("copy data.{} ({columns}) from stdin (format binary, freeze)", Ident(table));
    let sink = transaction.copy_in::<_, Bytes>(&statement).await?;
    tokio::pin!(sink, rows);
    while let Some(chunk) = rows.next().await {
        sink.send(chunk?).await?;
    }
    Ok(sink.finish().await? as i64)
}

/// Indexes and statistics; the box in degrees.
pub(super) async fn finish_table(
    transaction: &Transaction<'_>,
    table: &str,
    shape: &Shape,
) -> Result<Option<Vec<f64>>> {
    let name = Ident(table);
    transaction.batch_execute(&format!("alter table data.{name} add primary key (fid)")).await?;
    let mut bbox = None;
    if shape.geometry.is_some() {
        transaction.batch_execute(&format!("create index on data.{name} using gist (geom)")).await?;
        let extent = format!(
            "select st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e) from (select st_extent(geom) as e from data.{name}) x"
        );
        let row = transaction.query_one(&extent, &[]).await?;
        let corners: Vec<Option<f64>> = (0..4).map(|i| row.get(i)).collect();
        bbox = corners.into_iter().collect();
    }
    if let Some(key) = shape.key_field.as_ref().filter(|k| shape.fields.iter().any(|f| f.name == **k)) {
        transaction.batch_execute(&format!("create index on data.{name} ({})", Ident(key))).await?;
    }
    transaction.batch_execute(&format!("analyze data.{name}")).await?;
    Ok(bbox)
}

/// Makes a staged (or an earlier) revision the published one. Tiles, features and the stable view change in one instant.
pub async fn publish(store: &Datastore, grant: &Grant<Edit>, number: i32, action: &str) -> Result<()> {
    let mut client: Object = store.write(grant).await?;
    let mut transaction = client.transaction().await?;
    transaction.execute("select 1 from onemap.layer where id = $1 for update", &[&grant.layer()]).await?;
    let row = transaction
        .query_opt(
            "select id, state, table_name, fields, geometry_type, archive is not null from onemap.revision
             where layer_id = $1 and number = $2",
            &[&grant.layer(), &number],
        )
        .await?
        .ok_or_else(|| Error::not_found(format!("没有第 {number} 版"), format!("there is no revision {number}")))?;
    let (id, state): (i64, &str) = (row.get(0), row.get(1));
    if state == "published" {
        return Err(Error::conflict(
            format!("第 {number} 版已经发布"),
            format!("revision {number} is published already"),
        ));
    }
    transaction
        .execute(
            "update onemap.revision set state = 'superseded' where layer_id = $1 and state = 'published'",
            &[&grant.layer()],
        )
        .await?;
    transaction
        .execute("update onemap.revision set state = 'published', published_at = now() where id = $1", &[&id])
        .await?;
    transaction
        .execute(
            "update onemap.layer set current_revision = $2, updated_at = now() where id = $1",
            &[&grant.layer(), &id],
        )
        .await?;
    transaction
        .execute(
            "update onemap.upload set state = 'published', updated_at = now()
             where layer_id = $1 and revision = $2 and state = 'loaded'",
            &[&grant.layer(), &number],
        )
        .await?;
    let fields: Vec<Field> = serde_json::from_value(row.get(3))?;
    if row.get(5) {
        drop_view(&transaction, grant.layer()).await?;
    } else {
        let columns = view_columns(&fields, row.get::<_, Option<&str>>(4).is_some());
        replace_view(&mut transaction, grant.layer(), row.get(2), &columns).await?;
        transaction.execute("select onemap.open_to_edits($1)", &[&id]).await?;
    }
    let detail = json!({"revision": number});
    audit::write(
        &*transaction,
        grant.principal(),
        Entry { action, object_kind: "layer", object_id: grant.layer(), detail },
    )
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// Of each layer the revision that was published before the current one: what a rollback most likely goes to.
pub async fn previous(database: &Database) -> Result<Vec<i64>> {
    let rows = database
        .app()
        .await?
        .query(
            "select distinct on (r.layer_id) r.id from onemap.revision r join onemap.layer l on l.id = r.layer_id
             where r.state = 'superseded' and r.id <> l.current_revision
             order by r.layer_id, r.published_at desc nulls last",
            &[],
        )
        .await?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
}

pub(super) fn view_columns(fields: &[Field], geometry: bool) -> String {
    let mut columns = String::from("fid");
    for field in fields {
        columns.push_str(&format!(", {}", Ident(&field.name)));
    }
    if geometry {
        columns.push_str(", geom");
    }
    columns
}

/// `map."<layer>"`: the published revision for SQL users, under a name that stays. With the same columns it is replaced in
/// place, so that rights on it and views above it live on; only with others is it made anew.
pub(super) async fn replace_view(
    transaction: &mut deadpool_postgres::Transaction<'_>,
    layer: &str,
    table: &str,
    columns: &str,
) -> Result<()> {
    use tokio_postgres::error::SqlState;
    let definition = format!("view map.{} as select {columns} from data.{}", Ident(layer), Ident(table));
    let attempt = transaction.savepoint("in_place").await?;
    match attempt.batch_execute(&format!("create or replace {definition}")).await {
        Ok(()) => return Ok(attempt.commit().await?),
        Err(e) if e.code() == Some(&SqlState::INVALID_TABLE_DEFINITION) => attempt.rollback().await?,
        Err(e) => return Err(e.into()),
    }
    drop_view(transaction, layer).await?;
    Ok(transaction.batch_execute(&format!("create {definition}")).await?)
}

/// Removes the view: for a revision with other columns, or for one of tiles, which has none.
pub(super) async fn drop_view(transaction: &deadpool_postgres::Transaction<'_>, layer: &str) -> Result<()> {
    use tokio_postgres::error::SqlState;
    let sql = format!("drop view if exists map.{}", Ident(layer));
    transaction.batch_execute(&sql).await.map_err(|e| match e.code() {
        Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => Error::conflict(
            "数据库中有其他视图依赖该图层的视图，而新版本的字段不同",
            "other views in the database stand on this layer's view, and the new revision has other fields",
        )
        .hint(format!("请先删除依赖 map.\"{layer}\" 的视图"), format!("drop the views above map.\"{layer}\" first"))
        .because(e),
        _ => e.into(),
    })
}

/// Removes a revision that was never published, with its table. For an archive, whose file is the caller's to remove, its id.
pub async fn discard(store: &Datastore, grant: &Grant<Edit>, number: i32) -> Result<Option<i64>> {
    let mut client = store.write(grant).await?;
    let transaction = client.transaction().await?;
    let row = transaction
        .query_opt(
            "delete from onemap.revision where layer_id = $1 and number = $2 and state = 'staged'
             returning table_name, id, archive is not null",
            &[&grant.layer(), &number],
        )
        .await?
        .ok_or_else(|| {
            Error::conflict("只能丢弃尚未发布的版本", "only a revision that was never published can be discarded")
        })?;
    let archive = row.get::<_, bool>(2).then(|| row.get(1));
    if archive.is_none() {
        transaction.batch_execute(&format!("drop table data.{}", Ident(row.get(0)))).await?;
    }
    let detail = json!({"revision": number});
    let entry = Entry { action: "discard", object_kind: "layer", object_id: grant.layer(), detail };
    audit::write(&*transaction, grant.principal(), entry).await?;
    transaction.commit().await?;
    Ok(archive)
}

/// The first features of a revision, for its owner.
pub async fn preview(
    store: &Datastore,
    grant: &Grant<Edit>,
    number: i32,
    limit: i64,
) -> Result<(Vec<Field>, crate::access::datastore::Rows)> {
    let client = store.write(grant).await?;
    let row = client
        .query_opt(
            "select table_name, fields, geometry_type is not null, archive is not null from onemap.revision
             where layer_id = $1 and number = $2",
            &[&grant.layer(), &number],
        )
        .await?
        .ok_or_else(|| Error::not_found(format!("没有第 {number} 版"), format!("there is no revision {number}")))?;
    if row.get(3) {
        return Err(tiles_only());
    }
    let fields: Vec<Field> = serde_json::from_value(row.get(1))?;
    let sql = select::sample(row.get(0), &fields, row.get(2), limit);
    let rows = store.look(grant).await?.rows(&sql).await?;
    Ok((fields, rows))
}

/// A revision as its owner sees it.
#[derive(Debug, Serialize)]
pub struct RevisionInfo {
    pub number: i32,
    pub state: String,
    pub feature_count: i64,
    /// Of an archive, which has no features.
    pub tiles: Option<i64>,
    pub created: String,
    pub created_by: String,
    pub published: Option<String>,
    pub note: String,
}

pub async fn revisions(store: &Datastore, grant: &Grant<Edit>) -> Result<Vec<RevisionInfo>> {
    let client = store.write(grant).await?;
    let time = "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'";
    let sql = format!(
        "select number, state, feature_count, to_char(created_at at time zone 'UTC', {time}), created_by,
                to_char(published_at at time zone 'UTC', {time}), note,
                (archive->>'tiles')::bigint
         from onemap.revision where layer_id = $1 and state <> 'staging' order by number desc"
    );
    let rows = client.query(&sql, &[&grant.layer()]).await?;
    Ok(rows
        .iter()
        .map(|r| RevisionInfo {
            number: r.get(0),
            state: r.get(1),
            feature_count: r.get(2),
            created: r.get(3),
            created_by: r.get(4),
            published: r.get(5),
            note: r.get(6),
            tiles: r.get(7),
        })
        .collect())
}
