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
    Ok(Some(json!({ "op": operator, "args": [left, right] })))
}
