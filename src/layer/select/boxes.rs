//! Boxes in a statement, each in the system in which the geometry's index serves.

use crate::db::sql::{Bind, Sql};
use crate::geo::bbox::Bbox;
use crate::geo::crs::{Crs, same_coordinates};
use crate::geo::tms::degrees;
use crate::layer::model::State;

/// The stored geometry and a box, with `between` in the middle. The box comes in the layer's own CRS, so that its index serves. One
/// that is wider than a projection reaches has no image there: then it is the geometry that is transformed.
pub fn boxed(sql: &mut Sql, state: &State, column: &str, bbox: Bbox, srid: i32, between: &'static str) {
    // In the box's own unit.
    let reach = if Crs::epsg(srid).is_geographic() { 20.0 } else { 2e6 };
    let wide = bbox.east - bbox.west > reach || bbox.north - bbox.south > reach;
    if wide && srid != state.srid && !Crs::epsg(state.srid).is_geographic() {
        let (bbox, srid) = if srid == 3857 { (mercator_to_degrees(bbox), 4490) } else { (bbox, srid) };
        sql.push("st_transform(").ident(column).push(", ").integer(i64::from(srid)).push(")").push(between);
        return envelope(sql, bbox, srid, srid);
    }
    sql.ident(column).push(between);
    envelope(sql, bbox, srid, state.srid);
}

/// A box in the CRS `storage`.
pub(super) fn envelope(sql: &mut Sql, bbox: Bbox, srid: i32, storage: i32) {
    // A box of Web Mercator is one of degrees too, and exactly so; PROJ would turn one beyond the square around the globe.
    let convert = srid == 3857 && storage != 3857;
    let (mut bbox, srid) = if convert { (mercator_to_degrees(bbox), 4490) } else { (bbox, srid) };
    let direct = same_coordinates(srid, storage);
    if !direct {
        if Crs::epsg(srid).is_geographic() {
            // The poles are at no place of a projection.
            (bbox.south, bbox.north) = (bbox.south.clamp(-89.9, 89.9), bbox.north.clamp(-89.9, 89.9));
        }
        sql.push("st_transform(st_segmentize(");
    }
    sql.push("st_makeenvelope(");
    numbers(sql, bbox.to_array());
    sql.push(", ").integer(i64::from(if direct { storage } else { srid })).push(")");
    if !direct {
        // A straight edge is a curve in another CRS: 32 pieces a side keep the box true.
        let piece = ((bbox.east - bbox.west).abs().max((bbox.north - bbox.south).abs()) / 32.0).max(1e-9);
        sql.push(", ").bind(Bind::Float(piece)).push("), ").integer(i64::from(storage)).push(")");
    }
}

fn mercator_to_degrees(bbox: Bbox) -> Bbox {
    let (west, south) = degrees(bbox.west, bbox.south);
    let (east, north) = degrees(bbox.east, bbox.north);
    let within = |longitude: f64| longitude.clamp(-180.0, 180.0);
    Bbox { west: within(west), south, east: within(east), north }
}

pub(super) fn numbers(sql: &mut Sql, values: [f64; 4]) {
    for (i, v) in values.into_iter().enumerate() {
        if i > 0 {
            sql.push(", ");
        }
        sql.bind(Bind::Float(v));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wide_box_is_met_by_geometries_that_are_transformed() {
        let state = State::plots();
        let of = |[west, south, east, north]: [f64; 4], srid: i32| {
            let mut sql = Sql::new("");
            boxed(&mut sql, &state, "geom", Bbox { west, south, east, north }, srid, " && ");
            sql.text().to_owned()
        };
        let narrow =
            [of([120.0, 36.0, 121.0, 37.0], 4490), of([13_361_121.0, 4_302_686.0, 13_362_234.0, 4_304_063.0], 3857)];
        assert!(narrow.iter().all(|sql| sql.starts_with("\"geom\" && st_transform(")), "{narrow:?}");
        let wide = [of([90.0, 20.0, 121.0, 37.0], 4490), of([10e6, 2e6, 14e6, 5e6], 3857)];
        assert!(wide.iter().all(|sql| sql.starts_with("st_transform(\"geom\", 4490) && ")), "{wide:?}");
    }
}
