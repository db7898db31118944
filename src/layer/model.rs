//! What a layer is: its words, its fields, its share class and its revisions.

use serde::{Deserialize, Serialize};

/// A field's type: the PostgreSQL column type and the JSON type follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    Text,
    Integer,
    Float,
    Boolean,
    Date,
    /// With time zone; times without one are taken as Asia/Shanghai.
    Timestamp,
}

impl FieldType {
    /// The column type in PostgreSQL.
    pub fn sql(self) -> &'static str {
        match self {
            FieldType::Text => "text",
            FieldType::Integer => "bigint",
            FieldType::Float => "double precision",
            FieldType::Boolean => "boolean",
            FieldType::Date => "date",
            FieldType::Timestamp => "timestamptz",
        }
    }
}

/// One attribute of a layer. `name` is the column: lower-case letters, digits and `_` or Chinese, unique in its layer, at most 63 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: FieldType,
    pub title_zh: String,
    pub title_en: String,
}

/// How a layer's owner shares it with other departments (2017 compilation guide: 共享类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareClass {
    /// 无条件共享: every department may read it.
    Unconditional,
    /// 有条件共享: a department reads it by a grant.
    Conditional,
    /// 不予共享: other departments do not learn that it exists.
    NotShared,
}
