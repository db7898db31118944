//! Rings made valid, vertices ranked, lines chained.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use onemap_tiles::repair::Repairer;
use onemap_tiles::shape::{Kind, Shapes, Vertex};
use onemap_tiles::simplify::rank;
use onemap_tiles::strokes::strokes;

fn main() {
    divan::main();
}

/// A number from 0 to `below` for a place, the same each time.
fn noise(place: u64, below: u32) -> u32 {
    let mixed = (place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) as u32 % below
}

const POLYGONS: &[(&str, &[[i32; 2]])] = &[
    ("rectangle", &[[3, 3], [15, 4], [14, 9], [2, 8]]),
    ("house of 8", &[[0, 0], [20, 0], [20, 8], [14, 8], [14, 14], [6, 14], [6, 8], [0, 8]]),
    ("bow-tie", &[[0, 0], [10, 10], [10, 0], [0, 10]]),
];

#[divan::bench(args = 0..POLYGONS.len())]
fn repair(bencher: Bencher, which: usize) {
    let (mut repairer, ring) = (Repairer::default(), POLYGONS[which].1);
    let (mut points, mut ends) = (vec![], vec![]);
    bencher.bench_local(|| {
        points.clear();
        points.extend_from_slice(black_box(ring));
        ends.clear();
        ends.push(ring.len() as u32);
        repairer.repair(&mut points, &mut ends);
        points.len()
    });
}

#[divan::bench(args = [100, 1000, 5000])]
fn repair_coast(bencher: Bencher, n: usize) {
    let at = |i: usize| {
        let turn = i as f64 / n as f64 * std::f64::consts::TAU;
        let radius = 1800.0 + 100.0 * (turn * 40.0).sin();
        [2000 + (radius * turn.cos()) as i32, 2000 + (radius * turn.sin()) as i32]
    };
    let (mut repairer, ring): (Repairer, Vec<[i32; 2]>) = (Repairer::default(), (0..n).map(at).collect());
    bencher.counter(ItemsCount::new(n)).bench_local(|| {
        let (mut points, mut ends) = (ring.clone(), vec![n as u32]);
        repairer.repair(&mut points, &mut ends);
        points.len()
    });
}

/// Square cells of a common border each, of a million vertices together.
fn mosaic(side: u64, per_edge: u64) -> (Vec<Vertex>, Vec<u64>, Vec<u64>) {
    let step = 2_000_000_000 / (side * (per_edge + 1)) as u32;
    let at = |x: u64, y: u64| {
        let place = (y << 32 | x) * 2;
        [x as u32 * step + noise(place, step / 2), y as u32 * step + noise(place + 1, step / 2)]
    };
    let (mut vertices, mut parts) = (vec![], vec![0]);
    let edge = per_edge + 1;
    for cell in 0..side * side {
        let (x, y) = (cell % side * edge, cell / side * edge);
        vertices.extend((0..edge).map(|i| at(x + i, y)));
        vertices.extend((0..edge).map(|i| at(x + edge, y + i)));
        vertices.extend((0..edge).map(|i| at(x + edge - i, y + edge)));
        vertices.extend((0..edge).map(|i| at(x, y + edge - i)));
        parts.push(vertices.len() as u64);
    }
    (vertices, parts, (0..=side * side).collect())
}

#[divan::bench(args = [(500, 0), (250, 3), (40, 155), (4, 15_624)], sample_count = 5)]
fn rank_a_million(bencher: Bencher, (side, per_edge): (u64, u64)) {
    let (vertices, parts, features) = mosaic(side, per_edge);
    let shapes = Shapes { kind: Kind::Polygon, vertices: &vertices, parts: &parts, features: &features };
    let mut zooms = vec![0; vertices.len()];
    bencher.counter(ItemsCount::new(vertices.len())).bench_local(|| rank(&shapes, &mut zooms, &|| false));
}

#[divan::bench(sample_count = 5)]
fn chain_half_a_million_lines(bencher: Bencher) {
    let (vertices, parts, features) = mosaic(350, 0);
    let cut = |ring: &[Vertex]| (0..4).flat_map(|i| [ring[i], ring[(i + 1) % 4]]).collect::<Vec<_>>();
    let vertices: Vec<Vertex> = parts.windows(2).flat_map(|w| cut(&vertices[w[0] as usize..w[1] as usize])).collect();
    let (parts, features): (Vec<u64>, Vec<u64>) =
        ((0..=vertices.len() as u64 / 2).map(|i| 2 * i).collect(), (0..(features.len() as u64 - 1) * 4 + 1).collect());
    let shapes = Shapes { kind: Kind::Line, vertices: &vertices, parts: &parts, features: &features };
    bencher.counter(ItemsCount::new(shapes.len())).bench_local(|| strokes(&shapes));
}
