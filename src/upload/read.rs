//! Reading one layer by its plan: rows in, PostgreSQL's binary COPY out, everything that was changed or left out counted.

use super::archive::ArchiveLimits;
use super::crs::{CGCS2000, ToCgcs2000};
use super::datum;
use super::fields;
use super::geometry::Geometry;
use super::open::{self, Options, Progress};
use super::report::*;
use super::source::{Cell, Next, Row, Rows, Shape};
use super::validity::Checker;
use crate::error::{Error, Result};
use crate::layer::copy::{HEADER, TRAILER, Value, begin_row, put};
use crate::layer::model::FieldType;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;

const FLUSH_AT: usize = 256 << 10;
/// Keys remembered to count repeats; beyond it the database's own check must do.
const MAX_KEYS: usize = 4_000_000;

/// Rows that go from the reading to the writing thread together, and come back to be filled anew.
#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    used: usize,
    failed: Vec<(u64, String)>,
    vertices: usize,
}

const BATCH_ROWS: usize = 256;
const BATCH_VERTICES: usize = 64 << 10;

impl Batch {
    fn is_full(&self) -> bool {
        self.used >= BATCH_ROWS || self.vertices >= BATCH_VERTICES
    }
    fn clear(&mut self) {
        // A giant geometry's memory is not kept for the small ones after it.
        if self.vertices >= BATCH_VERTICES {
            self.rows.clear();
        }
        self.used = 0;
        self.vertices = 0;
        self.failed.clear();
    }
}

enum Message {
    Rows(Batch),
    /// The source was read to its end: only now may the stream be closed.
    End,
}

/// Writes the layer's rows as a COPY stream: one thread reads, one checks, converts and writes.
/// On an error the stream stays without its trailer.
pub fn read(
    path: &Path,
    plan: &ReadPlan,
    options: &Options,
    limits: ArchiveLimits,
    out: &mut (impl Write + Send),
    progress: &mut dyn FnMut(Progress),
) -> Result<ReadReport> {
    progress(Progress { stage: "unpack".into(), done: 0, total: 0 });
    let opened = open::survey(path, options, limits)?;
    let dataset = opened.datasets.iter().find(|d| d.name == plan.dataset).ok_or_else(|| {
        Error::invalid(
            "dataset",
            format!("上传内容中没有 {}", plan.dataset),
            format!("the upload holds no {}", plan.dataset),
        )
    })?;
    let encoding = plan.encoding.as_deref().or(options.encoding.as_deref());
    let mut source = open::open(dataset, &options.work, encoding)?;
    let mut rows = source.rows(plan.index)?;
    std::thread::scope(|scope| {
        let (full, filled) = mpsc::sync_channel(2);
        let (used, empty) = mpsc::channel();
        let writing = scope.spawn(move || write(plan, filled, used, out));
        let reading = fill(rows.as_mut(), full, empty, progress);
        let written = writing.join().map_err(|_| Error::internal("the writing thread panicked"))?;
        // A reading fault is the cause; the writer then only saw the channel close.
        reading.and(written)
    })
}

/// The reading thread: fills batches until the source ends or the writer is gone.
fn fill(
    rows: &mut dyn Rows,
    full: mpsc::SyncSender<Message>,
    empty: mpsc::Receiver<Batch>,
    progress: &mut dyn FnMut(Progress),
) -> Result<()> {
    let mut batch = Batch::default();
    let mut seen = 0u64;
    loop {
        if batch.used == batch.rows.len() {
            batch.rows.push(Row::default());
        }
        let row = &mut batch.rows[batch.used];
        let ended = match rows.next(row)? {
            Next::End => true,
            Next::Failed(why) => {
                seen += 1;
                batch.failed.push((seen, why));
                false
            }
            Next::Row => {
                seen += 1;
                batch.used += 1;
                batch.vertices += row.geometry.x.len();
                false
            }
        };
        if ended || batch.is_full() {
            let (done, total) = rows.progress();
            progress(Progress { stage: "read".into(), done, total });
            if full.send(Message::Rows(std::mem::take(&mut batch))).is_err() {
                return Ok(());
            }
            batch = empty.try_recv().unwrap_or_default();
            batch.clear();
        }
        if ended {
            // If the writer is gone its own error tells.
            let _ = full.send(Message::End);
            return Ok(());
        }
    }
}

/// The writing thread.
fn write(
    plan: &ReadPlan,
    filled: mpsc::Receiver<Message>,
    used: mpsc::Sender<Batch>,
    out: &mut impl Write,
) -> Result<ReadReport> {
    let mut work = Reading::new(plan)?;
    let mut buffer = Vec::with_capacity(FLUSH_AT * 2);
    buffer.extend_from_slice(HEADER);
    let mut ended = false;
    for message in filled {
        let Message::Rows(mut batch) = message else {
            ended = true;
            break;
        };
        for (number, why) in &batch.failed {
            work.report.failed_rows.add(*number);
            count_cause(&mut work.report.causes, why);
        }
        for row in &mut batch.rows[..batch.used] {
            work.row(row, &mut buffer);
            if buffer.len() >= FLUSH_AT {
                work.report.bytes += buffer.len() as u64;
                out.write_all(&buffer)?;
                buffer.clear();
            }
        }
        // The reader may have finished meanwhile.
        let _ = used.send(batch);
    }
    if !ended {
        return Err(Error::internal("reading stopped before the end"));
    }
    buffer.extend_from_slice(TRAILER);
    work.report.bytes += buffer.len() as u64;
    out.write_all(&buffer)?;
    out.flush()?;
    Ok(work.finish())
}

struct Reading<'a> {
    plan: &'a ReadPlan,
    way: ToCgcs2000,
    report: ReadReport,
    checker: Checker,
    ewkb: Vec<u8>,
    misfits: Vec<Listed>,
    key: Option<usize>,
    keys: HashSet<u64>,
    hasher: RandomState,
    scratch: String,
}

impl<'a> Reading<'a> {
    fn new(plan: &'a ReadPlan) -> Result<Reading<'a>> {
        let key = match &plan.key {
            None => None,
            Some(name) => Some(plan.fields.iter().position(|f| f.field.name == *name).ok_or_else(|| {
                Error::invalid("key", format!("没有字段 {name}"), format!("there is no field {name}"))
            })?),
        };
        Ok(Reading {
            plan,
            way: ToCgcs2000::new(&plan.crs)?,
            report: ReadReport::default(),
            checker: Checker::default(),
            ewkb: Vec::new(),
            misfits: vec![Listed::default(); plan.fields.len()],
            key,
            keys: HashSet::new(),
            hasher: RandomState::new(),
            scratch: String::new(),
        })
    }

    fn row(&mut self, row: &mut Row, out: &mut Vec<u8>) {
        begin_row(out, self.plan.fields.len() + 2);
        put(out, &Value::Integer(row.number as i64));
        if row.bad_texts > 0 {
            self.report.mended_texts.add(row.number);
        }
        for (i, field) in self.plan.fields.iter().enumerate() {
            let cell = row.cells.get(field.source).unwrap_or(&Cell::Null);
            match convert(cell, field.field.kind, &mut self.scratch) {
                Ok(value) => put(out, &value),
                Err(()) => {
                    self.misfits[i].add(row.number);
                    put(out, &Value::Null);
                }
            }
        }
        if let Some(key) = self.key {
            self.see_key(row.cells.get(self.plan.fields[key].source).unwrap_or(&Cell::Null), row.number);
        }
        self.ewkb.clear();
        if self.shape(row) {
            put(out, &Value::Geometry(&self.ewkb));
        } else {
            put(out, &Value::Null);
        }
        self.report.rows += 1;
    }

    fn see_key(&mut self, cell: &Cell, number: u64) {
        if *cell == Cell::Null {
            self.report.key_nulls.add(number);
        } else if self.keys.len() < MAX_KEYS {
            let hash = match cell {
                Cell::Text(t) => self.hasher.hash_one(t),
                other => self.hasher.hash_one(fields::show(other)),
            };
            if !self.keys.insert(hash) {
                self.report.key_repeats.add(number);
            }
        }
    }

    /// Fills `ewkb`; false when the row has no geometry to store, which is counted by its cause.
    fn shape(&mut self, row: &mut Row) -> bool {
        let number = row.number;
        self.report.curves += u64::from(row.curved);
        match &row.shape {
            Shape::Null => self.report.null_geometry += 1,
            Shape::Empty => self.report.empty_geometry += 1,
            Shape::Unreadable(why) => {
                self.report.unreadable_geometry.add(number);
                count_cause(&mut self.report.causes, why);
            }
            Shape::Present => return self.geometry(&mut row.geometry, number),
        }
        false
    }

    fn geometry(&mut self, g: &mut Geometry, number: u64) -> bool {
        let report = &mut self.report;
        if !g.is_finite() {
            report.not_finite.add(number);
            return false;
        }
        let mended = g.close_and_prune();
        if g.is_empty() {
            report.degenerate.add(number);
            return false;
        }
        if self.plan.swap_axes {
            g.swap_axes();
        }
        let (way, datum) = (&self.way, self.plan.datum);
        let placed = g.each_column(&mut |x, y, _| {
            let ok = way.apply(x, y);
            datum::undo(datum, x, y);
            if ok { Ok(()) } else { Err(()) }
        });
        if placed.is_err() || !g.is_finite() || !on_earth(g) {
            report.untransformable.add(number);
            return false;
        }
        let mut better = None;
        if mended {
            report.repaired.add(number);
        }
        if self.plan.repair
            && let Some(why) = self.checker.fault(g)
        {
            count_cause(&mut report.causes, &why);
            better = self.checker.repair(g);
            let list = if better.is_some() { &mut report.repaired } else { &mut report.left_invalid };
            if !mended {
                list.add(number);
            }
        }
        let g = better.as_ref().unwrap_or(g);
        if !g.write_ewkb(self.plan.target, CGCS2000, &mut self.ewkb) {
            report.wrong_type.add(number);
            return false;
        }
        g.widen(&mut report.bbox_4490);
        true
    }

    fn finish(self) -> ReadReport {
        let mut report = self.report;
        report.misfit_values = self
            .plan
            .fields
            .iter()
            .zip(self.misfits)
            .filter(|(_, listed)| listed.count > 0)
            .map(|(field, listed)| (field.field.name.clone(), listed))
            .collect();
        report
    }
}

/// Degrees beyond the poles, or far beyond the date line, are no place.
fn on_earth(g: &Geometry) -> bool {
    g.x.iter().all(|x| x.abs() <= 360.0) && g.y.iter().all(|y| y.abs() <= 90.000_001) && g.children.iter().all(on_earth)
}

/// A cell as a value of the field's type; Err when it cannot be one without loss.
fn convert<'c>(cell: &'c Cell, kind: FieldType, scratch: &'c mut String) -> Result<Value<'c>, ()> {
    use FieldType as T;
    Ok(match (cell, kind) {
        (Cell::Null, _) => Value::Null,
        (Cell::Text(t), T::Text) => Value::Text(t),
        (Cell::Int(i), T::Integer) => Value::Integer(*i),
        (Cell::Int(i), T::Float) => Value::Float(*i as f64),
        (Cell::Float(f), T::Float) => Value::Float(*f),
        (Cell::Float(f), T::Integer) if f.fract() == 0.0 && f.abs() < 9e15 => Value::Integer(*f as i64),
        (Cell::Bool(b), T::Boolean) => Value::Boolean(*b),
        (Cell::Int(i @ (0 | 1)), T::Boolean) => Value::Boolean(*i == 1),
        (Cell::Bool(b), T::Integer) => Value::Integer(i64::from(*b)),
        (Cell::Date(d), T::Date) => Value::Date(*d),
        (Cell::Date(d), T::Timestamp) => Value::Timestamp((i64::from(*d) * 24 - 8) * 3_600_000_000),
        (Cell::Timestamp(t), T::Timestamp) => Value::Timestamp(*t),
        (Cell::Text(t), kind) => return from_text(t.trim(), kind),
        (other, T::Text) => {
            *scratch = fields::show(other);
            Value::Text(scratch)
        }
        _ => return Err(()),
    })
}

fn from_text(text: &str, kind: FieldType) -> Result<Value<'static>, ()> {
    if fields::is_null_word(text) {
        return Ok(Value::Null);
    }
    let value = match kind {
        FieldType::Integer => fields::parse_integer(text).map(Value::Integer),
        FieldType::Float => fields::parse_float(text).map(Value::Float),
        FieldType::Boolean => fields::parse_boolean(text).map(Value::Boolean),
        FieldType::Date => fields::parse_date(text).map(Value::Date),
        FieldType::Timestamp => fields::parse_timestamp(text)
            .or_else(|| fields::parse_date(text).map(|d| (i64::from(d) * 24 - 8) * 3_600_000_000))
            .map(Value::Timestamp),
        FieldType::Text => None,
    };
    value.ok_or(())
}
