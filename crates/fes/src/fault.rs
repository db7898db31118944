//! What is wrong with a document, and where.

use roxmltree::Node;

/// A fault in a filter, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line and column, from 1.
    pub at: Option<(u32, u32)>,
    pub zh: String,
    pub en: String,
}

pub type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Fault {
        Fault { at: None, zh: zh.into(), en: en.into() }
    }

    pub fn at(node: Node<'_, '_>, zh: impl Into<String>, en: impl Into<String>) -> Fault {
        let place = node.document().text_pos_at(node.range().start);
        Fault { at: Some((place.row, place.col)), zh: zh.into(), en: en.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at {
            Some((line, column)) => write!(f, "line {line}, column {column}: {}", self.en),
            None => write!(f, "{}", self.en),
        }
    }
}

impl std::error::Error for Fault {}

/// A caller's text, short enough to be said back.
pub fn shorten(text: &str) -> String {
    let text = text.trim();
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
