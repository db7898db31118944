//! Addresses that are signed: HMAC-SM3 over what an address is good for, under a secret that its `kid` names.

use hmac::{Hmac, KeyInit, Mac};
use sm3::Sm3;

/// What a signature speaks of. The path and the layers are the secret's own; what the address itself may say is its end.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The name of the secret.
    pub kid: &'a str,
    /// Unix seconds after which it is good for nothing.
    pub expires: i64,
    /// What an address begins with.
    pub path: &'a str,
    pub layers: &'a [String],
    /// The page it may stand in.
    pub origin: Option<&'a str>,
}

impl Signed<'_> {
    /// In hexadecimal digits. None for a secret that is no key at all.
    pub fn sign(&self, secret: &[u8]) -> Option<String> {
        Some(self.mac(secret)?.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether this is the signature, in a time that does not tell how much of it is right.
    pub fn is_signed_by(&self, secret: &[u8], signature: &str) -> bool {
        let Some(bytes) = unhex(signature) else { return false };
        self.mac(secret).is_some_and(|mac| mac.verify_slice(&bytes).is_ok())
    }

    /// Each part with its length before it, so that no two addresses have one text.
    fn mac(&self, secret: &[u8]) -> Option<Hmac<Sm3>> {
        let mut mac = Hmac::<Sm3>::new_from_slice(secret).ok()?;
        let mut part = |bytes: &[u8]| {
            mac.update(&(bytes.len() as u64).to_be_bytes());
            mac.update(bytes);
        };
        part(b"onemap signed address 1");
        part(self.kid.as_bytes());
        part(&self.expires.to_be_bytes());
        part(self.path.as_bytes());
        part(self.origin.unwrap_or_default().as_bytes());
        for layer in self.layers {
            part(layer.as_bytes());
        }
        Some(mac)
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let value = |digit: u8| char::from(digit).to_digit(16).map(|n| n as u8);
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks(2).map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?)).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf abc | openssl dgst -sm3 -mac HMAC -macopt hexkey:…`
    #[test]
    fn the_code_is_that_of_others() {
        let mut mac = Hmac::<Sm3>::new_from_slice(b"0123456789abcdef").unwrap();
        mac.update(b"abc");
        let found: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(found, "7f121eb91c94ccf54bf5d4e639f4e96eaa77bb2f0f52f875fc7c17ca0688278c");
    }

    #[test]
    fn whatever_is_changed_is_no_longer_signed() {
        let (one, two) = (["a".to_owned(), "b".to_owned()], ["ab".to_owned()]);
        let good = Signed { kid: "k", expires: 100, path: "/tiles/", layers: &one, origin: None };
        let signature = good.sign(b"secret").unwrap();
        assert!(good.is_signed_by(b"secret", &signature));
        assert!(!good.is_signed_by(b"another", &signature));
        for other in [
            Signed { expires: 101, ..good },
            Signed { kid: "l", ..good },
            Signed { path: "/tiles", ..good },
            Signed { layers: &two, ..good },
            Signed { layers: &one[..1], ..good },
            Signed { origin: Some("https://a.example"), ..good },
        ] {
            assert!(!other.is_signed_by(b"secret", &signature), "{other:?}");
        }
        for odd in ["", "0", "zz", &signature[..62], &format!("{signature}00")] {
            assert!(!good.is_signed_by(b"secret", odd), "{odd}");
        }
    }
}
