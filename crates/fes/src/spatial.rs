//! Spatial operators.

use roxmltree::Node;
use serde_json::{Value, json};

use crate::expression::{Operand, expression, two};
use crate::fault::{Fault, Result, shorten};
use crate::filter::Reading;
use crate::xml::{child, children, text};

/// Reads a spatial operator; `None` when the element is none.
pub fn operator(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Option<Value>> {
    let operator = match node.tag_name().name() {
        "BBOX" => return bbox(node, reading).map(Some),
        "DWithin" => return distance(node, reading, "<=").map(Some),
        "Beyond" => return distance(node, reading, ">").map(Some),
        "Equals" => "s_equals",
        "Disjoint" => "s_disjoint",
        "Intersects" => "s_intersects",
        "Touches" => "s_touches",
        "Crosses" => "s_crosses",
        "Within" => "s_within",
        "Contains" => "s_contains",
        "Overlaps" => "s_overlaps",
        _ => return Ok(None),
    };
    let [left, right] = two(node)?;
    let (left, right) = (place(left, reading)?, place(right, reading)?);
    Ok(Some(json!({ "op": operator, "args": [left, right] })))
}

fn place(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Value> {
    match expression(node, reading)? {
        Operand::Geometry(value) | Operand::Typed(value, None) => Ok(value),
        _ => Err(Fault::at(node, "此处应为几何", "a geometry is wanted here")),
    }
}

/// The features that meet a box. Where no geometry is named, it is the layer's.
fn bbox(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Value> {
    let operands: Vec<_> = children(node).collect();
    let (geometry, envelope) = match operands[..] {
        [envelope] => (default_geometry(node, reading)?, envelope),
        [reference, envelope] => (place(reference, reading)?, envelope),
        _ => return Err(Fault::at(node, "BBOX 需要一个 Envelope", "BBOX takes an Envelope")),
    };
    let envelope = place(envelope, reading)?;
    Ok(json!({ "op": "s_intersects", "args": [geometry, envelope] }))
}

fn default_geometry(node: Node<'_, '_>, reading: &Reading<'_>) -> Result<Value> {
    match reading.layer.geometry() {
        Some(name) => Ok(json!({ "property": name })),
        None => Err(Fault::at(node, "该图层没有几何", "this layer has no geometry")),
    }
}

fn distance(node: Node<'_, '_>, reading: &mut Reading<'_>, operator: &str) -> Result<Value> {
    let wrong = || {
        let name = node.tag_name().name();
        Fault::at(node, format!("{name} 需要几何和 Distance"), format!("{name} takes a geometry and a Distance"))
    };
    let metres = metres(child(node, "Distance").ok_or_else(wrong)?)?;
    let operands: Vec<_> = children(node).filter(|child| child.tag_name().name() != "Distance").collect();
    let (left, right) = match operands[..] {
        [geometry] => (default_geometry(node, reading)?, place(geometry, reading)?),
        [left, right] => (place(left, reading)?, place(right, reading)?),
        _ => return Err(wrong()),
    };
    // A box is a shape of its own in CQL2, but only in spatial predicates.
    let (left, right) = (polygon_of_box(left), polygon_of_box(right));
    Ok(json!({ "op": operator, "args": [{ "op": "distance", "args": [left, right] }, metres] }))
}

fn polygon_of_box(value: Value) -> Value {
    let corners: Option<Vec<f64>> =
        value.get("bbox").and_then(Value::as_array).map(|c| c.iter().filter_map(Value::as_f64).collect());
    match corners.as_deref() {
        Some(&[west, south, east, north]) => json!({
            "type": "Polygon",
            "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
        }),
        _ => value,
    }
}

/// A distance in metres, by its unit of measure.
fn metres(node: Node<'_, '_>) -> Result<f64> {
    let given = text(node);
    let value: f64 = given.trim().parse().ok().filter(|v: &f64| v.is_finite() && *v >= 0.0).ok_or_else(|| {
        let shown = shorten(&given);
        Fault::at(node, format!("距离“{shown}”不正确"), format!("\"{shown}\" is no distance"))
    })?;
    let unit = node.attribute("uom").or_else(|| node.attribute("units")).unwrap_or("m").trim();
    let factor = match unit.rsplit([':', '/', '#']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "m" | "metre" | "meter" | "metres" | "meters" | "9001" => 1.0,
        "km" | "kilometre" | "kilometer" | "kilometres" | "kilometers" | "9036" => 1000.0,
        "ft" | "[ft_i]" | "foot" | "feet" | "9002" => 0.3048,
        "mi" | "[mi_i]" | "mile" | "miles" | "statute miles" | "9093" => 1609.344,
        "nmi" | "[nmi_i]" | "nautical miles" | "9030" => 1852.0,
        _ => {
            let shown = shorten(unit);
            let (zh, en) = (
                format!("不支持的距离单位 {shown}，可用 m、km"),
                format!("the unit of measure {shown} is not known: choose m or km"),
            );
            return Err(Fault::at(node, zh, en));
        }
    };
    Ok(value * factor)
}
