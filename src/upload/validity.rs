//! Whether a geometry is sound, and what a sound one near it would be. GEOS decides, through GDAL.

use super::geometry::{Geometry, Kind};
use super::ogr;
use gdal_sys::OGRwkbByteOrder;

/// Buffers kept from row to row.
#[derive(Default)]
pub struct Checker {
    wkb: Vec<u8>,
}

fn is_areal(g: &Geometry) -> bool {
    g.dimensions() & 0b100 != 0
}

impl Checker {
    /// None when the geometry is valid, else why not.
    pub fn fault(&mut self, g: &Geometry) -> Option<String> {
        if !is_areal(g) {
            return line_fault(g);
        }
        if is_plainly_simple(g) {
            return None;
        }
        self.with_ogr(g, |shape| {
            // SAFETY: the geometry lives through this closure.
            if unsafe { gdal_sys::OGR_G_IsValid(shape) } != 0 {
                return None;
            }
            let why = ogr::take_message().map_or_else(|| "invalid".to_owned(), |m| m.1);
            // GEOS adds the place; the kind of fault is what rows are counted by.
            let kind = why.split(" at or near").next().unwrap_or(&why);
            Some(kind.split('[').next().unwrap_or(kind).trim().to_owned())
        })
        .unwrap_or_else(|| Some("the geometry is refused by GEOS".to_owned()))
    }

    /// A valid geometry of the same dimension; None when there is none.
    pub fn repair(&mut self, g: &Geometry) -> Option<Geometry> {
        let dimension = [2u8, 1, 0].into_iter().find(|d| g.dimensions() & (1 << d) != 0)?;
        let mut bytes = Vec::new();
        let made = self.with_ogr(g, |shape| {
            // SAFETY: the geometry lives through this closure; what is made here is destroyed here.
            unsafe {
                let made = gdal_sys::OGR_G_MakeValid(shape);
                if made.is_null() {
                    return false;
                }
                bytes.resize(gdal_sys::OGR_G_WkbSize(made) as usize, 0);
                let code = gdal_sys::OGR_G_ExportToIsoWkb(made, OGRwkbByteOrder::wkbNDR, bytes.as_mut_ptr());
                gdal_sys::OGR_G_DestroyGeometry(made);
                code == 0
            }
        })?;
        ogr::take_message();
        let mut whole = Geometry::default();
        if !made || whole.read_wkb(&bytes).is_err() {
            return None;
        }
        let mut kept = if g.kind == Kind::Collection { whole } else { whole.extract(dimension) };
        kept.close_and_prune();
        (!kept.is_empty() && kept.is_finite()).then_some(kept)
    }

    fn with_ogr<T>(&mut self, g: &Geometry, f: impl FnOnce(gdal_sys::OGRGeometryH) -> T) -> Option<T> {
        ogr::prepare();
        self.wkb.clear();
        g.write_wkb(&mut self.wkb);
        let mut shape = std::ptr::null_mut();
        // SAFETY: the bytes are a well-formed WKB of the given length; the geometry is destroyed after use.
        unsafe {
            let code = gdal_sys::OGR_G_CreateFromWkb(
                self.wkb.as_ptr().cast(),
                std::ptr::null_mut(),
                &mut shape,
                self.wkb.len() as std::ffi::c_int,
            );
            if code != 0 || shape.is_null() {
                ogr::take_message();
                return None;
            }
            let out = f(shape);
            gdal_sys::OGR_G_DestroyGeometry(shape);
            Some(out)
        }
    }
}

/// Rings up to this many points are checked by hand, pair by pair of segments, before GEOS is asked.
const PLAIN_POINTS: usize = 48;

/// True when one small closed ring provably neither crosses, touches nor folds back on itself: most buildings and
/// parcels, at a hundredth of GEOS's cost. False says nothing.
fn is_plainly_simple(g: &Geometry) -> bool {
    let n = g.x.len();
    if g.polygons.len() != 1 || g.parts.len() != 1 || !(4..=PLAIN_POINTS).contains(&n) || !g.children.is_empty() {
        return false;
    }
    let p = |i: usize| (g.x[i], g.y[i]);
    if p(0) != p(n - 1) {
        return false;
    }
    let segments = n - 1;
    for i in 0..segments {
        let (a, b) = (p(i), p(i + 1));
        let c = p((i + 1) % segments + 1);
        let forward = (b.0 - a.0) * (c.0 - b.0) + (b.1 - a.1) * (c.1 - b.1) > 0.0;
        if a == b || !forward && turn(a, b, c) == 0 {
            return false;
        }
        for j in i + 2..segments {
            if i == 0 && j == segments - 1 {
                continue;
            }
            if !are_apart(a, b, p(j), p(j + 1)) {
                return false;
            }
        }
    }
    true
}

type Point = (f64, f64);

/// Whether two segments certainly have no point in common.
fn are_apart(a: Point, b: Point, c: Point, d: Point) -> bool {
    let beside = a.0.max(b.0) < c.0.min(d.0)
        || c.0.max(d.0) < a.0.min(b.0)
        || a.1.max(b.1) < c.1.min(d.1)
        || c.1.max(d.1) < a.1.min(b.1);
    beside || turn(a, b, c) * turn(a, b, d) > 0 || turn(c, d, a) * turn(c, d, b) > 0
}

/// On which side of the line a-b the point c lies; 0 when rounding leaves it open.
fn turn(a: Point, b: Point, c: Point) -> i8 {
    let left = (a.0 - c.0) * (b.1 - c.1);
    let right = (a.1 - c.1) * (b.0 - c.0);
    let det = left - right;
    // The bound on the rounding error of this determinant (Shewchuk 1997), rounded up.
    if det.abs() <= 4e-16 * (left.abs() + right.abs()) {
        0
    } else if det > 0.0 {
        1
    } else {
        -1
    }
}

/// Lines have one fault only: no length. Points have none.
fn line_fault(g: &Geometry) -> Option<String> {
    let mut start = 0usize;
    for &end in &g.parts {
        let end = end as usize;
        let moves = (start + 1..end).any(|i| g.x[i] != g.x[start] || g.y[i] != g.y[start]);
        if !moves {
            return Some("a line without length".to_owned());
        }
        start = end;
    }
    g.children.iter().find_map(line_fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(points: &[(f64, f64)]) -> Geometry {
        Geometry {
            kind: Kind::Polygon,
            x: points.iter().map(|p| p.0).collect(),
            y: points.iter().map(|p| p.1).collect(),
            parts: vec![points.len() as u32],
            polygons: vec![1],
            ..Geometry::default()
        }
    }

    #[test]
    fn a_bow_tie_is_found_and_untied() {
        let tie = polygon(&[(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]);
        let mut checker = Checker::default();
        assert!(checker.fault(&tie).unwrap().contains("Self-intersection"));
        let mended = checker.repair(&tie).unwrap();
        assert_eq!((mended.kind, mended.polygons.len()), (Kind::MultiPolygon, 2));
        assert_eq!(checker.fault(&mended), None);
    }

    #[test]
    fn the_short_cut_never_passes_what_geos_refuses() {
        // Small integer coordinates: crossings, touches, spikes and repeated points abound.
        let mut state = 7u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            f64::from(((state >> 40) % 6) as u32)
        };
        let (mut passed, mut checker) = (0, Checker::default());
        for round in 0..20_000 {
            let mut points: Vec<(f64, f64)> = (0..3 + round % 4).map(|_| (next(), next())).collect();
            points.push(points[0]);
            let g = polygon(&points);
            if is_plainly_simple(&g) {
                passed += 1;
                let geos = checker.with_ogr(&g, |s| unsafe { gdal_sys::OGR_G_IsValid(s) });
                assert_eq!(geos, Some(1), "{points:?}");
            }
        }
        assert!(passed > 2000, "{passed}");
    }
}
