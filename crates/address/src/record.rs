//! One row of an address source, as it goes into an index.

use crate::element::{ELEMENTS, Element};

/// A row's address. Elements that a row does not have are empty. `full` is the whole address in one text; what the elements do not
/// say is parsed out of it.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    /// The row's number in its source, unique there.
    pub id: u64,
    /// Degrees, CGCS2000.
    pub lon: f64,
    pub lat: f64,
    pub elements: [&'a str; ELEMENTS],
    pub full: &'a str,
    /// Other names, separated by `;` or `；`.
    pub alias: &'a str,
    /// The source's own key of the row (a standard address code, say); empty where it has none.
    pub key: &'a str,
}

impl<'a> Address<'a> {
    pub fn new(id: u64, lon: f64, lat: f64) -> Address<'a> {
        Address { id, lon, lat, elements: [""; ELEMENTS], full: "", alias: "", key: "" }
    }
    pub fn get(&self, element: Element) -> &'a str {
        self.elements[element as usize]
    }
    pub fn with(mut self, element: Element, text: &'a str) -> Address<'a> {
        self.elements[element as usize] = text;
        self
    }
}
