//! What somebody wants as a file, and its way from the grant to the first bytes.

use super::download::{Downloads, LONGEST};
use super::sequence::Sequence;
use super::tabular::{How, Tabular};
use super::{Datum, FileFormat, Output, table};
use crate::access::datastore::Datastore;
use crate::access::grant::{Grant, Read};
use crate::error::Result;
use crate::feature::geojson::{Body, Writer};
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
    /// Selections of no more rows than this are read like a page; larger ones take a place among the downloads.
    pub page: i64,
}

impl Downloads {
    /// Starts reading and writing; gives back the body once its beginning is known.
    pub async fn deliver(&self, store: &Datastore, order: Order<'_>) -> Result<Body> {
        let whole = order.selection.limit.is_none_or(|limit| limit > order.page);
        let place = if whole { Some(self.place()?) } else { None };
        let output = self.output(&order)?;
        let fields: Vec<&Field> = order.fields.iter().collect();
        let sql = select::features(order.layer, order.grant, &fields, &order.selection);
        let reader = match whole {
            true => store.apart(order.grant, LONGEST).await?,
            false => store.read(order.grant).await?,
        };
        self.start(Box::pin(reader.rows(&sql).await?), output, place).await
    }

    fn output(&self, order: &Order<'_>) -> Result<Box<dyn Output>> {
        if order.format == FileFormat::Sequence {
            return Ok(Box::new(Sequence(Writer { fields: order.fields.clone().into(), crs: order.crs })));
        }
        let shown = (&order.fields[..], order.selection.srid.is_some());
        let table = table::describe(order.layer, order.grant.scope(), shown, (order.crs, order.datum), order.pick)?;
        let kinds: Vec<FieldType> = order.fields.iter().map(|f| f.kind).collect();
        Ok(Box::new(Tabular::new(order.format, table, order.how, (kinds, order.datum), self.folder()?)?))
    }
}
