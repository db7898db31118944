//! A small world: two departments, people of every role, a layer of every class. Made once as a template database; each test
//! copies it (about 0.1 s) and serves it on a port of its own.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::stream;
use onemap::access::passwords::hash_password;
use onemap::access::principal::{Principal, Role};
use onemap::app::App;
use onemap::config::Config;
use onemap::db::embedded::Cluster;
use onemap::http::{health, serve};
use onemap::layer::copy::{HEADER, TRAILER, Value, begin_row, put};
use onemap::layer::model::{Field, FieldType, ShareClass, Title};
use onemap::layer::registry::{self, NewLayer, Shape};
use reqwest::{Method, RequestBuilder, Response};
use tokio::sync::watch;

pub const PASSWORD: &str = "a password of some length";
pub const DEPARTMENTS: [&str; 2] = ["housing", "health"];
/// Rows of each seeded layer: a grid of points, 0.01° apart.
pub const ROWS: i64 = 100;

pub struct World {
    pub app: App,
    pub url: String,
    pub database_url: String,
    client: reqwest::Client,
    stop: watch::Sender<bool>,
    database: String,
    /// Removed with the world.
    data: Option<tempfile::TempDir>,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static COUNT: AtomicU32 = AtomicU32::new(0);
static TEMPLATE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();

/// The tests' cluster. It is never dropped: PostgreSQL ends by itself when this process does.
fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(|| {
        let folder = std::env::temp_dir();
        sweep(&folder);
        Cluster::start(&folder.join(format!("onemap-it-{}", std::process::id()))).expect("the tests' PostGIS starts")
    })
}

/// Removes what earlier runs left behind.
fn sweep(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix("onemap-it-") else { continue };
        if !PathBuf::from(format!("/proc/{pid}")).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

async fn sql(database: &str, statement: &str) {
    let (client, connection) =
        tokio_postgres::connect(&cluster().url_of(database), tokio_postgres::NoTls).await.expect("connects");
    let driver = tokio::spawn(connection);
    client.batch_execute(statement).await.expect(statement);
    drop(client);
    let _ = driver.await;
}

fn config(data: &std::path::Path) -> Config {
    Config {
        data: data.to_owned(),
        database_connections: 6,
        reader: PathBuf::from(env!("CARGO_BIN_EXE_onemap")),
        public_url: None,
        ..Config::default()
    }
}

/// Connections must be gone before a database can be a template.
async fn make_template() {
    sql("postgres", "create database seeded").await;
    let data = tempfile::tempdir().expect("a folder");
    let app = App::new(config(data.path()), &cluster().url_of("seeded")).await.expect("an app");
    seed(&app).await;
    drop(app);
    for _ in 0..50 {
        let alone = "do $$ begin assert (select count(*) from pg_stat_activity where datname = 'seeded') = 0; end $$";
        let (client, connection) =
            tokio_postgres::connect(&cluster().url_of("postgres"), tokio_postgres::NoTls).await.expect("connects");
        tokio::spawn(connection);
        if client.batch_execute(alone).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the template still has connections");
}

async fn seed(app: &App) {
    let client = app.database.app().await.expect("a connection");
    let hash = hash_password(PASSWORD.into()).await.expect("a hash");
    for department in DEPARTMENTS {
        client
            .execute("insert into onemap.department (id, title_zh, title_en) values ($1, $1, $1)", &[&department])
            .await
            .expect("a department");
        for role in Role::ALL {
            let login = format!("{department}-{}", role.name());
            client
                .execute(
                    "insert into onemap.person (login, name, department_id, role, password_hash) values ($1, $1, $2, $3, $4)",
                    &[&login, &department, &role.name(), &hash],
                )
                .await
                .expect("a person");
        }
        let key = key_of(department);
        app.login.ensure_key(&Principal::operator(department), department, "test", &key).await.expect("a key");
    }
    drop(client);
    // All of housing's: `open` is anonymous, the others are named after their class.
    for (id, class, anonymous) in [
        ("open", ShareClass::Unconditional, true),
        ("unconditional", ShareClass::Unconditional, false),
        ("conditional", ShareClass::Conditional, false),
        ("hidden", ShareClass::NotShared, false),
    ] {
        make_layer(app, id, class, anonymous, ROWS).await;
    }
}

pub fn key_of(department: &str) -> String {
    format!("om_test_{department}_0123456789abcdef")
}

pub fn fields() -> Vec<Field> {
    [
        ("name", FieldType::Text),
        ("kind", FieldType::Text),
        ("floors", FieldType::Integer),
        ("height", FieldType::Float),
        ("listed", FieldType::Boolean),
        ("built", FieldType::Date),
    ]
    .into_iter()
    .map(|(name, kind)| Field { name: name.into(), kind, title_zh: format!("{name}字段"), title_en: name.into() })
    .collect()
}

/// A layer of `rows` points on a grid from 120.0 E, 36.0 N, published.
pub async fn make_layer(app: &App, id: &str, class: ShareClass, anonymous: bool, rows: i64) {
    let by = Principal::operator("housing");
    let new = NewLayer {
        id: id.into(),
        theme: None,
        title: Title { zh: format!("图层{id}"), en: format!("Layer {id}") },
        description: Title::default(),
        class,
        anonymous,
        style: None,
        source: "test".into(),
        synthetic: true,
    };
    registry::create_layer(&app.database, &by, "housing", &new).await.expect("a layer");
    app.refresh().await.expect("fresh");
    let number = stage(app, id, rows, 0).await;
    let grant = app.gate.open(&by, id).expect("the owner edits");
    registry::publish(&app.store, &grant, number, "publish").await.expect("published");
    app.refresh().await.expect("fresh");
}

/// Stages a revision whose names carry `generation`.
pub async fn stage(app: &App, id: &str, rows: i64, generation: i64) -> i32 {
    let grant = app.gate.open(&Principal::operator("housing"), id).expect("the owner edits");
    let shape = Shape {
        fields: fields(),
        geometry: Some("Point".into()),
        key_field: Some("name".into()),
        note: String::new(),
        report: None,
    };
    let chunks =
        [Ok(Bytes::from_static(HEADER)), Ok(Bytes::from(grid(rows, generation))), Ok(Bytes::from_static(TRAILER))];
    registry::stage(&app.store, &grant, &shape, stream::iter(chunks)).await.expect("staged").number
}

fn grid(rows: i64, generation: i64) -> Vec<u8> {
    let mut out = Vec::new();
    for i in 0..rows {
        begin_row(&mut out, 8);
        put(&mut out, &Value::Integer(i + 1));
        put(&mut out, &Value::Text(&format!("第{i}栋 g{generation}")));
        put(&mut out, &Value::Text(if i % 2 == 0 { "住宅" } else { "商业" }));
        put(&mut out, &Value::Integer(i % 30));
        put(&mut out, &Value::Float(i as f64 * 3.1));
        put(&mut out, &Value::Boolean(i % 3 == 0));
        put(&mut out, &Value::Date(18_000 + i as i32));
        put(&mut out, &Value::Geometry(&point(120.0 + (i % 10) as f64 * 0.01, 36.0 + (i / 10) as f64 * 0.01)));
    }
    out
}

fn point(x: f64, y: f64) -> Vec<u8> {
    let mut ewkb = vec![1];
    ewkb.extend_from_slice(&(1u32 | 0x2000_0000).to_le_bytes());
    ewkb.extend_from_slice(&4490u32.to_le_bytes());
    ewkb.extend_from_slice(&x.to_le_bytes());
    ewkb.extend_from_slice(&y.to_le_bytes());
    ewkb
}

/// Who asks in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    Anonymous,
    Key(&'static str),
    Person(&'static str, Role),
}

impl World {
    pub async fn new() -> World {
        World::with(|_| ()).await
    }

    /// A world with other settings.
    pub async fn with(settings: impl FnOnce(&mut Config)) -> World {
        health::install_metrics();
        // `RUST_LOG=onemap=debug cargo test` shows what the server says.
        let log = tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env());
        let _ = log.with_test_writer().try_init();
        // Starting PostgreSQL blocks: not on a thread of the runtime.
        tokio::task::spawn_blocking(cluster).await.expect("a cluster");
        TEMPLATE.get_or_init(make_template).await;
        let name = format!("w{}", COUNT.fetch_add(1, Ordering::Relaxed));
        copy_template(&name).await;
        World::serve(name, tempfile::tempdir().expect("a folder"), settings).await
    }

    /// The node's own folder.
    pub fn data(&self) -> &std::path::Path {
        self.data.as_ref().expect("a folder").path()
    }

    /// Another node on the same database.
    pub async fn beside(&self) -> World {
        World::serve(self.database.clone(), tempfile::tempdir().expect("a folder"), |_| ()).await
    }

    /// The same with something in its folder from the beginning.
    pub async fn beside_with(&self, before: impl FnOnce(&std::path::Path)) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        before(folder.path());
        World::serve(self.database.clone(), folder, |_| ()).await
    }

    async fn serve(database: String, data: tempfile::TempDir, settings: impl FnOnce(&mut Config)) -> World {
        let mut config = config(data.path());
        settings(&mut config);
        let database_url = cluster().url_of(&database);
        let app = App::new(config, &database_url).await.expect("an app");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = watch::channel(false);
        app.start(1, &stopped);
        tokio::spawn(serve::serve(app.clone(), listener, stopped));
        let client = reqwest::Client::builder().build().expect("a client");
        World { app, url, database_url, client, stop, database, data: Some(data) }
    }

    /// Another server on the same database and folder, after this one; `meanwhile` sees the folder in between.
    pub async fn again(
        mut self,
        settings: impl FnOnce(&mut Config),
        meanwhile: impl FnOnce(&std::path::Path),
    ) -> World {
        let _ = self.stop.send(true);
        let (database, data) = (self.database.clone(), self.data.take().expect("a folder"));
        drop(self);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        meanwhile(data.path());
        World::serve(database, data, settings).await
    }

    /// Waits until the layer's tile index serves.
    pub async fn indexed(&self, layer: &str) {
        for _ in 0..600 {
            let snapshot = self.app.catalog.snapshot();
            let revision = snapshot.layers[layer].state.as_ref().map_or(0, |s| s.revision);
            let ready = self.app.tiles.indexes().status(revision).state == "ready";
            if ready && self.app.edits.of(revision).delta.is_some() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{layer} has no tile index after 30 s: {:?}", self.app.tiles.indexes().totals());
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// A request by somebody. Persons sign in first.
    pub async fn by(&self, who: As, method: Method, path: &str) -> RequestBuilder {
        let request = self.request(method, path);
        match who {
            As::Anonymous => request,
            As::Key(department) => request.bearer_auth(key_of(department)),
            As::Person(department, role) => {
                let cookie = self.sign_in(&format!("{department}-{}", role.name())).await;
                request.header("cookie", cookie)
            }
        }
    }

    pub async fn sign_in(&self, login: &str) -> String {
        let body = serde_json::json!({"user": login, "password": PASSWORD});
        let response = self.request(Method::POST, "/api/v1/session").json(&body).send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{login} signs in");
        let cookie = response.headers()["set-cookie"].to_str().expect("text");
        cookie.split(';').next().expect("a cookie").to_owned()
    }

    pub async fn get(&self, who: As, path: &str) -> Response {
        self.by(who, Method::GET, path).await.send().await.expect("an answer")
    }

    pub async fn json(&self, who: As, path: &str) -> serde_json::Value {
        let response = self.get(who, path).await;
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}: {text}"))
    }

    /// Runs a statement as the database's owner.
    pub async fn sql(&self, statement: &str) {
        let client = self.app.database.owner().await.expect("connects");
        let driver = tokio::spawn(client.1);
        client.0.batch_execute(statement).await.expect(statement);
        drop(client.0);
        let _ = driver.await;
    }

    /// A registered layer `big` of so many squares that lie upon each other, of 8,000 corners (170 KB of GML) each.
    pub async fn squares(&self, count: u32) {
        self.sql(&format!(
            "create schema big; create table big.t (nr int primary key, geom geometry(Polygon, 4490));
             insert into big.t select nr, st_segmentize(
                 st_makeenvelope(120.123456, 36.123456, 120.323456, 36.323456, 4490), 0.0001)
             from generate_series(1, {count}) nr;
             grant usage on schema big to onemap_app; grant select on big.t to onemap_app"
        ))
        .await;
        self.register("big", "t").await;
    }

    /// Registers a table or view of the schema `big` whose columns are those of `big.t`, for everybody.
    pub async fn register(&self, id: &str, table: &str) {
        self.sql(&format!(
            "insert into onemap.layer (id, department_id, title_zh, title_en, share_class, anonymous, registered_schema,
                 registered_table, registered_key, registered_geometry)
             values ('{id}', 'housing', '{id}', '{id}', 'unconditional', true, 'big', '{table}', 'nr', 'geom')"
        ))
        .await;
        self.app.refresh().await.expect("fresh");
    }

    /// Grants health something on `conditional`, as SQL columns and values.
    pub async fn grant(&self, columns: &str, values: &str) {
        let comma = if columns.is_empty() { "" } else { ", " };
        self.sql(&format!(
            "insert into onemap.access_grant (layer_id, department_id, purpose, granted_by{comma}{columns})
             values ('conditional', 'health', 'test', 'test'{comma}{values})"
        ))
        .await;
        self.app.refresh().await.expect("fresh");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

/// Copies of one template must be made one after the other.
async fn copy_template(name: &str) {
    static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = ONE.lock().await;
    sql("postgres", &format!("create database {name} template seeded")).await;
}
