//! Certificates as second factors: one's own, and those of people that one manages.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;

use super::people::{again, itself, number};
use super::{body, created, ok};
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};

pub async fn own(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let certificates = ask.app.login.certificates(itself(&ask)?.0).await?;
    let shown = ask.certificate().map(|shown| {
        let time = |seconds| jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string());
        json!({"fingerprint": hex::encode(shown.fingerprint), "subject": shown.subject,
               "valid_from": time(shown.valid.0), "valid_until": time(shown.valid.1)})
    });
    let taken = ask.app.config.client_certificates;
    Ok(ok(&json!({"certificates": certificates, "shown": shown, "taken": taken})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    #[serde(default)]
    label: String,
}

/// Registers the certificate with which the caller is here.
pub async fn register_own(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let Own { label } = body(&bytes)?;
    let certificate = ask.certificate().ok_or_else(|| {
        Error::conflict("本次访问没有出示数字证书", "no certificate is shown with this request").hint(
            "请插入证书介质并经证书登录入口访问；或请管理员按指纹登记",
            "insert its token and come by the address that asks for certificates; or let an administrator register its fingerprint",
        )
    })?;
    let id = ask.app.login.register_own(&ask.principal, itself(&ask)?, &certificate, &label).await?;
    Ok(created(&json!({ "id": id })))
}

/// Takes the password again: a session that was left open must not be enough.
pub async fn revoke_own(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    again(&ask, &bytes).await?;
    ask.app.login.revoke_certificate(&ask.principal, itself(&ask)?, certificate(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn list(ask: Ask, Path(person): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let person = ask.app.login.person(&ask.principal, number(&person)?).await?;
    Ok(ok(&json!({"certificates": ask.app.login.certificates(person.id).await?})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    fingerprint: String,
    #[serde(default)]
    label: String,
}

pub async fn register(ask: Ask, Path(person): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let (person, named) = (number(&person)?, body::<Named>(&bytes)?);
    // Where none can be shown it would lock its person out.
    if !ask.app.config.client_certificates {
        return Err(Error::conflict("本平台未启用数字证书", "certificates are not taken here")
            .hint("启用方法见 docs/identity.md 的 client_certificates", "see client_certificates in docs/identity.md")
            .into());
    }
    let fingerprint = fingerprint(&named.fingerprint)?;
    let id = ask.app.login.register_certificate(&ask.principal, person, &fingerprint, &named.label).await?;
    Ok(created(&json!({ "id": id })))
}

pub async fn revoke(ask: Ask, Path((person, id)): Path<(String, String)>) -> Answer {
    ask.parameters.clone().finish()?;
    ask.app.login.revoke_certificate_of(&ask.principal, number(&person)?, certificate(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn certificate(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::not_found("没有这个证书", "there is no such certificate"))
}

/// 64 hexadecimal digits, as programs show them: with colons or spaces between.
fn fingerprint(text: &str) -> Result<[u8; 32]> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).take(65).collect();
    let mut bytes = [0; 32];
    hex::decode_to_slice(&digits, &mut bytes).map_err(|_| {
        Error::invalid(
            "fingerprint",
            "应为证书的 SHA-256 指纹：64 位十六进制数字",
            "it is the certificate's SHA-256: 64 hexadecimal digits",
        )
    })?;
    Ok(bytes)
}
