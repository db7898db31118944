//! Which data sets lie in an upload: every file is told by its first bytes, then by its name.

use super::report::{Note, SourceFile};
use crate::error::Result;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Shapefile,
    GeoPackage,
    Sqlite,
    GeoJson,
    GeoJsonLines,
    TopoJson,
    EsriJson,
    Kml,
    FileGdb,
    Dxf,
    Gml,
    MapInfo,
    FlatGeobuf,
    Gpx,
    Osm,
    Csv,
    Sheet,
    Wkt,
    PmTiles,
    MbTiles,
    Zip,
    Gzip,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Shapefile => "ESRI Shapefile",
            Format::GeoPackage => "GeoPackage",
            Format::Sqlite => "SQLite/SpatiaLite",
            Format::GeoJson => "GeoJSON",
            Format::GeoJsonLines => "GeoJSON lines",
            Format::TopoJson => "TopoJSON",
            Format::EsriJson => "Esri JSON",
            Format::Kml => "KML",
            Format::FileGdb => "File Geodatabase",
            Format::Dxf => "DXF",
            Format::Gml => "GML",
            Format::MapInfo => "MapInfo",
            Format::FlatGeobuf => "FlatGeobuf",
            Format::Gpx => "GPX",
            Format::Osm => "OpenStreetMap",
            Format::Csv => "CSV",
            Format::Sheet => "Excel",
            Format::Wkt => "WKT",
            Format::PmTiles => "PMTiles",
            Format::MbTiles => "MBTiles",
            Format::Zip => "ZIP",
            Format::Gzip => "gzip",
        }
    }
}

/// What a file is, as far as its first bytes and its name tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Is(Format),
    /// A companion of another file (`.dbf`, `.prj`), or nothing of interest.
    Part,
    /// Cannot be read, for this cause.
    Refused(Note),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub path: PathBuf,
    /// Relative to the upload.
    pub name: String,
    pub format: Format,
}

const HEAD: usize = 64 << 10;
const MAX_FILES: usize = 20_000;
const MAX_DEPTH: usize = 20;

fn refused(zh: impl Into<String>, en: impl Into<String>) -> Told {
    Told::Refused(Note::new(zh, en))
}

/// All files below `root` (or `root` itself), and the data sets among them.
pub fn survey(root: &Path) -> Result<(Vec<SourceFile>, Vec<Dataset>, Vec<Note>)> {
    let mut found = Survey { root: root.to_owned(), ..Survey::default() };
    if root.is_dir() {
        if is_gdb(root) {
            found.gdb(root)?;
        } else {
            found.folder(root, 0)?;
        }
    } else {
        found.root = root.parent().unwrap_or(root).to_owned();
        found.file(root)?;
        found.companions(root)?;
    }
    found.lone_tables();
    found.datasets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((found.files, found.datasets, found.problems))
}

#[derive(Default)]
struct Survey {
    root: PathBuf,
    files: Vec<SourceFile>,
    datasets: Vec<Dataset>,
    problems: Vec<Note>,
}

fn is_gdb(folder: &Path) -> bool {
    folder.join("a00000001.gdbtable").is_file()
        || folder.join("gdb").is_file() && folder.join("a00000001.gdbtablx").is_file()
}

impl Survey {
    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    fn list(&mut self, path: &Path) {
        let bytes = fs::metadata(path).map(|m| m.len()).unwrap_or(0);
        self.files.push(SourceFile { path: self.relative(path), bytes });
    }

    fn gdb(&mut self, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder)?.take(MAX_FILES) {
            self.list(&entry?.path());
        }
        let name = match self.relative(folder) {
            empty if empty.is_empty() => {
                folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
            }
            name => name,
        };
        self.datasets.push(Dataset { path: folder.to_owned(), name, format: Format::FileGdb });
        Ok(())
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> Result<()> {
        let mut entries = fs::read_dir(folder)?.take(MAX_FILES).collect::<std::io::Result<Vec<_>>>()?;
        entries.sort_by_key(|e| e.file_name());
        for entry in entries {
            let path = entry.path();
            let kind = entry.file_type()?;
            if kind.is_symlink() || self.files.len() >= MAX_FILES {
                continue;
            }
            if kind.is_dir() {
                if is_gdb(&path) {
                    self.gdb(&path)?;
                } else if depth < MAX_DEPTH {
                    self.folder(&path, depth + 1)?;
                }
            } else {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        self.list(path);
        let name = self.relative(path);
        match tell(path)? {
            Told::Is(Format::Zip | Format::Gzip) | Told::Part => {}
            Told::Is(format) => self.datasets.push(Dataset { path: path.to_owned(), name, format }),
            Told::Refused(why) => {
                self.problems.push(Note::new(format!("{name}：{}", why.zh), format!("{name}: {}", why.en)));
            }
        }
        Ok(())
    }

    /// Files with the same stem beside a single loose file.
    fn companions(&mut self, path: &Path) -> Result<()> {
        for sibling in siblings(path)? {
            if sibling != path && tell(&sibling)? == Told::Part {
                self.list(&sibling);
            }
        }
        Ok(())
    }

    /// A `.dbf`, `.shx` or `.mid` without its main file says what is missing.
    fn lone_tables(&mut self) {
        let files: Vec<String> = self.files.iter().map(|f| f.path.clone()).collect();
        for path in &files {
            let (stem, ext) = split(path);
            let main = match ext.as_str() {
                "dbf" | "shx" | "prj" => "shp",
                "mid" => "mif",
                _ => continue,
            };
            let has_main = files.iter().any(|f| {
                let (s, e) = split(f);
                (e == main || e == "tab") && s == stem
            });
            if !has_main && ext != "prj" {
                self.problems.push(Note::new(
                    format!("{path}：缺少同名的 .{main} 文件，没有几何可读"),
                    format!("{path}: the .{main} of the same name is missing, so there is no geometry to read"),
                ));
            }
        }
    }
}

fn split(path: &str) -> (String, String) {
    match path.rsplit_once('.') {
        Some((stem, ext)) => (stem.to_lowercase(), ext.to_ascii_lowercase()),
        None => (path.to_lowercase(), String::new()),
    }
}

pub fn extension(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

/// Files in the same folder whose names differ from this one's in the extension only, in any case.
pub fn siblings(path: &Path) -> Result<Vec<PathBuf>> {
    let stem = path.file_stem().map(|s| s.to_string_lossy().to_lowercase()).unwrap_or_default();
    let Some(folder) = path.parent() else { return Ok(Vec::new()) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut out = Vec::new();
    for entry in fs::read_dir(folder)?.take(MAX_FILES) {
        let sibling = entry?.path();
        if sibling.file_stem().map(|s| s.to_string_lossy().to_lowercase()) == Some(stem.clone()) && sibling.is_file() {
            out.push(sibling);
        }
    }
    out.sort();
    Ok(out)
}

pub fn read_head(path: &Path, n: usize) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(n as u64).read_to_end(&mut head)?;
    Ok(head)
}

const PARTS: &[&str] = &[
    "dbf", "shx", "prj", "cpg", "qpj", "cst", "sbn", "sbx", "qix", "fix", "ain", "aih", "atx", "ixs", "mxs", "fbn",
    "fbx", "mid", "dat", "map", "id", "ind", "xsd", "gfs", "qml", "sld", "lyr", "lyrx", "md", "pdf", "doc", "docx",
    "htm", "css",
];

/// What one file is.
pub fn tell(path: &Path) -> Result<Told> {
    let ext = extension(path);
    if PARTS.contains(&ext.as_str()) || path.to_string_lossy().to_lowercase().ends_with(".shp.xml") {
        return Ok(Told::Part);
    }
    let head = read_head(path, HEAD)?;
    if head.is_empty() {
        return Ok(refused("文件为空（0 字节）", "the file is empty (0 bytes)"));
    }
    if let Some(told) = by_magic(&head, &ext, path) {
        return Ok(told);
    }
    let text = head_text(&head);
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    Ok(match ext.as_str() {
        "mif" | "tab" => Told::Is(Format::MapInfo),
        "dxf" => dxf(trimmed),
        _ if trimmed.starts_with('<') => by_root(trimmed),
        "csv" | "tsv" => csv(trimmed),
        _ if trimmed.starts_with(['{', '[', '\u{1e}']) => by_json(trimmed, &ext),
        "wkt" => Told::Is(Format::Wkt),
        _ if looks_like_wkt(trimmed) => Told::Is(Format::Wkt),
        "txt" if trimmed.contains([',', '\t', ';', '|']) => csv(trimmed),
        "pmtiles" => refused("不是有效的 PMTiles 文件（文件头不符）", "it is no PMTiles file: its header is wrong"),
        "mbtiles" => refused("不是有效的 MBTiles 文件（不是 SQLite）", "it is no MBTiles file: it is not SQLite"),
        "shp" => refused("不是有效的 .shp 文件（文件头不符）", "it is no .shp file: its header is wrong"),
        "" | "txt" | "log" | "ini" | "bak" | "lock" => Told::Part,
        _ => refused(format!("不支持的格式（.{ext}）"), format!("a format that is not supported (.{ext})")),
    })
}

fn by_magic(head: &[u8], ext: &str, path: &Path) -> Option<Told> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    if starts(b"SQLite format 3\0") {
        let app = head.get(68..72).unwrap_or_default();
        return Some(match (app, ext) {
            (b"MPBX", _) | (_, "mbtiles") => Told::Is(Format::MbTiles),
            (b"GPKG" | b"GP10" | b"GP11", _) | (_, "gpkg") => Told::Is(Format::GeoPackage),
            _ => Told::Is(Format::Sqlite),
        });
    }
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        return Some(Told::Is(if matches!(ext, "xlsx" | "xlsm" | "ods" | "xlsb") {
            Format::Sheet
        } else {
            Format::Zip
        }));
    }
    if starts(&[0x1f, 0x8b]) {
        return Some(Told::Is(Format::Gzip));
    }
    if starts(&[0, 0, 0x27, 0x0a]) {
        return Some(Told::Is(Format::Shapefile));
    }
    if starts(b"PMTiles") {
        return Some(Told::Is(Format::PmTiles));
    }
    if starts(b"fgb") && head.get(4..7) == Some(b"fgb") {
        return Some(Told::Is(Format::FlatGeobuf));
    }
    if starts(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Some(if ext == "doc" { Told::Part } else { Told::Is(Format::Sheet) });
    }
    if head.len() > 15 && &head[4..6] == b"\x0a\x09" && head[6..].starts_with(b"OSMHeader") || ext == "pbf" {
        return Some(Told::Is(Format::Osm));
    }
    let _ = path;
    refusal_by_magic(head)
}

fn refusal_by_magic(head: &[u8]) -> Option<Told> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    if starts(b"AC10") && head.get(4..6).is_some_and(|v| v.iter().all(u8::is_ascii_digit)) {
        return Some(refused(
            "DWG 是 AutoCAD 的专有格式，无法读取；请另存为 DXF（2000 或更新版本）后上传",
            "DWG is AutoCAD's own format and cannot be read; save it as DXF (2000 or later) and upload that",
        ));
    }
    if starts(b"AutoCAD Binary DXF") {
        return Some(refused(
            "二进制 DXF 无法读取；请另存为文本 DXF",
            "a binary DXF cannot be read; save it as an ASCII DXF",
        ));
    }
    if starts(b"version https://git-lfs") {
        return Some(refused(
            "这是 Git LFS 指针，不是数据本身；请下载真正的文件后上传",
            "this is a Git LFS pointer, not the data; fetch the file itself and upload that",
        ));
    }
    let image =
        starts(b"II*\0") || starts(b"MM\0*") || starts(b"\x89PNG") || starts(&[0xff, 0xd8, 0xff]) || starts(b"GIF8");
    if image {
        return Some(refused("这是图像（栅格），不是矢量数据", "this is an image (raster), not vector data"));
    }
    if starts(b"%PDF") {
        return Some(refused("PDF 不是可读的矢量数据", "a PDF is no vector data that can be read"));
    }
    if starts(b"Rar!") || starts(b"7z\xbc\xaf\x27\x1c") {
        return Some(refused("不支持 RAR/7z 压缩包，请改用 ZIP", "RAR and 7z archives are not supported; use ZIP"));
    }
    None
}

/// The head as text for telling formats apart only: UTF-16 decoded, everything else taken as it is.
fn head_text(head: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(head) {
        Some((encoding, _)) => encoding.decode(head).0.into_owned(),
        None => String::from_utf8_lossy(head).into_owned(),
    }
}

fn dxf(text: &str) -> Told {
    if text.contains("SECTION") || text.starts_with("999") {
        Told::Is(Format::Dxf)
    } else {
        refused("不是有效的 DXF：没有 SECTION", "it is no DXF: it has no SECTION")
    }
}

fn csv(text: &str) -> Told {
    if text.trim().is_empty() {
        return refused("表格没有任何内容", "the table has no content");
    }
    Told::Is(Format::Csv)
}

fn by_json(text: &str, ext: &str) -> Told {
    if text.contains("\"Topology\"") {
        return Told::Is(Format::TopoJson);
    }
    if text.contains("\"esriGeometry") || text.contains("\"geometryType\"") && text.contains("\"rings\"") {
        return Told::Is(Format::EsriJson);
    }
    let first = text.lines().next().unwrap_or("");
    let more = text.lines().skip(1).any(|l| !l.trim().is_empty());
    let lines = matches!(ext, "geojsonl" | "geojsons" | "ndjson" | "jsonl" | "geojsonseq")
        || text.starts_with('\u{1e}')
        || more && serde_json::from_str::<serde::de::IgnoredAny>(first.trim()).is_ok() && first.contains("\"Feature\"");
    Told::Is(if lines { Format::GeoJsonLines } else { Format::GeoJson })
}

const WKT_WORDS: &[&str] = &[
    "POINT",
    "LINESTRING",
    "POLYGON",
    "MULTIPOINT",
    "MULTILINESTRING",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
    "CIRCULARSTRING",
    "COMPOUNDCURVE",
    "CURVEPOLYGON",
    "MULTICURVE",
    "MULTISURFACE",
    "POLYHEDRALSURFACE",
    "TIN",
    "TRIANGLE",
    "SRID=",
];

pub fn looks_like_wkt(text: &str) -> bool {
    let start: String = text.chars().take(24).collect::<String>().to_ascii_uppercase();
    WKT_WORDS.iter().any(|w| {
        start.strip_prefix(w).is_some_and(|rest| *w == "SRID=" || rest.trim_start().starts_with(['(', 'Z', 'M', 'E']))
    })
}

/// The XML root element decides.
fn by_root(text: &str) -> Told {
    let root = root_element(text);
    let local = root.rsplit(':').next().unwrap_or("").to_ascii_lowercase();
    match local.as_str() {
        "kml" | "document" | "placemark" | "folder" => Told::Is(Format::Kml),
        "gpx" => Told::Is(Format::Gpx),
        "osm" => Told::Is(Format::Osm),
        "html" => {
            refused("这是网页，不是数据；下载可能失败了", "this is a web page, not data; the download may have failed")
        }
        "trainingcenterdatabase" => {
            refused("TCX 运动记录不受支持；请导出为 GPX", "TCX is not supported; export it as GPX")
        }
        _ if text.contains("opengis.net/gml") && !matches!(local.as_str(), "geographiccrs" | "projectedcrs") => {
            Told::Is(Format::Gml)
        }
        _ if local == "featurecollection" && text.contains("gml:") => Told::Is(Format::Gml),
        "" => refused("不是完整的 XML：没有根元素", "it is no complete XML: there is no root element"),
        _ => refused(
            format!("XML 的根元素 <{root}> 不是受支持的地图格式（KML、GML、GPX、OSM）"),
            format!("its root element <{root}> is none of the XML formats supported (KML, GML, GPX, OSM)"),
        ),
    }
}

fn root_element(mut text: &str) -> String {
    while let Some(at) = text.find('<') {
        text = &text[at + 1..];
        let close = if text.starts_with("!--") {
            "-->"
        } else if text.starts_with('?') {
            "?>"
        } else if text.starts_with('!') {
            ">"
        } else {
            return text.chars().take_while(|c| !c.is_whitespace() && !matches!(c, '>' | '/')).take(80).collect();
        };
        match text.find(close) {
            Some(end) => text = &text[end + close.len()..],
            None => return String::new(),
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, bytes: &[u8]) -> Told {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        tell(&path).unwrap()
    }

    #[test]
    fn bytes_tell_before_names() {
        assert_eq!(told("a.json", b"{\"type\":\"Topology\"}"), Told::Is(Format::TopoJson));
        assert_eq!(told("a.txt", b"{\"type\":\"Feature\"}\n{\"type\":\"Feature\"}\n"), Told::Is(Format::GeoJsonLines));
        assert_eq!(told("a.xml", b"<?xml version='1.0'?><!-- <gpx> --><kml>"), Told::Is(Format::Kml));
        assert_eq!(told("a.csv", b"SRID,name\n1,2"), Told::Is(Format::Csv));
        assert_eq!(told("a.wkt", b"POINT (1 2)"), Told::Is(Format::Wkt));
        assert_eq!(told("a.bin", b"PMTiles\x03"), Told::Is(Format::PmTiles));
        assert_eq!(told("a.mbtiles", b"SQLite format 3\0"), Told::Is(Format::MbTiles));
        for (name, bytes) in [
            ("a.dwg", &b"AC1021\0\0"[..]),
            ("a.shp", b"<!DOCTYPE html><html>"),
            ("a.xml", b"<run><case/></run>"),
            ("a.pmtiles", b"PNTiles\x03"),
            ("a.geojson", b""),
            ("a.csv", b"\n\n"),
        ] {
            assert!(matches!(told(name, bytes), Told::Refused(_)), "{name}");
        }
    }
}
