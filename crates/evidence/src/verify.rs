//! Reading a chain again: what was changed, taken out, put in, put elsewhere or cut off, and where.

use sm3::{Digest as _, Sm3};

use crate::chain::{Block, Digest, Head, NOTHING};
use crate::record::{Record, check};
use crate::seal::Seal;

/// What does not hold, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A record is not the one that was written.
    Record { node: i32, block: i64, place: i32 },
    /// A block has more or fewer records than it was closed with.
    Count { node: i32, block: i64, closed: i64, found: i64 },
    /// A block's records are in another order, or others with checks of their own.
    Records { node: i32, block: i64 },
    /// A block's own members were changed.
    Block { node: i32, block: i64 },
    /// A block does not follow from the one before.
    Link { node: i32, block: i64 },
    /// Blocks are not there.
    Missing { node: i32, from: i64, to: i64 },
    /// Records that belong to no block.
    Stray { node: i32, block: i64, found: i64 },
    /// A seal says that the chain went further than it does now.
    Cut { node: i32, sealed: i64, found: i64, seal: String },
    /// At a sealed block the chain has another digest or another count of records.
    Seal { node: i32, block: i64, seal: String },
    /// A seal is not signed by the key that it names, or by another key than the seals before.
    Forged { seal: String },
    /// A seal names a chain that is not there.
    Unknown { node: i32, seal: String },
    /// A row of the trail of writes is not the one that its record tells of.
    Trail { audit: i64 },
    /// A row of the trail of writes has no record.
    Untold { audit: i64 },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Record { node, block, place } => {
                write!(f, "链 chain {node} 块 block {block} 第 {place} 条记录被改动 record {place} was changed")
            }
            Fault::Count { node, block, closed, found } => write!(
                f,
                "链 chain {node} 块 block {block}：应有 {closed} 条，现有 {found} 条 it was closed with {closed} records and has {found}"
            ),
            Fault::Records { node, block } => write!(
                f,
                "链 chain {node} 块 block {block}：记录次序或内容被替换 its records were reordered or replaced"
            ),
            Fault::Block { node, block } => {
                write!(f, "链 chain {node} 块 block {block}：块头被改动 the block itself was changed")
            }
            Fault::Link { node, block } => {
                write!(f, "链 chain {node} 块 block {block}：与前一块不相连 it does not follow from the block before")
            }
            Fault::Missing { node, from, to } => {
                write!(f, "链 chain {node}：缺少块 {from}–{to} blocks {from} to {to} are missing")
            }
            Fault::Stray { node, block, found } => {
                write!(
                    f,
                    "链 chain {node} 块 block {block}：{found} 条记录不属于任何块 {found} records belong to no block"
                )
            }
            Fault::Cut { node, sealed, found, seal } => write!(
                f,
                "链 chain {node}：封存至块 {sealed}，现仅到 {found}（{seal}） sealed up to block {sealed}, it ends at {found}"
            ),
            Fault::Seal { node, block, seal } => {
                write!(f, "链 chain {node} 块 block {block}：与封存文件 {seal} 不符 it is not what the seal says")
            }
            Fault::Forged { seal } => write!(f, "封存文件 {seal} 签名无效 the seal's signature does not hold"),
            Fault::Unknown { node, seal } => {
                write!(f, "封存文件 {seal} 所指的链 {node} 不存在 the chain that the seal names is not there")
            }
            Fault::Trail { audit } => {
                write!(f, "操作记录 {audit} 与存证不符 row {audit} of the audit trail is not what was recorded")
            }
            Fault::Untold { audit } => {
                write!(f, "操作记录 {audit} 没有存证 row {audit} of the audit trail has no record")
            }
        }
    }
}

/// A record as it is kept: its place in the block, its check, itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub place: i32,
    pub check: i64,
    pub record: Record,
}

/// One chain, read block by block from the first, or from one that is believed.
#[derive(Debug)]
pub struct Walk<'a> {
    node: i32,
    /// Of this chain, in the order of their blocks.
    seals: Vec<(&'a str, &'a Seal)>,
    last: Option<Head>,
    /// Counted from the chain's first block; none when the walk began later.
    records: Option<i64>,
    pub blocks: u64,
    pub faults: Vec<Fault>,
}

impl<'a> Walk<'a> {
    /// `seals` are those of this chain with the names of their files.
    pub fn new(node: i32, mut seals: Vec<(&'a str, &'a Seal)>) -> Walk<'a> {
        seals.sort_by_key(|(_, seal)| seal.sealed.block);
        let mut faults = vec![];
        let first = seals.first().map(|(_, seal)| &seal.sealed.public_key);
        for (name, seal) in &seals {
            if !seal.is_signed() || Some(&seal.sealed.public_key) != first {
                faults.push(Fault::Forged { seal: (*name).to_owned() });
            }
        }
        Walk { node, seals, last: None, records: Some(0), blocks: 0, faults }
    }

    /// The next block. `kept` are its records in the order of their places, none when they were dropped by their age.
    pub fn block(&mut self, block: &Block, kept: Option<&[Kept]>) {
        self.blocks += 1;
        self.linked(block);
        if block.computed() != block.digest {
            self.faults.push(Fault::Block { node: self.node, block: block.number });
        }
        if let Some(kept) = kept {
            self.records(block, kept);
        }
        self.records = self.records.map(|records| records + i64::from(block.count));
        for (name, seal) in self.seals.iter().filter(|(_, seal)| seal.sealed.block == block.number) {
            let counted = self.records.is_none_or(|records| records == seal.sealed.records);
            if seal.sealed.digest != hex::encode(block.digest) || !counted {
                let fault = Fault::Seal { node: self.node, block: block.number, seal: (*name).to_owned() };
                self.faults.push(fault);
            }
        }
        self.last = Some(block.head());
    }

    fn linked(&mut self, block: &Block) {
        let node = self.node;
        match self.last {
            // A walk that begins in the middle believes the block before.
            None if block.number > 1 => self.records = None,
            None if block.previous != NOTHING => self.faults.push(Fault::Link { node, block: block.number }),
            None => {}
            Some(last) if block.number > last.number + 1 => {
                self.faults.push(Fault::Missing { node, from: last.number + 1, to: block.number - 1 });
                self.records = None;
            }
            Some(last) if block.number <= last.number || block.previous != last.digest => {
                self.faults.push(Fault::Link { node, block: block.number });
            }
            Some(_) => {}
        }
    }

    fn records(&mut self, block: &Block, kept: &[Kept]) {
        let (node, number) = (self.node, block.number);
        let mut all = Sm3::new();
        let before = self.faults.len();
        for record in kept {
            let digest: Digest = record.record.digest();
            all.update(digest);
            if check(&digest) != record.check {
                self.faults.push(Fault::Record { node, block: number, place: record.place });
            }
        }
        let found = kept.len() as i64;
        if found != i64::from(block.count) {
            self.faults.push(Fault::Count { node, block: number, closed: block.count.into(), found });
            return;
        }
        let placed = kept.iter().enumerate().all(|(i, record)| record.place == i as i32);
        let digest: Digest = all.finalize().into();
        if !placed || (digest != block.records && self.faults.len() == before) {
            self.faults.push(Fault::Records { node, block: number });
        }
    }

    /// The chain's end: what the seals know of blocks that did not come.
    pub fn end(mut self) -> (Option<Head>, Vec<Fault>) {
        let found = self.last.map_or(0, |last| last.number);
        for (name, seal) in self.seals.iter().filter(|(_, seal)| seal.sealed.block > found) {
            let (sealed, seal) = (seal.sealed.block, (*name).to_owned());
            self.faults.push(Fault::Cut { node: self.node, sealed, found, seal });
        }
        (self.last, self.faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Sealed;
    use crate::sign::SigningKey;

    type Chain = Vec<(Block, Vec<Kept>)>;

    fn chain(blocks: i64) -> Chain {
        let mut head = Head::start(1);
        let mut chain = vec![];
        for b in 0..blocks {
            let records: Vec<Record> = (0..3)
                .map(|i| Record { at: b * 1000 + i, who: "person:li".into(), rows: i, ..Record::default() })
                .collect();
            let (block, checks) = Block::close(&head, b * 1000, &records);
            head = block.head();
            let kept = records.into_iter().zip(checks).enumerate();
            let kept = kept.map(|(i, (record, check))| Kept { place: i as i32, check, record }).collect();
            chain.push((block, kept));
        }
        chain
    }

    fn seal(chain: &Chain, block: usize, key: &SigningKey) -> Seal {
        let block = &chain[block - 1].0;
        let sealed = Sealed {
            onemap_evidence_seal: 1,
            node: "n".into(),
            chain: 1,
            block: block.number,
            digest: hex::encode(block.digest),
            records: block.number * 3,
            at: "2026-11-25T00:00:00Z".into(),
            previous: None,
            public_key: key.public(),
        };
        Seal::sign(sealed, key).unwrap()
    }

    fn walked(chain: &Chain, seals: &[Seal]) -> Vec<Fault> {
        let mut walk = Walk::new(1, seals.iter().map(|seal| ("s", seal)).collect());
        chain.iter().for_each(|(block, kept)| walk.block(block, Some(kept)));
        walk.end().1
    }

    #[test]
    fn an_untouched_chain_has_no_fault() {
        let chain = chain(5);
        let key = SigningKey::generate().unwrap();
        assert_eq!(walked(&chain, &[seal(&chain, 2, &key), seal(&chain, 5, &key)]), vec![]);
        let mut walk = Walk::new(1, vec![]);
        chain[2..].iter().for_each(|(block, kept)| walk.block(block, Some(kept)));
        assert_eq!(walk.end().1, vec![], "also from the middle");
    }

    #[test]
    fn a_changed_record_is_named() {
        let mut chain = chain(3);
        chain[1].1[2].record.rows ^= 1;
        assert_eq!(walked(&chain, &[]), vec![Fault::Record { node: 1, block: 2, place: 2 }]);
        // Also when its check was made anew, though then only its block is known.
        chain[1].1[2].check = check(&chain[1].1[2].record.digest());
        assert_eq!(walked(&chain, &[]), vec![Fault::Records { node: 1, block: 2 }]);
    }

    #[test]
    fn records_taken_out_put_in_or_moved_are_found() {
        let whole = chain(3);
        let mut less = whole.clone();
        less[0].1.remove(1);
        assert_eq!(walked(&less, &[]), vec![Fault::Count { node: 1, block: 1, closed: 3, found: 2 }]);
        let mut more = whole.clone();
        let copy = more[2].1[0].clone();
        more[2].1.push(copy);
        assert_eq!(walked(&more, &[]), vec![Fault::Count { node: 1, block: 3, closed: 3, found: 4 }]);
        let mut moved = whole;
        moved[1].1.swap(0, 2);
        moved[1].1.iter_mut().enumerate().for_each(|(i, kept)| kept.place = i as i32);
        assert_eq!(walked(&moved, &[]), vec![Fault::Records { node: 1, block: 2 }]);
    }

    #[test]
    fn blocks_changed_taken_out_moved_or_closed_anew_are_found() {
        let whole = chain(5);
        let mut changed = whole.clone();
        changed[1].0.at += 1;
        assert_eq!(walked(&changed, &[]), vec![Fault::Block { node: 1, block: 2 }]);
        let mut less = whole.clone();
        less.remove(2);
        assert_eq!(walked(&less, &[]), vec![Fault::Missing { node: 1, from: 3, to: 3 }]);
        let mut moved = whole.clone();
        moved.swap(2, 3);
        assert!(!walked(&moved, &[]).is_empty());
        // Whoever closes a block anew would have to close all that follow, and to forge the seals.
        let mut anew = whole.clone();
        anew[1].1[0].record.who = "person:wang".into();
        let records: Vec<Record> = anew[1].1.iter().map(|kept| kept.record.clone()).collect();
        let (block, checks) = Block::close(&whole[0].0.head(), anew[1].0.at, &records);
        anew[1].0 = block;
        anew[1].1.iter_mut().zip(checks).for_each(|(kept, check)| kept.check = check);
        assert_eq!(walked(&anew, &[]), vec![Fault::Link { node: 1, block: 3 }]);
        anew.truncate(2);
        assert_eq!(walked(&anew, &[]), vec![], "a chain alone cannot tell");
        let key = SigningKey::generate().unwrap();
        let seals = [seal(&whole, 2, &key), seal(&whole, 5, &key)];
        let cut = Fault::Cut { node: 1, sealed: 5, found: 2, seal: "s".into() };
        assert_eq!(walked(&anew, &seals), vec![Fault::Seal { node: 1, block: 2, seal: "s".into() }, cut]);
    }

    #[test]
    fn dropped_records_leave_the_chain_whole() {
        let chain = chain(4);
        let key = SigningKey::generate().unwrap();
        let seal = seal(&chain, 4, &key);
        let mut walk = Walk::new(1, vec![("s", &seal)]);
        for (block, kept) in &chain {
            walk.block(block, (block.number > 2).then_some(kept));
        }
        assert_eq!(walk.end().1, vec![]);
    }

    #[test]
    fn a_seal_of_another_key_is_a_forgery() {
        let chain = chain(4);
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let seals = [seal(&chain, 1, &key), seal(&chain, 2, &other)];
        assert_eq!(walked(&chain, &seals), vec![Fault::Forged { seal: "s".into() }]);
    }
}
