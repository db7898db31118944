//! Origins of web pages (RFC 6454): `scheme://host[:port]`.

/// Whether a text is an origin as browsers send it.
pub fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'[' | b']' | b':');
    let named = !host.is_empty() && host.len() < 254 && host.bytes().all(letters);
    named && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == port))
}

/// The origin of a page's address, as it stands in `Referer`.
pub fn of_address(address: &str) -> Option<&str> {
    let begin = address.find("://")? + 3;
    let end = address[begin..].find('/').map_or(address.len(), |at| begin + at);
    Some(&address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        for good in ["https://map.example", "http://10.1.2.3:8080", "http://[::1]:80", "http://localhost"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "map.example",
            "https://",
            "https://map.example/",
            "https://Map.example",
            "https://a:0",
            "https://a:080",
            "ftp://a",
            "null",
            "*",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
        assert_eq!(of_address("https://map.example/a/b?c=d"), Some("https://map.example"));
        assert_eq!(of_address("https://map.example"), Some("https://map.example"));
        assert_eq!(of_address("nonsense"), None);
    }
}
