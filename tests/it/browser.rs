//! The portal in a real browser: it opens, no request leaves the origin, and people walk through it (`web/journeys`).

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
    let output = chromium(&["--disable-gpu", "--virtual-time-budget=15000", "--dump-dom"], url, proxy);
    String::from_utf8_lossy(&output).into_owned()
}

/// What the browser says of a page.
fn chromium(what: &[&str], url: &str, proxy: u16) -> Vec<u8> {
    let profile = tempfile::tempdir().unwrap();
    // A browser that hangs must not hang the tests.
    let output = Command::new("timeout")
        .args(["90", "/usr/bin/chromium"])
        .args(["--headless", "--no-sandbox", "--no-first-run", "--disable-quic", "--lang=zh-CN"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
        ])
        .arg("--disable-features=OptimizationHints,MediaRouter,Translate")
        .args(what)
        .arg(format!("--proxy-server=127.0.0.1:{proxy}"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .output()
        .unwrap();
    output.stdout
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

/// WebGL without a graphics card.
const DRAWING: [&str; 4] =
    ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--window-size=1200,800"];

/// How many pixels of a picture have each of these colours, within the few steps that fading and smoothing cost.
fn pixels(file: &Path, colours: &[[u8; 3]]) -> Vec<usize> {
    let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(file).unwrap()));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    let samples = frame.color_type.samples();
    let near = |pixel: &[u8], colour: &[u8; 3]| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(*b) < 8);
    colours.iter().map(|colour| bytes.chunks(samples).filter(|pixel| near(&pixel[..3], colour)).count()).collect()
}

/// The colours of a page's legend, as the browser writes them.
fn legend_colours(document: &str) -> Vec<[u8; 3]> {
    let legend =
        document.split("onemap-legend").nth(1).unwrap_or_default().split("</section>").next().unwrap_or_default();
    legend
        .split("background: rgb(")
        .skip(1)
        .map(|rest| {
            let mut parts = rest.split(')').next().unwrap().split(',').map(|part| part.trim().parse().unwrap());
            [parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap()]
        })
        // The box itself.
        .filter(|colour| *colour != [255; 3])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_family_planning_example_draws_its_themes_and_their_figures() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/sdk/onemap.js");
    if !Path::new("/usr/bin/chromium").exists() || !sdk.exists() {
        eprintln!("skipped: chromium or the built page is missing (scripts/setup --test brings both)");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let server = crate::process::start(data.path());
    let key = crate::process::credentials(data.path())["keys"]["health"].as_str().unwrap().to_owned();
    crate::process::themed(&server.url, &key).await;
    let url = format!("{}/examples/family-planning/#key={key}", server.url);
    let shot = data.path().join("example.png");
    let (picture, address) = (format!("--screenshot={}", shot.display()), url.clone());
    let (proxy, _) = outside_world();
    let document = tokio::task::spawn_blocking(move || {
        let wait = "--virtual-time-budget=30000";
        let document = chromium(&[&DRAWING[..], &[wait, "--dump-dom"]].concat(), &url, proxy);
        chromium(&[&DRAWING[..], &[wait, "--hide-scrollbars", &picture]].concat(), &address, proxy);
        String::from_utf8_lossy(&document).into_owned()
    })
    .await
    .unwrap();
    assert!(document.contains("data-ready=\"true\""), "{document}");
    assert_eq!(document.matches("<option").count(), 9, "{document}");
    // The first theme: its legend, and a row of figures for each district.
    let colours = legend_colours(&document);
    assert!(colours.len() >= 5, "{document}");
    let figures = document.split("id=\"figures\"").nth(1).unwrap();
    assert!(figures.contains("市南区") && figures.matches("<tr").count() > 7, "{figures}");
    // What is drawn has the legend's colours.
    let shown = pixels(&shot, &colours);
    assert!(shown.iter().filter(|count| **count > 100).count() >= 3, "{shown:?} of {colours:?}");
    // Where there is no demo there are no examples.
    let world = World::new().await;
    assert_eq!(world.request(reqwest::Method::GET, "/examples/family-planning/").send().await.unwrap().status(), 404);
}

/// What people do with the portal, from the first click to the last: a script for each, which Node runs.
const JOURNEYS: [&str; 6] = ["address", "theme", "figures", "request", "annotation", "example"];

#[tokio::test(flavor = "multi_thread")]
async fn people_walk_through_the_portal() {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let there = |path: &str| web.join(path).exists();
    if !Path::new("/usr/bin/chromium").exists() || !there("dist/index.html") || !there("node_modules/playwright-core") {
        eprintln!("skipped: chromium, the built page or its modules are missing (scripts/setup --test brings them)");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let server = crate::process::start(data.path());
    let key = crate::process::credentials(data.path())["keys"]["health"].as_str().unwrap().to_owned();
    crate::process::searched(&server.url, &key).await;
    for journey in JOURNEYS {
        // A browser that hangs must not hang the tests.
        let mut node = Command::new("timeout");
        node.args(["600", "node"]).arg(web.join(format!("journeys/{journey}.mjs")));
        node.env("JOURNEY_URL", &server.url).env("JOURNEY_CREDENTIALS", data.path().join("demo-credentials.json"));
        let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{journey}: {said}");
    }
}
