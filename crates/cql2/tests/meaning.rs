//! What filters mean, what they are refused for, and the SQL they become.

mod common;

use common::{House, Inline, Table};
use onemap_cql2::{Filter, MAX_BYTES, Value, parse};

fn filter(text: &str) -> Filter {
    parse(text, &Table).unwrap_or_else(|problem| panic!("{text:.200}: {problem}"))
}

fn house() -> House {
    let values = vec![
        Value::Text("O'Neil 楼"),
        Value::Text("建国门 50%"),
        Value::Integer(6),
        Value::Integer((1 << 53) + 1),
        Value::Float(20.5),
        Value::Null,
        Value::Boolean(true),
        Value::Text("2024-02-29"),
        Value::Text("2024-02-28T16:00:00.5Z"),
    ];
    House { values, shape: Some(geo::point!(x: 116.4, y: 39.9).into()) }
}

fn sql(text: &str) -> String {
    let mut out = Inline::default();
    filter(text).sql(&mut out);
    out.0
}

#[test]
fn what_matches() {
    for text in [
        "floors = 6",
        "6 = floors",
        "5.5 < floors AND NOT floors > 6",
        "floors < height",
        "floors IN (1, 6.0)",
        "floors NOT IN (1, 2)",
        "floors between 6 and 6",
        "floors NOT BETWEEN -1 AND +5e0",
        "name = 'O''Neil 楼'",
        r"name = 'O\'Neil 楼'",
        "name LIKE '_''N%'",
        "name NOT LIKE 'o%'",
        "casei(name) like casei('o%楼')",
        "CASEI('O''NEIL 楼') = CASEI(name)",
        r"建筑名称 LIKE '%50\%'",
        "\"建筑名称\" > '建'",
        "listed",
        "NOT NOT listed",
        "listed = TRUE AND (NOT FALSE)",
        "\"a \"\"b\"\" and\" is null",
        "height IS NOT NULL",
        "built = DATE('2024-02-29')",
        "built >= '2024-02-29'",
        "built > updated",
        "updated > TIMESTAMP('2024-02-29T00:00:00+08:00')",
        "updated < TIMESTAMP('2024-02-28T16:00:00.500001Z')",
        "updated between date('2024-02-28') and DATE('2024-02-29')",
        "年份 = 9007199254740993",
        "年份 > 9007199254740992.0",
        "S_INTERSECTS(geometry, BBOX(116, 39, 117, 40))",
        "s_intersects(Envelope(116, 39, -5, 117, 40, 99), \"geometry\")",
        "not S_INTERSECTS(geometry, bbox(170, -90, -170, 90))",
        "S_INTERSECTS(geometry, BBOX(100, -90, -170, 90))",
        "geometry IS NOT NULL",
        "((floors) = (6))",
        "1 = 1.0",
    ] {
        assert!(filter(text).matches(&house()), "{text}");
        assert!(!filter(&format!("NOT ({text})")).matches(&house()), "not {text}");
    }
}

#[test]
fn the_unknown_neither_matches_nor_fails_to() {
    for text in [
        "\"a \"\"b\"\" and\" = 1",
        "\"a \"\"b\"\" and\" <> \"a \"\"b\"\" and\"",
        "\"a \"\"b\"\" and\" IN (1)",
        "floors NOT IN (1, \"a \"\"b\"\" and\")",
        "\"a \"\"b\"\" and\" = 1 AND listed",
        "\"a \"\"b\"\" and\" = 1 OR NOT listed",
        "\"a \"\"b\"\" and\" BETWEEN 1 AND 2",
    ] {
        assert_eq!(filter(text).expr().evaluate(&house()), None, "{text}");
        assert_eq!(filter(&format!("NOT ({text})")).expr().evaluate(&house()), None, "{text}");
    }
    let nowhere = House { shape: None, ..house() };
    assert_eq!(filter("S_INTERSECTS(geometry, BBOX(-180,-90,180,90))").expr().evaluate(&nowhere), None);
    assert!(filter("geometry IS NULL").matches(&nowhere));
    assert!(!filter("\"a \"\"b\"\" and\" = 1 AND NOT listed").expr().evaluate(&house()).unwrap());
}

#[test]
fn what_is_refused_and_where() {
    for (text, at, says) in [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("nam = 'x'", 0, "did you mean name?"),
        ("floors = 1 and 建筑 = 'x'", 15, "建筑名称"),
        ("name = 5", 7, "text cannot be compared with a number"),
        ("floors in (1, 'x')", 14, "a number cannot be compared with text"),
        ("floors LIKE '1%'", 0, "LIKE is for text"),
        ("name LIKE name", 10, "pattern"),
        ("casei(floors) = 'x'", 6, "CASEI is for text"),
        ("built = DATE('2024-02-30')", 13, "2024-02-30"),
        ("built = 'yesterday'", 8, "yesterday"),
        ("updated > TIMESTAMP('2024-02-30')", 20, "2024-02-30"),
        ("updated > TIMESTAMP('2024-02-29T00:00:00')", 20, "write one as"),
        ("floors = NULL", 9, "IS NULL"),
        ("floors == 1", 7, "expected ="),
        ("floors != 1", 7, "expected <>"),
        ("floors", 0, "a condition is wanted"),
        ("floors = 1 2", 11, "the end"),
        ("floors = 1 and", 14, "found the end"),
        ("(floors = 1", 11, "expected )"),
        ("floors in ()", 11, "a field or a value"),
        ("floors not 1", 11, "IN, LIKE or BETWEEN"),
        ("(floors = 1) = true", 1, "not a condition"),
        ("floors = 1e999", 9, "too large"),
        ("floors + 1 = 2", 7, "arithmetic"),
        ("floors = -floors", 10, "arithmetic"),
        ("floors div 2 = 1", 7, "arithmetic"),
        ("geometry = 'x'", 0, "geometry"),
        ("s_intersects(name, BBOX(0,0,1,1))", 13, "geometry"),
        ("S_INTERSECTS(geometry, POLYGON((0 0,1 0,1 1,0 0)))", 23, "POLYGON is not supported yet"),
        ("S_INTERSECTS(geometry, BBOX(0,0,1))", 23, "four or six"),
        ("S_INTERSECTS(geometry, BBOX(0,1,1,0))", 23, "west,south,east,north"),
        ("S_INTERSECTS(geometry, BBOX(0,0,200,1))", 23, "degrees"),
        ("S_WITHIN(geometry, BBOX(0,0,1,1))", 0, "S_WITHIN is not supported yet"),
        ("ACCENTI(name) = 'x'", 0, "ACCENTI is not supported yet"),
        ("pg_sleep(10) = 1", 0, "no function pg_sleep"),
        ("name = '\0'", 7, "U+0000"),
        ("name = 'x'; drop table", 10, "unexpected"),
        ("name ＝ 'x'", 5, "write ="),
    ] {
        let problem = parse(text, &Table).expect_err(text);
        assert!(problem.en.contains(says) && !problem.zh.is_empty(), "{text}: {problem:?}");
        assert_eq!(problem.at, at, "{text}: {problem:?}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |n: usize| format!("{}listed{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&nested(100), &Table).is_ok());
    for n in [101, 10_000] {
        assert!(parse(&nested(n), &Table).unwrap_err().en.contains("100"));
    }
    assert_eq!(parse(&"(".repeat(10_000), &Table).unwrap_err().at, 100);
    assert!(parse(&"casei(".repeat(5_000), &Table).is_err());
    assert_eq!(filter(&format!("{}listed", "not ".repeat(8_001))), filter("not listed"));
    assert_eq!(parse(&" ".repeat(MAX_BYTES + 1), &Table).unwrap_err().at, MAX_BYTES);
    // The deepest tree that a text of 100 parentheses makes, on a small stack.
    let mut text = "listed".to_owned();
    for _ in 0..100 {
        text = format!("not ({text} and listed or listed)");
    }
    let small = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        for opening in ["floors in (", "casei(", "floors between (", "s_intersects("] {
            assert!(parse(&opening.repeat(2_000), &Table).is_err(), "{opening}");
        }
        let filter = filter(&text);
        assert!(filter.fields().contains(&6));
        filter.matches(&house());
        filter.sql(&mut Inline::default());
        assert_eq!(parse(&filter.canonical(), &Table).unwrap(), filter.clone());
    });
    small.unwrap().join().unwrap();
    let long = vec!["listed"; 2_900].join(" and ");
    assert!(filter(&long).matches(&house()));
}

#[test]
fn equal_trees_have_one_text() {
    let one =
        filter("((floors=6.50)) and (name in('a''b')) And not (Listed is null)".replace("Listed", "listed").as_str());
    let other = filter("floors = 6.5 AND name IN ('a\\'b') AND listed IS NOT NULL");
    assert_eq!(one, other);
    assert_eq!(one.canonical(), "\"floors\" = 6.5 AND \"name\" IN ('a''b') AND NOT \"listed\" IS NULL");
    assert_ne!(filter("floors = 6").canonical(), filter("floors = 7").canonical());
    let grouped = "(\"listed\" OR \"floors\" = 1) AND \"floors\" = 2";
    assert_eq!(filter(grouped).canonical(), grouped);
}

#[test]
fn sub_expressions_tell_what_they_look_at() {
    let filter = filter("floors > 1 and s_intersects(geometry, bbox(0,0,1,1)) or casei(name) = 'a'");
    assert_eq!(filter.fields().into_iter().collect::<Vec<_>>(), [0, 2]);
    assert!(filter.expr().uses_geometry());
    assert!(!parse("floors > 1", &Table).unwrap().expr().uses_geometry());
}

#[test]
fn sql_binds_values_in_the_column_s_own_type() {
    for (text, wanted) in [
        ("floors = 6 and not listed", "((f2 = '6'::int8) and (not f6))"),
        ("6 < floors", "(f2 > '6'::int8)"),
        ("floors < 6.5", "(f2 <= '6'::int8)"),
        ("floors = 6.5", "(f2 <> f2)"),
        ("floors < 1e30", "(f2 = f2)"),
        ("height >= 9007199254740993", "(f4 > '9007199254740992.0'::float8)"),
        ("floors in (1, 2.0, 2.5)", "(f2 in ('1'::int8, '2'::int8) or (f2 <> f2))"),
        ("name = 'it''s'", "(f0 = 'it''s'::text)"),
        ("name < 'b'", "(f0 collate \"C\" < 'b'::text)"),
        ("name like 'a%'", "(f0 like 'a%'::text)"),
        ("built < DATE('2024-01-01')", "(f7 < '2024-01-01'::text::date)"),
        ("built < updated", "((f7::timestamp at time zone 'UTC') < f8)"),
        ("updated = date('2024-01-01')", "(f8 = '2024-01-01T00:00:00Z'::text::timestamptz)"),
        ("1 < 2 or listed is null", "(true or (f6 is null))"),
        (
            "s_intersects(geometry, bbox(170,-10,-170,10))",
            "(st_intersects(geom, st_makeenvelope('170.0'::float8, '-10.0'::float8, \
             '180.0'::float8, '10.0'::float8, 4490)) \
             or st_intersects(geom, st_makeenvelope('-180.0'::float8, '-10.0'::float8, \
             '-170.0'::float8, '10.0'::float8, 4490)))",
        ),
    ] {
        assert_eq!(sql(text), wanted, "{text}");
    }
}
