//! The zones of a summary: areas of a layer, areas that were sent, buffers, squares, hexagons.

use std::sync::Arc;

use geo::{Coord, MultiPolygon, Polygon};
use onemap_spatial::area::Area;
use onemap_spatial::shape::Shape;
use onemap_spatial::shapes::{Predicate, Shapes};
use onemap_spatial::{buffer, cells, fault, share};
use serde::Deserialize;
use serde_json::Value;

use super::grid::{self, Grid};
use super::prepared::Reference;
use super::{Named, NamedWith, Opened, Spatial};
use crate::access::principal::Principal;
use crate::error::{Error, Result};

/// Areas of one summary.
const MOST_AREAS: usize = 20_000;
const MOST_VERTICES: usize = 200_000;
/// Metres of a buffer, and how many radii.
const WIDEST_BUFFER: f64 = 100_000.0;
const MOST_RADII: usize = 10;
const SQUARES: std::ops::RangeInclusive<f64> = 10.0..=100_000.0;
/// Squares that one feature is divided among.
const MOST_OF_FEATURE: usize = 4096;

/// Zones as callers ask for them: one of these kinds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The areas of a layer.
    pub layer: Option<String>,
    /// A layer of divisions, by its level.
    pub divisions: Option<Level>,
    /// A GeoJSON geometry, Feature or FeatureCollection of areas.
    pub geometry: Option<Value>,
    pub buffers: Option<Buffers>,
    pub grid: Option<Squares>,
    pub h3: Option<Hexagons>,
    /// Of `layer` and `divisions`: which of them, in CQL2 text.
    pub filter: Option<String>,
    /// What zones are called by: a field of the layer, a property of the features.
    pub label: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    City,
    District,
    Street,
    Community,
}

impl Level {
    /// The layer whose areas these are, as every deployment calls it.
    fn layer(self) -> &'static str {
        match self {
            Level::City => "city-boundary",
            Level::District => "districts",
            Level::Street => "streets",
            Level::Community => "communities",
        }
    }
}

/// Everything within so many metres of features, points or a geometry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffers {
    pub layer: Option<String>,
    pub filter: Option<String>,
    pub label: Option<String>,
    pub points: Option<Vec<[f64; 2]>>,
    pub geometry: Option<Value>,
    pub distances_m: Vec<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Squares {
    pub size_m: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hexagons {
    pub resolution: u8,
}

/// How what crosses a zone's edge counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assign {
    /// Whole, where its centroid lies.
    #[default]
    Centre,
    /// Whole, in every zone that it meets; areas and lengths by what lies there.
    Intersects,
    /// In every zone by its share there of area or length.
    Share,
}

impl Assign {
    pub fn name(self) -> &'static str {
        match self {
            Assign::Centre => "centre",
            Assign::Intersects => "intersects",
            Assign::Share => "share",
        }
    }
}

/// Zones, ready. A zone is known by a number.
pub enum Zones {
    Areas { set: Areas, names: Vec<(String, Option<String>)>, kind: &'static str },
    Squares(Grid),
    Hexagons(u8),
}

pub enum Areas {
    OfLayer(Arc<Reference>),
    Own(Box<Shapes>),
}

impl Areas {
    fn shapes(&self) -> &Shapes {
        match self {
            Areas::OfLayer(reference) => &reference.shapes,
            Areas::Own(shapes) => shapes,
        }
    }
}

/// A feature's part in a zone.
pub struct Part {
    pub zone: u64,
    pub weight: f64,
    /// Square metres of areas, metres of lines.
    pub measure: f64,
}

impl Wanted {
    fn kind(&self) -> Result<&'static str> {
        let given = [
            ("layer", self.layer.is_some()),
            ("divisions", self.divisions.is_some()),
            ("geometry", self.geometry.is_some()),
            ("buffers", self.buffers.is_some()),
            ("grid", self.grid.is_some()),
            ("h3", self.h3.is_some()),
        ];
        let mut kinds = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name);
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Ok(kind),
            _ => Err(Error::invalid(
                "zones",
                "请给出一种分区：layer、divisions、geometry、buffers、grid 或 h3",
                "give one kind of zones: layer, divisions, geometry, buffers, grid or h3",
            )),
        }
    }

    /// The layer whose areas the zones are, if they are nothing else.
    pub fn named_layer(&self) -> Option<&str> {
        let layer = self.layer.as_deref().or(self.divisions.map(Level::layer));
        layer.filter(|_| self.geometry.is_none() && self.buffers.is_none() && self.grid.is_none() && self.h3.is_none())
    }

    /// Whether the caller's own geometry is among it.
    pub fn brings_geometry(&self) -> bool {
        let own = |buffers: &Buffers| buffers.points.is_some() || buffers.geometry.is_some();
        self.geometry.is_some() || self.buffers.as_ref().is_some_and(own)
    }
}

/// A longitude of CGCS2000's zones, in degrees: where there is nothing to count every plane is right.
const ANYWHERE: f64 = 120.0;

impl Spatial {
    /// Makes zones ready. Squares need a longitude to know their plane. The layers that were read go with them.
    pub async fn zones(&self, by: &Principal, wanted: &Wanted, longitude: Option<f64>) -> Result<(Zones, Vec<Opened>)> {
        let kind = wanted.kind()?;
        if let Some(layer) = wanted.layer.as_deref().or(wanted.divisions.map(Level::layer)) {
            let opened = self.zone_layer(by, layer, wanted.label.as_deref(), wanted.filter.as_deref())?;
            let reference = self.reference(&opened).await?;
            few_enough(reference.ids.len())?;
            let names = (0..reference.ids.len()).map(|i| layer_name(&reference, i)).collect();
            return Ok((Zones::Areas { set: Areas::OfLayer(reference), names, kind }, vec![opened]));
        }
        if let Some(geometry) = &wanted.geometry {
            let (shapes, names) = of_geojson(geometry, wanted.label.as_deref())?;
            let set = Areas::Own(Box::new(Shapes::new(shapes.into_iter().map(Some))));
            return Ok((Zones::Areas { set, names, kind }, vec![]));
        }
        if let Some(buffers) = &wanted.buffers {
            return self.buffers(by, buffers, kind).await;
        }
        if let Some(Squares { size_m }) = wanted.grid {
            let (zh, en) = ("应为 10 到 100000 米", "it must be from 10 to 100,000 metres");
            if !SQUARES.contains(&size_m) {
                return Err(Error::invalid("zones.grid.size_m", zh, en));
            }
            let grid = Grid::about(longitude.unwrap_or(ANYWHERE), size_m).ok_or_else(|| {
                let (zh, en) = ("该图层不在 CGCS2000 的投影带内", "the layer lies in no zone of CGCS2000");
                Error::invalid("zones.grid", zh, en)
            })?;
            return Ok((Zones::Squares(grid), vec![]));
        }
        let resolution = wanted.h3.map_or(u8::MAX, |h3| h3.resolution);
        if resolution > cells::FINEST {
            let (zh, en) = (format!("应为 0 到 {}", cells::FINEST), format!("it must be from 0 to {}", cells::FINEST));
            return Err(Error::invalid("zones.h3.resolution", zh, en));
        }
        Ok((Zones::Hexagons(resolution), vec![]))
    }

    fn zone_layer(&self, by: &Principal, layer: &str, label: Option<&str>, filter: Option<&str>) -> Result<Opened> {
        let with = NamedWith {
            layer: layer.to_owned(),
            fields: label.map(|label| vec![label.to_owned()]),
            filter: filter.map(str::to_owned),
        };
        let mut opened = self.open(by, &Named::With(with))?;
        if label.is_none() {
            // What names a feature on the map, as far as the grant shows it.
            let named = opened.layer.state().label_field().map(str::to_owned);
            opened.fields.retain(|field| Some(&field.name) == named.as_ref());
        }
        Ok(opened)
    }

    async fn buffers(&self, by: &Principal, wanted: &Buffers, kind: &'static str) -> Result<(Zones, Vec<Opened>)> {
        let radii = &wanted.distances_m;
        if !(1..=MOST_RADII).contains(&radii.len()) || radii.iter().any(|r| !(*r > 0.0 && *r <= WIDEST_BUFFER)) {
            return Err(Error::invalid(
                "zones.buffers.distances_m",
                "应为 1 到 10 个距离，每个大于 0 且不超过 100000 米",
                "give one to ten distances above 0 and at most 100,000 metres",
            ));
        }
        let (around, opened) = match (&wanted.layer, &wanted.points, &wanted.geometry) {
            (Some(layer), None, None) => {
                let opened = self.zone_layer(by, layer, wanted.label.as_deref(), wanted.filter.as_deref())?;
                let reference = self.reference(&opened).await?;
                few_enough(reference.ids.len() * radii.len())?;
                let shapes: Vec<_> = (0..reference.ids.len())
                    .filter_map(|i| Some((reference.shapes.shape(i as u32)?, layer_name(&reference, i))))
                    .collect();
                (shapes, vec![opened])
            }
            (None, Some(points), None) => {
                few_enough(points.len() * radii.len())?;
                let at = |(i, [x, y]): (usize, &[f64; 2])| {
                    let shape =
                        sent(geo::Geometry::Point(geo::Point::new(*x, *y)), &format!("zones.buffers.points[{i}]"))?;
                    Ok((shape, (i.to_string(), None)))
                };
                (points.iter().enumerate().map(at).collect::<Result<Vec<_>>>()?, vec![])
            }
            (None, None, Some(geometry)) => {
                let (shapes, names) = shapes_of_geojson(geometry, wanted.label.as_deref(), "zones.buffers.geometry")?;
                few_enough(shapes.len() * radii.len())?;
                (shapes.into_iter().zip(names).collect(), vec![])
            }
            _ => {
                let (zh, en) = ("请给出 layer、points 或 geometry 之一", "give one of layer, points and geometry");
                return Err(Error::invalid("zones.buffers", zh, en));
            }
        };
        let radii = radii.clone();
        let widen = move || buffered(around, &radii);
        let (shapes, names) = tokio::task::spawn_blocking(widen).await.map_err(Error::internal)??;
        Ok((Zones::Areas { set: Areas::Own(Box::new(shapes)), names, kind }, opened))
    }
}

type Name = (String, Option<String>);

fn buffered(around: Vec<(Shape, Name)>, radii: &[f64]) -> Result<(Shapes, Vec<Name>)> {
    let (mut shapes, mut names) = (vec![], vec![]);
    for (shape, (id, label)) in around {
        for metres in radii {
            let area = buffer::buffer(&shape, *metres).as_ref().and_then(Area::new).ok_or_else(|| {
                let (zh, en) = ("几何范围过大，无法做缓冲区", "a geometry is too wide for a buffer");
                Error::invalid("zones.buffers", zh, en)
            })?;
            shapes.push(Some(Shape::Area(Box::new(area))));
            names.push((if radii.len() > 1 { format!("{id}:{metres}") } else { id.clone() }, label.clone()));
        }
    }
    Ok((Shapes::new(shapes), names))
}

fn layer_name(reference: &Reference, i: usize) -> Name {
    let label = reference.values(i as u32).first().and_then(plain);
    (reference.ids[i].to_string(), label)
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn few_enough(count: usize) -> Result<()> {
    match count > MOST_AREAS {
        true => Err(Error::too_large("分区超过 20000 个", "there are more than 20,000 zones")
            .hint("请用 filter 缩小范围", "narrow them by a filter")),
        false => Ok(()),
    }
}

fn sent(geometry: geo::Geometry, parameter: &str) -> Result<Shape> {
    fault::checked(geometry, MOST_VERTICES).map_err(|fault| Error::invalid(parameter, fault.words().0, fault.words().1))
}

fn of_geojson(value: &Value, label: Option<&str>) -> Result<(Vec<Shape>, Vec<Name>)> {
    let (shapes, names) = shapes_of_geojson(value, label, "zones.geometry")?;
    few_enough(shapes.len())?;
    match shapes.iter().position(|shape| shape.dimension() < 2) {
        Some(i) => {
            let at = format!("zones.geometry[{i}]");
            Err(Error::invalid(&at, "分区应为多边形", "a zone is a polygon")
                .hint("点和线可用 buffers", "use buffers for points and lines"))
        }
        None => Ok((shapes, names)),
    }
}

fn shapes_of_geojson(value: &Value, label: Option<&str>, parameter: &str) -> Result<(Vec<Shape>, Vec<Name>)> {
    let one = std::slice::from_ref(value);
    let features = match value["type"].as_str() {
        Some("FeatureCollection") => value["features"].as_array().map_or(&[][..], Vec::as_slice),
        _ => one,
    };
    let (mut shapes, mut names) = (vec![], vec![]);
    for (i, feature) in features.iter().enumerate() {
        let is_feature = feature["type"] == "Feature";
        let at = format!("{parameter}[{i}]");
        let geometry = onemap_spatial::geojson::read(if is_feature { &feature["geometry"] } else { feature })
            .ok_or_else(|| Error::invalid(&at, "不是 GeoJSON 几何", "it is no GeoJSON geometry"))?;
        shapes.push(sent(geometry, &at)?);
        let id = plain(&feature["id"]).filter(|_| is_feature).unwrap_or_else(|| i.to_string());
        names.push((id, label.and_then(|label| plain(&feature["properties"][label]))));
    }
    match shapes.is_empty() {
        true => Err(Error::invalid(parameter, "没有几何", "there is no geometry")),
        false => Ok((shapes, names)),
    }
}

impl Zones {
    pub fn kind(&self) -> &'static str {
        match self {
            Zones::Areas { kind, .. } => kind,
            Zones::Squares(_) => "grid",
            Zones::Hexagons(_) => "h3",
        }
    }

    /// The zones that exist whether or not anything lies in them.
    pub fn fixed(&self) -> Option<usize> {
        match self {
            Zones::Areas { names, .. } => Some(names.len()),
            _ => None,
        }
    }

    /// What a zone is called, and what people call it.
    pub fn name(&self, zone: u64) -> Name {
        match self {
            Zones::Areas { names, .. } => names.get(zone as usize).cloned().unwrap_or_default(),
            Zones::Squares(grid) => (grid::name(grid, square(zone)), None),
            Zones::Hexagons(_) => (cells::name(zone), None),
        }
    }

    pub fn outline(&self, zone: u64) -> Option<MultiPolygon> {
        match self {
            Zones::Areas { set, .. } => set.shapes().area(zone as u32).map(Area::polygons),
            Zones::Squares(grid) => grid.outline(square(zone)).map(one),
            Zones::Hexagons(_) => cells::outline(zone).map(one),
        }
    }

    /// A box that holds all zones, where they do not cover everything.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        match self {
            Zones::Areas { set, .. } => set.shapes().bounds(),
            _ => None,
        }
    }

    /// Refuses what cannot be reckoned with these zones.
    pub fn allow(&self, assign: Assign) -> Result<()> {
        match (self, assign) {
            (Zones::Hexagons(_), Assign::Share | Assign::Intersects) => Err(Error::invalid(
                "assign",
                "六边形网格只能按中心归属",
                "hexagons take features by their centres only",
            )
            .hint("请用 centre，或改用 grid", "say centre, or use a grid")),
            _ => Ok(()),
        }
    }

    /// The zones that a feature takes part in.
    pub fn parts(&self, shape: &Shape, assign: Assign) -> Result<Vec<Part>> {
        if assign == Assign::Centre || shape.dimension() == 0 {
            let measure = if shape.dimension() == 0 { 0.0 } else { shape.measure() };
            let zones = self.at(shape, assign);
            return Ok(zones.into_iter().map(|zone| Part { zone, weight: 1.0, measure }).collect());
        }
        let whole = shape.measure();
        let mut parts = vec![];
        let mut take = |zone: u64, area: &Area| {
            let measure = share::inside(shape, area);
            let weight = match assign {
                Assign::Share if whole > 0.0 => measure / whole,
                Assign::Share => 0.0,
                _ => 1.0,
            };
            if assign == Assign::Intersects || measure > 0.0 {
                parts.push(Part { zone, weight, measure });
            }
        };
        match self {
            Zones::Areas { set, .. } => {
                let shapes = set.shapes();
                for number in shapes.find(shape, Predicate::Intersects) {
                    if let Some(area) = shapes.area(number) {
                        take(u64::from(number), area);
                    }
                }
            }
            Zones::Squares(grid) => {
                let near = grid.cells(shape.coords(), MOST_OF_FEATURE).ok_or_else(too_many_squares)?;
                for cell in near {
                    let area = grid.outline(cell).and_then(|outline| Area::new(&one(outline)));
                    if let Some(area) = area.filter(|area| onemap_spatial::relation::intersects_area(shape, area)) {
                        take(number(cell), &area);
                    }
                }
            }
            Zones::Hexagons(_) => {}
        }
        Ok(parts)
    }

    /// Those that hold a point, or the centre of what is none. Of several points each counts once per zone.
    fn at(&self, shape: &Shape, assign: Assign) -> Vec<u64> {
        let place = match shape {
            Shape::Points(_) if assign != Assign::Centre => shape.clone(),
            _ => Shape::Points(vec![shape.centre()]),
        };
        let cell_of = |at: Coord| match self {
            Zones::Squares(grid) => grid.cell(at).map(number),
            Zones::Hexagons(resolution) => cells::cell(at, *resolution),
            Zones::Areas { .. } => None,
        };
        match self {
            Zones::Areas { set, .. } => {
                set.shapes().find(&place, Predicate::Intersects).into_iter().map(u64::from).collect()
            }
            _ => {
                let mut all: Vec<u64> = place.coords().filter_map(cell_of).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
        }
    }
}

fn one(polygon: Polygon) -> MultiPolygon {
    MultiPolygon(vec![polygon])
}

fn number((x, y): grid::Cell) -> u64 {
    u64::from(x.cast_unsigned()) << 32 | u64::from(y.cast_unsigned())
}

fn square(zone: u64) -> grid::Cell {
    (((zone >> 32) as u32).cast_signed(), (zone as u32).cast_signed())
}

fn too_many_squares() -> Error {
    Error::too_large("某个要素跨越的网格过多", "a feature spreads over too many squares")
        .hint("请加大 size_m，或用 assign=centre", "use larger squares, or assign by centre")
}
