//! Relations of instants and intervals, brought down to comparisons of their ends.

use super::{Checker, Class, Placed, instant};
use crate::Kind;
use crate::expr::{Comparison, Expr, Literal, Operand, Period, Relation, TemporalOp};
use crate::instant::{Date, Timestamp};
use crate::node::{Node, Term};
use crate::problem::{Problem, Result};

impl Checker<'_> {
    pub(super) fn temporal(&self, at: usize, op: TemporalOp, left: &Node, right: &Node) -> Result<Expr> {
        let for_instants = matches!(
            op,
            TemporalOp::After | TemporalOp::Before | TemporalOp::Disjoint | TemporalOp::Equals | TemporalOp::Intersects
        );
        let (first, second) = (self.period(left)?, self.period(right)?);
        for (period, node) in [(&first, left), (&second, right)] {
            if !for_instants && matches!(period, Period::Instant(_)) {
                let name = op.name().to_ascii_uppercase();
                return Err(Problem::new(
                    node.at.max(at),
                    format!("{name} 只能用于两个时间段，请写 INTERVAL(起, 止)"),
                    format!("{name} is for two intervals: write INTERVAL(start, end)"),
                ));
            }
        }
        let meaning = Box::new(meaning(op, &first, &second));
        Ok(Expr::Relation { said: Relation::Temporal(op, first, second), meaning })
    }

    pub(super) fn period(&self, node: &Node) -> Result<Period> {
        let Term::Interval(ends) = &node.term else { return self.instant(node).map(Period::Instant) };
        let [start, end] = &ends[..] else {
            return Err(Problem::new(node.at, "INTERVAL 需要起止两个值", "INTERVAL takes a start and an end"));
        };
        let (start, end) = (self.end(start)?, self.end(end)?);
        if let (Some(Operand::Literal(first)), Some(Operand::Literal(last))) = (&start, &end)
            && micros(first) > micros(last)
        {
            return Err(Problem::new(node.at, "INTERVAL 的结束早于开始", "the interval ends before it starts"));
        }
        Ok(Period::Interval(start, end))
    }

    /// None for `'..'`.
    fn end(&self, node: &Node) -> Result<Option<Operand>> {
        match &node.term {
            Term::Literal(Literal::Text(text)) if text == ".." => Ok(None),
            _ => self.instant(node).map(Some),
        }
    }

    fn instant(&self, node: &Node) -> Result<Operand> {
        let Placed { at, operand } = self.operand(node)?;
        match operand {
            Operand::Literal(Literal::Text(text)) => instant(at, &text).map(Operand::Literal),
            operand if Class::of(&operand) == Class::Instant => Ok(operand),
            other => {
                let (zh, en) = Class::of(&other).names();
                Err(Problem::new(
                    at,
                    format!("这里需要日期或时间，却是{zh}"),
                    format!("a date or timestamp is wanted here, and this is {en}"),
                ))
            }
        }
    }
}

fn micros(literal: &Literal) -> i64 {
    match literal {
        Literal::Date(date) => date.midnight().micros(),
        Literal::Timestamp(timestamp) => timestamp.micros(),
        _ => 0,
    }
}

/// An end of a period.
#[derive(Clone, Copy)]
enum End<'a> {
    At(&'a Operand),
    Before,
    After,
}

fn ends(period: &Period) -> [End<'_>; 2] {
    match period {
        Period::Instant(instant) => [End::At(instant), End::At(instant)],
        Period::Interval(start, end) => {
            [start.as_ref().map_or(End::Before, End::At), end.as_ref().map_or(End::After, End::At)]
        }
    }
}

/// An open end as a time before or after all others, of the kind that the other side has.
fn operand(end: End, other: End) -> Operand {
    let dates = matches!(other, End::At(operand) if operand.kind() == Some(Kind::Date));
    Operand::Literal(match (end, dates) {
        (End::At(operand), _) => return operand.clone(),
        (End::Before, true) => Literal::Date(Date::FIRST),
        (End::After, true) => Literal::Date(Date::LAST),
        (End::Before, false) => Literal::Timestamp(Timestamp::FIRST),
        (End::After, false) => Literal::Timestamp(Timestamp::LAST),
    })
}

pub(super) fn meaning(op: TemporalOp, first: &Period, second: &Period) -> Expr {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    let ([s1, e1], [s2, e2]) = (ends(first), ends(second));
    let holds = |left, op, right| Expr::Compare { left: operand(left, right), op, right: operand(right, left) };
    let both = |a, b| Expr::and(vec![a, b]);
    match op {
        TemporalOp::After => holds(s1, Greater, e2),
        TemporalOp::Before => holds(e1, Less, s2),
        TemporalOp::Disjoint => Expr::or(vec![holds(e1, Less, s2), holds(s1, Greater, e2)]),
        TemporalOp::Intersects => both(holds(e1, GreaterOrEqual, s2), holds(s1, LessOrEqual, e2)),
        TemporalOp::Equals => match (first, second) {
            (Period::Instant(_), Period::Instant(_)) => holds(s1, Equal, s2),
            _ => both(holds(s1, Equal, s2), holds(e1, Equal, e2)),
        },
        TemporalOp::Contains => both(holds(s1, Less, s2), holds(e1, Greater, e2)),
        TemporalOp::During => both(holds(s1, Greater, s2), holds(e1, Less, e2)),
        TemporalOp::Finishes => both(holds(s1, Greater, s2), holds(e1, Equal, e2)),
        TemporalOp::FinishedBy => both(holds(s1, Less, s2), holds(e1, Equal, e2)),
        TemporalOp::Starts => both(holds(s1, Equal, s2), holds(e1, Less, e2)),
        TemporalOp::StartedBy => both(holds(s1, Equal, s2), holds(e1, Greater, e2)),
        TemporalOp::Meets => holds(e1, Equal, s2),
        TemporalOp::MetBy => holds(s1, Equal, e2),
        TemporalOp::Overlaps => Expr::and(vec![holds(s1, Less, s2), holds(e1, Greater, s2), holds(e1, Less, e2)]),
        TemporalOp::OverlappedBy => {
            Expr::and(vec![holds(s1, Greater, s2), holds(s1, Less, e2), holds(e1, Greater, e2)])
        }
    }
}
