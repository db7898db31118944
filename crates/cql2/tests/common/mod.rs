//! A table of every kind of field with awkward values, and random filters over it.
#![allow(dead_code)]

use onemap_cql2::{Bbox, Comparison, Date, Expr, Field, Kind, Literal, Operand, Row, Schema, Sql, Timestamp, Value};
use proptest::prelude::*;

pub const FIELDS: [(&str, Kind); 9] = [
    ("name", Kind::Text),
    ("建筑名称", Kind::Text),
    ("floors", Kind::Integer),
    ("年份", Kind::Integer),
    ("height", Kind::Float),
    ("a \"b\" and", Kind::Float),
    ("listed", Kind::Boolean),
    ("built", Kind::Date),
    ("updated", Kind::Timestamp),
];

pub struct Table;

impl Schema for Table {
    fn field(&self, name: &str) -> Option<(usize, Kind)> {
        FIELDS.iter().position(|(n, _)| *n == name).map(|i| (i, FIELDS[i].1))
    }
    fn is_geometry(&self, name: &str) -> bool {
        name == "geometry"
    }
    fn names(&self) -> Vec<&str> {
        FIELDS.iter().map(|(name, _)| *name).collect()
    }
}

/// A row of the table; its geometry is a point.
#[derive(Debug, Clone)]
pub struct House {
    pub values: Vec<Value<'static>>,
    pub point: Option<[f64; 2]>,
}

impl Row for House {
    fn value(&self, field: usize) -> Value<'_> {
        self.values[field]
    }
    fn intersects(&self, [west, south, east, north]: [f64; 4]) -> bool {
        self.point.is_some_and(|[x, y]| west <= x && x <= east && south <= y && y <= north)
    }
    fn has_geometry(&self) -> bool {
        self.point.is_some()
    }
}

const ODD: i64 = (1 << 53) + 1;
pub const TEXTS: [&str; 12] =
    ["", "a", "A", "Straße", "STRASSE", "ΟΔΟΣ", "朝阳区 建国路", "朝阳门", "50%", "c:\\", "it's \\'so\\\\", "_"];
pub const INTEGERS: [i64; 9] = [0, 1, -1, 3, 2024, ODD, -ODD, i64::MAX, i64::MIN];
pub const FLOATS: [f64; 10] = [0.0, 1.0, -1.5, 3.25, 0.1, 1e300, ODD as f64, 9.223_372_036_854_776e18, -9.3e18, 2024.0];
pub const DATES: [&str; 5] = ["2024-02-29", "1970-01-01", "0001-01-01", "9999-12-31", "2024-03-01"];
pub const INSTANTS: [&str; 5] = [
    "2024-02-29T00:00:00Z",
    "2024-02-29T00:00:00.000001Z",
    "1969-12-31T23:59:59.5Z",
    "2024-02-28T16:00:00Z",
    "9999-12-31T23:59:59.999999Z",
];
const PLACES: [f64; 7] = [-180.0, -90.0, 0.0, 12.5, 45.0, 90.0, 180.0];

fn value(kind: Kind) -> BoxedStrategy<Value<'static>> {
    let some = match kind {
        Kind::Text => prop::sample::select(&TEXTS[..]).prop_map(Value::Text).boxed(),
        Kind::Integer => prop::sample::select(&INTEGERS[..]).prop_map(Value::Integer).boxed(),
        Kind::Float => {
            let edges = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0];
            let all: Vec<f64> = FLOATS.into_iter().chain(edges).collect();
            prop::sample::select(all).prop_map(Value::Float).boxed()
        }
        Kind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        Kind::Date => prop::sample::select(&DATES[..]).prop_map(Value::Text).boxed(),
        Kind::Timestamp => prop::sample::select(&INSTANTS[..]).prop_map(Value::Text).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 5 => some].boxed()
}

pub fn house() -> impl Strategy<Value = House> {
    let values: Vec<_> = FIELDS.iter().map(|(_, kind)| value(*kind)).collect();
    let place = || prop::sample::select(&PLACES[..]);
    let point = prop::option::weighted(0.8, (place(), place()).prop_map(|(x, y)| [x, y.clamp(-90.0, 90.0)]));
    (values, point).prop_map(|(values, point)| House { values, point })
}

fn literal(kind: Kind) -> BoxedStrategy<Operand> {
    let literal = match kind {
        Kind::Text => {
            prop_oneof![prop::sample::select(&TEXTS[..]).prop_map(String::from), "[^\\x00]{0,6}", "['\\\\a%_]{0,5}"]
                .prop_map(Literal::Text)
                .boxed()
        }
        Kind::Integer => {
            prop_oneof![prop::sample::select(&INTEGERS[..]), any::<i64>()].prop_map(Literal::Integer).boxed()
        }
        Kind::Float => {
            prop_oneof![prop::sample::select(&FLOATS[..]), any::<f64>().prop_filter("finite", |v| v.is_finite())]
                .prop_map(|v| Literal::Float(v + 0.0))
                .boxed()
        }
        Kind::Boolean => any::<bool>().prop_map(Literal::Boolean).boxed(),
        Kind::Date => prop::sample::select(&DATES[..]).prop_map(|t| Literal::Date(Date::parse(t).unwrap())).boxed(),
        Kind::Timestamp => {
            prop::sample::select(&INSTANTS[..]).prop_map(|t| Literal::Timestamp(Timestamp::parse(t).unwrap())).boxed()
        }
    };
    literal.prop_map(Operand::Literal).boxed()
}

fn field(kind: Kind) -> BoxedStrategy<Operand> {
    let fields: Vec<Operand> = (FIELDS.iter().enumerate().filter(|(_, f)| f.1 == kind))
        .map(|(index, (name, kind))| Operand::Field(Field { index, name: name.to_string(), kind: *kind }))
        .collect();
    prop::sample::select(fields).boxed()
}

/// Operands that can be compared with each other.
fn alike() -> impl Strategy<Value = BoxedStrategy<Operand>> {
    let both = |a: Kind, b: Kind| prop_oneof![field(a), field(b), literal(a), literal(b)].boxed();
    let text =
        prop_oneof![2 => field(Kind::Text), 2 => literal(Kind::Text), 1 => field(Kind::Text).prop_map(Operand::casei)];
    prop::sample::select(vec![
        text.boxed(),
        both(Kind::Integer, Kind::Float),
        both(Kind::Boolean, Kind::Boolean),
        both(Kind::Date, Kind::Timestamp),
    ])
}

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof!["[a朝阳%_\\\\']{0,5}", "(朝阳|%|_|Stra|c:|\\\\\\\\|\\\\%){0,4}"].prop_map(|mut pattern| {
        if (pattern.len() - pattern.trim_end_matches('\\').len()) % 2 == 1 {
            pattern.push('\\');
        }
        pattern
    })
}

fn bbox() -> impl Strategy<Value = Bbox> {
    let place = || prop::sample::select(&PLACES[..]);
    (place(), place(), place(), place()).prop_map(|(west, east, a, b)| {
        let (a, b) = (a.clamp(-90.0, 90.0), b.clamp(-90.0, 90.0));
        Bbox { west, south: a.min(b), east, north: a.max(b) }
    })
}

pub fn leaf() -> impl Strategy<Value = Expr> {
    use Comparison::*;
    let op = || prop::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual]);
    let casei = || field(Kind::Text).prop_map(Operand::casei);
    let text = move || prop_oneof![3 => field(Kind::Text), 1 => casei(), 1 => literal(Kind::Text)];
    let two = || alike().prop_flat_map(|o| (o.clone(), o));
    let three = || alike().prop_flat_map(|o| (o.clone(), o.clone(), o));
    let several = || alike().prop_flat_map(|o| (o.clone(), prop::collection::vec(o, 1..4)));
    prop_oneof![
        4 => (two(), op()).prop_map(|((left, right), op)| Expr::Compare { left, op, right }),
        1 => three().prop_map(|(value, low, high)| Expr::Between { value, low, high }),
        2 => several().prop_map(|(value, list)| Expr::In { value, list }),
        1 => (text(), pattern()).prop_map(|(value, pattern)| Expr::Like { value, pattern }),
        1 => alike().prop_flat_map(|o| o).prop_map(Expr::IsNull),
        1 => Just(Expr::IsNull(Operand::Geometry("geometry".into()))),
        1 => prop_oneof![field(Kind::Boolean), literal(Kind::Boolean)].prop_map(Expr::Truth),
        1 => bbox().prop_map(|bbox| Expr::Intersects { geometry: "geometry".into(), bbox }),
    ]
}

pub fn tree() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::and),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::or),
            inner.prop_map(Expr::negate),
        ]
    })
}

/// Writes SQL with its values in it, as psql can read it.
#[derive(Default)]
pub struct Inline(pub String);

impl Sql for Inline {
    fn text(&mut self, sql: &str) {
        self.0 += sql;
    }
    fn field(&mut self, index: usize) {
        self.0 += &format!("f{index}");
    }
    fn geometry(&mut self) {
        self.0 += "geom";
    }
    fn bind_text(&mut self, value: &str) {
        self.0 += &format!("'{}'::text", value.replace('\'', "''"));
    }
    fn bind_int(&mut self, value: i64) {
        self.0 += &format!("'{value}'::int8");
    }
    fn bind_float(&mut self, value: f64) {
        self.0 += &format!("'{value:?}'::float8");
    }
    fn bind_bool(&mut self, value: bool) {
        self.0 += &format!("{value}::bool");
    }
}
