//! See ARCHITECTURE.md.
pub mod area;
pub mod divisions;
pub mod names;
pub mod partition;
pub mod rng;
pub mod town;
