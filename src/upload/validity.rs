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
}
