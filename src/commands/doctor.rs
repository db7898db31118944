//! `doctor`: what is missing or wrong, in plain words, each with its remedy.

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;

use super::Opened;
use crate::config::Config;
use crate::db::embedded::{find_binaries, running};
use crate::db::pool::Database;
use crate::error::Result;
use crate::style::glyphs::DEBIAN_FONTS;
use crate::tile::store;

/// A finding: what was looked at, and what is wrong with it, if anything.
struct Finding {
    about: &'static str,
    outcome: std::result::Result<String, (String, &'static str)>,
}

pub fn run(config: Config) -> Result<ExitCode> {
    let findings = vec![
        data_directory(&config.data),
        disk_space(&config.data),
        postgres(&config),
        port(&config),
        gdal(),
        fonts(),
        database(&config),
        tile_indexes(&config),
    ];
    let mut healthy = true;
    for finding in findings {
        match finding.outcome {
            Ok(text) => println!("  好 ok     {:<16}{text}", finding.about),
            Err((text, remedy)) => {
                healthy = false;
                println!("  错 wrong  {:<16}{text}\n            {:<16}→ {remedy}", finding.about, "");
            }
        }
    }
    println!("{}", if healthy { "一切正常 all is well" } else { "请按 → 所示处理 mend what → says" });
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn data_directory(data: &Path) -> Finding {
    let probe = data.join(".doctor");
    let outcome = match std::fs::create_dir_all(data).and_then(|()| std::fs::write(&probe, b"x")) {
        Ok(()) => {
            let _ = std::fs::remove_file(&probe);
            Ok(data.display().to_string())
        }
        Err(e) => Err((format!("{}: {e}", data.display()), "choose a folder you may write to: --data or ONEMAP_DATA")),
    };
    Finding { about: "data directory", outcome }
}

fn disk_space(data: &Path) -> Finding {
    let free = nix::sys::statvfs::statvfs(data).map(|s| s.blocks_available() * s.fragment_size());
    let outcome = match free {
        Ok(bytes) if bytes < 2 << 30 => {
            Err((format!("{} MiB free", bytes >> 20), "the demo city needs about 2 GiB: make room"))
        }
        Ok(bytes) => Ok(format!("{} GiB free", bytes >> 30)),
        Err(e) => Err((e.to_string(), "look at the disk")),
    };
    Finding { about: "disk space", outcome }
}

fn postgres(config: &Config) -> Finding {
    let outcome = match (&config.database_url, find_binaries()) {
        (Some(_), _) => Ok("an existing database is used".into()),
        (None, Ok(path)) => Ok(path.display().to_string()),
        (None, Err(e)) => Err((e.detail.en.clone(), "run make run, or apt-get install postgresql-15-postgis-3")),
    };
    Finding { about: "PostGIS", outcome }
}

fn port(config: &Config) -> Finding {
    let outcome = match TcpListener::bind(config.listen) {
        Ok(_) => Ok(format!("{} is free", config.listen)),
        Err(_) if running(&config.data).is_some() => {
            Ok(format!("{} is served, by this onemap it seems", config.listen))
        }
        Err(e) => Err((format!("{}: {e}", config.listen), "stop what listens there, or choose another by --listen")),
    };
    Finding { about: "address", outcome }
}

fn gdal() -> Finding {
    let wanted =
        ["ESRI Shapefile", "GPKG", "GeoJSON", "KML", "OpenFileGDB", "DXF", "GML", "MapInfo File", "FlatGeobuf"];
    let missing: Vec<&str> =
        wanted.into_iter().filter(|n| gdal::DriverManager::get_driver_by_name(n).is_err()).collect();
    let outcome = match missing.is_empty() {
        true => Ok(gdal::version::VersionInfo::release_name()),
        false => Err((format!("without {}", missing.join(", ")), "apt-get install gdal-bin libgdal-dev")),
    };
    Finding { about: "GDAL", outcome }
}

fn fonts() -> Finding {
    let outcome = match Path::new(DEBIAN_FONTS).join("NotoSansCJK-Regular.ttc").exists() {
        true => Ok("Noto Sans CJK".into()),
        false => Err(("Noto Sans CJK is not installed: maps have no labels".into(), "apt-get install fonts-noto-cjk")),
    };
    Finding { about: "fonts", outcome }
}

/// The files' heads only: whether they are whole, the server looks itself.
fn tile_indexes(config: &Config) -> Finding {
    let (mut count, mut bytes, mut bad) = (0, 0, vec![]);
    for entry in std::fs::read_dir(store::folder(config)).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "tix") {
            count += 1;
            bytes += entry.metadata().map_or(0, |m| m.len());
            if onemap_tiles::index::Index::open(&path).is_err() {
                bad.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    let budget = store::budget(config);
    let outcome = match bad.is_empty() {
        false => Err((format!("cannot be read: {}", bad.join(", ")), "nothing: the server builds them anew")),
        true if bytes > budget / 10 * 9 => Err((
            format!("{count} files, {} of {} MiB", bytes >> 20, budget >> 20),
            "raise tile_index_disk: layers without an index are slower, their tiles come from PostGIS",
        )),
        true => Ok(format!("{count} files, {} of {} MiB", bytes >> 20, budget >> 20)),
    };
    Finding { about: "tile indexes", outcome }
}

fn database(config: &Config) -> Finding {
    let about = "database";
    if config.database_url.is_none() && running(&config.data).is_none() && !config.data.join("pg").exists() {
        let there = config.data.join("cluster-path").exists();
        if !there {
            return Finding { about, outcome: Ok("none yet: the first start makes it".into()) };
        }
    }
    let outcome = ask_database(config).map_err(|e| (e.to_string(), "see postgres.log in the data directory"));
    Finding { about, outcome }
}

fn ask_database(config: &Config) -> Result<String> {
    let opened = Opened::of(config)?;
    super::runtime()?.block_on(async {
        let database = Database::new(&opened.url(), 2, 10_000)?;
        let (client, connection) = database.owner().await?;
        tokio::spawn(connection);
        let row = client
            .query_one(
                "select current_setting('server_version'),
                     (select default_version from pg_available_extensions where name = 'postgis'),
                     to_regclass('onemap.layer') is not null",
                &[],
            )
            .await?;
        let (version, postgis, migrated): (String, Option<String>, bool) = (row.get(0), row.get(1), row.get(2));
        let postgis = postgis.unwrap_or("missing".into());
        let state = if migrated { "migrated" } else { "empty" };
        Ok(format!("PostgreSQL {version}, PostGIS {postgis}, {state}"))
    })
}
