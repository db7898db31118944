//! Tiles, decoded by an independent reader (geozero's protobuf types) and held against the features.

use std::collections::BTreeMap;

use geozero::mvt::{Message, Tile};
use onemap::tile::encoding::Encoding;
use reqwest::Method;
use serde_json::json;

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
async fn each_coding_has_its_own_validator() {
    let world = World::new().await;
    world.indexed("open").await;
    let ask = |accepted: &'static str, tag: Option<reqwest::header::HeaderValue>| {
        let request = world.request(Method::GET, "/tiles/open/8/213/100").header("accept-encoding", accepted);
        let request = tag.into_iter().fold(request, |request, tag| request.header("if-none-match", tag));
        async { request.send().await.unwrap() }
    };
    let plain = ask("", None).await.bytes().await.unwrap();
    assert_eq!(decode(&plain)["open"].ids.len(), 100);
    let mut tags = vec![];
    for (accepted, coding) in [
        ("gzip, deflate, br, zstd", Encoding::Zstd),
        ("gzip, deflate, br", Encoding::Gzip),
        ("br;q=1.0, gzip;q=0.8", Encoding::Brotli),
        ("gzip;q=0", Encoding::Identity),
        ("deflate", Encoding::Identity),
    ] {
        let response = ask(accepted, None).await;
        let named = response.headers().get("content-encoding").map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(named.as_deref(), (coding != Encoding::Identity).then_some(coding.name()), "{accepted}");
        assert_eq!(response.headers()["vary"], "Accept, Accept-Encoding");
        assert_eq!(response.headers()["content-type"], "application/vnd.mapbox-vector-tile");
        let tag = response.headers()["etag"].clone();
        assert_eq!(coding.decode(&response.bytes().await.unwrap()).unwrap(), plain, "{accepted}");
        let again = ask(accepted, Some(tag.clone())).await;
        assert_eq!((again.status().as_u16(), &again.headers()["etag"]), (304, &tag), "{accepted}");
        assert_eq!(again.headers()["vary"], "Accept, Accept-Encoding");
        tags.push((coding, tag));
    }
    // The bytes of one coding are not those of another.
    for (coding, tag) in &tags {
        let expected = if *coding == Encoding::Gzip { 304 } else { 200 };
        assert_eq!(ask("gzip", Some(tag.clone())).await.status(), expected);
    }
    // The empty tile is a state too.
    let empty = world.get(As::Anonymous, "/tiles/open/10/0/0").await;
    assert_eq!(
        (empty.status().as_u16(), &empty.headers()["cache-control"]),
        (204, &"public, no-cache".parse().unwrap())
    );
    assert!(empty.headers().contains_key("etag"));
}

/// Where the points of a tile's one layer lie, by id: fractions of its side from the north-west.
fn positions(bytes: &[u8]) -> BTreeMap<u64, [f64; 2]> {
    let unzigzag = |v: u32| f64::from((v >> 1) as i32 ^ -((v & 1) as i32));
    let tile = Tile::decode(bytes).expect("a vector tile");
    let features = tile.layers[0].features.iter();
    let place = |g: &[u32]| [unzigzag(g[1]) / 4096.0, unzigzag(g[2]) / 4096.0];
    features.map(|f| (f.id.expect("an id"), place(&f.geometry))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_of_degrees_hold_their_features_in_the_right_place() {
    let world = World::new().await;
    world.indexed("open").await;
    // Zoom, column, row of WorldCRS84Quad; CGCS2000Quad counts its zooms from 1. The points stand 0.01 apart from 120 E, 36 N.
    for (z, x, y) in [(0u32, 1u32, 0u32), (9, 853, 153), (12, 6826, 1228), (12, 6827, 1228), (14, 27313, 4912)] {
        let path = format!("/tiles/open/WorldCRS84Quad/{z}/{x}/{y}");
        let bytes = world.get(As::Anonymous, &path).await.bytes().await.unwrap();
        let side = 180.0 / f64::from(1 << z);
        let (west, north) = (f64::from(x) * side - 180.0, 90.0 - f64::from(y) * side);
        let margin = side * 64.0 / 4096.0;
        let expected: BTreeMap<u64, [f64; 2]> = (0..100)
            .map(|i| (i + 1, (120.0 + (i % 10) as f64 * 0.01, 36.0 + (i / 10) as f64 * 0.01)))
            .filter(|(_, (lon, lat))| {
                (west - margin..=west + side + margin).contains(lon)
                    && (north - side - margin..=north + margin).contains(lat)
            })
            .map(|(id, (lon, lat))| (id, [(lon - west) / side, (north - lat) / side]))
            .collect();
        assert!(!expected.is_empty(), "{path}");
        let found = positions(&bytes);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{path}");
        for (id, [x, y]) in &expected {
            let near = |a: f64, b: f64| (a - b).abs() <= 1.01 / 4096.0;
            assert!(near(found[id][0], *x) && near(found[id][1], *y), "{path} {id}: {:?} {x} {y}", found[id]);
        }
        let level = z + 1;
        for same in [
            format!("/tiles/open/CGCS2000Quad/{level}/{x}/{y}.mvt"),
            format!("/ogc/collections/open/tiles/CGCS2000Quad/{level}/{y}/{x}"),
            format!("/ogc/tiles/WorldCRS84Quad/{z}/{y}/{x}?collections=open"),
        ] {
            let bytes = world.get(As::Anonymous, &same).await.bytes().await.unwrap();
            assert_eq!(positions(&bytes), found, "{same}");
        }
    }
}

async fn filtered(world: &World, who: As, layers: &str, filter: &str) -> BTreeMap<String, Layer> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("filter", filter).finish();
    let response = world.get(who, &format!("/tiles/{layers}/8/213/100?{query}")).await;
    assert!(response.status().is_success(), "{filter}: {}", response.text().await.unwrap());
    decode(&response.bytes().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_leaves_what_meets_it() {
    let world = World::new().await;
    // Row i (id i + 1) has `floors` i % 30, `kind` 住宅 when even, `listed` when i % 3 = 0, `built` 2019-04-14 and i days.
    type Meets = fn(u64) -> bool;
    let cases: [(&str, Meets); 9] = [
        ("floors > 27", |i| i % 30 > 27),
        ("floors BETWEEN 3 AND 4 AND NOT kind = '住宅'", |i| i % 30 == 3),
        ("kind IN ('商业') OR floors = 0", |i| i % 2 == 1 || i % 30 == 0),
        ("listed = TRUE", |i| i % 3 == 0),
        ("name LIKE '第1%'", |i| i == 1 || (10..20).contains(&i)),
        ("name IS NULL", |_| false),
        ("built < DATE('2019-04-17')", |i| i < 3),
        ("height >= 303.8", |i| i >= 98),
        ("S_INTERSECTS(geometry, BBOX(119.995, 35.995, 120.025, 36.015))", |i| i % 10 <= 2 && i / 10 <= 1),
    ];
    for (filter, meets) in cases {
        let expected: Vec<u64> = (0..100).filter(|i| meets(*i)).map(|i| i + 1).collect();
        let found = filtered(&world, As::Anonymous, "open", filter).await;
        assert_eq!(found.get("open").map_or(&[][..], |layer| &layer.ids), expected, "{filter}");
    }
    let both = filtered(&world, As::Key("health"), "open,unconditional", "floors = 5").await;
    assert_eq!((&both["open"].ids, &both["unconditional"].ids), (&vec![6, 36, 66, 96], &vec![6, 36, 66, 96]));
    // Filters that say the same have one validator; others do not.
    let tag = async |filter: &str| {
        world.get(As::Anonymous, &format!("/tiles/open/8/213/100?filter={filter}")).await.headers()["etag"].clone()
    };
    assert_eq!(tag("floors%3D1").await, tag("(floors+%3D+1)").await);
    assert_ne!(tag("floors%3D1").await, tag("floors%3D2").await);
    let document = world.json(As::Anonymous, "/tiles/open.json?filter=floors%3D1").await;
    assert!(document["tiles"][0].as_str().unwrap().ends_with("&filter=floors%3D1"), "{document}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_cannot_ask_for_what_a_grant_hides() {
    let world = World::new().await;
    world.grant("fields, row_filter", "'{name,kind}', '{\"kind\": [\"住宅\"]}'").await;
    let problem = async |field: &str| {
        let path = format!("/tiles/conditional/8/213/100?filter={field}+%3D+1");
        let request = world.by(As::Key("health"), Method::GET, &path).await.header("accept-language", "en");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let problem: serde_json::Value = response.json().await.unwrap();
        assert_eq!(problem["parameter"], "filter");
        problem["detail"].as_str().unwrap().replace(field, "…")
    };
    // A hidden field is as unknown as one that is not there.
    assert_eq!(problem("floors").await, problem("flooss").await);
    let found = filtered(&world, As::Key("health"), "conditional", "kind = '商业' OR name LIKE '第1%'").await;
    assert_eq!(found["conditional"].ids, [11, 13, 15, 17, 19]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tilejson_and_the_standards_documents_name_all_sets() {
    let world = World::new().await;
    for (set, minzoom, maxzoom, crs) in [
        ("WebMercatorQuad", 0, 16, "EPSG/0/3857"),
        ("WorldCRS84Quad", 0, 15, "OGC/1.3/CRS84"),
        ("CGCS2000Quad", 1, 16, "EPSG/0/4490"),
    ] {
        let document = world.json(As::Anonymous, &format!("/tiles/open/{set}.json?fields=name")).await;
        let template = document["tiles"][0].as_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
        let path = if set == "WebMercatorQuad" { "open".to_owned() } else { format!("open/{set}") };
        assert!(template.starts_with(&format!("/tiles/{path}/{{z}}/{{x}}/{{y}}?v=")), "{template}");
        assert!(template.ends_with("&fields=name"), "{template}");
        assert_eq!((&document["minzoom"], &document["maxzoom"]), (&minzoom.into(), &maxzoom.into()));
        assert_eq!(document["vector_layers"][0]["minzoom"], minzoom);
        assert!(document.as_object().unwrap().contains_key("complete_from"));
        assert!(document["vector_layers"][0].as_object().unwrap().contains_key("complete_from"));
        assert!(document["crs"].as_str().unwrap().ends_with(crs));
        let first = template.replace("{z}", &minzoom.to_string()).replace("{x}", "0").replace("{y}", "0");
        let tile = world.get(As::Anonymous, &first).await;
        assert!(tile.headers()["cache-control"].to_str().unwrap().contains("immutable"), "{first}");
        let definition = world.json(As::Anonymous, &format!("/ogc/tileMatrixSets/{set}")).await;
        assert_eq!((&definition["id"], &definition["crs"]), (&set.into(), &document["crs"]));
        let tileset = world.json(As::Anonymous, &format!("/ogc/collections/open/tiles/{set}")).await;
        // One that is not in OGC's register is named by its own address.
        let own = json!(format!("{}/ogc/tileMatrixSets/{set}", world.url));
        let uri = definition.get("uri").unwrap_or(&own);
        assert_eq!((&tileset["crs"], &tileset["tileMatrixSetURI"]), (&document["crs"], uri));
        let page = world.get(As::Anonymous, &format!("/ogc/tileMatrixSets/{set}?f=html")).await.text().await.unwrap();
        assert!(page.contains(set) && page.contains(crs));
        let layers = world.get(As::Anonymous, "/ogc/collections/open/tiles?f=html").await.text().await.unwrap();
        assert!(layers.contains(&format!("/ogc/collections/open/tiles/{set}")));
    }
    let lists = ["/ogc/tileMatrixSets", "/ogc/tiles", "/ogc/collections/open/tiles"];
    for (path, member) in lists.into_iter().zip(["tileMatrixSets", "tilesets", "tilesets"]) {
        assert_eq!(world.json(As::Anonymous, path).await[member].as_array().unwrap().len(), 3, "{path}");
    }
    let api = world.json(As::Anonymous, "/ogc/api").await;
    let asked = &api["paths"]["/tiles/{tileMatrixSetId}"]["get"]["parameters"];
    let shared = json!({"$ref": "#/components/parameters/tileMatrixSetId"});
    assert!(asked.as_array().unwrap().contains(&shared), "{asked}");
    let set = &api["components"]["parameters"]["tileMatrixSetId"]["schema"]["enum"];
    assert_eq!(set.as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tile_is_said_at_once() {
    let world = World::new().await;
    for (path, status, parameter) in [
        ("/tiles/open/25/0/0", 404, None),
        ("/tiles/open/4294967295/0/0", 404, None),
        ("/tiles/open/99999999999999999999/0/0", 404, None),
        ("/tiles/open/3/8/0", 404, None),
        ("/tiles/open/3/0/8", 404, None),
        ("/tiles/open/-1/0/0", 400, Some("z")),
        ("/tiles/open/1.5/0/0", 400, Some("z")),
        ("/tiles/open/3/x/0", 400, Some("x")),
        ("/tiles/open/3/0/1.5", 400, Some("y")),
        ("/tiles/open/3/0/.mvt", 400, Some("y")),
        ("/tiles/open/CGCS2000Quad/0/0/0", 404, None),
        ("/tiles/open/CGCS2000Quad/1/0/1", 404, None),
        ("/tiles/open/WorldCRS84Quad/0/2/0", 404, None),
        ("/tiles/open/WorldCRS84Quad/24/0/0", 404, None),
        ("/tiles/open/worldcrs84quad/0/0/0", 404, None),
        ("/tiles/open/NoSuchQuad/0/0/0", 404, None),
        ("/tiles/open/NoSuchQuad.json", 404, None),
        ("/tiles/open/WorldCRS84Quad", 404, None),
        ("/ogc/tiles/NoSuchQuad/0/0/0", 404, None),
        ("/ogc/tileMatrixSets/NoSuchQuad", 404, None),
        ("/tiles/open/8/213/100.png", 400, Some("y")),
        ("/tiles/open/8/213/100?f=png", 400, Some("f")),
        ("/tiles/open/8/213/100?fields=owner", 400, Some("fields")),
        ("/tiles/open/8/213/100?tms=1", 400, Some("tms")),
        ("/tiles/open/8/213/100?filter=floors+%3E", 400, Some("filter")),
        ("/tiles/open/8/213/100?filter=", 400, Some("filter")),
        ("/tiles/open/8/213/100?filter=owner+%3D+1", 400, Some("filter")),
        ("/tiles/open/8/213/100?filter=floors+%3D+'x'", 400, Some("filter")),
        ("/tiles/open/8/213/100?filter=floors%3D1&filter-lang=ecql", 400, Some("filter-lang")),
        ("/tiles/open/8/213/100?filter-lang=ecql", 400, Some("filter-lang")),
        ("/tiles/open.json?filter=floors+%3E", 400, Some("filter")),
        ("/ogc/collections/open/tiles/WebMercatorQuad/8/100/213?filter=floors+%3E", 400, Some("filter")),
    ] {
        let request = world.request(Method::GET, path).header("accept-language", "en");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let problem: serde_json::Value = response.json().await.unwrap();
        assert_eq!(problem["parameter"].as_str(), parameter, "{path}: {problem}");
        let hint = problem["hint"].as_str().unwrap();
        if path.contains("NoSuchQuad") {
            assert!(
                ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad"].iter().all(|set| hint.contains(set)),
                "{hint}"
            );
        }
        if path.contains("CGCS2000Quad/0") {
            assert!(hint.contains("1 to 24") && hint.contains("Tianditu"), "{hint}");
        }
    }
    let accept = |text| world.request(Method::GET, "/tiles/open/8/213/100").header("accept", text);
    let mlt = accept("application/vnd.maplibre-tile").send().await.unwrap();
    assert_eq!(mlt.headers()["content-type"], "application/vnd.maplibre-tile");
    let bytes = mlt.bytes().await.unwrap();
    let layers = mlt_core::Parser::default().parse_layers(&bytes).unwrap();
    let mlt_core::Layer::Tag01(layer) = layers.into_iter().next().unwrap() else { panic!("another kind of layer") };
    assert_eq!(layer.into_tile(&mut mlt_core::Decoder::default()).unwrap().features().len(), 100);
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
