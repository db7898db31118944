//! The only SELECT builder over layer tables. It always applies the grant's scope: fields, rows and area.

mod boxes;

use onemap_cql2::Filter;

pub(super) use self::boxes::boxed;
use self::boxes::{envelope, numbers};
use super::order::{self, Direction, Place, SortKey};
use super::{asked, filter, scope};
use crate::access::grant::{Grant, Read};
use crate::access::policy::{RowFilter, Scope};
use crate::db::sql::{Bind, Sql};
use crate::geo::bbox::Bbox;
use crate::geo::crs::same_coordinates;
use crate::geo::tms::TileCoord;
use crate::layer::catalog::Published;
use crate::layer::model::{Field, FieldType, State};

/// A comparison of a field with a value of its own type.
#[derive(Debug, Clone)]
pub struct Condition {
    pub field: String,
    pub operator: Operator,
    pub value: Bind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    AtLeast,
    AtMost,
    Below,
}

/// Rows that somebody has found already who knows of boxes (the tile index).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// They meet the selection's box.
    pub certain: Vec<i64>,
    /// They may.
    pub possible: Vec<i64>,
}

/// Which rows, which fields, in which CRS.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub id: Option<i64>,
    /// Of these rows only.
    pub ids: Option<Vec<i64>>,
    /// The box and the SRID of its coordinates.
    pub bbox: Option<(Bbox, i32)>,
    pub conditions: Vec<Condition>,
    /// Of `layer::filter::parse`, for this layer and this grant.
    pub filter: Option<Filter>,
    /// Of these rows only those that meet the rest.
    pub candidates: Option<Candidates>,
    /// The order of the rows; by id when it is empty.
    pub sort: Vec<SortKey>,
    /// Only rows that come after this place in the order.
    pub after: Option<Place>,
    pub limit: Option<i64>,
    /// Rows that are counted off first. It costs the more the more they are: `after` is the way to read on.
    pub offset: Option<i64>,
    /// The SRID of the geometry given out; none leaves the geometry out.
    pub srid: Option<i32>,
}

/// The field that `datetime` is held against: the first of dates or times.
pub fn temporal_field<'a>(state: &'a State, scope: &Scope) -> Option<&'a Field> {
    visible_fields(state, scope).into_iter().find(|f| matches!(f.kind, FieldType::Date | FieldType::Timestamp))
}

/// The fields a grant lets its holder see, in the layer's order.
pub fn visible_fields<'a>(state: &'a State, scope: &Scope) -> Vec<&'a Field> {
    state.fields.iter().filter(|f| scope.sees_field(&f.name)).collect()
}

/// `select id, geometry, field, …` of a granted layer. Column 0 is the id, column 1 the geometry as EWKB (or null), then the fields,
/// at last the values of the sort keys as text.
pub fn features(layer: &Published, grant: &Grant<Read>, fields: &[&Field], wanted: &Selection) -> Sql {
    asked::note(layer, grant.scope(), fields, wanted);
    let state = layer.state();
    let mut sql = Sql::new("select ");
    sql.ident(&state.source.key).push("::int8, ");
    geometry_column(&mut sql, state, grant.scope(), wanted.srid);
    for field in fields.iter().filter(|f| grant.scope().sees_field(&f.name)) {
        sql.push(", ");
        field_column(&mut sql, state, field);
    }
    let keys = seen_keys(grant.scope(), &wanted.sort);
    order::columns(&mut sql, state, &keys);
    sql.push(" from ").table(&state.source.schema, &state.source.table);
    conditions(&mut sql, state, grant.scope(), wanted);
    if let Some(place) = &wanted.after {
        sql.push(" and ");
        order::beyond(&mut sql, state, &keys, place, Direction::Forwards);
    }
    order::order_by(&mut sql, state, &keys, Direction::Forwards);
    if let Some(limit) = wanted.limit {
        // Bound: a statement is kept per text, and there are as many limits as callers like.
        sql.push(" limit ").bind(Bind::Integer(limit));
    }
    if let Some(offset) = wanted.offset {
        sql.push(" offset ").bind(Bind::Integer(offset));
    }
    sql
}

/// The row after which a page begins that ends before `place` and is `length` rows long: its id and the values of its sort keys. No row
/// when such a page begins with the first row of all.
pub fn page_start(layer: &Published, grant: &Grant<Read>, wanted: &Selection, place: &Place, length: i64) -> Sql {
    let state = layer.state();
    let keys = seen_keys(grant.scope(), &wanted.sort);
    let mut sql = Sql::new("select ");
    sql.ident(&state.source.key).push("::int8");
    order::columns(&mut sql, state, &keys);
    sql.push(" from ").table(&state.source.schema, &state.source.table);
    conditions(&mut sql, state, grant.scope(), wanted);
    sql.push(" and ");
    order::beyond(&mut sql, state, &keys, place, Direction::Backwards);
    order::order_by(&mut sql, state, &keys, Direction::Backwards);
    sql.push(" offset ").bind(Bind::Integer(length)).push(" limit 1");
    sql
}

/// Nobody may find out by an order what a grant hides.
fn seen_keys(scope: &Scope, keys: &[SortKey]) -> Vec<SortKey> {
    keys.iter().filter(|k| scope.sees_field(&k.field.name)).cloned().collect()
}

/// The first rows of a revision, published or not, for its owner: a sample spread over the whole table would read all of it.
pub fn sample(table: &str, fields: &[Field], geometry: bool, limit: i64) -> Sql {
    let mut sql = Sql::new("select fid::int8, ");
    sql.push(if geometry { "geom" } else { "null::geometry" });
    for field in fields {
        sql.push(", ").ident(&field.name);
    }
    sql.push(" from ").table("data", table).push(" order by fid limit ").bind(Bind::Integer(limit));
    sql
}

/// The least and the greatest value of a field.
pub fn span(layer: &Published, grant: &Grant<Read>, field: &Field) -> Sql {
    let state = layer.state();
    let mut sql = Sql::new("select min(");
    field_column(&mut sql, state, field);
    sql.push("), max(");
    field_column(&mut sql, state, field);
    sql.push(") from ").table(&state.source.schema, &state.source.table);
    conditions(&mut sql, state, grant.scope(), &Selection::default());
    sql
}

/// The box of a feature in degrees, as an array of west, south, east, north; null when there is no such feature. `None` when the layer
/// has no geometry.
pub fn box_of(layer: &Published, grant: &Grant<Read>, id: i64) -> Option<Sql> {
    let state = layer.state();
    let column = state.source.geometry.as_deref()?;
    let mut sql = Sql::new("select array[st_xmin(b), st_ymin(b), st_xmax(b), st_ymax(b)] from (select st_extent(");
    seen_geometry(&mut sql, state, grant.scope(), column);
    sql.push(") b from ").table(&state.source.schema, &state.source.table);
    conditions(&mut sql, state, grant.scope(), &Selection { id: Some(id), ..Selection::default() });
    sql.push(") one where b is not null");
    Some(sql)
}

/// `select count(*)` of a granted layer.
pub fn count(layer: &Published, grant: &Grant<Read>, wanted: &Selection) -> Sql {
    let state = layer.state();
    let mut sql = Sql::new("select count(*) from ");
    sql.table(&state.source.schema, &state.source.table);
    conditions(&mut sql, state, grant.scope(), wanted);
    sql
}

/// One row when a grant shows the feature; `whole`: when it shows all of its shape.
pub fn shows(layer: &Published, grant: &Grant<Read>, id: i64, whole: bool) -> Sql {
    let (state, scope) = (layer.state(), grant.scope());
    let mut sql = Sql::new("select 1 from ");
    sql.table(&state.source.schema, &state.source.table);
    conditions(&mut sql, state, scope, &Selection { id: Some(id), ..Selection::default() });
    if let (true, Some(area), Some(column)) = (whole, &scope.area, state.source.geometry.as_deref()) {
        sql.push(" and st_coveredby(").ident(column).push(", ");
        area_geometry(&mut sql, state, area);
        sql.push(")");
    }
    sql
}

/// How many rows of a granted layer are left by the selection's `limit` and `offset`: what a page holds.
pub fn count_of_page(layer: &Published, grant: &Grant<Read>, wanted: &Selection) -> Sql {
    let state = layer.state();
    let mut sql = Sql::new("select count(*) from (select from ");
    sql.table(&state.source.schema, &state.source.table);
    conditions(&mut sql, state, grant.scope(), wanted);
    sql.push(" limit ").bind(Bind::Integer(wanted.limit.unwrap_or(i64::MAX)));
    sql.push(" offset ").bind(Bind::Integer(wanted.offset.unwrap_or(0))).push(") page");
    sql
}

/// What is looked for around a point.
#[derive(Debug, Clone)]
pub struct Near {
    /// Longitude and latitude.
    pub point: (f64, f64),
    pub metres: f64,
    /// Of `layer::filter::parse`, for this layer and this grant.
    pub filter: Option<Filter>,
    pub limit: i64,
}

/// The features within some metres of a point, nearest first.
pub fn near(layer: &Published, grant: &Grant<Read>, fields: &[&Field], wanted: &Near) -> Option<Sql> {
    let (point, metres) = (wanted.point, wanted.metres);
    let state = layer.state();
    let column = state.source.geometry.as_deref()?;
    // A degree of latitude is 111.2 km; of longitude less by the cosine. The box is only the index's part of the work.
    let (dy, dx) = (metres / 111_000.0, metres / (111_000.0 * point.1.to_radians().cos().max(0.01)));
    let bbox = Bbox { west: point.0 - dx, south: point.1 - dy, east: point.0 + dx, north: point.1 + dy };
    let mut sql = Sql::new("select ");
    sql.ident(&state.source.key).push("::int8, ");
    geometry_column(&mut sql, state, grant.scope(), Some(4490));
    for field in fields.iter().filter(|f| grant.scope().sees_field(&f.name)) {
        sql.push(", ");
        field_column(&mut sql, state, field);
    }
    sql.push(" from ").table(&state.source.schema, &state.source.table);
    let selection = Selection { bbox: Some((bbox, 4490)), filter: wanted.filter.clone(), ..Selection::default() };
    asked::note(layer, grant.scope(), fields, &selection);
    conditions(&mut sql, state, grant.scope(), &selection);
    flat(&mut sql, state, column);
    let distance = |sql: &mut Sql| {
        sql.push("st_distance(");
        seen_geometry(sql, state, grant.scope(), column);
        sql.push("::geography, st_setsrid(st_makepoint(")
            .bind(Bind::Float(point.0))
            .push(", ")
            .bind(Bind::Float(point.1));
        sql.push("), 4326)::geography, false)");
    };
    sql.push(" and ");
    distance(&mut sql);
    sql.push(" <= ").bind(Bind::Float(metres)).push(" order by ");
    distance(&mut sql);
    sql.push(" limit ").bind(Bind::Integer(wanted.limit));
    Some(sql)
}

/// One tile as `bytea`: the layer's MVT encoding, by PostGIS. `None` when the layer has no geometry.
pub fn tile(
    layer: &Published,
    grant: &Grant<Read>,
    fields: &[&Field],
    filter: Option<&Filter>,
    tile: TileCoord,
    most: i64,
) -> Option<Sql> {
    let state = layer.state();
    let column = state.source.geometry.as_deref()?;
    let srid = tile.set.srid();
    // Names that no field has: a field called `t` would stand in the place of the row, one called `geom` beside the geometry.
    let mut sql = Sql::new("select coalesce(st_asmvt(onemap_tile.*, ");
    sql.bind(Bind::Text(layer.id.to_string())).push(", 4096, 'onemap_geom', 'onemap_id'), ''::bytea) from (select ");
    sql.ident(&state.source.key).push("::int8 as onemap_id");
    for field in fields.iter().filter(|f| grant.scope().sees_field(&f.name)) {
        sql.push(", ");
        mvt_column(&mut sql, state, field);
    }
    sql.push(", st_asmvtgeom(");
    geometry_column(&mut sql, state, grant.scope(), Some(srid));
    sql.push(", st_makeenvelope(");
    numbers(&mut sql, tile.extent());
    sql.push(", ").integer(i64::from(srid)).push("), 4096, 64, true) as onemap_geom from ");
    sql.table(&state.source.schema, &state.source.table);
    // A margin of 64 of 4096 units, so that lines and symbols at the edge are drawn by both neighbours.
    let [west, south, east, north] = tile.degrees(64.0 / 4096.0);
    let bbox = Bbox { west, south, east, north };
    sql.push(" where ");
    boxed(&mut sql, state, column, bbox, 4490, " && ");
    flat(&mut sql, state, column);
    scope_conditions(&mut sql, state, grant.scope());
    if let Some(filter) = filter {
        filter::condition(&mut sql, state, grant.scope(), filter);
    }
    sql.push(" limit ").bind(Bind::Integer(most)).push(") onemap_tile where onemap_geom is not null");
    Some(sql)
}

/// The whole of a revision as a binary COPY stream: the id, the geometry, then every field. No scope is applied: this is for its
/// tile index, which applies the scope of whoever asks for a tile. `None` when the layer has no geometry.
pub fn whole(state: &State) -> Option<Sql> {
    let column = state.source.geometry.as_deref()?;
    let mut sql = Sql::new("copy (select ");
    sql.ident(&state.source.key).push("::int8, ").ident(column);
    for field in &state.fields {
        sql.push(", ").ident(&field.name);
    }
    sql.push(" from ").table(&state.source.schema, &state.source.table).push(") to stdout (format binary)");
    Some(sql)
}

/// The rows of a revision that have these ids, as a tile index holds them: id, EWKB (null without geometry), every field as MVT
/// has it. For the index alone, which applies each reader's scope itself.
pub fn rows(state: &State, ids: &[i64]) -> Sql {
    let mut sql = Sql::new("select ");
    sql.ident(&state.source.key).push("::int8, ");
    match &state.source.geometry {
        Some(column) => sql.ident(column),
        None => sql.push("null::geometry"),
    };
    for field in &state.fields {
        sql.push(", ");
        mvt_column(&mut sql, state, field);
    }
    sql.push(" from ").table(&state.source.schema, &state.source.table).push(" where ").ident(&state.source.key);
    sql.push(" = any(").bind(Bind::IntegerArray(ids.to_vec())).push(")");
    sql
}

/// Leaves out what is neither drawn nor measured: other people's tables may hold the surfaces of solids.
fn flat(sql: &mut Sql, state: &State, column: &str) {
    if state.source.registered && dimension(state).is_none() {
        sql.push(" and st_geometrytype(").ident(column);
        sql.push(") <> all('{ST_Triangle,ST_Tin,ST_PolyhedralSurface}')");
    }
}

fn conditions(sql: &mut Sql, state: &State, scope: &Scope, wanted: &Selection) {
    sql.push(" where true");
    if let Some(id) = wanted.id {
        sql.push(" and ").ident(&state.source.key).push(" = ").bind(Bind::Integer(id));
    }
    if let Some(ids) = &wanted.ids {
        sql.push(" and ").ident(&state.source.key).push(" = any(").bind(Bind::IntegerArray(ids.clone())).push(")");
    }
    match &wanted.candidates {
        None => {
            sql.push(" and ");
            in_box(sql, state, scope, wanted);
        }
        Some(Candidates { certain, possible }) => {
            let key = &state.source.key;
            sql.push(" and (").ident(key).push(" = any(").bind(Bind::IntegerArray(certain.clone())).push(")");
            if !possible.is_empty() {
                sql.push(" or ").ident(key).push(" = any(").bind(Bind::IntegerArray(possible.clone())).push(") and ");
                in_box(sql, state, scope, wanted);
            }
            sql.push(")");
        }
    }
    for condition in wanted.conditions.iter().filter(|c| scope.sees_field(&c.field)) {
        sql.push(" and ").ident(&condition.field);
        let kind = state.field(&condition.field).map(|f| f.kind);
        if state.source.registered && kind == Some(FieldType::Text) {
            // It may be JSON, an array, an enumeration.
            sql.push("::text");
        }
        sql.push(match condition.operator {
            Operator::Equal => " = ",
            Operator::AtLeast => " >= ",
            Operator::AtMost => " <= ",
            Operator::Below => " < ",
        });
        // The value's text takes the column's own type, so that the column's index serves.
        sql.bind(condition.value.clone());
        sql.push(match kind {
            Some(FieldType::Date) => "::date",
            Some(FieldType::Timestamp) => "::timestamptz",
            _ => "",
        });
    }
    if let Some(filter) = &wanted.filter {
        filter::condition(sql, state, scope, filter);
    }
    scope_conditions(sql, state, scope);
}

/// The condition that what is seen of a row's geometry meets the selection's box; true where there is no box, or no geometry.
fn in_box(sql: &mut Sql, state: &State, scope: &Scope, wanted: &Selection) {
    let (Some((bbox, srid)), Some(column)) = (wanted.bbox, state.source.geometry.as_deref()) else {
        sql.push("true");
        return;
    };
    sql.push("(");
    for (i, part) in bbox.parts().into_iter().enumerate() {
        if i > 0 {
            sql.push(" or ");
        }
        sql.push("st_intersects(");
        boxed(sql, state, column, part, srid, ", ");
        sql.push(")");
        // The index serves the line above; where a grant cuts geometries, what is cut off must not answer to a box either.
        if cuts(state, scope) {
            sql.push(" and st_intersects(");
            cut_geometry(sql, state, scope, column);
            sql.push(", ");
            envelope(sql, part, srid, state.srid);
            sql.push(")");
        }
    }
    sql.push(")");
}

/// What a grant leaves out is absent.
pub(super) fn scope_conditions(sql: &mut Sql, state: &State, scope: &Scope) {
    for (field, values) in &scope.rows {
        sql.push(" and ").ident(field).push("::text = any(").bind(Bind::TextArray(values.clone())).push(")");
    }
    match scope::row_filter(state, scope) {
        RowFilter::All => {}
        RowFilter::Only(filter) => filter::condition(sql, state, scope, &filter),
        RowFilter::Closed => {
            sql.push(" and false");
        }
    }
    if let Some(area) = &scope.area {
        match state.source.geometry.as_deref() {
            Some(column) => {
                sql.push(" and st_intersects(").ident(column).push(", ");
                area_geometry(sql, state, area);
                sql.push(")");
                // The neighbours that share no more than the area's edge with it are not in it.
                if cuts(state, scope) {
                    sql.push(" and not st_touches(").ident(column).push(", ");
                    area_geometry(sql, state, area);
                    sql.push(")");
                }
            }
            // Rows without a place cannot be inside the area.
            None => {
                sql.push(" and false");
            }
        }
    }
}

pub(super) fn area_geometry(sql: &mut Sql, state: &State, area: &[u8]) {
    if state.srid == 4490 {
        sql.push("st_geomfromewkb(").bind(Bind::Bytes(area.to_vec())).push(")");
    } else {
        sql.push("st_transform(st_geomfromewkb(").bind(Bind::Bytes(area.to_vec())).push("), ");
        sql.integer(i64::from(state.srid)).push(")");
    }
}

/// Whether a grant shows a part of a geometry only.
fn cuts(state: &State, scope: &Scope) -> bool {
    scope.area.is_some() && !is_point(state)
}

/// The stored geometry, cut at the edge of the grant's area. What touches the edge from inside leaves points and lines behind when
/// it is cut: a layer of polygons stays one of polygons.
pub(super) fn cut_geometry(sql: &mut Sql, state: &State, scope: &Scope, column: &str) {
    match &scope.area {
        Some(area) if cuts(state, scope) => {
            sql.push("case when st_coveredby(").ident(column).push(", ");
            area_geometry(sql, state, area);
            sql.push(") then ").ident(column).push(" else ");
            let dimension = dimension(state);
            if dimension.is_some() {
                sql.push("st_collectionextract(");
            }
            sql.push("st_intersection(").ident(column).push(", ");
            area_geometry(sql, state, area);
            sql.push(")");
            if let Some(dimension) = dimension {
                sql.push(", ").integer(dimension + 1).push(")");
            }
            sql.push(" end");
        }
        // Other people's tables may hold curves, which neither GeoJSON nor tiles know.
        _ if state.source.registered && dimension(state).is_none() => {
            sql.push("st_curvetoline(").ident(column).push(")");
        }
        _ => {
            sql.ident(column);
        }
    }
}

/// Of points, lines or polygons; none when the layer mixes them.
fn dimension(state: &State) -> Option<i64> {
    let kind = state.geometry_type.as_deref()?.trim_end_matches(['Z', 'M']);
    match kind.strip_prefix("Multi").unwrap_or(kind) {
        "Point" => Some(0),
        "LineString" => Some(1),
        "Polygon" => Some(2),
        _ => None,
    }
}

fn is_point(state: &State) -> bool {
    matches!(state.geometry_type.as_deref(), Some("Point" | "PointZ" | "PointM" | "PointZM"))
}

fn geometry_column(sql: &mut Sql, state: &State, scope: &Scope, srid: Option<i32>) {
    match (state.source.geometry.as_deref(), srid) {
        (Some(column), Some(srid)) if same_coordinates(srid, state.srid) => {
            cut_geometry(sql, state, scope, column);
        }
        (Some(column), Some(srid)) => {
            sql.push("st_transform(");
            cut_geometry(sql, state, scope, column);
            sql.push(", ").integer(i64::from(srid)).push(")");
        }
        _ => {
            sql.push("null::geometry");
        }
    }
}

/// What a grant shows of the stored geometry, in degrees.
fn seen_geometry(sql: &mut Sql, state: &State, scope: &Scope, column: &str) {
    sql.push(if same_coordinates(state.srid, 4326) { "st_setsrid(" } else { "st_transform(" });
    cut_geometry(sql, state, scope, column);
    sql.push(", 4326)");
}

/// A field in the type its `FieldType` promises; other people's tables have types of their own.
pub(super) fn field_column(sql: &mut Sql, state: &State, field: &Field) {
    sql.ident(&field.name);
    if state.source.registered {
        sql.push(match field.kind {
            FieldType::Text => "::text",
            FieldType::Integer => "::int8",
            FieldType::Float => "::float8",
            FieldType::Boolean => "::bool",
            FieldType::Date => "::date",
            FieldType::Timestamp => "::timestamptz",
        });
    }
}

/// MVT has no dates: they travel as text, the same as in GeoJSON.
fn mvt_column(sql: &mut Sql, state: &State, field: &Field) {
    match field.kind {
        FieldType::Date => {
            sql.ident(&field.name).push("::date::text as ").ident(&field.name);
        }
        FieldType::Timestamp => {
            sql.push("regexp_replace(to_char(").ident(&field.name).push("::timestamptz at time zone 'UTC', ");
            sql.push("'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '\\.?0+$', '') || 'Z' as ").ident(&field.name);
        }
        _ => {
            field_column(sql, state, field);
            sql.push(" as ").ident(&field.name);
        }
    }
}
