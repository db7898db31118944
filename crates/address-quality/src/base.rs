//! Bases of addresses: CSV files, plain or compressed, in one of three layouts that their header tells apart.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::row::{FIELDS, Field, Kind, Row};

#[derive(Default)]
pub struct Base {
    pub name: String,
    pub rows: Vec<Row>,
    /// The keys that labelled queries use, by row; empty where the file has none.
    pub keys: FxHashMap<String, u32>,
}

/// A file of a base, unpacked while it is read.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(1 << 20, File::open(path)?);
    Ok(match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Some("zst") => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
            // Large archives are packed with a window of 128 MB.
            decoder.window_log_max(27)?;
            Box::new(decoder)
        }
        _ => Box::new(file),
    })
}

/// The columns of one record by the names of the header.
pub(crate) struct Columns {
    at: FxHashMap<String, usize>,
}

impl Columns {
    pub(crate) fn of(header: &csv::StringRecord) -> Columns {
        let at =
            header.iter().enumerate().map(|(at, name)| (name.trim_start_matches('\u{feff}').to_owned(), at)).collect();
        Columns { at }
    }
    pub(crate) fn get<'a>(&self, record: &'a csv::StringRecord, name: &str) -> &'a str {
        self.at.get(name).and_then(|&at| record.get(at)).unwrap_or("")
    }
    pub(crate) fn has(&self, name: &str) -> bool {
        self.at.contains_key(name)
    }
}

impl Base {
    /// Reads files of the same layout as one base. `keep` is asked for each row's number; what it refuses is left out.
    pub fn read(name: &str, paths: &[&Path], keep: &dyn Fn(usize) -> bool) -> io::Result<Base> {
        let mut base = Base { name: name.to_owned(), ..Base::default() };
        for path in paths {
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(open(path)?);
            let columns = Columns::of(reader.headers()?);
            let mut seen = FxHashSet::default();
            let mut record = csv::StringRecord::new();
            let mut number = 0;
            while reader.read_record(&mut record)? {
                number += 1;
                if keep(number - 1) {
                    base.take(&columns, &record, &mut seen);
                }
            }
        }
        Ok(base)
    }

    fn take(&mut self, columns: &Columns, record: &csv::StringRecord, seen: &mut FxHashSet<String>) {
        if columns.has("FULL_ADDR") {
            self.rows.extend(door_plate(columns, record, seen));
        } else if columns.has("adname") {
            self.rows.extend(poi(columns, record));
        } else if let Some(row) = plain(columns, record) {
            self.keys.insert(columns.get(record, "id").to_owned(), self.rows.len() as u32);
            self.rows.push(row);
        }
    }
}

fn place(columns: &Columns, record: &csv::StringRecord, lon: &str, lat: &str) -> Option<(f64, f64)> {
    Some((columns.get(record, lon).parse().ok()?, columns.get(record, lat).parse().ok()?))
}

/// `id,kind,province,…,lon,lat,full`: each part in its column.
fn plain(columns: &Columns, record: &csv::StringRecord) -> Option<Row> {
    const NAMES: [&str; FIELDS] = [
        "province",
        "city",
        "district",
        "street",
        "community",
        "road",
        "lane",
        "number",
        "compound",
        "building",
        "unit",
        "room",
        "poi",
    ];
    let parts = NAMES.map(|name| columns.get(record, name));
    Row::new(
        Kind::of_name(columns.get(record, "kind"))?,
        place(columns, record, "lon", "lat")?,
        parts,
        columns.get(record, "full"),
    )
}

/// `FULL_ADDR,…,X,Y`: door plates of Taiwan. Floors of a door that was there before are left out.
fn door_plate(columns: &Columns, record: &csv::StringRecord, seen: &mut FxHashSet<String>) -> Option<Row> {
    let get = |name| columns.get(record, name);
    let full = get("FULL_ADDR");
    let (city, rest) = full.split_at_checked("臺北市".len())?;
    let district = rest.find(['區', '鄉', '鎮']).map(|at| &rest[..at + "區".len()])?;
    let rest = &rest[district.len()..];
    let community = rest.find(['里', '村']).map_or("", |at| &rest[..at + "里".len()]);
    let road = format!("{}{}", get("ROAD"), get("SECTION"));
    let lane = format!("{}{}{}", get("LANE"), get("ALLEY"), get("SUB_ALLEY"));
    let number = get("NUMBER");
    let number = &number[..number.find('號')? + "號".len()];
    if road.is_empty() {
        return None;
    }
    let door = format!("{city}{district}{community}{road}{lane}{number}");
    if !seen.insert(door.clone()) {
        return None;
    }
    let mut parts = [""; FIELDS];
    let set = [
        (Field::City, city),
        (Field::District, district),
        (Field::Community, community),
        (Field::Road, &road),
        (Field::Lane, &lane),
        (Field::Number, number),
    ];
    for (field, text) in set {
        parts[field as usize] = text;
    }
    Row::new(Kind::Door, place(columns, record, "X", "Y")?, parts, &door)
}

/// `name,address,adname,…`: points of interest of a mainland city with an address in one text.
fn poi(columns: &Columns, record: &csv::StringRecord) -> Option<Row> {
    let get = |name| columns.get(record, name);
    let mut parts = [""; FIELDS];
    parts[Field::City as usize] = get("pname");
    parts[Field::District as usize] = get("adname");
    parts[Field::Poi as usize] = get("name");
    let (road, lane, number) = street_address(get("address")).unwrap_or_default();
    (parts[Field::Road as usize], parts[Field::Lane as usize], parts[Field::Number as usize]) = (road, lane, number);
    let full = format!("{}{}{road}{lane}{number}{}", get("pname"), get("adname"), get("name"));
    Row::new(Kind::Poi, place(columns, record, "lon", "lat")?, parts, &full)
}

/// Road, lane and number, where a text is nothing else: 淮海中路870号, 东新路88弄3号. What follows the number is left off.
fn street_address(text: &str) -> Option<(&str, &str, &str)> {
    let end = ["路", "街", "大道", "公路", "支路"].iter().filter_map(|t| text.find(t).map(|at| at + t.len())).min()?;
    let (road, rest) = text.split_at(end);
    if road.chars().any(|c| c.is_ascii_digit() || !c.is_alphanumeric()) || road.chars().count() > 8 {
        return None;
    }
    let lane = rest.find('弄').map_or("", |at| &rest[..at + "弄".len()]);
    let after = &rest[lane.len()..];
    let number = &after[..after.find('号')? + "号".len()];
    let digits = |t: &str| {
        t.starts_with(|c: char| c.is_ascii_digit())
            && t.chars().filter(|c| !c.is_ascii_digit() && *c != '-').count() == 1
    };
    (digits(number) && (lane.is_empty() || digits(lane))).then_some((road, lane, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Base {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Base::read("test", &[file.path()], &|_| true).unwrap()
    }

    #[test]
    fn plain_columns_are_read() {
        let base = read(
            "id,kind,province,city,district,street,community,road,lane,number,compound,building,unit,room,poi,lon,lat,full\n\
             q1,door,山东省,青岛市,市南区,,,江西路,,7号,,,,,,120.4,36.1,山东省青岛市市南区江西路7号\n\
             q2,what,,,,,,,,,,,,,,1,2,\n",
        );
        assert_eq!((base.rows.len(), base.keys["q1"]), (1, 0));
        assert_eq!((base.rows[0].get(Field::Road), base.rows[0].lat), ("江西路", 36.1));
    }

    #[test]
    fn floors_of_a_door_plate_are_one_row() {
        let head = "FULL_ADDR,COUNTY,TOWN,VILLAGE,NEIGHBORHOOD,ROAD,SECTION,LANE,ALLEY,SUB_ALLEY,TONG,NUMBER,X,Y\n";
        let row = |floor| {
            format!(
                "臺北市大安區德安里13鄰大安路一段175巷6號{floor},63,6300300,6300300-001,13鄰,大安路,一段,175巷,,,,6號{floor},121.5,25.0\n"
            )
        };
        let base = read(&format!("{head}{}{}", row("七樓"), row("八樓")));
        assert_eq!(base.rows.len(), 1);
        let row = &base.rows[0];
        assert_eq!(Field::ALL.map(|f| row.get(f)).concat(), "臺北市大安區德安里大安路一段175巷6號");
        assert_eq!((row.get(Field::Road), row.get(Field::Community)), ("大安路一段", "德安里"));
    }

    #[test]
    fn street_addresses_are_split() {
        assert_eq!(street_address("淮海中路99号大上海时代广场6层"), Some(("淮海中路", "", "99号")));
        assert_eq!(street_address("东新路88弄3号"), Some(("东新路", "88弄", "3号")));
        assert_eq!(street_address("淮海路与西藏路交叉口"), None);
        assert_eq!(street_address("地铁2号线"), None);
    }
}
