//! Names of divisions as people write them.

/// What names end with, the longest first. The end of a name may be left out where enough of it stays.
const ENDS: [&str; 27] = [
    "社区居民委员会",
    "社区村民委员会",
    "社区居委会",
    "社区村委会",
    "街道办事处",
    "居民委员会",
    "村民委员会",
    "特别行政区",
    "街道办",
    "办事处",
    "居委会",
    "村委会",
    "自治区",
    "自治州",
    "自治县",
    "地区",
    "街道",
    "社区",
    "苏木",
    "镇",
    "乡",
    "村",
    "县",
    "区",
    "市",
    "省",
    "盟",
];

/// Without spaces and brackets round the edges; full-width letters and digits as plain ones.
pub fn tidy(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && *c != '\u{feff}')
        .map(|c| match c {
            '！'..='～' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            c => c,
        })
        .collect()
}

/// A tidied name without its end; at least two characters are left, or the name is as it was.
pub fn stem(name: &str) -> &str {
    let left = ENDS.iter().find_map(|end| name.strip_suffix(end).filter(|left| left.chars().nth(1).is_some()));
    left.unwrap_or(name)
}

/// Letters to add, leave out or change to make one text of the other (Levenshtein 1966).
pub fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
