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

impl Parts {
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
    pub fn clear(&mut self) {
        self.vertices.clear();
        self.ends.clear();
    }
    /// What was pushed since the last end is a part, if it is anything.
    pub fn end_part(&mut self) {
        let end = self.vertices.len() as u32;
        if end > self.ends.last().copied().unwrap_or(0) {
            self.ends.push(end);
        }
    }
    pub fn iter(&self) -> impl Iterator<Item = &[Vertex]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let part = &self.vertices[start..end as usize];
            start = end as usize;
            part
        })
    }
    pub fn bounds(&self) -> Bounds {
        Bounds::of(&self.vertices)
    }
}

/// A rectangle in world units, edges included. The empty one holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Bounds {
    pub min: Vertex,
    pub max: Vertex,
}

impl Bounds {
    pub const EMPTY: Bounds = Bounds { min: [u32::MAX; 2], max: [0; 2] };

    pub fn of(vertices: &[Vertex]) -> Bounds {
        let mut b = Bounds::EMPTY;
        for v in vertices {
            b.add(v);
        }
        b
    }
    pub fn add(&mut self, v: &Vertex) {
        self.min = [self.min[0].min(v[0]), self.min[1].min(v[1])];
        self.max = [self.max[0].max(v[0]), self.max[1].max(v[1])];
    }
    pub fn join(&mut self, other: &Bounds) {
        self.min = [self.min[0].min(other.min[0]), self.min[1].min(other.min[1])];
        self.max = [self.max[0].max(other.max[0]), self.max[1].max(other.max[1])];
    }
    pub fn is_empty(&self) -> bool {
        self.min[0] > self.max[0] || self.min[1] > self.max[1]
    }
    pub fn meets(&self, other: &Bounds) -> bool {
        self.min[0] <= other.max[0]
            && other.min[0] <= self.max[0]
            && self.min[1] <= other.max[1]
            && other.min[1] <= self.max[1]
    }
    pub fn holds(&self, other: &Bounds) -> bool {
        self.min[0] <= other.min[0]
            && other.max[0] <= self.max[0]
            && self.min[1] <= other.min[1]
            && other.max[1] <= self.max[1]
    }
    pub fn middle(&self) -> Vertex {
        let mid = |a: u32, b: u32| ((u64::from(a) + u64::from(b)) / 2) as u32;
        [mid(self.min[0], self.max[0]), mid(self.min[1], self.max[1])]
    }
}
