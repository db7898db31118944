//! The server's answers against an independent model of the rules (`model`), at random over principal, layer, grant, route and format:
//! rows, fields, geometry outside of the area, counts, names, and the words of a 404. `ONEMAP_COMBINATIONS` says how many
//! combinations are tried, `ONEMAP_SEED` which.

mod model;
mod questions;

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::stream;
use onemap::access::principal::{Principal, Role};
use onemap::layer::copy::{HEADER, TRAILER, Value, begin_row, put};
use onemap::layer::model::{ShareClass, Title};
use onemap::layer::registry::{self, NewLayer, Shape};

use self::model::{Answer, Asker, Class, FIELDS, FILTERS, Grant, Layer, Row, SIDE, answer};
use self::questions::{Asked, Question};
use crate::world::{As, PASSWORD, World, fields, key_of, make_layer};

/// Combinations between two sets of grants.
const OF_ONE_SET: usize = 40;

const LAYERS: [Layer; 9] = [
    Layer { id: "open", class: Class::Unconditional, public: true, squares: false },
    Layer { id: "unconditional", class: Class::Unconditional, public: false, squares: false },
    Layer { id: "conditional", class: Class::Conditional, public: false, squares: false },
    Layer { id: "hidden", class: Class::NotShared, public: false, squares: false },
    Layer { id: "blocks", class: Class::Conditional, public: false, squares: true },
    Layer { id: "hidden-blocks", class: Class::NotShared, public: false, squares: true },
    Layer { id: "second", class: Class::Conditional, public: false, squares: false },
    // A table that is shared as it stands: PostGIS draws its tiles.
    Layer { id: "table-points", class: Class::Conditional, public: false, squares: false },
    Layer { id: "table-blocks", class: Class::Conditional, public: false, squares: true },
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
    fn grant(&mut self) -> Grant {
        let conditional: Vec<&str> = LAYERS.iter().filter(|l| l.class == Class::Conditional).map(|l| l.id).collect();
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
            layer: self.of(&conditional),
            department: self.of(&["health", "transport"]),
            rights,
            fields: self.one_in(2).then(|| self.some(&FIELDS)),
            rows,
            filter: self.one_in(2).then(|| self.below(FILTERS.len())),
            area: self.one_in(3).then_some(area),
            from,
            until,
            revoked: self.one_in(10),
        }
    }
}

/// As `world::make_layer`, but of squares.
async fn make_blocks(world: &World, id: &str, class: ShareClass) {
    let (app, by) = (&world.app, Principal::operator("housing"));
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
    let (geometry, key_field) = (Some("Polygon".into()), Some("name".into()));
    let shape = Shape { fields: fields(), geometry, key_field, note: String::new(), report: None };
    let mut rows = Vec::new();
    for row in Row::all() {
        begin_row(&mut rows, 8);
        put(&mut rows, &Value::Integer(row.id()));
        put(&mut rows, &Value::Text(&row.name()));
        put(&mut rows, &Value::Text(row.kind()));
        put(&mut rows, &Value::Integer(row.floors()));
        put(&mut rows, &Value::Float(row.height()));
        put(&mut rows, &Value::Boolean(row.listed()));
        put(&mut rows, &Value::Date(18_000 + row.0 as i32));
        put(&mut rows, &Value::Geometry(&square(row)));
    }
    let chunks = [Ok(Bytes::from_static(HEADER)), Ok(Bytes::from(rows)), Ok(Bytes::from_static(TRAILER))];
    let staged = registry::stage(&app.store, &grant, &shape, stream::iter(chunks)).await.unwrap();
    registry::publish(&app.store, &grant, staged.number, "publish").await.unwrap();
    app.refresh().await.unwrap();
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
    make_blocks(&world, "blocks", ShareClass::Conditional).await;
    make_blocks(&world, "hidden-blocks", ShareClass::NotShared).await;
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

struct Callers(HashMap<String, String>);

impl Callers {
    async fn new(world: &World) -> Callers {
        let mut cookies = HashMap::new();
        for who in ASKERS {
            if let As::Person(department, role) = who {
                let login = format!("{department}-{}", role.name());
                let cookie = world.sign_in(&login).await;
                cookies.insert(login, cookie);
            }
        }
        assert!(!PASSWORD.is_empty());
        Callers(cookies)
    }

    async fn get(&self, world: &World, who: As, path: &str) -> Asked {
        let request = world.request(reqwest::Method::GET, path).header("accept-language", "en");
        let request = match who {
            As::Anonymous => request,
            As::Key(department) => request.bearer_auth(key_of(department)),
            As::Person(department, role) => request.header("cookie", &self.0[&format!("{department}-{}", role.name())]),
        };
        Asked::of(request.send().await.expect("an answer")).await
    }
}

fn asker(who: As) -> Asker {
    Asker {
        department: match who {
            As::Anonymous => None,
            As::Key(department) | As::Person(department, _) => Some(department),
        },
    }
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
            grants = (0..4 + random.below(14)).map(|_| random.grant()).collect::<Vec<_>>();
            set(&world, &grants).await;
        }
        let (who, layer, question) = (random.of(&ASKERS), random.of(&LAYERS), Question::any(&mut random));
        let expected = answer(asker(who), layer, question.right(), &grants);
        let path = question.path(layer);
        let got = callers.get(&world, who, &path).await;
        let what = format!("seed {seed}, turn {turn}: {who:?} {path}\n{:?}", relevant(&grants, who, layer));
        match &expected {
            Answer::Unknown => {
                // In every word as what does not exist.
                let nowhere = callers.get(&world, who, &question.path(Layer { id: "nowhere", ..layer })).await;
                assert_eq!(got.told(layer.id), nowhere.told("nowhere"), "{what}");
                assert!(got.status >= 400, "{what}: {}", got.status);
                unknown += 1;
            }
            Answer::Refused => {
                question.check_refusal(&got, &what);
                refused += 1;
            }
            Answer::Shown(seen) => {
                question.check(&got, layer, seen, &what);
                shown += 1;
            }
        }
        // Whatever was asked: nothing that is in the answer belongs to a row that is not shown for this.
        let seen = if let Answer::Shown(seen) = &expected { Some(seen) } else { None };
        questions::no_trace(&got, layer, seen, &what);
    }
    println!("{combinations} combinations: {shown} shown, {refused} refused, {unknown} unknown, no leak");
}

fn relevant(grants: &[Grant], who: As, layer: Layer) -> Vec<&Grant> {
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
                    .map(|layer| (layer.id, answer(asker(who), layer, right, &grants)))
                    .into_iter()
                    .collect::<Vec<_>>()
            };
            for list in questions::LISTS {
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
                    if matches!(answer(asker(who), layer, None, &grants), Answer::Unknown) {
                        assert!(!got.names(layer.id), "{who:?} {} names {}", list.path, layer.id);
                    }
                }
            }
        }
    }
}
