//! Who may do what: the only door to data.
//!
//! `Grant<A>` can only be made here, by `Gate::open`, and `Datastore` asks for one before it gives a row: an endpoint that
//! forgets permission does not compile.

pub mod accounts;
pub mod audit;
pub mod certificates;
pub mod datastore;
pub mod gate;
pub mod grant;
pub mod grants;
pub mod keys;
pub mod login;
pub mod oidc;
pub mod passwords;
pub mod people;
pub mod policy;
pub mod principal;
pub mod recorder;
pub mod rights;
pub mod second_factor;
pub mod sessions;
pub mod signed;
pub mod trace;
