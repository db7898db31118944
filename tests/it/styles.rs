//! OGC API Styles: styles that departments keep, what readers see of them, and the default of a layer.

use onemap::access::principal::Role;
use onemap::layer::model::ShareClass;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::world::{As, World};

const PUBLISHER: As = As::Person("housing", Role::Publisher);
const HEALTH: As = As::Key("health");

/// A style over the open, the conditional and the hidden layer.
fn night() -> Value {
    let layer = |id: &str, name: &str| {
        json!({"id": format!("{id}-{name}"), "type": "circle", "source": id, "source-layer": id,
               "paint": {"circle-color": "#123456", "circle-radius": ["get", "floors"]}})
    };
    let source = |id: &str| json!({"type": "vector", "url": format!("/tiles/{id}.json")});
    json!({
        "version": 8, "name": "夜间样式",
        "sources": {"open": source("open"), "conditional": source("conditional"), "hidden": source("hidden")},
        "layers": [
            {"id": "ground", "type": "background", "paint": {"background-color": "#000011"}},
            layer("open", "dots"), layer("conditional", "dots"), layer("hidden", "dots"),
        ],
    })
}

async fn send(world: &World, who: As, method: Method, path: &str, body: &Value) -> Response {
    world.by(who, method, path).await.json(body).send().await.expect("an answer")
}

async fn keep_night(world: &World) {
    let response = send(world, PUBLISHER, Method::PUT, "/ogc/styles/night", &night()).await;
    assert_eq!(response.status(), 201, "{}", response.text().await.unwrap());
}

fn ids(style: &Value) -> Vec<&str> {
    style["layers"].as_array().unwrap().iter().map(|l| l["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_style_shows_each_reader_what_the_reader_may_see() {
    let world = World::new().await;
    keep_night(&world).await;
    let whole = world.json(PUBLISHER, "/ogc/styles/night?f=mbs").await;
    assert_eq!(ids(&whole), ["ground", "open-dots", "conditional-dots", "hidden-dots"]);
    let open = world.json(As::Anonymous, "/ogc/styles/night").await;
    assert_eq!(ids(&open), ["ground", "open-dots"]);
    assert_eq!(open["sources"]["open"]["url"], format!("{}/tiles/open.json", world.url));
    assert!(!open.to_string().contains("conditional") && !open.to_string().contains("hidden"));
    // A grant that leaves a field out leaves it out of the style too.
    world.grant("fields", "array['name', 'kind']").await;
    let part = world.json(HEALTH, "/styles/night.json").await;
    assert_eq!(ids(&part), ["ground", "open-dots", "conditional-dots"]);
    assert!(part["layers"][1]["paint"]["circle-radius"].is_array());
    assert_eq!(part["layers"][2]["paint"], json!({"circle-color": "#123456"}));
    let metadata = world.json(HEALTH, "/ogc/styles/night/metadata").await;
    assert_eq!(metadata["layers"].as_array().unwrap().len(), 2, "{metadata}");
    // The key that a map has in its address goes along.
    let key = crate::world::key_of("health");
    let carried = world.json(As::Anonymous, &format!("/ogc/styles/night?key={key}")).await;
    assert!(carried["sources"]["open"]["url"].as_str().unwrap().ends_with(&format!("?key={key}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_style_of_hidden_layers_alone_is_nowhere() {
    let world = World::new().await;
    let mut style = night();
    style["layers"] = json!([style["layers"][3]]);
    let response = send(&world, PUBLISHER, Method::PUT, "/ogc/styles/secret", &style).await;
    assert_eq!(response.status(), 201);
    let health = As::Person("health", Role::Publisher);
    for who in [As::Anonymous, HEALTH, health] {
        assert_eq!(world.get(who, "/ogc/styles/secret").await.status(), 404);
        assert_eq!(world.get(who, "/ogc/styles/secret/metadata").await.status(), 404);
        assert_eq!(world.get(who, "/styles/secret.json").await.status(), 404);
        assert!(!world.json(who, "/ogc/styles").await.to_string().contains("secret"));
    }
    // Nor can it be told apart by writing: the id is taken, whoever took it.
    let response =
        send(&world, health, Method::PUT, "/ogc/styles/secret", &json!({"version": 8, "sources": {}, "layers": []}))
            .await;
    assert_eq!(response.status(), 409);
    assert_eq!(send(&world, health, Method::DELETE, "/ogc/styles/secret", &json!({})).await.status(), 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn styles_are_made_replaced_described_and_removed_by_their_department() {
    let world = World::new().await;
    let mut style = night();
    style["name"] = "City at Night!".into();
    let response = send(&world, PUBLISHER, Method::POST, "/ogc/styles", &style).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["location"], format!("{}/ogc/styles/city-at-night", world.url));
    assert_eq!(send(&world, PUBLISHER, Method::POST, "/ogc/styles", &style).await.status(), 409, "the id is taken");
    let path = "/ogc/styles/city-at-night";
    let etag = world.get(PUBLISHER, path).await.headers()["etag"].to_str().unwrap().to_owned();

    // Another department sees it, and may not touch it.
    let health = As::Person("health", Role::Publisher);
    for method in [Method::PUT, Method::DELETE] {
        assert_eq!(send(&world, health, method, path, &style).await.status(), 403);
    }
    assert_eq!(send(&world, As::Person("housing", Role::User), Method::PUT, path, &style).await.status(), 403);
    assert_eq!(send(&world, As::Anonymous, Method::PUT, path, &style).await.status(), 401);

    let patch = json!({"title": "夜间", "keywords": ["暗色"], "license": "政务共享"});
    let response = send(&world, PUBLISHER, Method::PATCH, &format!("{path}/metadata"), &patch).await;
    assert_eq!(response.status(), 204);
    let patch = json!({"license": null});
    assert_eq!(send(&world, PUBLISHER, Method::PATCH, &format!("{path}/metadata"), &patch).await.status(), 204);
    let metadata = world.json(As::Anonymous, &format!("{path}/metadata")).await;
    assert_eq!(
        (&metadata["title"], &metadata["keywords"], metadata.get("license")),
        (&json!("夜间"), &json!(["暗色"]), None)
    );
    assert_eq!(metadata["version"], "3");
    let wrong = send(&world, PUBLISHER, Method::PATCH, &format!("{path}/metadata"), &json!({"colour": 1})).await;
    assert_eq!(wrong.status(), 400);

    // The state of before is not the one that is there.
    let put = world.by(PUBLISHER, Method::PUT, path).await.header("if-match", &etag).json(&style).send().await.unwrap();
    assert_eq!(put.status(), 412);
    let etag = world.get(PUBLISHER, path).await.headers()["etag"].to_str().unwrap().to_owned();
    style["layers"] = json!([style["layers"][1]]);
    let put = world.by(PUBLISHER, Method::PUT, path).await.header("if-match", &etag).json(&style).send().await.unwrap();
    assert_eq!(put.status(), 204);
    assert_eq!(ids(&world.json(As::Anonymous, path).await), ["open-dots"]);

    assert_eq!(send(&world, PUBLISHER, Method::DELETE, path, &json!({})).await.status(), 204);
    for gone in [path.to_owned(), format!("{path}/metadata")] {
        assert_eq!(world.get(PUBLISHER, &gone).await.status(), 404);
    }
    let client = world.app.database.app().await.unwrap();
    let sql = "select string_agg(action, ' ' order by id) from onemap.audit where object_kind = 'style'";
    let actions: String = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(actions, "create describe describe replace delete");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_styles_are_refused_by_the_place_of_their_fault() {
    let world = World::new().await;
    let (path, health) = ("/ogc/styles/x", As::Person("health", Role::Publisher));
    let mut wrong = night();
    wrong["layers"][1]["source"] = "elsewhere".into();
    let response = send(&world, PUBLISHER, Method::PUT, path, &wrong).await;
    assert_eq!(response.status(), 400);
    assert_eq!(response.json::<Value>().await.unwrap()["parameter"], "layers[1].source");
    // A layer that one may not know of is as unknown as one that does not exist.
    let mut texts = vec![];
    for layer in ["hidden", "nothere"] {
        let style = json!({"version": 8, "sources": {"s": {"type": "vector", "url": format!("/tiles/{layer}.json")}},
            "layers": [{"id": "l", "type": "line", "source": "s", "source-layer": layer}]});
        let problem: Value = send(&world, health, Method::PUT, path, &style).await.json().await.unwrap();
        assert_eq!(problem["status"], 400);
        texts.push(problem["detail"].as_str().unwrap().replace(layer, "X"));
    }
    assert_eq!(texts[0], texts[1]);
    // Validation alone, and strictly.
    let response = send(&world, PUBLISHER, Method::PUT, "/ogc/styles/x?dry-run=true", &night()).await;
    assert_eq!(response.status(), 204);
    assert_eq!(world.get(PUBLISHER, path).await.status(), 404);
    let mut unknown = night();
    unknown["layers"][1]["paint"]["circle-radius"] = json!(["get", "storeys"]);
    let strict =
        world.by(PUBLISHER, Method::PUT, "/ogc/styles/x?dry-run=true").await.header("prefer", "handling=strict");
    let response = strict.json(&unknown).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(response.json::<Value>().await.unwrap()["parameter"], "layers[1]");
    let lenient =
        world.by(PUBLISHER, Method::PUT, "/ogc/styles/x?dry-run=true").await.header("prefer", "handling=lenient");
    assert_eq!(lenient.json(&unknown).send().await.unwrap().status(), 204);
    for (id, status) in [("base", 409), ("open", 409), ("Upper", 400), ("x%2Fy", 400)] {
        let response = send(&world, PUBLISHER, Method::PUT, &format!("/ogc/styles/{id}"), &night()).await;
        assert_eq!(response.status(), status, "{id}");
    }
    let sld =
        world.by(PUBLISHER, Method::POST, "/ogc/styles").await.header("content-type", "application/vnd.ogc.sld+xml");
    assert_eq!(sld.body("<sld/>").send().await.unwrap().status(), 415);
    let large = json!({"version": 8, "sources": {}, "layers": [], "metadata": {"x": "y".repeat(600 << 10)}});
    assert_eq!(send(&world, PUBLISHER, Method::PUT, path, &large).await.status(), 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layers_default_is_what_everything_shows_it_by() {
    let world = World::new().await;
    keep_night(&world).await;
    let colour = |style: &Value| style["layers"][0]["paint"]["circle-color"].clone();
    let made = world.json(As::Anonymous, "/styles/open.json").await;
    assert_ne!(colour(&made), "#123456");
    let list = world.json(As::Anonymous, "/ogc/collections/open/styles").await;
    assert_eq!(list["default"], "open");
    let of_list: Vec<&str> = list["styles"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(of_list, ["open", "night"]);

    let path = "/ogc/collections/open/styles";
    let chosen = json!({"default": "night"});
    assert_eq!(send(&world, As::Person("health", Role::Publisher), Method::PATCH, path, &chosen).await.status(), 403);
    assert_eq!(send(&world, PUBLISHER, Method::PATCH, path, &json!({"default": "nothere"})).await.status(), 400);
    assert_eq!(send(&world, PUBLISHER, Method::PATCH, path, &chosen).await.status(), 204);
    for path in [
        "/styles/open.json",
        "/ogc/styles/open",
        "/ogc/collections/open/styles/open",
        "/ogc/collections/open/styles/night",
    ] {
        let style = world.json(As::Anonymous, path).await;
        assert_eq!((colour(&style), ids(&style).len()), (json!("#123456"), 1), "{path}: only this layer");
        assert_eq!(style["sources"]["open"]["url"], format!("{}/tiles/open.json", world.url));
    }
    assert_eq!(world.json(As::Anonymous, path).await["default"], "night");
    let legend = world.json(As::Anonymous, "/api/v1/layers/open/legend").await;
    assert!(legend.to_string().contains("#123456"), "{legend}");

    // The default goes with its style.
    assert_eq!(send(&world, PUBLISHER, Method::DELETE, "/ogc/styles/night", &json!({})).await.status(), 204);
    assert_eq!(world.json(As::Anonymous, "/styles/open.json").await, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_style_is_listed_for_the_layers_of_which_it_shows_something() {
    let world = World::new().await;
    let mut style = night();
    style["layers"][2]["filter"] = json!([">", ["get", "height"], 5]);
    assert_eq!(send(&world, PUBLISHER, Method::PUT, "/ogc/styles/night", &style).await.status(), 201);
    world.grant("fields", "array['name', 'kind']").await;
    let path = "/ogc/collections/conditional/styles";
    assert_eq!(world.get(HEALTH, &format!("{path}/night")).await.status(), 404);
    let named = |list: &Value| list["styles"].as_array().unwrap().iter().any(|s| s["id"] == "night");
    assert!(!named(&world.json(HEALTH, path).await));
    assert!(named(&world.json(HEALTH, "/ogc/collections/open/styles").await));
    assert!(named(&world.json(PUBLISHER, path).await));
    let capabilities = world.get(HEALTH, "/ogc/wms?service=WMS&request=GetCapabilities").await.text().await.unwrap();
    let of = |layer: &str| {
        let (_, after) = capabilities.split_once(&format!("<Name>{layer}</Name>")).expect("the layer");
        after.split("</Layer>").next().unwrap().contains("<Name>night</Name>")
    };
    assert!(of("open") && !of("conditional"), "{capabilities}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_style_made_again_is_another() {
    let world = World::new().await;
    keep_night(&world).await;
    let path = "/ogc/styles/night";
    let etag = world.get(PUBLISHER, path).await.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(send(&world, PUBLISHER, Method::DELETE, path, &json!({})).await.status(), 204);
    assert_eq!(world.get(PUBLISHER, path).await.status(), 404);
    keep_night(&world).await;
    let put = world.by(PUBLISHER, Method::PUT, path).await.header("if-match", etag).json(&night());
    assert_eq!(put.send().await.unwrap().status(), 412);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_style_stays_its_departments_when_a_layer_takes_its_name() {
    let world = World::new().await;
    keep_night(&world).await;
    crate::world::make_layer(&world.app, "night", ShareClass::Unconditional, false, 1).await;
    let path = "/ogc/styles/night";
    assert_eq!(send(&world, PUBLISHER, Method::PUT, path, &night()).await.status(), 204);
    let patch = send(&world, PUBLISHER, Method::PATCH, &format!("{path}/metadata"), &json!({"title": "夜"})).await;
    assert_eq!(patch.status(), 204);
    assert_eq!(send(&world, PUBLISHER, Method::DELETE, path, &json!({})).await.status(), 204);
    assert_eq!(send(&world, PUBLISHER, Method::PUT, path, &night()).await.status(), 409, "and is not made again");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_style_looks_is_told_to_those_who_see_all_of_it() {
    let world = World::new().await;
    let mut style = night();
    style["center"] = json!([120.05, 36.05]);
    style["metadata"] = json!({"note": "x"});
    assert_eq!(send(&world, PUBLISHER, Method::PUT, "/ogc/styles/night", &style).await.status(), 201);
    let whole = world.json(PUBLISHER, "/styles/night.json").await;
    assert_eq!((&whole["center"], &whole["metadata"]), (&style["center"], &style["metadata"]));
    let part = world.json(As::Anonymous, "/styles/night.json").await;
    assert!(part.get("center").is_none() && part.get("metadata").is_none(), "{part}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_layers_style_shows_that_layer() {
    let world = World::new().await;
    keep_night(&world).await;
    let page = world.get(PUBLISHER, "/ogc/collections/open/styles/night?f=html").await.text().await.unwrap();
    assert!(page.contains("data-style=\"/ogc/collections/open/styles/night?f=mbs\""), "{page}");
    assert!(page.contains("/ogc/collections/open/styles/night/metadata?f=html"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_document_says_how_styles_are_written() {
    let world = World::new().await;
    let api = world.json(PUBLISHER, "/ogc/api").await;
    let put = &api["paths"]["/styles/{style}"]["put"];
    let statuses = put["responses"].as_object().unwrap();
    assert!(statuses.contains_key("201") && statuses.contains_key("204") && !statuses.contains_key("200"), "{put}");
    let names: Vec<&str> =
        put["parameters"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["style", "dry-run", "Prefer", "If-Match"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn styles_have_pages_and_media_types() {
    let world = World::new().await;
    keep_night(&world).await;
    let style = world.get(As::Anonymous, "/ogc/styles/night").await;
    assert_eq!(style.headers()["content-type"], "application/vnd.mapbox.style+json");
    let etag = style.headers()["etag"].to_str().unwrap().to_owned();
    let again = world.request(Method::GET, "/ogc/styles/night").header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    for path in ["/ogc/styles", "/ogc/styles/night", "/ogc/styles/night/metadata", "/ogc/collections/open/styles"] {
        let page = world.request(Method::GET, path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8", "{path}");
        let text = page.text().await.unwrap();
        let said = text.rsplit("</style>").next().unwrap();
        assert!(said.contains("夜间样式") && !said.contains("hidden"), "{path}: {said}");
    }
    assert_eq!(world.get(As::Anonymous, "/ogc/styles/night?f=sld").await.status(), 400);
}
