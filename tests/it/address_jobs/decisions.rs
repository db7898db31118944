//! What people decide on rows: kept as the answer to the text, for its other rows and for runs to come.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_answers_its_text_from_then_on() {
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let id = matched(&world, PEOPLE).await;
    let decide = |row: i64, wish: Value| {
        let path = format!("/address/jobs/{id}/rows/{row}/decision");
        let world = &world;
        async move { post(world, CLERK, &path, wish).await }
    };
    // Picked by what it is; set on the map; rejected.
    let pick = json!({"kind": "pick", "candidate": {"source": "doors", "feature": 127}, "note": "问过本人"});
    let fourth = read(decide(4, pick).await, 200).await;
    assert_eq!(
        (&fourth["decision"]["kind"], &fourth["decision"]["by"]),
        (&json!("pick"), &json!("person:health-user")),
        "{fourth}"
    );
    assert_eq!((&fourth["decision"]["note"], &fourth["decision"]["feature"]), (&json!("问过本人"), &json!(127)));
    let third = read(decide(3, json!({"kind": "place", "lon": 120.5, "lat": 36.2})).await, 200).await;
    assert_eq!((&third["decision"]["lon"], &third["decision"]["label"]), (&json!(120.5), &json!("今天天气很好啊")));
    read(decide(1, json!({"kind": "reject"})).await, 200).await;
    for (wish, parameter) in [
        (json!({"kind": "pick", "candidate": 99}), "candidate"),
        (json!({"kind": "place", "lon": 900, "lat": 1}), "lon"),
        (json!({"kind": "guess"}), "body"),
    ] {
        assert_eq!(read(decide(2, wish).await, 400).await["parameter"], parameter);
    }
    assert_eq!(decide(6, json!({"kind": "reject"})).await.status(), 404);
    assert_eq!(state(&world, &id, &["succeeded"]).await["decided"], 3);
    let page = world.json(CLERK, &format!("/address/jobs/{id}/rows?decided=true")).await;
    assert_eq!(
        page["rows"].as_array().unwrap().iter().map(|r| r["row"].as_i64().unwrap()).collect::<Vec<_>>(),
        [1, 3, 4]
    );

    let aliases = world.json(CLERK, "/api/v1/address-aliases").await;
    assert_eq!(aliases["aliases"].as_array().unwrap().len(), 3);
    assert_eq!(world.json(OWNER, "/api/v1/address-aliases").await["aliases"], json!([]), "another department has none");
    let answer = |text: &'static str| {
        let by = Principal { department: Some("health".into()), ..Principal::anonymous() };
        let aliases = world.app.aliases.clone();
        async move { aliases.answer(&by, text).await.unwrap() }
    };
    let placed = answer(" 今天天气 很好啊").await.expect("the same text but for blanks");
    assert_eq!(placed.target.as_ref().map(|t| (t.lon, t.lat)), Some((120.5, 36.2)));
    assert!(answer("今天天气很坏啊").await.is_none());

    rerun_is_compared(&world, &id).await;

    // Without its door an alias is no answer; taken back, neither.
    assert!(answer("青岛市市北区台东一路7号").await.is_some());
    world.sql("delete from map.doors where fid = 127").await;
    assert!(answer("青岛市市北区台东一路7号").await.is_none());
    read(decide(3, json!({"kind": "undo"})).await, 200).await;
    assert!(answer("今天天气很好啊").await.is_none());
    let rejected = world.json(CLERK, "/api/v1/address-aliases?q=香港中路12号").await["aliases"][0]["id"].clone();
    let path = format!("/api/v1/address-aliases/{rejected}");
    assert_eq!(world.by(OWNER, Method::DELETE, &path).await.send().await.unwrap().status(), 404);
    assert_eq!(world.by(CLERK, Method::DELETE, &path).await.send().await.unwrap().status(), 204);
    assert!(answer("青岛市市南区香港中路12号").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_outlives_a_new_revision_without_its_old_number() {
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let id = matched(&world, PEOPLE).await;
    let pick = json!({"kind": "pick", "candidate": {"source": "doors", "feature": 12}});
    read(post(&world, CLERK, &format!("/address/jobs/{id}/rows/1/decision"), pick).await, 200).await;
    let by = Principal { department: Some("health".into()), ..Principal::anonymous() };
    let answer = || async { world.app.aliases.answer(&by, "青岛市市南区香港中路12号").await.unwrap() };
    assert_eq!(answer().await.unwrap().target.as_ref().unwrap().feature, Some(12));
    // The same doors, numbered anew: 12 is another door now.
    publish(&world, "doors", 1000, 0.0).await;
    let alias = answer().await.expect("the door is still there");
    assert_eq!(alias.target.as_ref().map(|t| (t.feature, t.lon)), Some((None, 120.3012)));
    assert!(world.app.aliases.standing(&by).await.unwrap().values().all(|a| *a == alias));
    // And all of them somewhere else.
    publish(&world, "doors", 0, 0.1).await;
    assert!(answer().await.is_none());
    assert!(world.app.aliases.standing(&by).await.unwrap().is_empty());
}

async fn rerun_is_compared(world: &World, id: &str) {
    let again = read(post(world, CLERK, &format!("/address/jobs/{id}/rerun"), json!({})).await, 201).await;
    assert_eq!(again["compare_to"], id);
    let again = again["id"].as_str().unwrap();
    assert_eq!(state(world, again, &["succeeded", "failed"]).await["state"], "succeeded");
    let first = row(world, again, 1).await;
    assert_eq!((&first["band"], &first["alias"]), (&json!("reject"), &json!(true)), "{first}");
    let third = row(world, again, 3).await;
    assert_eq!((&third["band"], &third["lon"]), (&json!("auto"), &json!(120.5)), "{third}");
    let comparison = world.json(CLERK, &format!("/address/jobs/{again}/comparison")).await;
    assert_eq!(comparison["better"], 1, "what somebody placed: {comparison}");
    assert_eq!(comparison["worse"], 0, "what somebody rejected is no loss: {comparison}");
    let changes = comparison["rows"].as_array().unwrap();
    assert_eq!((&changes[0]["row"], &changes[0]["change"]), (&json!(3), &json!("better")));
    assert_eq!(
        (&changes[0]["before"]["band"], &changes[0]["after"]["label"]),
        (&json!("reject"), &json!("今天天气很好啊"))
    );
    assert_eq!(world.get(CLERK, &format!("/address/jobs/{id}/comparison")).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_holds_for_the_rows_of_its_text() {
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let text = "市南区香港中路9999号";
    let family = format!("地址\n{text}\n市北区台东一路7号\n市南区香港中路９９９９号\n{text} \n\"\"\n\"\"\n{text}\n");
    let id = matched(&world, family).await;
    let decide = |row: i64, wish: Value| {
        let path = format!("/address/jobs/{id}/rows/{row}/decision");
        let world = &world;
        async move { read(post(world, CLERK, &path, wish).await, 200).await }
    };
    let decided = async || {
        let page = world.json(CLERK, &format!("/address/jobs/{id}/rows?decided=true")).await;
        let told = |r: &Value| (r["row"].as_i64().unwrap(), r["decision"]["follows"].as_i64());
        page["rows"].as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    let place = json!({"kind": "place", "lon": 120.5, "lat": 36.2, "note": "问过物业"});
    let first = decide(1, place).await;
    assert_eq!((&first["also"]["rows"], &first["decision"]["follows"]), (&json!([3, 4, 7]), &Value::Null), "{first}");
    assert_eq!(decided().await, [(1, None), (3, Some(1)), (4, Some(1)), (7, Some(1))]);
    let fourth = row(&world, &id, 4).await;
    assert_eq!((&fourth["decision"]["note"], &fourth["decision"]["lon"]), (&json!("问过物业"), &json!(120.5)));
    let counts = world.json(CLERK, &format!("/address/jobs/{id}")).await;
    assert_eq!(counts["decided"], 4);
    // One that is decided by itself follows no more, and does not speak for the others.
    assert_eq!(decide(7, json!({"kind": "reject"})).await["also"]["count"], 0);
    // A second thought takes along those that follow.
    assert_eq!(decide(1, json!({"kind": "place", "lon": 120.6, "lat": 36.2})).await["also"]["rows"], json!([3, 4]));
    assert_eq!(row(&world, &id, 3).await["decision"]["lon"], 120.6);
    assert_eq!(row(&world, &id, 7).await["decision"]["kind"], "reject");
    // One leaves by itself; the rest goes with the row that they follow.
    assert_eq!(decide(3, json!({"kind": "undo"})).await["also"]["count"], 0);
    assert_eq!(decide(1, json!({"kind": "undo"})).await["also"]["rows"], json!([4]));
    assert_eq!(decided().await, [(7, None)]);
    // Rows without a text have nothing in common.
    assert_eq!(decide(5, json!({"kind": "reject"})).await["also"]["count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_matched_later_follow_too() {
    const ROWS: usize = 240_000;
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let draft = read(send(&world, CLERK, "a.csv", large(ROWS)).await, 201).await;
    let id = draft["id"].as_str().unwrap();
    let path = format!("/address/jobs/{id}");
    under_way(&world, &path).await;
    read(post(&world, CLERK, &format!("{path}/pause"), json!({})).await, 200).await;
    state(&world, id, &["paused"]).await;
    let told =
        read(post(&world, CLERK, &format!("{path}/rows/1/decision"), json!({"kind": "reject"})).await, 200).await;
    let doors = doors().count();
    assert!(told["also"]["count"].as_u64().unwrap() < (ROWS / doors) as u64 - 1, "it rests: {told}");
    read(post(&world, CLERK, &format!("{path}/resume"), json!({})).await, 200).await;
    assert_eq!(state(&world, id, &["succeeded", "failed"]).await["decided"], ROWS / doors);
}
