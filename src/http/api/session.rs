//! Signing in and out.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, ok};
use crate::access::gate::sign_in as please_sign_in;
use crate::access::login::SignIn;
use crate::access::principal::{Principal, Who};
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask, COOKIE};
use crate::http::ogc::common::department_title;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    user: String,
    password: String,
    /// Of the second factor, where there is one.
    code: Option<String>,
}

pub async fn sign_in(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let given: Credentials = body(&bytes)?;
    if given.user.len() > 100 || given.password.len() > 1000 || given.code.as_ref().is_some_and(|c| c.len() > 100) {
        return Err(Error::invalid("user", "用户名或密码过长", "the user name or the password is too long").into());
    }
    let agent = ask.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
    let brought = SignIn {
        login: &given.user,
        password: &given.password,
        code: given.code.as_deref(),
        address: ask.address.map(|a| a.to_string()),
        agent,
    };
    let (token, principal) = ask.app.login.sign_in(&brought).await?;
    let mut response = ok(&describe(&ask, &principal).await?);
    set_cookie(&mut response, &ask, &token, 12 * 3600);
    Ok(response)
}

pub async fn who(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&describe(&ask, &ask.principal).await?))
}

pub async fn sign_out(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    if let Some(cookie) = CookieJar::from_headers(&ask.headers).get(COOKIE) {
        ask.app.login.sign_out(cookie.value()).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, &ask, "", 0);
    Ok(response)
}

/// Who is signed in, and what the session waits for before it is good for anything else.
async fn describe(ask: &Ask, principal: &Principal) -> Result<Value> {
    let Who::Person { id, login, name, role } = &principal.who else { return Err(please_sign_in()) };
    let department = principal.department.as_deref().unwrap_or_default();
    let (change_password, enrol, enrolled) = ask.app.login.pending(*id).await?;
    Ok(json!({
        "pending": {"change_password": change_password, "second_factor": enrol}, "second_factor": enrolled,
        "user": **login, "name": **name, "role": role.name(),
        "department": {"id": department, "title": department_title(ask, department)},
    }))
}

fn set_cookie(response: &mut axum::response::Response, ask: &Ask, token: &str, seconds: u32) {
    let secure = if ask.app.config.secure_cookie { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}
