//! What a handler knows of its request: who asks, in which language, with which parameters.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use serde_json::Value;

use super::ogc::json_response;
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
    pub fn fresh() -> Self {
        RequestId(uuid::Uuid::now_v7().simple().to_string())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
}

impl Language {
    /// Which of zh and en Accept-Language weighs more, the first of equals; Chinese when neither is named.
    pub fn of(headers: &HeaderMap) -> Language {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let mut best = (0.0, Language::Chinese);
        for range in wanted.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let language = match tag.split('-').next() {
                Some("zh") => Language::Chinese,
                Some("en") => Language::English,
                _ => continue,
            };
            let weight = parts.find_map(|p| p.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }
    pub fn pick(self, title: &Title) -> &str {
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
        let mut pairs = vec![];
        for part in query.split('&').filter(|part| !part.is_empty()) {
            for (name, value) in form_urlencoded::parse(part.as_bytes()) {
                // The parser puts U+FFFD in the place of bytes that are no UTF-8, and PostgreSQL takes no NUL: neither may pass as
                // if the caller had asked for that text.
                let replaced = [&name, &value].iter().any(|text| text.contains('\u{fffd}'));
                if (replaced && !part.to_ascii_lowercase().contains("%ef%bf%bd")) || name.contains('\0') {
                    return Err(not_text("query"));
                }
                if value.contains('\0') {
                    return Err(not_text(&name));
                }
                // The credential is not a handler's business.
                if !is_credential(&name) {
                    pairs.push((name.into_owned(), value.into_owned()));
                }
            }
        }
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

fn is_credential(name: &str) -> bool {
    name == "key" || name == "tk"
}

fn not_text(parameter: &str) -> Error {
    Error::invalid(
        parameter,
        "参数不是合法的 UTF-8 文本，或含有 NUL 字符",
        "the parameter is not UTF-8 text, or holds a NUL character",
    )
    .hint("请按 UTF-8 编码后再做百分号转义", "encode it as UTF-8, then percent-encode it")
}

/// The credential as it was given in the URL. Links carry it along, so that what opened an address with `?key=` (a browser,
/// MapLibre, QGIS) can open those that it finds there. One from a header or a cookie is sent again by whoever sent it.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    base: String,
    /// `key=…` or `tk=…`, percent-encoded.
    pair: Option<String>,
}

impl Carried {
    fn new(base: &str, uri: &axum::http::Uri, headers: &HeaderMap) -> Carried {
        let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).find(|(n, _)| is_credential(n));
        let pair = given
            .filter(|_| bearer(headers).is_none())
            .map(|(name, value)| form_urlencoded::Serializer::new(String::new()).append_pair(&name, &value).finish());
        Carried { base: base.to_owned(), pair }
    }

    /// An address of ours with the credential.
    pub fn url(&self, url: &str) -> String {
        match &self.pair {
            None => url.to_owned(),
            Some(pair) => format!("{url}{}{pair}", if url.contains('?') { '&' } else { '?' }),
        }
    }

    /// A document whose links (`href`, `url`, `tiles`) to our own addresses have the credential.
    pub fn links(&self, mut document: Value) -> Value {
        if self.pair.is_some() {
            self.walk(&mut document);
        }
        document
    }

    fn walk(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(url) if matches!(name.as_str(), "href" | "url") => self.add(url),
                        Value::Array(urls) if name == "tiles" => {
                            urls.iter_mut().for_each(|url| match url {
                                Value::String(url) => self.add(url),
                                other => self.walk(other),
                            });
                        }
                        other => self.walk(other),
                    }
                }
            }
            _ => {}
        }
    }

    fn add(&self, url: &mut String) {
        if url.strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/')) {
            *url = self.url(url);
        }
    }

    /// What of an answer follows from it: part of each validator.
    pub fn pair(&self) -> &str {
        self.pair.as_deref().unwrap_or_default()
    }
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
    pub carried: Carried,
}

impl FromRequestParts<App> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<Self, Problem> {
        let parameters = Parameters::parse(parts.uri.query())?;
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters.0).finish();
        let base = base_url(app, &parts.headers);
        let carried = Carried::new(&base, &parts.uri, &parts.headers);
        Ok(Ask {
            carried,
            app: app.clone(),
            principal: parts.extensions.get().cloned().unwrap_or_else(Principal::anonymous),
            language: parts.extensions.get().copied().unwrap_or(Language::Chinese),
            base,
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
        // A vector tile has each layer once.
        if let Some(i) = (1..ids.len()).find(|&i| ids[..i].contains(&ids[i])) {
            let (zh, en) =
                (format!("图层 {} 重复出现", ids[i]), format!("the layer {} is given more than once", ids[i]));
            return Err(Error::invalid("layers", zh, en));
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

    /// An answer in JSON whose links carry the credential.
    pub fn json(&self, media: &'static str, document: Value) -> Response {
        json_response(media, &self.carried.links(document))
    }

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
    if let Some(token) = bearer(headers) {
        return Some(Credential::Key(token.to_owned()));
    }
    let query = request.uri().query().unwrap_or_default();
    if let Some((_, key)) = form_urlencoded::parse(query.as_bytes()).find(|(n, _)| is_credential(n)) {
        return Some(Credential::Key(key.into_owned()));
    }
    CookieJar::from_headers(headers).get(COOKIE).map(|c| Credential::Session(c.value().to_owned()))
}

/// The token of `Authorization: Bearer`. Another scheme is a proxy's business, not ours.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
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

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Uri};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_text_is_refused() {
        for query in ["name=%00", "a%00b=1", "name=a%ff", "%c3%28=1", "key=%00"] {
            assert!(Parameters::parse(Some(query)).is_err(), "{query}");
        }
        let mut good = Parameters::parse(Some("name=%E9%9D%92%E5%B2%9B&x=%EF%BF%BD&key=k")).unwrap();
        assert_eq!(good.take("name").unwrap().as_deref(), Some("青岛"));
        assert_eq!(good.take("x").unwrap().as_deref(), Some("\u{fffd}"));
        good.finish().unwrap();
    }

    #[test]
    fn a_key_from_the_url_goes_along_with_our_links_only() {
        let uri: Uri = "/ogc?f=json&key=om_a%2Bb".parse().unwrap();
        let carried = Carried::new("http://here", &uri, &HeaderMap::new());
        let document = json!({
            "links": [{"href": "http://here/ogc"}, {"href": "http://here/a?b=c"}, {"href": "http://here.evil/x"}],
            "sources": {"s": {"url": "http://here/tiles/s.json"}},
            "tiles": ["http://here/tiles/s/{z}/{x}/{y}?v=1"],
            "uri": "http://here/not-a-link",
        });
        let expected = json!({
            "links": [{"href": "http://here/ogc?key=om_a%2Bb"}, {"href": "http://here/a?b=c&key=om_a%2Bb"},
                      {"href": "http://here.evil/x"}],
            "sources": {"s": {"url": "http://here/tiles/s.json?key=om_a%2Bb"}},
            "tiles": ["http://here/tiles/s/{z}/{x}/{y}?v=1&key=om_a%2Bb"],
            "uri": "http://here/not-a-link",
        });
        assert_eq!(carried.links(document.clone()), expected);
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer om_x"));
        assert_eq!(Carried::new("http://here", &uri, &headers).links(document.clone()), document);
    }

    #[test]
    fn the_language_that_weighs_more_is_taken() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text));
            Language::of(&headers)
        };
        assert_eq!(of("zh;q=0.2, en-GB;q=0.9"), Language::English);
        assert_eq!(of("fr, en;q=0.5, zh;q=0.5"), Language::English);
        assert_eq!(of("en;q=0"), Language::Chinese);
        assert_eq!(of("fr"), Language::Chinese);
    }
}
