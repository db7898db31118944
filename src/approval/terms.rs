//! The terms of a request: what of a layer is asked for and what is granted, and how the one becomes the other.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::access::rights::{Right, Rights};
use crate::error::{Error, Result};
use crate::layer::model::Layer;
use crate::layer::scope;

/// Fields of one request at most.
const MOST_FIELDS: usize = 500;
/// Divisions of one request at most.
const MOST_DIVISIONS: usize = 500;
/// The longest term in days: five years. Longer needs are requested again.
const LONGEST_TERM: i32 = 1_830;

/// Everything but the area, which lies beside it as a geometry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    #[serde(default = "looking_and_asking")]
    pub rights: Rights,
    /// None: all fields.
    #[serde(default)]
    pub fields: Option<Vec<String>>,
    /// CQL2 text over the layer's fields. None: all rows.
    #[serde(default)]
    pub filter: Option<String>,
    /// Codes of divisions that the area is made of.
    #[serde(default)]
    pub divisions: Vec<String>,
    /// The first day, in China's time; none: from the approval on.
    #[serde(default)]
    pub from: Option<Date>,
    /// The last day.
    #[serde(default)]
    pub until: Option<Date>,
}

pub fn looking_and_asking() -> Rights {
    [Right::View, Right::Query].into_iter().collect()
}

/// Less of what was asked for. What is left out stays as it was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrowing {
    pub rights: Option<Rights>,
    pub fields: Option<Vec<String>>,
    /// Rows must fulfil this beside what was asked.
    pub filter: Option<String>,
    pub from: Option<Date>,
    pub until: Option<Date>,
}

/// Whether these are codes of divisions, before they are looked up.
pub fn check_divisions(codes: &[String]) -> Result<()> {
    let digits = |code: &String| (2..=12).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    match codes.len() <= MOST_DIVISIONS && codes.iter().all(digits) {
        true => Ok(()),
        false => Err(Error::invalid(
            "divisions",
            "区划代码为 2 到 12 位数字，最多 500 个",
            "division codes have 2 to 12 digits; 500 at most",
        )),
    }
}

impl Terms {
    /// Whether this can be asked for a layer. Permission to know the layer has been looked at.
    pub fn check(&self, layer: &Layer, today: Date) -> Result<()> {
        if self.rights.is_empty() {
            return Err(Error::invalid("rights", "至少申请一项权利", "at least one right is asked for")
                .hint("可选：view、query、print、export、write", "choose from view, query, print, export and write"));
        }
        self.check_fields(layer)?;
        if let (Some(filter), Some(state)) = (&self.filter, &layer.state) {
            scope::check(&state.fields, filter)?;
        }
        self.check_term(today)
    }

    fn check_fields(&self, layer: &Layer) -> Result<()> {
        let Some(fields) = &self.fields else { return Ok(()) };
        if fields.is_empty() || fields.len() > MOST_FIELDS {
            return Err(Error::invalid("fields", "字段为 1 到 500 个", "1 to 500 fields are asked for")
                .hint("不写 fields 表示全部字段", "leave `fields` out for all of them"));
        }
        let known = layer.state.as_ref().map(|s| s.fields.as_slice()).unwrap_or_default();
        scope::check_fields(known, fields)
    }

    fn check_term(&self, today: Date) -> Result<()> {
        let Some(until) = self.until else {
            return Err(Error::invalid("until", "请填写使用期限的截止日期", "the last day of the term is missing"));
        };
        let from = self.from.unwrap_or(today).max(today);
        if until < from {
            return Err(Error::invalid("until", "截止日期早于起始日期", "the term ends before it begins"));
        }
        match (until - from).get_days() > LONGEST_TERM {
            true => Err(Error::invalid("until", "使用期限最长五年", "a term is five years at most")),
            false => Ok(()),
        }
    }

    /// What is left of these terms after a decision. It can only become less.
    pub fn narrowed(&self, by: &Narrowing, today: Date) -> Result<Terms> {
        let wider = |parameter, zh, en| Error::invalid(parameter, zh, en);
        let rights = by.rights.unwrap_or(self.rights);
        if rights.is_empty() || rights.iter().any(|r| !self.rights.has(r)) {
            return Err(wider("rights", "只能授予所申请的权利", "only rights that were asked for can be granted"));
        }
        let fields = match (&self.fields, &by.fields) {
            (asked, None) => asked.clone(),
            (_, Some(less)) if less.is_empty() => {
                return Err(wider("fields", "至少授予一个字段", "at least one field is granted"));
            }
            (Some(asked), Some(less)) if less.iter().any(|f| !asked.contains(f)) => {
                return Err(wider("fields", "只能授予所申请的字段", "only fields that were asked for can be granted"));
            }
            (_, Some(less)) => Some(less.clone()),
        };
        let filter = match (&self.filter, &by.filter) {
            (asked, None) => asked.clone(),
            (None, Some(more)) => Some(more.clone()),
            (Some(asked), Some(more)) => Some(format!("({asked}) AND ({more})")),
        };
        if let Some(filter) = &by.filter {
            // Apart: what does not stand alone must not find its end in the brackets. What it names is looked at with the whole.
            onemap_cql2::Syntax::read(filter).map_err(|p| Error::invalid("filter", p.zh, p.en))?;
        }
        let from = self.from.max(by.from);
        if by.from.is_some_and(|day| self.from.is_some_and(|asked| day < asked)) {
            return Err(wider("from", "起始日期早于所申请的", "the term begins before what was asked for"));
        }
        let until = by.until.or(self.until);
        if by.until > self.until || until < Some(from.unwrap_or(today).max(today)) {
            return Err(wider("until", "截止日期不在所申请的期限内", "the term ends outside of what was asked for"));
        }
        Ok(Terms { rights, fields, filter, divisions: self.divisions.clone(), from, until })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn asked() -> Terms {
        Terms {
            rights: looking_and_asking(),
            fields: Some(vec!["a".into(), "b".into()]),
            filter: Some("a = 1 OR b = 2".into()),
            divisions: vec![],
            from: None,
            until: Some(date(2026, 12, 31)),
        }
    }

    #[test]
    fn a_decision_can_only_make_less_of_it() {
        let today = date(2026, 6, 1);
        let fine = Narrowing {
            rights: Some([Right::View].into_iter().collect()),
            fields: Some(vec!["b".into()]),
            filter: Some("b > 1".into()),
            from: Some(date(2026, 7, 1)),
            until: Some(date(2026, 8, 1)),
        };
        let left = asked().narrowed(&fine, today).unwrap();
        assert_eq!(left.rights.names(), ["view"]);
        assert_eq!(left.filter.as_deref(), Some("(a = 1 OR b = 2) AND (b > 1)"));
        assert_eq!((left.from, left.until), (Some(date(2026, 7, 1)), Some(date(2026, 8, 1))));
        assert_eq!(asked().narrowed(&Narrowing::default(), today).unwrap(), asked());
        let none = Narrowing::default;
        for (wider, parameter) in [
            (Narrowing { rights: Some([Right::Write].into_iter().collect()), ..none() }, "rights"),
            (Narrowing { rights: Some(Rights::of_names::<&str>(&[])), ..none() }, "rights"),
            (Narrowing { fields: Some(vec!["c".into()]), ..none() }, "fields"),
            (Narrowing { fields: Some(vec![]), ..none() }, "fields"),
            (Narrowing { filter: Some("true) OR (true".into()), ..none() }, "filter"),
            (Narrowing { until: Some(date(2027, 1, 1)), ..none() }, "until"),
            (Narrowing { until: Some(date(2026, 5, 1)), ..none() }, "until"),
            (Narrowing { from: Some(date(2027, 1, 1)), ..none() }, "until"),
        ] {
            let refused = asked().narrowed(&wider, today).unwrap_err();
            assert_eq!(refused.kind, crate::error::Kind::Invalid { parameter: parameter.into() }, "{wider:?}");
        }
    }
}
