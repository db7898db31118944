//! `import`: a file into a layer, with the same jobs as an upload over HTTP, watched in the terminal.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::address::source::make_source;
use super::with_app;
use crate::access::principal::Principal;
use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::layer::model::{ShareClass, Title};
use crate::layer::registry;
use crate::upload::load::LoadRequest;
use crate::upload::report::Datum;

#[derive(Args)]
pub struct Arguments {
    /// The file: zipped or loose Shapefile, GeoPackage, GeoJSON, KML/KMZ, FileGDB, DXF, GML, TAB/MIF, FlatGeobuf, CSV, XLSX,
    /// PMTiles, MBTiles
    file: PathBuf,
    /// The department that owns the layer
    #[arg(long)]
    department: String,
    /// The layer's id; by default made from the file's name
    #[arg(long)]
    layer: Option<String>,
    /// The layer inside the file, when it has several
    #[arg(long)]
    source_layer: Option<String>,
    #[arg(long)]
    title: Option<String>,
    #[arg(long)]
    title_en: Option<String>,
    #[arg(long)]
    theme: Option<String>,
    /// unconditional, conditional or not_shared
    #[arg(long, default_value = "not_shared")]
    share_class: String,
    /// The EPSG code, when the file does not say it or says it wrong
    #[arg(long)]
    crs: Option<u32>,
    /// gcj02 or bd09, when the coordinates are encrypted ones
    #[arg(long, value_parser = datum)]
    datum: Option<Datum>,
    /// Whether latitude (northing) stands first in the file: true or false
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    swap_axes: Option<bool>,
    /// The text encoding, such as GBK
    #[arg(long)]
    encoding: Option<String>,
    /// The field that identifies a feature from one revision to the next
    #[arg(long)]
    key: Option<String>,
    /// Print the inspection report and stop
    #[arg(long)]
    inspect: bool,
    /// Leave the new revision unpublished
    #[arg(long, conflicts_with = "address")]
    stage_only: bool,
    /// Search the published layer for addresses from now on; which field is what is guessed and printed
    #[arg(long)]
    address: bool,
    /// Take guesses (CRS, datum) as they are instead of asking
    #[arg(long)]
    yes: bool,
}

pub fn run(config: Config, arguments: Arguments) -> Result<ExitCode> {
    with_app(config, async |app| import(&app, &arguments).await)?;
    Ok(ExitCode::SUCCESS)
}

async fn import(app: &App, a: &Arguments) -> Result<()> {
    if !app.catalog.snapshot().departments.iter().any(|d| *d.id == *a.department) {
        return Err(Error::not_found(
            format!("没有单位 {}", a.department),
            format!("there is no department {}", a.department),
        ));
    }
    let by = Principal::operator(&a.department);
    let (upload, job) = app.uploads.adopt(&by, &a.department, &a.file).await?;
    let (stop, stopped) = watch::channel(false);
    // This process works off the queue itself: no server need be running.
    let tasks = app.start(1, &stopped);
    let outcome = steps(app, a, &by, upload, job).await;
    let _ = stop.send(true);
    for task in tasks {
        let _ = task.await;
    }
    outcome
}

async fn steps(app: &App, a: &Arguments, by: &Principal, upload: Uuid, job: Uuid) -> Result<()> {
    watched(app, &a.department, job, "检查 inspecting").await?;
    let info = app.uploads.get(&a.department, upload).await?;
    let inspection = info.inspection.unwrap_or_default();
    if a.inspect {
        println!("{}", serde_json::to_string_pretty(&inspection)?);
        return app.uploads.remove(by, &a.department, upload).await;
    }
    let request = request(a, &inspection)?;
    let id = app.queue.put(by, "upload.load", &json!({"upload": upload, "request": request})).await?;
    let result = watched(app, &a.department, id, "载入 loading").await?;
    let number = result["revision"].as_i64().unwrap_or_default() as i32;
    summarise(&result);
    if !a.stage_only {
        app.refresh().await?;
        let grant = app.gate.open(by, &request.layer)?;
        registry::publish(&app.store, &grant, number, "publish").await?;
        println!("图层 {} 已发布第 {number} 版 published revision {number}", request.layer);
        if a.address {
            app.refresh().await?;
            make_source(app, by, &request.layer, &[], None).await?;
        }
    }
    Ok(())
}

/// What was done, in a line for each thing worth knowing.
fn summarise(result: &Value) {
    let report = &result["report"];
    if let Some(tiles) = result["tiles"]["tiles"].as_u64() {
        println!("载入 loaded: {tiles} 个瓦片 tiles");
        return;
    }
    println!("载入 loaded: {} 个要素 features", result["rows"]);
    for (name, zh, en) in [
        ("repaired", "已修复的几何", "geometries repaired"),
        ("left_invalid", "仍无效的几何", "geometries left invalid"),
        ("degenerate", "退化的几何，存为空", "degenerate geometries, stored as none"),
        ("not_finite", "坐标非有限，几何存为空", "coordinates not finite, stored as none"),
        ("untransformable", "无法转换坐标，几何存为空", "coordinates beyond the CRS, stored as none"),
        ("unreadable_geometry", "无法读取的几何，存为空", "unreadable geometries, stored as none"),
        ("wrong_type", "类型不符的几何，存为空", "geometries of another type, stored as none"),
        ("failed_rows", "未能读取的行", "rows that could not be read"),
        ("mended_texts", "含无效字符的文本，已替换", "texts with invalid characters, replaced"),
        ("key_repeats", "重复的键值", "keys that repeat"),
    ] {
        let count = report[name]["count"].as_u64().unwrap_or_default();
        if count > 0 {
            let rows: Vec<String> =
                report[name]["rows"].as_array().into_iter().flatten().take(8).map(Value::to_string).collect();
            println!("  {count} {zh} {en} (行 rows {}{})", rows.join(", "), if count > 8 { " …" } else { "" });
        }
    }
    for name in ["null_geometry", "empty_geometry", "curves"] {
        let count = report[name].as_u64().unwrap_or_default();
        if count > 0 {
            println!("  {count} {}", name.replace('_', " "));
        }
    }
    if let Some(diff) = result["diff"].as_object() {
        let n = |name: &str| diff.get(name).map(Value::to_string).unwrap_or_default();
        println!(
            "对比当前版本 against the current revision: +{} 新增 added, -{} 删除 removed, {} 变更 changed, {} 未变 unchanged",
            n("added"),
            n("removed"),
            n("changed"),
            n("unchanged")
        );
    }
}

fn request(a: &Arguments, inspection: &Value) -> Result<LoadRequest> {
    let layers = inspection["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = match &a.source_layer {
        Some(name) => layers.iter().find(|l| l["name"] == **name),
        None if layers.len() == 1 => layers.first(),
        None => None,
    };
    let Some(found) = found else {
        let names: Vec<&str> = layers.iter().filter_map(|l| l["name"].as_str()).collect();
        return Err(Error::invalid(
            "source-layer",
            format!("请选择图层：{}", names.join("、")),
            format!("choose one of the layers: {}", names.join(", ")),
        ));
    };
    let stem = a.file.file_stem().and_then(|s| s.to_str()).unwrap_or("layer");
    let layer = registry::layer_id(&a.layer.clone().unwrap_or_else(|| layer_id(stem)))?;
    let class = ShareClass::parse(&a.share_class)
        .ok_or_else(|| Error::invalid("share-class", "没有这个共享类型", "there is no such share class"))?;
    let zh = a.title.clone().unwrap_or_else(|| stem.to_owned());
    let en = a.title_en.clone().unwrap_or_else(|| stem.to_owned());
    Ok(LoadRequest {
        layer,
        source_layer: found["name"].as_str().map(str::to_owned),
        title: Some(Title { zh, en }),
        theme: a.theme.clone(),
        share_class: Some(class),
        crs: a.crs,
        datum: a.datum,
        accept_guesses: a.yes,
        swap_axes: a.swap_axes,
        encoding: a.encoding.clone(),
        key: a.key.clone(),
    })
}

fn datum(name: &str) -> std::result::Result<Datum, String> {
    serde_json::from_value(name.into()).map_err(|_| "say none, gcj02 or bd09".to_owned())
}

/// A layer id from a file's name; a Chinese name has none of the letters an id may have.
fn layer_id(stem: &str) -> String {
    let id: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let id = id.trim_matches('-');
    match id.is_empty() {
        true => format!("layer-{}", &Uuid::now_v7().simple().to_string()[20..]),
        false => id.chars().take(60).collect(),
    }
}

/// Shows a job until it is over.
async fn watched(app: &App, department: &str, job: Uuid, what: &str) -> Result<Value> {
    let bar = ProgressBar::no_length();
    let style = "{prefix} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(what.to_owned());
    loop {
        let info = app.queue.get(department, job).await?;
        if let Some(total) = info.total {
            bar.set_length(total as u64);
        }
        bar.set_position(info.done as u64);
        if info.is_over() {
            bar.finish_and_clear();
            return match info.problem {
                None => Ok(info.result.unwrap_or_default()),
                Some(problem) => {
                    let text = |p: &Value| p.as_str().unwrap_or_default().to_owned();
                    let kind = Kind::Invalid { parameter: text(&problem["parameter"]) };
                    let e = Error::new(kind, text(&problem["detail"]["zh"]), text(&problem["detail"]["en"]));
                    Err(match problem["hint"].is_object() {
                        true => e.hint(text(&problem["hint"]["zh"]), text(&problem["hint"]["en"])),
                        false => e,
                    })
                }
            };
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}
