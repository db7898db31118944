//! The expressions whose arguments are read in a way of their own.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::compare::Comparison;
use super::curve::{Curve, Space};
use super::format::{NumberStyle, SectionExpr};
use super::ops::Op;
use super::parse::{Scope, call};
use super::place::Target;
use super::{Expr, Label, Match, Node, Type, Value};
use crate::problem::Result;

pub type Reader = for<'a> fn(&Scope<'a>, &'a [Json], Option<&Type>) -> Result<Expr>;

pub fn reader(name: &str) -> Option<Reader> {
    Some(match name {
        "literal" => literal,
        "semiliteral" => semiliteral,
        "array" | "boolean" | "number" | "object" | "string" => assertion,
        "to-boolean" | "to-color" | "to-number" | "to-string" => coercion,
        "at" => at,
        "in" => within_list,
        "index-of" => index_of,
        "slice" => slice,
        "length" => length,
        "join" => join,
        "case" => case,
        "match" => matching,
        "coalesce" => coalesce,
        "step" => step,
        "interpolate" | "interpolate-hcl" | "interpolate-lab" => interpolate,
        "let" => bind,
        "var" => variable,
        "collator" => collator,
        "format" => format,
        "number-format" => number_format,
        "image" => image,
        "within" => within,
        "distance" => distance,
        "global-state" => global_state,
        _ if Comparison::of(name).is_some() => comparison,
        _ => return None,
    })
}

/// The number of arguments must be one of these.
fn count(scope: &Scope<'_>, items: &[Json], least: usize, most: usize) -> Result<()> {
    let n = items.len() - 1;
    if (least..=most).contains(&n) {
        return Ok(());
    }
    let wanted = match (least, most) {
        (a, b) if a == b => a.to_string(),
        (a, usize::MAX) => format!("at least {a}"),
        (a, b) => format!("{a} to {b}"),
    };
    Err(scope.fault(format!("it takes {wanted} arguments, and here are {n}")))
}

fn literal<'a>(scope: &Scope<'a>, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
    count(scope, items, 1, 1)?;
    let value = Value::of_json(&items[1]);
    let mut of = Type::of(&value);
    // An empty array is of whatever type is expected.
    if let (Type::Array(_, Some(0)), Some(Type::Array(item, None | Some(0)))) = (&of, kind) {
        of = kind.cloned().unwrap_or_else(|| Type::Array(item.clone(), Some(0)));
    }
    Ok(Expr::literal(of, value))
}

/// An array whose items are expressions.
fn semiliteral<'a>(scope: &Scope<'a>, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
    count(scope, items, 1, 1)?;
    let Json::Array(list) = &items[1] else { return literal(scope, items, kind) };
    if list.is_empty() {
        return literal(scope, items, kind);
    }
    let inner = scope.inner(1);
    let all: Result<Vec<Expr>> = (0..list.len()).map(|at| inner.argument(list, at, None)).collect();
    let all = all?;
    let first = all[0].kind().clone();
    let item = if all.iter().all(|e| *e.kind() == first) { first } else { Type::Value };
    Ok(call(Type::Array(Box::new(item), Some(all.len())), Op::List, all))
}

fn assertion<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 1, usize::MAX)?;
    let mut first = 1;
    let kind = match items[0].as_str() {
        Some("boolean") => Type::Boolean,
        Some("number") => Type::Number,
        Some("object") => Type::Object,
        Some("string") => Type::String,
        _ => {
            let mut item = Type::Value;
            let mut length = None;
            if items.len() > 2 {
                item = match items[1].as_str() {
                    Some("string") => Type::String,
                    Some("number") => Type::Number,
                    Some("boolean") => Type::Boolean,
                    Some("value") => Type::Value,
                    _ => return Err(scope.fault_at(1, "the items are of type string, number or boolean")),
                };
                first = 2;
            }
            if items.len() > 3 {
                length = match &items[2] {
                    Json::Null => None,
                    n => match n.as_u64() {
                        Some(n) => Some(n as usize),
                        None => return Err(scope.fault_at(2, "the length is a whole number")),
                    },
                };
                first = 3;
            }
            Type::Array(Box::new(item), length)
        }
    };
    let all: Result<Vec<Expr>> = (first..items.len()).map(|i| scope.argument(items, i, Some(&Type::Value))).collect();
    Ok(Expr::new(kind, Node::Assert(all?)))
}

fn coercion<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    let (kind, most) = match items[0].as_str() {
        Some("to-boolean") => (Type::Boolean, 1),
        Some("to-color") => (Type::Color, usize::MAX),
        Some("to-number") => (Type::Number, usize::MAX),
        _ => (Type::String, 1),
    };
    count(scope, items, 1, most)?;
    let all: Result<Vec<Expr>> = (1..items.len()).map(|i| scope.argument(items, i, Some(&Type::Value))).collect();
    Ok(Expr::new(kind, Node::Coerce(all?)))
}

fn at<'a>(scope: &Scope<'a>, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
    count(scope, items, 2, 2)?;
    let index = scope.argument(items, 1, Some(&Type::Number))?;
    let array = scope.argument(items, 2, Some(&Type::array(kind.cloned().unwrap_or(Type::Value))))?;
    let item = match array.kind() {
        Type::Array(item, _) => (**item).clone(),
        _ => Type::Value,
    };
    Ok(call(item, Op::At, vec![index, array]))
}

fn one_of(scope: &Scope<'_>, at: usize, expr: &Expr, what: &str, kinds: &[Type]) -> Result<()> {
    let kind = expr.kind();
    let known =
        kinds.contains(kind) || *kind == Type::Value || matches!(kind, Type::Array(..)) && what.contains("array");
    match known {
        true => Ok(()),
        false => Err(scope.fault_at(at, format!("{what} is expected here, and this is a {kind}"))),
    }
}

const NEEDLES: [Type; 4] = [Type::Boolean, Type::String, Type::Number, Type::Null];

fn needle_and_hay<'a>(scope: &Scope<'a>, items: &'a [Json]) -> Result<Vec<Expr>> {
    let needle = scope.argument(items, 1, Some(&Type::Value))?;
    let hay = scope.argument(items, 2, Some(&Type::Value))?;
    one_of(scope, 1, &needle, "a boolean, string, number or null", &NEEDLES)?;
    Ok(vec![needle, hay])
}

fn within_list<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 2, 2)?;
    Ok(call(Type::Boolean, Op::In, needle_and_hay(scope, items)?))
}

fn index_of<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 2, 3)?;
    let mut arguments = needle_and_hay(scope, items)?;
    if items.len() > 3 {
        arguments.push(scope.argument(items, 3, Some(&Type::Number))?);
    }
    Ok(call(Type::Number, Op::IndexOf, arguments))
}

fn slice<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 2, 3)?;
    let of = scope.argument(items, 1, Some(&Type::Value))?;
    one_of(scope, 1, &of, "an array or a string", &[Type::String])?;
    let kind = of.kind().clone();
    let mut arguments = vec![of];
    for at in 2..items.len() {
        arguments.push(scope.argument(items, at, Some(&Type::Number))?);
    }
    Ok(call(kind, Op::Slice, arguments))
}

fn length<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 1, 1)?;
    let of = scope.argument(items, 1, None)?;
    one_of(scope, 1, &of, "an array or a string", &[Type::String])?;
    Ok(call(Type::Number, Op::Length, vec![of]))
}

fn join<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 2, 2)?;
    let list = scope.argument(items, 1, Some(&Type::array(Type::String)))?;
    let by = scope.argument(items, 2, Some(&Type::String))?;
    Ok(call(Type::String, Op::Join, vec![list, by]))
}

fn global_state<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 1, 1)?;
    if !items[1].is_string() {
        return Err(scope.fault(format!("the name of a global state is a string, and this is {}", items[1])));
    }
    Ok(call(Type::Value, Op::GlobalState, vec![scope.argument(items, 1, Some(&Type::String))?]))
}

/// The type that several outputs share: the expected one, else the first one's.
struct Shared {
    kind: Option<Type>,
}

impl Shared {
    fn new(expected: Option<&Type>) -> Shared {
        Shared { kind: expected.filter(|k| **k != Type::Value).cloned() }
    }

    fn read<'a>(&mut self, scope: &Scope<'a>, items: &'a [Json], at: usize) -> Result<Expr> {
        let expr = scope.argument(items, at, self.kind.as_ref())?;
        self.kind.get_or_insert_with(|| expr.kind().clone());
        Ok(expr)
    }

    fn kind(self) -> Type {
        self.kind.unwrap_or(Type::Value)
    }
}

fn case<'a>(scope: &Scope<'a>, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
    count(scope, items, 3, usize::MAX)?;
    if items.len() % 2 == 1 {
        return Err(
            scope.fault("it takes an odd number of arguments: tests with their outputs, and one output for the rest")
        );
    }
    let mut shared = Shared::new(kind);
    let mut branches = vec![];
    for at in (1..items.len() - 1).step_by(2) {
        let test = scope.argument(items, at, Some(&Type::Boolean))?;
        branches.push((test, shared.read(scope, items, at + 1)?));
    }
    let otherwise = shared.read(scope, items, items.len() - 1)?;
    Ok(Expr::new(shared.kind(), Node::Case(branches, Box::new(otherwise))))
}

fn matching<'a>(scope: &Scope<'a>, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
    count(scope, items, 4, usize::MAX)?;
    if items.len().is_multiple_of(2) {
        return Err(scope.fault(
            "it takes an even number of arguments: the input, labels with their outputs, and one output for the rest",
        ));
    }
    let mut shared = Shared::new(kind);
    let mut input_kind: Option<Type> = None;
    let mut labels = FxHashMap::default();
    let mut outputs = vec![];
    for at in (2..items.len() - 1).step_by(2) {
        let given = match &items[at] {
            Json::Array(many) => &many[..],
            one => std::slice::from_ref(one),
        };
        if given.is_empty() {
            return Err(scope.fault_at(at, "a branch has one label at least"));
        }
        for label in given {
            let label = read_label(label).map_err(|fault| scope.fault_at(at, fault))?;
            let of = if matches!(label, Label::Text(_)) { Type::String } else { Type::Number };
            match &input_kind {
                Some(known) if *known != of => {
                    return Err(scope.fault_at(at, format!("a {known} is expected here, and this is a {of}")));
                }
                _ => input_kind = Some(of),
            }
            if labels.insert(label, outputs.len()).is_some() {
                return Err(scope.fault_at(at, "each label may stand in one branch only"));
            }
        }
        outputs.push(shared.read(scope, items, at + 1)?);
    }
    let input = scope.argument(items, 1, Some(&Type::Value))?;
    let otherwise = shared.read(scope, items, items.len() - 1)?;
    let input_kind = input_kind.unwrap_or(Type::Value);
    if *input.kind() != Type::Value && *input.kind() != input_kind {
        return Err(scope.fault_at(1, format!("a {input_kind} is expected here, and this is a {}", input.kind())));
    }
    Ok(Expr::new(shared.kind(), Node::Match(Box::new(Match { input, input_kind, labels, outputs, otherwise }))))
}

fn read_label(label: &Json) -> std::result::Result<Label, &'static str> {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    match label {
        Json::String(text) => Ok(Label::Text(text.as_str().into())),
        Json::Number(n) => match n.as_f64() {
            Some(n) if n.abs() > SAFE => Err("a label is no larger than 9007199254740991"),
            Some(n) if n.fract() != 0.0 => Err("a numeric label is a whole number"),
            Some(n) => Ok(Label::Number(n as i64)),
            None => Err("a label is a string or a number"),
        },
        _ => Err("a label is a string or a number"),
    }
}

fn coalesce<'a>(scope: &Scope<'a>, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
    count(scope, items, 1, usize::MAX)?;
    let expected = kind.filter(|k| **k != Type::Value);
    let mut of = expected.cloned();
    let mut all = vec![];
    for at in 1..items.len() {
        let expr = scope.argument_plain(items, at, of.as_ref())?;
        of.get_or_insert_with(|| expr.kind().clone());
        all.push(expr);
    }
    // Checked as a whole: a null in between is no fault.
    let checked = expected.is_some_and(|e| all.iter().any(|a| !e.admits(a.kind()) || *a.kind() == Type::Value));
    let of = if checked { Type::Value } else { of.unwrap_or(Type::Value) };
    Ok(Expr::new(of, Node::Coalesce(all)))
}

/// Pairs of a rising number and an output, from `first` on; the first number may be left out.
fn stops<'a>(
    scope: &Scope<'a>,
    items: &'a [Json],
    first: usize,
    open: bool,
    shared: &mut Shared,
) -> Result<Vec<(f64, Expr)>> {
    let mut stops: Vec<(f64, Expr)> = vec![];
    if open {
        stops.push((f64::NEG_INFINITY, shared.read(scope, items, first)?));
    }
    for at in (first + usize::from(open)..items.len()).step_by(2) {
        let Some(stop) = items[at].as_f64() else {
            return Err(scope.fault_at(at, "a stop is a plain number; expressions may stand in the outputs"));
        };
        if stops.last().is_some_and(|(last, _)| *last >= stop) {
            return Err(scope.fault_at(at, "stops must rise from one to the next"));
        }
        stops.push((stop, shared.read(scope, items, at + 1)?));
    }
    Ok(stops)
}

fn step<'a>(scope: &Scope<'a>, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
    count(scope, items, 4, usize::MAX)?;
    if items.len().is_multiple_of(2) {
        return Err(
            scope.fault("it takes an even number of arguments: the input, an output, and stops with their outputs")
        );
    }
    let input = scope.argument(items, 1, Some(&Type::Number))?;
    let mut shared = Shared::new(kind);
    let stops = stops(scope, items, 2, true, &mut shared)?;
    Ok(Expr::new(shared.kind(), Node::Step { input: Box::new(input), stops }))
}

fn interpolate<'a>(scope: &Scope<'a>, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
    let space = match items[0].as_str() {
        Some("interpolate-hcl") => Space::Hcl,
        Some("interpolate-lab") => Space::Lab,
        _ => Space::Rgb,
    };
    count(scope, items, 2, usize::MAX)?;
    let curve = curve(scope, &items[1])?;
    count(scope, items, 4, usize::MAX)?;
    if items.len().is_multiple_of(2) {
        return Err(
            scope.fault("it takes an even number of arguments: the curve, the input, and stops with their outputs")
        );
    }
    let input = scope.argument(items, 2, Some(&Type::Number))?;
    let mut shared = Shared::new(match (space, kind) {
        (Space::Rgb, kind) => kind,
        (_, Some(Type::ColorArray)) => Some(&Type::ColorArray),
        _ => Some(&Type::Color),
    });
    let stops = stops(scope, items, 3, false, &mut shared)?;
    let of = shared.kind();
    let between = match &of {
        Type::Array(item, Some(_)) => **item == Type::Number,
        Type::Number | Type::Color | Type::Padding | Type::NumberArray | Type::ColorArray => true,
        other => matches!(other, Type::AnchorOffsets | Type::ProjectionDefinition),
    };
    match between {
        true => Ok(Expr::new(of, Node::Interpolate { space, curve, input: Box::new(input), stops })),
        false => Err(scope.fault(format!("there is nothing between two values of type {of}"))),
    }
}

fn curve(scope: &Scope<'_>, json: &Json) -> Result<Curve> {
    let name = json.get(0).and_then(Json::as_str);
    let numbers: Vec<f64> = json.as_array().into_iter().flatten().skip(1).filter_map(Json::as_f64).collect();
    match (name, &numbers[..]) {
        (Some("linear"), _) => Ok(Curve::Exponential(1.0)),
        (Some("exponential"), [base, ..]) => Ok(Curve::Exponential(*base)),
        (Some("exponential"), _) => Err(scope.fault_at("1][1", "an exponential curve has a number as its base")),
        (Some("cubic-bezier"), [x1, y1, x2, y2]) if numbers.iter().all(|n| (0.0..=1.0).contains(n)) => {
            Ok(Curve::Bezier([*x1, *y1, *x2, *y2]))
        }
        (Some("cubic-bezier"), _) => Err(scope.fault_at(1, "a cubic-bezier curve has four numbers from 0 to 1")),
        _ if json.is_array() => Err(scope.fault_at("1][0", "the curve is linear, exponential or cubic-bezier")),
        _ => Err(scope.fault_at(1, "the curve is an array, such as [\"linear\"]")),
    }
}

fn bind<'a>(scope: &Scope<'a>, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
    count(scope, items, 3, usize::MAX)?;
    let mut bound = vec![];
    for at in (1..items.len() - 1).step_by(2) {
        let Some(name) = items[at].as_str() else {
            return Err(scope.fault_at(at, "the name of a variable is a string"));
        };
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(scope.fault_at(at, "the name of a variable is of letters, digits and _"));
        }
        bound.push((name, Arc::new(scope.argument(items, at + 1, None)?)));
    }
    if items.len() % 2 == 1 {
        return Err(scope.fault("it takes an odd number of arguments: names with their values, and the result"));
    }
    let inner = scope.with_names(bound);
    inner.argument(items, items.len() - 1, kind)
}

fn variable<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    let (2, Some(name)) = (items.len(), items.get(1).and_then(Json::as_str)) else {
        return Err(scope.fault("it takes the name of a variable"));
    };
    let bound = scope.named(name).ok_or_else(|| {
        let name: String = name.chars().take(40).collect();
        scope.fault_at(1, format!("there is no variable \"{name}\"; a \"let\" around this place would give it"))
    })?;
    Ok(Expr::new(bound.kind().clone(), Node::Bound(bound)))
}

fn comparison<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 2, 3)?;
    let name = items[0].as_str().unwrap_or_default();
    let comparison = Comparison::of(name).unwrap_or(Comparison::Equal);
    let mut sides = [scope.argument(items, 1, Some(&Type::Value))?, scope.argument(items, 2, Some(&Type::Value))?];
    for (i, side) in sides.iter().enumerate() {
        if !comparison.takes(side.kind()) {
            return Err(scope.fault_at(i + 1, format!("\"{name}\" does not compare values of type {}", side.kind())));
        }
    }
    let [left, right] = [0, 1].map(|i| sides[i].kind().clone());
    if left != right && left != Type::Value && right != Type::Value {
        return Err(scope.fault(format!("a {left} cannot be compared with a {right}")));
    }
    if comparison.orders() {
        // What one side is, the other has to be.
        for (i, (own, other)) in [(&left, &right), (&right, &left)].into_iter().enumerate() {
            if *own == Type::Value && *other != Type::Value {
                let placeholder = Expr::constant(Value::Null);
                let side = std::mem::replace(&mut sides[i], placeholder);
                sides[i] = Expr::new(other.clone(), Node::Assert(vec![side]));
            }
        }
    }
    let collator = match items.len() > 3 {
        true if [&left, &right].iter().all(|k| **k != Type::String && **k != Type::Value) => {
            return Err(scope.fault("a collator compares strings only"));
        }
        true => Some(Box::new(scope.argument(items, 3, Some(&Type::Collator))?)),
        false => None,
    };
    Ok(Expr::new(Type::Boolean, Node::Compare { comparison, sides: Box::new(sides), collator }))
}

fn collator<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 1, 1)?;
    if !items[1].is_object() {
        return Err(scope.fault("the options of a collator are an object"));
    }
    let flag = |name: &str| -> Result<Box<Expr>> {
        let given = scope.option(items, 1, name, &Type::Boolean)?;
        Ok(Box::new(given.unwrap_or_else(|| Expr::constant(Value::Bool(false)))))
    };
    let (case, diacritic) = (flag("case-sensitive")?, flag("diacritic-sensitive")?);
    let locale = scope.option(items, 1, "locale", &Type::String)?.map(Box::new);
    Ok(Expr::new(Type::Collator, Node::Collator { case, diacritic, locale }))
}

fn format<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 1, usize::MAX)?;
    if items[1].is_object() {
        return Err(scope.fault("the first argument is a text or an image"));
    }
    let mut sections: Vec<SectionExpr> = vec![];
    for at in 1..items.len() {
        if items[at].is_object() && !items[at - 1].is_object() {
            let Some(section) = sections.last_mut() else { continue };
            section.scale = scope.option(items, at, "font-scale", &Type::Number)?;
            section.font = scope.option(items, at, "text-font", &Type::array(Type::String))?;
            section.color = scope.option(items, at, "text-color", &Type::Color)?;
            if let Some(align) = items[at]["vertical-align"].as_str()
                && !["bottom", "center", "top"].contains(&align)
            {
                return Err(scope.fault(format!("vertical-align is bottom, center or top, not \"{align}\"")));
            }
            section.vertical_align = scope.option(items, at, "vertical-align", &Type::String)?;
            continue;
        }
        let content = scope.argument(items, at, Some(&Type::Value))?;
        if !matches!(content.kind(), Type::String | Type::Value | Type::Null | Type::Image) {
            let kind = content.kind();
            return Err(scope.fault(format!("a part is a string, an image or null, and this is a {kind}")));
        }
        sections.push(SectionExpr { content, scale: None, font: None, color: None, vertical_align: None });
    }
    Ok(Expr::new(Type::Formatted, Node::Format(sections)))
}

fn number_format<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 2, 2)?;
    let number = scope.argument(items, 1, Some(&Type::Number))?;
    if !items[2].is_object() {
        return Err(scope.fault("the options of number-format are an object"));
    }
    let style = NumberStyle {
        locale: scope.option(items, 2, "locale", &Type::String)?,
        currency: scope.option(items, 2, "currency", &Type::String)?,
        unit: scope.option(items, 2, "unit", &Type::String)?,
        least_digits: scope.option(items, 2, "min-fraction-digits", &Type::Number)?,
        most_digits: scope.option(items, 2, "max-fraction-digits", &Type::Number)?,
    };
    if style.currency.is_some() && style.unit.is_some() {
        return Err(scope.fault("a number has a currency or a unit, not both"));
    }
    Ok(Expr::new(Type::String, Node::NumberFormat(Box::new(number), Box::new(style))))
}

fn image<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    count(scope, items, 1, 1)?;
    let name = scope.argument(items, 1, Some(&Type::String))?;
    Ok(Expr::new(Type::Image, Node::Image(Box::new(name))))
}

fn target(scope: &Scope<'_>, items: &[Json]) -> Result<Arc<Target>> {
    count(scope, items, 1, 1)?;
    let target = items[1].is_object().then(|| Target::of_json(&items[1])).flatten();
    target.map(Arc::new).ok_or_else(|| scope.fault("it takes a GeoJSON object with a geometry"))
}

fn within<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    let target = target(scope, items)?;
    match target.has_polygons() {
        true => Ok(Expr::new(Type::Boolean, Node::Within(target))),
        false => Err(scope.fault("it takes a GeoJSON object with polygons")),
    }
}

fn distance<'a>(scope: &Scope<'a>, items: &'a [Json], _: Option<&Type>) -> Result<Expr> {
    Ok(Expr::new(Type::Number, Node::Distance(target(scope, items)?)))
}
