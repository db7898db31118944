//! Which passwords are taken: long ones that are not easily guessed from what is known of the person. No rules on kinds of characters:
//! they make passwords shorter and notes on desks longer (NIST SP 800-63B, 5.1.1).

/// Characters at least; so a passphrase of a few words passes.
pub const SHORTEST: usize = 12;
/// Bytes at most: hashing takes time by length.
pub const LONGEST: usize = 500;
/// Different characters at least.
const VARIETY: usize = 5;

/// What is wrong with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    TooShort,
    TooLong,
    /// It repeats a few characters, or runs along the keyboard or the alphabet.
    TooPlain,
    /// The login or the name is most of it.
    IsTheLogin,
}

/// What every guesser tries first, of those that are long enough.
const GUESSED: [&str; 12] = [
    "123456789012",
    "qwertyuiop12",
    "qwertyuiopas",
    "1qaz2wsx3edc",
    "password1234",
    "administrator",
    "passwordpassword",
    "adminadmin12",
    "admin1234567",
    "iloveyou1234",
    "111222333444",
    "abcdefghijkl",
];

pub fn check(password: &str, login: &str) -> Result<(), Fault> {
    if password.chars().count() < SHORTEST {
        return Err(Fault::TooShort);
    }
    if password.len() > LONGEST {
        return Err(Fault::TooLong);
    }
    let lower = password.to_lowercase();
    let mut characters: Vec<char> = lower.chars().collect();
    let steps = |by: u32| characters.windows(2).filter(|w| u32::from(w[1]) == u32::from(w[0]).wrapping_add(by)).count();
    let runs = steps(1).max(steps(u32::MAX)).max(steps(0));
    let running = runs + 3 >= characters.len();
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < VARIETY || running || GUESSED.contains(&&*lower) {
        return Err(Fault::TooPlain);
    }
    let login = login.to_lowercase();
    let rest = lower.replace(&*login, "");
    match login.chars().count() >= 3 && lower.contains(&*login) && rest.chars().count() < SHORTEST - 4 {
        true => Err(Fault::IsTheLogin),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ones_that_are_not_guessed_pass() {
        for good in
            ["a password of some length", "correct horse battery", "青岛 市南区 八大关 二〇二六", "Zx9-kkQw-71Lm"]
        {
            assert_eq!(check(good, "wang"), Ok(()), "{good}");
        }
        for (bad, fault) in [
            ("Ab3$efgh", Fault::TooShort),
            ("aaaaaaaaaaaaaaaa", Fault::TooPlain),
            ("abababababababab", Fault::TooPlain),
            ("abcdefghijklmnop", Fault::TooPlain),
            ("Password1234", Fault::TooPlain),
            ("wangwang-2026", Fault::IsTheLogin),
        ] {
            assert_eq!(check(bad, "wang"), Err(fault), "{bad}");
        }
        assert_eq!(check(&"long ago ".repeat(60), "wang"), Err(Fault::TooLong));
    }
}
