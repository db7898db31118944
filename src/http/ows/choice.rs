//! Which features of a layer a map shows: filters in CQL2 and times, both as one filter.

use jiff::Timestamp;
use onemap_cql2::Filter;
use serde_json::{Value, json};

use super::exception::{Code, Fault};
use super::kvp::Kvp;
use crate::error::{Error, Result, Said};
use crate::feature::query;
use crate::http::ask::Ask;
use crate::http::filter as parameter;
use crate::layer::filter::{self, Given, Language};
use crate::layer::model::{Field, FieldType};
use crate::layer::select::{Condition, Operator, visible_fields};
use crate::tile::render::Drawn;

/// Times of one request at most.
const MOST_TIMES: usize = 20;

/// What a request asks of its layers, in their order.
#[derive(Debug, Default)]
pub struct Choice {
    /// One for all layers, or one each.
    filters: Vec<Option<String>>,
    language: Language,
    /// As it was given: which systems a layer is offered in is its own.
    crs: Option<String>,
    time: Option<String>,
}

impl Choice {
    /// `filter` or `cql_filter`, with `filter-lang` and `filter-crs`; `time`. Several filters are divided by semicolons.
    pub fn take(kvp: &Kvp, layers: usize) -> Result<Choice, Fault> {
        let name = if kvp.get("cql_filter")?.is_some() { "cql_filter" } else { "filter" };
        let language = parameter::language(kvp.get("filter-lang")?)?;
        let given = |text: &str| {
            let all = text.trim().is_empty() || text.trim().eq_ignore_ascii_case("include");
            (!all).then(|| text.trim().to_owned())
        };
        let filters: Vec<Option<String>> = match kvp.get(name)? {
            None => vec![None],
            Some(text) if language == Language::Json => vec![given(text)],
            Some(text) => divided(text).into_iter().map(given).collect(),
        };
        if filters.len() > 1 && filters.len() != layers {
            return Err(Fault::invalid(
                name,
                Said::new(
                    "过滤条件应为一个，或每个图层一个（以分号分隔）",
                    "give one filter, or one for each layer, divided by semicolons",
                ),
            ));
        }
        let (crs, time) = (kvp.get("filter-crs")?.map(str::to_owned), kvp.get("time")?.map(str::to_owned));
        Ok(Choice { filters, language, crs, time })
    }

    /// The filter for a layer. Permission is known by now: what does not exist and what is not seen are alike.
    pub fn of(&self, ask: &Ask, place: usize, drawn: &Drawn) -> Result<Option<Filter>, Fault> {
        let given = self.given(ask, place, drawn)?;
        Ok(given.map(|given| filter::parse(&given, &drawn.layer, &drawn.grant)).transpose()?)
    }

    /// The same as a text.
    pub fn given(&self, ask: &Ask, place: usize, drawn: &Drawn) -> Result<Option<Given>, Fault> {
        let text = if self.filters.len() > 1 { self.filters.get(place) } else { self.filters.first() };
        let crs = parameter::crs(self.crs.as_deref(), &ask.offered(&drawn.layer, &drawn.grant))?;
        let given = text.cloned().flatten().map(|text| Given { text, language: self.language, crs });
        let time = match (&self.time, temporal_field(drawn)) {
            (Some(text), field) => times(text, field)?,
            (None, _) => vec![],
        };
        if time.is_empty() {
            return Ok(given);
        }
        let Some(given) = given else { return Ok(Some(Given::json(within(&time).to_string()))) };
        // By itself it must be a filter, so that what is added to it means the same.
        filter::parse(&given, &drawn.layer, &drawn.grant)?;
        let text = match given.language {
            Language::Text => format!("({}) AND {}", given.text, spelled(&time)),
            Language::Json => {
                let asked: Value = serde_json::from_str(&given.text).map_err(Error::internal)?;
                json!({"op": "and", "args": [asked, within(&time)]}).to_string()
            }
        };
        Ok(Some(Given { text, ..given }))
    }
}

/// The field that `time` is held against: the first of dates or times that is seen.
pub fn temporal_field(drawn: &Drawn) -> Option<&Field> {
    let visible = visible_fields(drawn.layer.state(), drawn.grant.scope());
    visible.into_iter().find(|f| matches!(f.kind, FieldType::Date | FieldType::Timestamp))
}

/// Parts between semicolons that stand outside of quotes.
fn divided(text: &str) -> Vec<&str> {
    let mut quote = None;
    text.split(move |c| {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        c == ';' && quote.is_none()
    })
    .collect()
}

/// `time=`: an instant, an interval `from/to` or `from/to/period`, or a list of them (06-042, annex D). Each as conditions on the
/// field; none when the layer has no times.
fn times(text: &str, field: Option<&Field>) -> Result<Vec<Vec<Condition>>, Fault> {
    let bad = |e: Error| {
        let said = e.detail.clone();
        Fault::invalid("time", said)
            .code(Code::InvalidDimensionValue)
            .hint("例如 2024-05-01、2024-01-01/2024-12-31", "for example 2024-05-01 or 2024-01-01/2024-12-31")
    };
    let parts: Vec<&str> = text.split(',').collect();
    if parts.len() > MOST_TIMES {
        return Err(bad(Error::invalid("time", "时间过多", "too many times")));
    }
    let mut all = vec![];
    for part in parts {
        let part = part.trim();
        // The period of a series: every moment between its ends is shown.
        let interval = match part.match_indices('/').nth(1) {
            Some((at, _)) if part[at + 1..].starts_with('P') => &part[..at],
            _ => part,
        };
        all.push(
            query::datetime(&whole(interval), field)
                .map_err(|_| bad(Error::invalid("time", "时间不正确", "the time is malformed")))?,
        );
    }
    all.retain(|conditions| !conditions.is_empty());
    Ok(all)
}

/// Years and months as the days that they begin and end with.
fn whole(interval: &str) -> String {
    let first = |text: &str| match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let last = |text: &str| match text.len() {
        4 => format!("{text}-12-31"),
        7 => {
            let begin: Option<jiff::civil::Date> = format!("{text}-01").parse().ok();
            begin.map_or_else(|| text.to_owned(), |d| d.last_of_month().to_string())
        }
        _ => text.to_owned(),
    };
    match interval.split_once('/') {
        Some((from, to)) => format!("{}/{}", first(from), last(to)),
        None if matches!(interval.len(), 4 | 7) => format!("{}/{}", first(interval), last(interval)),
        None => interval.to_owned(),
    }
}

fn literal(condition: &Condition) -> (&'static str, String) {
    let crate::db::sql::Bind::Text(text) = &condition.value else { return ("date", String::new()) };
    match text.parse::<Timestamp>() {
        Ok(_) => ("timestamp", text.clone()),
        Err(_) => ("date", text.clone()),
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "=",
        Operator::AtLeast => ">=",
        Operator::AtMost => "<=",
        Operator::Below => "<",
    }
}

/// The times as CQL2 JSON.
fn within(times: &[Vec<Condition>]) -> Value {
    let one = |condition: &Condition| {
        let (kind, text) = literal(condition);
        json!({"op": sign(condition.operator), "args": [{"property": condition.field}, {kind: text}]})
    };
    let joined = |op: &str, mut args: Vec<Value>| match args.len() {
        1 => args.remove(0),
        _ => json!({"op": op, "args": args}),
    };
    let each = times.iter().map(|conditions| joined("and", conditions.iter().map(one).collect()));
    joined("or", each.collect())
}

/// The same as CQL2 text.
fn spelled(times: &[Vec<Condition>]) -> String {
    let one = |condition: &Condition| {
        let (kind, text) = literal(condition);
        let field = condition.field.replace('"', "\"\"");
        format!("\"{field}\" {} {}('{text}')", sign(condition.operator), kind.to_uppercase())
    };
    let each = times.iter().map(|conditions| conditions.iter().map(one).collect::<Vec<_>>().join(" AND "));
    format!("({})", each.collect::<Vec<_>>().join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_divided_outside_of_quotes() {
        assert_eq!(divided("a = 'x;y';b > 1"), ["a = 'x;y'", "b > 1"]);
        assert_eq!(divided("a = 1"), ["a = 1"]);
        assert_eq!(divided("name = 'it''s';\"f;g\" = 1"), ["name = 'it''s'", "\"f;g\" = 1"]);
    }

    #[test]
    fn times_are_instants_intervals_and_lists() {
        let field =
            Field { name: "built".into(), kind: FieldType::Date, title_zh: String::new(), title_en: String::new() };
        let of = |text: &str| times(text, Some(&field)).map(|t| spelled(&t));
        assert_eq!(of("2024-05-01").unwrap(), "(\"built\" >= DATE('2024-05-01') AND \"built\" < DATE('2024-05-02'))");
        assert_eq!(of("2024").unwrap(), of("2024-01-01/2024-12-31").unwrap());
        assert_eq!(of("2024-02").unwrap(), of("2024-02-01/2024-02-29/P1D").unwrap());
        assert!(of("2020-01-01,2021-01-01").unwrap().contains(" OR "));
        for bad in ["yesterday", "2024-13", "2024-05-02/2024-05-01", "..", "2024-01-01/2024-01-02/2024-01-03"] {
            assert!(of(bad).is_err(), "{bad}");
        }
        assert!(times("2024", None).unwrap().is_empty());
        assert!(times("nonsense", None).is_err());
        assert_eq!(within(&times("../2024-01-01", Some(&field)).unwrap())["op"], "<");
    }
}
