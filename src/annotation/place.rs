//! Where a mark goes that is placed by its address: there when one place is clearly meant, otherwise its editor chooses.

use onemap_address::find::{AUTO, Answer, Fault, REJECT};
use serde_json::{Value, json};

use crate::access::principal::Principal;
use crate::address::aliases::{Aliases, Target};
use crate::address::answer::{faults, properties};
use crate::address::search::Asked;
use crate::address::{Addresses, Readable};
use crate::error::{Error, Result};

/// Candidates that are offered when several places may be meant.
const OFFERED: usize = 5;

/// The place that an address means.
pub struct Placed {
    pub lon: f64,
    pub lat: f64,
    pub label: String,
    /// How it was found: label, score, match level, coordinate level, source; for whoever has to judge it.
    pub found: Value,
}

/// Finds the place under the caller's own rights. What the caller's department has decided for the text comes first.
pub async fn find(addresses: &Addresses, aliases: &Aliases, by: &Principal, address: &str) -> Result<Placed> {
    if address.trim().is_empty() {
        return Err(Error::invalid("address", "缺少地址", "the address is missing"));
    }
    if let Some(alias) = aliases.answer(by, address).await? {
        return alias.target.as_ref().map(decided).ok_or_else(|| not_found(&[]));
    }
    let readable = addresses.readable(by, None).await?;
    let asked = Asked { text: address.to_owned(), limit: OFFERED, ..Asked::default() };
    judged(&addresses.search(&readable, asked).await?, &readable)
}

fn decided(target: &Target) -> Placed {
    let found = json!({"label": target.label, "score": 1, "match_level": target.match_level,
        "coordinate_level": target.coordinate_level, "source": target.layer, "feature": target.feature, "decided": true});
    Placed { lon: target.lon, lat: target.lat, label: target.label.clone(), found }
}

/// One is taken unseen that is right nine times in ten and has no rival.
fn judged(answer: &Answer, readable: &Readable) -> Result<Placed> {
    let worth_a_look: Vec<_> = answer.candidates.iter().filter(|c| c.score >= REJECT).collect();
    let Some(best) = worth_a_look.first() else { return Err(not_found(&answer.faults)) };
    if best.score >= AUTO && !answer.faults.contains(&Fault::Ambiguous) {
        let found = properties(best, readable.layer(best.source));
        return Ok(Placed { lon: best.lon, lat: best.lat, label: best.label.clone(), found });
    }
    let candidates: Vec<Value> = worth_a_look
        .iter()
        .map(|c| {
            json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [c.lon, c.lat]},
                "properties": properties(c, readable.layer(c.source))})
        })
        .collect();
    Err(Error::conflict("这个地址可能指几个地点", "the address may mean several places")
        .hint(
            "请从 candidates 中选择，按其坐标添加标注（POST /ogc/collections/{图层}/items）",
            "choose one of `candidates` and add the mark at its coordinates (POST /ogc/collections/{layer}/items)",
        )
        .choices("candidates", candidates.into()))
}

fn not_found(why: &[Fault]) -> Error {
    let why = faults(why).join(", ");
    let (zh, en) = match why.is_empty() {
        true => ("没有找到这个地址".to_owned(), "no such address was found".to_owned()),
        false => (format!("没有找到这个地址（{why}）"), format!("no such address was found ({why})")),
    };
    Error::invalid("address", zh, en).hint("请补全区县、道路和门牌号", "write it with district, road and number")
}
