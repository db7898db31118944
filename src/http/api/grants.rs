//! Grants: given directly by a layer's owner, listed for both sides, revoked or surrendered.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use onemap_cql2::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, created, ok};
use crate::access::grants::{self, NewGrant, Wanted};
use crate::access::principal::Role;
use crate::access::rights::Rights;
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::layer::{divisions, scope};

/// `{"given": […], "held": […]}` of one's department, newest first; with `all=true`, for the platform's administrator and auditors,
/// `{"all": […]}`.
pub async fn list(mut ask: Ask) -> Answer {
    let layer = ask.parameters.take("layer")?;
    let all = match ask.parameters.take("all")?.as_deref() {
        None | Some("false") => false,
        Some("true") if oversees(&ask) => true,
        Some("true") => {
            return Err(Error::forbidden(
                "只有平台管理员和审计员可以查看全部授权",
                "only the platform's administrators and auditors list every grant",
            )
            .into());
        }
        Some(_) => return Err(Error::invalid("all", "应为 true 或 false", "it is true or false").into()),
    };
    ask.parameters.clone().finish()?;
    let wanted = Wanted { layer: layer.as_deref(), ..Wanted::default() };
    let client = ask.app.database.app().await?;
    if all {
        return Ok(ok(&json!({"all": grants::any(&**client, None, wanted).await?})));
    }
    let department = ask.department()?;
    let given = grants::given(&**client, department, wanted).await?;
    let held = grants::held(&**client, department, wanted).await?;
    Ok(ok(&json!({"given": given, "held": held})))
}

pub async fn get(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let wanted = Wanted { id: Some(number(&id)?), area: true, layer: None };
    let department = if oversees(&ask) { None } else { Some(ask.department()?) };
    let client = ask.app.database.app().await?;
    let found = grants::any(&**client, department, wanted).await?;
    let record = found.first().ok_or_else(grants::unknown)?;
    Ok(ok(&serde_json::to_value(record)?))
}

fn oversees(ask: &Ask) -> bool {
    matches!(ask.principal.role(), Some(Role::PlatformAdministrator | Role::Auditor))
}

/// A grant as it is written, here and where one is tried out before it is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    pub layer: String,
    pub department: String,
    pub rights: Rights,
    pub fields: Option<Vec<String>>,
    pub filter: Option<String>,
    /// GeoJSON, in degrees.
    pub area: Option<Value>,
    #[serde(default)]
    pub divisions: Vec<String>,
    #[serde(default)]
    pub purpose: String,
    #[serde(default)]
    pub legal_basis: String,
    #[serde(default)]
    pub case_number: String,
    pub valid_from: Option<String>,
    pub valid_until: Option<String>,
}

impl Written {
    /// Held against the layer's published fields; divisions become their area.
    pub async fn read(self, ask: &Ask) -> Result<NewGrant> {
        // Of a layer that one may not know of, nothing is told by what is wrong with the rest.
        let drawn = ask.describe(&self.layer)?;
        let fields = &drawn.layer.state().fields;
        if let Some(named) = &self.fields {
            scope::check_fields(fields, named)?;
        }
        let filter = self.filter.filter(|text| !text.trim().is_empty());
        if let Some(filter) = &filter {
            scope::check(fields, filter)?;
        }
        let area = match (self.area, self.divisions.is_empty()) {
            (Some(_), false) => {
                return Err(Error::invalid(
                    "divisions",
                    "area 与 divisions 只能写一个",
                    "say `area` or `divisions`, not both",
                ));
            }
            (Some(area), true) => Some(area.to_string()),
            (None, false) => {
                let app = &ask.app;
                Some(divisions::area(&app.store, &app.gate, &app.catalog, &ask.principal, &self.divisions).await?)
            }
            (None, true) => None,
        };
        Ok(NewGrant {
            layer: self.layer,
            department: self.department,
            rights: self.rights,
            fields: self.fields,
            filter,
            area,
            divisions: self.divisions,
            purpose: self.purpose,
            legal_basis: self.legal_basis,
            case_number: self.case_number,
            valid_from: time("valid_from", self.valid_from.as_deref())?,
            valid_until: time("valid_until", self.valid_until.as_deref())?,
            request_id: None,
        })
    }
}

pub async fn create(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = body::<Written>(&bytes)?.read(&ask).await?;
    let mut client = ask.app.database.app().await?;
    let transaction = client.transaction().await?;
    let id = grants::create(&*transaction, &ask.principal, &grant).await?;
    transaction.commit().await?;
    ask.app.refresh().await?;
    Ok(created(&json!({ "id": id })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

pub async fn revoke(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let Reason { reason } = body(&bytes)?;
    let mut client = ask.app.database.app().await?;
    let transaction = client.transaction().await?;
    grants::revoke(&*transaction, &ask.principal, number(&id)?, &reason).await?;
    transaction.commit().await?;
    ask.app.refresh().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| grants::unknown())
}

/// A time in RFC 3339.
pub fn time(parameter: &str, text: Option<&str>) -> Result<Option<SystemTime>> {
    let Some(text) = text else { return Ok(None) };
    let micros = Timestamp::parse(text).map(Timestamp::micros).and_then(|micros| u64::try_from(micros).ok());
    let time = micros.map(|micros| SystemTime::UNIX_EPOCH + Duration::from_micros(micros));
    time.map(Some).ok_or_else(|| {
        Error::invalid(parameter, "时间格式有误", "it is not a time")
            .hint("例如 2026-12-31T23:59:59+08:00", "such as 2026-12-31T23:59:59+08:00")
    })
}
