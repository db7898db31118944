//! What somebody wants as a file, and its way from the grant to the first bytes.

use std::path::Path;

use onemap_formats::Table;

use super::download::{Downloads, LONGEST};
use super::sequence::Sequence;
use super::tabular::{How, Tabular};
use super::{Datum, FileFormat, Output, reference, table};
use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::error::{Error, Result};
use crate::feature::geojson::{Body, Writer};
use crate::feature::query::MOST_FEATURES;
use crate::geo::crs::Crs;
use crate::layer::catalog::Published;
use crate::layer::model::{Field, FieldType, Title};
use crate::layer::select::{self, Selection};

pub struct Order<'a> {
    pub layer: &'a Published,
    pub grant: &'a Grant<Read>,
    pub format: FileFormat,
    /// The fields that the file has, of those that the grant shows.
    pub fields: Vec<Field>,
    pub selection: Selection,
    pub crs: Crs,
    pub datum: Option<Datum>,
    pub how: How,
    /// In which language the file speaks of the layer.
    pub pick: &'a (dyn Fn(&Title) -> String + Sync),
}

impl Downloads {
    /// Starts reading and writing; gives back the body once its beginning is known.
    pub async fn deliver(&self, store: &Datastore, order: Order<'_>) -> Result<Body> {
        // What is no more than a page is read like one, but what it spools is counted.
        let whole = order.selection.limit.is_none_or(|limit| limit > MOST_FEATURES);
        let place = match (whole, order.format.is_spooled()) {
            (true, _) => Some(self.place()?),
            (false, true) => Some(self.small_place()?),
            (false, false) => None,
        };
        let plan = Plan::of(&order).await?;
        let fields: Vec<&Field> = order.fields.iter().collect();
        let sql = select::features(order.layer, order.grant, &fields, &order.selection);
        let watch = store.watch(order.grant)?;
        let reader = match whole {
            true => store.apart(order.grant, LONGEST).await?,
            false => store.read(order.grant).await?,
        };
        self.start(Box::pin(reader.rows(&sql).await?), plan, (place, watch)).await
    }
}

/// What a writer is made of, on the thread that it works on.
pub(super) enum Plan {
    Sequence(Writer),
    Tabular { format: FileFormat, table: Box<Table>, how: How, kinds: Vec<FieldType>, datum: Option<Datum> },
}

impl Plan {
    async fn of(order: &Order<'_>) -> Result<Plan> {
        let (format, how, crs, datum) = (order.format, order.how, order.crs, order.datum);
        if format == FileFormat::Sequence {
            return Ok(Plan::Sequence(Writer { fields: order.fields.clone().into(), crs }));
        }
        // It is looked up in a database on disk.
        let known = tokio::task::spawn_blocking(move || reference::describe(crs, datum));
        let known = known.await.map_err(Error::internal)??;
        let shown = (&order.fields[..], order.selection.srid.is_some());
        let table = Box::new(table::describe(order.layer, order.grant.scope(), shown, known, order.pick));
        let kinds = order.fields.iter().map(|f| f.kind).collect();
        Ok(Plan::Tabular { format, table, how, kinds, datum })
    }

    /// The writer, which may spool in `folder`.
    pub(super) fn open(self, folder: &Path) -> Result<Box<dyn Output>> {
        let output: Box<dyn Output> = match self {
            Plan::Sequence(writer) => Box::new(Sequence(writer)),
            Plan::Tabular { format, table, how, kinds, datum } => {
                Box::new(Tabular::new(format, *table, how, (kinds, datum), folder)?)
            }
        };
        Ok(output)
    }
}
