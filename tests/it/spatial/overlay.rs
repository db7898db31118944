//! Overlays: rows in, rows out, what is wrong row by row, and no trace.

use std::sync::{Arc, Mutex};

use onemap::access::principal::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{KEY, Random, USER, areas};
use crate::world::{As, World};

async fn send(world: &World, who: As, query: &str, media: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let request = world.by(who, Method::POST, &format!("/api/v1/overlay?{query}")).await;
    let response = request.header("content-type", media).body(body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn table(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_back_in_their_order_with_what_is_there() {
    let world = World::new().await;
    areas(&world).await;
    let mut random = Random(5);
    let mut csv = "编号,lon,lat\n".to_owned();
    let points: Vec<(f64, f64)> =
        (0..3000).map(|_| (119.98 + random.next() * 0.13, 35.98 + random.next() * 0.13)).collect();
    for (i, (x, y)) in points.iter().enumerate() {
        csv += &format!("R{i},{x},{y}\n");
    }
    let query = "layers=t&fields.t=name&filter.t=number<5&matches=all";
    let (status, text) = send(&world, KEY, query, "text/csv", csv).await;
    assert_eq!(status, 200, "{text}");
    let rows = table(&text);
    assert_eq!(rows[0], ["编号", "lon", "lat", "t.id", "t.name", "t.matches", "t.share", "t.inside", "onemap.problem"]);
    // PostGIS's answer to the same.
    let client = world.app.database.app().await.unwrap();
    let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let sql = "select p.n - 1, t.nr, t.name from unnest($1::float8[], $2::float8[]) with ordinality p(x, y, n)
        left join big.t t on t.nr < 5 and st_intersects(t.geom, st_setsrid(st_makepoint(p.x, p.y), 4490)) order by p.n, t.nr";
    let expected = client.query(sql, &[&xs, &ys]).await.unwrap();
    assert_eq!(rows.len() - 1, expected.len());
    for (ours, theirs) in rows[1..].iter().zip(&expected) {
        let id = theirs.get::<_, Option<i32>>(1).map_or(String::new(), |nr| nr.to_string());
        let name = theirs.get::<_, Option<String>>(2).unwrap_or_default();
        assert_eq!(ours[0], format!("R{}", theirs.get::<_, i64>(0)));
        assert_eq!((&ours[3], &ours[4], ours[8].as_str()), (&id, &name, ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shapes_bring_their_shares_and_features_keep_what_they_had() {
    let world = World::new().await;
    areas(&world).await;
    let square = json!({"type": "Polygon", "coordinates": [[[120.03, 36.0], [120.06, 36.0], [120.06, 36.02], [120.03, 36.02], [120.03, 36.0]]]});
    let feature = json!({"type": "Feature", "id": "a", "geometry": square, "properties": {"n": 1}, "own": true});
    let body = json!({"type": "FeatureCollection", "features": [feature, {"type": "Feature", "geometry": null, "properties": {}}]});
    let (status, text) = send(
        &world,
        KEY,
        "layers=t,open&fields.t=name&filter.t=number<5&fields.open=",
        "application/geo+json",
        body.to_string(),
    )
    .await;
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    let first = &answer["features"][0];
    assert_eq!(
        (&first["id"], &first["geometry"], &first["properties"], &first["own"]),
        (&json!("a"), &square, &json!({"n": 1}), &json!(true))
    );
    let client = world.app.database.app().await.unwrap();
    let sql = "select nr::int8, st_area(st_setsrid(st_intersection(geom, q), 4326)::geography), st_area(st_setsrid(q, 4326)::geography)
        from big.t, st_makeenvelope(120.03, 36, 120.06, 36.02, 4490) q where nr < 5 and st_intersects(geom, q) order by 2 desc";
    let expected = client.query(sql, &[]).await.unwrap();
    let ours = first["onemap"]["layers"]["t"]["features"].as_array().unwrap();
    assert_eq!(ours.len(), expected.len());
    for (ours, theirs) in ours.iter().zip(&expected) {
        let (part, whole): (f64, f64) = (theirs.get(1), theirs.get(2));
        assert_eq!(ours["id"], theirs.get::<_, i64>(0), "the largest share comes first");
        assert!(
            (ours["inside"].as_f64().unwrap() - part).abs() < 1.0
                && (ours["share"].as_f64().unwrap() - part / whole).abs() < 1e-5
        );
    }
    assert_eq!(first["onemap"]["layers"]["open"]["matches"], 12);
    assert_eq!(answer["features"][1]["onemap"]["problem"]["code"], "empty");
    assert_eq!(answer["onemap"], json!({"rows": 2, "matched": 1, "problems": 1}));

    // As a sequence, and as a process.
    let line = format!("\u{1e}{feature}\n");
    let (_, text) = send(&world, KEY, "layers=t&predicate=within", "application/geo+json-seq", line).await;
    let back: Value = serde_json::from_str(text.trim_start_matches('\u{1e}')).unwrap();
    assert_eq!(back["onemap"]["layers"]["t"]["matches"], 0);
    let inputs = json!({"inputs": {"features": body, "layers": ["t"], "predicate": "nearest"}});
    let request =
        world.by(KEY, Method::POST, "/ogc/processes/overlay/execution").await.header("prefer", "respond-async");
    let response = request.json(&inputs).send().await.unwrap();
    assert_eq!(response.status(), 200, "it is never a job, which would keep what was sent");
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["features"][0]["onemap"]["layers"]["t"]["features"][0]["distance_m"], 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_is_told_of_and_the_others_go_on() {
    let world = World::new().await;
    areas(&world).await;
    let csv = "id,wkt\n1,POINT(120 36)\n2,\"POLYGON((120 36, 120.01 36.01, 120.01 36, 120 36.01, 120 36))\"\n3\n4,POINT(x)\n5,\n\
               6,POINT(40500000 3985000)\n7,\"POLYGON((120 36, 120.01 36, 120.01 36.01, 120 36.01))\"\n8,POINT(120.001 36.001)\n";
    let request = world.by(KEY, Method::POST, "/api/v1/overlay?layers=t&fields.t=&filter.t=number=1").await;
    let request = request.header("content-type", "text/csv").header("accept-language", "en");
    let text = request.body(csv).send().await.unwrap().text().await.unwrap();
    let said: Vec<(String, String)> =
        table(&text)[1..].iter().map(|row| (row[2].clone(), row.last().unwrap().clone())).collect();
    let codes: Vec<&str> = said.iter().map(|(_, problem)| problem.split(':').next().unwrap()).collect();
    assert_eq!(codes, ["", "self-crossing", "ragged", "not-wkt", "empty", "out-of-range", "ring-open", ""], "{text}");
    assert_eq!((said[0].0.as_str(), said[7].0.as_str()), ("1", "1"));
    assert!(said[1].1.ends_with("the polygon crosses itself"), "{text}");

    // A ring of a million vertices is one row's fault too.
    let ring: Vec<String> = (0..1_000_000)
        .map(|i| (f64::from(i) * std::f64::consts::TAU / 1e6).sin_cos())
        .map(|(s, c)| format!("{} {}", 120.0 + c, 36.0 + s))
        .collect();
    let csv = format!("wkt\n\"POLYGON(({},{}))\"\nPOINT(120 36)\n", ring.join(","), ring[0]);
    let (_, text) = send(&world, KEY, "layers=t&f=geojsonseq&filter.t=number=1", "text/csv", csv).await;
    let rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line.trim_start_matches('\u{1e}')).unwrap()).collect();
    assert_eq!(rows[0]["onemap"]["problem"]["code"], "too-many-vertices");
    assert_eq!(rows[1]["onemap"]["layers"]["t"]["matches"], 1);

    // What ends in the middle says so, and is whole for all that.
    let broken = r#"{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [120, 36]}}, {"type": "Fea"#;
    let (_, text) = send(&world, KEY, "layers=t", "application/geo+json", broken).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (answer["features"].as_array().unwrap().len(), &answer["onemap"]["ended"]["code"]),
        (1, &json!("unreadable"))
    );
    let (_, text) = send(&world, KEY, "layers=t", "text/csv", "lon,lat\n120,36\n\"120,36\n").await;
    assert!(table(&text).last().unwrap().last().unwrap().starts_with("ragged"), "{text}");

    for (query, media, body, parameter) in [
        ("layers=t", "text/csv", "a,b\n1,2\n", "lon"),
        ("layers=t&lon=x&lat=b", "text/csv", "a,b\n1,2\n", "lon"),
        ("layers=t&f=csv", "application/geo+json", "{\"features\": []}", "f"),
        ("layers=t", "application/geo+json", "[1]", "body"),
        ("layers=t", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK", "body"),
        ("layers=t&crs=EPSG:1", "text/csv", "lon,lat\n", "crs"),
        ("layers=t&predicate=near", "text/csv", "lon,lat\n", "predicate"),
        ("layers=t&max_distance=5", "text/csv", "lon,lat\n", "max_distance"),
        ("layers=t&k=2", "text/csv", "lon,lat\n", "k"),
        ("layers=t&predicate=nearest&k=21", "text/csv", "lon,lat\n", "k"),
        ("layers=t&f=xlsx", "application/geo+json", "{\"features\": []}", "f"),
        ("layers=t,open&matches=all", "text/csv", "lon,lat\n", "matches"),
        ("layers=t,t", "text/csv", "lon,lat\n", "layers"),
        ("layers=t&fields.t=nothing", "text/csv", "lon,lat\n", "fields"),
        ("layers=t&fields.x=name", "text/csv", "lon,lat\n", "fields.x"),
        ("", "text/csv", "lon,lat\n", "layers"),
    ] {
        let (status, text) = send(&world, KEY, query, media, body).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &answer["parameter"]), (400, &json!(parameter)), "{query} {body}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coordinates_come_in_many_systems() {
    let world = World::new().await;
    areas(&world).await;
    // 120.02 E, 36.02 N.
    let client = world.app.database.app().await.unwrap();
    let at = async |srid: i32| {
        let row = client
            .query_one(
                "select st_x(p), st_y(p) from st_transform(st_setsrid(st_makepoint(120.02, 36.02), 4490), $1::int4) p",
                &[&srid],
            )
            .await
            .unwrap();
        (row.get::<_, f64>(0), row.get::<_, f64>(1))
    };
    let gcj = onemap::geo::china::wgs84_to_gcj02(120.02, 36.02);
    let bd = onemap::geo::china::wgs84_to_bd09(120.02, 36.02);
    for (crs, (x, y)) in [
        ("EPSG:4490", (120.02, 36.02)),
        ("cgcs2000", (120.02, 36.02)),
        ("EPSG:3857", at(3857).await),
        ("EPSG:4528", at(4528).await),
        ("EPSG:4549", at(4549).await),
        ("EPSG:32651", at(32651).await),
        ("gcj02", gcj),
        ("bd09", bd),
    ] {
        let query = format!("layers=open&predicate=nearest&fields.open=&crs={crs}");
        let (status, text) = send(&world, KEY, &query, "text/csv", format!("x,y\n{x},{y}\n")).await;
        assert_eq!(status, 200, "{crs}: {text}");
        let row = &table(&text)[1];
        assert_eq!(row[2], "23", "{crs}: {text}");
        assert!(row[3].parse::<f64>().unwrap() < 0.2, "{crs}: {text}");
    }
    let (_, text) =
        send(&world, KEY, "layers=open&predicate=nearest&crs=EPSG:4549", "text/csv", "x,y\n120.02,36.02\n").await;
    assert!(table(&text)[1].last().unwrap().starts_with("wrong-crs"), "{text}");
    // Latitude first.
    let (_, text) = send(&world, KEY, "layers=open&predicate=nearest", "text/csv", "x,y\n36.02,120.02\n").await;
    assert!(table(&text)[1].last().unwrap().starts_with("out-of-range"), "{text}");
    // GBK, as Excel saves it.
    let (gbk, ..) = encoding_rs::GBK.encode("名称,经度,纬度\n青岛,120.02,36.02\n");
    let (_, text) = send(&world, KEY, "layers=open&fields.open=name", "text/csv", gbk.into_owned()).await;
    assert_eq!(table(&text)[1][..5], ["青岛", "120.02", "36.02", "23", "第22栋 g0"], "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_found_first() {
    let world = World::new().await;
    let publisher = As::Person("housing", Role::Publisher);
    let put = world
        .by(publisher, Method::PUT, "/api/v1/layers/open/address-source")
        .await
        .json(&json!({"mapping": {"name": "name"}}))
        .send()
        .await
        .unwrap();
    assert!(put.status().is_success());
    for _ in 0..200 {
        // Until its index is there, the answer is to try again.
        let operator = onemap::access::principal::Principal::operator("health");
        let readable = world.app.addresses.readable(&operator, None).await;
        if readable.is_ok_and(|readable| !readable.sources().is_empty()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let csv = "谁,地址\n甲,第22栋 g0\n乙,\n丙,没有这样的地方\n";
    let (status, text) =
        send(&world, KEY, "layers=open&fields.open=name&predicate=nearest&address=地址", "text/csv", csv).await;
    assert_eq!(status, 200, "{text}");
    let rows = table(&text);
    assert_eq!(rows[0][2..7], ["address.lon", "address.lat", "address.label", "address.score", "address.level"]);
    assert_eq!((&rows[1][2][..6], rows[1][8].as_str()), ("120.02", "第22栋 g0"), "{text}");
    assert!(
        rows[2].last().unwrap().starts_with("empty") && rows[3].last().unwrap().starts_with("address-not-found"),
        "{text}"
    );
}

/// What was logged, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub const CANARY: &str = "kanarienvogel-7f3a";

async fn seen_in_tables(world: &World) -> Vec<String> {
    let client = world.app.database.app().await.unwrap();
    let tables = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')
        and has_table_privilege(format('%I.%I', schemaname, tablename), 'select')";
    let mut seen = vec![];
    for row in client.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        let sql = format!("select count(*) from {table} t where t::text like '%{CANARY}%'");
        if client.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            seen.push(table);
        }
    }
    seen
}

pub fn seen_in_files(folder: &std::path::Path, seen: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            seen_in_files(&path, seen);
        } else if std::fs::read(&path).is_ok_and(|bytes| memchr::memmem::find(&bytes, CANARY.as_bytes()).is_some()) {
            seen.push(path);
        }
    }
}

async fn job_over(world: &World, job: &str) -> Value {
    for _ in 0..400 {
        let info = world.json(USER, &format!("/api/v1/jobs/{job}")).await;
        if ["succeeded", "failed", "cancelled"].contains(&info["state"].as_str().unwrap()) {
            return info;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{job} does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_data_is_left_anywhere() {
    let log = Log::default();
    let writer = log.clone();
    let filter = tracing_subscriber::EnvFilter::new("onemap=trace,onemap_spatial=trace,tower_http=trace,axum=trace");
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone()).try_init();
    let world = World::new().await;
    areas(&world).await;
    let mut csv = format!("{CANARY},lon,lat\n");
    for i in 0..20_000 {
        csv += &format!("{CANARY}{i},120.0{},36.0{}\n", i % 100, i % 97);
    }
    csv += &format!("{CANARY},x,y\n{CANARY}\n");
    let (status, text) = send(&world, KEY, "layers=t&predicate=intersects", "text/csv", csv.clone()).await;
    assert_eq!((status, table(&text).len()), (200, 20_003));
    let request =
        world.by(USER, Method::POST, "/api/v1/overlay/jobs?layers=t").await.header("content-type", "text/csv");
    let response = request.body(csv.clone()).send().await.unwrap();
    assert_eq!(response.status(), 202, "{}", response.text().await.unwrap());
    let job = response.json::<Value>().await.unwrap()["job"].as_str().unwrap().to_owned();
    let info = job_over(&world, &job).await;
    assert_eq!(info["state"], "succeeded", "{info}");
    assert_eq!((&info["result"]["rows"], &info["result"]["problems"]), (&json!(20_002), &json!(2)));
    // While the result is held, and its file open.
    assert_eq!(world.app.overlays.held(), (0, 1));
    let mut files = vec![];
    seen_in_files(world.data(), &mut files);
    for entry in std::fs::read_dir("/proc/self/fd").unwrap().flatten() {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        let ours = target.starts_with(world.data().join("overlay"));
        if ours
            && std::fs::read(entry.path()).is_ok_and(|bytes| memchr::memmem::find(&bytes, CANARY.as_bytes()).is_some())
        {
            files.push(target);
        }
    }
    assert_eq!(files, Vec::<std::path::PathBuf>::new());
    assert_eq!(std::fs::read_dir(world.data().join("overlay")).unwrap().count(), 0);
    assert_eq!(seen_in_tables(&world).await, Vec::<String>::new());
    let path = format!("/api/v1/jobs/{job}/overlay");
    assert_eq!(world.get(USER, &path).await.text().await.unwrap(), text, "the job's rows are those of the stream");
    assert_eq!(world.get(As::Person("housing", Role::User), &path).await.status(), 404, "another department's");
    // Whoever removes it removes the rows.
    let end = world.by(USER, Method::DELETE, &format!("/api/v1/jobs/{job}/overlay")).await.send().await.unwrap();
    assert_eq!((end.status().as_u16(), world.app.overlays.held()), (204, (0, 0)));
    assert_eq!(world.get(USER, &path).await.status(), 404);
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(!logged.contains(CANARY), "the log has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_or_left_behind_ends_cleanly() {
    let world = World::new().await;
    areas(&world).await;
    let mut csv = "lon,lat\n".to_owned();
    (0..400_000).for_each(|i| csv += &format!("120.0{},36.0{}\n", i % 100, i % 97));
    let request =
        world.by(USER, Method::POST, "/api/v1/overlay/jobs?layers=t").await.header("content-type", "text/csv");
    let job =
        request.body(csv).send().await.unwrap().json::<Value>().await.unwrap()["job"].as_str().unwrap().to_owned();
    let end = world.by(USER, Method::DELETE, &format!("/api/v1/jobs/{job}")).await.send().await.unwrap();
    assert_eq!(end.status(), 200);
    let info = job_over(&world, &job).await;
    assert!(["cancelled", "succeeded"].contains(&info["state"].as_str().unwrap()), "{info}");
    for _ in 0..200 {
        if world.app.overlays.held().0 == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(world.app.overlays.held().0, 0);
    // A job of a process that was killed: what it held is gone with it.
    world
        .sql(
            "insert into onemap.job (id, kind, department_id, created_by, principal, input, state, heartbeat_at, attempts, run)
             select '01890000-0000-7000-8000-0000000000aa', 'overlay', 'health', 'x', jsonb_build_object('person', id),
                 '{\"ticket\": \"01890000-0000-7000-8000-0000000000ab\", \"layers\": [\"t\"]}', 'running', now() - interval '1 minute', 1, 1
             from onemap.person where login = 'health-user'",
        )
        .await;
    let info = job_over(&world, "01890000-0000-7000-8000-0000000000aa").await;
    assert_eq!(info["state"], "failed");
    assert!(info["problem"]["detail"]["zh"].as_str().unwrap().contains("重启"), "{info}");
}

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

async fn workbook(world: &World, query: &str, media: &str, body: impl Into<reqwest::Body>) -> Vec<u8> {
    let request = world.by(KEY, Method::POST, &format!("/api/v1/overlay?{query}")).await;
    let response = request.header("content-type", media).body(body).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()), (200, XLSX));
    assert!(response.headers()["content-disposition"].to_str().unwrap().contains("overlay.xlsx"));
    response.bytes().await.unwrap().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_comes_back_with_its_texts_and_numbers() {
    use calamine::{Data, Reader, Xlsx};
    let world = World::new().await;
    areas(&world).await;
    let csv = "编号,名称,lon,lat\n007,甲,120.02,36.02\n12,乙,120.05,36.09\n13,丙,x,36\n";
    let query = "layers=t&fields.t=name,weight&filter.t=number<4&f=xlsx";
    let bytes = workbook(&world, query, "text/csv", csv).await;
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes.clone())).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    let rows: Vec<&[Data]> = sheet.rows().collect();
    let head: Vec<String> = rows[0].iter().map(ToString::to_string).collect();
    assert_eq!(head[4..], ["t.id", "t.name", "t.weight", "t.matches", "t.share", "t.inside", "onemap.problem"]);
    let text = |text: &str| Data::String(text.into());
    assert_eq!(rows[1][..3], [text("007"), text("甲"), Data::Float(120.02)], "a code keeps its zeros");
    assert_eq!(rows[1][4..8], [Data::Float(1.0), text("甲"), Data::Float(1.5), Data::Float(1.0)]);
    assert_eq!(rows[2][0], Data::Float(12.0));
    assert!(rows[3][10].to_string().starts_with("not-a-number"), "{:?}", rows[3]);
    // And goes through again: what was a text is one, what was a number is the same number.
    let query = "layers=t&fields.t=&f=csv";
    let (status, again) = send(&world, KEY, query, XLSX, bytes).await;
    assert_eq!(status, 200, "{again}");
    let (given, back) = (table(csv), table(&again));
    assert_eq!(back.len(), 4);
    for (given, back) in given.iter().zip(&back) {
        assert_eq!(given[..], back[..4]);
    }
    assert_eq!(back[1][5], "甲");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_nearest_stand_beside_each_other_or_below() {
    let world = World::new().await;
    let csv = "id,lon,lat\na,120.021,36.022\nb,121.9,36.022\n";
    let query = "layers=open&fields.open=name&predicate=nearest&k=3&max_distance=5000";
    let (status, text) = send(&world, KEY, query, "text/csv", csv).await;
    assert_eq!(status, 200, "{text}");
    let rows = table(&text);
    let columns = ["id", "name", "distance_m"];
    let expected: Vec<String> =
        ["", "2.", "3."].iter().flat_map(|rank| columns.map(|c| format!("open.{rank}{c}"))).collect();
    assert_eq!(rows[0][3..12], expected[..]);
    let distance = |at: usize| rows[1][at].parse::<f64>().unwrap();
    assert!(distance(5) < distance(8) && distance(8) < distance(11), "{text}");
    assert_eq!((rows[1][3].as_str(), rows[2][3..12].concat()), ("23", String::new()), "none is near the second row");
    // The same as rows of their own, and as features.
    let (_, below) = send(&world, KEY, &format!("{query}&matches=all"), "text/csv", csv).await;
    let below = table(&below);
    assert_eq!(below.len(), 5, "three of the first, an empty one of the second, a header");
    for rank in 0..3 {
        assert_eq!(below[1 + rank][3..6], rows[1][3 + 3 * rank..6 + 3 * rank]);
    }
    let (_, features) = send(&world, KEY, &format!("{query}&f=geojson"), "text/csv", csv).await;
    let features: Value = serde_json::from_str(&features).unwrap();
    let of_first = features["features"][0]["onemap"]["layers"]["open"]["features"].as_array().unwrap();
    let ids: Vec<String> = of_first.iter().map(|f| f["id"].to_string()).collect();
    assert_eq!(ids, [&*rows[1][3], &*rows[1][6], &*rows[1][9]]);
    let inputs = json!({"inputs": {"features": features, "layers": ["open"], "predicate": "nearest", "k": 2}});
    let request = world.by(KEY, Method::POST, "/ogc/processes/overlay/execution").await;
    let answer: Value = request.json(&inputs).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["features"][0]["onemap"]["layers"]["open"]["matches"], 2, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_left_to_the_node_that_holds_it_and_any_tells_of_it() {
    let world = World::new().await;
    areas(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let config = onemap::config::Config {
        data: folder.path().to_owned(),
        database_connections: 4,
        listen: "127.0.0.1:18081".parse().unwrap(),
        ..Default::default()
    };
    let other = onemap::app::App::new(config, &world.database_url).await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    // Everything but workers: its jobs wait until they are run below.
    other.start(0, &stopped);
    let person = world.app.database.app().await.unwrap();
    let id: i64 =
        person.query_one("select id from onemap.person where login = 'health-user'", &[]).await.unwrap().get(0);
    drop(person);
    let by = other.login.principal_of_job(&json!({ "person": id })).await.unwrap();
    let wanted = |by_name: &str| onemap::spatial::overlay::Wanted {
        layers: vec![onemap::spatial::Named::Id(by_name.into())],
        predicate: onemap::spatial::overlay::Predicate::Within,
        all_matches: false,
        format: onemap::spatial::overlay::input::Format::Csv,
        output: onemap::spatial::overlay::output::Format::Csv,
        system: onemap::spatial::overlay::System::parse("wgs84").unwrap(),
        columns: Default::default(),
        english: false,
    };
    let body = || onemap::spatial::overlay::job::pieces("lon,lat\n120.02,36.02\n".into());
    let job = other.overlays.put(&by, wanted("t"), body()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let state = async |job: uuid::Uuid| world.json(USER, &format!("/api/v1/jobs/{job}")).await;
    assert_eq!(state(job).await["state"], "queued", "a node that does not hold the rows leaves them alone");
    assert!(other.worker().turn().await);
    let info = job_over(&world, &job.to_string()).await;
    assert_eq!((&info["state"], &info["result"]["matched"]), (&json!("succeeded"), &json!(1)), "{info}");
    let told = world.get(USER, &format!("/api/v1/jobs/{job}/overlay")).await;
    let status = told.status();
    let problem: Value = told.json().await.unwrap();
    let node = info["result"]["node"].as_str().unwrap();
    assert!(status == 409 && problem["detail"].as_str().unwrap().contains(node), "{problem}");
    assert!(other.overlays.result(&by, job).await.is_ok());
    // Cancelled at any node, it is let go of where it lies.
    let cancelled = other.overlays.put(&by, wanted("t"), body()).await.unwrap();
    world.by(USER, Method::DELETE, &format!("/api/v1/jobs/{cancelled}")).await.send().await.unwrap();
    for _ in 0..100 {
        if other.overlays.held().0 == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(other.overlays.held().0, 0);
    // One whose node is not heard of any more is ended by another.
    let left = other.overlays.put(&by, wanted("t"), body()).await.unwrap();
    let sql = "update onemap.job set node = gen_random_uuid(), heartbeat_at = now() - interval '1 minute' where id = ";
    world.sql(&format!("{sql}'{left}'")).await;
    let info = job_over(&world, &left.to_string()).await;
    assert_eq!(info["state"], "failed", "{info}");
    let _ = stop.send(true);
}
