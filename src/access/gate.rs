//! The gate: a snapshot of what is shared with whom, asked without SQL on every request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;

use super::grant::{Action, Edit, Grant, Mark, Read};
use super::policy::{Permit, Scope, ShareClass, Shared, Standing, standing};
use super::principal::Principal;
use crate::db::pool::Database;
use crate::error::{Error, Result};

type Rules = HashMap<Arc<str>, Shared>;

/// Opens layers to principals. Cheap to clone.
#[derive(Clone, Default)]
pub struct Gate {
    rules: Arc<ArcSwap<Rules>>,
    /// One reading at a time: of two that overlap, the one that read first could be the one that stores last.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// How a wanted action is held against a standing.
pub trait Asked: Action + Sized {
    fn scope(standing: &Standing) -> Option<Arc<Scope>>;
}

impl Asked for Read {
    fn scope(standing: &Standing) -> Option<Arc<Scope>> {
        match standing {
            Standing::Reads(scope) => Some(scope.clone()),
            Standing::Marks | Standing::Edits => Some(Arc::default()),
            _ => None,
        }
    }
}

impl Asked for Mark {
    fn scope(standing: &Standing) -> Option<Arc<Scope>> {
        matches!(standing, Standing::Marks | Standing::Edits).then(Arc::default)
    }
}

impl Asked for Edit {
    fn scope(standing: &Standing) -> Option<Arc<Scope>> {
        (*standing == Standing::Edits).then(Arc::default)
    }
}

impl Gate {
    /// Reads the rules anew. Called at the start and whenever the database says that they changed.
    pub async fn reload(&self, database: &Database) -> Result<()> {
        let _turn = self.turn.lock().await;
        let client = database.app().await?;
        let mut rules = Rules::new();
        for row in
            client.query("select id, department_id, share_class, anonymous, annotation from onemap.layer", &[]).await?
        {
            let class: &str = row.get(2);
            let shared = Shared {
                owner: row.get::<_, &str>(1).into(),
                // A class this binary does not know is the strictest one.
                class: ShareClass::parse(class).unwrap_or(ShareClass::NotShared),
                anonymous: row.get(3),
                annotation: row.get(4),
                permits: vec![],
            };
            rules.insert(row.get::<_, &str>(0).into(), shared);
        }
        let grants = "select layer_id, department_id, fields, row_filter, st_asewkb(area), \
             extract(epoch from valid_until)::bigint, revoked_at is not null from onemap.access_grant order by id";
        for row in client.query(grants, &[]).await? {
            let Some(shared) = rules.get_mut(row.get::<_, &str>(0)) else { continue };
            shared.permits.push(Permit {
                department: row.get::<_, &str>(1).into(),
                scope: Arc::new(Scope {
                    fields: row.get(2),
                    rows: row_filter(row.get(3))?,
                    area: row.get::<_, Option<Vec<u8>>>(4).map(Arc::from),
                    ..Scope::default()
                }),
                until: row.get(5),
                revoked: row.get(6),
            });
        }
        self.rules.store(Arc::new(rules));
        Ok(())
    }

    pub fn standing(&self, principal: &Principal, layer: &str) -> Standing {
        self.rules.load().get(layer).map_or(Standing::Unknown, |shared| standing(principal, shared, now()))
    }

    /// The way to a layer: a grant, or why not (404 for what one may not know of, 403 for what one may request).
    pub fn open<A: Asked>(&self, principal: &Principal, layer: &str) -> Result<Grant<A>> {
        let rules = self.rules.load();
        let Some((id, shared)) = rules.get_key_value(layer) else { return Err(unknown(principal)) };
        let standing = standing(principal, shared, now());
        match A::scope(&standing) {
            Some(scope) => Ok(Grant::new(id.clone(), scope, principal.clone())),
            None if standing == Standing::Unknown => Err(unknown(principal)),
            None if standing == Standing::Visible => Err(Error::forbidden(
                "该图层为有条件共享，贵单位尚未获得授权",
                "this layer is shared conditionally and your department holds no grant on it",
            )
            .hint(
                format!("请向提供单位申请使用，说明用途、字段、范围和期限（图层 {layer}）"),
                format!("request it from its owner with purpose, fields, area and term (layer {layer})"),
            )),
            None if principal.is_anonymous() => Err(sign_in()),
            None => Err(Error::forbidden(
                "只有该图层所属单位的发布人员可以修改",
                "only publishers of the department that owns this layer may change it",
            )),
        }
    }

    /// Every layer the principal may know of, with its standing.
    pub fn visible(&self, principal: &Principal) -> Vec<(Arc<str>, Standing)> {
        let now = now();
        let mut seen: Vec<_> = self
            .rules
            .load()
            .iter()
            .map(|(id, shared)| (id.clone(), standing(principal, shared, now)))
            .filter(|(_, standing)| *standing != Standing::Unknown)
            .collect();
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        seen
    }

    /// The department for which the principal may create layers and uploads.
    pub fn publisher(&self, principal: &Principal) -> Result<Arc<str>> {
        if principal.is_anonymous() {
            return Err(sign_in());
        }
        match &principal.department {
            Some(department) if principal.publishes() => Ok(department.clone()),
            _ => Err(Error::forbidden("只有发布人员可以上传和发布数据", "only publishers may upload and publish data")
                .hint("请联系本单位管理员授予发布角色", "ask your department's administrator for the publisher role")),
        }
    }
}

pub fn sign_in() -> Error {
    Error::unauthenticated("请先登录，或在请求中提供有效的应用密钥", "sign in, or send a valid application key")
}

fn unknown(principal: &Principal) -> Error {
    let error = Error::not_found("没有这个图层", "there is no such layer");
    if principal.is_anonymous() {
        error.hint(
            "多数图层需要登录或应用密钥（Authorization: Bearer 或 ?key=）",
            "most layers need a session or an application key (Authorization: Bearer, or ?key=)",
        )
    } else {
        error.hint("图层清单见 /ogc/collections", "the layers you may see are listed at /ogc/collections")
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(i64::MAX, |d| d.as_secs() as i64)
}

fn row_filter(json: Option<serde_json::Value>) -> Result<Vec<(String, Vec<String>)>> {
    Ok(match json {
        None => vec![],
        // BTreeMap: the order, and so the fingerprint, is the same on every node.
        Some(value) => serde_json::from_value::<std::collections::BTreeMap<_, _>>(value)?.into_iter().collect(),
    })
}
