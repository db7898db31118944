//! Features: the parameters of a query, the formats of its answer, and what is written.

pub mod geojson;
pub mod identify;
pub mod query;
pub mod values;
pub mod write;
