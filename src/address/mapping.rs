//! Which field of a source holds which element of an address. Pure.

use std::collections::BTreeMap;

use onemap_address::element::{ELEMENTS, Element};
use onemap_address::record::{Address, Validity};
use serde::{Deserialize, Serialize};

use super::days;
use crate::error::{Error, Result};

/// What a field can be for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Element(Element),
    /// The whole address in one text.
    Full,
    /// Other names.
    Alias,
    /// The source's own key of the row.
    Key,
    /// The first day on which the address holds, and the last.
    ValidFrom,
    ValidTo,
}

/// Names that people use beside the elements' own.
const SYNONYMS: [(&str, Element); 9] = [
    ("street", Element::Town),
    ("village", Element::Community),
    ("number", Element::Roadno),
    ("building", Element::Houseno),
    ("unit", Element::Cellno),
    ("floor", Element::Floorno),
    ("room", Element::Roomno),
    ("name", Element::Poi),
    ("group", Element::VillageGroup),
];

impl Target {
    pub fn parse(name: &str) -> Option<Target> {
        match name {
            "full" => Some(Target::Full),
            "alias" => Some(Target::Alias),
            "key" => Some(Target::Key),
            "valid_from" => Some(Target::ValidFrom),
            "valid_to" => Some(Target::ValidTo),
            name => {
                let synonym = || SYNONYMS.iter().find(|(n, _)| *n == name).map(|(_, e)| *e);
                Element::of_name(name).or_else(synonym).map(Target::Element)
            }
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Target::Element(element) => element.name(),
            Target::Full => "full",
            Target::Alias => "alias",
            Target::Key => "key",
            Target::ValidFrom => "valid_from",
            Target::ValidTo => "valid_to",
        }
    }
}

/// A source's fields by what they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Mapping(BTreeMap<Target, String>);

impl TryFrom<BTreeMap<String, String>> for Mapping {
    type Error = Error;

    fn try_from(named: BTreeMap<String, String>) -> Result<Mapping> {
        let mut mapping = Mapping::default();
        for (name, field) in named {
            let target = Target::parse(&name).ok_or_else(|| unknown_target(&name))?;
            if mapping.0.insert(target, field).is_some() {
                let name = target.name();
                return Err(invalid(format!("{name} 映射了两次"), format!("{name} is mapped twice")));
            }
        }
        Ok(mapping)
    }
}

impl From<Mapping> for BTreeMap<String, String> {
    fn from(mapping: Mapping) -> Self {
        mapping.0.into_iter().map(|(target, field)| (target.name().to_owned(), field)).collect()
    }
}

impl Mapping {
    pub fn put(&mut self, target: Target, field: &str) {
        self.0.insert(target, field.to_owned());
    }

    pub fn get(&self, target: Target) -> Option<&str> {
        self.0.get(&target).map(String::as_str)
    }

    pub fn remove(&mut self, target: Target) {
        self.0.remove(&target);
    }

    pub fn each(&self) -> impl Iterator<Item = (Target, &str)> {
        self.0.iter().map(|(target, field)| (*target, field.as_str()))
    }

    /// `road=field`, as the command line says it. An empty field takes the element out.
    pub fn change(&mut self, pair: &str) -> Result<()> {
        let Some((name, field)) = pair.split_once('=') else {
            return Err(invalid(format!("{pair}：应写作 要素=字段"), format!("{pair}: say element=field")));
        };
        let target = Target::parse(name.trim()).ok_or_else(|| unknown_target(name))?;
        match field.trim() {
            "" => self.remove(target),
            field => self.put(target, field),
        }
        Ok(())
    }

    /// Each field once.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields: Vec<&str> = self.0.values().map(String::as_str).collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// Refuses a mapping that names fields which are not there, or nothing that an address could be found by.
    pub fn check<'a>(&self, fields: impl Iterator<Item = &'a str> + Clone) -> Result<()> {
        for (target, field) in self.each() {
            if !fields.clone().any(|f| f == field) {
                let shown: String = field.chars().take(60).collect();
                let all: Vec<&str> = fields.take(40).collect();
                return Err(invalid(
                    format!("{} 所映射的字段 {shown} 不存在", target.name()),
                    format!("the field {shown} that {} is mapped to is not there", target.name()),
                )
                .hint(format!("可用字段：{}", all.join("、")), format!("the fields are {}", all.join(", "))));
            }
        }
        let found_by = |t: &Target| matches!(t, Target::Element(_) | Target::Full);
        match self.0.keys().any(found_by) {
            true => Ok(()),
            false => Err(invalid(
                "没有可用于查找的要素：至少需要完整地址、道路、门牌、小区、村、兴趣点或行政区划之一",
                "nothing to find an address by: map a full address, a road, a number, a compound, a village, a name or a division",
            )
            .hint("可用 full=字段 指定完整地址所在的字段", "full=field says where the whole address is")),
        }
    }

    /// The division that each row is, for layers of divisions: these say what a place lies in.
    pub fn division(&self) -> Option<Element> {
        const DIVISIONS: [Element; 5] =
            [Element::Community, Element::Town, Element::District, Element::City, Element::Province];
        let finer = |t: &Target| match t {
            Target::Element(element) => !DIVISIONS.contains(element),
            Target::Full => true,
            Target::Alias | Target::Key | Target::ValidFrom | Target::ValidTo => false,
        };
        match self.0.keys().any(finer) {
            true => None,
            false => DIVISIONS.into_iter().find(|e| self.0.contains_key(&Target::Element(*e))),
        }
    }

    /// Another number for another mapping, the same on every node.
    pub fn digest(&self) -> u32 {
        use sha2::Digest;
        let mut hash = sha2::Sha256::new();
        for (target, field) in self.each() {
            hash.update(target.name().as_bytes());
            hash.update([0]);
            hash.update(field.as_bytes());
            hash.update([1]);
        }
        let digest = hash.finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }

    /// Where the mapped fields stand in rows of these columns. Columns that are not there are left out.
    pub fn layout(&self, columns: &[&str]) -> Layout {
        let place = |target| self.get(target).and_then(|field| columns.iter().position(|c| *c == field));
        Layout {
            elements: Element::ALL.map(|e| place(Target::Element(e))),
            full: place(Target::Full),
            alias: place(Target::Alias),
            key: place(Target::Key),
            valid: [place(Target::ValidFrom), place(Target::ValidTo)],
        }
    }
}

/// A mapping in terms of columns.
#[derive(Debug, Clone)]
pub struct Layout {
    elements: [Option<usize>; ELEMENTS],
    full: Option<usize>,
    alias: Option<usize>,
    key: Option<usize>,
    valid: [Option<usize>; 2],
}

impl Layout {
    pub fn address<'a>(&self, id: u64, lon: f64, lat: f64, values: &[&'a str]) -> Address<'a> {
        let value = |place: Option<usize>| place.and_then(|i| values.get(i).copied()).map_or("", str::trim);
        let mut address = Address::new(id, lon, lat);
        for (element, place) in Element::ALL.into_iter().zip(self.elements) {
            address.elements[element as usize] = value(place);
        }
        address.full = value(self.full);
        address.alias = value(self.alias);
        address.key = value(self.key);
        let [from, to] = self.valid.map(|place| days::of(value(place)));
        address.valid = Validity::new(from, to);
        address
    }
}

fn invalid(zh: impl Into<String>, en: impl Into<String>) -> Error {
    Error::invalid("mapping", zh, en)
}

fn unknown_target(name: &str) -> Error {
    let shown: String = name.chars().take(40).collect();
    let all: Vec<&str> =
        Element::ALL.iter().map(|e| e.name()).chain(["full", "alias", "key", "valid_from", "valid_to"]).collect();
    invalid(format!("没有地址要素 {shown}"), format!("there is no address element {shown}"))
        .hint(format!("可用：{}", all.join("、")), format!("choose from {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(pairs: &[&str]) -> Mapping {
        let mut mapping = Mapping::default();
        pairs.iter().for_each(|pair| mapping.change(pair).unwrap());
        mapping
    }

    #[test]
    fn values_go_to_their_elements() {
        let mapping = mapping(&["road=lu", "number=hao", "full=dz", "key=id"]);
        let layout = mapping.layout(&["id", "hao", "dz", "lu"]);
        let address = layout.address(7, 120.0, 36.0, &["k1", "12", "香港中路12号", " 香港中路 "]);
        assert_eq!((address.get(Element::Road), address.get(Element::Roadno)), ("香港中路", "12"));
        assert_eq!((address.full, address.key, address.alias), ("香港中路12号", "k1", ""));
    }

    #[test]
    fn a_row_holds_from_a_day_to_a_day() {
        let mapping = mapping(&["road=lu", "valid_from=a", "valid_to=b"]);
        let layout = mapping.layout(&["lu", "a", "b"]);
        let valid = |from, to| layout.address(1, 120.0, 36.0, &["香港中路", from, to]).valid;
        assert_eq!(valid("1970-01-02", "1970年1月11日"), Validity { from: 1, to: 10 });
        assert_eq!(valid("", "长期"), Validity::ALWAYS);
    }

    #[test]
    fn a_mapping_names_fields_that_are_there_and_something_to_find_by() {
        let fields = ["a", "b"];
        assert!(mapping(&["road=a"]).check(fields.into_iter()).is_ok());
        assert!(mapping(&["road=c"]).check(fields.into_iter()).is_err());
        assert!(mapping(&["key=a", "valid_to=b"]).check(fields.into_iter()).is_err());
        assert!(Mapping::default().change("nothing=a").is_err());
        assert!(Mapping::default().change("road").is_err());
    }

    #[test]
    fn it_travels_as_json_and_other_mappings_have_other_digests() {
        let one = mapping(&["road=a", "full=b"]);
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Mapping>(&text).unwrap(), one);
        assert!(serde_json::from_str::<Mapping>(r#"{"number":"a","roadno":"b"}"#).is_err());
        assert_ne!(one.digest(), mapping(&["road=b", "full=a"]).digest());
    }

    #[test]
    fn a_layer_of_divisions_is_known_by_its_finest_element() {
        assert_eq!(mapping(&["district=d", "town=name"]).division(), Some(Element::Town));
        assert_eq!(mapping(&["district=d", "road=name"]).division(), None);
        assert_eq!(mapping(&["full=a"]).division(), None);
    }
}
