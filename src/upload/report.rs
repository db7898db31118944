//! What an upload turned out to be: the words between the reading child, the server and the page. All texts in zh and en.

use crate::error::Said;
use crate::layer::archive::TileArchive;
use crate::layer::model::{Field, FieldType};
use serde::{Deserialize, Serialize};

/// How many offending rows are listed by number; the counts are always complete.
pub const MAX_LISTED: usize = 1000;

/// A text for people, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Note {
    pub zh: String,
    pub en: String,
}

impl Note {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Note { zh: zh.into(), en: en.into() }
    }
}

impl From<Said> for Note {
    fn from(s: Said) -> Self {
        Note { zh: s.zh, en: s.en }
    }
}

/// The whole report on one upload.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Inspection {
    /// The formats found, e.g. `ESRI Shapefile`.
    pub format: String,
    pub files: Vec<SourceFile>,
    pub layers: Vec<SourceLayer>,
    /// What could not be read, or was left aside, and why.
    pub problems: Vec<Note>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Relative to the upload.
    pub path: String,
    pub bytes: u64,
}

/// One layer in the upload, as found by a full pass over it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceLayer {
    /// The file or folder it is in, relative to the upload; with `index` it names the layer in a `ReadPlan`.
    pub dataset: String,
    pub index: usize,
    pub name: String,
    pub format: String,
    /// Geometry type names with their counts, e.g. `MultiPolygon`.
    pub geometry_types: Vec<(String, u64)>,
    /// The column type that holds them all.
    pub target: GeometryTarget,
    pub has_z: bool,
    pub has_m: bool,
    pub feature_count: u64,
    pub encoding: EncodingFound,
    pub crs: CrsFound,
    /// In the source's coordinates: min x, min y, max x, max y.
    pub bbox: Option<[f64; 4]>,
    /// In CGCS2000 degrees, by the CRS found.
    pub bbox_4490: Option<[f64; 4]>,
    pub axes: Axes,
    pub datum_suspicion: DatumFound,
    pub fields: Vec<FieldFound>,
    /// The field whose values are present and all different, fit to match revisions by.
    pub key_candidates: Vec<String>,
    pub geometry: GeometryFound,
    /// Up to 20 features as GeoJSON, in CGCS2000 where the CRS is known.
    pub sample: Vec<serde_json::Value>,
    pub notes: Vec<Note>,
    /// For an archive of finished tiles: what is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiles: Option<TileArchive>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncodingFound {
    pub name: String,
    pub reason: Note,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The file says it, with a code.
    Declared,
    /// The file describes it, and the description is a known CRS.
    Recognised,
    /// Found by the coordinates alone: a person must confirm it.
    Guessed,
    Unknown,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CrsFound {
    pub epsg: Option<u32>,
    /// The description itself, where there is no code.
    pub wkt: Option<String>,
    pub name: String,
    pub confidence: Confidence,
    pub reasons: Vec<Note>,
    pub candidates: Vec<CrsCandidate>,
    pub needs_confirmation: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrsCandidate {
    pub epsg: u32,
    pub name: String,
    pub reason: Note,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Axes {
    /// Whether latitude (northing) stands first.
    pub swapped: bool,
    pub reason: Option<Note>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    #[default]
    None,
    Gcj02,
    Bd09,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatumFound {
    pub datum: Datum,
    pub reason: Option<Note>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FieldFound {
    /// Its place in the source; names may repeat there.
    pub source: usize,
    pub source_name: String,
    /// Clean, unique, lower case, at most 63 bytes.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: FieldType,
    pub original_type: String,
    pub width: Option<u32>,
    pub nulls: u64,
    pub samples: Vec<String>,
    /// A column that only holds the geometry as text; not proposed as a field.
    pub is_geometry: bool,
    pub notes: Vec<Note>,
}

/// Rows that share a flaw: all of them counted, the first listed by row number (from 1, in file order).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    pub count: u64,
    pub rows: Vec<u64>,
}

impl Listed {
    pub fn add(&mut self, row: u64) {
        self.count += 1;
        if self.rows.len() < MAX_LISTED {
            self.rows.push(row);
        }
    }
}

/// A cause with the number of rows it struck.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    pub text: String,
    pub count: u64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GeometryFound {
    pub valid: u64,
    pub invalid: Listed,
    pub reasons: Vec<Cause>,
    /// Curved geometries, which are read as lines of chords.
    pub curves: u64,
    pub empty: u64,
    pub null: u64,
    /// With fewer points than their type needs: read as no geometry.
    pub degenerate: Listed,
    /// With infinite or not-a-number coordinates: read as no geometry.
    pub not_finite: Listed,
    /// Geometry text or bytes that make no sense.
    pub unreadable: Listed,
    /// Rows that could not be read at all.
    pub failed_rows: Listed,
    /// More than one of points, lines, areas.
    pub mixed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetKind {
    Point,
    LineString,
    Polygon,
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    Geometry,
}

/// The geometry column's type: what every row is brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeometryTarget {
    pub kind: TargetKind,
    pub z: bool,
    pub m: bool,
}

impl GeometryTarget {
    /// The type's name in PostGIS, e.g. `MultiPolygonZ`.
    pub fn postgis(self) -> &'static str {
        use TargetKind::*;
        match (self.kind, self.z, self.m) {
            (Point, false, false) => "Point",
            (Point, true, false) => "PointZ",
            (Point, false, true) => "PointM",
            (Point, true, true) => "PointZM",
            (LineString, false, false) => "LineString",
            (LineString, true, false) => "LineStringZ",
            (LineString, false, true) => "LineStringM",
            (LineString, true, true) => "LineStringZM",
            (Polygon, false, false) => "Polygon",
            (Polygon, true, false) => "PolygonZ",
            (Polygon, false, true) => "PolygonM",
            (Polygon, true, true) => "PolygonZM",
            (MultiPoint, false, false) => "MultiPoint",
            (MultiPoint, true, false) => "MultiPointZ",
            (MultiPoint, false, true) => "MultiPointM",
            (MultiPoint, true, true) => "MultiPointZM",
            (MultiLineString, false, false) => "MultiLineString",
            (MultiLineString, true, false) => "MultiLineStringZ",
            (MultiLineString, false, true) => "MultiLineStringM",
            (MultiLineString, true, true) => "MultiLineStringZM",
            (MultiPolygon, false, false) => "MultiPolygon",
            (MultiPolygon, true, false) => "MultiPolygonZ",
            (MultiPolygon, false, true) => "MultiPolygonM",
            (MultiPolygon, true, true) => "MultiPolygonZM",
            (Geometry, false, false) => "Geometry",
            (Geometry, true, false) => "GeometryZ",
            (Geometry, false, true) => "GeometryM",
            (Geometry, true, true) => "GeometryZM",
        }
    }
}

/// The CRS a person chose or confirmed; nothing here means the one the file declares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrsChoice {
    Epsg(u32),
    Wkt(String),
}

/// How one source layer is to be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadPlan {
    pub dataset: String,
    pub index: usize,
    pub crs: CrsChoice,
    #[serde(default)]
    pub datum: Datum,
    #[serde(default)]
    pub swap_axes: bool,
    /// Overrides the encoding found.
    #[serde(default)]
    pub encoding: Option<String>,
    pub fields: Vec<PlanField>,
    pub target: GeometryTarget,
    /// Whether invalid geometries are repaired; otherwise they are stored as they are.
    #[serde(default)]
    pub repair: bool,
    /// The name (as in `fields`) of the field to match revisions by: repeats and gaps are counted.
    #[serde(default)]
    pub key: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanField {
    pub source: usize,
    pub field: Field,
}

impl SourceLayer {
    /// The plan that takes the layer as found. None while its CRS is unknown.
    pub fn plan(&self) -> Option<ReadPlan> {
        let crs = match (self.crs.epsg, &self.crs.wkt) {
            (Some(code), _) => CrsChoice::Epsg(code),
            (None, Some(wkt)) => CrsChoice::Wkt(wkt.clone()),
            (None, None) => return None,
        };
        let fields = self.fields.iter().filter(|f| !f.is_geometry).map(|f| PlanField {
            source: f.source,
            field: Field {
                name: f.name.clone(),
                kind: f.kind,
                title_zh: f.source_name.clone(),
                title_en: f.source_name.clone(),
            },
        });
        Some(ReadPlan {
            dataset: self.dataset.clone(),
            index: self.index,
            crs,
            datum: self.datum_suspicion.datum,
            swap_axes: self.axes.swapped,
            encoding: None,
            fields: fields.collect(),
            target: self.target,
            repair: true,
            key: None,
        })
    }
}

/// What reading did, beyond the rows themselves.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReadReport {
    /// Rows written.
    pub rows: u64,
    pub bytes: u64,
    pub bbox_4490: Option<[f64; 4]>,
    pub repaired: Listed,
    /// Invalid, and not to be repaired, or beyond it: stored as they are.
    pub left_invalid: Listed,
    pub curves: u64,
    pub null_geometry: u64,
    pub empty_geometry: u64,
    pub degenerate: Listed,
    pub not_finite: Listed,
    /// Coordinates that the CRS cannot express: stored without geometry.
    pub untransformable: Listed,
    pub unreadable_geometry: Listed,
    /// Geometries of another type than the target's: stored without geometry.
    pub wrong_type: Listed,
    /// Rows not written, with their causes below.
    pub failed_rows: Listed,
    pub causes: Vec<Cause>,
    /// Texts with NUL or bytes that are no text in the encoding; they were replaced.
    pub mended_texts: Listed,
    /// Values that do not fit their field's type; stored as null.
    pub misfit_values: Vec<(String, Listed)>,
    pub key_nulls: Listed,
    pub key_repeats: Listed,
}

/// Adds one to a cause's count; the number of different causes is bounded.
pub fn count_cause(causes: &mut Vec<Cause>, text: &str) {
    if let Some(cause) = causes.iter_mut().find(|c| c.text == text) {
        cause.count += 1;
    } else if causes.len() < 50 {
        causes.push(Cause { text: text.to_owned(), count: 1 });
    }
}
