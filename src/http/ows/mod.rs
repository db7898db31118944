//! The older OGC services, for the clients that departments already have: WMS, WMTS, WFS, and pages made for Tianditu. What they have in
//! common is here: parameters (`kvp`), errors (`exception`), XML (`xml`), what a capabilities document says of us (`service`).

pub mod exception;
pub mod kvp;
pub mod service;
pub mod wfs;
pub mod xml;

use axum::response::Response;

use exception::Fault;

/// What a handler of these services gives.
pub type Answer = std::result::Result<Response, Fault>;
