//! Square cells in metres, on the plane of the 3° Gauss-Krüger zone of CGCS2000 that a place lies in.

use geo::{Coord, LineString, Polygon};

use crate::geo::crs::Crs;
use crate::geo::gauss::Gauss;

/// A grid whose cells begin at whole multiples of their size.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    zone: Gauss,
    pub srid: i32,
    size: f64,
}

/// A cell by how many sizes east and north it begins.
pub type Cell = (i32, i32);

impl Grid {
    /// In the zone of a longitude, without the zone's number before the easting; none outside of China's zones.
    pub fn about(longitude: f64, size: f64) -> Option<Grid> {
        // EPSG:4534 to 4554.
        let srid = Crs::gauss_kruger(longitude, longitude)
            .into_iter()
            .map(|crs| crs.srid)
            .find(|srid| (4534..=4554).contains(srid))?;
        Some(Grid { zone: Gauss::of(srid)?, srid, size })
    }

    pub fn cell(&self, at: Coord) -> Option<Cell> {
        let (east, north) = self.zone.forward(at.x, at.y)?;
        Some(((east / self.size).floor() as i32, (north / self.size).floor() as i32))
    }

    /// The cells whose boxes on the plane a shape's box meets; none when they are more than `most`.
    pub fn cells(&self, coords: impl Iterator<Item = Coord>, most: usize) -> Option<Vec<Cell>> {
        let mut span: Option<[i32; 4]> = None;
        for at in coords {
            let (x, y) = self.cell(at)?;
            span = Some(span.map_or([x, y, x, y], |[w, s, e, n]| [w.min(x), s.min(y), e.max(x), n.max(y)]));
        }
        let [west, south, east, north] = span?;
        // Edges are straight in degrees, and bend on the plane: one cell more on each side.
        let (west, south, east, north) = (west - 1, south - 1, east + 1, north + 1);
        if i64::from(east - west + 1) * i64::from(north - south + 1) > most as i64 {
            return None;
        }
        Some((south..=north).flat_map(|y| (west..=east).map(move |x| (x, y))).collect())
    }

    /// The cell's square, by its corners.
    pub fn outline(&self, (x, y): Cell) -> Option<Polygon> {
        let corner = |dx: i32, dy: i32| {
            let (east, north) = (f64::from(x + dx) * self.size, f64::from(y + dy) * self.size);
            self.zone.inverse(east, north).map(|(x, y)| Coord { x, y })
        };
        let ring = vec![corner(0, 0)?, corner(1, 0)?, corner(1, 1)?, corner(0, 1)?];
        Some(Polygon::new(LineString(ring), vec![]))
    }
}

/// As the cell is called: its south-western corner on the plane, in metres.
pub fn name(grid: &Grid, (x, y): Cell) -> String {
    format!("E{:.0}N{:.0}", f64::from(x) * grid.size, f64::from(y) * grid.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_lies_in_its_cell() {
        let grid = Grid::about(120.3, 500.0).unwrap();
        assert_eq!(grid.srid, 4549);
        let at = Coord { x: 120.3812, y: 36.0671 };
        let cell = grid.cell(at).unwrap();
        let area = onemap_spatial::area::Area::new(&geo::MultiPolygon(vec![grid.outline(cell).unwrap()])).unwrap();
        assert_eq!(area.locate(at), onemap_spatial::area::Position::Inside);
        let metres = onemap_spatial::ellipsoid::polygon_area(&area.polygons().0[0]);
        assert!((metres / 250_000.0 - 1.0).abs() < 1e-3, "{metres}");
        assert!(grid.cells([at].into_iter(), 9).is_some_and(|cells| cells.contains(&cell)));
        assert!(Grid::about(10.0, 500.0).is_none());
    }
}
