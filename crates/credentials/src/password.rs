//! Which passwords are taken: long ones that are not easily guessed, neither by whoever knows the person nor by whoever has the lists of
//! what people choose. No rules on kinds of characters: they make passwords shorter and notes on desks longer (NIST SP 800-63B, 5.1.1).
//!
//! How many guesses a password stands is reckoned by zxcvbn: its lists (30,000 passwords out of breaches, names, words), walks along the
//! keyboard, sequences, dates, and all of these beside each other, turned round or with figures for letters.

use zxcvbn::zxcvbn;

/// Characters at least; so a passphrase of a few words passes.
pub const SHORTEST: usize = 12;
/// Bytes at most: hashing takes time by length.
pub const LONGEST: usize = 500;
/// Different characters at least.
const VARIETY: usize = 5;
/// Characters that are left of a password at least without what is known of the person.
const OWN: usize = SHORTEST - 4;
/// Guesses that a password stands, as a power of ten.
const GUESSES: f64 = 10.0;

/// What is wrong with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    TooShort,
    TooLong,
    /// It repeats a few characters, or runs along the alphabet.
    TooPlain,
    /// A name of the person, of the department or of this service is most of it.
    Known,
    /// It is among what is tried first, or made of such parts.
    Common,
}

/// What is chosen here beside what the lists have, which were made elsewhere: the most frequent first.
const LOCAL: [&str; 24] = [
    "woaini",
    "5201314",
    "1314520",
    "mima",
    "admin",
    "wodemima",
    "guanliyuan",
    "7758521",
    "zhongguo",
    "laopo",
    "laogong",
    "baobao",
    "nihao",
    "zhengfu",
    "zhengwu",
    "yizhangtu",
    "ditu",
    "bangong",
    "ceshi",
    "yonghu",
    "shandong",
    "qingdao",
    "147258369",
    "1qaz2wsx3edc",
];

/// Looks a password over. `known` is what anybody may know of whoever chooses it: login, name, department.
pub fn check(password: &str, known: &[&str]) -> Result<(), Fault> {
    if password.chars().count() < SHORTEST {
        return Err(Fault::TooShort);
    }
    if password.len() > LONGEST {
        return Err(Fault::TooLong);
    }
    let lower = password.to_lowercase();
    if is_plain(&lower) {
        return Err(Fault::TooPlain);
    }
    let known = words(known);
    let own = known.iter().fold(lower.clone(), |rest, word| rest.replace(word, ""));
    if own != lower && own.chars().filter(|c| c.is_alphanumeric()).count() < OWN {
        return Err(Fault::Known);
    }
    let guessed: Vec<&str> = known.iter().map(String::as_str).chain(LOCAL).collect();
    match zxcvbn(password, &guessed).guesses_log10() < GUESSES {
        true => Err(Fault::Common),
        false => Ok(()),
    }
}

/// Whether it repeats itself or runs on.
fn is_plain(lower: &str) -> bool {
    let mut characters: Vec<char> = lower.chars().collect();
    let steps = |by: u32| characters.windows(2).filter(|w| u32::from(w[1]) == u32::from(w[0]).wrapping_add(by)).count();
    let runs = steps(1).max(steps(u32::MAX)).max(steps(0));
    let running = runs + 3 >= characters.len();
    characters.sort_unstable();
    characters.dedup();
    characters.len() < VARIETY || running
}

/// What is known, and its parts (`li.wei@health`), the longest first; what is too short to mean anything is left out.
fn words(known: &[&str]) -> Vec<String> {
    let tells = |word: &String| word.chars().count() >= if word.is_ascii() { 3 } else { 2 };
    let whole = known.iter().copied().chain(["onemap", "一张图"]);
    let mut words: Vec<String> = whole
        .flat_map(|text| std::iter::once(text).chain(text.split(|c: char| !c.is_alphanumeric())))
        .map(str::to_lowercase)
        .filter(tells)
        .collect();
    words.sort_unstable_by(|a, b| (b.chars().count(), b).cmp(&(a.chars().count(), a)));
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANG: [&str; 4] = ["wang.fang", "王芳", "health", "卫生健康委员会"];

    #[test]
    fn long_ones_that_are_not_guessed_pass() {
        for good in [
            "a password of some length",
            "correct horse battery",
            "青岛 市南区 八大关 二〇二六",
            "Zx9-kkQw-71Lm",
            "八大关的秋天很好看 一二三四 0",
            "wang keeps nine grey herons",
        ] {
            assert_eq!(check(good, &WANG), Ok(()), "{good}");
        }
        for (bad, fault) in [("Ab3$efgh", Fault::TooShort), ("aaaaaaaaaaaaaaaa", Fault::TooPlain)] {
            assert_eq!(check(bad, &WANG), Err(fault), "{bad}");
        }
        for plain in ["abababababababab", "abcdefghijklmnop", "zyxwvutsrqponm"] {
            assert_eq!(check(plain, &WANG), Err(Fault::TooPlain), "{plain}");
        }
        assert_eq!(check(&"long ago ".repeat(60), &WANG), Err(Fault::TooLong));
    }

    #[test]
    fn what_is_known_of_the_person_is_no_password() {
        for bad in [
            "wang.fang-2026",
            "WangFang!2026",
            "wangwangwang1",
            "health202611",
            "Health-Onemap-1",
            "onemap@123456",
            "王芳卫生健康委员会2026年",
            "一张图一张图一张图123",
        ] {
            assert_eq!(check(bad, &WANG), Err(Fault::Known), "{bad}");
        }
    }

    #[test]
    fn what_everybody_tries_is_no_password() {
        for bad in [
            "password1234",
            "Password12345",
            "passwordpassword",
            "p@ssw0rd2026",
            "administrator",
            "adminadmin12",
            "admin1234567",
            "iloveyou1234",
            "iloveyou5201314",
            "woaini5201314",
            "Woaini1314520!",
            "qwertyuiop12",
            "qwertyuiopas",
            "qwertyuiop[]",
            "1qaz2wsx3edc",
            "asdfghjkl;'123",
            "zxcvbnm,./123",
            "123456789012a",
            "a123456789012",
            "qingdao123456",
            "sunshine12345",
            "2026112520261125",
            "liverpool2026",
        ] {
            assert!(matches!(check(bad, &WANG), Err(Fault::Common | Fault::TooPlain)), "{bad}");
        }
    }
}
