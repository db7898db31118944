//! How far layers reach, as far as that may be told.

use crate::geo::crs::{Crs, STORAGE_SRID};
use crate::http::ask::Ask;
use crate::tile::render::Drawn;

const WORLD: [f64; 4] = [-180.0, -90.0, 180.0, 90.0];

/// The box of a layer in degrees: not to whom a part of it is granted.
pub fn told(drawn: &Drawn) -> Option<[f64; 4]> {
    drawn.layer.state().bbox.filter(|_| drawn.grant.scope().is_all()).map(opened)
}

/// A box that holds all of them. Of layers whose extent is not told it says no more than the deployment's area.
pub fn of_all(ask: &Ask, layers: &[Drawn]) -> [f64; 4] {
    let around = |a: [f64; 4], b: [f64; 4]| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])];
    let known = layers.iter().filter_map(told).reduce(around);
    let area = ask.app.config.area;
    match (known, layers.iter().all(|drawn| told(drawn).is_some())) {
        (Some(known), true) => known,
        (Some(known), false) => area.map_or(WORLD, |area| around(known, area)),
        (None, _) => area.unwrap_or(WORLD),
    }
}

/// The systems that maps are offered in: with the zones of what is shown, or else of the deployment's area.
pub fn offered(ask: &Ask, whole: [f64; 4]) -> Vec<Crs> {
    let zones = |[west, _, east, _]: [f64; 4]| Crs::gauss_kruger(west, east);
    let mut found = zones(whole);
    if found.is_empty() {
        found = ask.app.config.area.map(zones).unwrap_or_default();
    }
    Crs::offered(STORAGE_SRID).into_iter().chain(found).collect()
}

/// A box with an inside: clients divide by its sides.
fn opened([west, south, east, north]: [f64; 4]) -> [f64; 4] {
    const LEAST: f64 = 1e-6;
    let wider = |low: f64, high: f64| if high - low < LEAST { (low - LEAST, high + LEAST) } else { (low, high) };
    let ((west, east), (south, north)) = (wider(west, east), wider(south, north));
    [west, south, east, north]
}
