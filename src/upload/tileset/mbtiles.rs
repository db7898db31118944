//! MBTiles 1.3: an SQLite file with the tables, or views, `metadata` and `tiles`.
//!
//! The file is a stranger's, and so is every view in it: it is opened read-only and as unchanging, what its schema says is not
//! trusted, and a statement that gives no row for long is ended.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ::pmtiles::TileCoord;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::{MOST_TILES, Said, believable, not_mvt, too_many};
use crate::error::{Error, Result};
use crate::layer::archive::pmtiles::{MOST_TILE, damaged};

/// Between one row and the next.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_METADATA_ROWS: usize = 1000;

pub struct MbTiles {
    connection: Connection,
    guard: Guard,
}

impl MbTiles {
    pub fn open(path: &Path) -> Result<MbTiles> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(address(path), flags).map_err(unreadable)?;
        for (limit, most) in [
            (Limit::SQLITE_LIMIT_LENGTH, MOST_TILE as i32 + (1 << 20)),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
            (Limit::SQLITE_LIMIT_COLUMN, 100),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 50),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 20),
            (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
            (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        ] {
            connection.set_limit(limit, most).map_err(unreadable)?;
        }
        for (setting, on) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        ] {
            connection.set_db_config(setting, on).map_err(unreadable)?;
        }
        connection
            .execute_batch(
                "pragma query_only = on; pragma cell_size_check = on; pragma mmap_size = 0; \
                 pragma temp_store = memory; pragma cache_size = -8000",
            )
            .map_err(unreadable)?;
        let guard = Guard::over(&connection, PATIENCE);
        let archive = MbTiles { connection, guard };
        archive.expected("tiles")?;
        archive.expected("metadata")?;
        Ok(archive)
    }

    /// Both may be views, as several programs write them; a virtual table is nobody's.
    fn expected(&self, name: &str) -> Result<()> {
        let sql = "select type, coalesce(sql, '') from sqlite_schema where name = ?1 collate nocase";
        let found = self.connection.query_row(sql, [name], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)));
        let (kind, text) = match found {
            Ok(found) => found,
            Err(rusqlite::Error::QueryReturnedNoRows) => {
                return Err(Error::invalid(
                    "file",
                    format!("不是有效的 MBTiles：没有 {name} 表"),
                    format!("it is no MBTiles file: there is no table `{name}`"),
                ));
            }
            Err(e) => return Err(unreadable(e)),
        };
        let virtual_table = text.trim_start().to_ascii_lowercase().starts_with("create virtual");
        match matches!(kind.as_str(), "table" | "view") && !virtual_table {
            true => Ok(()),
            false => Err(damaged(&format!("{name} 不是普通表或视图"), &format!("`{name}` is no plain table or view"))),
        }
    }

    pub fn said(&self) -> Result<Said> {
        let mut said = Said { name: None, description: String::new(), bounds: None, layers: Value::Null };
        let mut format = None;
        let mut statement = self.connection.prepare("select name, value from metadata").map_err(unreadable)?;
        let mut rows = statement.query([]).map_err(unreadable)?;
        for _ in 0..MOST_METADATA_ROWS {
            let Some(row) = rows.next().map_err(unreadable)? else { break };
            self.guard.row();
            let (Ok(name), Ok(value)) = (row.get::<_, String>(0), row.get::<_, String>(1)) else { continue };
            match name.as_str() {
                "name" => said.name = Some(value),
                "description" => said.description = value,
                "format" => format = Some(value.to_ascii_lowercase()),
                "bounds" => {
                    let corners: Vec<f64> = value.split(',').filter_map(|n| n.trim().parse().ok()).collect();
                    said.bounds = <[f64; 4]>::try_from(corners).ok().and_then(believable);
                }
                "json" => {
                    let json: Value = serde_json::from_str(&value).unwrap_or_default();
                    said.layers = json["vector_layers"].clone();
                }
                _ => {}
            }
        }
        match format.as_deref() {
            None | Some("pbf" | "mvt" | "application/vnd.mapbox-vector-tile" | "application/x-protobuf") => Ok(said),
            Some(other) => Err(not_mvt(&other.chars().take(20).collect::<String>().to_ascii_uppercase())),
        }
    }

    /// Every tile, in the order of the table. MBTiles count rows from the south.
    pub fn each(&self, visit: &mut dyn FnMut(TileCoord, &[u8]) -> Result<()>) -> Result<()> {
        let sql = "select zoom_level, tile_column, tile_row, tile_data from tiles";
        let mut statement = self.connection.prepare(sql).map_err(unreadable)?;
        let mut rows = statement.query([]).map_err(unreadable)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(unreadable)? {
            self.guard.row();
            count += 1;
            if count > MOST_TILES {
                return Err(too_many());
            }
            let number = |i| row.get::<_, u32>(i).map_err(|_| wild());
            let (z, x, tms) = (number(0)?, number(1)?, number(2)?);
            let y = 1u32.checked_shl(z).and_then(|side| side.checked_sub(1)?.checked_sub(tms)).ok_or_else(wild)?;
            let coordinate = TileCoord::new(z as u8, x, y).map_err(|_| wild())?;
            match row.get_ref(3).map_err(unreadable)? {
                ValueRef::Blob(bytes) => visit(coordinate, bytes)?,
                ValueRef::Null => {}
                _ => return Err(damaged("瓦片内容不是二进制数据", "a tile's data is no blob")),
            }
        }
        Ok(())
    }
}

fn wild() -> Error {
    damaged("瓦片行列号超出范围", "a tile's zoom, column or row is out of range")
}

fn unreadable(e: rusqlite::Error) -> Error {
    match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::OperationInterrupted) => {
            Error::too_large("读取该 MBTiles 耗时过长，已终止", "reading this MBTiles file took too long and was ended")
                .hint("请将视图改为普通表后重新生成", "make it again with plain tables instead of views")
        }
        _ => damaged("SQLite 无法读取", "SQLite cannot read it"),
    }
    .because(e)
}

/// A file's address for SQLite: nothing in its name is taken for a parameter. Unchanging: no journal beside it is looked at.
fn address(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => address.push(*byte as char),
            _ => address.push_str(&format!("%{byte:02x}")),
        }
    }
    address + "?mode=ro&immutable=1"
}

/// Ends a statement that gives no row for too long: a view may count to the end of time.
struct Guard {
    begun: Instant,
    /// Milliseconds after the beginning at which the last row came.
    last: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    watch: Option<JoinHandle<()>>,
}

impl Guard {
    fn over(connection: &Connection, patience: Duration) -> Guard {
        let (begun, last, over) = (Instant::now(), Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (handle, seen, ended) = (connection.get_interrupt_handle(), last.clone(), over.clone());
        let watch = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let quiet = begun.elapsed().saturating_sub(Duration::from_millis(seen.load(Ordering::Relaxed)));
                match patience.checked_sub(quiet) {
                    Some(left) => std::thread::park_timeout(left.max(Duration::from_millis(10))),
                    None => {
                        handle.interrupt();
                        std::thread::park_timeout(Duration::from_millis(100));
                    }
                }
            }
        });
        Guard { begun, last, over, watch: Some(watch) }
    }

    fn row(&self) {
        self.last.store(self.begun.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(watch) = self.watch.take() {
            watch.thread().unpark();
            let _ = watch.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_only_a_name() {
        assert_eq!(
            address(Path::new("/a b/图?mode=rw#.mbtiles")),
            "file:/a%20b/%e5%9b%be%3fmode%3drw%23.mbtiles?mode=ro&immutable=1"
        );
    }

    #[test]
    fn what_a_file_may_not_do_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str, sql: &str| {
            let path = folder.path().join(name);
            Connection::open(&path).unwrap().execute_batch(sql).unwrap();
            MbTiles::open(&path)
        };
        let metadata = "create table metadata (name text, value text); insert into metadata values ('format', 'pbf');";
        assert!(open("none.mbtiles", metadata).is_err(), "no tiles");
        let fts = "create virtual table tiles using fts5(zoom_level, tile_column, tile_row, tile_data)";
        assert!(open("virtual.mbtiles", &format!("{metadata}{fts}")).is_err(), "a virtual table");
        let png = open("png.mbtiles", &format!("{} create table tiles (a)", metadata.replace("pbf", "png"))).unwrap();
        assert_eq!(png.said().err().unwrap().kind, crate::error::Kind::Unsupported);
        // A view that asks for more memory than any tile has.
        let view = "create view tiles as select 1 as zoom_level, 0 as tile_column, 0 as tile_row, zeroblob(500000000) as tile_data";
        let huge = open("huge.mbtiles", &format!("{metadata}{view}")).unwrap();
        assert!(huge.each(&mut |_, _| Ok(())).is_err());
        let outside = "create table tiles (zoom_level, tile_column, tile_row, tile_data);
             insert into tiles values (2, 4, 0, x'1a00')";
        let outside = open("outside.mbtiles", &format!("{metadata}{outside}")).unwrap();
        assert!(outside.each(&mut |_, _| Ok(())).is_err());
    }

    #[test]
    fn a_view_without_end_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endless.mbtiles");
        let endless = "create table metadata (name, value);
             create view tiles as with recursive n(i) as (select 1 union all select i + 1 from n)
             select i as zoom_level, i as tile_column, i as tile_row, x'' as tile_data from n where i < 0";
        Connection::open(&path).unwrap().execute_batch(endless).unwrap();
        let mut archive = MbTiles::open(&path).unwrap();
        archive.guard = Guard::over(&archive.connection, Duration::from_millis(100));
        let ended = archive.each(&mut |_, _| Ok(())).unwrap_err();
        assert_eq!(ended.kind, crate::error::Kind::TooLarge);
    }
}
