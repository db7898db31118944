//! OGC API Features: paging, boxes, reference systems, conditions, formats.

use crate::world::{As, ROWS, World};
use serde_json::Value;

mod api;
mod pages;
mod schemas;
mod sorting;

const ITEMS: &str = "/ogc/collections/open/items";

pub fn ids(collection: &Value) -> Vec<i64> {
    collection["features"].as_array().unwrap().iter().map(|f| f["id"].as_i64().unwrap()).collect()
}

pub fn href<'a>(document: &'a Value, rel: &str) -> Option<&'a str> {
    document["links"].as_array()?.iter().find(|l| l["rel"] == rel)?["href"].as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn next_links_lead_through_every_feature_once() {
    let world = World::new().await;
    let mut path = format!("{ITEMS}?limit=7");
    let mut seen = vec![];
    loop {
        let page = world.json(As::Anonymous, &path).await;
        assert_eq!(page["numberReturned"].as_u64().unwrap() as usize, ids(&page).len());
        assert_eq!(page["numberMatched"], ROWS);
        seen.extend(ids(&page));
        match href(&page, "next") {
            Some(next) => path = next.strip_prefix(&world.url).unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, (1..=ROWS).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn boxes_in_every_crs_find_the_same() {
    let world = World::new().await;
    // Points stand at 120.00, 120.01 … and 36.00, 36.01 …: 3 × 2 of them lie in this box.
    let expected =
        ids(&world.json(As::Anonymous, &format!("{ITEMS}?bbox=119.995,36.005,120.025,36.025&limit=50")).await);
    assert_eq!(expected.len(), 6);
    let epsg = "http://www.opengis.net/def/crs/EPSG/0/";
    for (bbox, crs) in [
        ("36.005,119.995,36.025,120.025", format!("{epsg}4326")),
        ("36.005,119.995,36.025,120.025", format!("{epsg}4490")),
        ("13357782.3,4301309.4,13361121.9,4304061.9", format!("{epsg}3857")),
        ("3986097.5,40499549.3,3988316.9,40502253.4", format!("{epsg}4528")),
        ("119.995,36.005,-5,120.025,36.025,9", "http://www.opengis.net/def/crs/OGC/1.3/CRS84".into()),
    ] {
        let found = world.json(As::Anonymous, &format!("{ITEMS}?limit=50&bbox={bbox}&bbox-crs={crs}")).await;
        assert_eq!(ids(&found), expected, "{crs}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coordinates_follow_the_asked_crs_and_its_axis_order() {
    let world = World::new().await;
    for (crs, expected) in [
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", [120.0, 36.0]),
        ("http://www.opengis.net/def/crs/EPSG/0/4490", [36.0, 120.0]),
        // Spherical Mercator: 120° is a third of the half side; 36° by R·ln(tan(π/4+φ/2)).
        ("http://www.opengis.net/def/crs/EPSG/0/3857", [13358338.8952, 4300621.3721]),
    ] {
        let response = world.get(As::Anonymous, &format!("{ITEMS}/1?crs={crs}")).await;
        assert_eq!(response.headers()["content-crs"], format!("<{crs}>"));
        let feature: Value = response.json().await.unwrap();
        let got = feature["geometry"]["coordinates"].as_array().unwrap();
        for (got, expected) in got.iter().zip(expected) {
            assert!((got.as_f64().unwrap() - expected).abs() < 0.001, "{crs}: {got} is not {expected}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_narrow_by_value_and_time() {
    let world = World::new().await;
    for (query, count) in [
        ("kind=住宅", 50),
        ("kind=住宅&floors=4", 4),
        ("listed=true", 34),
        // Row i was built on day 18000 + i, which for i = 0 is 2019-04-14.
        ("datetime=2019-04-14", 1),
        ("datetime=2019-04-14/2019-04-16", 3),
        ("datetime=../2019-04-14", 1),
        ("datetime=2019-04-15/..", 99),
    ] {
        let found = world.json(As::Anonymous, &format!("{ITEMS}?limit=1000&{query}")).await;
        assert_eq!(found["numberMatched"], count, "{query}");
        assert_eq!(ids(&found).len(), count, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_keep_their_types_and_etags_their_promise() {
    let world = World::new().await;
    let response = world.get(As::Anonymous, &format!("{ITEMS}/2")).await;
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    let feature: Value = response.json().await.unwrap();
    assert_eq!(feature["properties"]["name"], "第1栋 g0");
    assert_eq!(feature["properties"]["floors"], 1);
    assert_eq!(feature["properties"]["height"], 3.1);
    assert_eq!(feature["properties"]["listed"], false);
    assert_eq!(feature["properties"]["built"], "2019-04-15");
    let again = world.request(reqwest::Method::GET, &format!("{ITEMS}/2")).header("if-none-match", etag);
    let response = again.send().await.unwrap();
    // The single feature and its page have one validator per state.
    assert!(matches!(response.status().as_u16(), 200 | 304));
    let page = world.get(As::Anonymous, ITEMS).await;
    let etag = page.headers()["etag"].to_str().unwrap().to_owned();
    let again = world.request(reqwest::Method::GET, ITEMS).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_for_people_are_html_and_escape_text() {
    let world = World::new().await;
    world.sql("update data.r1 set name = '<script>alert(1)</script>' where fid = 1").await;
    for path in ["/ogc", "/ogc/collections", "/ogc/collections/open", ITEMS, "/ogc/collections/open/items/1"] {
        let request = world.request(reqwest::Method::GET, path).header("accept", "text/html,*/*");
        let response = request.send().await.unwrap();
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"), "{path}");
        assert!(!response.text().await.unwrap().contains("<script>"), "{path}");
    }
}

/// The same box by the tile index and by PostGIS: the same rows in the same order, whatever was edited since the index was made.
#[tokio::test(flavor = "multi_thread")]
async fn boxes_found_by_the_index_are_those_that_postgis_finds() {
    let world = World::new().await;
    world.indexed("open").await;
    let revision = world.app.catalog.snapshot().layers["open"].state.as_ref().unwrap().revision;
    for round in 0..3 {
        if round > 0 {
            // Moved in, moved out, gone, new: in the index they stand where they stood.
            world
                .sql(
                    "update data.r1 set geom = st_setsrid(st_makepoint(120.015, 36.015 + fid * 0.0001), 4490) where fid in (88, 99);
                     update data.r1 set geom = st_setsrid(st_makepoint(121, 37), 4490) where fid in (1, 12);
                     update data.r1 set geom = null where fid = 13; delete from data.r1 where fid = 23;
                     insert into data.r1 (name, geom) values ('新', st_setsrid(st_makepoint(120.02, 36.02), 4490))",
                )
                .await;
            world.app.edits.catch_up().await.unwrap();
        }
        for bbox in [
            "119,35,122,38",
            "120,36,120.03,36.05",
            "120.01,36.01,120.01,36.01",
            "120.005,36.005,120.015,36.015",
            "120.0100001,36.0100001,120.0299999,36.0299999",
            "0,0,1,1",
            "-180,-90,180,90",
        ] {
            for limit in [1, 4, 1000] {
                let path = format!("{ITEMS}?bbox={bbox}&limit={limit}");
                let mut pages = [vec![], vec![]];
                // A filter that leaves nothing out keeps the index away.
                for (i, by) in ["", "&filter=floors<1000 OR floors IS NULL"].into_iter().enumerate() {
                    let mut next = Some(format!("{path}{by}"));
                    while let Some(at) = next {
                        let page = world.json(As::Anonymous, &at).await;
                        pages[i].push(ids(&page));
                        next = href(&page, "next").map(|h| h.strip_prefix(&world.url).unwrap().to_owned());
                    }
                }
                assert_eq!(pages[0], pages[1], "{bbox} by {limit}");
            }
        }
        assert!(world.app.tiles.indexes().get(revision).is_some());
    }
    let metrics = world.get(As::Anonymous, "/metrics").await.text().await.unwrap();
    assert!(metrics.contains("onemap_items_total{by=\"index\"}"), "the index was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_look_for_is_there() {
    let world = World::new().await;
    let landing = world.json(As::Anonymous, "/ogc").await;
    for rel in ["self", "alternate", "service-desc", "service-doc", "conformance", "data"] {
        assert!(href(&landing, rel).is_some(), "{rel}");
    }
    let conformance = world.json(As::Anonymous, "/ogc/conformance").await;
    let core = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core";
    assert!(conformance["conformsTo"].as_array().unwrap().iter().any(|c| c == core));
    let collections = world.json(As::Anonymous, "/ogc/collections").await;
    let ids: Vec<&Value> = collections["collections"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    assert_eq!(ids, ["open", "catalogue"], "of the layers only the open one");
    let api = world.json(As::Anonymous, "/ogc/api").await;
    assert!(api["paths"]["/collections/open/items"].is_object() && api["openapi"] == "3.0.3");
    assert!(api["paths"].as_object().unwrap().keys().all(|p| !p.contains("hidden") && !p.contains("conditional")));
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_have_validators_and_the_list_says_what_each_collection_says() {
    let world = World::new().await;
    world
        .sql(
            "create table public.squares (nr int primary key, geom geometry(point, 3857));
             grant select on public.squares to onemap_app;
             insert into onemap.layer (id, department_id, title_zh, title_en, share_class, anonymous, registered_schema,
                 registered_table, registered_key, registered_geometry)
             values ('squares', 'housing', '格', 'Squares', 'unconditional', true, 'public', 'squares', 'nr', 'geom')",
        )
        .await;
    world.app.refresh().await.unwrap();
    let list = world.json(As::Anonymous, "/ogc/collections").await;
    let listed = |id: &str| list["collections"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap().clone();
    for id in ["open", "squares"] {
        let alone = world.json(As::Anonymous, &format!("/ogc/collections/{id}")).await;
        assert_eq!(listed(id)["extent"], alone["extent"], "{id}");
        assert!(alone["crs"].as_array().unwrap().contains(&alone["storageCrs"]), "{id}");
    }
    assert!(listed("open")["extent"]["temporal"].is_object());
    assert_eq!(listed("squares")["storageCrs"], "http://www.opengis.net/def/crs/EPSG/0/3857");
    for path in ["/ogc", "/ogc/conformance", "/ogc/collections", "/ogc/collections/open"] {
        for f in ["json", "html"] {
            let path = format!("{path}?f={f}");
            let etag = world.get(As::Anonymous, &path).await.headers()["etag"].clone();
            let again = world.request(reqwest::Method::GET, &path).header("if-none-match", etag).send().await.unwrap();
            assert_eq!(again.status(), 304, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_when_its_client_leaves() {
    let world = World::new().await;
    world
        .sql(
            "create schema slow; create view slow.sheep as select i as nr, pg_sleep(0.05)::text as z,
                 null::geometry(Point, 4326) as geom from generate_series(1, 100000) i;
             grant usage on schema slow to onemap_app; grant select on slow.sheep to onemap_app;
             insert into onemap.layer (id, department_id, title_zh, title_en, share_class, anonymous, registered_schema,
                 registered_table, registered_key, registered_geometry)
             values ('sheep', 'housing', '羊', 'Sheep', 'unconditional', true, 'slow', 'sheep', 'nr', 'geom')",
        )
        .await;
    world.app.refresh().await.unwrap();
    let path = "/ogc/collections/sheep/items?limit=10000";
    let request = world.request(reqwest::Method::GET, path).timeout(std::time::Duration::from_millis(400));
    assert!(request.send().await.is_err(), "the client gives up");
    let client = world.app.database.app().await.unwrap();
    let running = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active'
         and query like '%sheep%' and pid <> pg_backend_pid()";
    for _ in 0..50 {
        if client.query_one(running, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the query goes on without its client");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_above_the_most_is_the_most() {
    let world = World::new().await;
    for limit in ["10001", "99999999999999999999"] {
        let page = world.json(As::Anonymous, &format!("{ITEMS}?limit={limit}")).await;
        assert_eq!(page["numberReturned"], ROWS);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_accept_asks_for_is_given_or_said_not_to_be_there() {
    let world = World::new().await;
    for path in
        ["/ogc", "/ogc/conformance", "/ogc/collections", "/ogc/collections/open", ITEMS, "/ogc/collections/open/schema"]
    {
        for (accept, status, media) in [
            ("application/json", 200, "json"),
            ("text/html", 200, "text/html"),
            ("text/html;q=0.4, application/json;q=0.5", 200, "json"),
            ("*/*", 200, "json"),
            ("application/vnd.mapbox-vector-tile", 406, "application/problem+json"),
        ] {
            let response = world.request(reqwest::Method::GET, path).header("accept", accept).send().await.unwrap();
            assert_eq!(response.status(), status, "{path} {accept}");
            let given = response.headers()["content-type"].to_str().unwrap();
            assert!(given.contains(media), "{path} {accept}: {given}");
            let head = world.request(reqwest::Method::HEAD, path).header("accept", accept).send().await.unwrap();
            assert_eq!((head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()), (status, given));
            assert!(head.bytes().await.unwrap().is_empty());
        }
        // `f` wins over Accept.
        let page = world.request(reqwest::Method::GET, &format!("{path}?f=json")).header("accept", "text/html");
        assert!(page.send().await.unwrap().headers()["content-type"].to_str().unwrap().contains("json"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_bounds_the_page_and_meets_the_other_conditions() {
    let world = World::new().await;
    let page = world.json(As::Anonymous, &format!("{ITEMS}?limit=100&filter=floors>=28 AND kind='住宅'")).await;
    let found = ids(&page);
    assert!(!found.is_empty() && page["numberMatched"] == found.len());
    for feature in page["features"].as_array().unwrap() {
        assert!(feature["properties"]["floors"].as_i64().unwrap() >= 28 && feature["properties"]["kind"] == "住宅");
    }
    let both = world.json(As::Anonymous, &format!("{ITEMS}?limit=100&filter=floors>=28&kind=住宅")).await;
    assert_eq!(ids(&both), found);
    let boxed = world.json(As::Anonymous, &format!("{ITEMS}?limit=100&filter=floors>=28&bbox=120,36,120.02,37")).await;
    assert!(ids(&boxed).len() < world_rows(&world, "floors>=28").await);
}

async fn world_rows(world: &World, filter: &str) -> usize {
    ids(&world.json(As::Anonymous, &format!("{ITEMS}?limit=1000&filter={filter}")).await).len()
}
