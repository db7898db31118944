//! Temporal operators.

use roxmltree::Node;
use serde_json::{Value, json};

use crate::expression::{Operand, expression, two};
use crate::fault::{Fault, Result};
use crate::filter::Reading;
use crate::moment;

/// Reads a temporal operator; `None` when the element is none.
pub fn operator(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Option<Value>> {
    let operator = match node.tag_name().name() {
        "After" => "t_after",
        "Before" => "t_before",
        "Begins" => "t_starts",
        "BegunBy" => "t_startedBy",
        "TContains" => "t_contains",
        "During" => "t_during",
        "EndedBy" => "t_finishedBy",
        "Ends" => "t_finishes",
        "TEquals" => "t_equals",
        "Meets" => "t_meets",
        "MetBy" => "t_metBy",
        "TOverlaps" => "t_overlaps",
        "OverlappedBy" => "t_overlappedBy",
        "AnyInteracts" => "t_intersects",
        _ => return Ok(None),
    };
    let [left, right] = two(node)?;
    let mut side = |node: Node<'_, '_>| match expression(node, reading)? {
        Operand::Literal(_) => moment::temporal(node),
        Operand::Geometry(_) => Err(Fault::at(node, "此处应为时间", "a time is wanted here")),
        other => other.value(None, node),
    };
    let (left, right) = (side(left)?, side(right)?);
    if let Some(condition) = instant_and_period(operator, &left, &right) {
        return Ok(Some(condition));
    }
    Ok(Some(json!({ "op": operator, "args": [left, right] })))
}

/// What relates an instant to a period (ISO 19108, 5.2.3.5). CQL2 has these operators for two periods only, and a field is an instant.
fn instant_and_period(operator: &str, left: &Value, right: &Value) -> Option<Value> {
    let (instant, period) = match (period(left), period(right)) {
        (None, Some(period)) if matches!(operator, "t_during" | "t_starts" | "t_finishes") => (left, period),
        (Some(period), None) if matches!(operator, "t_contains" | "t_startedBy" | "t_finishedBy") => (right, period),
        _ => return None,
    };
    let compare = |sign: &str, bound: &Option<Value>| Some(json!({ "op": sign, "args": [instant, bound.as_ref()?] }));
    let [begin, end] = period;
    match operator {
        "t_starts" | "t_startedBy" => compare("=", &begin),
        "t_finishes" | "t_finishedBy" => compare("=", &end),
        _ => match (compare(">", &begin), compare("<", &end)) {
            (Some(after), Some(before)) => Some(json!({ "op": "and", "args": [after, before] })),
            (after, before) => after.or(before),
        },
    }
}

/// The ends of a period, none where it is open.
fn period(value: &Value) -> Option<[Option<Value>; 2]> {
    let ends = value.get("interval")?.as_array()?;
    let end = |place: usize| moment::moment(ends.get(place)?.as_str()?).map(|moment| moment.json());
    Some([end(0), end(1)])
}
