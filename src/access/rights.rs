//! What a grantee may do with what a grant opens.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One of the things that are granted apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Tiles, maps, legends, styles.
    View,
    /// Features, what is at a point, statistics, addresses, spatial queries.
    Query,
    /// Maps on paper: the portal's sheets, pictures as large or as fine as paper has them.
    Print,
    /// Files of features, archives of tiles.
    Export,
    /// Changes of single features (OGC API Features Part 4).
    Write,
}

impl Right {
    pub const ALL: [Right; 5] = [Right::View, Right::Query, Right::Print, Right::Export, Right::Write];

    pub fn name(self) -> &'static str {
        match self {
            Right::View => "view",
            Right::Query => "query",
            Right::Print => "print",
            Right::Export => "export",
            Right::Write => "write",
        }
    }

    /// Its name for people, in Chinese.
    pub fn title_zh(self) -> &'static str {
        match self {
            Right::View => "浏览",
            Right::Query => "查询",
            Right::Print => "打印",
            Right::Export => "导出",
            Right::Write => "编辑",
        }
    }

    pub fn parse(name: &str) -> Option<Right> {
        Right::ALL.into_iter().find(|r| r.name() == name)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of rights. The default has all of them: it is what an owner has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rights(u8);

impl Default for Rights {
    fn default() -> Self {
        Right::ALL.into_iter().collect()
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Rights(rights.into_iter().fold(0, |set, right| set | right.bit()))
    }
}

impl Rights {
    pub fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |r| self.has(*r))
    }
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Right::name).collect()
    }
    /// As they stand in the database. A name that this binary does not know gives nothing.
    pub fn of_names<S: AsRef<str>>(names: &[S]) -> Rights {
        names.iter().filter_map(|name| Right::parse(name.as_ref())).collect()
    }
}

impl std::fmt::Debug for Rights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Rights {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.iter().collect::<Vec<_>>().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Rights {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::<Right>::deserialize(from).map(|rights| rights.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_what_was_put_in() {
        let set = Rights::of_names(&["view", "export", "own"]);
        assert_eq!(set.names(), ["view", "export"]);
        assert!(set.has(Right::Export) && !set.has(Right::Write));
        assert!(Right::ALL.into_iter().all(|r| Rights::default().has(r)));
        assert!(serde_json::from_str::<Rights>("[\"own\"]").is_err());
    }
}
