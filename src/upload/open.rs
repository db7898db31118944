//! From an upload to its data sets: unpacked if need be, surveyed, and each opened by the reader of its format.

use super::archive::{self, ArchiveLimits};
use super::files::{self, Dataset, Format, Told};
use super::geojson::GeoJsonSource;
use super::ogr::OgrSource;
use super::report::{Note, SourceFile};
use super::sheet::SheetSource;
use super::source::Source;
use super::table::{CsvSource, WktSource};
use crate::error::{Error, Result};
use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What the reader is told beside the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Options {
    /// A folder of this job's own: archives are unpacked there, and found again by the next run.
    pub work: PathBuf,
    /// Overrides the encoding found.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Known divisions in CGCS2000, to find shifted coordinates by.
    #[serde(default)]
    pub reference: Option<PathBuf>,
    /// Where this deployment's data lie, in degrees: tells zones and axes apart.
    #[serde(default)]
    pub area: Option<[f64; 4]>,
}

pub struct Opened {
    pub files: Vec<SourceFile>,
    pub datasets: Vec<Dataset>,
    pub problems: Vec<Note>,
}

/// How far along a stage is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub stage: String,
    pub done: u64,
    pub total: u64,
}

/// Unpacks and surveys.
pub fn survey(path: &Path, options: &Options, limits: ArchiveLimits) -> Result<Opened> {
    let mut notes = Vec::new();
    let mut root = path.to_owned();
    if path.is_file() {
        match files::tell(path)? {
            Told::Is(Format::Zip) => {
                root = options.work.join("files");
                notes = once(&root, || archive::unpack_zip(path, &root, limits))?;
            }
            Told::Is(Format::Gzip) => {
                root = options.work.join("files");
                notes = once(&root, || archive::unpack_gzip(path, &root, limits).map(|_| Vec::new()))?;
            }
            Told::Refused(why) => return Err(Error::invalid("file", why.zh, why.en)),
            Told::Part if !path.to_string_lossy().to_lowercase().ends_with(".dbf") => {
                return Err(Error::invalid(
                    "file",
                    "这是附属文件，不是数据本身；请连同主文件一起上传",
                    "this is a companion file, not the data itself; upload it with its main file",
                ));
            }
            _ => {}
        }
    }
    let (files, datasets, mut problems) = files::survey(&root)?;
    problems.splice(0..0, notes);
    Ok(Opened { files, datasets, problems })
}

/// Unpacks unless an earlier run finished doing so; what an interrupted run left is removed first.
fn once(root: &Path, unpack: impl FnOnce() -> Result<Vec<Note>>) -> Result<Vec<Note>> {
    let done = root.with_extension("done");
    if let Ok(text) = std::fs::read(&done) {
        return Ok(serde_json::from_slice(&text).unwrap_or_default());
    }
    if root.exists() {
        std::fs::remove_dir_all(root)?;
    }
    std::fs::create_dir_all(root)?;
    let notes = unpack()?;
    std::fs::write(done, serde_json::to_vec(&notes)?)?;
    Ok(notes)
}

pub fn open(dataset: &Dataset, work: &Path, encoding: Option<&str>) -> Result<Box<dyn Source>> {
    let encoding: Option<&'static Encoding> = match encoding {
        None => None,
        Some(name) => Some(super::encoding::by_name(name).ok_or_else(|| {
            Error::invalid("encoding", format!("未知的编码 {name}"), format!("{name} is no known encoding"))
        })?),
    };
    Ok(match dataset.format {
        Format::GeoJson | Format::GeoJsonLines => Box::new(GeoJsonSource::open(dataset)?),
        Format::Csv => Box::new(CsvSource::open(dataset, encoding)?),
        Format::Wkt => Box::new(WktSource::open(dataset)?),
        Format::Sheet => Box::new(SheetSource::open(dataset)?),
        _ => Box::new(OgrSource::open(dataset, work, encoding)?),
    })
}
