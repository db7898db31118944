//! What can go wrong with an index.

use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug)]
pub enum Error {
    Io(std::io::Error),
    /// The file is not an index, is of another version, or was changed since it was written.
    Damaged(&'static str),
    /// Bytes that are no EWKB of a kind that a map knows.
    Geometry(&'static str),
    /// The caller asked for the end.
    Stopped,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(e) => write!(f, "{e}"),
            Error::Damaged(what) => write!(f, "the tile index is damaged: {what}"),
            Error::Geometry(what) => write!(f, "not a geometry: {what}"),
            Error::Stopped => write!(f, "stopped"),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Error::Io(e)
    }
}
