//! Grants hold everywhere: what a grant leaves out is absent from features, tiles, counts, identify and metadata.

use crate::tiles::decode;
use crate::world::{As, ROWS, World};

const HEALTH: As = As::Key("health");
const ITEMS: &str = "/ogc/collections/conditional/items";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_readable_before_the_grant_and_after_its_end() {
    let world = World::new().await;
    assert_eq!(world.get(HEALTH, ITEMS).await.status(), 403);
    world.grant("valid_until", "now() + interval '1 day'").await;
    assert_eq!(world.json(HEALTH, ITEMS).await["numberMatched"], ROWS);
    world.sql("update onemap.access_grant set revoked_at = now()").await;
    // No call of ours: the database's notice ends it on every node.
    for _ in 0..50 {
        if world.get(HEALTH, ITEMS).await.status() == 403 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("a revoked grant still works after 5 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_fields_are_absent_and_unknown() {
    let world = World::new().await;
    world.grant("fields", "array['name', 'kind']").await;
    let page = world.json(HEALTH, ITEMS).await;
    let properties = page["features"][0]["properties"].as_object().unwrap();
    assert_eq!(properties.keys().collect::<Vec<_>>(), ["kind", "name"]);
    assert_eq!(world.get(HEALTH, &format!("{ITEMS}?floors=1")).await.status(), 400, "a hidden field is unknown");
    let tilejson = world.json(HEALTH, "/tiles/conditional.json").await;
    assert_eq!(tilejson["vector_layers"][0]["fields"].as_object().unwrap().len(), 2);
    let tile = world.get(HEALTH, "/tiles/conditional/8/213/100").await.bytes().await.unwrap();
    assert_eq!(decode(&tile)["conditional"].keys, ["kind", "name"]);
    assert_eq!(world.get(HEALTH, "/tiles/conditional/8/213/100?fields=floors").await.status(), 400);
    let api = world.json(HEALTH, "/ogc/api").await;
    for (path, item) in api["paths"].as_object().unwrap() {
        let names = item.to_string().contains("floors");
        assert!(!names || !path.contains("/conditional"), "{path} names a hidden field");
        assert!(names || !path.ends_with("/open/items"), "an open one is named");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_area_bound_features_tiles_and_identify_alike() {
    let world = World::new().await;
    // Rows of one kind within the western half of the grid: x 120.00–120.045.
    world
        .grant(
            "row_filter, area",
            "'{\"kind\": [\"住宅\"]}', st_multi(st_makeenvelope(119.9, 35.9, 120.045, 37, 4490))",
        )
        .await;
    let page = world.json(HEALTH, &format!("{ITEMS}?limit=1000")).await;
    let found = page["features"].as_array().unwrap();
    // Even columns 0, 2, 4 of ten, in ten rows.
    assert_eq!(found.len(), 30);
    for feature in found {
        assert_eq!(feature["properties"]["kind"], "住宅");
        assert!(feature["geometry"]["coordinates"][0].as_f64().unwrap() < 120.045);
    }
    let tile = world.get(HEALTH, "/tiles/conditional/8/213/100").await.bytes().await.unwrap();
    let mut expected: Vec<u64> = found.iter().map(|f| f["id"].as_u64().unwrap()).collect();
    expected.sort();
    assert_eq!(decode(&tile)["conditional"].ids, expected);
    // Row 2 (id 2) is 商业, row 10 (id 10) lies outside.
    for id in [2, 10] {
        assert_eq!(world.get(HEALTH, &format!("{ITEMS}/{id}")).await.status(), 404);
    }
    let at = world.json(HEALTH, "/api/v1/identify?lon=120.01&lat=36&tolerance=50&layers=conditional").await;
    assert_eq!(at["results"][0]["features"].as_array().unwrap().len(), 0);
    let collection = world.json(HEALTH, "/ogc/collections/conditional").await;
    assert!(collection.get("extent").is_none(), "the whole layer's extent is not told");
    let layers = world.json(HEALTH, "/api/v1/layers?q=conditional").await;
    let layer = layers["layers"].as_array().unwrap().iter().find(|l| l["id"] == "conditional").unwrap();
    assert!(layer["feature_count"].is_null() && layer["bbox"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_of_different_scopes_do_not_mix_in_the_cache() {
    let world = World::new().await;
    // Bytes are compared: PostGIS and the index write the same features otherwise.
    world.indexed("conditional").await;
    let path = "/tiles/conditional/8/213/100";
    let whole = world.get(As::Key("housing"), path).await.bytes().await.unwrap();
    world.grant("fields", "array['name']").await;
    let part = world.get(HEALTH, path).await.bytes().await.unwrap();
    assert_eq!(decode(&whole)["conditional"].keys.len(), 6);
    assert_eq!(decode(&part)["conditional"].keys, ["name"]);
    let again = world.get(As::Key("housing"), path).await.bytes().await.unwrap();
    assert_eq!(again, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_layer_is_nowhere() {
    let world = World::new().await;
    for who in [As::Anonymous, HEALTH] {
        for path in
            ["/api/v1/layers", "/ogc/collections", "/ogc/api", "/ogc/tiles/WebMercatorQuad", "/styles/base.json"]
        {
            let text = world.get(who, path).await.text().await.unwrap();
            assert!(!text.contains("hidden"), "{path} as {who:?}");
        }
        let known = world.get(who, "/ogc/collections/hidden").await.text().await.unwrap();
        let unknown = world.get(who, "/ogc/collections/nothere").await.text().await.unwrap();
        let strip = |t: &str, name: &str| {
            let mut v: serde_json::Value = serde_json::from_str(t).unwrap();
            v["request_id"].take();
            v.to_string().replace(name, "X")
        };
        assert_eq!(strip(&known, "hidden"), strip(&unknown, "nothere"), "the two answers differ as {who:?}");
    }
}
