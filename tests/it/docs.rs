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
    let pages =
        ["developer.md", "address.md", "ogc-api.md", "ogc-services.md", "map-services.md", "filters.md", "formats.md"];
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

/// Its examples build on each other: one session from top to bottom.
#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_address_jobs_run_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    in_one_session("address-batch.md", folder.path()).await;
    let table = std::fs::read_to_string(folder.path().join("matched.csv")).unwrap();
    assert!(table.contains("气象台") && table.lines().count() == 4, "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_annotations_run_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let said = in_one_session("annotations.md", folder.path()).await;
    assert!(said.contains("路灯已报修") && said.ends_with("204\n204\n"), "{said}");
    let thumbnail = std::fs::read(folder.path().join("thumbnail.jpg")).unwrap();
    assert!(thumbnail.starts_with(&[0xff, 0xd8]));
}

/// Runs a page's examples as one, signed in as the demo's administrator; what they say.
async fn in_one_session(page: &str, folder: &Path) -> String {
    let data = tempfile::tempdir().unwrap();
    let server = crate::process::start(data.path());
    let given = crate::process::credentials(data.path());
    crate::process::searched(&server.url, given["keys"]["health"].as_str().unwrap()).await;
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &of(page).join("\n")])
        .current_dir(folder)
        .env("URL", &server.url)
        .env("PERSON", given["admin"]["user"].as_str().unwrap())
        .env("PASSWORD", given["admin"]["password"].as_str().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said
}
