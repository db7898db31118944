//! Sessions: opened by whatever way of signing in, used, listed, ended.

use serde::Serialize;
use uuid::Uuid;

use super::audit;
use super::login::{Login, Proof, Stage, digest, failed, locked, person};
use super::passwords::secret;
use super::principal::{Principal, Role};
use super::second_factor;
use crate::error::{Error, Result};

/// Seconds that the time of a session's last use may lag behind: reading costs no writing but once in so long.
const LAG: f64 = 60.0;

/// Where somebody signs in from.
#[derive(Debug, Default)]
pub struct Device {
    pub address: Option<String>,
    pub agent: Option<String>,
}

/// A session as it begins.
pub(super) struct Opening {
    pub person: i64,
    /// `password` or `oidc`.
    pub by: &'static str,
    pub pending: bool,
    pub unproved: bool,
}

/// A session as its person sees it.
#[derive(Debug, Serialize)]
pub struct SessionInfo {
    pub id: Uuid,
    pub created: String,
    pub expires: String,
    /// To the minute.
    pub last_used: String,
    pub opened_by: String,
    pub address: Option<String>,
    pub agent: Option<String>,
    /// The one that asks.
    pub current: bool,
}

impl Login {
    pub(super) async fn session(&self, hash: &[u8; 32], by_itself: bool) -> Result<Proof> {
        let ended = || Error::unauthenticated("登录已过期，请重新登录", "the session has ended; sign in again");
        let client = self.database.app().await?;
        let row = client
            .query_opt(
                "select p.id, p.login, p.name, p.role, p.department_id, s.pending, s.unproved,
                     extract(epoch from now() - s.last_used_at)::float8
                 from onemap.session s join onemap.person p on p.id = s.person_id
                 where s.token_hash = $1 and s.expires_at > now() and p.active",
                &[&hash.as_slice()],
            )
            .await?
            .ok_or_else(ended)?;
        let principal = person(&row)?;
        let idle: f64 = row.get(7);
        if idle >= f64::from(self.terms.idle(principal.role())) * 60.0 {
            return Err(ended());
        }
        if idle >= LAG && !by_itself {
            let used = "update onemap.session set last_used_at = now() where token_hash = $1";
            client.execute(used, &[&hash.as_slice()]).await?;
        }
        let stage = match (row.get(6), row.get(5)) {
            (true, _) => Stage::Unproved,
            (false, true) => Stage::Unfinished,
            (false, false) => Stage::Whole,
        };
        Ok(Proof { principal, bounds: None, stage, signed: None })
    }

    /// A session's token; its SHA-256 alone is kept.
    pub(super) async fn open_session(
        &self,
        transaction: &deadpool_postgres::Transaction<'_>,
        opening: &Opening,
        device: &Device,
    ) -> Result<String> {
        let token = secret();
        let agent: Option<String> = device.agent.as_ref().map(|agent| agent.chars().take(300).collect());
        let person = opening.person;
        transaction
            .execute("update onemap.person set failures = 0 where id = $1 and failures <> 0", &[&person])
            .await?;
        transaction
            .execute(
                "delete from onemap.session where expires_at < now() or last_used_at < now() - make_interval(mins => $1)",
                &[&self.terms.longest_idle()],
            )
            .await?;
        transaction
            .execute(
                "insert into onemap.session (token_hash, person_id, expires_at, address, agent, pending, unproved, opened_by)
                 values ($1, $2, now() + make_interval(hours => $3), $4, $5, $6, $7, $8)",
                &[
                    &digest(b"session", &token).as_slice(),
                    &person,
                    &self.terms.hours,
                    &device.address,
                    &agent,
                    &opening.pending,
                    &opening.unproved,
                    &opening.by,
                ],
            )
            .await?;
        Ok(token)
    }

    /// Seconds that a session's cookie is good for.
    pub fn session_seconds(&self) -> i32 {
        self.terms.hours.saturating_mul(3600)
    }

    /// Shows the second factor in a session that was opened without it; gives the session's new token.
    pub async fn show_factor(
        &self,
        by: &Principal,
        (person, login): (i64, &str),
        token: &str,
        shown: &second_factor::Shown<'_>,
        device: &Device,
    ) -> Result<String> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "select coalesce(locked_until > now(), false) from onemap.person where id = $1 for update";
        if transaction.query_one(sql, &[&person]).await?.get(0) {
            return Err(locked());
        }
        let enrolled = second_factor::enrolled(&*transaction, person).await?;
        let means = match second_factor::prove(&*transaction, person, enrolled, shown).await {
            Ok(means) => means,
            Err(refused) => {
                if shown.code.is_some() {
                    failed(&transaction, (person, login), "second_factor", device).await?;
                    transaction.commit().await?;
                }
                return Err(refused);
            }
        };
        // What it is good for has changed, and so does its token.
        let new = secret();
        let changed = transaction
            .execute(
                "update onemap.session set unproved = false, token_hash = $2 where token_hash = $1 and unproved",
                &[&digest(b"session", token).as_slice(), &digest(b"session", &new).as_slice()],
            )
            .await?;
        if changed == 0 {
            return Err(Error::conflict("此会话无需再次验证", "this session waits for no second factor"));
        }
        let detail = serde_json::json!({"second_factor": means, "address": device.address});
        let entry = audit::Entry { action: "show", object_kind: "second_factor", object_id: login, detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        self.forget();
        Ok(new)
    }

    /// A person's sessions, newest first. `token` is that of the one who asks.
    pub async fn sessions(&self, (person, role): (i64, Role), token: &str) -> Result<Vec<SessionInfo>> {
        let client = self.database.app().await?;
        let rows = client
            .query(
                "select id, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                     to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), address, agent, token_hash = $2,
                     to_char(last_used_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), opened_by
                 from onemap.session where person_id = $1 and expires_at > now()
                     and last_used_at > now() - make_interval(mins => $3) order by created_at desc limit 200",
                &[&person, &digest(b"session", token).as_slice(), &self.terms.idle(Some(role))],
            )
            .await?;
        let info = |r: &tokio_postgres::Row| SessionInfo {
            id: r.get(0),
            created: r.get(1),
            expires: r.get(2),
            address: r.get(3),
            agent: r.get(4),
            current: r.get(5),
            last_used: r.get(6),
            opened_by: r.get(7),
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
