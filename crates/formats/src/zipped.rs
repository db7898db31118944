//! A ZIP archive as a stream. An entry's length and checksum follow it, and the directory comes last: an archive that was cut short
//! does not open.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::Result;

pub struct Zipped {
    zip: Option<ZipWriter<StreamWriter<Shared>>>,
    bytes: Shared,
}

/// What the archive has given out and nobody has taken yet.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Zipped {
    pub fn new() -> Self {
        let bytes = Shared::default();
        Zipped { zip: Some(ZipWriter::new_stream(bytes.clone())), bytes }
    }

    /// Begins an entry; the one before is over. None may be larger than 4 GiB: the fields for larger ones, which a stream would have to
    /// use for all, are what Excel takes for damage.
    pub fn entry(&mut self, name: &str) -> Result<()> {
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(3));
        Ok(self.zip()?.start_file(name, options)?)
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.zip()?.write_all(bytes)?)
    }

    /// Moves what is settled to `out`.
    pub fn drain(&self, out: &mut Vec<u8>) {
        let mut bytes = self.bytes.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.append(&mut bytes);
    }

    /// Writes the directory.
    pub fn finish(&mut self) -> Result<()> {
        if let Some(zip) = self.zip.take() {
            zip.finish()?;
        }
        Ok(())
    }

    fn zip(&mut self) -> Result<&mut ZipWriter<StreamWriter<Shared>>> {
        self.zip.as_mut().ok_or_else(|| io::Error::other("the archive is closed").into())
    }
}
