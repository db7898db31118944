//! Field names of ten bytes, and which field each stands for.

use super::Encoding;
use crate::csv::field;
use crate::table::{Table, Type};

const LONGEST: usize = 10;

/// For each name one of at most ten bytes, unlike all others without regard to case. Those that fit stay as they are.
pub fn short<'a>(names: impl Iterator<Item = &'a str>, encoding: Encoding) -> Vec<String> {
    let names: Vec<&str> = names.collect();
    let fits = |name: &str| fitting(name, LONGEST, encoding) == name;
    let mut taken: Vec<String> = names.iter().filter(|n| fits(n)).map(|n| n.to_lowercase()).collect();
    let mut kept: Vec<String> = vec![];
    names
        .iter()
        .map(|name| {
            let lower = name.to_lowercase();
            if fits(name) && !kept.contains(&lower) {
                kept.push(lower);
                return (*name).to_owned();
            }
            let mut n = 0u32;
            loop {
                let suffix = if n == 0 { String::new() } else { format!("_{n}") };
                let begin = fitting(name, LONGEST - suffix.len(), encoding);
                let candidate = format!("{begin}{suffix}");
                if !begin.is_empty() && !taken.contains(&candidate.to_lowercase()) {
                    taken.push(candidate.to_lowercase());
                    return candidate;
                }
                if begin.is_empty() && n > 0 {
                    // None of its characters are in the encoding.
                    let candidate = format!("f{suffix}");
                    if !taken.contains(&candidate) {
                        taken.push(candidate.clone());
                        return candidate;
                    }
                }
                n += 1;
            }
        })
        .collect()
}

/// The longest beginning of at most so many bytes; what the encoding does not have is left out.
fn fitting(name: &str, most: usize, encoding: Encoding) -> String {
    let mut bytes = 0;
    let mut out = String::new();
    for c in name.chars() {
        let Some(length) = encoding.encode(c, &mut [0; 4]) else { continue };
        bytes += length;
        if bytes > most {
            break;
        }
        out.push(c);
    }
    out
}

/// A table of the names, as CSV.
pub fn mapping(table: &Table, names: &[String]) -> Vec<u8> {
    let mut out = "\u{feff}shapefile,field,type,title\r\n".as_bytes().to_vec();
    let id = table.id_column();
    let own = std::iter::once((id.as_str(), Type::Integer, "要素编号 Feature id"));
    let columns = own.chain(table.columns.iter().map(|c| (c.name.as_str(), c.kind, c.title.as_str())));
    for (short, (name, kind, title)) in names.iter().zip(columns) {
        for (i, text) in [short, name, kind.name(), title].into_iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            field(&mut out, text.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::Text => "text",
            Type::Integer => "integer",
            Type::Float => "float",
            Type::Boolean => "boolean",
            Type::Date => "date",
            Type::Timestamp => "timestamp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters_and_stay_apart() {
        let names = ["fid", "建筑物名称", "建筑物名称二", "construction_year", "construction_month", "CONSTRUCTI"];
        let short = |encoding| short(names.into_iter(), encoding);
        assert_eq!(short(Encoding::Utf8), ["fid", "建筑物", "建筑_1", "construc_1", "construc_2", "CONSTRUCTI"]);
        assert_eq!(short(Encoding::Gbk), ["fid", "建筑物名称", "建筑物名_1", "construc_1", "construc_2", "CONSTRUCTI"]);
    }
}
