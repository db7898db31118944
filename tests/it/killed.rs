//! The program killed at any time while requests are decided on and features are written: what was answered is there, what was not is there whole
//! or not at all, and nothing is there twice.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::process::{Server, start};

/// Asked for by `health`, decided on by its owner.
const ASKED: &str = "base-stations";
/// Written to by its owner's publisher.
const WRITTEN: &str = "nursing-homes";
const ROUNDS: u64 = 3;

fn onemap(data: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_onemap")).args(arguments).arg("--data").arg(data).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Somebody who stays signed in whatever becomes of the server.
#[derive(Clone)]
struct Person {
    client: reqwest::Client,
    cookie: String,
    url: String,
}

impl Person {
    async fn new(server: &Server, data: &Path, department: &str, role: &str) -> Person {
        let login = format!("{department}-{role}");
        let made = ["admin", "create-user", &login, "--department", department, "--role", role];
        let password = onemap(data, &made).split_whitespace().last().unwrap().to_owned();
        let client = reqwest::Client::new();
        let body = json!({"user": login, "password": password});
        let answer = client.post(format!("{}/api/v1/session", server.url)).json(&body).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Person { client, cookie, url: server.url.clone() }
    }

    fn at(&self, server: &Server) -> Person {
        Person { url: server.url.clone(), ..self.clone() }
    }

    /// Status and body; none when no whole answer came.
    async fn send(&self, method: Method, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.client.request(method, format!("{}{path}", self.url)).header("cookie", &self.cookie);
        let request = request.header("if-match", "*").timeout(Duration::from_secs(20)).json(body);
        let response = request.send().await.ok()?;
        let (status, location) = (response.status().as_u16(), response.headers().get("location").cloned());
        let text = response.text().await.ok()?;
        let mut said: Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(location) = location {
            said["location"] = json!(location.to_str().unwrap());
        }
        Some((status, said))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, said) = self.send(Method::GET, path, &Value::Null).await.expect("an answer");
        assert_eq!(status, 200, "{path}: {said}");
        said
    }
}

/// What somebody knows of a request: the moves that were answered, in their order, and the one that was not.
#[derive(Debug, Default, Clone)]
struct Course {
    purpose: String,
    /// None: not even the draft was answered.
    id: Option<String>,
    answered: Vec<&'static str>,
    tried: Option<&'static str>,
}

/// What somebody knows of a mark: how many of it there may be.
#[derive(Debug, Clone)]
struct Mark {
    name: String,
    least: usize,
    most: usize,
}

#[derive(Default)]
struct Known {
    courses: Mutex<Vec<Course>>,
    marks: Mutex<Vec<Mark>>,
}

/// Requests one after the other, until nobody answers any more: submitted, approved, and each second one revoked.
async fn decide(asker: Person, approver: Person, known: Arc<Known>, name: String) {
    for turn in 0.. {
        let mut course = Course { purpose: format!("{name}-{turn}"), ..Course::default() };
        let draft = json!({"layer": ASKED, "purpose": course.purpose, "legal_basis": "《数据安全法》", "until": "2030-12-31",
            "rights": ["view", "query"]});
        let Some((status, made)) = asker.send(Method::POST, "/api/v1/requests", &draft).await else {
            known.courses.lock().unwrap().push(course);
            return;
        };
        assert_eq!(status, 201, "{made}");
        let id = made["id"].as_str().unwrap().to_owned();
        course.id = Some(id.clone());
        let mut moves = vec![("submit", &asker, json!({})), ("approve", &approver, json!({}))];
        if turn % 2 == 1 {
            moves.push(("revoke", &approver, json!({"note": "用途结束"})));
        }
        for (action, who, body) in moves {
            match who.send(Method::POST, &format!("/api/v1/requests/{id}/{action}"), &body).await {
                Some((200, _)) => course.answered.push(action),
                // A server that ends may still say so; it was not done.
                Some((status, said)) => {
                    assert!(status >= 500, "{action}: {status} {said}");
                    course.tried = Some(action);
                    break;
                }
                None => {
                    course.tried = Some(action);
                    break;
                }
            }
        }
        let ended = course.tried.is_some();
        known.courses.lock().unwrap().push(course);
        if ended {
            return;
        }
    }
}

/// Marks one after the other, until nobody answers any more: written, and each third one deleted.
async fn write(publisher: Person, known: Arc<Known>, name: String) {
    let items = format!("/ogc/collections/{WRITTEN}/items");
    for turn in 0.. {
        let mut mark = Mark { name: format!("{name}-{turn}"), least: 0, most: 1 };
        let feature = json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [120.38, 36.07]},
            "properties": {"name": mark.name}});
        let made = publisher.send(Method::POST, &items, &feature).await;
        let answered = matches!(made, Some((201, _)));
        mark.least = usize::from(answered);
        if let Some((201, made)) = &made
            && turn % 3 == 2
        {
            mark.least = 0;
            let id = made["location"].as_str().unwrap().rsplit('/').next().unwrap();
            if let Some((204, _)) = publisher.send(Method::DELETE, &format!("{items}/{id}"), &Value::Null).await {
                mark.most = 0;
            }
        } else if let Some((status, said)) = &made {
            assert!(*status == 201 || *status >= 500, "{status} {said}");
        }
        known.marks.lock().unwrap().push(mark);
        if !answered {
            return;
        }
    }
}

/// Each request stands where its answered moves led, or one further, and its history says each of them once.
async fn check_courses(asker: &Person, courses: &[Course]) {
    for course in courses {
        let Some(id) = &course.id else { continue };
        let request = asker.get(&format!("/api/v1/requests/{id}")).await;
        let history = asker.get(&format!("/api/v1/requests/{id}/history")).await;
        let events = history["events"].as_array().unwrap_or_else(|| panic!("{history}"));
        let moves: Vec<&str> = events.iter().filter_map(|e| e["action"].as_str()).collect();
        let moves: Vec<&str> = moves.into_iter().filter(|m| ["submit", "approve", "revoke"].contains(m)).collect();
        let further: Vec<&str> = course.answered.iter().copied().chain(course.tried).collect();
        assert!(moves == course.answered || moves == further, "{course:?}: {history}");
        let state = match moves.last() {
            None => "draft",
            Some(&"submit") => "submitted",
            Some(&"approve") => "active",
            _ => "revoked",
        };
        assert_eq!(request["state"], state, "{course:?}: {request}");
        match (state, request["grant"].as_i64()) {
            ("draft" | "submitted", grant) => assert_eq!(grant, None, "{request}"),
            (_, Some(grant)) => {
                let grant = asker.get(&format!("/api/v1/grants/{grant}")).await;
                assert_eq!((&grant["state"], &grant["layer"]), (&json!(state), &json!(ASKED)), "{course:?}");
            }
            (_, None) => panic!("approved without a grant: {request}"),
        }
    }
}

async fn check_marks(publisher: &Person, marks: &[Mark]) {
    let filter = "filter=name%20LIKE%20'mark-%25'&limit=10000&skipGeometry=true";
    let page = publisher.get(&format!("/ogc/collections/{WRITTEN}/items?{filter}")).await;
    let found: Vec<&str> =
        page["features"].as_array().unwrap().iter().map(|f| f["properties"]["name"].as_str().unwrap()).collect();
    for mark in marks {
        let count = found.iter().filter(|name| **name == mark.name).count();
        assert!((mark.least..=mark.most).contains(&count), "{mark:?}: there are {count}");
    }
    assert!(found.iter().all(|name| marks.iter().any(|mark| mark.name == **name)), "nobody wrote these: {found:?}");
}

/// In the tables themselves: each approval has its one grant, each line of history its one audit row and its one delivery.
async fn check_tables(data: &Path) {
    let url = onemap::db::embedded::running(data).expect("the cluster runs");
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    for (what, count) in [
        (
            "requests that are approved more than once, or without exactly one grant",
            "select count(*) from onemap.request r where
                 (select count(*) from onemap.request_event e where e.request_id = r.id and e.action = 'approve')
                 <> (select count(*) from onemap.access_grant g where g.request_id = r.id)",
        ),
        (
            "grants that are revoked though their request is not, or the other way round",
            "select count(*) from onemap.request r join onemap.access_grant g on g.request_id = r.id
             where (r.state = 'revoked') <> (g.revoked_at is not null)",
        ),
        (
            "lines of history that are there twice",
            "select count(*) from (select from onemap.request_event group by request_id, version, action having count(*) > 1) d",
        ),
        (
            "lines of history without exactly one audit row",
            "select count(*) from onemap.request_event e where
                 (select count(*) from onemap.audit a where a.object_kind = 'request' and a.object_id = e.request_id::text
                      and a.action = e.action and a.detail->>'version' = e.version::text) <> 1",
        ),
        (
            "submissions without exactly one delivery to the owner's webhook",
            "select count(*) from onemap.request_event e where e.action = 'submit' and
                 (select count(*) from onemap.webhook_delivery d where d.kind = 'request.submitted'
                      and d.body::text like '%' || e.request_id || '%') <> 1",
        ),
        (
            "notices that somebody has twice",
            "select count(*) from (select from onemap.notification where request_id is not null
                 group by person_id, request_id, kind having count(*) > 1) d",
        ),
    ] {
        let found: i64 = client.query_one(count, &[]).await.expect(what).get(0);
        assert_eq!(found, 0, "{what}");
    }
    drop(client);
    let _ = driver.await;
}

/// A row per submission for a webhook that nobody answers at.
async fn add_webhook(data: &Path, owner: &str) {
    let url = onemap::db::embedded::running(data).expect("the cluster runs");
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let sql = "insert into onemap.webhook (id, department_id, url, secret, created_by)
        values (gen_random_uuid(), $1, 'https://192.0.2.1/hook', 'secret', 'test')";
    client.execute(sql, &[&owner]).await.unwrap();
    drop(client);
    let _ = driver.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_decides_and_writes_it_loses_and_doubles_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut server = start(data.path());
    let asker = Person::new(&server, data.path(), "health", "user").await;
    let owner = |layer: Value| layer["department"]["id"].as_str().or(layer["department"].as_str()).unwrap().to_owned();
    let asked_of = owner(asker.get(&format!("/api/v1/layers/{ASKED}")).await);
    let written_by = owner(asker.get(&format!("/api/v1/layers/{WRITTEN}")).await);
    let approver = Person::new(&server, data.path(), &asked_of, "approver").await;
    let publisher = Person::new(&server, data.path(), &written_by, "publisher").await;
    add_webhook(data.path(), &asked_of).await;
    let known = Arc::new(Known::default());
    // Not the same moment in each run.
    let moment = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos() as u64;
    for round in 0..ROUNDS {
        let (asker, approver, publisher) = (asker.at(&server), approver.at(&server), publisher.at(&server));
        let mut workers = vec![];
        for i in 0..3 {
            let name = format!("course-{round}-{i}");
            workers.push(tokio::spawn(decide(asker.clone(), approver.clone(), known.clone(), name)));
        }
        for i in 0..2 {
            workers.push(tokio::spawn(write(publisher.clone(), known.clone(), format!("mark-{round}-{i}"))));
        }
        tokio::time::sleep(Duration::from_millis(400 + (moment / 1000 + round * 331) % 900)).await;
        server.kill();
        for worker in workers {
            worker.await.expect("a worker");
        }
        server = start(data.path());
        let courses = known.courses.lock().unwrap().clone();
        let marks = known.marks.lock().unwrap().clone();
        check_courses(&asker.at(&server), &courses).await;
        check_marks(&publisher.at(&server), &marks).await;
        check_tables(data.path()).await;
    }
    let answered: usize = known.courses.lock().unwrap().iter().map(|course| course.answered.len()).sum();
    let written = known.marks.lock().unwrap().iter().map(|mark| mark.least).sum::<usize>();
    assert!(answered > 0 && written > 0, "nothing was under way: {answered} moves, {written} marks");
    println!("killed {ROUNDS} times: {answered} moves and {written} marks were answered, and all are there");
    // What was recorded of all that is still a chain.
    onemap(data.path(), &["audit", "verify"]);
}
