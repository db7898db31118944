//! Tile archives: exported, read by an independent reader, uploaded as layers, served within grants; hostile ones refused.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use geozero::mvt::{Message, Tile, tile::Layer};
use onemap::access::principal::Role;
use onemap::layer::model::ShareClass;
use pmtiles::{AsyncPmTilesReader, Compression, PmTilesWriter, TileCoord, TileType};
use reqwest::Method;
use serde_json::{Value, json};

use crate::upload::{PUBLISHER, load, upload};
use crate::world::{As, World, make_layer};

const READER: As = As::Person("health", Role::User);

async fn begin(world: &World, who: As, layer: &str, zooms: &Value) -> String {
    let request = world.by(who, Method::POST, &format!("/api/v1/layers/{layer}/export")).await.json(zooms);
    let response = request.send().await.unwrap();
    let (status, body) = (response.status(), response.json::<Value>().await.unwrap());
    assert_eq!(status, 202, "{body}");
    format!("/api/v1/jobs/{}", body["job"].as_str().unwrap())
}

async fn over(world: &World, who: As, job: &str) -> Value {
    for _ in 0..600 {
        let info = world.json(who, job).await;
        if matches!(info["state"].as_str().unwrap(), "succeeded" | "failed" | "cancelled") {
            return info;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{job} does not end");
}

async fn export(world: &World, who: As, layer: &str, maxzoom: u8) -> Vec<u8> {
    let job = begin(world, who, layer, &json!({ "maxzoom": maxzoom })).await;
    let info = over(world, who, &job).await;
    assert_eq!(info["state"], "succeeded", "{info}");
    let file = world.get(who, &format!("{job}/tiles.pmtiles")).await;
    assert_eq!(file.status(), 200);
    file.bytes().await.unwrap().to_vec()
}

/// The unpacked tiles of an archive, by an independent reader.
async fn tiles(archive: &[u8]) -> BTreeMap<(u8, u32, u32), Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pmtiles");
    std::fs::write(&path, archive).unwrap();
    let reader = AsyncPmTilesReader::new_with_path(&path).await.unwrap();
    let header = reader.get_header();
    let mut found = BTreeMap::new();
    for z in header.min_zoom..=header.max_zoom {
        for (x, y) in near(z) {
            let tile = reader.get_tile_decompressed(TileCoord::new(z, x, y).unwrap()).await.unwrap();
            if let Some(bytes) = tile {
                found.insert((z, x, y), bytes.to_vec());
            }
        }
    }
    let said = header.n_addressed_tiles().map_or(0, |n| n.get());
    assert_eq!(said, found.len() as u64, "no tile lies elsewhere");
    found
}

/// The tiles of a zoom around the seeded points (120.0–120.1 E, 36.0–36.1 N), with a neighbour on each side.
fn near(z: u8) -> Vec<(u32, u32)> {
    let side = f64::from(1u32 << z);
    let column = |lon: f64| ((lon / 360.0 + 0.5) * side) as u32;
    let row = |lat: f64| ((1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * side) as u32;
    let last = (1u32 << z) - 1;
    let span = |a: u32, b: u32| a.saturating_sub(1)..=(b + 1).min(last);
    span(column(120.0), column(120.1)).flat_map(|x| span(row(36.1), row(36.0)).map(move |y| (x, y))).collect()
}

async fn served(world: &World, who: As, layer: &str, (z, x, y): (u8, u32, u32)) -> Vec<u8> {
    let response = world.get(who, &format!("/tiles/{layer}/{z}/{x}/{y}")).await;
    assert!(matches!(response.status().as_u16(), 200 | 204), "{layer} {z}/{x}/{y}");
    response.bytes().await.unwrap().to_vec()
}

/// Uploads an archive, loads it into the layer and publishes it.
async fn publish(world: &World, layer: &str, name: &str, bytes: &[u8]) -> Value {
    let (location, info) = upload(world, name, bytes).await;
    assert_eq!(info["state"], "inspected", "{info}");
    let request = json!({"layer": layer, "title": {"zh": "归档", "en": "Archive"}, "share_class": "unconditional"});
    let job = load(world, &location, &request).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    let number = job["result"]["revision"].as_i64().unwrap();
    let path = format!("/api/v1/layers/{layer}/revisions/{number}/publish");
    let published = world.by(PUBLISHER, Method::POST, &path).await.send().await.unwrap();
    assert_eq!(published.status(), 200, "{}", published.text().await.unwrap());
    info
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_is_what_is_served_and_comes_back_as_a_layer() {
    let world = World::new().await;
    let archive = export(&world, READER, "open", 11).await;
    let exported = tiles(&archive).await;
    let mut count = 0;
    for z in 0..=11 {
        for (x, y) in near(z) {
            let now = served(&world, As::Anonymous, "open", (z, x, y)).await;
            assert_eq!(exported.get(&(z, x, y)).cloned().unwrap_or_default(), now, "{z}/{x}/{y}");
            count += usize::from(!now.is_empty());
        }
    }
    assert_eq!(count, exported.len());

    let info = publish(&world, "copy", "开放.pmtiles", &archive).await;
    let found = &info["inspection"]["layers"][0];
    assert_eq!((&found["format"], &found["tiles"]["tiles"]), (&json!("PMTiles"), &json!(count)), "{found}");
    assert_eq!(found["tiles"]["layers"][0]["id"], "open");
    for (at, bytes) in &exported {
        assert_eq!(served(&world, As::Key("health"), "copy", *at).await, *bytes, "{at:?}");
    }
    assert_eq!(served(&world, As::Key("health"), "copy", (12, 3413, 1606)).await, b"", "beyond its zooms");
    let tilejson = world.json(As::Key("health"), "/tiles/copy.json").await;
    assert_eq!((&tilejson["minzoom"], &tilejson["maxzoom"]), (&json!(0), &json!(11)));
    let layer = &tilejson["vector_layers"][0];
    assert_eq!(
        (&layer["id"], &layer["fields"]["floors"], &layer["fields"]["name"]),
        (&json!("open"), &json!("Number"), &json!("String"))
    );
    let bounds = tilejson["bounds"].as_array().unwrap();
    assert!((bounds[0].as_f64().unwrap() - 120.0).abs() < 1e-6 && (bounds[3].as_f64().unwrap() - 36.09).abs() < 1e-6);
    // An export of the archive is the archive.
    assert_eq!(tiles(&export(&world, PUBLISHER, "copy", 11).await).await, exported);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_of_tiles_is_a_layer_without_features() {
    let world = World::new().await;
    let archive = export(&world, READER, "open", 8).await;
    publish(&world, "copy", "a.pmtiles", &archive).await;
    let who = As::Key("health");
    for path in ["/ogc/collections/copy/items", "/ogc/collections/copy/items/1"] {
        let response = world.get(who, path).await;
        assert_eq!(response.status(), 409, "{path}");
        assert!(response.json::<Value>().await.unwrap()["hint"].is_string());
    }
    let collection = world.json(who, "/ogc/collections/copy").await;
    let relations: Vec<&str> =
        collection["links"].as_array().unwrap().iter().map(|l| l["rel"].as_str().unwrap()).collect();
    assert!(!relations.contains(&"items") && relations.iter().any(|r| r.ends_with("tilesets-vector")), "{relations:?}");
    for path in ["/ogc/collections?f=html", "/ogc/collections/copy?f=html", "/ogc/api", "/ogc/tiles/WebMercatorQuad"] {
        assert_eq!(world.get(who, path).await.status(), 200, "{path}");
    }
    let api = world.json(who, "/ogc/api").await;
    assert!(api["paths"]["/collections/copy/items"].is_null() && api["paths"]["/collections/copy/tiles"].is_object());
    let found = world.json(who, "/api/v1/identify?lon=120.05&lat=36.05&tolerance=9999&layers=unconditional,copy").await;
    assert_eq!(found["results"].as_array().unwrap().len(), 1, "the archive has nothing to identify");
    let layer = world.json(who, "/api/v1/layers/copy").await;
    assert_eq!((&layer["tiles_only"], &layer["feature_count"]), (&json!(true), &Value::Null));
    let style = world.json(who, "/styles/copy.json").await;
    assert!(style["sources"]["copy"].is_object() && style["sources"].as_object().unwrap().len() == 1, "{style}");
    let drawn = style["layers"].as_array().unwrap();
    assert!(drawn.iter().any(|l| l["source-layer"] == "open" && l["source"] == "copy"), "{style}");
    assert_eq!(world.get(who, "/api/v1/layers/copy/legend").await.status(), 200);
    // Both have a layer `open` in their tiles: together they would be no valid tile.
    assert_eq!(world.get(who, "/tiles/open,copy/8/213/100").await.status(), 400);
    let both = world.get(who, "/tiles/unconditional,copy/8/213/100").await.bytes().await.unwrap();
    assert_eq!(crate::tiles::decode(&both).keys().collect::<Vec<_>>(), ["open", "unconditional"]);
    // The tiles of the whole have the first of them.
    let whole = world.get(who, "/ogc/tiles/WebMercatorQuad/8/100/213").await;
    assert_eq!(whole.status(), 200);
    let whole = crate::tiles::decode(&whole.bytes().await.unwrap());
    assert_eq!(whole.keys().collect::<Vec<_>>(), ["open", "unconditional"]);
    let page = world.get(who, "/ogc/collections/copy?f=html").await.text().await.unwrap();
    assert!(page.contains("/ogc/wmts") && !page.contains("/ogc/wfs"), "its features are in its tiles only");

    // A revision of features, and back to the one of tiles.
    let points = json!({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "点"},
        "geometry": {"type": "Point", "coordinates": [120.05, 36.05]}}]});
    let (location, _) = upload(&world, "a.geojson", points.to_string().as_bytes()).await;
    let job = load(&world, &location, &json!({"layer": "copy", "key": "name"})).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    let at = "/api/v1/layers/copy";
    assert_eq!(
        world.by(PUBLISHER, Method::POST, &format!("{at}/revisions/2/publish")).await.send().await.unwrap().status(),
        200
    );
    assert_eq!(world.get(who, "/ogc/collections/copy/items").await.status(), 200);
    let back = world.by(PUBLISHER, Method::POST, &format!("{at}/rollback")).await.json(&json!({"revision": 1}));
    assert_eq!(back.send().await.unwrap().status(), 200);
    assert_eq!(world.get(who, "/ogc/collections/copy/items").await.status(), 409);
    assert!(!served(&world, who, "copy", (8, 213, 100)).await.is_empty());

    // Discarded, a staged archive leaves no file.
    let (location, _) = upload(&world, "b.pmtiles", &archive).await;
    assert_eq!(load(&world, &location, &json!({"layer": "copy"})).await["result"]["revision"], 3);
    assert_eq!(world.get(PUBLISHER, &format!("{at}/revisions/3/preview")).await.status(), 409);
    assert_eq!(files(&world, "archives"), 2);
    let gone = world.by(PUBLISHER, Method::DELETE, &format!("{at}/revisions/3")).await.send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(files(&world, "archives"), 1);
}

fn files(world: &World, folder: &str) -> usize {
    std::fs::read_dir(world.app.config.data.join(folder)).map_or(0, |entries| entries.count())
}

/// Properties and geometry of a feature.
type Shown = (Vec<(String, String)>, Vec<u32>);

/// What a tile shows, whatever numbers its keys and values have.
fn shown(tile: &[u8]) -> BTreeMap<u64, Shown> {
    let layers: Vec<Layer> = Tile::decode(tile).unwrap().layers;
    let features = layers.iter().flat_map(|l| l.features.iter().map(move |f| (l, f)));
    features
        .map(|(layer, feature)| {
            let tag =
                |pair: &[u32]| (layer.keys[pair[0] as usize].clone(), format!("{:?}", layer.values[pair[1] as usize]));
            let mut tags: Vec<_> = feature.tags.chunks(2).map(tag).collect();
            tags.sort();
            (feature.id.unwrap(), (tags, feature.geometry.clone()))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_shows_of_an_archive_what_it_shows_of_the_table() {
    let world = World::new().await;
    let archive = export(&world, As::Person("housing", Role::User), "conditional", 10).await;
    let who = As::Key("health");
    let area = "st_multi(st_geomfromtext('POLYGON((119.9 35.9, 120.045 35.9, 120.045 36.2, 119.9 35.9))', 4490))";
    let grants = [
        ("fields", "'{name,height,listed}'".to_owned()),
        ("row_filter", r#"'{"kind": ["住宅"], "floors": ["2", "4", "6"]}'"#.to_owned()),
        ("row_filter", r#"'{"height": ["3.1", "0", "31"], "listed": ["true"]}'"#.to_owned()),
        ("fields, row_filter", r#"'{floors}', '{"built": ["2019-04-16"]}'"#.to_owned()),
        ("area", area.to_owned()),
        ("area, fields, row_filter", format!(r#"{area}, '{{name}}', '{{"listed": ["false"]}}'"#)),
    ];
    let places = [(0, 0, 0), (6, 53, 25), (10, 853, 401)];
    let mut of_table = Vec::new();
    for (columns, values) in &grants {
        world.grant(columns, values).await;
        for at in places {
            of_table.push(shown(&served(&world, who, "conditional", at).await));
        }
        let fields = world.get(who, "/tiles/conditional/6/53/25?fields=name").await;
        of_table.push(if fields.status() == 200 { shown(&fields.bytes().await.unwrap()) } else { BTreeMap::new() });
    }
    assert!(of_table.iter().filter(|t| !t.is_empty()).count() > 15, "the grants show something");
    publish(&world, "conditional", "a.pmtiles", &archive).await;
    let mut of_archive = Vec::new();
    for (columns, values) in &grants {
        world.grant(columns, values).await;
        for at in places {
            of_archive.push(shown(&served(&world, who, "conditional", at).await));
        }
        let fields = world.get(who, "/tiles/conditional/6/53/25?fields=name").await;
        of_archive.push(if fields.status() == 200 { shown(&fields.bytes().await.unwrap()) } else { BTreeMap::new() });
    }
    for (i, (archive, table)) in of_archive.iter().zip(&of_table).enumerate() {
        let (grant, tile) = (i / 4, i % 4);
        if grant >= 4 && tile == 0 {
            // A unit of tile 0/0/0 is 10 km: nothing in it lies certainly within the area.
            assert!(archive.is_empty() && !table.is_empty());
        } else {
            assert_eq!(archive, table, "grant {grant}, tile {tile}");
        }
    }
    let tilejson = world.json(who, "/tiles/conditional.json").await;
    assert_eq!(tilejson["vector_layers"][0]["fields"], json!({"name": "String"}));
    assert!(tilejson["bounds"].is_null(), "how far the whole reaches is not told");
    // What such a reader exports holds no more, and does not tell how far the whole reaches.
    let reader = As::Person("health", Role::User);
    let mine = export(&world, reader, "conditional", 10).await;
    for (at, bytes) in tiles(&mine).await {
        assert_eq!(bytes, served(&world, who, "conditional", at).await, "{at:?}");
    }
    assert!(!mine.windows(6).any(|w| w == b"floors"));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 4096, 5, 22).write_all(bytes).unwrap();
    out
}

/// Zoom, column, row and bytes.
type TileAt = ((u8, u32, u32), Vec<u8>);

/// An MBTiles file, made by the given statements; then the tiles, if it has such a table.
fn mbtiles(schema: &str, tiles: &[TileAt]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mbtiles");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(schema).unwrap();
    for ((z, x, y), bytes) in tiles {
        let south = (1u32 << z) - 1 - y;
        connection
            .execute("insert into stored values (?1, ?2, ?3, ?4)", rusqlite::params![z, x, south, bytes])
            .unwrap();
    }
    drop(connection);
    std::fs::read(&path).unwrap()
}

const METADATA: &str = "create table metadata (name text, value text); insert into metadata values ('name', '建筑'),
    ('format', 'pbf'), ('bounds', '120.0,36.0,120.09,36.09'), ('minzoom', '0'), ('maxzoom', '9');";
/// As several programs write them: the tiles are a view.
const VIEW: &str = "create table stored (z integer, x integer, y integer, d blob);
    create view tiles as select z as zoom_level, x as tile_column, y as tile_row, d as tile_data from stored;";

#[tokio::test(flavor = "multi_thread")]
async fn mbtiles_in_every_compression_become_a_layer() {
    let world = World::new().await;
    let exported = tiles(&export(&world, READER, "open", 9).await).await;
    let packed = exported.iter().enumerate().map(|(i, (at, bytes))| {
        let stored = match i % 4 {
            0 => gzip(bytes),
            1 => zstd::encode_all(&bytes[..], 3).unwrap(),
            2 => brotli(bytes),
            _ => bytes.clone(),
        };
        (*at, stored)
    });
    let file = mbtiles(&format!("{METADATA}{VIEW}"), &packed.collect::<Vec<_>>());
    let info = publish(&world, "buildings", "建筑.mbtiles", &file).await;
    let found = &info["inspection"]["layers"][0];
    assert_eq!((&found["format"], &found["name"]), (&json!("MBTiles"), &json!("建筑")), "{found}");
    let names: Vec<&str> = found["fields"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["built", "floors", "height", "kind", "listed", "name"]);
    for (at, bytes) in &exported {
        assert_eq!(served(&world, As::Key("health"), "buildings", *at).await, *bytes, "{at:?}");
    }
}

/// An archive of the given gzip tiles.
fn pmtiles(tiles: &[TileAt], kind: TileType) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pmtiles");
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = PmTilesWriter::new(kind).precompressed(Compression::Gzip).create(file).unwrap();
    for ((z, x, y), bytes) in tiles {
        writer.add_tile(TileCoord::new(*z, *x, *y).unwrap(), bytes).unwrap();
    }
    writer.finalize().unwrap();
    std::fs::read(&path).unwrap()
}

/// A PMTiles file whose only leaf directory is its own leaf.
fn circle() -> Vec<u8> {
    // One entry: tile 0, no run (a leaf directory), five bytes at the section's beginning.
    let directory = [1u8, 0, 0, 5, 1];
    let mut file = b"PMTiles\x03".to_vec();
    for (offset, length) in [(127u64, 5u64), (127, 0), (127, 5), (127, 5)] {
        file.extend(offset.to_le_bytes());
        file.extend(length.to_le_bytes());
    }
    file.extend([0; 24]);
    // Clustered, nothing compressed, MVT, zooms 0 to 1.
    file.extend([1, 1, 1, 1, 0, 1]);
    file.resize(127, 0);
    file.extend(directory);
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_hostile_archives_are_refused_with_their_cause() {
    let world = World::new().await;
    let sound = export(&world, READER, "open", 6).await;
    let tile = ((0, 0, 0), gzip(&tiles(&sound).await[&(0, 0, 0)]));
    let endless = "create view tiles as with recursive n(i) as (select 1 union all select i + 1 from n)
         select 99 as zoom_level, i as tile_column, 0 as tile_row, x'1a' as tile_data from n";
    let text =
        "create table tiles (zoom_level, tile_column, tile_row, tile_data); insert into tiles values (0, 0, 0, 'text')";
    let twice = mbtiles(&format!("{METADATA}{VIEW}"), &[tile.clone(), tile.clone()]);
    let mut magic = sound.clone();
    magic[..7].copy_from_slice(b"PNTiles");
    let mut version = sound.clone();
    version[7] = 2;
    let mut flipped = sound.clone();
    let half = flipped.len() / 2;
    flipped[half..].fill(0xff);
    for (name, bytes, cause) in [
        ("truncated.pmtiles", sound[..sound.len() - 40].to_vec(), "不完整"),
        ("head.pmtiles", sound[..100].to_vec(), "过短"),
        ("magic.pmtiles", magic, "文件头"),
        ("version.pmtiles", version, "第 3 版"),
        ("flipped.pmtiles", flipped, "损坏"),
        ("circle.pmtiles", circle(), "目录"),
        ("bomb.pmtiles", pmtiles(&[((0, 0, 0), gzip(&vec![0; 20 << 20]))], TileType::Mvt), "16 MiB"),
        ("nonsense.pmtiles", pmtiles(&[((0, 0, 0), gzip(b"\x1a\xff\xff\xff"))], TileType::Mvt), "矢量瓦片"),
        ("picture.pmtiles", pmtiles(&[((0, 0, 0), vec![1])], TileType::Png), "PNG"),
        ("deep.pmtiles", pmtiles(&[((25, 0, 0), tile.1.clone())], TileType::Mvt), "级别"),
        ("empty.mbtiles", mbtiles(&format!("{METADATA}{VIEW}"), &[]), "没有瓦片"),
        ("endless.mbtiles", mbtiles(&format!("{METADATA}{endless}"), &[]), "范围"),
        ("text.mbtiles", mbtiles(&format!("{METADATA}{text}"), &[]), "二进制"),
        ("twice.mbtiles", twice, "多次"),
        ("png.mbtiles", mbtiles(&format!("{}{VIEW}", METADATA.replace("pbf", "png")), &[]), "PNG"),
        ("no-tiles.mbtiles", mbtiles(METADATA, &[]), "tiles"),
        ("cut.mbtiles", mbtiles(&format!("{METADATA}{VIEW}"), std::slice::from_ref(&tile))[..5000].to_vec(), "SQLite"),
    ] {
        let (_, info) = upload(&world, name, &bytes).await;
        assert_eq!(info["state"], "failed", "{name}: {info}");
        let said = info["problem"]["detail"]["zh"].as_str().unwrap();
        assert!(said.contains(cause), "{name}: {said}");
        assert_ne!(info["problem"]["kind"], "internal", "{name}");
    }
    // A trigger in the file does nothing, and the file is none the worse for it.
    let trigger = "create trigger t instead of insert on tiles begin select load_extension('/tmp/x'); end;";
    let file = mbtiles(&format!("{METADATA}{VIEW}{trigger}"), &[tile]);
    let (_, info) = upload(&world, "trigger.mbtiles", &file).await;
    assert_eq!(info["state"], "inspected", "{info}");
    assert_eq!(files(&world, "archives"), 0, "nothing was taken in");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_belongs_to_its_department_and_to_the_grant_it_was_made_under() {
    let world = World::new().await;
    world.grant("fields", "'{name}'").await;
    let mine = As::Person("health", Role::User);
    let job = begin(&world, mine, "conditional", &json!({"minzoom": 3, "maxzoom": 5})).await;
    assert_eq!(over(&world, mine, &job).await["result"]["tiles"], 3);
    let file = format!("{job}/tiles.pmtiles");
    assert_eq!(world.get(mine, &file).await.status(), 200);
    let part = world.by(mine, Method::GET, &file).await.header("range", "bytes=0-6").send().await.unwrap();
    assert_eq!((part.status().as_u16(), &part.bytes().await.unwrap()[..]), (206, &b"PMTiles"[..]));
    assert_eq!(world.get(PUBLISHER, &file).await.status(), 404, "another department's");
    assert_eq!(world.get(As::Anonymous, &file).await.status(), 401);
    world.grant("fields", "'{kind}'").await;
    assert_eq!(world.get(mine, &file).await.status(), 404, "made under another grant");
    world.sql("update onemap.access_grant set revoked_at = now()").await;
    world.app.refresh().await.unwrap();
    assert_eq!(world.get(mine, &file).await.status(), 403);
    let audited = "do $$ begin assert (select array_agg(action order by id) from onemap.audit
        where action in ('export', 'download') and principal like '%health-user%') = '{export,download,download}'; end $$";
    world.sql(audited).await;
    for (zooms, status) in
        [(json!({"maxzoom": 17}), 400), (json!({"minzoom": 9, "maxzoom": 8}), 400), (json!({"zoom": 1}), 400)]
    {
        let request = world.by(mine, Method::POST, "/api/v1/layers/open/export").await.json(&zooms);
        assert_eq!(request.send().await.unwrap().status(), status, "{zooms}");
    }
    let anonymous = world.by(As::Anonymous, Method::POST, "/api/v1/layers/open/export").await;
    assert_eq!(anonymous.send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_export_leaves_nothing() {
    let world = World::new().await;
    make_layer(&world.app, "large", ShareClass::Unconditional, false, 8000).await;
    let job = begin(&world, READER, "large", &json!({"maxzoom": 16})).await;
    for _ in 0..200 {
        if files(&world, "exports") > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(files(&world, "exports"), 1, "it is under way");
    world.by(READER, Method::DELETE, &job).await.send().await.unwrap();
    assert_eq!(over(&world, READER, &job).await["state"], "cancelled");
    for _ in 0..100 {
        if files(&world, "exports") == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(files(&world, "exports"), 0);
    assert_eq!(world.get(READER, &format!("{job}/tiles.pmtiles")).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_small_for_a_low_zoom_is_found_below_it() {
    let world = World::with(super::tile_index::only_postgis).await;
    let ring: Vec<[f64; 2]> = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
        .iter()
        .map(|(x, y)| [120.05 + 1e-5 * f64::from(*x), 36.05 + 1e-5 * f64::from(*y)])
        .collect();
    let kiosk = json!({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "亭"},
        "geometry": {"type": "Polygon", "coordinates": [ring]}}]});
    let (location, _) = upload(&world, "a.geojson", kiosk.to_string().as_bytes()).await;
    assert_eq!(load(&world, &location, &json!({"layer": "kiosks"})).await["state"], "succeeded");
    let publish = "/api/v1/layers/kiosks/revisions/1/publish";
    assert_eq!(world.by(PUBLISHER, Method::POST, publish).await.send().await.unwrap().status(), 200);
    let exported = tiles(&export(&world, PUBLISHER, "kiosks", 16).await).await;
    assert!(!exported.contains_key(&(0, 0, 0)), "one metre is nothing at zoom 0");
    let (z, x, y) = *exported.keys().next_back().unwrap();
    assert_eq!(z, 16);
    assert_eq!(exported[&(z, x, y)], served(&world, PUBLISHER, "kiosks", (z, x, y)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_a_known_box_is_exported_too() {
    let world = World::new().await;
    world
        .sql(
            "create schema water; create table water.wells (nr int primary key, at geometry(Point, 4490));
             insert into water.wells select i, st_setsrid(st_makepoint(120 + i * 0.01, 36), 4490) from generate_series(0, 9) i;
             grant usage on schema water to onemap_app; grant select on water.wells to onemap_app",
        )
        .await;
    let body = json!({"id": "wells", "department": "housing", "title": {"zh": "井", "en": "Wells"}, "share_class": "unconditional",
        "schema": "water", "table": "wells", "key": "nr", "geometry": "at"});
    let administrator = As::Person("housing", Role::PlatformAdministrator);
    let made = world.by(administrator, Method::POST, "/api/v1/layers").await.json(&body).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let exported = tiles(&export(&world, READER, "wells", 9).await).await;
    assert_eq!(exported.keys().filter(|(z, ..)| *z == 9).count(), 1);
    for (at, bytes) in exported {
        assert_eq!(bytes, served(&world, READER, "wells", at).await, "{at:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_is_said_to_be_gone() {
    let world = World::new().await;
    let archive = export(&world, READER, "open", 6).await;
    publish(&world, "copy", "a.pmtiles", &archive).await;
    let folder = world.app.config.data.join("archives");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, &archive[..200]).unwrap();
    let answer = world.get(READER, "/tiles/copy/6/53/25").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.json::<Value>().await.unwrap()["hint"].is_string());
    std::fs::remove_file(&file).unwrap();
    assert_eq!(world.get(READER, "/tiles/copy/5/26/12").await.status(), 503);
    assert_eq!(world.get(READER, "/tiles/copy.json").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_writes_the_same_tiles() {
    // The command has no index to draw from.
    let world = World::with(super::tile_index::only_postgis).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("open.pmtiles");
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_onemap"))
        .args(["export-tiles", "open", target.to_str().unwrap(), "--maxzoom", "7"])
        .args(["--database-url", &world.database_url, "--data", folder.path().to_str().unwrap()])
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = tiles(&std::fs::read(&target).unwrap()).await;
    assert_eq!(written.len(), 8);
    for (at, bytes) in written {
        assert_eq!(bytes, served(&world, As::Anonymous, "open", at).await, "{at:?}");
    }
}
