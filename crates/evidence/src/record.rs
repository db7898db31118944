//! One access, and the bytes that stand for it in the chain.

use std::sync::Arc;

use sm3::{Digest as _, Sm3};

use crate::chain::Digest;

/// The form of the bytes; another form has another number, so that none can pass for the other.
const FORM: u8 = 1;

/// An access: who, when, from where, what, under which grant, with which result. What is not known or does not apply is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// The unit that asked; none for the anonymous.
    pub department: Option<Arc<str>>,
    /// `person:…`, `key:…` (its id, never its secret), `operator` or `anonymous`.
    pub who: Arc<str>,
    /// The caller's network address.
    pub address: Option<Arc<str>>,
    /// The host of the page that asked (Origin, else Referer).
    pub origin: Option<Arc<str>>,
    pub operation: Arc<str>,
    pub layer: Option<Arc<str>>,
    /// The unit that the layer belonged to at that time.
    pub owner: Option<Arc<str>>,
    pub revision: Option<i32>,
    pub grant: Option<i64>,
    pub purpose: Option<Arc<str>>,
    /// The request's id, or the job's.
    pub request: Option<Arc<str>>,
    /// As HTTP says it; a job's is 200 or 500.
    pub status: i16,
    /// Whether the answer was given to its end. A file has two records: one, not complete, before its first bytes.
    pub complete: bool,
    /// How many requests the record stands for: more than one for tiles, none for the first record of a file.
    pub requests: i32,
    /// Rows of the layer that were given.
    pub rows: i64,
    pub bytes: i64,
    /// West, south, east, north in degrees (EPSG:4490): what was asked for.
    pub extent: Option<[f64; 4]>,
    /// The conditions on rows, as they were asked.
    pub filter: Option<Arc<str>>,
    /// The fields that were given; none means all of the revision's.
    pub fields: Option<Vec<String>>,
    /// The ids of the features that were given, ascending; none when they are not known one by one.
    pub features: Option<Vec<i64>>,
    /// See [`crate::TileList`].
    pub tiles: Option<Vec<u8>>,
    /// The row of the trail of writes that this stands for.
    pub audit: Option<i64>,
    /// What that row says, as JSON.
    pub detail: Option<Arc<str>>,
}

impl Record {
    /// The record's bytes: a form number, then each member in a fixed order. Numbers are big-endian, texts and lists begin with their
    /// length, what may be missing with a byte that says whether it is there: no two records have the same bytes.
    pub fn canonical(&self, out: &mut Vec<u8>) {
        out.push(FORM);
        number(out, self.at);
        optional(out, self.department.as_deref(), text);
        text(out, &self.who);
        optional(out, self.address.as_deref(), text);
        optional(out, self.origin.as_deref(), text);
        text(out, &self.operation);
        optional(out, self.layer.as_deref(), text);
        optional(out, self.owner.as_deref(), text);
        optional(out, self.revision, |out, v| number(out, v.into()));
        optional(out, self.grant, number);
        optional(out, self.purpose.as_deref(), text);
        optional(out, self.request.as_deref(), text);
        number(out, self.status.into());
        out.push(self.complete.into());
        number(out, self.requests.into());
        number(out, self.rows);
        number(out, self.bytes);
        optional(out, self.extent, |out, v| v.iter().for_each(|part| out.extend(part.to_bits().to_be_bytes())));
        optional(out, self.filter.as_deref(), text);
        optional(out, self.fields.as_ref(), |out, v| {
            length(out, v.len());
            v.iter().for_each(|field| text(out, field));
        });
        optional(out, self.features.as_ref(), |out, v| {
            length(out, v.len());
            v.iter().for_each(|id| number(out, *id));
        });
        optional(out, self.tiles.as_deref(), bytes);
        optional(out, self.audit, number);
        optional(out, self.detail.as_deref(), text);
    }

    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(256);
        self.canonical(&mut bytes);
        Sm3::digest(&bytes).into()
    }
}

/// The part of a record's digest that is kept beside it: it tells which of a block's records was changed. That none was is what the
/// block's digest says.
pub fn check(digest: &Digest) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}

fn number(out: &mut Vec<u8>, value: i64) {
    out.extend(value.to_be_bytes());
}

fn length(out: &mut Vec<u8>, value: usize) {
    out.extend((value as u64).to_be_bytes());
}

fn text(out: &mut Vec<u8>, value: &str) {
    bytes(out, value.as_bytes());
}

fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    length(out, value.len());
    out.extend_from_slice(value);
}

fn optional<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(value.is_some().into());
    if let Some(value) = value {
        write(out, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Record {
        Record {
            at: 1_790_000_000_000_001,
            department: Some("health".into()),
            who: "person:li".into(),
            address: Some("10.1.2.3".into()),
            origin: Some("map.example".into()),
            operation: "features".into(),
            layer: Some("building".into()),
            owner: Some("housing".into()),
            revision: Some(3),
            grant: Some(7),
            purpose: Some("防疫".into()),
            request: Some("r".into()),
            status: 200,
            complete: true,
            requests: 1,
            rows: 2,
            bytes: 512,
            extent: Some([120.0, 36.0, 121.0, 37.0]),
            filter: Some("floors > 6".into()),
            fields: Some(vec!["name".into()]),
            features: Some(vec![1, 2]),
            tiles: Some(vec![1]),
            audit: Some(9),
            detail: Some("{}".into()),
        }
    }

    #[test]
    fn every_member_counts() {
        let changes: [fn(&mut Record); 24] = [
            |r| r.at += 1,
            |r| r.department = None,
            |r| r.who = "person:l".into(),
            |r| r.address = Some("10.1.2.4".into()),
            |r| r.origin = None,
            |r| r.operation = "file".into(),
            |r| r.layer = Some("buildings".into()),
            |r| r.owner = None,
            |r| r.revision = Some(4),
            |r| r.grant = None,
            |r| r.purpose = Some("".into()),
            |r| r.request = None,
            |r| r.status = 403,
            |r| r.complete = false,
            |r| r.requests = 2,
            |r| r.rows = 3,
            |r| r.bytes = 511,
            |r| r.extent = Some([120.0, 36.0, 121.0, 37.0 + f64::EPSILON * 64.0]),
            |r| r.filter = None,
            |r| r.fields = Some(vec!["nam".into(), "e".into()]),
            |r| r.features = Some(vec![1, 3]),
            |r| r.tiles = Some(vec![]),
            |r| r.audit = None,
            |r| r.detail = Some("{ }".into()),
        ];
        for (i, change) in changes.iter().enumerate() {
            let mut other = full();
            change(&mut other);
            assert_ne!(other.digest(), full().digest(), "change {i}");
        }
    }

    #[test]
    fn neighbouring_texts_do_not_run_into_each_other() {
        let of = |address: &str, origin: &str| Record {
            address: Some(address.into()),
            origin: Some(origin.into()),
            ..Record::default()
        };
        assert_ne!(of("ab", "c").digest(), of("a", "bc").digest());
        let only = |layer: Option<&str>, owner: Option<&str>| Record {
            layer: layer.map(Into::into),
            owner: owner.map(Into::into),
            ..Record::default()
        };
        assert_ne!(only(Some("x"), None).digest(), only(None, Some("x")).digest());
    }
}
