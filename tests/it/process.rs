//! The program itself, killed and started again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

struct Server {
    child: Child,
    url: String,
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(data: &Path) -> Server {
    let url = format!("127.0.0.1:{}", free_port());
    let mut child = Command::new(env!("CARGO_BIN_EXE_onemap"))
        .args(["demo", "--scale", "0.01", "--listen", &url, "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("ready in"));
    assert!(ready, "the server ended before it was ready");
    // Whoever prints needs somebody who reads.
    std::thread::spawn(move || lines.for_each(drop));
    Server { child, url: format!("http://{url}") }
}

impl Server {
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

fn credentials(data: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(data.join("demo-credentials.json")).unwrap()).unwrap()
}

async fn count(server: &Server, key: &str) -> u64 {
    let url = format!("{}/ogc/collections/roads/items?limit=1&key={key}", server.url);
    let page: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    page["numberMatched"].as_u64().unwrap_or_else(|| panic!("{page}"))
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
