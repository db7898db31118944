//! Layers: what they are, which exist, and how their rows are selected and loaded.

pub mod copy;
pub mod model;
