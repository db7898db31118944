//! Loads the demo city: departments, layers, grants, the administrator and a key per department. What is there already stays,
//! so an interrupted load goes on where it stopped.

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio_stream::wrappers::ReceiverStream;

use super::{City, DemoGrant, DemoLayer};
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::login::Login;
use crate::access::passwords::{hash_password, secret};
use crate::access::principal::Principal;
use crate::config::Config;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::layer::annotated;
use crate::layer::model::{ShareClass, Title};
use crate::layer::registry::{self, NewLayer, Shape};

const ADMIN: &str = "admin";
const EXAMPLE: &str = "family-planning";
/// The department that runs the platform.
const PLATFORM: &str = "big-data";
/// The department of the example page, and the layer that its people draw their visits on.
const HEALTH: &str = "health";
const VISITS: &str = "fp-visits";

/// `<data>/demo-credentials.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    pub url: String,
    pub admin: Account,
    /// Somebody of the health department, who draws on the example page.
    #[serde(default)]
    pub example: Option<Account>,
    pub keys: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    pub user: String,
    pub password: String,
}

impl Credentials {
    pub fn path(&self, config: &Config) -> PathBuf {
        config.data.join("demo-credentials.json")
    }
}

pub struct Target {
    pub scale: f64,
    pub seed: u64,
    pub url: String,
    pub file: PathBuf,
}

impl Target {
    pub fn of(config: &Config, scale: f64, seed: u64) -> Target {
        let url = config.public_url.clone().unwrap_or(format!("http://{}", config.listen));
        Target { scale, seed, url, file: config.data.join("demo-credentials.json") }
    }
}

/// What the demo is put into.
pub struct Into<'a> {
    pub database: &'a Database,
    pub store: &'a Datastore,
    pub gate: &'a Gate,
    pub login: &'a Login,
}

pub async fn load(into: &Into<'_>, target: &Target) -> Result<Credentials> {
    register_words(into.database).await?;
    let credentials = credentials(into, target).await?;
    let there: Vec<String> = into
        .database
        .app()
        .await?
        .query("select id from onemap.layer where current_revision is not null", &[])
        .await?
        .iter()
        .map(|r| r.get(0))
        .collect();
    let missing: Vec<DemoLayer> = super::layers().into_iter().filter(|l| !there.iter().any(|id| id == l.id)).collect();
    if !missing.is_empty() {
        load_layers(into, target, missing).await?;
    }
    load_grants(into.database).await?;
    if !there.iter().any(|id| id == VISITS) {
        make_visits(into).await?;
    }
    Ok(credentials)
}

/// An annotation layer, empty: what is drawn on it is the visitors'.
async fn make_visits(into: &Into<'_>) -> Result<()> {
    let new = NewLayer {
        id: VISITS.into(),
        theme: Some("family-planning".into()),
        title: Title { zh: "计生走访标注".into(), en: "Family-planning visits".into() },
        description: Title {
            zh: "卫生健康部门人员的走访标注，供示例页面使用。".into(),
            en: "Marks of visits by people of the health department, for the example page.".into(),
        },
        class: ShareClass::NotShared,
        anonymous: false,
        style: None,
        source: String::new(),
        synthetic: true,
    };
    annotated::create(into.database, &Principal::operator(HEALTH), HEALTH, &new, &[]).await
}

async fn register_words(database: &Database) -> Result<()> {
    let client = database.app().await?;
    for d in super::departments() {
        client
            .execute(
                "insert into onemap.department (id, code, title_zh, title_en) values ($1, $2, $3, $4)
                 on conflict (id) do nothing",
                &[&d.id, &d.code, &d.title_zh, &d.title_en],
            )
            .await?;
    }
    for (position, t) in super::themes().iter().enumerate() {
        client
            .execute(
                "insert into onemap.theme (id, position, title_zh, title_en) values ($1, $2, $3, $4)
                 on conflict (id) do nothing",
                &[&t.id, &(position as i32), &t.title_zh, &t.title_en],
            )
            .await?;
    }
    Ok(())
}

/// The file is written before the database hears of its secrets: after a crash in between, the next start completes it. A file
/// that was removed is made anew, with new secrets.
async fn credentials(into: &Into<'_>, target: &Target) -> Result<Credentials> {
    let mut credentials: Credentials = match std::fs::read(&target.file) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => Credentials {
            url: String::new(),
            admin: Account { user: ADMIN.into(), password: secret() },
            example: None,
            keys: super::departments().iter().map(|d| (d.id.to_owned(), Login::new_key())).collect(),
        },
    };
    credentials.url = target.url.clone();
    let example =
        credentials.example.get_or_insert_with(|| Account { user: EXAMPLE.into(), password: secret() }).clone();
    write_secretly(&target.file, &serde_json::to_vec_pretty(&credentials)?)?;
    ensure_person(into, &credentials.admin, ("平台管理员", PLATFORM, "platform_administrator")).await?;
    ensure_person(into, &example, ("计划生育专员", HEALTH, "user")).await?;
    for (department, key) in &credentials.keys {
        into.login.ensure_key(&Principal::operator(department), department, "demo", key).await?;
    }
    Ok(credentials)
}

async fn ensure_person(into: &Into<'_>, account: &Account, (name, department, role): (&str, &str, &str)) -> Result<()> {
    let client = into.database.app().await?;
    let known = client.query_opt("select 1 from onemap.person where login = $1", &[&account.user]).await?.is_some();
    if known && into.login.password_is(&account.user, &account.password).await? {
        return Ok(());
    }
    let hash = hash_password(account.password.clone()).await?;
    client
        .execute(
            "insert into onemap.person (login, name, department_id, role, password_hash) values ($1, $2, $3, $4, $5)
             on conflict (login) do update set password_hash = excluded.password_hash",
            &[&account.user, &name, &department, &role, &hash],
        )
        .await?;
    Ok(())
}

fn write_secretly(path: &std::path::Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    let partial = path.with_extension("partial");
    let _ = std::fs::remove_file(&partial);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(partial, path)?;
    Ok(())
}

async fn load_layers(into: &Into<'_>, target: &Target, missing: Vec<DemoLayer>) -> Result<()> {
    let begun = Instant::now();
    let (seed, scale) = (target.seed, target.scale);
    println!("onemap: 正在生成演示城市 making the demo city (seed {seed}, scale {scale})");
    let city = tokio::task::spawn_blocking(move || City::new(seed, scale)).await.map_err(Error::internal)??;
    let city = std::sync::Arc::new(city);
    let total: u64 = missing.iter().map(|l| city.expected_rows(l)).sum();
    let mut progress = Shown { begun, last: Instant::now(), done: 0, total };
    let count = missing.len();
    for (i, layer) in missing.into_iter().enumerate() {
        let rows = load_layer(into, &city, &layer).await?;
        progress.add(rows, i + 1, count, layer.title_zh);
    }
    println!(
        "onemap: 演示城市已载入 demo city loaded: {} features in {:.0} s",
        progress.done,
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Progress as lines: it goes to terminals and to logs alike.
struct Shown {
    begun: Instant,
    last: Instant,
    done: u64,
    total: u64,
}

impl Shown {
    fn add(&mut self, rows: u64, layer: usize, layers: usize, title: &str) {
        self.done += rows;
        if self.last.elapsed() < Duration::from_secs(1) && layer < layers {
            return;
        }
        self.last = Instant::now();
        let rate = self.done as f64 / self.begun.elapsed().as_secs_f64().max(0.001);
        let left = self.total.saturating_sub(self.done) as f64 / rate.max(1.0);
        println!(
            "onemap:   {layer}/{layers} 图层 layers · {}/{} 要素 features · {rate:.0}/s · 约剩 {left:.0} s left · {title}",
            self.done, self.total
        );
    }
}

async fn load_layer(into: &Into<'_>, city: &std::sync::Arc<City>, layer: &DemoLayer) -> Result<u64> {
    let by = Principal::operator(layer.department);
    let new = NewLayer {
        id: layer.id.into(),
        theme: Some(layer.theme.into()),
        title: Title { zh: layer.title_zh.into(), en: layer.title_en.into() },
        description: Title { zh: layer.abstract_zh.clone(), en: layer.abstract_en.clone() },
        class: layer.share_class,
        anonymous: layer.anonymous,
        style: layer.style.map(str::to_owned),
        source: layer.source_zh.into(),
        synthetic: layer.synthetic,
    };
    match registry::create_layer(into.database, &by, layer.department, &new).await {
        // Made by an earlier start that did not get to its rows.
        Err(e) if e.kind == crate::error::Kind::Conflict => {}
        other => other?,
    }
    into.gate.reload(into.database).await?;
    let grant = into.gate.open(&by, layer.id)?;
    let shape = Shape {
        fields: layer.fields.clone(),
        geometry: Some(layer.geometry.into()),
        key_field: layer.key_field.map(str::to_owned),
        note: "演示数据 demo data".into(),
        report: None,
    };
    let rows = rows_of(city.clone(), layer.clone());
    let staged = registry::stage(into.store, &grant, &shape, rows).await?;
    registry::publish(into.store, &grant, staged.number, "publish").await?;
    Ok(staged.rows as u64)
}

/// The generator in a thread of its own, a few chunks ahead of the database.
fn rows_of(city: std::sync::Arc<City>, layer: DemoLayer) -> impl futures_util::Stream<Item = Result<Bytes>> {
    use crate::layer::copy::{HEADER, TRAILER};
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes>>(4);
    tokio::task::spawn_blocking(move || {
        let gone = || Error::internal("the loader went away");
        let outcome =
            city.write(&layer, &mut |chunk| send.blocking_send(Ok(Bytes::copy_from_slice(chunk))).map_err(|_| gone()));
        if let Err(e) = outcome {
            let _ = send.blocking_send(Err(e));
        }
    });
    let head = futures_util::stream::iter([Ok(Bytes::from_static(HEADER))]);
    let tail = futures_util::stream::iter([Ok(Bytes::from_static(TRAILER))]);
    head.chain(ReceiverStream::new(receive)).chain(tail)
}

async fn load_grants(database: &Database) -> Result<()> {
    let client = database.app().await?;
    let known: i64 = client.query_one("select count(*) from onemap.access_grant", &[]).await?.get(0);
    if known > 0 {
        return Ok(());
    }
    for grant in super::grants() {
        insert_grant(&client, grant).await?;
    }
    Ok(())
}

async fn insert_grant(client: &deadpool_postgres::ClientWrapper, grant: &DemoGrant) -> Result<()> {
    let rows = grant.rows.map(|(field, values)| serde_json::json!({ field: values }));
    let area: Option<Vec<&str>> = grant.area.map(<[&str]>::to_vec);
    let units = "(select code, geom from map.districts union all select code, geom from map.streets) d";
    if let Some(codes) = &area {
        let found = format!("select count(distinct code) from {units} where code = any($1)");
        let found: i64 = client.query_one(&found, &[codes]).await?.get(0);
        // Without its area a grant would open the whole layer.
        if found != codes.len() as i64 {
            return Err(Error::internal(format!("the grant on {} names divisions that are not there", grant.layer)));
        }
    }
    let insert = format!(
        "insert into onemap.access_grant (layer_id, department_id, fields, row_filter, area, purpose, valid_until, granted_by)
         select $1, $2, $3, $4, (select st_multi(st_union(geom)) from {units} where code = any($5::text[])), $6,
             now() + make_interval(days => $7), 'demo'"
    );
    client
        .execute(
            &insert,
            &[
                &grant.layer,
                &grant.grantee,
                &grant.fields.map(<[&str]>::to_vec),
                &rows,
                &area,
                &format!("{} {}", grant.purpose_zh, grant.purpose_en),
                &(grant.days as i32),
            ],
        )
        .await?;
    Ok(())
}
