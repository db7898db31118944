//! Colours for layers that nobody has styled: stable for an id, and well apart from each other.

/// Hues and lightnesses are taken in OKLCH, where equal steps look equally far apart.
const HUES: usize = 16;
/// Dark enough to stand out on a light map, light enough to be told apart from its labels.
const LIGHTNESS: [f64; 2] = [0.56, 0.70];
const CHROMA: f64 = 0.14;
pub const COLOURS: usize = HUES * LIGHTNESS.len();

/// A layer's own colour, `#rrggbb`: the same on every node and after every restart.
pub fn colour(layer_id: &str) -> String {
    hex(place(layer_id))
}

/// Colours for layers that are shown together: each its own, unless one before it has taken that; up to
/// [`COLOURS`] layers no two are the same.
pub fn distinct<'a>(layer_ids: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut used = [0usize; COLOURS];
    layer_ids
        .into_iter()
        .map(|id| {
            let own = place(id);
            // A stride without common factor visits every colour, and lands far from the one that was taken.
            let choice = (0..COLOURS).map(|step| (own + step * 13) % COLOURS).min_by_key(|at| used[*at]).unwrap_or(own);
            used[choice] += 1;
            hex(choice)
        })
        .collect()
}

/// FNV-1a: fixed for good, where the standard hasher may change with the compiler.
fn place(id: &str) -> usize {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    ((hash ^ (hash >> 32)) % COLOURS as u64) as usize
}

fn hex(place: usize) -> String {
    let lightness = LIGHTNESS[place / HUES % LIGHTNESS.len()];
    // The lighter ring is turned by half a step, so that no two differ in lightness alone.
    let turn = (place % HUES) as f64 + 0.5 * (place / HUES) as f64;
    let [r, g, b] = srgb(lightness, CHROMA, turn / HUES as f64 * std::f64::consts::TAU);
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// OKLCH to sRGB; what lies outside is cut to the nearest channel value.
fn srgb(lightness: f64, chroma: f64, hue: f64) -> [u8; 3] {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let long = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let medium = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let short = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    let linear = [
        4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701 * short,
    ];
    linear.map(|c| {
        let c = c.clamp(0.0, 1.0);
        let encoded = if c <= 0.003_130_8 { 12.92 * c } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 };
        (encoded * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn rgb(hex: &str) -> [i32; 3] {
        [1, 3, 5].map(|at| i32::from_str_radix(&hex[at..at + 2], 16).unwrap())
    }

    #[test]
    fn known_colours_come_out_right() {
        // Red and blue of sRGB in OKLCH, from the colour space's definition.
        assert_eq!(srgb(0.627_955, 0.257_683, 29.233_9_f64.to_radians()), [255, 0, 0]);
        assert_eq!(srgb(0.452_014, 0.313_214, 264.052_f64.to_radians()), [0, 0, 255]);
        assert_eq!(srgb(1.0, 0.0, 0.0), [255, 255, 255]);
    }

    #[test]
    fn all_colours_are_well_apart() {
        let all: Vec<String> = (0..COLOURS).map(hex).collect();
        for (i, a) in all.iter().enumerate() {
            for b in &all[..i] {
                let apart: i32 = rgb(a).iter().zip(rgb(b)).map(|(x, y)| (x - y).pow(2)).sum();
                assert!(apart > 17 * 17, "{a} and {b} look alike");
            }
        }
    }

    #[test]
    fn a_colour_stays() {
        // Written down: a change here recolours every map that is in use.
        assert_eq!(colour("civil-affairs-communities"), "#a75091");
    }

    #[test]
    fn layers_shown_together_differ() {
        let ids: Vec<String> = (0..COLOURS).map(|n| format!("health-layer-{n}")).collect();
        let together = distinct(ids.iter().map(String::as_str));
        assert_eq!(together.iter().collect::<HashSet<_>>().len(), COLOURS);
        assert_eq!(together[0], colour(&ids[0]), "the first keeps its own colour");
        // More layers than colours still get one each, used evenly.
        let many: Vec<String> = (0..2 * COLOURS).map(|n| format!("layer-{n}")).collect();
        let colours = distinct(many.iter().map(String::as_str));
        for c in &colours {
            assert_eq!(colours.iter().filter(|d| *d == c).count(), 2);
        }
    }
}
