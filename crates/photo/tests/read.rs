//! What is kept of a file, and what is refused.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use onemap_photo::{KEPT, Problem, THUMBNAIL, read};

/// Red on the left, blue on the right.
fn two_halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| Rgb(if x < width / 2 { [220, 20, 20] } else { [20, 20, 220] }))
}

fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(vec![]);
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A JPEG with an Exif segment: orientation, and a GPS latitude reference with a text that can be looked for.
fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend_from_slice(&2u16.to_le_bytes());
    // 0x0112 orientation, SHORT, one value; 0x010f maker, ASCII, of 16 bytes behind the directory.
    tiff.extend_from_slice(&[0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    tiff.extend_from_slice(&[0x0f, 1, 2, 0, 16, 0, 0, 0, 38, 0, 0, 0]);
    tiff.extend_from_slice(&[0; 4]);
    tiff.extend_from_slice(b"SECRET-PLACE-36N");
    let mut segment = b"Exif\0\0".to_vec();
    segment.extend_from_slice(&tiff);
    let mut out = jpeg[..2].to_vec();
    out.extend_from_slice(&[0xff, 0xe1]);
    out.extend_from_slice(&(segment.len() as u16 + 2).to_be_bytes());
    out.extend_from_slice(&segment);
    out.extend_from_slice(&jpeg[2..]);
    out
}

fn holds(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|w| w == text)
}

#[test]
fn nothing_that_the_camera_noted_is_kept_and_the_picture_stands_upright() {
    let sent = with_exif(&file(two_halves(400, 200), ImageFormat::Jpeg), 6);
    assert!(holds(&sent, b"SECRET-PLACE") && holds(&sent, b"Exif"));
    let photo = read(&sent).unwrap();
    for kept in [&photo.picture, &photo.thumbnail] {
        assert!(!holds(kept, b"SECRET-PLACE") && !holds(kept, b"Exif"));
    }
    // Turned by a quarter clockwise: what was left is on top.
    assert_eq!((photo.width, photo.height), (200, 400));
    let shown = image::load_from_memory(&photo.picture).unwrap().to_rgb8();
    assert!(shown.get_pixel(100, 50).0[0] > 150 && shown.get_pixel(100, 350).0[2] > 150);
}

#[test]
fn every_format_becomes_a_jpeg_no_larger_than_a_screen() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let photo = read(&file(two_halves(3000, 1500), format)).unwrap();
        assert_eq!((photo.width, photo.height), (KEPT, KEPT / 2), "{format:?}");
        assert_eq!(image::guess_format(&photo.picture).unwrap(), ImageFormat::Jpeg);
        let thumbnail = image::load_from_memory(&photo.thumbnail).unwrap();
        assert_eq!((thumbnail.width(), thumbnail.height()), (THUMBNAIL, THUMBNAIL / 2));
    }
}

#[test]
fn what_shows_through_is_white() {
    let clear = RgbaImage::from_pixel(40, 40, Rgba([0, 0, 0, 0]));
    let photo = read(&file(clear, ImageFormat::Png)).unwrap();
    let shown = image::load_from_memory(&photo.picture).unwrap().to_rgb8();
    assert!(shown.get_pixel(20, 20).0.iter().all(|c| *c > 250));
}

#[test]
fn what_is_no_photo_is_refused() {
    assert_eq!(read(b""), Err(Problem::Format));
    assert_eq!(read(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), Err(Problem::Format));
    assert_eq!(read(b"GIF89a\x01\0\x01\0\0\0\0;"), Err(Problem::Format));
    let whole = file(two_halves(64, 64), ImageFormat::Png);
    assert_eq!(read(&whole[..whole.len() / 2]), Err(Problem::Broken));
    assert_eq!(read(&whole[..20]), Err(Problem::Broken));
}

#[test]
fn a_wall_of_pixels_is_refused_before_it_is_decoded() {
    // A PNG's header says its size: this one claims 15,000 by 15,000 and holds next to nothing.
    let mut bomb = file(two_halves(2, 2), ImageFormat::Png);
    bomb[16..20].copy_from_slice(&15_000u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&15_000u32.to_be_bytes());
    // IHDR's checksum, over its name and its 13 bytes.
    let crc = bomb[12..29].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
    });
    bomb[29..33].copy_from_slice(&(!crc).to_be_bytes());
    assert_eq!(read(&bomb), Err(Problem::Large));
}
