//! Address matching in service: which layers are searched, by whom, and how soon an edit shows.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use onemap::access::principal::{Principal, Role};
use onemap::app::App;
use onemap::layer::copy::{HEADER, TRAILER, Value, begin_row, put};
use onemap::layer::model::{Field, FieldType, ShareClass, Title};
use onemap::layer::registry::{self, NewLayer, Shape};
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::world::{As, World};

const HEALTH: As = As::Key("health");
const HOUSING: As = As::Key("housing");
const PUBLISHER: As = As::Person("housing", Role::Publisher);

/// A door of a layer: its district, road and number, and where it is.
type Door = (&'static str, &'static str, i64, f64, f64);

/// Odd and even numbers of two roads in two districts, a street apart.
fn doors(road: &'static str) -> Vec<Door> {
    let mut doors = vec![];
    for n in 1..=40 {
        let (district, lat) = if n <= 20 { ("市南区", 36.06) } else { ("市北区", 36.09) };
        doors.push((district, road, n, 120.30 + n as f64 * 0.0005, lat));
    }
    doors
}

fn fields() -> Vec<Field> {
    let field =
        |name: &str, zh: &str, kind| Field { name: name.into(), kind, title_zh: zh.into(), title_en: name.into() };
    vec![
        field("code", "地址编码", FieldType::Text),
        field("city", "市", FieldType::Text),
        field("district", "区县", FieldType::Text),
        field("road", "道路", FieldType::Text),
        field("number", "门牌号", FieldType::Text),
        field("owner", "业主", FieldType::Text),
    ]
}

fn point(x: f64, y: f64) -> Vec<u8> {
    let mut ewkb = vec![1];
    ewkb.extend_from_slice(&(1u32 | 0x2000_0000).to_le_bytes());
    ewkb.extend_from_slice(&4490u32.to_le_bytes());
    ewkb.extend_from_slice(&x.to_le_bytes());
    ewkb.extend_from_slice(&y.to_le_bytes());
    ewkb
}

fn rows(doors: &[Door]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, (district, road, number, lon, lat)) in doors.iter().enumerate() {
        begin_row(&mut out, 8);
        put(&mut out, &Value::Integer(i as i64 + 1));
        put(&mut out, &Value::Text(&format!("{road}{number}")));
        put(&mut out, &Value::Text("青岛市"));
        put(&mut out, &Value::Text(district));
        put(&mut out, &Value::Text(road));
        put(&mut out, &Value::Text(&format!("{number}号")));
        put(&mut out, &Value::Text("某人"));
        put(&mut out, &Value::Geometry(&point(*lon, *lat)));
    }
    out
}

/// A layer of doors, published by housing. Not a source yet.
async fn make_doors(app: &App, id: &str, class: ShareClass, anonymous: bool, doors: &[Door]) {
    let by = Principal::operator("housing");
    let new = NewLayer {
        id: id.into(),
        theme: None,
        title: Title { zh: format!("门牌{id}"), en: id.into() },
        description: Title::default(),
        class,
        anonymous,
        style: None,
        source: "test".into(),
        synthetic: true,
    };
    registry::create_layer(&app.database, &by, "housing", &new).await.unwrap();
    app.refresh().await.unwrap();
    publish(app, id, doors).await;
}

async fn publish(app: &App, id: &str, doors: &[Door]) {
    let grant = app.gate.open(&Principal::operator("housing"), id).unwrap();
    let shape =
        Shape { fields: fields(), geometry: Some("Point".into()), key_field: None, note: String::new(), report: None };
    let chunks = [Ok(Bytes::from_static(HEADER)), Ok(Bytes::from(rows(doors))), Ok(Bytes::from_static(TRAILER))];
    let staged = registry::stage(&app.store, &grant, &shape, stream::iter(chunks)).await.unwrap();
    registry::publish(&app.store, &grant, staged.number, "publish").await.unwrap();
    app.refresh().await.unwrap();
}

pub async fn make_source(world: &World, id: &str, body: Json) -> Json {
    let path = format!("/api/v1/layers/{id}/address-source");
    let response = world.by(PUBLISHER, Method::PUT, &path).await.json(&body).send().await.unwrap();
    let status = response.status();
    let document: Json = response.json().await.unwrap();
    assert_eq!(status, 200, "{document}");
    document
}

pub async fn ready(world: &World, id: &str) {
    let revision = world.app.catalog.snapshot().layers[id].state.as_ref().unwrap().revision;
    for _ in 0..600 {
        let live = world.app.addresses.indexes().live(id);
        if live.is_some_and(|l| l.made_of.revision() == revision) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{id} has no address index after 30 s: {:?}", world.app.addresses.indexes().status(id));
}

/// A layer of doors that is searched.
pub async fn doors_source(world: &World, id: &str, class: ShareClass, anonymous: bool, road: &'static str) {
    make_doors(&world.app, id, class, anonymous, &doors(road)).await;
    make_source(world, id, json!({})).await;
    ready(world, id).await;
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub async fn search(world: &World, who: As, q: &str) -> Json {
    world.json(who, &format!("/address/search?q={}", encoded(q))).await
}

pub fn first(document: &Json) -> &Json {
    &document["features"][0]["properties"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_becomes_a_source_is_searched_and_ceases_to_be_one() {
    let world = World::new().await;
    make_doors(&world.app, "doors", ShareClass::Unconditional, false, &doors("香港中路")).await;
    let before = world.json(HOUSING, "/api/v1/layers/doors/address-source").await;
    assert!(before["source"].is_null());
    let guess = &before["guess"]["mapping"];
    assert_eq!((&guess["road"], &guess["roadno"], &guess["key"]), (&json!("road"), &json!("number"), &json!("code")));
    let made = make_source(&world, "doors", json!({"priority": 7})).await;
    assert_eq!((&made["source"]["mapping"], &made["source"]["priority"]), (guess, &json!(7)));
    ready(&world, "doors").await;
    let found = search(&world, HEALTH, "青岛市市南区香港中路12号").await;
    assert_eq!(found["type"], "FeatureCollection");
    let best = first(&found);
    assert_eq!((&best["id"], &best["feature"], &best["source"]), (&json!("香港中路12"), &json!(12), &json!("doors")));
    assert_eq!((&best["match_level"], &found["match_level"]), (&json!("number"), &json!("number")));
    assert_eq!(best["verdicts"]["road"], "agree");
    let at = &found["features"][0]["geometry"]["coordinates"];
    assert!((at[0].as_f64().unwrap() - 120.306).abs() < 1e-6, "{at}");
    let list = world.json(HEALTH, "/api/v1/address-sources").await;
    assert_eq!(list["sources"][0]["index"]["state"], "ready");
    assert_eq!(list["sources"][0]["index"]["rows"], 40);
    let gone = world.by(PUBLISHER, Method::DELETE, "/api/v1/layers/doors/address-source").await.send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(search(&world, HEALTH, "香港中路12号").await["features"], json!([]));
    let client = world.app.database.app().await.unwrap();
    let audit = "select count(*) from onemap.audit where object_kind = 'address_source' and object_id = 'doors'";
    assert_eq!(client.query_one(audit, &[]).await.unwrap().get::<_, i64>(0), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_layers_addresses_are_nowhere() {
    let world = World::new().await;
    doors_source(&world, "shown", ShareClass::Unconditional, false, "香港中路").await;
    doors_source(&world, "secret", ShareClass::NotShared, false, "莱芜二路").await;
    doors_source(&world, "public", ShareClass::Unconditional, true, "江西路").await;
    assert_eq!(first(&search(&world, HOUSING, "莱芜二路8号").await)["source"], "secret");
    for (who, q) in [(HEALTH, "莱芜二路8号"), (As::Anonymous, "莱芜二路8号"), (As::Anonymous, "香港中路8号")]
    {
        let with = search(&world, who, q).await;
        let text = with["features"].to_string();
        assert!(!text.contains("莱芜") && !text.contains("secret"), "{who:?}: {text}");
        assert!(who != As::Anonymous || !text.contains("香港中路"), "{text}");
        let suggested = world.json(who, &format!("/address/suggest?q={}", encoded(q))).await;
        assert!(!suggested["features"].to_string().contains("莱芜"), "{who:?}: {suggested}");
        let here = world.json(who, "/address/reverse?lon=120.304&lat=36.06&limit=50").await;
        assert!(!here.to_string().contains("莱芜"), "{who:?}: {here}");
        let listed = world.get(who, "/api/v1/address-sources").await.text().await.unwrap();
        assert!(!listed.contains("secret"), "{listed}");
    }
    // The answer is the same as if the layer were not there, faults included.
    let with = search(&world, HEALTH, "青岛市莱芜二路8号").await;
    let asked = |source: &str| format!("/address/search?q={}&source={source}", encoded("莱芜二路8号"));
    let hidden = world.get(HEALTH, &asked("secret")).await;
    let nowhere = world.get(HEALTH, &asked("nothere")).await;
    assert_eq!((hidden.status(), nowhere.status()), (StatusCode::BAD_REQUEST, StatusCode::BAD_REQUEST));
    let (hidden, nowhere) = (hidden.text().await.unwrap(), nowhere.text().await.unwrap());
    let strip = |text: &str, id: &str| {
        let mut v: Json = serde_json::from_str(text).unwrap();
        v["request_id"].take();
        v.to_string().replace(id, "X")
    };
    assert_eq!(strip(&hidden, "secret"), strip(&nowhere, "nothere"));
    let removed = world.by(PUBLISHER, Method::DELETE, "/api/v1/layers/secret/address-source").await;
    assert_eq!(removed.send().await.unwrap().status(), 204);
    assert_eq!(search(&world, HEALTH, "青岛市莱芜二路8号").await, with);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_of_rows_or_an_area_shows_their_addresses_only() {
    let world = World::new().await;
    doors_source(&world, "doors", ShareClass::Conditional, false, "香港中路").await;
    assert_eq!(search(&world, HEALTH, "香港中路12号").await["features"], json!([]));
    let grant = async |columns: &str, values: &str| {
        world
            .sql(&format!(
                "update onemap.access_grant set revoked_at = now();
                 insert into onemap.access_grant (layer_id, department_id, purpose, granted_by, {columns})
                 values ('doors', 'health', 'test', 'test', {values})"
            ))
            .await;
        world.app.refresh().await.unwrap();
    };
    let shows = async |number: i64, yes: bool| {
        let found = search(&world, HEALTH, &format!("青岛市香港中路{number}号")).await;
        let ids: Vec<&Json> =
            found["features"].as_array().unwrap().iter().map(|f| &f["properties"]["feature"]).collect();
        assert_eq!(ids.contains(&&json!(number)), yes, "{number}: {found}");
    };
    grant("row_filter", r#"'{"district": ["市南区"]}'"#).await;
    shows(12, true).await;
    shows(32, false).await;
    grant("area", "st_multi(st_makeenvelope(120.0, 36.08, 121.0, 36.10, 4490))").await;
    shows(12, false).await;
    shows(32, true).await;
    let here = world.json(HEALTH, "/address/reverse?lon=120.306&lat=36.06&radius=300").await;
    assert_eq!(here["features"], json!([]), "what lies outside of the grant is not near either");
    // Without a mapped field the layer is no source for this department; without another one it is.
    grant("fields", "array['city','district','road','code']").await;
    shows(12, false).await;
    grant("fields", "array['city','district','road','code','number']").await;
    shows(12, true).await;
    // An edit moves a door out of the grant: it is gone, whatever was known of it.
    grant("row_filter", r#"'{"district": ["市南区"]}'"#).await;
    shows(12, true).await;
    world.sql(r#"update map."doors" set district = '市北区' where fid = 12"#).await;
    let begun = Instant::now();
    loop {
        let found = search(&world, HEALTH, "青岛市香港中路12号").await;
        let there = found["features"].as_array().unwrap().iter().any(|f| f["properties"]["feature"] == 12);
        if !there {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{found}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_and_new_revisions_show_within_moments() {
    let world = World::new().await;
    doors_source(&world, "doors", ShareClass::Unconditional, true, "香港中路").await;
    let best = async |q: &str| {
        let found = search(&world, As::Anonymous, q).await;
        (first(&found)["feature"].clone(), first(&found)["match_level"].clone())
    };
    let eventually = async |q: &str, feature: Json| {
        let begun = Instant::now();
        while best(q).await != (feature.clone(), json!("number")) {
            assert!(begun.elapsed() < Duration::from_secs(1), "{q}: {:?}", best(q).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(best("香港中路12号").await, (json!(12), json!("number")));
    // By SQL, by the API, and gone.
    world.sql(r#"update map."doors" set road = '徐州路' where fid = 12"#).await;
    eventually("徐州路12号", json!(12)).await;
    assert_ne!(best("香港中路12号").await.0, json!(12));
    let added = json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [120.35, 36.07]},
        "properties": {"city": "青岛市", "district": "市南区", "road": "闽江路", "number": "100号", "code": "m100"}});
    let items = "/ogc/collections/doors/items";
    let made = world.by(PUBLISHER, Method::POST, items).await.json(&added).send().await.unwrap();
    assert_eq!(made.status(), 201);
    eventually("闽江路100号", json!(41)).await;
    world.sql(r#"delete from map."doors" where fid = 41"#).await;
    let begun = Instant::now();
    while best("闽江路100号").await.0 == json!(41) {
        assert!(begun.elapsed() < Duration::from_secs(1), "a deleted door is still found");
    }
    // A new revision: the old index serves until the new one is there, then only the new one.
    publish(&world.app, "doors", &doors("宁夏路")).await;
    ready(&world, "doors").await;
    assert_eq!(best("宁夏路12号").await, (json!(12), json!("number")));
    assert_ne!(best("徐州路12号").await.1, json!("number"));
    let files: Vec<String> = std::fs::read_dir(world.app.config.data.join("address"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".idx"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_missing_index_is_built_again() {
    let world = World::new().await;
    doors_source(&world, "doors", ShareClass::Unconditional, true, "香港中路").await;
    let file = |folder: &std::path::Path| {
        let found = std::fs::read_dir(folder.join("address")).unwrap().map(|e| e.unwrap().path());
        found.into_iter().find(|p| p.extension().is_some_and(|e| e == "idx")).unwrap()
    };
    // As a crash in the middle of writing would leave it, or a rotten disk.
    for harm in [0, 1, 2] {
        let other = world_again(&world, harm, file).await;
        ready(&other, "doors").await;
        assert_eq!(first(&search(&other, As::Anonymous, "香港中路12号").await)["feature"], 12, "harm {harm}");
    }
}

/// Another node whose folder begins with a harmed copy of the first one's.
async fn world_again(world: &World, harm: u8, file: impl Fn(&std::path::Path) -> std::path::PathBuf) -> World {
    let from = world.app.config.data.join("address");
    let path = file(&world.app.config.data);
    let mut bytes = std::fs::read(&path).unwrap();
    match harm {
        0 => bytes.truncate(bytes.len() / 2),
        1 => {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
        }
        _ => bytes.clear(),
    }
    let name = path.file_name().unwrap().to_owned();
    world
        .beside_with(move |data| {
            let folder = data.join("address");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::copy(from.join("database"), folder.join("database")).unwrap();
            std::fs::write(folder.join(name), bytes).unwrap();
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_in_csv_out() {
    let world = World::new().await;
    doors_source(&world, "doors", ShareClass::Unconditional, true, "香港中路").await;
    let send = async |bytes: Vec<u8>, columns: &[&'static str], results: &[&'static str]| {
        let part = reqwest::multipart::Part::bytes(bytes).file_name("地址.csv");
        let mut form = reqwest::multipart::Form::new().part("data", part);
        for column in columns {
            form = form.text("columns", *column);
        }
        for result in results {
            form = form.text("result_columns", *result);
        }
        world.request(Method::POST, "/address/search/csv").multipart(form).send().await.unwrap()
    };
    let text = "编号,地址,区\n1,香港中路12号,市南区\n2,\"不,知道\",\n3,香港中路32号,市北区\n";
    let results = ["result_id", "result_match_level", "latitude"];
    let response = send(text.into(), &["区", "地址"], &results).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    let answer = response.text().await.unwrap();
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines[0], "编号,地址,区,result_id,result_match_level,latitude");
    assert_eq!(lines[1], "1,香港中路12号,市南区,香港中路12,number,36.06");
    assert!(lines[2].starts_with("2,\"不,知道\",,,none,"), "{}", lines[2]);
    assert_eq!(lines[3], "3,香港中路32号,市北区,香港中路32,number,36.09");
    let (gbk, ..) = encoding_rs::GB18030.encode(text);
    let answer = send(gbk.into_owned(), &["地址"], &[]).await.text().await.unwrap();
    assert!(answer.starts_with("\u{feff}编号,地址,区,longitude,latitude,result_label"), "{answer}");
    for (bytes, columns, results, says) in [
        ("a,b\n1,2\n3\n", &["a"][..], &[][..], "line 3"),
        ("a,b\n1,2\n", &["c"], &[], "column “c”"),
        ("a,b\n1,2\n", &["a"], &["result_nothing"], "result_nothing"),
        ("", &[], &[], "empty"),
    ] {
        let part = reqwest::multipart::Part::bytes(bytes.as_bytes()).file_name("a.csv");
        let mut form = reqwest::multipart::Form::new().part("data", part);
        for column in columns {
            form = form.text("columns", *column);
        }
        for result in results {
            form = form.text("result_columns", *result);
        }
        let request = world.request(Method::POST, "/address/search/csv").header("accept-language", "en");
        let response = request.multipart(form).send().await.unwrap();
        assert_eq!(response.status(), 400, "{bytes}");
        let problem: Json = response.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    let left = std::fs::read_dir(world.app.config.data.join("address-csv")).unwrap().count();
    assert_eq!(left, 0, "nothing of a caller's file is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_questions_get_an_honest_none_or_a_clear_refusal() {
    let world = World::new().await;
    doors_source(&world, "doors", ShareClass::Unconditional, true, "香港中路").await;
    let long = "香港中路".repeat(900);
    for (q, fault) in [("", "empty"), ("   ", "empty"), (long.as_str(), "too_long")] {
        let found = search(&world, As::Anonymous, q).await;
        assert_eq!((&found["features"], &found["match_level"]), (&json!([]), &json!("none")));
        assert_eq!(found["faults"][0], fault);
    }
    for q in ["😀😀", "\u{1}\u{7}\u{1b}[2J", "'; drop table x; --", "%%%", "北京市海淀区中关村大街1号", "ａｂｃ"]
    {
        let found = search(&world, As::Anonymous, q).await;
        let best = first(&found);
        assert!(best.is_null() || best["match_level"] != "number", "{q}: {best}");
    }
    let a = encoded("香港中路12号");
    for (path, parameter) in [
        ("/address/search".to_owned(), "q"),
        ("/address/search?q=a%00b".into(), "q"),
        (format!("/address/search?q={a}&limit=51"), "limit"),
        (format!("/address/search?q={a}&lon=120"), "lat"),
        (format!("/address/search?q={a}&lon=x&lat=36"), "lon"),
        (format!("/address/search?q={a}&level=house"), "level"),
        (format!("/address/search?q={a}&crs=9999"), "crs"),
        (format!("/address/search?q={a}&postcode=1"), "postcode"),
        ("/address/suggest".into(), "q"),
        ("/address/reverse?lon=120".into(), "lat"),
        ("/address/reverse?lon=120&lat=36&radius=5001".into(), "radius"),
    ] {
        let response = world.get(As::Anonymous, &path).await;
        assert_eq!(response.status(), 400, "{path}");
        let problem: Json = response.json().await.unwrap();
        assert_eq!(problem["parameter"], parameter, "{path}: {problem}");
    }
    let parse = async |body: Json| {
        let response = world.request(Method::POST, "/address/parse").json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Json>().await.unwrap())
    };
    let (status, parsed) = parse(json!({"q": ["青岛市香港中路12号", ""]})).await;
    assert_eq!(status, 200);
    assert_eq!(parsed["results"].as_array().unwrap().len(), 2);
    let road = &parsed["results"][0]["elements"][1];
    assert_eq!(
        (&road["element"], &road["text"], &road["start"], &road["end"]),
        (&json!("road"), &json!("香港中路"), &json!(3), &json!(7))
    );
    assert_eq!(parse(json!({"q": long})).await.0, 400);
    assert_eq!(parse(json!({"q": vec!["a"; 1001]})).await.0, 413);
    assert_eq!(parse(json!({"text": "a"})).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn reverse_names_the_nearest_doors_and_the_divisions_around() {
    let world = World::new().await;
    doors_source(&world, "doors", ShareClass::Unconditional, true, "香港中路").await;
    let by = Principal::operator("housing");
    make_doors(&world.app, "shown-districts", ShareClass::Unconditional, true, &[]).await;
    let grant = world.app.gate.open(&by, "shown-districts").unwrap();
    let field = |name: &str, zh: &str| Field {
        name: name.into(),
        kind: FieldType::Text,
        title_zh: zh.into(),
        title_en: "".into(),
    };
    let shape = Shape {
        fields: vec![field("name", "名称"), field("gone", "撤销日期")],
        geometry: Some("Polygon".into()),
        key_field: None,
        note: String::new(),
        report: None,
    };
    let chunks = [Ok(Bytes::from_static(HEADER)), Ok(Bytes::from_static(TRAILER))];
    let staged = registry::stage(&world.app.store, &grant, &shape, stream::iter(chunks)).await.unwrap();
    registry::publish(&world.app.store, &grant, staged.number, "publish").await.unwrap();
    world.app.refresh().await.unwrap();
    make_source(&world, "shown-districts", json!({"mapping": {"district": "name", "valid_to": "gone"}})).await;
    world
        .sql(
            r#"insert into map."shown-districts" (fid, name, gone, geom) values
                (1, '台东区', '1994-06-30', st_makeenvelope(120.2, 36.0, 120.5, 36.2, 4490)),
                (2, '市南区', null, st_makeenvelope(120.2, 36.0, 120.5, 36.08, 4490)),
                (3, '市北区', '长期', st_makeenvelope(120.2, 36.08, 120.5, 36.2, 4490))"#,
        )
        .await;
    let here = world.json(As::Anonymous, "/address/reverse?lon=120.3062&lat=36.0601&limit=2").await;
    assert_eq!(here["features"][0]["properties"]["feature"], 12, "{here}");
    let distance = here["features"][0]["properties"]["distance"].as_f64().unwrap();
    assert!((15.0..30.0).contains(&distance), "{distance}");
    assert_eq!((here["divisions"].as_array().unwrap().len(), &here["divisions"][0]["text"]), (1, &json!("市南区")));
    // The same place as other maps have it, and the answer as they draw it.
    let (x, y) = onemap::geo::china::wgs84_to_gcj02(120.306, 36.06);
    let shifted = world.json(As::Anonymous, &format!("/address/reverse?lon={x}&lat={y}&crs=gcj02&limit=1")).await;
    let at = &shifted["features"][0]["geometry"]["coordinates"];
    assert!((at[0].as_f64().unwrap() - x).abs() < 1e-6 && (at[1].as_f64().unwrap() - y).abs() < 1e-6, "{shifted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_validators_and_the_document_knows_the_routes() {
    let world = World::new().await;
    doors_source(&world, "doors", ShareClass::Unconditional, true, "香港中路").await;
    let path = format!("/address/search?q={}", encoded("香港中路12号"));
    let response = world.get(As::Anonymous, &path).await;
    let etag = response.headers()["etag"].clone();
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("private"));
    let again = world.request(Method::GET, &path).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let head = world.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""));
    let api = world.json(As::Anonymous, "/api/openapi.json").await;
    let search = &api["paths"]["/address/search"]["get"]["parameters"];
    let names: Vec<&str> = search.as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["q", "limit", "lon", "lat", "division", "level", "source", "crs"]);
    let form = &api["paths"]["/address/search/csv"]["post"]["requestBody"]["content"];
    assert!(form["multipart/form-data"].is_object(), "{form}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_source_is_refused_with_its_reason() {
    let world = World::new().await;
    make_doors(&world.app, "doors", ShareClass::Unconditional, true, &doors("香港中路")).await;
    let path = "/api/v1/layers/doors/address-source";
    for (body, part) in [
        (json!({"mapping": {"road": "nothing"}}), "nothing"),
        (json!({"mapping": {"door": "number"}}), "door"),
        (json!({"mapping": {"key": "code"}}), "nothing to find"),
    ] {
        let request = world.by(PUBLISHER, Method::PUT, path).await.header("accept-language", "en");
        let response = request.json(&body).send().await.unwrap();
        let status = response.status();
        let problem: Json = response.json().await.unwrap();
        assert_eq!(status, 400, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    let user = As::Person("housing", Role::User);
    let response = world.by(user, Method::PUT, path).await.json(&json!({})).send().await.unwrap();
    assert_eq!(response.status(), 403);
}
