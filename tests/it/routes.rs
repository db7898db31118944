//! Every route, asked by everybody: who may come in is what the route table says, and nobody gets a 5xx.

use onemap::access::principal::Role;
use onemap::http::routes::{Access, table};
use reqwest::Method;

use crate::world::{As, World};

const EVERYBODY: [As; 9] = [
    As::Anonymous,
    As::Key("health"),
    As::Key("housing"),
    As::Person("health", Role::User),
    As::Person("health", Role::Publisher),
    As::Person("housing", Role::DepartmentAdministrator),
    As::Person("health", Role::PlatformAdministrator),
    As::Person("health", Role::Approver),
    As::Person("health", Role::Auditor),
];

fn may_enter(access: Access, who: As) -> bool {
    let role = match who {
        As::Person(_, role) => Some(role),
        _ => None,
    };
    match access {
        Access::Open | Access::Layer => true,
        Access::Department => who != As::Anonymous,
        Access::Person => role.is_some(),
        Access::Publisher => role.is_some_and(Role::publishes),
        Access::KeyManager => role.is_some_and(Role::manages_keys),
        Access::Approver => role.is_some_and(Role::decides),
        Access::Auditor => matches!(role, Some(Role::Auditor | Role::DepartmentAdministrator)),
        Access::PlatformAuditor => role == Some(Role::Auditor),
        Access::Administrator => role == Some(Role::PlatformAdministrator),
    }
}

/// A route's path with something in each of its places.
pub fn fill(path: &str, layer: &str) -> String {
    path.replace("{layer}", layer)
        .replace("{feature}", "1")
        .replace("{record}", "open")
        .replace("{process}", "identify")
        .replace("{grid}", "open_w")
        .replace("{set}", "WebMercatorQuad")
        .replace("{z}", "8")
        .replace("{x}", "213")
        .replace("{y}", "100")
        .replace("{row}", "100")
        .replace("{column}", "213")
        .replace("{number}", "1")
        .replace("{style}", "base.json")
        .replace("{sprite}", "onemap.json")
        .replace("{stack}", "Noto Sans CJK SC Regular")
        .replace("{range}", "0-255.pbf")
        .replace("{example}", "family-planning")
        .replace("{file}", "page.js")
        .replace("{photo}", "01890000-0000-7000-8000-000000000000")
        .replace("{upload}", "01890000-0000-7000-8000-000000000000")
        .replace("{alias}", "1")
        .replace("{job}", "01890000-0000-7000-8000-000000000000")
        .replace("{grant}", "1")
        .replace("{kid}", "nothing")
        .replace("{person}", "100000")
        .replace("{session}", "01890000-0000-7000-8000-000000000000")
        .replace("{code}", "999999-1")
        .replace("{request}", "01890000-0000-7000-8000-000000000000")
        .replace("{webhook}", "01890000-0000-7000-8000-000000000000")
        .replace("{year}", "2026")
        .replace("{certificate}", "1")
        .replace("{account}", "1")
        .replace("{key}", "01890000-0000-7000-8000-000000000000")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_the_table_says() {
    let world = World::new().await;
    let mut cookies = std::collections::HashMap::new();
    for route in table() {
        for who in EVERYBODY {
            let path = fill(route.path, if route.path == "/tiles/{layer}" { "open.json" } else { "open" });
            let mut request = world.request(Method::from_bytes(route.method.as_bytes()).unwrap(), &path);
            match who {
                As::Anonymous => {}
                As::Key(department) => request = request.bearer_auth(crate::world::key_of(department)),
                As::Person(department, role) => {
                    let login = format!("{department}-{}", role.name());
                    // Signing out ends a session: each use of that route gets a fresh one.
                    if route.path == "/api/v1/session" || !cookies.contains_key(&login) {
                        cookies.insert(login.clone(), world.sign_in(&login).await);
                    }
                    request = request.header("cookie", &cookies[&login]);
                    if route.path == "/api/v1/session" {
                        cookies.remove(&login);
                    }
                }
            }
            let response = request.body("{}").send().await.unwrap();
            let status = response.status().as_u16();
            let what = format!("{} {path} as {who:?}: {status}", route.method);
            assert!(status < 500, "{what} {}", response.text().await.unwrap());
            if !may_enter(route.access, who) {
                assert_eq!(status, if who == As::Anonymous { 401 } else { 403 }, "{what}");
            } else if route.access != Access::Layer && route.path != "/api/v1/session" {
                assert!(status != 401 && status != 403, "{what}");
            }
            if status >= 400 && route.method != "HEAD" {
                let media = if is_ows(&path) { "text/xml; charset=utf-8" } else { "application/problem+json" };
                assert_eq!(response.headers()["content-type"], media, "{what}");
            }
        }
    }
}

/// The services that report their errors in XML.
fn is_ows(path: &str) -> bool {
    path.starts_with("/ogc/wm")
        || path.starts_with("/ogc/wfs")
        || path.ends_with("/wmts")
        || ["/wms", "/wfs", "/DataServer"].contains(&path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_one_may_not_know_of_is_404_and_one_to_request_is_403_on_every_route() {
    let world = World::new().await;
    let cookie = world.sign_in("health-platform_administrator").await;
    for route in table().iter().filter(|r| r.access == Access::Layer) {
        for (layer, expected) in [("hidden", 404), ("no-such-layer", 404), ("conditional", 403)] {
            let layer = if route.path == "/tiles/{layer}" { format!("{layer}.json") } else { layer.to_owned() };
            let path = fill(route.path, &layer);
            // The catalogue shows what may be requested.
            let expected = match (route.path, expected) {
                ("/api/v1/layers/{layer}", 403) if route.method == "GET" => 200,
                (_, status) => status,
            };
            let method = Method::from_bytes(route.method.as_bytes()).unwrap();
            for body in ["", "{\"revision\": 1}", "nonsense"] {
                let request = world.request(method.clone(), &path).header("cookie", &cookie).body(body);
                let response = request.send().await.unwrap();
                let status = response.status().as_u16();
                assert_eq!(status, expected, "{method} {path}: {}", response.text().await.unwrap());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_a_problem_in_the_callers_language() {
    let world = World::new().await;
    let items = "/ogc/collections/open/items";
    for (path, parameter) in [
        (format!("{items}?nonsense=1"), "nonsense"),
        (format!("{items}?bbox=1,2,3"), "bbox"),
        (format!("{items}?bbox=a,b,c,d"), "bbox"),
        (format!("{items}?limit=0"), "limit"),
        (format!("{items}?limit=-1"), "limit"),
        (format!("{items}?limit=1.5"), "limit"),
        (format!("{items}?limit="), "limit"),
        (format!("{items}?limit=1&limit=2"), "limit"),
        (format!("{items}?datetime=yesterday"), "datetime"),
        (format!("{items}?crs=EPSG:9999"), "crs"),
        (format!("{items}?floors=many"), "floors"),
        (format!("{items}?f=docx"), "f"),
        (format!("{items}?cursor=x"), "cursor"),
        (format!("{items}?cursor=7"), "cursor"),
        (format!("{items}?sortby=nothing"), "sortby"),
        (format!("{items}?sortby="), "sortby"),
        (format!("{items}?sortby=name,-name"), "sortby"),
        (format!("{items}?properties=name,nothing"), "properties"),
        (format!("{items}?exclude-properties=nothing"), "exclude-properties"),
        (format!("{items}?skipGeometry=maybe"), "skipGeometry"),
        (format!("{items}/1?properties=nothing"), "properties"),
        ("/tiles/open/x/0/0".into(), "z"),
        ("/tiles/open/-1/0/0".into(), "z"),
        ("/tiles/open/5/1/1?fields=nothing".into(), "fields"),
        ("/fonts/Noto Sans CJK SC Regular/1-2.pbf".into(), "range"),
        ("/api/v1/identify?lon=500&lat=1".into(), "lon"),
    ] {
        for (language, content_language) in [("zh-CN", "zh-CN"), ("en-GB,en", "en")] {
            let request = world.request(Method::GET, &path).header("accept-language", language);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 400, "{path}");
            assert_eq!(response.headers()["content-language"], content_language, "{path}");
            let problem: serde_json::Value = response.json().await.unwrap();
            assert_eq!(problem["parameter"], parameter, "{path}: {problem}");
            assert!(problem["request_id"].is_string() && problem["detail"].is_string(), "{path}");
        }
    }
    for (method, path, status) in [
        (Method::PUT, "/ogc", 405),
        (Method::DELETE, items, 405),
        (Method::GET, "/ogc/nothing", 404),
        (Method::GET, "/api/v2", 404),
        (Method::GET, "/tiles/open/25/0/0", 404),
        (Method::GET, "/tiles/open/3/8/0", 404),
        (Method::GET, "/ogc/collections/open/items/x", 404),
        (Method::GET, "/ogc/collections/open/items/100000", 404),
        (Method::GET, "/styles/open", 404),
    ] {
        let response = world.request(method.clone(), path).send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{method} {path}");
        if status == 405 {
            assert!(response.headers().contains_key("allow"), "{method} {path}");
        }
    }
}
