//! The program itself, killed and started again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

pub struct Server {
    child: Child,
    pub url: String,
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn start(data: &Path) -> Server {
    spawn(data, "info", Stdio::null())
}

/// The same, with its log at a level and where it goes.
pub fn spawn(data: &Path, level: &str, log: Stdio) -> Server {
    let url = format!("127.0.0.1:{}", free_port());
    let mut child = Command::new(env!("CARGO_BIN_EXE_onemap"))
        .args(["demo", "--scale", "0.01", "--listen", &url, "--data"])
        .arg(data)
        .env("ONEMAP_LOG", level)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("ready in"));
    assert!(ready, "the server ended before it was ready");
    // Whoever prints needs somebody who reads.
    std::thread::spawn(move || lines.for_each(drop));
    Server { child, url: format!("http://{url}") }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

impl Server {
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        assert!(self.ended(Duration::from_secs(5)));
    }
    /// PostgreSQL alone; the server starts it again.
    pub fn kill_postgres(&self) {
        kill(postgres_of(self), Signal::SIGKILL).unwrap();
    }
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }
    fn ended(&mut self, within: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < within {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

pub fn credentials(data: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(data.join("demo-credentials.json")).unwrap()).unwrap()
}

async fn count(server: &Server, key: &str) -> u64 {
    let url = format!("{}/ogc/collections/roads/items?limit=1&key={key}", server.url);
    let page: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    page["numberMatched"].as_u64().unwrap_or_else(|| panic!("{page}"))
}

/// Waits until every address source has its index.
pub async fn searched(url: &str, key: &str) {
    for _ in 0..600 {
        let list = reqwest::get(format!("{url}/api/v1/address-sources?key={key}")).await.unwrap();
        let list: Value = list.json().await.unwrap();
        let sources = list["sources"].as_array().unwrap();
        assert!(sources.len() >= 7, "the demo city is searched for addresses: {list}");
        if sources.iter().all(|s| s["index"]["state"] == "ready") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the address indexes are not ready after a minute");
}

/// Waits until the demo's themes are computed, and tells of them.
pub async fn themed(url: &str, key: &str) -> Vec<Value> {
    for _ in 0..600 {
        let list: Value = reqwest::get(format!("{url}/api/v1/themes?key={key}")).await.unwrap().json().await.unwrap();
        let themes = list["themes"].as_array().unwrap_or_else(|| panic!("{list}")).clone();
        assert_eq!(themes.len(), 9, "the demo city has nine themes: {list}");
        if themes.iter().all(|theme| theme["feature_count"].as_i64().is_some_and(|count| count > 0)) {
            return themes;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the demo's themes are not ready after a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_city_keeps_nine_themes_that_are_layers() {
    let data = tempfile::tempdir().unwrap();
    let mut server = start(data.path());
    let key = credentials(data.path())["keys"]["health"].as_str().unwrap().to_owned();
    let get = async |url: &str, path: &str| -> Value {
        reqwest::get(format!("{url}{path}?key={key}")).await.unwrap().json().await.unwrap()
    };
    for theme in themed(&server.url, &key).await {
        let id = theme["id"].as_str().unwrap();
        let about = get(&server.url, &format!("/api/v1/themes/{id}")).await;
        let classes = about["figures"]["classification"]["classes"].as_array().unwrap_or_else(|| panic!("{about}"));
        assert!(classes.len() >= 3, "{id}: {classes:?}");
        // Each is drawn by its own style and has a value for a good part of the streets.
        let style = get(&server.url, &format!("/styles/{id}.json")).await;
        assert!(style["layers"].as_array().unwrap().len() >= classes.len(), "{style}");
        let table = get(&server.url, &format!("/api/v1/themes/{id}/table")).await;
        let rows = table["rows"].as_array().unwrap();
        let valued = rows.iter().filter(|row| row["value"].is_number()).count();
        assert!(valued * 2 > rows.len(), "{id}: {valued} of {}", rows.len());
    }
    // The next start makes them not again.
    server.kill();
    server = start(data.path());
    themed(&server.url, &key).await;
}

/// PostgreSQL's first process: the one whose parent is the server.
fn postgres_of(server: &Server) -> Pid {
    let parent = server.child.id().to_string();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((head, tail)) = stat.rsplit_once(") ") else { continue };
        if tail.split(' ').nth(1) == Some(parent.as_str()) && head.contains("postgres") {
            return Pid::from_raw(entry.file_name().to_string_lossy().parse().unwrap());
        }
    }
    panic!("no PostgreSQL below the server");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_time_it_comes_back_with_everything() {
    let data = tempfile::tempdir().unwrap();
    let mut server = start(data.path());
    let given = credentials(data.path());
    let key = given["keys"]["health"].as_str().unwrap().to_owned();
    let roads = count(&server, &key).await;
    assert!(roads > 0);

    // The server alone: PostgreSQL follows it by its parent-death signal, the next start waits for it.
    server.signal(Signal::SIGKILL);
    assert!(server.ended(Duration::from_secs(5)));
    server = start(data.path());
    assert_eq!(credentials(data.path())["keys"], given["keys"], "the keys stay");
    assert_eq!(count(&server, &key).await, roads);
    // The kill came while address indexes were being built.
    searched(&server.url, &key).await;
    let files = std::fs::read_dir(data.path().join("address")).unwrap();
    let names: Vec<String> = files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    let whole = |name: &String| name.ends_with(".idx") || name == "database" || name == "lock";
    assert!(names.iter().all(whole), "half-made files are left: {names:?}");

    // PostgreSQL alone: the supervisor starts it again under the running server.
    kill(postgres_of(&server), Signal::SIGKILL).unwrap();
    let begun = Instant::now();
    loop {
        let url = format!("{}/readyz", server.url);
        tokio::time::sleep(Duration::from_millis(200)).await;
        if reqwest::get(url).await.unwrap().status() == 200 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "PostgreSQL does not come back");
    }
    assert_eq!(count(&server, &key).await, roads);

    // Both at once.
    let postgres = postgres_of(&server);
    server.signal(Signal::SIGKILL);
    let _ = kill(postgres, Signal::SIGKILL);
    assert!(server.ended(Duration::from_secs(5)));
    server = start(data.path());
    assert_eq!(count(&server, &key).await, roads);

    // And an orderly end leaves no process behind.
    let postgres = postgres_of(&server);
    server.signal(Signal::SIGINT);
    assert!(server.ended(Duration::from_secs(20)), "Ctrl-C ends it");
    assert!(kill(postgres, None).is_err(), "PostgreSQL has ended too");
}

/// A table of points large enough that its load can be interrupted.
fn large_table(path: &Path, rows: u32) {
    use std::io::Write;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(file, "code,name,lon,lat").unwrap();
    for i in 0..rows {
        let (x, y) = (120.0 + f64::from(i % 1000) * 0.001, 36.0 + f64::from(i / 1000) * 0.001);
        writeln!(file, "C{i:07},第{i}号,{x:.6},{y:.6}").unwrap();
    }
    file.flush().unwrap();
}

struct Admin {
    client: reqwest::Client,
    cookie: String,
    url: String,
}

impl Admin {
    async fn of(server: &Server, data: &Path) -> Admin {
        let client = reqwest::Client::new();
        let account = &credentials(data)["admin"];
        let response = client.post(format!("{}/api/v1/session", server.url)).json(account).send().await.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Admin { client, cookie, url: server.url.clone() }
    }
    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        request.send().await.unwrap().json().await.unwrap()
    }
    /// The state of the newest load, once it is one of these.
    async fn load_is(&self, states: &[&str]) -> Value {
        for _ in 0..1200 {
            let jobs = self.get("/api/v1/jobs").await;
            let load = jobs["jobs"].as_array().unwrap().iter().find(|j| j["kind"] == "upload.load").cloned();
            if let Some(load) = load.filter(|j| states.contains(&j["state"].as_str().unwrap())) {
                return load;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no load becomes {states:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_killed_is_done_again_whole() {
    const ROWS: u32 = 150_000;
    let data = tempfile::tempdir().unwrap();
    let table = data.path().join("large.csv");
    large_table(&table, ROWS);
    let mut server = start(data.path());
    let admin = Admin::of(&server, data.path()).await;
    let mut import = Command::new(env!("CARGO_BIN_EXE_onemap"))
        .args(["import", "--department", "big-data", "--layer", "large", "--yes", "--data"])
        .arg(data.path())
        .arg(&table)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    admin.load_is(&["running"]).await;
    import.kill().unwrap();
    import.wait().unwrap();
    server.signal(Signal::SIGKILL);
    assert!(server.ended(Duration::from_secs(5)));
    server = start(data.path());
    let admin = Admin::of(&server, data.path()).await;
    let load = admin.load_is(&["succeeded", "failed"]).await;
    assert_eq!(load["state"], "succeeded", "{load}");
    assert_eq!(load["result"]["rows"], ROWS);
    let revisions = admin.get("/api/v1/layers/large/revisions").await;
    let revisions = revisions["revisions"].as_array().unwrap();
    assert_eq!(revisions.len(), 1, "the interrupted load left nothing: {revisions:?}");
    assert_eq!((&revisions[0]["state"], &revisions[0]["feature_count"]), (&"staged".into(), &ROWS.into()));
}
