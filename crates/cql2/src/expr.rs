//! The tree: conditions over operands, made of checked names and typed values.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Kind;
use crate::functions::Function;
use crate::instant::{Date, Timestamp};
use crate::shape::Shape;

/// A condition: true, false or unknown. `And` and `Or` have two members or more, none of their own kind, and a `Not` is
/// not negated again: [`Expr::and`], [`Expr::or`] and [`Expr::negate`] see to it. So each pair of parentheses makes
/// the tree deeper by three at most.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// A boolean operand, standing alone.
    Truth(Operand),
    Compare {
        left: Operand,
        op: Comparison,
        right: Operand,
    },
    Between {
        value: Operand,
        low: Operand,
        high: Operand,
    },
    /// The list is not empty.
    In {
        value: Operand,
        list: Vec<Operand>,
    },
    /// The pattern does not end in a lone backslash.
    Like {
        value: Operand,
        pattern: String,
    },
    IsNull(Operand),
    Spatial(Spatial),
    /// A relation of places, times or sets that comes down to simpler conditions. What was said is kept to be said again.
    Relation {
        said: Relation,
        meaning: Box<Expr>,
    },
}

/// A geometry of the row beside one that is known, or beside itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Spatial {
    pub op: SpatialOp,
    pub subject: Subject,
    pub other: Other,
}

/// A geometry that a row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Stored(String),
    /// Its centroid.
    Centroid(String),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Other {
    /// Of points, of lines or of areas, not mixed.
    Shape(Arc<Shape>),
    Itself,
}

/// What was said of places, times or sets.
#[derive(Debug, Clone, PartialEq)]
pub enum Relation {
    Spatial(SpatialOp, Place, Place),
    Temporal(TemporalOp, Period, Period),
    Array(ArrayOp, Item, Item),
}

/// A geometry in a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    Of(Subject),
    Literal(Arc<Shape>),
}

/// An instant or an interval. An end of an interval that is not there is open.
#[derive(Debug, Clone, PartialEq)]
pub enum Period {
    Instant(Operand),
    Interval(Option<Operand>, Option<Operand>),
}

/// A member of a set.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Scalar(Operand),
    Place(Place),
    Interval(Period),
    Set(Vec<Item>),
}

macro_rules! names {
    ($(#[$about:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($variant),* }

        impl $name {
            pub const ALL: [$name; [$($text),*].len()] = [$($name::$variant),*];

            /// As CQL2 JSON writes it; signs in text and in SQL too.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
        }
    };
}

names!(SpatialOp {
    Intersects = "s_intersects",
    Disjoint = "s_disjoint",
    Equals = "s_equals",
    Touches = "s_touches",
    Within = "s_within",
    Contains = "s_contains",
    Overlaps = "s_overlaps",
    Crosses = "s_crosses",
});

names!(TemporalOp {
    After = "t_after",
    Before = "t_before",
    Contains = "t_contains",
    Disjoint = "t_disjoint",
    During = "t_during",
    Equals = "t_equals",
    FinishedBy = "t_finishedBy",
    Finishes = "t_finishes",
    Intersects = "t_intersects",
    Meets = "t_meets",
    MetBy = "t_metBy",
    OverlappedBy = "t_overlappedBy",
    Overlaps = "t_overlaps",
    StartedBy = "t_startedBy",
    Starts = "t_starts",
});

names!(ArrayOp {
    Equals = "a_equals",
    Contains = "a_contains",
    ContainedBy = "a_containedBy",
    Overlaps = "a_overlaps",
});

names!(ArithmeticOp {
    Add = "+",
    Subtract = "-",
    Multiply = "*",
    Divide = "/",
    Whole = "div",
    Remainder = "%",
    Power = "^",
});

names!(Comparison {
    Equal = "=",
    NotEqual = "<>",
    LessOrEqual = "<=",
    Less = "<",
    GreaterOrEqual = ">=",
    Greater = ">",
});

/// What stands on a comparison's side.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    Field(Field),
    /// A geometry: it can be missing, be measured, and no more.
    Geometry(Subject),
    /// A geometry that was written, for functions that take one.
    Shape(Arc<Shape>),
    Literal(Literal),
    /// A text without its case. Of literals there is none: they are folded at once.
    Casei(Box<Operand>),
    /// A text without its accents, likewise.
    Accenti(Box<Operand>),
    Arithmetic {
        op: ArithmeticOp,
        left: Box<Operand>,
        right: Box<Operand>,
    },
    Call {
        function: Function,
        arguments: Vec<Operand>,
    },
    /// Whether something is so, as a boolean.
    Condition(Box<Expr>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub index: usize,
    pub name: String,
    pub kind: Kind,
}

/// A value in the text. Floats are finite.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Date(Date),
    Timestamp(Timestamp),
}

impl Comparison {
    /// The same comparison with its sides exchanged.
    pub fn flipped(self) -> Comparison {
        match self {
            Comparison::Equal | Comparison::NotEqual => self,
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        }
    }
}

impl SpatialOp {
    /// The same relation with its sides exchanged.
    pub fn flipped(self) -> SpatialOp {
        match self {
            SpatialOp::Within => SpatialOp::Contains,
            SpatialOp::Contains => SpatialOp::Within,
            other => other,
        }
    }
}

impl Literal {
    pub fn kind(&self) -> Kind {
        match self {
            Literal::Text(_) => Kind::Text,
            Literal::Integer(_) => Kind::Integer,
            Literal::Float(_) => Kind::Float,
            Literal::Boolean(_) => Kind::Boolean,
            Literal::Date(_) => Kind::Date,
            Literal::Timestamp(_) => Kind::Timestamp,
        }
    }
}

impl Subject {
    pub fn name(&self) -> &str {
        match self {
            Subject::Stored(name) | Subject::Centroid(name) => name,
        }
    }
}

impl Operand {
    /// The type of its values; a geometry has none.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Operand::Field(field) => Some(field.kind),
            Operand::Geometry(_) | Operand::Shape(_) => None,
            Operand::Literal(literal) => Some(literal.kind()),
            Operand::Casei(_) | Operand::Accenti(_) => Some(Kind::Text),
            Operand::Arithmetic { op, left, right } => Some(match op {
                ArithmeticOp::Divide | ArithmeticOp::Power => Kind::Float,
                _ if left.kind() == Some(Kind::Integer) && right.kind() == Some(Kind::Integer) => Kind::Integer,
                _ => Kind::Float,
            }),
            Operand::Call { function, arguments } => Some(function.returns(arguments)),
            Operand::Condition(_) => Some(Kind::Boolean),
        }
    }

    /// How much there is of it: operands and conditions.
    pub(crate) fn size(&self) -> usize {
        let mut size = 0;
        self.walk(&mut |_| size += 1);
        size
    }

    fn each_shape(&mut self, change: &mut dyn FnMut(&mut Arc<Shape>)) {
        match self {
            Operand::Shape(shape) => change(shape),
            Operand::Condition(expr) => expr.each_shape(change),
            Operand::Casei(inner) | Operand::Accenti(inner) => inner.each_shape(change),
            Operand::Arithmetic { left, right, .. } => {
                [left, right].into_iter().for_each(|side| side.each_shape(change));
            }
            Operand::Call { arguments, .. } => arguments.iter_mut().for_each(|argument| argument.each_shape(change)),
            Operand::Field(_) | Operand::Geometry(_) | Operand::Literal(_) => {}
        }
    }

    fn members(&self) -> Vec<&Operand> {
        match self {
            Operand::Casei(inner) | Operand::Accenti(inner) => vec![inner],
            Operand::Arithmetic { left, right, .. } => vec![left, right],
            Operand::Call { arguments, .. } => arguments.iter().collect(),
            _ => vec![],
        }
    }

    fn walk<'a>(&'a self, see: &mut dyn FnMut(Part<'a>)) {
        see(Part::Operand(self));
        match self {
            Operand::Condition(expr) => expr.walk(see),
            _ => self.members().into_iter().for_each(|member| member.walk(see)),
        }
    }
}

/// What a walk through a tree comes by.
enum Part<'a> {
    Condition(&'a Expr),
    Operand(&'a Operand),
}

impl Expr {
    pub fn and(members: Vec<Expr>) -> Expr {
        let mut all = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Expr::And(inner) => all.extend(inner),
                other => all.push(other),
            }
        }
        if all.len() == 1 { all.remove(0) } else { Expr::And(all) }
    }

    pub fn or(members: Vec<Expr>) -> Expr {
        let mut all = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Expr::Or(inner) => all.extend(inner),
                other => all.push(other),
            }
        }
        if all.len() == 1 { all.remove(0) } else { Expr::Or(all) }
    }

    /// What is unknown stays unknown.
    pub fn negate(self) -> Expr {
        match self {
            Expr::Not(inner) => *inner,
            other => Expr::Not(Box::new(other)),
        }
    }

    pub(crate) fn constant(truth: bool) -> Expr {
        Expr::Truth(Operand::Literal(Literal::Boolean(truth)))
    }

    /// The fields it looks at.
    pub fn fields(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        self.walk(&mut |part| {
            if let Part::Operand(Operand::Field(field)) = part {
                found.insert(field.index);
            }
        });
        found
    }

    /// Whether it looks at the geometry.
    pub fn uses_geometry(&self) -> bool {
        let mut found = false;
        self.walk(&mut |part| {
            found |= matches!(part, Part::Condition(Expr::Spatial(_)) | Part::Operand(Operand::Geometry(_)));
        });
        found
    }

    /// Whether it can be answered from a row's values and a geometry that is true to a centimetre. Measures cannot, nor
    /// relations that hang on edges meeting exactly: those are for the database.
    pub fn is_robust(&self) -> bool {
        let mut robust = true;
        self.walk(&mut |part| {
            robust &= match part {
                Part::Condition(Expr::Spatial(Spatial { op, subject, other })) => {
                    matches!(op, SpatialOp::Intersects | SpatialOp::Disjoint)
                        && matches!(subject, Subject::Stored(_))
                        && matches!(other, Other::Shape(_))
                }
                Part::Operand(Operand::Call { function, arguments }) => !function.measures(arguments),
                _ => true,
            };
        });
        robust
    }

    /// Every condition and every operand in it, itself too, each once; of relations what they mean.
    fn walk<'a>(&'a self, see: &mut dyn FnMut(Part<'a>)) {
        see(Part::Condition(self));
        match self {
            Expr::And(members) | Expr::Or(members) => members.iter().for_each(|member| member.walk(see)),
            Expr::Not(inner) => inner.walk(see),
            Expr::Relation { meaning, .. } => meaning.walk(see),
            _ => self.own_operands().into_iter().for_each(|operand| operand.walk(see)),
        }
    }

    /// Every shape that rows are related to.
    pub(crate) fn each_shape(&mut self, change: &mut dyn FnMut(&mut Arc<Shape>)) {
        match self {
            Expr::And(members) | Expr::Or(members) => members.iter_mut().for_each(|member| member.each_shape(change)),
            Expr::Not(inner) => inner.each_shape(change),
            Expr::Relation { meaning, .. } => meaning.each_shape(change),
            Expr::Spatial(Spatial { other: Other::Shape(shape), .. }) => change(shape),
            Expr::Spatial(_) => {}
            Expr::Truth(value) | Expr::IsNull(value) | Expr::Like { value, .. } => value.each_shape(change),
            Expr::Compare { left, right, .. } => [left, right].into_iter().for_each(|side| side.each_shape(change)),
            Expr::Between { value, low, high } => {
                [value, low, high].into_iter().for_each(|operand| operand.each_shape(change));
            }
            Expr::In { value, list } => {
                std::iter::once(value).chain(list).for_each(|operand| operand.each_shape(change));
            }
        }
    }

    fn own_operands(&self) -> Vec<&Operand> {
        match self {
            Expr::Truth(value) | Expr::IsNull(value) | Expr::Like { value, .. } => vec![value],
            Expr::Compare { left, right, .. } => vec![left, right],
            Expr::Between { value, low, high } => vec![value, low, high],
            Expr::In { value, list } => std::iter::once(value).chain(list).collect(),
            _ => vec![],
        }
    }
}
