use std::collections::HashSet;

use geo::{LineString, Polygon, Validation};

use super::*;

fn polygon(area: &Area) -> Polygon<f64> {
    let ring = |r: &Vec<Point>| LineString::from(r.iter().map(|p| (p[0], p[1])).collect::<Vec<_>>());
    let mut rings: Vec<LineString<f64>> = area.rings.iter().map(ring).collect();
    let shell = rings.remove(0);
    Polygon::new(shell, rings)
}

fn edges(area: &Area) -> impl Iterator<Item = (Point, Point)> {
    area.rings.iter().flat_map(|r| (0..r.len()).map(move |i| (r[i], r[(i + 1) % r.len()])))
}

#[test]
fn communities_fill_their_streets_and_districts_without_overlap() {
    let divisions = crate::demo::tests::city().divisions();
    assert_eq!((divisions.districts.len(), divisions.streets.len(), divisions.communities.len()), (10, 141, 2120));
    for district in &divisions.districts {
        let whole: f64 = district.parts.iter().map(Area::flat_area).sum();
        let mut sum = 0.0;
        for street in &divisions.streets[district.streets.clone()] {
            assert!(street.code.starts_with(&district.code));
            assert!(polygon(&street.area).is_valid(), "{} {}", street.code, street.name);
            let own: f64 = divisions.communities[street.communities.clone()].iter().map(|c| c.area.flat_area()).sum();
            assert!((own / street.area.flat_area() - 1.0).abs() < 1e-3, "{}", street.name);
            sum += own;
        }
        assert!((sum / whole - 1.0).abs() < 1e-3, "{} {}", district.name, sum / whole);
    }
    for community in &divisions.communities {
        assert!(community.code.starts_with(&divisions.streets[community.street].code));
        assert!(community.area.flat_area() > 0.0);
        assert!(polygon(&community.area).is_valid(), "{} {}", community.code, community.name);
    }
    // Every edge is a neighbour's too, the other way round, save those along the city's own border. With the sums
    // above, nothing is left between communities, and nothing lies in two of them.
    let key = |p: Point| p.map(f64::to_bits);
    let mut seen = HashSet::new();
    for (a, b) in divisions.communities.iter().flat_map(|c| edges(&c.area)) {
        assert!(seen.insert((key(a), key(b))));
    }
    let all = divisions.communities.iter().flat_map(|c| edges(&c.area));
    let outer: f64 = all.filter(|&(a, b)| !seen.contains(&(key(b), key(a)))).map(|(a, b)| distance(a, b)).sum();
    let border: f64 = divisions.city.iter().flat_map(edges).map(|(a, b)| distance(a, b)).sum();
    assert!((outer / border - 1.0).abs() < 1e-4, "{outer} {border}");
}
