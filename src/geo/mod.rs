//! Pure geography: reference systems, boxes, tile matrix sets, the Chinese datums. No IO.

pub mod bbox;
pub mod china;
pub mod crs;
pub mod ewkb;
pub mod gauss;
pub mod gml;
pub mod plane;
mod project;
pub mod tms;
