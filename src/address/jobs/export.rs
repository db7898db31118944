//! A job's rows as a file: the columns as they were given, then what was found and decided. Streamed, in the file's order.

use bytes::Bytes;
use futures_util::Stream;
use onemap_formats::Sheets;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::file::{RowsFile, cell};
use super::reading::{Found, Wanted, degrees};
use super::results::{Band, fault_names};
use super::{AddressJobs, Job};
use crate::access::audit::{self, Entry};
use crate::access::principal::Principal;
use crate::address::answer::rounded;
use crate::error::{Error, Result};

/// Rows fetched at once.
const PAGE: i64 = 5_000;

/// What is added to the given columns.
const ADDED: [&str; 14] = [
    "match_band",
    "match_score",
    "match_level",
    "match_label",
    "match_lon",
    "match_lat",
    "match_coordinate_level",
    "match_source",
    "match_feature",
    "match_faults",
    "match_remainder",
    "match_decision",
    "match_decided_by",
    "match_note",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Xlsx,
    GeoJson,
}

impl Format {
    pub fn parse(name: &str) -> Option<Format> {
        match name {
            "csv" => Some(Format::Csv),
            "xlsx" => Some(Format::Xlsx),
            "geojson" => Some(Format::GeoJson),
            _ => None,
        }
    }
    pub fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Xlsx => "xlsx",
            Format::GeoJson => "geojson",
        }
    }
}

/// An export under way.
pub struct Export {
    jobs: AddressJobs,
    by: Principal,
    job: Job,
    wanted: Wanted,
    header: Vec<String>,
    /// Kept between pages: what is read in order needs no search.
    file: Option<RowsFile>,
    over: bool,
}

/// A row to be written: the given cells, then the added ones; and for a map, the place.
struct Line {
    cells: Vec<Value>,
    place: Option<(f64, f64)>,
}

impl AddressJobs {
    /// Begins an export; that it was asked for is kept in the audit trail.
    pub async fn export(
        &self,
        by: &Principal,
        department: &str,
        id: Uuid,
        (format, band): (Format, Option<Band>),
    ) -> Result<Export> {
        let job = self.job(department, id).await?;
        if job.queued.is_none() {
            return Err(Error::conflict("任务尚未开始", "the job was not started yet"));
        }
        let tally = &job.checkpoint.tally.bands;
        let rows = band.map_or(job.checkpoint.row, |b| tally[b as usize]);
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let detail = json!({"format": format.extension(), "band": band.map(Band::name), "rows": rows});
        let entry = Entry { action: "export", object_kind: "address_job", object_id: &id.to_string(), detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        let mut header: Vec<String> = job.names().into_iter().map(str::to_owned).collect();
        for name in ADDED {
            // A file that was exported before and is matched again has these columns already.
            let mut name = name.to_owned();
            while header.contains(&name) {
                name.push_str("_2");
            }
            header.push(name);
        }
        let wanted = Wanted { band, limit: PAGE, ..Wanted::default() };
        Ok(Export { jobs: self.clone(), by: by.clone(), job, wanted, header, file: None, over: false })
    }
}

impl Export {
    /// The name of the file that was given, for the one that is made.
    pub fn stem(&self) -> &str {
        let name = &self.job.rest.filename;
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    async fn page(&mut self) -> Result<Vec<Line>> {
        if self.over {
            return Ok(vec![]);
        }
        let found = self.jobs.found(&self.by, &self.job, &self.wanted).await?;
        self.over = (found.len() as i64) < PAGE;
        if let Some(last) = found.last() {
            self.wanted.after = last.row;
        }
        let (path, columns) = (self.jobs.files.path(self.job.file), self.header.len() - ADDED.len());
        let mut file = self.file.take();
        let work = move || {
            let mut open = match file.take() {
                Some(file) => file,
                None => RowsFile::open(&path)?,
            };
            let lines = found.iter().map(|f| line(&mut open, f, columns)).collect::<Result<Vec<Line>>>()?;
            Ok::<_, Error>((open, lines))
        };
        let (file, lines) = tokio::task::spawn_blocking(work).await.map_err(Error::internal)??;
        self.file = Some(file);
        Ok(lines)
    }

    /// As CSV in UTF-8, with the mark by which Excel knows that it is.
    pub fn csv(self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        futures_util::stream::try_unfold((self, true), |(mut export, first)| async move {
            let mut out = csv::Writer::from_writer(if first { "\u{feff}".as_bytes().to_vec() } else { vec![] });
            if first {
                out.write_record(&export.header).map_err(Error::internal)?;
            }
            let lines = export.page().await?;
            for line in &lines {
                out.write_record(line.cells.iter().map(text)).map_err(Error::internal)?;
            }
            let bytes = out.into_inner().map_err(|e| Error::internal(e.to_string()))?;
            Ok((!bytes.is_empty()).then(|| (Bytes::from(bytes), (export, false))))
        })
    }

    /// As a GeoJSON feature collection; a row without a place has no geometry.
    pub fn geojson(self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        futures_util::stream::try_unfold((self, 0u8), |(mut export, mut stage)| async move {
            let mut out = String::new();
            if stage == 2 {
                return Ok(None);
            }
            let lines = export.page().await?;
            for line in &lines {
                out.push_str(if stage == 0 { "{\"type\":\"FeatureCollection\",\"features\":[\n" } else { ",\n" });
                stage = 1;
                out.push_str(&export.feature(line).to_string());
            }
            if export.over {
                out.push_str(if stage == 0 { "{\"type\":\"FeatureCollection\",\"features\":[]}\n" } else { "\n]}\n" });
                stage = 2;
            }
            Ok(Some((Bytes::from(out), (export, stage))))
        })
    }

    fn feature(&self, line: &Line) -> Value {
        let properties: Map<String, Value> = self.header.iter().cloned().zip(line.cells.iter().cloned()).collect();
        let geometry =
            line.place.map(|(lon, lat)| json!({"type": "Point", "coordinates": [degrees(lon), degrees(lat)]}));
        json!({"type": "Feature", "geometry": geometry, "properties": properties})
    }

    /// As a workbook; what does not fit on a sheet is on the next.
    pub fn xlsx(self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        futures_util::stream::try_unfold((self, None::<Sheets>, false), |(mut export, sheets, whole)| async move {
            if whole {
                return Ok(None);
            }
            let lines = export.page().await?;
            let (header, last) = (export.header.clone(), export.over);
            let work = move || {
                let mut sheets = match sheets {
                    Some(sheets) => sheets,
                    None => Sheets::new("结果", header)?,
                };
                lines.iter().try_for_each(|line| sheets.row(line.cells.iter().map(cell_of)))?;
                if last {
                    sheets.finish(&[])?;
                }
                let mut out = vec![];
                sheets.drain(&mut out);
                Ok::<_, Error>((sheets, out))
            };
            let (sheets, out) = tokio::task::spawn_blocking(work).await.map_err(Error::internal)??;
            Ok(Some((Bytes::from(out), (export, Some(sheets), last))))
        })
    }
}

/// A cell of a workbook. None of ours is a list.
fn cell_of(value: &Value) -> onemap_formats::Value<'_> {
    use onemap_formats::Value as Cell;
    match value {
        Value::String(text) => Cell::Text(text),
        Value::Bool(v) => Cell::Boolean(*v),
        Value::Number(n) => match n.as_i64() {
            Some(v) => Cell::Integer(v),
            None => n.as_f64().map_or(Cell::Null, Cell::Float),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Null,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn line(file: &mut RowsFile, found: &Found, columns: usize) -> Result<Line> {
    file.go_to(found.at as u64)?;
    let record = file.next()?.ok_or_else(|| Error::internal("a row of an address job is not in its file"))?;
    let mut cells: Vec<Value> =
        (0..columns).map(|i| Ok(Value::from(cell(record, i)?))).collect::<Result<Vec<Value>>>()?;
    let (held, decision) = (found.holds(), found.decision.as_ref());
    let word =
        |of: fn(&crate::address::aliases::Target) -> &String| held.map_or(Value::Null, |t| of(t).as_str().into());
    cells.extend([
        found.band.name().into(),
        found.score.filter(|_| !found.withheld).map_or(Value::Null, rounded),
        word(|t| &t.match_level),
        word(|t| &t.label),
        held.map_or(Value::Null, |t| degrees(t.lon)),
        held.map_or(Value::Null, |t| degrees(t.lat)),
        word(|t| &t.coordinate_level),
        held.and_then(|t| t.layer.as_deref()).map_or(Value::Null, Value::from),
        held.and_then(|t| t.feature).map_or(Value::Null, Value::from),
        fault_names(found.faults).join(" ").into(),
        found.remainder.as_str().into(),
        decision.map_or(Value::Null, |d| d.kind.as_str().into()),
        decision.map_or(Value::Null, |d| d.by.as_str().into()),
        decision.map_or(Value::Null, |d| d.note.as_str().into()),
    ]);
    Ok(Line { cells, place: held.map(|t| (t.lon, t.lat)) })
}
