//! Which pictures are for paper: they take the right to print in the place of that to look.

use crate::access::rights::Right;
use crate::access::trace;
use crate::http::ows::kvp::Kvp;
use crate::picture::sheet::Sheet;

/// Pixels of the largest screens that are common (3840 × 2160). What has more is not looked at.
const SCREEN: u64 = 3840 * 2160;
/// Dots per inch that screens do not have, and printers do.
const FINEST_SCREEN: f64 = 240.0;

/// The right that a picture takes. What is wrong in the parameters is said by those who read them.
pub fn right(kvp: &Kvp) -> Right {
    let side = |name: &str| kvp.get(name).ok().flatten().and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
    let pixels = side("width").saturating_mul(side("height"));
    if pixels > SCREEN || dots(kvp).is_some_and(|dots| dots > FINEST_SCREEN) { Right::Print } else { Right::View }
}

/// Dots per inch as QGIS, MapServer and GeoServer are told of them.
fn dots(kvp: &Kvp) -> Option<f64> {
    let number = |name: &str| kvp.get(name).ok().flatten()?.trim().parse().ok();
    let option = || {
        let options = kvp.get("format_options").ok().flatten()?;
        options.split(';').find_map(|one| one.trim().to_ascii_lowercase().strip_prefix("dpi:")?.trim().parse().ok())
    };
    number("dpi").or_else(|| number("map_resolution")).or_else(option)
}

/// The record says what it was for.
pub fn note(sheet: &Sheet) {
    for source in &sheet.sources {
        trace::note(&source.drawn.layer.id, |opened| opened.operation = Some("print"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::parameters::Parameters;

    #[test]
    fn paper_is_larger_or_finer_than_screens() {
        let of = |query: &str| right(&Kvp::of(Parameters::parse(Some(query)).unwrap()));
        for screen in ["", "width=3840&height=2160", "width=4096&height=100&dpi=192", "width=x&height=9999", "dpi=x"] {
            assert_eq!(of(screen), Right::View, "{screen}");
        }
        let all = ["width=4096&height=2160", "DPI=300", "map_resolution=300", "FORMAT_OPTIONS=antialias:on;dpi:300"];
        for paper in all {
            assert_eq!(of(paper), Right::Print, "{paper}");
        }
    }
}
