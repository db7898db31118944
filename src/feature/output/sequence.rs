//! GeoJSON text sequences: each feature a text of its own, after a record separator.

use tokio_postgres::Row;

use super::Output;
use crate::error::Result;
use crate::feature::geojson::Writer;

pub struct Sequence(pub Writer);

impl Output for Sequence {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &Row, out: &mut Vec<u8>) -> Result<()> {
        out.push(0x1e);
        self.0.feature(out, row, None)?;
        out.push(b'\n');
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<bool> {
        Ok(false)
    }

    fn spooled(&self) -> u64 {
        0
    }
}
