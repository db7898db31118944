//! Uploads: received, inspected, read in a child process, loaded into a staged revision.

pub mod archive;
pub mod child;
pub mod columns;
pub mod crs;
pub mod datum;
pub mod diff;
pub mod encoding;
pub mod fields;
pub mod files;
pub mod flat;
pub mod geojson;
pub mod geojson_scan;
pub mod geometry;
pub mod inspect;
pub mod load;
pub mod ogr;
pub mod open;
pub mod parent;
pub mod read;
pub mod receive;
pub mod report;
pub mod sandbox;
pub mod shapefile;
pub mod sheet;
pub mod source;
pub mod table;
pub mod text;
pub mod tileset;
pub mod validity;
pub mod workbook;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file on this machine with the ones that belong to it: the parts of a shapefile or a MapInfo table lie beside each other.
fn companions(source: &Path) -> Result<Vec<PathBuf>> {
    if !source.exists() {
        return Err(Error::not_found(
            format!("没有这个文件：{}", source.display()),
            format!("there is no such file: {}", source.display()),
        ));
    }
    let extension = source.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let (Some(folder), Some(stem)) = (source.parent(), source.file_stem()) else { return Ok(vec![source.to_owned()]) };
    if !matches!(extension.as_str(), "shp" | "tab" | "mif" | "gml") {
        return Ok(vec![source.to_owned()]);
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.is_file() && p.file_name().is_some_and(|n| belongs(n, stem)))
        .collect();
    files.sort();
    Ok(files)
}

/// `roads.shp.xml` and `roads.dbf` belong to `roads`; `roads2.dbf` does not.
fn belongs(name: &std::ffi::OsStr, stem: &std::ffi::OsStr) -> bool {
    let (name, stem) = (name.as_encoded_bytes(), stem.as_encoded_bytes());
    name.len() > stem.len() && name[..stem.len()].eq_ignore_ascii_case(stem) && name[stem.len()] == b'.'
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        // Links are left behind: they could point anywhere.
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
