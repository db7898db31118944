//! What is hot, beside a plain baseline in the same run: sorting the same values, testing every polygon's box.

use divan::{Bencher, black_box};
use onemap_statistics::area::{Locator, Rings};
use onemap_statistics::classify::{Method, Wanted, classify};
use onemap_statistics::suppress::suppress;

fn main() {
    divan::main();
}

fn values(count: u64) -> Vec<f64> {
    let mut seed = 1u64;
    (0..count)
        .map(|_| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((seed >> 11) as f64 / (1u64 << 53) as f64).powi(3) * 1e4
        })
        .collect()
}

#[divan::bench]
fn sorting_100k(bencher: Bencher) {
    let values = values(100_000);
    bencher.bench(|| {
        let mut sorted = values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    });
}

#[divan::bench(args = [Method::Quantile, Method::NaturalBreaks])]
fn classes_of_100k(bencher: Bencher, method: Method) {
    let values = values(100_000);
    let wanted = Wanted { method, classes: 12, breaks: vec![] };
    bencher.bench(|| classify(black_box(&values), &wanted));
}

#[divan::bench]
fn suppression_of_2000_zones_in_10_periods(bencher: Bencher) {
    let counts: Vec<u64> = values(20_000).iter().map(|v| (*v / 100.0) as u64).collect();
    bencher.bench(|| suppress(black_box(&counts), 10, 5));
}

/// Rings of 400 vertices on a grid of 40 × 40.
fn rings() -> Vec<Rings> {
    let round = |i: usize| {
        let (x, y) = ((i % 40) as f64, (i / 40) as f64);
        let at = |t: usize| (t as f64 / 400.0 * std::f64::consts::TAU).sin_cos();
        let ring = (0..=400).map(|t| [x + 0.5 + 0.48 * at(t % 400).1, y + 0.5 + 0.48 * at(t % 400).0]).collect();
        Rings { rings: vec![ring], polygons: vec![1] }
    };
    (0..1600).map(round).collect()
}

fn points() -> Vec<[f64; 2]> {
    values(20_000).chunks_exact(2).map(|p| [p[0] % 40.0, p[1] % 40.0]).collect()
}

#[divan::bench]
fn points_10k_in_1600_polygons(bencher: Bencher) {
    let (locator, points) = (Locator::new(&rings()), points());
    bencher.bench(|| points.iter().filter_map(|p| locator.find(*p)).count());
}

#[divan::bench]
fn points_10k_against_1600_boxes(bencher: Bencher) {
    let points = points();
    let boxes: Vec<[f64; 4]> =
        (0..1600).map(|i| [(i % 40) as f64, (i / 40) as f64]).map(|[x, y]| [x, y, x + 1.0, y + 1.0]).collect();
    let inside = |p: &[f64; 2], b: &[f64; 4]| p[0] >= b[0] && p[0] < b[2] && p[1] >= b[1] && p[1] < b[3];
    bencher.bench(|| points.iter().filter_map(|p| boxes.iter().position(|b| inside(black_box(p), b))).count());
}
