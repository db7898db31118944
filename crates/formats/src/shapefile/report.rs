//! What a shapefile had no room for, field by field, for whoever opens the archive.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Encoding;
use super::dbf::LONGEST;
use crate::table::Table;

/// Feature ids that are named.
const NAMED: usize = 20;

/// Features of one fault: how many, and the first.
#[derive(Default)]
struct Faulty {
    count: u64,
    ids: Vec<i64>,
}

impl Faulty {
    fn add(&mut self, id: i64) {
        self.count += 1;
        if self.ids.len() < NAMED {
            self.ids.push(id);
        }
    }
}

/// By column, of which the first is the feature's id.
#[derive(Default)]
pub struct Report {
    cut: BTreeMap<usize, Faulty>,
    lost: BTreeMap<usize, Faulty>,
    dates: BTreeMap<usize, Faulty>,
    long_integers: BTreeMap<usize, usize>,
    pub collections: u64,
    pub measured: u64,
    pub volumes: u64,
}

impl Report {
    pub fn cut(&mut self, column: usize, id: i64) {
        self.cut.entry(column).or_default().add(id);
    }
    pub fn lost(&mut self, column: usize, id: i64) {
        self.lost.entry(column).or_default().add(id);
    }
    pub fn date(&mut self, column: usize, id: i64) {
        self.dates.entry(column).or_default().add(id);
    }
    pub fn long_integer(&mut self, column: usize, digits: usize) {
        self.long_integers.insert(column, digits);
    }

    /// None when everything is as it was.
    pub fn text(&self, table: &Table) -> Option<String> {
        let mut text = String::new();
        let id = table.id_column();
        let name = |column: &usize| match column.checked_sub(1) {
            None => id.as_str(),
            Some(i) => table.columns.get(i).map_or("", |c| c.name.as_str()),
        };
        let mut faults = |list: &BTreeMap<usize, Faulty>, zh: &str, en: &str| {
            for (column, faulty) in list {
                let ids: Vec<String> = faulty.ids.iter().map(i64::to_string).collect();
                let more = if faulty.count as usize > faulty.ids.len() { " …" } else { "" };
                let (name, count, ids) = (name(column), faulty.count, ids.join(" "));
                let _ = write!(text, "{name}: {count} {zh}\r\n{name}: {count} {en}\r\n  fid {ids}{more}\r\n\r\n");
            }
        };
        faults(
            &self.cut,
            &format!("个文本超过 {LONGEST} 字节，已在字符边界截断；完整内容请导出 GeoPackage 或 CSV。"),
            &format!(
                "texts held more than {LONGEST} bytes and were cut between characters; GeoPackage and CSV have them whole."
            ),
        );
        faults(
            &self.lost,
            "个文本含有 GBK 没有的字符，已用“?”代替；请改用 encoding=utf-8。",
            "texts held characters that GBK does not have, which became “?”; ask for encoding=utf-8.",
        );
        faults(&self.dates, "个日期早于公元元年，已留空。", "dates lie before the year 0 and were left out.");
        for (column, digits) in &self.long_integers {
            let name = name(column);
            let _ = write!(
                text,
                "{name}: 整数多达 {digits} 位，为保持精确存为文本。\r\n{name}: integers of {digits} digits are stored as texts, to stay exact.\r\n\r\n"
            );
        }
        for (count, zh, en) in [
            (
                self.collections,
                "个几何集合已按类型拆开，属性随每一部分重复。",
                "geometry collections fell apart into their members, each with the feature's fields.",
            ),
            (self.measured, "个几何的 M 值未导出。", "geometries had measures (M), which are left out."),
            (
                self.volumes,
                "个分卷：单个文件不超过 2 GiB，其余要素在带编号的文件中。",
                "further volumes: no file is larger than 2 GiB, and the features beyond are in numbered files.",
            ),
        ] {
            if count > 0 {
                let _ = write!(text, "{count} {zh}\r\n{count} {en}\r\n\r\n");
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

/// What the archive holds, in a few words.
pub fn readme(table: &Table, encoding: Encoding) -> String {
    let mut text = format!("\u{feff}{} ({})\r\n", table.title, table.id);
    if !table.description.is_empty() {
        let _ = write!(text, "{}\r\n", table.description);
    }
    let code = table.crs.epsg.map(|code| format!(" (EPSG:{code})")).unwrap_or_default();
    let encoding = match encoding {
        Encoding::Utf8 => "UTF-8",
        Encoding::Gbk => "GBK",
    };
    let _ = write!(
        text,
        "\r\n坐标系 CRS: {}{code}\r\n编码 Encoding: {encoding}\r\n字段对照 Field names: fields.csv\r\n",
        table.crs.name
    );
    if let Some(shifted) = table.crs.shifted {
        let name = shifted.to_uppercase();
        let _ = write!(
            text,
            "\r\n注意：坐标为 {name} 偏移坐标，与 CGCS2000/WGS 84 相差约 500 米，仅供显示。\r\nThe coordinates are {name}, shifted by some 500 m from CGCS2000/WGS 84; for display only.\r\n"
        );
    }
    text.push_str(
        "\r\n如有内容被截断或改写，见 report.txt。 What was cut or changed, if anything, is in report.txt.\r\n",
    );
    text
}
