//! What the rules are said to say is what they do.

use reqwest::Method;
use serde_json::{Value, json};

use crate::identity::By;
use crate::world::World;

async fn decision(by: &By<'_>, question: &Value) -> Value {
    let (status, said) = by.send(Method::POST, "/api/v1/simulation", question).await;
    assert_eq!(status, 200, "{question}: {said}");
    said
}

fn of(layer: &str, action: &str, more: Value) -> Value {
    let mut question = json!({"layer": layer, "action": action, "principal": {"department": "health", "role": "user"}});
    question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    question
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_names_its_rule() {
    let world = World::new().await;
    let owner = By::person(&world, "housing-approver").await;
    for (layer, rule, allowed) in
        [("open", "unconditional", true), ("conditional", "no_grant", false), ("hidden", "not_shared", false)]
    {
        let said = decision(&owner, &of(layer, "query", json!({}))).await;
        assert_eq!((&said["allowed"], &said["steps"][0]["rule"]["name"]), (&json!(allowed), &json!(rule)), "{layer}");
    }
    let public = decision(&owner, &json!({"layer": "open", "action": "view"})).await;
    assert_eq!(public["steps"][0]["rule"]["name"], "public");
    world.grant("rights, fields, filter", "array['query'], array['name'], 'kind = ''住宅'''").await;
    for (more, allowed, step) in [
        (json!({"field": "name"}), true, "field"),
        (json!({"field": "floors"}), false, "field"),
        (json!({"feature": 1}), true, "feature"),
        (json!({"feature": 2}), false, "feature"),
        (json!({"feature": 100_000}), false, "feature"),
        (json!({"tile": [8, 213, 100]}), true, "tile"),
        (json!({"tile": [8, 0, 0]}), false, "tile"),
    ] {
        let said = decision(&owner, &of("conditional", "query", more.clone())).await;
        let last = said["steps"].as_array().unwrap().last().unwrap();
        assert_eq!((&said["allowed"], &last["of"]), (&json!(allowed), &json!(step)), "{more}: {said}");
        assert_eq!(said["steps"][0]["rule"]["name"], "grant");
    }
    let said = decision(&owner, &of("conditional", "export", json!({}))).await;
    assert_eq!((&said["allowed"], &said["steps"][0]["rule"]["name"]), (&json!(false), &json!("right")));
    assert!(said["steps"][0]["rule"]["text"]["en"].as_str().unwrap().contains("`export`"));
    world.sql("update onemap.access_grant set revoked_at = now()").await;
    world.app.refresh().await.unwrap();
    let said = decision(&owner, &of("conditional", "query", json!({}))).await;
    assert_eq!(said["steps"][0]["rule"]["name"], "lapsed");
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_are_those_who_see_it_and_a_grant_is_tried_out() {
    let world = World::new().await;
    let owner = By::person(&world, "housing-approver").await;
    world.grant("rights, filter", "array['query'], 'kind = ''住宅'''").await;
    let viewers = "/api/v1/simulation/viewers";
    for (feature, expected) in [(1, vec!["health", "housing"]), (2, vec!["housing"])] {
        let question = json!({"layer": "conditional", "action": "query", "feature": feature});
        let (_, seen) = owner.send(Method::POST, viewers, &question).await;
        let found: Vec<&str> =
            seen["viewers"].as_array().unwrap().iter().map(|v| v["department"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{seen}");
    }
    // What lies in a tile, and a feature in it; a field that there is not is no question.
    for (more, expected) in [
        (json!({"tile": [8, 213, 100]}), vec!["health", "housing"]),
        (json!({"tile": [8, 0, 0]}), vec![]),
        (json!({"tile": [8, 213, 100], "feature": 2}), vec!["housing"]),
        (json!({"field": "name"}), vec!["health", "housing"]),
    ] {
        let mut question = json!({"layer": "conditional", "action": "query"});
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, seen) = owner.send(Method::POST, viewers, &question).await;
        assert_eq!(status, 200, "{more}: {seen}");
        let found: Vec<&str> =
            seen["viewers"].as_array().unwrap().iter().map(|v| v["department"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{more}: {seen}");
    }
    for (more, parameter) in [(json!({"field": "rooms"}), "field"), (json!({"tile": [2, 9, 0]}), "tile")] {
        let mut question = json!({"layer": "conditional"});
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, said) = owner.send(Method::POST, viewers, &question).await;
        assert_eq!((status, &said["parameter"]), (400, &json!(parameter)), "{more}");
    }
    let area = json!({"type": "Polygon", "coordinates":
        [[[119.9, 35.9], [120.045, 35.9], [120.045, 37], [119.9, 37], [119.9, 35.9]]]});
    let grant = json!({"layer": "conditional", "department": "health", "rights": ["view"], "purpose": "x", "area": area,
        "filter": "kind = '住宅'", "fields": ["kind"]});
    let (status, opened) = owner.send(Method::POST, "/api/v1/simulation/grant", &grant).await;
    assert_eq!(status, 200, "{opened}");
    assert_eq!((&opened["features"], &opened["of"], &opened["fields"]), (&json!(30), &json!(100), &json!(["kind"])));
    assert!(opened["area_km2"].as_f64().unwrap() > 1500.0);
    // What the department sees now is beside it.
    assert_eq!((&opened["now"][0]["right"], &opened["now"][0]["allowed"]), (&json!("view"), &json!(false)));
    let mut more = grant.clone();
    more["rights"] = json!(["query", "print"]);
    let (_, opened) = owner.send(Method::POST, "/api/v1/simulation/grant", &more).await;
    let now = &opened["now"];
    assert_eq!((&now[0]["features"], now[0]["fields"].as_array().unwrap().len()), (&json!(50), 6), "{opened}");
    assert_eq!((&now[1]["allowed"], &now[1]["rule"]["name"]), (&json!(false), &json!("right")), "{opened}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_feature_that_is_not_shown_it_is_said_why() {
    let world = World::new().await;
    let owner = By::person(&world, "housing-approver").await;
    let west = "st_multi(st_makeenvelope(119.9, 35.9, 120.045, 37, 4490))";
    world.grant("rights, filter, area", &format!("array['query', 'print'], 'kind = ''住宅''', {west}")).await;
    for (id, allowed, word) in [
        (1, true, "among the granted rows"),
        (2, false, "filter"),
        (7, false, "area"),
        (100_000, false, "no such feature"),
    ] {
        for action in ["query", "print"] {
            let said = decision(&owner, &of("conditional", action, json!({"feature": id}))).await;
            let last = said["steps"].as_array().unwrap().last().unwrap();
            let text = last["rule"]["text"]["en"].as_str().unwrap();
            assert_eq!(said["allowed"], allowed, "{id}: {said}");
            assert!(text.contains(word), "{id}: {text}");
        }
    }
    // An auditor of another department is told the same.
    let auditor = By::person(&world, "health-auditor").await;
    let said = decision(&auditor, &of("conditional", "query", json!({"feature": 7}))).await;
    assert!(said.to_string().contains("area"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_owners_and_overseers_may_ask() {
    let world = World::new().await;
    let stranger = By::person(&world, "health-approver").await;
    let path = "/api/v1/simulation";
    assert_eq!(stranger.send(Method::POST, path, &of("conditional", "query", json!({}))).await.0, 403);
    let mut texts = vec![];
    for layer in ["hidden", "nowhere"] {
        let (status, mut said) = stranger.send(Method::POST, path, &of(layer, "query", json!({}))).await;
        said["request_id"].take();
        texts.push((status, said));
    }
    assert_eq!((texts[0].0, &texts[0]), (404, &texts[1]));
    for login in ["health-auditor", "health-platform_administrator"] {
        let by = By::person(&world, login).await;
        assert_eq!(by.send(Method::POST, path, &of("hidden", "query", json!({}))).await.0, 200, "{login}");
    }
}
