//! What a job must hold of somebody's data: a file without a name, written in a cipher whose key is nowhere but in memory.
//!
//! The file is taken out of its folder as soon as it is made, so that it is gone with the process, however that ends; and what its blocks
//! still hold then cannot be read, because the key is gone too. Nothing has to be found and wiped at the next start.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};

/// A file that is being written.
pub struct Writing {
    file: File,
    key: [u8; 32],
    cipher: ChaCha20,
    length: u64,
    most: u64,
    piece: Vec<u8>,
}

/// A file that is written.
pub struct Held {
    file: File,
    key: [u8; 32],
    length: u64,
}

fn cipher(key: &[u8; 32]) -> ChaCha20 {
    // A key is used for one file, written once from its beginning: its nonce may be any.
    ChaCha20::new(&(*key).into(), &[0u8; 12].into())
}

impl Writing {
    /// In a folder that is made where it is missing, for `most` bytes.
    pub fn begin(folder: &Path, most: u64) -> io::Result<Writing> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(uuid::Uuid::now_v7().simple().to_string());
        let file = std::fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        std::fs::remove_file(&path)?;
        let key: [u8; 32] = rand::random();
        Ok(Writing { file, cipher: cipher(&key), key, length: 0, most, piece: vec![] })
    }

    pub fn finish(mut self) -> io::Result<Held> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(Held { file: self.file, key: self.key, length: self.length })
    }
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length += bytes.len() as u64;
        if self.length > self.most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than may be held"));
        }
        self.piece.clear();
        self.piece.extend_from_slice(bytes);
        self.cipher.apply_keystream(&mut self.piece);
        self.file.write_all(&self.piece)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Held {
    pub fn len(&self) -> u64 {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// From the beginning. Several may read at once.
    pub fn read(&self) -> io::Result<Reading> {
        Ok(Reading { file: self.file.try_clone()?, cipher: cipher(&self.key), at: 0 })
    }
}

/// A file that is being read.
pub struct Reading {
    file: File,
    cipher: ChaCha20,
    at: u64,
}

impl Read for Reading {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(out, self.at)?;
        self.at += count as u64;
        self.cipher.apply_keystream(&mut out[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_nowhere_to_be_seen() {
        let folder = tempfile::tempdir().unwrap();
        let mut writing = Writing::begin(folder.path(), 1 << 20).unwrap();
        let text = "青岛市市南区".repeat(1000);
        text.as_bytes().chunks(777).for_each(|piece| writing.write_all(piece).unwrap());
        let mut raw = vec![0; text.len()];
        writing.file.read_exact_at(&mut raw, 0).unwrap();
        assert!(!raw.windows(6).any(|w| w == "青岛".as_bytes()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has no name");
        let held = writing.finish().unwrap();
        for _ in 0..2 {
            let mut back = String::new();
            held.read().unwrap().read_to_string(&mut back).unwrap();
            assert_eq!(back, text);
        }
        let mut small = Writing::begin(folder.path(), 10).unwrap();
        assert!(small.write_all(&[0; 11]).is_err());
    }
}
