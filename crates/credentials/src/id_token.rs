//! ID tokens of OpenID Connect: a signature in its compact form (RFC 7515), held against a provider's keys (RFC 7517) and against
//! what the sign-in expects (OpenID Connect Core, 3.1.3.7). The arithmetic is OpenSSL's.
//!
//! Three algorithms are taken, each with the one kind of key that it belongs to: `none` and shared secrets have no name here, so no
//! token can ask for them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use serde_json::{Map, Value};

use crate::totp::same;

/// Bytes of a token.
const LONGEST: usize = 32 * 1024;
/// Keys that are read of a provider's set.
const MOST_KEYS: usize = 50;
/// Bits of an RSA key: shorter ones are broken, longer ones cost more than they add.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;
/// Seconds that the provider's clock and ours may differ.
const LEEWAY: i64 = 60;
/// Seconds since a token was issued: it is fetched at once.
const OLDEST: i64 = 600;
/// Bytes of a subject (OpenID Connect Core, 2).
const LONGEST_SUBJECT: usize = 255;

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Malformed,
    /// Signed by an algorithm that is not taken.
    Algorithm,
    /// By a key that the provider does not name, or not for this algorithm.
    UnknownKey,
    Signature,
    Issuer,
    Audience,
    Expired,
    IssuedAt,
    Nonce,
    Subject,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Fault::Malformed => "it is no signed token",
            Fault::Algorithm => "its algorithm is none of RS256, ES256, EdDSA",
            Fault::UnknownKey => "its key is none of the provider's",
            Fault::Signature => "its signature is wrong",
            Fault::Issuer => "it is another issuer's",
            Fault::Audience => "it is for another client",
            Fault::Expired => "it has expired, or is not valid yet",
            Fault::IssuedAt => "it was not issued just now",
            Fault::Nonce => "it belongs to another sign-in",
            Fault::Subject => "it says of nobody that it is for",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    fn parse(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }
}

/// A provider's keys, as far as tokens may be signed by them.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: PKey<Public>,
}

impl Keys {
    /// Reads a key set; keys of other kinds are passed over, as the standard asks.
    pub fn parse(json: &[u8]) -> Option<Keys> {
        let set: Value = serde_json::from_slice(json).ok()?;
        let keys = set.get("keys")?.as_array()?;
        Some(Keys(keys.iter().take(MOST_KEYS).filter_map(Key::parse).collect()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that a token names; without a name the only one of its kind.
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting = self.0.iter().filter(|key| key.algorithm == algorithm);
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

impl Key {
    fn parse(jwk: &Value) -> Option<Key> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        if text("use").is_some_and(|r#use| r#use != "sig") {
            return None;
        }
        let (algorithm, key) = match (text("kty")?, text("crv")) {
            ("RSA", _) => (Algorithm::Rs256, rsa(&number("n")?, &number("e")?).ok()??),
            ("EC", Some("P-256")) => (Algorithm::Es256, p256(&number("x")?, &number("y")?).ok()?),
            ("OKP", Some("Ed25519")) => {
                (Algorithm::EdDsa, PKey::public_key_from_raw_bytes(&number("x")?, Id::ED25519).ok()?)
            }
            _ => return None,
        };
        match text("alg") {
            Some(said) if Algorithm::parse(said) != Some(algorithm) => None,
            _ => Some(Key { id: text("kid").map(str::to_owned), algorithm, key }),
        }
    }

    fn verifies(&self, signed: &[u8], signature: &[u8]) -> Result<bool, ErrorStack> {
        match self.algorithm {
            Algorithm::EdDsa => Verifier::new_without_digest(&self.key)?.verify_oneshot(signature, signed),
            Algorithm::Rs256 => Verifier::new(MessageDigest::sha256(), &self.key)?.verify_oneshot(signature, signed),
            Algorithm::Es256 if signature.len() == 64 => {
                let (r, s) = signature.split_at(32);
                let signature =
                    EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?.to_der()?;
                Verifier::new(MessageDigest::sha256(), &self.key)?.verify_oneshot(&signature, signed)
            }
            Algorithm::Es256 => Ok(false),
        }
    }
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Option<PKey<Public>>, ErrorStack> {
    let (modulus, exponent) = (BigNum::from_slice(modulus)?, BigNum::from_slice(exponent)?);
    // Whoever checks a signature pays for the length of the exponent.
    if !RSA_BITS.contains(&(modulus.num_bits() as u32)) || exponent.num_bits() > 33 || exponent.num_bits() < 2 {
        return Ok(None);
    }
    PKey::from_rsa(Rsa::from_public_components(modulus, exponent)?).map(Some)
}

fn p256(x: &[u8], y: &[u8]) -> Result<PKey<Public>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let (x, y) = (BigNum::from_slice(x)?, BigNum::from_slice(y)?);
    // A point beside the curve is an error here.
    PKey::from_ec_key(EcKey::from_public_key_affine_coordinates(&group, &x, &y)?)
}

/// What a sign-in knows of the token that it waits for.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub nonce: &'a str,
}

/// What a token says of whom it is for.
#[derive(Debug)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A claim that is a text, without what stands around it; an empty one is none, nor is one that cannot be shown or kept.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty() && !text.contains(char::is_control))
    }

    /// Whether a claim is true. Some providers write it as a text.
    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Bool(true))) || self.text(name) == Some("true")
    }

    /// Whether a claim, a text or a list of them, holds this one.
    pub fn names(&self, name: &str, text: &str) -> bool {
        match self.0.get(name) {
            Some(Value::String(only)) => only == text,
            Some(Value::Array(list)) => list.iter().any(|one| one == text),
            _ => false,
        }
    }

    pub fn subject(&self) -> &str {
        self.0.get("sub").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Checks a token, its signature first: nothing of one that is not the provider's is looked at.
pub fn check(token: &str, keys: &Keys, expected: &Expected<'_>, now: i64) -> Result<Claims, Fault> {
    let claims = Claims(verified(token, keys)?);
    if claims.0.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
        return Err(Fault::Issuer);
    }
    let several = matches!(claims.0.get("aud"), Some(Value::Array(list)) if list.len() > 1);
    let party = claims.0.get("azp");
    let for_us = claims.names("aud", expected.client)
        && party.is_none_or(|party| party == expected.client)
        && (party.is_some() || !several);
    if !for_us {
        return Err(Fault::Audience);
    }
    let seconds = |name: &str| claims.0.get(name).and_then(Value::as_f64);
    let clock = now as f64;
    let over = seconds("exp").is_none_or(|end| end <= clock - LEEWAY as f64);
    if over || seconds("nbf").is_some_and(|begin| begin > clock + LEEWAY as f64) {
        return Err(Fault::Expired);
    }
    let age = seconds("iat").map(|issued| clock - issued);
    if !age.is_some_and(|age| (-LEEWAY as f64..=OLDEST as f64).contains(&age)) {
        return Err(Fault::IssuedAt);
    }
    let nonce = claims.0.get("nonce").and_then(Value::as_str).unwrap_or_default();
    if !same(nonce.as_bytes(), expected.nonce.as_bytes()) {
        return Err(Fault::Nonce);
    }
    let subject = claims.subject();
    match (1..=LONGEST_SUBJECT).contains(&subject.len()) && !subject.contains(char::is_control) {
        true => Ok(claims),
        false => Err(Fault::Subject),
    }
}

/// The payload of a token that one of the keys signed.
fn verified(token: &str, keys: &Keys) -> Result<Map<String, Value>, Fault> {
    if token.len() > LONGEST {
        return Err(Fault::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Fault::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(Fault::Malformed)?;
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Fault::Malformed);
    let object = |text: &str| match serde_json::from_slice(&bytes(text)?) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Fault::Malformed),
    };
    let header = object(header)?;
    let named = |name: &str| header.get(name).and_then(Value::as_str);
    let algorithm = named("alg").and_then(Algorithm::parse).ok_or(Fault::Algorithm)?;
    // What a token calls critical has to be understood, and nothing of that kind is.
    if header.contains_key("crit") {
        return Err(Fault::Malformed);
    }
    let key = keys.find(named("kid"), algorithm).ok_or(Fault::UnknownKey)?;
    match key.verifies(signed.as_bytes(), &bytes(signature)?) {
        Ok(true) => object(payload),
        // OpenSSL calls a signature of the wrong shape an error.
        Ok(false) | Err(_) => Err(Fault::Signature),
    }
}

#[cfg(test)]
mod tests {
    use openssl::pkey::Private;
    use openssl::sign::Signer;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const EXPECTED: Expected<'static> = Expected { issuer: "https://id.example", client: "onemap", nonce: "n-1" };

    fn encode(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn claims() -> Value {
        json!({"iss": "https://id.example", "aud": "onemap", "sub": "u-1", "nonce": "n-1", "iat": NOW - 5, "exp": NOW + 300})
    }

    /// A provider with a key of each kind.
    struct Provider {
        rsa: PKey<Private>,
        ec: EcKey<Private>,
        ed: PKey<Private>,
    }

    impl Provider {
        fn new() -> Provider {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
            Provider {
                rsa: PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
                ec: EcKey::generate(&group).unwrap(),
                ed: PKey::generate_ed25519().unwrap(),
            }
        }

        fn set(&self) -> Value {
            let rsa = self.rsa.rsa().unwrap();
            let mut context = openssl::bn::BigNumContext::new().unwrap();
            let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
            self.ec.public_key().affine_coordinates(self.ec.group(), &mut x, &mut y, &mut context).unwrap();
            json!({"keys": [
                {"kty": "RSA", "kid": "r", "use": "sig", "n": encode(rsa.n().to_vec()), "e": encode(rsa.e().to_vec())},
                {"kty": "EC", "crv": "P-256", "kid": "e", "x": encode(x.to_vec()), "y": encode(y.to_vec())},
                {"kty": "OKP", "crv": "Ed25519", "kid": "o", "alg": "EdDSA", "x": encode(self.ed.raw_public_key().unwrap())},
                {"kty": "oct", "kid": "h", "k": encode("a shared secret")},
                {"kty": "RSA", "kid": "x", "use": "enc", "n": encode(rsa.n().to_vec()), "e": encode(rsa.e().to_vec())},
            ]})
        }

        fn keys(&self) -> Keys {
            Keys::parse(self.set().to_string().as_bytes()).unwrap()
        }

        fn token(&self, header: &Value, claims: &Value) -> String {
            let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
            let rs = |key: &PKey<Private>| {
                Signer::new(MessageDigest::sha256(), key).unwrap().sign_oneshot_to_vec(signed.as_bytes()).unwrap()
            };
            let signature = match header["alg"].as_str().unwrap() {
                "ES256" => {
                    let digest = openssl::sha::sha256(signed.as_bytes());
                    let made = EcdsaSig::sign(&digest, &self.ec).unwrap();
                    [made.r().to_vec_padded(32).unwrap(), made.s().to_vec_padded(32).unwrap()].concat()
                }
                "EdDSA" => {
                    Signer::new_without_digest(&self.ed).unwrap().sign_oneshot_to_vec(signed.as_bytes()).unwrap()
                }
                "HS256" => {
                    let key = PKey::hmac(b"a shared secret").unwrap();
                    rs(&key)
                }
                "none" => vec![],
                _ => rs(&self.rsa),
            };
            format!("{signed}.{}", encode(signature))
        }
    }

    #[test]
    fn a_token_of_each_algorithm_is_taken() {
        let provider = Provider::new();
        let keys = provider.keys();
        for (algorithm, key) in [("RS256", "r"), ("ES256", "e"), ("EdDSA", "o")] {
            let token = provider.token(&json!({"alg": algorithm, "kid": key}), &claims());
            assert_eq!(check(&token, &keys, &EXPECTED, NOW).unwrap().subject(), "u-1", "{algorithm}");
            // The only key of its kind needs no name.
            let token = provider.token(&json!({ "alg": algorithm }), &claims());
            assert!(check(&token, &keys, &EXPECTED, NOW).is_ok(), "{algorithm}");
        }
    }

    #[test]
    fn what_was_not_signed_by_a_fitting_key_is_refused() {
        let provider = Provider::new();
        let keys = provider.keys();
        for (header, fault) in [
            (json!({"alg": "none"}), Fault::Algorithm),
            (json!({"alg": "HS256", "kid": "h"}), Fault::Algorithm),
            (json!({"alg": "RS512", "kid": "r"}), Fault::Algorithm),
            (json!({"alg": "RS256", "kid": "later"}), Fault::UnknownKey),
            (json!({"alg": "RS256", "kid": "x"}), Fault::UnknownKey),
            (json!({"alg": "ES256", "kid": "r"}), Fault::UnknownKey),
            (json!({"alg": "RS256", "kid": "r", "crit": ["exp"]}), Fault::Malformed),
        ] {
            let token = provider.token(&header, &claims());
            assert_eq!(check(&token, &keys, &EXPECTED, NOW).unwrap_err(), fault, "{header}");
        }
        let token = provider.token(&json!({"alg": "ES256", "kid": "e"}), &claims());
        let other = Provider::new().keys();
        assert_eq!(check(&token, &other, &EXPECTED, NOW).unwrap_err(), Fault::Signature);
        let mut changed = claims();
        changed["sub"] = "u-2".into();
        let parts: Vec<&str> = token.split('.').collect();
        let changed = format!("{}.{}.{}", parts[0], encode(changed.to_string()), parts[2]);
        assert_eq!(check(&changed, &keys, &EXPECTED, NOW).unwrap_err(), Fault::Signature);
        let short = format!("{}.{}.{}", parts[0], parts[1], encode("short"));
        assert_eq!(check(&short, &keys, &EXPECTED, NOW).unwrap_err(), Fault::Signature);
        for text in ["", "a.b", "a.b.c", "....", &"x".repeat(40_000)] {
            assert_eq!(check(text, &keys, &EXPECTED, NOW).unwrap_err(), Fault::Malformed);
        }
    }

    #[test]
    fn each_claim_is_held_against_the_sign_in() {
        let provider = Provider::new();
        let keys = provider.keys();
        let said = |changes: Value| {
            let mut all = claims();
            for (name, value) in changes.as_object().unwrap() {
                all[name] = value.clone();
            }
            let token = provider.token(&json!({"alg": "EdDSA", "kid": "o"}), &all);
            check(&token, &keys, &EXPECTED, NOW).map(|_| ())
        };
        for (changes, expected) in [
            (json!({"iss": "https://id.example/"}), Err(Fault::Issuer)),
            (json!({"aud": "other"}), Err(Fault::Audience)),
            (json!({"aud": ["onemap"]}), Ok(())),
            (json!({"aud": ["onemap", "other"]}), Err(Fault::Audience)),
            (json!({"aud": ["onemap", "other"], "azp": "onemap"}), Ok(())),
            (json!({"azp": "other"}), Err(Fault::Audience)),
            (json!({"exp": NOW - 61}), Err(Fault::Expired)),
            (json!({"exp": NOW - 30}), Ok(())),
            (json!({"exp": null}), Err(Fault::Expired)),
            (json!({"nbf": NOW + 120}), Err(Fault::Expired)),
            (json!({"iat": NOW + 120}), Err(Fault::IssuedAt)),
            (json!({"iat": NOW - 3600}), Err(Fault::IssuedAt)),
            (json!({"iat": null}), Err(Fault::IssuedAt)),
            (json!({"nonce": "n-2"}), Err(Fault::Nonce)),
            (json!({"nonce": null}), Err(Fault::Nonce)),
            (json!({"sub": ""}), Err(Fault::Subject)),
            (json!({"sub": 7}), Err(Fault::Subject)),
            (json!({"sub": "u\u{0}"}), Err(Fault::Subject)),
            (json!({"sub": "s".repeat(300)}), Err(Fault::Subject)),
        ] {
            assert_eq!(said(changes.clone()), expected, "{changes}");
        }
    }

    #[test]
    fn weak_and_broken_keys_are_passed_over() {
        let weak = Rsa::generate(1024).unwrap();
        let set = json!({"keys": [
            {"kty": "RSA", "n": encode(weak.n().to_vec()), "e": encode(weak.e().to_vec())},
            {"kty": "EC", "crv": "P-256", "x": encode([1; 32]), "y": encode([1; 32])},
            {"kty": "OKP", "crv": "Ed25519", "x": encode([1; 5])},
            {"kty": "RSA"}, 7, null,
        ]});
        assert!(Keys::parse(set.to_string().as_bytes()).unwrap().is_empty());
        assert!(Keys::parse(b"{}").is_none() && Keys::parse(b"nonsense").is_none());
    }
}
