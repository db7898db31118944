//! The tile index: what a layer's revision looks like at every zoom, worked out once, memory-mapped, and cut into tiles in a
//! fraction of a millisecond. Pure: it knows neither the database nor HTTP.

pub mod repair;
pub mod shape;
pub mod simplify;
pub mod strokes;
pub mod world;
