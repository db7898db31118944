//! The sprite `onemap`: the signs of `styles/icons`, drawn once per pixel ratio.
//!
//! Each sign is there twice: as a badge (`school`, white on a dark disc, for any map) and bare (`school-sign`, white,
//! to lie on a disc in a layer's own colour).

use std::sync::OnceLock;

use bytes::Bytes;
use resvg::{
    tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Transform},
    usvg::{Options, Tree},
};
use serde_json::{Map, Value, json};

use super::Files;
use crate::error::{Error, Result};

/// The sprite's name in its addresses: `/sprites/onemap.json`, `/sprites/onemap@2x.png`.
pub const NAME: &str = "onemap";

/// A sign's side in pixels of the map, and the empty pixels between signs, so that none bleeds into its neighbour.
const SIDE: u32 = 24;
const GAP: u32 = 2;
const COLUMNS: u32 = 8;
const BADGE: [u8; 3] = [0x37, 0x47, 0x58];
/// How much of its side a sign takes on a badge: the corners must stay inside the disc.
const ON_BADGE: f32 = 0.62;

pub struct Sheet {
    pub json: Bytes,
    pub png: Bytes,
}

/// One file of the sprite, with its media type: `onemap.json`, `onemap.png`, `onemap@2x.json`, `onemap@2x.png`.
pub fn file(name: &str) -> Result<(&'static str, Bytes)> {
    let wanted = name.strip_prefix(NAME).and_then(|rest| rest.rsplit_once('.'));
    let (ratio, kind) = match wanted {
        Some(("", kind)) => (1, kind),
        Some(("@2x", kind)) => (2, kind),
        _ => return Err(no_such()),
    };
    let sheet = sheet(ratio)?;
    match kind {
        "json" => Ok(("application/json", sheet.json.clone())),
        "png" => Ok(("image/png", sheet.png.clone())),
        _ => Err(no_such()),
    }
}

/// The sign for a layer, if one of the words in its id has one.
pub fn icon_for(layer_id: &str) -> Option<&'static str> {
    layer_id.split(['-', '_']).find_map(|word| {
        let one = word.strip_suffix("ies").or_else(|| word.strip_suffix('s')).unwrap_or(word);
        SIGNS.iter().find(|(_, words)| words.contains(&word) || words.contains(&one)).map(|(sign, _)| *sign)
    })
}

/// Which words of a layer's id (in the singular; `-ies` loses all three letters) call for which sign. Words that say
/// little by themselves (station, centre, site, point) are left to the word before them.
const SIGNS: [(&str, &[&str]); 22] = [
    ("school", &["school", "kindergarten", "universit", "college", "education", "training"]),
    ("clinic", &["clinic", "pharmac", "doctor", "medical", "vaccination", "checkup", "contraceptive"]),
    ("hospital", &["hospital", "maternit", "ambulance"]),
    ("bus", &["bus", "buses", "transit"]),
    ("police", &["police"]),
    ("park", &["park", "garden", "square", "shelter"]),
    ("tree", &["tree", "forest", "heritage"]),
    ("shop", &["shop", "market", "restaurant", "supermarket", "food", "produce"]),
    ("government", &["government", "court", "office", "service", "hall", "registr"]),
    ("camera", &["camera", "cctv", "surveillance"]),
    ("home", &["housing", "house", "applicant", "dwelling"]),
    ("building", &["compan", "enterprise", "hotel", "factor", "compound"]),
    ("fire", &["fire", "hydrant"]),
    ("water", &["water", "well", "pump", "sewage", "drain"]),
    ("parking", &["parking"]),
    ("people", &["resident", "people", "population", "member", "famil", "household", "women"]),
    ("elder", &["elder", "elderly", "senior", "nursing", "pension"]),
    ("child", &["child", "children", "birth", "nurser", "newborn", "playground"]),
    ("warning", &["hazard", "hazardous", "risk", "warning", "accident", "incident", "illegal", "pollution"]),
    ("book", &["librar", "museum", "cultural", "culture", "book"]),
    ("flag", &["control", "rescue", "survey"]),
    ("star", &["key", "landmark"]),
];

fn no_such() -> Error {
    Error::not_found("没有这个图标集文件", "there is no such sprite file")
}

fn sheet(ratio: u32) -> Result<&'static Sheet> {
    static SHEETS: [OnceLock<Sheet>; 2] = [OnceLock::new(), OnceLock::new()];
    let Some(place) = SHEETS.get(ratio as usize - 1) else { return Err(no_such()) };
    if let Some(sheet) = place.get() {
        return Ok(sheet);
    }
    let drawn = draw(ratio)?;
    Ok(place.get_or_init(|| drawn))
}

fn draw(ratio: u32) -> Result<Sheet> {
    let mut names: Vec<String> =
        Files::iter().filter(|f| f.starts_with("icons/") && f.ends_with(".svg")).map(Into::into).collect();
    names.sort();
    let rows = (names.len() as u32 * 2).div_ceil(COLUMNS).max(1);
    let step = SIDE + GAP;
    let mut picture = Pixmap::new(COLUMNS * step * ratio, rows * step * ratio)
        .ok_or_else(|| Error::internal("a sprite sheet of no size"))?;
    let mut index = Map::new();
    let mut place = 0;
    for file in &names {
        let sign = parse(file)?;
        let name = file.trim_start_matches("icons/").trim_end_matches(".svg");
        for (entry, badge) in [(name.to_owned(), true), (format!("{name}-sign"), false)] {
            let (x, y) = (place % COLUMNS * step * ratio, place / COLUMNS * step * ratio);
            draw_sign(&mut picture, &sign, (x as f32, y as f32), ratio as f32, badge);
            let side = SIDE * ratio;
            index.insert(entry, json!({ "x": x, "y": y, "width": side, "height": side, "pixelRatio": ratio }));
            place += 1;
        }
    }
    let png = picture.encode_png().map_err(Error::internal)?;
    Ok(Sheet { json: serde_json::to_vec(&Value::Object(index))?.into(), png: png.into() })
}

fn parse(file: &str) -> Result<Tree> {
    let svg = Files::get(file).ok_or_else(|| Error::internal(format!("{file} is gone")))?;
    Tree::from_data(&svg.data, &Options::default()).map_err(|e| Error::internal(format!("{file}: {e}")))
}

fn draw_sign(picture: &mut Pixmap, sign: &Tree, at: (f32, f32), ratio: f32, badge: bool) {
    let place = Transform::from_translate(at.0, at.1).pre_scale(ratio, ratio);
    let side = SIDE as f32;
    if badge && let Some(disc) = PathBuilder::from_circle(side / 2.0, side / 2.0, side / 2.0 - 0.5) {
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        let [r, g, b] = BADGE;
        paint.set_color(Color::from_rgba8(r, g, b, 255));
        picture.fill_path(&disc, &paint, FillRule::Winding, place, None);
    }
    let share = if badge { ON_BADGE } else { 1.0 };
    let margin = side * (1.0 - share) / 2.0;
    let scale = side * share / sign.size().width();
    resvg::render(sign, place.pre_translate(margin, margin).pre_scale(scale, scale), &mut picture.as_mut());
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn sheet_of(ratio: u32) -> (Map<String, Value>, Pixmap) {
        let at = if ratio == 2 { "@2x" } else { "" };
        let (kind, json) = file(&format!("onemap{at}.json")).unwrap();
        assert_eq!(kind, "application/json");
        let (kind, png) = file(&format!("onemap{at}.png")).unwrap();
        assert_eq!(kind, "image/png");
        (serde_json::from_slice(&json).unwrap(), Pixmap::decode_png(&png).unwrap())
    }

    #[test]
    fn every_sign_lies_in_the_picture_alone_and_has_ink() {
        for ratio in [1, 2] {
            let (index, picture) = sheet_of(ratio);
            assert!(index.len() >= 40, "{} signs", index.len());
            let mut taken = HashSet::new();
            for (name, entry) in &index {
                let [x, y, width, height] = ["x", "y", "width", "height"].map(|k| entry[k].as_u64().unwrap() as u32);
                assert_eq!((width, height), (24 * ratio, 24 * ratio));
                assert_eq!(entry["pixelRatio"], ratio);
                assert!(x + width <= picture.width() && y + height <= picture.height(), "{name} lies outside");
                let mut ink = 0;
                for (px, py) in (y..y + height).flat_map(|py| (x..x + width).map(move |px| (px, py))) {
                    assert!(taken.insert((px, py)), "{name} overlaps another");
                    ink += u32::from(picture.pixel(px, py).unwrap().alpha() > 128);
                }
                let share = f64::from(ink) / f64::from(width * height);
                assert!((0.1..0.9).contains(&share), "{name} covers {share:.2} of its square");
            }
            // Nothing is drawn between the signs.
            let stray = (0..picture.width() * picture.height())
                .map(|i| (i % picture.width(), i / picture.width()))
                .filter(|at| !taken.contains(at) && picture.pixel(at.0, at.1).unwrap().alpha() > 0);
            assert_eq!(stray.count(), 0);
        }
    }

    #[test]
    fn both_ratios_have_the_same_signs() {
        let names = |ratio| sheet_of(ratio).0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(1), names(2));
    }

    #[test]
    fn every_sign_that_a_layer_may_get_exists_in_both_forms() {
        let (index, _) = sheet_of(1);
        for (sign, _) in SIGNS {
            assert!(index.contains_key(sign) && index.contains_key(&format!("{sign}-sign")), "{sign}");
        }
    }

    #[test]
    fn a_layers_words_choose_its_sign() {
        for (layer, sign) in [
            ("primary-schools", Some("school")),
            ("health-community_clinics", Some("clinic")),
            ("pharmacies", Some("clinic")),
            ("bus-stops", Some("bus")),
            ("police-stations", Some("police")),
            ("nursing-homes", Some("elder")),
            ("fire-hydrants", Some("fire")),
            ("street-trees", Some("tree")),
            ("libraries", Some("book")),
            ("roads", None),
            ("base-stations", None),
            ("", None),
        ] {
            assert_eq!(icon_for(layer), sign, "{layer}");
        }
    }

    #[test]
    fn other_files_are_not_found() {
        for name in
            ["onemap", "onemap.gif", "onemap@3x.png", "onemap@2x@2x.png", "other.json", "", "onemap@2x", "Onemap.png"]
        {
            assert_eq!(file(name).unwrap_err().kind, crate::error::Kind::NotFound, "{name}");
        }
    }
}
