//! CSV: a header, then rows at a longitude and latitude, in WKT, or at an address.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use csv::StringRecord;
use geo::{Geometry, Point};

use super::input::{Given, MOST_OF_ROW, Place, Row, Source};
use super::{Columns, Problem};
use crate::error::{Error, Result};

pub const MOST_COLUMNS: usize = 1000;

/// Where the place stands in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Xy(usize, usize),
    Wkt(usize),
    Address(usize),
}

const LON: [&str; 8] = ["lon", "lng", "longitude", "经度", "x", "jd", "x坐标", "东经"];
const LAT: [&str; 8] = ["lat", "latitude", "纬度", "y", "wd", "y坐标", "北纬", "lat_wgs84"];
const WKT: [&str; 5] = ["wkt", "geom", "geometry", "the_geom", "几何"];

impl At {
    /// By the columns that are named, else by names that are usual.
    pub fn of(header: &StringRecord, named: &Columns) -> Result<At> {
        let find = |name: &str| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name.trim()));
        let given = |name: &str, parameter: &str| {
            find(name).ok_or_else(|| {
                let shown: String = name.chars().take(60).collect();
                let all: Vec<String> = header.iter().take(30).map(|c| c.chars().take(30).collect()).collect();
                Error::invalid(parameter, format!("没有列 {shown}"), format!("there is no column {shown}"))
                    .hint(format!("列：{}", all.join("、")), format!("the columns are {}", all.join(", ")))
            })
        };
        match (&named.address, &named.wkt, &named.lon, &named.lat) {
            (Some(address), None, None, None) => return Ok(At::Address(given(address, "address")?)),
            (None, Some(wkt), None, None) => return Ok(At::Wkt(given(wkt, "wkt")?)),
            (None, None, Some(lon), Some(lat)) => return Ok(At::Xy(given(lon, "lon")?, given(lat, "lat")?)),
            (None, None, None, None) => {}
            _ => {
                let (zh, en) = ("请给出 lon 与 lat，或 wkt，或 address", "give lon and lat, or wkt, or address");
                return Err(Error::invalid("lon", zh, en));
            }
        }
        let usual = |names: &[&str]| names.iter().find_map(|name| find(name));
        match (usual(&LON), usual(&LAT), usual(&WKT)) {
            (Some(lon), Some(lat), _) => Ok(At::Xy(lon, lat)),
            (_, _, Some(wkt)) => Ok(At::Wkt(wkt)),
            _ => Err(Error::invalid("lon", "找不到坐标列", "no columns of coordinates were found").hint(
                "用 lon= 与 lat=，或 wkt=，或 address= 指明列名",
                "name them by lon= and lat=, or wkt=, or address=",
            )),
        }
    }

    /// The place of a record.
    pub fn place(self, record: &StringRecord) -> Result<Place, Problem> {
        let text = |column: usize| record.get(column).unwrap_or_default().trim();
        let number = |column: usize| {
            text(column).parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(|| {
                let shown: String = text(column).chars().take(40).collect();
                match shown.is_empty() {
                    true => Problem::new("empty", "没有坐标", "it has no coordinates"),
                    false => Problem::new(
                        "not-a-number",
                        format!("坐标“{shown}”不是数字"),
                        format!("the coordinate “{shown}” is no number"),
                    ),
                }
            })
        };
        match self {
            At::Xy(lon, lat) => Ok(Place::Geometry(Geometry::Point(Point::new(number(lon)?, number(lat)?)))),
            At::Wkt(column) => {
                onemap_spatial::wkt::read(text(column)).map(Place::Geometry).ok_or_else(|| {
                    match text(column).is_empty() {
                        true => Problem::new("empty", "没有几何", "it has no geometry"),
                        false => Problem::new("not-wkt", "几何不是 WKT", "the geometry is no well-known text"),
                    }
                })
            }
            At::Address(column) => match text(column) {
                "" => Err(Problem::new("empty", "没有地址", "it has no address")),
                address => Ok(Place::Address(address.to_owned())),
            },
        }
    }
}

/// The place of a record that is as wide as its header.
pub fn at_place(at: At, record: &StringRecord, header: &StringRecord) -> Result<Place, Problem> {
    match record.len() == header.len() {
        true => at.place(record),
        false => Err(Problem::new(
            "ragged",
            format!("有 {} 列，表头有 {} 列", record.len(), header.len()),
            format!("it has {} columns, the header has {}", record.len(), header.len()),
        )),
    }
}

pub struct Delimited<R> {
    records: csv::Reader<Bounded<R>>,
    header: StringRecord,
    at: At,
    used: Rc<Cell<usize>>,
}

/// A reader that gives up in the middle of a row that has no end: a quotation mark that is never closed would take everything into memory.
struct Bounded<R> {
    input: R,
    used: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.used.get() > MOST_OF_ROW {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row is too long"));
        }
        let count = self.input.read(out)?;
        self.used.set(self.used.get() + count);
        Ok(count)
    }
}

impl<R: Read> Delimited<R> {
    pub fn open(input: R, columns: &Columns) -> Result<Delimited<R>> {
        let used = Rc::new(Cell::new(0));
        let mut records = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(true)
            .from_reader(Bounded { input, used: used.clone() });
        let header = records.headers().map_err(|e| {
            let (zh, en) = ("CSV 的表头无法读取", "the header of the csv cannot be read");
            Error::invalid("body", zh, en).because(e)
        })?;
        let header = header.clone();
        if header.is_empty() || header.len() > MOST_COLUMNS {
            let (zh, en) = ("CSV 应有 1 到 1000 列", "a csv has 1 to 1,000 columns");
            return Err(Error::invalid("body", zh, en));
        }
        let at = At::of(&header, columns)?;
        Ok(Delimited { records, header, at, used })
    }
}

impl<R: Read> Source for Delimited<R> {
    fn header(&self) -> Option<&StringRecord> {
        Some(&self.header)
    }

    fn next(&mut self) -> Result<Option<Row>, Problem> {
        let mut record = StringRecord::new();
        self.used.set(0);
        match self.records.read_record(&mut record) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(e) => {
                let line = e.position().map_or_else(|| self.records.position().line(), csv::Position::line);
                return Err(Problem::new(
                    "unreadable",
                    format!("第 {line} 行起无法读取：引号没有成对，或内容没有完整到达"),
                    format!(
                        "from line {line} on it cannot be read: a quotation mark is missing, or the body was cut short"
                    ),
                ));
            }
        }
        let place = at_place(self.at, &record, &self.header);
        Ok(Some(Row { given: Given::Record(record), place }))
    }
}
