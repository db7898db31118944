//! A credential in the URL, and the links that go on with it.

use axum::http::HeaderMap;
use serde_json::Value;

use super::authenticate::bearer;
use super::parameters::{SIGNED, is_credential, is_signed};

/// The credential as it was given in the URL. Links carry it along, so that what opened an address with `?key=` (a browser,
/// MapLibre, QGIS) can open those that it finds there. One from a header or a cookie is sent again by whoever sent it.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    base: String,
    /// `key=…`, `tk=…` or what signs an address, percent-encoded.
    pair: Option<String>,
}

impl Carried {
    pub fn new(base: &str, uri: &axum::http::Uri, headers: &HeaderMap) -> Carried {
        let query = uri.query().unwrap_or_default();
        if bearer(headers).is_none() && is_signed(query) {
            let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| SIGNED.contains(&&**name));
            let pair = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            return Carried { base: base.to_owned(), pair: Some(pair) };
        }
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

    /// The credential's name and value, for a form that is sent to an address of ours.
    pub fn credential(&self) -> Option<(String, String)> {
        let (name, value) = form_urlencoded::parse(self.pair.as_deref()?.as_bytes()).next()?;
        Some((name.into_owned(), value.into_owned()))
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

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Uri, header};
    use serde_json::json;

    use super::*;

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
}
