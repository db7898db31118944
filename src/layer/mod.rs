//! Layers: what they are, which exist, and how their rows are selected, loaded and edited.

pub mod annotated;
pub mod archive;
mod asked;
pub mod catalog;
pub mod copy;
pub mod divisions;
pub mod edit;
pub mod filter;
pub mod marks;
pub mod model;
pub mod order;
pub mod points;
pub mod registered;
pub mod registry;
pub mod removal;
pub mod scope;
pub mod select;
