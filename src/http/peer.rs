//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Uri, header};
use onemap_credentials::certificate::Certificate;

use crate::config::{Config, Network};

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The caller's address: that of the connection, or what proxies that are trusted say of it. Each proxy puts the address that it was asked from
/// behind those that it was told of, so the list is read from its end as far as it was written by trusted ones.
pub fn address(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.holds(address));
    let mut address = peer.ip().to_canonical();
    if trusted.is_empty() {
        return address;
    }
    let told = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let told: Vec<&str> = told.flat_map(|list| list.split(',')).map(str::trim).collect();
    for before in told.iter().rev() {
        match before.parse::<IpAddr>() {
            Ok(before) if is_trusted(address) => address = before.to_canonical(),
            _ => break,
        }
    }
    address
}

/// The certificate that the caller has shown to the proxy (RFC 9440). Only the word of a trusted proxy that is connected here itself counts,
/// and only where the settings say that such proxies remove what callers send under that name.
pub fn certificate(peer: SocketAddr, headers: &HeaderMap, config: &Config) -> Option<Certificate> {
    let proxy = peer.ip().to_canonical();
    if !config.client_certificates || !config.trusted_proxies.iter().any(|network| network.holds(proxy)) {
        return None;
    }
    let mut told = headers.get_all("client-cert").iter();
    // Of two, one would be the caller's own.
    let value = told.next().filter(|_| told.next().is_none())?;
    Certificate::of_header(value.to_str().ok()?)
}

/// The host of the page that asks, as far as the browser says: of its address no more, which may hold what is personal.
pub fn origin(headers: &HeaderMap) -> Option<String> {
    let named = headers.get(header::ORIGIN).or_else(|| headers.get(header::REFERER))?;
    let uri: Uri = named.to_str().ok()?.parse().ok()?;
    // A page without an origin of its own says `null`, which would pass for a host.
    uri.scheme()?;
    let authority = uri.authority()?.as_str();
    // A name and a password may stand before the host.
    let host = authority.rsplit('@').next()?;
    (host.len() <= 255).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let of = |peer: &str, told: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_static(told));
            address(peer.parse().unwrap(), &headers, &trusted).to_string()
        };
        assert_eq!(of("10.0.0.1:5", "1.2.3.4"), "1.2.3.4");
        assert_eq!(
            of("10.0.0.1:5", "9.9.9.9, 1.2.3.4, 10.0.0.2"),
            "1.2.3.4",
            "what stands before was told by the caller"
        );
        assert_eq!(of("8.8.8.8:5", "1.2.3.4"), "8.8.8.8");
        assert_eq!(of("10.0.0.1:5", "nonsense"), "10.0.0.1");
        assert_eq!(of("[::ffff:8.8.8.8]:5", ""), "8.8.8.8");
    }

    #[test]
    fn of_a_page_only_its_host_is_kept() {
        let of = |name, text: &'static str| origin(&HeaderMap::from_iter([(name, HeaderValue::from_static(text))]));
        assert_eq!(of(header::ORIGIN, "https://Map.Example:8443").as_deref(), Some("map.example:8443"));
        assert_eq!(of(header::REFERER, "https://u:p@map.example/a?id=37020019").as_deref(), Some("map.example"));
        assert_eq!(of(header::ORIGIN, "null"), None);
    }
}
