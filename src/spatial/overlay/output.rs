//! What comes back: the rows as they were given, with what was found.

use csv::StringRecord;
use geo::Geometry;
use serde_json::{Map, Value, json};

use super::input::{Given, Row};
use super::matching::{Match, Matched, Matcher};
use super::table::{Cell, Table};
use super::{Counts, Found, Predicate, Problem, Wanted};
use crate::error::{Error, Result};

/// Bytes gathered before they are sent.
const PIECE: usize = 64 << 10;
/// Features of one layer that a GeoJSON row shows.
const MOST_SHOWN: usize = 100;
/// Columns of a table.
const MOST_COLUMNS: usize = 5000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    GeoJson,
    GeoJsonSeq,
    Csv,
    Xlsx,
}

impl Format {
    pub const ALL: [Format; 4] = [Format::GeoJson, Format::GeoJsonSeq, Format::Csv, Format::Xlsx];

    pub fn name(self) -> &'static str {
        match self {
            Format::GeoJson => "geojson",
            Format::GeoJsonSeq => "geojsonseq",
            Format::Csv => "csv",
            Format::Xlsx => "xlsx",
        }
    }

    /// Whether its rows are records under a header.
    pub fn is_table(self) -> bool {
        matches!(self, Format::Csv | Format::Xlsx)
    }

    pub fn media(self) -> &'static str {
        match self {
            Format::GeoJson => "application/geo+json",
            Format::GeoJsonSeq => "application/geo+json-seq",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

pub struct Writer {
    out: Vec<u8>,
    format: Format,
    all_matches: bool,
    english: bool,
    addresses: bool,
    predicate: Predicate,
    /// Of a table.
    header: Option<StringRecord>,
    /// Of an answer that is one.
    table: Option<Table>,
    /// Each layer with its fields.
    layers: Vec<(String, Vec<String>)>,
    /// Whether a feature was written.
    begun: bool,
}

impl Writer {
    pub fn new(wanted: &Wanted, layers: &[(&str, Vec<&str>)], header: Option<&StringRecord>) -> Result<Writer> {
        let owned = |(id, fields): &(&str, Vec<&str>)| {
            ((*id).to_owned(), fields.iter().map(|field| (*field).to_owned()).collect())
        };
        let mut writer = Writer {
            out: Vec::with_capacity(PIECE + 4096),
            format: wanted.output,
            all_matches: wanted.all_matches,
            english: wanted.english,
            addresses: wanted.columns.address.is_some(),
            predicate: wanted.predicate,
            header: header.cloned(),
            layers: layers.iter().map(owned).collect(),
            table: None,
            begun: false,
        };
        if wanted.output == Format::GeoJson {
            writer.out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"features\":[");
        }
        if !wanted.output.is_table() {
            return Ok(writer);
        }
        let header = header.ok_or_else(|| {
            let (zh, en) = ("GeoJSON 输入不能输出为表格", "features do not come back as a table");
            Error::invalid("f", zh, en).hint("可用：geojson、geojsonseq", "choose geojson or geojsonseq")
        })?;
        let columns: StringRecord = header.iter().map(str::to_owned).chain(writer.columns()).collect();
        if columns.len() > MOST_COLUMNS {
            let (zh, en) = ("结果超过 5000 列", "there are more than 5,000 columns");
            return Err(
                Error::invalid("k", zh, en).hint("请减少 k、图层或字段", "ask for a smaller k, fewer layers or fields")
            );
        }
        writer.table = Some(match wanted.output {
            Format::Xlsx => Table::workbook(&columns)?,
            _ => Table::csv(&columns, &mut writer.out)?,
        });
        Ok(writer)
    }

    /// The matches of a layer that a row of a table shows beside each other.
    fn beside(&self) -> usize {
        match self.predicate {
            Predicate::Nearest { k, .. } if !self.all_matches => k,
            _ => 1,
        }
    }

    /// The columns behind those that were given. The second nearest stands behind the nearest, with a 2 in its columns' names.
    fn columns(&self) -> Vec<String> {
        let mut all = vec![];
        if self.addresses {
            all.extend(["lon", "lat", "label", "score", "level"].map(|name| format!("address.{name}")));
        }
        let figures: &[&str] = match self.predicate {
            Predicate::Nearest { .. } => &["distance_m"],
            Predicate::Within => &["matches"],
            Predicate::Intersects => &["matches", "share", "inside"],
        };
        for (id, fields) in &self.layers {
            for rank in 1..=self.beside() {
                let id = if rank == 1 { id.clone() } else { format!("{id}.{rank}") };
                all.push(format!("{id}.id"));
                all.extend(fields.iter().map(|field| format!("{id}.{field}")));
                all.extend(figures.iter().map(|figure| format!("{id}.{figure}")));
            }
        }
        all.push("onemap.problem".into());
        all
    }

    /// A piece of output, once there is enough.
    pub fn piece(&mut self) -> Option<Vec<u8>> {
        (self.out.len() >= PIECE).then(|| self.rest())
    }

    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.out, Vec::with_capacity(PIECE + 4096))
    }

    fn said<'a>(&self, problem: &'a Problem) -> &'a str {
        if self.english { &problem.said.en } else { &problem.said.zh }
    }

    pub fn row(&mut self, row: &Row, found: std::result::Result<&Found, &Problem>, matcher: &Matcher) -> Result<()> {
        match (self.table.take(), &row.given) {
            (Some(mut table), Given::Record(record)) => {
                let written = self.records(&mut table, record, found, matcher);
                self.table = Some(table);
                written
            }
            _ => self.feature(&row.given, found, matcher),
        }
    }

    /// The records of a row: one, or one for each match.
    fn records(
        &mut self,
        table: &mut Table,
        given: &StringRecord,
        found: std::result::Result<&Found, &Problem>,
        matcher: &Matcher,
    ) -> Result<()> {
        let width = self.header.as_ref().map_or(0, StringRecord::len);
        let problem = found.as_ref().err().map(|problem| format!("{}: {}", problem.code, self.said(problem)));
        let found = found.ok();
        let rows = match found {
            Some((_, matches)) if self.all_matches => matches[0].len().max(1),
            _ => 1,
        };
        for at in 0..rows {
            // A ragged row comes back as wide as the header, whatever it was.
            let mut cells: Vec<Cell> = (0..width).map(|i| Cell::Given(given.get(i).unwrap_or_default())).collect();
            if self.addresses {
                address_columns(&mut cells, found.and_then(|(located, _)| located.address.as_ref()));
            }
            for (layer, (_, fields)) in self.layers.iter().enumerate() {
                let matches = found.map_or(&[][..], |(_, matches)| &matches[layer]);
                for rank in 0..self.beside() {
                    let one = matches.get(at + rank);
                    cells.push(one.map_or(Cell::Empty, |one| Cell::Whole(matcher.id(layer, one))));
                    let values = one.map_or(&[][..], |one| matcher.values(layer, one));
                    cells.extend((0..fields.len()).map(|i| values.get(i).map_or(Cell::Empty, Cell::Value)));
                    self.figures(&mut cells, one, matches.len());
                }
            }
            cells.push(problem.as_deref().map_or(Cell::Empty, |problem| Cell::Text(problem.into())));
            table.row(&cells, &mut self.out)?;
        }
        Ok(())
    }

    fn figures(&self, cells: &mut Vec<Cell<'_>>, one: Option<&Match>, count: usize) {
        let number = |value: Option<f64>, scale: f64| {
            value.map_or(Cell::Empty, |v| Cell::Number((v * scale).round() / scale, None))
        };
        match self.predicate {
            Predicate::Nearest { .. } => cells.push(number(one.and_then(|one| one.distance), 1e3)),
            Predicate::Within => cells.push(Cell::Whole(count as i64)),
            Predicate::Intersects => {
                cells.push(Cell::Whole(count as i64));
                cells.push(number(one.and_then(|one| one.share), 1e6));
                cells.push(number(one.and_then(|one| one.measure), 1e3));
            }
        }
    }

    fn feature(
        &mut self,
        given: &Given,
        found: std::result::Result<&Found, &Problem>,
        matcher: &Matcher,
    ) -> Result<()> {
        let mut feature = match given {
            Given::Feature(feature) => feature.clone(),
            Given::Record(record) => self.of_record(record, found.ok()),
        };
        feature.insert("type".into(), json!("Feature"));
        let members = match found {
            Err(problem) => json!({"problem": {"code": problem.code, "detail": self.said(problem)}}),
            Ok((located, matches)) => {
                let mut layers = Map::new();
                for (layer, (id, fields)) in self.layers.iter().enumerate() {
                    layers.insert(id.clone(), self.of_layer(layer, fields, &matches[layer], matcher));
                }
                let mut members = json!({"layers": layers});
                if let Some(address) = &located.address {
                    members["address"] = address_member(address);
                }
                members
            }
        };
        feature.insert("onemap".into(), members);
        match self.format {
            Format::GeoJsonSeq => self.out.push(0x1e),
            _ if self.begun => self.out.extend_from_slice(b",\n"),
            _ => self.out.push(b'\n'),
        }
        self.begun = true;
        serde_json::to_writer(&mut self.out, &feature)?;
        if self.format == Format::GeoJsonSeq {
            self.out.push(b'\n');
        }
        Ok(())
    }

    fn of_layer(&self, layer: usize, fields: &[String], matches: &[Match], matcher: &Matcher) -> Value {
        let shown: Vec<Value> = matches
            .iter()
            .take(MOST_SHOWN)
            .map(|one| {
                let properties: Map<String, Value> =
                    fields.iter().cloned().zip(matcher.values(layer, one).iter().cloned()).collect();
                let mut said = json!({"id": matcher.id(layer, one), "properties": properties});
                let mut put = |name: &str, value: Option<f64>, scale: f64| {
                    if let Some(value) = value {
                        said[name] = json!((value * scale).round() / scale);
                    }
                };
                put("share", one.share, 1e6);
                put("inside", one.measure, 1e3);
                put("distance_m", one.distance, 1e3);
                said
            })
            .collect();
        json!({"matches": matches.len(), "features": shown})
    }

    /// A row of a table as a feature, at its place in degrees.
    fn of_record(&self, record: &StringRecord, found: Option<&Found>) -> Map<String, Value> {
        let names = self.header.iter().flat_map(StringRecord::iter);
        let properties: Map<String, Value> =
            names.zip(record).map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let geometry: Option<Geometry> = found.map(|(located, _)| located.shape.geometry());
        let mut feature = Map::new();
        feature.insert("geometry".into(), geometry.map_or(Value::Null, |g| onemap_spatial::geojson::write(&g)));
        feature.insert("properties".into(), Value::Object(properties));
        feature
    }

    /// Says how it went, and why it ended before its end.
    pub fn end(&mut self, counts: &Counts, ended: Option<&Problem>) -> Result<()> {
        let said = ended.map(|problem| json!({"code": problem.code, "detail": self.said(problem)}));
        let mut all = json!({"rows": counts.rows, "matched": counts.matched, "problems": counts.problems});
        if let Some(said) = &said {
            all["ended"] = said.clone();
        }
        match self.format {
            Format::GeoJson => self.out.extend_from_slice(format!("\n],\"onemap\":{all}}}\n").as_bytes()),
            // A record of its own, that is no feature.
            Format::GeoJsonSeq if said.is_some() => {
                self.out.extend_from_slice(format!("\u{1e}{}\n", json!({ "onemap": all })).as_bytes());
            }
            Format::Csv | Format::Xlsx => self.end_table(ended)?,
            Format::GeoJsonSeq => {}
        }
        Ok(())
    }

    fn end_table(&mut self, ended: Option<&Problem>) -> Result<()> {
        let Some(mut table) = self.table.take() else { return Ok(()) };
        if let Some(problem) = ended {
            let width = self.header.as_ref().map_or(0, StringRecord::len) + self.columns().len();
            let mut cells: Vec<Cell> = (1..width).map(|_| Cell::Empty).collect();
            let said = format!("{}: {}", problem.code, self.said(problem));
            cells.push(Cell::Text(said.into()));
            table.row(&cells, &mut self.out)?;
        }
        table.end(&mut self.out)
    }
}

fn address_columns<'a>(cells: &mut Vec<Cell<'a>>, address: Option<&'a Matched>) {
    let Some(address) = address else {
        (0..5).for_each(|_| cells.push(Cell::Empty));
        return;
    };
    cells.push(Cell::Number(address.lon, Some(7)));
    cells.push(Cell::Number(address.lat, Some(7)));
    cells.push(Cell::Text(address.label.as_str().into()));
    cells.push(Cell::Number(address.score.into(), Some(4)));
    cells.push(Cell::Text(address.level.into()));
}

fn address_member(address: &Matched) -> Value {
    let degrees = |v: f64| (v * 1e7).round() / 1e7;
    json!({"lon": degrees(address.lon), "lat": degrees(address.lat), "label": address.label,
           "score": f64::from((address.score * 1e4).round()) / 1e4, "level": address.level})
}
