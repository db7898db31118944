//! From which zoom each feature shows. A feature has a *level*: at level `j` a layer is thinned to about 2^j features, chosen so that
//! what is left is true to the picture, and what shows at one level shows at every finer one. A tile shows the finest level that its
//! budget of bytes holds.

/// The deepest zoom for which something is left out; what does not show there shows nowhere unless a filter asks for it.
pub const DEEPEST: u8 = 22;
/// Levels are 0 to 66; every feature of a tile shows at `ALL`.
pub const ALL: u8 = 255;
const LEVELS: usize = 67;
/// From here on nothing is left out for being small: a unit of a tile is half a metre.
pub const FULL_DETAIL: u8 = 14;

/// Points: one for each cell of the Hilbert curve that a level has, the one of the highest priority. A point's level is that of the
/// largest cell in which it is the first, so a finer level only adds. `keys` are sorted.
pub fn point_levels(keys: &[u64], priority: impl Fn(usize) -> (f64, u64)) -> Vec<u8> {
    let mut levels = vec![0u8; keys.len()];
    let shared = |a: usize, b: usize| (keys[a] ^ keys[b]).leading_zeros() as u8 + 1;
    // The nearest point of higher priority to either side shares the longest prefix with this one: a stack of falling priorities.
    let mut stack: Vec<usize> = vec![];
    for i in 0..keys.len() {
        while let Some(&top) = stack.last() {
            if priority(top) > priority(i) {
                break;
            }
            stack.pop();
            levels[top] = levels[top].max(shared(top, i));
        }
        if let Some(&top) = stack.last() {
            levels[i] = shared(top, i);
        }
        stack.push(i);
    }
    levels
}

/// Polygons: areas are laid end to end along the curve, and a level puts a mark at every 2^-j of the whole. A polygon shows where a
/// mark falls on it: one larger than the distance of marks always, of smaller ones as many as their area together is worth.
pub fn polygon_levels(areas: impl Iterator<Item = f64>, total: f64) -> Vec<u8> {
    let scale = if total > 0.0 { (1u64 << 62) as f64 / total } else { 0.0 };
    let mut start = 0u64;
    areas
        .map(|area| {
            let length = (area * scale) as u64;
            let end = start.saturating_add(length);
            let level = match (start, length) {
                (_, 0) => 63,
                (0, _) => 0,
                // The highest bit in which the ends differ is that of the coarsest mark between them.
                _ => 62u8.saturating_sub(63 - ((start - 1) ^ (end - 1)).leading_zeros() as u8),
            };
            start = end;
            level
        })
        .collect()
}

/// Lines: a stroke shows with a likelihood of its length over the level's distance; all its parts alike, so that it stays whole.
pub fn line_level(stroke: f64, total: f64) -> u8 {
    if stroke <= 0.0 {
        return 63;
    }
    // The parts of a stroke share its length to the last bit, and hardly two strokes do: it is their common name.
    let lot = (mix(stroke.to_bits()) >> 11) as f64 / (1u64 << 53) as f64;
    (total / stroke * lot.max(1e-9)).log2().ceil().clamp(0.0, 63.0) as u8
}

/// The level whose marks lie `measure` apart.
pub fn level_of(measure: f64, total: f64) -> u8 {
    (total / measure).log2().floor().clamp(0.0, 66.0) as u8
}

/// Spreads a number's bits (the finaliser of splitmix64).
pub fn mix(mut n: u64) -> u64 {
    n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// What a tile may show at a zoom.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes, estimated before compression.
    pub budget: u64,
    /// No finer level shows below [`FULL_DETAIL`]: its features are smaller than a tile can draw.
    pub cap: u8,
    /// No finer level shows once a quarter of the budget is used: its features fall on the same pixels.
    pub fine: u8,
}

/// A tile that shows another level than its zoom's cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Square {
    /// The zoom in the top byte, below it the tile's prefix of the Hilbert curve.
    pub tile: u64,
    pub level: u64,
}

pub fn square_key(zoom: u8, prefix: u64) -> u64 {
    u64::from(zoom) << 56 | prefix
}

/// The part of a key that a tile of a zoom shares.
pub fn prefix(key: u64, zoom: u8) -> u64 {
    key.checked_shr(64 - 2 * u32::from(zoom)).unwrap_or(0)
}

pub struct Plan {
    /// Per feature the zoom from which it shows; `DEEPEST + 1` for those that never do.
    pub zooms: Vec<u8>,
    /// The zoom from which nothing is left out.
    pub complete: Option<u8>,
    pub squares: Vec<Square>,
}

/// Chooses the level of every tile at every zoom. `cost` estimates a feature's bytes at a zoom; `stop` ends it early.
pub fn plan(
    keys: &[u64],
    levels: &[u8],
    limits: impl Fn(u8) -> Limits,
    cost: impl Fn(usize, u8) -> u32,
    stop: &mut dyn FnMut() -> bool,
) -> Option<Plan> {
    let mut tiles: Vec<Vec<(usize, u8)>> = vec![];
    let mut complete = None;
    for zoom in 0..=DEEPEST {
        if stop() {
            return None;
        }
        let limits = limits(zoom);
        let at_zoom = each_tile(keys, zoom, |range| tile_level(&levels[range.clone()], range, zoom, &limits, &cost));
        let whole = at_zoom.iter().all(|t| t.1 == ALL);
        tiles.push(at_zoom);
        if whole {
            complete = Some(zoom);
            break;
        }
    }
    let first = complete.unwrap_or(DEEPEST + 1);
    let mut zooms = vec![first; keys.len()];
    let mut squares = vec![];
    for zoom in (0..first).rev() {
        let mut start = 0;
        for &(end, level) in &tiles[usize::from(zoom)] {
            for i in start..end {
                // Only what shows at every deeper zoom may show here.
                if zooms[i] == zoom + 1 && levels[i] <= level {
                    zooms[i] = zoom;
                }
            }
            if level != limits(zoom).cap {
                squares.push(Square { tile: square_key(zoom, prefix(keys[start], zoom)), level: u64::from(level) });
            }
            start = end;
        }
    }
    squares.sort_unstable_by_key(|s| s.tile);
    Some(Plan { zooms, complete, squares })
}

/// The tiles of a zoom: where each one's features end, and what `level` says of them.
fn each_tile(keys: &[u64], zoom: u8, mut level: impl FnMut(std::ops::Range<usize>) -> u8) -> Vec<(usize, u8)> {
    let mut found = vec![];
    let mut start = 0;
    while start < keys.len() {
        let tile = prefix(keys[start], zoom);
        let end = start + keys[start..].partition_point(|&k| prefix(k, zoom) == tile);
        found.push((end, level(start..end)));
        start = end;
    }
    found
}

fn tile_level(
    levels: &[u8],
    range: std::ops::Range<usize>,
    zoom: u8,
    limits: &Limits,
    cost: impl Fn(usize, u8) -> u32,
) -> u8 {
    let mut bytes = [0u64; LEVELS];
    for (i, &level) in range.zip(levels) {
        bytes[usize::from(level)] += u64::from(cost(i, zoom));
    }
    let cap = if zoom < FULL_DETAIL { limits.cap } else { ALL };
    let total: u64 = bytes.iter().sum();
    let most = levels.iter().copied().max().unwrap_or(0);
    if total <= limits.budget / 4 || (total <= limits.budget && (most <= limits.fine || zoom >= FULL_DETAIL)) {
        return if most <= cap { ALL } else { cap };
    }
    let (mut sum, mut best) = (0, 0);
    for (level, &b) in (0u8..).zip(&bytes) {
        sum += b;
        let fits = sum <= limits.budget / 4 || (sum <= limits.budget && level <= limits.fine);
        if !fits || level > cap {
            break;
        }
        best = level;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_level_shows_one_point_for_each_cell(mut keys in prop::collection::vec(any::<u64>(), 1..300), level in 0u8..12) {
            keys.sort_unstable();
            let levels = point_levels(&keys, |i| (0.0, mix(i as u64)));
            let cells: std::collections::BTreeSet<u64> =
                keys.iter().map(|k| k.checked_shr(64 - u32::from(level)).unwrap_or(0)).collect();
            prop_assert_eq!(levels.iter().filter(|&&l| l <= level).count(), cells.len());
        }

        #[test]
        fn the_marks_on_polygons_are_worth_their_area(areas in prop::collection::vec(0.1f64..50.0, 50..400), level in 2u8..8) {
            let total: f64 = areas.iter().sum();
            let levels = polygon_levels(areas.iter().copied(), total);
            let mark = total / f64::from(1u32 << level);
            for (area, l) in areas.iter().zip(&levels) {
                prop_assert!(*area < mark * 1.000_001 || *l <= level);
            }
            // Small ones are drawn as large as a mark.
            let drawn: f64 = areas.iter().zip(&levels).filter(|(_, l)| **l <= level).map(|(a, _)| a.max(mark)).sum();
            let large = areas.iter().filter(|a| **a >= mark).count() as f64;
            prop_assert!((drawn - total).abs() <= mark * (2.0 + large), "{} of {}", drawn, total);
        }
    }

    #[test]
    fn what_shows_at_a_zoom_shows_at_every_deeper_one_within_the_budget() {
        let mut keys: Vec<u64> = (0..20_000u64).map(|i| mix(i) >> 8).collect();
        keys.sort_unstable();
        let levels = point_levels(&keys, |i| (0.0, mix(i as u64)));
        let limits = |zoom: u8| Limits { budget: 20_000, cap: ALL, fine: 2 * (zoom + 9) };
        let plan = plan(&keys, &levels, limits, |_, _| 20, &mut || false).unwrap();
        let complete = plan.complete.unwrap();
        assert!(complete > 2);
        for zoom in 0..=complete {
            for (start, end) in each_tile(&keys, zoom, |_| 0).windows(2).map(|w| (w[0].0, w[1].0)) {
                let shown = (start..end).filter(|&i| plan.zooms[i] <= zoom).count();
                assert!(shown * 20 <= 20_000 && shown > 0);
            }
        }
    }
}
