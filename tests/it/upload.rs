//! Uploads over HTTP as a client makes them: tus, inspection, load, difference, publication.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use gdal::spatial_ref::SpatialRef;
use gdal::vector::{Geometry, LayerAccess, OGRFieldType};
use onemap::access::principal::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{As, World};

pub const PUBLISHER: As = As::Person("housing", Role::Publisher);

pub async fn create(world: &World, who: As, name: &str, size: usize) -> reqwest::Response {
    let name = base64::engine::general_purpose::STANDARD.encode(name);
    let request = world.by(who, Method::POST, "/api/v1/uploads").await.header("tus-resumable", "1.0.0");
    let request = request.header("upload-length", size).header("upload-metadata", format!("filename {name}"));
    request.send().await.unwrap()
}

pub async fn patch(world: &World, path: &str, offset: usize, bytes: Vec<u8>) -> reqwest::Response {
    let request = world.by(PUBLISHER, Method::PATCH, path).await.header("upload-offset", offset);
    request.header("content-type", "application/offset+octet-stream").body(bytes).send().await.unwrap()
}

/// Uploads in two pieces, with a wrong offset in between, and waits for the inspection.
pub async fn upload(world: &World, name: &str, bytes: &[u8]) -> (String, Value) {
    let created = create(world, PUBLISHER, name, bytes.len()).await;
    assert_eq!(created.status(), 201);
    let location = created.headers()["location"].to_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
    let half = bytes.len() / 2;
    assert_eq!(patch(world, &location, 0, bytes[..half].to_vec()).await.status(), 204);
    assert_eq!(patch(world, &location, 0, bytes[..half].to_vec()).await.status(), 409, "that part has arrived");
    let head = world.by(PUBLISHER, Method::HEAD, &location).await.send().await.unwrap();
    assert_eq!(head.headers()["upload-offset"], half.to_string().as_str());
    assert_eq!(patch(world, &location, half, bytes[half..].to_vec()).await.status(), 204);
    (location.clone(), settled(world, &location, &["inspected", "failed"]).await)
}

async fn settled(world: &World, location: &str, states: &[&str]) -> Value {
    for _ in 0..300 {
        let info = world.json(PUBLISHER, location).await;
        if states.contains(&info["state"].as_str().unwrap()) {
            return info;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{location} does not settle");
}

/// Asks for a load and waits for its end.
pub async fn load(world: &World, location: &str, request: &Value) -> Value {
    let response =
        world.by(PUBLISHER, Method::POST, &format!("{location}/load")).await.json(request).send().await.unwrap();
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    assert_eq!(status, 202, "{body}");
    let job = format!("/api/v1/jobs/{}", body["job"].as_str().unwrap());
    for _ in 0..300 {
        let info = world.json(PUBLISHER, &job).await;
        if matches!(info["state"].as_str().unwrap(), "succeeded" | "failed" | "cancelled") {
            return info;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the job does not end");
}

fn geojson(changed: bool) -> Vec<u8> {
    let features: Vec<Value> = (0..20)
        .filter(|i| !changed || *i != 3)
        .chain(changed.then_some(99))
        .map(|i| {
            let name = if changed && i == 5 { "改名".to_owned() } else { format!("学校{i}") };
            json!({"type": "Feature", "properties": {"code": format!("S{i:03}"), "name": name, "pupils": i * 10},
                   "geometry": {"type": "Point", "coordinates": [120.3 + f64::from(i) * 0.001, 36.1]}})
        })
        .collect();
    json!({"type": "FeatureCollection", "features": features}).to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_file_to_map_and_a_second_time_with_a_difference() {
    let world = World::new().await;
    let (location, info) = upload(&world, "学校.geojson", &geojson(false)).await;
    assert_eq!(info["inspection"]["layers"][0]["feature_count"], 20, "{info}");
    let request = json!({"layer": "our-schools", "title": {"zh": "学校", "en": "Schools"}, "share_class": "unconditional",
                         "key": "code"});
    let job = load(&world, &location, &request).await;
    assert_eq!(job["result"]["rows"], 20, "{job}");
    assert!(job["result"]["diff"].is_null());
    assert_eq!(world.get(As::Key("health"), "/ogc/collections/our-schools/items").await.status(), 404, "not published");
    let publish = "/api/v1/layers/our-schools/revisions/1/publish";
    assert_eq!(world.by(PUBLISHER, Method::POST, publish).await.send().await.unwrap().status(), 200);
    let page = world.json(As::Key("health"), "/ogc/collections/our-schools/items?name=学校7").await;
    assert_eq!(page["features"][0]["properties"]["pupils"], 70);

    let (location, _) = upload(&world, "学校.geojson", &geojson(true)).await;
    let job = load(&world, &location, &json!({"layer": "our-schools", "key": "code"})).await;
    let diff = &job["result"]["diff"];
    assert_eq!(
        (&diff["added"], &diff["removed"], &diff["changed"], &diff["unchanged"]),
        (&json!(1), &json!(1), &json!(1), &json!(18)),
        "{job}"
    );
}

/// A shapefile in GBK without .cpg and .prj, in 3-degree Gauss-Krüger zone 40, zipped: what a department really sends.
fn gauss_kruger_shapefile(folder: &Path) -> Vec<u8> {
    gdal::config::set_thread_local_config_option("SHAPE_ENCODING", "CP936").unwrap();
    let driver = gdal::DriverManager::get_driver_by_name("ESRI Shapefile").unwrap();
    let mut dataset = driver.create_vector_only(folder.join("小区.shp")).unwrap();
    let options = gdal::vector::LayerOptions {
        name: "小区",
        srs: Some(&SpatialRef::from_epsg(4528).unwrap()),
        ty: gdal_sys::OGRwkbGeometryType::wkbPolygon,
        options: Some(&["ENCODING=CP936"]),
    };
    let layer = dataset.create_layer(options).unwrap();
    layer.create_defn_fields(&[("名称", OGRFieldType::OFTString)]).unwrap();
    for i in 0..10 {
        let (x, y) = (40_535_000.0 + f64::from(i) * 300.0, 3_995_000.0);
        let ring = [(0., 0.), (0., 100.), (100., 100.), (100., 0.), (0., 0.)];
        let ring: Vec<String> = ring.iter().map(|(dx, dy)| format!("{} {}", x + dx, y + dy)).collect();
        let polygon = Geometry::from_wkt(&format!("POLYGON(({}))", ring.join(","))).unwrap();
        let mut feature = gdal::vector::Feature::new(layer.defn()).unwrap();
        feature.set_geometry(polygon).unwrap();
        feature.set_field_string(0, &format!("浮山后{i}小区")).unwrap();
        feature.create(&layer).unwrap();
    }
    drop(dataset);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for extension in ["shp", "shx", "dbf"] {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("小区.{extension}"), options).unwrap();
        zip.write_all(&std::fs::read(folder.join(format!("小区.{extension}"))).unwrap()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guessed_crs_is_confirmed_before_it_counts() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (location, info) = upload(&world, "小区.zip", &gauss_kruger_shapefile(folder.path())).await;
    let layer = &info["inspection"]["layers"][0];
    assert_eq!(layer["crs"]["needs_confirmation"], true, "{info}");
    assert!(layer["crs"]["candidates"].as_array().unwrap().iter().any(|c| c["epsg"] == 4528), "{layer}");
    let job = load(&world, &location, &json!({"layer": "estates"})).await;
    assert_eq!((&job["state"], &job["problem"]["parameter"]), (&json!("failed"), &json!("crs")), "{job}");
    let job = load(&world, &location, &json!({"layer": "estates", "crs": 4528})).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    let publish = "/api/v1/layers/estates/revisions/1/publish";
    assert_eq!(world.by(PUBLISHER, Method::POST, publish).await.send().await.unwrap().status(), 200);
    let page = world.json(As::Key("housing"), "/ogc/collections/estates/items").await;
    assert_eq!(page["features"][4]["properties"]["名称"], "浮山后4小区");
    let corner = &page["features"][0]["geometry"]["coordinates"][0];
    let corner = if corner[0][0].is_array() { &corner[0][0] } else { &corner[0] };
    let (lon, lat) = (corner[0].as_f64().unwrap(), corner[1].as_f64().unwrap());
    // Zone 40 has its meridian at 120° E: 35 km east of it on this latitude are 0.388°.
    assert!((lon - 120.388).abs() < 0.01 && (lat - 36.08).abs() < 0.01, "{lon} {lat}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_says_why_and_leaves_nothing() {
    let world = World::new().await;
    for (name, bytes) in [
        ("notes.zip", b"PK\x03\x04 and then nonsense".to_vec()),
        ("empty.geojson", b"{}".to_vec()),
        ("broken.geojson", br#"{"type":"FeatureCollection","features":[{"type":"Fea"#.to_vec()),
        ("picture.shp", vec![0x89; 500]),
        ("text.csv", b"a,b\n1,2\n".to_vec()),
    ] {
        let (_, info) = upload(&world, name, &bytes).await;
        let said = match info["state"].as_str().unwrap() {
            "failed" => info["problem"]["detail"]["zh"].as_str().unwrap_or_default().to_owned(),
            _ => {
                // A table without places may be read; there is nothing to put on a map.
                info["inspection"].to_string()
            }
        };
        assert!(said.chars().count() > 4, "{name}: {info}");
        assert!(!said.contains("/tmp") && !said.contains("onemap-it"), "{name} tells a path: {said}");
    }
    let client = world.app.database.app().await.unwrap();
    let tables: i64 =
        client.query_one("select count(*) from pg_tables where schemaname = 'data'", &[]).await.unwrap().get(0);
    assert_eq!(tables, 4, "only the seeded layers' tables");
}

#[tokio::test(flavor = "multi_thread")]
async fn announcements_are_held_to() {
    let world = World::new().await;
    let created = create(&world, PUBLISHER, "a.csv", 10).await;
    let location = created.headers()["location"].to_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
    assert_eq!(patch(&world, &location, 0, vec![b'x'; 11]).await.status(), 413, "more than announced");
    assert_eq!(create(&world, As::Person("housing", Role::User), "a.csv", 10).await.status(), 403);
    world.sql("update onemap.department set quota_bytes = 100").await;
    let refused = create(&world, PUBLISHER, "b.csv", 95).await;
    assert_eq!(refused.status(), 413);
    let foreign = As::Person("health", Role::Publisher);
    assert_eq!(world.get(foreign, &location).await.status(), 404);
    let load = world.by(foreign, Method::POST, &format!("{location}/load")).await.json(&json!({"layer": "x"}));
    assert_eq!(load.send().await.unwrap().status(), 404);
    let removed = world.by(PUBLISHER, Method::DELETE, &location).await.send().await.unwrap();
    assert_eq!(removed.status(), 204);
    assert_eq!(world.get(PUBLISHER, &location).await.status(), 404);
}
