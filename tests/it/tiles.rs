//! Tiles, decoded by an independent reader (geozero's protobuf types) and held against the features.

use std::collections::BTreeMap;

use geozero::mvt::{Message, Tile};
use reqwest::Method;

use crate::world::{As, World};

pub struct Layer {
    pub ids: Vec<u64>,
    pub keys: Vec<String>,
}

/// The layers of a tile by name.
pub fn decode(bytes: &[u8]) -> BTreeMap<String, Layer> {
    let tile = Tile::decode(bytes).expect("a vector tile");
    tile.layers
        .into_iter()
        .map(|layer| {
            assert_eq!(layer.version, 2);
            let mut ids: Vec<u64> = layer.features.iter().map(|f| f.id.expect("an id")).collect();
            ids.sort();
            let mut keys = layer.keys;
            keys.sort();
            (layer.name, Layer { ids, keys })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tile_holds_exactly_the_features_of_its_box() {
    let world = World::new().await;
    // 12/3413/1605 covers 119.971–120.059 E, 35.96–36.03 N (slippy map formula); with its margin a little more.
    for (z, x, y) in [(8, 213, 100), (10, 853, 401), (12, 3413, 1606), (12, 3414, 1606)] {
        let response = world.get(As::Anonymous, &format!("/tiles/open/{z}/{x}/{y}")).await;
        let side = 360.0 / f64::from(1 << z);
        let lat = |y: f64| {
            let n = std::f64::consts::PI * (1.0 - 2.0 * y / f64::from(1 << z));
            n.sinh().atan().to_degrees()
        };
        let margin = 64.0 / 4096.0;
        let (w, e) = ((f64::from(x) - margin) * side - 180.0, (f64::from(x) + 1.0 + margin) * side - 180.0);
        let (n, s) = (lat(f64::from(y) - margin), lat(f64::from(y) + 1.0 + margin));
        let bbox = format!("/ogc/collections/open/items?limit=1000&bbox={w},{s},{e},{n}");
        let found = world.json(As::Anonymous, &bbox).await;
        let expected: Vec<u64> =
            found["features"].as_array().unwrap().iter().map(|f| f["id"].as_u64().unwrap()).collect();
        if expected.is_empty() {
            assert_eq!(response.status(), 204);
            continue;
        }
        let tile = decode(&response.bytes().await.unwrap());
        assert_eq!(tile["open"].ids, expected, "{z}/{x}/{y}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_is_204_and_several_layers_share_a_tile() {
    let world = World::new().await;
    world.indexed("open").await;
    assert_eq!(world.get(As::Anonymous, "/tiles/open/10/0/0").await.status(), 204);
    let both = world.get(As::Key("health"), "/tiles/open,unconditional/8/213/100.mvt").await.bytes().await.unwrap();
    assert_eq!(decode(&both).keys().collect::<Vec<_>>(), ["open", "unconditional"]);
    // One layer that one may not read refuses the whole.
    assert_eq!(world.get(As::Key("health"), "/tiles/open,hidden/8/213/100").await.status(), 404);
    let standard = "/ogc/collections/open/tiles/WebMercatorQuad/8/100/213";
    let same = world.get(As::Anonymous, standard).await.bytes().await.unwrap();
    let ours = world.get(As::Anonymous, "/tiles/open/8/213/100").await.bytes().await.unwrap();
    assert_eq!(same, ours);
}

#[tokio::test(flavor = "multi_thread")]
async fn caching_is_immutable_for_open_layers_with_a_version_and_private_for_the_rest() {
    let world = World::new().await;
    for layer in ["open", "unconditional"] {
        world.indexed(layer).await;
    }
    let tilejson = world.json(As::Anonymous, "/tiles/open.json").await;
    let template = tilejson["tiles"][0].as_str().unwrap().strip_prefix(&world.url).unwrap();
    let versioned = template.replace("{z}", "8").replace("{x}", "213").replace("{y}", "100");
    let cached = |response: &reqwest::Response| response.headers()["cache-control"].to_str().unwrap().to_owned();
    assert!(cached(&world.get(As::Anonymous, &versioned).await).contains("immutable"));
    assert_eq!(cached(&world.get(As::Anonymous, "/tiles/open/8/213/100").await), "public, no-cache");
    let private = world.get(As::Key("health"), "/tiles/unconditional/8/213/100?v=2").await;
    assert_eq!(cached(&private), "private, no-cache");
    let etag = private.headers()["etag"].clone();
    let again = world
        .request(Method::GET, "/tiles/unconditional/8/213/100")
        .bearer_auth(crate::world::key_of("health"))
        .header("if-none-match", etag);
    assert_eq!(again.send().await.unwrap().status(), 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_only_for_those_who_take_it() {
    let world = World::new().await;
    let path = "/tiles/open/8/213/100";
    let gzip = world.request(Method::GET, path).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(gzip.headers()["content-encoding"], "gzip");
    let plain = world.request(Method::GET, path).header("accept-encoding", "gzip;q=0").send().await.unwrap();
    assert!(plain.headers().get("content-encoding").is_none());
    decode(&plain.bytes().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_somebody_else_is_shared_as_it_stands() {
    let world = World::new().await;
    world
        .sql(
            "create schema water; create table water.mains (nr int primary key, \"Größe\" numeric, laid timestamp,
                 line geometry(LineString, 3857));
             insert into water.mains select i, i / 2.0, '2020-01-01', st_transform(st_setsrid(st_makeline(
                 st_makepoint(120 + i * 0.001, 36), st_makepoint(120 + i * 0.001, 36.01)), 4326), 3857)
             from generate_series(1, 20) i;
             grant usage on schema water to onemap_app; grant select on water.mains to onemap_app",
        )
        .await;
    let body = serde_json::json!({"id": "mains", "department": "housing", "title": {"zh": "水管", "en": "Water mains"}, "share_class": "unconditional",
        "schema": "water", "table": "mains", "key": "nr", "geometry": "line"});
    let publisher = As::Person("housing", onemap::access::principal::Role::PlatformAdministrator);
    let made = world.by(publisher, Method::POST, "/api/v1/layers").await.json(&body).send().await.unwrap();
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    let page = world.json(As::Key("health"), "/ogc/collections/mains/items?limit=5&bbox=120,36,120.0055,36.1").await;
    assert_eq!(page["features"].as_array().unwrap().len(), 5);
    assert_eq!(page["features"][2]["properties"]["Größe"], 1.5);
    let x = page["features"][0]["geometry"]["coordinates"][0][0].as_f64().unwrap();
    assert!((x - 120.001).abs() < 1e-7, "{x}");
    let tile = world.get(As::Key("health"), "/tiles/mains/8/213/100").await.bytes().await.unwrap();
    assert_eq!(decode(&tile)["mains"].ids.len(), 20);
    // It may change at any time: the next tile shows it.
    world.sql("delete from water.mains where nr > 3").await;
    let tile = world.get(As::Key("health"), "/tiles/mains/8/213/100").await.bytes().await.unwrap();
    assert_eq!(decode(&tile)["mains"].ids, [1, 2, 3]);
}
