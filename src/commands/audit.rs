//! `audit`: verifying the evidence of accesses, sealing it, and holding an export against its signature.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use onemap_evidence::PublicKey;

use super::with_app;
use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::evidence::verify::{self, Wanted};
use crate::evidence::{chains, seal_folder, search};

#[derive(Subcommand)]
pub enum Command {
    /// Read every chain again: what was changed, taken out, put in or cut off
    Verify(Verify),
    /// Seal the chain now
    Seal,
    /// Hold an exported file against its manifest and signature
    VerifyExport(VerifyExport),
}

#[derive(Args)]
pub struct Verify {
    /// The folder with the seals; by default the one that they are put into
    #[arg(long, value_name = "FOLDER")]
    seals: Option<PathBuf>,
    /// The public key that the seals must be signed with, in hexadecimal
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
    /// Blocks from this time on (RFC 3339, or a day of China's calendar)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Blocks before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(Args)]
pub struct VerifyExport {
    /// The ZIP archive
    file: PathBuf,
    /// The public key that it must be signed with, in hexadecimal
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
}

/// Whether the command needs neither settings nor a database.
pub fn is_offline(command: &Command) -> bool {
    matches!(command, Command::VerifyExport(_))
}

pub fn offline(command: Command) -> Result<ExitCode> {
    let Command::VerifyExport(a) = command else { return Ok(ExitCode::FAILURE) };
    let key = a.key.map(|key| PublicKey(key.to_ascii_lowercase()));
    let exported = verify::verify_export(&a.file, key.as_ref())?.exported;
    println!("文件完整、签名有效 whole and signed: {} 条 records, {} 字节 bytes", exported.records, exported.bytes);
    println!("  导出 exported   {} · {}", exported.at, exported.by);
    println!("  查询 search     {}", exported.search);
    println!("  公钥 key        {}", exported.public_key.0);
    if key.is_none() {
        println!("  请与另行保存的公钥比对（--key） compare the key with the one that you keep (--key)");
    }
    Ok(ExitCode::SUCCESS)
}

pub fn run(config: Config, command: Command) -> Result<ExitCode> {
    match command {
        Command::Verify(arguments) => with_app(config, async |app| examine(&app, &arguments).await),
        Command::Seal => with_app(config, async |app| seal(&app).await),
        other => offline(other),
    }
}

async fn seal(app: &App) -> Result<ExitCode> {
    match app.evidence.seal().await? {
        Some(file) => println!("已封存 sealed: {}", file.display()),
        None => println!("上次封存后没有新的记录 nothing has come since the last seal"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn examine(app: &App, a: &Verify) -> Result<ExitCode> {
    let folder = a.seals.clone().unwrap_or_else(|| seal_folder(&app.config));
    if a.seals.is_some() && !folder.is_dir() {
        return Err(Error::not_found(
            format!("没有目录 {}", folder.display()),
            format!("there is no folder {}", folder.display()),
        ));
    }
    let moment = |name: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => search::instant(text)
            .map(Some)
            .ok_or_else(|| Error::invalid(name, "时间应为 RFC 3339 或日期", "a time is RFC 3339, or a date")),
    };
    let wanted = Wanted {
        seals: folder.is_dir().then_some(folder.as_path()),
        key: a.key.clone().map(|key| PublicKey(key.to_ascii_lowercase())),
        since: moment("since", &a.since)?,
        until: moment("until", &a.until)?,
    };
    let report = verify::verify(&app.database, &wanted).await?;
    // What was read stands, whether it can be noted or not.
    if let Err(e) = chains::note(&app.database, "operator", &wanted, &report).await {
        eprintln!("校验结果未能登记 the verification could not be noted: {e}");
    }
    println!(
        "已核对 verified: {} 条链 chains, {} 块 blocks, {} 条记录 records, {} 个封存 seals",
        report.chains, report.blocks, report.records, report.seals
    );
    for fault in &report.faults {
        println!("  {fault}");
    }
    match report.faults.len() {
        0 => {
            println!("没有发现改动 nothing was tampered with");
            Ok(ExitCode::SUCCESS)
        }
        count => {
            println!("发现 {count} 处问题 {count} faults were found");
            Ok(ExitCode::FAILURE)
        }
    }
}
