//! What the columns of a file may be, by their names and first values: a proposal for the person who starts the job.

use serde_json::{Value, json};

use crate::upload::flat::Column;

const ADDRESS: &[&str] = &["地址", "住址", "住所", "居住地", "地点", "位置", "address", "addr"];
const DIVISION: &[&str] =
    &["省", "市", "区县", "区", "县", "街道", "乡镇", "镇街", "社区", "村", "district", "town", "community", "city"];
const ID: &[&str] = &["编号", "序号", "代码", "证号", "id", "code", "no", "fid"];

/// The file's columns with a guess each.
pub fn guessed(columns: &[Column]) -> Vec<Value> {
    columns.iter().map(|c| json!({"name": c.name, "sample": c.sample, "guess": guess(c)})).collect()
}

/// The columns that most likely make the address.
pub fn address(columns: &[Value]) -> Vec<&str> {
    let of = |wanted: &str| -> Vec<&str> {
        columns.iter().filter(|c| c["guess"] == wanted).filter_map(|c| c["name"].as_str()).collect()
    };
    match of("address").first() {
        Some(one) => vec![one],
        None => of("division"),
    }
}

fn guess(column: &Column) -> Option<&'static str> {
    let name = column.name.trim().to_lowercase();
    // 户籍地址 is one, 地址编号 is not.
    if ID.iter().any(|w| name == *w || name.ends_with(w) && !w.is_ascii()) {
        return Some("id");
    }
    if ADDRESS.iter().any(|w| name.contains(w)) {
        return Some("address");
    }
    if DIVISION.iter().any(|w| name == *w || name.ends_with(w) && name.chars().count() <= 6) {
        return Some("division");
    }
    let like = column.sample.iter().filter(|v| reads_like_an_address(v)).count();
    (like > 0 && like * 2 >= column.sample.len()).then_some("address")
}

fn reads_like_an_address(text: &str) -> bool {
    text.chars().count() >= 6
        && text.contains(['路', '街', '巷', '弄', '村', '区', '镇'])
        && text.contains(['号', '栋', '楼', '室', '组'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_first_then_values() {
        let of = |name: &str, sample: &[&str]| {
            guess(&Column { name: name.into(), sample: sample.iter().map(|s| (*s).into()).collect() })
        };
        assert_eq!(of("户籍地址", &[]), Some("address"));
        assert_eq!(of("地址编号", &["市南区香港中路10号"]), Some("id"));
        assert_eq!(of("所属街道", &[]), Some("division"));
        assert_eq!(of("备注", &["市南区香港中路10号", "市北区台东一路3号"]), Some("address"));
        assert_eq!(of("姓名", &["王秀英"]), None);
    }
}
