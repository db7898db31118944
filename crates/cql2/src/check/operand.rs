//! What stands on a side: fields, values, arithmetic, functions.

use super::{Checker, Class, MAX_LEVELS, Placed, date, text_only, timestamp};
use crate::expr::{ArithmeticOp, Expr, Field, Literal, Operand, Place, Subject};
use crate::functions::{FUNCTIONS, Meaning, Signature};
use crate::node::{Node, Op, Term};
use crate::problem::{Problem, Result, shorten, unknown_field, unknown_function};
use crate::{Kind, evaluate, like};

/// The most levels of arithmetic: each is a query within a query for PostgreSQL.
const MAX_ARITHMETIC: usize = 40;

impl Checker<'_> {
    pub(crate) fn operand(&self, node: &Node) -> Result<Placed> {
        let at = node.at;
        let operand = match &node.term {
            Term::Literal(literal) => Operand::Literal(literal.clone()),
            Term::Date(text) => Operand::Literal(date(at, text)?),
            Term::Timestamp(text) => Operand::Literal(timestamp(at, text)?),
            Term::Property(name) => self.property(at, name)?,
            Term::Geometry(_) | Term::Bbox(_) => match self.place(node)? {
                Place::Literal(shape) => Operand::Shape(shape),
                Place::Of(subject) => Operand::Geometry(subject),
            },
            Term::Function(name, arguments) => self.function(at, name, arguments)?,
            Term::Op(op, members) => self.operation(node, *op, members)?,
            Term::Array(_) => {
                let (zh, en) = ("数组只能用于 IN 和 A_ 函数", "a list is for IN and the A_ functions");
                return Err(Problem::new(at, zh, en));
            }
            Term::Interval(_) => {
                let (zh, en) = ("INTERVAL 只能用于 T_ 函数", "an interval is for the T_ functions");
                return Err(Problem::new(at, zh, en));
            }
        };
        Ok(Placed { at, operand })
    }

    fn property(&self, at: usize, name: &str) -> Result<Operand> {
        if let Some((index, kind)) = self.schema.field(name) {
            Ok(Operand::Field(Field { index, name: name.to_owned(), kind }))
        } else if self.schema.is_geometry(name) {
            Ok(Operand::Geometry(Subject::Stored(name.to_owned())))
        } else {
            Err(unknown_field(at, name, &self.schema.names()))
        }
    }

    fn operation(&self, node: &Node, op: Op, members: &[Node]) -> Result<Operand> {
        match (op, members) {
            (Op::Casei, [inner]) => {
                let inner = self.operand(inner)?;
                text_only(&inner, "CASEI")?;
                Ok(match inner.operand {
                    Operand::Literal(Literal::Text(text)) => Operand::Literal(Literal::Text(like::fold(&text))),
                    same @ Operand::Casei(_) => same,
                    other => Operand::Casei(Box::new(other)),
                })
            }
            (Op::Accenti, [inner]) => {
                let inner = self.operand(inner)?;
                text_only(&inner, "ACCENTI")?;
                Ok(match inner.operand {
                    Operand::Literal(Literal::Text(text)) => Operand::Literal(Literal::Text(like::plain(&text))),
                    same @ Operand::Accenti(_) => same,
                    other => Operand::Accenti(Box::new(other)),
                })
            }
            (Op::Arithmetic(op), [left, right]) => self.arithmetic(node.at, op, left, right),
            _ => Ok(match self.inner(node)? {
                // One that is a constant is said as what it is.
                Expr::Truth(constant @ Operand::Literal(_)) => constant,
                condition => Operand::Condition(Box::new(condition)),
            }),
        }
    }

    /// A condition that is an operand. Relations have their members several times, and so it would grow with each level by as much.
    fn inner(&self, node: &Node) -> Result<Expr> {
        let level = self.level.get();
        if level == MAX_LEVELS {
            let (zh, en) = (
                format!("条件作为操作数最多嵌套 {MAX_LEVELS} 层"),
                format!("conditions as operands of conditions: at most {MAX_LEVELS} levels are read"),
            );
            return Err(Problem::new(node.at, zh, en));
        }
        self.level.set(level + 1);
        let read = self.condition(node);
        self.level.set(level);
        read
    }

    fn arithmetic(&self, at: usize, op: ArithmeticOp, left: &Node, right: &Node) -> Result<Operand> {
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        for side in [&left, &right] {
            let class = Class::of(&side.operand);
            if class != Class::Number {
                let (zh, en) = class.names();
                let (zh, en) = (
                    format!("{} 只能用于数字，这里是{zh}", op.name()),
                    format!("{} is for numbers, and this is {en}", op.name()),
                );
                return Err(Problem::new(side.at, zh, en));
            }
        }
        let operand = Operand::Arithmetic { op, left: Box::new(left.operand), right: Box::new(right.operand) };
        if levels(&operand) > MAX_ARITHMETIC {
            let (zh, en) = (
                format!("算术运算嵌套超过 {MAX_ARITHMETIC} 层"),
                format!("arithmetic of more than {MAX_ARITHMETIC} levels"),
            );
            return Err(Problem::new(at, zh, en));
        }
        Ok(evaluate::folded(operand))
    }

    fn function(&self, at: usize, name: &str, arguments: &[Node]) -> Result<Operand> {
        let Some(signature) = Signature::named(name) else {
            let names: Vec<&str> = FUNCTIONS.iter().map(|signature| signature.name).collect();
            return Err(unknown_function(at, name, &names));
        };
        if !signature.takes(arguments.len()) {
            let titles: Vec<&str> = signature.arguments.iter().map(|argument| argument.title).collect();
            let call = format!("{}({})", signature.name, titles.join(", "));
            return Err(Problem::new(
                at,
                format!("参数个数不符，应为 {call}"),
                format!("wrong number of arguments: write {call}"),
            ));
        }
        let mut operands = Vec::with_capacity(arguments.len());
        for (i, argument) in arguments.iter().enumerate() {
            let placed = self.operand(argument)?;
            let (class, wanted) = (Class::of(&placed.operand), signature.argument(i));
            if !wanted.classes.contains(&class) {
                let (zh, en) = class.names();
                let (wanted_zh, wanted_en) = wanted.classes[0].names();
                let name = shorten(name);
                return Err(Problem::new(
                    placed.at,
                    format!("{name} 的参数应为{wanted_zh}，这里是{zh}"),
                    format!("{name} takes {wanted_en} here, and this is {en}"),
                ));
            }
            if wanted.types == ["integer"] && placed.operand.kind() != Some(Kind::Integer) {
                let (zh, en) =
                    (format!("{} 应为整数", wanted.title), format!("{} must be a whole number", wanted.title));
                return Err(Problem::new(placed.at, zh, en));
            }
            operands.push(placed.operand);
        }
        match (signature.meaning, operands) {
            (Meaning::Now, _) => {
                self.now.set(true);
                Ok(Operand::Literal(Literal::Timestamp(self.schema.now())))
            }
            (Meaning::Centroid, operands) => match operands.into_iter().next() {
                Some(Operand::Geometry(subject)) => Ok(Operand::Geometry(Subject::Centroid(subject.name().to_owned()))),
                Some(Operand::Shape(shape)) => self.centroid(at, &shape),
                _ => Err(Problem::new(at, "centroid 需要几何", "centroid takes a geometry")),
            },
            (Meaning::Function(function), arguments) => {
                let operand = Operand::Call { function, arguments };
                if levels(&operand) > MAX_ARITHMETIC {
                    return Err(Problem::new(at, "函数嵌套过深", "functions are nested too deeply"));
                }
                Ok(evaluate::folded(operand))
            }
        }
    }
}

/// How deeply arithmetic and functions lie within each other.
fn levels(operand: &Operand) -> usize {
    match operand {
        Operand::Arithmetic { left, right, .. } => 1 + levels(left).max(levels(right)),
        Operand::Call { arguments, .. } => 1 + arguments.iter().map(levels).max().unwrap_or(0),
        Operand::Casei(inner) | Operand::Accenti(inner) => 1 + levels(inner),
        _ => 0,
    }
}
