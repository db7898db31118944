//! Which records are meant, in which order, and how many there are of each kind. In memory: a catalogue is hundreds of records.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;
use onemap_cql2::Filter;
use serde_json::{Map, Value, json};

use super::record::{FORMAT, PROPERTIES, Queryables, Record, folded};
use crate::db::sql::Bind;
use crate::error::{Error, Result};
use crate::feature::query;
use crate::geo::bbox::Bbox;
use crate::geo::crs::CRS84;
use crate::http::ask::{Ask, Language};
use crate::http::filter;
use crate::http::parameters::{Parameters, unknown_parameter};
use crate::layer::filter::Language as FilterLanguage;
use crate::layer::model::{Field, FieldType};
use crate::layer::select::{Condition, Operator};

const LIMIT: i64 = 10;
const MOST: i64 = 1000;
/// Buckets of a facet unless another number is asked for.
pub const BUCKETS: usize = 10;
const MOST_BUCKETS: usize = 500;

/// What is asked of the catalogue.
#[derive(Default)]
pub struct Search {
    /// Any of them; each is a row of words that stand together.
    terms: Vec<String>,
    bbox: Option<Bbox>,
    times: Vec<Condition>,
    types: Vec<String>,
    ids: Vec<String>,
    external: Vec<String>,
    formats: Vec<String>,
    equal: Vec<(&'static str, String)>,
    filter: Option<Filter>,
    /// Property, and whether the greatest comes first.
    sort: Vec<(&'static str, bool)>,
    facets: Vec<Facet>,
    pub limit: usize,
    pub offset: usize,
}

struct Facet {
    name: &'static str,
    buckets: usize,
    by_value: bool,
    ascending: bool,
}

impl Search {
    /// Takes all parameters; what is left must be a queryable.
    pub fn take(parameters: &mut Parameters) -> Result<Search> {
        let list = |text: Option<String>| -> Vec<String> {
            text.iter().flat_map(|t| t.split(',')).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
        };
        let mut search = Search {
            terms: list(parameters.take("q")?).iter().map(|term| folded(term)).collect(),
            types: list(parameters.take("type")?),
            ids: list(parameters.take("ids")?),
            external: list(parameters.take("externalIds")?),
            formats: list(parameters.take(FORMAT)?),
            limit: parameters.take_integer("limit", 0..=i64::MAX)?.unwrap_or(LIMIT).min(MOST) as usize,
            offset: parameters.take_integer("offset", 0..=1_000_000)?.unwrap_or(0) as usize,
            ..Search::default()
        };
        if let Some(text) = parameters.take("bbox")? {
            search.bbox = Some(Bbox::parse(&text, false, true)?);
        }
        if let Some(text) = parameters.take("datetime")? {
            let updated =
                Field { name: "updated".into(), kind: FieldType::Timestamp, title_zh: "".into(), title_en: "".into() };
            search.times = query::datetime(&text, Some(&updated))?;
        }
        if let Some(given) = filter::take(parameters, &[CRS84])? {
            search.filter = Some(read_filter(&given)?);
        }
        for key in list(parameters.take("sortby")?) {
            search.sort.push(sort_key(&key)?);
        }
        for facet in list(parameters.take("facets")?) {
            search.facets.push(read_facet(&facet)?);
        }
        for (name, value) in parameters.rest() {
            let property = PROPERTIES.iter().find(|p| p.name == name).ok_or_else(|| unknown_parameter(&name))?;
            search.equal.push((property.name, value));
        }
        Ok(search)
    }

    fn meets(&self, record: &Record) -> bool {
        let any = |wanted: &[String], is: &dyn Fn(&String) -> bool| wanted.is_empty() || wanted.iter().any(is);
        let external = |id: &String| **id == *record.layer.id || id.strip_prefix("onemap:") == Some(&record.layer.id);
        any(&self.terms, &|term| record.says(term))
            && any(&self.types, &|kind| record.property("type") == Some(kind))
            && any(&self.ids, &|id| **id == *record.layer.id)
            && any(&self.external, &external)
            && any(&self.formats, &|format| record.formats.contains(&format.as_str()))
            && self.equal.iter().all(|(name, value)| record.property(name) == Some(value))
            && self.bbox.is_none_or(|bbox| bbox.parts().into_iter().any(|part| meets_box(record, part)))
            && self.times.iter().all(|condition| meets_time(&record.layer.updated, condition))
            && self.filter.as_ref().is_none_or(|filter| filter.matches(record))
    }

    /// The records that are meant, in their order.
    pub fn of(&self, mut records: Vec<Record>) -> Vec<Record> {
        records.retain(|record| self.meets(record));
        records.sort_by(|a, b| self.order(a, b));
        records
    }

    fn order(&self, a: &Record, b: &Record) -> Ordering {
        for (name, descending) in &self.sort {
            let order = match (a.property(name), b.property(name)) {
                // What has no value comes last, whichever way.
                (None, Some(_)) => return Ordering::Greater,
                (Some(_), None) => return Ordering::Less,
                (a, b) if *descending => b.cmp(&a),
                (a, b) => a.cmp(&b),
            };
            if order.is_ne() {
                return order;
            }
        }
        a.layer.id.cmp(&b.layer.id)
    }

    /// How many of the records have which value, for each facet that was asked for.
    pub fn facets(&self, ask: &Ask, records: &[Record]) -> Option<Value> {
        if self.facets.is_empty() {
            return None;
        }
        let counted = self.facets.iter().map(|facet| (facet.name.to_owned(), facet.count(ask.language, records)));
        Some(Value::Object(counted.collect::<Map<_, _>>()))
    }
}

fn meets_box(record: &Record, bbox: Bbox) -> bool {
    onemap_cql2::Row::intersects(record, bbox.to_array())
}

fn meets_time(updated: &str, condition: &Condition) -> bool {
    let Bind::Text(bound) = &condition.value else { return false };
    let (Ok(at), Ok(bound)) = (updated.parse::<Timestamp>(), bound.parse::<Timestamp>()) else { return false };
    match condition.operator {
        Operator::Equal => at == bound,
        Operator::AtLeast => at >= bound,
        Operator::AtMost => at <= bound,
        Operator::Below => at < bound,
    }
}

fn read_filter(given: &crate::layer::filter::Given) -> Result<Filter> {
    let read = match given.language {
        FilterLanguage::Text => onemap_cql2::parse(&given.text, &Queryables),
        FilterLanguage::Json => onemap_cql2::parse_json(&given.text, &Queryables),
    };
    read.map_err(|problem| {
        let before = given.text.get(..problem.at).map_or(0, |before| before.chars().count());
        Error::invalid(
            "filter",
            format!("第 {} 个字符：{}", before + 1, problem.zh),
            format!("character {}: {}", before + 1, problem.en),
        )
        .hint(
            "可用属性见 /ogc/collections/catalogue/queryables",
            "the properties are listed at /ogc/collections/catalogue/queryables",
        )
    })
}

fn sort_key(key: &str) -> Result<(&'static str, bool)> {
    let (name, descending) = match key.strip_prefix('-') {
        Some(name) => (name, true),
        None => (key.strip_prefix('+').unwrap_or(key).trim(), false),
    };
    let found = PROPERTIES.iter().find(|p| p.sortable && p.name == name);
    found.map(|p| (p.name, descending)).ok_or_else(|| {
        let shown: String = name.chars().take(60).collect();
        let all: Vec<&str> = PROPERTIES.iter().filter(|p| p.sortable).map(|p| p.name).collect();
        Error::invalid("sortby", format!("不能按 {shown} 排序"), format!("records cannot be sorted by {shown}")).hint(
            format!("可用：{}，前加 - 为降序", all.join("、")),
            format!("choose from {}; - before it is descending", all.join(", ")),
        )
    })
}

/// The facets that there are.
pub fn facet_names() -> impl Iterator<Item = &'static str> {
    PROPERTIES.iter().filter(|p| p.facet).map(|p| p.name).chain([FORMAT])
}

/// `name`, `name:20`, `name:20:value_asc`.
fn read_facet(text: &str) -> Result<Facet> {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default();
    let wrong = |zh: String, en: String| {
        let all: Vec<&str> = facet_names().collect();
        Error::invalid("facets", zh, en).hint(
            format!("例如 facets=theme:20:value_asc；可用：{}", all.join("、")),
            format!("for example facets=theme:20:value_asc; choose from {}", all.join(", ")),
        )
    };
    let shown: String = text.chars().take(60).collect();
    let Some(name) = facet_names().find(|known| *known == name) else {
        return Err(wrong(format!("没有分面 {shown}"), format!("there is no facet {shown}")));
    };
    let malformed = || wrong(format!("分面写法有误：{shown}"), format!("the facet {shown} is malformed"));
    let buckets = match parts.next() {
        None | Some("") => BUCKETS,
        Some(count) => count.parse().ok().filter(|n| (1..=MOST_BUCKETS).contains(n)).ok_or_else(malformed)?,
    };
    let (by_value, ascending) = match parts.next() {
        None | Some("count_desc" | "desc") => (false, false),
        Some("count_asc" | "asc") => (false, true),
        Some("value_asc") => (true, true),
        Some("value_desc") => (true, false),
        Some(_) => return Err(malformed()),
    };
    if parts.next().is_some() {
        return Err(malformed());
    }
    Ok(Facet { name, buckets, by_value, ascending })
}

impl Facet {
    fn count(&self, language: Language, records: &[Record]) -> Value {
        let mut counts: HashMap<&str, (usize, &str)> = HashMap::new();
        for record in records {
            for value in record.values(self.name) {
                let title = match self.name {
                    "department" => language.pick(&record.department),
                    "theme" => record.themes(language).unwrap_or(value),
                    "shareClass" => super::record::rights(record.layer.class, language),
                    _ => value,
                };
                counts.entry(value).or_insert((0, title)).0 += 1;
            }
        }
        let mut counts: Vec<(&str, (usize, &str))> = counts.into_iter().collect();
        counts.sort_by(|a, b| {
            let by_count = if self.ascending { a.1.0.cmp(&b.1.0) } else { b.1.0.cmp(&a.1.0) };
            let by_value = if self.by_value && !self.ascending { b.0.cmp(a.0) } else { a.0.cmp(b.0) };
            if self.by_value { by_value } else { by_count.then(by_value) }
        });
        let more = counts.len().saturating_sub(self.buckets);
        let buckets = counts.iter().take(self.buckets);
        let buckets = buckets.map(|(value, (count, title))| json!({"value": value, "title": title, "count": count}));
        json!({"type": "term", "property": self.name, "buckets": buckets.collect::<Vec<_>>(), "more": more})
    }
}
