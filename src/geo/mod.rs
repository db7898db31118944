//! Pure geography: no IO, no database.

pub mod china;
