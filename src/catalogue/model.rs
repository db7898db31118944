//! A record of the catalogue, as it is shown and as it is written.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use super::code::ResourceCode;
use super::list;
use crate::access::policy::ShareClass;
use crate::error::{Error, Result};
use crate::layer::model::Title;

/// What a resource is: a layer of this platform, a service of another, kept without a network, or to come.
pub const KINDS: [&str; 4] = ["layer", "service", "offline", "planned"];
pub const OPENNESS: [(&str, &str); 3] = [("open", "开放"), ("conditional", "有条件开放"), ("closed", "不开放")];
/// 更新周期.
pub const CYCLES: [(&str, &str); 8] = [
    ("realtime", "实时"),
    ("daily", "每日"),
    ("weekly", "每周"),
    ("monthly", "每月"),
    ("quarterly", "每季度"),
    ("half_yearly", "每半年"),
    ("yearly", "每年"),
    ("irregular", "不定期"),
];
/// Items of one record at most.
const MOST_ITEMS: usize = 500;
const MOST_RELATED: usize = 100;
/// The longest text of a record.
const LONGEST: usize = 2000;

/// 信息项: a field of the resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub name: String,
    #[serde(default)]
    pub title: String,
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// 敏感级别, in the department's own words (GB/T 43697 has 一般, 重要, 核心).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<String>,
}

/// How a record deviates from what it describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Its items are no longer the fields of the published revision.
    pub fields_changed: bool,
    /// Its data are older than its cycle allows.
    pub update_overdue: bool,
    /// Nobody has used the layer for 90 days; null for what is no layer.
    pub unused: Option<bool>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Record {
    pub code: String,
    /// Where it is found: the code's stroke is a hyphen there.
    pub link: String,
    pub kind: String,
    pub name: Title,
    #[serde(rename = "abstract")]
    pub description: String,
    pub department: String,
    pub department_title: Title,
    /// The provider's code (信息资源提供方代码).
    pub department_code: String,
    pub theme: Option<String>,
    pub layer: Option<String>,
    pub format: String,
    pub items: Vec<Item>,
    pub share_class: String,
    pub share_condition: String,
    pub share_mode: String,
    pub openness: String,
    pub open_condition: String,
    pub update_cycle: String,
    pub published: Option<String>,
    pub data_updated: Option<String>,
    /// Codes of related resources, those that the caller knows of.
    pub related: Vec<String>,
    pub drift: Drift,
    pub score: Score,
    pub version: i32,
    pub updated: String,
}

/// Each part from 0 to 1; null where it does not apply.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    pub completeness: f64,
    pub timeliness: Option<f64>,
    pub usage: Option<f64>,
    /// 0 to 100.
    pub total: f64,
}

impl Score {
    /// The weights of completeness, timeliness and use; what does not apply leaves its weight to the others.
    pub const WEIGHTS: [f64; 3] = [0.4, 0.4, 0.2];

    pub fn new(completeness: f64, timeliness: Option<f64>, usage: Option<f64>) -> Score {
        let parts = [Some(completeness), timeliness, usage];
        let weighted =
            parts.iter().zip(Score::WEIGHTS).filter_map(|(part, weight)| Some((part.as_ref()? * weight, weight)));
        let (sum, weights) = weighted.fold((0.0, 0.0), |(s, w), (part, weight)| (s + part, w + weight));
        let total = if weights > 0.0 { (1000.0 * sum / weights).round() / 10.0 } else { 0.0 };
        Score { completeness, timeliness, usage, total }
    }
}

/// SQL of a record's parts of its score; `r`, `d` and `u` are as in `FROM`.
///
/// Completeness: the filled ones of the guide's twelve elements that a provider fills in. Timeliness: 1 within the cycle and its grace,
/// then falling to 0 over one more cycle; none without a cycle. Use: 1 for a layer that another department used within 90 days, 0.5 for
/// one that only its own did, 0 for one that nobody did.
pub(super) const COMPLETENESS: &str = "((length(r.name) > 0)::int + (r.abstract <> '')::int + (d.code <> '')::int + (r.format <> '')::int
    + (jsonb_array_length(r.items) > 0)::int
    + (jsonb_array_length(r.items) > 0 and not exists (select from jsonb_array_elements(r.items) i
        where coalesce(i->>'title', '') = '' or coalesce(i->>'type', '') = ''))::int
    + (r.theme_id is not null)::int + (r.share_class = 'unconditional' or r.share_condition <> '')::int + (r.share_mode <> '')::int
    + (r.openness <> 'conditional' or r.open_condition <> '')::int + (r.update_cycle <> 'irregular')::int
    + (r.published_on is not null)::int)::float8 / 12";
pub(super) const TIMELINESS: &str = "case when onemap.catalogue_cycle(r.update_cycle) is null then null
    when r.data_updated_at is null then 0::float8
    else greatest(0, least(1, 2 - extract(epoch from now() - r.data_updated_at)
        / extract(epoch from onemap.catalogue_cycle(r.update_cycle))))::float8 end";
pub(super) const USAGE: &str =
    "case when r.layer_id is null then null when coalesce(u.departments, 0) > 0 then 1::float8
    when coalesce(u.requests, 0) > 0 then 0.5::float8 else 0::float8 end";
pub(super) const FIELDS_CHANGED: &str = "coalesce(onemap.catalogue_drifted(r.items, v.fields), false)";
pub(super) const OVERDUE: &str = "coalesce(r.data_updated_at + onemap.catalogue_cycle(r.update_cycle) < now(), false)";
pub(super) const UNUSED: &str = "case when r.layer_id is null then null else coalesce(u.requests, 0) = 0 and r.created_at < now() - interval '90 days' end";

pub(super) const FROM: &str = "from onemap.catalogue_record r join onemap.department d on d.id = r.department_id
    left join onemap.layer l on l.id = r.layer_id left join onemap.revision v on v.id = l.current_revision
    left join onemap.layer_use u on u.layer_id = r.layer_id";

const OWN_COLUMNS: &str = "r.code, r.kind, r.name, r.name_en, r.abstract, r.department_id, d.title_zh, d.title_en,
    d.code as department_code, r.theme_id, r.layer_id, r.format, r.items, r.share_class, r.share_condition, r.share_mode, r.openness,
    r.open_condition, r.update_cycle, r.published_on::text as published,
    to_char(r.data_updated_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as data_updated,
    array(select x.code from onemap.catalogue_record x where x.code = any(r.related)
        and (x.anonymous or x.department_id = $1 or ($1::text is not null and x.share_class <> 'not_shared')) order by x.code) as related,
    r.version, to_char(r.updated_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as updated";

/// A record's columns, by name. `$1` is the caller's department, as in `VISIBLE`.
pub(super) fn columns() -> String {
    format!(
        "{OWN_COLUMNS}, {COMPLETENESS} as completeness, {TIMELINESS} as timeliness, {USAGE} as usage,
         {FIELDS_CHANGED} as fields_changed, {OVERDUE} as overdue, {UNUSED} as unused"
    )
}

pub(super) fn record(row: &Row) -> Result<Record> {
    let code: String = row.try_get("code")?;
    let path = code.parse::<ResourceCode>().map(|c| c.in_path()).unwrap_or_default();
    Ok(Record {
        link: format!("/api/v1/catalogue/{path}"),
        code,
        kind: row.try_get("kind")?,
        name: Title { zh: row.try_get("name")?, en: row.try_get("name_en")? },
        description: row.try_get("abstract")?,
        department: row.try_get("department_id")?,
        department_title: Title { zh: row.try_get("title_zh")?, en: row.try_get("title_en")? },
        department_code: row.try_get("department_code")?,
        theme: row.try_get("theme_id")?,
        layer: row.try_get("layer_id")?,
        format: row.try_get("format")?,
        items: list(row.try_get("items")?)?,
        share_class: row.try_get("share_class")?,
        share_condition: row.try_get("share_condition")?,
        share_mode: row.try_get("share_mode")?,
        openness: row.try_get("openness")?,
        open_condition: row.try_get("open_condition")?,
        update_cycle: row.try_get("update_cycle")?,
        published: row.try_get("published")?,
        data_updated: row.try_get("data_updated")?,
        related: row.try_get("related")?,
        drift: Drift {
            fields_changed: row.try_get("fields_changed")?,
            update_overdue: row.try_get("overdue")?,
            unused: row.try_get("unused")?,
        },
        score: Score::new(row.try_get("completeness")?, row.try_get("timeliness")?, row.try_get("usage")?),
        version: row.try_get("version")?,
        updated: row.try_get("updated")?,
    })
}

/// A record as its department writes it. A change is a merge patch (RFC 7396) of this document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    pub name: String,
    #[serde(default)]
    pub name_en: String,
    #[serde(default = "planned")]
    pub kind: String,
    #[serde(rename = "abstract", default)]
    pub description: String,
    #[serde(default)]
    pub theme: Option<String>,
    #[serde(default)]
    pub format: String,
    #[serde(default)]
    pub items: Vec<Item>,
    pub share_class: ShareClass,
    #[serde(default)]
    pub share_condition: String,
    #[serde(default)]
    pub share_mode: String,
    #[serde(default = "closed")]
    pub openness: String,
    #[serde(default)]
    pub open_condition: String,
    #[serde(default = "irregular")]
    pub update_cycle: String,
    #[serde(default)]
    pub published: Option<Date>,
    /// The day on which the data were last changed.
    #[serde(default)]
    pub data_updated: Option<Date>,
    #[serde(default)]
    pub related: Vec<String>,
}

fn planned() -> String {
    "planned".into()
}
fn closed() -> String {
    "closed".into()
}
fn irregular() -> String {
    "irregular".into()
}

impl Written {
    pub fn of(record: &Record) -> Result<Written> {
        let day = |text: &Option<String>| text.as_deref().and_then(|t| t.get(..10)?.parse().ok());
        Ok(Written {
            name: record.name.zh.clone(),
            name_en: record.name.en.clone(),
            kind: record.kind.clone(),
            description: record.description.clone(),
            theme: record.theme.clone(),
            format: record.format.clone(),
            items: record.items.clone(),
            share_class: ShareClass::parse(&record.share_class)
                .ok_or_else(|| Error::internal("an unknown share class"))?,
            share_condition: record.share_condition.clone(),
            share_mode: record.share_mode.clone(),
            openness: record.openness.clone(),
            open_condition: record.open_condition.clone(),
            update_cycle: record.update_cycle.clone(),
            published: day(&record.published),
            data_updated: day(&record.data_updated),
            related: record.related.clone(),
        })
    }

    /// The first thing that is wrong: the member, and why.
    pub fn check(&self) -> Result<()> {
        let wrong = |parameter: &str, zh: &str, en: &str| Err(Error::invalid(parameter, zh, en));
        if self.name.trim().is_empty() || self.name.chars().count() > 200 {
            return wrong("name", "名称为 1 到 200 个字", "a name has 1 to 200 characters");
        }
        for (member, text) in [
            ("name_en", &self.name_en),
            ("abstract", &self.description),
            ("format", &self.format),
            ("share_condition", &self.share_condition),
            ("share_mode", &self.share_mode),
            ("open_condition", &self.open_condition),
        ] {
            if text.chars().count() > LONGEST {
                return wrong(member, "最多 2000 个字", "it has at most 2000 characters");
            }
        }
        if !KINDS[1..].contains(&self.kind.as_str()) {
            return wrong("kind", "类型为 service、offline 或 planned", "a kind is service, offline or planned");
        }
        if !OPENNESS.iter().any(|(name, _)| *name == self.openness) {
            return wrong(
                "openness",
                "开放属性为 open、conditional 或 closed",
                "openness is open, conditional or closed",
            );
        }
        if !CYCLES.iter().any(|(name, _)| *name == self.update_cycle) {
            return wrong("update_cycle", "没有这种更新周期", "there is no such update cycle");
        }
        self.check_lists()
    }

    fn check_lists(&self) -> Result<()> {
        let wrong = |parameter: &str, zh: &str, en: &str| Err(Error::invalid(parameter, zh, en));
        let fits = |text: &str| text.chars().count() <= 200;
        let fine = |i: &Item| {
            !i.name.trim().is_empty()
                && [&i.name, &i.title, &i.kind].into_iter().all(|t| fits(t))
                && i.sensitivity.as_deref().is_none_or(fits)
        };
        if self.items.len() > MOST_ITEMS || !self.items.iter().all(fine) {
            return wrong(
                "items",
                "信息项最多 500 个，各有名称，不超过 200 字",
                "500 items at most, each with a name of at most 200 characters",
            );
        }
        let mut names: Vec<&str> = self.items.iter().map(|i| i.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return wrong("items", "信息项名称重复", "two items have one name");
        }
        if self.related.len() > MOST_RELATED || !self.related.iter().all(|c| c.parse::<ResourceCode>().is_ok()) {
            return wrong(
                "related",
                "关联资源代码不正确，最多 100 个",
                "related resources are named by their codes, 100 at most",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_apply_leaves_its_weight_to_the_rest() {
        assert_eq!(Score::new(1.0, Some(1.0), Some(1.0)).total, 100.0);
        assert_eq!(Score::new(0.5, None, None).total, 50.0);
        assert_eq!(Score::new(1.0, Some(0.0), None).total, 50.0);
        assert_eq!(Score::new(1.0, Some(1.0), Some(0.0)).total, 80.0);
    }
}
