//! Certificates of clients, as a proxy that ends TLS hands them on (RFC 9440, `Client-Cert`).
//!
//! The proxy has seen that the client holds the key. What is left to do here is to tell one certificate from another, by the SHA-256 of
//! its bytes, and to look whether it is valid today: so those with SM2 keys (GB/T 20518) are as good as any.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::nid::Nid;
use openssl::x509::X509;

/// Characters of the header.
const LONGEST: usize = 16 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub fingerprint: [u8; 32],
    /// Whom it names.
    pub subject: String,
    /// Its first and its last second.
    pub valid: (i64, i64),
}

impl Certificate {
    /// Reads the header's value: the certificate's DER in Base64 between colons (RFC 8941, byte sequence). Parameters mean nothing.
    pub fn of_header(value: &str) -> Option<Certificate> {
        let (encoded, rest) = value.trim().strip_prefix(':')?.split_once(':')?;
        let nothing_else = rest.is_empty() || rest.trim_start().starts_with(';');
        if !nothing_else || value.len() > LONGEST {
            return None;
        }
        Certificate::of_der(&STANDARD.decode(encoded).ok()?)
    }

    pub fn of_der(der: &[u8]) -> Option<Certificate> {
        let read = X509::from_der(der).ok()?;
        // What follows it would count into the fingerprint and be nobody's.
        if read.to_der().ok()? != der {
            return None;
        }
        Some(Certificate {
            fingerprint: openssl::sha::sha256(der),
            subject: name(&read),
            valid: (seconds(read.not_before())?, seconds(read.not_after())?),
        })
    }

    pub fn is_valid_at(&self, now: i64) -> bool {
        (self.valid.0..=self.valid.1).contains(&now)
    }
}

/// The common name, or what else there is.
fn name(certificate: &X509) -> String {
    let subject = certificate.subject_name();
    let common = subject.entries_by_nid(Nid::COMMONNAME).last().or_else(|| subject.entries().last());
    let text = common.and_then(|entry| entry.data().to_string().ok()).unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// A time as Unix counts it.
fn seconds(time: &Asn1TimeRef) -> Option<i64> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    Some(i64::from(since.days) * 86_400 + i64::from(since.secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by OpenSSL: an SM2 key, signed with SM3, from 2026-11-25 to 2036-11-22, for `CN=李伟`.
    const SM2: &str = "MIIBxTCCAWugAwIBAgIUfD23d653z1IkFbXDbe3HJSRPDUQwCgYIKoEcz1UBg3UwODELMAkGA1UEBhMCQ04xGDAWBgNVBAoMD+mdkuWym+W4gua1i+ivlTEPMA0GA1UEAwwG5p2O5LyfMB4XDTI2MTEyNTA2MjgyMVoXDTM2MTEyMjA2MjgyMVowODELMAkGA1UEBhMCQ04xGDAWBgNVBAoMD+mdkuWym+W4gua1i+ivlTEPMA0GA1UEAwwG5p2O5LyfMFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEuoz2LnKLnYZ7GoxVA7NI47G1vyouhrQPQBPqXitVCu6IFqOoFdyKkLyrl1K9UuYVJS1DuTexQh9KfUHmX9pSRKNTMFEwHQYDVR0OBBYEFLpR5Wu05wgjGqIDqIS7GnyjDAPFMB8GA1UdIwQYMBaAFLpR5Wu05wgjGqIDqIS7GnyjDAPFMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoEcz1UBg3UDSAAwRQIhAPXzQRa3uyPu5HLYvkh7MYZyglwm+24z9lM64385zHe8AiBKasZxqJ2vRvJwc8mcMg+1stbJUbxCUa6njr/XHEGSdA==";

    #[test]
    fn a_certificate_of_any_kind_of_key_is_told_by_its_bytes() {
        let read = Certificate::of_header(&format!(":{SM2}:")).unwrap();
        assert_eq!(read.subject, "李伟");
        let hex: String = read.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "8a5a93b93507394acb3a72cde73793fa69ae9424a0f402eef5a62c16934a82cf");
        // 2026-11-25T06:28:21Z and 2036-11-22T06:28:21Z.
        assert_eq!(read.valid, (1_795_588_101, 2_110_948_101));
        assert!(read.is_valid_at(1_795_588_101) && read.is_valid_at(2_110_948_101));
        assert!(!read.is_valid_at(1_795_588_100) && !read.is_valid_at(2_110_948_102));
        assert_eq!(Certificate::of_header(&format!(" :{SM2}: ; a=1")), Some(read));
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        let der = STANDARD.decode(SM2).unwrap();
        let longer = STANDARD.encode([&der[..], &[0]].concat());
        let shorter = STANDARD.encode(&der[..der.len() - 1]);
        for value in [
            "".into(),
            "::".into(),
            SM2.into(),
            format!(":{SM2}"),
            format!(":{SM2}:, :{SM2}:"),
            format!(":{longer}:"),
            format!(":{shorter}:"),
            ":bm90IGEgY2VydGlmaWNhdGU=:".into(),
            format!(":{}:", "A".repeat(20_000)),
        ] {
            assert_eq!(Certificate::of_header(&value), None, "{value}");
        }
    }
}
