//! The questions of one caller: search, suggest, reverse. One function each, for whoever asks over whatever way.

use std::time::Instant;

use futures_util::StreamExt;
use onemap_address::element::Element;
use onemap_address::find::{Answer, Candidate, Fault, LONGEST, Level, Query};
use onemap_address::record::Validity;

use super::answer::Name;
use super::mapping::Target;
use super::{Addresses, Readable, days, sees};
use crate::access::grant::Read;
use crate::access::principal::Principal;
use crate::error::Result;
use crate::layer::points;

/// What is asked for beside the text; as [`Query`], but owned.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub text: String,
    pub limit: usize,
    pub near: Option<(f64, f64)>,
    pub division: Option<String>,
    pub level: Option<Level>,
}

impl Asked {
    pub fn query<'a>(&'a self, text: &'a str) -> Query<'a> {
        Query { text, limit: self.limit, near: self.near, division: self.division.as_deref(), level: self.level }
    }
}

/// A division that a place lies in, by its polygon.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Within {
    pub element: &'static str,
    pub text: String,
    pub source: String,
    pub feature: i64,
}

/// Too long a text is no address, and nobody's time is to be spent on it.
pub fn too_long(text: &str) -> bool {
    text.len() > LONGEST && text.chars().nth(LONGEST).is_some()
}

fn refused(fault: Fault) -> Answer {
    Answer { candidates: vec![], faults: vec![fault], remainder: String::new() }
}

impl Addresses {
    /// Matches a text. The way to write it down is the log of nobody: texts are people's homes.
    pub async fn search(&self, readable: &Readable, asked: Asked) -> Result<Answer> {
        let begun = Instant::now();
        let answer = match asked.text.as_str() {
            text if text.trim().is_empty() => refused(Fault::Empty),
            text if too_long(text) => refused(Fault::TooLong),
            _ => {
                let work = move |finder: &mut onemap_address::find::Finder, readable: &Readable| {
                    finder.search(&readable.sources(), &asked.query(&asked.text))
                };
                self.finders().with(readable, work).await?
            }
        };
        let level = answer.candidates.first().map_or(Level::None, |c| c.match_level);
        count("search", level.name(), begun);
        Ok(answer)
    }

    pub async fn suggest(&self, readable: &Readable, asked: Asked) -> Result<Vec<Candidate>> {
        let begun = Instant::now();
        let found = match asked.text.trim().is_empty() || too_long(&asked.text) {
            true => vec![],
            false => {
                let work = move |finder: &mut onemap_address::find::Finder, readable: &Readable| {
                    finder.suggest(&readable.sources(), &asked.query(&asked.text))
                };
                self.finders().with(readable, work).await?
            }
        };
        count("suggest", if found.is_empty() { "none" } else { "some" }, begun);
        Ok(found)
    }

    /// The nearest addresses, with their distance in metres.
    pub async fn reverse(
        &self,
        readable: &Readable,
        (lon, lat): (f64, f64),
        radius: f64,
        limit: usize,
    ) -> Result<Vec<(Candidate, f64)>> {
        let begun = Instant::now();
        let work = move |finder: &mut onemap_address::find::Finder, readable: &Readable| {
            finder.reverse(&readable.sources(), lon, lat, radius, limit)
        };
        let found = self.finders().with(readable, work).await?;
        count("reverse", found.first().map_or("none", |(c, _)| c.match_level.name()), begun);
        Ok(found)
    }

    /// The divisions whose polygons hold the place, the largest first: of each level one, from the sources that are layers of
    /// divisions and that the caller reads.
    pub async fn divisions(
        &self,
        principal: &Principal,
        only: Option<&[String]>,
        at: (f64, f64),
    ) -> Result<Vec<Within>> {
        let today = days::today();
        let mut chain: Vec<(Element, Within)> = vec![];
        for source in self.sources().snapshot().values() {
            let Some(element) = source.mapping.division() else { continue };
            if only.is_some_and(|only| !only.iter().any(|id| **id == *source.layer)) {
                continue;
            }
            let Ok(grant) = self.0.gate.open::<Read>(principal, &source.layer) else { continue };
            let fields = source.mapping.fields();
            if !sees(grant.scope(), fields.iter().copied()) {
                continue;
            }
            let Ok(layer) = self.0.catalog.published(&grant) else { continue };
            let Some(name) = source.mapping.get(Target::Element(element)) else { continue };
            let terms = [Target::ValidFrom, Target::ValidTo].map(|target| source.mapping.get(target));
            // A term that is not mapped does not limit; the name once more stands for it and is not looked at.
            let fields = [name, terms[0].unwrap_or(name), terms[1].unwrap_or(name)];
            let known = fields.iter().all(|field| layer.state().field(field).is_some());
            let Some(sql) = points::containing(&layer, &grant, &fields, at).filter(|_| known) else { continue };
            let mut rows = self.0.store.read(&grant).await?.rows(&sql).await?;
            // Few rows; but a reading that is left before its end costs its connection.
            while let Some(row) = rows.next().await {
                let row = row?;
                let day = |column: usize, mapped: Option<&str>| -> Result<Option<i32>> {
                    let text = mapped.map(|_| row.try_get::<_, Option<&str>>(column)).transpose()?.flatten();
                    Ok(text.and_then(days::of))
                };
                let valid = Validity::new(day(2, terms[0])?, day(3, terms[1])?);
                let Some(text) = row.try_get::<_, Option<String>>(1)?.filter(|_| valid.holds(today)) else { continue };
                let (source, feature) = (source.layer.to_string(), row.try_get(0)?);
                chain.push((element, Within { element: element.name(), text, source, feature }));
            }
        }
        chain.sort_by_key(|(element, _)| *element);
        chain.dedup_by_key(|(element, _)| *element);
        Ok(chain.into_iter().map(|(_, within)| within).collect())
    }
}

/// Counts by kind and outcome: never by text, place or layer.
fn count(kind: &'static str, outcome: &'static str, begun: Instant) {
    metrics::counter!("onemap_address_searches_total", "kind" => kind, "outcome" => outcome).increment(1);
    metrics::histogram!("onemap_address_seconds", "kind" => kind).record(begun.elapsed().as_secs_f64());
}
