//! Management: `/api/v1`.

pub mod accounts;
pub mod address_sources;
pub mod annotations;
pub mod audit;
pub mod catalogue;
pub mod certificates;
pub mod classify;
pub mod exports;
pub mod grants;
pub mod identify;
pub mod jobs;
pub mod keys;
pub mod layers;
pub mod nearest;
pub mod notifications;
pub mod oidc;
pub mod openapi;
mod openapi_sharing;
pub mod overlay;
pub mod people;
pub mod photos;
pub mod print;
pub mod records;
pub mod requests;
pub mod session;
pub mod signed;
pub mod simulation;
pub mod summary;
pub mod theme_shapes;
pub mod themes;
pub mod uploads;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ogc::json_response;
use crate::error::{Error, Result};

/// Reads a JSON body. Unknown members are refused where the type says so.
pub fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
    if bytes.len() > 1 << 20 {
        return Err(Error::too_large("请求内容超过 1 MiB", "the body is larger than 1 MiB"));
    }
    read(bytes)
}

/// Reads a JSON body of up to `most` bytes, for a route that takes bodies of any length.
pub(super) async fn large_body<T: DeserializeOwned>(request: Request, most: usize) -> Result<T> {
    let bytes = axum::body::to_bytes(request.into_body(), most).await.map_err(|e| {
        let mib = most >> 20;
        Error::too_large(
            format!("请求内容超过 {mib} MiB，或传输中断"),
            format!("the body is larger than {mib} MiB, or broke off"),
        )
        .because(e)
    })?;
    read(&bytes)
}

fn read<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
    if holds_nul(bytes) {
        return Err(Error::invalid("body", "请求内容含有 NUL 字符", "the body holds a NUL character"));
    }
    serde_json::from_slice(bytes).map_err(|e| {
        let place = format!("line {}, column {}", e.line(), e.column());
        let reason = if e.is_data() { e.to_string() } else { format!("not JSON: {place}") };
        Error::invalid("body", format!("请求内容有误：{reason}"), format!("the body is wrong: {reason}"))
    })
}

/// Whether a JSON text escapes U+0000, which PostgreSQL cannot keep: `\u0000` behind an even number of backslashes.
fn holds_nul(json: &[u8]) -> bool {
    memchr::memmem::find_iter(json, br"\u0000")
        .any(|at| json[..at].iter().rev().take_while(|b| **b == b'\\').count().is_multiple_of(2))
}

pub fn ok(value: &Value) -> Response {
    json_response("application/json", value)
}

pub(super) fn created(value: &Value) -> Response {
    (StatusCode::CREATED, ok(value)).into_response()
}

/// A number in a path.
fn number(text: &str, name: &str) -> Result<i32> {
    text.parse().map_err(|_| Error::invalid(name, "必须是整数", "it must be an integer"))
}

pub(super) fn uuid(text: &str) -> Result<uuid::Uuid> {
    text.parse().map_err(|_| Error::not_found("没有这个对象", "there is no such thing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_nul_is_refused_and_its_mere_spelling_is_not() {
        assert!(body::<String>(&Bytes::from_static(br#""a\u0000""#)).is_err());
        assert_eq!(body::<String>(&Bytes::from_static(br#""a\\u0000""#)).unwrap(), r"a\u0000");
        assert!(body::<String>(&Bytes::from_static(br#""a\\\u0000""#)).is_err());
    }

    #[test]
    fn a_deep_body_is_an_error_not_a_crash() {
        assert!(body::<Value>(&Bytes::from("[".repeat(500_000))).is_err());
    }
}
