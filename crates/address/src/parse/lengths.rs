//! What a name costs by its kind and length, in hundredths.

use crate::element::Element::{self, *};
use crate::gazetteer::Entry;

/// What a division costs by its name: in full or in short, near others that the text names (`near`), the only one (`alone`).
pub(super) fn division_cost(entry: &Entry, len: usize, near: bool, alone: bool) -> i32 {
    let base = match (entry.level, entry.short) {
        (Province, false) => 30,
        (City, false) => 30,
        (District, false) => 40,
        (_, false) => 50,
        (Province, true) => 50,
        (City, true) => 80,
        (District, true) => 90,
        (_, true) => 230,
    };
    let fit = match (near, alone, entry.short) {
        (true, _, false) => -20,
        (true, _, true) if entry.level == Town => -125,
        (true, _, true) => -30,
        (false, true, _) => 0,
        (false, false, false) => 50,
        (false, false, true) => 120,
    };
    base + fit + i32::from(entry.old) * 20 - if len > 3 { 10 } else { 0 }
}

/// What the length of a name costs: None where it cannot be.
pub(super) fn length_cost(element: Element, stem: usize, head: usize) -> Option<i32> {
    let over = |from: usize, each: i32| if stem > from { (stem - from) as i32 * each } else { 0 };
    Some(match element {
        Road => match stem {
            0 if head >= 2 => 230,
            0 => return None,
            1 => 170,
            2 => 110,
            3 => 115,
            4 => 180,
            _ => 180 + over(4, 110),
        },
        Town => match stem {
            0 => return None,
            1 => 170,
            2 => 130,
            _ => 140 + over(3, 90),
        },
        Community => match stem {
            0 if head >= 3 => 240,
            0 => return None,
            1 => 170,
            2 => 130,
            3 => 145,
            _ => 145 + over(3, 75),
        },
        VillageGroup => match stem {
            0 => return None,
            1 => 170,
            2 | 3 => 140,
            _ => 140 + over(3, 80),
        },
        Devzone => match stem {
            0 => 150,
            1 => 160,
            _ => 130 + over(6, 30),
        },
        Poi => match stem {
            0 if head >= 2 => 240,
            0 => return None,
            1 => 210,
            _ => 160 + over(6, 12),
        },
        Subpoi => match stem {
            0 => 150,
            _ => 190 + over(1, 20),
        },
        Province | City | District => match stem {
            0 => return None,
            1 => 250,
            2 => 170,
            3 => 200,
            _ => 200 + over(3, 120),
        },
        Houseno | Floorno => match stem {
            0 => 140,
            _ => return None,
        },
        // 王先生
        Redundant => match stem {
            1 => 110,
            2 => 130,
            3 => 160,
            _ => return None,
        },
        _ => return None,
    })
}
