//! The second factor: one-time passwords by time, codes for the day when the device is gone; or a certificate (`certificates`).

use onemap_credentials::certificate::Certificate;
use onemap_credentials::totp;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_postgres::GenericClient;

use super::audit::{self, Entry};
use super::certificates;
use super::login::Login;
use super::principal::Principal;
use crate::error::{Error, Result};

/// Recovery codes that are given out.
const CODES: usize = 10;
/// Who an authenticator says the account is with.
const ISSUER: &str = "onemap";

/// What somebody shows beside a password.
#[derive(Debug, Default)]
pub struct Shown<'a> {
    /// A one-time password or a recovery code.
    pub code: Option<&'a str>,
    pub certificate: Option<&'a Certificate>,
}

/// By what a second factor was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    Code,
    Certificate,
    /// The OpenID provider says that it has seen one.
    Provider,
}

/// Which second factors a person has.
#[derive(Debug, Clone, Copy)]
pub struct Enrolled {
    pub codes: bool,
    pub certificates: bool,
}

impl Enrolled {
    pub fn any(self) -> bool {
        self.codes || self.certificates
    }
}

/// What a person's device has to learn. Shown once.
pub struct Enrolment {
    pub secret: String,
    pub uri: String,
}

impl Login {
    /// A new secret for a person who has none that is confirmed.
    pub async fn enrol(&self, (person, login): (i64, &str)) -> Result<Enrolment> {
        let secret: [u8; 20] = rand::random();
        let client = self.database.app().await?;
        let put = client
            .execute(
                "insert into onemap.second_factor (person_id, secret) values ($1, $2)
                 on conflict (person_id) do update set secret = excluded.secret, last_step = 0
                 where second_factor.confirmed_at is null",
                &[&person, &secret.as_slice()],
            )
            .await?;
        match put {
            0 => Err(Error::conflict("已启用第二因素", "there is a second factor already")
                .hint("如需更换，请先停用", "remove it first")),
            _ => Ok(Enrolment { secret: totp::base32(&secret), uri: totp::uri(ISSUER, login, &secret) }),
        }
    }

    /// Confirms it by a first code; gives the recovery codes, which are kept as digests only.
    pub async fn confirm(&self, by: &Principal, (person, login): (i64, &str), code: &str) -> Result<Vec<String>> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "select secret from onemap.second_factor where person_id = $1 and confirmed_at is null for update";
        let row = transaction
            .query_opt(sql, &[&person])
            .await?
            .ok_or_else(|| Error::conflict("没有待确认的第二因素", "there is no second factor to be confirmed"))?;
        let step = totp::step_of(row.get(0), code, now(), 0)
            .ok_or_else(|| Error::invalid("code", "验证码不正确", "the code is wrong"))?;
        let codes: Vec<String> = (0..CODES).map(|_| recovery_code()).collect();
        let kept: Vec<Vec<u8>> = codes.iter().map(|code| digest(code)).collect();
        transaction
            .execute(
                "update onemap.second_factor set confirmed_at = now(), last_step = $2, recovery = $3 where person_id = $1",
                &[&person, &step, &kept],
            )
            .await?;
        let entry = Entry { action: "enrol", object_kind: "second_factor", object_id: login, detail: json!({}) };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        self.settle(person).await?;
        Ok(codes)
    }

    /// Removes a person's one-time passwords: the person's own doing. An administrator's, when everything is lost, takes the certificates
    /// along.
    pub async fn remove_factor(&self, by: &Principal, (person, login): (i64, &str), certificates: bool) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let mut gone = transaction.execute("delete from onemap.second_factor where person_id = $1", &[&person]).await?;
        if certificates {
            let revoke = "update onemap.certificate set revoked_at = now(), revoked_by = $2
                where person_id = $1 and revoked_at is null";
            gone += transaction.execute(revoke, &[&person, &by.name()]).await?;
        }
        if gone == 0 {
            return Err(Error::not_found("没有启用第二因素", "there is no second factor"));
        }
        transaction.execute("delete from onemap.session where person_id = $1", &[&person]).await?;
        let entry = Entry { action: "remove", object_kind: "second_factor", object_id: login, detail: json!({}) };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        self.forget();
        Ok(())
    }
}

pub(super) async fn enrolled(client: &impl GenericClient, person: i64) -> Result<Enrolled> {
    let sql = "select exists (select from onemap.second_factor where person_id = $1 and confirmed_at is not null),
                   exists (select from onemap.certificate where person_id = $1 and revoked_at is null)";
    let row = client.query_one(sql, &[&person]).await?;
    Ok(Enrolled { codes: row.get(0), certificates: row.get(1) })
}

/// Looks at what is shown; by what it is proved, or nothing for whoever has no second factor.
pub(super) async fn prove(
    client: &impl GenericClient,
    person: i64,
    enrolled: Enrolled,
    shown: &Shown<'_>,
) -> Result<Option<Means>> {
    if let Some(certificate) = shown.certificate.filter(|_| enrolled.certificates)
        && certificates::is_of(client, person, certificate).await?
    {
        return Ok(Some(Means::Certificate));
    }
    if enrolled.codes {
        return check(client, person, shown.code).await.map(|()| Some(Means::Code));
    }
    match enrolled.certificates {
        true => Err(certificates::needed()),
        false => Ok(None),
    }
}

/// Takes the code of somebody who signs in: a one-time password, once, or a recovery code, which is used up.
async fn check(client: &impl GenericClient, person: i64, given: Option<&str>) -> Result<()> {
    let Some(given) = given.map(str::trim).filter(|code| !code.is_empty()) else {
        return Err(Error::unauthenticated("请输入第二因素验证码", "the code of the second factor is needed")
            .named("/problems/second-factor")
            .hint(
                "在 code 中提交验证器上的 6 位数字，或一个恢复码",
                "send the six digits, or a recovery code, as `code`",
            ));
    };
    let wrong = || {
        Error::unauthenticated("第二因素验证码不正确", "the code of the second factor is wrong")
            .named("/problems/second-factor")
    };
    let sql = "select secret, last_step, recovery from onemap.second_factor where person_id = $1 for update";
    let row = client.query_one(sql, &[&person]).await?;
    if let Some(step) = totp::step_of(row.get(0), given, now(), row.get(1)) {
        client
            .execute("update onemap.second_factor set last_step = $2 where person_id = $1", &[&person, &step])
            .await?;
        return Ok(());
    }
    let used = digest(&given.to_ascii_uppercase());
    let kept: Vec<Vec<u8>> = row.get(2);
    let left: Vec<&Vec<u8>> = kept.iter().filter(|code| !totp::same(code, &used)).collect();
    if left.len() == kept.len() {
        return Err(wrong());
    }
    client.execute("update onemap.second_factor set recovery = $2 where person_id = $1", &[&person, &left]).await?;
    Ok(())
}

/// 80 random bits: a fast digest of them is as good as a slow one.
fn recovery_code() -> String {
    let letters = totp::base32(&rand::random::<[u8; 10]>());
    letters.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>().join("-")
}

fn digest(code: &str) -> Vec<u8> {
    Sha256::new().chain_update(b"recovery").chain_update([0]).chain_update(code.as_bytes()).finalize().to_vec()
}

pub(super) fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
}
