//! A job's rows, page by page: what was given, what was found, what was decided. An answer out of a layer that the reader may no
//! longer read, or of which the grant opens another part than it did, is not shown; its row and its band are.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use csv::ByteRecord;
use onemap_address::find::{Answer, Query};
use serde_json::{Map, Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

use super::file::{RowsFile, cell, join};
use super::results::{Band, fault_names, level_name};
use super::{AddressJobs, Job};
use crate::access::grant::Read;
use crate::access::principal::Principal;
use crate::address::aliases::{AT, TARGET, Target, target};
use crate::address::answer::{self, rounded};
use crate::address::{Addresses, Readable};
use crate::error::{Error, Result};

/// Candidates shown for a row.
const CANDIDATES: usize = 10;
/// Rows looked at at once for a text.
const LOOKED_AT: i64 = 5_000;
/// How long a page is looked for; then what was found is given, with the place to go on from.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which rows are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub band: Option<Band>,
    pub decided: Option<bool>,
    /// A part of the text or of any value.
    pub q: Option<String>,
    pub after: i64,
    pub limit: i64,
    /// One row, whatever else is said.
    pub row: Option<i64>,
}

/// A row of the results with its decision.
pub(super) struct Found {
    pub row: i64,
    pub at: i64,
    pub band: Band,
    pub score: Option<f32>,
    pub faults: i32,
    pub remainder: String,
    pub alias: bool,
    /// What was found, unless it is withheld.
    pub answer: Option<Target>,
    pub withheld: bool,
    pub decision: Option<Decision>,
}

pub(super) struct Decision {
    pub kind: String,
    pub target: Option<Target>,
    pub by: String,
    pub at: String,
    pub note: String,
    audit: i64,
    follows: Option<i64>,
}

impl Found {
    /// Whether its decision is that on another row of the same text.
    pub fn follows(&self) -> bool {
        self.decision.as_ref().is_some_and(|decision| decision.follows.is_some())
    }

    /// What holds for the row: the decision, else what was found.
    pub fn holds(&self) -> Option<&Target> {
        match &self.decision {
            Some(decision) => decision.target.as_ref(),
            None => self.answer.as_ref(),
        }
    }
}

/// The columns of [`Found`], of the results `r`, the decisions `d` and the divisions `v`.
const FOUND: &str = "r.row, r.at, r.band, r.score, r.faults, r.remainder, r.alias, r.source, r.feature, r.label, r.lon, r.lat, \
    r.level, r.coordinate, v.district, v.town, v.community, d.kind, d.decided_by";
const FIRST_OF_DECISION: usize = 19;

/// What the reader may see of a job's answers: the places of the readable layers in the job's list.
pub(super) struct Seen(Vec<bool>);

impl Seen {
    /// Whether an answer from there may be shown; one that is from no layer may.
    pub fn shows(&self, source: Option<i16>) -> bool {
        source.is_none_or(|s| self.0.get(s as usize).copied().unwrap_or(false))
    }
}

impl AddressJobs {
    pub(super) fn seen(&self, by: &Principal, job: &Job) -> Seen {
        let shows = |(layer, scope): (String, i64)| {
            let grant = self.gate.open::<Read>(by, &layer);
            grant.is_ok_and(|grant| grant.scope().is_all() || grant.scope().fingerprint() as i64 == scope)
        };
        Seen(job.searched().map(shows).collect())
    }

    /// A page of rows as documents, and where the next one begins.
    pub async fn rows(
        &self,
        by: &Principal,
        department: &str,
        id: Uuid,
        wanted: &Wanted,
    ) -> Result<(Vec<Value>, Option<i64>)> {
        let job = self.job(department, id).await?;
        let (begun, mut wanted, mut page) = (Instant::now(), wanted.clone(), vec![]);
        let (limit, q) = (wanted.limit, wanted.q.take().filter(|q| !q.trim().is_empty()));
        wanted.limit = if q.is_some() { LOOKED_AT } else { limit };
        let next = loop {
            let found = self.found(by, &job, &wanted).await?;
            let full = found.len() as i64 == wanted.limit;
            let last = found.last().map(|f| f.row);
            for (found, given) in self.given(&job, found, q.clone()).await? {
                page.push((found, given));
                if page.len() as i64 == limit {
                    break;
                }
            }
            if page.len() as i64 >= limit {
                break page.last().map(|(f, _)| f.row);
            }
            let Some(last) = last.filter(|_| full) else { break None };
            wanted.after = last;
            if q.is_none() || begun.elapsed() > PATIENCE {
                break Some(last);
            }
        };
        let answers = self.candidates(by, &job, &page).await?;
        let documents = page.iter().map(|(found, given)| document(found, given, answers.get(&found.row))).collect();
        Ok((documents, next))
    }

    /// One row as a document.
    pub async fn row(&self, by: &Principal, department: &str, id: Uuid, row: i64) -> Result<Value> {
        let wanted = Wanted { row: Some(row), limit: 1, ..Wanted::default() };
        let (mut rows, _) = self.rows(by, department, id, &wanted).await?;
        rows.pop().ok_or_else(no_row)
    }

    /// Results in the file's order.
    pub(super) async fn found(&self, by: &Principal, job: &Job, wanted: &Wanted) -> Result<Vec<Found>> {
        let seen = self.seen(by, job);
        // Few are decided: then it is from them that the rows are found.
        let decisions = if wanted.decided == Some(true) { "join" } else { "left join" };
        let sql = format!(
            "select {FOUND}, {AT}, d.note, d.audit_id, d.follows, {decision} from {table} r
             {decisions} onemap.address_decision d on d.job_id = $1 and d.job_row = r.row
             left join onemap.address_job_division v on v.job_id = $1 and v.id = r.division
             where ($2::int8 is null or r.row = $2) and r.row > $3 and ($4::int2 is null or r.band = $4)
                 and ($5::bool is null or (d.job_row is not null) = $5)
             order by r.row limit $6",
            decision = TARGET.split(", ").map(|c| format!("d.{c}")).collect::<Vec<_>>().join(", "),
            table = job.table().name(),
        );
        let client = self.database.app().await?;
        let band = wanted.band.map(Band::number);
        let rows =
            client.query(&sql, &[&job.id, &wanted.row, &wanted.after, &band, &wanted.decided, &wanted.limit]).await?;
        Ok(rows.iter().map(|row| found(row, job, &seen, self, by)).collect())
    }

    /// The rows as they were given, of those that hold the text.
    async fn given(&self, job: &Job, found: Vec<Found>, q: Option<String>) -> Result<Vec<(Found, Given)>> {
        let (path, columns) = (self.files.path(job.file), job.chosen()?);
        let names: Vec<String> = job.names().into_iter().map(str::to_owned).collect();
        let work = move || {
            let mut file = RowsFile::open(&path)?;
            let mut rows = vec![];
            for found in found {
                file.go_to(found.at as u64)?;
                let record =
                    file.next()?.ok_or_else(|| Error::internal("a row of an address job is not in its file"))?;
                let given = Given::of(record, &columns, &names)?;
                if q.as_ref().is_none_or(|q| given.holds(q)) {
                    rows.push((found, given));
                }
            }
            Ok(rows)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }

    /// What else could be meant by the rows that somebody has to look at.
    async fn candidates(&self, by: &Principal, job: &Job, page: &[(Found, Given)]) -> Result<HashMap<i64, Vec<Value>>> {
        let texts: Vec<(i64, String)> =
            page.iter().filter(|(f, _)| f.band != Band::Auto).map(|(f, g)| (f.row, g.text.clone())).collect();
        if texts.is_empty() {
            return Ok(HashMap::new());
        }
        let readable = still_readable(&self.addresses, by, job.only.as_deref()).await?;
        let work = move |finder: &mut onemap_address::find::Finder, readable: &Readable| {
            let sources = readable.sources();
            let mut search =
                |text: &str| finder.search(&sources, &Query { text, limit: CANDIDATES, ..Query::default() });
            texts.iter().map(|(row, text)| (*row, candidates(&search(text), readable))).collect()
        };
        self.addresses.finders().with(&readable, work).await
    }

    /// The candidates of one text, as they are shown.
    pub(super) async fn candidates_of(&self, by: &Principal, job: &Job, text: &str) -> Result<(Answer, Readable)> {
        let readable = still_readable(&self.addresses, by, job.only.as_deref()).await?;
        let text = text.to_owned();
        let work = move |finder: &mut onemap_address::find::Finder, readable: &Readable| {
            finder.search(&readable.sources(), &Query { text: &text, limit: CANDIDATES, ..Query::default() })
        };
        let answer = self.addresses.finders().with(&readable, work).await?;
        Ok((answer, readable))
    }

    /// The text of a row.
    pub(super) async fn text_of(&self, job: &Job, at: i64) -> Result<String> {
        let (path, columns) = (self.files.path(job.file), job.chosen()?);
        let work = move || {
            let mut file = RowsFile::open_at(&path, at as u64)?;
            let mut text = String::new();
            join(file.next()?.ok_or_else(no_row)?, &columns, &mut text)?;
            Ok(text)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

pub(super) fn no_row() -> Error {
    Error::not_found("没有这一行，或尚未匹配到这一行", "there is no such row, or it was not matched yet")
}

/// What the principal may search of the layers that a job is limited to: those it may not read any more are left out.
pub(super) async fn still_readable(addresses: &Addresses, by: &Principal, only: Option<&[String]>) -> Result<Readable> {
    let Some(only) = only else { return addresses.readable(by, None).await };
    let mut left = vec![];
    for layer in only {
        match addresses.readable(by, Some(std::slice::from_ref(layer))).await {
            Err(e) if matches!(e.kind, crate::error::Kind::Invalid { .. }) => {}
            // Not ready is not lost.
            _ => left.push(layer.clone()),
        }
    }
    addresses.readable(by, Some(&left)).await
}

/// A row as it was given.
pub(super) struct Given {
    pub text: String,
    pub values: Vec<(String, String)>,
}

impl Given {
    fn of(record: &ByteRecord, columns: &[usize], names: &[String]) -> Result<Given> {
        let mut text = String::new();
        join(record, columns, &mut text)?;
        let value = |(i, name): (usize, &String)| Ok((name.clone(), cell(record, i)?.to_owned()));
        Ok(Given { text, values: names.iter().enumerate().map(value).collect::<Result<_>>()? })
    }
    fn holds(&self, q: &str) -> bool {
        self.text.contains(q) || self.values.iter().any(|(_, value)| value.contains(q))
    }
}

fn found(row: &Row, job: &Job, seen: &Seen, jobs: &AddressJobs, by: &Principal) -> Found {
    let source: Option<i16> = row.get(7);
    let layer = source.and_then(|s| job.sources.get(s as usize));
    let withheld = !seen.shows(source);
    let division = |i: usize| row.get::<_, Option<String>>(i).unwrap_or_default();
    let answer = || {
        Some(Target {
            layer: layer.cloned(),
            feature: row.get(8),
            revision: None,
            label: row.get::<_, Option<String>>(9).unwrap_or_default(),
            lon: row.get::<_, Option<f64>>(10)?,
            lat: row.get::<_, Option<f64>>(11)?,
            match_level: level_name(row.get(12)).into(),
            coordinate_level: level_name(row.get(13)).into(),
            district: division(14),
            town: division(15),
            community: division(16),
        })
    };
    Found {
        row: row.get(0),
        at: row.get(1),
        band: Band::of_number(row.get(2)),
        score: row.get(3),
        faults: row.get(4),
        remainder: row.get::<_, Option<String>>(5).unwrap_or_default(),
        alias: row.get(6),
        answer: if withheld { None } else { answer() },
        withheld,
        decision: row.get::<_, Option<String>>(17).map(|kind| Decision {
            kind,
            target: target(row, FIRST_OF_DECISION + 4)
                .filter(|t| t.layer.as_ref().is_none_or(|layer| jobs.gate.open::<Read>(by, layer).is_ok())),
            by: row.get(18),
            at: row.get(FIRST_OF_DECISION),
            note: row.get(FIRST_OF_DECISION + 1),
            audit: row.get(FIRST_OF_DECISION + 2),
            follows: row.get(FIRST_OF_DECISION + 3),
        }),
    }
}

/// Candidates as the interface has them.
fn candidates(answer: &Answer, readable: &Readable) -> Vec<Value> {
    let document = |candidate: &onemap_address::find::Candidate| {
        let mut document = answer::properties(candidate, readable.layer(candidate.source));
        document["lon"] = degrees(candidate.lon);
        document["lat"] = degrees(candidate.lat);
        document
    };
    answer.candidates.iter().map(document).collect()
}

/// A centimetre and no more.
pub(super) fn degrees(value: f64) -> Value {
    json!((value * 1e7).round() / 1e7)
}

fn document(found: &Found, given: &Given, candidates: Option<&Vec<Value>>) -> Value {
    let values: Map<String, Value> = given.values.iter().map(|(n, v)| (n.clone(), v.clone().into())).collect();
    let answer = found.answer.as_ref();
    json!({
        "row": found.row, "text": given.text, "values": values, "band": found.band.name(),
        "score": found.score.filter(|_| !found.withheld).map(rounded),
        "match_level": answer.map_or("none", |a| &a.match_level),
        "coordinate_level": answer.map_or("none", |a| &a.coordinate_level),
        "source": answer.and_then(|a| a.layer.as_deref()), "feature": answer.and_then(|a| a.feature),
        "label": answer.map(|a| a.label.as_str()), "lon": answer.map(|a| degrees(a.lon)), "lat": answer.map(|a| degrees(a.lat)),
        "faults": fault_names(found.faults), "remainder": found.remainder, "alias": found.alias, "withheld": found.withheld,
        "candidates": candidates.cloned().unwrap_or_default(),
        "decision": found.decision.as_ref().map(decision),
    })
}

fn decision(d: &Decision) -> Value {
    let mut document =
        json!({"kind": d.kind, "by": d.by, "at": d.at, "note": d.note, "audit": d.audit, "follows": d.follows});
    if let Some(t) = &d.target {
        document["source"] = json!(t.layer);
        document["feature"] = json!(t.feature);
        document["label"] = json!(t.label);
        document["lon"] = degrees(t.lon);
        document["lat"] = degrees(t.lat);
    }
    document
}
