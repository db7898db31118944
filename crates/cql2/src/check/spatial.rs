//! Relations of places. A literal that mixes points, lines and areas is taken apart here, so that both back ends have one
//! geometry of one kind to deal with.

use std::sync::Arc;

use geo::{Centroid, Coord, Geometry, GeometryCollection, MapCoords};

use super::Checker;
use crate::evaluate;
use crate::expr::{Expr, Operand, Other, Place, Relation, Spatial, SpatialOp, Subject};
use crate::node::{Node, Term};
use crate::problem::{Problem, Result};
use crate::shape::{Bbox, Shape, Written};

impl Checker<'_> {
    pub(super) fn spatial(&self, op: SpatialOp, left: &Node, right: &Node) -> Result<Expr> {
        let (at, left, right) = (right.at, self.place(left)?, self.place(right)?);
        self.relate(at, op, left, right)
    }

    pub(super) fn relate(&self, at: usize, op: SpatialOp, left: Place, right: Place) -> Result<Expr> {
        let meaning = match (&left, &right) {
            (Place::Of(subject), Place::Literal(shape)) => related(op, subject, shape),
            (Place::Literal(shape), Place::Of(subject)) => related(op.flipped(), subject, shape),
            (Place::Literal(a), Place::Literal(b)) => Expr::constant(evaluate::related(op, &whole(a), &whole(b))),
            (Place::Of(a), Place::Of(b)) if a == b => {
                Expr::Spatial(Spatial { op, subject: a.clone(), other: Other::Itself })
            }
            _ => {
                let (zh, en) = ("几何与自己的重心不能比较", "a geometry cannot be related to its own centroid");
                return Err(Problem::new(at, zh, en));
            }
        };
        Ok(Expr::Relation { said: Relation::Spatial(op, left, right), meaning: Box::new(meaning) })
    }

    /// A geometry: the row's, or one that was written.
    pub(super) fn place(&self, node: &Node) -> Result<Place> {
        let written = match &node.term {
            Term::Geometry(geometry) => Written::Geometry(self.geometry(node.at, geometry)?),
            Term::Bbox(numbers) => self.bbox(node.at, numbers)?,
            _ => match self.operand(node)?.operand {
                Operand::Geometry(subject) => return Ok(Place::Of(subject)),
                Operand::Shape(shape) => return Ok(Place::Literal(shape)),
                _ => {
                    let (zh, en) = ("这里需要几何字段或几何", "a geometry field or a geometry is wanted here");
                    return Err(Problem::new(node.at, zh, en));
                }
            },
        };
        let unclear = || Problem::new(node.at, "多边形无法理解", "this polygon cannot be understood");
        Shape::new(written).map(|shape| Place::Literal(Arc::new(shape))).ok_or_else(unclear)
    }

    pub(super) fn centroid(&self, at: usize, shape: &Shape) -> Result<Operand> {
        let centroid = whole(shape).centroid().map(|point| Written::Geometry(Geometry::Point(point)));
        let shape = centroid.and_then(Shape::new);
        shape.map(|shape| Operand::Shape(Arc::new(shape))).ok_or_else(|| outside(at))
    }

    /// In degrees, longitude first.
    fn geometry(&self, at: usize, geometry: &Geometry) -> Result<Geometry> {
        geometry.try_map_coords(|Coord { x, y }| {
            let [x, y] = self.position(at, [x, y])?;
            Ok(Coord { x, y })
        })
    }

    fn position(&self, at: usize, given: [f64; 2]) -> Result<[f64; 2]> {
        let inside = |[x, y]: &[f64; 2]| x.abs() <= 180.0 && y.abs() <= 90.0;
        // A zero has no sign, so that what is equal is written alike.
        self.schema.position(given).filter(inside).map(|[x, y]| [x + 0.0, y + 0.0]).ok_or_else(|| outside(at))
    }

    /// Four numbers, or six of which the heights are ignored.
    fn bbox(&self, at: usize, numbers: &[f64]) -> Result<Written> {
        let (left, low, right, high) = match *numbers {
            [left, low, right, high] | [left, low, _, right, high, _] => (left, low, right, high),
            _ => return Err(Problem::new(at, "BBOX 需要 4 或 6 个数字", "BBOX takes four or six numbers")),
        };
        if !self.schema.keeps_boxes() {
            return self.curved_box(at, [left, low, right, high]).map(Written::Geometry);
        }
        let ([west, south], [east, north]) = (self.position(at, [left, low])?, self.position(at, [right, high])?);
        if south > north {
            let (zh, en) = ("BBOX 应为 西,南,东,北", "BBOX takes west,south,east,north");
            return Err(Problem::new(at, zh, en));
        }
        Ok(Written::Bbox(Bbox { west, south, east, north }))
    }

    /// A box whose sides are curves in degrees: each in pieces, so that it stays true.
    fn curved_box(&self, at: usize, [left, low, right, high]: [f64; 4]) -> Result<Geometry> {
        const PIECES: usize = 32;
        if !(left < right && low < high) {
            let (zh, en) = ("BBOX 的前一角应小于后一角", "the first corner of BBOX must be below the second");
            return Err(Problem::new(at, zh, en));
        }
        let corners = [[left, low], [right, low], [right, high], [left, high], [left, low]];
        let mut ring = vec![];
        for side in corners.windows(2) {
            for piece in 0..PIECES {
                let part = piece as f64 / PIECES as f64;
                let along = |axis: usize| side[0][axis] + (side[1][axis] - side[0][axis]) * part;
                let [x, y] = self.position(at, [along(0), along(1)])?;
                ring.push(Coord { x, y });
            }
        }
        ring.push(ring[0]);
        Ok(Geometry::Polygon(geo::Polygon::new(geo::LineString(ring), vec![])))
    }
}

fn outside(at: usize) -> Problem {
    Problem::new(
        at,
        "坐标超出范围（经度 ±180、纬度 ±90 度，顺序以 filter-crs 为准）",
        "coordinates out of range (degrees ±180 and ±90, in the order of filter-crs)",
    )
}

fn whole(shape: &Shape) -> Geometry {
    match shape.parts() {
        [one] => one.clone(),
        parts => Geometry::GeometryCollection(GeometryCollection(parts.to_vec())),
    }
}

/// The row's geometry and a literal, in relations of the geometry with one part of it at a time.
fn related(op: SpatialOp, subject: &Subject, shape: &Arc<Shape>) -> Expr {
    let parts: Vec<Arc<Shape>> = match shape.parts().len() {
        0 | 1 => vec![shape.clone()],
        count => (0..count).map(|part| Arc::new(shape.of_part(part))).collect(),
    };
    let one = |op: SpatialOp, part: &Arc<Shape>| {
        Expr::Spatial(Spatial { op, subject: subject.clone(), other: Other::Shape(part.clone()) })
    };
    let each = |op: SpatialOp| parts.iter().map(|part| one(op, part)).collect::<Vec<_>>();
    let meets = || Expr::or(each(SpatialOp::Intersects));
    match op {
        SpatialOp::Disjoint => meets().negate(),
        // Of nothing, nothing is true but that it lies apart.
        _ if shape.parts().is_empty() => meets(),
        _ if parts.len() == 1 => one(op, &parts[0]),
        SpatialOp::Intersects => meets(),
        // No geometry is of several kinds: false, but unknown where there is none.
        SpatialOp::Equals => Expr::and(vec![meets(), meets().negate()]),
        SpatialOp::Contains => Expr::and(each(op)),
        SpatialOp::Within | SpatialOp::Crosses | SpatialOp::Overlaps => Expr::or(each(op)),
        SpatialOp::Touches => {
            let apart_or_touching =
                |part| Expr::or(vec![one(SpatialOp::Intersects, part).negate(), one(SpatialOp::Touches, part)]);
            Expr::and(std::iter::once(meets()).chain(parts.iter().map(apart_or_touching)).collect())
        }
    }
}
