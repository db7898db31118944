//! Sealing: the head of the chain, signed, in a file that another party fetches and keeps.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use onemap_evidence::Seal;
use onemap_evidence::seal::Sealed;

use super::node::Node;
use super::row;
use crate::db::pool::Database;
use crate::error::{Error, Result};

/// China's time is eight hours ahead, all the year.
const OFFSET: i64 = 8 * 3600;
const DAY: i64 = 24 * 3600;

/// When the next seal is due, in Unix seconds: every so many minutes of the clock, and at the end of a day.
pub fn next(now: i64, minutes: u64) -> i64 {
    let every = i64::try_from(minutes).unwrap_or(60).clamp(1, 1440) * 60;
    let local = now + OFFSET;
    let midnight = (local.div_euclid(DAY) + 1) * DAY;
    let mark = (local.rem_euclid(DAY) / every + 1) * every + local.div_euclid(DAY) * DAY;
    mark.min(midnight) - OFFSET
}

/// Seals what the node has written. None when nothing came since the last seal.
pub async fn seal(database: &Database, node: &Node, folder: &Path) -> Result<Option<PathBuf>> {
    let client = database.app().await?;
    let chain = node.number(&**client).await?;
    let sql = "select number, digest from onemap.evidence_block where node = $1 order by number desc limit 1";
    let Some(head) = client.query_opt(sql, &[&chain]).await? else { return Ok(None) };
    let (block, digest): (i64, &[u8]) = (head.get(0), head.get(1));
    let sql = "select block, records, digest from onemap.evidence_seal where node = $1 order by block desc limit 1";
    let last = client.query_opt(sql, &[&chain]).await?;
    let (from, before, previous): (i64, i64, Option<String>) =
        last.map_or((0, 0, None), |row| (row.get(0), row.get(1), Some(row.get(2))));
    if block <= from {
        return Ok(None);
    }
    let sql = "select coalesce(sum(count), 0)::int8 from onemap.evidence_block where node = $1 and number > $2 and number <= $3";
    let since: i64 = client.query_one(sql, &[&chain, &from, &block]).await?.get(0);
    let at = row::micros(std::time::SystemTime::now());
    let sealed = Sealed {
        onemap_evidence_seal: 1,
        node: node.name.clone(),
        chain,
        block,
        digest: hex::encode(digest),
        records: before + since,
        at: row::shown(at),
        previous,
        public_key: node.key.public(),
    };
    let seal = Seal::sign(sealed, &node.key).map_err(Error::internal)?;
    let name = format!("{}-{:012}.json", node.name, block);
    let path = folder.join(&name);
    let (text, target) = (seal.to_json().map_err(Error::internal)?, path.clone());
    tokio::task::spawn_blocking(move || put(&target, &text)).await.map_err(Error::internal)??;
    let sql = "insert into onemap.evidence_seal (node, block, records, digest, file) values ($1, $2, $3, $4, $5)
               on conflict do nothing";
    let own = seal.digest().map_err(Error::internal)?;
    client.execute(sql, &[&chain, &block, &seal.sealed.records, &own, &name]).await?;
    Ok(Some(path))
}

/// Writes a file that is there whole or not at all.
fn put(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().ok_or_else(|| Error::internal("a seal without a folder"))?;
    fs::create_dir_all(folder)?;
    let part = path.with_extension("part");
    let mut file = fs::File::create(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// The seals of a folder, by the names of their files. What cannot be read as one stands there as none.
pub fn read(folder: &Path) -> Result<Vec<(String, Option<Seal>)>> {
    let mut seals = vec![];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "json") {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            seals.push((name, Seal::parse(&fs::read(&path)?).ok()));
        }
    }
    seals.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(seals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_are_due_by_the_clock_and_at_the_end_of_the_day() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        let due = |now: &str, minutes: u64| next(at(now), minutes);
        assert_eq!(due("2026-11-25T01:20:00Z", 60), at("2026-11-25T02:00:00Z"));
        assert_eq!(due("2026-11-25T02:00:00Z", 60), at("2026-11-25T03:00:00Z"));
        assert_eq!(due("2026-11-25T15:30:00Z", 420), at("2026-11-25T16:00:00Z"), "midnight in China");
        assert_eq!(due("2026-11-25T16:00:00Z", 1440), at("2026-11-26T16:00:00Z"));
    }
}
