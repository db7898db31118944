//! What jobs make under a grant: archives of tiles, thematic layers, files of addresses. What was made of more than the present grant
//! shows is withheld.

use std::time::Duration;

use onemap::access::principal::Role;
use pmtiles::{AsyncPmTilesReader, TileCoord};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::addresses::DOORS;
use super::model::{Answer, Grant, Layer, Row, Shown, answer};
use super::questions::{Asked, check_tile, tile};
use super::{Caller, LAYERS, Random, asker, set, setting, world};
use crate::world::{As, World};

const READER: As = As::Person("health", Role::User);
const MAKER: As = As::Person("health", Role::Publisher);

/// Grants of health's on the layers whose jobs are tried, with all that jobs take, between those that come as they may.
fn grants(random: &mut Random) -> Vec<Grant> {
    let mut grants: Vec<Grant> = (0..6).map(|_| random.grant()).collect();
    for layer in ["conditional", "blocks", "doors"] {
        let mut grant = random.grant();
        (grant.layer, grant.department, grant.revoked) = (layer, "health", false);
        (grant.from, grant.until, grant.rights) = (None, None, vec!["view", "query", "export"]);
        grant.filter = grant.filter.filter(|filter| layer != "doors" || *filter != 4);
        grants.push(grant);
    }
    grants
}

fn seen(who: As, layer: Layer, right: &str, grants: &[Grant]) -> Option<Shown> {
    match answer(asker(Caller::Somebody(who)), layer, Some(right), grants) {
        Answer::Shown(seen) => Some(seen),
        _ => None,
    }
}

async fn over(world: &World, who: As, path: &str) -> Value {
    for _ in 0..600 {
        let info = world.json(who, path).await;
        if matches!(info["state"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
            return info;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} does not end");
}

async fn send(world: &World, who: As, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let response = world.by(who, method, path).await.json(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_archive_holds_what_the_grant_shows() {
    let world = world().await;
    let mut random = Random(setting("ONEMAP_SEED", 20_261_125));
    for _ in 0..2 {
        let grants = grants(&mut random);
        set(&world, &grants).await;
        for layer in LAYERS.into_iter().filter(|l| !l.table && matches!(l.id, "conditional" | "blocks" | "hidden")) {
            let what = format!("{} under {:?}", layer.id, grants.last());
            let path = format!("/api/v1/layers/{}/export", layer.id);
            let zoom = tile(layer).0;
            let (status, begun) = send(&world, READER, Method::POST, &path, &json!({ "maxzoom": zoom })).await;
            let Some(seen) = seen(READER, layer, "export", &grants) else {
                assert!(status >= 400, "{what}: {begun}");
                continue;
            };
            assert_eq!(status, 202, "{what}: {begun}");
            let job = format!("/api/v1/jobs/{}", begun["job"].as_str().unwrap());
            let ended = over(&world, READER, &job).await;
            // Of nothing no archive is made.
            if seen.rows(layer.squares).is_empty() {
                assert_eq!(
                    (&ended["state"], &ended["problem"]["kind"]),
                    (&json!("failed"), &json!("conflict")),
                    "{what}: {ended}"
                );
                continue;
            }
            assert_eq!(ended["state"], "succeeded", "{what}: {ended}");
            let file = world.get(READER, &format!("{job}/tiles.pmtiles")).await;
            assert_eq!(file.status(), 200, "{what}");
            let bytes = in_archive(&file.bytes().await.unwrap(), tile(layer)).await;
            check_tile(&Asked::held(bytes), layer, &seen, &what);
            // Another department's people do not fetch it.
            let other = As::Person("housing", Role::User);
            assert_eq!(world.get(other, &format!("{job}/tiles.pmtiles")).await.status(), 404, "{what}");
        }
    }
}

async fn in_archive(archive: &[u8], (z, x, y): (u32, u32, u32)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pmtiles");
    std::fs::write(&path, archive).unwrap();
    let reader = AsyncPmTilesReader::new_with_path(&path).await.unwrap();
    let at = TileCoord::new(z as u8, x, y).unwrap();
    reader.get_tile_decompressed(at).await.unwrap().map_or(vec![], |bytes| bytes.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_counts_what_its_maker_sees() {
    let world = world().await;
    world
        .sql(
            "create schema areas; grant usage on schema areas to onemap_app;
             create table areas.halves as select nr, 'zone ' || nr as name,
                 st_makeenvelope(119.995 + nr * 0.05, 35.9, 120.045 + nr * 0.05, 36.3, 4490)::geometry(Polygon, 4490) as geom
             from generate_series(0, 1) nr;
             grant select on areas.halves to onemap_app;
             insert into onemap.layer (id, department_id, title_zh, title_en, share_class, registered_schema, registered_table,
                 registered_key, registered_geometry)
             values ('halves', 'housing', '分区', 'halves', 'unconditional', 'areas', 'halves', 'nr', 'geom')",
        )
        .await;
    world.app.refresh().await.unwrap();
    let mut random = Random(setting("ONEMAP_SEED", 20_261_125));
    let layer = LAYERS[2];
    for turn in 0..3 {
        let grants = grants(&mut random);
        set(&world, &grants).await;
        let what = format!("turn {turn}: {:?}", grants.iter().rev().find(|g| g.layer == layer.id));
        let rows = seen(MAKER, layer, "query", &grants).expect("it is granted").rows(false);
        let id = format!("theme-{turn}");
        let definition = json!({"id": id, "title": {"zh": "专题", "en": "theme"}, "data": {"layer": layer.id},
            "zones": {"layer": "halves", "code": "name", "name": "name"}, "join": {"by": "location"},
            "indicator": {"kind": "count"}, "method": "quantile", "classes": 2});
        let (status, begun) = send(&world, MAKER, Method::POST, "/api/v1/themes", &definition).await;
        assert_eq!(status, 202, "{what}: {begun}");
        let job = over(&world, MAKER, &format!("/api/v1/jobs/{}", begun["job"].as_str().unwrap())).await;
        assert_eq!(job["state"], "succeeded", "{what}: {job}");
        world.app.refresh().await.unwrap();
        let table = world.json(MAKER, &format!("/api/v1/themes/{id}/table")).await;
        for (nr, name) in ["zone 0", "zone 1"].into_iter().enumerate() {
            let west = 119.995 + nr as f64 * 0.05;
            let inside = rows.iter().filter(|(row, _)| (west..west + 0.05).contains(&row.corner().0)).count();
            let told = table["rows"].as_array().unwrap().iter().find(|row| row["name"] == name);
            let told = told.map_or(0, |row| row["count"].as_u64().unwrap() as usize);
            assert_eq!(told, inside, "{what}: {table}");
        }
        // What is not shown is not the indicator either.
        let fields = seen(MAKER, layer, "query", &grants).unwrap().fields();
        let mut sum = definition.clone();
        (sum["id"], sum["indicator"]) = (json!(format!("{id}-sum")), json!({"kind": "sum", "field": "floors"}));
        let (status, told) = send(&world, MAKER, Method::POST, "/api/v1/themes", &sum).await;
        assert_eq!(status, if fields.contains("floors") { 202 } else { 400 }, "{what}: {told}");
        if status == 202 {
            over(&world, MAKER, &format!("/api/v1/jobs/{}", told["job"].as_str().unwrap())).await;
        }
    }
    for hidden in ["hidden", "nowhere"] {
        let definition = json!({"id": "of-hidden", "title": {"zh": "专题", "en": "theme"}, "data": {"layer": hidden},
            "zones": {"layer": "halves", "code": "name", "name": "name"}, "join": {"by": "location"},
            "indicator": {"kind": "count"}, "method": "quantile", "classes": 2});
        let (status, mut told) = send(&world, MAKER, Method::POST, "/api/v1/themes", &definition).await;
        told["request_id"].take();
        assert!((400..500).contains(&status), "{told}");
        let same = told.to_string().replace(hidden, "X");
        let (_, mut nowhere) = send(&world, MAKER, Method::POST, "/api/v1/themes", &{
            let mut other = definition.clone();
            other["data"]["layer"] = json!("neverwhere");
            other
        })
        .await;
        nowhere["request_id"].take();
        assert_eq!(same, nowhere.to_string().replace("neverwhere", "X"));
    }
}

/// Of a job's hundred rows, in their order, the feature of the layer that each was matched to, and whether it is withheld.
async fn matched(world: &World, job: &str, layer: Layer) -> Vec<(Option<i64>, bool)> {
    let page = world.json(READER, &format!("/address/jobs/{job}/rows?limit=100")).await;
    let rows = page["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 100);
    let of = |row: &Value| {
        let feature = row["feature"].as_i64().filter(|_| row["source"] == layer.id);
        (feature, row["withheld"] == true)
    };
    rows.iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_addresses_is_matched_to_what_the_grant_shows() {
    let world = world().await;
    let mut random = Random(setting("ONEMAP_SEED", 20_261_125));
    let mut jobs: Vec<String> = vec![];
    for layer in [DOORS[0], DOORS[1]] {
        let mut file = String::from("编号,地址\n");
        for row in Row::all() {
            file += &format!("{},{}\n", row.id(), layer.name(row));
        }
        for _ in 0..2 {
            let mut grants = grants(&mut random);
            // Addresses are found by their names.
            if let Some(grant) = grants.last_mut().filter(|_| random.one_in(2)) {
                grant.fields = None;
            }
            set(&world, &grants).await;
            let what = format!("{:?}", grants.last());
            let form = Form::new().part("data", Part::bytes(file.clone().into_bytes()).file_name("a.csv"));
            let draft = world.by(READER, Method::POST, "/address/jobs").await.multipart(form).send().await.unwrap();
            let draft: Value = draft.json().await.unwrap();
            let id = draft["id"].as_str().unwrap_or_else(|| panic!("{draft}")).to_owned();
            let start = format!("/address/jobs/{id}/start");
            let (status, told) = send(&world, READER, Method::POST, &start, &json!({"columns": ["地址"]})).await;
            assert_eq!(status, 200, "{told}");
            over(&world, READER, &format!("/address/jobs/{id}")).await;
            let seen = seen(READER, layer, "query", &grants).filter(|seen| seen.fields().contains("name"));
            for (row, (feature, withheld)) in Row::all().zip(matched(&world, &id, layer).await) {
                let shown = seen.as_ref().is_some_and(|seen| seen.place(row, false).is_some());
                assert_eq!(feature, shown.then_some(row.id()), "{what}: row {}", row.id());
                assert!(!withheld, "{what}: row {}", row.id());
            }
            jobs.push(id);
        }
    }
    // Without the grant nothing of it is left to see, in any form.
    set(&world, &[]).await;
    for id in jobs {
        assert!(matched(&world, &id, DOORS[0]).await.iter().all(|(feature, _)| feature.is_none()));
        for format in ["csv", "geojson"] {
            let file = world.get(READER, &format!("/address/jobs/{id}/export?format={format}")).await;
            let text = file.text().await.unwrap();
            // The centre of the district, of the layer that everybody may search, is told; of the doors none.
            let doors = text.replace("120.045", "");
            assert!(!doors.contains("120.0"), "a place is told: {text}");
        }
    }
}
