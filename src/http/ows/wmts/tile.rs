//! GetTile and GetFeatureInfo of WMTS.

use super::Offer;
use crate::access::rights::Right;
use crate::access::trace;
use crate::error::{Error, Kind, Said};
use crate::geo::tms::{TileCoord, TileMatrixSet};
use crate::http::ask::Ask;
use crate::http::ows::choice::Choice;
use crate::http::ows::drawing::Named;
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::found::{self, Point};
use crate::http::ows::kvp::{Kvp, not};
use crate::http::ows::{Answer, picture};
use crate::http::parameters::Parameters;
use crate::http::{negotiation, tile as vector};
use crate::layer::filter::Given;
use crate::picture::sheet::{Sheet, Source};
use crate::picture::view::View;
use crate::picture::{Format, Wanted};
use crate::tile::render::Drawn;

/// A tile's address as it was given.
pub struct Address {
    pub layer: String,
    pub style: String,
    pub set: String,
    pub z: String,
    pub row: String,
    pub column: String,
    pub format: String,
}

impl Address {
    pub fn take(kvp: &Kvp, offer: &Offer) -> Result<Address, Fault> {
        let required = |name: &str| kvp.required(name).map(str::to_owned);
        // Of a service of one layer the address names it already.
        let (layer, set) = match &offer.only {
            Some(only) => {
                if !kvp.is_or_absent("layer", &only.layer)? {
                    let said =
                        not(kvp.required("layer")?, &only.layer, &format!("{}, which this address serves", only.layer));
                    return Err(Fault::invalid("layer", said));
                }
                let set = kvp.get("tilematrixset")?.unwrap_or(only.name);
                (only.layer.clone(), set.to_owned())
            }
            None => (required("layer")?, required("tilematrixset")?),
        };
        Ok(Address {
            layer,
            set,
            // WMTS wants it; who leaves it out can mean but the one.
            style: kvp.get("style")?.unwrap_or_default().to_owned(),
            z: required("tilematrix")?,
            row: required("tilerow")?,
            column: required("tilecol")?,
            format: kvp.get("format")?.unwrap_or("image/png").to_owned(),
        })
    }

    fn style(&self) -> Option<&str> {
        Some(self.style.as_str()).filter(|style| !style.is_empty())
    }

    fn tile(&self, offer: &Offer) -> Result<TileCoord, Fault> {
        let set = offer.set(&self.set).ok_or_else(|| {
            let known = match &offer.only {
                Some(only) => only.name.to_owned(),
                None => TileMatrixSet::ALL.map(TileMatrixSet::id).join(", "),
            };
            Fault::invalid("TileMatrixSet", not(&self.set, &known, &format!("one of {known}")))
        })?;
        // GeoServer's clients write the set's name before the matrix.
        let z = self.z.rsplit(':').next().unwrap_or_default();
        let (first, last) = set.zooms().into_inner();
        let z = number(z).filter(|z| u8::try_from(*z).is_ok_and(|z| set.zooms().contains(&z))).ok_or_else(|| {
            let known = format!("{first}–{last}");
            Fault::invalid("TileMatrix", not(&self.z, &known, &format!("a matrix of the set, {first} to {last}")))
        })?;
        let axis = |text: &str, name: &str| {
            number(text).ok_or_else(|| Fault::invalid(name, not(text, "非负整数", "a non-negative integer")))
        };
        let (row, column) = (axis(&self.row, "TileRow")?, axis(&self.column, "TileCol")?);
        set.tile(z, column, row).ok_or_else(|| {
            let (columns, rows) = set.matrix(z as u8);
            let name = if row >= rows { "TileRow" } else { "TileCol" };
            let (zh, en) = (
                format!("瓦片超出矩阵范围：{z} 级有 {columns} 列、{rows} 行，从 0 数起"),
                format!("the tile is out of range: matrix {z} has {columns} columns and {rows} rows, counted from 0"),
            );
            Fault::invalid(name, Said::new(zh, en)).code(Code::TileOutOfRange)
        })
    }
}

fn number(text: &str) -> Option<u32> {
    // A number that no u32 holds lies outside of every matrix.
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().unwrap_or(u32::MAX))
}

/// A layer by its name; what may not be known of is 404, and here the report says which parameter named it.
fn named(ask: &Ask, name: &str, right: Right) -> Result<Named, Fault> {
    Named::find(ask, name, right, "Layer").map_err(|fault| match fault.kind() {
        // WMTS has no code of its own for it.
        Kind::NotFound => fault.code(Code::InvalidParameterValue),
        _ => fault.code(Code::NoApplicableCode),
    })
}

pub async fn get(mut ask: Ask, kvp: &Kvp, address: &Address, offer: &Offer) -> Answer {
    let named = named(&ask, &address.layer, Right::View)?;
    let format = match address.format.to_ascii_lowercase().as_str() {
        // `tiles` is Tianditu's word.
        "image/png" | "png" | "tiles" => Some(Format::Png),
        "image/jpeg" | "jpg" | "jpeg" => Some(Format::Jpeg),
        negotiation::MVT | "mvt" | "pbf" => None,
        "" => {
            let error = Error::not_found("没有这个地址", "there is nothing at this address");
            let error = error.hint("瓦片地址以 .png、.jpg 或 .mvt 结尾", "a tile's address ends in .png, .jpg or .mvt");
            return Err(Fault::new(error));
        }
        other => {
            let known = format!("image/png, image/jpeg, {}", negotiation::MVT);
            return Err(Fault::invalid("Format", not(other, &known, &format!("one of {known}"))));
        }
    };
    let tile = address.tile(offer)?;
    trace::tile(tile.set.id(), tile.z, tile.x, tile.y);
    let choice = Choice::take(kvp, 1)?;
    match (format, named) {
        (Some(format), named) => {
            // A filter is for layers; the base map stays what it is.
            let filter = match &named {
                Named::Layer(drawn) => choice.of(&ask, 0, drawn)?,
                Named::Base(_) => None,
            };
            let mut sheet = Sheet::default();
            let source = |drawn: &Drawn| Ok(Source { drawn: drawn.clone(), filter: filter.clone() });
            named.lay(&ask, (Right::View, address.style()), source, &mut sheet).map_err(|fault| fault.at("Style"))?;
            let background = (format == Format::Jpeg).then_some([255; 4]);
            let wanted = Wanted { view: View::of_tile(tile), format, background, sheet, tiled: true };
            picture::answer(&ask, &wanted).await
        }
        (None, Named::Layer(drawn)) => {
            ask.parameters = vector_parameters(kvp, choice.given(&ask, 0, &drawn)?)?;
            let coordinate = [tile.z.to_string(), tile.x.to_string(), tile.y.to_string()];
            let coordinate = coordinate.each_ref().map(String::as_str);
            vector::answer(ask, vec![*drawn], tile.set, coordinate).await.map_err(|problem| Fault::new(problem.0))
        }
        (None, Named::Base(_)) => {
            let said = Said::new("底图只有图片瓦片", "the base map has pictures only");
            Err(Fault::invalid("Format", said))
        }
    }
}

/// What of the request the vector tiles know; they refuse what they do not.
fn vector_parameters(kvp: &Kvp, given: Option<Given>) -> Result<Parameters, Fault> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("f", "mvt");
    query.extend_pairs(kvp.get("fields")?.map(|fields| ("fields", fields)));
    if let Some(Given { text, language, crs }) = given {
        query.extend_pairs([("filter", &*text), ("filter-lang", language.id()), ("filter-crs", &*crs.uri())]);
    }
    Ok(Parameters::parse(Some(&query.finish()))?)
}

pub async fn info(ask: &Ask, kvp: &Kvp, address: &Address, offer: &Offer) -> Answer {
    let named = named(ask, &address.layer, Right::Query)?;
    let view = View::of_tile(address.tile(offer)?);
    let at = |name: &str, side: u32| {
        let value = kvp.integer(name, 0..=i64::from(side) - 1).map_err(|f| f.code(Code::PointIJOutOfRange))?;
        value.map(|value| value as u32).ok_or_else(|| Fault::missing(name))
    };
    let pixel = (at("i", view.width)?, at("j", view.height)?);
    let format = found::Format::take(kvp, "infoformat")?;
    let point = Point::take(kvp, &view, pixel)?;
    match named {
        Named::Layer(drawn) if drawn.layer.state().archive.is_none() => {
            let filter = Choice::take(kvp, 1)?.of(ask, 0, &drawn)?;
            let found = found::at(ask, &drawn, filter, &point, &mut { found::MOST_BYTES }).await?;
            found::answer(ask, &[found], format)
        }
        _ => {
            let said = Said::new("该图层没有可查询的要素", "this layer has no features to be asked for");
            Err(Fault::invalid("Layer", said).code(Code::OperationNotSupported))
        }
    }
}
