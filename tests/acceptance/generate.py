"""Random filters over the test data, as CQL2 JSON: the same ones for the same seed."""

import random

TEXTS = ["name", "nameascii", "adm0name", "featurecla", "note", "namealt"]
NUMBERS = ["pop_max", "pop_min", "pop_other"]
PLACES = {"texts": TEXTS, "numbers": NUMBERS, "dates": ["date"], "times": ["start", "end"], "booleans": ["boolean"]}
COUNTRIES = {"texts": ["name", "name_el", "name_de", "continent", "income_grp", "economy"], "numbers": ["pop_est"],
             "dates": [], "times": [], "booleans": []}
RIVERS = {"texts": ["name", "name_de", "name_el", "label"], "numbers": [], "dates": [], "times": [], "booleans": []}


class Filters:
    def __init__(self, seed, fields, rows, geometry="geometry"):
        self.random = random.Random(seed)
        self.fields, self.geometry = fields, geometry
        self.rows = [row for _, row in sorted(rows.items())]

    def one(self, depth=2):
        r = self.random
        if depth and r.random() < 0.45:
            op = r.choice(["and", "or", "not"])
            count = 1 if op == "not" else r.choice([2, 2, 3])
            return {"op": op, "args": [self.one(depth - 1) for _ in range(count)]}
        kinds = [self.text, self.text, self.null, self.place, self.place]
        kinds += [self.number, self.number, self.calculation] if self.fields["numbers"] else []
        kinds += [self.time] if self.fields["times"] else []
        kinds += [self.boolean] if self.fields["booleans"] else []
        return r.choice(kinds)()

    def property(self, kind):
        return {"property": self.random.choice(self.fields[kind])}

    def value(self, name):
        values = [row["properties"][name] for row in self.rows if row["properties"][name] is not None]
        return self.random.choice(values) if values else None

    def text(self):
        r = self.random
        left = self.property("texts")
        value = self.value(left["property"]) or "x"
        fold = r.choice([None, None, None, "casei", "accenti", "both"])
        kind = r.choice(["compare", "compare", "like", "in", "fields"])
        if kind == "fields":
            return {"op": r.choice(["=", "<>", "<", ">="]), "args": [left, self.property("texts")]}
        if kind == "compare":
            return {"op": r.choice(["=", "<>", "<", "<=", ">", ">="]), "args": [folded(fold, left), folded(fold, self.spoilt(value))]}
        if kind == "in":
            others = [self.value(left["property"]) or "y" for _ in range(r.randint(1, 4))]
            return {"op": "in", "args": [folded(fold, left), [folded(fold, v) for v in [value] + others]]}
        cut = r.randint(0, len(value))
        like = r.choice([value[:cut] + "%", "%" + value[cut:], "%" + value[cut:cut + 2] + "%", value[:cut] + "_" + value[cut + 1:], "_" * len(value)])
        return {"op": "like", "args": [folded(fold, left), folded(fold, like)]}

    def spoilt(self, value):
        return self.random.choice([value, value, value.upper(), value.lower(), value[:3], value + "z"])

    def number(self):
        r = self.random
        left = self.property("numbers")
        value = self.value(left["property"])
        kind = r.choice(["compare", "between", "in", "fields"])
        if kind == "fields":
            return {"op": r.choice(["=", "<>", "<", ">="]), "args": [left, self.property("numbers")]}
        if kind == "between":
            low, high = sorted([value, self.value(left["property"])])
            return {"op": "between", "args": [left, low, high]}
        if kind == "in":
            return {"op": "in", "args": [left, [value, self.value(left["property"]), value + 1]]}
        return {"op": r.choice(["=", "<>", "<", "<=", ">", ">="]), "args": [left, value + r.choice([0, 0, 1, -1])]}

    def calculation(self):
        r = self.random
        a, b = self.property("numbers"), self.property("numbers")
        value = self.value(a["property"])
        made = r.choice([
            {"op": "+", "args": [a, b]}, {"op": "-", "args": [a, b]}, {"op": "*", "args": [a, r.choice([2, 3, 0.5])]},
            {"op": "/", "args": [a, r.choice([b, 2, 1000, 0])]}, {"op": "%", "args": [a, r.choice([7, 10, 1000, 0])]},
            {"op": "div", "args": [a, r.choice([7, 1000, 0])]}, {"op": "-", "args": [{"op": "+", "args": [a, 10]}, {"op": "*", "args": [b, 2]}]},
        ])
        return {"op": r.choice(["<", ">", ">=", "=", "<>"]), "args": [made, r.choice([value, value // 2, 0, 1, 3])]}

    def boolean(self):
        return {"op": self.random.choice(["=", "<>"]), "args": [self.property("booleans"), self.random.choice([True, False])]}

    def null(self):
        kind = self.random.choice([k for k in self.fields if self.fields[k]])
        return {"op": "isNull", "args": [self.property(kind)]}

    def moment(self):
        r = self.random
        return f"{r.choice([2020, 2021, 2022, 2023])}-{r.choice(['04-16', '01-01', '12-31'])}T{r.choice(['10:13:19Z', '10:15:10Z', '00:00:00Z'])}"

    def time(self):
        r = self.random
        if r.random() < 0.4:
            day = {"date": self.moment()[:10]}
            return {"op": r.choice(["=", "<", ">=", "<>", "t_after", "t_before", "t_equals", "t_disjoint", "t_intersects"]),
                    "args": [{"property": "date"}, day]}
        low, high = sorted([self.moment(), self.moment()])
        given = {"interval": r.choice([[low, high], ["..", high], [low, ".."]])}
        if r.random() < 0.5:
            return {"op": r.choice(["t_after", "t_before", "t_disjoint", "t_equals", "t_intersects"]), "args": [{"property": r.choice(["start", "end"])}, given]}
        return {"op": r.choice(["t_after", "t_before", "t_disjoint", "t_equals", "t_intersects", "t_contains", "t_during", "t_finishedby", "t_finishes",
                                "t_meets", "t_metby", "t_overlappedby", "t_overlaps", "t_startedby", "t_starts"]),
                "args": [{"interval": [{"property": "start"}, {"property": "end"}]}, given]}

    def place(self):
        r = self.random
        geometry = {"property": self.geometry}
        x, y, w, h = r.randint(-170, 150), r.randint(-80, 70), r.randint(1, 60), r.randint(1, 40)
        x2, y2 = min(x + w, 180), min(y + h, 90)
        ring = [[x, y], [x2, y], [x2, y2], [x, y2], [x, y]]
        kind = r.choice(["bbox", "wide", "polygon", "line", "point", "collection"])
        if kind == "bbox":
            return {"op": r.choice(["s_intersects", "s_disjoint", "s_within"]), "args": [geometry, {"bbox": [x, y, x2, y2]}]}
        if kind == "wide":
            return {"op": r.choice(["s_intersects", "s_disjoint"]), "args": [geometry, {"bbox": [100 + w, y, -180 + h, y2]}]}
        if kind == "polygon":
            literal = r.choice([{"type": "Polygon", "coordinates": [ring]},
                                {"type": "Polygon", "coordinates": [[[x, y], [x2, y], [x, y2], [x, y]]]},
                                {"type": "MultiPolygon", "coordinates": [[ring], [[[-x2 - 9, -y2 + 1], [-x2 - 1, -y2 + 1], [-x2 - 1, -y2 + 8], [-x2 - 9, -y2 + 1]]]]}])
            op = r.choice(["s_intersects", "s_disjoint", "s_within", "s_overlaps", "s_touches", "s_contains", "s_equals"])
            return {"op": op, "args": [geometry, literal] if r.random() < 0.7 else [literal, geometry]}
        if kind == "line":
            op = r.choice(["s_intersects", "s_disjoint", "s_crosses", "s_touches"])
            return {"op": op, "args": [geometry, {"type": "LineString", "coordinates": [[x, y], [x2, y2], [x2, y]]}]}
        if kind == "collection":
            return {"op": "s_intersects", "args": [geometry, {"type": "GeometryCollection", "geometries": [
                {"type": "Point", "coordinates": [x, y]}, {"type": "LineString", "coordinates": [[x, y], [x2, y2]]},
                {"type": "Polygon", "coordinates": [ring]}]}]}
        anchor = r.choice(self.rows)["geometry"].representative_point()
        op = r.choice(["s_intersects", "s_disjoint", "s_contains", "s_equals", "s_touches"])
        return {"op": op, "args": [geometry, {"type": "Point", "coordinates": [anchor.x, anchor.y]}]}


def folded(how, node):
    if how is None:
        return node
    if how == "both":
        return {"op": "accenti", "args": [{"op": "casei", "args": [node]}]}
    return {"op": how, "args": [node]}
