//! What is sent, as rows: whatever the format, one after the other.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};
use csv::StringRecord;
use encoding_rs::{CoderResult, Decoder, GB18030, UTF_8};
use futures_util::StreamExt;
use geo::Geometry;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::collection::{Collection, Sequence};
use super::delimited::Delimited;
use super::{Body, Columns, Problem, sheet};
use crate::error::{Error, Result};

/// Bytes of one row at most; of one that is longer nothing is kept.
pub const MOST_OF_ROW: usize = 64 << 20;
/// Who sends nothing, or takes nothing, for so long is gone.
pub const STALL: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    GeoJson,
    GeoJsonSeq,
    Csv,
    Xlsx,
}

impl Format {
    pub const ALL: [Format; 4] = [Format::GeoJson, Format::GeoJsonSeq, Format::Csv, Format::Xlsx];

    pub fn name(self) -> &'static str {
        match self {
            Format::GeoJson => "geojson",
            Format::GeoJsonSeq => "geojsonseq",
            Format::Csv => "csv",
            Format::Xlsx => "xlsx",
        }
    }

    /// By a media type, without its parameters.
    pub fn of_media(media: &str) -> Option<Format> {
        Some(match media.split(';').next().unwrap_or_default().trim() {
            "application/geo+json" | "application/json" => Format::GeoJson,
            "application/geo+json-seq" => Format::GeoJsonSeq,
            "text/csv" => Format::Csv,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => Format::Xlsx,
            _ => return None,
        })
    }

    /// Whether its rows are records under a header.
    pub fn is_table(self) -> bool {
        matches!(self, Format::Csv | Format::Xlsx)
    }
}

/// A row as it was given, and where it says it is.
pub struct Row {
    pub given: Given,
    pub place: Result<Place, Problem>,
}

pub enum Given {
    Record(StringRecord),
    Feature(Map<String, Value>),
}

pub enum Place {
    /// In the system of what is sent.
    Geometry(Geometry),
    Address(String),
}

/// Rows in the order in which they were sent.
pub trait Source {
    /// Of a table.
    fn header(&self) -> Option<&StringRecord>;
    /// A problem here ends the reading.
    fn next(&mut self) -> Result<Option<Row>, Problem>;
}

pub fn open(format: Format, input: impl Read + Send + 'static, columns: &Columns) -> Result<Box<dyn Source>> {
    Ok(match format {
        Format::GeoJson => Box::new(Collection::open(input)?),
        Format::GeoJsonSeq => Box::new(Sequence::open(input)),
        Format::Csv => Box::new(Delimited::open(Decoded::of(input)?, columns)?),
        Format::Xlsx => Box::new(sheet::open(input, columns)?),
    })
}

/// A body for those who read and wait.
pub struct Incoming {
    receive: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Incoming {
    /// Takes the body's pieces over as they are read.
    pub fn of(mut body: Body) -> Incoming {
        let (send, receive) = mpsc::channel(4);
        tokio::spawn(async move {
            loop {
                let piece = match tokio::time::timeout(STALL, body.next()).await {
                    Ok(None) => return,
                    Ok(Some(Ok(piece))) => Ok(piece),
                    Ok(Some(Err(_))) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body is cut short")),
                    Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "nothing was sent for two minutes")),
                };
                let over = piece.is_err();
                if send.send(piece).await.is_err() || over {
                    return;
                }
            }
        });
        Incoming { receive, piece: Bytes::new() }
    }
}

impl Read for Incoming {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receive.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.piece = piece?,
            }
        }
        let count = out.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut out[..count]);
        Ok(count)
    }
}

/// Text in UTF-8 out of UTF-8 or GBK, told apart by the first piece: GBK's bytes are hardly ever UTF-8 by chance.
pub struct Decoded<R> {
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// What of `raw` is not decoded yet.
    from: usize,
    to: usize,
    ended: bool,
    /// A decoder that was told of the end is asked no more.
    finished: bool,
}

impl<R: Read> Decoded<R> {
    fn of(mut input: R) -> Result<Decoded<R>> {
        let mut raw = vec![0; 64 << 10];
        let mut to = 0;
        while to < raw.len() {
            match input.read(&mut raw[to..]).map_err(unreadable)? {
                0 => break,
                n => to += n,
            }
        }
        let encoding = match std::str::from_utf8(&raw[..to]) {
            Ok(_) => UTF_8,
            // A character may be cut at the end.
            Err(e) if e.error_len().is_none() => UTF_8,
            Err(_) => GB18030,
        };
        Ok(Decoded { input, decoder: encoding.new_decoder(), raw, from: 0, to, ended: false, finished: false })
    }
}

pub fn unreadable(e: io::Error) -> Error {
    Error::invalid("body", "请求内容没有完整到达", "the body did not arrive whole").because(e)
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.finished {
            return Ok(0);
        }
        loop {
            if self.from == self.to && !self.ended {
                (self.from, self.to) = (0, self.input.read(&mut self.raw)?);
                self.ended = self.to == 0;
            }
            let pending = &self.raw[self.from..self.to];
            let (result, read, written, _) = self.decoder.decode_to_utf8(pending, out, self.ended);
            self.from += read;
            self.finished = self.ended && result == CoderResult::InputEmpty;
            if written > 0 || self.finished {
                return Ok(written);
            }
        }
    }
}
