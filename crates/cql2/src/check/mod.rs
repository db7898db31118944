//! Names and types: from what was written to what it means over a schema.

mod array;
mod operand;
mod spatial;
mod temporal;

use std::cell::Cell;

use crate::expr::{Comparison, Expr, Literal, Operand};
use crate::instant::{Date, Timestamp};
use crate::node::{Node, Op, Term};
use crate::problem::{Problem, Result, shorten};
use crate::{Filter, Kind, Schema, like, sql};

/// An operand and where it stands.
pub(crate) struct Placed {
    pub at: usize,
    pub operand: Operand,
}

/// Kinds whose values can be compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Text,
    Number,
    Boolean,
    Instant,
    Geometry,
}

impl Class {
    pub(crate) fn of(operand: &Operand) -> Class {
        match operand.kind() {
            Some(Kind::Text) => Class::Text,
            Some(Kind::Integer | Kind::Float) => Class::Number,
            Some(Kind::Boolean) => Class::Boolean,
            Some(Kind::Date | Kind::Timestamp) => Class::Instant,
            None => Class::Geometry,
        }
    }

    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Class::Text => ("文本", "text"),
            Class::Number => ("数字", "a number"),
            Class::Boolean => ("布尔值", "a boolean"),
            Class::Instant => ("日期或时间", "a date or timestamp"),
            Class::Geometry => ("几何", "a geometry"),
        }
    }
}

pub(crate) struct Checker<'a> {
    pub schema: &'a dyn Schema,
    /// How many more comparisons sets may come to.
    pub comparisons: Cell<usize>,
    /// How many conditions that are operands the place lies in.
    pub level: Cell<usize>,
    /// Whether the time of the request was asked for.
    pub now: Cell<bool>,
}

/// The most comparisons that the sets of a filter come to.
const MAX_COMPARISONS: usize = 1_000;
/// The most items of an IN that differ by row: each is a comparison of its own.
const MAX_RECKONED: usize = 64;
/// The most conditions that are operands within each other, as in `(a = 1) = (b = 2)`.
const MAX_LEVELS: usize = 3;
/// The most values that a filter binds in SQL: PostgreSQL takes 65,535, and other conditions have theirs.
const MAX_VALUES: usize = 20_000;

pub(crate) fn check(node: &Node, schema: &dyn Schema) -> Result<Filter> {
    let checker =
        Checker { schema, comparisons: Cell::new(MAX_COMPARISONS), level: Cell::new(0), now: Cell::new(false) };
    let expr = checker.condition(node)?;
    if sql::values(&expr) > MAX_VALUES {
        let (zh, en) = (
            format!("过滤条件过大，其中的值超过 {MAX_VALUES} 个"),
            format!("the filter is too large: it comes to more than {MAX_VALUES} values"),
        );
        return Err(Problem::new(node.at, zh, en));
    }
    Ok(Filter { expr, now: checker.now.get() })
}

impl Checker<'_> {
    pub(crate) fn condition(&self, node: &Node) -> Result<Expr> {
        let Term::Op(op, members) = &node.term else { return self.truth(node) };
        match (op, &members[..]) {
            (Op::And, _) => Ok(Expr::and(self.conditions(members)?)),
            (Op::Or, _) => Ok(Expr::or(self.conditions(members)?)),
            (Op::Not, [inner]) => Ok(self.condition(inner)?.negate()),
            (Op::Compare(op), [left, right]) => self.compare(left, *op, right),
            (Op::Between, [value, low, high]) => self.between(value, low, high),
            (Op::In, [value, list]) => self.within(value, list),
            (Op::Like, [value, pattern]) => self.like(value, pattern),
            (Op::IsNull, [value]) => self.is_null(value),
            (Op::Spatial(op), [left, right]) => self.spatial(*op, left, right),
            (Op::Temporal(op), [left, right]) => self.temporal(node.at, *op, left, right),
            (Op::Array(op), [left, right]) => self.array(node.at, *op, left, right),
            _ => self.truth(node),
        }
    }

    fn conditions(&self, members: &[Node]) -> Result<Vec<Expr>> {
        members.iter().map(|member| self.condition(member)).collect()
    }

    /// A boolean operand.
    fn truth(&self, node: &Node) -> Result<Expr> {
        match self.operand(node)?.operand {
            Operand::Condition(expr) => Ok(*expr),
            operand if operand.kind() == Some(Kind::Boolean) => Ok(Expr::Truth(operand)),
            _ => Err(Problem::new(
                node.at,
                "这里需要一个条件，例如 字段 = 值",
                "a condition is wanted here, such as field = value",
            )),
        }
    }

    fn compare(&self, left: &Node, op: Comparison, right: &Node) -> Result<Expr> {
        let (mut left, mut right) = (self.operand(left)?, self.operand(right)?);
        common(&mut [&mut left, &mut right])?;
        Ok(Expr::Compare { left: left.operand, op, right: right.operand })
    }

    fn between(&self, value: &Node, low: &Node, high: &Node) -> Result<Expr> {
        let (mut value, mut low, mut high) = (self.operand(value)?, self.operand(low)?, self.operand(high)?);
        common(&mut [&mut value, &mut low, &mut high])?;
        Ok(Expr::Between { value: value.operand, low: low.operand, high: high.operand })
    }

    fn within(&self, value: &Node, list: &Node) -> Result<Expr> {
        let mut all = vec![self.operand(value)?];
        for item in list.term.members() {
            all.push(self.operand(item)?);
        }
        if all.len() < 2 {
            return Err(Problem::new(list.at, "IN 的列表为空", "the list of IN is empty"));
        }
        let reckoned = all[1..].iter().filter(|placed| !matches!(placed.operand, Operand::Literal(_))).count();
        if reckoned > MAX_RECKONED {
            let (zh, en) = (
                format!("IN 的列表中最多 {MAX_RECKONED} 项可以不是常量"),
                format!("in a list of IN at most {MAX_RECKONED} items may be other than constants"),
            );
            return Err(Problem::new(list.at, zh, en));
        }
        common(&mut all.iter_mut().collect::<Vec<_>>())?;
        let mut operands = all.into_iter().map(|placed| placed.operand);
        match operands.next() {
            Some(value) => Ok(Expr::In { value, list: operands.collect() }),
            None => Ok(Expr::constant(false)),
        }
    }

    fn like(&self, value: &Node, pattern: &Node) -> Result<Expr> {
        let value = self.operand(value)?;
        text_only(&value, "LIKE")?;
        let (zh, en) = (
            "LIKE 的模式必须是文本常量，例如 '朝阳%'",
            "the pattern of LIKE must be a text in quotes, such as 'North%'",
        );
        let constant = matches!(pattern.term, Term::Literal(_) | Term::Op(Op::Casei | Op::Accenti, _));
        if !constant {
            return Err(Problem::new(pattern.at, zh, en));
        }
        match self.operand(pattern)?.operand {
            Operand::Literal(Literal::Text(text)) => {
                Ok(Expr::Like { value: value.operand, pattern: like::complete(text) })
            }
            _ => Err(Problem::new(pattern.at, zh, en)),
        }
    }

    fn is_null(&self, value: &Node) -> Result<Expr> {
        match &value.term {
            // What was written is there, and so are its parts unless they are fields.
            Term::Array(_) | Term::Bbox(_) | Term::Geometry(_) => Ok(Expr::constant(false)),
            Term::Interval(ends) => {
                let fields = ends.iter().filter(|end| !matches!(end.term, Term::Literal(_)));
                let missing: Vec<Expr> = fields.map(|end| self.is_null(end)).collect::<Result<_>>()?;
                Ok(if missing.is_empty() { Expr::constant(false) } else { Expr::or(missing) })
            }
            _ => Ok(Expr::IsNull(self.operand(value)?.operand)),
        }
    }
}

pub(crate) fn date(at: usize, text: &str) -> Result<Literal> {
    Date::parse(text).map(Literal::Date).ok_or_else(|| {
        let text = shorten(text);
        Problem::new(
            at,
            format!("“{text}”不是日期，格式如 2024-05-01"),
            format!("\"{text}\" is no date: write one as 2024-05-01"),
        )
    })
}

pub(crate) fn timestamp(at: usize, text: &str) -> Result<Literal> {
    Timestamp::parse(text).map(Literal::Timestamp).ok_or_else(|| {
        let text = shorten(text);
        Problem::new(
            at,
            format!("“{text}”不是时间，格式如 2024-05-01T08:30:00Z 或 2024-05-01T16:30:00+08:00"),
            format!("\"{text}\" is no timestamp: write one as 2024-05-01T08:30:00Z or 2024-05-01T16:30:00+08:00"),
        )
    })
}

pub(crate) fn instant(at: usize, text: &str) -> Result<Literal> {
    if text.len() > 10 { timestamp(at, text) } else { date(at, text) }
}

pub(crate) fn text_only(value: &Placed, what: &str) -> Result<()> {
    match Class::of(&value.operand) {
        Class::Text => Ok(()),
        other => {
            let (zh, en) = other.names();
            let (zh, en) =
                (format!("{what} 只能用于文本，这里是{zh}"), format!("{what} is for text, and this is {en}"));
            Err(Problem::new(value.at, zh, en))
        }
    }
}

/// All operands must be of one class. Beside a date or timestamp a text literal is taken for one too.
pub(crate) fn common(all: &mut [&mut Placed]) -> Result<()> {
    if let Some(geometry) = all.iter().find(|placed| Class::of(&placed.operand) == Class::Geometry) {
        let (zh, en) = ("几何不能比较，请用 S_ 函数或 IS NULL", "a geometry is for the S_ functions and IS NULL");
        return Err(Problem::new(geometry.at, zh, en));
    }
    if all.iter().any(|placed| Class::of(&placed.operand) == Class::Instant) {
        for placed in all.iter_mut() {
            if let Operand::Literal(Literal::Text(text)) = &placed.operand {
                placed.operand = Operand::Literal(instant(placed.at, text)?);
            }
        }
    }
    let first = Class::of(&all[0].operand);
    match all.iter().find(|placed| Class::of(&placed.operand) != first) {
        None => Ok(()),
        Some(placed) => {
            let ((zh, en), (other_zh, other_en)) = (first.names(), Class::of(&placed.operand).names());
            Err(Problem::new(
                placed.at,
                format!("类型不符：{zh}不能与{other_zh}比较"),
                format!("types differ: {en} cannot be compared with {other_en}"),
            ))
        }
    }
}
