//! Glyphs for a map's labels: MapLibre's signed distance fields in ranges of 256 characters, Chinese ones included.
//!
//! A range is drawn when it is first asked for, from the system's Noto Sans CJK, and kept on disk and in memory.

use std::{
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use glyphore_core::FontFace;
use moka::sync::Cache;

use super::collection;
use crate::error::{Error, Kind, Result};

/// Where Debian's package fonts-noto-cjk puts its collections.
pub const DEBIAN_FONTS: &str = "/usr/share/fonts/opentype/noto";

/// The face with the forms used on the mainland, out of the five that the collections hold.
pub const FAMILY: &str = "Noto Sans CJK SC";

/// The font stacks on offer: the name in a style's `text-font`, and the collection it is drawn from.
pub const STACKS: [(&str, &str); 2] =
    [("Noto Sans CJK SC Regular", "NotoSansCJK-Regular.ttc"), ("Noto Sans CJK SC Bold", "NotoSansCJK-Bold.ttc")];

/// One range holds 256 characters; MapLibre asks for no character beyond the basic plane.
const RANGE: u32 = 256;
const LAST: u32 = 65_535;

/// A Chinese range is about 130 KB: this keeps what one city's labels need.
const MEMORY: u64 = 16 << 20;

pub struct Glyphs {
    fonts: PathBuf,
    kept: PathBuf,
    memory: Cache<(usize, u32), Bytes>,
    /// Drawing needs some 40 MB for a moment: a page that asks for thirty ranges at once must not need thirty times that.
    drawing: Mutex<()>,
}

impl Glyphs {
    /// From Debian's fonts; drawn ranges are kept in the folder `kept`.
    pub fn new(kept: impl Into<PathBuf>) -> Self {
        Self::with_fonts(DEBIAN_FONTS, kept)
    }

    pub fn with_fonts(fonts: impl Into<PathBuf>, kept: impl Into<PathBuf>) -> Self {
        let memory = Cache::builder().max_capacity(MEMORY).weigher(|_, pbf: &Bytes| pbf.len() as u32).build();
        Glyphs { fonts: fonts.into(), kept: kept.into(), memory, drawing: Mutex::new(()) }
    }

    /// The range of 256 characters from `start` on, as a glyph PBF. Blocks: it may read and draw.
    pub fn range(&self, font_stack: &str, start: u32) -> Result<Bytes> {
        let stack = known(font_stack)?;
        if !start.is_multiple_of(RANGE) || start > LAST {
            return Err(not_a_range());
        }
        if let Some(pbf) = self.memory.get(&(stack, start)) {
            return Ok(pbf);
        }
        let pbf = self.kept_or_drawn(stack, start)?;
        self.memory.insert((stack, start), pbf.clone());
        Ok(pbf)
    }

    fn kept_or_drawn(&self, stack: usize, start: u32) -> Result<Bytes> {
        let (name, file) = STACKS[stack];
        let collection = self.fonts.join(file);
        let kept = self.kept.join(edition(&collection)?).join(name).join(format!("{start}.pbf"));
        if let Some(pbf) = read_kept(&kept)? {
            return Ok(pbf);
        }
        let _one_at_a_time = self.drawing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Another request may have drawn the same range while this one waited.
        if let Some(pbf) = read_kept(&kept)? {
            return Ok(pbf);
        }
        let pbf = draw(&collection, start)?;
        // A full or read-only disk costs time at the next start, not the map its labels.
        if let Err(e) = keep(&kept, &pbf) {
            tracing::warn!(file = %kept.display(), error = %e, "a drawn glyph range could not be kept");
        }
        Ok(Bytes::from(pbf))
    }
}

/// The start of a range named as in a request, `19968-20223`.
pub fn parse_range(text: &str) -> Result<u32> {
    let number = |s: &str| s.bytes().all(|b| b.is_ascii_digit()).then(|| s.parse::<u32>().ok()).flatten();
    let (start, end) = text.split_once('-').ok_or_else(not_a_range)?;
    match (number(start), number(end)) {
        (Some(start), Some(end)) if start.is_multiple_of(RANGE) && start <= LAST && end == start + RANGE - 1 => {
            Ok(start)
        }
        _ => Err(not_a_range()),
    }
}

/// The first font of a stack (names divided by commas) that is on offer.
fn known(font_stack: &str) -> Result<usize> {
    font_stack.split(',').find_map(|wanted| STACKS.iter().position(|(name, _)| *name == wanted.trim())).ok_or_else(
        || {
            let names = STACKS.map(|(name, _)| name).join(", ");
            Error::not_found("没有这种字体", "there is no such font")
                .hint(format!("可用的字体：{names}"), format!("the fonts on offer: {names}"))
        },
    )
}

fn not_a_range() -> Error {
    Error::invalid(
        "range",
        "字形范围应为 n×256 至 n×256+255，且不超过 65535",
        "a glyph range runs from n*256 to n*256+255, up to 65535",
    )
}

pub fn no_font(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::Busy, "服务器缺少中文字体", "the server lacks its Chinese font")
        .hint("请管理员安装 fonts-noto-cjk", "the administrator should install fonts-noto-cjk")
        .because(cause)
}

/// Names the collection's edition, so that a font that Debian has updated is drawn anew.
fn edition(collection: &Path) -> Result<String> {
    let about = fs::metadata(collection).map_err(no_font)?;
    let age = about.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).map_or(0, |d| d.as_secs());
    Ok(format!("{:x}-{age:x}", about.len()))
}

fn read_kept(path: &Path) -> Result<Option<Bytes>> {
    match fs::read(path) {
        Ok(pbf) => Ok(Some(Bytes::from(pbf))),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Writes beside and renames: a reader, in this process or another, sees the whole file or none.
fn keep(path: &Path, pbf: &[u8]) -> std::io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder)?;
    let beside = folder.join(format!(".{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let written = fs::File::create(&beside).and_then(|mut f| f.write_all(pbf)).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn draw(collection: &Path, start: u32) -> Result<Vec<u8>> {
    let font = collection::extract(&fs::read(collection).map_err(no_font)?, FAMILY, start..=start + RANGE - 1)?;
    let face = FontFace::parse(&font).map_err(Error::internal)?;
    glyphore_core::generate_range(&face, start).map_err(Error::internal)
}

#[cfg(test)]
#[path = "glyphs_test.rs"]
mod tests;
