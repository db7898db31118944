//! The catalogue after the compilation guide of 2017 (政务信息资源目录编制指南（试行）): a record for each layer, made by the database when
//! it is published (`V15__catalogue.sql`), and records that departments write of what is no layer. Whatever is given out of it, each
//! count and each related code too, is of the records that the caller may know of.

pub mod code;
pub mod exchange;
mod model;
mod score;
pub mod search;
pub mod table;
mod write;

use serde_json::Value;

use self::code::ResourceCode;
pub use self::model::{CYCLES, Item, KINDS, OPENNESS, Record, Written};
use self::model::{FROM, columns, record};
pub use self::score::Scores;
use crate::access::principal::Principal;
use crate::db::pool::Database;
use crate::error::{Error, Result};

/// Which records a principal knows of: the rule of `access::policy::standing` in SQL. `$1` is the department, null for nobody's.
pub(crate) const VISIBLE: &str =
    "(r.anonymous or r.department_id = $1 or ($1::text is not null and r.share_class <> 'not_shared'))";

/// Cheap to clone.
#[derive(Clone)]
pub struct Catalogue {
    database: Database,
}

impl Catalogue {
    pub fn new(database: Database) -> Catalogue {
        Catalogue { database }
    }

    /// A record by its code, with how it deviates from its layer.
    pub async fn get(&self, by: &Principal, code: &str) -> Result<Record> {
        let code: ResourceCode = code.parse().map_err(|()| unknown())?;
        let sql = format!("select {} {FROM} where {VISIBLE} and r.code = $2", columns());
        let client = self.database.app().await?;
        let row = client.query_opt(&sql, &[&by.department.as_deref(), &code.to_string()]).await?;
        record(&row.ok_or_else(unknown)?)
    }
}

/// The same words for what does not exist and for what the caller may not know of.
fn unknown() -> Error {
    Error::not_found("目录中没有这条资源", "there is no such resource in the catalogue")
        .hint("目录见 /api/v1/catalogue", "the catalogue is at /api/v1/catalogue")
}

fn list(value: Value) -> Result<Vec<Item>> {
    Ok(serde_json::from_value(value)?)
}
