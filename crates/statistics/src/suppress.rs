//! Suppression of small counts in a table of counts with its totals.
//!
//! Primary: a count above zero and below `k` is not told. Complementary: others are not told either, because a total less its other
//! parts would give the small one away. What is withheld is chosen so that all of this holds for whoever knows every number that is
//! told, all totals among them, and that counts are not negative:
//!
//! *no withheld count can be bounded to fewer than `k` neighbouring values.*
//!
//! The proof is in the construction. Totals stand in the table as one more row and one more column. Four cells in two rows and two
//! columns can be changed together, two up and two down (or, where totals are among them, as their signs have it), without changing any
//! other cell or breaking any sum. Every small cell gets such a rectangle, wholly withheld, in which a change of `k − 1` at least
//! is possible with no count below zero; so every withheld cell may hold any of `k` values as far as the published table says. There always
//! is such a rectangle: with both totals and the grand total, all four cells rise together.
//!
//! The idea is Cox's ("Suppression Methodology and Statistical Disclosure Control", 1980): withheld cells on closed paths. Which cells
//! are withheld depends on the table alone, not on who asks, so asking twice or for another part of the same table tells nothing more.
//! Tables over different groupings of the same rows are another matter: whoever publishes must keep to one table.

use serde::{Deserialize, Serialize};

use crate::Problem;

/// Cells of a table at most: each small one is held against all of them.
pub const MOST_CELLS: usize = 200_000;
/// What `k` may be.
pub const THRESHOLDS: std::ops::RangeInclusive<u64> = 2..=1000;

/// Which numbers of a table are withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    rows: usize,
    columns: usize,
    /// Row by row, the totals at the end of each row and in the last one.
    withheld: Vec<bool>,
}

impl Pattern {
    /// Nothing is withheld.
    pub fn open(rows: usize, columns: usize) -> Pattern {
        Pattern { rows, columns, withheld: vec![false; (rows + 1) * (columns + 1)] }
    }
    pub fn cell(&self, row: usize, column: usize) -> bool {
        self.withheld[row * (self.columns + 1) + column]
    }
    pub fn row_total(&self, row: usize) -> bool {
        self.cell(row, self.columns)
    }
    pub fn column_total(&self, column: usize) -> bool {
        self.cell(self.rows, column)
    }
    pub fn total(&self) -> bool {
        self.cell(self.rows, self.columns)
    }
    /// The numbers that are withheld, totals among them.
    pub fn count(&self) -> usize {
        self.withheld.iter().filter(|w| **w).count()
    }
}

/// What of a table of counts, given row by row, must be withheld for the threshold `k`.
pub fn suppress(counts: &[u64], columns: usize, k: u64) -> Result<Pattern, Problem> {
    if !THRESHOLDS.contains(&k) {
        let (least, most) = (THRESHOLDS.start(), THRESHOLDS.end());
        return Err(Problem::new("k", format!("阈值应为 {least} 到 {most}"), format!("k is {least} to {most}")));
    }
    if columns == 0 || !counts.len().is_multiple_of(columns) {
        return Err(Problem::new("counts", "表格不完整", "the rows of the table are not equally long"));
    }
    if counts.len() > MOST_CELLS {
        return Err(Problem::new(
            "counts",
            format!("最多 {MOST_CELLS} 格：请减少分区或时段"),
            format!("at most {MOST_CELLS} cells: take fewer zones or periods"),
        ));
    }
    let mut table = Table::new(counts, columns, k);
    // The smallest first: what protects them often protects the others.
    let mut small: Vec<usize> = (0..table.counts.len()).filter(|at| (1..k).contains(&table.counts[*at])).collect();
    small.sort_by_key(|at| table.counts[*at]);
    for at in &small {
        table.withheld[*at] = true;
    }
    for at in small {
        table.protect(at);
    }
    Ok(Pattern { rows: table.rows, columns, withheld: table.withheld })
}

/// The table with its totals as a last row and column.
struct Table {
    counts: Vec<u64>,
    rows: usize,
    columns: usize,
    k: u64,
    withheld: Vec<bool>,
    /// Cells that have a rectangle.
    safe: Vec<bool>,
}

/// The other row and column of a rectangle.
type Corner = (usize, usize);

/// Places looked at on either side of a small cell, beside the total.
const REACH: usize = 256;

/// A row's or a column's neighbours and the total: a table of a hundred thousand cells must not be searched whole for each of them. The
/// total alone would do.
fn around(own: usize, total: usize) -> impl Iterator<Item = usize> {
    let near = own.saturating_sub(REACH)..(own + REACH + 1).min(total);
    near.chain([total])
}

impl Table {
    fn new(cells: &[u64], columns: usize, k: u64) -> Table {
        let rows = cells.len() / columns;
        let mut counts = Vec::with_capacity((rows + 1) * (columns + 1));
        let mut totals = vec![0u64; columns + 1];
        for row in cells.chunks(columns) {
            let total = row.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
            for (sum, n) in totals.iter_mut().zip(row.iter().chain([&total])) {
                *sum = sum.saturating_add(*n);
            }
            counts.extend(row);
            counts.push(total);
        }
        counts.extend(totals);
        let size = counts.len();
        Table { counts, rows, columns, k, withheld: vec![false; size], safe: vec![false; size] }
    }

    fn at(&self, row: usize, column: usize) -> usize {
        row * (self.columns + 1) + column
    }

    /// The four cells of a rectangle, each with whether it rises when the first one does.
    fn rectangle(&self, (row, column): Corner, (other_row, other_column): Corner) -> [(usize, bool); 4] {
        // A row's cells less its total are zero, and so it is with columns: a total counts with the other sign.
        let of_row = |r: usize| r < self.rows;
        let of_column = |c: usize| c < self.columns;
        let first = of_row(row) == of_column(column);
        let rises = |r: usize, c: usize, opposite: bool| ((of_row(r) == of_column(c)) == first) != opposite;
        [
            (self.at(row, column), true),
            (self.at(row, other_column), rises(row, other_column, true)),
            (self.at(other_row, column), rises(other_row, column, true)),
            (self.at(other_row, other_column), rises(other_row, other_column, false)),
        ]
    }

    /// By how much the four can change, up and down together.
    fn width(&self, cells: &[(usize, bool); 4]) -> u64 {
        let least = |rising: bool| {
            cells.iter().filter(|(_, rises)| *rises == rising).map(|(at, _)| self.counts[*at]).min().unwrap_or(u64::MAX)
        };
        least(true).saturating_add(least(false))
    }

    /// What is lost by withholding a cell: nothing again, a count, more a total, most the grand total.
    fn price(&self, at: usize) -> u128 {
        if self.withheld[at] {
            return 0;
        }
        let (row, column) = (at / (self.columns + 1), at % (self.columns + 1));
        let totals = u32::from(row == self.rows) + u32::from(column == self.columns);
        // With one column a row's total is the cell itself and not worth more.
        let totals = if self.columns == 1 && row < self.rows { 0 } else { totals };
        (1 + u128::from(self.counts[at])) << (16 * totals)
    }

    fn protect(&mut self, at: usize) {
        if self.safe[at] {
            return;
        }
        let own = (at / (self.columns + 1), at % (self.columns + 1));
        let mut best: Option<(u128, Corner)> = None;
        for other_row in around(own.0, self.rows).filter(|r| *r != own.0) {
            for other_column in around(own.1, self.columns).filter(|c| *c != own.1) {
                let cells = self.rectangle(own, (other_row, other_column));
                if self.width(&cells) < self.k - 1 {
                    continue;
                }
                let price = cells.iter().map(|(at, _)| self.price(*at)).sum();
                if best.is_none_or(|(least, _)| price < least) {
                    best = Some((price, (other_row, other_column)));
                }
            }
            if matches!(best, Some((0, _))) {
                break;
            }
        }
        if let Some((_, corner)) = best {
            for (at, _) in self.rectangle(own, corner) {
                self.withheld[at] = true;
                self.safe[at] = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All tables of counts that agree with what is told, as far as the small bounds of the search go: for each cell its least and
    /// greatest value. The attacker of the tests: nothing is assumed but the sums and that counts are not negative.
    fn bounds(counts: &[u64], columns: usize, pattern: &Pattern, most: u64) -> Vec<(u64, u64)> {
        let rows = counts.len() / columns;
        let mut search = Search {
            truth: Table::new(counts, columns, 2),
            pattern,
            cells: vec![0; counts.len()],
            found: vec![(u64::MAX, 0); (rows + 1) * (columns + 1)],
            most,
        };
        search.try_cell(0);
        search.found
    }

    struct Search<'a> {
        truth: Table,
        pattern: &'a Pattern,
        cells: Vec<u64>,
        found: Vec<(u64, u64)>,
        most: u64,
    }

    impl Search<'_> {
        fn try_cell(&mut self, next: usize) {
            let (columns, rows) = (self.truth.columns, self.truth.rows);
            if next.is_multiple_of(columns) && next > 0 {
                let row = next / columns - 1;
                let total: u64 = self.cells[row * columns..next].iter().sum();
                if !self.pattern.row_total(row) && total != self.truth.counts[self.truth.at(row, columns)] {
                    return;
                }
            }
            if next == self.cells.len() {
                let now = Table::new(&self.cells, columns, 2);
                for (at, withheld) in self.pattern.withheld.iter().enumerate() {
                    if !withheld && now.counts[at] != self.truth.counts[at] {
                        return;
                    }
                }
                for (found, n) in self.found.iter_mut().zip(&now.counts) {
                    *found = (found.0.min(*n), found.1.max(*n));
                }
                return;
            }
            let (row, column) = (next / columns, next % columns);
            let values = match self.pattern.cell(row, column) {
                true => 0..=self.most,
                false => {
                    let n = self.truth.counts[self.truth.at(row, column)];
                    n..=n
                }
            };
            // A column that is already more than its total can be given up.
            let so_far: u64 = (0..row).map(|r| self.cells[r * columns + column]).sum();
            for value in values {
                let total = self.truth.counts[self.truth.at(rows, column)];
                if !self.pattern.column_total(column) && so_far + value > total {
                    break;
                }
                self.cells[next] = value;
                self.try_cell(next + 1);
            }
        }
    }

    fn check(counts: &[u64], columns: usize, k: u64) -> Result<(), TestCaseError> {
        let pattern = suppress(counts, columns, k).unwrap();
        let table = Table::new(counts, columns, k);
        for (at, n) in table.counts.iter().enumerate() {
            prop_assert!(pattern.withheld[at] || *n == 0 || *n >= k, "{n} is told: {pattern:?}");
        }
        let most = counts.iter().max().unwrap() + k;
        for (at, (least, greatest)) in bounds(counts, columns, &pattern, most).iter().enumerate() {
            if pattern.withheld[at] {
                prop_assert!(greatest - least >= k - 1, "cell {at} of {counts:?} is {least}..={greatest}, {pattern:?}");
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn no_withheld_number_is_bounded_to_fewer_than_k_values(
            counts in prop::collection::vec(prop_oneof![Just(0u64), 1u64..4, 3u64..9], 4..=6), k in 2u64..5,
        ) {
            let columns = if counts.len() % 2 == 0 { 2 } else { 1 };
            check(&counts, columns, k)?;
        }

        #[test]
        fn nor_in_a_single_column(counts in prop::collection::vec(0u64..9, 1..5), k in 2u64..6) {
            check(&counts, 1, k)?;
        }

        #[test]
        fn large_tables_have_a_rectangle_for_each_withheld_number(
            counts in prop::collection::vec(prop_oneof![3 => Just(0u64), 4 => 1u64..6, 2 => 5u64..400], 120), k in 2u64..20,
        ) {
            for columns in [1, 2, 6, 24] {
                let pattern = suppress(&counts, columns, k).unwrap();
                let table = Table::new(&counts, columns, k);
                let all: Vec<Corner> =
                    (0..=table.rows).flat_map(|r| (0..=columns).map(move |c| (r, c))).collect();
                for own in all.iter().filter(|c| pattern.cell(c.0, c.1)) {
                    let protected = all.iter().filter(|c| c.0 != own.0 && c.1 != own.1).any(|corner| {
                        let cells = table.rectangle(*own, *corner);
                        cells.iter().all(|(at, _)| pattern.withheld[*at]) && table.width(&cells) >= k - 1
                    });
                    prop_assert!(protected, "{own:?}");
                }
            }
        }
    }

    #[test]
    fn a_total_does_not_give_the_only_small_one_away() {
        let pattern = suppress(&[40, 3, 25, 90], 1, 5).unwrap();
        assert!(pattern.cell(1, 0) && pattern.cell(2, 0), "the small one and the next larger one");
        assert!(!pattern.cell(0, 0) && !pattern.cell(3, 0) && !pattern.column_total(0) && !pattern.total());
    }

    #[test]
    fn a_table_without_small_counts_is_told_whole() {
        assert_eq!(suppress(&[5, 0, 7, 12], 2, 5).unwrap(), Pattern::open(2, 2));
    }

    #[test]
    fn the_only_count_of_all_takes_its_totals_along() {
        let pattern = suppress(&[0, 2, 0, 0], 2, 3).unwrap();
        assert!(pattern.cell(0, 1) && pattern.row_total(0) && pattern.column_total(1) && pattern.total());
    }

    #[test]
    fn what_makes_no_table_is_refused() {
        assert_eq!(suppress(&[1, 2, 3], 2, 5).unwrap_err().parameter, "counts");
        assert_eq!(suppress(&[1, 2], 2, 1).unwrap_err().parameter, "k");
    }
}
