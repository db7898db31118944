//! Features: the parameters of a query and the formats of its answer.

pub mod geojson;
pub mod query;
pub mod values;
