//! `address source`: a layer's place among the address sources, by the operator for its department.

use std::process::ExitCode;

use clap::Args;

use crate::access::grant::Edit;
use crate::access::principal::Principal;
use crate::address::guess::{Guess, guess_of_layer};
use crate::address::mapping::Mapping;
use crate::address::sources::{self, PRIORITY};
use crate::app::App;
use crate::commands::with_app;
use crate::config::Config;
use crate::error::{Error, Result};

#[derive(Args)]
pub struct Arguments {
    /// The layer's id
    layer: String,
    /// Which field an element is in, such as --map road=lu; what is not said stays as it is, or is guessed
    #[arg(long, value_name = "ELEMENT=FIELD")]
    map: Vec<String>,
    /// 0 to 255: of two equally good answers the one of the smaller number comes first
    #[arg(long)]
    priority: Option<u8>,
    /// Search the layer no more
    #[arg(long)]
    remove: bool,
}

pub fn run(config: Config, a: &Arguments) -> Result<ExitCode> {
    with_app(config, async |app| set(&app, a).await)?;
    Ok(ExitCode::SUCCESS)
}

async fn set(app: &App, a: &Arguments) -> Result<()> {
    let owner = app.catalog.snapshot().layers.get(a.layer.as_str()).map(|l| l.department.clone());
    let owner = owner.ok_or_else(|| Error::not_found("没有这个图层", "there is no such layer"))?;
    let by = Principal::operator(&owner);
    if a.remove {
        let grant = app.gate.open::<Edit>(&by, &a.layer)?;
        return match sources::remove(&app.database, &grant).await? {
            true => {
                println!("图层 {} 不再是地址源 is no longer an address source", a.layer);
                Ok(())
            }
            false => Err(Error::not_found("该图层不是地址源", "this layer is no address source")),
        };
    }
    make_source(app, &by, &a.layer, &a.map, a.priority).await
}

/// Makes a published layer a source: as it is one already, else as guessed, with the changes. Prints how.
pub async fn make_source(
    app: &App,
    by: &Principal,
    layer: &str,
    changes: &[String],
    priority: Option<u8>,
) -> Result<()> {
    let grant = app.gate.open::<Edit>(by, layer)?;
    let published = app.catalog.published(&grant)?;
    let snapshot = app.addresses.sources().snapshot();
    let before = snapshot.get(layer);
    let Guess { mapping: guessed, report } = guess_of_layer(&published, published.state());
    let mut mapping = before.map_or(guessed, |b| Mapping::clone(&b.mapping));
    for pair in changes {
        mapping.change(pair)?;
    }
    sources::check(published.state())?;
    mapping.check(published.state().fields.iter().map(|f| f.name.as_str()))?;
    let priority = priority.or(before.map(|b| b.priority)).unwrap_or(PRIORITY);
    sources::set(&app.database, &grant, &mapping, priority).await?;
    println!("地址源 address source {layer}（优先级 priority {priority}）");
    for (target, field) in mapping.each() {
        let why = report.iter().find(|g| before.is_none() && g.element == target.name() && g.field == field);
        let why = why.map(|g| format!("  推断 guessed: {} {}", g.reason.zh, g.reason.en)).unwrap_or_default();
        println!("  {:<14}{field}{why}", target.name());
    }
    Ok(())
}
