//! What encoding texts are in: what the file says, checked against its bytes.

use super::report::{EncodingFound, Note};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, GBK, UTF_8, WINDOWS_1252};
use std::borrow::Cow;

/// An encoding for the report. GBK is read by its superset GB18030, so that no character added later is lost.
pub fn found(encoding: &'static Encoding, zh: impl Into<String>, en: impl Into<String>) -> EncodingFound {
    EncodingFound { name: encoding.name().to_owned(), reason: Note::new(zh, en) }
}

pub fn by_name(name: &str) -> Option<&'static Encoding> {
    let name = name.trim().trim_matches(|c: char| c == '\u{feff}' || c == '\0' || c == '"');
    // Code page numbers and vendors' names that the WHATWG labels lack.
    let upper = name.to_ascii_uppercase();
    let digits = upper
        .trim_start_matches("WINDOWS")
        .trim_start_matches("ANSI")
        .trim_start_matches("CP")
        .trim_start_matches("MS")
        .trim_start_matches(['-', '_', ' ']);
    match digits {
        "936" | "54936" | "GBK" | "GB2312" | "GB18030" | "EUC-CN" => return Some(GB18030),
        "950" | "BIG5" => return Some(BIG5),
        "65001" | "UTF8" | "UTF-8" => return Some(UTF_8),
        "932" => return Some(encoding_rs::SHIFT_JIS),
        "949" => return Some(encoding_rs::EUC_KR),
        "88591" | "8859-1" | "1252" => return Some(WINDOWS_1252),
        _ => {}
    }
    if let Some(n) = digits.strip_prefix("8859") {
        let label = format!("iso-8859-{}", n.trim_start_matches(['-', '_']));
        return Encoding::for_label(label.as_bytes());
    }
    if digits.len() == 4 && digits.starts_with("125") {
        return Encoding::for_label(format!("windows-{digits}").as_bytes());
    }
    Encoding::for_label(name.as_bytes()).map(widen)
}

fn widen(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == GBK { GB18030 } else { encoding }
}

/// The language driver id of a DBF header.
pub fn by_ldid(ldid: u8) -> Option<&'static Encoding> {
    Some(match ldid {
        0x4d | 0x7a => GB18030,
        0x4f | 0x78 => BIG5,
        0x4e | 0x79 => encoding_rs::EUC_KR,
        0x13 | 0x7b => encoding_rs::SHIFT_JIS,
        0xc8 => encoding_rs::WINDOWS_1250,
        0xc9 => encoding_rs::WINDOWS_1251,
        0xcb => encoding_rs::WINDOWS_1253,
        0xca => encoding_rs::WINDOWS_1254,
        0x65 | 0x26 => encoding_rs::IBM866,
        _ => return None,
    })
}

/// Collects bytes and then says what they most likely are.
pub struct Sniffer {
    detector: EncodingDetector,
    ascii: bool,
    utf8: bool,
    /// The tail of the last chunk that may be the head of a UTF-8 character.
    pending: Vec<u8>,
}

impl Default for Sniffer {
    fn default() -> Self {
        Sniffer {
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
            ascii: true,
            utf8: true,
            pending: Vec::new(),
        }
    }
}

impl Sniffer {
    /// A chunk of a stream; characters may straddle chunks.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.ascii && bytes.is_ascii() {
            return;
        }
        self.ascii = false;
        self.detector.feed(bytes, false);
        if !self.utf8 {
            return;
        }
        let joined: Cow<'_, [u8]> = if self.pending.is_empty() {
            Cow::Borrowed(bytes)
        } else {
            let mut all = std::mem::take(&mut self.pending);
            all.extend_from_slice(bytes);
            Cow::Owned(all)
        };
        if let Err(e) = std::str::from_utf8(&joined) {
            match e.error_len() {
                Some(_) => self.utf8 = false,
                None => self.pending = joined[e.valid_up_to()..].to_vec(),
            }
        }
    }

    /// A whole text of fixed width, whose last character may be cut.
    pub fn feed_text(&mut self, bytes: &[u8]) {
        if bytes.is_ascii() {
            return;
        }
        self.ascii = false;
        if let Err(e) = std::str::from_utf8(bytes)
            && e.error_len().is_some()
        {
            self.utf8 = false;
        }
        self.detector.feed(bytes, false);
        self.detector.feed(b"\n", false);
    }

    pub fn is_ascii(&self) -> bool {
        self.ascii
    }
    pub fn is_utf8(&self) -> bool {
        self.utf8
    }

    pub fn guess(&mut self) -> &'static Encoding {
        if self.utf8 {
            return UTF_8;
        }
        self.detector.feed(b"", true);
        widen(self.detector.guess(Some(b"cn"), Utf8Detection::Deny))
    }
}

/// The encoding of a DBF: `.cpg` and language driver are believed only as far as the bytes bear them out.
pub fn of_dbf(sniffer: &mut Sniffer, cpg: Option<&str>, ldid: u8) -> (&'static Encoding, EncodingFound) {
    let declared = cpg.and_then(|c| by_name(c.lines().next().unwrap_or("")));
    let (zh_says, en_says, said) = match (cpg, declared, by_ldid(ldid)) {
        (_, Some(e), _) => (format!(".cpg 声明 {}", e.name()), format!("the .cpg says {}", e.name()), Some(e)),
        (_, None, Some(e)) => (
            format!("DBF 语言标识 0x{ldid:02x} 指 {}", e.name()),
            format!("the DBF language driver 0x{ldid:02x} means {}", e.name()),
            Some(e),
        ),
        (Some(_), None, None) => (".cpg 内容不是编码名称".to_owned(), "the .cpg names no encoding".to_owned(), None),
        (None, _, None) => {
            ("没有 .cpg，DBF 未说明编码".to_owned(), "there is no .cpg and the DBF names no encoding".to_owned(), None)
        }
    };
    if sniffer.is_ascii() {
        let e = said.unwrap_or(UTF_8);
        return (e, found(e, format!("{zh_says}；文字均为 ASCII"), format!("{en_says}; all texts are plain ASCII")));
    }
    let utf8 = sniffer.is_utf8();
    match said {
        Some(e) if (e == UTF_8) == utf8 || (e != UTF_8 && !utf8) => {
            (e, found(e, format!("{zh_says}，字节相符"), format!("{en_says}, and the bytes agree")))
        }
        _ => {
            let e = sniffer.guess();
            let zh = format!("{zh_says}；按字节判断为 {}", e.name());
            let en = format!("{en_says}; by its bytes the text is {}", e.name());
            (e, found(e, zh, en))
        }
    }
}

/// Text made safe for PostgreSQL: decoded, NUL removed. The flag says whether bytes had to be replaced.
pub fn decode<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> (Cow<'a, str>, bool) {
    let (text, bad) = if bytes.is_ascii() && encoding.is_ascii_compatible() {
        (String::from_utf8_lossy(bytes), false)
    } else {
        let (text, bad) = encoding.decode_without_bom_handling(bytes);
        (text, bad)
    };
    if text.contains('\0') { (Cow::Owned(text.replace('\0', "")), true) } else { (text, bad) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpg_that_lies_is_seen_through() {
        let (gbk, _, _) = GB18030.encode("市南区香港中路街道办事处");
        let mut s = Sniffer::default();
        s.feed_text(&gbk);
        let (e, found) = of_dbf(&mut s, Some("UTF-8"), 0);
        assert_eq!(e, GB18030);
        assert!(found.reason.en.contains("the .cpg says UTF-8; by its bytes the text is gb18030"), "{found:?}");
    }

    #[test]
    fn utf8_behind_a_gbk_driver_is_utf8() {
        let mut s = Sniffer::default();
        s.feed_text("区县".as_bytes());
        assert_eq!(of_dbf(&mut s, None, 0x4d).0, UTF_8);
    }

    #[test]
    fn a_character_cut_at_the_field_end_does_not_unmake_utf8() {
        let mut s = Sniffer::default();
        s.feed_text(&"青岛市".as_bytes()[..8]);
        assert!(s.is_utf8());
        let mut stream = Sniffer::default();
        for b in "青岛市".as_bytes().chunks(2) {
            stream.feed(b);
        }
        assert_eq!(stream.guess(), UTF_8);
    }

    #[test]
    fn vendors_names_are_known() {
        for (name, e) in
            [("CP936", GB18030), ("936", GB18030), ("ANSI 950", BIG5), ("utf-8\r", UTF_8), ("88591", WINDOWS_1252)]
        {
            assert_eq!(by_name(name), Some(e), "{name}");
        }
        assert_eq!(by_name("<!DOCTYPE html>"), None);
    }
}
