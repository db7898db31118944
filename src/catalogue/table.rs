//! A department's catalogue as a table: one row a resource, columns called as the guide calls them.

use std::collections::HashMap;

use jiff::civil::Date;

use super::code::ResourceCode;
use super::model::{CYCLES, Item, OPENNESS, Record, Written};
use crate::access::policy::ShareClass;
use crate::error::{Kind, Said};

/// The columns, and the members of a record that they are.
pub const COLUMNS: [(&str, &str); 19] = [
    ("信息资源代码", "code"),
    ("信息资源名称", "name"),
    ("英文名称", "name_en"),
    ("资源类型", "kind"),
    ("信息资源摘要", "abstract"),
    ("主题", "theme"),
    ("信息资源格式", "format"),
    ("信息项", "items"),
    ("共享类型", "share_class"),
    ("共享条件", "share_condition"),
    ("共享方式", "share_mode"),
    ("开放属性", "openness"),
    ("开放条件", "open_condition"),
    ("更新周期", "update_cycle"),
    ("发布日期", "published"),
    ("数据更新日期", "data_updated"),
    ("关联资源代码", "related"),
    ("提供方", "department"),
    ("提供方代码", "department_code"),
];

const CLASSES: [(&str, &str); 3] =
    [("unconditional", "无条件共享"), ("conditional", "有条件共享"), ("not_shared", "不予共享")];
const KINDS: [(&str, &str); 4] = [("layer", "图层"), ("service", "服务"), ("offline", "离线"), ("planned", "计划")];

/// What is wrong with a row: its line in the file (the header is line 1), its column, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    pub row: usize,
    pub column: String,
    pub problem: Said,
}

/// A row that could be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub row: usize,
    /// None: a resource that is new.
    pub code: Option<String>,
    /// Whether the row says that it is of a layer: such take part of it from the layer.
    pub layer: bool,
    pub written: Written,
}

fn zh_of<'a>(words: &[(&'a str, &'a str)], name: &'a str) -> &'a str {
    words.iter().find(|(n, _)| *n == name).map_or(name, |(_, zh)| zh)
}

fn name_of<'a>(words: &[(&'a str, &str)], text: &str) -> Option<&'a str> {
    words.iter().find(|(name, zh)| *name == text || *zh == text).map(|(name, _)| *name)
}

/// A record's cells, in the order of the columns.
pub fn cells(record: &Record) -> Vec<String> {
    let day = |text: &Option<String>| text.as_deref().and_then(|t| t.get(..10)).unwrap_or_default().to_owned();
    vec![
        record.code.clone(),
        record.name.zh.clone(),
        record.name.en.clone(),
        zh_of(&KINDS, &record.kind).to_owned(),
        record.description.clone(),
        record.theme.clone().unwrap_or_default(),
        record.format.clone(),
        items_text(&record.items),
        zh_of(&CLASSES, &record.share_class).to_owned(),
        record.share_condition.clone(),
        record.share_mode.clone(),
        zh_of(&OPENNESS, &record.openness).to_owned(),
        record.open_condition.clone(),
        zh_of(&CYCLES, &record.update_cycle).to_owned(),
        day(&record.published),
        day(&record.data_updated),
        record.related.join(";"),
        record.department_title.zh.clone(),
        record.department_code.clone(),
    ]
}

/// `name|title|type|length|sensitivity`, the items parted by line breaks; what is not known at an item's end is left out.
fn items_text(items: &[Item]) -> String {
    let line = |i: &Item| {
        let length = i.length.map(|l| l.to_string()).unwrap_or_default();
        let text = [&i.name, &i.title, &i.kind, &length, i.sensitivity.as_deref().unwrap_or_default()]
            .map(|t| t.replace('|', "/"))
            .join("|");
        text.trim_end_matches('|').to_owned()
    };
    items.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn items_of(text: &str) -> Result<Vec<Item>, Said> {
    let mut items = vec![];
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let part = |i: usize| parts.get(i).copied().unwrap_or_default();
        let length = match part(3) {
            "" => None,
            text => Some(text.parse().map_err(|_| {
                Said::new(
                    format!("信息项“{}”的长度不是整数", part(0)),
                    format!("the length of “{}” is no integer", part(0)),
                )
            })?),
        };
        items.push(Item {
            name: part(0).to_owned(),
            title: part(1).to_owned(),
            kind: part(2).to_owned(),
            length,
            sensitivity: Some(part(4).to_owned()).filter(|s| !s.is_empty()),
        });
    }
    Ok(items)
}

/// The header: which cell holds which member.
pub struct Header(HashMap<&'static str, usize>);

impl Header {
    /// Reads the first row. Columns may be in any order and called by either of their names; unknown ones are refused.
    pub fn read(cells: &[String]) -> Result<Header, Vec<Fault>> {
        let (mut places, mut faults) = (HashMap::new(), vec![]);
        let mut wrong = |column: &str, zh: &str, en: &str| {
            let column: String = column.chars().take(60).collect();
            faults.push(Fault { row: 1, column, problem: Said::new(zh, en) });
        };
        for (i, cell) in cells.iter().enumerate() {
            let cell = cell.trim().trim_start_matches('\u{feff}');
            match COLUMNS.iter().find(|(zh, name)| *zh == cell || *name == cell) {
                Some((_, name)) if places.insert(*name, i).is_some() => {
                    wrong(cell, "列重复", "the column occurs twice")
                }
                Some(_) => {}
                None if cell.is_empty() => {}
                None => wrong(cell, "没有这一列", "there is no such column"),
            }
        }
        for name in ["name", "share_class"] {
            if !places.contains_key(name) {
                let column = COLUMNS.iter().find(|(_, n)| *n == name).map_or(name, |(zh, _)| zh);
                wrong(column, "缺少这一列", "the column is missing");
            }
        }
        if faults.is_empty() { Ok(Header(places)) } else { Err(faults) }
    }

    /// Reads a row; everything that is wrong with it at once.
    pub fn entry(&self, row: usize, cells: &[String]) -> Result<Entry, Vec<Fault>> {
        let mut line = Line { header: self, row, cells, faults: vec![] };
        let kind = line.choice("kind", &KINDS, "planned");
        let class = line.choice("share_class", &CLASSES, "");
        let openness = line.choice("openness", &OPENNESS, "closed");
        let cycle = line.choice("update_cycle", &CYCLES, "irregular");
        if line.cell("share_class").is_empty() {
            line.fault("share_class", Said::new("不能为空", "it must not be empty"));
        }
        let (published, data_updated) = (line.date("published"), line.date("data_updated"));
        let (items, code) = (line.items(), line.code());
        let text = |name: &str| line.cell(name).to_owned();
        let written = Written {
            name: text("name"),
            name_en: text("name_en"),
            // What a layer is, its layer says.
            kind: if kind == "layer" { "service".into() } else { kind.into() },
            description: text("abstract"),
            theme: Some(text("theme")).filter(|t| !t.is_empty()),
            format: text("format"),
            items,
            share_class: ShareClass::parse(class).unwrap_or(ShareClass::NotShared),
            share_condition: text("share_condition"),
            share_mode: text("share_mode"),
            openness: openness.to_owned(),
            open_condition: text("open_condition"),
            update_cycle: cycle.to_owned(),
            published,
            data_updated,
            related: parted(line.cell("related")),
        };
        if let Err(e) = written.check()
            && let Kind::Invalid { parameter } = &e.kind
        {
            line.fault(parameter, e.detail.clone());
        }
        if kind == "layer" && code.is_none() {
            let problem =
                Said::new("图层的记录由发布产生，不能新建", "records of layers are made by their publication");
            line.fault("kind", problem);
        }
        match line.faults.is_empty() {
            true => Ok(Entry { row, code, layer: kind == "layer", written }),
            false => Err(line.faults),
        }
    }
}

/// The members of a list in one cell.
fn parted(text: &str) -> Vec<String> {
    text.split([';', '；', ',', '，']).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

/// A row under reading, with what is wrong with it so far.
struct Line<'a> {
    header: &'a Header,
    row: usize,
    cells: &'a [String],
    faults: Vec<Fault>,
}

impl<'a> Line<'a> {
    fn cell(&self, name: &str) -> &'a str {
        let cells: &'a [String] = self.cells;
        self.header.0.get(name).and_then(|i| cells.get(*i)).map_or("", |c| c.trim())
    }

    fn fault(&mut self, name: &str, problem: Said) {
        let column = COLUMNS.iter().find(|(_, n)| *n == name).map_or(name, |(zh, _)| zh).to_owned();
        self.faults.push(Fault { row: self.row, column, problem });
    }

    /// One of several words, in either language.
    fn choice(&mut self, name: &str, words: &[(&'static str, &str)], otherwise: &'static str) -> &'static str {
        let text = self.cell(name);
        if text.is_empty() {
            return otherwise;
        }
        name_of(words, text).unwrap_or_else(|| {
            let (en, zh): (Vec<&str>, Vec<&str>) = words.iter().copied().unzip();
            self.fault(name, Said::new(format!("应为：{}", zh.join("、")), format!("one of: {}", en.join(", "))));
            otherwise
        })
    }

    fn date(&mut self, name: &str) -> Option<Date> {
        let text = self.cell(name);
        if text.is_empty() {
            return None;
        }
        let date = text.get(..10).and_then(|t| t.replace('/', "-").parse().ok());
        if date.is_none() {
            self.fault(name, Said::new("日期应为 2026-01-31 的形式", "a date is written as 2026-01-31"));
        }
        date
    }

    fn items(&mut self) -> Vec<Item> {
        items_of(self.cell("items")).unwrap_or_else(|problem| {
            self.fault("items", problem);
            vec![]
        })
    }

    fn code(&mut self) -> Option<String> {
        let text = self.cell("code");
        if text.is_empty() {
            return None;
        }
        let code = text.parse::<ResourceCode>().ok().map(|c| c.to_string());
        if code.is_none() {
            let zh = "代码不合编码规则（类1位、项2位、目3位、细目、/、顺序码）";
            self.fault("code", Said::new(zh, "it is no resource code"));
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|c| (*c).to_owned()).collect()
    }

    #[test]
    fn a_row_is_read_by_its_header_in_any_order() {
        let header =
            Header::read(&texts(&["\u{feff}共享类型", "name", "信息项", "更新周期", "发布日期"])).ok().unwrap();
        let row = texts(&["有条件共享", "学校名录", "name|学校名称|text|100|一般\ncode", "每月", "2026/01/05"]);
        let entry = header.entry(2, &row).unwrap();
        assert_eq!((entry.written.name.as_str(), entry.written.update_cycle.as_str()), ("学校名录", "monthly"));
        assert_eq!(entry.written.share_class, ShareClass::Conditional);
        assert_eq!(entry.written.items.len(), 2);
        assert_eq!(
            (entry.written.items[0].length, entry.written.items[0].sensitivity.as_deref()),
            (Some(100), Some("一般"))
        );
        assert_eq!(items_text(&entry.written.items), "name|学校名称|text|100|一般\ncode");
        assert_eq!(entry.written.published.unwrap().to_string(), "2026-01-05");
    }

    #[test]
    fn everything_that_is_wrong_with_a_row_is_said_at_once() {
        let header = Header::read(&texts(&["名称x"])).err().unwrap();
        assert_eq!(header.len(), 3, "an unknown column and two that are missing: {header:?}");
        let header =
            Header::read(&texts(&["name", "share_class", "code", "kind", "update_cycle", "published"])).ok().unwrap();
        let faults = header.entry(7, &texts(&["", "有时共享", "12", "图层", "偶尔", "昨天"])).unwrap_err();
        let columns: Vec<&str> = faults.iter().map(|f| f.column.as_str()).collect();
        assert_eq!(columns, ["共享类型", "更新周期", "发布日期", "信息资源代码", "信息资源名称", "资源类型"]);
        assert!(faults.iter().all(|f| f.row == 7));
    }
}
