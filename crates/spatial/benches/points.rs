//! How many points a core holds against a city's districts: 161 of 4,400 vertices, as `../bench` has them.
//!
//! `districts` is what counts; `each_band` is the same without the grid, `rays` the textbook's way over every edge of every box that
//! holds the point: the baseline of the same run.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use geo::{BoundingRect, Contains, Coord, MultiPolygon, Point};
use onemap_spatial::area::{Area, Position};
use onemap_spatial::zones::Zones;

#[path = "../tests/city/mod.rs"]
mod city;

fn main() {
    divan::main();
}

const POINTS: usize = 20_000;

#[divan::bench]
fn districts(bencher: Bencher) {
    let zones = Zones::new(city::districts().iter().filter_map(Area::new).collect());
    let points = city::points(POINTS);
    bencher.counter(ItemsCount::new(POINTS)).bench_local(|| {
        let mut hits = 0u64;
        points.iter().for_each(|p| zones.locate(*p, |number, _| hits += u64::from(number)));
        black_box(hits)
    });
}

#[divan::bench]
fn each_band(bencher: Bencher) {
    let areas: Vec<Area> = city::districts().iter().filter_map(Area::new).collect();
    let points = city::points(POINTS);
    bencher.counter(ItemsCount::new(POINTS)).bench_local(|| {
        let inside = |p: &Coord| areas.iter().filter(|area| area.locate(*p) != Position::Outside).count();
        black_box(points.iter().map(inside).sum::<usize>())
    });
}

#[divan::bench(sample_count = 3)]
fn rays(bencher: Bencher) {
    let districts: Vec<(MultiPolygon, geo::Rect)> =
        city::districts().into_iter().filter_map(|d| Some((d.clone(), d.bounding_rect()?))).collect();
    let points = &city::points(POINTS)[..1000];
    bencher.counter(ItemsCount::new(points.len())).bench_local(|| {
        let inside = |p: &Coord| {
            let point = Point(*p);
            districts.iter().filter(|(district, rect)| rect.contains(&point) && district.contains(&point)).count()
        };
        black_box(points.iter().map(inside).sum::<usize>())
    });
}

#[divan::bench]
fn prepare(bencher: Bencher) {
    let districts = city::districts();
    bencher.bench_local(|| black_box(Zones::new(districts.iter().filter_map(Area::new).collect())));
}
