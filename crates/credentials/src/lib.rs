//! What is reckoned about credentials, without a clock, a database or HTTP of its own.
//!
//! - [`totp`]: one-time passwords by time (RFC 6238), with their secrets in Base32 (RFC 4648).
//! - [`signature`]: addresses that are signed by HMAC-SM3 (GB/T 32905-2016, GB/T 15852.2).
//! - [`password`]: which passwords are taken.
//! - [`id_token`]: what an OpenID provider says of whoever signs in, and whether it is the provider that says so.
//! - [`certificate`]: certificates of clients, told apart and looked over.
//! - [`origin`]: whether a page may use a key.
//! - [`bucket`]: how many requests a second.

pub mod bucket;
pub mod certificate;
pub mod id_token;
pub mod origin;
pub mod password;
pub mod signature;
pub mod totp;
