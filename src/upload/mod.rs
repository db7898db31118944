//! Uploads: what a file is, whether it is sound, and its rows. See ARCHITECTURE.md.

pub mod archive;
pub mod child;
pub mod columns;
pub mod crs;
pub mod datum;
pub mod encoding;
pub mod fields;
pub mod files;
pub mod geojson;
pub mod geojson_scan;
pub mod geometry;
pub mod inspect;
pub mod ogr;
pub mod open;
pub mod parent;
pub mod read;
pub mod report;
pub mod sandbox;
pub mod shapefile;
pub mod sheet;
pub mod source;
pub mod table;
pub mod validity;
