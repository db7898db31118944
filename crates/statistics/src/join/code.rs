//! Codes of divisions as they are written: 370202, 370202000000, 370202003, 370202.0 from a spreadsheet.

/// Where a code of a level ends: province, city, district, town, community.
const LEVELS: [usize; 5] = [2, 4, 6, 9, 12];

/// The code as short as its level: without zeros that fill it up, without the `.0` of a spreadsheet. None of what is no code.
pub fn canonical(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix(".0").unwrap_or(text);
    let mut code = String::with_capacity(12);
    for c in text.chars() {
        match c {
            '0'..='9' => code.push(c),
            '０'..='９' => code.push(char::from(b'0' + (c as u32 - '０' as u32) as u8)),
            _ => return None,
        }
    }
    if !LEVELS.contains(&code.len()) || code.starts_with('0') {
        return None;
    }
    for pair in LEVELS.windows(2).rev() {
        if code.len() == pair[1] && code[pair[0]..].bytes().all(|b| b == b'0') {
            code.truncate(pair[0]);
        }
    }
    Some(code)
}
