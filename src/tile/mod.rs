//! Vector tiles: rendered by PostGIS, cached by revision and scope.

pub mod cache;
pub mod edits;
pub mod encoding;
pub mod export;
pub mod render;
