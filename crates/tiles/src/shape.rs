//! Geometries in world coordinates, laid out flat.

/// What a feature, or a section of an index, consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    Point = 1,
    Line = 2,
    Polygon = 3,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Point, Kind::Line, Kind::Polygon];
}

/// A vertex in world units: x eastwards, y southwards.
pub type Vertex = [u32; 2];

/// Many features of one kind, flat: feature `f` has the parts `features[f]..features[f + 1]`, part `p` the vertices
/// `parts[p]..parts[p + 1]`. A part is a point, a line, or a ring. A ring does not repeat its first vertex; on the map, with north up,
/// outer rings run clockwise and holes counter-clockwise (in y-down coordinates: a positive shoelace sum is an outer ring, as
/// MVT 2.1 has it), and a hole follows its outer ring.
#[derive(Debug, Clone, Copy)]
pub struct Shapes<'a> {
    pub kind: Kind,
    pub vertices: &'a [Vertex],
    pub parts: &'a [u64],
    pub features: &'a [u64],
}

impl<'a> Shapes<'a> {
    pub fn len(&self) -> usize {
        self.features.len().saturating_sub(1)
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The parts of a feature, by number.
    pub fn parts_of(&self, feature: usize) -> std::ops::Range<usize> {
        self.features[feature] as usize..self.features[feature + 1] as usize
    }
    pub fn part_range(&self, part: usize) -> std::ops::Range<usize> {
        self.parts[part] as usize..self.parts[part + 1] as usize
    }
    pub fn part(&self, part: usize) -> &'a [Vertex] {
        &self.vertices[self.part_range(part)]
    }
}

/// One feature's geometry of one kind, owned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    pub vertices: Vec<Vertex>,
    /// Where each part ends in `vertices`.
    pub ends: Vec<u32>,
}
