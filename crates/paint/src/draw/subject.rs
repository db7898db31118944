//! A tile's feature as expressions see it.

use std::borrow::Cow;

use super::frame::Frame;
use crate::expr::{self, Geometry, Object, Value};
use crate::mvt::{Feature, Kind};

pub struct Subject<'a> {
    pub feature: &'a Feature<'a>,
    pub frame: &'a Frame<'a>,
}

impl expr::Subject for Subject<'_> {
    fn property(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.feature.property(name).map(Cow::Borrowed)
    }

    fn properties(&self) -> Object {
        self.feature.properties().map(|(key, value)| (key.into(), value.clone())).collect()
    }

    fn id(&self) -> Value {
        self.feature.id.map_or(Value::Null, |id| Value::Number(id as f64))
    }

    fn geometry_type(&self) -> Option<&'static str> {
        Some(match self.feature.kind {
            Kind::Point => "Point",
            Kind::Line => "LineString",
            Kind::Polygon => "Polygon",
        })
    }

    fn geometry(&self) -> Option<Geometry> {
        let parts = self.feature.parts().ok()?;
        Some(self.frame.geometry(&parts, self.feature.layer.extent, self.feature.kind))
    }
}
