//! Pictures as files.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use png::{BitDepth, ColorType, Compression, Encoder};
use tiny_skia::Pixmap;

use crate::problem::{Problem, Result};

fn unwritten(e: impl std::fmt::Display) -> Problem {
    Problem::new("", "图片无法写出", format!("the picture could not be written: {e}"))
}

/// A PNG, quickly made; without an alpha channel where every pixel is opaque.
pub fn png(picture: &Pixmap) -> Result<Vec<u8>> {
    let opaque = picture.pixels().iter().all(|p| p.alpha() == 255);
    let data: Vec<u8> = match opaque {
        true => picture.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect(),
        false => picture.clone().take_demultiplied(),
    };
    let mut file = vec![];
    let mut encoder = Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(if opaque { ColorType::Rgb } else { ColorType::Rgba });
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header().map_err(unwritten)?;
    writer.write_image_data(&data).map_err(unwritten)?;
    writer.finish().map_err(unwritten)?;
    Ok(file)
}

/// A JPEG on white, `quality` from 1 to 100.
pub fn jpeg(picture: &Pixmap, quality: u8) -> Result<Vec<u8>> {
    let on_white = |c: u8, alpha: u8| c.saturating_add(255 - alpha);
    let data: Vec<u8> =
        picture.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()].map(|c| on_white(c, p.alpha()))).collect();
    let mut file = Cursor::new(vec![]);
    JpegEncoder::new_with_quality(&mut file, quality.clamp(1, 100))
        .write_image(&data, picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .map_err(unwritten)?;
    Ok(file.into_inner())
}
