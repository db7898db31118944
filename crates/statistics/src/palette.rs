//! Colours for classes: ramps of our own, made in OKLab (Ottosson, "A perceptual color space for image processing", 2020), where equal
//! distances look equal.
//!
//! The tests hold every palette against simulations of protanopia, deuteranopia and tritanopia (Machado, Oliveira and Fernandes, "A
//! Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, full severity): neighbouring classes of a ramp, and any two
//! colours of a set, stay apart for everybody; sequential ramps grow darker with every class, so they survive a grey print.

use serde::{Deserialize, Serialize};

use crate::Problem;
use crate::classify::MOST_CLASSES;

/// What is drawn where there is no value, and where one is withheld.
pub const NO_DATA: &str = "#e4e4e4";
pub const WITHHELD: &str = "#bdbdbd";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// From little to much.
    Sequential,
    /// From one side of a middle to the other.
    Diverging,
    /// Different things without an order.
    Qualitative,
    /// Two values at once: rows and columns of a square.
    Bivariate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Palette {
    Blues,
    Greens,
    Oranges,
    Purples,
    Reds,
    BlueOrange,
    PurpleGreen,
    TealBrown,
    Categories,
    BlueRose,
}

impl Palette {
    pub const ALL: [Palette; 10] = [
        Palette::Blues,
        Palette::Greens,
        Palette::Oranges,
        Palette::Purples,
        Palette::Reds,
        Palette::BlueOrange,
        Palette::PurpleGreen,
        Palette::TealBrown,
        Palette::Categories,
        Palette::BlueRose,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Palette::Blues => "blues",
            Palette::Greens => "greens",
            Palette::Oranges => "oranges",
            Palette::Purples => "purples",
            Palette::Reds => "reds",
            Palette::BlueOrange => "blue_orange",
            Palette::PurpleGreen => "purple_green",
            Palette::TealBrown => "teal_brown",
            Palette::Categories => "categories",
            Palette::BlueRose => "blue_rose",
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Palette::BlueOrange | Palette::PurpleGreen | Palette::TealBrown => Kind::Diverging,
            Palette::Categories => Kind::Qualitative,
            Palette::BlueRose => Kind::Bivariate,
            _ => Kind::Sequential,
        }
    }

    /// How many colours there are at most; of a bivariate palette, along one side.
    pub fn most(self) -> usize {
        match self.kind() {
            Kind::Sequential | Kind::Diverging => MOST_CLASSES,
            Kind::Qualitative => CATEGORIES.len(),
            Kind::Bivariate => SIDE,
        }
    }

    /// `count` colours as `#rrggbb`; of a bivariate palette `count × count`, row by row from below: the first value grows along
    /// a row, the second from row to row.
    pub fn colours(self, count: usize) -> Result<Vec<String>, Problem> {
        if count == 0 || count > self.most() {
            let (name, most) = (self.name(), self.most());
            return Err(Problem::new(
                "palette",
                format!("配色 {name} 最多 {most} 级"),
                format!("the palette {name} has at most {most} colours"),
            ));
        }
        Ok(self.labs(count).into_iter().map(|lab| lab.hex()).collect())
    }

    fn labs(self, count: usize) -> Vec<Lab> {
        let places = (0..count).map(|i| if count == 1 { 0.6 } else { i as f64 / (count - 1) as f64 });
        match self {
            Palette::Categories => CATEGORIES[..count].iter().map(|[l, c, h]| Lab::polar(*l, *c, *h)).collect(),
            Palette::BlueRose => {
                let places: Vec<f64> = places.collect();
                places.iter().flat_map(|y| places.iter().map(move |x| bivariate(*x, *y))).collect()
            }
            Palette::BlueOrange => places.map(|t| diverging(t, 255.0, 55.0)).collect(),
            Palette::PurpleGreen => places.map(|t| diverging(t, 310.0, 145.0)).collect(),
            Palette::TealBrown => places.map(|t| diverging(t, 195.0, 60.0)).collect(),
            Palette::Blues => places.map(|t| sequential(t, 240.0, 265.0, 0.14)).collect(),
            Palette::Greens => places.map(|t| sequential(t, 140.0, 160.0, 0.12)).collect(),
            Palette::Oranges => places.map(|t| sequential(t, 80.0, 40.0, 0.14)).collect(),
            Palette::Purples => places.map(|t| sequential(t, 320.0, 300.0, 0.14)).collect(),
            Palette::Reds => places.map(|t| sequential(t, 40.0, 25.0, 0.15)).collect(),
        }
    }
}

/// Classes along a side of a bivariate palette.
pub const SIDE: usize = 3;

/// Lightness, chroma and hue of colours that are all far from each other under each kind of vision; a search over a grid of
/// OKLCh found them. The first of them differ most.
const CATEGORIES: [[f64; 3]; 8] = [
    [0.58, 0.10, 255.0],
    [0.88, 0.15, 105.0],
    [0.42, 0.10, 15.0],
    [0.88, 0.15, 180.0],
    [0.58, 0.15, 45.0],
    [0.42, 0.15, 285.0],
    [0.74, 0.10, 225.0],
    [0.74, 0.10, 60.0],
];

fn sequential(t: f64, from: f64, to: f64, chroma: f64) -> Lab {
    Lab::polar(0.955 - 0.62 * t, 0.015 + (chroma - 0.015) * (1.6 * t).min(1.0), from + (to - from) * t)
}

fn diverging(t: f64, low: f64, high: f64) -> Lab {
    let side = (t - 0.5).abs() * 2.0;
    Lab::polar(0.965 - 0.5 * side, 0.16 * (3.0 * side).min(1.0), if t < 0.5 { low } else { high })
}

fn bivariate(x: f64, y: f64) -> Lab {
    let (x, y) = (2.0 * x, 2.0 * y);
    let (a, b) = (-0.02 * x + 0.07 * y, -0.11 * x + 0.07 * y);
    Lab::polar(0.95 - 0.20 * x - 0.17 * y, a.hypot(b), b.atan2(a).to_degrees())
}

/// A colour in OKLab.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Lab {
    l: f64,
    a: f64,
    b: f64,
}

impl Lab {
    /// By chroma and hue; the chroma is lessened until sRGB has the colour.
    fn polar(l: f64, chroma: f64, hue: f64) -> Lab {
        let (sin, cos) = hue.to_radians().sin_cos();
        let at = |chroma: f64| Lab { l, a: chroma * cos, b: chroma * sin };
        let fits = |lab: Lab| lab.linear().iter().all(|c| (-1e-4..=1.0001).contains(c));
        let mut chroma = chroma;
        while chroma > 0.0 && !fits(at(chroma)) {
            chroma -= 0.002;
        }
        at(chroma.max(0.0))
    }

    /// Linear sRGB.
    fn linear(self) -> [f64; 3] {
        let cube = |a: f64, b: f64| (self.l + a * self.a + b * self.b).powi(3);
        let l = cube(0.3963377774, 0.2158037573);
        let m = cube(-0.1055613458, -0.0638541728);
        let s = cube(-0.0894841775, -1.2914855480);
        [
            4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
            -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
            -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
        ]
    }

    fn hex(self) -> String {
        // The transfer function of sRGB (IEC 61966-2-1).
        let coded = |c: f64| if c <= 0.0031308 { 12.92 * c } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 };
        let [r, g, b] = self.linear().map(|c| (coded(c.clamp(0.0, 1.0)) * 255.0).round() as u8);
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Matrix = [[f64; 3]; 3];

    /// Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB; the first is unchanged vision.
    const VISIONS: [(&str, Matrix); 4] = [
        ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        ),
        (
            "deuteranopia",
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        ),
        (
            "tritanopia",
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
        ),
    ];

    /// A colour as its hex code shows it under a vision.
    fn seen(hex: &str, matrix: &Matrix) -> Lab {
        let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        let rgb = [linear(part(1)), linear(part(3)), linear(part(5))];
        let [r, g, b] = matrix.map(|row| row.iter().zip(rgb).map(|(m, c)| m * c).sum::<f64>().clamp(0.0, 1.0));
        let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
        let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
        let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
        Lab {
            l: 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            a: 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            b: 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
        }
    }

    fn apart(x: Lab, y: Lab) -> f64 {
        ((x.l - y.l).powi(2) + (x.a - y.a).powi(2) + (x.b - y.b).powi(2)).sqrt()
    }

    /// The least distance in OKLab that two colours of a palette may have: 0.02 is about what is just noticed side by side.
    fn limit(kind: Kind, count: usize) -> f64 {
        match kind {
            Kind::Qualitative => 0.14,
            Kind::Bivariate => 0.12,
            _ => (0.45 / count as f64).min(0.1),
        }
    }

    #[test]
    fn classes_stay_apart_for_every_kind_of_vision() {
        for palette in Palette::ALL {
            for count in 2..=palette.most() {
                let colours = palette.colours(count).unwrap();
                for (vision, matrix) in &VISIONS {
                    let labs: Vec<Lab> = colours.iter().map(|c| seen(c, matrix)).collect();
                    for i in 0..labs.len() {
                        for j in 0..i {
                            let found = apart(labs[i], labs[j]);
                            let least = limit(palette.kind(), count);
                            assert!(found >= least, "{palette:?}/{count} {vision}: {i} and {j} are {found:.3} apart");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn more_is_darker_in_every_sequential_ramp_and_both_ends_of_a_diverging_one() {
        for palette in Palette::ALL {
            for count in 2..=palette.most() {
                let colours = palette.colours(count).unwrap();
                for (vision, matrix) in &VISIONS {
                    let light: Vec<f64> = colours.iter().map(|c| seen(c, matrix).l).collect();
                    match palette.kind() {
                        Kind::Sequential => {
                            assert!(light.windows(2).all(|p| p[0] > p[1]), "{palette:?} {vision} {light:?}")
                        }
                        Kind::Diverging => {
                            let (left, right) = (&light[..count.div_ceil(2)], &light[count / 2..]);
                            assert!(left.windows(2).all(|p| p[0] < p[1]), "{palette:?} {vision} {light:?}");
                            assert!(right.windows(2).all(|p| p[0] > p[1]), "{palette:?} {vision} {light:?}");
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    #[test]
    fn a_palette_has_as_many_colours_as_asked_for_and_no_more_than_it_has() {
        assert_eq!(Palette::Blues.colours(5).unwrap().len(), 5);
        assert_eq!(Palette::BlueRose.colours(3).unwrap().len(), 9);
        assert!(Palette::Categories.colours(9).is_err() && Palette::Blues.colours(0).is_err());
    }
}
