//! GeoJSON as a stream: a FeatureCollection of any length, or one feature per line, a feature in memory at a time.

use super::encoding;
use super::files::{Dataset, Format};
use super::geojson_scan::{Scanner, cause};
use super::geometry::{Geometry, Kind};
use super::source::{Cell, LayerHead, Next, Row, Rows, Shape, Source, SourceField};
use crate::error::{Error, Result};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

const MAX_FIELDS: usize = 1500;

pub struct GeoJsonSource {
    path: PathBuf,
    lines: bool,
    heads: Vec<LayerHead>,
}

impl GeoJsonSource {
    pub fn open(dataset: &Dataset) -> Result<GeoJsonSource> {
        let lines = dataset.format == Format::GeoJsonLines;
        let mut head = LayerHead {
            name: dataset.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
            crs: None,
            encoding: encoding::found(encoding_rs::UTF_8, "GeoJSON 规定为 UTF-8", "GeoJSON is UTF-8"),
            rows: None,
            notes: Vec::new(),
            hints: Vec::new(),
        };
        if !lines {
            let mut scan = Scanner::open(&dataset.path)?;
            scan.start()?;
            for (key, value) in &scan.members {
                match key.as_str() {
                    "crs" => head.crs = named_crs(value),
                    "name" => head.name = value.as_str().unwrap_or(&head.name).to_owned(),
                    "description" | "title" | "xy_coordinate_resolution" => head.hints.push(value.to_string()),
                    _ => {}
                }
            }
        }
        if head.crs.is_none() {
            head.crs = Some("OGC:CRS84".to_owned());
        }
        Ok(GeoJsonSource { path: dataset.path.clone(), lines, heads: vec![head] })
    }
}

/// The `crs` member of GeoJSON before RFC 7946.
fn named_crs(value: &serde_json::Value) -> Option<String> {
    let name = value.pointer("/properties/name")?.as_str()?;
    if name.ends_with("CRS84") {
        return Some("OGC:CRS84".to_owned());
    }
    let code: u32 = name.rsplit(':').next()?.parse().ok()?;
    name.to_ascii_uppercase().contains("EPSG").then(|| format!("EPSG:{code}"))
}

impl Source for GeoJsonSource {
    fn format(&self) -> &str {
        if self.lines { "GeoJSON lines" } else { "GeoJSON" }
    }
    fn layers(&self) -> &[LayerHead] {
        &self.heads
    }
    fn rows(&mut self, _layer: usize) -> Result<Box<dyn Rows + '_>> {
        let mut scan = Scanner::open(&self.path)?;
        if !self.lines {
            scan.start()?;
        }
        let total = std::fs::metadata(&self.path)?.len();
        Ok(Box::new(GeoJsonRows {
            scan,
            lines: self.lines,
            names: Names::default(),
            text: Vec::new(),
            number: 0,
            total,
        }))
    }
}

/// Fields in the order in which they first appear.
#[derive(Default)]
struct Names {
    fields: Vec<SourceField>,
    places: HashMap<String, usize>,
    overflow: bool,
}

impl Names {
    fn place(&mut self, name: &str) -> Option<usize> {
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        if self.fields.len() >= MAX_FIELDS {
            self.overflow = true;
            return None;
        }
        self.places.insert(name.to_owned(), self.fields.len());
        self.fields.push(SourceField::new(name, "JSON"));
        Some(self.fields.len() - 1)
    }
}

struct GeoJsonRows {
    scan: Scanner,
    lines: bool,
    names: Names,
    text: Vec<u8>,
    number: u64,
    total: u64,
}

impl Rows for GeoJsonRows {
    fn next(&mut self, row: &mut Row) -> Result<Next> {
        let more = if self.lines { self.scan.line(&mut self.text)? } else { self.scan.element(&mut self.text)? };
        if !more {
            return Ok(Next::End);
        }
        self.number += 1;
        row.clear(self.number);
        row.geometry.clear(Kind::Point);
        let parsed = parse(&self.text, row, &mut self.names);
        if self.names.overflow {
            return Err(Error::invalid(
                "file",
                format!("属性名超过 {MAX_FIELDS} 个"),
                format!("there are more than {MAX_FIELDS} property names"),
            ));
        }
        Ok(match parsed {
            Ok(()) => Next::Row,
            Err(why) => Next::Failed(why),
        })
    }
    fn fields(&self) -> &[SourceField] {
        &self.names.fields
    }
    fn progress(&self) -> (u64, u64) {
        (self.scan.at, self.total)
    }
}

/// Reads one feature. A geometry that makes no sense costs only the geometry.
fn parse(text: &[u8], row: &mut Row, names: &mut Names) -> Result<(), String> {
    let repaired;
    let text = match std::str::from_utf8(text) {
        Ok(t) => t,
        Err(_) => {
            row.bad_texts += 1;
            repaired = String::from_utf8_lossy(text).into_owned();
            &repaired
        }
    };
    let mut read = |skip_geometry: bool, row: &mut Row| {
        let mut json = serde_json::Deserializer::from_str(text);
        FeatureSeed { row, names, skip_geometry }.deserialize(&mut json).and_then(|()| json.end())
    };
    let Err(first) = read(false, row) else { return Ok(()) };
    row.cells.clear();
    row.geometry.clear(Kind::Point);
    read(true, row).map_err(|e| e.to_string())?;
    row.shape = Shape::Unreadable(cause(&first));
    Ok(())
}

struct FeatureSeed<'a> {
    row: &'a mut Row,
    names: &'a mut Names,
    skip_geometry: bool,
}

impl<'de> DeserializeSeed<'de> for FeatureSeed<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FeatureSeed<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a GeoJSON feature")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let FeatureSeed { row, names, skip_geometry } = self;
        let (mut kind, mut bare_coordinates) = (String::new(), false);
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.as_ref() {
                "type" => kind = map.next_value()?,
                "geometry" if skip_geometry => drop(map.next_value::<IgnoredAny>()?),
                "geometry" => {
                    row.shape = map.next_value_seed(GeometrySeed { to: &mut row.geometry, depth: 0 })?;
                }
                "properties" => map.next_value_seed(PropertiesSeed { row, names })?,
                "id" => {
                    let cell = map.next_value_seed(CellSeed { bad: &mut row.bad_texts })?;
                    set(row, names, "feature_id", cell);
                }
                "coordinates" | "geometries" => {
                    bare_coordinates = true;
                    map.next_value::<IgnoredAny>()?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match kind.as_str() {
            "Feature" => Ok(()),
            _ if bare_coordinates => Err(A::Error::custom("a bare geometry")),
            other => Err(A::Error::custom(format!("\"{other}\" is no GeoJSON feature"))),
        }
    }
}

fn set(row: &mut Row, names: &mut Names, name: &str, cell: Cell) {
    let Some(place) = names.place(name) else { return };
    if row.cells.len() <= place {
        row.cells.resize(place + 1, Cell::Null);
    }
    row.cells[place] = cell;
}

struct PropertiesSeed<'a> {
    row: &'a mut Row,
    names: &'a mut Names,
}

impl<'de> DeserializeSeed<'de> for PropertiesSeed<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PropertiesSeed<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of properties or null")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let cell = map.next_value_seed(CellSeed { bad: &mut self.row.bad_texts })?;
            set(self.row, self.names, &key, cell);
        }
        Ok(())
    }
}

struct CellSeed<'a> {
    bad: &'a mut u32,
}

impl<'de> DeserializeSeed<'de> for CellSeed<'_> {
    type Value = Cell;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Cell, D::Error> {
        d.deserialize_any(self)
    }
}

impl CellSeed<'_> {
    fn text(self, text: String) -> Cell {
        if text.contains('\0') {
            *self.bad += 1;
            return Cell::Text(text.replace('\0', ""));
        }
        Cell::Text(text)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_> {
    type Value = Cell;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Cell, E> {
        Ok(Cell::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Cell, E> {
        Ok(Cell::Int(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Cell, E> {
        Ok(i64::try_from(v).map_or_else(|_| Cell::Text(v.to_string()), Cell::Int))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Cell, E> {
        Ok(Cell::Float(v))
    }
    fn visit_str<E>(self, v: &str) -> Result<Cell, E> {
        Ok(self.text(v.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Cell, A::Error> {
        let value = serde_json::Value::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))?;
        Ok(self.text(value.to_string()))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cell, A::Error> {
        let value = serde_json::Value::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(self.text(value.to_string()))
    }
}

/// Reads a geometry object straight into flat columns.
pub struct GeometrySeed<'a> {
    pub to: &'a mut Geometry,
    pub depth: usize,
}

impl<'de> DeserializeSeed<'de> for GeometrySeed<'_> {
    type Value = Shape;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Shape, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for GeometrySeed<'_> {
    type Value = Shape;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a GeoJSON geometry or null")
    }
    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let to = self.to;
        to.clear(Kind::Point);
        let mut kind = None;
        let mut height = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.as_ref() {
                "type" => {
                    kind = Some(kind_of(&map.next_value::<std::borrow::Cow<'de, str>>()?).map_err(A::Error::custom)?)
                }
                "coordinates" => {
                    let found = map.next_value_seed(Coordinates { to })?;
                    height = match found {
                        Node::Nested(h) => Some(h),
                        Node::Nothing => None,
                        Node::Number(_) => return Err(A::Error::custom("coordinates must be an array")),
                    };
                }
                "geometries" => map.next_value_seed(Children { to, depth: self.depth })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        finish(to, kind, height).map_err(A::Error::custom)
    }
}

fn kind_of(name: &str) -> Result<Kind, String> {
    (1..=7)
        .filter_map(Kind::from_code)
        .find(|k| k.name() == name)
        .ok_or_else(|| format!("\"{name}\" is no GeoJSON geometry type"))
}

fn finish(to: &mut Geometry, kind: Option<Kind>, height: Option<u8>) -> Result<Shape, String> {
    let kind = kind.ok_or("the geometry has no type")?;
    to.kind = kind;
    if !to.z.is_empty() {
        to.z.resize(to.x.len(), 0.0);
        to.has_z = true;
    }
    let wanted = match kind {
        Kind::Point => 0,
        Kind::LineString | Kind::MultiPoint => 1,
        Kind::Polygon | Kind::MultiLineString => 2,
        Kind::MultiPolygon => 3,
        Kind::Collection => return Ok(if to.is_empty() { Shape::Empty } else { Shape::Present }),
    };
    if height.is_some_and(|h| h != wanted) && !to.x.is_empty() {
        return Err(format!("the coordinates' nesting does not fit a {}", kind.name()));
    }
    if matches!(kind, Kind::Point | Kind::MultiPoint) {
        to.parts.clear();
    }
    if !matches!(kind, Kind::Polygon | Kind::MultiPolygon) {
        to.polygons.clear();
    }
    Ok(if to.x.is_empty() { Shape::Empty } else { Shape::Present })
}

struct Children<'a> {
    to: &'a mut Geometry,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Children<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Children<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array of geometries")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.depth > 16 {
            return Err(A::Error::custom("geometry collections nest too deeply"));
        }
        loop {
            let mut child = Geometry::default();
            match seq.next_element_seed(GeometrySeed { to: &mut child, depth: self.depth + 1 })? {
                None => return Ok(()),
                Some(_) => self.to.children.push(child),
            }
        }
    }
}

/// What one level of the coordinate arrays turned out to be.
#[derive(Clone, Copy, PartialEq)]
enum Node {
    Number(f64),
    /// 0 a position, 1 a run of positions, 2 rings, 3 polygons.
    Nested(u8),
    Nothing,
}

struct Coordinates<'a> {
    to: &'a mut Geometry,
}

impl<'de> DeserializeSeed<'de> for Coordinates<'_> {
    type Value = Node;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Node, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Coordinates<'_> {
    type Value = Node;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number or an array of coordinates")
    }
    fn visit_f64<E>(self, v: f64) -> Result<Node, E> {
        Ok(Node::Number(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Node, E> {
        Ok(Node::Number(v as f64))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Node, E> {
        Ok(Node::Number(v as f64))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let to = self.to;
        let mut numbers = 0usize;
        let mut height: Option<u8> = None;
        while let Some(node) = seq.next_element_seed(Coordinates { to })? {
            match node {
                Node::Number(v) => {
                    match numbers {
                        0 => to.x.push(v),
                        1 => to.y.push(v),
                        2 => {
                            to.z.resize(to.x.len() - 1, 0.0);
                            to.z.push(v);
                        }
                        _ => {}
                    }
                    numbers += 1;
                }
                Node::Nested(h) if height.is_none_or(|known| known == h) && numbers == 0 => height = Some(h),
                Node::Nested(_) => return Err(A::Error::custom("the coordinates nest unevenly")),
                Node::Nothing => {}
            }
        }
        match (numbers, height) {
            (0, None) => Ok(Node::Nothing),
            (1, _) => Err(A::Error::custom("a position needs two numbers")),
            (_, None) => Ok(Node::Nested(0)),
            (0, Some(0)) => {
                to.parts.push(to.x.len() as u32);
                Ok(Node::Nested(1))
            }
            (0, Some(1)) => {
                to.polygons.push(to.parts.len() as u32);
                Ok(Node::Nested(2))
            }
            (0, Some(2)) => Ok(Node::Nested(3)),
            _ => Err(A::Error::custom("the coordinates nest too deeply")),
        }
    }
}
