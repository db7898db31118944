//! The arrays of a segment, row by row.

use bytemuck::{Pod, Zeroable};

/// One address. Zero stands for an element that it does not have. Rows are ordered by street, area, lane, door, compound, building,
/// unit, floor, room, poi, so all that a road, a door or a building holds lies together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Row {
    pub id: u32,
    /// Ten-millionths of a degree.
    pub lon: i32,
    pub lat: i32,
    pub zone: u32,
    pub street: u32,
    pub lane: u32,
    pub door: u32,
    pub compound: u32,
    pub building: u32,
    pub unit: u32,
    pub floor: u32,
    pub room: u32,
    pub poi: u32,
}

/// Degrees to a [`Row`]'s coordinates and back.
pub const DEGREE: f64 = 1e7;

/// Province, city and district, as names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(C)]
pub struct Area {
    pub province: u32,
    pub city: u32,
    pub district: u32,
}

/// Town and community within an area, and where their rows lie in the middle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(C)]
pub struct Zone {
    pub area: u32,
    pub town: u32,
    pub community: u32,
    pub lon: i32,
    pub lat: i32,
    pub rows: u32,
    /// The row that stands for the zone itself (its number plus one), if the source has one.
    pub own: u32,
}

/// The rows of one street in one area.
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Group {
    pub area: u32,
    pub from: u32,
    pub to: u32,
}

/// Rows that follow each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Span {
    pub from: u32,
    pub to: u32,
}

/// A place where the lines of two streets have a vertex in common. Ordered by the names, the smaller one first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub struct Junction {
    pub streets: [u32; 2],
    pub lon: i32,
    pub lat: i32,
    /// The rows whose lines these are.
    pub rows: [u32; 2],
}

/// What numbers are kept in a list of their own, in the order of their sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum PartKind {
    Lane = 0,
    Door = 1,
    Building = 2,
    Unit = 3,
    Floor = 4,
    Room = 5,
}
pub const PART_KINDS: usize = 6;
