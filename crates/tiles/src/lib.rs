//! The tile index: what a layer's revision looks like at every zoom, worked out once, memory-mapped, and cut into tiles in a
//! fraction of a millisecond. Pure: it knows neither the database nor HTTP.

pub mod area;
pub mod build;
pub mod clip;
pub mod column;
pub mod compress;
pub mod delta;
pub mod draw;
pub mod error;
pub mod ewkb;
pub mod file;
pub mod filter;
pub mod find;
pub mod index;
pub mod mlt;
pub mod mvt;
pub mod paint;
pub mod repair;
pub mod shape;
pub mod simplify;
pub mod strokes;
pub mod tree;
pub mod value;
pub mod window;
pub mod world;
