//! Proving who asks: passwords (Argon2id), sessions and application keys.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::future::Cache;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::audit;
use super::gate::sign_in;
use super::principal::{Principal, Role, Who};
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
}

#[derive(Clone)]
pub struct Login {
    database: Database,
    believed: Cache<[u8; 32], Principal>,
}

/// A key as it is shown once.
pub struct NewKey {
    pub id: Uuid,
    pub key: String,
    pub prefix: String,
}

impl Login {
    pub fn new(database: Database) -> Self {
        Login { database, believed: Cache::builder().max_capacity(20_000).time_to_live(BELIEVED).build() }
    }

    /// Forgets all proofs: somebody's key, session or role changed.
    pub fn forget(&self) {
        self.believed.invalidate_all();
    }

    /// Who a credential belongs to, or 401.
    pub async fn authenticate(&self, credential: &Credential) -> Result<Principal> {
        let hash = match credential {
            Credential::Session(token) => digest(b"session", token),
            Credential::Key(key) => digest(b"key", key),
        };
        if let Some(principal) = self.believed.get(&hash).await {
            return Ok(principal);
        }
        let principal = match credential {
            Credential::Session(_) => self.session(&hash).await?,
            Credential::Key(_) => self.key(&hash).await?,
        };
        self.believed.insert(hash, principal.clone()).await;
        Ok(principal)
    }

    async fn session(&self, hash: &[u8; 32]) -> Result<Principal> {
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "select p.id, p.login, p.name, p.role, p.department_id from onemap.session s
                 join onemap.person p on p.id = s.person_id
                 where s.token_hash = $1 and s.expires_at > now() and p.active",
                &[&hash.as_slice()],
            )
            .await?
            .ok_or_else(|| Error::unauthenticated("登录已过期，请重新登录", "the session has ended; sign in again"))?;
        person(&row)
    }

    async fn key(&self, hash: &[u8; 32]) -> Result<Principal> {
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "select id, label, department_id from onemap.app_key
                 where key_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())",
                &[&hash.as_slice()],
            )
            .await?
            .ok_or_else(|| {
                Error::unauthenticated(
                    "应用密钥无效、已过期或已吊销",
                    "the application key is unknown, expired or revoked",
                )
                .hint("请在开发者中心创建新密钥", "create a new one in the developer centre")
            })?;
        Ok(Principal {
            who: Who::Key { id: row.get(0), label: row.get::<_, &str>(1).into() },
            department: Some(row.get::<_, &str>(2).into()),
        })
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

    /// Checks a password and opens a session. Unknown names cost the same time as wrong passwords.
    pub async fn sign_in(&self, login: &str, password: &str) -> Result<(String, Principal)> {
        let mut client = self.database.app().await?;
        let row = client
            .query_opt(
                "select id, login, name, role, department_id, password_hash,
                        coalesce(locked_until > now(), false) from onemap.person where login = $1 and active",
                &[&login],
            )
            .await?;
        let stored = row.as_ref().map(|r| r.get::<_, String>(5));
        let right = verify(password.to_owned(), stored).await?;
        let wrong = || Error::unauthenticated("用户名或密码不正确", "the user name or the password is wrong");
        let Some(row) = row else { return Err(wrong()) };
        let id: i64 = row.get(0);
        if row.get::<_, bool>(6) {
            return Err(Error::unauthenticated(
                format!("多次输入错误，账号已锁定 {LOCK_MINUTES} 分钟"),
                format!("too many wrong passwords: the account is locked for {LOCK_MINUTES} minutes"),
            ));
        }
        if !right {
            client
                .execute(
                    "update onemap.person set failures = (failures + 1) % $2,
                     locked_until = case when failures + 1 >= $2 then now() + make_interval(mins => $3) end where id = $1",
                    &[&id, &FAILURES, &LOCK_MINUTES],
                )
                .await?;
            return Err(wrong());
        }
        let principal = person(&row)?;
        let token = secret();
        let transaction = client.transaction().await?;
        transaction.execute("update onemap.person set failures = 0 where id = $1 and failures <> 0", &[&id]).await?;
        transaction.execute("delete from onemap.session where expires_at < now()", &[]).await?;
        transaction
            .execute(
                "insert into onemap.session (token_hash, person_id, expires_at)
                 values ($1, $2, now() + make_interval(hours => $3))",
                &[&digest(b"session", &token).as_slice(), &id, &SESSION_HOURS],
            )
            .await?;
        let entry =
            audit::Entry { action: "sign_in", object_kind: "person", object_id: login, detail: serde_json::json!({}) };
        audit::write(&*transaction, &principal, entry).await?;
        transaction.commit().await?;
        Ok((token, principal))
    }

    pub async fn sign_out(&self, token: &str) -> Result<()> {
        let hash = digest(b"session", token);
        let client = self.database.app().await?;
        client.execute("delete from onemap.session where token_hash = $1", &[&hash.as_slice()]).await?;
        self.believed.invalidate(&hash).await;
        Ok(())
    }

    /// Makes a key for a department. The key itself is not kept.
    pub async fn create_key(&self, by: &Principal, department: &str, label: &str, days: Option<i32>) -> Result<NewKey> {
        let key = Self::new_key();
        let new = NewKey { id: Uuid::now_v7(), prefix: key[..9].to_owned(), key };
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        transaction
            .execute(
                "insert into onemap.app_key (id, department_id, label, prefix, key_hash, created_by, expires_at)
                 values ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7))",
                &[&new.id, &department, &label, &new.prefix, &digest(b"key", &new.key).as_slice(), &by.name(), &days],
            )
            .await?;
        let entry = audit::Entry {
            action: "create",
            object_kind: "key",
            object_id: &new.id.to_string(),
            detail: serde_json::json!({"department": department, "label": label, "days": days}),
        };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// A new key's text.
    pub fn new_key() -> String {
        format!("om_{}", secret())
    }

    /// Makes a key whose text is known already, unless it is there.
    pub async fn ensure_key(&self, by: &Principal, department: &str, label: &str, key: &str) -> Result<()> {
        let client = self.database.app().await?;
        client
            .execute(
                "insert into onemap.app_key (id, department_id, label, prefix, key_hash, created_by)
                 values ($1, $2, $3, $4, $5, $6) on conflict (key_hash) do nothing",
                &[
                    &Uuid::now_v7(),
                    &department,
                    &label,
                    &key.chars().take(9).collect::<String>(),
                    &digest(b"key", key).as_slice(),
                    &by.name(),
                ],
            )
            .await?;
        Ok(())
    }

    /// Whether this is the person's password now.
    pub async fn password_is(&self, login: &str, password: &str) -> Result<bool> {
        let client = self.database.app().await?;
        let row = client.query_opt("select password_hash from onemap.person where login = $1", &[&login]).await?;
        verify(password.to_owned(), row.map(|r| r.get(0))).await
    }

    /// Revokes a key of the department. False when there is none.
    pub async fn revoke_key(&self, by: &Principal, department: &str, id: Uuid) -> Result<bool> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let changed = transaction
            .execute(
                "update onemap.app_key set revoked_at = now()
                 where id = $1 and department_id = $2 and revoked_at is null",
                &[&id, &department],
            )
            .await?;
        let entry = audit::Entry {
            action: "revoke",
            object_kind: "key",
            object_id: &id.to_string(),
            detail: serde_json::json!({}),
        };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        self.forget();
        Ok(changed == 1)
    }
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

fn digest(kind: &[u8], secret: &str) -> [u8; 32] {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(secret.as_bytes()).finalize().into()
}

/// 192 random bits, in URL-safe letters.
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>())
}

/// Argon2id with the crate's defaults (19 MiB, 2 passes: OWASP's first recommendation).
pub async fn hash_password(password: String) -> Result<String> {
    tokio::task::spawn_blocking(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|h| h.to_string())
            .map_err(|e| Error::internal(e.to_string()))
    })
    .await
    .map_err(Error::internal)?
}

async fn verify(password: String, stored: Option<String>) -> Result<bool> {
    tokio::task::spawn_blocking(move || {
        let Some(stored) = stored else {
            // Nobody has this name: spend the time all the same.
            let _ = Argon2::default().hash_password(password.as_bytes());
            return Ok(false);
        };
        let hash = argon2::PasswordHash::new(&stored).map_err(|e| Error::internal(e.to_string()))?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await
    .map_err(Error::internal)?
}
