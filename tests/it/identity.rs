//! People, passwords, second factors, sessions and keys.

use onemap_credentials::totp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{PASSWORD, World};

/// What one cookie may do.
pub struct By<'a> {
    world: &'a World,
    cookie: Option<String>,
}

impl<'a> By<'a> {
    pub async fn person(world: &'a World, login: &str) -> By<'a> {
        By { world, cookie: Some(world.sign_in(login).await) }
    }

    /// Whoever has this cookie.
    pub fn with(world: &'a World, cookie: &str) -> By<'a> {
        By { world, cookie: Some(cookie.to_owned()) }
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let mut request = self.world.request(method, path).header("accept-language", "en").json(body);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, &Value::Null).await
    }
}

async fn sign_in(world: &World, body: &Value) -> (u16, Value, Option<String>) {
    let response = world.request(Method::POST, "/api/v1/session").json(body).send().await.unwrap();
    let cookie = response.headers().get("set-cookie").and_then(|c| c.to_str().ok());
    let cookie = cookie.map(|c| c.split(';').next().unwrap().to_owned());
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null), cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_password_is_good_for_nothing_but_its_change() {
    let world = World::new().await;
    let admin = By::person(&world, "health-department_administrator").await;
    let new = json!({"login": "li.wei", "name": "李伟", "role": "publisher"});
    let (status, made) = admin.send(Method::POST, "/api/v1/people", &new).await;
    assert_eq!(status, 201, "{made}");
    let (status, said, cookie) = sign_in(&world, &json!({"user": "li.wei", "password": made["password"]})).await;
    assert_eq!((status, &said["pending"]["change_password"]), (200, &json!(true)));
    let li = By { world: &world, cookie };
    let (status, said) = li.get("/api/v1/uploads").await;
    assert_eq!((status, &said["type"]), (403, &json!("/problems/pending")));
    assert_eq!(li.get("/api/v1/session").await.0, 200);
    let change = |old: &Value, new: &str| json!({"old": old, "new": new});
    let password = "/api/v1/me/password";
    for new in ["short", "aaaaaaaaaaaaaaa", "li.wei-2026!"] {
        let (status, said) = li.send(Method::POST, password, &change(&made["password"], new)).await;
        assert_eq!((status, &said["parameter"]), (400, &json!("new")), "{new}");
    }
    let wrong = li.send(Method::POST, password, &change(&json!("wrong"), "八大关的秋天 2026 好看")).await;
    assert_eq!((wrong.0, &wrong.1["parameter"]), (400, &json!("old")));
    let phrases: Vec<String> = (0..6).map(|i| format!("八大关的秋天很好看 一二三四 {i}")).collect();
    let mut old = made["password"].clone();
    for phrase in &phrases[..5] {
        assert_eq!(li.send(Method::POST, password, &change(&old, phrase)).await.0, 204, "{phrase}");
        old = json!(phrase);
    }
    assert_eq!(li.get("/api/v1/uploads").await.0, 200);
    // None of the last five, the present one among them.
    for phrase in &phrases[..5] {
        assert_eq!(li.send(Method::POST, password, &change(&old, phrase)).await.0, 400, "{phrase}");
    }
    assert_eq!(li.send(Method::POST, password, &change(&old, &phrases[5])).await.0, 204);
    assert_eq!(sign_in(&world, &json!({"user": "li.wei", "password": phrases[4]})).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_manage_their_own_and_never_become_auditors() {
    let world = World::new().await;
    let health = By::person(&world, "health-department_administrator").await;
    let platform = By::person(&world, "housing-platform_administrator").await;
    let people = platform.get("/api/v1/people").await.1;
    let path = |login: &str| {
        let people = people["people"].as_array().unwrap();
        let one = people.iter().find(|p| p["login"] == login).unwrap_or_else(|| panic!("{login}"));
        format!("/api/v1/people/{}", one["id"])
    };
    let own = health.get("/api/v1/people").await.1;
    assert!(own["people"].as_array().unwrap().iter().all(|p| p["department"] == "health"));
    // Of another department nobody is known; the platform's roles are the platform's business. Administrator and auditor are never one
    // person; nobody changes the own role.
    assert_eq!(health.get(&path("housing-user")).await.0, 404);
    for (by, login, change, expected) in [
        (&health, "housing-user", json!({"active": false}), 404),
        (&health, "health-auditor", json!({"active": false}), 403),
        (&health, "health-user", json!({"role": "platform_administrator"}), 403),
        (&health, "health-user", json!({"department": "housing"}), 403),
        (&health, "health-user", json!({"role": "approver", "name": "审批员"}), 200),
        (&platform, "health-auditor", json!({"role": "department_administrator"}), 409),
        (&platform, "health-department_administrator", json!({"role": "auditor"}), 409),
        (&platform, "health-publisher", json!({"role": "auditor"}), 200),
        (&platform, "housing-platform_administrator", json!({"role": "user"}), 409),
        (&platform, "health-platform_administrator", json!({"active": false}), 200),
        (&platform, "health-platform_administrator", json!({"active": true}), 200),
    ] {
        let (status, said) = by.send(Method::PATCH, &path(login), &change).await;
        assert_eq!(status, expected, "{login} {change}: {said}");
    }
    let other = By::person(&world, "health-platform_administrator").await;
    let gone = other.send(Method::PATCH, &path("housing-platform_administrator"), &json!({"active": false})).await;
    assert_eq!(gone.0, 200);
    assert_eq!(platform.get("/api/v1/people").await.0, 401, "signed out at once");
    for login in ["a b", "X", "李"] {
        let new = json!({"login": login, "name": "n", "role": "user"});
        assert_eq!(other.send(Method::POST, "/api/v1/people", &new).await.0, 400, "{login}");
    }
    let new = json!({"login": "health-user", "name": "n", "role": "user"});
    assert_eq!(other.send(Method::POST, "/api/v1/people", &new).await.0, 409);
    let department = json!({"id": "traffic", "title": {"zh": "交通局", "en": "Traffic"}});
    assert_eq!(other.send(Method::POST, "/api/v1/departments", &department).await.0, 201);
    assert_eq!(other.send(Method::POST, "/api/v1/departments", &department).await.0, 409);
    let new = json!({"login": "chen", "name": "陈", "role": "user", "department": "traffic"});
    assert_eq!(other.send(Method::POST, "/api/v1/people", &new).await.0, 201);
}

pub fn step() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs() as i64 / totp::STEP
}

/// What an authenticator makes of the secret.
pub fn code(enrolment: &Value, step: i64) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let secret = enrolment["secret"].as_str().unwrap();
    let bits: String = secret.chars().map(|c| format!("{:05b}", LETTERS.find(c).unwrap())).collect();
    let byte = |bits: &[u8]| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap();
    let secret: Vec<u8> = bits.as_bytes().chunks_exact(8).map(byte).collect();
    totp::code(&secret, step).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_and_each_code_is_taken_once() {
    let world = World::new().await;
    let by = By::person(&world, "health-user").await;
    let factor = "/api/v1/me/second-factor";
    let (_, enrolment) = by.send(Method::POST, factor, &json!({})).await;
    assert!(enrolment["uri"].as_str().unwrap().starts_with("otpauth://totp/onemap:health-user?secret="));
    let confirm = "/api/v1/me/second-factor/confirm";
    let wrong = by.send(Method::POST, confirm, &json!({"code": "abcdef"})).await;
    assert_eq!((wrong.0, &wrong.1["parameter"]), (400, &json!("code")));
    let first = code(&enrolment, step() - 1);
    let (status, confirmed) = by.send(Method::POST, confirm, &json!({"code": first})).await;
    assert_eq!(status, 200, "{confirmed}");
    let given = |code: Option<&str>| json!({"user": "health-user", "password": PASSWORD, "code": code});
    let (status, said, _) = sign_in(&world, &given(None)).await;
    assert_eq!((status, &said["type"]), (401, &json!("/problems/second-factor")));
    assert_eq!(sign_in(&world, &given(Some(&first))).await.0, 401, "it was taken");
    let second = code(&enrolment, step() + 1);
    assert_eq!(sign_in(&world, &given(Some(&second))).await.0, 200);
    assert_eq!(sign_in(&world, &given(Some(&second))).await.0, 401, "it was taken");
    let recovery = confirmed["recovery_codes"][0].as_str().unwrap();
    assert_eq!(sign_in(&world, &given(Some(recovery))).await.0, 200);
    assert_eq!(sign_in(&world, &given(Some(recovery))).await.0, 401, "it was used up");
    // Without the right password the code tells nothing.
    let bad = json!({"user": "health-user", "password": "wrong", "code": confirmed["recovery_codes"][1]});
    assert_eq!(sign_in(&world, &bad).await.1["type"], "/problems/unauthenticated");
    assert_eq!(by.send(Method::DELETE, factor, &json!({"password": "wrong"})).await.0, 400);
    assert_eq!(by.send(Method::DELETE, factor, &json!({"password": PASSWORD})).await.0, 204);
    assert_eq!(sign_in(&world, &given(None)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_required_an_administrator_enrols_before_anything_else() {
    let world = World::with(|config| config.second_factor = true).await;
    let user = By::person(&world, "health-user").await;
    assert_eq!(user.get("/api/v1/jobs").await.0, 200);
    for login in ["health-department_administrator", "health-auditor"] {
        let by = By::person(&world, login).await;
        assert_eq!(by.get("/api/v1/jobs").await.0, 403, "{login}");
        assert_eq!(by.get("/ogc/collections/open").await.0, 403, "{login}");
        let (_, enrolment) = by.send(Method::POST, "/api/v1/me/second-factor", &json!({})).await;
        let code = code(&enrolment, step());
        let confirmed = by.send(Method::POST, "/api/v1/me/second-factor/confirm", &json!({"code": code})).await;
        assert_eq!(confirmed.0, 200, "{}", confirmed.1);
        assert_eq!(by.get("/api/v1/jobs").await.0, 200, "{login}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended_one_by_one() {
    let world = World::new().await;
    let (one, two) = (By::person(&world, "health-user").await, By::person(&world, "health-user").await);
    let sessions = one.get("/api/v1/me/sessions").await.1["sessions"].clone();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.iter().filter(|s| s["current"] == true).count(), 1);
    assert!(sessions.iter().all(|s| s["address"] == "127.0.0.1"), "{sessions:?}");
    let other = sessions.iter().find(|s| s["current"] == false).unwrap();
    let path = format!("/api/v1/me/sessions/{}", other["id"].as_str().unwrap());
    // Not another person's.
    let stranger = By::person(&world, "housing-user").await;
    assert_eq!(stranger.send(Method::DELETE, &path, &json!({})).await.0, 404);
    assert_eq!(one.send(Method::DELETE, &path, &json!({})).await.0, 204);
    assert_eq!((one.get("/api/v1/jobs").await.0, two.get("/api/v1/jobs").await.0), (200, 401));
}

async fn make(admin: &By<'_>, body: Value) -> (String, String) {
    let (status, made) = admin.send(Method::POST, "/api/v1/keys", &body).await;
    assert_eq!(status, 201, "{made}");
    (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

async fn ask(world: &World, key: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let request = world.request(Method::GET, "/ogc/collections/unconditional").bearer_auth(key);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_keep_to_their_pages_and_addresses() {
    let world = World::new().await;
    let admin = By::person(&world, "health-department_administrator").await;
    for (body, parameter) in [
        (json!({"label": "k", "origins": ["https://a.example/"]}), "origins"),
        (json!({"label": "k", "origins": []}), "origins"),
        (json!({"label": "k", "addresses": ["10.0.0.1/8"]}), "addresses"),
        (json!({"label": "k", "addresses": ["nonsense"]}), "addresses"),
        (json!({"label": "k", "rate_limit": 0}), "rate_limit"),
        (json!({"label": "k", "daily_quota": -1}), "daily_quota"),
    ] {
        let (status, said) = admin.send(Method::POST, "/api/v1/keys", &body).await;
        assert_eq!((status, &said["parameter"]), (400, &json!(parameter)), "{body}");
    }
    let (_, paged) = make(&admin, json!({"label": "page", "origins": ["https://map.example"]})).await;
    assert_eq!(ask(&world, &paged, &[]).await.status(), 403);
    assert_eq!(ask(&world, &paged, &[("origin", "https://evil.example")]).await.status(), 403);
    assert_eq!(ask(&world, &paged, &[("origin", "https://map.example")]).await.status(), 200);
    assert_eq!(ask(&world, &paged, &[("referer", "https://map.example/a?b=c")]).await.status(), 200);
    let (_, here) = make(&admin, json!({"label": "here", "addresses": ["127.0.0.0/8", "::1"]})).await;
    let (_, there) = make(&admin, json!({"label": "there", "addresses": ["10.0.0.0/8"]})).await;
    assert_eq!(ask(&world, &here, &[]).await.status(), 200);
    // What a caller says of itself is not believed.
    assert_eq!(ask(&world, &there, &[("x-forwarded-for", "10.1.2.3")]).await.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_keep_to_their_rates_and_quotas() {
    let world = World::new().await;
    let admin = By::person(&world, "health-department_administrator").await;
    let (_, slow) = make(&admin, json!({"label": "slow", "rate_limit": 1})).await;
    assert_eq!(ask(&world, &slow, &[]).await.status(), 200);
    let asked = futures_util::future::join_all((0..10).map(|_| ask(&world, &slow, &[]))).await;
    let refused = asked.iter().find(|response| response.status() == 429).expect("no more than one a second");
    assert_eq!(refused.headers()["retry-after"], "1");
    let (id, few) = make(&admin, json!({"label": "few", "daily_quota": 3})).await;
    let mut answers = vec![];
    for _ in 0..5 {
        answers.push(ask(&world, &few, &[]).await.status().as_u16());
    }
    assert_eq!(answers, [200, 200, 200, 429, 429]);
    // Other nodes know of it, and so does this one after a restart.
    for _ in 0..150 {
        let keys = admin.get("/api/v1/keys").await.1;
        let one = keys["keys"].as_array().unwrap().iter().find(|k| k["id"] == *id).unwrap().clone();
        if one["used_today"] == 3 {
            let other = world.beside().await;
            assert_eq!(ask(&other, &few, &[]).await.status(), 429);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("what was counted is not written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_without_a_gap() {
    let world = World::new().await;
    let admin = By::person(&world, "health-department_administrator").await;
    let (id, old) = make(&admin, json!({"label": "k", "daily_quota": 1000})).await;
    let rotate = format!("/api/v1/keys/{id}/rotate");
    let other = By::person(&world, "housing-department_administrator").await;
    assert_eq!(other.send(Method::POST, &rotate, &json!({})).await.0, 404);
    let (status, new) = admin.send(Method::POST, &rotate, &json!({"hours": 1})).await;
    assert_eq!(status, 201, "{new}");
    let key = new["key"].as_str().unwrap();
    assert_eq!(
        (ask(&world, &old, &[]).await.status().as_u16(), ask(&world, key, &[]).await.status().as_u16()),
        (200, 200)
    );
    let rotate = format!("/api/v1/keys/{}/rotate", new["id"].as_str().unwrap());
    let (_, last) = admin.send(Method::POST, &rotate, &json!({"hours": 0})).await;
    let newest = last["key"].as_str().unwrap();
    assert_eq!(
        (ask(&world, key, &[]).await.status().as_u16(), ask(&world, newest, &[]).await.status().as_u16()),
        (401, 200)
    );
    let keys = admin.get("/api/v1/keys").await.1;
    let one = keys["keys"].as_array().unwrap().iter().find(|k| k["id"] == last["id"]).unwrap().clone();
    assert_eq!((&one["replaces"], &one["daily_quota"]), (&new["id"], &json!(1000)));
}

/// What proves who somebody is stands in no log, however much is logged.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log");
    let file = std::fs::File::create(&log).unwrap();
    let server = crate::process::spawn(data.path(), "debug,onemap=trace", file.into());
    let given = crate::process::credentials(data.path());
    let (user, password) = (given["admin"]["user"].as_str().unwrap(), given["admin"]["password"].as_str().unwrap());
    let client = reqwest::Client::new();
    let post = |path: &str, body: Value, cookie: &str| {
        client.post(format!("{}{path}", server.url)).header("cookie", cookie.to_owned()).json(&body).send()
    };
    let wrong = "a wrong but long password";
    let refused = post("/api/v1/session", json!({"user": user, "password": wrong}), "").await.unwrap();
    assert_eq!(refused.status(), 401);
    let signed_in = post("/api/v1/session", json!({"user": user, "password": password}), "").await.unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let key: Value = post("/api/v1/keys", json!({"label": "k"}), &cookie).await.unwrap().json().await.unwrap();
    let key = key["key"].as_str().unwrap();
    let new = json!({"login": "li.wei", "name": "李伟", "role": "user"});
    let person: Value = post("/api/v1/people", new, &cookie).await.unwrap().json().await.unwrap();
    let factor: Value = post("/api/v1/me/second-factor", json!({}), &cookie).await.unwrap().json().await.unwrap();
    for path in [format!("/ogc/collections?key={key}"), format!("/tiles/poi/nonsense?key={key}")] {
        client.get(format!("{}{path}", server.url)).send().await.unwrap();
    }
    client.get(format!("{}/ogc/collections", server.url)).bearer_auth(key).send().await.unwrap();
    let token = cookie.split('=').nth(1).unwrap();
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.lines().count() > 20, "{log}");
    let (first, secret) = (person["password"].as_str().unwrap(), factor["secret"].as_str().unwrap());
    for (what, secret) in
        [("password", password), ("wrong", wrong), ("token", token), ("key", key), ("first", first), ("factor", secret)]
    {
        assert!(secret.len() > 10 && !log.contains(secret), "the {what} is in the log");
    }
}
