//! Types: which operands may stand beside each other.

use crate::Kind;
use crate::expr::{Comparison, Expr, Literal, Operand};
use crate::instant::{Date, Timestamp};
use crate::like;
use crate::problem::{Problem, Result, shorten};

/// An operand and where it stands.
pub(crate) struct Placed {
    pub at: usize,
    pub operand: Operand,
}

/// Kinds whose values can be compared with each other.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Text,
    Number,
    Boolean,
    Instant,
}

impl Class {
    fn of(kind: Kind) -> Class {
        match kind {
            Kind::Text => Class::Text,
            Kind::Integer | Kind::Float => Class::Number,
            Kind::Boolean => Class::Boolean,
            Kind::Date | Kind::Timestamp => Class::Instant,
        }
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Class::Text => ("文本", "text"),
            Class::Number => ("数字", "a number"),
            Class::Boolean => ("布尔值", "a boolean"),
            Class::Instant => ("日期或时间", "a date or timestamp"),
        }
    }
}

pub(crate) fn compare(mut left: Placed, op: Comparison, mut right: Placed) -> Result<Expr> {
    common(&mut [&mut left, &mut right])?;
    Ok(Expr::Compare { left: left.operand, op, right: right.operand })
}

pub(crate) fn between(mut value: Placed, mut low: Placed, mut high: Placed) -> Result<Expr> {
    common(&mut [&mut value, &mut low, &mut high])?;
    Ok(Expr::Between { value: value.operand, low: low.operand, high: high.operand })
}

pub(crate) fn within(mut value: Placed, mut list: Vec<Placed>) -> Result<Expr> {
    let mut all: Vec<&mut Placed> = std::iter::once(&mut value).chain(&mut list).collect();
    common(&mut all)?;
    Ok(Expr::In { value: value.operand, list: list.into_iter().map(|item| item.operand).collect() })
}

pub(crate) fn like(value: Placed, pattern: String) -> Result<Expr> {
    text_only(&value, "LIKE")?;
    Ok(Expr::Like { value: value.operand, pattern: like::complete(pattern) })
}

pub(crate) fn casei(value: Placed) -> Result<Operand> {
    text_only(&value, "CASEI")?;
    Ok(value.operand.casei())
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

fn text_only(value: &Placed, what: &str) -> Result<()> {
    match class(value)? {
        Class::Text => Ok(()),
        other => {
            let (zh, en) = other.names();
            let (zh, en) =
                (format!("{what} 只能用于文本，这里是{zh}"), format!("{what} is for text, and this is {en}"));
            Err(Problem::new(value.at, zh, en))
        }
    }
}

fn class(value: &Placed) -> Result<Class> {
    value.operand.kind().map(Class::of).ok_or_else(|| {
        let (zh, en) = ("几何字段只能用于 S_INTERSECTS 或 IS NULL", "a geometry is for S_INTERSECTS or IS NULL only");
        Problem::new(value.at, zh, en)
    })
}

/// All operands must be of one class. Beside a date or timestamp a text literal is taken for one too.
fn common(all: &mut [&mut Placed]) -> Result<()> {
    let classes = all.iter().map(|placed| class(placed)).collect::<Result<Vec<_>>>()?;
    if classes.contains(&Class::Instant) {
        for placed in all.iter_mut() {
            if let Operand::Literal(Literal::Text(text)) = &placed.operand {
                placed.operand = Operand::Literal(instant(placed.at, text)?);
            }
        }
    }
    let first = class(all[0])?;
    for placed in &all[1..] {
        let other = class(placed)?;
        if other != first {
            let ((zh, en), (other_zh, other_en)) = (first.names(), other.names());
            return Err(Problem::new(
                placed.at,
                format!("类型不符：{zh}不能与{other_zh}比较"),
                format!("types differ: {en} cannot be compared with {other_en}"),
            ));
        }
    }
    Ok(())
}

fn instant(at: usize, text: &str) -> Result<Literal> {
    if text.len() > 10 { timestamp(at, text) } else { date(at, text) }
}
