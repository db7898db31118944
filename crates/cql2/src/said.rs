//! The checked tree as it may be written: the same for all that mean the same.

use crate::expr::{Expr, Item, Literal, Operand, Period, Place, Relation, Subject};
use crate::node::{Node, Op, Term};
use crate::shape::{Shape, Written};

fn node(term: Term) -> Node {
    Node::of(term)
}

fn op(op: Op, members: Vec<Node>) -> Node {
    node(Term::Op(op, members))
}

impl Expr {
    pub(crate) fn said(&self) -> Node {
        let all = |members: &[Expr]| members.iter().map(Expr::said).collect();
        match self {
            Expr::And(members) => op(Op::And, all(members)),
            Expr::Or(members) => op(Op::Or, all(members)),
            Expr::Not(inner) => op(Op::Not, vec![inner.said()]),
            Expr::Truth(operand) => operand.said(),
            Expr::Compare { left, op: sign, right } => op(Op::Compare(*sign), vec![left.said(), right.said()]),
            Expr::Between { value, low, high } => op(Op::Between, vec![value.said(), low.said(), high.said()]),
            Expr::In { value, list } => {
                let list = list.iter().map(Operand::said).collect();
                op(Op::In, vec![value.said(), node(Term::Array(list))])
            }
            Expr::Like { value, pattern } => {
                op(Op::Like, vec![value.said(), node(Term::Literal(Literal::Text(pattern.clone())))])
            }
            Expr::IsNull(operand) => op(Op::IsNull, vec![operand.said()]),
            Expr::Relation { said, .. } => match said {
                Relation::Spatial(relation, a, b) => op(Op::Spatial(*relation), vec![a.said(), b.said()]),
                Relation::Temporal(relation, a, b) => op(Op::Temporal(*relation), vec![a.said(), b.said()]),
                Relation::Array(relation, a, b) => op(Op::Array(*relation), vec![a.said(), b.said()]),
            },
            // Only within a relation's meaning.
            Expr::Spatial(spatial) => {
                let other = match &spatial.other {
                    crate::expr::Other::Shape(shape) => shape.said(),
                    crate::expr::Other::Itself => spatial.subject.said(),
                };
                op(Op::Spatial(spatial.op), vec![spatial.subject.said(), other])
            }
        }
    }
}

impl Operand {
    fn said(&self) -> Node {
        match self {
            Operand::Field(field) => node(Term::Property(field.name.clone())),
            Operand::Geometry(subject) => subject.said(),
            Operand::Shape(shape) => shape.said(),
            Operand::Literal(literal) => said_literal(literal),
            Operand::Casei(inner) => op(Op::Casei, vec![inner.said()]),
            Operand::Accenti(inner) => op(Op::Accenti, vec![inner.said()]),
            Operand::Arithmetic { op: sign, left, right } => op(Op::Arithmetic(*sign), vec![left.said(), right.said()]),
            Operand::Call { function, arguments } => {
                let arguments = arguments.iter().map(Operand::said).collect();
                node(Term::Function(function.name().to_owned(), arguments))
            }
            Operand::Condition(expr) => expr.said(),
        }
    }
}

fn said_literal(literal: &Literal) -> Node {
    node(match literal {
        Literal::Date(date) => Term::Date(date.to_string()),
        Literal::Timestamp(timestamp) => Term::Timestamp(timestamp.to_string()),
        other => Term::Literal(other.clone()),
    })
}

impl Subject {
    fn said(&self) -> Node {
        let property = node(Term::Property(self.name().to_owned()));
        match self {
            Subject::Stored(_) => property,
            Subject::Centroid(_) => node(Term::Function("centroid".to_owned(), vec![property])),
        }
    }
}

impl Shape {
    fn said(&self) -> Node {
        node(match self.written() {
            Written::Bbox(bbox) => Term::Bbox(vec![bbox.west, bbox.south, bbox.east, bbox.north]),
            Written::Geometry(geometry) => Term::Geometry(Box::new(geometry.clone())),
        })
    }
}

impl Place {
    fn said(&self) -> Node {
        match self {
            Place::Of(subject) => subject.said(),
            Place::Literal(shape) => shape.said(),
        }
    }
}

impl Period {
    fn said(&self) -> Node {
        let end = |end: &Option<Operand>| match end {
            None => node(Term::Literal(Literal::Text("..".to_owned()))),
            Some(Operand::Literal(literal @ (Literal::Date(_) | Literal::Timestamp(_)))) => {
                let text = match literal {
                    Literal::Date(date) => date.to_string(),
                    Literal::Timestamp(timestamp) => timestamp.to_string(),
                    _ => String::new(),
                };
                node(Term::Literal(Literal::Text(text)))
            }
            Some(operand) => operand.said(),
        };
        match self {
            Period::Instant(operand) => operand.said(),
            Period::Interval(start, last) => node(Term::Interval(vec![end(start), end(last)])),
        }
    }
}

impl Item {
    fn said(&self) -> Node {
        match self {
            Item::Scalar(operand) => operand.said(),
            Item::Place(place) => place.said(),
            Item::Interval(period) => period.said(),
            Item::Set(items) => node(Term::Array(items.iter().map(Item::said).collect())),
        }
    }
}
