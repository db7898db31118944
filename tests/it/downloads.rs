//! Features as files: what is in them, what a grant leaves out of them, and what becomes of one that is broken off.

use std::io::Read;
use std::process::Command;
use std::time::Duration;

use futures_util::StreamExt;
use onemap::layer::model::ShareClass;
use reqwest::Response;
use serde_json::Value;

use crate::world::{As, ROWS, World, make_layer};

const ITEMS: &str = "/ogc/collections/open/items";
const FORMATS: [&str; 6] = ["csv", "fgb", "gpkg", "shp", "xlsx", "geojsonseq"];

/// A downloaded file, under a name by which others know its format.
struct File {
    folder: tempfile::TempDir,
    name: &'static str,
    bytes: Vec<u8>,
}

impl File {
    async fn get(world: &World, who: As, format: &str, query: &str) -> File {
        let items = if who == As::Anonymous { ITEMS } else { "/ogc/collections/conditional/items" };
        let response = world.get(who, &format!("{items}?f={format}{query}")).await;
        assert_eq!(response.status(), 200, "{format}{query}");
        File::of(format, &response.bytes().await.unwrap())
    }

    fn of(format: &str, bytes: &[u8]) -> File {
        let name = match format {
            "csv" => "a.csv",
            "fgb" => "a.fgb",
            "gpkg" => "a.gpkg",
            "shp" => "a.zip",
            "xlsx" => "a.xlsx",
            _ => "a.geojsons",
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
        File { folder, name, bytes: bytes.to_vec() }
    }

    /// What GDAL reads of it, as features of GeoJSON.
    fn features(&self, options: &[&str]) -> Vec<Value> {
        let path = self.folder.path().join(self.name);
        let path = match self.name {
            "a.zip" => format!("/vsizip/{}", path.display()),
            _ => path.display().to_string(),
        };
        let mut command = Command::new("ogr2ogr");
        // In the file's own system; the sequence would be turned into degrees.
        command
            .args(["-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=9", "-preserve_fid", "/vsistdout/", &path])
            .args(options);
        if self.name == "a.csv" {
            let names = ["X_POSSIBLE_NAMES=lon*,x", "Y_POSSIBLE_NAMES=lat*,y", "AUTODETECT_TYPE=YES"];
            for name in names {
                command.args(["-oo", name]);
            }
        }
        let run = command.output().expect("ogr2ogr is there");
        assert!(run.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&run.stderr));
        let mut read: Value = serde_json::from_slice(&run.stdout).unwrap();
        serde_json::from_value(read["features"].take()).unwrap()
    }

    /// Every text in it, unpacked: for what must not be there.
    fn texts(&self) -> String {
        let mut all = self.bytes.clone();
        if matches!(self.name, "a.zip" | "a.xlsx") {
            let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&self.bytes)).unwrap();
            for i in 0..zip.len() {
                zip.by_index(i).unwrap().read_to_end(&mut all).unwrap();
            }
        }
        String::from_utf8_lossy(&all).into_owned()
    }
}

fn fid(feature: &Value) -> i64 {
    let id = feature["properties"]["fid"].as_i64().or_else(|| feature["properties"]["fid"].as_str()?.parse().ok());
    id.or_else(|| feature["id"].as_i64()).unwrap_or_else(|| panic!("no id in {feature}"))
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |v| v.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_has_every_row_and_says_what_it_is() {
    let world = World::new().await;
    for (format, media, extension) in [
        ("csv", "text/csv; charset=utf-8; header=present", "csv"),
        ("fgb", "application/flatgeobuf", "fgb"),
        ("gpkg", "application/geopackage+sqlite3", "gpkg"),
        ("shp", "application/zip", "zip"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ("geojsonseq", "application/geo+json-seq", "geojsons"),
    ] {
        let response = world.get(As::Anonymous, &format!("{ITEMS}?f={format}")).await;
        assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, media), "{format}");
        let name = header(&response, "content-disposition");
        assert!(
            name.contains(&format!("filename=\"open.{extension}\"")) && name.contains("UTF-8''%E5%9B%BE"),
            "{name}"
        );
        assert!(header(&response, "content-crs").ends_with("CRS84>"), "{format}");
        assert!(!header(&response, "etag").is_empty());
        let read = File::of(format, &response.bytes().await.unwrap()).features(&[]);
        assert_eq!(read.len() as i64, ROWS, "{format}");
        let last = read.last().unwrap();
        assert_eq!((fid(last), &last["properties"]["name"]), (ROWS, &"第99栋 g0".into()), "{format}");
        if format != "xlsx" {
            assert_eq!(last["geometry"]["coordinates"][0], 120.09, "{format}");
        }
        // By Accept, too.
        let media = media.split(';').next().unwrap();
        let by_accept = world.by(As::Anonymous, reqwest::Method::GET, ITEMS).await.header("accept", media).send().await;
        assert!(header(&by_accept.unwrap(), "content-disposition").contains(extension), "{format}");
    }
    // A browser's Accept names everything at last; it gets a page.
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    let page =
        world.by(As::Anonymous, reqwest::Method::GET, ITEMS).await.header("accept", browser).send().await.unwrap();
    assert!(header(&page, "content-type").starts_with("text/html"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parameters_of_a_page_hold_for_files_too() {
    let world = World::new().await;
    for query in [
        "&bbox=119.995,36.005,120.025,36.025",
        "&kind=%E4%BD%8F%E5%AE%85&floors=4",
        "&filter=floors%20%3C%205%20and%20listed%20%3D%20true",
        "&limit=7",
        "&datetime=2019-05-01/..",
        "&sortby=-height&limit=5",
    ] {
        // A page says what there must be.
        let limit = if query.contains("limit") { "" } else { "&limit=1000" };
        let page = world.json(As::Anonymous, &format!("{ITEMS}?f=json{query}{limit}")).await;
        let expected: Vec<i64> = page["features"].as_array().unwrap().iter().map(fid).collect();
        assert!(!expected.is_empty(), "{query}");
        for format in FORMATS {
            let mut found: Vec<i64> =
                File::get(&world, As::Anonymous, format, query).await.features(&[]).iter().map(fid).collect();
            if format == "gpkg" && query.contains("sortby") {
                // A table of SQLite is in the order of its ids.
                found.sort_by_key(|id| expected.iter().position(|e| e == id));
            }
            assert_eq!(found, expected, "{format}{query}");
        }
    }
    let csv = File::get(&world, As::Anonymous, "csv", "&properties=floors&skipGeometry=true&limit=1").await;
    assert_eq!(csv.texts(), "\u{feff}fid,floors\r\n1,0\r\n");
    let csv = File::get(&world, As::Anonymous, "csv", "&properties=built&geometry=wkt&limit=1").await;
    assert_eq!(csv.texts(), "\u{feff}fid,built,WKT\r\n1,2019-04-14,POINT (120 36)\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_at_once() {
    let world = World::new().await;
    for (query, parameter) in [
        ("f=dxf", "f"),
        ("f=csv&datum=mars", "datum"),
        ("f=csv&datum=gcj02&crs=http://www.opengis.net/def/crs/EPSG/0/3857", "datum"),
        ("f=geojsonseq&datum=gcj02", "datum"),
        ("f=shp&encoding=big5", "encoding"),
        ("f=csv&encoding=gbk", "encoding"),
        ("f=csv&geometry=wkb", "geometry"),
        ("f=gpkg&geometry=wkt", "geometry"),
        ("f=gpkg&limit=0", "limit"),
        ("f=gpkg&nothere=1", "nothere"),
        ("f=gpkg&cursor=1", "cursor"),
    ] {
        let response = world.get(As::Anonymous, &format!("{ITEMS}?{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["parameter"], parameter, "{query}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shifted_coordinates_come_by_name_only_and_are_labelled() {
    let world = World::new().await;
    for datum in ["gcj02", "bd09"] {
        let response = world.get(As::Anonymous, &format!("{ITEMS}?f=csv&datum={datum}&limit=1")).await;
        assert_eq!(header(&response, "content-datum"), datum);
        assert_eq!(header(&response, "content-crs"), "", "no URI stands for it");
        assert!(header(&response, "content-disposition").contains(&format!("open_{datum}.csv")));
        let text = response.text().await.unwrap();
        assert!(text.contains(&format!("lon_{datum},lat_{datum}")), "{text}");
        let lon: f64 = text.lines().nth(1).unwrap().split(',').rev().nth(1).unwrap().parse().unwrap();
        assert!((0.003..0.02).contains(&(lon - 120.0)), "{lon}");
        let label = datum.to_uppercase();
        for format in ["gpkg", "fgb", "shp", "xlsx"] {
            let file = File::get(&world, As::Anonymous, format, &format!("&datum={datum}&limit=3")).await;
            assert!(file.texts().contains(&label), "{format} does not say {label}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_holds_in_every_format() {
    let world = World::new().await;
    let health = As::Key("health");
    assert_eq!(world.get(health, "/ogc/collections/conditional/items?f=gpkg").await.status(), 403);
    assert_eq!(world.get(health, "/ogc/collections/hidden/items?f=gpkg").await.status(), 404);
    world
        .grant(
            "fields, row_filter, area",
            "array['name', 'kind'], '{\"kind\": [\"住宅\"]}', st_multi(st_makeenvelope(119.9, 35.9, 120.045, 37, 4490))",
        )
        .await;
    for format in FORMATS {
        let file = File::get(&world, health, format, "").await;
        let read = file.features(&[]);
        assert_eq!(read.len(), 30, "{format}");
        for feature in &read {
            let names: Vec<&String> = feature["properties"].as_object().unwrap().keys().collect();
            let known = |n: &&String| ["fid", "name", "kind", "lon", "lat"].contains(&n.as_str());
            assert!(names.iter().all(known), "{format}: {names:?}");
            assert_eq!(feature["properties"]["kind"], "住宅", "{format}");
        }
        let texts = file.texts();
        for hidden in ["floors", "height", "商业", "2019-04"] {
            assert!(!texts.contains(hidden), "{format} tells {hidden}");
        }
        let answer = world.get(health, &format!("/ogc/collections/conditional/items?f={format}&floors=1")).await;
        assert_eq!(answer.status(), 400, "a hidden field is unknown in {format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn polygons_are_cut_at_the_areas_edge_in_every_format() {
    let world = World::new().await;
    // Squares of 0.008° in the place of the points: the column of x = 120.04 straddles the edge at 120.044.
    world
        .sql(
            "do $$ declare t text; begin
               select r.table_name into t from onemap.layer l join onemap.revision r on r.id = l.current_revision where l.id = 'conditional';
               drop view map.conditional;
               execute format('alter table data.%I alter column geom type geometry(Polygon, 4490) using st_expand(geom, 0.004)', t);
               update onemap.revision set geometry_type = 'Polygon' where table_name = t;
             end $$",
        )
        .await;
    world.grant("area", "st_multi(st_makeenvelope(119.9, 35.9, 120.042, 37, 4490))").await;
    for format in FORMATS {
        let read = File::get(&world, As::Key("health"), format, "").await.features(&[]);
        assert_eq!(read.len(), 50, "{format}");
        for feature in &read {
            let mut east = f64::MIN;
            if format == "xlsx" {
                let text = feature["properties"]["WKT"].as_str().unwrap();
                let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|n| !n.is_empty());
                east = numbers.step_by(2).map(|n| n.parse::<f64>().unwrap()).fold(east, f64::max);
            }
            let mut stack = vec![&feature["geometry"]["coordinates"]];
            while let Some(value) = stack.pop() {
                match value.as_array() {
                    Some(pair) if pair.first().is_some_and(Value::is_number) => {
                        east = east.max(pair[0].as_f64().unwrap())
                    }
                    Some(list) => stack.extend(list),
                    None => {}
                }
            }
            assert!((119.0..=120.042_000_001).contains(&east), "{format}: {feature}");
        }
    }
}

/// Makes the geometries of the layer `open` others.
async fn alter(world: &World, kind: &str, srid: i32, using: &str) {
    world
        .sql(&format!(
            "do $$ declare t text; begin
               select r.table_name into t from onemap.layer l join onemap.revision r on r.id = l.current_revision where l.id = 'open';
               drop view map.open;
               execute format('alter table data.%I alter column geom type geometry({kind}, {srid}) using {using}', t);
               update onemap.revision set geometry_type = '{kind}', srid = {srid} where table_name = t;
             end $$"
        ))
        .await;
    world.app.refresh().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn mixed_geometries_keep_their_heights() {
    let world = World::new().await;
    alter(&world, "GeometryZ", 4490, "st_force3dz(geom, 12.5)").await;
    for format in ["fgb", "gpkg", "shp", "geojsonseq"] {
        let read = File::get(&world, As::Anonymous, format, "&limit=3").await.features(&[]);
        assert_eq!(read.len(), 3, "{format}");
        assert!(read.iter().all(|f| f["geometry"]["coordinates"][2] == 12.5), "{format}: {read:?}");
    }
    let csv = File::get(&world, As::Anonymous, "csv", "&properties=floors&limit=1").await;
    assert_eq!(csv.texts(), "\u{feff}fid,floors,WKT\r\n1,0,POINT Z (120 36 12.5)\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn degrees_of_an_older_datum_are_not_shifted() {
    let world = World::new().await;
    // Xian 1980.
    alter(&world, "Point", 4610, "st_setsrid(geom, 4610)").await;
    let own = "crs=http://www.opengis.net/def/crs/EPSG/0/4610";
    assert_eq!(world.get(As::Anonymous, &format!("{ITEMS}?f=csv&limit=1&{own}")).await.status(), 200);
    let response = world.get(As::Anonymous, &format!("{ITEMS}?f=csv&datum=gcj02&{own}")).await;
    assert_eq!(response.status(), 400);
    assert_eq!(response.json::<Value>().await.unwrap()["parameter"], "datum");
}

#[tokio::test(flavor = "multi_thread")]
async fn zones_of_gauss_and_kruger_are_offered_for_the_place() {
    let world = World::new().await;
    let collection = world.json(As::Anonymous, "/ogc/collections/open").await;
    let offered: Vec<&str> = collection["crs"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    for code in [4528, 4549, 4498, 4509] {
        assert!(offered.iter().any(|uri| uri.ends_with(&format!("/{code}"))), "{code} of {offered:?}");
    }
    assert!(!offered.iter().any(|uri| uri.ends_with("/4513")), "a zone far away");
    for (code, easting) in [(4549, 500_000.0), (4528, 40_500_000.0)] {
        let crs = format!("&crs=http://www.opengis.net/def/crs/EPSG/0/{code}&limit=1");
        for format in ["gpkg", "fgb", "shp", "csv"] {
            let file = File::get(&world, As::Anonymous, format, &crs).await;
            let read = file.features(&[]);
            let (x, y) = match format {
                "csv" => (&read[0]["properties"]["x"], &read[0]["properties"]["y"]),
                _ => (&read[0]["geometry"]["coordinates"][0], &read[0]["geometry"]["coordinates"][1]),
            };
            // 120° E is the middle of the zone; 36° N is 3,985 km from the equator.
            assert!((x.as_f64().unwrap() - easting).abs() < 0.01, "{format} {code}: {x}");
            assert!((y.as_f64().unwrap() - 3_985_144.0).abs() < 2000.0, "{format} {code}: {y}");
        }
    }
}

/// A layer that takes a while.
async fn large(world: &World, rows: i64) {
    make_layer(&world.app, "large", ShareClass::Unconditional, true, rows).await;
}

async fn queries(world: &World) -> i64 {
    let client = world.app.database.app().await.unwrap();
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like '%from \"data\"%' and pid <> pg_backend_pid()";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_takes_the_query_and_the_spool_along() {
    let world = World::new().await;
    large(&world, 200_000).await;
    for format in FORMATS {
        let response = world.get(As::Anonymous, &format!("/ogc/collections/large/items?f={format}")).await;
        assert_eq!(response.status(), 200);
        let mut body = response.bytes_stream();
        assert!(body.next().await.unwrap().is_ok(), "{format} begins");
        drop(body);
        let mut left = 1;
        for _ in 0..100 {
            left = queries(&world).await + spools(&world) as i64;
            if left == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(left, 0, "{format} goes on after its reader left");
    }
    // Every place among the downloads is free again.
    for _ in 0..10 {
        assert_eq!(world.get(As::Anonymous, "/ogc/collections/large/items?f=csv").await.status(), 200);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Spools that this process still holds, though they have no names.
fn spools(world: &World) -> usize {
    let folder = world.app.config.data.join("downloads");
    let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    open.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|path| path.starts_with(&folder))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_fails_breaks_the_download_off() {
    let world = World::new().await;
    large(&world, 60_000).await;
    // The last row cannot be read: its value divides by zero, after longer than an answer waits for its first row. A view is shared as
    // it stands.
    world
        .sql(
            "create function data.fails_late(bigint) returns bigint language plpgsql stable
             as $$ begin perform pg_sleep(1.2); return $1 / 0; end $$",
        )
        .await;
    world
        .sql(
            "do $$ declare t text; begin
               select r.table_name into t from onemap.layer l join onemap.revision r on r.id = l.current_revision where l.id = 'large';
               execute format('alter table data.%I rename to large_rows', t);
               execute format('create view data.%I as select fid, name, kind, case when fid < 60000 then floors else data.fails_late(floors) end as floors, height, listed, built, geom from data.large_rows', t);
               execute format('grant select on data.%I, data.large_rows to onemap_app', t);
             end $$",
        )
        .await;
    for format in FORMATS {
        let response = world.get(As::Anonymous, &format!("/ogc/collections/large/items?f={format}")).await;
        assert_eq!(response.status(), 200, "{format} begins");
        assert!(response.bytes().await.is_err(), "{format} looks whole");
    }
    assert_eq!(spools(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_downloads_than_there_are_places_are_told_to_wait() {
    let world = World::new().await;
    large(&world, 300_000).await;
    let path = "/ogc/collections/large/items?f=csv";
    let mut held = vec![];
    // Half of the world's six connections.
    for _ in 0..3 {
        let response = world.get(As::Anonymous, path).await;
        assert_eq!(response.status(), 200);
        held.push(response);
    }
    let refused = world.get(As::Anonymous, path).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (503, "2"));
    // A page is no download.
    assert_eq!(world.get(As::Anonymous, &format!("{path}&limit=10")).await.status(), 200);
    drop(held);
    for _ in 0..50 {
        if world.get(As::Anonymous, path).await.status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no place is free again");
}
