//! What it costs to follow one element by another, in hundredths. The order of writing is free; what goes back in it costs.

use std::sync::OnceLock;

use crate::element::ELEMENTS;
use crate::element::Element::{self, *};

/// Nothing stands before.
pub(super) const START: usize = ELEMENTS;
pub(super) const STATES: usize = ELEMENTS + 1;
pub(super) const NEVER: i32 = 1_000_000;

/// By what follows, then by what stands before.
pub(super) type Table = [[i32; STATES]; ELEMENTS];

pub(super) fn table() -> &'static Table {
    static ONE: OnceLock<Table> = OnceLock::new();
    ONE.get_or_init(|| {
        let mut t = [[NEVER; STATES]; ELEMENTS];
        for next in Element::ALL {
            t[next as usize][START] = first(next);
            for before in Element::ALL {
                t[next as usize][before as usize] = follow(before, next);
            }
        }
        t
    })
}

fn first(next: Element) -> i32 {
    match next {
        Province | City | District => 0,
        Town | Road | Poi => 40,
        Community | Devzone | Lane => 60,
        VillageGroup | Roadno | Houseno => 250,
        Assist | Redundant => 120,
        _ => 300,
    }
}

fn follow(before: Element, next: Element) -> i32 {
    match next {
        Province | City | District => division(before, next),
        Devzone => devzone(before),
        Town => town(before),
        Community => community(before),
        VillageGroup => match before {
            Community => 0,
            Town => 60,
            VillageGroup => 80,
            Road | Roadno => 150,
            _ => 250,
        },
        Road => road(before),
        Lane => match before {
            Road => 0,
            Lane => 20,
            Community | Poi | Subpoi => 80,
            Roadno | Town | District => 120,
            Assist => 60,
            _ => 250,
        },
        Roadno => roadno(before),
        Intersection => match before {
            Road => 0,
            Poi | Community => 150,
            Assist | Lane => 150,
            _ => 400,
        },
        Poi | Compound => poi(before),
        Subpoi => subpoi(before),
        Houseno | Cellno | Floorno | Roomno => inside(before, next),
        Assist => assist(before),
        Distance => match before {
            Assist => 0,
            Intersection => 30,
            Road => 50,
            Poi | Roadno | Community => 80,
            _ => 250,
        },
        Redundant => 60,
    }
}

fn division(before: Element, next: Element) -> i32 {
    match (before, next) {
        (Province, City) | (City, District) => 0,
        (Province, District) => 20,
        (Province, Province) => 150,
        (City, City) => 80,
        (District, District) => 100,
        (City, Province) => 100,
        (District, Province) => 80,
        (District, City) => 120,
        (Town, Province) => 120,
        (Town, City) => 160,
        (Town, District) => 170,
        (Devzone, _) => 180,
        (Community, _) => 220,
        (Redundant | Assist, _) => 120,
        _ => 330,
    }
}

fn devzone(before: Element) -> i32 {
    match before {
        District | Town | City => 20,
        Province => 60,
        Road | Roadno | Community => 50,
        Poi => 130,
        Devzone => 120,
        Houseno | Floorno | Subpoi => 200,
        Assist | Intersection => 100,
        _ => 250,
    }
}

fn town(before: Element) -> i32 {
    match before {
        District => 0,
        City => 30,
        Province => 60,
        Town => 170,
        Devzone => 60,
        Community => 220,
        Road => 220,
        Redundant | Assist => 150,
        Poi => 280,
        _ => 330,
    }
}

fn community(before: Element) -> i32 {
    match before {
        Town => 0,
        District => 40,
        City => 60,
        Province => 120,
        Devzone => 60,
        Community => 90,
        Road => 140,
        Roadno => 220,
        VillageGroup => 150,
        Poi | Subpoi => 240,
        Assist | Intersection => 160,
        _ => 300,
    }
}

fn road(before: Element) -> i32 {
    match before {
        District | Town | Community => 0,
        City | Devzone => 10,
        Province => 60,
        Road => 70,
        VillageGroup => 60,
        Roadno => 170,
        Lane => 120,
        Poi | Subpoi => 110,
        Assist | Intersection | Distance => 80,
        Floorno => 180,
        _ => 260,
    }
}

fn roadno(before: Element) -> i32 {
    match before {
        Road | Lane => -40,
        Community | VillageGroup => 0,
        Roadno => 120,
        Devzone => 80,
        Assist => 60,
        Town => 120,
        Subpoi => 130,
        Poi => 130,
        District | City => 180,
        _ => 320,
    }
}

fn poi(before: Element) -> i32 {
    match before {
        Roadno | Intersection | Distance | Assist => 10,
        Road | Lane | Community | Devzone | VillageGroup => 20,
        Town => 20,
        District => 30,
        City => 50,
        Province => 90,
        Poi => 60,
        Subpoi => 70,
        Houseno => 60,
        Floorno => 40,
        Cellno => 120,
        Roomno => 60,
        Redundant => 40,
        Compound => 60,
    }
}

fn subpoi(before: Element) -> i32 {
    match before {
        Poi => 0,
        Subpoi => 30,
        Devzone => 20,
        Community => 50,
        Roadno => 60,
        Houseno | Floorno | Roomno => 40,
        Cellno => 80,
        Road => 120,
        Town => 100,
        Assist => 80,
        _ => 200,
    }
}

fn inside(before: Element, next: Element) -> i32 {
    match (before, next) {
        (Houseno, Cellno | Floorno | Roomno) | (Cellno, Floorno | Roomno) | (Floorno, Roomno) => 0,
        (Poi | Subpoi | Roadno, Floorno) => 0,
        (Poi | Subpoi, Houseno) => 0,
        (Community | Roadno | Devzone, Houseno) => 30,
        (Lane, Houseno) => 60,
        (Devzone, Floorno) => 40,
        (Poi | Subpoi | Roadno, Cellno | Roomno) => 60,
        (VillageGroup, Houseno) => 60,
        (Road, Houseno) => 110,
        (Houseno, Houseno) => 110,
        (Cellno, Houseno) => 150,
        (Floorno, Houseno) => 150,
        (Town | District, Houseno) => 180,
        (Assist, _) => 70,
        (Roomno, Roomno) => 120,
        (Community | Road, Floorno | Roomno | Cellno) => 130,
        _ => 230,
    }
}

fn assist(before: Element) -> i32 {
    match before {
        Poi | Subpoi | Intersection => 10,
        Road | Roadno => 20,
        Community | Town => 40,
        Devzone | Houseno | VillageGroup => 50,
        Distance => 30,
        Assist => 60,
        Redundant => 60,
        District => 120,
        _ => 160,
    }
}
