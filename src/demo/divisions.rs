//! The city's divisions: real names and codes, real district boundaries, generated streets and communities inside them.

use std::ops::Range;

use serde::Deserialize;

use super::area::{Area, Point, distance, rounded, twice_signed};
use super::index::Index;
use super::partition::{Seeds, on_grid, partition};
use super::rng::{Rng, mix};
use super::straighten::straighten;
use crate::error::{Error, Result};

const CITY: &str = include_str!("../../data/qingdao/city.geojson");
const DISTRICTS: &str = include_str!("../../data/qingdao/district.geojson");
const STREETS: &str = include_str!("../../data/qingdao/streets.csv");
const COMMUNITIES: &str = include_str!("../../data/qingdao/communities.csv");

/// Edges of a border longer than this (metres) get vertices before streets and before communities are cut.
const STREET_EDGE: f64 = 400.0;
const COMMUNITY_EDGE: f64 = 250.0;

/// A district's centre as it lies in the city, and how far its built-up area reaches (metres).
struct Hub {
    district: &'static str,
    at: Point,
    reach: f64,
    /// Built up from border to border.
    inner: bool,
}

const fn hub(district: &'static str, lon: f64, lat: f64, reach: f64, inner: bool) -> Hub {
    Hub { district, at: [lon, lat], reach, inner }
}

const HUBS: &[Hub] = &[
    hub("370202", 120.384, 36.066, 5000.0, true),
    hub("370203", 120.362, 36.090, 5000.0, true),
    hub("370211", 120.196, 35.962, 5000.0, false),
    hub("370212", 120.466, 36.096, 3500.0, false),
    hub("370213", 120.428, 36.159, 4500.0, true),
    hub("370214", 120.395, 36.306, 4500.0, false),
    hub("370215", 120.446, 36.389, 4200.0, false),
    hub("370281", 120.033, 36.265, 4200.0, false),
    hub("370283", 119.960, 36.786, 4000.0, false),
    hub("370285", 120.517, 36.888, 3600.0, false),
];

/// A part of a district that is an island, and the street it belongs to.
const ISLANDS: &[(&str, Point)] = &[("370211401", [120.168, 35.765])];

pub struct District {
    pub code: String,
    pub name: String,
    pub parts: Vec<Area>,
    pub hub: Point,
    pub reach: f64,
    pub inner: bool,
    pub streets: Range<usize>,
}

pub struct Street {
    pub code: String,
    pub name: String,
    pub district: usize,
    pub area: Area,
    pub centre: Point,
    /// A town (镇) rather than a street (街道).
    pub town: bool,
    pub communities: Range<usize>,
}

pub struct Community {
    pub code: String,
    pub name: String,
    /// The name as an address has it: without 居民委员会 and the like.
    pub short: String,
    pub street: usize,
    pub area: Area,
    pub centre: Point,
    pub square_metres: f64,
    pub population: i64,
    /// 1 at a district's centre, falling to 0 in the country.
    pub urban: f64,
}

pub struct Divisions {
    pub city_name: String,
    pub city_code: String,
    pub city: Vec<Area>,
    pub districts: Vec<District>,
    pub streets: Vec<Street>,
    pub communities: Vec<Community>,
    index: Index,
}

impl Divisions {
    pub fn new(seed: u64) -> Result<Divisions> {
        let mut cities = boundaries(CITY)?;
        if cities.len() != 1 {
            return Err(Error::internal("the demo data hold other than one city"));
        }
        let (city_code, city_name, city) = cities.remove(0);
        let mut out = Divisions {
            city_name,
            city_code,
            city: city.iter().map(to_degrees).collect(),
            districts: Vec::new(),
            streets: Vec::new(),
            communities: Vec::new(),
            index: Index::default(),
        };
        let (streets, communities) = (codes(STREETS), codes(COMMUNITIES));
        for (code, name, parts) in boundaries(DISTRICTS)? {
            out.add_district(code, name, &parts, &streets, &communities, seed)?;
        }
        straighten(&mut out.communities.iter_mut().map(|c| &mut c.area).collect::<Vec<_>>());
        straighten(&mut out.streets.iter_mut().map(|s| &mut s.area).collect::<Vec<_>>());
        out.index = Index::new(&out.communities.iter().map(|c| c.area.bounds()).collect::<Vec<_>>());
        Ok(out)
    }

    fn add_district(
        &mut self,
        code: String,
        name: String,
        parts: &[Area],
        streets: &[(&str, &str)],
        communities: &[(&str, &str)],
        seed: u64,
    ) -> Result<()> {
        let hub =
            HUBS.iter().find(|h| h.district == code).ok_or_else(|| Error::internal("a district has no centre"))?;
        let mut rng = Rng::new(mix(seed, code.parse().unwrap_or(0)));
        let own: Vec<(&str, &str)> = streets.iter().filter(|s| s.0.starts_with(&code)).copied().collect();
        let first = self.streets.len();
        for ((street, street_name), area) in own.iter().zip(cut_streets(parts, hub, &own, &mut rng)?) {
            let members: Vec<(&str, &str)> = communities.iter().filter(|c| c.0.starts_with(street)).copied().collect();
            let cut = partition(&area, COMMUNITY_EDGE, 14, Seeds::Spread(members.len()), &mut rng)?;
            let begin = self.communities.len();
            for ((code, name), part) in members.iter().zip(cut) {
                let area = to_degrees(&part.area);
                self.communities.push(community(
                    code,
                    name,
                    self.streets.len(),
                    area,
                    degrees(part.seed),
                    hub,
                    &mut rng,
                ));
            }
            let range = begin..self.communities.len();
            let town = street.as_bytes().get(6) == Some(&b'1');
            let land = to_degrees(&area);
            let centre = if land.contains(hub.at) { hub.at } else { middle(&self.communities[range.clone()]) };
            self.streets.push(Street {
                code: (*street).to_owned(),
                name: (*street_name).to_owned(),
                district: self.districts.len(),
                area: land,
                centre,
                town,
                communities: range,
            });
        }
        let (parts, streets) = (parts.iter().map(to_degrees).collect(), first..self.streets.len());
        let Hub { at: hub, reach, inner, .. } = *hub;
        self.districts.push(District { code, name, parts, hub, reach, inner, streets });
        Ok(())
    }

    /// The community that a point lies in; `hint` is tried first.
    pub fn locate(&self, p: Point, hint: usize) -> Option<usize> {
        if self.communities.get(hint).is_some_and(|c| c.area.contains(p)) {
            return Some(hint);
        }
        let near = self.index.near(p).iter().map(|&c| c as usize);
        near.filter(|&c| c != hint).find(|&c| self.communities[c].area.contains(p))
    }

    pub fn street_of(&self, community: usize) -> &Street {
        &self.streets[self.communities[community].street]
    }

    pub fn district_of(&self, community: usize) -> &District {
        &self.districts[self.street_of(community).district]
    }
}

/// The centre of the community that lies closest to the middle of all.
fn middle(communities: &[Community]) -> Point {
    let count = communities.len().max(1) as f64;
    let sum = communities.iter().fold([0.0, 0.0], |s, c| [s[0] + c.centre[0], s[1] + c.centre[1]]);
    let mean = [sum[0] / count, sum[1] / count];
    let nearest = communities.iter().min_by(|a, b| distance(a.centre, mean).total_cmp(&distance(b.centre, mean)));
    nearest.map_or(mean, |c| c.centre)
}

fn community(code: &str, name: &str, street: usize, area: Area, centre: Point, hub: &Hub, rng: &mut Rng) -> Community {
    let away = distance(centre, hub.at);
    let urban = if hub.inner { 0.45 + 0.55 * (-away / hub.reach).exp() } else { (-(away / hub.reach).powi(2)).exp() };
    let population = (rng.between(600.0, 3000.0) + urban * rng.between(3500.0, 15_000.0)) as i64;
    let square_metres = area.square_metres();
    let short = short_name(name).to_owned();
    Community { code: code.into(), name: name.into(), short, street, area, centre, square_metres, population, urban }
}

fn short_name(name: &str) -> &str {
    ["居民委员会", "村民委员会", "居委会", "村委会"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// One area per street: islands as they are, the main part cut by seeds that thin out with the distance from the centre.
fn cut_streets(parts: &[Area], hub: &Hub, streets: &[(&str, &str)], rng: &mut Rng) -> Result<Vec<Area>> {
    let gone = || Error::internal("a district has no land");
    let main = parts.iter().max_by(|a, b| a.flat_area().total_cmp(&b.flat_area())).ok_or_else(gone)?;
    let island = |code: &str| {
        let (_, at) = ISLANDS.iter().find(|i| i.0 == code)?;
        parts.iter().find(|p| p.contains([at[0] * 1e6, at[1] * 1e6]))
    };
    let places: Vec<usize> = (0..streets.len()).filter(|&i| island(streets[i].0).is_none()).collect();
    let seeds = seed_places(main, hub, &places, streets, rng)?;
    let mut cut = partition(main, STREET_EDGE, 200, Seeds::At(&seeds), rng)?.into_iter();
    let areas = streets.iter().map(|s| match island(s.0) {
        Some(area) => Ok(area.clone()),
        None => cut.next().map(|p| p.area).ok_or_else(gone),
    });
    areas.collect()
}

/// Streets (街道) near the district's centre, then zones and towns further out; even over the inner districts.
fn seed_places(
    area: &Area,
    hub: &Hub,
    places: &[usize],
    streets: &[(&str, &str)],
    rng: &mut Rng,
) -> Result<Vec<Point>> {
    let mut candidates: Vec<Point> = (0..600).filter_map(|_| area.random_point(rng)).collect();
    if candidates.is_empty() {
        return Err(Error::internal("a district is too thin for streets"));
    }
    let centre = hub.at;
    let away = |p: Point| distance(centre, degrees(p));
    candidates.sort_by(|a, b| away(*a).total_cmp(&away(*b)));
    let mut order = places.to_vec();
    order.sort_by_key(|&i| (streets[i].0.as_bytes().get(6) != Some(&b'0'), streets[i].0));
    let mut out = vec![[0.0; 2]; streets.len()];
    let mut chosen: Vec<Point> = Vec::new();
    for (rank, &place) in order.iter().enumerate() {
        let share = ((rank as f64 + 0.3) / order.len() as f64).powf(if hub.inner { 1.0 } else { 1.7 });
        let at = (share * candidates.len() as f64) as usize;
        let window = &candidates[at.saturating_sub(30)..(at + 30).min(candidates.len())];
        let gap = |p: &Point| chosen.iter().map(|&c| distance(degrees(c), degrees(*p))).fold(f64::MAX, f64::min);
        let best = window.iter().max_by(|a, b| gap(a).total_cmp(&gap(b))).copied().unwrap_or(candidates[0]);
        out[place] = best;
        chosen.push(best);
    }
    Ok(places.iter().map(|&i| out[i]).collect())
}

fn degrees(p: Point) -> Point {
    rounded([p[0] / 1e6, p[1] / 1e6])
}

/// To degrees with 7 decimals; vertices that fall together are dropped.
fn to_degrees(area: &Area) -> Area {
    let rings = area.rings.iter().map(|ring| {
        let mut out: Vec<Point> = ring.iter().map(|&p| degrees(p)).collect();
        out.dedup();
        out
    });
    Area { rings: rings.filter(|r| r.len() > 2).collect() }
}

/// `code,name` lines under a heading.
fn codes(text: &'static str) -> Vec<(&'static str, &'static str)> {
    text.lines().skip(1).filter_map(|line| line.split_once(',')).collect()
}

#[derive(Deserialize)]
struct Collection {
    features: Vec<Feature>,
}
#[derive(Deserialize)]
struct Feature {
    properties: Properties,
    geometry: MultiPolygon,
}
#[derive(Deserialize)]
struct Properties {
    code: String,
    name: String,
}
#[derive(Deserialize)]
struct MultiPolygon {
    coordinates: Vec<Vec<Vec<Point>>>,
}

/// Code, name and polygons of each feature, in millionths of a degree, shells counter-clockwise.
fn boundaries(text: &str) -> Result<Vec<(String, String, Vec<Area>)>> {
    let collection: Collection = serde_json::from_str(text)?;
    let read = |f: Feature| {
        let areas = f.geometry.coordinates.iter().map(|polygon| {
            let rings = polygon.iter().enumerate().map(|(i, ring)| turned(ring, i == 0));
            Area { rings: rings.collect() }
        });
        (f.properties.code, f.properties.name, areas.collect())
    };
    Ok(collection.features.into_iter().map(read).collect())
}

fn turned(ring: &[Point], shell: bool) -> Vec<Point> {
    let open = &ring[..ring.len().saturating_sub(1)];
    let mut out: Vec<Point> = open.iter().map(|p| [on_grid((p[0] * 1e6).round()), (p[1] * 1e6).round()]).collect();
    if (twice_signed(&out) > 0.0) != shell {
        out.reverse();
    }
    out
}

#[cfg(test)]
mod tests;
