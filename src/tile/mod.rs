//! Vector tiles: from the tile index of a layer's revision, or by PostGIS; cached by revision and scope.

mod budget;
mod build;
pub mod cache;
mod copied;
mod draw;
pub mod edits;
pub mod encoding;
pub mod export;
pub mod keeper;
pub mod progress;
pub mod render;
pub mod store;
