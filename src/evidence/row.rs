//! Records as rows of the database, there and back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onemap_evidence::{Kept, Record};
use postgres_types::{ToSql, Type};
use tokio_postgres::Row;

use crate::error::Result;

/// The columns in the order in which they are written, and read from column 5 on.
pub const COLUMNS: &str = "kept_at, node, block, place, digest_check, at, department, who, address, origin, operation, layer, owner, \
     revision, grant_id, purpose, request, status, complete, requests, \"rows\", bytes, extent, filter, fields, features, tiles, \
     audit_id, detail";

pub fn types() -> Vec<Type> {
    vec![
        Type::TIMESTAMPTZ,
        Type::INT4,
        Type::INT8,
        Type::INT4,
        Type::INT8,
        Type::TIMESTAMPTZ,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::INT4,
        Type::INT8,
        Type::TEXT,
        Type::TEXT,
        Type::INT2,
        Type::BOOL,
        Type::INT4,
        Type::INT8,
        Type::INT8,
        Type::FLOAT8_ARRAY,
        Type::TEXT,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::BYTEA,
        Type::INT8,
        Type::TEXT,
    ]
}

/// Where a record lies.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub kept_at: SystemTime,
    pub node: i32,
    pub block: i64,
    pub place: i32,
    pub check: i64,
}

/// A row's values, in the order of the columns.
pub struct Values<'a> {
    place: Place,
    at: SystemTime,
    extent: Option<Vec<f64>>,
    texts: [Option<&'a str>; 11],
    record: &'a Record,
}

impl<'a> Values<'a> {
    pub fn new(place: Place, record: &'a Record) -> Values<'a> {
        let r = record;
        let texts = [
            r.department.as_deref(),
            Some(&*r.who),
            r.address.as_deref(),
            r.origin.as_deref(),
            Some(&*r.operation),
            r.layer.as_deref(),
            r.owner.as_deref(),
            r.purpose.as_deref(),
            r.request.as_deref(),
            r.filter.as_deref(),
            r.detail.as_deref(),
        ];
        Values { place, at: time(r.at), extent: r.extent.map(|extent| extent.to_vec()), texts, record }
    }

    pub fn all(&self) -> [&(dyn ToSql + Sync); 29] {
        let (place, r) = (&self.place, self.record);
        let [department, who, address, origin, operation, layer, owner, purpose, request, filter, detail] = &self.texts;
        [
            &place.kept_at,
            &place.node,
            &place.block,
            &place.place,
            &place.check,
            &self.at,
            department,
            who,
            address,
            origin,
            operation,
            layer,
            owner,
            &r.revision,
            &r.grant,
            purpose,
            request,
            &r.status,
            &r.complete,
            &r.requests,
            &r.rows,
            &r.bytes,
            &self.extent,
            filter,
            &r.fields,
            &r.features,
            &r.tiles,
            &r.audit,
            detail,
        ]
    }
}

/// A row of `COLUMNS`.
pub fn read(row: &Row) -> Result<(Place, Record)> {
    let place = Place {
        kept_at: row.try_get(0)?,
        node: row.try_get(1)?,
        block: row.try_get(2)?,
        place: row.try_get(3)?,
        check: row.try_get(4)?,
    };
    let text = |column: usize| row.try_get::<_, Option<&str>>(column).map(|text| text.map(Into::into));
    let extent: Option<Vec<f64>> = row.try_get(22)?;
    let record = Record {
        at: micros(row.try_get(5)?),
        department: text(6)?,
        who: row.try_get::<_, &str>(7)?.into(),
        address: text(8)?,
        origin: text(9)?,
        operation: row.try_get::<_, &str>(10)?.into(),
        layer: text(11)?,
        owner: text(12)?,
        revision: row.try_get(13)?,
        grant: row.try_get(14)?,
        purpose: text(15)?,
        request: text(16)?,
        status: row.try_get(17)?,
        complete: row.try_get(18)?,
        requests: row.try_get(19)?,
        rows: row.try_get(20)?,
        bytes: row.try_get(21)?,
        extent: extent.and_then(|extent| extent.try_into().ok()),
        filter: text(23)?,
        fields: row.try_get(24)?,
        features: row.try_get(25)?,
        tiles: row.try_get(26)?,
        audit: row.try_get(27)?,
        detail: text(28)?,
    };
    Ok((place, record))
}

/// The same as verification takes it.
pub fn kept(row: &Row) -> Result<(Place, Kept)> {
    let (place, record) = read(row)?;
    Ok((place, Kept { place: place.place, check: place.check, record }))
}

/// A moment of the database, which counts microseconds.
pub fn time(micros: i64) -> SystemTime {
    let distance = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

pub fn micros(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_micros() as i64,
        Err(before) => -(before.duration().as_micros() as i64),
    }
}

/// RFC 3339, to the millisecond.
pub fn shown(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_go_there_and_back() {
        for at in [0, 1_790_000_000_123_456, -1_000_001] {
            assert_eq!(micros(time(at)), at);
        }
        assert_eq!(shown(1_790_000_000_123_456), "2026-09-21T14:13:20.123Z");
        assert_eq!(types().len(), COLUMNS.split(',').count());
    }
}
