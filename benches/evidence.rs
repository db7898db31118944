//! What evidence costs: tiles out of the cache with and without recording, in turn, in one process; and searches among millions of records.
//!
//!     cargo bench --bench evidence                  the cost of recording
//!     cargo bench --bench evidence -- 10000000      and searches among so many records
//!
//! CPU is that of this process and of the PostgreSQL below it, as `/proc` counts it: it stays comparable on a busy machine.

use std::path::Path;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::middleware::{from_fn, from_fn_with_state};
use onemap::app::App;
use onemap::config::Config;
use onemap::db::embedded::Cluster;
use onemap::demo::load;
use onemap::evidence::search::{Prepared, Search, View};
use onemap::http::{authenticate, evidence, problem, routes};
use tokio::sync::watch;
use tower::ServiceExt;

/// Tiles of one stretch, and stretches of each kind.
const TILES: usize = 20_000;
const STRETCHES: usize = 6;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let records = std::env::args().filter_map(|argument| argument.parse::<u64>().ok()).next();
    let data = tempfile::tempdir()?;
    let cluster = Cluster::start(data.path())?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let config = Config { data: data.path().to_owned(), ..Config::default() };
        let app = App::new(config, &cluster.url()).await?;
        let target = load::Target::of(&app.config, 0.01, 1);
        let into = load::Into { database: &app.database, store: &app.store, gate: &app.gate, login: &app.login };
        let credentials = load::load(&into, &target).await?;
        app.refresh().await?;
        let (stop, stopped) = watch::channel(false);
        let tasks = app.start(1, &stopped);
        recording(&app, data.path(), &credentials.keys["health"]).await?;
        if let Some(records) = records {
            searching(&app, records).await?;
        }
        stop.send(true)?;
        app.recorder.close();
        for task in tasks {
            let _ = tokio::time::timeout(Duration::from_secs(3), task).await;
        }
        Ok(())
    })
}

/// The server's way to a tile, with or without what records it.
fn service(app: &App, recorded: bool) -> Router {
    let router = routes::router().layer(from_fn_with_state(app.clone(), authenticate::authenticate));
    let router = match recorded {
        true => router.layer(from_fn_with_state(app.clone(), evidence::middleware)),
        false => router,
    };
    router.layer(from_fn(problem::middleware)).with_state(app.clone())
}

async fn recording(app: &App, data: &Path, key: &str) -> Result<(), Failure> {
    let tiles: Vec<String> =
        (0..400).map(|i| format!("/tiles/roads/14/{}/{}", 13_650 + i % 20, 6_400 + i / 20)).collect();
    let (with, without) = (service(app, true), service(app, false));
    // Into the cache first, once the index is there.
    while app.tiles.indexes().totals().missing > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    stretch(&without, &tiles, key, 2000).await?;
    let mut costs = [vec![], vec![]];
    for _ in 0..STRETCHES {
        for (i, service) in [&without, &with].into_iter().enumerate() {
            let before = cpu(data);
            stretch(service, &tiles, key, TILES).await?;
            // What waits is written within the stretch that it belongs to.
            app.recorder.durable().await?;
            costs[i].push((cpu(data) - before) / TILES as f64 * 1e6);
        }
    }
    let [without, with] = costs.map(|mut all| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    });
    println!(
        "a tile out of the cache, CPU: {without:.1} µs without recording, {with:.1} µs with: +{:.1} µs",
        with - without
    );
    Ok(())
}

async fn stretch(service: &Router, tiles: &[String], key: &str, count: usize) -> Result<(), Failure> {
    for tile in tiles.iter().cycle().take(count) {
        let request = Request::get(tile.as_str())
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::ACCEPT_ENCODING, "gzip")
            .body(Body::empty())?;
        let response = service.clone().oneshot(request).await?;
        assert!(response.status().is_success(), "{tile}: {}", response.status());
    }
    Ok(())
}

/// Seconds of CPU of this process and of PostgreSQL.
fn cpu(data: &Path) -> f64 {
    let postmaster = postmaster(data);
    let mut ticks = 0;
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((head, tail)) = stat.rsplit_once(')') else { continue };
        let pid: u32 = head.split(' ').next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let parent: u32 = fields[1].parse().unwrap_or(0);
        if pid == std::process::id() || Some(pid) == postmaster || Some(parent) == postmaster {
            ticks += fields[11].parse::<u64>().unwrap_or(0) + fields[12].parse::<u64>().unwrap_or(0);
        }
    }
    ticks as f64 / 100.0
}

fn postmaster(data: &Path) -> Option<u32> {
    let pointer = std::fs::read_to_string(data.join("cluster-path")).ok();
    let base = pointer.map_or(data.to_owned(), |path| path.trim().into());
    std::fs::read_to_string(base.join("pg").join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// Fills months with records, one in four with features, then searches.
async fn searching(app: &App, records: u64) -> Result<(), Failure> {
    let (owner, connection) = app.database.owner().await?;
    tokio::spawn(connection);
    let begun = Instant::now();
    let fill = format!(
        "insert into onemap.evidence_node (name, public_key) values ('bench', '') on conflict do nothing;
         set synchronous_commit = off;
         select onemap.make_evidence_partition((now() - make_interval(months => m))::date) from generate_series(0, 3) m;
         insert into onemap.evidence (kept_at, node, block, place, digest_check, at, department, who, operation, layer, owner,
             revision, status, complete, requests, rows, bytes, extent, features)
         select t, 999, i / 100, i % 100, i, t, 'd' || i % 12, 'key:' || i % 300, case when i % 4 = 0 then 'features' else 'tile' end,
             'layer' || (i * 7919) % 80, 'd' || (i * 31) % 12, 1, case when i % 500 = 0 then 403 else 200 end, true, 1, 10, 2000,
             array[120 + x, 36 + x, 120.01 + x, 36.01 + x],
             case when i % 4 = 0 then array[i % 100000, i % 99991 + 100000] end
         from (select i, now() - (({records} - i) * interval '80 days' / {records}) as t, (i % 1000) / 1000.0 as x
               from generate_series(1, {records}::int8) i) s;
         analyze onemap.evidence"
    );
    owner.batch_execute(&fill).await?;
    println!("{records} records in {:.0} s", begun.elapsed().as_secs_f64());
    let text = |text: &str| Some(text.to_owned());
    let from = text("2020-01-01");
    let of = |search: Search| Search { from: from.clone(), ..search };
    let department = || View::Department("d3".into());
    for (name, view, search) in [
        ("the newest", View::All, of(Search::default())),
        ("of a department's administrator", department(), of(Search::default())),
        ("a department", View::All, of(Search { department: text("d7"), ..Search::default() })),
        ("a layer", View::All, of(Search { layer: text("layer5"), ..Search::default() })),
        ("a key", View::All, of(Search { who: text("key:77"), ..Search::default() })),
        ("a layer, refused", View::All, of(Search { layer: text("layer40"), status: Some(403), ..Search::default() })),
        (
            "a layer, in a box",
            View::All,
            of(Search { layer: text("layer5"), bbox: Some([120.5, 36.5, 120.6, 36.6]), ..Search::default() }),
        ),
        (
            "a layer on a day",
            View::All,
            Search { layer: text("layer5"), to: text(&day(40)), from: text(&day(41)), ..Search::default() },
        ),
        (
            "a feature of a layer",
            View::All,
            of(Search { layer: text("layer4"), feature: Some(4444), ..Search::default() }),
        ),
    ] {
        let prepared = Prepared::new(view, search, onemap::access::recorder::now())?;
        let mut times = vec![];
        for _ in 0..5 {
            let begun = Instant::now();
            let (page, _) = prepared.page(&app.database, None, 50).await?;
            times.push((begun.elapsed().as_secs_f64() * 1e3, page.len()));
        }
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        println!(
            "  {name:<34} {:8.1} ms, {} records (the slowest of five: {:.1} ms)",
            times[2].0, times[2].1, times[4].0
        );
    }
    Ok(())
}

/// The day so many days ago.
fn day(ago: i64) -> String {
    let at = jiff::Timestamp::now().as_second() - ago * 86_400;
    jiff::Timestamp::from_second(at).map(|at| at.to_string()[..10].to_owned()).unwrap_or_default()
}
