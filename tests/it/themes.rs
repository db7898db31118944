//! Thematic layers: from a table to a map, a number and a legend that agree; and what is withheld.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::stream;
use onemap::access::principal::{Principal, Role};
use onemap::layer::copy::{HEADER, TRAILER, Value as Cell, begin_row, put};
use onemap::layer::model::{Field, FieldType, ShareClass, Title};
use onemap::layer::registry::{self, NewLayer, Shape};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{As, World};

pub const OWNER: As = As::Person("housing", Role::Publisher);
pub const OTHER: As = As::Person("health", Role::Publisher);

/// A layer of housing's, published.
pub async fn layer(
    world: &World,
    id: &str,
    class: ShareClass,
    fields: &[(&str, FieldType)],
    geometry: Option<&str>,
    rows: Vec<u8>,
) {
    let (app, by) = (&world.app, Principal::operator("housing"));
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
    let grant = app.gate.open(&by, id).unwrap();
    let field = |(name, kind): &(&str, FieldType)| Field {
        name: (*name).into(),
        kind: *kind,
        title_zh: (*name).into(),
        title_en: (*name).into(),
    };
    let shape = Shape {
        fields: fields.iter().map(field).collect(),
        geometry: geometry.map(str::to_owned),
        key_field: None,
        note: String::new(),
        report: None,
    };
    let pieces = [Ok(Bytes::from_static(HEADER)), Ok(Bytes::from(rows)), Ok(Bytes::from_static(TRAILER))];
    let staged = registry::stage(&app.store, &grant, &shape, stream::iter(pieces)).await.unwrap();
    registry::publish(&app.store, &grant, staged.number, "publish").await.unwrap();
    app.refresh().await.unwrap();
}

fn head(kind: u32) -> Vec<u8> {
    let mut ewkb = vec![1];
    ewkb.extend_from_slice(&(kind | 0x2000_0000).to_le_bytes());
    ewkb.extend_from_slice(&4490u32.to_le_bytes());
    ewkb
}

pub fn point(x: f64, y: f64) -> Vec<u8> {
    let mut ewkb = head(1);
    ewkb.extend([x, y].iter().flat_map(|v| v.to_le_bytes()));
    ewkb
}

fn square(x: f64, y: f64, side: f64) -> Vec<u8> {
    let mut ewkb = head(3);
    ewkb.extend_from_slice(&1u32.to_le_bytes());
    ewkb.extend_from_slice(&5u32.to_le_bytes());
    let ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]];
    ewkb.extend(ring.iter().flatten().flat_map(|v| v.to_le_bytes()));
    ewkb
}

/// Four squares of 0.05° over the world's points: 市南区, 市北区, 李沧区, 崂山区, with 1,000 to 4,000 inhabitants.
pub async fn zones(world: &World) {
    let mut rows = vec![];
    for (i, (code, name)) in
        [("370202", "市南区"), ("370203", "市北区"), ("370213", "李沧区"), ("370212", "崂山区")].into_iter().enumerate()
    {
        begin_row(&mut rows, 5);
        put(&mut rows, &Cell::Integer(i as i64 + 1));
        put(&mut rows, &Cell::Text(code));
        put(&mut rows, &Cell::Text(name));
        put(&mut rows, &Cell::Integer(1000 * (i as i64 + 1)));
        let (x, y) = (119.995 + (i % 2) as f64 * 0.05, 35.995 + (i / 2) as f64 * 0.05);
        put(&mut rows, &Cell::Geometry(&square(x, y, 0.05)));
    }
    let fields = [("code", FieldType::Text), ("name", FieldType::Text), ("people", FieldType::Integer)];
    layer(world, "zones", ShareClass::Unconditional, &fields, Some("Polygon"), rows).await;
}

pub async fn send(world: &World, who: As, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let response = world.by(who, method, path).await.json(body).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

/// Waits for a theme's job; its problem, if it failed.
pub async fn done(world: &World, who: As, job: &Value) -> Result<(), Value> {
    for _ in 0..600 {
        let info = world.json(who, &format!("/api/v1/jobs/{}", job.as_str().unwrap())).await;
        match info["state"].as_str().unwrap() {
            "succeeded" => {
                world.app.refresh().await.unwrap();
                return Ok(());
            }
            "failed" | "cancelled" => return Err(info["problem"].clone()),
            _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
    panic!("the job does not end");
}

pub async fn make(world: &World, id: &str, definition: Value) {
    let mut body = json!({"id": id, "title": {"zh": "专题", "en": "theme"}});
    body.as_object_mut().unwrap().extend(definition.as_object().unwrap().clone());
    let (status, answer) = send(world, OWNER, Method::POST, "/api/v1/themes", &body).await;
    assert_eq!(status, 202, "{answer}");
    done(world, OWNER, &answer["job"]).await.unwrap();
}

pub async fn table(world: &World, id: &str) -> HashMap<String, Value> {
    let table = world.json(OWNER, &format!("/api/v1/themes/{id}/table")).await;
    let rows = table["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let period = row["period"].as_str().map(|p| format!("@{p}")).unwrap_or_default();
            (format!("{}{period}", row["name"].as_str().unwrap()), row.clone())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_request_become_a_layer_whose_numbers_legend_and_map_agree() {
    let world = World::new().await;
    zones(&world).await;
    let rows = json!([
        {"district": "市南", "sick": 10, "all": 100},
        {"district": "市南区", "sick": "20", "all": 100},
        {"district": "市北区", "sick": 5, "all": 50},
        {"district": " 李沧 ", "sick": 1, "all": 4},
        {"district": "崂山曲", "sick": 1, "all": 1},
        {"district": "市北", "sick": "无", "all": 1},
        {"district": null, "sick": 1, "all": 1},
    ]);
    let definition = json!({
        "data": {"rows": rows},
        "zones": {"layer": "zones", "code": "code", "name": "name"},
        "join": {"by": "name", "field": "district"},
        "indicator": {"kind": "ratio", "field": "sick", "denominator": "all", "per": 100},
        "method": "equal_interval", "classes": 2,
    });
    make(&world, "rates", definition).await;
    let table = table(&world, "rates").await;
    let value = |zone: &str| table[zone]["value"].as_f64();
    assert_eq!((value("市南区"), value("市北区"), value("李沧区")), (Some(15.0), Some(10.0), Some(25.0)));
    assert_eq!((value("崂山区"), table["崂山区"]["count"].as_i64()), (None, Some(0)));
    let theme = world.json(OWNER, "/api/v1/themes/rates").await;
    let report = &theme["report"];
    assert_eq!((&report["rows"], &report["without_key"]), (&json!(7), &json!(1)));
    assert_eq!(report["unmatched"]["keys"][0]["key"], "崂山曲");
    assert_eq!(report["unmatched"]["keys"][0]["suggestions"][0]["name"], "崂山区");
    assert_eq!(report["not_numbers"]["first"], json!([{"row": 6, "value": "无"}]));
    assert_eq!(theme["definition"]["data"]["rows"], 7);
    // The classes say of each value what the table and the features say.
    let classes = theme["figures"]["classification"]["classes"].as_array().unwrap();
    assert_eq!(classes.iter().map(|c| c["count"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 1]);
    for row in table.values().filter(|row| row["value"].is_number()) {
        let (value, class) = (row["value"].as_f64().unwrap(), &classes[row["class"].as_u64().unwrap() as usize]);
        assert!(class["from"].as_f64().unwrap() <= value && value <= class["to"].as_f64().unwrap(), "{row}");
    }
    let bars = theme["figures"]["classification"]["histogram"]["counts"].as_array().unwrap();
    assert_eq!(bars.iter().map(|b| b.as_u64().unwrap()).sum::<u64>(), 3);
    // The legend that the platform reads from the style is the theme's own, and so are its colours.
    let legend = world.json(OWNER, "/api/v1/layers/rates/legend").await;
    let pairs = |l: &Value| -> Vec<(Value, Value)> {
        l["entries"].as_array().unwrap().iter().map(|e| (e["label"].clone(), e["color"].clone())).collect()
    };
    assert_eq!(pairs(&legend), pairs(&theme["figures"]["legend"]));
    assert_eq!(legend["entries"][0]["color"], classes[0]["color"]);
    // And it is a layer like any other.
    let items = world.json(OWNER, "/ogc/collections/rates/items?filter=value>12").await;
    assert_eq!(items["numberReturned"], 2);
    assert_eq!(items["features"][0]["geometry"]["type"], "MultiPolygon");
    let style = world.json(OWNER, "/styles/rates.json").await;
    assert!(style["layers"].as_array().unwrap().len() >= 3, "{style}");
    let tile = world.get(OWNER, "/tiles/rates/10/853/400").await;
    assert!(tile.status().is_success());
    assert_eq!(world.get(OTHER, "/api/v1/themes/rates").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layers_points_are_counted_by_location_and_measured_per_head_and_area() {
    let world = World::new().await;
    zones(&world).await;
    // The world's grid is 10 × 10 points, 0.01° apart: 25 in each square.
    let by = |indicator: Value, kind: &str| {
        json!({
            "data": {"layer": "unconditional"}, "zones": {"layer": "zones", "code": "code", "name": "name"},
            "join": {"by": "location"}, "indicator": indicator, "kind": kind, "method": "quantile", "classes": 4,
        })
    };
    make(&world, "counts", by(json!({"kind": "count"}), "choropleth")).await;
    assert!(table(&world, "counts").await.values().all(|row| row["value"] == 25.0 && row["count"] == 25));
    make(&world, "heads", by(json!({"kind": "per_capita", "denominator": "people", "per": 1000}), "graduated_symbols"))
        .await;
    let heads = table(&world, "heads").await;
    assert_eq!((&heads["市南区"]["value"], &heads["崂山区"]["value"]), (&json!(25.0), &json!(6.25)));
    let items = world.json(OWNER, "/ogc/collections/heads/items").await;
    assert_eq!(items["features"][0]["geometry"]["type"], "Point");
    // 0.05° square at 36° N: 4.51 km × 5.55 km, as PostGIS measures it on the ellipsoid.
    make(&world, "density", by(json!({"kind": "per_km2"}), "choropleth")).await;
    let client = world.app.database.app().await.unwrap();
    let measured = client.query("select name, st_area(geom::geography) / 1e6 from map.zones", &[]).await;
    let density = table(&world, "density").await;
    for row in measured.unwrap() {
        let (name, km2): (String, f64) = (row.get(0), row.get(1));
        let found = density[&name]["value"].as_f64().unwrap();
        assert!((found / (25.0 / km2) - 1.0).abs() < 1e-6, "{name}: {found}");
    }
    make(&world, "mean", by(json!({"kind": "mean", "field": "floors"}), "heat")).await;
    let expected: HashMap<String, f64> = client
        .query("select z.name, avg(p.floors)::float8 from map.zones z join map.unconditional p on st_intersects(z.geom, p.geom) group by 1", &[])
        .await
        .unwrap()
        .iter()
        .map(|r| (r.get(0), r.get(1)))
        .collect();
    for (name, row) in table(&world, "mean").await {
        assert!((row["value"].as_f64().unwrap() - expected[&name]).abs() < 1e-9, "{name}");
    }
    make(&world, "kinds", by(json!({"kind": "category", "field": "kind"}), "categories")).await;
    assert!(table(&world, "kinds").await.values().all(|row| row["category"].is_string() && row["class"].is_number()));
    make(&world, "dots", by(json!({"kind": "count"}), "dot_density")).await;
    assert_eq!(table(&world, "dots").await.len(), 4);
    let dots = world.json(OWNER, "/ogc/collections/dots/items?filter=dot=true&limit=1000").await;
    assert_eq!(dots["numberReturned"], 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn periods_share_their_classes_and_a_bivariate_map_has_nine() {
    let world = World::new().await;
    zones(&world).await;
    let row = |code: &str, day: &str, n: i32, m: i32| json!({"code": code, "day": day, "n": n, "m": m});
    let rows = json!([
        row("370202", "2023-04-01", 1, 9),
        row("370203", "2023-05-01", 2, 8),
        row("370213", "2023-06-01", 3, 7),
        row("370202", "2024-04-01", 40, 1),
        row("370205", "2024-05-01", 50, 2),
        row("370212000000", "2024-05-01", 9, 3),
    ]);
    let mut definition = json!({
        "data": {"rows": rows}, "zones": {"layer": "zones", "code": "code", "name": "name"},
        "join": {"by": "code", "field": "code"}, "indicator": {"kind": "sum", "field": "n"},
        "method": "equal_interval", "classes": 5, "time": {"field": "day", "unit": "year"},
    });
    make(&world, "years", definition.clone()).await;
    let years = table(&world, "years").await;
    assert_eq!(years.len(), 8);
    assert_eq!((&years["市南区@2023"]["class"], &years["市南区@2024"]["class"]), (&json!(0), &json!(3)));
    // 370205 (四方区) became part of 市北区 in 2012.
    assert_eq!(years["市北区@2024"]["value"], 50.0);
    let theme = world.json(OWNER, "/api/v1/themes/years").await;
    assert_eq!(theme["figures"]["periods"], json!(["2023", "2024"]));
    assert_eq!(theme["report"]["matched"]["former_code"], 1);
    // Whoever joins a table without sending it is given the list.
    let former = world.json(As::Anonymous, "/api/v1/division-codes").await;
    assert_eq!(former["former"]["370205"], json!(["370203"]));
    assert!(former["former"].get("370203").is_none());
    let slice = world.json(OWNER, "/api/v1/themes/years/table?period=2024").await;
    assert_eq!(slice["rows"].as_array().unwrap().len(), 4);
    let first = world.json(OWNER, "/api/v1/themes/years/table?limit=3").await;
    let rest = world.json(OWNER, &format!("/api/v1/themes/years/table?after={}", first["next"])).await;
    assert_eq!((first["rows"].as_array().unwrap().len(), rest["rows"].as_array().unwrap().len()), (3, 5));

    definition.as_object_mut().unwrap().remove("time");
    definition["second"] = json!({"kind": "sum", "field": "m", "label": "登记人数"});
    definition["kind"] = "bivariate".into();
    definition["share_class"] = "unconditional".into();
    make(&world, "both", definition).await;
    let both = table(&world, "both").await;
    assert!(both.values().filter(|r| r["value"].is_number()).all(|r| r["class"].as_u64().unwrap() < 9), "{both:?}");
    assert_eq!(
        world.json(OWNER, "/api/v1/themes/both").await["figures"]["legend"]["entries"].as_array().unwrap().len(),
        11
    );

    // Its readers are told what a figure is called, of which field it is they are not.
    let told = world.json(OTHER, "/api/v1/themes/both").await;
    assert_eq!(told["labels"], json!([null, "登记人数"]), "{told}");
    assert!(told["definition"].is_null(), "{told}");
    let layer = world.json(OTHER, "/ogc/collections/both/schema").await;
    assert!(layer["properties"]["second"].to_string().contains("登记人数"), "{layer}");

    // Changed, it is another revision with another style; refreshed, one more; removed, it is gone for everybody.
    let (status, answer) = send(
        &world,
        OWNER,
        Method::PATCH,
        "/api/v1/themes/years",
        &json!({"method": "quantile", "classes": 3, "palette": "reds"}),
    )
    .await;
    assert_eq!(status, 202, "{answer}");
    done(&world, OWNER, &answer["job"]).await.unwrap();
    let theme = world.json(OWNER, "/api/v1/themes/years").await;
    assert_eq!((&theme["revision"], &theme["figures"]["palette"]), (&json!(2), &json!("reds")));
    let (status, answer) = send(&world, OWNER, Method::POST, "/api/v1/themes/years/refresh", &json!({})).await;
    assert_eq!(status, 202);
    done(&world, OWNER, &answer["job"]).await.unwrap();
    assert_eq!(send(&world, OTHER, Method::DELETE, "/api/v1/themes/years", &json!({})).await.0, 404);
    assert_eq!(send(&world, OWNER, Method::DELETE, "/api/v1/themes/open", &json!({})).await.0, 404);
    assert_eq!(send(&world, OWNER, Method::DELETE, "/api/v1/themes/years", &json!({})).await.0, 204);
    for path in ["/api/v1/themes/years", "/ogc/collections/years", "/styles/years-theme.json", "/styles/years.json"] {
        assert_eq!(world.get(OWNER, path).await.status(), 404, "{path}");
    }
    let listed = world.json(OWNER, "/api/v1/themes").await;
    let ids: Vec<&str> = listed["themes"].as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["both"]);
}

/// Points in the zones: so many a zone and year.
async fn cases(world: &World, counts: [[usize; 2]; 4]) {
    let mut rows = vec![];
    let mut id = 0;
    for (zone, years) in counts.iter().enumerate() {
        for (year, count) in years.iter().enumerate() {
            for _ in 0..*count {
                id += 1;
                begin_row(&mut rows, 4);
                put(&mut rows, &Cell::Integer(id));
                put(&mut rows, &Cell::Text(["2023", "2024"][year]));
                put(&mut rows, &Cell::Integer(id % 7));
                put(
                    &mut rows,
                    &Cell::Geometry(&point(120.0 + (zone % 2) as f64 * 0.05, 36.0 + (zone / 2) as f64 * 0.05)),
                );
            }
        }
    }
    let fields = [("year", FieldType::Text), ("age", FieldType::Integer)];
    layer(world, "cases", ShareClass::Conditional, &fields, Some("Point"), rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn small_counts_are_withheld_with_what_would_give_them_away_whatever_is_asked() {
    let world = World::new().await;
    zones(&world).await;
    let truth = [[12, 2], [9, 30], [7, 8], [20, 6]];
    cases(&world, truth).await;
    let rule = json!({"suppression": {"k": 5, "zones": "zones", "field": "year"}});
    let (status, answer) = send(&world, OWNER, Method::PATCH, "/api/v1/layers/cases", &rule).await;
    assert_eq!((status, &answer["suppression"]["k"]), (200, &json!(5)), "{answer}");
    let base = json!({
        "data": {"layer": "cases"}, "zones": {"layer": "zones", "code": "code", "name": "name"},
        "join": {"by": "location"}, "indicator": {"kind": "count"}, "method": "quantile", "classes": 2,
    });
    let with = |name: &str, value: Value| {
        let mut definition = base.clone();
        definition[name] = value;
        definition
    };
    make(&world, "all", base.clone()).await;
    make(&world, "by-year", with("time", json!({"field": "year"}))).await;
    let (all, by_year) = (table(&world, "all").await, table(&world, "by-year").await);
    let names = ["市南区", "市北区", "李沧区", "崂山区"];
    assert_eq!(by_year["市南区@2024"]["suppressed"], true);
    assert!(by_year["市南区@2024"]["value"].is_null() && by_year["市南区@2024"]["count"].is_null());
    // With both themes and every total that they give: the withheld ones are not single solutions of the sums.
    let withheld: Vec<(usize, usize)> = (0..4)
        .flat_map(|z| (0..2).map(move |y| (z, y)))
        .filter(|(z, y)| by_year[&format!("{}@{}", names[*z], ["2023", "2024"][*y])]["suppressed"] == true)
        .collect();
    for z in 0..4 {
        let row: Vec<_> = withheld.iter().filter(|(zone, _)| *zone == z).collect();
        assert!(row.len() != 1 || all[names[z]]["suppressed"] == true, "{} gives {row:?} away", names[z]);
    }
    for y in 0..2 {
        assert_ne!(withheld.iter().filter(|(_, year)| *year == y).count(), 1, "the year's total gives it away");
    }
    // What is told is the truth.
    for (z, zone) in names.iter().enumerate() {
        for (y, year) in ["2023", "2024"].into_iter().enumerate() {
            let row = &by_year[&format!("{zone}@{year}")];
            assert!(row["suppressed"] == true || row["value"] == truth[z][y] as f64, "{row}");
        }
    }
    // The same again withholds the same; features, files and tiles hold no more than the table.
    make(&world, "again", base.clone()).await;
    assert_eq!(table(&world, "again").await, all);
    let features = world.json(OWNER, "/ogc/collections/by-year/items").await;
    for feature in features["features"].as_array().unwrap() {
        let told = &feature["properties"];
        assert!(
            told["suppressed"] == false
                || (told["value"].is_null() && told["count"].is_null() && told["class"].is_null())
        );
    }
    // Whatever would make another table of the same rows is refused, with the parameter that does.
    let rows = json!({"rows": [{"code": "1"}]});
    for (definition, parameter) in [
        (with("data", json!({"layer": "cases", "filter": "age > 2"})), "data.filter"),
        (with("zones", json!({"layer": "all", "code": "code", "name": "name"})), "zones.layer"),
        (with("join", json!({"by": "code", "field": "year"})), "join"),
        (with("time", json!({"field": "age"})), "time"),
        (with("time", json!({"field": "year", "unit": "year"})), "time"),
        (with("indicator", json!({"kind": "mean", "field": "age"})), "indicator"),
        (with("indicator", json!({"kind": "sum", "field": "age"})), "indicator"),
        (with("indicator", json!({"kind": "ratio", "field": "age", "denominator": "age"})), "indicator"),
        (with("data", rows), "join"),
    ] {
        let mut body = definition;
        body["id"] = "refused".into();
        body["title"] = json!({"zh": "x", "en": "x"});
        let (status, problem) = send(&world, OWNER, Method::POST, "/api/v1/themes", &body).await;
        assert_eq!((status, &problem["parameter"]), (400, &json!(parameter)), "{problem}");
    }
    // Who may read a part of the layer, or nothing of it, makes no theme of it.
    let mut body = base.clone();
    body["id"] = "refused".into();
    body["title"] = json!({"zh": "x", "en": "x"});
    assert_eq!(send(&world, OTHER, Method::POST, "/api/v1/themes", &body).await.0, 403);
    world
        .sql(
            "insert into onemap.access_grant (layer_id, department_id, row_filter, purpose, granted_by)
              values ('cases', 'health', '{\"year\": [\"2024\"]}', 'test', 'test')",
        )
        .await;
    world.app.refresh().await.unwrap();
    let (status, problem) = send(&world, OTHER, Method::POST, "/api/v1/themes", &body).await;
    assert_eq!((status, &problem["parameter"]), (400, &json!("data.layer")), "{problem}");
    for wrong in [
        json!({"k": 1, "zones": "zones"}),
        json!({"k": 5, "zones": "zones", "code": "year"}),
        json!({"k": 5, "zones": "zones", "field": "nothing"}),
    ] {
        let (status, _) =
            send(&world, OWNER, Method::PATCH, "/api/v1/layers/cases", &json!({"suppression": wrong})).await;
        assert_eq!(status, 400, "{wrong}");
    }
    // Rows that are sums: what they stand for is counted, and no other number of them is told.
    let rule = json!({"suppression": {"k": 200, "zones": "zones", "count": "age"}});
    assert_eq!(send(&world, OWNER, Method::PATCH, "/api/v1/layers/cases", &rule).await.0, 200);
    let mut body = base.clone();
    body["id"] = "refused".into();
    body["title"] = json!({"zh": "x", "en": "x"});
    let (_, problem) = send(&world, OWNER, Method::POST, "/api/v1/themes", &body).await;
    assert_eq!(problem["parameter"], "indicator", "{problem}");
    make(&world, "ages", with("indicator", json!({"kind": "sum", "field": "age"}))).await;
    assert!(table(&world, "ages").await.values().all(|row| row["suppressed"] == true), "all sums are below 200");
    let (status, answer) =
        send(&world, OWNER, Method::PATCH, "/api/v1/layers/cases", &json!({"suppression": null})).await;
    assert_eq!((status, &answer["suppression"]), (200, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn classes_of_values_and_of_a_layers_field() {
    let world = World::new().await;
    let body = json!({"values": [1, 2, 2, null, 10, 11], "method": "natural_breaks", "classes": 2});
    let (status, answer) = send(&world, As::Anonymous, Method::POST, "/api/v1/classify", &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["breaks"], json!([2.0, 11.0]));
    assert_eq!((&answer["summary"]["missing"], &answer["classes"][0]["count"]), (&json!(1), &json!(3)));
    assert_eq!(answer["colors"].as_array().unwrap().len(), 2);
    let body =
        json!({"layer": "open", "field": "height", "filter": "kind = '住宅'", "method": "quantile", "classes": 4});
    let (status, answer) = send(&world, As::Anonymous, Method::POST, "/api/v1/classify", &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["summary"]["count"], 50);
    let counted: u64 = answer["classes"].as_array().unwrap().iter().map(|c| c["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, 50);
    // Each class of the style picks as many features as the class has.
    for (class, layer) in
        answer["classes"].as_array().unwrap().iter().zip(answer["style"]["layers"].as_array().unwrap())
    {
        let (from, to) = (&class["from"], &class["to"]);
        assert!(layer["filter"].to_string().contains(&to.to_string()), "{layer} {from}");
        assert_eq!(layer["paint"]["circle-color"], class["color"]);
    }
    let named = json!({"inputs": {"values": [1, 2, 3, 9], "classes": 2}});
    let (status, answer) = send(&world, As::Anonymous, Method::POST, "/ogc/processes/classify/execution", &named).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.to_string().contains("histogram"), "{answer}");
    for (body, parameter, status) in [
        (json!({}), "values", 400),
        (json!({"values": [1], "layer": "open", "field": "height"}), "values", 400),
        (json!({"values": []}), "values", 400),
        (json!({"values": [null]}), "values", 400),
        (json!({"values": [1, 2], "classes": 1}), "classes", 400),
        (json!({"values": [1, 2], "method": "manual"}), "breaks", 400),
        (json!({"values": [-1, 2], "method": "geometric"}), "method", 400),
        (json!({"values": [1], "palette": "categories"}), "palette", 400),
        (json!({"values": ["x"]}), "body", 400),
        (json!({"layer": "open", "field": "name"}), "field", 400),
        (json!({"layer": "open", "field": "nothing"}), "field", 400),
        (json!({"layer": "open", "field": "height", "filter": "nothing = 1"}), "filter", 400),
    ] {
        let (found, problem) = send(&world, As::Anonymous, Method::POST, "/api/v1/classify", &body).await;
        assert_eq!((found, &problem["parameter"]), (status, &json!(parameter)), "{body}: {problem}");
    }
    let hidden = json!({"layer": "hidden", "field": "height"});
    let none = json!({"layer": "no-such-layer", "field": "height"});
    let (a, b) = (
        send(&world, OTHER, Method::POST, "/api/v1/classify", &hidden).await,
        send(&world, OTHER, Method::POST, "/api/v1/classify", &none).await,
    );
    assert_eq!((a.0, a.1["detail"].clone()), (404, b.1["detail"].clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_theme_is_said_at_once_or_by_the_job() {
    let world = World::new().await;
    zones(&world).await;
    let good = json!({
        "id": "t", "title": {"zh": "x", "en": "x"}, "data": {"rows": [{"code": "370299", "n": 1}]},
        "zones": {"layer": "zones", "code": "code"}, "join": {"by": "code", "field": "code"},
        "indicator": {"kind": "sum", "field": "n"},
    });
    for (path, value, parameter) in [
        ("/data", json!({}), "data"),
        ("/data", json!({"rows": []}), "data.rows"),
        ("/data", json!({"rows": [{"code": ["x"]}]}), "data.rows[0]"),
        ("/data", json!({"upload": "01890000-0000-7000-8000-000000000000"}), "data.upload"),
        ("/data", json!({"layer": "unconditional", "filter": "nothing = 1"}), "join.field"),
        ("/zones", json!({"layer": "zones"}), "zones.code"),
        ("/zones", json!({"layer": "zones", "code": "nothing"}), "zones.code"),
        ("/indicator", json!({"kind": "sum"}), "indicator.field"),
        ("/indicator", json!({"kind": "ratio", "field": "n"}), "indicator.denominator"),
        ("/indicator", json!({"kind": "per_capita", "denominator": "name"}), "indicator.denominator"),
        ("/indicator", json!({"kind": "count", "label": " "}), "indicator.label"),
        ("/kind", json!("bivariate"), "second"),
        ("/kind", json!("nothing"), "body"),
        ("/palette", json!("categories"), "palette"),
        ("/classes", json!(99), "classes"),
        ("/join", json!({"by": "location"}), "join"),
        ("/id", json!("Bad Id"), "layer"),
        ("/unknown", json!(1), "body"),
    ] {
        let mut body = good.clone();
        body[&path[1..]] = value;
        let (status, problem) = send(&world, OWNER, Method::POST, "/api/v1/themes", &body).await;
        assert_eq!((status, &problem["parameter"]), (400, &json!(parameter)), "{path}: {problem}");
    }
    // No code of these rows is a zone's: the job says so, and the theme waits for better ones.
    let (status, answer) = send(&world, OWNER, Method::POST, "/api/v1/themes", &good).await;
    assert_eq!(status, 202, "{answer}");
    let problem = done(&world, OWNER, &answer["job"]).await.unwrap_err();
    assert_eq!(problem["parameter"], "join", "{problem}");
    let theme = world.json(OWNER, "/api/v1/themes/t").await;
    assert!(theme["revision"].is_null() && theme["figures"].is_null());
    let mended = json!({"data": {"rows": [{"code": "370202", "n": 1}]}});
    let (status, answer) = send(&world, OWNER, Method::PATCH, "/api/v1/themes/t", &mended).await;
    assert_eq!(status, 202, "{answer}");
    done(&world, OWNER, &answer["job"]).await.unwrap();
    assert_eq!(world.json(OWNER, "/api/v1/themes/t").await["revision"], 1);
    // The same id twice, and an upload of another department, are told like what is not there.
    assert_eq!(send(&world, OWNER, Method::POST, "/api/v1/themes", &good).await.0, 409);
}
