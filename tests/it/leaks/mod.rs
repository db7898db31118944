//! The server's answers against an independent model of the rules (`model`), at random over principal, layer, grant, route and format:
//! rows, fields, geometry outside of the area, counts, names, and the words of a 404. `ONEMAP_COMBINATIONS` says how many
//! combinations are tried, `ONEMAP_SEED` which.

mod addresses;
mod jobs;
mod lists;
mod model;
mod places;
mod questions;

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::stream;
use onemap::access::principal::{Principal, Role};
use onemap::layer::copy::{HEADER, TRAILER, Value, begin_row, put};
use onemap::layer::model::{ShareClass, Title};
use onemap::layer::registry::{self, NewLayer, Shape};

use self::addresses::DOORS;
use self::model::{Answer, Asker, Class, FIELDS, FILTERS, Grant, Layer, Row, SIDE, answer};
use self::questions::{Asked, Question, Request};
use crate::world::{As, World, fields, key_of, make_layer};

/// Combinations between two sets of grants.
const OF_ONE_SET: usize = 40;

const fn layer(id: &'static str, class: Class, public: bool, squares: bool) -> Layer {
    Layer { id, class, public, squares, road: None, table: false }
}

const LAYERS: [Layer; 9] = [
    layer("open", Class::Unconditional, true, false),
    layer("unconditional", Class::Unconditional, false, false),
    layer("conditional", Class::Conditional, false, false),
    layer("hidden", Class::NotShared, false, false),
    layer("blocks", Class::Conditional, false, true),
    layer("hidden-blocks", Class::NotShared, false, true),
    layer("second", Class::Conditional, false, false),
    // A table that is shared as it stands: PostGIS draws its tiles.
    Layer { table: true, ..layer("table-points", Class::Conditional, false, false) },
    Layer { table: true, ..layer("table-blocks", Class::Conditional, false, true) },
];

const ASKERS: [As; 10] = [
    As::Anonymous,
    As::Key("health"),
    As::Key("transport"),
    As::Key("housing"),
    As::Person("health", Role::User),
    As::Person("health", Role::Publisher),
    As::Person("health", Role::PlatformAdministrator),
    As::Person("health", Role::Auditor),
    As::Person("housing", Role::User),
    As::Person("housing", Role::Publisher),
];

/// Splitmix64: the same on every machine.
pub struct Random(u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    pub fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }
    fn some<T: Clone>(&mut self, list: &[T]) -> Vec<T> {
        list.iter().filter(|_| self.one_in(2)).cloned().collect()
    }
    /// Who asks, of which layer, what.
    fn combination(&mut self) -> (Caller, Layer, Question) {
        if self.one_in(20) {
            return (Caller::Signed, self.of(&LAYERS), Question::signed(self));
        }
        let who = Caller::Somebody(self.of(&ASKERS));
        match self.one_in(5) {
            true => (who, self.of(&DOORS), Question::of_addresses(self)),
            false => (who, self.of(&LAYERS), Question::any(self)),
        }
    }
    fn grant(&mut self) -> Grant {
        let all = LAYERS.iter().chain(&DOORS);
        let conditional: Vec<Layer> = all.filter(|l| l.class == Class::Conditional).copied().collect();
        let layer = self.of(&conditional);
        let mut rights = self.some(&["view", "query", "print", "export", "write"]);
        if self.one_in(2) || rights.is_empty() {
            rights = vec!["view", "query", "export"];
        }
        let rows = match self.below(6) {
            0 => Some(("kind", vec!["住宅".to_owned()])),
            1 => Some(("floors", vec!["1".to_owned(), "12".into(), "29".into(), "x".into()])),
            2 => Some(("listed", vec!["true".to_owned()])),
            _ => None,
        };
        // Edges run through the squares and past the points.
        let (w, s) = (self.below(8) as f64, self.below(8) as f64);
        let (e, n) = (w + 1.0 + self.below(5) as f64, s + 1.0 + self.below(5) as f64);
        let area =
            [120.0 + w * 0.01 - 0.006, 36.0 + s * 0.01 - 0.006, 120.0 + e * 0.01 + 0.004, 36.0 + n * 0.01 + 0.004];
        // A term that has not begun cannot be over.
        let from = self.one_in(4).then(|| self.of(&[-3, -3, -3, 2]));
        let until =
            self.one_in(3).then(|| self.of(&[3, 3, 3, -2])).filter(|until| from.is_none_or(|from| from < *until));
        Grant {
            layer: layer.id,
            department: self.of(&["health", "transport"]),
            rights,
            fields: self.one_in(2).then(|| self.some(&FIELDS)),
            rows,
            // What is said of names is not said of addresses.
            filter: self.one_in(2).then(|| self.below(FILTERS.len())).filter(|i| layer.road.is_none() || *i != 4),
            area: self.one_in(3).then_some(area),
            from,
            until,
            revoked: self.one_in(10),
        }
    }
}

/// As `world::make_layer`, but of squares or addresses.
async fn make_rows(world: &World, layer: Layer) {
    let (app, by, id) = (&world.app, Principal::operator("housing"), layer.id);
    let class = match layer.class {
        Class::Unconditional => ShareClass::Unconditional,
        Class::Conditional => ShareClass::Conditional,
        Class::NotShared => ShareClass::NotShared,
    };
    let new = NewLayer {
        id: id.into(),
        theme: None,
        title: Title { zh: format!("图层{id}"), en: format!("Layer {id}") },
        description: Title::default(),
        class,
        anonymous: false,
        style: None,
        source: "test".into(),
        synthetic: true,
    };
    registry::create_layer(&app.database, &by, "housing", &new).await.unwrap();
    app.refresh().await.unwrap();
    let grant = app.gate.open(&by, id).unwrap();
    let kind = if layer.squares { "Polygon" } else { "Point" };
    let (geometry, key_field) = (Some(kind.into()), Some("name".into()));
    let shape = Shape { fields: fields(), geometry, key_field, note: String::new(), report: None };
    let mut rows = Vec::new();
    for row in Row::all() {
        begin_row(&mut rows, 8);
        put(&mut rows, &Value::Integer(row.id()));
        put(&mut rows, &Value::Text(&layer.name(row)));
        put(&mut rows, &Value::Text(row.kind()));
        put(&mut rows, &Value::Integer(row.floors()));
        put(&mut rows, &Value::Float(row.height()));
        put(&mut rows, &Value::Boolean(row.listed()));
        put(&mut rows, &Value::Date(18_000 + row.0 as i32));
        put(&mut rows, &Value::Geometry(&if layer.squares { square(row) } else { point(row) }));
    }
    let chunks = [Ok(Bytes::from_static(HEADER)), Ok(Bytes::from(rows)), Ok(Bytes::from_static(TRAILER))];
    let staged = registry::stage(&app.store, &grant, &shape, stream::iter(chunks)).await.unwrap();
    registry::publish(&app.store, &grant, staged.number, "publish").await.unwrap();
    app.refresh().await.unwrap();
}

fn point(row: Row) -> Vec<u8> {
    let (x, y) = row.corner();
    let mut ewkb = vec![1];
    ewkb.extend([1u32 | 0x2000_0000, 4490].iter().flat_map(|n| n.to_le_bytes()));
    ewkb.extend([x, y].iter().flat_map(|n| n.to_le_bytes()));
    ewkb
}

fn square(row: Row) -> Vec<u8> {
    let (x, y) = row.corner();
    let ring = [(x, y), (x + SIDE, y), (x + SIDE, y + SIDE), (x, y + SIDE), (x, y)];
    let mut ewkb = vec![1];
    for n in [3u32 | 0x2000_0000, 4490, 1, 5] {
        ewkb.extend_from_slice(&n.to_le_bytes());
    }
    for (x, y) in ring {
        ewkb.extend_from_slice(&x.to_le_bytes());
        ewkb.extend_from_slice(&y.to_le_bytes());
    }
    ewkb
}

/// The world with the layers of `LAYERS` and a third department.
async fn world() -> World {
    let world = World::new().await;
    make_layer(&world.app, "second", ShareClass::Conditional, false, 100).await;
    make_rows(&world, layer("blocks", Class::Conditional, false, true)).await;
    make_rows(&world, layer("hidden-blocks", Class::NotShared, false, true)).await;
    addresses::make(&world).await;
    world.sql("insert into onemap.department (id, title_zh, title_en) values ('transport', '交通', 'Transport')").await;
    let by = Principal::operator("transport");
    world.app.login.ensure_key(&by, "transport", "test", &key_of("transport")).await.unwrap();
    for (id, of, kind) in [("table-points", "conditional", "Point"), ("table-blocks", "blocks", "Polygon")] {
        let table = world.app.catalog.snapshot().layers[of].state.as_ref().unwrap().source.table.clone();
        let name = id.replace('-', "_");
        world
            .sql(&format!(
                "create schema if not exists other; grant usage on schema other to onemap_app;
                 create table other.{name} as select fid as nr, name, kind, floors, height, listed, built,
                     geom::geometry({kind}, 4490) as geom from data.\"{table}\";
                 grant select on other.{name} to onemap_app;
                 insert into onemap.layer (id, department_id, title_zh, title_en, share_class, registered_schema,
                     registered_table, registered_key, registered_geometry)
                 values ('{id}', 'housing', '{id}', '{id}', 'conditional', 'other', '{name}', 'nr', 'geom')"
            ))
            .await;
    }
    world.app.refresh().await.unwrap();
    world
}

/// Puts the grants in the place of those that there were.
async fn set(world: &World, grants: &[Grant]) {
    let list = |items: &[&str]| {
        format!("array[{}]::text[]", items.iter().map(|i| format!("'{i}'")).collect::<Vec<_>>().join(", "))
    };
    let or_null = |text: Option<String>| text.unwrap_or("null".into());
    let day = |days: Option<i64>| or_null(days.map(|days| format!("now() + interval '{days} days'")));
    let mut sql = String::from("begin; delete from onemap.access_grant;");
    for g in grants {
        let rows = g.rows.as_ref().map(|(field, values)| format!("'{}'", serde_json::json!({ *field: values })));
        let filter = g.filter.map(|i| format!("'{}'", FILTERS[i].0.replace('\'', "''")));
        let area = g.area.map(|[w, s, e, n]| format!("st_multi(st_makeenvelope({w}, {s}, {e}, {n}, 4490))"));
        sql += &format!(
            "insert into onemap.access_grant (layer_id, department_id, purpose, granted_by, rights, fields, row_filter,
                 filter, area, valid_from, valid_until, revoked_at)
             values ('{}', '{}', 'test', 'test', {}, {}, {}, {}, {}, {}, {}, {});",
            g.layer,
            g.department,
            list(&g.rights),
            or_null(g.fields.as_deref().map(list)),
            or_null(rows),
            or_null(filter),
            or_null(area),
            day(g.from),
            day(g.until),
            if g.revoked { "now()" } else { "null" },
        );
    }
    world.sql(&(sql + "commit")).await;
    world.app.refresh().await.unwrap();
}

/// Who asks: somebody of the world, or whoever has an address that health signed for looking at what is shared conditionally.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Caller {
    Somebody(As),
    Signed,
}

struct Callers {
    cookies: HashMap<String, String>,
    /// The query of the signed address.
    signed: String,
}

impl Callers {
    /// While everything is granted: nobody signs for what the own department may not look at.
    async fn new(world: &World) -> Callers {
        let mut cookies = HashMap::new();
        for who in ASKERS {
            if let As::Person(department, role) = who {
                let login = format!("{department}-{}", role.name());
                let cookie = world.sign_in(&login).await;
                cookies.insert(login, cookie);
            }
        }
        let all = "insert into onemap.access_grant (layer_id, department_id, purpose, granted_by)
            select id, 'health', 'test', 'test' from onemap.layer where share_class = 'conditional'";
        world.sql(all).await;
        world.app.refresh().await.unwrap();
        let layers: Vec<&str> = LAYERS.into_iter().filter(|l| model::is_signed(*l)).map(|l| l.id).collect();
        let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
        let wanted = serde_json::json!({"label": "page", "layers": layers, "services": ["tiles", "styles", "wmts"],
            "until": tomorrow.to_string()});
        let by = As::Person("health", Role::DepartmentAdministrator);
        let answer =
            world.by(by, reqwest::Method::POST, "/api/v1/signed-urls").await.json(&wanted).send().await.unwrap();
        let signed: serde_json::Value = answer.json().await.unwrap();
        let signed = signed["query"].as_str().unwrap_or_else(|| panic!("{signed}")).to_owned();
        Callers { cookies, signed }
    }

    async fn ask(&self, world: &World, who: Caller, wanted: &Request) -> Asked {
        let path = match who {
            Caller::Signed => {
                format!("{}{}{}", wanted.path, if wanted.path.contains('?') { '&' } else { '?' }, self.signed)
            }
            Caller::Somebody(_) => wanted.path.clone(),
        };
        let request = world.request(wanted.method.clone(), &path).header("accept-language", "en");
        let request = match who {
            Caller::Signed | Caller::Somebody(As::Anonymous) => request,
            Caller::Somebody(As::Key(department)) => request.bearer_auth(key_of(department)),
            Caller::Somebody(As::Person(department, role)) => {
                request.header("cookie", &self.cookies[&format!("{department}-{}", role.name())])
            }
        };
        let request = match &wanted.body {
            None => request,
            // Of a state that there never was.
            Some((media, text)) => {
                request.header("content-type", *media).header("if-match", "\"none\"").body(text.clone())
            }
        };
        Asked::of(request.send().await.expect("an answer")).await
    }

    async fn get(&self, world: &World, who: As, path: &str) -> Asked {
        self.ask(world, Caller::Somebody(who), &Request::get(path.to_owned())).await
    }
}

fn asker(who: Caller) -> Asker {
    let (department, publishes) = match who {
        Caller::Signed => (Some("health"), false),
        Caller::Somebody(As::Anonymous) => (None, false),
        Caller::Somebody(As::Key(department)) => (Some(department), false),
        Caller::Somebody(As::Person(department, role)) => {
            (Some(department), matches!(role, Role::Publisher | Role::PlatformAdministrator))
        }
    };
    Asker { department, publishes, signed: who == Caller::Signed }
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_differs_from_the_model_of_the_rules() {
    let (combinations, seed) = (setting("ONEMAP_COMBINATIONS", 400) as usize, setting("ONEMAP_SEED", 20_261_125));
    let world = world().await;
    let callers = Callers::new(&world).await;
    let mut random = Random(seed);
    let mut grants = vec![];
    let (mut shown, mut refused, mut unknown) = (0, 0, 0);
    for turn in 0..combinations {
        if turn.is_multiple_of(OF_ONE_SET) {
            grants = (0..4 + random.below(16)).map(|_| random.grant()).collect::<Vec<_>>();
            set(&world, &grants).await;
        }
        let (who, layer, question) = random.combination();
        let expected = answer(asker(who), layer, question.right(), &grants);
        let wanted = question.request(layer);
        let got = callers.ask(&world, who, &wanted).await;
        let (path, granted) = (&wanted.path, relevant(&grants, who, layer));
        let what = format!("seed {seed}, turn {turn}: {who:?} {question:?} {path}\n{granted:?}");
        match &expected {
            Answer::Unknown => {
                // In every word as what does not exist.
                let nowhere = question.request(Layer { id: "nowhere", ..layer });
                let nowhere = callers.ask(&world, who, &nowhere).await;
                match &question {
                    Question::Address(address) if address.is_of_all() => {
                        address.check(&got, layer, None, &what);
                        address.same(&got, &nowhere, layer, &what);
                    }
                    _ => {
                        assert_eq!(got.told(layer.id), nowhere.told("nowhere"), "{what}");
                        assert!(got.status >= 400, "{what}: {}", got.status);
                    }
                }
                unknown += 1;
            }
            Answer::Refused => {
                question.check_refusal(&got, layer, &what);
                refused += 1;
            }
            Answer::Shown(seen) => {
                question.check(&got, layer, seen, &what);
                shown += 1;
            }
        }
        // Whatever was asked: nothing that is in the answer belongs to a row that is not shown for this.
        let seen = if let Answer::Shown(seen) = &expected { Some(seen) } else { None };
        if !question.says_names(layer) {
            questions::no_trace(&got, layer, seen, &what);
        }
    }
    println!("{combinations} combinations: {shown} shown, {refused} refused, {unknown} unknown, no leak");
}

fn relevant(grants: &[Grant], who: Caller, layer: Layer) -> Vec<&Grant> {
    grants.iter().filter(|g| Some(g.department) == asker(who).department && g.layer == layer.id).collect()
}

/// Lists name what one may know of, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn lists_name_what_the_model_says() {
    let world = world().await;
    let callers = Callers::new(&world).await;
    let mut random = Random(setting("ONEMAP_SEED", 20_261_125));
    for _ in 0..4 {
        let grants: Vec<Grant> = (0..10).map(|_| random.grant()).collect();
        set(&world, &grants).await;
        for who in ASKERS {
            let of = |right: Option<&str>| {
                LAYERS
                    .map(|layer| (layer.id, answer(asker(Caller::Somebody(who)), layer, right, &grants)))
                    .into_iter()
                    .collect::<Vec<_>>()
            };
            for list in lists::LISTS {
                let got = callers.get(&world, who, list.path).await;
                assert_eq!(got.status, 200, "{}", list.path);
                let named = list.named(&got);
                for (id, expected) in of(list.right) {
                    let listed = match expected {
                        Answer::Shown(_) => true,
                        Answer::Refused => list.names_what_may_be_requested,
                        Answer::Unknown => false,
                    };
                    assert_eq!(named.contains(id), listed, "{who:?} {} {id}: {:?}", list.path, grants);
                }
                for layer in LAYERS {
                    if matches!(answer(asker(Caller::Somebody(who)), layer, None, &grants), Answer::Unknown) {
                        assert!(!got.names(layer.id), "{who:?} {} names {}", list.path, layer.id);
                    }
                }
            }
            let known =
                |layer: &Layer| !matches!(answer(asker(Caller::Somebody(who)), *layer, None, &grants), Answer::Unknown);
            let (known, unknown): (Vec<Layer>, Vec<Layer>) = LAYERS.into_iter().chain(DOORS).partition(known);
            for path in lists::TELLING {
                let got = callers.get(&world, who, path).await;
                // Names that are no words of ours as well.
                for layer in unknown.iter().filter(|layer| layer.id.contains('-')) {
                    assert!(!got.has(layer.id), "{who:?} {path} names {}", layer.id);
                }
            }
            for (path, member) in lists::COUNTING {
                let counted = callers.get(&world, who, path).await.json(path)[member].clone();
                assert_eq!(counted, known.len(), "{who:?} {path}");
            }
        }
    }
}
