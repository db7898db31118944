//! The portal in a real browser: it opens, and no request leaves the origin.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::world::World;

/// A proxy that serves nobody: whatever the browser asks of it is a request to somewhere else.
fn outside_world() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(vec![]));
    let seen = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut head = [0; 300];
            let mut stream = stream;
            let length = stream.read(&mut head).unwrap_or(0);
            let line = String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or_default().to_owned();
            seen.lock().unwrap().push(line);
        }
    });
    (port, asked)
}

/// The page's document after its scripts have run.
fn open(url: &str, proxy: u16) -> String {
    let profile = tempfile::tempdir().unwrap();
    // A browser that hangs must not hang the tests.
    let output = Command::new("timeout")
        .args(["90", "/usr/bin/chromium"])
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--lang=zh-CN"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
        ])
        .args([
            "--disable-features=OptimizationHints,MediaRouter,Translate",
            "--virtual-time-budget=15000",
            "--dump-dom",
        ])
        .arg(format!("--proxy-server=127.0.0.1:{proxy}"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_opens_and_asks_nobody_else() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/index.html");
    if !Path::new("/usr/bin/chromium").exists() || !page.exists() {
        eprintln!("skipped: chromium or the built page is missing (scripts/setup --test brings both)");
        return;
    }
    let world = World::new().await;
    let (proxy, asked) = outside_world();
    let url = format!("{}/", world.url);
    let document = tokio::task::spawn_blocking(move || {
        let first = open(&url, proxy);
        // On a machine that is busy with a build the first start may run out of its time.
        if first.contains("type=\"password\"") { first } else { open(&url, proxy) }
    })
    .await
    .unwrap();
    // Nobody is signed in: the page's own router has led to the sign-in form.
    assert!(document.contains("政务一张图") && document.contains("type=\"password\""), "{document}");
    // What the browser itself asks its maker for is not the page's doing.
    let ours = |line: &String| !["google", "gvt1", "chromium"].iter().any(|maker| line.contains(maker));
    let outside: Vec<String> = asked.lock().unwrap().iter().filter(|l| ours(l)).cloned().collect();
    assert!(outside.is_empty(), "requests left the origin: {outside:?}");
}
