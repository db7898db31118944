//! From the tiles' Web Mercator to a picture's pixels.

use onemap_paint::{Projection, Window};

use super::view::View;
use crate::geo::plane::Plane;
use crate::geo::tms::degrees;

/// What lies outside of a plane is nowhere on a picture.
const NOWHERE: [f64; 2] = [f64::NAN; 2];

pub enum Projected {
    /// A picture in Web Mercator itself.
    Straight(Window),
    /// Through degrees.
    Bent(View),
}

impl Projected {
    pub fn of(view: View) -> Projected {
        match view.plane {
            Plane::Mercator => {
                Projected::Straight(Window { bounds: view.bbox, width: view.width, height: view.height })
            }
            _ => Projected::Bent(view),
        }
    }
}

impl Projection for Projected {
    fn pixel(&self, x: f64, y: f64) -> [f64; 2] {
        match self {
            Projected::Straight(window) => window.pixel(x, y),
            Projected::Bent(view) => {
                let (longitude, latitude) = degrees(x, y);
                view.pixel(longitude, latitude).map_or(NOWHERE, |(x, y)| [x, y])
            }
        }
    }
}
