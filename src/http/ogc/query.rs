//! The parameters of `/items`, read into types. What a grant hides is as unknown here as what does not exist.

use super::files::FileQuery;
use super::{Format, format};
use crate::error::{Error, Result};
use crate::feature::cursor::Cursor;
use crate::feature::query::{self, DEFAULT_LIMIT, MOST_FEATURES};
use crate::geo::bbox::Bbox;
use crate::geo::crs::{CRS84, Crs};
use crate::http::ask::Ask;
use crate::http::filter;
use crate::http::parameters::{Parameters, unknown_parameter};
use crate::layer;
use crate::layer::model::Field;
use crate::layer::order::{Direction, SortKey};
use crate::layer::select::{self, Selection};
use crate::tile::render::Drawn;

/// The most keys that an order has.
const MOST_KEYS: usize = 8;
/// Names of parameters. A field that is called so is filtered by CQL2 only.
pub const RESERVED: &[&str] = &[
    "f",
    "limit",
    "cursor",
    "crs",
    "bbox",
    "bbox-crs",
    "datetime",
    "filter",
    "filter-lang",
    "filter-crs",
    "sortby",
    "properties",
    "exclude-properties",
    "skipGeometry",
    "datum",
    "encoding",
    "geometry",
];

/// What is asked of a collection's features.
pub struct ItemsQuery {
    pub format: Format,
    /// Asked for instead: a file.
    pub file: Option<FileQuery>,
    pub crs: Crs,
    /// The fields that the answer carries, in the layer's order.
    pub fields: Vec<Field>,
    pub selection: Selection,
    pub limit: i64,
    pub cursor: Option<Cursor>,
    /// Whether less than the whole collection is asked for.
    pub filtered: bool,
}

impl ItemsQuery {
    pub fn read(ask: &mut Ask, drawn: &Drawn) -> Result<ItemsQuery> {
        let (state, scope) = (drawn.layer.state(), drawn.grant.scope());
        let offered = ask.offered(&drawn.layer, &drawn.grant);
        let file = FileQuery::take(ask)?;
        let format = match file {
            Some(_) => Format::Json,
            None => format(ask).map_err(FileQuery::hint)?,
        };
        let parameters = &mut ask.parameters;
        // A file has every row unless fewer are asked for; a page asks for one more, to know whether there is another.
        let (limit, rows) = match file {
            Some(_) => {
                let limit = limit(parameters, i64::MAX, i64::MAX)?;
                (limit, Some(limit).filter(|limit| *limit < i64::MAX))
            }
            None => {
                let limit = limit(parameters, DEFAULT_LIMIT, MOST_FEATURES)?;
                (limit, Some(limit + 1))
            }
        };
        let crs = crs(parameters, "crs", &offered)?.unwrap_or(CRS84);
        let visible = select::visible_fields(state, scope);
        let shown = Shown::read(parameters, &visible, crs)?;
        let mut selection = Selection { limit: rows, srid: shown.srid, ..Selection::default() };
        file.map_or(Ok(()), |file| file.check(crs, drawn))?;
        let given = crs_of_bbox(parameters, &offered)?;
        if let Some(text) = parameters.take("bbox")? {
            selection.bbox = Some((Bbox::parse(&text, given.swapped, given.is_geographic())?, given.srid));
        }
        if let Some(text) = parameters.take("datetime")? {
            selection.conditions = query::datetime(&text, select::temporal_field(state, scope))?;
        }
        let filter = filter::take(parameters, &offered)?;
        selection.filter = filter.map(|given| layer::filter::parse(&given, &drawn.layer, &drawn.grant)).transpose()?;
        selection.sort = sort(parameters, &visible)?;
        let cursor = parameters.take("cursor")?.map(|text| Cursor::decode(&text, &selection.sort)).transpose()?;
        selection.after =
            cursor.clone().filter(|cursor| cursor.direction == Direction::Forwards).map(|cursor| cursor.place);
        for (name, value) in parameters.rest() {
            let field = visible.iter().find(|f| f.name == name).ok_or_else(|| unknown_parameter(&name))?;
            selection.conditions.push(query::equals(field, &value)?);
        }
        let filtered = selection.bbox.is_some() || !selection.conditions.is_empty() || selection.filter.is_some();
        Ok(ItemsQuery { format, file, crs, fields: shown.fields, selection, limit, cursor, filtered })
    }
}

/// Property selection (Part 6): which fields, and whether the geometry.
pub struct Shown {
    pub fields: Vec<Field>,
    pub srid: Option<i32>,
}

impl Shown {
    pub fn read(parameters: &mut Parameters, visible: &[&Field], crs: Crs) -> Result<Shown> {
        let wanted = names(parameters, "properties", visible)?;
        let left_out = names(parameters, "exclude-properties", visible)?;
        let skip = match parameters.take("skipGeometry")?.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                return Err(Error::invalid("skipGeometry", "应为 true 或 false", "skipGeometry is true or false"));
            }
        };
        let has = |names: &Option<Vec<String>>, name: &str| names.as_ref().map(|n| n.iter().any(|n| n == name));
        let shows = |field: &&&Field| {
            has(&wanted, &field.name).unwrap_or(true) && !has(&left_out, &field.name).unwrap_or(false)
        };
        let fields = visible.iter().filter(shows).map(|f| (*f).clone()).collect();
        let geometry = !skip && !has(&left_out, GEOMETRY).unwrap_or(false);
        Ok(Shown { fields, srid: geometry.then_some(crs.srid) })
    }
}

/// What the schema calls the geometry.
pub const GEOMETRY: &str = "geometry";

fn names(parameters: &mut Parameters, parameter: &str, visible: &[&Field]) -> Result<Option<Vec<String>>> {
    let Some(text) = parameters.take(parameter)? else { return Ok(None) };
    let names: Vec<String> = text.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect();
    match names.iter().find(|name| *name != GEOMETRY && !visible.iter().any(|f| f.name == **name)) {
        None => Ok(Some(names)),
        Some(unknown) => Err(unknown_field(parameter, unknown)),
    }
}

fn unknown_field(parameter: &str, name: &str) -> Error {
    let shown: String = name.chars().take(60).collect();
    Error::invalid(parameter, format!("图层没有字段 {shown}"), format!("the layer has no field {shown}"))
        .hint("字段见 /ogc/collections/{图层}/schema", "/ogc/collections/{layer}/schema lists the fields")
}

/// `limit`: a number above the most is taken as the most (Part 1, fc-limit-response).
pub fn limit(parameters: &mut Parameters, default: i64, most: i64) -> Result<i64> {
    let Some(text) = parameters.take("limit")? else { return Ok(default) };
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // More digits than fit are a number above the most all the same.
    let value = digits.then(|| text.parse::<i64>().unwrap_or(i64::MAX));
    value.filter(|v| *v > 0).map(|v| v.min(most)).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        Error::invalid("limit", format!("“{shown}”不是正整数"), format!("“{shown}” is not a positive integer"))
            .hint(format!("最多 {most}，更大的值按 {most} 处理"), format!("at most {most}; more is taken as {most}"))
    })
}

/// A CRS by its URI, if the collection is offered in it.
pub fn crs(parameters: &mut Parameters, name: &str, offered: &[Crs]) -> Result<Option<Crs>> {
    let Some(text) = parameters.take(name)? else { return Ok(None) };
    Crs::parse(&text).filter(|crs| offered.contains(crs)).map(Some).ok_or_else(|| {
        Error::invalid(name, "不支持该坐标参考系", "this CRS is not offered for this collection")
            .hint("可用的坐标参考系见图层说明的 crs", "the collection's `crs` member lists those that are")
    })
}

fn crs_of_bbox(parameters: &mut Parameters, offered: &[Crs]) -> Result<Crs> {
    Ok(crs(parameters, "bbox-crs", offered)?.unwrap_or(CRS84))
}

/// `sortby=+a,-b` (Part 8). A `+` that nobody escaped arrives as a space.
fn sort(parameters: &mut Parameters, visible: &[&Field]) -> Result<Vec<SortKey>> {
    let Some(text) = parameters.take("sortby")? else { return Ok(vec![]) };
    let mut keys: Vec<SortKey> = vec![];
    for item in text.split(',') {
        let item = item.trim();
        let (descending, name) = match item.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, item.strip_prefix('+').unwrap_or(item)),
        };
        let field = visible.iter().find(|f| f.name == name).ok_or_else(|| unknown_field("sortby", name))?;
        if keys.iter().any(|k| k.field.name == name) {
            let (zh, en) = (format!("字段 {name} 重复出现"), format!("the field {name} is given more than once"));
            return Err(Error::invalid("sortby", zh, en));
        }
        keys.push(SortKey { field: (*field).clone(), descending });
    }
    match keys.len() <= MOST_KEYS {
        true => Ok(keys),
        false => Err(Error::invalid(
            "sortby",
            format!("最多 {MOST_KEYS} 个排序字段"),
            format!("at most {MOST_KEYS} fields to sort by"),
        )),
    }
}
