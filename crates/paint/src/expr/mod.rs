//! The MapLibre expression language: JSON is read once into a typed tree, which is then asked for every feature.

mod coerce;
mod collator;
mod compare;
mod curve;
mod evaluate;
mod format;
mod ops;
mod parse;
mod place;
mod special;
mod types;
mod value;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;

pub use parse::{is_operator, parse_as, parse_of_any_type};
pub use place::Geometry;
pub use types::Type;
pub use value::{Formatted, Image, Object, Projection, Section, Value, number_to_text};

use compare::Comparison;
use curve::{Curve, Space};
use format::{NumberStyle, SectionExpr};
use ops::Op;
use place::Target;

/// A typed expression.
#[derive(Debug, Clone)]
pub struct Expr {
    kind: Type,
    node: Node,
    uses: Uses,
    /// What asking it once may take: nodes, and what literals and geometries hold. Variables make it larger than the text.
    cost: u32,
    /// How deep asking it goes, through its variables too.
    depth: u32,
}

#[derive(Debug, Clone)]
enum Node {
    Literal(Value),
    /// The first that is of the expression's type.
    Assert(Vec<Expr>),
    /// The first that can be turned into the expression's type.
    Coerce(Vec<Expr>),
    Call(Op, Vec<Expr>),
    Case(Vec<(Expr, Expr)>, Box<Expr>),
    Match(Box<Match>),
    Coalesce(Vec<Expr>),
    Step {
        input: Box<Expr>,
        stops: Vec<(f64, Expr)>,
    },
    Interpolate {
        space: Space,
        curve: Curve,
        input: Box<Expr>,
        stops: Vec<(f64, Expr)>,
    },
    Bound(Arc<Expr>),
    Compare {
        comparison: Comparison,
        sides: Box<[Expr; 2]>,
        collator: Option<Box<Expr>>,
    },
    Collator {
        case: Box<Expr>,
        diacritic: Box<Expr>,
        locale: Option<Box<Expr>>,
    },
    Format(Vec<SectionExpr>),
    NumberFormat(Box<Expr>, Box<NumberStyle>),
    Image(Box<Expr>),
    Within(Arc<Target>),
    Distance(Arc<Target>),
}

#[derive(Debug, Clone)]
struct Match {
    input: Expr,
    /// What the input's type has to be for a label to fit.
    input_kind: Type,
    labels: FxHashMap<Label, usize>,
    outputs: Vec<Expr>,
    otherwise: Expr,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Label {
    Text(Arc<str>),
    Number(i64),
}

/// What an expression's value depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Uses {
    pub feature: bool,
    pub zoom: bool,
    pub density: bool,
    /// State that only a running map has, the reader's language, what is refused on purpose: never known beforehand.
    pub other: bool,
}

impl Uses {
    fn and(self, other: Uses) -> Uses {
        Uses {
            feature: self.feature || other.feature,
            zoom: self.zoom || other.zoom,
            density: self.density || other.density,
            other: self.other || other.other,
        }
    }

    pub fn nothing(self) -> bool {
        self == Uses::default()
    }
}

/// The feature an expression is asked about.
pub trait Subject {
    fn property(&self, name: &str) -> Option<Cow<'_, Value>>;
    fn properties(&self) -> Object;
    fn id(&self) -> Value;
    /// `Point`, `LineString` or `Polygon`, or with `Multi` before it.
    fn geometry_type(&self) -> Option<&'static str>;
    /// In degrees.
    fn geometry(&self) -> Option<Geometry>;
}

/// What an expression is asked in.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    pub zoom: f64,
    pub subject: Option<&'a dyn Subject>,
    pub heatmap_density: f64,
    /// Whether the sprite has a picture of that name.
    pub has_image: Option<&'a dyn Fn(&str) -> bool>,
    pub global_state: Option<&'a Object>,
    pub elevation: f64,
    /// When drawing has to be over: what takes long looks at the clock.
    pub until: Option<Instant>,
}

/// Why an expression has no value for a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub Cow<'static, str>);

impl Failure {
    fn new(text: impl Into<Cow<'static, str>>) -> Failure {
        Failure(text.into())
    }
}

impl Expr {
    pub fn literal(kind: Type, value: Value) -> Expr {
        Expr { kind, cost: value.size(), node: Node::Literal(value), uses: Uses::default(), depth: 1 }
    }

    pub fn constant(value: Value) -> Expr {
        Expr::literal(Type::of(&value), value)
    }

    fn new(kind: Type, node: Node) -> Expr {
        let mut uses = Uses::default();
        let (mut cost, mut depth) = (node.own_cost(), 0u32);
        node.each_child(&mut |child| {
            uses = uses.and(child.uses);
            cost = cost.saturating_add(child.cost);
            depth = depth.max(child.depth);
        });
        uses = uses.and(node.own_uses());
        Expr { kind, node, uses, cost, depth: depth.saturating_add(1) }
    }

    pub(crate) fn cost(&self) -> u32 {
        self.cost
    }

    pub fn kind(&self) -> &Type {
        &self.kind
    }

    pub fn uses(&self) -> Uses {
        self.uses
    }

    pub fn as_literal(&self) -> Option<&Value> {
        match &self.node {
            Node::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Whether its values lie between its stops too.
    pub fn is_interpolated(&self) -> bool {
        match &self.node {
            Node::Interpolate { .. } => true,
            Node::Coalesce(all) => all.iter().any(Expr::is_interpolated),
            Node::Bound(inner) => inner.is_interpolated(),
            _ => false,
        }
    }

    /// Whether all it is made of is known already.
    fn is_foldable(&self) -> bool {
        if matches!(self.node, Node::Literal(_) | Node::Collator { .. }) || !self.uses.nothing() {
            return false;
        }
        let mut literal = true;
        self.node.each_child(&mut |child| literal &= child.as_literal().is_some());
        literal
    }

    /// Whether `zoom` is only asked for where a picture's zoom may be put in at once: as the input of the outermost curve.
    fn zoom_is_outermost(&self) -> bool {
        match &self.node {
            Node::Step { input, stops } | Node::Interpolate { input, stops, .. } => {
                let plain = matches!(input.node, Node::Call(Op::Zoom, _));
                (plain || !input.uses.zoom) && stops.iter().all(|(_, out)| !out.uses.zoom)
                    || (!plain && !self.uses.zoom)
            }
            Node::Coalesce(all) => {
                all.iter().filter(|e| e.uses.zoom).count() <= 1 && all.iter().all(Expr::zoom_is_outermost)
            }
            Node::Bound(inner) => inner.zoom_is_outermost(),
            _ => !self.uses.zoom,
        }
    }
}

impl Node {
    fn each_child<'a>(&'a self, see: &mut dyn FnMut(&'a Expr)) {
        match self {
            Node::Literal(_) | Node::Within(_) | Node::Distance(_) => {}
            Node::Assert(all) | Node::Coerce(all) | Node::Coalesce(all) | Node::Call(_, all) => {
                all.iter().for_each(see);
            }
            Node::Case(branches, otherwise) => {
                for (test, output) in branches {
                    see(test);
                    see(output);
                }
                see(otherwise);
            }
            Node::Match(m) => {
                see(&m.input);
                m.outputs.iter().for_each(&mut *see);
                see(&m.otherwise);
            }
            Node::Step { input, stops } | Node::Interpolate { input, stops, .. } => {
                see(input);
                stops.iter().for_each(|(_, output)| see(output));
            }
            Node::Bound(inner) => see(inner),
            Node::Compare { sides, collator, .. } => {
                sides.iter().for_each(&mut *see);
                collator.iter().for_each(|c| see(c));
            }
            Node::Collator { case, diacritic, locale } => {
                see(case);
                see(diacritic);
                locale.iter().for_each(|l| see(l));
            }
            Node::Format(sections) => sections.iter().for_each(|s| s.each_child(see)),
            Node::NumberFormat(number, style) => {
                see(number);
                style.each_child(see);
            }
            Node::Image(name) => see(name),
        }
    }

    fn own_cost(&self) -> u32 {
        match self {
            Node::Within(target) | Node::Distance(target) => u32::try_from(target.points()).unwrap_or(u32::MAX),
            _ => 1,
        }
    }

    fn own_uses(&self) -> Uses {
        match self {
            Node::Call(op, arguments) => op.uses(arguments.len()),
            Node::Within(_) | Node::Distance(_) => Uses { feature: true, ..Uses::default() },
            Node::Image(_) => Uses { other: true, ..Uses::default() },
            _ => Uses::default(),
        }
    }
}
