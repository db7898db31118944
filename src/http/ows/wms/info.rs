//! GetFeatureInfo.

use super::request::{MOST_LAYERS, Version, layers, no_sld, view};
use crate::access::rights::Right;
use crate::error::Said;
use crate::http::ask::Ask;
use crate::http::ows::choice::Choice;
use crate::http::ows::drawing::Named;
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::found::{self, Format, Point};
use crate::http::ows::kvp::Kvp;
use crate::http::ows::{Answer, found::Found};
use crate::picture::view::View;

pub async fn answer(ask: &Ask, kvp: &Kvp) -> Answer {
    let asked = kvp.list("query_layers")?.ok_or_else(|| Fault::missing("query_layers"))?;
    let layers = layers(ask, kvp, Right::Query, "layers")?;
    let repeats = (1..asked.len()).any(|i| asked[..i].contains(&asked[i]));
    if repeats || asked.len() > MOST_LAYERS {
        let said = Said::new(
            format!("query_layers 最多 {MOST_LAYERS} 个图层，每个一次"),
            format!("query_layers are at most {MOST_LAYERS} layers, each once"),
        );
        return Err(Fault::invalid("query_layers", said));
    }
    let version = Version::take(kvp)?;
    no_sld(kvp)?;
    let view = view(kvp, version)?;
    let pixel = pixel(kvp, version, &view)?;
    let format = Format::take(kvp, "info_format")?;
    let point = Point::take(kvp, &view, pixel)?;
    let choice = Choice::take(kvp, layers.len())?;
    let names = kvp.list("layers")?.unwrap_or_default();
    let (mut found, mut left): (Vec<Found<'_>>, usize) = (vec![], found::MOST_BYTES);
    for name in asked {
        let place = names.iter().position(|n| *n == name).ok_or_else(|| {
            let said = Said::new("query_layers 中的图层应在 layers 中", "each of query_layers is to be one of layers");
            Fault::invalid("query_layers", said).code(Code::LayerNotDefined)
        })?;
        match &layers[place].0 {
            Named::Layer(drawn) if drawn.layer.state().archive.is_none() => {
                let filter = choice.of(ask, place, drawn)?;
                found.push(found::at(ask, drawn, filter, &point, &mut left).await?);
            }
            _ => {
                let said = Said::new("该图层没有可查询的要素", "this layer has no features to be asked for");
                return Err(Fault::invalid("query_layers", said).code(Code::LayerNotQueryable));
            }
        }
    }
    found::answer(ask, &found, format)
}

/// `i` and `j`, which were `x` and `y` before 1.3.0. Clients of either version mix them up.
fn pixel(kvp: &Kvp, version: Version, view: &View) -> Result<(u32, u32), Fault> {
    let take = |[name, other]: [&str; 2], side: u32| {
        let name = if kvp.get(name)?.is_none() && kvp.get(other)?.is_some() { other } else { name };
        let value = kvp.integer(name, 0..=i64::from(side) - 1).map_err(|fault| fault.code(Code::InvalidPoint))?;
        value.map(|value| value as u32).ok_or_else(|| Fault::missing(name))
    };
    let (x, y) = match version {
        Version::V130 => (["i", "x"], ["j", "y"]),
        Version::V111 => (["x", "i"], ["y", "j"]),
    };
    Ok((take(x, view.width)?, take(y, view.height)?))
}
