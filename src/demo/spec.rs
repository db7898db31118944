//! The words a demo layer is written down in: where its rows come from, and how each field is made.

use super::town::RoadClass;
use crate::layer::model::{FieldType, ShareClass};

/// A layer as the lists in `catalog` have it.
pub struct Spec {
    pub id: &'static str,
    pub department: &'static str,
    pub theme: &'static str,
    pub zh: &'static str,
    pub en: &'static str,
    pub class: ShareClass,
    pub anonymous: bool,
    pub source: Source,
    pub columns: &'static [Column],
}

pub struct Column {
    pub name: &'static str,
    pub zh: &'static str,
    pub en: &'static str,
    pub make: Make,
}

pub const fn col(name: &'static str, zh: &'static str, en: &'static str, make: Make) -> Column {
    Column { name, zh, en, make }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    City,
    District,
    Street,
    Community,
}

/// Where rows come from. Counts are rows, unless a scale multiplies them.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// One row per division.
    Units(Level),
    /// Every road of these classes.
    Roads(&'static [RoadClass]),
    /// So many pipes along roads, this many metres beside their middle.
    Pipes(usize, f64),
    /// So many lines along the streets of a town, from one block's corner to another's.
    Routes(usize),
    /// Lines between the centres of districts.
    Rails,
    /// Grow with the scale.
    Buildings,
    Doors,
    Poi,
    Residents,
    /// Homes of housing estates, each with its building, unit and room.
    Homes,
    /// At so many random doors, the denser the more urban.
    Town(usize),
    /// One in about this share of all communities, at a door if it has one.
    Villages(f64),
    /// At so many random places of the country.
    Country(usize),
    /// So many points along kerbs: this many metres apart, this many from the road's middle.
    Kerbs(usize, f64, f64),
    /// The outlines of so many blocks.
    Blocks(usize),
    /// So many round areas in the country with radii between these metres.
    Rounds(usize, f64, f64),
}

impl Source {
    pub fn geometry(self) -> &'static str {
        match self {
            Source::Units(Level::City | Level::District) => "MultiPolygon",
            Source::Units(_) | Source::Buildings | Source::Blocks(_) | Source::Rounds(..) => "Polygon",
            Source::Roads(_) | Source::Pipes(..) | Source::Routes(_) | Source::Rails => "LineString",
            _ => "Point",
        }
    }
}

/// How a field's value is made.
#[derive(Debug, Clone, Copy)]
pub enum Make {
    /// A running number after a prefix, unique in the layer.
    Serial(&'static str),
    /// The code and name of the division that the row is.
    UnitCode,
    UnitName,
    /// The divisions the row lies in.
    DistrictCode,
    Province,
    City,
    District,
    Street,
    Community,
    CommunityCode,
    Road,
    Number,
    /// The whole address, as written on a letter.
    Address,
    /// Of a home: its estate, building, unit and room, and its address down to the room.
    Estate,
    Building,
    Unit,
    Room,
    HomeAddress,
    /// The community's name and one of these endings.
    Titled(&'static [&'static str]),
    /// The road's class.
    RoadClass,
    PoiName,
    PoiClass,
    PoiClassEn,
    Levels,
    Household,
    Relation,
    /// Of a member of a household.
    BirthYear,
    Pick(&'static [&'static str]),
    Int(i64, i64),
    /// Decimals last.
    Float(f64, f64, i32),
    Bool(f64),
    /// Days between the beginnings of these years.
    Date(i64, i64),
    Time(i64, i64),
    Population,
    Households,
    /// A share of the population between these.
    Share(f64, f64),
    /// A share between these of the last `Share` (before any: of the population), and what such shares left of it.
    Of(f64, f64),
    Rest,
    /// Of a member of a household.
    Sex,
    Metres,
    SquareMetres,
    SquareKilometres,
    /// People per square kilometre.
    Density,
    /// Null with this probability.
    Maybe(f64, &'static Make),
}

impl Make {
    pub fn kind(self) -> FieldType {
        match self {
            Make::Number
            | Make::Levels
            | Make::BirthYear
            | Make::Int(..)
            | Make::Population
            | Make::Households
            | Make::Share(..)
            | Make::Of(..)
            | Make::Rest => FieldType::Integer,
            Make::Float(..) | Make::Metres | Make::SquareMetres | Make::SquareKilometres | Make::Density => {
                FieldType::Float
            }
            Make::Bool(_) => FieldType::Boolean,
            Make::Date(..) => FieldType::Date,
            Make::Time(..) => FieldType::Timestamp,
            Make::Maybe(_, inner) => inner.kind(),
            _ => FieldType::Text,
        }
    }
}
