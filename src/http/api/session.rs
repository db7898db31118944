//! Signing in and out.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, ok};
use crate::access::gate::sign_in as please_sign_in;
use crate::access::principal::{Principal, Who};
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask, COOKIE};
use crate::http::ogc::common::department_title;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    user: String,
    password: String,
}

pub async fn sign_in(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let given: Credentials = body(&bytes)?;
    if given.user.len() > 100 || given.password.len() > 1000 {
        return Err(Error::invalid("user", "用户名或密码过长", "the user name or the password is too long").into());
    }
    let (token, principal) = ask.app.login.sign_in(&given.user, &given.password).await?;
    let mut response = ok(&describe(&ask, &principal)?);
    set_cookie(&mut response, &ask, &token, 12 * 3600);
    Ok(response)
}

pub async fn who(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&describe(&ask, &ask.principal)?))
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

fn describe(ask: &Ask, principal: &Principal) -> Result<Value> {
    let Who::Person { login, name, role, .. } = &principal.who else { return Err(please_sign_in()) };
    let department = principal.department.as_deref().unwrap_or_default();
    Ok(json!({
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
