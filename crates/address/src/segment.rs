//! The index of one source: immutable, checksummed, mapped from a file or held in memory.

use std::path::Path;

use crate::record::Address;

/// Why an index could not be made or opened. Says nothing that a client may not read but paths; callers keep it in their log.
#[derive(Debug)]
pub enum Error {
    Io(std::io::Error),
    /// Not such a file, of another version, cut short, or changed.
    Damaged(&'static str),
    /// More rows or text than an index holds.
    TooLarge,
}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Error {
        Error::Io(e)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Io(e) => write!(f, "{e}"),
            Error::Damaged(what) => write!(f, "not a usable address index: {what}"),
            Error::TooLarge => f.write_str("more than an address index holds"),
        }
    }
}
impl std::error::Error for Error {}

/// Takes rows in any order and makes a [`Segment`] of them.
pub struct Builder {}

impl Builder {
    pub fn new() -> Builder {
        Builder {}
    }
    /// Rows without any usable element are counted and left out.
    pub fn push(&mut self, _address: &Address<'_>) -> Result<(), Error> {
        Ok(())
    }
    /// How many rows were taken so far.
    pub fn rows(&self) -> u64 {
        0
    }
    /// Writes the index beside `path` and puts it in its place in one step (rename, after fsync). `stamp` is the caller's: it says
    /// which state of the source this is, and comes back by [`Segment::stamp`].
    pub fn write(self, _path: &Path, _stamp: u64) -> Result<(), Error> {
        Ok(())
    }
    /// The same in memory, for edits.
    pub fn finish(self) -> Result<Segment, Error> {
        Ok(Segment {})
    }
}

/// An index, ready to be asked. Cheap to share (`Arc`), safe to read from many threads.
pub struct Segment {}

impl Segment {
    /// Maps a file; checks its header and length, not its content.
    pub fn open(_path: &Path) -> Result<Segment, Error> {
        Ok(Segment {})
    }
    /// Reads everything and compares the checksum.
    pub fn verify(&self) -> Result<(), Error> {
        Ok(())
    }
    pub fn stamp(&self) -> u64 {
        0
    }
    pub fn rows(&self) -> u64 {
        0
    }
    pub fn bytes(&self) -> u64 {
        0
    }
}
