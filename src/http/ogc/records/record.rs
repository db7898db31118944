//! A record: what the catalogue says of one layer to one caller, and as what a filter, a sort and a facet know it.

use std::sync::Arc;

use onemap_cql2::{Kind, Schema, Value as Cell};
use serde_json::{Map, Value, json};

use crate::access::policy::Standing;
use crate::feature::output::FileFormat;
use crate::http::ask::{Ask, Language};
use crate::layer::model::{Layer, ShareClass, Title};

/// A property that a record is found, sorted and counted by.
pub struct Property {
    pub name: &'static str,
    pub kind: Kind,
    pub zh: &'static str,
    pub en: &'static str,
    pub sortable: bool,
    pub facet: bool,
}

const fn property(
    name: &'static str,
    kind: Kind,
    zh: &'static str,
    en: &'static str,
    sortable: bool,
    facet: bool,
) -> Property {
    Property { name, kind, zh, en, sortable, facet }
}

pub const PROPERTIES: [Property; 11] = [
    property("id", Kind::Text, "标识", "Id", true, false),
    property("type", Kind::Text, "资源类型", "Kind of resource", true, true),
    property("title", Kind::Text, "名称", "Title", true, false),
    property("description", Kind::Text, "摘要", "Description", false, false),
    property("department", Kind::Text, "提供单位", "Department", true, true),
    property("theme", Kind::Text, "主题", "Theme", true, true),
    property("shareClass", Kind::Text, "共享类型", "Share class", true, true),
    property(
        "access",
        Kind::Text,
        "我的权限（edit、read、request）",
        "What one may do: edit, read, request",
        true,
        true,
    ),
    property("geometryType", Kind::Text, "几何类型", "Type of geometry", true, true),
    property("created", Kind::Timestamp, "创建时间", "Created", true, false),
    property("updated", Kind::Timestamp, "更新时间", "Updated", true, false),
];

/// A facet that is no single-valued property: a record is counted once in each of its formats.
pub const FORMAT: &str = "format";

pub struct Record {
    pub layer: Arc<Layer>,
    pub title: String,
    pub description: String,
    pub department: Title,
    pub theme: Option<Title>,
    pub access: &'static str,
    pub geometry_type: Option<String>,
    pub formats: Vec<&'static str>,
    /// West, south, east, north; only for those who may see the whole.
    pub bbox: Option<[f64; 4]>,
    /// In both languages, in lower case, with single blanks.
    text: String,
}

/// The layers that the caller may know of, by id.
pub fn all(ask: &Ask) -> Vec<Record> {
    let snapshot = ask.app.catalog.snapshot();
    let title_of = |id: &str| snapshot.departments.iter().find(|d| *d.id == *id).map(|d| d.title.clone());
    let visible = ask.app.catalog.visible(&ask.app.gate, &ask.principal);
    visible
        .into_iter()
        .map(|(layer, standing)| {
            let department = title_of(&layer.department).unwrap_or_default();
            let theme = layer.theme.as_deref().and_then(|id| snapshot.themes.iter().find(|t| t.id == id));
            Record::new(layer, &standing, department, theme.map(|t| t.title.clone()), ask.language)
        })
        .collect()
}

impl Record {
    fn new(
        layer: Arc<Layer>,
        standing: &Standing,
        department: Title,
        theme: Option<Title>,
        language: Language,
    ) -> Record {
        let (access, whole) = match standing {
            Standing::Edits => ("edit", true),
            Standing::Marks => ("annotate", true),
            Standing::Reads(scope) => ("read", scope.is_all()),
            Standing::Visible | Standing::Unknown => ("request", false),
        };
        let state = layer.state.as_ref();
        let sees = |name: &str| match standing {
            Standing::Reads(scope) => scope.sees_field(name),
            _ => true,
        };
        // What the fields are called is part of the catalogue: one must know what to request.
        let fields = state.iter().flat_map(|s| &s.fields).filter(|f| sees(&f.name));
        let fields = fields.flat_map(|f| [f.title_zh.as_str(), f.title_en.as_str()]);
        let titles = [Some(&layer.title), Some(&layer.description), Some(&department), theme.as_ref()];
        let titles = titles.into_iter().flatten().flat_map(|t| [t.zh.as_str(), t.en.as_str()]);
        let text = folded(&[&*layer.id].into_iter().chain(titles).chain(fields).collect::<Vec<_>>().join(" \n "));
        let readable = access != "request" && state.is_some();
        Record {
            title: language.pick(&layer.title).to_owned(),
            description: language.pick(&layer.description).to_owned(),
            geometry_type: state.and_then(|s| s.geometry_type.clone()),
            formats: if readable { formats(&layer) } else { vec![] },
            bbox: state.and_then(|s| s.bbox).filter(|_| whole),
            department,
            theme,
            access,
            text,
            layer,
        }
    }

    /// Whether the text, folded, stands anywhere in it.
    pub fn says(&self, term: &str) -> bool {
        self.text.contains(term)
    }

    /// A property as text; `created` and `updated` too, whose order as text is that of time.
    pub fn property(&self, name: &str) -> Option<&str> {
        match name {
            "id" => Some(&self.layer.id),
            "type" => Some("dataset"),
            "title" => Some(&self.title),
            "description" => Some(&self.description),
            "department" => Some(&self.layer.department),
            "theme" => self.layer.theme.as_deref(),
            "shareClass" => Some(self.layer.class.name()),
            "access" => Some(self.access),
            "geometryType" => self.geometry_type.as_deref(),
            "created" => Some(&self.layer.created),
            "updated" => Some(&self.layer.updated),
            _ => None,
        }
    }

    /// The values by which a facet counts it.
    pub fn values(&self, facet: &str) -> Vec<&str> {
        match facet {
            FORMAT => self.formats.clone(),
            name => self.property(name).into_iter().collect(),
        }
    }

    pub fn themes(&self, language: Language) -> Option<&str> {
        self.theme.as_ref().map(|theme| language.pick(theme))
    }
}

/// What a layer can be had as.
fn formats(layer: &Layer) -> Vec<&'static str> {
    let Some(state) = &layer.state else { return vec![] };
    let mut formats = vec![];
    if state.archive.is_none() {
        formats.extend(["GeoJSON", "HTML"]);
        formats.extend(FileFormat::ALL.map(FileFormat::name));
    }
    if state.has_tiles() {
        formats.push("MVT");
    }
    formats
}

pub fn media_of(format: &str) -> &'static str {
    match format {
        "GeoJSON" => "application/geo+json",
        "MVT" => "application/vnd.mapbox-vector-tile",
        "HTML" => "text/html",
        name => FileFormat::parse(name).map_or("application/octet-stream", |format| format.media()[0]),
    }
}

/// Lower case, with single blanks.
pub fn folded(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The properties as a filter's schema.
pub struct Queryables;

impl Schema for Queryables {
    fn field(&self, name: &str) -> Option<(usize, Kind)> {
        PROPERTIES.iter().position(|p| p.name == name).map(|i| (i, PROPERTIES[i].kind))
    }
    fn is_geometry(&self, name: &str) -> bool {
        name == "geometry"
    }
    fn names(&self) -> Vec<&str> {
        PROPERTIES.iter().map(|p| p.name).collect()
    }
}

impl onemap_cql2::Row for Record {
    fn value(&self, field: usize) -> Cell<'_> {
        self.property(PROPERTIES[field].name).map_or(Cell::Null, Cell::Text)
    }
    fn bounds(&self) -> Option<[f64; 4]> {
        self.bbox
    }
    fn geometry(&self) -> Option<geo::Geometry> {
        let [west, south, east, north] = self.bbox?;
        Some(geo::Rect::new((west, south), (east, north)).to_polygon().into())
    }
    fn intersects(&self, [west, south, east, north]: [f64; 4]) -> bool {
        self.bbox.is_some_and(|b| b[0] <= east && b[2] >= west && b[1] <= north && b[3] >= south)
    }
}

/// A share class in words.
pub fn rights(class: ShareClass, language: Language) -> &'static str {
    let (zh, en) = match class {
        ShareClass::Unconditional => ("无条件共享", "shared unconditionally with every department"),
        ShareClass::Conditional => {
            ("有条件共享：须向提供单位申请", "shared conditionally: to be requested from its owner")
        }
        ShareClass::NotShared => ("不予共享：仅限本单位使用", "not shared: for its own department only"),
    };
    language.word(zh, en)
}

/// JSON Schema of the properties, for `/queryables`, `/sortables` and `/schema`.
pub fn schema(language: Language, which: impl Fn(&Property) -> bool) -> Map<String, Value> {
    PROPERTIES
        .iter()
        .filter(|p| which(p))
        .map(|p| {
            let mut schema = json!({"type": "string", "title": language.word(p.zh, p.en)});
            if p.kind == Kind::Timestamp {
                schema["format"] = "date-time".into();
            }
            if p.facet {
                schema["facet"] = true.into();
            }
            (p.name.to_owned(), schema)
        })
        .collect()
}
