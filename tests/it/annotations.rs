//! Annotation layers: who draws what, what the server stamps, how marks show, photos, places by address.

use bytes::Bytes;
use futures_util::stream;
use geozero::mvt::{Message, Tile};
use onemap::access::principal::{Principal, Role};
use onemap::layer::copy::{HEADER, TRAILER};
use onemap::layer::model::ShareClass;
use onemap::layer::registry::{self, Shape};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::address::doors_source;
use crate::world::{As, World, fields};

const PUBLISHER: As = As::Person("housing", Role::Publisher);
const USER: As = As::Person("housing", Role::User);
const OTHER: As = As::Person("health", Role::Publisher);
const ITEMS: &str = "/ogc/collections/notes/items";
/// The tile that holds what is drawn here.
const TILE: &str = "/tiles/notes/8/213/100";

async fn send(world: &World, who: As, method: Method, path: &str, body: Value) -> Response {
    let request = world.by(who, method, path).await.header("if-match", "*").header("content-type", "application/json");
    request.body(body.to_string()).send().await.unwrap()
}

/// Housing's layer `notes`, with a field of its own.
async fn notes(world: &World) {
    let body = json!({"id": "notes", "title": {"zh": "巡查标注", "en": "Inspection notes"},
        "fields": [{"name": "severity", "type": "integer"}]});
    let made = send(world, PUBLISHER, Method::POST, "/api/v1/annotations", body).await;
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
}

fn mark(geometry: Value, properties: Value) -> Value {
    json!({"type": "Feature", "geometry": geometry, "properties": properties})
}

fn point(properties: Value) -> Value {
    mark(json!({"type": "Point", "coordinates": [120.05, 36.05]}), properties)
}

/// Draws a mark; its id.
async fn draw(world: &World, who: As, mark: Value) -> i64 {
    let response = send(world, who, Method::POST, ITEMS, mark).await;
    let status = response.status();
    let place = response.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
    assert_eq!(status, 201, "{}", response.text().await.unwrap());
    place.unwrap().rsplit('/').next().unwrap().parse().unwrap()
}

async fn properties(world: &World, id: i64) -> Value {
    world.json(USER, &format!("{ITEMS}/{id}")).await["properties"].clone()
}

/// The texts in the tile, sorted.
async fn texts(world: &World) -> Vec<String> {
    let response = world.get(USER, TILE).await;
    assert!(response.status().is_success(), "{}", response.status());
    let bytes = response.bytes().await.unwrap();
    let Some(layer) = Tile::decode(bytes).unwrap().layers.into_iter().next() else { return vec![] };
    let key = layer.keys.iter().position(|k| k == "text");
    let text = |tags: &[u32]| {
        let pair = tags.chunks(2).find(|pair| Some(pair[0] as usize) == key)?;
        layer.values[pair[1] as usize].string_value.clone()
    };
    let mut texts: Vec<String> = layer.features.iter().filter_map(|f| text(&f.tags)).collect();
    texts.sort();
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn the_departments_people_draw_and_the_server_says_who_and_when() {
    let world = World::new().await;
    notes(&world).await;
    let layer = world.json(USER, "/api/v1/layers/notes").await;
    assert_eq!((&layer["access"], &layer["annotation"]), (&json!("annotate"), &json!(true)));
    assert_eq!(layer["share_class"], "not_shared");
    let sent = json!({"text": "路灯损坏", "color": "#d1242f", "severity": 3, "author": "somebody", "created_at": "2001-01-01T00:00:00Z"});
    let id = draw(&world, USER, point(sent)).await;
    let seen = properties(&world, id).await;
    assert_eq!((&seen["author"], &seen["kind"]), (&json!("housing-user"), &json!("point")));
    assert!(seen["created_at"].as_str().unwrap() > "2026", "{seen}");
    assert!(seen["edited_by"].is_null() && seen["severity"] == 3);
    // A publisher mends it; who drew it stays.
    let item = format!("{ITEMS}/{id}");
    let patch = json!({"properties": {"text": "路灯已修", "author": "x"}});
    assert_eq!(send(&world, PUBLISHER, Method::PATCH, &item, patch.clone()).await.status(), 204);
    // What was read is sent back whole: its stamps are no error, and do not count.
    let whole = world.json(PUBLISHER, &item).await;
    assert_eq!(send(&world, PUBLISHER, Method::PUT, &item, whole).await.status(), 204);
    let seen = properties(&world, id).await;
    assert_eq!((&seen["author"], &seen["edited_by"]), (&json!("housing-user"), &json!("housing-publisher")));
    assert_eq!((&seen["text"], seen["created_at"].as_str().unwrap() > "2026"), (&json!("路灯已修"), true));
    // The publisher's own mark is not the user's to change.
    let other = format!("{ITEMS}/{}", draw(&world, PUBLISHER, point(json!({"text": "复核"}))).await);
    assert_eq!(send(&world, USER, Method::PATCH, &other, patch.clone()).await.status(), 403);
    assert_eq!(send(&world, USER, Method::DELETE, &other, json!({})).await.status(), 403);
    assert_eq!(send(&world, USER, Method::DELETE, &item, json!({})).await.status(), 204);
    // Keys stand in web pages, auditors only look; others do not know of it.
    for (who, status) in [(As::Key("housing"), 403), (As::Person("housing", Role::Auditor), 403), (OTHER, 404)] {
        assert_eq!(send(&world, who, Method::POST, ITEMS, point(json!({}))).await.status(), status, "{who:?}");
    }
    // Sharing it shares no pen; describing and removing it is the publishers'.
    assert_eq!(send(&world, USER, Method::PATCH, "/api/v1/layers/notes", json!({})).await.status(), 403);
    assert_eq!(send(&world, USER, Method::DELETE, "/api/v1/annotations/notes", json!({})).await.status(), 403);
    let shared = json!({"share_class": "unconditional"});
    assert_eq!(send(&world, PUBLISHER, Method::PATCH, "/api/v1/layers/notes", shared).await.status(), 200);
    assert_eq!(world.get(OTHER, ITEMS).await.status(), 200);
    assert_eq!(send(&world, OTHER, Method::POST, ITEMS, point(json!({}))).await.status(), 403);
    let client = world.app.database.app().await.unwrap();
    let audit = "select action, principal from onemap.audit where object_kind = 'feature' and object_id like 'notes/%' order by id";
    let rows = client.query(audit, &[]).await.unwrap();
    let trail: Vec<(&str, &str)> = rows.iter().map(|r| (r.get(0), r.get(1))).collect();
    let (user, publisher) = ("person:housing-user", "person:housing-publisher");
    let expected =
        [("create", user), ("merge", publisher), ("replace", publisher), ("create", publisher), ("delete", user)];
    assert_eq!(trail, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_of_every_shape_show_in_the_tile_that_follows() {
    let world = World::new().await;
    notes(&world).await;
    let line = json!({"type": "LineString", "coordinates": [[120.01, 36.01], [120.06, 36.02]]});
    let area = json!({"type": "Polygon", "coordinates": [[[120.02, 36.03], [120.08, 36.03], [120.08, 36.08], [120.02, 36.03]]]});
    // By PostGIS at first, then by the index, whichever serves.
    for indexed in [false, true] {
        if indexed {
            world.indexed("notes").await;
        }
        let before = if indexed { texts(&world).await } else { vec![] };
        let text = |name: &str| format!("{name} {indexed}");
        draw(&world, USER, mark(line.clone(), json!({"text": text("line")}))).await;
        draw(&world, USER, mark(area.clone(), json!({"text": text("area")}))).await;
        draw(&world, USER, point(json!({"text": text("point")}))).await;
        let mut expected = [before, vec![text("area"), text("line"), text("point")]].concat();
        expected.sort();
        assert_eq!(texts(&world).await, expected, "indexed: {indexed}");
    }
    let style = world.json(USER, "/styles/notes.json").await;
    let layers = style["layers"].as_array().unwrap();
    assert!(layers.iter().any(|l| l["layout"]["text-field"].to_string().contains("\"text\"")), "{style}");
    assert!(layers.iter().any(|l| l["paint"]["fill-color"].to_string().contains("\"fill\"")));
    let picture = world.get(USER, "/ogc/wms?service=WMS&version=1.3.0&request=GetMap&layers=notes&styles=&crs=CRS:84&bbox=120,36,120.1,36.1&width=200&height=200&format=image/png").await;
    let bytes = picture.bytes().await.unwrap();
    assert!(bytes.starts_with(b"\x89PNG"), "{}", String::from_utf8_lossy(&bytes));
    for (bad, parameter) in [
        (point(json!({"color": "red"})), "color"),
        (point(json!({"kind": "area"})), "kind"),
        (point(json!({"severity": "high"})), "severity"),
        (mark(Value::Null, json!({"text": "nowhere"})), "geometry"),
        (mark(json!({"type": "GeometryCollection", "geometries": [line]}), json!({})), "geometry"),
    ] {
        let response = send(&world, USER, Method::POST, ITEMS, bad.clone()).await;
        assert_eq!(response.status(), 400, "{bad}");
        assert_eq!(response.json::<Value>().await.unwrap()["parameter"], parameter, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_to_draw_on_is_made_by_publishers_not_loaded_and_goes_with_everything() {
    let world = World::new().await;
    for (who, status) in [(USER, 403), (As::Key("housing"), 403), (As::Anonymous, 401)] {
        let body = json!({"title": {"zh": "a", "en": "a"}});
        assert_eq!(send(&world, who, Method::POST, "/api/v1/annotations", body).await.status(), status);
    }
    notes(&world).await;
    let again = json!({"id": "notes", "title": {"zh": "a", "en": "a"}});
    assert_eq!(send(&world, PUBLISHER, Method::POST, "/api/v1/annotations", again).await.status(), 409);
    let bad = json!({"title": {"zh": "a", "en": "a"}, "fields": [{"name": "author", "type": "text"}]});
    assert_eq!(send(&world, PUBLISHER, Method::POST, "/api/v1/annotations", bad).await.status(), 400);
    let list =
        |layers: Value| layers["annotations"].as_array().unwrap().iter().map(|l| l["id"].clone()).collect::<Vec<_>>();
    assert_eq!(list(world.json(USER, "/api/v1/annotations").await), ["notes"]);
    assert!(list(world.json(OTHER, "/api/v1/annotations").await).is_empty());
    let grant = world.app.gate.open(&Principal::operator("housing"), "notes").unwrap();
    let shape =
        Shape { fields: fields(), geometry: Some("Point".into()), key_field: None, note: String::new(), report: None };
    let chunks = [Ok(Bytes::from_static(HEADER)), Ok(Bytes::from_static(TRAILER))];
    let loaded = registry::stage(&world.app.store, &grant, &shape, stream::iter(chunks)).await;
    assert_eq!(loaded.unwrap_err().kind, onemap::error::Kind::Conflict);
    let id = draw(&world, USER, point(json!({"text": "x"}))).await;
    assert_eq!(add(&world, USER, id, photo()).await.0, 201);
    assert_eq!(send(&world, PUBLISHER, Method::DELETE, "/api/v1/annotations/open", json!({})).await.status(), 409);
    assert_eq!(send(&world, OTHER, Method::DELETE, "/api/v1/annotations/notes", json!({})).await.status(), 404);
    assert_eq!(send(&world, PUBLISHER, Method::DELETE, "/api/v1/annotations/notes", json!({})).await.status(), 204);
    assert_eq!(world.get(PUBLISHER, ITEMS).await.status(), 404);
    let client = world.app.database.app().await.unwrap();
    for left in [
        "select count(*) from onemap.mark_photo",
        "select count(*) from onemap.revision where layer_id = 'notes'",
        "select count(*) from pg_views where schemaname = 'map' and viewname = 'notes'",
    ] {
        assert_eq!(client.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0, "{left}");
    }
    // The name is free again, and nothing of the old layer is in the new one.
    notes(&world).await;
    assert_eq!(world.json(USER, ITEMS).await["features"], json!([]));
}

/// A photograph with a note of its place.
fn photo() -> Vec<u8> {
    let mut file = vec![];
    let mut encoder = png::Encoder::new(&mut file, 600, 400);
    encoder.set_color(png::ColorType::Rgb);
    encoder.add_text_chunk("GPS".into(), "SECRET-PLACE".into()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[120; 600 * 400 * 3]).unwrap();
    writer.finish().unwrap();
    file
}

fn photos(mark: i64) -> String {
    format!("/api/v1/annotations/notes/marks/{mark}/photos")
}

async fn add(world: &World, who: As, mark: i64, file: Vec<u8>) -> (u16, Value) {
    let response = world.by(who, Method::POST, &photos(mark)).await.body(file).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_kept_without_its_place_and_seen_by_whoever_sees_the_mark() {
    let world = World::new().await;
    notes(&world).await;
    let id = draw(&world, USER, point(json!({"text": "渗水"}))).await;
    let (status, added) = add(&world, USER, id, photo()).await;
    assert_eq!(status, 201, "{added}");
    let photo_id = added["id"].as_str().unwrap();
    assert_eq!(properties(&world, id).await["photos"], photo_id);
    let listed = world.json(USER, &photos(id)).await;
    assert_eq!((&listed["photos"][0]["width"], &listed["photos"][0]["id"]), (&json!(600), &json!(photo_id)));
    let path = format!("{}/{photo_id}", photos(id));
    for (query, longest) in [("", 600), ("?size=thumbnail", 320)] {
        let got = world.get(USER, &format!("{path}{query}")).await;
        assert_eq!(got.headers()["content-type"], "image/jpeg");
        assert_eq!(got.headers()["x-content-type-options"], "nosniff");
        assert!(got.headers()["cache-control"].to_str().unwrap().starts_with("private"));
        let bytes = got.bytes().await.unwrap();
        assert!(!bytes.windows(12).any(|w| w == b"SECRET-PLACE"));
        // The frame header of a baseline JPEG says its height and width.
        let frame = bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        assert_eq!(u16::from_be_bytes([bytes[frame + 7], bytes[frame + 8]]), longest);
    }
    assert_eq!(world.get(USER, &format!("{path}?size=huge")).await.status(), 400);
    // Whatever it is called, its bytes say what it is.
    assert_eq!(add(&world, USER, id, b"<svg onload='alert(1)'/>".to_vec()).await.0, 415);
    assert_eq!(add(&world, USER, id, photo()[..300].to_vec()).await.0, 400);
    assert_eq!(add(&world, USER, id, vec![0; (10 << 20) + 1]).await.0, 413);
    assert_eq!(add(&world, USER, 999, photo()).await.0, 404);
    let other = draw(&world, PUBLISHER, point(json!({}))).await;
    assert_eq!(add(&world, USER, other, photo()).await.0, 403);
    // It is another mark's.
    let elsewhere = format!("{}/{photo_id}", photos(other));
    assert_eq!(world.get(USER, &elsewhere).await.status(), 404);
    assert_eq!(world.get(OTHER, &path).await.status(), 404);
    // A grant of fields without the photos shows none; one of other rows neither.
    let shared = json!({"share_class": "conditional"});
    assert_eq!(send(&world, PUBLISHER, Method::PATCH, "/api/v1/layers/notes", shared).await.status(), 200);
    for (fields, rows, status) in
        [("array['text']", "null", 404), ("null", "'{\"text\": [\"别的\"]}'", 404), ("null", "null", 200)]
    {
        world
            .sql(&format!(
                "insert into onemap.access_grant (layer_id, department_id, purpose, granted_by, fields, row_filter)
                 values ('notes', 'health', 'test', 'test', {fields}, {rows})"
            ))
            .await;
        world.app.refresh().await.unwrap();
        assert_eq!(world.get(OTHER, &path).await.status(), status, "{fields} {rows}");
    }
    assert_eq!(send(&world, USER, Method::DELETE, &path, json!({})).await.status(), 204);
    assert!(properties(&world, id).await["photos"].is_null());
    // With the mark go its photos, however it goes.
    for deletion in ["api", "sql"] {
        let id = draw(&world, USER, point(json!({"text": deletion}))).await;
        assert_eq!(add(&world, USER, id, photo()).await.0, 201);
        match deletion {
            "api" => {
                let item = format!("{ITEMS}/{id}");
                assert_eq!(send(&world, USER, Method::DELETE, &item, json!({})).await.status(), 204);
            }
            _ => world.sql(&format!("delete from map.notes where fid = {id}")).await,
        }
        let client = world.app.database.app().await.unwrap();
        let left = client.query_one("select count(*) from onemap.mark_photo", &[]).await.unwrap();
        assert_eq!(left.get::<_, i64>(0), 0, "{deletion}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_count_against_the_departments_quota_and_a_mark_has_so_many() {
    let world = World::new().await;
    notes(&world).await;
    let id = draw(&world, USER, point(json!({}))).await;
    for _ in 0..20 {
        assert_eq!(add(&world, USER, id, photo()).await.0, 201);
    }
    let (status, refused) = add(&world, USER, id, photo()).await;
    assert_eq!((status, refused["detail"].as_str()), (413, Some("一个标注最多 20 张照片")), "{refused}");
    let id = draw(&world, USER, point(json!({}))).await;
    world.sql("update onemap.department set quota_bytes = onemap.kept_bytes(id) + 100 where id = 'housing'").await;
    assert_eq!(add(&world, USER, id, photo()).await.0, 413);
    assert!(properties(&world, id).await["photos"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_goes_where_its_address_is_or_its_editor_chooses() {
    let world = World::new().await;
    notes(&world).await;
    doors_source(&world, "doors", ShareClass::Unconditional, false, "香港中路").await;
    let path = "/api/v1/annotations/notes/marks";
    let body = json!({"address": "青岛市市南区香港中路12号", "properties": {"color": "#0969da"}});
    let placed = send(&world, USER, Method::POST, path, body).await;
    assert_eq!(placed.status(), StatusCode::CREATED, "{}", placed.text().await.unwrap());
    let placed: Value = placed.json().await.unwrap();
    assert_eq!((&placed["match"]["match_level"], &placed["match"]["source"]), (&json!("number"), &json!("doors")));
    let seen = world.json(USER, &format!("{ITEMS}/{}", placed["id"])).await;
    assert_eq!(seen["properties"]["text"], "青岛市市南区香港中路12号");
    assert_eq!(seen["properties"]["author"], "housing-user");
    assert!((seen["geometry"]["coordinates"][0].as_f64().unwrap() - 120.306).abs() < 1e-6);
    // A number that the road does not have: its neighbours are offered, and nothing is drawn.
    let several = send(&world, USER, Method::POST, path, json!({"address": "香港中路512号"})).await;
    let (status, several) = (several.status(), several.json::<Value>().await.unwrap());
    assert_eq!(status, 409, "{several}");
    assert!(several["candidates"][0]["geometry"]["coordinates"][0].is_number(), "{several}");
    for nothing in ["", "  ", "!!!"] {
        let refused = send(&world, USER, Method::POST, path, json!({"address": nothing})).await;
        assert_eq!(refused.status(), 400, "{nothing}");
        assert_eq!(refused.json::<Value>().await.unwrap()["parameter"], "address");
    }
    assert_eq!(world.json(USER, ITEMS).await["features"].as_array().unwrap().len(), 1);
    for (who, status) in [(OTHER, 404), (As::Key("housing"), 403)] {
        assert_eq!(send(&world, who, Method::POST, path, json!({"address": "香港中路12号"})).await.status(), status);
    }
    let other = "/api/v1/annotations/open/marks";
    assert_eq!(send(&world, PUBLISHER, Method::POST, other, json!({"address": "香港中路12号"})).await.status(), 409);
}
