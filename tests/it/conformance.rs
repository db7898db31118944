//! What `/ogc/conformance` declares holds: for each class at least one request that would fail if it did not.

use onemap::access::principal::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{As, World};

/// What an answer must be.
enum Is {
    Status(u16),
    /// A media type.
    Media(&'static str),
    /// JSON that has something at each of these places.
    Has(&'static [&'static str]),
    /// JSON with this at that place.
    At(&'static str, Value),
}
use Is::{At, Has, Media, Status};

const ITEMS: &str = "/ogc/collections/open/items";
const CATALOGUE: &str = "/ogc/collections/catalogue";

/// The requests that show a class, by the part of its URI behind `http://www.opengis.net/spec/`: paths, with a method before them unless it
/// is GET, `publisher` before that when a publisher asks, and what `If-Match` says between the two.
fn shown_by(class: &str) -> Vec<(String, Is)> {
    let of = |path: &str, is: Is| (path.to_owned(), is);
    let items = |query: &str, is: Is| (format!("{ITEMS}?{query}"), is);
    let count = |filter: &str, n: i64| {
        (format!("{ITEMS}?limit=1000&filter={}", encoded(filter)), At("/numberReturned", json!(n)))
    };
    let records = |query: &str, is: Is| (format!("{CATALOGUE}/items?{query}"), is);
    match class {
        "ogcapi-common-1/1.0/conf/core" => {
            vec![of("/ogc", Has(&["/links/0/href", "/title"])), of("/ogc/conformance", Has(&["/conformsTo/0"]))]
        }
        "ogcapi-common-1/1.0/conf/landing-page" => vec![of("/ogc", Has(&["/links/1/rel", "/description"]))],
        "ogcapi-common-1/1.0/conf/json" => vec![of("/ogc?f=json", Media("application/json"))],
        "ogcapi-common-1/1.0/conf/html" => vec![of("/ogc?f=html", Media("text/html"))],
        "ogcapi-common-1/1.0/conf/oas30" | "ogcapi-features-1/1.0/conf/oas30" => {
            vec![
                of("/ogc/api", At("/openapi", json!("3.0.3"))),
                of("/ogc/api", Has(&["/paths/~1collections~1open~1items/get/parameters/0"])),
            ]
        }
        "ogcapi-common-2/1.0/conf/collections" => {
            vec![of("/ogc/collections", Has(&["/collections/0/id", "/collections/0/links/0"]))]
        }
        "ogcapi-features-1/1.0/conf/core" => vec![
            items("limit=3", At("/numberReturned", json!(3))),
            items("bbox=119,35,120.005,36.005", At("/numberMatched", json!(1))),
            items("datetime=2019-04-14", Has(&["/timeStamp", "/links/0/href"])),
            items("unknown=1", Status(400)),
        ],
        "ogcapi-features-1/1.0/conf/geojson" => vec![
            items("limit=1", Media("application/geo+json")),
            of(&format!("{ITEMS}/1"), Media("application/geo+json")),
        ],
        "ogcapi-features-1/1.0/conf/html" => {
            vec![items("f=html", Media("text/html")), of(&format!("{ITEMS}/1?f=html"), Media("text/html"))]
        }
        "ogcapi-features-2/1.0/conf/crs" => vec![
            items(
                "limit=1&crs=http://www.opengis.net/def/crs/EPSG/0/4490",
                Has(&["/features/0/geometry/coordinates/1"]),
            ),
            of("/ogc/collections/open", Has(&["/crs/0", "/storageCrs"])),
        ],
        "ogcapi-features-3/1.0/conf/queryables" => {
            vec![of("/ogc/collections/open/queryables", Has(&["/properties/floors/type", "/$id"]))]
        }
        "ogcapi-features-3/1.0/conf/queryables-query-parameters" => {
            vec![items("floors=7&limit=100", At("/numberMatched", json!(4)))]
        }
        "ogcapi-features-3/1.0/conf/filter" | "ogcapi-features-3/1.0/conf/features-filter" => {
            vec![
                count("floors = 7", 4),
                items("filter=floors%20%3D", Status(400)),
                items("filter-lang=sql&filter=1", Status(400)),
            ]
        }
        // Shown in full in edits.rs.
        "ogcapi-features-4/1.0/conf/create-replace-delete" | "ogcapi-features-4/1.0/conf/features" => vec![
            of(&format!("POST {ITEMS}"), Status(401)),
            of(&format!("publisher PUT {ITEMS}/1"), Status(428)),
            of(&format!("publisher DELETE {ITEMS}/1"), Status(428)),
        ],
        "ogcapi-features-4/1.0/conf/update" => vec![of(&format!("publisher PATCH {ITEMS}/1"), Status(428))],
        "ogcapi-features-4/1.0/conf/optimistic-locking-etags" => vec![
            of(&format!("publisher PUT {ITEMS}/1"), Status(428)),
            of(&format!("publisher PUT \"another\" {ITEMS}/1"), Status(412)),
        ],
        "ogcapi-features-5/1.0/conf/schemas"
        | "ogcapi-features-5/1.0/conf/returnables-and-receivables"
        | "ogcapi-features-5/1.0/conf/core-roles-features" => {
            vec![of("/ogc/collections/open/schema", Has(&["/properties/floors/type", "/$schema"]))]
        }
        "ogcapi-features-5/1.0/conf/queryables" => {
            vec![of("/ogc/collections/open/queryables", Has(&["/properties/name"]))]
        }
        "ogcapi-features-5/1.0/conf/sortables" | "ogcapi-features-8/1.0/conf/sortables" => {
            vec![of("/ogc/collections/open/sortables", Has(&["/properties/name"]))]
        }
        "ogcapi-features-6/1.0/conf/properties" | "ogcapi-features-6/1.0/conf/properties-features" => {
            vec![
                items("limit=1&properties=name", Has(&["/features/0/properties/name"])),
                items("properties=nothing", Status(400)),
            ]
        }
        "ogcapi-features-8/1.0/conf/sorting" | "ogcapi-features-8/1.0/conf/features-sorting" => {
            vec![items("limit=1&sortby=-height", At("/features/0/id", json!(100)))]
        }
        "ogcapi-tiles-1/1.0/conf/core" | "ogcapi-tiles-1/1.0/conf/mvt" => {
            vec![of(
                "/ogc/collections/open/tiles/WebMercatorQuad/8/100/213",
                Media("application/vnd.mapbox-vector-tile"),
            )]
        }
        "ogcapi-tiles-1/1.0/conf/tileset" => vec![of(
            "/ogc/collections/open/tiles/WebMercatorQuad",
            Has(&["/tileMatrixSetURI", "/crs", "/dataType", "/layers/0/id"]),
        )],
        "ogcapi-tiles-1/1.0/conf/tilesets-list" | "ogcapi-tiles-1/1.0/conf/geodata-tilesets" => {
            vec![of("/ogc/collections/open/tiles", Has(&["/tilesets/0/crs", "/tilesets/0/links/0/href"]))]
        }
        "ogcapi-tiles-1/1.0/conf/dataset-tilesets" => {
            vec![of("/ogc/tiles", Has(&["/tilesets/0/crs"])), of("/ogc/tiles/WebMercatorQuad/8/100/213", Status(200))]
        }
        "ogcapi-tiles-1/1.0/conf/collections-selection" => {
            vec![of("/ogc/tiles/WebMercatorQuad?collections=open", At("/layers/0/id", json!("open")))]
        }
        "tms/2.0/conf/tilematrixset" | "tms/2.0/conf/json-tilematrixset" => {
            vec![of(
                "/ogc/tileMatrixSets/CGCS2000Quad",
                Has(&["/id", "/crs", "/orderedAxes/1", "/tileMatrices/0/scaleDenominator"]),
            )]
        }
        "tms/2.0/conf/tilematrixsetlimits" | "tms/2.0/conf/json-tilematrixsetlimits" => {
            vec![of(
                "/ogc/collections/open/tiles/WebMercatorQuad",
                Has(&["/tileMatrixSetLimits/0/tileMatrix", "/tileMatrixSetLimits/0/maxTileCol"]),
            )]
        }
        "tms/2.0/conf/tilesetmetadata" | "tms/2.0/conf/json-tilesetmetadata" => {
            vec![of(
                "/ogc/collections/open/tiles/WebMercatorQuad",
                Has(&["/boundingBox/lowerLeft/1", "/centerPoint/coordinates/1", "/layers/0/propertiesSchema"]),
            )]
        }
        "ogcapi-styles-1/0.0/conf/core" => vec![
            of("/ogc/styles", Has(&["/styles/0/links/0/href"])),
            of("/ogc/styles/base/metadata", Has(&["/id", "/stylesheets/0/link"])),
        ],
        "ogcapi-styles-1/0.0/conf/html" => vec![of("/ogc/styles/base?f=html", Media("text/html"))],
        "ogcapi-styles-1/0.0/conf/mapbox-styles" => {
            vec![of("/ogc/styles/base", Media("application/vnd.mapbox.style+json"))]
        }
        // Shown in full in styles.rs; here that the doors are there and guarded.
        "ogcapi-styles-1/0.0/conf/manage-styles" => vec![of("PUT /ogc/styles/x", Status(401))],
        "ogcapi-styles-1/0.0/conf/style-validation" => vec![of("POST /ogc/styles?dry-run=true", Status(401))],
        "ogcapi-records-1/1.0/conf/record-core" => vec![of(
            &format!("{CATALOGUE}/items/open"),
            Has(&["/properties/type", "/properties/title", "/links/0", "/time"]),
        )],
        "ogcapi-records-1/1.0/conf/record-collection" => vec![of(CATALOGUE, At("/itemType", json!("record")))],
        "ogcapi-records-1/1.0/conf/record-core-query-parameters" => {
            vec![
                records("q=nothing-like-it", At("/numberMatched", json!(0))),
                records("ids=open&type=dataset", At("/numberMatched", json!(1))),
            ]
        }
        "ogcapi-records-1/1.0/conf/records-api" | "ogcapi-records-1/1.0/conf/searchable-catalog" => {
            vec![records("bbox=119,35,121,37", At("/numberMatched", json!(1)))]
        }
        "ogcapi-records-1/1.0/conf/json" => vec![records("", Media("application/geo+json"))],
        "ogcapi-records-1/1.0/conf/html" => vec![records("f=html", Media("text/html"))],
        "ogcapi-records-1/1.0/conf/sorting" | "ogcapi-records-1/1.0/conf/searchable-catalog/sorting" => {
            vec![
                of(&format!("{CATALOGUE}/sortables"), Has(&["/properties/title"])),
                records("sortby=nothing", Status(400)),
                records("sortby=-title", Status(200)),
            ]
        }
        "ogcapi-records-1/1.0/conf/record-filter" | "ogcapi-records-1/1.0/conf/searchable-catalog/filtering" => {
            vec![
                of(&format!("{CATALOGUE}/queryables"), Has(&["/properties/title"])),
                records("filter=id%3D'x'", At("/numberMatched", json!(0))),
            ]
        }
        "ogcapi-records-2/1.0/conf/simple" => vec![of(&format!("{CATALOGUE}/facets"), Has(&["/facets/theme/type"]))],
        "ogcapi-records-2/1.0/conf/advanced" => {
            vec![records("facets=department:1", At("/facets/department/buckets/0/count", json!(1)))]
        }
        "ogcapi-processes-1/1.0/conf/core" | "ogcapi-processes-1/1.0/conf/json" => {
            vec![
                of("/ogc/processes", Has(&["/processes/0/jobControlOptions/0"])),
                of("/ogc/processes/nothing", Status(404)),
            ]
        }
        "ogcapi-processes-1/1.0/conf/ogc-process-description" => {
            vec![of("/ogc/processes/identify", Has(&["/inputs/lon/schema/type", "/outputs/results/schema"]))]
        }
        "ogcapi-processes-1/1.0/conf/html" => vec![of("/ogc/processes?f=html", Media("text/html"))],
        // Shown in full in processes.rs.
        "ogcapi-processes-1/1.0/conf/job-list" => vec![of("/ogc/jobs", Status(401))],
        "ogcapi-processes-1/1.0/conf/dismiss" => {
            vec![of("DELETE /ogc/jobs/01890000-0000-7000-8000-000000000000", Status(401))]
        }
        "cql2/1.0/conf/cql2-text" | "cql2/1.0/conf/basic-cql2" => {
            vec![count("floors = 7 AND NOT kind = '商业' OR name IS NULL", 0), count("floors >= 28", 6)]
        }
        "cql2/1.0/conf/cql2-json" => vec![(
            format!(
                "{ITEMS}?limit=1000&filter-lang=cql2-json&filter={}",
                encoded(r#"{"op":"=","args":[{"property":"floors"},7]}"#)
            ),
            At("/numberReturned", json!(4)),
        )],
        "cql2/1.0/conf/advanced-comparison-operators" => {
            vec![count("floors BETWEEN 7 AND 8", 8), count("floors IN (7, 9)", 8), count("name LIKE '第1栋%'", 1)]
        }
        "cql2/1.0/conf/case-insensitive-comparison" => vec![count("CASEI(name) = CASEI('第1栋 G0')", 1)],
        "cql2/1.0/conf/accent-insensitive-comparison" => {
            vec![count("ACCENTI(name) = ACCENTI('第1栋 ǵ0')", 1), count("name = '第1栋 ǵ0'", 0)]
        }
        "cql2/1.0/conf/basic-spatial-functions"
        | "cql2/1.0/conf/basic-spatial-functions-plus"
        | "cql2/1.0/conf/basic-spatial-operators" => {
            vec![count("S_INTERSECTS(geometry, BBOX(119.9, 35.9, 120.005, 36.005))", 1)]
        }
        "cql2/1.0/conf/spatial-functions" => vec![count(
            "S_WITHIN(geometry, POLYGON((119.9 35.9, 120.005 35.9, 120.005 36.005, 119.9 36.005, 119.9 35.9)))",
            1,
        )],
        "cql2/1.0/conf/temporal-functions" => vec![count("T_BEFORE(built, DATE('2019-04-15'))", 1)],
        "cql2/1.0/conf/array-functions" => vec![count("A_CONTAINS(('a', 'b'), ('b', 'a')) AND floors = 7", 4)],
        "cql2/1.0/conf/property-property" => vec![count("floors = floors", 100)],
        "cql2/1.0/conf/functions" => vec![of("/ogc/functions", Has(&["/functions/0/name"]))],
        "cql2/1.0/conf/arithmetic" => vec![count("floors * 2 = 14", 4)],
        other => panic!("{other} is declared: say here by which requests it shows"),
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_declared_class_holds() {
    let world = World::new().await;
    let declared = world.json(As::Anonymous, "/ogc/conformance").await;
    let declared: Vec<&str> = declared["conformsTo"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    let distinct: std::collections::BTreeSet<&&str> = declared.iter().collect();
    assert_eq!(distinct.len(), declared.len(), "each once");
    for class in declared {
        let name = class.strip_prefix("http://www.opengis.net/spec/").expect(class);
        for (path, is) in shown_by(name) {
            let mut words: Vec<&str> = path.split(' ').collect();
            let path = words.pop().unwrap();
            let who = match words.first() {
                Some(&"publisher") => As::Person("housing", Role::Publisher),
                _ => As::Anonymous,
            };
            words.retain(|word| *word != "publisher");
            let method = words.first().map_or(Method::GET, |name| Method::from_bytes(name.as_bytes()).unwrap());
            let mut request = world.by(who, method, path).await;
            if let Some(state) = words.get(1) {
                request = request.header("if-match", *state);
            }
            if !words.is_empty() {
                request = request.json(&json!({"type": "Feature", "geometry": null, "properties": {}}));
            }
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            let media =
                response.headers().get("content-type").map(|m| m.to_str().unwrap().to_owned()).unwrap_or_default();
            let body = response.bytes().await.unwrap();
            let text = String::from_utf8_lossy(&body);
            if let Status(expected) = is {
                assert_eq!(status, expected, "{class}: {path}: {text}");
                continue;
            }
            assert_eq!(status, 200, "{class}: {path}: {text}");
            let json = || serde_json::from_slice::<Value>(&body).expect(class);
            match is {
                Media(expected) => assert!(media.starts_with(expected), "{class}: {path}: {media}"),
                Has(places) => {
                    let json = json();
                    for place in places {
                        assert!(
                            json.pointer(place).is_some_and(|v| !v.is_null()),
                            "{class}: {path}: nothing at {place} in {json}"
                        );
                    }
                }
                At(place, expected) => assert_eq!(json().pointer(place), Some(&expected), "{class}: {path}: {text}"),
                Status(_) => {}
            }
        }
    }
}
