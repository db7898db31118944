//! Filters in XML and the CQL2 that they become.

use onemap_cql2::Kind;
use onemap_fes::{FeatureType, Property, Reference, Translation, document, translate};
use proptest::prelude::*;
use serde_json::{Value, json};

struct Buildings;

impl FeatureType for Buildings {
    fn property(&self, name: &str) -> Option<Property> {
        let kind = match name {
            "名称" | "kind" => Kind::Text,
            "floors" => Kind::Integer,
            "height" => Kind::Float,
            "listed" => Kind::Boolean,
            "built" => Kind::Date,
            "seen" => Kind::Timestamp,
            "geometry" => return Some(Property::Geometry("geometry".into())),
            _ => return None,
        };
        Some(Property::Field(name.into(), kind))
    }
    fn geometry(&self) -> Option<String> {
        Some("geometry".into())
    }
    fn reference(&self, name: Option<&str>) -> Option<Reference> {
        Some(match name {
            None | Some("urn:ogc:def:crs:EPSG::4490") => Reference { srid: 4490, swapped: true, degrees: true },
            Some("EPSG:4490") => Reference { srid: 4490, swapped: false, degrees: true },
            Some("EPSG:3857") => Reference { srid: 3857, swapped: false, degrees: false },
            _ => return None,
        })
    }
}

fn read(inner: &str) -> Result<Translation, String> {
    let text = format!(
        r#"<fes:Filter xmlns:fes="http://www.opengis.net/fes/2.0" xmlns:gml="http://www.opengis.net/gml/3.2"
            xmlns:b="urn:b">{inner}</fes:Filter>"#
    );
    let document = document(&text).map_err(|fault| fault.to_string())?;
    translate(document.root_element(), &Buildings).map_err(|fault| fault.to_string())
}

#[track_caller]
fn becomes(inner: &str, expected: Value) {
    assert_eq!(read(inner).unwrap().condition.unwrap(), expected);
}

fn compare(operator: &str, name: &str, literal: &str) -> String {
    format!(
        "<fes:{operator}><fes:ValueReference>{name}</fes:ValueReference><fes:Literal>{literal}</fes:Literal></fes:{operator}>"
    )
}

#[test]
fn literals_take_the_type_of_what_stands_beside_them() {
    let property = |name: &str| json!({"property": name});
    for (name, literal, expected) in [
        ("floors", " 5 ", json!(5)),
        ("height", "5", json!(5)),
        ("height", "5.5e1", json!(55.0)),
        ("名称", "5", json!("5")),
        ("b:名称", " 青岛 &lt;&amp;", json!(" 青岛 <&")),
        ("listed", "1", json!(true)),
        ("built", "2024-05-01", json!({"date": "2024-05-01"})),
        ("seen", "2024-05-01T08:00:00+08:00", json!({"timestamp": "2024-05-01T00:00:00Z"})),
    ] {
        let bare = name.trim_start_matches("b:");
        becomes(
            &compare("PropertyIsEqualTo", name, literal),
            json!({"op": "=", "args": [property(bare), expected.clone()]}),
        );
        // The literal first.
        becomes(
            &format!(
                "<fes:PropertyIsLessThan><fes:Literal>{literal}</fes:Literal><fes:ValueReference>{name}</fes:ValueReference></fes:PropertyIsLessThan>"
            ),
            json!({"op": "<", "args": [expected, property(bare)]}),
        );
    }
    for (name, literal) in [("floors", "many"), ("listed", "yes"), ("built", "yesterday"), ("height", "NaN")] {
        assert!(read(&compare("PropertyIsEqualTo", name, literal)).unwrap_err().contains(literal));
    }
    assert!(read(&compare("PropertyIsEqualTo", "secret", "1")).unwrap_err().contains("no property secret"));
}

#[test]
fn comparisons_of_every_kind() {
    for (element, sign) in [
        ("PropertyIsNotEqualTo", "<>"),
        ("PropertyIsLessThan", "<"),
        ("PropertyIsGreaterThan", ">"),
        ("PropertyIsLessThanOrEqualTo", "<="),
        ("PropertyIsGreaterThanOrEqualTo", ">="),
    ] {
        becomes(&compare(element, "floors", "3"), json!({"op": sign, "args": [{"property": "floors"}, 3]}));
    }
    becomes(
        "<fes:PropertyIsEqualTo matchCase='false'><fes:ValueReference>kind</fes:ValueReference><fes:Literal>Shop</fes:Literal></fes:PropertyIsEqualTo>",
        json!({"op": "=", "args": [{"op": "casei", "args": [{"property": "kind"}]}, {"op": "casei", "args": ["Shop"]}]}),
    );
    becomes(
        "<fes:PropertyIsLike wildCard='*' singleChar='#' escapeChar='!'><fes:ValueReference>名称</fes:ValueReference><fes:Literal>*学#</fes:Literal></fes:PropertyIsLike>",
        json!({"op": "like", "args": [{"property": "名称"}, "%学_"]}),
    );
    becomes(
        "<fes:PropertyIsNull><fes:ValueReference>built</fes:ValueReference></fes:PropertyIsNull>",
        json!({"op": "isNull", "args": [{"property": "built"}]}),
    );
    becomes(
        "<fes:PropertyIsBetween><fes:ValueReference>built</fes:ValueReference><fes:LowerBoundary><fes:Literal>2020-01-01</fes:Literal></fes:LowerBoundary><fes:UpperBoundary><fes:Literal>2020-12-31</fes:Literal></fes:UpperBoundary></fes:PropertyIsBetween>",
        json!({"op": "and", "args": [
            {"op": ">=", "args": [{"property": "built"}, {"date": "2020-01-01"}]},
            {"op": "<=", "args": [{"property": "built"}, {"date": "2020-12-31"}]},
        ]}),
    );
    assert!(read("<fes:PropertyIsLike wildCard='*' singleChar='#'><fes:ValueReference>kind</fes:ValueReference><fes:Literal>x</fes:Literal></fes:PropertyIsLike>").is_err());
}

#[test]
fn logic_and_ids() {
    let (a, b) = (compare("PropertyIsEqualTo", "floors", "1"), compare("PropertyIsEqualTo", "floors", "2"));
    let is = |n| json!({"op": "=", "args": [{"property": "floors"}, n]});
    becomes(&format!("<fes:Or>{a}{b}</fes:Or>"), json!({"op": "or", "args": [is(1), is(2)]}));
    becomes(
        &format!("<fes:And>{a}<fes:Not>{b}</fes:Not></fes:And>"),
        json!({"op": "and", "args": [is(1), {"op": "not", "args": [is(2)]}]}),
    );
    let ids = |inner: &str| read(inner).unwrap().ids.unwrap();
    let resource = |id: &str| format!("<fes:ResourceId rid='{id}'/>");
    assert_eq!(ids(&format!("{}{}", resource("b.1"), resource("b.2"))), ["b.1", "b.2"]);
    assert_eq!(ids(&format!("<fes:Or>{}{}</fes:Or>", resource("b.1"), resource("b.2"))), ["b.1", "b.2"]);
    let both = read(&format!("<fes:And>{}{a}</fes:And>", resource("b.7"))).unwrap();
    assert_eq!((both.ids, both.condition), (Some(vec!["b.7".to_owned()]), Some(is(1))));
    assert_eq!(ids(&format!("<fes:And>{}{}</fes:And>", resource("b.1"), resource("b.2"))), Vec::<String>::new());
    assert!(read(&format!("<fes:Not>{}</fes:Not>", resource("b.1"))).unwrap_err().contains("And"));
    assert!(read(&format!("<fes:Or>{}{a}</fes:Or>", resource("b.1"))).is_err());
    for bad in ["", "<fes:And/>", "<fes:Not/>", "<fes:Nothing/>", "<fes:ResourceId/>", &format!("{a}{b}")] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn geometries_come_in_the_order_x_y() {
    let intersects = |geometry: &str| {
        let reference = "<fes:ValueReference>b:geometry</fes:ValueReference>";
        read(&format!("<fes:Intersects>{reference}{geometry}</fes:Intersects>"))
    };
    let square = "<gml:exterior><gml:LinearRing><gml:posList>36 120 36 121 37 121 37 120 36 120</gml:posList></gml:LinearRing></gml:exterior>";
    let hole = "<gml:interior><gml:LinearRing><gml:posList>36.1 120.1 36.2 120.1 36.2 120.2 36.1 120.1</gml:posList></gml:LinearRing></gml:interior>";
    let ring = json!([[120.0, 36.0], [121.0, 36.0], [121.0, 37.0], [120.0, 37.0], [120.0, 36.0]]);
    let inner = json!([[120.1, 36.1], [120.1, 36.2], [120.2, 36.2], [120.1, 36.1]]);
    let line = json!([[120.0, 36.0], [121.0, 37.0]]);
    for (geometry, kind, coordinates) in [
        ("<gml:Point><gml:pos>36 120</gml:pos></gml:Point>".to_owned(), "Point", json!([120.0, 36.0])),
        ("<gml:Point srsName='EPSG:4490'><gml:pos>120 36 5</gml:pos></gml:Point>".into(), "Point", json!([120.0, 36.0])),
        ("<gml:LineString srsDimension='3'><gml:posList>36 120 1 37 121 2</gml:posList></gml:LineString>".into(), "LineString", line.clone()),
        ("<gml:LineString><gml:pos>36 120</gml:pos><gml:pos>37 121</gml:pos></gml:LineString>".into(), "LineString", line.clone()),
        ("<gml:LineString><gml:coordinates>36,120 37,121</gml:coordinates></gml:LineString>".into(), "LineString", line.clone()),
        ("<gml:Curve><gml:segments><gml:LineStringSegment><gml:posList>36 120 37 121</gml:posList></gml:LineStringSegment></gml:segments></gml:Curve>".into(), "LineString", line.clone()),
        (format!("<gml:Polygon>{square}{hole}</gml:Polygon>"), "Polygon", json!([ring, inner])),
        (format!("<gml:Surface><gml:patches><gml:PolygonPatch>{square}</gml:PolygonPatch></gml:patches></gml:Surface>"), "Polygon", json!([ring])),
        ("<gml:MultiPoint><gml:pointMember><gml:Point><gml:pos>36 120</gml:pos></gml:Point></gml:pointMember></gml:MultiPoint>".into(), "MultiPoint", json!([[120.0, 36.0]])),
        ("<gml:MultiCurve><gml:curveMember><gml:LineString><gml:posList>36 120 37 121</gml:posList></gml:LineString></gml:curveMember></gml:MultiCurve>".into(), "MultiLineString", json!([line])),
        (format!("<gml:MultiSurface><gml:surfaceMember><gml:Polygon>{square}</gml:Polygon></gml:surfaceMember><gml:surfaceMember><gml:Polygon>{square}</gml:Polygon></gml:surfaceMember></gml:MultiSurface>"), "MultiPolygon", json!([[ring], [ring]])),
    ] {
        let read = intersects(&geometry).unwrap_or_else(|e| panic!("{geometry}: {e}"));
        let expected = json!({"op": "s_intersects", "args": [{"property": "geometry"}, {"type": kind, "coordinates": coordinates}]});
        assert_eq!(read.condition.unwrap(), expected, "{geometry}");
        assert_eq!(read.reference.unwrap().srid, 4490);
    }
    for bad in [
        "<gml:Point/>",
        "<gml:Point><gml:pos>36</gml:pos></gml:Point>",
        "<gml:Point><gml:pos>36 x</gml:pos></gml:Point>",
        "<gml:Point><gml:pos>36 inf</gml:pos></gml:Point>",
        "<gml:Point srsName='EPSG:99'><gml:pos>36 120</gml:pos></gml:Point>",
        "<gml:LineString><gml:posList>36 120</gml:posList></gml:LineString>",
        "<gml:LineString><gml:posList>36 120 1</gml:posList></gml:LineString>",
        "<gml:LineString srsDimension='0'><gml:posList>36 120</gml:posList></gml:LineString>",
        "<gml:Polygon/>",
        "<gml:Polygon><gml:exterior/></gml:Polygon>",
        "<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>36 120 37 121</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>",
        "<gml:MultiPoint/>",
        "<gml:Tin/>",
        "<gml:Curve><gml:segments><gml:Arc><gml:posList>1 2 3 4 5 6</gml:posList></gml:Arc></gml:segments></gml:Curve>",
        "<fes:Literal>x</fes:Literal>",
    ] {
        assert!(intersects(bad).is_err(), "{bad}");
    }
}

#[test]
fn boxes_and_distances() {
    let envelope = |srs: &str, low: &str, high: &str| {
        format!(
            "<gml:Envelope{srs}><gml:lowerCorner>{low}</gml:lowerCorner><gml:upperCorner>{high}</gml:upperCorner></gml:Envelope>"
        )
    };
    let expected =
        json!({"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [120.0, 36.0, 121.0, 37.0]}]});
    becomes(&format!("<fes:BBOX>{}</fes:BBOX>", envelope("", "36 120", "37 121")), expected.clone());
    let named = "<fes:ValueReference>geometry</fes:ValueReference>";
    becomes(
        &format!("<fes:BBOX>{named}{}</fes:BBOX>", envelope(" srsName='EPSG:4490'", "120 36", "121 37")),
        expected.clone(),
    );
    becomes("<fes:BBOX><gml:Box><gml:coordinates>36,120 37,121</gml:coordinates></gml:Box></fes:BBOX>", expected);
    // Over the antimeridian, where there is one.
    assert!(read(&format!("<fes:BBOX>{}</fes:BBOX>", envelope("", "36 170", "37 -170"))).is_ok());
    assert!(read(&format!("<fes:BBOX>{}</fes:BBOX>", envelope(" srsName='EPSG:3857'", "5 0", "1 1"))).is_err());
    assert!(read(&format!("<fes:BBOX>{}</fes:BBOX>", envelope("", "37 120", "36 121"))).is_err());
    let point = "<gml:Point><gml:pos>36 120</gml:pos></gml:Point>";
    becomes(
        &format!("<fes:DWithin>{named}{point}<fes:Distance uom='km'>1.5</fes:Distance></fes:DWithin>"),
        json!({"op": "<=", "args": [{"op": "distance", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [120.0, 36.0]}]}, 1500.0]}),
    );
    for bad in ["<fes:Distance uom='m'>-1</fes:Distance>", "<fes:Distance uom='degree'>1</fes:Distance>", ""] {
        assert!(read(&format!("<fes:Beyond>{named}{point}{bad}</fes:Beyond>")).is_err(), "{bad}");
    }
    let two = "<fes:And><fes:Intersects><fes:ValueReference>geometry</fes:ValueReference><gml:Point><gml:pos>1 2</gml:pos></gml:Point></fes:Intersects><fes:Intersects><fes:ValueReference>geometry</fes:ValueReference><gml:Point srsName='EPSG:3857'><gml:pos>1 2</gml:pos></gml:Point></fes:Intersects></fes:And>";
    assert!(read(two).unwrap_err().contains("same CRS"));
}

#[test]
fn times_are_instants_and_periods() {
    let during =
        |inner: &str| read(&format!("<fes:During><fes:ValueReference>seen</fes:ValueReference>{inner}</fes:During>"));
    let period = |inner: &str| format!("<gml:TimePeriod gml:id='t'>{inner}</gml:TimePeriod>");
    let seen = || json!({"property": "seen"});
    let after = json!({"op": ">", "args": [seen(), {"date": "2024-01-01"}]});
    let before = json!({"op": "<", "args": [seen(), {"timestamp": "2024-02-01T00:00:00Z"}]});
    let expected = json!({"op": "and", "args": [after, before]});
    for inner in [
        period(
            "<gml:beginPosition>2024-01-01</gml:beginPosition><gml:endPosition>2024-02-01T00:00:00Z</gml:endPosition>",
        ),
        period(
            "<gml:begin><gml:TimeInstant><gml:timePosition>2024-01-01</gml:timePosition></gml:TimeInstant></gml:begin><gml:end><gml:TimeInstant><gml:timePosition>2024-02-01T00:00:00Z</gml:timePosition></gml:TimeInstant></gml:end>",
        ),
        "<fes:Literal>2024-01-01/2024-02-01T00:00:00Z</fes:Literal>".into(),
    ] {
        assert_eq!(during(&inner).unwrap().condition.unwrap(), expected, "{inner}");
    }
    let open = during(&period(
        "<gml:beginPosition>2024-01-01</gml:beginPosition><gml:endPosition indeterminatePosition='unknown'/>",
    ));
    assert_eq!(open.unwrap().condition.unwrap(), after);
    let two = period("<gml:beginPosition>2024-01-01</gml:beginPosition><gml:endPosition>2024-02-01</gml:endPosition>");
    becomes(
        &format!("<fes:EndedBy>{two}<fes:ValueReference>seen</fes:ValueReference></fes:EndedBy>"),
        json!({"op": "=", "args": [seen(), {"date": "2024-02-01"}]}),
    );
    becomes(
        &format!("<fes:TOverlaps>{two}{two}</fes:TOverlaps>"),
        json!({"op": "t_overlaps", "args": [{"interval": ["2024-01-01", "2024-02-01"]}, {"interval": ["2024-01-01", "2024-02-01"]}]}),
    );
    becomes(
        "<fes:After><fes:ValueReference>built</fes:ValueReference><gml:TimeInstant><gml:timePosition>2024-01-01</gml:timePosition></gml:TimeInstant></fes:After>",
        json!({"op": "t_after", "args": [{"property": "built"}, {"date": "2024-01-01"}]}),
    );
    for bad in [
        period(""),
        period("<gml:beginPosition>x</gml:beginPosition>"),
        "<fes:Literal>x</fes:Literal>".into(),
        "<gml:Point><gml:pos>1 2</gml:pos></gml:Point>".into(),
    ] {
        assert!(during(&bad).is_err(), "{bad}");
    }
}

#[test]
fn functions_and_sums() {
    becomes(
        "<fes:PropertyIsEqualTo><fes:Function name='lower'><fes:ValueReference>kind</fes:ValueReference></fes:Function><fes:Literal>shop</fes:Literal></fes:PropertyIsEqualTo>",
        json!({"op": "=", "args": [{"op": "lower", "args": [{"property": "kind"}]}, "shop"]}),
    );
    // A literal takes the type that the function gives or takes.
    becomes(
        "<fes:PropertyIsEqualTo><fes:Function name='Concat'><fes:ValueReference>kind</fes:ValueReference><fes:Literal>1</fes:Literal></fes:Function><fes:Literal>21</fes:Literal></fes:PropertyIsEqualTo>",
        json!({"op": "=", "args": [{"op": "concat", "args": [{"property": "kind"}, "1"]}, "21"]}),
    );
    becomes(
        "<fes:Within><fes:Function name='centroid'><fes:ValueReference>geometry</fes:ValueReference></fes:Function><gml:Point><gml:pos>36 120</gml:pos></gml:Point></fes:Within>",
        json!({"op": "s_within", "args": [{"op": "centroid", "args": [{"property": "geometry"}]}, {"type": "Point", "coordinates": [120.0, 36.0]}]}),
    );
    assert!(
        read("<fes:PropertyIsEqualTo><fes:Function name='exec'/><fes:Literal>1</fes:Literal></fes:PropertyIsEqualTo>")
            .unwrap_err()
            .contains("no function exec")
    );
    becomes(
        "<fes:PropertyIsGreaterThan><fes:Div><fes:ValueReference>height</fes:ValueReference><fes:ValueReference>floors</fes:ValueReference></fes:Div><fes:Literal>3</fes:Literal></fes:PropertyIsGreaterThan>",
        json!({"op": ">", "args": [{"op": "/", "args": [{"property": "height"}, {"property": "floors"}]}, 3]}),
    );
}

#[test]
fn filters_of_the_version_before_are_read_too() {
    let text = r#"<Filter xmlns="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml"><And>
        <PropertyIsLessThanOrEqualTo><PropertyName>b_floors/floors</PropertyName><Literal>3</Literal></PropertyIsLessThanOrEqualTo>
        <BBOX><PropertyName>geometry</PropertyName><gml:Envelope srsName="EPSG:4490"><gml:lowerCorner>1 2</gml:lowerCorner><gml:upperCorner>3 4</gml:upperCorner></gml:Envelope></BBOX>
        <FeatureId fid="b.1"/></And></Filter>"#;
    let document = document(text).unwrap();
    let read = translate(document.root_element(), &Buildings).unwrap();
    assert_eq!(read.ids.unwrap(), ["b.1"]);
    assert_eq!(read.condition.unwrap()["args"][1]["args"][1], json!({"bbox": [1.0, 2.0, 3.0, 4.0]}));
}

proptest! {
    /// Whatever comes, an answer comes: no panic, no endless work.
    #[test]
    fn nothing_panics(cut in 0usize..900, insert in "[<>/a-zA-Z0-9:='& ]{0,12}", at in 0usize..900) {
        let mut text = r#"<fes:Filter xmlns:fes="http://www.opengis.net/fes/2.0" xmlns:gml="http://www.opengis.net/gml/3.2"><fes:And>
            <fes:PropertyIsLike wildCard="*" singleChar="?" escapeChar="!"><fes:ValueReference>kind</fes:ValueReference><fes:Literal>a*</fes:Literal></fes:PropertyIsLike>
            <fes:Within><fes:ValueReference>geometry</fes:ValueReference><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>1 2 3 4 5 6 1 2</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></fes:Within>
            <fes:During><fes:ValueReference>seen</fes:ValueReference><gml:TimePeriod><gml:beginPosition>2024-01-01</gml:beginPosition><gml:endPosition>2025-01-01</gml:endPosition></gml:TimePeriod></fes:During>
            </fes:And></fes:Filter>"#.to_owned();
        text.insert_str(at.min(text.len()), &insert);
        text.truncate(text.len() - cut.min(text.len()) / 40);
        if let Ok(document) = document(&text) {
            let _ = translate(document.root_element(), &Buildings);
        }
    }
}
