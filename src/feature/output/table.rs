//! A granted layer, as the writers of files are told of it.

use onemap_formats::{Column, Crs, Geometry, Kind, Table, Type};

use crate::access::policy::Scope;
use crate::layer::catalog::Published;
use crate::layer::model::{Field, FieldType, State};

/// Title, description and field titles in the caller's language come from `pick`.
pub fn describe(
    layer: &Published,
    scope: &Scope,
    (fields, geometry): (&[Field], bool),
    crs: Crs,
    pick: impl Fn(&crate::layer::model::Title) -> String,
) -> Table {
    let state = layer.state();
    let column = |f: &Field| Column {
        name: f.name.clone(),
        kind: kind(f.kind),
        title: pick(&crate::layer::model::Title { zh: f.title_zh.clone(), en: f.title_en.clone() }),
    };
    Table {
        id: layer.id.to_string(),
        title: pick(&layer.title),
        description: pick(&layer.description),
        columns: fields.iter().map(column).collect(),
        geometry: geometry.then(|| geometry_of(state, scope)).flatten(),
        crs,
    }
}

fn kind(kind: FieldType) -> Type {
    match kind {
        FieldType::Text => Type::Text,
        FieldType::Integer => Type::Integer,
        FieldType::Float => Type::Float,
        FieldType::Boolean => Type::Boolean,
        FieldType::Date => Type::Date,
        FieldType::Timestamp => Type::Timestamp,
    }
}

fn geometry_of(state: &State, scope: &Scope) -> Option<Geometry> {
    state.source.geometry.as_ref()?;
    let name = state.geometry_type.as_deref().unwrap_or("Geometry");
    let plain = name.trim_end_matches(['Z', 'M']);
    let kind = match plain {
        "Point" => Some(Kind::Point),
        "LineString" => Some(Kind::Line),
        "Polygon" => Some(Kind::Polygon),
        "MultiPoint" => Some(Kind::MultiPoint),
        "MultiLineString" => Some(Kind::MultiLine),
        "MultiPolygon" => Some(Kind::MultiPolygon),
        // Collections may hold anything, and a column without a type too.
        _ => None,
    };
    let heights = name[plain.len()..].contains('Z');
    // A column of mixed geometries without a word of heights may be one of anything.
    let z = (heights || kind.is_some()).then_some(heights);
    // What an area cuts may come out in several pieces.
    let cut = scope.area.is_some() && kind != Some(Kind::Point);
    Some(Geometry { kind: if cut { kind.map(Kind::multi) } else { kind }, z })
}
