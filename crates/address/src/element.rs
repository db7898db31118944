//! The elements of an address, in the order of the standards (GB/T 23705, DB37/T 4364): from the province to the room.

use serde::{Deserialize, Serialize};

/// One kind of element. The order is the order of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Element {
    /// 省、自治区、直辖市
    Province,
    /// 地级市、地区、自治州、盟
    City,
    /// 县级: 区、县、县级市、旗
    District,
    /// 开发区、高新区、工业园区: beside the divisions
    Devzone,
    /// 乡级: 街道、镇、乡
    Town,
    /// 社区、村、里
    Community,
    /// 组、队、社、鄰
    VillageGroup,
    /// 路、街、大道、公路, with its 段
    Road,
    /// 巷、弄、里弄, also several: 279巷3弄
    Lane,
    /// 号: the door number of a road, a lane or a village
    Roadno,
    /// Two roads that meet: 路口、交叉口
    Intersection,
    /// 小区、大院、园区: several buildings under one name
    Compound,
    /// 兴趣点: a shop, a school, a building with a name
    Poi,
    /// A named part of the one before: A区、二期、东门
    Subpoi,
    /// 楼、栋、幢、座
    Houseno,
    /// 单元、门
    Cellno,
    /// 层、楼 (of a door number)
    Floorno,
    /// 室、户、房
    Roomno,
    /// 附近、对面、旁
    Assist,
    /// 200米, 5公里处
    Distance,
    /// Repeated or meaningless: the second 山东省青岛市, brackets, phone numbers, notes to the courier
    Redundant,
}

/// How many kinds there are.
pub const ELEMENTS: usize = Element::Redundant as usize + 1;

impl Element {
    pub const ALL: [Element; ELEMENTS] = [
        Element::Province,
        Element::City,
        Element::District,
        Element::Devzone,
        Element::Town,
        Element::Community,
        Element::VillageGroup,
        Element::Road,
        Element::Lane,
        Element::Roadno,
        Element::Intersection,
        Element::Compound,
        Element::Poi,
        Element::Subpoi,
        Element::Houseno,
        Element::Cellno,
        Element::Floorno,
        Element::Roomno,
        Element::Assist,
        Element::Distance,
        Element::Redundant,
    ];

    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Element::Province => "province",
            Element::City => "city",
            Element::District => "district",
            Element::Devzone => "devzone",
            Element::Town => "town",
            Element::Community => "community",
            Element::VillageGroup => "village_group",
            Element::Road => "road",
            Element::Lane => "lane",
            Element::Roadno => "roadno",
            Element::Intersection => "intersection",
            Element::Compound => "compound",
            Element::Poi => "poi",
            Element::Subpoi => "subpoi",
            Element::Houseno => "houseno",
            Element::Cellno => "cellno",
            Element::Floorno => "floorno",
            Element::Roomno => "roomno",
            Element::Assist => "assist",
            Element::Distance => "distance",
            Element::Redundant => "redundant",
        }
    }

    pub fn of_name(name: &str) -> Option<Element> {
        Element::ALL.into_iter().find(|e| e.name() == name)
    }
}
