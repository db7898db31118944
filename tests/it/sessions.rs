//! How sessions end by themselves.

use serde_json::json;

use crate::identity::By;
use crate::world::World;

/// Lets a person's sessions lie idle for so many minutes, as all nodes see it.
async fn lie(world: &World, login: &str, minutes: u32) {
    world
        .sql(&format!(
            "update onemap.session set last_used_at = now() - interval '{minutes} minutes'
             where person_id = (select id from onemap.person where login = '{login}')"
        ))
        .await;
    world.app.login.forget();
}

async fn idle_minutes(world: &World, login: &str) -> f64 {
    let client = world.app.database.app().await.unwrap();
    let sql = "select extract(epoch from now() - max(s.last_used_at))::float8 / 60 from onemap.session s
        join onemap.person p on p.id = s.person_id where p.login = $1";
    client.query_one(sql, &[&login]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_uses_ends_an_administrators_sooner() {
    let world = World::new().await;
    for (login, lasts, ends) in [
        ("health-department_administrator", 29, 31),
        ("health-auditor", 29, 31),
        ("health-publisher", 11 * 60, 12 * 60 + 1),
    ] {
        let by = By::person(&world, login).await;
        lie(&world, login, lasts).await;
        assert_eq!(by.get("/api/v1/jobs").await.0, 200, "{login}");
        assert!(idle_minutes(&world, login).await < 1.0, "{login}: it was used");
        lie(&world, login, ends).await;
        let (status, said) = by.get("/api/v1/jobs").await;
        assert_eq!((status, &said["type"]), (401, &json!("/problems/unauthenticated")), "{login}");
        // It stays ended, is not listed, and is cleared away when somebody signs in.
        assert_eq!(by.get("/api/v1/session").await.0, 401);
        let other = By::person(&world, login).await;
        let listed = other.get("/api/v1/me/sessions").await.1;
        assert_eq!(listed["sessions"].as_array().unwrap().len(), 1, "{listed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_portal_asks_by_itself_is_no_use_and_use_is_written_once_a_minute() {
    let world = World::new().await;
    let login = "health-auditor";
    let by = By::person(&world, login).await;
    lie(&world, login, 20).await;
    assert_eq!(by.get("/api/v1/notifications?limit=1").await.0, 200);
    assert!(idle_minutes(&world, login).await >= 20.0);
    world.app.login.forget();
    assert_eq!(by.get("/api/v1/session").await.0, 200);
    let before = idle_minutes(&world, login).await;
    assert!(before < 1.0);
    world.sql("update onemap.session set last_used_at = now() - interval '30 seconds'").await;
    world.app.login.forget();
    assert_eq!(by.get("/api/v1/session").await.0, 200);
    assert!(idle_minutes(&world, login).await >= 0.5, "not written again within the minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_much_it_is_used_a_session_ends() {
    let world = World::with(|config| config.session_hours = 2).await;
    let body = json!({"user": "health-user", "password": crate::world::PASSWORD});
    let response = world.request(reqwest::Method::POST, "/api/v1/session").json(&body).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("Max-Age=7200"), "{cookie}");
    let by = By::with(&world, cookie.split(';').next().unwrap());
    assert_eq!(by.get("/api/v1/jobs").await.0, 200);
    world.sql("update onemap.session set expires_at = expires_at - interval '2 hours'").await;
    world.app.login.forget();
    assert_eq!(by.get("/api/v1/jobs").await.0, 401);
}
