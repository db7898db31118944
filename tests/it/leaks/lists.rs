//! What names layers, or counts them, without being asked for one.

use std::collections::HashSet;

use super::questions::Asked;

/// A list of layers.
pub struct List {
    pub path: &'static str,
    pub right: Option<&'static str>,
    pub names_what_may_be_requested: bool,
    members: &'static str,
}

pub const LISTS: [List; 3] = [
    List { path: "/api/v1/layers", right: None, names_what_may_be_requested: true, members: "layers" },
    List { path: "/ogc/collections?f=json", right: None, names_what_may_be_requested: false, members: "collections" },
    List {
        path: "/ogc/collections/catalogue/items?f=json&limit=100",
        right: None,
        names_what_may_be_requested: true,
        members: "features",
    },
];

impl List {
    pub fn named(&self, got: &Asked) -> HashSet<String> {
        let document = got.json(self.path);
        let members = document[self.members].as_array().expect(self.path);
        members.iter().filter_map(|m| m["id"].as_str()).map(str::to_owned).collect()
    }
}

/// Whatever else tells of layers without being asked for one by its name.
pub const TELLING: [&str; 18] = [
    "/api/v1/catalogue?limit=100",
    "/api/v1/themes",
    "/api/v1/annotations",
    "/api/v1/address-sources",
    "/api/v1/grants",
    "/api/v1/requests",
    "/api/v1/jobs",
    "/api/openapi.json",
    "/metrics",
    "/ogc/api",
    "/ogc/collections?f=html&limit=100",
    "/ogc/collections/catalogue/items?f=html&limit=100",
    "/ogc/styles?f=json",
    "/ogc/tiles/WebMercatorQuad?f=json",
    "/ogc/wms?service=WMS&request=GetCapabilities",
    "/ogc/wfs?service=WFS&request=GetCapabilities",
    "/ogc/wmts?service=WMTS&request=GetCapabilities",
    "/address/search?q=%E6%99%9A%E9%92%9F%E8%B7%AF7%E5%8F%B7",
];

/// Where layers are counted, and by which member.
pub const COUNTING: [(&str, &str); 2] = [
    ("/api/v1/catalogue?limit=0", "matched"),
    ("/ogc/collections/catalogue/items?f=json&limit=0&facets=shareClass,department", "numberMatched"),
];
