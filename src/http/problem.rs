//! Errors as RFC 9457 problem+json, in the caller's language. The only place where a kind becomes a status.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::ask::{Language, RequestId};
use super::ows::exception::{self, Form, Told};
use crate::access::audit::REQUEST_ID;
use crate::error::{Error, Kind, Said};

/// What a handler returns when it cannot answer.
pub struct Problem(pub Error);

impl<E: Into<Error>> From<E> for Problem {
    fn from(e: E) -> Self {
        Problem(e.into())
    }
}

/// Carries the error to the middleware that knows language and request id.
#[derive(Clone)]
struct Carried(std::sync::Arc<Error>);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = status(&self.0.kind).into_response();
        response.extensions_mut().insert(Carried(std::sync::Arc::new(self.0)));
        response
    }
}

fn status(kind: &Kind) -> StatusCode {
    match kind {
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Invalid { .. } => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Outdated => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Kind::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Kind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Kind::Unconditional => StatusCode::PRECONDITION_REQUIRED,
        Kind::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Gives each request its id and language, and turns every error of every kind (ours, the router's, a panic's) into a problem.
pub async fn around(mut request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let id = RequestId::fresh();
    let language = Language::of(request.headers());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(language);
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let form = Form::of(request.uri());
    let mut response = REQUEST_ID.scope(id.0.clone(), next(request)).await;
    if let Some(carried) = response.extensions_mut().remove::<Carried>() {
        let told = response.extensions_mut().remove::<Told>();
        let cookie = response.headers().get(header::SET_COOKIE).cloned();
        response = render(&carried.0, &path, language, &id, form.map(|form| (form, told)));
        response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    } else if method == Method::OPTIONS && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        // What can be done at an address is a question that any address answers; the router has named it in Allow.
        *response.status_mut() = StatusCode::NO_CONTENT;
    } else if is_bare_error(&response) {
        response = render(&bare(response.status(), &method), &path, language, &id, form.map(|form| (form, None)));
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// An error answer that no handler of ours wrote: it has no problem document yet.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let tus = matches!(status.as_u16(), 409 | 412) && response.headers().contains_key("tus-resumable");
    // A page that says what is wrong where it was typed.
    let page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    (status.is_client_error() || status.is_server_error()) && !tus && !page
}

fn bare(status: StatusCode, method: &Method) -> Error {
    match status.as_u16() {
        404 => Error::not_found("没有这个地址", "there is nothing at this address").hint(
            "接口说明见 /ogc/api 与 /api/openapi.json",
            "the interfaces are described at /ogc/api and /api/openapi.json",
        ),
        405 => Error::new(
            Kind::WrongMethod,
            format!("此地址不支持 {method} 方法"),
            format!("this address does not answer {method}"),
        )
        .hint("可用方法见 Allow 响应头", "the Allow header names the methods it answers"),
        406 => Error::not_acceptable("没有所要的格式", "there is no such representation"),
        413 => Error::too_large("请求内容过大", "the request's body is too large"),
        415 => Error::unsupported("不支持的内容类型", "the body's content type is not supported"),
        400 | 422 => Error::invalid("request", "请求无法解析", "the request cannot be parsed").hint(
            "请检查地址中的百分号转义（应为 UTF-8）和请求内容",
            "check the percent escapes of the address (they must be UTF-8) and the body",
        ),
        _ => Error::internal(format!("bare status {status}")),
    }
}

/// The answer to an error: a problem document, or the report that OGC's older services have for it.
fn render(
    error: &Error,
    path: &str,
    language: Language,
    id: &RequestId,
    report: Option<(Form, Option<Told>)>,
) -> Response {
    let status = status(&error.kind);
    if error.kind == Kind::Internal {
        tracing::error!(request = &*id.0, path, "{error}");
    } else {
        tracing::debug!(request = &*id.0, path, "{error}");
    }
    let mut response = match report {
        Some((form, told)) => exception::report(form, error, told, language, id),
        None => document(error, path, language, id),
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Authorization, Cookie"));
    let language = if language == Language::Chinese { "zh-CN" } else { "en" };
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
    match error.kind {
        Kind::Unauthenticated => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"onemap\""));
        }
        Kind::Busy => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        Kind::TooMany { seconds } => {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        _ => {}
    }
    response
}

fn document(error: &Error, path: &str, language: Language, id: &RequestId) -> Response {
    let say = |said: &Said| match language {
        Language::Chinese => said.zh.clone(),
        Language::English => said.en.clone(),
    };
    let mut body = json!({
        "type": error.name.map_or_else(|| format!("/problems/{}", slug(&error.kind)), str::to_owned),
        "title": say(&title(&error.kind)),
        "status": status(&error.kind).as_u16(),
        "detail": say(&error.detail),
        "instance": path,
        "request_id": &*id.0,
    });
    if let Kind::Invalid { parameter } = &error.kind {
        body["parameter"] = parameter.clone().into();
    }
    if let Some((name, choices)) = &error.choices {
        body[*name] = choices.clone();
    }
    body["hint"] = say(error.hint.as_ref().unwrap_or(&next_step(&error.kind))).into();
    ([(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

/// A whole answer for what could not even be parsed as a request. Nothing is known of the caller, so it speaks both languages.
pub fn of_no_request(status: u16) -> Vec<u8> {
    let (reason, zh, en) = match status {
        414 => ("URI Too Long", "请求地址过长（上限 64 KiB）", "the address is too long (64 KiB at most)"),
        431 => {
            ("Request Header Fields Too Large", "请求头过大或过多", "the request's headers are too large or too many")
        }
        _ => ("Bad Request", "不是合法的 HTTP 请求", "this is no HTTP request"),
    };
    let id = RequestId::fresh();
    let body = json!({
        "type": format!("/problems/{}", if status == 400 { "invalid" } else { "too-large" }),
        "title": reason,
        "status": status,
        "detail": format!("{zh} · {en}"),
        "hint": "请缩短参数，或用 POST 提交 · shorten the parameters, or send them by POST where that is offered",
        "request_id": &*id.0,
    })
    .to_string();
    format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nx-request-id: {}\r\nconnection: close\r\n\r\n{body}",
        body.len(),
        id.0
    )
    .into_bytes()
}

/// What to do next where the error itself did not say.
fn next_step(kind: &Kind) -> Said {
    match kind {
        Kind::NotFound => Said::new(
            "请检查地址；可读的图层见 /ogc/collections",
            "check the address; the layers you may read are listed at /ogc/collections",
        ),
        Kind::Invalid { .. } => Said::new(
            "参数和请求内容的写法见 /ogc/api 与 /api/openapi.json",
            "parameters and bodies are described at /ogc/api and /api/openapi.json",
        ),
        Kind::Unauthenticated => Said::new(
            "请在网页登录，或用 Authorization: Bearer 或 ?key= 提供应用密钥",
            "sign in on the web page, or send an application key as Authorization: Bearer or ?key=",
        ),
        Kind::Forbidden => Said::new("请联系本单位管理员", "ask your department's administrator"),
        Kind::Conflict => Said::new("请刷新后重试", "reload and try again"),
        Kind::Outdated => Said::new("请重新读取后再修改", "read it again, then change it"),
        Kind::TooLarge => Said::new("请减小内容或分批发送", "send less, or send it in parts"),
        Kind::Unsupported => Said::new(
            "支持的格式见 /ogc/api 与 /api/openapi.json",
            "what is supported is described at /ogc/api and /api/openapi.json",
        ),
        Kind::Busy => Said::new("请稍后重试", "try again in a moment"),
        Kind::TooMany { seconds } => Said::new(format!("请在 {seconds} 秒后重试"), format!("try again in {seconds} s")),
        Kind::NotAcceptable => Said::new("请改用 f= 参数指定格式", "say the format by f="),
        Kind::Unconditional => Said::new(
            "请先读取，再用 If-Match 写明其 ETag；确要不看状态时写 If-Match: *",
            "read it and name its ETag in If-Match; If-Match: * when its state does not matter",
        ),
        Kind::WrongMethod => Said::new("可用方法见 Allow 响应头", "the Allow header names the methods it answers"),
        Kind::Internal => {
            Said::new("请把 request_id 告知平台管理员", "tell the platform's administrator the request_id")
        }
    }
}

fn slug(kind: &Kind) -> &'static str {
    match kind {
        Kind::NotFound => "not-found",
        Kind::Invalid { .. } => "invalid",
        Kind::Unauthenticated => "unauthenticated",
        Kind::Forbidden => "forbidden",
        Kind::Conflict => "conflict",
        Kind::Outdated => "outdated",
        Kind::TooLarge => "too-large",
        Kind::Unsupported => "unsupported",
        Kind::Busy => "busy",
        Kind::TooMany { .. } => "too-many",
        Kind::NotAcceptable => "not-acceptable",
        Kind::Unconditional => "precondition-required",
        Kind::WrongMethod => "wrong-method",
        Kind::Internal => "internal",
    }
}

fn title(kind: &Kind) -> Said {
    match kind {
        Kind::NotFound => Said::new("未找到", "Not found"),
        Kind::Invalid { .. } => Said::new("请求有误", "Invalid request"),
        Kind::Unauthenticated => Said::new("未登录", "Not signed in"),
        Kind::Forbidden => Said::new("没有权限", "Not allowed"),
        Kind::Conflict => Said::new("冲突", "Conflict"),
        Kind::Outdated => Said::new("已被修改", "Changed in the meantime"),
        Kind::TooLarge => Said::new("内容过大", "Too large"),
        Kind::Unsupported => Said::new("不支持", "Not supported"),
        Kind::Busy => Said::new("暂时不可用", "Unavailable for the moment"),
        Kind::TooMany { .. } => Said::new("请求过多", "Too many requests"),
        Kind::NotAcceptable => Said::new("没有所要的格式", "Not acceptable"),
        Kind::Unconditional => Said::new("缺少 If-Match", "Precondition required"),
        Kind::WrongMethod => Said::new("方法不支持", "Method not allowed"),
        Kind::Internal => Said::new("服务器错误", "Server error"),
    }
}
