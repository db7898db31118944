//! The departments of the demo city and the themes that their layers are grouped by.

/// A department (单位) of the city's government.
#[derive(Debug, Clone, Copy)]
pub struct Department {
    pub id: &'static str,
    /// A number of three digits, unique among the departments; made up.
    pub code: &'static str,
    pub title_zh: &'static str,
    pub title_en: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub struct Theme {
    pub id: &'static str,
    pub title_zh: &'static str,
    pub title_en: &'static str,
}

const fn department(
    id: &'static str,
    code: &'static str,
    title_zh: &'static str,
    title_en: &'static str,
) -> Department {
    Department { id, code, title_zh, title_en }
}

const fn theme(id: &'static str, title_zh: &'static str, title_en: &'static str) -> Theme {
    Theme { id, title_zh, title_en }
}

pub fn departments() -> &'static [Department] {
    const ALL: &[Department] = &[
        department("natural-resources", "001", "青岛市自然资源和规划局", "Natural Resources and Planning Bureau"),
        department("health", "002", "青岛市卫生健康委员会", "Health Commission"),
        department("civil-affairs", "003", "青岛市民政局", "Civil Affairs Bureau"),
        department("public-security", "004", "青岛市公安局", "Public Security Bureau"),
        department("housing", "005", "青岛市住房和城乡建设局", "Housing and Construction Bureau"),
        department("education", "006", "青岛市教育局", "Education Bureau"),
        department("transport", "007", "青岛市交通运输局", "Transport Bureau"),
        department("urban-management", "008", "青岛市城市管理局", "Urban Management Bureau"),
        department("ecology", "009", "青岛市生态环境局", "Ecology and Environment Bureau"),
        department("market", "010", "青岛市市场监督管理局", "Market Regulation Bureau"),
        department("emergency", "011", "青岛市应急管理局", "Emergency Management Bureau"),
        department("big-data", "012", "青岛市大数据发展管理局", "Big Data Bureau"),
    ];
    ALL
}

pub fn themes() -> &'static [Theme] {
    const ALL: &[Theme] = &[
        theme("divisions", "行政区划", "Divisions"),
        theme("geography", "基础地理", "Base geography"),
        theme("population", "人口", "Population"),
        theme("family-planning", "计划生育", "Family planning"),
        theme("housing", "住房建设", "Housing and construction"),
        theme("education-health", "教育医疗", "Education and health"),
        theme("transport", "交通", "Transport"),
        theme("environment", "环境", "Environment"),
        theme("safety", "公共安全", "Public safety"),
        theme("economy", "经济与服务", "Economy and services"),
    ];
    ALL
}
