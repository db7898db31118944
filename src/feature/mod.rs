//! Features: the parameters of a query, the formats of its answer, and what is written.

pub mod bookmarks;
pub mod cursor;
pub mod extent;
pub mod geojson;
pub mod gml;
pub mod query;
pub mod values;
pub mod write;
