//! CQL2: the same filter finds the same in features and in tiles, in both encodings and every system; what is wrong is said quickly.

use crate::tiles::decode;
use crate::world::{As, World};

fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

async fn items(world: &World, layer: &str, pairs: &[(&str, &str)]) -> Vec<u64> {
    let found = world.json(As::Anonymous, &format!("/ogc/collections/{layer}/items?limit=1000&{}", query(pairs))).await;
    found["features"].as_array().unwrap().iter().map(|f| f["id"].as_u64().unwrap()).collect()
}

async fn tile(world: &World, layer: &str, pairs: &[(&str, &str)]) -> Vec<u64> {
    let response = world.get(As::Anonymous, &format!("/tiles/{layer}/8/213/100?{}", query(pairs))).await;
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    assert!(status.is_success(), "{pairs:?}: {}", String::from_utf8_lossy(&bytes));
    decode(&bytes).remove(layer).map_or(vec![], |layer| layer.ids)
}

/// Row i (id i + 1) lies at 120 + 0.01 (i % 10), 36 + 0.01 (i / 10).
#[tokio::test(flavor = "multi_thread")]
async fn the_same_filter_finds_the_same_everywhere() {
    let world = World::new().await;
    world.indexed("open").await;
    type Meets = fn(u64) -> bool;
    let cases: [(&str, Meets); 16] = [
        ("S_INTERSECTS(geometry, POLYGON((119.995 35.995, 120.034 35.995, 119.995 36.034, 119.995 35.995)))", |i| {
            i % 10 + i / 10 <= 2
        }),
        ("S_INTERSECTS(geometry, POINT(120.03 36.02))", |i| i == 23),
        ("NOT S_DISJOINT(geometry, LINESTRING(120 36.01, 120.02 36.01))", |i| (10..13).contains(&i)),
        ("S_EQUALS(geometry, MULTIPOINT((120.03 36.02)))", |i| i == 23),
        ("S_WITHIN(geometry, BBOX(120, 36, 120.02, 36.02))", |i| i == 11),
        ("S_TOUCHES(geometry, BBOX(120, 36, 120.01, 36.01))", |i| i % 10 < 2 && i / 10 < 2),
        ("S_CONTAINS(BBOX(119, 36.045, 121, 36.055), geometry)", |i| i / 10 == 5),
        ("distance(geometry, POINT(120.03 36.02)) < 950", |i| i == 23 || i == 22 || i == 24),
        ("floors * 2 - 1 = 9 AND height / 3.1 > 40", |i| i % 30 == 5 && i > 40),
        ("floors % 7 = 3 AND floors div 10 = 1", |i| [10, 17].contains(&(i % 30))),
        ("CASEI(name) LIKE CASEI('第1%G0')", |i| i == 1 || (10..20).contains(&i)),
        ("ACCENTI(kind) = '商业' AND length(name) = 7", |i| i % 2 == 1 && i > 9),
        ("T_AFTER(built, DATE('2019-07-20'))", |i| i > 97),
        ("T_INTERSECTS(INTERVAL(built, '..'), INTERVAL('..', '2019-04-16'))", |i| i < 3),
        ("A_OVERLAPS((floors, kind), (3, '无'))", |i| i % 30 == 3),
        ("year(built) = 2019 AND month(built) = 4 AND day(built) > 28", |i| (15..17).contains(&i)),
    ];
    for (text, meets) in cases {
        let expected: Vec<u64> = (0..100).filter(|i| meets(*i)).map(|i| i + 1).collect();
        assert_eq!(items(&world, "open", &[("filter", text)]).await, expected, "{text}");
        assert_eq!(tile(&world, "open", &[("filter", text)]).await, expected, "{text}");
    }
    let json =
        r#"{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":[120.03,36.02]}]}"#;
    let pairs = [("filter-lang", "cql2-json"), ("filter", json)];
    assert_eq!(items(&world, "open", &pairs).await, [24]);
    assert_eq!(tile(&world, "open", &pairs).await, [24]);
    let document = world.json(As::Anonymous, &format!("/tiles/open.json?{}", query(&pairs))).await;
    assert!(document["tiles"][0].as_str().unwrap().contains("filter-lang=cql2-json"), "{document}");
}

#[tokio::test(flavor = "multi_thread")]
async fn places_may_come_in_every_offered_system_and_lie_in_others() {
    let world = World::new().await;
    // Web Mercator and UTM 51N (EPSG:32651) of about 120.025–120.035 E, 36.015–36.025 N.
    let swapped = "S_INTERSECTS(geometry, BBOX(36.015, 120.025, 36.025, 120.035))";
    let mercator = "S_INTERSECTS(geometry, BBOX(13361121, 4302686, 13362234, 4304063))";
    for (crs, text) in [
        (
            "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            "S_INTERSECTS(geometry, BBOX(120.025, 36.015, 120.035, 36.025))",
        ),
        ("http://www.opengis.net/def/crs/EPSG/0/4490", swapped),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", swapped),
        ("http://www.opengis.net/def/crs/EPSG/0/3857", mercator),
    ] {
        let pairs = [("filter-crs", crs), ("filter", text)];
        assert_eq!(items(&world, "open", &pairs).await, [24], "{crs}");
        assert_eq!(tile(&world, "open", &pairs).await, [24], "{crs}");
    }
    world
        .sql(
            "create table public.plots (gid int primary key, name text, geom geometry(polygon, 4528));
             insert into public.plots select i, 'plot ' || i, st_transform(st_setsrid(st_makeenvelope(
                 120 + i * 0.01, 36, 120.01 + i * 0.01, 36.01), 4490), 4528) from generate_series(0, 9) i;
             grant select on public.plots to onemap_app;
             insert into onemap.layer (id, department_id, title_zh, title_en, share_class, anonymous, registered_schema,
                 registered_table, registered_key, registered_geometry)
             values ('plots', 'housing', '地块', 'Plots', 'unconditional', true, 'public', 'plots', 'gid', 'geom')",
        )
        .await;
    world.app.refresh().await.expect("fresh");
    for (text, expected) in [
        ("S_INTERSECTS(geometry, POINT(120.025 36.005))", vec![2]),
        ("S_CONTAINS(geometry, BBOX(120.024, 36.004, 120.026, 36.006))", vec![2]),
        ("S_WITHIN(geometry, BBOX(120.025, 35, 121, 37)) AND name < 'plot 5'", vec![3, 4]),
        ("S_DISJOINT(geometry, BBOX(-180, -90, 180, 90))", vec![]),
        ("S_INTERSECTS(geometry, POINT(0 0))", vec![]),
        ("area(geometry) > 1.1e6 OR length(geometry) < 1", vec![]),
        ("area(geometry) BETWEEN 0.9e6 AND 1.1e6 AND name = 'plot 7'", vec![7]),
    ] {
        assert_eq!(items(&world, "plots", &[("filter", text)]).await, expected, "{text}");
    }
    let northing = "S_INTERSECTS(geometry, BBOX(3985545, 40500000, 3986654, 40500900))";
    let gauss = [("filter-crs", "http://www.opengis.net/def/crs/EPSG/0/4528"), ("filter", northing)];
    assert_eq!(items(&world, "plots", &gauss).await[0], 0);
}

/// The same text is another filter a moment later: nobody may keep its answer.
#[tokio::test(flavor = "multi_thread")]
async fn what_asks_for_the_time_is_not_kept() {
    let world = World::new().await;
    world.indexed("open").await;
    let document = world.json(As::Anonymous, "/tiles/open.json").await;
    let template = document["tiles"][0].as_str().unwrap().strip_prefix(&world.url).unwrap();
    let versioned = template.replace("{z}", "8").replace("{x}", "213").replace("{y}", "100");
    for (text, kept) in [("built < now()", false), ("built < DATE('2100-01-01')", true)] {
        let filter = query(&[("filter", text)]);
        let page = world.get(As::Anonymous, &format!("/ogc/collections/open/items?{filter}")).await;
        assert_eq!((page.status().as_u16(), page.headers().contains_key("etag")), (200, kept), "{text}");
        let tile = world.get(As::Anonymous, &format!("{versioned}&{filter}")).await;
        assert_eq!((tile.status().as_u16(), tile.headers().contains_key("etag")), (200, kept), "{text}");
        let policy = tile.headers()["cache-control"].to_str().unwrap();
        assert_eq!(policy.contains("immutable"), kept, "{text}: {policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_a_quick_400() {
    let world = World::new().await;
    let deep = format!("{}true{}", "(".repeat(10_000), ")".repeat(10_000));
    let nots = "NOT ".repeat(8_000);
    let json = "[".repeat(20_000);
    let wkt = format!("S_WITHIN(geometry, {}", "GEOMETRYCOLLECTION(".repeat(1_500));
    let sum = format!("{}1 = 1", "floors + ".repeat(3_000));
    let nested = format!("{}listed{}", "(".repeat(30), ") IN (listed, TRUE)".repeat(30));
    for (pairs, parameter) in [
        (vec![("filter", deep.as_str())], "filter"),
        (vec![("filter", nots.as_str())], "filter"),
        (vec![("filter-lang", "cql2-json"), ("filter", json.as_str())], "filter"),
        (vec![("filter", wkt.as_str())], "filter"),
        (vec![("filter", sum.as_str())], "filter"),
        (vec![("filter", nested.as_str())], "filter"),
        (vec![("filter", "S_INTERSECTS(geometry, POINT(90 180))")], "filter"),
        (vec![("filter", "pg_sleep(9) = 1")], "filter"),
        (vec![("filter", "floors = 1"), ("filter-lang", "ecql")], "filter-lang"),
        (vec![("filter", "floors = 1"), ("filter-crs", "http://www.opengis.net/def/crs/EPSG/0/2154")], "filter-crs"),
    ] {
        for path in ["/ogc/collections/open/items", "/tiles/open/8/213/100"] {
            let response = world.get(As::Anonymous, &format!("{path}?{}", query(&pairs))).await;
            assert_eq!(response.status(), 400, "{path} {:.80}", pairs[0].1);
            let problem: serde_json::Value = response.json().await.unwrap();
            assert_eq!(problem["parameter"], parameter, "{problem}");
        }
    }
    // What has no result is unknown, and no error of the database.
    for text in [
        "floors / 0 = 1",
        "floors * 9223372036854775807 > 0",
        "height ^ 1e9 > 0",
        "0 ^ (floors - 100) = 1",
        "sqrt(-1 - floors) = 1",
    ] {
        let found = items(&world, "open", &[("filter", text)]).await;
        assert!(found.len() < 5, "{text}: {found:?}");
    }
    let functions = world.json(As::Anonymous, "/ogc/functions").await;
    let area = functions["functions"].as_array().unwrap().iter().find(|f| f["name"] == "area").unwrap();
    assert_eq!((&area["args"][0]["type"][0], &area["returns"][0]), (&"geometry".into(), &"number".into()));
}
