//! PMTiles version 3, read with every length checked: the file may be a stranger's.
//!
//! Format: github.com/protomaps/PMTiles, spec/v3/spec.md.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use ::pmtiles::{TileCoord, TileId};
use moka::sync::Cache;
use serde_json::Value;

use crate::error::{Error, Result};

/// Bytes of one unpacked tile at most.
pub const MOST_TILE: usize = 16 << 20;
/// Bytes of one unpacked directory at most: two million entries.
const MOST_DIRECTORY: usize = 8 << 20;
const MOST_METADATA: usize = 8 << 20;
/// Directories below directories. The format needs two, and advises against more than three.
const DEEPEST: usize = 4;
const HEADER: usize = 127;
/// Unpacked leaf directories kept of one archive, in entries.
const KEPT_ENTRIES: u64 = 400_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Brotli,
    Zstd,
}

impl Compression {
    fn of(code: u8) -> Result<Compression> {
        match code {
            1 => Ok(Compression::None),
            2 => Ok(Compression::Gzip),
            3 => Ok(Compression::Brotli),
            4 => Ok(Compression::Zstd),
            _ => Err(damaged("压缩方式未知", "its compression is unknown")),
        }
    }

    /// The unpacked bytes; more than `most` is refused before it is unpacked.
    pub fn expand(self, bytes: &[u8], most: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let limit = most as u64 + 1;
        let read = match self {
            Compression::None => bytes.take(limit).read_to_end(&mut out),
            Compression::Gzip => flate2::read::MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut out),
            Compression::Brotli => brotli::Decompressor::new(bytes, 4096).take(limit).read_to_end(&mut out),
            Compression::Zstd => zstd::stream::read::Decoder::new(bytes).and_then(|mut decoder| {
                // A window of 16 MiB: what a frame asks for is memory before its first byte.
                decoder.window_log_max(24)?;
                decoder.take(limit).read_to_end(&mut out)
            }),
        };
        read.map_err(|e| damaged("压缩数据已损坏", "compressed data in it is damaged").because(e))?;
        match out.len() > most {
            true => Err(Error::too_large(
                format!("归档中有一部分解压后超过 {} MiB，疑似压缩炸弹", most >> 20),
                format!("a part of the archive unpacks to more than {} MiB: it looks like an archive bomb", most >> 20),
            )
            .hint("请降低该级别的要素密度后重新生成瓦片", "make the tiles again with fewer features at that zoom")),
            false => Ok(out),
        }
    }
}

/// What is wrong with an archive, and the next step.
pub fn damaged(zh: &str, en: &str) -> Error {
    Error::invalid("file", format!("瓦片归档已损坏：{zh}"), format!("the tile archive is damaged: {en}"))
        .hint("请重新生成或重新传输该文件", "make the file again, or transfer it again")
}

#[derive(Debug, Clone, Copy)]
struct Section {
    offset: u64,
    length: u64,
}

impl Section {
    fn part(self, offset: u64, length: u64) -> Result<Section> {
        match offset.checked_add(length).is_some_and(|end| end <= self.length) {
            true => Ok(Section { offset: self.offset + offset, length }),
            false => Err(damaged("目录项指向文件之外", "a directory entry points outside of its section")),
        }
    }
}

#[derive(Debug)]
pub struct Header {
    root: Section,
    metadata: Section,
    leaves: Section,
    data: Section,
    internal: Compression,
    pub tiles: Compression,
    /// 1 is MVT; the others are pictures or formats of later versions.
    pub kind: u8,
    pub minzoom: u8,
    pub maxzoom: u8,
    /// West, south, east, north, as the file says.
    pub bounds: [f64; 4],
}

impl Header {
    fn parse(bytes: &[u8; HEADER], size: u64) -> Result<Header> {
        if !bytes.starts_with(b"PMTiles") {
            return Err(Error::invalid(
                "file",
                "不是 PMTiles 文件（文件头不符）",
                "it is no PMTiles file: its header is wrong",
            ));
        }
        if bytes[7] != 3 {
            return Err(Error::unsupported(
                format!("只支持 PMTiles 第 3 版，该文件为第 {} 版", bytes[7]),
                format!("PMTiles version 3 is read; this file is version {}", bytes[7]),
            )
            .hint("请用 pmtiles convert 转换", "convert it by `pmtiles convert`"));
        }
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let degrees = |at: usize| f64::from(i32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))) / 1e7;
        let section = |at: usize| {
            let section = Section { offset: number(at), length: number(at + 8) };
            match section.offset.checked_add(section.length).is_some_and(|end| end <= size) {
                true => Ok(section),
                false => Err(damaged("文件不完整", "it is incomplete: a section reaches beyond its end")),
            }
        };
        Ok(Header {
            root: section(8)?,
            metadata: section(24)?,
            leaves: section(40)?,
            data: section(56)?,
            internal: Compression::of(bytes[97])?,
            tiles: Compression::of(bytes[98])?,
            kind: bytes[99],
            minzoom: bytes[100],
            maxzoom: bytes[101],
            bounds: [degrees(102), degrees(106), degrees(110), degrees(114)],
        })
    }
}

/// A directory's entry: `run` tiles from `id` on with the same content, or, with no run, a leaf directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub id: u64,
    pub run: u32,
    length: u32,
    offset: u64,
}

pub struct PmTiles {
    file: File,
    pub header: Header,
    root: Vec<Entry>,
    leaves: Cache<u64, Arc<Vec<Entry>>>,
}

impl PmTiles {
    pub fn open(path: &Path) -> Result<PmTiles> {
        let file = File::open(path)?;
        let mut head = [0u8; HEADER];
        file.read_exact_at(&mut head, 0).map_err(|e| damaged("文件过短", "it is too short").because(e))?;
        let header = Header::parse(&head, file.metadata()?.len())?;
        let leaves =
            Cache::builder().max_capacity(KEPT_ENTRIES).weigher(|_, l: &Arc<Vec<Entry>>| l.len() as u32).build();
        let mut archive = PmTiles { file, header, root: Vec::new(), leaves };
        archive.root = archive.directory(archive.header.root)?;
        Ok(archive)
    }

    pub fn metadata(&self) -> Result<Value> {
        if self.header.metadata.length == 0 {
            return Ok(Value::Null);
        }
        let text = self.unpacked(self.header.metadata, MOST_METADATA)?;
        serde_json::from_slice(&text).map_err(|e| damaged("元数据不是 JSON", "its metadata is not JSON").because(e))
    }

    /// A tile's unpacked bytes.
    pub fn tile(&self, z: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>> {
        let Ok(coordinate) = TileCoord::new(z, x, y) else { return Ok(None) };
        let id = TileId::from(coordinate).value();
        let Some(mut entry) = find(&self.root, id) else { return Ok(None) };
        for _ in 0..DEEPEST {
            if entry.run > 0 {
                return self.header.tiles.expand(&self.packed(&entry)?, MOST_TILE).map(Some);
            }
            let leaf = match self.leaves.get(&entry.offset) {
                Some(leaf) => leaf,
                None => {
                    let leaf = Arc::new(self.leaf(&entry)?);
                    self.leaves.insert(entry.offset, leaf.clone());
                    leaf
                }
            };
            match find(&leaf, id) {
                Some(found) => entry = found,
                None => return Ok(None),
            }
        }
        Err(too_deep())
    }

    /// An entry's content as it lies in the file.
    pub fn packed(&self, entry: &Entry) -> Result<Vec<u8>> {
        self.bytes(self.header.data.part(entry.offset, u64::from(entry.length))?)
    }

    /// Every entry of tiles, in the order of their ids.
    pub fn each(&self, visit: &mut dyn FnMut(&Entry) -> Result<()>) -> Result<()> {
        self.walk(&self.root, &mut 0, 0, visit)
    }

    /// Ids must rise from leaf to leaf too, so that a directory that names itself or an earlier one is found out at once.
    fn walk(
        &self,
        entries: &[Entry],
        next: &mut u64,
        depth: usize,
        visit: &mut dyn FnMut(&Entry) -> Result<()>,
    ) -> Result<()> {
        if depth >= DEEPEST {
            return Err(too_deep());
        }
        for entry in entries {
            if entry.id < *next {
                return Err(damaged("目录循环或无序", "its directories are out of order, or point in a circle"));
            }
            if entry.run > 0 {
                visit(entry)?;
                *next = entry.id + u64::from(entry.run);
            } else {
                self.walk(&self.leaf(entry)?, next, depth + 1, visit)?;
            }
        }
        Ok(())
    }

    fn leaf(&self, entry: &Entry) -> Result<Vec<Entry>> {
        self.directory(self.header.leaves.part(entry.offset, u64::from(entry.length))?)
    }

    fn directory(&self, section: Section) -> Result<Vec<Entry>> {
        directory(&self.unpacked(section, MOST_DIRECTORY)?)
            .ok_or_else(|| damaged("目录无法读取", "one of its directories cannot be read"))
    }

    fn unpacked(&self, section: Section, most: usize) -> Result<Vec<u8>> {
        self.header.internal.expand(&self.bytes(section)?, most)
    }

    fn bytes(&self, section: Section) -> Result<Vec<u8>> {
        if section.length > MOST_TILE as u64 {
            return Err(Error::too_large(
                "归档中有一部分超过大小上限",
                "a part of the archive is over the limit of size",
            ));
        }
        let mut bytes = vec![0; section.length as usize];
        self.file
            .read_exact_at(&mut bytes, section.offset)
            .map_err(|e| damaged("文件不完整", "it is incomplete").because(e))?;
        Ok(bytes)
    }
}

fn too_deep() -> Error {
    damaged("目录嵌套过深", "its directories are nested too deeply")
}

fn find(entries: &[Entry], id: u64) -> Option<Entry> {
    let after = entries.partition_point(|e| e.id <= id);
    let entry = entries.get(after.checked_sub(1)?)?;
    (entry.run == 0 || id - entry.id < u64::from(entry.run)).then_some(*entry)
}

/// A directory's entries; none when it is malformed or empty.
fn directory(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut rest = bytes;
    let count = usize::try_from(varint(&mut rest)?).ok()?;
    // Four numbers of a byte at least each.
    if count == 0 || count > rest.len() / 4 {
        return None;
    }
    let mut entries = vec![Entry { id: 0, run: 0, length: 0, offset: 0 }; count];
    let mut id = 0u64;
    for (i, entry) in entries.iter_mut().enumerate() {
        let step = varint(&mut rest)?;
        if i > 0 && step == 0 {
            return None;
        }
        id = id.checked_add(step)?;
        entry.id = id;
    }
    for entry in &mut entries {
        entry.run = varint(&mut rest)?.try_into().ok()?;
        // The last tile of the run must be one that there is.
        TileId::new(entry.id.checked_add(u64::from(entry.run).saturating_sub(1))?).ok()?;
    }
    for entry in &mut entries {
        entry.length = varint(&mut rest)?.try_into().ok().filter(|l| *l > 0)?;
    }
    let mut follows = None;
    for entry in &mut entries {
        entry.offset = match (varint(&mut rest)?, follows) {
            (0, Some(end)) => end,
            (0, None) => return None,
            (n, _) => n - 1,
        };
        follows = Some(entry.offset.checked_add(u64::from(entry.length))?);
    }
    Some(entries)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_directory_is_read_and_searched() {
        // Three entries: tiles 1 and 5–7, a leaf from 20 on.
        let bytes = [3, 1, 4, 15, 1, 3, 0, 10, 20, 30, 1, 0, 1];
        let entries = directory(&bytes).unwrap();
        assert_eq!(entries[1], Entry { id: 5, run: 3, length: 20, offset: 10 });
        assert_eq!(entries[2].offset, 0);
        assert_eq!(find(&entries, 7).unwrap().id, 5);
        assert_eq!(find(&entries, 8), None);
        assert_eq!(find(&entries, 0), None);
        assert_eq!(find(&entries, 99).unwrap().run, 0);
        for end in 0..bytes.len() {
            assert_eq!(directory(&bytes[..end]), None);
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![0; 3 << 20]).unwrap();
        let bomb = gzip.finish().unwrap();
        assert!(Compression::Gzip.expand(&bomb, 3 << 20).is_ok());
        let refused = Compression::Gzip.expand(&bomb, 2 << 20).unwrap_err();
        assert_eq!(refused.kind, crate::error::Kind::TooLarge);
        assert!(Compression::Gzip.expand(&bomb[..bomb.len() / 2], 3 << 20).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let entries = directory(&bytes).unwrap_or_default();
            prop_assert!(entries.windows(2).all(|w| w[0].id < w[1].id));
        }
    }
}
