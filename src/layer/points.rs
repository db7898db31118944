//! Rows as texts at a point each: what an address index is made of. And which rows a grant shows, by their ids.

use super::catalog::Published;
use super::model::State;
use super::select;
use crate::access::grant::{Grant, Read};
use crate::db::sql::{Bind, Sql};

/// Areas that hold one place and are looked at: those of one level do not overlap, but for those of other times.
const MOST_AT_ONCE: i64 = 32;

/// The whole of a revision as a binary COPY stream: id, longitude, latitude, then the fields as text, then the geometry if `lines`
/// asks for it. No scope is applied: this is
/// for the address index, which applies the scope of whoever searches. `None` when the layer has no geometry.
pub fn whole(state: &State, fields: &[&str], lines: bool) -> Option<Sql> {
    let mut sql = Sql::new("copy (");
    columns(&mut sql, state, fields, lines)?;
    sql.push(") to stdout (format binary)");
    Some(sql)
}

/// The same of the rows with these ids, as a query.
pub fn rows(state: &State, fields: &[&str], ids: &[i64]) -> Option<Sql> {
    let mut sql = Sql::new("");
    columns(&mut sql, state, fields, false)?;
    sql.push(" where ").ident(&state.source.key).push(" = any(").bind(Bind::IntegerArray(ids.to_vec())).push(")");
    Some(sql)
}

fn columns(sql: &mut Sql, state: &State, fields: &[&str], lines: bool) -> Option<()> {
    let column = state.source.geometry.as_deref()?;
    sql.push("select ").ident(&state.source.key).push("::int8");
    sql.push(", st_x(");
    point(sql, state, column);
    sql.push("), st_y(");
    point(sql, state, column);
    sql.push(")");
    for field in fields {
        sql.push(", ").ident(field).push("::text");
    }
    if lines {
        sql.push(", ").ident(column);
    }
    sql.push(" from ").table(&state.source.schema, &state.source.table);
    Some(())
}

/// A line's middle lies on it; so does the point of an area that PostGIS calls its surface's.
fn point(sql: &mut Sql, state: &State, column: &str) {
    match state.geometry_type.as_deref().map(|t| t.trim_end_matches(['Z', 'M'])) {
        Some("Point") => sql.ident(column),
        Some("LineString") => {
            sql.push("case when st_isempty(").ident(column).push(") then null else st_lineinterpolatepoint(");
            sql.push("st_force2d(").ident(column).push("), 0.5) end")
        }
        _ => sql.push("st_pointonsurface(").ident(column).push(")"),
    };
}

/// The ids of all rows that the grant shows, or of those among `among`. `state` is the layer's published one, or the one before,
/// whose index serves until there is a new one.
pub fn visible(state: &State, grant: &Grant<Read>, among: Option<&[i64]>) -> Sql {
    let mut sql = Sql::new("select ");
    sql.ident(&state.source.key).push("::int8 from ").table(&state.source.schema, &state.source.table);
    sql.push(" where true");
    if let Some(ids) = among {
        sql.push(" and ").ident(&state.source.key).push(" = any(").bind(Bind::IntegerArray(ids.to_vec())).push(")");
    }
    select::scope_conditions(&mut sql, state, grant.scope());
    // Of what crosses the edge of the grant's area a part is shown, but its point may lie in the other one.
    if let (Some(area), Some(column)) = (&grant.scope().area, state.source.geometry.as_deref()) {
        sql.push(" and st_intersects(");
        point(&mut sql, state, column);
        sql.push(", ");
        select::area_geometry(&mut sql, state, area);
        sql.push(")");
    }
    sql
}

/// The rows whose areas hold a place (degrees), with these fields of them as texts, as far as the grant shows them. `None` without
/// geometry, or when a field is hidden.
pub fn containing(layer: &Published, grant: &Grant<Read>, fields: &[&str], (lon, lat): (f64, f64)) -> Option<Sql> {
    let state = layer.state();
    let column = state.source.geometry.as_deref()?;
    let scope = grant.scope();
    if !fields.iter().all(|field| scope.sees_field(field)) {
        return None;
    }
    let place = |sql: &mut Sql| {
        sql.push("st_setsrid(st_makepoint(").bind(Bind::Float(lon)).push(", ").bind(Bind::Float(lat));
        sql.push("), ").integer(i64::from(state.srid)).push(")");
    };
    let mut sql = Sql::new("select ");
    sql.ident(&state.source.key).push("::int8");
    for field in fields {
        sql.push(", ").ident(field).push("::text");
    }
    sql.push(" from ").table(&state.source.schema, &state.source.table);
    sql.push(" where st_intersects(").ident(column).push(", ");
    place(&mut sql);
    sql.push(")");
    select::scope_conditions(&mut sql, state, scope);
    if let Some(area) = &scope.area {
        sql.push(" and st_intersects(");
        select::area_geometry(&mut sql, state, area);
        sql.push(", ");
        place(&mut sql);
        sql.push(")");
    }
    sql.push(" order by 1 limit ").integer(MOST_AT_ONCE);
    Some(sql)
}
