//! Filter Encoding 2.0 (OGC 09-026r2) and 1.1, with the GML geometries and times in it, read into CQL2 JSON (OGC 21-065r2).
//!
//! A filter in XML has no types: `<fes:Literal>5</fes:Literal>` is a number beside a field of numbers and a text beside
//! one of texts. So reading it takes the [`FeatureType`] that it speaks of. What comes out is one condition of CQL2 and,
//! apart from it, the ids that were asked for; whether the condition's names and types fit is CQL2's business.
//!
//! XML is guarded ([`document`]): size, depth, and no document type, so that there are neither entities nor files to be had.

mod compare;
mod expression;
mod fault;
mod filter;
mod geometry;
mod moment;
mod spatial;
mod temporal;
mod xml;

pub use fault::Fault;
pub use filter::{Translation, translate};
use onemap_cql2::Kind;
pub use roxmltree::Node;
pub use xml::{children, document, text};

/// What a value reference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Property {
    /// The name that CQL2 is to use, and the type.
    Field(String, Kind),
    Geometry(String),
}

/// A reference system: its code, and whether latitude or northing come first under the name that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    pub srid: i32,
    pub swapped: bool,
    pub degrees: bool,
}

/// What a filter may speak of.
pub trait FeatureType {
    /// A property by the name of its element, without prefix.
    fn property(&self, name: &str) -> Option<Property>;
    /// The geometry that is meant where none is named.
    fn geometry(&self) -> Option<String>;
    /// A reference system by its `srsName`; the default one where there is no name.
    fn reference(&self, name: Option<&str>) -> Option<Reference>;
}
