//! The paper that goes with an export: what was exported, for whom, and a signature over it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sm3::{Digest as _, Sm3};

use crate::sign::{Malformed, PublicKey, SigningKey};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// The form of this document.
    pub onemap_evidence_export: u8,
    /// The file's name and its SM3 in hexadecimal.
    pub file: String,
    pub sm3: String,
    pub bytes: u64,
    pub records: u64,
    /// What was asked for.
    pub search: Value,
    /// Who asked.
    pub by: String,
    /// RFC 3339.
    pub at: String,
    /// The heads of the chains that the records were read from.
    pub heads: Vec<ChainHead>,
    pub public_key: PublicKey,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainHead {
    pub chain: i32,
    pub block: i64,
    pub digest: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub exported: Exported,
    /// SM2 over `exported` as JSON without spaces, its members in this order.
    pub signature: String,
}

/// Why a file is not what its manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The manifest was not signed with the key that it names.
    Signature,
    /// The file is another, or was changed.
    File,
}

impl Manifest {
    pub fn sign(exported: Exported, key: &SigningKey) -> Result<Manifest, Malformed> {
        let signature = key.sign(&message(&exported)?)?;
        Ok(Manifest { exported, signature })
    }

    pub fn parse(text: &[u8]) -> Result<Manifest, Malformed> {
        serde_json::from_slice(text).map_err(|_| Malformed("the manifest"))
    }

    pub fn to_json(&self) -> Result<String, Malformed> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(|_| Malformed("the manifest"))
    }

    /// Holds the manifest against a file of so many bytes with such a digest.
    pub fn check(&self, bytes: u64, digest: &crate::Digest) -> Result<(), Mismatch> {
        let signed =
            message(&self.exported).is_ok_and(|message| self.exported.public_key.verifies(&message, &self.signature));
        match signed {
            false => Err(Mismatch::Signature),
            true if bytes != self.exported.bytes || hex::encode(digest) != self.exported.sm3 => Err(Mismatch::File),
            true => Ok(()),
        }
    }
}

fn message(exported: &Exported) -> Result<Vec<u8>, Malformed> {
    serde_json::to_vec(exported).map_err(|_| Malformed("the manifest"))
}

/// Counts and digests what goes through it on its way to `inner`.
pub struct Digesting<W> {
    inner: W,
    hash: Sm3,
    bytes: u64,
}

impl<W> Digesting<W> {
    pub fn new(inner: W) -> Self {
        Digesting { inner, hash: Sm3::new(), bytes: 0 }
    }

    /// The inner writer, the bytes and their digest.
    pub fn finish(self) -> (W, u64, crate::Digest) {
        (self.inner, self.bytes, self.hash.finalize().into())
    }
}

impl<W: std::io::Write> std::io::Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_changed_file_or_manifest_is_found() {
        let key = SigningKey::generate().unwrap();
        let digest = |text: &str| {
            let mut out = Digesting::new(Vec::new());
            out.write_all(text.as_bytes()).unwrap();
            let (_, bytes, digest) = out.finish();
            (bytes, digest)
        };
        let (bytes, sm3) = digest("at,who\n");
        let exported = Exported {
            onemap_evidence_export: 1,
            file: "evidence.csv".into(),
            sm3: hex::encode(sm3),
            bytes,
            records: 0,
            search: serde_json::json!({"layer": "building"}),
            by: "person:wang".into(),
            at: "2026-11-25T00:00:00Z".into(),
            heads: vec![ChainHead { chain: 1, block: 3, digest: "00".into() }],
            public_key: key.public(),
        };
        let manifest = Manifest::sign(exported, &key).unwrap();
        let read = Manifest::parse(manifest.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!(read.check(bytes, &sm3), Ok(()));
        let (other_bytes, other) = digest("at,whp\n");
        assert_eq!(read.check(other_bytes, &other), Err(Mismatch::File));
        let mut forged = read;
        forged.exported.by = "person:li".into();
        assert_eq!(forged.check(bytes, &sm3), Err(Mismatch::Signature));
    }
}
