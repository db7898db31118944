//! A text file of whatever encoding, as UTF-8.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{CoderResult, Encoding, UTF_8};

use super::encoding::{self, Sniffer};
use super::report::EncodingFound;
use crate::error::Result;

/// The bytes of a file as UTF-8, whatever they were; counts what was read.
pub struct Decoded<R = BufReader<File>> {
    input: R,
    decoder: Option<encoding_rs::Decoder>,
    pub read: Arc<AtomicU64>,
    ended: bool,
    /// What is decoded and did not fit into what the caller offered; and how much of it there is.
    kept: ([u8; ROOM], usize),
}

/// The decoder needs room for one character whatever the caller offers.
const ROOM: usize = 16;

impl Decoded {
    pub fn open(path: &Path, encoding: &'static Encoding) -> Result<Decoded> {
        Decoded::over(BufReader::with_capacity(256 << 10, File::open(path)?), encoding)
    }
}

impl<R: BufRead> Decoded<R> {
    /// What can be read once only is judged by its first bytes.
    pub fn by_its_head(mut input: R) -> Result<Decoded<R>> {
        let head = input.fill_buf()?;
        let encoding = match Encoding::for_bom(head) {
            Some((encoding, _)) => encoding,
            None => {
                let mut sniffer = Sniffer::default();
                sniffer.feed(head);
                sniffer.guess()
            }
        };
        Decoded::over(input, encoding)
    }

    fn over(mut input: R, encoding: &'static Encoding) -> Result<Decoded<R>> {
        let head = input.fill_buf()?;
        let bom = Encoding::for_bom(head).map_or(0, |(_, n)| n);
        input.consume(bom);
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        Ok(Decoded { input, decoder, read: Arc::default(), ended: false, kept: ([0; ROOM], 0) })
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let Some(decoder) = &mut self.decoder else {
            let n = self.input.read(out)?;
            self.read.fetch_add(n as u64, Ordering::Relaxed);
            return Ok(n);
        };
        if self.kept.1 > 0 {
            return Ok(self.give_kept(out));
        }
        let narrow = out.len() < ROOM;
        let to: &mut [u8] = if narrow { &mut self.kept.0 } else { &mut *out };
        let (mut n, mut last) = (0, false);
        while n == 0 && !self.ended {
            let bytes = self.input.fill_buf()?;
            last |= bytes.is_empty();
            let (result, used, written, _) = decoder.decode_to_utf8(bytes, to, last);
            self.input.consume(used);
            self.read.fetch_add(used as u64, Ordering::Relaxed);
            n = written;
            // A decoder that was told of the end and has said everything must not be asked again, also when what it said last was of
            // a character that is cut short.
            self.ended = last && result == CoderResult::InputEmpty;
        }
        if narrow {
            self.kept.1 = n;
            return Ok(self.give_kept(out));
        }
        Ok(n)
    }
}

impl<R> Decoded<R> {
    /// Gives of what is kept as much as fits.
    fn give_kept(&mut self, out: &mut [u8]) -> usize {
        let (bytes, count) = &mut self.kept;
        let given = out.len().min(*count);
        out[..given].copy_from_slice(&bytes[..given]);
        bytes.copy_within(given..*count, 0);
        *count -= given;
        given
    }
}

/// The encoding of a text file, by its byte order mark or by all its bytes.
pub fn sniff(path: &Path) -> Result<(&'static Encoding, EncodingFound)> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0u8; 256 << 10];
    let mut sniffer = Sniffer::default();
    let mut first = true;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        if std::mem::take(&mut first)
            && let Some((e, _)) = Encoding::for_bom(&buffer[..n])
        {
            return Ok((e, encoding::found(e, "文件带字节序标记 (BOM)", "the file has a byte order mark")));
        }
        sniffer.feed(&buffer[..n]);
    }
    let e = sniffer.guess();
    let name = e.name();
    let found = if sniffer.is_ascii() {
        encoding::found(e, "文字均为 ASCII", "all texts are plain ASCII")
    } else if sniffer.is_utf8() {
        encoding::found(e, "全部字节都是有效的 UTF-8", "all its bytes are valid UTF-8")
    } else {
        encoding::found(
            e,
            format!("不是 UTF-8；按字节判断为 {name}"),
            format!("it is not UTF-8; by its bytes it is {name}"),
        )
    };
    Ok((e, found))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use encoding_rs::GB18030;

    use super::*;

    #[test]
    fn a_character_that_is_cut_short_at_the_end_is_told_once() {
        for tail in [&b""[..], b"\xc7", b"\x81\x30", b"\x81\x30\x81"] {
            let bytes = [&b"\xc7\xe0\xb5\xba"[..], tail].concat();
            let mut text = String::new();
            Decoded::over(&bytes[..], GB18030).unwrap().read_to_string(&mut text).unwrap();
            let expected = if tail.is_empty() { "青岛" } else { "青岛\u{fffd}" };
            assert!(text.starts_with(expected), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_lost_to_a_caller_that_takes_little_at_a_time() {
        let written = "青岛市市南区香港中路".repeat(9);
        let (bytes, ..) = GB18030.encode(&written);
        for room in 1..20 {
            let (mut decoded, mut all) = (Decoded::over(&bytes[..], GB18030).unwrap(), vec![]);
            let mut some = vec![0; room];
            loop {
                match decoded.read(&mut some).unwrap() {
                    0 => break,
                    n => all.extend_from_slice(&some[..n]),
                }
            }
            assert_eq!(String::from_utf8(all).unwrap(), written, "{room}");
        }
    }
}
