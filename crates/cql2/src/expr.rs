//! The tree: conditions over operands, made of checked names and typed values.

use std::collections::BTreeSet;

use crate::Kind;
use crate::instant::{Date, Timestamp};
use crate::like;

/// A condition: true, false or unknown. `And` and `Or` have two members or more, none of their own kind, and a `Not` is
/// not negated again: [`Expr::and`], [`Expr::or`] and [`Expr::negate`] see to it. So each pair of parentheses makes
/// the tree deeper by three at most.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// A boolean field or `TRUE` or `FALSE`, standing alone.
    Truth(Operand),
    Compare {
        left: Operand,
        op: Comparison,
        right: Operand,
    },
    Between {
        value: Operand,
        low: Operand,
        high: Operand,
    },
    /// The list is not empty.
    In {
        value: Operand,
        list: Vec<Operand>,
    },
    /// The pattern does not end in a lone backslash.
    Like {
        value: Operand,
        pattern: String,
    },
    IsNull(Operand),
    /// The named geometry meets the box.
    Intersects {
        geometry: String,
        bbox: Bbox,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What stands on a comparison's side.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    Field(Field),
    /// A geometry: it can be missing, and no more.
    Geometry(String),
    Literal(Literal),
    /// A text without its case. Of literals there is none: they are folded at once.
    Casei(Box<Operand>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub index: usize,
    pub name: String,
    pub kind: Kind,
}

/// A value in the text. Floats are finite.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Date(Date),
    Timestamp(Timestamp),
}

/// A box in degrees; where west is above east it crosses the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bbox {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

impl Bbox {
    /// West, south, east, north: one box, or the two on either side of the antimeridian.
    pub fn parts(&self) -> impl Iterator<Item = [f64; 4]> + use<> {
        let Bbox { west, south, east, north } = *self;
        let (first, second) = match west <= east {
            true => ([west, south, east, north], None),
            false => ([west, south, 180.0, north], Some([-180.0, south, east, north])),
        };
        std::iter::once(first).chain(second)
    }
}

impl Comparison {
    /// The same comparison with its sides exchanged.
    pub fn flipped(self) -> Comparison {
        match self {
            Comparison::Equal | Comparison::NotEqual => self,
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        }
    }

    /// As CQL2 and SQL write it.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

impl Literal {
    pub fn kind(&self) -> Kind {
        match self {
            Literal::Text(_) => Kind::Text,
            Literal::Integer(_) => Kind::Integer,
            Literal::Float(_) => Kind::Float,
            Literal::Boolean(_) => Kind::Boolean,
            Literal::Date(_) => Kind::Date,
            Literal::Timestamp(_) => Kind::Timestamp,
        }
    }
}

impl Operand {
    /// The type of its values; a geometry has none.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Operand::Field(field) => Some(field.kind),
            Operand::Geometry(_) => None,
            Operand::Literal(literal) => Some(literal.kind()),
            Operand::Casei(_) => Some(Kind::Text),
        }
    }

    /// The operand without case, or as it is if it has none any more.
    pub fn casei(self) -> Operand {
        match self {
            Operand::Literal(Literal::Text(text)) => Operand::Literal(Literal::Text(like::fold(&text))),
            Operand::Casei(_) => self,
            other => Operand::Casei(Box::new(other)),
        }
    }

    /// The field it takes its value from.
    pub fn field(&self) -> Option<&Field> {
        match self {
            Operand::Field(field) => Some(field),
            Operand::Geometry(_) | Operand::Literal(_) => None,
            Operand::Casei(inner) => inner.field(),
        }
    }
}

impl Expr {
    pub fn and(members: Vec<Expr>) -> Expr {
        flat(members, Expr::And, |member| match member {
            Expr::And(inner) => Ok(inner),
            other => Err(other),
        })
    }

    pub fn or(members: Vec<Expr>) -> Expr {
        flat(members, Expr::Or, |member| match member {
            Expr::Or(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// What is unknown stays unknown.
    pub fn negate(self) -> Expr {
        match self {
            Expr::Not(inner) => *inner,
            other => Expr::Not(Box::new(other)),
        }
    }

    /// The fields it looks at.
    pub fn fields(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        self.each_operand(&mut |operand| found.extend(operand.field().map(|field| field.index)));
        found
    }

    /// Whether it looks at the geometry.
    pub fn uses_geometry(&self) -> bool {
        match self {
            Expr::And(members) | Expr::Or(members) => members.iter().any(Expr::uses_geometry),
            Expr::Not(inner) => inner.uses_geometry(),
            Expr::IsNull(operand) => matches!(operand, Operand::Geometry(_)),
            Expr::Intersects { .. } => true,
            _ => false,
        }
    }

    fn each_operand<'a>(&'a self, see: &mut dyn FnMut(&'a Operand)) {
        match self {
            Expr::And(members) | Expr::Or(members) => members.iter().for_each(|member| member.each_operand(see)),
            Expr::Not(inner) => inner.each_operand(see),
            Expr::Truth(value) | Expr::IsNull(value) | Expr::Like { value, .. } => see(value),
            Expr::Compare { left, right, .. } => [left, right].into_iter().for_each(see),
            Expr::Between { value, low, high } => [value, low, high].into_iter().for_each(see),
            Expr::In { value, list } => std::iter::once(value).chain(list).for_each(see),
            Expr::Intersects { .. } => {}
        }
    }
}

/// One level of members; a single member is itself.
fn flat(members: Vec<Expr>, whole: fn(Vec<Expr>) -> Expr, open: fn(Expr) -> Result<Vec<Expr>, Expr>) -> Expr {
    let mut all = Vec::with_capacity(members.len());
    for member in members {
        match open(member) {
            Ok(inner) => all.extend(inner),
            Err(other) => all.push(other),
        }
    }
    match all.len() {
        1 => all.remove(0),
        _ => whole(all),
    }
}
