//! The features of one kind on their way into an index.

use std::path::Path;

use super::column::SpooledColumn;
use super::plan::{self, Limits, Plan};
use super::spool::{Mapped, Spool, writable};
use super::{Progress, Report, Stage};
use crate::error::{Error, Result};
use crate::ewkb::shoelace;
use crate::file::{FileWriter, Tag};
use crate::shape::{Bounds, Kind, Parts, Shapes, Vertex};
use crate::world::UNIT_ZOOM;
use crate::{simplify, strokes, tree};

/// A part of more vertices gets a rectangle for each run of 64, so that a tile reads only the runs near it.
pub const LONG_PART: usize = 256;
pub const RUN: usize = 64;
/// Raw bytes of a tile for each byte that it may have compressed: what tiles of real layers come to, with something in hand. Points are
/// mostly names, which compress less than coordinates do.
fn raw_per_compressed(kind: Kind) -> f64 {
    match kind {
        Kind::Point => 1.8,
        Kind::Line => 3.0,
        Kind::Polygon => 2.2,
    }
}

pub struct SectionSpool {
    kind: Kind,
    rows: Spool<u32>,
    features: Spool<u64>,
    parts: Spool<u64>,
    vertices: Spool<Vertex>,
}

impl SectionSpool {
    pub fn create(folder: &Path, kind: Kind) -> Result<SectionSpool> {
        let mut spool = SectionSpool {
            kind,
            rows: Spool::create(folder)?,
            features: Spool::create(folder)?,
            parts: Spool::create(folder)?,
            vertices: Spool::create(folder)?,
        };
        spool.features.push(0)?;
        spool.parts.push(0)?;
        Ok(spool)
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn push(&mut self, row: u32, parts: &Parts) -> Result<()> {
        if parts.is_empty() {
            return Ok(());
        }
        let first = self.vertices.len() as u64;
        self.vertices.extend(&parts.vertices)?;
        for &end in &parts.ends {
            self.parts.push(first + u64::from(end))?;
        }
        self.features.push(self.parts.len() as u64 - 1)?;
        self.rows.push(row)
    }

    /// None when the layer has no feature of the kind.
    pub fn finish(self) -> Result<Option<Spooled>> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(Spooled {
            kind: self.kind,
            rows: self.rows.finish()?,
            features: self.features.finish()?,
            parts: self.parts.finish()?,
            vertices: self.vertices.finish()?,
        }))
    }
}

/// All features of a kind, in the order in which they came.
pub struct Spooled {
    kind: Kind,
    rows: Mapped<u32>,
    features: Mapped<u64>,
    parts: Mapped<u64>,
    vertices: Mapped<Vertex>,
}

impl Spooled {
    fn shapes(&self) -> Shapes<'_> {
        Shapes { kind: self.kind, vertices: &self.vertices, parts: &self.parts, features: &self.features }
    }
}

/// What a section takes from the whole layer.
pub struct Section<'a> {
    pub scratch: &'a Path,
    pub ids: &'a [i64],
    pub costs: &'a [u16],
    pub ranks: Option<&'a [f64]>,
    pub columns: &'a [SpooledColumn],
}

/// The features that show from one zoom on.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Band {
    pub zoom: u64,
    pub start: u64,
    pub end: u64,
    /// Where its tree begins in `Tree`.
    pub tree: u64,
}

/// What holds for all features of a kind.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Head {
    pub features: u64,
    /// Area of all polygons in square world units, or length of all lines in world units.
    pub total: f64,
    /// Whether each feature is one point.
    pub single: u64,
    /// 255: there is no such zoom.
    pub complete: u64,
}

impl Section<'_> {
    /// Writes the sections of one kind and tells the zoom from which nothing is left out.
    pub fn write(
        &self,
        spooled: Spooled,
        tile_limit: usize,
        out: &mut FileWriter,
        report: Report<'_>,
    ) -> Result<Option<u8>> {
        let shapes = spooled.shapes();
        let total_steps = shapes.len() as u64;
        let mut zooms = writable(self.scratch, shapes.vertices.len())?;
        let tell = |report: &mut dyn FnMut(Progress) -> bool, stage, done| match report(Progress {
            stage,
            done,
            total: total_steps,
        }) {
            true => Ok(()),
            false => Err(Error::Stopped),
        };
        tell(report, Stage::Generalise, 0)?;
        let zooms = &mut zooms[..shapes.vertices.len()];
        if shapes.kind != Kind::Point {
            let told = std::cell::RefCell::new(&mut *report);
            let stop = || !told.borrow_mut()(Progress { stage: Stage::Generalise, done: 0, total: total_steps });
            if !simplify::rank(&shapes, zooms, &stop) {
                return Err(Error::Stopped);
            }
        }
        tell(report, Stage::Generalise, total_steps / 2)?;
        let (order, plan, total) = self.plan(&spooled, zooms, tile_limit, report)?;
        tell(report, Stage::Write, 0)?;
        let written = Written { shapes, zooms, order: &order, rows: &spooled.rows };
        written.geometry(out, &plan, total)?;
        tell(report, Stage::Write, total_steps / 2)?;
        self.attributes(&written, out)?;
        tell(report, Stage::Write, total_steps)?;
        Ok(plan.complete)
    }

    /// The features in their final order (by band, then along the Hilbert curve) and what shows when.
    fn plan(
        &self,
        spooled: &Spooled,
        zooms: &[u8],
        tile_limit: usize,
        report: Report<'_>,
    ) -> Result<(Vec<u32>, Plan, f64)> {
        let shapes = spooled.shapes();
        let mut sorted: Vec<(u64, u32)> = (0..shapes.len())
            .map(|f| {
                let [x, y] = bounds(&shapes, f).middle();
                (fast_hilbert::xy2h(x, y, 32), f as u32)
            })
            .collect();
        sorted.sort_unstable();
        let (keys, mut order): (Vec<u64>, Vec<u32>) = sorted.into_iter().unzip();
        let (levels, total) = self.levels(spooled, &keys, &order);
        let limits = |zoom: u8| limits(shapes.kind, zoom, total, tile_limit);
        let cost = |i: usize, zoom: u8| {
            let feature = order[i] as usize;
            let attributes = u32::from(self.costs[spooled.rows[feature] as usize]);
            12 + attributes + geometry_cost(&shapes, zooms, feature, zoom)
        };
        let mut stop =
            || !report(Progress { stage: Stage::Generalise, done: keys.len() as u64, total: keys.len() as u64 });
        let mut plan = plan::plan(&keys, &levels, limits, cost, &mut stop).ok_or(Error::Stopped)?;
        // A stable sort by zoom keeps the curve within each band.
        let mut by_band: Vec<u32> = (0..order.len() as u32).collect();
        by_band.sort_by_key(|&i| plan.zooms[i as usize]);
        plan.zooms = by_band.iter().map(|&i| plan.zooms[i as usize]).collect();
        order = by_band.iter().map(|&i| order[i as usize]).collect();
        Ok((order, plan, total))
    }

    fn levels(&self, spooled: &Spooled, keys: &[u64], order: &[u32]) -> (Vec<u8>, f64) {
        let shapes = spooled.shapes();
        match shapes.kind {
            Kind::Point => {
                let priority = |i: usize| {
                    let row = spooled.rows[order[i] as usize] as usize;
                    let rank = self.ranks.map_or(0.0, |ranks| ranks[row]);
                    // By the id, not by the place: the choice stays when other features come and go.
                    (rank, plan::mix(self.ids[row] as u64))
                };
                (plan::point_levels(keys, priority), keys.len() as f64)
            }
            Kind::Line => {
                let strokes = strokes::strokes(&shapes);
                let total: f64 = (0..shapes.len()).map(|f| length(&shapes, f)).sum();
                (order.iter().map(|&f| plan::line_level(strokes[f as usize], total)).collect(), total)
            }
            Kind::Polygon => {
                let total: f64 = (0..shapes.len()).map(|f| area(&shapes, f)).sum();
                (plan::polygon_levels(order.iter().map(|&f| area(&shapes, f as usize)), total), total)
            }
        }
    }

    fn attributes(&self, written: &Written<'_>, out: &mut FileWriter) -> Result<()> {
        let kind = written.shapes.kind as u32;
        let rows: Vec<u32> = written.order.iter().map(|&f| written.rows[f as usize]).collect();
        out.section(Tag::Ids, kind, 0)?;
        for &row in &rows {
            out.write(&[self.ids[row as usize]])?;
        }
        for (number, column) in (0u32..).zip(self.columns) {
            column.write(out, kind, number, &rows)?;
        }
        Ok(())
    }
}

/// The finest level that shows at a zoom where features are left out for being small.
pub fn cap(kind: Kind, zoom: u8, total: f64) -> u8 {
    match kind {
        Kind::Point => plan::ALL,
        Kind::Line => plan::level_of(unit(zoom), total),
        Kind::Polygon => plan::level_of(smallest_area(zoom), total),
    }
}

/// What a tile of a zoom may show of a kind.
fn limits(kind: Kind, zoom: u8, total: f64, tile_limit: usize) -> Limits {
    let budget = (tile_limit as f64 * raw_per_compressed(kind)) as u64;
    // A pixel is 8 units of a tile (512 pixels for 4096 units).
    let fine = match kind {
        Kind::Point => 2 * (zoom + 9),
        Kind::Line => plan::level_of(4.0 * unit(zoom), total),
        Kind::Polygon => plan::level_of(16.0 * unit(zoom) * unit(zoom), total),
    };
    Limits { budget, cap: cap(kind, zoom, total), fine }
}

/// The area below which a polygon of a zoom is drawn by others that stand for it: 2 units of a tile squared, in world units.
pub fn smallest_area(zoom: u8) -> f64 {
    4.0 * unit(zoom) * unit(zoom)
}

/// World units in a tile's unit.
fn unit(zoom: u8) -> f64 {
    2f64.powi(i32::from(UNIT_ZOOM) - i32::from(zoom))
}

fn bounds(shapes: &Shapes<'_>, feature: usize) -> Bounds {
    let parts = shapes.parts_of(feature);
    Bounds::of(&shapes.vertices[shapes.parts[parts.start] as usize..shapes.parts[parts.end] as usize])
}

fn area(shapes: &Shapes<'_>, feature: usize) -> f64 {
    let twice: i128 = shapes.parts_of(feature).map(|p| shoelace(shapes.part(p))).sum();
    twice.max(0) as f64 / 2.0
}

fn length(shapes: &Shapes<'_>, feature: usize) -> f64 {
    let step = |w: &[Vertex]| (f64::from(w[1][0]) - f64::from(w[0][0])).hypot(f64::from(w[1][1]) - f64::from(w[0][1]));
    shapes.parts_of(feature).map(|p| shapes.part(p).windows(2).map(step).sum::<f64>()).sum()
}

/// The bytes of a geometry in the tile of its middle: of one that spans many tiles, each has a part.
fn geometry_cost(shapes: &Shapes<'_>, zooms: &[u8], feature: usize, zoom: u8) -> u32 {
    let parts = shapes.parts_of(feature);
    let range = shapes.parts[parts.start] as usize..shapes.parts[parts.end] as usize;
    if range.len() == 1 {
        return 5;
    }
    let shown = match range.len() {
        n @ 0..=6 => n,
        _ => zooms[range.clone()].iter().filter(|&&v| v <= zoom).count(),
    };
    let spanned = match zoom {
        0 => 1,
        _ if range.len() <= 6 => 1,
        _ => {
            let b = Bounds::of(&shapes.vertices[range]);
            let tiles = |a: u32, b: u32| (b >> (32 - zoom)) - (a >> (32 - zoom)) + 1;
            tiles(b.min[0], b.max[0]).max(tiles(b.min[1], b.max[1]))
        }
    };
    4 + 3 * (shown as u32 / spanned + 2)
}

struct Written<'a> {
    shapes: Shapes<'a>,
    zooms: &'a [u8],
    order: &'a [u32],
    rows: &'a [u32],
}

impl Written<'_> {
    fn geometry(&self, out: &mut FileWriter, plan: &Plan, total: f64) -> Result<()> {
        let shapes = &self.shapes;
        let kind = shapes.kind as u32;
        let single = shapes.kind == Kind::Point && shapes.vertices.len() == shapes.len();
        out.section(Tag::Head, kind, 0)?;
        let complete = u64::from(plan.complete.unwrap_or(u8::MAX));
        out.write(&[Head { features: shapes.len() as u64, total, single: u64::from(single), complete }])?;
        out.section(Tag::Vertices, kind, 0)?;
        self.each_part(|range| out.write(&shapes.vertices[range]))?;
        if !single {
            self.parts(out)?;
        }
        if shapes.kind != Kind::Point {
            out.section(Tag::Zooms, kind, 0)?;
            self.each_part(|range| out.write(&self.zooms[range]))?;
            self.runs(out)?;
        }
        if shapes.kind == Kind::Polygon {
            out.section(Tag::Areas, kind, 0)?;
            for &f in self.order {
                out.write(&[area(shapes, f as usize) as f32])?;
            }
            out.section(Tag::Squares, kind, 0)?;
            out.write(&plan.squares)?;
        }
        self.bands(out, plan)
    }

    fn each_part(&self, mut each: impl FnMut(std::ops::Range<usize>) -> Result<()>) -> Result<()> {
        self.order
            .iter()
            .flat_map(|&f| self.shapes.parts_of(f as usize))
            .try_for_each(|p| each(self.shapes.part_range(p)))
    }

    fn parts(&self, out: &mut FileWriter) -> Result<()> {
        let (shapes, kind) = (&self.shapes, self.shapes.kind as u32);
        out.section(Tag::Boxes, kind, 0)?;
        for &f in self.order {
            out.write(&[bounds(shapes, f as usize)])?;
        }
        out.section(Tag::Features, kind, 0)?;
        let mut end = 0u64;
        out.write(&[end])?;
        for &f in self.order {
            end += shapes.parts_of(f as usize).len() as u64;
            out.write(&[end])?;
        }
        out.section(Tag::Parts, kind, 0)?;
        let mut end = 0u64;
        out.write(&[end])?;
        self.each_part(|range| {
            end += range.len() as u64;
            out.write(&[end])
        })
    }

    fn runs(&self, out: &mut FileWriter) -> Result<()> {
        let kind = self.shapes.kind as u32;
        let (mut long, mut runs): (Vec<[u64; 2]>, Vec<Bounds>) = (vec![], vec![]);
        let mut part = 0;
        self.each_part(|range| {
            if range.len() > LONG_PART {
                long.push([part, runs.len() as u64]);
                runs.extend(self.shapes.vertices[range].chunks(RUN).map(Bounds::of));
            }
            part += 1;
            Ok(())
        })?;
        out.section(Tag::LongParts, kind, 0)?;
        out.write(&long)?;
        out.section(Tag::Runs, kind, 0)?;
        out.write(&runs)
    }

    fn bands(&self, out: &mut FileWriter, plan: &Plan) -> Result<()> {
        let kind = self.shapes.kind as u32;
        let (mut bands, mut start): (Vec<Band>, usize) = (vec![], 0);
        out.section(Tag::Tree, kind, 0)?;
        let mut nodes = 0;
        while start < self.order.len() {
            let zoom = plan.zooms[start];
            let end = start + plan.zooms[start..].partition_point(|&z| z == zoom);
            let tree = tree::pack(end - start, |i| bounds(&self.shapes, self.order[start + i] as usize));
            bands.push(Band { zoom: u64::from(zoom), start: start as u64, end: end as u64, tree: nodes });
            nodes += tree.len() as u64;
            out.write(&tree)?;
            start = end;
        }
        out.section(Tag::Bands, kind, 0)?;
        out.write(&bands)
    }
}
