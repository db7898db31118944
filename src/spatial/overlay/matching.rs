//! Where rows are, and what of the layers is there.

use std::sync::Arc;

use geo::{Geometry, MapCoords};
use onemap_address::find::Query;
use onemap_spatial::fault::checked;
use onemap_spatial::shape::Shape;
use onemap_spatial::{shapes, share};
use serde_json::Value;
use tokio::runtime::Handle;

use super::input::{Place, Row};
use super::{Predicate, Problem, System};
use crate::address::Readable;
use crate::address::answer::Name;
use crate::address::finders::Finders;
use crate::address::search::too_long;
use crate::error::Result;
use crate::spatial::prepared::Reference;

/// Vertices of one row's geometry.
const MOST_VERTICES: usize = 100_000;
/// Matches of a row in one layer that are looked at; as many are counted.
pub const MOST_MATCHES: usize = 1000;
/// An address that is less likely than this is not one that was found.
const LEAST_SCORE: f32 = 0.5;

pub struct Matcher {
    /// Layer by layer.
    pub references: Vec<Arc<Reference>>,
    pub predicate: Predicate,
    pub system: System,
    pub addresses: Option<(Finders, Readable)>,
    pub runtime: Handle,
}

/// A row with its place in degrees.
pub struct Located {
    pub shape: Shape,
    pub address: Option<Matched>,
}

/// What an address was found to be.
#[derive(Debug, Clone)]
pub struct Matched {
    pub lon: f64,
    pub lat: f64,
    pub label: String,
    pub score: f32,
    pub level: &'static str,
}

/// A feature that a row meets.
#[derive(Debug, Clone, Copy)]
pub struct Match {
    pub number: u32,
    /// Which part of the row's area or length lies in it.
    pub share: Option<f64>,
    /// How much that is, in square metres or metres.
    pub measure: Option<f64>,
    /// Metres, for the nearest.
    pub distance: Option<f64>,
}

impl Matcher {
    /// The rows with their places, or what is wrong with them.
    pub fn locate(&self, rows: Vec<Row>) -> Result<Vec<(Row, Result<Located, Problem>)>> {
        let texts: Vec<(usize, String)> = rows
            .iter()
            .enumerate()
            .filter_map(|(i, row)| match &row.place {
                Ok(Place::Address(text)) => Some((i, text.clone())),
                _ => None,
            })
            .collect();
        let mut found = self.find(texts)?.into_iter().peekable();
        let mut all = Vec::with_capacity(rows.len());
        for (i, mut row) in rows.into_iter().enumerate() {
            // Texts and geometries are taken out: a row may be large.
            let place = std::mem::replace(&mut row.place, Err(Problem::new("", "", "")));
            let located = match place {
                Err(problem) => Err(problem),
                Ok(Place::Geometry(geometry)) => self.shape(&geometry).map(|shape| Located { shape, address: None }),
                Ok(Place::Address(_)) => match found.next_if(|(at, _)| *at == i) {
                    Some((_, Ok(address))) => Ok(Located {
                        shape: Shape::Points(vec![geo::Coord { x: address.lon, y: address.lat }]),
                        address: Some(address),
                    }),
                    Some((_, Err(problem))) => Err(problem),
                    None => Err(Problem::new("address-not-found", "没有找到这个地址", "the address was not found")),
                },
            };
            all.push((row, located));
        }
        Ok(all)
    }

    fn shape(&self, geometry: &Geometry) -> Result<Shape, Problem> {
        // `try_map_coords` closes rings that are open: those are looked for before.
        rings(geometry)?;
        let degrees = geometry.try_map_coords(|c| self.system.degrees(c.x, c.y).map(|(x, y)| geo::Coord { x, y }))?;
        checked(degrees, MOST_VERTICES).map_err(of_fault)
    }

    fn find(&self, texts: Vec<(usize, String)>) -> Result<Vec<(usize, Result<Matched, Problem>)>> {
        let Some((finders, readable)) = self.addresses.as_ref().filter(|_| !texts.is_empty()) else {
            return Ok(vec![]);
        };
        let work = move |finder: &mut onemap_address::find::Finder, readable: &Readable| {
            let sources = readable.sources();
            let mut one = |text: &str| {
                if too_long(text) {
                    return Err(Problem::new("address-too-long", "地址过长", "the address is too long"));
                }
                let answer = finder.search(&sources, &Query { text, limit: 1, ..Query::default() });
                match answer.candidates.into_iter().next() {
                    Some(best) if best.score >= LEAST_SCORE => Ok(Matched {
                        lon: best.lon,
                        lat: best.lat,
                        level: best.match_level.name(),
                        score: best.score,
                        label: best.label,
                    }),
                    _ => Err(Problem::new("address-not-found", "没有找到这个地址", "the address was not found")),
                }
            };
            texts.into_iter().map(|(i, text)| (i, one(&text))).collect::<Vec<_>>()
        };
        self.runtime.block_on(finders.with(readable, work))
    }

    /// What of each layer a row meets: the largest share first, or the nearest; of equals by id.
    pub fn matches(&self, located: &Located) -> Vec<Vec<Match>> {
        self.references.iter().map(|reference| self.of_layer(&located.shape, reference)).collect()
    }

    fn of_layer(&self, shape: &Shape, reference: &Reference) -> Vec<Match> {
        let plain = |number| Match { number, share: None, measure: None, distance: None };
        match self.predicate {
            Predicate::Nearest { k, most } => {
                let nearest = reference.shapes.nearest(shape, k, most);
                nearest.into_iter().map(|(number, metres)| Match { distance: Some(metres), ..plain(number) }).collect()
            }
            Predicate::Within => {
                let mut found = reference.shapes.find(shape, shapes::Predicate::Within);
                found.truncate(MOST_MATCHES);
                found.into_iter().map(plain).collect()
            }
            Predicate::Intersects => {
                let mut found = reference.shapes.find(shape, shapes::Predicate::Intersects);
                found.truncate(MOST_MATCHES);
                let mut all: Vec<Match> = found.into_iter().map(plain).collect();
                if shape.dimension() > 0 {
                    shares(shape, reference, &mut all);
                    all.sort_by(|a, b| {
                        b.share.unwrap_or(0.0).total_cmp(&a.share.unwrap_or(0.0)).then(a.number.cmp(&b.number))
                    });
                }
                all
            }
        }
    }

    pub fn id(&self, layer: usize, found: &Match) -> i64 {
        self.references[layer].ids[found.number as usize]
    }

    pub fn values(&self, layer: usize, found: &Match) -> &[Value] {
        self.references[layer].values(found.number)
    }
}

fn shares(shape: &Shape, reference: &Reference, all: &mut [Match]) {
    let whole = shape.measure();
    for one in all {
        if let Some(area) = reference.shapes.area(one.number) {
            let measure = share::inside(shape, area);
            one.measure = Some(measure);
            one.share = (whole > 0.0).then(|| (measure / whole).min(1.0));
        }
    }
}

pub(super) fn of_fault(fault: onemap_spatial::fault::Fault) -> Problem {
    Problem::new(fault.name(), fault.words().0, fault.words().1)
}

fn rings(geometry: &Geometry) -> Result<(), Problem> {
    use onemap_spatial::fault::Fault;
    let polygon = |polygon: &geo::Polygon| {
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).try_for_each(|ring| match ring.0.len() {
            n if n > MOST_VERTICES => Err(of_fault(Fault::TooManyVertices)),
            0 => Ok(()),
            1..4 => Err(of_fault(Fault::RingTooShort)),
            _ if ring.is_closed() => Ok(()),
            _ => Err(of_fault(Fault::RingOpen)),
        })
    };
    match geometry {
        Geometry::Polygon(one) => polygon(one),
        Geometry::MultiPolygon(all) => all.iter().try_for_each(polygon),
        Geometry::GeometryCollection(all) => all.iter().try_for_each(rings),
        _ => Ok(()),
    }
}
