//! Grants that stand from the beginning, so that the demo shows every kind: whole layers, some fields, some rows, an area.

/// A grant on a conditional layer to another department.
#[derive(Debug, Clone, Copy)]
pub struct DemoGrant {
    pub grantee: &'static str,
    pub layer: &'static str,
    /// None: all fields.
    pub fields: Option<&'static [&'static str]>,
    /// Codes of districts or streets that the rows must lie in; None: the whole city.
    pub area: Option<&'static [&'static str]>,
    /// A text field and the values it may have; None: all rows.
    pub rows: Option<(&'static str, &'static [&'static str])>,
    pub purpose_zh: &'static str,
    pub purpose_en: &'static str,
    pub days: u32,
}

const fn grant(
    grantee: &'static str,
    layer: &'static str,
    purpose_zh: &'static str,
    purpose_en: &'static str,
    days: u32,
) -> DemoGrant {
    DemoGrant { grantee, layer, fields: None, area: None, rows: None, purpose_zh, purpose_en, days }
}

pub fn grants() -> &'static [DemoGrant] {
    const GRANTS: &[DemoGrant] = &[
        grant("education", "fp-births", "学前学位预测", "Forecast of nursery and school places", 365),
        grant("civil-affairs", "fp-only-children", "独生子女家庭养老服务", "Care for parents of one child", 365),
        grant("natural-resources", "construction-sites", "规划批后监管", "Supervision of planning permits", 730),
        grant("emergency", "pollution-sources", "突发环境事件处置", "Response to environmental accidents", 365),
        grant("big-data", "age-structure", "城市运行一张图", "The city's operations map", 180),
        DemoGrant {
            fields: Some(&["household_id", "birth_year", "sex", "community_code"]),
            ..grant("health", "residents", "育龄人群服务测算", "Planning of family services", 180)
        },
        DemoGrant {
            fields: Some(&["application_id", "wanted", "state", "community_code", "community"]),
            ..grant(
                "civil-affairs",
                "housing-applicants",
                "低保与住房保障比对",
                "Matching allowances with housing",
                365,
            )
        },
        DemoGrant {
            fields: Some(&["pipe_id", "diameter", "road", "length_m"]),
            area: Some(&["370202", "370203"]),
            ..grant("urban-management", "water-pipes", "道路开挖协调", "Coordination of road works", 180)
        },
        DemoGrant {
            area: Some(&["370213"]),
            ..grant("housing", "land-supply", "李沧区保障房选址", "Sites for public housing in Licang", 90)
        },
        DemoGrant {
            area: Some(&["370211"]),
            ..grant("market", "hotels", "黄岛区住宿业联合检查", "Joint inspection of hotels in Huangdao", 60)
        },
        DemoGrant {
            rows: Some(("state", &["破损", "缺失"])),
            ..grant("housing", "manholes", "窨井整治", "Repair of manholes", 120)
        },
        DemoGrant {
            rows: Some(("kind", &["电梯"])),
            fields: Some(&["equipment_id", "kind", "state", "address", "next_check"]),
            ..grant("emergency", "special-equipment", "电梯困人救援", "Rescue from lifts", 365)
        },
        DemoGrant {
            rows: Some(("level", &["高", "极高"])),
            area: Some(&["370214", "370281"]),
            ..grant("transport", "flood-risk-areas", "汛期道路封控", "Road closures in the flood season", 150)
        },
    ];
    GRANTS
}
