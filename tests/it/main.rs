//! The integration tests: one binary, held against a real PostGIS; each test has a database of its own.

mod address;
mod address_jobs;
mod address_places;
mod archives;
mod browser;
mod docs;
mod downloads;
mod edits;
mod features;
mod filters;
mod jobs;
mod process;
mod processes;
mod publish;
mod records;
mod routes;
mod sharing;
mod sign_in;
mod styles;
mod tidy;
mod tile_index;
mod tiles;
mod upload;
mod wfs;
mod wfs_filters;
mod world;
