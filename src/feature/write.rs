//! A feature that is to be written: GeoJSON read into the layer's own types. What does not fit is refused by its name.

use serde_json::{Map, Value};

use super::query;
use crate::db::sql::Bind;
use crate::error::{Error, Result};
use crate::geo::crs::{CRS84, Crs};
use crate::layer::edit::Content;
use crate::layer::model::{Field, FieldType, State};

/// Reads a Feature whose coordinates are of the CRS. A `whole` one sets everything: what it leaves out is null. Otherwise it is a merge
/// patch (RFC 7396): only what it names is set, and what it names as null is removed.
pub fn feature(state: &State, body: &[u8], whole: bool, crs: Crs) -> Result<Content> {
    let mut document: Map<String, Value> = serde_json::from_slice(body).map_err(|e| {
        let place = format!("line {}, column {}", e.line(), e.column());
        let (zh, en) =
            (format!("请求内容不是 GeoJSON 要素（{place}）"), format!("the body is no GeoJSON feature ({place})"));
        Error::invalid("body", zh, en)
    })?;
    let kind = document.get("type");
    if kind.and_then(Value::as_str) != Some("Feature") && (whole || kind.is_some()) {
        return Err(Error::invalid("type", "请求内容必须是一个 Feature", "the body must be a single Feature"));
    }
    // RFC 7946 wants both; one that has neither is hardly meant to be a feature without anything.
    if whole && !document.contains_key("properties") && !document.contains_key("geometry") {
        let (zh, en) = ("要素缺少 properties 和 geometry", "the feature has neither properties nor a geometry");
        return Err(Error::invalid("properties", zh, en));
    }
    let (properties, every) = match document.remove("properties") {
        Some(Value::Object(properties)) => (properties, whole),
        None => (Map::new(), whole),
        Some(Value::Null) => (Map::new(), true),
        Some(_) => return Err(Error::invalid("properties", "properties 必须是对象", "properties must be an object")),
    };
    let geometry = match document.remove("geometry") {
        None if !whole => None,
        None | Some(Value::Null) => Some(None),
        Some(geometry) => Some(Some(self::geometry(state, geometry, crs)?)),
    };
    // A table without geometry has no column to set.
    let geometry = geometry.filter(|_| state.source.geometry.is_some());
    Ok(Content { values: values(state, properties, every)?, geometry })
}

fn values(state: &State, properties: Map<String, Value>, whole: bool) -> Result<Vec<(Field, Option<Bind>)>> {
    if let Some(name) = properties.keys().find(|name| state.field(name).is_none()) {
        let shown: String = name.chars().take(60).collect();
        return Err(Error::invalid(&shown, format!("图层没有字段 {shown}"), format!("the layer has no field {shown}"))
            .hint("字段见 /ogc/collections/{图层}", "the collection's own page lists its fields"));
    }
    let mut values = vec![];
    for field in &state.fields {
        match properties.get(&field.name) {
            Some(given) => values.push((field.clone(), value(field, given)?)),
            None if whole => values.push((field.clone(), None)),
            None => {}
        }
    }
    Ok(values)
}

fn value(field: &Field, given: &Value) -> Result<Option<Bind>> {
    let wrong = |zh: &str, en: &str| {
        let name = &field.name;
        Error::invalid(name, format!("{name} 应为{zh}"), format!("{name} should be {en}"))
    };
    let number = |given: &Value| given.as_f64().filter(|v| v.is_finite());
    Ok(Some(match (field.kind, given) {
        (_, Value::Null) => return Ok(None),
        (_, Value::String(text)) if text.contains('\0') => return Err(wrong("不含 NUL 的文本", "text without NUL")),
        (FieldType::Text, Value::String(text)) => Bind::Text(text.clone()),
        (FieldType::Date | FieldType::Timestamp, Value::String(text)) => query::equals(field, text)?.value,
        (FieldType::Integer, Value::Number(n)) => {
            // 3.0 is an integer in JSON Schema; above 2^53 a double no longer says which.
            let whole = || n.as_f64().filter(|v| v.fract() == 0.0 && v.abs() <= 9_007_199_254_740_992.0);
            let integer = n.as_i64().or_else(|| whole().map(|v| v as i64));
            Bind::Integer(integer.ok_or_else(|| wrong("整数", "an integer"))?)
        }
        (FieldType::Float, Value::Number(_)) => Bind::Float(number(given).ok_or_else(|| wrong("数字", "a number"))?),
        (FieldType::Boolean, Value::Bool(v)) => Bind::Boolean(*v),
        (FieldType::Text, _) => return Err(wrong("文本", "text")),
        (FieldType::Integer, _) => return Err(wrong("整数", "an integer")),
        (FieldType::Float, _) => return Err(wrong("数字", "a number")),
        (FieldType::Boolean, _) => return Err(wrong(" true 或 false", "true or false")),
        (FieldType::Date, _) => return Err(wrong("日期（YYYY-MM-DD）", "a date (YYYY-MM-DD)")),
        (FieldType::Timestamp, _) => return Err(wrong("RFC 3339 时间", "an RFC 3339 time")),
    }))
}

fn wrong_geometry(zh: impl Into<String>, en: impl Into<String>) -> Error {
    Error::invalid("geometry", zh, en)
}

/// A geometry of the layer's kind, in degrees, as GeoJSON without anything else in it.
fn geometry(state: &State, mut given: Value, crs: Crs) -> Result<String> {
    let Some(layer) = state.geometry_type.as_deref().filter(|_| state.source.geometry.is_some()) else {
        return Err(wrong_geometry("该图层没有几何", "this layer has no geometry"));
    };
    if crs != CRS84 {
        to_degrees(&mut given, crs);
    }
    let clean = simple(&given, layer.contains('Z'), 0)?;
    let kind = clean["type"].as_str().unwrap_or_default();
    let wanted = layer.trim_end_matches(['Z', 'M']);
    if wanted != "Geometry" && wanted != kind && wanted.strip_prefix("Multi") != Some(kind) {
        return Err(wrong_geometry(
            format!("几何类型应为 {wanted}，而不是 {kind}"),
            format!("the geometry should be a {wanted}, not a {kind}"),
        ));
    }
    Ok(clean.to_string())
}

/// Turns every position into longitude and latitude. What is none is refused afterwards.
fn to_degrees(value: &mut Value, crs: Crs) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if matches!(name.as_str(), "coordinates" | "geometries") {
                    to_degrees(member, crs);
                }
            }
        }
        Value::Array(items) => match (items.first().and_then(Value::as_f64), items.get(1).and_then(Value::as_f64)) {
            (Some(a), Some(b)) => {
                let [lon, lat] =
                    crs.to_degrees([a, b]).map_or([Value::Null, Value::Null], |place| place.map(Value::from));
                (items[0], items[1]) = (lon, lat);
            }
            _ => items.iter_mut().for_each(|item| to_degrees(item, crs)),
        },
        _ => {}
    }
}

/// How deep the arrays of coordinates of a kind are nested.
fn depth(kind: &str) -> Option<u8> {
    Some(match kind {
        "Point" => 0,
        "LineString" | "MultiPoint" => 1,
        "Polygon" | "MultiLineString" => 2,
        "MultiPolygon" => 3,
        _ => return None,
    })
}

fn simple(given: &Value, heights: bool, level: u8) -> Result<Value> {
    let kind = given.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "GeometryCollection" {
        let members = given.get("geometries").and_then(Value::as_array);
        let members =
            members.filter(|_| level < 8).ok_or_else(|| wrong_geometry("几何集合不正确", "bad collection"))?;
        let members = members.iter().map(|m| simple(m, heights, level + 1)).collect::<Result<Vec<_>>>()?;
        return Ok(serde_json::json!({"type": kind, "geometries": members}));
    }
    let deep = depth(kind).ok_or_else(|| {
        let shown: String = kind.chars().take(40).collect();
        wrong_geometry(format!("不支持的几何类型 {shown}"), format!("there is no geometry type {shown}"))
    })?;
    let coordinates = given.get("coordinates").unwrap_or(&Value::Null);
    coordinates_fit(coordinates, kind, deep, heights)?;
    Ok(serde_json::json!({"type": kind, "coordinates": coordinates}))
}

fn coordinates_fit(value: &Value, kind: &str, deep: u8, heights: bool) -> Result<()> {
    let items = value.as_array().ok_or_else(|| wrong_geometry("坐标应为数组", "coordinates are arrays"))?;
    if deep == 0 {
        return position(items, heights);
    }
    for item in items {
        coordinates_fit(item, kind, deep - 1, heights)?;
    }
    let ring = deep == 1 && kind.ends_with("Polygon");
    if ring && (items.len() < 4 || items.first() != items.last()) {
        return Err(wrong_geometry(
            "多边形的环至少四个点，首尾相同",
            "a polygon's ring has four positions or more, the last equal to the first",
        ));
    }
    if deep == 1 && kind.ends_with("LineString") && items.len() < 2 {
        return Err(wrong_geometry("线至少两个点", "a line has two positions or more"));
    }
    match items.is_empty() {
        true => Err(wrong_geometry("几何为空", "the geometry is empty")),
        false => Ok(()),
    }
}

fn position(numbers: &[Value], heights: bool) -> Result<()> {
    let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
    let in_range = |lon: f64, lat: f64| lon.abs() <= 180.0 && lat.abs() <= 90.0;
    match numbers.as_deref() {
        Some(&[lon, lat]) if in_range(lon, lat) => Ok(()),
        Some(&[lon, lat, height]) if heights && in_range(lon, lat) && height.is_finite() => Ok(()),
        Some(&[_, _, _]) if !heights => Err(wrong_geometry(
            "该图层没有高程，坐标应为两个数",
            "this layer has no heights: a position is two numbers",
        )),
        _ => Err(wrong_geometry(
            "坐标应为 [经度, 纬度]，经度 ±180，纬度 ±90",
            "a position is [longitude, latitude] within ±180 and ±90",
        )),
    }
}
