//! Signed addresses: good for what they were signed for, and for nothing else.

use reqwest::Method;
use serde_json::{Value, json};

use crate::identity::By;
use crate::world::World;

async fn status(world: &World, path: &str, origin: Option<&str>) -> u16 {
    let request = world.request(Method::GET, path);
    let request = if let Some(origin) = origin { request.header("origin", origin) } else { request };
    request.send().await.unwrap().status().as_u16()
}

async fn sign(by: &By<'_>, more: Value) -> (u16, Value) {
    let until = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 86_400;
    let day = jiff::Timestamp::from_second(until as i64).unwrap().to_string();
    let mut new = json!({"label": "page", "layers": ["conditional"], "services": ["styles"], "until": day});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    by.send(Method::POST, "/api/v1/signed-urls", &new).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_good_for_its_layers_interfaces_and_page() {
    let world = World::new().await;
    let admin = By::person(&world, "health-department_administrator").await;
    // Nothing is signed that the department may not look at.
    assert_eq!(sign(&admin, json!({})).await.0, 403);
    assert_eq!(sign(&admin, json!({"layers": ["hidden"]})).await.0, 404);
    world.grant("fields", "array['name']").await;
    for (more, parameter) in [
        (json!({"until": "2099-01-01T00:00:00Z"}), "until"),
        (json!({"until": "2020-01-01T00:00:00Z"}), "until"),
        (json!({"layers": []}), "layers"),
        (json!({"services": []}), "services"),
        (json!({"origin": "map.example"}), "origin"),
    ] {
        let (status, said) = sign(&admin, more.clone()).await;
        assert_eq!((status, &said["parameter"]), (400, &json!(parameter)), "{more}");
    }
    let (code, signed) = sign(&admin, json!({})).await;
    assert_eq!(code, 201, "{signed}");
    let query = signed["query"].as_str().unwrap();
    let with = |path: &str| format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' });
    for (path, expected) in [
        ("/styles/conditional.json", 200),
        ("/tiles/conditional.json", 200),
        ("/tiles/conditional/8/213/100", 200),
        ("/tiles/conditional/8/213/100?fields=floors", 400),
        // Another layer does not exist for it, whatever the department may read.
        ("/tiles/unconditional/8/213/100", 404),
        ("/tiles/conditional,open/8/213/100", 404),
        ("/ogc/collections/conditional/items", 403),
        ("/api/v1/identify?lon=120&lat=36&layers=conditional", 403),
        ("/ogc/wmts/1.0.0/conditional/default/WebMercatorQuad/8/100/213.png", 403),
        ("/address/suggest?q=a", 403),
    ] {
        assert_eq!(status(&world, &with(path), None).await, expected, "{path}");
    }
    // Its links carry it along.
    let style =
        world.request(Method::GET, &with("/styles/conditional.json")).send().await.unwrap().text().await.unwrap();
    assert!(style.contains("sig="), "{style}");
    // Whatever is changed of it makes it worth nothing.
    let sig = signed["sig"].as_str().unwrap();
    let other = format!("{}{}", &sig[..63], if sig.ends_with('0') { '1' } else { '0' });
    for bad in [
        query.replace(sig, &other),
        query.replace(sig, ""),
        query.replace("exp=", "exp=9"),
        query.replace("kid=", "kid=a"),
    ] {
        assert_eq!(status(&world, &format!("/tiles/conditional.json?{bad}"), None).await, 401, "{bad}");
    }
    assert_eq!(
        status(&world, &format!("/tiles/conditional.json?sig={sig}"), None).await,
        404,
        "a part of it is nobody's"
    );
    let (_, paged) = sign(&admin, json!({"origin": "https://map.example", "services": ["tiles", "wmts"]})).await;
    let path = format!("/tiles/conditional/8/213/100?{}", paged["query"].as_str().unwrap());
    assert_eq!(status(&world, &path, None).await, 403);
    assert_eq!(status(&world, &path, Some("https://evil.example")).await, 403);
    assert_eq!(status(&world, &path, Some("https://map.example")).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_its_revocation_and_with_the_grant() {
    let world = World::new().await;
    world.grant("fields", "null").await;
    let admin = By::person(&world, "health-department_administrator").await;
    let (_, one) = sign(&admin, json!({})).await;
    let (_, two) = sign(&admin, json!({})).await;
    let path = |signed: &Value| format!("/tiles/conditional/8/213/100?{}", signed["query"].as_str().unwrap());
    assert_eq!((status(&world, &path(&one), None).await, status(&world, &path(&two), None).await), (200, 200));
    let kid = |signed: &Value| format!("/api/v1/signed-urls/{}", signed["kid"].as_str().unwrap());
    let other = By::person(&world, "housing-department_administrator").await;
    assert_eq!(other.send(Method::DELETE, &kid(&one), &json!({})).await.0, 404);
    assert_eq!(admin.send(Method::DELETE, &kid(&one), &json!({})).await.0, 204);
    assert_eq!((status(&world, &path(&one), None).await, status(&world, &path(&two), None).await), (401, 200));
    world.sql("update onemap.access_grant set revoked_at = now()").await;
    world.app.refresh().await.unwrap();
    assert_eq!(status(&world, &path(&two), None).await, 403);
    let listed = admin.get("/api/v1/signed-urls").await.1;
    assert_eq!(listed["signed"].as_array().unwrap().iter().filter(|s| s["revoked"] == true).count(), 1);
    assert!(!listed.to_string().contains("secret"));
}
