//! Grants as they are given, listed and ended. What they open is decided by `policy`; here they are rows with their audit rows.
//!
//! Everything takes the client of a transaction that is under way: whoever decides on a request gives the grant in the same one. The
//! table's trigger tells every node (`onemap_catalog`) at the commit.

pub mod area;

use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::audit::{self, Entry};
use super::principal::{Principal, Role};
use super::rights::Rights;
use crate::error::{Error, Result};

/// The longest purpose, reason, basis or number.
const LONGEST_TEXT: usize = 1000;
/// Divisions of one grant at most.
const MOST_DIVISIONS: usize = 1000;

/// A grant that is to be given.
#[derive(Debug, Clone, Default)]
pub struct NewGrant {
    pub layer: String,
    /// The grantee.
    pub department: String,
    pub rights: Rights,
    /// None: all fields.
    pub fields: Option<Vec<String>>,
    /// CQL2 text over the layer's fields; `layer::scope::check` says whether it fits them.
    pub filter: Option<String>,
    /// A GeoJSON Polygon or MultiPolygon in degrees.
    pub area: Option<String>,
    /// The codes of the divisions that the area was made of, if it was.
    pub divisions: Vec<String>,
    pub purpose: String,
    pub legal_basis: String,
    pub case_number: String,
    /// None: at once.
    pub valid_from: Option<SystemTime>,
    /// None: until it is revoked.
    pub valid_until: Option<SystemTime>,
    /// The request that it answers. Who may decide on that is the approval's business, not checked here.
    pub request_id: Option<Uuid>,
}

/// Gives a grant; its id. `by` decides for the owner's department, unless the grant answers a request.
pub async fn create(client: &impl GenericClient, by: &Principal, grant: &NewGrant) -> Result<i64> {
    check(grant)?;
    let row = client
        .query_opt(
            "select l.department_id, l.share_class, exists (select from onemap.department where id = $2)
             from onemap.layer l where l.id = $1",
            &[&grant.layer, &grant.department],
        )
        .await?
        .ok_or_else(unknown_layer)?;
    let (owner, class): (&str, &str) = (row.get(0), row.get(1));
    if grant.request_id.is_none() && !decides_for(by, owner) {
        // To others a layer that is not shared does not exist.
        return Err(if class == "not_shared" && by.department.as_deref() != Some(owner) {
            unknown_layer()
        } else {
            not_yours()
        });
    }
    if !row.get::<_, bool>(2) {
        return Err(Error::invalid("department", "没有这个单位", "there is no such department")
            .hint("单位清单见 /api/v1/departments", "they are listed at /api/v1/departments"));
    }
    if grant.department == owner {
        return Err(Error::invalid("department", "提供单位无需授权", "the owner needs no grant on its own layer"));
    }
    if class == "not_shared" {
        return Err(Error::conflict(
            "该图层不予共享，不能授权",
            "this layer is not shared: nothing can be granted on it",
        )
        .hint("请先将共享类型改为有条件共享", "make it conditional first"));
    }
    let id = insert(client, by, grant).await?;
    let detail = json!({"layer": grant.layer, "department": grant.department, "rights": grant.rights, "fields": grant.fields,
        "filter": grant.filter, "area": grant.area.is_some(), "divisions": grant.divisions, "purpose": grant.purpose,
        "legal_basis": grant.legal_basis, "case_number": grant.case_number, "request": grant.request_id});
    write_audit(client, by, "grant", id, detail).await?;
    Ok(id)
}

async fn insert(client: &impl GenericClient, by: &Principal, grant: &NewGrant) -> Result<i64> {
    let area = grant.area.as_deref().map(area::checked).transpose()?;
    let divisions = (!grant.divisions.is_empty()).then_some(&grant.divisions);
    let row = client
        .query_one(
            "with given as (select case when $6::text is not null then
                 st_multi(st_collectionextract(st_makevalid(st_setsrid(st_force2d(st_geomfromgeojson($6)), 4490)), 3)) end as area)
             insert into onemap.access_grant (layer_id, department_id, rights, fields, filter, area, divisions, purpose,
                 legal_basis, case_number, valid_from, valid_until, request_id, granted_by)
             select $1, $2, $3, $4, $5, area, $7, $8, $9, $10, $11, $12, $13, $14 from given
             returning id, coalesce(st_isempty(area), false)",
            &[
                &grant.layer,
                &grant.department,
                &grant.rights.names(),
                &grant.fields,
                &grant.filter,
                &area,
                &divisions,
                &grant.purpose.trim(),
                &grant.legal_basis.trim(),
                &grant.case_number.trim(),
                &grant.valid_from,
                &grant.valid_until,
                &grant.request_id,
                &by.name(),
            ],
        )
        .await?;
    match row.get(1) {
        // The transaction is the caller's: an error ends it.
        true => Err(Error::invalid("area", "范围的面积为零", "the area has no surface")),
        false => Ok(row.get(0)),
    }
}

/// An area as grants keep it (EWKB in EPSG:4490) with its size in km², without giving anything.
pub async fn measure(client: &impl GenericClient, area: &str) -> Result<(Vec<u8>, f64)> {
    let row = client
        .query_one(
            "with given as (select st_multi(st_collectionextract(st_makevalid(st_setsrid(st_force2d(
                 st_geomfromgeojson($1)), 4490)), 3)) as area)
             select st_asewkb(area), st_area(area::geography) / 1e6 from given",
            &[&area::checked(area)?],
        )
        .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Ends a grant: its owner's department and the platform's administrator revoke it, its holder's surrenders it. Elsewhere it is
/// unknown.
pub async fn revoke(client: &impl GenericClient, by: &Principal, id: i64, reason: &str) -> Result<()> {
    let reason = reason.trim();
    text("reason", reason, true)?;
    let row = client
        .query_opt(
            "select l.department_id, g.department_id, g.revoked_at is not null from onemap.access_grant g
             join onemap.layer l on l.id = g.layer_id where g.id = $1 for update of g",
            &[&id],
        )
        .await?
        .ok_or_else(unknown)?;
    let (owner, holder): (&str, &str) = (row.get(0), row.get(1));
    let own = by.department.as_deref();
    let revokes = decides_for(by, owner) || by.role() == Some(Role::PlatformAdministrator);
    let surrenders = decides_for(by, holder) && !revokes;
    if !revokes && !surrenders {
        return Err(if own == Some(owner) || own == Some(holder) { not_yours() } else { unknown() });
    }
    if row.get(2) {
        return Err(Error::conflict("该授权已经收回或交还", "this grant was revoked or surrendered already"));
    }
    client
        .execute(
            "update onemap.access_grant set revoked_at = now(), revoked_by = $2, revoke_reason = $3, surrendered = $4 where id = $1",
            &[&id, &by.name(), &reason, &surrenders],
        )
        .await?;
    write_audit(client, by, if surrenders { "surrender" } else { "revoke" }, id, json!({"reason": reason})).await
}

async fn write_audit(client: &impl GenericClient, by: &Principal, action: &str, id: i64, detail: Value) -> Result<()> {
    let entry = Entry { action, object_kind: "grant", object_id: &id.to_string(), detail };
    audit::write(client, by, entry).await
}

/// Whether somebody gives and takes grants for a department.
pub fn decides_for(by: &Principal, department: &str) -> bool {
    by.department.as_deref() == Some(department) && by.decides()
}

fn check(grant: &NewGrant) -> Result<()> {
    if grant.rights.is_empty() {
        return Err(Error::invalid("rights", "至少授予一项权利", "at least one right is granted")
            .hint("可选：view、query、print、export、write", "choose from view, query, print, export and write"));
    }
    text("purpose", grant.purpose.trim(), true)?;
    text("legal_basis", grant.legal_basis.trim(), false)?;
    text("case_number", grant.case_number.trim(), false)?;
    if let Some(filter) = &grant.filter {
        onemap_cql2::Syntax::read(filter).map_err(|p| Error::invalid("filter", p.zh, p.en))?;
    }
    let digits = |code: &String| (2..=12).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    if grant.divisions.len() > MOST_DIVISIONS || !grant.divisions.iter().all(digits) {
        return Err(Error::invalid("divisions", "行政区划代码为 2 到 12 位数字", "division codes have 2 to 12 digits"));
    }
    // Divisions without their area would open everything.
    if !grant.divisions.is_empty() && grant.area.is_none() {
        return Err(Error::invalid("area", "缺少行政区划对应的范围", "the area of the divisions is missing"));
    }
    let ended = grant.valid_until.is_some_and(|until| until <= grant.valid_from.unwrap_or(SystemTime::now()));
    match ended {
        true => Err(Error::invalid("valid_until", "截止时间早于起始时间", "the term ends before it begins")),
        false => Ok(()),
    }
}

fn text(parameter: &str, text: &str, needed: bool) -> Result<()> {
    if needed && text.is_empty() {
        return Err(Error::invalid(parameter, "不能为空", "it must not be empty"));
    }
    match text.chars().count() > LONGEST_TEXT {
        true => Err(Error::invalid(parameter, "最多 1000 个字", "it has at most 1000 characters")),
        false => Ok(()),
    }
}

/// A grant as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    pub id: i64,
    pub layer: String,
    pub owner: String,
    pub department: String,
    /// pending, active, expired, revoked or surrendered.
    pub state: String,
    pub rights: Rights,
    pub fields: Option<Vec<String>>,
    /// The older form of a filter: each field named holds one of the values.
    pub rows: Option<Value>,
    pub filter: Option<String>,
    pub divisions: Option<Vec<String>>,
    pub area_km2: Option<f64>,
    /// GeoJSON; only where one grant is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Value>,
    pub purpose: String,
    pub legal_basis: String,
    pub case_number: String,
    pub valid_from: Option<String>,
    pub valid_until: Option<String>,
    pub request: Option<Uuid>,
    pub granted_by: String,
    pub created: String,
    pub revoked: Option<String>,
    pub revoked_by: Option<String>,
    pub revoke_reason: Option<String>,
}

/// Which grants are listed: at most 1000, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Grants on this layer only.
    pub layer: Option<&'a str>,
    pub id: Option<i64>,
    /// With their areas as GeoJSON.
    pub area: bool,
}

/// What a department has given to others.
pub async fn given(client: &impl GenericClient, department: &str, wanted: Wanted<'_>) -> Result<Vec<Record>> {
    list(client, Some(department), None, wanted).await
}

/// What a department holds.
pub async fn held(client: &impl GenericClient, department: &str, wanted: Wanted<'_>) -> Result<Vec<Record>> {
    list(client, None, Some(department), wanted).await
}

/// Those given or held by a department; of every department where none is named.
pub async fn any(client: &impl GenericClient, department: Option<&str>, wanted: Wanted<'_>) -> Result<Vec<Record>> {
    let mut found = list(client, department, None, wanted).await?;
    if department.is_some() {
        found.extend(list(client, None, department, wanted).await?);
    }
    Ok(found)
}

async fn list(
    client: &impl GenericClient,
    owner: Option<&str>,
    holder: Option<&str>,
    wanted: Wanted<'_>,
) -> Result<Vec<Record>> {
    let rows = client
        .query(
            "with t as (select 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'::text as iso)
             select g.id, g.layer_id, l.department_id, g.department_id,
                 case when g.surrendered then 'surrendered' when g.revoked_at is not null then 'revoked'
                     when g.valid_until <= now() then 'expired' when g.valid_from > now() then 'pending' else 'active' end,
                 g.rights, g.fields, g.row_filter, g.filter, g.divisions,
                 round((st_area(g.area::geography) / 1e6)::numeric, 6)::float8,
                 case when $5 then st_asgeojson(g.area, 7)::json end, g.purpose, g.legal_basis, g.case_number,
                 to_char(g.valid_from at time zone 'UTC', iso), to_char(g.valid_until at time zone 'UTC', iso), g.request_id,
                 g.granted_by, to_char(g.created_at at time zone 'UTC', iso), to_char(g.revoked_at at time zone 'UTC', iso),
                 g.revoked_by, g.revoke_reason
             from onemap.access_grant g join onemap.layer l on l.id = g.layer_id cross join t
             where ($1::text is null or l.department_id = $1) and ($2::text is null or g.department_id = $2)
                 and ($3::text is null or g.layer_id = $3) and ($4::int8 is null or g.id = $4)
             order by g.id desc limit 1000",
            &[&owner, &holder, &wanted.layer, &wanted.id, &wanted.area],
        )
        .await?;
    rows.iter().map(record).collect()
}

fn record(row: &Row) -> Result<Record> {
    Ok(Record {
        id: row.try_get(0)?,
        layer: row.try_get(1)?,
        owner: row.try_get(2)?,
        department: row.try_get(3)?,
        state: row.try_get(4)?,
        rights: Rights::of_names(&row.try_get::<_, Vec<String>>(5)?),
        fields: row.try_get(6)?,
        rows: row.try_get(7)?,
        filter: row.try_get(8)?,
        divisions: row.try_get(9)?,
        area_km2: row.try_get(10)?,
        area: row.try_get(11)?,
        purpose: row.try_get(12)?,
        legal_basis: row.try_get(13)?,
        case_number: row.try_get(14)?,
        valid_from: row.try_get(15)?,
        valid_until: row.try_get(16)?,
        request: row.try_get(17)?,
        granted_by: row.try_get(18)?,
        created: row.try_get(19)?,
        revoked: row.try_get(20)?,
        revoked_by: row.try_get(21)?,
        revoke_reason: row.try_get(22)?,
    })
}

pub fn unknown() -> Error {
    Error::not_found("没有这个授权", "there is no such grant")
        .hint("本单位的授权见 /api/v1/grants", "your department's grants are listed at /api/v1/grants")
}

fn unknown_layer() -> Error {
    Error::invalid("layer", "没有这个图层", "there is no such layer")
        .hint("图层清单见 /api/v1/layers", "the layers you may see are listed at /api/v1/layers")
}

fn not_yours() -> Error {
    Error::forbidden(
        "只有提供单位的审批人员或管理员可以授权和收回",
        "only approvers and administrators of the owner's department give and revoke grants",
    )
}
