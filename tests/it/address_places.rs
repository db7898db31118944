//! Places that are more than a row's point: crossings of roads, and addresses whose term has ended.

use bytes::Bytes;
use futures_util::stream;
use onemap::access::principal::Principal;
use onemap::layer::copy::{HEADER, TRAILER, Value, begin_row, put};
use onemap::layer::model::{Field, FieldType, ShareClass, Title};
use onemap::layer::registry::{self, NewLayer, Shape};
use serde_json::json;

use crate::address::{first, make_source, ready, search};
use crate::world::{As, World};

const HEALTH: As = As::Key("health");

fn line(vertices: &[(f64, f64)]) -> Vec<u8> {
    let mut ewkb = vec![1];
    ewkb.extend_from_slice(&(2u32 | 0x2000_0000).to_le_bytes());
    ewkb.extend_from_slice(&4490u32.to_le_bytes());
    ewkb.extend_from_slice(&(vertices.len() as u32).to_le_bytes());
    for (x, y) in vertices {
        ewkb.extend_from_slice(&x.to_le_bytes());
        ewkb.extend_from_slice(&y.to_le_bytes());
    }
    ewkb
}

/// Its name, the last day on which it holds, its line.
type Road = (&'static str, &'static str, &'static [(f64, f64)]);

/// Roads with the last day on which their names hold.
async fn roads(world: &World, id: &str, class: ShareClass, rows: &[Road]) {
    let app = &world.app;
    let by = Principal::operator("housing");
    let new = NewLayer {
        id: id.into(),
        theme: None,
        title: Title { zh: "道路".into(), en: "Roads".into() },
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
    let field =
        |name: &str, zh: &str, kind| Field { name: name.into(), kind, title_zh: zh.into(), title_en: "".into() };
    let fields = vec![field("name", "道路名称", FieldType::Text), field("gone", "废止日期", FieldType::Text)];
    let mut copied = Vec::new();
    for (i, (name, gone, vertices)) in rows.iter().enumerate() {
        begin_row(&mut copied, 4);
        put(&mut copied, &Value::Integer(i as i64 + 1));
        put(&mut copied, &Value::Text(name));
        put(&mut copied, &Value::Text(gone));
        put(&mut copied, &Value::Geometry(&line(vertices)));
    }
    let shape =
        Shape { fields, geometry: Some("LineString".into()), key_field: None, note: String::new(), report: None };
    let chunks = [Ok(Bytes::from_static(HEADER)), Ok(Bytes::from(copied)), Ok(Bytes::from_static(TRAILER))];
    let staged = registry::stage(&app.store, &grant, &shape, stream::iter(chunks)).await.unwrap();
    registry::publish(&app.store, &grant, staged.number, "publish").await.unwrap();
    app.refresh().await.unwrap();
    make_source(world, id, json!({})).await;
    ready(world, id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roads_meet_where_their_lines_do_and_end_when_their_register_says_so() {
    let world = World::new().await;
    roads(
        &world,
        "roads",
        ShareClass::Unconditional,
        &[
            ("香港中路", "", &[(120.38, 36.06), (120.39, 36.061), (120.40, 36.062)]),
            ("山东路", "", &[(120.39, 36.08), (120.39, 36.061), (120.39, 36.05)]),
            ("旧城路", "2019年12月31日", &[(120.37, 36.08), (120.37, 36.09)]),
            ("南京路", "9999-12-31", &[(120.36, 36.08), (120.36, 36.09)]),
        ],
    )
    .await;
    let crossing = search(&world, HEALTH, "香港中路与山东路交叉口东北角").await;
    let found = first(&crossing);
    assert_eq!((&found["match_level"], &found["coordinate_level"]), (&json!("intersection"), &json!("intersection")));
    assert_eq!(found["elements"]["intersection"], "香港中路与山东路交叉口");
    assert_eq!(crossing["features"][0]["geometry"]["coordinates"], json!([120.39, 36.061]));
    assert!(found["score"].as_f64().unwrap() > 0.9);

    let old = search(&world, HEALTH, "旧城路").await;
    assert_eq!((&first(&old)["valid_to"], first(&old).get("valid_from")), (&json!("2019-12-31"), None));
    assert!(old["faults"].as_array().unwrap().contains(&json!("expired")), "{old}");
    let now = search(&world, HEALTH, "南京路").await;
    assert_eq!(now["faults"], json!([]));
    let suggested = world.json(HEALTH, "/address/suggest?q=%E6%97%A7%E5%9F%8E").await;
    assert_eq!(suggested["features"], json!([]), "what is no more is not suggested");
    // An edit is no line in the index's memory, but the row that it hides hides its crossings.
    world.sql("delete from map.roads where name = '山东路'").await;
    for _ in 0..100 {
        let after = search(&world, HEALTH, "香港中路与山东路交叉口").await;
        if first(&after)["match_level"] != "intersection" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("a deleted road still has its crossing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crossing_outside_of_a_grants_area_is_not_told() {
    let world = World::new().await;
    roads(
        &world,
        "roads",
        ShareClass::Conditional,
        &[
            ("香港中路", "", &[(120.36, 36.06), (120.38, 36.06), (120.40, 36.06)]),
            ("山东路", "", &[(120.40, 36.06), (120.40, 36.08), (120.40, 36.10)]),
        ],
    )
    .await;
    let crossings = async |columns: &str, values: &str| {
        world
            .sql(&format!(
                "update onemap.access_grant set revoked_at = now();
                 insert into onemap.access_grant (layer_id, department_id, purpose, granted_by{columns})
                 values ('roads', 'health', 'test', 'test'{values})"
            ))
            .await;
        world.app.refresh().await.unwrap();
        let road = search(&world, HEALTH, "香港中路").await;
        assert_eq!(first(&road)["match_level"], "road", "{road}");
        let found = search(&world, HEALTH, "香港中路与山东路交叉口").await;
        let all = found["features"].as_array().unwrap();
        all.iter().filter(|f| f["properties"]["match_level"] == "intersection").count()
    };
    assert_eq!(crossings("", "").await, 1);
    // The middles of both lines lie in it, their crossing does not.
    let area = "st_multi(st_union(st_makeenvelope(120.37, 36.05, 120.39, 36.07, 4490),
                                  st_makeenvelope(120.39, 36.07, 120.41, 36.09, 4490)))";
    assert_eq!(crossings(", area", &format!(", {area}")).await, 0);
}
