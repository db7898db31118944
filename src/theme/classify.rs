//! Classes of values that come along or that a layer's field holds: breaks, counts, histogram, colours, legend and style at once.

use futures_util::StreamExt;
use onemap_statistics::classify::{Method, Wanted};
use onemap_statistics::palette::{Kind as PaletteKind, Palette};
use serde::Deserialize;
use serde_json::{Value, json};

use super::drawing::{self, Drawing, Mark};
use super::zones::field;
use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::error::{Error, Result};
use crate::feature::values::value;
use crate::layer::catalog::Published;
use crate::layer::filter::{self, Given};
use crate::layer::model::{Field, FieldType};
use crate::layer::select::{self, Selection};
use crate::style::library::Shape;

/// Values that come along, and rows of a layer, at most.
pub const MOST_VALUES: usize = 200_000;
pub const MOST_ROWS: usize = 2_000_000;

/// What is asked for: values, or a layer and a field of numbers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Null is a missing value.
    pub values: Option<Vec<Option<f64>>>,
    pub layer: Option<String>,
    pub field: Option<String>,
    /// CQL2 text.
    pub filter: Option<String>,
    #[serde(default = "natural")]
    pub method: Method,
    #[serde(default = "five")]
    pub classes: usize,
    #[serde(default)]
    pub breaks: Vec<f64>,
    #[serde(default = "blues")]
    pub palette: Palette,
    #[serde(default)]
    pub reverse: bool,
}

fn natural() -> Method {
    Method::NaturalBreaks
}
fn five() -> usize {
    5
}
fn blues() -> Palette {
    Palette::Blues
}

impl Request {
    /// Refuses what makes no classes, before anything is read.
    pub fn check(&self) -> Result<()> {
        let of_layer = [self.layer.is_some(), self.field.is_some()];
        let fits = match &self.values {
            Some(_) => of_layer == [false, false] && self.filter.is_none(),
            None => of_layer == [true, true],
        };
        if !fits {
            return Err(Error::invalid(
                "values",
                "请给出 values，或 layer 与 field（可加 filter）",
                "give values, or a layer and a field (with a filter, if you like)",
            ));
        }
        if self.values.as_ref().is_some_and(|v| v.len() > MOST_VALUES) {
            let (zh, en) = (format!("最多 {MOST_VALUES} 个数值"), format!("at most {MOST_VALUES} values"));
            return Err(Error::invalid("values", zh, en));
        }
        if !matches!(self.palette.kind(), PaletteKind::Sequential | PaletteKind::Diverging) {
            let en = "classes of numbers have a sequential or diverging palette";
            return Err(Error::invalid("palette", "数值分级使用渐变或双向配色", en));
        }
        Ok(self.wanted().check()?)
    }

    fn wanted(&self) -> Wanted {
        // The manual method takes its number of classes from its breaks.
        Wanted { method: self.method, classes: self.classes, breaks: self.breaks.clone() }
    }
}

/// A layer to be read: what was asked for by name, opened.
pub type Source = (Published, Grant<Read>);

/// The classes. `base` is what addresses in the style begin with.
pub async fn classify(store: &Datastore, request: Request, source: Option<&Source>, base: &str) -> Result<Value> {
    request.check()?;
    let values = match (source, &request.values) {
        (Some((layer, grant)), _) => read(store, &request, layer, grant).await?,
        (None, values) => values.iter().flatten().map(|v| v.unwrap_or(f64::NAN)).collect(),
    };
    let wanted = request.wanted();
    let (palette, reverse) = (request.palette, request.reverse);
    let drawing = tokio::task::spawn_blocking(move || Drawing::new(&values, &wanted, palette, reverse));
    let drawing = drawing.await.map_err(Error::internal)??;
    let property = request.field.as_deref().unwrap_or("value");
    let entries = drawing.entries_of_values(property);
    let mark = match source.map(|(layer, _)| Shape::of(layer.state().geometry_type.as_deref())) {
        Some(Shape::Point) => Mark::Circle,
        Some(Shape::Line) => Mark::Line,
        _ => Mark::Fill,
    };
    let id = source.map(|(layer, _)| &*layer.id);
    let layers = drawing::layers(&entries, mark, id, None);
    let mut document = drawing.document();
    document["palette"] = palette.name().into();
    document["colors"] = json!(drawing.colours);
    document["breaks"] = json!(drawing.classes.upper);
    document["legend"] = drawing::legend(&entries, mark);
    document["style"] = match id {
        Some(id) => {
            let mut style = drawing::style(property, id, layers);
            style["sources"][id]["url"] = format!("{base}/tiles/{id}.json").into();
            style
        }
        // Without a layer there is no source either: the map that draws the values adds its own.
        None => json!({"version": 8, "sources": {}, "layers": layers}),
    };
    Ok(document)
}

async fn read(store: &Datastore, request: &Request, layer: &Published, grant: &Grant<Read>) -> Result<Vec<f64>> {
    layer.state().need_rows()?;
    let found: &Field = field("field", request.field.as_deref().unwrap_or_default(), layer, grant)?;
    if !matches!(found.kind, FieldType::Integer | FieldType::Float) {
        let (zh, en) = (format!("字段 {} 不是数值", found.name), format!("the field {} holds no numbers", found.name));
        return Err(Error::invalid("field", zh, en));
    }
    let filter = request.filter.as_deref().map(|text| filter::parse(&Given::text(text), layer, grant)).transpose()?;
    let selection = Selection { filter, limit: Some(MOST_ROWS as i64 + 1), ..Selection::default() };
    let sql = select::features(layer, grant, &[found], &selection);
    let mut rows = store.read(grant).await?.rows(&sql).await?;
    let mut values = Vec::new();
    while let Some(row) = rows.next().await {
        if values.len() == MOST_ROWS {
            return Err(Error::invalid(
                "layer",
                format!("一次最多 {MOST_ROWS} 行"),
                format!("at most {MOST_ROWS} rows at once"),
            )
            .hint("请用 filter 缩小范围", "ask for fewer by a filter"));
        }
        values.push(match value(&row?, 2, found.kind)? {
            onemap_formats::Value::Integer(v) => v as f64,
            onemap_formats::Value::Float(v) => v,
            _ => f64::NAN,
        });
    }
    Ok(values)
}
