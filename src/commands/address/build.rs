//! `address build`: a table of addresses → an index.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Args;
use csv::StringRecord;
use indicatif::{ProgressBar, ProgressStyle};
use onemap_address::segment::{self, Builder};

use crate::address::guess::{About, Described, Guess, guess};
use crate::address::mapping::{Layout, Target};
use crate::error::{Error, Result};
use crate::upload::text::Decoded;

#[derive(Args)]
pub struct Arguments {
    /// The table: csv with a header, also compressed (.gz, .zst)
    table: PathBuf,
    /// Where the index is put
    #[arg(short, long)]
    output: PathBuf,
    /// Which column an element is in, such as --map road=路名; what is not said is guessed from the header
    #[arg(long, value_name = "ELEMENT=COLUMN")]
    map: Vec<String>,
    /// The column of longitudes (degrees)
    #[arg(long)]
    lon: Option<String>,
    /// The column of latitudes (degrees)
    #[arg(long)]
    lat: Option<String>,
}

const LONGITUDES: [&str; 6] = ["lon", "lng", "longitude", "经度", "x", "wgs84_lon"];
const LATITUDES: [&str; 5] = ["lat", "latitude", "纬度", "y", "wgs84_lat"];
/// Rows between two looks at the clock.
const OFTEN: u64 = 4096;

/// Counts what is read of a file, before it is decompressed: of that the length is known.
struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.read(out)?;
        self.1.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

pub fn run(a: &Arguments) -> Result<()> {
    let begun = Instant::now();
    let file = File::open(&a.table).map_err(|e| {
        let shown = a.table.display();
        Error::not_found(format!("无法打开 {shown}"), format!("{shown} cannot be opened")).because(e)
    })?;
    let (length, read) = (file.metadata()?.len(), Arc::new(AtomicU64::new(0)));
    let mut records = records(a, Counted(file, read.clone()))?;
    let header = records.headers().map_err(|e| told(&e))?.clone();
    let (layout, lon, lat) = columns(a, &header)?;
    let bar = progress(length);
    let mut builder = Builder::new();
    let (mut record, mut rows, mut nowhere) = (StringRecord::new(), 0u64, 0u64);
    while records.read_record(&mut record).map_err(|e| told(&e))? {
        rows += 1;
        let degrees = |i: usize, most: f64| {
            record.get(i).and_then(|v| v.trim().parse().ok()).filter(|d: &f64| d.is_finite() && d.abs() <= most)
        };
        match (degrees(lon, 180.0), degrees(lat, 90.0)) {
            (Some(x), Some(y)) => {
                let values: Vec<&str> = record.iter().collect();
                builder.push(&layout.address(rows, x, y, &values)).map_err(failed)?;
            }
            _ => nowhere += 1,
        }
        if rows.is_multiple_of(OFTEN) {
            bar.set_position(read.load(Ordering::Relaxed));
            bar.set_message(format!("{rows} 行 rows, {:.0}/s", rows as f64 / begun.elapsed().as_secs_f64()));
        }
    }
    bar.set_position(length);
    bar.set_message("写入索引 writing".to_owned());
    let taken = builder.rows();
    builder.write(&a.output, 0).map_err(failed)?;
    bar.finish_and_clear();
    let (seconds, bytes) = (begun.elapsed().as_secs_f64(), std::fs::metadata(&a.output)?.len());
    eprintln!(
        "索引 {}：{taken} 条地址，{:.1} MiB，{seconds:.1} s（{:.0} 行/s） an index of {taken} addresses",
        a.output.display(),
        bytes as f64 / f64::from(1 << 20),
        rows as f64 / seconds.max(0.001),
    );
    if nowhere > 0 {
        eprintln!("  {nowhere} 行没有有效坐标，已略过 rows without coordinates were left out");
    }
    if rows > nowhere + taken {
        eprintln!("  {} 行没有可用的地址要素，已略过 rows without any element were left out", rows - nowhere - taken);
    }
    Ok(())
}

type Records = csv::Reader<Decoded<BufReader<Box<dyn Read>>>>;

fn records(a: &Arguments, file: Counted<File>) -> Result<Records> {
    let end = a.table.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let plain: Box<dyn Read> = match end.as_str() {
        "gz" => Box::new(flate2::read::MultiGzDecoder::new(file)),
        "zst" => Box::new(zstd::stream::read::Decoder::new(file)?),
        _ => Box::new(file),
    };
    let inner = a.table.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    let tabs = end == "tsv" || inner.ends_with(".tsv");
    let text = Decoded::by_its_head(BufReader::with_capacity(256 << 10, plain))?;
    let delimiter = if tabs { b'\t' } else { b',' };
    Ok(csv::ReaderBuilder::new().delimiter(delimiter).buffer_capacity(256 << 10).from_reader(text))
}

/// Where the elements and the coordinates are. Says what was guessed.
fn columns(a: &Arguments, header: &StringRecord) -> Result<(Layout, usize, usize)> {
    let names: Vec<&str> = header.iter().map(str::trim).collect();
    let described: Vec<Described<'_>> = names.iter().map(|name| Described { name, ..Described::default() }).collect();
    let Guess { mut mapping, report } = guess(&described, About::default());
    for pair in &a.map {
        mapping.change(pair)?;
    }
    mapping.check(names.iter().copied())?;
    let place = |said: &Option<String>, known: &[&str], what: &str| {
        let found = match said {
            Some(name) => names.iter().position(|n| n == name),
            None => known.iter().find_map(|k| names.iter().position(|n| n.eq_ignore_ascii_case(k))),
        };
        found.ok_or_else(|| {
            Error::invalid(what, format!("没有坐标列 {what}"), format!("there is no column of coordinates ({what})"))
                .hint("用 --lon 和 --lat 指明", "say --lon and --lat")
        })
    };
    let (lon, lat) = (place(&a.lon, &LONGITUDES, "lon")?, place(&a.lat, &LATITUDES, "lat")?);
    for (target, field) in mapping.each() {
        let guessed = report.iter().any(|g| Target::parse(g.element) == Some(target) && g.field == field);
        eprintln!("  {:<14}{field}{}", target.name(), if guessed { "  （推断 guessed）" } else { "" });
    }
    eprintln!("  {:<14}{}, {}", "lon, lat", names[lon], names[lat]);
    Ok((mapping.layout(&names), lon, lat))
}

fn progress(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = "{wide_bar} {percent}% {msg} · 剩余 left {eta}";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn told(e: &csv::Error) -> Error {
    let line = e.position().map_or(0, csv::Position::line);
    Error::invalid("table", format!("第 {line} 行无法读取"), format!("line {line} cannot be read"))
        .because(e.to_string())
}

fn failed(e: segment::Error) -> Error {
    Error::invalid("output", "索引无法建立", "the index could not be made").because(e)
}
