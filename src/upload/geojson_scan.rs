//! Cutting a JSON document into features without reading them, so that one feature at a time is in memory.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};

/// A single feature larger than this would break the memory limit.
const MAX_FEATURE: usize = 48 << 20;

/// serde's place within a feature tells a person nothing.
pub fn cause(e: &serde_json::Error) -> String {
    let text = e.to_string();
    text.split(" at line").next().unwrap_or(&text).to_owned()
}

/// Where the scanner stands in a document.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stand {
    InFeatures,
    /// One feature or geometry, held in `single`.
    Single,
    Done,
}

/// Cuts a document into features without reading them.
pub struct Scanner {
    input: BufReader<File>,
    pub at: u64,
    line: u64,
    stand: Stand,
    pub members: Vec<(String, serde_json::Value)>,
    single: Vec<u8>,
    top_array: bool,
}

fn malformed(line: u64, zh: &str, en: &str) -> Error {
    Error::invalid("file", format!("JSON 第 {line} 行有误：{zh}"), format!("the JSON is wrong at line {line}: {en}"))
}

impl Scanner {
    pub fn open(path: &std::path::Path) -> Result<Scanner> {
        Ok(Scanner {
            input: BufReader::with_capacity(256 << 10, File::open(path)?),
            at: 0,
            line: 1,
            stand: Stand::Done,
            members: Vec::new(),
            single: Vec::new(),
            top_array: false,
        })
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        let Some(&b) = self.input.fill_buf()?.first() else { return Ok(None) };
        self.input.consume(1);
        self.at += 1;
        self.line += u64::from(b == b'\n');
        Ok(Some(b))
    }

    /// The next byte that is no white space, left in place.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.input.fill_buf()?.first() {
                Some(b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf | 0x1e) => {
                    self.byte()?;
                }
                other => return Ok(other.copied()),
            }
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<()> {
        match self.peek()? {
            Some(b) if b == wanted => self.byte().map(drop),
            Some(b) => {
                let (b, w) = (char::from(b), char::from(wanted));
                Err(malformed(self.line, &format!("出现“{b}”，应为“{w}”"), &format!("found '{b}' where '{w}' belongs")))
            }
            None => Err(malformed(self.line, "文件提前结束", "the file ends too early")),
        }
    }

    /// Copies one JSON value, of any kind, as it stands.
    fn value(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        self.peek()?;
        let (mut depth, mut in_text, mut escaped) = (0i64, false, false);
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return if depth == 0 && !in_text && !out.is_empty() {
                    Ok(())
                } else {
                    Err(malformed(self.line, "文件提前结束", "the file ends too early"))
                };
            }
            let mut used = buffer.len();
            let (mut done, mut lines) = (false, 0);
            for (i, &b) in buffer.iter().enumerate() {
                if in_text {
                    if escaped {
                        escaped = false;
                    } else if b == b'\\' {
                        escaped = true;
                    } else if b == b'"' {
                        in_text = false;
                        done = depth == 0;
                    }
                } else {
                    match b {
                        b'"' => in_text = true,
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' if depth == 0 => (used, done) = (i, true),
                        b'}' | b']' => {
                            depth -= 1;
                            done = depth == 0;
                        }
                        b',' if depth == 0 => (used, done) = (i, true),
                        b'\n' => lines += 1,
                        _ => {}
                    }
                }
                if done {
                    used = used.min(i + 1);
                    break;
                }
            }
            out.extend_from_slice(&buffer[..used]);
            self.input.consume(used);
            self.at += used as u64;
            self.line += lines;
            if done {
                return Ok(());
            }
            if out.len() > MAX_FEATURE {
                let mb = MAX_FEATURE >> 20;
                return Err(Error::too_large(
                    format!("第 {} 行起的一个要素超过 {mb} MB", self.line),
                    format!("a feature near line {} is larger than {mb} MB", self.line),
                ));
            }
        }
    }

    /// Reads up to the first feature.
    pub fn start(&mut self) -> Result<()> {
        match self.peek()? {
            Some(b'[') => {
                self.expect(b'[')?;
                self.top_array = true;
                self.stand = Stand::InFeatures;
                Ok(())
            }
            _ => {
                self.expect(b'{')?;
                self.read_members()
            }
        }
    }

    /// Members of the top object, up to `features` or its end.
    fn read_members(&mut self) -> Result<()> {
        let mut text = Vec::new();
        loop {
            match self.peek()? {
                Some(b'}') => {
                    self.expect(b'}')?;
                    return self.end_of_object();
                }
                Some(b',') => self.expect(b',')?,
                _ => {}
            }
            if self.peek()? != Some(b'"') {
                self.expect(b'"')?;
            }
            self.value(&mut text)?;
            let key: String = self.parse(&text)?;
            self.expect(b':')?;
            if key == "features" && self.peek()? == Some(b'[') {
                self.expect(b'[')?;
                self.stand = Stand::InFeatures;
                return Ok(());
            }
            self.value(&mut text)?;
            let value = self.parse(&text)?;
            self.members.push((key, value));
        }
    }

    fn parse<'t, T: Deserialize<'t>>(&self, text: &'t [u8]) -> Result<T> {
        serde_json::from_slice(text).map_err(|e| malformed(self.line, &cause(&e), &cause(&e)))
    }

    fn end_of_object(&mut self) -> Result<()> {
        self.nothing_more()?;
        let had_features = self.stand == Stand::InFeatures;
        self.stand = Stand::Done;
        if had_features {
            return Ok(());
        }
        let object: serde_json::Map<String, serde_json::Value> = self.members.iter().cloned().collect();
        let is = |t: &str| object.get("type").and_then(|v| v.as_str()) == Some(t);
        let single = if is("Feature") {
            serde_json::Value::Object(object)
        } else if object.contains_key("coordinates") || object.contains_key("geometries") {
            serde_json::json!({"type": "Feature", "properties": {}, "geometry": object})
        } else {
            return Err(Error::invalid(
                "file",
                "这个 JSON 不是 GeoJSON：没有 features，也不是要素或几何",
                "this JSON is no GeoJSON: it has no features and is neither a feature nor a geometry",
            ));
        };
        self.single = serde_json::to_vec(&single)?;
        self.stand = Stand::Single;
        Ok(())
    }

    fn nothing_more(&mut self) -> Result<()> {
        match self.peek()? {
            None => Ok(()),
            Some(b) => {
                let b = char::from(b);
                Err(malformed(self.line, &format!("结尾后还有“{b}”"), &format!("found '{b}' after the end")))
            }
        }
    }

    /// The next feature of a document.
    pub fn element(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        match self.stand {
            Stand::Done => return Ok(false),
            Stand::Single => {
                *out = std::mem::take(&mut self.single);
                self.stand = Stand::Done;
                return Ok(true);
            }
            Stand::InFeatures => {}
        }
        if self.peek()? == Some(b',') {
            self.expect(b',')?;
        }
        if self.peek()? != Some(b']') {
            self.value(out)?;
            if out.is_empty() {
                return Err(malformed(self.line, "features 中缺少要素", "a feature is missing in features"));
            }
            return Ok(true);
        }
        self.expect(b']')?;
        if self.top_array {
            self.stand = Stand::Done;
            self.nothing_more()?;
        } else {
            self.read_members()?;
            self.stand = Stand::Done;
        }
        Ok(false)
    }

    /// The next non-empty line of a file of one feature per line.
    pub fn line(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        loop {
            out.clear();
            let n = std::io::Read::take(&mut self.input, MAX_FEATURE as u64).read_until(b'\n', out)?;
            if n == 0 {
                return Ok(false);
            }
            if n == MAX_FEATURE {
                return Err(Error::too_large("有一行超过大小上限", "a line is longer than the limit"));
            }
            self.at += n as u64;
            self.line += 1;
            while out.first().is_some_and(|b| matches!(b, 0x1e | 0xef | 0xbb | 0xbf | b' ' | b'\t')) {
                out.remove(0);
            }
            let end = out.trim_ascii_end().len();
            out.truncate(end);
            if !out.is_empty() {
                return Ok(true);
            }
        }
    }
}
