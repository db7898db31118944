//! Seals: signed heads of a chain, in files that another party keeps.

use serde::{Deserialize, Serialize};
use sm3::{Digest as _, Sm3};

use crate::sign::{Malformed, PublicKey, SigningKey};

/// What is sealed: everything up to a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The form of this document.
    pub onemap_evidence_seal: u8,
    /// Which installation of onemap: it was drawn by lot at its first start.
    pub node: String,
    /// The number that the node has in the database.
    pub chain: i32,
    pub block: i64,
    /// The block's digest (SM3), in hexadecimal.
    pub digest: String,
    /// Records of the chain up to there.
    pub records: i64,
    /// RFC 3339.
    pub at: String,
    /// SM3 of the seal before, in hexadecimal; none for the first.
    pub previous: Option<String>,
    pub public_key: PublicKey,
}

/// A seal with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    pub sealed: Sealed,
    /// SM2 over `sealed` as JSON without spaces, its members in this order.
    pub signature: String,
}

impl Seal {
    pub fn sign(sealed: Sealed, key: &SigningKey) -> Result<Seal, Malformed> {
        let signature = key.sign(&message(&sealed)?)?;
        Ok(Seal { sealed, signature })
    }

    pub fn parse(text: &[u8]) -> Result<Seal, Malformed> {
        serde_json::from_slice(text).map_err(|_| Malformed("the seal"))
    }

    pub fn to_json(&self) -> Result<String, Malformed> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(|_| Malformed("the seal"))
    }

    /// Whether its own key has signed it. Whose key that is has to be known from elsewhere.
    pub fn is_signed(&self) -> bool {
        message(&self.sealed).is_ok_and(|message| self.sealed.public_key.verifies(&message, &self.signature))
    }

    /// What the next seal calls it by.
    pub fn digest(&self) -> Result<String, Malformed> {
        let mut bytes = message(&self.sealed)?;
        bytes.extend_from_slice(self.signature.as_bytes());
        Ok(hex::encode(Sm3::digest(&bytes)))
    }
}

fn message(sealed: &Sealed) -> Result<Vec<u8>, Malformed> {
    serde_json::to_vec(sealed).map_err(|_| Malformed("the seal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_that_was_changed_is_not_signed() {
        let key = SigningKey::generate().unwrap();
        let sealed = Sealed {
            onemap_evidence_seal: 1,
            node: "n".into(),
            chain: 1,
            block: 12,
            digest: "00".into(),
            records: 40,
            at: "2026-11-25T00:00:00Z".into(),
            previous: None,
            public_key: key.public(),
        };
        let seal = Seal::sign(sealed, &key).unwrap();
        let text = seal.to_json().unwrap();
        assert!(Seal::parse(text.as_bytes()).unwrap().is_signed());
        let other = Seal::parse(text.replace("\"block\": 12", "\"block\": 11").as_bytes()).unwrap();
        assert!(!other.is_signed());
        assert!(Seal::parse(text.replace("\"chain\"", "\"chains\"").as_bytes()).is_err());
    }
}
