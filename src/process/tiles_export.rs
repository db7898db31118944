//! A layer's tiles as one PMTiles file.

use serde_json::{Map, Value, json};

use super::{About, Call, Future, Input, Mode, Outcome, Output, Process};
use crate::access::rights::Right;
use crate::error::{Error, Result};
use crate::job::queue::JobInfo;
use crate::tile::export::{DEEPEST, ZOOMS, job, zooms};

pub struct TilesExport(About);

impl TilesExport {
    pub fn new() -> Self {
        let zoom = |name, title, otherwise: u8| Input {
            name,
            title,
            description: ("WebMercatorQuad 的级别", "a zoom of WebMercatorQuad"),
            required: false,
            schema: json!({"type": "integer", "minimum": 0, "maximum": DEEPEST, "default": otherwise}),
        };
        TilesExport(About {
            id: "tiles-export",
            version: "1.0.0",
            title: ("导出矢量瓦片", "Tiles export"),
            description: (
                "把图层中可见部分的矢量瓦片导出为一个 PMTiles 文件，作为任务执行。",
                "The vector tiles of what one may see of a layer as one PMTiles file, as a job.",
            ),
            keywords: &["瓦片", "tiles", "PMTiles"],
            mode: Mode::Job,
            inputs: vec![
                Input {
                    name: "layer",
                    title: ("图层", "Layer"),
                    description: ("图层标识", "the layer's id"),
                    required: true,
                    schema: json!({"type": "string", "maxLength": 63}),
                },
                zoom("minzoom", ("最小级别", "Lowest zoom"), ZOOMS.0),
                zoom("maxzoom", ("最大级别", "Highest zoom"), ZOOMS.1),
            ],
            outputs: vec![Output {
                name: "tiles",
                title: ("PMTiles 文件", "The PMTiles file"),
                description: ("文件的地址，保留若干小时", "its address, kept for some hours"),
                schema: json!({"type": "string", "contentMediaType": "application/vnd.pmtiles", "contentEncoding": "binary"}),
            }],
        })
    }

    async fn put(call: Call<'_>) -> Result<Outcome> {
        let (layer, grant) = call.read_for(call.text("layer").unwrap_or_default(), Right::Export)?;
        if !layer.state().has_tiles() {
            return Err(Error::conflict(
                "该图层没有几何，不能切片",
                "this layer has no geometry, so there are no tiles",
            ));
        }
        let zooms = zooms(call.integer("minzoom"), call.integer("maxzoom"))?;
        Ok(Outcome::Job(job::request(&call.parts.queue, call.by, grant.layer(), zooms).await?))
    }
}

impl Process for TilesExport {
    fn about(&self) -> &About {
        &self.0
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Future<'a, Outcome> {
        Box::pin(Self::put(call))
    }

    fn kind(&self) -> Option<&'static str> {
        Some(job::KIND)
    }

    fn outputs(&self, found: &JobInfo) -> Map<String, Value> {
        let file =
            json!({"href": format!("/api/v1/jobs/{}/tiles.pmtiles", found.id), "type": "application/vnd.pmtiles"});
        [("tiles".to_owned(), file)].into_iter().collect()
    }
}
