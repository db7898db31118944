//! Every format is read back by GDAL, and where there is one by a second reader, and must say what was written.

mod world;

use std::collections::BTreeMap;
use std::io::Read;
use std::process::Command;

use onemap_formats::{
    Csv, Encoding, FlatGeobuf, GeoPackage, Geometry, GeometryColumns, Kind, Shape, Shapefile, Type, Value, Workbook,
    Writer,
};
use serde_json::{Value as Json, json};
use world::{Feature, buildings, places, scratch, shape, table, write};

/// What GDAL reads, as features of GeoJSON in the file's own reference system.
fn gdal(path: &str, options: &[&str]) -> Vec<Json> {
    let run = Command::new("ogr2ogr")
        .args(["-f", "GeoJSONSeq", "-lco", "COORDINATE_PRECISION=9", "/vsistdout/"])
        .arg(path)
        .args(options)
        .output()
        .expect("ogr2ogr is there");
    let errors = String::from_utf8_lossy(&run.stderr);
    let text = String::from_utf8(run.stdout).expect("UTF-8");
    assert!(run.status.success(), "{path}: {errors}\n{text}");
    assert!(!errors.contains("ERROR"), "{path}: {errors}");
    text.lines().map(|line| serde_json::from_str(line.trim_start_matches('\u{1e}')).expect(line)).collect()
}

fn info(path: &str) -> String {
    let run = Command::new("ogrinfo").args(["-so", "-al", path]).output().expect("ogrinfo is there");
    String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr)
}

struct File {
    folder: tempfile::TempDir,
    name: String,
}

impl File {
    fn new(name: &str, bytes: &[u8]) -> File {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
        File { folder, name: name.to_owned() }
    }
    fn path(&self) -> String {
        self.folder.path().join(&self.name).to_string_lossy().into_owned()
    }
}

/// The values that a feature has, as GDAL's GeoJSON shows them.
fn property(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Text(v) => json!(v),
        Value::Integer(v) => json!(v),
        Value::Float(v) => json!(v),
        Value::Boolean(v) => json!(v),
        Value::Date(_) | Value::Timestamp(_) => json!(value.text().unwrap()),
    }
}

/// Numbers agree to the digits that GDAL writes.
fn same_value(read: &Json, wrote: &Json, what: &str) {
    match (read.as_f64(), wrote.as_f64()) {
        (Some(a), Some(b)) if wrote.is_f64() => assert!((a - b).abs() <= b.abs() * 1e-14, "{what}: {a} {b}"),
        _ => assert_eq!(read, wrote, "{what}"),
    }
}

fn same_geometry(got: &Json, wanted: &Feature, what: &str) {
    let mut read = vec![];
    numbers(&got["geometry"]["coordinates"], &mut read);
    let written: Vec<f64> = wanted.shape.iter().flat_map(|s| s.positions.as_flattened().to_vec()).collect();
    assert_eq!(read.len(), written.len(), "{what}: {got}");
    // Rings may have been turned, so positions are compared as a set.
    let key = |v: &[f64]| {
        let mut pairs: Vec<[i64; 2]> =
            v.chunks(2).map(|p| [(p[0] * 1e6).round() as i64, (p[1] * 1e6).round() as i64]).collect();
        pairs.sort_unstable();
        pairs
    };
    assert_eq!(key(&read), key(&written), "{what}");
}

fn numbers(json: &Json, out: &mut Vec<f64>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| numbers(item, out)),
        Json::Number(n) => out.extend(n.as_f64()),
        _ => {}
    }
}

#[test]
fn flatgeobuf_is_what_gdal_reads() {
    let (table, features) = (table(Kind::MultiPolygon), buildings());
    let bytes = write(&mut FlatGeobuf::new(table.clone()), &features);
    let file = File::new("a.fgb", &bytes);
    let read = gdal(&file.path(), &[]);
    assert_eq!(read.len(), features.len());
    for (got, wanted) in read.iter().zip(&features) {
        assert_eq!(got["properties"]["fid"], wanted.id);
        for (column, value) in table.columns.iter().zip(&wanted.values) {
            let (read, wrote) = (&got["properties"][&column.name], property(value));
            match column.kind {
                // There are no dates without a time in the format.
                Type::Date | Type::Timestamp if !wrote.is_null() => {
                    let day = &wrote.as_str().unwrap()[..10];
                    assert!(read.as_str().unwrap().replace('/', "-").starts_with(day), "{read} {wrote}");
                }
                _ => same_value(read, &wrote, &column.name),
            }
        }
        same_geometry(got, wanted, "fgb");
    }
    let about = info(&file.path());
    assert!(about.contains("Multi Polygon") && about.contains("China Geodetic Coordinate System 2000"), "{about}");
}

#[test]
fn a_flatgeobuf_that_is_cut_short_is_noticed() {
    let bytes = write(&mut FlatGeobuf::new(table(Kind::MultiPolygon)), &buildings());
    let file = File::new("a.fgb", &bytes[..bytes.len() - 10]);
    let run = Command::new("ogr2ogr").args(["-f", "GeoJSONSeq", "/vsistdout/", &file.path()]).output().unwrap();
    assert!(String::from_utf8_lossy(&run.stderr).contains("ERROR"));
}

#[test]
fn geopackage_is_what_gdal_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let (table, features) = (table(Kind::MultiPolygon), buildings());
    let mut writer = GeoPackage::create(table.clone(), &path).unwrap();
    assert!(!path.exists(), "it has no name");
    let bytes = write(&mut writer, &features);
    let file = File::new("a.gpkg", &bytes);
    let read = gdal(&file.path(), &[]);
    assert_eq!(read.len(), features.len());
    for (got, wanted) in read.iter().zip(&features) {
        for (column, value) in table.columns.iter().zip(&wanted.values) {
            let (read, wrote) = (&got["properties"][&column.name], property(value));
            match column.kind {
                Type::Timestamp if !wrote.is_null() => {
                    assert!(read.as_str().unwrap().replace('/', "-").starts_with(&wrote.as_str().unwrap()[..10]));
                }
                Type::Date if !wrote.is_null() => {
                    assert_eq!(read.as_str().unwrap().replace('/', "-"), wrote.as_str().unwrap())
                }
                _ => same_value(read, &wrote, &column.name),
            }
        }
        same_geometry(got, wanted, "gpkg");
    }
    // The R-tree answers to a box.
    assert_eq!(gdal(&file.path(), &["-spat", "120.005", "36", "120.0151", "36.001"]).len(), 1);
    let about = info(&file.path());
    assert!(about.contains("Feature Count: 4") && about.contains("ID[\"EPSG\",4490]"), "{about}");
    // GDAL may edit it, and the triggers keep the R-tree.
    let sql = "insert into buildings (fid, geom) select 99, geom from buildings where fid = 1";
    let run = Command::new("ogrinfo").args([&file.path(), "-sql", sql]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(gdal(&file.path(), &["-spat", "119.9", "35.9", "120.0001", "36.0001"]).len(), 2);
}

#[test]
fn geopackage_keeps_the_rules_of_the_standard() {
    let folder = tempfile::tempdir().unwrap();
    let bytes =
        write(&mut GeoPackage::create(table(Kind::MultiPolygon), &folder.path().join("spool")).unwrap(), &buildings());
    let file = File::new("a.gpkg", &bytes);
    assert_eq!(&bytes[68..72], b"GPKG");
    let database = rusqlite::Connection::open(file.path()).unwrap();
    let one = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(one("pragma integrity_check"), "ok");
    assert_eq!(one("select count(*) || '' from pragma_foreign_key_check"), "0");
    assert_eq!(one("select rtreecheck('rtree_buildings_geom')"), "ok");
    for id in [-1, 0, 4326, 4490] {
        assert_eq!(one(&format!("select count(*) || '' from gpkg_spatial_ref_sys where srs_id = {id}")), "1");
    }
    assert_eq!(
        one("select group_concat(min_x || ' ' || max_x || ' ' || min_y || ' ' || max_y) from gpkg_contents"),
        "120.0 120.021 36.0 36.001"
    );
    let tables = one("select group_concat(name) from sqlite_master where type = 'table'");
    assert!(!tables.contains("once"), "{tables}");
    assert_eq!(one("select title from gpkg_data_columns where column_name = 'name'"), "名称");
}

#[test]
fn csv_is_what_another_reader_reads() {
    let (table, features) = (table(Kind::MultiPolygon), buildings());
    let bytes = write(&mut Csv::new(table.clone(), GeometryColumns::Wkt), &features);
    let text = std::str::from_utf8(&bytes).unwrap().strip_prefix('\u{feff}').expect("Excel's mark");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header.first().map(String::as_str), Some("fid"));
    assert_eq!(header.last().map(String::as_str), Some("WKT"));
    for (record, feature) in reader.records().zip(&features) {
        let record = record.unwrap();
        for (i, value) in feature.values.iter().enumerate() {
            assert_eq!(&record[i + 1], value.text().unwrap_or_default(), "{}", header[i + 1]);
        }
    }
    let file = File::new("a.csv", &bytes);
    let read = gdal(&file.path(), &[]);
    for (got, wanted) in read.iter().zip(&features) {
        same_geometry(got, wanted, "csv");
    }
}

#[test]
fn points_have_two_columns_and_names_stay_apart() {
    let mut table = table(Kind::Point);
    table.columns[0].name = "LON".into();
    let bytes = write(&mut Csv::new(table.clone(), GeometryColumns::Coordinates), &places());
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split("\r\n").collect();
    assert!(lines[0].starts_with("fid,LON,") && lines[0].ends_with(",lon_2,lat"), "{}", lines[0]);
    assert!(lines[1].ends_with(",120.123456789,36.1"), "{}", lines[1]);
    assert!(lines[2].ends_with(",,"), "nothing for no geometry: {}", lines[2]);
    table.crs.shifted = Some("gcj02");
    let bytes = write(&mut Csv::new(table, GeometryColumns::Coordinates), &places());
    assert!(String::from_utf8(bytes).unwrap().lines().next().unwrap().ends_with("lon_gcj02,lat_gcj02"));
}

#[test]
fn a_workbook_is_what_other_readers_read() {
    use calamine::{Data, Reader, Xlsx};
    let (table, features) = (table(Kind::MultiPolygon), buildings());
    let bytes = write(&mut Workbook::new(table, GeometryColumns::Wkt), &features);
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(&bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["建筑物 “甲”", "说明 Notes"]);
    let range = book.worksheet_range("建筑物 “甲”").unwrap();
    let rows: Vec<&[Data]> = range.rows().collect();
    assert_eq!(rows.len(), features.len() + 1);
    // name, code, height, listed, built, seen
    let first = rows[1];
    assert_eq!(first[1], Data::String("a,\"b\"\n<c> & 楼".into()));
    assert_eq!(first[2], Data::String("9007199254740993".into()), "beyond 2^53 an exact text");
    assert_eq!(first[3], Data::Float(12.5));
    assert_eq!(first[4], Data::Bool(true));
    let Data::DateTime(built) = &first[5] else { panic!("{:?}", first[5]) };
    assert_eq!(built.as_datetime().unwrap().date().to_string(), "2026-11-22");
    let Data::DateTime(seen) = &first[6] else { panic!("{:?}", first[6]) };
    // 2026-11-22T23:30:00.5Z is the next morning in Beijing.
    assert_eq!(seen.as_datetime().unwrap().to_string(), "2026-11-23 07:30:00.500");
    assert_eq!(rows[2][1], Data::String("=1+1".into()), "a text that looks like a formula stays a text");
    assert_eq!(rows[3][1], Data::String("_x0041_".into()).clone(), "what looks like an escape is none");
    let file = File::new("a.xlsx", &bytes);
    let about = info(&file.path());
    assert!(about.contains("built: Date") && about.contains("listed: Integer(Boolean)"), "{about}");
}

#[test]
fn a_full_sheet_is_followed_by_the_next() {
    use calamine::{Reader, Xlsx};
    let mut sheets = onemap_formats::Sheets::new("a/b", vec!["n".into()]).unwrap();
    let mut bytes = vec![];
    for i in 0..1_048_600 {
        sheets.row([Value::Integer(i)]).unwrap();
        sheets.drain(&mut bytes);
    }
    sheets.finish(&[]).unwrap();
    sheets.drain(&mut bytes);
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(&bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["ab", "ab (2)"]);
    assert_eq!(book.worksheet_range("ab").unwrap().height(), 1_048_576);
    assert_eq!(book.worksheet_range("ab (2)").unwrap().height(), 26);
}

fn entries(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|i| {
            let mut entry = zip.by_index(i).unwrap();
            let mut content = vec![];
            entry.read_to_end(&mut content).unwrap();
            (entry.name().unwrap().into_owned(), content)
        })
        .collect()
}

#[test]
fn a_shapefile_is_what_gdal_reads() {
    for encoding in [Encoding::Utf8, Encoding::Gbk] {
        let (table, features) = (table(Kind::MultiPolygon), buildings());
        let bytes = write(&mut Shapefile::new(table.clone(), encoding, scratch()).unwrap(), &features);
        let file = File::new("a.zip", &bytes);
        let path = format!("/vsizip/{}/buildings.shp", file.path());
        let read = gdal(&path, &[]);
        assert_eq!(read.len(), features.len());
        for (got, wanted) in read.iter().zip(&features) {
            for (column, value) in table.columns.iter().zip(&wanted.values) {
                let (read, wrote) = (&got["properties"][&column.name], property(value));
                match (column.kind, value) {
                    (Type::Date, Value::Date(_)) => {
                        assert_eq!(read.as_str().unwrap().replace('/', "-"), wrote.as_str().unwrap())
                    }
                    // This GDAL shows logical values as they are written; dBase's own word for nothing is a question mark.
                    (Type::Boolean, Value::Null) => assert_eq!(read, "?"),
                    (Type::Boolean, Value::Boolean(v)) => assert_eq!(read, if *v { "T" } else { "F" }),
                    (_, Value::Text("")) => assert!(read.is_null(), "dBase has no empty texts"),
                    _ => same_value(read, &wrote, &column.name),
                }
            }
            same_geometry(got, wanted, "shp");
        }
        let about = info(&path);
        assert!(about.contains("China Geodetic Coordinate System 2000") || about.contains("China_2000"), "{about}");
        assert!(!entries(&bytes).contains_key("report.txt"), "nothing was changed");
    }
}

#[test]
fn what_a_shapefile_has_no_room_for_is_reported() {
    let mut table = table(Kind::MultiPolygon);
    table.geometry = Some(Geometry { kind: None, z: None });
    table.columns[0].name = "a_name_of_many_letters".into();
    let long = "楼".repeat(100);
    let mut features = buildings();
    features[0].values[0] = Value::Text(&long);
    features[1].values[0] = Value::Text("𬭎");
    features.push(Feature { id: 70, shape: Some(shape("POINT(1 2)")), values: features[0].values.clone() });
    features.push(Feature {
        id: 71,
        shape: Some(shape("GEOMETRYCOLLECTION(POINT(3 4),LINESTRING(0 0,1 1))")),
        values: features[2].values.clone(),
    });
    let bytes = write(&mut Shapefile::new(table, Encoding::Gbk, scratch()).unwrap(), &features);
    let entries = entries(&bytes);
    let names: Vec<&str> = entries.keys().map(String::as_str).filter(|n| n.ends_with(".dbf")).collect();
    assert_eq!(names, ["buildings.dbf", "buildings_line.dbf", "buildings_point.dbf", "buildings_polygon.dbf"]);
    let report = String::from_utf8(entries["report.txt"].clone()).unwrap();
    for said in ["a_name_of_many_letters: 1 texts held characters", "fid 2", "1 geometry collections"] {
        assert!(report.contains(said), "{said}: {report}");
    }
    let fields = String::from_utf8(entries["fields.csv"].clone()).unwrap();
    assert!(fields.contains("a_name_of_,a_name_of_many_letters,text,名称"), "{fields}");
    let file = File::new("a.zip", &bytes);
    assert_eq!(gdal(&format!("/vsizip/{}/buildings_point.shp", file.path()), &[]).len(), 2);
    assert_eq!(gdal(&format!("/vsizip/{}/buildings_line.shp", file.path()), &[]).len(), 1);
    // In UTF-8 the character is there, and the long text is cut between characters.
    let mut table = world::table(Kind::MultiPolygon);
    table.columns[0].name = "a_name_of_many_letters".into();
    features.truncate(2);
    let bytes = write(&mut Shapefile::new(table, Encoding::Utf8, scratch()).unwrap(), &features);
    let file = File::new("a.zip", &bytes);
    let read = gdal(&format!("/vsizip/{}/buildings.shp", file.path()), &[]);
    assert_eq!(read[0]["properties"]["a_name_of_"], json!("楼".repeat(84)));
    assert_eq!(read[1]["properties"]["a_name_of_"], json!("𬭎"));
    let report = String::from_utf8(self::entries(&bytes)["report.txt"].clone()).unwrap();
    assert!(report.contains("1 texts held more than 254 bytes"), "{report}");
}

#[test]
fn every_kind_survives_every_format() {
    for text in [
        "POINT(120.5 36.5)",
        "LINESTRING(120 36,121 37,122 36)",
        "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,1 2,2 2,2 1,1 1))",
        "MULTIPOINT((0 0),(1 1))",
        "MULTILINESTRING((0 0,1 1),(2 2,3 3,4 4))",
        "MULTIPOLYGON(((0 0,4 0,4 4,0 0),(1 0.5,2 0.5,2 1,1 0.5)),((9 9,10 9,10 10,9 9)))",
    ] {
        let one = shape(text);
        let mut table = table(one.kind);
        table.columns.clear();
        let features = [Feature { id: 1, shape: Some(one), values: vec![] }];
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        let writers: Vec<(&str, &str, Box<dyn Writer>)> = vec![
            ("a.fgb", "", Box::new(FlatGeobuf::new(table.clone()))),
            ("a.gpkg", "", Box::new(GeoPackage::create(table.clone(), &spool).unwrap())),
            ("a.csv", "", Box::new(Csv::new(table.clone(), GeometryColumns::Wkt))),
            ("a.zip", "/buildings.shp", Box::new(Shapefile::new(table.clone(), Encoding::Utf8, scratch()).unwrap())),
        ];
        for (name, inner, mut writer) in writers {
            let file = File::new(name, &write(&mut *writer, &features));
            let path = if inner.is_empty() { file.path() } else { format!("/vsizip/{}{inner}", file.path()) };
            let read = gdal(&path, &[]);
            assert_eq!(read.len(), 1, "{text} {name}");
            same_geometry(&read[0], &features[0], &format!("{text} {name}"));
        }
    }
}

#[test]
fn heights_survive() {
    let mut shape = shape("LINESTRING(0 0,1 1)");
    shape.heights = vec![5.5, 6.5];
    let mut table = table(Kind::Line);
    table.geometry = Some(Geometry { kind: Some(Kind::Line), z: Some(true) });
    table.columns.clear();
    let features = [Feature { id: 1, shape: Some(shape), values: vec![] }];
    let folder = tempfile::tempdir().unwrap();
    let gpkg = GeoPackage::create(table.clone(), &folder.path().join("spool")).unwrap();
    let writers: Vec<(&str, &str, Box<dyn Writer>)> = vec![
        ("a.fgb", "", Box::new(FlatGeobuf::new(table.clone()))),
        ("a.gpkg", "", Box::new(gpkg)),
        ("a.csv", "", Box::new(Csv::new(table.clone(), GeometryColumns::Wkt))),
        ("a.zip", "/buildings.shp", Box::new(Shapefile::new(table.clone(), Encoding::Utf8, scratch()).unwrap())),
    ];
    for (name, inner, mut writer) in writers {
        let file = File::new(name, &write(&mut *writer, &features));
        let path = if inner.is_empty() { file.path() } else { format!("/vsizip/{}{inner}", file.path()) };
        assert_eq!(gdal(&path, &[])[0]["geometry"]["coordinates"], json!([[0.0, 0.0, 5.5], [1.0, 1.0, 6.5]]), "{name}");
    }
}

#[test]
fn nothing_is_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(Kind::MultiPolygon);
    let gpkg = GeoPackage::create(table.clone(), &folder.path().join("spool")).unwrap();
    let writers: Vec<(&str, &str, Box<dyn Writer>)> = vec![
        ("a.fgb", "", Box::new(FlatGeobuf::new(table.clone()))),
        ("a.gpkg", "", Box::new(gpkg)),
        ("a.zip", "/buildings.shp", Box::new(Shapefile::new(table.clone(), Encoding::Utf8, scratch()).unwrap())),
    ];
    for (name, inner, mut writer) in writers {
        let file = File::new(name, &write(&mut *writer, &[]));
        let path = if inner.is_empty() { file.path() } else { format!("/vsizip/{}{inner}", file.path()) };
        assert_eq!(gdal(&path, &[]).len(), 0, "{name}");
    }
    // A table without geometry.
    let mut table = table;
    table.geometry = None;
    let features: Vec<Feature> = buildings().into_iter().map(|f| Feature { shape: None::<Shape>, ..f }).collect();
    let gpkg = GeoPackage::create(table.clone(), &folder.path().join("spool")).unwrap();
    let writers: Vec<(&str, &str, Box<dyn Writer>)> = vec![
        ("a.fgb", "", Box::new(FlatGeobuf::new(table.clone()))),
        ("a.gpkg", "", Box::new(gpkg)),
        ("a.zip", "/buildings.dbf", Box::new(Shapefile::new(table.clone(), Encoding::Utf8, scratch()).unwrap())),
    ];
    for (name, inner, mut writer) in writers {
        let file = File::new(name, &write(&mut *writer, &features));
        let path = if inner.is_empty() { file.path() } else { format!("/vsizip/{}{inner}", file.path()) };
        assert_eq!(gdal(&path, &[]).len(), features.len(), "{name}");
    }
}
