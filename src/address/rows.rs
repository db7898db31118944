//! A table's rows with what was found behind each, as csv: for the streaming endpoint and the command line.

use bytes::Bytes;
use csv::StringRecord;
use onemap_address::find::{Answer, Finder, Level, Query};
use tokio::sync::mpsc;

use super::Readable;
use super::answer::{self, Name};
use super::finders::Finders;
use super::guess::{About, Described, guess};
use super::mapping::Target;
use super::search::too_long;
use super::table::Table;
use crate::error::{Error, Result};

/// Rows matched in one turn: a long file must not keep a core from those who search.
const CHUNK: usize = 200;

/// What can be put behind a row; the first ones when nothing was chosen. Addok's names.
pub const RESULTS: [&str; 22] = [
    "longitude",
    "latitude",
    "result_label",
    "result_score",
    "result_score_next",
    "result_type",
    "result_id",
    "result_match_level",
    "result_coordinate_level",
    "result_source",
    "result_feature",
    "result_name",
    "result_city",
    "result_district",
    "result_street",
    "result_housenumber",
    "result_context",
    "result_faults",
    "result_remainder",
    "result_status",
    "result_lon",
    "result_lat",
];
/// Those after are other names for the first two.
const DEFAULT: usize = 20;

/// Which columns are read, and which are written.
pub struct Columns {
    read: Vec<usize>,
    results: Vec<&'static str>,
}

impl Columns {
    /// Without names: the column that looks like a whole address, else all, as addok has it.
    pub fn of(table: &Table, columns: &[String], results: &[String]) -> Result<Columns> {
        let mut read = table.columns(columns, "columns")?;
        if read.is_empty() {
            let header: Vec<Described<'_>> =
                table.header.iter().map(|name| Described { name, ..Described::default() }).collect();
            let guess = guess(&header, About::default());
            read = match guess.mapping.get(Target::Full) {
                Some(name) => table.columns(&[name.to_owned()], "columns")?,
                None => (0..table.header.len()).collect(),
            };
        }
        let chosen = results.iter().map(|name| {
            RESULTS.into_iter().find(|known| *known == name.trim()).ok_or_else(|| {
                let shown: String = name.chars().take(60).collect();
                Error::invalid("result_columns", format!("没有结果列 {shown}"), format!("there is no result {shown}"))
                    .hint(format!("可用：{}", RESULTS.join("、")), format!("choose from {}", RESULTS.join(", ")))
            })
        });
        let mut results = chosen.collect::<Result<Vec<_>>>()?;
        if results.is_empty() {
            results = RESULTS[..DEFAULT].to_vec();
        }
        Ok(Columns { read, results })
    }

    fn text(&self, record: &StringRecord) -> String {
        let mut text = String::new();
        for value in self.read.iter().filter_map(|i| record.get(*i)).map(str::trim).filter(|v| !v.is_empty()) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(value);
        }
        text
    }
}

/// Degrees as they are to be written.
pub type Place = Box<dyn Fn(f64, f64) -> (f64, f64) + Send + Sync>;

pub struct Task {
    pub table: Table,
    pub columns: Columns,
    pub readable: Readable,
    pub division: Option<String>,
    pub place: Place,
}

impl Task {
    /// Writes the answer into the channel. Ends when nobody reads it any more.
    pub async fn run(self, finders: &Finders, send: &mpsc::Sender<Result<Bytes>>) -> Result<()> {
        let mut head = if self.table.wants_bom() { "\u{feff}".as_bytes().to_vec() } else { vec![] };
        let names = self.table.header.iter().map(String::as_str).chain(self.columns.results.iter().copied());
        self.write(&mut head, names)?;
        if send.send(Ok(head.into())).await.is_err() {
            return Ok(());
        }
        let mut records = self.table.records()?;
        let (readable, task) = (self.readable.clone(), std::sync::Arc::new(self));
        loop {
            let (chunk, back) =
                tokio::task::spawn_blocking(move || (take(&mut records), records)).await.map_err(Error::internal)?;
            records = back;
            let chunk = chunk.map_err(|e| task.table.told(&e))?;
            if chunk.is_empty() {
                return Ok(());
            }
            let of = task.clone();
            let out = finders.with(&readable, move |finder, _| of.matched(finder, &chunk)).await??;
            if send.send(Ok(out.into())).await.is_err() {
                return Ok(());
            }
        }
    }

    fn matched(&self, finder: &mut Finder, chunk: &[StringRecord]) -> Result<Vec<u8>> {
        let sources = self.readable.sources();
        let mut out = Vec::with_capacity(chunk.len() * 256);
        for record in chunk {
            let text = self.columns.text(record);
            let query = Query { text: &text, limit: 2, division: self.division.as_deref(), ..Query::default() };
            let answer = if text.is_empty() || too_long(&text) { None } else { Some(finder.search(&sources, &query)) };
            let found: Vec<String> =
                self.columns.results.iter().map(|name| self.result(name, answer.as_ref())).collect();
            self.write(&mut out, record.iter().chain(found.iter().map(String::as_str)))?;
        }
        metrics::counter!("onemap_address_searches_total", "kind" => "csv", "outcome" => "row")
            .increment(chunk.len() as u64);
        Ok(out)
    }

    fn result(&self, name: &str, answer: Option<&Answer>) -> String {
        let Some(answer) = answer else {
            return if name == "result_status" { "skipped".into() } else { String::new() };
        };
        match name {
            "result_faults" => return answer::faults(&answer.faults).join(" "),
            "result_remainder" => return answer.remainder.clone(),
            "result_status" => return if answer.candidates.is_empty() { "not-found" } else { "ok" }.into(),
            "result_match_level" if answer.candidates.is_empty() => return Level::None.name().into(),
            "result_score_next" => return answer.candidates.get(1).map_or(String::new(), |c| score(c.score)),
            _ => {}
        }
        let Some(best) = answer.candidates.first() else { return String::new() };
        let plain = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        };
        match name {
            "longitude" | "result_lon" => (self.place)(best.lon, best.lat).0.to_string(),
            "latitude" | "result_lat" => (self.place)(best.lon, best.lat).1.to_string(),
            "result_label" => best.label.clone(),
            "result_score" => score(best.score),
            "result_id" => plain(answer::id(best)),
            "result_match_level" => best.match_level.name().into(),
            "result_coordinate_level" => best.coordinate_level.name().into(),
            "result_source" => self.readable.layer(best.source).to_owned(),
            "result_feature" => plain(answer::feature(best)),
            name => {
                let member = name.trim_start_matches("result_");
                answer::addok(best).into_iter().find(|(n, _)| *n == member).map_or(String::new(), |(_, v)| v)
            }
        }
    }

    fn write<'a>(&self, out: &mut Vec<u8>, values: impl Iterator<Item = &'a str>) -> Result<()> {
        let mut writer = csv::WriterBuilder::new().delimiter(self.table.delimiter).from_writer(&mut *out);
        writer.write_record(values).map_err(Error::internal)?;
        writer.flush()?;
        Ok(())
    }
}

pub fn score(score: f32) -> String {
    format!("{score:.4}")
}

fn take<R: std::io::Read>(records: &mut csv::Reader<R>) -> std::result::Result<Vec<StringRecord>, csv::Error> {
    records.records().take(CHUNK).collect()
}
