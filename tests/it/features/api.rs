//! The API document: well-formed, and true of what is served.

use std::collections::HashSet;

use crate::world::{As, World};
use serde_json::Value;

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(target) if name == "$ref" => found.push(target),
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

fn operations(api: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    api["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn parameters<'a>(api: &'a Value, operation: &'a Value) -> Vec<&'a Value> {
    let given = operation["parameters"].as_array().into_iter().flatten();
    given.map(|p| p["$ref"].as_str().map_or(p, |r| api.pointer(r.trim_start_matches('#')).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reference_resolves_and_every_operation_is_told_apart() {
    let world = World::new().await;
    let cookie = world.sign_in("housing-publisher").await;
    let request = world.request(reqwest::Method::GET, "/ogc/api").header("cookie", cookie);
    let api: Value = request.send().await.unwrap().json().await.unwrap();
    let mut found = vec![];
    references(&api, &mut found);
    for target in found {
        assert!(api.pointer(target.trim_start_matches('#')).is_some(), "{target} is nowhere");
    }
    let mut ids = HashSet::new();
    let tags: HashSet<_> = api["tags"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    for (path, method, operation) in operations(&api) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        assert!(tags.contains(operation["tags"][0].as_str().unwrap()), "{method} {path}");
        let parameters = parameters(&api, operation);
        let mut names: Vec<_> = parameters.iter().map(|p| (p["in"].as_str(), p["name"].as_str())).collect();
        for place in path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')) {
            assert!(names.contains(&(Some("path"), Some(place))), "{method} {path} does not say what {place} is");
        }
        let places = names.iter().filter(|(place, _)| *place == Some("path")).count();
        assert_eq!(places, path.matches('{').count(), "{method} {path}");
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{method} {path} has a parameter twice");
    }
    for (path, method) in [("/collections/open/items", "post"), ("/collections/open/items/{featureId}", "patch")] {
        assert!(api["paths"][path][method].is_object(), "a publisher may {method} {path}");
    }
}

/// What the document names is there: each path without a parameter in it, and each query parameter that has a default or choices.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_document_names_is_answered() {
    let world = World::new().await;
    let api = world.json(As::Anonymous, "/ogc/api").await;
    let mut asked = 0;
    for (path, method, operation) in
        operations(&api).filter(|(path, method, _)| *method == "get" && !path.contains('{'))
    {
        let response = world.get(As::Anonymous, &format!("/ogc{}", path.trim_end_matches('/'))).await;
        assert_eq!(response.status(), 200, "{method} {path}");
        for parameter in parameters(&api, operation).into_iter().filter(|p| p["in"] == "query") {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            let choices = schema["enum"].as_array().or(schema["items"]["enum"].as_array()).cloned().unwrap_or_default();
            for value in choices.iter().chain(schema.get("default")) {
                let value = value.as_str().map_or(value.to_string(), str::to_owned);
                // Some are of files only.
                let file = match name {
                    "datum" | "geometry" => "&f=csv",
                    "encoding" => "&f=shp",
                    _ => "",
                };
                let response = world.get(As::Anonymous, &format!("/ogc{path}?{name}={value}{file}")).await;
                assert_eq!(response.status(), 200, "{path}?{name}={value}");
                asked += 1;
            }
        }
    }
    assert!(asked > 20, "{asked}");
    let anonymous: Vec<&str> =
        operations(&api).filter(|(_, method, _)| *method != "get").map(|(path, ..)| path).collect();
    assert_eq!(anonymous, ["/processes/{process}/execution"], "who may not write is not told how");
    let page = world.request(reqwest::Method::GET, "/ogc/api").header("accept", "text/html").send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("/ogc/collections/open/items") && page.contains("sortby") && !page.contains("conditional"));
}
