//! Records as departments write them. What a layer says of itself is changed at the layer.

use jiff::civil::Date;
use serde_json::{Value, json};
use tokio_postgres::GenericClient;

use super::code::ResourceCode;
use super::model::{FROM, Record, Written, columns, record};
use super::{Catalogue, VISIBLE, unknown};
use crate::access::audit::{self, Entry};
use crate::access::principal::Principal;
use crate::error::{Error, Result};

/// What a record of a layer takes from its layer.
const OF_LAYER: [&str; 7] = ["name", "name_en", "kind", "abstract", "theme", "share_class", "data_updated"];

/// Which state of a record its changer has read; none is any.
pub type Read = Option<i32>;

impl Catalogue {
    /// Writes a record of what is no layer; its code.
    pub async fn create(&self, by: &Principal, department: &str, written: &Written) -> Result<String> {
        written.check()?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        check_names(&*transaction, by, written).await?;
        let code = insert(&*transaction, department, written).await?;
        trail(&*transaction, by, "create", &code, json!({"name": written.name})).await?;
        transaction.commit().await?;
        Ok(code)
    }

    /// Changes one of the department's records by a merge patch.
    pub async fn patch(&self, by: &Principal, department: &str, code: &str, read: Read, patch: &Value) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let before = own(&*transaction, by, department, code).await?;
        if read.is_some_and(|version| version != before.version) {
            return Err(Error::outdated(
                "该记录已被他人修改",
                "the record was changed by somebody else in the meantime",
            )
            .hint("请重新读取后再改", "read it again before you change it"));
        }
        let members: Vec<&String> = patch.as_object().into_iter().flat_map(|o| o.keys()).collect();
        if before.layer.is_some()
            && let Some(member) = members.iter().find(|m| OF_LAYER.contains(&m.as_str()))
        {
            return Err(Error::invalid(
                member,
                "此项取自图层，请修改图层",
                "this is taken from the layer: change it there",
            )
            .hint("PATCH /api/v1/layers/{layer}", "PATCH /api/v1/layers/{layer}"));
        }
        let mut document = serde_json::to_value(Written::of(&before)?)?;
        if let (Some(document), Some(changes)) = (document.as_object_mut(), patch.as_object()) {
            for (name, value) in changes {
                match value {
                    Value::Null => document.remove(name),
                    value => document.insert(name.clone(), value.clone()),
                };
            }
        }
        let mut written: Written = serde_json::from_value(document)
            .map_err(|e| Error::invalid("body", format!("请求内容有误：{e}"), format!("the body is wrong: {e}")))?;
        if before.layer.is_some() {
            // Not among the kinds that one may choose.
            written.kind = "service".into();
        }
        written.check()?;
        check_names(&*transaction, by, &written).await?;
        match before.layer.is_some() {
            true => update_added(&*transaction, &before.code, &written).await?,
            false => update(&*transaction, &before.code, &written).await?,
        }
        trail(&*transaction, by, "describe", &before.code, json!({ "members": members })).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes the fields of the layer's published revision as the record's items; what was added to those that stay is kept.
    pub async fn accept_fields(&self, by: &Principal, department: &str, code: &str) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let before = own(&*transaction, by, department, code).await?;
        let changed = transaction
            .execute(
                "update onemap.catalogue_record r set version = r.version + 1, updated_at = now(),
                     items = coalesce((select jsonb_agg(coalesce((select i from jsonb_array_elements(r.items) i
                             where i->>'name' = f->>'name' limit 1), '{}'::jsonb)
                         || jsonb_build_object('name', f->>'name', 'title', f->>'title_zh', 'type', f->>'type'))
                         from jsonb_array_elements(v.fields) f), '[]')
                 from onemap.layer l join onemap.revision v on v.id = l.current_revision
                 where r.code = $1 and l.id = r.layer_id",
                &[&before.code],
            )
            .await?;
        if changed == 0 {
            return Err(Error::conflict(
                "该资源没有已发布的图层版本",
                "the resource has no published revision of a layer",
            ));
        }
        trail(&*transaction, by, "accept_fields", &before.code, json!({})).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes a record of what is no layer.
    pub async fn remove(&self, by: &Principal, department: &str, code: &str) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let before = own(&*transaction, by, department, code).await?;
        if before.layer.is_some() {
            return Err(Error::conflict("图层的目录记录随图层存在", "a layer's record stays with its layer"));
        }
        transaction.execute("delete from onemap.catalogue_record where code = $1", &[&before.code]).await?;
        trail(&*transaction, by, "delete", &before.code, json!({"name": before.name.zh})).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// A record of the department, held until the transaction ends. Another's is 403 when it is known, 404 when not.
async fn own(client: &impl GenericClient, by: &Principal, department: &str, code: &str) -> Result<Record> {
    let code = code.parse::<ResourceCode>().map_err(|()| unknown())?.to_string();
    client.query_opt("select 1 from onemap.catalogue_record where code = $1 for update", &[&code]).await?;
    let sql = format!("select {} {FROM} where {VISIBLE} and r.code = $2", columns());
    let row = client.query_opt(&sql, &[&by.department.as_deref(), &code]).await?;
    let found = record(&row.ok_or_else(unknown)?)?;
    match found.department == department {
        true => Ok(found),
        false => Err(Error::forbidden(
            "只有提供单位可以修改其目录",
            "only the department that provides a resource changes its record",
        )),
    }
}

/// Whether the theme and the related codes are ones that the caller knows of.
async fn check_names(client: &impl GenericClient, by: &Principal, written: &Written) -> Result<()> {
    if let Some(theme) = &written.theme
        && client.query_opt("select 1 from onemap.theme where id = $1", &[theme]).await?.is_none()
    {
        return Err(Error::invalid("theme", "没有这个主题", "there is no such theme")
            .hint("可用主题见 /api/v1/topics", "the themes are listed at /api/v1/topics"));
    }
    let sql = format!(
        "select named.code from unnest($2::text[]) named (code)
         where not exists (select from onemap.catalogue_record r where r.code = replace(named.code, '-', '/') and {VISIBLE}) limit 1"
    );
    match client.query_opt(&sql, &[&by.department.as_deref(), &written.related]).await? {
        None => Ok(()),
        Some(row) => {
            let code: &str = row.get(0);
            Err(Error::invalid(
                "related",
                format!("目录中没有资源 {code}"),
                format!("there is no resource {code} in the catalogue"),
            ))
        }
    }
}

fn day(day: Option<Date>) -> Option<String> {
    day.map(|d| d.to_string())
}

/// A new record of the department; its code.
pub(super) async fn insert(client: &impl GenericClient, department: &str, w: &Written) -> Result<String> {
    let sql = "insert into onemap.catalogue_record (code, department_id, kind, name, share_class)
               values (onemap.catalogue_code($1, $2), $1, $3, $4, $5) returning code";
    let row = client.query_one(sql, &[&department, &w.theme, &w.kind, &w.name.trim(), &w.share_class.name()]).await?;
    let code: String = row.get(0);
    update(client, &code, w).await?;
    Ok(code)
}

/// Writes everything.
pub(super) async fn update(client: &impl GenericClient, code: &str, w: &Written) -> Result<()> {
    client
        .execute(
            "update onemap.catalogue_record set kind = $2, name = $3, name_en = $4, abstract = $5, theme_id = $6, share_class = $7,
                 data_updated_at = $8::text::date::timestamptz where code = $1",
            &[
                &code,
                &w.kind,
                &w.name.trim(),
                &w.name_en,
                &w.description,
                &w.theme,
                &w.share_class.name(),
                &day(w.data_updated),
            ],
        )
        .await?;
    update_added(client, code, w).await
}

/// Writes what a department adds to what a layer says of itself.
pub(super) async fn update_added(client: &impl GenericClient, code: &str, w: &Written) -> Result<()> {
    let related: Vec<String> = w.related.iter().map(|c| c.replace('-', "/")).collect();
    client
        .execute(
            "update onemap.catalogue_record set format = $2, items = $3, share_condition = $4, share_mode = $5, openness = $6,
                 open_condition = $7, update_cycle = $8, published_on = $9::text::date, related = $10, version = version + 1,
                 updated_at = now() where code = $1",
            &[
                &code,
                &w.format,
                &serde_json::to_value(&w.items)?,
                &w.share_condition,
                &w.share_mode,
                &w.openness,
                &w.open_condition,
                &w.update_cycle,
                &day(w.published),
                &related,
            ],
        )
        .await?;
    Ok(())
}

pub(super) async fn trail(
    client: &impl GenericClient,
    by: &Principal,
    action: &str,
    code: &str,
    detail: Value,
) -> Result<()> {
    audit::write(client, by, Entry { action, object_kind: "catalogue_record", object_id: code, detail }).await
}
