//! Sessions, keys, lock-out, and requests from other sites.

use onemap::access::principal::Role;
use reqwest::Method;
use serde_json::json;

use crate::world::{As, PASSWORD, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_and_ends() {
    let world = World::new().await;
    let cookie = world.sign_in("housing-publisher").await;
    let who = |cookie: String| world.request(Method::GET, "/api/v1/session").header("cookie", cookie);
    let me: serde_json::Value = who(cookie.clone()).send().await.unwrap().json().await.unwrap();
    assert_eq!((me["role"].as_str(), me["department"]["id"].as_str()), (Some("publisher"), Some("housing")));
    let out = world.request(Method::DELETE, "/api/v1/session").header("cookie", &cookie).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(who(cookie).send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_lock_the_account() {
    let world = World::new().await;
    let attempt = |password: &'static str| {
        world
            .request(Method::POST, "/api/v1/session")
            .json(&json!({"user": "health-user", "password": password}))
            .send()
    };
    for _ in 0..8 {
        assert_eq!(attempt("wrong").await.unwrap().status(), 401);
    }
    assert_eq!(attempt(PASSWORD).await.unwrap().status(), 401, "locked, although right");
    let other = json!({"user": "nobody", "password": "x"});
    let response = world.request(Method::POST, "/api/v1/session").json(&other).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_shown_once_work_and_are_revoked() {
    let world = World::new().await;
    let admin = As::Person("health", Role::DepartmentAdministrator);
    let made = world.by(admin, Method::POST, "/api/v1/keys").await.json(&json!({"label": "页面", "days": 30}));
    let made: serde_json::Value = made.send().await.unwrap().json().await.unwrap();
    let key = made["key"].as_str().unwrap();
    let list = world.json(admin, "/api/v1/keys").await;
    assert!(!list.to_string().contains(key), "a key is shown once");
    for path in
        [format!("/ogc/collections/unconditional?key={key}"), format!("/ogc/collections/unconditional?tk={key}")]
    {
        assert_eq!(world.get(As::Anonymous, &path).await.status(), 200);
    }
    let id = made["id"].as_str().unwrap();
    let revoke = world.by(admin, Method::DELETE, &format!("/api/v1/keys/{id}")).await.send().await.unwrap();
    assert_eq!(revoke.status(), 204);
    let after = world.get(As::Anonymous, &format!("/ogc/collections/unconditional?key={key}")).await;
    assert_eq!(after.status(), 401);
    let foreign = As::Person("housing", Role::DepartmentAdministrator);
    let revoke = world.by(foreign, Method::DELETE, &format!("/api/v1/keys/{id}")).await.send().await.unwrap();
    assert_eq!(revoke.status(), 404, "another department's key");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_cannot_act_with_our_cookie() {
    let world = World::new().await;
    let cookie = world.sign_in("health-department_administrator").await;
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("origin", "https://evil.example", 403),
        ("sec-fetch-site", "same-origin", 201),
    ] {
        let request = world.request(Method::POST, "/api/v1/keys").header("cookie", &cookie).header(name, value);
        let response = request.json(&json!({"label": "x"})).send().await.unwrap();
        assert_eq!(response.status(), status, "{name}: {value}");
    }
}
