//! What was written, before any name or type is known: the same tree for CQL2 text and CQL2 JSON.

use geo::Geometry;

use crate::expr::Literal;
use crate::problem::{Problem, Result};

/// The most levels of a tree. A pair of parentheses makes it deeper by three at most.
pub(crate) const MAX_HEIGHT: u16 = 320;

/// A term and the place it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub at: usize,
    pub term: Term,
    height: u16,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    Op(Op, Vec<Node>),
    /// What is not of the language itself.
    Function(String, Vec<Node>),
    Property(String),
    /// Text, number or boolean.
    Literal(Literal),
    Date(String),
    Timestamp(String),
    Interval(Vec<Node>),
    Array(Vec<Node>),
    Geometry(Box<Geometry>),
    Bbox(Vec<f64>),
}

/// The language's own operations, as CQL2 JSON names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    And,
    Or,
    Not,
    Compare(crate::expr::Comparison),
    Like,
    Between,
    In,
    IsNull,
    Casei,
    Accenti,
    Spatial(crate::expr::SpatialOp),
    Temporal(crate::expr::TemporalOp),
    Array(crate::expr::ArrayOp),
    Arithmetic(crate::expr::ArithmeticOp),
}

impl Op {
    pub fn name(self) -> &'static str {
        match self {
            Op::And => "and",
            Op::Or => "or",
            Op::Not => "not",
            Op::Compare(op) => op.name(),
            Op::Like => "like",
            Op::Between => "between",
            Op::In => "in",
            Op::IsNull => "isNull",
            Op::Casei => "casei",
            Op::Accenti => "accenti",
            Op::Spatial(op) => op.name(),
            Op::Temporal(op) => op.name(),
            Op::Array(op) => op.name(),
            Op::Arithmetic(op) => op.name(),
        }
    }

    /// The operation of that name, whatever its case.
    pub fn named(name: &str) -> Option<Op> {
        use crate::expr::{ArithmeticOp, ArrayOp, Comparison, SpatialOp, TemporalOp};
        let simple = [Op::And, Op::Or, Op::Not, Op::Like, Op::Between, Op::In, Op::IsNull, Op::Casei, Op::Accenti];
        (simple.into_iter())
            .chain(Comparison::ALL.map(Op::Compare))
            .chain(ArithmeticOp::ALL.map(Op::Arithmetic))
            .chain(SpatialOp::ALL.map(Op::Spatial))
            .chain(TemporalOp::ALL.map(Op::Temporal))
            .chain(ArrayOp::ALL.map(Op::Array))
            .find(|op| op.name().eq_ignore_ascii_case(name))
    }

    /// How many operands it takes, at least and at most.
    pub fn arity(self) -> (usize, usize) {
        match self {
            Op::And | Op::Or => (2, usize::MAX),
            Op::Not | Op::IsNull | Op::Casei | Op::Accenti => (1, 1),
            Op::Between => (3, 3),
            _ => (2, 2),
        }
    }
}

impl Node {
    /// A node over its members. One that is too high is refused, so that nothing that goes through it needs much stack.
    pub fn new(at: usize, term: Term) -> Result<Node> {
        let height = 1 + term.members().iter().map(|member| member.height).max().unwrap_or(0);
        if height > MAX_HEIGHT {
            return Err(too_deep(at));
        }
        Ok(Node { at, term, height })
    }

    /// One of a tree that was read before, and so is not too high.
    pub fn of(term: Term) -> Node {
        let height = term.members().iter().map(|member| member.height).max().unwrap_or(0).saturating_add(1);
        Node { at: 0, term, height }
    }

    /// One without members.
    pub fn leaf(at: usize, term: Term) -> Node {
        Node { at, term, height: 1 }
    }
}

impl Term {
    pub fn members(&self) -> &[Node] {
        match self {
            Term::Op(_, members) | Term::Function(_, members) | Term::Interval(members) | Term::Array(members) => {
                members
            }
            _ => &[],
        }
    }
}

pub(crate) fn too_deep(at: usize) -> Problem {
    let most = crate::MAX_DEPTH;
    Problem::new(at, format!("嵌套过深，最多 {most} 层"), format!("nested too deeply: at most {most} levels are read"))
}
