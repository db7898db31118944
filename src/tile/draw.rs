//! A layer's part of a tile out of its index: what the grant shows, said in the index's own terms.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use onemap_cql2::Filter;
use onemap_tiles::area::Area;
use onemap_tiles::delta::Delta;
use onemap_tiles::draw::Request;
use onemap_tiles::filter::snapped;
use onemap_tiles::window::Window;

use super::render::Drawn;
use super::store::{Opened, TILE_LIMIT};
use crate::access::policy::{RowFilter, Scope};
use crate::geo::tms::{TileCoord, TileMatrixSet};
use crate::layer::model::{Field, FieldType, State};
use crate::layer::scope::row_filter;

/// Everything that a thread needs to draw one layer of a tile.
pub struct Drawing {
    pub revision: i64,
    opened: Arc<Opened>,
    layer: Arc<str>,
    columns: Vec<usize>,
    rows: Vec<(usize, Vec<String>)>,
    area: Option<Arc<Area>>,
    filter: Option<Filter>,
    delta: Option<Arc<Delta>>,
    limit: usize,
}

/// The areas of grants, read once each.
pub type Areas = moka::sync::Cache<u64, Arc<Area>>;

impl Drawing {
    /// None when the index cannot answer just as PostGIS would: then PostGIS does.
    pub fn of(
        opened: Arc<Opened>,
        delta: Option<Arc<Delta>>,
        drawn: &Drawn,
        fields: &[&Field],
        filter: Option<Filter>,
        areas: &Areas,
    ) -> Option<Drawing> {
        let (state, scope) = (drawn.layer.state(), drawn.grant.scope());
        if !is_of(&opened, state) {
            return None;
        }
        let columns = fields.iter().filter(|f| scope.sees_field(&f.name)).filter_map(|f| place(state, &f.name));
        let filter = match (row_filter(state, scope), filter) {
            (RowFilter::All, filter) => filter,
            (RowFilter::Only(granted), None) => Some(Filter::clone(&granted)),
            (RowFilter::Only(granted), Some(asked)) => Some(Filter::clone(&granted).and(asked)),
            // PostGIS knows how to show nothing.
            (RowFilter::Closed, _) => return None,
        };
        // What hangs on more than a centimetre can tell is for PostGIS.
        let filter = match filter {
            Some(filter) if !filter.is_robust() => return None,
            filter => filter.map(|filter| filter.moved(&snapped)),
        };
        Some(Drawing {
            revision: state.revision,
            columns: columns.collect(),
            rows: rows(state, scope)?,
            area: area(scope, areas)?,
            filter,
            delta,
            opened,
            layer: drawn.layer.id.clone(),
            limit: drawn.layer.thinning.limit.unwrap_or(TILE_LIMIT),
        })
    }

    /// The layer as MVT. None when the engine panicked: it does on a file that is not as it was written.
    pub fn draw(&self, tile: TileCoord) -> Option<Vec<u8>> {
        let window = window(tile);
        let request = Request {
            window: &window,
            layer: &self.layer,
            columns: &self.columns,
            filter: self.filter.as_ref(),
            rows: &self.rows,
            area: self.area.as_deref(),
            delta: self.delta.as_deref(),
            limit: self.limit,
        };
        let draw = || {
            let mut out = Vec::new();
            self.opened.index.draw(&request, &mut out);
            out
        };
        catch_unwind(AssertUnwindSafe(draw)).ok()
    }
}

fn window(tile: TileCoord) -> Window {
    match tile.set {
        TileMatrixSet::WebMercatorQuad => Window::mercator(tile.z, tile.x, tile.y),
        TileMatrixSet::WorldCRS84Quad => Window::geographic(tile.z, tile.x, tile.y),
        // Tianditu counts its levels from 1.
        TileMatrixSet::CGCS2000Quad => Window::geographic(tile.z - 1, tile.x, tile.y),
    }
}

/// Whether the index's columns are the fields, in their order. They are, unless the file is of another database.
pub(super) fn is_of(opened: &Opened, state: &State) -> bool {
    let columns = opened.index.columns();
    columns.len() == state.fields.len() && columns.iter().zip(&state.fields).all(|(c, f)| c.name == f.name)
}

fn place(state: &State, name: &str) -> Option<usize> {
    state.fields.iter().position(|f| f.name == name)
}

/// The rows of a scope by column. PostgreSQL compares a value's text, which for the types named here is not the index's.
fn rows(state: &State, scope: &Scope) -> Option<Vec<(usize, Vec<String>)>> {
    let row = |(name, values): &(String, Vec<String>)| {
        let at = place(state, name)?;
        let alike = !matches!(state.fields[at].kind, FieldType::Float | FieldType::Timestamp);
        alike.then(|| (at, values.clone()))
    };
    scope.rows.iter().map(row).collect()
}

/// The area of a scope: Some(None) when it has none, None when it cannot be read.
fn area(scope: &Scope, areas: &Areas) -> Option<Option<Arc<Area>>> {
    let Some(ewkb) = &scope.area else { return Some(None) };
    let key = scope.fingerprint();
    if let Some(area) = areas.get(&key) {
        return Some(Some(area));
    }
    let area = Arc::new(Area::from_ewkb(ewkb).map_err(|e| tracing::warn!("the area of a grant: {e}")).ok()?);
    areas.insert(key, area.clone());
    Some(Some(area))
}
