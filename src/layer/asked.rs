//! What a statement asks of a layer, for the evidence of it: noted where statements are built, so that nobody has to think of it.

use std::fmt::Write;

use super::catalog::Published;
use super::model::Field;
use super::select::{Operator, Selection};
use crate::access::policy::Scope;
use crate::access::trace;
use crate::db::sql::Bind;
use crate::geo::bbox::Bbox;
use crate::geo::plane::Plane;

/// Notes fields, box and conditions. A filter is noted where it is read.
pub(super) fn note(layer: &Published, scope: &Scope, fields: &[&Field], wanted: &Selection) {
    trace::note(&layer.id, |opened| {
        if fields.len() < layer.state().fields.len() {
            let seen = fields.iter().filter(|f| scope.sees_field(&f.name));
            opened.fields = Some(seen.map(|f| f.name.clone()).collect());
        }
        if let Some((bbox, srid)) = wanted.bbox {
            match degrees(bbox, srid) {
                Some(extent) => opened.reach(extent),
                None => opened.condition(&format!("bbox = {:?} (EPSG:{srid})", bbox.to_array())),
            }
        }
        for condition in wanted.conditions.iter().filter(|c| scope.sees_field(&c.field)) {
            let operator = match condition.operator {
                Operator::Equal => "=",
                Operator::AtLeast => ">=",
                Operator::AtMost => "<=",
                Operator::Below => "<",
            };
            let mut text = format!("\"{}\" {operator} ", condition.field);
            let _ = match &condition.value {
                Bind::Text(value) => write!(text, "'{}'", value.replace('\'', "''")),
                Bind::Integer(value) => write!(text, "{value}"),
                Bind::Float(value) => write!(text, "{value}"),
                Bind::Boolean(value) => write!(text, "{value}"),
                Bind::TextArray(_) | Bind::IntegerArray(_) | Bind::Bytes(_) => write!(text, "…"),
            };
            opened.condition(&text);
        }
        if let Some(id) = wanted.id {
            opened.condition(&format!("id = {id}"));
        }
    });
}

/// The box of degrees that holds a box of another plane. None where that is not known.
fn degrees(bbox: Bbox, srid: i32) -> Option<[f64; 4]> {
    let plane = Plane::of(srid)?;
    let [west, south, east, north] = bbox.to_array();
    let corners = [(west, south), (west, north), (east, south), (east, north)];
    let places = corners.map(|(x, y)| plane.inverse(x, y));
    let places = places.into_iter().collect::<Option<Vec<_>>>()?;
    let boxes = places.into_iter().map(|(lon, lat)| [lon, lat, lon, lat]);
    let all = boxes.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])?;
    all.iter().all(|part| part.is_finite()).then_some(all)
}
