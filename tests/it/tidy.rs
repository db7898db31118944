//! The architecture's own rules: imports point down, `axum` stays in `http`, no file grows without bounds.

use std::path::{Path, PathBuf};

/// The floors, lowest first. A module may import from its own floor's module and from lower floors.
const FLOORS: &[&[&str]] = &[
    &["error"],
    &["config", "geo"],
    &["db"],
    &["access"],
    &["layer", "style", "job", "notice"],
    &["tile", "feature", "upload", "demo", "evidence"],
    &["address", "picture", "theme", "approval", "catalogue"],
    &["spatial"],
    &["process", "annotation"],
    &["app"],
    &["http"],
    &["commands"],
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

fn each_source(mut look: impl FnMut(&str, &str, &str)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let module = relative.split(['/', '.']).next().unwrap().to_owned();
        look(&relative, &module, &std::fs::read_to_string(&path).unwrap());
    }
}

#[test]
fn imports_point_down() {
    each_source(|file, module, text| {
        let Some(own) = floor(module) else { return };
        for part in text.split("crate::").skip(1) {
            let target: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(other) = floor(&target) else { continue };
            assert!(other < own || target == module, "{file} imports {target}, which is not below it");
        }
    });
}

#[test]
fn axum_stays_in_http() {
    each_source(|file, module, text| {
        assert!(module == "http" || !text.contains("axum::"), "{file} uses axum");
    });
}

#[test]
fn layer_tables_are_read_in_few_places() {
    each_source(|file, module, text| {
        let code = text.split("#[cfg(test)]").next().unwrap();
        let reads = code.contains("from data.") || code.contains("table(\"data\"");
        let allowed = module == "layer" || file == "upload/diff.rs" || file == "demo/load.rs";
        assert!(!reads || allowed, "{file} reads layer tables past layer::select");
    });
}

#[test]
fn no_todo_is_left_and_nothing_panics_on_purpose() {
    each_source(|file, _, text| {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for word in ["todo!(", "unimplemented!(", "dbg!("] {
            assert!(!code.contains(word), "{file} has {word}");
        }
    });
}

#[test]
fn files_stay_readable() {
    each_source(|file, _, text| {
        let lines = text.lines().count();
        assert!(lines <= 650, "{file} has {lines} lines: what lives in it?");
    });
}
