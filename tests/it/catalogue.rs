//! The catalogue of resources: what publishes into it, who sees what of it, files of it, how it deviates.

use onemap::access::principal::Role;
use onemap::catalogue::search::Wanted;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{As, World, stage};

const OWNER: As = As::Person("housing", Role::Publisher);
const OTHER: As = As::Person("health", Role::Publisher);
const CATALOGUE: &str = "/api/v1/catalogue";

async fn send(world: &World, who: As, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let mut request = world.by(who, method, path).await.header("if-match", "*");
    if !body.is_null() {
        request = request.json(body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn names(found: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        found["records"].as_array().unwrap().iter().map(|r| r["name"]["zh"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

async fn of_layer(world: &World, layer: &str) -> Value {
    let found = world.json(OWNER, &format!("{CATALOGUE}?q=图层{layer}")).await;
    found["records"].as_array().unwrap().iter().find(|r| r["layer"] == layer).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_publish_into_it_and_each_sees_ones_own_counts() {
    let world = World::new().await;
    for (who, expected) in [
        (OWNER, vec!["图层conditional", "图层hidden", "图层open", "图层unconditional"]),
        (OTHER, vec!["图层conditional", "图层open", "图层unconditional"]),
        (As::Key("health"), vec!["图层conditional", "图层open", "图层unconditional"]),
        (As::Anonymous, vec!["图层open"]),
    ] {
        let found = world.json(who, CATALOGUE).await;
        assert_eq!(names(&found), expected, "{who:?}");
        assert_eq!(found["matched"].as_u64().unwrap() as usize, expected.len());
        for (facet, values) in found["facets"].as_object().unwrap() {
            let sum: u64 = values.as_array().unwrap().iter().map(|v| v["count"].as_u64().unwrap()).sum();
            assert_eq!(sum as usize, expected.len(), "{facet} as {who:?}");
        }
        if who != OWNER {
            assert!(!found.to_string().contains("hidden") && !found.to_string().contains("not_shared"));
            assert_eq!(world.json(who, &format!("{CATALOGUE}?q=hidden")).await["matched"], 0);
        }
        if who != As::Anonymous {
            let scores = world.json(who, &format!("{CATALOGUE}/scores")).await;
            assert_eq!(scores["departments"][0]["records"].as_u64().unwrap() as usize, expected.len());
            assert_eq!(scores["figures"]["shared_items"], 3, "what is not shared counts nowhere");
            assert_eq!(scores["figures"]["connection_rate"], json!({"numerator": 1, "denominator": 2, "value": 0.5}));
        }
    }
    let hidden = of_layer(&world, "hidden").await;
    let link = hidden["link"].as_str().unwrap();
    let (a, told) = send(&world, OTHER, Method::GET, link, &Value::Null).await;
    let (b, nothing) = send(&world, OTHER, Method::GET, &format!("{CATALOGUE}/999999-1"), &Value::Null).await;
    assert_eq!((a, b, &told["detail"], &told["hint"]), (404, 404, &nothing["detail"], &nothing["hint"]));
    assert_eq!(send(&world, OTHER, Method::PATCH, link, &json!({"format": "x"})).await.0, 404);
    // A related record that is not shared is not named to others.
    let open = of_layer(&world, "open").await;
    let path = open["link"].as_str().unwrap();
    let (status, told) = send(&world, OWNER, Method::PATCH, path, &json!({"related": [hidden["code"]]})).await;
    assert_eq!((status, &told["related"][0]), (200, &hidden["code"]), "{told}");
    assert_eq!(world.json(OTHER, path).await["related"], json!([]));
    // Nor may others name it: the answer is that for a code that nobody has.
    let new = |related: &Value| json!({"name": "x", "share_class": "conditional", "related": [related]});
    let (a, told) = send(&world, OTHER, Method::POST, CATALOGUE, &new(&hidden["code"])).await;
    let (b, nothing) = send(&world, OTHER, Method::POST, CATALOGUE, &new(&json!("999999/1"))).await;
    let strip = |t: &Value, code: &Value| t["detail"].as_str().unwrap().replace(code.as_str().unwrap(), "X");
    assert_eq!((a, b), (400, 400));
    assert_eq!(strip(&told, &hidden["code"]), strip(&nothing, &json!("999999/1")));
    // A change of the class is one of the record too.
    world.sql("update onemap.layer set share_class = 'not_shared' where id = 'conditional'").await;
    assert_eq!(world.json(OTHER, CATALOGUE).await["matched"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_made_and_records_are_written_by_their_department() {
    let world = World::new().await;
    let mut codes: Vec<String> = vec![];
    for name in ["危房台账", "危房图纸"] {
        let body = json!({"name": name, "kind": "offline", "share_class": "conditional", "share_condition": "按需", "format": "纸质"});
        let (status, told) = send(&world, OTHER, Method::POST, CATALOGUE, &body).await;
        assert_eq!(status, 201, "{told}");
        codes.push(told["code"].as_str().unwrap().to_owned());
    }
    let (first, second) = (codes[0].split_once('/').unwrap(), codes[1].split_once('/').unwrap());
    assert_eq!((first.0, second.0, first.1, second.1), (second.0, first.0, "000001", "000002"));
    assert!(first.0.starts_with('3') && first.0.len() == 6);
    let owner = of_layer(&world, "open").await["code"].as_str().unwrap().to_owned();
    assert_ne!(&owner[..3], &first.0[..3], "each department has a 项 of its own");
    let found = world.json(OWNER, &format!("{CATALOGUE}?q=危房 台账&category={}", first.0)).await;
    assert_eq!(names(&found), ["危房台账"]);
    let path = found["records"][0]["link"].as_str().unwrap();
    assert_eq!(send(&world, OWNER, Method::PATCH, path, &json!({"name": "x"})).await.0, 403);
    for (patch, parameter) in [
        (json!({"kind": "layer"}), "kind"),
        (json!({"items": [{"name": "a"}, {"name": "a"}]}), "items"),
        (json!({"theme": "nothing"}), "theme"),
        (json!({"name": null}), "body"),
        (json!({"update_cycle": "often"}), "update_cycle"),
    ] {
        let (status, told) = send(&world, OTHER, Method::PATCH, path, &patch).await;
        assert_eq!((status, told["parameter"].as_str()), (400, Some(parameter)), "{told}");
    }
    let before = found["records"][0]["score"]["completeness"].as_f64().unwrap();
    let patch = json!({"abstract": "全市危房", "items": [{"name": "addr", "title": "地址", "type": "text", "length": 50, "sensitivity": "一般"}]});
    let (status, told) = send(&world, OTHER, Method::PATCH, path, &patch).await;
    assert_eq!((status, &told["items"][0]["length"]), (200, &json!(50)), "{told}");
    assert!(told["score"]["completeness"].as_f64().unwrap() > before);
    assert_eq!(world.json(OWNER, &format!("{CATALOGUE}?q=地址")).await["matched"], 1, "items are searched");
    let stale = world.by(OTHER, Method::PATCH, path).await.header("if-match", "\"1\"").json(&json!({"format": "x"}));
    assert_eq!(stale.send().await.unwrap().status(), 412);
    assert_eq!(send(&world, OTHER, Method::DELETE, path, &Value::Null).await.0, 204);
    assert_eq!(world.json(OTHER, &format!("{CATALOGUE}?q=台账")).await["matched"], 0);
    let layer = of_layer(&world, "open").await;
    let path = layer["link"].as_str().unwrap();
    assert_eq!(send(&world, OWNER, Method::DELETE, path, &Value::Null).await.0, 409);
    let (status, told) = send(&world, OWNER, Method::PATCH, path, &json!({"name": "x"})).await;
    assert_eq!((status, told["parameter"].as_str()), (400, Some("name")), "a layer's name is the layer's");
}

#[tokio::test(flavor = "multi_thread")]
async fn deviations_show_when_fields_change_and_updates_are_late() {
    let world = World::new().await;
    let open = of_layer(&world, "open").await;
    let path = open["link"].as_str().unwrap();
    assert_eq!(open["items"].as_array().unwrap().len(), 6, "the layer's fields");
    let whole = json!({"fields_changed": false, "update_overdue": false, "unused": false});
    assert_eq!(open["drift"], whole);
    // The department adds to an item; then a revision with a field less is published.
    let mut items = open["items"].clone();
    items[0]["sensitivity"] = json!("重要");
    let patch = json!({"items": items, "update_cycle": "daily"});
    assert_eq!(send(&world, OWNER, Method::PATCH, path, &patch).await.0, 200);
    let number = stage(&world.app, "open", 10, 1).await;
    world
        .sql(&format!("update onemap.revision set fields = fields - 5 where layer_id = 'open' and number = {number}"))
        .await;
    let (status, told) =
        send(&world, OWNER, Method::POST, &format!("/api/v1/layers/open/revisions/{number}/publish"), &Value::Null)
            .await;
    assert_eq!(status, 200, "{told}");
    let found = world.json(OTHER, &format!("{CATALOGUE}?drift=fields_changed")).await;
    assert_eq!((names(&found), &found["matched"]), (vec!["图层open"], &json!(1)));
    let (status, told) = send(&world, OWNER, Method::POST, &format!("{path}/fields"), &Value::Null).await;
    assert_eq!((status, &told["drift"]["fields_changed"]), (200, &json!(false)), "{told}");
    assert_eq!(told["items"].as_array().unwrap().len(), 5);
    assert_eq!(told["items"][0]["sensitivity"], "重要", "what was added stays");
    assert_eq!(world.json(OTHER, &format!("{CATALOGUE}?drift=update_overdue")).await["matched"], 0);
    world
        .sql("update onemap.catalogue_record set data_updated_at = now() - interval '3 days' where layer_id = 'open'")
        .await;
    let found = world.json(OTHER, &format!("{CATALOGUE}?drift=update_overdue")).await;
    assert_eq!(names(&found), ["图层open"]);
    let timeliness = found["records"][0]["score"]["timeliness"].as_f64().unwrap();
    assert!((0.45..0.55).contains(&timeliness), "half a cycle late: {timeliness}");
    // A feature that is changed is an update of the data; the next ones within the hour do not make other versions of the record.
    let version = async || of_layer(&world, "open").await["version"].as_i64().unwrap();
    let before = version().await;
    for floors in [7, 8] {
        world.sql(&format!("update map.open set floors = {floors} where fid = (select min(fid) from map.open)")).await;
        let counted = "select not exists (select from onemap.edit where not counted)";
        for _ in 0..200 {
            let client = world.app.database.app().await.unwrap();
            if client.query_one(counted, &[]).await.unwrap().get(0) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(world.json(OTHER, &format!("{CATALOGUE}?drift=update_overdue")).await["matched"], 0, "{floors}");
        assert_eq!(version().await, before + 1, "{floors}");
    }
    world.sql("update onemap.catalogue_record set created_at = now() - interval '91 days' where layer_id = 'unconditional'").await;
    let found = world.json(OTHER, &format!("{CATALOGUE}?drift=unused")).await;
    assert_eq!(names(&found), ["图层unconditional"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_departments_catalogue_goes_out_and_in_whole_or_not_at_all() {
    let world = World::new().await;
    let import = async |who: As, query: &str, bytes: Vec<u8>| {
        let request = world.by(who, Method::POST, &format!("{CATALOGUE}/import{query}")).await.body(bytes);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap())
    };
    let good = "信息资源名称,共享类型,资源类型,信息项,更新周期\n卫生院名录,无条件共享,服务,name|名称|text,每月\n处方,不予共享,离线,,\n";
    let (status, told) = import(OTHER, "?dry_run=true", good.into()).await;
    assert_eq!((status, &told["kept"], &told["created"], &told["faults"]), (200, &json!(false), &json!(2), &json!([])));
    assert_eq!(world.json(OTHER, &format!("{CATALOGUE}?department=health")).await["matched"], 0);
    // One wrong row keeps all of them out.
    let wrong = format!("{good},有条件共享,服务,,\n药房,有时,服务,,\n");
    let (status, told) = import(OTHER, "", wrong.into()).await;
    assert_eq!((status, &told["kept"]), (200, &json!(false)));
    let faults: Vec<(u64, &str)> = told["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["row"].as_u64().unwrap(), f["column"].as_str().unwrap()))
        .collect();
    assert_eq!(faults, [(4, "信息资源名称"), (5, "共享类型")]);
    assert_eq!(world.json(OTHER, &format!("{CATALOGUE}?department=health")).await["matched"], 0);
    let (_, told) = import(OTHER, "", good.into()).await;
    assert_eq!((&told["kept"], &told["created"]), (&json!(true), &json!(2)), "{told}");
    assert_eq!(world.json(OTHER, &format!("{CATALOGUE}?department=health")).await["matched"], 2);
    assert_eq!(world.json(OWNER, &format!("{CATALOGUE}?department=health")).await["matched"], 1);
    // Both forms come back as they went out, layers included.
    for (who, format, rows) in [(OTHER, "csv", 2), (OTHER, "xlsx", 2), (OWNER, "csv", 4), (OWNER, "xlsx", 4)] {
        let before = world.json(who, CATALOGUE).await;
        let file = world.get(who, &format!("{CATALOGUE}/export?format={format}")).await;
        assert!(file.headers()["content-disposition"].to_str().unwrap().contains(&format!("catalogue.{format}")));
        let bytes = file.bytes().await.unwrap().to_vec();
        let (status, told) = import(who, "", bytes).await;
        assert_eq!((status, &told["kept"], &told["changed"]), (200, &json!(true), &json!(rows)), "{told}");
        let after = world.json(who, CATALOGUE).await;
        for (a, b) in before["records"].as_array().unwrap().iter().zip(after["records"].as_array().unwrap()) {
            for member in ["code", "name", "items", "share_class", "update_cycle", "kind", "published"] {
                assert_eq!(a[member], b[member], "{member} after {format}");
            }
        }
    }
    // Another's code is no code of one's own, whether one may know of it or not.
    let hidden = of_layer(&world, "hidden").await["code"].as_str().unwrap().to_owned();
    for code in [hidden.as_str(), "999999/1"] {
        let (_, told) = import(OTHER, "", format!("code,name,share_class\n{code},x,conditional\n").into()).await;
        let problem = told["faults"][0]["problem"]["zh"].as_str().unwrap().replace(code, "X");
        assert_eq!(problem, "本单位没有代码为 X 的资源");
    }
    let (status, _) = import(OTHER, "", vec![0xff; 9 << 20]).await;
    assert_eq!(status, 413);
}

/// `cargo test --release --test it -- --ignored forty_thousand --nocapture` prints the figures.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn search_of_forty_thousand_records() {
    let world = World::new().await;
    world
        .sql(
            "insert into onemap.catalogue_record (code, department_id, kind, name, abstract, share_class, items)
             select '3' || lpad((10 + n % 60)::text, 2, '0') || lpad((n % 40 + 1)::text, 3, '0') || '/' || lpad((n + 100)::text, 6, '0'),
                 case n % 2 when 0 then 'housing' else 'health' end, 'service',
                 (array['社区','街道','区级','市级','企业','学校','医院','道路'])[1 + n % 8]
                     || (array['养老','教育','住房','交通','环境','应急','水务'])[1 + n % 7] || (array['设施','名录','台账','许可','统计'])[1 + n % 5] || n,
                 '由' || (array['民政','教育','住建','交通'])[1 + n % 4] || '部门汇集的第' || n || '项资源，用于测量',
                 (array['unconditional','conditional','not_shared'])[1 + n % 3],
                 '[{\"name\": \"id\", \"title\": \"编号\", \"type\": \"text\"}, {\"name\": \"addr\", \"title\": \"地址\", \"type\": \"text\"}]'
             from generate_series(1, 40000) n; analyze onemap.catalogue_record",
        )
        .await;
    let by = onemap::access::principal::Principal::operator("health");
    let timed = async |what: &str, wanted: Wanted| {
        let mut best = f64::MAX;
        let mut matched = 0;
        for _ in 0..7 {
            let from = std::time::Instant::now();
            matched = world.app.catalogue.search(&by, &wanted).await.unwrap().matched;
            best = best.min(from.elapsed().as_secs_f64() * 1000.0);
        }
        println!("{what}: {matched} records, {best:.1} ms");
        best
    };
    let q = |q: &str| Wanted { q: Some(q.into()), limit: 20, ..Wanted::default() };
    timed("everything", Wanted { limit: 20, ..Wanted::default() }).await;
    timed("a common word", q("养老")).await;
    timed("two words", q("医院 许可")).await;
    timed("one character", q("水")).await;
    timed("in every record", q("资源")).await;
    let rare = timed("a rare word", q("市级教育统计39")).await;
    let from = std::time::Instant::now();
    let client = world.app.database.app().await.unwrap();
    let scan = "select count(*) from onemap.catalogue_record where search_text like '%市级教育统计39%'";
    client.query_one(scan, &[]).await.unwrap();
    let scan = from.elapsed().as_secs_f64() * 1000.0;
    println!("the same by reading every text: {scan:.1} ms, {:.1} times as long", scan / rare);
}
