//! The rules of sharing, written down a second time and without looking at the server's: what an asker sees of a layer.

use std::collections::BTreeSet;

pub const FIELDS: [&str; 6] = ["name", "kind", "floors", "height", "listed", "built"];
/// Sides of the squares, degrees; they begin where the points are.
pub const SIDE: f64 = 0.008;

/// A row of every layer of the world (`world::grid`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row(pub i64);

impl Row {
    pub fn all() -> impl Iterator<Item = Row> {
        (0..100).map(Row)
    }
    pub fn id(self) -> i64 {
        self.0 + 1
    }
    pub fn name(self) -> String {
        format!("第{}栋 g0", self.0)
    }
    pub fn kind(self) -> &'static str {
        if self.0 % 2 == 0 { "住宅" } else { "商业" }
    }
    pub fn floors(self) -> i64 {
        self.0 % 30
    }
    pub fn height(self) -> f64 {
        self.0 as f64 * 3.1
    }
    pub fn listed(self) -> bool {
        self.0 % 3 == 0
    }
    pub fn corner(self) -> (f64, f64) {
        (120.0 + (self.0 % 10) as f64 * 0.01, 36.0 + (self.0 / 10) as f64 * 0.01)
    }
    /// A value as PostgreSQL writes it as text.
    fn text(self, field: &str) -> String {
        match field {
            "name" => self.name(),
            "kind" => self.kind().into(),
            "floors" => self.floors().to_string(),
            "listed" => self.listed().to_string(),
            other => panic!("no rows are chosen by {other}"),
        }
    }
}

/// A filter, and the rows that pass it.
type Passes = (&'static str, fn(Row) -> bool);

/// Filters in CQL2 and what they mean. Built on day 18,000 (2019-04-14) and the days after.
pub const FILTERS: [Passes; 12] = [
    ("floors > 10", |r| r.floors() > 10),
    ("kind = '商业' AND floors < 20", |r| r.kind() == "商业" && r.floors() < 20),
    ("listed = true OR floors = 7", |r| r.listed() || r.floors() == 7),
    ("NOT (kind = '住宅')", |r| r.kind() != "住宅"),
    ("name LIKE '%1栋%'", |r| r.0 % 10 == 1),
    ("built >= DATE('2019-06-01')", |r| 18_000 + r.0 >= 18_048),
    ("height BETWEEN 50 AND 150", |r| (50.0..=150.0).contains(&r.height())),
    ("CASEI(kind) IN (CASEI('商业'), 'x') AND name IS NOT NULL", |r| r.kind() == "商业"),
    ("floors * 2 + 1 > height / 3", |r| (r.floors() * 2 + 1) as f64 > r.height() / 3.0),
    // What does not fit, or hangs on the time, closes everything.
    ("rooms = 1", |_| false),
    ("floors = 'many'", |_| false),
    ("built < now()", |_| false),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Unconditional,
    Conditional,
    NotShared,
}

/// All layers are housing's.
#[derive(Debug, Clone, Copy)]
pub struct Layer {
    pub id: &'static str,
    pub class: Class,
    pub public: bool,
    pub squares: bool,
    /// Of a layer of addresses, which is searched: the road that its doors are of.
    pub road: Option<&'static str>,
    /// Shared as it stands, and not changed here.
    pub table: bool,
}

impl Layer {
    /// A row's name: of a layer of addresses its address.
    pub fn name(self, row: Row) -> String {
        self.road.map_or_else(|| row.name(), |road| format!("青岛市市南区{road}{}号", row.id()))
    }
}

pub const OWNER: &str = "housing";

#[derive(Debug, Clone, Copy)]
pub struct Asker {
    pub department: Option<&'static str>,
    /// A person who publishes for the department.
    pub publishes: bool,
    /// With nothing but an address that was signed for looking at some layers.
    pub signed: bool,
}

#[derive(Debug, Clone)]
pub struct Grant {
    pub layer: &'static str,
    pub department: &'static str,
    pub rights: Vec<&'static str>,
    pub fields: Option<Vec<&'static str>>,
    pub rows: Option<(&'static str, Vec<String>)>,
    pub filter: Option<usize>,
    pub area: Option<[f64; 4]>,
    /// Days from now.
    pub from: Option<i64>,
    pub until: Option<i64>,
    pub revoked: bool,
}

/// What an asker may be told.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The layer does not exist.
    Unknown,
    /// It exists; nothing of it is given out.
    Refused,
    Shown(Shown),
}

#[derive(Debug, Clone, Default)]
pub struct Shown(Option<Box<Grant>>);

impl Shown {
    pub fn is_all(&self) -> bool {
        self.has_all_rows() && self.fields().len() == FIELDS.len() && self.0.as_ref().is_none_or(|g| g.fields.is_none())
    }
    pub fn has_all_rows(&self) -> bool {
        self.0.as_ref().is_none_or(|g| g.rows.is_none() && g.filter.is_none() && g.area.is_none())
    }
    pub fn fields(&self) -> BTreeSet<&'static str> {
        let granted = self.0.as_ref().and_then(|g| g.fields.clone());
        FIELDS.into_iter().filter(|f| granted.as_ref().is_none_or(|granted| granted.contains(f))).collect()
    }
    /// The part of the row's place that is seen (west, south, east, north); none when the row is not.
    pub fn place(&self, row: Row, squares: bool) -> Option<[f64; 4]> {
        let (x, y) = row.corner();
        let side = if squares { SIDE } else { 0.0 };
        let mut place = [x, y, x + side, y + side];
        let Some(grant) = &self.0 else { return Some(place) };
        if grant.rows.as_ref().is_some_and(|(field, values)| !values.contains(&row.text(field))) {
            return None;
        }
        if grant.filter.is_some_and(|i| !(FILTERS[i].1)(row)) {
            return None;
        }
        if let Some([w, s, e, n]) = grant.area {
            place = [place[0].max(w), place[1].max(s), place[2].min(e), place[3].min(n)];
        }
        (place[0] <= place[2] && place[1] <= place[3]).then_some(place)
    }
    /// The rows that are seen, in the order of their ids.
    pub fn rows(&self, squares: bool) -> Vec<(Row, [f64; 4])> {
        Row::all().filter_map(|row| Some((row, self.place(row, squares)?))).collect()
    }
}

/// What is signed is signed for these.
pub fn is_signed(layer: Layer) -> bool {
    layer.class == Class::Conditional
}

/// What an asker may be told of a layer that it wants to use in a way (`right`; `own` is what its own publishers do), or to know of at all
/// (none).
pub fn answer(asker: Asker, layer: Layer, right: Option<&str>, grants: &[Grant]) -> Answer {
    let changes = matches!(right, Some("write" | "own"));
    let all = Answer::Shown(Shown(None));
    // To read something is not to change it.
    let everything = match (changes, asker.department) {
        (true, Some(OWNER)) if asker.publishes => all,
        (true, _) => Answer::Refused,
        _ => all,
    };
    if asker.signed && !is_signed(layer) {
        return Answer::Unknown;
    }
    match (asker.department, layer.class) {
        (None, _) if layer.public => everything,
        (None, _) => Answer::Unknown,
        (Some(OWNER), _) | (Some(_), Class::Unconditional) => everything,
        (Some(_), Class::NotShared) => Answer::Unknown,
        (Some(department), Class::Conditional) => {
            let open = |g: &&Grant| {
                g.layer == layer.id
                    && g.department == department
                    && !g.revoked
                    && g.from.is_none_or(|days| days < 0)
                    && g.until.is_none_or(|days| days > 0)
                    && right.is_none_or(|right| g.rights.contains(&right))
                    && (!changes || asker.publishes)
            };
            // The last that was given.
            grants.iter().rfind(open).map_or(Answer::Refused, |g| Answer::Shown(Shown(Some(Box::new(g.clone())))))
        }
    }
}
