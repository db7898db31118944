//! Many shapes, to be asked which of them another one meets, lies within, or is nearest to.

use geo::Coord;

use crate::Bounds;
use crate::area::{Area, Position};
use crate::relation;
use crate::shape::Shape;
use crate::tree::Tree;
use crate::zones::Zones;

/// How a shape has to lie to those that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predicate {
    Intersects,
    Within,
}

/// Prepared shapes, by the order in which they were given.
#[derive(Debug, Default)]
pub struct Shapes {
    zones: Zones,
    /// The number of each zone.
    of_zone: Vec<u32>,
    /// Points and lines with their numbers.
    others: Vec<(u32, Shape)>,
    tree: Tree,
    /// By number: the zone, or (beyond the zones) which of the others; none for what is empty.
    places: Vec<Option<Place>>,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Zone(u32),
    Other(u32),
}

impl Shapes {
    /// Shapes that are empty keep their number and are never found.
    pub fn new(shapes: impl IntoIterator<Item = Option<Shape>>) -> Shapes {
        let (mut areas, mut made): (Vec<Area>, Shapes) = (vec![], Shapes::default());
        let (mut boxes, mut numbers) = (vec![], vec![]);
        for (number, shape) in shapes.into_iter().enumerate() {
            let number = number as u32;
            if let Some(shape) = &shape {
                boxes.push(shape.bounds());
                numbers.push(number);
            }
            made.places.push(match shape {
                None => None,
                Some(Shape::Area(area)) => {
                    made.of_zone.push(number);
                    areas.push(*area);
                    Some(Place::Zone(areas.len() as u32 - 1))
                }
                Some(other) => {
                    made.others.push((number, other));
                    Some(Place::Other(made.others.len() as u32 - 1))
                }
            });
        }
        made.tree = Tree::renumbered(&boxes, &numbers);
        made.zones = Zones::new(areas);
        made
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn bytes(&self) -> usize {
        let others: usize = self.others.iter().map(|(_, shape)| shape.bytes()).sum();
        self.zones.bytes() + others + self.tree.bytes() + self.places.len() * 16
    }

    /// The area with this number, if it is one.
    pub fn area(&self, number: u32) -> Option<&Area> {
        match self.places.get(number as usize)? {
            Some(Place::Zone(zone)) => self.zones.areas().get(*zone as usize),
            _ => None,
        }
    }

    /// The shape with this number.
    pub fn shape(&self, number: u32) -> Option<Shape> {
        match self.places.get(number as usize)?.as_ref()? {
            Place::Zone(zone) => self.zones.areas().get(*zone as usize).map(|area| Shape::Area(Box::new(area.clone()))),
            Place::Other(other) => self.others.get(*other as usize).map(|(_, shape)| shape.clone()),
        }
    }

    /// A box that holds all of them.
    pub fn bounds(&self) -> Option<Bounds> {
        self.tree.bounds()
    }

    /// Whether all of them are areas.
    pub fn are_areas(&self) -> bool {
        self.others.is_empty()
    }

    /// The numbers of those that a shape meets, or lies within, from low to high.
    pub fn find(&self, shape: &Shape, predicate: Predicate) -> Vec<u32> {
        let mut found = vec![];
        match (shape, predicate) {
            (Shape::Points(points), _) if points.len() == 1 => self.at(points[0], predicate, &mut found),
            _ => {
                let bounds = shape.bounds();
                self.zones.near(&bounds, |zone, covers| {
                    // A box that is covered is in the interior with all that is in it.
                    if covers || holds(shape, &self.zones.areas()[zone as usize], predicate) {
                        found.push(self.of_zone[zone as usize]);
                    }
                });
            }
        }
        if !self.others.is_empty() {
            self.tree.search(&shape.bounds(), |number| {
                if let Some(Some(Place::Other(other))) = self.places.get(number as usize) {
                    let other = &self.others[*other as usize].1;
                    let holds = match predicate {
                        Predicate::Intersects => relation::intersects(shape, other),
                        Predicate::Within => relation::within(shape, other),
                    };
                    found.extend(holds.then_some(number));
                }
            });
        }
        found.sort_unstable();
        found
    }

    fn at(&self, p: Coord, predicate: Predicate, found: &mut Vec<u32>) {
        self.zones.locate(p, |zone, position| {
            if predicate == Predicate::Intersects || position == Position::Inside {
                found.push(self.of_zone[zone as usize]);
            }
        });
    }

    /// The `k` nearest to a shape within `most` metres, with their distances.
    pub fn nearest(&self, shape: &Shape, k: usize, most: f64) -> Vec<(u32, f64)> {
        self.tree.nearest(&shape.bounds(), k, most, |number, limit| {
            match self.places.get(number as usize)?.as_ref()? {
                Place::Zone(zone) => relation::distance_to_area(shape, &self.zones.areas()[*zone as usize], limit),
                Place::Other(other) => relation::distance(shape, &self.others[*other as usize].1, limit),
            }
        })
    }
}

fn holds(shape: &Shape, area: &Area, predicate: Predicate) -> bool {
    match predicate {
        Predicate::Intersects => relation::intersects_area(shape, area),
        Predicate::Within => relation::within_area(shape, area),
    }
}
