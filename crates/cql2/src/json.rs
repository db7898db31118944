//! CQL2 JSON to a tree. Places are ordinals here; the reader knows which JSON pointer each stands for.

use geo::{Coord, Geometry, GeometryCollection, MultiLineString, MultiPoint, MultiPolygon, Point};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::MAX_DEPTH;
use crate::expr::Literal;
use crate::node::{Node, Op, Term, too_deep};
use crate::problem::{Problem, Result, shorten};
use crate::shape::{line, polygon};
use crate::text::wrong_count;
use crate::wkt::{not_closed, too_few};

/// An operation is two brackets; a geometry has up to seven.
const MAX_BRACKETS: usize = 2 * MAX_DEPTH + 16;

/// The tree, or what is wrong and where.
pub(crate) fn read<T>(text: &str, then: impl FnOnce(Node) -> Result<T>) -> Result<T> {
    let value = parse(text)?;
    let mut reader = Reader { pointers: vec![String::new()], depth: 0 };
    let result = reader.node(&value, 0).and_then(then);
    result.map_err(|problem| Problem { pointer: reader.pointers.get(problem.at).cloned(), at: 0, ..problem })
}

fn parse(text: &str) -> Result<Value> {
    if text.trim().is_empty() {
        return Err(Problem::new(0, "过滤条件为空", "the filter is empty"));
    }
    brackets(text)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.disable_recursion_limit();
    let read = Value::deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|e| {
        let lines = text.split_inclusive('\n').take(e.line().saturating_sub(1));
        let mut at = (lines.map(str::len).sum::<usize>() + e.column().saturating_sub(1)).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        Problem::new(at, "不是合法的 JSON", "this is no JSON")
    })
}

/// Refuses what is nested too deeply before anything recurses into it.
fn brackets(text: &str) -> Result<()> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_BRACKETS {
            return Err(too_deep(at));
        }
    }
    Ok(())
}

struct Reader {
    pointers: Vec<String>,
    depth: usize,
}

impl Reader {
    fn place(&mut self, parent: usize, step: &str) -> usize {
        let pointer = format!("{}/{step}", self.pointers[parent]);
        self.pointers.push(pointer);
        self.pointers.len() - 1
    }

    fn node(&mut self, value: &Value, at: usize) -> Result<Node> {
        self.depth += 1;
        // A value stands in the last operation.
        if self.depth > MAX_DEPTH + 1 {
            return Err(too_deep(at));
        }
        let node = match value {
            Value::Object(object) => self.object(object, at),
            Value::Array(items) => Node::new(at, Term::Array(self.nodes(items, at)?)),
            scalar => Ok(Node::leaf(at, Term::Literal(literal(scalar, at)?))),
        };
        self.depth -= 1;
        node
    }

    fn nodes(&mut self, items: &[Value], at: usize) -> Result<Vec<Node>> {
        let each = |(i, item): (usize, &Value)| {
            let at = self.place(at, &i.to_string());
            self.node(item, at)
        };
        items.iter().enumerate().map(each).collect()
    }

    fn object(&mut self, object: &Map<String, Value>, at: usize) -> Result<Node> {
        let known = ["op", "property", "date", "timestamp", "interval", "bbox", "type"];
        // A geometry may have a box of its own.
        let member = if object.contains_key("type") {
            "type"
        } else {
            known.into_iter().find(|k| object.contains_key(*k)).unwrap_or("")
        };
        let term = match member {
            "op" => return self.operation(object, at),
            "type" => Term::Geometry(Box::new(self.geometry(object, at)?)),
            "property" => Term::Property(self.text(object, member, at)?),
            "date" => Term::Date(self.text(object, member, at)?),
            "timestamp" => Term::Timestamp(self.text(object, member, at)?),
            "bbox" => {
                let at = self.place(at, member);
                Term::Bbox(numbers(&object[member], at)?)
            }
            "interval" => {
                let at = self.place(at, member);
                let Value::Array(ends) = &object["interval"] else { return Err(wrong_interval(at)) };
                if ends.len() != 2 {
                    return Err(wrong_interval(at));
                }
                Term::Interval(self.nodes(ends, at)?)
            }
            _ => {
                let (zh, en) = (
                    "对象应有 op、property、date、timestamp、interval、bbox 或 type",
                    "an object has op, property, date, timestamp, interval, bbox or type",
                );
                return Err(Problem::new(at, zh, en));
            }
        };
        let allowed =
            |key: &str| key == member || (member == "type" && ["coordinates", "geometries", "bbox"].contains(&key));
        self.refuse_others(object, at, allowed)?;
        Node::new(at, term)
    }

    fn refuse_others(&mut self, object: &Map<String, Value>, at: usize, allowed: impl Fn(&str) -> bool) -> Result<()> {
        match object.keys().find(|key| !allowed(key)) {
            None => Ok(()),
            Some(key) => {
                let key = shorten(key);
                Err(Problem::new(at, format!("多余的成员 {key}"), format!("the member {key} does not belong here")))
            }
        }
    }

    fn text(&mut self, object: &Map<String, Value>, member: &str, at: usize) -> Result<String> {
        let at = self.place(at, member);
        match &object[member] {
            Value::String(text) => clean(text, at),
            _ => Err(Problem::new(at, "这里应为文本", "this must be a text")),
        }
    }

    fn operation(&mut self, object: &Map<String, Value>, at: usize) -> Result<Node> {
        let name = self.text(object, "op", at)?;
        self.refuse_others(object, at, |key| key == "op" || key == "args")?;
        let arguments_at = self.place(at, "args");
        let Some(Value::Array(arguments)) = object.get("args") else {
            return Err(Problem::new(at, "缺少 args 数组", "the array args is missing"));
        };
        let arguments = self.nodes(arguments, arguments_at)?;
        let Some(op) = Op::named(&name) else { return Node::new(at, Term::Function(name, arguments)) };
        let (least, most) = op.arity();
        if !(least..=most).contains(&arguments.len()) {
            return Err(wrong_count(arguments_at, &name, least));
        }
        if op == Op::In && !matches!(arguments[1].term, Term::Array(_)) {
            return Err(Problem::new(
                arguments[1].at,
                "in 的第二个参数应为数组",
                "the second argument of in is an array",
            ));
        }
        Node::new(at, Term::Op(op, arguments))
    }

    fn geometry(&mut self, object: &Map<String, Value>, at: usize) -> Result<Geometry> {
        let kind = self.text(object, "type", at)?;
        if kind == "GeometryCollection" {
            let at = self.place(at, "geometries");
            let Some(Value::Array(all)) = object.get("geometries") else { return Err(wrong_coordinates(at)) };
            let mut members = Vec::with_capacity(all.len());
            for (i, one) in all.iter().enumerate() {
                let at = self.place(at, &i.to_string());
                let Value::Object(one) = one else { return Err(wrong_coordinates(at)) };
                members.push(self.geometry(one, at)?);
            }
            return Ok(Geometry::GeometryCollection(GeometryCollection(members)));
        }
        let at = self.place(at, "coordinates");
        let value = object.get("coordinates").ok_or_else(|| wrong_coordinates(at))?;
        Ok(match kind.as_str() {
            "Point" => Geometry::Point(position(value, at)?.into()),
            "MultiPoint" => Geometry::MultiPoint(MultiPoint(list(value, at, |v| position(v, at).map(Point::from))?)),
            "LineString" => Geometry::LineString(line_string(value, at)?),
            "MultiLineString" => Geometry::MultiLineString(MultiLineString(list(value, at, |v| line_string(v, at))?)),
            "Polygon" => Geometry::Polygon(rings(value, at)?),
            "MultiPolygon" => Geometry::MultiPolygon(MultiPolygon(list(value, at, |v| rings(v, at))?)),
            _ => {
                let kind = shorten(&kind);
                return Err(Problem::new(
                    at,
                    format!("没有几何类型 {kind}"),
                    format!("there is no geometry type {kind}"),
                ));
            }
        })
    }
}

fn list<T>(value: &Value, at: usize, one: impl Fn(&Value) -> Result<T>) -> Result<Vec<T>> {
    match value {
        Value::Array(all) if !all.is_empty() => all.iter().map(one).collect(),
        _ => Err(wrong_coordinates(at)),
    }
}

fn position(value: &Value, at: usize) -> Result<Coord> {
    match numbers(value, at)?[..] {
        [x, y] | [x, y, _] | [x, y, _, _] => Ok(Coord { x, y }),
        _ => Err(wrong_coordinates(at)),
    }
}

fn line_string(value: &Value, at: usize) -> Result<geo::LineString> {
    line(list(value, at, |v| position(v, at))?).ok_or_else(|| too_few(at))
}

fn rings(value: &Value, at: usize) -> Result<geo::Polygon> {
    let rings = list(value, at, |ring| list(ring, at, |v| position(v, at)))?;
    polygon(rings).ok_or_else(|| not_closed(at))
}

fn numbers(value: &Value, at: usize) -> Result<Vec<f64>> {
    let number = |value: &Value| value.as_f64().filter(|n| n.is_finite()).ok_or_else(|| wrong_coordinates(at));
    match value {
        Value::Array(all) => all.iter().map(number).collect(),
        _ => Err(wrong_coordinates(at)),
    }
}

fn literal(value: &Value, at: usize) -> Result<Literal> {
    Ok(match value {
        Value::String(text) => Literal::Text(clean(text, at)?),
        Value::Bool(truth) => Literal::Boolean(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Literal::Integer(whole),
            (None, Some(float)) if float.is_finite() => Literal::Float(float + 0.0),
            _ => return Err(Problem::new(at, "数字过大", "the number is too large")),
        },
        _ => {
            let (zh, en) = ("不能与 null 比较，请用 isNull", "nothing compares with null: write isNull");
            return Err(Problem::new(at, zh, en));
        }
    })
}

fn clean(text: &str, at: usize) -> Result<String> {
    match text.contains('\0') {
        true => Err(Problem::new(at, "文本中有空字符（U+0000）", "the text holds the character U+0000")),
        false => Ok(text.to_owned()),
    }
}

fn wrong_interval(at: usize) -> Problem {
    Problem::new(at, "interval 需要起止两个值", "interval takes a start and an end")
}

fn wrong_coordinates(at: usize) -> Problem {
    Problem::new(at, "坐标不合 GeoJSON 的写法", "these are no coordinates as GeoJSON writes them")
}
