//! Time-based one-time passwords: RFC 6238 over HMAC-SHA-1, six digits, a step of 30 seconds, which is what every authenticator knows.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Seconds of a step.
pub const STEP: i64 = 30;
/// Steps before and after the present one whose codes are taken: clocks differ.
const WINDOW: i64 = 1;
const DIGITS: u32 = 6;

/// The code of a step. None for a secret that is no key at all.
pub fn code(secret: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    // RFC 4226, 5.3: four bytes from where the last four bits say, without the sign.
    let at = usize::from(digest.last()? & 15);
    let four: [u8; 4] = digest.get(at..at + 4)?.try_into().ok()?;
    let number = u32::from_be_bytes(four) & 0x7fff_ffff;
    Some(format!("{:06}", number % 10u32.pow(DIGITS)))
}

/// The step whose code this is, if it is one of about now (Unix seconds) and of a step after `last`: no code is taken twice.
pub fn step_of(secret: &[u8], given: &str, now: i64, last: i64) -> Option<i64> {
    let present = now.div_euclid(STEP);
    let steps = (present - WINDOW..=present + WINDOW).filter(|step| *step > last);
    // All are compared, whichever is right.
    let right: Vec<i64> =
        steps.filter(|step| code(secret, *step).is_some_and(|code| same(code.as_bytes(), given.as_bytes()))).collect();
    right.first().copied()
}

/// Equality in a time that does not tell where texts of one length differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0u8, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && std::hint::black_box(differing) == 0
}

/// What an authenticator reads from a QR code.
pub fn uri(issuer: &str, account: &str, secret: &[u8]) -> String {
    let (issuer, account) = (escaped(issuer), escaped(account));
    let secret = base32(secret);
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP}"
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// RFC 4648, 6, without padding.
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut out, mut held, mut bits) = (String::new(), 0u32, 0);
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        out.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 6238, appendix B: the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (time, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, time / STEP).unwrap(), expected, "{time}");
        }
    }

    #[test]
    fn a_code_is_taken_about_its_time_and_once() {
        let now = 1_111_111_109;
        let step = now / STEP;
        assert_eq!(step_of(SECRET, "081804", now, 0), Some(step));
        assert_eq!(step_of(SECRET, "081804", now + STEP, 0), Some(step));
        assert_eq!(step_of(SECRET, "081804", now + 3 * STEP, 0), None);
        assert_eq!(step_of(SECRET, "081804", now, step), None, "it was used");
        assert_eq!(step_of(SECRET, "081805", now, 0), None);
        assert_eq!(step_of(SECRET, "", now, 0), None);
    }

    /// RFC 4648, 10.
    #[test]
    fn base32_is_that_of_the_standard() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), expected);
        }
        assert!(uri("政务 一张图", "a@b", SECRET).starts_with("otpauth://totp/%E6%94%BF"));
    }
}
