//! What holds for every filter.

mod common;

use common::{Table, all_said, house, leaf, tree};
use onemap_cql2::{Comparison, Expr, Operand, Row, parse, parse_json};
use proptest::prelude::*;

/// Three-valued logic by numbers: false 0, unknown ½, true 1; `and` is the least, `or` the greatest, `not` 1 − it.
fn oracle(expr: &Expr, row: &dyn Row) -> f64 {
    match expr {
        Expr::And(members) => members.iter().map(|m| oracle(m, row)).fold(1.0, f64::min),
        Expr::Or(members) => members.iter().map(|m| oracle(m, row)).fold(0.0, f64::max),
        Expr::Not(inner) => 1.0 - oracle(inner, row),
        Expr::Between { value, low, high } => {
            let bound = |op, right: &Operand| Expr::Compare { left: value.clone(), op, right: right.clone() };
            let bounds = vec![bound(Comparison::GreaterOrEqual, low), bound(Comparison::LessOrEqual, high)];
            oracle(&Expr::And(bounds), row)
        }
        Expr::In { value, list } => {
            let equal =
                |item: &Operand| Expr::Compare { left: value.clone(), op: Comparison::Equal, right: item.clone() };
            list.iter().map(|item| oracle(&equal(item), row)).fold(0.0, f64::max)
        }
        leaf => leaf.evaluate(row).map_or(0.5, f64::from),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn canonical_text_parses_to_the_same_tree(expr in tree()) {
        let text = expr.to_string();
        let filter = parse(&text, &Table).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        prop_assert_eq!(filter.expr(), &expr, "{}", text);
        prop_assert_eq!(filter.canonical(), text);
        prop_assert_eq!(filter.fields(), expr.fields());
    }

    #[test]
    fn logic_has_three_values(expr in tree(), row in house()) {
        let truth = expr.evaluate(&row);
        prop_assert_eq!(truth.map_or(0.5, f64::from), oracle(&expr, &row));
        prop_assert_eq!(expr.clone().negate().evaluate(&row), truth.map(|truth| !truth));
    }

    #[test]
    fn comparisons_are_of_one_order(a in leaf(), row in house()) {
        let Expr::Compare { left, op, right } = a else { return Ok(()) };
        let with = |left: &Operand, op, right: &Operand| {
            Expr::Compare { left: left.clone(), op, right: right.clone() }.evaluate(&row)
        };
        prop_assert_eq!(with(&left, op, &right), with(&right, op.flipped(), &left));
        let three = [Comparison::Less, Comparison::Equal, Comparison::Greater].map(|op| with(&left, op, &right));
        let held = three.iter().filter(|truth| **truth == Some(true)).count();
        prop_assert!(held == 1 || three == [None; 3], "{:?}", three);
        prop_assert_eq!(with(&left, Comparison::Equal, &left).unwrap_or(true), true);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        let _ = parse(&text, &Table);
    }

    #[test]
    fn no_heap_of_tokens_panics(words in prop::collection::vec(prop::sample::select(vec![
        "name", "floors", "listed", "built", "geometry", "\"建筑名称\"", "建筑名称", "AND", "or", "Not", "in", "LIKE",
        "between", "is", "null", "true", "(", "(", ")", ")", ",", "=", "<>", "<", "-", "+", "1", "2.5e3", "'a%'",
        "'2024-01-01'", "DATE(", "TIMESTAMP(", "casei(", "S_INTERSECTS(", "BBOX(", "POINT(", "POLYGON((", "INTERVAL(", "T_AFTER(", "A_EQUALS(", "div", "^", "accenti(", "length(", "'", "\"", "\\", "。", "=1", "*",
    ]), 0..24)) {
        let text = words.join(" ");
        match parse(&text, &Table) {
            Ok(filter) => prop_assert_eq!(parse(&filter.canonical(), &Table).unwrap(), filter),
            Err(problem) => prop_assert!(text.is_char_boundary(problem.at) && !problem.zh.is_empty()),
        }
    }
}

#[test]
fn text_and_json_are_two_ways_to_say_it() {
    let same = |json: serde_json::Value| {
        let Ok(filter) = parse_json(&json.to_string(), &Table) else { return Ok(()) };
        let text = filter.canonical();
        let again = parse(&text, &Table).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        prop_assert_eq!(&again, &filter, "{}", &text);
        prop_assert_eq!(again.canonical(), text);
        prop_assert_eq!(parse_json(&filter.json().to_string(), &Table).unwrap(), filter);
        Ok(())
    };
    common::with_room(move || {
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2_000));
        runner.run(&all_said(), same).unwrap();
    });
}
