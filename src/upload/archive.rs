//! Unpacking what was uploaded, guarded: an archive may be hostile, or merely packed on a Chinese Windows.

use super::encoding::Sniffer;
use super::report::Note;
use crate::error::{Error, Result};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ArchiveLimits {
    pub entries: usize,
    /// Of all that is unpacked, nested archives included.
    pub total_bytes: u64,
    /// Unpacked to packed, per entry; small entries may exceed it.
    pub ratio: u64,
    /// Archives within archives.
    pub nesting: usize,
    /// Folders within folders.
    pub depth: usize,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        ArchiveLimits { entries: 10_000, total_bytes: 8 << 30, ratio: 300, nesting: 1, depth: 12 }
    }
}

/// Entries under this size may compress as well as they like: headers and blank tables do.
const RATIO_FREE: u64 = 16 << 20;

fn refused(zh: impl Into<String>, en: impl Into<String>) -> Error {
    Error::invalid("file", zh, en)
}

fn damaged(e: impl std::fmt::Display) -> Error {
    refused(format!("压缩包已损坏或不完整：{e}"), format!("the archive is damaged or incomplete: {e}"))
        .hint("请重新压缩后上传", "pack it again and upload the new file")
}

/// Unpacks a zip into `to` and returns what was left aside.
pub fn unpack_zip(zip: &Path, to: &Path, limits: ArchiveLimits) -> Result<Vec<Note>> {
    let mut job = Unpacking { limits, bytes: 0, entries: 0, notes: Vec::new() };
    job.zip(zip, to, 0)?;
    Ok(job.notes)
}

/// Unpacks a plain gzip file, under the same limits, and returns the new file.
pub fn unpack_gzip(gz: &Path, to: &Path, limits: ArchiveLimits) -> Result<PathBuf> {
    let name = gz.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_else(|| "data".to_owned());
    let packed = fs::metadata(gz)?.len();
    let mut job = Unpacking { limits, bytes: 0, entries: 0, notes: Vec::new() };
    fs::create_dir_all(to)?;
    let target = to.join(name);
    let reader = flate2::read::MultiGzDecoder::new(BufReader::new(File::open(gz)?));
    job.copy(reader, &target, packed)?;
    Ok(target)
}

struct Unpacking {
    limits: ArchiveLimits,
    bytes: u64,
    entries: usize,
    notes: Vec<Note>,
}

impl Unpacking {
    fn zip(&mut self, zip: &Path, to: &Path, nesting: usize) -> Result<()> {
        let mut archive = ZipArchive::new(BufReader::new(File::open(zip)?)).map_err(damaged)?;
        self.entries += archive.len();
        if self.entries > self.limits.entries {
            let n = self.limits.entries;
            return Err(refused(
                format!("压缩包内文件过多（上限 {n} 个）"),
                format!("the archive holds more than {n} entries"),
            ));
        }
        let names = entry_names(&mut archive)?;
        let mut seen = HashSet::new();
        for (index, name) in names.iter().enumerate() {
            let Some(relative) = safe_path(name, self.limits.depth)? else { continue };
            let mut entry = archive.by_index(index).map_err(|e| unreadable_entry(name, &e))?;
            if entry.is_symlink() {
                return Err(refused(
                    format!("压缩包含有符号链接：{name}"),
                    format!("the archive holds a symbolic link: {name}"),
                ));
            }
            if !seen.insert(relative.clone()) {
                if !entry.is_dir() {
                    self.notes.push(Note::new(
                        format!("压缩包内重名文件只取第一个：{name}"),
                        format!("the archive holds {name} twice; the first is used"),
                    ));
                }
                continue;
            }
            let target = to.join(&relative);
            if entry.is_dir() {
                fs::create_dir_all(&target)?;
                continue;
            }
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            let packed = entry.compressed_size();
            self.copy(&mut entry, &target, packed)?;
            drop(entry);
            self.nested(&target, name, nesting)?;
        }
        Ok(())
    }

    /// A zip within the zip is unpacked beside it, to a limited depth.
    fn nested(&mut self, file: &Path, name: &str, nesting: usize) -> Result<()> {
        if !file.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip")) {
            return Ok(());
        }
        if nesting >= self.limits.nesting {
            self.notes.push(Note::new(
                format!("嵌套过深的压缩包未展开：{name}"),
                format!("an archive nested too deeply was not unpacked: {name}"),
            ));
            return Ok(());
        }
        let mut folder = file.as_os_str().to_owned();
        folder.push(".files");
        self.zip(file, Path::new(&folder), nesting + 1)?;
        fs::remove_file(file)?;
        Ok(())
    }

    /// Copies one entry; sizes are counted as they come, since what an entry says of itself may be a lie.
    fn copy(&mut self, mut from: impl Read, target: &Path, packed: u64) -> Result<()> {
        let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let mut out = OpenOptions::new().write(true).create_new(true).open(target)?;
        let mut buffer = vec![0u8; 64 << 10];
        let mut written = 0u64;
        loop {
            let n = from.read(&mut buffer).map_err(|e| unreadable_entry(&name, &e))?;
            if n == 0 {
                return Ok(());
            }
            written += n as u64;
            self.bytes += n as u64;
            if self.bytes > self.limits.total_bytes {
                let mb = self.limits.total_bytes >> 20;
                return Err(Error::too_large(
                    format!("解压后超过 {mb} MB 的上限"),
                    format!("it unpacks to more than the limit of {mb} MB"),
                ));
            }
            if written > RATIO_FREE && written / packed.max(1) > self.limits.ratio {
                return Err(refused(
                    format!("{name} 的压缩比异常，疑似压缩炸弹"),
                    format!("{name} unpacks to far more than its size: it looks like an archive bomb"),
                ));
            }
            out.write_all(&buffer[..n])?;
        }
    }
}

fn unreadable_entry(name: &str, e: &dyn std::fmt::Display) -> Error {
    let text = e.to_string();
    if text.to_ascii_lowercase().contains("password") || text.to_ascii_lowercase().contains("encrypt") {
        return refused(format!("压缩包已加密：{name}"), format!("the archive is encrypted: {name}"))
            .hint("请去掉密码后重新压缩", "pack it again without a password");
    }
    refused(format!("压缩包内的 {name} 无法解压：{text}"), format!("{name} in the archive cannot be unpacked: {text}"))
}

/// The entries' names. Without the UTF-8 flag they are in the packer's code page: all of them together tell which.
fn entry_names<R: Read + std::io::Seek>(archive: &mut ZipArchive<R>) -> Result<Vec<String>> {
    let mut raw = Vec::with_capacity(archive.len());
    let mut sniffer = Sniffer::default();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(damaged)?;
        sniffer.feed_text(entry.name_raw());
        raw.push(entry.name_raw().to_vec());
    }
    let encoding = sniffer.guess();
    Ok(raw
        .into_iter()
        .map(|bytes| {
            String::from_utf8(bytes)
                .unwrap_or_else(|e| encoding.decode_without_bom_handling(e.as_bytes()).0.into_owned())
        })
        .collect())
}

/// The entry's place below the target folder; None for a packer's own litter.
fn safe_path(name: &str, depth: usize) -> Result<Option<PathBuf>> {
    let hostile = || {
        let shown: String = name.chars().take(200).collect();
        refused(format!("压缩包内有不安全的路径：{shown}"), format!("the archive holds an unsafe path: {shown}"))
    };
    let name_ok = !name.is_empty() && !name.starts_with(['/', '\\']) && !name.chars().any(|c| c.is_control());
    let drive = name.as_bytes().get(1) == Some(&b':');
    if !name_ok || drive {
        return Err(hostile());
    }
    let mut path = PathBuf::new();
    let mut folders = 0;
    for part in name.split(['/', '\\']) {
        match part {
            "" | "." => continue,
            ".." => return Err(hostile()),
            "__MACOSX" => return Ok(None),
            _ if part.len() > 240 => return Err(hostile()),
            _ => path.push(part),
        }
        folders += 1;
    }
    if folders > depth {
        return Err(hostile());
    }
    let last = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let litter = last.is_empty() || last.starts_with("._") || matches!(last.as_str(), ".DS_Store" | "Thumbs.db");
    Ok((!litter).then_some(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zip::write::SimpleFileOptions;

    fn zipped(dir: &Path, entries: &[(&str, &[u8])]) -> PathBuf {
        let path = dir.join("a.zip");
        let mut z = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, bytes) in entries {
            z.start_file(*name, SimpleFileOptions::default()).unwrap();
            z.write_all(bytes).unwrap();
        }
        z.finish().unwrap();
        path
    }

    fn unpack(entries: &[(&str, &[u8])], limits: ArchiveLimits) -> (tempfile::TempDir, Result<Vec<Note>>) {
        let dir = tempfile::tempdir().unwrap();
        let zip = zipped(dir.path(), entries);
        let done = unpack_zip(&zip, &dir.path().join("out"), limits);
        (dir, done)
    }

    #[test]
    fn paths_that_climb_out_are_refused() {
        for name in ["../evil.shp", "a/../../evil.shp", "/etc/evil", "C:/evil.shp", "a\\..\\..\\evil"] {
            assert!(safe_path(name, 12).is_err(), "{name}");
        }
        assert_eq!(safe_path("数据\\区县.shp", 12).unwrap(), Some(PathBuf::from("数据/区县.shp")));
        assert_eq!(safe_path("__MACOSX/._a.shp", 12).unwrap(), None);
    }

    #[test]
    fn a_bomb_and_a_crowd_are_refused() {
        let zeros = vec![0u8; 40 << 20];
        let (_dir, bomb) = unpack(&[("a.csv", &zeros)], ArchiveLimits::default());
        assert!(bomb.unwrap_err().to_string().contains("bomb"));
        let few = ArchiveLimits { entries: 1, ..ArchiveLimits::default() };
        assert!(unpack(&[("a", b"1"), ("b", b"2")], few).1.is_err());
        let small = ArchiveLimits { total_bytes: 3, ..ArchiveLimits::default() };
        assert!(unpack(&[("a", b"12"), ("b", b"34")], small).1.is_err());
    }

    #[test]
    fn gbk_names_come_out_right() {
        // The same bytes a Chinese Windows writes: the name in GBK, the UTF-8 flag not set.
        let dir = tempfile::tempdir().unwrap();
        let path = zipped(dir.path(), &[("AAAAAAAAAAA_.shp", b"x")]);
        let (gbk, _, _) = encoding_rs::GBK.encode("区县界线面状");
        let mut bytes = fs::read(&path).unwrap();
        while let Some(at) = bytes.windows(12).position(|w| w == b"AAAAAAAAAAA_") {
            bytes[at..at + 12].copy_from_slice(&gbk);
        }
        fs::write(&path, bytes).unwrap();
        unpack_zip(&path, &dir.path().join("out"), ArchiveLimits::default()).unwrap();
        assert!(dir.path().join("out/区县界线面状.shp").exists());
    }
}
