//! Signed addresses: maps of some layers for a page that must not show a key. HMAC-SM3 under a secret of their own, which can be revoked.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onemap_credentials::origin::is_origin;
use onemap_credentials::signature::Signed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::audit::{self, Entry};
use super::gate::Gate;
use super::login::{Login, Proof, SignedAddress, Stage};
use super::principal::{Principal, Who};
use super::rights::Right;
use crate::error::{Error, Result};

/// The longest that an address is good for.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
/// Layers of one address at most: as many as a tile has.
const MOST_LAYERS: usize = 20;

/// What an address may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Vector tiles and their TileJSON.
    Tiles,
    /// Styles with the tiles, glyphs and sprites that they name.
    Styles,
    /// Pictures by WMTS's paths.
    Wmts,
}

impl Service {
    fn paths(self) -> &'static [&'static str] {
        match self {
            Service::Tiles => &["/tiles/"],
            Service::Styles => &["/styles/", "/tiles/", "/fonts/", "/sprites/"],
            Service::Wmts => &["/ogc/wmts/1.0.0/"],
        }
    }
}

/// An address that is to be signed.
#[derive(Debug, Clone)]
pub struct NewSigned {
    pub label: String,
    pub layers: Vec<String>,
    pub services: Vec<Service>,
    pub until: SystemTime,
    /// The page it may stand in.
    pub origin: Option<String>,
}

/// What is added to an address.
#[derive(Debug, Clone, Serialize)]
pub struct Signature {
    pub kid: String,
    pub exp: i64,
    pub sig: String,
}

/// What a signed address is good for.
#[derive(Debug)]
pub struct For {
    paths: Vec<String>,
    origin: Option<String>,
    expires: i64,
}

impl For {
    /// Whether a request may be answered under it; which layers, the gate says.
    pub fn admit(&self, reads: bool, path: &str, origin: Option<&str>) -> Result<()> {
        if now() >= self.expires {
            return Err(wrong());
        }
        // Browsers name the page for what scripts load; a picture in a page of no origin names none.
        if self.origin.is_some() && origin != self.origin.as_deref() {
            return Err(Error::forbidden("该签名地址不能在此网页使用", "this signed address is not for this page"));
        }
        match reads && self.paths.iter().any(|begin| path.starts_with(begin.as_str())) {
            true => Ok(()),
            false => Err(Error::forbidden("该签名地址不含此接口", "this signed address is not for this interface")),
        }
    }
}

impl Login {
    /// Who a signed address stands for, or 401.
    pub(super) async fn signed(&self, given: &SignedAddress) -> Result<Proof> {
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "select department_id, secret, layers, path, origin, extract(epoch from expires_at)::bigint
                 from onemap.signing_key where id = $1 and revoked_at is null and expires_at > now()",
                &[&given.kid],
            )
            .await?
            .ok_or_else(wrong)?;
        let (layers, path): (Vec<String>, String) = (row.get(2), row.get(3));
        let (origin, expires): (Option<String>, i64) = (row.get(4), row.get(5));
        let signed =
            Signed { kid: &given.kid, expires: given.expires, path: &path, layers: &layers, origin: origin.as_deref() };
        if given.expires != expires || !signed.is_signed_by(row.get(1), &given.signature) {
            return Err(wrong());
        }
        let paths = path.split(' ').map(str::to_owned).collect();
        let who = Who::Signed { kid: given.kid.as_str().into(), layers: layers.into() };
        let principal = Principal { who, department: Some(row.get::<_, &str>(0).into()) };
        let signed = Some(Arc::new(For { paths, origin, expires }));
        Ok(Proof { principal, bounds: None, stage: Stage::Whole, signed })
    }

    /// Signs an address for layers that the department may look at. It holds while the department's own grants do.
    pub async fn sign(&self, gate: &Gate, by: &Principal, department: &str, new: &NewSigned) -> Result<Signature> {
        new.check()?;
        for layer in &new.layers {
            gate.open_for(by, layer, Right::View)?;
        }
        let mut paths: Vec<&str> = new.services.iter().flat_map(|service| service.paths()).copied().collect();
        paths.sort_unstable();
        paths.dedup();
        let path = paths.join(" ");
        let (kid, secret) = (Uuid::now_v7().simple().to_string(), rand::random::<[u8; 32]>());
        let exp = new.until.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
        let signed =
            Signed { kid: &kid, expires: exp, path: &path, layers: &new.layers, origin: new.origin.as_deref() };
        let sig = signed.sign(&secret).ok_or_else(|| Error::internal("a secret that is no key"))?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        transaction
            .execute(
                "insert into onemap.signing_key (id, department_id, label, secret, layers, path, origin, expires_at, created_by)
                 values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::float8), $9)",
                &[
                    &kid,
                    &department,
                    &new.label.trim(),
                    &secret.as_slice(),
                    &new.layers,
                    &path,
                    &new.origin,
                    &(exp as f64),
                    &by.name(),
                ],
            )
            .await?;
        let detail = json!({"layers": new.layers, "services": new.services, "until": exp, "origin": new.origin});
        let entry = Entry { action: "create", object_kind: "signed_url", object_id: &kid, detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        Ok(Signature { kid, exp, sig })
    }

    /// Revokes a signed address of the department. False when there is none.
    pub async fn revoke_signed(&self, by: &Principal, department: &str, kid: &str) -> Result<bool> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "update onemap.signing_key set revoked_at = now() where id = $1 and department_id = $2 and revoked_at is null";
        let ended = transaction.execute(sql, &[&kid, &department]).await? == 1;
        if ended {
            let entry = Entry { action: "revoke", object_kind: "signed_url", object_id: kid, detail: json!({}) };
            audit::write(&*transaction, by, entry).await?;
        }
        transaction.commit().await?;
        self.forget();
        Ok(ended)
    }
}

impl NewSigned {
    fn check(&self) -> Result<()> {
        let label = self.label.trim();
        if label.is_empty() || label.chars().count() > 100 {
            return Err(Error::invalid("label", "名称为 1 到 100 个字", "a label has 1 to 100 characters"));
        }
        if self.layers.is_empty() || self.layers.len() > MOST_LAYERS {
            return Err(Error::invalid("layers", "为 1 到 20 个图层", "it names 1 to 20 layers"));
        }
        if self.services.is_empty() {
            let said = ("可选：tiles、styles、wmts", "choose from tiles, styles and wmts");
            return Err(Error::invalid("services", "至少一项", "at least one is named").hint(said.0, said.1));
        }
        if self.origin.as_deref().is_some_and(|origin| !is_origin(origin)) {
            return Err(Error::invalid("origin", "不是网页来源", "it is not an origin")
                .hint("例如 https://map.example", "such as https://map.example"));
        }
        let now = SystemTime::now();
        match self.until > now && self.until <= now + LONGEST {
            true => Ok(()),
            false => Err(Error::invalid("until", "须在今后 30 天之内", "it is within the next 30 days")),
        }
    }
}

fn wrong() -> Error {
    Error::unauthenticated("签名地址无效、已过期或已吊销", "the signed address is wrong, expired or revoked")
        .hint("请重新签发", "have it signed again")
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(i64::MAX, |d| d.as_secs() as i64)
}
