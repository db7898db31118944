use super::*;
use crate::shape::Vertex;
use proptest::prelude::*;
use std::collections::HashMap;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % below as u64) as u32
    }
}

/// Features of one part each.
fn ranked(kind: Kind, parts: &[Vec<Vertex>]) -> Vec<Vec<u8>> {
    let vertices = parts.concat();
    let ends: Vec<u64> = parts.iter().scan(0, |sum, p| Some(std::mem::replace(sum, *sum + p.len() as u64))).collect();
    let ends: Vec<u64> = ends.into_iter().chain([vertices.len() as u64]).collect();
    let features: Vec<u64> = (0..=parts.len() as u64).collect();
    let mut zooms = vec![99; vertices.len()];
    let shapes = Shapes { kind, vertices: &vertices, parts: &ends, features: &features };
    assert!(rank(&shapes, &mut zooms, &|| false));
    ends.windows(2).map(|w| zooms[w[0] as usize..w[1] as usize].to_vec()).collect()
}

/// The zoom of each place; it must be the same wherever the place occurs.
fn by_place(parts: &[Vec<Vertex>], zooms: &[Vec<u8>]) -> HashMap<Vertex, u8> {
    let mut found = HashMap::new();
    for (vertex, zoom) in parts.iter().flatten().zip(zooms.iter().flatten()) {
        assert_eq!(found.insert(*vertex, *zoom).unwrap_or(*zoom), *zoom, "two zooms at {vertex:?}");
    }
    found
}

/// A mosaic of `side` × `side` cells of about `size` units, whose borders wind.
fn mosaic(side: usize, size: u32, per_edge: usize, seed: u64) -> Vec<Vec<Vertex>> {
    let mut dice = Dice(seed);
    let noise = size / 6;
    let mut shift = |[x, y]: Vertex| [x + dice.roll(noise), y + dice.roll(noise)];
    let at = |x: usize, y: usize| [1_000_000 + x as u32 * size, 2_000_000 + y as u32 * size];
    let nodes: Vec<Vec<Vertex>> = (0..=side).map(|y| (0..=side).map(|x| shift(at(x, y))).collect()).collect();
    let mut edge = |a: Vertex, b: Vertex| -> Vec<Vertex> {
        let between =
            |i: usize, k: usize| (a[k] as i64 + (b[k] as i64 - a[k] as i64) * i as i64 / (per_edge as i64 + 1)) as u32;
        (1..=per_edge).map(|i| shift([between(i, 0), between(i, 1)])).collect()
    };
    let mut east: HashMap<(usize, usize), Vec<Vertex>> = HashMap::new();
    let mut south: HashMap<(usize, usize), Vec<Vertex>> = HashMap::new();
    for y in 0..=side {
        for x in 0..=side {
            if x < side {
                east.insert((x, y), edge(nodes[y][x], nodes[y][x + 1]));
            }
            if y < side {
                south.insert((x, y), edge(nodes[y][x], nodes[y + 1][x]));
            }
        }
    }
    let mut cells = vec![];
    for y in 0..side {
        for x in 0..side {
            let mut ring = vec![nodes[y][x]];
            ring.extend(&east[&(x, y)]);
            ring.push(nodes[y][x + 1]);
            ring.extend(&south[&(x + 1, y)]);
            ring.push(nodes[y + 1][x + 1]);
            ring.extend(east[&(x, y + 1)].iter().rev());
            ring.push(nodes[y + 1][x]);
            ring.extend(south[&(x, y)].iter().rev());
            cells.push(ring);
        }
    }
    cells
}

fn distance(p: Vertex, a: Vertex, b: Vertex) -> f64 {
    let [p, a, b] = [p, a, b].map(|v| v.map(f64::from));
    let d = [b[0] - a[0], b[1] - a[1]];
    let along = ((p[0] - a[0]) * d[0] + (p[1] - a[1]) * d[1]) / (d[0] * d[0] + d[1] * d[1]).max(1.0);
    let along = along.clamp(0.0, 1.0);
    (p[0] - a[0] - along * d[0]).hypot(p[1] - a[1] - along * d[1])
}

fn epsilon(zoom: u8) -> f64 {
    TOLERANCE * (1u64 << (UNIT_ZOOM - zoom)) as f64
}

/// Each vertex between two kept ones lies within `factor` tolerances of the line between them.
fn assert_near(line: &[Vertex], zooms: &[u8], zoom: u8, factor: f64) {
    let kept: Vec<usize> = (0..line.len()).filter(|&i| zooms[i] <= zoom).collect();
    for pair in kept.windows(2) {
        for i in pair[0] + 1..pair[1] {
            let far = distance(line[i], line[pair[0]], line[pair[1]]);
            assert!(far <= factor * epsilon(zoom) * (1.0 + 1e-9), "{far} at zoom {zoom}");
        }
    }
}

/// The zooms at which the ring is drawn as a shape.
fn drawn(ring: &[Vertex]) -> impl Iterator<Item = u8> {
    let closed: Vec<Vertex> = ring.iter().copied().chain([ring[0]]).collect();
    let area = chain::area(&closed);
    (0..=20).filter(move |&zoom| area >= 64.0 * (1u64 << (2 * (UNIT_ZOOM - zoom))) as f64)
}

fn assert_true_to_shape(ring: &[Vertex], zooms: &[u8]) {
    for zoom in drawn(ring) {
        let kept = zooms.iter().filter(|&&z| z <= zoom).count();
        assert!(kept >= 3, "{kept} vertices at zoom {zoom}");
        let start = zooms.iter().position(|&z| z <= zoom).unwrap();
        let turned = [&ring[start..], &ring[..=start]].concat();
        let turned_zooms = [&zooms[start..], &zooms[..=start]].concat();
        assert_near(&turned, &turned_zooms, zoom, 3.0);
    }
}

#[test]
fn neighbours_have_the_same_vertices_and_stay_near() {
    for (size, per_edge) in [(300, 0), (3_000, 3), (50_000, 40), (1_000_000, 300)] {
        let cells = mosaic(8, size, per_edge, size as u64);
        let zooms = ranked(Kind::Polygon, &cells);
        by_place(&cells, &zooms);
        for (ring, zooms) in cells.iter().zip(&zooms) {
            assert_true_to_shape(ring, zooms);
        }
    }
    // The winding borders are simplified indeed.
    let zooms = ranked(Kind::Polygon, &mosaic(8, 1_000_000, 300, 7)).concat();
    let kept = |zoom: u8| zooms.iter().filter(|&&z| z <= zoom).count() as f64 / zooms.len() as f64;
    assert!(kept(2) < 0.05 && kept(5) < 0.9 && kept(16) == 1.0, "{} {}", kept(2), kept(5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_order_of_things_does_not_matter(seed: u64, size in 100..200_000u32, per_edge in 0..12usize) {
        let mut dice = Dice(seed);
        let cells = mosaic(4, size, per_edge, seed);
        let before = by_place(&cells, &ranked(Kind::Polygon, &cells));
        let mut others = cells;
        others.rotate_left(dice.roll(16) as usize);
        for ring in &mut others {
            let turn = dice.roll(ring.len() as u32) as usize;
            ring.rotate_left(turn);
            if dice.roll(2) == 0 {
                ring.reverse();
            }
        }
        prop_assert_eq!(before, by_place(&others, &ranked(Kind::Polygon, &others)));
    }

    #[test]
    fn a_lone_line_stays_within_the_tolerance(seed: u64, n in 2..400usize, wide in 10..100_000u32) {
        let mut dice = Dice(seed);
        let mut at = [1u32 << 31; 2];
        let line: Vec<Vertex> = (0..n).map(|_| {
            at = at.map(|k| k + dice.roll(2 * wide) - wide);
            at
        }).collect();
        let zooms = &ranked(Kind::Line, std::slice::from_ref(&line))[0];
        prop_assert_eq!((zooms[0], zooms[n - 1]), (0, 0));
        prop_assert!(zooms.iter().all(|&z| z <= COMPLETE_ZOOM));
        for zoom in 0..=20 {
            assert_near(&line, zooms, zoom, 1.0);
        }
    }
}

fn circle(radius: f64, n: usize) -> Vec<Vertex> {
    let turn = |i: usize| i as f64 / n as f64 * std::f64::consts::TAU;
    (0..n).map(|i| [5e7 + turn(i).cos() * radius, 6e7 + turn(i).sin() * radius].map(|k| k.round() as u32)).collect()
}

#[test]
fn an_island_fills_its_hole_at_every_zoom() {
    let lake = circle(40_000.0, 300);
    let mut hole = lake.clone();
    hole.rotate_left(123);
    hole.reverse();
    let parts = vec![circle(900_000.0, 1000), hole, lake];
    let zooms = ranked(Kind::Polygon, &parts);
    by_place(&parts, &zooms);
    assert!(zooms[2].iter().filter(|&&z| z <= 8).count() < 20);
}

#[test]
fn a_thin_strip_keeps_its_corners() {
    // At zoom 10 it is 400 units long and 1 wide.
    let strip = vec![[0, 0], [204_800, 0], [409_600, 0], [409_600, 1024], [204_800, 1024], [0, 1024]];
    let zooms = &ranked(Kind::Polygon, &[strip])[0];
    let corners = [0, 2, 3, 5].map(|i| zooms[i]);
    assert!(corners.iter().all(|&z| z <= 10), "{zooms:?}");
    assert_eq!((zooms[1], zooms[4]), (16, 16));
}

#[test]
fn parcels_do_not_weigh_on_the_road_beside_them() {
    // A straight road of 2000 parcels; each parcel's corner lies on the road's edge.
    let (n, size) = (2000u32, 3000u32);
    let mut road: Vec<Vertex> = (0..=n).map(|i| [i * size, 100_000]).collect();
    road.extend([[n * size, 0], [0, 0]]);
    let parcel =
        |i: u32| vec![[i * size, 100_000], [(i + 1) * size, 100_000], [(i + 1) * size, 103_000], [i * size, 103_000]];
    let parts: Vec<Vec<Vertex>> = std::iter::once(road).chain((0..n).map(parcel)).collect();
    let zooms = ranked(Kind::Polygon, &parts);
    by_place(&parts, &zooms);
    assert!(zooms[0].iter().filter(|&&z| z <= 8).count() < 20);
    assert!(zooms[1].iter().all(|&z| z <= 13));
}

#[test]
fn lines_that_share_their_way_share_its_vertices() {
    let mut dice = Dice(5);
    let way: Vec<Vertex> = (0..500).map(|i| [i * 2000, 1_000_000 + dice.roll(30_000)]).collect();
    let branch: Vec<Vertex> = (0..50).map(|i| [way[250][0], way[250][1] + i * 1000]).collect();
    let (west, mut east) = (way[..300].to_vec(), way[100..].to_vec());
    east.reverse();
    let zooms = ranked(Kind::Line, &[west.clone(), east.clone(), branch]);
    for i in 101..299 {
        assert_eq!(zooms[0][i], zooms[1][499 - i], "vertex {i}");
    }
    for zoom in 0..=16 {
        assert_near(&west, &zooms[0], zoom, 3.0);
        assert_near(&east, &zooms[1], zoom, 3.0);
    }
    assert!(zooms[0].iter().filter(|&&z| z <= 6).count() < 60);
}

#[test]
fn a_long_odd_line_takes_no_quadratic_time() {
    // A zigzag that grows: each split takes off one end only.
    let line: Vec<Vertex> =
        (0..1_000_000u32).map(|i| [i * 100, (1 << 31) + if i % 2 == 0 { i } else { 0 } * 1000]).collect();
    let zooms = &ranked(Kind::Line, std::slice::from_ref(&line))[0];
    for zoom in [0, 5, 10] {
        assert_near(&line, zooms, zoom, 1.0);
    }
}

#[test]
fn odd_parts_are_no_trouble() {
    for kind in [Kind::Point, Kind::Line, Kind::Polygon] {
        let parts = vec![
            vec![],
            vec![[1, 2]],
            vec![[1, 2], [1, 2]],
            vec![[7, 7]; 5],
            vec![[1, 2], [1, 2], [1, 2], [9, 9], [1, 2]],
        ];
        assert!(ranked(kind, &parts).concat().iter().all(|&z| z <= COMPLETE_ZOOM));
        assert!(ranked(kind, &[]).is_empty());
    }
}

#[test]
fn it_stops_when_told_to() {
    let shapes = Shapes { kind: Kind::Line, vertices: &[[1, 1], [2, 2]], parts: &[0, 2], features: &[0, 1] };
    assert!(!rank(&shapes, &mut [0, 0], &|| true));
}
