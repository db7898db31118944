//! onemap (政务一张图): a government's shared map over PostGIS. See ARCHITECTURE.md for the floors and the flows.

pub mod error;
pub mod geo;

pub mod layer;

pub mod demo;
pub mod style;
pub mod upload;
