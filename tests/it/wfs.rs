//! WFS: what its operations answer, and that they show what items show.

use onemap::layer::model::ShareClass;
use reqwest::{Method, Response, StatusCode};

use crate::world::{As, ROWS, World, make_layer};

const WFS: &str = "/ogc/wfs?service=WFS&version=2.0.0&request=";

/// An answer's body, parsed so that it is known to be well-formed.
async fn xml(response: Response) -> String {
    let text = response.text().await.unwrap();
    roxmltree::Document::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    text
}

async fn get(world: &World, query: &str) -> String {
    let response = world.get(As::Anonymous, &format!("{WFS}{query}")).await;
    let (status, text) = (response.status(), xml(response).await);
    assert!(status.is_success(), "{query}: {status} {text}");
    text
}

/// The status, the exception's code and its locator.
async fn refused(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let exception = document.descendants().find(|n| n.has_tag_name(("http://www.opengis.net/ows/1.1", "Exception")));
    let exception = exception.unwrap_or_else(|| panic!("no report: {status} {text}"));
    let attribute = |name| exception.attribute(name).unwrap_or_default().to_owned();
    (status, attribute("exceptionCode"), attribute("locator"))
}

fn ids(text: &str) -> Vec<i64> {
    let document = roxmltree::Document::parse(text).unwrap();
    let id = |n: roxmltree::Node<'_, '_>| {
        n.attribute(("http://www.opengis.net/gml/3.2", "id"))?.rsplit_once('.')?.1.parse().ok()
    };
    let members = document.descendants().filter(|n| n.tag_name().name() == "member");
    members.filter_map(|m| m.first_element_child()).filter_map(id).collect()
}

fn root<'a>(text: &'a str, attribute: &str) -> Option<&'a str> {
    let begin = text.find(&format!(" {attribute}=\""))? + attribute.len() + 3;
    text[begin..].split('"').next()
}

#[tokio::test(flavor = "multi_thread")]
async fn capabilities_list_what_the_caller_may_read() {
    let world = World::new().await;
    let text = xml(world.get(As::Anonymous, "/wfs?SERVICE=WFS&REQUEST=GetCapabilities").await).await;
    assert!(text.contains("<wfs:Name>onemap:open</wfs:Name>") && text.contains("version=\"2.0.0\""));
    for hidden in ["hidden", "conditional", "unconditional"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    let mine = xml(world.get(As::Key("health"), "/ogc/wfs?SERVICE=WFS&REQUEST=GetCapabilities").await).await;
    assert!(mine.contains("onemap:unconditional") && !mine.contains("hidden"));
    let some = get(&world, "GetCapabilities&sections=FeatureTypeList").await;
    assert!(some.contains("FeatureTypeList") && !some.contains("OperationsMetadata"));
    let old = world.get(As::Anonymous, "/ogc/wfs?service=WFS&request=GetCapabilities&acceptVersions=1.1.0").await;
    assert!(xml(old).await.contains("version=\"1.1.0\""));
    let none = world.get(As::Anonymous, "/ogc/wfs?service=WFS&request=GetCapabilities&acceptVersions=3.0.0").await;
    assert_eq!(refused(none).await, (400, "VersionNegotiationFailed".into(), "acceptversions".into()));
    // A key in the address goes along in the addresses that clients follow.
    let key = crate::world::key_of("health");
    let keyed =
        xml(world.get(As::Anonymous, &format!("/ogc/wfs?service=WFS&request=GetCapabilities&key={key}")).await).await;
    assert!(keyed.contains(&format!("/ogc/wfs?key={key}&amp;\"")));
    // The zone of Gauss-Krüger that the layer lies in, northing first.
    assert!(text.contains("urn:ogc:def:crs:EPSG::4528"));
    let zone = get(&world, "GetFeature&resourceId=open.45&srsName=urn:ogc:def:crs:EPSG::4528").await;
    let (northing, easting) = zone.split("<gml:pos>").nth(1).unwrap().split_once(' ').unwrap();
    assert!(northing.starts_with("398998") && easting.starts_with("405036"), "{zone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_names_the_fields_that_one_may_see() {
    let world = World::new().await;
    let text = get(&world, "DescribeFeatureType&typeNames=onemap:open").await;
    for part in [
        "name=\"geometry\" type=\"gml:PointPropertyType\"",
        "name=\"floors\" type=\"xsd:long\"",
        "name=\"built\" type=\"xsd:date\"",
        "name=\"open\" type=\"onemap:openType\" substitutionGroup=\"gml:AbstractFeature\"",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let twice = get(&world, "DescribeFeatureType&typeNames=open,onemap:open").await;
    assert_eq!(twice.matches("<xsd:complexType name=\"openType\"").count(), 1);
    world.grant("fields", "'{name,kind}'").await;
    let path = format!("{WFS}DescribeFeatureType&typeNames=conditional");
    let part = xml(world.get(As::Key("health"), &path).await).await;
    assert!(part.contains("name=\"kind\"") && !part.contains("floors"));
    let hidden =
        refused(world.get(As::Key("health"), &format!("{WFS}DescribeFeatureType&typeNames=hidden")).await).await;
    let missing =
        refused(world.get(As::Key("health"), &format!("{WFS}DescribeFeatureType&typeNames=nothing")).await).await;
    assert_eq!(hidden, missing);
    assert_eq!(hidden.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn features_come_as_gml_with_the_axes_of_the_name() {
    let world = World::new().await;
    for (srs, position) in [
        ("", "36 120"),
        ("&srsName=urn:ogc:def:crs:EPSG::4326", "36 120"),
        ("&srsName=http://www.opengis.net/def/crs/EPSG/0/4490", "36 120"),
        ("&srsName=EPSG:4326", "120 36"),
        ("&srsName=urn:ogc:def:crs:OGC:1.3:CRS84", "120 36"),
        ("&srsName=urn:ogc:def:crs:EPSG::3857", "13358338.8952 4300621.372"),
    ] {
        let text = get(&world, &format!("GetFeature&typeNames=onemap:open&count=1{srs}")).await;
        assert!(text.contains(&format!("<gml:pos>{position}</gml:pos>")), "{srs}: {text}");
        let name = srs.strip_prefix("&srsName=").unwrap_or("urn:ogc:def:crs:EPSG::4490");
        assert!(text.contains(&format!("srsName=\"{name}\"")), "{srs}: {text}");
    }
    let text = get(&world, "GetFeature&typeNames=open&count=1").await;
    for part in [
        "<onemap:open gml:id=\"open.1\"><onemap:geometry><gml:Point gml:id=\"open.1.g\"",
        "<onemap:name>第0栋 g0</onemap:name><onemap:kind>住宅</onemap:kind><onemap:floors>0</onemap:floors>",
        "<onemap:height>0.0</onemap:height><onemap:listed>true</onemap:listed><onemap:built>2019-04-14</onemap:built>",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    world.sql("update data.r1 set name = '<a> & ]]>', kind = null, height = 'NaN' where fid = 1").await;
    let text = get(&world, "GetFeature&typeNames=open&count=1").await;
    assert!(text.contains(
        "<onemap:name>&lt;a&gt; &amp; ]]&gt;</onemap:name><onemap:floors>0</onemap:floors><onemap:height>NaN<"
    ));
    let json = world
        .json(As::Anonymous, &format!("{WFS}GetFeature&typeNames=open&count=1&outputFormat=application/json"))
        .await;
    assert_eq!((json["numberMatched"].as_i64(), json["numberReturned"].as_i64()), (Some(ROWS), Some(1)));
    assert_eq!(json["features"][0]["geometry"]["coordinates"], serde_json::json!([120, 36]));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_by_number_show_every_feature_once_whatever_their_order() {
    let world = World::new().await;
    world.sql("update data.r1 set kind = null where fid % 7 = 0").await;
    for order in ["", "&sortBy=kind,floors DESC"] {
        let mut url = format!("{}{WFS}GetFeature&typeNames=open&count=9{order}", world.url);
        let (mut seen, mut pages) = (vec![], 0);
        loop {
            let text = xml(reqwest::get(&url).await.unwrap()).await;
            let page = ids(&text);
            assert_eq!(root(&text, "numberReturned"), Some(page.len().to_string().as_str()));
            assert_eq!(root(&text, "numberMatched"), Some("100"));
            // The same page counted off, as a node that has never seen the page before would.
            let fresh = world.beside().await;
            let again = xml(reqwest::get(url.replace(&world.url, &fresh.url)).await.unwrap()).await;
            assert_eq!(ids(&again), page);
            seen.extend(page);
            pages += 1;
            match root(&text, "next") {
                Some(next) => url = next.replace("&amp;", "&"),
                None => break,
            }
        }
        assert_eq!(pages, 12);
        seen.sort();
        assert_eq!(seen, (1..=ROWS).collect::<Vec<_>>(), "{order}");
    }
    let beyond = get(&world, "GetFeature&typeNames=open&startIndex=1000").await;
    assert_eq!((root(&beyond, "numberReturned"), root(&beyond, "numberMatched")), (Some("0"), Some("100")));
    let none = get(&world, "GetFeature&typeNames=open&count=0").await;
    assert_eq!((root(&none, "numberReturned"), root(&none, "numberMatched")), (Some("0"), Some("100")));
    let hits = get(&world, "GetFeature&typeNames=open&resultType=hits").await;
    assert_eq!((root(&hits, "numberReturned"), root(&hits, "numberMatched")), (Some("0"), Some("100")));
}

#[tokio::test(flavor = "multi_thread")]
async fn boxes_ids_and_choices_narrow() {
    let world = World::new().await;
    for bbox in [
        "36.005,119.995,36.025,120.025",
        "36.005,119.995,36.025,120.025,urn:ogc:def:crs:EPSG::4326",
        "119.995,36.005,120.025,36.025,EPSG:4326",
        "119.995,36.005,120.025,36.025,urn:ogc:def:crs:OGC:1.3:CRS84",
        "13357782.3,4301309.4,13361121.9,4304061.9,urn:ogc:def:crs:EPSG::3857",
    ] {
        let text = get(&world, &format!("GetFeature&typeNames=open&bbox={bbox}")).await;
        assert_eq!(ids(&text), [11, 12, 13, 21, 22, 23], "{bbox}");
    }
    assert_eq!(ids(&get(&world, "GetFeature&resourceId=open.3,open.5,open.777").await), [3, 5]);
    assert_eq!(ids(&get(&world, "GetFeature&typeNames=open&resourceId=other.3,open.5").await), [5]);
    let chosen = get(&world, "GetFeature&typeNames=open&propertyName=name&count=1").await;
    assert!(
        chosen.contains("<onemap:name>") && !chosen.contains("onemap:geometry") && !chosen.contains("onemap:kind>")
    );
    let sorted = get(&world, "GetFeature&typeNames=open&sortBy=height DESC&count=2").await;
    assert_eq!(ids(&sorted), [100, 99]);
    let path = format!("{WFS}GetFeature&typeNames=open&resourceId=open.3,open.5&outputFormat=csv&propertyName=name");
    let csv = world.get(As::Anonymous, &path).await.text().await.unwrap();
    assert!(csv.contains("第2栋 g0") && csv.contains("第4栋 g0") && csv.trim_end().lines().count() == 3, "{csv}");
    let several = get(&world, "GetFeature&typeNames=(open)(open)&count=3&startIndex=98").await;
    assert!(several.contains("numberMatched=\"200\" numberReturned=\"3\""), "{several}");
    assert!(several.contains("open.99\"") && several.contains("open.100\"") && several.contains("open.1\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_by_its_id_and_the_values_of_a_property() {
    let world = World::new().await;
    let stored = "urn:ogc:def:query:OGC-WFS::GetFeatureById";
    let text = get(&world, &format!("GetFeature&storedQuery_Id={stored}&id=open.7")).await;
    assert!(text.contains("?>\n<onemap:open gml:id=\"open.7\" xmlns:onemap="), "{text}");
    for missing in ["open.1000", "hidden.1", "nothing.1", "nonsense"] {
        let path = format!("{WFS}GetFeature&storedQuery_Id={stored}&id={missing}");
        assert_eq!(refused(world.get(As::Anonymous, &path).await).await.0, 404, "{missing}");
    }
    assert!(get(&world, "ListStoredQueries").await.contains(stored));
    assert!(get(&world, "DescribeStoredQueries").await.contains("name=\"id\""));
    world.sql("update data.r1 set kind = null where fid = 2").await;
    let values = get(&world, "GetPropertyValue&typeNames=open&valueReference=kind&count=3").await;
    assert!(values.contains("numberReturned=\"2\""), "{values}");
    assert_eq!(values.matches("<wfs:member><onemap:kind>住宅</onemap:kind></wfs:member>").count(), 2);
    let places = get(&world, "GetPropertyValue&typeNames=open&valueReference=onemap:geometry&count=1").await;
    assert!(places.contains("<wfs:member><onemap:geometry><gml:Point"));
    assert!(get(&world, "GetPropertyValue&typeNames=open&valueReference=@gml:id&count=1").await.contains(">open.1<"));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_reports_that_name_the_parameter() {
    let world = World::new().await;
    for (query, status, code, locator) in [
        ("request=GetFeature&version=2.0.0&typeNames=open", 400, "MissingParameterValue", "service"),
        ("service=WFS&version=2.0.0", 400, "MissingParameterValue", "request"),
        ("service=WMS&version=2.0.0&request=GetFeature", 400, "InvalidParameterValue", "service"),
        ("service=WFS&request=GetFeature&typeNames=open", 400, "MissingParameterValue", "version"),
        ("service=WFS&version=3.0.0&request=GetFeature&typeNames=open", 400, "InvalidParameterValue", "version"),
        ("service=WFS&version=2.0.0&request=Dance", 400, "OperationNotSupported", "request"),
        ("service=WFS&version=2.0.0&request=LockFeature", 400, "OperationNotSupported", "request"),
    ] {
        let found = refused(world.get(As::Anonymous, &format!("/ogc/wfs?{query}")).await).await;
        assert_eq!(found, (status, code.into(), locator.into()), "{query}");
    }
    for (query, status, code, locator) in [
        ("", 400, "MissingParameterValue", "typenames"),
        ("&typeNames=nothing", 404, "InvalidParameterValue", "typenames"),
        ("&typeNames=open,open", 400, "OptionNotSupported", "typenames"),
        ("&typeNames=open&outputFormat=dwg", 400, "InvalidParameterValue", "outputformat"),
        ("&typeNames=open&srsName=EPSG:1", 400, "InvalidParameterValue", "srsname"),
        ("&typeNames=open&propertyName=secret", 400, "InvalidParameterValue", "propertyname"),
        ("&typeNames=open&sortBy=secret", 400, "InvalidParameterValue", "sortby"),
        ("&typeNames=open&sortBy=geometry", 400, "InvalidParameterValue", "sortby"),
        ("&typeNames=open&bbox=1,2,3", 400, "InvalidParameterValue", "bbox"),
        ("&typeNames=open&bbox=1,2,3,4,EPSG:9", 400, "InvalidParameterValue", "bbox"),
        ("&typeNames=open&bbox=95,2,99,4", 400, "InvalidParameterValue", "bbox"),
        ("&typeNames=open&count=-1", 400, "InvalidParameterValue", "count"),
        ("&typeNames=open&startIndex=x", 400, "InvalidParameterValue", "startindex"),
        ("&typeNames=open&filter=<Filter", 400, "OperationParsingFailed", "filter"),
        ("&typeNames=open&filter=<Filter/>", 400, "InvalidParameterValue", "filter"),
        ("&storedQuery_Id=x&id=1", 400, "InvalidParameterValue", "storedquery_id"),
    ] {
        let found = refused(world.get(As::Anonymous, &format!("{WFS}GetFeature{query}")).await).await;
        assert_eq!(found, (status, code.into(), locator.into()), "{query}");
    }
    let post = async |body: String| {
        let request = world.request(Method::POST, "/ogc/wfs").header("content-type", "text/xml").body(body);
        refused(request.send().await.unwrap()).await
    };
    let laughs = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>";
    assert_eq!(post(laughs.into()).await, (400, "OperationParsingFailed".into(), "request".into()));
    for body in ["", "x", "<a/>", "<wfs:GetFeature/>", "<GetFeature service='WFS' version='2.0.0'/>"] {
        assert_eq!(post(body.into()).await.0, 400, "{body}");
    }
    assert_eq!(post("<a>".repeat(50_000)).await.0, 400);
    assert_eq!(post(format!("<a>{}</a>", "x".repeat(300_000))).await.0, 400);
    let transaction = "<wfs:Transaction xmlns:wfs='http://www.opengis.net/wfs/2.0' service='WFS' version='2.0.0'/>";
    assert_eq!(post(transaction.into()).await.1, "OperationNotSupported");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_and_xml_ask_the_same() {
    let world = World::new().await;
    let plain = ids(&get(&world, "GetFeature&typeNames=open&count=2&startIndex=4").await);
    let form = world.request(Method::POST, "/ogc/wfs").header("content-type", "application/x-www-form-urlencoded");
    let form = form.body("service=WFS&version=2.0.0&request=GetFeature&typeNames=open&count=2&startIndex=4");
    assert_eq!(ids(&xml(form.send().await.unwrap()).await), plain);
    let body = "<wfs:GetFeature xmlns:wfs='http://www.opengis.net/wfs/2.0' service='WFS' version='2.0.0' count='2' startIndex='4'>
        <wfs:Query typeNames='onemap:open' xmlns:onemap='urn:x-onemap:layer'><wfs:PropertyName>onemap:name</wfs:PropertyName></wfs:Query></wfs:GetFeature>";
    let response =
        world.request(Method::POST, "/wfs").header("content-type", "application/xml").body(body).send().await.unwrap();
    let text = xml(response).await;
    assert_eq!(ids(&text), plain);
    // The next page of a request in XML is an address.
    let next = root(&text, "next").unwrap().replace("&amp;", "&");
    let text = xml(reqwest::get(&next).await.unwrap()).await;
    assert_eq!(ids(&text), [7, 8]);
    assert!(text.contains("onemap:name") && !text.contains("onemap:kind>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_of_a_part_shows_a_part() {
    let world = World::new().await;
    world.grant("fields, row_filter", "'{name,kind}', '{\"kind\": [\"商业\"]}'").await;
    let path = format!("{WFS}GetFeature&typeNames=conditional");
    let text = xml(world.get(As::Key("health"), &path).await).await;
    assert_eq!(root(&text, "numberMatched"), Some("50"));
    assert!(text.contains("商业") && !text.contains("住宅") && !text.contains("onemap:floors"));
    let one = world.get(As::Key("health"), &format!("{WFS}GetFeature&resourceId=conditional.1")).await;
    assert!(ids(&xml(one).await).is_empty(), "a row that the grant leaves out");
    for query in [
        "propertyName=floors",
        "sortBy=floors",
        "filter=<Filter xmlns='http://www.opengis.net/fes/2.0'><PropertyIsNull><ValueReference>floors</ValueReference></PropertyIsNull></Filter>",
    ] {
        let (status, code, _) = refused(world.get(As::Key("health"), &format!("{path}&{query}")).await).await;
        assert_eq!((status, code.as_str()), (400, "InvalidParameterValue"), "{query}");
    }
    assert_eq!(world.get(As::Anonymous, &path).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_before_speaks_its_own_gml() {
    let world = World::new().await;
    let path = "/ogc/wfs?service=WFS&version=1.1.0&request=GetFeature&typeName=onemap:open&maxFeatures=2";
    let text = xml(world.get(As::Anonymous, path).await).await;
    assert!(text.contains("xmlns:gml=\"http://www.opengis.net/gml\"") && text.contains("numberOfFeatures=\"2\""));
    assert!(text.contains("<gml:featureMember><onemap:open gml:id=\"open.1\"><onemap:geometry><gml:Point srsName="));
    let response =
        world.get(As::Anonymous, "/ogc/wfs?service=WFS&version=1.1.0&request=GetFeature&typeName=nothing").await;
    assert!(xml(response).await.contains("http://www.opengis.net/ows\""), "a report of OWS 1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_no_xml_names_find_their_fields() {
    let world = World::new().await;
    world
        .sql(
            "create schema odd; create table odd.t (nr int primary key, \"3 楼（㎡）\" int, \"geometry\" text, geom geometry(Point, 4490));
             insert into odd.t values (1, 7, 'x', st_setsrid(st_makepoint(120, 36), 4490));
             grant usage on schema odd to onemap_app; grant select on odd.t to onemap_app;
             insert into onemap.layer (id, department_id, title_zh, title_en, share_class, anonymous, registered_schema,
                 registered_table, registered_key, registered_geometry)
             values ('3d-odd', 'housing', '怪', 'Odd', 'unconditional', true, 'odd', 't', 'nr', 'geom')",
        )
        .await;
    world.app.refresh().await.unwrap();
    let element = "_x0033__x0020_楼_xFF08__x33A1__xFF09_";
    let text = get(&world, "DescribeFeatureType&typeNames=_x0033_d-odd").await;
    assert!(text.contains(&format!("name=\"{element}\" type=\"xsd:long\"")), "{text}");
    let text = get(&world, "GetFeature&typeNames=_x0033_d-odd").await;
    assert!(
        text.contains(&format!("<onemap:{element}>7</onemap:{element}><onemap:geometry>x</onemap:geometry>")),
        "{text}"
    );
    assert!(text.contains("gml:id=\"_x0033_d-odd.1\"><onemap:geom><gml:Point"));
    let one = get(&world, &format!("GetFeature&resourceId=_x0033_d-odd.1&propertyName={element}")).await;
    assert!(one.contains(&format!("<onemap:{element}>7<")) && !one.contains("gml:Point"));
    // What WMS finds and describes has the same names.
    let wms = "/ogc/wms?service=WMS&version=1.1.1&layers=3d-odd&request=";
    let at = "GetFeatureInfo&query_layers=3d-odd&styles=&srs=EPSG:4326&bbox=119.9,35.9,120.1,36.1&width=100&height=100&x=50&y=50";
    let path = format!("{wms}{at}&info_format=application/vnd.ogc.gml");
    let found = xml(world.get(As::Anonymous, &path).await).await;
    for part in [
        "<onemap:_x0033_d-odd fid=\"_x0033_d-odd.1\"><onemap:geom><gml:Point",
        &format!("<onemap:{element}>7</onemap:{element}><onemap:geometry>x</onemap:geometry>"),
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    let described = xml(world.get(As::Anonymous, &format!("{wms}DescribeLayer")).await).await;
    assert!(described.contains("typeName=\"onemap:_x0033_d-odd\""), "{described}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_has_a_place_among_the_downloads() {
    let world = World::new().await;
    make_layer(&world.app, "many", ShareClass::Unconditional, true, 10_500).await;
    let mut taken = vec![];
    while let Ok(place) = world.app.downloads.place() {
        taken.push(place);
    }
    let path = format!("{WFS}GetFeature&typeNames=many&count=20000");
    assert_eq!(refused(world.get(As::Anonymous, &path).await).await.0, 503);
    assert_eq!(ids(&get(&world, "GetFeature&typeNames=many&count=3").await), [1, 2, 3]);
    drop(taken);
    let text = get(&world, "GetFeature&typeNames=many&count=20000").await;
    assert_eq!((root(&text, "numberReturned"), root(&text, "numberMatched")), (Some("10500"), Some("10500")));
    assert_eq!(ids(&text).len(), 10_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_large_is_streamed_or_refused() {
    let world = World::new().await;
    world.squares(250).await;
    // 5 MB, whose number of features is said before they are read; more at once than there are connections.
    let asked = &world;
    let streamed = || async move {
        let path = format!("{WFS}GetFeature&typeNames=big&count=30");
        let mut response = asked.get(As::Anonymous, &path).await;
        // Who waited too long for a connection is told so, and asks again; none waits for ever.
        for _ in 0..5 {
            if response.status() == 503 {
                response = asked.get(As::Anonymous, &path).await;
            }
        }
        assert_eq!(response.status(), 200);
        let text = response.text().await.unwrap();
        assert_eq!((root(&text, "numberReturned"), root(&text, "numberMatched")), (Some("30"), Some("250")));
        assert!(text.len() > 4_000_000 && text.ends_with("</wfs:member>\n</wfs:FeatureCollection>\n"));
        assert_eq!(text.matches("<wfs:member>").count(), 30);
    };
    futures_util::future::join_all((0..12).map(|_| streamed())).await;
    // What is gathered has a limit.
    for query in ["GetFeature&typeNames=(big)(open)", "GetPropertyValue&typeNames=big&valueReference=geometry"] {
        let found = refused(world.get(As::Anonymous, &format!("{WFS}{query}")).await).await;
        assert_eq!((found.0, found.1.as_str()), (413, "OperationProcessingFailed"), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_its_number_where_all_are_not_counted_in_time() {
    let world = World::new().await;
    world.squares(70).await;
    world
        .sql(
            "create function big.wait() returns boolean language plpgsql volatile as
                 $$ begin perform pg_sleep(0.05); return true; end $$;
             create view big.slow as select * from big.t where big.wait();
             grant select on big.slow to onemap_app",
        )
        .await;
    world.register("slow", "slow").await;
    let response = world.get(As::Anonymous, &format!("{WFS}GetFeature&typeNames=slow&count=20")).await;
    let text = response.text().await.unwrap();
    assert_eq!((root(&text, "numberReturned"), root(&text, "numberMatched")), (Some("20"), Some("unknown")));
    assert!(root(&text, "next").is_some() && text.matches("<wfs:member>").count() == 20);
}
