//! GeoJSON (RFC 7946; with other CRSs OGC API Features Part 2) as a stream of bytes, from rows as they arrive.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use tokio_postgres::Row;

use super::cursor;
use super::values::{Ewkb, write_json, write_string};
use crate::access::datastore::RowStream;
use crate::error::Result;
use crate::geo::crs::Crs;
use crate::geo::ewkb::{Layout, write_geojson};
use crate::layer::model::Field;
use crate::layer::order::Place;

/// A stream of the answer's body.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// Bytes gathered before they are sent.
const CHUNK: usize = 48 * 1024;

/// How a feature is written.
#[derive(Clone)]
pub struct Writer {
    pub fields: Arc<[Field]>,
    pub crs: Crs,
}

impl Writer {
    fn layout(&self) -> Layout {
        Layout { swapped: self.crs.swapped, decimals: if self.crs.is_geographic() { 9 } else { 4 } }
    }

    /// Appends one feature. Column 0 of the row is the id, column 1 the geometry, the fields follow.
    pub fn feature(&self, out: &mut Vec<u8>, row: &Row, links: Option<&Value>) -> Result<()> {
        self.part(out, row, true, |_| true, links)
    }

    /// Appends some of a feature: with or without its geometry, and of its fields those that `shows` names.
    pub fn part(
        &self,
        out: &mut Vec<u8>,
        row: &Row,
        geometry: bool,
        shows: impl Fn(&str) -> bool,
        links: Option<&Value>,
    ) -> Result<()> {
        let id: i64 = row.try_get(0)?;
        out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":");
        out.extend_from_slice(itoa::Buffer::new().format(id).as_bytes());
        out.extend_from_slice(b",\"geometry\":");
        match row.try_get::<_, Option<Ewkb<'_>>>(1)?.filter(|_| geometry) {
            Some(Ewkb(bytes)) => {
                let start = out.len();
                // Triangles and surfaces of solids have no form in GeoJSON; one of them must not hide the whole layer.
                if write_geojson(out, bytes, self.layout()).is_err() {
                    tracing::warn!("feature {id} has a geometry that is no simple feature");
                    out.truncate(start);
                    out.extend_from_slice(b"null");
                }
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"properties\":{");
        let mut first = true;
        for (i, field) in self.fields.iter().enumerate().filter(|(_, field)| shows(&field.name)) {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            write_string(out, &field.name);
            out.push(b':');
            write_json(out, row, i + 2, field.kind)?;
        }
        out.push(b'}');
        if let Some(links) = links {
            out.extend_from_slice(b",\"links\":");
            serde_json::to_writer(&mut *out, links)?;
        }
        out.push(b'}');
        Ok(())
    }

    /// A FeatureCollection of at most `limit` rows that are ordered by so many `keys`. The statement asked for one row more: if it comes
    /// there is a next page. `finish` makes the members after the features.
    pub fn collection<F>(self, rows: RowStream, limit: usize, keys: usize, finish: F) -> Body
    where
        F: FnOnce(Page) -> Value + Send + 'static,
    {
        let page = Page::default();
        let state = Collecting { writer: self, rows, limit, keys, page, last: None, finish: Some(finish) };
        Box::pin(futures_util::stream::try_unfold(Some(state), |state| async move {
            let Some(mut state) = state else { return Ok(None) };
            let mut out = Vec::with_capacity(CHUNK + 4096);
            let ended = state.fill(&mut out).await?;
            Ok(Some((Bytes::from(out), (!ended).then_some(state))))
        }))
    }
}

/// What was written of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub returned: usize,
    /// The place of the first row.
    pub first: Option<Place>,
    /// The place after which the next page begins, if there is one.
    pub next: Option<Place>,
}

/// A body whose first bytes are there: what fails before them (a query that takes too long, above all) is an answer of its own,
/// not a broken connection.
pub async fn begun(mut body: Body) -> Result<Body> {
    let first = body.next().await.transpose()?.unwrap_or_default();
    Ok(Box::pin(futures_util::stream::iter([Ok(first)]).chain(body)))
}

struct Collecting<F> {
    writer: Writer,
    rows: RowStream,
    limit: usize,
    keys: usize,
    page: Page,
    /// The row written last: its place is asked for if it ends the page.
    last: Option<Row>,
    finish: Option<F>,
}

impl<F: FnOnce(Page) -> Value> Collecting<F> {
    /// Fills a chunk; true when the collection is complete.
    async fn fill(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        if self.page.returned == 0 {
            out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"features\":[");
        }
        while let Some(row) = self.rows.next().await {
            let row = row?;
            if self.page.returned == self.limit {
                if let Some(last) = self.last.take() {
                    self.page.next = Some(cursor::place(&last, self.keys)?);
                }
                continue;
            }
            match self.page.returned {
                0 => self.page.first = Some(cursor::place(&row, self.keys)?),
                _ => out.push(b','),
            }
            self.writer.feature(out, &row, None)?;
            self.page.returned += 1;
            self.last = Some(row);
            if out.len() >= CHUNK {
                return Ok(false);
            }
        }
        out.push(b']');
        let members = self.finish.take().map(|f| f(std::mem::take(&mut self.page)));
        if let Some(Value::Object(members)) = members {
            for (name, value) in &members {
                out.push(b',');
                write_string(out, name);
                out.push(b':');
                serde_json::to_writer(&mut *out, value)?;
            }
        }
        out.push(b'}');
        Ok(true)
    }
}
