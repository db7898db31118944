//! Finding: match a text, suggest while somebody types, look up a place. Over the segments that the caller hands in, and nothing else.

mod alike;
mod answer;
mod dull;
mod fit;
pub(crate) mod inner;
mod mention;
pub mod odds;
mod reverse;
mod search;
mod street;
mod suggest;

use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};

use crate::element::Element;
use crate::record::Validity;
use crate::segment::Segment;
use crate::text::{Kind, Text};
use mention::Division;
use search::{Scored, Scratch, Search};

/// A segment as one caller sees it.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub segment: &'a Segment,
    /// Rows that are not there for this caller: outside of the grant, or replaced by an edit. None: all are there.
    pub hidden: Option<&'a RoaringTreemap>,
    /// Rows that are there; None: all. A row must be in here and not in `hidden`.
    pub visible: Option<&'a RoaringTreemap>,
    /// `visible` are the rows whose points lie in an area: of any other place it is not known whether the caller may see it.
    pub by_area: bool,
    /// Of two equally good answers the one of the smaller number comes first.
    pub priority: u8,
    /// The caller's: comes back in [`Candidate::source`].
    pub tag: u32,
}

impl Source<'_> {
    /// Whether the caller may see a row.
    pub fn shows(&self, id: u64) -> bool {
        self.visible.is_none_or(|v| v.contains(id)) && self.hidden.is_none_or(|h| !h.contains(id))
    }
}

/// How precisely the text named a place, and how precisely the coordinates say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    None,
    District,
    Street,
    Village,
    Road,
    Intersection,
    /// The number does not exist; the place was put between its neighbours of the same side.
    Interpolated,
    Poi,
    Number,
    Compound,
    Building,
    Unit,
    Room,
}

/// What became of one element of the text, or of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Agree,
    /// The same but for a slip of the pen: another character of the same sound or shape, one missing.
    Similar,
    /// In the candidate, not in the text.
    Absent,
    /// In the text, otherwise in the candidate.
    Conflict,
}

/// What is wrong with the text, as far as it matters to whoever reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    Empty,
    TooLong,
    /// Nothing in it looks like an address.
    NotAnAddress,
    /// It names a city or province that no source covers.
    OtherPlace,
    /// Several places fit equally well.
    Ambiguous,
    NumberNotFound,
    RoadNotFound,
    DivisionConflict,
    OldName,
    Typo,
    /// The row that was found holds no more, or not yet.
    Expired,
    /// Two addresses in one text; the first was answered.
    SeveralAddresses,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'a> {
    pub text: &'a str,
    /// At most so many candidates; 0 is taken as 1.
    pub limit: usize,
    /// Prefers what is near among otherwise equal candidates.
    pub near: Option<(f64, f64)>,
    /// Only what lies in this division (a name or the beginning of a name at any level).
    pub division: Option<&'a str>,
    /// Only candidates at least as precise.
    pub level: Option<Level>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Named {
    pub element: Element,
    pub text: String,
    pub verdict: Verdict,
}

#[derive(Debug, Clone)]
pub struct Candidate {
    /// [`Source::tag`] of where it comes from.
    pub source: u32,
    /// [`crate::record::Address::id`] of its row; None for a place that no single row stands for (a road, an interpolated number).
    pub id: Option<u64>,
    /// The row's own key, if the source has one.
    pub key: Option<String>,
    /// The standard form.
    pub label: String,
    pub lon: f64,
    pub lat: f64,
    /// Calibrated: of candidates with 0.9, nine in ten are right.
    pub score: f32,
    pub match_level: Level,
    pub coordinate_level: Level,
    pub elements: Vec<Named>,
    /// From when to when its row holds; always for a place that no single row stands for.
    pub valid: Validity,
    /// The named parts that the score was made of, 0 to 1 each.
    pub parts: Vec<(&'static str, f32)>,
}

#[derive(Debug, Clone)]
pub struct Answer {
    /// Best first; empty when there is none.
    pub candidates: Vec<Candidate>,
    pub faults: Vec<Fault>,
    /// What of the text nothing explains.
    pub remainder: String,
}

/// The score from which on an answer may be taken without a human look.
pub const AUTO: f32 = 0.9;
/// The score below which an answer is not worth a look.
pub const REJECT: f32 = 0.3;

/// The longest text that is looked at, in characters.
pub const LONGEST: usize = 1000;

/// A text that is matched no better than this is tried as pinyin, if it may be.
const SPOKEN_FROM: f32 = 0.9;

/// Matches texts. A `Finder` keeps what a thread needs between texts; make one for each thread.
#[derive(Default)]
pub struct Finder {
    text: Text,
    dull: Vec<bool>,
    bracketed: Vec<bool>,
    divisions: Vec<Division>,
    scratch: Vec<Scratch>,
    found: Vec<Scored>,
    /// The text holds a second address.
    several: bool,
    /// The day on which rows have to hold, in days since 1970; none: whatever ever held.
    pub day: Option<i32>,
}

impl Finder {
    pub fn new() -> Finder {
        Finder::default()
    }

    /// Matches one text.
    pub fn search(&mut self, sources: &[Source<'_>], query: &Query<'_>) -> Answer {
        let none =
            |fault| Answer { candidates: Vec::new(), faults: vec![fault], remainder: query.text.trim().to_owned() };
        if query.text.chars().count() > LONGEST {
            return none(Fault::TooLong);
        }
        self.read(query.text);
        if self.text.is_empty() {
            return none(Fault::Empty);
        }
        if dull::no_address(&self.text) {
            return none(Fault::NotAnAddress);
        }
        self.found.clear();
        self.over(sources, false);
        if self.cheapest() > SPOKEN_FROM
            && let Some(spoken) = self.text.spoken()
        {
            self.text = spoken;
            self.mark();
            self.over(sources, true);
        }
        let strange = self.found.is_empty() && self.divisions.iter().any(|d| d.level <= Element::City && !d.short);
        let mut answer = answer::make(sources, query, &self.text, &self.dull, strange, &mut self.found);
        if self.several {
            answer.faults.push(Fault::SeveralAddresses);
        }
        if answer.candidates.first().is_some_and(|best| self.by_former_name(best)) {
            answer.faults.push(Fault::OldName);
        }
        answer
    }

    /// Searches all sources: for the text as it stands, and only if none of them has it for what it may have meant.
    fn over(&mut self, sources: &[Source<'_>], spoken: bool) {
        if self.scratch.len() < sources.len() {
            self.scratch.resize_with(sources.len(), Scratch::default);
        }
        for meant in [false, true] {
            if meant && self.cheapest() <= search::FAIR {
                break;
            }
            for (number, source) in sources.iter().enumerate() {
                let Ok(view) = source.segment.view() else { continue };
                let (t, dull, bracketed) = (&self.text, &self.dull[..], &self.bracketed[..]);
                let day = self.day;
                let (divisions, out) = (&self.divisions[..], &mut self.found);
                let mut search = Search { view, source, number, t, dull, bracketed, divisions, spoken, day, out };
                let scratch = &mut self.scratch[number];
                if meant { search.as_meant(scratch) } else { search.as_written(scratch) }
            }
        }
    }

    /// What the best of all candidates so far costs.
    fn cheapest(&self) -> f32 {
        self.found.iter().map(Scored::total).fold(f32::MAX, f32::min)
    }

    /// Whether the text names a division of the candidate by a former name.
    fn by_former_name(&self, best: &Candidate) -> bool {
        self.divisions.iter().filter(|d| d.old && !d.short).any(|d| {
            let present = crate::text::key(&crate::gazetteer::gazetteer().name(d.id));
            let agrees = |n: &Named| n.verdict == Verdict::Agree && crate::text::key(&n.text) == present;
            self.text.units[d.from..d.to] != present
                && best.elements.iter().any(|n| n.element <= Element::District && agrees(n))
        })
    }

    fn read(&mut self, text: &str) {
        self.text.read(text);
        self.mark();
        if let Some(start) = mention::behind(&self.text, &self.divisions) {
            let at = self.text.starts[start] as usize;
            let (street, divisions): (String, String) =
                (text.chars().take(at).collect(), text.chars().skip(at).collect());
            self.text.read(&format!("{divisions} {street}"));
            self.mark();
        }
    }

    /// Marks what in the text is no address, or stands in brackets.
    fn mark(&mut self) {
        dull::mark(&self.text, &mut self.dull);
        mention::divisions(&self.text, &mut self.divisions);
        mention::addressee(&self.text, &self.divisions, &mut self.dull);
        self.several = mention::second_address(&self.text, &self.divisions, &mut self.dull);
        self.bracketed.clear();
        let mut depth = 0;
        for (u, k) in self.text.units.iter().zip(&self.text.kinds) {
            let sign = *k == Kind::Sign;
            depth += i32::from(sign && *u == 0x28);
            self.bracketed.push(depth > 0);
            depth -= i32::from(sign && *u == 0x29 && depth > 0);
        }
    }

    /// Completions of what was typed so far: Chinese, pinyin, initials.
    pub fn suggest(&mut self, sources: &[Source<'_>], query: &Query<'_>) -> Vec<Candidate> {
        suggest::suggest(self, sources, query)
    }

    /// The nearest addresses within `radius` metres, nearest first, with their distance in metres.
    pub fn reverse(
        &mut self,
        sources: &[Source<'_>],
        lon: f64,
        lat: f64,
        radius: f64,
        limit: usize,
    ) -> Vec<(Candidate, f64)> {
        reverse::nearest(sources, self.day, (lon, lat), radius, limit)
    }
}

/// One key for all spellings of a text that mean the same to a reader: what decisions of people are kept under.
pub fn alias_key(text: &str) -> String {
    crate::text::show(&Text::of(text).units)
}
