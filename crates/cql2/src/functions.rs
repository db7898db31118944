//! The functions beyond the language's own: few, typed, each with the same meaning in both back ends.

use crate::Kind;
use crate::check::Class;
use crate::expr::Operand;

/// A function that is reckoned for each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    Lower,
    Upper,
    Length,
    Concat,
    Substring,
    Trim,
    Abs,
    Ceil,
    Floor,
    Round,
    Sqrt,
    Min,
    Max,
    Year,
    Month,
    Day,
    Area,
    Distance,
}

/// What a name before a parenthesis stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Function(Function),
    /// The time of the request.
    Now,
    Centroid,
}

/// A function as a list shows it.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    pub name: &'static str,
    pub zh: &'static str,
    pub en: &'static str,
    pub arguments: &'static [Argument],
    /// Whether the last argument may be given again and again.
    pub repeats: bool,
    pub returns: &'static [&'static str],
    pub(crate) meaning: Meaning,
}

/// `title`, and the types as OGC API Features part 3 calls them.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    pub title: &'static str,
    pub types: &'static [&'static str],
    pub(crate) optional: bool,
    pub(crate) classes: &'static [Class],
}

const fn argument(title: &'static str, types: &'static [&'static str], classes: &'static [Class]) -> Argument {
    Argument { title, types, optional: false, classes }
}

const TEXT: Argument = argument("text", &["string"], &[Class::Text]);
const NUMBER: Argument = argument("number", &["number", "integer"], &[Class::Number]);
const TIME: Argument = argument("time", &["datetime"], &[Class::Instant]);
const GEOMETRY: Argument = argument("geometry", &["geometry"], &[Class::Geometry]);
const TEXT_OR_GEOMETRY: Argument = argument("value", &["string", "geometry"], &[Class::Text, Class::Geometry]);
const START: Argument = argument("start", &["integer"], &[Class::Number]);
const COUNT: Argument = Argument { title: "count", types: &["integer"], optional: true, classes: &[Class::Number] };

const STRING: &[&str] = &["string"];
const INTEGER: &[&str] = &["integer"];
const FLOAT: &[&str] = &["number"];
const NUMBERS: &[&str] = &["number", "integer"];

macro_rules! function {
    ($name:literal, $zh:literal, $en:literal, [$($argument:expr),*], $returns:expr, $meaning:expr) => {
        Signature { name: $name, zh: $zh, en: $en, arguments: &[$($argument),*], repeats: false, returns: $returns, meaning: $meaning }
    };
}

use Meaning::Function as F;

/// All there are.
pub const FUNCTIONS: &[Signature] = &[
    function!("lower", "转为小写", "the text in small letters", [TEXT], STRING, F(Function::Lower)),
    function!("upper", "转为大写", "the text in capitals", [TEXT], STRING, F(Function::Upper)),
    function!(
        "length",
        "文本的字符数；几何的长度（米，椭球面；面为周长）",
        "a text's characters; a geometry's length in metres on the ellipsoid (an area's: its perimeter)",
        [TEXT_OR_GEOMETRY],
        NUMBERS,
        F(Function::Length)
    ),
    Signature {
        repeats: true,
        ..function!("concat", "连接文本", "the texts one after the other", [TEXT, TEXT], STRING, F(Function::Concat))
    },
    function!(
        "substring",
        "从第 start 个字符（从 1 数起）取 count 个字符",
        "count characters from the one at start, counted from 1",
        [TEXT, START, COUNT],
        STRING,
        F(Function::Substring)
    ),
    function!("trim", "去掉首尾空白", "the text without white space around it", [TEXT], STRING, F(Function::Trim)),
    function!("abs", "绝对值", "the number without its sign", [NUMBER], NUMBERS, F(Function::Abs)),
    function!("ceil", "向上取整", "the next whole number above", [NUMBER], NUMBERS, F(Function::Ceil)),
    function!("floor", "向下取整", "the next whole number below", [NUMBER], NUMBERS, F(Function::Floor)),
    function!(
        "round",
        "四舍五入取整",
        "the nearest whole number; a half away from zero",
        [NUMBER],
        NUMBERS,
        F(Function::Round)
    ),
    function!("sqrt", "平方根", "the square root", [NUMBER], FLOAT, F(Function::Sqrt)),
    Signature {
        repeats: true,
        ..function!("min", "最小的一个", "the least of the numbers", [NUMBER, NUMBER], NUMBERS, F(Function::Min))
    },
    Signature {
        repeats: true,
        ..function!("max", "最大的一个", "the greatest of the numbers", [NUMBER, NUMBER], NUMBERS, F(Function::Max))
    },
    function!("year", "年份（UTC）", "the year, in UTC", [TIME], INTEGER, F(Function::Year)),
    function!("month", "月份（UTC）", "the month, in UTC", [TIME], INTEGER, F(Function::Month)),
    function!("day", "日（UTC）", "the day of the month, in UTC", [TIME], INTEGER, F(Function::Day)),
    function!("now", "请求的时刻", "the time of the request", [], &["datetime"], Meaning::Now),
    function!(
        "area",
        "面积（平方米，椭球面）",
        "the area in square metres on the ellipsoid",
        [GEOMETRY],
        FLOAT,
        F(Function::Area)
    ),
    function!(
        "distance",
        "两几何间的最短距离（米，椭球面）",
        "the shortest distance between two geometries in metres on the ellipsoid",
        [GEOMETRY, GEOMETRY],
        FLOAT,
        F(Function::Distance)
    ),
    function!("centroid", "几何的重心", "the geometry's centroid", [GEOMETRY], &["geometry"], Meaning::Centroid),
];

impl Signature {
    pub(crate) fn named(name: &str) -> Option<&'static Signature> {
        FUNCTIONS.iter().find(|signature| signature.name.eq_ignore_ascii_case(name))
    }

    /// How many arguments it takes.
    pub(crate) fn takes(&self, count: usize) -> bool {
        let least = self.arguments.iter().filter(|argument| !argument.optional).count();
        count >= least && (self.repeats || count <= self.arguments.len())
    }

    /// What the argument at that place has to be.
    pub(crate) fn argument(&self, place: usize) -> &'static Argument {
        &self.arguments[place.min(self.arguments.len() - 1)]
    }
}

impl Function {
    pub fn name(self) -> &'static str {
        let named = FUNCTIONS.iter().find(|signature| signature.meaning == Meaning::Function(self));
        named.map_or("", |signature| signature.name)
    }

    pub(crate) fn returns(self, arguments: &[Operand]) -> Kind {
        let whole = arguments.iter().all(|argument| argument.kind() == Some(Kind::Integer));
        match self {
            Function::Lower | Function::Upper | Function::Concat | Function::Substring | Function::Trim => Kind::Text,
            Function::Year | Function::Month | Function::Day => Kind::Integer,
            Function::Length if arguments.iter().all(|argument| argument.kind().is_some()) => Kind::Integer,
            Function::Length | Function::Sqrt | Function::Area | Function::Distance => Kind::Float,
            _ if whole => Kind::Integer,
            _ => Kind::Float,
        }
    }

    /// Whether it measures a geometry on the ellipsoid, which is the database's work. `length` of a text does not.
    pub(crate) fn measures(self, arguments: &[Operand]) -> bool {
        match self {
            Function::Area | Function::Distance => true,
            Function::Length => arguments.iter().any(|argument| argument.kind().is_none()),
            _ => false,
        }
    }
}
