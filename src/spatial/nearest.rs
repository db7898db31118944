//! The features nearest to places, or to a geometry, by the distance on the ellipsoid.
//!
//! PostGIS finds what lies in a box about the place, which is widened until enough is within its radius; the crate tells the distances.

use onemap_spatial::ellipsoid::widened;
use onemap_spatial::fault::checked;
use onemap_spatial::relation::distance;
use onemap_spatial::shape::Shape;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::Row;

use super::{Named, Opened, Spatial, read};
use crate::access::principal::Principal;
use crate::access::trace;
use crate::error::{Error, Result};
use crate::feature::geojson::Writer;
use crate::feature::values::write_string;
use crate::geo::crs::CRS84;

const MOST_POINTS: usize = 1000;
/// Points times layers.
const MOST_ASKED: usize = 5000;
const MOST_NEAREST: usize = 100;
/// Metres.
const FARTHEST: f64 = 100_000.0;
const DEFAULT_FARTHEST: f64 = 10_000.0;
const MOST_VERTICES: usize = 20_000;
/// Metres of the first look.
const FIRST: f64 = 100.0;
/// Rows of one look: more are looked at nearer.
const MOST_ROWS: usize = 5000;

/// What is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Longitudes and latitudes.
    pub points: Option<Vec<[f64; 2]>>,
    /// Or a GeoJSON geometry.
    pub geometry: Option<Value>,
    pub layers: Vec<Named>,
    pub k: Option<usize>,
    /// Metres.
    pub max_distance: Option<f64>,
}

impl Wanted {
    fn places(&self) -> Result<Vec<Shape>> {
        match (&self.points, &self.geometry) {
            (Some(points), None) => match points.len() {
                0 => Err(Error::invalid("points", "没有给出点", "there are no points")),
                n if n > MOST_POINTS => {
                    let (zh, en) =
                        (format!("一次最多 {MOST_POINTS} 个点"), format!("at most {MOST_POINTS} points at once"));
                    Err(Error::invalid("points", zh, en)
                        .hint("更多的点请用 /api/v1/overlay", "send more to /api/v1/overlay"))
                }
                _ => points
                    .iter()
                    .enumerate()
                    .map(|(i, [x, y])| place(&format!("points[{i}]"), geo::Geometry::Point(geo::Point::new(*x, *y))))
                    .collect(),
            },
            (None, Some(geometry)) => {
                let read = onemap_spatial::geojson::read(geometry)
                    .ok_or_else(|| Error::invalid("geometry", "不是 GeoJSON 几何", "it is no GeoJSON geometry"))?;
                Ok(vec![place("geometry", read)?])
            }
            _ => Err(Error::invalid("points", "请给出 points 或 geometry 之一", "give either points or geometry")),
        }
    }

    fn limits(&self) -> Result<(usize, f64)> {
        let (k, most) = (self.k.unwrap_or(1), self.max_distance.unwrap_or(DEFAULT_FARTHEST));
        if !(1..=MOST_NEAREST).contains(&k) {
            let (zh, en) = (format!("应为 1 到 {MOST_NEAREST}"), format!("it must be from 1 to {MOST_NEAREST}"));
            return Err(Error::invalid("k", zh, en));
        }
        if !(most > 0.0 && most <= FARTHEST) {
            let (zh, en) = ("应大于 0，不超过 100000 米", "it must be above 0 and at most 100,000 metres");
            return Err(Error::invalid("max_distance", zh, en));
        }
        Ok((k, most))
    }
}

fn place(parameter: &str, geometry: geo::Geometry) -> Result<Shape> {
    checked(geometry, MOST_VERTICES).map_err(|fault| Error::invalid(parameter, fault.words().0, fault.words().1))
}

impl Spatial {
    /// `{"results": [{"index": 0, "layers": [{"layer": …, "features": [{…, "distance": metres}]}]}]}`, nearest first, for each place
    /// in the order given, and the layers that were asked.
    pub async fn nearest(&self, by: &Principal, wanted: &Wanted) -> Result<(Vec<u8>, Vec<Opened>)> {
        let opened = self.open_all(by, &wanted.layers)?;
        let (places, (k, most)) = (wanted.places()?, wanted.limits()?);
        if places.len() * opened.len() > MOST_ASKED {
            let (zh, en) = ("点数与图层数之积最多 5000", "points times layers is at most 5,000");
            return Err(Error::invalid("points", zh, en));
        }
        let mut out = b"{\"results\":[".to_vec();
        let mut radii = vec![FIRST; opened.len()];
        for (index, place) in places.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            out.extend_from_slice(format!("{comma}{{\"index\":{index},\"layers\":[").as_bytes());
            for (i, layer) in opened.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                let found = self.of_layer(layer, place, (k, most), &mut radii[i]).await?;
                write(&mut out, layer, &found)?;
            }
            out.extend_from_slice(b"]}");
        }
        out.extend_from_slice(b"]}");
        Ok((out, opened))
    }

    /// The `k` nearest of a layer. `radius` is where to begin, and becomes what was enough.
    async fn of_layer(
        &self,
        layer: &Opened,
        place: &Shape,
        (k, most): (usize, f64),
        radius: &mut f64,
    ) -> Result<Vec<(f64, Row)>> {
        let mut metres = radius.min(most);
        // The widest look that was too small, the narrowest that was too full.
        let (mut few, mut full) = (0.0, f64::INFINITY);
        loop {
            let rows = self.rows_near(layer, widened(place.bounds(), metres), MOST_ROWS + 1).await?;
            if rows.len() > MOST_ROWS {
                full = metres;
            } else {
                let mut found = within(rows, place, metres).await?;
                if found.len() >= k || metres >= most {
                    *radius = metres.clamp(1.0, most);
                    found.truncate(k);
                    trace::gave(layer.id(), &found.iter().map(|(_, row)| row.get(0)).collect::<Vec<i64>>());
                    return Ok(found);
                }
                few = metres;
            }
            if full - few < 0.01 {
                return Err(too_dense(layer.id()));
            }
            metres = if full.is_finite() { (few + full) / 2.0 } else { (metres * 4.0).min(most) };
        }
    }
}

/// What lies within some metres, nearest first, of equals by id.
async fn within(rows: Vec<Row>, place: &Shape, metres: f64) -> Result<Vec<(f64, Row)>> {
    let place = place.clone();
    let work = move || -> Result<Vec<(f64, Row)>> {
        let mut found = vec![];
        for row in rows {
            if let Some(away) = read::shape(&row)?.and_then(|shape| distance(&place, &shape, metres)) {
                found.push((away, row));
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.get::<_, i64>(0).cmp(&b.1.get::<_, i64>(0))));
        Ok(found)
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

fn write(out: &mut Vec<u8>, layer: &Opened, found: &[(f64, Row)]) -> Result<()> {
    out.extend_from_slice(b"{\"layer\":");
    write_string(out, layer.id());
    out.extend_from_slice(b",\"features\":[");
    let writer = Writer { fields: layer.fields.clone().into(), crs: CRS84 };
    for (i, (metres, row)) in found.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        writer.feature(out, row, None)?;
        // Within the feature, before its last brace.
        out.pop();
        out.extend_from_slice(format!(",\"distance\":{metres:.3}}}").as_bytes());
    }
    out.extend_from_slice(b"]}");
    Ok(())
}

fn too_dense(id: &str) -> Error {
    Error::too_large(
        format!("图层 {id} 在该处的要素过密"),
        format!("too many features of the layer {id} lie at one place"),
    )
    .hint("请用过滤条件缩小范围", "narrow it by a filter")
}
