//! WMTS and the addresses of Tianditu's pages.

use tiny_skia::Pixmap;

use crate::tiles::decode;
use crate::world::{As, World};

const MVT: &str = "application/vnd.mapbox-vector-tile";

async fn tile(world: &World, who: As, path: &str) -> Pixmap {
    let response = world.get(who, path).await;
    let (status, bytes) = (response.status(), response.bytes().await.unwrap());
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
    Pixmap::decode_png(&bytes).unwrap()
}

fn inked(picture: &Pixmap) -> usize {
    picture.pixels().iter().filter(|p| p.alpha() > 100).count()
}

/// 120.04° east, 36.04° north in 256-pixel tiles: column, row, and the pixel within the tile.
fn place(set: &str, z: i32) -> (u32, u32, u32, u32) {
    let (lon, lat) = (120.04f64, 36.04f64);
    let side = match set {
        "WorldCRS84Quad" => 2f64.powi(z + 1),
        _ => 2f64.powi(z),
    };
    let x = (lon + 180.0) / 360.0 * side;
    let y = match set {
        "WebMercatorQuad" => (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * side,
        _ => (90.0 - lat) / 360.0 * side,
    };
    let pixel = |v: f64| (v.fract() * 256.0) as u32;
    (x as u32, y as u32, pixel(x), pixel(y))
}

#[tokio::test(flavor = "multi_thread")]
async fn capabilities_describe_layers_sets_and_templates() {
    let world = World::new().await;
    let key = crate::world::key_of("health");
    for path in [
        format!("/ogc/wmts?SERVICE=WMTS&REQUEST=GetCapabilities&key={key}"),
        format!("/wmts?request=getcapabilities&AcceptVersions=1.0.0&key={key}"),
        format!("/ogc/wmts/1.0.0/WMTSCapabilities.xml?key={key}"),
    ] {
        let text = world.get(As::Anonymous, &path).await.text().await.unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let texts = |name: &str| -> Vec<String> {
            let found = document.descendants().filter(|n| n.tag_name().name() == name);
            found.filter_map(|n| n.text().map(str::to_owned)).collect()
        };
        for id in ["open", "unconditional", "WebMercatorQuad", "CGCS2000Quad", "WorldCRS84Quad"] {
            assert!(texts("Identifier").contains(&id.to_owned()), "{id}");
        }
        assert!(texts("SupportedCRS").contains(&"urn:ogc:def:crs:EPSG::4490".to_owned()));
        assert!(texts("TopLeftCorner").contains(&"90.0 -180.0".to_owned()));
        assert!(!text.contains("hidden") && !texts("Identifier").contains(&"conditional".to_owned()));
        let templates: Vec<&str> = document.descendants().filter_map(|n| n.attribute("template")).collect();
        assert!(templates.iter().all(|t| t.ends_with(&format!("?key={key}"))), "{templates:?}");
        assert!(
            templates.iter().any(|t| t.contains("/open/{Style}/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}.png"))
        );
    }
    let part = world.get(As::Anonymous, "/ogc/wmts?request=GetCapabilities&sections=ServiceProvider").await;
    let part = part.text().await.unwrap();
    assert!(part.contains("ServiceProvider>") && !part.contains("<Contents>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_lies_in_its_tile_of_every_set_by_parameters_and_by_path() {
    let world = World::new().await;
    world.indexed("open").await;
    for (set, z) in [("WebMercatorQuad", 14), ("CGCS2000Quad", 14), ("WorldCRS84Quad", 13)] {
        let (x, y, i, j) = place(set, z);
        let path = format!("/ogc/wmts/1.0.0/open/default/{set}/{z}/{y}/{x}.png");
        let by_path = tile(&world, As::Anonymous, &path).await;
        assert_eq!((by_path.width(), by_path.height()), (256, 256));
        assert!(by_path.pixel(i, j).unwrap().alpha() > 100, "{set}: {i} {j}");
        assert!(inked(&by_path) < 3000, "{set}");
        let kvp = format!(
            "/ogc/wmts?SERVICE=WMTS&VERSION=1.0.0&REQUEST=GetTile&LAYER=open&STYLE=default&FORMAT=image/png\
             &TILEMATRIXSET={set}&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
        );
        assert!(tile(&world, As::Anonymous, &kvp).await.data() == by_path.data());
        // Elsewhere there is nothing, and that is a picture too.
        let empty = path.replace(&format!("/{y}/{x}.png"), &format!("/{}/{}.png", y + 9, x + 9));
        assert_eq!(inked(&tile(&world, As::Anonymous, &empty).await), 0);
        let vectors = world.get(As::Anonymous, &path.replace(".png", ".mvt")).await;
        assert_eq!(vectors.headers()["content-type"], MVT);
        assert_eq!(decode(&vectors.bytes().await.unwrap()).keys().collect::<Vec<_>>(), ["open"]);
        let info = format!("{}&I={i}&J={j}&InfoFormat=application/json", kvp.replace("GetTile", "GetFeatureInfo"));
        let found = world.json(As::Anonymous, &info).await;
        assert_eq!(found["features"][0]["properties"]["name"], "第44栋 g0", "{found}");
        // A filter holds in all of them, and what nobody knows is ignored.
        let some = "filter=floors%20=%2014&vendor=1";
        let filtered = tile(&world, As::Anonymous, &format!("{path}?{some}")).await;
        assert!(filtered.pixel(i, j).unwrap().alpha() > 100 && inked(&filtered) < inked(&by_path), "{set}");
        assert!(tile(&world, As::Anonymous, &format!("{kvp}&{some}")).await.data() == filtered.data());
        for vectors in
            [format!("{}?{some}", path.replace(".png", ".mvt")), format!("{}&{some}", kvp.replace("image/png", MVT))]
        {
            let response = world.get(As::Anonymous, &vectors).await;
            assert_eq!(response.status(), 200, "{vectors}");
            assert_eq!(decode(&response.bytes().await.unwrap())["open"].ids.len(), 1, "{vectors}");
        }
        let none = world.json(As::Anonymous, &format!("{info}&filter=floors%20=%200")).await;
        assert_eq!(none["features"], serde_json::json!([]));
    }
    // The scale set's name for it.
    let (x, y, ..) = place("WebMercatorQuad", 14);
    let old = format!("/ogc/wmts/1.0.0/open/default/GoogleMapsCompatible/14/{y}/{x}.png");
    assert!(inked(&tile(&world, As::Anonymous, &old).await) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_made_for_tianditu_changes_its_host() {
    let world = World::new().await;
    world.indexed("open").await;
    world.indexed("unconditional").await;
    let key = crate::world::key_of("health");
    for (grid, set, standard) in [("w", "w", "WebMercatorQuad"), ("c", "c", "CGCS2000Quad")] {
        let (x, y, i, j) = place(standard, 14);
        let page = format!(
            "/unconditional_{grid}/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=unconditional&STYLE=default\
             &TILEMATRIXSET={set}&FORMAT=tiles&TILEMATRIX=14&TILEROW={y}&TILECOL={x}&tk={key}"
        );
        let drawn = tile(&world, As::Anonymous, &page).await;
        assert!(drawn.pixel(i, j).unwrap().alpha() > 100);
        let older = format!("/DataServer?T=unconditional_{grid}&x={x}&y={y}&l=14&tk={key}");
        assert!(tile(&world, As::Anonymous, &older).await.data() == drawn.data());
        // Without a key the layer is not there.
        assert_eq!(world.get(As::Anonymous, older.split("&tk").next().unwrap()).await.status(), 404);
        let capabilities = format!("/unconditional_{grid}/wmts?service=wmts&request=GetCapabilities&tk={key}");
        let text = world.get(As::Anonymous, &capabilities).await.text().await.unwrap();
        assert!(
            text.contains(&format!("<ows:Identifier>{set}</ows:Identifier>"))
                && text.contains("<Format>tiles</Format>")
        );
        assert!(!text.contains("<ows:Identifier>open<"));
    }
    for bad in [
        "/open_x/wmts?request=GetTile".to_owned(),
        "/DataServer?T=open&x=0&y=0&l=1".into(),
        "/DataServer?T=open_w&x=0&y=0".into(),
        "/open_w/wmts?request=GetTile&layer=other&tilematrix=1&tilerow=0&tilecol=0".into(),
        "/open_w/wmts?request=GetTile&tilematrixset=c&tilematrix=1&tilerow=0&tilecol=0".into(),
    ] {
        let response = world.get(As::Anonymous, &bad).await;
        assert!(response.status().is_client_error(), "{bad}");
        assert!(response.text().await.unwrap().contains("ExceptionReport"), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_an_exception_report() {
    let world = World::new().await;
    let whole = "/ogc/wmts?SERVICE=WMTS&VERSION=1.0.0&REQUEST=GetTile&LAYER=open&STYLE=default&FORMAT=image/png\
        &TILEMATRIXSET=WebMercatorQuad&TILEMATRIX=3&TILEROW=1&TILECOL=1";
    for (from, to, code, locator, status) in [
        ("LAYER=open", "LAYER=hidden", "InvalidParameterValue", "Layer", 404),
        ("LAYER=open&", "", "MissingParameterValue", "layer", 400),
        ("STYLE=default", "STYLE=red", "InvalidParameterValue", "Style", 400),
        ("FORMAT=image/png", "FORMAT=image/tiff", "InvalidParameterValue", "Format", 400),
        ("TILEMATRIXSET=WebMercatorQuad", "TILEMATRIXSET=x", "InvalidParameterValue", "TileMatrixSet", 400),
        ("TILEMATRIX=3", "TILEMATRIX=25", "InvalidParameterValue", "TileMatrix", 400),
        ("TILEMATRIX=3", "TILEMATRIX=-1", "InvalidParameterValue", "TileMatrix", 400),
        ("TILEROW=1", "TILEROW=8", "TileOutOfRange", "TileRow", 400),
        ("TILECOL=1", "TILECOL=99999999999999", "TileOutOfRange", "TileCol", 400),
        ("TILECOL=1", "TILECOL=x", "InvalidParameterValue", "TileCol", 400),
        ("VERSION=1.0.0", "VERSION=2.0.0", "InvalidParameterValue", "version", 400),
        ("REQUEST=GetTile", "REQUEST=GetMap", "OperationNotSupported", "request", 400),
        ("REQUEST=GetTile", "REQUEST=GetFeatureInfo&I=256&J=0", "PointIJOutOfRange", "i", 400),
        (
            "REQUEST=GetTile",
            "REQUEST=GetCapabilities&AcceptVersions=3.0",
            "VersionNegotiationFailed",
            "AcceptVersions",
            400,
        ),
    ] {
        let path = whole.replacen(from, to, 1);
        let response = world.get(As::Anonymous, &path).await;
        assert_eq!(response.status(), status, "{path}");
        let text = response.text().await.unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(document.root_element().attribute("version"), Some("1.1.0"));
        let exception = document.descendants().find(|n| n.tag_name().name() == "Exception").unwrap();
        let said = (exception.attribute("exceptionCode"), exception.attribute("locator"));
        assert_eq!(said, (Some(code), Some(locator)), "{path}");
    }
    for path in ["/ogc/wmts/1.0.0/open/default/WebMercatorQuad/3/1/1", "/ogc/wmts/2.0.0/x"] {
        let response = world.get(As::Anonymous, path).await;
        assert_eq!(response.status(), 404);
        assert!(response.text().await.unwrap().contains("ExceptionReport"), "{path}");
    }
}
