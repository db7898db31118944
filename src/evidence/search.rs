//! Searching the records: newest first, page by page, each by an index that ends with the time.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, TryStreamExt};
use onemap_evidence::{Record, Tile, TileList};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::row::{self, COLUMNS, Place};
use crate::db::pool::Database;
use crate::db::sql::{Bind, Sql};
use crate::error::{Error, Result};
use crate::geo::tms::TileMatrixSet;

/// Days that are searched when no beginning is given.
pub const DAYS: i64 = 31;
/// Records may be kept later than they happened: as long as the database was away, and a little.
const LATE: &str = " + interval '7 days'";
/// Rounds that look for a page's records among those that may be meant.
const ROUNDS: usize = 10;
/// Tiles of a record that a list shows.
const MOST_TILES: usize = 100;
const DAY: i64 = 86_400_000_000;

/// Whose records somebody may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// An auditor's.
    All,
    /// A department's administrator's: what its people and keys did, and what was done with its layers.
    Department(String),
}

/// What is searched for; nothing is everything of the last days.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    pub department: Option<String>,
    /// `person:…`, `key:…`, `operator` or `anonymous`.
    pub who: Option<String>,
    pub layer: Option<String>,
    pub operation: Option<String>,
    /// A feature's id in its layer's present revision; `layer` must be given too.
    pub feature: Option<i64>,
    /// RFC 3339; the end is not included.
    pub from: Option<String>,
    pub to: Option<String>,
    /// West, south, east, north in degrees.
    pub bbox: Option<[f64; 4]>,
    pub status: Option<i16>,
    pub request: Option<String>,
}

/// The place of a record in the order of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    at: i64,
    node: i32,
    block: i64,
    place: i32,
}

impl Cursor {
    pub fn parse(text: &str) -> Option<Cursor> {
        let mut parts = text.split('.');
        let cursor = Cursor {
            at: parts.next()?.parse().ok()?,
            node: parts.next()?.parse().ok()?,
            block: parts.next()?.parse().ok()?,
            place: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(cursor)
    }

    fn of(place: &Place, record: &Record) -> Cursor {
        Cursor { at: record.at, node: place.node, block: place.block, place: place.place }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}.{}", self.at, self.node, self.block, self.place)
    }
}

/// How sure it is that a record is meant, when a feature is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Its id was given, or written.
    Certain,
    /// It lies where something was given that was not noted one by one.
    Possible,
}

/// A search whose texts are read.
pub struct Prepared {
    view: View,
    search: Search,
    /// Microseconds since 1970.
    from: i64,
    to: i64,
    /// Where the feature lies now.
    pub feature_box: Option<[f64; 4]>,
}

/// A record that was found.
pub struct Found {
    pub place: Place,
    pub record: Record,
    pub matched: Match,
}

impl Prepared {
    pub fn new(view: View, search: Search, now: i64) -> Result<Prepared> {
        let moment = |name: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => instant(text).map(Some).ok_or_else(|| {
                Error::invalid(name, "时间应为 RFC 3339 或日期", "a time is RFC 3339, or a date").hint(
                    "例如 2026-11-25T08:00:00+08:00 或 2026-11-25",
                    "such as 2026-11-25T08:00:00+08:00 or 2026-11-25",
                )
            }),
        };
        let to = moment("to", &search.to)?.unwrap_or(now + DAY);
        let from = moment("from", &search.from)?.unwrap_or(to.min(now) - DAYS * DAY);
        if from >= to {
            return Err(Error::invalid("from", "起始时间须早于终止时间", "the beginning must be before the end"));
        }
        if search.feature.is_some() && search.layer.is_none() {
            return Err(Error::invalid(
                "layer",
                "按要素查询时须指明图层",
                "a feature is searched for in a layer: name it",
            ));
        }
        Ok(Prepared { view, search, from, to, feature_box: None })
    }

    /// A page, newest first, and the place after which the next one begins.
    pub async fn page(
        &self,
        database: &Database,
        mut after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Found>, Option<Cursor>)> {
        let client = database.app().await?;
        let mut page: Vec<Found> = vec![];
        for _ in 0..ROUNDS {
            let sql = self.sql(after, limit as i64 + 1);
            let statement = client.prepare_typed(sql.text(), &sql.types()).await?;
            let rows: Vec<_> = client.query_raw(&statement, sql.values()).await?.try_collect().await?;
            let more = rows.len() > limit;
            for row in rows.iter().take(limit) {
                let found = found(row)?;
                after = Some(Cursor::of(&found.place, &found.record));
                if self.is_meant(&found) {
                    page.push(found);
                    if page.len() == limit {
                        return Ok((page, after));
                    }
                }
            }
            if !more {
                return Ok((page, None));
            }
        }
        Ok((page, after))
    }

    /// Every record, for an export.
    pub fn all<'a>(&'a self, database: &'a Database, page: usize) -> impl Stream<Item = Result<Vec<Found>>> + 'a {
        futures_util::stream::try_unfold(Some(None), move |after: Option<Option<Cursor>>| async move {
            let Some(after) = after else { return Ok(None) };
            let (found, next) = self.page(database, after, page).await?;
            Ok(Some((found, next.map(Some))))
        })
        .boxed()
    }

    /// Of tiles that lie about the feature only those count that hold it.
    fn is_meant(&self, found: &Found) -> bool {
        let (Match::Possible, Some([west, south, east, north])) = (found.matched, self.feature_box) else {
            return true;
        };
        let (Some(tiles), Some(set)) = (&found.record.tiles, set(&found.record)) else { return true };
        TileList::read(tiles).any(|tile| {
            // A tile shows a little beyond its edge.
            let at = set.tile(tile.zoom.into(), tile.column, tile.row).map(|tile| tile.degrees(64.0 / 4096.0));
            at.is_some_and(|[w, s, e, n]| w <= east && e >= west && s <= north && n >= south)
        })
    }

    fn sql(&self, after: Option<Cursor>, limit: i64) -> Sql {
        let arms = self.arms();
        let mut sql = Sql::new("select * from (");
        for (i, arm) in arms.iter().enumerate() {
            sql.push(if i > 0 { ") union all (select " } else { "(select " }).push(COLUMNS);
            sql.push(if arm.certain() { ", true" } else { ", false" }).push(" as certain from onemap.evidence where ");
            self.conditions(&mut sql, after);
            arm.condition(&mut sql, &self.search, self.feature_box);
            if let (View::Department(department), false) = (&self.view, arm.is_of_view()) {
                sql.push(" and (department = ").bind(Bind::Text(department.clone()));
                sql.push(" or owner = ").bind(Bind::Text(department.clone())).push(")");
            }
            sql.push(" order by at desc, node desc, block desc, place desc limit ").bind(Bind::Integer(limit));
        }
        sql.push(")) found order by at desc, node desc, block desc, place desc limit ").bind(Bind::Integer(limit));
        sql
    }

    /// The parts of a search that an index serves each.
    fn arms(&self) -> Vec<Arm> {
        if self.search.feature.is_some() {
            return vec![Arm::Listed, Arm::Written, Arm::About];
        }
        let narrow = self.search.layer.is_some() || self.search.who.is_some() || self.search.department.is_some();
        match &self.view {
            View::Department(department) if !narrow => {
                vec![Arm::Own(department.clone()), Arm::Others(department.clone())]
            }
            _ => vec![Arm::Plain],
        }
    }

    fn conditions(&self, sql: &mut Sql, after: Option<Cursor>) {
        sql.push("at >= ");
        moment(sql, self.from);
        sql.push(" and at < ");
        moment(sql, self.to);
        sql.push(" and kept_at >= ");
        moment(sql, self.from);
        sql.push(" and kept_at < ");
        moment(sql, self.to);
        sql.push(LATE);
        let search = &self.search;
        let texts = [
            (" and department = ", &search.department),
            (" and who = ", &search.who),
            (" and layer = ", &search.layer),
            (" and operation = ", &search.operation),
            (" and request = ", &search.request),
        ];
        for (condition, text) in texts {
            if let Some(text) = text {
                sql.push(condition).bind(Bind::Text(text.clone()));
            }
        }
        if let Some(status) = search.status {
            sql.push(" and status = ").bind(Bind::Integer(status.into()));
        }
        if let Some(bbox) = search.bbox {
            meets(sql, bbox);
        }
        if let Some(Cursor { at, node, block, place }) = after {
            sql.push(" and (at, node, block, place) < (");
            moment(sql, at);
            sql.push(", ").bind(Bind::Integer(node.into())).push(", ").bind(Bind::Integer(block));
            sql.push(", ").bind(Bind::Integer(place.into())).push(")");
        }
    }
}

enum Arm {
    Plain,
    /// What the department's people and keys did.
    Own(String),
    /// What others did with its layers.
    Others(String),
    /// The feature's id was given.
    Listed,
    /// The feature was written.
    Written,
    /// The feature lies where something was given.
    About,
}

impl Arm {
    fn certain(&self) -> bool {
        !matches!(self, Arm::About)
    }

    /// Whether it shows no more than the view does.
    fn is_of_view(&self) -> bool {
        matches!(self, Arm::Own(_) | Arm::Others(_))
    }

    fn condition(&self, sql: &mut Sql, search: &Search, feature_box: Option<[f64; 4]>) {
        let (layer, feature) = (search.layer.clone().unwrap_or_default(), search.feature.unwrap_or_default());
        match self {
            Arm::Plain => {}
            Arm::Own(department) => {
                sql.push(" and department = ").bind(Bind::Text(department.clone()));
            }
            Arm::Others(department) => {
                sql.push(" and owner = ").bind(Bind::Text(department.clone()));
                sql.push(" and department is distinct from ").bind(Bind::Text(department.clone()));
            }
            Arm::Listed => {
                sql.push(
                    " and features is not null and onemap.feature_keys(layer, features) @> array[hashtextextended(",
                );
                sql.bind(Bind::Text(layer)).push(", ").bind(Bind::Integer(feature)).push(")] and features @> ");
                sql.bind(Bind::IntegerArray(vec![feature]));
            }
            Arm::Written => {
                sql.push(" and audit_id is not null and detail::jsonb ->> 'id' = ");
                sql.bind(Bind::Text(format!("{layer}/{feature}")));
            }
            Arm::About => {
                sql.push(" and features is null and audit_id is null and status in (200, 206, 304)");
                sql.push(" and operation not in ('metadata', 'legend', 'manage', 'edit')");
                sql.push(" and (rows > 0 or tiles is not null or operation not in ('features', 'feature', 'identify', 'address'))");
                if let Some(feature_box) = feature_box {
                    meets(sql, feature_box);
                }
            }
        }
    }
}

/// What reached no place in particular may have reached this one.
fn meets(sql: &mut Sql, [west, south, east, north]: [f64; 4]) {
    sql.push(" and (extent is null or extent[1] <= ").bind(Bind::Float(east));
    sql.push(" and extent[3] >= ").bind(Bind::Float(west));
    sql.push(" and extent[2] <= ").bind(Bind::Float(north));
    sql.push(" and extent[4] >= ").bind(Bind::Float(south)).push(")");
}

fn moment(sql: &mut Sql, micros: i64) {
    sql.push("(timestamptz 'epoch' + ").bind(Bind::Integer(micros)).push(" * interval '1 microsecond')");
}

/// RFC 3339, or a day of China's calendar, as microseconds since 1970.
pub fn instant(text: &str) -> Option<i64> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_microsecond());
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    Some(day.to_zoned(zone).ok()?.timestamp().as_microsecond())
}

fn found(row: &tokio_postgres::Row) -> Result<Found> {
    let (place, record) = row::read(row)?;
    let certain: bool = row.try_get("certain")?;
    Ok(Found { place, record, matched: if certain { Match::Certain } else { Match::Possible } })
}

/// The matrix set of a record of tiles.
fn set(record: &Record) -> Option<TileMatrixSet> {
    TileMatrixSet::parse(record.detail.as_deref()?)
}

/// A record as the interface shows it.
pub fn shown(found: &Found, search: &Search) -> Value {
    let (place, r) = (&found.place, &found.record);
    let mut value = json!({
        "id": format!("{}.{}.{}", place.node, place.block, place.place),
        "at": row::shown(r.at), "department": r.department, "who": r.who, "address": r.address, "origin": r.origin,
        "operation": r.operation, "layer": r.layer, "owner": r.owner, "revision": r.revision, "grant": r.grant,
        "purpose": r.purpose, "request_id": r.request, "status": r.status, "complete": r.complete,
        "requests": r.requests, "rows": r.rows, "bytes": r.bytes, "extent": r.extent, "filter": r.filter,
        "fields": r.fields, "features": r.features,
    });
    if let Some(tiles) = &r.tiles {
        value["matrix_set"] = json!(r.detail);
        value["tiles"] = TileList::read(tiles).take(MOST_TILES).map(|tile| json!(address(&tile))).collect();
    } else if r.audit.is_some() {
        value["audit"] = json!(r.audit);
        value["written"] = r.detail.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    }
    if search.feature.is_some() {
        value["match"] = match found.matched {
            Match::Certain => "certain",
            Match::Possible => "possible",
        }
        .into();
    }
    value
}

/// A tile as `zoom/column/row`.
pub fn address(tile: &Tile) -> String {
    format!("{}/{}/{}", tile.zoom, tile.column, tile.row)
}

/// Texts as they are compared: none of them is empty.
pub fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A search's name for the record of it: what was looked for, without the texts that name nobody.
pub fn told(search: &Search, view: &View) -> Arc<str> {
    let view = match view {
        View::All => "all".to_owned(),
        View::Department(department) => department.clone(),
    };
    let mut text = serde_json::to_value(search).unwrap_or_default();
    if let Value::Object(members) = &mut text {
        members.retain(|_, value| !value.is_null());
    }
    format!("view = {view}; {text}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_of_chinas_calendar() {
        assert_eq!(instant("2026-11-25"), instant("2026-11-24T16:00:00Z"));
        assert_eq!(instant("yesterday"), None);
    }

    #[test]
    fn a_place_goes_through_its_text() {
        let cursor = Cursor { at: 1_790_000_000_000_001, node: 2, block: 77, place: 5 };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        assert!(["", "1.2.3", "1.2.3.4.5", "a.b.c.d"].iter().all(|bad| Cursor::parse(bad).is_none()));
    }

    #[test]
    fn a_search_that_cannot_be_is_refused() {
        let of = |search: Search| Prepared::new(View::All, search, 0);
        assert!(of(Search { feature: Some(1), ..Search::default() }).is_err());
        let (from, to) = (Some("2026-01-02".to_owned()), Some("2026-01-01".to_owned()));
        assert!(of(Search { from, to, ..Search::default() }).is_err());
        assert!(of(Search { from: Some("x".into()), ..Search::default() }).is_err());
    }
}
