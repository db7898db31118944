//! The area of a grant as somebody drew it: looked over before the database sees it.

use serde_json::Value;

use crate::error::{Error, Result};

/// Positions of one area at most: the city's outline has some ten thousand.
const MOST_POSITIONS: usize = 200_000;

/// The text of a GeoJSON Polygon or MultiPolygon in degrees, if it is one.
pub fn checked(text: &str) -> Result<String> {
    let value: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let coordinates = value.get("coordinates").and_then(Value::as_array).ok_or_else(wrong)?;
    let mut positions = 0;
    let fine = match value.get("type").and_then(Value::as_str) {
        Some("Polygon") => is_polygon(coordinates, &mut positions),
        Some("MultiPolygon") => {
            let polygon = |p: &Value| p.as_array().is_some_and(|rings| is_polygon(rings, &mut positions));
            !coordinates.is_empty() && coordinates.iter().all(polygon)
        }
        _ => false,
    };
    if positions > MOST_POSITIONS {
        return Err(Error::invalid("area", "范围最多 20 万个顶点", "an area has at most 200,000 positions"));
    }
    // Only what was looked at goes on: a `crs` member would be obeyed by the database.
    let shape = serde_json::json!({"type": value["type"], "coordinates": coordinates});
    if fine { Ok(shape.to_string()) } else { Err(wrong()) }
}

fn is_polygon(rings: &[Value], positions: &mut usize) -> bool {
    !rings.is_empty() && rings.iter().all(|ring| ring.as_array().is_some_and(|ring| is_ring(ring, positions)))
}

fn is_ring(ring: &[Value], positions: &mut usize) -> bool {
    *positions += ring.len();
    ring.len() >= 4 && ring.first() == ring.last() && ring.iter().all(is_position)
}

fn is_position(position: &Value) -> bool {
    let Some([x, y, ..]) = position.as_array().map(Vec::as_slice) else { return false };
    let within = |v: &Value, most: f64| v.as_f64().is_some_and(|v| v.abs() <= most);
    within(x, 180.0) && within(y, 90.0) && position.as_array().is_some_and(|p| p.len() <= 4)
}

fn wrong() -> Error {
    Error::invalid("area", "范围应为经纬度的 GeoJSON 多边形", "an area is a GeoJSON polygon in degrees").hint(
        r#"例如 {"type": "Polygon", "coordinates": [[[120, 36], [121, 36], [121, 37], [120, 36]]]}"#,
        r#"such as {"type": "Polygon", "coordinates": [[[120, 36], [121, 36], [121, 37], [120, 36]]]}"#,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_polygons_in_degrees_pass() {
        let ring = "[[120,36],[121,36],[121,37],[120,36]]";
        assert!(checked(&format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#)).is_ok());
        assert!(checked(&format!(r#"{{"type":"MultiPolygon","coordinates":[[{ring}]]}}"#)).is_ok());
        for bad in [
            r#"{"type":"Point","coordinates":[120,36]}"#.to_owned(),
            r#"{"type":"Polygon","coordinates":[]}"#.to_owned(),
            r#"{"type":"Polygon","coordinates":[[[120,36],[121,36],[121,37],[120,37]]]}"#.to_owned(),
            r#"{"type":"Polygon","coordinates":[[[520000,36],[521000,36],[521000,37],[520000,36]]]}"#.to_owned(),
            format!(r#"{{"type":"MultiPolygon","coordinates":[{ring}]}}"#),
            "nonsense".to_owned(),
        ] {
            assert!(checked(&bad).is_err(), "{bad}");
        }
        let named = format!(r#"{{"type":"Polygon","coordinates":[{ring}],"crs":{{"type":"name"}}}}"#);
        assert!(!checked(&named).unwrap().contains("crs"));
    }
}
