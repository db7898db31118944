//! Room for labels: who comes first gets it.
//!
//! In a whole picture labels are asked in their order and stay where nothing is yet. Pictures that lie side by side have to agree on
//! what crosses their edge though each sees only its surroundings. So there each label remembers how far away something stands that
//! decided upon it; what would depend on something farther than is surely seen, does not show at all, in either picture.

use rustc_hash::FxHashMap;

use crate::draw::frame::{Area, Point};

const CELL: f32 = 64.0;
/// Boxes in cells at most: labels as large as the picture stand in all of its cells.
const MOST: usize = 4_000_000;

/// What has been decided, by cells.
pub struct Room {
    cells: FxHashMap<(i32, i32), Vec<u32>>,
    boxes: Vec<Taken>,
    /// How far a decision may reach; none: any way.
    reach: Option<f32>,
    /// The picture and its surroundings: beyond them nothing is asked.
    area: Area,
    left: usize,
}

struct Taken {
    area: Area,
    middle: Point,
    /// How far from here decisions reach that this one hangs on.
    reach: f32,
    shows: bool,
}

/// Whether there is room, and how far that hangs on others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    pub free: bool,
    pub reach: f32,
}

impl Room {
    pub fn new(reach: Option<f32>, area: Area) -> Room {
        Room { cells: FxHashMap::default(), boxes: vec![], reach, area, left: MOST }
    }

    fn cells(&self, of: &Area) -> impl Iterator<Item = (i32, i32)> + use<> {
        let cell = |p: Point| [0, 1].map(|i| (p[i].clamp(self.area.min[i], self.area.max[i]) / CELL).floor() as i32);
        let (low, high) = (cell(of.min), cell(of.max));
        (low[1]..=high[1]).flat_map(move |y| (low[0]..=high[0]).map(move |x| (x, y)))
    }

    /// Whether nothing stands where these boxes of a label around `middle` would.
    pub fn ask(&self, boxes: &[Area], middle: Point) -> Verdict {
        if self.left == 0 {
            return Verdict { free: false, reach: 0.0 };
        }
        let mut verdict = Verdict { free: true, reach: 0.0 };
        let mut nearest_block = f32::INFINITY;
        for area in boxes {
            for cell in self.cells(area) {
                for &at in self.cells.get(&cell).map_or(&[][..], Vec::as_slice) {
                    let taken = &self.boxes[at as usize];
                    if !taken.area.meets(area) {
                        continue;
                    }
                    if self.reach.is_none() {
                        return Verdict { free: false, reach: 0.0 };
                    }
                    let way = (taken.middle[0] - middle[0]).hypot(taken.middle[1] - middle[1]) + taken.reach;
                    match taken.shows {
                        true => nearest_block = nearest_block.min(way),
                        false => verdict.reach = verdict.reach.max(way),
                    }
                }
            }
        }
        match nearest_block.is_finite() {
            true => Verdict { free: false, reach: nearest_block },
            false => verdict,
        }
    }

    /// Whether a verdict hangs on what may not be seen from the next picture.
    pub fn is_far(&self, verdict: Verdict) -> bool {
        self.reach.is_some_and(|reach| verdict.reach > reach)
    }

    /// Puts down what was decided on a label. What does not show matters only where decisions have to be told apart.
    pub fn put(&mut self, boxes: &[Area], middle: Point, shows: bool, reach: f32) {
        if !shows && self.reach.is_none() {
            return;
        }
        for area in boxes {
            let at = self.boxes.len() as u32;
            self.boxes.push(Taken { area: *area, middle, reach, shows });
            for cell in self.cells(area) {
                if self.left == 0 {
                    return;
                }
                self.left -= 1;
                self.cells.entry(cell).or_default().push(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area { min: [-100.0; 2], max: [500.0; 2] };

    fn square(x: f32, y: f32) -> [Area; 1] {
        [Area { min: [x, y], max: [x + 10.0, y + 10.0] }]
    }

    #[test]
    fn first_come_first_served() {
        let mut room = Room::new(None, AREA);
        assert!(room.ask(&square(0.0, 0.0), [5.0, 5.0]).free);
        room.put(&square(0.0, 0.0), [5.0, 5.0], true, 0.0);
        assert!(!room.ask(&square(9.0, 9.0), [14.0, 14.0]).free);
        // Touching is no overlap.
        assert!(room.ask(&square(10.0, 0.0), [15.0, 5.0]).free);
    }

    #[test]
    fn a_decision_tells_how_far_it_hangs_on_others() {
        let mut room = Room::new(Some(12.0), AREA);
        room.put(&square(0.0, 0.0), [5.0, 5.0], true, 0.0);
        // Hidden by the first, eight pixels away.
        let hidden = room.ask(&square(8.0, 0.0), [13.0, 5.0]);
        assert_eq!(hidden, Verdict { free: false, reach: 8.0 });
        room.put(&square(8.0, 0.0), [13.0, 5.0], false, hidden.reach);
        // Free because that one is hidden: hangs on it and on what hid it.
        let free = room.ask(&square(14.0, 0.0), [19.0, 5.0]);
        assert_eq!(free, Verdict { free: true, reach: 14.0 });
        assert!(room.is_far(free) && !room.is_far(hidden));
    }
}
