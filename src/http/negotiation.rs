//! Which of several representations a client likes best (RFC 9110, 12.4 and 12.5).

use axum::http::{HeaderMap, HeaderName, header};

use crate::tile::cache::Format;
use crate::tile::encoding::Encoding;

pub const MVT: &str = "application/vnd.mapbox-vector-tile";
pub const MLT: &str = "application/vnd.maplibre-tile";

/// The members of a list with their weights in thousandths; what is no weight leaves its member out.
fn weighted<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = (&'a str, u16)> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).filter_map(
        |member| {
            let mut parts = member.split(';').map(str::trim);
            let name = parts.next().filter(|name| !name.is_empty())?;
            let given = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
            let weight = given.map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
            (0.0..=1.0).contains(&weight).then_some((name, (weight * 1000.0).round() as u16))
        },
    )
}

/// The content coding of an answer. Nothing said means nothing known of the client: it gets the plain bytes.
pub fn encoding(headers: &HeaderMap) -> Encoding {
    let mut weights = [None; Encoding::ALL.len()];
    let mut rest = None;
    for (name, weight) in weighted(headers, &header::ACCEPT_ENCODING) {
        let named = |e: &Encoding| name.eq_ignore_ascii_case(e.name());
        match Encoding::ALL.into_iter().find(named) {
            Some(encoding) => weights[encoding as usize] = Some(weight),
            None if name == "*" => rest = Some(weight),
            None if name.eq_ignore_ascii_case("x-gzip") => weights[Encoding::Gzip as usize] = Some(weight),
            None => {}
        }
    }
    let mut best = (0, Encoding::Identity);
    for encoding in Encoding::ALL {
        // Plain bytes are welcome where they are not refused, but less than what is named.
        let unnamed = if encoding == Encoding::Identity { 1 } else { 0 };
        let weight = weights[encoding as usize].or(rest).unwrap_or(unnamed);
        if weight > best.0 {
            best = (weight, encoding);
        }
    }
    best.1
}

/// Which of several representations, each known by its media types, weighs most; of equals the one that is named more exactly, then the
/// first, and the first where Accept says nothing. None when the client takes none of them. For a media type the most specific range
/// counts (RFC 9110, 12.5.1).
pub fn representation(headers: &HeaderMap, offered: &[&[&str]]) -> Option<usize> {
    let ranges: Vec<(String, u16)> =
        weighted(headers, &header::ACCEPT).map(|(range, weight)| (range.to_ascii_lowercase(), weight)).collect();
    if ranges.is_empty() {
        return Some(0);
    }
    let rated = |media: &&str| {
        let family = media.split_once('/').map_or("", |(family, _)| family);
        let exactness = |range: &str| match range.strip_suffix("/*") {
            _ if range == *media => 3,
            Some(of) if of == family => 2,
            Some("*") => 1,
            _ => 0,
        };
        let best = ranges.iter().map(|(range, weight)| (exactness(range), *weight)).max_by_key(|(exact, _)| *exact);
        best.filter(|(exact, weight)| *exact > 0 && *weight > 0).map(|(exact, weight)| (weight, exact))
    };
    let mut best = (None, None);
    for (i, media) in offered.iter().enumerate() {
        let rating = media.iter().filter_map(rated).max();
        if rating > best.0 {
            best = (rating, Some(i));
        }
    }
    best.1
}

/// The tile format that Accept asks for: MLT when it is named and nothing that MVT is weighs as much. A client that names neither gets
/// MVT whatever else it names.
pub fn tile_format(headers: &HeaderMap) -> Format {
    let (mut mvt, mut mlt, mut any) = (None, 0, None);
    for (range, weight) in weighted(headers, &header::ACCEPT) {
        match range.to_ascii_lowercase().as_str() {
            MVT | "application/x-protobuf" => mvt = mvt.max(Some(weight)),
            MLT => mlt = weight,
            "*/*" | "application/*" => any = any.max(Some(weight)),
            _ => {}
        }
    }
    let others = mvt.or(any).unwrap_or(0);
    if mlt > others { Format::Mlt } else { Format::Mvt }
}

/// Whether `Prefer` (RFC 7240) has a preference, whatever parameters it has beside it.
pub fn prefers(headers: &HeaderMap, preference: &str) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let named = |one: &str| one.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(preference));
    values.flat_map(|value| value.split(',')).any(named)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(name: HeaderName, text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(text))])
    }

    #[test]
    fn the_coding_that_weighs_most_is_taken_and_of_equals_the_cheapest() {
        for (text, expected) in [
            ("gzip, deflate, br, zstd", Encoding::Zstd),
            ("gzip, deflate, br", Encoding::Gzip),
            ("br", Encoding::Brotli),
            ("gzip;q=0.5, br;q=0.9, zstd;q=0.1", Encoding::Brotli),
            ("GZIP", Encoding::Gzip),
            ("x-gzip", Encoding::Gzip),
            ("gzip;q=0", Encoding::Identity),
            ("gzip;q=0.000, br;q=0", Encoding::Identity),
            ("gzip; q=0.001", Encoding::Gzip),
            ("identity, gzip;q=0.9", Encoding::Identity),
            ("identity;q=0.5, *;q=0", Encoding::Identity),
            ("*", Encoding::Zstd),
            ("zstd;q=0, *;q=0.3", Encoding::Gzip),
            ("identity;q=0, br", Encoding::Brotli),
            ("gzip;q=much", Encoding::Identity),
            ("gzip;q=2", Encoding::Identity),
            ("deflate", Encoding::Identity),
            ("*;q=0", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            assert_eq!(encoding(&of(header::ACCEPT_ENCODING, text)), expected, "{text}");
        }
        assert_eq!(encoding(&HeaderMap::new()), Encoding::Identity);
        let mut two = of(header::ACCEPT_ENCODING, "br;q=0.2");
        two.append(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.3"));
        assert_eq!(encoding(&two), Encoding::Gzip);
    }

    #[test]
    fn the_representation_that_weighs_most_is_taken() {
        let offered: &[&[&str]] = &[&["application/json", "application/geo+json"], &["text/html"]];
        for (text, expected) in [
            ("*/*", Some(0)),
            ("", Some(0)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(1)),
            ("application/geo+json", Some(0)),
            ("application/geo+json;q=0.1, text/*;q=0.5", Some(1)),
            ("application/*, text/html;q=0.9", Some(0)),
            ("Text/HTML", Some(1)),
            ("text/html,*/*", Some(1)),
            ("text/html, application/json", Some(0)),
            ("application/json;q=0, application/geo+json;q=0, */*", Some(1)),
            ("application/json; charset=utf-8", Some(0)),
            ("image/png", None),
            ("text/csv, application/xml", None),
            ("text/html;q=0", None),
        ] {
            assert_eq!(representation(&of(header::ACCEPT, text), offered), expected, "{text}");
        }
        assert_eq!(representation(&HeaderMap::new(), offered), Some(0));
    }

    #[test]
    fn mlt_is_for_those_who_name_it() {
        for (text, best) in [
            ("*/*", Format::Mvt),
            ("", Format::Mvt),
            ("text/html", Format::Mvt),
            ("application/vnd.maplibre-tile", Format::Mlt),
            ("application/vnd.maplibre-tile, */*;q=0.5", Format::Mlt),
            ("application/vnd.maplibre-tile;q=0.5, application/vnd.mapbox-vector-tile", Format::Mvt),
            ("application/vnd.maplibre-tile, application/vnd.mapbox-vector-tile;q=0, */*", Format::Mlt),
        ] {
            assert_eq!(tile_format(&of(header::ACCEPT, text)), best, "{text}");
        }
    }
}
