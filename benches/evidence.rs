//! What evidence costs: tiles out of the cache with and without recording, in turn, in one process; and searches among millions of records.
//!
//!     cargo bench --bench evidence                  the cost of recording
//!     cargo bench --bench evidence -- 10000000      and searches among so many records
//!
//! CPU is that of this process and of the PostgreSQL below it, as `/proc` counts it: it stays comparable on a busy machine.

use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, header};
use axum::middleware::{Next, from_fn_with_state};
use onemap::access::recorder::now;
use onemap::app::App;
use onemap::config::Config;
use onemap::db::embedded::Cluster;
use onemap::demo::load;
use onemap::evidence::row::{self, Place, Values};
use onemap::evidence::search::{Prepared, Search, View};
use onemap::geo::tms::TileMatrixSet;
use onemap::http::{authenticate, evidence, problem, routes};
use onemap_evidence::{Block, Head, Record, Tile, TileList};
use postgres_types::Type;
use tokio::sync::watch;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
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
    let around = move |State(app): State<App>, request: Request<Body>, next: Next| async move {
        let app = &app;
        let step = move |request| next.run(request);
        let step = move |request| Box::pin(authenticate::around(app, request, step));
        match recorded {
            true => {
                let step = move |request| Box::pin(evidence::around(app, request, step));
                problem::around(request, step).await
            }
            false => problem::around(request, step).await,
        }
    };
    routes::router().layer(from_fn_with_state(app.clone(), around)).with_state(app.clone())
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

/// Records of a block that is filled in, and of one COPY.
const BLOCK: u64 = 100;
const COPY: u64 = 200_000;

/// Fills months with records, then searches.
async fn searching(app: &App, records: u64) -> Result<(), Failure> {
    let begun = Instant::now();
    fill(app, records).await?;
    println!("{records} records in {:.0} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    onemap::evidence::stretches::note_all(&app.database).await?;
    println!("their clues in {:.0} s", begun.elapsed().as_secs_f64());
    let (owner, connection) = app.database.owner().await?;
    tokio::spawn(connection);
    owner.batch_execute("vacuum analyze onemap.evidence_clue; vacuum analyze onemap.evidence_stretch").await?;
    let sizes = "select pg_size_pretty(sum(pg_table_size(relid))), pg_size_pretty(sum(pg_indexes_size(relid)))
                 from pg_partition_tree($1::text::regclass)";
    for table in ["onemap.evidence", "onemap.evidence_clue"] {
        let row = owner.query_one(sizes, &[&table]).await?;
        println!("  {table}: {}, indexes {}", row.get::<_, String>(0), row.get::<_, String>(1));
    }
    search(app).await
}

/// Eighty days of a chain of its own: three in four of tiles, the rest of pages with features.
async fn fill(app: &App, records: u64) -> Result<(), Failure> {
    let (owner, connection) = app.database.owner().await?;
    tokio::spawn(connection);
    let partitions = "set synchronous_commit = off;
        select onemap.make_evidence_partition((now() - make_interval(months => m))::date) from generate_series(0, 3) m";
    owner.batch_execute(partitions).await?;
    let node = "insert into onemap.evidence_node (name, public_key) values ('bench', '') returning id";
    let mut head = Head::start(owner.query_one(node, &[]).await?.get(0));
    let end = now();
    let apart = 80 * 86_400_000_000 / records.max(1) as i64;
    for from in (0..records).step_by(COPY as usize) {
        let mut blocks = vec![];
        for first in (from..records.min(from + COPY)).step_by(BLOCK as usize) {
            let at = |i: u64| end - (records - i) as i64 * apart;
            let some: Vec<Record> = (first..records.min(first + BLOCK)).map(|i| record(i, at(i))).collect();
            let (block, checks) = Block::close(&head, at(first + BLOCK), &some);
            head = block.head();
            blocks.push((block, checks, some));
        }
        copy(&owner, &blocks).await?;
    }
    Ok(())
}

async fn copy(owner: &tokio_postgres::Client, blocks: &[(Block, Vec<i64>, Vec<Record>)]) -> Result<(), Failure> {
    let sql =
        "copy onemap.evidence_block (node, number, at, count, records, previous, digest) from stdin (format binary)";
    let types = [Type::INT4, Type::INT8, Type::TIMESTAMPTZ, Type::INT4, Type::BYTEA, Type::BYTEA, Type::BYTEA];
    let mut writer = pin!(BinaryCopyInWriter::new(owner.copy_in(sql).await?, &types));
    for (block, ..) in blocks {
        let at = row::time(block.at);
        let (records, previous, digest) = (&block.records[..], &block.previous[..], &block.digest[..]);
        writer.as_mut().write(&[&block.node, &block.number, &at, &block.count, &records, &previous, &digest]).await?;
    }
    writer.finish().await?;
    let sql = format!("copy onemap.evidence ({}) from stdin (format binary)", row::COLUMNS);
    let mut writer = pin!(BinaryCopyInWriter::new(owner.copy_in(&sql).await?, &row::types()));
    for (block, checks, records) in blocks {
        for (i, (record, check)) in records.iter().zip(checks).enumerate() {
            let kept_at = row::time(block.at);
            let place = Place { kept_at, node: block.node, block: block.number, place: i as i32, check: *check };
            writer.as_mut().write(&Values::new(place, record).all()).await?;
        }
    }
    writer.finish().await?;
    Ok(())
}

/// A record of one of 300 keys of 12 departments at one of 80 layers, somewhere in a city of 90 km. Numbers are drawn by lot, the same each time.
fn record(i: u64, at: i64) -> Record {
    let mut state = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut lot = |among: u64| {
        state = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 32;
        state % among
    };
    let (key, layer, refused) = (lot(300), lot(80), lot(500) == 0);
    let mut record = Record {
        at,
        department: Some(format!("d{}", key % 12).into()),
        who: format!("key:{key}").into(),
        operation: "features".into(),
        layer: Some(format!("layer{layer}").into()),
        owner: Some(format!("d{}", layer % 12).into()),
        revision: Some(1),
        status: if refused { 403 } else { 200 },
        complete: true,
        requests: 1,
        ..Record::default()
    };
    if refused {
        return record;
    }
    if lot(4) == 0 {
        let first = lot(100_000) as i64;
        (record.features, record.rows, record.bytes) = (Some((first..first + 20).collect()), 20, 9000);
        return record;
    }
    let mut tiles = TileList::default();
    let (column, row) = (13_650 + lot(40) as u32, 6_400 + lot(40) as u32);
    for next in 0..4 {
        tiles.push(Tile { after: 20 * next, zoom: 14, column: column + next % 2, row: row + next / 2, bytes: 6000 });
    }
    (record.operation, record.tiles, record.requests) = ("tile".into(), Some(tiles.into_bytes()), 4);
    (record.detail, record.bytes) = (Some("WebMercatorQuad".into()), 24_000);
    record.extent = TileMatrixSet::WebMercatorQuad.tile(14, column, row).map(|tile| tile.degrees(0.5));
    record
}

async fn search(app: &App) -> Result<(), Failure> {
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
        (
            "a feature that hardly anybody saw",
            View::All,
            of(Search { layer: text("layer4"), feature: Some(99_999), ..Search::default() }),
        ),
        (
            "a key at a layer in a box, in vain",
            View::All,
            of(Search {
                who: text("key:77"),
                layer: text("layer4"),
                bbox: Some([118.0, 35.0, 118.1, 35.1]),
                ..Search::default()
            }),
        ),
    ] {
        let looks_at_feature = search.feature.is_some();
        let mut prepared = Prepared::new(view, search, now())?;
        // Where tiles of the fill lie.
        prepared.feature_box = looks_at_feature.then_some([120.301, 36.301, 120.302, 36.302]);
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
