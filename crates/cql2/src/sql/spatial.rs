//! Relations of places, and measures. The box comes first, for the index; the geometries are related in degrees.

use crate::Sql;
use crate::expr::{Operand, Other, Spatial, SpatialOp, Subject};
use crate::functions::Function;
use crate::shape::{Shape, ewkb};

pub(super) fn relation(out: &mut dyn Sql, spatial: &Spatial) {
    let Other::Shape(shape) = &spatial.other else { return itself(out, spatial) };
    let Some(bounds) = shape.bounds() else {
        // Nothing meets nothing.
        out.text("(");
        out.geometry();
        return out.text(" is null and null)");
    };
    out.text("(");
    out.meets(bounds);
    out.text(" and ");
    let function = match spatial.op {
        SpatialOp::Intersects | SpatialOp::Disjoint => {
            out.text("st_intersects(");
            subject(out, &spatial.subject);
            out.text(", ");
            bind(out, shape);
            return out.text("))");
        }
        SpatialOp::Equals => "st_equals(",
        SpatialOp::Touches => "st_touches(",
        SpatialOp::Within => "st_within(",
        SpatialOp::Contains => "st_contains(",
        SpatialOp::Overlaps => "st_overlaps(",
        SpatialOp::Crosses => "st_crosses(",
    };
    // GEOS relates no collections, and fails on rings that cross themselves.
    for part in
        ["(select case when st_geometrytype(g) = 'ST_GeometryCollection' then null when st_isvalid(g) then ", function]
    {
        out.text(part);
    }
    out.text("g, s) else ");
    out.text(function);
    out.text("st_collectionextract(st_makevalid(g), st_dimension(g) + 1), s) end from (select ");
    subject(out, &spatial.subject);
    out.text(" as g, ");
    bind(out, shape);
    out.text(" as s offset 0) v))");
}

/// A geometry and itself.
fn itself(out: &mut dyn Sql, spatial: &Spatial) {
    let same =
        matches!(spatial.op, SpatialOp::Intersects | SpatialOp::Equals | SpatialOp::Within | SpatialOp::Contains);
    out.text("(");
    subject(out, &spatial.subject);
    out.text(if same { " is not null or null)" } else { " is null and null)" });
}

pub(super) fn subject(out: &mut dyn Sql, subject: &Subject) {
    match subject {
        Subject::Stored(_) => out.geometry(),
        Subject::Centroid(_) => {
            out.text("st_centroid(");
            out.geometry();
            out.text(")");
        }
    }
}

/// All of the shape as one geometry.
pub(super) fn bind(out: &mut dyn Sql, shape: &Shape) {
    out.text("st_geomfromewkb(");
    match shape.parts() {
        [one] => out.bind_bytes(&ewkb(one)),
        parts => {
            let all = geo::GeometryCollection(parts.to_vec());
            out.bind_bytes(&ewkb(&geo::Geometry::GeometryCollection(all)));
        }
    }
    out.text(")");
}

/// On the ellipsoid.
pub(super) fn measure(out: &mut dyn Sql, function: Function, arguments: &[Operand]) {
    let mut on_earth = |before: &'static str, argument: Option<&Operand>, after: &'static str| {
        out.text(before);
        out.text("st_setsrid(");
        match argument {
            Some(Operand::Geometry(one)) => subject(out, one),
            Some(Operand::Shape(shape)) => bind(out, shape),
            _ => out.text("null::geometry"),
        }
        out.text(", 4326)::geography");
        out.text(after);
    };
    match function {
        Function::Area => on_earth("st_area(", arguments.first(), ")"),
        Function::Distance => {
            on_earth("st_distance(", arguments.first(), ", ");
            on_earth("", arguments.get(1), ")");
        }
        // Of lines the one, of areas the other is zero.
        _ => {
            on_earth("(st_length(", arguments.first(), ") + ");
            on_earth("st_perimeter(", arguments.first(), "))");
        }
    }
}
