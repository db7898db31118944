//! Statistics for maps, pure: no database, no HTTP.
//!
//! - [`classify`]: class breaks, their counts and a histogram, all of the same values.
//! - [`palette`]: colours that stay apart for colour-blind readers.
//! - [`suppress`]: which counts of a table must not be told, so that no small one can be worked out.
//! - [`join`]: rows of a table to divisions, by code or by name, with a report of what did not fit.

pub mod classify;
pub mod join;
pub mod palette;
pub mod suppress;

/// What is wrong with an input, in Chinese and English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The input's name.
    pub parameter: &'static str,
    pub zh: String,
    pub en: String,
}

impl Problem {
    pub(crate) fn new(parameter: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
        Problem { parameter, zh: zh.into(), en: en.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.parameter, self.en)
    }
}

impl std::error::Error for Problem {}
