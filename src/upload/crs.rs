//! Which coordinate reference system a layer is in: as declared, as recognised, or guessed from its coordinates; and the way to CGCS2000.

use super::report::{Confidence, CrsCandidate, CrsChoice, CrsFound, Note};
use crate::error::{Error, Result};
use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};

pub const CGCS2000: u32 = 4490;

/// The four datums of Chinese survey data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChinaDatum {
    Cgcs2000,
    Xian80,
    Beijing54,
}

const DATUMS: [ChinaDatum; 3] = [ChinaDatum::Cgcs2000, ChinaDatum::Xian80, ChinaDatum::Beijing54];

impl ChinaDatum {
    fn geographic(self) -> u32 {
        match self {
            ChinaDatum::Cgcs2000 => 4490,
            ChinaDatum::Xian80 => 4610,
            ChinaDatum::Beijing54 => 4214,
        }
    }
    fn zh(self) -> &'static str {
        match self {
            ChinaDatum::Cgcs2000 => "CGCS2000",
            ChinaDatum::Xian80 => "西安80",
            ChinaDatum::Beijing54 => "北京54",
        }
    }
    /// EPSG's first codes: 3° zones, 3° by meridian, 6° zones, 6° by meridian. Each list runs on from there.
    fn first_codes(self) -> [u32; 4] {
        match self {
            ChinaDatum::Cgcs2000 => [4513, 4534, 4491, 4502],
            ChinaDatum::Xian80 => [2349, 2370, 2327, 2338],
            ChinaDatum::Beijing54 => [2401, 2422, 21413, 21453],
        }
    }
}

/// EPSG's code of a Gauss-Krüger strip; `zoned` when the easting starts with the zone number.
pub fn gauss_kruger(datum: ChinaDatum, meridian: u32, six_degrees: bool, zoned: bool) -> Option<u32> {
    let (first, last, step) = (75, 135, if six_degrees { 6 } else { 3 });
    if !(first..=last).contains(&meridian) || !(meridian - first).is_multiple_of(step) {
        return None;
    }
    let [z3, m3, z6, m6] = datum.first_codes();
    let base = match (six_degrees, zoned) {
        (false, true) => z3,
        (false, false) => m3,
        (true, true) => z6,
        (true, false) => m6,
    };
    Some(base + (meridian - first) / step)
}

fn reference(code: u32) -> Result<SpatialRef> {
    let mut srs = SpatialRef::from_epsg(code).map_err(|_| {
        Error::invalid("crs", format!("未知的坐标系 EPSG:{code}"), format!("EPSG:{code} is no known CRS"))
    })?;
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(srs)
}

fn described(text: &str) -> Option<SpatialRef> {
    // Some exporters write WKT with single quotes.
    let text = if text.contains('"') { text.to_owned() } else { text.replace('\'', "\"") };
    let srs = SpatialRef::from_esri(&text)
        .or_else(|_| SpatialRef::from_wkt(&text))
        .or_else(|_| SpatialRef::from_definition(&text));
    super::ogr::take_message();
    srs.ok()
}

pub fn name_of(code: u32) -> String {
    reference(code).ok().and_then(|s| s.name()).unwrap_or_else(|| format!("EPSG:{code}"))
}

fn found(epsg: Option<u32>, wkt: Option<String>, name: String, confidence: Confidence, reason: Note) -> CrsFound {
    let mut reasons = vec![reason];
    reasons.extend(epsg.and_then(accuracy));
    CrsFound { epsg, wkt, name, confidence, reasons, candidates: Vec::new(), needs_confirmation: false }
}

/// What must be said of a datum without public parameters.
fn accuracy(code: u32) -> Option<Note> {
    let old = matches!(code, 4610 | 4214 | 2327..=2442 | 21413..=21463);
    old.then(|| {
        Note::new(
            "该坐标系与 CGCS2000 之间没有公开的精确转换参数，换算后可能偏差数米到百余米；如有当地参数请先行转换",
            "no exact public transformation to CGCS2000 exists for this CRS: places may be off by some metres to over a hundred; convert with local parameters first if you have them",
        )
    })
}

/// What the file itself says. None when it says nothing that can be understood.
pub fn declared(text: &str) -> Option<CrsFound> {
    super::ogr::prepare();
    let text = text.trim();
    if text.eq_ignore_ascii_case("OGC:CRS84") {
        let reason = Note::new("该格式规定为 WGS 84 经纬度", "this format prescribes WGS 84 longitude and latitude");
        return Some(found(Some(4326), None, "WGS 84".into(), Confidence::Declared, reason));
    }
    if let Some(code) = text.strip_prefix("EPSG:").and_then(|c| c.parse().ok()) {
        let name = reference(code).ok()?.name().unwrap_or_default();
        let reason = Note::new(format!("文件声明 EPSG:{code}"), format!("the file declares EPSG:{code}"));
        return Some(found(Some(code), None, name, Confidence::Declared, reason));
    }
    let mut srs = described(text)?;
    let name = srs.name().unwrap_or_default();
    let lower = name.to_lowercase();
    if srs.is_local()
        || lower.contains("undefined")
        || lower == "unknown" && !srs.is_projected() && !srs.is_geographic()
    {
        return None;
    }
    if let (Some(authority), Ok(code)) = (srs.auth_name(), srs.auth_code())
        && authority == "EPSG"
        && let Ok(code) = u32::try_from(code)
    {
        let reason = Note::new(format!("文件声明 EPSG:{code}"), format!("the file declares EPSG:{code}"));
        return Some(found(Some(code), None, name, Confidence::Declared, reason));
    }
    if let Some((code, reason)) = chinese(&srs, text) {
        return Some(found(Some(code), None, name_of(code), Confidence::Recognised, reason));
    }
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    if let Some((code, likeness)) = best_match(&srs) {
        let reason = Note::new(
            format!("坐标系描述“{name}”与 EPSG:{code} 相符（{likeness}%）"),
            format!("the description \"{name}\" matches EPSG:{code} ({likeness}%)"),
        );
        return Some(found(Some(code), None, name_of(code), Confidence::Recognised, reason));
    }
    let wkt = srs.to_wkt().ok()?;
    let reason = Note::new(
        format!("按文件中的坐标系描述“{name}”换算，没有对应的 EPSG 编号"),
        format!("converted by the file's own description \"{name}\", which has no EPSG code"),
    );
    Some(found(None, Some(wkt), name, Confidence::Recognised, reason))
}

fn best_match(srs: &SpatialRef) -> Option<(u32, i32)> {
    let (mut n, mut confidences) = (0, std::ptr::null_mut());
    // SAFETY: the reference lives through the call; both lists are freed by their own functions after they were read.
    unsafe {
        let matches = gdal_sys::OSRFindMatches(srs.to_c_hsrs(), std::ptr::null_mut(), &mut n, &mut confidences);
        super::ogr::take_message();
        if matches.is_null() {
            return None;
        }
        let mut best = None;
        if n > 0 && !confidences.is_null() && *confidences >= 90 {
            let code = gdal_sys::OSRGetAuthorityCode(*matches, std::ptr::null());
            let authority = gdal_sys::OSRGetAuthorityName(*matches, std::ptr::null());
            if !code.is_null() && !authority.is_null() && std::ffi::CStr::from_ptr(authority) == c"EPSG" {
                let code = std::ffi::CStr::from_ptr(code).to_string_lossy().parse().ok();
                best = code.map(|c| (c, *confidences));
            }
        }
        gdal_sys::OSRFreeSRSArray(matches);
        gdal_sys::VSIFree(confidences.cast());
        best
    }
}

/// The datum, by its ellipsoid and the words in its description.
fn china_datum(srs: &SpatialRef, text: &str) -> Option<ChinaDatum> {
    let axis = srs.semi_major().ok()?;
    let mut code = 0;
    // SAFETY: the reference lives through the call.
    let flattening = unsafe { gdal_sys::OSRGetInvFlattening(srs.to_c_hsrs(), &mut code) };
    let lower = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    let is = |a: f64, f: f64, tolerance: f64| (axis - a).abs() < 0.5 && (flattening - f).abs() < tolerance;
    if is(6_378_137.0, 298.257_222, 2e-6) || is(6_378_137.0, 298.257, 3e-3) {
        return says(&[
            "cgcs",
            "china_2000",
            "china 2000",
            "geodetic_coordinate_system_2000",
            "国家2000",
            "2000国家",
            "国家大地",
        ])
        .then_some(ChinaDatum::Cgcs2000);
    }
    if is(6_378_140.0, 298.257, 2e-3) {
        return Some(ChinaDatum::Xian80);
    }
    if is(6_378_245.0, 298.3, 1e-3) {
        return says(&["beijing", "北京", "bj54", "bj_54", "bj-54"]).then_some(ChinaDatum::Beijing54);
    }
    None
}

/// Recognises Chinese systems by what they are, whatever vendors call them.
fn chinese(srs: &SpatialRef, text: &str) -> Option<(u32, Note)> {
    let datum = china_datum(srs, text)?;
    let zh = datum.zh();
    if srs.is_geographic() {
        let reason = Note::new(
            format!("椭球与名称是{zh}经纬度"),
            format!("its ellipsoid and name are those of {datum:?}, in degrees"),
        );
        return Some((datum.geographic(), reason));
    }
    let parameter = |name: &str| srs.get_proj_param(name).ok().flatten();
    let meridian = parameter("central_meridian")?;
    let easting = parameter("false_easting")?;
    let plain = parameter("scale_factor").is_none_or(|k| (k - 1.0).abs() < 1e-9)
        && parameter("latitude_of_origin").is_none_or(|l| l.abs() < 1e-9)
        && parameter("false_northing").is_none_or(|n| n.abs() < 1e-6)
        && (srs.linear_units() - 1.0).abs() < 1e-9;
    if !plain || meridian.fract().abs() > 1e-9 || !(75.0..=135.0).contains(&meridian) {
        return None;
    }
    let zone = (easting - 500_000.0) / 1e6;
    let meridian = meridian as u32;
    let lower = text.to_lowercase();
    let (six, zoned) = if zone.abs() < 1e-9 {
        let six = !lower.contains("3_degree")
            && !lower.contains("3-degree")
            && !lower.contains("3度")
            && (meridian - 75).is_multiple_of(6)
            && (lower.contains("6_degree")
                || lower.contains("6-degree")
                || lower.contains("gk_cm") && !lower.contains("3_deg"));
        (six, false)
    } else if (zone * 3.0 - f64::from(meridian)).abs() < 1e-6 {
        (false, true)
    } else if (zone * 6.0 - 3.0 - f64::from(meridian)).abs() < 1e-6 {
        (true, true)
    } else {
        return None;
    };
    let code = gauss_kruger(datum, meridian, six, zoned)?;
    let width = if six { 6 } else { 3 };
    let reason = Note::new(
        format!("椭球为{zh}，高斯-克吕格投影，中央经线 {meridian}°，{width} 度带，东偏移 {easting} 米"),
        format!(
            "the ellipsoid of {datum:?}, Gauss-Krüger, central meridian {meridian}°, {width}° strip, false easting {easting} m"
        ),
    );
    Some((code, reason))
}

/// A range of coordinates without its outliers: x low, x high, y low, y high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub x: (f64, f64),
    pub y: (f64, f64),
}

impl Range {
    fn within(self, x: (f64, f64), y: (f64, f64)) -> bool {
        self.x.0 >= x.0 && self.x.1 <= x.1 && self.y.0 >= y.0 && self.y.1 <= y.1
    }
    pub fn swapped(self) -> Range {
        Range { x: self.y, y: self.x }
    }
    fn middle(self) -> (f64, f64) {
        ((self.x.0 + self.x.1) / 2.0, (self.y.0 + self.y.1) / 2.0)
    }
    pub fn is_degrees(self) -> bool {
        self.within((-180.5, 180.5), (-90.5, 90.5))
    }
    pub fn is_china(self) -> bool {
        self.within((72.0, 137.0), (2.0, 55.0))
    }
}

const GK_NORTHING: (f64, f64) = (300_000.0, 6_100_000.0);

/// What the coordinates alone suggest. `area` is where this deployment's data lie, in degrees, if known.
pub fn guess(range: Range, area: Option<[f64; 4]>) -> (CrsFound, bool) {
    let mut out = CrsFound {
        epsg: None,
        wkt: None,
        name: String::new(),
        confidence: Confidence::Unknown,
        reasons: Vec::new(),
        candidates: Vec::new(),
        needs_confirmation: true,
    };
    let swapped = collect(range, area, &mut out);
    if let Some(area) = area {
        let turned = if swapped { range.swapped() } else { range };
        let (inside, outside): (Vec<_>, Vec<_>) =
            out.candidates.drain(..).partition(|c| lands_in(c.epsg, turned.middle(), area));
        if let Some(best) = inside.first() {
            out.epsg = Some(best.epsg);
            out.reasons.push(Note::new(
                format!("按 EPSG:{} 换算后落在本地范围内", best.epsg),
                format!("read as EPSG:{} it lies within the local area", best.epsg),
            ));
        }
        out.candidates = inside;
        out.candidates.extend(outside);
    }
    match out.epsg {
        Some(code) => {
            out.name = name_of(code);
            out.confidence = Confidence::Guessed;
        }
        None => out
            .reasons
            .push(Note::new("仅凭坐标无法确定坐标系，请指定", "the coordinates alone do not tell the CRS; name it")),
    }
    (out, swapped)
}

fn lands_in(code: u32, place: (f64, f64), area: [f64; 4]) -> bool {
    let Ok(way) = ToCgcs2000::new(&CrsChoice::Epsg(code)) else { return false };
    let (mut x, mut y) = ([place.0], [place.1]);
    // A generous border: an area is where the data lie, not where they end.
    let margin = 0.5;
    way.apply(&mut x, &mut y)
        && x[0] >= area[0] - margin
        && x[0] <= area[2] + margin
        && y[0] >= area[1] - margin
        && y[0] <= area[3] + margin
}

/// Fills reasons and candidates; true when the axes are swapped.
fn collect(range: Range, area: Option<[f64; 4]>, out: &mut CrsFound) -> bool {
    let turned = range.swapped();
    if range.is_degrees() && (range.is_china() || !turned.is_china()) {
        degrees(range, out);
        return false;
    }
    if turned.is_china() {
        degrees(turned, out);
        return true;
    }
    if zoned(range, out) | mercator(range, out) {
        return false;
    }
    if zoned(turned, out) {
        return true;
    }
    if unzoned(range, area, out) {
        return false;
    }
    unzoned(turned, area, out)
}

fn candidate(out: &mut CrsFound, epsg: u32, zh: impl Into<String>, en: impl Into<String>) {
    out.candidates.push(CrsCandidate { epsg, name: name_of(epsg), reason: Note::new(zh, en) });
}

fn degrees(range: Range, out: &mut CrsFound) {
    let china = range.is_china();
    let (first, second) = if china { (4490, 4326) } else { (4326, 4490) };
    out.epsg = Some(first);
    let place = if china { ("，位于中国范围", ", within China") } else { ("", "") };
    out.reasons.push(Note::new(
        format!("坐标是经纬度（x {:.4}–{:.4}，y {:.4}–{:.4}）{}", range.x.0, range.x.1, range.y.0, range.y.1, place.0),
        format!(
            "the coordinates are degrees (x {:.4} to {:.4}, y {:.4} to {:.4}){}",
            range.x.0, range.x.1, range.y.0, range.y.1, place.1
        ),
    ));
    candidate(out, first, "经纬度", "degrees");
    candidate(out, second, "与前者相差不到一米", "less than a metre from the former");
    if china {
        candidate(out, 4610, "经纬度，若成图于西安80", "degrees, if drawn in Xian 1980");
        candidate(out, 4214, "经纬度，若成图于北京54", "degrees, if drawn in Beijing 1954");
    }
}

/// Eastings that begin with a zone number.
fn zoned(range: Range, out: &mut CrsFound) -> bool {
    let zone = (range.x.0 / 1e6).floor();
    let six = (13.0..=23.0).contains(&zone);
    if !six && !(25.0..=45.0).contains(&zone)
        || !range.within((zone * 1e6 + 100_000.0, zone * 1e6 + 900_000.0), GK_NORTHING)
    {
        return false;
    }
    let zone = zone as u32;
    let (meridian, width) = if six { (zone * 6 - 3, 6) } else { (zone * 3, 3) };
    for datum in DATUMS {
        if let Some(code) = gauss_kruger(datum, meridian, six, true) {
            let zh = datum.zh();
            candidate(
                out,
                code,
                format!("{zh}，{width} 度带第 {zone} 带（中央经线 {meridian}°）"),
                format!("{datum:?}, {width}° zone {zone} (central meridian {meridian}°)"),
            );
        }
    }
    out.epsg = out.epsg.or(out.candidates.first().map(|c| c.epsg));
    out.reasons.push(Note::new(
        format!("x 以带号 {zone} 开头，y 为 {:.0}–{:.0} 米：高斯-克吕格 {width} 度带坐标；基准面按 CGCS2000 推测", range.y.0, range.y.1),
        format!("x begins with zone number {zone} and y is {:.0} to {:.0} m: Gauss-Krüger, {width}° zones; the datum is taken to be CGCS2000", range.y.0, range.y.1),
    ));
    true
}

fn mercator(range: Range, out: &mut CrsFound) -> bool {
    if !range.within((8_000_000.0, 15_100_000.0), (300_000.0, 7_300_000.0)) {
        return false;
    }
    // Zones 13 to 15 (western China) look the same; web maps are far more common.
    let code = 3857;
    let others: Vec<CrsCandidate> = std::mem::take(&mut out.candidates);
    candidate(out, code, "网络地图常用的球面墨卡托", "the spherical Mercator of web maps");
    out.candidates.extend(others);
    out.epsg = Some(code);
    out.reasons.push(Note::new(
        "坐标范围与中国的 Web 墨卡托 (EPSG:3857) 相符",
        "the coordinates fit China in Web Mercator (EPSG:3857)",
    ));
    true
}

/// Eastings around 500 km without a zone: the meridian cannot be known, except by where the data should lie.
fn unzoned(range: Range, area: Option<[f64; 4]>, out: &mut CrsFound) -> bool {
    if !range.within((50_000.0, 950_000.0), GK_NORTHING) {
        return false;
    }
    out.reasons.push(Note::new(
        "坐标像是不带带号的高斯-克吕格坐标，中央经线无法由坐标得知",
        "the coordinates look like Gauss-Krüger without a zone; they do not tell the central meridian",
    ));
    let mut meridians: Vec<u32> = (75..=135).step_by(3).collect();
    if let Some(area) = area {
        // The meridian closest to the area is the one local surveys use.
        let middle = (area[0] + area[2]) / 2.0;
        meridians.sort_by(|a, b| (f64::from(*a) - middle).abs().total_cmp(&(f64::from(*b) - middle).abs()));
    }
    for datum in DATUMS {
        for meridian in &meridians {
            if let Some(code) = gauss_kruger(datum, *meridian, false, false) {
                let zh = datum.zh();
                candidate(
                    out,
                    code,
                    format!("{zh}，中央经线 {meridian}°"),
                    format!("{datum:?}, central meridian {meridian}°"),
                );
            }
        }
    }
    true
}

/// The way from a source CRS to CGCS2000 degrees, longitude first. Not shared between threads.
pub struct ToCgcs2000 {
    /// None where the coordinates already are, to within decimetres, CGCS2000 degrees.
    transform: Option<CoordTransform>,
}

impl ToCgcs2000 {
    pub fn new(choice: &CrsChoice) -> Result<ToCgcs2000> {
        super::ogr::prepare();
        let mut source = match choice {
            CrsChoice::Epsg(4490 | 4326) => return Ok(ToCgcs2000 { transform: None }),
            CrsChoice::Epsg(code) => reference(*code)?,
            CrsChoice::Wkt(text) => described(text).ok_or_else(|| {
                Error::invalid("crs", "坐标系描述无法理解", "the CRS description cannot be understood")
            })?,
        };
        source.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        let target = reference(CGCS2000)?;
        let transform = CoordTransform::new(&source, &target).map_err(|e| {
            Error::invalid("crs", "该坐标系无法换算到 CGCS2000", "this CRS cannot be converted to CGCS2000").because(e)
        })?;
        Ok(ToCgcs2000 { transform: Some(transform) })
    }

    /// Converts in place. False when some coordinate lies outside what the CRS can express; it is then not finite.
    pub fn apply(&self, x: &mut [f64], y: &mut [f64]) -> bool {
        let Some(transform) = &self.transform else { return true };
        let n = x.len().min(y.len()) as std::ffi::c_int;
        // SAFETY: both slices hold at least n numbers; heights are left as they are.
        let done = unsafe {
            gdal_sys::OCTTransform(transform.to_c_hct(), n, x.as_mut_ptr(), y.as_mut_ptr(), std::ptr::null_mut())
        };
        if done == 0 {
            super::ogr::take_message();
        }
        done != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XIAN: &str = r#"PROJCS["Xian_1980_3_Degree_GK_CM_120E",GEOGCS["GCS_Xian_1980",DATUM["D_Xian_1980",SPHEROID["Xian_1980",6378140.0,298.257]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",120.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#;

    #[test]
    fn vendors_descriptions_are_recognised() {
        assert_eq!(declared(XIAN).unwrap().epsg, Some(2385));
        let zone = XIAN.replace("500000.0", "40500000.0").replace("CM_120E", "Zone_40");
        assert_eq!(declared(&zone).unwrap().epsg, Some(2364));
        let cgcs = XIAN.replace("6378140.0,298.257", "6378137.0,298.257222101").replace("Xian_1980", "China_2000");
        assert_eq!(declared(&cgcs).unwrap().epsg, Some(4549));
        assert_eq!(declared(&cgcs.replace('"', "'")).unwrap().epsg, Some(4549));
        let odd = cgcs.replace("PROJCS[\"China_2000_3_Degree_GK_CM_120E\"", "PROJCS[\"国家2000_青岛\"");
        assert_eq!(declared(&odd).unwrap().epsg, Some(4549));
        let beijing = XIAN.replace("6378140.0,298.257", "6378245.0,298.3").replace("Xian_1980", "Beijing_1954");
        assert_eq!(declared(&beijing).unwrap().epsg, Some(2437));
        assert!(!declared(&beijing).unwrap().reasons[1].zh.is_empty());
        assert!(declared("<html>").is_none());
    }

    fn range(x: (f64, f64), y: (f64, f64)) -> Range {
        Range { x, y }
    }

    #[test]
    fn coordinates_alone_give_a_guess_with_reasons() {
        let codes = |r: Range, area| {
            let (found, swapped) = guess(r, area);
            assert!(found.needs_confirmation && !found.reasons.is_empty());
            (found.epsg, swapped)
        };
        assert_eq!(codes(range((119.5, 121.0), (35.5, 37.2)), None), (Some(4490), false));
        assert_eq!(codes(range((35.5, 37.2), (119.5, 121.0)), None), (Some(4490), true));
        assert_eq!(codes(range((-74.1, -73.9), (40.6, 40.9)), None), (Some(4326), false));
        assert_eq!(codes(range((40_450_000.0, 40_600_000.0), (3.9e6, 4.1e6)), None), (Some(4528), false));
        assert_eq!(codes(range((3.9e6, 4.1e6), (20_700_000.0, 20_780_000.0)), None), (Some(4498), true));
        assert_eq!(codes(range((13_300_000.0, 13_480_000.0), (4.2e6, 4.4e6)), None), (Some(3857), false));
        let local = range((450_000.0, 600_000.0), (3.9e6, 4.1e6));
        assert_eq!(codes(local, None), (None, false));
        assert_eq!(codes(local, Some([119.5, 35.5, 121.0, 37.2])), (Some(4549), false));
    }

    #[test]
    fn a_known_place_comes_out_right() {
        let way = ToCgcs2000::new(&CrsChoice::Epsg(4549)).unwrap();
        let (mut x, mut y) = ([500_000.0], [0.0]);
        assert!(way.apply(&mut x, &mut y));
        assert!((x[0] - 120.0).abs() < 1e-9 && y[0].abs() < 1e-9);
    }
}
