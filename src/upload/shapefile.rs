//! A Shapefile is a handful of files, some of them often missing. They are laid out by link in a work folder under plain
//! names, so that nothing is ever written beside the original and letter case does not matter.

use super::encoding::{self, Sniffer};
use super::files;
use super::report::{EncodingFound, Note};
use crate::error::{Error, Result};
use encoding_rs::Encoding;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Staged {
    pub shp: PathBuf,
    pub prj: Option<String>,
    pub encoding: &'static Encoding,
    pub encoding_found: EncodingFound,
    pub notes: Vec<Note>,
}

/// Bytes of a DBF that are looked at for its encoding.
const SNIFFED: u64 = 64 << 20;

pub fn stage(shp: &Path, work: &Path, encoding: Option<&'static Encoding>) -> Result<Staged> {
    let folder = fresh_folder(work)?;
    let staged = folder.join("layer.shp");
    let mut notes = Vec::new();
    let sibling = |ext: &str| -> Result<Option<PathBuf>> {
        Ok(files::siblings(shp)?.into_iter().find(|p| files::extension(p) == ext))
    };
    let source = fs::canonicalize(shp)?;
    std::os::unix::fs::symlink(&source, &staged)?;
    match sibling("shx")? {
        Some(shx) if has_shape_header(&shx)? => {
            std::os::unix::fs::symlink(fs::canonicalize(shx)?, folder.join("layer.shx"))?;
        }
        other => {
            let broken = build_index(&source, &folder.join("layer.shx"))?;
            let (zh, en) = if other.is_some() { ("已损坏", "is damaged") } else { ("缺失", "is missing") };
            notes.push(Note::new(
                format!(".shx {zh}，已由 .shp 重建索引"),
                format!("the .shx {en}; its index was rebuilt from the .shp"),
            ));
            notes.extend(broken);
        }
    }
    let (found, reason) = match sibling("dbf")? {
        Some(dbf) => {
            std::os::unix::fs::symlink(fs::canonicalize(&dbf)?, folder.join("layer.dbf"))?;
            let cpg = sibling("cpg")?.map(|p| text_of(&p)).transpose()?;
            let (mut sniffer, ldid) = sniff(&dbf)?;
            encoding::of_dbf(&mut sniffer, cpg.as_deref(), ldid)
        }
        None => {
            notes.push(Note::new(
                ".dbf 缺失，只有几何没有属性",
                "the .dbf is missing: there is geometry but no attribute",
            ));
            (encoding_rs::UTF_8, encoding::found(encoding_rs::UTF_8, "没有文字", "there is no text"))
        }
    };
    let (encoding, encoding_found) = match encoding {
        Some(e) => (e, encoding::found(e, "由用户指定", "chosen by the user")),
        None => (found, reason),
    };
    let prj = sibling("prj")?.map(|p| text_of(&p)).transpose()?;
    Ok(Staged { shp: staged, prj, encoding, encoding_found, notes })
}

fn fresh_folder(work: &Path) -> Result<PathBuf> {
    fs::create_dir_all(work)?;
    for n in 0..100_000 {
        let folder = work.join(format!("shp-{n}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e.into()),
        }
    }
    Err(Error::internal("the work folder is full"))
}

/// A small companion file as text.
fn text_of(path: &Path) -> Result<String> {
    let bytes = files::read_head(path, 64 << 10)?;
    let text = match Encoding::for_bom(&bytes) {
        Some((e, _)) => e.decode(&bytes).0.into_owned(),
        None => encoding_rs::GB18030.decode_without_bom_handling(&bytes).0.into_owned(),
    };
    Ok(text.trim().to_owned())
}

fn has_shape_header(path: &Path) -> Result<bool> {
    let head = files::read_head(path, 100)?;
    Ok(head.len() == 100 && head.starts_with(&[0, 0, 0x27, 0x0a]))
}

/// Writes the `.shx` of a `.shp`: each record's place and length, in 16-bit words. Says where the file breaks off.
fn build_index(shp: &Path, shx: &Path) -> Result<Option<Note>> {
    let length = fs::metadata(shp)?.len();
    let mut input = BufReader::with_capacity(1 << 16, File::open(shp)?);
    let mut head = [0u8; 100];
    input.read_exact(&mut head).map_err(|_| {
        Error::invalid(
            "file",
            ".shp 不足 100 字节，文件不完整",
            "the .shp is shorter than its header: it is incomplete",
        )
    })?;
    let mut entries: Vec<u8> = Vec::new();
    let mut at = 100u64;
    let mut broken = None;
    while at + 8 <= length {
        let mut record = [0u8; 8];
        input.read_exact(&mut record)?;
        let words = u32::from_be_bytes([record[4], record[5], record[6], record[7]]);
        let end = at + 8 + u64::from(words) * 2;
        if end > length || words < 2 {
            let n = entries.len() / 8;
            broken = Some(Note::new(
                format!(".shp 在第 {} 条记录处中断，其后无法读取", n + 1),
                format!("the .shp breaks off at record {}; nothing after it can be read", n + 1),
            ));
            break;
        }
        entries.extend_from_slice(&((at / 2) as u32).to_be_bytes());
        entries.extend_from_slice(&words.to_be_bytes());
        input.seek_relative((end - at - 8) as i64)?;
        at = end;
    }
    head[24..28].copy_from_slice(&(((100 + entries.len()) / 2) as u32).to_be_bytes());
    let mut out = BufWriter::new(File::create(shx)?);
    out.write_all(&head)?;
    out.write_all(&entries)?;
    out.flush()?;
    Ok(broken)
}

/// Feeds a DBF's texts to a sniffer; also gives its language driver.
fn sniff(dbf: &Path) -> Result<(Sniffer, u8)> {
    let mut sniffer = Sniffer::default();
    let mut input = BufReader::new(File::open(dbf)?);
    let mut head = [0u8; 32];
    if input.read_exact(&mut head).is_err() {
        return Ok((sniffer, 0));
    }
    let header_length = u64::from(u16::from_le_bytes([head[8], head[9]]));
    let record_length = usize::from(u16::from_le_bytes([head[10], head[11]]));
    let mut texts = Vec::new();
    let mut at = 1usize;
    let mut descriptor = [0u8; 32];
    for _ in 0..2048 {
        if input.read_exact(&mut descriptor[..1]).is_err() || matches!(descriptor[0], 0x0d | 0) {
            break;
        }
        if input.read_exact(&mut descriptor[1..]).is_err() {
            break;
        }
        sniffer.feed_text(descriptor[..11].split(|b| *b == 0).next().unwrap_or_default());
        let width = usize::from(descriptor[16]);
        if descriptor[11] == b'C' {
            texts.push(at..at + width);
        }
        at += width;
    }
    input.seek(SeekFrom::Start(header_length))?;
    let mut record = vec![0u8; record_length];
    let mut seen = 0u64;
    while record_length > 0 && seen < SNIFFED && input.read_exact(&mut record).is_ok() {
        seen += record_length as u64;
        for range in &texts {
            if let Some(text) = record.get(range.clone()) {
                sniffer.feed_text(text.trim_ascii_end());
            }
        }
    }
    Ok((sniffer, head[29]))
}
