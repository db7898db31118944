//! An index, opened: the sections of its kinds as slices of the mapped file.

use std::path::Path;

use onemap_cql2::Value;

use crate::build::plan::{ALL, DEEPEST, Square, square_key};
use crate::build::section::{Band, Head, LONG_PART, RUN};
use crate::column::{ColumnView, IndexColumn};
use crate::error::{Error, Result};
use crate::file::{Sections, Slice, Tag};
use crate::shape::{Bounds, Kind, Vertex};
use crate::tree;
use crate::value::{Column, ColumnKind, decode};

pub struct Index {
    file: Sections,
    rows: u64,
    complete: Option<u8>,
    columns: Vec<Column>,
    sections: Vec<Section>,
}

struct Section {
    kind: Kind,
    head: Head,
    ids: Slice<i64>,
    boxes: Slice<Bounds>,
    features: Slice<u64>,
    parts: Slice<u64>,
    vertices: Slice<Vertex>,
    zooms: Slice<u8>,
    areas: Slice<f32>,
    long: Slice<[u64; 2]>,
    runs: Slice<Bounds>,
    bands: Slice<Band>,
    tree: Slice<Bounds>,
    squares: Slice<Square>,
    columns: Vec<IndexColumn>,
}

impl Index {
    /// Maps an index and checks its header; takes well under a millisecond whatever its size. What its sections hold is as it was
    /// written only if [`Index::verify`] says so.
    pub fn open(path: &Path) -> Result<Index> {
        let file = Sections::open(path)?;
        let meta = file.slice::<u8>(Tag::Meta, 0, 0)?;
        let (rows, complete, columns) = read_meta(&meta).ok_or(Error::Damaged("what it says of itself"))?;
        let mut sections = vec![];
        for kind in Kind::ALL {
            let Some(&head) = file.slice::<Head>(Tag::Head, kind as u32, 0)?.first() else { continue };
            sections.push(Section::open(&file, kind, head, columns.len())?);
        }
        Ok(Index { file, rows, complete, columns, sections })
    }

    /// Reads the whole file and compares its checksum with the one written.
    pub fn verify(&self) -> Result<()> {
        self.file.verify()
    }

    /// What the builder was given as the state of the table.
    pub fn stamp(&self) -> u64 {
        self.file.stamp()
    }

    /// The rows it was made of, those without a geometry among them.
    pub fn len(&self) -> u64 {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// The zoom from which nothing is left out; none when even the deepest tiles have more than they may.
    pub fn complete_from(&self) -> Option<u8> {
        self.complete
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The first and the last of a column's texts, in the order of their bytes. Looks at every value that there is.
    pub fn span(&self, column: usize) -> Option<(String, String)> {
        let mut span: Option<(&str, &str)> = None;
        let mut see = |bytes| {
            if let Value::Text(text) = decode(bytes) {
                span = Some(span.map_or((text, text), |(first, last)| (first.min(text), last.max(text))));
            }
        };
        let views: Vec<View<'_>> = self.views().collect();
        for view in &views {
            let values = view.columns.get(column)?;
            match values.entries() {
                Some(entries) => (1..entries as u32).for_each(|code| see(values.entry(code))),
                None => (0..view.ids.len()).for_each(|feature| see(values.bytes(feature))),
            }
        }
        span.map(|(first, last)| (first.to_owned(), last.to_owned()))
    }

    /// The sections for one drawing.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.sections.iter().map(Section::view)
    }
}

fn read_meta(bytes: &[u8]) -> Option<(u64, Option<u8>, Vec<Column>)> {
    let mut at = 0;
    let mut take = |n: usize| {
        at += n;
        bytes.get(at - n..at)
    };
    let rows = u64::from_le_bytes(take(8)?.try_into().ok()?);
    let complete = take(1)?[0];
    let count = u32::from_le_bytes(take(4)?.try_into().ok()?);
    let mut columns = vec![];
    for _ in 0..count {
        let kind = match take(1)?[0] {
            1 => ColumnKind::Text,
            2 => ColumnKind::Integer,
            3 => ColumnKind::Float,
            4 => ColumnKind::Boolean,
            _ => return None,
        };
        let len = u32::from_le_bytes(take(4)?.try_into().ok()?) as usize;
        columns.push(Column { name: String::from_utf8(take(len)?.to_vec()).ok()?, kind });
    }
    Some((rows, (complete != u8::MAX).then_some(complete), columns))
}

impl Section {
    fn open(file: &Sections, kind: Kind, head: Head, columns: usize) -> Result<Section> {
        let k = kind as u32;
        let features = head.features as usize;
        let section = Section {
            kind,
            head,
            ids: file.slice(Tag::Ids, k, 0)?,
            boxes: file.slice(Tag::Boxes, k, 0)?,
            features: file.slice(Tag::Features, k, 0)?,
            parts: file.slice(Tag::Parts, k, 0)?,
            vertices: file.slice(Tag::Vertices, k, 0)?,
            zooms: file.slice(Tag::Zooms, k, 0)?,
            areas: file.slice(Tag::Areas, k, 0)?,
            long: file.slice(Tag::LongParts, k, 0)?,
            runs: file.slice(Tag::Runs, k, 0)?,
            bands: file.slice(Tag::Bands, k, 0)?,
            tree: file.slice(Tag::Tree, k, 0)?,
            squares: file.slice(Tag::Squares, k, 0)?,
            columns: (0..columns as u32).map(|c| IndexColumn::open(file, k, c, features)).collect::<Result<_>>()?,
        };
        section.check().then_some(section).ok_or(Error::Damaged("sections that do not agree"))
    }

    /// That the sections' lengths agree. What lies in them is vouched for by the checksum; indexing is checked all the same.
    fn check(&self) -> bool {
        let n = self.head.features as usize;
        let single = self.head.single != 0;
        let shaped = if single {
            self.vertices.len() == n
        } else {
            self.boxes.len() == n
                && self.features.len() == n + 1
                && self.parts.last() == Some(&(self.vertices.len() as u64))
        };
        let ranked = self.kind == Kind::Point || self.zooms.len() == self.vertices.len();
        let areas = self.kind != Kind::Polygon || self.areas.len() == n;
        self.ids.len() == n && shaped && ranked && areas && self.bands.iter().all(|b| b.end <= n as u64)
    }

    fn view(&self) -> View<'_> {
        View {
            kind: self.kind,
            head: self.head,
            single: self.head.single != 0,
            ids: &self.ids,
            boxes: &self.boxes,
            features: &self.features,
            parts: &self.parts,
            vertices: &self.vertices,
            zooms: &self.zooms,
            areas: &self.areas,
            long: &self.long,
            runs: &self.runs,
            bands: &self.bands,
            tree: &self.tree,
            squares: &self.squares,
            columns: self.columns.iter().map(IndexColumn::view).collect(),
        }
    }
}

/// The features of one kind, as plain slices.
pub struct View<'a> {
    pub kind: Kind,
    pub head: Head,
    single: bool,
    pub ids: &'a [i64],
    boxes: &'a [Bounds],
    features: &'a [u64],
    parts: &'a [u64],
    vertices: &'a [Vertex],
    zooms: &'a [u8],
    areas: &'a [f32],
    long: &'a [[u64; 2]],
    runs: &'a [Bounds],
    pub bands: &'a [Band],
    tree: &'a [Bounds],
    squares: &'a [Square],
    pub columns: Vec<ColumnView<'a>>,
}

/// A part of a feature: its vertices, the zoom of each, and the rectangles of its runs when it is long.
pub struct PartView<'a> {
    pub vertices: &'a [Vertex],
    pub zooms: &'a [u8],
    pub runs: &'a [Bounds],
}

impl<'a> View<'a> {
    #[inline]
    pub fn bounds(&self, feature: usize) -> Bounds {
        match self.single {
            true => Bounds { min: self.vertices[feature], max: self.vertices[feature] },
            false => self.boxes[feature],
        }
    }

    /// The vertices of a feature of points.
    #[inline]
    pub fn points(&self, feature: usize) -> &'a [Vertex] {
        if self.single {
            return &self.vertices[feature..=feature];
        }
        let (first, last) = (self.features[feature] as usize, self.features[feature + 1] as usize);
        &self.vertices[self.parts[first] as usize..self.parts[last] as usize]
    }

    #[inline]
    pub fn parts_of(&self, feature: usize) -> std::ops::Range<usize> {
        self.features[feature] as usize..self.features[feature + 1] as usize
    }

    #[inline]
    pub fn part(&self, part: usize) -> PartView<'a> {
        let range = self.parts[part] as usize..self.parts[part + 1] as usize;
        let runs = if range.len() > LONG_PART { self.runs_of(part, range.len()) } else { &[] };
        PartView { vertices: &self.vertices[range.clone()], zooms: &self.zooms[range], runs }
    }

    fn runs_of(&self, part: usize, len: usize) -> &'a [Bounds] {
        let Ok(i) = self.long.binary_search_by_key(&(part as u64), |l| l[0]) else { return &[] };
        let start = self.long[i][1] as usize;
        self.runs.get(start..start + len.div_ceil(RUN)).unwrap_or_default()
    }

    #[inline]
    pub fn area(&self, feature: usize) -> f64 {
        self.areas.get(feature).copied().map_or(0.0, f64::from)
    }

    /// Calls `found` with the features of a band that meet the window.
    pub fn search(&self, band: &Band, window: &Bounds, mut found: impl FnMut(std::ops::Range<usize>)) {
        let (start, end) = (band.start as usize, band.end as usize);
        let nodes = self.tree.get(band.tree as usize..).unwrap_or_default();
        tree::search(nodes, end - start, |i| self.bounds(start + i), window, |r| found(start + r.start..start + r.end));
    }

    /// The zoom from which nothing of this kind is left out.
    pub fn complete(&self) -> u8 {
        self.head.complete.min(u64::from(DEEPEST) + 1) as u8
    }

    /// The area in world units of which one drawn polygon stands for all that are smaller; none where all are drawn as they are.
    pub fn smallest(&self, zoom: u8, prefix: u64) -> Option<f64> {
        if zoom >= self.complete() {
            return None;
        }
        let key = square_key(zoom, prefix);
        match self.squares.binary_search_by_key(&key, |s| s.tile) {
            Ok(i) if self.squares[i].level == u64::from(ALL) => None,
            Ok(i) => Some(self.head.total / 2f64.powi(self.squares[i].level as i32)),
            Err(_) => Some(
                self.head.total / 2f64.powi(i32::from(crate::build::section::cap(self.kind, zoom, self.head.total))),
            ),
        }
    }

    pub fn value(&self, column: usize, feature: usize) -> Value<'a> {
        self.columns.get(column).map_or(Value::Null, |c| decode(c.bytes(feature)))
    }
}
