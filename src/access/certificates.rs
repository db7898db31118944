//! Certificates of clients as second factors: registered by their SHA-256, shown through a proxy, revoked.

use onemap_credentials::certificate::Certificate;
use serde::Serialize;
use serde_json::json;
use tokio_postgres::GenericClient;

use super::audit::{self, Entry};
use super::login::Login;
use super::people::managed;
use super::principal::Principal;
use super::second_factor::now;
use crate::error::{Error, Result};

/// Certificates that a person has at once: the present one and the next, on two devices.
const MOST: i64 = 5;

/// A certificate as it stands in lists.
#[derive(Debug, Serialize)]
pub struct CertificateInfo {
    pub id: i64,
    /// SHA-256, in hexadecimal digits.
    pub fingerprint: String,
    pub label: String,
    /// As it named itself when it was shown last; nothing before that.
    pub subject: Option<String>,
    pub valid_from: Option<String>,
    pub valid_until: Option<String>,
    pub registered: String,
    pub last_used: Option<String>,
    pub revoked: Option<String>,
}

impl Login {
    /// A person's certificates, the revoked ones too, newest first.
    pub async fn certificates(&self, person: i64) -> Result<Vec<CertificateInfo>> {
        let client = self.database.app().await?;
        let time = |column: &str| format!("to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
        let times = ["valid_from", "valid_until", "registered_at", "last_used_at", "revoked_at"].map(time).join(", ");
        let sql = format!(
            "select id, encode(fingerprint, 'hex'), label, subject, {times} from onemap.certificate where person_id = $1
             order by id desc limit 100"
        );
        let rows = client.query(&sql, &[&person]).await?;
        let info = |r: &tokio_postgres::Row| CertificateInfo {
            id: r.get(0),
            fingerprint: r.get(1),
            label: r.get(2),
            subject: r.get(3),
            valid_from: r.get(4),
            valid_until: r.get(5),
            registered: r.get(6),
            last_used: r.get(7),
            revoked: r.get(8),
        };
        Ok(rows.iter().map(info).collect())
    }

    /// Registers the certificate that its person shows.
    pub async fn register_own(
        &self,
        by: &Principal,
        own: (i64, &str),
        certificate: &Certificate,
        label: &str,
    ) -> Result<i64> {
        if !certificate.is_valid_at(now()) {
            return Err(Error::conflict(
                "数字证书已过期或尚未生效",
                "the certificate has expired, or is not valid yet",
            ));
        }
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let id = register(&transaction, by, own, &certificate.fingerprint, label).await?;
        is_of(&*transaction, own.0, certificate).await?;
        transaction.commit().await?;
        self.settle(own.0).await?;
        Ok(id)
    }

    /// Registers a certificate that whoever issued it has named, before it is ever shown.
    pub async fn register_certificate(
        &self,
        by: &Principal,
        person: i64,
        fingerprint: &[u8; 32],
        label: &str,
    ) -> Result<i64> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let (login, ..) = managed(&*transaction, by, person).await?;
        let id = register(&transaction, by, (person, &login), fingerprint, label).await?;
        transaction.commit().await?;
        self.settle(person).await?;
        Ok(id)
    }

    /// Revokes one of a person's certificates. Whoever signed in with it does so anew.
    pub async fn revoke_certificate(&self, by: &Principal, (person, login): (i64, &str), id: i64) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let revoked = transaction
            .execute(
                "update onemap.certificate set revoked_at = now(), revoked_by = $3
                 where person_id = $1 and id = $2 and revoked_at is null",
                &[&person, &id, &by.name()],
            )
            .await?;
        if revoked == 0 {
            return Err(Error::not_found("没有这个证书", "there is no such certificate"));
        }
        transaction.execute("delete from onemap.session where person_id = $1", &[&person]).await?;
        let detail = json!({ "certificate": id });
        let entry = Entry { action: "remove", object_kind: "second_factor", object_id: login, detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        self.forget();
        Ok(())
    }

    /// The same by an administrator.
    pub async fn revoke_certificate_of(&self, by: &Principal, person: i64, id: i64) -> Result<()> {
        let client = self.database.app().await?;
        let (login, ..) = managed(&**client, by, person).await?;
        drop(client);
        self.revoke_certificate(by, (person, &login), id).await
    }
}

async fn register(
    transaction: &deadpool_postgres::Transaction<'_>,
    by: &Principal,
    (person, login): (i64, &str),
    fingerprint: &[u8; 32],
    label: &str,
) -> Result<i64> {
    let label = label.trim();
    if label.chars().count() > 100 {
        return Err(Error::invalid("label", "说明最多 100 个字", "a label has at most 100 characters"));
    }
    // Two at once: one after the other.
    transaction.execute("select from onemap.person where id = $1 for update", &[&person]).await?;
    let count = "select count(*) from onemap.certificate where person_id = $1 and revoked_at is null";
    if transaction.query_one(count, &[&person]).await?.get::<_, i64>(0) >= MOST {
        return Err(Error::conflict("每人最多 5 个证书", "a person has at most five certificates")
            .hint("请先吊销不用的", "revoke those that are not used first"));
    }
    let row = transaction
        .query_opt(
            "insert into onemap.certificate (person_id, fingerprint, label, registered_by) values ($1, $2, $3, $4)
             on conflict (fingerprint) where revoked_at is null do nothing returning id",
            &[&person, &fingerprint.as_slice(), &label, &by.name()],
        )
        .await?
        .ok_or_else(|| Error::conflict("该证书已登记", "this certificate is registered already"))?;
    let id: i64 = row.get(0);
    let detail = json!({"certificate": id, "fingerprint": hex::encode(fingerprint)});
    let entry = Entry { action: "enrol", object_kind: "second_factor", object_id: login, detail };
    audit::write(&**transaction, by, entry).await?;
    Ok(id)
}

/// Whether a certificate that is shown is one of the person's; what it says of itself is kept.
pub(super) async fn is_of(client: &impl GenericClient, person: i64, shown: &Certificate) -> Result<bool> {
    let (from, until) = (shown.valid.0 as f64, shown.valid.1 as f64);
    let known = client
        .execute(
            "update onemap.certificate set subject = $3, valid_from = to_timestamp($4), valid_until = to_timestamp($5),
                 last_used_at = now() where person_id = $1 and fingerprint = $2 and revoked_at is null",
            &[&person, &shown.fingerprint.as_slice(), &shown.subject, &from, &until],
        )
        .await?;
    match known == 1 && !shown.is_valid_at(now()) {
        true => Err(not_valid()),
        false => Ok(known == 1),
    }
}

/// What is said to whoever has nothing but a certificate and did not show it.
pub(super) fn needed() -> Error {
    Error::unauthenticated("请出示已登记的数字证书", "the registered certificate is needed")
        .named("/problems/client-certificate")
        .hint(
            "请插入证书介质并经证书登录入口访问；证书丢失请联系本单位管理员",
            "insert its token and come by the address that asks for certificates; when it is lost, ask your administrator",
        )
}

fn not_valid() -> Error {
    Error::unauthenticated("数字证书已过期或尚未生效", "the certificate has expired, or is not valid yet")
        .named("/problems/client-certificate")
        .hint("请更换证书后重新登记", "get another one and have it registered")
}
