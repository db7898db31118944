//! Long arrays that are written once and then read at random: a file in the scratch folder, mapped when it is complete. What is in
//! use stays in the page cache, the rest does not take memory.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use bytemuck::Pod;
use memmap2::{Mmap, MmapMut};

use crate::error::Result;

pub struct Spool<T> {
    out: BufWriter<File>,
    len: usize,
    holds: std::marker::PhantomData<T>,
}

impl<T: Pod> Spool<T> {
    /// The file loses its name at once: nothing is left behind whatever happens.
    pub fn create(folder: &Path) -> Result<Spool<T>> {
        Ok(Spool { out: BufWriter::with_capacity(1 << 18, nameless(folder)?), len: 0, holds: std::marker::PhantomData })
    }

    pub fn push(&mut self, value: T) -> Result<()> {
        self.extend(std::slice::from_ref(&value))
    }

    pub fn extend(&mut self, values: &[T]) -> Result<()> {
        self.len += values.len();
        Ok(self.out.write_all(bytemuck::cast_slice(values))?)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn finish(mut self) -> Result<Mapped<T>> {
        self.out.flush()?;
        let map = match self.len {
            // An empty file cannot be mapped.
            0 => None,
            // SAFETY: the file has no name; only this process knows it, and nobody writes to it any more.
            _ => Some(unsafe { Mmap::map(self.out.get_ref())? }),
        };
        Ok(Mapped { map, holds: std::marker::PhantomData })
    }
}

/// A complete [`Spool`].
pub struct Mapped<T> {
    map: Option<Mmap>,
    holds: std::marker::PhantomData<T>,
}

impl<T: Pod> std::ops::Deref for Mapped<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.map.as_deref().map_or(&[], bytemuck::cast_slice)
    }
}

/// Zeroed bytes that may be written at random, backed by the scratch folder's disk.
pub fn writable(folder: &Path, len: usize) -> Result<MmapMut> {
    let mut file = nameless(folder)?;
    // Written out: a page of a sparse file that finds no room on a full disk would end the process.
    std::io::copy(&mut std::io::repeat(0).take(len.max(1) as u64), &mut file)?;
    // SAFETY: the file has no name; only this process knows it.
    Ok(unsafe { MmapMut::map_mut(&file)? })
}

fn nameless(folder: &Path) -> Result<File> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("spool-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = folder.join(name);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
