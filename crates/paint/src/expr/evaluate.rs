//! An expression's value for a feature.

use std::sync::Arc;

use super::ops::Op;
use super::parse::LARGEST;
use super::{Context, Expr, Failure, Image, Label, Match, Node, Type, Value, coerce, place};

impl Expr {
    pub fn evaluate(&self, context: &Context<'_>) -> Result<Value, Failure> {
        match &self.node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Assert(all) => self.assert(all, context),
            Node::Coerce(all) => coerce::first(&self.kind, all, context),
            Node::Call(op, arguments) => call(*op, arguments, context),
            Node::Case(branches, otherwise) => {
                for (test, output) in branches {
                    if test.evaluate(context)? == Value::Bool(true) {
                        return output.evaluate(context);
                    }
                }
                otherwise.evaluate(context)
            }
            Node::Match(m) => m.output(context)?.evaluate(context),
            Node::Coalesce(all) => coalesce(all, context),
            Node::Step { input, stops } => {
                let at = number(input, context)?;
                let above = stops.partition_point(|(stop, _)| *stop <= at);
                stops[above.saturating_sub(1)].1.evaluate(context)
            }
            Node::Interpolate { space, curve, input, stops } => {
                let at = number(input, context)?;
                let above = stops.partition_point(|(stop, _)| *stop <= at);
                let (Some(below), Some(above)) = (above.checked_sub(1), stops.get(above)) else {
                    let end = if above == 0 { stops.first() } else { stops.last() };
                    return end.map_or(Ok(Value::Null), |(_, output)| output.evaluate(context));
                };
                let (from, below) = &stops[below];
                let (to, above) = above;
                if at == *from {
                    return below.evaluate(context);
                }
                let t = curve.share(at, *from, *to);
                space.mix(below.evaluate(context)?, above.evaluate(context)?, t)
            }
            Node::Bound(inner) => inner.evaluate(context),
            Node::Compare { comparison, sides, collator } => {
                let collator = collator.as_ref().map(|c| c.evaluate(context)).transpose()?;
                comparison.holds(&sides[0].evaluate(context)?, &sides[1].evaluate(context)?, collator.as_ref())
            }
            Node::Collator { case, diacritic, locale } => {
                let locale = locale.as_ref().map(|l| l.evaluate(context)).transpose()?;
                Ok(super::collator::Collator::value(
                    case.evaluate(context)? == Value::Bool(true),
                    diacritic.evaluate(context)? == Value::Bool(true),
                    locale.as_ref().and_then(Value::text),
                ))
            }
            Node::Format(sections) => super::format::format(sections, context),
            Node::NumberFormat(n, style) => style.write(number(n, context)?, context),
            Node::Image(name) => Ok(image(name.evaluate(context)?.text().unwrap_or_default(), context)),
            Node::Within(target) => place::within(context, target).map(Value::Bool),
            Node::Distance(target) => place::distance(context, target).map(Value::Number),
        }
    }

    fn assert(&self, all: &[Expr], context: &Context<'_>) -> Result<Value, Failure> {
        let mut found = Type::Null;
        for one in all {
            let value = one.evaluate(context)?;
            // Spares the type of an array where none is asked for.
            let fits = match (&self.kind, &value) {
                (Type::String, Value::String(_)) | (Type::Number, Value::Number(_)) => true,
                _ => {
                    found = Type::of(&value);
                    self.kind.admits(&found)
                }
            };
            if fits {
                return Ok(value);
            }
        }
        Err(Failure::new(format!("a value should be of type {} and is of type {found}", self.kind)))
    }
}

fn number(expr: &Expr, context: &Context<'_>) -> Result<f64, Failure> {
    Ok(expr.evaluate(context)?.number().unwrap_or(f64::NAN))
}

fn call(op: Op, arguments: &[Expr], context: &Context<'_>) -> Result<Value, Failure> {
    match (op, arguments) {
        // The most frequent ones without a list of arguments.
        (Op::Get | Op::Has, [name]) => {
            let name = match name.as_literal() {
                Some(name) => name.clone(),
                None => name.evaluate(context)?,
            };
            let found = context.subject.and_then(|s| s.property(name.text().unwrap_or_default()));
            match op {
                Op::Has => Ok(Value::Bool(found.is_some())),
                _ => Ok(found.map_or(Value::Null, std::borrow::Cow::into_owned)),
            }
        }
        (Op::Zoom, _) => Ok(Value::Number(context.zoom)),
        (Op::All | Op::Any, _) => {
            for one in arguments {
                let holds = one.evaluate(context)? == Value::Bool(true);
                if holds == matches!(op, Op::Any) {
                    return Ok(Value::Bool(holds));
                }
            }
            Ok(Value::Bool(matches!(op, Op::All)))
        }
        _ => {
            let mut values = Vec::with_capacity(arguments.len());
            // What puts its arguments together must not hold more of them than an expression may.
            let grows = matches!(op, Op::Concat | Op::List);
            let mut size = 0u32;
            for argument in arguments {
                let value = argument.evaluate(context)?;
                if grows {
                    size = size.saturating_add(value.size());
                    if size > LARGEST {
                        return Err(Failure::new("there is too much to put together"));
                    }
                }
                values.push(value);
            }
            op.call(&values, context)
        }
    }
}

/// The first that is not null; of pictures the first that the sprite has, else the first that was asked for.
fn coalesce(all: &[Expr], context: &Context<'_>) -> Result<Value, Failure> {
    let mut wanted = None;
    for one in all {
        match one.evaluate(context)? {
            Value::Null => {}
            Value::Image(image) if !image.available => wanted = wanted.or(Some(Value::Image(image))),
            value => return Ok(value),
        }
    }
    Ok(wanted.unwrap_or(Value::Null))
}

pub(super) fn image(name: &str, context: &Context<'_>) -> Value {
    if name.is_empty() {
        return Value::Null;
    }
    let available = context.has_image.is_some_and(|has| has(name));
    Value::Image(Arc::new(Image { name: name.into(), available }))
}

impl Match {
    fn output(&self, context: &Context<'_>) -> Result<&Expr, Failure> {
        let label = match (self.input.evaluate(context)?, &self.input_kind) {
            (Value::String(text), Type::String) => Some(Label::Text(text)),
            (Value::Number(n), Type::Number) if n.fract() == 0.0 => Some(Label::Number(n as i64)),
            _ => None,
        };
        let at = label.and_then(|l| self.labels.get(&l));
        Ok(at.and_then(|at| self.outputs.get(*at)).unwrap_or(&self.otherwise))
    }
}
