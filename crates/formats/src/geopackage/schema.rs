//! The tables of a GeoPackage: those that the standard names, and the layer's own.

use rusqlite::{Connection, params};

use super::column_type;
use crate::Result;
use crate::table::{Crs, Table};

/// The name of the geometry column, unless a field has it.
const GEOMETRY: &str = "geom";
/// The number of a system that EPSG does not know.
const OWN_SRS: i32 = 990_001;
const WGS84: &str = r#"GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]"#;

const TABLES: &str = "
create table gpkg_spatial_ref_sys (srs_name text not null, srs_id integer not null primary key, organization text not null,
  organization_coordsys_id integer not null, definition text not null, description text);
create table gpkg_contents (table_name text not null primary key, data_type text not null, identifier text unique,
  description text default '', last_change datetime not null default (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x double, min_y double, max_x double, max_y double, srs_id integer,
  constraint fk_gc_r_srs_id foreign key (srs_id) references gpkg_spatial_ref_sys(srs_id));
create table gpkg_geometry_columns (table_name text not null, column_name text not null, geometry_type_name text not null,
  srs_id integer not null, z tinyint not null, m tinyint not null,
  constraint pk_geom_cols primary key (table_name, column_name), constraint uk_gc_table_name unique (table_name),
  constraint fk_gc_tn foreign key (table_name) references gpkg_contents(table_name),
  constraint fk_gc_srs foreign key (srs_id) references gpkg_spatial_ref_sys (srs_id));
create table gpkg_extensions (table_name text, column_name text, extension_name text not null, definition text not null,
  scope text not null, constraint ge_tce unique (table_name, column_name, extension_name));
create table gpkg_data_columns (table_name text not null, column_name text not null, name text, title text, description text,
  mime_type text, constraint_name text, constraint pk_gdc primary key (table_name, column_name),
  constraint gdc_tn unique (table_name, name));
create table gpkg_data_column_constraints (constraint_name text not null, constraint_type text not null, value text,
  min numeric, min_is_inclusive boolean, max numeric, max_is_inclusive boolean, description text,
  constraint gdcc_ntv unique (constraint_name, constraint_type, value));
create table gpkg_ogr_contents (table_name text not null primary key, feature_count integer default null);
insert into gpkg_extensions values
  ('gpkg_data_columns', null, 'gpkg_schema', 'http://www.geopackage.org/spec121/#extension_schema', 'read-write'),
  ('gpkg_data_column_constraints', null, 'gpkg_schema', 'http://www.geopackage.org/spec121/#extension_schema', 'read-write');
";

/// Makes every table; gives back the number of the layer's reference system.
pub fn create(database: &Connection, table: &Table) -> Result<i32> {
    database.execute_batch(TABLES)?;
    let srs = systems(database, &table.crs)?;
    database.execute_batch(&layer(table))?;
    let data_type = if table.geometry.is_some() { "features" } else { "attributes" };
    let about = match table.crs.shifted {
        None => table.description.clone(),
        Some(shifted) => {
            let name = shifted.to_uppercase();
            let note = format!("{name} 偏移坐标，仅供显示。 Shifted {name} coordinates, for display only.");
            if table.description.is_empty() { note } else { format!("{note}\n{}", table.description) }
        }
    };
    database.execute(
        "insert into gpkg_contents (table_name, data_type, identifier, description, srs_id) values (?1, ?2, ?3, ?4, ?5)",
        params![table.id, data_type, table.title, about, table.geometry.map(|_| srs)],
    )?;
    titles(database, table)?;
    if let Some(geometry) = table.geometry {
        let kind = geometry.kind.map_or("GEOMETRY", |k| k.name());
        // 0 forbids heights, 1 asks for them, 2 lets each feature choose.
        let z = geometry.z.map_or(2, i32::from);
        let column = geometry_column(table);
        database.execute(
            "insert into gpkg_geometry_columns values (?1, ?2, ?3, ?4, ?5, 0)",
            params![table.id, column, kind, srs, z],
        )?;
        database.execute(
            "insert into gpkg_extensions values (?1, ?2, 'gpkg_rtree_index', 'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')",
            params![table.id, column],
        )?;
        let tree = quoted(&tree(table));
        database.execute_batch(&format!("create virtual table {tree} using rtree(id, minx, maxx, miny, maxy)"))?;
    }
    Ok(srs)
}

/// What can be said when all rows have come: extent, count, and the triggers that keep the R-tree from now on.
pub fn conclude(database: &Connection, table: &Table, extent: Option<[f64; 4]>, rows: u64) -> Result<()> {
    if let Some([west, south, east, north]) = extent {
        database.execute(
            "update gpkg_contents set min_x = ?1, min_y = ?2, max_x = ?3, max_y = ?4",
            params![west, south, east, north],
        )?;
    }
    database.execute("insert into gpkg_ogr_contents values (?1, ?2)", params![table.id, rows as i64])?;
    if table.geometry.is_some() {
        database.execute_batch(&triggers(table))?;
    }
    Ok(database.execute_batch(&count_triggers(table))?)
}

/// Gives the table and its columns the names that they can have: some beginnings of names are SQLite's and the standard's own, and
/// letters of either case are alike.
pub fn rename(table: &mut Table) {
    let lower = table.id.to_ascii_lowercase();
    if ["sqlite_", "gpkg_", "rtree_"].iter().any(|kept| lower.starts_with(kept)) {
        table.id = format!("layer_{}", table.id);
    }
    for i in 1..table.columns.len() {
        let name = &table.columns[i].name;
        if table.columns[..i].iter().any(|c| c.name.eq_ignore_ascii_case(name)) {
            table.columns[i].name = table.free(name);
        }
    }
}

pub fn insert(table: &Table) -> String {
    let count = table.columns.len() + 1 + usize::from(table.geometry.is_some());
    let places: Vec<String> = (1..=count).map(|i| format!("?{i}")).collect();
    format!("insert into {} values ({})", quoted(&table.id), places.join(", "))
}

fn geometry_column(table: &Table) -> String {
    table.free(GEOMETRY)
}

/// The name of the R-tree.
pub fn tree(table: &Table) -> String {
    format!("rtree_{}_{}", table.id, geometry_column(table))
}

/// A name as SQL has it, also one with quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn systems(database: &Connection, crs: &Crs) -> Result<i32> {
    let mut add = database.prepare("insert or replace into gpkg_spatial_ref_sys values (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for (name, id) in [("Undefined Cartesian SRS", -1), ("Undefined geographic SRS", 0)] {
        add.execute(params![name, id, "NONE", id, "undefined", ""])?;
    }
    add.execute(params!["WGS 84 geodetic", 4326, "EPSG", 4326, WGS84, "longitude/latitude in decimal degrees"])?;
    Ok(match crs.epsg {
        Some(4326) => 4326,
        Some(code) => {
            add.execute(params![crs.name, code, "EPSG", code, crs.wkt, ""])?;
            code
        }
        None => {
            add.execute(params![crs.name, OWN_SRS, "NONE", OWN_SRS, crs.wkt, "shifted on purpose; for display only"])?;
            OWN_SRS
        }
    })
}

fn layer(table: &Table) -> String {
    let mut sql = format!("create table {} ({} integer primary key", quoted(&table.id), quoted(&table.id_column()));
    if let Some(geometry) = table.geometry {
        let kind = geometry.kind.map_or("GEOMETRY", |k| k.name());
        sql.push_str(&format!(", {} {kind}", quoted(&geometry_column(table))));
    }
    for column in &table.columns {
        sql.push_str(&format!(", {} {}", quoted(&column.name), column_type(column.kind)));
    }
    sql.push(')');
    sql
}

fn titles(database: &Connection, table: &Table) -> Result<()> {
    let mut add = database
        .prepare("insert into gpkg_data_columns (table_name, column_name, name, title) values (?1, ?2, ?2, ?3)")?;
    for column in &table.columns {
        add.execute(params![table.id, column.name, column.title])?;
    }
    Ok(())
}

/// The triggers of annex F.3: whoever edits the file must not leave the R-tree behind. They call functions that such programs bring.
fn triggers(table: &Table) -> String {
    let (t, c, i) = (quoted(&table.id), quoted(&geometry_column(table)), quoted(&table.id_column()));
    let r = quoted(&tree(table));
    let name = |event: &str| quoted(&format!("{}_{event}", tree(table)));
    let boxed = format!(
        "insert or replace into {r} values (new.{i}, st_minx(new.{c}), st_maxx(new.{c}), st_miny(new.{c}), st_maxy(new.{c}))"
    );
    let solid = format!("(new.{c} not null and not st_isempty(new.{c}))");
    let hollow = format!("(new.{c} isnull or st_isempty(new.{c}))");
    let forget = format!("delete from {r} where id = old.{i}");
    [
        format!("create trigger {} after insert on {t} when {solid} begin {boxed}; end", name("insert")),
        format!(
            "create trigger {} after update of {c} on {t} when old.{i} = new.{i} and {solid} begin {boxed}; end",
            name("update1")
        ),
        format!(
            "create trigger {} after update of {c} on {t} when old.{i} = new.{i} and {hollow} begin {forget}; end",
            name("update2")
        ),
        format!(
            "create trigger {} after update on {t} when old.{i} != new.{i} and {solid} begin {forget}; {boxed}; end",
            name("update3")
        ),
        format!(
            "create trigger {} after update on {t} when old.{i} != new.{i} and {hollow} begin delete from {r} where id in (old.{i}, new.{i}); end",
            name("update4")
        ),
        format!("create trigger {} after delete on {t} when old.{c} not null begin {forget}; end", name("delete")),
        String::new(),
    ]
    .join(";\n")
}

/// GDAL keeps a count beside the layer, and believes it: those who edit the file by other programs must keep it too.
fn count_triggers(table: &Table) -> String {
    let t = quoted(&table.id);
    let id = table.id.replace('\'', "''");
    let name = |event: &str| quoted(&format!("trigger_{event}_feature_count_{}", table.id));
    format!(
        "create trigger {} after insert on {t} begin update gpkg_ogr_contents set feature_count = feature_count + 1 where lower(table_name) = lower('{id}'); end;
         create trigger {} after delete on {t} begin update gpkg_ogr_contents set feature_count = feature_count - 1 where lower(table_name) = lower('{id}'); end",
        name("insert"),
        name("delete")
    )
}
