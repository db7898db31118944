//! The documentation's examples, run as a reader would run them.

use std::path::Path;
use std::process::Command;

/// The fenced blocks marked `sh` of a document.
fn examples(document: &str) -> Vec<String> {
    let mut blocks = vec![];
    let mut current: Option<String> = None;
    for line in document.lines() {
        match (&mut current, line.trim_end()) {
            (None, "```sh") => current = Some(String::new()),
            (Some(block), "```") => {
                blocks.push(std::mem::take(block));
                current = None;
            }
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

fn of(document: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(document);
    let examples = examples(&std::fs::read_to_string(path).unwrap());
    assert!(!examples.is_empty(), "{document} has examples");
    examples
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_run() {
    let data = tempfile::tempdir().unwrap();
    let server = crate::process::start(data.path());
    let key = crate::process::credentials(data.path())["keys"]["health"].as_str().unwrap().to_owned();
    crate::process::searched(&server.url, &key).await;
    // The developer's page shows refusals too.
    let pages = [
        "developer.md",
        "address.md",
        "ogc-api.md",
        "ogc-services.md",
        "map-services.md",
        "filters.md",
        "formats.md",
        "spatial.md",
    ];
    for (page, example) in pages.into_iter().flat_map(|page| of(page).into_iter().map(move |e| (page, e))) {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &example])
            .current_dir(folder.path())
            .env("URL", &server.url)
            .env("KEY", &key)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{example}\n{said}\n{complained}");
        assert!(
            !said.trim().is_empty() || std::fs::read_dir(folder.path()).unwrap().next().is_some(),
            "{example} says nothing"
        );
        let refused = if page == "developer.md" { "/problems/internal" } else { "/problems/" };
        assert!(!said.contains(refused), "{example}\n{said}");
    }
}

/// Runs the examples of a page whose examples build on each other: one session from top to bottom. What it said, and where it wrote.
async fn session(page: &str) -> (String, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let server = crate::process::start(data.path());
    let given = crate::process::credentials(data.path());
    let key = given["keys"]["health"].as_str().unwrap();
    crate::process::searched(&server.url, key).await;
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &of(page).join("\n")])
        .current_dir(folder.path())
        .env("URL", &server.url)
        .env("KEY", key)
        .env("PERSON", given["admin"]["user"].as_str().unwrap())
        .env("PASSWORD", given["admin"]["password"].as_str().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    (said, folder)
}

fn written(folder: &tempfile::TempDir, name: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.path().join(name)).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_themes_run_one_after_the_other() {
    let (_, folder) = session("themes.md").await;
    let theme = written(&folder, "theme.json");
    // 四方区 is part of 市北区 now, and so is not found by its name.
    assert_eq!(theme["report"]["unmatched"]["keys"][0]["key"], "四方区", "{theme}");
    assert_eq!(theme["figures"]["classification"]["classes"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_sharing_run_one_after_the_other() {
    let (said, folder) = session("sharing.md").await;
    assert!(!said.contains("/problems/"), "{said}");
    let opens = written(&folder, "opens.json");
    let (part, whole) = (opens["features"].as_i64().unwrap(), opens["of"].as_i64().unwrap());
    assert!(0 < part && part < whole && opens["area_km2"].as_f64().unwrap() > 1.0, "{opens}");
    assert!(said.contains("\"revoked\"") && said.contains("演练结束"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_address_jobs_run_one_after_the_other() {
    let (_, folder) = session("address-batch.md").await;
    let table = std::fs::read_to_string(folder.path().join("matched.csv")).unwrap();
    assert!(table.contains("气象台") && table.lines().count() == 4, "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_annotations_run_one_after_the_other() {
    let (said, folder) = session("annotations.md").await;
    assert!(said.contains("路灯已报修") && said.ends_with("204\n204\n"), "{said}");
    let thumbnail = std::fs::read(folder.path().join("thumbnail.jpg")).unwrap();
    assert!(thumbnail.starts_with(&[0xff, 0xd8]));
}

/// The auditor's examples are one session, too; they use the program beside the server.
#[tokio::test(flavor = "multi_thread")]
async fn the_auditors_examples_run_one_after_the_other() {
    let data = tempfile::tempdir().unwrap();
    let server = crate::process::start(data.path());
    let key = crate::process::credentials(data.path())["keys"]["health"].as_str().unwrap().to_owned();
    auditor(data.path()).await;
    let seen = format!("{}/ogc/collections/roads/items?limit=3&key={key}", server.url);
    assert!(reqwest::get(seen).await.unwrap().status().is_success());
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &of("auditor.md").join("\n")])
        .current_dir(folder.path())
        .env("URL", &server.url)
        .env("PERSON", "auditor")
        .env("PASSWORD", crate::world::PASSWORD)
        .env("ONEMAP", env!("CARGO_BIN_EXE_onemap"))
        .env("DATA", data.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for expected in
        ["\"operation\":\"features\"", "\"match\":\"certain\"", "whole and signed", "nothing was tampered with"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

/// Makes the person that the examples sign in as.
async fn auditor(data: &Path) {
    let url = onemap::db::embedded::running(data).expect("the server's database");
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let hash = onemap::access::passwords::hash_password(crate::world::PASSWORD.into()).await.unwrap();
    let sql = "insert into onemap.person (login, name, department_id, role, password_hash)
               select 'auditor', 'auditor', id, 'auditor', $1 from onemap.department order by id limit 1";
    assert_eq!(client.execute(sql, &[&hash]).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_requests_run_one_after_the_other() {
    let (said, folder) = session("requests.md").await;
    assert_eq!(written(&folder, "request.json")["state"], "draft");
    assert!(said.contains("\"action\":\"submit\""), "{said}");
    let table = std::fs::read_to_string(folder.path().join("catalogue.csv")).unwrap();
    assert!(table.contains("数据资源年度报告") && said.contains("\"faults\":[]"), "{said}");
}
