//! Errors of GetMap as the client asked to have them: as XML, written into a picture, or as an empty one (06-042, 7.3.3.11).

use axum::http::header;
use axum::response::IntoResponse;

use super::map::{background, format};
use super::request::MOST_PIXELS;
use crate::error::Kind;
use crate::http::ask::Ask;
use crate::http::ows::Answer;
use crate::http::ows::exception::Fault;
use crate::http::ows::kvp::{Kvp, not};
use crate::picture::Format;

/// Pixels of a picture that says what is wrong. A larger one would be work for nothing: then the report comes as XML.
const MOST: u64 = 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Xml,
    InImage,
    Blank,
}

impl Wish {
    pub fn take(kvp: &Kvp) -> Result<Wish, Fault> {
        let Some(given) = kvp.get("exceptions")? else { return Ok(Wish::Xml) };
        match given.to_ascii_lowercase().trim_start_matches("application/vnd.ogc.se_") {
            "xml" | "text/xml" | "application/xml" => Ok(Wish::Xml),
            "inimage" => Ok(Wish::InImage),
            "blank" => Ok(Wish::Blank),
            _ => Err(Fault::invalid("exceptions", not(given, "XML、INIMAGE 或 BLANK", "XML, INIMAGE or BLANK"))),
        }
    }
}

pub async fn answer(ask: &Ask, kvp: &Kvp, wish: Wish, answer: Answer) -> Answer {
    let fault = match answer {
        Err(fault) if wish != Wish::Xml => fault,
        other => return other,
    };
    if *fault.kind() == Kind::Internal {
        tracing::error!(path = ask.path, "{fault:?}");
    }
    let side = |name: &str| kvp.integer(name, 1..=MOST_PIXELS).ok().flatten().unwrap_or(256) as u32;
    let size = (side("width"), side("height"));
    if u64::from(size.0) * u64::from(size.1) > MOST {
        return Err(fault);
    }
    let format = format(kvp).unwrap_or(Format::Png);
    let background = background(kvp, format).unwrap_or(Some([255; 4]));
    let text = (wish == Wish::InImage).then(|| fault.text(ask.language));
    let bytes = ask.app.pictures.notice(text, size, background, format).await?;
    // A picture is an answer like others, or the client would not show it.
    Ok(([(header::CONTENT_TYPE, format.media())], bytes).into_response())
}
