//! The 82 layers of the demo city, one list per group of departments.

mod education_transport;
mod environment;
mod health;
mod housing;
mod people;
mod resources;
mod safety_economy;

use super::spec::{Column, Make, Spec, col};

/// All layers, department by department.
pub fn specs() -> impl Iterator<Item = &'static Spec> {
    [
        resources::NATURAL_RESOURCES,
        health::HEALTH,
        people::CIVIL_AFFAIRS,
        people::PUBLIC_SECURITY,
        housing::HOUSING,
        education_transport::EDUCATION,
        education_transport::TRANSPORT,
        housing::URBAN_MANAGEMENT,
        environment::ECOLOGY,
        safety_economy::MARKET,
        environment::EMERGENCY,
        safety_economy::BIG_DATA,
    ]
    .into_iter()
    .flatten()
}

// Fields that many layers have.
const CODE: Column = col("code", "行政区划代码", "Division code", Make::UnitCode);
const NAME: Column = col("name", "名称", "Name", Make::UnitName);
const CITY: Column = col("city", "市", "City", Make::City);
const DISTRICT_CODE: Column = col("district_code", "区市代码", "District code", Make::DistrictCode);
const DISTRICT: Column = col("district", "区市", "District", Make::District);
const STREET: Column = col("street", "街道（镇）", "Street or town", Make::Street);
const COMMUNITY: Column = col("community", "社区（村）", "Community or village", Make::Community);
const COMMUNITY_CODE: Column = col("community_code", "社区代码", "Community code", Make::CommunityCode);
const ADDRESS: Column = col("address", "地址", "Address", Make::Address);
const ROAD: Column = col("road", "道路名称", "Road", Make::Road);
const POPULATION: Column = col("population", "常住人口", "Resident population", Make::Population);
const HOUSEHOLDS: Column = col("households", "户数", "Households", Make::Households);
const LENGTH: Column = col("length_m", "长度（米）", "Length (m)", Make::Metres);
const AREA: Column = col("area_m2", "面积（平方米）", "Area (m²)", Make::SquareMetres);
const AREA_KM2: Column = col("area_km2", "面积（平方公里）", "Area (km²)", Make::SquareKilometres);
const DENSITY: Column = col("density", "人口密度（人/平方公里）", "People per km²", Make::Density);
const UPDATED: Column = col("updated_at", "更新时间", "Updated at", Make::Time(2024, 2026));
