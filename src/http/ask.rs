//! What a handler knows of its request: who asks, in which language, with which parameters.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;

use super::problem::Problem;
use crate::access::gate::sign_in;
use crate::access::grant::{Edit, Grant};
use crate::access::login::Credential;
use crate::access::principal::Principal;
use crate::app::App;
use crate::error::{Error, Result};
use crate::layer::model::Title;
use crate::tile::render::Drawn;

pub const COOKIE: &str = "onemap_session";
pub type Answer = std::result::Result<Response, Problem>;

#[derive(Clone)]
pub struct RequestId(pub String);

impl RequestId {
    pub fn new() -> Self {
        RequestId(uuid::Uuid::now_v7().simple().to_string())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
}

impl Language {
    /// The first of zh and en in Accept-Language; Chinese when neither is named.
    pub fn of(headers: &HeaderMap) -> Language {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        for range in wanted.split(',') {
            let tag = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            if tag.starts_with("zh") {
                return Language::Chinese;
            }
            if tag.starts_with("en") {
                return Language::English;
            }
        }
        Language::Chinese
    }
    pub fn pick<'a>(self, title: &'a Title) -> &'a str {
        match self {
            Language::English if !title.en.is_empty() => &title.en,
            _ => &title.zh,
        }
    }
}

/// The query's parameters, taken one by one; what nobody took is unknown and refused by `finish`.
#[derive(Debug, Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub fn parse(query: Option<&str>) -> Result<Parameters> {
        let query = query.unwrap_or_default();
        if query.len() > 64 * 1024 {
            return Err(Error::invalid("query", "查询字符串过长", "the query string is too long"));
        }
        let pairs = form_urlencoded::parse(query.as_bytes())
            // The credential is not a handler's business.
            .filter(|(name, _)| name != "key" && name != "tk")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect::<Vec<_>>();
        Ok(Parameters(pairs))
    }

    /// Removes a parameter; given twice it is an error.
    pub fn take(&mut self, name: &str) -> Result<Option<String>> {
        let mut found = None;
        let mut twice = false;
        self.0.retain(|(n, value)| {
            if n != name {
                return true;
            }
            twice |= found.replace(value.clone()).is_some();
            false
        });
        if twice {
            return Err(Error::invalid(name, "参数重复出现", "the parameter is given more than once"));
        }
        Ok(found)
    }

    pub fn take_parsed<T: FromStr>(&mut self, name: &str, zh: &str, en: &str) -> Result<Option<T>> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| {
            let shown: String = text.chars().take(60).collect();
            Error::invalid(name, format!("“{shown}”不是{zh}"), format!("“{shown}” is not {en}"))
        })
    }

    pub fn take_integer(&mut self, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>> {
        let (low, high) = (range.start(), range.end());
        let (zh, en) = (format!("{low} 到 {high} 之间的整数"), format!("an integer from {low} to {high}"));
        let value: Option<i64> = self.take_parsed(name, &zh, &en)?;
        match value {
            Some(v) if !range.contains(&v) => {
                Err(Error::invalid(name, format!("{v} 不是{zh}"), format!("{v} is not {en}")))
            }
            value => Ok(value),
        }
    }

    pub fn take_degrees(&mut self, name: &str, most: f64) -> Result<f64> {
        let value: Option<f64> = self.take_parsed(name, "数字", "a number")?;
        match value {
            Some(v) if v.is_finite() && v.abs() <= most => Ok(v),
            Some(v) => {
                Err(Error::invalid(name, format!("{v} 超出 ±{most} 度"), format!("{v} is outside of ±{most} degrees")))
            }
            None => Err(Error::invalid(name, "缺少此参数", "the parameter is missing")),
        }
    }

    /// What is left, for parameters whose names come from the layer.
    pub fn rest(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0)
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<()> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(unknown_parameter(&name)),
        }
    }
}

pub fn unknown_parameter(name: &str) -> Error {
    let shown: String = name.chars().take(60).collect();
    Error::invalid(&shown, format!("未知参数 {shown}"), format!("the parameter {shown} is unknown here"))
        .hint("可用参数见 /ogc/api", "the parameters are described at /ogc/api")
}

/// Everything about a request that handlers need.
pub struct Ask {
    pub app: App,
    pub principal: Principal,
    pub language: Language,
    /// What links start with, without a slash at the end.
    pub base: String,
    pub parameters: Parameters,
    pub headers: HeaderMap,
    pub path: String,
    /// The query as it came, without the credential.
    pub query: String,
}

impl FromRequestParts<App> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<Self, Problem> {
        let parameters = Parameters::parse(parts.uri.query())?;
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters.0).finish();
        Ok(Ask {
            app: app.clone(),
            principal: parts.extensions.get().cloned().unwrap_or_else(Principal::anonymous),
            language: parts.extensions.get().copied().unwrap_or(Language::Chinese),
            base: base_url(app, &parts.headers),
            parameters,
            headers: parts.headers.clone(),
            path: parts.uri.path().to_owned(),
            query,
        })
    }
}

impl Ask {
    /// A layer that may be read, with its published state.
    pub fn read(&self, id: &str) -> Result<Drawn> {
        let grant = self.app.gate.open(&self.principal, id)?;
        let layer = self.app.catalog.published(&grant)?;
        Ok(Drawn { layer, grant })
    }

    /// Up to 20 layers, comma-separated.
    pub fn read_many(&self, ids: &str) -> Result<Vec<Drawn>> {
        let ids: Vec<&str> = ids.split(',').collect();
        if ids.len() > 20 {
            return Err(Error::invalid("layers", "一次最多 20 个图层", "at most 20 layers at once"));
        }
        ids.into_iter().map(|id| self.read(id)).collect()
    }

    pub fn edit(&self, id: &str) -> Result<Grant<Edit>> {
        self.app.gate.open(&self.principal, id)
    }

    /// The department of whoever is signed in.
    pub fn department(&self) -> Result<&str> {
        self.principal.department.as_deref().ok_or_else(sign_in)
    }

    /// The credential as it was given in the URL, so that links work where they are opened.
    pub fn is_open_to_all(&self, drawn: &[Drawn]) -> bool {
        drawn.iter().all(|d| d.layer.anonymous)
    }
}

fn base_url(app: &App, headers: &HeaderMap) -> String {
    if let Some(url) = &app.config.public_url {
        return url.clone();
    }
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).filter(|h| {
        h.len() < 256 && h.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
    });
    format!("http://{}", host.unwrap_or("localhost"))
}

/// Finds out who asks. A credential that is wrong is an error even where none is needed: a page whose key has expired should
/// learn it, not silently see less.
pub async fn authenticate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let principal = match credential(&request) {
        None => Ok(Principal::anonymous()),
        Some(credential) => app.login.authenticate(&credential).await,
    };
    match principal {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        // A stale session cookie must not keep anybody from signing in or out, nor from the open pages.
        Err(_) if is_cookie(&request) && forgiving(&request) => {
            request.extensions_mut().insert(Principal::anonymous());
            next.run(request).await
        }
        Err(e) => Problem(e).into_response(),
    }
}

fn forgiving(request: &Request) -> bool {
    let path = request.uri().path();
    path == "/api/v1/session" || !(path.starts_with("/api") || path.starts_with("/ogc") || path.starts_with("/tiles"))
}

fn is_cookie(request: &Request) -> bool {
    matches!(credential(request), Some(Credential::Session(_)))
}

fn credential(request: &Request) -> Option<Credential> {
    let headers = request.headers();
    if let Some(value) = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()) {
        let token = value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer "))?;
        return Some(Credential::Key(token.trim().to_owned()));
    }
    let query = request.uri().query().unwrap_or_default();
    if let Some((_, key)) = form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == "key" || n == "tk") {
        return Some(Credential::Key(key.into_owned()));
    }
    CookieJar::from_headers(headers).get(COOKIE).map(|c| Credential::Session(c.value().to_owned()))
}

/// Cross-site request forgery: a change that comes with a cookie must come from our own pages. Browsers say where a request
/// comes from (Sec-Fetch-Site; Origin in older ones); programs without cookies are not concerned.
pub async fn same_site(request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let cookie = CookieJar::from_headers(request.headers()).get(COOKIE).is_some();
    if changes && cookie && !from_own_page(request.headers()) {
        return Problem(Error::forbidden("跨站请求已被拒绝", "a request from another site was refused"))
            .into_response();
    }
    next.run(request).await
}

fn from_own_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin.split("://").nth(1) == Some(host),
        _ => true,
    }
}
