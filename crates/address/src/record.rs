//! One row of an address source, as it goes into an index.

use bytemuck::{Pod, Zeroable};

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
    pub valid: Validity,
}

/// From which day to which a row holds, both included, in days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Validity {
    pub from: i32,
    pub to: i32,
}

impl Validity {
    pub const ALWAYS: Validity = Validity { from: i32::MIN, to: i32::MAX };

    /// A bound that is not known does not limit.
    pub fn new(from: Option<i32>, to: Option<i32>) -> Validity {
        Validity { from: from.unwrap_or(i32::MIN), to: to.unwrap_or(i32::MAX) }
    }
    pub fn holds(self, day: i32) -> bool {
        self.from <= day && day <= self.to
    }
    pub fn first(self) -> Option<i32> {
        (self.from != i32::MIN).then_some(self.from)
    }
    pub fn last(self) -> Option<i32> {
        (self.to != i32::MAX).then_some(self.to)
    }
}

impl<'a> Address<'a> {
    pub fn new(id: u64, lon: f64, lat: f64) -> Address<'a> {
        Address { id, lon, lat, elements: [""; ELEMENTS], full: "", alias: "", key: "", valid: Validity::ALWAYS }
    }
    pub fn get(&self, element: Element) -> &'a str {
        self.elements[element as usize]
    }
    pub fn with(mut self, element: Element, text: &'a str) -> Address<'a> {
        self.elements[element as usize] = text;
        self
    }
}
