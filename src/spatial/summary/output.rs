//! A summary as JSON, GeoJSON or CSV.

use geo::Geometry;
use onemap_spatial::tally::Tally;
use serde_json::{Map, Value, json};

use super::{Cell, Statistic, Summary};
use crate::error::{Error, Result};
use crate::spatial::zones::Zones;

impl Summary {
    /// `{"layer", "zones", "assign", "by", "features", "outside", "rows": [{"zone", "label", "category", …}]}`.
    pub fn document(&self) -> Value {
        let mut zones = json!({"kind": self.zones.kind()});
        if let Zones::Squares(grid) = &self.zones {
            zones["crs"] = json!(format!("EPSG:{}", grid.srid));
        }
        let rows: Vec<Value> =
            self.rows.iter().map(|(cell, tally)| Value::Object(self.row(cell, tally.as_ref()))).collect();
        let mut document = json!({
            "layer": self.opened.id(), "zones": zones, "assign": self.wanted.assign.name(), "by": self.wanted.by,
            "features": self.features, "outside": self.outside, "rows": rows,
        });
        if let Some(threshold) = self.threshold {
            document["suppression"] = json!({ "k": threshold });
        }
        document
    }

    /// A feature for each zone; with categories each has a list of them.
    pub fn geojson(&self) -> Value {
        let mut features = vec![];
        for group in self.rows.chunk_by(|a, b| a.0.zone == b.0.zone) {
            let zone = group[0].0.zone;
            let (name, label) = self.zones.name(zone);
            let outline = self.zones.outline(zone).map(|outline| onemap_spatial::geojson::write(&simple(outline)));
            let mut properties = json!({"zone": name, "label": label});
            if self.wanted.by.is_some() {
                properties["categories"] = group
                    .iter()
                    .map(|(cell, tally)| {
                        let mut one = self.figures(tally.as_ref());
                        one.insert("category".into(), json!(cell.category));
                        Value::Object(one)
                    })
                    .collect();
            } else if let Some(all) = properties.as_object_mut() {
                all.extend(self.figures(group[0].1.as_ref()));
            }
            features.push(json!({"type": "Feature", "id": name, "geometry": outline, "properties": properties}));
        }
        json!({"type": "FeatureCollection", "features": features, "outside": self.outside})
    }

    pub fn csv(&self) -> Result<Vec<u8>> {
        csv(&self.document(), &self.statistics.iter().map(|(statistic, _)| statistic.name()).collect::<Vec<_>>())
    }

    fn row(&self, cell: &Cell, tally: Option<&Tally>) -> Map<String, Value> {
        let (name, label) = self.zones.name(cell.zone);
        let mut row = Map::new();
        row.insert("zone".into(), json!(name));
        row.insert("label".into(), json!(label));
        if self.wanted.by.is_some() {
            row.insert("category".into(), json!(cell.category));
        }
        row.extend(self.figures(tally));
        row
    }

    /// What is withheld is null, and says so.
    fn figures(&self, tally: Option<&Tally>) -> Map<String, Value> {
        let of = |(statistic, field): &(Statistic, Option<usize>)| {
            (statistic.name(), tally.map_or(Value::Null, |tally| figure(statistic, *field, tally)))
        };
        let mut figures: Map<String, Value> = self.statistics.iter().map(of).collect();
        if self.threshold.is_some() {
            figures.insert("suppressed".into(), json!(tally.is_none()));
        }
        figures
    }
}

fn simple(outline: geo::MultiPolygon) -> Geometry {
    let mut polygons = outline.0;
    match polygons.len() {
        1 => Geometry::Polygon(polygons.remove(0)),
        _ => Geometry::MultiPolygon(geo::MultiPolygon(polygons)),
    }
}

/// A document's rows as a table with these figures; with a byte order mark, for Excel.
pub fn csv(document: &Value, figures: &[String]) -> Result<Vec<u8>> {
    let mut columns = vec!["zone", "label"];
    columns.extend(document["by"].is_string().then_some("category"));
    columns.extend(figures.iter().map(String::as_str));
    columns.extend(document["suppression"].is_object().then_some("suppressed"));
    let mut out = "\u{feff}".as_bytes().to_vec();
    let mut writer = csv::Writer::from_writer(&mut out);
    writer.write_record(&columns).map_err(Error::internal)?;
    for row in document["rows"].as_array().into_iter().flatten() {
        let cells = columns.iter().map(|column| match &row[*column] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        writer.write_record(cells).map_err(Error::internal)?;
    }
    drop(writer);
    Ok(out)
}

/// Whole numbers as such; the rest to a millionth.
fn figure(statistic: &Statistic, field: Option<usize>, tally: &Tally) -> Value {
    let of = |value: Option<f64>| match value {
        None => Value::Null,
        Some(v) if v.fract() == 0.0 && v.abs() < 9e15 => json!(v as i64),
        Some(v) => json!((v * 1e6).round() / 1e6),
    };
    let at = field.unwrap_or(usize::MAX);
    of(match statistic {
        Statistic::Count => Some(tally.count()),
        Statistic::Area => Some((tally.area() * 1e3).round() / 1e3),
        Statistic::Length => Some((tally.length() * 1e3).round() / 1e3),
        Statistic::Sum(_) => tally.sum(at),
        Statistic::Mean(_) => tally.mean(at),
        Statistic::Min(_) => tally.min(at),
        Statistic::Max(_) => tally.max(at),
    })
}
