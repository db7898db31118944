//! A query over one layer, checked against what its caller may see.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::body;
use super::feature_type::FeatureType;
use super::output::{Output, Writer};
use super::request::{Filter, Query, Result, Version};
use super::srs::Srs;
use crate::access::rights::Right;
use crate::error::Said;
use crate::feature::{bookmarks, geojson, gml};
use crate::geo::bbox::Bbox;
use crate::geo::crs::{CRS84, Crs};
use crate::http::ask::Ask;
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::names::{PREFIX, encode, of_gml_id};
use crate::http::ows::xml::escape;
use crate::layer::filter::{self, Given, Language};
use crate::layer::model::Field;
use crate::layer::order::SortKey;
use crate::layer::select::Selection;

/// A query that may be run.
pub struct Resolved {
    pub described: FeatureType,
    pub selection: Selection,
    /// The fields that are wanted, in the layer's order.
    pub fields: Arc<[Field]>,
    pub geometry: bool,
    pub srs: Srs,
    /// The state of the rows that are asked for; none for a table that changes without telling.
    pub edits: Option<u64>,
    pub filtered: bool,
}

/// Checks the queries of a request. Ids that come without a type are sorted by theirs.
pub fn resolve_all(ask: &Ask, queries: &[Query], output: Output) -> Result<Vec<Resolved>> {
    let mut resolved = vec![];
    for query in queries {
        match (&query.filter, query.layer.is_empty()) {
            (Some(Filter::Ids(ids)), true) => {
                for (layer, ids) in by_layer(ids)? {
                    let query = Query { layer, filter: Some(Filter::Ids(ids)), ..query.clone() };
                    resolved.push(resolve(ask, &query, output)?);
                }
            }
            _ => resolved.push(resolve(ask, query, output)?),
        }
    }
    Ok(resolved)
}

fn by_layer(ids: &[String]) -> Result<BTreeMap<String, Vec<String>>> {
    let mut layers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in ids {
        let (layer, _) = of_gml_id(id).ok_or_else(|| no_feature(id))?;
        layers.entry(encode(&layer).into_owned()).or_default().push(id.clone());
    }
    Ok(layers)
}

pub fn no_feature(id: &str) -> Fault {
    let shown: String = id.chars().take(80).collect();
    let (zh, en) = (format!("没有要素 {shown}"), format!("there is no feature {shown}"));
    Fault::new(crate::error::Error::not_found(zh, en)).code(Code::NotFound).at("id")
}

fn resolve(ask: &Ask, query: &Query, output: Output) -> Result<Resolved> {
    // Permission first: a wrong parameter must not tell that a hidden layer exists.
    let right = if matches!(output, Output::File(_)) { Right::Export } else { Right::Query };
    let described = FeatureType::of(ask, &query.layer, Some(right))?;
    let state = described.drawn.layer.state();
    let srs = match (&query.srs_name, output) {
        // What these are in where nothing else is asked for.
        (None, Output::GeoJson | Output::File(_)) => Srs { name: CRS84.uri(), crs: CRS84 },
        (name, _) => described.srs(name.as_deref(), "srsname")?,
    };
    let (fields, geometry) = chosen(&described, &query.properties)?;
    let mut selection = Selection { srid: geometry.then_some(srs.crs.srid), ..Selection::default() };
    match &query.filter {
        None => {}
        Some(Filter::Bbox(corners, name)) => selection.bbox = Some(bbox(&described, *corners, name.as_deref())?),
        Some(Filter::Ids(ids)) => selection.ids = Some(numbers(&described, ids)),
        Some(Filter::Xml(text)) => filtered(&described, text, &mut selection)?,
    }
    for (name, descending) in &query.sort {
        let field = described.field(name).ok_or_else(|| described.no_property("sortby", name))?;
        selection.sort.push(SortKey { field: field.clone(), descending: *descending });
    }
    let edits = (!state.source.registered).then(|| ask.app.edits.of(state.revision).number);
    let filtered = query.filter.is_some();
    Ok(Resolved { selection, fields, geometry, srs, edits, filtered, described })
}

/// The fields that `propertyName` leaves, and whether it leaves the geometry.
fn chosen(described: &FeatureType, names: &[String]) -> Result<(Arc<[Field]>, bool)> {
    if names.is_empty() {
        return Ok((described.fields.clone(), described.geometry.is_some()));
    }
    for name in names {
        if !described.is_geometry(name) && described.field(name).is_none() {
            return Err(described.no_property("propertyname", name));
        }
    }
    let wanted = |field: &&Field| names.iter().any(|name| *name == *encode(&field.name));
    let fields = described.fields.iter().filter(wanted).cloned().collect();
    Ok((fields, names.iter().any(|name| described.is_geometry(name))))
}

fn bbox(described: &FeatureType, corners: [f64; 4], name: Option<&str>) -> Result<(Bbox, i32)> {
    if described.geometry.is_none() {
        return Err(Fault::invalid("bbox", Said::new("该图层没有几何", "this type has no geometry")));
    }
    let crs = described.srs(name, "bbox")?.crs;
    let text = corners.map(|corner| corner.to_string()).join(",");
    let read = Bbox::parse(&text, crs.swapped, crs.is_geographic()).map_err(|_| {
        let said = Said::new(format!("bbox 不正确：{text}"), format!("bbox is malformed: {text}"));
        Fault::invalid("bbox", said).hint(
            "bbox=x1,y1,x2,y2,坐标参考系；坐标顺序随坐标参考系的名称，默认 urn:ogc:def:crs:EPSG::4490（纬度在前）",
            "bbox=x1,y1,x2,y2,CRS in the order of axes of the CRS's name, by default urn:ogc:def:crs:EPSG::4490 (latitude first)",
        )
    })?;
    Ok((read, crs.srid))
}

/// The ids of this layer's own features; those of others are none of its rows.
fn numbers(described: &FeatureType, ids: &[String]) -> Vec<i64> {
    let own = |id: &String| of_gml_id(id).filter(|(layer, _)| layer == described.id()).map(|(_, number)| number);
    ids.iter().filter_map(own).collect()
}

fn filtered(described: &FeatureType, text: &str, selection: &mut Selection) -> Result<()> {
    let at_filter = |fault: onemap_fes::Fault| body::fault(fault).at("filter");
    let document = onemap_fes::document(text).map_err(at_filter)?;
    let read = onemap_fes::translate(document.root_element(), described)
        .map_err(|fault| Fault::invalid("filter", body::said(&fault)))?;
    selection.ids = read.ids.map(|ids| numbers(described, &ids));
    let Some(condition) = read.condition else { return Ok(()) };
    let crs = read.reference.map_or(CRS84, |reference| Crs { srid: reference.srid, swapped: false });
    let given = Given { text: condition.to_string(), language: Language::Json, crs };
    selection.filter = Some(filter::parse(&given, &described.drawn.layer, &described.drawn.grant)?);
    Ok(())
}

impl Resolved {
    pub fn writer(&self, output: Output, version: Version) -> Writer {
        match output {
            Output::GeoJson => {
                // Longitude (easting) first, whatever the reference system: so GeoJSON's readers take it.
                let crs = Crs { swapped: false, ..self.srs.crs };
                Writer::GeoJson(geojson::Writer { fields: self.fields.clone(), crs })
            }
            Output::Gml | Output::File(_) => {
                let member = if version.is_two() { "wfs:member" } else { "gml:featureMember" };
                Writer::Gml { writer: self.gml(version), member }
            }
        }
    }

    pub fn gml(&self, version: Version) -> gml::Writer {
        let element = self.described.element();
        let fields = self.fields.iter().map(|f| (f.clone(), format!("{PREFIX}:{}", encode(&f.name))));
        let mut srs_name = String::new();
        escape(&self.srs.name, &mut srs_name);
        gml::Writer {
            element: format!("{PREFIX}:{element}"),
            id: element.into_owned(),
            fields: fields.collect(),
            geometry: self.described.geometry.filter(|_| self.geometry).map(|name| format!("{PREFIX}:{name}")),
            crs: self.srs.crs,
            srs_name,
            geometry_ids: version.is_two(),
        }
    }

    /// What the rows are and in which order; none where that may change without telling.
    pub fn rows(&self) -> Option<bookmarks::Rows> {
        let drawn = &self.described.drawn;
        let numbers = [drawn.layer.state().revision as u64, self.edits?, drawn.grant.scope().fingerprint()];
        let numbers: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
        let s = &self.selection;
        let filter = s.filter.as_ref().map(|filter| filter.canonical()).unwrap_or_default();
        let order: Vec<_> = s.sort.iter().map(|key| (&key.field.name, key.descending)).collect();
        let rest = format!("{:?} {:?} {order:?}", s.bbox, s.ids);
        Some(bookmarks::rows(&[drawn.layer.id.as_bytes(), &numbers, filter.as_bytes(), rest.as_bytes()]))
    }
}
