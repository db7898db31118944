//! What can go wrong while a file is written.

use std::fmt;

#[derive(Debug)]
pub enum Error {
    /// A disk, or SQLite on it.
    Io(std::io::Error),
    /// A database file could not be made.
    Sqlite(rusqlite::Error),
    /// Bytes that should be a geometry are none.
    Malformed,
    /// A geometry is not of the kind that the file says it holds.
    Kind,
    /// More fields than the format has room for: how many there may be.
    Fields(usize),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(e) => write!(f, "a file could not be written: {e}"),
            Error::Sqlite(e) => write!(f, "a database file could not be written: {e}"),
            Error::Malformed => f.write_str("a geometry cannot be read"),
            Error::Kind => f.write_str("a geometry is of another kind than its layer"),
            Error::Fields(most) => write!(f, "the format has room for {most} fields"),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Error::Io(e)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        Error::Sqlite(e)
    }
}

impl From<zip::result::ZipError> for Error {
    fn from(e: zip::result::ZipError) -> Self {
        Error::Io(e.into())
    }
}
