//! Blocks of records, each bound to the one before.

use sm3::{Digest as _, Sm3};

use crate::record::{Record, check};

/// An SM3 digest.
pub type Digest = [u8; 32];

/// What stands before the first block.
pub const NOTHING: Digest = [0; 32];

/// What a block's bytes begin with: nothing else that is digested begins so.
const NAME: &[u8] = b"onemap evidence block 1\n";

/// Where a node's chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub node: i32,
    /// The last block's number; 0 before the first.
    pub number: i64,
    pub digest: Digest,
}

impl Head {
    /// A chain without a block.
    pub fn start(node: i32) -> Head {
        Head { node, number: 0, digest: NOTHING }
    }
}

/// A block without its records. It is kept when they are not any more: the chain stays whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub node: i32,
    /// From 1, without gaps.
    pub number: i64,
    /// Microseconds since 1970.
    pub at: i64,
    pub count: i32,
    /// SM3 of the records' digests in their order.
    pub records: Digest,
    /// The digest of the block before.
    pub previous: Digest,
    pub digest: Digest,
}

impl Block {
    /// The block that follows `head`, and each record's check.
    pub fn close(head: &Head, at: i64, records: &[Record]) -> (Block, Vec<i64>) {
        let mut all = Sm3::new();
        let mut checks = Vec::with_capacity(records.len());
        let mut bytes = Vec::with_capacity(512);
        for record in records {
            bytes.clear();
            record.canonical(&mut bytes);
            let digest: Digest = Sm3::digest(&bytes).into();
            all.update(digest);
            checks.push(check(&digest));
        }
        let mut block = Block {
            node: head.node,
            number: head.number + 1,
            at,
            count: records.len() as i32,
            records: all.finalize().into(),
            previous: head.digest,
            digest: NOTHING,
        };
        block.digest = block.computed();
        (block, checks)
    }

    /// The digest that the block's other members make.
    pub fn computed(&self) -> Digest {
        let mut hash = Sm3::new();
        hash.update(NAME);
        hash.update(self.node.to_be_bytes());
        hash.update(self.number.to_be_bytes());
        hash.update(self.at.to_be_bytes());
        hash.update(self.count.to_be_bytes());
        hash.update(self.records);
        hash.update(self.previous);
        hash.finalize().into()
    }

    /// The head that the chain has with it.
    pub fn head(&self) -> Head {
        Head { node: self.node, number: self.number, digest: self.digest }
    }
}
