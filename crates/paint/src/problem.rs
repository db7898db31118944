//! What is wrong with a style, and where in it.

use std::fmt;

/// Why something cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The place in the style, such as `layers[3].paint.line-width[2]`; empty when it is not the style's fault.
    pub path: String,
    pub zh: String,
    pub en: String,
}

pub type Result<T, E = Problem> = std::result::Result<T, E>;

impl Problem {
    pub fn new(path: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Problem { path: path.into(), zh: zh.into(), en: en.into() }
    }

    /// A fault of an expression. Style authors know the words of the style specification, which are English.
    pub(crate) fn expression(path: impl Into<String>, en: impl Into<String>) -> Self {
        let en = en.into();
        Problem { path: path.into(), zh: format!("表达式有误：{en}"), en }
    }

    /// The same fault, seen from the outside: its path begins with `outer`.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.path = match self.path.is_empty() || self.path.starts_with('[') {
            true => format!("{outer}{}", self.path),
            false => format!("{outer}.{}", self.path),
        };
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.en),
            false => write!(f, "{}: {}", self.path, self.en),
        }
    }
}

impl std::error::Error for Problem {}
