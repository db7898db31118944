//! Layers: what they are, which exist, and how their rows are selected and loaded.

pub mod archive;
pub mod catalog;
pub mod copy;
pub mod filter;
pub mod model;
pub mod registered;
pub mod registry;
pub mod select;
