//! What a full pass over an archive's tiles gathers: layers, fields and their types, zooms, extent.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use super::{Said, Tile, believable};
use crate::error::{Error, Result};
use crate::layer::archive::mvt::{self, Layer};
use crate::layer::archive::pmtiles::damaged;
use crate::layer::archive::{TileArchive, VectorLayer};
use crate::layer::model::{Field, FieldType};

const MOST_LAYERS: usize = 200;
const MOST_FIELDS: usize = 500;
const LONGEST_NAME: usize = 200;
/// Values shown of each field.
const SAMPLES: usize = 5;

#[derive(Default)]
pub struct Scan {
    pub tiles: u64,
    zooms: Option<(u8, u8)>,
    seen: HashSet<u64>,
    layers: BTreeMap<String, Seen>,
    /// The range of tiles at the deepest zoom: west, north, east, south.
    reach: Option<[u32; 4]>,
    /// Features in the tiles of the deepest zoom; one that lies in several counts in each.
    pub features: u64,
}

#[derive(Default)]
struct Seen {
    description: String,
    zooms: Option<(u8, u8)>,
    /// Features of no known kind, points, lines, polygons.
    kinds: [u64; 4],
    fields: BTreeMap<String, SeenField>,
}

#[derive(Default, Clone)]
pub struct SeenField {
    pub kind: Option<FieldType>,
    pub samples: Vec<String>,
}

fn widen(range: &mut Option<(u8, u8)>, z: u8) {
    *range = Some(range.map_or((z, z), |(low, high)| (low.min(z), high.max(z))));
}

fn too_varied() -> Error {
    Error::too_large(
        format!("归档中的图层或字段过多（上限 {MOST_LAYERS} 个图层，每层 {MOST_FIELDS} 个字段）"),
        format!("the archive has too many layers or fields (at most {MOST_LAYERS}, and {MOST_FIELDS} fields in each)"),
    )
}

impl Scan {
    pub fn new(said: &Said) -> Scan {
        let mut scan = Scan::default();
        // Only what is said of a layer is taken over; which there are, the tiles tell.
        for layer in said.layers.as_array().into_iter().flatten().take(MOST_LAYERS) {
            let (Some(id), Some(text)) = (layer["id"].as_str(), layer["description"].as_str()) else { continue };
            let description = text.chars().take(LONGEST_NAME).collect();
            scan.layers.insert(id.chars().take(LONGEST_NAME).collect(), Seen { description, ..Seen::default() });
        }
        scan
    }

    /// Takes a tile in; false for one without a layer, which is as good as none.
    pub fn see(&mut self, tile: &Tile<'_>) -> Result<bool> {
        let layers = mvt::read(tile.plain)?;
        if layers.is_empty() {
            return Ok(false);
        }
        let id = ::pmtiles::TileId::from(tile.coordinate).value();
        if !self.seen.insert(id) {
            return Err(damaged("同一瓦片出现多次", "it has a tile twice"));
        }
        self.tiles += 1;
        let z = tile.coordinate.z();
        let deepest = self.zooms.is_none_or(|(_, high)| z >= high);
        self.reach(tile, z);
        widen(&mut self.zooms, z);
        for layer in &layers {
            mvt::check(layer)?;
            self.see_layer(layer, z)?;
        }
        if deepest {
            self.features += layers.iter().map(|l| l.features.len() as u64).sum::<u64>();
        }
        Ok(true)
    }

    fn reach(&mut self, tile: &Tile<'_>, z: u8) {
        let (x, y) = (tile.coordinate.x(), tile.coordinate.y());
        match self.zooms {
            Some((_, high)) if z < high => {}
            Some((_, high)) if z == high => {
                let [w, n, e, s] = self.reach.unwrap_or([x, y, x, y]);
                self.reach = Some([w.min(x), n.min(y), e.max(x), s.max(y)]);
            }
            _ => {
                self.reach = Some([x, y, x, y]);
                self.features = 0;
            }
        }
    }

    fn see_layer(&mut self, layer: &Layer<'_>, z: u8) -> Result<()> {
        if layer.name.chars().count() > LONGEST_NAME {
            return Err(too_varied());
        }
        if !self.layers.contains_key(layer.name) && self.layers.len() >= MOST_LAYERS {
            return Err(too_varied());
        }
        let seen = self.layers.entry(layer.name.to_owned()).or_default();
        widen(&mut seen.zooms, z);
        // Each pair of key and value once, however many features have it.
        let mut pairs = HashSet::new();
        for feature in &layer.features {
            seen.kinds[(feature.kind as usize).min(3)] += 1;
            pairs.extend(layer.tags(feature)?);
        }
        for (key, value) in pairs {
            let name = layer.keys[key];
            if !seen.fields.contains_key(name) {
                if seen.fields.len() >= MOST_FIELDS || name.len() > LONGEST_NAME || name.is_empty() {
                    return Err(too_varied());
                }
                seen.fields.insert(name.to_owned(), SeenField::default());
            }
            if let (Some(field), Some(value)) = (seen.fields.get_mut(name), mvt::value(layer.values[value])?) {
                field.see(value);
            }
        }
        Ok(())
    }

    fn found(&self) -> impl Iterator<Item = (&String, &Seen, (u8, u8))> {
        self.layers.iter().filter_map(|(name, seen)| Some((name, seen, seen.zooms?)))
    }

    pub fn archive(&self) -> TileArchive {
        let (minzoom, maxzoom) = self.zooms.unwrap_or_default();
        let layers = self.found().map(|(name, seen, (minzoom, maxzoom))| VectorLayer {
            id: name.clone(),
            description: seen.description.clone(),
            minzoom,
            maxzoom,
            geometry: geometry(&seen.kinds).to_owned(),
            fields: seen.fields.keys().cloned().collect(),
        });
        TileArchive { minzoom, maxzoom, tiles: self.tiles, bytes: 0, layers: layers.collect() }
    }

    /// The fields of all layers: one of a name in several has a type that fits them all.
    pub fn merged(&self) -> BTreeMap<&str, SeenField> {
        let mut merged: BTreeMap<&str, SeenField> = BTreeMap::new();
        for (name, field) in self.layers.values().flat_map(|l| &l.fields) {
            let one = merged.entry(name).or_default();
            one.kind = fitting(one.kind, field.kind);
            let room = SAMPLES.saturating_sub(one.samples.len());
            one.samples.extend(field.samples.iter().take(room).cloned());
        }
        merged
    }

    pub fn fields(&self) -> Vec<Field> {
        let merged = self.merged().into_iter();
        merged
            .map(|(name, field)| Field {
                name: name.to_owned(),
                kind: field.kind.unwrap_or(FieldType::Text),
                title_zh: name.to_owned(),
                title_en: name.to_owned(),
            })
            .collect()
    }

    pub fn geometry(&self) -> String {
        geometry(&self.kinds()).to_owned()
    }

    pub fn kinds(&self) -> [u64; 4] {
        let add = |sum: [u64; 4], seen: &Seen| std::array::from_fn(|i| sum[i] + seen.kinds[i]);
        self.layers.values().fold([0; 4], add)
    }

    /// What the archive says, where that can be; else the tiles of its deepest zoom.
    pub fn bounds(&self, said: &Said) -> Option<[f64; 4]> {
        let ([w, n, e, s], (_, z)) = (self.reach?, self.zooms?);
        let side = f64::from(1u32 << z);
        let lon = |x: f64| x / side * 360.0 - 180.0;
        let lat = |y: f64| (std::f64::consts::PI * (1.0 - 2.0 * y / side)).sinh().atan().to_degrees();
        let tiles = [lon(w.into()), lat(f64::from(s) + 1.0), lon(f64::from(e) + 1.0), lat(n.into())];
        let Some(said) = said.bounds else { return believable(tiles) };
        let both = [tiles[0].max(said[0]), tiles[1].max(said[1]), tiles[2].min(said[2]), tiles[3].min(said[3])];
        believable(both).or_else(|| believable(tiles))
    }

    /// As TileJSON 3.0 has them.
    pub fn vector_layers(&self) -> Value {
        self.found()
            .map(|(name, seen, (minzoom, maxzoom))| {
                let fields: BTreeMap<&str, &str> = seen.fields.iter().map(|(n, f)| (n.as_str(), f.tilejson())).collect();
                json!({"id": name, "description": seen.description, "minzoom": minzoom, "maxzoom": maxzoom, "fields": fields})
            })
            .collect()
    }
}

impl SeenField {
    fn see(&mut self, value: mvt::Value<'_>) {
        let kind = match value {
            mvt::Value::Text(_) => FieldType::Text,
            mvt::Value::Integer(_) => FieldType::Integer,
            mvt::Value::Float(_) | mvt::Value::Single(_) => FieldType::Float,
            mvt::Value::Boolean(_) => FieldType::Boolean,
        };
        self.kind = fitting(self.kind, Some(kind));
        if self.samples.len() < SAMPLES {
            let text: String = match value {
                mvt::Value::Text(text) => text.chars().take(60).collect(),
                mvt::Value::Integer(n) => n.to_string(),
                mvt::Value::Float(f) => f.to_string(),
                mvt::Value::Single(f) => f.to_string(),
                mvt::Value::Boolean(b) => b.to_string(),
            };
            if !self.samples.contains(&text) {
                self.samples.push(text);
            }
        }
    }

    pub fn tilejson(&self) -> &'static str {
        self.kind.unwrap_or(FieldType::Text).tilejson()
    }
}

fn fitting(a: Option<FieldType>, b: Option<FieldType>) -> Option<FieldType> {
    use FieldType::{Float, Integer, Text};
    match (a, b) {
        (Some(a), Some(b)) if a == b => Some(a),
        (Some(Integer | Float), Some(Integer | Float)) => Some(Float),
        (Some(_), Some(_)) => Some(Text),
        (a, b) => a.or(b),
    }
}

fn geometry(kinds: &[u64; 4]) -> &'static str {
    match kinds {
        [0, _, 0, 0] => "Point",
        [0, 0, _, 0] => "LineString",
        [0, 0, 0, _] => "Polygon",
        _ => "Geometry",
    }
}
