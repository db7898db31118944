//! A request in types, whichever way it came: pairs in an address or a form (`pairs`), or XML (`body`).

use crate::error::{Error, Said};
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::kvp::{no_operation, not};

pub type Result<T> = std::result::Result<T, Fault>;

/// The versions that are spoken, the one that is preferred first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    #[default]
    V200,
    V202,
    V110,
}

impl Version {
    pub const ALL: [Version; 3] = [Version::V202, Version::V200, Version::V110];

    pub fn name(self) -> &'static str {
        match self {
            Version::V200 => "2.0.0",
            Version::V202 => "2.0.2",
            Version::V110 => "1.1.0",
        }
    }

    pub fn is_two(self) -> bool {
        self != Version::V110
    }

    /// `version=` of any operation but GetCapabilities.
    pub fn required(text: Option<&str>) -> Result<Version> {
        let text = text.ok_or_else(|| Fault::missing("version"))?;
        Version::parse(text)
            .ok_or_else(|| Fault::invalid("version", not(text, "2.0.0、2.0.2 或 1.1.0", "2.0.0, 2.0.2 or 1.1.0")))
    }

    fn parse(text: &str) -> Option<Version> {
        Version::ALL.into_iter().find(|version| version.name() == text.trim())
    }

    /// GetCapabilities: the first of the acceptable versions that is spoken here (06-121r3, 7.3.2). Without a list, `version=` is taken
    /// for a wish.
    pub fn negotiated(accepted: &[String], wished: Option<&str>) -> Result<Version> {
        if accepted.is_empty() {
            return Ok(wished.and_then(Version::parse).unwrap_or_default());
        }
        accepted.iter().find_map(|text| Version::parse(text)).ok_or_else(|| {
            let (zh, en) = (
                "不支持所要求的版本，可用：2.0.2、2.0.0、1.1.0",
                "none of these versions is spoken: 2.0.2, 2.0.0, 1.1.0 are",
            );
            Fault::new(Error::invalid("acceptversions", zh, en)).code(Code::VersionNegotiationFailed)
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    GetCapabilities {
        /// Lower-case; empty for the whole document.
        sections: Vec<String>,
    },
    DescribeFeatureType {
        types: Vec<String>,
        format: Option<String>,
    },
    GetFeature(Get),
    GetPropertyValue(Get, String),
    ListStoredQueries,
    DescribeStoredQueries(Vec<String>),
}

/// What GetFeature and GetPropertyValue have in common.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Get {
    pub queries: Vec<Query>,
    pub count: Option<i64>,
    pub start: i64,
    pub hits: bool,
    pub format: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Empty where ids alone tell the type.
    pub layer: String,
    pub srs_name: Option<String>,
    /// Empty for all.
    pub properties: Vec<String>,
    pub filter: Option<Filter>,
    pub sort: Vec<(String, bool)>,
    /// Came as GetFeatureById: the answer is the feature itself.
    pub by_id: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// A `fes:Filter` in whatever declares its prefixes.
    Xml(String),
    /// Four numbers and the name of their reference system.
    Bbox([f64; 4], Option<String>),
    Ids(Vec<String>),
}

/// Operations that exist in WFS and not here.
const REFUSED: [&str; 6] =
    ["Transaction", "LockFeature", "GetFeatureWithLock", "CreateStoredQuery", "DropStoredQuery", "GetGmlObject"];

const KNOWN: [&str; 6] = [
    "GetCapabilities",
    "DescribeFeatureType",
    "GetFeature",
    "GetPropertyValue",
    "ListStoredQueries",
    "DescribeStoredQueries",
];

/// The operation's name in its own case.
pub fn operation(name: &str) -> Result<&'static str> {
    if let Some(known) = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(known);
    }
    match REFUSED.into_iter().find(|refused| refused.eq_ignore_ascii_case(name)) {
        Some(refused) => {
            let said = Said::new(format!("不提供 {refused}"), format!("{refused} is not offered"));
            Err(Fault::invalid("request", said).code(Code::OperationNotSupported).hint(
                "写入请用 OGC API Features 第 4 部分：/ogc/collections/{图层}/items",
                "features are written by OGC API Features, part 4: /ogc/collections/{layer}/items",
            ))
        }
        None => Err(no_operation(name, &KNOWN)),
    }
}

pub const GET_FEATURE_BY_ID: &str = "urn:ogc:def:query:OGC-WFS::GetFeatureById";
/// The name that the first edition of the standard gave it.
pub const GET_FEATURE_BY_ID_OLD: &str = "http://www.opengis.net/def/query/OGC-WFS/0/GetFeatureById";

/// The query that a stored query stands for.
pub fn stored(id: &str, parameter: Option<&str>) -> Result<Query> {
    if id != GET_FEATURE_BY_ID && id != GET_FEATURE_BY_ID_OLD {
        return Err(no_stored_query(id));
    }
    let id = parameter.filter(|id| !id.trim().is_empty()).ok_or_else(|| Fault::missing("id"))?;
    Ok(Query { filter: Some(Filter::Ids(vec![id.trim().to_owned()])), by_id: true, ..Query::default() })
}

pub fn no_stored_query(id: &str) -> Fault {
    Fault::invalid("storedquery_id", not(id, GET_FEATURE_BY_ID, GET_FEATURE_BY_ID))
}

/// What a request takes, limited.
pub fn limited<T>(parameter: &str, list: Vec<T>, most: usize) -> Result<Vec<T>> {
    match list.len() > most {
        false => Ok(list),
        true => {
            let said = Said::new(format!("最多 {most} 项"), format!("at most {most} are taken at once"));
            Err(Fault::invalid(parameter, said))
        }
    }
}

/// Layers named at once, and ids.
pub const MOST_TYPES: usize = 100;
pub const MOST_QUERIES: usize = 20;
pub const MOST_IDS: usize = 1000;

pub fn result_type(text: Option<&str>) -> Result<bool> {
    match text {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("results") => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("hits") => Ok(true),
        Some(text) => Err(Fault::invalid("resulttype", not(text, "results 或 hits", "results or hits"))),
    }
}

/// `resolve`, `resolvedepth`: nothing here refers to anything elsewhere, so local resolving has nothing to do.
pub fn resolve(text: Option<&str>) -> Result<()> {
    match text {
        None | Some("none" | "local") => Ok(()),
        Some(text) => {
            Err(Fault::invalid("resolve", not(text, "none 或 local", "none or local")).code(Code::OptionNotSupported))
        }
    }
}
