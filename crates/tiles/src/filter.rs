//! Which features a request wants: its filter and a grant's rows, prepared for a section so that most features cost a look-up.

use std::cell::{Cell, RefCell};

use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};
use onemap_cql2::{Expr, Filter, Row, Value};

use crate::area::near_window;
use crate::clip;
use crate::delta::Edited;
use crate::index::View;
use crate::shape::{Bounds, Kind, Vertex};
use crate::value::decode;
use crate::window::Clip;
use crate::world::{project, unproject};

/// A grant's rows: in each named column one of the values, as text.
pub type Rows<'a> = &'a [(usize, Vec<String>)];

/// A condition over one section. A part that concerns one column with a dictionary is answered once for each entry.
pub struct Wanted<'a> {
    nodes: Vec<Node<'a>>,
}

enum Node<'a> {
    And(Vec<Node<'a>>),
    Or(Vec<Node<'a>>),
    Not(Box<Node<'a>>),
    OneColumn { test: Test<'a>, column: usize, known: RefCell<Vec<u8>> },
    Row(&'a Expr),
}

enum Test<'a> {
    Expr(&'a Expr),
    Values(&'a [String]),
}

const UNKNOWN: u8 = 3;
/// Entries whose answers a filter remembers, over all of its parts: what is beyond is tested anew for each feature.
const KNOWN: usize = 4 << 20;

impl<'a> Wanted<'a> {
    pub fn new(filter: Option<&'a Filter>, rows: Rows<'a>, view: &View<'_>) -> Wanted<'a> {
        let mut room = KNOWN;
        let mut nodes: Vec<Node<'a>> = (rows.iter())
            .map(|(column, values)| Node::one_column(Test::Values(values), *column, view, &mut room))
            .collect();
        nodes.extend(filter.map(|f| Node::new(f.expr(), view, &mut room)));
        Wanted { nodes }
    }

    /// Whether everything is wanted.
    pub fn is_all(&self) -> bool {
        self.nodes.is_empty()
    }

    #[inline]
    pub fn wants(&self, view: &View<'_>, feature: usize) -> bool {
        self.nodes.iter().all(|n| n.evaluate(view, feature) == Some(true))
    }
}

impl<'a> Node<'a> {
    fn new(expr: &'a Expr, view: &View<'_>, room: &mut usize) -> Node<'a> {
        let fields = expr.fields();
        if let (1, Some(&column), false) = (fields.len(), fields.first(), expr.uses_geometry()) {
            return Node::one_column(Test::Expr(expr), column, view, room);
        }
        let mut each = |list: &'a [Expr]| list.iter().map(|e| Node::new(e, view, room)).collect();
        match expr {
            Expr::And(list) => Node::And(each(list)),
            Expr::Or(list) => Node::Or(each(list)),
            Expr::Not(inner) => Node::Not(Box::new(Node::new(inner, view, room))),
            Expr::Relation { meaning, .. } => Node::new(meaning, view, room),
            other => Node::Row(other),
        }
    }

    fn one_column(test: Test<'a>, column: usize, view: &View<'_>, room: &mut usize) -> Node<'a> {
        let entries = view.columns.get(column).and_then(|c| c.entries()).filter(|n| *n <= *room).unwrap_or(0);
        *room -= entries;
        Node::OneColumn { test, column, known: RefCell::new(vec![0; entries]) }
    }

    /// Three-valued, as SQL has it.
    fn evaluate(&self, view: &View<'_>, feature: usize) -> Option<bool> {
        match self {
            Node::And(list) => three_valued(list.iter().map(|n| n.evaluate(view, feature)), false),
            Node::Or(list) => three_valued(list.iter().map(|n| n.evaluate(view, feature)), true),
            Node::Not(inner) => inner.evaluate(view, feature).map(|b| !b),
            Node::Row(expr) => expr.evaluate(&Feature { view, feature }),
            Node::OneColumn { test, column, known } => {
                let c = view.columns.get(*column)?;
                if c.entries().is_none() {
                    return test.evaluate(*column, decode(c.bytes(feature)));
                }
                let code = c.code(feature);
                let mut known = known.borrow_mut();
                let Some(slot) = known.get_mut(code as usize) else {
                    return test.evaluate(*column, decode(c.entry(code)));
                };
                if *slot == 0 {
                    *slot = match test.evaluate(*column, decode(c.entry(code))) {
                        Some(true) => 1,
                        Some(false) => 2,
                        None => UNKNOWN,
                    };
                }
                (*slot != UNKNOWN).then_some(*slot == 1)
            }
        }
    }
}

impl Test<'_> {
    fn evaluate(&self, column: usize, value: Value<'_>) -> Option<bool> {
        match self {
            Test::Expr(expr) => expr.evaluate(&OneValue { column, value }),
            Test::Values(values) => one_of(&value, values),
        }
    }
}

/// `value::text = any(values)`, as the database has it.
fn one_of(value: &Value<'_>, values: &[String]) -> Option<bool> {
    Some(match value {
        Value::Null => return None,
        Value::Text(text) => values.iter().any(|v| v == text),
        Value::Integer(n) => values.iter().any(|v| v.parse() == Ok(*n)),
        Value::Float(f) => values.iter().any(|v| v.parse() == Ok(*f)),
        Value::Boolean(b) => values.iter().any(|v| v == if *b { "true" } else { "false" }),
    })
}

/// And (`settles` is false) or or (true) of three-valued terms.
fn three_valued(terms: impl Iterator<Item = Option<bool>>, settles: bool) -> Option<bool> {
    let mut result = Some(!settles);
    for term in terms {
        match term {
            Some(t) if t == settles => return term,
            None => result = None,
            _ => {}
        }
    }
    result
}

struct OneValue<'a> {
    column: usize,
    value: Value<'a>,
}

impl Row for OneValue<'_> {
    fn value(&self, field: usize) -> Value<'_> {
        if field == self.column { self.value } else { Value::Null }
    }
}

struct Feature<'a> {
    view: &'a View<'a>,
    feature: usize,
}

impl Row for Feature<'_> {
    fn value(&self, field: usize) -> Value<'_> {
        self.view.value(field, self.feature)
    }
    fn bounds(&self) -> Option<[f64; 4]> {
        Some(degrees(&self.view.bounds(self.feature)))
    }
    fn geometry(&self) -> Option<Geometry> {
        let (view, f) = (self.view, self.feature);
        Some(match view.kind {
            Kind::Point => geometry(Kind::Point, view.points(f).iter().map(std::slice::from_ref)),
            kind => geometry(kind, view.parts_of(f).map(|p| view.part(p).vertices)),
        })
    }
    fn intersects(&self, bbox: [f64; 4]) -> bool {
        let clip = world_box(bbox);
        let (view, f) = (self.view, self.feature);
        let bounds = view.bounds(f);
        if clip.beside(&bounds) || clip.holds(&bounds) {
            return !clip.beside(&bounds);
        }
        match view.kind {
            Kind::Point => view.points(f).iter().any(|v| clip.has(v)),
            kind => {
                let meets = Meets::new(kind, clip);
                view.parts_of(f).for_each(|p| meets.part(view.part(p).vertices, view.part(p).runs));
                meets.any.get()
            }
        }
    }
}

/// An edited feature as a filter sees it.
pub struct EditedRow<'a>(pub &'a Edited);

impl EditedRow<'_> {
    pub fn wanted(&self, filter: Option<&Filter>, rows: Rows<'_>) -> bool {
        rows.iter().all(|(column, values)| one_of(&self.value(*column), values) == Some(true))
            && filter.is_none_or(|f| f.matches(self))
    }
}

impl Row for EditedRow<'_> {
    fn value(&self, field: usize) -> Value<'_> {
        self.0.values.get(field).map_or(Value::Null, |bytes| decode(bytes))
    }
    fn intersects(&self, bbox: [f64; 4]) -> bool {
        let clip = world_box(bbox);
        Kind::ALL.into_iter().any(|kind| {
            let meets = Meets::new(kind, clip);
            self.0.shape.parts(kind).iter().for_each(|part| meets.part(part, &[]));
            meets.any.get()
        })
    }
    fn bounds(&self) -> Option<[f64; 4]> {
        let mut bounds = Bounds::EMPTY;
        self.0.bounds.iter().for_each(|b| bounds.join(b));
        (!bounds.is_empty()).then(|| degrees(&bounds))
    }
    fn geometry(&self) -> Option<Geometry> {
        let kinds = Kind::ALL.into_iter().filter(|kind| !self.0.shape.parts(*kind).is_empty());
        let mut all: Vec<Geometry> = kinds
            .map(|kind| match kind {
                Kind::Point => geometry(kind, self.0.shape.points.vertices.iter().map(std::slice::from_ref)),
                kind => geometry(kind, self.0.shape.parts(kind).iter()),
            })
            .collect();
        match all.len() {
            0 | 1 => all.pop(),
            _ => Some(Geometry::GeometryCollection(GeometryCollection(all))),
        }
    }
}

/// The place in degrees at which a place lies here: a vertex and a filter's place are the same when their centimetre is.
pub fn snapped([lon, lat]: [f64; 2]) -> [f64; 2] {
    let Coord { x, y } = place(&project(lon, lat));
    [x, y]
}

fn place(&[x, y]: &Vertex) -> Coord {
    let (lon, lat) = unproject(x.into(), y.into());
    Coord { x: lon, y: lat }
}

fn degrees(bounds: &Bounds) -> [f64; 4] {
    let (low, high) = (place(&bounds.min), place(&bounds.max));
    [low.x, high.y, high.x, low.y]
}

/// Parts as a geometry in degrees. A hole follows its outer ring.
fn geometry<'a>(kind: Kind, parts: impl Iterator<Item = &'a [Vertex]>) -> Geometry {
    let coords = |part: &[Vertex]| part.iter().map(place).collect::<Vec<Coord>>();
    match kind {
        Kind::Point => Geometry::MultiPoint(MultiPoint(parts.flatten().map(|v| Point(place(v))).collect())),
        Kind::Line => Geometry::MultiLineString(MultiLineString(parts.map(|p| LineString(coords(p))).collect())),
        Kind::Polygon => {
            let mut polygons: Vec<Polygon> = vec![];
            for part in parts {
                let points: Vec<clip::Point> = part.iter().map(|v| v.map(i64::from)).collect();
                // A ring that is not closed is closed here.
                match polygons.last_mut() {
                    Some(polygon) if crate::area::shoelace(&points) < 0 => {
                        polygon.interiors_push(LineString(coords(part)))
                    }
                    _ => polygons.push(Polygon::new(LineString(coords(part)), vec![])),
                }
            }
            Geometry::MultiPolygon(MultiPolygon(polygons))
        }
    }
}

fn world_box([west, south, east, north]: [f64; 4]) -> Clip {
    let ([x0, y0], [x1, y1]) = (project(west, north), project(east, south));
    Clip { min: [x0.into(), y0.into()], max: [x1.into(), y1.into()] }
}

/// Whether parts meet a box: a ring by what is left of all rings together, since a hole may hold the box.
struct Meets {
    kind: Kind,
    clip: Clip,
    any: Cell<bool>,
    area: Cell<i128>,
}

impl Meets {
    fn new(kind: Kind, clip: Clip) -> Meets {
        Meets { kind, clip, any: Cell::new(false), area: Cell::new(0) }
    }

    fn part(&self, vertices: &[Vertex], runs: &[Bounds]) {
        let mut points = vec![];
        near_window(vertices, runs, &self.clip, |v| points.push(v.map(i64::from)));
        let met = match self.kind {
            Kind::Point => vertices.iter().any(|v| self.clip.has(v)),
            Kind::Line => meets_line(&points, &self.clip),
            Kind::Polygon => {
                // An edge that enters the box meets it; otherwise the box lies wholly within the rings or wholly without.
                points.extend(points.first().copied());
                if meets_line(&points, &self.clip) {
                    true
                } else {
                    points.pop();
                    clip::ring(&mut points, &mut vec![], &self.clip);
                    let sum = self.area.get() + crate::area::shoelace(&points);
                    self.area.set(sum);
                    return self.any.set(self.any.get() || sum > 0);
                }
            }
        };
        self.any.set(self.any.get() || met);
    }
}

fn meets_line(points: &[clip::Point], clip: &Clip) -> bool {
    let mut met = false;
    clip::line(points, clip, &mut vec![], |_| met = true);
    met
}
