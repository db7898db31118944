//! Reading every chain again, and holding it against the seals and the trail of writes.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::SystemTime;

use futures_util::TryStreamExt;
use onemap_evidence::{Block, Fault, Kept, PublicKey, Seal, Walk};
use roaring::RoaringTreemap;
use tokio_postgres::{Client, Row};

use super::row::{self, COLUMNS};
use super::{seal, writer};
use crate::db::pool::Database;
use crate::error::{Error, Result};

/// Blocks read at a time.
const BLOCKS: i64 = 64;
/// Faults after which a look at the rest says no more.
const ENOUGH: usize = 1000;

/// What is verified.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// Where seals are; none is looked at without.
    pub seals: Option<&'a Path>,
    /// The key that seals must be signed with, beside being one key for each chain.
    pub key: Option<PublicKey>,
    /// Microseconds since 1970, of blocks; the whole without.
    pub since: Option<i64>,
    pub until: Option<i64>,
}

#[derive(Debug, Default)]
pub struct Report {
    pub chains: u64,
    pub blocks: u64,
    pub records: u64,
    pub seals: u64,
    pub faults: Vec<Fault>,
}

pub async fn verify(database: &Database, wanted: &Wanted<'_>) -> Result<Report> {
    let (client, connection) = database.owner().await?;
    let driver = tokio::spawn(connection);
    let done = Verification::new(&client, wanted).run().await;
    drop(client);
    let _ = driver.await;
    done
}

struct Verification<'a> {
    client: &'a Client,
    wanted: &'a Wanted<'a>,
    report: Report,
    /// Rows of the trail of writes that records tell of.
    told: RoaringTreemap,
    /// Months whose records were dropped.
    dropped: Vec<String>,
}

impl<'a> Verification<'a> {
    fn new(client: &'a Client, wanted: &'a Wanted<'a>) -> Self {
        Verification { client, wanted, report: Report::default(), told: RoaringTreemap::new(), dropped: vec![] }
    }

    async fn run(mut self) -> Result<Report> {
        // One state of the database, whatever is written meanwhile.
        self.client.batch_execute("begin isolation level repeatable read read only").await?;
        let months = "select to_char(month, 'YYYY-MM') from onemap.evidence_dropped";
        self.dropped = self.client.query(months, &[]).await?.iter().map(|row| row.get(0)).collect();
        let seals = match self.wanted.seals {
            None => vec![],
            Some(folder) => seal::read(folder)?,
        };
        let nodes = "select id, name from onemap.evidence_node order by id";
        let nodes: Vec<(i32, String)> =
            self.client.query(nodes, &[]).await?.iter().map(|r| (r.get(0), r.get(1))).collect();
        let mut by_chain = self.sorted(&seals, &nodes);
        for (node, _) in &nodes {
            let seals = by_chain.remove(node).unwrap_or_default();
            self.chain(*node, seals).await?;
            if self.report.faults.len() > ENOUGH {
                return Ok(self.report);
            }
        }
        if self.is_whole() {
            self.strangers(&nodes).await?;
            self.trail().await?;
        }
        self.client.batch_execute("commit").await?;
        Ok(self.report)
    }

    fn is_whole(&self) -> bool {
        self.wanted.since.is_none() && self.wanted.until.is_none()
    }

    /// Seals by their chains; what cannot belong to one is a fault.
    fn sorted<'s>(
        &mut self,
        seals: &'s [(String, Option<Seal>)],
        nodes: &[(i32, String)],
    ) -> HashMap<i32, Vec<(&'s str, &'s Seal)>> {
        let mut by_chain: HashMap<i32, Vec<(&str, &Seal)>> = HashMap::new();
        for (name, seal) in seals {
            self.report.seals += 1;
            let own = |seal: &&Seal| self.wanted.key.as_ref().is_none_or(|key| *key == seal.sealed.public_key);
            let Some(seal) = seal.as_ref().filter(own) else {
                self.report.faults.push(Fault::Forged { seal: name.clone() });
                continue;
            };
            let (chain, node) = (seal.sealed.chain, &seal.sealed.node);
            match nodes.iter().any(|(id, name)| *id == chain && name == node) {
                true => by_chain.entry(chain).or_default().push((name, seal)),
                false => self.report.faults.push(Fault::Unknown { node: chain, seal: name.clone() }),
            }
        }
        by_chain
    }

    async fn chain(&mut self, node: i32, mut seals: Vec<(&str, &Seal)>) -> Result<()> {
        self.report.chains += 1;
        let (mut next, last) = self.range(node).await?;
        if !self.is_whole() {
            seals.retain(|(_, seal)| (next..=last).contains(&seal.sealed.block));
        }
        let mut walk = Walk::new(node, seals);
        while next <= last {
            let to = (next + BLOCKS - 1).min(last);
            let blocks = self.blocks(node, next, to).await?;
            let mut kept = self.kept(node, next, to, &mut walk.faults, &blocks).await?;
            for block in &blocks {
                let own = kept.remove(&block.number).unwrap_or_default();
                self.trail_of(&own, &mut walk.faults).await?;
                let gone = own.is_empty() && block.count > 0 && self.is_dropped(block.at);
                self.report.records += own.len() as u64;
                walk.block(block, (!gone).then_some(&own));
            }
            for (block, rows) in kept {
                walk.faults.push(Fault::Stray { node, block, found: rows.len() as i64 });
            }
            if walk.faults.len() > ENOUGH {
                break;
            }
            next = to + 1;
        }
        self.report.blocks += walk.blocks;
        let (head, faults) = walk.end();
        self.report.faults.extend(faults);
        if self.is_whole() {
            let end = head.map_or(0, |head| head.number);
            let sql = "select block, count(*) from onemap.evidence where node = $1 and (block > $2 or block < 1) group by block";
            for row in self.client.query(sql, &[&node, &end]).await? {
                self.report.faults.push(Fault::Stray { node, block: row.get(0), found: row.get(1) });
            }
        }
        Ok(())
    }

    /// The first and the last block that are wanted.
    async fn range(&self, node: i32) -> Result<(i64, i64)> {
        let moment = |at: Option<i64>| at.map(row::time);
        let sql = "select coalesce(min(number), 1), coalesce(max(number), 0) from onemap.evidence_block where node = $1
                   and ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)";
        let row = self.client.query_one(sql, &[&node, &moment(self.wanted.since), &moment(self.wanted.until)]).await?;
        // A chain that is read whole begins with 1, whatever there is.
        let first = if self.is_whole() { 1 } else { row.get(0) };
        Ok((first, row.get(1)))
    }

    async fn blocks(&self, node: i32, from: i64, to: i64) -> Result<Vec<Block>> {
        let sql = "select number, at, count, records, previous, digest from onemap.evidence_block
                   where node = $1 and number between $2 and $3 order by number";
        let block = |row: &Row| {
            Ok(Block {
                node,
                number: row.try_get(0)?,
                at: row::micros(row.try_get(1)?),
                count: row.try_get(2)?,
                records: writer::digest(row.try_get(3)?)?,
                previous: writer::digest(row.try_get(4)?)?,
                digest: writer::digest(row.try_get(5)?)?,
            })
        };
        self.client.query(sql, &[&node, &from, &to]).await?.iter().map(block).collect()
    }

    /// The records of some blocks.
    async fn kept(
        &self,
        node: i32,
        from: i64,
        to: i64,
        faults: &mut Vec<Fault>,
        blocks: &[Block],
    ) -> Result<BTreeMap<i64, Vec<Kept>>> {
        let sql = format!(
            "select {COLUMNS} from onemap.evidence where node = $1 and block between $2 and $3 order by block, place"
        );
        let at: HashMap<i64, SystemTime> = blocks.iter().map(|block| (block.number, row::time(block.at))).collect();
        let mut kept: BTreeMap<i64, Vec<Kept>> = BTreeMap::new();
        let values: [&(dyn postgres_types::ToSql + Sync); 3] = [&node, &from, &to];
        let mut rows = std::pin::pin!(self.client.query_raw(&sql, values).await?);
        while let Some(row) = rows.try_next().await? {
            let (place, one) = row::kept(&row)?;
            if at.get(&place.block).is_some_and(|at| *at != place.kept_at) {
                faults.push(Fault::Record { node, block: place.block, place: place.place });
            }
            kept.entry(place.block).or_default().push(one);
        }
        Ok(kept)
    }

    fn is_dropped(&self, at: i64) -> bool {
        let month = jiff::Timestamp::from_microsecond(at + 8 * 3_600_000_000).map(|at| at.to_string()[..7].to_owned());
        month.is_ok_and(|month| self.dropped.contains(&month))
    }

    /// Holds the records of writes against the rows that they tell of.
    async fn trail_of(&mut self, kept: &[Kept], faults: &mut Vec<Fault>) -> Result<()> {
        let told: Vec<&Kept> = kept.iter().filter(|one| one.record.audit.is_some()).collect();
        if told.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = told.iter().filter_map(|one| one.record.audit).collect();
        let sql = format!("select {} from onemap.audit a {} where a.id = any($1)", writer::WRITE, writer::WRITE_LAYER);
        let mut rows = HashMap::new();
        for row in self.client.query(&sql, &[&ids]).await? {
            let record = writer::write(&row)?;
            rows.insert(record.audit, record);
        }
        for one in told {
            let record = &one.record;
            let Some(id) = record.audit else { continue };
            self.told.insert(id as u64);
            // A layer may have gone, or gone over to another department, since.
            let same = rows.get(&record.audit).is_some_and(|row| {
                let mut row = row.clone();
                (row.layer, row.owner) = (record.layer.clone(), record.owner.clone());
                row == *record
            });
            if !same {
                faults.push(Fault::Trail { audit: id });
            }
        }
        Ok(())
    }

    /// Rows of the trail of writes that no record tells of and that do not wait for one.
    async fn trail(&mut self) -> Result<()> {
        let sql = "select a.id, to_char(a.at at time zone 'Asia/Shanghai', 'YYYY-MM') from onemap.audit a
                   where not exists (select from onemap.audit_pending p where p.audit_id = a.id) order by a.id";
        let values: [&(dyn postgres_types::ToSql + Sync); 0] = [];
        let mut rows = std::pin::pin!(self.client.query_raw(sql, values).await?);
        while let Some(row) = rows.try_next().await? {
            let (id, month): (i64, &str) = (row.get(0), row.get(1));
            if !self.told.contains(id as u64) && !self.dropped.iter().any(|dropped| dropped == month) {
                self.report.faults.push(Fault::Untold { audit: id });
            }
        }
        Ok(())
    }

    /// Records and blocks of chains that nobody writes.
    async fn strangers(&mut self, nodes: &[(i32, String)]) -> Result<()> {
        let known: Vec<i32> = nodes.iter().map(|(id, _)| *id).collect();
        let sql = "select node, min(block), count(*) from onemap.evidence where node <> all($1) group by node";
        for row in self.client.query(sql, &[&known]).await? {
            self.report.faults.push(Fault::Stray { node: row.get(0), block: row.get(1), found: row.get(2) });
        }
        Ok(())
    }
}

/// Reads an export's archive again.
pub fn verify_export(path: &Path, key: Option<&PublicKey>) -> Result<onemap_evidence::manifest::Manifest> {
    use std::io::Read;

    use onemap_evidence::manifest::{Digesting, Manifest, Mismatch};

    let malformed = || Error::invalid("file", "不是存证导出文件", "this is no export of evidence");
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path)?).map_err(|_| malformed())?;
    let mut text = Vec::new();
    zip.by_name(super::export::MANIFEST).map_err(|_| malformed())?.take(1 << 20).read_to_end(&mut text)?;
    let manifest = Manifest::parse(&text).map_err(|_| malformed())?;
    let mut digesting = Digesting::new(std::io::sink());
    let mut table = zip.by_name(super::export::TABLE).map_err(|_| malformed())?;
    let other =
        || Error::conflict("文件内容与清单不符：已被改动", "the file is not what its manifest says: it was changed");
    std::io::copy(&mut table, &mut digesting).map_err(|e| other().because(e))?;
    let (_, bytes, digest) = digesting.finish();
    if key.is_some_and(|key| *key != manifest.exported.public_key) {
        return Err(Error::conflict("清单由另一把密钥签名", "the manifest is signed with another key"));
    }
    match manifest.check(bytes, &digest) {
        Ok(()) => Ok(manifest),
        Err(Mismatch::Signature) => {
            Err(Error::conflict("清单的签名无效：已被改动", "the manifest's signature does not hold: it was changed"))
        }
        Err(Mismatch::File) => Err(other()),
    }
}
