//! The name of a file that is given out (RFC 6266).

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// Says that an answer is a file called `name`; `plain` is for clients that read ASCII alone. Neither has its extension yet.
pub fn name(response: &mut Response, (plain, name): (&str, &str), extension: &str) {
    let name = format!("{}.{extension}", portable(name));
    let encoded: String = name
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect();
    let plain: String =
        plain.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let value = format!("attachment; filename=\"{plain}.{extension}\"; filename*=UTF-8''{encoded}");
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
}

/// Without the characters that some file system does not take.
fn portable(name: &str) -> String {
    let kept: String = name
        .chars()
        .filter(|c| !c.is_control())
        .map(|c| if matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') { '_' } else { c })
        .take(80)
        .collect();
    let kept = kept.trim().trim_end_matches('.');
    if kept.is_empty() { "onemap".to_owned() } else { kept.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_names_travel_encoded_beside_a_plain_one() {
        let mut response = Response::new(axum::body::Body::empty());
        name(&mut response, ("roads", "道路/中心线"), "csv");
        assert_eq!(
            response.headers()[header::CONTENT_DISPOSITION],
            "attachment; filename=\"roads.csv\"; filename*=UTF-8''%E9%81%93%E8%B7%AF_%E4%B8%AD%E5%BF%83%E7%BA%BF.csv"
        );
    }
}
