//! `LIKE` patterns and letters without their case.

use std::str::Chars;

use unicode_normalization::UnicodeNormalization;

/// One step of a pattern.
enum Step {
    Any,
    One,
    Exactly(char),
}

fn step(pattern: &mut Chars) -> Option<Step> {
    Some(match pattern.next()? {
        '%' => Step::Any,
        '_' => Step::One,
        '\\' => Step::Exactly(pattern.next().unwrap_or('\\')),
        c => Step::Exactly(c),
    })
}

/// A backslash that ends a pattern stands for itself; PostgreSQL wants it written twice.
pub(crate) fn complete(mut pattern: String) -> String {
    let backslashes = pattern.len() - pattern.trim_end_matches('\\').len();
    if backslashes % 2 == 1 {
        pattern.push('\\');
    }
    pattern
}

/// Whether the whole text is of the pattern: `%` any characters, `_` one, `\` takes the next as it is.
pub(crate) fn like(text: &str, pattern: &str) -> bool {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    // After the last `%`: the pattern's rest, and the text from which it is tried. No earlier `%` has to take more.
    let mut again: Option<(Chars, Chars)> = None;
    loop {
        let mut ahead = pattern.clone();
        let matched = match step(&mut ahead) {
            Some(Step::Any) => {
                again = Some((ahead.clone(), text.clone()));
                pattern = ahead;
                continue;
            }
            Some(Step::One) => text.next().is_some(),
            Some(Step::Exactly(c)) => text.next() == Some(c),
            None if text.as_str().is_empty() => return true,
            None => false,
        };
        if matched {
            pattern = ahead;
            continue;
        }
        let Some((after, from)) = &mut again else { return false };
        if from.next().is_none() {
            return false;
        }
        (pattern, text) = (after.clone(), from.clone());
    }
}

/// The text without case: each letter's own small letter; `ß` as `ss`, and the other forms of `σ` and `s` as these.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // The one letter with two, `İ`, is both, as in Unicode's own folding.
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            'ſ' => folded.push('s'),
            c => folded.push(c),
        }
    }
    folded
}

/// The blocks of marks that are set upon letters. Those of other scripts, Japanese sound marks among them, make other letters.
pub(crate) const MARKS: &str = "[\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f]+";
/// Letters with a stroke, which Unicode does not take apart, and what they are without.
pub(crate) const STROKES: [&str; 2] = ["øØłŁđĐħĦŧŦƀɃɨƗɉɈɍɌɏɎƶƵıȷ", "oOlLdDhHtTbBiIjJrRyYzZij"];

/// The text without accents: taken apart by Unicode's canonical decomposition, marks and strokes left out, put together again.
pub(crate) fn plain(text: &str) -> String {
    let mark = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}');
    let without = |c: char| {
        let at = STROKES[0].chars().position(|stroke| stroke == c);
        at.and_then(|at| STROKES[1].chars().nth(at)).unwrap_or(c)
    };
    if text.is_ascii() {
        return text.to_owned();
    }
    text.nfd().filter(|c| !mark(*c)).map(without).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern, is) in [
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("朝阳区建国路", "朝阳%路", true),
            ("朝阳区建国路", "朝阳_建国路", true),
            ("朝阳区建国路", "朝阳%区", false),
            ("朝阳区", "___", true),
            ("abcabd", "%ab_", true),
            ("abcabd", "%abc", false),
            ("a\nb", "a%b", true),
            ("50%", "50\\%", true),
            ("500", "50\\%", false),
            ("a_b", "a\\_b", true),
            ("a\\b", "a\\\\b", true),
            ("aaa", "%a%a%a%", true),
            ("aa", "%a%a%a%", false),
        ] {
            assert_eq!(like(text, pattern), is, "{text:?} like {pattern:?}");
        }
    }

    #[test]
    fn a_pattern_of_many_signs_ends() {
        assert!(!like(&"a".repeat(20_000), &format!("{}b", "%a".repeat(200))));
    }

    #[test]
    fn the_last_backslash_stands_for_itself() {
        assert_eq!(complete("c:\\".into()), "c:\\\\");
        assert_eq!(complete("c:\\\\".into()), "c:\\\\");
        assert!(like("c:\\", &complete("c:\\".into())));
    }

    #[test]
    fn accents_are_left_out() {
        assert_eq!(plain("débárquér"), "debarquer");
        assert_eq!(plain("e\u{301}tat København Łódź"), "etat Kobenhavn Lodz");
        assert_eq!(plain("北京が한국 Ή"), "北京が한국 Η");
        assert_eq!(STROKES[0].chars().count(), STROKES[1].chars().count());
    }

    #[test]
    fn case_is_folded() {
        assert_eq!(fold("STRASSE"), fold("Straße"));
        assert_eq!(fold("ΟΔΟΣ"), fold("Οδος"));
        assert_eq!(fold("北京 A座"), "北京 a座");
        assert_eq!(fold("İ"), "i\u{307}");
    }
}
