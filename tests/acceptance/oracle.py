"""CQL2, evaluated from the standard's words (OGC 21-065r2) over features in Python, and written from JSON as text.

Three values: True, False and None for unknown. Texts compare by code point; casei folds fully; accenti is NFD without its marks;
an instant is an interval whose ends are one.
"""

import datetime
import math
import re
import unicodedata

import shapely
import shapely.geometry

ONCE, EVER = float("-inf"), float("inf")


class Unsupported(Exception):
    """Not of the language, or of a type that it does not go with: the server must refuse it."""


class Oracle:
    def __init__(self, types, geometry="geometry"):
        self.types, self.geometry, self.literals = types, geometry, {}

    def ids(self, rows, filter):
        return {fid for fid, row in rows.items() if self.evaluate(filter, row) is True}

    def evaluate(self, node, row):
        if isinstance(node, bool) or node is None or isinstance(node, (int, float, str)):
            return node
        if isinstance(node, list):
            return [self.evaluate(part, row) for part in node]
        if "property" in node:
            return self.property(node["property"], row)
        if "date" in node:
            return datetime.date.fromisoformat(node["date"])
        if "timestamp" in node:
            return instant(node["timestamp"])
        if "interval" in node:
            return tuple(self.end(part, row, bound) for part, bound in zip(node["interval"], (ONCE, EVER)))
        if "bbox" in node or "type" in node:
            return self.literal(node)
        return self.operation(node["op"].lower(), node["args"], row)

    def property(self, name, row):
        if name == self.geometry:
            return row["geometry"]
        if name not in row["properties"]:
            raise Unsupported(name)
        return row["properties"][name]

    def end(self, part, row, bound):
        if part == "..":
            return bound
        if isinstance(part, str):
            return instant(part) if "T" in part else datetime.date.fromisoformat(part)
        return self.evaluate(part, row)

    def literal(self, node):
        key = id(node)
        if key not in self.literals:
            made = box(node["bbox"]) if "bbox" in node else shapely.force_2d(shapely.geometry.shape(node))
            shapely.prepare(made)
            self.literals[key] = (node, made)
        return self.literals[key][1]

    def operation(self, op, args, row):
        if op == "and":
            return conjunction([self.evaluate(a, row) for a in args])
        if op == "or":
            return negation(conjunction([negation(self.evaluate(a, row)) for a in args]))
        if op == "not":
            return negation(self.evaluate(args[0], row))
        values = [self.evaluate(a, row) for a in args]
        if op == "isnull":
            return values[0] is None
        if op == "in":
            return negation(conjunction([negation(compared("=", values[0], v)) for v in values[1]]))
        if op == "between":
            return conjunction([compared(">=", values[0], values[1]), compared("<=", values[0], values[2])])
        if any(v is None for v in values):
            return None
        if op in ("=", "<>", "<", ">", "<=", ">="):
            return compared(op, *values)
        if op == "like":
            return bool(pattern(values[1]).fullmatch(values[0]))
        if op == "casei":
            return values[0].casefold()
        if op == "accenti":
            return "".join(c for c in unicodedata.normalize("NFD", values[0]) if unicodedata.category(c) != "Mn")
        if op in ("+", "-", "*", "/", "%", "div", "^"):
            return arithmetic(op, *values)
        if op.startswith("s_"):
            return spatial(op, *values)
        if op.startswith("t_"):
            return temporal(op, *values)
        if op.startswith("a_"):
            return arrays(op, *values)
        raise Unsupported(op)


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def box(numbers):
    west, south, east, north = (numbers[i] for i in ((0, 1, 2, 3) if len(numbers) == 4 else (0, 1, 3, 4)))
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])


def negation(value):
    return None if value is None else not value


def conjunction(values):
    return False if any(v is False for v in values) else None if any(v is None for v in values) else True


def compared(op, a, b):
    if a is None or b is None:
        return None
    if (isinstance(a, str) != isinstance(b, str)) or isinstance(a, bool) != isinstance(b, bool):
        raise Unsupported(f"{a!r} {op} {b!r}")
    return {"=": a == b, "<>": a != b}[op] if op in ("=", "<>") else \
        {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[op]


def pattern(like):
    made, i = "", 0
    while i < len(like):
        c = like[i]
        if c == "\\" and i + 1 < len(like):
            i += 1
            made += re.escape(like[i])
        else:
            made += {"%": ".*", "_": "."}.get(c, re.escape(c))
        i += 1
    return re.compile(made, re.DOTALL)


def arithmetic(op, a, b):
    try:
        if op == "+":
            return a + b
        if op == "-":
            return a - b
        if op == "*":
            return a * b
        if op == "/":
            return a / b
        if op == "%":
            return math.fmod(a, b)
        if op == "div":
            return math.trunc(a / b)
        made = float(a) ** float(b)
        return made if isinstance(made, float) and math.isfinite(made) else None
    except (ZeroDivisionError, OverflowError, ValueError):
        return None


def spatial(op, a, b):
    name = {"s_intersects": "intersects", "s_disjoint": "disjoint", "s_equals": "equals", "s_touches": "touches",
            "s_crosses": "crosses", "s_within": "within", "s_contains": "contains", "s_overlaps": "overlaps"}.get(op)
    if name is None:
        raise Unsupported(op)
    return bool(getattr(shapely, name)(a, b))


def ends(value):
    return value if isinstance(value, tuple) else (value, value)


def at(end):
    """On one line of time: -∞ and ∞ too. Days and moments are not held against each other here."""
    if isinstance(end, float):
        return end
    if isinstance(end, datetime.datetime):
        return end.timestamp()
    return datetime.datetime.combine(end, datetime.time(), datetime.timezone.utc).timestamp()


def temporal(op, left, right):
    """Allen's relations by three-valued comparisons: an end that is null is unknown, and may not matter."""
    (a, b), (c, d) = ([None if e is None else at(e) for e in ends(v)] for v in (left, right))
    less = lambda x, y: None if x is None or y is None else x < y
    same = lambda x, y: None if x is None or y is None else x == y
    both = lambda *parts: conjunction(list(parts))
    apart = negation(both(negation(less(d, a)), negation(less(b, c))))
    allen = {
        "t_after": less(d, a), "t_before": less(b, c), "t_disjoint": apart, "t_intersects": negation(apart), "t_equals": both(same(a, c), same(b, d)),
        "t_contains": both(less(a, c), less(d, b)), "t_during": both(less(c, a), less(b, d)), "t_finishedby": both(less(a, c), same(b, d)),
        "t_finishes": both(less(c, a), same(b, d)), "t_meets": same(b, c), "t_metby": same(a, d), "t_overlappedby": both(less(c, a), less(a, d), less(d, b)),
        "t_overlaps": both(less(a, c), less(c, b), less(b, d)), "t_startedby": both(same(a, c), less(d, b)), "t_starts": both(same(a, c), less(b, d)),
    }
    if op not in allen:
        raise Unsupported(op)
    return allen[op]


def arrays(op, a, b):
    if not isinstance(a, list) or not isinstance(b, list):
        raise Unsupported(op)
    if op == "a_equals":
        return all(v in b for v in a) and all(v in a for v in b)
    if op == "a_contains":
        return all(v in a for v in b)
    if op == "a_containedby":
        return all(v in b for v in a)
    if op == "a_overlaps":
        return any(v in b for v in a)
    raise Unsupported(op)


# ------------------------------------------------------------------------------------------------------------------ as text


BINDING = {"or": 1, "and": 2, "not": 3}
for comparison in ("=", "<>", "<", ">", "<=", ">=", "like", "in", "between", "isnull"):
    BINDING[comparison] = 4
BINDING |= {"+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "div": 6, "^": 7}


def text(node, within=0):
    """The node as CQL2 text. `within`: how tightly what stands around it binds; brackets where it binds tighter."""
    if isinstance(node, bool):
        return "TRUE" if node else "FALSE"
    if isinstance(node, (int, float)):
        return repr(node)
    if isinstance(node, str):
        return "'" + node.replace("'", "''") + "'"
    if isinstance(node, list):
        return "(" + ", ".join(text(part) for part in node) + ")"
    if "property" in node:
        name = node["property"]
        return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name not in ("date", "interval") else f'"{name}"'
    if "date" in node:
        return f"DATE('{node['date']}')"
    if "timestamp" in node:
        return f"TIMESTAMP('{node['timestamp']}')"
    if "interval" in node:
        return "INTERVAL(" + ",".join(f"'{p}'" if isinstance(p, str) else text(p) for p in node["interval"]) + ")"
    if "bbox" in node:
        return "BBOX(" + ",".join(map(repr, node["bbox"])) + ")"
    if "type" in node:
        return wkt(node)
    op, args = node["op"], node["args"]
    binding = BINDING.get(op.lower())
    if binding is None:
        return f"{op.upper()}({','.join(text(a) for a in args)})"
    said = operator_text(op, args, binding)
    return f"({said})" if binding <= within else said


def operator_text(op, args, binding):
    if op in ("and", "or"):
        return f" {op.upper()} ".join(text(a, binding) for a in args)
    if op == "not":
        return "NOT " + text(args[0], binding)
    first = text(args[0], binding if binding > 4 else 4)
    if op == "isNull":
        return f"{first} IS NULL"
    if op == "between":
        return f"{first} BETWEEN {text(args[1], 4)} AND {text(args[2], 4)}"
    if op in ("like", "in", "div"):
        return f"{first} {op.upper()} {text(args[1], binding)}"
    return f"{first} {op} {text(args[1], binding)}"


def wkt(node):
    kind = node["type"].upper()
    if kind == "GEOMETRYCOLLECTION":
        return kind + " (" + ", ".join(wkt(g) for g in node["geometries"]) + ")"
    coordinates = node["coordinates"]
    if kind == "POINT":
        return f"POINT({position(coordinates)})"
    if kind == "MULTIPOINT":
        return "MULTIPOINT(" + ", ".join(f"({position(p)})" for p in coordinates) + ")"
    depth = {"LINESTRING": 1, "MULTILINESTRING": 2, "POLYGON": 2, "MULTIPOLYGON": 3}[kind]
    return kind + nested(coordinates, depth)


def nested(coordinates, depth):
    if depth == 1:
        return "(" + ",".join(position(p) for p in coordinates) + ")"
    return "(" + ",".join(nested(c, depth - 1) for c in coordinates) + ")"


def position(numbers):
    return " ".join(map(repr, numbers))
