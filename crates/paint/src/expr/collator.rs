//! Comparing texts as a reader would: by their letters first, then by accents and case as far as they are to count.

use std::cmp::Ordering;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Value;

#[derive(Debug, Clone, PartialEq)]
pub struct Collator {
    case: bool,
    diacritic: bool,
    locale: Arc<str>,
}

impl Collator {
    pub fn value(case: bool, diacritic: bool, locale: Option<&str>) -> Value {
        Value::Collator(Arc::new(Collator { case, diacritic, locale: locale.unwrap_or("en").into() }))
    }

    pub fn locale(&self) -> &str {
        &self.locale
    }

    pub fn compare(&self, a: &str, b: &str) -> Ordering {
        let letters =
            |s: &str| -> String { s.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect() };
        let accents = |s: &str| -> String { s.nfd().flat_map(char::to_lowercase).collect() };
        // Small letters come before capitals.
        let cases =
            |s: &str| -> Vec<bool> { s.nfd().filter(|c| !is_combining_mark(*c)).map(char::is_uppercase).collect() };
        let mut order = letters(a).cmp(&letters(b));
        if self.diacritic {
            order = order.then_with(|| accents(a).cmp(&accents(b)));
        }
        if self.case {
            order = order.then_with(|| cases(a).cmp(&cases(b)));
        }
        order
    }
}
