//! GML geometries (3.1 and 3.2, the simple features of them) read into GeoJSON with coordinates in the order x, y.

use roxmltree::Node;
use serde_json::{Value, json};

use crate::Reference;
use crate::fault::{Fault, Result, shorten};
use crate::filter::Reading;
use crate::xml::{child, children, text};

/// What a geometry has from the elements around it.
#[derive(Clone, Copy)]
struct Frame {
    reference: Reference,
    dimension: usize,
}

/// Reads a geometry or a `gml:Envelope`, the latter as CQL2's `bbox`. All geometries of a filter are in one reference system.
pub fn geometry(node: Node<'_, '_>, reading: &mut Reading<'_>) -> Result<Value> {
    if !is_geometry(node) {
        return Err(unknown(node));
    }
    let name = node.attribute("srsName").map(str::trim).filter(|name| !name.is_empty());
    let reference = reading.layer.reference(name).ok_or_else(|| {
        let shown = shorten(name.unwrap_or_default());
        let (zh, en) = (format!("不支持的坐标参考系 {shown}"), format!("the CRS {shown} is not offered here"));
        Fault::at(node, zh, en)
    })?;
    match reading.reference {
        Some(before) if before.srid != reference.srid => {
            let (zh, en) =
                ("过滤条件中的几何必须使用同一坐标参考系", "all geometries of a filter must be in the same CRS");
            return Err(Fault::at(node, zh, en));
        }
        _ => reading.reference = Some(reference),
    }
    shape(node, Frame { reference, dimension: 2 })
}

fn is_geometry(node: Node<'_, '_>) -> bool {
    matches!(
        node.tag_name().name(),
        "Point"
            | "LineString"
            | "Curve"
            | "Polygon"
            | "Surface"
            | "MultiPoint"
            | "MultiLineString"
            | "MultiCurve"
            | "MultiPolygon"
            | "MultiSurface"
            | "MultiGeometry"
            | "Envelope"
            | "Box"
    )
}

fn unknown(node: Node<'_, '_>) -> Fault {
    let shown = shorten(node.tag_name().name());
    Fault::at(node, format!("不支持的几何或表达式 {shown}"), format!("{shown} is no geometry or expression known here"))
}

fn shape(node: Node<'_, '_>, frame: Frame) -> Result<Value> {
    let frame = frame.within(node)?;
    let typed = |kind: &str, coordinates: Value| json!({ "type": kind, "coordinates": coordinates });
    Ok(match node.tag_name().name() {
        "Envelope" | "Box" => return envelope(node, frame),
        "Point" => typed("Point", point(node, frame)?),
        "LineString" | "Curve" => typed("LineString", line(node, frame)?),
        "Polygon" => typed("Polygon", polygon(node, frame)?),
        "Surface" => return surface(node, frame),
        "MultiPoint" => typed("MultiPoint", parts(node, frame, point)?.into()),
        "MultiLineString" | "MultiCurve" => typed("MultiLineString", parts(node, frame, line)?.into()),
        "MultiPolygon" | "MultiSurface" => {
            let mut polygons = vec![];
            for member in members(node) {
                let frame = frame.within(member)?;
                match member.tag_name().name() {
                    "Surface" => polygons.extend(patches(member, frame)?),
                    _ => polygons.push(polygon(member, frame)?),
                }
            }
            typed("MultiPolygon", filled(node, polygons)?.into())
        }
        "MultiGeometry" => {
            let shapes = members(node).map(|member| shape(member, frame)).collect::<Result<Vec<_>>>()?;
            json!({ "type": "GeometryCollection", "geometries": filled(node, shapes)? })
        }
        _ => return Err(unknown(node)),
    })
}

impl Frame {
    /// An inner element may say its dimension anew; another reference system within one geometry has no meaning.
    fn within(mut self, node: Node<'_, '_>) -> Result<Frame> {
        match node.attribute("srsDimension").or_else(|| node.attribute("dimension")).map(str::trim) {
            None => {}
            Some("2") => self.dimension = 2,
            Some("3") => self.dimension = 3,
            Some(_) => return Err(Fault::at(node, "srsDimension 应为 2 或 3", "srsDimension is 2 or 3")),
        }
        Ok(self)
    }
}

/// The geometries in a multi-geometry's `…Member` and `…Members`.
fn members<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    children(node).filter(|child| child.tag_name().name().contains("ember")).flat_map(children)
}

fn parts(node: Node<'_, '_>, frame: Frame, each: fn(Node<'_, '_>, Frame) -> Result<Value>) -> Result<Vec<Value>> {
    let found = members(node).map(|member| each(member, frame.within(member)?)).collect::<Result<Vec<_>>>()?;
    filled(node, found)
}

fn filled(node: Node<'_, '_>, parts: Vec<Value>) -> Result<Vec<Value>> {
    match parts.is_empty() {
        true => Err(Fault::at(node, "几何为空", "the geometry is empty")),
        false => Ok(parts),
    }
}

fn point(node: Node<'_, '_>, frame: Frame) -> Result<Value> {
    match &positions(node, frame)?[..] {
        [position] => Ok(json!(position)),
        _ => Err(Fault::at(node, "点应有一个坐标", "a point has one position")),
    }
}

fn line(node: Node<'_, '_>, frame: Frame) -> Result<Value> {
    let positions = match child(node, "segments") {
        Some(segments) => chained(children(segments), "LineStringSegment", frame)?,
        None => positions(node, frame)?,
    };
    match positions.len() {
        0 | 1 => Err(Fault::at(node, "线至少有两个点", "a line has two positions or more")),
        _ => Ok(json!(positions)),
    }
}

/// The positions of pieces that continue each other; where they meet, the position is written once.
fn chained<'a, 'i: 'a>(pieces: impl Iterator<Item = Node<'a, 'i>>, kind: &str, frame: Frame) -> Result<Vec<[f64; 2]>> {
    let mut all: Vec<[f64; 2]> = vec![];
    for piece in pieces {
        if piece.tag_name().name() != kind {
            return Err(unknown(piece));
        }
        let next = positions(piece, frame.within(piece)?)?;
        let skip = usize::from(all.last().is_some() && all.last() == next.first());
        all.extend(next.into_iter().skip(skip));
    }
    Ok(all)
}

fn polygon(node: Node<'_, '_>, frame: Frame) -> Result<Value> {
    let outside = child(node, "exterior").or_else(|| child(node, "outerBoundaryIs"));
    let outside = outside.ok_or_else(|| Fault::at(node, "多边形缺少 exterior", "the polygon has no exterior"))?;
    let mut rings = vec![ring(outside, frame)?];
    for inside in children(node).filter(|c| matches!(c.tag_name().name(), "interior" | "innerBoundaryIs")) {
        rings.push(ring(inside, frame)?);
    }
    Ok(json!(rings))
}

fn ring(boundary: Node<'_, '_>, frame: Frame) -> Result<Vec<[f64; 2]>> {
    let missing = || Fault::at(boundary, "缺少 LinearRing", "a LinearRing is missing");
    let node = children(boundary).next().ok_or_else(missing)?;
    let frame = frame.within(node)?;
    let mut positions = match node.tag_name().name() {
        "LinearRing" => positions(node, frame)?,
        "Ring" => chained(members(node), "LineString", frame)?,
        _ => return Err(missing()),
    };
    // Some clients leave the last position out.
    if positions.len() >= 3 && positions.first() != positions.last() {
        positions.push(positions[0]);
    }
    match positions.len() {
        0..=3 => Err(Fault::at(node, "环至少有四个点", "a ring has four positions or more")),
        _ => Ok(positions),
    }
}

fn surface(node: Node<'_, '_>, frame: Frame) -> Result<Value> {
    let mut patches = filled(node, patches(node, frame)?)?;
    Ok(match patches.len() {
        1 => json!({ "type": "Polygon", "coordinates": patches.remove(0) }),
        _ => json!({ "type": "MultiPolygon", "coordinates": patches }),
    })
}

fn patches(node: Node<'_, '_>, frame: Frame) -> Result<Vec<Value>> {
    let patches = child(node, "patches").into_iter().flat_map(children);
    patches
        .map(|patch| match patch.tag_name().name() {
            "PolygonPatch" => polygon(patch, frame.within(patch)?),
            _ => Err(unknown(patch)),
        })
        .collect()
}

fn envelope(node: Node<'_, '_>, frame: Frame) -> Result<Value> {
    let wrong = || {
        let (zh, en) =
            ("Envelope 应有 lowerCorner 与 upperCorner", "an Envelope has a lowerCorner not above its upperCorner");
        Fault::at(node, zh, en)
    };
    let corner = |name| -> Result<Option<[f64; 2]>> {
        let Some(corner) = child(node, name) else { return Ok(None) };
        Ok(Some(listed(corner, frame)?.first().copied().ok_or_else(wrong)?))
    };
    let corners = match (corner("lowerCorner")?, corner("upperCorner")?) {
        (Some(low), Some(high)) => [low, high],
        // As GML 2 and some of its successors write it.
        _ => positions(node, frame)?.try_into().map_err(|_| wrong())?,
    };
    let [[west, south], [east, north]] = corners;
    // West above east crosses the antimeridian, where there is one.
    if south > north || (west > east && !frame.reference.degrees) {
        return Err(wrong());
    }
    Ok(json!({ "bbox": [west, south, east, north] }))
}

/// The positions that an element holds in one of GML's ways.
fn positions(node: Node<'_, '_>, frame: Frame) -> Result<Vec<[f64; 2]>> {
    let mut all = vec![];
    for child in children(node) {
        match child.tag_name().name() {
            "pos" | "posList" => all.extend(listed(child, frame)?),
            "coordinates" => all.extend(tuples(child, frame)?),
            "pointProperty" | "pointRep" => {
                for point in children(child) {
                    all.extend(positions(point, frame.within(point)?)?);
                }
            }
            _ => {}
        }
    }
    Ok(all)
}

/// Numbers one after the other, as `pos` and `posList` have them.
fn listed(node: Node<'_, '_>, frame: Frame) -> Result<Vec<[f64; 2]>> {
    let frame = frame.within(node)?;
    let text = text(node);
    let numbers: Vec<f64> = text.split_ascii_whitespace().map(|part| number(part, node)).collect::<Result<_>>()?;
    // A single position tells its dimension by its length.
    let dimension = if node.tag_name().name() != "posList" && numbers.len() == 3 { 3 } else { frame.dimension };
    if numbers.is_empty() || !numbers.len().is_multiple_of(dimension) {
        return Err(Fault::at(node, "坐标个数不正确", "there are too few or too many coordinates"));
    }
    Ok(numbers.chunks_exact(dimension).map(|position| frame.ordered(position[0], position[1])).collect())
}

/// `x,y x,y`, with separators of their own.
fn tuples(node: Node<'_, '_>, frame: Frame) -> Result<Vec<[f64; 2]>> {
    let separator = |name: &str, default: char| node.attribute(name).and_then(|s| s.chars().next()).unwrap_or(default);
    let (comma, space) = (separator("cs", ','), separator("ts", ' '));
    let text = text(node);
    let blank = |c: char| c == space || c.is_ascii_whitespace();
    text.split(blank)
        .filter(|tuple| !tuple.is_empty())
        .map(|tuple| {
            let numbers: Vec<f64> = tuple.split(comma).map(|part| number(part, node)).collect::<Result<_>>()?;
            match numbers[..] {
                [x, y] | [x, y, _] => Ok(frame.ordered(x, y)),
                _ => Err(Fault::at(node, "坐标个数不正确", "there are too few or too many coordinates")),
            }
        })
        .collect()
}

impl Frame {
    fn ordered(self, first: f64, second: f64) -> [f64; 2] {
        if self.reference.swapped { [second, first] } else { [first, second] }
    }
}

fn number(text: &str, node: Node<'_, '_>) -> Result<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| {
        let shown = shorten(text);
        Fault::at(node, format!("“{shown}”不是坐标"), format!("\"{shown}\" is no coordinate"))
    })
}
