//! onemap (政务一张图): a government's shared map over PostGIS. See ARCHITECTURE.md for the floors and the flows.

pub mod config;
pub mod error;
pub mod geo;

pub mod db;

pub mod access;

pub mod job;
pub mod layer;
pub mod notice;
pub mod style;

pub mod demo;
pub mod evidence;
pub mod feature;
pub mod tile;
pub mod upload;

pub mod address;
pub mod approval;
pub mod catalogue;
pub mod picture;
pub mod theme;

pub mod spatial;

pub mod annotation;
pub mod process;

pub mod app;
pub mod http;

pub mod commands;
