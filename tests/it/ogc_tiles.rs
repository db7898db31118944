//! OGC API Tiles and Tile Matrix Set 2.0: what is said of tilesets, and the tiles under the standard's addresses.

use reqwest::Method;
use serde_json::{Value, json};

use crate::tiles::decode;
use crate::world::{As, World};

const HEALTH: As = As::Key("health");
const SETS: [&str; 3] = ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad"];

#[tokio::test(flavor = "multi_thread")]
async fn a_tileset_says_where_its_tiles_are_and_what_is_in_them() {
    let world = World::new().await;
    for set in SETS {
        let path = format!("/ogc/collections/open/tiles/{set}");
        let tileset = world.json(As::Anonymous, &path).await;
        for name in ["title", "dataType", "crs", "tileMatrixSetURI", "links", "layers", "boundingBox", "centerPoint"] {
            assert!(!tileset[name].is_null(), "{set} {name}");
        }
        assert_eq!(tileset["boundingBox"]["lowerLeft"], json!([120.0, 36.0]));
        let layer = &tileset["layers"][0];
        assert_eq!((&layer["id"], &layer["geometryDimension"]), (&json!("open"), &json!(0)));
        assert_eq!(layer["propertiesSchema"]["properties"]["built"]["format"], "date");

        // The limits hold: features lie in the tiles that they name, and nothing in those beside them.
        let limits = tileset["tileMatrixSetLimits"].as_array().unwrap();
        let definition = world.json(As::Anonymous, &format!("/ogc/tileMatrixSets/{set}")).await;
        assert_eq!(limits.len(), definition["tileMatrices"].as_array().unwrap().len());
        let limit = limits.iter().find(|l| l["tileMatrix"] == "9").unwrap();
        let of = |name: &str| limit[name].as_u64().unwrap();
        let mut found = 0;
        for row in of("minTileRow")..=of("maxTileRow") {
            for column in of("minTileCol")..=of("maxTileCol") {
                let tile = world.get(As::Anonymous, &format!("{path}/9/{row}/{column}?f=mvt")).await;
                assert!(tile.status() == 200 || tile.status() == 204, "{set} {row} {column}");
                let bytes = tile.bytes().await.unwrap();
                found += if bytes.is_empty() { 0 } else { decode(&bytes)["open"].ids.len() };
            }
        }
        assert!(found >= 100, "{set}: {found}");
        let beside =
            world.get(As::Anonymous, &format!("{path}/9/{}/{}", of("minTileRow"), of("minTileCol") + 20)).await;
        assert_eq!(beside.status(), 204, "{set}: within the matrix, but empty");
        assert_eq!(world.get(As::Anonymous, &format!("{path}/9/100000/0")).await.status(), 404, "{set}");
        assert_eq!(world.get(As::Anonymous, &format!("{path}/99/0/0")).await.status(), 404, "{set}");

        // Every link and template leads somewhere, in the type that it says.
        for link in tileset["links"].as_array().unwrap() {
            let href = link["href"].as_str().unwrap().strip_prefix(&world.url).unwrap();
            let href = href.replace("{tileMatrix}", "9").replace("{tileRow}", &of("minTileRow").to_string());
            let href = href.replace("{tileCol}", &of("minTileCol").to_string());
            let response = world.get(As::Anonymous, &href).await;
            assert_eq!(response.status(), 200, "{href}");
            let media = response.headers()["content-type"].to_str().unwrap().to_owned();
            assert!(media.starts_with(link["type"].as_str().unwrap()), "{href}: {media}");
        }
        let tilejson = world.json(As::Anonymous, &format!("{path}?f=tilejson")).await;
        assert_eq!((&tilejson["tilejson"], &tilejson["tile_matrix_set"]), (&json!("3.0.0"), &json!(set)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_on_a_part_tells_neither_extent_nor_hidden_fields() {
    let world = World::new().await;
    world.grant("fields", "array['name', 'kind']").await;
    let tileset = world.json(HEALTH, "/ogc/collections/conditional/tiles/WebMercatorQuad").await;
    for name in ["boundingBox", "centerPoint", "tileMatrixSetLimits"] {
        assert!(tileset.get(name).is_none(), "{name}");
    }
    let fields = tileset["layers"][0]["propertiesSchema"]["properties"].as_object().unwrap();
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["kind", "name"]);
    assert!(tileset["layers"][0].get("boundingBox").is_none());
    // Beside a layer that is seen whole, too.
    let both = world.json(HEALTH, "/ogc/tiles/WebMercatorQuad?collections=unconditional,conditional").await;
    assert!(both.get("boundingBox").is_none() && both["layers"].as_array().unwrap().len() == 2);
    let dataset = world.get(HEALTH, "/ogc/tiles/WebMercatorQuad").await.text().await.unwrap();
    assert!(!dataset.contains("hidden"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tilesets_of_a_choice_of_layers_keep_the_choice_in_their_links() {
    let world = World::new().await;
    let tileset = world.json(HEALTH, "/ogc/tiles/WebMercatorQuad?collections=open,unconditional").await;
    for link in tileset["links"].as_array().unwrap() {
        if matches!(link["rel"].as_str(), Some("self" | "alternate" | "item" | "describedby")) {
            assert!(
                link["href"].as_str().unwrap().contains("collections=open%2Cunconditional")
                    || link["href"].as_str().unwrap().contains("collections=open,unconditional"),
                "{link}"
            );
        }
    }
    let tile = world.get(HEALTH, "/ogc/tiles/WebMercatorQuad/8/100/213?collections=open,unconditional").await;
    assert_eq!(decode(&tile.bytes().await.unwrap()).keys().collect::<Vec<_>>().len(), 2);
    for (query, status) in
        [("collections=open,hidden", 404), ("collections=open,open", 400), ("collections=open&datetime=2020", 400)]
    {
        assert_eq!(world.get(HEALTH, &format!("/ogc/tiles/WebMercatorQuad?{query}")).await.status(), status, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tile_matrix_sets_are_as_the_standard_defines_them() {
    let world = World::new().await;
    for set in SETS {
        let d = world.json(As::Anonymous, &format!("/ogc/tileMatrixSets/{set}")).await;
        assert_eq!((&d["id"], d["orderedAxes"].as_array().unwrap().len()), (&json!(set), 2));
        let matrices = d["tileMatrices"].as_array().unwrap();
        let number = |m: &Value, name: &str| m[name].as_f64().unwrap();
        for (a, b) in matrices.iter().zip(&matrices[1..]) {
            for name in ["scaleDenominator", "cellSize"] {
                assert!((number(a, name) / number(b, name) - 2.0).abs() < 1e-12, "{set} {name}");
            }
            assert_eq!(
                (a["tileWidth"].as_u64(), &a["cornerOfOrigin"], &a["pointOfOrigin"]),
                (Some(256), &json!("topLeft"), &b["pointOfOrigin"])
            );
            assert!(a["matrixWidth"].is_u64() && a["matrixHeight"].is_u64() && a["id"].is_string());
        }
        // The standard's pixel is 0.28 mm: metres of a cell follow from the scale.
        let metres = number(&matrices[0], "scaleDenominator") * 0.000_28;
        let unit = if set == "WebMercatorQuad" { 1.0 } else { 111_319.490_793_273_58 };
        assert!((metres / unit / number(&matrices[0], "cellSize") - 1.0).abs() < 1e-12, "{set}");
        let listed = world.json(As::Anonymous, "/ogc/tileMatrixSets").await;
        let listed = listed["tileMatrixSets"].as_array().unwrap().iter().find(|s| s["id"] == set).unwrap().clone();
        let uri = listed["uri"].as_str().unwrap();
        assert!(uri.starts_with("http://www.opengis.net/def/tilematrixset/") || uri.starts_with(&world.url), "{uri}");
    }
    let scale = |d: &Value| d["tileMatrices"][0]["scaleDenominator"].as_f64().unwrap();
    // From the standard's own tables (17-083r4, annex D).
    let mercator = world.json(As::Anonymous, "/ogc/tileMatrixSets/WebMercatorQuad").await;
    assert!((scale(&mercator) - 559_082_264.028_717_9).abs() < 1e-3);
    assert_eq!(mercator["wellKnownScaleSet"], "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible");
    let degrees = world.json(As::Anonymous, "/ogc/tileMatrixSets/WorldCRS84Quad").await;
    assert!((scale(&degrees) - 279_541_132.014_358_76).abs() < 1e-3);
}

#[tokio::test(flavor = "multi_thread")]
async fn formats_of_tiles_are_chosen_by_parameter_and_by_accept() {
    let world = World::new().await;
    let path = "/ogc/collections/open/tiles/WebMercatorQuad/8/100/213";
    let (mvt, mlt) = ("application/vnd.mapbox-vector-tile", "application/vnd.maplibre-tile");
    for (query, accept, media) in [("", "*/*", mvt), ("?f=mvt", mlt, mvt), ("?f=mlt", "*/*", mlt), ("", mlt, mlt)] {
        let request = world.request(Method::GET, &format!("{path}{query}")).header("accept", accept);
        assert_eq!(request.send().await.unwrap().headers()["content-type"], media, "{query} {accept}");
    }
    assert_eq!(world.get(As::Anonymous, &format!("{path}?f=gif")).await.status(), 400);
}
