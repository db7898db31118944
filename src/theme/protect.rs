//! Layers whose small counts are protected: one table, and what of it is told.
//!
//! Whoever could ask for other zones, another filter or another way to assign rows to zones would learn by the difference of two answers
//! what neither says. So there is one table for such a layer, which its owner fixes: these zones, by this code (or by location), split by the
//! values of this field (or not at all). A theme is a slice of it: all rows, or the rows by that field's values. What is withheld
//! (`onemap_statistics::suppress`) is worked out for the whole table with all its totals, whichever slice is asked for, so any number of
//! answers together say no more than the table does. Who reads rows of the layer by a grant reads them as before; this is about numbers
//! that are passed on.

use onemap_statistics::suppress::{Pattern, suppress};

use super::definition::{Definition, Indicator, Join, Measure};
use crate::access::grant::{Grant, Read};
use crate::error::{Error, Result};
use crate::layer::catalog::Published;
use crate::layer::model::Suppression;

/// Refuses a theme that is no slice of the layer's table. `zones` is the grant on its zones.
pub fn check(definition: &Definition, layer: &Published, grant: &Grant<Read>, zones_grant: &Grant<Read>) -> Result<()> {
    let Some(rule) = &layer.suppression else { return Ok(()) };
    let refused = |parameter: &str, zh: String, en: String| {
        Err(Error::invalid(parameter, zh, en).hint(
            "该图层的小数目受保护，只能按其所属单位规定的一张表统计",
            "small counts of this layer are protected: it is counted over the one table that its owner has fixed",
        ))
    };
    if definition.zones.layer != rule.zones {
        let zones = &rule.zones;
        return refused(
            "zones.layer",
            format!("只能按图层 {zones} 统计"),
            format!("it is counted over the layer {zones} only"),
        );
    }
    let joined = match (&definition.join, &rule.code) {
        (Join::Code { field }, Some(code)) => field == code && definition.zones.code == rule.zone_code,
        (Join::Location { .. }, None) => true,
        _ => false,
    };
    if !joined {
        let (zh, en) = match &rule.code {
            Some(code) => {
                (format!("只能按字段 {code} 的代码落区"), format!("its rows are assigned by the code in {code} only"))
            }
            None => ("只能按位置落区".to_owned(), "its rows are assigned by location only".to_owned()),
        };
        return refused("join", zh, en);
    }
    if definition.data.filter.is_some() {
        let (zh, en) = ("不能过滤", "it is not filtered");
        return refused("data.filter", zh.into(), en.into());
    }
    if definition.time.as_ref().is_some_and(|time| Some(&time.field) != rule.field.as_ref() || time.unit.is_some()) {
        let (zh, en) = match &rule.field {
            Some(field) => {
                (format!("只能按字段 {field} 的值划分"), format!("it is split by the values of {field} only"))
            }
            None => ("不能分时段".to_owned(), "it is not split".to_owned()),
        };
        return refused("time", zh, en);
    }
    // Sums of anything else are no counts, but know of them: the sum of a field of noughts and ones is one, and of two withheld cells
    // the totals tell the difference.
    let counted = |i: &Indicator| match i.kind {
        Measure::Count => rule.count.is_none(),
        Measure::Sum => rule.count.is_some() && i.field == rule.count,
        Measure::PerCapita | Measure::PerKm2 => i.field == rule.count,
        Measure::Mean | Measure::Ratio | Measure::Category => false,
    };
    if !definition.indicators().all(counted) {
        let (zh, en) = match &rule.count {
            Some(count) => (
                format!("只能公布字段 {count} 的合计、人均或每平方公里"),
                format!("only the field {count} is told: its sum, per capita or per km²"),
            ),
            None => (
                "只能公布行数、人均或每平方公里行数".to_owned(),
                "only its rows are told: how many, per capita or per km²".to_owned(),
            ),
        };
        return refused("indicator", zh, en);
    }
    if !zones_grant.scope().is_all() {
        let en = "this needs a grant on all of the zones: of fewer the table would be another";
        return refused("zones.layer", "需要全部分区的授权：分区不全会得到另一张表".into(), en.into());
    }
    if !grant.scope().is_all() {
        let en = "this needs a grant on the whole layer: the table is one of all rows";
        return refused("data.layer", "需要整个图层的授权：统计表包括全部数据".into(), en.into());
    }
    Ok(())
}

/// The field by whose values the rows of a protected layer are told apart, whether or not the theme shows them apart.
pub fn split(rule: Option<&Suppression>) -> Option<&str> {
    rule.and_then(|rule| rule.field.as_deref())
}

/// What of the counts, zone by zone and in each by the values of the field, is withheld.
pub fn pattern(rule: Option<&Suppression>, counts: &[u64], columns: usize) -> Result<Option<Pattern>> {
    let Some(rule) = rule else { return Ok(None) };
    Ok(Some(suppress(counts, columns, rule.k)?))
}
