//! The gate: a snapshot of what is shared with whom, asked without SQL on every request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use tokio_postgres::Row;
use uuid::Uuid;

use super::grant::{Action, Amend, Edit, Grant, Mark, Read};
use super::policy::{Because, Decision, Issued, Lapse, Permit, Scope, ShareClass, Shared, Standing, decide, standing};
use super::principal::{Principal, Role, Who};
use super::rights::{Right, Rights};
use super::trace;
use crate::db::pool::Database;
use crate::error::{Error, Result};

/// The rules at one time, and who is still what they were when they proved it.
#[derive(Default)]
struct Rules {
    layers: HashMap<Arc<str>, Shared>,
    /// Active people: department and role.
    people: HashMap<i64, (Arc<str>, Role)>,
    /// Keys that are not revoked, with the second they expire.
    keys: HashMap<Uuid, Option<i64>>,
    /// The secrets of signed addresses that are not revoked, with the second they expire.
    signed: HashMap<Arc<str>, i64>,
}

/// Opens layers to principals. Cheap to clone.
#[derive(Clone, Default)]
pub struct Gate {
    rules: Arc<ArcSwap<Rules>>,
    /// One reading at a time: of two that overlap, the one that read first could be the one that stores last.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// How a wanted action is held against a standing.
pub trait Asked: Action + Sized {
    /// The right that it takes unless another is named.
    const RIGHT: Option<Right>;
    fn scope(standing: &Standing) -> Option<Arc<Scope>>;
}

impl Asked for Read {
    // The one that shows most: whoever does not say otherwise gives out rows.
    const RIGHT: Option<Right> = Some(Right::Query);
    fn scope(standing: &Standing) -> Option<Arc<Scope>> {
        match standing {
            Standing::Reads(scope) => Some(scope.clone()),
            Standing::Marks | Standing::Edits => Some(Arc::default()),
            _ => None,
        }
    }
}

impl Asked for Mark {
    const RIGHT: Option<Right> = None;
    fn scope(standing: &Standing) -> Option<Arc<Scope>> {
        matches!(standing, Standing::Marks | Standing::Edits).then(Arc::default)
    }
}

impl Asked for Amend {
    const RIGHT: Option<Right> = Some(Right::Write);
    fn scope(standing: &Standing) -> Option<Arc<Scope>> {
        match standing {
            Standing::Reads(scope) => Some(scope.clone()),
            _ => None,
        }
    }
}

impl Asked for Edit {
    const RIGHT: Option<Right> = None;
    fn scope(standing: &Standing) -> Option<Arc<Scope>> {
        (*standing == Standing::Edits).then(Arc::default)
    }
}

impl Gate {
    /// Reads the rules anew. Called at the start and whenever the database says that they changed.
    pub async fn reload(&self, database: &Database) -> Result<()> {
        let _turn = self.turn.lock().await;
        let client = database.app().await?;
        let mut rules = Rules::default();
        let layers = "select id, department_id, share_class, anonymous, annotation from onemap.layer";
        for row in client.query(layers, &[]).await? {
            let class: &str = row.get(2);
            let shared = Shared {
                owner: row.get::<_, &str>(1).into(),
                // A class this binary does not know is the strictest one.
                class: ShareClass::parse(class).unwrap_or(ShareClass::NotShared),
                anonymous: row.get(3),
                annotation: row.get(4),
                permits: vec![],
            };
            rules.layers.insert(row.get::<_, &str>(0).into(), shared);
        }
        let grants = "select layer_id, department_id, fields, row_filter, st_asewkb(area), \
             extract(epoch from valid_until)::bigint, revoked_at is not null, id, rights, filter, \
             extract(epoch from valid_from)::bigint, purpose from onemap.access_grant order by id";
        for row in client.query(grants, &[]).await? {
            let Some(shared) = rules.layers.get_mut(row.get::<_, &str>(0)) else { continue };
            shared.permits.push(permit(&row)?);
        }
        for row in client.query("select id, department_id, role from onemap.person where active", &[]).await? {
            let Some(role) = Role::parse(row.get(2)) else { continue };
            rules.people.insert(row.get(0), (row.get::<_, &str>(1).into(), role));
        }
        let keys = "select id, extract(epoch from expires_at)::bigint from onemap.app_key where revoked_at is null";
        for row in client.query(keys, &[]).await? {
            rules.keys.insert(row.get(0), row.get(1));
        }
        let signed =
            "select id, extract(epoch from expires_at)::bigint from onemap.signing_key where revoked_at is null";
        for row in client.query(signed, &[]).await? {
            rules.signed.insert(row.get::<_, &str>(0).into(), row.get(1));
        }
        self.rules.store(Arc::new(rules));
        Ok(())
    }

    pub fn standing(&self, principal: &Principal, layer: &str) -> Standing {
        if !is_within(principal, layer, None) {
            return Standing::Unknown;
        }
        self.rules.load().layers.get(layer).map_or(Standing::Unknown, |shared| standing(principal, shared, now()))
    }

    /// What the rules say of a principal, a layer and a right, and which of them; none for a layer that does not exist.
    pub fn decision(&self, principal: &Principal, layer: &str, right: Option<Right>) -> Option<Decision> {
        self.rules.load().layers.get(layer).map(|shared| decide(principal, shared, right, now()))
    }

    /// What the principal may do with what it sees of a layer.
    pub fn rights(&self, principal: &Principal, layer: &str) -> Rights {
        let may = |right: &Right| match self.decision(principal, layer, Some(*right)).map(|d| d.standing) {
            Some(Standing::Edits | Standing::Reads(_)) => true,
            Some(Standing::Marks) => *right != Right::Write,
            _ => false,
        };
        Right::ALL.into_iter().filter(may).collect()
    }

    /// The way to a layer: a grant, or why not (404 for what one may not know of, 403 for what one may request).
    pub fn open<A: Asked>(&self, principal: &Principal, layer: &str) -> Result<Grant<A>> {
        self.open_with(principal, layer, A::RIGHT)
    }

    /// A grant for another right than that of asking for features.
    pub fn open_for(&self, principal: &Principal, layer: &str, right: Right) -> Result<Grant<Read>> {
        self.open_with(principal, layer, Some(right))
    }

    /// A grant for whoever holds any right: for a layer's description, not for its rows (`Datastore` refuses it).
    pub fn open_to_describe(&self, principal: &Principal, layer: &str) -> Result<Grant<Read>> {
        self.open_with(principal, layer, None)
    }

    fn open_with<A: Asked>(&self, principal: &Principal, layer: &str, right: Option<Right>) -> Result<Grant<A>> {
        let rules = self.rules.load();
        let known = rules.layers.get_key_value(layer).filter(|_| is_within(principal, layer, right));
        let Some((id, shared)) = known else { return Err(unknown(principal)) };
        let Decision { standing, because } = decide(principal, shared, right, now());
        let scope = A::scope(&standing);
        trace::asked(principal, (id, &shared.owner), scope.as_ref().map(|scope| scope.issued.as_ref()));
        match scope {
            Some(scope) => Ok(Grant::new(id.clone(), scope, principal.clone(), right, because)),
            None if standing == Standing::Unknown => Err(unknown(principal)),
            None if principal.is_anonymous() => Err(sign_in()),
            None if standing == Standing::Visible => Err(refusal(layer, because)),
            None => Err(Error::forbidden(
                "只有该图层所属单位的发布人员可以修改",
                "only publishers of the department that owns this layer may change it",
            )),
        }
    }

    /// What a grant with this scope would open, for its owner's department, which sees the layer whole.
    pub fn propose(&self, by: &Principal, layer: &str, scope: Scope) -> Result<Grant<Read>> {
        let whole = self.open::<Read>(by, layer)?;
        match whole.because() {
            Because::Owner => {
                let id =
                    self.rules.load().layers.get_key_value(layer).map_or_else(|| layer.into(), |(id, _)| id.clone());
                Ok(Grant::new(id, Arc::new(scope), by.clone(), Some(Right::Query), Because::Proposed))
            }
            _ => Err(Error::forbidden(
                "只有提供单位可以试算授权",
                "only the owner's department tries out grants on a layer",
            )),
        }
    }

    /// The department that owns a layer.
    pub fn owner(&self, layer: &str) -> Option<Arc<str>> {
        self.rules.load().layers.get(layer).map(|shared| shared.owner.clone())
    }

    /// Whether a grant that was opened before is still what would be opened now, and its principal still who it was. Asked while answers
    /// are under way.
    pub fn holds<A: Asked>(&self, grant: &Grant<A>) -> Result<()> {
        let rules = self.rules.load();
        rules.still_is(grant.principal())?;
        if grant.because() == Because::Proposed {
            return Ok(());
        }
        let shared = rules.layers.get(grant.layer()).ok_or_else(ended)?;
        let standing = decide(grant.principal(), shared, grant.right(), now()).standing;
        match A::scope(&standing) {
            Some(scope) if scope.fingerprint() == grant.scope().fingerprint() => Ok(()),
            _ => Err(ended()),
        }
    }

    /// Whether a principal is still who it was: the person active, in the same department and role, the key neither revoked nor expired.
    pub fn still_is(&self, principal: &Principal) -> Result<()> {
        self.rules.load().still_is(principal)
    }

    /// Every layer the principal may know of, with its standing.
    pub fn visible(&self, principal: &Principal) -> Vec<(Arc<str>, Standing)> {
        let now = now();
        let mut seen: Vec<_> = self
            .rules
            .load()
            .layers
            .iter()
            .map(|(id, shared)| (id.clone(), standing(principal, shared, now)))
            .filter(|(id, standing)| *standing != Standing::Unknown && is_within(principal, id, None))
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

impl Rules {
    fn still_is(&self, principal: &Principal) -> Result<()> {
        let same = match &principal.who {
            Who::Person { id, role, .. } => self
                .people
                .get(id)
                .is_some_and(|(department, now)| Some(department) == principal.department.as_ref() && now == role),
            Who::Key { id, .. } => self.keys.get(id).is_some_and(|until| until.is_none_or(|until| now() < until)),
            Who::Signed { kid, .. } => self.signed.get(kid).is_some_and(|until| now() < *until),
            Who::Operator | Who::Anonymous => true,
        };
        if same { Ok(()) } else { Err(ended()) }
    }
}

/// Whether a signed address is for this layer and right; everybody else is bound by the rules alone.
fn is_within(principal: &Principal, layer: &str, right: Option<Right>) -> bool {
    let Who::Signed { layers, .. } = &principal.who else { return true };
    layers.iter().any(|l| l == layer) && right.is_none_or(|right| right == Right::View)
}

fn permit(row: &Row) -> Result<Permit> {
    Ok(Permit {
        id: row.try_get(7)?,
        department: row.try_get::<_, &str>(1)?.into(),
        scope: Arc::new(Scope {
            fields: row.try_get(2)?,
            rows: row_filter(row.try_get(3)?)?,
            filter: row.try_get::<_, Option<&str>>(9)?.map(Arc::from),
            area: row.try_get::<_, Option<Vec<u8>>>(4)?.map(Arc::from),
            issued: Some(Issued { id: row.try_get(7)?, purpose: row.try_get::<_, &str>(11)?.into() }),
            ..Scope::default()
        }),
        rights: Rights::of_names(&row.try_get::<_, Vec<&str>>(8)?),
        from: row.try_get(10)?,
        until: row.try_get(5)?,
        revoked: row.try_get(6)?,
    })
}

/// Said when something under way is broken off.
fn ended() -> Error {
    Error::forbidden("授权或身份在传输过程中已失效", "the grant or the session ended while this was under way")
}

/// Why a layer that one may know of is not opened.
fn refusal(layer: &str, because: Because) -> Error {
    let (zh, en) = match because {
        Because::Lacks(_, right) => {
            let error = Error::forbidden(
                format!("贵单位对该图层的授权不含“{}”权利", right.title_zh()),
                format!("your department's grant on this layer does not include the right `{}`", right.name()),
            );
            return error.hint(
                format!("请向提供单位申请增加该项权利（图层 {layer}）"),
                format!("request that right from its owner (layer {layer})"),
            );
        }
        Because::Lapsed(_, Lapse::NotYet) => {
            ("贵单位对该图层的授权尚未生效", "your department's grant on this layer has not begun yet")
        }
        Because::Lapsed(_, Lapse::Expired) => {
            ("贵单位对该图层的授权已到期", "your department's grant on this layer has expired")
        }
        Because::Lapsed(_, Lapse::Revoked) => {
            ("贵单位对该图层的授权已收回", "your department's grant on this layer was revoked")
        }
        Because::NotAWriter => {
            let (zh, en) = ("当前身份不能修改该图层的要素", "your role does not change features of this layer");
            return Error::forbidden(zh, en);
        }
        _ => (
            "该图层为有条件共享，贵单位尚未获得授权",
            "this layer is shared conditionally and your department holds no grant on it",
        ),
    };
    Error::forbidden(zh, en).hint(
        format!("请向提供单位申请使用，说明用途、字段、范围和期限（图层 {layer}）"),
        format!("request it from its owner with purpose, fields, area and term (layer {layer})"),
    )
}

pub fn sign_in() -> Error {
    Error::unauthenticated("请先登录，或在请求中提供有效的应用密钥", "sign in, or send a valid application key")
}

pub fn unknown(principal: &Principal) -> Error {
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
