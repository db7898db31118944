//! What comes back: the rows as they were given, with what was found.

use csv::StringRecord;
use geo::Geometry;
use serde_json::{Map, Value, json};

use super::input::{Given, Row};
use super::matching::{Match, Matched, Matcher};
use super::{Counts, Found, Predicate, Problem, Wanted};
use crate::error::{Error, Result};

/// Bytes gathered before they are sent.
const PIECE: usize = 64 << 10;
/// Features of one layer that a GeoJSON row shows.
const MOST_SHOWN: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    GeoJson,
    GeoJsonSeq,
    Csv,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::GeoJson, Format::GeoJsonSeq, Format::Csv];

    pub fn name(self) -> &'static str {
        match self {
            Format::GeoJson => "geojson",
            Format::GeoJsonSeq => "geojsonseq",
            Format::Csv => "csv",
        }
    }

    pub fn media(self) -> &'static str {
        match self {
            Format::GeoJson => "application/geo+json",
            Format::GeoJsonSeq => "application/geo+json-seq",
            Format::Csv => "text/csv; charset=utf-8",
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
            begun: false,
        };
        match (wanted.output, header) {
            (Format::Csv, None) => {
                return Err(Error::invalid("f", "GeoJSON 输入不能输出为 CSV", "features do not come back as csv")
                    .hint("可用：geojson、geojsonseq", "choose geojson or geojsonseq"));
            }
            (Format::Csv, Some(header)) => {
                // For Excel.
                writer.out.extend_from_slice("\u{feff}".as_bytes());
                let columns = header.iter().map(str::to_owned).chain(writer.columns()).collect();
                writer.record(&columns)?;
            }
            (Format::GeoJson, _) => writer.out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"features\":["),
            (Format::GeoJsonSeq, _) => {}
        }
        Ok(writer)
    }

    /// The columns behind those that were given.
    fn columns(&self) -> Vec<String> {
        let mut all = vec![];
        if self.addresses {
            all.extend(["lon", "lat", "label", "score", "level"].map(|name| format!("address.{name}")));
        }
        let figures: &[&str] = match self.predicate {
            Predicate::Nearest(_) => &["distance_m"],
            Predicate::Within => &["matches"],
            Predicate::Intersects => &["matches", "share", "inside"],
        };
        for (id, fields) in &self.layers {
            all.push(format!("{id}.id"));
            all.extend(fields.iter().map(|field| format!("{id}.{field}")));
            all.extend(figures.iter().map(|figure| format!("{id}.{figure}")));
        }
        all.push("onemap.problem".into());
        all
    }

    fn record(&mut self, columns: &StringRecord) -> Result<()> {
        let mut writer = csv::Writer::from_writer(&mut self.out);
        writer.write_record(columns).map_err(Error::internal)?;
        writer.flush()?;
        Ok(())
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
        match (self.format, &row.given) {
            (Format::Csv, Given::Record(record)) => self.csv(record, found, matcher),
            _ => self.feature(&row.given, found, matcher),
        }
    }

    fn csv(
        &mut self,
        given: &StringRecord,
        found: std::result::Result<&Found, &Problem>,
        matcher: &Matcher,
    ) -> Result<()> {
        let width = self.header.as_ref().map_or(0, StringRecord::len);
        // A ragged row comes back as wide as the header, whatever it was.
        let head: StringRecord = (0..width).map(|i| given.get(i).unwrap_or_default()).collect();
        let problem = found.as_ref().err().map(|problem| format!("{}: {}", problem.code, self.said(problem)));
        let found = found.ok();
        let rows = match found {
            Some((_, matches)) if self.all_matches => matches[0].len().max(1),
            _ => 1,
        };
        for at in 0..rows {
            let mut record = head.clone();
            if self.addresses {
                address_columns(&mut record, found.and_then(|(located, _)| located.address.as_ref()));
            }
            for (layer, fields) in self.layers.iter().enumerate().map(|(i, (_, fields))| (i, fields.len())) {
                let matches = found.map_or(&[][..], |(_, matches)| &matches[layer]);
                let one = matches.get(at);
                record.push_field(&one.map_or(String::new(), |one| matcher.id(layer, one).to_string()));
                let values = one.map_or(&[][..], |one| matcher.values(layer, one));
                (0..fields).for_each(|i| record.push_field(&values.get(i).map_or(String::new(), text)));
                self.figures(&mut record, one, matches.len());
            }
            record.push_field(problem.as_deref().unwrap_or_default());
            self.record(&record)?;
        }
        Ok(())
    }

    fn figures(&self, record: &mut StringRecord, one: Option<&Match>, count: usize) {
        let number =
            |value: Option<f64>, scale: f64| value.map_or(String::new(), |v| ((v * scale).round() / scale).to_string());
        match self.predicate {
            Predicate::Nearest(_) => record.push_field(&number(one.and_then(|one| one.distance), 1e3)),
            Predicate::Within => record.push_field(&count.to_string()),
            Predicate::Intersects => {
                record.push_field(&count.to_string());
                record.push_field(&number(one.and_then(|one| one.share), 1e6));
                record.push_field(&number(one.and_then(|one| one.measure), 1e3));
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
            Format::Csv => {
                if let Some(problem) = ended {
                    let width = self.header.as_ref().map_or(0, StringRecord::len) + self.columns().len();
                    let mut record: StringRecord = (1..width).map(|_| "").collect();
                    record.push_field(&format!("{}: {}", problem.code, self.said(problem)));
                    self.record(&record)?;
                }
            }
            Format::GeoJsonSeq => {}
        }
        Ok(())
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn address_columns(record: &mut StringRecord, address: Option<&Matched>) {
    let Some(address) = address else {
        (0..5).for_each(|_| record.push_field(""));
        return;
    };
    record.push_field(&format!("{:.7}", address.lon));
    record.push_field(&format!("{:.7}", address.lat));
    record.push_field(&address.label);
    record.push_field(&format!("{:.4}", address.score));
    record.push_field(address.level);
}

fn address_member(address: &Matched) -> Value {
    let degrees = |v: f64| (v * 1e7).round() / 1e7;
    json!({"lon": degrees(address.lon), "lat": degrees(address.lat), "label": address.label,
           "score": f64::from((address.score * 1e4).round()) / 1e4, "level": address.level})
}
