//! Address jobs: files in, bands, decisions and their aliases, runs held against each other, files out; whatever is killed meanwhile.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use onemap::access::principal::{Principal, Role};
use onemap::job::queue;
use onemap::layer::copy::{HEADER, TRAILER, Value as Cell, begin_row, put};
use onemap::layer::model::{Field, FieldType, ShareClass, Title};
use onemap::layer::registry::{self, NewLayer, Shape};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::world::{As, World};

mod decisions;

const OWNER: As = As::Person("housing", Role::Publisher);
const CLERK: As = As::Person("health", Role::User);
const ROADS: [(&str, &str, &str, &str); 6] = [
    ("市南区", "香港中路街道", "浮山所社区", "香港中路"),
    ("市南区", "香港中路街道", "浮山所社区", "闽江路"),
    ("市南区", "八大湖街道", "江西路社区", "江西路"),
    ("市北区", "台东街道", "台东一路社区", "台东一路"),
    ("市北区", "辽源路街道", "错埠岭社区", "辽阳西路"),
    ("崂山区", "中韩街道", "金家岭社区", "深圳路"),
];
const DOORS: i64 = 40;

fn field(name: &str) -> Field {
    Field { name: name.into(), kind: FieldType::Text, title_zh: name.into(), title_en: name.into() }
}

fn point(x: f64, y: f64) -> Vec<u8> {
    let mut ewkb = vec![1];
    ewkb.extend_from_slice(&(1u32 | 0x2000_0000).to_le_bytes());
    ewkb.extend_from_slice(&4490u32.to_le_bytes());
    ewkb.extend_from_slice(&x.to_le_bytes());
    ewkb.extend_from_slice(&y.to_le_bytes());
    ewkb
}

/// Doors 1 to [`DOORS`] of each road, as (feature, address).
fn doors() -> impl Iterator<Item = (i64, [String; 7])> {
    ROADS.iter().enumerate().flat_map(|(r, (district, town, community, road))| {
        (1..=DOORS).map(move |n| {
            let full = format!("青岛市{district}{town}{community}{road}{n}号");
            let text = |s: &&str| (**s).to_owned();
            let id = r as i64 * DOORS + n;
            let city = "青岛市".to_owned();
            (id, [city, text(district), text(town), text(community), text(road), format!("{n}号"), full])
        })
    })
}

/// Publishes the doors, numbered from `first` on and shifted to the east.
async fn publish(world: &World, id: &str, first: i64, east: f64) {
    let (app, by) = (&world.app, Principal::operator("housing"));
    let mut rows = vec![];
    for (door, cells) in doors() {
        begin_row(&mut rows, 9);
        put(&mut rows, &Cell::Integer(first + door));
        for cell in &cells {
            put(&mut rows, &Cell::Text(cell));
        }
        put(&mut rows, &Cell::Geometry(&point(120.3 + east + door as f64 * 1e-4, 36.1)));
    }
    let shape = Shape {
        fields: ["city", "district", "town", "community", "road", "number", "address"].map(field).to_vec(),
        geometry: Some("Point".into()),
        key_field: None,
        note: String::new(),
        report: None,
    };
    let grant = app.gate.open(&by, id).expect("the owner edits");
    let chunks = [Ok(Bytes::from_static(HEADER)), Ok(Bytes::from(rows)), Ok(Bytes::from_static(TRAILER))];
    let staged = registry::stage(&app.store, &grant, &shape, stream::iter(chunks)).await.expect("staged");
    registry::publish(&app.store, &grant, staged.number, "publish").await.expect("published");
    app.refresh().await.expect("fresh");
}

/// A layer of doors, published and searched for addresses.
async fn door_layer(world: &World, id: &str, class: ShareClass) {
    let by = Principal::operator("housing");
    let new = NewLayer {
        id: id.into(),
        theme: None,
        title: Title { zh: "门牌".into(), en: "Doors".into() },
        description: Title::default(),
        class,
        anonymous: false,
        style: None,
        source: "test".into(),
        synthetic: true,
    };
    let app = &world.app;
    registry::create_layer(&app.database, &by, "housing", &new).await.expect("a layer");
    app.refresh().await.expect("fresh");
    publish(world, id, 0, 0.0).await;
    let mapping = json!({"mapping": {"city": "city", "district": "district", "town": "town", "community": "community", "road": "road",
                                     "roadno": "number", "full": "address"}});
    let path = format!("/api/v1/layers/{id}/address-source");
    let answer = world.by(OWNER, Method::PUT, &path).await.json(&mapping).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    for _ in 0..600 {
        if serde_json::to_value(app.addresses.indexes().status(id)).unwrap()["state"] == "ready" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{id} has no address index after 30 s");
}

async fn send(world: &World, who: As, filename: &str, bytes: impl Into<Vec<u8>>) -> Response {
    let form = Form::new().part("data", Part::bytes(bytes.into()).file_name(filename.to_owned()));
    world.by(who, Method::POST, "/address/jobs").await.multipart(form).send().await.unwrap()
}

async fn read(response: Response, status: u16) -> Value {
    let found = response.status().as_u16();
    let text = response.text().await.unwrap();
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

async fn post(world: &World, who: As, path: &str, body: Value) -> Response {
    world.by(who, Method::POST, path).await.json(&body).send().await.unwrap()
}

/// The job once it is in one of these states.
async fn state(world: &World, id: &str, states: &[&str]) -> Value {
    for _ in 0..1200 {
        let job = world.json(CLERK, &format!("/address/jobs/{id}")).await;
        if states.contains(&job["state"].as_str().unwrap()) {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job does not become {states:?}: {}", world.json(CLERK, &format!("/address/jobs/{id}")).await);
}

/// A file of the clerk's, matched by its column 地址. Returns the job's number.
async fn matched(world: &World, bytes: impl Into<Vec<u8>>) -> String {
    let draft = read(send(world, CLERK, "人口.csv", bytes).await, 201).await;
    let id = draft["id"].as_str().unwrap().to_owned();
    read(post(world, CLERK, &format!("/address/jobs/{id}/start"), json!({"columns": ["地址"]})).await, 200).await;
    let job = state(world, &id, &["succeeded", "failed"]).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    id
}

async fn row(world: &World, id: &str, number: i64) -> Value {
    let page = world.json(CLERK, &format!("/address/jobs/{id}/rows?after={}&limit=1", number - 1)).await;
    page["rows"][0].clone()
}

const PEOPLE: &str = "编号,姓名,地址\n\
    1,甲,青岛市市南区香港中路12号\n\
    2,乙,市南区香港中路9999号\n\
    3,丙,今天天气很好啊\n\
    4,丁,青岛市市北区台东一路7号\n\
    5,戊,\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_gbk_is_matched_into_bands_and_comes_back_as_a_file() {
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let (gbk, _, _) = encoding_rs::GB18030.encode(PEOPLE);
    let draft = read(send(&world, CLERK, "人口.csv", gbk.to_vec()).await, 201).await;
    assert_eq!((&draft["state"], &draft["rows"], &draft["filename"]), (&json!("draft"), &json!(5), &json!("人口.csv")));
    assert_eq!(draft["encoding"], "gb18030");
    assert_eq!(draft["columns"][2]["sample"][0], "青岛市市南区香港中路12号");
    assert_eq!((&draft["columns"][0]["guess"], &draft["guess"]["address"]), (&json!("id"), &json!(["地址"])));

    let id = matched(&world, gbk.into_owned()).await;
    let job = state(&world, &id, &["succeeded"]).await;
    assert_eq!((&job["done"], &job["total"], &job["columns"]), (&json!(5), &json!(5), &json!(["地址"])));
    assert_eq!(job["bands"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum::<i64>(), 5, "{job}");
    let first = row(&world, &id, 1).await;
    assert_eq!(
        (&first["band"], &first["feature"], &first["source"]),
        (&json!("auto"), &json!(12), &json!("doors")),
        "{first}"
    );
    assert_eq!((&first["values"]["姓名"], &first["match_level"]), (&json!("甲"), &json!("number")));
    let second = row(&world, &id, 2).await;
    assert_ne!(second["band"], "auto", "a door that does not exist is never taken by itself: {second}");
    for number in [3, 5] {
        assert_eq!(row(&world, &id, number).await["band"], "reject");
    }
    let page = world.json(CLERK, &format!("/address/jobs/{id}/rows?band=auto&limit=1")).await;
    assert_eq!((&page["rows"][0]["row"], &page["next"]), (&json!(1), &json!("1")));
    let page = world.json(CLERK, &format!("/address/jobs/{id}/rows?q=台东一路")).await;
    assert_eq!((page["rows"].as_array().unwrap().len(), &page["rows"][0]["row"]), (1, &json!(4)));

    let counts = world.json(CLERK, &format!("/address/jobs/{id}/counts?by=community")).await;
    let of = |name: &str| {
        counts["counts"].as_array().unwrap().iter().find(|c| c["name"] == name).map(|c| c["count"].clone())
    };
    assert_eq!((of("浮山所社区"), of("台东一路社区")), (Some(json!(1)), Some(json!(1))), "{counts}");
    exports(&world, &id).await;
}

async fn exports(world: &World, id: &str) {
    let response = world.get(CLERK, &format!("/address/jobs/{id}/export?format=csv")).await;
    assert!(response.headers()["content-disposition"].to_str().unwrap().contains("%E4%BA%BA%E5%8F%A3.matched.csv"));
    let bytes = response.bytes().await.unwrap();
    assert!(bytes.starts_with(b"\xef\xbb\xbf"), "Excel knows it for UTF-8");
    let mut table = csv::Reader::from_reader(&bytes[3..]);
    let header: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header[..4], ["编号", "姓名", "地址", "match_band"]);
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.iter().map(|r| &r[0]).collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
    assert_eq!((&rows[0][3], &rows[0][6]), ("auto", "青岛市市南区香港中路街道香港中路12号"));

    let features = world.json(CLERK, &format!("/address/jobs/{id}/export?format=geojson")).await;
    assert_eq!(features["features"].as_array().unwrap().len(), 5);
    assert_eq!(features["features"][0]["geometry"]["coordinates"], json!([120.3012, 36.1]));
    assert_eq!(features["features"][2]["geometry"], Value::Null);
    let none = world.json(CLERK, &format!("/address/jobs/{id}/export?format=geojson&band=auto")).await;
    assert_eq!(none["features"].as_array().unwrap().len(), 2);

    use calamine::Reader;
    let bytes = world.get(CLERK, &format!("/address/jobs/{id}/export?format=xlsx")).await.bytes().await.unwrap();
    let mut book: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(bytes.to_vec())).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    assert_eq!(sheet.height(), 6);
    assert_eq!(sheet.get_value((1, 1)).unwrap().to_string(), "甲");
    // The workbook is a file of addresses like any other.
    let draft = read(send(world, CLERK, "again.xlsx", bytes.to_vec()).await, 201).await;
    assert_eq!((&draft["format"], &draft["rows"]), (&json!("XLSX"), &json!(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_refused_with_row_and_cause() {
    let world = World::new().await;
    for (bytes, cause) in [
        (&b""[..], "文件是空的"),
        ("编号,地址\n1,甲\n2,乙,丙\n".as_bytes(), "第 3 行有 3 列，表头有 2 列"),
        ("编号,地址\n1,甲\n2\n".as_bytes(), "第 3 行有 1 列，表头有 2 列"),
        ("1001,市南区香港中路10号\n1002,市北区台东一路3号\n".as_bytes(), "第 1 行不像表头"),
        (b"PK\x03\x04 this is no workbook", "工作簿无法读取"),
    ] {
        let problem = read(send(&world, CLERK, "坏.csv", bytes).await, 400).await;
        assert!(problem["detail"].as_str().unwrap().contains(cause), "{problem}");
        assert_eq!(problem["parameter"], "data");
    }
    let form = Form::new().text("encoding", "klingon").part("data", Part::bytes(PEOPLE.as_bytes()).file_name("a.csv"));
    let response = world.by(CLERK, Method::POST, "/address/jobs").await.multipart(form).send().await.unwrap();
    assert_eq!(read(response, 400).await["parameter"], "encoding");
    let listed = world.json(CLERK, "/address/jobs").await;
    assert_eq!(listed["jobs"], json!([]), "nothing is left of them");
    let folder = world.app.config.data.join("address-files");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "nor on the disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_departments_quota_holds_for_address_files_too() {
    let world = World::with(|c| c.department_quota = 200).await;
    let small = "编号,地址\n1,市南区香港中路10号\n";
    read(send(&world, CLERK, "a.csv", small).await, 201).await;
    let large = format!("编号,地址\n{}", "1,市南区香港中路10号\n".repeat(10));
    read(send(&world, CLERK, "b.csv", large).await, 413).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_nobody_starts_is_gone_after_a_week() {
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let draft =
        async || read(send(&world, CLERK, "人口.csv", PEOPLE).await, 201).await["id"].as_str().unwrap().to_owned();
    let (old, new, run) = (draft().await, draft().await, matched(&world, PEOPLE).await);
    world
        .sql(&format!(
            "update onemap.address_job set created_at = now() - interval '8 days' where id in ('{old}', '{run}')"
        ))
        .await;
    let folder = world.app.config.data.join("address-files");
    let files = || {
        std::fs::read_dir(&folder)
            .unwrap()
            .filter(|f| f.as_ref().unwrap().path().extension() == Some("csv".as_ref()))
            .count()
    };
    assert_eq!(files(), 3);
    world.app.address_jobs.expire_once().await.unwrap();
    for (id, status) in [(old, 404), (new, 200), (run, 200)] {
        assert_eq!(world.get(CLERK, &format!("/address/jobs/{id}")).await.status(), status);
    }
    assert_eq!(files(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_departments_job_is_not_there() {
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let id = matched(&world, PEOPLE).await;
    for (method, path) in [
        (Method::GET, ""),
        (Method::POST, "/start"),
        (Method::POST, "/pause"),
        (Method::POST, "/resume"),
        (Method::POST, "/cancel"),
        (Method::POST, "/rerun"),
        (Method::GET, "/rows"),
        (Method::POST, "/rows/1/decision"),
        (Method::GET, "/comparison"),
        (Method::GET, "/counts"),
        (Method::GET, "/export"),
        (Method::DELETE, ""),
    ] {
        let request = world.by(OWNER, method.clone(), &format!("/address/jobs/{id}{path}")).await;
        assert_eq!(request.body("{}").send().await.unwrap().status(), 404, "{method} {path}");
    }
    let removed = world.by(CLERK, Method::DELETE, &format!("/address/jobs/{id}")).await.send().await.unwrap();
    assert_eq!(removed.status(), 204);
    assert_eq!(world.get(CLERK, &format!("/address/jobs/{id}")).await.status(), 404);
    world.sql("do $$ begin assert (select count(*) from pg_class where relnamespace = 'address'::regnamespace) = 0; end $$").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_no_longer_be_read_is_neither_used_nor_shown() {
    let world = World::new().await;
    door_layer(&world, "secret", ShareClass::Conditional).await;
    let grant = "insert into onemap.access_grant (layer_id, department_id, purpose, granted_by)
                 values ('secret', 'health', 'test', 'test')";
    world.sql(grant).await;
    world.app.refresh().await.unwrap();
    let id = matched(&world, PEOPLE).await;
    assert_eq!(row(&world, &id, 1).await["label"], "青岛市市南区香港中路街道香港中路12号");
    world.sql("update onemap.access_grant set revoked_at = now()").await;
    world.app.refresh().await.unwrap();
    let first = row(&world, &id, 1).await;
    assert_eq!((&first["band"], &first["withheld"]), (&json!("auto"), &json!(true)), "{first}");
    assert_eq!((&first["label"], &first["lon"], &first["score"]), (&Value::Null, &Value::Null, &Value::Null));
    let csv = world.get(CLERK, &format!("/address/jobs/{id}/export")).await.text().await.unwrap();
    assert!(!csv.contains("香港中路街道"), "{csv}");
    let counts = world.json(CLERK, &format!("/address/jobs/{id}/counts")).await;
    assert_eq!(counts["counts"], json!([]));
    assert_eq!(post(&world, CLERK, &format!("/address/jobs/{id}/rerun"), json!({})).await.status(), 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_under_a_wider_grant_is_withheld_under_a_narrower_one() {
    let world = World::new().await;
    door_layer(&world, "secret", ShareClass::Conditional).await;
    let granted = async |filter: &str| {
        world.sql("update onemap.access_grant set revoked_at = now()").await;
        world
            .sql(&format!(
                "insert into onemap.access_grant (layer_id, department_id, purpose, granted_by, row_filter)
                 values ('secret', 'health', 'test', 'test', {filter})"
            ))
            .await;
        world.app.refresh().await.unwrap();
    };
    granted("null").await;
    let id = matched(&world, PEOPLE).await;
    granted(r#"'{"district": ["市北区"]}'"#).await;
    for number in [1, 4] {
        let found = row(&world, &id, number).await;
        assert_eq!((&found["withheld"], &found["label"]), (&json!(true), &Value::Null), "{found}");
    }
    // What is found under it is shown under it, and under all of the layer.
    let again = matched(&world, PEOPLE).await;
    assert_eq!(row(&world, &again, 4).await["withheld"], json!(false));
    granted(r#"'{"district": ["市北区"]}'"#).await;
    assert_eq!(row(&world, &again, 4).await["withheld"], json!(false), "renewed, the same part");
    granted("null").await;
    for job in [&id, &again] {
        assert_eq!(row(&world, job, 4).await["label"], "青岛市市北区台东街道台东一路7号");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_of_the_department_is_matched_too() {
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let wanted = json!({"layer": "doors", "columns": ["address"]});
    assert_eq!(post(&world, CLERK, "/address/jobs", wanted.clone()).await.status(), 403, "somebody else's");
    assert_eq!(post(&world, CLERK, "/address/jobs", json!({"layer": "hidden"})).await.status(), 404);
    let draft = read(post(&world, OWNER, "/address/jobs", wanted).await, 201).await;
    assert_eq!((&draft["rows"], &draft["guess"]["address"]), (&json!(240), &json!(["address"])));
    let path = format!("/address/jobs/{}", draft["id"].as_str().unwrap());
    read(post(&world, OWNER, &format!("{path}/start"), json!({"columns": ["road", "number"]})).await, 200).await;
    for _ in 0..400 {
        let job = world.json(OWNER, &path).await;
        if job["state"] == "succeeded" {
            assert_eq!(job["bands"]["reject"], 0, "{job}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not end");
}

/// So many addresses, each with its number.
fn large(rows: usize) -> String {
    let doors: Vec<String> = doors().map(|(_, cells)| cells[6].clone()).collect();
    let mut text = String::from("编号,地址\n");
    for i in 0..rows {
        text.push_str(&format!("{i},{}\n", doors[i % doors.len()]));
    }
    text
}

/// Starts a draft; it has matched some of its rows.
async fn under_way(world: &World, path: &str) {
    read(post(world, CLERK, &format!("{path}/start"), json!({"columns": ["地址"]})).await, 200).await;
    for _ in 0..400 {
        if world.json(CLERK, path).await["done"].as_i64() > Some(0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} matches nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_rests_and_goes_on_where_it_was() {
    const ROWS: usize = 240_000;
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let draft = read(send(&world, CLERK, "a.csv", large(ROWS)).await, 201).await;
    let id = draft["id"].as_str().unwrap();
    let path = format!("/address/jobs/{id}");
    assert_eq!(post(&world, CLERK, &format!("{path}/pause"), json!({})).await.status(), 409, "a draft does not run");
    under_way(&world, &path).await;
    assert_eq!(post(&world, CLERK, &format!("{path}/start"), json!({"columns": ["地址"]})).await.status(), 409);
    read(post(&world, CLERK, &format!("{path}/pause"), json!({})).await, 200).await;
    let paused = state(&world, id, &["paused", "succeeded"]).await;
    assert_eq!(paused["state"], "paused", "{paused}");
    let done = paused["done"].as_i64().unwrap();
    assert!(done > 0 && done < ROWS as i64, "{paused}");
    assert_eq!(world.by(CLERK, Method::DELETE, &path).await.send().await.unwrap().status(), 409, "it is not over");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(world.json(CLERK, &path).await["done"], done, "it rests");
    read(post(&world, CLERK, &format!("{path}/resume"), json!({})).await, 200).await;
    let over = state(&world, id, &["succeeded", "failed"]).await;
    assert_eq!((&over["state"], &over["done"]), (&json!("succeeded"), &json!(ROWS)), "{over}");
    whole(&world.get(CLERK, &format!("{path}/export")).await.text().await.unwrap(), ROWS);
}

/// An export has every row once, in order.
fn whole(export: &str, rows: usize) {
    let mut table = csv::Reader::from_reader(export.trim_start_matches('\u{feff}').as_bytes());
    let numbers: Vec<usize> = table.records().map(|r| r.unwrap()[0].parse().unwrap()).collect();
    assert_eq!(numbers.len(), rows);
    assert!(numbers.iter().enumerate().all(|(i, n)| i == *n), "in the file's order");
    assert_eq!(numbers.into_iter().collect::<BTreeSet<_>>().len(), rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_keeps_what_it_found() {
    let world = World::new().await;
    door_layer(&world, "doors", ShareClass::Unconditional).await;
    let draft = read(send(&world, CLERK, "a.csv", large(60_000)).await, 201).await;
    let id = draft["id"].as_str().unwrap();
    read(post(&world, CLERK, &format!("/address/jobs/{id}/start"), json!({"columns": ["地址"]})).await, 200).await;
    state(&world, id, &["running"]).await;
    read(post(&world, CLERK, &format!("/address/jobs/{id}/cancel"), json!({})).await, 200).await;
    let over = state(&world, id, &["cancelled", "succeeded"]).await;
    assert_eq!(over["state"], "cancelled");
    let export = world.get(CLERK, &format!("/address/jobs/{id}/export")).await.text().await.unwrap();
    whole(&export, over["done"].as_u64().unwrap() as usize);
    assert_eq!(post(&world, CLERK, &format!("/address/jobs/{id}/resume"), json!({})).await.status(), 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_given_up_cannot_move_the_checkpoint() {
    let world = World::new().await;
    let (queue, by) = (world.app.queue.clone(), Principal::operator("housing"));
    let id = queue.put(&by, "test.kind", &json!({})).await.unwrap();
    let first = queue.take(&["test.kind"]).await.unwrap().unwrap().task(by.clone());
    world.sql("update onemap.job set heartbeat_at = now() - interval '1 minute'").await;
    let second = queue.take(&["test.kind"]).await.unwrap().unwrap().task(by.clone());
    let client = world.app.database.app().await.unwrap();
    assert!(queue::move_checkpoint(&**client, &first, &json!({"row": 7}), 7).await.is_err());
    queue::move_checkpoint(&**client, &second, &json!({"row": 3}), 3).await.unwrap();
    assert!(queue::checkpoint(&**client, &first).await.is_err());
    assert_eq!(queue::checkpoint(&**client, &second).await.unwrap(), Some(json!({"row": 3})));
    // The one that is gone cannot end the job either.
    queue.end((id, first.run), "failed", None, None).await.unwrap();
    assert_eq!(queue.get("housing", id).await.unwrap().state, "running");
    // One that comes along is not given up, however often it is interrupted.
    for _ in 0..5 {
        world.sql("update onemap.job set heartbeat_at = now() - interval '1 minute'").await;
        let taken = queue.take(&["test.kind"]).await.unwrap().unwrap();
        assert!(taken.attempts <= 2, "{}", taken.attempts);
        queue::move_checkpoint(&**client, &taken.task(by.clone()), &json!({"row": 4}), 4).await.unwrap();
    }
    assert_eq!(queue.get("housing", id).await.unwrap().done, 4, "what was done stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_goes_on_without_loss_or_doubles() {
    const ROWS: usize = 120_000;
    let data = tempfile::tempdir().unwrap();
    let mut server = crate::process::start(data.path());
    let client = Client::of(&server.url, data.path()).await;
    let (layer, texts) = client.source().await;
    let mut file = String::from("编号,地址\n");
    (0..ROWS).for_each(|i| file.push_str(&format!("{i},{}\n", texts[i % texts.len()])));
    let form = Form::new().part("data", Part::bytes(file.into_bytes()).file_name("人口.csv"));
    let draft: Value =
        client.request(Method::POST, "/address/jobs").multipart(form).send().await.unwrap().json().await.unwrap();
    let path = format!("/address/jobs/{}", draft["id"].as_str().unwrap_or_else(|| panic!("{draft}")));
    let start = json!({"columns": ["地址"], "sources": [layer]});
    let started = client.request(Method::POST, &format!("{path}/start")).json(&start).send().await.unwrap();
    assert_eq!(started.status(), 200, "{}", started.text().await.unwrap());

    // The server, then the database alone.
    let first = client.beyond(&path, 0).await;
    assert!(first < ROWS as i64, "it was not killed in the middle: {first}");
    server.kill();
    server = crate::process::start(data.path());
    let client = Client::of(&server.url, data.path()).await;
    let second = client.beyond(&path, first).await;
    server.kill_postgres();
    let job = client.over(&path).await;
    assert_eq!((&job["state"], &job["done"]), (&json!("succeeded"), &json!(ROWS)), "{job} {first} {second}");
    let bands = job["bands"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>();
    assert_eq!(bands, ROWS as u64, "{job}");
    let export = client.request(Method::GET, &format!("{path}/export")).send().await.unwrap().text().await.unwrap();
    whole(&export, ROWS);
}

/// The demo's administrator at a server of its own.
struct Client {
    client: reqwest::Client,
    cookie: String,
    url: String,
}

impl Client {
    async fn of(url: &str, data: &Path) -> Client {
        let client = reqwest::Client::new();
        let account = &crate::process::credentials(data)["admin"];
        let response = client.post(format!("{url}/api/v1/session")).json(account).send().await.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Client { client, cookie, url: url.to_owned() }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).header("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Option<Value> {
        self.request(Method::GET, path).send().await.ok()?.json().await.ok()
    }

    /// An address source that is ready, and addresses of it.
    async fn source(&self) -> (String, Vec<String>) {
        for _ in 0..1200 {
            let listed = self.get("/api/v1/address-sources").await.unwrap();
            let ready = |s: &&Value| s["index"]["state"] == "ready" && s["layer"] == "addresses";
            if let Some(source) = listed["sources"].as_array().unwrap().iter().find(ready) {
                let layer = source["layer"].as_str().unwrap();
                let page = self.get(&format!("/ogc/collections/{layer}/items?limit=2000")).await.unwrap();
                let text = |f: &Value| f["properties"]["full_address"].as_str().unwrap().to_owned();
                return (layer.to_owned(), page["features"].as_array().unwrap().iter().map(text).collect());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the demo's addresses are no source");
    }

    /// Waits until more rows than these are done.
    async fn beyond(&self, path: &str, rows: i64) -> i64 {
        for _ in 0..3000 {
            let job = self.get(path).await.unwrap_or_default();
            assert_ne!(job["state"], "failed", "{job}");
            match job["done"].as_i64() {
                Some(done) if done > rows => return done,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        panic!("the job does not go on behind {rows}");
    }

    async fn over(&self, path: &str) -> Value {
        for _ in 0..3000 {
            let job = self.get(path).await.unwrap_or_default();
            if matches!(job["state"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the job does not end");
    }
}
