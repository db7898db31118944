//! Shapefiles in a ZIP archive (ESRI, July 1998; dBase III). A shapefile holds one kind of geometry, fixed columns and names of ten
//! bytes, and says its length in its first bytes: so rows lie in scratch files until the last has come, one set for each kind, and a
//! report in the archive says what a shapefile had no room for.

mod dbf;
mod names;
mod part;
mod report;
mod shp;

use part::{Part, Volume};
use report::Report;

use crate::shape::{Kind, Shape};
use crate::table::Table;
use crate::zipped::Zipped;
use crate::{Error, Result, Row, Scratch, Value, Writer};

/// Fields of a dBase file that every reader takes.
const FIELDS: usize = 255;

/// How texts are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Gbk,
}

impl Encoding {
    /// What stands in the `.cpg` file.
    fn cpg(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Gbk => "936",
        }
    }

    /// The language driver in the header of the `.dbf` file, for readers that know no `.cpg`.
    fn driver(self) -> u8 {
        match self {
            Encoding::Utf8 => 0,
            Encoding::Gbk => 0x4d,
        }
    }

    /// A character's bytes; none when the encoding does not have it.
    fn encode(self, c: char, buffer: &mut [u8; 4]) -> Option<usize> {
        let text = c.encode_utf8(buffer);
        if self == Encoding::Utf8 || c.is_ascii() {
            return Some(text.len());
        }
        let (bytes, _, lossy) = encoding_rs::GBK.encode(text);
        if lossy {
            return None;
        }
        let bytes: [u8; 2] = bytes[..].try_into().ok()?;
        buffer[..2].copy_from_slice(&bytes);
        Some(2)
    }
}

/// What tells one shapefile of a layer from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Point,
    MultiPoint,
    Line,
    Polygon,
    /// Features without geometry: a table alone.
    None,
}

impl Group {
    fn of(kind: Kind) -> Group {
        match kind {
            Kind::Point => Group::Point,
            Kind::MultiPoint => Group::MultiPoint,
            Kind::Line | Kind::MultiLine => Group::Line,
            Kind::Polygon | Kind::MultiPolygon => Group::Polygon,
            Kind::Collection => Group::None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Group::Point => "point",
            Group::MultiPoint => "multipoint",
            Group::Line => "line",
            Group::Polygon => "polygon",
            Group::None => "nogeometry",
        }
    }
}

pub struct Shapefile {
    table: Table,
    encoding: Encoding,
    names: Vec<String>,
    scratch: Scratch,
    most: u64,
    parts: Vec<Part>,
    zip: Zipped,
    report: Report,
    /// What is still to be put into the archive; none until the last row has come.
    left: Option<std::vec::IntoIter<Volume>>,
    current: Option<part::Packing>,
    over: bool,
}

impl Shapefile {
    pub fn new(table: Table, encoding: Encoding, scratch: Scratch) -> Result<Self> {
        let count = table.columns.len() + 1;
        if count > FIELDS {
            return Err(Error::Fields(FIELDS - 1));
        }
        let id = table.id_column();
        let originals = std::iter::once(id.as_str()).chain(table.columns.iter().map(|c| c.name.as_str()));
        let names = names::short(originals, encoding);
        Ok(Shapefile {
            table,
            encoding,
            names,
            scratch,
            most: part::MOST,
            parts: vec![],
            zip: Zipped::new(),
            report: Report::default(),
            left: None,
            current: None,
            over: false,
        })
    }

    /// The group of features without a geometry: a null shape among the others where all are of one kind.
    fn declared(&self) -> Group {
        self.table.geometry.and_then(|g| g.kind).map_or(Group::None, Group::of)
    }

    fn put(&mut self, group: Group, shape: Option<&Shape>, cells: &[Value<'_>]) -> Result<()> {
        let z = match shape {
            Some(shape) => shape.has_z(),
            None => self.table.geometry.is_some_and(|g| g.z == Some(true)),
        };
        let at = match self.parts.iter().position(|p| p.group == group && p.z == z) {
            Some(at) => at,
            None => {
                let suffix = if group == self.declared() { String::new() } else { format!("_{}", group.name()) };
                let plain = self.table.geometry.is_none_or(|g| g.z.is_some());
                let suffix = if z && !plain { format!("{suffix}_z") } else { suffix };
                let stem = format!("{}{suffix}", self.table.id);
                self.parts.push(Part::new(stem, group, z, &self.table));
                self.parts.len() - 1
            }
        };
        self.parts[at].put(shape, cells, (self.encoding, self.most), (&mut self.scratch, &mut self.report))
    }

    /// A collection falls apart into its members, each with the feature's fields.
    fn place(&mut self, shape: &Shape, cells: &[Value<'_>]) -> Result<()> {
        if shape.kind != Kind::Collection {
            return self.put(Group::of(shape.kind), Some(shape), cells);
        }
        shape.members.iter().filter(|m| !m.is_empty()).try_for_each(|member| self.place(member, cells))
    }

    /// The last entry: what was changed, if anything was.
    fn conclude(&mut self) -> Result<()> {
        if let Some(text) = self.report.text(&self.table) {
            self.zip.entry("report.txt")?;
            self.zip.write("\u{feff}".as_bytes())?;
            self.zip.write(text.as_bytes())?;
        }
        self.zip.finish()
    }
}

impl Writer for Shapefile {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.zip.entry("fields.csv")?;
        self.zip.write(&names::mapping(&self.table, &self.names))?;
        // Closes the entry, so that its bytes are on their way before the first row is.
        self.zip.entry("README.txt")?;
        self.zip.write(report::readme(&self.table, self.encoding).as_bytes())?;
        self.zip.drain(out);
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, _: &mut Vec<u8>) -> Result<()> {
        let mut cells = Vec::with_capacity(row.values.len() + 1);
        cells.push(Value::Integer(row.id));
        cells.extend_from_slice(row.values);
        match row.shape() {
            Some(shape) => {
                self.report.collections += u64::from(shape.kind == Kind::Collection);
                self.report.measured += u64::from(shape.measured);
                self.place(shape, &cells)
            }
            None => self.put(self.declared(), None, &cells),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        if self.over {
            return Ok(false);
        }
        if self.left.is_none() {
            if self.parts.is_empty() {
                // An empty layer is a shapefile too.
                let z = self.table.geometry.is_some_and(|g| g.z == Some(true));
                self.parts.push(Part::new(self.table.id.clone(), self.declared(), z, &self.table));
            }
            let mut volumes = vec![];
            for part in self.parts.drain(..) {
                volumes.extend(part.volumes(&mut self.scratch)?);
            }
            self.report.volumes = volumes.iter().filter(|v| v.number > 1).count() as u64;
            self.left = Some(volumes.into_iter());
        }
        if self.current.is_none() {
            let next = self.left.as_mut().and_then(Iterator::next);
            self.current = match next {
                Some(volume) => Some(volume.pack(&self.table, self.encoding, &self.names, &mut self.report)?),
                None => None,
            };
        }
        match self.current.as_mut() {
            Some(packing) => {
                if !packing.step(&mut self.zip)? {
                    self.current = None;
                }
            }
            None => {
                self.conclude()?;
                self.over = true;
            }
        }
        self.zip.drain(out);
        Ok(!self.over)
    }

    fn spooled(&self) -> u64 {
        self.parts.iter().map(Part::spooled).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::table::{Column, Crs, Geometry, Type};

    /// Points with a text each, in volumes of 2,000 bytes.
    fn volumes<'a>(texts: impl Iterator<Item = &'a str>) -> zip::ZipArchive<std::io::Cursor<Vec<u8>>> {
        let crs = Crs {
            epsg: Some(4490),
            name: "CGCS2000".into(),
            wkt: String::new(),
            esri: String::new(),
            geographic: true,
            shifted: None,
        };
        let table = Table {
            id: "a".into(),
            title: "a".into(),
            description: String::new(),
            columns: vec![Column { name: "n".into(), kind: Type::Text, title: String::new() }],
            geometry: Some(Geometry { kind: Some(Kind::Point), z: Some(false) }),
            crs,
        };
        let mut writer = Shapefile::new(table, Encoding::Utf8, Box::new(tempfile::tempfile)).unwrap();
        writer.most = 2_000;
        let mut out = vec![];
        writer.begin(&mut out).unwrap();
        for (id, text) in (1..).zip(texts) {
            let shape = Shape { positions: vec![[id as f64, 0.0]], ..Shape::default() };
            writer.row(&Row { id, shape: Some(&shape), values: &[Value::Text(text)] }, &mut out).unwrap();
        }
        while writer.end(&mut out).unwrap() {}
        zip::ZipArchive::new(std::io::Cursor::new(out)).unwrap()
    }

    #[test]
    fn what_a_volume_has_no_room_for_is_in_the_next() {
        let mut zip = volumes(std::iter::repeat_n("twelve bytes", 200));
        let (mut records, mut volumes) = (0, 0);
        for stem in ["a", "a_2", "a_3"] {
            let mut read = |extension: &str| {
                let mut bytes = vec![];
                zip.by_name(&format!("{stem}.{extension}")).unwrap().read_to_end(&mut bytes).unwrap();
                bytes
            };
            let (shp, shx, dbf) = (read("shp"), read("shx"), read("dbf"));
            assert!(shp.len() <= 2_000 && dbf.len() <= 2_000, "{stem}: {} {}", shp.len(), dbf.len());
            let count = u32::from_le_bytes(dbf[4..8].try_into().unwrap());
            // A record of a point has 28 bytes, and the first of each volume is number 1.
            assert_eq!((shp.len(), shx.len()), (100 + 28 * count as usize, 100 + 8 * count as usize));
            assert_eq!(shp[100..104], 1i32.to_be_bytes());
            records += count;
            volumes += 1;
        }
        assert_eq!((records, volumes), (200, 3));
        let mut report = String::new();
        zip.by_name("report.txt").unwrap().read_to_string(&mut report).unwrap();
        assert!(report.contains("2 further volumes"), "{report}");
    }

    #[test]
    fn a_text_that_widens_all_rows_before_it_is_in_the_next_volume() {
        let long = "x".repeat(200);
        let mut zip = volumes(std::iter::repeat_n("a", 50).chain([&long[..]]));
        for (stem, wanted) in [("a", 50), ("a_2", 1)] {
            let mut dbf = vec![];
            zip.by_name(&format!("{stem}.dbf")).unwrap().read_to_end(&mut dbf).unwrap();
            let count = u32::from_le_bytes(dbf[4..8].try_into().unwrap());
            assert!(dbf.len() <= 2_000 && count == wanted, "{stem}: {} bytes, {count}", dbf.len());
        }
    }
}
