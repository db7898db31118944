//! Resource codes (信息资源代码) after the compilation guide of 2017: 类 (one digit), 项 (two), 目 (three), 细目 (as many as a place needs,
//! none to six here), a stroke, and the 顺序码.

use std::fmt;
use std::str::FromStr;

/// A code that is formed as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceCode {
    category: String,
    number: String,
}

impl FromStr for ResourceCode {
    type Err = ();

    /// As it is written, or with `-` for the stroke, which paths of addresses keep for themselves.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (category, number) = text.split_once(['/', '-']).ok_or(())?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let formed = digits(category)
            && digits(number)
            && (6..=12).contains(&category.len())
            && number.len() <= 9
            && !category.starts_with('0');
        match formed {
            true => Ok(ResourceCode { category: category.to_owned(), number: number.to_owned() }),
            false => Err(()),
        }
    }
}

impl ResourceCode {
    /// For a path of an address.
    pub fn in_path(&self) -> String {
        format!("{}-{}", self.category, self.number)
    }
}

impl fmt::Display for ResourceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.category, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_checked_by_their_parts() {
        let code: ResourceCode = "301002/000017".parse().unwrap();
        assert_eq!((code.to_string().as_str(), code.in_path().as_str()), ("301002/000017", "301002-000017"));
        assert_eq!("301002-000017".parse::<ResourceCode>().unwrap(), code);
        assert!("301002123/1".parse::<ResourceCode>().is_ok());
        for wrong in ["301002", "30100/1", "001002/1", "301002/", "30100a/1", "301002/1/2", "3010021234567/1", ""] {
            assert!(wrong.parse::<ResourceCode>().is_err(), "{wrong}");
        }
    }
}
