//! OGC API Features: paging, boxes, reference systems, conditions, formats.

use crate::world::{As, ROWS, World};
use serde_json::Value;

const ITEMS: &str = "/ogc/collections/open/items";

fn ids(collection: &Value) -> Vec<i64> {
    collection["features"].as_array().unwrap().iter().map(|f| f["id"].as_i64().unwrap()).collect()
}

fn href<'a>(document: &'a Value, rel: &str) -> Option<&'a str> {
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
    assert_eq!(collections["collections"].as_array().unwrap().len(), 1, "only the open layer");
    let api = world.json(As::Anonymous, "/ogc/api").await;
    assert!(api["paths"]["/collections/open/items"].is_object() && api["openapi"] == "3.0.3");
    assert!(api["paths"].as_object().unwrap().keys().all(|p| !p.contains("hidden") && !p.contains("conditional")));
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
