//! The zones of a theme: codes, names, inhabitants and shapes, as the caller's grant shows them.

use futures_util::StreamExt;
use onemap_spatial::area::Area;
use onemap_spatial::ewkb;
use onemap_spatial::shape::Shape;
use onemap_statistics::join::{Directory, Zone};

use super::Themes;
use super::definition::{Definition, Measure};
use crate::access::grant::{Grant, Read};
use crate::error::{Error, Result};
use crate::feature::values::{Ewkb, value};
use crate::geo::crs::STORAGE_SRID;
use crate::layer::catalog::Published;
use crate::layer::model::{Field, FieldType};
use crate::layer::select::{self, Selection};

/// Zones of a theme at most, and positions in all their borders.
pub const MOST_ZONES: usize = 20_000;
const MOST_POSITIONS: usize = 5_000_000;

pub struct Zones {
    pub directory: Directory,
    /// The features that they are.
    pub ids: Vec<i64>,
    /// As they are written: not the tidied ones of the directory.
    pub codes: Vec<Option<String>>,
    pub names: Vec<Option<String>>,
    /// None where a zone has no geometry.
    pub shapes: Vec<Option<Area>>,
    /// For each indicator that is per capita, the inhabitants of each zone.
    pub inhabitants: Vec<Vec<Option<f64>>>,
}

impl Zones {
    /// Their numbers in the order of their ids.
    pub fn by_id(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.ids.len()).collect();
        numbers.sort_by_key(|number| self.ids[*number]);
        numbers
    }
}

/// The zones' fields that a theme needs: code, name, parent, then the denominators of its indicators.
fn fields(definition: &Definition) -> Vec<(&'static str, Option<&str>)> {
    let zones = &definition.zones;
    let mut fields = vec![
        ("zones.code", zones.code.as_deref()),
        ("zones.name", zones.name.as_deref()),
        ("zones.parent", zones.parent.as_deref()),
    ];
    for (name, indicator) in ["indicator.denominator", "second.denominator"].into_iter().zip(definition.indicators()) {
        let inhabitants = indicator.denominator.as_deref().filter(|_| indicator.kind == Measure::PerCapita);
        fields.push((name, inhabitants));
    }
    fields
}

/// A field of a layer as the grant shows it.
pub fn field<'a>(parameter: &str, name: &str, layer: &'a Published, grant: &Grant<Read>) -> Result<&'a Field> {
    let seen = layer.state().field(name).filter(|f| grant.scope().sees_field(&f.name));
    seen.ok_or_else(|| {
        let names: Vec<&str> =
            select::visible_fields(layer.state(), grant.scope()).iter().map(|f| f.name.as_str()).collect();
        let shown: String = name.chars().take(60).collect();
        Error::invalid(
            parameter,
            format!("图层 {} 没有可见字段 {shown}", layer.id),
            format!("the layer {} has no field {shown} that you may see", layer.id),
        )
        .hint(format!("可用：{}", names.join("、")), format!("choose from {}", names.join(", ")))
    })
}

pub fn check(definition: &Definition, layer: &Published, grant: &Grant<Read>) -> Result<()> {
    for (parameter, name) in fields(definition) {
        if let Some(name) = name {
            let found = field(parameter, name, layer, grant)?;
            if parameter.ends_with("denominator") && !matches!(found.kind, FieldType::Integer | FieldType::Float) {
                return Err(Error::invalid(parameter, "人口字段必须是数值", "inhabitants are a field of numbers"));
            }
        }
    }
    match layer.state().source.geometry {
        Some(_) => Ok(()),
        None => Err(no_polygons()),
    }
}

fn no_polygons() -> Error {
    Error::invalid("zones.layer", "分区必须是面图层", "zones are a layer of polygons")
}

/// A zone as it is read: what the numerators may be divided by stands beside it.
struct Row {
    id: i64,
    zone: Zone,
    inhabitants: [Option<f64>; 2],
    shape: Option<Area>,
}

/// Reads all zones, in the order of their codes, so that the same zones always stand in the same order.
pub async fn read(themes: &Themes, definition: &Definition, layer: &Published, grant: &Grant<Read>) -> Result<Zones> {
    let wanted = fields(definition);
    let found: Vec<Option<&Field>> = wanted
        .iter()
        .map(|(parameter, name)| name.map(|name| field(parameter, name, layer, grant)).transpose())
        .collect::<Result<_>>()?;
    let columns: Vec<&Field> = found.iter().flatten().copied().collect();
    let selection = Selection { srid: Some(STORAGE_SRID), limit: Some(MOST_ZONES as i64 + 1), ..Selection::default() };
    let sql = select::features(layer, grant, &columns, &selection);
    let mut rows = themes.store.read(grant).await?.rows(&sql).await?;
    let mut read: Vec<Row> = Vec::new();
    let mut positions = 0;
    while let Some(row) = rows.next().await {
        let row = row?;
        let mut column = 1;
        let mut cells = [const { None }; 5];
        for (cell, field) in cells.iter_mut().zip(&found) {
            if let Some(field) = field {
                column += 1;
                *cell = Some(value(&row, column, field.kind)?);
            }
        }
        let text = |at: usize| cells[at].as_ref().and_then(|v| v.text()).map(|t| t.into_owned());
        let number = |at: usize| cells[at].as_ref().and_then(as_number);
        let geometry = row.try_get::<_, Option<Ewkb<'_>>>(1)?.and_then(|Ewkb(bytes)| ewkb::read(bytes));
        let area = match geometry.and_then(Shape::new) {
            Some(Shape::Area(area)) => Some(*area),
            Some(_) => return Err(no_polygons()),
            None => None,
        };
        positions += area.as_ref().map_or(0, |area| area.coords().len());
        if read.len() == MOST_ZONES || positions > MOST_POSITIONS {
            return Err(Error::invalid(
                "zones.layer",
                format!("分区最多 {MOST_ZONES} 个、边界最多 {MOST_POSITIONS} 个点"),
                format!("at most {MOST_ZONES} zones with {MOST_POSITIONS} positions in their borders"),
            ));
        }
        let zone = Zone { code: text(0), name: text(1), parent: text(2) };
        read.push(Row { id: row.try_get(0)?, zone, inhabitants: [number(3), number(4)], shape: area });
    }
    read.sort_by(|a, b| (&a.zone.code, &a.zone.name, a.id).cmp(&(&b.zone.code, &b.zone.name, b.id)));
    let inhabitants = (0..2).map(|i| read.iter().map(|row| row.inhabitants[i]).collect()).collect();
    let ids = read.iter().map(|row| row.id).collect();
    let (zones, shapes): (Vec<Zone>, Vec<_>) = read.into_iter().map(|row| (row.zone, row.shape)).unzip();
    Ok(Zones {
        ids,
        codes: zones.iter().map(|z| z.code.clone()).collect(),
        names: zones.iter().map(|z| z.name.clone()).collect(),
        directory: Directory::new(zones),
        shapes,
        inhabitants,
    })
}

fn as_number(value: &onemap_formats::Value<'_>) -> Option<f64> {
    match value {
        onemap_formats::Value::Integer(v) => Some(*v as f64),
        onemap_formats::Value::Float(v) => Some(*v),
        _ => None,
    }
}
