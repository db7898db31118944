//! `/address/search` and `/address/suggest`.

use onemap_address::find::Level;
use serde_json::{Value, json};

use super::{Datum, GEOJSON, answered, collection, feature, readable, take_sources};
use crate::address::aliases::{Alias, Target};
use crate::address::answer::{Name, addok_type, faults};
use crate::address::search::Asked;
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::http::parameters::Parameters;

const MOST: i64 = 50;
const LIMIT: i64 = 5;
const SUGGESTIONS: i64 = 10;

/// The parameters that both have.
struct Wanted {
    asked: Asked,
    sources: Option<Vec<String>>,
    datum: Datum,
}

impl Wanted {
    fn take(parameters: &mut Parameters, limit: i64) -> Result<Wanted> {
        let q = parameters.take("q")?;
        let limit = parameters.take_integer("limit", 1..=MOST)?.unwrap_or(limit) as usize;
        let datum = Datum::take(parameters)?;
        let near = take_near(parameters, datum)?;
        let division = parameters.take("division")?.filter(|d| !d.trim().is_empty());
        if division.as_ref().is_some_and(|d| d.chars().count() > 100) {
            return Err(Error::invalid("division", "行政区划名称过长", "the name of the division is too long"));
        }
        let level = parameters.take("level")?.map(|name| level(&name)).transpose()?;
        let sources = take_sources(parameters)?;
        let text = q.ok_or_else(|| {
            Error::invalid("q", "缺少参数 q（要查找的地址）", "the parameter q is missing: the address to look for")
        })?;
        Ok(Wanted { asked: Asked { text, limit, near, division, level }, sources, datum })
    }
}

/// `lon` and `lat`, both or neither.
fn take_near(parameters: &mut Parameters, datum: Datum) -> Result<Option<(f64, f64)>> {
    let (lon, lat) = (parameters.take("lon")?, parameters.take("lat")?);
    let one = |name: &str, value: Option<String>, most: f64| match value {
        None => Err(Error::invalid(name, "lon 与 lat 应一同给出", "lon and lat come together")),
        Some(text) => text.trim().parse().ok().filter(|v: &f64| v.abs() <= most).ok_or_else(|| {
            Error::invalid(name, format!("应为 ±{most} 之间的度数"), format!("degrees within ±{most} are expected"))
        }),
    };
    match (&lon, &lat) {
        (None, None) => Ok(None),
        _ => Ok(Some(datum.read(one("lon", lon, 180.0)?, one("lat", lat, 90.0)?))),
    }
}

fn level(name: &str) -> Result<Level> {
    Level::parse(name).ok_or_else(|| {
        let shown: String = name.chars().take(40).collect();
        let all: Vec<&str> = Level::NAMES.iter().map(|(_, n)| *n).collect();
        Error::invalid("level", format!("没有级别 {shown}"), format!("there is no level {shown}"))
            .hint(format!("可用：{}", all.join("、")), format!("choose from {}", all.join(", ")))
    })
}

/// An address as somebody wrote it → the places it may mean, best first. What the caller's department has decided for the text comes
/// before all that could be found.
pub async fn search(mut ask: Ask) -> Answer {
    let wanted = Wanted::take(&mut ask.parameters, LIMIT)?;
    std::mem::take(&mut ask.parameters).finish()?;
    let readable = readable(&ask, wanted.sources.as_deref()).await?;
    let q = wanted.asked.text.clone();
    // A narrower question is not the one that was decided.
    let whole = wanted.asked.level.is_none() && wanted.asked.division.is_none() && wanted.sources.is_none();
    let decided_for = if whole { ask.app.aliases.answer(&ask.principal, &q).await? } else { None };
    if let Some(alias) = decided_for {
        metrics::counter!("onemap_address_searches_total", "kind" => "search", "outcome" => "decided").increment(1);
        return answered(&ask, GEOJSON, &collection(decided(&alias, wanted.datum), &readable, decision(&alias, &q)));
    }
    let found = ask.app.addresses.search(&readable, wanted.asked).await?;
    let features = found.candidates.iter().map(|c| feature(c, &readable, wanted.datum)).collect();
    let level = found.candidates.first().map_or(Level::None, |c| c.match_level);
    let members = json!({
        "query": q, "match_level": level.name(), "faults": faults(&found.faults), "remainder": found.remainder,
    });
    answered(&ask, GEOJSON, &collection(features, &readable, members))
}

/// The place that a department's people decided for a text; none when they rejected it.
fn decided(alias: &Alias, datum: Datum) -> Vec<Value> {
    let feature = |target: &Target| {
        let (lon, lat) = datum.out(target.lon, target.lat);
        let level = Level::parse(&target.match_level).unwrap_or(Level::Poi);
        json!({
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {
                "id": target.feature, "source": target.layer, "feature": target.feature, "label": target.label,
                "score": 1, "match_level": level.name(), "coordinate_level": target.coordinate_level,
                "elements": {}, "verdicts": {}, "parts": {}, "type": addok_type(level), "name": target.label,
            },
        })
    };
    alias.target.iter().map(feature).collect()
}

fn decision(alias: &Alias, q: &str) -> Value {
    let level = alias.target.as_ref().map_or(Level::None.name(), |t| &t.match_level);
    json!({
        "query": q, "match_level": level, "faults": [], "remainder": "",
        "decision": {"kind": alias.kind, "by": alias.by, "at": alias.at, "note": alias.note},
    })
}

/// The beginning of an address → what it may become: Chinese, pinyin, initials.
pub async fn suggest(mut ask: Ask) -> Answer {
    let wanted = Wanted::take(&mut ask.parameters, SUGGESTIONS)?;
    std::mem::take(&mut ask.parameters).finish()?;
    let readable = readable(&ask, wanted.sources.as_deref()).await?;
    let q = wanted.asked.text.clone();
    let found = ask.app.addresses.suggest(&readable, wanted.asked).await?;
    let features = found.iter().map(|c| feature(c, &readable, wanted.datum)).collect();
    answered(&ask, GEOJSON, &collection(features, &readable, json!({"query": q})))
}
