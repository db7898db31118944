//! Cells of H3 (h3geo.org): hexagons of nearly one size over the whole earth.

use geo::{Coord, LineString, Polygon};
use h3o::{CellIndex, LatLng, Resolution};

/// The finest resolution that is offered: hexagons of 10 m.
pub const FINEST: u8 = 12;

/// The cell of a place.
pub fn cell(at: Coord, resolution: u8) -> Option<u64> {
    let resolution = Resolution::try_from(resolution).ok()?;
    let place = LatLng::new(at.y, at.x).ok()?;
    Some(u64::from(place.to_cell(resolution)))
}

/// A cell as H3 writes it.
pub fn name(cell: u64) -> String {
    format!("{cell:x}")
}

/// The hexagon (at twelve places on earth: the pentagon) of a cell.
pub fn outline(cell: u64) -> Option<Polygon> {
    let cell = CellIndex::try_from(cell).ok()?;
    let ring: Vec<Coord> = cell.boundary().iter().map(|c| Coord { x: c.lng(), y: c.lat() }).collect();
    Some(Polygon::new(LineString(ring), vec![]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_lies_in_its_cell() {
        let at = Coord { x: 120.38, y: 36.07 };
        for resolution in 0..=FINEST {
            let cell = cell(at, resolution).unwrap();
            let area = crate::area::Area::new(&geo::MultiPolygon(vec![outline(cell).unwrap()])).unwrap();
            assert_eq!(area.locate(at), crate::area::Position::Inside, "{resolution}");
        }
        // As h3geo.org names it.
        assert_eq!(name(cell(Coord { x: -122.4183, y: 37.7750 }, 5).unwrap()).len(), 15);
        assert_eq!(cell(Coord { x: f64::NAN, y: 0.0 }, 5), None);
    }
}
