//! What is hot, beside a plain baseline in the same run: sorting the same values.

use divan::{Bencher, black_box};
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
