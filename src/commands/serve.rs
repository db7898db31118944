//! `serve` and `demo`: the database, the application, the server; stopped in the opposite order.

use std::fs::File;
use std::process::ExitCode;
use std::time::Instant;

use nix::fcntl::{Flock, FlockArg};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::runtime;
use crate::access::grant::Edit;
use crate::access::principal::Principal;
use crate::address::guess::guess_of_layer;
use crate::address::sources;
use crate::app::App;
use crate::config::Config;
use crate::db::embedded::Cluster;
use crate::demo::{ADDRESS_SOURCES, load, thematic};
use crate::error::{Error, Result};
use crate::http::{health, serve};
use crate::layer::model::Title;
use crate::layer::registry::NewLayer;

pub struct Demo {
    pub scale: f64,
    pub seed: u64,
    pub load_only: bool,
}

/// Job workers of a node: one reads and one inspects, on the two cores that a small server has.
const WORKERS: usize = 2;

pub fn run(mut config: Config, demo: Option<Demo>) -> Result<ExitCode> {
    let begun = Instant::now();
    config.examples = demo.is_some();
    std::fs::create_dir_all(&config.data)?;
    let _lock = lock(&config)?;
    health::install_metrics();
    let cluster = match &config.database_url {
        Some(_) => None,
        None => Some(Cluster::start(&config.data)?),
    };
    let url = config.database_url.clone().or(cluster.as_ref().map(Cluster::url)).unwrap_or_default();
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve_until_stopped(config, &url, demo, begun));
    // Requests and jobs end before the database they use.
    runtime.shutdown_timeout(std::time::Duration::from_secs(3));
    drop(cluster);
    outcome
}

async fn serve_until_stopped(config: Config, url: &str, demo: Option<Demo>, begun: Instant) -> Result<ExitCode> {
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = stop.send(true);
    });
    let app = App::new(config, url).await?;
    // The address first: a port that is taken should be known before minutes of loading.
    let listener = serve::bind(&app).await?;
    let mut loaded = None;
    if let Some(demo) = demo {
        let mut cancelled = stopped.clone();
        let target = load::Target::of(&app.config, demo.scale, demo.seed);
        let into = load::Into { database: &app.database, store: &app.store, gate: &app.gate, login: &app.login };
        loaded = Some(tokio::select! {
            credentials = load::load(&into, &target) => credentials?,
            _ = cancelled.wait_for(|s| *s) => return Ok(ExitCode::from(130)),
        });
        app.refresh().await?;
        make_sources(&app).await?;
        make_themes(&app).await?;
        if demo.load_only {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let tasks = app.start(WORKERS, &stopped);
    welcome(&app, loaded.as_ref(), begun);
    let indexing = loaded.is_some().then(|| tokio::spawn(tell_of_indexes(app.clone())));
    let outcome = serve::serve(app, listener, stopped).await;
    indexing.inspect(|task| task.abort());
    for task in tasks {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(3), task).await;
    }
    println!("onemap: 已停止 stopped");
    outcome.map(|()| ExitCode::SUCCESS)
}

/// The demo city's doors, homes, roads and divisions are searched for addresses from the first start on.
async fn make_sources(app: &App) -> Result<()> {
    for (layer, priority) in ADDRESS_SOURCES {
        if sources::was_ever_set(&app.database, layer).await? {
            continue;
        }
        let Some(owner) = app.catalog.snapshot().layers.get(*layer).map(|l| l.department.clone()) else { continue };
        let grant = app.gate.open::<Edit>(&Principal::operator(&owner), layer)?;
        let published = app.catalog.published(&grant)?;
        let mapping = guess_of_layer(&published, published.state()).mapping;
        sources::set(&app.database, &grant, &mapping, *priority).await?;
    }
    app.refresh().await
}

/// The demo city's themes, as a request would make them: their jobs run once the server does, beside its first requests.
async fn make_themes(app: &App) -> Result<()> {
    let by = Principal::operator(thematic::OWNER);
    for theme in thematic::all() {
        if app.catalog.snapshot().layers.contains_key(theme.id) {
            continue;
        }
        let definition = serde_json::from_value(theme.definition())?;
        let new = NewLayer {
            id: theme.id.into(),
            theme: Some(thematic::TOPIC.into()),
            title: Title { zh: theme.zh.into(), en: theme.en.into() },
            description: Title {
                zh: format!("{}，按街道（镇）统计。演示数据，由程序按种子生成，不反映真实情况。", theme.zh),
                en: format!(
                    "{}, by street or town. Demonstration data made by a seeded generator; it describes nothing real.",
                    theme.en
                ),
            },
            class: theme.class,
            anonymous: false,
            style: None,
            source: format!("{} × streets", theme.layer),
            synthetic: true,
        };
        app.themes.create(&by, thematic::OWNER, &new, &definition).await?;
    }
    app.refresh().await
}

fn welcome(app: &App, demo: Option<&load::Credentials>, begun: Instant) {
    let url = app.config.public_url.clone().unwrap_or(format!("http://{}", app.config.listen));
    println!("\nonemap 政务一张图  ready in {:.1} s", begun.elapsed().as_secs_f64());
    println!("  打开 open       {url}/");
    println!("  OGC API         {url}/ogc");
    if let Some(credentials) = demo {
        println!("  用户 user       {}", credentials.admin.user);
        println!("  密码 password   {}", credentials.admin.password);
        if let Some(person) = &credentials.example {
            println!("  示例 example    {url}/examples/family-planning/");
            println!("    用户 user     {}   密码 password {}", person.user, person.password);
        }
        println!("  部门密钥 keys   (one per department; also in {})", credentials.path(&app.config).display());
        for (department, key) in &credentials.keys {
            println!("    {department:<22}{key}");
        }
    }
    println!("  Ctrl-C 停止 stops it\n");
}

/// Lines about the tile indexes until all are there: the map works meanwhile, PostGIS makes its tiles.
async fn tell_of_indexes(app: App) {
    let (begun, mut told) = (Instant::now(), false);
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let t = app.tiles.indexes().totals();
        let all = t.ready + t.building + t.missing;
        let Some((layer, p)) = t.layer.zip(t.progress) else {
            if t.missing == 0 && told {
                let seconds = begun.elapsed().as_secs();
                println!("onemap: 瓦片索引已就绪 tile indexes ready: {all} in {seconds} s, {} MiB", t.bytes >> 20);
            }
            if t.missing == 0 {
                return;
            }
            continue;
        };
        told = true;
        println!(
            "onemap:   瓦片索引 tile index {}/{all} · {layer} · {}/{} 要素 features · {}/s · 约剩 {} s left",
            t.ready, p.done, p.total, p.rows_per_second, p.seconds_left
        );
    }
}

/// One server per data directory.
fn lock(config: &Config) -> Result<Flock<File>> {
    let file = File::create(config.data.join("lock"))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| {
        Error::conflict(
            format!("数据目录 {} 正被另一个 onemap 使用", config.data.display()),
            format!("another onemap uses the data directory {}", config.data.display()),
        )
        .hint("请先停止它，或用 --data 指定其他目录", "stop it, or choose another folder by --data")
        .because(std::io::Error::from(errno))
    })
}
