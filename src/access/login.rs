//! Proving who asks: signing in, sessions, application keys.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::audit;
use super::gate::sign_in;
use super::keys::{Bounds, Usage};
use super::passwords::{secret, verify};
use super::principal::{Principal, Role, Who};
use super::second_factor;
use super::signed::For;
use crate::db::pool::Database;
use crate::error::{Error, Result};

/// Hours a session lasts.
const SESSION_HOURS: i32 = 12;
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
    believed: Cache<[u8; 32], Proof>,
    pub(super) usage: Usage,
    /// Whether administrators and auditors need a second factor.
    strict: bool,
}

/// Who it is, and what bounds that.
#[derive(Debug, Clone)]
pub struct Proof {
    pub principal: Principal,
    /// Of a key.
    pub bounds: Option<Arc<Bounds>>,
    /// A session that is good for nothing until its password is changed or a second factor is enrolled.
    pub pending: bool,
    /// Of a signed address.
    pub signed: Option<Arc<For>>,
}

/// What somebody brings to sign in.
#[derive(Debug, Default)]
pub struct SignIn<'a> {
    pub login: &'a str,
    pub password: &'a str,
    /// Of the second factor: a one-time password or a recovery code.
    pub code: Option<&'a str>,
    pub address: Option<String>,
    pub agent: Option<&'a str>,
}

/// A session as its person sees it.
#[derive(Debug, Serialize)]
pub struct SessionInfo {
    pub id: Uuid,
    pub created: String,
    pub expires: String,
    pub address: Option<String>,
    pub agent: Option<String>,
    /// The one that asks.
    pub current: bool,
}

impl Login {
    pub fn new(database: Database, strict: bool) -> Self {
        let believed = Cache::builder().max_capacity(20_000).time_to_live(BELIEVED).build();
        Login { usage: Usage::default(), database, believed, strict }
    }

    /// Forgets all proofs: somebody's key, session or role changed.
    pub fn forget(&self) {
        self.believed.invalidate_all();
    }

    /// Who a credential belongs to, or 401.
    pub async fn authenticate(&self, credential: &Credential) -> Result<Proof> {
        let hash = match credential {
            Credential::Session(token) => digest(b"session", token),
            Credential::Key(key) => digest(b"key", key),
            Credential::Signed(a) => digest(b"signed", &format!("{}\n{}\n{}", a.kid, a.expires, a.signature)),
        };
        if let Some(proof) = self.believed.get(&hash).await {
            return Ok(proof);
        }
        let proof = match credential {
            Credential::Session(_) => self.session(&hash).await?,
            Credential::Key(_) => self.key(&hash).await?,
            Credential::Signed(address) => self.signed(address).await?,
        };
        self.believed.insert(hash, proof.clone()).await;
        Ok(proof)
    }

    async fn session(&self, hash: &[u8; 32]) -> Result<Proof> {
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "select p.id, p.login, p.name, p.role, p.department_id, s.pending from onemap.session s
                 join onemap.person p on p.id = s.person_id
                 where s.token_hash = $1 and s.expires_at > now() and p.active",
                &[&hash.as_slice()],
            )
            .await?
            .ok_or_else(|| Error::unauthenticated("登录已过期，请重新登录", "the session has ended; sign in again"))?;
        Ok(Proof { principal: person(&row)?, bounds: None, pending: row.get(5), signed: None })
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
                     p.must_change_password, f.confirmed_at is not null
                 from onemap.person p left join onemap.second_factor f on f.person_id = p.id where p.login = $1 and p.active",
                &[&given.login],
            )
            .await?;
        let stored = row.as_ref().map(|r| r.get::<_, String>(5));
        let right = verify(given.password.to_owned(), stored).await?;
        let wrong = || Error::unauthenticated("用户名或密码不正确", "the user name or the password is wrong");
        let Some(row) = row else { return Err(wrong()) };
        let id: i64 = row.get(0);
        if row.get::<_, bool>(6) {
            return Err(Error::unauthenticated(
                format!("多次输入错误，账号已锁定 {LOCK_MINUTES} 分钟"),
                format!("too many wrong passwords: the account is locked for {LOCK_MINUTES} minutes"),
            ));
        }
        let transaction = client.transaction().await?;
        if !right {
            failed(&transaction, id).await?;
            transaction.commit().await?;
            return Err(wrong());
        }
        let principal = person(&row)?;
        let factor: bool = row.get(8);
        if factor && let Err(refused) = second_factor::check(&*transaction, id, given.code).await {
            // To be asked for the code is no failure; a wrong one is.
            if given.code.is_some() {
                failed(&transaction, id).await?;
            }
            transaction.commit().await?;
            return Err(refused);
        }
        let needs = self.strict && !factor && principal.role().is_some_and(needs_factor);
        let token = open_session(&transaction, id, given, needs || row.get(7)).await?;
        let detail = serde_json::json!({"second_factor": factor, "address": given.address});
        let entry = audit::Entry { action: "sign_in", object_kind: "person", object_id: given.login, detail };
        audit::write(&*transaction, &principal, entry).await?;
        transaction.commit().await?;
        Ok((token, principal))
    }

    /// Whether a person still has to change the password, and to enrol a second factor; and whether there is one.
    pub async fn pending(&self, person: i64) -> Result<(bool, bool, bool)> {
        let client = self.database.app().await?;
        let row = client
            .query_one(
                "select p.must_change_password, p.role, f.confirmed_at is not null from onemap.person p
                 left join onemap.second_factor f on f.person_id = p.id where p.id = $1",
                &[&person],
            )
            .await?;
        let (change, enrolled): (bool, bool) = (row.get(0), row.get(2));
        let needed = self.strict && !enrolled && Role::parse(row.get(1)).is_some_and(needs_factor);
        Ok((change, needed, enrolled))
    }

    /// After a step that sessions waited for: those of the person are good when nothing else is left to do.
    pub(super) async fn settle(&self, person: i64) -> Result<()> {
        let (change, needed, _) = self.pending(person).await?;
        if !change && !needed {
            let client = self.database.app().await?;
            client.execute("update onemap.session set pending = false where person_id = $1", &[&person]).await?;
        }
        self.forget();
        Ok(())
    }

    /// A person's sessions, newest first. `token` is that of the one who asks.
    pub async fn sessions(&self, person: i64, token: &str) -> Result<Vec<SessionInfo>> {
        let client = self.database.app().await?;
        let rows = client
            .query(
                "select id, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                     to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), address, agent, token_hash = $2
                 from onemap.session where person_id = $1 and expires_at > now() order by created_at desc limit 200",
                &[&person, &digest(b"session", token).as_slice()],
            )
            .await?;
        let info = |r: &tokio_postgres::Row| SessionInfo {
            id: r.get(0),
            created: r.get(1),
            expires: r.get(2),
            address: r.get(3),
            agent: r.get(4),
            current: r.get(5),
        };
        Ok(rows.iter().map(info).collect())
    }

    /// Ends one of the person's own sessions. False when there is none.
    pub async fn end_session(&self, by: &Principal, person: i64, id: Uuid) -> Result<bool> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "delete from onemap.session where person_id = $1 and id = $2";
        let ended = transaction.execute(sql, &[&person, &id]).await? == 1;
        if ended {
            let (object_id, detail) = (id.to_string(), serde_json::json!({}));
            let entry = audit::Entry { action: "end", object_kind: "session", object_id: &object_id, detail };
            audit::write(&*transaction, by, entry).await?;
        }
        transaction.commit().await?;
        self.forget();
        Ok(ended)
    }

    pub async fn sign_out(&self, token: &str) -> Result<()> {
        let hash = digest(b"session", token);
        let client = self.database.app().await?;
        client.execute("delete from onemap.session where token_hash = $1", &[&hash.as_slice()]).await?;
        self.believed.invalidate(&hash).await;
        Ok(())
    }
}

/// Administrators can give themselves much, auditors see much.
fn needs_factor(role: Role) -> bool {
    role.is_administrator() || role == Role::Auditor
}

/// One more wrong password or code.
async fn failed(transaction: &deadpool_postgres::Transaction<'_>, person: i64) -> Result<()> {
    transaction
        .execute(
            "update onemap.person set failures = (failures + 1) % $2,
             locked_until = case when failures + 1 >= $2 then now() + make_interval(mins => $3) end where id = $1",
            &[&person, &FAILURES, &LOCK_MINUTES],
        )
        .await?;
    Ok(())
}

/// A session's token; its SHA-256 alone is kept.
async fn open_session(
    transaction: &deadpool_postgres::Transaction<'_>,
    person: i64,
    given: &SignIn<'_>,
    pending: bool,
) -> Result<String> {
    let token = secret();
    let agent: Option<String> = given.agent.map(|agent| agent.chars().take(300).collect());
    transaction.execute("update onemap.person set failures = 0 where id = $1 and failures <> 0", &[&person]).await?;
    transaction.execute("delete from onemap.session where expires_at < now()", &[]).await?;
    transaction
        .execute(
            "insert into onemap.session (token_hash, person_id, expires_at, address, agent, pending)
             values ($1, $2, now() + make_interval(hours => $3), $4, $5, $6)",
            &[&digest(b"session", &token).as_slice(), &person, &SESSION_HOURS, &given.address, &agent, &pending],
        )
        .await?;
    Ok(token)
}

fn person(row: &tokio_postgres::Row) -> Result<Principal> {
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
