//! The command line: serve · demo · migrate · import · export-tiles · address · audit · admin · doctor.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use onemap::commands;
use onemap::config::{Config, Overrides};
use onemap::error::Result;

/// onemap 政务一张图: a government's shared map layers over PostGIS.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Settings {
    /// Where the database, uploads and caches live
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<std::path::PathBuf>,
    /// The address to serve on
    #[arg(long, global = true, value_name = "HOST:PORT")]
    listen: Option<std::net::SocketAddr>,
    /// An existing PostGIS instead of the embedded one
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// The address that links in answers start with
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the map
    Serve,
    /// Load the demo city once, then serve the map
    Demo {
        /// How much is generated: 1 is about 300,000 features
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
        /// The generator's seed
        #[arg(long, default_value_t = 370_200)]
        seed: u64,
        /// Load and stop, without serving
        #[arg(long)]
        load_only: bool,
    },
    /// Bring the database to this version's state
    Migrate,
    /// Load a file into a layer and publish it
    Import(commands::import::Arguments),
    /// Write a layer's tiles into a PMTiles file
    ExportTiles(commands::export::Arguments),
    /// Match addresses: build indexes, match and parse without a server; make layers address sources
    #[command(subcommand)]
    Address(commands::address::Command),
    /// Verify and seal the evidence of accesses
    #[command(subcommand)]
    Audit(commands::audit::Command),
    /// Manage people and keys
    #[command(subcommand)]
    Admin(commands::admin::Command),
    /// Say in plain words what is missing or wrong
    Doctor,
    /// The child process that reads uploads
    #[command(hide = true)]
    ReadChild,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::ReadChild = cli.command {
        return onemap::upload::child::child_main();
    }
    match run(cli) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("onemap: {}", e.detail.zh);
            eprintln!("onemap: {e}");
            if let Some(hint) = &e.hint {
                eprintln!("        {}", hint.zh);
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let command = match cli.command {
        Command::Address(command) if commands::address::is_offline(&command) => {
            return commands::address::offline(command);
        }
        Command::Audit(command) if commands::audit::is_offline(&command) => return commands::audit::offline(command),
        other => other,
    };
    let s = cli.settings;
    let config = Config::load(Overrides {
        data: s.data,
        listen: s.listen,
        database_url: s.database_url,
        public_url: s.public_url,
        ..Overrides::default()
    })?;
    commands::start_log(&config);
    match command {
        Command::Serve => commands::serve::run(config, None),
        Command::Demo { scale, seed, load_only } => {
            commands::serve::run(config, Some(commands::serve::Demo { scale, seed, load_only }))
        }
        Command::Migrate => commands::migrate(config),
        Command::Import(arguments) => commands::import::run(config, arguments),
        Command::ExportTiles(arguments) => commands::export::run(config, arguments),
        Command::Address(command) => commands::address::run(config, command),
        Command::Audit(command) => commands::audit::run(config, command),
        Command::Admin(command) => commands::admin::run(config, command),
        Command::Doctor => commands::doctor::run(config),
        Command::ReadChild => Ok(ExitCode::SUCCESS),
    }
}
