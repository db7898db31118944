//! Spatial queries: figures against PostGIS's on the same data, rights, bad rows, and that nothing is left behind.

mod killed;
mod overlay;
mod postgis;
mod protected;
mod summary;

use onemap::access::principal::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{As, World};

pub const USER: As = As::Person("health", Role::User);
pub const KEY: As = As::Key("health");

/// A number between 0 and 1 that follows from the seed alone.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub async fn post(world: &World, who: As, path: &str, body: &Value) -> (u16, Value) {
    let response = world.by(who, Method::POST, path).await.json(body).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}: {text}")))
}

/// Seven areas with holes and parts, registered as the layer `t` with a name and a number.
pub async fn areas(world: &World) {
    world
        .sql(
            "create schema big; create table big.t (nr int primary key, name text, weight float8, geom geometry(Geometry, 4490),
                 number int generated always as (nr) stored);
             insert into big.t values
               (1, '甲', 1.5, st_geomfromtext('POLYGON((119.99 35.99, 120.045 35.99, 120.045 36.045, 119.99 36.045, 119.99 35.99))', 4490)),
               (2, '乙', 2.5, st_geomfromtext('POLYGON((120.045 35.99, 120.1 35.99, 120.1 36.1, 120.045 36.1, 120.045 35.99), (120.055 36.015, 120.075 36.015, 120.075 36.035, 120.055 36.035, 120.055 36.015))', 4490)),
               (3, '丙', null, st_geomfromtext('MULTIPOLYGON(((119.99 36.045, 120.01 36.045, 120.01 36.1, 119.99 36.1, 119.99 36.045)), ((120.02 36.045, 120.045 36.045, 120.03 36.1, 120.02 36.045)))', 4490)),
               (4, '丁', 4.0, st_geomfromtext('POLYGON((120.02 36, 120.06 36, 120.04 36.06, 120.02 36))', 4490)),
               (5, '线', 5.0, st_geomfromtext('LINESTRING(120 36.001, 120.08 36.05, 120.08 36.09)', 4490)),
               (6, '点', 6.0, st_geomfromtext('POINT(120.03 36.03)', 4490)),
               (7, '空', 7.0, null);
             grant usage on schema big to onemap_app; grant select on big.t to onemap_app",
        )
        .await;
    world.register("t", "t").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_are_those_of_postgis() {
    let world = World::new().await;
    areas(&world).await;
    let client = world.app.database.app().await.unwrap();
    let mut random = Random(3);
    let points: Vec<[f64; 2]> = (0..20).map(|_| [119.95 + random.next() * 0.2, 35.95 + random.next() * 0.2]).collect();
    let asked = json!({"points": points, "layers": ["open", {"layer": "t", "fields": ["name"], "filter": "number <> 3"}], "k": 3, "max_distance": 20_000});
    let (status, answer) = post(&world, As::Anonymous, "/api/v1/nearest", &asked).await;
    assert_eq!(status, 200, "{answer}");
    let open = world.app.catalog.snapshot().layers["open"].state.as_ref().unwrap().source.table.clone();
    for (i, [x, y]) in points.iter().enumerate() {
        let result = &answer["results"][i];
        assert_eq!(result["index"], i);
        for (at, sql) in [
            (0, format!("select fid::int8, geom from data.{open}")),
            (1, "select nr::int8, geom from big.t where nr <> 3".into()),
        ] {
            let rows = client
                .query(
                    &format!(
                        "select fid, d from (select fid, st_distance(st_setsrid(geom, 4326)::geography, st_setsrid(st_makepoint($1, $2), 4326)::geography) d
                         from ({sql}) s(fid, geom)) r where d <= 20000 order by d, fid limit 3"
                    ),
                    &[x, y],
                )
                .await
                .unwrap();
            let features = result["layers"][at]["features"].as_array().unwrap();
            assert_eq!(features.len(), rows.len());
            for (feature, row) in features.iter().zip(&rows) {
                let (ours, theirs) = (feature["distance"].as_f64().unwrap(), row.get::<_, f64>(1));
                assert_eq!(feature["id"], row.get::<_, i64>(0), "{answer}");
                // PostGIS's edges are geodesics, ours are straight in degrees: a few decimetres over the kilometres of these.
                assert!((ours - theirs).abs() < 1.0 + theirs * 1e-4, "{ours} {theirs}");
            }
        }
        let properties = result["layers"][1]["features"][0]["properties"].as_object().unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), ["name"]);
    }
    // From a geometry, and 0 where it meets.
    let line = json!({"geometry": {"type": "LineString", "coordinates": [[120.02, 36.02], [120.05, 36.02]]}, "layers": ["t"], "k": 5});
    let (_, answer) = post(&world, As::Anonymous, "/api/v1/nearest", &line).await;
    let features = answer["results"][0]["layers"][0]["features"].as_array().unwrap();
    assert_eq!(features.iter().filter(|f| f["distance"] == 0.0).count(), 4, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_and_what_is_hidden_is_unknown() {
    let world = World::new().await;
    let nearest = "/api/v1/nearest";
    let good = json!([[120.0, 36.0]]);
    for (body, parameter) in [
        (json!({"layers": ["open"]}), "points"),
        (json!({"points": [], "layers": ["open"]}), "points"),
        (json!({"points": good, "layers": []}), "layers"),
        (json!({"points": [[200, 36]], "layers": ["open"]}), "points[0]"),
        (json!({"points": good, "layers": ["open"], "k": 0}), "k"),
        (json!({"points": good, "layers": ["open"], "max_distance": -1}), "max_distance"),
        (json!({"points": good, "layers": [{"layer": "open", "fields": ["nothing"]}]}), "fields"),
        (json!({"points": good, "layers": [{"layer": "open", "filter": "nothing = 1"}]}), "filter"),
        (json!({"points": good, "layers": ["open"], "x": 1}), "body"),
        (
            json!({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "layers": ["open"]}),
            "geometry",
        ),
    ] {
        let (status, answer) = post(&world, KEY, nearest, &body).await;
        assert_eq!((status, &answer["parameter"]), (400, &json!(parameter)), "{body}");
    }
    let summary = "/api/v1/summary";
    for (body, parameter) in [
        (json!({"layer": "open", "zones": {}}), "zones"),
        (json!({"layer": "open", "zones": {"grid": {"size_m": 1}}}), "zones.grid.size_m"),
        (json!({"layer": "open", "zones": {"grid": {"size_m": 500}, "h3": {"resolution": 1}}}), "zones"),
        (json!({"layer": "open", "zones": {"h3": {"resolution": 99}}}), "zones.h3.resolution"),
        (json!({"layer": "open", "zones": {"h3": {"resolution": 5}}, "assign": "share"}), "assign"),
        (json!({"layer": "open", "zones": {"h3": {"resolution": 5}}, "statistics": [{"sum": "name"}]}), "statistics"),
        (json!({"layer": "open", "zones": {"h3": {"resolution": 5}}, "by": "nothing"}), "by"),
        (
            json!({"layer": "open", "zones": {"geometry": {"type": "Point", "coordinates": [120, 36]}}}),
            "zones.geometry[0]",
        ),
        // Crossing itself, and in metres.
        (
            json!({"layer": "open", "zones": {"geometry": {"type": "Polygon", "coordinates": [[[120, 36], [121, 37], [121, 36], [120, 37], [120, 36]]]}}}),
            "zones.geometry[0]",
        ),
        (
            json!({"layer": "open", "zones": {"geometry": {"type": "Polygon", "coordinates": [[[500000, 4000000], [500100, 4000000], [500100, 4000100], [500000, 4000000]]]}}}),
            "zones.geometry[0]",
        ),
        (
            json!({"layer": "open", "zones": {"buffers": {"points": [[500_000, 4_000_000]], "distances_m": [10]}}}),
            "zones.buffers.points[0]",
        ),
        (
            json!({"layer": "open", "zones": {"buffers": {"points": good, "distances_m": []}}}),
            "zones.buffers.distances_m",
        ),
    ] {
        let (status, answer) = post(&world, KEY, summary, &body).await;
        assert_eq!((status, &answer["parameter"]), (400, &json!(parameter)), "{body}");
    }
    for layer in ["hidden", "no-such-layer"] {
        let unknown = json!({"detail": "没有这个图层", "status": 404});
        let bodies = [
            (nearest, json!({"points": good, "layers": ["open", layer]})),
            (summary, json!({"layer": layer, "zones": {"grid": {"size_m": 500}}})),
            (summary, json!({"layer": "open", "zones": {"layer": layer}})),
            (summary, json!({"layer": "open", "zones": {"buffers": {"layer": layer, "distances_m": [5]}}})),
        ];
        for (path, body) in bodies {
            let (status, answer) = post(&world, KEY, path, &body).await;
            assert_eq!(
                (status, &answer["detail"], &answer["status"]),
                (404, &unknown["detail"], &unknown["status"]),
                "{body}"
            );
        }
        let response =
            world.by(KEY, Method::POST, &format!("/api/v1/overlay?layers={layer}")).await.send().await.unwrap();
        assert_eq!(response.status(), 404);
    }
    let (status, _) = post(&world, KEY, nearest, &json!({"points": good, "layers": ["conditional"]})).await;
    assert_eq!(status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_of_a_million_vertices_is_refused_and_hurts_nobody() {
    let world = World::new().await;
    let ring: Vec<[f64; 2]> = (0..1_000_000)
        .map(|i| (f64::from(i) * std::f64::consts::TAU / 1e6).sin_cos())
        .map(|(s, c)| [120.0 + c, 36.0 + s])
        .chain([[121.0, 36.0]])
        .collect();
    let polygon = json!({"type": "Polygon", "coordinates": [ring]});
    for (path, body) in [
        ("/api/v1/nearest", json!({"geometry": polygon, "layers": ["open"]})),
        ("/api/v1/summary", json!({"layer": "open", "zones": {"geometry": polygon}})),
    ] {
        let (status, problem) = post(&world, KEY, path, &body).await;
        assert_eq!((status, &problem["status"]), (413, &json!(413)), "{path}: {problem}");
    }
    // Of an overlay it is one row's fault.
    let feature = json!({"type": "Feature", "properties": {}, "geometry": polygon});
    let point =
        json!({"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [120.02, 36.02]}});
    let body = json!({"type": "FeatureCollection", "features": [feature, point]});
    let (status, answer) = post(&world, KEY, "/api/v1/overlay?layers=open&f=geojson&format=geojson", &body).await;
    assert_eq!(status, 200);
    let members = |at: usize| &answer["features"][at]["onemap"];
    assert_eq!(members(0)["problem"]["code"], "too-many-vertices");
    assert_eq!(members(1)["layers"]["open"]["matches"], 1);
    // A ring that fits into a request is still more than a question takes.
    let ring: Vec<[f64; 2]> = (0..30_000)
        .map(|i| (f64::from(i) * std::f64::consts::TAU / 3e4).sin_cos())
        .map(|(s, c)| [((120.0 + c) * 1e4).round() / 1e4, ((36.0 + s) * 1e4).round() / 1e4])
        .chain([[121.0, 36.0]])
        .collect();
    let body = json!({"geometry": {"type": "Polygon", "coordinates": [ring]}, "layers": ["open"]});
    let (status, problem) = post(&world, KEY, "/api/v1/nearest", &body).await;
    assert_eq!((status, &problem["parameter"]), (400, &json!("geometry")), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_no_rows_there_are_no_squares() {
    let world = World::new().await;
    world.grant("row_filter", "'{\"kind\": [\"庙\"]}'").await;
    let body = json!({"layer": "conditional", "zones": {"grid": {"size_m": 500}}});
    let (status, answer) = post(&world, KEY, "/api/v1/summary", &body).await;
    assert_eq!((status, &answer["rows"]), (200, &json!([])), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_holds_in_every_query() {
    let world = World::new().await;
    // A row filter, two fields, and the western half.
    let area = "st_geomfromtext('MULTIPOLYGON(((119 35, 120.045 35, 120.045 37, 119 37, 119 35)))', 4490)";
    world
        .grant("fields, row_filter, area", &format!("array['name', 'kind'], '{{\"kind\": [\"住宅\"]}}', {area}"))
        .await;
    let zone = json!({"geometry": {"type": "Polygon", "coordinates": [[[119.5, 35.5], [120.5, 35.5], [120.5, 36.5], [119.5, 36.5], [119.5, 35.5]]]}});
    // Rows 0, 2, 4 of each ten are homes in the west.
    let (_, answer) =
        post(&world, KEY, "/api/v1/summary", &json!({"layer": "conditional", "zones": zone, "by": "kind"})).await;
    assert_eq!(answer["rows"], json!([{"zone": "0", "label": null, "category": "住宅", "count": 30}]), "{answer}");
    let (status, hidden) = post(
        &world,
        KEY,
        "/api/v1/summary",
        &json!({"layer": "conditional", "zones": zone, "statistics": [{"sum": "floors"}]}),
    )
    .await;
    assert_eq!((status, &hidden["parameter"]), (400, &json!("statistics")));
    let asked = json!({"points": [[120.09, 36.0]], "layers": ["conditional"], "k": 2, "max_distance": 50_000});
    let (_, answer) = post(&world, KEY, "/api/v1/nearest", &asked).await;
    let features = answer["results"][0]["layers"][0]["features"].as_array().unwrap();
    assert_eq!(features.len(), 2);
    assert_eq!(features[0]["properties"], json!({"name": "第4栋 g0", "kind": "住宅"}));
    let csv = "lon,lat\n120.09,36\n120.01,36\n";
    let path = "/api/v1/overlay?layers=conditional&predicate=nearest&max_distance=50000";
    let response =
        world.by(KEY, Method::POST, path).await.header("content-type", "text/csv").body(csv).send().await.unwrap();
    let text = response.text().await.unwrap();
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(
        lines[0],
        "lon,lat,conditional.id,conditional.name,conditional.kind,conditional.distance_m,onemap.problem"
    );
    assert!(lines[1].starts_with("120.09,36,5,第4栋 g0,住宅,"), "{text}");
    assert!(lines[2].contains(",住宅,9"), "{text}");
}
