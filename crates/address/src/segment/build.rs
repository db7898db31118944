//! Making a segment: rows come in any order, texts are kept once, everything is sorted, tables are made over the names.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::file::Sections;
use super::junctions::Lines;
use super::pool::{Names, Parts};
use super::regular::Regular;
use super::row::{Area, DEGREE, Group, PART_KINDS, PartKind, Row, Span, Zone};
use super::{Error, Segment, forms::role, tables};
use crate::code::{self, Inner};
use crate::element::Element;
use crate::parse::Parser;
use crate::record::{Address, Validity};

/// The most rows of one source.
const MOST_ROWS: usize = 1 << 30;

/// Takes rows in any order and makes a [`Segment`].
#[derive(Default)]
pub struct Builder {
    names: Names,
    parts: [Parts; PART_KINDS],
    areas: FxHashMap<Area, u32>,
    zones: FxHashMap<(u32, u32, u32), u32>,
    rows: Vec<Row>,
    keys: Vec<u8>,
    /// Where each row's key ends, by the row's place in the order of coming.
    key_ends: Vec<u32>,
    left_out: u64,
    lines: Lines,
    /// Of the rows so far, in the order of coming; rows after the last one hold always.
    validity: Vec<Validity>,
    splitter: (Regular, Parser),
}

/// Fills in from the full address what the elements do not say. Elements of the road and the building that the source gives are
/// believed: then only its divisions may be missing.
fn spread<'a>((regular, parser): &mut (Regular, Parser), a: &Address<'a>) -> Address<'a> {
    let told = [Element::Road, Element::Lane, Element::Roadno, Element::Compound, Element::Houseno, Element::Roomno];
    if a.full.is_empty() || told.iter().any(|e| !a.get(*e).is_empty()) {
        return *a;
    }
    let poi = a.get(Element::Poi).trim();
    // The name at the end of the full address is known already.
    let full = a.full.trim();
    let full = if poi.is_empty() { full } else { full.strip_suffix(poi).unwrap_or(full) };
    let mut out = *a;
    for (given, found) in out.elements.iter_mut().zip(regular.split(full).unwrap_or_else(|| parser.fields(full))) {
        if given.is_empty() {
            *given = found;
        }
    }
    out
}

fn spread_all<'a>(addresses: &[Address<'a>]) -> Vec<Address<'a>> {
    let mut splitter = (Regular::default(), Parser::default());
    addresses.iter().map(|a| spread(&mut splitter, a)).collect()
}

impl Builder {
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Takes a row. Rows without any usable element are counted and left out.
    pub fn push(&mut self, address: &Address<'_>) -> Result<(), Error> {
        let spread = spread(&mut self.splitter, address);
        self.take(&spread)
    }

    /// Takes the row of a line, a road's. Where lines of two roads have a vertex in common, these roads meet.
    pub fn push_line(
        &mut self,
        address: &Address<'_>,
        vertices: impl Iterator<Item = (f64, f64)>,
    ) -> Result<(), Error> {
        let before = self.rows.len();
        self.push(address)?;
        if self.rows.len() > before && self.rows[before].street != 0 {
            self.lines.add(before as u32, vertices);
        }
        Ok(())
    }

    /// The same for many rows at once: full addresses are parsed on as many threads as there are cores.
    pub fn push_all(&mut self, addresses: &[Address<'_>]) -> Result<(), Error> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let share = addresses.len().div_ceil(threads).max(256);
        let parts: Vec<Vec<Address<'_>>> = std::thread::scope(|scope| {
            let running: Vec<_> = addresses.chunks(share).map(|part| scope.spawn(move || spread_all(part))).collect();
            running.into_iter().map(|r| r.join().unwrap_or_default()).collect()
        });
        parts.iter().flatten().try_for_each(|a| self.take(a))
    }

    fn take(&mut self, address: &Address<'_>) -> Result<(), Error> {
        if self.rows.len() >= MOST_ROWS {
            return Err(Error::TooLarge);
        }
        if !(address.lon.abs() <= 180.0 && address.lat.abs() <= 90.0) {
            self.left_out += 1;
            return Ok(());
        }
        let row = self.row(address)?;
        if row.street | row.compound | row.poi == 0 && self.zone_is_empty(row.zone) {
            self.left_out += 1;
            return Ok(());
        }
        self.rows.push(row);
        if address.valid != Validity::ALWAYS {
            self.validity.resize(self.rows.len() - 1, Validity::ALWAYS);
            self.validity.push(address.valid);
        }
        self.keys.extend_from_slice(address.key.as_bytes());
        self.key_ends.push(u32::try_from(self.keys.len()).map_err(|_| Error::TooLarge)?);
        Ok(())
    }

    fn zone_is_empty(&self, zone: u32) -> bool {
        zone == self.zones.get(&(0, 0, 0)).copied().unwrap_or(u32::MAX)
    }

    fn row(&mut self, a: &Address<'_>) -> Result<Row, Error> {
        let e = |element| a.get(element).trim();
        let zone = self.zone(a)?;
        let n = &mut self.names;
        let poi = n.id(e(Element::Poi), role::POI)?;
        let compound = n.id(e(Element::Compound), role::COMPOUND)?;
        let door = self.parts[PartKind::Door as usize].id(e(Element::Roadno), code::door_code);
        let mut street = n.id(e(Element::Road), role::STREET)?;
        if street == 0 && door != 0 {
            street = n.id(e(Element::Community), role::STREET)?;
        }
        if street == 0 && door != 0 {
            street = n.id(e(Element::Compound), role::STREET)?;
        }
        if !a.alias.is_empty() {
            let named = [poi, compound, street].into_iter().find(|id| *id != 0).unwrap_or(0);
            for alias in a.alias.split([';', '；', '|']) {
                n.alias(named, alias);
            }
        }
        let inner = |parts: &mut [Parts; PART_KINDS], kind: PartKind, which: Inner, raw: &str| {
            parts[kind as usize].id(raw, |raw| code::inner_code(which, raw))
        };
        Ok(Row {
            id: u32::try_from(a.id).map_err(|_| Error::TooLarge)?,
            lon: (a.lon * DEGREE).round() as i32,
            lat: (a.lat * DEGREE).round() as i32,
            zone,
            street,
            lane: self.parts[PartKind::Lane as usize].id(e(Element::Lane), code::lane_code),
            door,
            compound,
            building: inner(&mut self.parts, PartKind::Building, Inner::Building, e(Element::Houseno)),
            unit: inner(&mut self.parts, PartKind::Unit, Inner::Unit, e(Element::Cellno)),
            floor: inner(&mut self.parts, PartKind::Floor, Inner::Floor, e(Element::Floorno)),
            room: inner(&mut self.parts, PartKind::Room, Inner::Room, e(Element::Roomno)),
            poi,
        })
    }

    fn zone(&mut self, a: &Address<'_>) -> Result<u32, Error> {
        let e = |element| a.get(element).trim();
        let n = &mut self.names;
        let area = Area {
            province: n.id(e(Element::Province), role::PROVINCE)?,
            city: n.id(e(Element::City), role::CITY)?,
            district: n.id(e(Element::District), role::DISTRICT)?,
        };
        let next = self.areas.len() as u32;
        let area = *self.areas.entry(area).or_insert(next);
        let town = n.id(e(Element::Town), role::TOWN)?;
        let community = n.id(e(Element::Community), role::COMMUNITY)?;
        let next = self.zones.len() as u32;
        Ok(*self.zones.entry((area, town, community)).or_insert(next))
    }

    /// How many rows were taken so far.
    pub fn rows(&self) -> u64 {
        self.rows.len() as u64
    }
    /// How many had nothing to be found by, or no place.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Writes the index beside `path` and puts it in its place in one step (rename, after fsync). `stamp` is the caller's: it says
    /// which state of the source this is, and comes back by [`Segment::stamp`].
    pub fn write(self, path: &Path, stamp: u64) -> Result<(), Error> {
        self.sections()?.write(path, stamp)
    }

    /// The same in memory, for edits.
    pub fn finish(self) -> Result<Segment, Error> {
        Segment::of(self.sections()?.in_memory(0)?)
    }

    fn sections(mut self) -> Result<Sections, Error> {
        let name_ids = self.names.sort();
        let part_ids: [Vec<u32>; PART_KINDS] = std::array::from_fn(|k| self.parts[k].sort());
        let (areas, mut zones, zone_ids) = self.divisions(&name_ids);
        for row in &mut self.rows {
            renumber(row, &name_ids, &part_ids, &zone_ids);
        }
        let order = sorted(&mut self.rows, &zones);
        settle(&self.rows, &mut zones);
        let junctions = self.lines.junctions(&order, &self.rows);
        let validity = self.validity(&order);
        let mut s = Sections::default();
        let (groups, group_first) = groups(&self.rows, &zones, self.names.list.len());
        let (spans, span_first) = named(&self.rows, self.names.list.len());
        tables::cells(&self.rows, &mut s);
        s.add(std::mem::take(&mut self.rows));
        s.add(areas);
        s.add(zones);
        s.add(groups);
        s.add(group_first);
        s.add(spans);
        s.add(span_first);
        tables::keys(&order, &self.key_ends, &self.keys, &mut s);
        for parts in &self.parts {
            tables::parts(&parts.list, &mut s);
        }
        tables::names(&self.names.list, &mut s)?;
        s.add(junctions);
        s.add(validity);
        Ok(s)
    }

    /// In the order of the rows; nothing when all hold always.
    fn validity(&self, order: &[u32]) -> Vec<Validity> {
        let of = |k: &u32| self.validity.get(*k as usize).copied().unwrap_or(Validity::ALWAYS);
        if self.validity.is_empty() { Vec::new() } else { order.iter().map(of).collect() }
    }

    /// Areas and zones in the order of their names, and the new number of each old zone.
    fn divisions(&self, name_ids: &[u32]) -> (Vec<Area>, Vec<Zone>, Vec<u32>) {
        let n = |id: u32| name_ids[id as usize];
        let mut areas: Vec<(Area, u32)> = self
            .areas
            .iter()
            .map(|(a, old)| (Area { province: n(a.province), city: n(a.city), district: n(a.district) }, *old))
            .collect();
        areas.sort_unstable();
        let mut area_ids = vec![0; areas.len()];
        areas.iter().enumerate().for_each(|(new, (_, old))| area_ids[*old as usize] = new as u32);
        let mut zones: Vec<(Zone, u32)> = self
            .zones
            .iter()
            .map(|((area, town, community), old)| {
                let area = area_ids[*area as usize];
                (Zone { area, town: n(*town), community: n(*community), ..Zone::default() }, *old)
            })
            .collect();
        zones.sort_unstable();
        let mut zone_ids = vec![0; zones.len()];
        zones.iter().enumerate().for_each(|(new, (_, old))| zone_ids[*old as usize] = new as u32);
        (areas.into_iter().map(|a| a.0).collect(), zones.into_iter().map(|z| z.0).collect(), zone_ids)
    }
}

fn renumber(row: &mut Row, names: &[u32], parts: &[Vec<u32>; PART_KINDS], zones: &[u32]) {
    let name = |id: &mut u32| *id = names[*id as usize];
    name(&mut row.street);
    name(&mut row.compound);
    name(&mut row.poi);
    row.zone = zones[row.zone as usize];
    let part = |id: &mut u32, kind: PartKind| *id = parts[kind as usize][*id as usize];
    part(&mut row.lane, PartKind::Lane);
    part(&mut row.door, PartKind::Door);
    part(&mut row.building, PartKind::Building);
    part(&mut row.unit, PartKind::Unit);
    part(&mut row.floor, PartKind::Floor);
    part(&mut row.room, PartKind::Room);
}

/// Sorts the rows; gives for each the place at which it came.
fn sorted(rows: &mut Vec<Row>, zones: &[Zone]) -> Vec<u32> {
    let key = |r: &Row| {
        let area = zones[r.zone as usize].area;
        ((r.street, area, r.lane, r.door), (r.compound, r.building, r.unit, r.floor, r.room, r.poi, r.id))
    };
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_unstable_by_key(|k| key(&rows[*k as usize]));
    *rows = order.iter().map(|k| rows[*k as usize]).collect();
    order
}

/// Where the rows of each zone lie in the middle, and which row is the zone's own.
fn settle(rows: &[Row], zones: &mut [Zone]) {
    let mut sums = vec![(0i64, 0i64); zones.len()];
    for (k, r) in rows.iter().enumerate() {
        let (z, sum) = (&mut zones[r.zone as usize], &mut sums[r.zone as usize]);
        sum.0 += i64::from(r.lon);
        sum.1 += i64::from(r.lat);
        z.rows += 1;
        if r.street | r.compound | r.poi == 0 && z.own == 0 {
            z.own = k as u32 + 1;
        }
    }
    for (z, (lon, lat)) in zones.iter_mut().zip(sums).filter(|(z, _)| z.rows > 0) {
        (z.lon, z.lat) = ((lon / i64::from(z.rows)) as i32, (lat / i64::from(z.rows)) as i32);
        if let Some(own) = z.own.checked_sub(1) {
            (z.lon, z.lat) = (rows[own as usize].lon, rows[own as usize].lat);
        }
    }
}

/// The rows of each street in each area; the second array says where a name's groups begin.
fn groups(rows: &[Row], zones: &[Zone], names: usize) -> (Vec<Group>, Vec<u32>) {
    let mut groups = Vec::new();
    let mut first = vec![0u32; names + 2];
    let area = |r: &Row| zones[r.zone as usize].area;
    let mut from = 0;
    for run in rows.chunk_by(|a, b| a.street == b.street && area(a) == area(b)) {
        if run[0].street != 0 {
            groups.push(Group { area: area(&run[0]), from, to: from + run.len() as u32 });
            first[run[0].street as usize + 1] += 1;
        }
        from += run.len() as u32;
    }
    (1..first.len()).for_each(|k| first[k] += first[k - 1]);
    (groups, first)
}

/// The rows that a compound or a point of interest names, as spans; the second array says where a name's spans begin.
fn named(rows: &[Row], names: usize) -> (Vec<Span>, Vec<u32>) {
    let mut spans: Vec<(u32, Span)> = Vec::new();
    let mut run = |of: fn(&Row) -> u32| {
        let mut from = 0;
        for run in rows.chunk_by(|a, b| {
            of(a) == of(b) && a.door == b.door && a.lane == b.lane && a.street == b.street && a.zone == b.zone
        }) {
            let to = from + run.len() as u32;
            if of(&run[0]) != 0 {
                spans.push((of(&run[0]), Span { from, to }));
            }
            from = to;
        }
    };
    run(|r| r.compound);
    run(|r| r.poi);
    spans.sort_unstable_by_key(|(name, s)| (*name, s.from, s.to));
    spans.dedup();
    let mut first = vec![0u32; names + 2];
    spans.iter().for_each(|(name, _)| first[*name as usize + 1] += 1);
    (1..first.len()).for_each(|k| first[k] += first[k - 1]);
    (spans.into_iter().map(|s| s.1).collect(), first)
}
