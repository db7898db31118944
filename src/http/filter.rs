//! `filter`, `filter-lang` and `filter-crs` of a request (OGC API Features, part 3).

use super::parameters::Parameters;
use crate::error::{Error, Result};
use crate::geo::crs::{CRS84, Crs};
use crate::layer::filter::{Given, Language};

/// Takes the three parameters. `offered` are the systems in which coordinates may be given.
pub fn take(parameters: &mut Parameters, offered: &[Crs]) -> Result<Option<Given>> {
    let language = language(parameters.take("filter-lang")?.as_deref())?;
    let crs = crs(parameters.take("filter-crs")?.as_deref(), offered)?;
    Ok(parameters.take("filter")?.map(|text| Given { text, language, crs }))
}

/// `filter-lang`.
pub fn language(id: Option<&str>) -> Result<Language> {
    let Some(id) = id else { return Ok(Language::default()) };
    Language::ALL.into_iter().find(|language| language.id() == id).ok_or_else(unknown_language)
}

/// `filter-crs`: one of those that are offered.
pub fn crs(uri: Option<&str>, offered: &[Crs]) -> Result<Crs> {
    let Some(uri) = uri else { return Ok(CRS84) };
    Crs::parse(uri).filter(|crs| offered.contains(crs)).ok_or_else(|| not_offered(offered))
}

fn unknown_language() -> Error {
    let ids = Language::ALL.map(Language::id);
    Error::invalid("filter-lang", "没有这种过滤语言", "there is no such filter language")
        .hint(format!("可用：{}", ids.join("、")), format!("choose one of {}", ids.join(", ")))
}

fn not_offered(offered: &[Crs]) -> Error {
    let uris: Vec<String> = offered.iter().map(|crs| crs.uri()).collect();
    Error::invalid("filter-crs", "不支持这个坐标系", "this reference system is not offered")
        .hint(format!("可用：{}", uris.join("、")), format!("choose one of {}", uris.join(", ")))
}
