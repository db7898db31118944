//! A layer's owner at work: revisions, publication, rollback, description, registered tables.

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use onemap_statistics::suppress::THRESHOLDS;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, created, number, ok};
use crate::access::audit::{self, Entry};
use crate::access::grant::{Edit, Grant};
use crate::error::{Error, Result};
use crate::feature::geojson::{Page, Writer, begun};
use crate::geo::crs::CRS84;
use crate::http::ask::{Answer, Ask};
use crate::layer::model::{FieldType, Layer, ShareClass, Suppression, Title};
use crate::layer::registered::{self, RegisteredTable};
use crate::layer::registry::{self, NewLayer, layer_id};

/// Features of a preview at most.
const PREVIEW: usize = 500;

pub async fn revisions(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = ask.edit(&id)?;
    Ok(ok(&json!({"revisions": registry::revisions(&ask.app.store, &grant).await?})))
}

pub async fn publish(ask: Ask, Path((id, revision)): Path<(String, String)>) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = ask.edit(&id)?;
    let revision = number(&revision, "number")?;
    registry::publish(&ask.app.store, &grant, revision, "publish").await?;
    ask.app.refresh().await?;
    Ok(ok(&json!({"layer": id, "revision": revision})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rollback {
    revision: i32,
}

pub async fn rollback(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = ask.edit(&id)?;
    let wanted: Rollback = body(&bytes)?;
    registry::publish(&ask.app.store, &grant, wanted.revision, "rollback").await?;
    ask.app.refresh().await?;
    Ok(ok(&json!({"layer": id, "revision": wanted.revision})))
}

pub async fn discard(ask: Ask, Path((id, revision)): Path<(String, String)>) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = ask.edit(&id)?;
    let archive = registry::discard(&ask.app.store, &grant, number(&revision, "number")?).await?;
    if let Some(id) = archive {
        ask.app.archives.remove(id);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn preview(ask: Ask, Path((id, revision)): Path<(String, String)>) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = ask.edit(&id)?;
    let (fields, rows) =
        registry::preview(&ask.app.store, &grant, number(&revision, "number")?, PREVIEW as i64).await?;
    let writer = Writer { fields: fields.into(), crs: CRS84 };
    let members = |page: Page| json!({"numberReturned": page.returned});
    let stream = begun(writer.collection(Box::pin(rows), PREVIEW, 0, members)).await?;
    let mut response = Response::new(Body::from_stream(stream));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/geo+json"));
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    title: Option<Title>,
    #[serde(rename = "abstract")]
    description: Option<Title>,
    share_class: Option<ShareClass>,
    anonymous: Option<bool>,
    /// A numeric field; an empty name is none.
    tile_rank: Option<String>,
    /// Bytes; 0 is the default.
    tile_limit: Option<i32>,
    /// Null tells all counts again.
    #[serde(default, deserialize_with = "given")]
    suppression: Option<Option<Suppression>>,
}

/// A member that is there, be it null.
fn given<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(d: D) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

impl Description {
    fn check_tiles(&self, ask: &Ask, grant: &Grant<Edit>) -> Result<()> {
        if self.tile_limit.is_some_and(|l| l != 0 && !(10_000..=20_000_000).contains(&l)) {
            return Err(Error::invalid(
                "tile_limit",
                "单张瓦片上限为 10000 至 20000000 字节，0 为默认值",
                "a tile's limit is 10000 to 20000000 bytes; 0 is the default",
            ));
        }
        let Some(name) = self.tile_rank.as_deref().filter(|n| !n.is_empty()) else { return Ok(()) };
        let layer = ask.app.catalog.of(grant)?;
        let field = layer.state.as_ref().and_then(|s| s.field(name));
        match field.is_some_and(|f| matches!(f.kind, FieldType::Integer | FieldType::Float)) {
            true => Ok(()),
            false => Err(Error::invalid(
                "tile_rank",
                "排序字段必须是该图层的数值字段",
                "the rank is a field of numbers of this layer",
            )),
        }
    }

    /// The zones, codes and field of a protected layer's one table must be there.
    fn check_suppression(&self, ask: &Ask, grant: &Grant<Edit>) -> Result<()> {
        let Some(Some(rule)) = &self.suppression else { return Ok(()) };
        let wrong = |part: &str, zh: &str, en: &str| Err(Error::invalid(&format!("suppression.{part}"), zh, en));
        if !THRESHOLDS.contains(&rule.k) {
            return wrong("k", "应为 2 到 1000", "it is 2 to 1000");
        }
        if rule.code.is_some() != rule.zone_code.is_some() {
            let en = "code and zone_code belong together: both, or none to assign rows by location";
            return wrong("code", "code 和 zone_code 应同时给出，或都不给（按位置）", en);
        }
        let layer = ask.app.catalog.of(grant)?;
        let has = |layer: &Layer, name: &Option<String>| {
            name.as_ref().is_none_or(|name| layer.state.as_ref().is_some_and(|s| s.field(name).is_some()))
        };
        if !has(&layer, &rule.code) {
            return wrong("code", "本图层没有这个字段", "this layer has no such field");
        }
        if !has(&layer, &rule.field) {
            return wrong("field", "本图层没有这个字段", "this layer has no such field");
        }
        let number = |name: &String| {
            let field = layer.state.as_ref().and_then(|s| s.field(name));
            field.is_some_and(|f| matches!(f.kind, FieldType::Integer | FieldType::Float))
        };
        if !rule.count.as_ref().is_none_or(number) {
            return wrong("count", "应为本图层的数值字段", "it is a field of numbers of this layer");
        }
        let zones = ask.read(&rule.zones)?;
        if zones.layer.state().source.geometry.is_none() {
            return wrong("zones", "分区必须是面图层", "zones are a layer of polygons");
        }
        match has(&zones.layer, &rule.zone_code) {
            true => Ok(()),
            false => wrong("zone_code", "分区图层没有这个字段", "the zones have no such field"),
        }
    }
}

/// Changes what is said of a layer and how it is shared.
pub async fn describe(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = ask.edit(&id)?;
    let d: Description = body(&bytes)?;
    d.check_tiles(&ask, &grant)?;
    d.check_suppression(&ask, &grant)?;
    let suppression = d.suppression.as_ref().map(serde_json::to_value).transpose().map_err(Error::from)?;
    let class = d.share_class.map(ShareClass::name);
    let mut client = ask.app.database.app().await?;
    let transaction = client.transaction().await?;
    let text = |t: &Option<Title>, zh: bool| t.as_ref().map(|t| if zh { t.zh.clone() } else { t.en.clone() });
    transaction
        .execute(
            "update onemap.layer set title_zh = coalesce($2, title_zh), title_en = coalesce($3, title_en),
                 abstract_zh = coalesce($4, abstract_zh), abstract_en = coalesce($5, abstract_en),
                 share_class = coalesce($6, share_class),
                 anonymous = coalesce($7, anonymous) and coalesce($6, share_class) = 'unconditional',
                 tile_rank = nullif(coalesce($8, tile_rank), ''), tile_limit = nullif(coalesce($9, tile_limit), 0),
                 suppression = case when $10 then nullif($11::jsonb, 'null') else suppression end,
                 updated_at = now() where id = $1",
            &[
                &id,
                &text(&d.title, true),
                &text(&d.title, false),
                &text(&d.description, true),
                &text(&d.description, false),
                &class,
                &d.anonymous,
                &d.tile_rank,
                &d.tile_limit,
                &suppression.is_some(),
                &suppression,
            ],
        )
        .await?;
    let detail = json!({"title": d.title, "abstract": d.description, "share_class": class, "anonymous": d.anonymous,
        "tile_rank": d.tile_rank, "tile_limit": d.tile_limit, "suppression": suppression});
    let entry = Entry { action: "describe", object_kind: "layer", object_id: &id, detail };
    audit::write(&*transaction, grant.principal(), entry).await?;
    transaction.commit().await?;
    ask.app.refresh().await?;
    super::catalogue::layer(ask, Path(id)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    id: String,
    /// The owner.
    department: String,
    title: Title,
    #[serde(rename = "abstract", default)]
    description: Title,
    theme: Option<String>,
    share_class: ShareClass,
    schema: String,
    table: String,
    key: String,
    geometry: Option<String>,
}

/// Shares a table or view of the same PostGIS as it stands.
pub async fn register(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let r: Registration = body(&bytes)?;
    // Whose data a table holds, the database does not say: the platform's administrator does.
    if !ask.app.catalog.snapshot().departments.iter().any(|d| *d.id == *r.department) {
        return Err(Error::invalid("department", "没有这个单位", "there is no such department")
            .hint("单位清单见 /api/v1/departments", "they are listed at /api/v1/departments")
            .into());
    }
    if matches!(r.schema.as_str(), "onemap" | "data" | "map" | "pg_catalog" | "information_schema") {
        return Err(Error::forbidden(
            "平台自身的表不能登记为图层",
            "the platform's own tables cannot be shared as layers",
        )
        .into());
    }
    let new = NewLayer {
        id: layer_id(&r.id)?,
        theme: r.theme,
        title: r.title,
        description: r.description,
        class: r.share_class,
        anonymous: false,
        style: None,
        source: format!("{}.{}", r.schema, r.table),
        synthetic: false,
    };
    let table = RegisteredTable { schema: r.schema, table: r.table, key: r.key, geometry: r.geometry };
    registered::register(&ask.app.database, &ask.principal, &r.department, &new, &table).await?;
    ask.app.refresh().await?;
    let document: Value = json!({"layer": new.id});
    Ok(created(&document))
}
