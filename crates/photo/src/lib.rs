//! Photos as they may be given out. A file that somebody sends is decoded within limits, turned upright as its Exif says, made no larger
//! than a screen shows, and written anew as JPEG with a thumbnail: nothing of the file itself is kept, so neither is the place, the
//! camera or the time that it notes (Exif, XMP, IPTC), nor anything that is no picture.

use std::fmt;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

/// Pixels of a picture at most: 50 million, as the largest telephones make.
pub const PIXELS: u64 = 50_000_000;
/// Pixels of a side at most.
pub const SIDE: u32 = 16_000;
/// The longer side of what is kept, in pixels.
pub const KEPT: u32 = 2048;
/// The longer side of a thumbnail, in pixels.
pub const THUMBNAIL: u32 = 320;

/// What decoding may allocate: the pixels as RGBA and as much again.
const MEMORY: u64 = PIXELS * 8;
/// JPEG's quality, of 100.
const QUALITY: u8 = 85;

/// A picture written anew: JPEG without metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    pub width: u32,
    pub height: u32,
    pub picture: Vec<u8>,
    pub thumbnail: Vec<u8>,
}

/// Why a file is no photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Neither JPEG nor PNG nor WebP, by its first bytes.
    Format,
    /// More than [`PIXELS`] or [`SIDE`].
    Large,
    /// Cut short or damaged.
    Broken,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Problem::Format => "neither JPEG nor PNG nor WebP",
            Problem::Large => "too many pixels",
            Problem::Broken => "cut short or damaged",
        })
    }
}

impl std::error::Error for Problem {}

/// Reads a file and writes its picture anew. What it is, its bytes say, whatever it was called.
pub fn read(file: &[u8]) -> Result<Photo, Problem> {
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| Problem::Broken)?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err(Problem::Format);
    }
    let mut decoder = reader.into_decoder().map_err(|_| Problem::Broken)?;
    let (width, height) = decoder.dimensions();
    // Before anything is decoded: a small file may unfold to a wall of pixels.
    if width > SIDE || height > SIDE || u64::from(width) * u64::from(height) > PIXELS {
        return Err(Problem::Large);
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(SIDE), Some(SIDE), Some(MEMORY));
    decoder.set_limits(limits).map_err(|_| Problem::Large)?;
    let turned = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| Problem::Broken)?;
    if picture.width() > KEPT || picture.height() > KEPT {
        picture = picture.resize(KEPT, KEPT, FilterType::Triangle);
    }
    if let Some(turned) = turned {
        picture.apply_orientation(turned);
    }
    let opaque = on_white(&picture);
    let thumbnail = DynamicImage::ImageRgb8(opaque.clone()).thumbnail(THUMBNAIL, THUMBNAIL).into_rgb8();
    let (width, height) = opaque.dimensions();
    Ok(Photo { width, height, picture: jpeg(&opaque)?, thumbnail: jpeg(&thumbnail)? })
}

/// JPEG knows no transparency: what shows through is white, as on paper.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let rgba = picture.to_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u32::from);
        Rgb([r, g, b].map(|c| ((c * a + 255 * (255 - a)) / 255) as u8))
    })
}

fn jpeg(picture: &RgbImage) -> Result<Vec<u8>, Problem> {
    let mut file = vec![];
    JpegEncoder::new_with_quality(&mut file, QUALITY).encode_image(picture).map_err(|_| Problem::Broken)?;
    Ok(file)
}
