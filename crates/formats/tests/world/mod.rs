//! A layer to write: a few rows with everything in them that is hard.

use geozero::wkt::Wkt;
use geozero::{CoordDimensions, ToGeo, ToWkb};
use onemap_formats::{Column, Crs, Geometry, Kind, Row, Scratch, Shape, Table, Type, Value, Writer};

const WKT: &str = r#"GEOGCS["China Geodetic Coordinate System 2000",DATUM["China_2000",SPHEROID["CGCS2000",6378137,298.257222101,AUTHORITY["EPSG","1024"]],AUTHORITY["EPSG","1043"]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4490"]]"#;
const ESRI: &str = r#"GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;

#[derive(Clone)]
pub struct Feature<'a> {
    pub id: i64,
    pub shape: Option<Shape>,
    pub values: Vec<Value<'a>>,
}

pub fn shape(text: &str) -> Shape {
    let mut shape = Shape::default();
    shape.read(&Wkt(text).to_geo().unwrap().to_ewkb(CoordDimensions::xy(), Some(4490)).unwrap()).unwrap();
    shape
}

pub fn table(kind: Kind) -> Table {
    let column = |name: &str, kind, title: &str| Column { name: name.into(), kind, title: title.into() };
    Table {
        id: "buildings".into(),
        title: "建筑物 “甲”".into(),
        description: "A test.".into(),
        columns: vec![
            column("name", Type::Text, "名称"),
            column("code", Type::Integer, "编码"),
            column("height", Type::Float, "高度"),
            column("listed", Type::Boolean, "文物"),
            column("built", Type::Date, "建成日期"),
            column("seen", Type::Timestamp, "核查时间"),
        ],
        geometry: Some(Geometry { kind: Some(kind), z: Some(false) }),
        crs: Crs {
            epsg: Some(4490),
            name: "China Geodetic Coordinate System 2000".into(),
            wkt: WKT.into(),
            esri: ESRI.into(),
            geographic: true,
            shifted: None,
        },
    }
}

fn square(x: f64) -> Shape {
    shape(&format!("MULTIPOLYGON((({x} 36,{e} 36,{e} 36.001,{x} 36.001,{x} 36)))", e = x + 0.001))
}

pub fn buildings() -> Vec<Feature<'static>> {
    let seen = Value::Timestamp(1_795_390_200_500_000);
    vec![
        Feature {
            id: 1,
            shape: Some(square(120.0)),
            values: vec![
                Value::Text("a,\"b\"\n<c> & 楼"),
                Value::Integer(9_007_199_254_740_993),
                Value::Float(12.5),
                Value::Boolean(true),
                Value::Date(20_779),
                seen,
            ],
        },
        Feature {
            id: 2,
            shape: Some(square(120.01)),
            values: vec![
                Value::Text("=1+1"),
                Value::Integer(-5),
                Value::Float(-1.0e-7),
                Value::Boolean(false),
                Value::Date(0),
                Value::Timestamp(0),
            ],
        },
        Feature {
            id: 3,
            shape: Some(square(120.02)),
            values: vec![
                Value::Text("_x0041_"),
                Value::Integer(0),
                Value::Float(0.1 + 0.2),
                Value::Null,
                Value::Null,
                Value::Null,
            ],
        },
        Feature {
            id: 4,
            shape: None,
            values: vec![Value::Text(""), Value::Null, Value::Null, Value::Null, Value::Null, Value::Null],
        },
    ]
}

#[allow(dead_code, reason = "not every test binary writes points")]
pub fn places() -> Vec<Feature<'static>> {
    let values = buildings().remove(0).values;
    vec![
        Feature { id: 1, shape: Some(shape("POINT(120.123456789 36.1)")), values: values.clone() },
        Feature { id: 2, shape: None, values },
    ]
}

pub fn scratch() -> Scratch {
    Box::new(tempfile::tempfile)
}

/// The whole file.
pub fn write(writer: &mut dyn Writer, features: &[Feature<'_>]) -> Vec<u8> {
    let mut out = vec![];
    writer.begin(&mut out).unwrap();
    for f in features {
        writer.row(&Row { id: f.id, shape: f.shape.as_ref(), values: &f.values }, &mut out).unwrap();
    }
    while writer.end(&mut out).unwrap() {}
    out
}
