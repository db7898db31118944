//! Counting for a theme, and for whoever asks for a slice of a protected layer's one table.

use std::sync::Arc;

use onemap_statistics::classify::Method;

use super::count::Counter;
use super::definition::{Data, Definition, Indicator, Join, Kind, Measure, Zones};
use super::rows::{self, Columns};
pub use super::tell::{Sliced, Told};
use super::{Themes, zones};
use crate::access::principal::Principal;
use crate::error::{Error, Result};
use crate::layer::catalog::Published;
use crate::layer::model::Suppression;

/// How often progress is told, in rows.
const TELL_EVERY: u64 = 4096;

/// Hears how many rows were read, and of how many.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Sync);

impl Themes {
    /// Reads zones and rows under the principal's grants and adds up.
    pub(super) async fn count(
        &self,
        by: &Principal,
        definition: &Arc<Definition>,
        progress: Progress<'_>,
    ) -> Result<Counter> {
        let (layer, grant) = self.read(by, &definition.zones.layer)?;
        let zones = Arc::new(zones::read(self, definition, &layer, &grant).await?);
        let source = match self.source(by, definition).await? {
            Some(source) => Some(self.read(by, &source)?),
            None => None,
        };
        let rule = source.as_ref().and_then(|(layer, _)| layer.suppression.clone());
        let mut counter = Counter::new(definition.clone(), zones, rule.clone());
        let columns = Columns::of(definition, rule.as_ref());
        let total = match &source {
            None => definition.data.rows.as_ref().map(|rows| rows.len() as u64),
            Some((layer, _)) => {
                layer.state().feature_count.map(|n| n as u64).filter(|_| definition.data.filter.is_none())
            }
        };
        let mut take = |number: u64, record: &rows::Record| {
            counter.take(number, record)?;
            if counter.rows().is_multiple_of(TELL_EVERY) {
                progress(counter.rows(), total);
            }
            Ok(())
        };
        match &source {
            None => rows::of_request(definition.data.rows.as_deref().unwrap_or_default(), &columns, &mut take)?,
            Some((layer, grant)) => {
                rows::of_layer(self, definition, (layer, grant), &columns, &mut take).await?;
            }
        }
        Ok(counter)
    }

    /// What is told of a protected layer: the same table, counted the same way, of which its themes are slices. So whoever has both has
    /// no more than the table.
    pub async fn slice(
        &self,
        by: &Principal,
        layer: &Published,
        by_parts: bool,
        progress: Progress<'_>,
    ) -> Result<Vec<Sliced>> {
        let rule = layer.suppression.as_ref();
        let rule = rule.ok_or_else(|| Error::internal("a slice was asked for of a layer that is not protected"))?;
        let definition = Arc::new(whole(layer, rule));
        self.check(by, &definition).await?;
        let counter = self.count(by, &definition, progress).await?;
        tokio::task::spawn_blocking(move || counter.slice(by_parts)).await.map_err(Error::internal)?
    }
}

/// The layer's one table, as a theme without classes would be made of it.
fn whole(layer: &Published, rule: &Suppression) -> Definition {
    let (kind, field) = match &rule.count {
        Some(field) => (Measure::Sum, Some(field.clone())),
        None => (Measure::Count, None),
    };
    Definition {
        data: Data { layer: Some(layer.id.to_string()), ..Data::default() },
        zones: Zones { layer: rule.zones.clone(), code: rule.zone_code.clone(), name: None, parent: None },
        join: match &rule.code {
            Some(field) => Join::Code { field: field.clone() },
            None => Join::Location { lon: None, lat: None },
        },
        indicator: Indicator { kind, field, denominator: None, per: None, label: None },
        second: None,
        kind: Kind::Choropleth,
        method: Method::NaturalBreaks,
        classes: 5,
        breaks: vec![],
        palette: None,
        reverse: false,
        time: None,
    }
}
