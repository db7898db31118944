//! Points against districts, for `bench/spatial.py`: `write FOLDER POINTS` makes both as text, `time FOLDER` locates the points and prints
//! how many pairs there are and how many points a second one core holds.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Instant;

use geo::{Coord, Geometry};
use onemap_spatial::area::Area;
use onemap_spatial::shape::Shape;
use onemap_spatial::wkt;
use onemap_spatial::zones::Zones;

#[path = "../tests/city/mod.rs"]
mod city;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder, points] => write(Path::new(folder), points.parse()?),
        ["time", folder] => time(Path::new(folder)),
        _ => Err("write FOLDER POINTS, or time FOLDER".into()),
    }
}

fn write(folder: &Path, count: usize) -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    for district in city::districts() {
        for polygon in &district {
            let ring: Vec<String> = polygon.exterior().0.iter().map(|c| format!("{} {}", c.x, c.y)).collect();
            writeln!(text, "POLYGON(({}))", ring.join(","))?;
        }
    }
    fs::write(folder.join("districts.wkt"), text)?;
    let mut text = String::new();
    for p in city::points(count) {
        writeln!(text, "{}\t{}", p.x, p.y)?;
    }
    Ok(fs::write(folder.join("points.tsv"), text)?)
}

fn time(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let area = |line: &str| wkt::read(line).and_then(|g: Geometry| Shape::new(g));
    let areas: Vec<Area> = fs::read_to_string(folder.join("districts.wkt"))?
        .lines()
        .filter_map(area)
        .filter_map(|shape| match shape {
            Shape::Area(area) => Some(*area),
            _ => None,
        })
        .collect();
    let point = |line: &str| {
        let (x, y) = line.split_once('\t')?;
        Some(Coord { x: x.parse().ok()?, y: y.parse().ok()? })
    };
    let points: Vec<Coord> = fs::read_to_string(folder.join("points.tsv"))?.lines().filter_map(point).collect();
    let begun = Instant::now();
    let zones = Zones::new(areas);
    let prepared = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let mut pairs = 0u64;
    points.iter().for_each(|p| zones.locate(*p, |_, _| pairs += 1));
    let seconds = begun.elapsed().as_secs_f64();
    println!("{pairs}\t{}\t{seconds}\t{prepared}", points.len());
    Ok(())
}
