//! Drafts: a request while its writer writes it.

use onemap_approval::{Action, Move, Refusal, next};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::decide::refused;
use super::history::{Happening, happened};
use super::record::{Caller, Request, load};
use super::terms::{Terms, check_divisions};
use super::{Approvals, Condition, no_layer};
use crate::access::audit::{self, Entry};
use crate::access::grants::area;
use crate::access::policy::{ShareClass, Standing};
use crate::access::principal::{Principal, Role};
use crate::access::rights::Rights;
use crate::error::{Error, Result};
use crate::layer::divisions;
use crate::layer::model::Layer;

/// The longest purpose, basis or number.
const LONGEST_TEXT: usize = 2000;
/// Drafts that one person keeps at most.
const MOST_DRAFTS: i64 = 200;

/// A request as it is written: the body of a draft. A change is a merge patch (RFC 7396) of this document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    pub layer: String,
    #[serde(default)]
    pub purpose: String,
    #[serde(default)]
    pub legal_basis: String,
    #[serde(default)]
    pub case_number: String,
    #[serde(default = "super::terms::looking_and_asking")]
    pub rights: Rights,
    #[serde(default)]
    pub fields: Option<Vec<String>>,
    #[serde(default)]
    pub filter: Option<String>,
    /// A GeoJSON polygon in EPSG:4490 (or 4326, or CRS84: the same degrees, longitude first).
    #[serde(default)]
    pub area: Option<Value>,
    #[serde(default)]
    pub divisions: Vec<String>,
    #[serde(default)]
    pub from: Option<jiff::civil::Date>,
    #[serde(default)]
    pub until: Option<jiff::civil::Date>,
}

impl Written {
    fn of(request: &Request, area: Option<Value>) -> Written {
        let terms = request.asked.clone();
        // The area of divisions follows from their codes.
        let area = area.filter(|_| terms.divisions.is_empty());
        Written {
            layer: request.layer.clone(),
            purpose: request.purpose.clone(),
            legal_basis: request.legal_basis.clone(),
            case_number: request.case_number.clone(),
            rights: terms.rights,
            fields: terms.fields,
            filter: terms.filter,
            area,
            divisions: terms.divisions,
            from: terms.from,
            until: terms.until,
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            rights: self.rights,
            fields: self.fields.clone(),
            filter: self.filter.clone(),
            divisions: self.divisions.clone(),
            from: self.from,
            until: self.until,
        }
    }

    /// What any draft must fulfil; the rest is looked at when it is submitted.
    fn check(&self) -> Result<()> {
        for (name, text) in
            [("purpose", &self.purpose), ("legal_basis", &self.legal_basis), ("case_number", &self.case_number)]
        {
            if text.chars().count() > LONGEST_TEXT {
                return Err(Error::invalid(name, "最多 2000 个字", "it has at most 2000 characters"));
            }
        }
        check_divisions(&self.divisions)?;
        match self.area.is_some() && !self.divisions.is_empty() {
            true => Err(Error::invalid(
                "area",
                "范围与区划只能二选一",
                "an area is either drawn or made of divisions, not both",
            )),
            false => Ok(()),
        }
    }
}

impl Approvals {
    /// Writes a draft.
    pub async fn create(&self, by: &Principal, written: &Written) -> Result<Uuid> {
        let caller = Caller::of(by)?;
        if caller.role == Role::Auditor {
            return Err(Error::forbidden("审计人员不能申请数据", "auditors do not request data"));
        }
        let layer = self.requestable(by, &written.layer)?;
        written.check()?;
        let area = self.area(by, written).await?;
        let id = Uuid::now_v7();
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        transaction.execute("select 1 from onemap.person where id = $1 for update", &[&caller.person]).await?;
        let sql = "select count(*) from onemap.request where person_id = $1 and state = 'draft'";
        if transaction.query_one(sql, &[&caller.person]).await?.get::<_, i64>(0) >= MOST_DRAFTS {
            return Err(Error::conflict("您的草稿已有 200 份", "you keep 200 drafts already")
                .hint("请先提交或改写已有草稿", "submit or rewrite one of them first"));
        }
        transaction
            .execute(
                "insert into onemap.request (id, layer_id, layer_title_zh, layer_title_en, owner_id, department_id, person_id, state,
                     purpose, legal_basis, case_number, asked)
                 values ($1, $2, $3, $4, $5, $6, $7, 'draft', $8, $9, $10, $11)",
                &[
                    &id,
                    &written.layer,
                    &layer.title.zh,
                    &layer.title.en,
                    &layer.department.as_ref(),
                    &caller.department,
                    &caller.person,
                    &written.purpose.trim(),
                    &written.legal_basis.trim(),
                    &written.case_number.trim(),
                    &serde_json::to_value(written.terms())?,
                ],
            )
            .await?;
        write_area(&*transaction, id, area.as_deref()).await?;
        let event = Happening { action: "create", from: None, to: "draft", version: 1, note: "", detail: json!({}) };
        happened(&*transaction, Some(by), id, event).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Changes a draft, or one that was returned, by a merge patch of what is written in it.
    pub async fn edit(&self, by: &Principal, id: Uuid, condition: Condition, patch: &Value) -> Result<()> {
        let caller = Caller::of(by)?;
        let before = self.get(by, id).await?;
        let mut merged = serde_json::to_value(Written::of(&before, before.asked_area.clone()))?;
        merge(&mut merged, patch);
        let written: Written = serde_json::from_value(merged)
            .map_err(|e| Error::invalid("body", format!("请求内容有误：{e}"), format!("the body is wrong: {e}")))?;
        if written.layer != before.layer {
            return Err(Error::invalid("layer", "申请的图层不能更换", "a request keeps its layer")
                .hint("请另写一份申请", "write another request"));
        }
        written.check()?;
        let area = self.area(by, &written).await?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let request = load(&*transaction, caller, id, true).await?;
        // What was read for the patch must still be there, whatever the caller made a condition of.
        condition.check(request.version)?;
        Condition::Version(before.version).check(request.version)?;
        let wanted = Move { action: Action::Edit, steps_left: false };
        let state = next(request.at, wanted, &request.parties(caller)).map_err(|r: Refusal| refused(r, &request))?;
        let version = request.version + 1;
        transaction
            .execute(
                "update onemap.request set purpose = $2, legal_basis = $3, case_number = $4, asked = $5, version = $6, updated_at = now()
                 where id = $1",
                &[
                    &id,
                    &written.purpose.trim(),
                    &written.legal_basis.trim(),
                    &written.case_number.trim(),
                    &serde_json::to_value(written.terms())?,
                    &version,
                ],
            )
            .await?;
        write_area(&*transaction, id, area.as_deref()).await?;
        let detail = json!({"members": patch.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>())});
        let event =
            Happening { action: "edit", from: Some(request.state), to: state.name(), version, note: "", detail };
        happened(&*transaction, Some(by), id, event).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Throws away a draft that was never submitted. What was stays, whatever became of it: others have had to do with it.
    pub async fn discard(&self, by: &Principal, id: Uuid, condition: Condition) -> Result<()> {
        let caller = Caller::of(by)?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let request = load(&*transaction, caller, id, true).await?;
        condition.check(request.version)?;
        let wanted = Move { action: Action::Edit, steps_left: false };
        next(request.at, wanted, &request.parties(caller)).map_err(|r: Refusal| refused(r, &request))?;
        if !request.unseen {
            return Err(Error::conflict(
                "该申请曾经提交，须留存备查，不能删除",
                "the request was submitted once: it is kept for the record",
            )
            .hint("可以留作草稿，或修改后再提交", "leave it as a draft, or change and submit it"));
        }
        let sql = "delete from onemap.request where id = $1
                   returning (select sha256 from onemap.request_attachment where request_id = $1)";
        let attached: Option<String> = transaction.query_one(sql, &[&id]).await?.get(0);
        trail(&*transaction, by, "discard", id, json!({"layer": request.layer, "purpose": request.purpose})).await?;
        transaction.commit().await?;
        if let Some(sha256) = attached {
            self.remove_file(id, &sha256).await;
        }
        Ok(())
    }

    /// A layer that the caller may request: known, and another department's.
    pub(super) fn requestable(&self, by: &Principal, id: &str) -> Result<std::sync::Arc<Layer>> {
        if self.gate.standing(by, id) == Standing::Unknown {
            return Err(no_layer());
        }
        let layer = self.layer(id)?;
        if by.department.as_deref() == Some(&*layer.department) {
            return Err(Error::conflict("本单位的图层无需申请", "the layer is your department's own"));
        }
        match layer.class {
            ShareClass::NotShared => Err(no_layer()),
            _ => Ok(layer),
        }
    }

    /// The area of a request as GeoJSON: what was drawn, or what its divisions are.
    async fn area(&self, by: &Principal, written: &Written) -> Result<Option<String>> {
        if let Some(drawn) = &written.area {
            return area::checked(&drawn.to_string()).map(Some);
        }
        if written.divisions.is_empty() {
            return Ok(None);
        }
        divisions::area(&self.store, &self.gate, &self.catalog, by, &written.divisions).await.map(Some)
    }
}

async fn write_area(client: &impl GenericClient, id: Uuid, area: Option<&str>) -> Result<()> {
    let row = client
        .query_one(
            "update onemap.request set asked_area = st_multi(st_collectionextract(st_makevalid(st_setsrid(
                 st_force2d(st_geomfromgeojson($2)), 4490)), 3)) where id = $1 returning coalesce(st_isempty(asked_area), false)",
            &[&id, &area],
        )
        .await?;
    match row.get(0) {
        true => Err(Error::invalid("area", "范围的面积为零", "the area has no surface")),
        false => Ok(()),
    }
}

/// RFC 7396 for a document of one level.
fn merge(document: &mut Value, patch: &Value) {
    let (Some(members), Some(changes)) = (document.as_object_mut(), patch.as_object()) else { return };
    for (name, value) in changes {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
}

/// The audit row of a change to a request.
pub(super) async fn trail(
    client: &impl GenericClient,
    by: &Principal,
    action: &str,
    id: Uuid,
    detail: Value,
) -> Result<()> {
    audit::write(client, by, Entry { action, object_kind: "request", object_id: &id.to_string(), detail }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_changes_what_it_names_and_null_takes_away() {
        let mut document = json!({"layer": "a", "purpose": "x", "filter": "a = 1", "fields": ["a"]});
        merge(&mut document, &json!({"purpose": "y", "filter": null}));
        assert_eq!(document, json!({"layer": "a", "purpose": "y", "fields": ["a"]}));
        let written: Written = serde_json::from_value(document).unwrap();
        assert!(written.filter.is_none() && written.rights.names() == ["view", "query"]);
        assert!(serde_json::from_value::<Written>(json!({"layer": "a", "porpoise": 1})).is_err());
    }
}
