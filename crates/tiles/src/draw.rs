//! Drawing a tile: look up, filter, cut, scale, encode.

use onemap_cql2::Filter;

use crate::area::{Area, AreaView, Place};
use crate::build::plan::mix;
use crate::build::section::smallest_area;
use crate::delta::{Delta, Edited};
use crate::filter::{EditedRow, Rows, Wanted};
use crate::index::{Index, View};
use crate::mvt::Layer;
use crate::paint::{Painter, Source};
use crate::shape::Kind;
use crate::window::Window;

/// What is asked of an index. Columns are numbered as the index has them.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub window: &'a Window,
    /// The name of the tile's layer.
    pub layer: &'a str,
    /// The attributes that the tile carries.
    pub columns: &'a [usize],
    pub filter: Option<&'a Filter>,
    pub rows: Rows<'a>,
    pub area: Option<&'a Area>,
    pub delta: Option<&'a Delta>,
    /// The most bytes that the layer may take, compressed by gzip.
    pub limit: usize,
}

/// What was drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drawn {
    pub features: usize,
    /// Whether features of the window were left out, because there are too many or they are too small.
    pub thinned: bool,
}

/// The features looked at for one filtered tile, at most: beyond that it shows what it has found.
const MOST_EXAMINED: usize = 4_000_000;
/// The raw bytes that a filtered tile fills, for each that it may have compressed.
const RAW_PER_COMPRESSED: usize = 2;

impl Index {
    /// Appends the layer to `out` as MVT, or nothing when no feature is in the window.
    pub fn draw(&self, request: &Request<'_>, out: &mut Vec<u8>) -> Drawn {
        let mut share = 1.0f64;
        loop {
            let mut drawing = Drawing::new(self, request, share);
            drawing.all();
            let drawn = Drawn { features: drawing.layer.count(), thinned: drawing.thinned || share < 1.0 };
            let start = out.len();
            drawing.layer.finish(request.layer, out);
            // Estimates are what they are: what came out too large is drawn again with fewer features.
            let Err(compressed) = crate::compress::fits(&out[start..], request.limit) else { return drawn };
            if drawn.features < 2 {
                return drawn;
            }
            share *= (request.limit as f64 / compressed as f64) * 0.95;
            out.truncate(start);
        }
    }
}

struct Drawing<'a> {
    index: &'a Index,
    request: &'a Request<'a>,
    layer: Layer<'a>,
    painter: Painter<'a>,
    /// How many of the 2^64 lots are drawn: the highest.
    lot: u64,
    thinned: bool,
}

impl<'a> Drawing<'a> {
    fn new(index: &'a Index, request: &'a Request<'a>, share: f64) -> Drawing<'a> {
        let keys = request.columns.iter().map(|&c| index.columns()[c].name.as_str()).collect();
        Drawing {
            index,
            request,
            layer: Layer::new(keys),
            painter: Painter::new(request.window, request.area.map(|a| a.within(request.window))),
            lot: if share >= 1.0 { u64::MAX } else { (share * u64::MAX as f64) as u64 },
            thinned: false,
        }
    }

    fn all(&mut self) {
        if self.painter.area().and_then(AreaView::whole) == Some(Place::Outside) {
            return;
        }
        for view in self.index.views() {
            self.section(&view);
        }
        if let Some(delta) = self.request.delta {
            self.edits(delta);
        }
    }

    fn section(&mut self, view: &View<'a>) {
        let zoom = self.request.window.zoom();
        let wanted = Wanted::new(self.request.filter, self.request.rows, view);
        self.thinned |= zoom < view.complete();
        if wanted.is_all() || zoom >= view.complete() {
            let smallest = view.smallest(zoom, self.request.window.prefix());
            self.painter.thin(smallest, zoom >= view.complete(), false);
            self.shown(view, &wanted, zoom);
        } else {
            // A filter leaves room in the tile: what it asks for shows, however deep it lies otherwise.
            self.painter.thin(Some(smallest_area(zoom)), false, true);
            self.filtered(view, &wanted);
        }
    }

    fn skips(&self, view: &View<'_>, feature: usize) -> bool {
        let id = view.ids[feature];
        // The lowest lots go first: of points those with the highest are the ones that stand for the others.
        (self.lot != u64::MAX && mix(id as u64) < !self.lot) || self.request.delta.is_some_and(|d| d.hides(id))
    }

    /// Draws what shows at the zoom.
    fn shown(&mut self, view: &View<'a>, wanted: &Wanted<'_>, zoom: u8) {
        let window = self.request.window.bounds();
        let all = wanted.is_all() && self.lot == u64::MAX && self.request.delta.is_none_or(Delta::is_empty);
        for band in view.bands.iter().filter(|b| b.zoom <= u64::from(zoom)) {
            view.search(band, &window, |range| {
                for feature in range {
                    if all || (!self.skips(view, feature) && wanted.wants(view, feature)) {
                        self.feature(view, feature);
                    }
                }
            });
        }
    }

    /// Draws what a filter wants, band by band, until the tile is full.
    fn filtered(&mut self, view: &View<'a>, wanted: &Wanted<'_>) {
        let window = self.request.window.bounds();
        let room = self.request.limit * RAW_PER_COMPRESSED;
        let mut examined = 0;
        let mut found = vec![];
        for band in view.bands {
            found.clear();
            view.search(band, &window, |range| {
                examined += range.len();
                found.extend(range.filter(|&f| wanted.wants(view, f) && !self.skips(view, f)));
            });
            let each = self.layer.len().checked_div(self.layer.count()).unwrap_or(40).max(20);
            let left = room.saturating_sub(self.layer.len()) / each;
            let full = found.len() > left;
            // Of a band that does not fit, a fair share of all its places.
            let lot = if full { (left as f64 / found.len() as f64 * u64::MAX as f64) as u64 } else { u64::MAX };
            for &feature in &found {
                if !full || mix(view.ids[feature] as u64) <= lot {
                    self.feature(view, feature);
                }
            }
            if full || examined > MOST_EXAMINED {
                return;
            }
        }
    }

    #[inline]
    fn feature(&mut self, view: &View<'a>, feature: usize) {
        self.painter.paint(&Indexed { view, feature }, &mut self.layer);
        if self.layer.has_geometry() {
            for (key, &column) in self.request.columns.iter().enumerate() {
                self.layer.tag_from(key, &view.columns[column], feature);
            }
            self.layer.end_feature(view.ids[feature], view.kind);
        }
    }

    fn edits(&mut self, delta: &'a Delta) {
        let window = self.request.window.bounds();
        for (id, edited) in delta.iter() {
            for kind in Kind::ALL {
                let bounds = &edited.bounds[kind as usize - 1];
                if bounds.is_empty() || !bounds.meets(&window) {
                    continue;
                }
                if !EditedRow(edited).wanted(self.request.filter, self.request.rows) {
                    break;
                }
                self.painter.thin(None, true, false);
                self.painter.paint(&Fresh { edited, kind }, &mut self.layer);
                if self.layer.has_geometry() {
                    for (key, &column) in self.request.columns.iter().enumerate() {
                        self.layer.tag(key, edited.values.get(column).map_or(&[], Vec::as_slice));
                    }
                    self.layer.end_feature(id, kind);
                }
            }
        }
    }
}

struct Indexed<'v, 'a> {
    view: &'v View<'a>,
    feature: usize,
}

impl Source for Indexed<'_, '_> {
    fn kind(&self) -> Kind {
        self.view.kind
    }
    fn bounds(&self) -> crate::shape::Bounds {
        self.view.bounds(self.feature)
    }
    fn area(&self) -> f64 {
        self.view.area(self.feature)
    }
    fn points(&self) -> &[crate::shape::Vertex] {
        self.view.points(self.feature)
    }
    fn parts(&self, mut each: impl FnMut(crate::index::PartView<'_>)) {
        self.view.parts_of(self.feature).for_each(|p| each(self.view.part(p)));
    }
}

struct Fresh<'a> {
    edited: &'a Edited,
    kind: Kind,
}

impl Source for Fresh<'_> {
    fn kind(&self) -> Kind {
        self.kind
    }
    fn bounds(&self) -> crate::shape::Bounds {
        self.edited.bounds[self.kind as usize - 1]
    }
    fn area(&self) -> f64 {
        f64::INFINITY
    }
    fn points(&self) -> &[crate::shape::Vertex] {
        &self.edited.shape.points.vertices
    }
    fn parts(&self, mut each: impl FnMut(crate::index::PartView<'_>)) {
        for vertices in self.edited.shape.parts(self.kind).iter() {
            each(crate::index::PartView { vertices, zooms: &[], runs: &[] });
        }
    }
}
