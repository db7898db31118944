//! A whole filter: logic, and the ids beside it.

use roxmltree::Node;
use serde_json::{Value, json};

use crate::fault::{Fault, Result, shorten};
use crate::xml::children;
use crate::{FeatureType, Reference, compare, spatial, temporal};

/// What a filter says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Translation {
    /// The condition in CQL2 JSON; none where ids alone were given.
    pub condition: Option<Value>,
    /// The resources that were named. They and the condition must both hold.
    pub ids: Option<Vec<String>>,
    /// The reference system of every geometry in the condition, whose coordinates are in the order x, y.
    pub reference: Option<Reference>,
}

/// What is known while a filter is read.
pub struct Reading<'a> {
    pub layer: &'a dyn FeatureType,
    pub reference: Option<Reference>,
}

/// Reads a `fes:Filter`.
pub fn translate(filter: Node<'_, '_>, layer: &dyn FeatureType) -> Result<Translation> {
    if filter.tag_name().name() != "Filter" {
        let shown = shorten(filter.tag_name().name());
        return Err(Fault::at(filter, format!("应为 Filter，却是 {shown}"), format!("expected Filter, found {shown}")));
    }
    let mut reading = Reading { layer, reference: None };
    let mut ids = Ids::default();
    let mut conditions = vec![];
    let mut named = vec![];
    for member in children(filter) {
        match id(member) {
            Some(id) => named.push(id?),
            None => conditions.extend(top(member, &mut reading, &mut ids)?),
        }
    }
    if conditions.len() > 1 {
        return Err(Fault::at(
            filter,
            "Filter 只能有一个条件，请用 And",
            "a Filter has one condition: join them by And",
        ));
    }
    if !named.is_empty() {
        ids.both(named);
    }
    if conditions.is_empty() && ids.0.is_none() {
        return Err(Fault::at(filter, "Filter 为空", "the Filter is empty"));
    }
    Ok(Translation { condition: conditions.pop(), ids: ids.0, reference: reading.reference })
}

/// The ids that everything so far agrees on.
#[derive(Default)]
struct Ids(Option<Vec<String>>);

impl Ids {
    fn both(&mut self, other: Vec<String>) {
        self.0 = Some(match self.0.take() {
            None => other,
            Some(mut before) => {
                before.retain(|id| other.contains(id));
                before
            }
        });
    }
}

/// A condition that must hold as a whole: there ids may stand too, alone in their Or or beside others in an And.
fn top(node: Node<'_, '_>, reading: &mut Reading<'_>, ids: &mut Ids) -> Result<Option<Value>> {
    match node.tag_name().name() {
        "Or" if children(node).next().is_some() && children(node).all(|member| id(member).is_some()) => {
            let named = children(node).filter_map(id).collect::<Result<Vec<_>>>()?;
            ids.both(named);
            Ok(None)
        }
        "And" => {
            let mut members = vec![];
            for member in children(node) {
                match id(member) {
                    Some(id) => ids.both(vec![id?]),
                    None => members.extend(top(member, reading, ids)?),
                }
            }
            Ok(match members.len() {
                0 | 1 => members.pop(),
                _ => Some(json!({ "op": "and", "args": members })),
            })
        }
        _ => condition(node, reading).map(Some),
    }
}

/// The id of a `fes:ResourceId` (or a `FeatureId` of 1.1).
fn id(node: Node<'_, '_>) -> Option<Result<String>> {
    let attribute = match node.tag_name().name() {
        "ResourceId" => node.attribute("rid"),
        "FeatureId" => node.attribute("fid"),
        "GmlObjectId" => node.attributes().find(|a| a.name() == "id").map(|a| a.value()),
        _ => return None,
    };
    Some(match attribute.map(str::trim) {
        Some(id) if !id.is_empty() && id.len() <= 300 => Ok(id.to_owned()),
        _ => Err(Fault::at(node, "缺少标识", "the id is missing")),
    })
}

fn condition(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Value> {
    match node.tag_name().name() {
        "And" => several("and", node, reading),
        "Or" => several("or", node, reading),
        "Not" => {
            let members: Vec<_> = children(node).collect();
            match members[..] {
                [member] => Ok(json!({ "op": "not", "args": [condition(member, reading)?] })),
                _ => Err(Fault::at(node, "Not 需要一个条件", "Not takes one condition")),
            }
        }
        "Function" => crate::expression::expression(node, reading)?.value(None, node),
        _ => {
            if let Some(found) = compare::comparison(node, reading)? {
                return Ok(found);
            }
            if let Some(found) = spatial::operator(node, reading)? {
                return Ok(found);
            }
            if let Some(found) = temporal::operator(node, reading)? {
                return Ok(found);
            }
            let shown = shorten(node.tag_name().name());
            Err(match id(node) {
                Some(_) => Fault::at(
                    node,
                    "ResourceId 只能单独使用或与其他条件以 And 相连",
                    "ids stand alone or are joined to other conditions by And",
                ),
                None => Fault::at(node, format!("不支持的条件 {shown}"), format!("the condition {shown} is not known")),
            })
        }
    }
}

fn several(operator: &str, node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Value> {
    let mut members = vec![];
    for member in children(node) {
        members.push(condition(member, reading)?);
    }
    match members.len() {
        0 => Err(Fault::at(node, "And、Or 至少需要一个条件", "And and Or take conditions")),
        1 => Ok(members.remove(0)),
        _ => Ok(json!({ "op": operator, "args": members })),
    }
}
