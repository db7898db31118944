//! The tile index in service: built beside the requests, equal to what PostGIS makes, found out when it is damaged, kept within its
//! budget, and bound by the grant of whoever asks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream;
use geozero::mvt::{Message, Tile};
use onemap::access::principal::{Principal, Role};
use onemap::app::App;
use onemap::layer::copy::{HEADER, TRAILER, Value, begin_row, put};
use onemap::layer::model::{Field, FieldType, ShareClass, Title};
use onemap::layer::registry::{self, NewLayer, Shape};
use reqwest::Method;
use serde_json::json;

use crate::world::{As, World, make_layer, stage};

const HEALTH: As = As::Key("health");
const PUBLISHER: As = As::Person("housing", Role::Publisher);

/// What a feature of a tile shows: its attributes, and the box of its geometry in the tile's units.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    attributes: BTreeMap<String, String>,
    bounds: [i32; 4],
}

type Features = BTreeMap<u64, Seen>;

fn features(bytes: &[u8], layer: &str) -> Features {
    let tile = Tile::decode(bytes).expect("a vector tile");
    let Some(layer) = tile.layers.into_iter().find(|l| l.name == layer) else { return Features::new() };
    let seen = |feature: &geozero::mvt::tile::Feature| {
        let attributes = feature.tags.chunks(2).map(|tag| {
            let value = &layer.values[tag[1] as usize];
            let text = value.string_value.clone().or(value.double_value.map(|v| v.to_string()));
            let text = text.or(value.bool_value.map(|v| v.to_string()));
            let text = text.or(value.uint_value.map(|v| v.to_string())).or(value.int_value.map(|v| v.to_string()));
            (layer.keys[tag[0] as usize].clone(), text.or(value.sint_value.map(|v| v.to_string())).expect("a value"))
        });
        Seen { attributes: attributes.collect(), bounds: bounds(&feature.geometry) }
    };
    layer.features.iter().map(|f| (f.id.expect("an id"), seen(f))).collect()
}

/// The box of a geometry's vertices (MVT 2.1, 4.3).
fn bounds(commands: &[u32]) -> [i32; 4] {
    let unzigzag = |n: u32| (n >> 1) as i32 ^ -((n & 1) as i32);
    let (mut bounds, mut at, mut i) = ([i32::MAX, i32::MAX, i32::MIN, i32::MIN], [0, 0], 0);
    while i < commands.len() {
        let (command, count) = (commands[i] & 7, commands[i] >> 3);
        i += 1;
        if command == 7 {
            continue;
        }
        for _ in 0..count {
            at = [at[0] + unzigzag(commands[i]), at[1] + unzigzag(commands[i + 1])];
            bounds = [bounds[0].min(at[0]), bounds[1].min(at[1]), bounds[2].max(at[0]), bounds[3].max(at[1])];
            i += 2;
        }
    }
    bounds
}

/// The same features with the same attributes at the same places, within a unit.
fn assert_alike(ours: &Features, theirs: &Features, what: &str) {
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{what}");
    for (id, seen) in ours {
        let other = &theirs[id];
        assert_eq!(seen.attributes, other.attributes, "{what}, feature {id}");
        let near = seen.bounds.iter().zip(&other.bounds).all(|(a, b)| (a - b).abs() <= 1);
        assert!(near, "{what}, feature {id}: {:?} and {:?}", seen.bounds, other.bounds);
    }
}

async fn tile(world: &World, who: As, layer: &str, at: (u8, u32, u32)) -> Features {
    let response = world.get(who, &format!("/tiles/{layer}/{}/{}/{}", at.0, at.1, at.2)).await;
    assert!(response.status().is_success(), "{layer} {at:?}: {}", response.status());
    features(&response.bytes().await.unwrap(), layer)
}

async fn state(world: &World, layer: &str) -> serde_json::Value {
    world.json(PUBLISHER, &format!("/api/v1/layers/{layer}")).await["tile_index"].clone()
}

/// The first file there is for the layer's published revision.
fn file(world: &World, layer: &str) -> PathBuf {
    let revision = world.app.catalog.snapshot().layers[layer].state.as_ref().unwrap().revision;
    world.app.config.data.join(format!("tiles/{revision}.tix"))
}

pub fn only_postgis(config: &mut onemap::config::Config) {
    config.tile_index_disk = Some(0);
}

/// Squares of 0.008° on a grid from 120 E, 36 N, ten in a row.
async fn make_squares(app: &App, id: &str, class: ShareClass) {
    let by = Principal::operator("housing");
    let new = NewLayer {
        id: id.into(),
        theme: None,
        title: Title { zh: id.into(), en: id.into() },
        description: Title::default(),
        class,
        anonymous: false,
        style: None,
        source: "test".into(),
        synthetic: true,
    };
    registry::create_layer(&app.database, &by, "housing", &new).await.unwrap();
    app.refresh().await.unwrap();
    let field = |name: &str, kind| Field { name: name.into(), kind, title_zh: name.into(), title_en: name.into() };
    let shape = Shape {
        fields: vec![
            field("name", FieldType::Text),
            field("seen", FieldType::Timestamp),
            field("day", FieldType::Date),
        ],
        geometry: Some("MultiPolygon".into()),
        key_field: None,
        note: String::new(),
        report: None,
    };
    let mut rows = HEADER.to_vec();
    for i in 0..100i64 {
        begin_row(&mut rows, 5);
        put(&mut rows, &Value::Integer(i + 1));
        put(&mut rows, &Value::Text(if i % 4 == 0 { "甲" } else { "乙" }));
        // Also before 1970, with and without a fraction, and far off.
        let second = 1_000_000;
        put(&mut rows, &if i == 7 { Value::Null } else { Value::Timestamp((i - 50) * 987_654_321 * second / 8) });
        put(&mut rows, &Value::Date((i as i32 - 50) * 40_000));
        put(&mut rows, &Value::Geometry(&square(120.0 + (i % 10) as f64 * 0.01, 36.0 + (i / 10) as f64 * 0.01)));
    }
    rows.extend_from_slice(TRAILER);
    let grant = app.gate.open(&by, id).unwrap();
    let staged = registry::stage(&app.store, &grant, &shape, stream::iter([Ok(Bytes::from(rows))])).await.unwrap();
    registry::publish(&app.store, &grant, staged.number, "publish").await.unwrap();
    app.refresh().await.unwrap();
}

fn square(x: f64, y: f64) -> Vec<u8> {
    let mut ewkb = vec![1];
    ewkb.extend((6u32 | 0x2000_0000).to_le_bytes());
    ewkb.extend(4490u32.to_le_bytes());
    ewkb.extend(1u32.to_le_bytes());
    ewkb.push(1);
    ewkb.extend(3u32.to_le_bytes());
    ewkb.extend(1u32.to_le_bytes());
    ewkb.extend(5u32.to_le_bytes());
    for (dx, dy) in [(0.0, 0.0), (0.008, 0.0), (0.008, 0.008), (0.0, 0.008), (0.0, 0.0)] {
        ewkb.extend((x + dx).to_le_bytes());
        ewkb.extend((y + dy).to_le_bytes());
    }
    ewkb
}

/// Tiles over the grid at several zooms (slippy map formula for 120.0–120.1 E, 36.0–36.1 N).
const TILES: [(u8, u32, u32); 5] =
    [(8, 213, 100), (11, 1706, 803), (12, 3413, 1607), (13, 6827, 3215), (14, 13655, 6431)];

#[tokio::test(flavor = "multi_thread")]
async fn tiles_of_the_index_are_those_of_postgis() {
    let world = World::with(only_postgis).await;
    make_squares(&world.app, "squares", ShareClass::Unconditional).await;
    let mut expected = vec![];
    for layer in ["open", "squares"] {
        for at in TILES {
            expected.push((layer, at, tile(&world, HEALTH, layer, at).await));
        }
    }
    assert!(
        expected.iter().filter(|(.., features)| !features.is_empty()).count() > 6,
        "the tiles lie where the data are"
    );
    assert_eq!(state(&world, "open").await["state"], "missing");

    let world = world.again(|_| (), |_| ()).await;
    for layer in ["open", "squares"] {
        world.indexed(layer).await;
        assert_eq!(state(&world, layer).await["state"], "ready");
    }
    for (layer, at, theirs) in &expected {
        assert_alike(&tile(&world, HEALTH, layer, *at).await, theirs, &format!("{layer} {at:?}"));
    }
    assert_eq!(state(&world, "open").await["state"], "ready", "no drawing has failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_binds_the_index_as_it_binds_postgis() {
    let area = "st_multi(st_makeenvelope(119.9, 35.9, 120.0437, 36.0333, 4490))";
    for (columns, values) in [
        ("fields", "array['name']".to_owned()),
        ("row_filter", "'{\"name\": [\"甲\"]}'".to_owned()),
        ("area", area.to_owned()),
        ("fields, row_filter, area", format!("array['day'], '{{\"name\": [\"甲\"]}}', {area}")),
        // By what the index keeps in another form: PostGIS answers.
        ("row_filter", "'{\"seen\": [\"1970-01-01 08:00:00+08\"]}'".to_owned()),
    ] {
        let world = World::with(only_postgis).await;
        make_squares(&world.app, "squares", ShareClass::Conditional).await;
        world
            .sql(&format!(
                "insert into onemap.access_grant (layer_id, department_id, purpose, granted_by, {columns})
                 values ('squares', 'health', 'test', 'test', {values})"
            ))
            .await;
        world.app.refresh().await.unwrap();
        let mut expected = vec![];
        for at in TILES {
            expected.push((at, tile(&world, HEALTH, "squares", at).await));
        }
        assert!(expected.iter().any(|(_, f)| !f.is_empty()), "{columns}: something is seen");
        let world = world.again(|_| (), |_| ()).await;
        world.indexed("squares").await;
        for (at, theirs) in &expected {
            assert_alike(&tile(&world, HEALTH, "squares", *at).await, theirs, &format!("{columns} {at:?}"));
        }
        assert_eq!(state(&world, "squares").await["state"], "ready", "no drawing has failed");
    }
}

/// Changes the file while no server runs, or under a running one.
fn spoil(path: &Path, how: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    match how {
        "flipped" => {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x55;
        }
        "cut" => bytes.truncate(bytes.len() / 2),
        "empty" => bytes.clear(),
        "another version" => bytes[8] ^= 0xff,
        other => panic!("{other}"),
    }
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_found_out_and_built_again() {
    let mut world = World::new().await;
    for how in ["flipped", "cut", "empty", "another version"] {
        world.indexed("open").await;
        let (path, whole) = (file(&world, "open"), tile(&world, HEALTH, "open", (8, 213, 100)).await);
        world = world.again(|_| (), |_| spoil(&path, how)).await;
        // At once, whoever makes it.
        assert_alike(&tile(&world, HEALTH, "open", (8, 213, 100)).await, &whole, how);
        world.indexed("open").await;
        assert!(
            onemap_tiles::index::Index::open(&path).unwrap().verify().is_ok(),
            "{how}: a sound file is in its place"
        );
        assert_alike(&tile(&world, HEALTH, "open", (8, 213, 100)).await, &whole, how);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_cut_or_removed_under_the_server_hurts_nobody() {
    let world = World::new().await;
    world.indexed("open").await;
    let path = file(&world, "open");
    let whole = tile(&world, HEALTH, "open", (8, 213, 100)).await;
    std::fs::File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
    // One that is not in the cache.
    assert!(!tile(&world, HEALTH, "open", (11, 1706, 803)).await.is_empty(), "cut");
    world.indexed("open").await;
    assert!(onemap_tiles::index::Index::open(&path).unwrap().verify().is_ok());
    std::fs::remove_file(&path).unwrap();
    world.app.refresh().await.unwrap();
    assert_alike(&tile(&world, HEALTH, "open", (8, 213, 100)).await, &whole, "removed");
    for _ in 0..200 {
        if path.exists() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the file is not built again");
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_keep_within_their_budget() {
    const BUDGET: u64 = 4 << 20;
    let world = World::with(|c| c.tile_index_disk = Some(BUDGET >> 20)).await;
    for id in ["first", "second", "third"] {
        make_layer(&world.app, id, ShareClass::Unconditional, false, 20_000).await;
    }
    world.indexed("open").await;
    for _ in 0..600 {
        let totals = world.app.tiles.indexes().totals();
        assert!(totals.bytes <= BUDGET, "{totals:?}");
        let revision = |id: &str| world.app.catalog.snapshot().layers[id].state.as_ref().unwrap().revision;
        let status = |id: &&str| world.app.tiles.indexes().status(revision(id));
        let said = ["first", "second", "third"].iter().filter_map(|id| status(id).trouble);
        if said.filter(|t| t.en.contains("used up")).count() > 0 && totals.building == 0 {
            for id in ["first", "second", "third"] {
                assert!(!tile(&world, HEALTH, id, (8, 213, 100)).await.is_empty(), "{id} is served all the same");
            }
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing is over the budget: {:?}", world.app.tiles.indexes().totals());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_finds_its_index_ready_and_older_ones_go() {
    let world = World::new().await;
    world.indexed("open").await;
    let first = file(&world, "open");
    for (number, generation) in [(2, 1), (3, 2)] {
        assert_eq!(stage(&world.app, "open", 30, generation).await, number);
        let publish =
            world.by(PUBLISHER, Method::POST, &format!("/api/v1/layers/open/revisions/{number}/publish")).await;
        assert_eq!(publish.send().await.unwrap().status(), 200);
        world.indexed("open").await;
        assert_eq!(tile(&world, HEALTH, "open", (8, 213, 100)).await.len(), 30);
    }
    for _ in 0..100 {
        if !first.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(!first.exists(), "what was published two revisions ago is not kept");
    let rollback =
        world.by(PUBLISHER, Method::POST, "/api/v1/layers/open/rollback").await.json(&json!({"revision": 2}));
    assert_eq!(rollback.send().await.unwrap().status(), 200);
    assert_eq!(state(&world, "open").await["state"], "ready", "the one before is there at once");
    let seen = tile(&world, HEALTH, "open", (8, 213, 100)).await;
    assert!(seen.values().all(|f| f.attributes["name"].ends_with("g1")), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_rank_is_another_index() {
    let world = World::new().await;
    world.indexed("open").await;
    let before = file(&world, "open");
    for (body, status) in [
        (json!({"tile_rank": "name"}), 400),
        (json!({"tile_limit": 5}), 400),
        (json!({"tile_rank": "floors", "tile_limit": 100_000}), 200),
    ] {
        let request = world.by(PUBLISHER, Method::PATCH, "/api/v1/layers/open").await.json(&body);
        assert_eq!(request.send().await.unwrap().status(), status, "{body}");
    }
    let revision = before.file_stem().unwrap().to_str().unwrap();
    let after = before.with_file_name(format!("{revision}-r2-l100000.tix"));
    for _ in 0..200 {
        if after.exists() && !before.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(after.exists() && !before.exists());
    assert_eq!(state(&world, "open").await["state"], "ready");
    assert!(!tile(&world, HEALTH, "open", (8, 213, 100)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_builds_it_leaves_whole_files_only() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("tiles");
    for milliseconds in [0, 150, 500] {
        // Ready is said when the building begins; dropped, the server is killed.
        let server = crate::process::start(data.path());
        tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
        drop(server);
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "tix") {
                assert!(onemap_tiles::index::Index::open(&path).unwrap().verify().is_ok(), "{}", path.display());
            }
        }
    }
    let server = crate::process::start(data.path());
    for _ in 0..1200 {
        let metrics = reqwest::get(format!("{}/metrics", server.url)).await.unwrap().text().await.unwrap();
        let value = |name: &str| metrics.lines().find_map(|l| l.strip_prefix(name)?.trim().parse::<f64>().ok());
        let ready = value("onemap_tile_indexes{state=\"ready\"}");
        let rest = ["building", "missing"].map(|s| value(&format!("onemap_tile_indexes{{state=\"{s}\"}}")));
        if ready.is_some_and(|n| n > 0.0) && rest == [Some(0.0), Some(0.0)] {
            let left: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().map(|e| e.file_name()).collect();
            let strange = left.iter().filter(|n| *n != "database" && !n.to_string_lossy().ends_with(".tix"));
            assert_eq!(strange.count(), 0, "{left:?}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the indexes do not get ready");
}
