//! Signing in at an OpenID provider, as the browser goes through it.

use axum::response::Response;
use axum_extra::extract::CookieJar;

use super::session::{device, put_cookie, see_other, session_cookie};
use crate::access::accounts::SignedIn;
use crate::access::oidc::{CALLBACK, Callback, LASTS, Oidc, Refusal};
use crate::access::second_factor::Shown;
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::http::parameters::Parameters;

/// Of a sign-in under way. It goes to the callback alone.
const COOKIE: &str = "onemap_oidc";

/// Sends the browser to the provider. No parameter says where it comes back to: that is always the portal.
pub async fn begin(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    match offered(&ask)?.begin().await {
        Ok((address, cookie)) => {
            let mut response = see_other(&address)?;
            keep(&mut response, &ask, &cookie, LASTS);
            Ok(response)
        }
        Err(refusal) => Ok(refused(&ask, refusal)?),
    }
}

/// Takes the browser back. The standard has parameters that are not known passed over.
pub async fn callback(mut ask: Ask) -> Answer {
    let oidc = offered(&ask)?.clone();
    let callback = brought(&mut ask.parameters);
    let cookies = CookieJar::from_headers(&ask.headers);
    let cookie = cookies.get(COOKIE).map(|cookie| cookie.value());
    let signed_in = match callback {
        Ok(callback) => finish(&ask, &oidc, &callback, cookie).await,
        Err(_) => Err(Refusal::Invalid),
    };
    let mut response = match signed_in {
        Ok(signed_in) => {
            let mut response = see_other(&format!("{}/", ask.base))?;
            session_cookie(response.headers_mut(), &ask, &signed_in.token);
            response
        }
        Err(refusal) => refused(&ask, refusal)?,
    };
    keep(&mut response, &ask, "", 0);
    Ok(response)
}

fn brought(parameters: &mut Parameters) -> Result<Callback> {
    Ok(Callback {
        code: parameters.take("code")?,
        state: parameters.take("state")?,
        error: parameters.take("error")?,
        issuer: parameters.take("iss")?,
    })
}

async fn finish(ask: &Ask, oidc: &Oidc, callback: &Callback, cookie: Option<&str>) -> Result<SignedIn, Refusal> {
    let vouched = oidc.finish(callback, cookie).await?;
    let certificate = ask.certificate();
    let shown = Shown { code: None, certificate: certificate.as_ref() };
    let (login, settings) = (&ask.app.login, &ask.app.config.oidc);
    let signed_in = login.sign_in_by(settings, oidc.issuer(), &vouched, &shown, &device(ask)).await?;
    if signed_in.made {
        // The gate knows people: whoever is new must be known by then.
        ask.app.refresh().await.map_err(|e| {
            tracing::error!("a new person is not known yet: {e}");
            Refusal::Failed
        })?;
    }
    Ok(signed_in)
}

fn offered(ask: &Ask) -> Result<&Oidc> {
    ask.app.oidc.as_ref().ok_or_else(|| {
        Error::not_found("本平台未启用统一身份认证登录", "no identity provider is set up here")
            .hint("请用用户名和密码登录", "sign in with user name and password")
    })
}

/// Back to the portal's sign-in page, which says why.
fn refused(ask: &Ask, refusal: Refusal) -> Result<Response> {
    see_other(&format!("{}/#/sign-in?refused={}", ask.base, refusal.name()))
}

fn keep(response: &mut Response, ask: &Ask, value: &str, seconds: i64) {
    put_cookie(response.headers_mut(), ask, &format!("{COOKIE}={value}; Path={CALLBACK}; Max-Age={seconds}"));
}
