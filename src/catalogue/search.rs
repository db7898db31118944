//! Searching the catalogue: by words, by what a record is and by how it deviates, with counts of each kind.
//!
//! Words are looked up by the pairs of their characters (`onemap.grams`, a GIN index), longer ones then held against the text itself; so a
//! search costs by what it finds, and Chinese needs no dictionary. Every count is made of the very rows that are found.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio_postgres::types::ToSql;

use super::model::{FIELDS_CHANGED, FROM, OVERDUE, Record, UNUSED, columns, record};
use super::{Catalogue, VISIBLE};
use crate::access::principal::Principal;
use crate::error::{Error, Result};

/// Records of one page at most.
pub const MOST: i64 = 200;
/// Words of one search, and characters of each.
const MOST_WORDS: usize = 8;
const LONGEST_WORD: usize = 60;

/// The ways in which a record can deviate.
pub const DRIFTS: [&str; 3] = ["fields_changed", "update_overdue", "unused"];
/// What records are counted by.
pub const FACETS: [&str; 5] = ["theme", "department", "kind", "share_class", "openness"];

#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub q: Option<String>,
    pub theme: Option<String>,
    pub department: Option<String>,
    pub kind: Option<String>,
    pub share_class: Option<String>,
    pub openness: Option<String>,
    /// The beginning of codes: a 类, 项 or 目.
    pub category: Option<String>,
    pub drift: Option<String>,
    /// The code after which the page begins.
    pub after: Option<String>,
    pub limit: i64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Found {
    pub matched: i64,
    /// Of each facet its values with their counts, the most frequent first.
    pub facets: Map<String, Value>,
    pub records: Vec<Record>,
    /// The `after` of the next page.
    pub next: Option<String>,
}

/// The words of a search, in lower case.
fn words(q: &str) -> Result<Vec<String>> {
    let words: Vec<String> = q.split_whitespace().map(str::to_lowercase).collect();
    let long = words.iter().any(|w| w.chars().count() > LONGEST_WORD);
    match words.len() > MOST_WORDS || long {
        true => Err(Error::invalid("q", "最多 8 个词，每词最多 60 个字", "8 words of 60 characters at most")),
        false => Ok(words),
    }
}

/// What a record with these words has among its grams: the pairs of longer words, the characters of single ones.
fn grams(words: &[String]) -> Vec<String> {
    let of_word = |word: &String| {
        let characters: Vec<char> = word.chars().collect();
        characters.windows(characters.len().min(2)).map(String::from_iter).collect::<Vec<String>>()
    };
    words.iter().flat_map(of_word).collect()
}

/// A pattern for `like` that means the word itself.
fn pattern(word: &str) -> String {
    let escaped = word.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    format!("%{escaped}%")
}

impl Catalogue {
    pub async fn search(&self, by: &Principal, wanted: &Wanted) -> Result<Found> {
        let words = words(wanted.q.as_deref().unwrap_or_default())?;
        // A word of one or two characters is a gram itself.
        let long = words.iter().filter(|w| w.chars().count() > 2);
        let patterns: Vec<String> = long.map(|w| pattern(w)).collect();
        let grams = grams(&words);
        let department = by.department.as_deref();
        let category = wanted.category.as_ref().map(|c| format!("{}%", c.replace(['%', '_', '\\'], "?")));
        let drift = match wanted.drift.as_deref() {
            None => "true",
            Some("fields_changed") => FIELDS_CHANGED,
            Some("update_overdue") => OVERDUE,
            Some("unused") => UNUSED,
            Some(_) => return Err(Error::invalid("drift", "没有这种偏差", "there is no such deviation")),
        };
        let condition = format!(
            "{VISIBLE} and (cardinality($2::text[]) = 0 or (r.grams @> $2 and r.search_text like all ($3)))
             and ($4::text is null or r.theme_id = $4) and ($5::text is null or r.department_id = $5)
             and ($6::text is null or r.kind = $6) and ($7::text is null or r.share_class = $7)
             and ($8::text is null or r.openness = $8) and ($9::text is null or r.code like $9) and {drift}"
        );
        let common: [&(dyn ToSql + Sync); 9] = [
            &department,
            &grams,
            &patterns,
            &wanted.theme,
            &wanted.department,
            &wanted.kind,
            &wanted.share_class,
            &wanted.openness,
            &category,
        ];
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        if !words.is_empty() {
            // The index is the better way even to a word that stands in every record, which the planner does not believe.
            transaction.batch_execute("set local enable_seqscan = off").await?;
        }
        let from = if wanted.drift.is_some() { FROM } else { "from onemap.catalogue_record r" };
        let counts = format!(
            "select theme_id, department_id, kind, share_class, openness, count(*),
                 grouping(theme_id, department_id, kind, share_class, openness)
             from (select r.theme_id, r.department_id, r.kind, r.share_class, r.openness {from} where {condition}) f
             group by grouping sets ((theme_id), (department_id), (kind), (share_class), (openness), ())"
        );
        let statement = transaction.prepare_cached(&counts).await?;
        let (matched, facets) = facets(&transaction.query(&statement, &common).await?);
        let page = format!(
            "select {} {FROM} where {condition} and ($10::text is null or r.code > $10) order by r.code limit $11",
            columns()
        );
        let limit = wanted.limit + 1;
        let mut values = common.to_vec();
        values.extend([&wanted.after as &(dyn ToSql + Sync), &limit]);
        let statement = transaction.prepare_cached(&page).await?;
        let rows = transaction.query(&statement, &values).await?;
        transaction.commit().await?;
        let more = rows.len() as i64 > wanted.limit;
        let records = rows.iter().take(wanted.limit as usize).map(record).collect::<Result<Vec<_>>>()?;
        let next = records.last().filter(|_| more).map(|r| r.code.clone());
        Ok(Found { matched, facets, records, next })
    }
}

/// The rows of the grouping sets, taken apart: which column a row counts is the one whose bit is not set.
fn facets(rows: &[tokio_postgres::Row]) -> (i64, Map<String, Value>) {
    let mut counted: Vec<Vec<(Option<String>, i64)>> = vec![vec![]; FACETS.len()];
    let mut matched = 0;
    for row in rows {
        let (count, unset): (i64, i32) = (row.get(5), row.get(6));
        match (0..FACETS.len()).find(|i| unset & (1 << (FACETS.len() - 1 - i)) == 0) {
            None => matched = count,
            Some(i) => counted[i].push((row.get(i), count)),
        }
    }
    let facets = FACETS
        .iter()
        .zip(counted)
        .map(|(name, mut values)| {
            values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let values: Vec<Value> =
                values.iter().map(|(value, count)| json!({"value": value, "count": count})).collect();
            ((*name).to_owned(), Value::from(values))
        })
        .collect();
    (matched, facets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_themselves() {
        assert_eq!(pattern(r"50%_\"), r"%50\%\_\\%");
        assert_eq!(grams(&words("养老院 水 A").unwrap()), ["养老", "老院", "水", "a"]);
        assert_eq!(words(" 学校  School ").unwrap(), ["学校", "school"]);
        assert!(words(&"字".repeat(61)).is_err());
        assert!(words(&"a ".repeat(9)).is_err());
    }
}
