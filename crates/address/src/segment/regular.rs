//! Full addresses as registers write them, split quickly: divisions, community and neighbourhood, road, lane, door, and what is
//! inside. What is not written so is left to the parser, which takes ten times as long.

use crate::code;
use crate::element::{ELEMENTS, Element};
use crate::find::inner;
use crate::gazetteer::gazetteer;
use crate::text::{Kind, Text, Unit};

/// Splits addresses; keeps its memory between them.
#[derive(Default)]
pub struct Regular {
    t: Text,
    /// Where each character of the text begins, in bytes.
    bytes: Vec<usize>,
}

fn one(t: &Text, i: usize, set: &str) -> bool {
    t.units.get(i).is_some_and(|u| set.chars().any(|c| c as Unit == *u))
}

fn here(t: &Text, i: usize, w: &str) -> bool {
    w.chars().enumerate().all(|(k, c)| t.units.get(i + k) == Some(&(c as Unit)))
}

impl Regular {
    /// The elements of a regular address; None when it is not one.
    pub fn split<'a>(&mut self, full: &'a str) -> Option<[&'a str; ELEMENTS]> {
        self.t.read(full);
        self.bytes.clear();
        self.bytes.extend(full.char_indices().map(|c| c.0));
        self.bytes.push(full.len());
        let mut out = [""; ELEMENTS];
        let t = &self.t;
        let cut = |from: usize, to: usize| match (t.starts.get(from), to.checked_sub(1).and_then(|k| t.ends.get(k))) {
            (Some(from_char), Some(to_char)) if from < to => {
                &full[self.bytes[*from_char as usize]..self.bytes[*to_char as usize]]
            }
            _ => "",
        };
        let mut at = divisions(t, |e, from, to| out[e as usize] = cut(from, to));
        let number = number(t, at)?;
        at = community(t, at, number, |e, from, to| out[e as usize] = cut(from, to));
        if at >= number {
            return None;
        }
        out[Element::Road as usize] = cut(at, number);
        at = number;
        if let Some(lanes) = code::lanes(t, at) {
            out[Element::Lane as usize] = cut(at, lanes.end);
            at = lanes.end;
        }
        if at < t.len() {
            let door = code::door(t, at).filter(|d| d.explicit && !one(t, d.end, "楼栋幢"))?;
            out[Element::Roadno as usize] = cut(at, door.end);
            at = door.end;
        }
        inside(t, at, |e, from, to| out[e as usize] = cut(from, to))?;
        Some(out)
    }
}

/// Takes the divisions at the beginning, by their full names.
fn divisions<'a>(t: &Text, mut put: impl FnMut(Element, usize, usize)) -> usize {
    let g = gazetteer();
    let (mut at, mut last) = (0, None);
    while at < t.len() {
        let mut hit: Option<(usize, Element)> = None;
        g.visit(&t.folded()[t.starts[at] as usize..], |len, entries| {
            let level = entries
                .iter()
                .filter(|e| !e.short && !e.old)
                .filter_map(|e| g.level(e.id))
                .find(|l| last.is_none_or(|last| *l > last));
            if let Some(level) = level {
                hit = Some((len, level));
            }
        });
        let Some((len, level)) = hit else {
            // A district that the list of the country does not have, after a city that it has.
            let end = (at + 2..(at + 4).min(t.len())).find(|k| one(t, *k, "区市县镇乡"));
            if let Some(end) = end.filter(|_| last == Some(Element::City)) {
                put(Element::District, at, end + 1);
                at = end + 1;
            }
            break;
        };
        let end = t.starts[at] + len as u32;
        let Some(to) = (at..t.len()).find(|k| t.ends[*k] >= end).map(|k| k + 1) else { break };
        put(level, at, to);
        (at, last) = (to, Some(level));
    }
    at
}

/// Where the road's name ends: before the first number that a lane's or a door's word follows.
fn number(t: &Text, from: usize) -> Option<usize> {
    let mut at = from;
    while at < t.len() {
        if t.kinds[at].is_digit() {
            let read = code::lanes(t, at).is_some() || code::door(t, at).is_some_and(|d| d.explicit);
            if read {
                let marked = at > from && one(t, at - 1, "临附特");
                return Some(at - usize::from(marked));
            }
            at = code::digits(t, at).map_or(at + 1, |d| d.1);
        } else {
            at += 1;
        }
    }
    None
}

/// Takes 樟新里9鄰 and 某某社区, before the road.
fn community(t: &Text, from: usize, road_end: usize, mut put: impl FnMut(Element, usize, usize)) -> usize {
    let mut at = from;
    let neighbourhood = (from..road_end).find(|k| {
        t.kinds[*k].is_digit() && code::digits(t, *k).is_some_and(|(_, end)| one(t, end, "邻") && end < road_end)
    });
    if let Some(k) = neighbourhood {
        let end = code::digits(t, k).map_or(k, |d| d.1) + 1;
        put(Element::Community, from, k);
        put(Element::VillageGroup, k, end);
        return end;
    }
    for len in 3..=8.min(road_end.saturating_sub(from)) {
        let end = from + len;
        let whole =
            here(t, end - 2, "社区") || (len <= 4 && one(t, end - 1, "里") && len == 3) || one(t, end - 1, "村");
        // 三里河路, 村前街: the word belongs to a road.
        let a_road_follows =
            end < road_end && (end..road_end).any(|k| one(t, k, "路街道巷弄")) && !one(t, end, "路街道巷庄");
        if whole && (a_road_follows || end == road_end) && t.kinds[end - 1] == Kind::Han {
            if end == road_end {
                return at;
            }
            put(Element::Community, from, end);
            at = end;
            break;
        }
    }
    at
}

/// Takes what stands after the door; None when it is something else.
fn inside(t: &Text, from: usize, mut put: impl FnMut(Element, usize, usize)) -> Option<()> {
    let bracket = (from..t.len()).find(|k| one(t, *k, "(")).unwrap_or(t.len());
    if from >= bracket {
        return Some(());
    }
    // 九樓之2: the second number is the room.
    if let Some((_, end)) = code::digits(t, from)
        && one(t, end, "楼层")
    {
        put(Element::Floorno, from, end + 1);
        let rest = if one(t, end + 1, "之-") { end + 2 } else { end + 1 };
        if rest < bracket {
            put(Element::Roomno, rest, bracket);
        }
        return Some(());
    }
    let found = (from..bracket).find_map(|k| {
        let read = inner::read(t, k);
        (read.building.is_some() && read.end == bracket).then_some((k, read))
    });
    match found {
        None if t.kinds[from] == Kind::Han => put(Element::Poi, from, bracket),
        None => return None,
        Some((k, read)) => {
            put(Element::Compound, from, k);
            let mut at = k;
            for (element, end) in [
                (Element::Houseno, read.ends[0]),
                (Element::Cellno, read.ends[1]),
                (Element::Floorno, read.ends[2]),
                (Element::Roomno, read.ends[3]),
            ] {
                if end > at {
                    put(element, at, end);
                    at = end;
                }
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(&'static str, String)> {
        let mut r = Regular::default();
        let fields = r.split(text).unwrap_or([""; ELEMENTS]);
        Element::ALL
            .into_iter()
            .filter(|e| !fields[*e as usize].is_empty())
            .map(|e| (e.name(), fields[e as usize].to_owned()))
            .collect()
    }

    #[test]
    fn registers_write_so() {
        assert_eq!(
            of("臺北市北投區奇岩里3鄰三合街一段82巷30弄7號九樓之2"),
            [
                ("city", "臺北市"),
                ("district", "北投區"),
                ("community", "奇岩里"),
                ("village_group", "3鄰"),
                ("road", "三合街一段"),
                ("lane", "82巷30弄"),
                ("roadno", "7號"),
                ("floorno", "九樓"),
                ("roomno", "2"),
            ]
            .map(|(e, t)| (e, t.to_owned()))
        );
        let qingdao = of("山东省青岛市即墨区大信街道新兴路28号丽沙花都22号楼3单元1802室");
        assert_eq!(
            qingdao[4..].iter().map(|e| e.1.as_str()).collect::<Vec<_>>(),
            ["新兴路", "28号", "丽沙花都", "22号楼", "3单元", "1802室"]
        );
        assert_eq!(of("山东省青岛市城阳区惜福镇街道雨南村96号").last().unwrap().1, "96号");
        assert_eq!(of("上海市静安区延长路149号上海大学").last().unwrap(), &("poi", "上海大学".to_owned()));
        assert!(of("暂无固定住所").is_empty());
    }
}
