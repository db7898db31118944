//! Accounts at the OpenID provider, linked to people by whoever manages them.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::json;

use super::people::number;
use super::{body, created, ok};
use crate::access::accounts::NewAccount;
use crate::error::Error;
use crate::http::ask::{Answer, Ask};

pub async fn list(ask: Ask, Path(person): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let accounts = ask.app.login.accounts(&ask.principal, number(&person)?).await?;
    Ok(ok(&json!({ "accounts": accounts })))
}

pub async fn link(ask: Ask, Path(person): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let (person, new) = (number(&person)?, body::<NewAccount>(&bytes)?);
    let no_provider = || Error::conflict("本平台未启用统一身份认证登录", "no identity provider is set up here");
    let issuer = ask.app.oidc.as_ref().ok_or_else(no_provider)?.issuer();
    if new.name.is_some() && ask.app.config.oidc.oidc_link_claim.is_none() {
        let (zh, en) = (
            "平台未设置 oidc_link_claim，只能按 subject 关联",
            "without oidc_link_claim accounts are linked by subject",
        );
        return Err(Error::invalid("name", zh, en).into());
    }
    let id = ask.app.login.link_account(&ask.principal, person, issuer, &new).await?;
    Ok(created(&json!({ "id": id })))
}

pub async fn unlink(ask: Ask, Path((person, account)): Path<(String, String)>) -> Answer {
    ask.parameters.clone().finish()?;
    let account = account.parse().map_err(|_| Error::not_found("没有这个账号", "there is no such account"))?;
    ask.app.login.unlink_account(&ask.principal, number(&person)?, account).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
