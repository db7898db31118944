//! What goes with the marks of annotation layers beside their features: photos, and places found by address. The layers themselves are
//! `layer::annotated`, what a mark may hold is `layer::marks`.

pub mod photos;
pub mod place;
