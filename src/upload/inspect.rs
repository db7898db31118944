//! The full pass over an upload that says what it is and what is wrong with it.

use super::archive::ArchiveLimits;
use super::crs::{self, Range, ToCgcs2000};
use super::datum::{self, Comparison, Reference};
use super::fields::{self, Seen};
use super::files::{self, Dataset};
use super::geometry::{Geometry, Kind};
use super::open::{self, Options, Progress};
use super::report::*;
use super::source::{Cell, LayerHead, Next, Row, Rows, Shape, Source, SourceField};
use super::tileset;
use super::validity::Checker;
use crate::error::{Error, Result};
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

const MAX_SAMPLES: usize = 20;
/// Positions kept to judge the coordinates by, spread over the layer.
const MAX_POSITIONS: usize = 8192;
/// Values remembered to find keys by, over all fields of a layer.
const MAX_KEY_VALUES: usize = 3_000_000;
/// Vertices of a sample feature.
const MAX_SAMPLE_VERTICES: usize = 2000;

pub fn inspect(
    path: &std::path::Path,
    options: &Options,
    limits: ArchiveLimits,
    progress: &mut dyn FnMut(Progress),
) -> Result<Inspection> {
    progress(Progress { stage: "unpack".into(), done: 0, total: 0 });
    let opened = open::survey(path, options, limits)?;
    let reference = match &options.reference {
        Some(path) => load_reference(path, options)?,
        None => Reference::default(),
    };
    let mut report = Inspection { files: opened.files, problems: opened.problems, ..Inspection::default() };
    let mut formats: Vec<&str> = Vec::new();
    let mut refusals = Vec::new();
    for dataset in &opened.datasets {
        match inspect_dataset(dataset, options, &reference, progress) {
            Ok(layers) => {
                if !formats.contains(&dataset.format.name()) {
                    formats.push(dataset.format.name());
                }
                report.layers.extend(layers);
            }
            Err(e) if matches!(e.kind, crate::error::Kind::Internal) => return Err(e),
            Err(e) => {
                report.problems.push(Note::from(e.detail.clone()));
                refusals.push(e);
            }
        }
    }
    report.format = formats.join(", ");
    if report.layers.is_empty() {
        return Err(match (refusals.into_iter().next(), report.problems.first()) {
            (Some(e), _) => e,
            (None, Some(why)) => Error::invalid("file", why.zh.clone(), why.en.clone()),
            (None, None) => Error::invalid(
                "file",
                "上传内容中没有可识别的地图数据",
                "the upload holds no map data that is recognised",
            ),
        });
    }
    Ok(report)
}

/// The divisions to compare with, in CGCS2000 degrees.
fn load_reference(path: &std::path::Path, options: &Options) -> Result<Reference> {
    let (_, datasets, _) = files::survey(path)?;
    let mut reference = Reference::default();
    for dataset in &datasets {
        let mut source = open::open(dataset, &options.work, None)?;
        for layer in 0..source.layers().len() {
            let mut rows = source.rows(layer)?;
            let mut row = Row::default();
            loop {
                match rows.next(&mut row)? {
                    Next::End => break,
                    Next::Row if row.shape == Shape::Present => reference.add(&row.cells, &row.geometry),
                    _ => {}
                }
            }
        }
    }
    Ok(reference)
}

fn inspect_dataset(
    dataset: &Dataset,
    options: &Options,
    reference: &Reference,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<SourceLayer>> {
    if matches!(dataset.format, files::Format::PmTiles | files::Format::MbTiles) {
        return Ok(vec![tileset::inspect(dataset, progress)?]);
    }
    let mut source = open::open(dataset, &options.work, options.encoding.as_deref())?;
    let heads: Vec<LayerHead> = source.layers().to_vec();
    let mut layers = Vec::new();
    for (index, head) in heads.iter().enumerate() {
        let mut scan = Scan::default();
        let fields = {
            let mut rows = source.rows(index)?;
            scan.run(rows.as_mut(), head, reference, progress)?;
            rows.fields().to_vec()
        };
        layers.push(scan.report(dataset, index, head, fields, source.as_ref(), options));
    }
    Ok(layers)
}

/// What a pass over one layer gathers.
#[derive(Default)]
struct Scan {
    rows: u64,
    kinds: BTreeMap<Kind, u64>,
    dimensions: u8,
    z: bool,
    m: bool,
    bbox: Option<[f64; 4]>,
    positions: Vec<(f64, f64)>,
    stride: usize,
    seen_positions: usize,
    found: GeometryFound,
    bad_texts: u64,
    seen: Vec<Seen>,
    keys: Vec<Option<HashSet<u64>>>,
    key_values: usize,
    hasher: RandomState,
    samples: Vec<(Vec<Cell>, Option<Geometry>)>,
    comparison: Comparison,
    checker: Checker,
}

impl Scan {
    fn run(
        &mut self,
        rows: &mut dyn Rows,
        head: &LayerHead,
        reference: &Reference,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let mut row = Row::default();
        loop {
            match rows.next(&mut row)? {
                Next::End => return Ok(()),
                Next::Failed(why) => {
                    self.rows += 1;
                    self.found.failed_rows.add(self.rows);
                    count_cause(&mut self.found.reasons, &why);
                }
                Next::Row => {
                    self.rows += 1;
                    self.see_cells(&row, rows.fields());
                    self.see_shape(&mut row, reference);
                    if self.samples.len() < MAX_SAMPLES {
                        let small = row.geometry.x.len() <= MAX_SAMPLE_VERTICES;
                        let geometry = (row.shape == Shape::Present && small).then(|| row.geometry.clone());
                        self.samples.push((row.cells.clone(), geometry));
                    }
                }
            }
            if self.rows.is_multiple_of(5000) {
                let (done, total) = rows.progress();
                progress(Progress { stage: format!("inspect {}", head.name), done, total });
            }
        }
    }

    fn see_cells(&mut self, row: &Row, fields: &[SourceField]) {
        self.bad_texts += u64::from(row.bad_texts > 0);
        while self.seen.len() < row.cells.len() {
            self.seen.push(Seen::default());
            // A field that appears late was absent before: no key.
            self.keys.push((self.rows == 1).then(HashSet::new));
        }
        for (i, cell) in row.cells.iter().enumerate() {
            let Some(field) = fields.get(i).filter(|f| !f.is_geometry) else { continue };
            self.seen[i].see(cell, field.untyped);
            self.see_key(i, cell);
        }
        for key in self.keys.iter_mut().skip(row.cells.len()) {
            *key = None;
        }
    }

    fn see_key(&mut self, field: usize, cell: &Cell) {
        let Some(values) = &mut self.keys[field] else { return };
        let fresh = match cell {
            Cell::Text(t) => values.insert(self.hasher.hash_one(t)),
            Cell::Int(i) => values.insert(self.hasher.hash_one(i)),
            _ => false,
        };
        self.key_values += 1;
        if !fresh || self.key_values > MAX_KEY_VALUES {
            self.key_values -= values.len().min(self.key_values);
            self.keys[field] = None;
        }
    }

    fn see_shape(&mut self, row: &mut Row, reference: &Reference) {
        self.found.curves += u64::from(row.curved);
        match &row.shape {
            Shape::Null => self.found.null += 1,
            Shape::Empty => self.found.empty += 1,
            Shape::Unreadable(why) => {
                self.found.unreadable.add(row.number);
                count_cause(&mut self.found.reasons, why);
            }
            Shape::Present => self.see_geometry(row, reference),
        }
    }

    fn see_geometry(&mut self, row: &mut Row, reference: &Reference) {
        let g = &mut row.geometry;
        *self.kinds.entry(g.kind).or_default() += 1;
        self.dimensions |= g.dimensions();
        self.z |= g.any_z();
        self.m |= g.any_m();
        if !g.is_finite() {
            self.found.not_finite.add(row.number);
            return;
        }
        g.widen(&mut self.bbox);
        self.keep_positions(g);
        let unsound = g.close_and_prune();
        if g.is_empty() {
            self.found.degenerate.add(row.number);
            return;
        }
        let fault = if unsound {
            Some("an open ring, or a part with too few points".to_owned())
        } else {
            self.checker.fault(g)
        };
        match fault {
            None => self.found.valid += 1,
            Some(why) => {
                self.found.invalid.add(row.number);
                count_cause(&mut self.found.reasons, &why);
            }
        }
        if !reference.is_empty() {
            self.comparison.see(reference, &row.cells, g);
        }
    }

    fn keep_positions(&mut self, g: &Geometry) {
        for child in &g.children {
            self.keep_positions(child);
        }
        let step = (g.x.len() / 4).max(1);
        for i in (0..g.x.len()).step_by(step) {
            self.seen_positions += 1;
            if !self.seen_positions.is_multiple_of(1 << self.stride) && self.seen_positions > 1 {
                continue;
            }
            self.positions.push((g.x[i], g.y[i]));
            if self.positions.len() >= MAX_POSITIONS {
                let mut keep = false;
                self.positions.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.stride += 1;
            }
        }
    }

    /// The coordinates' range without the outermost hundredths, where stray points lie.
    fn range(&self) -> Option<Range> {
        let trim = |mut v: Vec<f64>| {
            v.sort_by(f64::total_cmp);
            let cut = v.len() / 100;
            Some((*v.get(cut)?, *v.get(v.len() - 1 - cut)?))
        };
        Some(Range {
            x: trim(self.positions.iter().map(|p| p.0).collect())?,
            y: trim(self.positions.iter().map(|p| p.1).collect())?,
        })
    }

    fn target(&self) -> GeometryTarget {
        let multi_points = self.kinds.contains_key(&Kind::MultiPoint);
        let kind = match self.dimensions {
            _ if self.kinds.contains_key(&Kind::Collection) => TargetKind::Geometry,
            0b001 if multi_points => TargetKind::MultiPoint,
            0b001 => TargetKind::Point,
            0b010 => TargetKind::MultiLineString,
            0b100 => TargetKind::MultiPolygon,
            _ => TargetKind::Geometry,
        };
        GeometryTarget { kind, z: self.z, m: self.m }
    }

    fn report(
        mut self,
        dataset: &Dataset,
        index: usize,
        head: &LayerHead,
        fields: Vec<SourceField>,
        source: &dyn Source,
        options: &Options,
    ) -> SourceLayer {
        let (mut crs, axes) = find_crs(head, self.range(), options.area);
        let datum = self.datum(dataset, head, &fields, &crs);
        crs.needs_confirmation |= datum.datum != Datum::None;
        let fields = self.fields(fields);
        let key_candidates = fields
            .iter()
            .filter(|f| self.keys.get(f.source).is_some_and(Option::is_some) && self.rows > 0 && !f.is_geometry)
            .map(|f| f.name.clone())
            .collect();
        let mut notes = head.notes.clone();
        if self.bad_texts > 0 {
            let n = self.bad_texts;
            notes.push(Note::new(
                format!("{n} 行含有无法按该编码解读的文字，已用替代符号代替"),
                format!("{n} rows hold texts that are not in this encoding; replacement characters stand for them"),
            ));
        }
        if self.kinds.is_empty() {
            notes.push(Note::new("没有几何", "there is no geometry"));
        }
        self.found.mixed = self.dimensions.count_ones() > 1;
        let way = layer_choice(&crs).and_then(|c| ToCgcs2000::new(&c).ok());
        let place = |g: &mut Geometry| to_degrees(g, way.as_ref(), &axes, datum.datum);
        SourceLayer {
            dataset: dataset.name.clone(),
            index,
            name: head.name.clone(),
            format: source.format().to_owned(),
            geometry_types: self.kinds.iter().map(|(k, n)| (k.name().to_owned(), *n)).collect(),
            target: self.target(),
            has_z: self.z,
            has_m: self.m,
            feature_count: self.rows,
            encoding: head.encoding.clone(),
            bbox: self.bbox,
            bbox_4490: self.bbox.and_then(|b| bbox_in_degrees(b, &place)),
            sample: samples(&self.samples, &fields, &place),
            crs,
            axes,
            datum_suspicion: datum,
            fields,
            key_candidates,
            geometry: self.found,
            notes,
            tiles: None,
        }
    }

    fn datum(&self, dataset: &Dataset, head: &LayerHead, fields: &[SourceField], crs: &CrsFound) -> DatumFound {
        let near_wgs84 = matches!(crs.epsg, Some(4490 | 4326 | 3857 | 900_913) | None);
        if let Some(judged) = self.comparison.judge()
            && near_wgs84
        {
            return judged;
        }
        // What the data say outweighs names; names are asked only where a shift is possible at all.
        if !near_wgs84 {
            return DatumFound::default();
        }
        let words = [dataset.name.as_str(), head.name.as_str()].into_iter();
        datum::by_words(
            words.chain(fields.iter().map(|f| f.name.as_str())).chain(head.hints.iter().map(String::as_str)),
        )
    }

    fn fields(&mut self, fields: Vec<SourceField>) -> Vec<FieldFound> {
        let names = fields::clean_names(fields.iter().map(|f| f.name.as_str()));
        let blank = Seen::default();
        fields
            .into_iter()
            .zip(names)
            .enumerate()
            .map(|(i, (field, (name, mut notes)))| {
                let seen = self.seen.get(i).unwrap_or(&blank);
                let (kind, more) = seen.decide(field.declared, &field.name);
                notes.extend(field.notes);
                notes.extend(more);
                if field.width.is_some_and(|w| w as usize <= seen.longest()) && field.width.is_some_and(|w| w >= 200) {
                    notes.push(Note::new(
                        "有值写满字段宽度，可能在源文件中已被截断",
                        "some values fill the field: the source may have cut them",
                    ));
                }
                FieldFound {
                    source: i,
                    source_name: field.name,
                    name,
                    kind,
                    original_type: field.original_type,
                    width: field.width,
                    nulls: self.rows - seen.values.min(self.rows),
                    samples: seen.samples.clone(),
                    is_geometry: field.is_geometry,
                    notes,
                }
            })
            .collect()
    }
}

fn layer_choice(crs: &CrsFound) -> Option<CrsChoice> {
    crs.epsg.map(CrsChoice::Epsg).or_else(|| crs.wkt.clone().map(CrsChoice::Wkt))
}

/// The CRS as declared, unless the coordinates belie it; else a guess.
fn find_crs(head: &LayerHead, range: Option<Range>, area: Option<[f64; 4]>) -> (CrsFound, Axes) {
    // A description that leads nowhere is as good as none.
    let usable = |found: &CrsFound| layer_choice(found).is_some_and(|c| ToCgcs2000::new(&c).is_ok());
    let declared = head.crs.as_deref().and_then(crs::declared).filter(usable);
    let Some(range) = range else {
        let fallback = || CrsFound {
            epsg: Some(crs::CGCS2000),
            wkt: None,
            name: crs::name_of(crs::CGCS2000),
            confidence: Confidence::Unknown,
            reasons: vec![Note::new("没有坐标可供判断", "there are no coordinates to judge by")],
            candidates: Vec::new(),
            needs_confirmation: false,
        };
        return (declared.unwrap_or_else(fallback), Axes::default());
    };
    let Some(found) = declared else {
        let (mut found, swapped) = crs::guess(range, area);
        let why = if head.crs.is_some() {
            Note::new("文件中的坐标系描述无法理解", "the file's CRS description cannot be understood")
        } else {
            Note::new("文件没有说明坐标系", "the file does not say its CRS")
        };
        found.reasons.insert(0, why);
        return (found, axes(swapped));
    };
    contradicted(found, range, area)
}

fn axes(swapped: bool) -> Axes {
    let reason = swapped.then(|| {
        Note::new(
            "两个坐标的次序相反：纬度（纵坐标）在前",
            "the coordinates stand in reverse: latitude (northing) first",
        )
    });
    Axes { swapped, reason }
}

fn contradicted(found: CrsFound, range: Range, area: Option<[f64; 4]>) -> (CrsFound, Axes) {
    let degrees = matches!(found.epsg, Some(4326 | 4490 | 4610 | 4214));
    let turned = range.swapped();
    if degrees && turned.is_china() && !range.is_china() {
        let mut found = found;
        found.needs_confirmation = true;
        return (found, axes(true));
    }
    let planar_swapped = !degrees
        && found.epsg.is_some_and(|code| {
            !lands_somewhere(code, range) && lands_somewhere(code, turned) && is_chinese_plane(code)
        });
    if planar_swapped {
        let mut found = found;
        found.needs_confirmation = true;
        return (found, axes(true));
    }
    let belied = degrees && !range.is_degrees() || is_projected(&found) && range.is_degrees() && !tiny(range);
    if !belied {
        return (found, Axes::default());
    }
    let (mut guess, swapped) = crs::guess(range, area);
    guess.reasons.insert(
        0,
        Note::new(
            format!("文件声明 {}，但坐标与之不符", found.name),
            format!("the file declares {}, but its coordinates do not fit that", found.name),
        ),
    );
    (guess, axes(swapped))
}

fn is_chinese_plane(code: u32) -> bool {
    matches!(code, 4491..=4554 | 2327..=2442 | 21413..=21463)
}

/// Drawings of a few metres around the origin may well be metres.
fn tiny(range: Range) -> bool {
    range.x.0.abs() < 1.0 && range.y.0.abs() < 1.0
}

fn is_projected(found: &CrsFound) -> bool {
    found.epsg.is_some_and(|c| is_chinese_plane(c) || c == 3857)
}

/// Whether the range, read in this CRS, lies in China.
fn lands_somewhere(code: u32, range: Range) -> bool {
    let Ok(way) = ToCgcs2000::new(&CrsChoice::Epsg(code)) else { return false };
    let (mut x, mut y) = ([range.x.0, range.x.1], [range.y.0, range.y.1]);
    way.apply(&mut x, &mut y)
        && Range { x: (x[0].min(x[1]), x[0].max(x[1])), y: (y[0].min(y[1]), y[0].max(y[1])) }.is_china()
}

/// Brings a geometry to CGCS2000 degrees the way reading would. False where that cannot be.
fn to_degrees(g: &mut Geometry, way: Option<&ToCgcs2000>, axes: &Axes, datum: Datum) -> bool {
    let Some(way) = way else { return false };
    if axes.swapped {
        g.swap_axes();
    }
    let done = g.each_column(&mut |x, y, _| {
        let ok = way.apply(x, y);
        datum::undo(datum, x, y);
        if ok { Ok(()) } else { Err(()) }
    });
    done.is_ok() && g.is_finite()
}

fn bbox_in_degrees(b: [f64; 4], place: &impl Fn(&mut Geometry) -> bool) -> Option<[f64; 4]> {
    let mut g = Geometry { kind: Kind::MultiPoint, ..Geometry::default() };
    // Edges bulge in projection: points along them, not the corners alone.
    for i in 0..=8 {
        for j in 0..=8 {
            g.x.push(b[0] + (b[2] - b[0]) * f64::from(i) / 8.0);
            g.y.push(b[1] + (b[3] - b[1]) * f64::from(j) / 8.0);
        }
    }
    let mut out = None;
    place(&mut g).then(|| g.widen(&mut out))?;
    out
}

fn samples(
    rows: &[(Vec<Cell>, Option<Geometry>)],
    fields: &[FieldFound],
    place: &impl Fn(&mut Geometry) -> bool,
) -> Vec<serde_json::Value> {
    let feature = |(cells, geometry): &(Vec<Cell>, Option<Geometry>)| {
        let properties: serde_json::Map<String, serde_json::Value> = fields
            .iter()
            .filter(|f| !f.is_geometry)
            .map(|f| (f.name.clone(), cells.get(f.source).map_or(serde_json::Value::Null, json)))
            .collect();
        let geometry = geometry.as_ref().and_then(|g| {
            let mut g = g.clone();
            place(&mut g).then(|| geometry_json(&g))
        });
        serde_json::json!({"type": "Feature", "properties": properties, "geometry": geometry})
    };
    rows.iter().map(feature).collect()
}

fn json(cell: &Cell) -> serde_json::Value {
    match cell {
        Cell::Null => serde_json::Value::Null,
        Cell::Bool(b) => (*b).into(),
        Cell::Int(i) => (*i).into(),
        Cell::Float(f) => (*f).into(),
        other => fields::show(other).chars().take(300).collect::<String>().into(),
    }
}

/// A geometry as GeoJSON, to seven decimals.
pub fn geometry_json(g: &Geometry) -> serde_json::Value {
    use serde_json::Value;
    let round = |v: f64| (v * 1e7).round() / 1e7;
    let position = |i: usize| -> Value {
        let mut p = vec![round(g.x[i]), round(g.y[i])];
        p.extend(g.z.get(i).filter(|z| z.is_finite()));
        p.into()
    };
    let run = |part: usize| -> Value {
        let start = if part == 0 { 0 } else { g.parts[part - 1] as usize };
        (start..g.parts[part] as usize).map(position).collect()
    };
    let polygon = |n: usize| -> Value {
        let first = if n == 0 { 0 } else { g.polygons[n - 1] as usize };
        (first..g.polygons[n] as usize).map(run).collect()
    };
    let coordinates: Value = match g.kind {
        Kind::Collection => {
            let children: Vec<Value> = g.children.iter().map(geometry_json).collect();
            return serde_json::json!({"type": "GeometryCollection", "geometries": children});
        }
        Kind::Point if g.x.is_empty() => Value::Array(Vec::new()),
        Kind::Point => position(0),
        Kind::MultiPoint => (0..g.x.len()).map(position).collect(),
        Kind::LineString if g.parts.is_empty() => Value::Array(Vec::new()),
        Kind::LineString => run(0),
        Kind::MultiLineString => (0..g.parts.len()).map(run).collect(),
        Kind::Polygon if g.polygons.is_empty() => Value::Array(Vec::new()),
        Kind::Polygon => polygon(0),
        Kind::MultiPolygon => (0..g.polygons.len()).map(polygon).collect(),
    };
    serde_json::json!({"type": g.kind.name(), "coordinates": coordinates})
}
