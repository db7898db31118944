//! What a theme is made of, as a caller says it.

use onemap_statistics::classify::{Classes, Method, Wanted};
use onemap_statistics::palette::{Kind as PaletteKind, Palette, SIDE};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::layer::filter::Given;

/// Characters of an indicator's label.
const LONGEST_LABEL: usize = 60;
/// Rows that come with a request at most.
pub const MOST_ROWS: usize = 50_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub data: Data,
    pub zones: Zones,
    pub join: Join,
    pub indicator: Indicator,
    /// Of a bivariate map: the value that grows upwards in its legend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<Indicator>,
    #[serde(default)]
    pub kind: Kind,
    #[serde(default = "natural")]
    pub method: Method,
    #[serde(default = "five")]
    pub classes: usize,
    /// Of the method `manual`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<f64>,
    /// None: one that suits the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub palette: Option<Palette>,
    #[serde(default)]
    pub reverse: bool,
    /// Which period a row belongs to: a theme of several periods has a row for each zone and period, and classes common to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

fn natural() -> Method {
    Method::NaturalBreaks
}
fn five() -> usize {
    5
}

/// The table: exactly one of rows, layer and upload.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<Map<String, Value>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// CQL2 text over the layer's fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Uuid>,
}

impl Data {
    pub fn filter(&self) -> Option<Given> {
        self.filter.as_deref().map(Given::text)
    }
}

/// A layer of polygons, and which of its fields say what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zones {
    pub layer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name or code of what a zone lies in: it tells apart zones of one name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// How a row finds its zone. The fields are the table's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Join {
    Code {
        field: String,
    },
    Name {
        field: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<String>,
    },
    /// By its geometry or, of rows that come with the request, by two fields of degrees.
    Location {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lon: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lat: Option<String>,
    },
}

/// What is worked out for a zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    pub kind: Measure,
    /// The field that is summed; where it may be left out, rows are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Of a ratio: a field of the table; per capita: the zones' field of inhabitants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denominator: Option<String>,
    /// A factor, such as 1000 for a rate per thousand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<f64>,
    /// What the number is called. Names of fields are not told to the layer's readers; this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    Count,
    Sum,
    Mean,
    /// The sum of a field over the sum of another.
    Ratio,
    PerCapita,
    /// By the area on the ellipsoid.
    PerKm2,
    /// The most frequent value of a field.
    Category,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Choropleth,
    /// Circles whose areas grow with their classes.
    GraduatedSymbols,
    DotDensity,
    Heat,
    Categories,
    Bivariate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    pub field: String,
    /// None: a period for each value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Year,
    Quarter,
    Month,
    Day,
}

/// What of a theme is to be another; the rest stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub data: Option<Data>,
    pub zones: Option<Zones>,
    pub join: Option<Join>,
    pub indicator: Option<Indicator>,
    pub second: Option<Indicator>,
    pub kind: Option<Kind>,
    pub method: Option<Method>,
    pub classes: Option<usize>,
    pub breaks: Option<Vec<f64>>,
    pub palette: Option<Palette>,
    pub reverse: Option<bool>,
    pub time: Option<Time>,
}

impl Change {
    pub fn apply(self, of: Definition) -> Definition {
        let kind = self.kind.unwrap_or(of.kind);
        let method = self.method.unwrap_or(of.method);
        // What belonged to the old kind or method only does not stand in the new one's way.
        let of_kind = kind == of.kind;
        Definition {
            data: self.data.unwrap_or(of.data),
            zones: self.zones.unwrap_or(of.zones),
            join: self.join.unwrap_or(of.join),
            indicator: self.indicator.unwrap_or(of.indicator),
            second: self.second.or(of.second.filter(|_| kind == Kind::Bivariate)),
            breaks: self.breaks.unwrap_or(if method == of.method { of.breaks } else { vec![] }),
            palette: self.palette.or(of.palette.filter(|_| of_kind)),
            classes: self.classes.unwrap_or(of.classes),
            reverse: self.reverse.unwrap_or(of.reverse),
            time: self.time.or(of.time),
            kind,
            method,
        }
    }
}

impl Definition {
    /// As it is audited: rows are only counted.
    pub fn without_rows(&self) -> Value {
        let mut document = json!(self);
        if let Some(rows) = &self.data.rows {
            document["data"]["rows"] = rows.len().into();
        }
        document
    }

    pub fn wanted(&self) -> Wanted {
        // The nine classes of a bivariate map are three by three.
        let classes = if self.kind == Kind::Bivariate { SIDE } else { self.classes };
        Wanted { method: self.method, classes, breaks: self.breaks.clone() }
    }

    pub fn palette(&self) -> Palette {
        self.palette.unwrap_or(match self.kind {
            Kind::Categories => Palette::Categories,
            Kind::Bivariate => Palette::BlueRose,
            _ => Palette::Blues,
        })
    }

    pub fn indicators(&self) -> impl Iterator<Item = &Indicator> {
        std::iter::once(&self.indicator).chain(&self.second)
    }

    /// What can be told without looking at any layer.
    pub fn check(&self) -> Result<()> {
        self.check_data()?;
        self.check_indicators()?;
        self.wanted().check()?;
        let suits = match self.kind {
            Kind::Categories => &[PaletteKind::Qualitative][..],
            Kind::Bivariate => &[PaletteKind::Bivariate],
            _ => &[PaletteKind::Sequential, PaletteKind::Diverging],
        };
        if !suits.contains(&self.palette().kind()) {
            return Err(Error::invalid(
                "palette",
                format!("配色 {} 不适用于这种专题图", self.palette().name()),
                format!("the palette {} does not suit this kind of map", self.palette().name()),
            )
            .hint("可用配色见 /api/v1/classify 的说明", "docs/themes.md lists the palettes"));
        }
        if self.kind == Kind::Bivariate && self.method == Method::Manual {
            let en = "a bivariate map has no manual breaks: each value has its own";
            return Err(Error::invalid("method", "双变量图不支持手工分级", en));
        }
        Ok(())
    }

    fn check_data(&self) -> Result<()> {
        let data = &self.data;
        let given = [data.rows.is_some(), data.layer.is_some(), data.upload.is_some()];
        if given.iter().filter(|g| **g).count() != 1 {
            return Err(Error::invalid(
                "data",
                "请在 rows、layer、upload 中给出且只给出一项",
                "give exactly one of rows, layer and upload",
            ));
        }
        if data.filter.is_some() && data.rows.is_some() {
            return Err(Error::invalid("data.filter", "rows 不支持过滤", "rows of the request are not filtered"));
        }
        if let Some(rows) = &data.rows {
            if rows.is_empty() || rows.len() > MOST_ROWS {
                return Err(Error::invalid(
                    "data.rows",
                    format!("应为 1 到 {MOST_ROWS} 行"),
                    format!("it has 1 to {MOST_ROWS} rows"),
                )
                .hint("更多的行请先上传为图层", "upload a larger table and name its layer"));
            }
            let nested = |row: &Map<String, Value>| row.values().any(|v| v.is_array() || v.is_object());
            if let Some(at) = rows.iter().position(nested) {
                let place = format!("data.rows[{at}]");
                return Err(Error::invalid(
                    &place,
                    "只能是文本、数字、真假或空",
                    "values are texts, numbers, booleans or null",
                ));
            }
        }
        match &self.join {
            Join::Location { lon, lat } if data.rows.is_some() && (lon.is_none() || lat.is_none()) => Err(
                Error::invalid("join", "请用 lon 和 lat 指明经纬度字段", "name the fields of degrees by lon and lat"),
            ),
            Join::Location { lon, lat } if data.rows.is_none() && (lon.is_some() || lat.is_some()) => {
                Err(Error::invalid(
                    "join",
                    "图层按其几何落区，不用 lon、lat",
                    "a layer is located by its geometry, not by lon and lat",
                ))
            }
            Join::Code { .. } if self.zones.code.is_none() => Err(Error::invalid(
                "zones.code",
                "按代码关联需要分区的代码字段",
                "to join by code, name the zones' field of codes",
            )),
            Join::Name { .. } if self.zones.name.is_none() => Err(Error::invalid(
                "zones.name",
                "按名称关联需要分区的名称字段",
                "to join by name, name the zones' field of names",
            )),
            _ => Ok(()),
        }
    }

    fn check_indicators(&self) -> Result<()> {
        if (self.kind == Kind::Bivariate) != self.second.is_some() {
            let en = "a bivariate map has a second indicator, and no other kind has";
            return Err(Error::invalid("second", "双变量图（且只有双变量图）需要第二个指标", en));
        }
        if (self.kind == Kind::Categories) != (self.indicator.kind == Measure::Category) {
            let en = "a map of categories has the indicator category, and no other kind has";
            return Err(Error::invalid("indicator.kind", "分类图（且只有分类图）使用 category 指标", en));
        }
        for (name, indicator) in ["indicator", "second"].into_iter().zip(self.indicators()) {
            indicator.check(name)?;
        }
        Ok(())
    }
}

impl Indicator {
    fn check(&self, name: &str) -> Result<()> {
        use Measure::*;
        let field = match self.kind {
            Count => Some(false),
            Sum | Mean | Ratio | Category => Some(true),
            PerCapita | PerKm2 => None,
        };
        if field.is_some_and(|needed| needed != self.field.is_some()) {
            let (zh, en) = match self.field {
                Some(_) => ("count 只计行数，不用 field", "count counts rows and takes no field"),
                None => ("缺少 field", "the field is missing"),
            };
            return Err(Error::invalid(&format!("{name}.field"), zh, en));
        }
        if matches!(self.kind, Ratio | PerCapita) != self.denominator.is_some() {
            let en = "ratio and per_capita have a denominator, and no other measure has";
            return Err(Error::invalid(
                &format!("{name}.denominator"),
                "ratio 和 per_capita（且只有它们）需要分母",
                en,
            ));
        }
        if self.kind == Category && name == "second" {
            return Err(Error::invalid("second.kind", "第二个指标必须是数值", "the second indicator is a number"));
        }
        if self.label.as_ref().is_some_and(|label| !is_label(label)) {
            return Err(Error::invalid(
                &format!("{name}.label"),
                format!("应为 1 到 {LONGEST_LABEL} 个字"),
                format!("it has 1 to {LONGEST_LABEL} characters"),
            ));
        }
        match self.per.is_none_or(|per| per.is_finite() && per > 0.0) {
            true => Ok(()),
            false => Err(Error::invalid(&format!("{name}.per"), "应为正数", "it is a positive number")),
        }
    }
}

fn is_label(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST_LABEL && !text.contains(char::is_control)
}

impl Unit {
    /// The period of a date as ISO 8601 writes it; none of what is no date.
    pub fn of(self, text: &str) -> Option<String> {
        let bytes = text.as_bytes();
        let digits = |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|b| b.iter().all(u8::is_ascii_digit));
        let is = |at: usize| bytes.get(at).is_none_or(|b| *b == b'-');
        if !digits(0..4) || !is(4) {
            return None;
        }
        let month = || {
            (digits(5..7) && is(7)).then(|| text[5..7].parse::<u32>().ok()).flatten().filter(|m| (1..=12).contains(m))
        };
        match self {
            Unit::Year => Some(text[..4].to_owned()),
            Unit::Quarter => month().map(|m| format!("{}-Q{}", &text[..4], m.div_ceil(3))),
            Unit::Month => month().map(|_| text[..7].to_owned()),
            Unit::Day => month().filter(|_| digits(8..10)).map(|_| text[..10].to_owned()),
        }
    }
}

/// The class of a value in the order of colours.
pub fn class_of(classes: &Classes, value: Option<f64>) -> Option<usize> {
    value.and_then(|v| classes.of(v))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_cut_out_of_dates() {
        assert_eq!(Unit::Year.of("2024-05-01").as_deref(), Some("2024"));
        assert_eq!(Unit::Year.of("2024").as_deref(), Some("2024"));
        assert_eq!(Unit::Quarter.of("2024-05-01T08:00:00Z").as_deref(), Some("2024-Q2"));
        assert_eq!(Unit::Month.of("2024-12").as_deref(), Some("2024-12"));
        assert_eq!(Unit::Day.of("2024-12-03T08:00:00Z").as_deref(), Some("2024-12-03"));
        for none in ["", "24-05-01", "二〇二四年", "2024-13-01", "2024/05"] {
            assert_eq!(Unit::Month.of(none), None, "{none}");
        }
    }
}
