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
        "(floors = 6) = true",
        "floors + 1 = 7 and floors - 10 = -4 and floors * -2 = -12",
        "floors / 4 = 1.5 and floors div 4 = 1 and floors % 4 = 2 and floors ^ 2 = 36",
        "2 + 3 * 4 = 14 and - floors * 2 = -12 and -2 ^ 2 = 4",
        "\"a \"\"b\"\" and\" + 1 is null and floors / 0 is null and 年份 * 年份 is null",
        "accenti(name) = accenti('Ó''Neil 楼') and accenti('København') = 'Kobenhavn'",
        "accenti(casei(name)) like accenti(casei('%ÑEIL%'))",
        "length(name) = 8 and upper(name) like 'O''NEIL%' and substring(name, 3, 4) = 'Neil'",
        "concat(name, '-', 建筑名称) like '%-建国门%' and trim('　a ') = 'a'",
        "round(height) = 21 and floor(height) = 20 and ceil(height) = 21 and max(floors, 2, height) = 20.5",
        "year(built) = 2024 and month(built) = 2 and day(updated) = 28 and now() > updated",
        "s_within(geometry, polygon((116 39, 117 39, 117 40, 116 40, 116 39)))",
        "s_equals(point(116.4 39.9), geometry) and s_contains(bbox(116, 39, 117, 40), geometry)",
        "s_touches(geometry, linestring(116.4 39.9, 120 40)) and not s_crosses(geometry, bbox(0, 0, 180, 90))",
        "s_intersects(geometry, geometrycollection(point(0 0), polygon((116 39, 117 40, 116 40, 116 39))))",
        // A polygon that crosses itself is sorted out.
        "s_intersects(geometry, polygon((116 39, 117 40, 117 39, 116 40, 116 39))) or s_disjoint(geometry, point z (0 0 1))",
        "s_crosses(linestring(0 0, 2 2), polygon((1 0, 3 0, 3 3, 1 3, 1 0))) and s_equals(geometry, geometry)",
        "t_intersects(built, interval('2024-02-29', '..')) and t_before(interval(updated, built), date('2025-01-01'))",
        "t_during(interval(updated, built), interval('2024-01-01', '2024-12-31')) and t_equals(built, date('2024-02-29'))",
        "a_contains((floors, name, true), (6)) and a_equals((1, 'a', true), (true, 1.0, 'a', 1))",
        "a_containedby((casei('A')), (casei('a'), 'b')) and not a_overlaps((), (1)) and a_contains((1), ())",
        "a_overlaps((date('2024-02-29'), interval('2024-01-01', '..')), (built, 3)) and (floors > 7) is not null",
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
        ("floors = 1e999", 9, "too large"),
        ("geometry = 'x'", 0, "geometry"),
        ("s_intersects(name, BBOX(0,0,1,1))", 13, "geometry"),
        ("S_INTERSECTS(geometry, BBOX(0,0,1))", 23, "four or six"),
        ("S_INTERSECTS(geometry, BBOX(0,1,1,0))", 23, "west,south,east,north"),
        ("S_INTERSECTS(geometry, BBOX(0,0,200,1))", 23, "degrees"),
        ("pg_sleep(10) = 1", 0, "no function pg_sleep"),
        ("lenght(name) = 1", 0, "did you mean length?"),
        ("length(floors) = 1", 7, "takes text"),
        ("substring(name, 1.5) = 'a'", 16, "whole number"),
        ("sqrt() = 1", 0, "sqrt(number)"),
        ("name + 1 = 2", 0, "+ is for numbers"),
        ("2 ^ 2 ^ 2 = 1", 6, "two powers"),
        ("S_WITHIN(geometry, name)", 19, "a geometry"),
        ("S_INTERSECTS(geometry, POINT(90 180))", 23, "out of range"),
        ("S_INTERSECTS(geometry, MULTIPOINT(7 49, 90 180))", 23, "out of range"),
        ("S_EQUALS(geometry, POLYGON((0 0,1 0,1 1)))", 26, "ring"),
        ("S_EQUALS(geometry, LINESTRING(0 0))", 29, "two points"),
        ("S_WITHIN(geometry)", 0, "takes 2 arguments"),
        ("T_DURING(updated, INTERVAL('2024-01-01', '..'))", 9, "two intervals"),
        ("T_AFTER(name, DATE('2024-01-01'))", 8, "a date or timestamp"),
        ("T_AFTER(built, INTERVAL('2024-02-01', '2024-01-01'))", 15, "before it starts"),
        ("A_CONTAINS(name, ('a'))", 11, "holds no array"),
        ("name IN (('a', 'b'))", 9, "a list is for"),
        ("INTERVAL('..', '..') = 1", 0, "an interval is for"),
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
fn json_says_the_same_and_where_it_is_wrong() {
    use onemap_cql2::parse_json;
    for (json, text) in [
        (r#"{"op":">","args":[{"property":"floors"},5]}"#, "floors > 5"),
        (r#"{"op":"not","args":[{"op":"isNull","args":[{"property":"geometry"}]}]}"#, "geometry is not null"),
        (r#"{"op":"in","args":[{"op":"casei","args":[{"property":"name"}]},["a"]]}"#, "casei(name) in ('a')"),
        (
            r#"{"op":"s_within","args":[{"property":"geometry"},{"bbox":[0,1,2,3]}]}"#,
            "s_within(geometry, bbox(0,1,2,3))",
        ),
        (
            r#"{"op":"t_metBy","args":[{"interval":["..","2024-01-01"]},{"interval":[{"property":"built"},".."]}]}"#,
            "t_metby(interval('..', '2024-01-01'), interval(built, '..'))",
        ),
        (
            r#"{"op":"=","args":[{"op":"length","args":[{"property":"name"}]},{"op":"div","args":[7,{"property":"floors"}]}]}"#,
            "length(name) = 7 div floors",
        ),
        ("true", "true"),
    ] {
        assert_eq!(parse_json(json, &Table).unwrap(), filter(text), "{json}");
        assert_eq!(parse_json(&filter(text).json().to_string(), &Table).unwrap(), filter(text), "{text}");
    }
    for (json, pointer, says) in [
        (r#"{"op":"=","args":[{"property":"flors"},5]}"#, "/args/0", "did you mean floors?"),
        (r#"{"op":"and","args":[true,{"op":"=","args":[{"property":"name"},5]}]}"#, "/args/1/args/1", "types differ"),
        (r#"{"op":"and","args":[true]}"#, "/args", "takes 2"),
        (r#"{"op":"=","args":[{"property":"floors"},null]}"#, "/args/1", "isNull"),
        (r#"{"op":"=","args":[1,2],"x":1}"#, "", "does not belong"),
        (
            r#"{"op":"s_within","args":[{"property":"geometry"},{"type":"Point","coordinates":[1]}]}"#,
            "/args/1/coordinates",
            "GeoJSON",
        ),
        (r#"{"op":"no_such","args":[]}"#, "", "no function no_such"),
        (r#"{"eq":1}"#, "", "an object has op"),
    ] {
        let problem = parse_json(json, &Table).expect_err(json);
        assert_eq!(problem.pointer.as_deref(), Some(pointer), "{json}: {problem}");
        assert!(problem.en.contains(says) && !problem.zh.is_empty(), "{json}: {problem}");
    }
    let broken = parse_json(r#"{"op": =}"#, &Table).unwrap_err();
    assert_eq!((broken.pointer, broken.at), (None, 7));
    for n in [101, 1_000] {
        let deep = format!("{}true{}", r#"{"op":"not","args":["#.repeat(n), "]}".repeat(n));
        assert!(parse_json(&deep, &Table).unwrap_err().en.contains("100"), "{n}");
    }
    assert!(parse_json(&format!("{}true{}", r#"{"op":"not","args":["#.repeat(100), "]}".repeat(100)), &Table).is_ok());
    assert!(parse_json(&"[".repeat(30_000), &Table).is_err());
    assert!(parse_json(&" ".repeat(MAX_BYTES + 1), &Table).is_err());
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
        for opening in
            ["floors in (", "casei(", "floors between (", "s_intersects(", "- (", "1 + (", "geometrycollection("]
        {
            assert!(parse(&opening.repeat(2_000), &Table).is_err(), "{opening}");
        }
        let filter = filter(&text);
        assert!(filter.fields().contains(&6));
        filter.matches(&house());
        filter.sql(&mut Inline::default());
        assert_eq!(parse(&filter.canonical(), &Table).unwrap(), filter.clone());
    });
    small.unwrap().join().unwrap();
    let sum = vec!["floors"; 3_000].join(" + ");
    assert!(parse(&format!("{sum} > 1"), &Table).is_err());
    let set = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    assert!(parse(&format!("a_equals(({}), ({}))", set(3_000), set(3_000)), &Table).is_err());
    assert!(parse(&format!("a_overlaps((floors, height), ({}))", set(501)), &Table).is_err());
    assert!(parse(&format!("a_overlaps((floors, height), ({}))", set(499)), &Table).is_ok());
    let large = vec!["listed"; 500].join(" and ");
    assert!(parse(&format!("a_overlaps(({large}), ({}))", vec!["true"; 500].join(",")), &Table).is_err());
    let long = vec!["listed"; 2_900].join(" and ");
    assert!(filter(&long).matches(&house()));
}

/// Conditions as operands: what has its members several times would double with every level.
#[test]
fn conditions_within_conditions_stay_small() {
    let begun = std::time::Instant::now();
    for (before, after) in [
        ("(", ") = true"),
        ("a_equals((", "), (true))"),
        ("(", ") between false and true"),
        ("(", ") in (true, listed, false)"),
        ("(", ") is not null"),
    ] {
        let nested = |n: usize| format!("{}listed = true{}", before.repeat(n), after.repeat(n));
        let three = filter(&nested(3));
        assert!(three.is_robust() && !three.expr().uses_geometry());
        assert_eq!(parse(&three.canonical(), &Table).unwrap(), three);
        assert!(sql(&nested(3)).len() < 8 * sql(&nested(1)).len(), "{before}…{after}");
        for n in [4, 30] {
            assert!(parse(&nested(n), &Table).unwrap_err().en.contains("at most 3 levels"), "{before}…{after}");
        }
    }
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn places_are_moved_wherever_they_stand() {
    let here = |_: [f64; 2]| [116.4, 39.9];
    for text in [
        "s_intersects(geometry, point(0 0))",
        "(s_intersects(geometry, point(0 0))) in (true)",
        "(s_intersects(geometry, point(0 0))) between true and true",
        "(s_intersects(geometry, point(0 0))) = true",
    ] {
        assert!(!filter(text).matches(&house()) && filter(text).moved(&here).matches(&house()), "{text}");
    }
}

#[test]
fn the_time_of_the_request_is_told() {
    for text in ["updated < now()", "not (listed and year(now()) = 2024)", "t_after(updated, interval('..', now()))"] {
        assert!(filter(text).depends_on_now() && filter(text).moved(&|place| place).depends_on_now(), "{text}");
    }
    assert!(!filter("updated < timestamp('2024-05-01T08:30:00Z')").depends_on_now());
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
        ("floors = 6.5", "(f2 is null and null)"),
        ("floors < 1e30", "(f2 is not null or null)"),
        ("height >= 9007199254740993", "(f4 > '9007199254740992.0'::float8)"),
        ("floors in (1, 2.0, 2.5)", "(f2 in ('1'::int8, '2'::int8))"),
        ("name = 'it''s'", "(f0 = 'it''s'::text)"),
        ("name < 'b'", "(f0 collate \"C\" < 'b'::text)"),
        ("name like 'a%'", "(f0 like 'a%'::text)"),
        ("built < DATE('2024-01-01')", "(f7 < '2024-01-01'::text::date)"),
        ("built < updated", "((f7::timestamp at time zone 'UTC') < f8)"),
        ("updated = date('2024-01-01')", "(f8 = '2024-01-01T00:00:00Z'::text::timestamptz)"),
        ("1 < 2 or listed is null", "(true or (f6 is null))"),
        ("1 + 2 * 3 = floors", "(f2 = '7'::int8)"),
        ("t_after(updated, date('2024-01-01'))", "(f8 > '2024-01-01T00:00:00Z'::text::timestamptz)"),
        ("not t_before(built, interval('2024-01-01', '..'))", "(not (f7 < '2024-01-01'::text::date))"),
        ("a_overlaps((floors, 2), (3, 'x'))", "(f2 = '3'::int8)"),
        (
            "length(name) between floors and 9",
            "(select ((n00 >= n01) and (n00 <= '9'::int8)) from \
             (select (char_length(f0)::int8)::int8 as n00, (f2)::int8 as n01 offset 0) v)",
        ),
        (
            "casei(name) in ('a', 建筑名称)",
            "(select (n00 in ('a'::text) or (n00 collate \"C\" = n01)) from (select ((replace(translate(lower(f0 \
             collate \"und-x-icu\"), 'ςſ', 'σs'), 'ß', 'ss') collate \"C\"))::text as n00, (f1)::text as n01 \
             offset 0) v)",
        ),
        (
            "s_disjoint(geometry, point(1 2))",
            "(not (geom && st_makeenvelope(1.0, 2.0, 1.0, 2.0, 4490) and st_intersects(geom, \
             st_geomfromewkb('\\x01010000208a110000000000000000f03f0000000000000040'::bytea))))",
        ),
    ] {
        assert_eq!(sql(text), wanted, "{text}");
    }
}
