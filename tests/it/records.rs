//! OGC API Records: the catalogue, as each caller may know it.

use onemap::access::principal::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{As, World};

const ITEMS: &str = "/ogc/collections/catalogue/items";
const HEALTH: As = As::Key("health");

fn ids(page: &Value) -> Vec<&str> {
    page["features"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect()
}

async fn found(world: &World, who: As, query: &str) -> Vec<String> {
    let page = world.json(who, &format!("{ITEMS}?{query}")).await;
    assert_eq!(page["numberMatched"], page["features"].as_array().unwrap().len(), "{query}");
    ids(&page).into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_holds_what_one_may_know_of() {
    let world = World::new().await;
    assert_eq!(found(&world, As::Anonymous, "").await, ["open"]);
    assert_eq!(found(&world, HEALTH, "").await, ["conditional", "open", "unconditional"]);
    assert_eq!(found(&world, As::Key("housing"), "").await, ["conditional", "hidden", "open", "unconditional"]);
    for path in [format!("{ITEMS}/hidden"), format!("{ITEMS}/nothere")] {
        assert_eq!(world.get(HEALTH, &path).await.status(), 404);
    }
    for query in ["q=hidden", "ids=hidden", "externalIds=onemap:hidden", "filter=id='hidden'"] {
        assert!(found(&world, HEALTH, query).await.is_empty(), "{query}");
    }
    // What may only be requested says how it is shared, and neither where it lies nor where its features are.
    let record = world.json(HEALTH, &format!("{ITEMS}/conditional")).await;
    assert_eq!((&record["geometry"], &record["properties"]["access"]), (&Value::Null, &json!("request")));
    assert!(!record["links"].to_string().contains("/ogc/collections/conditional"), "{record}");
    let record = world.json(HEALTH, &format!("{ITEMS}/unconditional")).await;
    assert_eq!(record["geometry"]["type"], "Polygon");
    assert!(record["links"].to_string().contains("/ogc/collections/unconditional/items"));
    for name in ["type", "title", "created", "updated", "contacts", "rights", "keywords", "formats", "language"] {
        assert!(!record["properties"][name].is_null(), "{name}: {record}");
    }
    // Every link leads somewhere.
    for link in record["links"].as_array().unwrap() {
        let path = link["href"].as_str().unwrap().strip_prefix(&world.url).expect("ours");
        assert!(world.get(HEALTH, path).await.status().is_success() || path.starts_with("/?"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_on_a_part_tells_neither_extent_nor_hidden_fields() {
    let world = World::new().await;
    world.grant("fields", "array['name', 'kind']").await;
    let record = world.json(HEALTH, &format!("{ITEMS}/conditional")).await;
    assert_eq!((&record["geometry"], &record["properties"]["access"]), (&Value::Null, &json!("read")));
    assert!(found(&world, HEALTH, "bbox=119,35,121,37&ids=conditional").await.is_empty());
    // Fields are words to find a layer by, as far as they are shown.
    assert_eq!(found(&world, HEALTH, "q=kind字段&ids=conditional").await, ["conditional"]);
    assert!(found(&world, HEALTH, "q=height字段&ids=conditional").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_by_words_place_time_and_filter() {
    let world = World::new().await;
    world
        .sql("update onemap.layer set abstract_zh = '全市 学校  名录', abstract_en = 'All Schools' where id = 'open'")
        .await;
    world.sql("update onemap.layer set updated_at = '2020-05-01T10:00:00Z' where id = 'conditional'").await;
    world.app.refresh().await.unwrap();
    for (query, expected) in [
        ("q=学校", vec!["open"]),
        ("q=all%20SCHOOLS", vec!["open"]),
        ("q=schools%20all", vec![]),
        ("q=学校%20名录", vec!["open"]),
        ("q=学校,Layer%20uncond", vec!["open", "unconditional"]),
        ("q=%25", vec![]),
        ("bbox=119,35,120.05,36.05", vec!["open", "unconditional"]),
        ("bbox=10,10,11,11", vec![]),
        ("datetime=2020-05-01", vec!["conditional"]),
        ("datetime=../2020-05-01T10:00:00Z", vec!["conditional"]),
        ("datetime=2020-05-02/..", vec!["open", "unconditional"]),
        ("type=dataset", vec!["conditional", "open", "unconditional"]),
        ("type=service", vec![]),
        ("ids=open,conditional,hidden", vec!["conditional", "open"]),
        ("externalIds=onemap:open", vec!["open"]),
        ("shareClass=conditional", vec!["conditional"]),
        ("format=MVT,csv", vec!["open", "unconditional"]),
        ("format=XLS", vec![]),
        ("access=request", vec!["conditional"]),
        ("filter=shareClass%20%3D%20'conditional'%20OR%20id%20LIKE%20'un%25'", vec!["conditional", "unconditional"]),
        ("filter=updated%20%3C%20TIMESTAMP('2021-01-01T00:00:00Z')", vec!["conditional"]),
        ("filter=S_INTERSECTS(geometry,BBOX(119,35,121,37))", vec!["open", "unconditional"]),
        ("sortby=-id", vec!["unconditional", "open", "conditional"]),
        ("sortby=%2Bupdated,-id&ids=conditional,open", vec!["conditional", "open"]),
    ] {
        assert_eq!(found(&world, HEALTH, query).await, expected, "{query}");
    }
    for (query, parameter) in [
        ("sortby=floors", "sortby"),
        ("filter=floors%3D1", "filter"),
        ("filter=id%20%3D", "filter"),
        ("facets=title", "facets"),
        ("facets=theme:0", "facets"),
        ("facets=theme:5:sideways", "facets"),
        ("limit=-1", "limit"),
        ("bbox=1,2,3", "bbox"),
        ("datetime=yesterday", "datetime"),
        ("nonsense=1", "nonsense"),
    ] {
        let response = world.get(HEALTH, &format!("{ITEMS}?{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
        assert_eq!(response.json::<Value>().await.unwrap()["parameter"], parameter, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn facets_agree_with_what_is_listed() {
    let world = World::new().await;
    world.sql("insert into onemap.theme values ('housing', 1, '住房', 'Housing'); update onemap.layer set theme_id = 'housing' where id in ('open', 'hidden')").await;
    world.app.refresh().await.unwrap();
    let page = world
        .json(HEALTH, &format!("{ITEMS}?facets=theme,shareClass:10:value_asc,format:1,department,access&limit=0"))
        .await;
    assert_eq!((page["numberMatched"].as_i64(), ids(&page).len()), (Some(3), 0));
    let facets = &page["facets"];
    assert_eq!(
        facets["theme"]["buckets"],
        json!([{"value": "housing", "title": "住房", "count": 1}]),
        "the hidden one is not counted"
    );
    assert_eq!(facets["department"]["buckets"][0]["count"], 3);
    assert_eq!(facets["format"]["buckets"].as_array().unwrap().len(), 1);
    assert!(facets["format"]["more"].as_i64() > Some(1), "{facets}");
    // Each bucket is what one gets by asking for its value.
    for (facet, bucket) in ["theme", "shareClass", "format", "department", "access"]
        .into_iter()
        .flat_map(|facet| facets[facet]["buckets"].as_array().unwrap().iter().map(move |bucket| (facet, bucket)))
    {
        let listed = found(&world, HEALTH, &format!("{facet}={}", bucket["value"].as_str().unwrap())).await;
        assert_eq!(json!(listed.len()), bucket["count"], "{facet} {bucket}");
    }
    let narrowed = world.json(HEALTH, &format!("{ITEMS}?facets=shareClass&q=unconditional")).await;
    assert_eq!(narrowed["facets"]["shareClass"]["buckets"].as_array().unwrap().len(), 1);
    let described = world.json(HEALTH, "/ogc/collections/catalogue/facets").await;
    assert_eq!(described["facets"]["theme"]["type"], "term");
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_visits_every_record_once_and_links_keep_the_search() {
    let world = World::new().await;
    let mut path = format!("{ITEMS}?limit=1&sortby=-id&type=dataset");
    let mut seen = vec![];
    for _ in 0..10 {
        let page = world.json(HEALTH, &path).await;
        assert_eq!(page["numberMatched"], 3);
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let links = page["links"].as_array().unwrap();
        let Some(next) = links.iter().find(|l| l["rel"] == "next") else { break };
        path = next["href"].as_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
    }
    assert_eq!(seen, ["unconditional", "open", "conditional"]);
    let etag = world.get(HEALTH, ITEMS).await.headers()["etag"].to_str().unwrap().to_owned();
    let again = world.by(HEALTH, Method::GET, ITEMS).await.header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_a_collection_with_its_schemas_and_pages() {
    let world = World::new().await;
    let collections = world.json(As::Anonymous, "/ogc/collections").await;
    let listed = collections["collections"].as_array().unwrap().iter().find(|c| c["id"] == "catalogue").unwrap();
    assert_eq!(listed["itemType"], "record");
    let collection = world.json(As::Anonymous, "/ogc/collections/catalogue").await;
    for link in collection["links"].as_array().unwrap() {
        let path = link["href"].as_str().unwrap().strip_prefix(&world.url).unwrap();
        let response = world.get(As::Anonymous, path).await;
        assert_eq!(response.status(), 200, "{path}");
        let media = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(media.starts_with(link["type"].as_str().unwrap()), "{path}: {media}");
    }
    let queryables = world.json(As::Anonymous, "/ogc/collections/catalogue/queryables").await;
    assert_eq!(queryables["additionalProperties"], false);
    for name in queryables["properties"].as_object().unwrap().keys().filter(|n| *n != "geometry") {
        let text = match name.as_str() {
            "created" | "updated" => "TIMESTAMP('2000-01-01T00:00:00Z')",
            _ => "'x'",
        };
        let response = world.get(As::Anonymous, &format!("{ITEMS}?filter={name}%3D{text}")).await;
        assert_eq!(response.status(), 200, "{name}");
    }
    // The schema has whatever a record has.
    let schema = world.json(As::Anonymous, "/ogc/collections/catalogue/schema").await;
    let record = world.json(As::Anonymous, &format!("{ITEMS}/open")).await;
    for name in record["properties"].as_object().unwrap().keys() {
        assert!(schema["properties"][name].is_object(), "{name}");
    }
    let page = world
        .by(HEALTH, Method::GET, &format!("{ITEMS}?q=layer"))
        .await
        .header("accept", "text/html")
        .send()
        .await
        .unwrap();
    let text = page.text().await.unwrap();
    assert!(text.contains("图层conditional") && text.contains("有条件共享") && !text.contains("图层hidden"), "{text}");
    assert_eq!(
        world.by(As::Person("housing", Role::Publisher), Method::POST, ITEMS).await.send().await.unwrap().status(),
        405
    );
}
