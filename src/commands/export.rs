//! `export-tiles`: a layer's tiles into a PMTiles file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::with_app;
use crate::access::principal::Principal;
use crate::access::rights::Right;
use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::tile::export::{self, Step, job};
use crate::tile::render::Drawn;

#[derive(Args)]
pub struct Arguments {
    /// The layer's id
    layer: String,
    /// The file to write
    file: PathBuf,
    /// The department whose rights apply; by default the layer's owner, who sees everything
    #[arg(long)]
    department: Option<String>,
    #[arg(long, default_value_t = 0)]
    minzoom: u8,
    #[arg(long, default_value_t = 14)]
    maxzoom: u8,
}

pub fn run(config: Config, arguments: Arguments) -> Result<ExitCode> {
    with_app(config, async |app| export(&app, &arguments).await)?;
    Ok(ExitCode::SUCCESS)
}

async fn export(app: &App, a: &Arguments) -> Result<()> {
    let zooms = export::zooms(Some(a.minzoom.into()), Some(a.maxzoom.into()))?;
    let owner = app.catalog.snapshot().layers.get(&*a.layer).map(|l| l.department.to_string());
    let department =
        a.department.clone().or(owner).ok_or_else(|| {
            Error::not_found(format!("没有图层 {}", a.layer), format!("there is no layer {}", a.layer))
        })?;
    let grant = app.gate.open_for(&Principal::operator(&department), &a.layer, Right::Export)?;
    let drawn = Drawn { layer: app.catalog.published(&grant)?, grant };
    let bar = ProgressBar::no_length();
    let style = "导出 exporting z{prefix} {wide_bar} {human_pos}/{human_len} {per_sec}";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut tell = |step: Step| {
        bar.set_prefix(step.zoom.to_string());
        bar.set_length(step.total);
        bar.set_position(step.done);
        Ok(())
    };
    let exported = export::write((&app.tiles, &app.store), &drawn, zooms, &a.file, &mut tell).await?;
    bar.finish_and_clear();
    job::note(&app.database, &drawn, zooms, exported).await?;
    println!("已导出 exported: {} 个瓦片 tiles, {} 字节 bytes → {}", exported.tiles, exported.bytes, a.file.display());
    Ok(())
}
