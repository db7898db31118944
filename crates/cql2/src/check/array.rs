//! Relations of sets, brought down to comparisons of their members.

use super::{Checker, Class, MAX_COMPARISONS, Placed, common, temporal};
use crate::evaluate;
use crate::expr::{ArrayOp, Comparison, Expr, Item, Operand, Period, Place, Relation, SpatialOp, TemporalOp};
use crate::node::{Node, Term};
use crate::problem::{Problem, Result};

impl Checker<'_> {
    pub(super) fn array(&self, at: usize, op: ArrayOp, left: &Node, right: &Node) -> Result<Expr> {
        let (left, right) = (self.set(left)?, self.set(right)?);
        let meaning = Box::new(self.meaning(at, op, &left, &right)?);
        Ok(Expr::Relation { said: Relation::Array(op, Item::Set(left), Item::Set(right)), meaning })
    }

    /// A single value is a set of one.
    fn set(&self, node: &Node) -> Result<Vec<Item>> {
        match &node.term {
            Term::Array(items) => {
                if let [Node { term: Term::Array(_), at, .. }] = &items[..] {
                    let (zh, en) = ("数组不能只含一个数组", "a list cannot be of one list alone");
                    return Err(Problem::new(*at, zh, en));
                }
                items.iter().map(|item| self.item(item)).collect()
            }
            Term::Property(name) => {
                // A name that is unknown is told first.
                self.operand(node)?;
                Err(Problem::new(
                    node.at,
                    format!("字段“{name}”不是数组；可写成数组，例如 (\"{name}\")"),
                    format!("the field \"{name}\" holds no array; a list such as (\"{name}\") is one"),
                ))
            }
            _ => Ok(vec![self.item(node)?]),
        }
    }

    fn item(&self, node: &Node) -> Result<Item> {
        Ok(match &node.term {
            Term::Array(_) => Item::Set(self.set(node)?),
            Term::Interval(_) => Item::Interval(self.period(node)?),
            _ => match self.operand(node)?.operand {
                Operand::Geometry(subject) => Item::Place(Place::Of(subject)),
                Operand::Shape(shape) => Item::Place(Place::Literal(shape)),
                operand => Item::Scalar(operand),
            },
        })
    }

    fn meaning(&self, at: usize, op: ArrayOp, left: &[Item], right: &[Item]) -> Result<Expr> {
        match op {
            ArrayOp::Equals => Ok(Expr::and(vec![self.holds(at, left, right)?, self.holds(at, right, left)?])),
            ArrayOp::Contains => self.holds(at, left, right),
            ArrayOp::ContainedBy => self.holds(at, right, left),
            ArrayOp::Overlaps => {
                let any = right.iter().map(|item| self.has(at, left, item)).collect::<Result<_>>()?;
                Ok(gathered(any, Expr::or, false))
            }
        }
    }

    /// Whether all of the members are in the set.
    fn holds(&self, at: usize, set: &[Item], members: &[Item]) -> Result<Expr> {
        let all = members.iter().map(|item| self.has(at, set, item)).collect::<Result<_>>()?;
        Ok(gathered(all, Expr::and, true))
    }

    fn has(&self, at: usize, set: &[Item], member: &Item) -> Result<Expr> {
        let any = set.iter().map(|item| self.equal(at, item, member)).collect::<Result<_>>()?;
        Ok(gathered(any, Expr::or, false))
    }

    /// Members of different types are different.
    fn equal(&self, at: usize, a: &Item, b: &Item) -> Result<Expr> {
        // Each comparison has its members for itself: large ones count for more.
        let cost = match (a, b) {
            (Item::Scalar(a), Item::Scalar(b)) => a.size().max(b.size()),
            _ => 1,
        };
        let Some(left) = self.comparisons.get().checked_sub(cost) else {
            let (zh, en) = (
                format!("数组过大，逐一比较超过 {MAX_COMPARISONS} 次"),
                format!("the lists are too long: more than {MAX_COMPARISONS} comparisons"),
            );
            return Err(Problem::new(at, zh, en));
        };
        self.comparisons.set(left);
        match (a, b) {
            (Item::Scalar(a), Item::Scalar(b)) => Ok(scalars(at, a, b)),
            (Item::Place(a), Item::Place(b)) => self.relate(at, SpatialOp::Equals, a.clone(), b.clone()),
            (Item::Interval(a), Item::Interval(b)) => Ok(temporal::meaning(TemporalOp::Equals, a, b)),
            (Item::Interval(a), Item::Scalar(b)) | (Item::Scalar(b), Item::Interval(a))
                if Class::of(b) == Class::Instant =>
            {
                Ok(temporal::meaning(TemporalOp::Equals, a, &Period::Instant(b.clone())))
            }
            (Item::Set(a), Item::Set(b)) => self.meaning(at, ArrayOp::Equals, a, b),
            _ => Ok(Expr::constant(false)),
        }
    }
}

fn scalars(at: usize, a: &Operand, b: &Operand) -> Expr {
    let (mut a, mut b) = (Placed { at, operand: a.clone() }, Placed { at, operand: b.clone() });
    // A text that should be a date and is none equals none.
    if Class::of(&a.operand) != Class::of(&b.operand) || common(&mut [&mut a, &mut b]).is_err() {
        return Expr::constant(false);
    }
    let (left, op, right) = (a.operand, Comparison::Equal, b.operand);
    match evaluate::of_literals(&left, op, &right) {
        Some(truth) => Expr::constant(truth),
        None => Expr::Compare { left, op, right },
    }
}

/// What of nothing, and of what is already settled, is known without looking.
fn gathered(members: Vec<Expr>, whole: fn(Vec<Expr>) -> Expr, neutral: bool) -> Expr {
    if members.contains(&Expr::constant(!neutral)) {
        return Expr::constant(!neutral);
    }
    let open: Vec<Expr> = members.into_iter().filter(|member| *member != Expr::constant(neutral)).collect();
    if open.is_empty() { Expr::constant(neutral) } else { whole(open) }
}
