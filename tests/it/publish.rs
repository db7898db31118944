//! Revisions: published in one instant, rolled back as fast, with an audit row for each change and a view that stays.

use std::time::Instant;

use onemap::access::principal::{Principal, Role};
use onemap::layer::registry;
use reqwest::Method;
use serde_json::json;

use crate::world::{As, World, stage};

const PUBLISHER: As = As::Person("housing", Role::Publisher);

async fn first_name(world: &World) -> String {
    let feature = world.json(As::Anonymous, "/ogc/collections/open/items/1").await;
    feature["properties"]["name"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn publish_and_roll_back() {
    let world = World::new().await;
    let number = stage(&world.app, "open", 30, 1).await;
    assert_eq!(number, 2);
    assert_eq!(first_name(&world).await, "第0栋 g0", "a staged revision is not visible");
    let preview = world.json(PUBLISHER, "/api/v1/layers/open/revisions/2/preview").await;
    assert_eq!(preview["features"].as_array().unwrap().len(), 30);
    let publish = world.by(PUBLISHER, Method::POST, "/api/v1/layers/open/revisions/2/publish").await;
    assert_eq!(publish.send().await.unwrap().status(), 200);
    assert_eq!(first_name(&world).await, "第0栋 g1");
    let collection = world.json(As::Anonymous, "/ogc/collections/open/items?limit=1").await;
    assert_eq!(collection["numberMatched"], 30);
    let tile = world.get(As::Anonymous, "/tiles/open/8/213/100").await.bytes().await.unwrap();
    assert_eq!(crate::tiles::decode(&tile)["open"].ids.len(), 30);
    let begun = Instant::now();
    let rollback =
        world.by(PUBLISHER, Method::POST, "/api/v1/layers/open/rollback").await.json(&json!({"revision": 1}));
    assert_eq!(rollback.send().await.unwrap().status(), 200);
    assert_eq!(first_name(&world).await, "第0栋 g0");
    assert!(begun.elapsed().as_secs() < 5);
    let client = world.app.database.app().await.unwrap();
    let view: i64 = client.query_one("select count(*) from map.open", &[]).await.unwrap().get(0);
    assert_eq!(view, 100);
    let actions: Vec<String> = client
        .query("select action from onemap.audit where object_id = 'open' order by id", &[])
        .await
        .unwrap()
        .iter()
        .map(|r| r.get(0))
        .collect();
    assert_eq!(actions, ["create", "stage", "publish", "stage", "publish", "rollback"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_the_old_or_the_new_never_a_mixture() {
    let world = std::sync::Arc::new(World::new().await);
    stage(&world.app, "open", 30, 1).await;
    let grant = world.app.gate.open(&Principal::operator("housing"), "open").unwrap();
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move {
                for _ in 0..25 {
                    let page = world.json(As::Anonymous, "/ogc/collections/open/items?limit=1000").await;
                    let features = page["features"].as_array().unwrap();
                    let generations: std::collections::BTreeSet<&str> = features
                        .iter()
                        .map(|f| f["properties"]["name"].as_str().unwrap().rsplit(' ').next().unwrap())
                        .collect();
                    assert_eq!(generations.len(), 1);
                    let expected = if generations.contains("g0") { 100 } else { 30 };
                    assert_eq!(features.len(), expected);
                }
            })
        })
        .collect();
    for turn in 0..6 {
        let number = if turn % 2 == 0 { 2 } else { 1 };
        registry::publish(&world.app.store, &grant, number, "publish").await.unwrap();
        world.app.refresh().await.unwrap();
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_never_published_can_be_discarded() {
    let world = World::new().await;
    stage(&world.app, "open", 5, 1).await;
    for (number, status) in [(1, 409), (2, 204), (2, 409)] {
        let request = world.by(PUBLISHER, Method::DELETE, &format!("/api/v1/layers/open/revisions/{number}")).await;
        assert_eq!(request.send().await.unwrap().status(), status, "revision {number}");
    }
    let list = world.json(PUBLISHER, "/api/v1/layers/open/revisions").await;
    assert_eq!(list["revisions"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_on_the_stable_view_lives_through_a_publication() {
    let world = World::new().await;
    world.sql("create schema gis; create view gis.tall as select fid, name from map.open where floors > 20").await;
    stage(&world.app, "open", 40, 1).await;
    let publish = world.by(PUBLISHER, Method::POST, "/api/v1/layers/open/revisions/2/publish").await;
    let response = publish.send().await.unwrap();
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    let client = world.app.database.owner().await.unwrap();
    tokio::spawn(client.1);
    let tall: i64 = client.0.query_one("select count(*) from gis.tall", &[]).await.unwrap().get(0);
    // Floors are the row's number modulo 30: 21 to 29 among the first forty rows.
    assert_eq!(tall, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_of_the_rules_that_overlap_never_bring_back_the_past() {
    let world = std::sync::Arc::new(World::new().await);
    // Many grants: readings take long enough to overlap.
    world
        .sql(
            "insert into onemap.access_grant (layer_id, department_id, purpose, granted_by)
             select 'conditional', 'health', 'test', 'test' from generate_series(1, 4000)",
        )
        .await;
    let others: Vec<_> = (0..5)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move {
                for _ in 0..80 {
                    world.app.refresh().await.unwrap();
                }
            })
        })
        .collect();
    for turn in 0..40 {
        let open = turn % 2 == 0;
        world.sql(&format!("update onemap.layer set anonymous = {open} where id = 'unconditional'")).await;
        world.app.refresh().await.unwrap();
        let status = world.get(As::Anonymous, "/ogc/collections/unconditional").await.status();
        assert_eq!(status, if open { 200 } else { 404 }, "turn {turn}");
    }
    for other in others {
        other.await.unwrap();
    }
}
