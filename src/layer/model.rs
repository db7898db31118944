//! What a layer is: its words, its fields, its share class and its published state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::archive::TileArchive;
pub use crate::access::policy::ShareClass;
use crate::error::{Error, Result};

/// A text in Chinese and English.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Title {
    pub zh: String,
    pub en: String,
}

/// A field's type: the PostgreSQL column type and the JSON type follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    Text,
    Integer,
    Float,
    Boolean,
    Date,
    /// With time zone; times without one are taken as Asia/Shanghai.
    Timestamp,
}

impl FieldType {
    /// The column type in PostgreSQL.
    pub fn sql(self) -> &'static str {
        match self {
            FieldType::Text => "text",
            FieldType::Integer => "bigint",
            FieldType::Float => "double precision",
            FieldType::Boolean => "boolean",
            FieldType::Date => "date",
            FieldType::Timestamp => "timestamptz",
        }
    }

    /// The JSON Schema type and format.
    pub fn json_schema(self) -> (&'static str, Option<&'static str>) {
        match self {
            FieldType::Text => ("string", None),
            FieldType::Integer => ("integer", None),
            FieldType::Float => ("number", None),
            FieldType::Boolean => ("boolean", None),
            FieldType::Date => ("string", Some("date")),
            FieldType::Timestamp => ("string", Some("date-time")),
        }
    }

    /// What TileJSON calls the type.
    pub fn tilejson(self) -> &'static str {
        match self {
            FieldType::Integer | FieldType::Float => "Number",
            FieldType::Boolean => "Boolean",
            _ => "String",
        }
    }

    /// What filters call the type.
    pub fn filtered(self) -> onemap_cql2::Kind {
        use onemap_cql2::Kind;
        match self {
            FieldType::Text => Kind::Text,
            FieldType::Integer => Kind::Integer,
            FieldType::Float => Kind::Float,
            FieldType::Boolean => Kind::Boolean,
            FieldType::Date => Kind::Date,
            FieldType::Timestamp => Kind::Timestamp,
        }
    }

    /// What `information_schema` calls the type, for tables that are shared as they stand.
    pub fn of_postgres(udt: &str) -> FieldType {
        match udt {
            "int2" | "int4" | "int8" => FieldType::Integer,
            "float4" | "float8" | "numeric" => FieldType::Float,
            "bool" => FieldType::Boolean,
            "date" => FieldType::Date,
            "timestamp" | "timestamptz" => FieldType::Timestamp,
            _ => FieldType::Text,
        }
    }
}

/// One attribute of a layer. `name` is the column: lower-case letters, digits and `_` or Chinese, unique in its layer, at most 63 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: FieldType,
    pub title_zh: String,
    pub title_en: String,
}

/// Where the rows of a state are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub schema: String,
    pub table: String,
    /// An integer column, unique and indexed: the feature's id.
    pub key: String,
    /// None for a layer without geometry.
    pub geometry: Option<String>,
    /// A table or view that is shared as it stands: its column types are what they are, and it may change at any time.
    pub registered: bool,
}

/// The published state of a layer.
#[derive(Debug, Clone)]
pub struct State {
    /// The revision's id; for a registered table 0.
    pub revision: i64,
    pub number: i32,
    pub source: Source,
    /// For a revision that is an archive of finished tiles: what is in it. It has no rows, and no table is behind `source`.
    pub archive: Option<Arc<TileArchive>>,
    /// As PostGIS names it: Point, MultiPolygon, … or Geometry when mixed.
    pub geometry_type: Option<String>,
    pub srid: i32,
    pub fields: Vec<Field>,
    /// Unknown for registered tables; for revisions as exact as `edits` says.
    pub feature_count: Option<i64>,
    /// How many edits since the load are counted in `feature_count` and `bbox`; the others follow within seconds.
    pub edits: u64,
    /// West, south, east, north in degrees.
    pub bbox: Option<[f64; 4]>,
}

/// How a layer's tiles are thinned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thinning {
    /// The field whose higher numbers show first.
    pub rank: Option<String>,
    /// Bytes of a compressed tile at most, when not the default.
    pub limit: Option<usize>,
}

/// How small counts of a layer are kept from being told: numbers are passed on over one fixed table of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// Counts above zero and below it are withheld, and what would give them away.
    pub k: u64,
    /// The layer of zones.
    pub zones: String,
    /// The zones' field of codes and this layer's; both or none. Without them rows are assigned by location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The field by whose values rows may be told apart, such as a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Of a layer whose rows are sums already: the field that says for how many each stands. Without it a row is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Layer {
    pub id: Arc<str>,
    pub department: Arc<str>,
    pub theme: Option<String>,
    pub title: Title,
    pub description: Title,
    pub class: ShareClass,
    pub anonymous: bool,
    /// The owner's people draw on it: its features are marks.
    pub annotation: bool,
    pub style: Option<String>,
    /// The kept style that shows it to whoever did not choose one.
    pub default_style: Option<String>,
    pub source: String,
    pub synthetic: bool,
    pub thinning: Thinning,
    /// Set for a layer whose small counts are protected.
    pub suppression: Option<Suppression>,
    /// RFC 3339, UTC; as is `updated`.
    pub created: String,
    pub updated: String,
    /// None until the first revision is published.
    pub state: Option<State>,
}

impl State {
    /// Whether there is anything to draw.
    pub fn has_tiles(&self) -> bool {
        self.source.geometry.is_some() || self.archive.is_some()
    }
    /// Refuses what needs features when there are only tiles.
    pub fn need_rows(&self) -> Result<()> {
        match self.archive {
            None => Ok(()),
            Some(_) => Err(tiles_only()),
        }
    }
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
    /// The field that names a feature on the map: the first text field that is called so, else the first text field.
    pub fn label_field(&self) -> Option<&str> {
        let texts = || self.fields.iter().filter(|f| f.kind == FieldType::Text);
        let named = texts().find(|f| matches!(f.name.as_str(), "name" | "name_zh" | "名称" | "title" | "mc"));
        named.or_else(|| texts().next()).map(|f| f.name.as_str())
    }
}

#[cfg(test)]
impl State {
    /// A table of somebody else, for tests of statements.
    pub fn plots() -> State {
        let source = Source {
            schema: "public".into(),
            table: "plots".into(),
            key: "gid".into(),
            geometry: Some("geom".into()),
            registered: true,
        };
        State {
            revision: 0,
            number: 0,
            source,
            archive: None,
            geometry_type: None,
            srid: 4528,
            fields: vec![],
            feature_count: None,
            edits: 0,
            bbox: None,
        }
    }
}

/// Said wherever features of a tile archive are asked for.
pub fn tiles_only() -> Error {
    Error::conflict(
        "该图层是瓦片归档，只有瓦片，没有要素",
        "this layer is a tile archive: it has tiles, but no features",
    )
    .hint("瓦片地址见 /tiles/{图层}.json", "its tiles are described at /tiles/{layer}.json")
}

#[derive(Debug, Clone, Serialize)]
pub struct Department {
    pub id: Arc<str>,
    pub title: Title,
}

#[derive(Debug, Clone, Serialize)]
pub struct Theme {
    pub id: String,
    pub title: Title,
}
