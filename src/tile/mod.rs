//! Vector tiles: from the tile index of a layer's revision, or by PostGIS; cached by revision and scope.

mod budget;
pub mod build;
pub mod cache;
pub mod copied;
mod draw;
pub mod edits;
pub mod encoding;
pub mod export;
pub mod find;
pub mod keeper;
pub mod progress;
pub mod render;
pub mod store;
