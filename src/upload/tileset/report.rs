//! An archive in the words of the inspection report.

use super::scan::Scan;
use super::{Dataset, Said};
use crate::upload::report::*;

/// Half the side of the Web Mercator square in metres.
const HALF_SIDE: f64 = 20_037_508.342_789_244;

pub fn layer(dataset: &Dataset, said: &Said, scan: &Scan) -> SourceLayer {
    let archive = scan.archive();
    let stem = dataset.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let bbox_4490 = scan.bounds(said);
    let kinds = ["Geometry", "Point", "LineString", "Polygon"].into_iter().zip(scan.kinds());
    let names = archive.layers.iter().map(|l| l.id.as_str()).collect::<Vec<_>>().join("、");
    let mut notes = vec![Note::new(
        format!(
            "瓦片归档：{} 个瓦片，级别 {}–{}，图层 {names}。发布后只提供瓦片，不提供要素查询",
            archive.tiles, archive.minzoom, archive.maxzoom
        ),
        format!(
            "a tile archive: {} tiles of zooms {} to {}, with the layers {names}; once published it gives tiles, but no features",
            archive.tiles, archive.minzoom, archive.maxzoom
        ),
    )];
    if !said.description.is_empty() {
        let text: String = said.description.chars().take(300).collect();
        notes.push(Note::new(text.clone(), text));
    }
    SourceLayer {
        dataset: dataset.name.clone(),
        index: 0,
        name: said.name.clone().filter(|n| !n.trim().is_empty()).map_or(stem, |n| n.chars().take(200).collect()),
        format: dataset.format.name().to_owned(),
        geometry_types: kinds.filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)).collect(),
        target: GeometryTarget { kind: TargetKind::Geometry, z: false, m: false },
        has_z: false,
        has_m: false,
        feature_count: scan.features,
        encoding: EncodingFound {
            name: "UTF-8".into(),
            reason: Note::new("矢量瓦片的文本均为 UTF-8", "texts in vector tiles are UTF-8"),
        },
        crs: web_mercator(),
        bbox: bbox_4490.map(metres),
        bbox_4490,
        axes: Axes::default(),
        datum_suspicion: DatumFound::default(),
        fields: fields(scan),
        key_candidates: Vec::new(),
        geometry: GeometryFound { valid: scan.kinds().iter().sum(), ..GeometryFound::default() },
        sample: Vec::new(),
        notes,
        tiles: Some(archive),
    }
}

fn web_mercator() -> CrsFound {
    CrsFound {
        epsg: Some(3857),
        wkt: None,
        name: "WGS 84 / Pseudo-Mercator".into(),
        confidence: Confidence::Declared,
        reasons: vec![Note::new(
            "PMTiles 和 MBTiles 的瓦片按 Web 墨卡托（EPSG:3857）切分",
            "the tiles of PMTiles and MBTiles are those of Web Mercator",
        )],
        candidates: Vec::new(),
        needs_confirmation: false,
    }
}

fn metres([w, s, e, n]: [f64; 4]) -> [f64; 4] {
    let x = |lon: f64| lon / 180.0 * HALF_SIDE;
    let y = |lat: f64| {
        let sine = lat.clamp(-85.06, 85.06).to_radians().sin();
        ((1.0 + sine) / (1.0 - sine)).ln() / (2.0 * std::f64::consts::PI) * HALF_SIDE
    };
    [x(w), y(s), x(e), y(n)]
}

fn fields(scan: &Scan) -> Vec<FieldFound> {
    let merged = scan.merged().into_iter().zip(scan.fields()).enumerate();
    merged
        .map(|(source, ((_, seen), field))| FieldFound {
            source,
            source_name: field.name.clone(),
            name: field.name,
            kind: field.kind,
            original_type: seen.tilejson().to_owned(),
            width: None,
            nulls: 0,
            samples: seen.samples,
            is_geometry: false,
            notes: Vec::new(),
        })
        .collect()
}
