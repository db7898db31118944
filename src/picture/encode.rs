//! Pictures as files; the palette of 8-bit PNGs.

use std::collections::HashMap;

use onemap_paint::Pixmap;

use super::{Format, QUALITY};
use crate::error::{Error, Result};

/// Entries of a palette at most.
const MOST: usize = 256;
/// Bits of each channel that are dropped before colours are counted.
const DROPPED: u32 = 3;

pub fn encode(picture: &Pixmap, format: Format) -> Result<Vec<u8>> {
    match format {
        Format::Png => onemap_paint::png(picture).map_err(unwritten),
        Format::Jpeg => onemap_paint::jpeg(picture, QUALITY).map_err(unwritten),
        Format::Png8 => palette_png(picture),
    }
}

fn unwritten(problem: onemap_paint::Problem) -> Error {
    Error::internal(problem.en)
}

fn palette_png(picture: &Pixmap) -> Result<Vec<u8>> {
    let pixels: Vec<[u8; 4]> =
        picture.pixels().iter().map(|p| p.demultiply()).map(|p| [p.red(), p.green(), p.blue(), p.alpha()]).collect();
    let (palette, places) = quantised(&pixels);
    let mut file = vec![];
    let mut encoder = png::Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.iter().flat_map(|c| [c[0], c[1], c[2]]).collect::<Vec<u8>>());
    encoder.set_trns(palette.iter().map(|c| c[3]).collect::<Vec<u8>>());
    let mut writer = encoder.write_header().map_err(Error::internal)?;
    writer.write_image_data(&places).map_err(Error::internal)?;
    writer.finish().map_err(Error::internal)?;
    Ok(file)
}

/// A palette, and each pixel's place in it: the colours as they are when there are few enough, else the means of boxes of colours, each
/// cut in two at its median (Heckbert, Color image quantization for frame buffer display, 1982).
fn quantised(pixels: &[[u8; 4]]) -> (Vec<[u8; 4]>, Vec<u8>) {
    let mut exact: HashMap<[u8; 4], u8> = HashMap::new();
    for pixel in pixels {
        if exact.len() == MOST && !exact.contains_key(pixel) {
            return cut(pixels);
        }
        let next = exact.len() as u8;
        exact.entry(*pixel).or_insert(next);
    }
    let mut palette = vec![[0; 4]; exact.len()];
    exact.iter().for_each(|(colour, place)| palette[usize::from(*place)] = *colour);
    (palette, pixels.iter().map(|pixel| exact[pixel]).collect())
}

/// Colours that are alike, with how many pixels have them and the sum of their channels.
struct Alike {
    colour: [u8; 4],
    count: u64,
    sum: [u64; 4],
}

fn cut(pixels: &[[u8; 4]]) -> (Vec<[u8; 4]>, Vec<u8>) {
    let coarse = |pixel: &[u8; 4]| pixel.map(|c| c >> DROPPED);
    let mut counted: HashMap<[u8; 4], Alike> = HashMap::new();
    for pixel in pixels {
        let alike = counted.entry(coarse(pixel)).or_insert(Alike { colour: coarse(pixel), count: 0, sum: [0; 4] });
        alike.count += 1;
        (0..4).for_each(|i| alike.sum[i] += u64::from(pixel[i]));
    }
    let mut boxes: Vec<Vec<Alike>> = vec![counted.into_values().collect()];
    while boxes.len() < MOST {
        // The box whose longest side, weighed by its pixels, is the greatest.
        let worth = |members: &Vec<Alike>| {
            let (_, side) = longest(members);
            u64::from(side) * members.iter().map(|m| m.count).sum::<u64>()
        };
        let Some((at, most)) = boxes.iter().map(worth).enumerate().max_by_key(|(_, worth)| *worth) else { break };
        if most == 0 {
            break;
        }
        let mut members = boxes.swap_remove(at);
        let (axis, _) = longest(&members);
        members.sort_by_key(|m| m.colour[axis]);
        let half = members.iter().map(|m| m.count).sum::<u64>() / 2;
        let mut seen = 0;
        let middle = members.iter().position(|m| {
            seen += m.count;
            seen > half
        });
        let rest = members.split_off(middle.unwrap_or(0).clamp(1, members.len() - 1));
        boxes.extend([members, rest]);
    }
    let mut places = HashMap::new();
    let palette = boxes.iter().enumerate().map(|(place, members)| {
        members.iter().for_each(|m| {
            places.insert(m.colour, place as u8);
        });
        let count = members.iter().map(|m| m.count).sum::<u64>().max(1);
        std::array::from_fn(|i| (members.iter().map(|m| m.sum[i]).sum::<u64>() / count) as u8)
    });
    let palette = palette.collect();
    (palette, pixels.iter().map(|pixel| places[&coarse(pixel)]).collect())
}

/// The channel in which the members differ most, and by how much.
fn longest(members: &[Alike]) -> (usize, u8) {
    let side = |i: usize| {
        let values = || members.iter().map(|m| m.colour[i]);
        values().max().unwrap_or(0) - values().min().unwrap_or(0)
    };
    (0..4).map(|i| (i, side(i))).max_by_key(|(_, side)| *side).unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_stay_as_they_are() {
        let pixels = [[0, 0, 0, 0], [255, 0, 0, 255], [0, 0, 0, 0], [1, 2, 3, 255]];
        let (palette, places) = quantised(&pixels);
        assert_eq!(palette.len(), 3);
        assert!(pixels.iter().zip(&places).all(|(pixel, place)| palette[usize::from(*place)] == *pixel));
    }

    #[test]
    fn many_colours_become_256_that_are_near() {
        let pixels: Vec<[u8; 4]> = (0..=255u8).flat_map(|r| (0..64u8).map(move |g| [r, g * 4, 128, 255])).collect();
        let (palette, places) = quantised(&pixels);
        assert_eq!(palette.len(), 256);
        let off = |(pixel, place): (&[u8; 4], &u8)| {
            let near = palette[usize::from(*place)];
            (0..4).map(|i| u64::from(pixel[i].abs_diff(near[i]))).sum::<u64>()
        };
        let total: u64 = pixels.iter().zip(&places).map(off).sum();
        assert!(total / (pixels.len() as u64) < 16, "{}", total / pixels.len() as u64);
    }
}
