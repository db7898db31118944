//! Parts 3, 5 and 6: what fields there are, and answers with some of them.

use super::{ITEMS, href, ids};
use crate::world::{As, World};
use serde_json::{Value, json};

const SCHEMA: &str = "http://www.opengis.net/def/rel/ogc/1.0/schema";
const QUERYABLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/queryables";
const SORTABLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/sortables";

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_links_to_its_schemas_and_they_are_json_schema() {
    let world = World::new().await;
    let collection = world.json(As::Anonymous, "/ogc/collections/open").await;
    for (rel, name) in [(SCHEMA, "schema"), (QUERYABLES, "queryables"), (SORTABLES, "sortables")] {
        let url = href(&collection, rel).unwrap();
        assert!(url.ends_with(&format!("/ogc/collections/open/{name}")));
        let response = world.get(As::Anonymous, url.strip_prefix(&world.url).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "application/schema+json");
        let schema: Value = response.json().await.unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!((&schema["$id"], &schema["type"]), (&json!(url), &json!("object")));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["floors"]["type"], "integer");
        assert_eq!(
            (&schema["properties"]["built"]["type"], &schema["properties"]["built"]["format"]),
            (&json!("string"), &json!("date"))
        );
        let geometry = (name != "sortables").then_some("geometry-point");
        assert_eq!(schema["properties"]["geometry"]["format"].as_str(), geometry, "{name}");
        let page =
            world.request(reqwest::Method::GET, &format!("/ogc/collections/open/{name}")).header("accept", "text/html");
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains("floors字段"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_says_which_property_plays_which_role_and_in_which_order() {
    let world = World::new().await;
    let schema = world.json(As::Anonymous, "/ogc/collections/open/schema").await;
    let properties = schema["properties"].as_object().unwrap();
    let role = |role: &str| properties.iter().find(|(_, p)| p["x-ogc-role"] == role).map(|(name, _)| name.as_str());
    assert_eq!(role("id"), Some("fid"));
    assert_eq!(role("primary-geometry"), Some("geometry"));
    assert_eq!(role("primary-instant"), Some("built"));
    let mut order: Vec<_> =
        properties.iter().map(|(n, p)| (p["x-ogc-propertySeq"].as_i64().unwrap(), n.as_str())).collect();
    order.sort_unstable();
    let names: Vec<_> = order.into_iter().map(|(_, n)| n).collect();
    assert_eq!(names, ["fid", "name", "kind", "floors", "height", "listed", "built", "geometry"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_queryable_is_a_parameter_and_nothing_else_is() {
    let world = World::new().await;
    let queryables = world.json(As::Anonymous, "/ogc/collections/open/queryables").await;
    let values = json!({"name": "第3栋 g0", "kind": "商业", "floors": "3", "height": "9.3", "listed": "true", "built": "2019-04-17"});
    for (name, property) in queryables["properties"].as_object().unwrap() {
        if property["x-ogc-role"] == "primary-geometry" {
            let page = world
                .json(
                    As::Anonymous,
                    &format!("{ITEMS}?filter=S_INTERSECTS(geometry,BBOX(119.999,35.999,120.001,36.001))"),
                )
                .await;
            assert_eq!(ids(&page), [1]);
            continue;
        }
        let page =
            world.json(As::Anonymous, &format!("{ITEMS}?limit=100&{name}={}", values[name].as_str().unwrap())).await;
        assert!(ids(&page).contains(&4), "{name}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_carry_the_properties_that_were_asked_for() {
    let world = World::new().await;
    for path in [format!("{ITEMS}?limit=1"), format!("{ITEMS}/1?")] {
        for (query, names, geometry) in [
            ("properties=name,floors", vec!["floors", "name"], true),
            ("properties=floors&skipGeometry=true", vec!["floors"], false),
            ("exclude-properties=name,kind,height", vec!["built", "floors", "listed"], true),
            ("properties=name,kind&exclude-properties=kind,geometry", vec!["name"], false),
            ("properties=", vec![], true),
            ("skipGeometry=false", vec!["built", "floors", "height", "kind", "listed", "name"], true),
        ] {
            let document = world.json(As::Anonymous, &format!("{path}&{query}")).await;
            let feature = if document["type"] == "Feature" { &document } else { &document["features"][0] };
            let found: Vec<_> = feature["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!((found, feature["geometry"].is_object()), (names.clone(), geometry), "{path} {query}");
            assert_eq!(feature["id"], 1);
        }
    }
    // The order may be that of a property which is left out.
    let page = world.json(As::Anonymous, &format!("{ITEMS}?limit=3&properties=name&sortby=-height")).await;
    assert_eq!(ids(&page), [100, 99, 98]);
    let next = href(&page, "next").unwrap().strip_prefix(&world.url).unwrap().to_owned();
    assert_eq!(ids(&world.json(As::Anonymous, &next).await), [97, 96, 95]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_fields_are_in_no_schema_and_no_selection() {
    let world = World::new().await;
    world.grant("fields", "array['name', 'kind']").await;
    let health = As::Key("health");
    for name in ["schema", "queryables", "sortables"] {
        for f in ["json", "html"] {
            let text =
                world.get(health, &format!("/ogc/collections/conditional/{name}?f={f}")).await.text().await.unwrap();
            assert!(text.contains("kind") && !text.contains("floors") && !text.contains("built"), "{text}");
        }
    }
    for query in ["properties=floors", "exclude-properties=floors", "sortby=floors", "floors=1", "filter=floors=1"] {
        let response = world.get(health, &format!("/ogc/collections/conditional/items?{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_few_values_names_them_to_whoever_sees_all_rows() {
    let world = World::new().await;
    world.grant("row_filter", "'{\"kind\": [\"住宅\"]}'").await;
    world.indexed("open").await;
    world.indexed("conditional").await;
    let choices = async |who: As, layer: &str, field: &str| {
        let queryables = world.json(who, &format!("/ogc/collections/{layer}/queryables")).await;
        queryables["properties"][field]["enum"].clone()
    };
    assert_eq!(choices(As::Anonymous, "open", "kind").await, json!(["住宅", "商业"]));
    assert_eq!(choices(As::Anonymous, "open", "name").await, Value::Null, "a hundred names are too many");
    assert_eq!(choices(As::Key("health"), "conditional", "kind").await, Value::Null, "others lie outside of the grant");
    world.sql("update data.r1 set kind = '学校' where fid = 1").await;
    world.app.edits.catch_up().await.unwrap();
    assert_eq!(choices(As::Anonymous, "open", "kind").await, Value::Null, "what was edited is not in the index");
}
