//! Filters in XML find what their meaning in CQL2 finds.

use reqwest::Method;

use crate::world::{As, World};

const NAMESPACES: &str = "xmlns:fes='http://www.opengis.net/fes/2.0' xmlns:gml='http://www.opengis.net/gml/3.2' xmlns:o='urn:x-onemap:layer'";

fn ids(text: &str) -> Vec<i64> {
    let document = roxmltree::Document::parse(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let id = |n: roxmltree::Node<'_, '_>| {
        n.attribute(("http://www.opengis.net/gml/3.2", "id"))?.rsplit_once('.')?.1.parse().ok()
    };
    let members = document.descendants().filter(|n| n.tag_name().name() == "member");
    members.filter_map(|member| member.first_element_child()).filter_map(id).collect()
}

/// What a filter finds, by GET and by POST alike.
async fn found(world: &World, filter: &str) -> Vec<i64> {
    let filter = format!("<fes:Filter {NAMESPACES}>{filter}</fes:Filter>");
    let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let path = format!("/ogc/wfs?service=WFS&version=2.0.0&request=GetFeature&typeNames=open&filter={query}");
    let response = world.get(As::Anonymous, &path).await;
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 200, "{filter}: {text}");
    let body = format!(
        "<wfs:GetFeature xmlns:wfs='http://www.opengis.net/wfs/2.0' {NAMESPACES} service='WFS' version='2.0.0'>
         <wfs:Query typeNames='o:open'>{}</wfs:Query></wfs:GetFeature>",
        filter.replace(NAMESPACES, "")
    );
    let post = world.request(Method::POST, "/ogc/wfs").header("content-type", "text/xml").body(body);
    assert_eq!(ids(&post.send().await.unwrap().text().await.unwrap()), ids(&text), "{filter}");
    ids(&text)
}

/// What a condition in CQL2 finds among items.
async fn items(world: &World, filter: &str) -> Vec<i64> {
    let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let found = world.json(As::Anonymous, &format!("/ogc/collections/open/items?limit=1000&filter={query}")).await;
    found["features"].as_array().unwrap().iter().map(|f| f["id"].as_i64().unwrap()).collect()
}

fn compare(operator: &str, name: &str, literal: &str) -> String {
    format!(
        "<fes:{operator}><fes:ValueReference>o:{name}</fes:ValueReference><fes:Literal>{literal}</fes:Literal></fes:{operator}>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn comparisons_and_logic_find_what_cql2_finds() {
    let world = World::new().await;
    world.sql("update data.r1 set kind = null where fid = 3").await;
    let is = |name, literal| compare("PropertyIsEqualTo", name, literal);
    let like = |pattern: &str| {
        format!(
            "<fes:PropertyIsLike wildCard='*' singleChar='#' escapeChar='!'><fes:ValueReference>name</fes:ValueReference><fes:Literal>{pattern}</fes:Literal></fes:PropertyIsLike>"
        )
    };
    for (filter, condition) in [
        (is("kind", "住宅"), "kind = '住宅'"),
        (compare("PropertyIsNotEqualTo", "kind", "住宅"), "kind <> '住宅'"),
        (format!("<fes:Not>{}</fes:Not>", is("kind", "住宅")), "NOT kind = '住宅'"),
        (format!("<fes:And>{}{}</fes:And>", is("kind", "住宅"), is("floors", "4")), "kind = '住宅' AND floors = 4"),
        (format!("<fes:Or>{}{}</fes:Or>", is("floors", "1"), is("floors", "4")), "floors = 1 OR floors = 4"),
        (compare("PropertyIsGreaterThan", "height", "300.5"), "height > 300.5"),
        (compare("PropertyIsLessThanOrEqualTo", "built", "2019-04-20"), "built <= DATE('2019-04-20')"),
        (is("listed", "true"), "listed = TRUE"),
        (like("第1#栋*"), "name LIKE '第1_栋%'"),
        ("<fes:PropertyIsNull><fes:ValueReference>kind</fes:ValueReference></fes:PropertyIsNull>".into(), "kind IS NULL"),
        (
            "<fes:PropertyIsBetween><fes:ValueReference>floors</fes:ValueReference><fes:LowerBoundary><fes:Literal>3</fes:Literal></fes:LowerBoundary><fes:UpperBoundary><fes:Literal>5</fes:Literal></fes:UpperBoundary></fes:PropertyIsBetween>".into(),
            "floors BETWEEN 3 AND 5",
        ),
    ] {
        let (found, expected) = (found(&world, &filter).await, items(&world, condition).await);
        assert_eq!(found, expected, "{filter}");
        assert!(!found.is_empty() && found.len() < 100, "{condition} tells something");
    }
    let both = format!("<fes:And><fes:ResourceId rid='open.5'/>{}</fes:And>", is("kind", "住宅"));
    assert_eq!(found(&world, &both).await, [5]);
    assert_eq!(found(&world, "<fes:ResourceId rid='open.5'/><fes:ResourceId rid='open.6'/>").await, [5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn places_and_times_find_what_cql2_finds() {
    let world = World::new().await;
    let place = |operator: &str, geometry: &str| {
        format!("<fes:{operator}><fes:ValueReference>o:geometry</fes:ValueReference>{geometry}</fes:{operator}>")
    };
    let ring = |srs: &str, list: &str| {
        format!(
            "<gml:Polygon gml:id='p'{srs}><gml:exterior><gml:LinearRing><gml:posList>{list}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
        )
    };
    let polygon = "POLYGON((120.005 36.005, 120.025 36.005, 120.025 36.035, 120.005 36.005))";
    for (srs, list) in [
        ("", "36.005 120.005 36.005 120.025 36.035 120.025 36.005 120.005"),
        (" srsName='urn:ogc:def:crs:EPSG::4326'", "36.005 120.005 36.005 120.025 36.035 120.025 36.005 120.005"),
        (" srsName='EPSG:4326'", "120.005 36.005 120.025 36.005 120.025 36.035 120.005 36.005"),
    ] {
        for (operator, function) in [("Intersects", "S_INTERSECTS"), ("Within", "S_WITHIN"), ("Disjoint", "S_DISJOINT")]
        {
            let found = found(&world, &place(operator, &ring(srs, list))).await;
            assert_eq!(found, items(&world, &format!("{function}(geometry, {polygon})")).await, "{operator} {srs}");
            assert!(!found.is_empty() && found.len() < 100);
        }
    }
    let envelope = "<gml:Envelope srsName='urn:ogc:def:crs:EPSG::3857'><gml:lowerCorner>13357782.3 4301309.4</gml:lowerCorner><gml:upperCorner>13361121.9 4304061.9</gml:upperCorner></gml:Envelope>";
    assert_eq!(found(&world, &format!("<fes:BBOX>{envelope}</fes:BBOX>")).await, [11, 12, 13, 21, 22, 23]);
    // Points lie 0.01° apart: 1,110 m northwards, 900 m eastwards.
    let near = |operator: &str, metres: &str| {
        let point = "<gml:Point gml:id='q'><gml:pos>36.00 120.00</gml:pos></gml:Point>";
        place(operator, &format!("{point}<fes:Distance uom='m'>{metres}</fes:Distance>"))
    };
    assert_eq!(found(&world, &near("DWithin", "1000")).await, [1, 2]);
    assert_eq!(found(&world, &near("DWithin", "1200")).await, [1, 2, 11]);
    assert_eq!(found(&world, &near("Beyond", "1200")).await.len(), 97);
    let period = "<gml:TimePeriod gml:id='t'><gml:beginPosition>2019-04-15</gml:beginPosition><gml:endPosition>2019-04-20</gml:endPosition></gml:TimePeriod>";
    let instant = "<gml:TimeInstant gml:id='t'><gml:timePosition>2019-04-20</gml:timePosition></gml:TimeInstant>";
    for (operator, operand, condition) in [
        ("During", period, "built > DATE('2019-04-15') AND built < DATE('2019-04-20')"),
        ("Begins", period, "built = DATE('2019-04-15')"),
        ("Ends", period, "built = DATE('2019-04-20')"),
        ("Before", instant, "T_BEFORE(built, DATE('2019-04-20'))"),
        ("After", instant, "T_AFTER(built, DATE('2019-04-20'))"),
        ("TEquals", instant, "T_EQUALS(built, DATE('2019-04-20'))"),
        ("AnyInteracts", period, "T_INTERSECTS(built, INTERVAL('2019-04-15', '2019-04-20'))"),
    ] {
        let filter =
            format!("<fes:{operator}><fes:ValueReference>built</fes:ValueReference>{operand}</fes:{operator}>");
        let found = found(&world, &filter).await;
        assert_eq!(found, items(&world, condition).await, "{operator}");
        assert!(!found.is_empty() && found.len() < 100, "{operator}");
    }
    let function = "<fes:PropertyIsEqualTo><fes:Function name='year'><fes:ValueReference>built</fes:ValueReference></fes:Function><fes:Literal>2019</fes:Literal></fes:PropertyIsEqualTo>";
    assert_eq!(found(&world, function).await.len(), 100);
}
