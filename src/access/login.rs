//! Proving who asks: signing in, sessions, application keys.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::audit;
use super::gate::sign_in;
use super::keys::{Bounds, Usage};
use super::passwords::verify;
use super::principal::{Principal, Role, Who};
use super::second_factor::{self, Enrolled, Shown};
use super::sessions::{Device, Opening};
use super::signed::For;
use crate::config::Config;
use crate::db::pool::Database;
use crate::error::{Error, Result};

/// Wrong passwords in a row before an account is locked, and for how many minutes.
const FAILURES: i32 = 8;
const LOCK_MINUTES: i32 = 15;
/// How long a proof is believed without asking the database again. Revocations empty the cache at once on every node
/// (NOTIFY); this is the limit for a node that missed one.
const BELIEVED: Duration = Duration::from_secs(4);

/// What a request brings to prove who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Credential {
    Session(String),
    Key(String),
    Signed(SignedAddress),
}

/// What a signed address says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignedAddress {
    pub kid: String,
    pub expires: i64,
    pub signature: String,
}

#[derive(Clone)]
pub struct Login {
    pub(super) database: Database,
    pub(super) believed: Cache<[u8; 32], Proof>,
    pub(super) usage: Usage,
    pub(super) terms: Arc<Terms>,
}

/// What the settings ask of people.
pub(super) struct Terms {
    /// Roles that need a second factor.
    required: Vec<Role>,
    /// Hours a session lasts.
    pub(super) hours: i32,
    /// Minutes it may lie idle, and that of an administrator or auditor.
    idle: i32,
    idle_administrators: i32,
}

impl Terms {
    fn of(config: &Config) -> Result<Terms> {
        let role = |name: &String| {
            Role::parse(name).ok_or_else(|| {
                let (zh, en) = (format!("没有角色 {name}"), format!("there is no role {name}"));
                Error::invalid("second_factor_roles", zh, en)
            })
        };
        let named = config.second_factor_roles.iter().map(role).collect::<Result<Vec<Role>>>()?;
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        Ok(Terms {
            required: if config.second_factor { named } else { vec![] },
            hours: number(config.session_hours),
            idle: number(config.session_idle),
            idle_administrators: number(config.session_idle_administrators),
        })
    }

    pub(super) fn needs_factor(&self, role: Option<Role>) -> bool {
        role.is_some_and(|role| self.required.contains(&role))
    }

    /// Minutes after which a session ends that nobody uses. Administrators can give themselves much, auditors see much.
    pub(super) fn idle(&self, role: Option<Role>) -> i32 {
        match role.is_some_and(|role| role.is_administrator() || role == Role::Auditor) {
            true => self.idle_administrators,
            false => self.idle,
        }
    }

    pub(super) fn longest_idle(&self) -> i32 {
        self.idle.max(self.idle_administrators)
    }
}

/// Who it is, and what bounds that.
#[derive(Debug, Clone)]
pub struct Proof {
    pub principal: Principal,
    /// Of a key.
    pub bounds: Option<Arc<Bounds>>,
    pub stage: Stage,
    /// Of a signed address.
    pub signed: Option<Arc<For>>,
}

/// How far a sign-in has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Whole,
    /// Good for nothing until the password is changed or a second factor is enrolled.
    Unfinished,
    /// Good for nothing until the second factor, which there is, has been shown.
    Unproved,
}

/// What somebody brings to sign in.
#[derive(Debug, Default)]
pub struct SignIn<'a> {
    pub login: &'a str,
    pub password: &'a str,
    pub shown: Shown<'a>,
    pub device: Device,
}

/// What a session still waits for, and what its person has.
pub struct Pending {
    pub change_password: bool,
    pub enrol: bool,
    pub code: bool,
    pub enrolled: Enrolled,
}

impl Login {
    pub fn new(database: Database, config: &Config) -> Result<Self> {
        let believed = Cache::builder().max_capacity(20_000).time_to_live(BELIEVED).build();
        Ok(Login { usage: Usage::default(), database, believed, terms: Arc::new(Terms::of(config)?) })
    }

    /// Forgets all proofs: somebody's key, session or role changed.
    pub fn forget(&self) {
        self.believed.invalidate_all();
    }

    /// Who a credential belongs to, or 401. What a page asks by itself (`by_itself`) is no use of a session: it would never lie idle.
    pub async fn authenticate(&self, credential: &Credential, by_itself: bool) -> Result<Proof> {
        let hash = match credential {
            Credential::Session(token) => digest(b"session", token),
            Credential::Key(key) => digest(b"key", key),
            Credential::Signed(a) => digest(b"signed", &format!("{}\n{}\n{}", a.kid, a.expires, a.signature)),
        };
        if let Some(proof) = self.believed.get(&hash).await {
            return Ok(proof);
        }
        let proof = match credential {
            Credential::Session(_) => self.session(&hash, by_itself).await?,
            Credential::Key(_) => self.key(&hash).await?,
            Credential::Signed(address) => self.signed(address).await?,
        };
        self.believed.insert(hash, proof.clone()).await;
        Ok(proof)
    }

    /// The principal a job acts for, asked anew when the job runs.
    pub async fn principal_of_job(&self, id: &serde_json::Value) -> Result<Principal> {
        if let Some(department) = id.get("operator").and_then(|v| v.as_str()) {
            return Ok(Principal::operator(department));
        }
        let person_id = id.get("person").and_then(|v| v.as_i64()).ok_or_else(sign_in)?;
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "select id, login, name, role, department_id from onemap.person where id = $1 and active",
                &[&person_id],
            )
            .await?
            .ok_or_else(sign_in)?;
        person(&row)
    }

    /// Checks a password and the second factor, and opens a session. Unknown names cost the same time as wrong passwords.
    pub async fn sign_in(&self, given: &SignIn<'_>) -> Result<(String, Principal)> {
        let mut client = self.database.app().await?;
        let row = client
            .query_opt(
                "select p.id, p.login, p.name, p.role, p.department_id, p.password_hash, coalesce(p.locked_until > now(), false),
                     p.must_change_password from onemap.person p where p.login = $1 and p.active",
                &[&given.login],
            )
            .await?;
        let stored = row.as_ref().map(|r| r.get::<_, String>(5));
        let right = verify(given.password.to_owned(), stored).await?;
        let wrong = || Error::unauthenticated("用户名或密码不正确", "the user name or the password is wrong");
        let Some(row) = row else { return Err(wrong()) };
        let id: i64 = row.get(0);
        if row.get::<_, bool>(6) {
            return Err(locked());
        }
        let transaction = client.transaction().await?;
        if !right {
            failed(&transaction, (id, given.login), "password", &given.device).await?;
            transaction.commit().await?;
            return Err(wrong());
        }
        let principal = person(&row)?;
        let enrolled = second_factor::enrolled(&*transaction, id).await?;
        let means = match second_factor::prove(&*transaction, id, enrolled, &given.shown).await {
            Ok(means) => means,
            Err(refused) => {
                // To be asked for the code is no failure; a wrong one is.
                if given.shown.code.is_some() {
                    failed(&transaction, (id, given.login), "second_factor", &given.device).await?;
                }
                transaction.commit().await?;
                return Err(refused);
            }
        };
        let pending = row.get(7) || (means.is_none() && self.terms.needs_factor(principal.role()));
        let opening = Opening { person: id, by: "password", pending, unproved: false };
        let token = self.open_session(&transaction, &opening, &given.device).await?;
        let detail = json!({"second_factor": means, "address": given.device.address});
        let entry = audit::Entry { action: "sign_in", object_kind: "person", object_id: given.login, detail };
        audit::write(&*transaction, &principal, entry).await?;
        transaction.commit().await?;
        Ok((token, principal))
    }

    /// What a session still waits for.
    pub async fn pending(&self, token: &str) -> Result<Pending> {
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "select p.id, p.role, s.pending, s.pending and p.must_change_password and s.opened_by = 'password', s.unproved
                 from onemap.session s join onemap.person p on p.id = s.person_id where s.token_hash = $1",
                &[&digest(b"session", token).as_slice()],
            )
            .await?
            .ok_or_else(sign_in)?;
        let enrolled = second_factor::enrolled(&**client, row.get(0)).await?;
        let waits: bool = row.get(2);
        Ok(Pending {
            change_password: row.get(3),
            enrol: waits && !enrolled.any() && self.terms.needs_factor(Role::parse(row.get(1))),
            code: row.get(4),
            enrolled,
        })
    }

    /// After a step that sessions waited for: those of the person are good when nothing else is left to do.
    pub(super) async fn settle(&self, person: i64) -> Result<()> {
        let client = self.database.app().await?;
        let row = client.query_one("select role from onemap.person where id = $1", &[&person]).await?;
        let enrolled = second_factor::enrolled(&**client, person).await?;
        if enrolled.any() || !self.terms.needs_factor(Role::parse(row.get(0))) {
            client
                .execute(
                    "update onemap.session s set pending = false from onemap.person p where s.person_id = $1 and p.id = $1
                     and not (p.must_change_password and s.opened_by = 'password')",
                    &[&person],
                )
                .await?;
        }
        self.forget();
        Ok(())
    }
}

pub(super) fn locked() -> Error {
    Error::unauthenticated(
        format!("多次输入错误，账号已锁定 {LOCK_MINUTES} 分钟"),
        format!("too many wrong passwords: the account is locked for {LOCK_MINUTES} minutes"),
    )
}

/// One more wrong password or code. It is written down: whoever guesses is to be seen.
pub(super) async fn failed(
    transaction: &deadpool_postgres::Transaction<'_>,
    (person, login): (i64, &str),
    what: &str,
    device: &Device,
) -> Result<()> {
    let row = transaction
        .query_one(
            "update onemap.person set failures = (failures + 1) % $2,
             locked_until = case when failures + 1 >= $2 then now() + make_interval(mins => $3) end where id = $1
             returning locked_until is not null",
            &[&person, &FAILURES, &LOCK_MINUTES],
        )
        .await?;
    let detail = json!({"wrong": what, "address": device.address, "locked": row.get::<_, bool>(0)});
    let entry = audit::Entry { action: "sign_in_failed", object_kind: "person", object_id: login, detail };
    audit::write(&**transaction, &Principal::anonymous(), entry).await
}

pub(super) fn person(row: &tokio_postgres::Row) -> Result<Principal> {
    let role: &str = row.get(3);
    Ok(Principal {
        who: Who::Person {
            id: row.get(0),
            login: row.get::<_, &str>(1).into(),
            name: row.get::<_, &str>(2).into(),
            role: Role::parse(role).ok_or_else(|| Error::internal(format!("unknown role {role}")))?,
        },
        department: Some(Arc::from(row.get::<_, &str>(4))),
    })
}

pub(super) fn digest(kind: &[u8], secret: &str) -> [u8; 32] {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(secret.as_bytes()).finalize().into()
}
