//! GetMap.

use super::capabilities::MAP_FORMATS;
use super::paper;
use super::request::{Version, layers, no_sld, sheet, view};
use crate::access::rights::Right;
use crate::http::ask::Ask;
use crate::http::ows::choice::Choice;
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::kvp::{Kvp, not};
use crate::http::ows::{Answer, picture};
use crate::picture::{Format, Wanted};

pub async fn answer(ask: &Ask, kvp: &Kvp) -> Answer {
    // Permission first, as everywhere: a wrong parameter must not tell that a hidden layer exists.
    let right = paper::right(kvp);
    let layers = layers(ask, kvp, right, "layers")?;
    let version = Version::take(kvp)?;
    no_sld(kvp)?;
    let view = view(kvp, version)?;
    let format = format(kvp)?;
    let background = background(kvp, format)?;
    let choice = Choice::take(kvp, layers.len())?;
    let wanted = Wanted { view, format, background, sheet: sheet(ask, right, &layers, &choice)?, tiled: false };
    if right == Right::Print {
        paper::note(&wanted.sheet);
    }
    picture::answer(ask, &wanted).await
}

pub fn format(kvp: &Kvp) -> Result<Format, Fault> {
    let given = kvp.required("format")?;
    match given.to_ascii_lowercase().replace(' ', "").as_str() {
        "image/png" | "png" | "image/png24" | "image/png;mode=24bit" | "image/png;mode=32bit" => Ok(Format::Png),
        "image/png8" | "png8" | "image/png;mode=8bit" => Ok(Format::Png8),
        "image/jpeg" | "image/jpg" | "jpeg" | "jpg" => Ok(Format::Jpeg),
        _ => {
            let known = MAP_FORMATS.join(", ");
            let said = not(given, &known, &format!("one of {known}"));
            Err(Fault::invalid("format", said).code(Code::InvalidFormat))
        }
    }
}

/// What lies below everything: nothing where a transparent picture is asked for, else `bgcolor`, else white.
pub fn background(kvp: &Kvp, format: Format) -> Result<Option<[u8; 4]>, Fault> {
    let colour = match kvp.get("bgcolor")? {
        None => [255; 3],
        Some(text) => colour(text)
            .ok_or_else(|| Fault::invalid("bgcolor", not(text, "颜色，如 0xFFFFFF", "a colour, such as 0xFFFFFF")))?,
    };
    let transparent = kvp.boolean("transparent")?.unwrap_or(false) && format != Format::Jpeg;
    let [r, g, b] = colour;
    Ok((!transparent).then_some([r, g, b, 255]))
}

fn colour(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X")).or(text.strip_prefix('#')).unwrap_or(text);
    let mut bytes = [0; 3];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::parameters::Parameters;

    #[test]
    fn backgrounds() {
        let of = |query: &str, format| background(&Kvp::of(Parameters::parse(Some(query)).unwrap()), format).unwrap();
        assert_eq!(of("", Format::Png), Some([255; 4]));
        assert_eq!(of("transparent=TRUE", Format::Png), None);
        assert_eq!(of("transparent=TRUE&bgcolor=0x102030", Format::Jpeg), Some([16, 32, 48, 255]));
        let bad = Kvp::of(Parameters::parse(Some("bgcolor=red")).unwrap());
        assert!(background(&bad, Format::Png).is_err());
    }
}
