//! What a job found: one table, a row for each row of the file, written in binary and read in the file's order. Lean: a million rows
//! are some 150 MB, so levels and faults are numbers, layers and divisions stand in lists of their own, and the given columns stay in
//! the file, of which `at` is the row's place.

use onemap_address::find::{Fault, Level};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::address::answer::Name;
use crate::db::sql::Ident;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Taken as it is.
    Auto,
    /// Worth a human look.
    Review,
    /// Nothing worth a look was found.
    Reject,
}

impl Band {
    pub const ALL: [Band; 3] = [Band::Auto, Band::Review, Band::Reject];
    pub fn name(self) -> &'static str {
        match self {
            Band::Auto => "auto",
            Band::Review => "review",
            Band::Reject => "reject",
        }
    }
    pub fn parse(name: &str) -> Option<Band> {
        Band::ALL.into_iter().find(|b| b.name() == name)
    }
    pub fn number(self) -> i16 {
        self as i16
    }
    pub fn of_number(number: i16) -> Band {
        Band::ALL.get(number as usize).copied().unwrap_or(Band::Reject)
    }

    /// Where an answer belongs. A high score says that the place is what the text means; that it is the whole of what the text means
    /// only the faults tell: a door that does not exist is answered by its road, and somebody should look at that.
    pub fn of(score: Option<f32>, faults: &[Fault], auto: f32, reject: f32) -> Band {
        let doubtful = faults.iter().any(|f| {
            use Fault::{Ambiguous, Expired, NumberNotFound, RoadNotFound, SeveralAddresses};
            matches!(f, Ambiguous | Expired | NumberNotFound | RoadNotFound | SeveralAddresses)
        });
        match score {
            Some(score) if score >= auto && !doubtful => Band::Auto,
            Some(score) if score >= reject => Band::Review,
            _ => Band::Reject,
        }
    }
}

/// The place of a name in the list of its kind; the lists' order is what is stored.
fn place<T: Name + PartialEq>(value: T) -> usize {
    T::NAMES.iter().position(|(v, _)| *v == value).unwrap_or_default()
}

pub fn level_number(level: Level) -> i16 {
    place(level) as i16
}

pub fn level_name(number: i16) -> &'static str {
    Level::NAMES.get(number as usize).map_or("none", |(_, name)| name)
}

pub fn fault_bits(faults: &[Fault]) -> i32 {
    faults.iter().fold(0, |bits, f| bits | 1 << place(*f))
}

pub fn fault_names(bits: i32) -> Vec<&'static str> {
    Fault::NAMES.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, (_, name))| *name).collect()
}

/// How many rows fell where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub bands: [i64; 3],
    levels: Vec<i64>,
    faults: Vec<i64>,
}

impl Tally {
    pub fn count(&mut self, band: Band, level: i16, faults: i32) {
        self.bands[band as usize] += 1;
        add(&mut self.levels, level as usize, 1);
        for bit in (0..Fault::NAMES.len()).filter(|bit| faults & (1 << bit) != 0) {
            add(&mut self.faults, bit, 1);
        }
    }
    pub fn merge(&mut self, other: &Tally) {
        for (mine, more) in self.bands.iter_mut().zip(other.bands) {
            *mine += more;
        }
        other.levels.iter().enumerate().for_each(|(i, n)| add(&mut self.levels, i, *n));
        other.faults.iter().enumerate().for_each(|(i, n)| add(&mut self.faults, i, *n));
    }
    pub fn levels(&self) -> Map<String, Value> {
        named(&self.levels, |i| level_name(i as i16))
    }
    pub fn faults(&self) -> Map<String, Value> {
        named(&self.faults, |i| Fault::NAMES.get(i).map_or("", |(_, name)| name))
    }
}

fn add(counts: &mut Vec<i64>, at: usize, more: i64) {
    if counts.len() <= at {
        counts.resize(at + 1, 0);
    }
    counts[at] += more;
}

fn named(counts: &[i64], name: impl Fn(usize) -> &'static str) -> Map<String, Value> {
    counts.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, n)| (name(i).to_owned(), (*n).into())).collect()
}

/// The job's table.
#[derive(Debug, Clone)]
pub struct Table(String);

const COLUMNS: &str = "row, at, division, faults, score, band, level, coordinate, source, feature, lon, lat, alias, label, remainder, text_number";
const WIDTH: i16 = 16;

impl Table {
    pub fn of(job: Uuid) -> Table {
        Table(format!("address.{}", Ident(&format!("r{}", job.simple()))))
    }
    /// As it stands in statements.
    pub fn name(&self) -> &str {
        &self.0
    }
    pub fn create(&self) -> String {
        format!(
            "create table {} (row int8 primary key, at int8 not null, division int4, faults int4 not null, score float4,
             band int2 not null, level int2 not null, coordinate int2 not null, source int2, feature int8, lon float8,
             lat float8, alias bool not null, label text, remainder text, text_number int8) with (autovacuum_enabled = off)",
            self.0
        )
    }
    pub fn copy(&self) -> String {
        format!("copy {} ({COLUMNS}) from stdin (format binary)", self.0)
    }
    pub fn drop(&self) -> String {
        format!("drop table if exists {}", self.0)
    }
    /// What makes a finished table quick to look through.
    pub fn finish(&self) -> String {
        let index =
            |of: &str| Ident(&format!("{}_{of}", self.0.trim_start_matches("address.").trim_matches('"'))).to_string();
        format!(
            "create index if not exists {by_band} on {table} (band, row);
             create index if not exists {by_text} on {table} (text_number); analyze {table};
             alter table {table} reset (autovacuum_enabled)",
            by_band = index("band"),
            by_text = index("text"),
            table = self.0
        )
    }
}

/// One row's result.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    pub row: i64,
    pub at: i64,
    pub band: Band,
    pub faults: i32,
    pub answer: Option<Answered<'a>>,
    pub remainder: &'a str,
    /// Answered by what somebody decided for this text.
    pub alias: bool,
    /// The number of the text ([`text_number`]).
    pub text: Option<i64>,
}

/// The same for all spellings of a text that decisions do not tell apart, given their key ([`onemap_address::find::alias_key`]). None
/// for a text that comes to nothing. Two of ten million texts have the same number once in 400,000 jobs.
pub fn text_number(key: &str) -> Option<i64> {
    (!key.is_empty()).then(|| xxhash_rust::xxh3::xxh3_64(key.as_bytes()) as i64)
}

#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    pub score: f32,
    pub level: i16,
    pub coordinate: i16,
    pub source: Option<i16>,
    pub feature: Option<i64>,
    pub lon: f64,
    pub lat: f64,
    pub division: Option<i32>,
    pub label: &'a str,
}

/// A piece of a binary COPY stream.
#[derive(Default)]
pub struct Rows(Vec<u8>);

impl Rows {
    pub fn begin() -> Rows {
        let mut bytes = Vec::with_capacity(512 << 10);
        bytes.extend_from_slice(crate::layer::copy::HEADER);
        Rows(bytes)
    }
    pub fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(crate::layer::copy::TRAILER);
        self.0
    }

    /// In the order of `COLUMNS`.
    pub fn push(&mut self, o: &Outcome<'_>) {
        self.0.extend_from_slice(&WIDTH.to_be_bytes());
        let a = o.answer.as_ref();
        self.put(Some(o.row.to_be_bytes()));
        self.put(Some(o.at.to_be_bytes()));
        self.put(a.and_then(|a| a.division).map(i32::to_be_bytes));
        self.put(Some(o.faults.to_be_bytes()));
        self.put(a.map(|a| a.score.to_be_bytes()));
        self.put(Some(o.band.number().to_be_bytes()));
        self.put(Some(a.map_or(0, |a| a.level).to_be_bytes()));
        self.put(Some(a.map_or(0, |a| a.coordinate).to_be_bytes()));
        self.put(a.and_then(|a| a.source).map(i16::to_be_bytes));
        self.put(a.and_then(|a| a.feature).map(i64::to_be_bytes));
        self.put(a.map(|a| a.lon.to_be_bytes()));
        self.put(a.map(|a| a.lat.to_be_bytes()));
        self.put(Some([u8::from(o.alias)]));
        self.text(a.map(|a| a.label));
        self.text(Some(o.remainder).filter(|r| !r.is_empty()));
        self.put(o.text.map(i64::to_be_bytes));
    }

    fn put<const N: usize>(&mut self, value: Option<[u8; N]>) {
        match value {
            None => self.0.extend_from_slice(&(-1i32).to_be_bytes()),
            Some(bytes) => {
                self.0.extend_from_slice(&(N as i32).to_be_bytes());
                self.0.extend_from_slice(&bytes);
            }
        }
    }

    fn text(&mut self, value: Option<&str>) {
        match value {
            None => self.put::<0>(None),
            Some(text) => {
                self.0.extend_from_slice(&(text.len() as i32).to_be_bytes());
                self.0.extend_from_slice(text.as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_high_score_with_a_missing_door_is_for_review() {
        assert_eq!(Band::of(Some(0.95), &[], 0.9, 0.3), Band::Auto);
        assert_eq!(Band::of(Some(0.95), &[Fault::Typo], 0.9, 0.3), Band::Auto);
        assert_eq!(Band::of(Some(0.95), &[Fault::NumberNotFound], 0.9, 0.3), Band::Review);
        assert_eq!(Band::of(Some(0.29), &[], 0.9, 0.3), Band::Reject);
        assert_eq!(Band::of(None, &[], 0.9, 0.0), Band::Reject);
    }

    #[test]
    fn tallies_add_up() {
        let mut a = Tally::default();
        a.count(Band::Auto, level_number(Level::Room), 0);
        let mut b = Tally::default();
        b.count(Band::Review, level_number(Level::Road), fault_bits(&[Fault::NumberNotFound, Fault::Typo]));
        a.merge(&b);
        assert_eq!(a.bands, [1, 1, 0]);
        assert_eq!(Value::from(a.levels()), serde_json::json!({"room": 1, "road": 1}));
        assert_eq!(Value::from(a.faults()), serde_json::json!({"number_not_found": 1, "typo": 1}));
    }
}
