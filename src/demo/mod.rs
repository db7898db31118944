//! See ARCHITECTURE.md.
pub mod area;
pub mod divisions;
pub mod partition;
pub mod rng;
