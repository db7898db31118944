//! SM2 signatures (GM/T 0003-2012) and the key they are made with.

use sm2::SecretKey;
use sm2::dsa::signature::{Signer, Verifier};
use sm2::dsa::{Signature, VerifyingKey};
use sm2::elliptic_curve::Generate;
use sm2::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};

/// The signer's identity that goes into each digest: the standard's own default.
const IDENTITY: &str = "1234567812345678";

/// A node's key.
pub struct SigningKey {
    secret: SecretKey,
    signing: sm2::dsa::SigningKey,
}

/// Why a key or a signature cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cannot be read", self.0)
    }
}

impl std::error::Error for Malformed {}

impl SigningKey {
    pub fn generate() -> Result<SigningKey, Malformed> {
        let secret = SecretKey::try_generate().map_err(|_| Malformed("the system's randomness"))?;
        SigningKey::of(secret)
    }

    /// A PKCS#8 document in PEM.
    pub fn from_pem(text: &str) -> Result<SigningKey, Malformed> {
        SigningKey::of(SecretKey::from_pkcs8_pem(text).map_err(|_| Malformed("the SM2 key"))?)
    }

    fn of(secret: SecretKey) -> Result<SigningKey, Malformed> {
        let signing = sm2::dsa::SigningKey::new(IDENTITY, &secret).map_err(|_| Malformed("the SM2 key"))?;
        Ok(SigningKey { secret, signing })
    }

    pub fn to_pem(&self) -> Result<String, Malformed> {
        let text = self.secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| Malformed("the SM2 key"))?;
        Ok(text.to_string())
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(hex::encode(self.signing.verifying_key().to_sec1_bytes()))
    }

    /// The signature in hexadecimal: r and s, 32 bytes each.
    pub fn sign(&self, message: &[u8]) -> Result<String, Malformed> {
        let signature: Signature = self.signing.try_sign(message).map_err(|_| Malformed("the message"))?;
        Ok(hex::encode(signature.to_bytes()))
    }
}

/// A public key in hexadecimal: the curve's point, uncompressed (04, x, y).
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct PublicKey(pub String);

impl PublicKey {
    /// Whether the signature is this key's for the message.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let key = hex::decode(&self.0).ok().and_then(|point| VerifyingKey::from_sec1_bytes(IDENTITY, &point).ok());
        let signature = hex::decode(signature).ok().and_then(|bytes| Signature::try_from(bytes.as_slice()).ok());
        matches!((key, signature), (Some(key), Some(signature)) if key.verify(message, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_key_alone() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public(), key.public());
        let signature = again.sign(b"sealed").unwrap();
        assert!(key.public().verifies(b"sealed", &signature));
        assert!(!key.public().verifies(b"sealet", &signature));
        assert!(!other.public().verifies(b"sealed", &signature));
        assert!(!key.public().verifies(b"sealed", "00"));
        assert!(!PublicKey("04".into()).verifies(b"sealed", &signature));
        assert!(SigningKey::from_pem("no key").is_err());
    }

    /// The example of GM/T 0003.5-2012, A.2: its key, its message, its signature.
    #[test]
    fn the_standards_example_verifies() {
        let key = "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
                   ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
        let signature = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
                         b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
        assert!(PublicKey(key.into()).verifies(b"message digest", signature));
    }
}
