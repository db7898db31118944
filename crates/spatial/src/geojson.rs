//! GeoJSON geometries (RFC 7946), read and written. Heights are left out.

use geo::{Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};
use serde_json::{Value, json};

/// Collections in collections deeper than this are refused.
const DEEPEST: u8 = 8;

/// The geometry of an object; none when it is no geometry.
pub fn read(value: &Value) -> Option<Geometry> {
    of(value, 0)
}

fn of(value: &Value, depth: u8) -> Option<Geometry> {
    let at = &value["coordinates"];
    Some(match value["type"].as_str()? {
        "Point" => Geometry::Point(position(at)?.into()),
        "MultiPoint" => Geometry::MultiPoint(MultiPoint(list(at, |p| position(p).map(Point::from))?)),
        "LineString" => Geometry::LineString(LineString(list(at, position)?)),
        "MultiLineString" => {
            Geometry::MultiLineString(MultiLineString(list(at, |line| list(line, position).map(LineString))?))
        }
        "Polygon" => Geometry::Polygon(rings(at)?),
        "MultiPolygon" => Geometry::MultiPolygon(MultiPolygon(list(at, rings)?)),
        "GeometryCollection" if depth < DEEPEST => {
            Geometry::GeometryCollection(GeometryCollection(list(&value["geometries"], |g| of(g, depth + 1))?))
        }
        _ => return None,
    })
}

fn list<T>(value: &Value, each: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(each).collect()
}

fn position(value: &Value) -> Option<Coord> {
    let numbers = value.as_array()?;
    Some(Coord { x: numbers.first()?.as_f64()?, y: numbers.get(1)?.as_f64()? })
}

fn rings(value: &Value) -> Option<Polygon> {
    Some(polygon(list(value, |ring| list(ring, position))?))
}

/// A polygon of rings just as they are: `Polygon::new` closes open ones, and nobody would hear of it.
pub(crate) fn polygon(rings: Vec<Vec<Coord>>) -> Polygon {
    let mut rings = rings.into_iter().map(LineString);
    let outer = rings.next().unwrap_or_else(|| LineString(vec![]));
    let open = |ring: &LineString| !ring.0.is_empty() && !ring.is_closed();
    let holes: Vec<LineString> = rings.collect();
    if !open(&outer) && !holes.iter().any(open) {
        return Polygon::new(outer, holes);
    }
    // The only way past the closing: the rings are put in place by a closure that may not fail.
    let mut made = Polygon::new(LineString(vec![]), holes.iter().map(|_| LineString(vec![])).collect());
    let _ = made.try_exterior_mut(|ring| {
        *ring = outer;
        Err(())
    });
    let _ = made.try_interiors_mut(|all| {
        all.clone_from_slice(&holes);
        Err(())
    });
    made
}

/// A geometry as an object, its coordinates to nine decimals (a tenth of a millimetre).
pub fn write(geometry: &Geometry) -> Value {
    let number = |v: f64| (v * 1e9).round() / 1e9;
    let position = |c: &Coord| json!([number(c.x), number(c.y)]);
    let line = |line: &LineString| Value::Array(line.0.iter().map(position).collect());
    let polygon = |polygon: &Polygon| {
        Value::Array(std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(line).collect())
    };
    let (kind, at): (&str, Value) = match geometry {
        Geometry::Point(p) => ("Point", position(&p.0)),
        Geometry::MultiPoint(all) => ("MultiPoint", all.iter().map(|p| position(&p.0)).collect()),
        Geometry::LineString(one) => ("LineString", line(one)),
        Geometry::MultiLineString(all) => ("MultiLineString", all.iter().map(line).collect()),
        Geometry::Polygon(one) => ("Polygon", polygon(one)),
        Geometry::MultiPolygon(all) => ("MultiPolygon", all.iter().map(polygon).collect()),
        Geometry::Line(one) => ("LineString", json!([position(&one.start), position(&one.end)])),
        Geometry::Rect(one) => ("Polygon", polygon(&one.to_polygon())),
        Geometry::Triangle(one) => ("Polygon", polygon(&one.to_polygon())),
        Geometry::GeometryCollection(all) => {
            return json!({"type": "GeometryCollection", "geometries": all.iter().map(write).collect::<Value>()});
        }
    };
    json!({"type": kind, "coordinates": at})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in [
            r#"{"coordinates":[120.5,36.0],"type":"Point"}"#,
            r#"{"coordinates":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]],"type":"Polygon"}"#,
            r#"{"coordinates":[[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]],"type":"MultiPolygon"}"#,
            r#"{"coordinates":[[0.0,0.0],[1.0,0.0]],"type":"LineString"}"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(write(&read(&value).unwrap()), value);
        }
        for text in [
            "{}",
            r#"{"type":"Point"}"#,
            r#"{"type":"Point","coordinates":["a",1]}"#,
            r#"{"type":"Point","coordinates":[1]}"#,
        ] {
            assert!(read(&serde_json::from_str(text).unwrap()).is_none(), "{text}");
        }
    }

    #[test]
    fn an_open_ring_stays_open() {
        let value = json!({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]});
        let Some(Geometry::Polygon(polygon)) = read(&value) else { panic!() };
        assert!(!polygon.exterior().is_closed());
    }
}
