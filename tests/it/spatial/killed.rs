//! Jobs over places whose process is killed: each begins anew or ends with a plain word, and nothing of what went through is left.

use std::path::{Path, PathBuf};
use std::time::Duration;

use onemap::access::passwords::hash_password;
use onemap::db::embedded;
use reqwest::Method;
use serde_json::{Value, json};

use super::overlay::{CANARY, seen_in_files};
use crate::process::spawn;
use crate::world::PASSWORD;

const POINTS: u64 = 3000;

/// Runs statements in a server's own database, as its owner.
async fn sql(data: &Path, statement: &str) -> Vec<tokio_postgres::SimpleQueryMessage> {
    let url = embedded::running(data).expect("the cluster runs");
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let rows = client.simple_query(statement).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    drop(client);
    let _ = driver.await;
    rows
}

async fn one(data: &Path, statement: &str) -> String {
    let rows = sql(data, statement).await;
    let row = rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    row.unwrap_or_default()
}

/// A layer whose rows take a millisecond each, so that whatever reads it can be caught at it; and somebody who may use it.
async fn slow_layer(data: &Path) {
    let hash = hash_password(PASSWORD.into()).await.unwrap();
    sql(
        data,
        &format!(
            "create schema slow;
             create table slow.rows as select nr, st_setsrid(st_makepoint(120.2 + 0.0001 * (nr % 50), 36.05 + 0.0001 * (nr / 50)), 4490)
                 ::geometry(Point, 4490) as geom from generate_series(1, {POINTS}) nr;
             create view slow.t as select nr, geom from slow.rows where pg_sleep(0.001) is not null;
             grant usage on schema slow to onemap_app; grant select on slow.t to onemap_app;
             insert into onemap.person (login, name, department_id, role, password_hash)
                 values ('killed', 'x', 'housing', 'publisher', '{hash}');
             insert into onemap.layer (id, department_id, title_zh, title_en, share_class, registered_schema, registered_table,
                 registered_key, registered_geometry) values ('slow', 'housing', 'x', 'x', 'unconditional', 'slow', 't', 'nr', 'geom')"
        ),
    )
    .await;
}

/// The person at a server.
struct Client {
    client: reqwest::Client,
    cookie: String,
    url: String,
}

impl Client {
    async fn of(url: &str) -> Client {
        let client = reqwest::Client::new();
        let account = json!({"user": "killed", "password": PASSWORD});
        let response = client.post(format!("{url}/api/v1/session")).json(&account).send().await.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Client { client, cookie, url: url.to_owned() }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).header("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Value {
        self.request(Method::GET, path).send().await.unwrap().json().await.unwrap()
    }

    async fn put(&self, request: reqwest::RequestBuilder) -> String {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 202, "{}", response.text().await.unwrap());
        response.json::<Value>().await.unwrap()["job"].as_str().unwrap().to_owned()
    }

    /// The job, once its state is one of these.
    async fn job(&self, id: &str, states: &[&str]) -> Value {
        for _ in 0..2400 {
            let job = self.get(&format!("/api/v1/jobs/{id}")).await;
            if states.contains(&job["state"].as_str().unwrap_or_default()) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the job {id} does not become {states:?}: {}", self.get(&format!("/api/v1/jobs/{id}")).await);
    }

    async fn over(&self, id: &str) -> Value {
        self.job(id, &["succeeded", "failed", "cancelled"]).await
    }
}

fn traces(data: &Path) -> Vec<PathBuf> {
    let mut seen = vec![];
    seen_in_files(data, &mut seen);
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn summaries_and_themes_begin_anew_and_overlays_leave_nothing() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("server.log");
    let begin = || {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        spawn(data.path(), "debug", log.into())
    };
    let mut server = begin();
    slow_layer(data.path()).await;
    let client = Client::of(&server.url).await;
    // The layer is known when the database's notice has arrived; then the demo's own themes must be out of the way.
    for _ in 0..600 {
        let waiting = one(data.path(), "select count(*) from onemap.job where state in ('queued', 'running')").await;
        let known = client.request(Method::GET, "/api/v1/layers/slow").send().await.unwrap().status() == 200;
        if known && waiting == "0" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut rows = String::from("谁,lon,lat\n");
    (0..2000).for_each(|i| rows += &format!("{CANARY}{i},120.2{i:04},36.07\n"));
    let request = client.request(Method::POST, "/api/v1/overlay/jobs?layers=slow&predicate=nearest");
    let overlay = client.put(request.header("content-type", "text/csv").body(rows)).await;
    let theme = json!({"id": "slow-theme", "title": {"zh": "x", "en": "x"}, "data": {"layer": "slow"},
        "zones": {"layer": "districts", "code": "code", "name": "name"}, "join": {"by": "location"}, "indicator": {"kind": "count"}});
    let theme = client.put(client.request(Method::POST, "/api/v1/themes").json(&theme)).await;
    let asked = json!({"layer": "slow", "zones": {"divisions": "district"}});
    let summary = client.put(client.request(Method::POST, "/api/v1/summary/jobs").json(&asked)).await;

    // A node has two workers: the third waits.
    client.job(&overlay, &["running"]).await;
    client.job(&theme, &["running"]).await;
    server.kill();
    assert_eq!(traces(data.path()), Vec::<PathBuf>::new(), "what the overlay held is gone with its process");
    server = begin();
    let client = Client::of(&server.url).await;
    client.job(&summary, &["running"]).await;
    server.kill();
    server = begin();
    let client = Client::of(&server.url).await;

    let ended = client.over(&summary).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let figures = client.get(&format!("/api/v1/jobs/{summary}/summary")).await;
    let total = |rows: &Value| rows.as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(total(&figures["rows"]) + figures["outside"].as_u64().unwrap(), POINTS, "each row once: {figures}");
    let csv = client.request(Method::GET, &format!("/api/v1/jobs/{summary}/summary?f=csv")).send().await.unwrap();
    assert!(csv.text().await.unwrap().starts_with("\u{feff}zone,label,count\n"));

    let ended = client.over(&theme).await;
    assert_eq!((&ended["state"], &ended["result"]["revision"]), (&json!("succeeded"), &json!(1)), "{ended}");
    let table = client.get("/api/v1/themes/slow-theme/table").await;
    assert_eq!(total(&table["rows"]), total(&figures["rows"]), "the interrupted run left nothing: {table}");
    let revisions = client.get("/api/v1/layers/slow-theme/revisions").await;
    assert_eq!(revisions["revisions"].as_array().unwrap().len(), 1, "{revisions}");

    let ended = client.over(&overlay).await;
    assert_eq!(ended["state"], "failed", "{ended}");
    assert!(ended["problem"]["detail"]["zh"].as_str().unwrap().contains("重启"), "{ended}");
    let gone = client.request(Method::GET, &format!("/api/v1/jobs/{overlay}/overlay")).send().await.unwrap();
    assert_eq!(gone.status(), 409);
    assert_eq!(std::fs::read_dir(data.path().join("overlay")).unwrap().count(), 0);
    let runs = format!("select min(run) from onemap.job where id in ('{overlay}', '{theme}', '{summary}')");
    assert!(one(data.path(), &runs).await.parse::<i32>().unwrap() >= 2, "each was interrupted");
    drop(server);
    assert_eq!(traces(data.path()), Vec::<PathBuf>::new());
}
