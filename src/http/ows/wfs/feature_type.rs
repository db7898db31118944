//! A layer as a feature type: its elements' names and types, as far as a grant shows them.

use std::borrow::Cow;
use std::sync::Arc;

use onemap_cql2::Kind;
use onemap_fes::{Property, Reference};

use super::srs::Srs;
use crate::access::rights::Right;
use crate::access::trace;
use crate::error::Said;
use crate::geo::crs::Crs;
use crate::http::ask::Ask;
use crate::http::ogc::common::readable;
use crate::http::ows::exception::Fault;
use crate::http::ows::names::{self, decode, encode};
use crate::layer::model::{Field, FieldType};
use crate::layer::select;
use crate::tile::render::Drawn;

pub struct FeatureType {
    pub drawn: Drawn,
    /// What the grant shows, in the layer's order.
    pub fields: Arc<[Field]>,
    /// The element that holds the geometry.
    pub geometry: Option<&'static str>,
    /// The reference systems that its coordinates are offered in.
    pub offered: Vec<Crs>,
}

impl FeatureType {
    fn new(ask: &Ask, drawn: Drawn) -> FeatureType {
        let state = drawn.layer.state();
        let fields: Arc<[Field]> = select::visible_fields(state, drawn.grant.scope()).into_iter().cloned().collect();
        let geometry = state.source.geometry.is_some().then(|| names::geometry(state));
        let offered = ask.offered(&drawn.layer, &drawn.grant);
        FeatureType { drawn, fields, geometry, offered }
    }

    /// The type by its local name. What one may not know of is as unknown as what does not exist.
    pub fn of(ask: &Ask, name: &str, right: Option<Right>) -> Result<FeatureType, Fault> {
        let id = decode(name);
        let drawn = right.map_or_else(|| ask.describe(&id), |right| ask.read_for(&id, right));
        let drawn = drawn.map_err(|error| Fault::from(error).at("typenames"))?;
        if drawn.layer.state().archive.is_some() {
            let said = Said::new(
                format!("图层 {} 是瓦片归档，没有要素", drawn.layer.id),
                format!("the layer {} is a tile archive: it has no features", drawn.layer.id),
            );
            return Err(Fault::invalid("typenames", said));
        }
        Ok(FeatureType::new(ask, drawn))
    }

    /// The types that the caller may read, for a document that names them: it is what is looked at, not each of them.
    pub fn all(ask: &Ask, document: &str) -> Vec<FeatureType> {
        trace::other(&ask.principal, "metadata", document);
        let layers = readable(ask, Some(Right::Query)).into_iter().filter(|(layer, _)| layer.state().archive.is_none());
        layers.map(|(layer, grant)| FeatureType::new(ask, Drawn { layer, grant })).collect()
    }

    pub fn id(&self) -> &str {
        &self.drawn.layer.id
    }

    /// The element's local name.
    pub fn element(&self) -> Cow<'_, str> {
        encode(&self.drawn.layer.id)
    }

    pub fn field(&self, element: &str) -> Option<&Field> {
        let name = decode(element);
        self.fields.iter().find(|field| field.name == *name)
    }

    pub fn is_geometry(&self, element: &str) -> bool {
        self.geometry == Some(element)
    }

    /// The property that does not exist, said with those that do.
    pub fn no_property(&self, parameter: &str, name: &str) -> Fault {
        let shown: String = name.chars().take(60).collect();
        let said = Said::new(
            format!("图层 {} 没有属性 {shown}", self.id()),
            format!("the type {} has no property {shown}", self.id()),
        );
        Fault::invalid(parameter, said).hint("属性见 DescribeFeatureType", "DescribeFeatureType lists the properties")
    }

    pub fn srs(&self, name: Option<&str>, parameter: &str) -> Result<Srs, Fault> {
        let Some(name) = name.filter(|name| !name.trim().is_empty()) else { return Ok(Srs::default_of()) };
        let known = |srs: &Srs| self.offered.iter().any(|crs| crs.srid == srs.crs.srid);
        Srs::parse(name).filter(known).ok_or_else(|| {
            let shown: String = name.chars().take(80).collect();
            let said =
                Said::new(format!("不支持坐标参考系 {shown}"), format!("the CRS {shown} is not offered for this type"));
            Fault::invalid(parameter, said)
                .hint("可用的坐标参考系见 GetCapabilities", "GetCapabilities lists those that are")
        })
    }
}

pub fn kind(field: &Field) -> Kind {
    match field.kind {
        FieldType::Text => Kind::Text,
        FieldType::Integer => Kind::Integer,
        FieldType::Float => Kind::Float,
        FieldType::Boolean => Kind::Boolean,
        FieldType::Date => Kind::Date,
        FieldType::Timestamp => Kind::Timestamp,
    }
}

impl onemap_fes::FeatureType for FeatureType {
    fn property(&self, name: &str) -> Option<Property> {
        if self.is_geometry(name) {
            return onemap_fes::FeatureType::geometry(self).map(Property::Geometry);
        }
        self.field(name).map(|field| Property::Field(field.name.clone(), kind(field)))
    }

    /// As filters call it.
    fn geometry(&self) -> Option<String> {
        self.geometry.map(str::to_owned)
    }

    fn reference(&self, name: Option<&str>) -> Option<Reference> {
        let crs = self.srs(name, "srsName").ok()?.crs;
        Some(Reference { srid: crs.srid, swapped: crs.swapped, degrees: crs.is_geographic() })
    }
}
