//! Signing in and out.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use serde_json::{Value, json};

use super::people::{itself, token};
use super::{body, ok};
use crate::access::gate::sign_in as please_sign_in;
use crate::access::login::SignIn;
use crate::access::principal::{Principal, Who};
use crate::access::second_factor::Shown;
use crate::access::sessions::Device;
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
    let certificate = ask.certificate();
    let brought = SignIn {
        login: &given.user,
        password: &given.password,
        shown: Shown { code: given.code.as_deref(), certificate: certificate.as_ref() },
        device: device(&ask),
    };
    let (token, principal) = ask.app.login.sign_in(&brought).await?;
    let mut response = ok(&describe(&ask, &principal, &token).await?);
    session_cookie(response.headers_mut(), &ask, &token);
    Ok(response)
}

/// The ways to sign in, for whoever has not yet.
pub async fn options(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let settings = &ask.app.config.oidc;
    let label = json!({"zh": settings.oidc_label_zh, "en": settings.oidc_label_en});
    let oidc =
        ask.app.oidc.as_ref().map(|_| json!({"label": label, "href": format!("{}/api/v1/session/oidc", ask.base)}));
    Ok(ok(&json!({"oidc": oidc, "certificates": ask.app.config.client_certificates})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: Option<String>,
}

/// Shows the second factor in a session that was opened without it.
pub async fn second_factor(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let Code { code } = body(&bytes)?;
    if code.as_ref().is_some_and(|code| code.len() > 100) {
        return Err(Error::invalid("code", "验证码过长", "the code is too long").into());
    }
    let certificate = ask.certificate();
    let shown = Shown { code: code.as_deref(), certificate: certificate.as_ref() };
    let (login, old) = (&ask.app.login, token(&ask)?);
    let token = login.show_factor(&ask.principal, itself(&ask)?, &old, &shown, &device(&ask)).await?;
    let mut response = ok(&describe(&ask, &ask.principal, &token).await?);
    session_cookie(response.headers_mut(), &ask, &token);
    Ok(response)
}

pub async fn who(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&describe(&ask, &ask.principal, &token(&ask)?).await?))
}

pub async fn sign_out(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    if let Some(cookie) = CookieJar::from_headers(&ask.headers).get(COOKIE) {
        ask.app.login.sign_out(cookie.value()).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    put_cookie(response.headers_mut(), &ask, &format!("{COOKIE}=; Path=/; Max-Age=0"));
    Ok(response)
}

/// Who is signed in, and what the session waits for before it is good for anything else.
async fn describe(ask: &Ask, principal: &Principal, token: &str) -> Result<Value> {
    let Who::Person { login, name, role, .. } = &principal.who else { return Err(please_sign_in()) };
    let department = principal.department.as_deref().unwrap_or_default();
    let pending = ask.app.login.pending(token).await?;
    Ok(json!({
        "pending": {"change_password": pending.change_password, "second_factor": pending.enrol, "code": pending.code},
        "second_factor": pending.enrolled.any(), "codes": pending.enrolled.codes,
        "user": **login, "name": **name, "role": role.name(),
        "department": {"id": department, "title": department_title(ask, department)},
    }))
}

/// Where the caller sits.
pub(super) fn device(ask: &Ask) -> Device {
    let agent = ask.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
    Device { address: ask.address.map(|a| a.to_string()), agent: agent.map(str::to_owned) }
}

pub(super) fn session_cookie(headers: &mut HeaderMap, ask: &Ask, token: &str) {
    let seconds = ask.app.login.session_seconds();
    put_cookie(headers, ask, &format!("{COOKIE}={token}; Path=/; Max-Age={seconds}"));
}

/// A cookie that no script reads and no other site's form sends.
pub(super) fn put_cookie(headers: &mut HeaderMap, ask: &Ask, cookie: &str) {
    let secure = if ask.app.config.secure_cookie { "; Secure" } else { "" };
    if let Ok(value) = HeaderValue::from_str(&format!("{cookie}; HttpOnly; SameSite=Lax{secure}")) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// On to another address, by GET.
pub(super) fn see_other(address: &str) -> Result<Response> {
    let value = HeaderValue::from_str(address).map_err(Error::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, value)]).into_response())
}
