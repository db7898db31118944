use std::collections::BTreeMap;

use super::*;

/// What the tests read of a glyph: its size without the border of three pixels, and its distance field.
struct Glyph {
    width: u64,
    height: u64,
    advance: u64,
    field: Vec<u8>,
}

/// A reader of protobuf messages made for these tests alone, from the wire format: the fields of one message.
fn fields(mut message: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (first, rest) = bytes.split_first().expect("a varint ends in the message");
            *bytes = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let value = varint(&mut message);
        let mut content = Vec::new();
        if key & 7 == 2 {
            let (inside, rest) = message.split_at(value as usize);
            content = inside.to_vec();
            message = rest;
        } else {
            assert_eq!(key & 7, 0, "glyphs use varints and byte strings only");
        }
        found.push((key >> 3, value, content));
    }
    found
}

fn decode(pbf: &[u8]) -> (String, String, BTreeMap<u64, Glyph>) {
    let outer = fields(pbf);
    assert_eq!(outer.len(), 1, "one font stack");
    let (mut name, mut range, mut glyphs) = (String::new(), String::new(), BTreeMap::new());
    for (number, _, content) in fields(&outer[0].2) {
        match number {
            1 => name = String::from_utf8(content).unwrap(),
            2 => range = String::from_utf8(content).unwrap(),
            3 => {
                let of: BTreeMap<u64, (u64, Vec<u8>)> =
                    fields(&content).into_iter().map(|(n, v, c)| (n, (v, c))).collect();
                let number = |n| of.get(&n).map_or(0, |f: &(u64, Vec<u8>)| f.0);
                let field = of.get(&2).map_or(Vec::new(), |f| f.1.clone());
                glyphs.insert(number(1), Glyph { width: number(3), height: number(4), advance: number(7), field });
            }
            other => panic!("field {other} is not part of a font stack"),
        }
    }
    (name, range, glyphs)
}

fn fresh() -> (tempfile::TempDir, Glyphs) {
    let folder = tempfile::tempdir().unwrap();
    let glyphs = Glyphs::new(folder.path());
    (folder, glyphs)
}

#[test]
fn a_chinese_range_holds_its_characters() {
    let (_folder, glyphs) = fresh();
    // 青, U+9752.
    let pbf = glyphs.range("Noto Sans CJK SC Regular", 0x9700).unwrap();
    let (name, range, drawn) = decode(&pbf);
    assert_eq!((name.as_str(), range.as_str()), ("Noto Sans CJK SC Regular", "38656-38911"));
    assert!(drawn.len() > 200, "{} characters", drawn.len());
    let qing = &drawn[&0x9752];
    assert_eq!(qing.advance, 24, "a Chinese character is one em wide");
    assert!(qing.width > 15 && qing.height > 15);
    assert_eq!(qing.field.len() as u64, (qing.width + 6) * (qing.height + 6));
    assert!(qing.field.iter().any(|d| *d > 200) && qing.field.contains(&0), "ink and paper");
}

#[test]
fn the_mainland_forms_are_drawn() {
    // 直 (U+76F4) has another shape in the collection's first face, the Japanese one.
    let bytes = fs::read(Path::new(DEBIAN_FONTS).join("NotoSansCJK-Regular.ttc")).unwrap();
    let of = |family| {
        let font = collection::extract(&bytes, family, 0x7600..=0x76ff).unwrap();
        let pbf = glyphore_core::generate_range(&FontFace::parse(&font).unwrap(), 0x7600).unwrap();
        decode(&pbf).2.remove(&0x76f4).unwrap().field
    };
    assert_ne!(of("Noto Sans CJK JP"), of("Noto Sans CJK SC"));
    let (_folder, glyphs) = fresh();
    let served = decode(&glyphs.range("Noto Sans CJK SC Regular", 0x7600).unwrap()).2.remove(&0x76f4).unwrap().field;
    assert_eq!(served, of("Noto Sans CJK SC"));
}

#[test]
fn bold_is_bolder() {
    let (_folder, glyphs) = fresh();
    let ink = |stack| {
        let (_, _, drawn) = decode(&glyphs.range(stack, 0).unwrap());
        drawn[&u64::from(b'H')].field.iter().filter(|d| **d > 192).count()
    };
    assert!(ink("Noto Sans CJK SC Bold") > ink("Noto Sans CJK SC Regular"));
}

#[test]
fn a_range_is_kept_and_not_drawn_again() {
    let (folder, glyphs) = fresh();
    let first = glyphs.range("Noto Sans CJK SC Regular", 0).unwrap();
    // A second reader over the same folder gets what is on disk, even a mark that no font would yield.
    let kept = folder.path().join(edition(&Path::new(DEBIAN_FONTS).join("NotoSansCJK-Regular.ttc")).unwrap());
    let file = kept.join("Noto Sans CJK SC Regular").join("0.pbf");
    assert_eq!(fs::read(&file).unwrap(), first);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "no half-written file stays");
    fs::write(&file, b"kept").unwrap();
    assert_eq!(Glyphs::new(folder.path()).range("Noto Sans CJK SC Regular", 0).unwrap(), "kept");
    // And the first one has it in memory.
    assert_eq!(glyphs.range("Noto Sans CJK SC Regular", 0).unwrap(), first);
}

#[test]
fn a_range_without_characters_is_empty_but_valid() {
    let (_folder, glyphs) = fresh();
    // Surrogates: no character has such a number.
    let (name, range, drawn) = decode(&glyphs.range("Noto Sans CJK SC Regular", 0xd800).unwrap());
    assert_eq!((name.as_str(), range.as_str(), drawn.len()), ("Noto Sans CJK SC Regular", "55296-55551", 0));
}

#[test]
fn what_is_not_on_offer_is_said() {
    let (_folder, glyphs) = fresh();
    let not_found = |stack| glyphs.range(stack, 0).unwrap_err().kind == Kind::NotFound;
    assert!(not_found("Arial Unicode MS Regular"));
    assert!(not_found("") && not_found("../../etc/passwd") && not_found("Noto Sans CJK SC regular"));
    assert_eq!(
        glyphs.range("Open Sans Regular,Noto Sans CJK SC Regular", 0).unwrap(),
        glyphs.range("Noto Sans CJK SC Regular", 0).unwrap()
    );
    let invalid =
        |start| matches!(glyphs.range("Noto Sans CJK SC Bold", start).unwrap_err().kind, Kind::Invalid { .. });
    assert!(invalid(1) && invalid(65_536) && invalid(u32::MAX));
}

#[test]
fn ranges_are_parsed_strictly() {
    assert_eq!(parse_range("0-255").unwrap(), 0);
    assert_eq!(parse_range("65280-65535").unwrap(), 65_280);
    for wrong in [
        "",
        "-",
        "0",
        "0-",
        "0-256",
        "1-256",
        "255-0",
        "65536-65791",
        "+0-255",
        "0-+255",
        "0-255-",
        "4294967040-4294967295",
        "99999999999-0",
        "０-２５５",
    ] {
        assert!(parse_range(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_missing_font_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let e = Glyphs::with_fonts(folder.path(), folder.path()).range("Noto Sans CJK SC Bold", 0).unwrap_err();
    assert_eq!(e.kind, Kind::Busy);
    assert!(e.hint.as_ref().unwrap().en.contains("fonts-noto-cjk"));
}
