//! Requests for shared layers: written by one department, decided on by another, in force for a term. The states and who may move
//! between them are `onemap_approval`'s; here they meet the database: one transaction for each move, with its history, its audit row, its
//! notifications and, where something is granted, the grant.

pub mod attachment;
pub mod days;
mod decide;
pub mod draft;
mod history;
pub mod list;
mod record;
pub mod steps;
mod sweep;
pub mod terms;

use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

pub use self::decide::{Deed, Outcome};
pub use self::record::{Event, Request};
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::config::Config;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::layer::catalog::Catalog;
use crate::layer::model::Layer;

/// Cheap to clone.
#[derive(Clone)]
pub struct Approvals {
    database: Database,
    store: Datastore,
    gate: Gate,
    catalog: Catalog,
    /// Where attachments lie.
    folder: PathBuf,
}

impl Approvals {
    pub fn new(database: Database, store: Datastore, gate: Gate, catalog: Catalog, config: &Config) -> Approvals {
        Approvals { database, store, gate, catalog, folder: config.data.join("attachments") }
    }

    fn layer(&self, id: &str) -> Result<Arc<Layer>> {
        self.catalog.snapshot().layers.get(id).cloned().ok_or_else(no_layer)
    }
}

/// Which state of a request its changer has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Version(i32),
    /// Whatever it is: `If-Match: *`.
    Any,
}

impl Condition {
    fn check(self, version: i32) -> Result<()> {
        match self {
            Condition::Version(read) if read != version => Err(Error::outdated(
                "该申请已被他人处理或修改",
                "the request was decided on or changed by somebody else in the meantime",
            )
            .hint("请重新读取该申请后再操作", "read the request again before you go on")),
            _ => Ok(()),
        }
    }
}

/// The same words as for what does not exist: whose request it is, others do not learn.
fn no_request() -> Error {
    Error::not_found("没有这个申请", "there is no such request")
        .hint("申请清单见 /api/v1/requests", "requests are listed at /api/v1/requests")
}

/// The same words as the gate has.
fn no_layer() -> Error {
    Error::not_found("没有这个图层", "there is no such layer")
        .hint("图层清单见 /ogc/collections", "the layers you may see are listed at /ogc/collections")
}

fn link(id: Uuid) -> String {
    format!("/api/v1/requests/{id}")
}
