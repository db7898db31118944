//! What filters may say, as capabilities list it (09-026r2, 7.14; 04-095, 13). It is what `onemap_fes` reads.

use super::capabilities::default;
use crate::http::ows::xml::Xml;

const CLASSES: [(&str, bool); 15] = [
    ("ImplementsQuery", true),
    ("ImplementsAdHocQuery", true),
    ("ImplementsFunctions", true),
    ("ImplementsResourceId", true),
    ("ImplementsMinStandardFilter", true),
    ("ImplementsStandardFilter", true),
    ("ImplementsMinSpatialFilter", true),
    ("ImplementsSpatialFilter", true),
    ("ImplementsMinTemporalFilter", true),
    ("ImplementsTemporalFilter", true),
    ("ImplementsVersionNav", false),
    ("ImplementsSorting", true),
    ("ImplementsExtendedOperators", false),
    ("ImplementsMinimumXPath", true),
    ("ImplementsSchemaElementFunc", false),
];

const COMPARISONS: [&str; 10] = [
    "PropertyIsEqualTo",
    "PropertyIsNotEqualTo",
    "PropertyIsLessThan",
    "PropertyIsGreaterThan",
    "PropertyIsLessThanOrEqualTo",
    "PropertyIsGreaterThanOrEqualTo",
    "PropertyIsLike",
    "PropertyIsNull",
    "PropertyIsNil",
    "PropertyIsBetween",
];

const SPATIAL: [&str; 11] = [
    "BBOX",
    "Equals",
    "Disjoint",
    "Intersects",
    "Touches",
    "Crosses",
    "Within",
    "Contains",
    "Overlaps",
    "DWithin",
    "Beyond",
];

const GEOMETRIES: [&str; 10] = [
    "gml:Envelope",
    "gml:Point",
    "gml:LineString",
    "gml:Curve",
    "gml:Polygon",
    "gml:Surface",
    "gml:MultiPoint",
    "gml:MultiCurve",
    "gml:MultiSurface",
    "gml:MultiGeometry",
];

const TEMPORAL: [&str; 14] = [
    "After",
    "Before",
    "Begins",
    "BegunBy",
    "TContains",
    "During",
    "EndedBy",
    "Ends",
    "TEquals",
    "Meets",
    "MetBy",
    "TOverlaps",
    "OverlappedBy",
    "AnyInteracts",
];

pub fn capabilities(xml: &mut Xml) {
    xml.element("fes:Filter_Capabilities", &[], |xml| {
        xml.element("fes:Conformance", &[], |xml| {
            for (name, holds) in CLASSES {
                default(xml, "fes", name, if holds { "TRUE" } else { "FALSE" });
            }
        });
        xml.element("fes:Id_Capabilities", &[], |xml| {
            xml.empty("fes:ResourceIdentifier", &[("name", "fes:ResourceId")]);
        });
        xml.element("fes:Scalar_Capabilities", &[], |xml| {
            xml.empty("fes:LogicalOperators", &[]);
            xml.element("fes:ComparisonOperators", &[], |xml| each(xml, "fes:ComparisonOperator", &COMPARISONS));
        });
        xml.element("fes:Spatial_Capabilities", &[], |xml| {
            xml.element("fes:GeometryOperands", &[], |xml| each(xml, "fes:GeometryOperand", &GEOMETRIES));
            xml.element("fes:SpatialOperators", &[], |xml| each(xml, "fes:SpatialOperator", &SPATIAL));
        });
        xml.element("fes:Temporal_Capabilities", &[], |xml| {
            let operands = ["gml:TimeInstant", "gml:TimePeriod"];
            xml.element("fes:TemporalOperands", &[], |xml| each(xml, "fes:TemporalOperand", &operands));
            xml.element("fes:TemporalOperators", &[], |xml| each(xml, "fes:TemporalOperator", &TEMPORAL));
        });
        xml.element("fes:Functions", &[], functions);
    });
}

fn functions(xml: &mut Xml) {
    let first = |types: &[&'static str]| xml_type(types.first().copied().unwrap_or_default());
    for function in onemap_cql2::FUNCTIONS {
        xml.element("fes:Function", &[("name", function.name)], |xml| {
            xml.text("fes:Returns", first(function.returns));
            if function.arguments.is_empty() {
                return;
            }
            xml.element("fes:Arguments", &[], |xml| {
                for argument in function.arguments {
                    xml.element("fes:Argument", &[("name", argument.title)], |xml| {
                        xml.text("fes:Type", first(argument.types));
                    });
                }
            });
        });
    }
}

fn xml_type(name: &str) -> &'static str {
    match name {
        "string" => "xsd:string",
        "number" => "xsd:double",
        "integer" => "xsd:long",
        "boolean" => "xsd:boolean",
        "datetime" => "xsd:dateTime",
        _ => "gml:AbstractGeometryType",
    }
}

fn each(xml: &mut Xml, element: &str, names: &[&str]) {
    for name in names {
        xml.empty(element, &[("name", name)]);
    }
}

/// The same for 1.1.0.
pub fn older_capabilities(xml: &mut Xml) {
    const COMPARISONS: [&str; 9] = [
        "EqualTo",
        "NotEqualTo",
        "LessThan",
        "GreaterThan",
        "LessThanEqualTo",
        "GreaterThanEqualTo",
        "Like",
        "NullCheck",
        "Between",
    ];
    xml.element("ogc:Filter_Capabilities", &[], |xml| {
        xml.element("ogc:Spatial_Capabilities", &[], |xml| {
            xml.element("ogc:GeometryOperands", &[], |xml| {
                for name in ["gml:Envelope", "gml:Point", "gml:LineString", "gml:Polygon"] {
                    xml.text("ogc:GeometryOperand", name);
                }
            });
            xml.element("ogc:SpatialOperators", &[], |xml| each(xml, "ogc:SpatialOperator", &SPATIAL));
        });
        xml.element("ogc:Scalar_Capabilities", &[], |xml| {
            xml.empty("ogc:LogicalOperators", &[]);
            xml.element("ogc:ComparisonOperators", &[], |xml| {
                for name in COMPARISONS {
                    xml.text("ogc:ComparisonOperator", name);
                }
            });
            xml.element("ogc:ArithmeticOperators", &[], |xml| {
                xml.empty("ogc:SimpleArithmetic", &[]);
            });
        });
        xml.element("ogc:Id_Capabilities", &[], |xml| {
            xml.empty("ogc:FID", &[]);
        });
    });
}
