//! CQL2 text to tokens.

use crate::problem::{Problem, Result, shorten};

/// A token and the bytes of the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token<'a> {
    pub at: usize,
    pub text: &'a str,
    pub lexeme: Lexeme,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Lexeme {
    /// A keyword, a function's name or a field's.
    Word,
    /// A field's name in double quotes.
    Name(String),
    Text(String),
    /// Unsigned.
    Number,
    /// An operator or punctuation: the token's text says which.
    Sign,
    End,
}

impl Token<'_> {
    pub fn is_word(&self, keyword: &str) -> bool {
        self.lexeme == Lexeme::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    pub fn is_sign(&self, sign: &str) -> bool {
        self.lexeme == Lexeme::Sign && self.text == sign
    }
}

/// All tokens of the text, the last of them `End`.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { break };
        let (lexeme, length) = match first {
            '\'' => character_literal(rest, at)?,
            '"' => quoted_name(rest, at)?,
            '0'..='9' => (Lexeme::Number, number(rest, at)?),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (Lexeme::Number, number(rest, at)?),
            c if starts_name(c) => (Lexeme::Word, rest.find(|c| !continues_name(c)).unwrap_or(rest.len())),
            _ => (Lexeme::Sign, sign(rest).ok_or_else(|| unknown_sign(first, at))?),
        };
        found.push(Token { at, text: &rest[..length], lexeme });
        at += length;
    }
    found.push(Token { at: text.len(), text: "", lexeme: Lexeme::End });
    Ok(found)
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | ':')
}

/// Letters of every script, digits, marks upon letters and the joiners that the standard allows.
fn continues_name(c: char) -> bool {
    starts_name(c)
        || c.is_alphanumeric()
        || matches!(c, '.' | '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' | '‿' | '⁀')
}

/// The length of the operator. `!=` and `==` are read as one, to say what to write instead.
fn sign(rest: &str) -> Option<usize> {
    let two = ["<>", "<=", ">=", "!=", "=="];
    let one = ['=', '<', '>', '(', ')', ',', '+', '-', '*', '/', '%', '^'];
    if two.iter().any(|sign| rest.starts_with(sign)) { Some(2) } else { rest.starts_with(one).then_some(1) }
}

fn unknown_sign(c: char, at: usize) -> Problem {
    // Chinese keyboards give signs of full width: U+FF01 and so on are ASCII's.
    let plain = match c {
        '‘' | '’' => Some('\''),
        '“' | '”' => Some('"'),
        '，' | '、' => Some(','),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0),
        _ => None,
    };
    match plain {
        Some(plain) => Problem::new(
            at,
            format!("“{c}”是全角符号，请改用半角 {plain}"),
            format!("\"{c}\" is a full-width sign: write {plain}"),
        ),
        None => Problem::new(at, format!("无法识别的字符“{c}”"), format!("unexpected character {c:?}")),
    }
}

/// Digits, a point, an exponent.
fn number(rest: &str, at: usize) -> Result<usize> {
    let bytes = rest.as_bytes();
    let digits = |mut i: usize| {
        while bytes.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        i
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        let exponent = end + 1 + usize::from(signed);
        if digits(exponent) > exponent {
            end = digits(exponent);
        }
    }
    if rest[end..].starts_with(continues_name) {
        let wrong = shorten(&rest[..rest.find(|c| !continues_name(c)).unwrap_or(rest.len())]);
        return Err(Problem::new(at, format!("“{wrong}”不是数字"), format!("\"{wrong}\" is no number")));
    }
    Ok(end)
}

/// `'…'`. A quote in it is written `''` or `\'`. Before a quote, and only there, `\\` is one backslash.
fn character_literal(rest: &str, at: usize) -> Result<(Lexeme, usize)> {
    let unclosed = || Problem::new(at, "单引号没有闭合", "the text's closing quote ' is missing");
    let mut text = String::new();
    let mut from = 1;
    loop {
        let run = rest[from..].find('\'').ok_or_else(unclosed)?;
        let part = &rest[from..from + run];
        let plain = part.trim_end_matches('\\');
        let backslashes = part.len() - plain.len();
        text.push_str(plain);
        text.extend(std::iter::repeat_n('\\', backslashes / 2));
        from += run + 1;
        let doubled = rest[from..].starts_with('\'');
        if backslashes % 2 == 1 {
            text.push('\'');
        } else if doubled {
            text.push('\'');
            from += 1;
        } else {
            break;
        }
    }
    if text.contains('\0') {
        return Err(Problem::new(at, "文本中有空字符（U+0000）", "the text holds the character U+0000"));
    }
    Ok((Lexeme::Text(text), from))
}

/// `"…"`. A double quote in it is written twice.
fn quoted_name(rest: &str, at: usize) -> Result<(Lexeme, usize)> {
    let mut name = String::new();
    let mut from = 1;
    loop {
        let run = rest[from..]
            .find('"')
            .ok_or_else(|| Problem::new(at, "字段名的双引号没有闭合", "the name's closing quote \" is missing"))?;
        name.push_str(&rest[from..from + run]);
        from += run + 1;
        if !rest[from..].starts_with('"') {
            return Ok((Lexeme::Name(name), from));
        }
        name.push('"');
        from += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexemes(text: &str) -> Vec<(Lexeme, &str)> {
        tokens(text).unwrap().into_iter().map(|t| (t.lexeme, t.text)).collect()
    }

    #[test]
    fn texts_and_their_quotes() {
        for (written, read) in [
            ("''", ""),
            ("'it''s'", "it's"),
            (r"'it\'s'", "it's"),
            (r"'50\% \\x'", r"50\% \\x"),
            (r"'c:\\'", r"c:\"),
            (r"'c:\\\\'", r"c:\\"),
            (r"'a\\\'b'", r"a\'b"),
            (r"'a\\''b'", r"a\'b"),
            ("'建国路、‘甲’号'", "建国路、‘甲’号"),
        ] {
            assert_eq!(lexemes(written), [(Lexeme::Text(read.into()), written), (Lexeme::End, "")]);
        }
        for open in ["'", "'a", r"'a\'", "'a''", "\"a", "\"a\"\""] {
            assert_eq!(tokens(open).unwrap_err().at, 0, "{open}");
        }
    }

    #[test]
    fn names_and_numbers() {
        let words = lexemes("eo:cloud_cover建筑.2 \"a\"\"b\" .5 1. 2E-3");
        assert_eq!(words[0], (Lexeme::Word, "eo:cloud_cover建筑.2"));
        assert_eq!(words[1].0, Lexeme::Name("a\"b".into()));
        assert!(words[2..5].iter().all(|(lexeme, _)| *lexeme == Lexeme::Number));
        assert_eq!(words[4].1, "2E-3");
        assert_eq!(tokens("a = 3楼").unwrap_err().at, 4);
        assert_eq!(tokens("a = 3e").unwrap_err().at, 4);
    }

    #[test]
    fn full_width_signs_are_named() {
        assert!(tokens("a ＝ 1").unwrap_err().en.contains("write ="));
        assert!(tokens("a in （1）").unwrap_err().zh.contains("半角 ("));
        assert_eq!(tokens("a ; b").unwrap_err().at, 2);
    }
}
