//! Summaries beside the same question in SQL.

use reqwest::Method;
use serde_json::{Value, json};

use super::{KEY, USER, areas, post};
use crate::world::{As, World};

fn figures(answer: &Value, name: &str) -> Vec<(String, f64)> {
    let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("{answer}"));
    rows.iter().map(|row| (row["zone"].as_str().unwrap().to_owned(), row[name].as_f64().unwrap())).collect()
}

async fn sql(world: &World, statement: &str) -> Vec<(String, f64)> {
    let client = world.app.database.app().await.unwrap();
    client.query(statement, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn alike(ours: &[(String, f64)], theirs: &[(String, f64)], part: f64) {
    assert_eq!(ours.len(), theirs.len(), "{ours:?} {theirs:?}");
    for (a, b) in ours.iter().zip(theirs) {
        assert_eq!(a.0, b.0, "{ours:?} {theirs:?}");
        assert!((a.1 - b.1).abs() <= 1e-3 + b.1.abs() * part, "{ours:?} {theirs:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn points_in_the_areas_of_a_layer() {
    let world = World::new().await;
    areas(&world).await;
    let open = world.app.catalog.snapshot().layers["open"].state.as_ref().unwrap().source.table.clone();
    let body = json!({"layer": "open", "zones": {"layer": "t", "filter": "number < 5", "label": "name"},
        "statistics": ["count", {"sum": "height"}, {"mean": "floors"}, {"min": "height"}, {"max": "height"}]});
    let (status, answer) = post(&world, As::Anonymous, "/api/v1/summary", &body).await;
    assert_eq!(status, 200, "{answer}");
    for (name, expression) in [
        ("count", "count(o.geom)::float8"),
        ("sum_height", "sum(o.height)"),
        ("mean_floors", "avg(o.floors)::float8"),
        ("min_height", "min(o.height)"),
        ("max_height", "max(o.height)"),
    ] {
        let theirs = sql(
            &world,
            &format!(
                "select t.nr::text, {expression} from big.t t left join data.{open} o on st_intersects(t.geom, o.geom)
                 where nr < 5 group by t.nr order by t.nr"
            ),
        )
        .await;
        alike(&figures(&answer, name), &theirs, 1e-9);
    }
    assert_eq!(answer["rows"][0]["label"], "甲");
    assert_eq!(answer["features"], 100);
    let outside = sql(
        &world,
        &format!("select 'x', count(*)::float8 from data.{open} o where not exists (select from big.t t where nr < 5 and st_intersects(t.geom, o.geom))"),
    )
    .await;
    assert_eq!(answer["outside"].as_f64(), Some(outside[0].1));

    // By category, in every form.
    let body = json!({"layer": "open", "zones": {"layer": "t", "filter": "number = 1"}, "by": "kind", "filter": "floors < 20"});
    let (_, answer) = post(&world, As::Anonymous, "/api/v1/summary", &body).await;
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["category"].as_str().unwrap()).collect::<Vec<_>>(), ["住宅", "商业"]);
    let (_, geojson) = post(&world, As::Anonymous, "/api/v1/summary?f=geojson", &body).await;
    assert_eq!(geojson["features"][0]["properties"]["categories"][0]["count"], rows[0]["count"]);
    assert_eq!(geojson["features"][0]["geometry"]["type"], "Polygon");
    let csv = world.by(KEY, Method::POST, "/api/v1/summary?f=csv").await.json(&body).send().await.unwrap();
    let csv = csv.text().await.unwrap();
    assert!(csv.starts_with("\u{feff}zone,label,category,count\n1,甲,住宅,"), "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn areas_across_edges_by_share() {
    let world = World::new().await;
    areas(&world).await;
    let zones = json!([[120.0, 36.0, 120.03, 36.05], [120.03, 36.0, 120.09, 36.02], [119.0, 30.0, 119.1, 30.1]]);
    let polygon = |z: &Value| {
        let at = |i: usize| z[i].as_f64().unwrap();
        json!({"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [[
            [at(0), at(1)], [at(2), at(1)], [at(2), at(3)], [at(0), at(3)], [at(0), at(1)]]]}})
    };
    let features: Vec<Value> = zones.as_array().unwrap().iter().map(polygon).collect();
    let geometry = json!({"type": "FeatureCollection", "features": features});
    let of_zones = "(values ('0', st_makeenvelope(120, 36, 120.03, 36.05, 4490)), ('1', st_makeenvelope(120.03, 36, 120.09, 36.02, 4490)),
        ('2', st_makeenvelope(119, 30, 119.1, 30.1, 4490))) z(id, g)";
    let part = "st_area(st_setsrid(st_intersection(t.geom, z.g), 4326)::geography)";
    let whole = "st_area(st_setsrid(t.geom, 4326)::geography)";
    for (assign, statistic, name, expression) in [
        ("share", json!("area"), "area_m2", format!("coalesce(sum({part}), 0)")),
        ("share", json!("count"), "count", format!("coalesce(sum({part} / {whole}), 0)")),
        ("share", json!({"sum": "weight"}), "sum_weight", format!("sum(weight * {part} / {whole})")),
        ("intersects", json!("count"), "count", "count(t.geom)::float8".into()),
        ("intersects", json!("area"), "area_m2", format!("coalesce(sum({part}), 0)")),
    ] {
        let body = json!({"layer": "t", "filter": "number < 5", "zones": {"geometry": geometry}, "assign": assign, "statistics": [statistic]});
        let (status, answer) = post(&world, As::Anonymous, "/api/v1/summary", &body).await;
        assert_eq!(status, 200, "{answer}");
        if name == "sum_weight" {
            let client = world.app.database.app().await.unwrap();
            let statement = format!(
                "select coalesce(sum(weight * {part} / {whole}), -1) from {of_zones} join big.t t on nr < 5 and st_intersects(t.geom, z.g) where z.id = '0'"
            );
            let theirs: f64 = client.query_one(&statement, &[]).await.unwrap().get(0);
            let ours = answer["rows"][0]["sum_weight"].as_f64().unwrap();
            assert!((ours / theirs - 1.0).abs() < 1e-5, "{ours} {theirs}");
            assert_eq!(answer["rows"][2]["sum_weight"], Value::Null);
            continue;
        }
        let statement = format!(
            "select z.id, {expression} from {of_zones} left join big.t t on nr < 5 and st_intersects(t.geom, z.g)
             group by z.id order by z.id"
        );
        alike(&figures(&answer, name), &sql(&world, &statement).await, 1e-5);
    }
    // Lines by their length, whole squares of a grid: all of it adds up.
    let (_, answer) = post(
        &world,
        As::Anonymous,
        "/api/v1/summary",
        &json!({"layer": "t", "filter": "number = 5", "zones": {"grid": {"size_m": 1000}}, "assign": "share", "statistics": ["count", "length"]}),
    )
    .await;
    let length: f64 = figures(&answer, "length_m").iter().map(|(_, metres)| metres).sum();
    let theirs =
        sql(&world, "select 'x', st_length(st_setsrid(geom, 4326)::geography) from big.t where nr = 5").await[0].1;
    assert!((length / theirs - 1.0).abs() < 1e-6, "{length} {theirs}");
    let count: f64 = figures(&answer, "count").iter().map(|(_, n)| n).sum();
    assert!((count - 1.0).abs() < 1e-5, "{count}");
    assert_eq!(answer["zones"], json!({"kind": "grid", "crs": "EPSG:4549"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn grids_hexagons_and_buffers_hold_every_point_once() {
    let world = World::new().await;
    let open = world.app.catalog.snapshot().layers["open"].state.as_ref().unwrap().source.table.clone();
    for zones in [json!({"grid": {"size_m": 500}}), json!({"grid": {"size_m": 3000}}), json!({"h3": {"resolution": 7}})]
    {
        let (_, answer) = post(&world, KEY, "/api/v1/summary", &json!({"layer": "open", "zones": zones})).await;
        let total: f64 = figures(&answer, "count").iter().map(|(_, n)| n).sum();
        assert_eq!((total, &answer["outside"]), (100.0, &json!(0)), "{zones}");
    }
    let theirs = sql(
        &world,
        &format!(
            "select 'E' || (floor(st_x(p) / 3000) * 3000)::bigint || 'N' || (floor(st_y(p) / 3000) * 3000)::bigint, count(*)::float8
             from (select st_transform(geom, 4549) p from data.{open}) s group by 1 order by 1"
        ),
    )
    .await;
    let (_, answer) =
        post(&world, KEY, "/api/v1/summary", &json!({"layer": "open", "zones": {"grid": {"size_m": 3000}}})).await;
    let mut ours = figures(&answer, "count");
    ours.sort_by(|a, b| a.0.cmp(&b.0));
    alike(&ours, &theirs, 0.0);
    let body = json!({"layer": "open", "zones": {"buffers": {"points": [[120.05, 36.05], [120.0, 36.0]], "distances_m": [1500, 2500]}}});
    let (_, answer) = post(&world, KEY, "/api/v1/summary", &body).await;
    let theirs = sql(
        &world,
        &format!(
            "select b.i || ':' || r, count(o.geom)::float8 from (values (0, st_point(120.05, 36.05)), (1, st_point(120, 36))) b(i, p),
             (values (1500), (2500)) d(r) left join data.{open} o on true
             where st_dwithin(st_setsrid(o.geom, 4326)::geography, st_setsrid(b.p, 4326)::geography, r) group by 1 order by 1"
        ),
    )
    .await;
    alike(&figures(&answer, "count"), &theirs, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_is_a_process_and_a_job() {
    let world = World::new().await;
    areas(&world).await;
    let run = async |body: &Value, prefer: &str| {
        let path = "/ogc/processes/summary/execution";
        let request = world.by(USER, Method::POST, path).await.header("prefer", prefer).json(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let body =
        json!({"inputs": {"layer": "open", "zones": {"layer": "t", "filter": "number < 5"}, "statistics": ["count"]}});
    let (status, at_once) = run(&body, "").await;
    assert_eq!(status, 200, "{at_once}");
    assert_eq!(at_once["rows"].as_array().unwrap().len(), 4);
    let (status, job) = run(&body, "respond-async").await;
    assert_eq!(status, 201, "{job}");
    let job = job["jobID"].as_str().unwrap().to_owned();
    for _ in 0..200 {
        if world.json(USER, &format!("/ogc/jobs/{job}")).await["status"] == "successful" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(world.json(USER, &format!("/ogc/jobs/{job}/results")).await["summary"], at_once);
    // What a job keeps must not be somebody's own geometry.
    let own =
        json!({"inputs": {"layer": "open", "zones": {"buffers": {"points": [[120.0, 36.0]], "distances_m": [10]}}}});
    assert_eq!(run(&own, "").await.0, 200);
    let (_, job) = run(&own, "respond-async").await;
    let job = job["jobID"].as_str().unwrap_or_default().to_owned();
    assert!(job.is_empty(), "it is refused before it is kept");
}
