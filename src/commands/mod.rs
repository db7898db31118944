//! What the command line does. The top floor: above `http` and `app`.

pub mod address;
pub mod admin;
pub mod audit;
pub mod doctor;
pub mod export;
pub mod import;
pub mod serve;

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::config::Config;
use crate::db::embedded::{self, Cluster};
use crate::error::Result;

/// The database a command works on: an existing one, that of a server which runs from the same folder, or our own.
enum Opened {
    Elsewhere(String),
    Own(Cluster),
}

impl Opened {
    fn of(config: &Config) -> Result<Opened> {
        if let Some(url) = &config.database_url {
            return Ok(Opened::Elsewhere(url.clone()));
        }
        if let Some(url) = embedded::running(&config.data) {
            return Ok(Opened::Elsewhere(url));
        }
        Ok(Opened::Own(Cluster::start(&config.data)?))
    }

    fn url(&self) -> String {
        match self {
            Opened::Elsewhere(url) => url.clone(),
            Opened::Own(cluster) => cluster.url(),
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Runs a command that needs the application, then lets go of the database.
fn with_app<T>(config: Config, work: impl AsyncFnOnce(App) -> Result<T>) -> Result<T> {
    let opened = Opened::of(&config)?;
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        let app = App::new(config, &opened.url()).await?;
        work(app).await
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}

pub fn migrate(config: Config) -> Result<ExitCode> {
    with_app(config, async |_| Ok(()))?;
    println!("数据库已是最新状态 the database is up to date");
    Ok(ExitCode::SUCCESS)
}

/// Logs go to stderr: a terminal gets lines for people, anything else gets JSON.
pub fn start_log(config: &Config) {
    use std::io::IsTerminal;
    let filter = EnvFilter::try_new(format!("{},refinery_core=warn,tokio_postgres=warn", config.log))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.with_target(false).compact().init();
    } else {
        log.json().init();
    }
}
