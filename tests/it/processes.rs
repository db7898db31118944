//! OGC API Processes: what there is to run, run at once and as jobs, under the caller's rights.

use std::time::Duration;

use onemap::access::principal::Role;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::world::{As, ROWS, World};

const USER: As = As::Person("housing", Role::User);
const HEALTH: As = As::Person("health", Role::User);

async fn run(world: &World, who: As, process: &str, body: &Value, prefer: &str) -> Response {
    let path = format!("/ogc/processes/{process}/execution");
    world.by(who, Method::POST, &path).await.header("prefer", prefer).json(body).send().await.expect("an answer")
}

fn at_the_corner(layers: Value) -> Value {
    json!({"inputs": {"lon": 120.0, "lat": 36.0, "layers": layers, "tolerance": 50}})
}

/// The job's state when it is over.
async fn over(world: &World, who: As, job: &str) -> Value {
    for _ in 0..300 {
        let status = world.json(who, &format!("/ogc/jobs/{job}")).await;
        if !matches!(status["status"].as_str(), Some("accepted" | "running")) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the job {job} does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_describe_themselves() {
    let world = World::new().await;
    let list = world.json(As::Anonymous, "/ogc/processes").await;
    let ids: Vec<&str> = list["processes"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        ["address-search", "address-batch", "classify", "identify", "nearest", "overlay", "summary", "tiles-export"]
    );
    for id in ids {
        let process = world.json(As::Anonymous, &format!("/ogc/processes/{id}")).await;
        assert!(process["inputs"].is_object() && process["outputs"].is_object() && process["version"].is_string());
        for input in process["inputs"].as_object().unwrap().values() {
            assert!(input["schema"].is_object() && input["minOccurs"].is_number(), "{id}: {input}");
        }
        let execute =
            process["links"].as_array().unwrap().iter().find(|l| l["rel"].as_str().unwrap().ends_with("/execute"));
        assert_eq!(execute.unwrap()["href"], format!("{}/ogc/processes/{id}/execution", world.url));
        let page = world.get(As::Anonymous, &format!("/ogc/processes/{id}?f=html")).await;
        assert!(page.text().await.unwrap().contains("execution"));
    }
    let unknown = world.get(As::Anonymous, "/ogc/processes/nothing").await;
    assert_eq!(unknown.status(), 404);
    let problem: Value = unknown.json().await.unwrap();
    assert_eq!(problem["type"], "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/no-such-process");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_runs_at_once_under_the_callers_rights() {
    let world = World::new().await;
    let response = run(&world, As::Anonymous, "identify", &at_the_corner(json!(["open"])), "").await;
    assert_eq!(response.status(), 200);
    let raw: Value = response.json().await.unwrap();
    assert_eq!((&raw[0]["layer"], &raw[0]["features"][0]["id"]), (&json!("open"), &json!(1)));
    let mut document = at_the_corner(json!(["open", "unconditional"]));
    document["response"] = "document".into();
    let answer: Value = run(&world, HEALTH, "identify", &document, "").await.json().await.unwrap();
    assert_eq!(answer["results"].as_array().unwrap().len(), 2);
    // A hidden layer is as unknown as one that does not exist; one that may be requested says so.
    for (layer, status) in [("hidden", 404), ("nothere", 404), ("conditional", 403)] {
        let response = run(&world, HEALTH, "identify", &at_the_corner(json!(["open", layer])), "").await;
        assert_eq!(response.status(), status, "{layer}");
    }
    assert_eq!(
        run(&world, As::Anonymous, "identify", &at_the_corner(json!(["unconditional"])), "").await.status(),
        404
    );
    // Nobody has made a layer an address source here: nothing is found, and that is said.
    let body = json!({"inputs": {"texts": ["香港中路1号", ""]}});
    let matches: Value = run(&world, USER, "address-search", &body, "").await.json().await.unwrap();
    assert_eq!(matches.as_array().unwrap().len(), 2);
    assert_eq!((&matches[0]["match_level"], &matches[1]["faults"]), (&json!("none"), &json!(["empty"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_inputs_are_named() {
    let world = World::new().await;
    for (process, body, parameter) in [
        ("identify", json!({"inputs": {"lat": 1, "layers": ["open"]}}), "inputs.lon"),
        ("identify", json!({"inputs": {"lon": 181, "lat": 1, "layers": ["open"]}}), "inputs.lon"),
        ("identify", json!({"inputs": {"lon": 1, "lat": 1, "layers": ["open", 7]}}), "inputs.layers[1]"),
        ("identify", json!({"inputs": {"lon": 1, "lat": 1, "layers": "open"}}), "inputs.layers"),
        ("identify", json!({"inputs": {"lon": 1, "lat": 1, "layers": ["open"], "radius": 5}}), "inputs.radius"),
        (
            "identify",
            json!({"inputs": {"lon": {"href": "http://169.254.169.254/"}, "lat": 1, "layers": ["open"]}}),
            "inputs.lon",
        ),
        (
            "identify",
            json!({"inputs": {"lon": 1, "lat": 1, "layers": ["open"]}, "outputs": {"picture": {}}}),
            "outputs.picture",
        ),
        ("identify", json!({"inputs": {}, "subscriber": {"successUri": "http://elsewhere/"}}), "subscriber"),
        ("identify", json!({"input": {}}), "body"),
        ("address-search", json!({"inputs": {"texts": []}}), "inputs.texts"),
        ("address-search", json!({"inputs": {"texts": ["x"], "level": "galaxy"}}), "inputs.level"),
    ] {
        let response = run(&world, As::Anonymous, process, &body, "").await;
        let status = response.status();
        let problem: Value = response.json().await.unwrap();
        assert_eq!((status.as_u16(), &problem["parameter"]), (400, &json!(parameter)), "{body}: {problem}");
    }
    let qualified = json!({"inputs": {"lon": {"value": 120.0}, "lat": {"value": 36.0}, "layers": ["open"]}});
    assert_eq!(run(&world, As::Anonymous, "identify", &qualified, "").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_runs_as_a_job_that_only_its_department_sees() {
    let world = World::new().await;
    let response = run(&world, HEALTH, "identify", &at_the_corner(json!(["unconditional"])), "respond-async").await;
    assert_eq!(response.status(), 201, "{}", response.text().await.unwrap());
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(response.headers()["preference-applied"], "respond-async");
    let status: Value = response.json().await.unwrap();
    let job = status["jobID"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("{}/ogc/jobs/{job}", world.url));
    assert_eq!((&status["processID"], &status["type"]), (&json!("identify"), &json!("process")));
    let done = over(&world, HEALTH, &job).await;
    assert_eq!((&done["status"], &done["progress"]), (&json!("successful"), &json!(100)), "{done}");
    assert!(done["created"].is_string() && done["started"].is_string() && done["finished"].is_string());
    let results = world.json(HEALTH, &format!("/ogc/jobs/{job}/results")).await;
    assert_eq!(results["results"][0]["features"][0]["id"], 1);

    // Others do not learn of it, nor do they end it.
    for who in [USER, As::Key("housing")] {
        for path in [format!("/ogc/jobs/{job}"), format!("/ogc/jobs/{job}/results")] {
            let response = world.get(who, &path).await;
            assert_eq!(response.status(), 404, "{path}");
            assert!(response.json::<Value>().await.unwrap()["type"].as_str().unwrap().ends_with("/no-such-job"));
        }
        assert_eq!(world.json(who, "/ogc/jobs").await["jobs"], json!([]));
    }
    let end = world.by(USER, Method::DELETE, &format!("/ogc/jobs/{job}")).await.send().await.unwrap();
    assert_eq!(end.status(), 404);

    // The list, by what it may be asked for.
    for (query, expected) in [
        ("", 1),
        ("processID=identify", 1),
        ("processID=address-search", 0),
        ("status=successful,failed", 1),
        ("status=running", 0),
        ("type=process&limit=1", 1),
        ("datetime=2020-01-01/..", 1),
        ("datetime=../2020-01-01", 0),
        ("minDuration=1000", 0),
        ("maxDuration=1000", 1),
    ] {
        let list = world.json(HEALTH, &format!("/ogc/jobs?{query}")).await;
        assert_eq!(list["jobs"].as_array().unwrap().len(), expected, "{query}");
    }
    for (query, parameter) in [
        ("status=asleep", "status"),
        ("processID=nothing", "processID"),
        ("type=wps", "type"),
        ("minDuration=-5", "minDuration"),
        ("minDuration=NaN", "minDuration"),
        ("maxDuration=inf", "maxDuration"),
        ("x=1", "x"),
    ] {
        let response = world.get(HEALTH, &format!("/ogc/jobs?{query}")).await;
        assert_eq!(
            (response.status().as_u16(), &response.json::<Value>().await.unwrap()["parameter"]),
            (400, &json!(parameter))
        );
    }

    // Dismissed, it is gone.
    let end = world.by(HEALTH, Method::DELETE, &format!("/ogc/jobs/{job}")).await.send().await.unwrap();
    assert_eq!(end.status(), 200);
    assert_eq!(end.json::<Value>().await.unwrap()["status"], "dismissed");
    assert_eq!(world.get(HEALTH, &format!("/ogc/jobs/{job}")).await.status(), 404);
    assert_eq!(world.json(HEALTH, "/ogc/jobs").await["jobs"], json!([]));
    let client = world.app.database.app().await.unwrap();
    let kept: bool = client.query_one("select bool_or(result is not null) from onemap.job", &[]).await.unwrap().get(0);
    assert!(!kept, "and so is what it came to");
    // Nobody without a name has jobs, and a key is no person.
    let body = at_the_corner(json!(["open"]));
    assert_eq!(run(&world, As::Anonymous, "identify", &body, "respond-async").await.status(), 401);
    assert_eq!(run(&world, As::Key("health"), "identify", &body, "respond-async").await.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_result_is_for_those_who_still_see_what_was_seen() {
    let world = World::new().await;
    world.grant("", "").await;
    let response = run(&world, HEALTH, "identify", &at_the_corner(json!(["conditional"])), "respond-async").await;
    let job = response.json::<Value>().await.unwrap()["jobID"].as_str().unwrap().to_owned();
    assert_eq!(over(&world, HEALTH, &job).await["status"], "successful");
    let results = format!("/ogc/jobs/{job}/results");
    assert_eq!(world.get(HEALTH, &results).await.status(), 200);
    world.grant("fields", "array['name']").await;
    assert_eq!(world.get(HEALTH, &results).await.status(), 403, "less is seen now");
    // Nor does the portal's list of jobs give it out.
    let path = format!("/api/v1/jobs/{job}");
    for other in ["/api/v1/jobs".to_owned(), path.clone(), format!("{path}/events")] {
        let text = world.get(HEALTH, &other).await.text().await.unwrap();
        assert!(text.contains(&job) && !text.contains("outputs") && !text.contains("floors"), "{other}: {text}");
    }
    let cancelled = world.by(HEALTH, Method::DELETE, &path).await.send().await.unwrap();
    assert_eq!(cancelled.status(), 200);
    assert_eq!(cancelled.json::<Value>().await.unwrap()["result"], Value::Null);
    world.sql("update onemap.access_grant set revoked_at = now()").await;
    world.app.refresh().await.unwrap();
    assert_eq!(world.get(HEALTH, &results).await.status(), 403);
    // A job that fails says why, in its state and where its results would be.
    let response = run(&world, HEALTH, "identify", &at_the_corner(json!(["conditional"])), "respond-async").await;
    let job = response.json::<Value>().await.unwrap()["jobID"].as_str().unwrap().to_owned();
    let failed = over(&world, HEALTH, &job).await;
    assert_eq!(failed["status"], "failed");
    assert!(failed["message"].as_str().unwrap().contains("已收回"), "{failed}");
    assert_eq!(world.get(HEALTH, &format!("/ogc/jobs/{job}/results")).await.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_and_address_batches_are_jobs_of_processes() {
    let world = World::new().await;
    let body = json!({"inputs": {"layer": "open", "minzoom": 6, "maxzoom": 8}});
    let response = run(&world, HEALTH, "tiles-export", &body, "").await;
    assert_eq!(response.status(), 201);
    let job = response.json::<Value>().await.unwrap()["jobID"].as_str().unwrap().to_owned();
    assert_eq!(over(&world, HEALTH, &job).await["status"], "successful");
    let results = world.json(HEALTH, &format!("/ogc/jobs/{job}/results")).await;
    let href = results["tiles"]["href"].as_str().unwrap().strip_prefix(&world.url).unwrap();
    let file = world.get(HEALTH, href).await;
    assert_eq!(file.headers()["content-type"], "application/vnd.pmtiles");
    assert!(file.bytes().await.unwrap().starts_with(b"PMTiles"));
    let hidden = json!({"inputs": {"layer": "hidden"}});
    assert_eq!(run(&world, HEALTH, "tiles-export", &hidden, "").await.status(), 404);

    // Of an address batch the draft goes when the job cannot be had.
    let table = json!({"inputs": {"table": "编号,地址\n1,香港中路1号\n2,香港中路2号\n"}});
    let refused = run(&world, USER, "address-batch", &table, "").await;
    assert_eq!(refused.status(), 409, "there is no address source: {}", refused.text().await.unwrap());
    assert_eq!(world.json(USER, "/address/jobs").await["jobs"], json!([]));
    let source = json!({"mapping": {"name": "name"}});
    let publisher = As::Person("housing", Role::Publisher);
    let put = world
        .by(publisher, Method::PUT, "/api/v1/layers/open/address-source")
        .await
        .json(&source)
        .send()
        .await
        .unwrap();
    assert!(put.status().is_success(), "{}", put.text().await.unwrap());
    for inputs in [table, json!({"inputs": {"layer": "open", "columns": ["name"]}})] {
        let response = run(&world, USER, "address-batch", &inputs, "").await;
        assert_eq!(response.status(), 201, "{}", response.text().await.unwrap());
        let status: Value = response.json().await.unwrap();
        let job = status["jobID"].as_str().unwrap().to_owned();
        assert_eq!(status["processID"], "address-batch");
        assert_eq!(over(&world, USER, &job).await["status"], "successful");
        let results = world.json(USER, &format!("/ogc/jobs/{job}/results")).await;
        let href = results["rows"]["href"].as_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
        let csv = world.get(USER, &href).await.text().await.unwrap();
        let rows = if inputs["inputs"]["layer"].is_string() { ROWS as usize } else { 2 };
        assert_eq!(csv.trim_end().lines().count(), rows + 1, "{csv}");
    }
    let neither = run(&world, USER, "address-batch", &json!({"inputs": {}}), "").await;
    assert_eq!(neither.status(), 400);
}
