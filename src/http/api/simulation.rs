//! What the rules say, without giving anything out: for one asker and why, for all departments, and for a grant before it is given.
//! Only the layer's own department, the platform's administrator and auditors may ask.

use axum::body::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::grants::Written;
use super::{body, ok};
use crate::access::gate::unknown;
use crate::access::grants;
use crate::access::policy::{Because, Decision, Lapse, Scope, Standing};
use crate::access::principal::{Principal, Role, Who};
use crate::access::rights::{Right, Rights};
use crate::access::trace;
use crate::error::{Error, Result, Said};
use crate::geo::bbox::Bbox;
use crate::geo::tms::TileMatrixSet;
use crate::http::ask::{Answer, Ask};
use crate::layer::catalog::Published;
use crate::layer::model::Layer;
use crate::layer::select::{self, Selection};

/// Who is imagined to ask.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Imagined {
    /// None: nobody is signed in.
    department: Option<String>,
    /// None: an application key.
    role: Option<Role>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    layer: String,
    #[serde(default)]
    principal: Imagined,
    action: Right,
    field: Option<String>,
    feature: Option<i64>,
    /// Zoom, column and row of WebMercatorQuad.
    tile: Option<[u32; 3]>,
}

/// Whether somebody may do something, and the rule that says so.
pub async fn decide(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let question: Question = body(&bytes)?;
    let layer = overseen(&ask, &question.layer)?;
    let department = question.principal.department.as_deref();
    if let Some(department) = department {
        known_department(&ask, department)?;
    }
    let (principal, right) = (imagined(&question.principal), question.action);
    let decision = ask.app.gate.decision(&principal, &layer.id, Some(right)).ok_or_else(|| unknown(&ask.principal))?;
    let allowed = allows(&decision, right);
    let mut steps = vec![json!({"of": "layer", "allowed": allowed, "rule": rule(&decision, right)})];
    let mut all = allowed;
    if allowed && layer.state.is_some() {
        if let Some(field) = &question.field {
            known_field(&layer, field)?;
            let seen = scope_of(&decision).is_none_or(|scope| scope.sees_field(field));
            all &= seen;
            steps.push(step(
                "field",
                seen,
                ("字段在授权之内", "the field is granted"),
                ("授权不含该字段", "the grant leaves the field out"),
            ));
        }
        if let Some(id) = question.feature {
            let no = left_out(&ask, &principal, &layer, right, id).await?;
            all &= no.is_none();
            let yes = ("要素在授权的行与范围之内", "the feature is among the granted rows and in the area");
            steps.push(step("feature", no.is_none(), yes, no.unwrap_or_default()));
        }
        if let Some(place) = question.tile {
            let wanted = Selection { bbox: Some((bounds(place)?, 4490)), ..Selection::default() };
            let seen = seen(&ask, &principal, &layer, right, &wanted).await? > 0;
            all &= seen;
            steps.push(step(
                "tile",
                seen,
                ("瓦片内有可见要素", "something is seen in the tile"),
                ("瓦片内没有可见要素", "nothing is seen in the tile"),
            ));
        }
    }
    Ok(ok(&json!({"allowed": all, "steps": steps})))
}

/// Why a feature is not shown; none when it is. Whoever asks oversees the layer and may be told what is there.
async fn left_out(
    ask: &Ask,
    who: &Principal,
    layer: &Layer,
    right: Right,
    id: i64,
) -> Result<Option<(&'static str, &'static str)>> {
    let wanted = Selection { id: Some(id), ..Selection::default() };
    if seen(ask, who, layer, right, &wanted).await? > 0 {
        return Ok(None);
    }
    let granted = ask.app.gate.open_for(&stand_in(who), &layer.id, right)?.scope().clone();
    let owner = Principal::operator(&layer.department);
    for (scope, no) in [
        (Scope::default(), ("没有这个要素", "there is no such feature")),
        (
            Scope { area: None, ..granted },
            (
                "要素不在授权的行之内（过滤条件）",
                "the feature is not among the granted rows: their filter leaves it out",
            ),
        ),
    ] {
        let tried = ask.app.gate.propose(&owner, &layer.id, scope)?;
        let published = ask.app.catalog.published(&tried)?;
        if count(ask, &published, &tried, &wanted).await? == 0 {
            return Ok(Some(no));
        }
    }
    Ok(Some(("要素在授权的空间范围之外", "the feature lies outside of the granted area")))
}

fn step(of: &str, allowed: bool, (zh, en): (&str, &str), (no_zh, no_en): (&str, &str)) -> Value {
    let said = if allowed { Said::new(zh, en) } else { Said::new(no_zh, no_en) };
    json!({"of": of, "allowed": allowed, "rule": {"text": said}})
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Viewers {
    layer: String,
    action: Option<Right>,
    field: Option<String>,
    feature: Option<i64>,
    /// Zoom, column and row of WebMercatorQuad.
    tile: Option<[u32; 3]>,
}

/// Which departments may do something with a layer, a field, a feature or what lies in a tile, and by which rule.
pub async fn viewers(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let asked: Viewers = body(&bytes)?;
    let layer = overseen(&ask, &asked.layer)?;
    let right = asked.action.unwrap_or(Right::View);
    if let Some(field) = &asked.field {
        known_field(&layer, field)?;
    }
    let bbox = asked.tile.map(bounds).transpose()?.map(|bbox| (bbox, 4490));
    let rows = asked.feature.is_some() || bbox.is_some();
    let wanted = Selection { id: asked.feature, bbox, ..Selection::default() };
    let snapshot = ask.app.catalog.snapshot();
    let mut found = vec![];
    let everybody = snapshot.departments.iter().map(|d| Some(d.id.to_string())).chain([None]);
    for department in everybody {
        let principal = imagined(&Imagined { department: department.clone(), role: Some(Role::User) });
        let Some(decision) = ask.app.gate.decision(&principal, &layer.id, Some(right)) else { continue };
        let field = asked.field.as_ref().is_none_or(|f| scope_of(&decision).is_none_or(|scope| scope.sees_field(f)));
        let allowed = allows(&decision, right) && field;
        if allowed && (!rows || seen(&ask, &principal, &layer, right, &wanted).await? > 0) {
            let partial = scope_of(&decision).is_some_and(|scope| !scope.is_all());
            found.push(json!({"department": department, "partial": partial, "rule": rule(&decision, right)}));
        }
    }
    Ok(ok(&json!({ "viewers": found })))
}

/// What a grant would open: how many of the features, which of the fields, how large an area; and what the department sees now by each of
/// the rights, since of several grants the newest counts and not their sum.
pub async fn grant(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let written: Written = body(&bytes)?;
    let known = overseen(&ask, &written.layer)?;
    let new = written.read(&ask).await?;
    let now = present(&ask, &known, &new.department, new.rights).await?;
    let (area, km2) = match &new.area {
        None => (None, None),
        Some(area) => {
            let client = ask.app.database.app().await?;
            let (ewkb, km2) = grants::measure(&**client, area).await?;
            (Some(ewkb.into()), Some(km2))
        }
    };
    let scope = Scope { fields: new.fields, filter: new.filter.map(Into::into), area, ..Scope::default() };
    let proposed = ask.app.gate.propose(&ask.principal, &new.layer, scope)?;
    let whole = ask.app.gate.propose(&ask.principal, &new.layer, Scope::default())?;
    let layer = ask.app.catalog.published(&proposed)?;
    let fields: Vec<&str> =
        select::visible_fields(layer.state(), proposed.scope()).into_iter().map(|f| f.name.as_str()).collect();
    let (mut features, mut total) = (None, None);
    if layer.state().archive.is_none() {
        features = Some(count(&ask, &layer, &proposed, &Selection::default()).await?);
        total = Some(count(&ask, &layer, &whole, &Selection::default()).await?);
    }
    Ok(ok(&json!({"features": features, "of": total, "fields": fields, "rights": new.rights, "area_km2": km2,
                  "now": now})))
}

/// What a department sees of a layer at present, by each of some rights.
async fn present(ask: &Ask, layer: &Layer, department: &str, rights: Rights) -> Result<Vec<Value>> {
    let who = imagined(&Imagined { department: Some(department.to_owned()), role: Some(Role::Publisher) });
    let (mut all, mut counted) = (vec![], Vec::<(Scope, i64)>::new());
    for right in rights.iter() {
        let Some(decision) = ask.app.gate.decision(&who, &layer.id, Some(right)) else { continue };
        let (mut features, mut fields) = (None, None);
        if let Some(state) = layer.state.as_ref().filter(|_| allows(&decision, right)) {
            let whole = Scope::default();
            let scope = scope_of(&decision).unwrap_or(&whole);
            fields = Some(select::visible_fields(state, scope).into_iter().map(|f| &f.name).collect::<Vec<_>>());
            if state.archive.is_none() {
                // Most rights come of one grant: its rows are counted once.
                let known = counted.iter().find(|(of, _)| of == scope).map(|(_, count)| *count);
                let count = match known {
                    Some(count) => count,
                    None => seen(ask, &who, layer, right, &Selection::default()).await?,
                };
                counted.push((scope.clone(), count));
                features = Some(count);
            }
        }
        all.push(json!({"right": right, "allowed": allows(&decision, right), "rule": rule(&decision, right),
            "features": features, "fields": fields}));
    }
    Ok(all)
}

async fn count(
    ask: &Ask,
    layer: &Published,
    grant: &crate::access::grant::Grant<crate::access::grant::Read>,
    wanted: &Selection,
) -> Result<i64> {
    let sql = select::count(layer, grant, wanted);
    let mut rows = ask.app.store.read(grant).await?.rows(&sql).await?;
    let mut count = 0;
    while let Some(row) = rows.next().await {
        count = row?.try_get(0)?;
    }
    Ok(count)
}

/// A layer that the caller may ask about.
fn overseen(ask: &Ask, id: &str) -> Result<std::sync::Arc<Layer>> {
    let own = ask.principal.department.is_some() && ask.app.gate.owner(id) == ask.principal.department;
    let oversees = matches!(ask.principal.role(), Some(Role::PlatformAdministrator | Role::Auditor));
    let layer = ask.app.catalog.snapshot().layers.get(id).cloned();
    match layer {
        Some(layer) if own || oversees => {
            trace::other(&ask.principal, "simulation", &format!("layer = {id}"));
            Ok(layer)
        }
        Some(_) if ask.app.gate.standing(&ask.principal, id) != Standing::Unknown => Err(Error::forbidden(
            "只有提供单位、平台管理员和审计员可以推演权限",
            "only the layer's department, the platform's administrators and auditors try out its rules",
        )),
        _ => Err(unknown(&ask.principal)),
    }
}

fn known_department(ask: &Ask, id: &str) -> Result<()> {
    match ask.app.catalog.snapshot().departments.iter().any(|d| *d.id == *id) {
        true => Ok(()),
        false => Err(Error::invalid("principal", "没有这个单位", "there is no such department")
            .hint("单位清单见 /api/v1/departments", "they are listed at /api/v1/departments")),
    }
}

fn imagined(who: &Imagined) -> Principal {
    let Some(department) = &who.department else { return Principal::anonymous() };
    let who = match who.role {
        Some(role) => Who::Person { id: 0, login: "".into(), name: "".into(), role },
        None => Who::Key { id: uuid::Uuid::nil(), label: "".into() },
    };
    Principal { who, department: Some(department.as_str().into()) }
}

fn allows(decision: &Decision, right: Right) -> bool {
    match decision.standing {
        Standing::Edits | Standing::Reads(_) => true,
        Standing::Marks => right != Right::Write,
        Standing::Unknown | Standing::Visible => false,
    }
}

fn scope_of(decision: &Decision) -> Option<&Scope> {
    match &decision.standing {
        Standing::Reads(scope) => Some(scope),
        _ => None,
    }
}

/// Nobody is behind an imagined principal; of a department's grants its operator sees what its people do.
fn stand_in(who: &Principal) -> Principal {
    who.department.as_deref().map_or_else(Principal::anonymous, Principal::operator)
}

/// How much of a selection is shown to somebody who has the right.
async fn seen(ask: &Ask, who: &Principal, layer: &Layer, right: Right, wanted: &Selection) -> Result<i64> {
    let grant = ask.app.gate.open_for(&stand_in(who), &layer.id, right)?;
    let published = ask.app.catalog.published(&grant)?;
    published.state().need_rows()?;
    count(ask, &published, &grant, wanted).await
}

fn known_field(layer: &Layer, name: &str) -> Result<()> {
    match layer.state.as_ref().is_some_and(|state| state.field(name).is_some()) {
        true => Ok(()),
        false => Err(Error::invalid("field", "该图层没有这个字段", "the layer has no such field").hint(
            format!("字段见 /api/v1/layers/{}", layer.id),
            format!("they are listed at /api/v1/layers/{}", layer.id),
        )),
    }
}

fn bounds([z, x, y]: [u32; 3]) -> Result<Bbox> {
    let tile = TileMatrixSet::WebMercatorQuad.tile(z, x, y);
    let tile = tile.ok_or_else(|| Error::invalid("tile", "没有这个瓦片", "there is no such tile"))?;
    let [west, south, east, north] = tile.degrees(0.0);
    Ok(Bbox { west, south, east, north })
}

/// The rule that decided, in both languages.
fn rule(decision: &Decision, right: Right) -> Value {
    let (name, grant, said) = match decision.because {
        Because::NotPublic => {
            ("not_public", None, Said::new("该图层未向公众开放", "the layer is not open to the public"))
        }
        Because::Public => ("public", None, Said::new("提供单位已向公众开放", "its owner opened it to the public")),
        Because::NotAWriter => (
            "not_a_writer",
            None,
            Said::new("可以读取，但当前身份不能编辑", "it is read, but not by somebody who changes it"),
        ),
        Because::Owner => ("owner", None, Said::new("图层所属单位", "the layer's own department")),
        Because::NotShared => {
            ("not_shared", None, Said::new("不予共享：其他单位不知其存在", "not shared: others do not know of it"))
        }
        Because::Unconditional => ("unconditional", None, Said::new("无条件共享", "shared unconditionally")),
        Because::Granted(id) => ("grant", Some(id), Said::new(format!("授权 {id}"), format!("grant {id}"))),
        Because::Lapsed(id, lapse) => {
            let (zh, en) = match lapse {
                Lapse::NotYet => ("尚未生效", "has not begun"),
                Lapse::Expired => ("已到期", "has expired"),
                Lapse::Revoked => ("已收回", "was revoked"),
            };
            ("lapsed", Some(id), Said::new(format!("授权 {id} {zh}"), format!("grant {id} {en}")))
        }
        Because::Lacks(id, _) => (
            "right",
            Some(id),
            Said::new(
                format!("授权 {id} 不含“{}”权利", right.title_zh()),
                format!("grant {id} does not include the right `{}`", right.name()),
            ),
        ),
        Because::Proposed => ("proposed", None, Said::new("尚未授予", "not given yet")),
        Because::NoGrant => {
            ("no_grant", None, Said::new("有条件共享，未获授权", "shared conditionally, and there is no grant"))
        }
    };
    json!({"name": name, "grant": grant, "text": said})
}
