//! What a writer is told of a layer before its rows come.

use crate::shape::{Kind, Shape};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Text,
    Integer,
    Float,
    Boolean,
    Date,
    Timestamp,
}

/// One field.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub kind: Type,
    /// What people call it.
    pub title: String,
}

/// The reference system of the coordinates, which are always x, y: longitude or easting first.
#[derive(Debug, Clone)]
pub struct Crs {
    /// EPSG's code; none for a system that EPSG does not know.
    pub epsg: Option<i32>,
    pub name: String,
    /// Well-known text as OGC wrote it down first (WKT 1).
    pub wkt: String,
    /// The same with ESRI's names, as a `.prj` file has it.
    pub esri: String,
    pub geographic: bool,
    /// For coordinates that were shifted on purpose: the name of the shifted system, in lower case (`gcj02`).
    pub shifted: Option<&'static str>,
}

/// The geometry column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// None when kinds are mixed.
    pub kind: Option<Kind>,
    /// Whether there are heights; none when some may have them.
    pub z: Option<bool>,
}

#[derive(Debug, Clone)]
pub struct Table {
    /// Letters, digits, `-` and `_`: the stem of file names.
    pub id: String,
    pub title: String,
    pub description: String,
    pub columns: Vec<Column>,
    pub geometry: Option<Geometry>,
    pub crs: Crs,
}

/// How a table of text shows geometries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeometryColumns {
    /// Two columns; nothing but single points has them.
    Coordinates,
    Wkt,
    None,
}

impl GeometryColumns {
    /// Coordinates where every feature is a point, otherwise text.
    pub fn of(geometry: Option<Geometry>) -> Self {
        match geometry {
            None => GeometryColumns::None,
            Some(Geometry { kind: Some(Kind::Point), .. }) => GeometryColumns::Coordinates,
            Some(_) => GeometryColumns::Wkt,
        }
    }
}

impl Table {
    /// A name that no column has.
    pub(crate) fn free(&self, wanted: &str) -> String {
        let taken = |name: &str| self.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name));
        let mut name = wanted.to_owned();
        let mut n = 2;
        while taken(&name) {
            name = format!("{wanted}_{n}");
            n += 1;
        }
        name
    }

    /// The column of the feature's id.
    pub(crate) fn id_column(&self) -> String {
        self.free("fid")
    }

    /// The names of the geometry's columns. A shifted system is part of them, so that nobody takes the numbers for what they are not.
    pub(crate) fn geometry_columns(&self, how: GeometryColumns) -> Vec<String> {
        let suffix = self.crs.shifted.map(|s| format!("_{s}")).unwrap_or_default();
        let names: &[&str] = match (how, self.crs.geographic) {
            (GeometryColumns::Coordinates, true) if self.has_heights() => &["lon", "lat", "z"],
            (GeometryColumns::Coordinates, true) => &["lon", "lat"],
            (GeometryColumns::Coordinates, false) if self.has_heights() => &["x", "y", "z"],
            (GeometryColumns::Coordinates, false) => &["x", "y"],
            (GeometryColumns::Wkt, _) => &["WKT"],
            (GeometryColumns::None, _) => &[],
        };
        names.iter().map(|name| self.free(&format!("{name}{suffix}"))).collect()
    }

    /// Whether a geometry may stand in a file that says beforehand of which kind they are.
    pub(crate) fn admits(&self, shape: &Shape) -> bool {
        self.geometry.is_none_or(|g| g.kind.is_none_or(|kind| kind == shape.kind))
    }

    pub(crate) fn has_heights(&self) -> bool {
        self.geometry.is_some_and(|g| g.z == Some(true))
    }

    /// Decimal places of a coordinate: a tenth of a millimetre.
    pub(crate) fn decimals(&self) -> usize {
        if self.crs.geographic { 9 } else { 4 }
    }
}
