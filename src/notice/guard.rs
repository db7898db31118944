//! Where a webhook may lead (OWASP: server-side request forgery). A department's administrator writes an address, and this server
//! calls it: without a guard that would be a way into whatever this machine reaches.
//!
//! The name is resolved once, every address it has must be allowed, and the connection goes to just these addresses: a name that
//! resolves differently a moment later changes nothing. Redirects are not followed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::Url;

use crate::config::{Config, Network};
use crate::error::{Error, Result};

/// How long a name may take to resolve.
const RESOLVE: Duration = Duration::from_secs(5);
/// Characters of an address.
const LONGEST: usize = 1000;

#[derive(Debug, Clone)]
pub struct Guard {
    /// Whether plain http is taken.
    plain: bool,
    /// Networks that are allowed though they are not public: those of a government's own.
    networks: Vec<Network>,
}

impl Guard {
    pub fn new(config: &Config) -> Guard {
        Guard { plain: config.webhook_http, networks: config.webhook_networks.clone() }
    }

    /// Whether an address is one that could be called at all, without asking who it is.
    pub fn check(&self, text: &str) -> Result<Url> {
        let wrong = |zh: &str, en: &str| Error::invalid("url", zh, en);
        let url = Url::parse(text.trim()).map_err(|_| wrong("地址无法解析", "the address cannot be parsed"))?;
        if text.len() > LONGEST {
            return Err(wrong("地址最长 1000 个字符", "an address has at most 1000 characters"));
        }
        if url.scheme() != "https" && !(self.plain && url.scheme() == "http") {
            return Err(wrong("地址必须使用 https", "the address must be https")
                .hint("平台可用 webhook_http 允许 http", "the platform may allow http by webhook_http"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(wrong("地址不能含有用户名、口令或片段", "the address has a user, a password or a fragment"));
        }
        let literal = match url.host() {
            None => return Err(wrong("地址缺少主机名", "the address has no host")),
            Some(host) => host.to_string().trim_matches(['[', ']']).parse::<IpAddr>().ok(),
        };
        match literal {
            Some(address) if !self.allows(address) => Err(refused()),
            _ => Ok(url),
        }
    }

    /// Resolves the address's host: where to connect to.
    pub async fn resolve(&self, url: &Url) -> Result<Vec<SocketAddr>> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let found = tokio::time::timeout(RESOLVE, tokio::net::lookup_host((host, port))).await;
        let addresses: Vec<SocketAddr> = match found {
            Ok(Ok(addresses)) => addresses.collect(),
            _ => vec![],
        };
        if addresses.is_empty() {
            return Err(Error::busy("主机名无法解析", "the host's name does not resolve"));
        }
        // All of them: which one the connection takes is not ours to say.
        match addresses.iter().all(|a| self.allows(a.ip())) {
            true => Ok(addresses),
            false => Err(refused()),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.networks.iter().any(|n| n.holds(address))
    }
}

fn refused() -> Error {
    Error::invalid(
        "url",
        "地址指向内部网络，平台不允许访问",
        "the address leads into an internal network, which is not allowed here",
    )
    .hint(
        "平台管理员可用 webhook_networks 允许指定网段",
        "the platform's administrator may allow networks by webhook_networks",
    )
}

/// Whether an address is one of the open internet (IANA's registries of special-purpose addresses).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_multicast()
        || v4.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let s = v6.segments();
    // Only 2000::/3 is given out as global unicast; in it, what carries an IPv4 address (Teredo, 6to4) or is documentation.
    let global = s[0] & 0xe000 == 0x2000;
    let special = (s[0] == 0x2001 && (s[1] < 0x200 || s[1] == 0xdb8)) || s[0] == 0x2002 || s[0] == 0x3fff;
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(plain: bool, networks: &[&str]) -> Guard {
        Guard { plain, networks: networks.iter().map(|n| n.parse().unwrap()).collect() }
    }

    #[test]
    fn inner_addresses_are_refused_in_every_spelling() {
        let guard = guard(true, &[]);
        for bad in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://10.1.2.3/",
            "http://172.16.0.1/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://[64:ff9b::a00:1]/",
            "http://[2002:a00:1::]/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "http://user@example.com/",
            "nonsense",
        ] {
            assert!(guard.check(bad).is_err(), "{bad}");
        }
        assert!(guard.check("http://8.8.8.8/hook").is_ok());
        assert!(guard.check("https://example.com/hook?a=1").is_ok());
    }

    #[test]
    fn plain_http_and_inner_networks_are_for_those_who_say_so() {
        assert!(guard(false, &[]).check("http://8.8.8.8/").is_err());
        let inner = guard(true, &["10.20.0.0/14", "fd00:1::/32"]);
        assert!(inner.check("http://10.23.255.1/").is_ok());
        assert!(inner.check("http://10.24.0.1/").is_err());
        assert!(inner.check("https://[fd00:1:2::3]/").is_ok());
        assert!(inner.check("https://[fd00:2::3]/").is_err());
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        let url = Url::parse("http://localhost/").unwrap();
        assert!(guard(true, &[]).resolve(&url).await.is_err());
        assert!(guard(true, &["127.0.0.0/8", "::1/128"]).resolve(&url).await.is_ok());
    }
}
