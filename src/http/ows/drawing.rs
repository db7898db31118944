//! The layers that WMS and WMTS draw: what a name stands for, in which style, of which features.

use std::sync::Arc;

use serde_json::Value;

use super::exception::{Code, Fault};
use super::kvp::not;
use crate::access::rights::Right;
use crate::access::trace;
use crate::error::{Error, Result};
use crate::http::ask::Ask;
use crate::http::ogc::common::readable;
use crate::http::style;
use crate::layer::model::Title;
use crate::picture::sheet::{Part, Sheet, Source};
use crate::style::library;
use crate::tile::render::Drawn;

/// The base map among the layers: a style of the library over everything of it that the caller may read.
pub const BASE: &str = "base";
/// The style that a layer has when none is named.
pub const DEFAULT: &str = "default";

/// What a name stands for.
pub enum Named {
    Layer(Box<Drawn>),
    /// A part of the base map: Tianditu's pages ask for shapes and labels apart.
    Base(Part),
}

impl Named {
    /// A layer that may be looked at, or asked for features, before anything else of that name.
    pub fn find(ask: &Ask, name: &str, right: Right, parameter: &str) -> Result<Named, Fault> {
        let error = match ask.read_for(name, right) {
            Ok(drawn) if drawn.layer.state().has_tiles() => return Ok(Named::Layer(Box::new(drawn))),
            Ok(_) => Error::not_found("该图层没有图形，不能成图", "this layer has no geometry to draw"),
            Err(e) => e,
        };
        let part = match name {
            BASE => Some(Part::All),
            "vec" => Some(Part::Shapes),
            "cva" => Some(Part::Labels),
            _ => None,
        };
        match part {
            Some(part) => Ok(Named::Base(part)),
            None => Err(Fault::new(error).code(Code::LayerNotDefined).at(parameter)),
        }
    }

    /// Lays it on a sheet, in a style of its own (`None`: the one it has by itself), for a use of the right.
    pub fn lay(
        &self,
        ask: &Ask,
        (right, style): (Right, Option<&str>),
        source: impl Fn(&Drawn) -> Result<Source, Fault>,
        on: &mut Sheet,
    ) -> Result<(), Fault> {
        match self {
            Named::Layer(drawn) => {
                let style = styled(ask, drawn, style)?;
                on.add(&style, Part::All, vec![source(drawn)?]);
            }
            Named::Base(part) => {
                if let Some(name) = style.filter(|name| *name != DEFAULT) {
                    return Err(no_style(name));
                }
                let (style, drawn) = base_map(ask, right)?;
                on.add(&style, *part, drawn.iter().map(source).collect::<Result<_, Fault>>()?);
            }
        }
        Ok(())
    }
}

/// The style of a layer by its name: the one that it has by itself, or one that a department keeps.
pub fn styled(ask: &Ask, drawn: &Drawn, name: Option<&str>) -> Result<Value, Fault> {
    match name {
        None | Some(DEFAULT) => Ok(style::of_layer(ask, drawn)),
        Some(name) => style::named_of_layer(ask, drawn, name).ok_or_else(|| no_style(name)),
    }
}

/// The names and titles of the styles that a layer can be drawn in, the one it has by itself first.
pub fn styles(ask: &Ask, drawn: &Drawn) -> Vec<(String, String)> {
    let kept = style::kept_of_layer(ask, &drawn.layer.id);
    let kept = kept.iter().map(|style| (style.id.to_string(), style.title().to_owned()));
    std::iter::once((DEFAULT.to_owned(), ask.language.pick(&drawn.layer.title).to_owned())).chain(kept).collect()
}

fn no_style(name: &str) -> Fault {
    let said = not(name, "该图层的样式之一（见 GetCapabilities）", "one of the layer's styles (see GetCapabilities)");
    Fault::invalid("styles", said).code(Code::StyleNotDefined)
}

/// The base map's style with what the caller has the right to of it, and these layers.
pub fn base_map(ask: &Ask, right: Right) -> Result<(Value, Vec<Drawn>), Fault> {
    let readable = |id: &str| ask.read_for(id, right).ok().filter(|drawn| drawn.layer.state().has_tiles());
    let style = library::embedded(BASE, &ask.base, |layer| readable(layer).is_some())?;
    let drawn = style["sources"].as_object().into_iter().flatten().filter_map(|(id, _)| readable(id)).collect();
    Ok((style, drawn))
}

/// Whether the caller may see anything of the base map. That is not to look at it.
pub fn has_base_map(ask: &Ask) -> bool {
    trace::within_sync(Arc::default(), || base_map(ask, Right::View)).is_ok_and(|(_, drawn)| !drawn.is_empty())
}

/// The base map's title.
pub fn base_title() -> Title {
    Title { zh: "政务底图".into(), en: "Base map".into() }
}

/// The layers that can be drawn for the caller, by id.
pub fn drawable(ask: &Ask) -> Vec<Drawn> {
    let readable = readable(ask, Some(Right::View)).into_iter().map(|(layer, grant)| Drawn { layer, grant });
    readable.filter(|drawn| drawn.layer.state().has_tiles()).collect()
}
