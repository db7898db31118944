//! What a handler knows of its request: who asks, in which language, with which parameters.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use onemap_credentials::certificate::Certificate;
use serde_json::Value;

use super::carried::Carried;
use super::ogc::json_response;
use super::parameters::Parameters;
use super::peer::{self, Peer};
use super::problem::Problem;
use crate::access::gate::sign_in;
use crate::access::grant::{Edit, Grant, Read};
use crate::access::policy::Because;
use crate::access::principal::Principal;
use crate::access::rights::Right;
use crate::app::App;
use crate::error::{Error, Result};
use crate::geo::crs::Crs;
use crate::layer::catalog::Published;
use crate::layer::edit::Pen;
use crate::layer::model::Title;
use crate::tile::render::Drawn;

pub const COOKIE: &str = "onemap_session";
pub type Answer = std::result::Result<Response, Problem>;

#[derive(Clone)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    /// A UUID of version 7. Its bits come from the thread's own generator: to ask the system for them costs as much as a small answer.
    pub fn fresh() -> Self {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
        RequestId((&*id.simple().encode_lower(&mut [0; 32])).into())
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
    pub fn word<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        if self == Language::Chinese { zh } else { en }
    }

    pub fn pick(self, title: &Title) -> &str {
        match self {
            Language::English if !title.en.is_empty() => &title.en,
            _ => &title.zh,
        }
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
    /// Where the request comes from.
    pub address: Option<IpAddr>,
    peer: Option<Peer>,
}

impl FromRequestParts<App> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<Self, Problem> {
        let parameters = Parameters::parse(parts.uri.query())?;
        let query = parameters.encoded();
        let base = base_url(app, &parts.headers);
        let carried = Carried::new(&base, &parts.uri, &parts.headers);
        let peer = parts.extensions.get::<Peer>().copied();
        Ok(Ask {
            peer,
            address: peer.map(|peer| peer::address(peer.0, &parts.headers, &app.proxies)),
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
    /// The certificate that the caller has shown to a trusted proxy.
    pub fn certificate(&self) -> Option<Certificate> {
        peer::certificate(self.peer?.0, &self.headers, &self.app.config)
    }

    /// A layer whose features may be asked for, with its published state.
    pub fn read(&self, id: &str) -> Result<Drawn> {
        self.read_for(id, Right::Query)
    }

    /// A layer that may be looked at: drawn, styled, explained by a legend.
    pub fn view(&self, id: &str) -> Result<Drawn> {
        self.read_for(id, Right::View)
    }

    /// A layer of which files may be taken along.
    pub fn export(&self, id: &str) -> Result<Drawn> {
        self.read_for(id, Right::Export)
    }

    pub fn read_for(&self, id: &str, right: Right) -> Result<Drawn> {
        self.drawn(self.app.gate.open_for(&self.principal, id, right)?)
    }

    /// A layer to be described, for whoever holds any right on it. Its rows cannot be read so.
    pub fn describe(&self, id: &str) -> Result<Drawn> {
        self.drawn(self.app.gate.open_to_describe(&self.principal, id)?)
    }

    fn drawn(&self, grant: Grant<Read>) -> Result<Drawn> {
        Ok(Drawn { layer: self.app.catalog.published(&grant)?, grant })
    }

    /// Up to 20 layers, comma-separated, whose features may be asked for.
    pub fn read_many(&self, ids: &str) -> Result<Vec<Drawn>> {
        self.many(ids, Right::Query)
    }

    /// The same of layers to be looked at.
    pub fn view_many(&self, ids: &str) -> Result<Vec<Drawn>> {
        self.many(ids, Right::View)
    }

    fn many(&self, ids: &str, right: Right) -> Result<Vec<Drawn>> {
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
        ids.into_iter().map(|id| self.read_for(id, right)).collect()
    }

    /// The reference systems that a layer is offered in. How far it reaches is told to those only who see all of it; for the others its
    /// zones are those of the deployment's place.
    pub fn offered(&self, layer: &Published, grant: &Grant<Read>) -> Vec<Crs> {
        let state = layer.state();
        let mut offered = Crs::offered(state.srid);
        let area = state.bbox.filter(|_| grant.scope().is_all()).or(self.app.config.area);
        if let (Some([west, _, east, _]), true) = (area, state.source.geometry.is_some()) {
            let zones = Crs::gauss_kruger(west, east);
            offered.splice(4..4, zones.into_iter().filter(|crs| crs.srid != state.srid));
        }
        offered
    }

    pub fn edit(&self, id: &str) -> Result<Grant<Edit>> {
        self.app.gate.open(&self.principal, id)
    }

    /// What the caller may change of a layer's features.
    pub fn pen(&self, id: &str) -> Result<Pen> {
        let gate = &self.app.gate;
        match gate.open(&self.principal, id) {
            Ok(grant) => Ok(Pen::Publisher(grant)),
            Err(refusal) => match gate.open(&self.principal, id) {
                Ok(grant) => Ok(Pen::Annotator(grant)),
                Err(_) => gate.open(&self.principal, id).map(Pen::Grantee).map_err(|lacking| {
                    let decided = gate.decision(&self.principal, id, Some(Right::Write));
                    // Whoever holds a grant is told what it lacks.
                    let lacks = matches!(decided.map(|d| d.because), Some(Because::Lacks(..)));
                    if lacks { lacking } else { refusal }
                }),
            },
        }
    }

    /// The department of whoever is signed in.
    pub fn department(&self) -> Result<&str> {
        self.principal.department.as_deref().ok_or_else(sign_in)
    }

    /// An answer in JSON whose links carry the credential.
    pub fn json(&self, media: &'static str, document: Value) -> Response {
        json_response(media, &self.carried.links(document))
    }

    /// Whether anybody sees of the layers what is seen here.
    pub fn is_open_to_all(&self, drawn: &[Drawn]) -> bool {
        drawn.iter().all(|d| d.layer.anonymous && d.grant.scope().is_all())
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

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

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
