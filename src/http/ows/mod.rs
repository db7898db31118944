//! The older OGC services, for the clients that departments already have: WMS, WMTS, WFS, and pages made for Tianditu. What they have in
//! common is here: parameters (`kvp`), errors (`exception`), XML (`xml`), what a capabilities document says of us (`service`).

mod choice;
mod drawing;
pub mod exception;
mod extent;
mod found;
mod gml;
pub mod kvp;
mod names;
mod picture;
pub mod service;
pub mod wfs;
pub mod wms;
pub mod wmts;
pub mod xml;

use axum::response::Response;

use exception::Fault;

/// What a handler of these services gives.
pub type Answer = std::result::Result<Response, Fault>;
