//! WMS: what is listed, where things lie on a picture, who sees them, and what is said when a request is wrong.

use reqwest::Method;
use tiny_skia::Pixmap;

use crate::world::{As, World};

const MAP: &str = "/ogc/wms?service=WMS&request=GetMap&styles=&format=image/png&transparent=true";
/// A box of 0.1° around the grid's points from 120.00 to 120.09 east, 36.00 to 36.09 north.
const DEGREES: &str = "crs=CRS:84&version=1.3.0&bbox=119.995,35.995,120.095,36.095&width=400&height=400";

async fn picture(world: &World, who: As, path: &str) -> Pixmap {
    let response = world.get(who, path).await;
    let (status, media) = (response.status(), response.headers()["content-type"].clone());
    let bytes = response.bytes().await.unwrap();
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
    assert_eq!(media, "image/png", "{path}");
    Pixmap::decode_png(&bytes).unwrap()
}

/// Whether something is drawn at a pixel.
fn ink(picture: &Pixmap, x: f64, y: f64) -> bool {
    picture.pixel(x.round() as u32, y.round() as u32).is_some_and(|p| p.alpha() > 100)
}

fn inked(picture: &Pixmap) -> usize {
    picture.pixels().iter().filter(|p| p.alpha() > 100).count()
}

async fn report(world: &World, who: As, path: &str) -> (u16, String, String) {
    let response = world.get(who, path).await;
    let status = response.status().as_u16();
    let media = response.headers()["content-type"].to_str().unwrap().to_owned();
    (status, media, response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn capabilities_list_what_one_may_read_in_both_versions() {
    let world = World::new().await;
    world.indexed("open").await;
    for (version, root, crs, place) in [
        ("1.3.0", "WMS_Capabilities", "CRS", "EX_GeographicBoundingBox"),
        ("1.1.1", "WMT_MS_Capabilities", "SRS", "LatLonBoundingBox"),
    ] {
        let path = format!("/ogc/wms?SERVICE=WMS&REQUEST=GetCapabilities&VERSION={version}");
        let text = world.get(As::Anonymous, &path).await.text().await.unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let all = |name: &str| document.descendants().filter(|n| n.has_tag_name_local(name)).collect::<Vec<_>>();
        assert_eq!(document.root_element().tag_name().name(), root);
        assert_eq!(document.root_element().attribute("version"), Some(version));
        let codes: Vec<&str> = all(crs).iter().filter_map(|n| n.text()).collect();
        for code in ["EPSG:4326", "EPSG:4490", "EPSG:3857", "EPSG:4528", "EPSG:4549"] {
            assert!(codes.contains(&code), "{version}: {code} in {codes:?}");
        }
        let layer = |id: &str| {
            all("Layer")
                .into_iter()
                .find(|l| l.children().any(|c| c.has_tag_name_local("Name") && c.text() == Some(id)))
        };
        let open = layer("open").unwrap();
        assert_eq!(open.attribute("queryable"), Some("1"));
        assert!(open.children().any(|c| c.has_tag_name_local(place)));
        // The dates of `built`: the first and the last of a hundred days from 18,000 days after 1970 on.
        let time = open.children().find(|c| c.text().is_some_and(|t| t.ends_with("/P1D"))).unwrap();
        assert_eq!(time.text(), Some("2019-04-14/2019-07-22/P1D"));
        let boxed = open
            .children()
            .find(|c| c.has_tag_name_local("BoundingBox") && c.attribute(crs) == Some("EPSG:4490"))
            .unwrap();
        let minx: f64 = boxed.attribute("minx").unwrap().parse().unwrap();
        let expected = if version == "1.3.0" { 36.0 } else { 120.0 };
        assert!((minx - expected).abs() < 0.01, "{version}: {minx}");
        assert!(layer("hidden").is_none() && layer("unconditional").is_none() && !text.contains("hidden"));
    }
    let text = world.get(As::Key("health"), "/wms?service=wms&request=getcapabilities").await.text().await.unwrap();
    assert!(text.contains("<Name>unconditional</Name>") && !text.contains("<Name>conditional</Name>"));
    // A key in the address goes along with every address of ours.
    let key = crate::world::key_of("health");
    let path = format!("/ogc/wms?service=WMS&request=GetCapabilities&key={key}");
    let text = world.get(As::Anonymous, &path).await.text().await.unwrap();
    let links = text.matches("xlink:href=\"").count();
    assert!(links > 8 && text.matches(&format!("key={key}")).count() >= links - 1, "{text}");
    // An unchanged document is not sent again.
    let first = world.get(As::Anonymous, "/wms?request=GetCapabilities").await;
    let tag = first.headers()["etag"].clone();
    let again = world.request(Method::GET, "/wms?request=GetCapabilities").header("if-none-match", tag);
    assert_eq!(again.send().await.unwrap().status(), 304);
}

trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for roxmltree::Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.tag_name().name() == name
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_lies_at_its_pixel_in_every_crs_and_axis_order() {
    let world = World::new().await;
    world.indexed("open").await;
    let map = format!("{MAP}&layers=open");
    let expected = picture(&world, As::Anonymous, &format!("{map}&{DEGREES}")).await;
    // 0.01° are 40 pixels; the first point lies 0.005° from the west and from the south.
    for (column, row) in [(0, 0), (9, 9), (3, 7)] {
        let (x, y) = (20.0 + 40.0 * f64::from(column), 380.0 - 40.0 * f64::from(row));
        assert!(ink(&expected, x, y), "a point at {x} {y}");
        assert!(!ink(&expected, x + 20.0, y - 20.0), "nothing between points");
    }
    for same in [
        "crs=EPSG:4326&version=1.3.0&bbox=35.995,119.995,36.095,120.095&width=400&height=400",
        "crs=EPSG:4490&version=1.3.0&bbox=35.995,119.995,36.095,120.095&width=400&height=400",
        "srs=EPSG:4326&version=1.1.1&bbox=119.995,35.995,120.095,36.095&width=400&height=400",
        "SRS=epsg:4490&VERSION=1.1.1&BBOX=119.995,35.995,120.095,36.095&WIDTH=400&HEIGHT=400",
    ] {
        assert!(picture(&world, As::Anonymous, &format!("{map}&{same}")).await.data() == expected.data(), "{same}");
    }
    // By PROJ 9.1.1: 120.04 E, 36.04 N; a square of 4 km around it, 10 m a pixel.
    for (crs, x, y) in PROJECTED {
        let [w, s, e, n] = [x - 2000.0, y - 2000.0, x + 2000.0, y + 2000.0];
        let bbox = if crs == "EPSG:3857" { [w, s, e, n] } else { [s, w, n, e] };
        let bbox = bbox.map(|v| v.to_string()).join(",");
        let path = format!("{map}&version=1.3.0&crs={crs}&bbox={bbox}&width=400&height=400");
        let drawn = picture(&world, As::Anonymous, &path).await;
        assert!(ink(&drawn, 200.0, 200.0), "{crs}");
        assert!(!ink(&drawn, 150.0, 150.0), "{crs}");
    }
}

const PROJECTED: [(&str, f64, f64); 4] = [
    ("EPSG:3857", 13362791.675, 4306126.707),
    ("EPSG:4528", 40503604.725, 3989981.785),
    ("EPSG:4549", 503604.725, 3989981.785),
    ("EPSG:4499", 21233213.503, 3994037.658),
];

#[tokio::test(flavor = "multi_thread")]
async fn filters_times_and_grants_choose_what_is_drawn() {
    let world = World::new().await;
    for layer in ["open", "unconditional", "conditional"] {
        world.indexed(layer).await;
    }
    let whole = picture(&world, As::Anonymous, &format!("{MAP}&layers=open&{DEGREES}")).await;
    let map = |rest: &str| format!("{MAP}&{DEGREES}&{rest}");
    // Row i has floors i % 30: of the first ten only the first has less than one.
    let first = picture(&world, As::Anonymous, &map("layers=open&cql_filter=floors%20=%200")).await;
    assert!(ink(&first, 20.0, 380.0) && !ink(&first, 60.0, 380.0));
    assert!(inked(&first) < inked(&whole) / 10);
    // Day 18,000 is 2019-04-14.
    let day = picture(&world, As::Anonymous, &map("layers=open&time=2019-04-14")).await;
    assert!(ink(&day, 20.0, 380.0) && !ink(&day, 60.0, 380.0));
    let both = map("layers=open&time=2019-04-14/2019-04-16&filter=floors%20%3E%200");
    let both = picture(&world, As::Anonymous, &both).await;
    assert!(
        !ink(&both, 20.0, 380.0) && ink(&both, 60.0, 380.0) && ink(&both, 100.0, 380.0) && !ink(&both, 140.0, 380.0)
    );
    // One filter for each layer.
    let each = map("layers=open,unconditional&cql_filter=floors=0;floors=1");
    let each = picture(&world, As::Key("health"), &each).await;
    assert!(ink(&each, 20.0, 380.0) && ink(&each, 60.0, 380.0) && !ink(&each, 100.0, 380.0));
    // Coordinates of a filter may be in the zone that the layer lies in.
    let zone = "filter-crs=http://www.opengis.net/def/crs/EPSG/0/4528";
    let zone = picture(&world, As::Anonymous, &map(&format!("layers=open&filter=floors=0&{zone}"))).await;
    assert!(zone.data() == first.data());
    // A grant of some rows shows those.
    world.grant("row_filter", "'{\"kind\": [\"住宅\"]}'").await;
    let granted = picture(&world, As::Key("health"), &map("layers=conditional")).await;
    assert!(ink(&granted, 20.0, 380.0) && !ink(&granted, 60.0, 380.0) && ink(&granted, 100.0, 380.0));
    // The owner sees all of them at the same address: what is kept of one is not shown to the other.
    let owner = picture(&world, As::Key("housing"), &map("layers=conditional")).await;
    assert!(ink(&owner, 60.0, 380.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_validated_and_kept_by_whoever_may_see_them() {
    let world = World::new().await;
    for layer in ["open", "unconditional"] {
        world.indexed(layer).await;
    }
    let map = |layers: &str| format!("{MAP}&layers={layers}&{DEGREES}");
    let open = world.get(As::Anonymous, &map("open")).await;
    assert_eq!(open.headers()["cache-control"], "public, no-cache");
    assert_eq!(open.headers()["vary"], "Accept-Encoding");
    let tag = open.headers()["etag"].clone();
    let again = world.request(Method::GET, &map("open")).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    // An edit is another picture.
    let table =
        "select table_name from onemap.revision r join onemap.layer l on l.current_revision = r.id where l.id = 'open'";
    let client = world.app.database.app().await.unwrap();
    let table: String = client.query_one(table, &[]).await.unwrap().get(0);
    drop(client);
    world.sql(&format!("delete from data.{table} where fid = 1")).await;
    for _ in 0..100 {
        let again = world.request(Method::GET, &map("open")).header("if-none-match", &tag).send().await.unwrap();
        if again.status() == 200 {
            let picture = Pixmap::decode_png(&again.bytes().await.unwrap()).unwrap();
            assert!(!ink(&picture, 20.0, 380.0) && ink(&picture, 60.0, 380.0));
            let private =
                world.get(As::Key("health"), &map("open,unconditional").replace("styles=&", "styles=,&")).await;
            assert_eq!(private.headers()["cache-control"], "private, no-cache");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the edit never showed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_at_a_pixel_is_found_within_the_grant() {
    let world = World::new().await;
    let info = |rest: &str| {
        format!("/ogc/wms?service=WMS&request=GetFeatureInfo&styles=&{DEGREES}&i=60&j=380&feature_count=5&{rest}")
    };
    let one = "layers=open&query_layers=open";
    let found = world.json(As::Anonymous, &info(&format!("{one}&info_format=application/json"))).await;
    assert_eq!(found["features"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["features"][0]["id"], "open.2");
    assert_eq!(found["features"][0]["properties"]["name"], "第1栋 g0");
    // Axes of 1.1.1, other formats.
    let old = "/wms?service=WMS&request=GetFeatureInfo&version=1.1.1&srs=EPSG:4326&bbox=119.995,35.995,120.095,36.095\
        &width=400&height=400&x=60&y=380&layers=open&query_layers=open&styles=";
    for (format, media) in [
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        ("application/vnd.ogc.gml", "application/vnd.ogc.gml; charset=utf-8"),
    ] {
        let (status, given, text) = report(&world, As::Anonymous, &format!("{old}&info_format={format}")).await;
        assert_eq!((status, given.as_str()), (200, media));
        assert!(text.contains("第1栋 g0"), "{text}");
        if format.contains("gml") {
            roxmltree::Document::parse(&text).unwrap();
        }
    }
    // A filter holds here too, and so does a grant of some fields.
    let none = world.json(As::Anonymous, &info(&format!("{one}&cql_filter=floors=0"))).await;
    assert_eq!(none["features"], serde_json::json!([]));
    world.grant("fields", "'{name}'").await;
    let asked = info("layers=conditional&query_layers=conditional");
    let found = world.json(As::Key("health"), &asked).await;
    assert_eq!(found["features"][0]["properties"], serde_json::json!({"name": "第1栋 g0"}));
    let nothing =
        world.get(As::Anonymous, &info(&format!("{one}&info_format=text/plain")).replace("j=380", "j=200")).await;
    assert_eq!(nothing.text().await.unwrap(), "此处没有要素\n");
    // Each layer once, and not more of them than a map has.
    let many: Vec<String> = (0..21).map(|i| format!("l{i}")).collect();
    for asked in ["open,open", &many.join(",")] {
        let (status, _, text) =
            report(&world, As::Anonymous, &info(&format!("layers=open&query_layers={asked}"))).await;
        assert!(status == 400 && text.contains("InvalidParameterValue") && text.contains("query_layers"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_the_form_of_the_version() {
    let world = World::new().await;
    let whole = format!("{MAP}&layers=open&{DEGREES}");
    for (from, to, code, locator, status) in [
        ("layers=open", "layers=hidden", "LayerNotDefined", "layers", 404),
        ("layers=open", "layers=nothing", "LayerNotDefined", "layers", 404),
        ("layers=open", "layers=", "MissingParameterValue", "layers", 400),
        ("styles=", "styles=red", "StyleNotDefined", "styles", 400),
        ("styles=", "styles=,", "StyleNotDefined", "styles", 400),
        ("crs=CRS:84", "crs=EPSG:32650", "InvalidCRS", "crs", 400),
        ("crs=CRS:84&", "", "MissingParameterValue", "crs", 400),
        ("width=400", "width=0", "InvalidParameterValue", "width", 400),
        ("width=400", "width=4097", "InvalidParameterValue", "width", 400),
        ("width=400", "width=400&WIDTH=500", "InvalidParameterValue", "width", 400),
        ("height=400", "height=x", "InvalidParameterValue", "height", 400),
        ("bbox=119.995", "bbox=NaN", "InvalidParameterValue", "bbox", 400),
        ("bbox=119.995", "bbox=121", "InvalidParameterValue", "bbox", 400),
        ("format=image/png", "format=image/tiff", "InvalidFormat", "format", 400),
        ("version=1.3.0", "version=9", "InvalidParameterValue", "version", 400),
        ("transparent=true", "transparent=perhaps", "InvalidParameterValue", "transparent", 400),
        ("transparent=true", "bgcolor=white", "InvalidParameterValue", "bgcolor", 400),
        ("transparent=true", "time=yesterday", "InvalidDimensionValue", "time", 400),
        ("transparent=true", "filter=((((", "InvalidParameterValue", "filter", 400),
        ("transparent=true", "cql_filter=secret=1", "InvalidParameterValue", "filter", 400),
        ("transparent=true", "sld_body=<x/>", "OptionNotSupported", "sld_body", 400),
        ("transparent=true", "exceptions=json", "InvalidParameterValue", "exceptions", 400),
        ("request=GetMap", "request=Dance", "OperationNotSupported", "request", 400),
        ("request=GetMap&", "", "MissingParameterValue", "request", 400),
        ("service=WMS", "service=WFS", "InvalidParameterValue", "service", 400),
    ] {
        let path = whole.replacen(from, to, 1);
        assert_ne!(path, whole, "{from}");
        let (given, media, text) = report(&world, As::Anonymous, &path).await;
        assert_eq!((given, media.as_str()), (status, "text/xml; charset=utf-8"), "{path}: {text}");
        let document = roxmltree::Document::parse(&text).unwrap();
        let exception = document.descendants().find(|n| n.tag_name().name() == "ServiceException").unwrap();
        assert_eq!(
            (exception.attribute("code"), exception.attribute("locator")),
            (Some(code), Some(locator)),
            "{path}"
        );
        assert_eq!(document.root_element().attribute("version"), Some("1.3.0"));
    }
    // A layer that may be requested says so; a wrong key is 401.
    let (status, _, text) =
        report(&world, As::Key("health"), &whole.replace("layers=open", "layers=conditional")).await;
    assert!(status == 403 && text.contains("LayerNotDefined"), "{text}");
    let (status, media, text) = report(&world, As::Anonymous, &format!("{whole}&key=om_wrong")).await;
    assert!(status == 401 && media.starts_with("text/xml") && text.contains("ServiceExceptionReport"), "{text}");
    // The older form.
    let old = whole.replace("version=1.3.0&", "version=1.1.1&").replace("crs=CRS:84", "srs=EPSG:1");
    let (status, media, text) = report(&world, As::Anonymous, &old).await;
    assert_eq!((status, media.as_str()), (400, "application/vnd.ogc.se_xml; charset=utf-8"));
    assert!(text.contains("code=\"InvalidSRS\""), "{text}");
    // As pictures.
    let blank = picture(&world, As::Anonymous, &whole.replace("layers=open", "layers=x&exceptions=BLANK")).await;
    assert_eq!((blank.width(), inked(&blank)), (400, 0));
    let written = picture(&world, As::Anonymous, &whole.replace("layers=open", "layers=x&exceptions=INIMAGE")).await;
    assert!(inked(&written) > 200);
    // A large one would be work for nothing.
    let large = whole.replace("layers=open", "layers=x&exceptions=BLANK").replace("width=400", "width=4096");
    let (status, media, _) = report(&world, As::Anonymous, &large).await;
    assert_eq!((status, media.as_str()), (404, "text/xml; charset=utf-8"));
    let first = whole.replace("layers=open", "layers=x&exceptions=json");
    assert_eq!(report(&world, As::Anonymous, &first).await.0, 400, "before anything is drawn");
    for (i, name) in [("i=400", "i"), ("i=-1", "i"), ("i=x", "i")] {
        let path = format!(
            "/ogc/wms?service=WMS&request=GetFeatureInfo&styles=&{DEGREES}&layers=open&query_layers=open&j=1&{i}"
        );
        let (status, _, text) = report(&world, As::Anonymous, &path).await;
        assert!(
            status == 400 && text.contains("InvalidPoint") && text.contains(&format!("locator=\"{name}\"")),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn formats_legends_and_forms() {
    let world = World::new().await;
    world.indexed("open").await;
    let map = format!("{MAP}&layers=open&{DEGREES}");
    let png8 = world.get(As::Anonymous, &map.replace("image/png", "image/png8")).await.bytes().await.unwrap();
    let drawn = Pixmap::decode_png(&png8).unwrap();
    assert!(ink(&drawn, 20.0, 380.0) && drawn.pixel(40, 40).unwrap().alpha() == 0);
    // Colour type 3: a palette.
    assert_eq!(png8[25], 3);
    let jpeg = world.get(As::Anonymous, &map.replace("image/png", "image/jpeg")).await;
    assert_eq!(jpeg.headers()["content-type"], "image/jpeg");
    assert_eq!(jpeg.bytes().await.unwrap()[..3], [0xff, 0xd8, 0xff]);
    let opaque = picture(&world, As::Anonymous, &map.replace("transparent=true", "bgcolor=0x102030")).await;
    let corner = opaque.pixel(40, 40).unwrap();
    assert_eq!([corner.red(), corner.green(), corner.blue(), corner.alpha()], [16, 32, 48, 255]);
    let legend = "/ogc/wms?service=WMS&version=1.3.0&request=GetLegendGraphic&layer=open&format=";
    assert!(picture(&world, As::Anonymous, &format!("{legend}image/png")).await.height() >= 24);
    let entries = world.json(As::Anonymous, &format!("{legend}application/json")).await;
    assert_eq!(entries["entries"][0]["label"]["zh"], "图层open");
    let described = "/ogc/wms?service=WMS&version=1.1.1&request=DescribeLayer&layers=open";
    assert!(report(&world, As::Anonymous, described).await.2.contains("owsType=\"WFS\""));
    // By a form; XML is refused.
    let form = map.trim_start_matches("/ogc/wms?").to_owned();
    let post = |media: &'static str, body: String| {
        let request = world.request(Method::POST, "/ogc/wms").header("content-type", media).body(body);
        async { request.send().await.unwrap() }
    };
    let posted = post("application/x-www-form-urlencoded", form.clone()).await;
    assert_eq!(posted.headers()["content-type"], "image/png");
    assert_eq!(post("text/xml", "<GetMap/>".into()).await.status(), 400);
    assert_eq!(post("application/json", form).await.status(), 415);
    // HEAD is GET without its body.
    let head = world.request(Method::HEAD, &map).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()), (200, "image/png"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_at_a_pixel_has_a_limit() {
    let world = World::new().await;
    world.squares(50).await;
    let info = |count: u32| {
        format!(
            "/ogc/wms?service=WMS&version=1.3.0&request=GetFeatureInfo&layers=big&query_layers=big&styles=&crs=CRS:84\
             &bbox=120.1,36.1,120.35,36.35&width=100&height=100&i=50&j=50&feature_count={count}"
        )
    };
    let one = world.json(As::Anonymous, &info(1)).await;
    assert_eq!(one["features"].as_array().map(Vec::len), Some(1));
    assert_eq!(report(&world, As::Anonymous, &info(50)).await.0, 413);
}
