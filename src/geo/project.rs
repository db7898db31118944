//! Places of any offered reference system as degrees of CGCS2000, by PROJ where it takes more than a formula.

use std::cell::RefCell;
use std::collections::HashMap;

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};

use super::crs::{Crs, STORAGE_SRID};
use super::plane::Plane;

thread_local! {
    /// One takes some 40 ms to set up, and belongs to its thread.
    static TRANSFORMS: RefCell<HashMap<i32, Option<CoordTransform>>> = RefCell::default();
}

impl Crs {
    /// Longitude and latitude of a place whose numbers come in the authority's order. None where the system has no such place.
    pub fn to_degrees(self, [first, second]: [f64; 2]) -> Option<[f64; 2]> {
        let [x, y] = if self.swapped { [second, first] } else { [first, second] };
        if let Some(plane) = Plane::of(self.srid) {
            return plane.inverse(x, y).map(|(lon, lat)| [lon, lat]);
        }
        TRANSFORMS.with_borrow_mut(|known| {
            let transform = known.entry(self.srid).or_insert_with(|| transform(self.srid)).as_ref()?;
            let (mut x, mut y) = ([x], [y]);
            transform.transform_coords(&mut x, &mut y, &mut []).ok()?;
            (x[0].is_finite() && y[0].is_finite()).then_some([x[0], y[0]])
        })
    }
}

fn transform(srid: i32) -> Option<CoordTransform> {
    let reference = |srid: i32| {
        let mut reference = SpatialRef::from_epsg(srid.try_into().ok()?).ok()?;
        reference.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        Some(reference)
    };
    CoordTransform::new(&reference(srid)?, &reference(STORAGE_SRID)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_come_in_the_authoritys_order() {
        let near = |crs: Crs, written: [f64; 2]| {
            let [lon, lat] = crs.to_degrees(written).unwrap();
            assert!((lon - 120.0).abs() < 1e-5 && (lat - 36.0).abs() < 1e-5, "{crs:?}: {lon} {lat}");
        };
        near(super::super::crs::CRS84, [120.0, 36.0]);
        near(Crs::epsg(4326), [36.0, 120.0]);
        near(Crs::epsg(4490), [36.0, 120.0]);
        near(Crs::epsg(3857), [13_358_338.895_192_83, 4_300_621.372_044_271]);
        // CGCS2000 / 3-degree Gauss-Kruger zone 40: northing first, the zone's number before the easting.
        near(Crs::epsg(4528), [3_985_542.670, 40_500_000.0]);
        // WGS 84 / UTM zone 51N, for which there is no formula here: easting first.
        let [lon, lat] = Crs::epsg(32651).to_degrees([229_634.6, 3_988_007.2]).unwrap();
        assert!((lon - 120.0).abs() < 0.01 && (lat - 36.0).abs() < 0.01, "{lon} {lat}");
        assert_eq!(Crs::epsg(32651).to_degrees([f64::MAX, f64::MAX]), None);
    }
}
