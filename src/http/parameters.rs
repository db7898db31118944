//! The query's parameters.

use std::str::FromStr;

use crate::error::{Error, Result};

/// The query's parameters, taken one by one; what nobody took is unknown and refused by `finish`.
#[derive(Debug, Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub fn parse(query: Option<&str>) -> Result<Parameters> {
        let query = query.unwrap_or_default();
        if query.len() > 64 * 1024 {
            return Err(Error::invalid("query", "查询字符串过长", "the query string is too long"));
        }
        let mut pairs = vec![];
        let signed = is_signed(query);
        for part in query.split('&').filter(|part| !part.is_empty()) {
            for (name, value) in form_urlencoded::parse(part.as_bytes()) {
                // The parser puts U+FFFD in the place of bytes that are no UTF-8, and PostgreSQL takes no NUL: neither may pass as
                // if the caller had asked for that text.
                let replaced = [&name, &value].iter().any(|text| text.contains('\u{fffd}'));
                if (replaced && !part.to_ascii_lowercase().contains("%ef%bf%bd")) || name.contains('\0') {
                    return Err(not_text("query"));
                }
                if value.contains('\0') {
                    return Err(not_text(&name));
                }
                // The credential is not a handler's business.
                let ours = is_credential(&name) || (signed && SIGNED.contains(&&*name));
                if !ours {
                    pairs.push((name.into_owned(), value.into_owned()));
                }
            }
        }
        Ok(Parameters(pairs))
    }

    /// The parameters that are left, as a query string.
    pub fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// A parameter that stays there; of several the first.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Removes a parameter; given twice it is an error.
    pub fn take(&mut self, name: &str) -> Result<Option<String>> {
        let mut found = None;
        let mut twice = false;
        self.0.retain(|(n, value)| {
            if n != name {
                return true;
            }
            twice |= found.replace(value.clone()).is_some();
            false
        });
        if twice {
            return Err(Error::invalid(name, "参数重复出现", "the parameter is given more than once"));
        }
        Ok(found)
    }

    pub fn take_parsed<T: FromStr>(&mut self, name: &str, zh: &str, en: &str) -> Result<Option<T>> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| {
            let shown: String = text.chars().take(60).collect();
            Error::invalid(name, format!("“{shown}”不正确，应为 {zh}"), format!("“{shown}” is not {en}"))
        })
    }

    pub fn take_integer(&mut self, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>> {
        let (low, high) = (range.start(), range.end());
        let (zh, en) = (format!("{low} 到 {high} 之间的整数"), format!("an integer from {low} to {high}"));
        let value: Option<i64> = self.take_parsed(name, &zh, &en)?;
        match value {
            Some(v) if !range.contains(&v) => {
                Err(Error::invalid(name, format!("{v} 不正确，应为 {zh}"), format!("{v} is not {en}")))
            }
            value => Ok(value),
        }
    }

    pub fn take_degrees(&mut self, name: &str, most: f64) -> Result<f64> {
        let value: Option<f64> = self.take_parsed(name, "数字", "a number")?;
        match value {
            Some(v) if v.is_finite() && v.abs() <= most => Ok(v),
            Some(v) => {
                Err(Error::invalid(name, format!("{v} 超出 ±{most} 度"), format!("{v} is outside of ±{most} degrees")))
            }
            None => Err(Error::invalid(name, "缺少此参数", "the parameter is missing")),
        }
    }

    /// What is left, for parameters whose names come from the layer.
    pub fn rest(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0)
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<()> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(unknown_parameter(&name)),
        }
    }
}

pub fn unknown_parameter(name: &str) -> Error {
    let shown: String = name.chars().take(60).collect();
    Error::invalid(&shown, format!("未知参数 {shown}"), format!("the parameter {shown} is unknown here"))
        .hint("可用参数见 /ogc/api", "the parameters are described at /ogc/api")
}

/// `key`, or `tk` as pages made for Tianditu say it.
/// The parameters of a signed address. A field may be called so: they are a credential together only.
pub const SIGNED: [&str; 3] = ["kid", "exp", "sig"];

/// Whether a query is that of a signed address.
pub fn is_signed(query: &str) -> bool {
    SIGNED.iter().all(|name| query.split('&').any(|part| part.split('=').next() == Some(name)))
}

pub fn is_credential(name: &str) -> bool {
    name == "key" || name == "tk"
}

fn not_text(parameter: &str) -> Error {
    Error::invalid(
        parameter,
        "参数不是合法的 UTF-8 文本，或含有 NUL 字符",
        "the parameter is not UTF-8 text, or holds a NUL character",
    )
    .hint("请按 UTF-8 编码后再做百分号转义", "encode it as UTF-8, then percent-encode it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_refused() {
        for query in ["name=%00", "a%00b=1", "name=a%ff", "%c3%28=1", "key=%00"] {
            assert!(Parameters::parse(Some(query)).is_err(), "{query}");
        }
        let mut good = Parameters::parse(Some("name=%E9%9D%92%E5%B2%9B&x=%EF%BF%BD&key=k")).unwrap();
        assert_eq!(good.take("name").unwrap().as_deref(), Some("青岛"));
        assert_eq!(good.take("x").unwrap().as_deref(), Some("\u{fffd}"));
        good.finish().unwrap();
    }
}
