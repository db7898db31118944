//! Formats read through GDAL, each by the one driver that it was told to be; no other driver is asked.

use super::encoding;
use super::files::{Dataset, Format};
use super::geometry::Kind;
use super::report::{EncodingFound, Note};
use super::shapefile;
use super::source::{Cell, LayerHead, Next, Row, Rows, Shape, Source, SourceField};
use crate::error::{Error, Result};
use crate::layer::model::FieldType;
use encoding_rs::Encoding;
use gdal_sys::{OGRFieldSubType, OGRFieldType, OGRwkbByteOrder};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::path::Path;
use std::sync::Once;

thread_local! {
    /// The most severe thing GDAL said since it was last asked.
    static SAID: RefCell<(u32, String)> = const { RefCell::new((0, String::new())) };
}

unsafe extern "C" fn keep_message(class: gdal_sys::CPLErr::Type, _number: c_int, text: *const c_char) {
    if text.is_null() {
        return;
    }
    // SAFETY: GDAL passes a NUL-terminated message that lives through the call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    SAID.with(|said| {
        if let Ok(mut said) = said.try_borrow_mut()
            && class >= said.0
        {
            *said = (class, text.chars().take(300).collect());
        }
    });
}

/// What GDAL said since the last call: class (2 warning, 3 failure) and text.
pub fn take_message() -> Option<(u32, String)> {
    SAID.with(|said| {
        let said = std::mem::take(&mut *said.borrow_mut());
        (said.0 > 0).then_some(said)
    })
}

/// Sets GDAL up once per process: no plugins, no side files, small caches, messages kept instead of printed.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (key, value) in [
            ("GDAL_DRIVER_PATH", "disable"),
            ("GDAL_PAM_ENABLED", "NO"),
            ("GDAL_CACHEMAX", "8"),
            ("OGR_SQLITE_CACHE", "8"),
            ("OGR_CURRENT_DATE", ""),
            ("SHAPE_RESTORE_SHX", "NO"),
            ("SQLITE_LIST_ALL_TABLES", "NO"),
            ("GML_SKIP_RESOLVE_ELEMS", "ALL"),
            ("GML_PARSER", "EXPAT"),
            ("CPL_VSIL_CURL_ALLOWED_EXTENSIONS", "none"),
            ("GDAL_NUM_THREADS", "1"),
            ("OSM_MAX_TMPFILE_SIZE", "32"),
            ("OGR_STROKE_CURVE", "NO"),
        ] {
            if let (Ok(key), Ok(value)) = (CString::new(key), CString::new(value)) {
                // SAFETY: both strings are NUL-terminated and copied by GDAL.
                unsafe { gdal_sys::CPLSetConfigOption(key.as_ptr(), value.as_ptr()) };
            }
        }
        // SAFETY: the handler is a plain function that outlives every call; registration is thread-safe.
        unsafe {
            gdal_sys::CPLSetErrorHandler(Some(keep_message));
            gdal_sys::GDALAllRegister();
        }
    });
}

fn driver(format: Format) -> Option<&'static str> {
    Some(match format {
        Format::Shapefile => "ESRI Shapefile",
        Format::GeoPackage => "GPKG",
        Format::Sqlite => "SQLite",
        Format::TopoJson => "TopoJSON",
        Format::EsriJson => "ESRIJSON",
        Format::Kml => "LIBKML",
        Format::FileGdb => "OpenFileGDB",
        Format::Dxf => "DXF",
        Format::Gml => "GML",
        Format::MapInfo => "MapInfo File",
        Format::FlatGeobuf => "FlatGeobuf",
        Format::Gpx => "GPX",
        Format::Osm => "OSM",
        _ => return None,
    })
}

/// Formats that GDAL holds in memory as a whole, with the size above which the memory limit would be broken.
fn size_limit(format: Format) -> Option<u64> {
    match format {
        Format::Kml => Some(24 << 20),
        Format::TopoJson | Format::EsriJson => Some(16 << 20),
        _ => None,
    }
}

pub struct OgrSource {
    handle: gdal_sys::GDALDatasetH,
    format: Format,
    heads: Vec<LayerHead>,
    encoding: &'static Encoding,
    /// GDAL's number of each layer, since unwanted ones are left out.
    numbers: Vec<c_int>,
}

impl Drop for OgrSource {
    fn drop(&mut self) {
        // SAFETY: the handle came from GDALOpenEx and is closed once.
        unsafe { gdal_sys::GDALClose(self.handle) };
    }
}

/// GDAL's words without the server's paths and GDAL's own source lines.
fn public(text: &str, what: &Dataset) -> String {
    let folder = what.path.parent().map(|p| format!("{}/", p.display())).unwrap_or_default();
    let text = text.replace(&folder, "").replace("/vsimem/", "");
    match text.split_once(".cpp, ") {
        Some((_, rest)) => rest.split_once(": ").map_or(rest, |(_, said)| said).to_owned(),
        None => text,
    }
}

fn unreadable(what: &Dataset) -> Error {
    let cause = take_message().map(|(_, text)| public(&text, what)).unwrap_or_default();
    let format = what.format.name();
    let (zh_cause, en_cause) =
        if cause.is_empty() { (String::new(), String::new()) } else { (format!("：{cause}"), format!(": {cause}")) };
    Error::invalid(
        "file",
        format!("{} 无法按 {format} 读取{zh_cause}", what.name),
        format!("{} cannot be read as {format}{en_cause}", what.name),
    )
    .hint("文件可能已损坏或不完整", "the file may be damaged or incomplete")
}

fn refuse_entities(path: &Path) -> Result<()> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?;
    let finder = memchr::memmem::Finder::new(b"<!ENTITY");
    let mut buffer = vec![0u8; 1 << 20];
    let mut kept = 0;
    loop {
        let n = file.read(&mut buffer[kept..])?;
        if n == 0 {
            return Ok(());
        }
        let end = kept + n;
        if finder.find(&buffer[..end]).is_some() {
            return Err(Error::invalid(
                "file",
                "XML 中含有实体定义（<!ENTITY>），为安全起见拒绝读取",
                "the XML defines entities (<!ENTITY>), which is refused for safety",
            ));
        }
        // The last bytes stay, so that a match across two chunks is seen.
        kept = end.min(7);
        buffer.copy_within(end - kept..end, 0);
    }
}

impl OgrSource {
    pub fn open(dataset: &Dataset, work: &Path, encoding: Option<&'static Encoding>) -> Result<OgrSource> {
        prepare();
        let Some(driver) = driver(dataset.format) else {
            return Err(Error::unsupported("不支持的格式", "a format that is not supported"));
        };
        if let Some(limit) = size_limit(dataset.format)
            && std::fs::metadata(&dataset.path)?.len() > limit
        {
            let (format, mb) = (dataset.format.name(), limit >> 20);
            return Err(Error::too_large(
                format!("{format} 文件超过 {mb} MB，无法在内存限制内读取"),
                format!("the {format} file is over {mb} MB and cannot be read within the memory limit"),
            )
            .hint("请转换为 GeoPackage、GeoJSON 或 FlatGeobuf", "convert it to GeoPackage, GeoJSON or FlatGeobuf"));
        }
        if matches!(dataset.format, Format::Gml | Format::Kml | Format::Gpx | Format::Osm) {
            refuse_entities(&dataset.path)?;
        }
        let mut options = Vec::new();
        let mut staged = None;
        let mut path = dataset.path.clone();
        match dataset.format {
            Format::Shapefile => {
                let s = shapefile::stage(&dataset.path, work, encoding)?;
                path = s.shp.clone();
                options.extend(["ENCODING=", "ADJUST_TYPE=NO", "AUTO_REPACK=NO"]);
                staged = Some(s);
            }
            Format::Gml => options.extend(["WRITE_GFS=NO", "DOWNLOAD_SCHEMA=NO", "FORCE_SRS_DETECTION=YES"]),
            Format::GeoPackage => options.push("LIST_ALL_TABLES=NO"),
            _ => {}
        }
        let handle = open_raw(&path, driver, &options).ok_or_else(|| unreadable(dataset))?;
        let mut source = OgrSource {
            handle,
            format: dataset.format,
            heads: Vec::new(),
            encoding: encoding_rs::UTF_8,
            numbers: Vec::new(),
        };
        if let Some(s) = &staged {
            source.encoding = s.encoding;
        } else if let Some(e) = encoding {
            source.encoding = e;
        }
        source.list_layers(dataset, staged.as_ref());
        if dataset.format == Format::Gpx {
            source.drop_empty_layers();
        }
        if source.heads.is_empty() {
            return Err(Error::invalid(
                "file",
                format!("{} 中没有可读的图层", dataset.name),
                format!("{} holds no layer that can be read", dataset.name),
            ));
        }
        Ok(source)
    }

    fn list_layers(&mut self, dataset: &Dataset, staged: Option<&shapefile::Staged>) {
        // SAFETY: the handle is open; layers belong to it and live as long as it does.
        let count = unsafe { gdal_sys::GDALDatasetGetLayerCount(self.handle) };
        for number in 0..count {
            // SAFETY: as above; every call takes a layer of this data set.
            unsafe {
                let layer = gdal_sys::GDALDatasetGetLayer(self.handle, number);
                if layer.is_null() {
                    continue;
                }
                let name = match staged {
                    Some(_) => dataset.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
                    None => string(gdal_sys::OGR_L_GetName(layer)),
                };
                if matches!(self.format, Format::GeoPackage | Format::Sqlite) && name == "layer_styles" {
                    continue;
                }
                let rows = gdal_sys::OGR_L_GetFeatureCount(layer, 0);
                let crs = match staged {
                    Some(s) => s.prj.clone(),
                    None => wkt(gdal_sys::OGR_L_GetSpatialRef(layer)),
                };
                let mut notes = staged.map(|s| s.notes.clone()).unwrap_or_default();
                let geometries = gdal_sys::OGR_FD_GetGeomFieldCount(gdal_sys::OGR_L_GetLayerDefn(layer));
                if geometries > 1 {
                    notes.push(Note::new(
                        format!("有 {geometries} 个几何字段，只读取第一个"),
                        format!("it has {geometries} geometry fields; only the first is read"),
                    ));
                }
                self.heads.push(LayerHead {
                    name,
                    crs,
                    encoding: staged.map(|s| s.encoding_found.clone()).unwrap_or_else(|| self.own_encoding()),
                    rows: u64::try_from(rows).ok(),
                    notes,
                    hints: Vec::new(),
                });
                self.numbers.push(number);
            }
        }
        take_message();
    }

    /// GPX always has five layers; the empty ones are no part of the upload.
    fn drop_empty_layers(&mut self) {
        let filled: Vec<bool> = self
            .numbers
            .iter()
            .map(|number| {
                // SAFETY: the numbers are this data set's; the feature is ours and destroyed at once.
                unsafe {
                    let layer = gdal_sys::GDALDatasetGetLayer(self.handle, *number);
                    gdal_sys::OGR_L_ResetReading(layer);
                    let feature = gdal_sys::OGR_L_GetNextFeature(layer);
                    if feature.is_null() {
                        return false;
                    }
                    gdal_sys::OGR_F_Destroy(feature);
                    true
                }
            })
            .collect();
        take_message();
        if filled.contains(&true) {
            let mut keep = filled.iter();
            self.heads.retain(|_| keep.next().copied().unwrap_or(true));
            let mut keep = filled.iter();
            self.numbers.retain(|_| keep.next().copied().unwrap_or(true));
        }
    }

    fn own_encoding(&self) -> EncodingFound {
        match self.format {
            Format::MapInfo => encoding::found(
                self.encoding,
                "按文件内 Charset 声明转为 UTF-8",
                "converted to UTF-8 by the charset the file declares",
            ),
            Format::Dxf => encoding::found(
                self.encoding,
                "按 DXF 代码页转为 UTF-8",
                "converted to UTF-8 by the code page the DXF declares",
            ),
            _ => encoding::found(self.encoding, "该格式规定的编码", "the encoding this format prescribes"),
        }
    }
}

fn open_raw(path: &Path, driver: &str, options: &[&str]) -> Option<gdal_sys::GDALDatasetH> {
    use std::os::unix::ffi::OsStrExt;
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let driver = CString::new(driver).ok()?;
    let options: Vec<CString> = options.iter().filter_map(|o| CString::new(*o).ok()).collect();
    let mut option_list: Vec<*const c_char> = options.iter().map(|o| o.as_ptr()).collect();
    option_list.push(std::ptr::null());
    let drivers = [driver.as_ptr(), std::ptr::null()];
    // GDAL_OF_VECTOR and GDAL_OF_VERBOSE_ERROR, macros that the bindings lack; read-only is zero.
    let flags = 0x04 | 0x40;
    take_message();
    // SAFETY: all lists are NULL-terminated and outlive the call.
    let handle =
        unsafe { gdal_sys::GDALOpenEx(path.as_ptr(), flags, drivers.as_ptr(), option_list.as_ptr(), std::ptr::null()) };
    (!handle.is_null()).then_some(handle)
}

/// Copies a string that GDAL owns.
unsafe fn string(text: *const c_char) -> String {
    // SAFETY: by contract of the callers, GDAL returned it: NULL or NUL-terminated.
    unsafe { if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() } }
}

unsafe fn wkt(srs: gdal_sys::OGRSpatialReferenceH) -> Option<String> {
    if srs.is_null() {
        return None;
    }
    let mut out: *mut c_char = std::ptr::null_mut();
    // SAFETY: the reference belongs to an open layer; the text is ours to free.
    unsafe {
        if gdal_sys::OSRExportToWktEx(srs, &mut out, [c"FORMAT=WKT2".as_ptr(), std::ptr::null()].as_ptr()) != 0 {
            return None;
        }
        let text = string(out);
        gdal_sys::VSIFree(out.cast());
        (!text.is_empty()).then_some(text)
    }
}

impl Source for OgrSource {
    fn format(&self) -> &str {
        self.format.name()
    }
    fn layers(&self) -> &[LayerHead] {
        &self.heads
    }
    fn rows(&mut self, layer: usize) -> Result<Box<dyn Rows + '_>> {
        let number = *self
            .numbers
            .get(layer)
            .ok_or_else(|| Error::invalid("index", "没有这个图层", "there is no such layer"))?;
        // SAFETY: the number is one of this data set's; the layer lives as long as the borrowed source.
        let handle = unsafe { gdal_sys::GDALDatasetGetLayer(self.handle, number) };
        let mut sql = false;
        let mut handle = handle;
        if self.format == Format::Osm {
            // Asked by SQL, the driver knows that the other layers' features need not be kept.
            let query = CString::new(format!("SELECT * FROM \"{}\"", self.heads[layer].name.replace('"', "")))
                .map_err(Error::internal)?;
            // SAFETY: the query is NUL-terminated; the result is released when the rows are dropped.
            handle = unsafe {
                gdal_sys::GDALDatasetExecuteSQL(self.handle, query.as_ptr(), std::ptr::null_mut(), std::ptr::null())
            };
            sql = true;
        }
        if handle.is_null() {
            return Err(Error::invalid("index", "没有这个图层", "there is no such layer"));
        }
        // SAFETY: the layer is open.
        let (fields, mut types) = unsafe {
            gdal_sys::OGR_L_ResetReading(handle);
            describe(gdal_sys::OGR_L_GetLayerDefn(handle), self.encoding)
        };
        if self.format == Format::GeoPackage {
            types.iter_mut().filter(|t| **t == Fetch::DateTime).for_each(|t| *t = Fetch::Utc);
        }
        take_message();
        Ok(Box::new(OgrRows {
            source: self,
            handle,
            sql,
            fields,
            types,
            wkb: Vec::new(),
            number: 0,
            total: self.heads[layer].rows.unwrap_or(0),
            ended: false,
        }))
    }
}

/// How a field's value is fetched.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fetch {
    Bool,
    Int,
    Float,
    Text,
    TextList,
    IntList,
    FloatList,
    Binary,
    Date,
    Time,
    DateTime,
    /// A moment that is UTC where no zone is said: so GeoPackage wants it (OGC 12-128r18, table 1).
    Utc,
}

unsafe fn describe(defn: gdal_sys::OGRFeatureDefnH, encoding: &'static Encoding) -> (Vec<SourceField>, Vec<Fetch>) {
    let (mut fields, mut types) = (Vec::new(), Vec::new());
    // SAFETY: the caller passes an open layer's definition; its fields live with it.
    unsafe {
        for i in 0..gdal_sys::OGR_FD_GetFieldCount(defn) {
            let field = gdal_sys::OGR_FD_GetFieldDefn(defn, i);
            let name = CStr::from_ptr(gdal_sys::OGR_Fld_GetNameRef(field)).to_bytes();
            let kind = gdal_sys::OGR_Fld_GetType(field);
            let (fetch, declared) = match kind {
                OGRFieldType::OFTInteger if gdal_sys::OGR_Fld_GetSubType(field) == OGRFieldSubType::OFSTBoolean => {
                    (Fetch::Bool, FieldType::Boolean)
                }
                OGRFieldType::OFTInteger | OGRFieldType::OFTInteger64 => (Fetch::Int, FieldType::Integer),
                OGRFieldType::OFTReal => (Fetch::Float, FieldType::Float),
                OGRFieldType::OFTStringList | OGRFieldType::OFTWideStringList => (Fetch::TextList, FieldType::Text),
                OGRFieldType::OFTIntegerList | OGRFieldType::OFTInteger64List => (Fetch::IntList, FieldType::Text),
                OGRFieldType::OFTRealList => (Fetch::FloatList, FieldType::Text),
                OGRFieldType::OFTBinary => (Fetch::Binary, FieldType::Text),
                OGRFieldType::OFTDate => (Fetch::Date, FieldType::Date),
                OGRFieldType::OFTTime => (Fetch::Time, FieldType::Text),
                OGRFieldType::OFTDateTime => (Fetch::DateTime, FieldType::Timestamp),
                _ => (Fetch::Text, FieldType::Text),
            };
            let mut out =
                SourceField::new(encoding::decode(name, encoding).0, string(gdal_sys::OGR_GetFieldTypeName(kind)));
            out.width = u32::try_from(gdal_sys::OGR_Fld_GetWidth(field)).ok().filter(|w| *w > 0);
            out.declared = Some(declared);
            if fetch == Fetch::Float && out.width.is_some_and(|w| w > 18) && gdal_sys::OGR_Fld_GetPrecision(field) == 0
            {
                out.notes.push(Note::new(
                    "宽度超过 18 位的整数按浮点数读取，末位可能不准",
                    "integers wider than 18 digits are read as floats; their last digits may be off",
                ));
            }
            fields.push(out);
            types.push(fetch);
        }
    }
    (fields, types)
}

struct OgrRows<'a> {
    source: &'a OgrSource,
    handle: gdal_sys::OGRLayerH,
    sql: bool,
    fields: Vec<SourceField>,
    types: Vec<Fetch>,
    wkb: Vec<u8>,
    number: u64,
    total: u64,
    ended: bool,
}

impl Drop for OgrRows<'_> {
    fn drop(&mut self) {
        if self.sql {
            // SAFETY: the result set came from this data set's ExecuteSQL and is released once.
            unsafe { gdal_sys::GDALDatasetReleaseResultSet(self.source.handle, self.handle) };
        }
    }
}

impl Rows for OgrRows<'_> {
    fn next(&mut self, row: &mut Row) -> Result<Next> {
        if self.ended {
            return Ok(Next::End);
        }
        // SAFETY: the layer is open; the feature is ours and destroyed below.
        let feature = unsafe { gdal_sys::OGR_L_GetNextFeature(self.handle) };
        let message = take_message().filter(|(class, _)| *class >= 3).map(|(_, text)| text);
        if feature.is_null() {
            self.ended = true;
            // An error here means that the rest of the file is beyond reach: that is not the same as its end.
            return Ok(message.map_or(Next::End, Next::Failed));
        }
        self.number += 1;
        row.clear(self.number);
        // SAFETY: the feature lives until it is destroyed at the end of the block.
        unsafe {
            for (i, fetch) in self.types.iter().enumerate() {
                let cell = cell(feature, i as c_int, *fetch, self.source.encoding, &mut row.bad_texts);
                row.cells.push(cell);
            }
            geometry(gdal_sys::OGR_F_GetGeometryRef(feature), &mut self.wkb, row);
            gdal_sys::OGR_F_Destroy(feature);
        }
        if let (Shape::Null, Some(text)) = (&row.shape, message) {
            row.shape = Shape::Unreadable(text);
        }
        Ok(Next::Row)
    }
    fn fields(&self) -> &[SourceField] {
        &self.fields
    }
    fn progress(&self) -> (u64, u64) {
        (self.number, self.total.max(self.number))
    }
}

unsafe fn cell(f: gdal_sys::OGRFeatureH, i: c_int, fetch: Fetch, encoding: &'static Encoding, bad: &mut u32) -> Cell {
    // SAFETY: the caller passes a live feature and an index within its definition; texts are copied before it goes.
    unsafe {
        if gdal_sys::OGR_F_IsFieldSetAndNotNull(f, i) == 0 {
            return Cell::Null;
        }
        match fetch {
            Fetch::Bool => Cell::Bool(gdal_sys::OGR_F_GetFieldAsInteger(f, i) != 0),
            Fetch::Int => Cell::Int(gdal_sys::OGR_F_GetFieldAsInteger64(f, i)),
            Fetch::Float => Cell::Float(gdal_sys::OGR_F_GetFieldAsDouble(f, i)),
            Fetch::Text => {
                let text = gdal_sys::OGR_F_GetFieldAsString(f, i);
                if text.is_null() {
                    return Cell::Null;
                }
                let (text, replaced) = encoding::decode(CStr::from_ptr(text).to_bytes(), encoding);
                *bad += u32::from(replaced);
                Cell::Text(text.into_owned())
            }
            Fetch::TextList | Fetch::IntList | Fetch::FloatList | Fetch::Binary => list(f, i, fetch),
            Fetch::Date | Fetch::Time | Fetch::DateTime | Fetch::Utc => moment(f, i, fetch),
        }
    }
}

/// Lists become JSON arrays, bytes become hexadecimal.
unsafe fn list(f: gdal_sys::OGRFeatureH, i: c_int, fetch: Fetch) -> Cell {
    let mut n: c_int = 0;
    // SAFETY: as in `cell`; GDAL gives the length of what it points to.
    unsafe {
        let value = match fetch {
            Fetch::TextList => {
                let texts = gdal_sys::OGR_F_GetFieldAsStringList(f, i);
                let n = if texts.is_null() { 0 } else { gdal_sys::CSLCount(texts.cast()) };
                (0..n).map(|k| string(*texts.add(k as usize)).into()).collect::<Vec<serde_json::Value>>()
            }
            Fetch::IntList => {
                let values = gdal_sys::OGR_F_GetFieldAsInteger64List(f, i, &mut n);
                (0..n).map(|k| (*values.add(k as usize)).into()).collect()
            }
            Fetch::FloatList => {
                let values = gdal_sys::OGR_F_GetFieldAsDoubleList(f, i, &mut n);
                (0..n).map(|k| (*values.add(k as usize)).into()).collect()
            }
            _ => {
                let bytes = gdal_sys::OGR_F_GetFieldAsBinary(f, i, &mut n);
                if bytes.is_null() || n <= 0 {
                    return Cell::Text(String::new());
                }
                return Cell::Text(hex::encode(std::slice::from_raw_parts(bytes.cast::<u8>(), n as usize)));
            }
        };
        Cell::Text(serde_json::Value::Array(value).to_string())
    }
}

unsafe fn moment(f: gdal_sys::OGRFeatureH, i: c_int, fetch: Fetch) -> Cell {
    let (mut y, mut mo, mut d, mut h, mut mi, mut zone) = (0, 0, 0, 0, 0, 0);
    let mut s = 0f32;
    // SAFETY: as in `cell`; all results are written to locals.
    let ok = unsafe {
        gdal_sys::OGR_F_GetFieldAsDateTimeEx(f, i, &mut y, &mut mo, &mut d, &mut h, &mut mi, &mut s, &mut zone)
    };
    if ok == 0 {
        return Cell::Null;
    }
    if fetch == Fetch::Time {
        return Cell::Text(format!("{h:02}:{mi:02}:{s:06.3}").trim_end_matches(".000").to_owned());
    }
    let Some(days) = super::fields::days(i64::from(y), mo as u32, d as u32) else { return Cell::Null };
    if fetch == Fetch::Date {
        return Cell::Date(days);
    }
    // GDAL's flag: 100 is UTC, each unit a quarter hour; without a zone it is China's time, unless the format says otherwise.
    let quarters = match zone {
        2.. => i64::from(zone) - 100,
        _ if fetch == Fetch::Utc => 0,
        _ => 32,
    };
    let seconds = i64::from(days) * 86_400 + i64::from(h) * 3600 + i64::from(mi) * 60 - quarters * 900;
    Cell::Timestamp(seconds * 1_000_000 + (f64::from(s) * 1000.0).round() as i64 * 1000)
}

/// Takes the geometry over as flat columns; curves become chords, surfaces become polygons.
///
/// # Safety
/// `g` is null, or a geometry that lives for the call.
pub unsafe fn geometry(g: gdal_sys::OGRGeometryH, wkb: &mut Vec<u8>, row: &mut Row) {
    if g.is_null() {
        return;
    }
    row.geometry.clear(Kind::Point);
    // SAFETY: the caller passes a live geometry; the clones made here are destroyed here; the buffer has the size GDAL asks for.
    unsafe {
        let flat = gdal_sys::OGR_GT_Flatten(gdal_sys::OGR_G_GetGeometryType(g));
        let mut own: gdal_sys::OGRGeometryH = std::ptr::null_mut();
        if matches!(flat, 15..=17) {
            own = gdal_sys::OGR_G_ForceToMultiPolygon(gdal_sys::OGR_G_Clone(g));
        } else if flat >= 8 || flat == 7 && gdal_sys::OGR_G_HasCurveGeometry(g, 1) != 0 {
            row.curved = gdal_sys::OGR_G_HasCurveGeometry(g, 1) != 0;
            own = gdal_sys::OGR_G_GetLinearGeometry(g, 0.0, std::ptr::null_mut());
        }
        let shape = if own.is_null() { g } else { own };
        wkb.resize(gdal_sys::OGR_G_WkbSize(shape) as usize, 0);
        let code = gdal_sys::OGR_G_ExportToIsoWkb(shape, OGRwkbByteOrder::wkbNDR, wkb.as_mut_ptr());
        if !own.is_null() {
            gdal_sys::OGR_G_DestroyGeometry(own);
        }
        if code != 0 {
            row.shape = Shape::Unreadable(take_message().map_or_else(|| "unknown geometry".to_owned(), |m| m.1));
            return;
        }
    }
    row.shape = match row.geometry.read_wkb(wkb) {
        Err(why) => Shape::Unreadable(why.to_owned()),
        Ok(()) if row.geometry.is_empty() => Shape::Empty,
        Ok(()) => Shape::Present,
    };
}
