//! Requests from draft to grant and back, by everybody who has a part in them.

use std::collections::HashMap;
use std::sync::Mutex;

use onemap::access::principal::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{As, World};

const USER: As = As::Person("health", Role::User);
const OTHER: As = As::Person("health", Role::Publisher);
const HEAD: As = As::Person("health", Role::DepartmentAdministrator);
const APPROVER: As = As::Person("housing", Role::Approver);
const OWNER: As = As::Person("housing", Role::DepartmentAdministrator);
const PLATFORM: As = As::Person("health", Role::PlatformAdministrator);
const ITEMS: &str = "/ogc/collections/conditional/items";

/// A world whose people stay signed in.
struct Desk {
    world: World,
    cookies: Mutex<HashMap<String, String>>,
}

struct Told {
    status: u16,
    body: Value,
    etag: String,
}

impl Desk {
    async fn new() -> Desk {
        Desk::at(World::new().await)
    }

    fn at(world: World) -> Desk {
        Desk { world, cookies: Mutex::default() }
    }

    async fn cookie(&self, who: As) -> String {
        let As::Person(department, role) = who else { panic!("people only") };
        let login = format!("{department}-{}", role.name());
        if let Some(cookie) = self.cookies.lock().unwrap().get(&login) {
            return cookie.clone();
        }
        let cookie = self.world.sign_in(&login).await;
        self.cookies.lock().unwrap().insert(login, cookie.clone());
        cookie
    }

    async fn send(&self, who: As, method: Method, path: &str, condition: Option<&str>, body: &Value) -> Told {
        let mut request = self.world.request(method, path).header("cookie", self.cookie(who).await);
        if let Some(condition) = condition {
            request = request.header("if-match", condition);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let etag = response.headers().get("etag").map_or("", |v| v.to_str().unwrap()).to_owned();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Told { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)), etag }
    }

    async fn get(&self, who: As, path: &str) -> Value {
        let told = self.send(who, Method::GET, path, None, &Value::Null).await;
        assert_eq!(told.status, 200, "{path}: {}", told.body);
        told.body
    }

    async fn post(&self, who: As, path: &str, condition: &str, body: Value) -> Told {
        self.send(who, Method::POST, path, Some(condition), &body).await
    }

    /// A draft that could be submitted; its address.
    async fn draft(&self, who: As, more: Value) -> String {
        let mut body = json!({"layer": "conditional", "purpose": "学位预测", "legal_basis": "《义务教育法》第十二条",
            "until": "2030-12-31", "rights": ["view", "query", "export"]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let told = self.send(who, Method::POST, "/api/v1/requests", None, &body).await;
        assert_eq!(told.status, 201, "{}", told.body);
        assert_eq!(told.body["state"], "draft");
        format!("/api/v1/requests/{}", told.body["id"].as_str().unwrap())
    }

    async fn submitted(&self, who: As, more: Value) -> String {
        let path = self.draft(who, more).await;
        let told = self.post(who, &format!("{path}/submit"), "*", json!({})).await;
        assert_eq!(told.status, 200, "{}", told.body);
        path
    }

    async fn count(&self, sql: &str) -> i64 {
        self.world.app.database.app().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn status_of(&self, who: As, path: &str) -> u16 {
        self.send(who, Method::GET, path, None, &Value::Null).await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_becomes_a_grant_of_less_and_ends() {
    let desk = Desk::new().await;
    assert_eq!(desk.status_of(USER, ITEMS).await, 403);
    let square = json!({"type": "Polygon", "coordinates": [[[119.9, 35.9], [120.055, 35.9], [120.055, 36.5], [119.9, 36.5], [119.9, 35.9]]]});
    let path = desk
        .draft(USER, json!({"fields": ["name", "kind"], "filter": "floors >= 4", "area": square, "until": null}))
        .await;
    // Until it is submitted nobody else's department sees it.
    assert_eq!(desk.status_of(APPROVER, &path).await, 404);
    let told = desk.post(USER, &format!("{path}/submit"), "\"1\"", json!({})).await;
    assert_eq!((told.status, told.body["parameter"].as_str()), (400, Some("until")));
    let told = desk.send(USER, Method::PATCH, &path, None, &json!({"until": "2030-12-31"})).await;
    assert_eq!(told.status, 428);
    let told = desk
        .send(USER, Method::PATCH, &path, Some("\"1\""), &json!({"until": "2030-12-31", "filter": "floors >= 5"}))
        .await;
    assert_eq!((told.status, told.etag.as_str()), (200, "\"2\""), "{}", told.body);
    assert_eq!(told.body["asked"]["filter"], "floors >= 5");
    assert_eq!(told.body["asked"]["fields"], json!(["name", "kind"]), "what the patch does not name stays");
    assert!(told.body["asked_area_km2"].as_f64().unwrap() > 100.0);
    let told = desk.post(USER, &format!("{path}/submit"), "\"1\"", json!({})).await;
    assert_eq!(told.status, 412, "another version was read");
    let told = desk.post(USER, &format!("{path}/submit"), "\"2\"", json!({})).await;
    assert_eq!((told.status, told.body["state"].as_str()), (200, Some("submitted")));
    assert_eq!(told.body["actions"], json!(["withdraw"]));

    // It lies before the owner's approver, and before nobody else.
    let list = desk.get(APPROVER, "/api/v1/requests?view=to_decide").await;
    assert_eq!(list["requests"].as_array().unwrap().len(), 1);
    assert_eq!(list["requests"][0]["steps"][0]["approver"], "owner");
    assert!(list["requests"][0]["steps"][0]["due"].is_string());
    for who in [USER, HEAD, PLATFORM] {
        assert_eq!(desk.get(who, "/api/v1/requests?view=to_decide").await["requests"], json!([]), "{who:?}");
        let told = desk.post(who, &format!("{path}/approve"), "*", json!({})).await;
        assert_eq!(told.status, 403, "{who:?}");
    }
    let inbox = desk.get(APPROVER, "/api/v1/notifications").await;
    assert_eq!(
        (inbox["unread"].as_i64(), inbox["notifications"][0]["kind"].as_str()),
        (Some(1), Some("request.submitted"))
    );

    // Less is granted: one field, more of a filter, half of the area. More than was asked for is refused.
    let told = desk.post(APPROVER, &format!("{path}/approve"), "*", json!({"granted": {"fields": ["height"]}})).await;
    assert_eq!((told.status, told.body["parameter"].as_str()), (400, Some("fields")));
    let west = json!({"type": "Polygon", "coordinates": [[[119.9, 35.9], [120.035, 35.9], [120.035, 36.5], [119.9, 36.5], [119.9, 35.9]]]});
    let less =
        json!({"note": "按最小必要", "granted": {"fields": ["name"], "rights": ["view", "query"]}, "area": west});
    let told = desk.post(APPROVER, &format!("{path}/approve"), "\"3\"", less).await;
    assert_eq!((told.status, told.body["state"].as_str()), (200, Some("active")), "{}", told.body);
    assert_eq!(told.body["granted"]["fields"], json!(["name"]));
    assert_eq!(told.body["asked"]["fields"], json!(["name", "kind"]), "what was asked stays beside it");
    assert!(told.body["granted_area_km2"].as_f64() < told.body["asked_area_km2"].as_f64());

    let seen = desk.get(USER, &format!("{ITEMS}?limit=100")).await;
    let seen = seen["features"].as_array().unwrap();
    assert!(!seen.is_empty());
    for feature in seen {
        assert_eq!(feature["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), ["name"]);
        assert!(feature["geometry"]["coordinates"][0].as_f64().unwrap() < 120.035);
        // Row n has (n - 1) % 30 floors.
        assert!((feature["id"].as_u64().unwrap() - 1) % 30 >= 5, "the asked filter holds: {feature}");
    }
    let inbox = desk.get(USER, "/api/v1/notifications?unread=true").await;
    assert_eq!(inbox["notifications"][0]["kind"], "request.approved");

    // The requester cannot revoke, the owner can; the layer closes.
    let told = desk.post(USER, &format!("{path}/revoke"), "*", json!({"note": "x"})).await;
    assert_eq!(told.status, 403);
    let told = desk.post(OWNER, &format!("{path}/revoke"), "*", json!({})).await;
    assert_eq!((told.status, told.body["parameter"].as_str()), (400, Some("note")), "a reason is needed");
    let told = desk.post(OWNER, &format!("{path}/revoke"), "*", json!({"note": "用途已变"})).await;
    assert_eq!((told.status, told.body["state"].as_str()), (200, Some("revoked")));
    assert_eq!(desk.status_of(USER, ITEMS).await, 403);

    let history = desk.get(USER, &format!("{path}/history")).await;
    let moves: Vec<&str> =
        history["events"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(moves, ["create", "edit", "submit", "approve", "begin", "revoke"]);
    assert_eq!(history["events"][3]["by"], "person:housing-approver");
    let audited = desk.count("select count(*) from onemap.audit where object_kind = 'request'").await;
    assert_eq!(audited, 6, "a row of the trail for each");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_decide_at_once_make_one_decision() {
    let desk = Desk::new().await;
    for round in 0..4 {
        let path = desk.submitted(USER, json!({})).await;
        desk.cookie(APPROVER).await;
        desk.cookie(OWNER).await;
        let approve = format!("{path}/approve");
        let reject = format!("{path}/reject");
        // In the last rounds neither says what was read: the state alone decides.
        let condition = if round < 2 { "\"2\"" } else { "*" };
        let (a, b, c) = tokio::join!(
            desk.post(APPROVER, &approve, condition, json!({})),
            desk.post(OWNER, &reject, condition, json!({"note": "x"})),
            desk.post(OWNER, &approve, condition, json!({})),
        );
        let made = [&a, &b, &c].iter().filter(|t| t.status == 200).count();
        assert_eq!(made, 1, "{} {} {}", a.status, b.status, c.status);
        let granted = desk.count("select count(*) from onemap.access_grant where revoked_at is null").await;
        let state = desk.get(USER, &path).await["state"].as_str().unwrap().to_owned();
        assert_eq!(granted, i64::from(state == "active"), "{state}");
        if state == "active" {
            let told = desk.post(OWNER, &format!("{path}/revoke"), "*", json!({"note": "x"})).await;
            assert_eq!(told.status, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unconditional_is_recorded_and_what_is_not_shared_is_unknown() {
    let desk = Desk::new().await;
    let path = desk.draft(USER, json!({"layer": "unconditional"})).await;
    let told = desk.post(USER, &format!("{path}/submit"), "*", json!({})).await;
    assert_eq!((told.status, told.body["state"].as_str()), (200, Some("active")), "{}", told.body);
    assert!(told.body["grant"].is_null());
    assert_eq!(desk.count("select count(*) from onemap.access_grant").await, 0);
    let incoming = desk.get(APPROVER, "/api/v1/requests?view=incoming").await;
    assert_eq!(incoming["requests"][0]["state"], "active", "the owner sees who uses it");

    let ask = |layer: &str| json!({"layer": layer, "purpose": "x", "until": "2030-01-01"});
    let hidden = desk.send(USER, Method::POST, "/api/v1/requests", None, &ask("hidden")).await;
    let nothing = desk.send(USER, Method::POST, "/api/v1/requests", None, &ask("nothere")).await;
    assert_eq!((hidden.status, nothing.status), (404, 404));
    assert_eq!(hidden.body["detail"], nothing.body["detail"]);
    assert_eq!(hidden.body["hint"], nothing.body["hint"]);
    let own = desk.send(APPROVER, Method::POST, "/api/v1/requests", None, &ask("conditional")).await;
    assert_eq!(own.status, 409, "one's own needs no request");
    // A draft whose layer is hidden meanwhile cannot be submitted, and says no more than that there is no such layer.
    let path = desk.draft(USER, json!({})).await;
    desk.world.sql("update onemap.layer set share_class = 'not_shared' where id = 'conditional'").await;
    desk.world.app.refresh().await.unwrap();
    let told = desk.post(USER, &format!("{path}/submit"), "*", json!({})).await;
    assert_eq!((told.status, &told.body["detail"]), (404, &nothing.body["detail"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_go_in_their_order_and_nobody_decides_for_oneself() {
    let desk = Desk::new().await;
    let steps = json!({"steps": [{"approver": "requester", "working_days": 3}, {"approver": "owner", "working_days": 5},
        {"approver": "platform", "working_days": 2}]});
    let told = desk.send(OWNER, Method::PUT, "/api/v1/approval-steps?layer=conditional", None, &steps).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let without = json!({"steps": [{"approver": "platform", "working_days": 3}]});
    let told = desk.send(OWNER, Method::PUT, "/api/v1/approval-steps", None, &without).await;
    assert_eq!((told.status, told.body["parameter"].as_str()), (400, Some("steps")));
    let told = desk.send(HEAD, Method::PUT, "/api/v1/approval-steps?layer=hidden", None, &steps).await;
    assert_eq!(told.status, 404);

    let path = desk.submitted(HEAD, json!({})).await;
    let approve = format!("{path}/approve");
    assert_eq!(desk.post(HEAD, &approve, "*", json!({})).await.status, 403, "one's own");
    assert_eq!(desk.post(APPROVER, &approve, "*", json!({})).await.status, 403, "not yet");
    let told = desk
        .post(As::Person("health", Role::Approver), &approve, "*", json!({"granted": {"fields": ["name", "kind"]}}))
        .await;
    assert_eq!((told.status, told.body["state"].as_str()), (200, Some("submitted")), "{}", told.body);
    assert_eq!(desk.count("select count(*) from onemap.access_grant").await, 0, "nothing is granted on the way");
    let told = desk.post(APPROVER, &approve, "*", json!({"granted": {"fields": ["name", "height"]}})).await;
    assert_eq!((told.status, told.body["parameter"].as_str()), (400, Some("fields")), "an earlier step took it away");
    assert_eq!(desk.post(APPROVER, &approve, "*", json!({"granted": {"fields": ["name"]}})).await.status, 200);
    assert_eq!(desk.get(PLATFORM, "/api/v1/requests?view=to_decide").await["requests"].as_array().unwrap().len(), 1);
    let told = desk.post(PLATFORM, &approve, "*", json!({})).await;
    assert_eq!((told.status, told.body["state"].as_str()), (200, Some("active")), "{}", told.body);
    assert_eq!(told.body["granted"]["fields"], json!(["name"]));

    // Returned at the second step: it begins at the first again, with nothing taken away yet.
    let path = desk.submitted(USER, json!({})).await;
    assert_eq!(
        desk.post(HEAD, &format!("{path}/approve"), "*", json!({"granted": {"fields": ["name"]}})).await.status,
        200
    );
    let told = desk.post(APPROVER, &format!("{path}/return"), "*", json!({"note": "请说明用途"})).await;
    assert_eq!((told.status, told.body["state"].as_str()), (200, Some("returned")));
    assert!(told.body["granted"].is_null());
    assert_eq!(desk.post(OTHER, &format!("{path}/submit"), "*", json!({})).await.status, 403, "it is its writer's");
    let told = desk.post(USER, &format!("{path}/submit"), "*", json!({})).await;
    assert_eq!(told.body["steps"][0]["state"], "pending");
    let told = desk.post(USER, &format!("{path}/withdraw"), "*", json!({})).await;
    assert_eq!((told.status, told.body["state"].as_str()), (200, Some("draft")));
    assert_eq!(desk.status_of(APPROVER, &path).await, 404, "what was withdrawn is its writer's again");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_decisions_at_once_each_stand_for_themselves() {
    let desk = Desk::new().await;
    let mut decisions = vec![];
    for action in ["approve", "reject", "return", "approve"] {
        let path = desk.submitted(USER, json!({})).await;
        decisions.push(json!({"id": path.rsplit('/').next(), "version": 2, "action": action, "note": "x"}));
    }
    decisions[3]["version"] = json!(1);
    decisions.push(json!({"id": "01890000-0000-7000-8000-000000000000", "version": 1, "action": "approve"}));
    let told =
        desk.send(APPROVER, Method::POST, "/api/v1/requests/decisions", None, &json!({"decisions": decisions})).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let results = told.body["results"].as_array().unwrap();
    let states: Vec<&str> = results.iter().map(|r| r["state"].as_str().unwrap_or("-")).collect();
    assert_eq!(states, ["active", "rejected", "returned", "-", "-"]);
    assert!(results[3]["problem"].is_string());
    let decided = desk.get(APPROVER, "/api/v1/requests?view=decided").await;
    assert_eq!(decided["requests"].as_array().unwrap().len(), 3);
    let page = desk.get(USER, "/api/v1/requests?view=mine&limit=3").await;
    assert_eq!(page["requests"].as_array().unwrap().len(), 3);
    let next = page["next"].as_str().unwrap();
    let rest = desk.get(USER, &format!("/api/v1/requests?view=mine&limit=3&after={next}")).await;
    assert_eq!((rest["requests"].as_array().unwrap().len(), rest["next"].is_null()), (1, true));
    assert_eq!(desk.get(HEAD, "/api/v1/requests?view=mine").await["requests"], json!([]));
    assert_eq!(desk.get(HEAD, "/api/v1/requests?state=rejected").await["requests"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_was_never_submitted_can_be_discarded() {
    let desk = Desk::new().await;
    let path = desk.draft(USER, json!({})).await;
    let request = desk.world.request(Method::PUT, &format!("{path}/attachment?filename=a.pdf")).body("%PDF-1.7 ...");
    let request = request.header("cookie", desk.cookie(USER).await).header("if-match", "*");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let draft = desk.get(USER, &path).await;
    assert!(draft["actions"].as_array().unwrap().contains(&json!("discard")), "{draft}");
    let discard =
        async |who, path: &str, condition| desk.send(who, Method::DELETE, path, condition, &Value::Null).await;
    for (who, condition, status) in
        [(OTHER, Some("*"), 404), (APPROVER, Some("*"), 404), (USER, None, 428), (USER, Some("\"1\""), 412)]
    {
        assert_eq!(discard(who, &path, condition).await.status, status, "{who:?} {condition:?}");
    }
    assert_eq!(discard(USER, &path, Some("\"2\"")).await.status, 204);
    assert_eq!(desk.status_of(USER, &path).await, 404);
    assert_eq!(discard(USER, &path, Some("*")).await.status, 404);
    let left = std::fs::read_dir(desk.world.app.config.data.join("attachments")).unwrap().count();
    assert_eq!(left, 0, "its attachment is gone");
    assert_eq!(desk.count("select count(*) from onemap.audit where action = 'discard'").await, 1);

    // Others have had to do with one that was submitted, whatever became of it.
    let path = desk.submitted(USER, json!({})).await;
    assert_eq!(discard(USER, &path, Some("*")).await.status, 409);
    desk.post(USER, &format!("{path}/withdraw"), "*", json!({})).await;
    let withdrawn = desk.get(USER, &path).await;
    assert_eq!(withdrawn["state"], "draft");
    assert!(!withdrawn["actions"].as_array().unwrap().contains(&json!("discard")), "{withdrawn}");
    assert_eq!(discard(USER, &path, Some("*")).await.status, 409);
    assert_eq!(desk.status_of(USER, &path).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_is_for_its_parties_and_never_shown_in_place() {
    let desk = Desk::new().await;
    let path = desk.draft(USER, json!({})).await;
    let file = format!("{path}/attachment?filename=%E5%87%BD.pdf");
    let put = async |who: As, bytes: Vec<u8>| {
        let request = desk.world.request(Method::PUT, &file).header("cookie", desk.cookie(who).await);
        request.header("if-match", "*").body(bytes).send().await.unwrap().status().as_u16()
    };
    let mut pdf = b"%PDF-1.7\n".to_vec();
    pdf.resize(100_000, b' ');
    assert_eq!(put(USER, b"<html><script>".to_vec()).await, 415);
    assert_eq!(put(APPROVER, pdf.clone()).await, 404);
    let mut large = pdf.clone();
    large.resize((20 << 20) + 1, b' ');
    assert_eq!(put(USER, large).await, 413);
    assert_eq!(put(USER, pdf.clone()).await, 200);
    let folder = desk.world.app.config.data.join("attachments");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left of what was refused");
    assert_eq!(desk.status_of(APPROVER, &format!("{path}/attachment")).await, 404);
    assert_eq!(desk.post(USER, &format!("{path}/submit"), "*", json!({})).await.status, 200);
    assert_eq!(put(USER, pdf.clone()).await, 409, "what lies before the approver stays as it is");
    let request = desk.world.request(Method::GET, &format!("{path}/attachment"));
    let response = request.header("cookie", desk.cookie(APPROVER).await).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/pdf");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert!(response.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; "));
    assert_eq!(response.bytes().await.unwrap(), pdf);
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_begin_and_end_and_deadlines_are_reminded_of_once_on_any_number_of_nodes() {
    let desk = Desk::new().await;
    let beside = desk.world.beside().await;
    let late = desk.submitted(USER, json!({})).await;
    let approved = desk.submitted(USER, json!({"from": "2029-01-01"})).await;
    let told = desk.post(APPROVER, &format!("{approved}/approve"), "*", json!({})).await;
    assert_eq!((told.status, told.body["state"].as_str()), (200, Some("approved")), "{}", told.body);
    let active = desk.submitted(USER, json!({"layer": "unconditional"})).await;
    let revoked = desk.submitted(USER, json!({})).await;
    assert_eq!(desk.post(APPROVER, &format!("{revoked}/approve"), "*", json!({})).await.body["state"], "active");
    // Every day is a working day here, whenever the test runs.
    desk.world.sql("insert into onemap.calendar_day select d::date, true from generate_series(current_date - 40, current_date + 40, '1 day') d").await;
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    desk.world
        .sql(&format!(
            "update onemap.request_step set due = current_date - 1 where request_id = '{}';
             update onemap.request set valid_from = now() - interval '1 day' where id = '{}';
             update onemap.request set valid_from = now() - interval '90 days', valid_until = now() where id = '{}';
             update onemap.access_grant set revoked_at = now(), revoked_by = 'person:x', revoke_reason = '直接收回' where request_id = '{}'",
            id(&late),
            id(&approved),
            id(&active),
            id(&revoked)
        ))
        .await;
    let rounds = (0..6).map(|i| {
        let approvals = if i % 2 == 0 { desk.world.app.approvals.clone() } else { beside.app.approvals.clone() };
        tokio::spawn(async move { approvals.sweep_once().await })
    });
    for round in rounds.collect::<Vec<_>>() {
        round.await.unwrap().unwrap();
    }
    for (path, state, action) in
        [(&approved, "active", "begin"), (&active, "expired", "expire"), (&revoked, "revoked", "revoke")]
    {
        // A round passes by what another has in hand; the servers' own rounds are among the others.
        for _ in 0..100 {
            if desk.get(USER, path).await["state"] == state {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let history = desk.get(USER, &format!("{path}/history")).await;
        let events = history["events"].as_array().unwrap();
        assert_eq!(events.last().unwrap()["to"], state);
        let made = events.iter().filter(|e| e["action"] == action && e["by"] == "system");
        assert_eq!(made.count(), 1, "{path}: {history}");
    }
    let reminders = "select count(*) from onemap.notification where kind = 'request.overdue'";
    assert_eq!(desk.count(reminders).await, 2, "the approver and the administrator, once each");
    desk.world.app.approvals.sweep_once().await.unwrap();
    assert_eq!(desk.count(reminders).await, 2, "not twice on one day");
}

#[tokio::test(flavor = "multi_thread")]
async fn holidays_move_deadlines() {
    let desk = Desk::new().await;
    let due = async || {
        let path = desk.submitted(USER, json!({})).await;
        desk.get(USER, &path).await["steps"][0]["due"].as_str().unwrap().to_owned()
    };
    let before = due().await;
    let year = &before[..4];
    let days = json!({"days": [{"day": before, "working": false, "note": "放假"}]});
    let calendar = format!("/api/v1/calendar/{year}");
    assert_eq!(desk.send(OWNER, Method::PUT, &calendar, None, &days).await.status, 403);
    let told = desk.send(PLATFORM, Method::PUT, &calendar, None, &days).await;
    assert_eq!((told.status, &told.body["days"][0]["note"]), (200, &json!("放假")));
    assert!(due().await > before, "the day it would be due on is off");
    let wrong = desk.send(PLATFORM, Method::PUT, "/api/v1/calendar/1999", None, &days).await;
    assert_eq!((wrong.status, wrong.body["parameter"].as_str()), (400, Some("year")));
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_streamed_and_marked_as_read() {
    let desk = Desk::new().await;
    let request = desk.world.request(Method::GET, "/api/v1/notifications/events");
    let mut stream = request.header("cookie", desk.cookie(APPROVER).await).send().await.unwrap();
    let mut next = async || {
        let mut text = String::new();
        while !text.contains("\n\n") || text.starts_with(':') {
            let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            if text.starts_with(':') {
                text = text.split_once("\n\n").map_or(String::new(), |(_, rest)| rest.to_owned());
            }
        }
        serde_json::from_str::<Value>(text.trim().strip_prefix("data:").unwrap().trim()).unwrap()
    };
    assert_eq!(next().await["unread"], 0);
    desk.submitted(USER, json!({})).await;
    let news = next().await;
    assert_eq!(
        (news["unread"].as_i64(), news["notifications"][0]["kind"].as_str()),
        (Some(1), Some("request.submitted"))
    );
    let id = &news["notifications"][0]["id"];
    let told = desk.send(USER, Method::POST, "/api/v1/notifications/read", None, &json!({"ids": [id]})).await;
    assert_eq!(told.status, 200);
    assert_eq!(desk.get(APPROVER, "/api/v1/notifications").await["unread"], 1, "others cannot mark it");
    let told = desk.send(APPROVER, Method::POST, "/api/v1/notifications/read", None, &json!({"up_to": id})).await;
    assert_eq!(told.body["unread"], 0);
    assert_eq!(desk.get(APPROVER, "/api/v1/notifications?unread=true").await["notifications"], json!([]));
}

/// A receiver on this machine that refuses the first call; what it was sent, whole.
async fn receiver() -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut calls = 0;
        while let Ok((mut socket, _)) = listener.accept().await {
            calls += 1;
            let mut got = vec![0; 64 << 10];
            let mut n = 0;
            loop {
                let read = socket.read(&mut got[n..]).await.unwrap_or(0);
                n += read;
                let text = String::from_utf8_lossy(&got[..n]);
                let length = text
                    .lines()
                    .find_map(|l| l.to_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
                let whole = text.split_once("\r\n\r\n").is_some_and(|(_, body)| Some(body.len()) >= length);
                if read == 0 || whole {
                    break;
                }
            }
            let status = if calls == 1 { "500 Internal Server Error" } else { "204 No Content" };
            let _ = socket
                .write_all(format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").as_bytes())
                .await;
            let _ = send.send(String::from_utf8_lossy(&got[..n]).into_owned());
        }
    });
    (port, receive)
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_signed_and_tried_again() {
    let (port, mut calls) = receiver().await;
    let world = World::with(|config| {
        config.webhook_http = true;
        config.webhook_networks = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let desk = Desk::at(world);
    let hook = json!({"url": format!("http://127.0.0.1:{port}/hook?a=b"), "kinds": ["request.submitted"]});
    let told = desk.send(OWNER, Method::POST, "/api/v1/webhooks", None, &hook).await;
    assert_eq!(told.status, 201, "{}", told.body);
    let secret = told.body["secret"].as_str().unwrap().to_owned();
    desk.submitted(USER, json!({})).await;
    let first = calls.recv().await.unwrap();
    let (head, body) = first.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| head.lines().find_map(|l| l.strip_prefix(name)).unwrap().trim().to_owned();
    assert!(head.starts_with("POST /hook?a=b HTTP/1.1"), "{head}");
    assert_eq!(header("x-onemap-event:"), "request.submitted");
    let message: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (message["kind"].as_str(), message["detail"]["layer"].as_str()),
        (Some("request.submitted"), Some("conditional"))
    );
    let expected =
        onemap::notice::deliver::signature(&secret, header("x-onemap-timestamp:").parse().unwrap(), body.as_bytes());
    assert_eq!(header("x-onemap-signature:"), format!("hmac-sm3={expected}"));
    // The refused call comes again; its time is moved near so that nobody has to wait.
    for _ in 0..100 {
        desk.world
            .sql("update onemap.webhook_delivery set next_at = now() where attempts = 1 and last_status = 500")
            .await;
        if desk.count("select count(*) from onemap.webhook_delivery where attempts = 1 and last_status = 500").await
            == 1
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    desk.submitted(OTHER, json!({})).await;
    let second = calls.recv().await.unwrap();
    let third = calls.recv().await.unwrap();
    let id = |call: &str| call.lines().find_map(|l| l.strip_prefix("x-onemap-delivery:").map(str::to_owned)).unwrap();
    assert!([id(&second), id(&third)].contains(&id(&first)), "the first delivery under its own id");
    assert_ne!(id(&second), id(&third));
    // The list says nothing of the secret.
    let list = desk.get(OWNER, "/api/v1/webhooks").await;
    assert!(!list.to_string().contains(&secret));
    let path = format!("/api/v1/webhooks/{}", list["webhooks"][0]["id"].as_str().unwrap());
    assert_eq!(desk.send(HEAD, Method::DELETE, &path, None, &Value::Null).await.status, 404, "another department's");
    assert_eq!(desk.send(OWNER, Method::DELETE, &path, None, &Value::Null).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_do_not_lead_inside() {
    let desk = Desk::new().await;
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://10.0.0.1/",
        "x",
    ] {
        let told = desk.send(OWNER, Method::POST, "/api/v1/webhooks", None, &json!({"url": url})).await;
        assert_eq!((told.status, told.body["parameter"].as_str()), (400, Some("url")), "{url}");
    }
    // A name that leads inside is refused when it is called.
    let told = desk.send(OWNER, Method::POST, "/api/v1/webhooks", None, &json!({"url": "https://localhost:1/"})).await;
    assert_eq!(told.status, 201);
    desk.submitted(USER, json!({})).await;
    for _ in 0..200 {
        let list = desk.get(OWNER, "/api/v1/webhooks").await;
        if list["webhooks"][0]["last"]["problem"] == "address refused" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the call was not refused: {}", desk.get(OWNER, "/api/v1/webhooks").await);
}
