//! The features of a box in the order of their ids, by way of the tile index. PostGIS's own index knows what meets a box, but not in any
//! order: for the first ten of a hundred thousand it reads and sorts all of them. The tile index names the ten.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::StreamExt;
use onemap_cql2::Value;
use onemap_tiles::delta::Delta;
use onemap_tiles::find::Found;
use tokio_postgres::Row;

use super::draw::is_of;
use super::render::{Drawn, Tiles};
use super::store::{Indexes, Opened};
use crate::access::datastore::{Datastore, RowStream, Rows};
use crate::error::Result;
use crate::geo::bbox::Bbox;
use crate::geo::crs::same_coordinates;
use crate::geo::tms::degrees;
use crate::layer::model::Field;
use crate::layer::select::{self, Candidates, Selection};

/// A reading that goes on with the next candidates when the first were not enough: of a box's edge not all are in it.
struct Walk {
    store: Datastore,
    indexes: Indexes,
    drawn: Drawn,
    fields: Vec<Field>,
    wanted: Selection,
    opened: Arc<Opened>,
    delta: Option<Arc<Delta>>,
    bbox: [f64; 4],
    after: Option<i64>,
    /// Rows that are still wanted.
    left: usize,
    batch: usize,
    more: bool,
    rows: Option<Rows>,
}

impl Tiles {
    /// The rows of a selection that is a box and nothing else; none when the index cannot find them, or would find others than PostGIS.
    pub async fn rows_in_box(&self, drawn: &Drawn, fields: &[Field], wanted: &Selection) -> Result<Option<RowStream>> {
        let Some(mut walk) = self.walk(drawn, fields, wanted) else { return Ok(None) };
        // What fails at once, or turns out to be damaged, is for PostGIS.
        if !walk.go_on().await? {
            return Ok(None);
        }
        metrics::counter!("onemap_items_total", "by" => "index").increment(1);
        let rows =
            futures_util::stream::try_unfold(
                walk,
                |mut walk| async move { Ok(walk.next().await?.map(|row| (row, walk))) },
            );
        Ok(Some(Box::pin(rows)))
    }

    /// The texts that a field holds, if they are few: as the index knows them, so only where nothing was edited since, and for whoever
    /// sees all rows.
    pub fn choices(&self, drawn: &Drawn, field: &Field, most: usize) -> Option<Vec<String>> {
        let (state, scope) = (drawn.layer.state(), drawn.grant.scope());
        if !scope.has_all_rows() || !scope.sees_field(&field.name) {
            return None;
        }
        let edited = self.edits.of(state.revision);
        let opened = self.indexes.to_draw(state.revision)?;
        let same = edited.upon(opened.index.stamp())?.is_empty() && is_of(&opened, state) && opened.index.is_complete();
        let column = state.fields.iter().position(|f| f.name == field.name).filter(|_| same)?;
        let texts = || -> Option<Vec<String>> {
            let values = opened.index.choices(column, most)?;
            values.into_iter().map(|v| if let Value::Text(text) = v { Some(text.to_owned()) } else { None }).collect()
        };
        let mut texts = catch_unwind(AssertUnwindSafe(texts)).ok().flatten()?;
        texts.sort_unstable();
        (!texts.is_empty()).then_some(texts)
    }

    fn walk(&self, drawn: &Drawn, fields: &[Field], wanted: &Selection) -> Option<Walk> {
        let (state, scope) = (drawn.layer.state(), drawn.grant.scope());
        let plain = scope.has_all_rows() && wanted.id.is_none() && wanted.filter.is_none();
        if !plain || !wanted.conditions.is_empty() || !wanted.sort.is_empty() || wanted.candidates.is_some() {
            return None;
        }
        let bbox = in_degrees(wanted.bbox?)?;
        let left = usize::try_from(wanted.limit?).ok()?;
        // The edits first, then the index: one that is opened in between holds them already.
        let edited = self.edits.of(state.revision);
        let opened = self.indexes.to_draw(state.revision)?;
        let delta = edited.upon(opened.index.stamp())?.clone();
        if !is_of(&opened, state) || !opened.index.is_complete() {
            return None;
        }
        Some(Walk {
            store: self.store.clone(),
            indexes: self.indexes.clone(),
            drawn: drawn.clone(),
            fields: fields.to_vec(),
            wanted: wanted.clone(),
            opened,
            delta: (!delta.is_empty()).then_some(delta),
            bbox: bbox.to_array(),
            after: wanted.after.as_ref().map(|place| place.id),
            left,
            batch: left + left / 8 + 16,
            more: true,
            rows: None,
        })
    }
}

/// A box of degrees that does not cross the antimeridian.
fn in_degrees((bbox, srid): (Bbox, i32)) -> Option<Bbox> {
    let bbox = match srid {
        3857 => {
            let ((west, south), (east, north)) = (degrees(bbox.west, bbox.south), degrees(bbox.east, bbox.north));
            Bbox { west, south, east, north }
        }
        srid if same_coordinates(srid, 4326) => bbox,
        _ => return None,
    };
    let whole = bbox.west <= bbox.east && bbox.west >= -180.0 && bbox.east <= 180.0;
    whole.then_some(bbox)
}

impl Walk {
    async fn next(&mut self) -> Result<Option<Row>> {
        loop {
            if let Some(rows) = &mut self.rows {
                if let Some(row) = rows.next().await {
                    self.left = self.left.saturating_sub(1);
                    return row.map(Some);
                }
                self.rows = None;
            }
            if self.left == 0 || !self.more || !self.go_on().await? {
                return Ok(None);
            }
        }
    }

    /// Asks for the rows of the next candidates; false when the index cannot be read.
    async fn go_on(&mut self) -> Result<bool> {
        let Some(found) = self.find() else { return Ok(false) };
        self.more = found.more;
        self.after = found.ids.last().map(|(id, _)| *id);
        let part = |certain: bool| found.ids.iter().filter(|(_, c)| *c == certain).map(|(id, _)| *id).collect();
        self.wanted.candidates = Some(Candidates { certain: part(true), possible: part(false) });
        self.wanted.limit = Some(self.left as i64);
        let fields: Vec<&Field> = self.fields.iter().collect();
        let sql = select::features(&self.drawn.layer, &self.drawn.grant, &fields, &self.wanted);
        self.rows = Some(self.store.read(&self.drawn.grant).await?.rows(&sql).await?);
        self.batch = (self.batch * 2).min(20_000);
        Ok(true)
    }

    fn find(&self) -> Option<Found> {
        let find = || self.opened.index.ids_in(self.bbox, self.after, self.batch, self.delta.as_deref());
        let found = catch_unwind(AssertUnwindSafe(find)).ok();
        if found.is_none() {
            self.indexes.damaged(self.drawn.layer.state().revision, "the engine panicked");
        }
        found
    }
}
