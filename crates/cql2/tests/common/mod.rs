//! A table of every kind of field with awkward values, and random filters over it.
#![allow(dead_code)]

use std::io::Write;
use std::process::{Command, Stdio};

use geo::{BoundingRect, Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, Rect};
use onemap_cql2::{
    Bbox, Comparison, Date, Expr, Field, Kind, Literal, Operand, Row, Schema, Sql, Subject, Timestamp, Value,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

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
    fn now(&self) -> Timestamp {
        Timestamp::parse("2024-05-01T08:30:00Z").unwrap()
    }
    fn names(&self) -> Vec<&str> {
        FIELDS.iter().map(|(name, _)| *name).collect()
    }
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct House {
    pub values: Vec<Value<'static>>,
    pub shape: Option<Geometry>,
}

impl Row for House {
    fn value(&self, field: usize) -> Value<'_> {
        self.values[field]
    }
    fn bounds(&self) -> Option<[f64; 4]> {
        let rect = self.shape.as_ref()?.bounding_rect()?;
        Some([rect.min().x, rect.min().y, rect.max().x, rect.max().y])
    }
    fn geometry(&self) -> Option<Geometry> {
        self.shape.clone()
    }
}

const ODD: i64 = (1 << 53) + 1;
pub const TEXTS: [&str; 12] =
    ["", "a", "A", "Straße", "STRASSE", "ΟΔΟΣ İ", "朝阳区 建国路", "朝阳门", "50%", "c:\\", "it's \\'so\\\\", "_"];
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
    (values, prop::option::weighted(0.85, geometry())).prop_map(|(values, shape)| House { values, shape })
}

/// A valid geometry upon a coarse grid, where much touches and coincides.
pub fn geometry() -> impl Strategy<Value = Geometry> {
    let at = || (0..7i32, 0..5i32).prop_map(|(x, y)| Coord { x: f64::from(x), y: f64::from(y) });
    let line = || {
        prop::collection::vec(at(), 2..4)
            .prop_filter("no line within a place", |line| line.windows(2).all(|w| w[0] != w[1]))
            .prop_map(LineString)
    };
    let rectangle = || {
        (at(), 1..4i32, 1..4i32, any::<bool>()).prop_map(|(low, width, height, hole)| {
            let high = Coord { x: low.x + f64::from(width), y: low.y + f64::from(height) };
            let ring = Rect::new(low, high).to_polygon().exterior().clone();
            let within = Rect::new(low + Coord { x: 1.0, y: 1.0 }, high - Coord { x: 1.0, y: 1.0 });
            let hole = hole && width == 3 && height == 3;
            Polygon::new(ring, if hole { vec![within.to_polygon().exterior().clone()] } else { vec![] })
        })
    };
    let triangle = (at(), 1..4i32, 1..4i32, any::<bool>()).prop_map(|(a, width, height, up)| {
        let (w, h) = (f64::from(width), f64::from(height));
        let third = if up { Coord { x: a.x + w, y: a.y + h } } else { Coord { x: a.x, y: a.y + h } };
        Polygon::new(LineString(vec![a, Coord { x: a.x + w, y: a.y }, third, a]), vec![])
    });
    let apart = |(a, b): (Polygon, Polygon)| {
        let b = geo::Translate::translate(&b, 12.0, 0.0);
        Geometry::MultiPolygon(MultiPolygon(vec![a, b]))
    };
    prop_oneof![
        2 => at().prop_map(|c| Geometry::Point(Point(c))),
        1 => prop::collection::vec(at(), 2..4).prop_map(|c| Geometry::MultiPoint(MultiPoint(c.into_iter().map(Point).collect()))),
        2 => line().prop_map(Geometry::LineString),
        1 => prop::collection::vec(line(), 2..3).prop_map(|l| Geometry::MultiLineString(MultiLineString(l))),
        3 => rectangle().prop_map(Geometry::Polygon),
        2 => triangle.prop_map(Geometry::Polygon),
        1 => (rectangle(), rectangle()).prop_map(apart),
    ]
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
    let text = prop_oneof![2 => field(Kind::Text), 2 => literal(Kind::Text), 1 => field(Kind::Text).prop_map(|f| Operand::Casei(Box::new(f)))];
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

fn geojson(geometry: &Geometry) -> Json {
    let at = |c: &Coord| json!([c.x, c.y]);
    let line = |line: &LineString| Json::from(line.0.iter().map(at).collect::<Vec<_>>());
    let rings =
        |p: &Polygon| Json::from(std::iter::once(p.exterior()).chain(p.interiors()).map(line).collect::<Vec<_>>());
    match geometry {
        Geometry::Point(p) => json!({"type": "Point", "coordinates": at(&p.0)}),
        Geometry::MultiPoint(p) => {
            json!({"type": "MultiPoint", "coordinates": p.iter().map(|p| at(&p.0)).collect::<Vec<_>>()})
        }
        Geometry::LineString(l) => json!({"type": "LineString", "coordinates": line(l)}),
        Geometry::MultiLineString(l) => {
            json!({"type": "MultiLineString", "coordinates": l.iter().map(line).collect::<Vec<_>>()})
        }
        Geometry::Polygon(p) => json!({"type": "Polygon", "coordinates": rings(p)}),
        Geometry::MultiPolygon(p) => {
            json!({"type": "MultiPolygon", "coordinates": p.iter().map(rings).collect::<Vec<_>>()})
        }
        _ => unreachable!("the generator makes no others"),
    }
}

fn place() -> impl Strategy<Value = Json> {
    let property = || Just(json!({"property": "geometry"}));
    prop_oneof![
        4 => property(),
        4 => geometry().prop_map(|g| geojson(&g)),
        1 => bbox().prop_map(|b| json!({"bbox": [b.west, b.south, b.east, b.north]})),
        1 => prop::collection::vec(geometry(), 1..3).prop_map(|all| {
            json!({"type": "GeometryCollection", "geometries": all.iter().map(geojson).collect::<Vec<_>>()})
        }),
    ]
}

fn time() -> impl Strategy<Value = Json> {
    prop_oneof![
        3 => prop::sample::select(vec!["built", "updated"]).prop_map(|f| json!({"property": f})),
        1 => prop::sample::select(&DATES[..]).prop_map(|t| json!({"date": t})),
        1 => prop::sample::select(&INSTANTS[..]).prop_map(|t| json!({"timestamp": t})),
    ]
}

fn interval() -> impl Strategy<Value = Json> {
    let written = prop::sample::select([&DATES[..], &INSTANTS[..]].concat()).prop_map(Json::from);
    let open = Just(json!(".."));
    let end = || prop_oneof![2 => time(), 2 => written.clone(), 1 => open.clone()];
    (end(), end()).prop_map(|(a, b)| json!({"interval": [a, b]}))
}

fn number(depth: u32) -> BoxedStrategy<Json> {
    let leaf = prop_oneof![
        3 => prop::sample::select(vec!["floors", "年份", "height"]).prop_map(|f| json!({"property": f})),
        2 => (-5i64..6).prop_map(Json::from),
        1 => prop::sample::select(&INTEGERS[..]).prop_map(Json::from),
        1 => prop::sample::select(&FLOATS[..]).prop_map(Json::from),
        1 => prop::sample::select(vec![0.5, -2.5, 1e-200, 1e200]).prop_map(Json::from),
    ];
    leaf.prop_recursive(depth, 8, 2, |inner| {
        let op = prop::sample::select(vec!["+", "-", "*", "/", "div", "%", "^", "min", "max"]);
        let one = prop::sample::select(vec!["abs", "ceil", "floor", "round", "sqrt"]);
        prop_oneof![
            4 => (op, inner.clone(), inner.clone()).prop_map(|(op, a, b)| json!({"op": op, "args": [a, b]})),
            1 => (one, inner).prop_map(|(op, a)| json!({"op": op, "args": [a]})),
            1 => (prop::sample::select(vec!["year", "month", "day"]), time()).prop_map(|(op, t)| json!({"op": op, "args": [t]})),
            1 => text(1).prop_map(|t| json!({"op": "length", "args": [t]})),
        ]
    })
    .boxed()
}

fn text(depth: u32) -> BoxedStrategy<Json> {
    let leaf = prop_oneof![
        3 => prop::sample::select(vec!["name", "建筑名称"]).prop_map(|f| json!({"property": f})),
        2 => prop::sample::select(&TEXTS[..]).prop_map(Json::from),
    ];
    leaf.prop_recursive(depth, 5, 2, |inner| {
        let one = prop::sample::select(vec!["casei", "accenti", "lower", "upper", "trim"]);
        prop_oneof![
            4 => (one, inner.clone()).prop_map(|(op, a)| json!({"op": op, "args": [a]})),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"op": "concat", "args": [a, b]})),
            1 => (inner, -2i64..5, -1i64..4).prop_map(|(a, s, n)| json!({"op": "substring", "args": [a, s, n]})),
        ]
    })
    .boxed()
}

fn member() -> impl Strategy<Value = Json> {
    prop_oneof![
        2 => number(1),
        2 => text(1),
        1 => any::<bool>().prop_map(Json::from),
        1 => Just(json!({"property": "listed"})),
        1 => time(),
        1 => interval(),
        1 => place(),
    ]
}

/// What is said by operations and functions, as JSON: it may have to be refused, as an interval that ends before it starts is.
pub fn said() -> impl Strategy<Value = Json> {
    use onemap_cql2::{ArrayOp, SpatialOp, TemporalOp};
    let two = |op: &str, a: Json, b: Json| json!({"op": op, "args": [a, b]});
    let sign = || prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]);
    let set = || prop::collection::vec(member(), 0..4).prop_map(Json::from);
    let period = || prop_oneof![interval(), time()];
    prop_oneof![
        3 => (prop::sample::select(&SpatialOp::ALL[..]), place(), place()).prop_map(move |(op, a, b)| two(op.name(), a, b)),
        3 => (prop::sample::select(&TemporalOp::ALL[..]), interval(), interval()).prop_map(move |(op, a, b)| two(op.name(), a, b)),
        1 => (prop::sample::select(vec!["t_after", "t_before", "t_disjoint", "t_equals", "t_intersects"]), period(), period())
            .prop_map(move |(op, a, b)| two(op, a, b)),
        2 => (prop::sample::select(&ArrayOp::ALL[..]), set(), set()).prop_map(move |(op, a, b)| two(op.name(), a, b)),
        3 => (sign(), number(3), number(3)).prop_map(move |(op, a, b)| two(op, a, b)),
        2 => (sign(), text(2), text(2)).prop_map(move |(op, a, b)| two(op, a, b)),
        1 => (text(2), pattern()).prop_map(move |(a, p)| two("like", a, p.into())),
        1 => (number(2), prop::collection::vec(number(1), 1..4)).prop_map(move |(a, list)| two("in", a, list.into())),
        1 => prop_oneof![number(2), text(2), time(), place()].prop_map(|a| json!({"op": "isNull", "args": [a]})),
    ]
}

/// The same, negated and joined.
pub fn all_said() -> impl Strategy<Value = Json> {
    said().prop_recursive(3, 8, 3, |inner| {
        let inner = prop_oneof![3 => said(), 1 => inner];
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| json!({"op": "and", "args": all})),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| json!({"op": "or", "args": all})),
            inner.clone().prop_map(|one| json!({"op": "not", "args": [one]})),
            (inner.clone(), inner).prop_map(|(a, b)| json!({"op": "=", "args": [a, b]})),
        ]
    })
}

pub fn leaf() -> impl Strategy<Value = Expr> {
    use Comparison::*;
    let op = || prop::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual]);
    let casei = || field(Kind::Text).prop_map(|f| Operand::Casei(Box::new(f)));
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
        1 => Just(Expr::IsNull(Operand::Geometry(Subject::Stored("geometry".into())))),
        1 => prop_oneof![field(Kind::Boolean), literal(Kind::Boolean)].prop_map(Expr::Truth),
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
    fn meets(&mut self, [west, south, east, north]: [f64; 4]) {
        self.0 += &format!("geom && st_makeenvelope({west:?}, {south:?}, {east:?}, {north:?}, 4490)");
    }
    fn bind_bytes(&mut self, value: &[u8]) {
        self.0 += "'\\x";
        self.0.extend(value.iter().map(|byte| format!("{byte:02x}")));
        self.0 += "'::bytea";
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

/// Strategies of many kinds take much of the stack.
pub fn with_room(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 20).spawn(work).unwrap().join().unwrap();
}

pub fn column(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "int8",
        Kind::Float => "float8",
        Kind::Boolean => "bool",
        Kind::Date => "date",
        Kind::Timestamp => "timestamptz",
    }
}

pub fn sql_value(value: Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Integer(v) => format!("'{v}'"),
        Value::Float(v) => format!("'{v:?}'").replace("inf", "infinity"),
        Value::Boolean(v) => v.to_string(),
    }
}

/// As a filter writes it: well-known text.
pub fn wkt(geometry: &geo::Geometry) -> String {
    use geo::Geometry::*;
    let at = |c: &geo::Coord| format!("{:?} {:?}", c.x, c.y);
    let line = |l: &geo::LineString| format!("({})", l.0.iter().map(at).collect::<Vec<_>>().join(","));
    let rings = |p: &geo::Polygon| {
        let rings = std::iter::once(p.exterior()).chain(p.interiors());
        format!("({})", rings.map(line).collect::<Vec<_>>().join(","))
    };
    match geometry {
        Point(p) => format!("POINT({})", at(&p.0)),
        MultiPoint(p) => format!("MULTIPOINT({})", p.iter().map(|p| at(&p.0)).collect::<Vec<_>>().join(",")),
        LineString(l) => format!("LINESTRING{}", line(l)),
        MultiLineString(l) => format!("MULTILINESTRING({})", l.iter().map(line).collect::<Vec<_>>().join(",")),
        Polygon(p) => format!("POLYGON{}", rings(p)),
        MultiPolygon(p) => format!("MULTIPOLYGON({})", p.iter().map(rings).collect::<Vec<_>>().join(",")),
        _ => unreachable!("the generator makes no others"),
    }
}

/// What psql answers to a script, line by line.
pub fn psql(database: &str, script: String) -> String {
    let mut psql = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql is there");
    let mut input = psql.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = psql.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
