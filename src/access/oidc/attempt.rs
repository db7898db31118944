//! A sign-in under way, as the browser's cookie remembers it: a secret and the time of its beginning.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::access::login::digest;
use crate::access::passwords::secret;

/// Seconds that somebody may take at the provider.
pub const LASTS: i64 = 600;
/// Characters of a cookie of ours: 32 of the secret, a full stop, the seconds.
const LONGEST: usize = 60;

pub struct Attempt(String);

impl Attempt {
    pub fn new(now: i64) -> Attempt {
        Attempt(format!("{}.{now}", secret()))
    }

    /// Of a cookie, unless it is none of ours or too old. The time in it is not signed: changed, it gives another state and nonce.
    pub fn of(cookie: &str, now: i64) -> Option<Attempt> {
        let (secret, begun) = cookie.split_once('.')?;
        let age = now.checked_sub(begun.parse().ok()?)?;
        let fits = cookie.len() <= LONGEST && secret.len() == 32 && (0..=LASTS).contains(&age);
        fits.then(|| Attempt(cookie.to_owned()))
    }

    pub fn cookie(&self) -> &str {
        &self.0
    }

    /// What comes back through the browser.
    pub fn state(&self) -> String {
        self.derived(b"oidc state")
    }

    /// What comes back in the token.
    pub fn nonce(&self) -> String {
        self.derived(b"oidc nonce")
    }

    /// What shows that whoever redeems the code is who asked for it.
    pub fn verifier(&self) -> String {
        self.derived(b"oidc verifier")
    }

    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    pub fn digest(&self) -> [u8; 32] {
        digest(b"oidc sign-in", &self.0)
    }

    fn derived(&self, kind: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(digest(kind, &self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_derived_tells_nothing_of_the_rest() {
        let attempt = Attempt::new(1_800_000_000);
        let all =
            [attempt.state(), attempt.nonce(), attempt.verifier(), attempt.challenge(), attempt.cookie().to_owned()];
        for (i, one) in all.iter().enumerate() {
            assert!(one.len() >= 43 && all.iter().skip(i + 1).all(|other| other != one));
        }
        let again = Attempt::of(attempt.cookie(), 1_800_000_600).unwrap();
        assert_eq!(again.state(), attempt.state());
        assert!(Attempt::of(attempt.cookie(), 1_800_000_601).is_none());
        assert!(Attempt::of(attempt.cookie(), 1_799_999_999).is_none());
        // The pair of RFC 7636, appendix B, is made in the same way.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn another_text_is_no_attempt() {
        for text in ["", ".", "x.1800000000", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef.x"]
        {
            assert!(Attempt::of(text, 1_800_000_000).is_none(), "{text}");
        }
        let other = Attempt::of("0123456789abcdef0123456789abcdef.1800000000", 1_800_000_000).unwrap();
        assert_ne!(
            other.state(),
            Attempt::of("0123456789abcdef0123456789abcdef.1800000001", 1_800_000_001).unwrap().state()
        );
    }
}
