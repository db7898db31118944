//! Key-value pairs as OGC's older services read them (06-121r9, 11.5.2): names in any case, values as given, unknown names ignored.

use std::str::FromStr;

use super::exception::{Code, Fault};
use crate::error::{Error, Said};
use crate::http::parameters::Parameters;

/// A body of pairs is a query: it may be as long.
const LONGEST: usize = 64 * 1024;

#[derive(Debug, Clone, Default)]
pub struct Kvp(Vec<(String, String)>);

impl Kvp {
    pub fn of(parameters: Parameters) -> Kvp {
        let mut parameters = parameters;
        Kvp(parameters.rest().into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect())
    }

    /// Adds the pairs of a form's body.
    pub fn with_form(mut self, body: &[u8]) -> Result<Kvp, Fault> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= LONGEST).ok_or_else(|| {
            Fault::invalid("request", Said::new("请求内容不是表单，或过长", "the body is no form, or too long"))
        })?;
        self.0.append(&mut Kvp::of(Parameters::parse(Some(text.trim()))?).0);
        Ok(self)
    }

    /// A parameter's value. An empty one says nothing. Given twice it must be the same: clients append theirs to an address that has it.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Fault> {
        Ok(self.given(name)?.filter(|value| !value.is_empty()))
    }

    /// The same, with an empty value as what it is.
    pub fn given(&self, name: &str) -> Result<Option<&str>, Fault> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let first = values.next();
        match values.any(|other| Some(other) != first) {
            true => Err(Fault::invalid(
                name,
                Said::new("参数重复出现，且值不同", "the parameter is given more than once, with different values"),
            )),
            false => Ok(first),
        }
    }

    pub fn required(&self, name: &str) -> Result<&str, Fault> {
        self.get(name)?.ok_or_else(|| Fault::missing(name))
    }

    /// Whether the value is this, whatever the case: `true` also when there is none.
    pub fn is_or_absent(&self, name: &str, value: &str) -> Result<bool, Fault> {
        Ok(self.get(name)?.is_none_or(|given| given.eq_ignore_ascii_case(value)))
    }

    pub fn parsed<T: FromStr>(&self, name: &str, zh: &str, en: &str) -> Result<Option<T>, Fault> {
        let Some(text) = self.get(name)? else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| Fault::invalid(name, not(text, zh, en)))
    }

    pub fn integer(&self, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, Fault> {
        let (low, high) = (range.start(), range.end());
        let (zh, en) = (format!("{low} 到 {high} 之间的整数"), format!("an integer from {low} to {high}"));
        match self.parsed::<i64>(name, &zh, &en)? {
            Some(value) if !range.contains(&value) => Err(Fault::invalid(name, not(&value.to_string(), &zh, &en))),
            value => Ok(value),
        }
    }

    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.get(name)? {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") || text == "1" => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") || text == "0" => Ok(Some(false)),
            Some(text) => Err(Fault::invalid(name, not(text, "TRUE 或 FALSE", "TRUE or FALSE"))),
        }
    }

    /// A comma-separated list, as it stands: `a,,b` has an empty member.
    pub fn list(&self, name: &str) -> Result<Option<Vec<&str>>, Fault> {
        Ok(self.get(name)?.map(|text| text.split(',').map(str::trim).collect()))
    }

    /// `request=`; the service's handler compares it.
    pub fn request(&self) -> Result<&str, Fault> {
        self.required("request")
    }

    /// `service=` must be this one, or absent where the address says it already.
    pub fn service(&self, name: &'static str) -> Result<(), Fault> {
        match self.get("service")? {
            Some(given) if !given.eq_ignore_ascii_case(name) => {
                Err(Fault::invalid("service", not(given, name, &format!("{name}, which this address serves"))))
            }
            _ => Ok(()),
        }
    }
}

/// “x” 不正确，应为 …
pub fn not(text: &str, zh: &str, en: &str) -> Said {
    let shown: String = text.chars().take(60).collect();
    Said::new(format!("“{shown}”不正确，应为 {zh}"), format!("“{shown}” is not {en}"))
}

/// An operation that the service does not have.
pub fn no_operation(request: &str, known: &[&str]) -> Fault {
    let (zh, en) = (known.join("、"), known.join(", "));
    let said = not(request, &zh, &format!("one of {en}"));
    Fault::new(Error::invalid("request", said.zh, said.en)).code(Code::OperationNotSupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kvp(query: &str) -> Kvp {
        Kvp::of(Parameters::parse(Some(query)).unwrap())
    }

    #[test]
    fn names_in_any_case_values_as_given() {
        let kvp = kvp("SERVICE=WMS&Request=getmap&LAYERS=Roads,,x&Styles=&vendor=1");
        assert_eq!(kvp.request().unwrap(), "getmap");
        assert!(kvp.service("WMS").is_ok() && kvp.service("WFS").is_err());
        assert_eq!(kvp.list("layers").unwrap(), Some(vec!["Roads", "", "x"]));
        assert_eq!((kvp.get("styles").unwrap(), kvp.given("styles").unwrap()), (None, Some("")));
        assert!(kvp.required("crs").is_err());
    }

    #[test]
    fn doubles_that_disagree_and_bad_values_are_refused() {
        let kvp = kvp("service=WMS&SERVICE=WMS&width=256&WIDTH=512&height=x&i=-1&transparent=maybe");
        assert!(kvp.get("service").is_ok());
        assert!(kvp.integer("width", 1..=4096).is_err());
        assert!(kvp.integer("height", 1..=4096).is_err());
        assert!(kvp.integer("i", 0..=9).is_err());
        assert!(kvp.boolean("transparent").is_err());
    }

    #[test]
    fn a_forms_body_adds_to_the_query() {
        let kvp = kvp("service=WMS").with_form(b"REQUEST=GetMap&layers=%E9%81%93%E8%B7%AF").unwrap();
        assert_eq!((kvp.request().unwrap(), kvp.get("layers").unwrap()), ("GetMap", Some("道路")));
        assert!(Kvp::default().with_form(&[0xff, b'=']).is_err());
        assert!(Kvp::default().with_form("a=".repeat(40_000).as_bytes()).is_err());
    }
}
