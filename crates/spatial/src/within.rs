//! Places within an area: for symbols, and for dots that stand for a number.

use geo::Coord;

use crate::area::{Area, Position};

/// `count` places within an area, the same ones for the same seed. Fewer are given for an area so thin that hardly any place of its box
/// lies in it.
pub fn places(area: &Area, count: usize, seed: u64) -> Vec<Coord> {
    let [west, south, east, north] = *area.bounds();
    let mut places = Vec::with_capacity(count.min(1 << 16));
    if !(west < east && south < north) {
        return places;
    }
    // Steps of the plastic number's inverse and its square fill a square evenly (Roberts 2018); the seed says where they begin.
    let start =
        |shift: u32| (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(shift) >> 11) as f64 / (1u64 << 53) as f64;
    let (mut u, mut v) = (start(0), start(29));
    for _ in 0..count.saturating_mul(64).saturating_add(4096) {
        if places.len() == count {
            break;
        }
        (u, v) = ((u + 0.754_877_666_246_692_8).fract(), (v + 0.569_840_290_998_053_3).fract());
        let place = Coord { x: west + (east - west) * u, y: south + (north - south) * v };
        if area.locate(place) == Position::Inside {
            places.push(place);
        }
    }
    places
}

/// A place within an area where a symbol can stand: the middle of the widest stretch on one of a few lines across it.
pub fn middle(area: &Area) -> Option<Coord> {
    let [west, south, east, north] = *area.bounds();
    let mut best: Option<(f64, Coord)> = None;
    for share in [0.5, 0.45, 0.55, 0.35, 0.65, 0.25, 0.75, 0.15, 0.85] {
        let y = south + (north - south) * share;
        let mut crossings: Vec<f64> = vec![];
        area.edges_near([west, y, east, y], |[a, b]| {
            if a.y.min(b.y) <= y && y < a.y.max(b.y) {
                crossings.push(a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y));
            }
            false
        });
        crossings.sort_unstable_by(f64::total_cmp);
        // Nearer to the middle counts for a little: symbols of neighbours should not all sit at an edge.
        let weight = 1.0 - (share - 0.5).abs();
        for pair in crossings.as_chunks::<2>().0 {
            let width = (pair[1] - pair[0]) * weight;
            let place = Coord { x: pair[0] / 2.0 + pair[1] / 2.0, y };
            // A line that runs along a hole's edge crosses nothing there: its stretch may lie on the boundary.
            if best.is_none_or(|(widest, _)| width > widest) && area.locate(place) == Position::Inside {
                best = Some((width, place));
            }
        }
    }
    best.map(|(_, place)| place).or_else(|| area.coords().first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{shape::Shape, wkt};

    fn area(text: &str) -> Area {
        match Shape::new(wkt::read(text).unwrap()) {
            Some(Shape::Area(area)) => *area,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn dots_lie_inside_and_come_back_the_same() {
        let ring = area("POLYGON((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 3 1, 3 3, 1 3, 1 1))");
        let dots = places(&ring, 500, 7);
        assert_eq!(dots.len(), 500);
        assert!(dots.iter().all(|p| ring.locate(*p) == Position::Inside));
        assert_eq!(dots, places(&ring, 500, 7));
        assert_ne!(dots, places(&ring, 500, 8));
    }

    #[test]
    fn a_symbol_stands_inside() {
        for text in [
            "POLYGON((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 3 1, 3 3, 1 3, 1 1))",
            "POLYGON((0 0, 9 0, 9 1, 1 1, 1 9, 0 9, 0 0))",
            "MULTIPOLYGON(((0 0, 1 0, 0 1, 0 0)), ((5 5, 9 5, 9 6, 5 5)))",
        ] {
            let area = area(text);
            assert_eq!(area.locate(middle(&area).unwrap()), Position::Inside, "{text}");
        }
    }
}
