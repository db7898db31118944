//! Searching the records: newest first, page by page, in the stretches that have the clues of what is searched for.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use futures_util::{Stream, StreamExt};
use onemap_evidence::{Record, Tile, TileList};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clues;
use super::row::{self, COLUMNS, Place};
use super::stretches::{self, Candidates, Stretch};
use crate::db::pool::Database;
use crate::db::sql::{Bind, Sql};
use crate::error::{Error, Result};
use crate::geo::tms::TileMatrixSet;

/// Days that are searched when no beginning is given.
pub const DAYS: i64 = 31;
/// Rounds that look for a page's records among those that may be meant.
const ROUNDS: usize = 10;
/// Stretches that are read at once: few at first, as the newest often fill a page.
const FIRST_STRETCHES: i64 = 4;
const MOST_STRETCHES: i64 = 32;
/// Stretches that are read for a page. A page that is not full then says where to go on.
const ENOUGH: usize = 1500;
/// A request's id says when it came; its records are of that time, and those of its changes of a little later.
const REQUEST: (i64, i64) = (60_000_000, 3_600_000_000);
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

    /// Before all records of a time.
    fn at(at: i64) -> Cursor {
        Cursor { at, node: i32::MAX, block: i64::MAX, place: i32::MAX }
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
        let (from, to) = match search.request.as_deref().and_then(asked_at) {
            None => (from, to),
            Some(at) => (from.max(at - REQUEST.0), to.min(at + REQUEST.1)),
        };
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
            let (found, next) = self.round(&client, after, limit + 1).await?;
            let more = found.len() > limit;
            for found in found.into_iter().take(limit) {
                after = Some(Cursor::of(&found.place, &found.record));
                if self.is_meant(&found) {
                    page.push(found);
                    if page.len() == limit {
                        return Ok((page, after));
                    }
                }
            }
            match (more, next) {
                (true, _) => {}
                (false, None) => return Ok((page, None)),
                (false, Some(next)) => return Ok((page, Some(next))),
            }
        }
        Ok((page, after))
    }

    /// The newest records after a place, at most so many, of which some may turn out not to be meant; and where to go on, when what there
    /// is to read is too much for once.
    async fn round(
        &self,
        client: &deadpool_postgres::Client,
        after: Option<Cursor>,
        most: usize,
    ) -> Result<(Vec<Found>, Option<Cursor>)> {
        let to = after.map_or(self.to, |after| after.at.min(self.to));
        let sets = clues::sought(&self.view, &self.search, self.feature_box);
        let candidates = Candidates { sets: &sets, from: self.from, to };
        // What is not noted yet comes first: should it be meanwhile, it is seen twice rather than not at all.
        let mut stretches = stretches::ends(&***client).await?;
        stretches.extend(candidates.across(&***client).await?);
        let (mut found, mut read) = (BTreeMap::new(), 0);
        let (mut last, mut size) = ((to, i64::MAX), FIRST_STRETCHES);
        loop {
            read += stretches.len();
            self.read(client, &stretches, after, most, &mut found).await?;
            stretches = candidates.after(&***client, last, size).await?;
            let Some(next) = stretches.first().map(|stretch| stretch.until) else { break };
            // Of what comes no record is newer.
            let is_final = |(cursor, _): (&Reverse<Cursor>, &Found)| cursor.0.at > next;
            if found.len() >= most && found.iter().nth(most - 1).is_some_and(is_final) {
                break;
            }
            if read >= ENOUGH {
                found.retain(|cursor, _| cursor.0.at > next);
                return Ok((found.into_values().take(most).collect(), Some(Cursor::at(next))));
            }
            last = stretches.last().map_or(last, |stretch| (stretch.until, stretch.id));
            size = (size * 2).min(MOST_STRETCHES);
        }
        Ok((found.into_values().take(most).collect(), None))
    }

    /// Adds the newest records of some stretches.
    async fn read(
        &self,
        client: &deadpool_postgres::Client,
        stretches: &[Stretch],
        after: Option<Cursor>,
        most: usize,
        found: &mut BTreeMap<Reverse<Cursor>, Found>,
    ) -> Result<()> {
        let statements: Vec<Sql> = stretches.iter().map(|stretch| self.sql(stretch, after, most)).collect();
        // One behind the other on one connection, without waiting in between.
        let rows = try_join_all(statements.iter().map(|sql| async {
            let statement = client.prepare_typed_cached(sql.text(), &sql.types()).await?;
            let values: Vec<_> = sql.values().collect();
            client.query(&statement, &values).await
        }));
        for row in rows.await?.iter().flatten() {
            let one = self::found(row)?;
            found.insert(Reverse(Cursor::of(&one.place, &one.record)), one);
        }
        while found.len() > most {
            found.pop_last();
        }
        Ok(())
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
            let at = set.tile(tile.zoom.into(), tile.column, tile.row).map(|tile| tile.degrees(clues::TILE_MARGIN));
            at.is_some_and(|[w, s, e, n]| w <= east && e >= west && s <= north && n >= south)
        })
    }

    /// The newest of a stretch.
    fn sql(&self, stretch: &Stretch, after: Option<Cursor>, limit: usize) -> Sql {
        let mut sql = Sql::new("select ");
        sql.push(COLUMNS).push(", ");
        self.certain(&mut sql);
        sql.push(" as certain from onemap.evidence where node = ").bind(Bind::Integer(stretch.node.into()));
        sql.push("::int4 and block >= ").bind(Bind::Integer(stretch.first));
        sql.push(" and block <= ").bind(Bind::Integer(stretch.last));
        sql.push(" and kept_at >= ");
        moment(&mut sql, row::micros(stretch.kept_since));
        sql.push(" and kept_at <= ");
        moment(&mut sql, row::micros(stretch.kept_until));
        self.conditions(&mut sql, after);
        sql.push(" order by at desc, node desc, block desc, place desc limit ").bind(Bind::Integer(limit as i64));
        sql
    }

    /// Whether a feature that is searched for was given, or written, for sure.
    fn certain(&self, sql: &mut Sql) {
        let (Some(layer), Some(feature)) = (&self.search.layer, self.search.feature) else {
            sql.push("true");
            return;
        };
        sql.push("(coalesce(features @> ").bind(Bind::IntegerArray(vec![feature]));
        // Only what tells of the trail of writes has JSON for its detail.
        sql.push(", false) or case when audit_id is not null then detail::jsonb ->> 'id' = ");
        sql.bind(Bind::Text(format!("{layer}/{feature}"))).push(" else false end)");
    }

    fn conditions(&self, sql: &mut Sql, after: Option<Cursor>) {
        sql.push(" and at >= ");
        moment(sql, self.from);
        sql.push(" and at < ");
        moment(sql, self.to);
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
        if search.feature.is_some() {
            sql.push(" and (");
            self.certain(sql);
            sql.push(ABOUT);
            if let Some(feature_box) = self.feature_box {
                meets(sql, feature_box);
            }
            sql.push("))");
        }
        if let View::Department(own) = &self.view {
            sql.push(" and (department = ").bind(Bind::Text(own.clone()));
            sql.push(" or owner = ").bind(Bind::Text(own.clone())).push(")");
        }
        if let Some(Cursor { at, node, block, place }) = after {
            sql.push(" and (at, node, block, place) < (");
            moment(sql, at);
            sql.push(", ").bind(Bind::Integer(node.into())).push(", ").bind(Bind::Integer(block));
            sql.push(", ").bind(Bind::Integer(place.into())).push(")");
        }
    }
}

/// What was given without being noted feature by feature; `clues::is_unnamed` says the same.
const ABOUT: &str = " or (features is null and audit_id is null and status in (200, 206, 304)
    and operation not in ('metadata', 'legend', 'manage', 'edit')
    and (rows > 0 or tiles is not null or operation not in ('features', 'feature', 'identify', 'address'))";

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

/// When a request came, as its id says. A job's has hyphens and tells when it was put, not when it ended.
fn asked_at(request: &str) -> Option<i64> {
    let id = uuid::Uuid::try_parse(request).ok().filter(|_| !request.contains('-'))?;
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Some(i64::try_from(seconds).ok()? * 1_000_000 + i64::from(nanos / 1000))
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
