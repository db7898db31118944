//! `address`: indexes and matching without a server or a database, and a layer's place among the sources.

mod build;
mod matching;
pub mod source;

use std::io::{BufRead, BufReader, Write};
use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Config;
use crate::error::Result;
use crate::upload::text::Decoded;

#[derive(Subcommand)]
pub enum Command {
    /// Make an index of a table of addresses (csv, also .gz or .zst); no server or database is needed
    Build(build::Arguments),
    /// Match addresses from stdin against indexes: csv with --column, else a line each; csv on stdout
    Match(matching::Arguments),
    /// Split addresses from stdin into elements, a line each; JSON lines on stdout
    Parse,
    /// Make a layer an address source, or change how it is one
    Source(source::Arguments),
}

/// Those that need no server: they do not read its settings either.
pub fn is_offline(command: &Command) -> bool {
    !matches!(command, Command::Source(_))
}

pub fn offline(command: Command) -> Result<ExitCode> {
    match command {
        Command::Build(arguments) => build::run(&arguments)?,
        Command::Match(arguments) => matching::run(&arguments)?,
        Command::Parse => parse()?,
        Command::Source(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

pub fn run(config: Config, command: Command) -> Result<ExitCode> {
    match command {
        Command::Source(arguments) => source::run(config, &arguments),
        other => offline(other),
    }
}

/// Standard input as UTF-8 lines, whatever it is in.
fn lines() -> Result<impl BufRead> {
    let input = BufReader::with_capacity(256 << 10, std::io::stdin());
    Ok(BufReader::with_capacity(128 << 10, Decoded::by_its_head(input)?))
}

fn parse() -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in lines()?.lines() {
        let line = line?;
        let parsed = onemap_address::parse::parse(&line);
        let document = serde_json::json!({
            "query": line, "elements": parsed.parts, "standard": parsed.standard, "remainder": parsed.remainder,
        });
        if !written(writeln!(out, "{document}"))? {
            return Ok(());
        }
    }
    written(out.flush()).map(drop)
}

/// Whether there is still a reader: `head` goes away in the middle, and that is no fault.
fn written(outcome: std::io::Result<()>) -> Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(e.into()),
    }
}
