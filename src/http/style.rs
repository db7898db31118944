//! Styles for a reader: the one function that everything asks which shows a layer, be it the portal, WMS, WMTS or the OGC endpoints.

use std::sync::Arc;

use serde_json::Value;

use super::ask::Ask;
use crate::error::{Result, Said};
use crate::layer::catalog::Published;
use crate::style::store::{Stored, no_style};
use crate::style::{document, library};
use crate::tile::render::Drawn;

/// A style as its reader sees it.
pub struct Shown {
    pub title: String,
    pub style: Value,
    pub origin: Origin,
}

/// Where a style comes from.
pub enum Origin {
    /// onemap brings it along.
    Library,
    /// A department keeps it.
    Stored(Arc<Stored>),
    /// The default style of a layer; named by the layer's id.
    Layer(Box<Drawn>),
}

/// The style of a layer for this reader: the default that its owner chose, else one that is made for it.
pub fn of_layer(ask: &Ask, drawn: &Drawn) -> Value {
    let chosen = drawn.layer.default_style.as_deref().and_then(|id| named_of_layer(ask, drawn, id));
    chosen.unwrap_or_else(|| made(drawn, &ask.base))
}

/// What a kept style draws of one layer, or the layer's default by the layer's own id; None when it does not draw it.
pub fn named_of_layer(ask: &Ask, drawn: &Drawn, id: &str) -> Option<Value> {
    if id == &*drawn.layer.id {
        return Some(of_layer(ask, drawn));
    }
    let kept = ask.app.styles.get(id)?;
    document::of_layer(&served(ask, &kept)?, &drawn.layer.id, &ask.base)
}

/// The kept styles of which the reader sees something that they draw of a layer.
pub fn kept_of_layer(ask: &Ask, layer: &str) -> Vec<Arc<Stored>> {
    let mut kept = ask.app.styles.all();
    let of_layer = |style: &Stored| style.layers.iter().any(|l| l == layer);
    kept.retain(|style| of_layer(style) && document::draws(&style.document, Some(layer), |id| sight(ask, id)));
    kept
}

/// Whether [`served`] gives the reader something of a kept style.
pub fn is_seen(ask: &Ask, kept: &Stored) -> bool {
    is_own(ask, kept) || document::draws(&kept.document, None, |id| sight(ask, id))
}

fn is_own(ask: &Ask, kept: &Stored) -> bool {
    ask.principal.department.as_deref() == Some(&*kept.department)
}

/// What the reader sees of a layer, if it may be read.
fn sight(ask: &Ask, layer: &str) -> Option<document::Sight> {
    let drawn = ask.view(layer).ok()?;
    let scope = drawn.grant.scope();
    let fields = drawn.layer.state().fields.iter();
    let hidden = fields.filter(|f| !scope.sees_field(&f.name)).map(|f| f.name.clone()).collect();
    Some(document::Sight { hidden, part: !scope.is_all() })
}

/// Any style by its id: one of the library, a layer's default by the layer's id, one that a department keeps.
pub fn by_id(ask: &Ask, id: &str) -> Result<Shown> {
    if library::names().iter().any(|name| name == id) {
        let style = library::embedded(id, &ask.base, |layer| ask.view(layer).is_ok())?;
        let language = ask.language.word("zh", "en");
        let title =
            style["metadata"]["onemap:title"][language].as_str().or(style["name"].as_str()).unwrap_or(id).to_owned();
        return Ok(Shown { title, style, origin: Origin::Library });
    }
    // A layer before a kept style: whoever may not know of the layer must not take its name for those who do.
    let layer = ask.view(id);
    if let Ok(drawn) = layer {
        let title = ask.language.pick(&drawn.layer.title).to_owned();
        let style = of_layer(ask, &drawn);
        return Ok(Shown { title, style, origin: Origin::Layer(Box::new(drawn)) });
    }
    match ask.app.styles.get(id).and_then(|kept| Some((served(ask, &kept)?, kept))) {
        Some((style, kept)) => Ok(Shown { title: kept.title().to_owned(), style, origin: Origin::Stored(kept) }),
        // A layer that may be requested says so.
        None => Err(layer.err().filter(|e| e.kind == crate::error::Kind::Forbidden).unwrap_or_else(no_style)),
    }
}

/// A kept style as the reader sees it; None when nothing of what it draws may be seen. Its own department sees it in any case.
pub fn served(ask: &Ask, kept: &Stored) -> Option<Value> {
    let shown = document::served(&kept.document, &ask.base, |layer| sight(ask, layer));
    // A style without layers is nobody else's business yet.
    if is_own(ask, kept) {
        shown.or_else(|| document::served(&emptied(&kept.document), &ask.base, |_| None))
    } else {
        shown.filter(draws)
    }
}

fn draws(style: &Value) -> bool {
    style["layers"].as_array().is_some_and(|layers| layers.iter().any(|layer| layer["source"].is_string()))
}

/// A style whose layers are all gone or out of sight: what is left of it for its owner.
fn emptied(document: &Value) -> Value {
    let mut left = document.clone();
    if let Some(layers) = left["layers"].as_array_mut() {
        layers.retain(|layer| !layer["source"].is_string());
    }
    left
}

pub fn said(layer: &Published) -> Said {
    Said::new(&layer.title.zh, &layer.title.en)
}

fn described<'a>(drawn: &'a Drawn, title: &'a Said) -> library::Drawn<'a> {
    let state = drawn.layer.state();
    let scope = drawn.grant.scope();
    library::Drawn {
        id: &drawn.layer.id,
        title,
        shape: library::Shape::of(state.geometry_type.as_deref()),
        label_field: state.label_field().filter(|name| scope.sees_field(name)),
        bounds: state.bbox.filter(|_| scope.is_all()),
        marks: drawn.layer.annotation,
    }
}

/// The style of a layer that nobody has styled; of an archive, of every layer in its tiles.
fn made(drawn: &Drawn, base: &str) -> Value {
    let title = said(&drawn.layer);
    let whole = described(drawn, &title);
    let Some(archive) = &drawn.layer.state().archive else { return library::style_for(&whole, base) };
    let inner: Vec<library::Drawn<'_>> = archive
        .layers
        .iter()
        .map(|layer| library::Drawn {
            id: &layer.id,
            shape: library::Shape::of(Some(&layer.geometry)),
            label_field: whole.label_field.filter(|name| layer.fields.iter().any(|f| f == name)),
            ..whole.clone()
        })
        .collect();
    library::style_of_tiles(&drawn.layer.id, &inner, base)
}
