//! A layer whose small counts are protected, summarised for others than its owner: slices of its one table, and nothing else.
//!
//! Of freely chosen zones and filters two answers would tell by their difference what neither says. So the zones are those that the owner has
//! fixed, the categories the values of the field that the owner has fixed, and rows are assigned as its themes assign them
//! ([`crate::theme`]): summaries and themes of one state of the layer are slices of one table, withheld at the same places.

use std::collections::HashMap;

use onemap_spatial::tally::Tally;

use super::{Cell, Statistic, Summary, Wanted};
use crate::access::principal::Principal;
use crate::error::{Error, Result};
use crate::layer::model::Suppression;
use crate::spatial::zones::{Areas, Assign, Zones};
use crate::spatial::{Opened, Spatial};
use crate::theme::slice::Sliced;

/// The rule that a summary has to keep; none of a layer of the caller's own department, or one without.
pub(super) fn rule(by: &Principal, opened: &Opened) -> Option<Suppression> {
    let own = by.department.as_deref() == Some(&*opened.layer.department);
    opened.layer.suppression.clone().filter(|_| !own)
}

impl Spatial {
    pub(super) async fn of_protected(
        &self,
        by: &Principal,
        wanted: Wanted,
        opened: Opened,
        rule: &Suppression,
        progress: &(dyn Fn(u64, Option<u64>) + Sync),
    ) -> Result<Summary> {
        let statistic = check(&wanted, rule)?;
        let _turn = self.turn().await?;
        let (zones, others) = self.zones(by, &wanted.zones, None).await?;
        let all = self.themes.slice(by, &opened.layer, wanted.by.is_some(), progress).await?;
        let rows = of_zones(&zones, all, &statistic);
        let field = matches!(statistic, Statistic::Sum(_)).then_some(0);
        let statistics = vec![(statistic, field)];
        let threshold = Some(rule.k);
        Ok(Summary { opened, others, zones, wanted, statistics, rows, features: None, outside: None, threshold })
    }
}

/// The one figure that is told, of a request that asks for a slice of the table.
pub(super) fn check(wanted: &Wanted, rule: &Suppression) -> Result<Statistic> {
    let told = match &rule.count {
        Some(field) => Statistic::Sum(field.clone()),
        None => Statistic::Count,
    };
    if wanted.zones.named_layer() != Some(rule.zones.as_str()) {
        let zones = &rule.zones;
        return Err(refused(format!("只能按图层 {zones} 分区"), format!("its zones are those of the layer {zones}")));
    }
    if wanted.filter.is_some() {
        return Err(refused("不能过滤".into(), "it is not filtered".into()));
    }
    if wanted.by.is_some() && wanted.by != rule.field {
        return Err(match &rule.field {
            Some(field) => {
                refused(format!("只能按字段 {field} 分类"), format!("its only categories are the values of {field}"))
            }
            None => refused("不能分类".into(), "it has no categories".into()),
        });
    }
    if wanted.assign != Assign::Centre {
        return Err(refused("不能改变跨界归属".into(), "each of its rows counts whole in one zone".into()));
    }
    if wanted.statistics.as_deref().is_some_and(|asked| asked != [told.clone()])
        || (wanted.statistics.is_none() && told != Statistic::Count)
    {
        return Err(match &rule.count {
            Some(field) => {
                refused(format!("只公布字段 {field} 的合计"), format!("only {{\"sum\": \"{field}\"}} of it is told"))
            }
            None => refused("只公布个数（count）".into(), "only its count is told".into()),
        });
    }
    Ok(told)
}

fn refused(zh: String, en: String) -> Error {
    Error::forbidden(
        format!("该图层的小数目受保护：{zh}，否则两次统计相减会得出不公布的数目"),
        format!(
            "small counts of this layer are protected: {en}, because the difference of two answers would tell what is withheld"
        ),
    )
    .hint(
        "可按其所属单位规定的分区统计，或据此制作专题图（/api/v1/themes）；见 docs/spatial.md",
        "summarise it over the zones that its owner has fixed, or make a theme of it (/api/v1/themes); see docs/spatial.md",
    )
}

/// The table's numbers by the zones as they were asked for, which may be some of them.
fn of_zones(zones: &Zones, all: Vec<Sliced>, statistic: &Statistic) -> Vec<(Cell, Option<Tally>)> {
    let places: HashMap<i64, u64> = match zones {
        Zones::Areas { set: Areas::OfLayer(reference), .. } => {
            reference.ids.iter().enumerate().map(|(place, id)| (*id, place as u64)).collect()
        }
        _ => HashMap::new(),
    };
    let mut rows: Vec<(Cell, Option<Tally>)> = all
        .into_iter()
        .filter_map(|one| {
            let cell = Cell { zone: *places.get(&one.zone)?, category: one.part };
            let tally = (!one.told.suppressed).then(|| {
                let mut tally = Tally::new(1);
                match statistic {
                    Statistic::Sum(_) => tally.add(1.0, [0.0; 2], &[one.told.values[0]]),
                    _ => tally.add(one.told.count.unwrap_or_default() as f64, [0.0; 2], &[None]),
                }
                tally
            });
            Some((cell, tally))
        })
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}
