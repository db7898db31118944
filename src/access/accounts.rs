//! Accounts at an OpenID provider: linked to people by administrators, and people signed in by them. What a person may do is always said
//! here, never by the provider.

use onemap_credentials::id_token::Claims;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::audit::{self, Entry};
use super::login::{Login, person as principal_of};
use super::oidc::{Refusal, Vouched};
use super::passwords::{hash_password, secret};
use super::people::{is_login, managed};
use super::principal::Principal;
use super::second_factor::{self, Enrolled, Means, Shown};
use super::sessions::{Device, Opening};
use crate::config::Oidc as Settings;
use crate::error::{Error, Kind, Result};

type Transaction<'a> = deadpool_postgres::Transaction<'a>;

/// Accounts of a person.
const MOST: i64 = 10;

/// An account as an administrator sees it.
#[derive(Debug, Serialize)]
pub struct AccountInfo {
    pub id: i64,
    pub issuer: String,
    /// The provider's own mark of the account; none until a first sign-in when it was linked by its name.
    pub subject: Option<String>,
    pub name: Option<String>,
    pub linked: String,
    pub last_used: Option<String>,
}

/// By what an account is linked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    pub subject: Option<String>,
    /// The value of the claim that the settings name.
    pub name: Option<String>,
}

/// Somebody who was signed in.
pub struct SignedIn {
    pub token: String,
    /// Nobody knew them before.
    pub made: bool,
}

impl Login {
    pub async fn accounts(&self, by: &Principal, person: i64) -> Result<Vec<AccountInfo>> {
        let client = self.database.app().await?;
        managed(&**client, by, person).await?;
        let rows = client
            .query(
                "select id, issuer, subject, name, to_char(linked_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                     to_char(last_used_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
                 from onemap.external_account where person_id = $1 order by id",
                &[&person],
            )
            .await?;
        let info = |r: &tokio_postgres::Row| AccountInfo {
            id: r.get(0),
            issuer: r.get(1),
            subject: r.get(2),
            name: r.get(3),
            linked: r.get(4),
            last_used: r.get(5),
        };
        Ok(rows.iter().map(info).collect())
    }

    pub async fn link_account(&self, by: &Principal, person: i64, issuer: &str, new: &NewAccount) -> Result<i64> {
        let [subject, name] = [("subject", &new.subject), ("name", &new.name)].map(|(parameter, text)| {
            let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
            match text.is_some_and(|text| text.len() > 255 || text.contains(char::is_control)) {
                true => Err(Error::invalid(parameter, "最长 255 个字符", "it has at most 255 characters")),
                false => Ok(text),
            }
        });
        let (subject, name) = (subject?, name?);
        if subject.is_none() && name.is_none() {
            return Err(Error::invalid("subject", "须给出 subject 或 name", "a subject or a name is needed"));
        }
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let (login, ..) = managed(&*transaction, by, person).await?;
        let count = "select count(*) from onemap.external_account where person_id = $1";
        if transaction.query_one(count, &[&person]).await?.get::<_, i64>(0) >= MOST {
            return Err(Error::conflict("每人最多关联 10 个账号", "a person has at most ten accounts"));
        }
        let row = transaction
            .query_opt(
                "insert into onemap.external_account (person_id, issuer, subject, name, linked_by) values ($1, $2, $3, $4, $5)
                 on conflict do nothing returning id",
                &[&person, &issuer, &subject, &name, &by.name()],
            )
            .await?
            .ok_or_else(|| Error::conflict("该账号已关联到某人", "this account is linked to somebody already"))?;
        let id: i64 = row.get(0);
        let detail = json!({"account": id, "subject": subject, "name": name});
        let entry = Entry { action: "link", object_kind: "person", object_id: &login, detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Unlinks an account; what its person opened by it ends.
    pub async fn unlink_account(&self, by: &Principal, person: i64, id: i64) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let (login, ..) = managed(&*transaction, by, person).await?;
        let sql = "delete from onemap.external_account where person_id = $1 and id = $2";
        if transaction.execute(sql, &[&person, &id]).await? == 0 {
            return Err(Error::not_found("没有这个账号", "there is no such account"));
        }
        let ended = "delete from onemap.session where person_id = $1 and opened_by = 'oidc'";
        transaction.execute(ended, &[&person]).await?;
        let entry =
            Entry { action: "unlink", object_kind: "person", object_id: &login, detail: json!({ "account": id }) };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        self.forget();
        Ok(())
    }

    /// Opens a session for whom the provider vouches, once for each sign-in there.
    pub async fn sign_in_by(
        &self,
        settings: &Settings,
        issuer: &str,
        vouched: &Vouched,
        shown: &Shown<'_>,
        device: &Device,
    ) -> Result<SignedIn, Refusal> {
        let signed_in = self.opened_by(settings, issuer, vouched, shown, device).await;
        signed_in.unwrap_or_else(|e| {
            tracing::error!("a sign-in by the OpenID provider fails: {e}");
            Err(Refusal::Failed)
        })
    }

    async fn opened_by(
        &self,
        settings: &Settings,
        issuer: &str,
        vouched: &Vouched,
        shown: &Shown<'_>,
        device: &Device,
    ) -> Result<Result<SignedIn, Refusal>> {
        let claims = &vouched.claims;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        if !spend(&transaction, &vouched.digest).await? {
            return Ok(Err(Refusal::Expired));
        }
        let linked = match linked(&transaction, settings, issuer, claims).await? {
            Some(id) => Some((id, false)),
            None => make(&transaction, settings, issuer, claims).await?.map(|id| (id, true)),
        };
        let Some((id, made)) = linked else {
            transaction.commit().await?;
            // What an administrator needs in order to link them.
            tracing::info!(subject = claims.subject(), "nobody is linked to an account of the OpenID provider");
            return Ok(Err(Refusal::Unknown));
        };
        let sql = "select id, login, name, role, department_id, active from onemap.person where id = $1";
        let row = transaction.query_one(sql, &[&id]).await?;
        if !row.get::<_, bool>(5) {
            transaction.commit().await?;
            return Ok(Err(Refusal::Barred));
        }
        let principal = principal_of(&row)?;
        let enrolled = second_factor::enrolled(&*transaction, id).await?;
        let Some((means, unproved)) = self.proved(&transaction, id, settings, claims, enrolled, shown).await? else {
            transaction.commit().await?;
            return Ok(Err(Refusal::Certificate));
        };
        let pending = means.is_none() && !enrolled.any() && self.terms.needs_factor(principal.role());
        let opening = Opening { person: id, by: "oidc", pending, unproved };
        let token = self.open_session(&transaction, &opening, device).await?;
        let detail = json!({"by": "oidc", "second_factor": means, "address": device.address});
        let entry = Entry { action: "sign_in", object_kind: "person", object_id: row.get(1), detail };
        audit::write(&*transaction, &principal, entry).await?;
        transaction.commit().await?;
        Ok(Ok(SignedIn { token, made }))
    }

    /// By what the second factor is proved, and whether it is still to be. None when only a certificate could, and none was shown.
    async fn proved(
        &self,
        transaction: &Transaction<'_>,
        person: i64,
        settings: &Settings,
        claims: &Claims,
        enrolled: Enrolled,
        shown: &Shown<'_>,
    ) -> Result<Option<(Option<Means>, bool)>> {
        let says = |value: &String| claims.names("amr", value) || claims.text("acr") == Some(value.as_str());
        if settings.oidc_second_factor.iter().any(says) {
            return Ok(Some((Some(Means::Provider), false)));
        }
        match second_factor::prove(&**transaction, person, enrolled, shown).await {
            Ok(means) => Ok(Some((means, false))),
            Err(_) if enrolled.codes => Ok(Some((None, true))),
            Err(refused) if refused.kind == Kind::Unauthenticated => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Whether a sign-in at the provider is completed for the first time.
async fn spend(transaction: &Transaction<'_>, digest: &[u8; 32]) -> Result<bool> {
    transaction.execute("delete from onemap.spent_sign_in where until < now()", &[]).await?;
    let sql = "insert into onemap.spent_sign_in (digest, until) values ($1, now() + interval '1 hour') on conflict do nothing";
    Ok(transaction.execute(sql, &[&digest.as_slice()]).await? == 1)
}

/// The claim by which an account may be linked beforehand. An address counts when the provider has seen that it is theirs.
fn name_of<'a>(settings: &Settings, claims: &'a Claims) -> Option<&'a str> {
    let claim = settings.oidc_link_claim.as_deref()?;
    let verified = claim != "email" || claims.is_true("email_verified");
    claims.text(claim).filter(|name| verified && name.len() <= 255)
}

/// The person that an account is linked to: by its subject, or for the first time by its name.
async fn linked(
    transaction: &Transaction<'_>,
    settings: &Settings,
    issuer: &str,
    claims: &Claims,
) -> Result<Option<i64>> {
    let by_subject = "update onemap.external_account set last_used_at = now() where issuer = $1 and subject = $2
        returning person_id";
    if let Some(row) = transaction.query_opt(by_subject, &[&issuer, &claims.subject()]).await? {
        return Ok(Some(row.get(0)));
    }
    let Some(name) = name_of(settings, claims) else { return Ok(None) };
    let by_name = "update onemap.external_account set subject = $2, last_used_at = now()
        where issuer = $1 and lower(name) = lower($3) and subject is null returning person_id";
    let row = transaction.query_opt(by_name, &[&issuer, &claims.subject(), &name]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// Makes a user of the department that the provider names, where the settings allow that.
async fn make(
    transaction: &Transaction<'_>,
    settings: &Settings,
    issuer: &str,
    claims: &Claims,
) -> Result<Option<i64>> {
    let Some(named) = settings.oidc_department_claim.as_deref().and_then(|claim| claims.text(claim)) else {
        return Ok(None);
    };
    let sql =
        "select id from onemap.department where id = $1 or (code <> '' and code = $1) order by id = $1 desc limit 1";
    let Some(row) = transaction.query_opt(sql, &[&named]).await? else { return Ok(None) };
    let department: String = row.get(0);
    let hash = hash_password(secret()).await?;
    let mark = hex::encode(&Sha256::digest(format!("{issuer}\n{}", claims.subject()))[..6]);
    let wanted = claims.text("preferred_username").map(str::to_lowercase).filter(|login| is_login(login));
    // A name that somebody has stays theirs.
    for login in wanted.into_iter().chain([format!("oidc-{mark}")]) {
        let name = claims.text("name").filter(|name| name.chars().count() <= 100).unwrap_or(&login);
        let made = transaction
            .query_opt(
                "insert into onemap.person (login, name, department_id, role, password_hash, must_change_password)
                 values ($1, $2, $3, 'user', $4, true) on conflict (login) do nothing
                 returning id, login, name, role, department_id",
                &[&login, &name, &department, &hash],
            )
            .await?;
        let Some(row) = made else { continue };
        let id: i64 = row.get(0);
        transaction
            .execute(
                "insert into onemap.external_account (person_id, issuer, subject, linked_by, last_used_at)
                 values ($1, $2, $3, 'oidc', now())",
                &[&id, &issuer, &claims.subject()],
            )
            .await?;
        let detail = json!({"department": department, "role": "user", "by": "oidc"});
        let entry = Entry { action: "create", object_kind: "person", object_id: &login, detail };
        audit::write(&**transaction, &principal_of(&row)?, entry).await?;
        return Ok(Some(id));
    }
    Ok(None)
}
