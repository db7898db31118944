//! From JSON to a typed expression. Each fault names its place.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value as Json;

use super::ops::{self, Op, Signature, Takes};
use super::{Context, Expr, Node, Type, Value, special};
use crate::problem::{Problem, Result};

/// No expression is nested deeper.
const DEEPEST: usize = 60;
/// Nor is it, with its variables put in, deeper or larger, or takes more to be worked out beforehand.
const DEEPEST_IN_ALL: u32 = 200;
pub(super) const LARGEST: u32 = 200_000;
const MOST_FOLDED: u64 = 10 * LARGEST as u64;

/// What is to happen to a value whose type is known only when it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Annotation {
    Assert,
    Coerce,
    Omit,
}

/// Where in the text the parser is, and what it knows there.
#[derive(Clone)]
pub struct Scope<'a> {
    path: String,
    depth: usize,
    names: Option<Arc<Names<'a>>>,
    /// What has been spent on folding, all over the expression.
    folded: Rc<Cell<u64>>,
}

struct Names<'a> {
    bound: Vec<(&'a str, Arc<Expr>)>,
    outer: Option<Arc<Names<'a>>>,
}

/// Reads an expression of whatever type.
pub fn parse_of_any_type(json: &Json) -> Result<Expr> {
    checked(Scope::new().parse(json, None, None)?)
}

/// Reads an expression whose value is to be of a type.
pub fn parse_as(json: &Json, kind: &Type) -> Result<Expr> {
    let annotation = (*kind == Type::String).then_some(Annotation::Coerce);
    checked(Scope::new().parse(json, Some(kind), annotation)?)
}

fn checked(expr: Expr) -> Result<Expr> {
    match expr.uses.zoom && !expr.zoom_is_outermost() {
        true => {
            Err(Problem::expression("", "\"zoom\" may only be the input of an outermost \"step\" or \"interpolate\""))
        }
        false => Ok(expr),
    }
}

impl<'a> Scope<'a> {
    fn new() -> Scope<'a> {
        Scope { path: String::new(), depth: 0, names: None, folded: Rc::default() }
    }

    pub fn fault(&self, text: impl Into<String>) -> Problem {
        Problem::expression(self.path.clone(), text)
    }

    /// A fault of an argument.
    pub fn fault_at(&self, at: impl std::fmt::Display, text: impl Into<String>) -> Problem {
        Problem::expression(format!("{}[{at}]", self.path), text)
    }

    pub fn inner(&self, at: impl std::fmt::Display) -> Scope<'a> {
        Scope {
            path: format!("{}[{at}]", self.path),
            depth: self.depth + 1,
            names: self.names.clone(),
            folded: self.folded.clone(),
        }
    }

    pub fn with_names(&self, bound: Vec<(&'a str, Arc<Expr>)>) -> Scope<'a> {
        let names = Names { bound, outer: self.names.clone() };
        Scope { names: Some(Arc::new(names)), ..self.clone() }
    }

    pub fn named(&self, name: &str) -> Option<Arc<Expr>> {
        let mut names = self.names.as_ref();
        while let Some(here) = names {
            if let Some((_, expr)) = here.bound.iter().rev().find(|(n, _)| *n == name) {
                return Some(expr.clone());
            }
            names = here.outer.as_ref();
        }
        None
    }

    /// Reads argument `at`, of a type if one is given.
    pub fn argument(&self, all: &'a [Json], at: usize, kind: Option<&Type>) -> Result<Expr> {
        self.inner(at).parse(&all[at], kind, None)
    }

    pub fn argument_plain(&self, all: &'a [Json], at: usize, kind: Option<&Type>) -> Result<Expr> {
        self.inner(at).parse(&all[at], kind, Some(Annotation::Omit))
    }

    /// Reads a member of an options object that is argument `at`.
    pub fn option(&self, all: &'a [Json], at: usize, name: &str, kind: &Type) -> Result<Option<Expr>> {
        match &all[at][name] {
            Json::Null => Ok(None),
            value => Ok(Some(self.inner(at).inner(name).parse(value, Some(kind), None)?)),
        }
    }

    pub fn parse(&self, json: &'a Json, kind: Option<&Type>, annotation: Option<Annotation>) -> Result<Expr> {
        if self.depth > DEEPEST {
            return Err(self.fault(format!("it is nested deeper than {DEEPEST}")));
        }
        let expr = match json {
            Json::Array(items) => self.operation(items, kind)?,
            Json::Object(_) => return Err(self.fault("an object must be written [\"literal\", {...}]")),
            plain => Expr::constant(Value::of_json(plain)),
        };
        if expr.cost > LARGEST {
            return Err(self.fault("it is too large, counting what its variables stand for"));
        }
        if expr.depth > DEEPEST_IN_ALL {
            let text = format!("it is nested deeper than {DEEPEST_IN_ALL}, counting what its variables stand for");
            return Err(self.fault(text));
        }
        // Before what makes it fit, too: a conversion folds over a value only.
        let expr = self.folded(expr)?;
        match kind {
            Some(kind) => self.folded(self.fit(expr, kind, annotation)?),
            None => Ok(expr),
        }
    }

    /// Makes sure that the expression gives the type, by a check or a conversion where only the value will tell.
    fn fit(&self, expr: Expr, kind: &Type, annotation: Option<Annotation>) -> Result<Expr> {
        use Type::{Array, Boolean, Color, Formatted, Image, Number, Object, String};
        let actual = &expr.kind;
        let unknown = actual.is_value_like();
        let listed = matches!(actual, Array(..));
        let usual = match kind {
            String | Number | Boolean | Object | Array(..) if unknown => Some(Annotation::Assert),
            Type::ProjectionDefinition if unknown || *actual == String || listed => Some(Annotation::Coerce),
            Color | Formatted | Image if unknown || *actual == String => Some(Annotation::Coerce),
            Type::Padding | Type::NumberArray if unknown || *actual == Number || listed => Some(Annotation::Coerce),
            Type::ColorArray if unknown || *actual == String || listed => Some(Annotation::Coerce),
            Type::AnchorOffsets if unknown || listed => Some(Annotation::Coerce),
            _ if kind.admits(actual) => None,
            _ => return Err(self.fault(format!("a {kind} is expected here, and this is a {actual}"))),
        };
        let wrap = |node: fn(Vec<Expr>) -> Node, expr: Expr| Expr::new(kind.clone(), node(vec![expr]));
        Ok(match usual.map(|usual| annotation.unwrap_or(usual)) {
            None | Some(Annotation::Omit) => expr,
            Some(Annotation::Assert) => wrap(Node::Assert, expr),
            Some(Annotation::Coerce) => wrap(Node::Coerce, expr),
        })
    }

    /// What depends on nothing is worked out at once, and its faults are the style's. It keeps its cost: a short text may stand for a
    /// long one, and that for one beyond all memory.
    fn folded(&self, expr: Expr) -> Result<Expr> {
        if !expr.is_foldable() {
            return Ok(expr);
        }
        self.folded.set(self.folded.get() + u64::from(expr.cost));
        if self.folded.get() > MOST_FOLDED {
            return Err(self.fault("it is too large, counting what its variables stand for"));
        }
        match expr.evaluate(&Context::default()) {
            Ok(value) => {
                let literal = Expr::literal(expr.kind, value);
                Ok(Expr { cost: literal.cost.max(expr.cost), ..literal })
            }
            Err(failure) => Err(self.fault(failure.0)),
        }
    }

    fn operation(&self, items: &'a [Json], kind: Option<&Type>) -> Result<Expr> {
        let Some(first) = items.first() else {
            return Err(self.fault("an empty array must be written [\"literal\", []]"));
        };
        let Json::String(name) = first else {
            let hint = "an expression begins with its name; a plain array must be written [\"literal\", [...]]";
            return Err(self.fault_at(0, hint));
        };
        if let Some(read) = special::reader(name) {
            return read(self, items, kind);
        }
        match ops::signature(name) {
            Some(signature) => self.call(items, &signature),
            None => {
                Err(self
                    .fault_at(0, format!("there is no expression \"{}\"", name.chars().take(40).collect::<String>())))
            }
        }
    }

    /// Reads the arguments of the overload that fits them.
    fn call(&self, items: &'a [Json], signature: &Signature) -> Result<Expr> {
        let count = items.len() - 1;
        let fits = |t: &&Takes| match t {
            Takes::Any(_) => true,
            Takes::These(kinds) => kinds.len() == count,
        };
        let mut overloads = signature.takes.iter().filter(fits).peekable();
        if overloads.peek().is_none() {
            let counts: Vec<String> = signature
                .takes
                .iter()
                .filter_map(|t| if let Takes::These(kinds) = t { Some(kinds.len().to_string()) } else { None })
                .collect();
            return Err(self.fault(format!("it takes {} arguments, and here are {count}", counts.join(" or "))));
        }
        let mut fault = None;
        for takes in overloads {
            let arguments: Result<Vec<Expr>> = (1..items.len())
                .map(|at| {
                    let kind = match takes {
                        Takes::Any(kind) => kind,
                        Takes::These(kinds) => &kinds[at - 1],
                    };
                    self.argument(items, at, Some(kind))
                })
                .collect();
            match arguments {
                Ok(arguments) => return Ok(Expr::new(signature.gives.clone(), Node::Call(signature.op, arguments))),
                Err(f) => fault = Some(f),
            }
        }
        Err(fault.unwrap_or_else(|| self.fault("its arguments fit no form of it")))
    }
}

/// Whether an expression begins with that name.
pub fn is_operator(name: &str) -> bool {
    special::reader(name).is_some() || ops::signature(name).is_some()
}

/// A call whose arguments have been read already.
pub fn call(kind: Type, op: Op, arguments: Vec<Expr>) -> Expr {
    Expr::new(kind, Node::Call(op, arguments))
}
