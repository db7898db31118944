//! Certificates of clients as second factors, as a proxy that ends TLS hands them on.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onemap::config::Config;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::x509::{X509, X509NameBuilder};
use reqwest::Method;
use serde_json::{Value, json};

use crate::identity::By;
use crate::world::{PASSWORD, World};

const USER: &str = "health-publisher";
const OWN: &str = "/api/v1/me/certificates";

/// A certificate that is valid for so many seconds from now, the beginning and the end.
fn certificate(name: &str, valid: (i64, i64)) -> Vec<u8> {
    let now = jiff::Timestamp::now().as_second();
    let key = PKey::generate_ed25519().unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(now + valid.0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(now + valid.1).unwrap()).unwrap();
    builder.sign(&key, MessageDigest::null()).unwrap();
    builder.build().to_der().unwrap()
}

fn header(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}

fn fingerprint(der: &[u8]) -> String {
    hex::encode(openssl::sha::sha256(der))
}

/// A world behind a proxy on this machine that hands certificates on.
fn behind_proxy(config: &mut Config) {
    config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.client_certificates = true;
}

/// Signs in with what the proxy says beside it; the status, what is said, the cookie.
async fn sign_in(world: &World, login: &str, certificates: &[&str]) -> (u16, Value, String) {
    let body = json!({"user": login, "password": PASSWORD});
    let mut request = world.request(Method::POST, "/api/v1/session").json(&body);
    for certificate in certificates {
        request = request.header("client-cert", *certificate);
    }
    let response = request.send().await.unwrap();
    let cookie =
        response.headers().get("set-cookie").map(|c| c.to_str().unwrap().split(';').next().unwrap().to_owned());
    let status = response.status().as_u16();
    (status, response.json().await.unwrap(), cookie.unwrap_or_default())
}

async fn with(world: &World, method: Method, path: &str, cookie: &str, shown: &str, body: Value) -> (u16, Value) {
    let request = world.request(method, path).header("cookie", cookie).header("client-cert", shown).json(&body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_certificate_is_a_second_factor_until_it_is_revoked() {
    let world = World::with(behind_proxy).await;
    let der = certificate("Li Wei", (-60, 3600));
    let shown = header(&der);
    let (_, _, cookie) = sign_in(&world, USER, &[]).await;
    let none = By::with(&world, &cookie).send(Method::POST, OWN, &json!({})).await;
    assert_eq!(none.0, 409, "nothing was shown");
    let (status, made) = with(&world, Method::POST, OWN, &cookie, &shown, json!({"label": "USB"})).await;
    assert_eq!(status, 201, "{made}");
    let again = with(&world, Method::POST, OWN, &cookie, &shown, json!({})).await;
    assert_eq!(again.0, 409, "it is registered");
    let listed = with(&world, Method::GET, OWN, &cookie, &shown, Value::Null).await.1;
    let one = &listed["certificates"][0];
    assert_eq!((&one["fingerprint"], &one["subject"]), (&json!(fingerprint(&der)), &json!("Li Wei")), "{listed}");
    assert_eq!(listed["shown"]["fingerprint"], one["fingerprint"]);
    // From now on the password alone is not enough, nor with another certificate, nor with one that says it twice.
    let other = header(&certificate("Li Wei", (-60, 3600)));
    let refused: [&[&str]; 5] = [&[], &[&other], &[&shown, &other], &["nonsense"], &[&shown, &shown]];
    for shown in refused {
        let (status, said, _) = sign_in(&world, USER, shown).await;
        assert_eq!((status, &said["type"]), (401, &json!("/problems/client-certificate")), "{shown:?}");
    }
    let (status, said, cookie) = sign_in(&world, USER, &[&shown]).await;
    assert_eq!((status, &said["second_factor"]), (200, &json!(true)), "{said}");
    // It is one person's.
    let (_, _, stranger) = sign_in(&world, "health-user", &[]).await;
    assert_eq!(with(&world, Method::POST, OWN, &stranger, &shown, json!({})).await.0, 409);
    assert_eq!(
        with(&world, Method::DELETE, &format!("{OWN}/1"), &stranger, "", json!({"password": PASSWORD})).await.0,
        404
    );
    // Revoked with the password, it ends what was opened.
    let path = format!("{OWN}/{}", made["id"]);
    assert_eq!(with(&world, Method::DELETE, &path, &cookie, &shown, json!({"password": "wrong"})).await.0, 400);
    assert_eq!(with(&world, Method::DELETE, &path, &cookie, &shown, json!({"password": PASSWORD})).await.0, 204);
    assert_eq!(By::with(&world, &cookie).get("/api/v1/jobs").await.0, 401);
    assert_eq!(sign_in(&world, USER, &[]).await.0, 200, "nothing is registered any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_registers_by_fingerprint_and_the_dates_are_the_certificates_own() {
    let world = World::with(|config| {
        behind_proxy(config);
        config.second_factor = true;
        config.second_factor_roles = vec!["publisher".into()];
    })
    .await;
    let admin = By::person(&world, "health-department_administrator").await;
    let people = admin.get("/api/v1/people").await.1;
    let id = people["people"].as_array().unwrap().iter().find(|p| p["login"] == USER).unwrap()["id"].clone();
    let path = format!("/api/v1/people/{id}/certificates");
    let (_, said, cookie) = sign_in(&world, USER, &[]).await;
    assert_eq!(said["pending"]["second_factor"], true, "it is obligatory for publishers: {said}");
    assert_eq!(By::with(&world, &cookie).get("/api/v1/jobs").await.0, 403);
    let (valid, over, early) =
        (certificate("a", (-60, 3600)), certificate("b", (-3600, -60)), certificate("c", (3600, 7200)));
    for wrong in ["", "abc", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
        let (status, said) = admin.send(Method::POST, &path, &json!({"fingerprint": wrong})).await;
        assert_eq!((status, &said["parameter"]), (400, &json!("fingerprint")), "{wrong}");
    }
    for der in [&valid, &over, &early] {
        let printed = fingerprint(der).to_uppercase();
        let pairs: Vec<&str> = (0..32).map(|i| &printed[2 * i..2 * i + 2]).collect();
        let (status, said) =
            admin.send(Method::POST, &path, &json!({"fingerprint": pairs.join(":"), "label": "KEY"})).await;
        assert_eq!(status, 201, "{said}");
    }
    assert_eq!(By::with(&world, &cookie).get("/api/v1/jobs").await.0, 200, "what was missing is there");
    assert_eq!(sign_in(&world, USER, &[&header(&valid)]).await.0, 200);
    for der in [&over, &early] {
        let (status, said, _) = sign_in(&world, USER, &[&header(der)]).await;
        assert_eq!((status, &said["type"]), (401, &json!("/problems/client-certificate")), "{said}");
    }
    // Another department's administrator knows nothing of it.
    let stranger = By::person(&world, "housing-department_administrator").await;
    assert_eq!(stranger.get(&path).await.0, 404);
    assert_eq!(stranger.send(Method::DELETE, &format!("{path}/1"), &Value::Null).await.0, 404);
    // When everything is lost, all of them go.
    let lost = format!("/api/v1/people/{id}/second-factor");
    assert_eq!(admin.send(Method::DELETE, &lost, &Value::Null).await.0, 204);
    let listed = admin.get(&path).await.1;
    assert!(listed["certificates"].as_array().unwrap().iter().all(|c| c["revoked"].is_string()), "{listed}");
    let (status, _, _) = sign_in(&world, USER, &[]).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_can_be_shown_none_is_registered() {
    let world = World::new().await;
    let options = world.json(crate::world::As::Anonymous, "/api/v1/session/options").await;
    assert_eq!((&options["oidc"], &options["certificates"]), (&Value::Null, &json!(false)));
    let admin = By::person(&world, "health-department_administrator").await;
    let people = admin.get("/api/v1/people").await.1;
    let id = people["people"].as_array().unwrap().iter().find(|p| p["login"] == USER).unwrap()["id"].clone();
    let named = json!({"fingerprint": fingerprint(&certificate("Li Wei", (-60, 3600)))});
    let (status, said) = admin.send(Method::POST, &format!("/api/v1/people/{id}/certificates"), &named).await;
    assert_eq!(status, 409, "{said}");
    assert_eq!(sign_in(&world, USER, &[]).await.0, 200, "its person is not locked out");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_says_of_its_certificate_itself_is_nothing() {
    // Registered here, but the settings say that proxies do not remove what callers send.
    for settings in [
        (|config: &mut Config| config.client_certificates = true) as fn(&mut Config),
        |config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()],
        |config| {
            config.client_certificates = true;
            config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        },
    ] {
        let world = World::with(settings).await;
        let der = certificate("Li Wei", (-60, 3600));
        world
            .sql(&format!(
                "insert into onemap.certificate (person_id, fingerprint, label, registered_by)
                 select id, '\\x{}', '', 'test' from onemap.person where login = '{USER}'",
                fingerprint(&der)
            ))
            .await;
        let (status, said, _) = sign_in(&world, USER, &[&header(&der)]).await;
        assert_eq!((status, &said["type"]), (401, &json!("/problems/client-certificate")), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_about_factors_and_who_fails_is_written_down() {
    let world = World::with(behind_proxy).await;
    let shown = header(&certificate("Li Wei", (-60, 3600)));
    let (_, _, cookie) = sign_in(&world, USER, &[]).await;
    let (_, made) = with(&world, Method::POST, OWN, &cookie, &shown, json!({})).await;
    sign_in(&world, USER, &[&shown]).await;
    let wrong = json!({"user": USER, "password": "a wrong password"});
    world.request(Method::POST, "/api/v1/session").json(&wrong).send().await.unwrap();
    let path = format!("{OWN}/{}", made["id"]);
    assert_eq!(with(&world, Method::DELETE, &path, &cookie, &shown, json!({"password": PASSWORD})).await.0, 204);
    let client = world.app.database.app().await.unwrap();
    let sql =
        "select action || ' ' || object_kind || ' ' || principal || ' ' || coalesce(detail ->> 'second_factor', '')
        || coalesce(detail ->> 'wrong', '') from onemap.audit where object_id = $1 order by id";
    let rows = client.query(sql, &[&USER]).await.unwrap();
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        rows,
        [
            "sign_in person person:health-publisher ",
            "enrol second_factor person:health-publisher ",
            "sign_in person person:health-publisher certificate",
            "sign_in_failed person anonymous password",
            "remove second_factor person:health-publisher ",
        ]
    );
}
