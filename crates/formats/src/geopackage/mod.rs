//! GeoPackage 1.3 (OGC 12-128r18): a SQLite database with an R-tree. It lies in a file without a name until it is complete; only its
//! first bytes, which are the same for every one, can be given out before.

mod blob;
mod schema;
mod tree;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};

use tree::Tree;

use crate::shape::joined;
use crate::table::{Table, Type};
use crate::{Error, PIECE, Result, Row, Value, Writer, value};

/// How every SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Rows of a transaction.
const BATCH: u64 = 10_000;

pub struct GeoPackage {
    table: Table,
    database: Option<Connection>,
    /// The same file, to be read when it is complete.
    file: File,
    insert: String,
    tree: Option<Tree>,
    srs: i32,
    rows: u64,
    extent: Option<[f64; 4]>,
    blob: Vec<u8>,
}

impl GeoPackage {
    /// Begins a database at `path`, which must not exist. Its name is taken away at once: it goes with the last who holds it.
    pub fn create(mut table: Table, path: &Path) -> Result<Self> {
        schema::rename(&mut table);
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        let opened = Connection::open(path);
        let database = opened.and_then(|database| {
            // Nobody else sees the file, and one that was not finished is of no use: nothing has to survive a crash.
            database.execute_batch(
                "pragma page_size = 4096; pragma journal_mode = off; pragma synchronous = off;
                 pragma locking_mode = exclusive; pragma cache_size = -16000; pragma temp_store = memory;
                 pragma application_id = 1196444487; pragma user_version = 10300; create table once (x); drop table once;",
            )?;
            Ok(database)
        });
        std::fs::remove_file(path)?;
        let database = database?;
        database.set_prepared_statement_cache_capacity(8);
        let srs = schema::create(&database, &table)?;
        let insert = schema::insert(&table);
        let tree = table.geometry.map(|_| Tree::new(schema::tree(&table)));
        database.execute_batch("begin")?;
        Ok(GeoPackage { table, database: Some(database), file, insert, tree, srs, rows: 0, extent: None, blob: vec![] })
    }

    fn finish(&mut self) -> Result<()> {
        let Some(database) = self.database.take() else { return Ok(()) };
        if let Some(tree) = self.tree.take() {
            tree.finish(&database)?;
        }
        schema::conclude(&database, &self.table, self.extent, self.rows)?;
        database.execute_batch("commit")?;
        database.close().map_err(|(_, e)| Error::Sqlite(e))?;
        // The beginning was given out already.
        self.file.seek(std::io::SeekFrom::Start(MAGIC.len() as u64))?;
        Ok(())
    }
}

impl Writer for GeoPackage {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(MAGIC);
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, _: &mut Vec<u8>) -> Result<()> {
        let Some(database) = &self.database else { return Ok(()) };
        let shape = row.shape();
        if shape.is_some_and(|s| !self.table.admits(s)) {
            return Err(Error::Kind);
        }
        let bounds = shape.and_then(|s| s.bounds());
        let mut statement = database.prepare_cached(&self.insert)?;
        statement.raw_bind_parameter(1, row.id)?;
        let mut at = 2;
        if self.table.geometry.is_some() {
            self.blob.clear();
            match (shape, bounds) {
                (Some(shape), Some(bounds)) => {
                    blob::write(&mut self.blob, shape, self.srs, bounds);
                    statement.raw_bind_parameter(at, &self.blob[..])?;
                }
                _ => statement.raw_bind_parameter(at, rusqlite::types::Null)?,
            }
            at += 1;
        }
        bind(&mut statement, at, row.values)?;
        statement.raw_execute()?;
        drop(statement);
        if let Some([west, south, east, north]) = bounds {
            self.extent =
                Some(self.extent.map_or([west, south, east, north], |all| joined(all, [west, south, east, north])));
            if let Some(tree) = &mut self.tree {
                tree.add(database, row.id, [west, south, east, north])?;
            }
        }
        self.rows += 1;
        if self.rows.is_multiple_of(BATCH) {
            database.execute_batch("commit; begin")?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        self.finish()?;
        Ok((&self.file).take(PIECE as u64).read_to_end(out)? > 0)
    }

    fn spooled(&self) -> u64 {
        self.file.metadata().map_or(0, |meta| meta.len())
    }
}

fn bind(statement: &mut Statement<'_>, first: usize, values: &[Value<'_>]) -> Result<()> {
    for (value, i) in values.iter().zip(first..) {
        statement.raw_bind_parameter(i, Cell(value))?;
    }
    Ok(())
}

/// A value as GeoPackage stores it: dates and times as texts of ISO 8601.
struct Cell<'a>(&'a Value<'a>);

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self.0 {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Integer(v) => ToSqlOutput::Borrowed(ValueRef::Integer(v)),
            Value::Float(v) => ToSqlOutput::Borrowed(ValueRef::Real(v)),
            Value::Boolean(v) => ToSqlOutput::Borrowed(ValueRef::Integer(v.into())),
            Value::Date(days) => or_null(value::date(days).map(|d| d.to_string())),
            Value::Timestamp(micros) => or_null(time(micros)),
        })
    }
}

fn or_null(text: Option<String>) -> ToSqlOutput<'static> {
    text.map_or(ToSqlOutput::Borrowed(ValueRef::Null), ToSqlOutput::from)
}

/// With milliseconds, as the standard has it; with microseconds where they would be lost.
fn time(micros: i64) -> Option<String> {
    let time = jiff::Timestamp::from_microsecond(micros).ok()?;
    let format = if micros % 1000 == 0 { "%Y-%m-%dT%H:%M:%S%.3fZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
    Some(time.strftime(format).to_string())
}

/// The type of a column, as the standard's table 1 has it.
fn column_type(kind: Type) -> &'static str {
    match kind {
        Type::Text => "TEXT",
        Type::Integer => "INTEGER",
        Type::Float => "REAL",
        Type::Boolean => "BOOLEAN",
        Type::Date => "DATE",
        Type::Timestamp => "DATETIME",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Kind, Shape};
    use crate::table::{Column, Crs, Geometry};

    #[test]
    fn names_that_sqlite_or_the_standard_keep_are_others() {
        let crs = Crs {
            epsg: Some(4490),
            name: "CGCS2000".into(),
            wkt: String::new(),
            esri: String::new(),
            geographic: true,
            shifted: None,
        };
        for (id, wanted) in [
            ("sqlite_a", "layer_sqlite_a"),
            ("GPKG_contents", "layer_GPKG_contents"),
            ("rtree_b", "layer_rtree_b"),
            ("a", "a"),
        ] {
            let column = |name: &str| Column { name: name.into(), kind: Type::Integer, title: String::new() };
            let table = Table {
                id: id.into(),
                title: "a".into(),
                description: String::new(),
                columns: ["Name", "name", "NAME_2", "x"].map(column).into(),
                geometry: Some(Geometry { kind: Some(Kind::Point), z: Some(false) }),
                crs: crs.clone(),
            };
            let folder = tempfile::tempdir().unwrap();
            let mut writer = GeoPackage::create(table, &folder.path().join("spool")).unwrap();
            let mut out = vec![];
            writer.begin(&mut out).unwrap();
            let shape = Shape { positions: vec![[120.0, 36.0]], ..Shape::default() };
            let values = [1, 2, 3, 4].map(Value::Integer);
            writer.row(&Row { id: 7, shape: Some(&shape), values: &values }, &mut out).unwrap();
            while writer.end(&mut out).unwrap() {}
            let path = folder.path().join("a.gpkg");
            std::fs::write(&path, out).unwrap();
            let database = Connection::open(&path).unwrap();
            let texts = |sql: &str| -> Vec<String> {
                let mut statement = database.prepare(sql).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.map(|text| text.unwrap()).collect()
            };
            assert_eq!(texts("select table_name from gpkg_contents"), [wanted]);
            let columns = format!("select name from pragma_table_info('{wanted}')");
            assert_eq!(texts(&columns), ["fid", "geom", "Name", "name_3", "NAME_2", "x"], "{id}");
        }
    }
}
