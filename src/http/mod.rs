//! HTTP: the only place that knows of it. Handlers parse, call one function and answer.

pub mod address;
pub mod api;
pub mod ask;
pub mod assets;
pub mod attachment;
pub mod authenticate;
pub mod cache_policy;
pub mod carried;
mod connection;
pub mod cors;
pub mod evidence;
pub mod examples;
pub mod filter;
pub mod health;
pub mod map;
pub mod negotiation;
pub mod ogc;
pub mod ows;
pub mod parameters;
pub mod peer;
pub mod problem;
pub mod routes;
pub mod serve;
pub mod style;
pub mod tile;
