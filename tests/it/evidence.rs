//! Evidence of accesses: what is recorded, what happens when it cannot be, who may look, what tampering leaves behind.

use std::collections::HashSet;
use std::path::Path;

use onemap::access::principal::Role;
use onemap::evidence::verify::{self, Report, Wanted};
use onemap::evidence::{chains, partitions, stretches};
use onemap::http::routes::{Access, table};
use onemap_evidence::{Block, Fault, Head, Record, TileList};
use reqwest::Method;
use serde_json::{Value, json};

use crate::routes::fill;
use crate::world::{As, World, key_of};

const AUDITOR: As = As::Person("health", Role::Auditor);
const ITEMS: &str = "/ogc/collections/unconditional/items";

/// Rows of the database, once what was recorded is written.
async fn rows(world: &World, sql: &str) -> Vec<tokio_postgres::Row> {
    world.app.recorder.durable().await.expect("written");
    let client = world.app.database.app().await.unwrap();
    client.query(sql, &[]).await.expect(sql)
}

/// The records of a request, as JSON.
async fn records(world: &World, request: &str) -> Vec<Value> {
    let sql = format!(
        "select to_jsonb(e) from onemap.evidence e where request = '{request}' order by complete, block, place"
    );
    rows(world, &sql).await.iter().map(|row| row.get(0)).collect()
}

fn request_id(response: &reqwest::Response) -> String {
    response.headers()["x-request-id"].to_str().unwrap().to_owned()
}

/// Tiles in records so far.
async fn tiles(world: &World) -> i64 {
    let sql = "select coalesce(sum(requests), 0)::int8 from onemap.evidence where operation = 'tile'";
    rows(world, sql).await[0].get(0)
}

/// Routes of a layer that say nothing but what the catalogue says, or do not look at the layer's data at all.
const NO_DATA: [(&str, &str); 1] = [("GET", "/api/v1/layers/{layer}")];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_a_layer_that_gives_something_leaves_a_record() {
    let world = World::new().await;
    let cookie = world.sign_in("housing-publisher").await;
    let mut seen = 0;
    for route in table().iter().filter(|route| route.access == Access::Layer) {
        let layer = if route.path == "/tiles/{layer}" { "unconditional.json" } else { "unconditional" };
        let path = fill(route.path, layer);
        let before = tiles(&world).await;
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let response = world.request(method, &path).header("cookie", &cookie).body("{}").send().await.unwrap();
        let (status, id) = (response.status(), request_id(&response));
        response.bytes().await.unwrap();
        let gives = status.is_success() || status.as_u16() == 304;
        if !gives || route.method == "OPTIONS" || NO_DATA.contains(&(route.method, route.path)) {
            continue;
        }
        let kept = records(&world, &id).await;
        let recorded = kept.iter().any(|record| record["layer"] == "unconditional");
        assert!(
            recorded || tiles(&world).await > before,
            "{} {path} ({status}) left no record: {kept:?}",
            route.method
        );
        seen += 1;
    }
    assert!(seen > 15, "only {seen} routes answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_of_many_layers_record_each_that_they_opened() {
    let world = World::new().await;
    world.indexed("unconditional").await;
    let execute = json!({"inputs": {"lon": 120.0, "lat": 36.0, "layers": ["unconditional"]}});
    let wms = "service=WMS&version=1.3.0&request=GetMap&layers=unconditional&styles=&crs=CRS:84&bbox=120,36,120.1,36.1\
               &width=64&height=64&format=image/png";
    for (method, path, body, operation) in [
        (Method::GET, "/api/v1/identify?lon=120.0&lat=36.0&layers=unconditional,open".to_owned(), None, "identify"),
        (Method::GET, format!("/ogc/wms?{wms}"), None, "map"),
        (
            Method::GET,
            "/ogc/wfs?service=WFS&version=2.0.0&request=GetFeature&typeNames=unconditional&count=5".to_owned(),
            None,
            "features",
        ),
        (Method::POST, "/ogc/processes/identify/execution".to_owned(), Some(execute), "process"),
    ] {
        let mut request = world.request(method, &path).bearer_auth(key_of("health"));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, id) = (response.status(), request_id(&response));
        let text = response.bytes().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&text));
        let kept = records(&world, &id).await;
        assert!(kept.iter().any(|r| r["layer"] == "unconditional" && r["operation"] == operation), "{path}: {kept:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_who_what_from_where_and_under_which_grant() {
    let world = World::new().await;
    world.grant("fields", "'{name,kind}'").await;
    let query = "bbox=119.99,35.99,120.05,36.05&filter=kind%3D'住宅'&limit=3";
    let path = format!("/ogc/collections/conditional/items?{query}");
    let request = world.request(Method::GET, &path).bearer_auth(key_of("health"));
    let response = request.header("referer", "https://u:p@map.example/page?name=x").send().await.unwrap();
    let id = request_id(&response);
    let body = response.text().await.unwrap();
    let given: Value = serde_json::from_str(&body).unwrap();
    let kept = records(&world, &id).await;
    let [record] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!(record["department"], "health");
    assert!(record["who"].as_str().unwrap().starts_with("key:"), "{record}");
    assert_eq!(record["address"], "127.0.0.1");
    assert_eq!(record["origin"], "map.example");
    assert_eq!(
        (&record["operation"], &record["layer"], &record["owner"]),
        (&json!("features"), &json!("conditional"), &json!("housing"))
    );
    assert_eq!((&record["revision"], &record["status"], &record["complete"]), (&json!(1), &json!(200), &json!(true)));
    assert!(record["grant_id"].is_number() && record["purpose"] == "test", "{record}");
    assert_eq!(record["fields"], json!(["name", "kind"]));
    assert!(record["filter"].as_str().unwrap().contains("住宅"), "{record}");
    assert_eq!(record["extent"], json!([119.99, 35.99, 120.05, 36.05]));
    let ids: Vec<&Value> = given["features"].as_array().unwrap().iter().map(|f| &f["id"]).collect();
    assert_eq!(record["features"], json!(ids), "those of the page, not the one that was read beyond it");
    assert_eq!((&record["rows"], &record["bytes"]), (&json!(3), &json!(body.len())));
    assert!(!record.to_string().contains(&key_of("health")), "a key's text is nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_recorded_and_what_was_merely_tried_is_not() {
    let world = World::new().await;
    for (layer, status) in [("hidden", 404), ("conditional", 403)] {
        let response = world.get(As::Key("health"), &format!("/ogc/collections/{layer}/items")).await;
        assert_eq!(response.status(), status);
        let kept = records(&world, &request_id(&response)).await;
        let [record] = &kept[..] else { panic!("{kept:?}") };
        assert_eq!((&record["layer"], &record["status"], &record["rows"]), (&json!(layer), &json!(status), &json!(0)));
    }
    let unknown = world.get(As::Key("health"), "/ogc/collections/nothing/items").await;
    assert!(records(&world, &request_id(&unknown)).await.is_empty(), "a name that is no layer's is not kept");
    let open = world.get(As::Key("health"), "/ogc/collections").await;
    assert!(records(&world, &request_id(&open)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_of_one_asker_share_rows_and_each_is_in_them() {
    let world = World::new().await;
    for column in 13_648..13_668 {
        let path = format!("/tiles/unconditional/14/{column}/6420");
        let response = world.get(As::Key("health"), &path).await;
        assert!(response.status().is_success(), "{path}");
    }
    let sql = "select requests, tiles, extent, detail from onemap.evidence
               where operation = 'tile' and layer = 'unconditional' and who like 'key:%'";
    let kept = rows(&world, sql).await;
    let mut columns = HashSet::new();
    for row in &kept {
        let list: Vec<_> = TileList::read(row.get(1)).collect();
        assert_eq!(list.len() as i32, row.get::<_, i32>(0));
        columns.extend(list.iter().map(|tile| tile.column));
        let extent: Vec<f64> = row.get(2);
        assert!(extent[0] > 119.0 && extent[2] < 121.0 && row.get::<_, &str>(3) == "WebMercatorQuad");
    }
    assert_eq!(columns.len(), 20);
    assert!(kept.len() < 20, "{} rows for 20 tiles", kept.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_a_record_before_its_first_and_before_its_last_byte() {
    let world = World::new().await;
    let response = world.get(As::Key("health"), &format!("{ITEMS}?f=csv")).await;
    let id = request_id(&response);
    let body = response.bytes().await.unwrap();
    // Not waiting for the writer: what was given was written before.
    let client = world.app.database.app().await.unwrap();
    let sql =
        "select complete, requests, rows, bytes, operation from onemap.evidence where request = $1 order by complete";
    let kept = client.query(sql, &[&id]).await.unwrap();
    let kept: Vec<(bool, i32, i64, i64, String)> =
        kept.iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3), r.get(4))).collect();
    assert_eq!(kept, [(false, 0, 0, 0, "file".into()), (true, 1, 100, body.len() as i64, "file".into())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_evidence_no_data_is_given_and_what_waited_is_written_later() {
    let world = World::new().await;
    let tile = "/tiles/unconditional/8/213/100";
    assert!(world.get(As::Key("health"), tile).await.status().is_success());
    world.app.recorder.durable().await.unwrap();
    world.sql("alter table onemap.evidence rename to evidence_away").await;
    let served = world.get(As::Key("health"), &format!("{ITEMS}?limit=1")).await;
    assert!(served.status().is_success(), "what can wait for a second is given");
    let waiting = request_id(&served);
    tokio::time::sleep(std::time::Duration::from_millis(1800)).await;
    for path in [tile, "/ogc/collections/unconditional/items?limit=1", "/ogc/collections/unconditional/items?f=csv"] {
        let response = world.get(As::Key("health"), path).await;
        assert_eq!(response.status(), 503, "{path}");
        let problem: Value = response.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains("存证"), "{problem}");
        assert!(!problem.to_string().contains("evidence_away"));
    }
    assert!(world.get(As::Key("health"), "/healthz").await.status().is_success(), "what is no data is answered");
    world.sql("alter table onemap.evidence_away rename to evidence").await;
    assert_eq!(records(&world, &waiting).await.len(), 1, "the record waited");
    assert!(world.get(As::Key("health"), tile).await.status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_recorded_under_their_id() {
    let world = World::new().await;
    world.indexed("unconditional").await;
    let who = As::Person("health", Role::Publisher);
    let begun = world.by(who, Method::POST, "/api/v1/layers/unconditional/export").await;
    let begun: Value = begun.body(r#"{"maxzoom": 4}"#).send().await.unwrap().json().await.unwrap();
    let job = begun["job"].as_str().unwrap().to_owned();
    finished(&world, who, &job).await;
    let kept = records(&world, &job).await;
    let [record] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((&record["operation"], &record["layer"]), (&json!("tiles.export"), &json!("unconditional")));
    assert_eq!(record["who"], "person:health-publisher");
    let file = world.get(who, &format!("/api/v1/jobs/{job}/tiles.pmtiles")).await;
    let id = request_id(&file);
    file.bytes().await.unwrap();
    let kept = records(&world, &id).await;
    let told: Vec<_> =
        kept.iter().map(|r| (r["operation"].as_str().unwrap(), r["complete"].as_bool().unwrap())).collect();
    assert_eq!(told, [("download", false), ("write.download", true), ("download", true)], "{kept:?}");
}

async fn finished(world: &World, who: As, job: &str) -> Value {
    let cookie = match who {
        As::Person(department, role) => world.sign_in(&format!("{department}-{}", role.name())).await,
        _ => panic!("a person"),
    };
    for _ in 0..200 {
        let request = world.request(Method::GET, &format!("/api/v1/jobs/{job}")).header("cookie", &cookie);
        let info: Value = request.send().await.unwrap().json().await.unwrap();
        match info["state"].as_str().unwrap() {
            "succeeded" => return info,
            "failed" | "cancelled" => panic!("{info}"),
            _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
    panic!("{job} does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_see_all_and_administrators_what_concerns_their_department() {
    let world = World::new().await;
    world.get(As::Key("health"), &format!("{ITEMS}?limit=2")).await.bytes().await.unwrap();
    world.get(As::Key("housing"), "/ogc/collections/hidden/items?limit=2").await.bytes().await.unwrap();
    world.app.recorder.durable().await.unwrap();
    let search = "/api/v1/audit?operation=features";
    let all = world.json(AUDITOR, search).await;
    assert_eq!(layers(&all), ["hidden", "unconditional"], "newest first: {all}");
    let own = world.json(As::Person("housing", Role::DepartmentAdministrator), search).await;
    assert_eq!(layers(&own), ["hidden", "unconditional"], "its own layers: {own}");
    let others = world.json(As::Person("health", Role::DepartmentAdministrator), search).await;
    assert_eq!(layers(&others), ["unconditional"], "its own people: {others}");
    for role in [Role::PlatformAdministrator, Role::Publisher, Role::User] {
        assert_eq!(world.get(As::Person("health", role), search).await.status(), 403, "{role:?}");
    }
    assert_eq!(world.get(As::Key("health"), search).await.status(), 403);
    // Looking is recorded, too.
    let looked = world.json(AUDITOR, "/api/v1/audit?operation=audit.search").await;
    let texts = looked["records"].to_string();
    assert!(texts.contains("person:health-auditor") && texts.contains("view = housing"), "{texts}");
    let figures = world.json(AUDITOR, "/api/v1/audit/summary?by=layer,department&operation=features").await;
    let health = figures["figures"].as_array().unwrap().iter().find(|f| f["department"] == "health").unwrap().clone();
    assert_eq!(
        (&health["layer"], &health["requests"], &health["rows"]),
        (&json!("unconditional"), &json!(1), &json!(2))
    );
}

fn layers(found: &Value) -> Vec<&str> {
    found["records"].as_array().unwrap().iter().filter_map(|record| record["layer"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_page_and_narrow() {
    let world = World::new().await;
    for limit in 1..=7 {
        world.get(As::Key("health"), &format!("{ITEMS}?limit={limit}")).await.bytes().await.unwrap();
    }
    world.app.recorder.durable().await.unwrap();
    let mut rows = vec![];
    let mut path = "/api/v1/audit?layer=unconditional&operation=features&limit=3".to_owned();
    loop {
        let page = world.json(AUDITOR, &path).await;
        rows.extend(page["records"].as_array().unwrap().iter().map(|r| r["rows"].as_i64().unwrap()));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/audit?layer=unconditional&operation=features&limit=3&after={next}"),
            None => break,
        }
    }
    assert_eq!(rows, [7, 6, 5, 4, 3, 2, 1]);
    for (narrow, count) in [
        ("department=health", 7),
        ("department=housing", 0),
        ("status=403", 0),
        ("bbox=120,36,121,37", 7),
        ("to=2020-01-01", 0),
        ("from=2020-01-01", 7),
    ] {
        let found =
            world.json(AUDITOR, &format!("/api/v1/audit?layer=unconditional&operation=features&{narrow}")).await;
        assert_eq!(found["records"].as_array().unwrap().len(), count, "{narrow}: {found}");
    }
    for (bad, parameter) in
        [("from=x", "from"), ("feature=1", "layer"), ("after=x", "after"), ("limit=0", "limit"), ("bbox=1", "bbox")]
    {
        let response = world.get(AUDITOR, &format!("/api/v1/audit?{bad}")).await;
        assert_eq!(response.status(), 400, "{bad}");
        assert_eq!(response.json::<Value>().await.unwrap()["parameter"], parameter, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_saw_a_feature_is_answered() {
    let world = World::new().await;
    // Feature 1 lies at 120.00 36.00, feature 100 at 120.09 36.09.
    world.get(As::Key("health"), &format!("{ITEMS}/1")).await.bytes().await.unwrap();
    world.get(As::Key("health"), &format!("{ITEMS}?bbox=120.085,36.085,120.1,36.1")).await.bytes().await.unwrap();
    let (x, y) = tile_of(120.0, 36.0);
    world.get(As::Key("health"), &format!("/tiles/unconditional/14/{x}/{y}")).await.bytes().await.unwrap();
    let (x, y) = tile_of(120.09, 36.09);
    world.get(As::Key("housing"), &format!("/tiles/unconditional/14/{x}/{y}")).await.bytes().await.unwrap();
    world.app.recorder.durable().await.unwrap();
    let seen = world.json(AUDITOR, "/api/v1/audit?layer=unconditional&feature=1").await;
    let mut seen: Vec<(&str, &str, &str)> = seen["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["operation"].as_str().unwrap(), r["department"].as_str().unwrap(), r["match"].as_str().unwrap()))
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, [("feature", "health", "certain"), ("tile", "health", "possible")]);
}

fn tile_of(longitude: f64, latitude: f64) -> (u32, u32) {
    let side = f64::from(1u32 << 14);
    let sine = latitude.to_radians().sin();
    let row = (0.5 - ((1.0 + sine) / (1.0 - sine)).ln() / (4.0 * std::f64::consts::PI)) * side;
    (((longitude / 360.0 + 0.5) * side) as u32, row as u32)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_signed_and_a_changed_one_is_found() {
    let world = World::new().await;
    world.get(As::Key("health"), &format!("{ITEMS}?limit=2")).await.bytes().await.unwrap();
    world.app.recorder.durable().await.unwrap();
    let begun = world.by(AUDITOR, Method::POST, "/api/v1/audit/exports").await;
    let begun = begun.json(&json!({"layer": "unconditional", "operation": "features"})).send().await.unwrap();
    assert_eq!(begun.status(), 202);
    let job = begun.json::<Value>().await.unwrap()["job"].as_str().unwrap().to_owned();
    let info = finished(&world, AUDITOR, &job).await;
    assert_eq!(info["result"]["records"], 1, "{info}");
    let path = format!("/api/v1/audit/exports/{job}");
    let administrator = As::Person("health", Role::DepartmentAdministrator);
    assert_eq!(world.get(administrator, &path).await.status(), 404, "another's view");
    let archive = world.get(AUDITOR, &path).await.bytes().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.zip");
    std::fs::write(&file, &archive).unwrap();
    let manifest = verify::verify_export(&file, None).unwrap();
    assert_eq!((manifest.exported.records, &*manifest.exported.by), (1, "person:health-auditor"));
    assert!(verify::verify_export(&file, Some(&onemap_evidence::PublicKey("04".into()))).is_err());
    repack(&file, &file, |table| table.replace("health", "wealth"));
    let error = verify::verify_export(&file, None).unwrap_err();
    assert!(error.detail.zh.contains("改动"), "{error}");
}

/// Writes an archive anew with another table.
fn repack(from: &Path, to: &Path, change: impl Fn(String) -> String) {
    use std::io::{Read, Write};
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(std::fs::read(from).unwrap())).unwrap();
    let mut out = zip::ZipWriter::new(std::fs::File::create(to).unwrap());
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        out.start_file(&name, zip::write::SimpleFileOptions::default()).unwrap();
        let text = if name.ends_with(".csv") { change(text) } else { text };
        out.write_all(text.as_bytes()).unwrap();
    }
    out.finish().unwrap();
}

async fn verified(world: &World) -> Report {
    world.app.recorder.durable().await.unwrap();
    let folder = world.app.config.data.join("seals");
    let wanted = Wanted { seals: folder.is_dir().then_some(folder.as_path()), ..Wanted::default() };
    verify::verify(&world.app.database, &wanted).await.unwrap()
}

/// A world with five blocks or more, reads and writes in them, sealed in the middle and at the end.
async fn sealed() -> World {
    let world = World::new().await;
    for round in 0..5 {
        for limit in 1..4 {
            world.get(As::Key("health"), &format!("{ITEMS}?limit={limit}")).await.bytes().await.unwrap();
        }
        world.sign_in("health-user").await;
        world.app.recorder.durable().await.unwrap();
        if round == 2 {
            assert!(world.app.evidence.seal().await.unwrap().is_some());
        }
    }
    let file = world.app.evidence.seal().await.unwrap().expect("a seal");
    assert!(world.app.evidence.seal().await.unwrap().is_none(), "nothing came since");
    assert!(std::fs::read_to_string(file).unwrap().contains("\"signature\""));
    let report = verified(&world).await;
    assert_eq!(report.faults, vec![]);
    assert!(report.blocks >= 5 && report.records >= 20 && report.seals == 2, "{report:?}");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_are_told_how_the_chains_stand() {
    let world = sealed().await;
    let path = "/api/v1/audit/chains";
    let told = world.json(AUDITOR, path).await;
    let chain = &told["chains"][0];
    assert_eq!((told["chains"].as_array().unwrap().len(), &told["verified"]), (1, &Value::Null), "{told}");
    let (last, sealed) = (chain["last"]["block"].as_i64().unwrap(), chain["sealed"]["block"].as_i64().unwrap());
    assert!(last >= sealed && sealed >= 5 && chain["not_sealed"] == last - sealed, "{told}");
    // The signing in of the auditor is written meanwhile, or not yet.
    let written = "select count(*) from onemap.evidence where block <= $1";
    let client = world.app.database.app().await.unwrap();
    let written: i64 = client.query_one(written, &[&last]).await.unwrap().get(0);
    assert_eq!(chain["records"], written, "{told}");
    assert_eq!(chain["last"]["digest"].as_str().map(str::len), Some(64), "{told}");
    let wanted = Wanted::default();
    let report = verify::verify(&world.app.database, &wanted).await.unwrap();
    chains::note(&world.app.database, "operator", &wanted, &report).await.unwrap();
    let part = Wanted { since: Some(0), ..Wanted::default() };
    chains::note(&world.app.database, "operator", &part, &Report::default()).await.unwrap();
    let told = world.json(AUDITOR, path).await;
    assert_eq!((&told["verified"]["faults"], &told["verified"]["chains"]), (&json!(0), &json!(1)), "{told}");
    assert_eq!(told["verified_in_part"]["records"], 0, "{told}");
    let administrator = As::Person("housing", Role::DepartmentAdministrator);
    assert_eq!(world.get(administrator, path).await.status(), 403);
}

/// Does to the database what no role may, as somebody who owns the machine.
async fn tamper(world: &World, statement: &str) {
    world.sql(&format!("set session_replication_role = replica; {statement}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_bit_in_any_column_is_found() {
    let world = sealed().await;
    let one =
        "(block, place) = (select block, max(place) from onemap.evidence where operation = 'features' and block >= 3
               group by block order by block limit 1)";
    for change in [
        "rows = rows # 1",
        "who = 'key:other'",
        "at = at + interval '1 microsecond'",
        "features[1] = features[1] + 1",
        "extent = '{1,2,3,4}'",
        "kept_at = kept_at + interval '1 microsecond'",
        "digest_check = digest_check # 1",
    ] {
        let before = "create table onemap.before_it as select * from onemap.evidence";
        tamper(&world, before).await;
        tamper(&world, &format!("update onemap.evidence set {change} where {one}")).await;
        let faults = verified(&world).await.faults;
        assert!(matches!(faults[..], [Fault::Record { .. }, ..]), "{change}: {faults:?}");
        tamper(
            &world,
            "delete from onemap.evidence; insert into onemap.evidence select * from onemap.before_it;
                        drop table onemap.before_it",
        )
        .await;
        assert_eq!(verified(&world).await.faults, vec![], "{change}, put right");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_blocks_taken_out_put_in_or_cut_off_are_found() {
    let world = sealed().await;
    type Case = (&'static str, fn(&Fault) -> bool);
    let cases: [Case; 7] = [
        ("delete from onemap.evidence where block = BLOCK and place = 0", |f| matches!(f, Fault::Count { .. })),
        (
            "insert into onemap.evidence select e.* from onemap.evidence e where block = BLOCK and place = 0", |f| matches!(f, Fault::Count { .. }),
        ),
        (
            "update onemap.evidence set place = 1 - place where block = BLOCK and place < 2", |f| matches!(f, Fault::Records { .. }),
        ),
        (
            "delete from onemap.evidence where block = 2; delete from onemap.evidence_block where number = 2",
            |f| matches!(f, Fault::Missing { from: 2, to: 2, .. }),
        ),
        (
            "insert into onemap.evidence (kept_at, node, block, place, digest_check, at, who, operation, status, complete,
                 requests, rows, bytes) values (now(), 1, 9999, 0, 0, now(), 'x', 'x', 200, true, 1, 0, 0)",
            |f| matches!(f, Fault::Stray { block: 9999, .. }),
        ),
        (
            "delete from onemap.evidence where block > 3; delete from onemap.evidence_block where number > 3",
            |f| matches!(f, Fault::Cut { .. }),
        ),
        ("update onemap.evidence_block set at = at + interval '1 second' where number = 2", |f| {
            matches!(f, Fault::Block { block: 2, .. })
        }),
    ];
    tamper(
        &world,
        "create table onemap.rows_before as select * from onemap.evidence;
         create table onemap.blocks_before as select * from onemap.evidence_block",
    )
    .await;
    for (statement, expected) in cases {
        let some = "(select min(number) from onemap.evidence_block where count > 1)";
        tamper(&world, &statement.replace("BLOCK", some)).await;
        let faults = verified_quietly(&world).await;
        assert!(faults.iter().any(expected), "{statement}: {faults:?}");
        tamper(
            &world,
            "delete from onemap.evidence; delete from onemap.evidence_block;
             insert into onemap.evidence_block select * from onemap.blocks_before;
             insert into onemap.evidence select * from onemap.rows_before",
        )
        .await;
        assert_eq!(verified_quietly(&world).await, vec![], "{statement}, put right");
    }
}

/// Without asking the writer for anything: nothing must be written while the chain is in pieces.
async fn verified_quietly(world: &World) -> Vec<Fault> {
    let folder = world.app.config.data.join("seals");
    let wanted = Wanted { seals: Some(&folder), ..Wanted::default() };
    verify::verify(&world.app.database, &wanted).await.unwrap().faults
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_of_writes_is_in_the_chain() {
    let world = sealed().await;
    let first = "(select min(id) from onemap.audit)";
    tamper(&world, &format!("update onemap.audit set principal = 'person:nobody' where id = {first}")).await;
    let faults = verified(&world).await.faults;
    assert!(matches!(faults[..], [Fault::Trail { .. }]), "{faults:?}");
    tamper(&world, "insert into onemap.audit (principal, action, object_kind, object_id) values ('x', 'x', 'x', 'x')")
        .await;
    let faults = verified(&world).await.faults;
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Untold { .. })), "{faults:?}");
    let found = world.json(AUDITOR, "/api/v1/audit?operation=write.sign_in&who=person:health-user").await;
    assert_eq!(found["records"].as_array().unwrap().len(), 5, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_owner_of_the_machine_changes_a_record() {
    let world = sealed().await;
    let app = world.app.database.app().await.unwrap();
    let importer = world.app.database.importer().await.unwrap();
    for statement in [
        "update onemap.evidence set rows = 0",
        "delete from onemap.evidence",
        "truncate onemap.evidence",
        "update onemap.evidence_block set count = 0",
        "delete from onemap.evidence_block",
        "delete from onemap.evidence_seal",
        "update onemap.audit set principal = 'x'",
        "delete from onemap.audit",
        "select onemap.make_evidence_partition('2020-01-01')",
    ] {
        for client in [&app, &importer] {
            let refused = client.batch_execute(statement).await.unwrap_err();
            assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{statement}");
        }
    }
    // The owner itself is stopped by triggers, in partitions, too.
    let (owner, connection) = world.app.database.owner().await.unwrap();
    tokio::spawn(connection);
    let partition: String =
        owner.query_one("select tableoid::regclass::text from onemap.evidence limit 1", &[]).await.unwrap().get(0);
    for statement in [
        "update onemap.evidence set rows = 0".to_owned(),
        format!("delete from {partition}"),
        format!("truncate {partition}"),
        "truncate onemap.evidence".to_owned(),
        "delete from onemap.evidence_block".to_owned(),
    ] {
        let refused = owner.batch_execute(&statement).await.unwrap_err();
        assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{statement}");
    }
    assert_eq!(verified(&world).await.faults, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_months_are_dropped_when_they_are_sealed_and_the_chain_stays_whole() {
    let world = World::new().await;
    // What a node wrote in a month of long ago.
    let at = 1_583_900_000_000_000;
    let record = Record { at, who: "person:li".into(), operation: "features".into(), ..Record::default() };
    let (block, checks) = Block::close(&Head::start(50), at, &[record]);
    let hex = |digest: &[u8]| format!("'\\x{}'", hex::encode(digest));
    tamper(
        &world,
        &format!(
            "select onemap.make_evidence_partition('2020-03-01');
             insert into onemap.evidence_node (id, name, public_key) overriding system value values (50, 'old', '04');
             insert into onemap.evidence_block values (50, 1, to_timestamp(1583900000), 1, {}, {}, {});
             insert into onemap.evidence (kept_at, node, block, place, digest_check, at, who, operation, status, complete, requests,
                 rows, bytes) values (to_timestamp(1583900000), 50, 1, 0, {}, to_timestamp(1583900000), 'person:li', 'features',
                 0, false, 0, 0, 0)",
            hex(&block.records),
            hex(&block.previous),
            hex(&block.digest),
            checks[0]
        ),
    )
    .await;
    assert_eq!(verified(&world).await.faults, vec![]);
    assert!(partitions::drop_old(&world.app.database, 6).await.unwrap().is_empty(), "it is not sealed");
    world.sql("insert into onemap.evidence_seal (node, block, records, digest, file) values (50, 1, 1, '', '')").await;
    assert_eq!(partitions::drop_old(&world.app.database, 6).await.unwrap(), ["202003"]);
    let sql = "select count(*) from onemap.evidence where node = 50";
    assert_eq!(rows(&world, sql).await[0].get::<_, i64>(0), 0);
    let report = verified(&world).await;
    assert_eq!(report.faults, vec![], "the block stays, and its month is known to be dropped");
    let dropped = world.json(AUDITOR, "/api/v1/audit?operation=write.drop").await;
    assert_eq!(dropped["records"][0]["written"]["id"], "202003", "{dropped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_write_a_chain_each() {
    let world = World::new().await;
    let other = world.beside().await;
    for one in [&world, &other] {
        one.get(As::Key("health"), &format!("{ITEMS}?limit=1")).await.bytes().await.unwrap();
        one.app.recorder.durable().await.unwrap();
    }
    let report = verified(&world).await;
    assert_eq!((report.chains, report.faults), (2, vec![]));
    let sql = "select count(distinct node) from onemap.evidence where operation = 'features'";
    assert_eq!(rows(&world, sql).await[0].get::<_, i64>(0), 2);
}

/// A chain of 60,000 records, one a second, of other nodes' layers: tiles all over a city, pages with features, refusals.
async fn filled(world: &World) {
    let fill = "insert into onemap.evidence_node (id, name, public_key) overriding system value values (70, 'filled', '04');
        select onemap.make_evidence_partition((now() - make_interval(months => m))::date) from generate_series(0, 1) m;
        insert into onemap.evidence_block (node, number, at, count, records, previous, digest)
            select 70, b, now() - make_interval(secs => 60000 - b * 100), 100, '', '', '' from generate_series(1, 600) b;
        insert into onemap.evidence (kept_at, node, block, place, digest_check, at, department, who, operation, layer, owner, status,
            complete, requests, rows, bytes, extent, features)
            select b.at, 70, b.number, p, 0, b.at - make_interval(secs => 99 - p), 'd' || i % 7, 'key:' || i % 11,
                case when i % 4 = 0 then 'features' else 'map' end, case when i % 30000 = 17 then 'rare' else 'layer' || i % 13 end,
                'd' || i % 5, case when i % 1000 = 0 then 403 else 200 end, true, 1, 1, 1,
                case when i % 4 > 0 then array[120 + x, 36 + x, 120.01 + x, 36.01 + x] end, case when i % 4 = 0 then array[i, i + 1] end
            from onemap.evidence_block b, generate_series(0, 99) p,
                lateral (select (b.number - 1) * 100 + p as i, (b.number % 50) / 50.0 as x) s where b.node = 70";
    world.sql(fill).await;
    world.sql("analyze onemap.evidence").await;
}

/// What searches find, and what a plain look at every row does.
#[tokio::test(flavor = "multi_thread")]
async fn searches_by_clues_find_what_a_look_at_every_row_finds() {
    let world = World::new().await;
    filled(&world).await;
    let plain = |condition: &'static str| {
        let sql = format!(
            "select node || '.' || block || '.' || place from onemap.evidence where node = 70 and {condition}
             order by at desc, node desc, block desc, place desc limit 120"
        );
        let world = &world;
        async move { rows(world, &sql).await.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>() }
    };
    let about = "layer = 'layer5' and (features @> '{4204}' or (features is null and status = 200))";
    let cases = [
        ("layer=rare", "layer = 'rare'"),
        ("layer=layer3", "layer = 'layer3'"),
        ("department=d2&layer=layer3", "department = 'd2' and layer = 'layer3'"),
        ("who=key:7&operation=features", "who = 'key:7' and operation = 'features'"),
        ("status=403&layer=layer0", "status = 403 and layer = 'layer0'"),
        ("layer=layer5&feature=4204", about),
        (
            "layer=layer9&bbox=120.555,36.555,120.556,36.556",
            "layer = 'layer9' and (extent is null or extent[1] <= 120.556 and extent[3] >= 120.555 and extent[2] <= 36.556
                 and extent[4] >= 36.555)",
        ),
        ("department=d1&bbox=120.71,36.71,120.72,36.72&operation=map",
            "department = 'd1' and operation = 'map' and extent[1] <= 120.72 and extent[3] >= 120.71 and extent[2] <= 36.72
                 and extent[4] >= 36.71"),
    ];
    for noted in [false, true] {
        if noted {
            stretches::note_all(&world.app.database).await.unwrap();
            let count = rows(&world, "select count(*) from onemap.evidence_stretch where node = 70").await;
            assert!(count[0].get::<_, i64>(0) >= 50);
        }
        for (search, condition) in cases {
            let expected = plain(condition).await;
            assert!(!expected.is_empty(), "{search}");
            let mut found: Vec<String> = vec![];
            let mut after = String::new();
            while found.len() < 120 {
                let page = world.json(AUDITOR, &format!("/api/v1/audit?{search}&limit=50{after}")).await;
                found.extend(page["records"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { break };
                after = format!("&after={next}");
            }
            found.retain(|id| id.starts_with("70."));
            found.truncate(120);
            assert_eq!(found, expected, "{search}, noted: {noted}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_reads_the_stretches_it_needs_and_no_table_from_end_to_end() {
    let world = World::new().await;
    filled(&world).await;
    stretches::note_all(&world.app.database).await.unwrap();
    world.sql("analyze onemap.evidence; analyze onemap.evidence_clue; analyze onemap.evidence_stretch").await;
    let looks = || async {
        // Rows, not scans: a month without any is looked at as it is.
        let sql = "select sum(seq_tup_read)::int8, sum(idx_scan)::int8 from pg_stat_all_tables
                   where schemaname = 'onemap' and relname ~ '^evidence_(clue_)?[0-9]{6}$'";
        let row = &rows(&world, sql).await[0];
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    // PostgreSQL tells its figures late.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let before = looks().await;
    let mut after = before;
    for _ in 0..40 {
        for search in
            ["layer=layer5&feature=4204", "department=d2", "layer=rare", "layer=layer3&from=2026-01-01", "status=403"]
        {
            world.json(AUDITOR, &format!("/api/v1/audit?{search}")).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        after = looks().await;
        if after.1 > before.1 + 100 {
            break;
        }
    }
    assert!(after.1 > before.1 + 100, "no index was read: {before:?} {after:?}");
    assert_eq!(after.0, before.0, "rows of tables that were read from end to end");
}
