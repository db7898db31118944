//! `address match`: rows or lines in, the same with what was found out, in their order. Several threads, memory flat.

use std::collections::BTreeMap;
use std::io::{BufRead, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use csv::StringRecord;
use onemap_address::find::{Answer, Finder, Level, Query, Source};
use onemap_address::segment::Segment;

use super::{lines, written};
use crate::address::answer::{self, Name};
use crate::address::days;
use crate::address::rows::score;
use crate::error::{Error, Result};

#[derive(Args)]
pub struct Arguments {
    /// An index made by `address build`; several are searched together, the first ones first
    #[arg(long, required = true)]
    index: Vec<PathBuf>,
    /// The column with the address; without it every line is one
    #[arg(long)]
    column: Option<String>,
    /// Threads that match
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

const FOUND: [&str; 9] =
    ["id", "label", "score", "match_level", "coordinate_level", "lon", "lat", "faults", "remainder"];
/// Rows that go from one thread to another at a time.
const CHUNK: usize = 256;
/// Chunks that may wait.
const WAITING: usize = 16;

/// Rows with their place in the order.
type Chunk = (u64, Vec<StringRecord>);

pub fn run(a: &Arguments) -> Result<()> {
    let segments = a.index.iter().map(|path| open(path)).collect::<Result<Vec<Segment>>>()?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(false).from_reader(lines()?);
    let mut out = BufWriter::with_capacity(256 << 10, std::io::stdout().lock());
    let (header, column) = match &a.column {
        None => (vec!["q".to_owned()], 0),
        Some(name) => header(&mut reader, name)?,
    };
    let (rows_in, rows) = sync_channel::<Chunk>(WAITING);
    let (found_in, found) = sync_channel::<(u64, usize, Vec<u8>)>(WAITING);
    let rows = Arc::new(Mutex::new(rows));
    let by_column = a.column.is_some();
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || match by_column {
            true => read_rows(&mut reader, &rows_in),
            false => read_lines(reader.into_inner(), &rows_in),
        });
        for _ in 0..a.threads.max(1) {
            let (rows, found, segments) = (rows.clone(), found_in.clone(), &segments);
            scope.spawn(move || work(segments, column, &rows, &found));
        }
        drop((rows, found_in));
        let mut head = vec![];
        let wrote = record(&mut head, header.iter().map(String::as_str).chain(FOUND))
            .and_then(|()| written(out.write_all(&head)));
        let wrote = match wrote {
            Ok(true) => in_order(&found, &mut out),
            other => other.map(drop),
        };
        // Nobody takes results any more: the others end by that.
        drop(found);
        let read = reading.join().unwrap_or_else(|_| Err(Error::internal("the reader ended early")));
        wrote.and(read)
    })
}

fn open(path: &Path) -> Result<Segment> {
    let opened = Segment::open(path).and_then(|segment| segment.verify().map(|()| segment));
    opened.map_err(|e| {
        let shown = path.display();
        Error::invalid("index", format!("索引 {shown} 无法使用"), format!("the index {shown} cannot be used"))
            .because(e)
    })
}

fn header<R: std::io::Read>(reader: &mut csv::Reader<R>, name: &str) -> Result<(Vec<String>, usize)> {
    let mut first = StringRecord::new();
    reader.read_record(&mut first).map_err(|e| told(&e))?;
    let header: Vec<String> = first.iter().map(|h| h.trim_start_matches('\u{feff}').trim().to_owned()).collect();
    match header.iter().position(|h| h == name) {
        Some(column) => Ok((header, column)),
        None => Err(Error::invalid("column", format!("没有列 {name}"), format!("there is no column {name}"))
            .hint(format!("有：{}", header.join("、")), format!("there are {}", header.join(", ")))),
    }
}

fn read_rows<R: std::io::Read>(reader: &mut csv::Reader<R>, rows: &SyncSender<Chunk>) -> Result<()> {
    for number in 0.. {
        let chunk: Vec<StringRecord> =
            reader.records().take(CHUNK).collect::<std::result::Result<_, _>>().map_err(|e| told(&e))?;
        if chunk.is_empty() || rows.send((number, chunk)).is_err() {
            break;
        }
    }
    Ok(())
}

fn read_lines(input: impl BufRead, rows: &SyncSender<Chunk>) -> Result<()> {
    let (mut number, mut chunk) = (0, Vec::with_capacity(CHUNK));
    for line in input.lines() {
        chunk.push(StringRecord::from(vec![line?]));
        if chunk.len() == CHUNK {
            if rows.send((number, std::mem::take(&mut chunk))).is_err() {
                return Ok(());
            }
            number += 1;
        }
    }
    let _ = rows.send((number, chunk));
    Ok(())
}

fn work(segments: &[Segment], column: usize, rows: &Mutex<Receiver<Chunk>>, found: &SyncSender<(u64, usize, Vec<u8>)>) {
    let mut finder = Finder::new();
    finder.day = Some(days::today());
    let each = segments.iter().zip(0u32..).map(|(segment, tag)| {
        // The first ones first; beyond the range all are equal.
        let priority = tag.min(255) as u8;
        Source { segment, hidden: None, visible: None, by_area: false, priority, tag }
    });
    let sources: Vec<Source<'_>> = each.collect();
    loop {
        let next = rows.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, chunk)) = next else { return };
        let mut out = Vec::with_capacity(chunk.len() * 200);
        for row in &chunk {
            let query = Query { text: row.get(column).unwrap_or_default(), limit: 1, ..Query::default() };
            let cells = cells(&finder.search(&sources, &query));
            // Writing into memory does not fail.
            let _ = record(&mut out, row.iter().chain(cells.iter().map(String::as_str)));
        }
        if found.send((number, chunk.len(), out)).is_err() {
            return;
        }
    }
}

fn cells(answer: &Answer) -> [String; FOUND.len()] {
    let (faults, remainder) = (answer::faults(&answer.faults).join(" "), answer.remainder.clone());
    let Some(best) = answer.candidates.first() else {
        let none = String::new;
        return [none(), none(), none(), Level::None.name().into(), none(), none(), none(), faults, remainder];
    };
    let id = best.key.clone().or(best.id.map(|id| id.to_string())).unwrap_or_default();
    let degrees = |v: f64| ((v * 1e7).round() / 1e7).to_string();
    [
        id,
        best.label.clone(),
        score(best.score),
        best.match_level.name().into(),
        best.coordinate_level.name().into(),
        degrees(best.lon),
        degrees(best.lat),
        faults,
        remainder,
    ]
}

/// Writes what the workers found in the order of the rows.
fn in_order(found: &Receiver<(u64, usize, Vec<u8>)>, out: &mut impl Write) -> Result<()> {
    let (begun, shows) = (Instant::now(), std::io::stderr().is_terminal());
    let (mut next, mut early, mut rows, mut shown) = (0, BTreeMap::new(), 0, Instant::now());
    for (number, count, bytes) in found {
        early.insert(number, bytes);
        rows += count;
        while let Some(bytes) = early.remove(&next) {
            next += 1;
            if !written(out.write_all(&bytes))? {
                return Ok(());
            }
        }
        if shows && shown.elapsed() > Duration::from_secs(1) {
            shown = Instant::now();
            eprint!("\r{rows} 行 rows · {:.0}/s ", rows as f64 / begun.elapsed().as_secs_f64());
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("{}{rows} 行 rows · {seconds:.1} s · {:.0}/s", if shows { "\r" } else { "" }, rows as f64 / seconds);
    written(out.flush()).map(drop)
}

fn record<'a>(out: &mut Vec<u8>, values: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(values).map_err(Error::internal)?;
    Ok(writer.flush()?)
}

fn told(e: &csv::Error) -> Error {
    let line = e.position().map_or(0, csv::Position::line);
    Error::invalid("stdin", format!("第 {line} 行无法读取"), format!("line {line} cannot be read"))
        .because(e.to_string())
}
