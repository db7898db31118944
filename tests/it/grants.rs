//! Grants: who gives and ends them, what each right opens, and what becomes of answers that are under way when one ends.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use onemap::access::principal::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::tiles::decode;
use crate::world::{As, World};

const HEALTH: As = As::Key("health");
const APPROVER: As = As::Person("housing", Role::Approver);
const ITEMS: &str = "/ogc/collections/conditional/items";
const TILE: &str = "/tiles/conditional/8/213/100";

async fn send(world: &World, who: As, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let request = world.by(who, method, path).await.header("accept-language", "en").json(body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

fn wanted(more: Value) -> Value {
    let mut grant =
        json!({"layer": "conditional", "department": "health", "rights": ["view", "query"], "purpose": "测算"});
    grant.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    grant
}

#[tokio::test(flavor = "multi_thread")]
async fn each_right_opens_its_routes_and_the_missing_one_is_named() {
    let world = World::new().await;
    let wms = "/ogc/wms?version=1.3.0&styles=&crs=CRS:84&bbox=119.95,35.95,120.15,36.15&width=80&height=80&layers=conditional&service=WMS";
    let map = format!("{wms}&request=GetMap&format=image/png");
    let info = format!("{wms}&request=GetFeatureInfo&query_layers=conditional&info_format=application/json&i=1&j=1");
    let (paper, large) = (format!("{map}&dpi=300"), map.replace("width=80&height=80", "width=4096&height=2100"));
    let file = format!("{ITEMS}?f=csv");
    let routes = [
        (TILE, "view"),
        ("/tiles/conditional.json", "view"),
        ("/styles/conditional.json", "view"),
        ("/api/v1/layers/conditional/legend", "view"),
        (&map, "view"),
        (&paper, "print"),
        (&large, "print"),
        (&info, "query"),
        (ITEMS, "query"),
        ("/ogc/collections/conditional/items/1", "query"),
        ("/api/v1/identify?lon=120&lat=36&layers=conditional", "query"),
        ("/ogc/wfs?service=WFS&version=2.0.0&request=GetFeature&typeNames=conditional", "query"),
        (&file, "export"),
        ("/ogc/wfs?service=WFS&version=2.0.0&request=GetFeature&typeNames=conditional&outputFormat=csv", "export"),
    ];
    for right in ["view", "query", "export", "print"] {
        world.sql("delete from onemap.access_grant").await;
        world.grant("rights", &format!("array['{right}']")).await;
        for (path, needed) in routes {
            let response = world.request(Method::GET, path).header("accept-language", "en");
            let response = response.bearer_auth(crate::world::key_of("health")).send().await.unwrap();
            let status = response.status();
            let text = response.text().await.unwrap_or_default();
            assert_eq!(status.is_success(), needed == right, "{right}: {path}: {status} {text}");
            if needed != right {
                assert!(status == 403 && text.contains(needed), "{path} names {needed}: {status} {text}");
            }
        }
        // Whoever holds any right may know what it is of.
        for path in ["/ogc/collections/conditional", "/ogc/collections/conditional/schema"] {
            assert_eq!(world.get(HEALTH, path).await.status(), 200, "{right}: {path}");
        }
        let (status, _) = send(
            &world,
            As::Person("health", Role::User),
            Method::POST,
            "/api/v1/layers/conditional/export",
            &json!({}),
        )
        .await;
        assert_eq!(status, if right == "export" { 202 } else { 403 });
        let sheet = json!({"layers": ["unconditional", "conditional"]});
        let (status, said) = send(&world, HEALTH, Method::POST, "/api/v1/print", &sheet).await;
        if right == "print" {
            assert_eq!((status, &said["layers"][1]["purpose"]), (200, &json!("test")), "{said}");
            assert_eq!(
                (&said["layers"][0]["grant"], &said["layers"][1]["provider"]["zh"]),
                (&Value::Null, &json!("housing"))
            );
        } else {
            assert!(status == 403 && said.to_string().contains("`print`"), "{right}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_is_recorded_as_such() {
    let world = World::new().await;
    world.grant("rights", "array['view', 'print']").await;
    for (layers, status) in [
        (json!(["conditional"]), 200),
        (json!([]), 400),
        (json!(["hidden"]), 404),
        (json!(["nowhere"]), 404),
        (json!(["conditional", "hidden"]), 404),
    ] {
        let (found, said) = send(&world, HEALTH, Method::POST, "/api/v1/print", &json!({ "layers": layers })).await;
        assert_eq!(found, status, "{layers}: {said}");
    }
    let (status, _) = send(&world, As::Anonymous, Method::POST, "/api/v1/print", &json!({"layers": ["open"]})).await;
    assert_eq!(status, 200, "what is open to all may be printed by all");
    let wms = "/ogc/wms?service=WMS&version=1.3.0&request=GetMap&styles=&crs=CRS:84&bbox=119.95,35.95,120.15,36.15&width=80&height=80&format=image/png";
    for more in ["&layers=conditional&DPI=300", "&layers=conditional"] {
        assert_eq!(world.get(HEALTH, &format!("{wms}{more}")).await.status(), 200, "{more}");
    }
    let client = world.app.database.app().await.unwrap();
    let mut found: Vec<(String, i64)> = vec![];
    for _ in 0..100 {
        let count = "select operation, count(*) from onemap.evidence where layer = 'conditional' and status = 200
            and operation in ('print', 'map') group by 1 order by 1";
        found = client.query(count, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
        if found == [("map".to_owned(), 1), ("print".to_owned(), 2)] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the records do not say what was printed: {found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_gives_and_revokes_and_the_holder_gives_back() {
    let world = World::new().await;
    let grants = "/api/v1/grants";
    let area = json!({"type": "Polygon", "coordinates":
        [[[119.9, 35.9], [120.045, 35.9], [120.045, 37], [119.9, 37], [119.9, 35.9]]]});
    let new = wanted(
        json!({"filter": "kind = '住宅'", "area": area, "fields": ["name", "kind"], "case_number": "青大数据〔2026〕12号",
        "valid_until": "2099-12-31T23:59:59+08:00"}),
    );
    // Neither the asking department nor somebody without the role gives it.
    for who in [As::Person("health", Role::Approver), As::Person("health", Role::PlatformAdministrator)] {
        assert_eq!(send(&world, who, Method::POST, grants, &new).await.0, 403, "{who:?}");
    }
    assert_eq!(send(&world, As::Person("housing", Role::Publisher), Method::POST, grants, &new).await.0, 403);
    let (status, made) = send(&world, APPROVER, Method::POST, grants, &new).await;
    assert_eq!(status, 201, "{made}");
    let page = world.json(HEALTH, &format!("{ITEMS}?limit=1000")).await;
    assert_eq!(page["features"].as_array().unwrap().len(), 30);
    let tile = world.get(HEALTH, TILE).await.bytes().await.unwrap();
    assert_eq!(
        (decode(&tile)["conditional"].ids.len(), &*decode(&tile)["conditional"].keys),
        (30, &["kind".into(), "name".into()][..])
    );
    let one = format!("{grants}/{}", made["id"]);
    let record = world.json(As::Person("health", Role::User), &one).await;
    assert_eq!((&record["state"], &record["rights"]), (&json!("active"), &json!(["view", "query"])));
    assert_eq!(record["area"]["type"], "MultiPolygon");
    assert!((record["area_km2"].as_f64().unwrap() - 1589.0).abs() < 20.0, "{}", record["area_km2"]);
    assert_eq!(world.json(As::Person("health", Role::User), grants).await["held"][0]["purpose"], "测算");
    assert_eq!(world.json(APPROVER, grants).await["given"][0]["case_number"], "青大数据〔2026〕12号");
    // A third department learns nothing of it; the auditor sees all.
    world
        .sql(
            "insert into onemap.department (id, title_zh, title_en) values ('third', '三', 'Third');
               update onemap.person set department_id = 'third' where login = 'health-publisher'",
        )
        .await;
    assert_eq!(world.get(As::Person("health", Role::Publisher), &one).await.status(), 404);
    assert_eq!(world.get(As::Person("health", Role::Auditor), &format!("{grants}?all=true")).await.status(), 200);
    assert_eq!(
        send(&world, As::Person("health", Role::User), Method::DELETE, &one, &json!({"reason": "x"})).await.0,
        403
    );
    assert_eq!(send(&world, APPROVER, Method::DELETE, &one, &json!({"reason": " "})).await.0, 400);
    assert_eq!(send(&world, APPROVER, Method::DELETE, &one, &json!({"reason": "用途结束"})).await.0, 204);
    assert_eq!(send(&world, APPROVER, Method::DELETE, &one, &json!({"reason": "again"})).await.0, 409);
    assert_eq!(world.get(HEALTH, ITEMS).await.status(), 403);
    let (_, made) = send(&world, APPROVER, Method::POST, grants, &wanted(json!({}))).await;
    assert_eq!(world.get(HEALTH, ITEMS).await.status(), 200);
    let one = format!("{grants}/{}", made["id"]);
    let back =
        send(&world, As::Person("health", Role::Approver), Method::DELETE, &one, &json!({"reason": "不再需要"})).await;
    assert_eq!(back.0, 204);
    assert_eq!(world.json(As::Person("health", Role::User), &one).await["state"], "surrendered");
    let client = world.app.database.app().await.unwrap();
    let rows =
        client.query("select action from onemap.audit where object_kind = 'grant' order by id", &[]).await.unwrap();
    let actions: Vec<&str> = rows.iter().map(|r| r.get(0)).collect();
    assert_eq!(actions, ["grant", "revoke", "grant", "surrender"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_makes_no_sense_is_refused_with_its_parameter() {
    let world = World::new().await;
    let cookie = world.sign_in("housing-approver").await;
    let line = json!({"type": "LineString", "coordinates": [[120, 36], [121, 36]]});
    let flat = json!({"type": "Polygon", "coordinates": [[[120, 36], [121, 36], [120, 36], [120, 36]]]});
    for (more, parameter) in [
        (json!({"rights": []}), "rights"),
        (json!({"purpose": " "}), "purpose"),
        (json!({"department": "nowhere"}), "department"),
        (json!({"department": "housing"}), "department"),
        (json!({"fields": ["rooms"]}), "fields"),
        (json!({"filter": "rooms = 1"}), "filter"),
        (json!({"filter": "built < now()"}), "filter"),
        (json!({"filter": "S_INTERSECTS(geometry, POINT(120 36))"}), "filter"),
        (json!({"area": line}), "area"),
        (json!({"area": flat}), "area"),
        (json!({"divisions": ["370202"]}), "divisions"),
        (json!({"valid_until": "soon"}), "valid_until"),
        (json!({"valid_until": "2020-01-01T00:00:00Z"}), "valid_until"),
        (json!({"valid_from": "2031-01-01T00:00:00Z", "valid_until": "2030-01-01T00:00:00Z"}), "valid_until"),
        (json!({"rights": ["own"]}), "body"),
    ] {
        let request =
            world.request(Method::POST, "/api/v1/grants").header("cookie", &cookie).json(&wanted(more.clone()));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400, "{more}");
        assert_eq!(response.json::<Value>().await.unwrap()["parameter"], parameter, "{more}");
    }
    for (layer, status) in [("hidden", 409), ("nowhere", 404)] {
        let request = world.request(Method::POST, "/api/v1/grants").header("cookie", &cookie);
        let response = request.json(&wanted(json!({"layer": layer}))).send().await.unwrap();
        assert_eq!(response.status(), status, "{layer}");
    }
    // To another department's approver a hidden layer does not exist.
    let said = |layer: &'static str| {
        let world = &world;
        async move {
            let who = As::Person("health", Role::Approver);
            let body = wanted(json!({"layer": layer, "department": "housing"}));
            let (status, mut said) = send(world, who, Method::POST, "/api/v1/grants", &body).await;
            said["request_id"].take();
            (status, said.to_string().replace(layer, "X"))
        }
    };
    assert_eq!(said("hidden").await, said("nowhere").await);
    let client = world.app.database.app().await.unwrap();
    let count: i64 = client.query_one("select count(*) from onemap.access_grant", &[]).await.unwrap().get(0);
    assert_eq!(count, 0);
}

/// A conditional layer whose features are large, read by health.
async fn large(world: &World) {
    world.squares(3000).await;
    world
        .sql(
            "update onemap.layer set share_class = 'conditional', anonymous = false where id = 'big';
             insert into onemap.access_grant (layer_id, department_id, purpose, granted_by) values ('big', 'health', 'test', 'test')",
        )
        .await;
    world.app.refresh().await.unwrap();
}

/// Several long answers that have begun and are read no further.
async fn under_way(world: &World) -> Vec<(String, reqwest::Response)> {
    let items = "/ogc/collections/big/items";
    let wfs = "/ogc/wfs?service=WFS&version=2.0.0&request=GetFeature&typeNames=big&count=3000";
    let mut open = vec![];
    for path in [format!("{items}?limit=3000"), format!("{items}?f=csv"), format!("{items}?f=fgb"), wfs.to_owned()] {
        let mut response = world.get(HEALTH, &path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.chunk().await.unwrap().expect("it begins");
        open.push((path, response));
    }
    open
}

/// All of them fail, soon, and none looks whole.
async fn all_fail(open: Vec<(String, reqwest::Response)>) {
    let since = Instant::now();
    // The node has been told by then, and no row is given out any more; what lies in the sockets is read off.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    for (path, response) in open {
        let mut pieces = response.bytes_stream();
        let mut bytes = 0;
        let failed = loop {
            match pieces.next().await {
                Some(Ok(piece)) => bytes += piece.len(),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(failed, "{path} looks whole after {bytes} bytes");
        assert!(bytes < 100_000_000, "{path}: {bytes} bytes went out after the end");
    }
    assert!(since.elapsed() < Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_grant_breaks_off_what_is_under_way() {
    let world = World::new().await;
    large(&world).await;
    let open = under_way(&world).await;
    world.sql("update onemap.access_grant set revoked_at = now()").await;
    all_fail(open).await;
    assert_eq!(world.get(HEALTH, "/ogc/collections/big/items?limit=1").await.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_expires_breaks_off_what_is_under_way() {
    let world = World::new().await;
    large(&world).await;
    world.sql("update onemap.access_grant set valid_until = now() + interval '4 seconds'").await;
    world.app.refresh().await.unwrap();
    let open = under_way(&world).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    all_fail(open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_breaks_off_what_is_under_way() {
    let world = World::new().await;
    large(&world).await;
    let open = under_way(&world).await;
    world.sql("update onemap.app_key set revoked_at = now() where department_id = 'health'").await;
    all_fail(open).await;
    assert_eq!(world.get(HEALTH, "/ogc/collections/open").await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_barred_or_moved_is_signed_out_at_once() {
    let world = World::new().await;
    for change in ["active = false", "department_id = 'housing'", "role = 'user'"] {
        world.sql("update onemap.person set active = true, department_id = 'health', role = 'publisher' where login = 'health-publisher'").await;
        let cookie = world.sign_in("health-publisher").await;
        let who = || world.request(Method::GET, "/api/v1/uploads").header("cookie", &cookie).send();
        assert_eq!(who().await.unwrap().status(), 200);
        world.sql(&format!("update onemap.person set {change} where login = 'health-publisher'")).await;
        let since = Instant::now();
        while who().await.unwrap().status() == 200 {
            assert!(since.elapsed() < Duration::from_secs(5), "{change}: still signed in");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(who().await.unwrap().status(), 401, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_to_write_reaches_as_far_as_the_grant() {
    let world = World::new().await;
    let west = "st_multi(st_makeenvelope(119.9, 35.9, 120.045, 37, 4490))";
    let columns = "rights, fields, filter, area";
    world.grant(columns, &format!("array['query', 'write'], array['name', 'kind'], 'kind = ''住宅''', {west}")).await;
    let cookie = world.sign_in("health-publisher").await;
    let send = |method: Method, path: &str, body: Value| {
        let request = world.request(method, path).header("accept-language", "en").header("if-match", "*");
        let request =
            request.header("content-type", "application/geo+json").header("cookie", &cookie).body(body.to_string());
        async move {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        }
    };
    let point = |x: f64| json!({"type": "Point", "coordinates": [x, 36.05]});
    let properties = |p: Value| json!({"properties": p});
    let whole = |x: f64, kind: &str| json!({"type": "Feature", "geometry": point(x), "properties": {"name": "新", "kind": kind}});
    let one = format!("{ITEMS}/1");
    for (method, path, body, expected) in [
        (Method::PATCH, &one, properties(json!({"name": "改"})), 204),
        // A field that is not granted does not exist.
        (Method::PATCH, &one, properties(json!({"floors": 5})), 400),
        // What it would become is beyond the rows, or the area.
        (Method::PATCH, &one, properties(json!({"kind": "商业"})), 403),
        (Method::PATCH, &one, json!({"geometry": point(121.0)}), 403),
        (Method::PATCH, &one, json!({"geometry": point(120.04)}), 204),
        (Method::PUT, &one, whole(120.03, "住宅"), 204),
        // What is not shown is not there.
        (Method::PATCH, &format!("{ITEMS}/2"), properties(json!({"name": "x"})), 404),
        (Method::DELETE, &format!("{ITEMS}/2"), Value::Null, 404),
        (Method::POST, &ITEMS.to_owned(), whole(120.02, "住宅"), 201),
        (Method::POST, &ITEMS.to_owned(), whole(120.02, "商业"), 403),
        (Method::POST, &ITEMS.to_owned(), whole(121.0, "住宅"), 403),
        (Method::DELETE, &format!("{ITEMS}/3"), Value::Null, 204),
    ] {
        let (status, said) = send(method.clone(), path, body.clone()).await;
        assert_eq!(status, expected, "{method} {path} {body}: {said}");
    }
    // The fields that were not granted are as they were, and nothing that was refused was done.
    let all = world.json(As::Key("housing"), &format!("{ITEMS}?limit=1000")).await;
    let features = all["features"].as_array().unwrap();
    assert_eq!(features.len(), 100);
    let first = features.iter().find(|f| f["id"] == 1).unwrap();
    assert_eq!((&first["properties"]["name"], &first["properties"]["listed"]), (&json!("新"), &json!(true)));
    assert!(features.iter().all(|f| f["geometry"]["coordinates"][0].as_f64().unwrap() < 120.5));
    // Keys and readers do not write, nor does anybody without the right.
    for who in [HEALTH, As::Person("health", Role::User)] {
        let request = world.by(who, Method::DELETE, &format!("{ITEMS}/5")).await.header("if-match", "*");
        assert_eq!(request.send().await.unwrap().status(), 403, "{who:?}");
    }
    world.sql("update onemap.access_grant set rights = array['query']").await;
    world.app.refresh().await.unwrap();
    let (status, said) = send(Method::DELETE, &format!("{ITEMS}/5"), Value::Null).await;
    assert!(status == 403 && said.contains("`write`"), "{status} {said}");
}
