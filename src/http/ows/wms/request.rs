//! What GetMap and its relatives ask for: version, CRS, box, size, layers and styles.

use crate::access::rights::Right;
use crate::error::{Error, Said};
use crate::geo::crs::{CRS84, Crs};
use crate::geo::plane::Plane;
use crate::http::ask::Ask;
use crate::http::ows::choice::Choice;
use crate::http::ows::drawing::Named;
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::kvp::{Kvp, not};
use crate::picture::sheet::{Sheet, Source};
use crate::picture::view::View;

/// Pixels of a side at most.
pub const MOST_PIXELS: i64 = 4096;
pub const MOST_LAYERS: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V111,
    V130,
}

impl Version {
    /// Of a request that must say it: the order of coordinates hangs on it.
    pub fn take(kvp: &Kvp) -> Result<Version, Fault> {
        match kvp.required("version")? {
            "1.3.0" => Ok(Version::V130),
            "1.1.1" | "1.1.0" => Ok(Version::V111),
            other => Err(Fault::invalid("version", not(other, "1.3.0 或 1.1.1", "1.3.0 or 1.1.1"))),
        }
    }

    /// Of GetCapabilities, where a version that we do not have means the next lower one, or else the lowest (06-042, 6.2.4).
    pub fn negotiate(kvp: &Kvp) -> Result<Version, Fault> {
        let asked = kvp.get("version")?.or(kvp.get("wmtver")?);
        let numbers = |text: &str| text.split('.').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<_>>>();
        match asked.map(|text| numbers(text).ok_or(text)) {
            None => Ok(Version::V130),
            Some(Ok(version)) if version >= vec![1, 3, 0] => Ok(Version::V130),
            Some(Ok(_)) => Ok(Version::V111),
            Some(Err(text)) => Err(Fault::invalid("version", not(text, "1.3.0 或 1.1.1", "1.3.0 or 1.1.1"))),
        }
    }

    pub fn name(self) -> &'static str {
        if self == Version::V130 { "1.3.0" } else { "1.1.1" }
    }

    /// What the CRS parameter is called.
    fn crs_parameter(self) -> &'static str {
        if self == Version::V130 { "crs" } else { "srs" }
    }
}

/// The box, on so many pixels.
pub fn view(kvp: &Kvp, version: Version) -> Result<View, Fault> {
    let (crs, plane) = crs(kvp, version)?;
    let bbox = bbox(kvp.required("bbox")?, version == Version::V130 && crs.swapped)?;
    let side = |name: &str| kvp.integer(name, 1..=MOST_PIXELS)?.ok_or_else(|| Fault::missing(name));
    Ok(View { plane, bbox, width: side("width")? as u32, height: side("height")? as u32 })
}

fn crs(kvp: &Kvp, version: Version) -> Result<(Crs, Plane), Fault> {
    let name = version.crs_parameter();
    let text = kvp.required(name)?;
    let known = match text.to_ascii_uppercase().as_str() {
        "CRS:84" => Some(CRS84),
        // What Web Mercator was called before it had a number.
        "EPSG:900913" | "EPSG:102100" | "EPSG:102113" => Some(Crs::epsg(3857)),
        upper if upper.starts_with("EPSG:") => Crs::parse(upper),
        _ => Crs::parse(text),
    };
    known.and_then(|crs| Some((crs, Plane::of(crs.srid)?))).ok_or_else(|| {
        let said = not(text, "支持的坐标系", "a CRS that is offered here");
        Fault::invalid(name, said).code(Code::InvalidCrs).hint(
            "可用：CRS:84、EPSG:4326、EPSG:4490、EPSG:3857，以及 CGCS2000 高斯-克吕格各带 EPSG:4491–4554",
            "choose CRS:84, EPSG:4326, EPSG:4490, EPSG:3857 or a Gauss-Krüger zone of CGCS2000, EPSG:4491 to 4554",
        )
    })
}

fn bbox(text: &str, swapped: bool) -> Result<[f64; 4], Fault> {
    let bad = || {
        Fault::invalid("bbox", not(text, "四个数：minx,miny,maxx,maxy（按坐标轴顺序）", "four numbers: minx,miny,maxx,maxy"))
            .hint(
                "最小值应小于最大值；WMS 1.3.0 的 EPSG:4326、4490 和高斯-克吕格坐标系先纬度（北），后经度（东）",
                "each minimum is below its maximum; in WMS 1.3.0 EPSG:4326, 4490 and the Gauss-Krüger zones have latitude (northing) first",
            )
    };
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let Some([a, b, c, d]) = numbers.as_deref().and_then(|n| <[f64; 4]>::try_from(n).ok()) else { return Err(bad()) };
    let [west, south, east, north] = if swapped { [b, a, d, c] } else { [a, b, c, d] };
    // Beyond any plane there is nothing, and the reckoning of pixels would lose its digits.
    let sound = [west, south, east, north].iter().all(|v| v.is_finite() && v.abs() < 1e9);
    match sound && west < east && south < north {
        true => Ok([west, south, east, north]),
        false => Err(bad()),
    }
}

/// The layers of a list parameter, each with the name of its style.
pub fn layers(ask: &Ask, kvp: &Kvp, right: Right, parameter: &str) -> Result<Vec<(Named, Option<String>)>, Fault> {
    kvp.required(parameter)?;
    let names = kvp.list(parameter)?.unwrap_or_default();
    if names.len() > MOST_LAYERS {
        let said = Said::new(format!("一次最多 {MOST_LAYERS} 个图层"), format!("at most {MOST_LAYERS} layers at once"));
        return Err(Fault::invalid(parameter, said));
    }
    // Permission before everything else.
    let found: Vec<Named> =
        names.iter().map(|name| Named::find(ask, name, right, parameter)).collect::<Result<_, _>>()?;
    let styles = kvp.list("styles")?.unwrap_or_default();
    if !styles.is_empty() && styles.len() != found.len() {
        let said =
            Said::new("styles 应与 layers 一一对应，或留空", "styles has one member for each of layers, or is empty");
        return Err(Fault::invalid("styles", said).code(Code::StyleNotDefined));
    }
    let style = |i: usize| styles.get(i).filter(|s| !s.is_empty()).map(|s| (*s).to_owned());
    Ok(found.into_iter().enumerate().map(|(i, named)| (named, style(i))).collect())
}

/// The layers of a map as one sheet.
pub fn sheet(ask: &Ask, right: Right, layers: &[(Named, Option<String>)], choice: &Choice) -> Result<Sheet, Fault> {
    let mut sheet = Sheet::default();
    for (place, (named, style)) in layers.iter().enumerate() {
        // A filter is for layers; the base map stays what it is.
        let source = |drawn: &crate::tile::render::Drawn| {
            let filter = match named {
                Named::Layer(_) => choice.of(ask, place, drawn)?,
                Named::Base(_) => None,
            };
            Ok(Source { drawn: drawn.clone(), filter })
        };
        named.lay(ask, (right, style.as_deref()), source, &mut sheet)?;
    }
    Ok(sheet)
}

/// Styles that come with the request are no part of this service.
pub fn no_sld(kvp: &Kvp) -> Result<(), Fault> {
    for name in ["sld", "sld_body"] {
        if kvp.get(name)?.is_some() {
            return Err(sld(name));
        }
    }
    Ok(())
}

pub fn sld(parameter: &str) -> Fault {
    let error = Error::invalid(
        parameter,
        "不支持 SLD：样式由平台按 MapLibre 样式管理",
        "SLD is not supported: styles are kept as MapLibre styles",
    );
    Fault::new(error).code(Code::OptionNotSupported).hint(
        "请在 styles 中给出样式名（见 GetCapabilities），或在 /ogc/styles 管理样式",
        "name a style of GetCapabilities in `styles`, or manage styles at /ogc/styles",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::parameters::Parameters;

    fn kvp(query: &str) -> Kvp {
        Kvp::of(Parameters::parse(Some(query)).unwrap())
    }

    #[test]
    fn versions_are_negotiated_downwards() {
        for (query, version) in [
            ("", Version::V130),
            ("version=1.3.0", Version::V130),
            ("version=1.4", Version::V130),
            ("version=1.2.0", Version::V111),
            ("version=1.0.0", Version::V111),
            ("WMTVER=1.1.1", Version::V111),
        ] {
            assert_eq!(Version::negotiate(&kvp(query)).unwrap(), version, "{query}");
        }
        assert!(Version::negotiate(&kvp("version=new")).is_err());
        assert!(Version::take(&kvp("version=1.0.0")).is_err() && Version::take(&kvp("")).is_err());
    }

    #[test]
    fn axes_follow_version_and_crs() {
        let of = |version, query: &str| view(&kvp(&format!("{query}&width=10&height=10")), version).map(|v| v.bbox);
        let expected = [120.0, 36.0, 121.0, 37.0];
        assert_eq!(of(Version::V130, "crs=EPSG:4326&bbox=36,120,37,121").unwrap(), expected);
        assert_eq!(of(Version::V130, "crs=EPSG:4490&bbox=36,120,37,121").unwrap(), expected);
        assert_eq!(of(Version::V130, "crs=CRS:84&bbox=120,36,121,37").unwrap(), expected);
        assert_eq!(of(Version::V111, "srs=EPSG:4326&bbox=120,36,121,37").unwrap(), expected);
        assert_eq!(of(Version::V111, "srs=EPSG:4528&bbox=120,36,121,37").unwrap(), expected);
        assert_eq!(of(Version::V130, "crs=epsg:4528&bbox=36,120,37,121").unwrap(), expected);
        assert_eq!(of(Version::V130, "crs=EPSG:3857&bbox=120,36,121,37").unwrap(), expected);
        for bad in
            ["bbox=1,2,3", "bbox=1,2,3,x", "bbox=NaN,0,1,1", "bbox=1,1,1,2", "bbox=2,1,1,2", "bbox=0,0,1e300,1", ""]
        {
            assert!(of(Version::V130, &format!("crs=CRS:84&{bad}")).is_err(), "{bad}");
        }
        for bad in ["EPSG:32650", "EPSG:x", "nonsense", ""] {
            assert!(of(Version::V130, &format!("crs={bad}&bbox=0,0,1,1")).is_err(), "{bad}");
        }
    }
}
