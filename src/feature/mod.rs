//! Features: the parameters of a query, the formats of its answer, and what is written.

pub mod cursor;
pub mod extent;
pub mod geojson;
pub mod output;
pub mod query;
pub mod values;
pub mod write;
