//! Errors as these services say them: a report in the form that the request's service and version know.

use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};

use super::xml::Xml;
use crate::error::{Error, Kind, Said};
use crate::http::ask::{Language, RequestId};
use crate::http::problem::Problem;

/// The codes that the standards name (06-121r9, 06-042, 07-057r7, 09-025r2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    OperationNotSupported,
    MissingParameterValue,
    InvalidParameterValue,
    VersionNegotiationFailed,
    OptionNotSupported,
    NoApplicableCode,
    /// WMS
    InvalidFormat,
    InvalidCrs,
    LayerNotDefined,
    StyleNotDefined,
    LayerNotQueryable,
    InvalidPoint,
    InvalidDimensionValue,
    /// WMTS
    TileOutOfRange,
    PointIJOutOfRange,
    /// WFS
    OperationParsingFailed,
    OperationProcessingFailed,
    NotFound,
}

impl Code {
    fn name(self, form: Form) -> &'static str {
        match self {
            Code::OperationNotSupported => "OperationNotSupported",
            Code::MissingParameterValue => "MissingParameterValue",
            Code::InvalidParameterValue => "InvalidParameterValue",
            Code::VersionNegotiationFailed => "VersionNegotiationFailed",
            Code::OptionNotSupported => "OptionNotSupported",
            Code::NoApplicableCode => "NoApplicableCode",
            Code::InvalidFormat => "InvalidFormat",
            Code::InvalidCrs if form == Form::Wms111 => "InvalidSRS",
            Code::InvalidCrs => "InvalidCRS",
            Code::LayerNotDefined => "LayerNotDefined",
            Code::StyleNotDefined if matches!(form, Form::Wms130 | Form::Wms111) => "StyleNotDefined",
            // WMTS has no code of its own for it.
            Code::StyleNotDefined => "InvalidParameterValue",
            Code::LayerNotQueryable => "LayerNotQueryable",
            Code::InvalidPoint => "InvalidPoint",
            Code::InvalidDimensionValue => "InvalidDimensionValue",
            Code::TileOutOfRange => "TileOutOfRange",
            Code::PointIJOutOfRange => "PointIJOutOfRange",
            Code::OperationParsingFailed => "OperationParsingFailed",
            Code::OperationProcessingFailed => "OperationProcessingFailed",
            Code::NotFound => "NotFound",
        }
    }

    fn of(kind: &Kind) -> Code {
        match kind {
            Kind::Invalid { .. } | Kind::NotFound => Code::InvalidParameterValue,
            Kind::WrongMethod | Kind::Unsupported => Code::OperationNotSupported,
            _ => Code::NoApplicableCode,
        }
    }
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Wms130,
    Wms111,
    /// OWS Common 1.1 with the version it gives itself: WMTS 1.0.0 says 1.1.0, WFS 2.0 says 2.0.0.
    Ows11(&'static str),
    /// OWS Common 1.0: WFS 1.1.0.
    Ows10,
}

impl Form {
    /// What the client of a request expects; none when its address belongs to none of these services.
    pub fn of(uri: &Uri) -> Option<Form> {
        let version = || {
            let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            let mut found = query.filter(|(name, _)| name.eq_ignore_ascii_case("version"));
            found.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        match uri.path().trim_end_matches('/') {
            "/ogc/wms" | "/wms" if version().starts_with("1.1") || version().starts_with("1.0") => Some(Form::Wms111),
            "/ogc/wms" | "/wms" => Some(Form::Wms130),
            "/ogc/wfs" | "/wfs" if version().starts_with("1.") => Some(Form::Ows10),
            "/ogc/wfs" | "/wfs" => Some(Form::Ows11("2.0.0")),
            "/DataServer" => Some(Form::Ows11("1.1.0")),
            "/ogc/wmts" | "/wmts" => Some(Form::Ows11("1.1.0")),
            path if path.starts_with("/ogc/wmts/") || is_of_tianditu(path) => Some(Form::Ows11("1.1.0")),
            _ => None,
        }
    }

    fn media(self) -> &'static str {
        match self {
            Form::Wms111 => "application/vnd.ogc.se_xml; charset=utf-8",
            _ => "text/xml; charset=utf-8",
        }
    }

    fn report(self, code: Code, locator: Option<&str>, text: &str, language: &str) -> String {
        let mut xml = Xml::document();
        let code = code.name(self);
        const XSI: (&str, &str) = ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
        let located = |name: &'static str, always: &[(&'static str, &'static str)]| {
            let mut attributes = vec![(name, code)];
            attributes.extend_from_slice(always);
            attributes.extend(locator.map(|l| ("locator", l)));
            attributes
        };
        match self {
            Form::Wms130 => {
                let namespace = [
                    ("version", "1.3.0"),
                    ("xmlns", "http://www.opengis.net/ogc"),
                    XSI,
                    (
                        "xsi:schemaLocation",
                        "http://www.opengis.net/ogc http://schemas.opengis.net/wms/1.3.0/exceptions_1_3_0.xsd",
                    ),
                ];
                xml.element("ServiceExceptionReport", &namespace, |xml| {
                    xml.leaf("ServiceException", &located("code", &[]), text);
                });
            }
            // Its DTD knows the code alone.
            Form::Wms111 => {
                xml.element("ServiceExceptionReport", &[("version", "1.1.1")], |xml| {
                    xml.leaf("ServiceException", &[("code", code)], text);
                });
            }
            Form::Ows11(version) => {
                let namespace = [
                    ("xmlns:ows", "http://www.opengis.net/ows/1.1"),
                    XSI,
                    (
                        "xsi:schemaLocation",
                        "http://www.opengis.net/ows/1.1 http://schemas.opengis.net/ows/1.1.0/owsExceptionReport.xsd",
                    ),
                    ("version", version),
                    ("xml:lang", language),
                ];
                ows(&mut xml, &namespace, &located("exceptionCode", &[]), text);
            }
            Form::Ows10 => {
                let namespace = [
                    ("xmlns:ows", "http://www.opengis.net/ows"),
                    XSI,
                    (
                        "xsi:schemaLocation",
                        "http://www.opengis.net/ows http://schemas.opengis.net/ows/1.0.0/owsExceptionReport.xsd",
                    ),
                    ("version", "1.0.0"),
                    ("language", language),
                ];
                ows(&mut xml, &namespace, &located("exceptionCode", &[]), text);
            }
        }
        xml.finish()
    }
}

/// `/vec_w/wmts`: a layer with its grid stands before it, and no address of another interface.
fn is_of_tianditu(path: &str) -> bool {
    let grid = path.strip_suffix("/wmts").and_then(|grid| grid.strip_prefix('/'));
    grid.is_some_and(|grid| grid.contains('_') && !grid.contains('/'))
}

fn ows(xml: &mut Xml, namespace: &[(&str, &str)], attributes: &[(&str, &str)], text: &str) {
    xml.element("ows:ExceptionReport", namespace, |xml| {
        xml.element("ows:Exception", attributes, |xml| {
            xml.text("ows:ExceptionText", text);
        });
    });
}

/// An error with what a report says beside its text.
#[derive(Debug)]
pub struct Fault {
    error: Error,
    told: Told,
}

/// How a fault is to be told, where the error and the address do not say so.
#[derive(Debug, Clone, Default)]
pub struct Told {
    code: Option<Code>,
    locator: Option<String>,
    form: Option<Form>,
}

impl Fault {
    pub fn new(error: Error) -> Fault {
        Fault { error, told: Told::default() }
    }

    pub fn missing(parameter: &str) -> Fault {
        let (zh, en) = (format!("缺少参数 {parameter}"), format!("the parameter {parameter} is missing"));
        Fault::new(Error::invalid(parameter, zh, en)).code(Code::MissingParameterValue)
    }

    pub fn invalid(parameter: &str, said: Said) -> Fault {
        Fault::new(Error::invalid(parameter, said.zh, said.en))
    }

    pub fn hint(mut self, zh: impl Into<String>, en: impl Into<String>) -> Fault {
        self.error = self.error.hint(zh, en);
        self
    }

    pub fn code(mut self, code: Code) -> Fault {
        self.told.code = Some(code);
        self
    }

    /// The parameter that it is about, when the error itself does not name one.
    pub fn at(mut self, locator: &str) -> Fault {
        self.told.locator = Some(locator.to_owned());
        self
    }

    /// The form, when the version stands in the body.
    pub fn told_as(mut self, form: Form) -> Fault {
        self.told.form = Some(form);
        self
    }

    pub fn kind(&self) -> &Kind {
        &self.error.kind
    }

    /// Its cause and next step.
    pub fn text(&self, language: Language) -> String {
        text(&self.error, language)
    }
}

impl<E: Into<Error>> From<E> for Fault {
    fn from(e: E) -> Self {
        Fault::new(e.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = Problem(self.error).into_response();
        response.extensions_mut().insert(self.told);
        response
    }
}

fn text(error: &Error, language: Language) -> String {
    let say = |said: &Said| match language {
        Language::Chinese => said.zh.clone(),
        Language::English => said.en.clone(),
    };
    match &error.hint {
        Some(hint) => format!("{} ({})", say(&error.detail), say(hint)),
        None => say(&error.detail),
    }
}

/// The report of an error as a response's body and media type. `told` is what the handler left in its response, if one did.
pub fn report(form: Form, error: &Error, told: Option<Told>, language: Language, id: &RequestId) -> Response {
    let told = told.unwrap_or_default();
    let mut text = text(error, language);
    if error.kind == Kind::Internal {
        text = format!("{text} (request id {})", id.0);
    }
    let parameter = match &error.kind {
        Kind::Invalid { parameter } => Some(parameter.as_str()),
        _ => None,
    };
    let form = told.form.unwrap_or(form);
    let locator = told.locator.as_deref().or(parameter);
    let language = if language == Language::Chinese { "zh-CN" } else { "en" };
    let body = form.report(told.code.unwrap_or_else(|| Code::of(&error.kind)), locator, &text, language);
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(form.media()));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_and_version_has_its_form() {
        for (uri, form) in [
            ("/ogc/wms?VERSION=1.1.1", Some(Form::Wms111)),
            ("/wms?Version=1.3.0", Some(Form::Wms130)),
            ("/ogc/wms", Some(Form::Wms130)),
            ("/ogc/wfs?version=1.1.0", Some(Form::Ows10)),
            ("/wfs", Some(Form::Ows11("2.0.0"))),
            ("/ogc/wmts/1.0.0/WMTSCapabilities.xml", Some(Form::Ows11("1.1.0"))),
            ("/roads_w/wmts?tk=x", Some(Form::Ows11("1.1.0"))),
            ("/ogc/wmts", Some(Form::Ows11("1.1.0"))),
            ("/wmts/", Some(Form::Ows11("1.1.0"))),
            ("/ogc/collections", None),
            ("/tiles/wmts", None),
            ("/ogc/collections/wmts", None),
            ("/ogc/collections/a_w/wmts", None),
        ] {
            assert_eq!(Form::of(&uri.parse().unwrap()), form, "{uri}");
        }
    }

    #[test]
    fn a_report_names_code_and_place() {
        let text = Form::Ows11("1.1.0").report(Code::TileOutOfRange, Some("TileRow"), "<外>", "zh-CN");
        assert!(text.contains("exceptionCode=\"TileOutOfRange\" locator=\"TileRow\"") && text.contains("&lt;外&gt;"));
        assert!(Form::Wms111.report(Code::InvalidCrs, Some("srs"), "x", "en").contains("code=\"InvalidSRS\">x<"));
        assert!(Form::Wms130.report(Code::InvalidCrs, Some("crs"), "x", "en").contains("code=\"InvalidCRS\" locator"));
    }
}
