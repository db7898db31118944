//! Edits, by SQL and over the API: they show in tiles of every node, and what was there before never comes back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use geozero::mvt::{Message, Tile};
use onemap::access::principal::{Principal, Role};
use onemap::layer::copy::{HEADER, TRAILER};
use onemap::layer::registry::{self, Shape};
use onemap_cql2::Value as Cell;
use onemap_tiles::build::{Builder, Options};
use onemap_tiles::delta::Delta;
use onemap_tiles::draw::Request;
use onemap_tiles::index::Index;
use onemap_tiles::value::{Column, ColumnKind};
use onemap_tiles::window::Window;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_postgres::IsolationLevel;

use crate::world::{As, ROWS, World, fields};

const PUBLISHER: As = As::Person("housing", Role::Publisher);
/// The tile that holds every point of the layer.
const TILE: &str = "/tiles/open/8/213/100";
const ITEMS: &str = "/ogc/collections/open/items";

/// Ids and `floors` of the tile, sorted.
async fn tile(world: &World) -> Vec<(u64, Option<i64>)> {
    let response = world.get(As::Anonymous, TILE).await;
    assert!(response.status().is_success(), "{}", response.status());
    floors(&response.bytes().await.unwrap())
}

fn floors(bytes: &[u8]) -> Vec<(u64, Option<i64>)> {
    let Some(layer) = Tile::decode(bytes).expect("a vector tile").layers.into_iter().next() else { return vec![] };
    let key = layer.keys.iter().position(|k| k == "floors");
    let value = |tags: &[u32]| {
        let pair = tags.chunks(2).find(|pair| Some(pair[0] as usize) == key)?;
        let value = &layer.values[pair[1] as usize];
        value.int_value.or(value.sint_value).or(value.uint_value.map(|v| v as i64))
    };
    let mut found: Vec<_> = layer.features.iter().map(|f| (f.id.unwrap(), value(&f.tags))).collect();
    found.sort();
    found
}

/// Polls until it holds; how long it took.
async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) -> Duration {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(2), "{what} does not show");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    begun.elapsed()
}

async fn shows(world: &World, id: u64, floors: Option<i64>) {
    eventually(&format!("{id} with {floors:?}"), || async { tile(world).await.contains(&(id, floors)) }).await;
}

async fn lacks(world: &World, id: u64) {
    eventually(&format!("{id} gone"), || async { tile(world).await.iter().all(|(other, _)| *other != id) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_on_the_table_and_on_the_view_shows_in_the_tiles_of_two_nodes() {
    let world = World::new().await;
    let other = world.beside().await;
    let nodes = [&world, &other];
    for node in nodes {
        assert_eq!(tile(node).await.len() as i64, ROWS);
    }
    let table: String = {
        let client = world.app.database.app().await.unwrap();
        let sql = "select table_name from onemap.revision r join onemap.layer l on l.current_revision = r.id where l.id = 'open'";
        client.query_one(sql, &[]).await.unwrap().get(0)
    };
    world.sql(&format!("update data.{table} set floors = 77 where fid = 1")).await;
    for node in nodes {
        shows(node, 1, Some(77)).await;
    }
    world.sql("delete from map.open where fid = 2").await;
    for node in nodes {
        lacks(node, 2).await;
    }
    // A new feature through the view gets the next id, though its writer names none.
    world.sql("insert into map.open (floors, geom) values (88, 'srid=4490;point(120.05 36.05)')").await;
    for node in nodes {
        shows(node, ROWS as u64 + 1, Some(88)).await;
    }
    // With a new id the old one is gone.
    world.sql("update map.open set fid = 5000 where fid = 3").await;
    for node in nodes {
        shows(node, 5000, Some(2)).await;
        lacks(node, 3).await;
    }
    world.sql(&format!("truncate data.{table}")).await;
    for node in nodes {
        eventually("an empty table", || async { node.get(As::Anonymous, TILE).await.status() == 204 }).await;
    }
    assert_eq!(world.app.edits.of(1).number, other.app.edits.of(1).number);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_departments_own_role_may_edit_the_view_without_rights_on_the_log() {
    let world = World::new().await;
    world
        .sql(
            "do $$ begin create role gis_office login; exception when duplicate_object then null; end $$;
             grant usage on schema map to gis_office; grant select, insert, update, delete on map.open to gis_office;
             set role gis_office;
             insert into map.open (name, floors, geom) values ('新', 5, 'srid=4490;point(120.01 36.01)');
             update map.open set floors = 6 where name = '新'; delete from map.open where fid = 9",
        )
        .await;
    shows(&world, ROWS as u64 + 1, Some(6)).await;
    lacks(&world, 9).await;
    let client = world.app.database.owner().await.unwrap();
    tokio::spawn(client.1);
    for refused in [
        "set role gis_office; delete from onemap.edit",
        "set role gis_office; insert into onemap.edit (revision) values (1)",
        "reset role; insert into map.open (geom) values ('srid=4490;point(220 36)')",
        "reset role; insert into map.open (geom) values ('srid=4326;point(120 36)')",
    ] {
        assert!(client.0.batch_execute(refused).await.is_err(), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rolled_back_never_shows_and_what_commits_late_is_not_missed() {
    let world = World::new().await;
    let (mut old, connection) = world.app.database.owner().await.unwrap();
    tokio::spawn(connection);
    let late = old.transaction().await.unwrap();
    late.execute("update map.open set floors = 111 where fid = 11", &[]).await.unwrap();
    // Younger transactions commit first.
    for floors in 200..210 {
        world.sql(&format!("update map.open set floors = {floors} where fid = 12")).await;
        shows(&world, 12, Some(floors)).await;
    }
    // PostGIS may be ahead of the number.
    world.app.edits.catch_up().await.unwrap();
    let version = world.app.edits.of(1).number;
    world.sql("begin; update map.open set floors = 999 where fid = 13; rollback").await;
    world.app.edits.catch_up().await.unwrap();
    assert_eq!(world.app.edits.of(1).number, version);
    assert!(tile(&world).await.iter().all(|(_, floors)| !matches!(floors, Some(111 | 999))));
    late.commit().await.unwrap();
    shows(&world, 11, Some(111)).await;
    assert_ne!(world.app.edits.of(1).number, version);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_delta_holds_what_the_index_does_not() {
    let world = World::with(super::tile_index::only_postgis).await;
    let client = world.app.database.app().await.unwrap();
    let snapshot = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
    let stamp: i64 = client.query_one(snapshot, &[]).await.unwrap().get(0);
    world.sql("update map.open set floors = 1 where fid in (1, 2); delete from map.open where fid = 3").await;
    let state = Arc::new(world.app.catalog.snapshot().layers["open"].state.clone().unwrap());
    let of = || world.app.edits.of(state.revision);
    assert!(of().upon(stamp as u64).is_none(), "nobody has opened an index");
    world.app.edits.attend(&state, stamp as u64);
    eventually("an open index", || async { of().upon(stamp as u64).is_some_and(|delta| delta.len() == 3) }).await;
    assert!(of().upon(stamp as u64 - 1).is_none(), "an older index lacks more");
    assert!(!of().worn(100));
    // What was there before the stamp is not in it; transactions of other tests may hold the stamp back for a while.
    eventually_long(|| async {
        let now: i64 = client.query_one(snapshot, &[]).await.unwrap().get(0);
        world.app.edits.opened(&state, now as u64).await.unwrap().delta.unwrap().is_empty()
    })
    .await;
    world.sql("update map.open set floors = 2 where fid < 6").await;
    world.app.edits.catch_up().await.unwrap();
    assert_eq!(of().delta.unwrap().len(), 4);
    let before = of().number;
    // More than an index can be mended by: one row in the log, no delta, and another number.
    world
        .sql("insert into map.open (floors, geom) select 3, 'srid=4490;point(120.05 36.05)' from generate_series(1, 20001)")
        .await;
    world.app.edits.catch_up().await.unwrap();
    assert!(of().too_many && of().worn(100) && of().delta.is_none());
    assert_eq!(of().number, before + 1);
    let logged = "select count(*) from onemap.edit where fids is null";
    assert_eq!(client.query_one(logged, &[]).await.unwrap().get::<_, i64>(0), 1);
    // A node that starts now is told the same number.
    assert_eq!(world.beside().await.app.edits.of(state.revision).number, before + 1);
    eventually_long(|| async {
        let now: i64 = client.query_one(snapshot, &[]).await.unwrap().get(0);
        !world.app.edits.opened(&state, now as u64).await.unwrap().too_many
    })
    .await;
    // The log keeps what follows the great change, and says that it does not reach further back.
    client.execute("select onemap.count_edits(), onemap.forget_edits()", &[]).await.unwrap();
    assert!(world.app.edits.opened(&state, stamp as u64).await.unwrap().too_many);
}

/// An index of the layer as it is now, with the one attribute `floors`.
async fn index(world: &World, folder: &Path) -> Index {
    let mut client = world.app.database.app().await.unwrap();
    let transaction = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).start().await.unwrap();
    let xmin = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
    let stamp = transaction.query_one(xmin, &[]).await.unwrap().get::<_, i64>(0) as u64;
    let columns = fields().into_iter().map(|f| Column { name: f.name, kind: ColumnKind::Integer }).collect();
    let mut builder = Builder::create(folder, columns, Options { stamp, ..Options::default() }).unwrap();
    for row in transaction.query("select fid, st_asewkb(geom), floors from data.r1 order by fid", &[]).await.unwrap() {
        let floors = row.get::<_, Option<i64>>(2).map_or(Cell::Null, Cell::Integer);
        let values = [Cell::Null, Cell::Null, floors, Cell::Null, Cell::Null, Cell::Null];
        builder.push(row.get(0), row.get(1), &values).unwrap();
    }
    let path = folder.join(format!("{stamp}.tix"));
    builder.finish(&path, &mut |_| true).unwrap();
    Index::open(&path).unwrap()
}

fn drawn(index: &Index, delta: &Delta) -> Vec<(u64, Option<i64>)> {
    let window = Window::mercator(8, 213, 100);
    let delta = Some(delta);
    let request = Request {
        window: &window,
        layer: "open",
        columns: &[2],
        filter: None,
        rows: &[],
        area: None,
        delta,
        limit: 500_000,
    };
    let mut bytes = vec![];
    index.draw(&request, &mut bytes);
    floors(&bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_with_its_delta_is_the_table_while_others_edit_and_indexes_change() {
    let world = Arc::new(World::new().await);
    let folder = tempfile::tempdir().unwrap();
    let state = Arc::new(world.app.catalog.snapshot().layers["open"].state.clone().unwrap());
    let done = Arc::new(AtomicBool::new(false));
    // Each writer keeps a transaction open for a while, so that commits come in another order than their numbers.
    let writers: Vec<_> = (0..3)
        .map(|i| {
            let (world, done) = (world.clone(), done.clone());
            tokio::spawn(async move {
                let mut turn = i;
                while !done.load(Ordering::Relaxed) {
                    turn += 3;
                    let (fid, wait) = (1 + turn * 7 % 99, turn % 4 * 10);
                    let edit = match turn % 5 {
                        0 => format!("delete from map.open where fid = {fid}"),
                        1 => format!(
                            "insert into map.open (fid, floors, geom) values ({fid}, {turn}, 'srid=4490;point(120.02 36.02)')
                             on conflict (fid) do nothing"
                        ),
                        _ => format!("update map.open set floors = {turn} where fid = {fid}"),
                    };
                    world.sql(&format!("begin; {edit}; select pg_sleep({wait} / 1000.0); commit")).await;
                }
            })
        })
        .collect();
    for _ in 0..6 {
        let index = index(&world, folder.path()).await;
        tokio::time::sleep(Duration::from_millis(120)).await;
        let opened = world.app.edits.opened(&state, index.stamp()).await.unwrap();
        drawn(&index, opened.upon(index.stamp()).unwrap());
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    let last = index(&world, folder.path()).await;
    world.app.edits.opened(&state, last.stamp()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    world.app.edits.catch_up().await.unwrap();
    let client = world.app.database.app().await.unwrap();
    let rows = client.query("select fid, floors from data.r1 order by fid", &[]).await.unwrap();
    let table: Vec<_> = rows.iter().map(|r| (r.get::<_, i64>(0) as u64, r.get::<_, Option<i64>>(1))).collect();
    let edited = world.app.edits.of(state.revision);
    let delta = edited.upon(last.stamp()).unwrap();
    assert!(!delta.is_empty(), "there were edits after the last index");
    assert_eq!(drawn(&last, delta), table);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_restored_into_another_cluster_is_followed() {
    let world = World::new().await;
    world.sql("update map.open set floors = 400 where fid = 1").await;
    // As if this cluster had counted further before.
    world.sql("update onemap.edit set transaction = 1000000000000000").await;
    world.sql("update onemap.revision set edits_forgotten = 1000000000000000").await;
    let restored = world.beside().await;
    let state = Arc::new(restored.app.catalog.snapshot().layers["open"].state.clone().unwrap());
    assert_eq!(restored.app.edits.of(state.revision).number, 1);
    // An index that was built there says nothing about what is edited here.
    assert!(restored.app.edits.opened(&state, 1_000_000_000_000_001).await.unwrap().too_many);
    assert!(!restored.app.edits.opened(&state, 10).await.unwrap().too_many);
    world.sql("update map.open set floors = 401 where fid = 1").await;
    shows(&restored, 1, Some(401)).await;
    restored.app.edits.catch_up().await.unwrap();
    assert_eq!(restored.app.edits.of(state.revision).number, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_counts_edits() {
    let world = World::new().await;
    let matched = || async { world.json(As::Anonymous, &format!("{ITEMS}?limit=1")).await["numberMatched"].clone() };
    assert_eq!(matched().await, ROWS);
    world
        .sql("delete from map.open where fid <= 10; insert into map.open (geom) values ('srid=4490;point(120.5 36.5)')")
        .await;
    // Exact or not there: never the old count.
    let begun = Instant::now();
    world.app.edits.catch_up().await.unwrap();
    loop {
        match matched().await {
            Value::Null => assert!(begun.elapsed() < Duration::from_secs(10), "never counted"),
            count => break assert_eq!(count, ROWS - 9),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let tilejson = world.json(As::Anonymous, "/tiles/open.json").await;
    assert_eq!(tilejson["bounds"].as_array().unwrap()[2..], [json!(120.5), json!(36.5)]);
    let before = world.app.edits.of(1).number;
    world.sql("truncate data.r1").await;
    eventually_long(|| async { matched().await == 0 }).await;
    assert_ne!(world.app.edits.of(1).number, before);
}

async fn eventually_long<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not hold");
}

fn feature(properties: Value, geometry: Value) -> Value {
    json!({"type": "Feature", "geometry": geometry, "properties": properties})
}

fn point(x: f64, y: f64) -> Value {
    json!({"type": "Point", "coordinates": [x, y]})
}

/// A writer with one session.
struct Writer<'a> {
    world: &'a World,
    cookie: String,
}

impl Writer<'_> {
    async fn new(world: &World) -> Writer<'_> {
        Writer { world, cookie: world.sign_in("housing-publisher").await }
    }
    async fn send(&self, method: Method, path: &str, body: &Value, if_match: Option<&str>) -> reqwest::Response {
        // A change that says nothing of the state is refused: one that is not about that takes any.
        let any = matches!(method, Method::PUT | Method::PATCH | Method::DELETE).then_some("*");
        let mut request = self.world.request(method, path).header("cookie", &self.cookie).json(body);
        if let Some(tag) = if_match.or(any) {
            request = request.header("if-match", tag);
        }
        request.send().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_reads_its_own_writes_at_once() {
    let world = World::new().await;
    let writer = Writer::new(&world).await;
    let all =
        json!({"name": "新楼", "kind": "住宅", "floors": 300, "height": 9.5, "listed": true, "built": "2026-01-31"});
    let created = writer.send(Method::POST, ITEMS, &feature(all.clone(), point(120.02, 36.02)), None).await;
    assert_eq!(created.status(), 201, "{}", created.text().await.unwrap());
    let location = created.headers()["location"].to_str().unwrap().to_owned();
    let path = location.strip_prefix(&world.url).unwrap();
    let id = ROWS as u64 + 1;
    assert_eq!(path, format!("{ITEMS}/{id}"));
    assert!(tile(&world).await.contains(&(id, Some(300))));
    let written = world.json(As::Anonymous, path).await;
    assert_eq!(written["properties"], all);
    assert_eq!(written["geometry"], point(120.02, 36.02));
    // What a merge does not name stays; what a replacement does not name is gone.
    let merge = json!({"type": "Feature", "properties": {"floors": 301, "kind": null}});
    assert_eq!(writer.send(Method::PATCH, path, &merge, None).await.status(), 204);
    assert!(tile(&world).await.contains(&(id, Some(301))));
    let merged = world.json(As::Anonymous, path).await;
    assert_eq!((&merged["properties"]["name"], &merged["properties"]["kind"]), (&json!("新楼"), &Value::Null));
    assert_eq!(merged["geometry"], point(120.02, 36.02));
    let replacement = feature(json!({"floors": 302}), point(120.03, 36.03));
    assert_eq!(writer.send(Method::PUT, path, &replacement, None).await.status(), 204);
    let replaced = world.json(As::Anonymous, path).await;
    assert_eq!(replaced["properties"]["name"], Value::Null);
    assert!(tile(&world).await.contains(&(id, Some(302))));
    assert_eq!(writer.send(Method::DELETE, path, &json!(null), None).await.status(), 204);
    assert!(tile(&world).await.iter().all(|(other, _)| *other != id));
    assert_eq!(world.get(As::Anonymous, path).await.status(), 404);
    assert_eq!(writer.send(Method::DELETE, path, &json!(null), None).await.status(), 404);
    let client = world.app.database.app().await.unwrap();
    let audit =
        "select array_agg(action order by id) from onemap.audit where object_kind = 'feature' and object_id = $1";
    let actions: Vec<String> = client.query_one(audit, &[&format!("open/{id}")]).await.unwrap().get(0);
    assert_eq!(actions, ["create", "merge", "replace", "delete"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn if_match_keeps_one_writer_from_overwriting_another() {
    let world = World::new().await;
    let writer = Writer::new(&world).await;
    let path = format!("{ITEMS}/7");
    let tag = |response: reqwest::Response| response.headers()["etag"].to_str().unwrap().to_owned();
    let first = tag(world.by(PUBLISHER, Method::GET, &path).await.send().await.unwrap());
    assert!(first.starts_with('"'), "{first} is a strong validator");
    let floors = |n: i64| json!({"type": "Feature", "properties": {"floors": n}});
    assert_eq!(writer.send(Method::PATCH, &path, &floors(70), Some(&first)).await.status(), 204);
    let late = writer.send(Method::PATCH, &path, &floors(71), Some(&first)).await;
    assert_eq!(late.status(), 412);
    assert_eq!(late.headers()["content-type"], "application/problem+json");
    assert_eq!(writer.send(Method::DELETE, &path, &json!(null), Some(&first)).await.status(), 412);
    // One of the tags, and what a compressing proxy makes of it.
    let second = tag(world.get(As::Anonymous, &path).await);
    assert_ne!(first, second);
    let both = format!("{first}, W/{second}");
    assert_eq!(writer.send(Method::PATCH, &path, &floors(72), Some(&both)).await.status(), 204);
    assert_eq!(writer.send(Method::PATCH, &path, &floors(73), Some("*")).await.status(), 204);
    assert_eq!(writer.send(Method::PATCH, &path, &floors(73), Some("x")).await.status(), 400);
    assert_eq!(world.json(As::Anonymous, &path).await["properties"]["floors"], 73);
    // A list that was unchanged is changed by an edit.
    let list = tag(world.get(As::Anonymous, ITEMS).await);
    assert_eq!(writer.send(Method::PATCH, &path, &floors(74), None).await.status(), 204);
    let again = world.request(Method::GET, ITEMS).header("if-none-match", list).send().await.unwrap();
    assert_eq!(again.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_what_it_is_based_on() {
    let world = World::new().await;
    let cookie = world.sign_in("housing-publisher").await;
    let path = format!("{ITEMS}/7");
    let body = json!({"type": "Feature", "geometry": null, "properties": {"floors": 1}});
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let response = world.request(method.clone(), &path).header("cookie", &cookie).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 428, "{method}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    assert_eq!(world.json(As::Anonymous, &path).await["properties"]["floors"], 6, "nothing has changed");
    // The tag of an answer with some of the properties names the same state.
    let tag = |response: &reqwest::Response| response.headers()["etag"].to_str().unwrap().to_owned();
    let part = tag(&world.get(As::Anonymous, &format!("{path}?properties=name&skipGeometry=true")).await);
    let change = json!({"properties": {"floors": 70}});
    let request = world.request(Method::PATCH, &path).header("cookie", &cookie).header("if-match", part);
    let response = request.header("content-type", "application/merge-patch+json").body(change.to_string());
    assert_eq!(response.send().await.unwrap().status(), 204);
    assert_eq!(world.json(As::Anonymous, &path).await["properties"]["floors"], 70);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_say_what_one_may_do() {
    let world = World::new().await;
    let cookie = world.sign_in("housing-publisher").await;
    for (path, writing) in [
        (ITEMS.to_owned(), "GET, HEAD, OPTIONS, POST"),
        (format!("{ITEMS}/7"), "GET, HEAD, OPTIONS, PUT, PATCH, DELETE"),
    ] {
        let response = world.request(Method::OPTIONS, &path).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["allow"]),
            (204, &"GET, HEAD, OPTIONS".parse().unwrap())
        );
        let response = world.request(Method::OPTIONS, &path).header("cookie", &cookie).send().await.unwrap();
        assert_eq!(response.headers()["allow"], writing);
        let takes = response.headers().get("accept-patch").map(|v| v.to_str().unwrap());
        assert_eq!(takes.is_some_and(|t| t.contains("application/merge-patch+json")), writing.contains("PATCH"));
    }
    let wrong = world.request(Method::PUT, &format!("{ITEMS}/7")).header("cookie", &cookie).header("if-match", "*");
    let wrong = wrong.header("content-type", "application/merge-patch+json").body("{}").send().await.unwrap();
    assert_eq!(wrong.status(), 415, "a patch is no feature");
}

#[tokio::test(flavor = "multi_thread")]
async fn features_are_written_in_every_crs_they_are_read_in() {
    let world = World::new().await;
    let cookie = world.sign_in("housing-publisher").await;
    let path = format!("{ITEMS}/7");
    let epsg = "http://www.opengis.net/def/crs/EPSG/0/";
    for (crs, coordinates) in [
        (format!("{epsg}4490"), [36.5, 120.5]),
        (format!("{epsg}4326"), [36.5, 120.5]),
        // Spherical Mercator of 120.5 E, 36.5 N.
        (format!("{epsg}3857"), [13413998.6406, 4369640.5106]),
        // The zone of Gauss-Krüger about 120° E: northing first.
        (format!("{epsg}4528"), [4041140.756955, 40544795.718092]),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84".into(), [120.5, 36.5]),
    ] {
        let body = feature(json!({"floors": 1}), json!({"type": "Point", "coordinates": coordinates}));
        let request = world.request(Method::PUT, &path).header("cookie", &cookie).header("if-match", "*");
        let response = request.header("content-crs", format!("<{crs}>")).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 204, "{crs}: {}", response.text().await.unwrap());
        let written = world.json(As::Anonymous, &path).await;
        let [lon, lat] = [0, 1].map(|i| written["geometry"]["coordinates"][i].as_f64().unwrap());
        assert!((lon - 120.5).abs() < 1e-7 && (lat - 36.5).abs() < 1e-7, "{crs}: {lon} {lat}");
    }
    for crs in [format!("{epsg}2154"), "nonsense".into()] {
        let body = feature(json!({}), point(120.5, 36.5));
        let request = world.request(Method::PUT, &path).header("cookie", &cookie).header("if-match", "*");
        let response = request.header("content-crs", format!("<{crs}>")).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 400, "{crs}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_the_layer_is_refused_by_name() {
    let world = World::new().await;
    let writer = Writer::new(&world).await;
    let at = point(120.0, 36.0);
    for (body, parameter) in [
        (feature(json!({"nonsense": 1}), at.clone()), "nonsense"),
        (feature(json!({"floors": "many"}), at.clone()), "floors"),
        (feature(json!({"floors": 1.5}), at.clone()), "floors"),
        (feature(json!({"name": 1}), at.clone()), "name"),
        (feature(json!({"name": "a\u{0}b"}), at.clone()), "name"),
        (feature(json!({"built": "2026-02-30"}), at.clone()), "built"),
        (feature(json!({"listed": "yes"}), at.clone()), "listed"),
        (feature(json!({}), point(36.0, 120.0)), "geometry"),
        (feature(json!({}), json!({"type": "Point", "coordinates": [120.0]})), "geometry"),
        (feature(json!({}), json!({"type": "Point", "coordinates": [120.0, 36.0, 1.0]})), "geometry"),
        (feature(json!({}), json!({"type": "MultiPoint", "coordinates": [[120.0, 36.0]]})), "geometry"),
        (feature(json!({}), json!({"type": "Blob"})), "geometry"),
        (feature(json!([]), at.clone()), "properties"),
        (json!({"type": "Feature"}), "properties"),
        (json!({"type": "FeatureCollection", "features": []}), "type"),
        (json!([1]), "body"),
    ] {
        let response = writer.send(Method::POST, ITEMS, &body, None).await;
        assert_eq!(response.status(), 400, "{body}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["parameter"], parameter, "{body}: {problem}");
    }
    let form = world.request(Method::POST, ITEMS).header("cookie", &writer.cookie).header("content-type", "text/csv");
    assert_eq!(form.body("a,b").send().await.unwrap().status(), 415);
    // Keys read; other departments' publishers do not even that.
    let body = feature(json!({}), at.clone());
    for (who, status) in [(As::Anonymous, 401), (As::Key("housing"), 403), (As::Person("health", Role::Publisher), 403)]
    {
        let response = world.by(who, Method::POST, ITEMS).await.json(&body).send().await.unwrap();
        assert_eq!(response.status(), status, "{who:?}");
    }
    assert_eq!(tile(&world).await.len() as i64, ROWS);
}

#[tokio::test(flavor = "multi_thread")]
async fn polygons_must_be_valid_and_become_multi_parts() {
    let world = World::new().await;
    let writer = Writer::new(&world).await;
    let grant = world.app.gate.open(&Principal::operator("housing"), "open").unwrap();
    let geometry = Some("MultiPolygon".into());
    let shape = Shape { fields: fields(), geometry, key_field: None, note: String::new(), report: None };
    let empty = stream::iter([Ok(Bytes::from_static(HEADER)), Ok(Bytes::from_static(TRAILER))]);
    let staged = registry::stage(&world.app.store, &grant, &shape, empty).await.unwrap();
    registry::publish(&world.app.store, &grant, staged.number, "publish").await.unwrap();
    world.app.refresh().await.unwrap();
    let ring = |ring: Value| json!({"type": "Polygon", "coordinates": [ring]});
    let bow = ring(json!([[120.0, 36.0], [120.1, 36.1], [120.1, 36.0], [120.0, 36.1], [120.0, 36.0]]));
    let open = ring(json!([[120.0, 36.0], [120.1, 36.0], [120.1, 36.1], [120.0, 36.1]]));
    let short = ring(json!([[120.0, 36.0], [120.1, 36.0], [120.0, 36.0]]));
    for bad in [bow, open, short] {
        let response = writer.send(Method::POST, ITEMS, &feature(json!({}), bad.clone()), None).await;
        assert_eq!(response.status(), 400, "{bad}");
        assert_eq!(response.json::<Value>().await.unwrap()["parameter"], "geometry");
    }
    let square = json!([[120, 36], [120.1, 36], [120.1, 36.1], [120, 36.1], [120, 36]]);
    let made = writer.send(Method::POST, ITEMS, &feature(json!({"floors": 4}), ring(square.clone())), None).await;
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    let written = world.json(As::Anonymous, &format!("{ITEMS}/1")).await;
    assert_eq!(written["geometry"], json!({"type": "MultiPolygon", "coordinates": [[square]]}));
    shows(&world, 1, Some(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_somebody_else_is_not_edited_here() {
    let world = World::new().await;
    world
        .sql(
            "create schema water; create table water.mains (nr int primary key, line geometry(LineString, 4490));
             grant usage on schema water to onemap_app; grant select on water.mains to onemap_app",
        )
        .await;
    let administrator = As::Person("housing", Role::PlatformAdministrator);
    let layer = json!({"id": "mains", "department": "housing", "title": {"zh": "水管", "en": "Mains"},
        "share_class": "unconditional", "schema": "water", "table": "mains", "key": "nr", "geometry": "line"});
    let made = world.by(administrator, Method::POST, "/api/v1/layers").await.json(&layer).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let writer = Writer::new(&world).await;
    let line = json!({"type": "LineString", "coordinates": [[120.0, 36.0], [120.1, 36.0]]});
    let path = "/ogc/collections/mains/items";
    assert_eq!(writer.send(Method::POST, path, &feature(json!({}), line), None).await.status(), 409);
    assert_eq!(writer.send(Method::DELETE, &format!("{path}/1"), &json!(null), None).await.status(), 409);
}

/// Writers raise `floors` of a feature each; readers of two nodes must never see it fall, nor be behind an edit that was seen.
#[tokio::test(flavor = "multi_thread")]
async fn no_reader_ever_sees_an_older_value_again() {
    const WRITERS: usize = 4;
    let world = Arc::new(World::new().await);
    let other = Arc::new(world.beside().await);
    let done = Arc::new(AtomicBool::new(false));
    world.sql("update map.open set floors = 1000").await;
    let acknowledged: Arc<[AtomicI64; WRITERS]> = Arc::new(std::array::from_fn(|_| AtomicI64::new(1000)));
    let readers: Vec<_> = [world.clone(), other.clone(), world.clone(), other.clone()]
        .into_iter()
        .enumerate()
        .map(|(i, node)| {
            let (done, acknowledged, own) = (done.clone(), acknowledged.clone(), i % 2 == 0);
            tokio::spawn(async move {
                let mut last = [0; WRITERS];
                let mut etag: Option<String> = None;
                shows(&node, 1, Some(1000)).await;
                while !done.load(Ordering::Relaxed) {
                    let floor: Vec<i64> = acknowledged.iter().map(|a| a.load(Ordering::SeqCst)).collect();
                    let mut request = node.request(Method::GET, TILE);
                    if let Some(tag) = &etag {
                        request = request.header("if-none-match", tag);
                    }
                    let response = request.send().await.unwrap();
                    if response.status() != 304 {
                        etag = Some(response.headers()["etag"].to_str().unwrap().to_owned());
                        let tile = floors(&response.bytes().await.unwrap());
                        for (writer, last) in last.iter_mut().enumerate() {
                            let (_, value) = tile.iter().find(|(id, _)| *id == writer as u64 + 1).unwrap();
                            assert!(value.unwrap() >= *last, "feature {writer} fell from {last} to {value:?}");
                            *last = value.unwrap();
                        }
                    }
                    for writer in 0..WRITERS {
                        // What the writer's own node has acknowledged, it shows from then on.
                        assert!(!own || last[writer] >= floor[writer], "behind: {} < {}", last[writer], floor[writer]);
                    }
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|i| {
            let (world, acknowledged) = (world.clone(), acknowledged.clone());
            tokio::spawn(async move {
                let writer = Writer::new(&world).await;
                let path = format!("{ITEMS}/{}", i + 1);
                let begun = Instant::now();
                let mut value = 1000;
                while begun.elapsed() < Duration::from_secs(4) {
                    value += 1;
                    let body = json!({"type": "Feature", "properties": {"floors": value}});
                    let response = writer.send(Method::PATCH, &path, &body, None).await;
                    assert_eq!(response.status(), 204);
                    acknowledged[i].store(value, Ordering::SeqCst);
                }
                value
            })
        })
        .collect();
    let mut finals = vec![];
    for writer in writers {
        finals.push(writer.await.unwrap());
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    for node in [&world, &other] {
        for (i, value) in finals.iter().enumerate() {
            shows(node, i as u64 + 1, Some(*value)).await;
        }
    }
    let table: Vec<(u64, Option<i64>)> = {
        let client = world.app.database.app().await.unwrap();
        let rows = client.query("select fid, floors from map.open order by fid", &[]).await.unwrap();
        rows.iter().map(|r| (r.get::<_, i64>(0) as u64, r.get(1))).collect()
    };
    assert_eq!(tile(&world).await, table);
    assert_eq!(tile(&other).await, table);
}

/// From the commit to the tile of another node. A measurement: `cargo test --test it commit_to_tile -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn commit_to_tile() {
    let world = World::new().await;
    let other = world.beside().await;
    let (client, connection) = world.app.database.owner().await.unwrap();
    tokio::spawn(connection);
    let update = client.prepare("update map.open set floors = $1 where fid = 1").await.unwrap();
    // The first tile of a connection costs PostGIS a tenth of a second, whoever edits.
    for turn in 0..20 {
        world.sql("update map.open set floors = 1 where fid = 1").await;
        let paths = (0..12).map(|i| format!("{TILE}?fields={}", ["name", "kind", "height"][(i + turn) % 3]));
        let paths: Vec<_> = paths.collect();
        futures_util::future::join_all(paths.iter().map(|path| other.get(As::Anonymous, path))).await;
    }
    for (what, bystanders) in [("alone", 0), ("with 200 edits/s of other features", 4)] {
        let stop = Arc::new(AtomicBool::new(false));
        for i in 0..bystanders {
            let ((client, connection), stop) = (world.app.database.owner().await.unwrap(), stop.clone());
            tokio::spawn(connection);
            tokio::spawn(async move {
                let sql = format!("update map.open set height = height + 1 where fid = {}", 50 + i);
                while !stop.load(Ordering::Relaxed) {
                    client.batch_execute(&sql).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
        let mut took = vec![];
        for i in 0..300 {
            client.execute(&update, &[&(2000i64 + i)]).await.unwrap();
            let seen = || async { tile(&other).await.contains(&(1, Some(2000 + i))) };
            took.push(eventually("an edit", seen).await);
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
        stop.store(true, Ordering::Relaxed);
        took.sort();
        println!("{what}: p50 {:?}, p99 {:?}, most {:?}", took[150], took[297], took[299]);
    }
}

/// What the log costs a bulk edit: the same statements with and without triggers.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn bulk_edits() {
    let world = World::new().await;
    let rows = "insert into map.open (floors, geom) select i, st_setsrid(st_makepoint(120 + i * 1e-6, 36), 4490)
        from generate_series(1, 500000) i";
    for triggers in ["disable", "enable"] {
        world.sql(&format!("alter table data.r1 {triggers} trigger user")).await;
        for (what, sql) in [
            ("insert 500,000", rows.to_owned()),
            ("update 500,000", "update map.open set floors = floors + 1 where fid > 100".into()),
            ("update 10,000", "update map.open set floors = 1 where floors between 100 and 10099".into()),
            ("delete 500,000", "delete from map.open where fid > 100".into()),
        ] {
            let begun = Instant::now();
            world.sql(&sql).await;
            println!("{triggers}d triggers, {what}: {:?}", begun.elapsed());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_made_again_and_nothing_is_missed() {
    let world = World::new().await;
    let (client, connection) = world.app.database.owner().await.unwrap();
    tokio::spawn(connection);
    let listening = "select pid from pg_stat_activity where datname = current_database() and query like '%onemap.edit%'
        and application_name = 'onemap owner' and pid <> pg_backend_pid()";
    eventually("a listener", || async { !client.query(listening, &[]).await.unwrap().is_empty() }).await;
    for floors in 500..504 {
        let cut = format!("select pg_terminate_backend(pid) from ({listening}) x");
        client.batch_execute(&cut).await.unwrap();
        world.sql(&format!("update map.open set floors = {floors} where fid = 21")).await;
        shows(&world, 21, Some(floors)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_by_sql_and_over_the_api_leave_one_row_each_in_the_audit_trail() {
    let world = World::new().await;
    world.sql("update map.open set floors = 7 where fid in (1, 2, 3)").await;
    world.sql("update map.open set floors = 7 where fid = -1").await;
    let floors = json!({"type": "Feature", "properties": {"floors": 8}});
    let patch = world.by(PUBLISHER, Method::PATCH, &format!("{ITEMS}/4")).await.header("if-match", "*");
    assert_eq!(patch.json(&floors).send().await.unwrap().status(), 204);
    world.sql("delete from map.open where fid > 50").await;
    let client = world.app.database.app().await.unwrap();
    let sql = "select principal, action, object_kind, object_id, detail from onemap.audit
               where action in ('insert', 'update', 'merge', 'delete') and object_id like 'open%' order by id";
    let rows = client.query(sql, &[]).await.unwrap();
    let said: Vec<(String, String, String)> = rows.iter().map(|r| (r.get(0), r.get(1), r.get(2))).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].0.starts_with("sql:") && said[2].0.starts_with("sql:"), "{said:?}");
    assert_eq!(said[1].0, "person:housing-publisher");
    let detail: Value = rows[0].get(4);
    let mut ids: Vec<i64> = detail["ids"].as_array().unwrap().iter().filter_map(Value::as_i64).collect();
    ids.sort_unstable();
    assert_eq!((&detail["features"], ids), (&json!(3), vec![1, 2, 3]));
    let detail: Value = rows[2].get(4);
    assert_eq!(detail["features"], 50);
}
