//! People, for administrators, and what everybody does about the own account: password, second factor, sessions.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use serde_json::json;

use super::{body, created, ok, uuid};
use crate::access::gate::sign_in;
use crate::access::people::{Change, NewDepartment, NewPerson};
use crate::access::principal::Who;
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask, COOKIE};

pub async fn list(mut ask: Ask) -> Answer {
    let (department, q) = (ask.parameters.take("department")?, ask.parameters.take("q")?);
    ask.parameters.clone().finish()?;
    let people = ask.app.login.people(&ask.principal, department.as_deref(), q.as_deref()).await?;
    Ok(ok(&json!({ "people": people })))
}

pub async fn get(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let person = ask.app.login.person(&ask.principal, number(&id)?).await?;
    Ok(ok(&serde_json::to_value(person)?))
}

pub async fn create(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let new: NewPerson = body(&bytes)?;
    let (id, password) = ask.app.login.create_person(&ask.principal, &new).await?;
    // The gate knows people: whoever signs in at once must be known by then.
    ask.app.refresh().await?;
    Ok(created(&json!({"id": id, "login": new.login.trim(), "password": password})))
}

pub async fn change(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let (id, change) = (number(&id)?, body::<Change>(&bytes)?);
    ask.app.login.change_person(&ask.principal, id, &change).await?;
    ask.app.refresh().await?;
    Ok(ok(&serde_json::to_value(ask.app.login.person(&ask.principal, id).await?)?))
}

pub async fn reset_password(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let password = ask.app.login.reset_password(&ask.principal, number(&id)?).await?;
    Ok(ok(&json!({ "password": password })))
}

pub async fn reset_factor(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    ask.app.login.reset_factor(&ask.principal, number(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn end_sessions(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    ask.app.login.end_sessions(&ask.principal, number(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn create_department(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let new: NewDepartment = body(&bytes)?;
    ask.app.login.create_department(&ask.principal, &new).await?;
    ask.app.refresh().await?;
    Ok(created(&json!({ "id": new.id })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passwords {
    old: String,
    new: String,
}

pub async fn change_password(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let given: Passwords = body(&bytes)?;
    if given.old.len() > 1000 {
        return Err(Error::invalid("old", "密码过长", "the password is too long").into());
    }
    let token = token(&ask)?;
    ask.app.login.change_password(&ask.principal, itself(&ask)?, &given.old, &given.new, &token).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn sessions(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let (person, role) = (itself(&ask)?.0, ask.principal.role().ok_or_else(sign_in)?);
    let sessions = ask.app.login.sessions((person, role), &token(&ask)?).await?;
    Ok(ok(&json!({ "sessions": sessions })))
}

pub async fn end_session(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    match ask.app.login.end_session(&ask.principal, itself(&ask)?.0, uuid(&id)?).await? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(Error::not_found("没有这个会话", "there is no such session").into()),
    }
}

/// Begins to enrol a second factor: its secret, for an authenticator. Nothing changes until it is confirmed.
pub async fn enrol(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let enrolment = ask.app.login.enrol(itself(&ask)?).await?;
    Ok(ok(&json!({"secret": enrolment.secret, "uri": enrolment.uri})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

pub async fn confirm(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let Code { code } = body(&bytes)?;
    let codes = ask.app.login.confirm(&ask.principal, itself(&ask)?, code.trim()).await?;
    Ok(ok(&json!({ "recovery_codes": codes })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    password: String,
}

/// Takes the password again: a session that was left open must not be enough.
pub async fn remove_factor(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    again(&ask, &bytes).await?;
    ask.app.login.remove_factor(&ask.principal, itself(&ask)?, false).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Holds the body's password against that of the person who asks.
pub(super) async fn again(ask: &Ask, bytes: &Bytes) -> Result<()> {
    let Password { password } = body(bytes)?;
    match password.len() <= 1000 && ask.app.login.password_is(itself(ask)?.1, &password).await? {
        true => Ok(()),
        false => Err(Error::invalid("password", "密码不正确", "the password is wrong")),
    }
}

/// Number and login of the person who asks.
pub(super) fn itself(ask: &Ask) -> Result<(i64, &str)> {
    match &ask.principal.who {
        Who::Person { id, login, .. } => Ok((*id, login)),
        _ => Err(sign_in()),
    }
}

pub(super) fn token(ask: &Ask) -> Result<String> {
    CookieJar::from_headers(&ask.headers).get(COOKIE).map(|cookie| cookie.value().to_owned()).ok_or_else(sign_in)
}

pub(super) fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::not_found("没有这个用户", "there is no such person"))
}
