//! The one error type of every module below `http`. It knows no HTTP: `http::problem` alone maps a kind to a status.

use std::fmt;

/// What went wrong, as far as the caller is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// A parameter, body or file is wrong; the name says which.
    Invalid { parameter: String },
    /// Nobody is signed in, or the key is unknown, expired or revoked.
    Unauthenticated,
    /// The caller may know of it but not do this.
    Forbidden,
    /// It changed in the meantime, or stands in the way of something else.
    Conflict,
    /// It is not in the state that the caller made a condition of.
    Outdated,
    /// Over a size limit or a quota.
    TooLarge,
    /// A format, CRS or method that onemap does not offer.
    Unsupported,
    /// Too much at once, or a part that is needed is away for now.
    Busy,
    /// More than a key may ask for; in so many seconds it may again.
    TooMany { seconds: u64 },
    /// None of the representations that the caller takes is offered.
    NotAcceptable,
    /// The caller must say which state it changes, and has not.
    Unconditional,
    /// The address does not answer this method.
    WrongMethod,
    /// A fault of ours. The source is logged, never shown.
    Internal,
}

/// A text in the portal's two languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Said {
    pub zh: String,
    pub en: String,
}

impl Said {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Said { zh: zh.into(), en: en.into() }
    }
}

/// An error. Boxed: it travels in every `Result`, and most of them are fine.
pub struct Error(Box<Inner>);

/// An error's parts: its cause for the caller (`detail`), a next step (`hint`) and, for the log only, its source.
pub struct Inner {
    pub kind: Kind,
    pub detail: Said,
    pub hint: Option<Said>,
    /// The URI by which a standard calls this error, where one does.
    pub name: Option<&'static str>,
    /// What the caller may choose from, under its name in the problem document.
    pub choices: Option<(&'static str, serde_json::Value)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl std::ops::Deref for Error {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.0
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: Kind, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, detail: Said::new(zh, en), hint: None, name: None, choices: None, source: None }))
    }
    pub fn invalid(parameter: &str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Invalid { parameter: parameter.to_owned() }, zh, en)
    }
    pub fn not_found(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, zh, en)
    }
    pub fn forbidden(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, zh, en)
    }
    pub fn conflict(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, zh, en)
    }
    pub fn outdated(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Outdated, zh, en)
    }
    pub fn too_large(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::TooLarge, zh, en)
    }
    pub fn unsupported(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, zh, en)
    }
    pub fn not_acceptable(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::NotAcceptable, zh, en)
    }
    pub fn unconditional(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Unconditional, zh, en)
    }
    pub fn busy(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Busy, zh, en)
    }
    pub fn unauthenticated(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Unauthenticated, zh, en)
    }
    /// A fault of ours: the text goes to the log, the caller sees only a request id.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut e = Self::new(Kind::Internal, "服务器内部错误", "an internal error occurred");
        e.source = Some(source.into());
        e
    }
    pub fn hint(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.hint = Some(Said::new(zh, en));
        self
    }
    pub fn named(mut self, uri: &'static str) -> Self {
        self.name = Some(uri);
        self
    }
    pub fn choices(mut self, name: &'static str, choices: serde_json::Value) -> Self {
        self.choices = Some((name, choices));
        self
    }
    /// A copy for another who waited for the same.
    pub fn again(&self) -> Error {
        let mut error = Error::new(self.kind.clone(), &self.detail.zh, &self.detail.en);
        error.hint = self.hint.clone();
        error.choices = self.choices.clone();
        error.because(self.to_string())
    }
    /// Keeps the cause for the log.
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.detail.en)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({})", hint.en)?;
        }
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
            let mut inner = source.source();
            while let Some(cause) = inner {
                write!(f, ": {cause}")?;
                inner = cause.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| s.as_ref() as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Error::internal(e)
    }
}
impl From<serde_json::Error> for Error {
    fn from(e: serde_json::Error) -> Self {
        Error::internal(e)
    }
}
